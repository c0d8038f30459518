"""Rail track centre lines from GeoJSON or GeoPackage."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.crs import METRIC
from geo.schema import validate
from geo.sources.accounting import Reading
from geo.sources.features import to_metric_rows
from geo.sources.layers import read_layer
from geo.tables import RAIL_TRACK

__all__ = ["read_track"]


def read_track(path: Path, *, crs: str | None = None, layer: str | None = None) -> Reading[gpd.GeoDataFrame]:
    """
    Read track as LineStrings; a MultiLineString is split into its parts.

    Parameters
    ----------
    path : pathlib.Path
        GeoJSON or GeoPackage of heavy-rail track.
    crs : str or None
        The CRS that the settings declare; it must agree with the file.
    layer : str or None
        Layer of a GeoPackage; None for its only one.

    Returns
    -------
    Reading of geopandas.GeoDataFrame
        Table `geo.tables.RAIL_TRACK`, ordered by position so that the order of features does not matter. The account
        counts features, not parts.

    Raises
    ------
    InputError
        If the file cannot be read.
    CrsError
        If its CRS is missing, is another than declared, or does not fit its numbers.
    """
    read = read_layer(path, layer=layer)
    metric = to_metric_rows(read, crs=crs)
    sieve = read.sieve()
    geometries = metric.geometry.to_numpy()
    types = shapely.get_type_id(geometries)
    sieve.reject(types == -1, "unreadable_geometry")
    sieve.reject(shapely.is_empty(geometries), "empty_geometry")
    line_types = (shapely.GeometryType.LINESTRING, shapely.GeometryType.MULTILINESTRING)
    sieve.reject(~np.isin(types, line_types), "not_a_line")
    sieve.reject(~(shapely.length(geometries) > 0), "zero_length")
    parts = shapely.get_parts(geometries[sieve.kept])
    parts = parts[shapely.length(parts) > 0]
    bounds = pd.DataFrame(np.c_[shapely.bounds(parts), shapely.length(parts)])
    parts = parts[np.lexsort((shapely.to_wkb(parts).astype(bytes), *bounds.to_numpy().T[::-1]))]
    width = len(str(len(parts)))
    index = pd.Index([f"T{n:0{width}d}" for n in range(len(parts))], name=RAIL_TRACK.index, dtype="str")
    table = gpd.GeoDataFrame(geometry=parts, index=index, crs=METRIC)
    quarantine, account = sieve.close()
    return Reading(validate(table, RAIL_TRACK), quarantine, (account,))
