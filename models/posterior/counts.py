"""
Count distributions in the logarithm of their mean: log likelihood, slopes and information.

Poisson, negative binomial of size `r` (variance ``m + m^2 / r``), and the same for counts of which only a band is
known, whose likelihood is the probability of the band. Counts may be fractions, such as a line seen for half of the
time: the factorial is then a gamma function and the likelihood a weighted one. Arrays may have axes before the last,
one a parameter vector.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, gammaln

__all__ = ["Likelihood", "judge_band", "judge_negative_binomial", "judge_poisson", "log_coefficient"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Likelihood:
    """
    Likelihood of counts, row by row.

    Attributes
    ----------
    log_likelihood : numpy.ndarray of shape (..., n)
        With every constant.
    slope : numpy.ndarray of shape (..., n)
        Derivative in the logarithm of the mean.
    size_slope : numpy.ndarray of shape (..., n)
        Derivative in the logarithm of the size; 0 where the size is no parameter.
    information : numpy.ndarray of shape (..., n)
        About the logarithm of the mean: Fisher's for a count. For a band what its counts would tell less what is lost
        by not knowing which of them it was (Louis 1982), which is minus the second derivative.
    """

    log_likelihood: FloatArray
    slope: FloatArray
    size_slope: FloatArray
    information: FloatArray


def judge_poisson(n: FloatArray, log_mean: FloatArray, *, constant: FloatArray | None = None) -> Likelihood:
    """
    Judge Poisson counts.

    Parameters
    ----------
    n : numpy.ndarray of shape (n,)
        Counts, not negative.
    log_mean : numpy.ndarray of shape (..., n)
        Logarithm of their means.
    constant : numpy.ndarray of shape (n,) or None
        From `log_coefficient`; worked out where None.

    Returns
    -------
    Likelihood
        Row by row.
    """
    mean = np.exp(log_mean)
    constant = log_coefficient(n, np.inf) if constant is None else constant
    return Likelihood(n * log_mean - mean + constant, n - mean, np.broadcast_to(0.0, mean.shape), mean)


def judge_negative_binomial(
    n: FloatArray, log_mean: FloatArray, log_size: FloatArray | float, *, constant: FloatArray | None = None
) -> Likelihood:
    """
    Judge negative-binomial counts.

    Parameters
    ----------
    n : numpy.ndarray of shape (n,)
        Counts, not negative.
    log_mean : numpy.ndarray of shape (..., n)
        Logarithm of their means; broadcast against `n`.
    log_size : float or numpy.ndarray of shape (..., 1)
        Logarithm of the size.
    constant : numpy.ndarray of shape (n,) or None
        From `log_coefficient` where the size is no parameter; its slope is then 0.

    Returns
    -------
    Likelihood
        Row by row.
    """
    size, mean = np.exp(log_size), np.exp(log_mean)
    total = size + mean
    log_total = np.log(total)
    kept = size / total
    value = size * (log_size - log_total) + n * (log_mean - log_total)
    if constant is None:
        size_slope = size * (digamma(n + size) - digamma(size) + log_size - log_total + 1 - (n + size) / total)
        value = value + gammaln(n + size) - gammaln(size) - gammaln(n + 1)
    else:
        size_slope = np.broadcast_to(0.0, value.shape)
        value = value + constant
    return Likelihood(value, kept * (n - mean), size_slope, mean * kept * np.ones_like(value))


def judge_band(low: FloatArray, high: FloatArray, log_mean: FloatArray, log_size: FloatArray | float) -> Likelihood:
    """
    Judge negative-binomial counts of which only a band is known.

    Parameters
    ----------
    low, high : numpy.ndarray of shape (n,)
        Ends of the band, both inside it; whole numbers.
    log_mean : numpy.ndarray of shape (..., n)
        Logarithm of the means.
    log_size : float or numpy.ndarray of shape (..., 1)
        Logarithm of the size; infinite for Poisson.

    Returns
    -------
    Likelihood
        Row by row; slopes are means over the counts of the band, each with its own probability.
    """
    width = int((high - low).max(initial=0)) + 1
    n = low[:, None] + np.arange(width)
    each_mean = log_mean[..., None]
    if np.all(np.isinf(log_size)):
        each = judge_poisson(n, each_mean)
        curvature = each.information + np.zeros_like(each.log_likelihood)
    else:
        log_size = np.asarray(log_size)[..., None]
        each = judge_negative_binomial(n, each_mean, log_size)
        # Minus the second derivative for each count of the band; its mean over all counts would be Fisher's.
        size, mean = np.exp(log_size), np.exp(each_mean)
        curvature = mean * size * (n + size) / (mean + size) ** 2
    log_p = np.where(n <= high[:, None], each.log_likelihood, -np.inf)
    top = log_p.max(axis=-1, keepdims=True)
    share = np.exp(log_p - top)
    total = share.sum(axis=-1, keepdims=True)
    share /= total
    slope = (share * each.slope).sum(axis=-1)
    lost = (share * (each.slope - slope[..., None]) ** 2).sum(axis=-1)
    return Likelihood(
        (top + np.log(total))[..., 0],
        slope,
        (share * each.size_slope).sum(axis=-1),
        np.maximum((share * curvature).sum(axis=-1) - lost, 0.0),
    )


def log_coefficient(n: FloatArray, log_size: float) -> FloatArray:
    """
    Give the part of the log likelihood of counts that hangs on no mean.

    Parameters
    ----------
    n : numpy.ndarray
        Counts, not negative.
    log_size : float
        Logarithm of the size; infinite for Poisson.

    Returns
    -------
    numpy.ndarray
        As `n`.
    """
    if np.isinf(log_size):
        return np.asarray(-gammaln(n + 1))
    size = np.exp(log_size)
    return np.asarray(gammaln(n + size) - gammaln(size) - gammaln(n + 1))
