"""
Points to the nearest edge of a road graph, with how far off it they are and how far along it.

In come point tables and a `geo.network.road.RoadGraph`; out comes a table `SNAPS`. A point with no edge within reach
keeps its row and says so. Segments are found in a grid of cells about as many as the segments, ring by ring.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.errors import UsageError
from geo.network.road import RoadGraph, gather_ranges
from geo.network.road_kernels import find_nearest
from geo.schema import Column, Contract, validate
from geo.tables.evidence import EASTING, NORTHING

__all__ = ["MAX_OFFSET_M", "SNAPS", "SegmentGrid", "build_segment_grid", "snap_points"]

# The project's own reach: a station or address farther than this from any road is not on the map's network.
MAX_OFFSET_M = 500.0
_SMALLEST_CELL_M = 50.0
_POINTS = Contract("points", "point_id", {"easting_m": EASTING, "northing_m": NORTHING})

SNAPS = Contract(
    "snaps",
    "point_id",
    {
        "edge": Column(
            "count", "position of the nearest edge in the graph; null where none is in reach", nullable=True
        ),
        "chainage_m": Column("number", "metres along the edge from its tail", nullable=True, low=0),
        "offset_m": Column("number", "metres from the point to the edge", nullable=True, low=0),
        "easting_m": Column("number", "easting of the place on the edge", nullable=True),
        "northing_m": Column("number", "northing of the place on the edge", nullable=True),
        "reason": Column("text", "why the point is not on an edge", nullable=True, values=("too_far",)),
    },
    total="One row a point.",
)
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class SegmentGrid:
    """
    The segments of a graph, and the grid of cells they are found by.

    Attributes
    ----------
    edge : numpy.ndarray of shape (n_segments,)
        Edge of each segment.
    vertex : numpy.ndarray of shape (n_segments,)
        Its first vertex in the graph.
    indptr, segments : numpy.ndarray
        Segments whose box touches each cell, in compressed rows.
    west, south, cell_m : float
        Corner of the grid and side of a cell, metres.
    n_columns, n_rows : int
        Cells in the grid.
    """

    edge: IntArray
    vertex: IntArray
    indptr: IntArray
    segments: IntArray
    west: float
    south: float
    cell_m: float
    n_columns: int
    n_rows: int


def snap_points(
    points: pd.DataFrame,
    graph: RoadGraph,
    *,
    max_offset_m: float = MAX_OFFSET_M,
    min_part_nodes: int = 1,
    grid: SegmentGrid | None = None,
) -> pd.DataFrame:
    """
    Snap every point to the nearest edge within reach.

    Parameters
    ----------
    points : pandas.DataFrame
        ``easting_m, northing_m`` in EPSG:27700, uniquely indexed. Never modified.
    graph : RoadGraph
        The roads.
    max_offset_m : float
        Reach, more than 0.
    min_part_nodes : int
        Edges of disconnected parts with fewer nodes are passed over, unless no part has as many.
    grid : SegmentGrid, optional
        The grid of this graph, where several tables are snapped to it; `min_part_nodes` is then that of the grid.

    Returns
    -------
    pandas.DataFrame
        Table `SNAPS`, with the index of `points`. Of edges equally near, the first is taken.

    Raises
    ------
    TableError
        If `points` lack a position.
    UsageError
        If `max_offset_m` is not above 0.
    """
    if not (np.isfinite(max_offset_m) and max_offset_m > 0):
        msg = f"max_offset_m: {max_offset_m!r} is no reach, expected metres above 0. Set it in metres."
        raise UsageError(msg)
    index = points.index.rename("point_id")
    positions = points[[name for name in _POINTS.columns if name in points.columns]].set_axis(index)
    validate(positions, _POINTS)
    grid = grid or build_segment_grid(graph, min_part_nodes=min_part_nodes)
    segment, share, offset_m = find_nearest(
        positions["easting_m"].to_numpy(dtype=float),
        positions["northing_m"].to_numpy(dtype=float),
        graph.vertex_easting_m[grid.vertex],
        graph.vertex_northing_m[grid.vertex],
        graph.vertex_easting_m[grid.vertex + 1],
        graph.vertex_northing_m[grid.vertex + 1],
        grid.indptr,
        grid.segments,
        grid.west,
        grid.south,
        grid.cell_m,
        grid.n_columns,
        grid.n_rows,
        float(max_offset_m),
    )
    is_near = segment >= 0
    first = grid.vertex[segment]
    along = {
        name: np.where(is_near, values[first] + share * (values[first + 1] - values[first]), np.nan)
        for name, values in (
            ("chainage_m", graph.vertex_chainage_m),
            ("easting_m", graph.vertex_easting_m),
            ("northing_m", graph.vertex_northing_m),
        )
    }
    table = pd.DataFrame(
        {
            "edge": pd.arrays.IntegerArray(grid.edge[segment], ~is_near),
            "chainage_m": along["chainage_m"],
            "offset_m": np.where(is_near, offset_m, np.nan),
            "easting_m": along["easting_m"],
            "northing_m": along["northing_m"],
            "reason": pd.Series("too_far", index=index, dtype="str").mask(is_near),
        },
        index=index,
    )
    return validate(table, SNAPS)


def build_segment_grid(graph: RoadGraph, *, min_part_nodes: int = 1) -> SegmentGrid:
    """
    Build the grid by which the segments of a graph are found.

    Parameters
    ----------
    graph : RoadGraph
        The roads.
    min_part_nodes : int
        Edges of disconnected parts with fewer nodes are left out, unless no part has as many.

    Returns
    -------
    SegmentGrid
        About two cells a segment, none smaller than 50 m.
    """
    sizes = graph.component_sizes
    kept = np.flatnonzero(sizes[graph.component[graph.tail]] >= min(min_part_nodes, sizes[0]))
    vertex, row = gather_ranges(graph.vertex_indptr[kept], graph.vertex_indptr[kept + 1] - 1)
    edge = kept[row]
    x = np.stack([graph.vertex_easting_m[vertex], graph.vertex_easting_m[vertex + 1]])
    y = np.stack([graph.vertex_northing_m[vertex], graph.vertex_northing_m[vertex + 1]])
    west, south = float(x.min()), float(y.min())
    width_m, height_m = float(x.max()) - west, float(y.max()) - south
    cell_m = max(_SMALLEST_CELL_M, float(np.sqrt(width_m * height_m / (2 * len(vertex)))))
    n_columns, n_rows = int(width_m // cell_m) + 1, int(height_m // cell_m) + 1
    first_column, last_column = (((side - west) // cell_m).astype(np.int64) for side in (x.min(axis=0), x.max(axis=0)))
    first_row, last_row = (((side - south) // cell_m).astype(np.int64) for side in (y.min(axis=0), y.max(axis=0)))
    # Every row of cells that a segment's box spans, then every cell of that row.
    row, segment_of_row = gather_ranges(first_row, last_row + 1)
    column, entry = gather_ranges(first_column[segment_of_row], last_column[segment_of_row] + 1)
    cell, segment = row[entry] * n_columns + column, segment_of_row[entry]
    order = np.lexsort((segment, cell))
    indptr = np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=n_columns * n_rows))]).astype(np.int64)
    return SegmentGrid(edge, vertex, indptr, segment[order], west, south, cell_m, n_columns, n_rows)
