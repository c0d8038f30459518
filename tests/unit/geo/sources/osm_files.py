"""Small OpenStreetMap files for tests: a crossroads near Newport, written by hand."""

import gzip
import struct
import zlib

LON, LAT = -3.0, 51.59
STEP_DEG = 0.001  # about 70 m east, 111 m north


def node(number, east, north, tags=""):
    lon, lat = LON + east * STEP_DEG, LAT + north * STEP_DEG
    return f'<node id="{number}" version="1" lon="{lon:.7f}" lat="{lat:.7f}">{tags}</node>'


def tag(**tags):
    return "".join(f'<tag k="{key.replace("__", ":")}" v="{value}"/>' for key, value in tags.items())


def way(number, nodes, when="2023-06-01T00:00:00Z", **tags):
    refs = "".join(f'<nd ref="{n}"/>' for n in nodes)
    return f'<way id="{number}" version="1" timestamp="{when}">{refs}{tag(**tags)}</way>'


CROSS = [node(1, -1, 0), node(2, 0, 0), node(3, 1, 0), node(4, 0, -1), node(5, 0, 1), node(6, 2, 0)]


def osm(*elements):
    body = "".join(elements)
    return f'<?xml version="1.0" encoding="UTF-8"?><osm version="0.6" generator="test">{body}</osm>'


def write_osm(folder, *elements, name="small.osm"):
    path = folder / name
    text = osm(*elements).encode()
    if name.endswith(".gz"):
        text = gzip.compress(text)
    path.write_bytes(text)
    return path


def varint(value):
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def pbf_block(kind, declared, content):
    """One block of a PBF file that declares a size."""
    packed = zlib.compress(content)
    blob = b"\x10" + varint(declared) + b"\x1a" + varint(len(packed)) + packed
    header = b"\x0a" + varint(len(kind)) + kind + b"\x18" + varint(len(blob))
    return struct.pack(">I", len(header)) + header + blob
