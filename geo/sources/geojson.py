"""
GeoJSON by our own reader, with caps on size and depth, so that nothing is opened because of what it claims to be.

GDAL opens files by content: a virtual dataset named ``.geojson`` can read other files. No geographic input goes through
it here (trust.md S9, S13).
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NoReturn

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.crs import WGS84
from geo.errors import InputError, ResourceError
from geo.sources.decoding import refuse_foreign
from geo.sources.features import FeatureRows
from geo.sources.files import MAX_INPUT_BYTES, InputFile, read_input_file

__all__ = ["read_geojson"]

_MAX_DEPTH = 64
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_WGS84_NAMES = frozenset({"urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:crs:OGC::CRS84", "OGC:CRS84"})
_EPSG = re.compile(r"(?:urn:ogc:def:crs:EPSG:[0-9.]*:|EPSG:)([0-9]{4,5})")


def read_geojson(path: Path, *, max_bytes: int = MAX_INPUT_BYTES) -> FeatureRows:
    """
    Read the features of a GeoJSON file.

    Parameters
    ----------
    path : pathlib.Path
        A FeatureCollection, or newline-separated features; plain or gzip.
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
    ResourceError
        If it is too large or nested more than 64 deep.
    IntegrityError
        If it changes while it is read.
    """
    file = read_input_file(path, max_bytes=max_bytes)
    refuse_foreign(file.data, file.name, expected="GeoJSON")
    _require_shallow(file)
    document = _parse(file)
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list) or document.get("type") != "FeatureCollection":
        msg = f"{file.name}: it is JSON but no FeatureCollection, expected GeoJSON features. Export the layer again."
        raise InputError(msg)
    if not features:
        msg = f"{file.name}: it has 0 features, expected at least one. Export the layer again."
        raise InputError(msg)
    good = [feature if isinstance(feature, dict) else {} for feature in features]
    properties = [p if isinstance(p := feature.get("properties"), dict) else {} for feature in good]
    texts = np.array([json.dumps(feature.get("geometry")) for feature in good], dtype=object)
    # What is no geometry, an absent one included, becomes None and is rejected by the caller.
    geometries = shapely.from_geojson(texts, on_invalid="ignore")
    index = pd.RangeIndex(1, len(features) + 1, name="source_row")
    layer = gpd.GeoDataFrame(
        pd.DataFrame(properties, index=index).drop(columns="geometry", errors="ignore"),
        geometry=gpd.GeoSeries(shapely.force_2d(geometries), index=index, crs=_declared_crs(document, file.name)),
    )
    return FeatureRows(file.name, file.sha256, layer)


def _require_shallow(file: InputFile) -> None:
    """Pass unless brackets outside texts nest deeper than the cap, which could exhaust the parser's stack."""
    raw = np.frombuffer(_STRING.sub(b"", file.data), dtype=np.uint8)
    steps = np.zeros(len(raw), dtype=np.int8)
    steps[(raw == ord("[")) | (raw == ord("{"))] = 1
    steps[(raw == ord("]")) | (raw == ord("}"))] = -1
    depth = int(np.cumsum(steps, dtype=np.int32).max(initial=0))
    if depth > _MAX_DEPTH:
        msg = f"{file.name}: it is nested {depth} deep, expected at most {_MAX_DEPTH}. Check its source."
        raise ResourceError(msg)


def _refuse_constant(name: str) -> NoReturn:
    msg = f"{name} is no JSON number"
    raise ValueError(msg)


def _parse(file: InputFile) -> Any:  # noqa: ANN401 - a parsed document can be anything until it is checked
    """The parsed document; damaged text is an `InputError`."""
    try:
        return json.loads(file.data.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        detail = str(error).splitlines()[0][:120]
        msg = f"{file.name}: it is not valid GeoJSON ({detail}), expected whole JSON text. Export the layer again."
        raise InputError(msg) from error


def _declared_crs(document: dict[str, Any], name: str) -> str:
    """The CRS that the file declares; without one RFC 7946 means WGS 84."""
    member = document.get("crs")
    if member is None:
        return WGS84
    properties = member.get("properties") if isinstance(member, dict) else None
    declared = str(properties.get("name", "")) if isinstance(properties, dict) else ""
    if declared in _WGS84_NAMES:
        return WGS84
    match = _EPSG.fullmatch(declared)
    if match is None:
        msg = f"{name}: its crs is {declared!r}, expected CRS84 or an EPSG code. Export the layer in EPSG:4326."
        raise InputError(msg)
    return f"EPSG:{match[1]}"
