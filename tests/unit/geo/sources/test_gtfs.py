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
    assert set(reading.departures["start_min"]) == {50.0}
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


def account_of(reading, member):
    return next(a for a in reading.accounts if a.source_file.endswith(f":{member}.txt"))


def test_an_unreadable_headway_sets_its_own_trip_aside_and_no_other(tmp_path):
    table = "trip_id,start_time,end_time,headway_secs\nT2,08:00:00,10:00:00,0\nBUS9,08:00:00,09:00:00,\n"
    reading = read_gtfs(write(tmp_path, frequencies=table), week_start_on=MONDAY)
    assert hours(reading) == {24: 1.0, 48: 1.0}
    assert account_of(reading, "frequencies").n_by_reason == (
        ("out_of_scope", "no_such_trip", 1),
        ("quarantined", "bad_headway", 1),
    )
    assert account_of(reading, "trips").n_by_reason == (("quarantined", "bad_headway", 1),)


def test_faulty_rows_are_quarantined_and_nothing_is_lost(tmp_path):
    times = FEED["stop_times.txt"] + "T9,08:00:00,08:00:00,A,1,0,0\nT2,08:99:00,08:21:00,D,4,0,0\n"
    reading = read_gtfs(write(tmp_path, stop_times=times), week_start_on=MONDAY)
    assert sorted(reading.quarantine["reason"]) == ["bad_time", "unknown_trip"]
    assert reading.accounts[1].n_read == 9
    assert reading.accounts[1].n_accepted == 6


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace("\n", ",\n").replace(",\n", "\n", 1),
        lambda text: text.replace(",", ", "),
        lambda text: text.replace(",", " ,"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: (
            "\n".join(",".join(f'"{field}"' for field in line.split(",")) for line in text.splitlines()) + "\n"
        ),
        lambda text: text.rstrip("\n"),
        lambda text: "\n".join([text.splitlines()[0], *text.splitlines()[:0:-1]]) + "\n",
    ],
    ids=["trailing comma", "blank after", "blank before", "BOM", "CRLF", "quotes", "no last line end", "rows reversed"],
)
@pytest.mark.parametrize("member", ["trips", "calendar", "calendar_dates", "stop_times", "routes", "frequencies"])
def test_how_a_member_is_written_changes_nothing(tmp_path, member, spoil):
    feed = {
        **{name.removesuffix(".txt"): text for name, text in FEED.items()},
        "calendar_dates": "service_id,date,exception_type\nweekday,20260601,2\nweekday,20260607,1\n",
        "frequencies": "trip_id,start_time,end_time,headway_secs\nT2,08:00:00,10:00:00,1800\n",
    }
    plain = read_gtfs(write(tmp_path, **feed), week_start_on=MONDAY)
    odd = read_gtfs(write(tmp_path, **{**feed, member: spoil(feed[member])}), week_start_on=MONDAY)
    pd.testing.assert_frame_equal(odd.calls, plain.calls)
    pd.testing.assert_frame_equal(odd.departures, plain.departures)
    assert [(a.n_read, a.n_accepted, a.n_by_reason) for a in odd.accounts] == [
        (a.n_read, a.n_accepted, a.n_by_reason) for a in plain.accounts
    ]


@pytest.mark.parametrize("column", range(7))
@pytest.mark.parametrize("junk", ["\u00e9~", "99:99:99", "-1", "x,y"])
def test_one_field_spoilt_is_accounted_for_or_changes_nothing(tmp_path, column, junk):
    """Times are never changed in silence: a call or its trip is set aside, or all is as it was."""
    plain = read_gtfs(write(tmp_path), week_start_on=MONDAY)
    row = 1 + column % 6
    lines = [line.split(",") for line in FEED["stop_times.txt"].splitlines()]
    lines[row][column] = junk
    odd = read_gtfs(
        write(tmp_path, stop_times="\n".join(",".join(line) for line in lines) + "\n"), week_start_on=MONDAY
    )
    times = [
        set(map(tuple, r.calls.fillna(-1.0)[["station_id", "arrival_min", "departure_min"]].to_numpy().tolist()))
        for r in (plain, odd)
    ]
    told = account_of(odd, "stop_times")
    assert told.n_read == 7
    is_told = told.n_by_reason != account_of(plain, "stop_times").n_by_reason
    is_named_otherwise = column == 3
    is_order_or_flag = column >= 4
    assert is_told or is_named_otherwise or is_order_or_flag or times[0] == times[1]


def test_a_trip_whose_times_run_back_is_set_aside_whole(tmp_path):
    """00:10 written for 24:10, ten hours late, and a departure before its arrival."""
    for late in ("00:30:00,00:30:00", "35:30:00,35:30:00", "25:30:00,25:20:00"):
        times = FEED["stop_times.txt"].replace("25:30:00,", late)
        times = times.replace(f"{late},C", f"{late},C") if late in times else times
        reading = read_gtfs(write(tmp_path, stop_times=times.replace(",,C", ",C")), week_start_on=MONDAY)
        assert account_of(reading, "trips").n_by_reason == (("quarantined", "bad_times", 1),)
        assert set(reading.calls["station_id"]) == {"A", "B", "C"}
        assert len(reading.calls) == 3


def test_platforms_fold_into_stations_by_code_parent_and_gazetteer(tmp_path):
    stops = (
        "stop_id,stop_code,stop_name,parent_station\nA,,Platform 1,PA\nPA,AAA,A,\nB,bus,B,PB\nPB,,B,BBB\n"
        "BBB,,B,\nC,CCC,C,\nX,,X,\nZ,ZZZ,Z,\n"
    )
    reading = read_gtfs(write(tmp_path, stops=stops), week_start_on=MONDAY)
    assert set(reading.calls["station_id"]) == {"AAA", "BBB", "CCC"}
    told = account_of(reading, "stops")
    assert told.n_read == 8
    assert told.n_by_reason == (("out_of_scope", "no_station_code", 1), ("out_of_scope", "not_called_at", 4))
    gazetteer = stops.replace("C,CCC,C,", "9100YORK,,C,").replace("X,,X,\n", "")
    times = FEED["stop_times.txt"].replace(",C,", ",9100YORK,")
    reading = read_gtfs(
        write(tmp_path, stops=gazetteer, stop_times=times),
        week_start_on=MONDAY,
        station_of_stop=pd.Series({"YORK": "YRK"}),
    )
    assert set(reading.calls["station_id"]) == {"AAA", "BBB", "YRK"}


def test_a_national_feed_is_cut_to_the_region(tmp_path):
    more = FEED["stop_times.txt"] + "T3,08:00:00,08:00:00,D,1,0,0\nT3,08:20:00,08:20:00,E,2,0,0\n"
    trips = FEED["trips.txt"] + "R,weekday,T3\n"
    reading = read_gtfs(write(tmp_path, trips=trips, stop_times=more), week_start_on=MONDAY, near={"A"})
    assert set(reading.calls["station_id"]) == {"A", "B", "C"}
    assert ("out_of_scope", "elsewhere", 1) in account_of(reading, "trips").n_by_reason
    assert ("out_of_scope", "elsewhere", 2) in account_of(reading, "stop_times").n_by_reason


def test_calls_read_in_pieces_are_the_same_calls(tmp_path, monkeypatch):
    whole = read_gtfs(write(tmp_path), week_start_on=MONDAY)
    times = FEED["stop_times.txt"] + "T9,08:00:00,08:00:00,A,1,0,0\n"
    monkeypatch.setattr("geo.sources.gtfs._PIECE_BYTES", 40)
    pieces = read_gtfs(write(tmp_path, stop_times=times), week_start_on=MONDAY)
    pd.testing.assert_frame_equal(pieces.calls, whole.calls)
    assert pieces.quarantine["source_row"].tolist() == [9]


def weeks(**changes):
    """A feed of half a year in which one service runs by day, save where changed."""
    return {"calendar": FEED["calendar.txt"].replace("1,1,0,0,0,0,0", "1,1,1,1,1,0,0"), **changes}


def test_an_odd_week_is_said(tmp_path):
    usual = read_gtfs(write(tmp_path, **weeks()), week_start_on=MONDAY)
    assert account_of(usual, "trips").warnings == ()
    holiday = "service_id,date,exception_type\nweekday,20260601,2\n"
    told = account_of(read_gtfs(write(tmp_path, **weeks(calendar_dates=holiday)), week_start_on=MONDAY), "trips")
    assert "has 80% of the trips of the feed's middle week" in told.warnings[0]
    assert "fewer trips than usual run on Monday" in told.warnings[1]


def test_a_week_outside_the_feed_is_refused_with_the_nearest_it_holds(tmp_path):
    with pytest.raises(
        InputError, match=r"feed.zip: the week of 2027-06-07 is outside the feed, .* to 2026-12-21, the"
    ):
        read_gtfs(write(tmp_path, **weeks()), week_start_on=date(2027, 6, 7))
    with pytest.raises(
        InputError, match=r"feed.zip: the week of 2025-06-02 is outside the feed, .* to 2026-01-05, the"
    ):
        read_gtfs(write(tmp_path, **weeks()), week_start_on=date(2025, 6, 2))


def test_a_bank_holiday_is_a_caveat_and_a_warning(tmp_path):
    reading = read_gtfs(write(tmp_path, **weeks()), week_start_on=date(2026, 5, 25))
    assert reading.caveats[0].startswith("the week of 2026-05-25 holds a bank holiday (2026-05-25 spring)")
    assert account_of(reading, "trips").warnings == tuple(f"{text}." for text in reading.caveats)


STOPS = (
    "stop_id,stop_code,stop_name,parent_station,stop_lat,stop_lon\n"
    "A1,,A platform 1,AAA,53.9,-1.1\nAAA,AAA,A town,,53.9583,-1.0931\nB,BBB,B town,,{b}\nC,CCC,,,0,0\n"
)


def test_the_stations_of_a_feed_have_their_own_name_and_place(tmp_path):
    times = FEED["stop_times.txt"].replace(",A,", ",A1,")
    reading = read_gtfs(write(tmp_path, stops=STOPS.format(b="54.0,-1.5"), stop_times=times), week_start_on=MONDAY)
    assert reading.stops["name"].tolist()[:2] == ["A town", "B town"]
    assert reading.stops["name"].isna().tolist() == [False, False, True]
    assert reading.stops.loc["AAA", "easting_m"] == pytest.approx(459_600, abs=100)
    assert reading.stops.loc["AAA", "northing_m"] == pytest.approx(451_700, abs=100)
    # Null island is no place.
    assert reading.stops.loc["CCC", ["easting_m", "northing_m"]].isna().all()


@pytest.mark.parametrize("place", ["-1.5,54.0", ",", "54.0,", "x,-1.5", "48.8,2.3", "430000,455000"])
def test_a_place_that_cannot_be_is_none(tmp_path, place):
    reading = read_gtfs(write(tmp_path, stops=STOPS.format(b=place)), week_start_on=MONDAY)
    assert reading.stops.loc["BBB", ["easting_m", "northing_m"]].isna().all()
    assert "BBB" in set(reading.calls["station_id"])


def test_a_feed_without_codes_has_its_stops_as_stations(tmp_path):
    stops = "stop_id,stop_name,stop_lat,stop_lon\nA,A town,53.9583,-1.0931\n"
    reading = read_gtfs(write(tmp_path, stops=stops), week_start_on=MONDAY)
    assert reading.stops["name"].to_dict() == {"A": "A town"}
    assert read_gtfs(write(tmp_path), week_start_on=MONDAY).stops.empty


def test_trains_at_a_station_of_the_region_that_no_list_has_are_near(tmp_path):
    path = write(tmp_path, stops=STOPS.format(b="54.0,-1.5").replace("A1,", "A,").replace("AAA,AAA", "PAR,AAA"))
    box = (430_000.0, 455_000.0, 440_000.0, 460_000.0)
    assert read_gtfs(path, week_start_on=MONDAY, near={"ZZZ"}).calls.empty
    assert not read_gtfs(path, week_start_on=MONDAY, near={"ZZZ"}, bounds=box).calls.empty


def test_stops_are_named_by_the_given_codes(tmp_path):
    codes = pd.Series({"A": "AAA", "C": "CCC"})
    reading = read_gtfs(write(tmp_path), week_start_on=MONDAY, station_of_stop=codes)
    assert set(reading.calls["station_id"]) == {"AAA", "CCC"}
    assert ("out_of_scope", "other_stop", 2) in reading.accounts[1].n_by_reason


def test_a_missing_member_and_a_missing_column_are_named(tmp_path):
    with pytest.raises(InputError, match=r"feed.zip: member 'stop_times.txt' is missing"):
        read_gtfs(write(tmp_path, stop_times=None), week_start_on=MONDAY)
    with pytest.raises(InputError, match=r"feed.zip:trips.txt: column 'service_id' is missing"):
        read_gtfs(write(tmp_path, trips="trip_id,route_id\n"), week_start_on=MONDAY)
    with pytest.raises(InputError, match=r"feed.zip:trips.txt: "):
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
    first = {row["trip_id"]: row["departure_time"] for row in reversed(rows["stop_times"])}
    minutes = sum(int(first[r["trip_id"]][3:5]) * days[r["service_id"]] for r in rows["trips"] if r["trip_id"] in first)
    assert (reading.departures["n_departures"] * reading.departures["start_min"]).sum() == pytest.approx(minutes)
    assert [a.n_accepted for a in reading.accounts[:2]] == [len(rows["trips"]), len(rows["stop_times"])]


@pytest.mark.parametrize(
    "routes",
    [
        "route_id,route_type\nR,2\nB,714\n",
        "route_id,route_type,route_long_name\nR,2,Main line\nB,3,Rail Replacement to C\n",
        "route_id,route_type,route_desc\nR,2,\nB,2,replacement bus\n",
    ],
    ids=["its type", "its name", "its description, as a train"],
)
def test_buses_for_trains_are_counted_by_station_and_are_no_trains(tmp_path, routes):
    path = write(tmp_path, routes=routes)
    for route_types in (frozenset({2}), None):
        reading = read_gtfs(path, week_start_on=MONDAY, route_types=route_types)
        assert hours(reading) == {24: 1.0, 48: 1.0}
        assert reading.replacements.to_dict() == {"A": 2.0, "B": 2.0}
        assert account_of(reading, "trips").n_by_reason == (("out_of_scope", "rail_replacement_bus", 1),)
        assert ("out_of_scope", "rail_replacement_bus", 3) in account_of(reading, "stop_times").n_by_reason


def test_a_repeated_bus_for_a_train_counts_as_often_as_it_runs(tmp_path):
    table = "trip_id,start_time,end_time,headway_secs\nT2,08:00:00,10:00:00,1800\n"
    path = write(tmp_path, frequencies=table, routes="route_id,route_type\nR,2\nB,714\n")
    reading = read_gtfs(path, week_start_on=MONDAY, route_types=frozenset({2}))
    assert reading.replacements.to_dict() == {"A": 8.0, "B": 8.0}


def test_an_ordinary_bus_is_none_for_a_train(tmp_path):
    assert read_gtfs(write(tmp_path), week_start_on=MONDAY, route_types=frozenset({2})).replacements.empty


def test_every_member_has_an_account(tmp_path):
    reading = read_gtfs(write(tmp_path, shapes="shape_id\n1\n2\n", feed_info="a\nb\n"), week_start_on=MONDAY)
    with zipfile.ZipFile(tmp_path / "feed.zip") as feed:
        assert {a.source_file for a in reading.accounts} == {f"feed.zip:{name}" for name in feed.namelist()}
    assert account_of(reading, "shapes").n_by_reason == (("out_of_scope", "not_used", 2),)


def test_times_that_the_feed_does_not_say_are_counted(tmp_path):
    told = account_of(read_gtfs(write(tmp_path), week_start_on=MONDAY), "stop_times").warnings
    assert told == (
        "1 calls have one time of two, which is taken for both.",
        "1 calls have no time, and theirs is taken evenly between the calls around them.",
    )


def test_calls_in_one_direction_only_are_calls_and_counted(tmp_path):
    times = FEED["stop_times.txt"].replace("B,2,0,0", "B,2,0,1", 1).replace("A,1,0,0", "A,1,0,1")
    reading = read_gtfs(write(tmp_path, stop_times=times), week_start_on=MONDAY, route_types=frozenset({2}))
    assert reading.calls["station_id"].tolist() == ["A", "B", "C"]
    told = "1 calls are to take up or to set down only, and count as calls for both."
    assert told in account_of(reading, "stop_times").warnings


@pytest.mark.parametrize("headway", ["1e3", "99999999", "0", "-60", "", "30.5"])
def test_a_headway_that_is_none_sets_its_trip_aside(tmp_path, headway):
    rows = f"trip_id,start_time,end_time,headway_secs\nT2,08:00:00,10:00:00,{headway}\n"
    reading = read_gtfs(write(tmp_path, frequencies=rows), week_start_on=MONDAY)
    assert account_of(reading, "frequencies").n_by_reason == (("quarantined", "bad_headway", 1),)


@pytest.mark.parametrize("order", [("1", "2"), ("2", "1")])
def test_a_day_both_added_and_removed_is_at_fault_and_the_calendar_decides(tmp_path, order):
    dates = "service_id,date,exception_type\n" + "".join(f"weekday,20260601,{kind}\n" for kind in order)
    reading = read_gtfs(write(tmp_path, calendar_dates=dates), week_start_on=MONDAY)
    assert account_of(reading, "calendar_dates").n_by_reason == (("quarantined", "contradictory_exception", 2),)
    plain = read_gtfs(write(tmp_path), week_start_on=MONDAY)
    assert hours(reading) == hours(plain)


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_call_written_twice_counts_once(tmp_path, at):
    lines = FEED["stop_times.txt"].splitlines()
    plain = read_gtfs(write(tmp_path), week_start_on=MONDAY)
    twice = "\n".join([*lines[: at + 1], lines[at], *lines[at + 1 :]]) + "\n"
    reading = read_gtfs(write(tmp_path, stop_times=twice), week_start_on=MONDAY)
    pd.testing.assert_frame_equal(reading.calls, plain.calls)
    assert ("out_of_scope", "same_row_again", 1) in account_of(reading, "stop_times").n_by_reason


def test_tabs_around_a_value_are_no_part_of_it(tmp_path):
    trips = FEED["trips.txt"].replace("weekday,T1", "weekday\t,T1")
    assert hours(read_gtfs(write(tmp_path, trips=trips), week_start_on=MONDAY)) == hours(
        read_gtfs(write(tmp_path), week_start_on=MONDAY)
    )
