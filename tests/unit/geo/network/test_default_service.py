"""Trains where no timetable says: what passengers do makes them, and laws hold whatever that is."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString

from geo.network.default_demand import measure_rail_demand
from geo.network.default_lines import choose_lines, measure_call_chance
from geo.network.default_service import estimate_service
from geo.schema import empty
from geo.tables import PASSENGER_FLOWS

YEAR = 365.0


def links_of(*rows):
    """Links as pairs of stations and kilometres."""
    return gpd.GeoDataFrame(
        {
            "from_station_id": pd.array([min(a, b) for a, b, _ in rows], dtype="str"),
            "to_station_id": pd.array([max(a, b) for a, b, _ in rows], dtype="str"),
            "length_m": [1000.0 * km for *_, km in rows],
            "time_min": [1.0 + km * 60 / 82 for *_, km in rows],
            "time_basis": pd.array(["assumed_speed"] * len(rows), dtype="str"),
            "repaired_m": 0.0,
        },
        geometry=[LineString([(0, 0), (1000 * km, 0)]) for *_, km in rows],
        crs="EPSG:27700",
        index=pd.Index([f"{min(a, b)}-{max(a, b)}" for a, b, _ in rows], name="link_id", dtype="str"),
    )


def flows_of(*rows):
    """Journeys a day each way between two stations."""
    both = [(a, b, n) for a, b, n in rows] + [(b, a, n) for a, b, n in rows]
    return pd.DataFrame(
        {
            "origin_station_id": pd.array([a for a, *_ in both], dtype="str"),
            "destination_station_id": pd.array([b for _, b, _ in both], dtype="str"),
            "n_journeys_per_year": [n * YEAR for *_, n in both],
        },
        index=pd.Index([f"{a}>{b}" for a, b, _ in both], name="flow_id", dtype="str"),
    )


# A town at each end, a halt in the middle of each stretch, a junction with a branch, and track that nobody uses.
LINE = links_of(
    ("AAA", "HHH", 12),
    ("HHH", "JJJ", 11),
    ("JJJ", "III", 14),
    ("III", "ZZZ", 13),
    ("JJJ", "BBB", 9),
    ("ZZZ", "XXX", 20),
)
USE = [
    ("AAA", "ZZZ", 2000), ("AAA", "JJJ", 900), ("JJJ", "ZZZ", 800), ("AAA", "HHH", 15), ("III", "ZZZ", 12),
    ("AAA", "BBB", 60), ("BBB", "JJJ", 90),
]  # fmt: skip


def called_by(calls, pattern):
    return calls[calls["pattern_id"] == pattern]["station_id"].tolist()


def trains_per_day(calls, departures):
    return departures.groupby("pattern_id")["n_departures"].sum().reindex(calls["pattern_id"].unique()) / 7.0


def direct_trains(calls, departures, a, b):
    n = trains_per_day(calls, departures)
    stations = calls.groupby("pattern_id")["station_id"].agg(list)
    return sum(n[p] for p, s in stations.items() if a in s and b in s and s.index(a) < s.index(b))


def test_fast_trains_pass_a_halt_and_slow_ones_call():
    calls, departures = estimate_service(LINE, flows_of(*USE))
    stops = {tuple(called_by(calls, p)) for p in calls["pattern_id"].unique()}
    ends = [s for s in stops if s[0] == "AAA" and s[-1] == "ZZZ"]
    assert ("AAA", "JJJ", "ZZZ") in ends
    assert any("HHH" in s for s in stops)
    assert any("III" in s for s in stops)
    halt = sum(n for p, n in trains_per_day(calls, departures).items() if "HHH" in called_by(calls, p))
    town = sum(n for p, n in trains_per_day(calls, departures).items() if "JJJ" in called_by(calls, p))
    assert 0 < halt < town / 2


def test_every_station_that_passengers_use_has_a_train_and_no_other():
    calls, _ = estimate_service(LINE, flows_of(*USE))
    assert set(calls["station_id"]) == {"AAA", "HHH", "JJJ", "III", "ZZZ", "BBB"}


def test_trains_run_both_ways_alike():
    calls, departures = estimate_service(LINE, flows_of(*USE))
    n = trains_per_day(calls, departures)
    there = sorted((tuple(called_by(calls, p)), n[p]) for p in n.index)
    back = sorted((tuple(called_by(calls, p)[::-1]), n[p]) for p in n.index)
    assert [stops for stops, _ in there] == [stops for stops, _ in back]
    # Starts are drawn one by one: a day may have a train more in one direction.
    assert [of_day for _, of_day in there] == pytest.approx([of_day for _, of_day in back], abs=1.0)
    rides = (
        calls.groupby("pattern_id")["arrival_min"]
        .max()
        .groupby(calls.groupby("pattern_id")["station_id"].agg(set).map(sorted).map(tuple))
        .agg(["min", "max"])
    )
    assert rides["min"].to_numpy() == pytest.approx(rides["max"].to_numpy())


@pytest.mark.filterwarnings("error")
def test_two_stations_on_one_spot_have_trains_with_minutes():
    calls, departures = estimate_service(
        links_of(("AAA", "BBB", 0.0), ("BBB", "CCC", 10)), flows_of(("AAA", "CCC", 500))
    )
    assert len(departures)
    assert np.isfinite(calls[["arrival_min", "departure_min"]].max(axis=1)).all()


def test_the_order_of_rows_changes_no_byte():
    shuffled = flows_of(*USE).sample(frac=1, random_state=3)
    one = estimate_service(LINE, flows_of(*USE))
    two = estimate_service(LINE.iloc[::-1], shuffled)
    for left, right in zip(one, two, strict=True):
        pd.testing.assert_frame_equal(left, right, check_exact=True)


def test_where_nobody_travels_no_train_runs():
    for table in estimate_service(LINE, empty(PASSENGER_FLOWS)):
        assert table.empty


def test_passengers_between_stations_without_a_way_are_left_out():
    apart = pd.concat([LINE, links_of(("PPP", "QQQ", 5))])
    calls, _ = estimate_service(apart, flows_of(*USE, ("AAA", "QQQ", 500), ("PPP", "QQQ", 80)))
    for pattern in calls["pattern_id"].unique():
        assert len({"PPP", "QQQ"} & set(called_by(calls, pattern))) in (0, 2)


@settings(max_examples=25, deadline=None)
@given(st.integers(61, 3000))
def test_more_passengers_between_two_stations_never_lose_them_their_train(more):
    before = direct_trains(*estimate_service(LINE, flows_of(*USE)), "AAA", "BBB")
    others = [row for row in USE if row[:2] != ("AAA", "BBB")]
    after = direct_trains(*estimate_service(LINE, flows_of(*others, ("AAA", "BBB", more))), "AAA", "BBB")
    assert before > 0
    assert after > 0


def test_calls_follow_track_and_time():
    calls, departures = estimate_service(LINE, flows_of(*USE))
    rows = calls.sort_values(["pattern_id", "call_no"])
    onward = rows.groupby("pattern_id")["arrival_min"].shift(-1) - rows["departure_min"]
    assert (onward.dropna() > 1.0).all()
    stand = (rows["departure_min"] - rows["arrival_min"]).dropna()
    assert (stand >= 0.3).all()
    assert departures["hour_of_week"].between(0, 167).all()
    # Nobody starts by night.
    assert (departures["hour_of_week"] % 24 >= 5).all()


def test_trains_over_a_link_follow_its_passengers():
    """The line's target: exp(0.733) f^0.467 both ways, as far as lines of whole ends can meet it."""
    demand = measure_rail_demand(LINE, flows_of(*USE))
    lines = choose_lines(demand)
    link = demand.link_of[demand.station_ids.index("AAA"), demand.station_ids.index("HHH")]
    runs = sum(line.trains_per_day for line in lines if link in demand.link_of[line.stations[:-1], line.stations[1:]])
    target = 0.5 * np.exp(0.733) * demand.link_flow[link] ** 0.467
    assert demand.link_flow[link] == pytest.approx(2 * (2000 + 900 + 15 + 60))
    assert runs == pytest.approx(target, rel=0.35)


def test_a_station_that_few_use_is_called_at_less_the_more_ride_past():
    few, many = (measure_rail_demand(LINE, flows_of(*USE[1:], ("AAA", "ZZZ", n))) for n in (20, 20_000))
    at = [few.station_ids.index(s) for s in ("AAA", "HHH", "JJJ", "III", "ZZZ")]
    way = np.array(at, dtype=np.int32)
    chance = [measure_call_chance(demand, way)[1] for demand in (few, many)]
    assert chance[1] < chance[0]
    assert measure_call_chance(few, way)[[0, -1]].tolist() == [1.0, 1.0]
