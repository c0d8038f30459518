"""
Road graphs to and from osmnx, for those who work in it.

osmnx is imported only by those who hold one of its graphs; this module needs networkx when `to_osmnx` is called.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from pyproj import CRS

from geo.crs import METRIC, WGS84, to_metric_arrays
from geo.errors import CrsError, InputError, UsageError
from geo.network.road import FloatArray, RoadGraph, RoadWays
from geo.network.road_cutting import build_road_graph
from geo.network.speeds import (
    MIN_PER_M_AT_1_KM_H,
    ROAD_CLASSES,
    WALK_SPEED_KM_H,
    drive_speed_km_h,
    parse_maxspeed_km_h,
)

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["from_osmnx", "to_osmnx"]

_S_PER_MIN = 60.0
_SAME_LENGTH_M = 1e-6


def to_osmnx(graph: RoadGraph) -> nx.MultiDiGraph:
    """
    Give a road graph as osmnx would hold it.

    Parameters
    ----------
    graph : RoadGraph
        The roads. Never modified.

    Returns
    -------
    networkx.MultiDiGraph
        In EPSG:27700. Nodes have ``x, y``; edges ``osmid, length`` (metres), ``travel_time`` (seconds), ``speed_kph``,
        ``reversed``, ``oneway`` and ``geometry``.

    Raises
    ------
    UsageError
        If networkx is not installed.
    """
    try:
        import networkx as nx
    except ImportError as error:
        msg = "networkx: it is not installed, expected it for osmnx graphs. Install gateline with the 'fetch' extra."
        raise UsageError(msg) from error
    out = nx.MultiDiGraph(crs=METRIC, created_with="gateline")
    ids = graph.node_id.tolist()
    for node_id, easting_m, northing_m in zip(ids, graph.easting_m.tolist(), graph.northing_m.tolist(), strict=True):
        out.add_node(node_id, x=easting_m, y=northing_m)
    vertices = np.column_stack([graph.vertex_easting_m, graph.vertex_northing_m])
    for edge in range(graph.n_edges):
        tail, head = ids[graph.tail[edge]], ids[graph.head[edge]]
        line = shapely.LineString(vertices[graph.vertex_indptr[edge] : graph.vertex_indptr[edge + 1]])
        paces = (graph.forward_min_per_m[edge], graph.backward_min_per_m[edge])
        for is_reversed, (u, v, pace) in enumerate([(tail, head, paces[0]), (head, tail, paces[1])]):
            if np.isfinite(pace):
                out.add_edge(
                    u,
                    v,
                    osmid=int(graph.way_id[edge]),
                    length=float(graph.edge_length_m[edge]),
                    travel_time=float(graph.edge_length_m[edge] * pace * _S_PER_MIN),
                    speed_kph=float(MIN_PER_M_AT_1_KM_H / pace),
                    reversed=bool(is_reversed),
                    oneway=not np.isfinite(paces).all(),
                    geometry=line.reverse() if is_reversed else line,
                )
    return out


def from_osmnx(graph: nx.MultiDiGraph, *, mode: str) -> RoadGraph:
    """
    Take a road graph from osmnx.

    The speed of an edge is its ``speed_kph``; else it follows from ``maxspeed`` or the class of its ``highway``, as for
    roads that are read here. Two edges that are one street in both directions become one edge.

    Parameters
    ----------
    graph : networkx.MultiDiGraph
        In WGS 84 or EPSG:27700, with ``x, y`` on its nodes. Never modified.
    mode : str
        ``walk``, at walking speed in both directions, or ``drive``.

    Returns
    -------
    RoadGraph
        The same roads.

    Raises
    ------
    CrsError
        If the graph states no reference system, or another.
    InputError
        If the graph has no edge.
    """
    if not graph.number_of_edges():
        msg = "graph: it has no edge, expected roads. Check the osmnx query."
        raise InputError(msg)
    where = _positions(graph)
    streets = _streets(graph, where)
    lines = [line for line, _, _ in streets]
    bounds = np.concatenate([[0], np.cumsum([len(line) for line in lines])]).astype(np.int64)
    coordinates = np.concatenate(lines)
    # Bends have no id of their own: they get negative ones, which no node of the map has.
    node_id = -1 - np.arange(len(coordinates), dtype=np.int64)
    node_id[bounds[:-1]] = [ends[0] for _, ends, _ in streets]
    node_id[bounds[1:] - 1] = [ends[1] for _, ends, _ in streets]
    road_class, limit = zip(*(_class_and_limit(data) for _, _, data in streets), strict=True)
    is_two_way = np.array([data["is_two_way"] for _, _, data in streets])
    ways = RoadWays(
        way_id=np.arange(len(streets), dtype=np.int64),
        vertex_indptr=bounds,
        node_id=node_id,
        easting_m=coordinates[:, 0],
        northing_m=coordinates[:, 1],
        drive_forward=np.ones(len(streets), dtype=bool),
        drive_backward=is_two_way,
        walk=np.ones(len(streets), dtype=bool),
        road_class=np.array(road_class, dtype=np.int8),
        limit_km_h=np.array(limit, dtype=float),
    )
    given = np.array([float(data.get("speed_kph", np.nan)) for _, _, data in streets])
    speed_km_h = np.where(np.isnan(given), drive_speed_km_h(ways.limit_km_h, ways.road_class), given)
    if mode == "walk":
        speed_km_h = np.full(len(streets), WALK_SPEED_KM_H)
    backward = is_two_way if mode == "drive" else np.ones(len(streets), dtype=bool)
    return build_road_graph(ways, mode=mode, forward=ways.drive_forward, backward=backward, speed_km_h=speed_km_h)


def _positions(graph: nx.MultiDiGraph) -> dict[Any, tuple[float, float]]:
    """Metric positions by node."""
    crs = CRS.from_user_input(graph.graph["crs"]) if graph.graph.get("crs") else None
    if crs not in {CRS(METRIC), CRS(WGS84)}:
        msg = f"graph: CRS is {crs and crs.to_string()}, expected {WGS84} or {METRIC}. Project it with osmnx first."
        raise CrsError(msg)
    nodes = list(graph.nodes)
    x, y = (np.array([graph.nodes[node][axis] for node in nodes], dtype=float) for axis in ("x", "y"))
    x, y = to_metric_arrays(x, y) if crs == CRS(WGS84) else (x, y)
    return dict(zip(nodes, zip(x.tolist(), y.tolist(), strict=True), strict=True))


def _streets(
    graph: nx.MultiDiGraph, where: Mapping[Any, tuple[float, float]]
) -> list[tuple[FloatArray, tuple[int, int], dict[str, Any]]]:
    """Each street once: its line in metres, its ends, and its data with whether it runs both ways."""
    is_metric = CRS.from_user_input(graph.graph["crs"]) == CRS(METRIC)
    streets = []
    taken = set()
    for u, v, key, data in sorted(graph.edges(keys=True, data=True), key=lambda edge: edge[:3]):
        if (u, v, key) in taken:
            continue
        twin = next((k for k, other in (graph.get_edge_data(v, u) or {}).items() if _is_twin(data, other)), None)
        is_two_way = twin is not None and (v, u, twin) not in taken and (v, u, twin) != (u, v, key)
        if is_two_way:
            taken.add((v, u, twin))
        line = np.array([where[u], where[v]])
        if "geometry" in data:
            line = shapely.get_coordinates(data["geometry"])
            line = line if is_metric else np.column_stack(to_metric_arrays(line[:, 0], line[:, 1]))
        streets.append((line, (u, v), {**data, "is_two_way": is_two_way}))
    return streets


def _is_twin(data: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two opposite edges are one street."""
    return (
        data.get("osmid") == other.get("osmid")
        and bool(data.get("reversed")) != bool(other.get("reversed"))
        and abs(float(data.get("length", 0)) - float(other.get("length", 0))) < _SAME_LENGTH_M
    )


def _class_and_limit(data: Mapping[str, Any]) -> tuple[int, float]:
    """Class number and limit of an edge; of the several that simplifying gathers, the first class and lowest limit."""
    highway, text = data.get("highway", "other"), data.get("maxspeed")
    highway = highway[0] if isinstance(highway, list) else highway
    limit = parse_maxspeed_km_h(";".join(text) if isinstance(text, list) else text)
    number = ROAD_CLASSES.index(highway) if highway in ROAD_CLASSES else ROAD_CLASSES.index("other")
    return number, np.nan if limit is None else limit
