"""
Search everything that a run wrote for places: text, zip members, PDF streams, GeoPackage geometries, map payload.

A place is a pair of numbers that stand close together and could be a latitude and longitude of three or more decimals
or an easting and northing in metres. A place is a hit on an address if it is the address, to within one unit of its
own last decimal, rounded or cut off.
"""

from __future__ import annotations

import io
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely
from numpy.typing import NDArray
from pypdf import PdfReader

from geo.crs import to_wgs84_arrays

Places = set[tuple[float, float, float]]

# Digits inside a word, as in a hash, are no number.
_NUMBER = re.compile(rb"(?<![\w.])-?\d+(?:\.\d+)?(?!\w)")
_STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)
_PAYLOAD = re.compile(r'<script[^>]*type="application/json"[^>]*>(.*?)</script>', re.DOTALL)
# Two numbers of one place are at most this many numbers apart (a column or two between them).
_NEAR = 3
_MAP_STEPS_PER_DEG = 10_000
_FEWEST_DECIMALS = 3
_METRES = (50_000.0, 1_250_000.0)


def read_blobs(path: Path) -> Iterator[bytes]:
    """Everything in a file that has bytes of its own: itself, its members, its streams, its text."""
    data = path.read_bytes()
    yield data
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield from (archive.read(name) for name in archive.namelist())
    if data.startswith(b"%PDF"):
        for stream in _STREAM.findall(data):
            try:
                yield zlib.decompressobj().decompress(stream)
            except zlib.error:
                continue
        yield "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages).encode()


def find_places(path: Path) -> Places:
    """Places of a file, as two numbers and the unit of their last decimal; metres have unit 1."""
    places = find_drawn(path)
    for blob in read_blobs(path):
        places |= _text_places(blob)
    if path.suffix == ".gpkg":
        for name, _ in pyogrio.list_layers(path):
            layer = pyogrio.read_dataframe(path, layer=name)
            places |= _text_places(layer.drop(columns="geometry", errors="ignore").to_csv().encode())
    return places


def find_drawn(path: Path) -> Places:
    """Corners of the geometries that a map or a GeoPackage draws."""
    places: Places = set()
    if path.suffix == ".gpkg":
        for name, _ in pyogrio.list_layers(path):
            layer = pyogrio.read_dataframe(path, layer=name)
            if "geometry" in layer:
                corners = np.unique(shapely.get_coordinates(layer.geometry.to_numpy()), axis=0)
                places |= {(float(e), float(n), 1.0) for e, n in corners}
    if path.suffix == ".html":
        for text in _PAYLOAD.findall(path.read_text(encoding="utf-8")):
            places |= _payload_places(json.loads(text))
    return places


def _text_places(blob: bytes) -> Places:
    """Pairs of numbers that stand close together and look like a position."""
    found: Places = set()
    tokens = [token for token in _NUMBER.findall(blob) if len(token) >= 5]
    values = np.array([float(token) for token in tokens])
    if not len(values):
        return found
    decimals = np.array([len(token.partition(b".")[2]) for token in tokens])
    is_metres = (values >= _METRES[0]) & (values <= _METRES[1])
    is_lat = (values > 49.0) & (values < 61.0) & (decimals >= _FEWEST_DECIMALS)
    is_lon = (np.abs(values) < 9.0) & (decimals >= _FEWEST_DECIMALS)
    for gap in range(1, _NEAR + 1):
        one, other = slice(None, -gap), slice(gap, None)
        unit = 10.0 ** -np.minimum(decimals[one], decimals[other]).clip(0, 7)
        for pair, first, second in (
            (is_metres[one] & is_metres[other], values[one], values[other]),
            (is_metres[one] & is_metres[other], values[other], values[one]),
            (is_lat[one] & is_lon[other], values[other], values[one]),
            (is_lon[one] & is_lat[other], values[one], values[other]),
        ):
            units = np.where(first > 100.0, 1.0, unit)
            found.update(zip(first[pair].tolist(), second[pair].tolist(), units[pair].tolist(), strict=True))
    return found


def _payload_places(value: Any) -> Places:
    """Places of the map's delta-coded lines, wherever they stand in its data."""
    found: Places = set()
    if isinstance(value, dict):
        for part in value.values():
            found |= _payload_places(part)
    elif isinstance(value, list):
        if len(value) >= 2 and len(value) % 2 == 0 and all(type(v) is int for v in value):
            corners = np.cumsum(np.array(value).reshape(-1, 2), axis=0) / _MAP_STEPS_PER_DEG
            # Lists of bands or counts are of two whole numbers too: they are no place in Great Britain.
            found |= {(float(lon), float(lat), 1.0 / _MAP_STEPS_PER_DEG) for lon, lat in corners if 49.0 < lat < 61.0}
        else:
            for part in value:
                found |= _payload_places(part)
    return found


def count_hits(places: Places, easting_m: NDArray[np.float64], northing_m: NDArray[np.float64]) -> int:
    """Addresses that some place gives to within one unit of its last decimal."""
    if not places or not len(easting_m):
        return 0
    table = np.array(sorted(places))
    lon_deg, lat_deg = to_wgs84_arrays(easting_m, northing_m)
    hit = np.zeros(len(easting_m), dtype=bool)
    for is_metres, x, y in ((True, easting_m, northing_m), (False, lon_deg, lat_deg)):
        some = table[(table[:, 0] > 100.0) == is_metres]
        # Sorted by the first number: only a narrow slice can be near.
        unit = some[:, 2]
        for k in range(len(x)):
            low, high = np.searchsorted(some[:, 0], [x[k] - 1.0, x[k] + 1.0]) if is_metres else (0, len(some))
            near = slice(low, high)
            hit[k] |= bool(
                ((np.abs(some[near, 0] - x[k]) < unit[near]) & (np.abs(some[near, 1] - y[k]) < unit[near])).any()
            )
    return int(hit.sum())


def count_tokens(path: Path, tokens: list[bytes]) -> int:
    """Tokens (record ids, or coordinates as eight-byte floats) that occur anywhere in a file."""
    blobs = list(read_blobs(path))
    return sum(any(token in blob for blob in blobs) for token in tokens)


def float_tokens(easting_m: NDArray[np.float64], northing_m: NDArray[np.float64]) -> list[bytes]:
    """Each position as two adjacent eight-byte floats, in metres and in degrees, in either byte order."""
    lon_deg, lat_deg = to_wgs84_arrays(easting_m, northing_m)
    pairs = [*zip(easting_m, northing_m, strict=True), *zip(lon_deg, lat_deg, strict=True)]
    return [struct.pack(f"{order}dd", float(a), float(b)) for a, b in pairs for order in "<>"]
