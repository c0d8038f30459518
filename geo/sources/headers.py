"""The header of a delimited file: which separator, which columns, and rows that end as it does."""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Sequence

from geo.errors import InputError

__all__ = ["check_header", "even_ends", "split_header"]

_SEPARATORS = ",;\t|"


def even_ends(data: bytes, separator: str, header: list[str]) -> tuple[bytes, list[str], list[str]]:
    """
    Take off a separator that ends every row but not the header, or the other way round.

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
    tuple of bytes, list of str and list of str
        Table and header that agree, and what was mended.
    """
    mark = separator.encode()
    first_end = data.find(b"\n")
    body = data[first_end + 1 :].rstrip(b"\n") if first_end >= 0 else b""
    if not body:
        return data, header, []
    first_line = body.partition(b"\n")[0].decode()
    try:
        first_row = next(csv.reader([first_line], delimiter=separator), [])
    except csv.Error:
        return data, header, []
    if len(first_row) == len(header) + 1 and not first_row[-1].strip():
        lines = [line for line in body.split(b"\n") if line.strip()]
        if all(line.rstrip(b" ").endswith(mark) for line in lines):
            even = re.sub(re.escape(mark) + rb" *(?=\n|$)", b"", body)
            return data[: first_end + 1] + even + b"\n", header, [f"every row but the header ends in {separator!r}."]
    if len(header) > 1 and not header[-1] and len(first_row) == len(header) - 1:
        return data, header[:-1], [f"the header alone ends in {separator!r}."]
    return data, header, []


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
        names = [name.strip() for name in next(csv.reader([line], delimiter=separator), [])]
        found = len(set(required) & set(names))
        if found > best[0]:
            best = (found, separator, names)
    return best[1], best[2]


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
