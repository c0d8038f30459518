"""The reason columns of a list of scores, and their names in words."""

from __future__ import annotations

import pandas as pd

__all__ = ["reason_columns", "reason_label"]


def reason_columns(scores: pd.DataFrame) -> list[str]:
    """
    Find the reason columns of a score table.

    Parameters
    ----------
    scores : pandas.DataFrame
        Table `STATION_SCORES` or `PLACE_SCORES`.

    Returns
    -------
    list of str
        Names that start with ``reason_``, in the order of the table.
    """
    return [str(column) for column in scores.columns if str(column).startswith("reason_")]


def reason_label(column: str) -> str:
    """
    Turn the name of a reason column into words.

    Parameters
    ----------
    column : str
        Such as ``reason_courier_flow``.

    Returns
    -------
    str
        Such as ``Courier flow``.

    Examples
    --------
    >>> reason_label("reason_courier_flow")
    'Courier flow'
    """
    words = column.removeprefix("reason_").replace("_", " ").strip()
    return words[:1].upper() + words[1:]
