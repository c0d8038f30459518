"""A time that is wrong but in order is found by the speed that it asks for; a wrong place costs no train."""

import numpy as np
import pandas as pd
import pytest

from geo.errors import TableError
from geo.schema import empty, validate
from geo.sources.accounting import RowAccount
from geo.sources.patterns import TimetableReading, build_patterns
from geo.sources.trip_speeds import leave_out_too_fast
from geo.tables import QUARANTINE, SERVICE_CALLS

STATIONS = ["AAA", "BBB", "CCC", "DDD"]
# Stations 40 km apart on a line; trains take 30 minutes from one to the next.
POSITIONS = pd.DataFrame(
    {"easting_m": [400_000.0, 440_000.0, 480_000.0, 520_000.0], "northing_m": 450_000.0}, index=STATIONS
)


def timetable(n_trips=6, *, fast=None):
    """Trips along the line; trip `fast` arrives at its third station two minutes after its second."""
    rows = []
    for trip in range(n_trips):
        at = np.arange(4) * 31.0
        arrive, leave = at.copy(), at + 1
        if trip == fast:
            arrive[2] = leave[1] + 2
        rows.append(pd.DataFrame({"trip": trip, "station_id": STATIONS, "arrival_min": arrive, "departure_min": leave}))
    runs = pd.DataFrame({"trip": range(n_trips), "hour_of_week": range(n_trips), "start_min": 0.0, "n_departures": 1.0})
    calls, departures = build_patterns(pd.concat(rows), runs)
    nothing = pd.DataFrame(columns=["from_station_id", "to_station_id", "mode", "time_min"])
    account = RowAccount("feed.zip:trips.txt", "0", n_trips, n_trips)
    series = pd.Series(dtype="float64")
    return TimetableReading(calls, departures, series, nothing, empty(QUARANTINE), (account,), ())


def test_trains_that_can_run_are_left_as_they_are():
    read = timetable()
    assert leave_out_too_fast(read, POSITIONS) is read


def test_a_trip_with_a_run_that_no_train_can_do_is_left_out_whole_counted_and_named():
    found = leave_out_too_fast(timetable(fast=2), POSITIONS)
    assert found.departures["n_departures"].sum() == 5
    assert set(found.calls["pattern_id"]) == set(found.departures["pattern_id"])
    assert found.accounts[-1].n_by_reason == (("quarantined", "too_fast", 1),)
    assert found.accounts[-1].n_read == 6
    (told,) = found.caveats
    assert told == "1 trips of the week would go faster than 300 km/h, and are left out: BBB to CCC"


@pytest.mark.parametrize("code", STATIONS)
def test_a_station_at_a_wrong_place_costs_no_train_and_is_named(code):
    wrong = POSITIONS.copy()
    wrong.loc[code, "northing_m"] += 400_000.0
    read = timetable()
    found = leave_out_too_fast(read, wrong)
    assert found.calls is read.calls
    assert code in found.caveats[0]
    assert "doubtful" in found.caveats[0]


def test_runs_without_a_position_cannot_be_judged():
    nowhere = POSITIONS.assign(easting_m=np.nan)
    assert leave_out_too_fast(timetable(fast=2), nowhere).departures["n_departures"].sum() == 6


@pytest.mark.parametrize(
    ("at", "name", "minutes", "message"),
    [
        (1, "arrival_min", -5.0, "it runs back in time"),
        (1, "departure_min", 20.0, "it runs back in time"),
        (2, "departure_min", 2000.0, "it takes or stands more than a day"),
        (1, "arrival_min", np.nan, "it lacks a time within its pattern"),
        (2, "departure_min", np.nan, "it lacks a time within its pattern"),
    ],
)
def test_time_runs_on_in_the_contract_of_calls(at, name, minutes, message):
    calls = timetable(1).calls
    calls.loc[calls.index[at], name] = minutes
    with pytest.raises(TableError, match=message):
        validate(calls.sample(frac=1, random_state=0), SERVICE_CALLS)


def test_calls_of_several_patterns_in_any_order_keep_the_contract():
    calls = timetable(fast=2).calls
    shuffled = calls.sample(frac=1, random_state=1)
    assert validate(shuffled, SERVICE_CALLS) is shuffled
