"""
Stations that the station list lacks, taken from the timetable: those at which trains call in the region of the run.

A station opened since the list was made would vanish from every ranking without a word. The feed mostly knows where it
is. How many use it is not known then, and neither are its gates and staff: those facts stay blank.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from shapely.geometry.base import BaseGeometry

from geo.naming import name_some
from geo.schema import empty, validate
from geo.sources.accounting import Reading, RowAccount
from geo.sources.feed_stops import Bounds
from geo.sources.locations import cover
from geo.sources.patterns import TimetableReading
from geo.tables import QUARANTINE, STATIONS

__all__ = ["FeedStations", "add_feed_stations"]

_MOST_SHOWN = 10


@dataclass(frozen=True)
class FeedStations:
    """
    Stations of a run with those of its timetable.

    Attributes
    ----------
    reading : Reading of pandas.DataFrame
        Table `geo.tables.STATIONS`, and the account of the stations at which trains call and that the list lacks.
    added : tuple of str
        CRS codes of stations that come from the timetable, sorted.
    notes : tuple of str
        What was added, and what could not be, one clause each.
    """

    reading: Reading[pd.DataFrame]
    added: tuple[str, ...]
    notes: tuple[str, ...]


def add_feed_stations(
    stations: pd.DataFrame,
    timetable: TimetableReading | None,
    *,
    bounds: Bounds | None,
    force_area: BaseGeometry | None,
) -> FeedStations:
    """
    Add the stations at which trains call and that the list lacks.

    Parameters
    ----------
    stations : pandas.DataFrame
        Table `geo.tables.STATIONS`. Never modified.
    timetable : TimetableReading or None
        Trains of the week, and the stations that the feed names.
    bounds : tuple of float or None
        West, south, east and north of the region in EPSG:27700 metres; None where it has none.
    force_area : shapely geometry or None
        EPSG:27700 polygons that set `is_in_force`.

    Returns
    -------
    FeedStations
        Stations without a position or beyond the region are counted and not added.
    """
    called = [] if timetable is None else sorted(set(timetable.calls["station_id"]) - set(stations.index))
    if timetable is None or not called:
        return FeedStations(Reading(stations, empty(QUARANTINE), ()), (), ())
    found = timetable.stops.reindex(pd.Index(called, name=STATIONS.index, dtype="str"))
    has_position = found["easting_m"].notna()
    west, south, east, north = bounds or (np.inf, np.inf, -np.inf, -np.inf)
    is_here = has_position & found["easting_m"].between(west, east) & found["northing_m"].between(south, north)
    fresh, lost = found[is_here], found[~has_position]
    names = fresh["name"].fillna(pd.Series(fresh.index, index=fresh.index))
    table = pd.DataFrame(
        {
            "name": names.astype("str"),
            "easting_m": fresh["easting_m"],
            "northing_m": fresh["northing_m"],
            "is_in_force": cover(force_area, fresh["easting_m"].to_numpy(), fresh["northing_m"].to_numpy()),
        }
    ).reindex(columns=stations.columns)
    kinds = {name: kind for name, kind in stations.dtypes.items() if name != "is_in_force"}
    table = table.astype({**kinds, "is_in_force": bool})
    notes = []
    if len(fresh):
        shown = name_some([f"{name} ({code})" for code, name in names.items()], _MOST_SHOWN)
        notes.append(
            f"{len(fresh)} stations come from the timetable, as the station list lacks them, with its position and no "
            f"known passengers: {shown}"
        )
    if len(lost):
        notes.append(
            f"trains call at {len(lost)} stations that the station list lacks and whose position the timetable does "
            f"not say; these calls are left out: {name_some(lost.index, _MOST_SHOWN)}"
        )
    reasons = (
        ("out_of_scope", "beyond_the_region", int((has_position & ~is_here).sum())),
        ("out_of_scope", "no_position", len(lost)),
    )
    first = timetable.accounts[0]
    account = RowAccount(
        f"{first.source_file.split(':')[0]}:stations not listed",
        first.sha256,
        len(called),
        len(fresh),
        tuple(reason for reason in reasons if reason[2]),
        tuple(f"{note}." for note in notes),
    )
    every = validate(pd.concat([stations, table]).sort_index(), STATIONS)
    return FeedStations(Reading(every, empty(QUARANTINE), (account,)), tuple(fresh.index), tuple(notes))
