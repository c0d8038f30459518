"""
Where a team can be of use: stations that enough people use and, in each shift, that trains call at and staff are at.

Without a timetable every train is taken to call everywhere, so that a halt at a junction seems to see every courier
who passes. At a halt that few use a team also stands mostly alone and is plainly seen. In come
`geo.tables.STATION_USAGE`, `geo.tables.STATION_HOURS` and the hours with staff; out come the stations that are too
quiet, and flags by day, shift and station. What is not known closes no station: of a station without a timetable nobody
knows that no train calls.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.network.staffed_hours import measure_staffed_week
from geo.schema import validate
from geo.tables import STATION_HOURS
from models.planning.problem.shifts import HOURS_PER_DAY, Shift

__all__ = [
    "DAYS_PER_YEAR",
    "LEAST_PASSENGERS_PER_DAY",
    "find_open_stations",
    "find_quiet_stations",
    "measure_passengers_per_day",
    "measure_staffed_share",
    "sum_shift_trains",
]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

DAYS_PER_YEAR = 365
# ASSUMPTION, the default of plan.least_passengers_per_day: below it a station has its numbers beside it.
LEAST_PASSENGERS_PER_DAY = 100.0
_HOURS_PER_WEEK = 168
_ALL = 1.0 - 1e-9


def find_open_stations(
    hours: pd.DataFrame,
    station_ids: Sequence[str],
    shifts: Sequence[Shift],
    *,
    n_days: int,
    first_weekday: int = 0,
    staffed_hours: pd.Series | None = None,
) -> BoolArray:
    """
    Find the stations that may be worked in each shift of each day.

    Parameters
    ----------
    hours : pandas.DataFrame
        Table `geo.tables.STATION_HOURS`.
    station_ids : sequence of str
        CRS codes.
    shifts : sequence of Shift
        Shifts of a day.
    n_days : int
        Days of the plan.
    first_weekday : int
        Weekday of the first, 0 is Monday.
    staffed_hours : pandas.Series, optional
        Hours with staff by ``station_id``; where given, a shift must be staffed throughout, or nothing known of staff.

    Returns
    -------
    numpy.ndarray of shape (n_days, n_shifts, n_stations)
        True where a train calls in the shift, or trains are not known.

    Raises
    ------
    TableError
        If the hours break their contract.
    """
    days = [(first_weekday + day) % 7 for day in range(n_days)]
    trains = np.stack([[sum_shift_trains(hours, station_ids, shift, weekday=day) for shift in shifts] for day in days])
    is_open = np.isnan(trains) | (trains > 0)
    if staffed_hours is not None:
        text = staffed_hours.reindex(list(station_ids))
        staffed = np.stack([[measure_staffed_share(text, shift, weekday=day) for shift in shifts] for day in days])
        is_open &= np.isnan(staffed) | (staffed >= _ALL)
    return np.asarray(is_open, dtype=bool)


def lay_out_trains(hours: pd.DataFrame, station_ids: Sequence[str]) -> FloatArray:
    """
    Lay out the trains of a week by station and hour.

    Parameters
    ----------
    hours : pandas.DataFrame
        Table `geo.tables.STATION_HOURS`.
    station_ids : sequence of str
        CRS codes.

    Returns
    -------
    numpy.ndarray of shape (n_stations, 168)
        Trains; NaN where they are not known.
    """
    at = pd.Index(list(station_ids)).get_indexer(pd.Index(hours["station_id"]))
    weeks = np.full((len(station_ids), _HOURS_PER_WEEK), np.nan)
    weeks[at[at >= 0], hours["hour_of_week"].to_numpy()[at >= 0]] = hours["n_trains"].to_numpy(dtype=float)[at >= 0]
    return weeks


def sum_shift_trains(hours: pd.DataFrame, station_ids: Sequence[str], shift: Shift, *, weekday: int) -> FloatArray:
    """
    Sum the trains at each station in the hours of a shift.

    Parameters
    ----------
    hours : pandas.DataFrame
        Table `geo.tables.STATION_HOURS`.
    station_ids : sequence of str
        CRS codes.
    shift : Shift
        Its hours; of an hour that it covers in part it has that part of the trains.
    weekday : int
        Day on which it starts, 0 is Monday.

    Returns
    -------
    numpy.ndarray of shape (n_stations,)
        Trains; NaN where they are not known.

    Raises
    ------
    TableError
        If the hours break their contract.
    """
    validate(hours, STATION_HOURS)
    weeks = lay_out_trains(hours, station_ids)
    covered = _covered(shift, weekday)
    return np.asarray(weeks[:, covered > 0] @ covered[covered > 0], dtype=float)


def measure_staffed_share(staffed_hours: pd.Series, shift: Shift, *, weekday: int) -> FloatArray:
    """
    Measure the share of a shift in which each station has staff.

    Parameters
    ----------
    staffed_hours : pandas.Series
        Texts as `geo.network.staffed_hours` reads them; null where not known.
    shift : Shift
        Its hours.
    weekday : int
        Day on which it starts, 0 is Monday.

    Returns
    -------
    numpy.ndarray of shape (n_stations,)
        Shares in [0, 1], taken as even within each hour; NaN where nothing is known.
    """
    covered = _covered(shift, weekday)
    shares = [
        np.nan if pd.isna(text) else float(np.minimum(measure_staffed_week(text), covered).sum() / covered.sum())
        for text in staffed_hours
    ]
    return np.asarray(shares, dtype=float)


def measure_passengers_per_day(usage: pd.DataFrame) -> pd.Series:
    """
    Measure the entries and exits of an average day.

    Parameters
    ----------
    usage : pandas.DataFrame
        Table `geo.tables.STATION_USAGE`.

    Returns
    -------
    pandas.Series
        ``passengers_per_day`` by ``station_id``.
    """
    return (usage["n_entries_exits_per_year"] / DAYS_PER_YEAR).rename("passengers_per_day")


def find_quiet_stations(
    usage: pd.DataFrame | None,
    candidates: Collection[str],
    *,
    least_passengers_per_day: float,
    must_visit: Collection[str] = (),
) -> pd.Series:
    """
    Find the candidates that too few passengers use.

    Parameters
    ----------
    usage : pandas.DataFrame or None
        Table `geo.tables.STATION_USAGE`; a station that it leaves out is not known to be quiet.
    candidates : collection of str
        Stations that could be worked.
    least_passengers_per_day : float
        Fewest passengers of a candidate; none is quiet at 0.
    must_visit : collection of str
        Stations that are asked for, however quiet.

    Returns
    -------
    pandas.Series
        ``passengers_per_day`` by ``station_id``, the busiest first.
    """
    if usage is None:
        return pd.Series(dtype="float64", name="passengers_per_day")
    daily = measure_passengers_per_day(usage)
    daily = daily[daily.index.isin(set(candidates) - set(must_visit)) & (daily < least_passengers_per_day)]
    return daily.sort_index().sort_values(ascending=False, kind="stable")


def _covered(shift: Shift, weekday: int) -> FloatArray:
    """Share of each hour of the week that a shift covers; past Sunday it is Monday again."""
    start_h, end_h = (at + HOURS_PER_DAY * weekday for at in (shift.start_h, shift.end_h))
    hour = np.arange(2 * _HOURS_PER_WEEK)
    covered = np.clip(np.minimum(hour + 1, end_h) - np.maximum(hour, start_h), 0.0, 1.0)
    return np.asarray(covered[:_HOURS_PER_WEEK] + covered[_HOURS_PER_WEEK:], dtype=float)
