"""
How finely a list is told: no product shows more figures than the interval beside them supports.

A score goes to a tenth of a trip of 100, and one decimal more for each tenfold of a thousand units, among which the
same 100 are divided; trips a month go to two significant figures; chances to a hundredth. Reasons are rounded together,
so that those printed sum to the score printed.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

__all__ = ["TRIP_FIGURES", "count_decimals", "round_figures", "tell_scores"]

FloatArray = NDArray[np.float64]
# The 90 % interval of trips spans a factor of several: two figures are more than it supports, one would jump by half.
TRIP_FIGURES = 2
_CHANCE_DECIMALS = 2
_CHANCES = ("p_top_5", "p_top_10", "p_core")
_TRIPS = ("trips_per_month", "trips_low", "trips_high")
_PARTS = ("score_low", "score_high", "score_network")


def count_decimals(n_units: int) -> int:
    """
    Give the decimals of a score in a list of so many units.

    Parameters
    ----------
    n_units : int
        Length of the list.

    Returns
    -------
    int
        1 for up to a thousand units, one more for each tenfold.

    Examples
    --------
    >>> [count_decimals(n) for n in (12, 110, 1_000, 2_600)]
    [1, 1, 1, 2]
    """
    return max(1, int(np.ceil(np.log10(max(n_units, 1)))) - 2)


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
    decimals = count_decimals(len(scores))
    told = scores.copy()
    told["score"] = _rounded(scores["score"], decimals)
    for name in set(_PARTS) & set(scores.columns):
        told[name] = _rounded(scores[name], decimals)
    for name in set(_TRIPS) & set(scores.columns):
        told[name] = round_figures(scores[name])
    for name in set(_CHANCES) & set(scores.columns):
        told[name] = _rounded(scores[name], _CHANCE_DECIMALS)
    reasons = [str(name) for name in scores.columns if str(name).startswith("reason_")]
    if reasons and len(scores):
        told[reasons] = _rounded_together(scores[reasons].to_numpy(float), told["score"].to_numpy(), decimals)
    return told


def _rounded(values: pd.Series, decimals: int) -> FloatArray:
    return np.round(values.to_numpy(float), decimals) + 0.0


def _rounded_together(parts: FloatArray, total: FloatArray, decimals: int) -> FloatArray:
    """Parts as whole steps that sum to the total's: what rounding down leaves goes to the largest remainders."""
    step = 10.0**decimals
    scaled = parts * step
    whole = np.floor(scaled)
    left = np.rint(total * step - whole.sum(axis=1)).astype(np.int64)
    # Remainders are compared to nine decimals, so that a last bit decides nothing.
    order = np.argsort(-np.round(scaled - whole, 9), axis=1, kind="stable")
    place = np.empty_like(order)
    np.put_along_axis(place, order, np.broadcast_to(np.arange(parts.shape[1]), order.shape), axis=1)
    # Parts that miss their total by a step or more (an index cut at 100) leave more than there are parts.
    each, rest = np.divmod(left, parts.shape[1])
    return np.asarray(np.round((whole + each[:, None] + (place < rest[:, None])) / step, decimals) + 0.0)
