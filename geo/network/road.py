"""
Roads as compact arrays: the ways as they are mapped, and one directed graph for cars and one for people on foot.

A node is where ways meet or end; an edge is a piece of one way between two nodes, with its bends, so speed is constant
along it and a position on it is exact. `geo.network.road_cutting` makes the one from the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["RoadGraph", "RoadWays", "Roads", "gather_ranges"]

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
