"""The workbook, read back by another library."""

import dataclasses
import io
import textwrap
import zipfile
from datetime import datetime

import pytest
from openpyxl import load_workbook

from gateline.products.lists import station_list
from gateline.products.spreadsheet import _CSV_ONLY, _front, write_list_xlsx
from tests.browser.fictional_run import build_run, marks

# The reader used here does not know data bars, which Excel keeps in an extension.
pytestmark = pytest.mark.filterwarnings("ignore:.* extension is not supported:UserWarning")


@pytest.fixture(scope="module")
def run():
    return build_run()


@pytest.fixture(scope="module")
def book(run, tmp_path_factory):
    path = tmp_path_factory.mktemp("book") / "priority_stations.xlsx"
    write_list_xlsx(path, run)
    return open_book(path)


def open_book(path):
    return load_workbook(io.BytesIO(path.read_bytes()))


def texts(sheet):
    return [cell.value for row in sheet.iter_rows() for cell in row if cell.value is not None]


def test_every_sheet_says_what_it_is_and_that_it_is_fictional(book, run):
    for sheet in book:
        assert sheet["A1"].value == run.marks.marking
        assert "FICTIONAL" in sheet["A2"].value
        assert "FICTIONAL" in sheet.oddHeader.center.text
        assert run.marks.run_id in sheet.oddFooter.left.text
        assert run.marks.expires_on in sheet.oddFooter.left.text


def test_the_front_sheet_has_purpose_marks_reading_and_safeguarding(book, run):
    words = " ".join(str(text) for text in texts(book["Read me"]))
    for part in ("places, never people", "National Referral Mechanism", "Rank interval", run.marks.operator):
        assert part in words
    assert run.marks.period in words


def test_the_list_is_ranked_typed_filtered_and_frozen(book, run):
    sheet = book["Stations"]
    rows = list(sheet.iter_rows(min_row=5, values_only=True))
    table = station_list(run)
    known = table["tier"] != "insufficient data"
    assert 0 < known.sum() < len(table)
    assert [row[0] for row in rows] == [rank if k else None for rank, k in zip(table["rank"], known, strict=True)]
    assert [row[2] for row in rows] == table["name"].tolist()
    header = [cell.value for cell in sheet[4]]
    scores = [row[header.index("Score (of 100 trips)")] for row in rows]
    assert scores == pytest.approx(table["score"].tolist())
    assert sheet.auto_filter.ref.startswith("A4:")
    assert sheet.freeze_panes == "D5"
    assert "Out-of-area children: asked about" in header
    assert "National Referral Mechanism: considered" in header
    assert len(sheet.conditional_formatting) >= 2


def test_reasons_and_upstream_have_their_sheets(book, run):
    why = list(book["Why, stations"].iter_rows(min_row=5, values_only=True))
    for row in why:
        assert sum(row[5:]) == pytest.approx(row[4], abs=1e-9)
    assert {row[0] for row in book["Upstream"].iter_rows(min_row=5, values_only=True)} == set(run.exporters["name"])


def test_a_rank_that_is_not_issued_is_on_no_sheet_a_number(run, tmp_path):
    first = station_list(run).index[0]
    scores = run.station_scores.assign(is_rank_issued=run.station_scores.index != first)
    write_list_xlsx(tmp_path / "w.xlsx", dataclasses.replace(run, station_scores=scores))
    book = open_book(tmp_path / "w.xlsx")
    for name in ("Stations", "Why, stations"):
        ranks = {row[1]: row[0] for row in book[name].iter_rows(min_row=5, values_only=True)}
        assert ranks[first] is None
        assert ranks[station_list(run).index[1]] == 2


def test_the_word_fictional_is_not_said_twice(run, tmp_path):
    marked = marks(marking="FICTIONAL - NOT FOR OPERATIONAL USE")
    write_list_xlsx(tmp_path / "f.xlsx", dataclasses.replace(run, marks=marked))
    assert open_book(tmp_path / "f.xlsx")["Stations"].oddHeader.center.text.count("FICTIONAL") == 1


def test_the_same_run_gives_the_same_bytes_whenever_it_is_written(run, tmp_path):
    write_list_xlsx(tmp_path / "a.xlsx", run)
    write_list_xlsx(tmp_path / "b.xlsx", run)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    created = open_book(tmp_path / "a.xlsx").properties.created
    assert created == datetime(2000, 1, 1)  # noqa: DTZ001 - a workbook's instants have no zone


def test_long_or_hostile_marks_cannot_break_headers(run, tmp_path):
    loud = marks(marking="&B" * 400, run_id="=1+1", operator="&" * 300)
    write_list_xlsx(tmp_path / "m.xlsx", dataclasses.replace(run, marks=loud))
    with zipfile.ZipFile(tmp_path / "m.xlsx") as archive:
        for name in archive.namelist():
            assert b"<f>" not in archive.read(name)
    header = open_book(tmp_path / "m.xlsx")["Stations"].oddHeader.center
    assert not header.font or "Bold" in header.font


def test_no_heading_needs_more_lines_than_its_row_has(book):
    """At ten points a line takes some 14 of the row's height, and a character one of the column's width."""
    for sheet in book:
        if sheet.title in {"Read me", "Sources and limits"}:
            continue
        lines = int(sheet.row_dimensions[4].height // 14)
        for cell in sheet[4]:
            width = next(d.width for d in sheet.column_dimensions.values() if d.min <= cell.column <= d.max)
            assert len(textwrap.wrap(str(cell.value), int(width) - 2)) <= lines, (sheet.title, cell.value)


def test_the_ends_of_an_interval_stand_beside_what_they_are_of(run):
    table = station_list(run).reset_index()
    table = table.assign(score_low=1.0, score_high=2.0, trips_low=1.0, trips_high=2.0)
    columns = list(_front(table, []).columns)
    for figure, ends in (("score", ("score_low", "score_high")), ("courier_flow", ("trips_low", "trips_high"))):
        at = columns.index(figure)
        assert columns[at + 1 : at + 3] == list(ends)
    assert set(table.columns) - set(_CSV_ONLY) == set(columns)
