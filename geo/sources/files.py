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
from pathlib import Path, PurePosixPath, PureWindowsPath

from geo.errors import InputError, IntegrityError, ResourceError, UsageError

__all__ = [
    "MAX_INPUT_BYTES",
    "InputFile",
    "InputStream",
    "is_reserved",
    "is_virtual",
    "read_input_file",
    "require_plain_path",
    "require_regular",
]

# The project's own caps (ASSUMPTION): a national year of street-level crime is under 1 GiB of text.
MAX_INPUT_BYTES = 2**30
_MAX_GZIP_RATIO = 200
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+:")
# Names of devices on Windows, whatever their folder and ending.
_RESERVED = re.compile(r"^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3])$", re.IGNORECASE)
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


def require_plain_path(path: Path, *, root: Path | None = None, is_windows: bool = os.name == "nt") -> Path:
    """
    Pass a path to a local file or folder, refuse what only looks like one.

    Parameters
    ----------
    path : pathlib.Path
        As given by the user or the settings.
    root : pathlib.Path or None
        The folder that the path, with its symbolic links followed, must stay inside.
    is_windows : bool
        Whose rules hold: only there does a share of the network have a path of its own, and are some names devices.

    Returns
    -------
    pathlib.Path
        The resolved path.

    Raises
    ------
    UsageError
        If the path names a remote scheme, a GDAL virtual file or a device, or leaves `root`.

    Examples
    --------
    >>> require_plain_path(Path("/vsicurl/example.csv"))
    Traceback (most recent call last):
    geo.errors.UsageError: input path: '/vsicurl/example.csv' is a virtual or remote path, expected a local ...
    """
    if is_virtual(str(path), is_windows=is_windows):
        msg = f"input path: {str(path)!r} is a virtual or remote path, expected a local file. Copy the file here first."
        raise UsageError(msg)
    odd = next((part for part in _names_in(path, is_windows=is_windows) if _is_odd(part, is_windows=is_windows)), None)
    if odd is not None:
        msg = f"input path: {odd!r} is not a portable file name, expected a plain one. Rename the file."
        raise UsageError(msg)
    try:
        resolved = path.resolve()
    except (OSError, RuntimeError) as error:  # a loop of links
        msg = f"input path: {path.name!r} cannot be followed ({error!s:.80}), expected a plain path. Mend the link."
        raise UsageError(msg) from error
    if root is not None and not resolved.is_relative_to(root.resolve()):
        msg = f"input path: {str(path)!r} leads outside {root.name!r}, expected a file inside it. Copy the file there."
        raise UsageError(msg)
    return resolved


def is_virtual(text: str, *, is_windows: bool = os.name == "nt") -> bool:
    """
    Tell whether a path names something that is no file of this machine or of a share that it has.

    Parameters
    ----------
    text : str
        The path.
    is_windows : bool
        On Windows two slashes begin the path of a share, which a mapped drive resolves to; elsewhere nothing local.

    Returns
    -------
    bool
        Whether it does: a scheme, a virtual file of GDAL, a device, or a share where there are none.

    Examples
    --------
    >>> share = "//server/share/x.csv"
    >>> is_virtual(share, is_windows=True), is_virtual(share, is_windows=False), is_virtual("s3://x", is_windows=True)
    (False, True, True)
    """
    plain = text.replace("\\", "/")
    if plain.lower().startswith("/vsi") or _SCHEME.match(plain):
        return True
    if not plain.startswith("//"):
        return False
    # //?/ and //./ are devices; GDAL would take //vsi for its own.
    return not is_windows or plain.lower().startswith(("//?", "//.", "///", "//vsi"))


def is_reserved(name: str) -> bool:
    """
    Tell whether a name is one that Windows has for a device, or changes: no name for a file that may be taken there.

    Parameters
    ----------
    name : str
        Name of a file.

    Returns
    -------
    bool
        Whether it is.

    Examples
    --------
    >>> [is_reserved(name) for name in ("con", "NUL.csv", "notes.", "console.csv")]
    [True, True, True, False]
    """
    # Windows drops trailing dots and spaces, so two names would be one file.
    trailing = name not in {".", ".."} and name != name.rstrip(". ")
    return trailing or _RESERVED.match(name.partition(".")[0].rstrip()) is not None


def _names_in(path: Path, *, is_windows: bool) -> tuple[str, ...]:
    """The names of folders and file, without drive or share."""
    pure = PureWindowsPath(str(path)) if is_windows else PurePosixPath(str(path))
    return pure.parts[1:] if pure.anchor else pure.parts


def _is_odd(name: str, *, is_windows: bool) -> bool:
    return "\0" in name or (is_windows and is_reserved(name))


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
        before = _require_size(plain, max_bytes)
        with plain.open("rb") as stream:
            data = stream.read(max_bytes + 1)
            after = os.fstat(stream.fileno())
    except OSError as error:
        raise _unreadable(path.name, error.strerror or type(error).__name__) from error
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
            before = _require_size(self._path, self._max_bytes)
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
            raise _unreadable(self.name, error.strerror or type(error).__name__) from error
        _require_whole(self.name, n_bytes, before, after)
        self.sha256 = digest.hexdigest()


def require_regular(path: Path) -> os.stat_result:
    """
    Pass a file, before it is opened: a pipe would never end, and a folder or device is none.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    os.stat_result
        Its size and kind.

    Raises
    ------
    InputError
        If it is no file, or cannot be looked at.
    """
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise _unreadable(path.name, reason) from error
    if not stat.S_ISREG(found.st_mode):
        msg = f"{path.name}: it is not a regular file, expected one. Give the path of a file."
        raise InputError(msg)
    return found


def _require_size(path: Path, max_bytes: int) -> os.stat_result:
    """Size and kind of a file that may be read."""
    before, name = require_regular(path), path.name
    if before.st_size > max_bytes:
        msg = f"{name}: it has {before.st_size} bytes, expected at most {max_bytes}. Split the file."
        raise ResourceError(msg)
    return before


def _unreadable(name: str, reason: str) -> InputError:
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
