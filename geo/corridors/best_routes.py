"""
The k best ways from one origin to the end of every ride, and the stations along them.

Works on the solved paths of `geo.corridors.paths`, so the ways are those the assignment uses: sensible rides, no
needless change. Stations are taken nearest first; at each, the best ways that arrive by train and the way there without
one are merged, and every ride that leaves it takes the first k that may go on with it. The k are exact: whatever is
left out has k cheaper ways before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from geo.corridors.paths import OriginPaths
from geo.corridors.rides import FloatArray, IntArray

__all__ = ["BestWays", "StopRole", "find_best_ways", "trace_stops"]


class StopRole(IntEnum):
    """What a courier does at a station of a route."""

    BOARD = 0
    CHANGE = 1
    CALL = 2
    ALIGHT = 3


@dataclass(frozen=True)
class BestWays:
    """
    The best ways from one origin, cheapest first.

    Attributes
    ----------
    cost_min : numpy.ndarray of shape (n_rides, k)
        Generalised minutes of the ways that end with each ride; infinite where there are fewer.
    before, rank : numpy.ndarray of shape (n_rides, k)
        The ride before and the rank of the way it ends; -1 before the first ride.
    arrivals : dict of int to tuple
        For each station in reach, costs, last rides and ranks of its k best arrivals by train.
    """

    cost_min: FloatArray
    before: IntArray
    rank: IntArray
    arrivals: dict[int, tuple[FloatArray, IntArray, IntArray]]


def find_best_ways(paths: OriginPaths, *, most_routes: int) -> BestWays:
    """
    Find the best ways to the end of every ride.

    Parameters
    ----------
    paths : OriginPaths
        Solved paths of the origin.
    most_routes : int
        How many ways are kept, at most.

    Returns
    -------
    BestWays
        By ride and by station.
    """
    k = most_routes
    rides = paths.rides
    used = np.flatnonzero((paths.likelihood > 0) | (paths.first_weight > 0))
    first_cost_min = np.where(paths.first_weight > 0, paths.start_cost_min[rides.tail] + rides.first_cost_min, np.inf)
    best = BestWays(
        np.full((rides.tail.size, k), np.inf),
        np.full((rides.tail.size, k), -1, dtype=np.int32),
        np.full((rides.tail.size, k), -1, dtype=np.int32),
        {},
    )
    leaving = used[np.argsort(rides.tail[used], kind="stable")]
    arriving = used[np.argsort(rides.head[used], kind="stable")]
    every_station = np.arange(rides.n_stations + 1)
    leaving_from = np.searchsorted(rides.tail[leaving], every_station)
    arriving_from = np.searchsorted(rides.head[arriving], every_station)
    shunned_from = np.searchsorted(rides.needless[1], np.arange(rides.tail.size + 1))
    slots = np.arange(k, dtype=np.int32)
    for station in paths.order.tolist():
        into = arriving[arriving_from[station] : arriving_from[station + 1]]
        cost = best.cost_min[into].ravel()
        ride, rank = np.repeat(into, k).astype(np.int32), np.tile(slots, into.size)
        found = np.isfinite(cost)
        cost, ride, rank = cost[found], ride[found], rank[found]
        order = np.lexsort((rank, ride, cost))
        cost, ride, rank = cost[order], ride[order], rank[order]
        best.arrivals[station] = (cost[:k], ride[:k], rank[:k])
        onward = leaving[leaving_from[station] : leaving_from[station + 1]]
        pick = _pick_allowed(ride, rides.needless[0], shunned_from, onward, k)
        pick[paths.likelihood[onward] == 0] = -1
        # To the ways that came by train comes the one that starts here, which has its own price.
        known = np.where(pick >= 0, np.append(cost, np.inf)[pick] + rides.cost_min[onward, None], np.inf)
        every = np.concatenate([first_cost_min[onward, None], known], axis=1)
        chosen = np.argsort(every, axis=1, kind="stable")[:, :k]
        rows = np.arange(onward.size)[:, None]
        best.cost_min[onward] = every[rows, chosen] + paths.extra_min[onward, None]
        comes = (chosen > 0) & np.isfinite(every[rows, chosen])
        source = pick[rows, np.maximum(chosen - 1, 0)]
        best.before[onward] = np.where(comes, np.append(ride, -1)[source], -1)
        best.rank[onward] = np.where(comes, np.append(rank, -1)[source], -1)
    return best


def _pick_allowed(
    ride: IntArray, shunned: NDArray[np.int64], shunned_from: NDArray[np.int64], onward: NDArray[np.int64], k: int
) -> NDArray[np.int64]:
    """For each ride onward, positions of the first k arrivals after which one may change to it; -1 for none."""
    pick = np.full((onward.size, k), -1, dtype=np.int64)
    pick[:, : min(k, ride.size)] = np.arange(min(k, ride.size))
    low, high = shunned_from[onward], shunned_from[onward + 1]
    arrived = ride.tolist()
    for row in np.flatnonzero(high > low).tolist():
        avoid = set(shunned[low[row] : high[row]].tolist())
        allowed = list(islice((place for place, last in enumerate(arrived) if last not in avoid), k))
        pick[row] = allowed + [-1] * (k - len(allowed))
    return pick


def trace_stops(paths: OriginPaths, ways: BestWays, ride: IntArray, rank: IntArray) -> NDArray[np.int64]:
    """
    Follow ways back and list where they can be met.

    Parameters
    ----------
    paths : OriginPaths
        Solved paths of the origin.
    ways : BestWays
        Its best ways.
    ride, rank : numpy.ndarray of shape (n_routes,)
        Last ride and rank of each way to follow.

    Returns
    -------
    numpy.ndarray of shape (3, n_stops)
        Route, station and `StopRole`, in the order of the journey; calls of one ride by distance from the origin.
    """
    rides = paths.rides
    route = np.arange(ride.size)
    parts = [np.stack([route, np.zeros_like(route), rides.head[ride], np.full_like(route, StopRole.ALIGHT), route * 0])]
    going_on = StopRole.CHANGE if rides.has_timetable else StopRole.CALL
    back = 0
    while route.size:
        # Positions count back from the end: the calls of a ride come before its end and after its start.
        calls = rides.calls[ride].tocoo()
        nearness = np.argsort(np.argsort(-paths.distance_min, kind="stable"), kind="stable")
        parts.append(
            np.stack(
                [
                    route[calls.row],
                    np.full(calls.nnz, back + 1),
                    calls.col,
                    np.full(calls.nnz, StopRole.CALL),
                    nearness[calls.col],
                ]
            )
        )
        before = ways.before[ride, rank]
        role = np.where(before < 0, int(StopRole.BOARD), int(going_on))
        parts.append(np.stack([route, np.full(route.size, back + 2), rides.tail[ride], role, route * 0]))
        rank = ways.rank[ride, rank]
        more = before >= 0
        route, ride, rank = route[more], before[more], rank[more]
        back += 2
    stops = np.concatenate(parts, axis=1).astype(np.int64)
    order = np.lexsort((-stops[4], -stops[1], stops[0]))
    ordered: NDArray[np.int64] = stops[[0, 2, 3]][:, order]
    return ordered
