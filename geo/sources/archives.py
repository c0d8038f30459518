"""
The door for zip files: checked whole before a byte is expanded, read member by member, never extracted.

A name is never used as a path, so nothing can be written outside; what remains are bombs and look-alikes, which are
refused by the directory's own figures and again while reading (trust.md S8).
"""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from geo.errors import InputError, ResourceError
from geo.sources.files import MAX_INPUT_BYTES, read_input_file

__all__ = ["Archive", "open_archive"]

MAX_MEMBERS = 50
# What the library raises for damaged files; a directory that points before the file is a ValueError.
_DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, OSError, ValueError)
MAX_TOTAL_BYTES = 2 * 2**30
MAX_RATIO = 200
# Below this size a high ratio is harmless, and ordinary for short repetitive tables.
_FREE_BYTES = 2**20


class Archive:
    """
    A checked zip file.

    Parameters
    ----------
    name : str
        File name.
    sha256 : str
        Hash of the zip file.
    opened : zipfile.ZipFile
        The open file.
    """

    def __init__(self, name: str, sha256: str, opened: zipfile.ZipFile) -> None:
        self.name = name
        self.sha256 = sha256
        self._opened = opened

    @property
    def members(self) -> tuple[str, ...]:
        """Names of the members, in order of name."""
        return tuple(sorted(self._opened.namelist()))

    def find(self, suffix: str) -> str | None:
        """
        Find the one member whose name ends in a suffix.

        Parameters
        ----------
        suffix : str
            Such as ``.MCA``; case matters not.

        Returns
        -------
        str or None
            Its name, None where there is none.

        Raises
        ------
        InputError
            If there are several.
        """
        found = [name for name in self.members if name.upper().endswith(suffix.upper())]
        if len(found) > 1:
            msg = f"{self.name}: {len(found)} members end in {suffix!r}, expected one. Remove the others."
            raise InputError(msg)
        return found[0] if found else None

    def read(self, member: str) -> bytes:
        """
        Read one member whole.

        Parameters
        ----------
        member : str
            Its exact name.

        Returns
        -------
        bytes
            Its content.

        Raises
        ------
        InputError
            If it is missing or damaged.
        ResourceError
            If it is larger than the directory said.
        """
        declared = self._size(member)
        with self._reading(member) as stream:
            data = stream.read(declared + 1)
        if len(data) > declared:
            msg = (
                f"{self.name}: member {member!r} is larger than its {declared} bytes, expected them. Check its source."
            )
            raise ResourceError(msg)
        return data

    def pieces(self, member: str, *, n_bytes: int = 2**20) -> Iterator[bytes]:
        """
        Read one member a piece at a time.

        Parameters
        ----------
        member : str
            Its exact name.
        n_bytes : int
            Largest size of a piece.

        Yields
        ------
        bytes
            The content, in order.

        Raises
        ------
        InputError
            If it is missing or damaged.
        ResourceError
            If it is larger than the directory said.
        """
        left = self._size(member)
        with self._reading(member) as stream:
            while left >= 0 and (piece := stream.read(n_bytes)):
                left -= len(piece)
                yield piece
        self._require_declared(member, left)

    def chunks(self, member: str, *, n_bytes: int) -> Iterator[tuple[int, bytes]]:
        """
        Read one member of lines a piece at a time, each piece with the header before it.

        Parameters
        ----------
        member : str
            Its exact name.
        n_bytes : int
            About the size of a piece. A piece ends with a line, and not within quotes.

        Yields
        ------
        tuple of int and bytes
            Line number of the piece's first line below the header, and the piece.

        Raises
        ------
        InputError
            If it is missing or damaged.
        ResourceError
            If it is larger than the directory said.
        """
        left = self._size(member)
        with self._reading(member) as stream:
            header, first = stream.readline(), 2
            left -= len(header)
            while left >= 0:
                piece = stream.read(n_bytes)
                piece += stream.readline() if piece else b""
                while piece.count(b'"') % 2 and (more := stream.readline()):
                    piece += more
                left -= len(piece)
                if not piece:
                    break
                yield first, header + piece
                first += piece.count(b"\n")
            if first == 2:
                yield first, header
        self._require_declared(member, left)

    def _size(self, member: str) -> int:
        """Bytes of a member, as the directory says."""
        if member not in self.members:
            msg = f"{self.name}: member {member!r} is missing, expected it. Fetch the file again."
            raise InputError(msg)
        return self._opened.getinfo(member).file_size

    @contextmanager
    def _reading(self, member: str) -> Iterator[IO[bytes]]:
        try:
            with self._opened.open(member) as stream:
                yield stream
        except (*_DAMAGED, RuntimeError) as error:
            msg = f"{self.name}: member {member!r} is damaged or locked, expected a whole one. Fetch the file again."
            raise InputError(msg) from error

    def _require_declared(self, member: str, left: int) -> None:
        if left < 0:
            msg = (
                f"{self.name}: member {member!r} is larger than its directory says, expected as much. Check its source."
            )
            raise ResourceError(msg)


def open_archive(
    path: Path, *, max_bytes: int = MAX_INPUT_BYTES, max_members: int = MAX_MEMBERS, in_folders: bool = False
) -> Archive:
    """
    Open a zip file and check all that its directory says.

    Parameters
    ----------
    path : pathlib.Path
        A regular local file.
    max_bytes : int
        Largest size on disk.
    max_members : int
        Most members.
    in_folders : bool
        Whether members may be in folders; their names are never used as paths all the same.

    Returns
    -------
    Archive
        To be read by member.

    Raises
    ------
    InputError
        If it is no zip file, or holds a link, a folder or absolute name, a repeated name, another zip file, or
        members that overlap.
    ResourceError
        If it has more than `max_members` members or 2 GiB, or expands more than 200 times.
    """
    file = read_input_file(path, max_bytes=max_bytes)
    try:
        opened = zipfile.ZipFile(io.BytesIO(file.data))
    except _DAMAGED as error:
        msg = f"{file.name}: it is no zip file, expected one. Fetch it again."
        raise InputError(msg) from error
    members = opened.infolist()
    fault = next((fault for info in members if (fault := _member_fault(info, in_folders=in_folders)) is not None), None)
    names = [info.filename for info in members]
    if fault is None and len(set(names)) < len(names):
        fault = "it repeats a member name"
    if fault is None and _overlaps(members, len(file.data)):
        fault = "its members overlap"
    if fault is not None:
        msg = f"{file.name}: {fault}, expected plain distinct files. Check its source."
        raise InputError(msg)
    total = sum(info.file_size for info in members)
    if len(members) > max_members or total > MAX_TOTAL_BYTES:
        msg = (
            f"{file.name}: it has {len(members)} members and {total} bytes, expected at most {max_members} members and "
            f"{MAX_TOTAL_BYTES} bytes. Check its source."
        )
        raise ResourceError(msg)
    for info in members:
        if info.file_size > max(MAX_RATIO * info.compress_size, _FREE_BYTES):
            msg = (
                f"{file.name}: member {info.filename!r} expands over {MAX_RATIO} times, expected at most that. "
                "Check its source."
            )
            raise ResourceError(msg)
    return Archive(file.name, file.sha256, opened)


def _member_fault(info: zipfile.ZipInfo, *, in_folders: bool) -> str | None:
    """What is wrong with a member's entry, if anything."""
    name = info.filename
    if stat.S_ISLNK(info.external_attr >> 16):
        return f"member {name!r} is a link"
    *folders, name = name.removesuffix("/").split("/") if in_folders else [name]
    if any(folder in {"", ".", ".."} for folder in folders):
        return f"member {info.filename!r} leads out of the archive"
    if "/" in name or "\\" in name or ":" in name or name in {"", ".", ".."}:
        return f"member {name!r} is in a folder or has no plain name"
    if name.lower().endswith(".zip"):
        return f"member {name!r} is another zip file"
    return None


def _overlaps(members: list[zipfile.ZipInfo], n_bytes: int) -> bool:
    """Whether two members share bytes of the file, or one runs over its end."""
    spans = sorted((info.header_offset, info.header_offset + info.compress_size) for info in members)
    ends = [end for _, end in spans]
    return any(start < end for (start, _), end in zip(spans[1:], ends, strict=False)) or max(ends, default=0) > n_bytes
