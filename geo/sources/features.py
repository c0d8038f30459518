"""What the readers of geographic files share: features with properties, in their own CRS, and their way to metres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from pyproj.exceptions import ProjError

from geo.crs import GB_EASTING_M, GB_NORTHING_M, METRIC, to_metric
from geo.errors import CrsError, InputError
from geo.sources.sieve import Sieve

__all__ = [
    "FeatureRows",
    "drop_endless",
    "numbers_of",
    "require_columns",
    "require_known_crs",
    "text_of",
    "to_metric_rows",
]

# How far a feature may reach past the National Grid: force areas and coasts go out to sea.
_SLACK_M = 100_000.0
# Boxes that hold Great Britain in the systems its maps come in: west, south, east, north.
_BRITAIN = {
    "EPSG:27700": (*(bounds[0] for bounds in (GB_EASTING_M, GB_NORTHING_M)), GB_EASTING_M[1], GB_NORTHING_M[1]),
    "EPSG:4326": (-9.0, 49.0, 3.0, 62.0),
    "EPSG:3857": (-1_000_000.0, 6_200_000.0, 330_000.0, 8_800_000.0),
}


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
    warnings : tuple of str
        What is already known to be poorer, one sentence each.
    """

    source_file: str
    sha256: str
    layer: gpd.GeoDataFrame
    warnings: tuple[str, ...] = ()

    def sieve(self) -> Sieve:
        """
        Start deciding the fate of the features.

        Returns
        -------
        Sieve
            Nothing rejected yet.
        """
        return Sieve(
            self.layer.drop(columns="geometry"),
            source_file=self.source_file,
            sha256=self.sha256,
            warnings=self.warnings,
        )


def require_known_crs(code: str, name: str) -> str:
    """
    Pass if a code stands for a reference system of positions on the ground.

    Parameters
    ----------
    code : str
        As ``EPSG:27700``.
    name : str
        File name.

    Returns
    -------
    str
        The code.

    Raises
    ------
    CrsError
        If there is no such system, or it is one of heights alone or of a building site.
    """
    try:
        crs = CRS(code)
    except ProjError as error:
        msg = f"{name}: its crs is {code}, which is not known, expected EPSG:27700 or EPSG:4326. Export it in one."
        raise CrsError(msg) from error
    if not (crs.is_geographic or crs.is_projected):
        msg = f"{name}: its crs is {code} ({crs.name}), expected a system of map positions. Export it in EPSG:27700."
        raise CrsError(msg)
    return code


def drop_endless(geometries: NDArray[np.object_]) -> NDArray[np.object_]:
    """
    Give two-dimensional geometries, None for each with a coordinate that is no finite number.

    Parameters
    ----------
    geometries : numpy.ndarray of shapely geometries
        None where a geometry could not be read. Never modified.

    Returns
    -------
    numpy.ndarray
        Geometries of two dimensions.
    """
    flat = np.asarray(shapely.force_2d(geometries), dtype=object)
    xy, owner = shapely.get_coordinates(flat, return_index=True)
    flat[owner[~np.isfinite(xy).all(axis=1)]] = None
    return flat


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
    if layer.crs is not None:
        _require_numbers_fit(layer, read.source_file)
    try:
        metric = to_metric(layer, read.source_file)
    except ProjError as error:
        msg = (
            f"{read.source_file}: its CRS {layer.crs.to_string()} cannot be turned into {METRIC} "
            f"({str(error).splitlines()[0][:120]}), expected one that can. Export it in {METRIC}."
        )
        raise CrsError(msg) from error
    _require_britain(metric, read.source_file)
    return metric


def _require_numbers_fit(layer: gpd.GeoDataFrame, name: str) -> None:
    """Pass unless the coordinates are metres called degrees, degrees called metres, or come latitude first."""
    bounds = shapely.total_bounds(layer.geometry.to_numpy())
    if not np.isfinite(bounds).all():
        return
    crs, is_beyond = layer.crs.to_string(), (np.abs(bounds) > np.array([180, 90, 180, 90])).any()
    if layer.crs.is_geographic and is_beyond:
        likely = next((code for code, box in _BRITAIN.items() if _is_inside(bounds, box)), "EPSG:27700")
        msg = (
            f"{name}: its CRS is {crs} but coordinates reach {np.abs(bounds).max():.0f}, expected degrees. "
            f"The file is probably in {likely}; declare that."
        )
        raise CrsError(msg)
    in_degrees = _BRITAIN["EPSG:4326"]
    is_swapped = _is_inside(bounds[[1, 0, 3, 2]], in_degrees)
    if layer.crs.is_geographic and is_swapped:
        msg = (
            f"{name}: its coordinates begin with {bounds[0]:.2f} to {bounds[2]:.2f}, expected Great Britain, longitude "
            "before latitude. The order may be swapped; export it again."
        )
        raise CrsError(msg)
    # British land is far from the origin of the grid, and of Web Mercator: such numbers are degrees.
    if layer.crs.is_projected and (is_swapped or _is_inside(bounds, in_degrees)):
        msg = (
            f"{name}: its CRS is {crs} but its coordinates look like degrees ({bounds[0]:.2f}, {bounds[1]:.2f}), "
            "expected Great Britain in metres. The file is probably in EPSG:4326; declare that."
        )
        raise CrsError(msg)


def _is_inside(bounds: NDArray[np.float64], box: tuple[float, ...]) -> bool:
    return bool((bounds[:2] >= box[:2]).all() and (bounds[2:] <= box[2:]).all())


def _require_britain(metric: gpd.GeoDataFrame, name: str) -> None:
    """Pass if everything that has a place lies near Great Britain; infinity, which a projection can give, does not."""
    geometries = metric.geometry.to_numpy()
    geometries = geometries[~shapely.is_missing(geometries)]
    if len(geometries) == 0:
        return  # the caller quarantines every row
    bounds = shapely.total_bounds(geometries)
    if np.isnan(bounds).all():
        return
    south_west, north_east = (np.array(_BRITAIN[METRIC][at : at + 2]) for at in (0, 2))
    if not ((bounds[:2] >= south_west - _SLACK_M).all() and (bounds[2:] <= north_east + _SLACK_M).all()):
        west, south, east, north = bounds
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
        Any property; a list or an object is written as Python does.

    Returns
    -------
    pandas.Series
        Text.
    """
    return values.map(
        lambda value: "" if pd.api.types.is_scalar(value) and pd.isna(value) else str(value).strip()
    ).astype("str")


def numbers_of(values: pd.Series) -> NDArray[np.float64]:
    """
    Give a property as numbers, NaN where it is null or no finite number.

    Parameters
    ----------
    values : pandas.Series
        Any property.

    Returns
    -------
    numpy.ndarray of shape (n,)
        Numbers.
    """
    plain = values.map(lambda value: value if isinstance(value, (str, float, np.number)) else _number(value))
    numbers = pd.to_numeric(plain, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _number(value: object) -> float:
    """A whole number as a float, NaN for what is none or has more digits than a float can hold."""
    try:
        return float(value) if isinstance(value, int) else np.nan
    except OverflowError:
        return np.nan
