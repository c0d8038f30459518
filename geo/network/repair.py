"""
Gaps in the drawing of track, closed by a rule and listed: a track graph in, a mended one and its repairs out.

A dead end close to other track is either a buffer stop or a gap. It is taken for a gap only where the way round by
track is very much longer than the gap itself, and every gap closed is reported.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo.network.feet import find_feet
from geo.network.track_graph import TrackGraph, add_bridges, cut_edges, measure_outward

__all__ = ["repair_gaps"]

FloatArray = NDArray[np.float64]

# ASSUMPTION: how far to the side of a dead end its other half may lie, degrees.
_AHEAD_DEG = 85.0


def repair_gaps(
    graph: TrackGraph, *, limit_m: float, min_detour_m: float, min_detour_ratio: float
) -> tuple[TrackGraph, pd.DataFrame]:
    """
    Join dead ends to nearby track that is far away along the track.

    1. For every node with one edge, each stretch of track within `limit_m` is a candidate, at its nearest position,
       if that lies ahead: two lines side by side that both stop at the edge of an extract are no gap.
    2. The detour is the shortest track path from the end to that position, infinite where there is none.
    3. The nearest candidate whose detour is at least `min_detour_m` and `min_detour_ratio` times the gap is joined.

    Parameters
    ----------
    graph : TrackGraph
        Never modified.
    limit_m : float
        Longest gap, metres.
    min_detour_m : float
        Shortest way round that makes it a gap, metres.
    min_detour_ratio : float
        Smallest ratio of the way round to the gap.

    Returns
    -------
    tuple of TrackGraph and pandas.DataFrame
        The mended graph, and a table indexed by ``repair_id`` of ``easting_m, northing_m`` (the dead end),
        ``gap_m`` and ``detour_m`` (null where there was no way round).
    """
    ends = np.flatnonzero(graph.degree == 1)
    feet = find_feet(graph, graph.node_xy_m[ends], np.full(len(ends), limit_m))
    feet = feet[feet["node"].to_numpy() != ends[feet["point"]]]
    end, edge = (feet[name].to_numpy(dtype=np.intp) for name in ("point", "edge"))
    chainage_m, foot_xy_m = feet["chainage_m"].to_numpy(dtype=float), feet[["easting_m", "northing_m"]].to_numpy()
    gaps = pd.DataFrame(
        {
            "end": end,
            "edge": edge,
            "chainage_m": chainage_m,
            "gap_m": feet["distance_m"].to_numpy(dtype=float),
            "detour_m": _detour_m(graph, ends, end, edge, chainage_m),
        }
    )
    gaps[["foot_easting_m", "foot_northing_m"]] = foot_xy_m
    gaps[["easting_m", "northing_m"]] = graph.node_xy_m[ends[end]]
    ahead = _headings(graph, ends)[end]
    towards = gaps[["foot_easting_m", "foot_northing_m"]].to_numpy(dtype=float) - graph.node_xy_m[ends[end]]
    is_ahead = (ahead * towards).sum(axis=1) >= np.cos(np.deg2rad(_AHEAD_DEG)) * gaps["gap_m"]
    is_gap = is_ahead & (gaps["detour_m"] >= min_detour_m) & (gaps["detour_m"] >= min_detour_ratio * gaps["gap_m"])
    gaps = gaps[is_gap].sort_values(["end", "gap_m", "edge"], kind="stable").drop_duplicates("end")
    gaps = _drop_mutual(gaps)
    foot_xy_m = gaps[["foot_easting_m", "foot_northing_m"]].to_numpy(dtype=float)
    end_xy_m = gaps[["easting_m", "northing_m"]].to_numpy(dtype=float)
    mended = cut_edges(graph, gaps["edge"].to_numpy(), gaps["chainage_m"].to_numpy(dtype=float), foot_xy_m)
    mended = add_bridges(mended, end_xy_m, foot_xy_m)
    gaps["detour_m"] = gaps["detour_m"].where(np.isfinite(gaps["detour_m"]))
    gaps.index = pd.RangeIndex(len(gaps), name="repair_id")
    return mended, gaps[["easting_m", "northing_m", "gap_m", "detour_m"]]


def _detour_m(
    graph: TrackGraph, ends: NDArray[np.intp], end: NDArray[np.intp], edge: NDArray[np.intp], chainage_m: FloatArray
) -> FloatArray:
    """Metres by track from each dead end to a position on an edge."""
    if len(end) == 0:
        return np.zeros(0)
    used, row = np.unique(end, return_inverse=True)
    adjacency = csr_array(
        (
            np.tile(graph.length_m, 2),
            (np.concatenate([graph.tail, graph.head]), np.concatenate([graph.head, graph.tail])),
        ),
        shape=(graph.n_nodes,) * 2,
    )
    distance_m = dijkstra(adjacency, indices=ends[used])
    by_tail = distance_m[row, graph.tail[edge]] + chainage_m
    by_head = distance_m[row, graph.head[edge]] + graph.length_m[edge] - chainage_m
    return np.asarray(np.minimum(by_tail, by_head), dtype=float)


def _headings(graph: TrackGraph, ends: NDArray[np.intp]) -> FloatArray:
    """Unit vectors in which a train would run off each dead end."""
    end_of_state = np.concatenate([graph.tail, graph.head])
    order = np.argsort(end_of_state, kind="stable")
    state = order[np.searchsorted(end_of_state[order], ends)]
    return -measure_outward(graph)[state]


def _drop_mutual(gaps: pd.DataFrame) -> pd.DataFrame:
    """Two dead ends that face each other make one gap, not two."""
    start = gaps[["easting_m", "northing_m"]].round(2).to_numpy()
    foot = gaps[["foot_easting_m", "foot_northing_m"]].round(2).to_numpy()
    seen: set[tuple[float, ...]] = set()
    keep = []
    for a, b in zip(start.tolist(), foot.tolist(), strict=True):
        pair = tuple(sorted((*a, *b)))
        keep.append(pair not in seen)
        seen.add(pair)
    return gaps[np.asarray(keep, dtype=bool)]
