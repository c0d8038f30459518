"""Tables whose columns a user names in the settings: their columns in, our field names out."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from geo.errors import UsageError
from geo.sources.delimited import DelimitedRows, read_delimited

__all__ = ["column_or_blank", "read_mapped"]


def read_mapped(
    path: Path,
    columns: Mapping[str, str],
    *,
    what: str,
    required: Sequence[str],
    optional: Sequence[str] = (),
    refuse_person_columns: bool = False,
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
    read = read_delimited(
        path, required=list(theirs.values()), optional=unnamed, refuse_person_columns=refuse_person_columns
    )
    rows = read.rows.rename(columns={column: field for field, column in theirs.items()})
    return dataclasses.replace(read, rows=rows)


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
