"""Coaches beside trains: the same machinery, so what is alike has like shares, and nothing is lost between modes."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from geo.corridors.assignment import assign_flows
from geo.corridors.choice import choose_modes, find_rail_constant, public_modes
from geo.corridors.rides import build_rides
from geo.corridors.routes import list_route_sets, reassign_routes
from geo.corridors.terminals import build_terminals
from geo.errors import InputError
from tests.unit.geo.corridors.small_rail import (
    access_table,
    exporter_table,
    road_table,
    supply_of,
    train_graph,
    trips_table,
)

TRAINS = [(["H", "M", "T"], [20.0, 20.0], 10.0, 1.0), (["M", "T"], [15.0], 5.0, 1.0)]
ACCESS = [("t", "T", 5, "walk"), ("m", "M", 5, "walk")]
TRIPS = [("x", "t", 10), ("x", "m", 5), ("m", "t", 2), ("x", "isle", 1)]
ROADS = [("x", "t", 50), ("x", "m", 20), ("m", "t", 30), ("x", "isle", None)]


def rail(trains=TRAINS, **options):
    return supply_of(train_graph("HMT", trains), ACCESS, {"x": "H"}, **options)


def coach(trains=TRAINS, access=ACCESS, **options):
    """The same stops under names of their own, so that no stop is a station."""
    named = [([f"c{call}" for call in calls], *rest) for calls, *rest in trains]
    walks = [(place, f"c{stop}", *rest) for place, stop, *rest in access]
    return supply_of(train_graph(["cH", "cM", "cT"], named), walks, {"x": "cH"}, mode="coach", **options)


def choose(*others, roads=ROADS, **options):
    return choose_modes(trips_table(TRIPS, internal="m"), rail(), road_table(roads), others=others, **options)


def test_a_feed_like_the_trains_has_the_share_of_the_trains():
    flows = choose(coach())
    assert public_modes(flows) == ("rail", "coach")
    for name in ("share", "cost_min", "time_min"):
        pd.testing.assert_series_equal(flows[f"coach_{name}"], flows[f"rail_{name}"], check_names=False)
    assert flows.loc["x:t", "coach_share"] > 0.1
    laid = [
        assign_flows(flows, supply).station_flows.set_index(["origin_id", "destination_id"])
        for supply in (rail(), coach())
    ]
    pd.testing.assert_frame_equal(laid[0].drop(columns="station_id"), laid[1].drop(columns="station_id"))
    assert ("c" + laid[0]["station_id"]).tolist() == laid[1]["station_id"].tolist()


def test_trips_by_mode_and_those_lost_sum_to_all():
    flows = choose(coach([(["H", "T"], [45.0], 20.0, 1.0)]))
    shares = flows[["rail_share", "coach_share", "car_share", "hire_share"]].sum(axis=1)
    assert shares.to_dict() == pytest.approx({"m:t": 1.0, "x:isle": 0.0, "x:m": 1.0, "x:t": 1.0})
    for supply in (rail(), coach([(["H", "T"], [45.0], 20.0, 1.0)])):
        account = assign_flows(flows, supply)
        assert set(account.trips_by_mode) == {"rail", "coach", "road"}
        assert sum(account.trips_by_mode.values()) + account.lost_trips_per_month == pytest.approx(18)
        assert account.lost_trips_per_month == 1
        laid = account.station_flows["boarding_trips_per_month"].sum()
        assert laid == pytest.approx(account.trips_by_mode[supply.mode])


def test_a_timetable_of_coaches_takes_the_place_of_the_coach_that_is_a_slow_car():
    assert "coach_cost_min" not in choose().columns
    assert choose().loc["x:m", "coach_share"] > 0
    # No coach calls at M.
    assert choose(coach([(["H", "T"], [45.0], 20.0, 1.0)])).loc["x:m", "coach_share"] == 0


def test_where_no_stop_is_near_nobody_goes_by_coach():
    far = coach(access=[("m", "M", 5, "walk")])
    flows = choose(far)
    assert flows.loc["x:t", "coach_share"] == 0
    assert np.isnan(flows.loc["x:t", "coach_cost_min"])
    assert flows.loc["x:m", "coach_share"] > 0
    assert "cT" not in set(assign_flows(flows, far).station_flows.query("alighting_trips_per_month > 0")["station_id"])


def test_a_cheaper_ticket_is_worth_its_minutes():
    cheaper = choose(coach(constant_min=-20.0))
    plain = choose(coach())
    assert (plain["coach_cost_min"] - cheaper["coach_cost_min"]).dropna().tolist() == pytest.approx([20.0] * 3)
    odds = cheaper["coach_share"] / cheaper["rail_share"]
    assert odds.dropna().tolist() == pytest.approx([np.exp(0.03 * 20)] * 3)


def test_a_minute_aboard_weighs_what_is_stated():
    graph = train_graph("HMT", TRAINS[:1])
    one, two = (build_rides(graph, in_vehicle_weight=weight) for weight in (1.0, 2.0))
    assert (two.cost_min - one.cost_min).tolist() == pytest.approx([20.0, 40.0, 20.0])
    assert two.time_min.tolist() == one.time_min.tolist()


def test_a_stated_rail_share_comes_out_beside_coaches():
    flows = choose(coach([(["H", "M", "T"], [25.0, 25.0], 15.0, 1.0)]))
    constant_min = find_rail_constant(flows, rail_share=0.3)
    again = choose(coach([(["H", "M", "T"], [25.0, 25.0], 15.0, 1.0)]), rail_constant_min=constant_min)
    both = again[again["is_reachable"]]
    assert np.average(both["rail_share"], weights=both["trips_per_month"]) == pytest.approx(0.3, abs=1e-9)


def test_coaches_are_not_laid_on_another_supply():
    flows = choose(coach())
    with pytest.raises(
        InputError, match=r"3 pairs from 'x' go by coach without a path|pairs from '.' go by coach without"
    ):
        assign_flows(flows, coach(access=[("m", "M", 5, "walk")]))


def test_an_area_boards_at_the_stops_near_its_main_station():
    access = pd.DataFrame(
        {"place_id": ["x", "x"], "station_id": ["cH", "cM"], "cost_min": [15.0, 20.0], "time_min": 15.0}
    )
    named = access_table([("t", "cT", 5, "walk"), ("x", "cT", 1, "walk")])
    terminals = build_terminals(named, exporter_table({"x": "H"}), ("cH", "cM", "cT"), hub_access=access)
    stations, cost_min, time_min = terminals.of(terminals.point_ids.index("x"))
    assert (stations.tolist(), cost_min.tolist(), time_min.tolist()) == ([0, 1], [15.0, 20.0], [15.0, 15.0])


def routes_of(flows, other):
    return list_route_sets(flows, rail(), others=(other,))


def test_listed_routes_carry_what_each_mode_carries():
    other = coach([(["H", "T"], [45.0], 20.0, 1.0)])
    flows = choose(other)
    routes = routes_of(flows, other)
    pair = np.repeat(np.arange(4), np.diff(routes.route_indptr))
    for number, name in enumerate(("rail_share", "coach_share")):
        here = (routes.mode == number) & ~routes.is_road
        carried = np.bincount(pair[here], weights=routes.probability[here], minlength=4)
        assert carried.tolist() == pytest.approx(flows[name].tolist())
    assert np.bincount(pair, weights=routes.probability).tolist() == pytest.approx(
        [1.0, 0.0, 1.0, 1.0][: pair.max() + 1]
    )
    ids = [routes.station_ids[k] for k in routes.station_indices]
    of_route = np.repeat(np.arange(pair.size), np.diff(routes.station_indptr))
    assert {name.startswith("c") for name, k in zip(ids, of_route, strict=True) if routes.mode[k] == 1} == {True}
    assert {name.startswith("c") for name, k in zip(ids, of_route, strict=True) if routes.mode[k] == 0} == {False}


def test_no_penalty_changes_nothing_and_one_on_trains_moves_to_coach_and_road_alike():
    other = coach()
    flows = choose(other)
    routes = routes_of(flows, other)
    n = routes.cost_min.size
    assert np.allclose(reassign_routes(routes, np.zeros(n)), routes.probability, rtol=1e-12)
    by_rail = (routes.mode == 0) & ~routes.is_road
    new = reassign_routes(routes, 40.0 * by_rail)
    assert (new[by_rail] < routes.probability[by_rail]).all()
    pair = np.repeat(np.arange(len(routes.flow_ids)), np.diff(routes.route_indptr))
    grown = (new / routes.probability)[~by_rail]
    for each in np.unique(pair[~by_rail]):
        assert np.ptp(grown[pair[~by_rail] == each]) == pytest.approx(0, abs=1e-12)
    assert np.bincount(pair, weights=new)[[0, 2, 3]].tolist() == pytest.approx([1.0, 1.0, 1.0])


def test_a_huge_penalty_on_the_only_public_mode_of_a_pair_keeps_its_trips():
    flows = choose(coach([(["H", "T"], [45.0], 20.0, 1.0)]), roads=[])
    routes = routes_of(flows, coach([(["H", "T"], [45.0], 20.0, 1.0)]))
    new = reassign_routes(routes, np.full(routes.cost_min.size, 1e6))
    assert new == pytest.approx(routes.probability)


def test_one_public_mode_has_no_numbers():
    assert list_route_sets(choose(), rail()).mode is None
    assert replace(rail(), mode="coach").mode == "coach"
