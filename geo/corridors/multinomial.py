"""
Maximum likelihood of a production-constrained flow, with or without a prior on its coefficients.

A Poisson regression with one free effect an origin has the same optimum as the multinomial likelihood of each
origin's flow among its destinations, because the effects are concentrated out exactly. So the fit is a small Newton
problem in the coefficients alone, whatever the number of origins, and the inverse of its information gives their
standard errors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.corridors.interaction import Pairs, shares_from_log
from geo.errors import ModelGateError

__all__ = ["ShareFit", "fit_shares"]

_MOST_STEPS = 100
_TOLERANCE = 1e-10


@dataclass(frozen=True)
class ShareFit:
    """
    A fitted vector of coefficients.

    Attributes
    ----------
    coefficients : numpy.ndarray of shape (n_features,)
        Maximum of the likelihood, or of the likelihood times the prior.
    covariance : numpy.ndarray of shape (n_features, n_features)
        Inverse of the information at the maximum, prior included.
    data_information : numpy.ndarray of shape (n_features, n_features)
        The part of the information that the observed flows supply.
    share : numpy.ndarray of shape (n_pairs,)
        Fitted shares.
    log_likelihood : float
        Multinomial log likelihood of the flows, without its constant.
    """

    coefficients: NDArray[np.float64]
    covariance: NDArray[np.float64]
    data_information: NDArray[np.float64]
    share: NDArray[np.float64]
    log_likelihood: float


def fit_shares(
    features: NDArray[np.float64],
    y: NDArray[np.float64],
    pairs: Pairs,
    *,
    prior_mean: NDArray[np.float64],
    prior_sd: NDArray[np.float64],
) -> ShareFit:
    r"""
    Fit :math:`p_{ij} \propto \exp(x_{ij} \theta)` within each origin by Newton's method.

    Parameters
    ----------
    features : numpy.ndarray of shape (n_pairs, n_features)
        Finite rows for pairs that can be reached; a row with an infinite number is a pair that cannot.
    y : numpy.ndarray of shape (n_pairs,)
        Observed flows.
    pairs : Pairs
        Which pair belongs to which origin.
    prior_mean, prior_sd : numpy.ndarray of shape (n_features,)
        Normal prior of each coefficient; an infinite sd leaves it to the data, and the mean is then only the start.

    Returns
    -------
    ShareFit
        Coefficients, covariance, shares.

    Raises
    ------
    ModelGateError
        If the data and the prior together do not determine the coefficients, or Newton's method does not settle.
    """
    is_open = np.asarray(np.isfinite(features).all(axis=1))
    x = np.where(is_open[:, None], features, 0.0)
    precision = 1.0 / prior_sd**2
    outflow = pairs.sum_by_origin(np.where(is_open, y, 0.0))[pairs.origin]
    counts = np.where(is_open, y, 0.0)

    def shares(theta: NDArray[np.float64]) -> NDArray[np.float64]:
        return shares_from_log(np.where(is_open, x @ theta, -np.inf), pairs)

    def objective(theta: NDArray[np.float64], share: NDArray[np.float64]) -> float:
        seen = counts > 0
        return float(counts[seen] @ np.log(share[seen]) - 0.5 * precision @ (theta - prior_mean) ** 2)

    theta = prior_mean.astype(float).copy()
    share = shares(theta)
    for _ in range(_MOST_STEPS):
        slope = x.T @ (counts - outflow * share) - precision * (theta - prior_mean)
        step = _solve(_information(x, outflow * share, share, pairs) + np.diag(precision), slope)
        size, best = 1.0, objective(theta, share)
        with np.errstate(divide="ignore"):
            while (
                objective(theta + size * step, shares(theta + size * step)) < best - 1e-12 * abs(best) and size > 1e-8
            ):
                size /= 2
        theta = theta + size * step
        share = shares(theta)
        if np.abs(size * step).max(initial=0.0) < _TOLERANCE * (1.0 + np.abs(theta).max(initial=0.0)):
            break
    else:
        msg = f"coefficients: still moving after {_MOST_STEPS} steps, at {theta!r}, expected a maximum. Give a prior."
        raise ModelGateError(msg)
    data = _information(x, outflow * share, share, pairs)
    seen = counts > 0
    return ShareFit(
        theta,
        _solve(data + np.diag(precision), np.eye(len(theta))),
        data,
        share,
        float(counts[seen] @ np.log(share[seen])),
    )


def _information(
    x: NDArray[np.float64], flow: NDArray[np.float64], share: NDArray[np.float64], pairs: Pairs
) -> NDArray[np.float64]:
    """Covariance of the features under the fitted shares, weighted by outflow: the Fisher information."""
    mean = np.column_stack([pairs.sum_by_origin(share * column) for column in x.T])
    centred = x - mean[pairs.origin]
    return (centred * flow[:, None]).T @ centred


def _solve(information: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    scale = np.sqrt(np.diag(information))
    # Scaled first: minutes and logarithms differ by orders of magnitude, and rank must not depend on units.
    if (scale == 0).any() or np.linalg.matrix_rank(information / np.outer(scale, scale), hermitian=True) < len(scale):
        msg = (
            "coefficients: the observed flows do not determine them (singular information), expected variation in "
            "every feature within an origin. Drop a feature, or give a prior with a finite sd."
        )
        raise ModelGateError(msg)
    return np.asarray(np.linalg.solve(information, right), dtype=np.float64)
