"""
One release: asked for with a reason and a recipient, checked, logged, and only then there.

The products are made anew from the inputs, settings and code of the current run, through the gate of the profile, in
``exports/.tmp-<id>``. The ledger and the audit log are written before the folder gets its name, so that nothing leaves
unlogged; a refusal is logged too. Reason and recipient go to the log, recipient and the log's head to every product.
"""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd

from gateline.audit import append_event, head_hash, verify_log
from gateline.pipeline.identity import digest_inputs, identify_run
from gateline.pipeline.marks import make_marks
from gateline.pipeline.not_used import list_not_used
from gateline.pipeline.private_digest import uncounted_files
from gateline.pipeline.read import Inputs, read_inputs
from gateline.pipeline.record import Recorder
from gateline.pipeline.registered import read_registered
from gateline.pipeline.stages import run_stages
from gateline.products.inputs import Marks
from gateline.release.contents import SCORED_PRODUCTS, VICTIM_PRODUCTS, Contents, require_products, write_contents
from gateline.release.retention import KEY_FILE, VICTIM_RETENTION_DAYS, require_unexpired, run_expiry
from gateline.settings import Settings, read_settings
from gateline.workspace import current_run, hash_file, lock_workspace
from geo.disclosure.keyed import read_or_make_key
from geo.disclosure.ledger import Release, append_release, make_release, read_ledger, require_no_differencing
from geo.disclosure.quadtree import band_cells
from geo.durable import sync_file
from geo.errors import DisclosureError, IntegrityError, ResourceError
from geo.schema import empty
from geo.tables import BANDED_CELLS

__all__ = ["LEDGER_FILE", "ReleaseRequest", "export_release"]

LEDGER_FILE = "ledger.jsonl"
_LOG = "audit.jsonl"
_HEAD_DIGITS = 16
_MOST_CHARACTERS = 500


@dataclass(frozen=True)
class ReleaseRequest:
    """
    Who asks for what, for whom and why.

    Attributes
    ----------
    profile : str
        ``tactical``, ``partner`` or ``public``.
    reason : str
        Purpose of the release, for the audit log.
    recipient : str
        Who receives it; printed on every product.
    products : tuple of str
        Products asked for by name; empty for all that the profile receives.
    """

    profile: str
    reason: str
    recipient: str
    products: tuple[str, ...] = ()


def export_release(
    root: Path,
    request: ReleaseRequest,
    *,
    today: date,
    tell: Callable[[str], None],
    out: Path | None = None,
    victim_retention_days: int = VICTIM_RETENTION_DAYS,
) -> Path:
    """
    Release the current run of a workspace.

    Parameters
    ----------
    root : pathlib.Path
        The workspace.
    request : ReleaseRequest
        What is asked.
    today : datetime.date
        The day it is.
    tell : callable
        Takes one line of progress.
    out : pathlib.Path or None
        Folder to put the release's folder in; None for ``exports`` in the workspace.
    victim_retention_days : int, default 90
        Days that victims' addresses may be used.

    Returns
    -------
    pathlib.Path
        The release's folder.

    Raises
    ------
    DisclosureError
        If the request lacks a reason or recipient, asks for more than its profile receives, rests on something
        expired, or could be subtracted from an earlier release. The refusal is logged.
    IntegrityError
        If the log, the ledger or the key is not what it should be, the log cannot be written, or the inputs are not
        those of the current run.
    ResourceError
        If the disk is full; nothing is released then.
    GatelineError
        If the workspace cannot be read.
    """
    job = _Job(root, read_settings(root / "region.toml"), request, today, tell, out or root / "exports")
    log = root / _LOG
    with lock_workspace(root):
        n_events = verify_log(log)
        try:
            names = _require_request(request)
            return _release(job, names, n_events + 1, victim_retention_days)
        except DisclosureError as error:
            _write_log(log, "refuse", **_asked(request), message=str(error), exit_code=error.exit_code)
            raise


@dataclass(frozen=True)
class _Job:
    """What every step needs to know."""

    root: Path
    settings: Settings
    request: ReleaseRequest
    today: date
    tell: Callable[[str], None]
    out: Path


def _require_request(request: ReleaseRequest) -> tuple[str, ...]:
    """The products of a request that has a profile, a reason and a recipient."""
    for what, text in (("reason", request.reason), ("recipient", request.recipient)):
        if not text.strip():
            msg = (
                f"{what}: it is {text!r}, expected some words. Every release is logged with its {what}: give --{what}."
            )
            raise DisclosureError(msg)
    return require_products(request.profile, request.products)


def _release(job: _Job, names: tuple[str, ...], number: int, victim_retention_days: int) -> Path:
    """The folder of a release that was checked, made, logged and published, in this order."""
    run = current_run(job.root)
    require_unexpired(
        job.root,
        job.settings,
        run_id=run.name,
        run_expires_on=run_expiry(run),
        today=job.today,
        victim_retention_days=victim_retention_days,
    )
    inputs = _read_as_run(job, run.name)
    release_id = f"{run.name}-{job.request.profile}-{number:04d}"
    cells, entry = _guard(job, inputs, release_id, names)
    results = run_stages(inputs, job.settings, Recorder(job.tell))
    log = job.root / _LOG
    not_used = list_not_used(inputs, results, untold=uncounted_files(job.settings))
    marks = make_marks(inputs, results, job.settings, run_id=run.name, profile=job.request.profile, not_used=not_used)
    marks = _watermark(marks, job.request, head_hash(log))
    building = job.out / f".tmp-{release_id}"
    shutil.rmtree(building, ignore_errors=True)  # what a process that died left behind
    try:
        building.mkdir(mode=0o700, parents=True)
        contents = Contents(inputs, results, marks, cells, job.root / "models")
        suppressed = write_contents(building, contents, names)
        files = {path.name: hash_file(path) for path in sorted(building.iterdir())}
        facts = {"release_id": release_id, "run_id": run.name, "output_sha256": files, "suppressed_cells": suppressed}
        _write_release_record(building, job.request, marks, facts)
        for path in building.iterdir():
            with path.open("rb+") as stream:
                sync_file(stream.fileno())
        if entry is not None:
            facts["ledger_sha256"] = append_release(job.root / LEDGER_FILE, entry)
        _write_log(log, "disclose", **_asked(job.request), **facts, operator=job.settings.region.operator)
        return building.rename(job.out / release_id)
    except OSError as error:
        shutil.rmtree(building, ignore_errors=True)
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        msg = f"release {release_id}: the disk is full, expected room for it. Nothing was exported: free some room."
        raise ResourceError(msg) from error
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise


def _read_as_run(job: _Job, run_id: str) -> Inputs:
    """The inputs, if they, the settings and the code are those of the run."""
    inputs = read_inputs(job.root, job.settings)
    digests = digest_inputs(job.root, job.settings, inputs)
    found = identify_run(job.settings, digests, read_registered(job.root))
    if found != run_id:
        msg = (
            f"run {run_id}: inputs, settings, registered models or code have changed since, expected the same. Run "
            "'gateline run' again and export that."
        )
        raise IntegrityError(msg)
    return inputs


def _guard(
    job: _Job, inputs: Inputs, release_id: str, names: Collection[str]
) -> tuple[gpd.GeoDataFrame | None, Release | None]:
    """Victims' bands and the ledger's entry of a release that no earlier one can be subtracted from."""
    has_squares = len(inputs.areas) > 0 and bool(VICTIM_PRODUCTS.intersection(names))
    has_towns = bool(SCORED_PRODUCTS.intersection(names))
    if inputs.cuckooing is None or not (has_squares or has_towns):
        return None, None
    logged = [record["ledger_sha256"] for record in _read_log(job.root / _LOG) if "ledger_sha256" in record]
    earlier = read_ledger(job.root / LEDGER_FILE, expected_sha256=logged)
    key = read_or_make_key(job.root / KEY_FILE)
    profile = job.request.profile
    cells = band_cells(inputs.cuckooing, inputs.areas, profile=profile) if has_squares else empty(BANDED_CELLS)
    entry = make_release(
        inputs.cuckooing,
        cells,
        release_id=release_id,
        profile=profile,
        key=key,
        places=inputs.places[inputs.places["is_in_force"]] if has_towns else None,
        cutoff=inputs.offences["month"].max(),
    )
    require_no_differencing(entry, earlier, inputs.areas)
    return (cells if has_squares else None), entry


def _watermark(marks: Marks, request: ReleaseRequest, head: str) -> Marks:
    """Marks that name the recipient and the head of the log wherever the operator is named."""
    text = f"{marks.operator}, for {request.recipient.strip()}, audit log {head[:_HEAD_DIGITS]}"
    return replace(marks, operator=text)


def _write_release_record(folder: Path, request: ReleaseRequest, marks: Marks, facts: dict[str, Any]) -> None:
    """``release.json``: what this is, for whom, until when, and the hash of each file."""
    record = {
        **{label.lower().replace(" ", "_"): text for label, text in marks.lines()},
        "recipient": request.recipient.strip(),
        "expires_on": marks.expires_on,
        "is_fictional": marks.is_fictional,
        **facts,
    }
    text = json.dumps(record, indent=1, sort_keys=True, ensure_ascii=True)
    (folder / "release.json").write_text(text + "\n", encoding="utf-8")


def _asked(request: ReleaseRequest) -> dict[str, Any]:
    return {
        "profile": request.profile[:_MOST_CHARACTERS],
        "reason": request.reason.strip()[:_MOST_CHARACTERS],
        "recipient": request.recipient.strip()[:_MOST_CHARACTERS],
        "products": [name[:_MOST_CHARACTERS] for name in request.products],
    }


def _read_log(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []


def _write_log(log: Path, event: str, **facts: Any) -> None:  # noqa: ANN401 - JSON values
    """The event is on the disk, or nothing may go on."""
    try:
        append_event(log, event, **facts)
    except OSError as error:
        msg = (
            f"{log.name}: it cannot be written ({error.strerror}), expected to log before anything leaves. "
            "Nothing was exported: free the disk or mend the file's permissions."
        )
        raise IntegrityError(msg) from error
