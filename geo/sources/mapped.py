"""Tables whose columns a user names in the settings: their columns in, our field names out."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from geo.errors import DisclosureError, InputError, UsageError
from geo.sources.decoding import decode_text
from geo.sources.delimited import DelimitedRows, read_delimited
from geo.sources.files import read_input_file

__all__ = ["column_or_blank", "read_mapped"]

# Of a private file: where its header and title lines may be, and how much of a field tells anything.
_HEAD_LINES = 50
_SHOWN = 30
_LEAST_SHOWN = 2


def read_mapped(
    path: Path,
    columns: Mapping[str, str],
    *,
    what: str,
    required: Sequence[str],
    optional: Sequence[str] = (),
    refuse_person_columns: bool = False,
    is_private: bool = False,
) -> DelimitedRows:
    """
    Read a delimited file and call its columns by our field names.

    Parameters
    ----------
    path : pathlib.Path
        CSV file.
    columns : mapping of str to str
        Our field to their column. A required field that is not named is taken to be called as we call it.
    what : str
        What the file holds, for messages.
    required, optional : sequence of str
        Our fields.
    refuse_person_columns : bool
        Whether a column that seems to describe a person stops the reading.
    is_private : bool
        Whether nothing that stands in the file may be told, not even a name in its header, which may be a row.

    Returns
    -------
    DelimitedRows
        Rows with our field names. An optional field that is named must be there.

    Raises
    ------
    UsageError
        If the mapping names an unknown field, or one column for two fields.
    InputError
        If the file is no table or a named column is missing.
    DisclosureError
        If a column seems to describe a person and that is refused.
    """
    fields = (*required, *optional)
    for field in columns:
        if field not in fields:
            near = difflib.get_close_matches(field, fields, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else "Remove it."
            msg = f"{what}: column mapping names {field!r}, expected one of {', '.join(fields)}. {hint}"
            raise UsageError(msg)
    theirs = {field: columns.get(field, field) for field in fields if field in required or field in columns}
    twice = sorted({column for column in theirs.values() if list(theirs.values()).count(column) > 1})
    if twice:
        msg = f"{what}: column mapping uses {twice[0]!r} for two fields, expected one each. Correct the mapping."
        raise UsageError(msg)
    unnamed = [field for field in optional if field not in theirs and field not in theirs.values()]
    asked_for = list(theirs.values())
    read_rows = _read_privately if is_private else read_delimited
    read = read_rows(path, required=asked_for, optional=unnamed, refuse_person_columns=refuse_person_columns)
    rows = read.rows.rename(columns={column: field for field, column in theirs.items()})
    return dataclasses.replace(read, rows=rows)


def _read_privately(
    path: Path, *, required: Sequence[str], optional: Sequence[str], refuse_person_columns: bool
) -> DelimitedRows:
    """As `read_delimited`, but no message and no warning holds a word of the file: its header may be a row."""
    try:
        read = read_delimited(path, required=required, optional=optional, refuse_person_columns=refuse_person_columns)
    except DisclosureError:
        msg = (
            f"{path.name}: a column seems to describe a person (its name is withheld), expected places and times only. "
            "Remove the column before giving the file to this tool."
        )
        raise DisclosureError(msg) from None
    except InputError as error:
        if not _shows(str(error), path, {*required, *optional}):
            raise
        fault = str(error).partition(", expected")[0]
        missing = [repr(column) for column in required if repr(column) in fault]
        told = f"column {', '.join(missing)} is missing" if missing else "its columns are not there once each"
        msg = (
            f"{path.name}: {told}, expected {', '.join(required)} in its header (what stands there is withheld). Add a "
            "header, rename the columns or map them in the settings."
        )
        raise InputError(msg) from None
    kept = tuple(text for text in read.warnings if not _shows(text, path, {*required, *optional}))
    if len(kept) < len(read.warnings):
        kept = (*kept, "some columns are not used; their names are withheld.")
    return dataclasses.replace(read, warnings=kept)


def _shows(text: str, path: Path, asked_for: set[str]) -> bool:
    """Whether a sentence holds anything that stands in the first lines of a file, but for names asked for."""
    data, _ = decode_text(read_input_file(path).data, path.name)
    lines = data.decode().split("\n", _HEAD_LINES)[:_HEAD_LINES]
    fields = {field.strip(" '\"") for line in lines for field in re.split("[,;|\t]", line)}
    # A long name is cut where it is shown, and an odd character written otherwise.
    starts = {start for field in fields - asked_for if field for start in (field[:_SHOWN], repr(field)[1 : _SHOWN + 1])}
    return any(len(start) >= _LEAST_SHOWN and start in text for start in starts)


def column_or_blank(rows: pd.DataFrame, field: str) -> pd.Series:
    """
    Give a field of the rows, blank where the file does not have it.

    Parameters
    ----------
    rows : pandas.DataFrame
        Text rows.
    field : str
        Our field name.

    Returns
    -------
    pandas.Series
        Text.
    """
    return rows[field] if field in rows else pd.Series("", index=rows.index, dtype="str")
