"""
Stations too quiet for a team, and what leaving them out of a plan costs.

Without a timetable every train is taken to call everywhere, so that a halt at a junction seems to see every courier
who passes. At a halt that few use a team also stands mostly alone and is plainly seen. In come
`geo.tables.STATION_USAGE` and two plans, with and without such stations; out comes what to tell of both.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import pandas as pd

__all__ = ["DAYS_PER_YEAR", "LEAST_PASSENGERS_PER_DAY", "LeftOut", "find_quiet_stations", "measure_passengers_per_day"]

DAYS_PER_YEAR = 365
# ASSUMPTION, the default of plan.least_passengers_per_day: below it a station has its numbers beside it.
LEAST_PASSENGERS_PER_DAY = 100.0


@dataclass(frozen=True)
class LeftOut:
    """
    What leaving quiet stations out of a plan costs.

    Attributes
    ----------
    passengers_per_day : pandas.Series
        By ``station_id``, of the stations left out: first those that the plan with them works most, then the busiest.
    least_passengers_per_day : float
        What a station needs to be a candidate.
    met_share_with, met_share_without : float
        Share of rail trips that the mix meets, couriers as they are, with the quiet stations and without.
    met_share_evading_with, met_share_evading_without : float
        The same once couriers have responded.
    best_share_with, best_share_without : float
        The same of the best fixed list.
    trips_of_plan : float
        Rail trips of the plan's days, of which the shares are.
    """

    passengers_per_day: pd.Series
    least_passengers_per_day: float
    met_share_with: float
    met_share_without: float
    met_share_evading_with: float
    met_share_evading_without: float
    best_share_with: float
    best_share_without: float
    trips_of_plan: float


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
