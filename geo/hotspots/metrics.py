"""
How well a ranking of cells found what came later, with its ceiling and its exact interval.

In: a score, an outcome and a cost (area, street length, population) for each unit. Ties in the score are not broken by
luck: a group of equal scores is entered in proportion, which is the expectation over every order of the group.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chi2

from geo.errors import InputError, UsageError

__all__ = ["count_hits", "measure_hit_curve", "poisson_interval"]

FloatArray = NDArray[np.float64]


def count_hits(score: FloatArray, outcome: FloatArray, cost: FloatArray, coverage_share: Sequence[float]) -> FloatArray:
    """
    Count the outcomes in the best units up to each coverage.

    Parameters
    ----------
    score : numpy.ndarray of shape (n_units,)
        Risk for each unit of cost (a density); higher is entered first.
    outcome : numpy.ndarray of shape (n_units,)
        Offences that came later, counts or harm.
    cost : numpy.ndarray of shape (n_units,)
        Area, street length or population of each unit; not negative, some positive.
    coverage_share : sequence of float
        Shares of the total cost, in [0, 1].

    Returns
    -------
    numpy.ndarray of shape (n_coverages,)
        Expected outcomes covered; a unit or a tie that the coverage cuts counts in proportion.

    Raises
    ------
    InputError
        If a score is not finite or there is no cost.
    UsageError
        If a coverage is outside [0, 1].

    Examples
    --------
    >>> count_hits(np.array([3.0, 1.0, 1.0, 0.0]), np.array([5.0, 2.0, 0.0, 1.0]), np.ones(4), [0.25, 0.5, 1.0])
    array([5., 6., 8.])
    """
    shares = np.asarray(coverage_share, dtype=float)
    if ((shares < 0) | (shares > 1)).any():
        msg = f"coverage_share: it is {list(coverage_share)!r}, expected shares from 0 to 1. Divide percent by 100."
        raise UsageError(msg)
    if not np.isfinite(score).all() or not cost.sum() > 0:
        msg = f"score: {int((~np.isfinite(score)).sum())} are not finite or the cost sums to {cost.sum()!r}, expected "
        raise InputError(msg + "finite scores and a positive cost. Leave out the units that have none.")
    order = np.argsort(-score, kind="stable")
    ranked = score[order]
    ends = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), len(ranked) - 1)
    spent = np.concatenate([[0.0], np.cumsum(cost[order])[ends]])
    found = np.concatenate([[0.0], np.cumsum(outcome[order])[ends]])
    hits: FloatArray = np.interp(shares * spent[-1], spent, found)
    return hits


def measure_hit_curve(
    score: FloatArray, outcome: FloatArray, cost: FloatArray, *, coverage_share: Sequence[float]
) -> pd.DataFrame:
    r"""
    Measure hit rate, PAI and PEI at some coverages.

    :math:`PAI = \frac{n / N}{a / A}` and :math:`PEI = n / n^*`, :math:`n^*` the most that the same cost can cover.

    Parameters
    ----------
    score, outcome, cost : numpy.ndarray of shape (n_units,)
        See `count_hits`.
    coverage_share : sequence of float
        Shares of the total cost, in (0, 1].

    Returns
    -------
    pandas.DataFrame
        One row a coverage, indexed by ``coverage_share``: ``n_hits, n_outcomes, hit_rate, hit_rate_low,
        hit_rate_high, hit_rate_ceiling, pai, pai_low, pai_high, pei``. Intervals are the exact 95 % Poisson interval
        of the hits. No outcomes give NaN.

    Raises
    ------
    InputError
        If a score is not finite or there is no cost.
    UsageError
        If a coverage is outside (0, 1].

    References
    ----------
    .. [1] Chainey, S., Tompson, L. and Uhlig, S. (2008). "The utility of hotspot mapping for predicting spatial
       patterns of crime." Security Journal 21, 4-28.
    """
    shares = np.asarray(coverage_share, dtype=float)
    if (shares <= 0).any():
        msg = f"coverage_share: it is {list(coverage_share)!r}, expected shares above 0. Leave 0 out."
        raise UsageError(msg)
    hits = count_hits(score, outcome, cost, coverage_share)
    density = np.divide(outcome, cost, out=np.zeros(len(cost)), where=cost > 0)
    best = count_hits(density, outcome, cost, coverage_share)
    total = float(outcome.sum())
    low, high = poisson_interval(hits)
    whole = total if total > 0 else np.nan
    return pd.DataFrame(
        {
            "n_hits": hits,
            "n_outcomes": np.full(len(hits), total),
            "hit_rate": hits / whole,
            "hit_rate_low": low / whole,
            "hit_rate_high": np.minimum(high / whole, 1.0),
            "hit_rate_ceiling": best / whole,
            "pai": hits / whole / shares,
            "pai_low": low / whole / shares,
            "pai_high": np.minimum(high / whole, 1.0) / shares,
            "pei": np.divide(hits, best, out=np.full(len(hits), np.nan), where=best > 0),
        },
        index=pd.Index(shares, name="coverage_share"),
    )


def poisson_interval(n: FloatArray, *, confidence: float = 0.95) -> tuple[FloatArray, FloatArray]:
    """
    Give the exact interval of a Poisson mean (Garwood).

    Parameters
    ----------
    n : numpy.ndarray
        Counts; fractions are allowed.
    confidence : float, default 0.95
        Level.

    Returns
    -------
    low, high : numpy.ndarray
        Bounds of the same shape; low is 0 for a count of 0.

    References
    ----------
    .. [1] Garwood, F. (1936). "Fiducial limits for the Poisson distribution." Biometrika 28, 437-442.

    Examples
    --------
    >>> [bound.round(2).tolist() for bound in poisson_interval(np.array([0.0, 10.0]))]
    [[0.0, 4.8], [3.69, 18.39]]
    """
    n = np.asarray(n, dtype=float)
    tail = (1 - confidence) / 2
    low = np.where(n > 0, chi2.ppf(tail, 2 * np.maximum(n, 1e-9)) / 2, 0.0)
    high: FloatArray = np.asarray(chi2.ppf(1 - tail, 2 * n + 2) / 2, dtype=float)
    return low, high
