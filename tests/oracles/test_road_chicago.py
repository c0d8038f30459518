"""The published shortest paths of the Chicago street network, as an oracle."""

import numpy as np
import pandas as pd
import pytest

from geo.network.road import RoadWays
from geo.network.road_cutting import build_roads
from geo.network.snapping import snap_points
from geo.network.travel_time import measure_times

pytestmark = pytest.mark.real


def test_all_shortest_paths_equal_the_published_matrix(real_data):
    folder = real_data / "benchmarks" / "spatstat_chicago"
    vertices = pd.read_csv(folder / "chicago_vertices.csv").set_index("vid")
    edges = pd.read_csv(folder / "chicago_edges.csv")
    given = pd.read_csv(folder / "chicago_dpath_338x338.csv", header=None).to_numpy()
    node_id, always = edges[["from", "to"]].to_numpy().ravel(), np.ones(len(edges), dtype=bool)
    ways = RoadWays(
        way_id=np.arange(len(edges), dtype=np.int64),
        vertex_indptr=np.arange(len(edges) + 1, dtype=np.int64) * 2,
        node_id=node_id.astype(np.int64),
        easting_m=vertices.loc[node_id, "x"].to_numpy(),  # feet, but only lengths are compared
        northing_m=vertices.loc[node_id, "y"].to_numpy(),
        drive_forward=always,
        drive_backward=always,
        walk=always,
        road_class=np.zeros(len(edges), dtype=np.int8),
        limit_km_h=np.full(len(edges), 48.0),
    )
    graph = build_roads(ways).walk
    assert list(graph.node_id) == list(range(338))
    snaps = snap_points(pd.DataFrame({"easting_m": graph.easting_m, "northing_m": graph.northing_m}), graph)
    length_m = measure_times(graph, snaps, snaps).length_m
    np.testing.assert_allclose(length_m, given, rtol=1e-3, atol=1e-3)
