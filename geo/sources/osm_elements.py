"""
The elements of an OpenStreetMap file that are of use, as they are met, and the tables they become.

Both readers, of libosmium's formats and of Overpass answers, fill one `TakenElements`; each element is judged once, by
`geo.sources.osm_tags`, and is either taken or rejected with a reason.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.crs import GB_EASTING_M, GB_NORTHING_M, METRIC, to_metric_arrays
from geo.errors import InputError, ResourceError
from geo.network.road import FloatArray, RoadWays
from geo.schema import empty, validate
from geo.sources.osm_guard import OsmLimits
from geo.sources.osm_tags import ROAD_TAGS, RoadUse, parse_rail, parse_road, parse_station
from geo.tables import RAIL_TRACK, STATIONS

__all__ = ["TakenElements", "Vertices", "build_rail_track", "build_road_ways", "build_stations", "split_whole"]

Vertices = list[tuple[int, float, float]]


@dataclass
class TakenElements:
    """
    What has been taken from one file so far.

    Attributes
    ----------
    name : str
        File name.
    limits : OsmLimits
        Bounds on vertices and seconds.
    started_s : float
        When reading began, on the monotonic clock.
    road_ids, road_sizes, road_nodes, road_lon, road_lat : array.array
        Ids and numbers of vertices of the roads, and their vertices one road after the other.
    road_uses : list of RoadUse
        Rules of use of each road.
    rails : dict
        Vertices of each piece of track.
    stations : dict
        Name, longitude and latitude by CRS code.
    rejected : list of tuple
        Number, status, reason and name of each element that is not used.
    uses : dict
        Rules of use by the tags that give them.
    seen_ways : set of int
        Way ids met.
    n_read, n_vertices, n_broken, n_bad_limits : int
        Elements read, vertices, ways with missing nodes, limits that cannot be read.
    dated_on : datetime.date or None
        Date of the data.
    date_basis : str
        Where that date comes from.
    """

    name: str
    limits: OsmLimits
    started_s: float = field(default_factory=time.monotonic)
    road_ids: array[int] = field(default_factory=lambda: array("q"))
    road_sizes: array[int] = field(default_factory=lambda: array("q"))
    road_nodes: array[int] = field(default_factory=lambda: array("q"))
    road_lon: array[float] = field(default_factory=lambda: array("d"))
    road_lat: array[float] = field(default_factory=lambda: array("d"))
    road_uses: list[RoadUse] = field(default_factory=list)
    rails: dict[str, Vertices] = field(default_factory=dict)
    stations: dict[str, tuple[str, float, float]] = field(default_factory=dict)
    rejected: list[tuple[int, str, str, str]] = field(default_factory=list)
    uses: dict[tuple[str | None, ...], RoadUse] = field(default_factory=dict)
    seen_ways: set[int] = field(default_factory=set)
    n_read: int = 0
    n_vertices: int = 0
    n_broken: int = 0
    n_bad_limits: int = 0
    dated_on: date | None = None
    date_basis: str = "none"

    def _reject(self, what: str, status: str, reason: str) -> None:
        self.rejected.append((self.n_read, status, reason, what))

    def take_way(self, way_id: int, tags: Mapping[str, str], pieces: list[Vertices], n_missing: int) -> None:
        """
        Take one way: an outline of a station, or a line.

        Parameters
        ----------
        way_id : int
            OpenStreetMap id.
        tags : mapping of str to str
            Its tags.
        pieces : list of list of tuple
            Runs of vertices that are whole.
        n_missing : int
            Vertices that the file does not hold.

        Raises
        ------
        ResourceError
            If a limit is reached.
        """
        if tags.get("railway") in {"station", "halt"} and "highway" not in tags:
            vertices = [vertex for piece in pieces for vertex in piece]
            if vertices:
                lon, lat = np.mean([vertex[1:] for vertex in vertices], axis=0)
                self.add_station(f"way {way_id}", tags, float(lon), float(lat))
            return
        self._add_way(way_id, tags, pieces, n_missing)

    def _add_way(self, way_id: int, tags: Mapping[str, str], pieces: list[Vertices], n_missing: int) -> None:
        """One way with ``highway`` or ``railway``; its pieces are whole."""
        self.n_read += 1
        what = f"way {way_id}"
        self.n_vertices += sum(map(len, pieces))
        if self.n_vertices > self.limits.max_vertices or time.monotonic() - self.started_s > self.limits.max_s:
            msg = (
                f"{self.name}: more than {self.limits.max_vertices} vertices or {self.limits.max_s:g} seconds, "
                "expected less. Use a smaller extract or raise the limit."
            )
            raise ResourceError(msg)
        if way_id in self.seen_ways:
            self._reject(what, "duplicate", "repeated_id")
            return
        self.seen_ways.add(way_id)
        use = self._use(tags) if "highway" in tags else None
        rail_reason = parse_rail(tags) if "railway" in tags else "not_railway"
        reason = use.reason if use is not None else rail_reason
        if (use is None or use.reason is not None) and rail_reason is not None:
            self._reject(what, "out_of_scope", reason or "not_used")
            return
        if not pieces:
            self._reject(what, "quarantined", "missing_nodes" if n_missing else "fewer_than_two_nodes")
            return
        self.n_broken += n_missing > 0
        if use is not None and use.reason is None:
            self.n_bad_limits += use.has_bad_limit
            for piece in pieces:
                self._add_road(way_id, use, piece)
        if rail_reason is None:
            for number, piece in enumerate(pieces):
                self.rails[f"w{way_id}" if number == 0 else f"w{way_id}.{number}"] = piece

    def add_station(self, what: str, tags: Mapping[str, str], lon: float, lat: float) -> None:
        """
        Take one node or outline with a ``railway`` tag; signals and crossings are not counted.

        Parameters
        ----------
        what : str
            Its kind and id.
        tags : mapping of str to str
            Its tags.
        lon, lat : float
            WGS 84 degrees.
        """
        reason = parse_station(tags)
        if reason == "not_a_station":
            return
        self.n_read += 1
        if reason is not None:
            self._reject(what, "out_of_scope", reason)
        elif tags["ref:crs"] in self.stations:
            self._reject(what, "duplicate", "repeated_crs_code")
        else:
            self.stations[tags["ref:crs"]] = (tags.get("name", tags["ref:crs"]), lon, lat)

    def _use(self, tags: Mapping[str, str]) -> RoadUse:
        key = tuple(map(tags.get, ROAD_TAGS))
        if key not in self.uses:
            self.uses[key] = parse_road(tags)
        return self.uses[key]

    def _add_road(self, way_id: int, use: RoadUse, piece: Vertices) -> None:
        nodes, lon, lat = zip(*piece, strict=True)
        self.road_ids.append(way_id)
        self.road_sizes.append(len(piece))
        self.road_nodes.extend(nodes)
        self.road_lon.extend(lon)
        self.road_lat.extend(lat)
        self.road_uses.append(use)


def split_whole(vertices: list[tuple[int, float, float] | None]) -> tuple[list[Vertices], int]:
    """
    Split a way at the vertices that the file does not hold.

    Parameters
    ----------
    vertices : list of tuple or None
        Node id, longitude and latitude of each vertex; None for one that is missing.

    Returns
    -------
    tuple
        Runs of at least two known vertices, and the number that is missing.
    """
    pieces: list[Vertices] = [[]]
    for vertex in vertices:
        if vertex is None:
            pieces.append([])
        else:
            pieces[-1].append(vertex)
    return [piece for piece in pieces if len(piece) > 1], sum(vertex is None for vertex in vertices)


def _require_gb(name: str, easting_m: FloatArray, northing_m: FloatArray) -> None:
    """Pass if every position is on the National Grid."""
    inside = (
        (easting_m >= GB_EASTING_M[0])
        & (easting_m <= GB_EASTING_M[1])
        & (northing_m >= GB_NORTHING_M[0])
        & (northing_m <= GB_NORTHING_M[1])
    )
    if not inside.all():
        msg = (
            f"{name}: {int((~inside).sum())} vertices lie outside the National Grid, expected none. "
            "Use an extract of Great Britain."
        )
        raise InputError(msg)


def build_road_ways(taken: TakenElements) -> RoadWays:
    """
    Lay out the roads taken as arrays.

    Parameters
    ----------
    taken : TakenElements
        What was taken from one file. Never modified.

    Returns
    -------
    RoadWays
        Roads in the order of the file.

    Raises
    ------
    InputError
        If a position lies outside the National Grid.
    """
    easting_m, northing_m = to_metric_arrays(np.array(taken.road_lon), np.array(taken.road_lat))
    _require_gb(taken.name, easting_m, northing_m)
    uses = taken.road_uses
    return RoadWays(
        way_id=np.array(taken.road_ids, dtype=np.int64),
        vertex_indptr=np.concatenate([[0], np.cumsum(np.array(taken.road_sizes, dtype=np.int64))]).astype(np.int64),
        node_id=np.array(taken.road_nodes, dtype=np.int64),
        easting_m=easting_m,
        northing_m=northing_m,
        drive_forward=np.array([use.drive_forward for use in uses], dtype=bool),
        drive_backward=np.array([use.drive_backward for use in uses], dtype=bool),
        walk=np.array([use.walk for use in uses], dtype=bool),
        road_class=np.array([use.road_class for use in uses], dtype=np.int8),
        limit_km_h=np.array([np.nan if use.limit_km_h is None else use.limit_km_h for use in uses], dtype=float),
    )


def build_rail_track(taken: TakenElements) -> gpd.GeoDataFrame:
    """
    Lay out the track taken as a table.

    Parameters
    ----------
    taken : TakenElements
        What was taken from one file. Never modified.

    Returns
    -------
    geopandas.GeoDataFrame
        Table `geo.tables.RAIL_TRACK`, ordered by id: ``w`` and the way's number.

    Raises
    ------
    InputError
        If a position lies outside the National Grid.
    """
    ids = sorted(taken.rails)
    vertices = [vertex for track_id in ids for vertex in taken.rails[track_id]]
    if not vertices:
        return empty(RAIL_TRACK)
    easting_m, northing_m = to_metric_arrays(np.array([v[1] for v in vertices]), np.array([v[2] for v in vertices]))
    _require_gb(taken.name, easting_m, northing_m)
    owner = np.repeat(np.arange(len(ids)), [len(taken.rails[track_id]) for track_id in ids])
    lines = shapely.linestrings(np.column_stack([easting_m, northing_m]), indices=owner)
    table = gpd.GeoDataFrame(geometry=lines, index=pd.Index(ids, name="track_id", dtype="str"), crs=METRIC)
    return validate(table, RAIL_TRACK)


def build_stations(taken: TakenElements) -> pd.DataFrame:
    """
    Lay out the stations taken as a table.

    Parameters
    ----------
    taken : TakenElements
        What was taken from one file. Never modified.

    Returns
    -------
    pandas.DataFrame
        Table `geo.tables.STATIONS`, ordered by CRS code; ``is_in_force`` is false for all.

    Raises
    ------
    InputError
        If a position lies outside the National Grid.
    """
    if not taken.stations:
        return empty(STATIONS)
    codes = sorted(taken.stations)
    easting_m, northing_m = to_metric_arrays(
        np.array([taken.stations[code][1] for code in codes]), np.array([taken.stations[code][2] for code in codes])
    )
    _require_gb(taken.name, easting_m, northing_m)
    table = pd.DataFrame(
        {
            "name": pd.array([taken.stations[code][0] for code in codes], dtype="str"),
            "easting_m": easting_m,
            "northing_m": northing_m,
            "is_in_force": False,
        },
        index=pd.Index(codes, name="station_id", dtype="str"),
    )
    return validate(table, STATIONS)
