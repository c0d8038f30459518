"""
Stopping patterns and how often they run: SERVICE_CALLS and SERVICE_DEPARTURES in, services out.

A service is every train that calls at the same stations in the same order. Its run times are the mean over its
trains, and its frequency is counted at each call, not at its start: a train that leaves at 08:40 and takes an hour is a
09:40 train there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.schema import validate
from geo.tables import SERVICE_CALLS, SERVICE_DEPARTURES

__all__ = ["Services", "build_services", "measure_call_run_times"]

FloatArray = NDArray[np.float64]

HOURS_PER_WEEK = 168
_MINUTES_PER_HOUR = 60.0


@dataclass(frozen=True)
class Services:
    """
    Calls of all services, one after the other.

    Attributes
    ----------
    station_id : numpy.ndarray of shape (n_calls,)
        CRS code of each call.
    service : numpy.ndarray of shape (n_calls,)
        Number of the service, from 0.
    is_first, is_last : numpy.ndarray of shape (n_calls,)
        Whether the call starts or ends its service.
    run_min : numpy.ndarray of shape (n_calls,)
        Minutes from this call's departure to the next call's arrival; NaN at the last.
    dwell_min : numpy.ndarray of shape (n_calls,)
        Minutes standing at the call; 0 at the first and the last.
    n_per_hour : numpy.ndarray of shape (n_calls,)
        Departures an hour from this call in the hours asked; 0 at the last.
    """

    station_id: NDArray[np.object_]
    service: NDArray[np.intp]
    is_first: NDArray[np.bool_]
    is_last: NDArray[np.bool_]
    run_min: FloatArray
    dwell_min: FloatArray
    n_per_hour: FloatArray


def build_services(calls: pd.DataFrame, departures: pd.DataFrame, *, hours: Sequence[int]) -> Services:
    """
    Group stopping patterns by the stations they call at and count their trains in given hours.

    Parameters
    ----------
    calls : pandas.DataFrame
        Table `geo.tables.SERVICE_CALLS`. Never modified.
    departures : pandas.DataFrame
        Table `geo.tables.SERVICE_DEPARTURES`. Never modified.
    hours : sequence of int
        Hours of the week, 0 is Monday 00:00-00:59.

    Returns
    -------
    Services
        Services with at least one departure at one of their calls in `hours`, ordered by their station codes.

    Raises
    ------
    TableError
        If a table breaks its contract.
    """
    validate(calls, SERVICE_CALLS)
    validate(departures, SERVICE_DEPARTURES)
    rows = calls.sort_values(["pattern_id", "call_no"], kind="stable").reset_index(drop=True)
    rows["n_per_hour"] = _count_at_calls(rows, departures, hours)
    n_in_week = departures.groupby("pattern_id")["n_departures"].sum()
    rows["weight"] = rows["pattern_id"].map(n_in_week).fillna(0.0)
    by_pattern = rows.groupby("pattern_id", sort=True)
    rows["place"] = by_pattern.cumcount()
    rows["is_last"] = ~rows["pattern_id"].duplicated(keep="last")
    rows["run_min"] = by_pattern["arrival_min"].shift(-1) - rows["departure_min"]
    rows["dwell_min"] = (rows["departure_min"] - rows["arrival_min"]).fillna(0.0)
    rows.loc[rows["is_last"], "n_per_hour"] = 0.0
    rows["route"] = rows["pattern_id"].map(by_pattern["station_id"].agg(">".join))
    is_run = rows.groupby("route")["n_per_hour"].transform("sum") > 0
    return _merge_patterns(rows[is_run])


def measure_call_run_times(calls: pd.DataFrame, departures: pd.DataFrame | None = None) -> pd.DataFrame:
    """
    Measure the minutes between calls that follow each other in a pattern.

    Parameters
    ----------
    calls : pandas.DataFrame
        Table `geo.tables.SERVICE_CALLS`. Never modified.
    departures : pandas.DataFrame, optional
        Table `geo.tables.SERVICE_DEPARTURES`; each pattern then counts as often as it runs. Never modified.

    Returns
    -------
    pandas.DataFrame
        ``from_station_id, to_station_id, n_trains, least_min, time_min`` ordered by the codes; ``time_min`` is the
        median over trains.

    Raises
    ------
    TableError
        If `calls` breaks its contract.
    """
    validate(calls, SERVICE_CALLS)
    rows = calls.sort_values(["pattern_id", "call_no"], kind="stable")
    after = rows.groupby("pattern_id")[["station_id", "arrival_min"]].shift(-1)
    pairs = pd.DataFrame(
        {
            "from_station_id": rows["station_id"],
            "to_station_id": after["station_id"],
            "run_min": after["arrival_min"] - rows["departure_min"],
            "n": 1.0 if departures is None else rows["pattern_id"].map(_n_by_pattern(departures)).fillna(0.0),
        }
    ).dropna()
    pairs = pairs[pairs["n"] > 0].sort_values(["from_station_id", "to_station_id", "run_min"], kind="stable")
    ends = ["from_station_id", "to_station_id"]
    grouped = pairs.groupby(ends, sort=True)
    # The weighted median is the middle of the times at which the running count reaches and passes one half.
    running = grouped["n"].cumsum()
    half = grouped["n"].transform("sum") / 2
    low = pairs[running >= half - 1e-9].groupby(ends, sort=True)["run_min"].first()
    high = pairs[running > half + 1e-9].groupby(ends, sort=True)["run_min"].first()
    table = pd.DataFrame({"n_trains": grouped["n"].sum(), "least_min": grouped["run_min"].min()})
    table["time_min"] = (low + high) / 2
    return table.reset_index()


def _n_by_pattern(departures: pd.DataFrame) -> pd.Series:
    return validate(departures, SERVICE_DEPARTURES).groupby("pattern_id")["n_departures"].sum()


def _count_at_calls(rows: pd.DataFrame, departures: pd.DataFrame, hours: Sequence[int]) -> FloatArray:
    """Departures an hour at each call, those of an hour at the start spread evenly over that hour."""
    asked = np.zeros(HOURS_PER_WEEK)
    asked[np.asarray(hours, dtype=np.intp)] = 1.0
    table = departures.pivot_table(
        index="pattern_id", columns="hour_of_week", values="n_departures", aggfunc="sum", fill_value=0.0
    ).reindex(columns=range(HOURS_PER_WEEK), fill_value=0.0)
    starts = table.reindex(rows["pattern_id"], fill_value=0.0).to_numpy(dtype=float)
    shift_hours, later_share = np.divmod(rows["departure_min"].fillna(0.0).to_numpy() / _MINUTES_PER_HOUR, 1.0)
    hour = (np.arange(HOURS_PER_WEEK)[None, :] + shift_hours.astype(np.intp)[:, None]) % HOURS_PER_WEEK
    share = (1 - later_share)[:, None] * asked[hour] + later_share[:, None] * asked[(hour + 1) % HOURS_PER_WEEK]
    return np.asarray((starts * share).sum(axis=1) / max(len(set(hours)), 1), dtype=float)


def _merge_patterns(rows: pd.DataFrame) -> Services:
    """One run of calls for each route, times weighted by the trains of each pattern."""
    weight = rows["weight"]
    sums = (
        rows.assign(run=rows["run_min"] * weight, dwell=rows["dwell_min"] * weight)
        .groupby(["route", "place"], sort=True)
        .agg(
            station_id=("station_id", "first"),
            is_last=("is_last", "first"),
            run=("run", "sum"),
            dwell=("dwell", "sum"),
            weight=("weight", "sum"),
            n_per_hour=("n_per_hour", "sum"),
        )
        .reset_index()
    )
    is_last = sums["is_last"].to_numpy(dtype=bool)
    is_first = (sums["place"] == 0).to_numpy(dtype=bool)
    return Services(
        station_id=sums["station_id"].to_numpy(dtype=object),
        service=np.cumsum(is_first) - 1,
        is_first=is_first,
        is_last=is_last,
        run_min=np.where(is_last, np.nan, (sums["run"] / sums["weight"]).to_numpy(dtype=float)),
        dwell_min=np.where(is_first | is_last, 0.0, (sums["dwell"] / sums["weight"]).to_numpy(dtype=float)),
        n_per_hour=sums["n_per_hour"].to_numpy(dtype=float),
    )
