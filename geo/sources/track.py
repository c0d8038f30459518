"""Rail track centre lines from GeoJSON or GeoPackage."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.crs import METRIC
from geo.schema import validate
from geo.sources.accounting import Reading
from geo.sources.features import to_metric_rows
from geo.sources.layers import read_layer
from geo.sources.sieve import Sieve
from geo.sources.track_tags import judge_track_tags
from geo.tables import RAIL_TRACK

__all__ = ["read_track"]


def read_track(path: Path, *, crs: str | None = None, layer: str | None = None) -> Reading[gpd.GeoDataFrame]:
    """
    Read track as LineStrings; a MultiLineString is split into its parts.

    Parameters
    ----------
    path : pathlib.Path
        GeoJSON or GeoPackage of heavy-rail track. Where features carry the tags of OpenStreetMap, lines that are not in
        use are out of scope; where none does, the account says that this is not known.
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
    # What is no track in use is out of scope whatever its shape: an export of railways holds signals and platforms.
    judge_track_tags(read.layer.drop(columns="geometry"), sieve)
    types = shapely.get_type_id(geometries)
    sieve.reject(types == -1, "unreadable_geometry")
    sieve.reject(shapely.is_empty(geometries), "empty_geometry")
    line_types = (shapely.GeometryType.LINESTRING, shapely.GeometryType.MULTILINESTRING)
    sieve.reject(~np.isin(types, line_types), "not_a_line")
    sieve.reject(~(shapely.length(geometries) > 0), "zero_length")
    _drop_twins(geometries, sieve)
    parts = shapely.get_parts(geometries[sieve.kept])
    parts = parts[shapely.length(parts) > 0]
    bounds = pd.DataFrame(np.c_[shapely.bounds(parts), shapely.length(parts)])
    parts = parts[np.lexsort((shapely.to_wkb(parts).astype(bytes), *bounds.to_numpy().T[::-1]))]
    # A line of its own may be part of another feature too.
    parts = parts[~pd.Series(shapely.to_wkb(shapely.normalize(parts)), dtype=object).duplicated().to_numpy()]
    width = len(str(len(parts)))
    index = pd.Index([f"T{n:0{width}d}" for n in range(len(parts))], name=RAIL_TRACK.index, dtype="str")
    table = gpd.GeoDataFrame(geometry=parts, index=index, crs=METRIC)
    quarantine, account = sieve.close()
    return Reading(validate(table, RAIL_TRACK), quarantine, (account,))


def _drop_twins(geometries: NDArray[np.object_], sieve: Sieve) -> None:
    """Of features with one shape, drawn in either direction, the same one is left whatever their order."""
    drawn = pd.DataFrame({"shape": shapely.to_wkb(shapely.normalize(geometries)), "wkb": shapely.to_wkb(geometries)})
    kept = drawn[sieve.kept].sort_values(["shape", "wkb"], kind="stable")
    again = np.zeros(len(drawn), dtype=bool)
    again[kept.index[kept["shape"].duplicated()]] = True
    sieve.reject(again, "same_line_again", status="duplicate")
