"""A plan that knows hours: what a shift of a day sees, and where teams go when their shifts are numbered."""

from dataclasses import replace
from datetime import date
from itertools import combinations_with_replacement, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import UsageError
from models.planning.plan import plan_interception
from models.planning.problem.encounters import build_encounters
from models.planning.problem.programme import measure_value
from models.planning.problem.rules import PlanRules, fold_days
from models.planning.problem.shifts import Shift, build_shifts
from models.planning.problem.week import measure_week_shares
from models.planning.solver.greedy import choose_greedily
from models.planning.solver.solving import solve_programme
from tests.unit.models.planning_worlds import make_programme, make_routes, make_stations

LATE = 2
WORLD = [(40.0, [(30.0, 0.9, "AB"), (60.0, 0.1, "")]), (30.0, [(30.0, 0.8, "C"), (60.0, 0.2, "")])]


def make_hours(weeks):
    """Table of hours from a week of shares by station."""
    rows = [(s, h, float(share)) for s, week in weeks.items() for h, share in enumerate(np.asarray(week).ravel())]
    table = pd.DataFrame(rows, columns=["station_id", "hour_of_week", "week_share"]).astype({"station_id": "str"})
    table = table.assign(n_trains=np.nan, n_records=0.0, trips_per_month=table["week_share"], hours_basis="assumption")
    table.index = pd.Index([f"{s}:{h:03d}" for s, h, _ in rows], name="station_hour_id", dtype="str")
    return table.astype({"hours_basis": "str"})


def week_at(*cells):
    """All trips in some cells of day and hour, evenly."""
    week = np.zeros((7, 24))
    week[tuple(np.array(cells).T)] = 1 / len(cells)
    return week


def encounters_of(world):
    routes = make_routes(world)
    return build_encounters(routes, routes.station_ids)


def plan(world, weeks, **rules):
    routes = make_routes(world)
    return plan_interception(
        routes,
        make_stations(routes.station_ids),
        PlanRules(**{"n_teams": 1, **rules}),
        random_state=1,
        hours=make_hours(weeks),
    )


def when_worked(made):
    """Day and shift of the slots on which somebody works."""
    names, n = made.setting.rules.shift_names, made.setting.n_shifts
    return [[s // n + 1, names[s % n]] for s in np.flatnonzero(made.coverage.any(axis=1)).tolist()]


def where_worked(made, shift):
    """Stations at which somebody works in a shift."""
    ids, first = made.setting.encounters.station_ids, made.setting.rules.shift_names.index(shift)
    return {ids[k] for k in np.flatnonzero(made.coverage[first :: made.setting.n_shifts].any(axis=0))}


def test_a_shift_sees_the_hours_it_covers():
    encounters = encounters_of([(10.0, [(30.0, 1.0, "A")])])
    hours = make_hours({"A": week_at((2, 6), (2, 13), (2, 14), (2, 21), (2, 22))})
    shares = measure_week_shares(hours, encounters, build_shifts(["early", "late"]), n_days=7)
    np.testing.assert_allclose(shares.by_station[2, :, 0], [0.4, 0.4])
    assert shares.by_station.sum() == pytest.approx(0.8)
    np.testing.assert_allclose(shares.by_pattern, shares.by_station)


def test_a_night_that_goes_past_sunday_sees_monday():
    encounters = encounters_of([(10.0, [(30.0, 1.0, "A")])])
    hours = make_hours({"A": week_at((6, 23), (0, 2), (0, 7), (3, 12))})
    shares = measure_week_shares(hours, encounters, build_shifts(["night"]), n_days=7)
    assert shares.by_station[6, 0, 0] == pytest.approx(0.5)
    assert shares.by_station[0, 0, 0] == pytest.approx(0.0)


def test_half_an_hour_is_half_of_its_trips():
    encounters = encounters_of([(10.0, [(30.0, 1.0, "A")])])
    hours = make_hours({"A": week_at((0, 8), (1, 8))})
    shares = measure_week_shares(hours, encounters, [Shift("short", 8.5, 10.0)], n_days=7)
    assert shares.by_station[:, 0, 0].tolist() == pytest.approx([0.25, 0.25, 0, 0, 0, 0, 0])


weeks = st.lists(st.integers(0, 5), min_size=168, max_size=168).filter(any).map(lambda w: np.array(w) / sum(w))


@given(weeks, weeks, st.integers(0, 6), st.integers(1, 9))
def test_shifts_that_fill_the_days_see_every_trip_once(a, b, first_weekday, n_days):
    encounters = encounters_of([(10.0, [(30.0, 1.0, "AB")]), (4.0, [(30.0, 1.0, "aB")])])
    whole = [Shift("one", 0.0, 9.0), Shift("two", 9.0, 24.0)]
    hours = make_hours({"A": a, "B": b})
    shares = measure_week_shares(hours, encounters, whole, n_days=n_days, first_weekday=first_weekday)
    seen = shares.by_pattern.sum(axis=(0, 1))
    assert (seen <= n_days / 7 + 1e-9).all()
    if n_days % 7 == 0 or ((a.reshape(7, 24).sum(axis=1) > 0).all() and (b.reshape(7, 24).sum(axis=1) > 0).all()):
        np.testing.assert_allclose(seen, n_days / 7, rtol=1e-9)


def test_a_station_without_hours_is_as_busy_in_every_hour_of_service():
    encounters = encounters_of([(10.0, [(30.0, 1.0, "A")])])
    shares = measure_week_shares(make_hours({"Z": week_at((0, 0))}), encounters, build_shifts(["early"]), n_days=7)
    np.testing.assert_allclose(shares.by_station, 8 / 18 / 7)


def test_days_differ_in_kind_only_where_trips_divide_otherwise():
    encounters = encounters_of(WORLD)
    busy = np.where(np.arange(7)[:, None] >= 2, 3.0, 1.0) * np.ones((7, 24))
    alike = measure_week_shares(
        make_hours(dict.fromkeys("ABC", busy / busy.sum())), encounters, build_shifts(["late"]), n_days=7
    )
    assert alike.kind_of_day == (0,) * 7
    sunday = busy.copy()
    sunday[6] = 0.0
    weeks = {"A": busy / busy.sum(), "B": busy / busy.sum(), "C": sunday / sunday.sum()}
    apart = measure_week_shares(make_hours(weeks), encounters, build_shifts(["late"]), n_days=7)
    assert apart.kind_of_day == (0,) * 6 + (1,)


def test_a_team_stands_where_trips_are_made_in_its_hours():
    early, late = week_at(*product(range(7), range(6, 14))), week_at(*product(range(7), range(14, 22)))
    made = plan(WORLD, {"A": early, "B": early, "C": late}, is_evasive=False)
    assert where_worked(made, "late") == {"C"}
    assert where_worked(made, "early") <= {"A", "B"}
    assert made.best_list["days"].unique().tolist() == ["Mon Tue Wed Thu Fri Sat Sun"]


@pytest.mark.parametrize("is_evasive", [True, False])
def test_numbered_shifts_go_to_the_days_and_hours_of_most_trips(is_evasive):
    """The hours of the Underground: four shifts are worked late on Wednesday to Saturday."""
    busy = np.full((7, 24), 0.5 / (168 - 28))
    busy[2:6, 15:22] = 0.5 / 28
    made = plan(WORLD, dict.fromkeys("ABC", busy), n_team_shifts=4, is_evasive=is_evasive)
    assert when_worked(made) == [[day, "late"] for day in (3, 4, 5, 6)]
    assert made.summary.is_proven
    rules_of_thumb = made.comparison["met_share"].drop(["mix", "best fixed list"])
    assert (rules_of_thumb <= made.summary.best_share + 1e-12).all()


def test_nobody_is_sent_on_a_day_without_trains():
    week = np.ones((7, 24))
    week[5:] = 0.0
    made = plan(WORLD, dict.fromkeys("ABC", week / week.sum()), n_teams=2)
    assert {day for day, _ in when_worked(made)} == {1, 2, 3, 4, 5}


def test_a_first_day_has_its_weekday():
    """The fourth of June 2025 is a Wednesday."""
    busy = week_at((2, 15), (2, 16))
    routes = make_routes(WORLD)
    rules = PlanRules(n_teams=1, n_team_shifts=1)
    hours = make_hours(dict.fromkeys("ABC", busy))
    made = plan_interception(
        routes, make_stations(routes.station_ids), rules, random_state=1, hours=hours, first_on=date(2025, 6, 4)
    )
    assert when_worked(made) == [[1, "late"]]
    # 36 of 60 trips by rail pass A, all in that shift; a team notices one in five.
    assert made.summary.best_share == pytest.approx(0.2 * 36 / 60)


def test_even_hours_give_the_plan_without_hours():
    even = np.tile(np.clip(np.minimum(np.arange(24) + 1, 23.5) - np.maximum(np.arange(24), 5.5), 0, 1), (7, 1))
    routes = make_routes(WORLD)
    with_hours = plan(WORLD, dict.fromkeys("ABC", even / even.sum()))
    without = plan_interception(routes, make_stations(routes.station_ids), PlanRules(n_teams=1), random_state=1)
    for name in ("met_share", "met_share_evading", "best_share", "to_road_share"):
        assert getattr(with_hours.summary, name) == pytest.approx(getattr(without.summary, name), rel=1e-9)
    np.testing.assert_allclose(with_hours.coverage, without.coverage, atol=1e-9)
    assert "days" not in without.best_list.columns


def test_too_few_shifts_for_the_stations_that_must_be_worked_are_told():
    with pytest.raises(
        UsageError, match=r"can work 1 of the 2 stations in must_visit .* Raise n_team_shifts to at least"
    ):
        plan(WORLD, {"A": week_at((0, 8))}, must_visit=("A", "C"), n_team_shifts=1)


@pytest.mark.parametrize("most", [1, 2, 3, 5])
def test_numbered_shifts_are_shared_out_as_brute_force_does(most):
    base = make_programme(make_routes(WORLD), n_teams=2, n_slots=3, most_teams=most)
    busy = (1.0, 2.5, 0.4)
    slots = tuple(replace(s, worth=s.worth * b) for s, b in zip(base.slots, busy, strict=True))
    programme = replace(base, slots=slots)
    n = len(slots[0].duties.stops)
    choices = [(), *((d,) for d in range(n)), *(c for c in combinations_with_replacement(range(n), 2) if c[0] != c[1])]
    best = max(
        sum(measure_value(s, list(c)) for s, c in zip(slots, choice, strict=True))
        for choice in product(choices, repeat=3)
        if sum(map(len, choice)) <= most
    )
    solved = solve_programme(programme)
    assert solved.value == pytest.approx(best, rel=1e-6)
    assert solved.bound >= best * (1 - 1e-9)
    assert sum(map(len, solved.chosen)) <= most
    greedy = choose_greedily(programme)
    assert sum(map(len, greedy.chosen)) <= most
    assert best / 2 <= greedy.value <= best * (1 + 1e-9)
    # With a must visit the slots are solved together, under the same number.
    together = solve_programme(replace(programme, must=(0,)))
    assert sum(map(len, together.chosen)) <= most
    assert together.value <= solved.value * (1 + 1e-6)


def test_days_fold_by_kind():
    assert fold_days([0, 1, 0, 1, 1], n_apart=0) == [[0, 2], [1, 3, 4]]
    assert fold_days([0, 1, 0, 1, 1], n_apart=5) == [[0], [1], [2], [3], [4]]
