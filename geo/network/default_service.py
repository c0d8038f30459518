"""
A train service where no timetable says: stopping patterns and run times, estimated from what passengers do.

In come RAIL_LINKS and PASSENGER_FLOWS; out come SERVICE_CALLS and SERVICE_DEPARTURES, as a timetable gives them, so
that all that follows works alike. What is estimated is told as such by whoever calls this. Lines and trains a day are
those of `geo.network.default_lines`, run times those of `geo.network.default_times`; each line has faster and slower
trains, and a station has the more calls of them the more of those on board use it. How far it is off is measured by
`benchmarks.railway`.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from geo.network.default_demand import RailDemand, measure_rail_demand
from geo.network.default_lines import Line, choose_lines, measure_call_chance
from geo.network.default_times import measure_ride_min, measure_stand_min
from geo.schema import empty, validate
from geo.tables import PASSENGER_FLOWS, RAIL_LINKS, SERVICE_CALLS, SERVICE_DEPARTURES

__all__ = ["estimate_service"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]
# ASSUMPTION. A line has at most so many stopping patterns, and of each a train every two hours or so at least.
_MOST_PATTERNS, _FEWEST_TRAINS = 2, 8.0
# Trains that start in each hour of the day and on each day of the week, of all: around Glasgow, November 2022.
_FIRST_HOUR, _IN_HOUR = 5, np.array([18, 56, 63, 62, 63, 57, 56, 59, 56, 58, 61, 66, 69, 62, 52, 38, 35, 35, 30])
_ON_DAY = np.array([154, 154, 154, 154, 154, 145, 84])
# Any number: it makes the same trains of the same passengers.
_DRAWN_FROM = 1825


def estimate_service(links: gpd.GeoDataFrame, passenger_flows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Estimate which trains run, where they call and how long they take.

    Parameters
    ----------
    links : geopandas.GeoDataFrame
        Table `geo.tables.RAIL_LINKS`, of the whole country where there is one: trains come from afar. Never modified.
    passenger_flows : pandas.DataFrame
        Table `geo.tables.PASSENGER_FLOWS`. Never modified.

    Returns
    -------
    tuple of pandas.DataFrame
        Tables `geo.tables.SERVICE_CALLS` and `geo.tables.SERVICE_DEPARTURES`; empty where nobody travels. Each pattern
        runs both ways. Every station that passengers use has a train.

    Raises
    ------
    TableError
        If a table breaks its contract.
    """
    validate(links, RAIL_LINKS)
    validate(passenger_flows, PASSENGER_FLOWS)
    if links.empty:
        return empty(SERVICE_CALLS), empty(SERVICE_DEPARTURES)
    demand = measure_rail_demand(links, passenger_flows)
    patterns = [pattern for line in choose_lines(demand) for pattern in _patterns(demand, line)]
    if not patterns:
        return empty(SERVICE_CALLS), empty(SERVICE_DEPARTURES)
    _call_where_nobody_calls(demand, patterns)
    return _tables(demand, patterns)


class _Pattern:
    """Where the trains of a line call that stop alike."""

    def __init__(self, stations: IntArray, calls: NDArray[np.bool_], trains_per_day: float) -> None:
        self.stations, self.calls, self.trains_per_day = stations, calls, trains_per_day


def _patterns(demand: RailDemand, line: Line) -> list[_Pattern]:
    """Trains of a line in equal parts, from those that call where most do to those that call where few do."""
    n = int(np.clip(line.trains_per_day // _FEWEST_TRAINS, 1, _MOST_PATTERNS))
    chance = measure_call_chance(demand, line.stations)
    return [_Pattern(line.stations, chance >= (k + 0.5) / n, line.trains_per_day / n) for k in range(n)]


def _call_where_nobody_calls(demand: RailDemand, patterns: list[_Pattern]) -> None:
    """Let the trains of the shortest way past call where no train does yet."""
    called = np.zeros(len(demand.station_ids), dtype=bool)
    for pattern in patterns:
        called[pattern.stations[pattern.calls]] = True
    lonely = ~called & (demand.journeys.sum(axis=1) > 0)
    for pattern in sorted(patterns, key=lambda p: (len(p.stations), -int(p.calls.sum()))):
        here = lonely[pattern.stations]
        pattern.calls |= here
        lonely[pattern.stations[here]] = False


def _tables(demand: RailDemand, patterns: list[_Pattern]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Calls and departures of every pattern, there and back."""
    stand_min = measure_stand_min(demand.users_per_day)
    n_calls: list[int] = []
    stations: list[IntArray] = []
    arrival: list[ArrayLike] = []
    departure: list[ArrayLike] = []
    for pattern in patterns:
        called, legs = pattern.stations[pattern.calls], _leg_min(demand, pattern)
        stands = stand_min[called[1:-1]]
        for way in (1, -1):
            reached = np.cumsum(legs[::way]) + np.concatenate([[0.0], np.cumsum(stands[::way])])
            stations.append(called[::way])
            arrival += [[np.nan], reached]
            departure += [[0.0], reached[:-1] + stands[::way], [np.nan]]
            n_calls.append(len(called))
    names = np.array([f"E{k:05d}" for k in range(len(n_calls))], dtype=object)
    of_call = np.repeat(names, n_calls)
    number = np.arange(sum(n_calls)) - np.repeat(np.cumsum(n_calls) - n_calls, n_calls)
    calls = pd.DataFrame(
        {
            "pattern_id": pd.array(of_call, dtype="str"),
            "call_no": number.astype("int64"),
            "station_id": pd.array(np.array(demand.station_ids, dtype=object)[np.concatenate(stations)], dtype="str"),
            "arrival_min": np.concatenate(arrival),
            "departure_min": np.concatenate(departure),
        },
        index=pd.Index(of_call + ":" + number.astype(str).astype(object), name=SERVICE_CALLS.index, dtype="str"),
    )
    trains = np.repeat([pattern.trains_per_day for pattern in patterns], 2)
    return validate(calls, SERVICE_CALLS), _draw_starts(names, trains)


def _draw_starts(names: NDArray[np.object_], trains_per_day: FloatArray) -> pd.DataFrame:
    """
    Trains of a week at even intervals in each pattern, every day by another phase.

    Nobody knows the minutes. By chance a change is good on one day and bad on another, so a mean over the week is about
    what to expect.
    """
    # Trains of a day that have started by each hour's end, for one train a day on average.
    by_hour = 7.0 * np.cumsum(np.outer(_ON_DAY / _ON_DAY.sum(), _IN_HOUR / _IN_HOUR.sum()), axis=1)
    phase = np.random.default_rng(_DRAWN_FROM).random((len(names), len(_ON_DAY)))
    pattern, day, start_h = [], [], []
    for k, count in enumerate(by_hour):
        ends = trains_per_day[:, None] * count
        n = np.ceil(ends[:, -1] - phase[:, k]).astype(np.int64).clip(min=0)
        row = np.repeat(np.arange(len(names)), n)
        number = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
        # The train starts when the running count reaches its number and the phase.
        reached = (number + phase[row, k]) / trains_per_day[row]
        pattern.append(row)
        day.append(np.full(len(row), k))
        start_h.append(np.interp(reached, np.concatenate([[0.0], count]), np.arange(len(count) + 1)))
    row, minute = np.concatenate(pattern), np.floor(60.0 * (_FIRST_HOUR + np.concatenate(start_h))).astype(np.int64)
    hour, start_min = np.divmod(24 * 60 * np.concatenate(day) + minute, 60)
    table = pd.DataFrame({"row": row, "hour_of_week": hour, "start_min": start_min.astype(float)})
    table = table.groupby(["row", "hour_of_week", "start_min"]).size().rename("n_departures").reset_index()
    name = names[table.pop("row")]
    ids = name + ":" + table["hour_of_week"].astype(str) + ":" + table["start_min"].map("{:05.2f}".format)
    table.insert(0, "pattern_id", pd.Series(name, dtype="str"))
    table = table.astype({"n_departures": "float64"})
    return validate(table.set_index(pd.Index(ids, name=SERVICE_DEPARTURES.index, dtype="str")), SERVICE_DEPARTURES)


def _leg_min(demand: RailDemand, pattern: _Pattern) -> FloatArray:
    """Minutes between the calls of a pattern, in the order of its stations."""
    links = demand.link_of[pattern.stations[:-1], pattern.stations[1:]]
    starts = np.flatnonzero(pattern.calls[:-1])
    return measure_ride_min(demand.link_km[links], demand.link_flow[links], demand.link_curve_min[links], starts)
