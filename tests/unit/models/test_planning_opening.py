"""Shifts are planned where trains call and, if asked, staff are there; what is not known closes nothing."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import UsageError
from models.planning.plan import plan_interception
from models.planning.problem.candidates import find_open_stations, measure_staffed_share, sum_shift_trains
from models.planning.problem.programme import is_alike
from models.planning.problem.rules import PlanRules
from models.planning.problem.shifts import Shift, build_shifts
from tests.unit.models.planning_worlds import make_routes, make_stations
from tests.unit.models.test_planning_week import make_hours, week_at

EVERY_HOUR = np.ones((7, 24))
EARLY, LATE = build_shifts(["early", "late"])
WORLD = [(40.0, [(30.0, 0.9, "AB"), (60.0, 0.1, "")]), (30.0, [(30.0, 0.8, "BC"), (60.0, 0.2, "")])]


def hours_of(trains):
    """Trips in every hour alike, and trains as given by station: a week of 7 by 24, or None where not known."""
    table = make_hours(dict.fromkeys(trains, EVERY_HOUR / 168))
    flat = [np.full(168, np.nan) if week is None else np.asarray(week, dtype=float).ravel() for week in trains.values()]
    return table.assign(n_trains=np.concatenate(flat))


def plan(trains, staffed=None, **rules):
    routes = make_routes(WORLD)
    stations = make_stations(routes.station_ids)
    if staffed is not None:
        stations = stations.assign(staffed_hours=pd.Series(staffed, dtype="str").reindex(stations.index).astype("str"))
    return plan_interception(
        routes,
        stations,
        PlanRules(**{"n_teams": 2, "n_days": 7, **rules}),
        random_state=1,
        hours=hours_of(trains),
    )


def test_a_shift_has_the_trains_of_the_hours_it_covers():
    week = np.zeros((7, 24))
    week[0, 8], week[1, 3], week[0, 22] = 4, 2, 6
    hours = hours_of({"A": week, "B": None})
    assert sum_shift_trains(hours, ["A"], Shift("x", 8.5, 10.0), weekday=0).tolist() == [2.0]
    night = sum_shift_trains(hours, ["A", "B", "Z"], Shift("night", 22.0, 30.0), weekday=0)
    assert night[0] == 8.0
    assert np.isnan(night[1:]).all()


def test_a_night_past_sunday_has_mondays_trains():
    week = np.zeros((7, 24))
    week[0, 2] = 3
    assert sum_shift_trains(hours_of({"A": week}), ["A"], Shift("night", 22.0, 30.0), weekday=6).tolist() == [3.0]


def test_a_station_is_open_where_a_train_calls_in_the_shift_or_nothing_is_known():
    mornings = np.zeros((7, 24))
    mornings[:, 8] = 1
    hours = hours_of({"A": mornings, "B": None, "C": np.zeros((7, 24))})
    is_open = find_open_stations(hours, ["A", "B", "C"], [EARLY, LATE], n_days=2)
    assert is_open[0].tolist() == [[True, True, False], [False, True, False]]
    assert is_open[1].tolist() == is_open[0].tolist()


def test_staff_close_a_station_only_where_hours_are_known_and_leave_part_of_the_shift():
    hours = hours_of(dict.fromkeys("ABCD", EVERY_HOUR))
    staffed = pd.Series({"A": "mon-fri 06:00-22:00", "B": None, "C": "none", "D": "daily 07:00-24:00"}, dtype="str")
    is_open = find_open_stations(hours, list("ABCD"), [EARLY, LATE], n_days=6, staffed_hours=staffed)
    assert is_open[0].tolist() == [[True, True, False, False], [True, True, False, True]]
    assert is_open[5, :, 0].tolist() == [False, False]


def test_the_share_of_a_shift_with_staff_is_that_of_its_hours():
    staffed = pd.Series(["mon 06:00-10:00", "none", None, "daily 00:00-24:00"], dtype="str")
    shares = measure_staffed_share(staffed, EARLY, weekday=0)
    assert shares[:2].tolist() == [0.5, 0.0]
    assert np.isnan(shares[2])
    assert shares[3] == 1.0


worlds = st.fixed_dictionaries(
    {station: st.none() | st.lists(st.sampled_from([0, 0, 0, 2]), min_size=21, max_size=21) for station in "ABC"}
)


@given(worlds, st.integers(0, 3))
def test_no_team_stands_where_no_train_calls_in_its_shift(parts, seed):
    # Trains by third of the day, all within its first hour of a shift.
    trains = {s: None if part is None else np.repeat(np.reshape(part, (7, 3)), 8, axis=1) for s, part in parts.items()}
    hours = hours_of(trains)
    shifts = build_shifts(["early", "late"])
    is_open = find_open_stations(hours, list("ABC"), shifts, n_days=7)
    if not is_open.any():
        return
    coverage = plan(trains, n_teams=1 + seed % 2).coverage
    assert (coverage.reshape(is_open.shape)[~is_open] == 0).all()


def test_days_on_which_other_stations_are_open_are_of_another_kind():
    sundays = EVERY_HOUR.copy()
    sundays[6] = 0
    setting = plan({"A": EVERY_HOUR, "B": EVERY_HOUR, "C": sundays}).setting
    assert setting.kind_of_day == (0,) * 6 + (1,)
    first, last = setting.slots[0], setting.slots[-1]
    assert not is_alike(first, replace(first, is_open=last.is_open))
    assert is_alike(first, replace(first, worth=2 * first.worth))


def test_staff_matter_only_if_asked():
    trains = dict.fromkeys("ABC", EVERY_HOUR)
    staffed = {"A": "none", "B": "daily 00:00-24:00", "C": "none"}
    ever = plan(trains, staffed).coverage.any(axis=0)
    assert ever[1]
    assert ever.sum() > 1
    assert plan(trains, staffed, needs_staff=True).coverage.any(axis=0).tolist() == [False, True, False]
    unknown = plan(trains, {}, needs_staff=True).coverage
    np.testing.assert_array_equal(unknown, plan(trains).coverage)


def test_a_plan_in_which_no_shift_is_open_is_refused():
    trains = dict.fromkeys("ABC", EVERY_HOUR)
    message = (
        r"plan: no train calls, or staff are not there throughout, at any of 3 stations in any shift of the 7 days, "
        r"expected a shift with both. Change plan.shifts or set plan.needs_staff to false."
    )
    with pytest.raises(UsageError, match=message):
        plan(trains, dict.fromkeys("ABC", "none"), needs_staff=True)


def test_a_must_visit_that_is_never_open_is_refused():
    trains = {"A": np.zeros((7, 24)), "B": EVERY_HOUR, "C": None}
    message = r"plan: no train calls at 'A' of must_visit in any shift of the 7 days, expected a shift with trains"
    with pytest.raises(UsageError, match=message):
        plan(trains, must_visit=("A",))
    assert plan(trains, must_visit=("C",)).coverage[:, 2].max() == 1


def test_a_station_whose_trains_are_not_known_is_open_in_every_shift():
    hours = make_hours({"A": week_at((0, 8))})
    assert find_open_stations(hours, ["A"], [EARLY], n_days=7).all()
