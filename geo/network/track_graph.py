"""A graph of track as arrays, and what is done to it: cutting, bridging, finding nodes and directions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

__all__ = [
    "TrackGraph",
    "add_bridges",
    "cut_edges",
    "find_nodes",
    "graph_of",
    "measure_outward",
    "number_points",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

# Vertices closer than this are one vertex; the files carry centimetres at best.
_GRID_PER_M = 100.0
# The direction of track at a junction is read over this length: shorter reads drawing noise, longer misses curves.
_BEARING_M = 30.0
# Two positions on one line closer than this are one position.
_SAME_CHAINAGE_M = 0.01


@dataclass(frozen=True)
class TrackGraph:
    """
    An undirected graph of track.

    Attributes
    ----------
    node_xy_m : numpy.ndarray of shape (n_nodes, 2)
        Eastings and northings in EPSG:27700 metres.
    tail, head : numpy.ndarray of shape (n_edges,)
        Nodes at the first and the last vertex of each edge.
    length_m : numpy.ndarray of shape (n_edges,)
        Metres along track, positive.
    is_bridge : numpy.ndarray of shape (n_edges,)
        Whether the edge was added to close a gap in the file.
    lines : numpy.ndarray of shape (n_edges,)
        Shapely LineStrings.
    """

    node_xy_m: FloatArray
    tail: IntArray
    head: IntArray
    length_m: FloatArray
    is_bridge: NDArray[np.bool_]
    lines: NDArray[np.object_]

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.node_xy_m)

    @property
    def degree(self) -> IntArray:
        """Number of edge ends at each node."""
        return np.bincount(np.concatenate([self.tail, self.head]), minlength=self.n_nodes)


def cut_edges(graph: TrackGraph, edge: IntArray, chainage_m: FloatArray, xy_m: FloatArray) -> TrackGraph:
    """
    Cut edges so that each given position becomes a node.

    Parameters
    ----------
    graph : TrackGraph
        Never modified.
    edge : numpy.ndarray of shape (n,)
        Edges to cut; one edge may be cut many times.
    chainage_m : numpy.ndarray of shape (n,)
        Metres from the tail of the edge.
    xy_m : numpy.ndarray of shape (n, 2)
        Where the new node is to lie.

    Returns
    -------
    TrackGraph
        With more edges; nodes are numbered afresh.
    """
    if len(edge) == 0:
        return graph
    pieces, parent = _cut_lines(graph.lines, edge, chainage_m, xy_m)
    return graph_of(pieces, graph.is_bridge[parent])


def add_bridges(graph: TrackGraph, start_xy_m: FloatArray, end_xy_m: FloatArray) -> TrackGraph:
    """
    Add straight edges between positions that are nodes already.

    Parameters
    ----------
    graph : TrackGraph
        Never modified.
    start_xy_m, end_xy_m : numpy.ndarray of shape (n, 2)
        Ends of each bridge, metres.

    Returns
    -------
    TrackGraph
        With the bridges marked.
    """
    bridges = shapely.linestrings(np.stack([start_xy_m, end_xy_m], axis=1)) if len(start_xy_m) else []
    lines = np.concatenate([graph.lines, np.asarray(bridges, dtype=object)])
    return graph_of(lines, np.concatenate([graph.is_bridge, np.ones(len(bridges), dtype=bool)]))


def find_nodes(graph: TrackGraph, xy_m: FloatArray) -> IntArray:
    """
    Find the nodes nearest to given positions.

    Parameters
    ----------
    graph : TrackGraph
        The graph.
    xy_m : numpy.ndarray of shape (n, 2)
        Positions of nodes, metres.

    Returns
    -------
    numpy.ndarray of shape (n,)
        Node numbers.
    """
    return np.asarray(cKDTree(graph.node_xy_m).query(xy_m)[1], dtype=np.intp)


def measure_outward(graph: TrackGraph) -> FloatArray:
    """
    Measure the direction in which track leaves the ends of each edge.

    Parameters
    ----------
    graph : TrackGraph
        The graph.

    Returns
    -------
    numpy.ndarray of shape (2 * n_edges, 2)
        Unit vectors away from the tail of each edge, then away from the head of each.
    """
    reach_m = np.minimum(_BEARING_M, graph.length_m)
    towards = np.concatenate(
        [
            shapely.get_coordinates(shapely.line_interpolate_point(graph.lines, reach_m)) - graph.node_xy_m[graph.tail],
            shapely.get_coordinates(shapely.line_interpolate_point(graph.lines, graph.length_m - reach_m))
            - graph.node_xy_m[graph.head],
        ]
    )
    size_m = np.hypot(*towards.T)
    return np.asarray(towards / np.where(size_m > 0, size_m, 1.0)[:, None], dtype=float)


def number_points(xy_m: FloatArray) -> IntArray:
    """
    Number points, those in one square centimetre alike.

    Parameters
    ----------
    xy_m : numpy.ndarray of shape (n, 2)
        Metres.

    Returns
    -------
    numpy.ndarray of shape (n,)
        One number for each distinct point, in the order of easting, then northing.
    """
    grid = np.round(xy_m * _GRID_PER_M).astype(np.int64)
    packed = grid[:, 0] * (1 << 32) + grid[:, 1]
    return np.asarray(np.unique(packed, return_inverse=True)[1], dtype=np.intp)


def graph_of(lines: NDArray[np.object_], is_bridge: NDArray[np.bool_]) -> TrackGraph:
    """
    Make each line an edge between the nodes at its ends.

    Parameters
    ----------
    lines : numpy.ndarray of shape (n_edges,)
        Shapely LineStrings.
    is_bridge : numpy.ndarray of shape (n_edges,)
        Whether each was added to close a gap.

    Returns
    -------
    TrackGraph
        Nodes in the order of easting, then northing.
    """
    first, last = (shapely.get_coordinates(shapely.get_point(lines, k)) for k in (0, -1))
    number = number_points(np.concatenate([first, last]))
    node_xy_m = np.zeros((int(number.max(initial=-1)) + 1, 2))
    node_xy_m[number] = np.concatenate([first, last])
    return TrackGraph(
        node_xy_m=node_xy_m,
        tail=number[: len(lines)],
        head=number[len(lines) :],
        length_m=np.asarray(shapely.length(lines), dtype=float),
        is_bridge=is_bridge,
        lines=lines,
    )


def _vertex_chainage_m(xy_m: FloatArray, line_of: IntArray) -> FloatArray:
    """Metres along its own line of every vertex."""
    step_m = np.concatenate([[0.0], np.hypot(*np.diff(xy_m, axis=0).T)])
    is_first = np.concatenate([[True], line_of[1:] != line_of[:-1]])
    step_m[is_first] = 0.0
    along_m = np.cumsum(step_m)
    return np.asarray(along_m - along_m[np.flatnonzero(is_first)][np.cumsum(is_first) - 1], dtype=float)


def _cut_lines(
    lines: NDArray[np.object_], line: IntArray, chainage_m: FloatArray, cut_xy_m: FloatArray
) -> tuple[NDArray[np.object_], IntArray]:
    """Every line in pieces between its cuts, in order, and the line each piece comes from."""
    xy_m, line_of = shapely.get_coordinates(lines, return_index=True)
    own_m = _vertex_chainage_m(xy_m, line_of)
    last = np.concatenate([np.flatnonzero(np.diff(line_of)), [len(line_of) - 1]])
    # A cut at an end changes nothing and would leave an edge without length.
    is_inside = (chainage_m > _SAME_CHAINAGE_M) & (chainage_m < own_m[last][line] - _SAME_CHAINAGE_M)
    line, chainage_m, cut_xy_m = line[is_inside], chainage_m[is_inside], cut_xy_m[is_inside]

    # Cuts are sorted in among the vertices; a cut that falls on a vertex replaces it.
    all_line = np.concatenate([line_of, line])
    all_m = np.concatenate([own_m, chainage_m])
    all_xy_m = np.concatenate([xy_m, cut_xy_m])
    is_cut = np.concatenate([np.zeros(len(xy_m), dtype=bool), np.ones(len(line), dtype=bool)])
    order = np.lexsort((all_xy_m[:, 1], all_xy_m[:, 0], ~is_cut, all_m, all_line))
    all_line, all_m, all_xy_m, is_cut = all_line[order], all_m[order], all_xy_m[order], is_cut[order]
    group = np.cumsum(np.concatenate([[True], (all_line[1:] != all_line[:-1]) | (np.diff(all_m) > _SAME_CHAINAGE_M)]))
    pick = np.lexsort((np.arange(len(group)), ~is_cut, group))
    pick = pick[np.unique(group[pick], return_index=True)[1]]
    all_line, all_xy_m, is_cut = all_line[pick], all_xy_m[pick], is_cut[pick]

    # A cut vertex ends one piece and starts the next, so it is written twice.
    twice = np.repeat(np.arange(len(all_line)), 1 + is_cut)
    is_repeat = np.concatenate([[False], twice[1:] == twice[:-1]])
    is_start = is_repeat | np.concatenate([[True], all_line[twice][1:] != all_line[twice][:-1]])
    piece = np.cumsum(is_start) - 1
    pieces = shapely.linestrings(all_xy_m[twice], indices=piece)
    return np.asarray(pieces, dtype=object), np.asarray(all_line[twice][is_start], dtype=np.intp)
