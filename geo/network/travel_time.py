"""
Minutes and metres along a road graph, from many points to many points.

In come a `geo.network.road.RoadGraph` and snapped points (`geo.network.snapping.SNAPS`); out come arrays. The metres
between a point and its edge are walked, whatever the mode. What cannot be reached is NaN, never infinite and never 0,
with a reason to be had from `explain_unreached`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.errors import UsageError
from geo.network.road import RoadGraph, gather_ranges
from geo.network.road_kernels import find_fastest
from geo.network.speeds import MIN_PER_M_AT_1_KM_H, WALK_SPEED_KM_H

__all__ = ["TravelTimes", "explain_unreached", "measure_node_times", "measure_times"]

# Dead ends are dropped in rounds, for as long as a round drops more than one arc in a hundred.
_MOST_ROUNDS = 20
_WORTHWHILE_SHARE = 0.99
FloatArray = NDArray[np.float64]
NodeArray = NDArray[np.int32]


@dataclass(frozen=True)
class TravelTimes:
    """
    Minutes and metres from every origin to every destination.

    Attributes
    ----------
    time_min : numpy.ndarray of shape (n_origins, n_destinations)
        Minutes on the fastest path; NaN where there is none.
    length_m : numpy.ndarray of shape (n_origins, n_destinations)
        Metres on that path; NaN where there is none.
    """

    time_min: FloatArray
    length_m: FloatArray


def measure_times(
    graph: RoadGraph,
    origins: pd.DataFrame,
    destinations: pd.DataFrame,
    *,
    max_min: float = np.inf,
    offset_speed_km_h: float = WALK_SPEED_KM_H,
) -> TravelTimes:
    """
    Measure the fastest path from every origin to every destination.

    Parameters
    ----------
    graph : RoadGraph
        The roads.
    origins, destinations : pandas.DataFrame
        Tables `geo.network.snapping.SNAPS`, snapped to this graph. Never modified.
    max_min : float
        Longest time of interest, more than 0; what takes longer is NaN.
    offset_speed_km_h : float
        Speed between a point and its edge, more than 0.

    Returns
    -------
    TravelTimes
        Rows and columns in the order of `origins` and `destinations`.

    Raises
    ------
    UsageError
        If `max_min` or `offset_speed_km_h` is not above 0.
    """
    pace = _offset_pace(offset_speed_km_h)
    _require_limit(max_min)
    seeds, goals = _ends(graph, origins, pace, is_origin=True), _ends(graph, destinations, pace, is_origin=False)
    arcs = _without_dead_ends(graph, np.concatenate([seeds[0].ravel(), goals[0].ravel()]))
    time_min, length_m = find_fastest(*arcs, *seeds, *goals, float(max_min))
    _take_direct(graph, origins, destinations, pace, time_min, length_m)
    return TravelTimes(*_within(time_min, length_m, max_min))


def measure_node_times(
    graph: RoadGraph,
    origins: pd.DataFrame,
    *,
    max_min: float = np.inf,
    offset_speed_km_h: float = WALK_SPEED_KM_H,
) -> TravelTimes:
    """
    Measure the fastest path from every origin to every node of the graph.

    Parameters
    ----------
    graph : RoadGraph
        The roads.
    origins : pandas.DataFrame
        Table `geo.network.snapping.SNAPS`, snapped to this graph. Never modified.
    max_min : float
        Longest time of interest, more than 0.
    offset_speed_km_h : float
        Speed between a point and its edge, more than 0.

    Returns
    -------
    TravelTimes
        Columns in the order of the graph's nodes.

    Raises
    ------
    UsageError
        If `max_min` or `offset_speed_km_h` is not above 0.
    """
    seeds = _ends(graph, origins, _offset_pace(offset_speed_km_h), is_origin=True)
    _require_limit(max_min)
    node = np.repeat(np.arange(graph.n_nodes, dtype=np.int32)[:, None], 2, axis=1)
    cost = np.zeros(node.shape)
    cost[:, 1] = np.inf
    time_min, length_m = find_fastest(
        graph.indptr, graph.indices, graph.time_min, graph.length_m, *seeds, node, cost, cost, float(max_min)
    )
    return TravelTimes(*_within(time_min, length_m, max_min))


def explain_unreached(
    graph: RoadGraph, origins: pd.DataFrame, destinations: pd.DataFrame, time_min: FloatArray
) -> NDArray[np.object_]:
    """
    Say why each pair has no time.

    Parameters
    ----------
    graph : RoadGraph
        The roads.
    origins, destinations : pandas.DataFrame
        Tables `geo.network.snapping.SNAPS`.
    time_min : numpy.ndarray of shape (n_origins, n_destinations)
        Minutes, NaN where there are none.

    Returns
    -------
    numpy.ndarray of shape (n_origins, n_destinations)
        None where there is a time, else ``origin_off_network``, ``destination_off_network``,
        ``disconnected`` or ``no_way_within_limit`` (one-way streets, or a longer time than was looked for).
    """
    (on_from, edge_from, *_), (on_to, edge_to, *_) = _arrays(origins), _arrays(destinations)
    part_from, part_to = graph.component[graph.tail[edge_from]], graph.component[graph.tail[edge_to]]
    reason = np.full(time_min.shape, None, dtype=object)
    missing = np.isnan(time_min)
    reason[missing] = "no_way_within_limit"
    reason[missing & (part_from[:, None] != part_to[None, :])] = "disconnected"
    reason[missing & ~on_to[None, :]] = "destination_off_network"
    reason[missing & ~on_from[:, None]] = "origin_off_network"
    return reason


def _offset_pace(speed_km_h: float) -> float:
    if not (np.isfinite(speed_km_h) and speed_km_h > 0):
        msg = f"offset_speed_km_h: {speed_km_h!r} is no speed, expected a number above 0. Set it in km an hour."
        raise UsageError(msg)
    return MIN_PER_M_AT_1_KM_H / speed_km_h


def _require_limit(max_min: float) -> None:
    if not max_min > 0:
        msg = f"max_min: {max_min!r} is no limit, expected minutes above 0. Set it in minutes."
        raise UsageError(msg)


def _within(time_min: FloatArray, length_m: FloatArray, max_min: float) -> tuple[FloatArray, FloatArray]:
    """The same with NaN for what is not reached."""
    reached = np.isfinite(time_min) & (time_min <= max_min)
    time_min[~reached] = np.nan
    length_m[~reached] = np.nan
    return time_min, length_m


def _without_dead_ends(
    graph: RoadGraph, terminals: NodeArray
) -> tuple[NDArray[np.int64], NodeArray, FloatArray, FloatArray]:
    """
    The arcs that a path between terminals may use, in compressed rows over the same nodes.

    A node that is no terminal, and leads nowhere or only back to where it is reached from, lies on no such path. They
    are dropped in rounds until few are left, which halves a street network at little cost.
    """
    tail = np.repeat(np.arange(graph.n_nodes), np.diff(graph.indptr))
    head = graph.indices.astype(np.int64)
    kept = np.arange(len(head))
    is_terminal = np.zeros(graph.n_nodes, dtype=bool)
    is_terminal[terminals] = True
    for _ in range(_MOST_ROUNDS):
        n_out, n_in = np.bincount(tail, minlength=graph.n_nodes), np.bincount(head, minlength=graph.n_nodes)
        # The sum of one number is that number: the only neighbour of a node that has one.
        to = np.bincount(tail, weights=head, minlength=graph.n_nodes)
        back = np.bincount(head, weights=tail, minlength=graph.n_nodes)
        is_dead = ~is_terminal & ((n_out == 0) | (n_in == 0) | ((n_out == 1) & (n_in == 1) & (to == back)))
        stays = ~(is_dead[tail] | is_dead[head])
        tail, head, kept = tail[stays], head[stays], kept[stays]
        if stays.sum() > _WORTHWHILE_SHARE * len(stays):
            break
    indptr = np.concatenate([[0], np.cumsum(np.bincount(tail, minlength=graph.n_nodes))]).astype(np.int64)
    return indptr, graph.indices[kept], graph.time_min[kept], graph.length_m[kept]


def _ends(
    graph: RoadGraph, snaps: pd.DataFrame, offset_pace: float, *, is_origin: bool
) -> tuple[NodeArray, FloatArray, FloatArray]:
    """Nodes at the two ends of each point's edge, and the minutes and metres to them, or from them."""
    is_on, edge, chainage_m, offset_m = _arrays(snaps)
    to_tail, to_head = graph.backward_min_per_m[edge], graph.forward_min_per_m[edge]
    if not is_origin:
        to_tail, to_head = to_head, to_tail
    from_tail_m = np.minimum(chainage_m, graph.edge_length_m[edge])
    metres = np.stack([from_tail_m, graph.edge_length_m[edge] - from_tail_m], axis=1)
    paces = np.stack([to_tail, to_head], axis=1)
    # At an end of its edge a point is at the node, whichever way the street runs.
    minutes = np.where(metres > 0, metres * np.where(metres > 0, paces, 1.0), 0.0)
    minutes += (offset_m * offset_pace)[:, None]
    minutes[~is_on] = np.inf
    return np.stack([graph.tail[edge], graph.head[edge]], axis=1), minutes, metres + offset_m[:, None]


def _take_direct(
    graph: RoadGraph,
    origins: pd.DataFrame,
    destinations: pd.DataFrame,
    offset_pace: float,
    time_min: FloatArray,
    length_m: FloatArray,
) -> None:
    """Where both ends of a pair lie on one edge, the way along it counts too; the arrays are updated in place."""
    on_from, edge_from, chainage_from_m, offset_from_m = _arrays(origins)
    on_to, edge_to, chainage_to_m, offset_to_m = _arrays(destinations)
    rows_to = np.flatnonzero(on_to)
    rows_to = rows_to[np.argsort(edge_to[rows_to], kind="stable")]
    rows_from = np.flatnonzero(on_from)
    same_edge = [np.searchsorted(edge_to[rows_to], edge_from[rows_from], side=side) for side in ("left", "right")]
    position, owner = gather_ranges(*same_edge)
    start, end = rows_from[owner], rows_to[position]
    edge = edge_from[start]
    along_m = chainage_to_m[end] - chainage_from_m[start]
    offset_m = offset_from_m[start] + offset_to_m[end]
    pace = np.where(along_m >= 0, graph.forward_min_per_m[edge], graph.backward_min_per_m[edge])
    distance_m = np.abs(along_m)
    minutes = np.where(distance_m > 0, distance_m * np.where(distance_m > 0, pace, 1.0), 0.0) + offset_m * offset_pace
    metres = distance_m + offset_m
    at = start, end
    better = (minutes < time_min[at]) | ((minutes == time_min[at]) & (metres < length_m[at]))
    at = start[better], end[better]
    time_min[at], length_m[at] = minutes[better], metres[better]


def _arrays(snaps: pd.DataFrame) -> tuple[NDArray[np.bool_], NDArray[np.int64], FloatArray, FloatArray]:
    """Whether each point is on an edge, which, its metres along it and off it; zeros where it is on none."""
    return (
        snaps["edge"].notna().to_numpy(dtype=bool),
        snaps["edge"].to_numpy(dtype=np.int64, na_value=0),
        np.nan_to_num(snaps["chainage_m"].to_numpy(dtype=float)),
        np.nan_to_num(snaps["offset_m"].to_numpy(dtype=float)),
    )
