"""Ways cut into graphs: a crossroads whose every number can be checked by hand."""

import numpy as np
import pytest

from geo.errors import InputError, UsageError
from geo.network.road import gather_ranges
from geo.network.road_cutting import build_roads
from tests.road_ways import shuffled, ways_of

# A street 1-2-3 of 100 m + 100 m, crossed at 2 by 4-2-5 of 50 m + 50 m; 60 km/h limits done at half: 500 m a minute.
WHERE = {1: (0, 0), 2: (100, 0), 3: (200, 0), 4: (100, -50), 5: (100, 50), 6: (300, 0), 7: (900, 0), 8: (990, 0)}
STREET, CROSSING = (1, [1, 2, 3], "both"), (2, [4, 2, 5], "forward")


def roads_of(*strokes, **settings):
    return build_roads(ways_of(WHERE, strokes), local_share=0.5, walk_speed_km_h=6, **settings)


def arcs(graph):
    ids = graph.node_id
    return {
        (int(ids[u]), int(ids[graph.indices[k]])): (round(float(graph.time_min[k]), 9), float(graph.length_m[k]))
        for u in range(graph.n_nodes)
        for k in range(graph.indptr[u], graph.indptr[u + 1])
    }


def test_ways_are_cut_where_they_meet():
    graph = roads_of(STREET, CROSSING).drive
    assert arcs(graph) == {
        (1, 2): (0.2, 100),
        (2, 1): (0.2, 100),
        (2, 3): (0.2, 100),
        (3, 2): (0.2, 100),
        (4, 2): (0.1, 50),
        (2, 5): (0.1, 50),
    }


def test_people_on_foot_walk_both_ways_at_their_own_pace():
    graph = roads_of(STREET, CROSSING).walk
    assert arcs(graph)[5, 2] == pytest.approx((0.5, 50))
    assert graph.n_default_speed == 0


def test_a_vertex_where_nothing_meets_is_a_bend():
    graph = roads_of((1, [1, 4, 3], "both")).drive
    assert list(graph.node_id) == [1, 3]
    assert graph.edge_length_m[0] == pytest.approx(2 * np.hypot(100, 50))
    np.testing.assert_allclose(graph.vertex_chainage_m, [0, np.hypot(100, 50), 2 * np.hypot(100, 50)])


def test_modes_have_their_own_ways_and_cuts():
    roads = roads_of(STREET, (2, [4, 2, 5], "foot"))
    assert (roads.drive.n_edges, roads.walk.n_edges) == (1, 4)
    assert roads.graph("walk") is roads.walk
    assert roads.graph("drive") is roads.drive


def test_of_parallel_arcs_the_fastest_is_kept():
    slow = (3, [1, 4, 2], "both")
    assert arcs(roads_of(STREET, CROSSING, slow).drive)[1, 2] == pytest.approx((0.2, 100))


def test_repeated_vertices_and_lone_points_are_dropped():
    graph = roads_of((1, [1, 2, 2, 3], "both"), (5, [5, 5], "both")).drive
    assert list(graph.node_id) == [1, 3]
    assert graph.n_segment_arcs == 4


def test_a_loop_is_an_edge_without_an_arc():
    graph = roads_of((1, [1, 4, 3, 5, 1], "both"), (2, [1, 2], "both")).drive
    assert graph.n_edges == 2
    assert (graph.tail[0], graph.head[0]) == (0, 0)
    assert set(arcs(graph)) == {(1, 2), (2, 1)}


def test_disconnected_parts_are_kept_and_labelled_largest_first():
    graph = roads_of((9, [7, 8], "both"), STREET, CROSSING).drive
    assert list(graph.component_sizes) == [5, 2]
    assert list(graph.component) == [0, 0, 0, 0, 0, 1, 1]


def test_directed_pieces_are_counted_as_an_uncut_graph_would():
    assert roads_of(STREET, CROSSING).drive.n_segment_arcs == 2 * 2 + 2


def test_the_order_of_ways_changes_nothing():
    ways = ways_of(WHERE, [STREET, CROSSING, (3, [3, 6], "both")])
    one, two = build_roads(ways).drive, build_roads(shuffled(ways, [2, 0, 1])).drive
    for name in ("node_id", "easting_m", "way_id", "tail", "vertex_easting_m", "indices", "time_min"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_ranges_are_listed_one_after_the_other():
    values, owner = gather_ranges(np.array([3, 7, 7]), np.array([5, 7, 8]))
    assert (list(values), list(owner)) == ([3, 4, 7], [0, 0, 2])


def test_roads_that_nobody_may_drive_are_refused():
    with pytest.raises(InputError, match=r"roads: no way may be used to drive, expected at least one\. Check"):
        roads_of((1, [1, 2], "foot"))


def test_a_walking_speed_that_is_none_is_refused():
    with pytest.raises(UsageError, match=r"walk_speed_km_h: 0 is no speed, expected a number above 0"):
        build_roads(ways_of(WHERE, [STREET]), walk_speed_km_h=0)
