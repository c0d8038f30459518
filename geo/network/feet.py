"""
Where points are nearest to track: one foot for each stretch of track that passes a point.

A stretch is a connected part of one edge inside the circle around the point. A line that leaves the circle and comes
back passes twice, and has two feet, as it would if it were drawn as two lines.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.network.track_graph import TrackGraph

__all__ = ["find_feet"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

# A foot this close to the end of an edge is that end.
_END_M = 0.05


def find_feet(graph: TrackGraph, xy_m: FloatArray, reach_m: FloatArray) -> pd.DataFrame:
    """
    Find the nearest position of every stretch of track within reach of each point.

    1. Each edge is taken segment by segment; those within reach of a point that follow one another, and whose shared
       vertex is within reach too, are one stretch.
    2. The foot of a stretch is its nearest position. One at the end of an edge is a node.
    3. A node is no foot where another stretch leads on from it, nearer to the point.

    Parameters
    ----------
    graph : TrackGraph
        Never modified.
    xy_m : numpy.ndarray of shape (n_points, 2)
        Points, EPSG:27700 metres.
    reach_m : numpy.ndarray of shape (n_points,)
        Radius of the circle around each point.

    Returns
    -------
    pandas.DataFrame
        Columns ``point, edge, chainage_m, easting_m, northing_m, distance_m, node``; ``node`` is -1 where the foot is
        not at the end of its edge. Ordered by point, edge and chainage.
    """
    points = shapely.points(xy_m)
    tree = shapely.STRtree(graph.lines)
    used = np.unique(tree.query(points, predicate="dwithin", distance=reach_m)[1])
    start_m, step_m, edge, at_m = _cut_segments(graph, used)
    segments = shapely.linestrings(np.stack([start_m, start_m + step_m], axis=1)) if len(edge) else np.zeros(0, object)
    point, segment = shapely.STRtree(segments).query(points, predicate="dwithin", distance=reach_m)
    order = np.lexsort((segment, point))
    point, segment = point[order], segment[order]

    size_m = np.hypot(*step_m[segment].T)
    to_point_m = xy_m[point] - start_m[segment]
    share = np.clip((to_point_m * step_m[segment]).sum(axis=1) / np.maximum(size_m, 1e-12) ** 2, 0.0, 1.0)
    foot_m = start_m[segment] + share[:, None] * step_m[segment]
    looks = pd.DataFrame(
        {
            "point": point,
            "edge": edge[segment],
            "chainage_m": at_m[segment] + share * size_m,
            "easting_m": foot_m[:, 0],
            "northing_m": foot_m[:, 1],
            "distance_m": np.hypot(*(foot_m - xy_m[point]).T),
        }
    )
    follows = (point[1:] == point[:-1]) & (segment[1:] == segment[:-1] + 1) & (edge[segment[1:]] == edge[segment[:-1]])
    start_off_m = np.hypot(*to_point_m.T)
    follows &= start_off_m[1:] <= reach_m[point[1:]]
    looks["stretch"] = np.cumsum(np.concatenate([[True], ~follows])[: len(looks)])
    end_off_m = np.hypot(*(to_point_m - step_m[segment]).T)
    looks["has_tail"] = (at_m[segment] == 0.0) & (start_off_m <= reach_m[point])
    is_last = np.concatenate([edge[1:] != edge[:-1], [True]])[: len(edge)]
    looks["has_head"] = is_last[segment] & (end_off_m <= reach_m[point])
    feet = _drop_beaten(_nearest_of_stretch(looks), graph)
    off_m = feet[["easting_m", "northing_m"]].to_numpy(dtype=float) - xy_m[feet["point"].to_numpy(dtype=np.intp)]
    return feet.assign(distance_m=np.hypot(*off_m.T))


def _cut_segments(graph: TrackGraph, used: IntArray) -> tuple[FloatArray, FloatArray, IntArray, FloatArray]:
    """Start, step, edge and chainage of every segment of the edges in use, in order; none is without length."""
    xy_m, owner = shapely.get_coordinates(graph.lines[used], return_index=True)
    step_m = np.diff(xy_m, axis=0)
    size_m = np.hypot(*step_m.T)
    is_segment = (owner[1:] == owner[:-1]) & (size_m > 0)
    start_m, step_m, size_m, owner = (
        xy_m[:-1][is_segment],
        step_m[is_segment],
        size_m[is_segment],
        owner[1:][is_segment],
    )
    along_m = np.concatenate([[0.0], np.cumsum(size_m)])[:-1]
    is_first = np.concatenate([[True], owner[1:] != owner[:-1]])[: len(owner)]
    at_m = along_m - along_m[np.flatnonzero(is_first)][np.cumsum(is_first) - 1] if len(owner) else along_m
    return start_m, step_m, np.asarray(used[owner], dtype=np.intp), np.asarray(at_m, dtype=float)


def _nearest_of_stretch(looks: pd.DataFrame) -> pd.DataFrame:
    """One row a stretch: its nearest position, the first of two as near, and which ends of its edge it reaches."""
    reaches = looks.groupby("stretch")[["has_tail", "has_head"]].transform("any")
    looks = looks.assign(has_tail=reaches["has_tail"], has_head=reaches["has_head"])
    nearest = looks.sort_values(["stretch", "distance_m", "chainage_m"], kind="stable")
    return nearest.drop_duplicates("stretch")


def _drop_beaten(feet: pd.DataFrame, graph: TrackGraph) -> pd.DataFrame:
    """The feet, those at ends of edges moved onto their nodes, without nodes from which track leads nearer."""
    edge = feet["edge"].to_numpy(dtype=np.intp)
    chainage_m, length_m = feet["chainage_m"].to_numpy(dtype=float), graph.length_m[edge]
    is_tail = (chainage_m < _END_M) & (chainage_m <= length_m - chainage_m)
    is_head = ~is_tail & (chainage_m > length_m - _END_M)
    node = np.where(is_tail, graph.tail[edge], np.where(is_head, graph.head[edge], -1))
    chainage_m = np.where(is_tail, 0.0, np.where(is_head, length_m, chainage_m))
    foot_m = np.where((node >= 0)[:, None], graph.node_xy_m[node], feet[["easting_m", "northing_m"]].to_numpy())
    pair = feet["point"].to_numpy(dtype=np.intp) * graph.n_nodes
    reached = [(graph.tail[edge], feet["has_tail"].to_numpy()), (graph.head[edge], feet["has_head"].to_numpy())]
    beaten = np.concatenate([(pair + end)[has_end & (end != node)] for end, has_end in reached])
    is_foot = (node < 0) | ~np.isin(pair + node, beaten)
    moved = feet.assign(chainage_m=chainage_m, easting_m=foot_m[:, 0], northing_m=foot_m[:, 1], node=node)
    kept: pd.DataFrame = moved[is_foot].reset_index(drop=True)
    return kept[["point", "edge", "chainage_m", "easting_m", "northing_m", "distance_m", "node"]]
