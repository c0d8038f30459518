"""One door for geographic files: GeoJSON or GeoPackage, told apart by content."""

from __future__ import annotations

from pathlib import Path

from geo.sources.features import FeatureRows
from geo.sources.geojson import read_geojson
from geo.sources.geopackage import is_sqlite, read_geopackage

__all__ = ["read_layer"]


def read_layer(path: Path, *, layer: str | None = None) -> FeatureRows:
    """
    Read the features of a GeoJSON or GeoPackage file.

    Parameters
    ----------
    path : pathlib.Path
        A local file.
    layer : str or None
        Layer of a GeoPackage; None for its only one.

    Returns
    -------
    FeatureRows
        Properties and geometries in the declared CRS.

    Raises
    ------
    InputError
        If the file is neither, or cannot be read.
    """
    if is_sqlite(path):
        return read_geopackage(path, layer=layer)
    return read_geojson(path)
