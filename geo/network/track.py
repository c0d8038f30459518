"""
Track as a graph of nodes and edges: table RAIL_TRACK in, arrays out.

Two pieces of track are joined where they share a vertex, or where the end of one lies on the other. Lines that merely
cross on the map are not joined: one of them is on a bridge. This is the rule of OpenStreetMap, where a junction is a
shared node.
"""

from __future__ import annotations

from collections import Counter

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.network.feet import find_feet
from geo.network.track_graph import (
    SAME_CHAINAGE_M,
    TrackGraph,
    cut_edges,
    cut_lines,
    graph_of,
    measure_vertex_chainage,
    number_points,
)
from geo.schema import validate
from geo.tables import RAIL_TRACK

__all__ = ["build_track_graph"]


def build_track_graph(track: gpd.GeoDataFrame, *, join_limit_m: float) -> TrackGraph:
    """
    Node track at shared vertices and where an end lies on a line.

    1. Lines are cut at every vertex that two pieces of track share; a piece drawn twice is one piece.
    2. Pieces are put together again where only two meet, so that each edge runs from one junction or end to the next
       however the file cuts it up, and begins at its western end. A ring that nothing joins begins at its western
       vertex.
    3. An end that nothing else touches is joined to other track, or to a later part of its own line, within
       `join_limit_m`, by moving the nearest position of that track onto the end.

    Parameters
    ----------
    track : geopandas.GeoDataFrame
        Table `geo.tables.RAIL_TRACK`. Never modified.
    join_limit_m : float
        How far an end may lie from the line it touches, metres.

    Returns
    -------
    TrackGraph
        Without edges that have no length. It depends on neither the order and direction of the rows, nor on where
        they begin and end.

    Raises
    ------
    TableError
        If `track` breaks its contract.
    """
    validate(track, RAIL_TRACK)
    lines = np.asarray(track.geometry.to_numpy(), dtype=object)
    lines = lines[shapely.length(lines) > SAME_CHAINAGE_M]
    xy_m, line_of = shapely.get_coordinates(lines, return_index=True)
    node_of = number_points(xy_m)
    is_shared = np.bincount(node_of)[node_of] > 1
    chainage_m = measure_vertex_chainage(xy_m, line_of)
    pieces = cut_lines(lines, line_of[is_shared], chainage_m[is_shared], xy_m[is_shared])[0]
    edges = _dissolve(pieces)
    graph = graph_of(edges, np.zeros(len(edges), dtype=bool))

    ends = np.flatnonzero(graph.degree == 1)
    feet = find_feet(graph, graph.node_xy_m[ends], np.full(len(ends), join_limit_m))
    feet = feet[feet["node"].to_numpy() != ends[feet["point"]]]
    end_xy_m = graph.node_xy_m[ends[feet["point"].to_numpy(dtype=np.intp)]]
    return cut_edges(graph, feet["edge"].to_numpy(dtype=np.intp), feet["chainage_m"].to_numpy(dtype=float), end_xy_m)


def _dissolve(pieces: NDArray[np.object_]) -> NDArray[np.object_]:
    """Lines from one junction or end to the next, each once, in an order and direction of their own."""
    if len(pieces) == 0:
        return pieces
    # Ends that are one node are written alike, for lines are put together at equal coordinates only.
    graph = graph_of(_drop_repeats(pieces), np.zeros(0, dtype=bool))
    xy_m, line_of = shapely.get_coordinates(graph.lines, return_index=True)
    is_first = np.concatenate([[True], line_of[1:] != line_of[:-1]])
    is_last = np.concatenate([is_first[1:], [True]])
    xy_m[is_first], xy_m[is_last] = graph.node_xy_m[graph.tail], graph.node_xy_m[graph.head]
    merged = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(shapely.linestrings(xy_m, indices=line_of))))
    n_ends = Counter(map(tuple, np.concatenate([_end_xy_m(merged, 0), _end_xy_m(merged, -1)]).tolist()))
    edges = np.array([_orient(line, n_ends) for line in merged], dtype=object)
    return np.asarray(edges[np.lexsort((shapely.to_wkb(edges).astype(bytes), *shapely.bounds(edges).T[::-1]))])


def _drop_repeats(pieces: NDArray[np.object_]) -> NDArray[np.object_]:
    """The pieces without those that another draws too, in either direction."""
    shapes = pd.Series(shapely.to_wkb(shapely.normalize(pieces)), dtype=object)
    return pieces[~shapes.duplicated().to_numpy()]


def _end_xy_m(lines: NDArray[np.object_], at: int) -> NDArray[np.float64]:
    return np.asarray(shapely.get_coordinates(shapely.get_point(lines, at)), dtype=float)


def _orient(line: shapely.LineString, n_ends: Counter[tuple[float, ...]]) -> shapely.LineString:
    """The line in the one direction, and from the one vertex of a ring that stands alone, that its shape decides."""
    xy_m = [tuple(point) for point in shapely.get_coordinates(line).tolist()]
    if xy_m[0] == xy_m[-1] and n_ends[xy_m[0]] == 2:
        start = xy_m.index(min(xy_m))
        xy_m = [*xy_m[start:-1], *xy_m[: start + 1]]
    return shapely.LineString(min(xy_m, xy_m[::-1]))
