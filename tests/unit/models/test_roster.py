"""What a duty roster yields, whose credit it is, and where couriers go who know it."""

import re

import numpy as np
import pandas as pd
import pytest

from gateline.settings_plan import STEP_MIN
from models.planning.roster import (
    Courier,
    DutyRules,
    FlowDraws,
    Mix,
    Roster,
    Watch,
    measure_duty_hours,
    measure_propensity,
    measure_stay_trips,
    measure_watched,
    measure_yields,
    reply_best,
    respond_to,
    with_detection,
)
from models.planning.roster.agreement import compare_with_list
from models.planning.roster.itineraries import find_best_shifts
from models.planning.roster.meeting import block_platforms, measure_gains, measure_met
from models.planning.roster.yields import credit_stays
from tests.unit.models.roster_worlds import random_problem

PROBLEM = random_problem(2, n_teams=3, n_days=3)
SHIFTS = reply_best(PROBLEM).shifts
WATCHED = measure_watched(PROBLEM, SHIFTS)


def draws_of(problem, detection):
    trips = np.repeat(problem.encounters.routes.trips_per_month[None], len(detection), axis=0)
    return FlowDraws(trips, np.array(detection), 0.2)


def test_stays_divide_what_the_roster_meets_and_add_up_to_it():
    credit = credit_stays(PROBLEM, SHIFTS)
    stays = [stay for shift in SHIFTS for stay in shift.stays]
    alone = sum((PROBLEM.share[s.first : s.last] * PROBLEM.chance[:, s.station]).sum(axis=0) for s in stays)
    met = measure_met(PROBLEM, SHIFTS)
    np.testing.assert_allclose(credit.sum(axis=0), met)
    # Some trips could be met by two teams at once.
    assert float(PROBLEM.weekly @ alone) > 1.001 * float(PROBLEM.weekly @ met)


def test_the_trips_of_the_stays_are_those_of_the_week():
    trips = measure_stay_trips(PROBLEM, SHIFTS, WATCHED, None)
    assert trips["expected_met_trips"].sum() == pytest.approx(float(PROBLEM.weekly @ measure_met(PROBLEM, SHIFTS)))
    assert trips["expected_met_trips_evading"].sum() < trips["expected_met_trips"].sum()


def test_couriers_leave_the_hours_in_which_they_are_met_for_others():
    answer = respond_to(PROBLEM, WATCHED, Courier(met_cost_min=60.0))
    own = slice(0, PROBLEM.n_days * PROBLEM.steps_per_day)
    np.testing.assert_allclose(answer.share[own].sum(axis=0), PROBLEM.share[own].sum(axis=0))
    met = (PROBLEM.share * WATCHED).sum(axis=0)
    seen = met > 0
    assert seen.any()
    assert ((answer.share * WATCHED).sum(axis=0)[seen] < met[seen]).all()


def test_couriers_who_know_nothing_stay_as_they_are_and_those_who_are_met_take_the_road():
    routes = PROBLEM.encounters.routes
    blind = respond_to(PROBLEM, WATCHED, Courier(informed_share=0.0))
    np.testing.assert_allclose(blind.share, PROBLEM.share)
    np.testing.assert_allclose(blind.probability, routes.probability)
    answer = respond_to(PROBLEM, WATCHED, Courier())
    by_road = routes.trips_per_month[PROBLEM.encounters.pair_of_route] * routes.is_road
    assert by_road @ answer.probability > by_road @ routes.probability


def test_half_the_chance_of_noticing_a_courier_is_half_of_each_chance():
    np.testing.assert_allclose(with_detection(PROBLEM, 0.5).chance, 0.5 * PROBLEM.chance)
    assert with_detection(PROBLEM, 9.0).chance.max() <= 1.0


def test_hours_for_a_meeting_are_few_where_many_are_met():
    hours = measure_duty_hours(PROBLEM, SHIFTS)
    found = measure_yields(PROBLEM, {"own": Watch(WATCHED, WATCHED, hours)}, draws_of(PROBLEM, [0.5, 1.0, 2.0])).iloc[0]
    assert hours == sum(PROBLEM.places[s.place].shift.minutes for s in SHIFTS) / 60
    # Three days are told as a week.
    assert found["team_hours_per_week"] == pytest.approx(hours * 7 / 3)
    met = float(PROBLEM.weekly @ measure_met(PROBLEM, SHIFTS)) * 7 / 3
    assert found["met_per_week"] == pytest.approx(met)
    assert found["hours_per_meeting"] == pytest.approx(found["team_hours_per_week"] / met)
    assert found["hours_per_meeting_low"] < found["hours_per_meeting"] < found["hours_per_meeting_high"]
    assert found["met_per_week_high"] == pytest.approx(met * np.quantile([0.5, 1.0, 2.0], 0.95))
    assert 0 < found["to_road_share"] < 1


def test_no_draw_notices_more_than_surely():
    draws = draws_of(PROBLEM, [0.5, 2.0, 4.0])
    twice = draws.with_detection(2.0)
    assert twice.assumed_share == 0.4
    assert twice.detection.tolist() == [0.5, 2.0, 2.5]
    assert (twice.detection * twice.assumed_share).max() == pytest.approx(1.0)
    np.testing.assert_array_equal(twice.trips, draws.trips)


def test_a_roster_in_which_nobody_works_raises_no_chance():
    idle = Roster(())
    mix = Mix((Roster(SHIFTS), idle), 0, WATCHED, 0.0)
    chance = measure_propensity(PROBLEM, mix)
    assert set(np.unique(chance)) == {0.0, 0.5}
    assert measure_propensity(PROBLEM, Mix((idle,), 0, WATCHED, 0.0)).max() == 0.0


def test_a_step_of_the_settings_is_that_of_the_roster():
    assert DutyRules.step_min == STEP_MIN


def test_every_departure_from_the_list_has_its_sentence_and_its_swap_is_true():
    ids = list(PROBLEM.station_ids)
    worked = {ids[stay.station] for shift in SHIFTS for stay in shift.stays}
    tiers = pd.Series({i: "C" if i in worked else "AB"[k % 2] for k, i in enumerate(ids)} | {"X": "A"})
    mix = Mix((Roster(SHIFTS),), 0, WATCHED, 0.0)
    names = pd.Series({i: f"Station {i}" for i in [*ids, "X"]})
    table = compare_with_list(PROBLEM, mix, names=names, tiers=tiers, why_not={"X": "nobody may"})
    assert set(table.index) == {*ids, "X"}
    assert table.loc["X", "reason"] == "Station X (tier A) cannot be worked: nobody may."
    unworked = table.index[~table["is_worked"]].drop("X")
    assert len(unworked)
    whole = float(PROBLEM.weekly @ measure_met(PROBLEM, SHIFTS))
    for station in unworked:
        told = table.loc[station, "reason"]
        said = re.search(r"one that goes there meets (\S+) (fewer|more)", told)
        if said is None:
            assert "No shift of the week can go there." in told
            continue
        changes = []
        for old in SHIFTS:
            others = [s for s in SHIFTS if s.team != old.team]
            gains = measure_gains(PROBLEM, others, PROBLEM.weekly)
            blocked = block_platforms(PROBLEM, others)
            new = find_best_shifts(PROBLEM, old.team, gains, blocked=blocked, via=ids.index(station)).get(old.place)
            if new is not None:
                swapped = [new if s is old else s for s in SHIFTS]
                changes.append(float(PROBLEM.weekly @ measure_met(PROBLEM, swapped)) - whole)
        signed = float(said[1]) * (1 if said[2] == "more" else -1)
        assert signed == pytest.approx(max(changes), rel=0.06)
