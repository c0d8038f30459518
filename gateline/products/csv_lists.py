"""
CSV that Excel opens correctly: byte-order mark, CRLF, text that cannot start a formula, numbers left as numbers.

Empty lists keep their header. The marks of the run stand in columns of every row, not in lines above the header,
so that the file stays one table.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pandas as pd

from gateline.products.inert import cell_text
from gateline.products.inputs import Marks, ProductInputs
from gateline.products.lists import station_list, town_list

__all__ = ["with_railway", "write_csv", "write_station_csv", "write_town_csv"]

_MOST_CHARACTERS = 300
# Columns that hold sentences of the run or lists of stations, which must not be cut where a caveat starts.
_LONG, _MOST_OF_LONG = ("railway_basis", "left_out", "last_train_home_"), 3_000


def write_station_csv(path: Path, inputs: ProductInputs) -> None:
    """
    Write ``stations.csv``.

    Parameters
    ----------
    path : pathlib.Path
        File to write.
    inputs : ProductInputs
        The tables of one run.
    """
    write_csv(path, with_railway(station_list(inputs), inputs.marks), inputs.marks)


def write_town_csv(path: Path, inputs: ProductInputs) -> None:
    """
    Write ``towns.csv``.

    Parameters
    ----------
    path : pathlib.Path
        File to write.
    inputs : ProductInputs
        The tables of one run.
    """
    write_csv(path, with_railway(town_list(inputs), inputs.marks), inputs.marks)


def with_railway(table: pd.DataFrame, marks: Marks) -> pd.DataFrame:
    """
    Put beside every row what the run assumed about the railway: a table may be read without its run.

    Parameters
    ----------
    table : pandas.DataFrame
        Never modified.
    marks : Marks
        What identifies the release.

    Returns
    -------
    pandas.DataFrame
        With a column ``railway_basis``; as it is where nothing is said of the railway.
    """
    return table.assign(railway_basis=marks.railway_basis) if marks.railway_basis else table


def write_csv(path: Path, table: pd.DataFrame, marks: Marks) -> None:
    """
    Write a table with the marks of its run as last columns.

    Parameters
    ----------
    path : pathlib.Path
        File to write.
    table : pandas.DataFrame
        Written in its order; a named index comes first.
    marks : Marks
        What identifies the release.
    """
    rows = table.reset_index() if table.index.name else table
    tail = [cell_text(text) for _, text in marks.lines()] + [str(marks.is_fictional).lower()]
    tail_names = ["marking", "run_id", "period", "profile", "operator", "expires_on", "is_fictional"]
    most = [_MOST_OF_LONG if str(name).startswith(_LONG) else _MOST_CHARACTERS for name in rows.columns]
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n")
    writer.writerow([*(cell_text(column) for column in rows.columns), *tail_names])
    for row in rows.itertuples(index=False, name=None):
        writer.writerow([*map(_cell, row, most), *tail])
    path.write_bytes(buffer.getvalue().encode("utf-8-sig"))


def _cell(value: object, most_characters: int) -> object:
    """A number is a number, null is empty, anything else is inert text."""
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else repr(float(value))
    return "" if pd.isna(value) else cell_text(value, most_characters=most_characters)  # type: ignore[call-overload]
