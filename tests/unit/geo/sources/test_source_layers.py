"""GeoJSON, GeoPackage, boundaries, areas and track."""

import json
import sqlite3

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely.geometry import LineString, MultiLineString, Point, Polygon, box

from geo.errors import CrsError, InputError, ResourceError
from geo.sources.boundaries import read_areas, read_boundaries
from geo.sources.layers import read_layer
from geo.sources.track import read_track

SQUARE = [[-1.1, 53.9], [-1.0, 53.9], [-1.0, 54.0], [-1.1, 54.0], [-1.1, 53.9]]
BOW_TIE = [[-1.1, 53.9], [-1.0, 54.0], [-1.0, 53.9], [-1.1, 54.0], [-1.1, 53.9]]


def feature(coordinates, kind="Polygon", **properties):
    geometry = None if coordinates is None else {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "properties": {"code": "a", "label": "A", **properties}, "geometry": geometry}


def write(tmp_path, features, name="x.geojson", **members):
    path = tmp_path / name
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features, **members}))
    return path


def read(path, **options):
    return read_boundaries(path, kind="force", id_property="code", name_property="label", **options)


def test_a_square_comes_out_in_metres(tmp_path):
    reading = read(write(tmp_path, [feature([SQUARE])]))
    # 0.1 degrees at 54 N are about 6.5 km by 11.1 km.
    assert reading.table.area.iloc[0] == pytest.approx(6.55e3 * 11.13e3, rel=0.01)
    assert reading.table.loc["a", ["name", "kind"]].tolist() == ["A", "force"]


def test_broken_polygons_are_mended_and_said(tmp_path):
    reading = read(write(tmp_path, [feature([BOW_TIE]), feature([SQUARE], code="b")]))
    assert reading.table.is_valid.all()
    assert "1 polygons were invalid and were mended; 1 changed area" in reading.accounts[0].warnings[0]
    assert reading.table.loc["a"].geometry.area == pytest.approx(reading.table.loc["b"].geometry.area / 2, rel=0.01)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (feature(None), "unreadable_geometry"),
        (feature([[["x", "y"]]]), "unreadable_geometry"),
        (feature([SQUARE[:2]]), "unreadable_geometry"),
        (feature([]), "empty_geometry"),
        (feature([-1.1, 53.9], "Point"), "not_a_polygon"),
        (feature([SQUARE], code=None), "no_id"),
        ("no feature", "no_id"),
    ],
)
def test_bad_features_are_rejected_and_the_rest_kept(tmp_path, bad, reason):
    reading = read(write(tmp_path, [feature([SQUARE], code="b"), bad]))
    assert reading.table.index.tolist() == ["b"]
    assert reading.quarantine[["source_row", "reason"]].to_numpy().tolist() == [[2, reason]]


def test_height_winding_and_collections_do_not_matter(tmp_path):
    flat = read(write(tmp_path, [feature([SQUARE])])).table.area.iloc[0]
    high = [[*point, 100.0] for point in SQUARE[::-1]]
    mixed = {
        "type": "GeometryCollection",
        "geometries": [
            {"type": "LineString", "coordinates": SQUARE[:2]},
            {"type": "Polygon", "coordinates": [[[x, y - 0.2] for x, y in SQUARE]]},
        ],
    }
    features = [feature([high]), {**feature([SQUARE], code="b"), "geometry": mixed}]
    table = read(write(tmp_path, features)).table
    assert table.area.tolist() == pytest.approx([flat, flat], rel=0.01)
    assert not shapely.has_z(table.geometry.to_numpy()).any()


def test_a_code_given_twice_is_a_duplicate_or_a_contradiction(tmp_path):
    same = read(write(tmp_path, [feature([SQUARE]), feature([SQUARE])]))
    assert same.accounts[0].n_by_reason == (("duplicate", "same_area_again", 1),)
    other = [[x + 0.01, y] for x, y in SQUARE]
    both = read(write(tmp_path, [feature([SQUARE]), feature([other]), feature([SQUARE], code="b")]))
    assert both.table.index.tolist() == ["b"]
    assert both.quarantine["reason"].tolist() == ["repeated_id"] * 2


def test_the_order_of_features_does_not_matter(tmp_path):
    features = [feature([[[x + n / 10, y] for x, y in SQUARE]], code=f"c{n}") for n in range(4)]
    forwards, backwards = (read(write(tmp_path, rows)).table for rows in (features, features[::-1]))
    assert forwards.to_json() == backwards.to_json()


def test_areas_carry_people_and_reject_those_without(tmp_path):
    people = {"pop": 1500.0, "homes": 600, "imd": 3.0}
    features = [
        feature([SQUARE], **people),
        feature([SQUARE], **people | {"pop": None}, code="b"),
        feature([SQUARE], **people | {"imd": 11}, code="c"),
        feature([SQUARE], **people | {"homes": -1}, code="d"),
        feature([SQUARE[:3] + SQUARE[:1]], **people | {"homes": None, "imd": None}, code="e"),
    ]
    reading = read_areas(
        write(tmp_path, features),
        id_property="code",
        name_property="label",
        population_property="pop",
        dwellings_property="homes",
        imd_decile_property="imd",
    )
    assert reading.table.loc["a", ["population", "n_dwellings", "imd_decile"]].tolist() == [1500, 600, 3]
    assert np.isnan(reading.table.loc["e", ["n_dwellings", "imd_decile"]].to_numpy(dtype=float)).all()
    assert reading.quarantine["reason"].tolist() == ["no_population", "no_decile", "negative_count"]
    with pytest.raises(InputError, match=r"property 'inhabitants', .* is missing, expected it among \('code'"):
        read_areas(
            write(tmp_path, features), id_property="code", population_property="inhabitants", name_property="label"
        )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("<!doctype html><html>", "it is a web page, perhaps an error page, expected GeoJSON"),
        ('{"type": "FeatureCollection", "features": [', "it is not valid GeoJSON"),
        ('{"type": "FeatureCollection", "features": [NaN]}', "NaN is no JSON number"),
        ('{"type": "FeatureCollection", "features": []}', "it has 0 features"),
        ('{"type": "Topology"}', "it is TopoJSON, expected GeoJSON or GeoPackage"),
        ('{"type": "Sphere"}', "it is JSON but no FeatureCollection"),
        (
            '{"type": "FeatureCollection", "features": [{}], "crs": {"properties": {"name": "local"}}}',
            "its crs is 'local'",
        ),
        ("[" + "9" * 5000 + "]", "it is not valid GeoJSON"),
    ],
)
def test_what_is_no_geojson_is_refused(tmp_path, content, words):
    path = tmp_path / "x.geojson"
    path.write_text(content)
    with pytest.raises(InputError, match=words):
        read_layer(path)


def test_deep_nesting_is_refused_and_brackets_in_text_are_not(tmp_path):
    path = tmp_path / "x.geojson"
    path.write_text("[" * 100_000)
    with pytest.raises(ResourceError, match="it is nested 100000 deep, expected at most 64"):
        read_layer(path)
    assert len(read(write(tmp_path, [feature([SQUARE], note='["[' * 100)])).table) == 1


def test_a_virtual_dataset_called_geojson_is_not_opened(tmp_path):
    (tmp_path / "secret.csv").write_text("id,WKT\n1,POINT(0 0)\n")
    path = tmp_path / "offences.geojson"
    path.write_text(
        f'<OGRVRTDataSource><OGRVRTLayer name="secret"><SrcDataSource>{tmp_path / "secret.csv"}</SrcDataSource>'
        "</OGRVRTLayer></OGRVRTDataSource>"
    )
    with pytest.raises(InputError, match=r"offences\.geojson: it is not valid GeoJSON"):
        read_layer(path)


def test_a_crs_that_does_not_fit_is_refused(tmp_path):
    metres = [[[400_000.0, 400_000.0], [500_000.0, 400_000.0], [500_000.0, 500_000.0], [400_000.0, 400_000.0]]]
    with pytest.raises(CrsError, match=r"its CRS is EPSG:4326 but coordinates reach 500000.*probably in EPSG:27700"):
        read(write(tmp_path, [feature(metres)]))
    declared = {"crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::27700"}}}
    assert read(write(tmp_path, [feature(metres)], **declared)).table.area.iloc[0] == pytest.approx(5e9)
    with pytest.raises(CrsError, match="its CRS is EPSG:27700, expected EPSG:4326 as declared"):
        read(write(tmp_path, [feature(metres)], **declared), crs="EPSG:4326")
    swapped = [[[y, x] for x, y in SQUARE]]
    with pytest.raises(
        CrsError, match=r"its coordinates begin with 53\.90 to 54\.00, expected Great Britain, longitude .* swapped"
    ):
        read(write(tmp_path, [feature(swapped)]))
    world = [[[-179.0, -80.0], [179.0, -80.0], [179.0, 80.0], [-179.0, -80.0]]]
    with pytest.raises(CrsError, match="expected Great Britain"):
        read(write(tmp_path, [feature(world)]))


@pytest.fixture
def package(tmp_path):
    layer = gpd.GeoDataFrame(
        {"code": ["a", "b"], "label": ["A", "B"]},
        geometry=[box(400_000, 400_000, 410_000, 410_000), Polygon()],
        crs="EPSG:27700",
    )
    path = tmp_path / "x.gpkg"
    layer.to_file(path, layer="forces", driver="GPKG")
    return path


def test_a_geopackage_reads_as_its_writer_meant(package):
    reading = read(package)
    assert reading.table.area.tolist() == [1e8]
    assert reading.quarantine["reason"].tolist() == ["empty_geometry"]
    with pytest.raises(InputError, match="layer is 'roads' and its feature tables are 'forces'"):
        read(package, layer="roads")


def test_several_layers_must_be_named(package):
    layer = gpd.GeoDataFrame({"code": ["c"], "label": ["C"]}, geometry=[box(0, 0, 1, 1)], crs="EPSG:27700")
    layer.to_file(package, layer="towns", driver="GPKG")
    with pytest.raises(InputError, match="layer is None and its feature tables are 'forces', 'towns', expected one"):
        read(package)
    assert read(package, layer="towns").table.index.tolist() == ["c"]


def test_views_are_not_read(package):
    with sqlite3.connect(package) as database:
        database.execute("CREATE VIEW spy AS SELECT * FROM forces")
        database.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) "
            "VALUES ('spy', 'features', 'spy', 27700)"
        )
        database.execute("INSERT INTO gpkg_geometry_columns VALUES ('spy', 'geom', 'GEOMETRY', 27700, 0, 0)")
    database.close()
    with pytest.raises(InputError, match="layer is 'spy' and its feature tables are 'forces'"):
        read(package, layer="spy")
    assert read(package).table.index.tolist() == ["a"]


def test_other_databases_and_damaged_packages_are_refused(tmp_path, package):
    other = tmp_path / "other.gpkg"
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE t (a)")
    database.close()
    with pytest.raises(InputError, match=r"other\.gpkg: it is no GeoPackage, expected its application id"):
        read(other)
    whole = package.read_bytes()
    package.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="its database cannot be read"):
        read(package)


def test_track_is_split_into_lines_and_ordered_by_place(tmp_path):
    first, second = [[-1.1, 53.9], [-1.0, 53.9]], [[-1.3, 53.9], [-1.2, 53.9]]
    point_like = [[-1.5, 53.9], [-1.5, 53.9]]
    features = [
        feature([first, point_like, second], "MultiLineString"),
        feature([-1.1, 53.9], "Point"),
        feature([[-1.1, 53.9], [-1.1, 53.9]], "LineString"),
        feature(None),
    ]
    reading = read_track(write(tmp_path, features))
    assert reading.table.index.tolist() == ["T0", "T1"]
    assert reading.table.bounds["minx"].is_monotonic_increasing
    assert reading.accounts[0].n_accepted == 1
    assert reading.quarantine["reason"].tolist() == ["not_a_line", "zero_length", "unreadable_geometry"]
    again = read_track(write(tmp_path, [feature(second, "LineString"), feature(first, "LineString")]))
    assert again.table.to_json() == reading.table.to_json()


def test_track_from_a_geopackage_is_the_same(tmp_path):
    lines = [LineString([(4e5, 4e5), (4.1e5, 4e5)]), MultiLineString([[(4.2e5, 4e5), (4.3e5, 4e5)]]), Point(4e5, 4e5)]
    path = tmp_path / "t.gpkg"
    gpd.GeoDataFrame({"n": [1, 2, 3]}, geometry=lines, crs="EPSG:27700").to_file(path, layer="track", driver="GPKG")
    reading = read_track(path)
    assert reading.table.length.tolist() == [10_000, 10_000]
    assert reading.quarantine["reason"].tolist() == ["not_a_line"]


def test_features_without_any_shape_are_quarantined_one_by_one(tmp_path):
    path = write(tmp_path, [None, 1, feature([0, 0], "Spiral")])
    read = read_track(path)
    assert len(read.table) == 0
    assert read.accounts[0].n_by_reason == (("quarantined", "unreadable_geometry", 3),)


@pytest.mark.parametrize("member", [5, "EPSG:4326", {"properties": [1]}, {"properties": None}, {"properties": {}}])
def test_a_crs_member_of_the_wrong_kind_is_refused(tmp_path, member):
    path = write(tmp_path, [feature([[-1, 54], [-1.1, 54]], "LineString")], crs=member)
    with pytest.raises(InputError, match=r"its crs is '', expected CRS84 or an EPSG code"):
        read_track(path)
