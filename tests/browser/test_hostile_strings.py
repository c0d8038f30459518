"""Thirteen hostile strings through every sink: none runs, none alters layout."""

import csv
import dataclasses
import io
import json
import re
import zipfile

import pandas as pd
import pyogrio
import pytest
from pypdf import PdfReader

from gateline.products import briefing
from gateline.products.briefing import write_briefing_pdf
from gateline.products.comparison import compare_stations, write_comparison
from gateline.products.csv_lists import write_csv, write_station_csv, write_town_csv
from gateline.products.gis import write_hotspots_geojson, write_layers_gpkg
from gateline.products.inert import cell_text, html_text, script_json
from gateline.products.lists import station_list
from gateline.products.map_page import write_map
from gateline.products.spreadsheet import write_list_xlsx
from tests.browser.fictional_run import build_run, marks

HIT = "window.__hit=1"
HOSTILE = {
    "jinja": "{{7*7}}{% for x in [1] %}{{x}}{% endfor %}",
    "jinja_code": "{{ cycler.__init__.__globals__.os.system('touch gl-hit') }}",
    "template": "${" + HIT + "}",
    "backtick": "`);" + HIT + ";(`",
    "script": "</script><script>" + HIT + "</script>",
    "image": "<img src=x onerror=" + HIT + ">",
    "svg": "'\"><svg onload=" + HIT + ">",
    "formula": "=cmd|' /C calc'!A0",
    "at_formula": "@SUM(1+1)*cmd|' /C calc'!A0",
    "octal": "C:\\x\\20190221\\u{zz}\\",
    "override": "\u202egnp.sredro\u2066\u0000\u2028\u2029",
    "long": "W" * 10_000,
    "typst": '#read("/etc/passwd") *bold* $x^2$ \\#eval("1")',
}
KEYS = list(HOSTILE)
FIELDS = ("title", "run_id", "period", "profile", "marking", "operator", "expires_on")


def cycle(n, *, start=0):
    return [HOSTILE[KEYS[(start + k) % len(KEYS)]] for k in range(n)]


def poison(run, start):
    """Every text of the run is hostile: names, methods, reasons' names and marks."""

    def named(table):
        return table.assign(name=cycle(len(table), start=start))

    scores = {}
    for name in ("station_scores", "place_scores"):
        table = named(getattr(run, name))
        columns = [column for column in table.columns if column.startswith("reason_")]
        parts = table[columns[0]] / len(KEYS)
        table = table.drop(columns=columns[0])
        scores[name] = table.assign(**{f"reason_{text}": parts for text in HOSTILE.values()})
    texts = dict(zip(FIELDS, cycle(len(FIELDS), start=start), strict=True))
    return dataclasses.replace(
        run,
        marks=marks(**texts, credits=tuple(HOSTILE.values()), limits=tuple(HOSTILE.values())),
        stations=named(run.stations),
        places=named(run.places),
        exporters=named(run.exporters),
        boundaries=named(run.boundaries),
        hotspots=run.hotspots.assign(method=cycle(len(run.hotspots), start=start)),
        **scores,
    )


@pytest.fixture(scope="module")
def plain():
    return build_run()


@pytest.fixture(scope="module", params=[0, 7])
def poisoned(request, plain):
    return poison(plain, request.param)


LAYOUT = """(() => [".gl-bar", ".gl-panel", ".gl-side", ".gl-foot", "#map_gateline"].map(s => {
  const box = document.querySelector(s).getBoundingClientRect();
  return [box.left, box.top, box.width, box.height].map(Math.round);
}))()"""


@pytest.mark.browser
def test_the_map_shows_hostile_text_as_text_in_every_sink(visit, plain, poisoned, tmp_path):
    write_map(tmp_path / "plain.html", plain)
    write_map(tmp_path / "map.html", poisoned)
    found = visit(tmp_path / "map.html")
    page = found.page
    harmless = visit(tmp_path / "plain.html").page
    assert page.evaluate(LAYOUT) == harmless.evaluate(LAYOUT)
    for kind in ("stations", "towns"):
        page.click(f"#gl-tab-{kind}")
        shown = page.eval_on_selector_all("#gl-rows .gl-name", "names => names.map(name => name.textContent)")
        table = poisoned.station_scores if kind == "stations" else poisoned.place_scores
        expected = table.sort_index().sort_values("rank", kind="stable")["name"]
        assert shown == [cell_text(name, is_formula_safe=True, most_characters=120) for name in expected]
        for at in range(len(KEYS)):
            page.evaluate(f"gl.select('{kind}', {at}, {{ isFromMap: true }})")
    # Every hover text of every layer is built once and put into the page.
    page.evaluate(
        "() => { for (const group of Object.values(gl.groups)) group.eachLayer("
        "layer => document.body.appendChild(layer.getTooltip()._content(layer)).remove()); }"
    )
    for k in range(3):
        page.evaluate(f"void gl.stationLayers[{k}].openTooltip()")
    page.click("#gl-help")
    page.wait_for_timeout(100)
    assert page.evaluate("window.__hit") is None
    assert page.evaluate("document.querySelectorAll('img, svg, iframe, object').length") == 0
    assert page.evaluate("document.scripts.length") == harmless.evaluate("document.scripts.length")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert found.faults == []
    assert found.requests == [(tmp_path / "map.html").as_uri()]


@pytest.mark.browser
def test_the_comparison_runs_nothing(chromium, plain, poisoned, tmp_path):
    # Every station changes its rank, so that every name is shown.
    scores = poisoned.station_scores
    turned = scores.assign(rank=scores["rank"].max() + 1 - scores["rank"])
    after = dataclasses.replace(poisoned, station_scores=turned)
    table = compare_stations(station_list(poisoned), station_list(after))
    write_comparison(tmp_path / "c.html", table, poisoned.marks, after.marks)
    page = chromium.new_page()
    page.goto((tmp_path / "c.html").as_uri())
    assert page.evaluate("window.__hit") is None
    assert page.evaluate("document.scripts.length + document.querySelectorAll('img, svg').length") == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shown = set(page.eval_on_selector_all("tbody th", "cells => cells.map(cell => cell.textContent)"))
    assert html_text("<") == "&lt;"
    assert cell_text(HOSTILE["script"], is_formula_safe=True) in shown
    page.close()


def test_no_cell_of_the_workbook_is_a_formula_or_a_link(poisoned, tmp_path):
    write_list_xlsx(tmp_path / "list.xlsx", poisoned)
    with zipfile.ZipFile(tmp_path / "list.xlsx") as archive:
        names = archive.namelist()
        assert not any("externalLink" in name or "vba" in name for name in names)
        sheets = [archive.read(name) for name in names if name.startswith("xl/worksheets/sheet")]
        text = archive.read("xl/sharedStrings.xml").decode("utf-8")
    assert not any(b"<f>" in sheet or b"<hyperlink" in sheet for sheet in sheets)
    assert "{{7*7}}" in text
    assert "W" * 1_001 not in text


def test_no_field_of_the_csv_starts_a_formula(poisoned, tmp_path):
    for write in (write_station_csv, write_town_csv):
        write(tmp_path / "list.csv", poisoned)
        rows = list(csv.reader(io.StringIO((tmp_path / "list.csv").read_bytes().decode("utf-8-sig"), newline="")))
        assert {len(row) for row in rows} == {len(rows[0])}
        for row in rows:
            for field in row:
                assert not field.startswith(("=", "+", "@", "\t", "\r", "\n"))
                assert not (field.startswith("-") and not _is_number(field))
                assert "\u202e" not in field


def _is_number(field):
    try:
        float(field)
    except ValueError:
        return False
    return True


def test_the_briefing_prints_hostile_text_and_runs_none_of_it(poisoned, tmp_path):
    write_briefing_pdf(tmp_path / "b.pdf", poisoned)
    reader = PdfReader(tmp_path / "b.pdf")
    text = "".join(page.extract_text() for page in reader.pages)
    squeezed = "".join(text.replace("\u200b", "").split())
    assert "{{7*7}}" in squeezed
    assert '#read("/etc/passwd")*bold*$x^2$' in squeezed
    assert "root:x:" not in text
    data = (tmp_path / "b.pdf").read_bytes()
    assert b"/JavaScript" not in data
    assert b"/URI" not in data
    assert 2 <= len(reader.pages) <= 6


def test_no_word_of_the_briefing_is_wider_than_its_column(poisoned):
    def words(value):
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, list):
            return [word for item in value for word in words(item)]
        return re.split(r"[\s\u200b-]", value)

    assert max(map(len, words(briefing._content(poisoned)))) <= 19
    assert "\u200b" not in str(briefing._text("Sherburn-in-Elmet and Knaresborough"))


def test_layers_hold_hostile_text_as_plain_values(poisoned, tmp_path):
    write_layers_gpkg(tmp_path / "l.gpkg", poisoned)
    names = set(pyogrio.read_dataframe(tmp_path / "l.gpkg", layer="stations")["name"])
    assert cell_text(HOSTILE["jinja"], is_formula_safe=True) in names
    assert max(len(name) for name in names) <= 300
    write_hotspots_geojson(tmp_path / "h.geojson", poisoned)
    features = json.loads((tmp_path / "h.geojson").read_text(encoding="utf-8"))["features"]
    assert cell_text(HOSTILE["template"], is_formula_safe=True) in {f["properties"]["method"] for f in features}


@pytest.mark.parametrize("key", KEYS)
def test_script_data_cannot_end_its_element(key):
    text = script_json({"name": HOSTILE[key]})
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text)["name"] == HOSTILE[key]


@pytest.mark.parametrize(
    "start", ["=1", "+1", "-1+x", "@x", "\t=1", "\r=1", "\n=1", "\0=1", " =1", "\uff1d1", "\uff0b1"]
)
def test_each_start_of_a_formula_is_disarmed(start):
    assert cell_text(start).startswith("'")


def test_numbers_and_names_are_left_alone(tmp_path):
    assert cell_text("Stoke-on-Trent") == "Stoke-on-Trent"
    write_csv(tmp_path / "n.csv", pd.DataFrame({"n": [-2.0], "name": ["O'Neil's"]}), marks())
    assert (tmp_path / "n.csv").read_bytes().decode("utf-8-sig").splitlines()[1].startswith("-2.0,O'Neil's,")


def test_hostile_names_do_not_move_the_ranking(plain, poisoned):
    assert station_list(poisoned)["rank"].tolist() == station_list(plain)["rank"].tolist()
