"""
How well predicted flows agree with observed ones.

Sorensen's index and the Poisson likelihood are those of Castro-Gonzalez et al. (2023) [1]_; its repository penalises
by 2 ln k, which is no information criterion, so BIC here is Schwarz's.

References
----------
.. [1] Castro-Gonzalez, L. et al. (2023). Royal Society Open Science 10, 221297.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln, xlogy

from geo.errors import UsageError

__all__ = ["bic", "log_score", "recall_at", "sorensen"]


def sorensen(observed: ArrayLike, predicted: ArrayLike) -> float:
    r"""
    Measure the common part of commuters.

    :math:`S = 2 \sum \min(y, \lambda) / (\sum y + \sum \lambda)`.

    Parameters
    ----------
    observed, predicted : array-like of shape (n_pairs,)
        Flows in the same unit.

    Returns
    -------
    float
        1 where they agree everywhere, 0 where they share nothing.

    Raises
    ------
    UsageError
        If both are nothing but zeros.

    Examples
    --------
    >>> sorensen([4, 0], [2, 2])
    0.5
    """
    y, flow = np.asarray(observed, dtype=float), np.asarray(predicted, dtype=float)
    total = float(y.sum() + flow.sum())
    if total <= 0:
        msg = f"flows: observed and predicted add up to {total!r}, expected something to compare. Give flows above 0."
        raise UsageError(msg)
    return float(2.0 * np.minimum(y, flow).sum() / total)


def log_score(observed: ArrayLike, predicted: ArrayLike) -> float:
    """
    Measure the Poisson log likelihood of observed counts, natural logarithms.

    Parameters
    ----------
    observed : array-like of shape (n_pairs,)
        Counts; fractions are allowed and treated as shares of a line.
    predicted : array-like of shape (n_pairs,)
        Expected counts.

    Returns
    -------
    float
        Higher is better; minus infinity where a count was seen at a pair given no chance.
    """
    y, flow = np.asarray(observed, dtype=float), np.asarray(predicted, dtype=float)
    with np.errstate(divide="ignore"):
        return float((xlogy(y, flow) - flow - gammaln(y + 1)).sum())


def bic(log_likelihood: float, *, n_parameters: int, n_pairs: int) -> float:
    r"""
    Measure Schwarz's criterion, :math:`k \ln n - 2 \ln L`.

    Parameters
    ----------
    log_likelihood : float
        Natural log likelihood at its maximum.
    n_parameters : int
        Fitted parameters, with one for each origin whose outflow was fitted.
    n_pairs : int
        Observations.

    Returns
    -------
    float
        Lower is better.

    Examples
    --------
    >>> bic(-10.0, n_parameters=2, n_pairs=37)
    27.22
    """
    return float(n_parameters * np.log(n_pairs) - 2.0 * log_likelihood)


def recall_at(known: ArrayLike, predicted: ArrayLike, *, n_first: int) -> float:
    """
    Measure the share of known pairs among the likeliest predicted ones.

    Parameters
    ----------
    known : array-like of bool, shape (n_pairs,)
        Whether a flow is known.
    predicted : array-like of shape (n_pairs,)
        Expected flows; ties are broken against the model.
    n_first : int
        How many of the likeliest to look at.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    UsageError
        If nothing is known.

    Examples
    --------
    >>> recall_at([True, False, True], [5.0, 3.0, 1.0], n_first=2)
    0.5
    """
    is_known, flow = np.asarray(known, dtype=bool), np.asarray(predicted, dtype=float)
    if not is_known.any():
        msg = "known: no pair is known, expected at least one. Recall has no meaning without it."
        raise UsageError(msg)
    first = np.lexsort((is_known, -flow))[:n_first]
    return float(is_known[first].sum() / is_known.sum())
