"""
The audit log: one line an event, each line holding the hash of the one before, so that no line can be changed unseen.

``audit.jsonl`` is append-only JSON lines, synced to disk at each event. `verify_log` recomputes the chain. An export
that cannot be logged does not happen. No personal data is written: names of files, hashes and counts only.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from geo.durable import sync_file
from geo.errors import IntegrityError, UsageError

__all__ = ["EVENTS", "append_event", "head_hash", "verify_log"]

EVENTS = (
    "collect",
    "alter",
    "consult",
    "disclose",
    "combine",
    "erase",
    "score",
    "override",
    "verify",
    "refuse",
)
_FIRST = "0" * 64


def append_event(log: Path, event: str, **facts: Any) -> str:  # noqa: ANN401 - JSON values
    """
    Add one event to the log and sync it to disk.

    Parameters
    ----------
    log : pathlib.Path
        ``audit.jsonl`` of the workspace.
    event : str
        One of `EVENTS`.
    **facts : JSON values
        What happened: run_id, profile, reason, recipient, inputs, rows and the like. No personal data.

    Returns
    -------
    str
        Hash of the new line: the head of the chain.

    Raises
    ------
    UsageError
        If the event is unknown.
    IntegrityError
        If the log's last line is torn or is not what its hash says.

    Notes
    -----
    The caller holds the workspace lock, so there is one writer.
    """
    if event not in EVENTS:
        msg = f"audit: event is {event!r}, expected one of {', '.join(EVENTS)}. Name one of them."
        raise UsageError(msg)
    seq, previous = _tail(log)
    record = {
        "seq": seq + 1,
        "ts_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "event": event,
        "os_user": _user(),
        **facts,
        # Products print the head of the log, and an event names the victims' file by its hash: without something that
        # nobody can know, who guesses the file could confirm the guess from the head alone.
        "nonce": secrets.token_hex(16),
        "prev_hash": previous,
    }
    record["hash"] = _digest(record)
    line = (json.dumps(record, sort_keys=True, ensure_ascii=True) + "\n").encode()
    _append(log, line)
    return str(record["hash"])


def head_hash(log: Path) -> str:
    """
    Give the hash of the last line, printed on products so that a cut-off log shows.

    Parameters
    ----------
    log : pathlib.Path
        The log; it may be absent.

    Returns
    -------
    str
        Sixty-four hexadecimal digits; zeros for an empty log.

    Raises
    ------
    IntegrityError
        If the last line is torn or altered.
    """
    return _tail(log)[1]


def verify_log(log: Path) -> int:
    """
    Recompute the whole chain.

    Parameters
    ----------
    log : pathlib.Path
        The log; it may be absent.

    Returns
    -------
    int
        Number of events.

    Raises
    ------
    IntegrityError
        At the first line that is torn, altered, missing or out of order.
    """
    if not log.exists():
        return 0
    data = log.read_bytes()
    if data and not data.endswith(b"\n"):
        msg = f"{log.name}: the last line is torn, expected a whole line. Restore the log from its backup."
        raise IntegrityError(msg)
    previous = _FIRST
    lines = data.split(b"\n")[:-1]
    for number, line in enumerate(lines, start=1):
        record = _parse(log, number, line)
        if record["seq"] != number or record["prev_hash"] != previous:
            msg = (
                f"{log.name}: line {number} does not follow line {number - 1}, expected an unbroken chain. Restore it."
            )
            raise IntegrityError(msg)
        previous = str(record["hash"])
    return len(lines)


def _append(log: Path, line: bytes) -> None:
    """The whole line is in the log and on the disk; or, where the disk is full, none of it is."""
    descriptor = os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        try:
            rest = line
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            sync_file(descriptor)
        except OSError:
            # A torn line would close the log to every later event.
            os.ftruncate(descriptor, size)
            raise
    finally:
        os.close(descriptor)


def _user() -> str:
    """The login name, where the system has one."""
    try:
        return getpass.getuser()
    except (KeyError, ImportError, OSError):  # without an entry: KeyError; on Windows ImportError; from 3.13 OSError
        return "unknown"


def _digest(record: dict[str, Any]) -> str:
    """Hash of everything in the record but its own hash."""
    body = {key: value for key, value in record.items() if key != "hash"}
    return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def _parse(log: Path, number: int, line: bytes) -> dict[str, Any]:
    """The record of one line, whose bytes are exactly what was written."""
    try:
        record = json.loads(line)
        whole = isinstance(record, dict) and record["hash"] == _digest(record)
        # Other bytes that parse to the same record (spaces, escapes) are an alteration too.
        whole = whole and json.dumps(record, sort_keys=True, ensure_ascii=True).encode() == line
    except (ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        msg = f"{log.name}: line {number} is altered, expected the hash it was written with. Restore the log."
        raise IntegrityError(msg)
    return dict(record)


def _tail(log: Path) -> tuple[int, str]:
    """Sequence number and hash of the last line; zero and zeros for an empty log."""
    if not log.exists() or log.stat().st_size == 0:
        return 0, _FIRST
    data = log.read_bytes()
    if not data.endswith(b"\n"):
        msg = f"{log.name}: the last line is torn, expected a whole line. Run 'gateline audit verify'."
        raise IntegrityError(msg)
    number = data.count(b"\n")
    record = _parse(log, number, data[:-1].rsplit(b"\n", 1)[-1])
    return int(record["seq"]), str(record["hash"])
