"""Laws of road graphs, snapping and travel time."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from geo.network.road_cutting import build_roads
from geo.network.snapping import snap_points
from geo.network.travel_time import measure_times
from tests.road_ways import ORIGIN_M, shuffled, ways_of

N_NODES = 8
places = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), min_size=N_NODES, max_size=N_NODES, unique=True)
strokes = st.lists(
    st.tuples(
        st.lists(st.integers(0, N_NODES - 1), min_size=2, max_size=5), st.sampled_from(["both", "forward", "backward"])
    ),
    min_size=1,
    max_size=9,
)
positions = st.lists(st.tuples(st.integers(-50, 450), st.integers(-50, 450)), min_size=1, max_size=6)


def all_ways(where, lines):
    return ways_of(
        dict(enumerate(where)), [(i, nodes, rule) for i, (nodes, rule) in enumerate([([0, 1], "both"), *lines])]
    )


def table_of(points):
    return pd.DataFrame(np.array(points, dtype=float) + ORIGIN_M, columns=["easting_m", "northing_m"])


@given(places, strokes, positions)
def test_walking_is_symmetric(where, lines, points):
    graph = build_roads(all_ways(where, lines)).walk
    snaps = snap_points(table_of(points), graph)
    times = measure_times(graph, snaps, snaps)
    np.testing.assert_allclose(times.time_min, times.time_min.T, atol=1e-9)
    np.testing.assert_allclose(times.length_m, times.length_m.T, atol=1e-6)


@given(places, strokes, positions)
def test_no_detour_is_a_shortcut(where, lines, points):
    roads = build_roads(all_ways(where, lines))
    for graph in (roads.walk, roads.drive):
        snaps = snap_points(table_of(points), graph)
        minutes = np.nan_to_num(measure_times(graph, snaps, snaps).time_min, nan=np.inf)
        via = (minutes[:, :, None] + minutes[None, :, :]).min(axis=1)
        assert (minutes <= via + 1e-9).all()


@given(places, strokes, positions)
def test_the_way_is_never_shorter_than_the_straight_line(where, lines, points):
    roads = build_roads(all_ways(where, lines))
    table = table_of(points)
    straight_m = np.hypot(*(table.to_numpy()[:, None] - table.to_numpy()[None]).transpose(2, 0, 1))
    for graph in (roads.walk, roads.drive):
        snaps = snap_points(table, graph)
        length_m = measure_times(graph, snaps, snaps).length_m
        assert (np.isnan(length_m) | (length_m >= straight_m - 1e-6)).all()


@given(places, strokes, positions, st.randoms(use_true_random=False))
def test_the_order_of_ways_and_points_changes_nothing(where, lines, points, random):
    ways = all_ways(where, lines)
    order = random.sample(range(len(ways.way_id)), len(ways.way_id))
    rows = random.sample(range(len(points)), len(points))
    one, two = build_roads(ways).drive, build_roads(shuffled(ways, order)).drive
    for name in ("node_id", "tail", "head", "indptr", "indices", "time_min", "length_m", "component", "way_id"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    table = table_of(points)
    snaps, shuffled_snaps = snap_points(table, one), snap_points(table.iloc[rows], two)
    pd.testing.assert_frame_equal(snaps, shuffled_snaps.loc[snaps.index])
    times, shuffled_times = measure_times(one, snaps, snaps), measure_times(two, shuffled_snaps, shuffled_snaps)
    np.testing.assert_array_equal(times.time_min[np.ix_(rows, rows)], shuffled_times.time_min)


@given(places, strokes, positions)
def test_snapping_twice_is_snapping_once(where, lines, points):
    graph = build_roads(all_ways(where, lines)).walk
    table = table_of(points)
    snaps = snap_points(table, graph, max_offset_m=60)
    assert len(snaps) == len(table)
    assert (snaps["edge"].isna() == snaps["reason"].notna()).all()
    on = snaps[snaps["edge"].notna()]
    again = snap_points(on[["easting_m", "northing_m"]], graph)
    assert (again["offset_m"] < 1e-9).all()
    np.testing.assert_allclose(again[["easting_m", "northing_m"]], on[["easting_m", "northing_m"]], atol=1e-6)


@given(places, strokes, positions)
def test_an_offset_never_exceeds_the_distance_to_any_vertex(where, lines, points):
    graph = build_roads(all_ways(where, lines)).walk
    table = table_of(points)
    snaps = snap_points(table, graph, max_offset_m=1e4)
    for point, offset_m in zip(table.to_numpy(), snaps["offset_m"], strict=True):
        to_vertices = np.hypot(graph.vertex_easting_m - point[0], graph.vertex_northing_m - point[1])
        assert offset_m <= to_vertices.min() + 1e-9


@given(places, strokes)
def test_cutting_loses_no_metre(where, lines):
    ways = all_ways(where, lines)
    steps = np.hypot(np.diff(ways.easting_m), np.diff(ways.northing_m))
    inside = np.ones(len(steps), dtype=bool)
    inside[ways.vertex_indptr[1:-1] - 1] = False
    graph = build_roads(ways).walk
    np.testing.assert_allclose(graph.edge_length_m.sum(), steps[inside].sum())
    assert graph.component_sizes.sum() == graph.n_nodes
