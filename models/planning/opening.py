"""
Where a team can be of use in each shift: stations at which trains call then and, if asked, staff are there.

In come `geo.tables.STATION_HOURS` and the hours with staff; out come flags by day, shift and station. What is not known
closes no station: of a station without a timetable nobody knows that no train calls.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.network.staffed_hours import measure_staffed_week
from geo.schema import validate
from geo.tables import STATION_HOURS
from models.planning.shifts import HOURS_PER_DAY, Shift

__all__ = ["find_open_stations", "measure_staffed_share", "sum_shift_trains"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

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
    at = pd.Index(list(station_ids)).get_indexer(pd.Index(hours["station_id"]))
    weeks = np.full((len(station_ids), _HOURS_PER_WEEK), np.nan)
    weeks[at[at >= 0], hours["hour_of_week"].to_numpy()[at >= 0]] = hours["n_trains"].to_numpy(dtype=float)[at >= 0]
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


def _covered(shift: Shift, weekday: int) -> FloatArray:
    """Share of each hour of the week that a shift covers; past Sunday it is Monday again."""
    start_h, end_h = (at + HOURS_PER_DAY * weekday for at in (shift.start_h, shift.end_h))
    hour = np.arange(2 * _HOURS_PER_WEEK)
    covered = np.clip(np.minimum(hour + 1, end_h) - np.maximum(hour, start_h), 0.0, 1.0)
    return np.asarray(covered[:_HOURS_PER_WEEK] + covered[_HOURS_PER_WEEK:], dtype=float)
