"""The six attacks on a handful of synthetic workspaces; `python -m benchmarks.disclosure_attacks` does hundreds."""

import json
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely
import typst
import xlsxwriter

from benchmarks import disclosure_attacks
from benchmarks.byte_search import count_hits, count_tokens, find_places, float_tokens
from benchmarks.disclosure_attacks import Region, attack_bands, average, difference, search_bytes, solve_margins
from benchmarks.evidence import Evidence
from geo.crs import to_wgs84_arrays
from geo.disclosure.quadtree import PROFILES

HOME_E, HOME_N = np.array([460_123.4]), np.array([452_987.6])
LON, LAT = (float(v[0]) for v in to_wgs84_arrays(HOME_E, HOME_N))


@pytest.fixture(scope="module")
def region(small_run):
    """The small region with no victim in it: each attack plants its own."""
    return Region(replace(small_run.inputs, cuckooing=None), small_run.results, small_run.settings)


def figures(attack, *arguments):
    evidence = Evidence("test")
    attack(*arguments, evidence)
    return {row.claim: row.figure for row in evidence.rows}


def test_no_byte_of_any_output_holds_an_address(region, tmp_path, monkeypatch):
    monkeypatch.setattr(disclosure_attacks, "N_WHOLE", 1)
    found = figures(search_bytes, region, tmp_path, np.random.default_rng(7), 2)
    assert found == {
        "addresses found in any output byte": 0,
        "corners that victims add to a drawing and that are not of the fixed grid": 0,
        "files that differ by who the victims are": "layers.gpkg, map.html",
        "planted addresses that the same search finds": 50,
    }


def test_no_guess_is_better_than_one_in_the_profiles_dwellings(region):
    found = figures(attack_bands, region, np.random.default_rng(7), 5)
    for profile, rule in PROFILES.items():
        if rule is not None:
            assert found[f"attacker's best guess at a given victim's home, {profile}"] <= 1 / rule.min_dwellings
    assert found["density peaks within 10 m of a home"] < 0.05


def test_fifty_two_releases_are_one(region):
    assert figures(average, region, np.random.default_rng(7)) == {"different tables over 52 releases": 1}


def test_no_two_releases_that_were_let_through_isolate_few(region):
    found = figures(difference, region, np.random.default_rng(7), 2)
    assert found == {"squares of two releases whose change is of 1 to 9 victims": 0}


def test_no_margin_gives_a_suppressed_count_back():
    found = figures(solve_margins, np.random.default_rng(7), 3)
    floors = {"tactical": 5, "partner": 10, "public": 10}
    assert all(found[f"narrowest interval of a suppressed count, {p}"] >= floor for p, floor in floors.items())


def _write_csv(path):
    path.write_text(f"id,lat,lon\n1,{LAT:.3f},{LON:.3f}\n")


def _write_json(path):
    path.write_text(json.dumps({"at": [round(LON, 7), round(LAT, 7)]}))


def _write_metres(path):
    path.write_text(f"home E {HOME_E[0]:.0f} N {HOME_N[0]:.0f}\n")


def _write_xlsx(path):
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet().write_row(0, 0, [round(LAT, 5), round(LON, 5)])


def _write_pdf(path):
    path.write_bytes(typst.compile(f"Home at {LAT:.5f}, {abs(LON):.5f} W or {HOME_E[0]:.0f} {HOME_N[0]:.0f}".encode()))


def _write_gpkg(path):
    home = gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.Point(HOME_E[0], HOME_N[0])], crs="EPSG:27700")
    home.to_file(path, layer="homes")


def _write_html(path):
    step, back = [round(v * 10_000) for v in (LON, LAT)], [5, 5]
    payload = json.dumps({"bands": {"path": [[[step[0] - 5, step[1] - 5, *back]]]}})
    path.write_text(f'<script id="data" type="application/json">{payload}</script>')


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.csv", _write_csv),
        ("a.json", _write_json),
        ("a.txt", _write_metres),
        ("a.xlsx", _write_xlsx),
        ("a.pdf", _write_pdf),
        ("a.gpkg", _write_gpkg),
        ("a.html", _write_html),
    ],
)
def test_the_search_finds_an_address_that_is_there_and_not_the_next_one(tmp_path, name, write):
    write(tmp_path / name)
    places = find_places(tmp_path / name)
    assert count_hits(places, HOME_E, HOME_N) == 1
    assert count_hits(places, HOME_E + 300.0, HOME_N) == 0


def test_the_search_finds_raw_floats_and_record_ids(tmp_path):
    path = tmp_path / "a.bin"
    tokens = float_tokens(HOME_E, HOME_N)
    path.write_bytes(b"x" + tokens[0] + b"CK01 " + tokens[3])
    assert count_tokens(path, [*tokens, b"CK01", b"CK02"]) == 3
