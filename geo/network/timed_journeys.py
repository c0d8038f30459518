r"""
Minutes by train in every hour of a week, from trains whose minutes are known: SERVICE_CALLS and SERVICE_DEPARTURES in.

One pass over the trains in the order of their departures carries, for all origins at once, the latest time at which one
could have left the origin and be where one is: on the train, or on the platform after a change. Each arrival then is a
journey, and the best of those that leave no earlier than a minute is what a passenger who comes at that minute takes.

Departure from the connection scan [1]_: it carries latest departures forwards for many origins, where the source
carries earliest arrivals, backwards for a profile and for one destination.

References
----------
.. [1] Dibbelt, J., Pajor, T., Strasser, B. and Wagner, D. (2018). "Connection Scan Algorithm." ACM Journal of
   Experimental Algorithmics 23, 1.7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.errors import InputError
from geo.network.passenger import DEFAULT_INTERCHANGE_MIN
from geo.network.timed_kernels import carry, profile
from geo.schema import validate
from geo.tables import SERVICE_CALLS, SERVICE_DEPARTURES

__all__ = ["HourlyTimes", "measure_hourly_times"]

FloatArray = NDArray[np.float64]
TimeArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

HOURS_PER_WEEK = 168
_MIN_PER_HOUR = 60
_MIN_PER_DAY = 24 * _MIN_PER_HOUR
_MIN_PER_WEEK = 7 * _MIN_PER_DAY
# ASSUMPTION: nobody sets out for a train journey that takes longer, wait included.
MOST_MIN = 12 * 60.0


@dataclass(frozen=True)
class HourlyTimes:
    """
    Times from some stations to all, by hour of the week.

    Attributes
    ----------
    origin_ids, station_ids : tuple of str
        CRS codes of the rows and of the columns.
    hours : tuple of int
        Hours of the week of the last axis, 0 is Monday 00:00-00:59.
    mean_min : numpy.ndarray of shape (n_origins, n_stations, n_hours)
        Mean over the minutes of the hour of the time from coming to the first platform to standing at the last, wait
        included; infinite where some minute has no journey.
    least_min : numpy.ndarray of shape (n_origins, n_stations, n_hours)
        The quickest journey that leaves in the hour, its first wait not counted; infinite where none leaves.
    n_journeys : numpy.ndarray of shape (n_origins, n_stations, n_hours)
        Journeys that leave in the hour and that no other beats by leaving later or arriving earlier.
    ride_min : numpy.ndarray of shape (n_origins, n_stations, n_hours)
        Their mean minutes, first wait not counted; infinite where none leaves.
    n_changes : numpy.ndarray of shape (n_origins, n_stations, n_hours)
        Their mean changes of train; 0 where none leaves.
    """

    origin_ids: tuple[str, ...]
    station_ids: tuple[str, ...]
    hours: tuple[int, ...]
    mean_min: TimeArray
    least_min: TimeArray
    n_journeys: TimeArray
    ride_min: TimeArray
    n_changes: TimeArray


@dataclass(frozen=True)
class _Runs:
    """Runs of trains between two calls that follow each other, by departure."""

    train: IntArray
    tail: IntArray
    head: IntArray
    depart_min: FloatArray
    arrive_min: FloatArray


def measure_hourly_times(
    calls: pd.DataFrame,
    departures: pd.DataFrame,
    origins: Sequence[str],
    *,
    hours: Sequence[int] = range(HOURS_PER_WEEK),
    interchange_min: pd.Series | None = None,
    default_interchange_min: float = DEFAULT_INTERCHANGE_MIN,
) -> HourlyTimes:
    """
    Measure the times from stations to all stations in each hour of a week.

    Parameters
    ----------
    calls : pandas.DataFrame
        Table `geo.tables.SERVICE_CALLS`. Never modified.
    departures : pandas.DataFrame
        Table `geo.tables.SERVICE_DEPARTURES` with ``start_min``. Never modified.
    origins : sequence of str
        CRS codes of the stations to start from.
    hours : sequence of int
        Hours of the week in which journeys begin, rising.
    interchange_min : pandas.Series, optional
        Minutes to change trains by CRS code.
    default_interchange_min : float
        Minutes to change where `interchange_min` has none.

    Returns
    -------
    HourlyTimes
        Weeks follow each other alike. Rows in the order of `origins`, columns by code.

    Raises
    ------
    InputError
        If the departures keep no minutes, or no train calls at an origin.
    TableError
        If a table breaks its contract.
    """
    validate(calls, SERVICE_CALLS)
    validate(departures, SERVICE_DEPARTURES)
    if "start_min" not in departures.columns:
        msg = (
            "departures: there is no column 'start_min', expected the minute of each start. Use a reader that keeps it."
        )
        raise InputError(msg)
    stations = pd.Index(sorted(set(calls["station_id"])), dtype="str")
    start = stations.get_indexer(pd.Index(origins))
    if (start < 0).any():
        msg = (
            f"origins: no train calls at {origins[int(np.argmin(start))]!r}, expected a station with trains. Leave it."
        )
        raise InputError(msg)
    change_min = np.full(len(stations), default_interchange_min)
    if interchange_min is not None:
        change_min = interchange_min.reindex(stations).fillna(default_interchange_min).to_numpy(dtype=float)
    runs = _keep_within(_write_out(calls, departures, stations), hours)
    ready_min = runs.arrive_min + change_min[runs.head]
    by_ready = np.lexsort((ready_min, runs.head))
    by_arrival = np.lexsort((runs.arrive_min, runs.head))
    into = np.searchsorted(runs.head[by_ready], np.arange(len(stations) + 1))
    slot = np.full(HOURS_PER_WEEK, -1, dtype=np.int64)
    slot[list(hours)] = np.arange(len(hours))
    n_trains = int(runs.train.max(initial=-1)) + 1
    found = np.empty((5, len(start), len(stations), len(hours)), dtype=np.float32)
    for row, station in enumerate(start.tolist()):
        left_min, n_changes = carry(
            station, runs.train, runs.tail, runs.depart_min, ready_min[by_ready], by_ready, into, n_trains
        )
        profile(left_min, n_changes, runs.arrive_min, by_arrival, into, slot, MOST_MIN, found[:, row])
        found[:, row, station] = 0.0
    return HourlyTimes(tuple(origins), tuple(stations.tolist()), tuple(hours), *found)


def _write_out(calls: pd.DataFrame, departures: pd.DataFrame, stations: pd.Index) -> _Runs:
    """Every train of the week, and of a day before and after it."""
    rows = calls.sort_values(["pattern_id", "call_no"], kind="stable")
    after = rows.groupby("pattern_id", sort=False)[["station_id", "arrival_min"]].shift(-1)
    legs = pd.DataFrame(
        {
            "pattern_id": rows["pattern_id"],
            "tail": stations.get_indexer(pd.Index(rows["station_id"])),
            "head": stations.get_indexer(pd.Index(after["station_id"])),
            "depart": rows["departure_min"],
            "arrive": after["arrival_min"],
        }
    )[after["arrival_min"].notna().to_numpy()]
    trains = departures.loc[departures["n_departures"] > 0, ["pattern_id", "hour_of_week", "start_min"]]
    first = trains["hour_of_week"] * _MIN_PER_HOUR + trains["start_min"]
    weeks = [trains.assign(start=first + week * _MIN_PER_WEEK) for week in (-1, 0, 1)]
    written = pd.concat(weeks, ignore_index=True)
    written = written[(written["start"] >= -_MIN_PER_DAY) & (written["start"] < _MIN_PER_WEEK + _MIN_PER_DAY)]
    written = written.sort_values(["start", "pattern_id"], kind="stable").assign(train=np.arange(len(written)))
    runs = written.merge(legs, on="pattern_id")
    runs = runs.assign(depart=runs["start"] + runs["depart"], arrive=runs["start"] + runs["arrive"])
    runs = runs.sort_values(["depart", "arrive", "train"], kind="stable")
    return _Runs(
        *(runs[name].to_numpy(dtype=np.int64) for name in ("train", "tail", "head")),
        *(runs[name].to_numpy(dtype=float) for name in ("depart", "arrive")),
    )


def _keep_within(runs: _Runs, hours: Sequence[int]) -> _Runs:
    """Runs on which somebody may be who sets out in those hours."""
    first_min, last_min = min(hours) * _MIN_PER_HOUR, (max(hours) + 1) * _MIN_PER_HOUR + MOST_MIN
    kept = (runs.depart_min >= first_min) & (runs.depart_min <= last_min)
    return _Runs(*(getattr(runs, name)[kept] for name in _Runs.__dataclass_fields__))
