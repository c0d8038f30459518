"""
GeoPackage through the standard library's SQLite, read-only, feature tables only.

GDAL is not asked: it opens by content and runs what views and triggers say. Here the header and the application id are
checked, the bytes that were hashed are opened in memory with a distrusted schema, and only columns of real tables that
``gpkg_contents`` lists as features are read (trust.md S9, S11). A damaged file is found by SQLite's own check of its
pages, and cannot take longer than a limit.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import pandas as pd

from geo.errors import InputError, ResourceError
from geo.sources.features import FeatureRows, drop_endless, require_known_crs
from geo.sources.files import MAX_INPUT_BYTES, InputFile, read_input_file
from geo.sources.geopackage_shapes import parse_shapes

__all__ = ["is_sqlite", "parse_geopackage", "read_geopackage"]

_MAGIC = b"SQLite format 3\0"
# OGC 12-128r19, requirement 2: GPKG since 1.2, GP10 and GP11 before.
_APPLICATION_IDS = (b"GPKG", b"GP10", b"GP11")
# The bytes of the header that say how it is written and read: 1 for a rollback journal, 2 for a write-ahead log.
_VERSIONS = slice(18, 20)
_WRITE_AHEAD = b"\2\2"
_JOURNAL_MAGIC = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"
_MAX_FEATURES = 1_000_000
# ASSUMPTION: a million features are read in seconds.
_MAX_S = 120.0
_STEPS_BETWEEN_LOOKS = 10_000


class _Layer(NamedTuple):
    """A feature table, its column of shapes, and its reference system."""

    table: str
    column: str
    srs: int


def is_sqlite(data: bytes) -> bool:
    """
    Tell whether bytes begin as a SQLite database does.

    Parameters
    ----------
    data : bytes
        The content of a file.

    Returns
    -------
    bool
        Whether they do.
    """
    return data.startswith(_MAGIC)


def read_geopackage(path: Path, *, layer: str | None = None, max_bytes: int = MAX_INPUT_BYTES) -> FeatureRows:
    """
    Read the features of one layer.

    Parameters
    ----------
    path : pathlib.Path
        GeoPackage.
    layer : str or None
        Table name, in capitals or not; None for the only feature table.
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
        If the file is no GeoPackage, is damaged or still open in another program, or the layer is not there.
    CrsError
        If its reference system is not known.
    ResourceError
        If it is too large, has more than a million features, or takes longer than two minutes.
    IntegrityError
        If it changes while it is read.
    """
    return parse_geopackage(read_input_file(path, max_bytes=max_bytes), path, layer=layer)


def parse_geopackage(file: InputFile, path: Path, *, layer: str | None = None) -> FeatureRows:
    """
    Give the features of one layer of the content of a GeoPackage.

    Parameters
    ----------
    file : InputFile
        What was read.
    path : pathlib.Path
        Where it was read, to find the journal of another program beside it.
    layer : str or None
        Table name, in capitals or not; None for the only feature table.

    Returns
    -------
    FeatureRows
        Properties and geometries, numbered from 1 in the order of the table's keys.

    Raises
    ------
    InputError
        If the content is no GeoPackage, is damaged or still open in another program, or the layer is not there.
    CrsError
        If its reference system is not known.
    ResourceError
        If it has more than a million features, or takes longer than two minutes.
    """
    if not is_sqlite(file.data) or file.data[68:72] not in _APPLICATION_IDS:
        msg = f"{file.name}: it is no GeoPackage, expected its application id in the header. Export the layer again."
        raise InputError(msg)
    content = _without_journal(file, path)
    stop_at = time.monotonic() + _MAX_S
    try:
        # The bytes that were hashed are the bytes that are read: no second open of the path, no journal beside it.
        with closing(sqlite3.connect(":memory:")) as database:
            _open_distrusted(database, content, stop_at)
            chosen = _choose_layer(database, layer, file.name)
            crs = _declared_crs(database, chosen.srs, file.name)
            columns, rows = _read_rows(database, chosen, file)
    except (sqlite3.Error, UnicodeDecodeError, OverflowError, MemoryError) as error:
        if time.monotonic() > stop_at:
            msg = f"{file.name}: reading takes longer than {_MAX_S:.0f} s, expected less. Cut it to the region."
            raise ResourceError(msg) from error
        detail = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        msg = f"{file.name}: its database cannot be read ({detail}), expected a whole GeoPackage. Export it again."
        raise InputError(msg) from error
    if not rows:
        msg = f"{file.name}: layer {chosen.table!r} has 0 features, expected at least one. Export it again."
        raise InputError(msg)
    at = next((k for k, column in enumerate(columns) if column.casefold() == chosen.column.casefold()), None)
    if at is None:
        column = chosen.column[:40]
        msg = f"{file.name}: layer {chosen.table!r} has no column {column!r}, expected its shapes. Export it again."
        raise InputError(msg)
    shapes, n_curved = parse_shapes([row[at] for row in rows])
    index = pd.RangeIndex(1, len(rows) + 1, name="source_row")
    properties = {name: [_plain(row[k]) for row in rows] for k, name in enumerate(columns) if k != at}
    properties.pop("geometry", None)
    table = gpd.GeoDataFrame(
        pd.DataFrame(properties, index=index), geometry=gpd.GeoSeries(drop_endless(shapes), index=index, crs=crs)
    )
    warnings: tuple[str, ...] = ()
    if n_curved:
        warnings = (f"{n_curved} features are curves, which are not read; convert them to straight segments.",)
    return FeatureRows(file.name, file.sha256, table, warnings)


def _plain(value: object) -> object:
    """A value of a property; bytes, which none of ours is, become the text they may be."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _without_journal(file: InputFile, path: Path) -> bytes:
    """The content with a header that names no write-ahead log, once nothing waits in one, or in a journal."""
    log, journal = (path.with_name(f"{path.name}{ending}") for ending in ("-wal", "-journal"))
    is_ahead = file.data[_VERSIONS] == _WRITE_AHEAD
    waiting = log if is_ahead and log.is_file() and log.stat().st_size else None
    if waiting is None and journal.is_file():
        with journal.open("rb") as stream:
            waiting = journal if stream.read(len(_JOURNAL_MAGIC)) == _JOURNAL_MAGIC else None
    if waiting is not None:
        msg = (
            f"{file.name}: {waiting.name} beside it holds changes that are not in it yet, expected a closed file. "
            "Close QGIS, or the program that has it open, first."
        )
        raise InputError(msg)
    if not is_ahead:
        return file.data
    return file.data[: _VERSIONS.start] + b"\1\1" + file.data[_VERSIONS.stop :]


def _open_distrusted(database: sqlite3.Connection, content: bytes, stop_at: float) -> None:
    """The content is open for reading within bounds, and its pages are whole."""
    database.deserialize(content)
    database.execute("PRAGMA trusted_schema = OFF")
    database.execute("PRAGMA query_only = ON")
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, len(content))
    database.set_progress_handler(lambda: time.monotonic() > stop_at, _STEPS_BETWEEN_LOOKS)
    # One wrong byte in a text is one wrong character, which the caller judges, and no reason to stop.
    database.text_factory = lambda value: value.decode("utf-8", "replace")
    found = [str(row[0]) for row in database.execute("PRAGMA quick_check(20)")]
    # Rules of the tables themselves that are broken are their writer's matter.
    damage = [line for line in found if line != "ok" and not line.startswith(("NULL value in", "CHECK constraint"))]
    if damage:
        raise sqlite3.DatabaseError(damage[0].strip("* \n"))


def _quoted(name: str) -> str:
    """A name as an SQL identifier; it comes from the file's own list of tables."""
    return '"' + name.replace('"', '""') + '"'


def _choose_layer(database: sqlite3.Connection, layer: str | None, file_name: str) -> _Layer:
    """Table, geometry column and reference system of the layer; views and virtual tables are not offered."""
    found = database.execute(
        "SELECT m.name, g.column_name, g.srs_id FROM gpkg_contents c JOIN gpkg_geometry_columns g "
        "ON g.table_name = c.table_name COLLATE NOCASE JOIN sqlite_master m ON m.name = c.table_name COLLATE NOCASE "
        "WHERE c.data_type = 'features' AND m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY 1"
    ).fetchmany(1000)
    if not found:
        msg = f"{file_name}: it has no feature table, expected a layer with shapes. Export the layer again."
        raise InputError(msg)
    exact = [row for row in found if layer is None or row[0] == layer]
    chosen = exact or [row for row in found if str(row[0]).casefold() == str(layer).casefold()]
    if len(chosen) != 1:
        names = ", ".join(repr(row[0]) for row in found[:20]) + (", ..." if len(found) > 20 else "")
        msg = f"{file_name}: layer is {layer!r} and its feature tables are {names}, expected one. Name one of them."
        raise InputError(msg)
    name, column, srs = chosen[0]
    if not (isinstance(column, str) and isinstance(srs, int)):
        msg = (
            f"{file_name}: its layer {name!r} names {str(column)[:40]!r} and {str(srs)[:40]!r}, expected a column of "
            "shapes and the number of a reference system. Export it again."
        )
        raise InputError(msg)
    return _Layer(str(name), column, srs)


def _declared_crs(database: sqlite3.Connection, srs: int, file_name: str) -> str:
    row = database.execute(
        "SELECT organization, organization_coordsys_id FROM gpkg_spatial_ref_sys WHERE srs_id = ?", (srs,)
    ).fetchone()
    if row is None or str(row[0]).upper() != "EPSG" or not isinstance(row[1], int):
        msg = f"{file_name}: its reference system is {srs}, expected an EPSG code. Export the layer in EPSG:27700."
        raise InputError(msg)
    return require_known_crs(f"EPSG:{row[1]}", file_name)


def _read_rows(
    database: sqlite3.Connection, chosen: _Layer, file: InputFile
) -> tuple[list[str], list[tuple[object, ...]]]:
    """Names of the columns and all rows, by key; more rows or bytes than the file can hold are damage."""
    cursor = database.execute(f"SELECT * FROM {_quoted(chosen.table)} ORDER BY rowid")  # noqa: S608
    columns = [str(column[0]) for column in cursor.description]
    rows: list[tuple[object, ...]] = []
    n_bytes = 0
    for row in cursor:
        n_bytes += sum(len(value) for value in row if isinstance(value, (str, bytes)))
        rows.append(row)
        if len(rows) > _MAX_FEATURES:
            msg = f"{file.name}: it has over {_MAX_FEATURES} features, expected at most that. Cut it to the region."
            raise ResourceError(msg)
        if n_bytes > 2 * len(file.data):
            msg = "its rows hold more than the file does"
            raise sqlite3.DatabaseError(msg)
    return columns, rows
