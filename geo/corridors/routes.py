r"""
The few best ways of each pair of places, listed, for a plan that must know who passes where and what they do next.

In come `geo.tables.COURIER_FLOWS` and the railway; out come `RouteSets`: for each pair its best rail routes, at most k,
as many by every other public mode, and the road, each with a cost, a probability and the stations at which it can be
met. `reassign_routes` answers what
happens when some routes become dearer, by the pivot form of the nested logit (Bates, Ashley and Hyman [1]_): with
within-rail shares p, penalties v and scales :math:`\mu \le \theta`,

.. math:: p'_r \propto p_r e^{-\theta v_r}, \qquad \Delta = -\tfrac{1}{\theta} \ln \sum_r p_r e^{-\theta v_r},

and the public modes and the road divide as their shares times :math:`e^{-\mu \Delta}` and :math:`e^{-\mu v_{road}}`.
No penalty gives back the probabilities there were, to the last digit that division allows.

The listed routes carry all rail trips of their pair: what the assignment lays on other ways is spread over them, and
`RouteSets.listed_share` says how much of it they really carry.

References
----------
.. [1] Bates, J., Ashley, D. and Hyman, G. (1987). "The nested incremental logit model: theory and application to modal
   choice." 15th PTRC Summer Annual Meeting, University of Bath.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.corridors.assignment import change_shares
from geo.corridors.best_routes import StopRole, find_best_ways, trace_stops
from geo.corridors.choice import MODE_SCALE_PER_MIN, OriginGroup, Supply, each_origin
from geo.corridors.rides import FloatArray, IntArray
from geo.errors import UsageError
from geo.schema import validate
from geo.tables import COURIER_FLOWS

__all__ = ["RouteSets", "StopRole", "list_route_sets", "reassign_routes"]

MOST_ROUTES = 5


@dataclass(frozen=True)
class RouteSets:
    """
    Routes by pair and stations by route, as ragged arrays.

    Attributes
    ----------
    flow_ids : tuple of str
        Pairs, in order of id.
    station_ids : tuple of str
        Stations that `station_indices` points into; those of rail first, then those of other public modes.
    trips_per_month : numpy.ndarray of shape (n_pairs,)
        Trips of each pair, all modes; what no mode can make has no route.
    route_indptr : numpy.ndarray of shape (n_pairs + 1,)
        Where the routes of each pair start: rail routes from the cheapest, those of other modes, then the road.
    cost_min : numpy.ndarray of shape (n_routes,)
        Generalised minutes door to door, comparable between rail and road.
    probability : numpy.ndarray of shape (n_routes,)
        Share of the pair's trips; sums to 1 over a pair that has routes.
    is_road : numpy.ndarray of shape (n_routes,)
        Whether no station sees it.
    station_indptr : numpy.ndarray of shape (n_routes + 1,)
        Where the stations of each route start.
    station_indices : numpy.ndarray
        Stations in the order of the journey; between two changes by their distance from the origin.
    role : numpy.ndarray
        A `StopRole` each.
    platform_share : numpy.ndarray
        Chance that the courier stands on the platform there: 1 where boarding, changing or alighting, 0 on board at a
        call, and the station's change share where no timetable says which.
    listed_share : numpy.ndarray of shape (n_pairs,)
        Share of the pair's assigned trips by public modes that the listed routes carry; 1 where there are none.
    spread_per_min : float
        Logit scale between routes of a mode.
    mode : numpy.ndarray of shape (n_routes,), optional
        Number of the public mode of each route, from 0 for rail; 0 for the road. Rail alone where absent.
    """

    flow_ids: tuple[str, ...]
    station_ids: tuple[str, ...]
    trips_per_month: FloatArray
    route_indptr: NDArray[np.int64]
    cost_min: FloatArray
    probability: FloatArray
    is_road: NDArray[np.bool_]
    station_indptr: NDArray[np.int64]
    station_indices: IntArray
    role: NDArray[np.int8]
    platform_share: FloatArray
    listed_share: FloatArray
    spread_per_min: float
    mode: NDArray[np.int64] | None = None


@dataclass
class _Listed:
    """Routes of one origin: pair row, cost, and stops as (route, station, role)."""

    row: NDArray[np.int64]
    cost_min: FloatArray
    stops: NDArray[np.int64]


@dataclass
class _Mode:
    """Routes of one public mode of all origins: the same, the share of the pair's trips, and how sure a platform is."""

    row: NDArray[np.int64]
    cost_min: FloatArray
    stops: NDArray[np.int64]
    probability: FloatArray
    platform_share: FloatArray
    share: FloatArray
    listed_share: FloatArray


def list_route_sets(
    courier_flows: pd.DataFrame,
    supply: Supply,
    *,
    others: Sequence[Supply] = (),
    most_routes: int = MOST_ROUTES,
    change_share: pd.Series | None = None,
) -> RouteSets:
    """
    List the best routes of each pair by public modes, and its road.

    Parameters
    ----------
    courier_flows : pandas.DataFrame
        What `geo.corridors.choice.choose_modes` returned for the same supplies.
    supply : Supply
        The railway.
    others : sequence of Supply
        Further public modes; no station of theirs has the id of another.
    most_routes : int
        Routes listed for each pair and public mode, at most.
    change_share : pandas.Series, optional
        As for `geo.corridors.assignment.assign_flows`; of the railway.

    Returns
    -------
    RouteSets
        Pairs in order of id, whatever the order of the table.

    Raises
    ------
    UsageError
        If fewer than one route is asked for.
    """
    validate(courier_flows, COURIER_FLOWS)
    if most_routes < 1:
        msg = f"most_routes: is {most_routes!r}, expected at least 1. Ask for 3 to 5."
        raise UsageError(msg)
    flows = courier_flows.sort_index(kind="stable")
    modes = [
        _list_mode(flows, each, most_routes, change_shares(change_share if each is supply else None, each))
        for each in (supply, *others)
    ]
    return _assemble(flows, (supply, *others), modes)


def reassign_routes(
    routes: RouteSets, penalty_min: FloatArray, *, mode_scale_per_min: float = MODE_SCALE_PER_MIN
) -> FloatArray:
    """
    Divide each pair's trips again when its routes become dearer.

    Trips leave a route for others of its mode first, and then its mode for every other.

    Parameters
    ----------
    routes : RouteSets
        What `list_route_sets` returned.
    penalty_min : numpy.ndarray of shape (n_routes,)
        Generalised minutes added to each route, such as the dislike of being met there.
    mode_scale_per_min : float
        Logit scale between modes.

    Returns
    -------
    numpy.ndarray of shape (n_routes,)
        New probabilities; those of a pair sum to 1.

    Notes
    -----
    A pair that has one public mode and no road stays with it whatever the penalty: no further way is modelled.
    """
    n_pairs = len(routes.flow_ids)
    pair = np.repeat(np.arange(n_pairs), np.diff(routes.route_indptr))
    public = ~routes.is_road
    mode = np.zeros(pair.size, dtype=np.int64) if routes.mode is None else routes.mode
    n_modes = int(mode.max(initial=0)) + 1
    nest, n_nests = pair * n_modes + mode, n_pairs * n_modes
    share = np.bincount(nest[public], weights=routes.probability[public], minlength=n_nests)
    # The least penalty of a mode is taken out first, so that no sum underflows.
    least = np.full(n_nests, np.inf)
    np.minimum.at(least, nest[public], penalty_min[public])
    least = np.where(np.isfinite(least), least, 0.0)
    weight = routes.probability * np.exp(-routes.spread_per_min * (penalty_min - least[nest]) * public)
    total = np.bincount(nest[public], weights=weight[public], minlength=n_nests)
    some = (total > 0) & (share > 0)
    shift_min = least - np.log(np.where(some, total, 1.0) / np.where(some, share, 1.0)) / routes.spread_per_min
    # Modes that a pair does not have lower nothing.
    base = np.where(some, shift_min, np.inf).reshape(n_pairs, n_modes).min(axis=1)
    road = np.flatnonzero(routes.is_road)
    np.minimum.at(base, pair[road], penalty_min[road])
    base = np.where(np.isfinite(base), base, 0.0)
    gap_min = np.where(some, shift_min - np.repeat(base, n_modes), 0.0)
    nest_mass = share * np.exp(-mode_scale_per_min * gap_min)
    by_road = np.exp(-mode_scale_per_min * (penalty_min - base[pair]) * ~public)
    mass = np.where(public, 0.0, routes.probability * by_road)
    within = weight / np.where(some, total, 1.0)[nest]
    mass[public] = within[public] * nest_mass[nest[public]]
    whole = np.bincount(pair, weights=mass, minlength=n_pairs)
    return mass / np.where(whole > 0, whole, 1.0)[pair]


def _list_mode(flows: pd.DataFrame, supply: Supply, most_routes: int, changes: FloatArray) -> _Mode:
    """The best routes of every pair by one public mode."""
    offset_min, listed_share = np.zeros(len(flows)), np.ones(len(flows))
    parts: list[_Listed] = []
    for group in each_origin(flows, supply):
        listed = _list_group(group, supply, most_routes)
        parts.append(listed)
        has_path = np.isfinite(group.cost_min)
        rows = group.rows[has_path]
        offset_min[rows] = flows[f"{supply.mode}_cost_min"].to_numpy(dtype=float)[rows] - group.cost_min[has_path]
        carried = np.bincount(
            listed.row,
            weights=np.exp(-supply.spread_per_min * (listed.cost_min - _by_row(group, listed.row))),
            minlength=len(flows),
        )
        listed_share[rows] = np.minimum(carried[rows], 1.0)
    firsts = np.cumsum([0, *(p.row.size for p in parts)])
    row = np.concatenate([np.zeros(0, dtype=np.int64), *(p.row for p in parts)])
    cost = np.concatenate([np.zeros(0), *(p.cost_min for p in parts)]) + offset_min[row]
    stops = np.concatenate(
        [
            np.zeros((3, 0), dtype=np.int64),
            *(p.stops + np.array([[first], [0], [0]]) for p, first in zip(parts, firsts[:-1], strict=True)),
        ],
        axis=1,
    )
    share = flows[f"{supply.mode}_share"].to_numpy(dtype=float)
    least = np.full(len(flows), np.inf)
    np.minimum.at(least, row, cost)
    weight = np.exp(-supply.spread_per_min * (cost - least[row]))
    probability = share[row] * weight / np.bincount(row, weights=weight, minlength=len(flows))[row]
    unknown = 0.0 if supply.rides.has_timetable else changes[stops[1]]
    platform_share = np.where(stops[2] == StopRole.CALL, unknown, 1.0)
    return _Mode(row, cost, stops, probability, platform_share, share, listed_share)


def _by_row(group: OriginGroup, rows: NDArray[np.int64]) -> FloatArray:
    """Log-sum cost of each of the group's rows named."""
    order = np.argsort(group.rows)
    at = order[np.searchsorted(group.rows[order], rows)]
    cost_min: FloatArray = group.cost_min[at]
    return cost_min


def _list_group(group: OriginGroup, supply: Supply, k: int) -> _Listed:
    """The best routes of every pair of one origin."""
    ways = find_best_ways(group.paths, most_routes=k)
    entry = group.egress_share.tocoo()
    # Stations in the egress share are in use; their last mile is in the terminals.
    arrivals = [ways.arrivals[station] for station in entry.col.tolist()]
    counts = np.array([cost.size for cost, _, _ in arrivals], dtype=np.int64)
    pick = np.repeat(np.arange(entry.nnz), counts)
    cost = np.concatenate([np.zeros(0), *(a[0] for a in arrivals)])
    ride = np.concatenate([np.zeros(0, dtype=np.int32), *(a[1] for a in arrivals)])
    rank = np.concatenate([np.zeros(0, dtype=np.int32), *(a[2] for a in arrivals)])
    pair = entry.row[pick]
    shift_min = np.broadcast_to(group.paths.shift_min, supply.rides.n_stations)[entry.col]
    cost = cost + (shift_min + _last_mile(group, supply, entry.row, entry.col))[pick]
    order = np.lexsort((rank, ride, cost, pair))
    nth = np.arange(order.size) - np.searchsorted(pair[order], pair[order], side="left")
    chosen = order[nth < k]
    stops = trace_stops(group.paths, ways, ride[chosen], rank[chosen])
    return _Listed(group.rows[pair[chosen]], cost[chosen], stops)


def _last_mile(group: OriginGroup, supply: Supply, pair: IntArray, station: IntArray) -> FloatArray:
    """Generalised minutes from a station to the town of a pair."""
    terminals = supply.terminals
    destination = group.destinations[pair]
    n = supply.rides.n_stations
    owner = np.repeat(np.arange(len(terminals.point_ids)), np.diff(terminals.indptr))
    at = np.searchsorted(owner * n + terminals.stations, destination * n + station)
    cost_min: FloatArray = terminals.cost_min[at]
    return cost_min


def _assemble(flows: pd.DataFrame, supplies: Sequence[Supply], modes: Sequence[_Mode]) -> RouteSets:
    """Routes of all modes and the roads, in the order of the pairs."""
    road_cost = flows["road_cost_min"].to_numpy(dtype=float)
    by_road = np.flatnonzero(np.isfinite(road_cost))
    on_public = np.sum([each.share for each in modes], axis=0)
    road_share = 1.0 - on_public
    all_row = np.concatenate([*(each.row for each in modes), by_road])
    number = np.repeat(np.arange(len(modes) + 1), [*(each.row.size for each in modes), by_road.size])
    is_road = number == len(modes)
    all_cost = np.concatenate([*(each.cost_min for each in modes), road_cost[by_road]])
    order = np.lexsort((np.arange(all_row.size), all_cost, number, all_row))
    place = np.empty(order.size, dtype=np.int64)
    place[order] = np.arange(order.size)
    first_route = np.cumsum([0, *(each.row.size for each in modes)])
    first_station = np.cumsum([0, *(each.rides.n_stations for each in supplies)])
    stops = np.concatenate(
        [
            each.stops + np.array([[route], [station], [0]])
            for each, route, station in zip(modes, first_route[:-1], first_station[:-1], strict=True)
        ],
        axis=1,
    )
    platform_share = np.concatenate([each.platform_share for each in modes])
    moved = place[stops[0]]
    # Stops keep their order within a route, because the sort is stable.
    by_route = np.argsort(moved, kind="stable")
    stops, platform_share = stops[:, by_route], platform_share[by_route]
    carried = np.sum([each.share * each.listed_share for each in modes], axis=0)
    listed_share = modes[0].listed_share
    if len(modes) > 1:
        listed_share = np.where(on_public > 0, carried / np.where(on_public > 0, on_public, 1.0), 1.0)
    return RouteSets(
        flow_ids=tuple(flows.index.tolist()),
        station_ids=tuple(station for each in supplies for station in each.rides.station_ids),
        trips_per_month=flows["trips_per_month"].to_numpy(dtype=float),
        route_indptr=np.concatenate([[0], np.cumsum(np.bincount(all_row, minlength=len(flows)))]).astype(np.int64),
        cost_min=all_cost[order],
        probability=np.concatenate([*(each.probability for each in modes), road_share[by_road]])[order],
        is_road=is_road[order],
        station_indptr=np.concatenate([[0], np.cumsum(np.bincount(moved, minlength=order.size))]).astype(np.int64),
        station_indices=stops[1].astype(np.int32),
        role=stops[2].astype(np.int8),
        platform_share=platform_share,
        listed_share=listed_share,
        spread_per_min=supplies[0].spread_per_min,
        mode=np.where(is_road, 0, number)[order] if len(modes) > 1 else None,
    )
