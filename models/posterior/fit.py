"""
Inference: the mode by Newton's method, draws by Laplace's approximation, and importance weights that check them.

The log posterior is smooth and has a few hundred parameters, nearly all with normal priors, so that Laplace's normal is
close; Pareto-smoothed weights correct what is left, and their tail index says whether they can. It is chosen before a
No-U-Turn sampler since it takes a hundredth of the time and gives the same bytes; the sampler is the oracle in the
tests (`tests/oracles/test_posterior_nuts.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from geo.errors import ModelGateError
from models.posterior.importance import HIGHEST_SHAPE, resample, smooth_weights
from models.posterior.posterior import Posterior

__all__ = ["Draws", "Mode", "draw_posterior", "find_mode"]

FloatArray = NDArray[np.float64]
_MOST_STEPS = 200
# A hundredth of a standard deviation from the mode.
_TOLERANCE = 1e-4
# A component with few draws of its own still needs so many to judge the tail of their weights.
_FEWEST_PROPOSALS = 100
# Beyond this number of parameters the expected information stands for the observed one.
_MOST_OBSERVED = 600


@dataclass(frozen=True)
class Mode:
    """
    The most probable parameters.

    Attributes
    ----------
    theta : numpy.ndarray of shape (n_params,)
        The mode.
    factor : numpy.ndarray of shape (n_params, n_params)
        Lower Cholesky factor of the information there.
    log_evidence : float
        Laplace's approximation to the logarithm of the evidence.
    n_steps : int
        Newton steps taken.
    """

    theta: FloatArray
    factor: FloatArray
    log_evidence: float
    n_steps: int

    def around(self, normals: FloatArray) -> FloatArray:
        """
        Place standard normals around the mode.

        Parameters
        ----------
        normals : numpy.ndarray of shape (n, n_params)
            Standard normals.

        Returns
        -------
        numpy.ndarray of shape (n, n_params)
            Draws of Laplace's approximation.
        """
        spread = linalg.solve_triangular(self.factor, normals.T, lower=True, trans="T")
        return np.asarray(self.theta + spread.T)


@dataclass(frozen=True)
class Draws:
    """
    Draws of the posterior, of equal weight.

    Attributes
    ----------
    theta : numpy.ndarray of shape (n_draws, n_params)
        Parameters.
    tail_shape : float
        Pareto shape of the importance ratios; below 0.7 the weights can be relied on.
    n_effective : float
        Draws of equal weight that the weighted proposals are worth.
    is_weighted : bool
        Whether the weights were used; without, the draws are Laplace's own.
    mode : Mode
        Where they were drawn around.
    """

    theta: FloatArray
    tail_shape: float
    n_effective: float
    is_weighted: bool
    mode: Mode


def find_mode(posterior: Posterior, *, start: FloatArray | None = None, is_exact: bool = True) -> Mode:
    """
    Find the mode by Newton's method with Fisher's information and halved steps.

    Parameters
    ----------
    posterior : Posterior
        What is sought.
    start : numpy.ndarray or None
        Where to begin; the prior mean where None.
    is_exact : bool
        Whether the information at the mode is the observed one, by differences of the slope, where parameters are few
        enough.

    Returns
    -------
    Mode
        With its information.

    Raises
    ------
    ModelGateError
        If the steps do not come to rest.
    """
    theta = (posterior.prior_mean if start is None else start).astype(float).copy()
    value = posterior.log_density(theta)
    for step in range(1, _MOST_STEPS + 1):
        slope, information = posterior.slope(theta), posterior.information(theta)
        factor = linalg.cho_factor(information, lower=True)
        move = linalg.cho_solve(factor, slope)
        gain = float(slope @ move)
        if gain < _TOLERANCE:
            return _at_mode(posterior, theta, value, information, step, is_exact=is_exact)
        size, found = 1.0, value
        while size > 1e-10:
            found = posterior.log_density(theta + size * move)
            if np.isfinite(found) and found >= value + 1e-4 * size * gain:
                break
            size /= 2
        if not np.isfinite(found) or found < value:
            return _at_mode(posterior, theta, value, information, step, is_exact=is_exact)
        theta, value = theta + size * move, found
    msg = (
        f"posterior: no rest after {_MOST_STEPS} steps, slope {float(np.abs(slope).max()):.3g}, expected a mode. "
        "Look for a count that is far out of its kind, or leave a source out."
    )
    raise ModelGateError(msg)


def draw_posterior(
    posterior: Posterior, *, n_draws: int, random_state: int, mode: Mode | None = None, n_proposals: int | None = None
) -> Draws:
    """
    Draw from the posterior.

    Parameters
    ----------
    posterior : Posterior
        What is drawn from.
    n_draws : int
        Draws wanted.
    random_state : int
        Seed.
    mode : Mode or None
        Its mode, found where None.
    n_proposals : int or None
        Proposals that are weighed; twice the draws where None, and 100 at least.

    Returns
    -------
    Draws
        Resampled by their smoothed weights, or Laplace's own where the tail of the weights cannot be relied on.

    Raises
    ------
    ModelGateError
        If no mode is found.
    """
    mode = mode or find_mode(posterior)
    rng = np.random.default_rng(random_state)
    n_proposals = n_proposals or max(2 * n_draws, _FEWEST_PROPOSALS)
    normals = _antithetic(rng, n_proposals, posterior.n_params)
    theta = mode.around(normals)
    log_target = np.array([posterior.log_density(row) for row in theta])
    weights, shape = smooth_weights(log_target + 0.5 * (normals**2).sum(axis=1))
    is_weighted = shape < HIGHEST_SHAPE
    rows = resample(weights if is_weighted else np.full(n_proposals, 1.0 / n_proposals), n_draws, rng)
    return Draws(theta[rows], shape, float(1.0 / (weights**2).sum()), is_weighted, mode)


def _antithetic(rng: np.random.Generator, n: int, n_params: int) -> FloatArray:
    """Standard normals in pairs of opposite sign: their mean is 0 exactly."""
    half = rng.standard_normal(((n + 1) // 2, n_params))
    return np.concatenate([half, -half])[:n]


def _at_mode(
    posterior: Posterior, theta: FloatArray, value: float, information: FloatArray, n_steps: int, *, is_exact: bool
) -> Mode:
    """The mode with the best information that is positive definite."""
    if is_exact and posterior.n_params <= _MOST_OBSERVED:
        observed = _observed_information(posterior, theta)
        try:
            factor = linalg.cholesky(observed, lower=True)
        except linalg.LinAlgError:
            factor = linalg.cholesky(information, lower=True)
    else:
        factor = linalg.cholesky(information, lower=True)
    log_det = 2.0 * float(np.log(np.diag(factor)).sum())
    log_evidence = value + 0.5 * (posterior.n_params * float(np.log(2 * np.pi)) - log_det)
    return Mode(theta, factor, log_evidence, n_steps)


def _observed_information(posterior: Posterior, theta: FloatArray) -> FloatArray:
    """Minus the second derivatives, by central differences of the exact slope."""
    scale = 1e-4 / np.sqrt(np.diag(posterior.prior_precision))
    columns = []
    for k, step in enumerate(scale):
        ahead, behind = theta.copy(), theta.copy()
        ahead[k] += step
        behind[k] -= step
        columns.append((posterior.slope(behind) - posterior.slope(ahead)) / (2 * step))
    matrix = np.column_stack(columns)
    return np.asarray((matrix + matrix.T) / 2)
