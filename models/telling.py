"""
How finely a list is told: no product shows more figures than the interval beside them supports.

A score goes to a tenth of a trip of 100. Where the same 100 are divided among more than a thousand units, nearly all
would be told as nothing at all: there each score goes to two significant figures, its interval and reasons to the same
decimal. Trips a month go to two significant figures; chances to a hundredth. Reasons are rounded together, so that
those printed sum to the score printed.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "SCORE_FIGURES",
    "TRIP_FIGURES",
    "count_decimals",
    "percent",
    "round_figures",
    "tell_parts",
    "tell_scores",
    "tell_shares",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
# Of a score in a long list: its interval spans a factor of several.
SCORE_FIGURES = 2
_LONG_LIST = 1_000
_MOST_DECIMALS = 8
# The 90 % interval of trips spans a factor of several: two figures are more than it supports, one would jump by half.
TRIP_FIGURES = 2
_CHANCE_DECIMALS = 2
_CHANCES = ("p_top_5", "p_top_10", "p_core")
_TRIPS = ("trips_per_month", "trips_low", "trips_high")
_PARTS = ("score_low", "score_high", "score_network")


def count_decimals(scores: ArrayLike) -> IntArray:
    """
    Give the decimals of each score of a list, and of the interval and reasons beside it.

    Parameters
    ----------
    scores : array-like of shape (n_units,)
        Every score of the list, exact or as told.

    Returns
    -------
    numpy.ndarray of shape (n_units,)
        1 in a list of up to a thousand units; in a longer one as many as two significant figures take, 1 at least.

    Examples
    --------
    >>> count_decimals([12.34, 0.012]).tolist()
    [1, 1]
    >>> count_decimals([12.34, 3.14, 0.0996, 0.012, 0.0] + [0.001] * 1_000)[:5].tolist()
    [1, 1, 2, 3, 1]
    """
    values = np.asarray(scores, dtype=float).ravel()
    if len(values) <= _LONG_LIST:
        return np.ones(len(values), dtype=np.int64)
    # Of the rounded value: 0.0996 is told as 0.10, and so is 0.1.
    power = np.array([int(f"{value:.{SCORE_FIGURES - 1}e}".partition("e")[2]) for value in values], dtype=np.int64)
    decimals = np.where(values == 0.0, 1, SCORE_FIGURES - 1 - power)
    return np.clip(decimals, 1, _MOST_DECIMALS).astype(np.int64)


def round_figures(values: ArrayLike, *, figures: int = TRIP_FIGURES) -> FloatArray:
    """
    Round to significant figures.

    Parameters
    ----------
    values : array-like
        Any numbers.
    figures : int
        How many.

    Returns
    -------
    numpy.ndarray
        Of the same shape; NaN stays NaN.

    Examples
    --------
    >>> round_figures([54.99, 0.0123, 0.0, -731.0]).tolist()
    [55.0, 0.012, 0.0, -730.0]
    """
    numbers = np.asarray(values, dtype=float)
    flat = [float(f"{value:.{figures}g}") for value in numbers.ravel()]
    return np.array(flat, dtype=float).reshape(numbers.shape) + 0.0


def tell_scores(scores: pd.DataFrame) -> pd.DataFrame:
    """
    Round a scored list as every product shows it.

    Parameters
    ----------
    scores : pandas.DataFrame
        Table `geo.tables.STATION_SCORES` or `PLACE_SCORES`. Never modified.

    Returns
    -------
    pandas.DataFrame
        The same rows and columns; reasons sum to the score as it is printed.
    """
    decimals = count_decimals(scores["score"])
    told = scores.copy()
    for name in {"score", *_PARTS} & set(scores.columns):
        told[name] = _rounded(scores[name], decimals)
    for name in set(_TRIPS) & set(scores.columns):
        told[name] = round_figures(scores[name])
    for name in set(_CHANCES) & set(scores.columns):
        told[name] = _rounded(scores[name], _CHANCE_DECIMALS)
    reasons = [str(name) for name in scores.columns if str(name).startswith("reason_")]
    if reasons and len(scores):
        told[reasons] = _rounded_together(scores[reasons].to_numpy(float), told["score"].to_numpy(), decimals)
    return told


def tell_parts(parts: pd.DataFrame, scores: pd.Series) -> dict[str, pd.Series]:
    """
    Round what is told in the units of a score, such as its interval, to the decimals of the score.

    Parameters
    ----------
    parts : pandas.DataFrame
        One row a unit. Never modified.
    scores : pandas.Series
        Every score of the list; null where there is none.

    Returns
    -------
    dict of str to pandas.Series
        The columns, rounded; null stays null.
    """
    decimals = count_decimals(scores.fillna(0.0))
    return {str(name): pd.Series(_rounded(parts[name], decimals), index=parts.index) for name in parts.columns}


def tell_shares(parts: pd.DataFrame) -> pd.DataFrame:
    """
    Round the shares of a whole together, so that those printed still make up 1.

    Parameters
    ----------
    parts : pandas.DataFrame
        One row a unit and one column a part; a row sums to 1, or is null. Never modified.

    Returns
    -------
    pandas.DataFrame
        Hundredths; a row without any whole stays null.

    Examples
    --------
    >>> tell_shares(pd.DataFrame({"car": [0.625], "coach": [0.125], "hire": [0.25]})).to_numpy().tolist()
    [[0.63, 0.12, 0.25]]
    """
    told = parts.astype(float).copy()
    is_known = told.notna().all(axis=1).to_numpy()
    values = told.to_numpy()[is_known]
    if len(values):
        total = np.round(values.sum(axis=1), _CHANCE_DECIMALS)
        decimals = np.full(len(values), _CHANCE_DECIMALS, dtype=np.int64)
        told.loc[is_known] = _rounded_together(values, total, decimals)
    return told


def _rounded(values: pd.Series, decimals: int | IntArray) -> FloatArray:
    """Each value to its own decimals, as `round` does it: the nearest number that is written so."""
    each = np.broadcast_to(decimals, len(values))
    rounded = values.to_numpy(float).copy()
    for n in np.unique(each):
        rounded[each == n] = np.round(rounded[each == n], int(n))
    return rounded + 0.0


def _rounded_together(parts: FloatArray, total: FloatArray, decimals: IntArray) -> FloatArray:
    """Parts as whole steps that sum to the total's: what rounding down leaves goes to the largest remainders."""
    step = 10.0 ** decimals[:, None].astype(float)
    scaled = parts * step
    whole = np.floor(scaled)
    left = np.rint(total * step[:, 0] - whole.sum(axis=1)).astype(np.int64)
    # Remainders are compared to nine decimals, so that a last bit decides nothing.
    order = np.argsort(-np.round(scaled - whole, 9), axis=1, kind="stable")
    place = np.empty_like(order)
    np.put_along_axis(place, order, np.broadcast_to(np.arange(parts.shape[1]), order.shape), axis=1)
    # Parts that miss their total by a step or more (an index cut at 100) leave more than there are parts.
    each, rest = np.divmod(left, parts.shape[1])
    steps = whole + each[:, None] + (place < rest[:, None])
    return np.column_stack([_rounded(pd.Series(column), decimals) for column in (steps / step).T])


def percent(share: float) -> str:
    """
    Tell a share in two figures, and without a decimal from ten percent on.

    Parameters
    ----------
    share : float
        In [0, 1].

    Returns
    -------
    str
        With its sign.

    Examples
    --------
    >>> percent(0.314), percent(0.0273)
    ('31 %', '2.7 %')
    """
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.2g} %"
