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
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from geo.errors import InputError, IntegrityError, ResourceError, UsageError

__all__ = ["MAX_INPUT_BYTES", "InputFile", "InputStream", "read_input_file", "require_plain_path"]

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
        before = _require_regular(plain, path.name, max_bytes)
        with plain.open("rb") as stream:
            data = stream.read(max_bytes + 1)
            after = os.fstat(stream.fileno())
    except OSError as error:
        raise _unreadable(path.name, error) from error
    _require_whole(path.name, len(data), before, after)
    sha256 = hashlib.sha256(data).hexdigest()
    if data.startswith(_GZIP_MAGIC):
        data = b"".join(_inflate([data], path.name, _gzip_limit(len(data), max_bytes)))
    return InputFile(path.name, sha256, data)


class InputStream:
    """
    One input file read a piece at a time, decompressing gzip by content, with its hash once it was read.

    Parameters
    ----------
    path : pathlib.Path
        A regular local file.
    max_bytes : int
        Largest size on disk, and largest size after decompression.
    """

    def __init__(self, path: Path, *, max_bytes: int = MAX_INPUT_BYTES) -> None:
        self.name = path.name
        self.sha256 = ""
        self._path, self._max_bytes = require_plain_path(path), max_bytes

    def pieces(self) -> Iterator[bytes]:
        """
        Read the file once.

        Yields
        ------
        bytes
            The content, in order, about a MiB at a time.

        Raises
        ------
        InputError
            If the file is missing, is not a regular file, is empty, or is damaged gzip.
        ResourceError
            If it is larger than `max_bytes` or expands more than 200 times.
        IntegrityError
            If its size changes while it is read.
        """
        try:
            before = _require_regular(self._path, self.name, self._max_bytes)
            with self._path.open("rb") as stream:
                first = stream.read(_CHUNK_BYTES)
                digest, n_bytes = hashlib.sha256(first), len(first)

                def on_disk() -> Iterator[bytes]:
                    nonlocal n_bytes
                    yield first
                    while chunk := stream.read(_CHUNK_BYTES):
                        digest.update(chunk)
                        n_bytes += len(chunk)
                        yield chunk

                if first.startswith(_GZIP_MAGIC):
                    yield from _inflate(on_disk(), self.name, _gzip_limit(before.st_size, self._max_bytes))
                else:
                    yield from on_disk()
                after = os.fstat(stream.fileno())
        except OSError as error:
            raise _unreadable(self.name, error) from error
        _require_whole(self.name, n_bytes, before, after)
        self.sha256 = digest.hexdigest()


def _require_regular(plain: Path, name: str, max_bytes: int) -> os.stat_result:
    """Size and kind of a file that may be read."""
    before = plain.stat()
    if not stat.S_ISREG(before.st_mode):
        msg = f"{name}: it is not a regular file, expected one. Give the path of a file."
        raise InputError(msg)
    if before.st_size > max_bytes:
        msg = f"{name}: it has {before.st_size} bytes, expected at most {max_bytes}. Split the file."
        raise ResourceError(msg)
    return before


def _unreadable(name: str, error: OSError) -> InputError:
    reason = error.strerror or type(error).__name__
    return InputError(
        f"{name}: it cannot be read ({reason}), expected a readable file. Check its path and permissions."
    )


def _require_whole(name: str, n_bytes: int, before: os.stat_result, after: os.stat_result) -> None:
    """Passes where as many bytes were read as the file has, and it has some."""
    if not n_bytes == before.st_size == after.st_size:
        msg = f"{name}: its size changed while it was read, expected a finished file. Wait until it is copied."
        raise IntegrityError(msg)
    if not n_bytes:
        msg = f"{name}: it is empty (0 bytes), expected a header and rows. Fetch or export it again."
        raise InputError(msg)


def _gzip_limit(n_bytes: int, max_bytes: int) -> int:
    return min(max_bytes, max(_MAX_GZIP_RATIO * n_bytes, _CHUNK_BYTES))


def _inflate(packed: Iterable[bytes], name: str, limit: int) -> Iterator[bytes]:
    """All members of a gzip file in pieces, or an error before the cap is passed."""
    size, is_later, is_full = 0, False, False
    member = None
    try:
        for chunk in packed:
            # Padding of zero bytes after the last member is legal gzip.
            rest = chunk.lstrip(b"\0") if is_later and member is None else chunk
            while rest or (member is not None and is_full):
                member = member or zlib.decompressobj(wbits=31)
                data = member.decompress(rest, _CHUNK_BYTES)
                rest, is_full = member.unconsumed_tail, len(data) == _CHUNK_BYTES
                size += len(data)
                if size > limit:
                    msg = f"{name}: it expands to more than {limit} bytes, expected at most that. Check its source."
                    raise ResourceError(msg)
                if data:
                    yield data
                if member.eof:
                    rest, member, is_later = member.unused_data.lstrip(b"\0"), None, True
    except zlib.error as error:
        msg = f"{name}: its gzip data are damaged, expected a whole file. Copy or fetch it again."
        raise InputError(msg) from error
    if member is not None:
        msg = f"{name}: its gzip data stop early, expected a whole file. Copy or fetch it again."
        raise InputError(msg)
