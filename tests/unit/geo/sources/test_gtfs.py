"""GTFS: which trips run on which day, times past midnight, and every row accounted for."""

import csv
import io
import zipfile
from datetime import date, timedelta

import pandas as pd
import pytest

from geo.errors import InputError, UsageError
from geo.sources.gtfs import read_gtfs

MONDAY = date(2026, 6, 1)
FEED = {
    "routes.txt": "route_id,route_type\nR,2\nB,3\n",
    "trips.txt": "route_id,service_id,trip_id\nR,weekday,T1\nB,weekday,T2\n",
    "calendar.txt": "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
    "weekday,1,1,0,0,0,0,0,20260101,20261231\n",
    "stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence,pickup_type,drop_off_type\n"
    "T1,24:50:00,24:50:00,A,1,0,0\nT1,25:10:30,25:12:00,B,2,0,0\nT1,25:15:00,25:15:00,X,3,1,1\nT1,25:30:00,,C,10,0,0\n"
    "T2,08:00:00,08:00:00,A,1,0,0\nT2,,,B,2,0,0\nT2,08:20:00,08:20:00,C,3,0,0\n",
}


def write(tmp_path, **changes):
    path = tmp_path / "feed.zip"
    with zipfile.ZipFile(path, "w") as feed:
        for name, text in {**FEED, **{f"{k}.txt": v for k, v in changes.items()}}.items():
            if text is not None:
                feed.writestr(name, text)
    return path


def hours(reading) -> dict[int, float]:
    return reading.departures.groupby("hour_of_week")["n_departures"].sum().to_dict()


def test_times_past_midnight_count_on_the_next_day(tmp_path):
    reading = read_gtfs(write(tmp_path), week_start_on=MONDAY, route_types=frozenset({2}))
    assert hours(reading) == {24: 1.0, 48: 1.0}
    assert reading.calls["station_id"].tolist() == ["A", "B", "C"]
    assert reading.calls["arrival_min"].tolist()[1:] == [20.5, 40.0]
    assert reading.calls["arrival_min"].isna().tolist() == [True, False, False]
    assert reading.calls["departure_min"].isna().tolist() == [False, False, True]


def test_a_stop_where_nobody_may_board_or_alight_is_no_call(tmp_path):
    reading = read_gtfs(write(tmp_path), week_start_on=MONDAY)
    assert "X" not in set(reading.calls["station_id"])
    assert ("out_of_scope", "no_boarding_or_alighting", 1) in reading.accounts[1].n_by_reason


def test_a_stop_without_a_time_lies_between_its_neighbours(tmp_path):
    reading = read_gtfs(write(tmp_path), week_start_on=MONDAY, route_types=frozenset({3}))
    assert reading.calls["arrival_min"].tolist()[1:] == [10.0, 20.0]


def test_calendar_dates_add_and_remove_days(tmp_path):
    special = "service_id,date,exception_type\nweekday,20260601,2\nweekday,20260607,1\n"
    reading = read_gtfs(write(tmp_path, calendar_dates=special), week_start_on=MONDAY, route_types=frozenset({3}))
    assert hours(reading) == {24 + 8: 1.0, 6 * 24 + 8: 1.0}


def test_calendar_dates_alone_are_enough(tmp_path):
    special = "service_id,date,exception_type\nweekday,20260607,1\n"
    path = write(tmp_path, calendar=None, calendar_dates=special)
    assert hours(read_gtfs(path, week_start_on=MONDAY, route_types=frozenset({3}))) == {6 * 24 + 8: 1.0}


def test_a_feed_without_calendars_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"feed.zip: it has no 'calendar.txt' or 'calendar_dates.txt'"):
        read_gtfs(write(tmp_path, calendar=None), week_start_on=MONDAY)


def test_frequencies_repeat_a_trip(tmp_path):
    table = "trip_id,start_time,end_time,headway_secs\nT2,08:00:00,10:00:00,1800\n"
    reading = read_gtfs(write(tmp_path, frequencies=table), week_start_on=MONDAY, route_types=frozenset({3}))
    assert hours(reading) == {8: 2.0, 9: 2.0, 24 + 8: 2.0, 24 + 9: 2.0}


def test_a_headway_of_zero_is_refused(tmp_path):
    table = "trip_id,start_time,end_time,headway_secs\nT2,08:00:00,10:00:00,0\n"
    with pytest.raises(InputError, match=r"'frequencies.txt' has no usable headway for trip 'T2'"):
        read_gtfs(write(tmp_path, frequencies=table), week_start_on=MONDAY)


def test_faulty_rows_are_quarantined_and_nothing_is_lost(tmp_path):
    times = FEED["stop_times.txt"] + "T9,08:00:00,08:00:00,A,1,0,0\nT2,08:99:00,08:21:00,D,4,0,0\n"
    reading = read_gtfs(write(tmp_path, stop_times=times), week_start_on=MONDAY)
    assert sorted(reading.quarantine["reason"]) == ["bad_time", "unknown_trip"]
    assert reading.accounts[1].n_read == 9
    assert reading.accounts[1].n_accepted == 6


def test_stops_are_named_by_the_given_codes(tmp_path):
    codes = pd.Series({"A": "AAA", "C": "CCC"})
    reading = read_gtfs(write(tmp_path), week_start_on=MONDAY, station_of_stop=codes)
    assert set(reading.calls["station_id"]) == {"AAA", "CCC"}
    assert ("out_of_scope", "other_stop", 2) in reading.accounts[1].n_by_reason


def test_a_missing_member_and_a_missing_column_are_named(tmp_path):
    with pytest.raises(InputError, match=r"feed.zip: member 'stop_times.txt' is missing"):
        read_gtfs(write(tmp_path, stop_times=None), week_start_on=MONDAY)
    with pytest.raises(InputError, match=r"member 'trips.txt' has no column 'service_id'"):
        read_gtfs(write(tmp_path, trips="trip_id,route_id\n"), week_start_on=MONDAY)
    with pytest.raises(InputError, match=r"member 'trips.txt' is no CSV table"):
        read_gtfs(write(tmp_path, trips=""), week_start_on=MONDAY)


def test_a_week_starts_on_monday(tmp_path):
    with pytest.raises(UsageError, match=r"week_start_on: 2026-06-07 is not a Monday"):
        read_gtfs(write(tmp_path), week_start_on=date(2026, 6, 7))


@pytest.mark.real
def test_the_real_feed_keeps_every_trip_and_stop_time(real_data):
    """Departures equal a count by plain loops over the calendar."""
    path = real_data / "timetable" / "newport-20230613_gtfs.zip"
    monday = date(2023, 6, 12)
    reading = read_gtfs(path, week_start_on=monday)
    with zipfile.ZipFile(path) as feed:
        rows = {
            name: list(csv.DictReader(io.StringIO(feed.read(f"{name}.txt").decode())))
            for name in ("trips", "calendar", "stop_times")
        }
    days = {}
    for row in rows["calendar"]:
        for k, name in enumerate(("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")):
            on = (monday + timedelta(days=k)).strftime("%Y%m%d")
            if row[name] == "1" and row["start_date"] <= on <= row["end_date"]:
                days[row["service_id"]] = days.get(row["service_id"], 0) + 1
    assert reading.departures["n_departures"].sum() == sum(days[row["service_id"]] for row in rows["trips"])
    assert [a.n_accepted for a in reading.accounts] == [len(rows["trips"]), len(rows["stop_times"])]
