"""
One metric reference system inside, WGS 84 only at the edges.

Everything in `geo` after `geo.sources` is in British National Grid metres (EPSG:27700). A mismatch raises; nothing is
guessed. Without the OSTN15 grid, which is not shipped, the datum shift is the Helmert form of EPSG operation 1314, good
to about 2 m: enough for stations and hotspots, and the same on every machine because PROJ's network is off.
"""

from __future__ import annotations

from functools import cache

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.network import set_network_enabled

from geo.errors import CrsError

__all__ = [
    "GB_EASTING_M",
    "GB_NORTHING_M",
    "METRIC",
    "WGS84",
    "require_metric",
    "to_metric",
    "to_metric_arrays",
    "to_wgs84",
    "to_wgs84_arrays",
]

METRIC = "EPSG:27700"
WGS84 = "EPSG:4326"
# The extent of the National Grid's lettered squares.
GB_EASTING_M = (0.0, 700_000.0)
GB_NORTHING_M = (0.0, 1_300_000.0)

set_network_enabled(active=False)
FloatArray = NDArray[np.float64]


@cache
def _transformer(source: str, target: str) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True, allow_ballpark=False)


def to_metric_arrays(lon_deg: FloatArray, lat_deg: FloatArray) -> tuple[FloatArray, FloatArray]:
    """
    Project longitude and latitude to National Grid metres.

    Parameters
    ----------
    lon_deg, lat_deg : numpy.ndarray of shape (n,)
        WGS 84 degrees. NaN stays NaN.

    Returns
    -------
    tuple of numpy.ndarray
        Eastings and northings in metres, NaN where the input is NaN or outside the projection.

    Examples
    --------
    >>> easting_m, northing_m = to_metric_arrays(np.array([-1.0931]), np.array([53.9583]))
    >>> bool(abs(easting_m[0] - 459_600) < 100 and abs(northing_m[0] - 451_700) < 100)
    True
    """
    easting_m, northing_m = _transformer(WGS84, METRIC).transform(
        np.asarray(lon_deg, dtype=float), np.asarray(lat_deg, dtype=float)
    )
    outside = ~(np.isfinite(easting_m) & np.isfinite(northing_m))
    return np.where(outside, np.nan, easting_m), np.where(outside, np.nan, northing_m)


def to_wgs84_arrays(easting_m: FloatArray, northing_m: FloatArray) -> tuple[FloatArray, FloatArray]:
    """
    Unproject National Grid metres to longitude and latitude.

    Parameters
    ----------
    easting_m, northing_m : numpy.ndarray of shape (n,)
        EPSG:27700 metres. NaN stays NaN.

    Returns
    -------
    tuple of numpy.ndarray
        Longitudes and latitudes in degrees.

    Examples
    --------
    >>> lon_deg, lat_deg = to_wgs84_arrays(np.array([459_600.0]), np.array([451_700.0]))
    >>> round(float(lat_deg[0]), 2)
    53.96
    """
    lon_deg, lat_deg = _transformer(METRIC, WGS84).transform(
        np.asarray(easting_m, dtype=float), np.asarray(northing_m, dtype=float)
    )
    outside = ~(np.isfinite(lon_deg) & np.isfinite(lat_deg))
    return np.where(outside, np.nan, lon_deg), np.where(outside, np.nan, lat_deg)


def require_metric(layer: gpd.GeoDataFrame | gpd.GeoSeries, name: str) -> None:
    """
    Pass if the layer is in EPSG:27700, raise otherwise.

    Parameters
    ----------
    layer : geopandas.GeoDataFrame or geopandas.GeoSeries
        The layer to test.
    name : str
        What the caller calls it.

    Raises
    ------
    CrsError
        If the CRS is missing or is not EPSG:27700.
    """
    if layer.crs is None:
        msg = f"{name}: CRS is missing, expected {METRIC} (metre). Set it where the layer is read."
        raise CrsError(msg)
    if layer.crs != CRS(METRIC):
        unit = layer.crs.axis_info[0].unit_name
        msg = (
            f"{name}: CRS is {layer.crs.to_string()} ({unit}), expected {METRIC} (metre). "
            "Project it with geo.crs.to_metric."
        )
        raise CrsError(msg)


def to_metric(layer: gpd.GeoDataFrame, name: str) -> gpd.GeoDataFrame:
    """
    Project a layer of any declared CRS to EPSG:27700.

    Parameters
    ----------
    layer : geopandas.GeoDataFrame
        Must declare its CRS. Never modified.
    name : str
        What the caller calls it.

    Returns
    -------
    geopandas.GeoDataFrame
        A copy in EPSG:27700.

    Raises
    ------
    CrsError
        If the layer declares no CRS.
    """
    if layer.crs is None:
        msg = f"{name}: CRS is missing, expected one that is declared. Declare it in the settings or in the file."
        raise CrsError(msg)
    return layer.to_crs(METRIC)


def to_wgs84(layer: gpd.GeoDataFrame, name: str) -> gpd.GeoDataFrame:
    """
    Unproject a metric layer to WGS 84, for an output that must be in degrees.

    Parameters
    ----------
    layer : geopandas.GeoDataFrame
        In EPSG:27700. Never modified.
    name : str
        What the caller calls it.

    Returns
    -------
    geopandas.GeoDataFrame
        A copy in EPSG:4326.

    Raises
    ------
    CrsError
        If the layer is not in EPSG:27700.
    """
    require_metric(layer, name)
    return layer.to_crs(WGS84)
