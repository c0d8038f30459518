"""
Which files of a folder are street files of data.police.uk, and which are not read.

Names are matched as people and systems leave them: in capitals, as copies ``-street (1).csv``, gzipped, or within the
archive as it is downloaded. What no pattern takes is named, since a file that is passed over unseen is a month lost.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from geo.errors import InputError
from geo.sources.accounting import RowAccount
from geo.sources.archives import open_archive
from geo.sources.files import read_input_file

__all__ = ["StreetFile", "account_unread_files", "find_street_files", "open_street_files"]

# A year-month, a force and what the file holds, then what systems add to copies.
_STREET = re.compile(r".*street(?:[ _-]*(?:\(\d{1,3}\)|copy|\d{1,2}))*\.csv(?:\.gz)?", re.IGNORECASE)
_NAMED = re.compile(r"(?:copy of )?(\d{4}-\d{2})-(.+?)-street", re.IGNORECASE)
_MONTH = re.compile(r"\d{4}-\d{2}")
_KNOWN_OTHERS = {"outcomes": "outcomes", "stop-and-search": "stops and searches"}
# Forces times months times kinds of file of the largest archive that data.police.uk makes, rounded up (ASSUMPTION).
_MOST_MEMBERS = 10_000
_MOST_NAMED = 10


@dataclass(frozen=True)
class StreetFile:
    """
    One street file, by itself or within an archive.

    Attributes
    ----------
    name : str
        File name, with that of the archive before it.
    sha256 : str
        Hash of its bytes.
    data : bytes
        Its content, decompressed.
    slug, month : str
        Force and month as the file name has them; blank where it has none.
    path_months : tuple of str
        Months that the folders above it are named for, among them the month of its download.
    """

    name: str
    sha256: str
    data: bytes
    slug: str
    month: str
    path_months: tuple[str, ...]


def find_street_files(paths: Sequence[Path]) -> list[Path]:
    """
    Find the street files among files and folders of months.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Files, taken as they are, and folders, searched for street files, plain or gzip, and for zip files that hold
        some.

    Returns
    -------
    list of pathlib.Path
        Ordered by name, each once; a zip file is one.

    Raises
    ------
    InputError
        If a path does not exist, or nothing is found.
    """
    found: set[Path] = set()
    for path in paths:
        if path.is_dir():
            found |= {each for each in path.rglob("*") if each.is_file() and _is_taken(each)}
        elif path.exists():
            found.add(path)
        else:
            msg = f"police_uk: {path.name!r} does not exist, expected a file or folder. Check the path."
            raise InputError(msg)
    if not found:
        names = ", ".join(repr(path.name) for path in paths)
        msg = (
            f"police_uk: no street file in {names}, expected files like '2025-01-north-yorkshire-street.csv'. Add some."
        )
        raise InputError(msg)
    return sorted(found, key=lambda path: (path.name, str(path)))


def account_unread_files(paths: Sequence[Path]) -> tuple[RowAccount, ...]:
    """
    Account for the files of folders that are not read.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        As given to `find_street_files`.

    Returns
    -------
    tuple of RowAccount
        One of no rows for each folder with such files; its warning counts and names them.
    """
    accounts = []
    for path in sorted({path for path in paths if path.is_dir()}):
        unread = sorted(each for each in path.rglob("*") if each.is_file() and not _is_taken(each))
        if unread:
            folder = path.resolve().name
            files = "1 file" if len(unread) == 1 else f"{len(unread)} files"
            were = "was" if len(unread) == 1 else "were"
            sentence = f"{files} of folder {folder!r} {were} not read: {_name([each.name for each in unread])}."
            accounts.append(RowAccount(f"{folder}/", "", 0, 0, (), (sentence,)))
    return tuple(accounts)


def _name(names: Sequence[str]) -> str:
    """The names, those of kinds that data.police.uk publishes beside street files by their number."""
    kinds = [next((words for part, words in _KNOWN_OTHERS.items() if part in name.lower()), "") for name in names]
    others = sorted(name for name, kind in zip(names, kinds, strict=True) if not kind)
    parts = [f"{n} of {kind}" for kind, n in sorted(Counter(filter(None, kinds)).items())]
    parts += others[:_MOST_NAMED]
    if len(others) > _MOST_NAMED:
        parts.append(f"{len(others) - _MOST_NAMED} more")
    return ", ".join(parts)


def open_street_files(path: Path) -> Iterator[StreetFile]:
    """
    Open a street file, or every street file of an archive.

    Parameters
    ----------
    path : pathlib.Path
        As `find_street_files` gives it.

    Yields
    ------
    StreetFile
        One, or one for each street file of the archive, by name.

    Raises
    ------
    UsageError
        If the path is not a plain local path.
    InputError
        If the file is missing or damaged, or the archive holds what is no plain file.
    ResourceError
        If it is too large.
    IntegrityError
        If it changes while it is read.
    """
    if path.suffix.lower() != ".zip":
        file = read_input_file(path)
        yield _street_file(file.name, file.sha256, file.data, path.name, path.resolve().parent.parts)
        return
    archive = open_archive(path, max_members=_MOST_MEMBERS, in_folders=True)
    members = [member for member in archive.members if _is_street(member)]
    if not members:
        msg = f"{archive.name}: it holds no street file, expected one such as '2025-01-x-street.csv'. Check its source."
        raise InputError(msg)
    above = (*path.resolve().parent.parts, path.stem)
    for member in members:
        data = archive.read(member)
        place = PurePosixPath(member)
        digest = hashlib.sha256(data).hexdigest()
        yield _street_file(f"{archive.name}:{place.name}", digest, data, place.name, (*above, *place.parent.parts))


def _street_file(label: str, sha256: str, data: bytes, name: str, folders: Sequence[str]) -> StreetFile:
    named = _NAMED.match(name)
    months = tuple(sorted({folder for folder in folders if _MONTH.fullmatch(folder)}))
    return StreetFile(
        label, sha256, data, named[2].lower() if named else "", named[1] if named else "", path_months=months
    )


def _is_street(member: str) -> bool:
    """Whether a path is named as a street file, and is none of the files that office programs and systems leave."""
    place = PurePosixPath(member)
    hidden = place.name.startswith((".", "~$")) or "__MACOSX" in place.parts
    return not hidden and _STREET.fullmatch(place.name) is not None


def _is_taken(path: Path) -> bool:
    """Whether a file is a street file, or an archive that holds one."""
    if path.suffix.lower() != ".zip" or path.name.startswith((".", "~$")):
        return _is_street(path.as_posix())
    try:
        with zipfile.ZipFile(path) as opened:
            return any(map(_is_street, opened.namelist()))
    except (zipfile.BadZipFile, OSError):
        return False
