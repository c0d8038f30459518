"""First and last trains of a station, and the last by which one comes home: by hand, and against every way there is."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.network.station_trains import measure_station_trains

DAY = 1440


def timetable(*trains, keep_minutes=True):
    """
    Tables of trains given as days, start in minutes after midnight, and calls ``station, arrival, departure``.

    Minutes of calls count from the start, as in the tables.
    """
    calls, starts = [], []
    for k, (days, start_min, stops) in enumerate(trains):
        for n, (station, arrival, departure) in enumerate(stops):
            calls.append((f"P{k}", n, station, arrival, departure))
        for day in days:
            hour, minute = divmod(day * DAY + start_min, 60)
            starts.append((f"P{k}", int(hour) % 168, float(minute), 1.0))
    calls = pd.DataFrame(calls, columns=["pattern_id", "call_no", "station_id", "arrival_min", "departure_min"])
    calls.index = pd.Index(calls["pattern_id"] + ":" + calls["call_no"].astype(str), name="call_id")
    calls = calls.astype({"arrival_min": float, "departure_min": float, "pattern_id": "str", "station_id": "str"})
    starts = pd.DataFrame(starts, columns=["pattern_id", "hour_of_week", "start_min", "n_departures"])
    starts.index = pd.Index([str(k) for k in range(len(starts))], name="departure_id")
    starts = starts.astype({"pattern_id": "str"})
    return calls, starts if keep_minutes else starts.drop(columns="start_min")


def hop(a, b, minutes=10):
    return [(a, None, 0.0), (b, float(minutes), None)]


def of(result, station, kind="weekday"):
    row = result.table.loc[f"{station}:{kind}"]
    return row["first_departure_min"], row["last_departure_min"]


def home(result, station, hub, kind="weekday"):
    return result.home.loc[f"{station}:{hub}:{kind}", "last_departure_min"]


WEEKDAYS = range(5)


def test_first_and_last_are_of_the_day_of_the_railway():
    tables = timetable((WEEKDAYS, 342, hop("A", "B")), (WEEKDAYS, 1390, hop("A", "B")), (WEEKDAYS, 5, hop("A", "B")))
    found = measure_station_trains(*tables, ["A", "B"])
    # The train at five past midnight is the last of the evening before.
    assert of(found, "A") == (342, DAY + 5)
    assert np.isnan(of(found, "B")).all(), "nothing leaves where every train ends"
    # That of Monday is Sunday's only train; Saturday has none.
    assert of(found, "A", "sunday") == (DAY + 5, DAY + 5)
    assert np.isnan(of(found, "A", "saturday")).all()
    # Friday's evening has no third.
    assert found.table.loc["A:weekday", "n_departures"] == pytest.approx(2.8)
    assert set(found.table["step_min"]) == {1.0}


def test_of_weekdays_the_time_is_told_that_most_share():
    tables = timetable(
        (WEEKDAYS, 600, hop("A", "B")),
        ([0, 1, 2], 1300, hop("A", "B")),
        ([3], 1310, hop("A", "B")),
        ([4], 1380, hop("A", "B")),
    )
    assert of(measure_station_trains(*tables, ["A"]), "A") == (600, 1300)


def test_a_train_on_one_weekday_is_not_the_weekdays():
    found = measure_station_trains(*timetable(([2], 600, hop("A", "B"))), ["A"], hubs=["B"])
    assert np.isnan(of(found, "A")).all()
    assert np.isnan(home(found, "A", "B"))
    assert found.table.loc["A:weekday", "n_departures"] == pytest.approx(0.2)


def test_the_last_way_home_is_direct_or_with_a_change_that_can_be_made():
    tables = timetable(
        (WEEKDAYS, 1200, hop("A", "H", 60)),
        (WEEKDAYS, 1260, hop("A", "B", 20)),
        (WEEKDAYS, 1320, hop("A", "B", 20)),
        (WEEKDAYS, 1286, hop("B", "H", 30)),
        (WEEKDAYS, 1344, hop("B", "H", 30)),
    )
    found = measure_station_trains(*tables, ["A", "B", "H"], hubs=["H"])
    # 22:20 from A comes to B at 22:40 + 5 minutes' change, too late for the 22:24 on; 21:20 makes the 21:26.
    assert home(found, "A", "H") == 1260
    assert home(found, "B", "H") == 1344
    quick = measure_station_trains(*tables, ["A"], hubs=["H"], interchange_min=pd.Series({"B": 4.0}))
    assert home(quick, "A", "H") == 1320
    assert "H:H:weekday" not in found.home.index


def test_who_stays_on_the_train_needs_no_change():
    through = [("A", None, 0.0), ("B", 20.0, 21.0), ("H", 40.0, None)]
    found = measure_station_trains(*timetable((WEEKDAYS, 1200, through)), ["A", "B"], hubs=["H"])
    assert (home(found, "A", "H"), home(found, "B", "H")) == (1200, 1221)


def test_a_train_that_comes_in_after_the_day_has_ended_is_no_way_home():
    tables = timetable((WEEKDAYS, 1430, hop("A", "H", 240)), (WEEKDAYS, 1320, hop("A", "H", 240)))
    assert home(measure_station_trains(*tables, ["A"], hubs=["H"]), "A", "H") == 1320


def test_where_only_hours_are_known_times_are_told_to_the_hour():
    rows = [(h, hop("A", "H", 90)) for h in (6, 9, 21)]
    tables = timetable(*[(WEEKDAYS, h * 60 + 17, stops) for h, stops in rows], keep_minutes=False)
    found = measure_station_trains(*tables, ["A"], hubs=["H"])
    assert of(found, "A") == (6 * 60, 21 * 60)
    assert home(found, "A", "H") == 21 * 60
    assert set(found.table["step_min"]) | set(found.home["step_min"]) == {60.0}


def test_parts_of_trains_are_put_where_as_many_are_expected_before_as_after():
    calls, _ = timetable((WEEKDAYS, 0, hop("A", "H")))
    hours = np.arange(5, 24)
    departures = pd.DataFrame(
        {
            "pattern_id": "P0",
            "hour_of_week": np.concatenate([24 * day + hours for day in range(7)]),
            "n_departures": 2.0 / len(hours),
        },
        index=pd.Index([str(k) for k in range(7 * len(hours))], name="departure_id"),
    ).astype({"pattern_id": "str"})
    found = measure_station_trains(calls, departures, ["A"])
    # Two trains over nineteen hours: after a quarter and three quarters of them.
    assert of(found, "A") == (9 * 60, 19 * 60)
    assert found.table["n_departures"].tolist() == pytest.approx([2.0, 2.0, 2.0])


def test_a_station_without_a_train_has_rows_without_times():
    found = measure_station_trains(*timetable((WEEKDAYS, 600, hop("A", "B"))), ["Z"], hubs=["B"])
    assert found.table["n_departures"].tolist() == [0.0, 0.0, 0.0]
    assert found.table[["first_departure_min", "last_departure_min"]].isna().all(axis=None)
    assert found.home["last_departure_min"].isna().all()


STOPS = st.lists(st.tuples(st.sampled_from("ABCH"), st.integers(1, 90)), min_size=2, max_size=4)
TRAINS = st.lists(st.tuples(st.integers(200, 1500), STOPS), min_size=1, max_size=8)


def _stops(parts):
    at, stops = 0, []
    for k, (station, minutes) in enumerate(parts):
        at += minutes if k else 0
        stops.append((station, None if k == 0 else float(at), None if k == len(parts) - 1 else float(at)))
    return stops


@given(TRAINS)
def test_the_last_way_home_is_that_of_a_search_forwards_from_every_departure(parts):
    trains = [(start, _stops(stops)) for start, stops in parts]
    tables = timetable(*[([2], start, stops) for start, stops in trains], keep_minutes=True)
    # One day of seven is enough, as a Sunday.
    tables[1]["hour_of_week"] = tables[1]["hour_of_week"] + 4 * 24
    tables[1]["hour_of_week"] %= 168
    found = measure_station_trains(*tables, ["A"], hubs=["H"], default_interchange_min=5.0)
    leaving = [
        (start + float(departure), k, n)
        for k, (start, stops) in enumerate(trains)
        for n, (station, _, departure) in enumerate(stops)
        if station == "A" and departure is not None and 180 <= start + departure < 180 + DAY
    ]
    ways = [at for at, k, n in leaving if _comes_home(trains, k, n)]
    expected = max(ways, default=np.nan)
    assert home(found, "A", "H", "sunday") == pytest.approx(expected, nan_ok=True)


def _comes_home(trains, k, n):
    """Whether somebody who boards train k at its call n can stand at H before the day ends."""
    open_ways, seen = [(k, n)], set()
    while open_ways:
        train, call = open_ways.pop()
        if (train, call) in seen:
            continue
        seen.add((train, call))
        start, stops = trains[train]
        for station, arrival, _ in stops[call + 1 :]:
            here = start + arrival
            if here > 180 + DAY:
                break
            if station == "H":
                return True
            open_ways += [
                (other, m)
                for other, (begin, calls) in enumerate(trains)
                for m, (at, _, departure) in enumerate(calls)
                if at == station and departure is not None and here + 5 <= begin + departure < 180 + DAY
            ]
    return False
