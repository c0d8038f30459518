"""
The door for OpenStreetMap files: what they are by their bytes, and whether they would swell beyond bounds.

A file is read only if its content is what its name says. Compressed files are measured before they are parsed: gzip and
bzip2 by decompressing in pieces that are thrown away, PBF by adding up the sizes that its blocks declare, which
libosmium then holds them to.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import struct
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from geo.errors import InputError, ResourceError
from geo.sources.foreign import name_foreign
from geo.sources.osm_scan import XmlSigns

__all__ = ["OsmFile", "OsmLimits", "hash_file", "require_osm_file"]

_Stream = IO[bytes] | gzip.GzipFile | bz2.BZ2File
_PIECE_BYTES = 1 << 20
_GIB = 1 << 30
# A PBF block header may have 64 KiB and a block 32 MiB, by the format's own rules.
_PBF_HEADER_BYTES = 64 * 1024
_PBF_BLOCK_BYTES = 32 * 1024 * 1024
# A file that begins so is left to the parser, which says what is wrong with it.
_OSM_XML = frozenset({"OpenStreetMap XML", "an OpenStreetMap change file", "XML"})
_FORMATS = {
    ".pbf": "pbf",
    ".osm": "xml",
    ".osm.gz": "gz",
    ".osm.bz2": "bz2",
    ".json": "json",
}


@dataclass(frozen=True)
class OsmLimits:
    """
    Bounds of what is read.

    Attributes
    ----------
    max_bytes : int
        Bytes after decompression.
    max_ratio : float
        Bytes after decompression for each byte before.
    max_vertices : int
        Vertices of roads and railways.
    max_s : float
        Seconds to read.
    """

    max_bytes: int = 16 * _GIB
    max_ratio: float = 200.0
    max_vertices: int = 300_000_000
    max_s: float = 1800.0


@dataclass(frozen=True)
class OsmFile:
    """
    What a file is.

    Attributes
    ----------
    kind : str
        ``pbf``, ``xml``, ``gz``, ``bz2`` or ``json``.
    is_irregular : bool
        Whether it shows signs of being unsorted, of several versions, or of deletions.
    """

    kind: str
    is_irregular: bool


def hash_file(path: Path) -> str:
    """
    Give the SHA-256 of a file's bytes.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def require_osm_file(path: Path, limits: OsmLimits) -> OsmFile:
    """
    Pass if the file is OpenStreetMap data within bounds, raise otherwise.

    Parameters
    ----------
    path : pathlib.Path
        A ``.osm.pbf``, ``.osm``, ``.osm.gz``, ``.osm.bz2`` or Overpass ``.json`` file.
    limits : OsmLimits
        Bounds.

    Returns
    -------
    OsmFile
        Its kind, and whether it may be read in one pass.

    Raises
    ------
    InputError
        If there is no such file, it is empty, cut short, a change file, or its content is not what its name says.
    ResourceError
        If it would swell beyond `limits`.
    """
    if not path.is_file():
        msg = f"{path.name}: there is no such file, expected an OpenStreetMap extract. Check the path."
        raise InputError(msg)
    size = path.stat().st_size
    if size == 0:
        msg = f"{path.name}: the file is empty, expected an OpenStreetMap extract. Download it again."
        raise InputError(msg)
    named = _format_of_name(path)
    with path.open("rb") as stream:
        head = stream.read(4096)
    found = _format_of_bytes(head)
    if found != named:
        msg = (
            f"{path.name}: the content is {_describe(found, head)}, expected {named} as its name says. "
            "Download it again or rename it."
        )
        raise InputError(msg)
    signs = XmlSigns()
    _require_size(path, named, size, limits, signs)
    if signs.is_change:
        msg = f"{path.name}: it is an OpenStreetMap change file, expected an extract. Apply it to one, or download one."
        raise InputError(msg)
    if signs.remark:
        msg = f"{path.name}: Overpass stopped early ({signs.remark}), expected a whole answer. Fetch again."
        raise InputError(msg)
    return OsmFile(named, signs.is_irregular)


def _format_of_name(path: Path) -> str:
    name = path.name.lower()
    for ending in sorted(_FORMATS, key=len, reverse=True):
        if name.endswith(ending):
            return _FORMATS[ending]
    msg = (
        f"{path.name}: the ending is none of {', '.join(sorted(_FORMATS))}, expected one of them. "
        "Rename the file if it is one."
    )
    raise InputError(msg)


def _format_of_bytes(head: bytes) -> str | None:
    if head[4:15] == b"\x0a\x09OSMHeader":
        return "pbf"
    if head.startswith(b"\x1f\x8b"):
        return "gz"
    if head.startswith(b"BZh"):
        return "bz2"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith((b"<?xml", b"<osm", b"<!DOCTYPE osm")):
        return "xml" if name_foreign(head) in {None, *_OSM_XML} else None
    return "json" if text.startswith(b"{") else None


def _describe(found: str | None, head: bytes) -> str:
    """What the bytes look like, in a word."""
    if found is not None:
        return found
    return (name_foreign(head) or "of no known kind").split(",")[0]


def _require_size(path: Path, kind: str, size: int, limits: OsmLimits, signs: XmlSigns) -> None:
    """Pass if the file's content stays within bounds; text is looked at for signs on the way."""
    budget, n_bytes = min(limits.max_bytes, int(max(size, 4096) * limits.max_ratio)), size
    try:
        stop_at = time.monotonic() + limits.max_s
        with path.open("rb") as stream:
            if kind == "pbf":
                n_bytes = _measure_pbf(stream, budget, stop_at, path.name)
            elif kind != "json":
                n_bytes = _measure_stream(_decompressed(stream, kind), budget, stop_at, signs)
    except (EOFError, zlib.error, OSError, struct.error) as error:
        msg = f"{path.name}: the file is cut short or damaged ({error}), expected whole {kind}. Download it again."
        raise InputError(msg) from error
    if n_bytes > budget:
        msg = (
            f"{path.name}: the content swells beyond {budget} bytes, expected at most {limits.max_ratio:g} times its "
            f"size and {limits.max_bytes} bytes. Use a smaller extract or raise the limit."
        )
        raise ResourceError(msg)


def _decompressed(stream: IO[bytes], kind: str) -> _Stream:
    if kind == "xml":
        return stream
    return gzip.GzipFile(fileobj=stream) if kind == "gz" else bz2.BZ2File(stream)


def _measure_stream(
    stream: IO[bytes] | gzip.GzipFile | bz2.BZ2File, budget: int, stop_at: float, signs: XmlSigns
) -> int:
    """Bytes in a decompressing stream, counted until they pass the budget."""
    n_bytes = 0
    while piece := stream.read(_PIECE_BYTES):
        n_bytes += len(piece)
        if n_bytes > budget:
            break
        signs.look(piece)
        if time.monotonic() > stop_at:
            msg = "osm: decompressing takes longer than the limit, expected less. Use a smaller extract."
            raise ResourceError(msg)
    return n_bytes


def _measure_pbf(stream: IO[bytes], budget: int, stop_at: float, name: str) -> int:
    """Sum of the uncompressed sizes that the blocks declare; the blocks themselves are skipped."""
    n_bytes = 0
    size = stream.seek(0, 2)
    stream.seek(0)
    while prefix := stream.read(4):
        (header_bytes,) = struct.unpack(">I", prefix)
        if header_bytes > _PBF_HEADER_BYTES:
            msg = f"block header of {header_bytes} bytes"
            raise OSError(msg)
        block_bytes = _fields(stream.read(header_bytes)).get(3, 0)
        start = stream.tell()
        if start + block_bytes > size:
            msg = "the last block ends after the file"
            raise EOFError(msg)
        block = stream.read(min(block_bytes, 32))
        if block[:1] == b"\x0a":
            # Compressed blocks carry a check sum; damage in others is not seen, and can end the parser's process.
            msg = (
                f"{name}: a block is stored uncompressed, expected blocks with a check sum. Convert it with osmium cat."
            )
            raise InputError(msg)
        # A block says first how large it will be; else it is taken for the most it may be.
        declared = _fields(block).get(2, _PBF_BLOCK_BYTES)
        n_bytes += declared
        if declared > _PBF_BLOCK_BYTES:
            msg = f"block of {declared} bytes"
            raise OSError(msg)
        if n_bytes > budget or time.monotonic() > stop_at:
            return max(n_bytes, budget + 1)
        stream.seek(start + block_bytes)
    return n_bytes


def _fields(message: bytes) -> dict[int, int]:
    """The numbers of a protocol-buffer message by field, as far as the bytes reach; texts and blocks are skipped."""
    fields: dict[int, int] = {}
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        if key & 7 == 0:
            fields[key >> 3], at = _varint(message, at)
        elif key & 7 == 2:
            length, at = _varint(message, at)
            at += length
        else:
            break
    return fields


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message) and shift < 64:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, at
    msg = "a block header ends early"
    raise EOFError(msg)
