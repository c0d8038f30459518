"""
GeoPackage through the standard library's SQLite, read-only, feature tables only.

GDAL is not asked: it opens by content and runs what views and triggers say. Here the header and the application id are
checked, the database is opened immutable with a distrusted schema, and only columns of real tables that
``gpkg_contents`` lists as features are read (trust.md S9, S11).
"""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.errors import InputError, ResourceError
from geo.sources.features import FeatureRows
from geo.sources.files import MAX_INPUT_BYTES, read_input_file, require_plain_path

__all__ = ["is_sqlite", "read_geopackage"]

_MAGIC = b"SQLite format 3\0"
# OGC 12-128r19, requirement 2: GPKG since 1.2, GP10 and GP11 before.
_APPLICATION_IDS = (b"GPKG", b"GP10", b"GP11")
_ENVELOPE_BYTES = (0, 32, 48, 48, 64)
_MAX_FEATURES = 1_000_000


def is_sqlite(path: Path) -> bool:
    """
    Tell whether a file begins as a SQLite database does.

    Parameters
    ----------
    path : pathlib.Path
        A local file; a missing one is none.

    Returns
    -------
    bool
        Whether it does.

    Raises
    ------
    UsageError
        If the path is not a plain local path.
    """
    plain = require_plain_path(path)
    if not plain.is_file():
        return False
    with plain.open("rb") as stream:
        return stream.read(len(_MAGIC)) == _MAGIC


def read_geopackage(path: Path, *, layer: str | None = None, max_bytes: int = MAX_INPUT_BYTES) -> FeatureRows:
    """
    Read the features of one layer.

    Parameters
    ----------
    path : pathlib.Path
        GeoPackage.
    layer : str or None
        Table name; None for the only feature table.
    max_bytes : int
        Largest size on disk.

    Returns
    -------
    FeatureRows
        Properties and geometries, numbered from 1 in the order of the table's keys.

    Raises
    ------
    UsageError
        If the path is not a plain local path.
    InputError
        If the file is no GeoPackage, is damaged, or the layer is not there.
    ResourceError
        If it is too large or has more than a million features.
    IntegrityError
        If it changes while it is read.
    """
    file = read_input_file(path, max_bytes=max_bytes)
    if not file.data.startswith(_MAGIC) or file.data[68:72] not in _APPLICATION_IDS:
        msg = f"{file.name}: it is no GeoPackage, expected its application id in the header. Export the layer again."
        raise InputError(msg)
    try:
        # The bytes that were hashed are the bytes that are read: no second open of the path, no journal beside it.
        with closing(sqlite3.connect(":memory:")) as database:
            database.deserialize(file.data)
            database.execute("PRAGMA trusted_schema = OFF")
            database.execute("PRAGMA query_only = ON")
            name, column, srs = _choose_layer(database, layer, file.name)
            rows = pd.read_sql_query(f"SELECT * FROM {_quoted(name)} ORDER BY rowid", database)  # noqa: S608
            crs = _declared_crs(database, srs, file.name)
    except (sqlite3.Error, pd.errors.DatabaseError) as error:
        msg = f"{file.name}: its database cannot be read ({error}), expected a whole GeoPackage. Export it again."
        raise InputError(msg) from error
    if rows.empty:
        msg = f"{file.name}: layer {name!r} has 0 features, expected at least one. Export it again."
        raise InputError(msg)
    index = pd.RangeIndex(1, len(rows) + 1, name="source_row")
    blobs = np.array([_to_wkb(blob) for blob in rows[column]], dtype=object)
    geometries = shapely.force_2d(shapely.from_wkb(blobs, on_invalid="ignore"))
    properties = rows.drop(columns={column, "geometry"} & set(rows.columns)).set_axis(index)
    table = gpd.GeoDataFrame(properties, geometry=gpd.GeoSeries(geometries, index=index, crs=crs))
    return FeatureRows(file.name, file.sha256, table)


def _quoted(name: str) -> str:
    """A name as an SQL identifier; it comes from the file's own list of tables."""
    return '"' + name.replace('"', '""') + '"'


def _choose_layer(database: sqlite3.Connection, layer: str | None, file_name: str) -> tuple[str, str, int]:
    """Table, geometry column and reference system of the layer; views and virtual tables are not offered."""
    found = database.execute(
        "SELECT c.table_name, g.column_name, g.srs_id FROM gpkg_contents c JOIN gpkg_geometry_columns g "
        "ON g.table_name = c.table_name JOIN sqlite_master m ON m.name = c.table_name "
        "WHERE c.data_type = 'features' AND m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY 1"
    ).fetchall()
    chosen = [row for row in found if layer is None or row[0] == layer]
    if len(chosen) != 1:
        names = ", ".join(repr(row[0]) for row in found) or "none"
        msg = f"{file_name}: layer is {layer!r} and its feature tables are {names}, expected one. Name one of them."
        raise InputError(msg)
    n_features = database.execute(f"SELECT count(*) FROM {_quoted(chosen[0][0])}").fetchone()[0]  # noqa: S608
    if n_features > _MAX_FEATURES:
        msg = f"{file_name}: it has {n_features} features, expected at most {_MAX_FEATURES}. Cut it to the region."
        raise ResourceError(msg)
    return str(chosen[0][0]), str(chosen[0][1]), int(chosen[0][2])


def _declared_crs(database: sqlite3.Connection, srs: int, file_name: str) -> str:
    row = database.execute(
        "SELECT organization, organization_coordsys_id FROM gpkg_spatial_ref_sys WHERE srs_id = ?", (srs,)
    ).fetchone()
    if row is None or str(row[0]).upper() != "EPSG":
        msg = f"{file_name}: its reference system is {srs}, expected an EPSG code. Export the layer in EPSG:27700."
        raise InputError(msg)
    return f"EPSG:{int(row[1])}"


def _to_wkb(blob: object) -> bytes | None:
    """The well-known binary inside a GeoPackage geometry, or None."""
    if not isinstance(blob, bytes) or len(blob) < 8 or blob[:2] != b"GP":
        return None
    kind = (blob[3] >> 1) & 0b111
    if kind >= len(_ENVELOPE_BYTES):
        return None
    start = struct.calcsize("2sBBi") + _ENVELOPE_BYTES[kind]
    return blob[start:] or None
