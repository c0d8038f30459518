"""
When each thing's time is over: victims' addresses first, then runs and exports.

Nothing expired is used, and `gateline purge` deletes it: it writes the erasure to the audit log, leaves a tombstone for
each victim's address so that an old copy is not read again, and only then deletes (trust.md A6). Deleting a file does
not wipe a solid-state disk; that is for the disk's encryption.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from gateline.audit import append_event, verify_log
from gateline.pipeline.erased import KEY_FILE, TOMBSTONES_FILE
from gateline.pipeline.read import input_files
from gateline.pipeline.read_victims import read_victims
from gateline.settings import Settings, read_settings
from gateline.workspace import hash_file, lock_workspace
from geo.disclosure.keyed import digest_addresses, read_or_make_key
from geo.disclosure.tombstones import append_tombstones
from geo.errors import DisclosureError

__all__ = [
    "KEY_FILE",
    "TOMBSTONES_FILE",
    "VICTIM_RETENTION_DAYS",
    "Expired",
    "purge",
    "require_unexpired",
    "run_expiry",
]

# trust.md A6: exact addresses of victims, a default that a force's data protection officer confirms.
VICTIM_RETENTION_DAYS = 90


@dataclass(frozen=True)
class Expired:
    """
    One thing whose time is over.

    Attributes
    ----------
    kind : str
        ``victims``, ``run`` or ``export``.
    path : Path
        Its file or folder.
    expired_on : date
        Last day of its use.
    """

    kind: str
    path: Path
    expired_on: date


def require_unexpired(
    root: Path,
    settings: Settings,
    *,
    run_id: str,
    run_expires_on: date,
    today: date,
    victim_retention_days: int = VICTIM_RETENTION_DAYS,
) -> None:
    """
    Pass if neither the run nor the victims' addresses behind it have expired.

    Parameters
    ----------
    root : pathlib.Path
        The workspace.
    settings : Settings
        Its settings. A fictional workspace has nobody to protect and passes.
    run_id : str
        Of the run.
    run_expires_on, today : datetime.date
        Last day of the run's use, and the day it is.
    victim_retention_days : int, default 90
        Days that victims' addresses are kept.

    Raises
    ------
    DisclosureError
        If something has expired.
    """
    if settings.region.is_fictional:
        return
    if run_expires_on < today:
        msg = (
            f"run {run_id}: it expired on {run_expires_on}, expected {today} or later. Run again on newer offences, "
            "or delete it with 'gateline purge'."
        )
        raise DisclosureError(msg)
    for path, expires_on in _victim_files(root, settings, victim_retention_days):
        if expires_on < today:
            msg = (
                f"{path.name}: victims' addresses expired on {expires_on}, {victim_retention_days} days after their "
                f"first use, expected {today} or later. Run 'gateline purge', then import what may still be held."
            )
            raise DisclosureError(msg)


def run_expiry(run: Path) -> date:
    """
    Give the last day of a run's use, which its lists carry in every row.

    Parameters
    ----------
    run : pathlib.Path
        Folder of the run.

    Returns
    -------
    datetime.date
        The day.
    """
    return date.fromisoformat(_csv_date(run / "stations.csv"))


def purge(
    root: Path, *, today: date, is_dry_run: bool, victim_retention_days: int = VICTIM_RETENTION_DAYS
) -> list[Expired]:
    """
    Delete what has expired, or say what would be deleted.

    Parameters
    ----------
    root : pathlib.Path
        The workspace.
    today : datetime.date
        The day it is.
    is_dry_run : bool
        Whether to change nothing.
    victim_retention_days : int, default 90
        Days that victims' addresses are kept after their first use.

    Returns
    -------
    list of Expired
        What was deleted, victims' addresses first.

    Raises
    ------
    GatelineError
        If the settings, the log or the victims' file cannot be read; what was not logged is not deleted.
    """
    settings = read_settings(root / "region.toml")
    with lock_workspace(root):
        verify_log(root / "audit.jsonl")
        expired = _find_expired(root, settings, today, victim_retention_days)
        if not is_dry_run:
            for thing in expired:
                _erase(root, settings, thing)
    return expired


def _find_expired(root: Path, settings: Settings, today: date, victim_retention_days: int) -> list[Expired]:
    found = [Expired("victims", p, until) for p, until in _victim_files(root, settings, victim_retention_days)]
    found += [Expired("run", p.parent, until) for p, until in _dated(root.glob("runs/[!.]*/stations.csv"), _csv_date)]
    found += [
        Expired("export", p.parent, until) for p, until in _dated(root.glob("exports/[!.]*/release.json"), _json_date)
    ]
    return [thing for thing in found if thing.expired_on < today]


def _victim_files(root: Path, settings: Settings, retention_days: int) -> Iterator[tuple[Path, date]]:
    """The file of victims' addresses, where there is one, and the last day it may be kept."""
    text = settings.inputs.cuckooing
    if text is None or not _is_there(root / text):
        return
    path = next(path for role, path in input_files(root, settings) if role == "cuckooing")
    yield path, _first_use(root / "audit.jsonl", path) + timedelta(days=retention_days)


def _is_there(path: Path) -> bool:
    """Whether the path leads to something, or to what only its reader can refuse."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return True


def _first_use(log: Path, path: Path) -> date:
    """The day the audit log first names the file by its content, else the day it was written."""
    sha256 = hash_file(path)
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    for record in map(json.loads, lines):
        if any(fact.get("sha256") == sha256 for fact in record.get("inputs", ()) if isinstance(fact, dict)):
            return datetime.fromisoformat(record["ts_utc"]).date()
    return datetime.fromtimestamp(path.stat().st_mtime, tz=UTC).date()


def _dated(paths: Iterable[Path], read: Callable[[Path], str]) -> list[tuple[Path, date]]:
    """Each file, in order, with the day it states."""
    return [(path, date.fromisoformat(read(path))) for path in sorted(paths)]


def _csv_date(path: Path) -> str:
    """A list carries its expiry in each row."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return next(csv.DictReader(stream))["expires_on"]


def _json_date(path: Path) -> str:
    return str(json.loads(path.read_text(encoding="utf-8"))["expires_on"])


def _erase(root: Path, settings: Settings, thing: Expired) -> None:
    """The erasure is logged, victims have tombstones, and the thing is gone."""
    log = root / "audit.jsonl"
    facts: dict[str, object] = {"kind": thing.kind, "name": thing.path.name, "expired_on": thing.expired_on.isoformat()}
    if thing.kind == "victims":
        reading = read_victims(thing.path, settings.inputs)
        key = read_or_make_key(root / KEY_FILE)
        digests = digest_addresses(reading.table, key, purpose="tombstone")
        append_event(log, "erase", **facts, sha256=hash_file(thing.path), n_addresses=len(digests))
        append_tombstones(root / TOMBSTONES_FILE, digests)
        thing.path.unlink()
        return
    append_event(log, "erase", **facts)
    shutil.rmtree(thing.path)
    pointer = root / "runs" / "current"
    if thing.kind == "run" and pointer.exists() and pointer.read_text(encoding="utf-8").strip() == thing.path.name:
        pointer.unlink()
