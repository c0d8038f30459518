"""
Gamma-Poisson shrinkage of sparse counts (empirical Bayes).

A unit with count :math:`y` and exposure :math:`E` has rate :math:`(y + a) / (E + b)`; (a, b) maximise the negative
binomial likelihood of all units together (Clayton and Kaldor 1987, "Empirical Bayes estimates of age-standardized
relative risks", Biometrics 43(3), 671-681). Departures: counts need not be whole; and where equal rates would explain
the counts nearly as well, the rates are taken to be equal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

__all__ = ["GammaPrior", "fit_gamma_prior"]

FloatArray = NDArray[np.float64]
# Bounds of ln a: beyond them the likelihood is flat and the prior is a point or has no weight.
_LOG_SHAPE = (-6.0, 9.0)
# Each look is eight times finer than the one before: the last is to 0.001 of ln a.
_N_LOOKS, _N_POINTS = 5, 17
# Half the 90 % point of chi-squared with one degree of freedom: the 5 % test of a variance on its boundary (Self and
# Liang 1987, Journal of the American Statistical Association 82(398), 605-610).
_LEAST_GAIN = 2.706 / 2.0


@dataclass(frozen=True)
class GammaPrior:
    """
    How rates differ between units.

    Attributes
    ----------
    shape : float
        Events that the prior is worth.
    rate : float
        Exposure that the prior is worth; the mean rate is shape / rate.
    """

    shape: float
    rate: float

    def shrink(self, counts: FloatArray, exposure: FloatArray) -> FloatArray:
        """
        Give the posterior mean rates.

        Parameters
        ----------
        counts : numpy.ndarray
            Events, zero or more.
        exposure : numpy.ndarray
            Exposure of each count, zero or more.

        Returns
        -------
        numpy.ndarray
            Events for each unit of exposure.
        """
        return (counts + self.shape) / (exposure + self.rate)


def fit_gamma_prior(counts: FloatArray, exposure: FloatArray) -> GammaPrior:
    """
    Fit the prior by marginal likelihood.

    Parameters
    ----------
    counts : numpy.ndarray of shape (n_units,)
        Events, zero or more.
    exposure : numpy.ndarray of shape (n_units,)
        Exposure of each; units with none say nothing.

    Returns
    -------
    GammaPrior
        With half an event's worth of weight where no unit has an event, so that a rate is never exactly zero.

    Examples
    --------
    >>> prior = fit_gamma_prior(np.array([5.0, 5.0, 5.0]), np.ones(3))
    >>> prior.shrink(np.array([9.0]), np.ones(1))
    array([5.0])
    """
    seen = exposure > 0
    y, e = np.asarray(counts, dtype=float)[seen], np.asarray(exposure, dtype=float)[seen]
    if y.sum() <= 0:
        return GammaPrior(0.5, max(float(e.sum()), 1.0))
    mean = y.sum() / e.sum()

    def likelihood(log_shapes: FloatArray) -> FloatArray:
        """The log likelihood of each shape, at the rate that keeps the mean."""
        a = np.exp(log_shapes)[:, None]
        b = a / mean
        terms = gammaln(y + a) - gammaln(a) + a * np.log(b / (e + b)) - y * np.log(e + b)
        return np.asarray(terms.sum(axis=1))

    # One parameter, smooth, flat at its ends: look closer and closer round the best point, with no optimiser to stall.
    low, high = _LOG_SHAPE
    for _ in range(_N_LOOKS):
        points = np.linspace(low, high, _N_POINTS)
        step = points[1] - points[0]
        best = float(points[int(np.argmax(likelihood(points)))])
        low, high = max(best - step, _LOG_SHAPE[0]), min(best + step, _LOG_SHAPE[1])
    # Equal rates are the edge of the model: a likelihood that gains less than this over them is chance one time in
    # twenty, and units that may well be equal are not ranked apart.
    ends = likelihood(np.array([best, _LOG_SHAPE[1]]))
    shape = float(np.exp(best if ends[0] - ends[1] >= _LEAST_GAIN else _LOG_SHAPE[1]))
    return GammaPrior(shape, shape / mean)
