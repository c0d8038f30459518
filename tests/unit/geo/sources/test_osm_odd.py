"""OpenStreetMap files that are no sorted extract: unsorted, edited, of several versions, cut short by the server."""

import bz2
import gzip
import json

import osmium
import pytest

from geo.errors import InputError
from geo.sources.osm import read_osm
from tests.unit.geo.sources.osm_files import CROSS, LAT, LON, node, osm, tag, way, write_osm

STREET = way(10, [1, 2, 3], highway="residential")
OTHER = way(11, [4, 2, 5], highway="primary")
RAIL = way(20, [4, 5], railway="rail")
OUTLINE = way(30, [4, 5, 6, 4])


def relation(number, *members, **tags):
    parts = "".join(f'<member type="{kind}" ref="{ref}" role=""/>' for kind, ref in members)
    return f'<relation id="{number}" version="1">{parts}{tag(**tags)}</relation>'


def counts(reading):
    return {(status, reason): n for status, reason, n in reading.accounts[0].n_by_reason}


def ways(reading):
    return [int(number) for number in reading.table.ways.way_id]


@pytest.mark.parametrize("ending", [".osm", ".osm.gz", ".osm.bz2", ".osm.pbf"])
def test_ways_before_their_nodes_are_read_as_if_they_came_after(tmp_path, ending):
    path = tmp_path / f"turned{ending}"
    text = osm(STREET, OTHER, RAIL, *CROSS[::-1])
    if ending == ".osm.pbf":
        turned = tmp_path / "turned.xml"
        turned.write_text(text)
        writer = osmium.SimpleWriter(str(path))
        for element in osmium.FileProcessor(osmium.io.File(str(turned), "osm")):
            writer.add(element)
        writer.close()
    else:
        pack = {".osm": bytes, ".osm.gz": gzip.compress, ".osm.bz2": bz2.compress}[ending]
        path.write_bytes(pack(text.encode()))
    sorted_ = read_osm(write_osm(tmp_path, *CROSS, STREET, OTHER, RAIL)).table
    turned = read_osm(path).table
    assert turned.ways.node_id.tolist() == sorted_.ways.node_id.tolist()
    assert turned.ways.easting_m.tolist() == sorted_.ways.easting_m.tolist()
    assert turned.rail_track.equals(sorted_.rail_track)
    assert turned.dated_on == sorted_.dated_on


@pytest.mark.parametrize(
    ("elements", "left", "expected"),
    [
        (['<way id="10" version="2" visible="false"/>'], [11], {("duplicate", "older_version"): 1}),
        (["<way id='10' version='2' visible='false'/>"], [11], {("duplicate", "older_version"): 1}),
        (
            [way(10, [1, 2], highway="residential").replace('version="1"', 'version="2" visible="false"')],
            [11],
            {("duplicate", "older_version"): 1, ("out_of_scope", "deleted"): 1},
        ),
        (
            [way(10, [1, 2], highway="proposed").replace('version="1"', 'version="2"')],
            [11],
            {("duplicate", "older_version"): 1, ("out_of_scope", "not_a_road_in_use"): 1},
        ),
    ],
)
def test_the_newest_version_of_a_way_counts(tmp_path, elements, left, expected):
    reading = read_osm(write_osm(tmp_path, *CROSS, STREET, OTHER, *elements))
    assert ways(reading) == left
    assert counts(reading) == expected


def test_an_older_version_that_comes_later_does_not_count(tmp_path):
    newer = way(10, [4, 5], highway="primary").replace('version="1"', 'version="3"')
    reading = read_osm(write_osm(tmp_path, *CROSS, newer, OTHER, STREET))
    assert reading.table.ways.node_id.tolist()[:2] == [4, 5]
    assert counts(reading) == {("duplicate", "older_version"): 1}


def test_a_node_stands_where_its_newest_version_puts_it(tmp_path):
    moved = node(1, -1, 3).replace('version="1"', 'version="2"')
    reading = read_osm(write_osm(tmp_path, CROSS[0], moved, *CROSS[1:], STREET))
    plain = read_osm(write_osm(tmp_path, moved, *CROSS[1:], STREET))
    assert reading.table.ways.northing_m.tolist() == plain.table.ways.northing_m.tolist()


def test_histories_in_pbf_are_read_by_version(tmp_path):
    path = tmp_path / "past.osh.pbf"
    gone = '<way id="10" version="2" visible="false" timestamp="2024-01-01T00:00:00Z"/>'
    (tmp_path / "past.osh").write_text(osm(*CROSS, STREET, gone, OTHER))
    header = osmium.io.Header()
    header.has_multiple_object_versions = True
    writer = osmium.SimpleWriter(str(path), header=header)
    for element in osmium.FileProcessor(osmium.io.File(str(tmp_path / "past.osh"), "osh")):
        writer.add(element)
    writer.close()
    reading = read_osm(path)
    assert ways(reading) == [11]
    assert counts(reading) == {("duplicate", "older_version"): 1}


def test_what_an_editor_has_not_saved_is_read_as_it_stands(tmp_path):
    """JOSM marks what it will delete, and gives new objects ids below zero."""
    drawn = [node(-1, 0, 2), node(-2, 1, 2), way(-3, [-1, -2], highway="residential"), way(12, [5, -1], highway="path")]
    deleted = STREET.replace("<way ", "<way action='delete' ")
    reading = read_osm(write_osm(tmp_path, *CROSS, *drawn, deleted, OTHER))
    assert ways(reading) == [-3, 11, 12]
    assert counts(reading) == {("out_of_scope", "deleted"): 1}
    assert reading.table.ways.node_id.tolist() == [-1, -2, 4, 2, 5, 5, -1]


def test_a_change_file_is_refused_by_name(tmp_path):
    path = tmp_path / "day.osm"
    path.write_text(f'<?xml version="1.0"?><osmChange version="0.6"><delete>{STREET}</delete></osmChange>')
    with pytest.raises(InputError, match=r"day\.osm: it is an OpenStreetMap change file, expected an extract"):
        read_osm(path)


REMARKS = [
    'runtime error: Query timed out in "query" at line 3 after 26 seconds.',
    "runtime error: Query ran out of memory",
    "runtime error: open64: 2 No such file or directory /osm3s_osm_base Dispatcher_Client::1",
    "rate_limited",
]


@pytest.mark.parametrize("remark", REMARKS)
@pytest.mark.parametrize("name", ["late.osm", "late.osm.gz", "late.json"])
def test_an_answer_with_a_remark_is_refused(tmp_path, remark, name):
    path = tmp_path / name
    if name.endswith("json"):
        path.write_text(json.dumps({"elements": [], "remark": remark}))
    else:
        write_osm(tmp_path, *CROSS, STREET, f"<remark> {remark} </remark>", name=name)
    with pytest.raises(InputError, match=r"late\..*: Overpass stopped early \(.+\), expected a whole answer"):
        read_osm(path)


def test_pbf_without_check_sums_is_refused(tmp_path):
    """One wrong byte of a text in it would be read past the text's end."""
    plain = write_osm(tmp_path, *CROSS, STREET)
    path = tmp_path / "plain.osm.pbf"
    writer = osmium.SimpleWriter(osmium.io.File(str(path), "pbf,pbf_compression=none"))
    for element in osmium.FileProcessor(str(plain)):
        writer.add(element)
    writer.close()
    with pytest.raises(InputError, match=r"plain\.osm\.pbf: a block is stored uncompressed, expected blocks with"):
        read_osm(path)


def test_xml_that_does_not_close_is_refused(tmp_path):
    path = tmp_path / "open.osm"
    for more in ("", '<way id="12" visible="false"/>'):
        path.write_text(osm(*CROSS, STREET, more).removesuffix("</osm>"))
        with pytest.raises(InputError, match=r"open\.osm: the xml cannot be read \(.*\), expected a whole extract"):
            read_osm(path)


def test_entities_are_refused_in_irregular_files_too(tmp_path):
    path = tmp_path / "bomb.osm"
    text = osm(STREET, *CROSS, tag(k="&a;"))
    path.write_text(text.replace("<osm ", '<!DOCTYPE osm [<!ENTITY a "aaaa">]><osm '))
    with pytest.raises(InputError, match=r"bomb\.osm: its XML defines entities, expected none in an extract"):
        read_osm(path)


@pytest.mark.parametrize(
    ("members", "tags", "code", "expected"),
    [
        ([("way", 30)], {"type": "multipolygon", "railway": "station", "ref__crs": "AAA"}, "AAA", {}),
        ([("node", 6), ("way", 99)], {"type": "site", "railway": "halt", "ref__crs": "AAA"}, "AAA", {}),
        ([("node", 6)], {"type": "public_transport", "public_transport": "stop_area", "ref__crs": "AAA"}, "AAA", {}),
        (
            [("way", 98), ("relation", 2)],
            {"railway": "station", "ref__crs": "AAA"},
            None,
            {("quarantined", "missing_members"): 1},
        ),
        ([("way", 30)], {"type": "site", "railway": "station"}, None, {("out_of_scope", "no_crs_code"): 1}),
        ([("way", 30)], {"type": "route", "route": "railway"}, None, {}),
        ([("node", 6)], {"type": "public_transport", "public_transport": "stop_area"}, None, {}),
    ],
)
@pytest.mark.parametrize("is_sorted", [True, False])
def test_stations_drawn_as_relations_are_found_or_counted(tmp_path, members, tags, code, expected, is_sorted):
    drawn = [*CROSS, STREET, OUTLINE] if is_sorted else [STREET, OUTLINE, *CROSS]
    reading = read_osm(write_osm(tmp_path, *drawn, relation(7, *members, **tags)))
    assert list(reading.table.stations.index) == ([code] if code else [])
    assert counts(reading) == expected


def test_a_station_with_a_node_and_a_relation_is_one(tmp_path):
    at = node(7, 0.1, 0, tag(railway="station", ref__crs="AAA", name="Aha"))
    area = relation(7, ("way", 30), type="site", railway="station", ref__crs="AAA")
    reading = read_osm(write_osm(tmp_path, *CROSS, at, STREET, OUTLINE, area))
    assert counts(reading) == {("duplicate", "repeated_crs_code"): 1}
    assert reading.table.stations["name"].tolist() == ["Aha"]


def test_a_station_without_a_place_is_counted(tmp_path):
    lost = f'<node id="7" version="1" lat="95" lon="-3">{tag(railway="station", ref__crs="AAA")}</node>'
    outline = way(31, [97, 98], railway="station", ref__crs="BBB")
    reading = read_osm(write_osm(tmp_path, *CROSS, lost, STREET, outline))
    assert counts(reading) == {("quarantined", "no_position"): 1, ("quarantined", "missing_nodes"): 1}


def answer(folder, *elements):
    nodes = [{"type": "node", "id": n, "lon": LON + n / 1000, "lat": LAT} for n in (1, 2, 3)]
    street = {"type": "way", "id": 10, "nodes": [1, 2, 3], "tags": {"highway": "residential"}}
    path = folder / "answer.json"
    path.write_text(json.dumps({"elements": [*nodes, street, *elements]}))
    return read_osm(path)


@pytest.mark.parametrize(
    "where",
    [
        {"center": {"lat": LAT, "lon": LON}},
        {"bounds": {"minlat": LAT, "minlon": LON - 0.1, "maxlat": LAT, "maxlon": LON + 0.1}},
        {"members": [{"type": "way", "ref": 5, "role": "", "geometry": [None, {"lat": LAT, "lon": LON}]}]},
        {"members": [{"type": "node", "ref": 9, "role": "", "lat": LAT, "lon": LON}]},
    ],
)
def test_overpass_states_the_place_of_a_relation_in_several_ways(tmp_path, where):
    tags = {"railway": "station", "ref:crs": "AAA"}
    stations = answer(tmp_path, {"type": "relation", "id": 4, "tags": tags, **where}).table.stations
    assert stations.loc["AAA", ["easting_m", "northing_m"]].round(-3).tolist() == [331_000, 188_000]


def test_an_answer_that_repeats_an_element_holds_it_once(tmp_path):
    """The usual query gives stations with their tags first, and again without as nodes of a way."""
    tags = {"railway": "station", "ref:crs": "AAA"}
    station = {"type": "node", "id": 5, "lon": LON, "lat": LAT}
    older = {"type": "way", "id": 10, "version": -1, "nodes": [1, 2], "tags": {"highway": "primary"}}
    gone = {"type": "way", "id": 12, "visible": False, "nodes": [1, 2], "tags": {"highway": "primary"}}
    reading = answer(tmp_path, {**station, "tags": tags}, station, older, gone, 5, {"type": "way"})
    assert list(reading.table.stations.index) == ["AAA"]
    assert ways(reading) == [10]
    assert counts(reading) == {
        ("duplicate", "older_version"): 1,
        ("out_of_scope", "deleted"): 1,
        ("quarantined", "unreadable_element"): 2,
    }


def test_rules_for_some_hours_are_counted(tmp_path):
    odd = way(17, [1, 2], highway="residential", motor_vehicle__conditional="no @ (08:00-09:00)")
    reading = read_osm(write_osm(tmp_path, *CROSS, odd))
    assert reading.accounts[0].warnings == (
        "1 roads carry rules that hold at some hours only, which are not looked at",
    )
