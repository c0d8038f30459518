"""
Choosing stations for a whole country: the best few of thousands against every pair of places, with a proven gap.

The programme of `models.planning.solver.solving` is too large here, so value and bound come from two sides.

1. Greed, then swaps of one station for another until none helps, give a choice.
2. Prices of stations give a bound that no choice exceeds, and a second choice: the stations that the relaxed answer
   works most, swapped likewise (`pricing`).
3. A station whose forced choice would push the bound below the value at hand is fixed, and what is left, mostly a few
   dozen stations, is proven by the solver.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from geo.errors import UsageError
from models.planning.problem import fold_rows
from models.planning.solver.pricing import Decided, Meetings, build_meetings, decide_sites, find_bound

__all__ = ["Siting", "choose_sites"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_SAME = 1e-12
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


class _Core(NamedTuple):
    """The solver's choice, if it has one, and its bound on every choice that holds the decided stations."""

    sites: IntArray | None
    bound: float


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
        As in `models.planning.problem.encounters.Encounters`.
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
    meetings = build_meetings(hazard, worth)
    greedy = _grow(meetings, n_sites)
    greedy_value = _value(meetings, greedy)
    best = _swap(meetings, greedy, begun + 0.3 * time_limit_s)
    value = _value(meetings, best)
    relaxed = find_bound(meetings, n_sites, value, gap_share, begun + 0.6 * time_limit_s)
    bound = relaxed.bound
    rounded = _swap(meetings, np.sort(np.argsort(-relaxed.point, kind="stable")[:n_sites]), begun + 0.7 * time_limit_s)
    if _value(meetings, rounded) > value:
        best, value = rounded, _value(meetings, rounded)
    n_core = 0
    left_s = time_limit_s - (time.perf_counter() - begun)
    if bound - value > gap_share * bound and left_s > 1.0:
        decided = decide_sites(relaxed.prices, bound, value, n_sites)
        if decided.is_open.sum() <= _LARGEST_CORE:
            n_core = int(decided.is_open.sum())
            core = _solve_core(meetings, decided, n_sites, left_s, gap_share)
            # Any choice outside the core meets at most the value at hand.
            bound = min(bound, max(core.bound, value))
            if core.sites is not None and _value(meetings, core.sites) > value:
                best, value = core.sites, _value(meetings, core.sites)
    return Siting(
        tuple(np.sort(best).tolist()), value, max(bound, value), greedy_value, n_core, time.perf_counter() - begun
    )


def _value(meetings: Meetings, sites: IntArray) -> float:
    return float(meetings.worth @ meetings.met(_reach(meetings, sites)))


def _reach(meetings: Meetings, sites: IntArray) -> FloatArray:
    """Hazard of each pattern, or number of stations where meetings are certain."""
    return np.asarray(meetings.by_station[sites].sum(axis=0), dtype=float).ravel()


def _gains(meetings: Meetings, reach: FloatArray) -> FloatArray:
    """What each station would add to the reach there is."""
    return np.asarray(meetings.gain @ (meetings.worth * (1.0 - meetings.met(reach))))


def _grow(meetings: Meetings, n_sites: int) -> IntArray:
    """The choice with the station that adds most added again and again."""
    chosen: list[int] = []
    while len(chosen) < n_sites:
        gain = _gains(meetings, _reach(meetings, np.array(chosen, dtype=np.int64)))
        gain[chosen] = -1.0
        chosen.append(int(np.argmax(gain)))
    return np.array(chosen, dtype=np.int64)


def _swap(meetings: Meetings, sites: IntArray, until: float) -> IntArray:
    """The choice after every swap of one station for another that helps."""
    chosen, value = sites.copy(), _value(meetings, sites)
    at, idle = 0, 0
    while idle < chosen.size and time.perf_counter() < until:
        others = np.delete(chosen, at)
        gain = _gains(meetings, _reach(meetings, others))
        gain[others] = -1.0
        best = int(np.argmax(gain))
        new = _value(meetings, np.append(others, best))
        if new > value * (1 + _SAME):
            chosen[at], value, idle = best, new, 0
        else:
            idle += 1
        at = (at + 1) % chosen.size
    return chosen


def _solve_core(meetings: Meetings, decided: Decided, n_sites: int, left_s: float, gap_share: float) -> _Core:
    """The open stations decided by the solver."""
    is_in, is_open = decided.is_in, decided.is_open
    fixed = np.asarray(meetings.by_pattern @ is_in.astype(float))
    free = sparse.csr_matrix(meetings.by_pattern[:, is_open])
    touched = (np.diff(free.indptr) > 0) & ~(meetings.is_certain & (fixed >= 1.0))
    ground = float(meetings.worth @ meetings.met(fixed))
    # Rows that see the same open stations are taken as one.
    certain = meetings.is_certain[touched]
    folded = fold_rows(free[touched], label=certain)
    rows, certain = folded.rows, certain[folded.first]
    worth = folded.sum_worth((meetings.worth * (1.0 - meetings.met(fixed)))[touched])
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
        return _Core(None, bound)
    chosen = is_in.copy()
    chosen[np.flatnonzero(is_open)[np.asarray(result.x)[:n_open] > 0.5]] = True
    return _Core(np.flatnonzero(chosen), bound)
