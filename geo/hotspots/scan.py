"""
The space-time permutation scan: where and when there were more offences together than place and time apart explain.

In: distinct positions and the period of each offence. Out: a table of cylinders with Monte Carlo and Gumbel p-values.
It needs no population: the expectation comes from the offences' own places and times, so a busy town or a busy month
is no cluster by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.spatial import cKDTree

from geo.errors import InputError, UsageError

__all__ = ["gumbel_p", "likelihood_ratio", "scan_space_time"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class _Cylinders:
    """Bases as rows of locations, and windows as first and last period."""

    base: sparse.csr_array
    centre: IntArray
    radius_m: FloatArray
    first: IntArray
    last: IntArray


def likelihood_ratio(n_observed: FloatArray, n_expected: FloatArray, n_total: float) -> FloatArray:
    r"""
    Measure the Poisson log likelihood ratio of a window, for more than expected.

    :math:`n \ln(n/\mu) + (N-n) \ln((N-n)/(N-\mu))` where :math:`n > \mu`, else 0.

    Parameters
    ----------
    n_observed, n_expected : numpy.ndarray
        Offences inside, observed and expected.
    n_total : float
        All offences.

    Returns
    -------
    numpy.ndarray
        The ratios.

    References
    ----------
    .. [1] Kulldorff, M., Heffernan, R., Hartman, J., Assuncao, R. and Mostashari, F. (2005). "A space-time permutation
       scan statistic for disease outbreak detection." PLoS Medicine 2(3), e59.

    Examples
    --------
    >>> likelihood_ratio(np.array([10.0, 2.0]), np.array([4.0, 4.0]), 100.0).round(3).tolist()
    [3.355, 0.0]
    """
    n, mu = np.broadcast_arrays(np.asarray(n_observed, dtype=float), np.asarray(n_expected, dtype=float))
    ratio = np.zeros(n.shape)
    more = n > mu
    inside, expected = n[more], mu[more]
    outside = n_total - inside
    rest = np.where(outside > 0, outside * np.log(np.maximum(outside, 1e-300) / (n_total - expected)), 0.0)
    ratio[more] = inside * np.log(inside / expected) + rest
    return ratio


def gumbel_p(statistic: FloatArray, replicates: FloatArray) -> FloatArray:
    """
    Give the upper tail of a Gumbel distribution fitted to maxima by moments.

    Parameters
    ----------
    statistic : numpy.ndarray
        Observed statistics.
    replicates : numpy.ndarray of shape (n_replicates,)
        Maximum of each replicate.

    Returns
    -------
    numpy.ndarray
        Probabilities, small ones too, which ranks among a few hundred replicates cannot give.

    References
    ----------
    .. [1] Abrams, A. M., Kleinman, K. and Kulldorff, M. (2010). "Gumbel based p-value approximations for spatial scan
       statistics." International Journal of Health Geographics 9, 61.
    """
    scale = replicates.std(ddof=1) * np.sqrt(6) / np.pi
    location = replicates.mean() - np.euler_gamma * scale
    tail: FloatArray = -np.expm1(-np.exp(-(np.asarray(statistic) - location) / scale))
    return tail


def scan_space_time(
    easting_m: FloatArray,
    northing_m: FloatArray,
    period: IntArray,
    *,
    most_radius_m: float,
    most_periods: int,
    random_state: int,
    n_permutations: int = 999,
    most_neighbours: int = 60,
    is_prospective: bool = False,
    most_clusters: int = 10,
) -> pd.DataFrame:
    r"""
    Scan for space-time clusters.

    A cylinder is the offences within a circle round one of their positions during consecutive periods. It is expected
    to hold :math:`\mu_A = \frac{1}{N} \sum_{(z,t) \in A} N_z N_t`. The p-value compares with the best cylinder of
    replicates in which the periods are shuffled over the positions.

    Parameters
    ----------
    easting_m, northing_m : numpy.ndarray of shape (n,)
        Position of each offence, EPSG:27700 metres. Equal positions are one location.
    period : numpy.ndarray of shape (n,)
        Whole number of its month, week or day.
    most_radius_m : float
        Largest radius.
    most_periods : int
        Longest window.
    random_state : int
        Seed.
    n_permutations : int, default 999
        Replicates.
    most_neighbours : int, default 60
        Most locations in a circle, to bound the work.
    is_prospective : bool, default False
        Whether only windows that reach the last period count: clusters that are still alive.
    most_clusters : int, default 10
        Clusters to report: the best one, then the best of those that share no location with one before.

    Returns
    -------
    pandas.DataFrame
        ``easting_m, northing_m, radius_m, first_period, last_period, n_observed, n_expected, log_likelihood_ratio,
        p_value, gumbel_p_value``, best first.

    Raises
    ------
    UsageError
        If an option is out of range.
    InputError
        If there are no offences or only one period.
    """
    for name, value, least in (
        ("most_radius_m", most_radius_m, 0),
        ("most_periods", most_periods, 1),
        ("n_permutations", n_permutations, 9),
        ("most_neighbours", most_neighbours, 1),
    ):
        if value < least:
            msg = f"{name}: it is {value!r}, expected at least {least}. Raise it."
            raise UsageError(msg)
    at, location = np.unique(np.column_stack([easting_m, northing_m]), axis=0, return_inverse=True)
    location = location.reshape(-1)
    if not len(at) or np.ptp(period) == 0:
        msg = "offences: they lie in fewer than 2 periods, expected at least 2. Widen the months."
        raise InputError(msg)
    # The order of rows must not matter, and shuffling starts from it.
    order = np.lexsort((period, location))
    location, step = location[order], (period - period.min())[order].astype(np.int64)
    n_periods = int(step.max()) + 1
    cylinders = _build_cylinders(
        at, n_periods, most_radius_m, most_periods, most_neighbours, is_prospective=is_prospective
    )
    expected = _expect(cylinders, location, step, len(at), n_periods)
    observed = _count(cylinders, location, step, len(at), n_periods)
    ratio = likelihood_ratio(observed, expected, len(step))
    rng = np.random.default_rng(random_state)
    best = np.empty(n_permutations)
    for replicate in range(n_permutations):
        shuffled = _count(cylinders, location, rng.permutation(step), len(at), n_periods)
        best[replicate] = likelihood_ratio(shuffled, expected, len(step)).max()
    rows = _pick(cylinders, ratio, most_clusters)
    base, window = rows[:, 0], rows[:, 1]
    found = ratio[base, window]
    # A tie with a replicate counts against the cluster, also when rounding made it look smaller.
    n_as_good = (best[None, :] >= found[:, None] * (1 - 1e-12)).sum(axis=1)
    return pd.DataFrame(
        {
            "easting_m": at[cylinders.centre[base], 0],
            "northing_m": at[cylinders.centre[base], 1],
            "radius_m": cylinders.radius_m[base],
            "first_period": cylinders.first[window] + int(period.min()),
            "last_period": cylinders.last[window] + int(period.min()),
            "n_observed": observed[base, window].astype(np.int64),
            "n_expected": expected[base, window],
            "log_likelihood_ratio": found,
            "p_value": (1 + n_as_good) / (n_permutations + 1),
            "gumbel_p_value": gumbel_p(found, best),
        }
    )


def _build_cylinders(
    at: FloatArray,
    n_periods: int,
    most_radius_m: float,
    most_periods: int,
    most_neighbours: int,
    *,
    is_prospective: bool,
) -> _Cylinders:
    """Every circle round a location that ends at another, and every window."""
    k = min(most_neighbours, len(at))
    distance_m, near = cKDTree(at).query(at, k=k, distance_upper_bound=np.nextafter(most_radius_m, np.inf))
    distance_m, near = np.reshape(distance_m, (len(at), k)), np.reshape(near, (len(at), k))
    centre, rank = np.nonzero(np.isfinite(distance_m))
    radius_m = distance_m[centre, rank]
    # A circle holds all locations at its radius: only the last of equal distances makes one.
    is_last = np.append((centre[1:] != centre[:-1]) | (radius_m[1:] > radius_m[:-1]), True)
    centre, rank, radius_m = centre[is_last], rank[is_last], radius_m[is_last]
    size = rank + 1
    row = np.repeat(np.arange(len(centre)), size)
    slot = np.arange(len(row)) - np.repeat(np.cumsum(size) - size, size)
    base = sparse.csr_array((np.ones(len(row)), (row, near[centre[row], slot])), shape=(len(centre), len(at)))
    first, last = np.triu_indices(n_periods)
    keep = last - first < most_periods
    if is_prospective:
        keep &= last == n_periods - 1
    return _Cylinders(base, centre, radius_m, first[keep], last[keep])


def _window_sums(by_period: FloatArray, cylinders: _Cylinders) -> FloatArray:
    """Sums over each window of values by period."""
    running = np.concatenate([np.zeros((len(by_period), 1)), np.cumsum(by_period, axis=1)], axis=1)
    sums: FloatArray = running[:, cylinders.last + 1] - running[:, cylinders.first]
    return sums


def _count(cylinders: _Cylinders, location: IntArray, step: IntArray, n_locations: int, n_periods: int) -> FloatArray:
    """Offences in each cylinder, of shape (n_bases, n_windows)."""
    cube = np.bincount(location * n_periods + step, minlength=n_locations * n_periods).astype(float)
    return _window_sums(cylinders.base @ cube.reshape(n_locations, n_periods), cylinders)


def _expect(cylinders: _Cylinders, location: IntArray, step: IntArray, n_locations: int, n_periods: int) -> FloatArray:
    """Offences expected in each cylinder."""
    of_place = cylinders.base @ np.bincount(location, minlength=n_locations).astype(float)
    of_time = np.bincount(step, minlength=n_periods).astype(float)
    return _window_sums(of_place[:, None] * of_time[None, :] / len(step), cylinders)


def _pick(cylinders: _Cylinders, ratio: FloatArray, most_clusters: int) -> IntArray:
    """Best cylinder, then the best that shares no location with those before; base and window of each."""
    best_window = ratio.argmax(axis=1)
    best = ratio[np.arange(len(ratio)), best_window]
    taken = np.zeros(cylinders.base.shape[1], dtype=bool)
    picked: list[tuple[int, int]] = []
    # Equal ratios go to the smaller circle, then to the first location.
    for row in np.lexsort((cylinders.centre, cylinders.radius_m, -best)):
        inside = cylinders.base.indices[cylinders.base.indptr[row] : cylinders.base.indptr[row + 1]]
        if best[row] <= 0 or len(picked) == most_clusters:
            break
        if not taken[inside].any():
            taken[inside] = True
            picked.append((int(row), int(best_window[row])))
    return np.array(picked, dtype=np.int64).reshape(-1, 2)
