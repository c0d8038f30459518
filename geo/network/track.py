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
import shapely
from numpy.typing import NDArray

from geo.network.feet import find_feet
from geo.network.track_graph import (
    TrackGraph,
    cut_edges,
    graph_of,
    number_points,
)
from geo.schema import validate
from geo.tables import RAIL_TRACK

__all__ = ["build_track_graph"]


def build_track_graph(track: gpd.GeoDataFrame, *, join_limit_m: float) -> TrackGraph:
    """
    Node track at shared vertices and where an end lies on a line.

    1. Lines are taken segment by segment; a segment drawn twice is one segment.
    2. Segments are put together where only two meet, so that each edge runs from one junction or end to the next
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
    edges = _draw_edges(np.asarray(track.geometry.to_numpy(), dtype=object))
    graph = graph_of(edges, np.zeros(len(edges), dtype=bool))

    ends = np.flatnonzero(graph.degree == 1)
    feet = find_feet(graph, graph.node_xy_m[ends], np.full(len(ends), join_limit_m))
    feet = feet[feet["node"].to_numpy() != ends[feet["point"]]]
    end_xy_m = graph.node_xy_m[ends[feet["point"].to_numpy(dtype=np.intp)]]
    return cut_edges(graph, feet["edge"].to_numpy(dtype=np.intp), feet["chainage_m"].to_numpy(dtype=float), end_xy_m)


def _draw_edges(lines: NDArray[np.object_]) -> NDArray[np.object_]:
    """Lines from one junction or end to the next, in an order and direction of their own."""
    xy_m, line_of = shapely.get_coordinates(lines, return_index=True)
    if len(xy_m) == 0:
        return np.zeros(0, dtype=object)
    vertex = number_points(xy_m)
    # Vertices that are one are written alike, for segments are put together at equal coordinates only.
    order = np.lexsort((xy_m[:, 1], xy_m[:, 0], vertex))
    vertex_xy_m = xy_m[order][np.unique(vertex[order], return_index=True)[1]]
    is_segment = (line_of[1:] == line_of[:-1]) & (vertex[1:] != vertex[:-1])
    pairs = np.unique(np.sort(np.stack([vertex[:-1], vertex[1:]], axis=1)[is_segment], axis=1), axis=0)
    if len(pairs) == 0:
        return np.zeros(0, dtype=object)
    segments = shapely.linestrings(vertex_xy_m[pairs])
    merged = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(segments)))
    n_ends = Counter(map(tuple, np.concatenate([_end_xy_m(merged, 0), _end_xy_m(merged, -1)]).tolist()))
    edges = np.array([_orient(line, n_ends) for line in merged], dtype=object)
    return np.asarray(edges[np.lexsort((shapely.to_wkb(edges).astype(bytes), *shapely.bounds(edges).T[::-1]))])


def _end_xy_m(lines: NDArray[np.object_], at: int) -> NDArray[np.float64]:
    return np.asarray(shapely.get_coordinates(shapely.get_point(lines, at)), dtype=float)


def _orient(line: shapely.LineString, n_ends: Counter[tuple[float, ...]]) -> shapely.LineString:
    """The line in the one direction, and from the one vertex of a ring that stands alone, that its shape decides."""
    xy_m = [tuple(point) for point in shapely.get_coordinates(line).tolist()]
    if xy_m[0] == xy_m[-1] and n_ends[xy_m[0]] == 2:
        start = xy_m.index(min(xy_m))
        xy_m = [*xy_m[start:-1], *xy_m[: start + 1]]
    return shapely.LineString(min(xy_m, xy_m[::-1]))
