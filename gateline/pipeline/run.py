"""One run from settings to published folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateline.audit import append_event
from gateline.pipeline.identity import digest_inputs, identify_run
from gateline.pipeline.marks import make_marks
from gateline.pipeline.not_used import list_not_used
from gateline.pipeline.plan_file import PLAN_FILE, write_plan_file
from gateline.pipeline.planning import plan_run
from gateline.pipeline.private_digest import RUN_PROFILE, UNCOUNTED_ROLES, uncounted_files
from gateline.pipeline.read import Inputs, input_files, read_inputs, require_little_quarantine
from gateline.pipeline.record import Recorder, code_version
from gateline.pipeline.registered import read_registered
from gateline.pipeline.stages import Results, run_stages
from gateline.pipeline.write import product_inputs, write_products, write_record
from gateline.settings import Settings, read_settings
from gateline.workspace import hash_file, lock_workspace, open_run, probe_disk
from geo.errors import InputError, IntegrityError
from geo.sources.accounting import RowAccount
from geo.sources.coverage import describe_coverage

__all__ = ["Finished", "run_pipeline"]


@dataclass(frozen=True)
class Finished:
    """
    A published run.

    Attributes
    ----------
    run_id : str
        Its name.
    folder : Path
        Where it is.
    inputs : Inputs
        What was read.
    results : Results
        What was found.
    recorder : Recorder
        Rows, time and memory.
    """

    run_id: str
    folder: Path
    inputs: Inputs
    results: Results
    recorder: Recorder


def run_pipeline(root: Path, *, tell: Callable[[str], None]) -> Finished:
    """
    Run a workspace and publish the run whole.

    Parameters
    ----------
    root : pathlib.Path
        The workspace.
    tell : callable
        Takes one line of progress.

    Returns
    -------
    Finished
        The published run.

    Raises
    ------
    GatelineError
        If a setting, an input or a stage is at fault; nothing is published then.
    """
    settings = read_settings(root / "region.toml")
    with lock_workspace(root):
        recorder = Recorder(tell)
        for note in probe_disk(root):
            recorder.note_machine(note)
        return _run(root, settings, recorder)


def _run(root: Path, settings: Settings, recorder: Recorder) -> Finished:
    files = input_files(root, settings)
    hashes = _hash(files)
    with recorder.stage("read") as record:
        inputs = read_inputs(root, settings)
        require_little_quarantine(inputs, settings.offences)
        _require_offences(inputs, settings)
        registered = read_registered(root)
        uncounted = uncounted_files(settings)
        counted = [account for account in inputs.accounts if account.source_file not in uncounted]
        record.rows = {
            "files": len(inputs.accounts),
            "read": sum(account.n_read for account in counted),
            "accepted": sum(account.n_accepted for account in counted),
            **_by_status(counted),
        }
        record.notes = [f"{a.source_file}: {text}" for a in counted for text in a.warnings]
        record.notes += describe_coverage(inputs.coverage)
        record.notes += [f"{name}: its rows are counted in the audit log alone" for name in sorted(uncounted)]
        record.notes += [model.note() for model in registered]
        digests = digest_inputs(root, settings, inputs)
        _require_unchanged(files, hashes)
    code = code_version()
    run_id = identify_run(settings, digests, registered)
    log = root / "audit.jsonl"
    facts: list[dict[str, Any]] = [{"role": role, "name": path.name, "sha256": hashes[path]} for role, path in files]
    rows = {a.source_file: {"n_read": a.n_read, "n_accepted": a.n_accepted} for a in inputs.accounts}
    facts = [fact | (rows.get(fact["name"], {}) if fact["role"] in UNCOUNTED_ROLES else {}) for fact in facts]
    append_event(log, "score", run_id=run_id, operator=settings.region.operator, inputs=facts, tool_version=code)
    results = run_stages(inputs, settings, recorder)
    plan = None
    if settings.plan.is_planned:
        with recorder.stage("plan") as record:
            plan = plan_run(results, settings, inputs)
            record.rows = {"stays": 0 if plan is None else len(plan.duty.table)}
            record.notes += [] if plan is None else plan.notes
            if plan is None:
                record.notes.append(
                    "no plan: no flow by rail passes a station of the force, no team can reach one with trains enough "
                    "in a shift, or the pairs are too many to list"
                )
    not_used = list_not_used(inputs, results, untold=uncounted)
    marks = make_marks(inputs, results, settings, run_id=run_id, profile=RUN_PROFILE, not_used=not_used)
    unused = tuple(model.note() for model in registered)
    with open_run(root, run_id) as folder:
        with recorder.stage("products") as record:
            products = product_inputs(inputs, results, marks, plan=plan, not_used=not_used)
            write_products(folder, products, inputs, results, registered=unused, uncounted=uncounted)
            if plan is not None:
                write_plan_file(folder / PLAN_FILE, plan, products=products)
            record.rows = {"files": len(list(folder.iterdir()))}
        write_record(
            folder,
            inputs=inputs,
            settings=settings,
            recorder=recorder,
            run_id=run_id,
            code=code,
            digests=digests,
            results=results,
            not_used=not_used,
            registered=unused,
            uncounted=uncounted,
        )
    return Finished(run_id, root / "runs" / run_id, inputs, results, recorder)


def _hash(files: list[tuple[str, Path]]) -> dict[Path, str]:
    """Hash by path; what is no file is left to its reader to refuse."""
    return {path: hash_file(path) for _, path in files if path.is_file()}


def _require_unchanged(files: list[tuple[str, Path]], hashes: dict[Path, str]) -> None:
    """Pass if the run's id and the audit log will name the bytes that were read."""
    now = _hash(files)
    changed = sorted({path.name for _, path in files if now.get(path) != hashes.get(path)})
    if changed:
        msg = (
            f"{changed[0]}: it changed while it was read, expected a finished file. Wait until it is copied, then run."
        )
        raise IntegrityError(msg)


def _require_offences(inputs: Inputs, settings: Settings) -> None:
    """Pass if there is anything to score by."""
    if inputs.offences.empty:
        wanted = ", ".join(settings.offences.crime_types) or "any type"
        msg = f"offences: none of the rows read is in scope, expected some of {wanted}. Mend offences.crime_types."
        raise InputError(msg)


def _by_status(accounts: list[RowAccount]) -> dict[str, int]:
    """Rows that were not accepted, by status, over these files."""
    counts: dict[str, int] = {}
    for account in accounts:
        for status, _, n in account.n_by_reason:
            counts[status] = counts.get(status, 0) + n
    return dict(sorted(counts.items()))
