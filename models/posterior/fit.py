"""
The mode: where Laplace's approximation stands, with the sizes of counts where their evidence is highest.

Newton's method with Levenberg's damping finds the parameters of lines and rates while the sizes are held. The sizes are
put where the evidence is highest, their integral over all else by Laplace's method, as in restricted maximum likelihood
(Harville 1977) and in integrated nested Laplace approximations (Rue, Martino and Chopin 2009). At the joint mode towns'
effects would explain the scatter that is the counts' own: sizes come out too large there, and intervals too narrow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from geo.errors import ModelGateError
from models.posterior.information import correct_sizes, measure_information
from models.posterior.posterior import Posterior
from models.threads import one_thread

__all__ = ["MOST_CHAINED", "Mode", "find_mode"]

FloatArray = NDArray[np.float64]
_MOST_STEPS = 200
# Newton's decrement at rest: a hundredth of a standard deviation from the mode. Of thousands of parameters some few are
# hardly told apart, and a third of one over all is near enough.
_TOLERANCE, _LOOSE_TOLERANCE = 1e-4, 0.1
_MOST_DAMPING = 1e12
# A step is taken if it gains a tenth of what the damped quadratic promises.
_SUFFICIENT = 0.1
# Sizes are moved until the step left is a twentieth of a standard deviation.
_SIZE_TOLERANCE = 0.05
_MOST_SIZE_STEPS = 20
_SIZE_DIFFERENCE, _LONGEST_SIZE_STEP = 0.05, 0.7
# Beyond this number of parameters (a country) sizes are sought with all else, the expected information stands for the
# observed one, and draws are of Laplace's approximation: chains would need the better part of an hour to agree.
MOST_CHAINED = 600


@dataclass(frozen=True)
class Mode:
    """
    Where Laplace's approximation stands.

    Attributes
    ----------
    theta : numpy.ndarray of shape (n_params,)
        Sizes where their evidence is highest, all else where it is most probable with these.
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


@dataclass
class _Rest:
    """A point at rest while the sizes are held."""

    theta: FloatArray
    value: float
    factor: FloatArray
    n_steps: int


@one_thread()
def find_mode(posterior: Posterior, *, start: FloatArray | None = None, is_exact: bool = True) -> Mode:
    """
    Find the mode.

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
    rest = _come_to_rest(posterior, theta)
    if _is_large(posterior):
        return Mode(rest.theta, rest.factor, _log_evidence(rest.value, rest.factor), rest.n_steps)
    sizes, n_steps = posterior.sizes, rest.n_steps
    curvature = np.diag(np.diag(posterior.prior_precision)[sizes])
    if len(sizes):
        for _ in range(_MOST_SIZE_STEPS):
            slope = _size_slope(posterior, rest)
            curvature = _size_curvature(posterior, rest, slope)
            move = np.linalg.solve(curvature, slope)
            is_at_rest = float(slope @ move) < _SIZE_TOLERANCE**2
            move *= min(1.0, _LONGEST_SIZE_STEP / max(float(np.abs(move).max()), 1e-12))
            theta = rest.theta.copy()
            theta[sizes] += move
            rest = _come_to_rest(posterior, theta)
            n_steps += rest.n_steps
            if is_at_rest:
                break
        else:
            msg = (
                f"posterior: the sizes of counts move by {float(np.abs(move).max()):.3g} after {_MOST_SIZE_STEPS} "
                "steps, expected rest. Leave out the source whose counts are farthest out of their kind."
            )
            raise ModelGateError(msg)
    return _at_mode(posterior, rest, curvature, n_steps, is_exact=is_exact)


def _come_to_rest(posterior: Posterior, theta: FloatArray) -> _Rest:
    """Newton's method with Levenberg's damping in all parameters but the sizes."""
    is_free = _is_free(posterior)
    value, slope = _evaluate_one(posterior, theta)
    damping = 0.0
    for step in range(1, _MOST_STEPS + 1):
        information = measure_information(posterior, theta)[np.ix_(is_free, is_free)]
        uphill = slope[is_free]
        factor = linalg.cholesky(information, lower=True)
        gain = float(uphill @ linalg.cho_solve((factor, True), uphill))
        if gain < (_LOOSE_TOLERANCE if _is_large(posterior) else _TOLERANCE):
            return _Rest(theta, value, factor, step)
        diagonal = np.diag(np.diag(information))
        while True:
            damped = (factor, True) if damping == 0.0 else linalg.cho_factor(information + damping * diagonal, True)
            move = linalg.cho_solve(damped, uphill)
            new = theta.copy()
            new[is_free] += move
            found, new_slope = _evaluate_one(posterior, new)
            if found >= value + _SUFFICIENT * 0.5 * float(uphill @ move):
                break
            # At the end of the numbers' precision no step can be seen to gain: that is rest, anything else is not.
            if gain < 1e-9 * max(abs(value), 1.0):
                return _Rest(theta, value, factor, step)
            damping = max(4.0 * damping, 0.01)
            if damping > _MOST_DAMPING:
                msg = (
                    f"posterior: step {step} gains nothing on a slope of {float(np.abs(uphill).max()):.3g}, expected a "
                    "mode. Look for a count that is far out of its kind, or leave a source out."
                )
                raise ModelGateError(msg)
        theta, value, slope = new, found, new_slope
        damping = 0.0 if damping < 0.02 else damping / 4.0
    msg = (
        f"posterior: no rest after {_MOST_STEPS} steps, slope {float(np.abs(slope).max()):.3g}, expected a mode. "
        "Look for a count that is far out of its kind, or leave a source out."
    )
    raise ModelGateError(msg)


def _is_free(posterior: Posterior) -> NDArray[np.bool_]:
    is_free = np.ones(posterior.n_params, dtype=bool)
    is_free[posterior.sizes] = _is_large(posterior)
    return is_free


def _is_large(posterior: Posterior) -> bool:
    return posterior.n_params > MOST_CHAINED


def _evaluate_one(posterior: Posterior, theta: FloatArray) -> tuple[float, FloatArray]:
    value, slope = posterior.evaluate(theta[None, :])
    return float(value[0]), slope[0]


def _size_slope(posterior: Posterior, rest: _Rest) -> FloatArray:
    """Slope of the evidence in the sizes, all else integrated out."""
    slope = posterior.slope(rest.theta)[posterior.sizes]
    return np.asarray(slope + correct_sizes(posterior, rest.theta, rest.factor))


def _size_curvature(posterior: Posterior, rest: _Rest, slope: FloatArray) -> FloatArray:
    """Minus the second derivatives of the evidence in the sizes, by differences; at least half the prior's."""
    sizes = posterior.sizes
    columns = []
    for size in sizes:
        theta = rest.theta.copy()
        theta[size] += _SIZE_DIFFERENCE
        columns.append((slope - _size_slope(posterior, _come_to_rest(posterior, theta))) / _SIZE_DIFFERENCE)
    matrix = np.column_stack(columns)
    value, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    least = 0.5 * np.diag(posterior.prior_precision)[sizes].min()
    return np.asarray((vectors * np.maximum(value, least)) @ vectors.T)


def _at_mode(posterior: Posterior, rest: _Rest, curvature: FloatArray, n_steps: int, *, is_exact: bool) -> Mode:
    """
    The mode with its information.

    What is not a size has its own, observed or expected. The sizes have the curvature of their evidence, and what moves
    with them moves in the information too, so that its determinant is the product of both.
    """
    is_free, sizes = _is_free(posterior), posterior.sizes
    factor = rest.factor
    cross = np.zeros((len(factor), len(sizes)))
    if is_exact:
        observed = _observed_information(posterior, rest.theta)
        try:
            factor = linalg.cholesky(observed[np.ix_(is_free, is_free)], lower=True)
            cross = observed[np.ix_(is_free, sizes)]
        except linalg.LinAlgError:
            pass
    information = np.zeros((posterior.n_params, posterior.n_params))
    information[np.ix_(is_free, is_free)] = factor @ factor.T
    if len(sizes):
        information[np.ix_(is_free, sizes)] = cross
        information[np.ix_(sizes, is_free)] = cross.T
        moved = linalg.solve_triangular(factor, cross, lower=True)
        information[np.ix_(sizes, sizes)] = curvature + moved.T @ moved
    whole = linalg.cholesky(information, lower=True)
    return Mode(rest.theta, whole, _log_evidence(rest.value, whole), n_steps)


def _log_evidence(value: float, factor: FloatArray) -> float:
    """Laplace's approximation, of the density at the mode and the factor of the information there."""
    log_det = 2.0 * float(np.log(np.diag(factor)).sum())
    return value + 0.5 * (len(factor) * float(np.log(2 * np.pi)) - log_det)


def _observed_information(posterior: Posterior, theta: FloatArray) -> FloatArray:
    """Minus the second derivatives, by central differences of the exact slope."""
    scale = 1e-4 / np.sqrt(np.diag(posterior.prior_precision))
    steps = np.diag(scale)
    ahead, behind = (posterior.evaluate(theta + sign * steps)[1] for sign in (1.0, -1.0))
    matrix = (behind - ahead) / (2.0 * scale[:, None])
    return np.asarray((matrix + matrix.T) / 2)
