r"""
How much of a week each shift sees: `geo.tables.STATION_HOURS` and shifts in, shares of the trips by pattern out.

A trip passes the stations of its pattern within one shift, so a pattern has one week: the mean of the weeks of its
stations, each as heavy as the chance of being met there. Shares of shifts that do not overlap then sum to at most 1:
no trip is met twice for being seen at two hours.

Days on whose shifts nearly all trips divide alike among the patterns, and on which the same stations are open, are of
one kind: they take one list of stations, however busy each is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from geo.schema import validate
from geo.tables import STATION_HOURS
from models.planning.problem.candidates import find_open_stations
from models.planning.problem.encounters import Encounters
from models.planning.problem.shifts import HOURS_PER_DAY, SERVICE_FROM_H, SERVICE_TO_H, Shift

__all__ = ["DAYS_PER_WEEK", "WeekShares", "measure_week_shares", "spread_weeks", "weigh_stations"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

DAYS_PER_WEEK = 7
_HOURS_PER_WEEK = 168
# ASSUMPTION: days on which less than this share of a shift's trips goes by other patterns are worked alike.
_LEAST_MOVED_SHARE = 0.05


@dataclass(frozen=True)
class WeekShares:
    """
    Shares of the trips of a week by day and shift of a plan.

    Attributes
    ----------
    by_station : numpy.ndarray of shape (n_days, n_shifts, n_stations)
        Share of a station's trips of a week that is made there in the shift.
    by_pattern : numpy.ndarray of shape (n_days, n_shifts, n_patterns)
        The same by pattern, of a week in which the plan's days are as busy as others.
    kind_of_day : tuple of int
        Number of the kind of each day, from 0, in order of first use.
    first_weekday : int
        Weekday of the first day, 0 is Monday.
    is_open : numpy.ndarray of shape (n_days, n_shifts, n_stations)
        Whether a team can be of use there then; days of a kind are open alike.
    """

    by_station: FloatArray
    by_pattern: FloatArray
    kind_of_day: tuple[int, ...]
    first_weekday: int
    is_open: BoolArray

    @property
    def n_kinds(self) -> int:
        """Kinds of days."""
        return max(self.kind_of_day) + 1

    def days_of(self, kind: int) -> list[int]:
        """
        Give the days of a kind.

        Parameters
        ----------
        kind : int
            Its number.

        Returns
        -------
        list of int
            Days, from 0.
        """
        return [day for day, own in enumerate(self.kind_of_day) if own == kind]

    def mean_pattern(self, days: Sequence[int], shift: int) -> FloatArray:
        """
        Average what a shift sees over days.

        Parameters
        ----------
        days : sequence of int
            Days, from 0.
        shift : int
            Shift of a day, from 0.

        Returns
        -------
        numpy.ndarray of shape (n_patterns,)
            Share of the trips of a week, by pattern.
        """
        return np.asarray(self.by_pattern[list(days), shift].mean(axis=0), dtype=float)


def measure_week_shares(
    hours: pd.DataFrame,
    encounters: Encounters,
    shifts: Sequence[Shift],
    *,
    n_days: int,
    first_weekday: int = 0,
    staffed_hours: pd.Series | None = None,
) -> WeekShares:
    """
    Measure the share of a week's trips in each shift of each day of a plan.

    Parameters
    ----------
    hours : pandas.DataFrame
        Table `geo.tables.STATION_HOURS`. Stations that it leaves out are taken to be as busy in every hour of service.
    encounters : Encounters
        Stations and patterns.
    shifts : sequence of Shift
        Shifts of a day.
    n_days : int
        Days of the plan.
    first_weekday : int
        Weekday of the first, 0 is Monday.
    staffed_hours : pandas.Series, optional
        As for `models.planning.problem.candidates.find_open_stations`.

    Returns
    -------
    WeekShares
        A plan of part of a week is scaled to as many average days: its days and hours divide the trips, and no day
        makes more of them.

    Raises
    ------
    TableError
        If the hours break their contract.
    """
    weeks = spread_weeks(validate(hours, STATION_HOURS), encounters.station_ids)
    starts = np.arange(n_days) + first_weekday
    by_station = np.stack(
        [[_between(weeks, s.start_h + HOURS_PER_DAY * d, s.end_h + HOURS_PER_DAY * d) for s in shifts] for d in starts]
    )
    mean = weigh_stations(encounters)
    by_pattern = np.stack([np.asarray((mean @ day.T).T) for day in by_station])
    if n_days % DAYS_PER_WEEK:
        whole = np.stack([_between(weeks, HOURS_PER_DAY * d, HOURS_PER_DAY * (d + 1)) for d in starts]).sum(axis=0)
        held = mean @ whole
        by_pattern = by_pattern * (n_days / DAYS_PER_WEEK) / np.where(held > 0, held, 1.0)
    monthly = encounters.worth_of_patterns(encounters.worth_of_routes())
    is_open = find_open_stations(
        hours,
        encounters.station_ids,
        shifts,
        n_days=n_days,
        first_weekday=first_weekday,
        staffed_hours=staffed_hours,
    )
    kinds = _number_kinds(by_pattern * monthly, is_open)
    return WeekShares(by_station, by_pattern, kinds, first_weekday, is_open)


def _number_kinds(passing: FloatArray, is_open: BoolArray) -> tuple[int, ...]:
    """
    The first kind of day on whose first day every shift's trips divide, and stations are open, as on this day.

    A new one where there is none.
    """
    total = passing.sum(axis=2, keepdims=True)
    mix = passing / np.where(total > 0, total, 1.0)
    firsts: list[int] = []
    kinds = []
    for day in range(len(mix)):
        moved = [
            float(np.abs(mix[day] - mix[first]).sum(axis=1).max()) / 2
            if np.array_equal(is_open[day], is_open[first])
            else np.inf
            for first in firsts
        ]
        kind = next((k for k, share in enumerate(moved) if share < _LEAST_MOVED_SHARE), len(firsts))
        if kind == len(firsts):
            firsts.append(day)
        kinds.append(kind)
    return tuple(kinds)


def weigh_stations(encounters: Encounters) -> sparse.csr_matrix:
    """
    Weigh the stations of each pattern by the chance of being met there.

    Parameters
    ----------
    encounters : Encounters
        Patterns.

    Returns
    -------
    scipy.sparse.csr_matrix of shape (n_patterns, n_stations)
        Rows sum to 1: they make the week of a pattern of the weeks of its stations.
    """
    total = np.asarray(encounters.hazard.sum(axis=1)).reshape(-1, 1)
    return sparse.csr_matrix(encounters.hazard.multiply(1.0 / total))


def spread_weeks(hours: pd.DataFrame, station_ids: Sequence[str]) -> FloatArray:
    """
    Spread the trips of stations over the hours of a week.

    Parameters
    ----------
    hours : pandas.DataFrame
        Table `geo.tables.STATION_HOURS`.
    station_ids : sequence of str
        Stations.

    Returns
    -------
    numpy.ndarray of shape (n_stations, 168)
        Shares of the 168 hours by station; even over the hours of service where they are not known.
    """
    at = pd.Index(station_ids).get_indexer(pd.Index(hours["station_id"]))
    known = at >= 0
    weeks = np.zeros((len(station_ids), _HOURS_PER_WEEK))
    weeks[at[known], hours["hour_of_week"].to_numpy()[known]] = hours["week_share"].to_numpy(dtype=float)[known]
    hour = np.arange(HOURS_PER_DAY)
    running = np.clip(np.minimum(hour + 1, SERVICE_TO_H) - np.maximum(hour, SERVICE_FROM_H), 0.0, 1.0)
    even = np.tile(running, DAYS_PER_WEEK) / (running.sum() * DAYS_PER_WEEK)
    return np.where(weeks.sum(axis=1, keepdims=True) > 0, weeks, even)


def _between(weeks: FloatArray, start_h: float, end_h: float) -> FloatArray:
    """Share made from one hour to another, counted from a Monday midnight; weeks follow each other alike."""
    until = np.concatenate([np.zeros((len(weeks), 1)), weeks.cumsum(axis=1)], axis=1)
    return np.asarray(_until(until, end_h) - _until(until, start_h), dtype=float)


def _until(until: FloatArray, at_h: float) -> FloatArray:
    n_weeks, rest = divmod(at_h, float(_HOURS_PER_WEEK))
    hour = int(rest)
    part = until[:, hour] + (rest - hour) * (until[:, hour + 1] - until[:, hour])
    return np.asarray(n_weeks * until[:, -1] + part, dtype=float)
