"""
How good a ranking was, once outcomes are known.

Every measure takes forecasts and outcomes of shape (n_periods, n_units). Ties in a forecast are shared, so that a
constant forecast scores what chance does. The paired interval resamples blocks of units and whole periods together for
both models (Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapter 16).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

__all__ = ["bootstrap_difference", "hit_rate", "measure_ranking", "poisson_log_score", "select_top"]

FloatArray = NDArray[np.float64]


def select_top(forecasts: FloatArray, n_top: int) -> FloatArray:
    """
    Give each unit's membership of the first `n_top`, ties sharing the places that are left.

    Parameters
    ----------
    forecasts : numpy.ndarray of shape (n_periods, n_units)
        Higher is more.
    n_top : int
        Length of the list.

    Returns
    -------
    numpy.ndarray of shape (n_periods, n_units)
        In [0, 1]; rows sum to `n_top`, or to the number of units where that is smaller.

    Examples
    --------
    >>> select_top(np.array([[3.0, 1.0, 1.0]]), 2)
    array([[1. , 0.5, 0.5]])
    """
    n_top = min(n_top, forecasts.shape[1])
    limit = -np.sort(-forecasts, axis=1)[:, n_top - 1 : n_top]
    above = forecasts > limit
    level = forecasts == limit
    left = n_top - above.sum(axis=1, keepdims=True)
    return np.asarray(above + level * left / level.sum(axis=1, keepdims=True))


def hit_rate(forecasts: FloatArray, outcomes: FloatArray, *, n_top: int) -> float:
    """
    Measure the share of all outcomes that fell on the list.

    Parameters
    ----------
    forecasts, outcomes : numpy.ndarray of shape (n_periods, n_units)
        What was forecast, and what came.
    n_top : int
        Length of the list.

    Returns
    -------
    float
        In [0, 1]; NaN where nothing came.
    """
    total = outcomes.sum()
    return float((select_top(forecasts, n_top) * outcomes).sum() / total) if total > 0 else float("nan")


def poisson_log_score(forecasts: FloatArray, outcomes: FloatArray) -> float:
    """
    Measure the mean log likelihood of the outcomes; higher is better.

    Parameters
    ----------
    forecasts, outcomes : numpy.ndarray of shape (n_periods, n_units)
        Expected counts, and counts.

    Returns
    -------
    float
        Mean over units and periods. A forecast of zero is read as one in a million.
    """
    expected = np.maximum(forecasts, 1e-6)
    return float((outcomes * np.log(expected) - expected - gammaln(outcomes + 1.0)).mean())


def measure_ranking(forecasts: FloatArray, outcomes: FloatArray) -> dict[str, float]:
    """
    Measure a forecast in every way that is reported.

    Parameters
    ----------
    forecasts, outcomes : numpy.ndarray of shape (n_periods, n_units)
        Expected counts, and counts.

    Returns
    -------
    dict of str to float
        ``hit_rate_at_5``, ``hit_rate_at_10``, ``pei_at_10`` (hits over the most any list of ten could have),
        ``ndcg_at_10`` and ``poisson_log_score``.
    """
    best = hit_rate(outcomes, outcomes, n_top=10)
    hits = hit_rate(forecasts, outcomes, n_top=10)
    return {
        "hit_rate_at_5": hit_rate(forecasts, outcomes, n_top=5),
        "hit_rate_at_10": hits,
        "pei_at_10": hits / best if best > 0 else float("nan"),
        "ndcg_at_10": _ndcg(forecasts, outcomes, n_top=10),
        "poisson_log_score": poisson_log_score(forecasts, outcomes),
    }


def bootstrap_difference(
    forecasts: FloatArray,
    baseline: FloatArray,
    outcomes: FloatArray,
    blocks: NDArray[np.int64],
    *,
    random_state: int,
    n_top: int = 10,
    n_draws: int = 1000,
    level: float = 0.95,
) -> tuple[float, float, float]:
    """
    Measure by how much one forecast's hit rate beats another's, with a paired interval.

    Parameters
    ----------
    forecasts, baseline, outcomes : numpy.ndarray of shape (n_periods, n_units)
        The two forecasts, and what came.
    blocks : numpy.ndarray of shape (n_units,)
        Block of each unit; blocks are resampled whole, because neighbours share their fate.
    random_state : int
        Seed.
    n_top : int
        Length of the list.
    n_draws : int
        Resamples.
    level : float
        Share of resamples inside the interval.

    Returns
    -------
    tuple of float
        Difference, low end and high end, in share of outcomes. All zero where nothing came.
    """
    rng = np.random.default_rng(random_state)
    gain = (select_top(forecasts, n_top) - select_top(baseline, n_top)) * outcomes
    if outcomes.sum() <= 0:
        return 0.0, 0.0, 0.0
    n_periods = len(outcomes)
    labels, block = np.unique(blocks, return_inverse=True)
    member = (block[:, None] == np.arange(len(labels))[None, :]).astype(float)
    gains = np.einsum("pu,ub->pb", gain, member, optimize=False)
    totals = np.einsum("pu,ub->pb", outcomes, member, optimize=False)
    times_block = rng.multinomial(len(labels), np.full(len(labels), 1 / len(labels)), size=n_draws).astype(float)
    times_period = rng.multinomial(n_periods, np.full(n_periods, 1 / n_periods), size=n_draws).astype(float)
    top = np.einsum("np,pb,nb->n", times_period, gains, times_block, optimize=False)
    whole = np.einsum("np,pb,nb->n", times_period, totals, times_block, optimize=False)
    differences = np.divide(top, whole, out=np.zeros(n_draws), where=whole > 0)
    low, high = np.quantile(differences, ((1 - level) / 2, (1 + level) / 2))
    return float(gain.sum() / outcomes.sum()), float(low), float(high)


def _ndcg(forecasts: FloatArray, outcomes: FloatArray, *, n_top: int) -> float:
    """Discounted gain of the list over that of the best list, mean over periods with any outcome."""
    n_top = min(n_top, forecasts.shape[1])
    discount = 1.0 / np.log2(np.arange(2, n_top + 2))
    # Ties are read in order of unit, the same for every model.
    order = np.argsort(-forecasts, axis=1, kind="stable")[:, :n_top]
    gain = (np.take_along_axis(outcomes, order, axis=1) * discount).sum(axis=1)
    best = (-np.sort(-outcomes, axis=1)[:, :n_top] * discount).sum(axis=1)
    has_any = best > 0
    return float((gain[has_any] / best[has_any]).mean()) if has_any.any() else float("nan")
