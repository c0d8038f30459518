"""The briefing's text and tags, the map's page, and the vendored assets behind it."""

import dataclasses
import hashlib
import json
import re
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pypdf import PdfReader

from gateline.products import figure, vendored
from gateline.products.briefing import describe_evidence, write_briefing_pdf
from gateline.products.csv_lists import write_station_csv, write_town_csv
from gateline.products.figure import draw_station_map
from gateline.products.gis import write_hotspots_geojson, write_layers_gpkg
from gateline.products.inert import script_json
from gateline.products.lists import station_list
from gateline.products.map_data import map_payload
from gateline.products.map_page import write_map
from gateline.products.spreadsheet import write_list_xlsx
from gateline.products.vendored import ASSETS, csp_hash, inline_assets, read_asset
from gateline.products.vendoring import build_manifest
from geo.crs import to_wgs84_arrays
from geo.errors import IntegrityError
from tests.browser.fictional_run import build_run, marks


@pytest.fixture(scope="module")
def run():
    return build_run()


@pytest.fixture(scope="module")
def briefing(run, tmp_path_factory):
    path = tmp_path_factory.mktemp("briefing") / "briefing.pdf"
    write_briefing_pdf(path, run)
    return path


def shuffled(run):
    tables = {
        field.name: getattr(run, field.name).sample(frac=1, random_state=4)
        for field in dataclasses.fields(run)
        if isinstance(getattr(run, field.name), pd.DataFrame | pd.Series)
    }
    return dataclasses.replace(run, **tables)


def test_the_briefing_is_tagged_titled_and_two_to_four_pages(briefing, run):
    reader = PdfReader(briefing)
    assert 2 <= len(reader.pages) <= 4
    assert reader.metadata.title == f"Priority stations: {run.marks.title}"
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] == True  # noqa: E712 - a PDF boolean
    assert root["/Lang"].startswith("en")
    assert b"pdfuaid:part>1<" in root["/Metadata"].get_data()
    assert reader.metadata.creation_date is None
    for page in reader.pages:
        text = page.extract_text()
        for mark in (run.marks.marking, "FICTIONAL - made-up", run.marks.run_id, run.marks.expires_on):
            assert mark in text


def test_the_briefing_names_the_first_ten_and_the_safeguards(briefing, run):
    text = " ".join(page.extract_text() for page in PdfReader(briefing).pages)
    for name in station_list(run)["name"].head(10):
        assert name in text
    for part in ("National Referral Mechanism", "reasonable suspicion", run.marks.operator, run.marks.credits[0][:30]):
        assert part in " ".join(text.split())


def test_same_run_same_bytes_in_any_row_order(briefing, run, tmp_path):
    other = shuffled(run)
    write_briefing_pdf(tmp_path / "b.pdf", other)
    assert (tmp_path / "b.pdf").read_bytes() == briefing.read_bytes()
    write_map(tmp_path / "a.html", run)
    write_map(tmp_path / "b.html", other)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_the_figure_holds_no_random_name(run):
    assert draw_station_map(run) == draw_station_map(run)


def ranked(tiers, *, led=()):
    n = len(tiers)
    return pd.DataFrame(
        {
            "name": [f"S{k}" for k in range(n)],
            "tier": tiers,
            "rank_low": 1,
            "rank_high": 5,
            "enforcement_led": np.isin(np.arange(n), led),
        }
    )


def test_text_claims_no_more_than_the_tiers():
    settled = " ".join(describe_evidence(ranked(["A", "A", "B", "C", "insufficient data"], led=[1])))
    assert "4 stations were ranked; for 1 the data are insufficient" in settled
    assert "S0 and S1: in the core, the fewest stations that see half of all meetings" in settled
    assert ". S2: a chance of 40 to 80 %" in settled
    assert "S1: in the first ten only because of what police found there" in settled
    assert "spans 4 places" in settled
    unsettled = " ".join(describe_evidence(ranked(["C", "C"])))
    assert "No station is in the core with a chance of 80 % or more" in unsettled
    assert "at least 80 %" not in unsettled


def test_the_map_gives_each_station_its_place_and_its_flow(run):
    payload = map_payload(run)
    stations = payload["stations"]
    where = run.stations.loc[stations["id"]]
    lon, lat = to_wgs84_arrays(where["easting_m"].to_numpy(), where["northing_m"].to_numpy())
    assert np.abs(np.array(stations["lon"]) - lon).max() <= 5.1e-6
    assert np.abs(np.array(stations["lat"]) - lat).max() <= 5.1e-6
    links = payload["links"]
    drawn = sum(trips for parts in links["flow"] for _, trips in parts)
    assert drawn == pytest.approx(run.segment_flows["trips_per_month"].sum(), rel=0.005)
    by_origin = run.segment_flows.groupby("origin_id")["trips_per_month"].sum()
    first = run.exporters.loc[by_origin.idxmax(), "name"]
    assert links["origins"][0] == first
    for row, score in zip(stations["reasons"], stations["score"], strict=True):
        assert sum(row) == pytest.approx(score, abs=0.1)


def test_lines_come_back_to_where_they_were(run):
    payload = map_payload(run, line_tolerance_m=0.0)
    for link, feature in zip(run.rail_links.geometry, payload["links"]["path"], strict=True):
        steps = np.cumsum(np.array(feature[0]).reshape(-1, 2), axis=0) / 10_000
        easting_m, northing_m = np.array(link.coords).T
        lon, lat = to_wgs84_arrays(easting_m, northing_m)
        assert np.abs(steps - np.column_stack([lon, lat])).max() <= 5.1e-5


def test_withheld_counts_stay_withheld(run):
    counts = map_payload(run)["hotspots"]["counts"]
    drawn = [n for rows in counts for _, n in rows]
    given = run.hotspot_months["n_offences"]
    assert sum(n is None for n in drawn) == int(given.isna().sum()) > 0
    assert sum(n for n in drawn if n is not None) == int(given.sum())


def test_neighbouring_areas_of_one_band_are_drawn_as_one(run):
    bands = run.cuckooing_bands.assign(band=2)
    payload = map_payload(dataclasses.replace(run, cuckooing_bands=bands))
    assert payload["bands"]["band"] == [2]


def test_without_a_boundary_the_small_areas_are_the_land(run):
    halves = [shapely.box(400_000, 420_000, 410_000, 440_000), shapely.box(410_000, 420_000, 420_000, 440_000)]
    areas = gpd.GeoDataFrame(
        {"name": ["East", "West"], "imd_decile": 5, "n_dwellings": 100.0, "population": 200.0},
        geometry=halves,
        index=pd.Index(["a", "b"], name="area_id"),
        crs="EPSG:27700",
    )
    found = map_payload(dataclasses.replace(run, boundaries=run.boundaries.iloc[:0], areas=areas))["base"]
    assert len(found["land"]) == 1
    assert len(found["land"][0]) == 1
    assert len(found["areas"]) == 2


def test_islands_of_a_coast_are_not_joined_by_a_line(run):
    islands = shapely.MultiPolygon(
        [shapely.box(400_000, 420_000, 401_000, 421_000), shapely.box(440_000, 450_000, 441_000, 451_000)]
    )
    coast = gpd.GeoDataFrame(geometry=[islands], crs="EPSG:27700")
    collections = []
    axes = SimpleNamespace(add_collection=collections.append)
    figure._draw_lines(axes, coast, "#000000", 1.0)
    assert len(collections[0].get_segments()) == 2


def test_optional_tables_may_be_absent(run, tmp_path):
    bare = dataclasses.replace(
        run, areas=None, hotspot_months=None, cuckooing_bands=None, station_usage=None, coast=None, hotspot_harm=None
    )
    write_map(tmp_path / "bare.html", bare)
    payload = map_payload(bare)
    assert payload["bands"]["path"] == payload["bands"]["band"] == []
    assert set(payload["stations"]["footfall"]) == {None}


WRITERS = {
    "map.html": write_map,
    "stations.csv": write_station_csv,
    "towns.csv": write_town_csv,
    "list.xlsx": write_list_xlsx,
    "briefing.pdf": write_briefing_pdf,
    "layers.gpkg": write_layers_gpkg,
    "hotspots.geojson": write_hotspots_geojson,
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_run_that_found_nothing_still_has_every_product(run, tmp_path, name):
    tables = (
        "hotspots hotspot_months segment_flows station_flows cuckooing_bands places place_scores place_exposure "
        "exporters boundaries station_scores station_exposure rail_links"
    )
    bare = dataclasses.replace(run, **{table: getattr(run, table).iloc[:0] for table in tables.split()})
    WRITERS[name](tmp_path / name, bare)
    assert (tmp_path / name).stat().st_size > 0


def test_the_page_binds_itself_to_its_own_scripts(run, tmp_path):
    write_map(tmp_path / "map.html", run)
    page = (tmp_path / "map.html").read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    assert page.index("Content-Security-Policy") < page.index("<script")
    assert "default-src 'none'; connect-src 'none'" in policy
    assert "unsafe" not in policy
    for script in re.findall(r"<script>(.*?)</script>", page, re.DOTALL):
        assert csp_hash(script) in policy
    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=", page)
    data = re.search(r'<script type="application/json" id="gl-data">(.*?)</script>', page, re.DOTALL)[1]
    assert script_json(json.loads(data)) == data
    assert len(re.findall("<title>", page)) == 1


def test_the_fictional_note_is_there_only_when_it_is_true(run, tmp_path):
    write_map(tmp_path / "map.html", dataclasses.replace(run, marks=marks(is_fictional=False)))
    page = (tmp_path / "map.html").read_text(encoding="utf-8")
    assert "- FICTIONAL</title>" not in page
    assert '"fictional":""' in page


def test_every_vendored_file_is_what_the_manifest_says():
    assert (ASSETS / "manifest.json").read_text(encoding="utf-8") == build_manifest(ASSETS)
    leaflet = hashlib.sha256((ASSETS / "leaflet" / "leaflet.js").read_bytes()).hexdigest()
    # The hash of leaflet.js in the published archive of version 1.9.4.
    assert leaflet == "db49d009c841f5ca34a888c96511ae936fd9f5533e90d8b2c4d57596f4e5641a"


def test_a_changed_asset_is_refused(tmp_path, monkeypatch):
    (tmp_path / "x.js").write_text("alert(1)", encoding="utf-8")
    monkeypatch.setattr(vendored, "ASSETS", tmp_path)
    monkeypatch.setattr(vendored, "_manifest", lambda: {"x.js": {"file": "x.js", "sha256": "0" * 64}})
    with pytest.raises(IntegrityError, match=r"assets: 'x.js' has SHA-256 \w{12}, expected 000000000000"):
        read_asset.__wrapped__("x.js")
    with pytest.raises(IntegrityError, match=r"assets: 'y.js' is not in the manifest"):
        read_asset.__wrapped__("y.js")


@pytest.mark.parametrize(
    "tag",
    [
        '<script src="https://example.org/a.js"></script>',
        '<link rel="stylesheet" href="https://example.org/a.css"/>',
        '<script async src="a.js"></script>',
        "<style>@import url(a.css)</style>",
    ],
)
def test_a_page_that_would_fetch_is_refused(tag):
    with pytest.raises(IntegrityError, match=r"map: the page (asks for|still holds)"):
        inline_assets(f"<html><head>{tag}</head></html>")
