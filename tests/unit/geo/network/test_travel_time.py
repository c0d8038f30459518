"""Travel times by hand, on one-way streets and disconnected parts."""

import numpy as np
import pandas as pd
import pytest

from geo.errors import UsageError
from geo.network.access import measure_access, measure_road_times
from geo.network.road_cutting import build_roads
from geo.network.snapping import snap_points
from geo.network.straight_line import StraightLine
from geo.network.travel_time import explain_unreached, measure_node_times, measure_times
from tests.road_ways import ORIGIN_M, ways_of

# A one-way ring of 4 x 100 m, clockwise, and a street 10 km off. Cars do 500 m a minute, people 100 m a minute.
WHERE = {1: (0, 0), 2: (0, 100), 3: (100, 100), 4: (100, 0), 8: (9_900, 0), 9: (9_990, 0)}
WAYS = ways_of(WHERE, [(1, [1, 2, 3], "forward"), (2, [3, 4, 1], "forward"), (3, [8, 9], "both")])
ROADS = build_roads(WAYS, local_share=0.5, walk_speed_km_h=6)


def at(*points, names=None):
    table = pd.DataFrame(np.array(points, dtype=float) + ORIGIN_M, columns=["easting_m", "northing_m"])
    return table if names is None else table.set_axis(pd.Index(list(names), name="place_id"))


def stations_at(*points, names):
    return at(*points, names=names).rename_axis("station_id").assign(name="A", is_in_force=True)


def times_of(graph, start, end, **settings):
    return measure_times(graph, snap_points(at(start), graph), snap_points(at(end), graph), **settings)


def test_a_car_goes_round_the_ring():
    assert times_of(ROADS.drive, (0, 50), (50, 100)).time_min.item() == pytest.approx(100 / 500)
    assert times_of(ROADS.drive, (50, 100), (0, 50)).time_min.item() == pytest.approx(300 / 500)


def test_on_one_edge_a_car_goes_with_the_street_or_all_the_way_round():
    assert times_of(ROADS.drive, (0, 20), (0, 70)).length_m.item() == pytest.approx(50)
    assert times_of(ROADS.drive, (0, 70), (0, 20)).length_m.item() == pytest.approx(350)


def test_people_on_foot_take_the_shorter_side():
    assert times_of(ROADS.walk, (0, 70), (0, 20)).time_min.item() == pytest.approx(0.5)


def test_the_way_to_the_road_is_walked_at_both_ends():
    times = times_of(ROADS.drive, (-40, 50), (50, 140), offset_speed_km_h=6)
    assert times.time_min.item() == pytest.approx(0.4 + 100 / 500 + 0.4)
    assert times.length_m.item() == pytest.approx(180)


def test_what_is_not_reached_is_null_with_its_reason():
    start = snap_points(at((0, 50), (0, 5_000)), ROADS.drive)
    end = snap_points(at((0, 60), (9_950, 0), (0, -5_000)), ROADS.drive)
    times = measure_times(ROADS.drive, start, end)
    assert np.isnan(times.time_min[1]).all()
    assert np.isnan(times.length_m).tolist() == np.isnan(times.time_min).tolist()
    reason = explain_unreached(ROADS.drive, start, end, times.time_min)
    assert reason[0].tolist() == [None, "disconnected", "destination_off_network"]
    assert set(reason[1]) == {"origin_off_network"}


def test_a_time_beyond_the_limit_is_null_and_said_to_be():
    start, end = snap_points(at((50, 100)), ROADS.drive), snap_points(at((0, 50)), ROADS.drive)
    times = measure_times(ROADS.drive, start, end, max_min=0.5)
    assert explain_unreached(ROADS.drive, start, end, times.time_min).item() == "no_way_within_limit"


def test_times_to_nodes_are_those_of_points_at_nodes():
    start = snap_points(at((0, 50), (70, 0)), ROADS.drive)
    nodes = pd.DataFrame({"easting_m": ROADS.drive.easting_m, "northing_m": ROADS.drive.northing_m})
    to_points = measure_times(ROADS.drive, start, snap_points(nodes, ROADS.drive))
    to_nodes = measure_node_times(ROADS.drive, start)
    np.testing.assert_allclose(to_nodes.time_min, to_points.time_min)
    np.testing.assert_allclose(to_nodes.length_m, to_points.length_m)


def test_a_street_in_one_direction_is_no_dead_end():
    where = {n: (100 * n, 0) for n in range(1, 6)} | {9: (300, 80)}
    street = [(n, [n, n + 1], "forward") for n in range(1, 5)]
    graph = build_roads(ways_of(where, [*street, (9, [3, 9], "both")]), local_share=0.5).drive
    assert times_of(graph, (150, 0), (450, 0)).length_m.item() == pytest.approx(300)
    assert np.isnan(times_of(graph, (450, 0), (150, 0)).length_m.item())


def test_a_speed_or_limit_that_is_none_is_refused():
    with pytest.raises(UsageError, match=r"offset_speed_km_h: -1 is no speed, expected a number above 0"):
        times_of(ROADS.walk, (0, 0), (0, 0), offset_speed_km_h=-1)
    with pytest.raises(UsageError, match=r"max_min: 0 is no limit, expected minutes above 0"):
        times_of(ROADS.walk, (0, 0), (0, 0), max_min=0)


def test_access_runs_from_the_station_to_the_point():
    points, stations = at((0, 20), names="p"), stations_at((0, 70), names=["AAA"])
    access = measure_access(points, stations, modes=["walk", "drive"], max_min=5, roads=ROADS)
    assert access.loc["p:AAA:drive", "time_min"] == pytest.approx(350 / 500)
    assert access.loc["p:AAA:walk", "time_min"] == pytest.approx(0.5)
    assert (access["basis"] == "road_graph").all()


def test_access_falls_back_to_the_straight_line_off_the_roads_and_says_so():
    points, stations = at((0, 20), (0, 3_000), names="pq"), stations_at((0, 70), names=["AAA"])
    line = StraightLine(walk_speed_km_h=6, walk_detour=1.5)
    access = measure_access(points, stations, max_min=60, roads=ROADS, straight_line=line)
    assert access["basis"].to_dict() == {"p:AAA:walk": "road_graph", "q:AAA:walk": "straight_line_detour"}
    assert access.loc["q:AAA:walk", "time_min"] == pytest.approx(2_930 * 1.5 / 100)


def test_access_between_roads_that_do_not_meet_is_null_with_its_reason():
    points, stations = at((9_950, 0), names="p"), stations_at((0, 70), names=["AAA"])
    access = measure_access(points, stations, max_min=300, roads=ROADS)
    assert np.isnan(access.loc["p:AAA:walk", "time_min"])
    assert access.loc["p:AAA:walk", "reason"] == "disconnected"


def test_access_beyond_reach_by_road_has_no_row_however_near_it_is():
    points, stations = at((0, 20), names="p"), stations_at((0, 70), names=["AAA"])
    assert measure_access(points, stations, modes=["drive"], max_min=0.65, roads=ROADS).empty


def test_road_times_are_directed_null_where_roads_do_not_meet_and_flagged_off_them():
    where = at((0, 20), (0, 70), (9_950, 0), (0, 90_000), names="abfx")
    road = measure_road_times(where, where, roads=ROADS)
    assert road.loc["a:b", "time_min"] == pytest.approx(0.1)
    assert road.loc["b:a", "length_m"] == pytest.approx(350)
    assert road.loc["a:a", "time_min"] == 0
    assert (road.loc["a:f", "basis"], road.loc["a:f", "reason"]) == ("road_graph", "disconnected")
    assert np.isnan(road.loc["a:f", "length_m"])
    assert road.loc["a:x", "basis"] == "straight_line_detour"
    assert road.loc["a:x", "time_min"] > 60


def test_access_along_roads_does_not_hang_on_the_order_of_rows():
    points = at((0, 20), (60, 100), (0, 3_000), names="pqr")
    stations = stations_at((0, 70), (100, 30), names=["BBB", "AAA"])
    one = measure_access(points, stations, modes=["drive", "walk"], max_min=60, roads=ROADS)
    two = measure_access(points.iloc[::-1], stations.iloc[::-1], modes=["walk", "drive"], max_min=60, roads=ROADS)
    pd.testing.assert_frame_equal(one, two)
