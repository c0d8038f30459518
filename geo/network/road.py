"""
Roads as compact arrays: ways split at the nodes they share, one directed graph for cars and one for people on foot.

In come `RoadWays`, which a reader in `geo.sources` fills; out comes a `RoadGraph` a mode. A node is where ways meet or
end; an edge is a piece of one way between two nodes, with its bends, so speed is constant along it and a position on
it is exact. Disconnected parts are kept and labelled. Turn restrictions are not modelled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.errors import InputError, UsageError
from geo.network.speeds import (
    DEFAULT_SPEED_MPH,
    LOCAL_SPEED_SHARE,
    STRATEGIC_SPEED_SHARE,
    WALK_SPEED_KM_H,
    drive_speed_km_h,
)

__all__ = ["RoadGraph", "RoadWays", "Roads", "build_road_graph", "build_roads", "gather_ranges"]

MIN_PER_M_AT_1_KM_H = 60.0 / 1000.0
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
NodeArray = NDArray[np.int32]
FlagArray = NDArray[np.bool_]


@dataclass(frozen=True)
class RoadWays:
    """
    Ways as they are mapped, before they are cut into a graph.

    Attributes
    ----------
    way_id : numpy.ndarray of shape (n_ways,)
        OpenStreetMap way id; a way with a missing node comes in pieces with one id.
    vertex_indptr : numpy.ndarray of shape (n_ways + 1,)
        Where the vertices of each way start.
    node_id : numpy.ndarray of shape (n_vertices,)
        OpenStreetMap node id of each vertex.
    easting_m, northing_m : numpy.ndarray of shape (n_vertices,)
        EPSG:27700 metres.
    drive_forward, drive_backward, walk : numpy.ndarray of shape (n_ways,)
        Who may pass, and in which direction.
    road_class : numpy.ndarray of shape (n_ways,)
        Position in `geo.network.speeds.ROAD_CLASSES`.
    limit_km_h : numpy.ndarray of shape (n_ways,)
        Speed limit; NaN where none can be read.
    """

    way_id: IntArray
    vertex_indptr: IntArray
    node_id: IntArray
    easting_m: FloatArray
    northing_m: FloatArray
    drive_forward: FlagArray
    drive_backward: FlagArray
    walk: FlagArray
    road_class: NDArray[np.int8]
    limit_km_h: FloatArray


@dataclass(frozen=True)
class RoadGraph:
    """
    A directed graph of minutes for one mode.

    Attributes
    ----------
    mode : str
        ``drive`` or ``walk``.
    node_id : numpy.ndarray of shape (n_nodes,)
        OpenStreetMap node ids, ascending.
    easting_m, northing_m : numpy.ndarray of shape (n_nodes,)
        EPSG:27700 metres of the nodes.
    component : numpy.ndarray of shape (n_nodes,)
        Weakly connected part of each node; 0 is the largest.
    way_id : numpy.ndarray of shape (n_edges,)
        The way each edge is cut from; edges are ordered by way and position along it.
    tail, head : numpy.ndarray of shape (n_edges,)
        Nodes at its ends, in the way's own direction.
    edge_length_m : numpy.ndarray of shape (n_edges,)
        Metres along it.
    forward_min_per_m, backward_min_per_m : numpy.ndarray of shape (n_edges,)
        Pace in each direction; infinite where it may not be travelled.
    vertex_indptr : numpy.ndarray of shape (n_edges + 1,)
        Where the vertices of each edge start; both ends are included.
    vertex_easting_m, vertex_northing_m, vertex_chainage_m : numpy.ndarray of shape (n_vertices,)
        Its bends, and metres from its tail.
    indptr, indices : numpy.ndarray
        Arcs from each node in compressed rows; of parallel arcs only the fastest, then the shortest, is kept.
    time_min, length_m : numpy.ndarray of shape (n_arcs,)
        Minutes and metres of each arc.
    n_default_speed : int
        Ways whose limit is the default of their class; 0 on foot.
    """

    mode: str
    node_id: IntArray
    easting_m: FloatArray
    northing_m: FloatArray
    component: NodeArray
    way_id: IntArray
    tail: NodeArray
    head: NodeArray
    edge_length_m: FloatArray
    forward_min_per_m: FloatArray
    backward_min_per_m: FloatArray
    vertex_indptr: IntArray
    vertex_easting_m: FloatArray
    vertex_northing_m: FloatArray
    vertex_chainage_m: FloatArray
    indptr: IntArray
    indices: NodeArray
    time_min: FloatArray
    length_m: FloatArray
    n_default_speed: int

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.node_id)

    @property
    def n_edges(self) -> int:
        """Number of edges, each counted once whatever its directions."""
        return len(self.tail)

    @property
    def n_segment_arcs(self) -> int:
        """Number of directed pieces between neighbouring vertices, as an uncut graph would have."""
        n_segments = np.diff(self.vertex_indptr) - 1
        n_directions = np.isfinite(self.forward_min_per_m).astype(int) + np.isfinite(self.backward_min_per_m)
        return int((n_segments * n_directions).sum())

    @property
    def component_sizes(self) -> IntArray:
        """Number of nodes in each disconnected part, largest first."""
        return np.bincount(self.component).astype(np.int64)


@dataclass(frozen=True)
class Roads:
    """
    The roads of one region.

    Attributes
    ----------
    walk, drive : RoadGraph
        One graph for each mode.
    """

    walk: RoadGraph
    drive: RoadGraph

    def graph(self, mode: str) -> RoadGraph:
        """
        Give the graph of a mode.

        Parameters
        ----------
        mode : str
            ``walk`` or ``drive``.

        Returns
        -------
        RoadGraph
            That mode's graph.
        """
        return self.walk if mode == "walk" else self.drive


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

    1. Keep the ways that can be used, and drop a vertex that repeats the one before it.
    2. A node is a vertex that ends a way or that ways pass more than once.
    3. Cut each way at its nodes into edges.
    4. Of the arcs between two nodes keep the fastest, then the shortest, then the lowest way id.

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
    # 1. Usable ways in the order of their ids, so that nothing hangs on the order of the file.
    used = np.flatnonzero((forward | backward) & (np.diff(ways.vertex_indptr) > 1))
    if not len(used):
        msg = f"roads: no way may be used to {mode}, expected at least one. Check the extent and tags of the extract."
        raise InputError(msg)
    first_node = ways.node_id[ways.vertex_indptr[used]]
    used = used[np.lexsort((first_node, ways.way_id[used]))]
    vertex, way_of_vertex = _gather(ways.vertex_indptr, used)
    node_id = ways.node_id[vertex]
    repeats = np.concatenate([[False], (node_id[1:] == node_id[:-1]) & (way_of_vertex[1:] == way_of_vertex[:-1])])
    vertex, way_of_vertex, node_id = vertex[~repeats], way_of_vertex[~repeats], node_id[~repeats]
    # A way that is one repeated vertex ends here.
    alone = np.bincount(way_of_vertex, minlength=len(used))[way_of_vertex] < 2
    vertex, way_of_vertex, node_id = vertex[~alone], way_of_vertex[~alone], node_id[~alone]

    # 2. and 3. Ends count twice, so every end is a node.
    is_start = np.concatenate([[True], way_of_vertex[1:] != way_of_vertex[:-1]])
    is_end = np.concatenate([way_of_vertex[1:] != way_of_vertex[:-1], [True]])
    ids, position = np.unique(node_id, return_inverse=True)
    n_uses = np.bincount(position, weights=1.0 + (is_start | is_end), minlength=len(ids))
    is_cut = n_uses[position] > 1
    cut_at = np.flatnonzero(is_cut)
    starts, ends = cut_at[:-1], cut_at[1:]
    within = way_of_vertex[starts] == way_of_vertex[ends]
    starts, ends = starts[within], ends[within]

    is_node = n_uses > 1
    node_of_id = np.cumsum(is_node) - 1
    easting_m, northing_m = ways.easting_m[vertex], ways.northing_m[vertex]
    where = np.zeros(len(ids), dtype=np.int64)
    where[position[::-1]] = np.arange(len(position))[::-1]
    edge_way = used[way_of_vertex[starts]]
    bends, edge_of_bend = gather_ranges(starts, ends + 1)
    chainage_m = _chainage_m(easting_m[bends], northing_m[bends], edge_of_bend)
    indptr = np.concatenate([[0], np.cumsum(ends + 1 - starts)])
    pace = MIN_PER_M_AT_1_KM_H / speed_km_h[edge_way]
    tail, head = node_of_id[position[starts]].astype(np.int32), node_of_id[position[ends]].astype(np.int32)
    length_m = chainage_m[indptr[1:] - 1]
    forward_min_per_m = np.where(forward[edge_way], pace, np.inf)
    backward_min_per_m = np.where(backward[edge_way], pace, np.inf)
    n_nodes = int(is_node.sum())
    # 4.
    arcs = _fastest_arcs(tail, head, length_m, forward_min_per_m, backward_min_per_m, n_nodes)
    return RoadGraph(
        mode=mode,
        node_id=ids[is_node],
        easting_m=easting_m[where[is_node]],
        northing_m=northing_m[where[is_node]],
        component=_label_components(tail, head, n_nodes),
        way_id=ways.way_id[edge_way],
        tail=tail,
        head=head,
        edge_length_m=length_m,
        forward_min_per_m=forward_min_per_m,
        backward_min_per_m=backward_min_per_m,
        vertex_indptr=indptr,
        vertex_easting_m=easting_m[bends],
        vertex_northing_m=northing_m[bends],
        vertex_chainage_m=chainage_m,
        indptr=arcs[0],
        indices=arcs[1],
        time_min=arcs[2],
        length_m=arcs[3],
        n_default_speed=0 if mode == "walk" else int(np.isnan(ways.limit_km_h[used]).sum()),
    )


def _gather(indptr: IntArray, rows: IntArray) -> tuple[IntArray, IntArray]:
    """Positions of the vertices of the chosen rows, one row after the other, and which row each is in."""
    return gather_ranges(indptr[rows], indptr[rows + 1])


def gather_ranges(starts: IntArray, stops: IntArray) -> tuple[IntArray, IntArray]:
    """
    List all positions of half-open ranges, one range after the other.

    Parameters
    ----------
    starts, stops : numpy.ndarray of shape (n_ranges,)
        Ends of each range.

    Returns
    -------
    tuple of numpy.ndarray
        Positions, and the range each comes from.

    Examples
    --------
    >>> gather_ranges(np.array([5, 9]), np.array([7, 10]))
    (array([5, 6, 9]), array([0, 0, 1]))
    """
    sizes = stops - starts
    owner = np.repeat(np.arange(len(sizes)), sizes)
    offset = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return starts[owner] + offset, owner


def _chainage_m(easting_m: FloatArray, northing_m: FloatArray, owner: IntArray) -> FloatArray:
    """Metres from the start of each owner's line, exact at its first vertex."""
    step = np.concatenate([[0.0], np.hypot(np.diff(easting_m), np.diff(northing_m))])
    step[np.concatenate([[True], owner[1:] != owner[:-1]])] = 0.0
    total = np.cumsum(step)
    start = np.flatnonzero(np.concatenate([[True], owner[1:] != owner[:-1]]))
    chainage_m: FloatArray = total - total[start][owner]
    return chainage_m


def _fastest_arcs(
    tail: NodeArray,
    head: NodeArray,
    length_m: FloatArray,
    forward_min_per_m: FloatArray,
    backward_min_per_m: FloatArray,
    n_nodes: int,
) -> tuple[IntArray, NodeArray, FloatArray, FloatArray]:
    """Compressed rows of the best arc between each ordered pair of nodes; a loop at one node is no arc."""
    source, target = np.concatenate([tail, head]), np.concatenate([head, tail])
    metres = np.concatenate([length_m, length_m])
    with np.errstate(invalid="ignore"):  # nothing times infinity: an edge of no length that may not be travelled
        minutes = np.concatenate([length_m * forward_min_per_m, length_m * backward_min_per_m])
    keep = np.isfinite(minutes) & (source != target)
    source, target, metres, minutes = source[keep], target[keep], metres[keep], minutes[keep]
    order = np.lexsort((metres, minutes, target, source))
    source, target, metres, minutes = source[order], target[order], metres[order], minutes[order]
    best = np.concatenate([[True], (source[1:] != source[:-1]) | (target[1:] != target[:-1])])[: len(source)]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(source[best], minlength=n_nodes))]).astype(np.int64)
    return indptr, target[best].astype(np.int32), minutes[best], metres[best]


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
