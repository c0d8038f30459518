"""The map as its users meet it: opened from disk, with the network off, by mouse, by keyboard and on paper."""

import dataclasses
import io
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from pypdf import PdfReader

from gateline.products.lists import station_list
from gateline.products.map_page import write_map
from tests.browser.fictional_run import build_run, plan_of, upstream_of
from tests.unit.gateline.products.test_meeting import trains_of

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def run():
    return build_run()


@pytest.fixture(scope="module")
def map_file(run, tmp_path_factory):
    path = tmp_path_factory.mktemp("map") / "map.html"
    write_map(path, run)
    return path


def assert_clean(found, path):
    assert found.faults == []
    assert found.requests == [path.as_uri()]


def wait_until(page, expression):
    """The expression is true within four seconds; the page's policy forbids Playwright's own waiting by eval."""
    for _ in range(80):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"never true: {expression}")


def n_dark(png):
    """Pixels that are neither paper nor grey: something is drawn."""
    pixels = Image.open(io.BytesIO(png)).convert("RGB").get_flattened_data()
    return sum(max(pixel) - min(pixel) > 60 for pixel in pixels)


def test_it_opens_without_a_request_and_says_what_it_is(visit, map_file, run):
    found = visit(map_file)
    page = found.page
    assert "North Riding" in page.title()
    assert page.get_attribute("html", "lang") == "en-GB"
    assert page.inner_text("#gl-marking") == run.marks.marking
    assert "FICTIONAL" in page.inner_text("#gl-fictional")
    assert page.inner_text("#gl-watermark").split() == ["FICTIONAL"] * 3
    for text in (run.marks.run_id, run.marks.period, run.marks.operator, run.marks.expires_on, run.marks.profile):
        assert text in page.inner_text("#gl-subtitle")
    assert n_dark(page.locator("#map_gateline").screenshot()) > 5_000
    assert_clean(found, map_file)


def test_the_list_is_the_ranked_list_of_the_run(visit, map_file, run):
    page = visit(map_file).page
    shown = page.eval_on_selector_all("#gl-rows .gl-name", "names => names.map(name => name.textContent)")
    assert shown == station_list(run)["name"].tolist()


def test_a_row_flies_to_its_station_and_gives_its_reasons(visit, map_file, run):
    found = visit(map_file)
    page = found.page
    table = station_list(run)
    page.click("#gl-rows tr:nth-child(3) .gl-name")
    wait_until(page, "Math.abs(gl.map.getCenter().lat - gl.data.stations.lat[2]) < 0.001")
    detail = page.inner_text("#gl-detail")
    third = table.iloc[2]
    assert detail.find(third["name"]) >= 0
    assert f"90 % range {third['rank_low']:.0f} to {third['rank_high']:.0f}" in detail
    assert f"{third['entries_exits_per_year']:,.0f}" in detail
    assert f"Hours: half of its trips in {third['busy_hours']}" in detail
    drawn = page.eval_on_selector_all(
        ".gl-week rect", "cells => cells.map(cell => cell.getAttribute('class').slice(-1))"
    )
    assert "".join(drawn) == page.evaluate("gl.data.stations.weeks[gl.data.stations.week[2]]")
    figures = page.eval_on_selector_all(
        ".gl-reasons .gl-figure", "cells => cells.map(cell => Number(cell.textContent))"
    )
    assert sum(figures) == pytest.approx(third["score"], abs=0.3)
    assert figures == sorted(figures, reverse=True)
    assert_clean(found, map_file)


def test_a_station_clicked_on_the_map_is_marked_in_the_list(visit, map_file):
    found = visit(map_file)
    page = found.page
    page.click("#gl-tab-towns")
    at = page.evaluate(
        "(() => { const s = gl.data.stations; const p = gl.map.latLngToContainerPoint([s.lat[0], s.lon[0]]);"
        " const box = gl.map.getContainer().getBoundingClientRect(); return [box.left + p.x, box.top + p.y]; })()"
    )
    page.mouse.move(*at)
    page.mouse.click(*at)
    assert page.inner_text(".gl-chosen .gl-name") == page.evaluate("gl.data.stations.name[0]")
    assert page.get_attribute("#gl-tab-stations", "aria-selected") == "true"
    assert_clean(found, map_file)


def test_every_control_does_its_work(visit, map_file):
    found = visit(map_file)
    page = found.page
    for layer in ("stations", "links", "towns", "hotspots", "bands", "labels"):
        before = page.is_checked(f"#gl-layer-{layer}")
        page.click(f"#gl-layer-{layer}")
        has = "gl.map.hasLayer(gl.labels)" if layer == "labels" else f"gl.map.hasLayer(gl.groups.{layer})"
        assert page.evaluate(has) is not before
        page.click(f"#gl-layer-{layer}")
        assert page.evaluate(has) is before
    all_flow = page.evaluate("gl.linkView.flow.reduce((a, b) => a + b)")
    page.select_option("#gl-origin", "1")
    one_flow = page.evaluate("gl.linkView.flow.reduce((a, b) => a + b)")
    assert 0 < one_flow < all_flow
    page.select_option("#gl-method", "1")
    assert "All months: 20 hotspots" in page.inner_text("#gl-month-shown")
    page.focus("#gl-month")
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#gl-month-shown").startswith("January 2025")
    page.select_option("#gl-palette", "cividis")
    page.select_option("#gl-tier", "B")
    assert set(page.eval_on_selector_all("#gl-rows .gl-tier", "tiers => tiers.map(t => t.textContent)")) == {"B"}
    page.select_option("#gl-tier", "")
    page.click("#gl-theme")
    assert page.get_attribute("html", "data-gl-theme") == "dark"
    page.click("#gl-help")
    assert "safeguarding" in page.inner_text("#gl-about").lower()
    page.keyboard.press("Escape")
    assert page.is_hidden("#gl-about")
    page.click("#gl-full")
    wait_until(page, "document.fullscreenElement !== null")
    page.click("#gl-full")
    page.click("#gl-fit")
    assert_clean(found, map_file)


def test_months_partition_what_is_shown(visit, map_file, run):
    page = visit(map_file).page
    shown = page.evaluate(
        "gl.data.hotspots.months.map((_, m) => { gl.hotspotView.month = m;"
        " return gl.data.hotspots.n.map((_, k) => gl.spotCount(k)).filter(n => n !== 0).length; })"
    )
    expected = run.hotspot_months.groupby("month")["hotspot_id"].nunique().tolist()
    assert shown == expected
    march = run.hotspot_months[run.hotspot_months["month"] == "2025-03"].set_index("hotspot_id")["n_offences"]
    drawn = page.evaluate("gl.hotspotView.month = 2, gl.data.hotspots.n.map((_, k) => gl.spotCount(k))")
    for spot, n in zip(run.hotspots.index, drawn, strict=True):
        given = march.get(spot, 0)
        assert n == (None if given != given else given)  # noqa: PLR0124 - NaN is a withheld count


def test_measuring_gives_the_distance_on_the_ground(visit, map_file):
    found = visit(map_file)
    page = found.page
    page.click("#gl-measure")
    page.evaluate("gl.addMeasure(L.latLng(53.958, -1.093)); gl.addMeasure(L.latLng(53.795, -1.548))")
    # York to Leeds stations: haversine on a sphere of 6,371 km, worked by hand.
    assert "34.9" in page.inner_text("#gl-status")
    page.keyboard.press("Escape")
    assert page.is_hidden("#gl-status")
    page.click("#gl-measure")
    page.focus("#map_gateline")
    page.keyboard.press("Enter")
    assert "0 km" in page.inner_text("#gl-status")
    assert_clean(found, map_file)


def test_the_keyboard_alone_reaches_a_stations_reasons(visit, map_file, run):
    found = visit(map_file)
    page = found.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "gl-skip"
    page.keyboard.press("Enter")
    second = station_list(run)["name"].iloc[1]
    page.keyboard.type(second[:6].upper())
    assert second in page.inner_text("#gl-rows")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.className") == "gl-name"
    page.keyboard.press("Enter")
    assert page.is_visible("#gl-detail")
    page.keyboard.press("Escape")
    assert page.is_hidden("#gl-detail")
    assert_clean(found, map_file)


def test_each_tab_stop_shows_where_it_is(visit, map_file):
    page = visit(map_file).page
    seen = set()
    for _ in range(22):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.id || document.activeElement.className"))
        style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert style != "none"
    assert {"gl-measure", "gl-print", "gl-search", "gl-tab-stations"} <= seen


@pytest.mark.parametrize(("paper", "width_mm", "height_mm"), [("a4", 297, 210), ("a3", 420, 297)])
def test_paper_holds_the_map_the_marks_and_the_list(visit, map_file, run, tmp_path, paper, width_mm, height_mm):
    found = visit(map_file)
    page = found.page
    page.select_option("#gl-paper", paper)
    page.click("#gl-print")
    wait_until(page, "document.documentElement.classList.contains('gl-printing') && window.glPrintCalls === 1")
    page.wait_for_timeout(200)
    page.pdf(path=tmp_path / "map.pdf", prefer_css_page_size=True, print_background=True)
    sheets = PdfReader(tmp_path / "map.pdf").pages
    assert len(sheets) == 2
    points = sheets[0].mediabox
    assert float(points.width) == pytest.approx(width_mm * 72 / 25.4, abs=1)
    assert float(points.height) == pytest.approx(height_mm * 72 / 25.4, abs=1)
    for sheet in sheets:
        text = sheet.extract_text()
        for mark in (run.marks.marking, "FICTIONAL", run.marks.run_id, run.marks.expires_on):
            assert mark in text
    assert run.marks.credits[0][:20] in sheets[0].extract_text()
    assert len(sheets[0].images) >= 2
    assert not page.evaluate("document.documentElement.classList.contains('gl-printing')")
    assert_clean(found, map_file)


def as_picture(pdf, folder):
    subprocess.run(["pdftoppm", "-r", "50", "-png", "-f", "1", "-l", "1", str(pdf), str(folder / "sheet")], check=True)
    return next(folder.glob("sheet-*.png")).read_bytes()


@pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="pdftoppm is absent: apt-get install poppler-utils")
def test_the_browsers_own_print_menu_gives_the_same_sheet(visit, map_file, tmp_path):
    pictures = {}
    for way in ("button", "menu"):
        found = visit(map_file)
        page = found.page
        # In the dark, so that what was painted for the screen would show on paper.
        page.click("#gl-theme")
        if way == "button":
            page.click("#gl-print")
            wait_until(page, "window.glPrintCalls === 1")
            page.wait_for_timeout(200)
        folder = tmp_path / way
        folder.mkdir()
        page.pdf(path=folder / "map.pdf", prefer_css_page_size=True, print_background=True)
        pictures[way] = as_picture(folder / "map.pdf", folder)
        assert page.get_attribute("html", "data-gl-theme") == "dark"
        assert_clean(found, map_file)
    assert n_dark(pictures["menu"]) == pytest.approx(n_dark(pictures["button"]), rel=0.05)
    assert n_dark(pictures["menu"]) > 5_000


def test_plan_and_upstream_are_drawn_and_told(visit, run, tmp_path):
    given = dataclasses.replace(run, **plan_of(run), upstream=upstream_of(run))
    write_map(tmp_path / "map.html", given)
    found = visit(tmp_path / "map.html")
    page = found.page
    assert page.is_checked("#gl-layer-plan")
    assert page.evaluate("gl.groups.plan.getLayers().length") == 3
    assert page.evaluate("gl.planLayers.map(l => l._radius)[0]") == 24
    assert "100 % of the shifts" in page.inner_text("#gl-side")
    assert "7 (0.7 to 28) courier trips met" in page.inner_text("#gl-side")
    page.select_option("#gl-plan-view", "moved")
    assert page.evaluate("gl.planLayers.map(l => l.options.dashArray)").count("3 4") == 1
    assert page.evaluate("gl.groups.plan.getLayers().length") == 2
    assert "2.5 trips a month" in page.inner_text("#gl-side")
    page.click("#gl-layer-plan")
    assert not page.evaluate("gl.map.hasLayer(gl.groups.plan)")
    assert page.is_hidden("#gl-plan-view")
    # Of all areas only the hubs picked; of one area its other station too, with share and minutes.
    assert page.evaluate("gl.groups.upstream.getLayers().length") == len(run.exporters)
    page.select_option("#gl-origin", "0")
    assert page.evaluate("gl.groups.upstream.getLayers().length") == 2
    assert "46 %, 31 min" in page.inner_text("#gl-side")
    assert_clean(found, tmp_path / "map.html")


def test_a_station_tells_its_gates_staff_and_trains_and_a_ring_the_numbers_of_its_stops(visit, run, tmp_path):
    ids = station_list(run).index
    stations = run.stations.assign(has_gates=pd.array([True] * len(run.stations), dtype="boolean"))
    parts = plan_of(run)
    parts["plan"] = parts["plan"].assign(
        passengers_per_day=45.0, n_trains_in_stay=12.0, n_trains_per_day=30.0, staffed_share=0.5, change_share=np.nan
    )
    given = dataclasses.replace(
        run, **parts, stations=stations, station_trains=trains_of(ids), trains_basis="timetable"
    )
    write_map(tmp_path / "map.html", given)
    found = visit(tmp_path / "map.html")
    page = found.page
    page.click("#gl-rows tr:nth-child(1) .gl-name")
    wait_until(page, "document.querySelector('#gl-detail').textContent.includes('Ticket gates')")
    detail = " ".join(page.inner_text("#gl-detail").split())
    assert "Ticket gates yes Staffed not known" in detail
    assert "First, last train, weekday 05:42, 00:05 next day" in detail
    lines = page.evaluate("gl.planLines(0)")
    assert lines[-5:-2] == ["45 passengers a day", "12.0 trains in a stay and 30.0 a day", "gates not known"]
    assert "gates not known" not in page.evaluate("gl.planLines(gl.data.plan.shifts.indexOf(0))")
    assert_clean(found, tmp_path / "map.html")


def test_a_run_without_plan_or_upstream_offers_neither(visit, map_file):
    page = visit(map_file).page
    assert page.query_selector("#gl-layer-plan") is None
    assert page.query_selector("#gl-layer-upstream") is None


def test_flow_classes_are_round_numbers_below_the_top(visit, map_file):
    page = visit(map_file).page
    assert page.evaluate("gl.flowBreaks([7.1, 0.3])") == [0.5, 1, 2, 5]
    assert page.evaluate("gl.flowBreaks([0.5])") == [0.02, 0.05, 0.1, 0.2]
    assert page.evaluate("gl.flowBreaks([1200])") == [100, 200, 500, 1000]
    assert len(page.evaluate("gl.flowBreaks([])")) == 4


def test_a_town_and_its_station_of_one_name_are_named_once(visit, map_file):
    page = visit(map_file).page
    clashes = page.evaluate(
        "(() => { const box = [10, 0, 60, 16]; const far = [200, 0, 250, 16]; const p = (x) => L.point(x, 0);"
        " return [[...far, 'Skipton', p(30)], [...far, 'Skipton', p(300)], [...far, 'York', p(30)]]"
        ".map(other => gl.labels._clash(box, other, 'Skipton', p(0))); })()"
    )
    assert clashes == [True, False, False]


def test_only_a_run_with_a_coast_has_a_sea(visit, run, map_file, tmp_path):
    colour = "getComputedStyle(gl.map.getContainer()).backgroundColor"
    inland = visit(map_file).page
    assert inland.evaluate("gl.data.base.far") == []
    sea = run.boundaries.drop(columns=["name", "kind"])
    write_map(tmp_path / "sea.html", dataclasses.replace(run, coast=sea))
    page = visit(tmp_path / "sea.html").page
    assert page.evaluate(colour) != inland.evaluate(colour)


def test_a_square_of_a_band_says_that_it_is_no_address(visit, map_file):
    page = visit(map_file).page
    page.click("#gl-layer-bands")
    assert "at least 3 recorded addresses among at least 50 dwellings" in page.inner_text("#gl-side")


def test_it_fits_a_laptop_and_a_projector(visit, map_file):
    for width, height in ((1366, 768), (1920, 1080)):
        page = visit(map_file, width=width, height=height).page
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
        assert page.evaluate("[...document.querySelectorAll('button')].every(e => e.scrollWidth <= e.clientWidth + 2)")


def test_a_rank_that_is_not_issued_is_nowhere_a_number(visit, run, tmp_path):
    first = station_list(run).index[0]
    scores = run.station_scores.assign(is_rank_issued=run.station_scores.index != first)
    write_map(tmp_path / "map.html", dataclasses.replace(run, station_scores=scores))
    page = visit(tmp_path / "map.html").page
    page.click("#gl-rows tr:first-child .gl-name")
    assert page.inner_text("#gl-rows tr:first-child .gl-rank") == "\u2013"
    assert page.inner_text("#gl-detail h2").startswith(run.stations.loc[first, "name"])
    assert "No rank given" in page.inner_text("#gl-detail")
    assert page.evaluate("gl.stationLayers[0].options.text") == ""
