"""
Every input of the demo spoilt in every way that files go wrong: counted and warned of, or refused in one sentence.

``tests/contracts/faults.md`` says which fault of the project's list each test shows. Anything but a `GatelineError` is
a defect, and warnings are errors here, so none can pass unseen.
"""

import json
import os
import pickle

import pytest

import gateline.pipeline.read_areas
import gateline.pipeline.read_offences
import gateline.pipeline.run as main_job
from gateline.pipeline.read import read_inputs, require_little_quarantine
from gateline.settings import read_settings
from geo.errors import CrsError, GatelineError, InputError, QuarantineError, TableError, UsageError
from tests.regions import keep_rows, make_small

OFFENCES, CUCKOOING, LINES = "offences_FICTIONAL.csv", "cuckooing_FICTIONAL.csv", "deal_lines.csv"
STATIONS, PLACES, EXPORTERS = "stations.csv", "places.csv", "exporters.csv"
TRACK, AREAS, BOUNDARY = "rail_track.geojson", "north_yorkshire_lsoa_2011.geojson", "north_yorkshire.geojson"
TABLES = (OFFENCES, CUCKOOING, LINES, STATIONS, PLACES, EXPORTERS)
LAYERS = (TRACK, AREAS, BOUNDARY, "north_of_england.geojson")


@pytest.fixture
def workspace(tmp_path):
    return make_small(tmp_path / "w")


@pytest.fixture(scope="module", autouse=True)
def _unspoilt():
    """Of the three largest files those bytes that were read with the same options before are not read again."""
    with pytest.MonkeyPatch.context() as patch:
        areas, rest = gateline.pipeline.read_areas, gateline.pipeline.read_offences
        for module, name in ((areas, "read_areas"), (areas, "read_boundaries"), (rest, "read_offence_extract")):
            patch.setattr(module, name, remember(getattr(module, name)))
        yield


def remember(reader):
    known = {}

    def read_or_recall(path, **options):
        if not path.is_file():
            return reader(path, **options)
        key = (path.name, path.read_bytes(), pickle.dumps(options))
        if key not in known:
            known[key] = reader(path, **options)
        return known[key]

    return read_or_recall


def column(at, value):
    """Put a value into one column of every row."""

    def change(rows):
        cells = [row.split(",") for row in rows]
        return [",".join([*row[:at], value, *row[at + 1 :]]) for row in cells]

    return change


def put(root, old, new):
    path = root / "region.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def layer(root, name, change):
    path = root / "inputs" / name
    document = json.loads(path.read_text(encoding="utf-8"))
    change(document)
    path.write_text(json.dumps(document), encoding="utf-8")


def read(root):
    settings = read_settings(root / "region.toml")
    inputs = read_inputs(root, settings)
    require_little_quarantine(inputs, settings.offences)
    return inputs


def account(inputs, name):
    (found,) = [each for each in inputs.accounts if each.source_file == name]
    return found


def refused(root, error, says):
    """The sentence that reading, then the whole run, is refused with; nothing is published."""
    with pytest.raises(error, match=says) as caught:
        read(root)
    assert "\n" not in str(caught.value)
    assert not (root / "runs").exists()


# Files that are no table, or a broken one

SPOILT = {
    "empty": (lambda _: b"", "it is empty \\(0 bytes\\)"),
    "blank lines": (lambda _: b"\n\n \n", "it holds only blanks"),
    "header only": (lambda data: data.split(b"\n")[0] + b"\n", "it has 0 rows below its header"),
    "web page": (lambda _: b"<!DOCTYPE html><html>502</html>", "it is a web page, perhaps an error page"),
    "binary": (lambda _: bytes(range(256)) * 40, "column .* is missing|it is binary"),
    "zip": (lambda data: b"PK\x03\x04" + data, "it is a ZIP archive or an Excel workbook"),
    "damaged gzip": (lambda data: b"\x1f\x8b\x08" + data, "its gzip data are damaged"),
    "UTF-16 without mark": (lambda data: data.decode().encode("utf-16-le"), "it is binary, expected a CSV text file"),
    "unclosed quote": (lambda data: data.replace(b"\n", b'\n"', 1), "the quote opened in the row of line 2"),
    "column twice": (lambda data: each_line(data, lambda line: line + b"," + line.split(b",")[0]), "is there twice"),
    "columns misnamed": (lambda data: data.replace(b",", b",x_").replace(b"name", b"nom", 1), "column .* is missing"),
}


def each_line(data, change):
    return b"\n".join(change(line) for line in data.splitlines()) + b"\n"


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("fault", list(SPOILT))
def test_a_file_that_is_no_table_is_refused_by_name(workspace, name, fault):
    change, says = SPOILT[fault]
    path = workspace / "inputs" / name
    path.write_bytes(change(path.read_bytes()))
    refused(workspace, InputError, f"{name}: .*({says})")


def with_shapes(data, kind, coordinates):
    document = json.loads(data)
    for feature in document["features"]:
        feature["geometry"] = {"type": kind, "coordinates": coordinates}
    return json.dumps(document).encode()


def with_crs(data, crs):
    return json.dumps({**json.loads(data), "crs": crs}).encode()


SPOILT_LAYERS = {
    "empty": (lambda _: b"", InputError, "it is empty"),
    "web page": (lambda _: b"<html>502</html>", InputError, "it is a web page"),
    "truncated": (lambda data: data[: len(data) // 2], InputError, "it is not valid GeoJSON"),
    "binary": (lambda _: bytes(range(256)) * 40, InputError, "it is not valid GeoJSON"),
    "twice in one": (lambda data: data + data, InputError, "it is not valid GeoJSON"),
    "null": (lambda _: b"null", InputError, "it is JSON but no FeatureCollection"),
    "no features": (lambda _: b'{"type":"FeatureCollection","features":[]}', InputError, "it has 0 features"),
    "crs of wrong kind": (lambda data: with_crs(data, {"properties": [1]}), InputError, "its crs is ''"),
    "web Mercator declared": (
        lambda data: with_crs(data, {"type": "name", "properties": {"name": "EPSG:3857"}}),
        CrsError,
        "its CRS is EPSG:3857 but its coordinates look like degrees .*, expected Great Britain in metres",
    ),
    "in the Atlantic": (
        lambda data: with_crs(
            with_shapes(data, "LineString", [[-30.0, 50.0], [-30.1, 50.1]]),
            {"type": "name", "properties": {"name": "EPSG:4326"}},
        ),
        CrsError,
        "expected Great Britain",
    ),
    "no such geometry": (
        lambda data: with_shapes(data, "Spiral", [0, 0]),
        QuarantineError,
        r"(\d+) of \1 rows \([^)]*\)(,| are quarantined)",
    ),
    "points": (
        lambda data: with_shapes(data, "Point", [460000, 450000] if "crs" in json.loads(data) else [-1.0, 54.0]),
        QuarantineError,
        r"(\d+) of \1 rows \([^)]*\)(,| are quarantined)",
    ),
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("fault", list(SPOILT_LAYERS))
def test_a_layer_that_cannot_be_used_is_refused_by_name(workspace, name, fault):
    change, error, says = SPOILT_LAYERS[fault]
    path = workspace / "inputs" / name
    path.write_bytes(change(path.read_bytes()))
    refused(workspace, error, f"{name}: .*{says}")


# What is decoded or counted, and goes on


TOLERATED = {
    "UTF-16": (lambda data: data.decode().encode("utf-16"), "it is UTF-16; it was decoded"),
    "semicolons": (lambda data: data.replace(b",", b";"), "fields are separated by ';'"),
    "tabs": (lambda data: data.replace(b",", b"\t"), "fields are separated by"),
    "byte-order mark": (lambda data: b"\xef\xbb\xbf" + data, None),
    "carriage returns": (lambda data: data.replace(b"\n", b"\r"), None),
    "Windows line ends": (lambda data: data.replace(b"\n", b"\r\n"), None),
}


@pytest.mark.parametrize("fault", list(TOLERATED))
def test_another_encoding_or_separator_reads_as_the_same_rows(workspace, fault):
    change, says = TOLERATED[fault]
    n_rows = {}
    for name in (OFFENCES, LINES, STATIONS):
        path = workspace / "inputs" / name
        n_rows[name] = len(path.read_bytes().splitlines()) - 1
        path.write_bytes(change(path.read_bytes()))
    inputs = read(workspace)
    for name, n in n_rows.items():
        told = account(inputs, name)
        assert (told.n_read, told.n_accepted) == (n, n), name
        assert says is None or any(says in warning for warning in told.warnings), name


COUNTED = {
    "NUL bytes": (
        OFFENCES,
        lambda rows: [*rows[:3], *(row.replace("D", "\0", 1) for row in rows[3:6]), *rows[6:]],
        "quarantined",
        "control_character",
        3,
    ),
    "ragged": (
        OFFENCES,
        lambda rows: [*rows[:2], *(row + ",x,y" for row in rows[2:4]), *rows[4:]],
        "quarantined",
        "ragged",
        2,
    ),
    "cut off in a row": (OFFENCES, lambda rows: [*rows[:-1], rows[-1][:20]], "quarantined", "ragged", 1),
    "the same id again": (OFFENCES, lambda rows: rows + rows[:7], "duplicate", None, 7),
    "amended": (OFFENCES, lambda rows: rows + column(5, "460201")(rows[:7]), "quarantined", None, 7),
    "in the future": (OFFENCES, lambda rows: column(1, "2099-01-05")(rows[:9]) + rows[9:], "quarantined", None, 9),
    "no such day": (OFFENCES, lambda rows: column(1, "2025-02-29")(rows[:9]) + rows[9:], "quarantined", None, 9),
    "null island": (OFFENCES, lambda rows: column(5, "0")(column(6, "0")(rows[:9])) + rows[9:], "quarantined", None, 9),
    "infinite": (OFFENCES, lambda rows: column(5, "1e308")(rows[:9]) + rows[9:], "quarantined", None, 9),
    "address again": (CUCKOOING, lambda rows: rows + rows, "duplicate", "same_address_again", 74),
    "repeated code": (STATIONS, lambda rows: [*rows, rows[-1].replace("York", "Xork")], "duplicate", None, 1),
    "code of four letters": (STATIONS, lambda rows: [*rows, "New,54.0,-1.0,NEWX"], "quarantined", "no_crs_code", 1),
    "negative population": (PLACES, lambda rows: [*rows, "x,Nowhere,-1.0,54.0,-5"], "quarantined", "no_population", 1),
}


def swap(row):
    cells = row.split(",")
    return ",".join([*cells[:5], cells[6], cells[5], *cells[7:]])


@pytest.mark.parametrize("fault", list(COUNTED))
def test_a_row_that_cannot_be_used_is_counted_and_the_rest_is_read(workspace, fault):
    name, change, status, reason, n = COUNTED[fault]
    keep_rows(workspace, name, change)
    put(workspace, "max_quarantine_share = 0.05", "max_quarantine_share = 1.0")
    told = account(read(workspace), name)
    counted = [each for each in told.n_by_reason if each[0] == status and reason in {None, each[1]}]
    assert counted, told
    assert n is None or sum(each[2] for each in counted) == n
    assert told.n_read == told.n_accepted + sum(each[2] for each in told.n_by_reason)


def test_unknown_codes_of_stations_and_towns_are_counted(workspace):
    keep_rows(workspace, EXPORTERS, lambda rows: column(5, "QQQ")(rows[:1]) + rows[1:])
    refused(workspace, QuarantineError, r"exporters\.csv: 1 of 4 rows \(1 unknown_station\) are quarantined")
    put(workspace, "max_quarantine_share = 0.05", "max_quarantine_share = 1.0")
    assert account(read(workspace), EXPORTERS).n_by_reason == (("quarantined", "unknown_station", 1),)


def test_a_bow_tie_is_mended_and_said(workspace):
    ring = [[-1.1, 53.9], [-1.0, 54.0], [-1.0, 53.9], [-1.1, 54.0], [-1.1, 53.9]]
    shape = {"type": "Polygon", "coordinates": [ring]}
    layer(workspace, AREAS, lambda document: document["features"][0].update(geometry=shape))
    warnings = account(read(workspace), AREAS).warnings
    assert any("1 polygons were invalid and were mended" in warning for warning in warnings)


# Whole columns in the wrong terms

ALL_WRONG = {
    # Round York easting and northing are near alike: what is swapped there stays in the force area, the rest tells.
    "swapped": (
        lambda root: keep_rows(root, OFFENCES, lambda rows: list(map(swap, rows))),
        InputError,
        r"offences_FICTIONAL\.csv: \d+ of \d+ rows are 'swapped_grid', .* Swap them in the column mapping",
    ),
    "degrees said, metres given": (
        lambda root: put(root, 'offences_crs = "EPSG:27700"', 'offences_crs = "EPSG:4326"'),
        InputError,
        "look like National Grid metres",
    ),
    "no such CRS": (
        lambda root: put(root, 'offences_crs = "EPSG:27700"', 'offences_crs = "banana"'),
        CrsError,
        "crs: it is 'banana', expected 'EPSG:4326' or 'EPSG:27700'",
    ),
    "another force": (
        lambda root: keep_rows(root, OFFENCES, lambda rows: column(5, "200000")(column(6, "100000")(rows))),
        InputError,
        "'out_of_area', expected at most half",
    ),
    "day or month first": (
        lambda root: keep_rows(root, OFFENCES, lambda rows: rows[:-5] + column(1, "03/02/2025")(rows[-5:])),
        InputError,
        "date_format: it is not declared but 'occurred_from' holds '03/02/2025'",
    ),
    "all in the future": (
        lambda root: keep_rows(root, OFFENCES, column(1, "2099-01-05")),
        InputError,
        r"rows are 'future_date', .* Most dates lie in the future",
    ),
    "no such month": (
        lambda root: put(root, '# first_month = ""', 'first_month = "2024-13"'),
        UsageError,
        r"region\.toml: offences\.first_month is '2024-13' .*expected the settings that 'gateline init' writes",
    ),
    "months the wrong way round": (
        lambda root: (
            put(root, '# first_month = ""', 'first_month = "2025-05"'),
            put(root, '# last_month = ""', 'last_month = "2025-01"'),
        ),
        InputError,
        r"offences: none between 2025-05 and 2025-01, expected some\. Mend the months",
    ),
    "infinite radius": (
        lambda root: put(root, "eps_m = 200.0", "eps_m = inf"),
        UsageError,
        "hotspots.eps_m is inf",
    ),
    "weight that is no number": (
        lambda root: put(root, "station_weights = {}", "station_weights = { courier_flow = nan }"),
        UsageError,
        "scores.station_weights.courier_flow is nan",
    ),
    "exponent that overflows": (
        lambda root: put(root, "population_exponent = 1.0", "population_exponent = 1000.0"),
        UsageError,
        "corridors.population_exponent is 1000.0",
    ),
    "kept for ever": (
        lambda root: put(root, "retention_months = 13", "retention_months = 9999999"),
        UsageError,
        "region.retention_months is 9999999",
    ),
    "a file of another kind": (
        lambda root: put(root, '# harm = ""', 'harm = "inputs/stations.csv"'),
        InputError,
        r"stations\.csv: column 'key', 'days' is missing",
    ),
    "a folder for a file": (
        lambda root: put(root, 'stations = "inputs/stations.csv"', 'stations = "inputs"'),
        InputError,
        "inputs: it is not a regular file",
    ),
}


@pytest.mark.parametrize("fault", list(ALL_WRONG))
def test_a_column_or_setting_that_is_wrong_throughout_is_refused(workspace, fault):
    change, error, says = ALL_WRONG[fault]
    change(workspace)
    refused(workspace, error, says)


# Inputs that are right, and leave a stage with little or nothing

STRANGE = {
    "all offences at one point": lambda root: keep_rows(
        root, OFFENCES, lambda rows: column(5, "460200")(column(6, "449125")(rows))
    ),
    "no offence with a place": lambda root: keep_rows(root, OFFENCES, lambda rows: column(5, "")(column(6, "")(rows))),
    "one offence": lambda root: keep_rows(root, OFFENCES, lambda rows: rows[:1]),
    "all made by police at custody": lambda root: keep_rows(root, OFFENCES, column(4, "custody_location")),
    "one station, no hub": lambda root: (
        keep_rows(root, STATIONS, lambda rows: [row for row in rows if row.endswith(",YRK")]),
        keep_rows(root, EXPORTERS, column(5, "")),
    ),
    "one town": lambda root: (
        keep_rows(root, PLACES, lambda rows: [row for row in rows if ",York," in row]),
        keep_rows(root, LINES, lambda rows: [row for row in rows if "2633352" in row]),
    ),
    "no areas and no boundary": lambda root: (
        put(root, 'areas = "inputs/north_yorkshire_lsoa_2011.geojson"', ""),
        put(root, 'boundary = "inputs/north_yorkshire.geojson"', ""),
    ),
    "towns beyond walk and drive": lambda root: (
        put(root, "walk_limit_min = 60.0", "walk_limit_min = 0.001"),
        put(root, "drive_limit_min = 45.0", "drive_limit_min = 0.001"),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", list(STRANGE))
def test_little_to_go_by_still_makes_a_whole_run(workspace, case):
    STRANGE[case](workspace)
    finished = main_job.run_pipeline(workspace, tell=lambda _: None)
    for scores in (finished.results.station_scores, finished.results.place_scores):
        assert len(scores.table) >= 1
        assert scores.table["score"].between(0, 100).all()
    assert (finished.folder / "map.html").stat().st_size > 0


STOPPED = {
    "no offence in scope": (
        lambda root: keep_rows(root, OFFENCES, column(2, "Robbery")),
        InputError,
        r"offences: none of the rows read is in scope, expected some of Drugs\. Mend",
    ),
    "no station in force": (
        lambda root: keep_rows(
            root, STATIONS, lambda rows: [r for r in rows if r[-3:] in {"LDS", "MCV", "LIV", "MBR"}]
        ),
        InputError,
        "stations: none lies in the force area, expected at least one",
    ),
    "towns without people": (
        lambda root: keep_rows(root, PLACES, column(4, "0")),
        TableError,
        r"places: no town of the force has residents, expected some",
    ),
    "a hub that no track reaches": (
        lambda root: layer(root, TRACK, lambda document: document.update(features=document["features"][::2])),
        InputError,
        "exporters: hub_station_id is 'MBR' at 'cleveland', expected a station of the network",
    ),
    "weights of what is not scored": (
        lambda root: put(root, "station_weights = {}", "station_weights = { banana = 1.0 }"),
        UsageError,
        "weights: 'banana' is not a scored feature",
    ),
    "cells too many": (
        lambda root: put(root, "cell_size_m = 500.0", "cell_size_m = 0.5"),
        UsageError,
        r"cell_m: 0.5 makes a block of .* cells, expected at most",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", list(STOPPED))
def test_a_stage_that_cannot_go_on_says_so_and_publishes_nothing(workspace, case):
    change, error, says = STOPPED[case]
    change(workspace)
    with pytest.raises(error, match=says) as caught:
        main_job.run_pipeline(workspace, tell=lambda _: None)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, GatelineError)
    assert not (workspace / "runs").exists() or not list((workspace / "runs").iterdir())
    assert not (workspace / ".gateline-lock").exists()


def pipe(path):
    path.unlink()
    os.mkfifo(path)


def folder(path):
    path.unlink()
    path.mkdir()


def loop(path):
    path.unlink()
    path.symlink_to(path.name)


@pytest.mark.parametrize("kind", [pipe, folder, loop])
@pytest.mark.parametrize("name", [*TABLES, *LAYERS])
def test_what_is_no_file_is_refused_and_never_waited_for(workspace, kind, name):
    kind(workspace / "inputs" / name)
    refused(workspace, (InputError, UsageError), f"{name}.*(is not a regular file|cannot be followed)")


def test_an_extract_given_again_with_more_rows_counts_each_offence_once(workspace):
    """A month cut out of the whole, in a file of its own."""
    settings = read_settings(workspace / "region.toml")
    whole = read_inputs(workspace, settings)
    lines = (workspace / "inputs" / OFFENCES).read_text(encoding="utf-8").splitlines()
    (workspace / "inputs" / "again.csv").write_text("\n".join(lines[:300]) + "\n", encoding="utf-8")
    put(workspace, f'["inputs/{OFFENCES}"]', f'["inputs/{OFFENCES}", "inputs/again.csv"]')
    both = read_inputs(workspace, read_settings(workspace / "region.toml"))
    assert both.offences.index.equals(whole.offences.index)
    again = [a for a in both.accounts if ("duplicate", "same_record_in_other_file") in {r[:2] for r in a.n_by_reason}]
    assert again
