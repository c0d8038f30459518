"""What the readers of geographic files share: features with properties, in their own CRS, and their way to metres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from geo.crs import GB_EASTING_M, GB_NORTHING_M, to_metric
from geo.errors import CrsError, InputError
from geo.sources.sieve import Sieve

__all__ = ["FeatureRows", "require_columns", "text_of", "to_metric_rows"]

# How far a feature may reach past the National Grid: force areas and coasts go out to sea.
_SLACK_M = 100_000.0


@dataclass(frozen=True)
class FeatureRows:
    """
    The features of one file.

    Attributes
    ----------
    source_file, sha256 : str
        Name and hash of the file.
    layer : geopandas.GeoDataFrame
        Properties and two-dimensional geometries in the declared CRS, indexed by feature number from 1; a geometry
        that could not be read is None.
    """

    source_file: str
    sha256: str
    layer: gpd.GeoDataFrame

    def sieve(self) -> Sieve:
        """
        Start deciding the fate of the features.

        Returns
        -------
        Sieve
            Nothing rejected yet.
        """
        return Sieve(self.layer.drop(columns="geometry"), source_file=self.source_file, sha256=self.sha256)


def require_columns(read: FeatureRows, columns: Sequence[str]) -> None:
    """
    Pass if the features have the properties that are needed.

    Parameters
    ----------
    read : FeatureRows
        The features.
    columns : sequence of str
        Property names.

    Raises
    ------
    InputError
        If one is missing; the message names those that are there.
    """
    missing = [column for column in columns if column not in read.layer.columns]
    if missing:
        shown = ", ".join(repr(str(column)[:40]) for column in read.layer.columns if column != "geometry")
        msg = (
            f"{read.source_file}: property {', '.join(map(repr, missing))} is missing, expected it among ({shown}). "
            "Name the right property in the settings."
        )
        raise InputError(msg)


def to_metric_rows(read: FeatureRows, *, crs: str | None = None) -> gpd.GeoDataFrame:
    """
    Project features to EPSG:27700, after checking that their numbers fit the CRS they declare.

    Parameters
    ----------
    read : FeatureRows
        The features.
    crs : str or None
        The CRS that the settings declare; it must agree with the file.

    Returns
    -------
    geopandas.GeoDataFrame
        The layer in EPSG:27700; unreadable geometries stay None.

    Raises
    ------
    CrsError
        If the CRS is missing, is another than declared, or does not fit the numbers.
    """
    layer = read.layer
    if crs is not None and layer.crs is not None and CRS(crs) != layer.crs:
        msg = (
            f"{read.source_file}: its CRS is {layer.crs.to_string()}, expected {crs} as declared. Correct one of them."
        )
        raise CrsError(msg)
    if layer.crs is None and crs is not None:
        layer = layer.set_crs(crs)
    bounds = shapely.total_bounds(layer.geometry.to_numpy())
    is_degrees = layer.crs is not None and layer.crs.is_geographic
    if is_degrees and np.isfinite(bounds).all() and (np.abs(bounds) > np.array([180, 90, 180, 90])).any():
        msg = (
            f"{read.source_file}: its CRS is {layer.crs.to_string()} but coordinates reach {np.abs(bounds).max():.0f}, "
            "expected degrees. The file is probably in EPSG:27700; declare that."
        )
        raise CrsError(msg)
    metric = to_metric(layer, read.source_file)
    _require_britain(metric, read.source_file)
    return metric


def _require_britain(metric: gpd.GeoDataFrame, name: str) -> None:
    """Pass if everything that has a place lies near Great Britain; infinity, which a projection can give, does not."""
    geometries = metric.geometry.to_numpy()
    geometries = geometries[~shapely.is_missing(geometries)]
    if len(geometries) == 0:
        return  # the caller quarantines every row
    west, south, east, north = shapely.total_bounds(geometries)
    if np.isnan([west, south, east, north]).all():
        return
    if not (
        west >= GB_EASTING_M[0] - _SLACK_M
        and east <= GB_EASTING_M[1] + _SLACK_M
        and south >= GB_NORTHING_M[0] - _SLACK_M
        and north <= GB_NORTHING_M[1] + _SLACK_M
    ):
        msg = (
            f"{name}: its features span {west:.0f}, {south:.0f} to {east:.0f}, {north:.0f} in EPSG:27700, expected "
            "Great Britain. Check the declared CRS and the order of the coordinates."
        )
        raise CrsError(msg)


def text_of(values: pd.Series) -> pd.Series:
    """
    Give a property as text, blank where it is null.

    Parameters
    ----------
    values : pandas.Series
        Any property.

    Returns
    -------
    pandas.Series
        Text.
    """
    return values.map(lambda value: "" if pd.isna(value) else str(value).strip()).astype("str")
