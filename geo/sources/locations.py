"""
Coordinates as text to National Grid metres, or a reason why not.

A fault is never mended silently: swapped columns, grid metres in degree columns, kilometres, a lost minus sign and null
island each have their own reason, and a file in which most rows share one is refused with that guess (trust.md 37-45).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geo.crs import GB_EASTING_M, GB_NORTHING_M, METRIC, WGS84, to_metric_arrays
from geo.errors import CrsError
from geo.sources.sieve import Sieve

__all__ = ["FORCE_MARGIN_M", "Positions", "cover", "locate", "parse_numbers"]

_FloatArray = NDArray[np.float64]
_BoolArray = NDArray[np.bool_]

# How far outside the force area a row is still near it (trust.md 45; the project's own number).
FORCE_MARGIN_M = 20_000.0
# A box round the United Kingdom, in degrees.
_LON_DEG = (-8.7, 1.8)
_LAT_DEG = (49.8, 60.9)
# The British coast runs west from the Wash: eastern limits of land by latitude, 0.2 degrees and more beyond the
# easternmost populated place of GeoNames in each band (Lowestoft 1.75, Chapel St Leonards 0.32, Roos -0.04).
_COAST_LAT_DEG = np.array([53.2, 53.75])
_COAST_LON_DEG = np.array([1.8, 0.55, 0.2])

# The same box in metres of Web Mercator, which web maps and some databases export.
_WEB_X_M = (-970_000.0, 210_000.0)
_WEB_Y_M = (6_400_000.0, 8_610_000.0)
# Fewer rows than this that fit the area only with their coordinates swapped are rows at fault, not the file
# (ASSUMPTION).
_TELLING_SHARE = 0.05

_GUESSES = {
    "swapped_coordinates": "The longitude and latitude columns look swapped. Swap them in the column mapping",
    "grid_metres_in_degrees": "The columns look like National Grid metres. Declare the crs as EPSG:27700",
    "degrees_in_grid_metres": "The columns look like degrees. Declare the crs as EPSG:4326",
    "swapped_grid": "The easting and northing columns look swapped. Swap them in the column mapping",
    "kilometres": "The columns look like kilometres. Export metres",
    "null_island": "Missing positions are written as 0, 0. Export them as blanks",
    "offshore_east": "The minus sign of western longitudes looks lost. Export signed longitudes",
    "lost_longitude_sign": "The minus sign of western longitudes looks lost. Export signed longitudes",
    "web_mercator": "The columns look like Web Mercator metres (EPSG:3857). Export EPSG:27700 or EPSG:4326",
    "outside_great_britain": "The positions lie outside Great Britain. Check the columns and the declared crs",
    "outside_grid": "The positions lie outside the National Grid. Check the columns and the declared crs",
    "not_a_number": "The coordinates are no plain decimal numbers. Export decimal numbers",
    "half_position": "One coordinate of two is blank. Check the column mapping",
    "out_of_area": "The positions lie far from the force area. Check that this is the right force's file",
}


@dataclass(frozen=True)
class Positions:
    """
    Positions of the rows of a file.

    Attributes
    ----------
    easting_m, northing_m : numpy.ndarray of shape (n,)
        EPSG:27700 metres; NaN where blank or rejected.
    is_blank : numpy.ndarray of shape (n,)
        Whether both coordinates were blank.
    """

    easting_m: _FloatArray
    northing_m: _FloatArray
    is_blank: _BoolArray


def parse_numbers(values: pd.Series) -> _FloatArray:
    """
    Parse plain decimal numbers; anything else, infinity included, is NaN.

    Parameters
    ----------
    values : pandas.Series
        Text. Thousands separators, currency and other scripts' digits are not numbers.

    Returns
    -------
    numpy.ndarray of shape (n,)
        Numbers.

    Examples
    --------
    >>> parse_numbers(pd.Series(["1.5", "1,500", "inf", ""]))
    array([1.5, nan, nan, nan])
    """
    numbers = pd.to_numeric(values.astype("str"), errors="coerce").to_numpy(dtype=float)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def cover(area: BaseGeometry | None, easting_m: _FloatArray, northing_m: _FloatArray) -> _BoolArray:
    """
    Tell which points lie in an area; a point on its edge does.

    Parameters
    ----------
    area : shapely geometry or None
        Polygons in EPSG:27700; None covers everything.
    easting_m, northing_m : numpy.ndarray of shape (n,)
        Points in EPSG:27700.

    Returns
    -------
    numpy.ndarray of shape (n,)
        Whether each is covered; False for NaN.
    """
    known = np.isfinite(easting_m) & np.isfinite(northing_m)
    if area is None:
        return known
    shapely.prepare(area)
    inside = np.zeros(len(known), dtype=bool)
    inside[known] = shapely.intersects_xy(area, easting_m[known], northing_m[known])
    return inside


def locate(
    rows: pd.DataFrame,
    sieve: Sieve,
    *,
    x_field: str,
    y_field: str,
    crs: str = WGS84,
    force_area: BaseGeometry | None = None,
    force_margin_m: float = FORCE_MARGIN_M,
    is_countrywide: _BoolArray | None = None,
) -> Positions:
    """
    Turn two columns of text into metres, rejecting what cannot be meant.

    Parameters
    ----------
    rows : pandas.DataFrame
        Text rows of one file.
    sieve : Sieve
        Takes the rejected rows; blank positions are not rejected here.
    x_field, y_field : str
        Longitude and latitude, or easting and northing.
    crs : str
        ``EPSG:4326`` or ``EPSG:27700``, as declared.
    force_area : shapely geometry or None
        EPSG:27700 polygons; rows more than `force_margin_m` from it are ``out_of_area``.
    force_margin_m : float
        Distance in metres.
    is_countrywide : numpy.ndarray of shape (n,), optional
        Rows of which most are meant to lie elsewhere: those that do are out of scope, and no fault.

    Returns
    -------
    Positions
        Metres for each row.

    Raises
    ------
    CrsError
        If `crs` is neither of the two.
    InputError
        If most rows share a fault; the message says what the file probably is.
    """
    if crs not in {WGS84, METRIC}:
        msg = f"crs: it is {crs!r}, expected {WGS84!r} or {METRIC!r}. Declare the one the columns are in."
        raise CrsError(msg)
    x_blank = rows[x_field].eq("").to_numpy()
    y_blank = rows[y_field].eq("").to_numpy()
    sieve.reject(x_blank ^ y_blank, "half_position", field=y_field)
    x, y = parse_numbers(rows[x_field]), parse_numbers(rows[y_field])
    sieve.reject(~x_blank & np.isnan(x), "not_a_number", field=x_field)
    sieve.reject(~y_blank & np.isnan(y), "not_a_number", field=y_field)
    known = np.isfinite(x) & np.isfinite(y)
    sieve.reject(known & (np.abs(x) < 0.01) & (np.abs(y) < 0.01), "null_island", field=x_field)
    if crs == WGS84:
        easting_m, northing_m = _locate_degrees(x, y, known, sieve, x_field, force_area)
    else:
        easting_m, northing_m = _locate_metres(x, y, known, sieve, x_field, force_area)
    if force_area is not None:
        far = sieve.kept & np.isfinite(easting_m)
        shapely.prepare(force_area)
        far[far] = ~shapely.dwithin(force_area, shapely.points(easting_m[far], northing_m[far]), force_margin_m)
        if is_countrywide is not None:
            sieve.reject(far & is_countrywide, "beyond_the_force", field=x_field, status="out_of_scope")
        sieve.reject(far, "out_of_area", field=x_field)
    sieve.require_majority(_GUESSES)
    lost = ~sieve.kept
    return Positions(np.where(lost, np.nan, easting_m), np.where(lost, np.nan, northing_m), x_blank & y_blank)


def _within(values: _FloatArray, bounds: tuple[float, float]) -> _BoolArray:
    return (values >= bounds[0]) & (values <= bounds[1])


def _locate_degrees(
    lon: _FloatArray, lat: _FloatArray, known: _BoolArray, sieve: Sieve, field: str, area: BaseGeometry | None
) -> tuple[_FloatArray, _FloatArray]:
    """Metres of the degrees that can be meant; the rest are in the sieve."""
    is_grid = ((lon > 180) | (lat > 90)) & (_on_grid(lon, lat) | _on_grid(lat, lon))
    sieve.reject(is_grid, "grid_metres_in_degrees", field=field)
    sieve.reject(known & _within(lon, _LAT_DEG) & _within(lat, _LON_DEG), "swapped_coordinates", field=field)
    sieve.reject(known & _within(lon, _WEB_X_M) & _within(lat, _WEB_Y_M), "web_mercator", field=field)
    in_box = _within(lon, _LON_DEG) & _within(lat, _LAT_DEG)
    mirrored = known & (lon > 0) & _within(-lon, _LON_DEG) & _within(lat, _LAT_DEG)
    coast = _COAST_LON_DEG[np.searchsorted(_COAST_LAT_DEG, lat)]
    sieve.reject(mirrored & (lon > coast), "offshore_east", field=field)
    sieve.reject(known & ~in_box, "outside_great_britain", field=field)
    usable = known & in_box
    easting_m, northing_m = to_metric_arrays(np.where(usable, lon, np.nan), np.where(usable, lat, np.nan))
    if area is not None and mirrored.any():
        # A point outside the force whose mirror image lies inside it has lost its sign.
        east, north = to_metric_arrays(np.where(mirrored, -lon, np.nan), lat)
        lost = mirrored & ~cover(area, easting_m, northing_m) & cover(area, east, north)
        sieve.reject(lost, "lost_longitude_sign", field=field)
    sieve.reject(usable & ~_on_grid(easting_m, northing_m), "outside_grid", field=field)
    return easting_m, northing_m


def _locate_metres(
    easting_m: _FloatArray,
    northing_m: _FloatArray,
    known: _BoolArray,
    sieve: Sieve,
    field: str,
    area: BaseGeometry | None,
) -> tuple[_FloatArray, _FloatArray]:
    """The metres that can be meant; the rest are in the sieve."""
    degrees = known & _within(easting_m, _LON_DEG) & _within(northing_m, _LAT_DEG)
    sieve.reject(degrees, "degrees_in_grid_metres", field=field)
    swapped_degrees = known & _within(northing_m, _LON_DEG) & _within(easting_m, _LAT_DEG)
    sieve.reject(swapped_degrees, "degrees_in_grid_metres", field=field)
    # The whole grid is 700 km by 1,300 km, and no British land lies within 2 km of its origin.
    sieve.reject(known & _within(easting_m, (0, 700)) & _within(northing_m, (0, 1300)), "kilometres", field=field)
    swapped = known & (easting_m > GB_EASTING_M[1]) & _on_grid(northing_m, easting_m)
    if area is not None:
        straight, mirrored = cover(area, easting_m, northing_m), cover(area, northing_m, easting_m)
        told = known & mirrored & ~straight
        swapped |= told
        # Where an area lies both ways, most rows tell nothing: those that do decide for the file.
        if told.sum() > max((known & straight & ~mirrored).sum(), _TELLING_SHARE * known.sum()):
            swapped |= known & mirrored
    sieve.reject(swapped, "swapped_grid", field=field)
    on_grid = _on_grid(easting_m, northing_m)
    sieve.reject(known & _within(easting_m, _WEB_X_M) & _within(northing_m, _WEB_Y_M), "web_mercator", field=field)
    sieve.reject(known & ~on_grid, "outside_grid", field=field)
    return np.where(on_grid, easting_m, np.nan), np.where(on_grid, northing_m, np.nan)


def _on_grid(easting_m: _FloatArray, northing_m: _FloatArray) -> _BoolArray:
    return _within(easting_m, GB_EASTING_M) & _within(northing_m, GB_NORTHING_M)
