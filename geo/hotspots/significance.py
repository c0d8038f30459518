"""False-discovery control and tail probabilities that every local statistic shares."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

__all__ = ["adjust_false_discovery", "two_sided_p"]

FloatArray = NDArray[np.float64]


def adjust_false_discovery(p_value: FloatArray) -> FloatArray:
    r"""
    Adjust p-values by Benjamini and Hochberg.

    :math:`q_{(i)} = \min_{k \ge i} \min(1, p_{(k)} m / k)`, over the :math:`m` finite p-values.

    Parameters
    ----------
    p_value : numpy.ndarray
        Any shape; NaN where there was no test.

    Returns
    -------
    numpy.ndarray
        Adjusted p-values of the same shape, NaN kept.

    References
    ----------
    .. [1] Benjamini, Y. and Hochberg, Y. (1995). "Controlling the false discovery rate." Journal of the Royal
       Statistical Society B 57(1), 289-300.

    Examples
    --------
    >>> adjust_false_discovery(np.array([0.01, 0.04, 0.03, np.nan])).round(3)
    array([0.03, 0.04, 0.04,   nan])
    """
    p_value = np.asarray(p_value, dtype=float)
    tested = np.isfinite(p_value)
    p = p_value[tested]
    order = np.argsort(p, kind="stable")
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    result = np.full(p_value.shape, np.nan)
    result[tested] = adjusted
    return result


def two_sided_p(z_score: FloatArray) -> FloatArray:
    """
    Give the two-sided normal tail of a z-score.

    Parameters
    ----------
    z_score : numpy.ndarray
        Any shape; NaN stays NaN.

    Returns
    -------
    numpy.ndarray
        Probabilities of the same shape.
    """
    result: FloatArray = 2.0 * ndtr(-np.abs(z_score))
    return result
