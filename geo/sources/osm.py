"""
OpenStreetMap files in: roads as arrays, heavy-rail track and stations as tables.

One pass of libosmium over ``.osm.pbf``, ``.osm``, ``.osm.gz`` or ``.osm.bz2`` with node locations, or one pass over an
Overpass ``.json`` answer. Out come `geo.network.road.RoadWays`, `geo.tables.RAIL_TRACK` and `geo.tables.STATIONS`.
What is not used is counted with its reason; a way with missing nodes is read as the pieces that are whole.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import osmium
import pandas as pd

from geo.errors import InputError, ResourceError
from geo.network.road import RoadWays
from geo.sources.accounting import Reading, RowAccount, quarantine_rows
from geo.sources.osm_elements import (
    TakenElements,
    Vertices,
    build_rail_track,
    build_road_ways,
    build_stations,
    split_whole,
)
from geo.sources.osm_guard import OsmLimits, hash_file, require_osm_file

__all__ = ["OsmExtract", "read_osm", "require_fresh"]

_DEEPEST_JSON = 64


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
    kind = require_osm_file(path, limits)
    taken = TakenElements(path.name, limits)
    try:
        if kind == "json":
            _take_overpass(path, taken)
        else:
            _take_osmium(path, kind, taken)
    except (RuntimeError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, (InputError, ResourceError)):
            raise
        msg = f"{path.name}: the {kind} cannot be read ({error}), expected a whole extract. Download it again."
        raise InputError(msg) from error
    return _finish(taken, path)


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


def _take_osmium(path: Path, kind: str, taken: TakenElements) -> None:
    """Everything of use in a file that libosmium reads; the format is the one that was found, not the name's."""
    source = osmium.io.File(str(path), {"xml": "osm", "gz": "osm.gz", "bz2": "osm.bz2", "pbf": "pbf"}[kind])
    entities = osmium.osm.NODE | osmium.osm.WAY
    newest: datetime | None = None
    processor = osmium.FileProcessor(source, entities).with_locations()
    for element in processor.with_filter(osmium.filter.KeyFilter("highway", "railway")):
        if isinstance(element, osmium.osm.Node) and not element.deleted and "railway" in element.tags:
            tags = {tag.k: tag.v for tag in element.tags}
            taken.add_station(f"node {element.id}", tags, element.lon, element.lat)
        elif isinstance(element, osmium.osm.Way) and not element.deleted:
            tags = {tag.k: tag.v for tag in element.tags}
            pieces, n_missing = _whole_pieces(element.nodes)
            taken.take_way(element.id, tags, pieces, n_missing)
            newest = element.timestamp if newest is None else max(newest, element.timestamp)
    stated = processor.header.get("osmosis_replication_timestamp") or processor.header.get("timestamp")
    if stated:
        taken.dated_on, taken.date_basis = date.fromisoformat(stated[:10]), "header"
    elif newest is not None and newest.year > 2000:  # a file without metadata says 1970
        taken.dated_on, taken.date_basis = newest.date(), "newest_edit"


def _whole_pieces(nodes: osmium.osm.WayNodeList) -> tuple[list[Vertices], int]:
    """Runs of at least two vertices that are all in the file, and how many are not."""
    try:
        vertices = [(node.ref, node.lon, node.lat) for node in nodes]
    except osmium.InvalidLocationError:
        return split_whole([(n.ref, n.location.lon, n.location.lat) if n.location.valid() else None for n in nodes])
    return ([vertices] if len(vertices) > 1 else []), 0


def _take_overpass(path: Path, taken: TakenElements) -> None:
    """Everything of use in an Overpass answer with nodes, or with the geometry of its ways."""
    text = path.read_text(encoding="utf-8")
    if text.count("[") + text.count("{") > 0 and _depth(text) > _DEEPEST_JSON:
        msg = f"{path.name}: the JSON is nested deeper than {_DEEPEST_JSON}, expected an Overpass answer. Check it."
        raise InputError(msg)
    answer = json.loads(text)
    if not isinstance(answer, dict) or not isinstance(answer.get("elements"), list):
        msg = f"{path.name}: there is no list of elements, expected an Overpass answer. Download it again."
        raise InputError(msg)
    if "runtime error" in str(answer.get("remark", "")):
        msg = f"{path.name}: Overpass stopped early ({answer['remark'][:200]}), expected a whole answer. Fetch again."
        raise InputError(msg)
    where = {e["id"]: (float(e["lon"]), float(e["lat"])) for e in _of_type(answer, "node")}
    for element in _of_type(answer, "node"):
        if "railway" in element.get("tags", {}):
            taken.add_station(f"node {element['id']}", element["tags"], *where[element["id"]])
    for element in _of_type(answer, "way"):
        tags = element.get("tags", {})
        if "highway" in tags or "railway" in tags:
            pieces, n_missing = split_whole(_overpass_vertices(element, where))
            taken.take_way(int(element["id"]), tags, pieces, n_missing)
    stated = str(answer.get("osm3s", {}).get("timestamp_osm_base", ""))
    if stated:
        taken.dated_on, taken.date_basis = date.fromisoformat(stated[:10]), "header"


def _of_type(answer: Mapping[str, Any], kind: str) -> Iterator[Mapping[str, Any]]:
    return (element for element in answer["elements"] if element.get("type") == kind)


def _overpass_vertices(
    way: Mapping[str, Any], where: Mapping[int, tuple[float, float]]
) -> list[tuple[int, float, float] | None]:
    """The vertices of a way, None for each that the answer does not hold."""
    points = way.get("geometry")
    if points is None:
        return [(ref, *where[ref]) if ref in where else None for ref in way["nodes"]]
    return [
        None if point is None else (ref, float(point["lon"]), float(point["lat"]))
        for ref, point in zip(way["nodes"], points, strict=True)
    ]


def _depth(text: str) -> int:
    """How deeply brackets nest, those inside texts too: an upper bound that needs no parser."""
    codes = np.frombuffer(text.encode(), dtype=np.uint8)
    steps = np.isin(codes, (91, 123)).astype(np.int64) - np.isin(codes, (93, 125))
    return int(np.cumsum(steps).max(initial=0))


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
