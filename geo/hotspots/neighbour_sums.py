"""
Gi* and its p-value from sums over neighbours, however those sums were made.

In: values, and for each unit the sums of its neighbours' weights, their powers, and the weighted values. Out: z-scores
and p-values. Space-time cubes make the sums by space and by time in turn, without a matrix over all their cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import gammainc, gammaincc

__all__ = ["NeighbourSums", "gamma_p", "gi_star_z", "sum_neighbours"]

FloatArray = NDArray[np.float64]

# Below this skewness the gamma shape passes 40,000 and differs from the normal curve by less than 0.002 in p.
_LEAST_SKEW = 0.01


@dataclass(frozen=True)
class NeighbourSums:
    """
    Sums over the neighbours of each unit, itself included.

    Attributes
    ----------
    lag : numpy.ndarray of shape (n_units,)
        Weighted values.
    one, two, three : numpy.ndarray of shape (n_units,)
        Weights, their squares and their cubes.
    is_whole : bool
        Whether all weights are whole numbers.
    """

    lag: FloatArray
    one: FloatArray
    two: FloatArray
    three: FloatArray
    is_whole: bool


def sum_neighbours(x: FloatArray, weights: sparse.csr_array) -> NeighbourSums:
    """
    Sum over the neighbours that a matrix names.

    Parameters
    ----------
    x : numpy.ndarray of shape (n_units,)
        Values.
    weights : scipy.sparse.csr_array of shape (n_units, n_units)
        Weights, with the unit itself on the diagonal.

    Returns
    -------
    NeighbourSums
        The sums.
    """
    one, two, three = (_power_sums(weights, power) for power in (1, 2, 3))
    return NeighbourSums(weights @ x, one, two, three, bool((weights.data == np.round(weights.data)).all()))


def gi_star_z(x: FloatArray, sums: NeighbourSums) -> tuple[FloatArray, FloatArray]:
    """
    Give the textbook Gi*.

    Parameters
    ----------
    x : numpy.ndarray of shape (n_units,)
        Values.
    sums : NeighbourSums
        Sums over neighbours.

    Returns
    -------
    z_score : numpy.ndarray of shape (n_units,)
        Gi*; 0 where nothing varies or the unit neighbours everything.
    scale : numpy.ndarray of shape (n_units,)
        Its denominator: the standard deviation of the sum over permutations.
    """
    n, mean = len(x), x.mean()
    scale = x.std() * np.sqrt(np.maximum(n * sums.two - sums.one**2, 0.0) / max(n - 1, 1))
    departure = sums.lag - mean * sums.one
    z_score: FloatArray = np.divide(departure, scale, out=np.zeros(n), where=scale > 1e-12 * max(abs(mean), 1.0))
    return z_score, scale


def gamma_p(x: FloatArray, sums: NeighbourSums, z_score: FloatArray, scale: FloatArray) -> FloatArray:
    """
    Give the two-sided p-value by a Pearson type III curve with the first three moments over permutations.

    Parameters
    ----------
    x : numpy.ndarray of shape (n_units,)
        Values.
    sums : NeighbourSums
        Sums over neighbours.
    z_score, scale : numpy.ndarray of shape (n_units,)
        From `gi_star_z`.

    Returns
    -------
    numpy.ndarray of shape (n_units,)
        Probabilities; 1 where nothing varies. Half a step is taken off whole counts, which are not continuous.
    """
    n = len(x)
    if n < 3 or not scale.any():
        return np.ones(n)
    one, two, three = sums.one, sums.two, sums.three
    # E(z1 z1 z2) = -m3 / (n - 1) and E(z1 z2 z3) = 2 m3 / ((n - 1)(n - 2)) when drawing without replacement.
    triples = one**3 - 3 * one * two + 2 * three
    factor = three - 3 * (one * two - three) / (n - 1) + 2 * triples / ((n - 1) * (n - 2))
    third = ((x - x.mean()) ** 3).mean() * factor
    scale = np.where(scale > 0, scale, np.inf)
    half_step = 0.5 / scale if sums.is_whole and bool((x == np.round(x)).all()) else 0.0
    # Next to no skewness is the normal curve, which this one tends to but cannot be computed at.
    skew = third / scale**3
    skew = np.where(np.abs(skew) < _LEAST_SKEW, np.copysign(_LEAST_SKEW, skew), skew)
    upper, lower = _tail(z_score - half_step, skew), _tail(-z_score - half_step, -skew)
    return np.minimum(2.0 * np.minimum(upper, lower), 1.0)


def _tail(z: FloatArray, skew: FloatArray) -> FloatArray:
    """Chance of at least z under the standard Pearson type III curve of a skewness."""
    shape = 4.0 / skew**2
    at = np.maximum(shape + 2.0 * z / skew, 0.0)
    tail: FloatArray = np.where(skew > 0, gammaincc(shape, at), gammainc(shape, at))
    return tail


def _power_sums(weights: sparse.csr_array, power: int) -> FloatArray:
    """Sum of a power of the weights of each unit."""
    # Ones are their own powers, and most weights are ones.
    if (weights.data == 1.0).all():
        return np.diff(weights.indptr).astype(float)
    running = np.concatenate([[0.0], np.cumsum(weights.data**power)])
    sums: FloatArray = running[weights.indptr[1:]] - running[weights.indptr[:-1]]
    return sums
