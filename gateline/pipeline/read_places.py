"""Read the towns that the settings name: the user's own table, or GeoNames with populations of the census."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from shapely.geometry.base import BaseGeometry

from gateline.pipeline.setting_names import columns_as_options, name_settings
from gateline.settings import InputSettings
from geo.sources.accounting import Reading
from geo.sources.built_up_areas import read_built_up_places
from geo.sources.delimited import read_delimited
from geo.sources.places import read_places, read_towns

__all__ = ["read_named_places"]


def read_named_places(
    one: dict[str, Path], named: InputSettings, force_area: BaseGeometry | None
) -> Reading[pd.DataFrame]:
    """
    Read the towns.

    Parameters
    ----------
    one : dict of str to pathlib.Path
        Path by role: ``places`` and, where it is named, ``built_up_areas``.
    named : InputSettings
        How the table is written.
    force_area : shapely geometry or None
        EPSG:27700 polygons of the force.

    Returns
    -------
    Reading of pandas.DataFrame
        Table `PLACES`.

    Raises
    ------
    InputError
        If a file cannot be used.
    """
    path, built_up = one["places"], one.get("built_up_areas")
    if built_up is not None:
        with name_settings("places with built-up areas"):
            return read_built_up_places(path, built_up, force_area=force_area)
    columns = dict(named.places_columns)
    with name_settings("places"):
        if not columns:
            read = read_delimited(path, required=["name"], optional=["bua_pop_2021", "place_id"])
            if "bua_pop_2021" in read.rows:
                return read_towns(path, force_area=force_area)
            columns = {"place_id": "place_id"} if "place_id" in read.rows else {}
        id_column = columns.pop("place_id", None)
        return read_places(
            path, force_area=force_area, id_column=id_column, crs=named.places_crs, **columns_as_options(columns)
        )
