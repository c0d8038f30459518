"""Lines added to a file that is its owner's alone: whole and on the disk, or not there at all."""

from __future__ import annotations

import os
from pathlib import Path

from geo.durable import sync_file

__all__ = ["append_private"]


def append_private(path: Path, data: bytes) -> None:
    """
    Add bytes to the end of a file and sync it to disk.

    Parameters
    ----------
    path : pathlib.Path
        The file; created readable and writable by its owner alone.
    data : bytes
        Whole lines.

    Raises
    ------
    OSError
        If they cannot be written; the file is then as it was.
    """
    descriptor = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        try:
            rest = data
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            sync_file(descriptor)
        except OSError:
            # A torn line would look like an altered one to every later release.
            os.ftruncate(descriptor, size)
            raise
    finally:
        os.close(descriptor)
