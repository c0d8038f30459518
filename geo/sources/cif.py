"""
Timetables in CIF: Network Rail's full and update files, and the Rail Delivery Group's zip of them.

In: one or more files in the order in which they apply. Out: stopping patterns and their departures in one week, with
every record counted. Overlays and cancellations are settled for each train and each day. Files are read in pieces, and
cut to the week and the region as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from geo.sources.cif_files import read_cif_file
from geo.sources.cif_places import Places
from geo.sources.cif_schedules import CifTimetable, Source, count_trains, settle_cif
from geo.sources.feed_stops import Bounds, build_feed_stops
from geo.sources.feed_weeks import (
    describe_week,
    require_monday,
    require_week_held,
    tell_bank_holidays,
    tell_cover,
)
from geo.sources.files import InputStream
from geo.sources.patterns import TimetableReading, build_patterns, count_replacements
from geo.sources.rdg import FIXED_LINK_COLUMNS, read_rdg_members
from geo.sources.trip_speeds import leave_out_too_fast

__all__ = ["read_cif", "read_cif_timetable", "read_rdg"]

# Weeks to either side with which a week is compared.
_WEEKS_AROUND = 6


def read_cif(
    paths: Sequence[Path],
    *,
    week_start_on: date,
    station_of_tiploc: pd.Series | None = None,
    near: Collection[str] | None = None,
) -> TimetableReading:
    """
    Read CIF files and count the departures of one week.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        A full file first, then its updates; plain or gzip.
    week_start_on : datetime.date
        The Monday of the week to count.
    station_of_tiploc : pandas.Series, optional
        CRS codes by TIPLOC; where it has none, the file's own TI and TA records are used.
    near : collection of str, optional
        Stations of the region: trains that call at none of them are out of scope. All where not given.

    Returns
    -------
    TimetableReading
        Without interchange minutes and fixed links, which the format does not carry. Its stations have no position.

    Raises
    ------
    InputError
        If a file is no whole CIF file, or the week lies outside the dates of its trains.
    UsageError
        If `week_start_on` is not a Monday.
    """
    require_monday(week_start_on)
    places = Places(_first_codes(station_of_tiploc), near)
    timetable = _read_timetable(paths, places, week_start_on)
    names = places.names
    nowhere = np.full(len(names), np.nan)
    return _reading(
        timetable,
        paths[0].name,
        week_start_on,
        stops=build_feed_stops(list(names), list(names.values()), nowhere, nowhere),
    )


def read_cif_timetable(paths: Sequence[Path], *, station_of_tiploc: pd.Series | None = None) -> CifTimetable:
    """
    Read CIF files and apply them in order, without asking for a week.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        A full file first, then its updates; plain or gzip. Updates alone are read as they are.
    station_of_tiploc : pandas.Series, optional
        CRS codes by TIPLOC; where it has none, the file's own TI and TA records are used.

    Returns
    -------
    CifTimetable
        Schedules and the calls of those that carry passengers.

    Raises
    ------
    InputError
        If a file is no whole CIF file.
    """
    return _read_timetable(paths, Places(_first_codes(station_of_tiploc), None), None)


def read_rdg(
    path: Path, *, week_start_on: date, near: Collection[str] | None = None, bounds: Bounds | None = None
) -> TimetableReading:
    """
    Read the Rail Delivery Group's timetable zip.

    Parameters
    ----------
    path : pathlib.Path
        Zip with one member each ending in ``.MCA`` (schedules) and ``.MSN`` (stations), and optionally ``.ZTR``
        (schedules entered by hand), ``.FLF`` and ``.ALF`` (fixed links). Members are read, never extracted; others
        are counted.
    week_start_on : datetime.date
        The Monday of the week to count.
    near : collection of str, optional
        Stations of the region: trains that call at none of them are out of scope. All where not given.
    bounds : tuple of float, optional
        West, south, east and north of the region in EPSG:27700 metres: stations of the feed in it are near, too.

    Returns
    -------
    TimetableReading
        With interchange minutes and fixed links.

    Raises
    ------
    InputError
        If a member is missing or is not what its name says, or the week lies outside the dates of its trains.
    ResourceError
        If the zip is larger than the caps.
    UsageError
        If `week_start_on` is not a Monday.
    """
    require_monday(week_start_on)
    members = read_rdg_members(path, week_start_on=week_start_on, near=near, bounds=bounds)
    reading = _reading(members.timetable, path.name, week_start_on, stops=members.stops)
    reading = replace(
        reading,
        interchange_min=members.interchange_min,
        fixed_links=members.fixed_links,
        quarantine=members.quarantine,
        accounts=(*reading.accounts, *members.accounts),
    )
    return leave_out_too_fast(reading, members.stops)


def _first_codes(station_of_tiploc: pd.Series | None) -> Mapping[str, str]:
    """Codes by TIPLOC; the first in order where one has several."""
    if station_of_tiploc is None:
        return {}
    given = station_of_tiploc.sort_values(kind="stable")
    given = given[~given.index.duplicated()]
    return {str(tiploc): str(code) for tiploc, code in given.items()}


def _read_timetable(paths: Sequence[Path], places: Places, week_start_on: date | None) -> CifTimetable:
    sources = []
    for path in paths:
        stream = InputStream(path)
        file = read_cif_file(stream.pieces(), stream.name, places=places, week_start_on=week_start_on)
        sources.append(Source(stream.name, stream.sha256, file))
    return settle_cif(sources, places, week_start_on=week_start_on)


def _reading(
    timetable: CifTimetable, source_file: str, week_start_on: date, *, stops: pd.DataFrame
) -> TimetableReading:
    """The trains of a week, with what is odd about it among the warnings of the first account."""
    first_on, last_on = timetable.runs_from, timetable.runs_to
    require_week_held(source_file, week_start_on, first_on, last_on)
    caveats = [
        *tell_cover(week_start_on, first_on, last_on),
        *tell_bank_holidays(week_start_on),
        *_compare_weeks(timetable, week_start_on, first_on, last_on),
    ]
    calls, departures = build_patterns(timetable.stops, timetable.runs(timetable.stops))
    first, *others = timetable.accounts
    fates = timetable.schedules["fate"].value_counts()
    return TimetableReading(
        calls=calls,
        departures=departures,
        interchange_min=pd.Series(dtype="float64"),
        fixed_links=pd.DataFrame(columns=list(FIXED_LINK_COLUMNS)),
        quarantine=timetable.quarantine,
        accounts=(replace(first, warnings=(*first.warnings, *(f"{text}." for text in caveats))), *others),
        n_trips_by_fate=tuple(sorted((str(k), int(v)) for k, v in fates.items())),
        replacements=count_replacements(timetable.bus_stops, timetable.runs(timetable.bus_stops)),
        stops=stops,
        caveats=tuple(caveats),
    )


def _compare_weeks(
    timetable: CifTimetable, week_start_on: date, first_on: date | None, last_on: date | None
) -> list[str]:
    """What is odd about a week beside those around it."""
    if timetable.is_update:
        return ["the timetable is an update without its full file: it lacks most trains"]
    if first_on is None or last_on is None:
        return []
    around = timedelta(weeks=_WEEKS_AROUND)
    begins = max(first_on, week_start_on - around)
    ends = min(last_on, week_start_on + around + timedelta(days=6))
    trains = count_trains(timetable, begins, n_days=(ends - begins).days + 1)
    return describe_week(week_start_on, begins, trains)
