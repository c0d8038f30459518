"""The header of a delimited file: which separator, which columns, and rows that end as it does."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Sequence

from geo.errors import InputError

__all__ = ["check_header", "even_ends", "lift_header", "name_columns", "split_header"]

_SEPARATORS = ",;\t|"
# Title lines that an office program may write above a header (ASSUMPTION).
_MOST_TITLE_LINES = 20


def lift_header(data: bytes, required: Sequence[str]) -> tuple[bytes, list[str]]:
    r"""
    Put the header on the first line where title lines or blank lines stand above it.

    Parameters
    ----------
    data : bytes
        The table, decoded to UTF-8.
    required : sequence of str
        Columns that the header must give.

    Returns
    -------
    tuple of bytes and list of str
        The table, with blank lines in place of what stood above, so that every row keeps its line number; and what was
        passed over. The same where none of the first lines gives every column.

    Examples
    --------
    >>> lift_header(b"Towns of 2025\nid,place\n1,York\n", ["id", "place"])
    (b'id,place\n\n1,York\n', ['1 line above the header was passed over.'])
    """
    wanted = set(map(_key, required))
    if wanted <= set(_names_of(data.partition(b"\n")[0], required)):
        return data, []
    lines = data.split(b"\n", _MOST_TITLE_LINES + 1)
    for k, line in enumerate(lines[1 : _MOST_TITLE_LINES + 1], start=1):
        if wanted <= set(_names_of(line, required)):
            above = lines[:k]
            rest = data[sum(map(len, above)) + k + len(line) :]
            n_titles = sum(bool(title.strip()) for title in above)
            words = "1 line above the header was" if n_titles == 1 else f"{n_titles} lines above the header were"
            return line + b"\n" * k + rest, [f"{words} passed over."] if n_titles else []
    return data, []


def _names_of(line: bytes, required: Sequence[str]) -> list[str]:
    return [_key(name) for name in split_header(line.decode(), required)[1]]


def even_ends(data: bytes, separator: str, header: list[str]) -> tuple[list[str], list[str]]:
    """
    Take blank names off the end of a header whose rows have no such fields.

    Parameters
    ----------
    data : bytes
        The table, decoded to UTF-8.
    separator : str
        Between fields.
    header : list of str
        Its names.

    Returns
    -------
    tuple of list of str and list of str
        The header, and what was mended.
    """
    last = max((k for k, name in enumerate(header) if name), default=0) + 1
    if last == len(header):
        return header, []
    first = next((line for line in data.split(b"\n", _MOST_TITLE_LINES + 2)[1:] if line.strip()), b"")
    n_fields = len(_split_line(first.decode(), separator))
    if last <= n_fields < len(header):
        return header[:n_fields], [f"the header alone ends in {separator!r}."]
    return header, []


def split_header(line: str, required: Sequence[str]) -> tuple[str, list[str]]:
    """
    Find the separator by the columns that it gives.

    Parameters
    ----------
    line : str
        The header.
    required : sequence of str
        Columns that it should give.

    Returns
    -------
    tuple of str and list of str
        The separator that gives most of them, comma first, and the names it gives.
    """
    best: tuple[int, str, list[str]] = (-1, ",", [])
    for separator in _SEPARATORS:
        names = [name.strip() for name in _split_line(line, separator)]
        found = len(set(map(_key, required)) & set(map(_key, names)))
        if found > best[0]:
            best = (found, separator, names)
    return best[1], best[2]


def _split_line(line: str, separator: str) -> list[str]:
    """Fields of one line; a line that no quoting explains is split as it stands."""
    try:
        return next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    except csv.Error:
        return line.split(separator)


def name_columns(header: list[str], wanted: Sequence[str]) -> tuple[list[str], list[str]]:
    """
    Give columns their own names where they differ in case, blanks or punctuation alone.

    Parameters
    ----------
    header : list of str
        Names in the file.
    wanted : sequence of str
        Columns that are asked for.

    Returns
    -------
    tuple of list of str and list of str
        Names, and which were taken for others. A name that two columns could have is left as it is.

    Examples
    --------
    >>> name_columns(["crime_id", "Month"], ["Crime ID", "Month"])
    (['Crime ID', 'Month'], ["column 'crime_id' is read as 'Crime ID'."])
    """
    keys = [_key(name) for name in header]
    found, told = list(header), []
    for name in wanted:
        if name not in header and keys.count(_key(name)) == 1 and _key(name):
            at = keys.index(_key(name))
            if header[at] not in wanted:
                told.append(f"column {header[at]!r} is read as {name!r}.")
                found[at] = name
    return found, told


def _key(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def check_header(header: list[str], required: Sequence[str], optional: Sequence[str], name: str) -> list[str]:
    """
    Check that nothing required is missing and nothing is there twice.

    Parameters
    ----------
    header : list of str
        Names in the file.
    required, optional : sequence of str
        Columns that are asked for.
    name : str
        Of the file.

    Returns
    -------
    list of str
        Warnings about unused columns.

    Raises
    ------
    InputError
        If a required column is missing, or a name is given twice.
    """
    missing = [column for column in required if column not in header]
    if missing:
        near = sorted({near for column in missing for near in difflib.get_close_matches(column, header, n=2)})
        hint = f" Near: {', '.join(map(repr, near))}." if near else ""
        shown = ", ".join(repr(column[:40]) for column in header[:12])
        msg = (
            f"{name}: column {', '.join(map(repr, missing))} is missing, expected it in the header ({shown}). "
            f"Rename the column or map it in the settings.{hint}"
        )
        raise InputError(msg)
    twice = sorted({column for column in header if column and header.count(column) > 1})
    if twice:
        msg = f"{name}: column {', '.join(map(repr, twice))} is there twice, expected once. Remove one of them."
        raise InputError(msg)
    extra = [column for column in header if column and column not in {*required, *optional}]
    return [f"columns not used: {', '.join(extra)}."] if extra else []
