"""
Pareto-smoothed importance weights: how far draws from an approximation stand for the posterior.

After Vehtari, Simpson, Gelman, Yao and Gabry (2024), "Pareto smoothed importance sampling", Journal of Machine Learning
Research 25(72): the largest weights are replaced by the expected order statistics of a generalised Pareto distribution
fitted to them, and its shape says whether they can be trusted (below 0.7) or not. The fit is that of Zhang and Stephens
(2009), Technometrics 51(3), 316-325, with the weak prior of the paper.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["HIGHEST_SHAPE", "fit_pareto", "resample", "smooth_weights"]

FloatArray = NDArray[np.float64]
# Above it the paper's estimates cannot be relied on, whatever the number of draws.
HIGHEST_SHAPE = 0.7
_FEWEST_TAIL = 5
# The paper's weak prior: ten observations of shape one half.
_PRIOR_N, _PRIOR_SHAPE = 10.0, 0.5


def smooth_weights(log_ratio: FloatArray) -> tuple[FloatArray, float]:
    """
    Smooth importance ratios and judge their tail.

    Parameters
    ----------
    log_ratio : numpy.ndarray of shape (n_draws,)
        Log target density less log proposal density.

    Returns
    -------
    weights : numpy.ndarray of shape (n_draws,)
        Sum to 1.
    shape : float
        Pareto shape of the upper tail; infinite where there are too few draws to fit one.
    """
    log_weight = log_ratio - log_ratio.max()
    n = len(log_weight)
    n_tail = int(min(0.2 * n, 3.0 * np.sqrt(n)))
    if n_tail < _FEWEST_TAIL:
        weights = np.exp(log_weight)
        return weights / weights.sum(), np.inf
    order = np.argsort(log_weight, kind="stable")
    tail = order[-n_tail:]
    cut = np.exp(log_weight[order[-n_tail - 1]])
    excess = np.exp(log_weight[tail]) - cut
    if excess[-1] <= 0:
        return np.full(n, 1.0 / n), 0.0
    shape, scale = fit_pareto(excess)
    quantile = (np.arange(n_tail) + 0.5) / n_tail
    smoothed = cut + scale * (np.expm1(-shape * np.log1p(-quantile)) / shape if shape else -np.log1p(-quantile))
    weights = np.exp(log_weight)
    weights[tail] = np.minimum(smoothed, 1.0)
    return weights / weights.sum(), float(shape)


def fit_pareto(excess: FloatArray) -> tuple[float, float]:
    """
    Fit a generalised Pareto distribution to sorted excesses over a threshold.

    Parameters
    ----------
    excess : numpy.ndarray of shape (n,)
        Ascending, not negative, the last positive.

    Returns
    -------
    shape, scale : float
        Of the distribution; the shape is drawn towards one half as by ten observations.
    """
    n = len(excess)
    n_grid = 30 + int(np.sqrt(n))
    quarter = max(excess[int(n / 4 + 0.5) - 1], np.finfo(float).tiny)
    grid = 1.0 / excess[-1] + (1.0 - np.sqrt(n_grid / (np.arange(n_grid) + 0.5))) / (3.0 * quarter)
    grid = grid[grid != 0]
    shape_of = np.log1p(-grid[:, None] * excess).mean(axis=1)
    profile = n * (np.log(-grid / shape_of) - shape_of - 1.0)
    # About the largest, which cannot overflow however long the tail.
    weight = np.exp(profile - profile.max())
    theta = float((grid * weight).sum() / weight.sum())
    shape = float(np.log1p(-theta * excess).mean())
    scale = -shape / theta
    return (n * shape + _PRIOR_N * _PRIOR_SHAPE) / (n + _PRIOR_N), scale


def resample(weights: FloatArray, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """
    Draw rows in proportion to their weights, systematically.

    Parameters
    ----------
    weights : numpy.ndarray
        Sum to 1.
    n : int
        How many.
    rng : numpy.random.Generator
        Gives one number.

    Returns
    -------
    numpy.ndarray of shape (n,)
        Rows, ascending; a row of weight `w` comes between ``floor(n w)`` and ``ceil(n w)`` times.
    """
    at = (np.arange(n) + rng.random()) / n
    return np.minimum(np.searchsorted(np.cumsum(weights), at), len(weights) - 1).astype(np.int64)
