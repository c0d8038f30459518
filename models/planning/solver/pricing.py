r"""
Prices of stations, the bound that they prove, and the stations that they decide.

For any slopes :math:`\lambda_r \ge 0`, no n stations meet more than

.. math:: \sum_r w_r \max_u \{g(u) - \lambda_r u\} + \text{the } n \text{ largest of } \sum_r a_{rk} w_r \lambda_r,

the Lagrangian bound of the location problem (Cornuejols, Fisher and Nemhauser [1]_). Slopes are those of g at the point
that an accelerated gradient method [2]_ finds for a smoothed g, made sharper in steps.

Departure: g is :math:`1 - e^{-u}`; patterns in which every meeting is certain use :math:`\min(1, n)`, a better bound.

References
----------
.. [1] Cornuejols, G., Fisher, M. L. and Nemhauser, G. L. (1977). "Location of bank accounts to optimize float: An
   analytic study of exact and approximate algorithms." Management Science 23(8), 789-810.
.. [2] Nesterov, Y. (2005). "Smooth minimization of non-smooth functions." Mathematical Programming 103(1), 127-152.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

__all__ = ["Decided", "Meetings", "Relaxed", "build_meetings", "decide_sites", "find_bound"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

# A hazard of 10 misses one in 22,000: as good as certain, and bounded as such from above.
_CERTAIN = 10.0
# Smoothing of min(1, n), in stations, from coarse to sharp.
_SMOOTHING = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005)
_ROUNDS = 150
_SAME = 1e-12


@dataclass(frozen=True)
class Meetings:
    """
    What stations meet, row by row; rows in which every meeting is certain count stations instead of hazards.

    Attributes
    ----------
    by_pattern : scipy.sparse.csr_matrix of shape (n_rows, n_stations)
        Hazards, or ones.
    by_station : scipy.sparse.csr_matrix of shape (n_stations, n_rows)
        The same the other way round.
    gain : scipy.sparse.csr_matrix of shape (n_stations, n_rows)
        Share of what is not yet met that the station meets.
    worth : numpy.ndarray of shape (n_rows,)
        What each row carries.
    is_certain : numpy.ndarray of shape (n_rows,)
        Whether every meeting in it is certain.
    """

    by_pattern: sparse.csr_matrix
    by_station: sparse.csr_matrix
    gain: sparse.csr_matrix
    worth: FloatArray
    is_certain: BoolArray

    def met(self, reach: FloatArray) -> FloatArray:
        """
        Measure the concave meeting share, exact at whole choices.

        Parameters
        ----------
        reach : numpy.ndarray of shape (n_rows,)
            Hazard of each row, or number of stations where meetings are certain.

        Returns
        -------
        numpy.ndarray of shape (n_rows,)
            Shares in [0, 1].
        """
        return np.where(self.is_certain, np.minimum(reach, 1.0), -np.expm1(-reach))


@dataclass(frozen=True)
class Relaxed:
    """
    The answer where stations may be worked in part.

    Attributes
    ----------
    point : numpy.ndarray of shape (n_stations,)
        Part of each station that is worked.
    prices : numpy.ndarray of shape (n_stations,)
        What each station is worth under the slopes of the bound.
    bound : float
        The least that prices have given: no choice meets more.
    """

    point: FloatArray
    prices: FloatArray
    bound: float


@dataclass(frozen=True)
class Decided:
    """
    What prices decide of a choice.

    Attributes
    ----------
    is_in, is_open : numpy.ndarray of shape (n_stations,)
        Stations that every better choice holds, and those that some might; the others are in none.
    """

    is_in: BoolArray
    is_open: BoolArray


def build_meetings(hazard: sparse.csr_matrix, worth: FloatArray) -> Meetings:
    """
    Build what stations meet.

    Parameters
    ----------
    hazard : scipy.sparse.csr_matrix of shape (n_patterns, n_stations)
        As in `models.planning.problem.encounters.Encounters`.
    worth : numpy.ndarray of shape (n_patterns,)
        What each pattern carries.

    Returns
    -------
    Meetings
        Of the patterns that carry anything and that any station sees.
    """
    used = (np.diff(hazard.indptr) > 0) & (worth > 0)
    rows = sparse.csr_matrix(hazard[used])
    least = np.minimum.reduceat(rows.data, rows.indptr[:-1]) if rows.nnz else np.zeros(0)
    is_certain = least >= _CERTAIN
    rows.data = np.where(np.repeat(is_certain, np.diff(rows.indptr)), 1.0, rows.data)
    by_station = sparse.csr_matrix(rows.T)
    gain = by_station.copy()
    gain.data = np.where(is_certain[by_station.indices], 1.0, -np.expm1(-by_station.data))
    return Meetings(rows, by_station, gain, worth[used], is_certain)


def find_bound(meetings: Meetings, n_sites: int, value: float, gap_share: float, until: float) -> Relaxed:
    """
    Find what no choice of stations exceeds.

    Parameters
    ----------
    meetings : Meetings
        What stations meet.
    n_sites : int
        Stations to choose.
    value : float
        Worth that the best choice at hand meets.
    gap_share : float
        Gap at which it stops.
    until : float
        Instant of `time.perf_counter` at which it stops.

    Returns
    -------
    Relaxed
        Bound, the prices that gave it, and the last point.
    """
    n = meetings.by_pattern.shape[1]
    point = np.full(n, n_sites / n)
    best_bound, best_prices = np.inf, np.zeros(n)
    for smoothing in _SMOOTHING:
        speed, ahead = 1.0, point.copy()
        step = _step(meetings, smoothing)
        for _ in range(_ROUNDS):
            slopes = _slopes(meetings, np.asarray(meetings.by_pattern @ ahead), smoothing)
            prices = np.asarray(meetings.by_station @ (meetings.worth * slopes))
            bound = _lagrangian(meetings, slopes, prices, n_sites)
            if bound < best_bound:
                best_bound, best_prices = bound, prices
            new = _project(ahead + step * prices, n_sites)
            faster = (1 + np.sqrt(1 + 4 * speed**2)) / 2
            # Momentum that points back is dropped (restart of O'Donoghue and Candes).
            carry = (speed - 1) / faster if prices @ (new - point) >= 0 else 0.0
            ahead, speed = new + carry * (new - point), faster if carry or speed == 1.0 else 1.0
            point = new
            if best_bound - value <= gap_share * best_bound or time.perf_counter() > until:
                return Relaxed(point, best_prices, best_bound)
    return Relaxed(point, best_prices, best_bound)


def _step(meetings: Meetings, smoothing: float) -> float:
    """A step of the gradient method, from the largest curvature that a station has with its rows."""
    curve = np.where(meetings.is_certain, 0.25 / smoothing, 1.0) * meetings.worth
    width = np.asarray(meetings.by_pattern.sum(axis=1)).ravel()
    curvature = np.asarray(meetings.by_station @ (curve * width))
    # Four times the safe step: rows seldom bend all at once, and the bound holds wherever the method goes.
    return 4.0 / max(float(curvature.max()), _SAME)


def _slopes(meetings: Meetings, reach: FloatArray, smoothing: float) -> FloatArray:
    """The slope of the smoothed meeting share."""
    sharp = np.clip((reach - 1.0) / smoothing, -50.0, 50.0)
    return np.where(meetings.is_certain, 1.0 / (1.0 + np.exp(sharp)), np.exp(-np.maximum(reach, 0.0)))


def _lagrangian(meetings: Meetings, slopes: FloatArray, prices: FloatArray, n_sites: int) -> float:
    """The bound of these slopes."""
    safe = np.maximum(slopes, 1e-300)
    # The largest of 1 - exp(-u) - slope * u is at u = -ln(slope); that of min(1, n) - slope * n at n = 1.
    smooth = 1.0 - slopes + slopes * np.log(safe)
    rest = float(meetings.worth @ np.where(meetings.is_certain, 1.0 - slopes, smooth))
    return rest + float(np.partition(prices, prices.size - n_sites)[prices.size - n_sites :].sum())


def _project(point: FloatArray, n_sites: int) -> FloatArray:
    """The nearest point of [0, 1] that sums to the number of sites."""
    # With a level taken off, the sum is straight between the levels where a value enters or leaves the middle.
    order = np.argsort(ends := np.concatenate([point - 1.0, point]), kind="stable")
    levels, n_between = ends[order], np.cumsum(np.where(order < point.size, 1, -1))
    fallen = np.cumsum(n_between[:-1] * np.diff(levels))
    wanted = point.size - n_sites
    after = min(int(np.searchsorted(fallen, wanted)), fallen.size - 1)
    level = levels[after] + (wanted - (fallen[after - 1] if after else 0.0)) / n_between[after]
    return np.asarray(np.clip(point - level, 0.0, 1.0), dtype=float)


def decide_sites(prices: FloatArray, bound: float, value: float, n_sites: int) -> Decided:
    """
    Decide the stations that can be decided without the solver.

    Parameters
    ----------
    prices : numpy.ndarray of shape (n_stations,)
        Price of each station.
    bound : float
        The bound that these prices give.
    value : float
        Worth that the best choice at hand meets.
    n_sites : int
        Stations to choose.

    Returns
    -------
    Decided
        What every better choice holds, and what some might.
    """
    ordered = np.sort(prices)[::-1]
    last_in = ordered[n_sites - 1]
    first_out = ordered[n_sites] if n_sites < prices.size else 0.0
    is_top = prices >= last_in
    # Taking a station below the line, or leaving out one above it, lowers the bound by the difference in price.
    is_out = ~is_top & (bound - (last_in - prices) < value)
    is_in = is_top & (bound - (prices - first_out) < value)
    return Decided(is_in, ~is_in & ~is_out)
