r"""
Minutes by train in every hour or other period of a week, from trains whose minutes are known.

In come SERVICE_CALLS and SERVICE_DEPARTURES with ``start_min``; out come `TimedJourneys`.

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

__all__ = ["HOURS_PER_WEEK", "MOST_MIN", "TimedJourneys", "TimedTrains", "measure_timed_journeys", "write_out_trains"]

FloatArray = NDArray[np.float64]
TimeArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

HOURS_PER_WEEK = 168
EVERY_HOUR = tuple((hour,) for hour in range(HOURS_PER_WEEK))
_MIN_PER_HOUR = 60
_MIN_PER_DAY = 24 * _MIN_PER_HOUR
_MIN_PER_WEEK = 7 * _MIN_PER_DAY
# ASSUMPTION: nobody sets out for a train journey that takes longer, wait included.
MOST_MIN = 12 * 60.0


@dataclass(frozen=True)
class TimedJourneys:
    """
    Journeys from some stations to all, by period of the week.

    Attributes
    ----------
    origin_ids, station_ids : tuple of str
        CRS codes of the rows and of the columns.
    periods : tuple of tuple of int
        Hours of the week of each place on the last axis, 0 is Monday 00:00-00:59.
    mean_min : numpy.ndarray of shape (n_origins, n_stations, n_periods)
        Mean over the minutes of the period of the time from coming to the first platform to standing at the last, wait
        included; infinite where some minute has no journey.
    least_min : numpy.ndarray of shape (n_origins, n_stations, n_periods)
        The quickest journey that leaves in the period, its first wait not counted; infinite where none leaves.
    n_journeys : numpy.ndarray of shape (n_origins, n_stations, n_periods)
        Journeys that leave in the period and that no other beats by leaving later or arriving earlier.
    ride_min : numpy.ndarray of shape (n_origins, n_stations, n_periods)
        Their mean minutes, first wait not counted; infinite where none leaves.
    n_changes : numpy.ndarray of shape (n_origins, n_stations, n_periods)
        Their mean changes of train; 0 where none leaves.
    """

    origin_ids: tuple[str, ...]
    station_ids: tuple[str, ...]
    periods: tuple[tuple[int, ...], ...]
    mean_min: TimeArray
    least_min: TimeArray
    n_journeys: TimeArray
    ride_min: TimeArray
    n_changes: TimeArray


@dataclass(frozen=True)
class TimedTrains:
    """
    Runs of trains between two calls that follow each other, by departure; minutes from Monday midnight.

    Attributes
    ----------
    station_ids : tuple of str
        CRS codes.
    train, tail : numpy.ndarray of int, shape (n_runs,)
        Train and first station of each run.
    depart_min, arrive_min : numpy.ndarray of shape (n_runs,)
        When it leaves and comes.
    ready_min, by_ready : numpy.ndarray of shape (n_ready,)
        When passengers can board another train and the run that they come from, by station and then by time; those who
        walk from another station among them.
    into_ready : numpy.ndarray of int, shape (n_stations + 1,)
        Where each station starts in those.
    by_arrival : numpy.ndarray of int, shape (n_runs,)
        Runs by station of arrival and then by time.
    into : numpy.ndarray of int, shape (n_stations + 1,)
        Where the runs into each station start in that.
    """

    station_ids: tuple[str, ...]
    train: IntArray
    tail: IntArray
    depart_min: FloatArray
    arrive_min: FloatArray
    ready_min: FloatArray
    by_ready: IntArray
    into_ready: IntArray
    by_arrival: IntArray
    into: IntArray

    def carry_from(self, station_id: str) -> tuple[FloatArray, IntArray, FloatArray]:
        """
        Carry the latest time of leaving a station over all runs.

        Parameters
        ----------
        station_id : str
            CRS code.

        Returns
        -------
        tuple of numpy.ndarray of shape (n_runs,)
            Latest departure that reaches each run (minus infinity for none), changes, and minutes between trains.

        Raises
        ------
        InputError
            If no train calls there.
        """
        if station_id not in self.station_ids:
            msg = f"origins: no train calls at {station_id!r}, expected a station with trains. Leave it."
            raise InputError(msg)
        found: tuple[FloatArray, IntArray, FloatArray] = carry(
            self.station_ids.index(station_id),
            self.train,
            self.tail,
            self.depart_min,
            self.arrive_min,
            self.ready_min,
            self.by_ready,
            self.into_ready,
            int(self.train.max(initial=-1)) + 1,
        )
        return found


def measure_timed_journeys(
    calls: pd.DataFrame,
    departures: pd.DataFrame,
    origins: Sequence[str],
    *,
    periods: Sequence[Sequence[int]] = EVERY_HOUR,
    interchange_min: pd.Series | None = None,
    default_interchange_min: float = DEFAULT_INTERCHANGE_MIN,
) -> TimedJourneys:
    """
    Measure the times from stations to all stations in periods of a week.

    Parameters
    ----------
    calls : pandas.DataFrame
        Table `geo.tables.SERVICE_CALLS`. Never modified.
    departures : pandas.DataFrame
        Table `geo.tables.SERVICE_DEPARTURES` with ``start_min``. Never modified.
    origins : sequence of str
        CRS codes of the stations to start from.
    periods : sequence of sequence of int
        Hours of the week in which journeys begin, none twice; every hour by itself where not given.
    interchange_min : pandas.Series, optional
        Minutes to change trains by CRS code.
    default_interchange_min : float
        Minutes to change where `interchange_min` has none.

    Returns
    -------
    TimedJourneys
        Weeks follow each other alike. Rows in the order of `origins`, columns by code.

    Raises
    ------
    InputError
        If the departures keep no minutes, or no train calls at an origin.
    TableError
        If a table breaks its contract.
    """
    trains = write_out_trains(
        calls,
        departures,
        hours=[hour for own in periods for hour in own],
        interchange_min=interchange_min,
        default_interchange_min=default_interchange_min,
    )
    period = np.full(HOURS_PER_WEEK, -1, dtype=np.int64)
    for place, own in enumerate(periods):
        period[list(own)] = place
    found = np.empty((5, len(origins), len(trains.station_ids), len(periods)), dtype=np.float32)
    for row, origin in enumerate(origins):
        left_min, n_changes, _ = trains.carry_from(origin)
        profile(left_min, n_changes, trains.arrive_min, trains.by_arrival, trains.into, period, MOST_MIN, found[:, row])
        found[:, row, trains.station_ids.index(origin)] = 0.0
    return TimedJourneys(tuple(origins), trains.station_ids, tuple(tuple(own) for own in periods), *found)


def write_out_trains(
    calls: pd.DataFrame,
    departures: pd.DataFrame,
    *,
    hours: Sequence[int] = range(HOURS_PER_WEEK),
    interchange_min: pd.Series | None = None,
    default_interchange_min: float = DEFAULT_INTERCHANGE_MIN,
    fixed_links: pd.DataFrame | None = None,
) -> TimedTrains:
    """
    Write out every train of the week on which somebody may be who sets out in some hours.

    Parameters
    ----------
    calls, departures
        As for `measure_timed_journeys`.
    hours : sequence of int
        Hours of the week in which journeys begin.
    interchange_min, default_interchange_min
        As for `measure_timed_journeys`.
    fixed_links : pandas.DataFrame, optional
        ``from_station_id, to_station_id, time_min``: walks between stations, made only between two trains.

    Returns
    -------
    TimedTrains
        To carry journeys over.

    Raises
    ------
    InputError
        If the departures keep no minutes.
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
    change_min = np.full(len(stations), default_interchange_min)
    if interchange_min is not None:
        change_min = interchange_min.reindex(stations).fillna(default_interchange_min).to_numpy(dtype=float)
    runs = _write_out(calls, departures, stations)
    first_min, last_min = min(hours) * _MIN_PER_HOUR, (max(hours) + 1) * _MIN_PER_HOUR + MOST_MIN
    runs = runs[(runs["depart"] >= first_min) & (runs["depart"] <= last_min)]
    train, tail, head = (runs[name].to_numpy(dtype=np.int64) for name in ("train", "tail", "head"))
    depart_min, arrive_min = (runs[name].to_numpy(dtype=float) for name in ("depart", "arrive"))
    board_at, boarding, ready_min = head, np.arange(len(head)), arrive_min + change_min[head]
    if fixed_links is not None:
        walks = _walk_on(fixed_links, stations, head, arrive_min)
        board_at, boarding, ready_min = (
            np.concatenate(pair) for pair in zip((board_at, boarding, ready_min), walks, strict=True)
        )
    by_ready = np.lexsort((ready_min, board_at))
    of_station = np.arange(len(stations) + 1)
    return TimedTrains(
        station_ids=tuple(stations.tolist()),
        train=train,
        tail=tail,
        depart_min=depart_min,
        arrive_min=arrive_min,
        ready_min=ready_min[by_ready],
        by_ready=boarding[by_ready],
        into_ready=np.searchsorted(board_at[by_ready], of_station),
        by_arrival=np.lexsort((arrive_min, head)),
        into=np.searchsorted(np.sort(head), of_station),
    )


def _walk_on(
    fixed_links: pd.DataFrame, stations: pd.Index, head: IntArray, arrive_min: FloatArray
) -> tuple[IntArray, IntArray, FloatArray]:
    """Where, from which run and when passengers can board who walk on from the end of a run."""
    ends = [stations.get_indexer(pd.Index(fixed_links[name])) for name in ("from_station_id", "to_station_id")]
    links = pd.DataFrame({"head": ends[0], "goal": ends[1], "walk_min": fixed_links["time_min"].to_numpy(dtype=float)})
    known = links[(links["head"] >= 0) & (links["goal"] >= 0)].sort_values(["head", "goal", "walk_min"], kind="stable")
    runs = pd.DataFrame({"head": head, "run": np.arange(len(head)), "arrive_min": arrive_min})
    walks = runs.merge(known.drop_duplicates(["head", "goal"]), on="head")
    ready_min = (walks["arrive_min"] + walks["walk_min"]).to_numpy(dtype=float)
    return walks["goal"].to_numpy(dtype=np.int64), walks["run"].to_numpy(dtype=np.int64), ready_min


def _write_out(calls: pd.DataFrame, departures: pd.DataFrame, stations: pd.Index) -> pd.DataFrame:
    """Runs of every train of the week, and of a day before and after it, by departure."""
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
    return runs.sort_values(["depart", "arrive", "train"], kind="stable")
