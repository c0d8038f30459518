"""One door for geographic files: GeoJSON or GeoPackage, told apart by content."""

from __future__ import annotations

from pathlib import Path

from geo.sources.features import FeatureRows
from geo.sources.files import read_input_file
from geo.sources.geojson import parse_geojson
from geo.sources.geopackage import is_sqlite, parse_geopackage

__all__ = ["read_layer"]


def read_layer(path: Path, *, layer: str | None = None) -> FeatureRows:
    """
    Read the features of a GeoJSON or GeoPackage file.

    Parameters
    ----------
    path : pathlib.Path
        A local file, plain or gzip.
    layer : str or None
        Layer of a GeoPackage; None for its only one.

    Returns
    -------
    FeatureRows
        Properties and geometries in the declared CRS.

    Raises
    ------
    UsageError
        If the path is not a plain local path.
    InputError
        If the file is neither, or cannot be read.
    CrsError
        If it declares a reference system that is not known.
    ResourceError
        If it is too large, nested too deep, or takes too long.
    IntegrityError
        If it changes while it is read.
    """
    file = read_input_file(path)
    if is_sqlite(file.data):
        return parse_geopackage(file, path, layer=layer)
    return parse_geojson(file)
