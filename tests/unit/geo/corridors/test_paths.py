"""Weights of sensible paths."""

import numpy as np
import pytest

from geo.corridors.paths import load_rides, restrict_paths, solve_origin
from geo.corridors.rides import build_rides
from geo.errors import UsageError
from tests.unit.geo.corridors.small_rail import link_graph

RIDES = build_rides(link_graph("ABHT", [("H", "A", 5.0), ("A", "T", 5.0), ("H", "B", 6.0), ("B", "T", 9.0)]))
HUB, TOWN = 2, 3


def solve(**options):
    return solve_origin(RIDES, np.array([HUB], dtype=np.int32), np.zeros(1), **options)


def test_the_weight_of_a_station_sums_its_paths():
    paths = solve(deviation_min=0.0)
    assert paths.distance_min.tolist() == [5.0, 6.0, 0.0, 10.0]
    # By A 10 minutes, by B 15.
    assert paths.arrival_weight[TOWN] == pytest.approx(1 + np.exp(-0.5))
    assert paths.cost_min[TOWN] == pytest.approx(10 - 10 * np.log(1 + np.exp(-0.5)))
    assert paths.arrival_weight[HUB] == 0
    assert np.isinf(paths.cost_min[HUB])


def test_leaving_the_best_way_costs_the_deviation():
    assert solve(deviation_min=7.0).arrival_weight[TOWN] == pytest.approx(1 + np.exp(-0.1 * (5 + 7)))


def test_a_detour_that_is_too_long_is_not_sensible():
    assert solve(max_detour_min=4.9).arrival_weight[TOWN] == 1
    assert solve(max_detour_min=5.1).arrival_weight[TOWN] > 1


def test_a_station_out_of_reach_has_no_weight():
    apart = build_rides(link_graph("HTYZ", [("H", "T", 5.0), ("Y", "Z", 5.0)]))
    paths = solve_origin(apart, np.array([0], dtype=np.int32), np.zeros(1))
    assert np.isinf(paths.distance_min[2:]).all()
    assert paths.order.tolist() == [0, 1]


def test_an_origin_without_stations_has_no_paths():
    paths = solve_origin(RIDES, np.zeros(0, dtype=np.int32), np.zeros(0))
    loads = load_rides(paths, np.zeros((4, 2)))
    assert (paths.arrival_weight.sum(), loads.boarding.sum(), loads.on_rides.shape) == (0, 0, (0, 2))


def test_what_is_left_of_restricted_paths_keeps_its_trips():
    paths = solve(deviation_min=0.0)
    alighting = np.zeros((4, 1))
    alighting[TOWN] = 1.0
    by_a = (RIDES.head != 0) & (RIDES.tail != 0)
    rest = load_rides(restrict_paths(paths, by_a), alighting, among=paths)
    assert rest.boarding.sum() == pytest.approx(np.exp(-0.5) / (1 + np.exp(-0.5)))


def test_a_scale_of_zero_is_refused():
    with pytest.raises(UsageError, match=r"spread_per_min: is 0.0, expected more than 0"):
        solve(spread_per_min=0.0)
