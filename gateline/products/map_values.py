"""Table values as the map's data hold them: plain, short, inert, null for what is missing."""

from __future__ import annotations

import pandas as pd

from gateline.products.inert import cell_text

__all__ = ["as_told", "long_text", "numbers", "plain", "text_of", "texts"]

# Enough for what is no flow: areas, walks, harm.
_FIGURES = 3


def numbers(values: pd.Series, *, figures: int = _FIGURES) -> list[float | None]:
    """
    Round a column to significant figures.

    Parameters
    ----------
    values : pandas.Series
        Numbers.
    figures : int
        How many.

    Returns
    -------
    list of float or None
        In the order of the column.
    """
    return [None if pd.isna(value) else plain(float(f"{float(value):.{figures}g}")) for value in values]


def as_told(values: pd.Series) -> list[float | None]:
    """
    Give a column that the list has rounded as the list tells it: every product shows the same figure.

    Parameters
    ----------
    values : pandas.Series
        Numbers.

    Returns
    -------
    list of float or None
        In the order of the column.
    """
    return [None if pd.isna(value) else plain(float(value)) for value in values]


def plain(value: float) -> float:
    """
    Keep a whole number short.

    Parameters
    ----------
    value : float
        A number.

    Returns
    -------
    int or float
        The same number.
    """
    return int(value) if value == int(value) else float(value)


def texts(values: pd.Series) -> list[str | None]:
    """
    Make a column of text inert.

    Parameters
    ----------
    values : pandas.Series
        Text.

    Returns
    -------
    list of str or None
        In the order of the column.
    """
    return [None if pd.isna(value) else text_of(value) for value in values]


def text_of(value: object) -> str:
    """
    Make a name inert.

    Parameters
    ----------
    value : object
        What is shown.

    Returns
    -------
    str
        Of 120 characters at most.
    """
    return cell_text(value, is_formula_safe=True, most_characters=120)


def long_text(value: object) -> str:
    """
    Make a sentence inert.

    Parameters
    ----------
    value : object
        What is shown.

    Returns
    -------
    str
        Of 1,000 characters at most.
    """
    return cell_text(value, is_formula_safe=True, most_characters=1_000)
