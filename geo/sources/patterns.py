"""Trips of any timetable format put together as stopping patterns: SERVICE_CALLS and SERVICE_DEPARTURES out."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from geo.schema import empty, validate
from geo.sources.accounting import RowAccount
from geo.sources.feed_stops import no_feed_stops
from geo.tables import SERVICE_CALLS, SERVICE_DEPARTURES

__all__ = ["REPLACEMENT", "TimetableReading", "build_patterns", "count_replacements"]

HOURS_PER_WEEK = 168
# Fate of buses that run for trains: they are counted, and are no trains.
REPLACEMENT = "rail_replacement_bus"
# ASSUMPTION. No train of Great Britain runs longer from one call to the next, nor stands longer at one.
LONGEST_RUN_MIN, LONGEST_STAND_MIN = 300.0, 120.0


@dataclass(frozen=True)
class TimetableReading:
    """
    What a timetable reader returns.

    Attributes
    ----------
    calls : pandas.DataFrame
        Table `geo.tables.SERVICE_CALLS`.
    departures : pandas.DataFrame
        Table `geo.tables.SERVICE_DEPARTURES`, counted over one week.
    interchange_min : pandas.Series
        Minutes to change trains by CRS code; empty where the format has none.
    fixed_links : pandas.DataFrame
        Columns ``from_station_id, to_station_id, mode, time_min``; empty where the format has none.
    quarantine : pandas.DataFrame
        Table `geo.tables.QUARANTINE`: faulty records. Records that are whole but not asked for are only counted.
    accounts : tuple of RowAccount
        One for each file or member.
    n_trips_by_fate : tuple of (str, int)
        How many trips were used, and why the others were not, sorted.
    replacements : pandas.Series
        Departures of rail replacement buses in the week by ``station_id``; they are in no other table.
    stops : pandas.DataFrame
        Table `geo.sources.feed_stops.FEED_STOPS`: stations that the feed itself names, with their position if it says.
    caveats : tuple of str
        What is odd about the week, one clause each.
    """

    calls: pd.DataFrame
    departures: pd.DataFrame
    interchange_min: pd.Series
    fixed_links: pd.DataFrame
    quarantine: pd.DataFrame
    accounts: tuple[RowAccount, ...]
    n_trips_by_fate: tuple[tuple[str, int], ...]
    replacements: pd.Series = field(default_factory=lambda: pd.Series(dtype="float64", name="n_departures"))
    stops: pd.DataFrame = field(default_factory=no_feed_stops)
    caveats: tuple[str, ...] = ()


def build_patterns(stops: pd.DataFrame, runs: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Put trips with the same calls and the same run times together and count their departures.

    Parameters
    ----------
    stops : pandas.DataFrame
        One row a call in calling order within each trip: ``trip, station_id, arrival_min, departure_min``, minutes
        that never run backwards; at least two calls a trip. Never modified.
    runs : pandas.DataFrame
        ``trip, hour_of_week, start_min, n_departures``, any number of rows a trip. Never modified.

    Returns
    -------
    tuple of pandas.DataFrame
        Tables `geo.tables.SERVICE_CALLS` and `geo.tables.SERVICE_DEPARTURES`, of trips that have runs. Patterns are
        numbered in the order of their calls and times.
    """
    rows = stops[stops["trip"].isin(runs["trip"])].reset_index(drop=True)
    if rows.empty:
        return empty(SERVICE_CALLS), empty(SERVICE_DEPARTURES)
    by_trip = rows.groupby("trip", sort=False)
    start_min = by_trip["departure_min"].transform("first")
    is_first, is_last = ~rows["trip"].duplicated(), ~rows["trip"].duplicated(keep="last")
    rows["arrival_min"] = (rows["arrival_min"] - start_min).mask(is_first)
    rows["departure_min"] = (rows["departure_min"] - start_min).mask(is_last)
    rows["call_no"] = by_trip.cumcount()
    arrival, departure = (rows[name].map("{:09.2f}".format) for name in ("arrival_min", "departure_min"))
    text = rows["station_id"].astype("str") + "/" + arrival + "/" + departure
    signature = text.groupby(rows["trip"], sort=False).agg(" ".join)
    codes, distinct = pd.factorize(signature, sort=True)
    width = max(6, len(str(len(distinct))))
    names = np.array([f"P{k:0{width}d}" for k in range(len(distinct))], dtype=object)
    pattern_of = pd.Series(names[codes], index=signature.index)

    rows["pattern_id"] = rows["trip"].map(pattern_of).astype("str")
    calls = rows[rows["trip"].isin(pattern_of.drop_duplicates().index)].copy()
    calls = calls.sort_values(["pattern_id", "call_no"], kind="stable")
    calls.index = pd.Index(calls["pattern_id"] + ":" + calls["call_no"].astype("str"), name=SERVICE_CALLS.index)
    counted = runs[runs["trip"].isin(pattern_of.index)]
    departures = (
        counted.assign(pattern_id=counted["trip"].map(pattern_of).astype("str"))
        .groupby(["pattern_id", "hour_of_week", "start_min"], sort=True)["n_departures"]
        .sum()
        .astype("float64")
        .reset_index()
    )
    hour, minute = departures["hour_of_week"].astype("str"), departures["start_min"].map("{:05.2f}".format)
    departures.index = pd.Index(
        departures["pattern_id"] + ":" + hour + ":" + minute, name=SERVICE_DEPARTURES.index, dtype="str"
    )
    return (
        validate(calls[list(SERVICE_CALLS.columns)], SERVICE_CALLS),
        validate(departures[list(SERVICE_DEPARTURES.columns)], SERVICE_DEPARTURES),
    )


def count_replacements(stops: pd.DataFrame, runs: pd.DataFrame) -> pd.Series:
    """
    Count the departures of buses that run for trains at each station.

    Parameters
    ----------
    stops : pandas.DataFrame
        Their calls, as for `build_patterns`. Never modified.
    runs : pandas.DataFrame
        Their starts, as for `build_patterns`. Never modified.

    Returns
    -------
    pandas.Series
        ``n_departures`` in the week by ``station_id``, sorted; where a bus ends nothing departs.
    """
    leaving = stops[stops["trip"].duplicated(keep="last")]
    weekly = runs.groupby("trip")["n_departures"].sum()
    n = leaving["trip"].map(weekly).fillna(0.0).groupby(leaving["station_id"]).sum()
    counted = n[n > 0].astype("float64").rename("n_departures").rename_axis("station_id")
    return counted.sort_index()
