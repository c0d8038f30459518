"""What a run did not use, as CSV."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from gateline.products.csv_lists import write_csv
from gateline.products.inputs import NOT_USED, Marks
from geo.schema import validate

__all__ = ["write_not_used_csv"]


def write_not_used_csv(path: Path, table: pd.DataFrame, marks: Marks) -> None:
    """
    Write ``not_used.csv``.

    Parameters
    ----------
    path : pathlib.Path
        File to write.
    table : pandas.DataFrame
        Table `NOT_USED`.
    marks : Marks
        What identifies the release.
    """
    write_csv(path, validate(table, NOT_USED), marks)
