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

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.errors import InputError
from geo.network.passenger import DEFAULT_INTERCHANGE_MIN
from geo.schema import validate
from geo.tables import SERVICE_CALLS, SERVICE_DEPARTURES

__all__ = ["HourlyTimes", "measure_hourly_times"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

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
    mean_min : numpy.ndarray of shape (n_origins, n_stations, 168)
        Mean over the minutes of the hour of the time from coming to the first platform to standing at the last, wait
        included; infinite where some minute has no journey.
    least_min : numpy.ndarray of shape (n_origins, n_stations, 168)
        The quickest journey that leaves in the hour, its first wait not counted; infinite where none leaves.
    """

    origin_ids: tuple[str, ...]
    station_ids: tuple[str, ...]
    mean_min: FloatArray
    least_min: FloatArray


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
    runs = _write_out(calls, departures, stations)
    left_at = _carry(runs, start, np.asarray(change_min, dtype=float), len(stations))
    shape = (len(start), len(stations), HOURS_PER_WEEK)
    mean_min, least_min = np.full(shape, np.inf), np.full(shape, np.inf)
    order = np.argsort(runs.head, kind="stable")
    bounds = np.searchsorted(runs.head[order], np.arange(len(stations) + 1))
    for station in range(len(stations)):
        rows = order[bounds[station] : bounds[station + 1]]
        for origin in np.flatnonzero(start != station):
            journeys = _profile(left_at[rows, origin], runs.arrive_min[rows])
            mean_min[origin, station], least_min[origin, station] = _by_hour(*journeys)
    mean_min[np.arange(len(start)), start] = least_min[np.arange(len(start)), start] = 0.0
    return HourlyTimes(tuple(origins), tuple(stations.tolist()), mean_min, least_min)


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
        *(runs[name].to_numpy(dtype=np.intp) for name in ("train", "tail", "head")),
        *(runs[name].to_numpy(dtype=float) for name in ("depart", "arrive")),
    )


def _carry(runs: _Runs, start: IntArray, change_min: FloatArray, n_stations: int) -> FloatArray:
    """The latest time of leaving each origin for each run; minus infinity where it cannot be on that train."""
    n_origins = len(start)
    on_train = np.full((int(runs.train.max(initial=-1)) + 1, n_origins), -np.inf)
    on_platform = np.full((n_stations, n_origins), -np.inf)
    left_at = np.full((runs.train.size, n_origins), -np.inf)
    # Whoever arrives is on the platform after the change; runs come by departure, so a heap a station is enough.
    changing: list[list[tuple[float, int]]] = [[] for _ in range(n_stations)]
    origins_at: dict[int, IntArray] = {int(s): np.flatnonzero(start == s) for s in np.unique(start)}
    columns = (runs.train, runs.tail, runs.head, runs.depart_min, runs.arrive_min)
    for run, (train, tail, head, depart, arrive) in enumerate(zip(*(c.tolist() for c in columns), strict=True)):
        waiting = changing[tail]
        while waiting and waiting[0][0] <= depart:
            np.maximum(on_platform[tail], left_at[heapq.heappop(waiting)[1]], out=on_platform[tail])
        best = np.maximum(on_train[train], on_platform[tail])
        if tail in origins_at:
            best[origins_at[tail]] = depart
        on_train[train] = left_at[run] = best
        if best.max() > -np.inf:
            heapq.heappush(changing[head], (arrive + change_min[head], run))
    return left_at


def _profile(left_min: FloatArray, arrive_min: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Journeys that no other beats, by departure."""
    order = np.lexsort((arrive_min, -left_min))
    left_min, arrive_min = left_min[order], arrive_min[order]
    # Latest first: a journey is of use if it arrives before all that leave later.
    earliest = np.minimum.accumulate(arrive_min)
    is_better = np.concatenate([[True], earliest[1:] < earliest[:-1]])[: len(order)] & np.isfinite(left_min)
    return left_min[is_better][::-1], arrive_min[is_better][::-1]


def _by_hour(left_min: FloatArray, arrive_min: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and least minutes in each hour of the week."""
    come_min = np.arange(_MIN_PER_WEEK) + 0.5
    padded = np.append(arrive_min, np.inf)
    taken_min = padded[np.searchsorted(left_min, come_min)] - come_min
    taken_min[taken_min > MOST_MIN] = np.inf
    mean_min = taken_min.reshape(HOURS_PER_WEEK, _MIN_PER_HOUR).mean(axis=1)
    least_min = np.full(HOURS_PER_WEEK, np.inf)
    in_week = (left_min >= 0) & (left_min < _MIN_PER_WEEK)
    np.minimum.at(least_min, (left_min[in_week] // _MIN_PER_HOUR).astype(np.intp), (arrive_min - left_min)[in_week])
    return mean_min, least_min
