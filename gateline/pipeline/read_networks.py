"""Read the networks that the settings name: track, roads and timetable, each file once whatever its roles."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from gateline.pipeline.setting_names import name_settings
from gateline.settings import InputSettings
from geo.errors import InputError, UsageError
from geo.network.road import Roads
from geo.network.road_cutting import build_roads
from geo.sources.accounting import Reading
from geo.sources.archives import open_archive
from geo.sources.cif import read_cif, read_rdg
from geo.sources.feed_stops import Bounds
from geo.sources.gtfs import read_gtfs
from geo.sources.mapped import read_mapped
from geo.sources.osm import OsmExtract, read_osm, require_fresh
from geo.sources.patterns import TimetableReading
from geo.sources.track import read_track
from geo.sources.trip_speeds import leave_out_too_fast

__all__ = ["Networks", "read_networks"]

_OSM_SUFFIXES = (".pbf", ".osm", ".osm.gz", ".osm.bz2", ".json")
_CIF_SUFFIXES = (".cif", ".cif.gz", ".mca")
# The kinds of route that are railways: 2 of GTFS, and 100 to 117 of its extension.
_RAIL_ROUTES = frozenset({2, *range(100, 118)})


@dataclass(frozen=True)
class Networks:
    """
    Track, roads and trains of one run.

    Attributes
    ----------
    track : geopandas.GeoDataFrame
        Table `geo.tables.RAIL_TRACK`.
    roads : Roads or None
        Graphs for walking and driving.
    timetable : TimetableReading or None
        Trains of one week.
    readings : list
        What was read, with quarantine and accounts, each file once.
    """

    track: gpd.GeoDataFrame
    roads: Roads | None
    timetable: TimetableReading | None
    readings: list[Reading[Any]] = field(repr=False)


def read_networks(
    files: dict[str, Path],
    named: InputSettings,
    *,
    dated_on: date,
    stations: pd.DataFrame | None = None,
    near: Collection[str] | None = None,
    bounds: Bounds | None = None,
) -> Networks:
    """
    Read track, roads and timetable.

    Parameters
    ----------
    files : dict of str to pathlib.Path
        Path by role: ``rail_track``, and where they are named ``roads``, ``timetable`` and ``tiplocs``.
    named : InputSettings
        With the week of the timetable and whether an old extract is accepted.
    dated_on : datetime.date
        The day by which the age of an OpenStreetMap extract is judged: the end of the data, not today, so that a run
        can be repeated.
    stations : pandas.DataFrame, optional
        Table `geo.tables.STATIONS`: places, for timetables that have none.
    near : collection of str, optional
        Stations of the region: of a national feed only trains that call at one of them are kept.
    bounds : tuple of float, optional
        West, south, east and north of the region in EPSG:27700 metres: stations of the feed in it are near, too.

    Returns
    -------
    Networks
        Roads and timetable are None where no file is named.

    Raises
    ------
    InputError
        If a file cannot be used, is of no known kind, or is too old.
    UsageError
        If the week of the timetable is not stated.
    """
    extracts = {
        path: _read_extract(path, named, dated_on)
        for path in sorted({files[role] for role in ("rail_track", "roads") if role in files})
        if path.name.lower().endswith(_OSM_SUFFIXES)
    }
    readings: list[Reading[Any]] = list(extracts.values())
    track_path, road_path = files["rail_track"], files.get("roads")
    if track_path in extracts:
        track = extracts[track_path].table.rail_track
    else:
        with name_settings("rail_track"):
            reading = read_track(track_path, **named.options("rail_track", "crs", "layer"))
        readings.append(reading)
        track = reading.table
    if road_path is not None and road_path not in extracts:
        kinds = ", ".join(_OSM_SUFFIXES)
        msg = f"{road_path.name}: it is no OpenStreetMap file, expected one that ends in {kinds}. Mend inputs.roads."
        raise InputError(msg)
    timetable = None
    if "timetable" in files:
        with name_settings("timetable"):
            timetable = _read_timetable(files["timetable"], files.get("tiplocs"), named, near, bounds)
        if stations is not None and timetable.stops["easting_m"].isna().all():
            timetable = leave_out_too_fast(timetable, stations)
        readings.append(Reading(timetable.calls, timetable.quarantine, timetable.accounts))
    roads = None if road_path is None else build_roads(extracts[road_path].table.ways)
    return Networks(track, roads, timetable, readings)


def _read_extract(path: Path, named: InputSettings, dated_on: date) -> Reading[OsmExtract]:
    """The extract, with its age among the warnings of its account."""
    reading = read_osm(path)
    with name_settings("osm"):
        warnings = require_fresh(reading.table, today=dated_on, is_accepted=named.accept_old_osm)
    first, *others = reading.accounts
    return replace(reading, accounts=(replace(first, warnings=(*first.warnings, *warnings)), *others))


def _read_timetable(
    path: Path, tiplocs: Path | None, named: InputSettings, near: Collection[str] | None, bounds: Bounds | None
) -> TimetableReading:
    """Stopping patterns and departures of the week in the settings."""
    if named.timetable_week_start_on is None:
        msg = (
            "region.toml: inputs.timetable_week_start_on is not set, expected the Monday of the week to count. Set it."
        )
        raise UsageError(msg)
    week_start_on = named.timetable_week_start_on
    station_of_stop = None if tiplocs is None else _read_tiplocs(tiplocs, named)
    name = path.name.lower()
    if name.endswith(_CIF_SUFFIXES):
        return read_cif([path], week_start_on=week_start_on, station_of_tiploc=station_of_stop, near=near)
    if not name.endswith(".zip"):
        msg = f"{path.name}: no known kind of timetable, expected .CIF, .CIF.gz or .zip. Mend inputs.timetable."
        raise InputError(msg)
    if _holds_schedules(path):
        return read_rdg(path, week_start_on=week_start_on, near=near, bounds=bounds)
    return read_gtfs(
        path,
        week_start_on=week_start_on,
        station_of_stop=station_of_stop,
        route_types=_RAIL_ROUTES,
        near=near,
        bounds=bounds,
    )


def _holds_schedules(path: Path) -> bool:
    """Whether a zip is that of the Rail Delivery Group."""
    return any(name.upper().endswith(".MCA") for name in open_archive(path).members)


def _read_tiplocs(path: Path, named: InputSettings) -> pd.Series:
    """CRS codes by TIPLOC or stop id, the first of each; rows without a code are stops that are no stations."""
    with name_settings("tiplocs"):
        rows = read_mapped(path, named.tiplocs_columns, what="tiplocs", required=["stop_id", "stop_code"]).rows
    rows = rows[rows["stop_code"].astype("str").str.fullmatch("[A-Z]{3}")]
    rows = rows.sort_values(["stop_id", "stop_code"], kind="stable").drop_duplicates("stop_id")
    return rows.set_index("stop_id")["stop_code"]
