"""
The door for every input file: a plain local path, a bounded size, one hash, and gzip opened under a cap.

Nothing is opened by what it claims to be: remote schemes, GDAL's virtual paths, devices and folders are refused by name
or kind before a byte is read (trust.md S7, S9, S10).
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import zlib
from dataclasses import dataclass
from pathlib import Path

from geo.errors import InputError, IntegrityError, ResourceError, UsageError

__all__ = ["MAX_INPUT_BYTES", "InputFile", "read_input_file", "require_plain_path"]

# The project's own caps (ASSUMPTION): a national year of street-level crime is under 1 GiB of text.
MAX_INPUT_BYTES = 2**30
_MAX_GZIP_RATIO = 200
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+:")
_RESERVED = re.compile(r"^(con|prn|aux|nul|com[1-9]|lpt[1-9])$", re.IGNORECASE)
_CHUNK_BYTES = 2**20
_GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True)
class InputFile:
    """
    The bytes of one input file.

    Attributes
    ----------
    name : str
        File name, without its folder.
    sha256 : str
        Hash of the bytes on disk.
    data : bytes
        The content, decompressed where the file was gzip.
    """

    name: str
    sha256: str
    data: bytes


def require_plain_path(path: Path, *, root: Path | None = None) -> Path:
    """
    Pass a path to a local file or folder, refuse what only looks like one.

    Parameters
    ----------
    path : pathlib.Path
        As given by the user or the settings.
    root : pathlib.Path or None
        The folder that the path, with its symbolic links followed, must stay inside.

    Returns
    -------
    pathlib.Path
        The resolved path.

    Raises
    ------
    UsageError
        If the path names a remote scheme, a GDAL virtual file or a reserved device, or leaves `root`.

    Examples
    --------
    >>> require_plain_path(Path("/vsicurl/example.csv"))
    Traceback (most recent call last):
    geo.errors.UsageError: input path: '/vsicurl/example.csv' is a virtual or remote path, expected a local ...
    """
    text = str(path).replace("\\", "/")
    if text.startswith(("/vsi", "//")) or _SCHEME.match(text):
        msg = f"input path: {str(path)!r} is a virtual or remote path, expected a local file. Copy the file here first."
        raise UsageError(msg)
    for part in Path(text).parts:
        # Windows drops trailing dots and spaces, so two names would be one file.
        trailing = part not in {".", ".."} and part != part.rstrip(". ")
        if _RESERVED.match(part.split(".")[0]) or trailing or "\0" in part:
            msg = f"input path: {part!r} is not a portable file name, expected a plain one. Rename the file."
            raise UsageError(msg)
    resolved = path.resolve()
    if root is not None and not resolved.is_relative_to(root.resolve()):
        msg = f"input path: {str(path)!r} leads outside {root.name!r}, expected a file inside it. Copy the file there."
        raise UsageError(msg)
    return resolved


def read_input_file(path: Path, *, max_bytes: int = MAX_INPUT_BYTES) -> InputFile:
    """
    Read one file whole, with its hash, decompressing gzip by content rather than by name.

    Parameters
    ----------
    path : pathlib.Path
        A regular local file.
    max_bytes : int
        Largest size on disk, and largest size after decompression.

    Returns
    -------
    InputFile
        Name, hash and content.

    Raises
    ------
    UsageError
        If the path is not a plain local path.
    InputError
        If the file is missing, is not a regular file, is empty, or is damaged gzip.
    ResourceError
        If it is larger than `max_bytes` or expands more than 200 times.
    IntegrityError
        If its size changes while it is read.
    """
    plain = require_plain_path(path)
    try:
        before = plain.stat()
        if not stat.S_ISREG(before.st_mode):
            msg = f"{path.name}: it is not a regular file, expected one. Give the path of a file."
            raise InputError(msg)
        if before.st_size > max_bytes:
            msg = f"{path.name}: it has {before.st_size} bytes, expected at most {max_bytes}. Split the file."
            raise ResourceError(msg)
        with plain.open("rb") as stream:
            data = stream.read(max_bytes + 1)
            after = os.fstat(stream.fileno())
    except OSError as error:
        reason = error.strerror or type(error).__name__
        msg = f"{path.name}: it cannot be read ({reason}), expected a readable file. Check its path and permissions."
        raise InputError(msg) from error
    if not len(data) == before.st_size == after.st_size:
        msg = f"{path.name}: its size changed while it was read, expected a finished file. Wait until it is copied."
        raise IntegrityError(msg)
    if not data:
        msg = f"{path.name}: it is empty (0 bytes), expected a header and rows. Fetch or export it again."
        raise InputError(msg)
    sha256 = hashlib.sha256(data).hexdigest()
    if data.startswith(_GZIP_MAGIC):
        data = _gunzip(data, path.name, max_bytes)
    return InputFile(path.name, sha256, data)


def _gunzip(packed: bytes, name: str, max_bytes: int) -> bytes:
    """All members of a gzip file, or an error before the cap is passed."""
    limit = min(max_bytes, max(_MAX_GZIP_RATIO * len(packed), _CHUNK_BYTES))
    chunks: list[bytes] = []
    size = 0
    rest = packed
    try:
        while rest:
            member = zlib.decompressobj(wbits=31)
            while not member.eof:
                chunk = member.decompress(rest, _CHUNK_BYTES)
                rest = member.unconsumed_tail
                size += len(chunk)
                if size > limit:
                    msg = f"{name}: it expands to more than {limit} bytes, expected at most that. Check its source."
                    raise ResourceError(msg)
                if not chunk and not rest and not member.eof:
                    msg = f"{name}: its gzip data stop early, expected a whole file. Copy or fetch it again."
                    raise InputError(msg)
                chunks.append(chunk)
            # Padding of zero bytes after the last member is legal gzip.
            rest = member.unused_data.lstrip(b"\0")
    except zlib.error as error:
        msg = f"{name}: its gzip data are damaged, expected a whole file. Copy or fetch it again."
        raise InputError(msg) from error
    return b"".join(chunks)
