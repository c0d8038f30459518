"""
OpenStreetMap files in: roads as arrays, heavy-rail track and stations as tables.

One pass of libosmium over ``.osm.pbf``, ``.osm``, ``.osm.gz`` or ``.osm.bz2`` with node locations, or one pass over an
Overpass ``.json`` answer. Out come `geo.network.road.RoadWays`, `geo.tables.RAIL_TRACK` and `geo.tables.STATIONS`.
What is not used is counted with its reason; a way with missing nodes is read as the pieces that are whole.

That pass takes sorted files with one version of each object, as extracts are. A file that shows signs of anything else
(ways before their nodes, histories, deletions, an editor's unsaved objects) is read object by object instead, which
takes longer, and the newest version of each counts.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import osmium
import pandas as pd

from geo.errors import GatelineError, InputError
from geo.network.road import RoadWays
from geo.sources.accounting import Reading, RowAccount, quarantine_rows
from geo.sources.osm_elements import TakenElements
from geo.sources.osm_guard import OsmFile, OsmLimits, hash_file, require_osm_file
from geo.sources.osm_libosmium import iter_pbf_objects, take_sorted
from geo.sources.osm_objects import take_objects
from geo.sources.osm_overpass import take_overpass
from geo.sources.osm_tables import build_rail_track, build_road_ways, build_stations
from geo.sources.osm_xml import iter_xml_objects

__all__ = ["OsmExtract", "read_osm", "require_fresh"]


@dataclass(frozen=True)
class OsmExtract:
    """
    What one file holds.

    Attributes
    ----------
    ways : RoadWays
        Roads that may be driven or walked, with the rules of their use.
    rail_track : geopandas.GeoDataFrame
        Table `geo.tables.RAIL_TRACK`.
    stations : pandas.DataFrame
        Table `geo.tables.STATIONS`, those with a CRS code; ``is_in_force`` is false for all, the caller knows the area.
    bounds_m : tuple of float or None
        West, south, east and north of what was read, EPSG:27700; None where nothing was.
    dated_on : datetime.date or None
        The date of the data.
    date_basis : str
        ``header``, or ``newest_edit`` where the file states no date, or ``none``.
    n_bad_limits : int
        Roads whose speed limit could not be read.
    """

    ways: RoadWays
    rail_track: gpd.GeoDataFrame
    stations: pd.DataFrame
    bounds_m: tuple[float, float, float, float] | None
    dated_on: date | None
    date_basis: str
    n_bad_limits: int


def read_osm(path: Path, *, limits: OsmLimits | None = None) -> Reading[OsmExtract]:
    """
    Read the roads, railways and stations of an OpenStreetMap file.

    Parameters
    ----------
    path : pathlib.Path
        A ``.osm.pbf``, ``.osm``, ``.osm.gz``, ``.osm.bz2`` or Overpass ``.json`` file.
    limits : OsmLimits, optional
        Bounds on size and time.

    Returns
    -------
    Reading of OsmExtract
        The extract; every way with ``highway`` or ``railway`` and every station that is not in it, with the reason;
        and the account of the file.

    Raises
    ------
    InputError
        If the file is absent, empty, damaged, not what its name says, outside Great Britain, or holds no road or rail.
    ResourceError
        If a limit is reached.
    """
    limits = limits or OsmLimits()
    file = require_osm_file(path, limits)
    try:
        return _finish(_take(path, file, limits), path)
    except (
        RuntimeError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        ArithmeticError,
        MemoryError,
        OSError,
        osmium.InvalidLocationError,
    ) as error:
        if isinstance(error, GatelineError):
            raise
        detail = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        msg = f"{path.name}: the {file.kind} cannot be read ({detail}), expected a whole extract. Download it again."
        raise InputError(msg) from error


def _take(path: Path, file: OsmFile, limits: OsmLimits) -> TakenElements:
    """Everything of use, by the pass that the file needs."""
    taken = TakenElements(path.name, limits)
    if file.kind == "json":
        take_overpass(path, taken)
        return taken
    if not file.is_irregular:
        take_sorted(path, file.kind, taken)
        n_ways = len(taken.seen_ways)
        # An extract that lacks most of its nodes, or has an object twice, is not what it seemed.
        if not taken.has_repeats and (n_ways == 0 or 2 * (taken.n_missing + taken.n_broken) <= n_ways):
            return taken
        taken = TakenElements(path.name, limits)
    objects = iter_pbf_objects(path) if file.kind == "pbf" else iter_xml_objects(path, file.kind)
    take_objects(objects, taken)
    return taken


def require_fresh(
    extract: OsmExtract, *, today: date, warn_days: int = 180, refuse_days: int = 365, is_accepted: bool = False
) -> tuple[str, ...]:
    """
    Pass if the extract is recent enough, with a warning where it is ageing.

    Parameters
    ----------
    extract : OsmExtract
        What was read.
    today : datetime.date
        The day to judge by.
    warn_days, refuse_days : int
        Ages in days.
    is_accepted : bool
        Whether the user has accepted an old extract.

    Returns
    -------
    tuple of str
        Warnings, empty where there are none.

    Raises
    ------
    InputError
        If the extract is older than `refuse_days` and not accepted.
    """
    if extract.dated_on is None:
        return ("osm: the extract states no date and its elements none; its age is not known.",)
    age_days = (today - extract.dated_on).days
    if age_days > refuse_days and not is_accepted:
        msg = (
            f"osm: the extract is of {extract.dated_on}, {age_days} days old, expected at most {refuse_days}. "
            "Fetch a newer one, or accept it in the settings."
        )
        raise InputError(msg)
    if age_days > warn_days:
        return (f"osm: the extract is of {extract.dated_on}, {age_days} days old.",)
    return ()


def _finish(taken: TakenElements, path: Path) -> Reading[OsmExtract]:
    """The extract with its tables in metres, its quarantine and its account."""
    if not (taken.road_ids or taken.rails):
        msg = (
            f"{taken.name}: none of {taken.n_read} roads and railways can be used, expected at least one. "
            "Check the area and content of the extract."
        )
        raise InputError(msg)
    ways, track, stations = build_road_ways(taken), build_rail_track(taken), build_stations(taken)
    bounds = np.array(
        [[ways.easting_m.min(), ways.northing_m.min(), ways.easting_m.max(), ways.northing_m.max()]]
        if len(ways.easting_m)
        else [track.total_bounds]
    )
    by_reason = Counter((status, reason) for _, status, reason, _ in taken.rejected)
    warnings = []
    if taken.n_broken:
        warnings.append(f"{taken.n_broken} ways miss nodes and are read in pieces")
    if taken.n_bad_limits:
        warnings.append(f"{taken.n_bad_limits} roads carry a speed limit that cannot be read")
    if taken.n_conditional:
        warnings.append(
            f"{taken.n_conditional} roads carry rules that hold at some hours only, which are not looked at"
        )
    rows = pd.DataFrame(taken.rejected, columns=["source_row", "status", "reason", "field"]).assign(value=None)
    extract = OsmExtract(
        ways=ways,
        rail_track=track,
        stations=stations,
        bounds_m=tuple(float(v) for v in bounds[0]),  # type: ignore[arg-type]
        dated_on=taken.dated_on,
        date_basis=taken.date_basis,
        n_bad_limits=taken.n_bad_limits,
    )
    account = RowAccount(
        source_file=taken.name,
        sha256=hash_file(path),
        n_read=taken.n_read,
        n_accepted=taken.n_read - len(taken.rejected),
        n_by_reason=tuple(sorted((*key, n) for key, n in by_reason.items())),
        warnings=tuple(warnings),
    )
    return Reading(extract, quarantine_rows(taken.name, rows), (account,))
