"""Times over the passenger graph against two plain searches: over the tables, and minute by minute over a timetable."""

import heapq

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import LineString

from geo.crs import METRIC
from geo.network.passenger import build_passenger_graph
from geo.network.station_times import measure_station_times

CODES = [f"S{k:02d}" for k in range(9)]
CHANGE_MIN = 4.0


def random_timetable(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    calls, departures = [], []
    for number in range(7):
        route, at = rng.choice(CODES, size=rng.integers(2, 6), replace=False), 0
        for k, code in enumerate(route):
            arrive = float(at) if k else np.nan
            at += int(rng.integers(0, 3)) if k else 0
            calls.append((f"P{number}", k, code, arrive, float(at) if k < len(route) - 1 else np.nan))
            at += int(rng.integers(2, 20))
        departures.append((f"P{number}", 8, float(rng.integers(1, 6))))
    call_table = pd.DataFrame(calls, columns=["pattern_id", "call_no", "station_id", "arrival_min", "departure_min"])
    departure_table = pd.DataFrame(departures, columns=["pattern_id", "hour_of_week", "n_departures"])
    return call_table.rename_axis("call_id"), departure_table.rename_axis("departure_id")


def links() -> gpd.GeoDataFrame:
    """One link far from every train of the test."""
    return gpd.GeoDataFrame(
        {
            "from_station_id": "YYY",
            "to_station_id": "ZZZ",
            "length_m": 1.0,
            "time_min": 1.0,
            "time_basis": "timetable",
            "repaired_m": 0.0,
        },
        geometry=[LineString([(0, 0), (1, 0)])],
        crs=METRIC,
        index=pd.Index(["YYY-ZZZ"], name="link_id"),
    )


def search_tables(calls: pd.DataFrame, departures: pd.DataFrame, origin: str) -> dict[str, float]:
    """Label-setting over (station): ride each pattern from here to each later call, all 168 hours in one."""
    n_per_hour = departures.set_index("pattern_id")["n_departures"] / 168
    routes = {name: part.sort_values("call_no").to_dict("records") for name, part in calls.groupby("pattern_id")}
    best, heap = {}, [(0.0, origin)]
    while heap:
        at, here = heapq.heappop(heap)
        if here in best:
            continue
        best[here] = at
        ready = at + (CHANGE_MIN if here != origin else 0.0)
        for name, route in routes.items():
            for k, call in enumerate(route):
                if call["station_id"] == here:
                    wait = min(60 / n_per_hour[name] / 2, 60.0)
                    for later in route[k + 1 :]:
                        ride = later["arrival_min"] - call["departure_min"]
                        heapq.heappush(heap, (ready + wait + ride, later["station_id"]))
    return best


@pytest.mark.parametrize("seed", range(10))
def test_times_equal_a_search_over_the_tables(seed):
    calls, departures = random_timetable(np.random.default_rng(seed))
    graph = build_passenger_graph(links(), calls=calls, departures=departures, default_interchange_min=CHANGE_MIN)
    times = measure_station_times(graph)
    for row, origin in enumerate(times.station_ids):
        expected = search_tables(calls, departures, origin)
        for column, destination in enumerate(times.station_ids):
            assert times.time_min[row, column] == pytest.approx(expected.get(destination, np.inf), abs=1e-4)


def test_the_mean_over_arrival_minutes_of_a_timed_search_is_the_time_of_the_graph():
    """
    Trains from A every 20 minutes, from B every 12, at even intervals; the passenger comes at a random minute.

    Every train of the day is written out; the search takes the first train after arriving, changes at B in 4 minutes
    and takes the first there. Over all phases of the two rhythms the mean wait is half the interval.
    """
    legs = [("P0", "S00", "S01", 20, 17.0), ("P1", "S01", "S02", 12, 9.0)]
    calls = pd.DataFrame(
        [row for p, a, b, _, ride in legs for row in ((p, 0, a, np.nan, 0.0), (p, 1, b, ride, np.nan))],
        columns=["pattern_id", "call_no", "station_id", "arrival_min", "departure_min"],
    ).rename_axis("call_id")
    departures = pd.DataFrame(
        [(p, 8, 60 / every) for p, _, _, every, _ in legs], columns=["pattern_id", "hour_of_week", "n_departures"]
    ).rename_axis("departure_id")
    graph = build_passenger_graph(
        links(), calls=calls, departures=departures, hours=[8], default_interchange_min=CHANGE_MIN
    )
    times = measure_station_times(graph)
    ours = times.time_min[times.station_ids.index("S00"), times.station_ids.index("S02")]

    rng = np.random.default_rng(1)
    taken = []
    for come in np.arange(0.0, 240.0, 0.25):
        for phase_a, phase_b in rng.uniform(0, 60, (4, 2)):
            first = come + (phase_a - come) % 20
            ready = first + 17.0 + CHANGE_MIN
            taken.append(ready + (phase_b - ready) % 12 + 9.0 - come)
    assert np.mean(taken) == pytest.approx(ours, abs=0.5)
