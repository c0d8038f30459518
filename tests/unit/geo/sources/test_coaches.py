"""Coaches and buses from GTFS: stops put together, and every row accounted for."""

import time
import zipfile
from datetime import date

import numpy as np
import pandas as pd
import pytest

from geo.crs import to_metric_arrays
from geo.errors import InputError, UsageError
from geo.sources.coaches import COACH_ROUTES, fold_stops, read_coaches

MONDAY = date(2026, 6, 1)
DAYS = "monday,tuesday,wednesday,thursday,friday,saturday,sunday"
FEED = {
    "routes.txt": "route_id,route_type\nC,200\nB,3\nR,2\n",
    "trips.txt": "route_id,service_id,trip_id\nC,D,T1\nB,D,T2\nR,D,T3\n",
    "calendar.txt": f"service_id,{DAYS},start_date,end_date\nD,1,1,1,1,1,1,1,20260101,20261231\n",
    "stops.txt": "stop_id,stop_name,stop_lat,stop_lon,parent_station\n"
    "a1,Bay 1,53.9600,-1.0800,\na2,Bay 2,53.9603,-1.0800,\nb,Road,53.9700,-1.0800,\nc1,Stand A,53.8000,-1.5500,C\n"
    "c2,Stand B,53.8030,-1.5500,C\nC,Bus Station,53.8010,-1.5500,\nx,Lost,,,\nABC,Code,53.9000,-1.2000,\n",
    "stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
    "T1,09:00:00,09:00:00,a1,1\nT1,09:02:00,09:03:00,a2,2\nT1,09:10:00,09:10:00,b,3\nT1,10:00:00,10:00:00,c1,4\n"
    "T2,12:00:00,12:00:00,c2,1\nT2,12:20:00,12:20:00,ABC,2\nT2,12:30:00,12:30:00,x,3\n"
    "T3,08:00:00,08:00:00,a1,1\nT3,08:30:00,08:30:00,b,2\n",
}


def write(tmp_path, name="feed.zip", **changes):
    path = tmp_path / name
    with zipfile.ZipFile(path, "w") as feed:
        for member, text in {**FEED, **{f"{k}.txt": v for k, v in changes.items()}}.items():
            feed.writestr(member, text)
    return path


def stops(rows):
    """Feed, stop, parent, metres east."""
    return pd.DataFrame(
        {
            "name": [f"name of {row[1]}" for row in rows],
            "parent": [row[2] for row in rows],
            "easting_m": [400_000.0 + row[3] for row in rows],
            "northing_m": 300_000.0,
        },
        index=pd.MultiIndex.from_tuples([row[:2] for row in rows]),
    )


def test_bays_gather_around_their_middle_and_a_street_is_no_chain():
    table, station = fold_stops(stops([(0, f"s{k}", "", 100.0 * k) for k in range(7)]), cluster_m=150)
    # s1 is the first of those with two others near, s3 the first of those that it leaves.
    assert station.tolist() == ["coach-s1"] * 3 + ["coach-s3"] * 2 + ["coach-s5"] * 2
    assert table.index.tolist() == ["coach-s1", "coach-s3", "coach-s5"]
    assert table.loc["coach-s3", ["name", "easting_m"]].tolist() == ["name of s3", 400_300.0]


def test_no_stop_is_farther_from_its_leader_than_stated():
    rng = np.random.default_rng(5)
    rows = stops([(0, f"s{k:03d}", "", 0.0) for k in range(300)])
    rows["easting_m"] += rng.uniform(0, 2_000, 300)
    rows["northing_m"] += rng.uniform(0, 2_000, 300)
    table, station = fold_stops(rows)
    led = table.loc[station.to_numpy(), ["easting_m", "northing_m"]].to_numpy()
    away_m = np.hypot(*(rows.loc[station.index, ["easting_m", "northing_m"]].to_numpy() - led).T)
    assert away_m.max() <= 150
    shuffled = fold_stops(rows.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(shuffled[0], table)
    pd.testing.assert_series_equal(shuffled[1], station)


def test_stops_of_a_parent_are_one_at_their_mean_and_bear_its_name():
    rows = [(0, "a", "P", 0.0), (0, "b", "P", 400.0), (0, "P", "", 500.0), (0, "q", "", 2_000.0)]
    table, station = fold_stops(stops(rows))
    assert station.to_dict() == {(0, "P"): "coach-P", (0, "a"): "coach-P", (0, "b"): "coach-P", (0, "q"): "coach-q"}
    assert table.loc["coach-P", ["name", "easting_m"]].tolist() == ["name of P", 400_300.0]


def test_a_stop_without_a_position_is_left_out_unless_others_of_its_parent_have_one():
    rows = stops([(0, "a", "P", 0.0), (0, "P", "", 0.0), (0, "x", "", 0.0)])
    rows.loc[[(0, "P"), (0, "x")], ["easting_m", "northing_m"]] = np.nan
    assert fold_stops(rows)[1].to_dict() == {(0, "P"): "coach-P", (0, "a"): "coach-P"}


def test_one_id_in_two_feeds_is_one_stop_only_where_it_is_one_place():
    table, station = fold_stops(
        stops([(0, "1", "", 0.0), (1, "1", "", 50.0), (1, "2", "", 900.0), (0, "2", "", 5_000.0)])
    )
    assert station.to_dict() == {(0, "1"): "coach-1", (0, "2"): "coach-2", (1, "1"): "coach-1", (1, "2"): "coach-2-2"}
    assert table.index.is_unique


@pytest.mark.parametrize("cluster_m", [0.0, -1.0, float("nan")])
def test_a_distance_that_puts_nothing_together_is_refused(cluster_m):
    with pytest.raises(
        UsageError, match=r"cluster_m: is .*, expected metres above 0. Set coaches.stop_cluster_m to 150."
    ):
        fold_stops(stops([(0, "a", "", 0.0)]), cluster_m=cluster_m)


def test_coaches_and_buses_are_read_and_trains_are_not(tmp_path):
    reading = read_coaches([write(tmp_path)], week_start_on=MONDAY)
    assert {2, 100, 400, 900}.isdisjoint(COACH_ROUTES)
    assert {3, 200, 702, 704}.issubset(COACH_ROUTES)
    assert reading.departures["n_departures"].sum() == 14
    by_pattern = reading.calls.groupby("pattern_id")["station_id"].agg(list).tolist()
    # The two bays, one after the other, are one call; the stop without a position is none.
    assert by_pattern == [["coach-C", "coach-ABC"], ["coach-a1", "coach-b", "coach-C"]]
    first = reading.calls[reading.calls["station_id"] == "coach-a1"].iloc[0]
    assert (np.isnan(first["arrival_min"]), first["departure_min"], first["call_no"]) == (True, 3.0, 0)
    assert reading.calls["call_no"].tolist() == [0, 1, 0, 1, 2]
    east_m, _ = to_metric_arrays(np.array([-1.08]), np.array([53.96]))
    assert reading.stops.loc["coach-a1", "easting_m"] == pytest.approx(float(east_m[0]))
    assert reading.stops.loc["coach-C", "name"] == "Bus Station"
    assert reading.stops["is_in_force"].all()


def test_every_row_is_accounted_for_and_lost_positions_are_told(tmp_path):
    accounts = {a.source_file.split(":")[1]: a for a in read_coaches([write(tmp_path)], week_start_on=MONDAY).accounts}
    assert set(accounts) == set(FEED)
    assert all(a.n_read == a.n_accepted + sum(n for *_, n in a.n_by_reason) for a in accounts.values())
    assert accounts["trips.txt"].n_by_reason == (("out_of_scope", "other_route_type", 1),)
    assert accounts["stop_times.txt"].n_by_reason == (
        ("out_of_scope", "other_stop", 1),
        ("out_of_scope", "trip_not_used", 2),
    )
    assert accounts["trips.txt"].warnings == (
        "1 of 8 stops have no position; calls there are left out unless their station has one",
    )


def test_coaches_that_call_at_no_stop_of_the_region_are_out_of_scope(tmp_path):
    reading = read_coaches([write(tmp_path)], week_start_on=MONDAY, near=lambda _: ["coach-a1", "coach-b"])
    assert reading.stops.index.tolist() == ["coach-a1", "coach-b"]
    assert len(reading.calls["pattern_id"].unique()) == 1
    trips = reading.accounts[0]
    assert ("out_of_scope", "elsewhere", 1) in trips.n_by_reason


def test_a_night_coach_may_run_for_ten_hours_without_a_call(tmp_path):
    times = "trip_id,arrival_time,departure_time,stop_id,stop_sequence\nT1,21:00:00,21:00:00,a1,1\nT1,{},{},c1,2\n"
    late = [times.format(text, text) for text in ("31:00:00", "34:00:00")]
    kept, refused = (
        read_coaches([write(tmp_path, stop_times=text)], week_start_on=MONDAY).accounts[0] for text in late
    )
    assert ("quarantined", "bad_times", 1) not in kept.n_by_reason
    assert ("quarantined", "bad_times", 1) in refused.n_by_reason


def test_two_feeds_are_one_network(tmp_path):
    other = FEED["stops.txt"].replace("a1,Bay 1", "z9,Bay 1").replace("a1", "z9")
    again = write(tmp_path, "again.zip", stops=other, stop_times=FEED["stop_times.txt"].replace(",a1,", ",z9,"))
    both = read_coaches([write(tmp_path), again], week_start_on=MONDAY)
    one = read_coaches([write(tmp_path)], week_start_on=MONDAY)
    assert both.stops.shape == one.stops.shape
    assert both.departures["n_departures"].sum() == 2 * one.departures["n_departures"].sum()
    assert both.calls.index.is_unique
    assert both.departures.index.is_unique
    turned = read_coaches([again, write(tmp_path)], week_start_on=MONDAY)
    pd.testing.assert_frame_equal(turned.calls, both.calls)


def test_a_feed_without_a_position_is_refused(tmp_path):
    text = "stop_id,stop_name,stop_lat,stop_lon\na1,Bay 1,,\nb,Road,x,y\n"
    with pytest.raises(InputError) as caught:
        read_coaches([write(tmp_path, stops=text)], week_start_on=MONDAY)
    assert str(caught.value) == (
        "feed.zip:stops.txt: none of 2 stops has a position, expected stop_lat and stop_lon in degrees. "
        "Fetch the feed again."
    )


@pytest.mark.real
def test_the_buses_of_newport_are_read_with_every_row(real_data):
    path = real_data / "timetable" / "newport-20230613_gtfs.zip"
    if not path.is_file():
        pytest.skip(f"real input file is absent: {path.name!r}")
    start = time.perf_counter()
    reading = read_coaches([path], week_start_on=date(2023, 6, 19))
    assert time.perf_counter() - start < 10
    rows = {a.source_file.split(":")[1]: (a.n_read, a.n_accepted, a.n_by_reason) for a in reading.accounts}
    assert rows == {
        "trips.txt": (176, 176, ()),
        "stop_times.txt": (7765, 7765, ()),
        "routes.txt": (16, 16, ()),
        "calendar.txt": (22, 22, ()),
        "stops.txt": (2686, 655, (("out_of_scope", "not_called_at", 2031),)),
        "agency.txt": (4, 0, (("out_of_scope", "not_used", 4),)),
        "feed_info.txt": (1, 0, (("out_of_scope", "not_used", 1),)),
        "shapes.txt": (29919, 0, (("out_of_scope", "not_used", 29919),)),
    }
    assert reading.quarantine.empty
    assert len(reading.stops) == 326
    assert reading.departures["n_departures"].sum() == 1034


def test_the_order_of_rows_changes_nothing(tmp_path):
    def turned(text):
        header, *rows = text.strip().split("\n")
        return "\n".join([header, *rows[::-1]]) + "\n"

    plain = read_coaches([write(tmp_path)], week_start_on=MONDAY)
    other = read_coaches(
        [write(tmp_path, "turned.zip", **{k.removesuffix(".txt"): turned(v) for k, v in FEED.items()})],
        week_start_on=MONDAY,
    )
    for name in ("stops", "calls", "departures"):
        pd.testing.assert_frame_equal(getattr(other, name), getattr(plain, name))
