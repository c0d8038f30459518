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

__all__ = ["write_csv", "write_station_csv", "write_town_csv"]


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
    write_csv(path, station_list(inputs), inputs.marks)


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
    write_csv(path, town_list(inputs), inputs.marks)


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
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n")
    writer.writerow([*(cell_text(column) for column in rows.columns), *tail_names])
    for row in rows.itertuples(index=False, name=None):
        writer.writerow([*(_cell(value) for value in row), *tail])
    path.write_bytes(buffer.getvalue().encode("utf-8-sig"))


def _cell(value: object) -> object:
    """A number is a number, null is empty, anything else is inert text."""
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else repr(float(value))
    return "" if pd.isna(value) else cell_text(value)  # type: ignore[call-overload]
