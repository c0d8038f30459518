"""
Records of text with quotes, line by line: a stray quote costs its own row and never the rows after it.

A quoted field may hold line ends. One that holds the layout of whole rows was opened by a stray quote: the line it
stands on is rejected, and reading goes on at the next line, so that every line below the header is counted.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field

from geo.errors import InputError

__all__ = ["CONTROL", "MAX_FIELD_CHARACTERS", "Records", "split_records", "trim_fields"]

MAX_FIELD_CHARACTERS = 10_000
CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]")


@dataclass
class Records:
    """
    The rows of a text.

    Attributes
    ----------
    good : list of list of str
        Fields of each readable row.
    good_lines : list of int
        Line that each of them starts on; the header is line 1.
    bad : list of (int, str)
        Line and reason of each row that cannot be read.
    n_trimmed : int
        Rows that ended in separators beyond the last column.
    """

    good: list[list[str]] = field(default_factory=list)
    good_lines: list[int] = field(default_factory=list)
    bad: list[tuple[int, str]] = field(default_factory=list)
    n_trimmed: int = 0


def split_records(text: str, separator: str, n_columns: int, *, name: str) -> Records:
    r"""
    Split text below its header into rows.

    Parameters
    ----------
    text : str
        The table, its header on the first line.
    separator : str
        Between fields.
    n_columns : int
        Fields of the header.
    name : str
        Of the file.

    Returns
    -------
    Records
        Readable and unreadable rows. Blank lines are neither.

    Raises
    ------
    InputError
        If a quote is opened that no later quote closes.

    Examples
    --------
    >>> found = split_records('id,place\n1,"York\n2,Selby\n3,"a\nb"\n', ",", 2, name="x.csv")
    >>> found.good, found.bad
    ([['2', 'Selby'], ['3', 'a\nb']], [(2, 'quoting')])
    """
    lines = text.split("\n")
    ends_well = not lines[-1]
    if ends_well:
        lines.pop()
    found = Records()
    last_quoted = max((k for k, line in enumerate(lines) if '"' in line), default=0)
    at = 1
    while at < len(lines):
        line, number = lines[at], at + 1
        fault: str | None = None
        if '"' in line:
            fields, n_lines, fault = _take_record(lines, at, separator, n_columns)
            if fault == "unclosed" and at == last_quoted:
                msg = (
                    f"{name}: the quote opened in the row of line {number} is never closed, expected a closing quote. "
                    "Mend it."
                )
                raise InputError(msg)
            fault = "quoting" if fault == "unclosed" else fault
        else:
            fields, n_lines = line.split(separator), 1
        at += n_lines
        if not line:
            continue
        kept = trim_fields(fields, n_columns)
        found.n_trimmed += len(kept) < len(fields)
        fault = fault or _record_fault(kept, n_columns, cut_short=at >= len(lines) and not ends_well)
        if fault is None:
            found.good.append(kept)
            found.good_lines.append(number)
        else:
            found.bad.append((number, fault))
    return found


def trim_fields(fields: list[str], n_columns: int) -> list[str]:
    """
    Take off blank fields beyond the last column.

    Parameters
    ----------
    fields : list of str
        Of one row.
    n_columns : int
        Fields of the header.

    Returns
    -------
    list of str
        The same where a field beyond the last column holds something.

    Examples
    --------
    >>> trim_fields(["1", "York", " ", ""], 2), trim_fields(["1", "York", "x", ""], 2)
    (['1', 'York'], ['1', 'York', 'x', ''])
    """
    if len(fields) <= n_columns or any(value.strip() for value in fields[n_columns:]):
        return fields
    return fields[:n_columns]


def _take_record(lines: list[str], at: int, separator: str, n_columns: int) -> tuple[list[str], int, str | None]:
    """Fields of the record that starts on a line, the lines it takes, and its fault; at fault it takes its own line."""
    rest = (lines[k] + "\n" for k in range(at, len(lines)))
    reader = csv.reader(rest, delimiter=separator, strict=True, skipinitialspace=True)
    try:
        fields = next(reader)
    except csv.Error as error:
        if "field limit" in str(error):
            return [], 1, "too_long" if reader.line_num <= 1 else "unclosed"
        return [], 1, "unclosed" if "unexpected end of data" in str(error) else "quoting"
    n_lines = reader.line_num
    if n_lines == 1:
        return fields, 1, None
    kept = trim_fields(fields, n_columns)
    is_stray = (
        len(kept) != n_columns
        or max(map(len, kept)) > MAX_FIELD_CHARACTERS
        or any(_swallows_rows(value.split("\n"), place, separator, n_columns) for place, value in enumerate(kept))
    )
    return (fields, 1, "quoting") if is_stray else (fields, n_lines, None)


def _swallows_rows(pieces: list[str], place: int, separator: str, n_columns: int) -> bool:
    """Whether the lines within a field are laid out as rows, so that a stray quote opened it."""
    if len(pieces) == 1:
        return False
    counts = [piece.count(separator) for piece in pieces]
    if n_columns - 1 in counts[1:-1]:
        return True
    # The rest of the row that the quote stands in, and the start of the row that another stray quote ends.
    return counts[0] == n_columns - 1 - place and counts[-1] == place


def _record_fault(fields: list[str], n_columns: int, *, cut_short: bool) -> str | None:
    """Why a record cannot be used, or None."""
    if len(fields) != n_columns:
        return "truncated" if cut_short and len(fields) < n_columns else "ragged"
    joined = "".join(fields).replace("\n", " ")
    if len(joined) > MAX_FIELD_CHARACTERS and max(map(len, fields)) > MAX_FIELD_CHARACTERS:
        return "too_long"
    if "\N{REPLACEMENT CHARACTER}" in joined:
        return "encoding"
    return "control_character" if not joined.isprintable() and CONTROL.search(joined.encode()) else None
