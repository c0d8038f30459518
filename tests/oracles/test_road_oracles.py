"""Road times and snapping against slow plain versions: networkx on a graph cut at every point, every segment tried."""

from itertools import pairwise

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from geo.network.road_cutting import build_roads
from geo.network.snapping import snap_points
from geo.network.travel_time import measure_node_times, measure_times
from tests.road_ways import ORIGIN_M, ways_of

N_NODES = 8
rules = st.sampled_from(["both", "forward", "backward", "foot", "cars both"])
places = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), min_size=N_NODES, max_size=N_NODES, unique=True)
strokes = st.lists(
    st.tuples(st.lists(st.integers(0, N_NODES - 1), min_size=2, max_size=5), rules), min_size=1, max_size=9
)
positions = st.lists(st.tuples(st.integers(-50, 450), st.integers(-50, 450)), min_size=1, max_size=6)


def roads_of(where, lines):
    first = (100, [0, 1], "both")  # so that both modes always have a way
    return build_roads(
        ways_of(dict(enumerate(where)), [first, *((i, nodes, rule) for i, (nodes, rule) in enumerate(lines))]),
        walk_speed_km_h=6,
        local_share=0.5,
    )


def table_of(points):
    return pd.DataFrame(np.array(points, dtype=float) + ORIGIN_M, columns=["easting_m", "northing_m"])


def plain_graph(graph, snaps):
    """Networkx, with a node for every vertex of every edge and for every snapped point on it."""
    plain = nx.MultiDiGraph()
    plain.add_nodes_from(range(graph.n_nodes))
    for edge in range(graph.n_edges):
        on_edge = sorted((row["chainage_m"], ("p", i)) for i, row in snaps.iterrows() if row["edge"] == edge)
        stops = [
            (0.0, int(graph.tail[edge])),
            *on_edge,
            (max(graph.edge_length_m[edge], *(at for at, _ in on_edge), 0.0), int(graph.head[edge])),
        ]
        for (a_m, a), (b_m, b) in pairwise(stops):
            for u, v, pace in ((a, b, graph.forward_min_per_m[edge]), (b, a, graph.backward_min_per_m[edge])):
                if np.isfinite(pace) or a_m == b_m:
                    plain.add_edge(u, v, minutes=(b_m - a_m) * (pace if b_m > a_m else 0.0), metres=b_m - a_m)
    return plain


@given(places, strokes, positions, st.sampled_from(["walk", "drive"]))
def test_times_equal_networkx_on_random_small_graphs(where, lines, points, mode):
    graph = roads_of(where, lines).graph(mode)
    snaps = snap_points(table_of(points), graph)
    times = measure_times(graph, snaps, snaps)
    plain = plain_graph(graph, snaps)
    on_foot = snaps["offset_m"].to_numpy() / 80.0  # 4.8 km/h
    for i in snaps.index:
        reached = nx.single_source_dijkstra_path_length(plain, ("p", i), weight="minutes") if ("p", i) in plain else {}
        for j in snaps.index:
            expected = reached.get(("p", j), np.nan) + on_foot[i] + on_foot[j]
            assert times.time_min[i, j] == pytest.approx(expected, nan_ok=True, abs=1e-9)


@given(places, strokes, positions, st.sampled_from(["walk", "drive"]), st.floats(0.1, 5.0))
def test_a_limit_leaves_out_what_is_beyond_it_and_nothing_else(where, lines, points, mode, max_min):
    graph = roads_of(where, lines).graph(mode)
    snaps = snap_points(table_of(points), graph)
    free, limited = measure_times(graph, snaps, snaps), measure_times(graph, snaps, snaps, max_min=max_min)
    expected = np.where(free.time_min <= max_min, free.time_min, np.nan)
    np.testing.assert_array_equal(limited.time_min, expected)
    np.testing.assert_array_equal(np.isnan(limited.length_m), np.isnan(expected))


@given(places, strokes, positions)
def test_node_times_equal_networkx(where, lines, points):
    graph = roads_of(where, lines).drive
    snaps = snap_points(table_of(points), graph)
    times = measure_node_times(graph, snaps)
    plain = plain_graph(graph, snaps)
    for i in snaps.index:
        reached = nx.single_source_dijkstra_path_length(plain, ("p", i), weight="minutes") if ("p", i) in plain else {}
        expected = [reached.get(node, np.nan) + snaps.loc[i, "offset_m"] / 80.0 for node in range(graph.n_nodes)]
        np.testing.assert_allclose(times.time_min[i], expected, atol=1e-9)


@given(places, strokes, positions, st.sampled_from([5.0, 40.0, 500.0]))
def test_the_snapped_edge_is_the_nearest_of_all(where, lines, points, max_offset_m):
    graph = roads_of(where, lines).walk
    table = table_of(points)
    snaps = snap_points(table, graph, max_offset_m=max_offset_m)
    dense = 0  # every segment cut into 200 pieces: within half a piece of the truth
    for point, snap in zip(table.to_numpy(), snaps.itertuples(), strict=True):
        nearest = np.inf
        for edge in range(graph.n_edges):
            span = slice(*graph.vertex_indptr[edge : edge + 2])
            line = np.column_stack([graph.vertex_easting_m[span], graph.vertex_northing_m[span]])
            share = np.linspace(0, 1, 201)[:, None]
            for a, b in pairwise(line):
                nearest = min(nearest, cdist([point], a + share * (b - a)).min())
        if pd.isna(snap.edge):
            assert nearest >= max_offset_m
        else:
            assert snap.offset_m <= nearest + 1e-9
            assert snap.offset_m >= nearest - 3.0
            at = np.array([snap.easting_m, snap.northing_m])
            assert np.hypot(*(at - point)) == pytest.approx(snap.offset_m, abs=1e-6)
        dense += 1
    assert dense == len(table)
