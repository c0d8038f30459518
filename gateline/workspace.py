"""
The workspace on disk: where its parts are, who may write, and how a run appears whole or not at all.

A run is built in ``runs/.tmp-<id>``, synced to disk, then renamed to ``runs/<id>``; ``runs/current`` is replaced
last. A process that dies at any instant leaves the old state, and the next run clears what it left. Where the disk
cannot sync, as on many network shares, the run is published all the same and says so.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateline.processes import find_process
from geo.durable import sync_file, sync_folder
from geo.errors import GatelineError, LockedError, ResourceError, UsageError
from geo.sources.files import is_virtual

__all__ = ["current_run", "hash_file", "lock_workspace", "open_run", "probe_disk", "resolve_inside"]

_LOCK = ".gateline-lock"
_SET_ASIDE = ".tmp-old-"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# ASSUMPTION: a database page and its journal need less.
_LEAST_FREE_BYTES = 2**20
_REFUSED = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
# What a share answers while a virus scanner or an indexer holds a file. ASSUMPTION: they let go within a second.
_HELD = frozenset({errno.EACCES, errno.EBUSY})
_WAITS_S = (0.1, 0.3, 0.6)
_SHOWN = 80


def resolve_inside(root: Path, text: str) -> Path:
    """
    Resolve a path from the settings, which must stay inside the workspace or be named absolutely.

    Parameters
    ----------
    root : pathlib.Path
        The workspace.
    text : str
        The path as written in `region.toml`.

    Returns
    -------
    pathlib.Path
        An absolute path.

    Raises
    ------
    UsageError
        If the path is a remote address, a virtual file, leaves the workspace by ``..``, is no path that this system
        has, or does not exist.
    """
    shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
    if is_virtual(text) or "://" in text:
        msg = f"inputs: path {shown!r} is a remote or virtual file, expected a local one. Download it first."
        raise UsageError(msg)
    path = Path(text)
    try:
        resolved = (path if path.is_absolute() else root / path).resolve()
        is_there = resolved.exists()
    except (OSError, RuntimeError, ValueError) as error:  # too long, a loop of links, a zero byte
        msg = f"inputs: path {shown!r} cannot be followed ({error!s:.80}), expected a plain path. Mend region.toml."
        raise UsageError(msg) from error
    if not path.is_absolute() and not resolved.is_relative_to(root.resolve()):
        msg = (
            f"inputs: path {shown!r} leaves the workspace, expected one inside it. Copy the file in, or name it in "
            "full."
        )
        raise UsageError(msg)
    if not is_there:
        msg = f"inputs: path {shown!r} does not exist, expected a file or folder. Put it there or mend region.toml."
        raise UsageError(msg)
    return resolved


def hash_file(path: Path) -> str:
    """
    Hash a file's bytes.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    str
        SHA-256, hexadecimal.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def lock_workspace(root: Path) -> Iterator[None]:
    """
    Hold the only right to write to the workspace.

    Parameters
    ----------
    root : pathlib.Path
        The workspace.

    Yields
    ------
    None
        While the lock is held.

    Raises
    ------
    LockedError
        If another live process, or a process on another machine, holds it.
    """
    path = root / _LOCK
    record = {"pid": os.getpid(), "host": socket.gethostname(), "started": find_process(os.getpid())}
    _clear_stale_lock(path)
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError as error:
        msg = (
            f"{root.name}: another process holds {_LOCK}, expected none. Wait for it, or delete the file if it is dead."
        )
        raise LockedError(msg) from error
    except OSError as error:
        raise _unwritable(root, error) from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(json.dumps(record))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _clear_stale_lock(path: Path) -> None:
    """A lock left by a dead process of this machine is gone; any other stays."""
    try:
        holder = json.loads(path.read_text(encoding="utf-8"))
        host, pid, started = str(holder["host"]), int(holder["pid"]), holder.get("started")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return
    if host != socket.gethostname() or pid <= 0:
        return
    found = find_process(pid)
    # The number may since have been given to another process: then it started at another time.
    if found is None or (found and started and found != started):
        path.unlink(missing_ok=True)


def _unwritable(root: Path, error: OSError) -> Exception:
    """What to raise where the first file that is written cannot be."""
    if error.errno in _FULL:
        return ResourceError(f"{root.name}: the disk is full, expected room. Free some and run again.")
    if error.errno not in _REFUSED:
        return error
    return UsageError(
        f"{root.name}: nothing can be written there ({error.strerror}), expected a workspace on a disk that may be "
        "written to. Copy it to one, or ask for its permissions."
    )


def probe_disk(root: Path) -> tuple[str, ...]:
    """
    Try, before anything is computed, what publishing a run will ask of the disk.

    Parameters
    ----------
    root : pathlib.Path
        The workspace, locked.

    Returns
    -------
    tuple of str
        What the disk cannot promise; empty for most.

    Raises
    ------
    UsageError
        If it may not be written to.
    ResourceError
        If it is full.
    """
    folder = root / f".gateline-probe-{os.getpid()}"
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        path = folder / "old"
        with path.open("wb") as stream:
            stream.write(b"x")
            stream.flush()
            is_kept = sync_file(stream.fileno())
        (folder / "new").write_bytes(b"y")
        _rename(folder / "new", path)
        is_named = sync_folder(folder) and sync_folder(root)
    except OSError as error:
        raise _unwritable(root, error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if is_kept and is_named:
        return ()
    what = "folders" if is_kept else "files"
    return (f"the disk does not sync {what}: the run is published, but not promised to outlive a power cut",)


@contextmanager
def open_run(root: Path, run_id: str) -> Iterator[Path]:
    """
    Give a folder to build a run in, and publish it whole when the block ends well.

    Parameters
    ----------
    root : pathlib.Path
        The workspace.
    run_id : str
        Name of the run.

    Yields
    ------
    pathlib.Path
        The folder to write to.

    Raises
    ------
    ResourceError
        If the disk is full; nothing is published.
    """
    runs = root / "runs"
    runs.mkdir(mode=0o700, parents=True, exist_ok=True)
    _clear_leftovers(runs)
    building = runs / f".tmp-{run_id}"
    building.mkdir(mode=0o700)
    try:
        yield building
        _sync(building)
        _publish(runs, building, run_id)
    except BaseException as error:
        is_full = _is_full(error, runs)
        shutil.rmtree(building, ignore_errors=True)
        if is_full:
            msg = f"{root.name}: the disk is full while writing run {run_id!r}, expected room. Free some and run again."
            raise ResourceError(msg) from error
        raise


def _is_full(error: BaseException, folder: Path) -> bool:
    """Whether a full disk is behind an error; GDAL tells it in words of its own, so the disk is asked too."""
    if isinstance(error, OSError):
        return error.errno in _FULL
    is_of_library = isinstance(error, RuntimeError) and not isinstance(error, GatelineError)
    return is_of_library and shutil.disk_usage(folder).free < _LEAST_FREE_BYTES


def _clear_leftovers(runs: Path) -> None:
    """What a process that died left behind is gone, and a run it had set aside is back."""
    for leftover in sorted(runs.glob(".tmp-*")):
        final = runs / leftover.name.removeprefix(_SET_ASIDE)
        if leftover.name.startswith(_SET_ASIDE) and not final.exists():
            leftover.rename(final)
        else:
            shutil.rmtree(leftover)


def _sync(folder: Path) -> None:
    """Every file of the folder, and their names, are on the disk, not only in the cache."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb+") as stream:
                sync_file(stream.fileno())
    sync_folder(folder)


def _rename(path: Path, target: Path) -> None:
    """The path has its new name, in place of a file that had it; a hold of another program is waited for."""
    for wait_s in _WAITS_S:
        try:
            path.replace(target)
        except OSError as error:
            if error.errno not in _HELD:
                raise
            time.sleep(wait_s)
        else:
            return
    path.replace(target)


def _publish(runs: Path, building: Path, run_id: str) -> None:
    """`runs/<run_id>` is the new run and `runs/current` names it."""
    final = runs / run_id
    if final.exists():
        # Same id means same inputs, settings and code, so the bytes agree; the newer copy replaces the older.
        old = runs / f"{_SET_ASIDE}{run_id}"
        _rename(final, old)
        try:
            _rename(building, final)
        except OSError:
            old.rename(final)
            raise
        shutil.rmtree(old, ignore_errors=True)  # what another program holds is cleared by the next run
    else:
        _rename(building, final)
    sync_folder(runs)
    pointer = runs / ".current.tmp"
    with pointer.open("w", encoding="utf-8") as stream:
        stream.write(run_id + "\n")
        stream.flush()
        sync_file(stream.fileno())
    _rename(pointer, runs / "current")
    sync_folder(runs)


def current_run(root: Path) -> Path:
    """
    Find the latest run of a workspace.

    Parameters
    ----------
    root : pathlib.Path
        The workspace.

    Returns
    -------
    pathlib.Path
        Its folder.

    Raises
    ------
    UsageError
        If there is none.
    """
    pointer = root / "runs" / "current"
    if not pointer.exists():
        msg = f"{root.name}: no run yet, expected runs/current. Make one with 'gateline run'."
        raise UsageError(msg)
    return root / "runs" / pointer.read_text(encoding="utf-8").strip()
