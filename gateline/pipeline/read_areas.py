"""Read the small areas and boundaries that the settings name, and draw the force area from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from gateline.pipeline.setting_names import name_settings
from gateline.settings import InputSettings
from geo.schema import empty
from geo.sources.accounting import Reading, merge_accounts, merge_quarantine
from geo.sources.boundaries import read_areas, read_boundaries
from geo.tables import AREAS, BOUNDARIES

__all__ = ["build_force_area", "outline_options", "read_force_areas", "read_force_boundaries"]

# A town or station a little over the line is still the force's business: boundaries are generalised.
_FORCE_MARGIN_M = 500.0


def read_force_areas(path: Path | None, named: InputSettings) -> Reading[gpd.GeoDataFrame]:
    """
    Read the small areas.

    Parameters
    ----------
    path : pathlib.Path or None
        The file; none gives an empty table.
    named : InputSettings
        With the names of its properties.

    Returns
    -------
    Reading of geopandas.GeoDataFrame
        Table `AREAS`.

    Raises
    ------
    InputError
        If the file cannot be used.
    """
    if path is None:
        return Reading(empty(AREAS), merge_quarantine([]), ())
    options: dict[str, str | None] = named.options("areas", "crs", "layer")
    if named.areas_properties:
        # Who names their own properties says all there are: dwellings and deprivation may not be among them.
        options |= {"dwellings_property": None, "imd_decile_property": None}
        options |= {f"{field}_property": name for field, name in named.areas_properties.items()}
    with name_settings("areas"):
        return read_areas(path, **options)  # type: ignore[arg-type]


def read_force_boundaries(one: dict[str, Path], named: InputSettings) -> Reading[gpd.GeoDataFrame]:
    """
    Read the force boundary and the land.

    Parameters
    ----------
    one : dict of str to pathlib.Path
        Path by role: ``boundary`` and ``land``, where they are named.
    named : InputSettings
        With the names of their properties.

    Returns
    -------
    Reading of geopandas.GeoDataFrame
        Table `BOUNDARIES`.

    Raises
    ------
    InputError
        If a file cannot be used.
    """
    readings = []
    for role, kind in (("boundary", "force"), ("land", "coast")):
        if role in one:
            with name_settings(role):
                readings.append(read_boundaries(one[role], kind=kind, **outline_options(named, role)))
    if not readings:
        return Reading(empty(BOUNDARIES), merge_quarantine([]), ())
    return Reading(
        pd.concat([reading.table for reading in readings]),
        merge_quarantine([reading.quarantine for reading in readings]),
        merge_accounts(readings),
    )


def outline_options(named: InputSettings, role: str) -> dict[str, Any]:
    """
    Give the settings of an outline as `geo.sources.boundaries.read_boundaries` takes them.

    Parameters
    ----------
    named : InputSettings
        The settings.
    role : str
        ``boundary`` or ``land``.

    Returns
    -------
    dict
        Properties, CRS and layer.
    """
    given = getattr(named, f"{role}_properties") or named.boundary_properties
    properties = {"id": "boundary_code", "name": "name"} | given
    return {f"{field}_property": name for field, name in properties.items()} | named.options(role, "crs", "layer")


def build_force_area(boundaries: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> BaseGeometry | None:
    """
    Draw the force area.

    Parameters
    ----------
    boundaries, areas : geopandas.GeoDataFrame
        Tables `BOUNDARIES` and `AREAS`.

    Returns
    -------
    shapely geometry or None
        The union of the small areas and the force boundary, with a margin; None where neither is known.
    """
    force = boundaries[boundaries["kind"] == "force"]
    # Both, where both are given: an area set aside for a fault must not leave a hole in the force.
    shapes = pd.concat([areas.geometry, force.geometry])
    if len(shapes) == 0:
        return None
    area = shapely.union_all(shapes.array).buffer(_FORCE_MARGIN_M)
    shapely.prepare(area)
    return area
