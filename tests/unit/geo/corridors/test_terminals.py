"""First and last miles."""

import numpy as np
import pytest

from geo.corridors.paths import solve_origin
from geo.corridors.rides import build_rides
from geo.corridors.terminals import HUB_ACCESS_MIN, build_terminals, find_best_paths, split_egress
from geo.errors import InputError
from tests.unit.geo.corridors.small_rail import access_table, exporter_table, link_graph

RIDES = build_rides(link_graph("HMT", [("H", "M", 20.0), ("M", "T", 20.0)]))
ROWS = [
    ("t", "T", 12, "walk"),
    ("t", "T", 3, "drive"),
    ("t", "M", 30, "walk"),
    ("t", "ZZZ", 1, "walk"),
    ("x", "M", 1, "walk"),
]


def terminals(**hubs):
    return build_terminals(access_table(ROWS), exporter_table(hubs or {"x": "H"}), RIDES.station_ids, hire_weight=4)


def test_the_cheaper_way_counts_and_stations_off_the_network_do_not():
    stations, cost_min, time_min = terminals().of(0)
    assert [RIDES.station_ids[s] for s in stations] == ["M", "T"]
    assert cost_min.tolist() == [60.0, 22.0]
    assert time_min.tolist() == [30.0, 3.0]


def test_an_exporter_uses_its_hub_and_without_one_its_surroundings():
    stations, cost_min, _ = terminals().of(1)
    assert (RIDES.station_ids[stations[0]], cost_min[0]) == ("H", HUB_ACCESS_MIN)
    stations, cost_min, _ = terminals(x=None).of(1)
    assert (RIDES.station_ids[stations[0]], cost_min[0]) == ("M", 2.0)


def test_a_hub_off_the_network_is_refused():
    with pytest.raises(
        InputError, match=r"exporters: hub_station_id is 'QQQ' at 'x', expected a station of the network"
    ):
        terminals(x="QQQ")


def test_trips_divide_among_the_stations_of_a_town_by_their_logit():
    paths = solve_origin(RIDES, np.array([0], dtype=np.int32), np.zeros(1))
    cost_min, share = split_egress(paths, terminals(), np.array([0, -1]), max_detour_min=60)
    # By M 20 + 60, by T 40 + 22.
    assert share.toarray()[0, 1] / share.toarray()[0, 2] == pytest.approx(np.exp(-1.8))
    assert share.toarray().sum(axis=1).tolist() == pytest.approx([1.0, 0.0])
    assert cost_min[0] == pytest.approx(-10 * np.log(np.exp(-8.0) + np.exp(-6.2)))
    assert np.isinf(cost_min[1])


def test_nobody_rides_to_the_station_they_start_at():
    paths = solve_origin(RIDES, np.array([2], dtype=np.int32), np.zeros(1))
    _, share = split_egress(paths, terminals(), np.array([0]), max_detour_min=60)
    assert share.toarray()[0].tolist() == [0, 1, 0]


def test_the_best_path_knows_where_it_began_and_how_long_it_took():
    both = build_terminals(
        access_table([("o", "H", 10, "walk"), ("o", "M", 25, "walk")]), exporter_table({}), RIDES.station_ids
    )
    paths = solve_origin(RIDES, *both.of(0)[:2])
    best = find_best_paths(paths, both, 0)
    # To M by train is 20 + 20, and on foot 50: on to T goes whoever took the train.
    assert best.cost_min.tolist() == [np.inf, 40.0, 60.0]
    assert best.time_min.tolist() == [np.inf, 30.0, 50.0]
    assert best.first_station.tolist() == [-1, 0, 0]
