"""OpenStreetMap files in: what is taken, what is rejected and why, and files that must not be read at all."""

import bz2
import gzip
import json
from datetime import date

import numpy as np
import pytest

from geo.errors import InputError, ResourceError
from geo.network.road_cutting import build_roads
from geo.schema import validate
from geo.sources.osm import read_osm, require_fresh
from geo.sources.osm_guard import OsmLimits, hash_file
from geo.tables import QUARANTINE, RAIL_TRACK, STATIONS
from tests.unit.geo.sources.osm_files import CROSS, LAT, LON, node, osm, pbf_block, tag, way, write_osm

STREETS = [
    way(10, [1, 2, 3], highway="residential", maxspeed="20 mph"),
    way(11, [4, 2, 5], highway="primary", oneway="yes"),
]
RAIL = [
    way(20, [4, 5], railway="rail", tunnel="yes"),
    way(21, [1, 5], railway="abandoned"),
    way(22, [1, 6], railway="rail", service="siding"),
    way(23, [1, 6], railway="rail", usage="tourism"),
]
STATION = node(7, 0.1, 0, tag(railway="station", ref__crs="NWP", name="Newport"))


def counts(reading):
    return {(status, reason): n for status, reason, n in reading.accounts[0].n_by_reason}


def test_streets_become_two_graphs(tmp_path):
    reading = read_osm(write_osm(tmp_path, *CROSS, *STREETS))
    roads = build_roads(reading.table.ways)
    assert (roads.walk.n_nodes, roads.walk.n_edges, len(roads.walk.indices)) == (5, 4, 8)
    assert (roads.drive.n_edges, len(roads.drive.indices)) == (4, 6)  # one street is one-way
    assert roads.drive.n_default_speed == 1
    assert roads.walk.edge_length_m.sum() == pytest.approx(2 * 69.2 + 2 * 111.2, rel=0.01)


def test_track_in_use_is_taken_and_the_rest_counted(tmp_path):
    reading = read_osm(write_osm(tmp_path, *CROSS, *STREETS, *RAIL, STATION))
    assert list(validate(reading.table.rail_track, RAIL_TRACK).index) == ["w20"]
    assert counts(reading) == {
        ("out_of_scope", "not_heavy_rail_in_use"): 1,
        ("out_of_scope", "yard_or_siding"): 1,
        ("out_of_scope", "heritage_or_industrial_line"): 1,
    }


def test_stations_with_a_code_are_taken_once(tmp_path):
    again = node(8, 0.2, 0, tag(railway="halt", ref__crs="NWP", name="Newport again"))
    nameless = node(9, 0.3, 0, tag(railway="station", name="Heritage Halt"))
    signal = node(12, 0.3, 0, tag(railway="signal"))
    outline = way(30, [4, 5, 6, 4], railway="station", ref__crs="ROR", name="Rogerstone")
    reading = read_osm(write_osm(tmp_path, *CROSS, STATION, again, nameless, signal, *STREETS, outline))
    stations = validate(reading.table.stations, STATIONS)
    assert list(stations["name"]) == ["Newport", "Rogerstone"]
    assert counts(reading) == {("duplicate", "repeated_crs_code"): 1, ("out_of_scope", "no_crs_code"): 1}


def test_every_element_read_is_accounted_for(tmp_path):
    reading = read_osm(write_osm(tmp_path, *CROSS, STATION, *STREETS, *RAIL))
    account = reading.accounts[0]
    assert account.n_read == 7
    assert account.n_read == account.n_accepted + len(validate(reading.quarantine, QUARANTINE))
    assert account.sha256 == hash_file(tmp_path / "small.osm")


def test_a_way_with_a_missing_node_is_read_in_pieces(tmp_path):
    broken = way(12, [1, 2, 99, 3, 6], highway="residential")
    reading = read_osm(write_osm(tmp_path, *CROSS, broken))
    assert list(reading.table.ways.way_id) == [12, 12]
    assert list(reading.table.ways.node_id) == [1, 2, 3, 6]
    assert reading.accounts[0].warnings == ("1 ways miss nodes and are read in pieces",)


def test_a_way_of_missing_nodes_is_quarantined(tmp_path):
    reading = read_osm(write_osm(tmp_path, *CROSS, *STREETS, way(13, [1, 98, 99], highway="residential")))
    assert counts(reading) == {("quarantined", "missing_nodes"): 1}
    assert reading.quarantine["field"].tolist() == ["way 13"]


def test_repeated_ways_are_counted_once(tmp_path):
    reading = read_osm(write_osm(tmp_path, *CROSS, *STREETS, STREETS[0]))
    assert counts(reading) == {("duplicate", "repeated_id"): 1}


def test_closed_and_private_roads_are_out_of_scope(tmp_path):
    closed = [
        way(14, [1, 2], highway="construction"),
        way(15, [1, 2], highway="residential", access="private"),
        way(16, [1, 2, 3, 1], highway="pedestrian", area="yes"),
    ]
    reading = read_osm(write_osm(tmp_path, *CROSS, *STREETS, *closed))
    assert counts(reading) == {
        ("out_of_scope", "not_a_road_in_use"): 1,
        ("out_of_scope", "access_refused"): 1,
        ("out_of_scope", "area"): 1,
    }


def test_limits_that_cannot_be_read_are_counted(tmp_path):
    odd = way(17, [1, 2], highway="residential", maxspeed="as you like")
    reading = read_osm(write_osm(tmp_path, *CROSS, *STREETS, odd))
    assert reading.table.n_bad_limits == 1
    assert "1 roads carry a speed limit that cannot be read" in reading.accounts[0].warnings


@pytest.mark.parametrize("ending", [".osm.gz", ".osm.bz2", ".json"])
def test_every_format_gives_the_same_graph(tmp_path, ending):
    plain = read_osm(write_osm(tmp_path, *CROSS, STATION, *STREETS, *RAIL)).table
    path = tmp_path / f"same{ending}"
    text = osm(*CROSS, STATION, *STREETS, *RAIL).encode()
    path.write_bytes({".osm.gz": gzip.compress, ".osm.bz2": bz2.compress, ".json": lambda _: overpass()}[ending](text))
    other = read_osm(path).table
    for name in (
        "way_id",
        "node_id",
        "easting_m",
        "northing_m",
        "drive_forward",
        "drive_backward",
        "walk",
        "limit_km_h",
    ):
        np.testing.assert_array_equal(getattr(plain.ways, name), getattr(other.ways, name))
    assert plain.rail_track.equals(other.rail_track)
    assert plain.stations.equals(other.stations)


def overpass(**more):
    """The same elements as an Overpass answer."""
    east = {1: (-1, 0), 2: (0, 0), 3: (1, 0), 4: (0, -1), 5: (0, 1), 6: (2, 0), 7: (0.1, 0)}
    elements = [
        {"type": "node", "id": n, "lon": round(LON + e * 0.001, 7), "lat": round(LAT + h * 0.001, 7)}
        for n, (e, h) in east.items()
    ]
    elements[-1]["tags"] = {"railway": "station", "ref:crs": "NWP", "name": "Newport"}
    lines = [
        (10, [1, 2, 3], {"highway": "residential", "maxspeed": "20 mph"}),
        (11, [4, 2, 5], {"highway": "primary", "oneway": "yes"}),
        (20, [4, 5], {"railway": "rail", "tunnel": "yes"}),
    ]
    elements += [{"type": "way", "id": i, "nodes": nodes, "tags": tags} for i, nodes, tags in lines]
    return json.dumps({"osm3s": {"timestamp_osm_base": "2024-02-03T00:00:00Z"}, "elements": elements, **more}).encode()


def test_an_overpass_answer_states_its_date(tmp_path):
    path = tmp_path / "answer.json"
    path.write_bytes(overpass())
    extract = read_osm(path).table
    assert (extract.dated_on, extract.date_basis) == (date(2024, 2, 3), "header")


def test_a_file_without_a_date_takes_that_of_its_newest_edit(tmp_path):
    extract = read_osm(write_osm(tmp_path, *CROSS, *STREETS)).table
    assert (extract.dated_on, extract.date_basis) == (date(2023, 6, 1), "newest_edit")


def test_an_old_extract_warns_and_a_very_old_one_is_refused(tmp_path):
    extract = read_osm(write_osm(tmp_path, *CROSS, *STREETS)).table
    assert require_fresh(extract, today=date(2023, 7, 1)) == ()
    assert require_fresh(extract, today=date(2024, 1, 1)) == ("osm: the extract is of 2023-06-01, 214 days old.",)
    with pytest.raises(InputError, match=r"osm: the extract is of 2023-06-01, 580 days old, expected at most 365\."):
        require_fresh(extract, today=date(2025, 1, 1))
    assert len(require_fresh(extract, today=date(2025, 1, 1), is_accepted=True)) == 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.osm", None, r"none\.osm: there is no such file, expected an OpenStreetMap extract"),
        ("empty.osm", b"", r"empty\.osm: the file is empty"),
        ("page.osm.pbf", b"<!DOCTYPE html><html><body>404</body></html>", r"the content is a web page, expected pbf"),
        ("noise.osm", b"\x00\x01\x02\x03" * 50, r"the content is of no known kind, expected xml as its name says"),
        ("gz.osm.pbf", gzip.compress(b"<osm/>", mtime=0), r"the content is gz, expected pbf as its name says"),
        ("roads.shp", b"<osm/>", r"roads\.shp: the ending is none of \.json, \.osm, .* expected one of them"),
        ("cut.osm", osm(*CROSS, *STREETS).encode()[:-60], r"cut\.osm: the xml cannot be read \(.*\), expected a whole"),
        (
            "cut.osm.gz",
            gzip.compress(osm(*CROSS).encode() * 50, mtime=0)[:-20],
            r"cut\.osm\.gz: the file is cut short or damaged",
        ),
        ("cut.osm.pbf", pbf_block(b"OSMHeader", 9, b"123456789")[:-4], r"the last block ends after the file"),
        (
            "lies.osm.pbf",
            pbf_block(b"OSMHeader", 0, b"") + pbf_block(b"OSMData", 9, b"12345"),
            r"lies\.osm\.pbf: the pbf cannot be read",
        ),
        ("list.json", b'{"elements": 5}', r"list\.json: there is no list of elements, expected an Overpass answer"),
        ("bad.json", b'{"elements": [', r"bad\.json: it is not valid JSON \(.*\), expected whole JSON"),
        (
            "none.json",
            b'{"elements": []}',
            r"none\.json: none of 0 roads and railways can be used, expected at least one",
        ),
        ("late.json", overpass(remark="runtime error: timed out"), r"late\.json: Overpass stopped early"),
    ],
)
def test_what_is_no_extract_is_refused(tmp_path, name, content, message):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_osm(path)


def test_deep_json_is_refused(tmp_path):
    (tmp_path / "deep.json").write_bytes(b'{"a":' * 100 + b"1" + b"}" * 100)
    with pytest.raises(ResourceError, match=r"deep\.json: it is nested 100 deep, expected at most 64"):
        read_osm(tmp_path / "deep.json")


def test_entities_in_xml_are_refused(tmp_path):
    path = tmp_path / "bomb.osm"
    path.write_text('<?xml version="1.0"?><!DOCTYPE osm [<!ENTITY a "aaaaaaaaaa">]><osm version="0.6">&a;</osm>')
    with pytest.raises(InputError, match=r"bomb\.osm: the xml cannot be read \(.*\), expected a whole extract"):
        read_osm(path)


@pytest.mark.parametrize(("name", "pack"), [("bomb.osm.gz", gzip.compress), ("bomb.osm.bz2", bz2.compress)])
def test_bombs_are_refused_before_they_are_parsed(tmp_path, name, pack):
    path = tmp_path / name
    path.write_bytes(pack(b"<osm>" + b" " * 30_000_000))
    with pytest.raises(ResourceError, match=r"bomb.*: the content swells beyond \d+ bytes, expected at most 200 times"):
        read_osm(path)


def test_a_pbf_that_declares_too_much_is_refused(tmp_path):
    path = tmp_path / "bomb.osm.pbf"
    path.write_bytes(pbf_block(b"OSMHeader", 9, b"123456789") + pbf_block(b"OSMData", 30 << 20, b"0") * 3)
    with pytest.raises(ResourceError, match=r"bomb\.osm\.pbf: the content swells beyond"):
        read_osm(path)


def test_too_many_vertices_are_refused(tmp_path):
    with pytest.raises(ResourceError, match=r"small\.osm: more than 3 vertices or 1800 seconds, expected less"):
        read_osm(write_osm(tmp_path, *CROSS, *STREETS), limits=OsmLimits(max_vertices=3))


def test_roads_outside_britain_are_refused(tmp_path):
    far = [f'<node id="{n}" version="1" lon="24.9{n}" lat="60.1"/>' for n in (1, 2)]
    with pytest.raises(InputError, match=r"small\.osm: 2 vertices lie outside the National Grid, expected none"):
        read_osm(write_osm(tmp_path, *far, way(1, [1, 2], highway="residential")))


@pytest.mark.real
def test_the_newport_extract_gives_its_known_roads(real_data):
    reading = read_osm(real_data / "osm" / "newport-2023-06-13.osm.pbf")
    extract, roads = reading.table, build_roads(reading.table.ways)
    assert roads.drive.n_segment_arcs == 58_060  # 62,987 before access and one-way rules: benchmarks.networks
    assert list(extract.stations.index) == ["NWP", "PYE", "ROR"]
    assert counts(reading)["out_of_scope", "not_heavy_rail_in_use"] >= 179  # razed, abandoned and disused
    assert roads.drive.component_sizes[0] / roads.drive.n_nodes > 0.95


@pytest.mark.real
@pytest.mark.parametrize("n_bytes", [40, 3_000, 400_000, 2_000_000])
def test_a_real_extract_cut_anywhere_is_refused(real_data, tmp_path, n_bytes):
    whole = (real_data / "osm" / "newport-2023-06-13.osm.pbf").read_bytes()
    path = tmp_path / "cut.osm.pbf"
    path.write_bytes(whole[:n_bytes])
    with pytest.raises(InputError, match=r"cut\.osm\.pbf: the (file is cut short|pbf cannot be read)"):
        read_osm(path)
