"""The listed routes: where they can be met, and where people go when they are."""

import numpy as np
import pandas as pd
import pytest

from geo.corridors.best_routes import StopRole
from geo.corridors.choice import choose_modes
from geo.corridors.routes import list_route_sets, reassign_routes
from geo.errors import UsageError
from tests.unit.geo.corridors.small_rail import link_graph, road_table, supply_of, train_graph, trips_table

DIAMOND = [("H", "F", 10.0), ("F", "T", 10.0), ("H", "U", 12.0), ("U", "T", 12.0)]
ACCESS = [("t", "T", 5, "walk")]


def diamond(road=60, **options):
    supply = supply_of(link_graph("FHTU", DIAMOND), ACCESS, {"x": "H"})
    flows = choose_modes(
        trips_table([("x", "t", 10), ("x", "far", 3)]), supply, road_table([("x", "t", road), ("x", "far", 9)])
    )
    return flows, list_route_sets(flows, supply, **options)


def described(routes):
    """Routes as text: station and role's first letter."""
    text = []
    for k in range(routes.cost_min.size):
        here = slice(routes.station_indptr[k], routes.station_indptr[k + 1])
        stops = zip(routes.station_indices[here], routes.role[here], strict=True)
        text.append(" ".join(routes.station_ids[s] + StopRole(r).name[:2] for s, r in stops))
    return text


def test_routes_run_from_boarding_to_alighting_and_the_road_comes_last():
    _, routes = diamond()
    assert routes.flow_ids == ("x:far", "x:t")
    assert routes.route_indptr.tolist() == [0, 1, 4]
    assert described(routes) == ["", "HBO FCA TAL", "HBO UCA TAL", ""]
    assert routes.is_road.tolist() == [True, False, False, True]
    assert routes.cost_min[2] - routes.cost_min[1] == pytest.approx(24.0)


def test_probabilities_of_a_pair_are_its_shares():
    flows, routes = diamond()
    assert routes.probability[0] == 1
    assert routes.probability[1:].sum() == pytest.approx(1)
    assert routes.probability[3] == pytest.approx(1 - flows.loc["x:t", "rail_share"])
    assert routes.probability[2] / routes.probability[1] == pytest.approx(np.exp(-2.4))


def test_fewer_routes_carry_all_trips_and_say_what_they_left_out():
    flows, routes = diamond(most_routes=1)
    assert described(routes) == ["", "HBO FCA TAL", ""]
    assert routes.probability[1] == pytest.approx(flows.loc["x:t", "rail_share"])
    assert routes.listed_share.tolist() == pytest.approx([1, 1 / (1 + np.exp(-2.4))])


def test_changes_and_calls_are_told_apart_with_a_timetable():
    trains = [(["H", "A", "B", "M"], [5.0, 5.0, 5.0], 5.0, 1.0), (["M", "V", "T"], [5.0, 5.0], 5.0, 1.0)]
    supply = supply_of(train_graph("ABHMTV", trains), ACCESS, {"x": "H"})
    flows = choose_modes(trips_table([("x", "t", 8)]), supply, road_table([]))
    routes = list_route_sets(flows, supply)
    assert described(routes) == ["HBO ACA BCA MCH VCA TAL"]
    assert routes.platform_share.tolist() == [1, 0, 0, 1, 0, 1]


def test_without_a_timetable_the_change_share_is_the_chance_on_the_platform():
    _, routes = diamond(change_share=pd.Series({"F": 0.25}))
    assert routes.platform_share.tolist() == [1, 0.25, 1, 1, 0, 1]


def test_no_penalty_changes_nothing():
    _, routes = diamond()
    assert np.allclose(reassign_routes(routes, np.zeros(4)), routes.probability, rtol=1e-12)


def test_a_penalty_moves_trips_by_the_nested_logit():
    _, routes = diamond()
    p = routes.probability[1:]
    new = reassign_routes(routes, np.array([0.0, 30.0, 0.0, 0.0]), mode_scale_per_min=0.03)[1:]
    within = np.array([p[0] * np.exp(-3.0), p[1]]) / (p[0] + p[1])
    shift = -np.log(within.sum()) / 0.1
    rail = (p[0] + p[1]) * np.exp(-0.03 * shift)
    whole = rail + p[2]
    assert new.tolist() == pytest.approx([*(within / within.sum() * rail / whole), p[2] / whole])


def test_a_huge_penalty_on_every_rail_route_drives_all_to_the_road():
    _, routes = diamond()
    new = reassign_routes(routes, np.array([0.0, 1e6, 1e6, 0.0]))
    assert new.tolist() == [1.0, 0.0, 0.0, 1.0]


def test_without_a_road_trips_stay_on_the_railway():
    supply = supply_of(link_graph("FHTU", DIAMOND), ACCESS, {"x": "H"})
    flows = choose_modes(trips_table([("x", "t", 10)]), supply, road_table([]))
    new = reassign_routes(list_route_sets(flows, supply), np.array([1e6, 1e6]))
    assert new.sum() == pytest.approx(1)
    assert new[1] / new[0] == pytest.approx(np.exp(-2.4))


def test_no_route_at_all_is_refused():
    with pytest.raises(UsageError, match=r"most_routes: is 0, expected at least 1"):
        diamond(most_routes=0)
