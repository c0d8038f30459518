r"""
Choosing stations for a whole country: the best few of thousands against every pair of places, with a proven gap.

The programme of `models.planning.solving` is too large here, so value and bound come from two sides.

1. Greed, then swaps of one station for another until none helps, give a choice.
2. For any slopes :math:`\lambda_r \ge 0`, no n stations meet more than

   .. math:: \sum_r w_r \max_u \{g(u) - \lambda_r u\} + \text{the } n \text{ largest of } \sum_r a_{rk} w_r \lambda_r,

   the Lagrangian bound of the location problem (Cornuejols, Fisher and Nemhauser [1]_). Slopes are those of g at the
   point that an accelerated gradient method [2]_ finds for a smoothed g, made sharper in steps.
3. A station whose forced choice would push the bound below the value at hand is fixed, and what is left, mostly a few
   dozen stations, is proven by the solver.

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
from scipy.optimize import Bounds, LinearConstraint, milp

from geo.errors import UsageError

__all__ = ["Priced", "Siting", "choose_sites", "price_sites"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

# A hazard of 10 misses one in 22,000: as good as certain, and bounded as such from above.
_CERTAIN = 10.0
# Smoothing of min(1, n), in stations, from coarse to sharp.
_SMOOTHING = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005)
_ROUNDS = 150
_SAME = 1e-12
_ALMOST = 1e-7
# A core larger than this is not worth handing to the solver.
_LARGEST_CORE = 400


@dataclass(frozen=True)
class Siting:
    """
    Stations chosen, and how good the choice is proven to be.

    Attributes
    ----------
    stations : tuple of int
        Columns chosen, in order.
    value : float
        Worth met.
    bound : float
        No choice meets more.
    greedy : float
        Worth that greed alone met.
    n_core : int
        Stations left open after fixing, which the solver decided; 0 where it was not needed or not asked.
    seconds : float
        Time taken.
    """

    stations: tuple[int, ...]
    value: float
    bound: float
    greedy: float
    n_core: int
    seconds: float

    @property
    def gap(self) -> float:
        """Share of the bound that may still be missed."""
        return max(0.0, 1.0 - self.value / self.bound) if self.bound > 0 else 0.0


@dataclass(frozen=True)
class Priced:
    """
    A choice, a bound, and what they decide.

    Attributes
    ----------
    sites : tuple of int
        The best choice found.
    value, bound : float
        Worth it meets, and what no choice exceeds.
    is_in, is_open : numpy.ndarray of shape (n_stations,)
        Stations that every better choice holds, and those that some might.
    """

    sites: tuple[int, ...]
    value: float
    bound: float
    is_in: BoolArray
    is_open: BoolArray


@dataclass(frozen=True)
class _Patterns:
    """Hazards with certain rows counted in stations, both ways round; their meeting shares; what each row is worth."""

    by_pattern: sparse.csr_matrix
    by_station: sparse.csr_matrix
    gain: sparse.csr_matrix
    worth: FloatArray
    is_certain: BoolArray

    def met(self, reach: FloatArray) -> FloatArray:
        """The concave meeting share, exact at whole choices."""
        return np.where(self.is_certain, np.minimum(reach, 1.0), -np.expm1(-reach))


def choose_sites(
    hazard: sparse.csr_matrix,
    worth: FloatArray,
    *,
    n_sites: int,
    gap_share: float = 1e-3,
    time_limit_s: float = 60.0,
) -> Siting:
    """
    Choose the stations that meet most.

    Parameters
    ----------
    hazard : scipy.sparse.csr_matrix of shape (n_patterns, n_stations)
        As in `models.planning.encounters.Encounters`.
    worth : numpy.ndarray of shape (n_patterns,)
        What each pattern carries.
    n_sites : int
        Stations to choose.
    gap_share : float
        Gap at which it stops.
    time_limit_s : float
        Seconds at which it stops; the gap is then what it is.

    Returns
    -------
    Siting
        Choice, value and bound.

    Raises
    ------
    UsageError
        If fewer than one or more than all stations are asked for.
    """
    begun = time.perf_counter()
    if not 1 <= n_sites <= hazard.shape[1]:
        msg = f"n_sites: is {n_sites!r}, expected 1 to the {hazard.shape[1]} stations there are. Mend it."
        raise UsageError(msg)
    patterns = _prepare(hazard, worth)
    greedy = _grow(patterns, np.zeros(0, dtype=np.int64), n_sites)
    greedy_value = _value(patterns, greedy)
    best = _swap(patterns, greedy, begun + 0.3 * time_limit_s)
    value = _value(patterns, best)
    point, prices, bound = _bound(patterns, n_sites, value, gap_share, begun + 0.6 * time_limit_s)
    rounded = _swap(patterns, np.sort(np.argsort(-point, kind="stable")[:n_sites]), begun + 0.7 * time_limit_s)
    if _value(patterns, rounded) > value:
        best, value = rounded, _value(patterns, rounded)
    n_core = 0
    left_s = time_limit_s - (time.perf_counter() - begun)
    if bound - value > gap_share * bound and left_s > 1.0:
        is_in, is_open = _fix(prices, bound, value, n_sites)
        if is_open.sum() <= _LARGEST_CORE:
            n_core = int(is_open.sum())
            found, core_bound = _solve_core(patterns, is_in, is_open, n_sites, left_s, gap_share)
            # Any choice outside the core meets at most the value at hand.
            bound = min(bound, max(core_bound, value))
            if found is not None and _value(patterns, found) > value:
                best, value = found, _value(patterns, found)
    return Siting(
        tuple(np.sort(best).tolist()), value, max(bound, value), greedy_value, n_core, time.perf_counter() - begun
    )


def price_sites(hazard: sparse.csr_matrix, worth: FloatArray, *, n_sites: int, until: float) -> Priced:
    """
    Price stations and decide those that can be decided.

    Parameters
    ----------
    hazard : scipy.sparse.csr_matrix of shape (n_patterns, n_stations)
        As for `choose_sites`.
    worth : numpy.ndarray of shape (n_patterns,)
        What each pattern carries.
    n_sites : int
        Stations to choose.
    until : float
        Instant of `time.perf_counter` at which it stops.

    Returns
    -------
    Priced
        Choice, bound and decisions.
    """
    patterns = _prepare(hazard, worth)
    sites = _swap(patterns, _grow(patterns, np.zeros(0, dtype=np.int64), n_sites), until)
    # Certain meetings are all but certain; the value stays on the safe side of that.
    value = _value(patterns, sites) * (1.0 - _ALMOST)
    _, prices, bound = _bound(patterns, n_sites, value, 0.0, until)
    return Priced(tuple(np.sort(sites).tolist()), value, bound, *_fix(prices, bound, value, n_sites))


def _prepare(hazard: sparse.csr_matrix, worth: FloatArray) -> _Patterns:
    used = (np.diff(hazard.indptr) > 0) & (worth > 0)
    rows = sparse.csr_matrix(hazard[used])
    least = np.minimum.reduceat(rows.data, rows.indptr[:-1]) if rows.nnz else np.zeros(0)
    is_certain = least >= _CERTAIN
    rows.data = np.where(np.repeat(is_certain, np.diff(rows.indptr)), 1.0, rows.data)
    by_station = sparse.csr_matrix(rows.T)
    gain = by_station.copy()
    gain.data = np.where(is_certain[by_station.indices], 1.0, -np.expm1(-by_station.data))
    return _Patterns(rows, by_station, gain, worth[used], is_certain)


def _value(patterns: _Patterns, sites: IntArray) -> float:
    return float(patterns.worth @ patterns.met(_reach(patterns, sites)))


def _reach(patterns: _Patterns, sites: IntArray) -> FloatArray:
    """Hazard of each pattern, or number of stations where meetings are certain."""
    return np.asarray(patterns.by_station[sites].sum(axis=0), dtype=float).ravel()


def _gains(patterns: _Patterns, reach: FloatArray) -> FloatArray:
    """What each station would add to the reach there is."""
    return np.asarray(patterns.gain @ (patterns.worth * (1.0 - patterns.met(reach))))


def _grow(patterns: _Patterns, sites: IntArray, n_sites: int) -> IntArray:
    """The choice with the station that adds most added again and again."""
    chosen = sites.tolist()
    while len(chosen) < n_sites:
        gain = _gains(patterns, _reach(patterns, np.array(chosen, dtype=np.int64)))
        gain[chosen] = -1.0
        chosen.append(int(np.argmax(gain)))
    return np.array(chosen, dtype=np.int64)


def _swap(patterns: _Patterns, sites: IntArray, until: float) -> IntArray:
    """The choice after every swap of one station for another that helps."""
    chosen, value = sites.copy(), _value(patterns, sites)
    at, idle = 0, 0
    while idle < chosen.size and time.perf_counter() < until:
        others = np.delete(chosen, at)
        gain = _gains(patterns, _reach(patterns, others))
        gain[others] = -1.0
        best = int(np.argmax(gain))
        new = _value(patterns, np.append(others, best))
        if new > value * (1 + _SAME):
            chosen[at], value, idle = best, new, 0
        else:
            idle += 1
        at = (at + 1) % chosen.size
    return chosen


def _bound(
    patterns: _Patterns, n_sites: int, value: float, gap_share: float, until: float
) -> tuple[FloatArray, FloatArray, float]:
    """A point of the relaxation, the price of each station, and the least bound that prices have given."""
    n = patterns.by_pattern.shape[1]
    point = np.full(n, n_sites / n)
    best_bound, best_prices = np.inf, np.zeros(n)
    for smoothing in _SMOOTHING:
        speed, ahead = 1.0, point.copy()
        step = _step(patterns, smoothing)
        for _ in range(_ROUNDS):
            slopes = _slopes(patterns, np.asarray(patterns.by_pattern @ ahead), smoothing)
            prices = np.asarray(patterns.by_station @ (patterns.worth * slopes))
            bound = _lagrangian(patterns, slopes, prices, n_sites)
            if bound < best_bound:
                best_bound, best_prices = bound, prices
            new = _project(ahead + step * prices, n_sites)
            faster = (1 + np.sqrt(1 + 4 * speed**2)) / 2
            # Momentum that points back is dropped (restart of O'Donoghue and Candes).
            carry = (speed - 1) / faster if prices @ (new - point) >= 0 else 0.0
            ahead, speed = new + carry * (new - point), faster if carry or speed == 1.0 else 1.0
            point = new
            if best_bound - value <= gap_share * best_bound or time.perf_counter() > until:
                return point, best_prices, best_bound
    return point, best_prices, best_bound


def _step(patterns: _Patterns, smoothing: float) -> float:
    """A step of the gradient method, from the largest curvature that a station has with its rows."""
    curve = np.where(patterns.is_certain, 0.25 / smoothing, 1.0) * patterns.worth
    width = np.asarray(patterns.by_pattern.sum(axis=1)).ravel()
    curvature = np.asarray(patterns.by_station @ (curve * width))
    # Four times the safe step: rows seldom bend all at once, and the bound holds wherever the method goes.
    return 4.0 / max(float(curvature.max()), _SAME)


def _slopes(patterns: _Patterns, reach: FloatArray, smoothing: float) -> FloatArray:
    """The slope of the smoothed meeting share."""
    sharp = np.clip((reach - 1.0) / smoothing, -50.0, 50.0)
    return np.where(patterns.is_certain, 1.0 / (1.0 + np.exp(sharp)), np.exp(-np.maximum(reach, 0.0)))


def _lagrangian(patterns: _Patterns, slopes: FloatArray, prices: FloatArray, n_sites: int) -> float:
    """The bound of these slopes."""
    safe = np.maximum(slopes, 1e-300)
    # The largest of 1 - exp(-u) - slope * u is at u = -ln(slope); that of min(1, n) - slope * n at n = 1.
    smooth = 1.0 - slopes + slopes * np.log(safe)
    rest = float(patterns.worth @ np.where(patterns.is_certain, 1.0 - slopes, smooth))
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


def _fix(prices: FloatArray, bound: float, value: float, n_sites: int) -> tuple[BoolArray, BoolArray]:
    """Stations in every better choice, and those still open."""
    ordered = np.sort(prices)[::-1]
    last_in = ordered[n_sites - 1]
    first_out = ordered[n_sites] if n_sites < prices.size else 0.0
    is_top = prices >= last_in
    # Taking a station below the line, or leaving out one above it, lowers the bound by the difference in price.
    is_out = ~is_top & (bound - (last_in - prices) < value)
    is_in = is_top & (bound - (prices - first_out) < value)
    return is_in, ~is_in & ~is_out


def _solve_core(
    patterns: _Patterns, is_in: BoolArray, is_open: BoolArray, n_sites: int, left_s: float, gap_share: float
) -> tuple[IntArray | None, float]:
    """The solver's choice among the open stations, and its bound on every choice that holds the fixed ones."""
    fixed = np.asarray(patterns.by_pattern @ is_in.astype(float))
    free = sparse.csr_matrix(patterns.by_pattern[:, is_open])
    touched = (np.diff(free.indptr) > 0) & ~(patterns.is_certain & (fixed >= 1.0))
    ground = float(patterns.worth @ patterns.met(fixed))
    rows, worth, certain = _merge(
        free[touched], (patterns.worth * (1.0 - patterns.met(fixed)))[touched], patterns.is_certain[touched]
    )
    n_open, n_rows = int(is_open.sum()), rows.shape[0]
    cuts = [(np.ones(n_rows), np.zeros(n_rows))]
    # Tangents of 1 - exp(-u) at these hazards; a certain pattern needs only t <= n.
    points = np.linspace(0.0, 3.0, 25)[1:]
    cuts += [(np.where(certain, 0.0, np.exp(-u)), np.where(certain, 1.0, 1 - np.exp(-u) * (1 + u))) for u in points]
    blocks, heights = [], []
    for k, (slope, height) in enumerate(cuts):
        keep = ~certain if k else np.ones(n_rows, dtype=bool)
        scaled = sparse.csr_matrix(sparse.diags(slope[keep]) @ rows[keep])
        blocks.append(sparse.hstack([-scaled, sparse.identity(n_rows, format="csr")[keep]], format="csr"))
        heights.append(height[keep])
    total = sparse.csr_matrix(np.concatenate([np.ones(n_open), np.zeros(n_rows)])[None, :])
    scale = float(worth.sum()) or 1.0
    result = milp(
        np.concatenate([np.zeros(n_open), -worth / scale]),
        integrality=np.concatenate([np.ones(n_open, dtype=np.int64), np.zeros(n_rows, dtype=np.int64)]),
        bounds=Bounds(0.0, 1.0),
        constraints=[
            LinearConstraint(sparse.vstack(blocks, format="csr"), -np.inf, np.concatenate(heights)),
            LinearConstraint(total, float(n_sites - is_in.sum()), float(n_sites - is_in.sum())),
        ],
        options={"time_limit": max(left_s, 1.0), "mip_rel_gap": gap_share / 2},
    )
    dual = getattr(result, "mip_dual_bound", None)
    bound = np.inf if dual is None or not np.isfinite(dual) else ground - float(dual) * scale
    if result.x is None:
        return None, bound
    chosen = is_in.copy()
    chosen[np.flatnonzero(is_open)[np.asarray(result.x)[:n_open] > 0.5]] = True
    return np.flatnonzero(chosen), bound


def _merge(
    rows: sparse.csr_matrix, worth: FloatArray, certain: BoolArray
) -> tuple[sparse.csr_matrix, FloatArray, BoolArray]:
    """Rows that see the same open stations taken as one."""
    rows.sort_indices()
    number: dict[bytes, int] = {}
    of_row = np.empty(rows.shape[0], dtype=np.int64)
    for k in range(rows.shape[0]):
        here = slice(rows.indptr[k], rows.indptr[k + 1])
        key = bytes([bool(certain[k])]) + rows.indices[here].tobytes() + rows.data[here].tobytes()
        of_row[k] = number.setdefault(key, len(number))
    _, first = np.unique(of_row, return_index=True)
    return sparse.csr_matrix(rows[first]), np.bincount(of_row, weights=worth).astype(float), certain[first]
