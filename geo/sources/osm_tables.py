"""The tables that the elements taken from an OpenStreetMap file become, in metres."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.crs import GB_EASTING_M, GB_NORTHING_M, METRIC, to_metric_arrays
from geo.errors import InputError
from geo.network.road import FloatArray, RoadWays
from geo.schema import empty, validate
from geo.sources.osm_elements import TakenElements
from geo.tables import RAIL_TRACK, STATIONS

__all__ = ["build_rail_track", "build_road_ways", "build_stations"]


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
