"""What if: fewest teams; and the pieces a list is made of."""

import numpy as np
import pandas as pd
import pytest

from geo.errors import InputError, UsageError
from models.planning import PlanRules, Shift, find_minimum_teams, plan_interception
from models.planning.problem.duties import build_duties, measure_team_travel
from models.planning.problem.encounters import build_encounters
from models.planning.problem.programme import measure_value
from models.planning.problem.shifts import build_shifts
from models.planning.response.evasion import mean_hazard, respond
from models.planning.solver.siting import choose_sites
from models.planning.solver.solving import solve_programme
from tests.unit.models.planning_worlds import DAY, make_programme, make_routes, make_stations

# Three towns, each with its own station and its own courier; 50, 30 and 20 trips, and no road.
APART = [(50.0, [(30.0, 1.0, "A")]), (30.0, [(30.0, 1.0, "B")]), (20.0, [(30.0, 1.0, "C")])]
WHOLE_DAY = (Shift("day", 5.5, 23.5),)


def plan(pairs=APART, **rules):
    defaults = {"n_teams": 1, "n_days": 4, "shifts": WHOLE_DAY, "detection_share": 0.5}
    return plan_interception(make_routes(pairs), make_stations("ABC"), PlanRules(**(defaults | rules)), random_state=1)


@pytest.mark.parametrize(("target", "n_teams"), [(0.2, 1), (0.25, 1), (0.26, 2), (0.4, 2), (0.5, 3)])
def test_the_fewest_teams_are_found_and_one_fewer_is_too_few(target, n_teams):
    found = find_minimum_teams(plan(), target_share=target)
    assert found.n_teams == n_teams
    assert found.met_share >= target - 1e-9
    assert found.share_with_one_fewer < target
    assert found.is_proven


def test_a_share_that_nobody_can_meet_is_answered_with_what_can_be_met():
    with pytest.raises(UsageError, match=r"target_share is 0.6, but teams at all 3 stations on every shift meet 0.500"):
        find_minimum_teams(plan(), target_share=0.6)


def test_a_tour_shares_the_shift_and_a_long_ride_does_not_exist():
    encounters = build_encounters(make_routes(APART), "ABC", detection_share=0.5)
    travel = pd.DataFrame([[0, 60, 500], [60, 0, 60], [500, 60, 0.0]], index=list("ABC"), columns=list("ABC"))
    shift = Shift("s", 6.0, 14.0)
    duties = build_duties(encounters, shift, stops_per_shift=2, travel_min=travel)
    assert duties.stops == ((0,), (1,), (2,), (0, 1), (1, 2))
    assert duties.presence[:, 3].toarray().ravel().tolist() == pytest.approx([420 / 960, 420 / 960, 0])
    # A courier at a station worked for part of the shift is met in that part.
    assert -np.expm1(-duties.hazard[0, 3]) == pytest.approx(0.5 * 420 / 960)


def test_teams_travel_by_the_quickest_track_both_ways():
    links = pd.DataFrame(
        {"from_station_id": ["A", "B", "A"], "to_station_id": ["B", "C", "C"], "time_min": [5.0, 6.0, 20.0]}
    )
    travel = measure_team_travel(links, ["C", "A", "Z"])
    assert travel.loc["C", "A"] == travel.loc["A", "C"] == 11
    assert np.isinf(travel.loc["A", "Z"])


def test_a_courier_on_board_is_met_less_than_one_on_the_platform():
    encounters = build_encounters(make_routes([(9.0, [(10.0, 1.0, "AbC")])]), "ABC", detection_share=0.4)
    chance = -np.expm1(-encounters.hazard.toarray()[0])
    assert chance.tolist() == pytest.approx([0.4, 0.1, 0.4])


def test_routes_with_the_same_stations_are_one_pattern_and_keep_their_trips():
    pairs = [*APART, (7.0, [(30.0, 0.5, "A"), (40.0, 0.5, "AB")])]
    encounters = build_encounters(make_routes(pairs), "ABC")
    assert encounters.hazard.shape == (4, 3)
    worth = encounters.worth_of_patterns(encounters.worth_of_routes())
    assert worth.tolist() == [53.5, 30.0, 20.0, 3.5]
    assert encounters.rail_worth() == 107


def test_harm_weighs_trips_and_must_be_known():
    routes = make_routes(APART)
    harm = pd.Series([1.0, 5.0, 1.0], index=routes.flow_ids)
    encounters = build_encounters(routes, "ABC", worth=harm)
    assert encounters.worth_of_routes().tolist() == [50.0, 150.0, 20.0]
    with pytest.raises(InputError, match=r"worth: is nan at 'q0002', expected a number of 0 or more"):
        build_encounters(routes, "ABC", worth=harm.iloc[:2])


def test_couriers_leave_the_route_on_which_they_are_met():
    routes = make_routes([(9.0, [(10.0, 0.5, "A"), (10.0, 0.3, "B"), (10.0, 0.2, "")])])
    encounters = build_encounters(routes, "AB")
    new = respond(encounters, np.array([0.5, 0.0]), met_cost_min=60.0)
    assert new.sum() == pytest.approx(1)
    assert new[0] / new[1] == pytest.approx(0.5 / 0.3 * np.exp(-0.1 * 30))
    assert new[2] > 0.2


def test_a_mix_meets_as_often_as_its_chances_say():
    programme = make_programme(make_routes([(10.0, [(10.0, 1.0, "AB")])]), detection_share=0.5)
    slot = programme.slots[0]
    met = -np.expm1(-mean_hazard(slot, np.array([[0.4, 0.2]])))
    assert met.tolist() == pytest.approx([1 - (1 - 0.4 * 0.5) * (1 - 0.2 * 0.5)])
    assert measure_value(slot, [0, 1]) == pytest.approx(10 * 0.75)


def test_shifts_know_their_share_of_the_day_and_odd_ones_are_refused():
    (night,) = build_shifts(["night"])
    # 22:00 to 23:30, and 5:30 to 6:00 on the next day.
    assert night.flow_share == pytest.approx(2.0 / 18)
    with pytest.raises(UsageError, match=r"shifts: none is given"):
        build_shifts([])
    with pytest.raises(UsageError, match=r"'x' from 9.0 to 9.0 h, expected different names and an end after"):
        build_shifts([Shift("x", 9.0, 9.0)])


def test_rules_that_contradict_each_other_are_seen_by_the_solver():
    programme = make_programme(make_routes(APART), n_teams=1, must=(0, 1))
    assert not solve_programme(programme).is_feasible


def test_more_sites_than_stations_are_refused():
    encounters = build_encounters(make_routes(APART), "ABC")
    with pytest.raises(UsageError, match=r"n_sites: is 4, expected 1 to the 3 stations"):
        choose_sites(encounters.hazard, np.ones(3), n_sites=4)


def test_a_whole_day_of_worth_is_seen():
    assert DAY.flow_share == 1
