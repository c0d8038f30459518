"""A map damaged at random is refused in one sentence, or read with an account that sums; nothing else happens."""

import bz2
import gzip
import json
import random
import re

import geopandas as gpd
import osmium
import pytest
from shapely import LineString, MultiLineString, box

from geo.errors import GatelineError
from geo.sources.boundaries import read_areas
from geo.sources.osm import read_osm
from geo.sources.track import read_track
from tests.unit.geo.sources.osm_files import CROSS, node, osm, tag, way

AREAS = gpd.GeoDataFrame(
    {"code": ["a", "b"], "label": ["A", "É"], "people": [10, 20.5]},
    geometry=[box(400_000, 400_000, 400_900, 401_000), box(402_000, 400_000, 403_000, 401_000)],
    crs="EPSG:27700",
)
TRACK = gpd.GeoDataFrame(
    {"railway": ["rail", "disused"], "other_tags": ['"usage"=>"main"', None]},
    geometry=[LineString([(4e5, 4e5), (4.1e5, 4e5)]), MultiLineString([[(4.2e5, 4e5), (4.3e5, 4e5)]])],
    crs="EPSG:27700",
)
MAP = osm(
    *CROSS,
    node(7, 0.1, 0, tag(railway="station", ref__crs="NWP", name="Newport")),
    way(10, [1, 2, 3], highway="residential", maxspeed="20 mph"),
    way(20, [4, 5], railway="rail"),
    f'<relation id="5" version="1"><member type="way" ref="20"/>{tag(railway="station", ref__crs="ROR")}</relation>',
).encode()
ANSWER = {
    "osm3s": {"timestamp_osm_base": "2024-02-03T00:00:00Z"},
    "elements": [
        *({"type": "node", "id": n, "lon": -3 + n / 1000, "lat": 51.59} for n in (1, 2, 3)),
        {"type": "way", "id": 10, "version": 2, "nodes": [1, 2, 3], "tags": {"highway": "residential"}},
        {
            "type": "relation",
            "id": 3,
            "center": {"lat": 51.6, "lon": -3.0},
            "tags": {"railway": "halt", "ref:crs": "A"},
        },
    ],
}
WORDS = [b"\xff", b"\x00", b'"', b"{", b"]", b"1e999", b"null", b"\\ud800", b"<", b">", b"&", b"9" * 400, b"\x7f\xf8"]
VALUES = [None, True, -1, 1e308, 10**400, "", "\ud800", [], {}, [[]], 95.0, {"type": "Point"}, "2024-13-45"]
TEXTS = ["", "x", "-1", "0", "9" * 30, "1e999", "nan", "false", "delete", "95", "51.5x", "2023-99-99", "&amp;", "rail"]


def areas(path):
    return read_areas(
        path,
        id_property="code",
        name_property="label",
        population_property="people",
        dwellings_property=None,
        imd_decile_property=None,
    )


def pbf(folder):
    (folder / "m.osm").write_bytes(MAP)
    writer = osmium.SimpleWriter(str(folder / "m.osm.pbf"), overwrite=True)
    for element in osmium.FileProcessor(str(folder / "m.osm")):
        writer.add(element)
    writer.close()
    return (folder / "m.osm.pbf").read_bytes()


def package(layer, folder):
    path = folder / "made.gpkg"
    path.unlink(missing_ok=True)
    layer.to_file(path, driver="GPKG", layer="l")
    return path.read_bytes()


def geojson(layer):
    return layer.to_crs("EPSG:4326").to_json().encode()


# Reader, file name, content, what packs it after it was damaged, and how many damaged files to try.
CASES = {
    "areas": (areas, "x.geojson", lambda _: geojson(AREAS), bytes, 60),
    "track": (read_track, "t.geojson", lambda _: geojson(TRACK), bytes, 60),
    "areas in a package": (areas, "x.gpkg", lambda folder: package(AREAS, folder), bytes, 25),
    "track in a package": (read_track, "t.gpkg", lambda folder: package(TRACK, folder), bytes, 25),
    "xml": (read_osm, "m.osm", lambda _: MAP, bytes, 60),
    "gzip": (read_osm, "m.osm.gz", lambda _: MAP, gzip.compress, 30),
    "damaged gzip": (read_osm, "m.osm.gz", lambda _: gzip.compress(MAP, mtime=0), bytes, 20),
    "damaged bzip2": (read_osm, "m.osm.bz2", lambda _: bz2.compress(MAP), bytes, 20),
    "pbf": (read_osm, "m.osm.pbf", pbf, bytes, 60),
    "overpass": (read_osm, "m.json", lambda _: json.dumps(ANSWER).encode(), bytes, 60),
}


def damage(rng, content):
    """Bytes changed, taken out, put in or moved, in a few places, or the end cut off."""
    data = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 8])):
        at = rng.randrange(len(data) + 1)
        size = rng.choice([1, 4, 200])
        word = rng.choice(WORDS)
        edits = [(1, bytes([rng.randrange(256)])), (size, b""), (0, word), (len(word), word), (0, data[:size])]
        n_out, n_in = rng.choice(edits)
        data[at : at + n_out] = n_in
    return bytes(data[: rng.randrange(len(data))] if rng.random() < 0.1 else data)


def twist_json(rng, content):
    """Valid JSON with a value somewhere in it that should be another."""
    document = json.loads(content)
    places = []

    def walk(value):
        for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
            places.append((value, key))
            walk(value[key])

    walk(document)
    holder, key = rng.choice(places)
    holder[key] = rng.choice(VALUES)
    return json.dumps(document).encode()


def twist_xml(rng, content):
    """Valid XML with an attribute somewhere in it that should be another."""
    attribute = rng.choice(list(re.finditer(rb'="([^"]*)"', content)))
    return content[: attribute.start(1)] + rng.choice(TEXTS).encode() + content[attribute.end(1) :]


@pytest.mark.parametrize("case", CASES)
def test_a_damaged_map_is_refused_or_accounted_for(tmp_path, case):
    reader, name, make, pack, n_tries = CASES[case]
    whole = make(tmp_path)
    path = tmp_path / name
    twist = twist_json if whole[:1] == b"{" else twist_xml if whole[:1] == b"<" else damage
    outcomes = set()
    for seed in range(n_tries):
        rng = random.Random(seed)  # noqa: S311 - damage, not a secret
        path.write_bytes(pack((damage if seed % 2 else twist)(rng, whole)))
        try:
            reading = reader(path)
        except GatelineError as error:
            outcomes.add("in one sentence" if "\n" not in str(error) else f"{error} {seed}")
        else:
            (account,) = reading.accounts
            assert account.n_read == account.n_accepted + len(reading.quarantine), (case, seed)
            outcomes.add("read")
    assert "in one sentence" in outcomes
    assert outcomes <= {"in one sentence", "read"}


def test_the_undamaged_maps_are_read(tmp_path):
    for reader, name, make, pack, _ in CASES.values():
        content = make(tmp_path)
        (tmp_path / name).write_bytes(pack(content))
        assert reader(tmp_path / name).accounts[0].n_accepted
