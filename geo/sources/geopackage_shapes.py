"""The shapes of a GeoPackage: its binary header taken off, and well-known binary within bounds."""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

__all__ = ["parse_shapes"]

_HEADER_BYTES = struct.calcsize("2sBBi")
_ENVELOPE_BYTES = (0, 32, 48, 48, 64)
# Well-known binary numbers its kinds from 1; the first seven are straight, seven holds others.
_COLLECTION, _LAST_STRAIGHT = 7, 7
# Kinds with height, measure or both are so many thousands higher (ISO), or carry high bits (PostGIS).
_STEP, _KIND_BITS = 1000, 0x0FFF_FFFF
# Shapes inside shapes are read by recursion without a bound; no real collection holds so many others (ASSUMPTION).
_MAX_MEMBERS = 1000
# The start of a collection in either byte order, of two dimensions, of three, and of four.
_COLLECTION_START = re.compile(
    rb"\x01(?:\x07\0\0|\xef\x03\0|\xd7\x07\0|\xbf\x0b\0)|\0.\0(?:\0\x07|\x03\xef|\x07\xd7|\x0b\xbf)", re.DOTALL
)


def parse_shapes(blobs: Sequence[object]) -> tuple[NDArray[np.object_], int]:
    """
    Give the geometry of every value of a geometry column.

    Parameters
    ----------
    blobs : sequence
        As they stand in the table: bytes, or anything else in a damaged one.

    Returns
    -------
    tuple of numpy.ndarray and int
        Shapely geometries, None for each that cannot be read, and how many of these are curves.
    """
    known = [_to_wkb(blob) for blob in blobs]
    kinds = np.array([_kind(wkb) for wkb in known], dtype=np.int64)
    is_plain = (kinds > 0) & (kinds < _COLLECTION)
    shapes = np.full(len(known), None, dtype=object)
    straight = np.array([wkb for wkb, plain in zip(known, is_plain, strict=True) if plain], dtype=object)
    with np.errstate(all="ignore"):
        shapes[is_plain] = shapely.from_wkb(straight, on_invalid="ignore")
    n_curved = int((kinds > _LAST_STRAIGHT).sum())
    for at in np.flatnonzero(kinds == _COLLECTION):
        shapes[at], is_curved = _read_collection(known[at])
        n_curved += is_curved
    return shapes, n_curved


def _to_wkb(blob: object) -> bytes | None:
    """The well-known binary inside a GeoPackage geometry, or None."""
    if not isinstance(blob, bytes) or len(blob) < _HEADER_BYTES or blob[:2] != b"GP":
        return None
    kind = (blob[3] >> 1) & 0b111
    if kind >= len(_ENVELOPE_BYTES):
        return None
    return blob[_HEADER_BYTES + _ENVELOPE_BYTES[kind] :] or None


def _kind(wkb: bytes | None) -> int:
    """The number of the kind without its dimensions, 0 for what is none."""
    if wkb is None or len(wkb) < 5 or wkb[0] > 1:
        return 0
    (number,) = struct.unpack("<I" if wkb[0] else ">I", wkb[1:5])
    return int((number & _KIND_BITS) % _STEP)


def _read_collection(wkb: bytes | None) -> tuple[object, bool]:
    """The collection in two dimensions, or None and whether it is because of a curve, which has no such form."""
    if wkb is None or len(_COLLECTION_START.findall(wkb)) > _MAX_MEMBERS:
        return None, False
    collection = shapely.from_wkb(wkb, on_invalid="ignore")
    flat = shapely.force_2d(collection)
    return flat, collection is not None and flat is None
