"""
Timetables in CIF: Network Rail's full and update files, and the Rail Delivery Group's zip of them.

In: one or more files in the order in which they apply. Out: stopping patterns and their departures in one week, with
every record counted. Overlays and cancellations are settled for each train and each day.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pandas as pd

from geo.errors import InputError
from geo.sources.accounting import merge_quarantine
from geo.sources.archives import open_archive
from geo.sources.cif_schedules import apply_cif, count_week_replacements, read_cif_timetable, schedule_week
from geo.sources.patterns import TimetableReading
from geo.sources.rdg_stations import FIXED_LINK_COLUMNS, parse_fixed_links, parse_master_stations

__all__ = ["read_cif", "read_rdg"]


def read_cif(
    paths: Sequence[Path], *, week_start_on: date, station_of_tiploc: pd.Series | None = None
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
        CRS codes by TIPLOC; where it has none, the file's own TI records are used.

    Returns
    -------
    TimetableReading
        Without interchange minutes and fixed links, which the format does not carry.

    Raises
    ------
    InputError
        If a file is no CIF file.
    UsageError
        If `week_start_on` is not a Monday.
    """
    timetable = read_cif_timetable(paths, station_of_tiploc=station_of_tiploc)
    calls, departures, fates = schedule_week(timetable, week_start_on=week_start_on)
    return TimetableReading(
        calls=calls,
        departures=departures,
        interchange_min=pd.Series(dtype="float64"),
        fixed_links=pd.DataFrame(columns=list(FIXED_LINK_COLUMNS)),
        quarantine=timetable.quarantine,
        accounts=timetable.accounts,
        n_trips_by_fate=fates,
        replacements=count_week_replacements(timetable, week_start_on=week_start_on),
    )


def read_rdg(path: Path, *, week_start_on: date) -> TimetableReading:
    """
    Read the Rail Delivery Group's timetable zip.

    Parameters
    ----------
    path : pathlib.Path
        Zip with one member each ending in ``.MCA`` (schedules) and ``.MSN`` (stations), and optionally ``.FLF`` and
        ``.ALF`` (fixed links). Members are read, never extracted.
    week_start_on : datetime.date
        The Monday of the week to count.

    Returns
    -------
    TimetableReading
        With interchange minutes and fixed links.

    Raises
    ------
    InputError
        If a member is missing or is not what its name says.
    ResourceError
        If the zip is larger than the caps.
    UsageError
        If `week_start_on` is not a Monday.
    """
    archive = open_archive(path)
    data: dict[str, bytes] = {}
    for suffix, is_needed in {".MCA": True, ".MSN": True, ".FLF": False, ".ALF": False}.items():
        member = archive.find(suffix)
        if member is None and is_needed:
            msg = f"{archive.name}: no member ends in {suffix!r}, expected one. Fetch the file again."
            raise InputError(msg)
        if member is not None:
            data[suffix] = archive.read(member)
    stations = parse_master_stations(data[".MSN"], f"{archive.name}:MSN", archive.sha256)
    links = [
        parse_fixed_links(data[suffix], f"{archive.name}:{suffix[1:]}", archive.sha256)
        for suffix in (".FLF", ".ALF")
        if suffix in data
    ]
    timetable = apply_cif([(f"{archive.name}:MCA", archive.sha256, data[".MCA"])], stations.station_of_tiploc)
    calls, departures, fates = schedule_week(timetable, week_start_on=week_start_on)
    fixed = pd.concat([link.table for link in links], ignore_index=True) if links else pd.DataFrame()
    fixed = fixed.reindex(columns=list(FIXED_LINK_COLUMNS))
    ends = ["from_station_id", "to_station_id"]
    fixed = fixed.sort_values([*ends, "time_min", "mode"], kind="stable").drop_duplicates(ends).reset_index(drop=True)
    return TimetableReading(
        calls=calls,
        departures=departures,
        interchange_min=stations.interchange_min,
        fixed_links=fixed,
        quarantine=merge_quarantine([timetable.quarantine, stations.quarantine, *(link.quarantine for link in links)]),
        accounts=(*timetable.accounts, stations.account, *(link.accounts[0] for link in links)),
        n_trips_by_fate=fates,
        replacements=count_week_replacements(timetable, week_start_on=week_start_on),
    )
