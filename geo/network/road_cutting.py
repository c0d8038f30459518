"""
Ways cut where they meet: from `geo.network.road.RoadWays` to a `geo.network.road.RoadGraph` a mode.

Disconnected parts are kept and labelled. Turn restrictions are not modelled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.errors import InputError, UsageError
from geo.network.road import FlagArray, FloatArray, IntArray, NodeArray, RoadGraph, Roads, RoadWays, gather_ranges
from geo.network.speeds import (
    DEFAULT_SPEED_MPH,
    LOCAL_SPEED_SHARE,
    MIN_PER_M_AT_1_KM_H,
    STRATEGIC_SPEED_SHARE,
    WALK_SPEED_KM_H,
    drive_speed_km_h,
)

__all__ = ["build_road_graph", "build_roads"]


def build_roads(
    ways: RoadWays,
    *,
    walk_speed_km_h: float = WALK_SPEED_KM_H,
    default_mph: Mapping[str, float] = DEFAULT_SPEED_MPH,
    strategic_share: float = STRATEGIC_SPEED_SHARE,
    local_share: float = LOCAL_SPEED_SHARE,
) -> Roads:
    """
    Build the graphs for walking and driving.

    Parameters
    ----------
    ways : RoadWays
        Ways with their rules of use. Never modified.
    walk_speed_km_h : float
        Speed on foot.
    default_mph : mapping of str to float
        Limit by road class where none is mapped.
    strategic_share, local_share : float
        Share of the limit that cars do.

    Returns
    -------
    Roads
        Both graphs.

    Raises
    ------
    InputError
        If no way can be used by either mode.
    UsageError
        If a speed or share is out of range.
    """
    if not (np.isfinite(walk_speed_km_h) and walk_speed_km_h > 0):
        msg = f"walk_speed_km_h: {walk_speed_km_h!r} is no speed, expected a number above 0. Set it in km an hour."
        raise UsageError(msg)
    drive_km_h = drive_speed_km_h(
        ways.limit_km_h,
        ways.road_class,
        default_mph=default_mph,
        strategic_share=strategic_share,
        local_share=local_share,
    )
    walk_km_h = np.full(len(ways.way_id), walk_speed_km_h)
    return Roads(
        walk=build_road_graph(ways, mode="walk", forward=ways.walk, backward=ways.walk, speed_km_h=walk_km_h),
        drive=build_road_graph(
            ways, mode="drive", forward=ways.drive_forward, backward=ways.drive_backward, speed_km_h=drive_km_h
        ),
    )


def build_road_graph(
    ways: RoadWays, *, mode: str, forward: FlagArray, backward: FlagArray, speed_km_h: FloatArray
) -> RoadGraph:
    """
    Cut ways where they meet and lay them out as a graph.

    1. Keep the ways that can be used, in the order of their ids, and drop a vertex that repeats the one before it.
    2. A node is a vertex that ends a way or that ways pass more than once.
    3. Cut each way at its nodes into edges.
    4. Of the arcs between two nodes keep the fastest, then the shortest.

    Parameters
    ----------
    ways : RoadWays
        Never modified.
    mode : str
        ``walk`` or ``drive``.
    forward, backward : numpy.ndarray of shape (n_ways,)
        Whether the way may be travelled in its own direction, and against it.
    speed_km_h : numpy.ndarray of shape (n_ways,)
        Speed on each way.

    Returns
    -------
    RoadGraph
        The same for any order of `ways`.

    Raises
    ------
    InputError
        If no way can be used.
    """
    vertex, way = _usable_vertices(ways, forward | backward)  # 1.
    if not len(vertex):
        msg = f"roads: no way may be used to {mode}, expected at least one. Check the extent and tags of the extract."
        raise InputError(msg)
    ids, position = np.unique(ways.node_id[vertex], return_inverse=True)
    is_node = _count_uses(position, way, len(ids)) > 1  # 2.
    cuts = np.flatnonzero(is_node[position])  # 3.
    within = way[cuts[:-1]] == way[cuts[1:]]
    starts, ends = cuts[:-1][within], cuts[1:][within]
    node_number = (np.cumsum(is_node) - 1).astype(np.int32)
    tail, head = node_number[position[starts]], node_number[position[ends]]
    bends, edge = gather_ranges(starts, ends + 1)
    easting_m, northing_m = ways.easting_m[vertex], ways.northing_m[vertex]
    chainage_m = _chainage_m(easting_m[bends], northing_m[bends], edge)
    indptr = np.concatenate([[0], np.cumsum(ends + 1 - starts)])
    pace = MIN_PER_M_AT_1_KM_H / speed_km_h[way[starts]]
    n_nodes = int(is_node.sum())
    first = np.zeros(len(ids), dtype=np.int64)
    first[position[::-1]] = np.arange(len(position))[::-1]
    graph = RoadGraph(
        mode=mode,
        node_id=ids[is_node],
        easting_m=easting_m[first[is_node]],
        northing_m=northing_m[first[is_node]],
        component=_label_components(tail, head, n_nodes),
        way_id=ways.way_id[way[starts]],
        tail=tail,
        head=head,
        edge_length_m=chainage_m[indptr[1:] - 1],
        forward_min_per_m=np.where(forward[way[starts]], pace, np.inf),
        backward_min_per_m=np.where(backward[way[starts]], pace, np.inf),
        vertex_indptr=indptr,
        vertex_easting_m=easting_m[bends],
        vertex_northing_m=northing_m[bends],
        vertex_chainage_m=chainage_m,
        indptr=np.zeros(n_nodes + 1, dtype=np.int64),
        indices=np.zeros(0, dtype=np.int32),
        time_min=np.zeros(0),
        length_m=np.zeros(0),
        n_default_speed=0 if mode == "walk" else int(np.isnan(ways.limit_km_h[np.unique(way)]).sum()),
    )
    return _with_fastest_arcs(graph)  # 4.


def _usable_vertices(ways: RoadWays, is_used: FlagArray) -> tuple[IntArray, IntArray]:
    """Vertices of the usable ways in the order of their ids, and the way of each; none repeats the one before it."""
    used = np.flatnonzero(is_used & (np.diff(ways.vertex_indptr) > 1))
    used = used[np.lexsort((ways.node_id[ways.vertex_indptr[used]], ways.way_id[used]))]
    vertex, row = gather_ranges(ways.vertex_indptr[used], ways.vertex_indptr[used + 1])
    repeats = np.zeros(len(vertex), dtype=bool)
    node_id = ways.node_id[vertex]
    repeats[1:] = (node_id[1:] == node_id[:-1]) & (row[1:] == row[:-1])
    vertex, row = vertex[~repeats], row[~repeats]
    is_line = np.bincount(row, minlength=len(used))[row] > 1
    return vertex[is_line], used[row[is_line]]


def _count_uses(position: IntArray, way: IntArray, n_ids: int) -> FloatArray:
    """How often ways pass each vertex; an end counts twice, so that it is a node."""
    changes = way[1:] != way[:-1]
    is_end = np.concatenate([[True], changes]) | np.concatenate([changes, [True]])
    n_uses: FloatArray = np.bincount(position, weights=1.0 + is_end, minlength=n_ids).astype(np.float64)
    return n_uses


def _chainage_m(easting_m: FloatArray, northing_m: FloatArray, owner: IntArray) -> FloatArray:
    """Metres from the start of each owner's line, exact at its first vertex."""
    step = np.concatenate([[0.0], np.hypot(np.diff(easting_m), np.diff(northing_m))])
    step[np.concatenate([[True], owner[1:] != owner[:-1]])] = 0.0
    total = np.cumsum(step)
    start = np.flatnonzero(np.concatenate([[True], owner[1:] != owner[:-1]]))
    chainage_m: FloatArray = total - total[start][owner]
    return chainage_m


def _with_fastest_arcs(graph: RoadGraph) -> RoadGraph:
    """The graph with the best arc between each ordered pair of nodes; a loop at one node is no arc."""
    source, target = np.concatenate([graph.tail, graph.head]), np.concatenate([graph.head, graph.tail])
    pace = np.concatenate([graph.forward_min_per_m, graph.backward_min_per_m])
    keep = np.isfinite(pace) & (source != target)
    source, target, metres = source[keep], target[keep], np.tile(graph.edge_length_m, 2)[keep]
    minutes = metres * pace[keep]
    order = np.lexsort((metres, minutes, target, source))
    source, target, metres, minutes = source[order], target[order], metres[order], minutes[order]
    best = np.ones(len(source), dtype=bool)
    best[1:] = (source[1:] != source[:-1]) | (target[1:] != target[:-1])
    n_arcs = np.bincount(source[best], minlength=graph.n_nodes)
    return replace(
        graph,
        indptr=np.concatenate([[0], np.cumsum(n_arcs)]).astype(np.int64),
        indices=target[best].astype(np.int32),
        time_min=minutes[best],
        length_m=metres[best],
    )


def _label_components(tail: NodeArray, head: NodeArray, n_nodes: int) -> NodeArray:
    """Weakly connected part of each node, 0 the largest; equal parts in the order of their lowest node."""
    links = coo_array((np.ones(len(tail), dtype=np.int8), (tail, head)), shape=(n_nodes, n_nodes))
    _, label = connected_components(links, directed=False)
    size = np.bincount(label)
    first = np.full(len(size), n_nodes)
    np.minimum.at(first, label, np.arange(n_nodes))
    rank = np.empty(len(size), dtype=np.int32)
    rank[np.lexsort((first, -size))] = np.arange(len(size))
    component: NodeArray = rank[label]
    return component
