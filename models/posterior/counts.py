"""
Count distributions in the logarithm of their mean: log likelihood, slopes and expected information.

Poisson, negative binomial of size `r` (variance ``m + m^2 / r``), and the same for counts of which only a band is
known, whose likelihood is the probability of the band. Counts may be fractions, such as a line seen for half of the
time: the factorial is then a gamma function and the likelihood a weighted one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, gammaln

__all__ = ["Likelihood", "judge_band", "judge_negative_binomial", "judge_poisson"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Likelihood:
    """
    Likelihood of counts, row by row.

    Attributes
    ----------
    log_likelihood : numpy.ndarray of shape (n,)
        With every constant.
    slope : numpy.ndarray of shape (n,)
        Derivative in the logarithm of the mean.
    size_slope : numpy.ndarray of shape (n,)
        Derivative in the logarithm of the size; 0 for Poisson.
    information : numpy.ndarray of shape (n,)
        Expected information about the logarithm of the mean.
    """

    log_likelihood: FloatArray
    slope: FloatArray
    size_slope: FloatArray
    information: FloatArray


def judge_poisson(n: FloatArray, log_mean: FloatArray) -> Likelihood:
    """
    Judge Poisson counts.

    Parameters
    ----------
    n : numpy.ndarray of shape (n,)
        Counts, not negative.
    log_mean : numpy.ndarray of shape (n,)
        Logarithm of their means.

    Returns
    -------
    Likelihood
        Row by row.
    """
    mean = np.exp(log_mean)
    return Likelihood(n * log_mean - mean - gammaln(n + 1), n - mean, np.zeros_like(mean), mean)


def judge_negative_binomial(n: FloatArray, log_mean: FloatArray, log_size: float) -> Likelihood:
    """
    Judge negative-binomial counts.

    Parameters
    ----------
    n : numpy.ndarray
        Counts, not negative.
    log_mean : numpy.ndarray
        Logarithm of their means; broadcast against `n`.
    log_size : float
        Logarithm of the size.

    Returns
    -------
    Likelihood
        Row by row.
    """
    size, mean = np.exp(log_size), np.exp(log_mean)
    log_total = np.logaddexp(log_size, log_mean)
    total = np.exp(log_total)
    value = (
        gammaln(n + size) - gammaln(size) - gammaln(n + 1) + size * (log_size - log_total) + n * (log_mean - log_total)
    )
    size_slope = size * (digamma(n + size) - digamma(size) + log_size - log_total + 1 - (n + size) / total)
    return Likelihood(value, size * (n - mean) / total, size_slope, mean * size / total * np.ones_like(value))


def judge_band(low: NDArray[np.int64], high: NDArray[np.int64], log_mean: FloatArray, log_size: float) -> Likelihood:
    """
    Judge negative-binomial counts of which only a band is known.

    Parameters
    ----------
    low, high : numpy.ndarray of int of shape (n,)
        Ends of the band, both inside it.
    log_mean : numpy.ndarray of shape (n,)
        Logarithm of the means.
    log_size : float
        Logarithm of the size.

    Returns
    -------
    Likelihood
        Row by row; slopes are means over the counts of the band, each with its own probability.
    """
    width = int((high - low).max(initial=0)) + 1
    n = low[:, None] + np.arange(width)
    is_inside = n <= high[:, None]
    each = judge_negative_binomial(n.astype(float), log_mean[:, None], log_size)
    log_p = np.where(is_inside, each.log_likelihood, -np.inf)
    value = np.logaddexp.reduce(log_p, axis=1)
    share = np.exp(log_p - value[:, None])
    return Likelihood(
        value,
        (share * each.slope).sum(axis=1),
        (share * each.size_slope).sum(axis=1),
        each.information[:, 0],
    )
