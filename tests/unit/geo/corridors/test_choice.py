"""Rail or road: shares follow costs, and what cannot be seen is said."""

import numpy as np
import pandas as pd
import pytest

from geo.corridors.choice import RoadMode, choose_modes, find_rail_constant
from geo.corridors.terminals import HUB_ACCESS_MIN, WALK_WEIGHT
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
