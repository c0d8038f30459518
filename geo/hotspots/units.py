"""
Spatial units other than squares, and who neighbours whom: hexagons and areas such as LSOAs.

In: a study area, or `geo.tables.AREAS`. Out: polygons and sparse neighbour matrices for
`geo.hotspots.local_statistics`. Street segments get theirs from
`geo.hotspots.network_density.Network.build_neighbours`.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy import sparse

from geo.crs import METRIC, require_metric
from geo.errors import UsageError

__all__ = ["build_area_neighbours", "build_hexagons", "sum_in_areas"]

FloatArray = NDArray[np.float64]


def build_hexagons(area: shapely.Geometry, *, side_m: float) -> gpd.GeoDataFrame:
    """
    Cover an area with regular hexagons whose centres lie in it.

    Parameters
    ----------
    area : shapely.Geometry
        Polygon or MultiPolygon in EPSG:27700.
    side_m : float
        Side of a hexagon, metres.

    Returns
    -------
    geopandas.GeoDataFrame
        Hexagons with a side to the west, indexed by ``hexagon_id``, from the south-west; a lattice through the false
        origin, so that a hexagon means the same place in every run.

    Raises
    ------
    UsageError
        If the side is not positive.
    """
    if not side_m > 0:
        msg = f"side_m: it is {side_m!r}, expected a positive length in metres. Give the side of a hexagon."
        raise UsageError(msg)
    width_m, height_m = np.sqrt(3) * side_m, 1.5 * side_m
    west, south, east, north = shapely.bounds(area)
    rows, columns = np.meshgrid(
        np.arange(np.floor(south / height_m), np.ceil(north / height_m) + 1),
        np.arange(np.floor(west / width_m) - 1, np.ceil(east / width_m) + 1),
        indexing="ij",
    )
    row, column = rows.ravel(), columns.ravel()
    centre_east, centre_north = (column + 0.5 * (row % 2)) * width_m, row * height_m
    shapely.prepare(area)
    inside = shapely.contains_xy(area, centre_east, centre_north)
    row, column = row[inside].astype(int), column[inside].astype(int)
    # Corners are computed on the lattice of sixths, so that two neighbours share the very same numbers.
    half = 2 * column + row % 2
    corner_east = (half[:, None] + np.array([0, 1, 1, 0, -1, -1])) * (width_m / 2)
    corner_north = (3 * row[:, None] + np.array([2, 1, -1, -2, -1, 1])) * (side_m / 2)
    polygons = shapely.polygons(np.stack([corner_east, corner_north], axis=-1))
    ids = [f"{c}-{r}" for c, r in zip(column, row, strict=True)]
    return gpd.GeoDataFrame(index=pd.Index(ids, name="hexagon_id", dtype="str"), geometry=polygons, crs=METRIC)


def build_area_neighbours(areas: gpd.GeoDataFrame) -> sparse.csr_array:
    """
    Build binary weights between polygons that touch.

    Parameters
    ----------
    areas : geopandas.GeoDataFrame
        Polygons in EPSG:27700, such as `geo.tables.AREAS`. Never modified.

    Returns
    -------
    scipy.sparse.csr_array of shape (n_areas, n_areas)
        Symmetric, ones, empty diagonal; polygons that share any point are neighbours (queen).

    Raises
    ------
    CrsError
        If the areas are not in EPSG:27700.
    """
    require_metric(areas, "areas")
    geometry = areas.geometry.to_numpy()
    one, other = shapely.STRtree(geometry).query(geometry, predicate="intersects")
    apart = one != other
    n = len(geometry)
    return sparse.csr_array((np.ones(int(apart.sum())), (one[apart], other[apart])), shape=(n, n))


def sum_in_areas(
    areas: gpd.GeoDataFrame, easting_m: FloatArray, northing_m: FloatArray, weight: FloatArray
) -> FloatArray:
    """
    Sum weights over the points in each polygon.

    Parameters
    ----------
    areas : geopandas.GeoDataFrame
        Polygons in EPSG:27700 that do not overlap.
    easting_m, northing_m, weight : numpy.ndarray of shape (n,)
        Points in metres and their weights. A point on a border counts in the first of its polygons, so once.

    Returns
    -------
    numpy.ndarray of shape (n_areas,)
        Sums.

    Raises
    ------
    CrsError
        If the areas are not in EPSG:27700.
    """
    require_metric(areas, "areas")
    geometry = areas.geometry.to_numpy()
    point, area = shapely.STRtree(geometry).query(shapely.points(easting_m, northing_m), predicate="intersects")
    first = np.full(len(easting_m), len(geometry))
    np.minimum.at(first, point, area)
    return np.bincount(first, weights=weight, minlength=len(geometry) + 1)[: len(geometry)].astype(float)
