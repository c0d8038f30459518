"""Rail or road: shares follow costs, and what cannot be seen is said."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from geo.corridors.choice import RoadMode, choose_modes, find_rail_constant
from geo.corridors.routes import list_route_sets
from geo.corridors.terminals import HUB_ACCESS_MIN, WALK_WEIGHT
from geo.corridors.timed_prices import TimedPrices
from geo.corridors.waiting import WAIT_WEIGHT
from geo.errors import InputError, UsageError
from tests.unit.geo.corridors.small_rail import link_graph, road_table, supply_of, train_graph, trips_table

LINE = [("H", "M", 20.0), ("M", "T", 20.0)]
ACCESS = [("t", "T", 5, "walk"), ("m", "M", 5, "walk")]
PLAIN = (RoadMode("car"),)
ROADS = [("x", "t", 50), ("x", "m", 20)]


def choose(roads=ROADS, trips=(("x", "t", 10), ("x", "m", 5)), **options):
    supply = supply_of(link_graph("HMT", LINE), ACCESS, {"x": "H"})
    return choose_modes(trips_table(trips), supply, road_table(roads), **{"road_modes": PLAIN, **options})


def test_the_share_is_the_logit_of_hand_made_costs():
    flows = choose(mode_scale_per_min=0.05, unknown_wait_min=10)
    rail = HUB_ACCESS_MIN + 40 + WALK_WEIGHT * 5 + WAIT_WEIGHT * 10
    assert flows.loc["x:t", "rail_cost_min"] == pytest.approx(rail)
    assert flows.loc["x:t", "rail_share"] == pytest.approx(1 / (1 + np.exp(0.05 * (rail - 50))))
    assert flows.loc["x:t", "rail_time_min"] == HUB_ACCESS_MIN + 40 + 5 + 10
    assert list(flows.loc["x:t", ["access_station_id", "egress_station_id"]]) == ["H", "T"]


def test_a_first_boarding_is_no_change_and_a_second_is():
    one = train_graph("HMT", [(["H", "M", "T"], [20.0, 20.0], 5.0, 1.0)])
    two = train_graph("HMT", [(["H", "M"], [20.0], 5.0, 1.0), (["M", "T"], [20.0], 5.0, 1.0)])
    cost = [
        choose_modes(trips_table([("x", "t", 1)]), supply_of(g, ACCESS[:1], {"x": "H"}), road_table([])).iloc[0]
        for g in (one, two)
    ]
    assert cost[0]["rail_cost_min"] == pytest.approx(15 + 2 * 5 + 40 + 2 * 1 + 10)
    assert cost[1]["rail_cost_min"] - cost[0]["rail_cost_min"] == pytest.approx(10 + 2 * 5 + 2 * 1)
    assert cost[1]["rail_time_min"] - cost[0]["rail_time_min"] == pytest.approx(5 + 1)


def test_shares_of_all_modes_sum_to_one():
    flows = choose(road_modes=(RoadMode("car", fixed_min=10), RoadMode("coach", 1.5, 30), RoadMode("hire", 1, 5, 2)))
    total = flows[["rail_share", "car_share", "coach_share", "hire_share"]].sum(axis=1)
    assert np.allclose(total, 1, rtol=1e-12)
    # 20 minutes and 20 km: 20 + 5 + 40 by hire against 20 + 10 by car.
    ratio = flows.loc["x:m", "hire_share"] / flows.loc["x:m", "car_share"]
    assert ratio == pytest.approx(np.exp(-0.03 * 35))


def test_a_pair_without_a_road_goes_by_rail_and_one_without_rail_by_road():
    flows = choose(roads=[("x", "t", None), ("x", "far", 30)], trips=(("x", "t", 1), ("x", "far", 1), ("x", "isle", 1)))
    assert flows["rail_share"].to_dict() == {"x:far": 0.0, "x:isle": 0.0, "x:t": 1.0}
    assert flows["is_reachable"].to_dict() == {"x:far": True, "x:isle": False, "x:t": True}
    assert np.isnan(flows.loc["x:t", "road_time_min"])
    assert np.isnan(flows.loc["x:far", "rail_time_min"])


def test_the_constant_brings_the_whole_to_the_stated_share():
    flows = choose()
    constant = find_rail_constant(flows, rail_share=0.6)
    again = choose(rail_constant_min=constant)
    assert np.average(again["rail_share"], weights=again["trips_per_month"]) == pytest.approx(0.6, abs=1e-9)


def test_order_of_rows_changes_no_byte():
    supply = supply_of(link_graph("HMT", LINE), ACCESS, {"x": "H"})
    trips, roads = trips_table([("x", "t", 10), ("x", "m", 5)]), road_table(ROADS)
    one = choose_modes(trips, supply, roads)
    assert one.equals(choose_modes(trips.iloc[::-1], supply, roads.iloc[::-1]))


def test_splitting_a_town_leaves_the_others_unchanged():
    whole = choose()
    supply = supply_of(
        link_graph("HMT", LINE), [*ACCESS[1:], ("t1", "T", 5, "walk"), ("t2", "T", 5, "walk")], {"x": "H"}
    )
    roads = road_table([("x", "t1", 50), ("x", "t2", 50), ("x", "m", 20)])
    split = choose_modes(trips_table([("x", "t1", 5), ("x", "t2", 5), ("x", "m", 5)]), supply, roads, road_modes=PLAIN)
    assert split.loc["x:m"].equals(whole.loc["x:m"])
    assert split.loc["x:t1", "rail_share"] == whole.loc["x:t", "rail_share"]


def test_a_mode_scale_above_that_of_paths_is_refused():
    with pytest.raises(UsageError, match=r"mode_scale_per_min: is 0.2, expected above 0 and at most the scale between"):
        choose(mode_scale_per_min=0.2)


def test_a_road_that_stands_twice_is_refused():
    roads = road_table([("x", "t", 50), ("x", "t", 20)])
    roads.index = pd.Index(["one", "two"], name="road_time_id")
    supply = supply_of(link_graph("HMT", LINE), ACCESS, {"x": "H"})
    with pytest.raises(InputError, match=r"road_times: 'x' to 't' stands more than once, expected each pair once"):
        choose_modes(trips_table([("x", "t", 10)]), supply, roads)


def test_a_share_that_no_constant_can_reach_is_refused():
    with pytest.raises(UsageError, match=r"rail_share: is 1.0, expected above 0 and below 1"):
        find_rail_constant(choose(), rail_share=1.0)


def test_a_table_without_choice_has_no_constant():
    with pytest.raises(InputError, match=r"courier_flows: no trips have both a rail path and a road"):
        find_rail_constant(choose(roads=[]), rail_share=0.5)


def timed_supply(cost_min, time_min):
    """From H by the train over M to T, and a town that is reached from both; journeys by the clock as given."""
    graph = train_graph("HMT", [(["H", "M", "T"], [20.0, 20.0], 5.0, 1.0)])
    supply = supply_of(graph, [("t", "T", 5, "walk"), ("t", "M", 10, "walk")], {"x": "H"})
    prices = [np.full((3, 3), np.inf) for _ in range(2)]
    for whole, row in zip(prices, (cost_min, time_min), strict=True):
        whole[0] = row
    return replace(supply, timed=TimedPrices(*prices))


def test_where_the_clock_is_known_the_best_path_to_each_station_costs_what_it_says():
    supply = timed_supply([np.inf, np.inf, 70.0], [np.inf, np.inf, 55.0])
    trips = trips_table([("x", "t", 1)])
    flows = choose_modes(trips, supply, road_table([]), road_modes=PLAIN)
    at_t, at_m = HUB_ACCESS_MIN + 70 + WALK_WEIGHT * 5, HUB_ACCESS_MIN + 2 * 5 + 20 + 2 + WALK_WEIGHT * 10
    both = -np.log(np.exp(-0.1 * at_t) + np.exp(-0.1 * at_m)) / 0.1
    assert flows["rail_cost_min"].iloc[0] == pytest.approx(both)
    # M is the cheaper, and nothing is known of it by the clock.
    assert flows["rail_time_min"].iloc[0] == pytest.approx(HUB_ACCESS_MIN + 5 + 20 + 1 + 10)
    near = choose_modes(
        trips, timed_supply([np.inf, np.inf, 20.0], [np.inf, np.inf, 18.0]), road_table([]), road_modes=PLAIN
    )
    assert near["rail_time_min"].iloc[0] == pytest.approx(HUB_ACCESS_MIN + 18 + 5)
    assert near["egress_station_id"].iloc[0] == "T"


def test_listed_routes_cost_what_the_pair_does_by_the_clock():
    supply = timed_supply([np.inf, 50.0, 70.0], [np.inf, 30.0, 55.0])
    flows = choose_modes(trips_table([("x", "t", 1)]), supply, road_table([("x", "t", 50)]), road_modes=PLAIN)
    routes = list_route_sets(flows, supply)
    rail = ~routes.is_road
    log_sum = -np.log(np.exp(-0.1 * routes.cost_min[rail]).sum()) / 0.1
    assert log_sum == pytest.approx(flows["rail_cost_min"].iloc[0])
    assert sorted(routes.cost_min[rail]) == pytest.approx(sorted([15 + 50 + 2 * 10, 15 + 70 + 2 * 5]))
