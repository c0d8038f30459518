"""
Asking the disk to keep what was written, and taking no for an answer.

Network shares and some virtual disks (CIFS, sshfs, folders shared with a virtual machine) refuse to sync a folder, and
some a file. That is no fault of what was written: it stands, and only outliving a power cut is not promised. A full or
broken disk is a fault, and is raised.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

__all__ = ["sync_file", "sync_folder"]

# What a file system answers that cannot sync; the man page of fsync names EINVAL, shares answer the others.
_CANNOT = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF, errno.ENOTTY})
_CANNOT_OPEN = _CANNOT | {errno.EACCES, errno.EPERM, errno.EISDIR}


def sync_file(descriptor: int) -> bool:
    """
    Have the disk keep an open file.

    Parameters
    ----------
    descriptor : int
        Of the file, open for writing.

    Returns
    -------
    bool
        Whether the disk promises it; False where it cannot.

    Raises
    ------
    OSError
        If the disk is full or broken.
    """
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
        return False
    return True


def sync_folder(folder: Path) -> bool:
    """
    Have the disk keep the names in a folder.

    Parameters
    ----------
    folder : pathlib.Path
        The folder.

    Returns
    -------
    bool
        Whether the disk promises it; False where it cannot. True on Windows, which gives no handle to ask with and
        keeps names in its journal.

    Raises
    ------
    OSError
        If the disk is full or broken.
    """
    if os.name == "nt":
        return True
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as error:
        if error.errno not in _CANNOT_OPEN:
            raise
        return False
    try:
        return sync_file(descriptor)
    finally:
        os.close(descriptor)
