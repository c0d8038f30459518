"""
The two loops that no library has fast enough: the nearest segment in a grid, and shortest paths between given points.

Both are compiled once and cached beside this file. They know nothing of roads: arrays in, arrays out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geo.compiled import compiled

__all__ = ["find_fastest", "find_nearest"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
NodeArray = NDArray[np.int32]


@compiled
def find_nearest(  # type: ignore[no-untyped-def]  # noqa: ANN201
    x: FloatArray,
    y: FloatArray,
    start_x: FloatArray,
    start_y: FloatArray,
    end_x: FloatArray,
    end_y: FloatArray,
    cell_indptr: IntArray,
    cell_segments: IntArray,
    west: float,
    south: float,
    cell_m: float,
    n_columns: int,
    n_rows: int,
    max_m: float,
):
    """
    Find the nearest segment to each point, looking outwards ring by ring of grid cells.

    Parameters
    ----------
    x, y : numpy.ndarray of shape (n_points,)
        Points, metres.
    start_x, start_y, end_x, end_y : numpy.ndarray of shape (n_segments,)
        Segments, metres.
    cell_indptr, cell_segments : numpy.ndarray
        Segments that touch each cell, in compressed rows; cells run west to east, then south to north.
    west, south, cell_m : float
        Corner of the grid and side of a cell.
    n_columns, n_rows : int
        Cells in the grid.
    max_m : float
        Farthest segment to look for.

    Returns
    -------
    tuple of numpy.ndarray
        Segment (-1 where none is within reach), share of the way along it, and distance in metres. Of segments at
        the same distance the lowest is taken.
    """
    n_points = len(x)
    segment = np.full(n_points, -1, np.int64)
    share = np.zeros(n_points)
    distance_m = np.full(n_points, np.inf)
    for point in range(n_points):
        px, py = x[point], y[point]
        column = int(np.floor((px - west) / cell_m))
        row = int(np.floor((py - south) / cell_m))
        # Metres to the nearest side of the point's own cell; every further ring adds the side of a cell.
        bound = min(
            px - (west + column * cell_m),
            west + (column + 1) * cell_m - px,
            py - (south + row * cell_m),
            south + (row + 1) * cell_m - py,
        )
        best, best_share, best_squared = -1, 0.0, max_m * max_m
        ring = 0
        is_open = True
        while is_open:
            for r in range(max(row - ring, 0), min(row + ring, n_rows - 1) + 1):
                step = 1 if r in (row - ring, row + ring) else 2 * ring
                for c in range(column - ring, column + ring + 1, max(step, 1)):
                    if 0 <= c < n_columns:
                        cell = r * n_columns + c
                        for k in range(cell_indptr[cell], cell_indptr[cell + 1]):
                            s = cell_segments[k]
                            t, squared = _to_segment(px, py, start_x[s], start_y[s], end_x[s], end_y[s])
                            if squared < best_squared or (squared == best_squared and (best < 0 or s < best)):
                                best, best_share, best_squared = s, t, squared
            is_open = bound * bound <= best_squared
            bound += cell_m
            ring += 1
        if best >= 0:
            segment[point], share[point], distance_m[point] = best, best_share, np.sqrt(best_squared)
    return segment, share, distance_m


@compiled
def _to_segment(px: float, py: float, ax: float, ay: float, bx: float, by: float):  # type: ignore[no-untyped-def]  # noqa: ANN202
    """Share of the way along the segment, and squared metres; exact at its ends, so that neighbours tie there."""
    dx, dy = bx - ax, by - ay
    squared = dx * dx + dy * dy
    t = ((px - ax) * dx + (py - ay) * dy) / squared if squared > 0.0 else 0.0
    if t <= 0.0:
        t, ox, oy = 0.0, px - ax, py - ay
    elif t >= 1.0:
        t, ox, oy = 1.0, px - bx, py - by
    else:
        ox, oy = px - (ax + t * dx), py - (ay + t * dy)
    return t, ox * ox + oy * oy


@compiled
def find_fastest(  # type: ignore[no-untyped-def]  # noqa: ANN201, C901
    indptr: IntArray,
    indices: NodeArray,
    time_min: FloatArray,
    length_m: FloatArray,
    seed_node: NodeArray,
    seed_min: FloatArray,
    seed_m: FloatArray,
    goal_node: NodeArray,
    goal_min: FloatArray,
    goal_m: FloatArray,
    limit_min: float,
):
    """
    Find the fastest path from each source to each goal; of equally fast paths, the shortest.

    Dijkstra's algorithm with a binary heap of pairs (minutes, metres). A source starts at two nodes, and a goal is
    reached from two, each at a cost: the ends of the edges they lie on.

    Parameters
    ----------
    indptr, indices, time_min, length_m : numpy.ndarray
        Arcs in compressed rows.
    seed_node, seed_min, seed_m : numpy.ndarray of shape (n_sources, 2)
        Nodes each source starts at, and the cost to them; infinite where it may not.
    goal_node, goal_min, goal_m : numpy.ndarray of shape (n_goals, 2)
        Nodes each goal is reached from, and the cost from them; infinite where it may not.
    limit_min : float
        Longest time to look for.

    Returns
    -------
    tuple of numpy.ndarray of shape (n_sources, n_goals)
        Minutes and metres, infinite where there is no path within the limit.
    """
    # An infinite cost is no path, even where there is no limit.
    limit_min = min(limit_min, np.finfo(np.float64).max)
    n_nodes, n_sources, n_goals = len(indptr) - 1, seed_node.shape[0], goal_node.shape[0]
    out_min = np.full((n_sources, n_goals), np.inf)
    out_m = np.full((n_sources, n_goals), np.inf)
    best_min, best_m = np.full(n_nodes, np.inf), np.full(n_nodes, np.inf)
    size = len(indices) + 2
    heap_min, heap_m, heap_node = np.empty(size), np.empty(size), np.empty(size, np.int32)
    touched = np.empty(n_nodes, np.int32)
    for source in range(n_sources):
        n_heap = n_touched = 0
        for side in range(2):
            node, minutes, metres = seed_node[source, side], seed_min[source, side], seed_m[source, side]
            if minutes <= limit_min and _is_less(minutes, metres, best_min[node], best_m[node]):
                n_touched = _note(touched, n_touched, node, best_min[node])
                best_min[node], best_m[node] = minutes, metres
                n_heap = _push(heap_min, heap_m, heap_node, n_heap, minutes, metres, node)
        while n_heap > 0:
            from_min, from_m, node = heap_min[0], heap_m[0], heap_node[0]
            n_heap = _drop_first(heap_min, heap_m, heap_node, n_heap)
            if from_min != best_min[node] or from_m != best_m[node]:
                continue  # an entry that was bettered after it was made
            for arc in range(indptr[node], indptr[node + 1]):
                target = indices[arc]
                minutes, metres = from_min + time_min[arc], from_m + length_m[arc]
                if minutes <= limit_min and _is_less(minutes, metres, best_min[target], best_m[target]):
                    n_touched = _note(touched, n_touched, target, best_min[target])
                    best_min[target], best_m[target] = minutes, metres
                    n_heap = _push(heap_min, heap_m, heap_node, n_heap, minutes, metres, target)
        for goal in range(n_goals):
            for side in range(2):
                minutes = best_min[goal_node[goal, side]] + goal_min[goal, side]
                metres = best_m[goal_node[goal, side]] + goal_m[goal, side]
                if minutes <= limit_min and _is_less(minutes, metres, out_min[source, goal], out_m[source, goal]):
                    out_min[source, goal], out_m[source, goal] = minutes, metres
        # Only what was touched is cleared: with a limit that is a small part of a large graph.
        best_min[touched[:n_touched]] = np.inf
        best_m[touched[:n_touched]] = np.inf
    return out_min, out_m


@compiled
def _note(touched: NodeArray, n_touched: int, node: int, best_min: float) -> int:
    """A node that had no time yet is on the list of those touched."""
    if best_min != np.inf:
        return n_touched
    touched[n_touched] = node
    return n_touched + 1


@compiled
def _is_less(minutes: float, metres: float, other_min: float, other_m: float) -> bool:
    """Whether the first path is faster, or as fast and shorter."""
    return minutes < other_min or (minutes == other_min and metres < other_m)


@compiled
def _push(
    heap_min: FloatArray, heap_m: FloatArray, heap_node: NodeArray, n: int, minutes: float, metres: float, node: int
) -> int:
    """The entry is in the heap, which has one more."""
    hole = n
    while hole > 0:
        parent = (hole - 1) // 2
        if not _is_less(minutes, metres, heap_min[parent], heap_m[parent]):
            break
        heap_min[hole], heap_m[hole], heap_node[hole] = heap_min[parent], heap_m[parent], heap_node[parent]
        hole = parent
    heap_min[hole], heap_m[hole], heap_node[hole] = minutes, metres, node
    return n + 1


@compiled
def _drop_first(heap_min: FloatArray, heap_m: FloatArray, heap_node: NodeArray, n: int) -> int:
    """The first entry is out of the heap, which has one fewer: the last sinks from the root to its place."""
    n -= 1
    minutes, metres, node = heap_min[n], heap_m[n], heap_node[n]
    hole, child = 0, 1
    while child < n:
        right = child + 1
        if right < n and _is_less(heap_min[right], heap_m[right], heap_min[child], heap_m[child]):
            child = right
        if not _is_less(heap_min[child], heap_m[child], minutes, metres):
            break
        heap_min[hole], heap_m[hole], heap_node[hole] = heap_min[child], heap_m[child], heap_node[child]
        hole, child = child, 2 * child + 1
    heap_min[hole], heap_m[hole], heap_node[hole] = minutes, metres, node
    return n
