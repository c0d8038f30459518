"""
Gi* and local Moran over any spatial units: grid cells, hexagons, LSOAs, street segments.

In: a value for each unit and a sparse matrix of neighbours. Out: a table of z-scores, p-values and FDR-adjusted
p-values in the units' order. Departures from common software: values are used as float (integer counts make esda 2.10
round its weights to zero), two-sided probabilities are not folded, and a unit without neighbours is flagged and kept.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from geo.errors import InputError, UsageError
from geo.hotspots.neighbour_sums import gamma_p, gi_star_z, sum_neighbours
from geo.hotspots.significance import adjust_false_discovery, two_sided_p

__all__ = ["measure_gi_star", "measure_local_moran"]

FloatArray = NDArray[np.float64]

_LEAST_PERMUTATIONS = 99


def measure_gi_star(
    value: ArrayLike,
    neighbours: sparse.csr_array,
    *,
    p_basis: str = "gamma",
    n_permutations: int = 0,
    random_state: int | None = None,
) -> pd.DataFrame:
    r"""
    Measure the Getis-Ord Gi* statistic of every unit.

    .. math:: G_i^* = \frac{\sum_j w_{ij} x_j - \bar x W_i}{s \sqrt{(n \sum_j w_{ij}^2 - W_i^2) / (n - 1)}}

    with :math:`w_{ii} = 1` added when the diagonal is empty, :math:`W_i = \sum_j w_{ij}` and
    :math:`s^2 = \sum x^2 / n - \bar x^2`.

    Parameters
    ----------
    value : array-like of shape (n_units,)
        Weighted counts or rates; finite. Used as float.
    neighbours : scipy.sparse.csr_array of shape (n_units, n_units)
        Non-negative weights, as from `Grid.build_neighbours`.
    p_basis : {"gamma", "normal", "permutation"}, default "gamma"
        Where the p-value comes from; see Notes.
    n_permutations : int, default 0
        Conditional permutations R for that basis; p = 2 (1 + more extreme) / (R + 1).
    random_state : int or None, default None
        Seed; required with permutations.

    Returns
    -------
    pandas.DataFrame
        ``z_score, p_value, q_value, is_island`` by position of the unit; z is 0 where the values do not vary.

    Raises
    ------
    InputError
        If a value is not finite or the shapes differ.
    UsageError
        If the basis is unknown, or permutations are asked for without a number or a seed.

    Notes
    -----
    The form is Ord and Getis (1995) [1]_. Its normal p-value supposes sums of many units. Offence counts are few and
    skewed, so that on uniform noise of one offence a cell it flags something in a third of worlds at a stated 5 %.
    The default matches the first three moments of the sum over all permutations of the values with a Pearson type III
    curve, as Mielke and Berry do for permutation statistics [2]_, and takes half a step off whole counts because they
    are not continuous. Conditional permutation (the unit keeps its value, its neighbours are drawn from the others) is
    exact but cannot reach below 2 / (R + 1), which false-discovery control over many cells needs.

    References
    ----------
    .. [1] Ord, J. K. and Getis, A. (1995). "Local spatial autocorrelation statistics: distributional issues and an
       application." Geographical Analysis 27(4), 286-306.
    .. [2] Mielke, P. W. and Berry, K. J. (2007). Permutation Methods: A Distance Function Approach, 2nd ed. Springer.

    Examples
    --------
    >>> ring = sparse.csr_array(np.array([[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0]]))
    >>> measure_gi_star([9, 1, 0, 0], ring)["z_score"].round(3).tolist()
    [1.147, 0.662, -1.722, -1.147]
    """
    if p_basis not in {"gamma", "normal", "permutation"}:
        msg = f"p_basis: it is {p_basis!r}, expected 'gamma', 'normal' or 'permutation'. Choose one of them."
        raise UsageError(msg)
    if p_basis == "permutation":
        _require_permutations(n_permutations, random_state)
    x, weights = _require_inputs(value, neighbours)
    is_island = _is_island(weights)
    if not weights.diagonal().any():
        weights = sparse.csr_array(weights + sparse.eye_array(len(x), format="csr"))
    sums = sum_neighbours(x, weights)
    z_score, scale = gi_star_z(x, sums)
    if p_basis == "permutation":
        own = weights.diagonal() * x
        p_value = _permute(x, weights, weights @ x - own, n_permutations=n_permutations, random_state=random_state)
    elif p_basis == "gamma":
        p_value = gamma_p(x, sums, z_score, scale)
    else:
        p_value = two_sided_p(z_score)
    return pd.DataFrame(
        {
            "z_score": z_score,
            "p_value": p_value,
            "q_value": adjust_false_discovery(p_value),
            "is_island": is_island,
        }
    )


def measure_local_moran(
    value: ArrayLike,
    neighbours: sparse.csr_array,
    *,
    n_permutations: int,
    random_state: int,
) -> pd.DataFrame:
    r"""
    Measure local Moran's I of every unit, by conditional permutation.

    :math:`I_i = z_i \sum_j \tilde w_{ij} z_j`, with standardised values :math:`z` and weights whose rows sum to one.

    Parameters
    ----------
    value : array-like of shape (n_units,)
        Weighted counts or rates; finite.
    neighbours : scipy.sparse.csr_array of shape (n_units, n_units)
        Non-negative weights with an empty diagonal.
    n_permutations : int
        At least 99.
    random_state : int
        Seed.

    Returns
    -------
    pandas.DataFrame
        ``moran_i, quadrant, p_value, q_value, is_island`` by position; quadrant is ``high-high``, ``low-low``,
        ``high-low`` or ``low-high`` of the unit and its neighbours. Islands have I 0 and no p-value.

    Raises
    ------
    InputError
        If a value is not finite or the shapes differ.
    UsageError
        If there are too few permutations.

    References
    ----------
    .. [1] Anselin, L. (1995). "Local indicators of spatial association: LISA." Geographical Analysis 27(2), 93-115.
    """
    _require_permutations(n_permutations, random_state)
    x, weights = _require_inputs(value, neighbours)
    is_island = _is_island(weights)
    row_sum = np.asarray(weights.sum(axis=1)).ravel()
    weights = sparse.csr_array(sparse.diags_array(1.0 / np.where(row_sum > 0, row_sum, 1.0)) @ weights)
    spread = x.std()
    z = (x - x.mean()) / spread if spread > 0 else np.zeros_like(x)
    lag = weights @ z
    p_value = _permute(z, weights, lag, n_permutations=n_permutations, random_state=random_state)
    p_value = np.where(is_island, np.nan, p_value)
    quadrant = np.where(z > 0, "high", "low").astype(object) + "-" + np.where(lag > 0, "high", "low").astype(object)
    return pd.DataFrame(
        {
            "moran_i": z * lag,
            "quadrant": quadrant.astype(str),
            "p_value": p_value,
            "q_value": adjust_false_discovery(p_value),
            "is_island": is_island,
        }
    )


def _permute(
    x: FloatArray, weights: sparse.csr_array, lag: FloatArray, *, n_permutations: int, random_state: int | None
) -> FloatArray:
    """Two-sided conditional p-value of each lag: neighbours drawn without replacement from the other units."""
    n = len(x)
    rng = np.random.default_rng(random_state)
    off_diagonal = sparse.csr_array(weights - sparse.diags_array(weights.diagonal()))
    off_diagonal.eliminate_zeros()
    start, weight = off_diagonal.indptr, off_diagonal.data
    most = int(np.diff(start).max(initial=0))
    above = np.zeros(n, dtype=np.int64)
    below = np.zeros(n, dtype=np.int64)
    if most == 0 or n < 2:
        return np.ones(n)
    unit = np.repeat(np.arange(n), np.diff(start))
    slot = np.arange(len(unit)) - start[unit]
    tolerance = 1e-12 * max(float(np.abs(lag).max(initial=0.0)), 1.0)
    where = np.empty(n, dtype=np.int64)
    for _ in range(n_permutations):
        # Units sit in random order on a ring: one draw of offsets in 1..n-1 gives each unit distinct others.
        offset = rng.choice(n - 1, size=most, replace=False) + 1
        shuffled = rng.permutation(n)
        where[shuffled] = np.arange(n)
        drawn = x[shuffled[(where[unit] + offset[slot]) % n]]
        simulated = np.bincount(unit, weights=weight * drawn, minlength=n)
        above += simulated >= lag - tolerance
        below += simulated <= lag + tolerance
    return np.minimum(2.0 * (np.minimum(above, below) + 1) / (n_permutations + 1), 1.0)


def _is_island(weights: sparse.csr_array) -> NDArray[np.bool_]:
    """Whether a unit has no neighbour but itself."""
    others = np.asarray(weights.sum(axis=1)).ravel() - weights.diagonal()
    island: NDArray[np.bool_] = others <= 0
    return island


def _require_permutations(n_permutations: int, random_state: int | None) -> None:
    if n_permutations < _LEAST_PERMUTATIONS:
        msg = (
            f"n_permutations: it is {n_permutations!r}, expected at least {_LEAST_PERMUTATIONS}. Use 999 for a report."
        )
        raise UsageError(msg)
    if random_state is None:
        msg = "random_state: it is None, expected an integer for permutations. Give the run's seed."
        raise UsageError(msg)


def _require_inputs(value: ArrayLike, neighbours: sparse.csr_array) -> tuple[FloatArray, sparse.csr_array]:
    """Values and weights as float, or one error."""
    x = np.asarray(value, dtype=float)
    if neighbours.shape != (len(x), len(x)):
        msg = f"neighbours: shape is {neighbours.shape}, expected {(len(x), len(x))}. Build both from the same units."
        raise InputError(msg)
    if not np.isfinite(x).all():
        msg = f"value: {int((~np.isfinite(x)).sum())} are not finite, expected numbers. Leave those units out."
        raise InputError(msg)
    return x, sparse.csr_array(neighbours).astype(float)
