"""Road graphs to osmnx and back."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.crs import to_wgs84_arrays
from geo.errors import CrsError, InputError
from geo.network.road_cutting import build_roads
from geo.network.snapping import snap_points
from geo.network.travel_time import measure_times
from geo.sources.osmnx_adapter import from_osmnx, to_osmnx
from tests.road_ways import ORIGIN_M, ways_of

WHERE = {1: (0, 0), 2: (100, 0), 3: (200, 0), 4: (100, -50), 5: (100, 50), 6: (160, 60)}
ROADS = build_roads(
    ways_of(WHERE, [(1, [1, 2, 3], "both"), (2, [4, 2, 5], "forward"), (3, [5, 6, 3], "backward"), (4, [4, 1], "both")])
)
POINTS = pd.DataFrame(
    np.array([(20, 3), (100, 20), (150, 50), (60, -30)]) + ORIGIN_M, columns=["easting_m", "northing_m"]
)


def times_on(graph):
    snaps = snap_points(POINTS, graph)
    return measure_times(graph, snaps, snaps).time_min


def test_an_osmnx_graph_has_the_same_paths():
    out = to_osmnx(ROADS.drive)
    assert out.graph["crs"] == "EPSG:27700"
    assert nx.dijkstra_path_length(out, 1, 3, weight="length") == pytest.approx(200)
    assert nx.dijkstra_path_length(out, 4, 5, weight="travel_time") == pytest.approx(100 * 60 / (60_000 / 60 * 0.7))
    assert out.has_edge(2, 5)
    assert not out.has_edge(5, 2)
    assert all(isinstance(data["geometry"], shapely.LineString) for _, _, data in out.edges(data=True))


@pytest.mark.parametrize("mode", ["walk", "drive"])
def test_there_and_back_keeps_every_time(mode):
    graph = ROADS.graph(mode)
    back = from_osmnx(to_osmnx(graph), mode=mode)
    assert (back.n_nodes, back.n_edges) == (graph.n_nodes, graph.n_edges)
    np.testing.assert_allclose(times_on(back), times_on(graph), rtol=1e-9)


def test_a_graph_in_degrees_is_projected():
    out = to_osmnx(ROADS.drive)
    nodes = np.array([(data["x"], data["y"]) for _, data in out.nodes(data=True)])
    lon, lat = to_wgs84_arrays(nodes[:, 0], nodes[:, 1])
    for node, x, y in zip(out.nodes, lon, lat, strict=True):
        out.nodes[node].update(x=x, y=y)
    for *_, data in out.edges(data=True):
        line = shapely.get_coordinates(data["geometry"])
        data["geometry"] = shapely.LineString(np.column_stack(to_wgs84_arrays(line[:, 0], line[:, 1])))
    out.graph["crs"] = "epsg:4326"
    np.testing.assert_allclose(times_on(from_osmnx(out, mode="drive")), times_on(ROADS.drive), atol=1e-4)


def test_speeds_follow_the_limit_or_the_class_where_osmnx_gave_none():
    out = nx.MultiDiGraph(crs="EPSG:27700")
    for node, (x, y) in WHERE.items():
        out.add_node(node, x=x + ORIGIN_M[0], y=y + ORIGIN_M[1])
    out.add_edge(
        1, 2, osmid=1, length=100.0, reversed=False, highway=["primary", "residential"], maxspeed=["40 mph", "20 mph"]
    )
    out.add_edge(2, 3, osmid=1, length=100.0, reversed=False, highway="motorway")
    graph = from_osmnx(out, mode="drive")
    np.testing.assert_allclose(0.06 / graph.forward_min_per_m, [20 * 1.609344 * 0.7, 70 * 1.609344 * 0.85])
    assert np.isinf(graph.backward_min_per_m).all()


def test_graphs_without_a_known_system_or_without_roads_are_refused():
    out = to_osmnx(ROADS.drive)
    out.graph["crs"] = "EPSG:3857"
    with pytest.raises(CrsError, match=r"graph: CRS is EPSG:3857, expected EPSG:4326 or EPSG:27700"):
        from_osmnx(out, mode="drive")
    with pytest.raises(InputError, match=r"graph: it has no edge, expected roads\. Check the osmnx query\."):
        from_osmnx(nx.MultiDiGraph(crs="EPSG:27700"), mode="drive")
