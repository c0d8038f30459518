"""Boundaries and small areas: polygons from GeoJSON or GeoPackage, made valid and in metres."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.crs import METRIC
from geo.schema import validate
from geo.sources.accounting import Reading
from geo.sources.features import FeatureRows, numbers_of, require_columns, text_of, to_metric_rows
from geo.sources.layers import read_layer
from geo.sources.sieve import Sieve
from geo.tables import AREAS, BOUNDARIES

__all__ = ["read_areas", "read_boundaries"]

# A polygon that mending changes by more than this share of its area is reported by name.
_MENDED_SHARE = 0.001


def read_boundaries(
    path: Path,
    *,
    kind: str,
    id_property: str,
    name_property: str,
    crs: str | None = None,
    layer: str | None = None,
) -> Reading[gpd.GeoDataFrame]:
    """
    Read boundaries of one kind.

    Parameters
    ----------
    path : pathlib.Path
        GeoJSON or GeoPackage.
    kind : str
        ``force``, ``district``, ``region`` or ``coast``.
    id_property, name_property : str
        Properties of the code and the name.
    crs : str or None
        The CRS that the settings declare; it must agree with the file.
    layer : str or None
        Layer of a GeoPackage; None for its only one.

    Returns
    -------
    Reading of geopandas.GeoDataFrame
        Table `geo.tables.BOUNDARIES`, ordered by code.

    Raises
    ------
    InputError
        If the file cannot be read or a property is missing.
    CrsError
        If its CRS is missing, is another than declared, or does not fit its numbers.
    """
    read = read_layer(path, layer=layer)
    require_columns(read, [id_property, name_property])
    sieve = read.sieve()
    polygons = _sift_polygons(read, sieve, id_property=id_property, crs=crs)
    _drop_twins(sieve, polygons, pd.DataFrame({id_property: text_of(read.layer[id_property])}))
    kept = sieve.kept
    chosen = read.layer[kept]
    table = gpd.GeoDataFrame(
        {"name": text_of(chosen[name_property]).to_numpy(), "kind": kind},
        geometry=polygons[kept],
        crs=METRIC,
        index=pd.Index(text_of(chosen[id_property]), name=BOUNDARIES.index, dtype="str"),
    ).astype({"name": "str", "kind": "str"})
    quarantine, account = sieve.close()
    return Reading(validate(table.sort_index(), BOUNDARIES), quarantine, (account,))


def read_areas(
    path: Path,
    *,
    id_property: str = "lsoa21_code",
    name_property: str = "lsoa21_name",
    population_property: str = "pop_census2021",
    dwellings_property: str | None = "households_census2021",
    imd_decile_property: str | None = "IMD_decile",
    crs: str | None = None,
    layer: str | None = None,
) -> Reading[gpd.GeoDataFrame]:
    """
    Read small areas with the people in them.

    Parameters
    ----------
    path : pathlib.Path
        GeoJSON or GeoPackage.
    id_property, name_property, population_property : str
        Properties of the code, the name and the usual residents.
    dwellings_property, imd_decile_property : str or None
        Properties of dwellings or households, and of the deprivation decile; None where the file has none.
    crs : str or None
        The CRS that the settings declare; it must agree with the file.
    layer : str or None
        Layer of a GeoPackage; None for its only one.

    Returns
    -------
    Reading of geopandas.GeoDataFrame
        Table `geo.tables.AREAS`, ordered by code.

    Raises
    ------
    InputError
        If the file cannot be read or a property is missing.
    CrsError
        If its CRS is missing, is another than declared, or does not fit its numbers.
    """
    read = read_layer(path, layer=layer)
    optional = [name for name in (dwellings_property, imd_decile_property) if name is not None]
    require_columns(read, [id_property, name_property, population_property, *optional])
    sieve = read.sieve()
    polygons = _sift_polygons(read, sieve, id_property=id_property, crs=crs)
    population = _numbers(read, population_property)
    sieve.reject(~(population >= 0), "no_population", field=population_property)
    dwellings, decile = _numbers(read, dwellings_property), _numbers(read, imd_decile_property)
    sieve.reject(dwellings < 0, "negative_count", field=dwellings_property)
    sieve.reject((decile < 1) | (decile > 10), "no_decile", field=imd_decile_property)
    ids = text_of(read.layer[id_property])
    _drop_twins(sieve, polygons, pd.DataFrame({id_property: ids, "p": population, "d": dwellings, "i": decile}))
    kept = sieve.kept
    chosen = read.layer[kept]
    table = gpd.GeoDataFrame(
        {
            "name": text_of(chosen[name_property]).to_numpy(),
            "population": population[kept],
            "n_dwellings": dwellings[kept],
            "imd_decile": decile[kept],
        },
        geometry=polygons[kept],
        crs=METRIC,
        index=pd.Index(text_of(chosen[id_property]), name=AREAS.index, dtype="str"),
    ).astype({"name": "str"})
    quarantine, account = sieve.close()
    return Reading(validate(table.sort_index(), AREAS), quarantine, (account,))


def _numbers(read: FeatureRows, name: str | None) -> NDArray[np.float64]:
    """A property as numbers, NaN where it is null, no number or not asked for."""
    if name is None:
        return np.full(len(read.layer), np.nan)
    return numbers_of(read.layer[name])


def _sift_polygons(read: FeatureRows, sieve: Sieve, *, id_property: str, crs: str | None) -> NDArray[np.object_]:
    """Valid polygons in metres for each feature, once those that cannot be used are in the sieve."""
    geometries = to_metric_rows(read, crs=crs).geometry.to_numpy()
    ids = text_of(read.layer[id_property])
    sieve.reject(ids.eq("").to_numpy(), "no_id", field=id_property)
    sieve.reject(shapely.is_missing(geometries), "unreadable_geometry", field=id_property)
    sieve.reject(shapely.is_empty(geometries), "empty_geometry", field=id_property)
    broken = ~shapely.is_valid(geometries) & ~shapely.is_missing(geometries)
    mended = _keep_polygons(np.where(broken, shapely.make_valid(geometries), geometries))
    sieve.reject(~(shapely.area(mended) > 0), "not_a_polygon", field=id_property)
    change = np.abs(shapely.area(mended) - shapely.area(geometries)) > _MENDED_SHARE * shapely.area(mended)
    n_broken, n_changed = int((broken & sieve.kept).sum()), int((broken & change & sieve.kept).sum())
    if n_broken:
        sieve.warn(f"{n_broken} polygons were invalid and were mended; {n_changed} changed area by over 0.1 %.")
    return mended


def _drop_twins(sieve: Sieve, polygons: NDArray[np.object_], said: pd.DataFrame) -> None:
    """
    Each area is there once, whatever the order of the features.

    A repeated code that says the same of the same polygon is a duplicate; else neither can be trusted. One polygon
    under two codes is one area, and would count its people twice: the first code in alphabetic order is kept.
    """
    id_property = said.columns[0]
    shapes = shapely.normalize(polygons)
    is_single = shapely.get_num_geometries(shapes) == 1
    shapes[is_single] = shapely.get_geometry(shapes[is_single], 0)
    keys = said.set_axis(["id", *said.columns[1:]], axis="columns").reset_index(drop=True)
    keys["wkb"] = shapely.to_wkb(shapes)
    sieve.reject(_again(keys, sieve), "same_area_again", field=id_property, status="duplicate")
    sieve.reject(_again(keys[["id"]], sieve, keep=False), "repeated_id", field=id_property)
    by_code = keys.sort_values("id", kind="stable")
    again = _again(by_code[["wkb"]], sieve)
    sieve.reject(again, "same_shape_again", field=id_property, status="duplicate")


def _again(keys: pd.DataFrame, sieve: Sieve, *, keep: Literal["first", False] = "first") -> NDArray[np.bool_]:
    """Which features that are still accepted repeat another's keys, in the order in which the keys come."""
    kept = keys[sieve.kept[keys.index.to_numpy()]]
    again = np.zeros(len(keys), dtype=bool)
    again[kept.index[kept.duplicated(keep=keep)]] = True
    return again


def _keep_polygons(geometries: NDArray[np.object_]) -> NDArray[np.object_]:
    """The polygonal part of each geometry, None where it has none; winding and stray lines do not matter after it."""
    types = shapely.get_type_id(geometries)
    mixed = types == shapely.GeometryType.GEOMETRYCOLLECTION
    kept = geometries.copy()
    for at in np.flatnonzero(mixed):
        parts = shapely.get_parts(shapely.get_parts(geometries[at]))
        areal = parts[shapely.area(parts) > 0]
        kept[at] = shapely.union_all(areal) if len(areal) else None
    flat = np.isin(types, (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)) | mixed
    kept[~flat] = None
    return kept
