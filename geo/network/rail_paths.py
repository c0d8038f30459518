"""Shortest paths between neighbouring stations that a train could run: a track graph and its owners in, paths out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo.network.track_graph import TrackGraph, measure_outward

__all__ = ["LinkPaths", "measure_link_paths"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

# Sources in one call of Dijkstra, to bound the dense rows it returns.
_CHUNK = 256


@dataclass(frozen=True)
class LinkPaths:
    """
    One shortest path for each pair of neighbouring stations.

    Attributes
    ----------
    origin, destination : numpy.ndarray of shape (n_paths,)
        Positions of the stations, origin below destination.
    length_m, bridged_m : numpy.ndarray of shape (n_paths,)
        Metres along track, and those of them that bridge gaps.
    lines : numpy.ndarray of shape (n_paths,)
        LineStrings from origin to destination.
    """

    origin: IntArray
    destination: IntArray
    length_m: FloatArray
    bridged_m: FloatArray
    lines: NDArray[np.object_]


def measure_link_paths(graph: TrackGraph, owner: IntArray, *, max_turn_deg: float, throat_m: float) -> LinkPaths:
    """
    Find the shortest path between every two stations with no third on it.

    1. A state is an edge travelled in one direction, so that a turn is a step between two states.
    2. A step through a station's node does not exist: trains stop there. A step that turns back, or that turns by
       more than `max_turn_deg` at a junction, does not exist either.
    3. A centre line joins a large station's throat at one point for all its tracks, so a sharp turn is allowed next to
       an edge of at most `throat_m` that leads to a station; the path starts or ends there.
    4. Dijkstra runs over the states from all those that leave a station.

    Parameters
    ----------
    graph : TrackGraph
        Track cut at its stations. Never modified.
    owner : numpy.ndarray of shape (n_nodes,)
        Position of the station each node belongs to, -1 for open track.
    max_turn_deg : float
        Sharpest turn allowed where more than two edges meet, degrees.
    throat_m : float
        Longest edge that counts as the throat of the station at its end, metres.

    Returns
    -------
    LinkPaths
        Ordered by origin and destination.
    """
    n_edges = len(graph.tail)
    tail = np.concatenate([graph.tail, graph.head])
    head = np.concatenate([graph.head, graph.tail])
    length_m = np.tile(graph.length_m, 2)
    came, went = _allowed_steps(graph, owner, tail, head, max_turn_deg, throat_m)

    leaving = np.flatnonzero(owner[tail] >= 0)
    sources, source_no = np.unique(owner[tail[leaving]], return_inverse=True)
    n_states = 2 * n_edges
    states = csr_array(
        (
            np.concatenate([length_m[went], length_m[leaving]]),
            (np.concatenate([came, n_states + source_no]), np.concatenate([went, leaving])),
        ),
        shape=(n_states + len(sources),) * 2,
    )
    arriving = np.flatnonzero(owner[head] >= 0)
    found = [
        _search(states, n_states, range(k, min(k + _CHUNK, len(sources))), sources, arriving, owner[head[arriving]])
        for k in range(0, len(sources), _CHUNK)
    ]
    table = (
        pd.concat([f[0] for f in found], ignore_index=True)
        if found
        else pd.DataFrame(columns=["origin", "destination", "length_m"])
    )
    arcs = [path for f in found for path in f[1]]
    return _collect(graph, table, arcs)


def _allowed_steps(
    graph: TrackGraph, owner: IntArray, tail: IntArray, head: IntArray, max_turn_deg: float, throat_m: float
) -> tuple[IntArray, IntArray]:
    """Pairs of states that a train may travel one after the other."""
    n_edges = len(graph.tail)
    states = np.arange(2 * n_edges)
    into = pd.DataFrame({"node": head, "came": states})[owner[head] < 0]
    steps = into.merge(pd.DataFrame({"node": tail, "went": states}), on="node")
    came, went, node = (steps[name].to_numpy() for name in ("came", "went", "node"))
    reverse = (came + n_edges) % (2 * n_edges)
    # Both directions are read outwards from the node, so straight on is a cosine of -1.
    outward = measure_outward(graph)
    cosine = (outward[reverse] * outward[went]).sum(axis=1)
    is_gentle = cosine <= -np.cos(np.deg2rad(max_turn_deg)) + 1e-9
    is_plain = (graph.degree[node] == 2) | graph.is_bridge[came % n_edges] | graph.is_bridge[went % n_edges]
    is_throat = (owner[tail] >= 0) & (np.tile(graph.length_m, 2) <= throat_m)
    is_plain |= is_throat[came] | is_throat[(went + n_edges) % (2 * n_edges)]
    keep = (went != reverse) & (is_gentle | is_plain)
    return came[keep], went[keep]


def _search(
    states: csr_array, n_states: int, chunk: range, sources: IntArray, arriving: IntArray, arrives_at: IntArray
) -> tuple[pd.DataFrame, list[list[int]]]:
    """The best path from each source of the chunk to each later station it reaches."""
    distance_m, before = dijkstra(states, indices=n_states + np.asarray(chunk, dtype=np.intp), return_predecessors=True)
    row, column = np.nonzero(np.isfinite(distance_m[:, arriving]))
    table = pd.DataFrame(
        {
            "origin": sources[np.asarray(chunk, dtype=np.intp)[row]],
            "destination": arrives_at[column],
            "length_m": distance_m[row, arriving[column]],
            "row": row,
            "state": arriving[column],
        }
    )
    table = table[table["origin"] < table["destination"]]
    table = table.sort_values(["origin", "destination", "length_m", "state"], kind="stable")
    table = table.drop_duplicates(["origin", "destination"])
    paths = []
    for row_no, state in zip(table["row"].tolist(), table["state"].tolist(), strict=True):
        path, at = [], state
        while at < n_states:
            path.append(at)
            at = int(before[row_no, at])
        paths.append(path[::-1])
    return table, paths


def _collect(graph: TrackGraph, table: pd.DataFrame, paths: list[list[int]]) -> LinkPaths:
    n_edges = len(graph.tail)
    bridged_m = [sum(graph.length_m[s % n_edges] for s in path if graph.is_bridge[s % n_edges]) for path in paths]
    lines = [_join([graph.lines[s % n_edges] for s in path], [s >= n_edges for s in path]) for path in paths]
    merged = np.empty(len(lines), dtype=object)
    merged[:] = lines
    return LinkPaths(
        origin=table["origin"].to_numpy(dtype=np.intp),
        destination=table["destination"].to_numpy(dtype=np.intp),
        length_m=table["length_m"].to_numpy(dtype=float),
        bridged_m=np.asarray(bridged_m, dtype=float),
        lines=merged,
    )


def _join(lines: list[shapely.LineString], is_reversed: list[bool]) -> shapely.LineString:
    """One line through all edges in the order and direction travelled."""
    parts = [shapely.get_coordinates(line) for line in lines]
    parts = [part[::-1] if back else part for part, back in zip(parts, is_reversed, strict=True)]
    return shapely.LineString(np.concatenate([parts[0], *(part[1:] for part in parts[1:])]))
