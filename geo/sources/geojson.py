"""
GeoJSON by our own reader, with caps on size and depth, so that nothing is opened because of what it claims to be.

GDAL opens files by content: a virtual dataset named ``.geojson`` can read other files. No geographic input goes through
it here (trust.md S9, S13).
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.crs import WGS84
from geo.errors import InputError
from geo.sources.decoding import refuse_foreign
from geo.sources.features import FeatureRows, drop_endless, require_known_crs
from geo.sources.files import MAX_INPUT_BYTES, InputFile, read_input_file
from geo.sources.json_text import parse_documents

__all__ = ["parse_geojson", "read_geojson"]

_GEOMETRIES = frozenset(
    {
        "Point",
        "MultiPoint",
        "LineString",
        "MultiLineString",
        "Polygon",
        "MultiPolygon",
        "GeometryCollection",
    }
)
_WGS84 = re.compile(
    r"(?:(?:urn:(?:x-)?ogc:def:crs:)?OGC:(?:[0-9.]*:)?|https?://www\.opengis\.net/def/crs/OGC/[0-9.]+/)?CRS84",
    re.IGNORECASE,
)
_EPSG = re.compile(
    r"(?:urn:(?:x-)?ogc:def:crs:EPSG:(?:[0-9.]*:)?|https?://www\.opengis\.net/def/crs/EPSG/[0-9.]+/"
    r"|https?://www\.opengis\.net/gml/srs/epsg\.xml#|EPSG:{1,2})([0-9]{4,6})",
    re.IGNORECASE,
)
# What else is JSON and holds shapes, by what its first document says.
_OTHER_KINDS = (
    (lambda document: document.get("type") == "Topology", "TopoJSON"),
    (lambda document: "geometryType" in document or "spatialReference" in document, "Esri JSON"),
    (lambda document: "elements" in document and "osm3s" in document, "an Overpass answer"),
)


def read_geojson(path: Path, *, max_bytes: int = MAX_INPUT_BYTES) -> FeatureRows:
    """
    Read the features of a GeoJSON file.

    Parameters
    ----------
    path : pathlib.Path
        A FeatureCollection, a single feature or geometry, or features one after the other, on lines of their own
        (GeoJSONL) or after the marks of RFC 8142; plain or gzip.
    max_bytes : int
        Largest size, on disk and decompressed.

    Returns
    -------
    FeatureRows
        Properties and geometries, one row a feature, numbered from 1.

    Raises
    ------
    UsageError
        If the path is not a plain local path.
    InputError
        If the file is no GeoJSON or holds no feature.
    CrsError
        If it declares a reference system that is not known.
    ResourceError
        If it is too large or nested more than 64 deep.
    IntegrityError
        If it changes while it is read.
    """
    return parse_geojson(read_input_file(path, max_bytes=max_bytes))


def parse_geojson(file: InputFile) -> FeatureRows:
    """
    Give the features of the content of a GeoJSON file.

    Parameters
    ----------
    file : InputFile
        What was read.

    Returns
    -------
    FeatureRows
        Properties and geometries, one row a feature, numbered from 1.

    Raises
    ------
    InputError
        If the content is no GeoJSON or holds no feature.
    CrsError
        If it declares a reference system that is not known.
    ResourceError
        If it is nested more than 64 deep.
    """
    refuse_foreign(file.data, file.name, expected="GeoJSON or GeoPackage")
    documents = parse_documents(file.data, file.name, expected="GeoJSON")
    features = [feature for document in documents for feature in _features_of(document, file.name)]
    if len(documents) > 1 and any(document["type"] == "FeatureCollection" for document in documents):
        msg = (
            f"{file.name}: it is not valid GeoJSON ({len(documents)} documents, collections among them), expected one "
            "collection or features alone. Export the layer again."
        )
        raise InputError(msg)
    if not features:
        msg = f"{file.name}: it has 0 features, expected at least one. Export the layer again."
        raise InputError(msg)
    good = [feature if isinstance(feature, dict) else {} for feature in features]
    properties = [_plain(p) if isinstance(p := feature.get("properties"), dict) else {} for feature in good]
    texts = np.array([json.dumps(feature.get("geometry")) for feature in good], dtype=object)
    # What is no geometry, an absent one included, becomes None and is rejected by the caller.
    with np.errstate(all="ignore"):
        geometries = drop_endless(shapely.from_geojson(texts, on_invalid="ignore"))
    index = pd.RangeIndex(1, len(features) + 1, name="source_row")
    layer = gpd.GeoDataFrame(
        pd.DataFrame(properties, index=index).drop(columns="geometry", errors="ignore"),
        geometry=gpd.GeoSeries(geometries, index=index, crs=_declared_crs(documents, file.name)),
    )
    return FeatureRows(file.name, file.sha256, layer)


def _features_of(document: Any, name: str) -> list[Any]:  # noqa: ANN401 - a parsed document can be anything
    """The features of one document; a bare geometry is a feature without properties."""
    kind = document.get("type") if isinstance(document, dict) else None
    if kind == "FeatureCollection" and isinstance(document.get("features"), list):
        features: list[Any] = document["features"]
        _require_all(document, len(features), name)
        return features
    if kind == "Feature":
        return [document]
    if isinstance(kind, str) and kind in _GEOMETRIES:
        return [{"geometry": document}]
    other = next((what for test, what in _OTHER_KINDS if isinstance(document, dict) and test(document)), None)
    if other is not None:
        msg = f"{name}: it is {other}, expected GeoJSON or GeoPackage. Export GeoJSON or GeoPackage."
        raise InputError(msg)
    msg = f"{name}: it is JSON but no FeatureCollection, expected GeoJSON features. Export the layer again."
    raise InputError(msg)


def _require_all(document: dict[str, Any], n_features: int, name: str) -> None:
    """Pass unless a map server says that it held some of its features back."""
    properties = document.get("properties")
    members = {**(properties if isinstance(properties, dict) else {}), **document}
    n_matched = members.get("numberMatched")
    is_cut = members.get("exceededTransferLimit") is True
    if is_cut or (isinstance(n_matched, int) and n_matched > n_features):
        msg = (
            f"{name}: it has {n_features} features of more that its server holds, expected all. "
            "Fetch it in pages, or as a whole download."
        )
        raise InputError(msg)


def _plain(properties: dict[str, Any]) -> dict[str, Any]:
    """Properties whose texts can be written again: half of a surrogate pair becomes U+FFFD."""
    return {_text(key): _text(value) if isinstance(value, str) else value for key, value in properties.items()}


def _text(value: str) -> str:
    return value if value.isascii() else value.encode("utf-8", "replace").decode()


def _declared_crs(documents: list[Any], name: str) -> str:
    """The CRS that the documents declare; without one RFC 7946 means WGS 84."""
    declared = sorted({_one_crs(document["crs"], name) for document in documents if document.get("crs") is not None})
    if len(declared) == 1 and any(document.get("crs") is None for document in documents):
        declared = sorted({*declared, WGS84})
    if len(declared) > 1:
        msg = f"{name}: its features declare {' and '.join(declared)}, expected one crs. Export them in one."
        raise InputError(msg)
    return declared[0] if declared else WGS84


def _one_crs(member: Any, name: str) -> str:  # noqa: ANN401 - the member can be anything until it is checked
    """The CRS of a member: by name, or by the code of the draft before RFC 7946."""
    properties = member.get("properties") if isinstance(member, dict) else None
    declared = ""
    if isinstance(properties, dict):
        is_code = str(member.get("type")).upper() == "EPSG" and "code" in properties
        declared = f"EPSG:{properties['code']}" if is_code else str(properties.get("name", "")).strip()
    if _WGS84.fullmatch(declared):
        return WGS84
    match = _EPSG.fullmatch(declared)
    if match is None:
        msg = f"{name}: its crs is {_text(declared[:80])!r}, expected CRS84 or an EPSG code. Export it in EPSG:4326."
        raise InputError(msg)
    return require_known_crs(f"EPSG:{match[1]}", name)
