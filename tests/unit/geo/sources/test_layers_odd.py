"""Maps as programs really write them: CRS spellings, features on lines, other kinds of files, packages left open."""

import json
import sqlite3
import struct
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from shapely.geometry import LineString, Point, box

from geo.errors import CrsError, InputError
from geo.sources.boundaries import read_areas, read_boundaries
from geo.sources.geojson import read_geojson
from geo.sources.geopackage import read_geopackage
from geo.sources.geopackage_shapes import parse_shapes
from geo.sources.layers import read_layer
from geo.sources.track import read_track

GRID = [[450_000, 450_000], [460_000, 450_000], [460_000, 460_000], [450_000, 450_000]]
DEGREES = [[-1.2, 53.9], [-1.0, 53.9], [-1.0, 54.0], [-1.2, 53.9]]


def feature(ring, code="a", **properties):
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "properties": {"code": code, "label": code.upper(), **properties}, "geometry": geometry}


def named(crs):
    return {"type": "name", "properties": {"name": crs}}


def collection(*features, crs=None):
    member = {} if crs is None else {"crs": named(crs)}
    return {"type": "FeatureCollection", "features": list(features), **member}


def write(folder, content, name="x.geojson"):
    path = folder / name
    text = content if isinstance(content, (str, bytes)) else json.dumps(content)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(path, **options):
    return read_boundaries(path, kind="force", id_property="code", name_property="label", **options)


@pytest.mark.parametrize(
    "crs",
    [
        "epsg:27700",
        "EPSG:27700",
        "EPSG::27700",
        " EPSG:27700 ",
        "urn:ogc:def:crs:EPSG::27700",
        "urn:ogc:def:crs:epsg:9.9.1:27700",
        "urn:x-ogc:def:crs:EPSG:27700",
        "http://www.opengis.net/def/crs/EPSG/0/27700",
        "https://www.opengis.net/def/crs/epsg/9.9/27700",
        "http://www.opengis.net/gml/srs/epsg.xml#27700",
    ],
)
def test_the_national_grid_is_known_in_every_spelling(tmp_path, crs):
    assert read(write(tmp_path, collection(feature(GRID), crs=crs))).table.area.tolist() == [5e7]


@pytest.mark.parametrize(
    "crs",
    [
        "urn:ogc:def:crs:OGC:1.3:CRS84",
        "urn:ogc:def:crs:ogc::crs84",
        "OGC:CRS84",
        "CRS84",
        "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
        "epsg:4326",
        "urn:ogc:def:crs:EPSG::4326",
        None,
    ],
)
def test_degrees_are_known_in_every_spelling(tmp_path, crs):
    table = read(write(tmp_path, collection(feature(DEGREES), crs=crs))).table
    assert table.bounds.round(-4).to_numpy().tolist() == [[450_000, 450_000, 470_000, 460_000]]


def test_the_code_of_the_old_draft_is_a_crs(tmp_path):
    old = collection(feature(GRID)) | {"crs": {"type": "EPSG", "properties": {"code": 27700}}}
    assert read(write(tmp_path, old)).table.area.tolist() == [5e7]


@pytest.mark.parametrize(
    ("crs", "words"),
    [
        ("EPSG:99999", r"its crs is EPSG:99999, which is not known, expected EPSG:27700 or EPSG:4326"),
        ("EPSG:5701", r"its crs is EPSG:5701 \(.*height\), expected a system of map positions"),
    ],
)
def test_a_crs_of_no_map_is_refused(tmp_path, crs, words):
    with pytest.raises(CrsError, match=words):
        read(write(tmp_path, collection(feature(GRID), crs=crs)))


def test_web_mercator_is_read_where_it_is_declared_and_guessed_where_it_is_not(tmp_path):
    square = gpd.GeoSeries([shapely.Polygon(DEGREES)], crs="EPSG:4326").to_crs("EPSG:3857")[0]
    ring = [list(point) for point in square.exterior.coords]
    declared = read(write(tmp_path, collection(feature(ring), crs="EPSG:3857"))).table
    assert declared.bounds.round(-4).to_numpy().tolist() == [[450_000, 450_000, 470_000, 460_000]]
    with pytest.raises(CrsError, match=r"but coordinates reach 7\d+, expected degrees\. .* probably in EPSG:3857"):
        read(write(tmp_path, collection(feature(ring))))


def test_degrees_called_metres_are_refused(tmp_path):
    with pytest.raises(
        CrsError, match=r"its coordinates look like degrees \(-1\.20, 53\.90\), expected Great Britain in metres"
    ):
        read(write(tmp_path, collection(feature(DEGREES), crs="EPSG:27700")))


LINES = [json.dumps(feature(DEGREES)), json.dumps(feature([[x - 1, y] for x, y in DEGREES], "b"))]


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(LINES),
        "\r\n".join([*LINES, ""]),
        "\n\n".join(LINES),
        "".join(f"\x1e{line}\n" for line in LINES),
        "﻿" + "\n".join(LINES),
        "\n".join(json.dumps(json.loads(line), indent=1) for line in LINES),
        json.dumps(collection(*map(json.loads, LINES))),
        b"\xef\xbb\xbf" + json.dumps(collection(*map(json.loads, LINES))).encode(),
        json.dumps(collection(*map(json.loads, LINES))).encode("utf-16"),
    ],
)
def test_features_may_stand_on_lines_of_their_own(tmp_path, text):
    assert read(write(tmp_path, text)).table.index.tolist() == ["a", "b"]


def test_a_single_feature_and_a_bare_geometry_are_layers(tmp_path):
    assert read(write(tmp_path, feature(DEGREES))).table.index.tolist() == ["a"]
    line = {"type": "LineString", "coordinates": DEGREES[:2]}
    assert len(read_track(write(tmp_path, line)).table) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\n".join([*LINES, LINES[0][:40]]), r"it is not valid GeoJSON \(document 3: .*\), expected whole JSON"),
        (" \n ", r"it holds only blanks, expected GeoJSON"),
        (
            "\n".join(json.dumps(feature(GRID) | {"crs": named(f"EPSG:{code}")}) for code in (27700, 4326)),
            r"its features declare EPSG:27700 and EPSG:4326, expected one crs",
        ),
        ("\n".join([json.dumps(collection(feature(GRID)))] * 2), r"not valid GeoJSON \(2 documents, collections among"),
        ('{"elements": [], "osm3s": {}}', "it is an Overpass answer, expected GeoJSON or GeoPackage"),
        ('{"geometryType": "esriGeometryPolygon", "features": []}', "it is Esri JSON, expected GeoJSON or GeoPackage"),
        ("[1, 2]", "it is JSON but no FeatureCollection"),
    ],
)
def test_what_is_no_layer_is_named(tmp_path, text, words):
    with pytest.raises(InputError, match=words):
        read_geojson(write(tmp_path, text))


XML = b'<?xml version="1.0" encoding="UTF-8"?>\n<!-- made by hand -->\n'


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (XML + b'<kml xmlns="http://www.opengis.net/kml/2.2"/>', r"KML \(Google Earth\)"),
        (b"<kml><Document/></kml>", r"KML \(Google Earth\)"),
        (b"\xef\xbb\xbf" + XML + b"<kml/>", r"KML \(Google Earth\)"),
        ((XML + b"<kml/>").decode().encode("utf-16"), r"KML \(Google Earth\)"),
        (XML + b'<ogr:FeatureCollection xmlns:gml="http://www.opengis.net/gml/3.2">', "GML"),
        (XML + b"<gpx/>", "GPX"),
        (XML + b'<osm version="0.6"/>', "OpenStreetMap XML"),
        (XML + b"<ows:ExceptionReport/>", "an error report of a map server"),
        (XML + b"<Plan/>", "XML with the root <Plan>"),
        (XML + b"<Error><Code>AccessDenied</Code></Error>", "a web page, perhaps an error page"),
        (XML + b"<!DOCTYPE html><html/>", "a web page, perhaps an error page"),
        (b"PK\x03\x04........force.shp" + b"." * 50, "a zipped shapefile"),
        (b"PK\x03\x04........doc.kml" + b"." * 50, r"KMZ \(Google Earth\)"),
        (b"PK\x03\x04........xl/workbook.xml", "an Excel workbook"),
        (b"PK\x03\x04........a.gdb/a00", "a zipped file geodatabase"),
        (b"PK\x03\x04........", "a ZIP archive or an Excel workbook"),
        (b"\x00\x00\x27\x0a" + b"\x00" * 96, "a shapefile"),
        (b"fgb\x03fgb\x01", "FlatGeobuf"),
        (b"PAR1....", "a Parquet file"),
    ],
)
def test_other_kinds_of_maps_are_named(tmp_path, content, kind):
    words = rf"x\.geojson: it is {kind}, expected GeoJSON or GeoPackage\. .*export GeoJSON or GeoPackage\.$"
    with pytest.raises(InputError, match=words):
        read_layer(write(tmp_path, content))


def test_properties_of_any_kind_are_read(tmp_path):
    """Lists, objects, half characters and numbers beyond a float's are properties too."""
    odd = [[], {"a": 1}, "\ud800", 10**400, True, 1e308]
    features = [feature([[x - n, y] for x, y in DEGREES], f"c{n}", people=value) for n, value in enumerate(odd)]
    reading = read_areas(
        write(tmp_path, collection(*features)),
        id_property="code",
        name_property="people",
        population_property="people",
        dwellings_property=None,
        imd_decile_property=None,
    )
    assert reading.table.index.tolist() == ["c4", "c5"]
    assert reading.quarantine["reason"].tolist() == ["no_population"] * 4
    assert reading.quarantine["value"].tolist()[2] == "?"


@pytest.mark.parametrize("number", ["1e999", "1e400"])
def test_endless_coordinates_are_no_geometry(tmp_path, number):
    text = json.dumps(collection(feature(DEGREES), feature(DEGREES, "b"))).replace("-1.2", number, 1)
    reading = read(write(tmp_path, text))
    assert reading.quarantine["reason"].tolist() == ["unreadable_geometry"]


@pytest.mark.parametrize("order", [1, -1])
def test_a_polygon_under_two_codes_is_one_area(tmp_path, order):
    turned = [*DEGREES[1:], DEGREES[1]]
    multi = {"type": "MultiPolygon", "coordinates": [[DEGREES[::-1]]]}
    features = [feature(turned, "b"), feature(DEGREES, "a"), feature(DEGREES, "c") | {"geometry": multi}]
    reading = read(write(tmp_path, collection(*features[::order])))
    assert reading.table.index.tolist() == ["a"]
    assert reading.accounts[0].n_by_reason == (("duplicate", "same_shape_again", 2),)


def test_one_area_with_two_populations_is_a_contradiction(tmp_path):
    path = write(tmp_path, collection(feature(DEGREES, pop=10), feature(DEGREES, pop=10), feature(DEGREES, pop=20)))
    options = {"dwellings_property": None, "imd_decile_property": None}
    reading = read_areas(path, id_property="code", name_property="label", population_property="pop", **options)
    assert reading.table.empty
    assert reading.accounts[0].n_by_reason == (
        ("duplicate", "same_area_again", 1),
        ("quarantined", "repeated_id", 2),
    )


def line(tags, at=0.0, **more):
    geometry = {"type": "LineString", "coordinates": [[-1.2, 53.9 + at], [-1.1, 53.9 + at]]}
    return {"type": "Feature", "properties": tags, "geometry": geometry, **more}


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"railway": "rail", "usage": "main"}, None),
        ({"railway": " Rail "}, None),
        ({"Railway": "rail", "disused": "no"}, None),
        ({"railway": "disused"}, "not_heavy_rail_in_use"),
        ({"railway": "light_rail"}, "not_heavy_rail_in_use"),
        ({"railway": "platform"}, "not_heavy_rail_in_use"),
        ({"railway": "rail", "service": "siding"}, "yard_or_siding"),
        ({"railway": "rail", "usage": "tourism"}, "heritage_or_industrial_line"),
        ({"railway": "rail", "disused": True}, "not_heavy_rail_in_use"),
        ({"railway": "rail", "abandoned": "yes"}, "not_heavy_rail_in_use"),
        ({"disused:railway": "rail"}, "not_heavy_rail_in_use"),
        ({"razed:railway": "rail", "highway": "cycleway"}, "not_heavy_rail_in_use"),
        ({"tags": {"railway": "rail", "usage": "industrial"}}, "heritage_or_industrial_line"),
        ({"tags": '{"railway": "tram"}'}, "not_heavy_rail_in_use"),
        ({"railway": "rail", "other_tags": '"usage"=>"tourism","name"=>"a \\"b\\""'}, "heritage_or_industrial_line"),
        ({"other_tags": '"railway"=>"rail","service"=>"yard"'}, "yard_or_siding"),
        ({"fclass": "narrow_gauge"}, "not_heavy_rail_in_use"),
        ({"fclass": "rail"}, None),
        ({"highway": "residential"}, "not_heavy_rail_in_use"),
    ],
)
def test_track_is_judged_by_its_tags_wherever_they_are(tmp_path, tags, reason):
    reading = read_track(write(tmp_path, collection(line({"railway": "rail"}), line(tags, at=0.1))))
    expected = () if reason is None else (("out_of_scope", reason, 1),)
    assert reading.accounts[0].n_by_reason == expected
    assert reading.accounts[0].warnings == ()


def test_track_without_tags_is_read_with_a_warning(tmp_path):
    reading = read_track(write(tmp_path, collection(line({"name": "x"}), line({}, at=0.1))))
    assert len(reading.table) == 2
    assert "no line has the property 'railway'" in reading.accounts[0].warnings[0]
    mixed = read_track(write(tmp_path, collection(line({"railway": "rail"}), line({"railway": None}, at=0.1))))
    assert mixed.accounts[0].warnings == ("1 lines have no 'railway' tag: it is not known whether they are in use.",)


def test_signals_of_an_export_are_out_of_scope_and_no_fault(tmp_path):
    signal = line({"railway": "signal"}, geometry={"type": "Point", "coordinates": [-1.2, 53.9]})
    reading = read_track(write(tmp_path, collection(line({"railway": "rail"}), signal)))
    assert reading.accounts[0].n_by_reason == (("out_of_scope", "not_heavy_rail_in_use", 1),)


@pytest.mark.parametrize("order", [1, -1])
def test_a_line_drawn_twice_is_one_line(tmp_path, order):
    there, back = line({"railway": "rail"}), line({"railway": "rail"})
    back["geometry"] = {"type": "LineString", "coordinates": there["geometry"]["coordinates"][::-1]}
    part = line({"railway": "rail"})
    part["geometry"] = {"type": "MultiLineString", "coordinates": [there["geometry"]["coordinates"], DEGREES[1:3]]}
    reading = read_track(write(tmp_path, collection(*[there, back, part][::order])))
    assert reading.accounts[0].n_by_reason == (("duplicate", "same_line_again", 1),)
    assert len(reading.table) == 2
    assert reading.table.to_json() == read_track(write(tmp_path, collection(there, back, part))).table.to_json()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("package") / "x.gpkg"
    layer = gpd.GeoDataFrame(
        {"code": ["a", "b"], "label": ["A", "B"], "n": [1, 2]},
        geometry=[box(400_000, 400_000, 410_000, 410_000), box(410_000, 400_000, 420_000, 410_000)],
        crs="EPSG:27700",
    )
    layer.to_file(path, layer="Forces", driver="GPKG")
    return path.read_bytes()


@pytest.fixture
def package(tmp_path, whole):
    return write(tmp_path, whole, "x.gpkg")


def change(path: Path, *statements):
    with sqlite3.connect(path) as database:
        database.text_factory = bytes
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{name.decode()}"')
        for statement in statements:
            database.execute(statement)
    database.close()
    return path


def test_a_package_left_in_wal_mode_is_whole(package):
    data = package.read_bytes()
    package.write_bytes(data[:18] + b"\2\2" + data[20:])
    assert read(package).table.index.tolist() == ["a", "b"]
    package.with_name("x.gpkg-wal").touch()
    assert len(read_geopackage(package).layer) == 2


@pytest.mark.parametrize(("ending", "content"), [("-wal", b"x"), ("-journal", b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7")])
def test_a_package_that_is_open_elsewhere_is_not_read(package, ending, content):
    data = package.read_bytes()
    package.write_bytes(data[:18] + b"\2\2" + data[20:])
    package.with_name(f"x.gpkg{ending}").write_bytes(content)
    with pytest.raises(InputError, match=rf"x\.gpkg{ending} beside it holds changes .*expected a closed file\. Close"):
        read(package)


def test_layers_are_named_without_regard_to_capitals(package):
    assert read(package, layer="forces").table.index.tolist() == ["a", "b"]
    layer = gpd.GeoDataFrame({"code": ["c"], "label": ["C"]}, geometry=[box(0, 0, 1, 1)], crs="EPSG:27700")
    layer.to_file(package, layer="towns", driver="GPKG")
    assert read(package, layer="TOWNS").table.index.tolist() == ["c"]
    with pytest.raises(InputError, match=r"Name one of them\."):
        read(package)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DELETE FROM gpkg_contents", "it has no feature table, expected a layer with shapes"),
        ("DELETE FROM Forces", "layer 'Forces' has 0 features, expected at least one"),
        (
            "UPDATE gpkg_geometry_columns SET column_name = 'shape'",
            "layer 'Forces' has no column 'shape', expected its",
        ),
        ("UPDATE gpkg_geometry_columns SET column_name = x'4750'", "names .* expected a column of shapes"),
        ("UPDATE gpkg_spatial_ref_sys SET organization = 'NONE'", "reference system is 27700, expected an EPSG code"),
        ("UPDATE gpkg_spatial_ref_sys SET organization_coordsys_id = 'xyz'", "is 27700, expected an EPSG code"),
        ("UPDATE gpkg_spatial_ref_sys SET organization_coordsys_id = 99999", "EPSG:99999, which is not known"),
        ("DROP TABLE gpkg_spatial_ref_sys", "its database cannot be read"),
    ],
)
def test_a_package_that_contradicts_itself_is_refused(package, statement, words):
    with pytest.raises(InputError, match=words):
        read(change(package, statement))


def test_wrong_values_cost_their_row_only(package):
    change(package, "UPDATE Forces SET geom = 'text', label = x'ff41' WHERE code = 'a'")
    reading = read(package)
    assert reading.table.index.tolist() == ["b"]
    assert reading.quarantine["reason"].tolist() == ["unreadable_geometry"]


def test_lost_pages_are_found(package):
    data = bytearray(package.read_bytes())
    size = struct.unpack(">H", data[16:18])[0]
    pages = range(size, len(data), size)
    leaves = [at for at in pages if data[at] == 13 and struct.unpack(">H", data[at + 3 : at + 5])[0] > 1]
    for at in leaves:
        data[at + 3 : at + 5] = struct.pack(">H", 1)
    package.write_bytes(data)
    with pytest.raises(InputError, match="its database cannot be read"):
        read(package)


def blob(wkb):
    return struct.pack("<2sBBi", b"GP", 0, 1, 27700) + wkb


def test_shapes_of_every_kind_are_read_or_counted():
    ring = struct.pack("<BII", 1, 8, 3) + struct.pack("<6d", 0, 0, 1, 1, 2, 0)
    inside = struct.pack("<BII", 1, 7, 1) + ring
    deep = struct.pack("<BII", 1, 7, 1) * 200_000
    high = shapely.to_wkb(LineString([(0, 0, 5), (1, 1, 5)]), flavor="iso")
    huge = struct.pack("<BII", 1, 2, 2**31)
    point = Point(1, 2)
    empty = struct.pack("<BIdd", 1, 1, float("nan"), float("nan"))
    given = [ring, inside, deep, high, huge, shapely.to_wkb(point), empty]
    shapes, n_curved = parse_shapes([*map(blob, given), None, "text", b"GP", blob(b"\1\2")])
    assert n_curved == 2
    assert [shape is None for shape in shapes] == [True, True, True, False, True, False, False] + [True] * 4
    assert shapes[5] == point


def test_curves_are_said(package):
    ring = struct.pack("<BII", 1, 10, 1) + struct.pack("<BII", 1, 8, 0)
    change(package, f"UPDATE Forces SET geom = x'{blob(ring).hex()}' WHERE code = 'a'")  # noqa: S608 - bytes of ours
    reading = read(package)
    assert reading.quarantine["reason"].tolist() == ["unreadable_geometry"]
    assert reading.accounts[0].warnings == (
        "1 features are curves, which are not read; convert them to straight segments.",
    )


@pytest.mark.parametrize(
    "said", [{"exceededTransferLimit": True}, {"properties": {"exceededTransferLimit": True}}, {"numberMatched": 50}]
)
def test_a_layer_that_its_server_cut_short_is_refused(tmp_path, said):
    square = {"type": "Polygon", "coordinates": [[[-1, 54], [-0.9, 54], [-0.9, 54.1], [-1, 54]]]}
    feature = {"type": "Feature", "properties": {"boundary_code": "F1", "name": "F"}, "geometry": square}
    path = tmp_path / "area.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature], **said}))
    with pytest.raises(InputError, match=r"it has 1 features of more that its server holds, expected all"):
        read_boundaries(path, kind="force", id_property="boundary_code", name_property="name")
