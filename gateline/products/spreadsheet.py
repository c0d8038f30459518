"""
The priority list as a workbook: a front sheet that says how to read it, then lists that filter and print.

Cells are written by type, so no text can become a formula or a link, and the creation date is fixed, so that the same
run gives the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from gateline.products.beside import LISTS_BESIDE, lists_beside
from gateline.products.coach_stops import coach_stop_list
from gateline.products.guidance import (
    COLUMN_LABELS,
    LIMITS,
    PURPOSE,
    SAFEGUARDING,
    how_to_read,
    score_label,
    score_meaning,
    tier_meaning,
)
from gateline.products.inert import cell_text
from gateline.products.inputs import FICTIONAL_NOTE, Marks, ProductInputs
from gateline.products.lists import station_list, town_list, upstream_list
from gateline.products.meeting import MEETING_COLUMNS
from gateline.products.number_formats import NUMBER_FORMATS, POINTS
from gateline.products.reasons import reason_columns, reason_label
from gateline.products.roster_sheets import roster_sheets
from geo.corridors.mode_split import MODES

__all__ = ["write_list_xlsx"]

# A fixed instant: the file must not depend on when it is made.
_CREATED = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
_INK, _PAPER_TINT, _RULE = "#1d1b26", "#f3f1f7", "#c9c4d4"
# Tints of magma, dark enough apart in greyscale; the letter carries the meaning.
_TIER_FILL = {"A": "#fcb68f", "B": "#fddfb5", "C": "#f3f1f7", "insufficient data": "#ffffff"}
_HEADER_ROW = 3
# Spreadsheet headers and footers hold at most 255 characters.
_MOST_FOOTER = 100
# Beside the list itself, or only in the CSV: what stands beside a score has sheets of its own.
_CSV_ONLY = (
    "boarding_trips_per_month",
    "interchange_trips_per_month",
    "alighting_trips_per_month",
    "is_rank_issued",
    *(name for _, _, figure, ends, rank, _ in LISTS_BESIDE for name in (figure, *ends, rank)),
    *MEETING_COLUMNS,
    # In words there.
    *(f"unseen_by_{mode}_share" for mode in MODES),
)
# Sentences, which wrap: letters that a line of the column holds.
_SENTENCES = {"tasks": 70, "reason": 90, "duty": 44}
# A name cannot push a table out of shape; a sentence of ours is told to its end.
_MOST_OF_A_NAME, _MOST_OF_A_SENTENCE = 300, 1_000
_ENDS = {"score": ("score_low", "score_high"), "courier_flow": ("trips_low", "trips_high")}
_HEADER_LINES = 3
_MEETING_TITLE = "What a meeting needs: gates and staff, as the stations file says them, and trains. Blank: not known"
_COACH_TITLE = "Coach stops by the couriers who board, change or alight there: no score, no part of the list"
_NOT_USED_TITLE = "What this run did not use: months, files, rows, trips and stations, and why"
_PROMPTS = ("Out-of-area children: asked about", "National Referral Mechanism: considered")


@dataclass(frozen=True)
class _Book:
    """An open workbook with the run's marks and the formats in use."""

    workbook: xlsxwriter.Workbook
    marks: Marks

    def format(self, **properties: object) -> Format:
        base = {"font_name": "Calibri", "font_size": 10, "font_color": _INK, "valign": "top"}
        return self.workbook.add_format({**base, **properties})


def write_list_xlsx(path: Path, inputs: ProductInputs) -> None:
    """
    Write ``priority_stations.xlsx``.

    Parameters
    ----------
    path : pathlib.Path
        File to write.
    inputs : ProductInputs
        The tables of one run.
    """
    buffer = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    workbook = xlsxwriter.Workbook(buffer, options)
    workbook.set_properties(
        {"title": cell_text(inputs.marks.title), "subject": cell_text(inputs.marks.sentence()), "created": _CREATED}
    )
    book = _Book(workbook, inputs.marks)
    by_station, by_town = station_list(inputs), town_list(inputs)
    stations, towns = by_station.reset_index(), by_town.reset_index()
    reasons, reasons_of_towns = reason_columns(stations), reason_columns(towns)
    railway = inputs.marks.railway
    titles = {
        what: f"{what.capitalize()}, most exposed first. "
        + score_meaning(what, is_index=what in inputs.index_lists, railway=railway)
        for what in ("stations", "towns")
    }
    of_stations, of_towns = ("stations" in inputs.index_lists, "towns" in inputs.index_lists)
    _front_sheet(book, inputs)
    _list_sheet(book, "Stations", titles["stations"], _front(stations, reasons), prompts=_PROMPTS, is_index=of_stations)
    why = _issued(stations)[["rank", "station_id", "name", "tier", "score", *reasons]]
    _list_sheet(
        book,
        "Why, stations",
        "What each station's score is made of: the reasons sum to the score",
        why,
        is_index=of_stations,
    )
    _list_sheet(book, "Towns", titles["towns"], _front(towns, reasons_of_towns), is_index=of_towns)
    why_towns = _issued(towns)[["rank", "place_id", "name", "tier", "score", *reasons_of_towns]]
    _list_sheet(
        book,
        "Why, towns",
        "What each town's score is made of: the reasons sum to the score",
        why_towns,
        is_index=of_towns,
    )
    for name, meaning, table in lists_beside(inputs, by_station, by_town):
        _list_sheet(book, name, f"{meaning}. A list of its own, no part of the score", table)
    if set(MEETING_COLUMNS) <= set(stations.columns):
        met = _issued(stations)[["rank", "station_id", "name", *MEETING_COLUMNS]]
        _list_sheet(book, "Meeting, stations", _MEETING_TITLE, met)
    upstream = (
        "Where each exporting area's couriers to this force board or change: for joint work at source"
        if inputs.upstream is None
        else "Where each exporting area's flow to this force can be met before it arrives, the picked set first"
    )
    _list_sheet(book, "Upstream", upstream, upstream_list(inputs))
    coaches = coach_stop_list(inputs)
    if coaches is not None:
        _list_sheet(book, "Coach stops", _COACH_TITLE, coaches.drop(columns=["lon", "lat"]).reset_index())
    if inputs.plan is not None:
        for name, title, table in roster_sheets(inputs):
            _list_sheet(book, name, title, table)
    if inputs.not_used is not None:
        _list_sheet(book, "Not used", _NOT_USED_TITLE, inputs.not_used)
    _notes_sheet(book)
    workbook.close()
    path.write_bytes(buffer.getvalue())


def _front(table: pd.DataFrame, left_out: list[str]) -> pd.DataFrame:
    """The rank comes first; what stands on another sheet or only in the CSV is left out, to keep a page legible."""
    kept = _issued(table).drop(columns=[*left_out, *_CSV_ONLY], errors="ignore")
    order = list(kept.columns.drop(["rank", *(c for ends in _ENDS.values() for c in ends)], errors="ignore"))
    # The ends of an interval stand beside what they are of.
    order = [name for column in order for name in (column, *_ENDS.get(column, ())) if name in kept.columns]
    return kept[["rank", *order]]


def _issued(table: pd.DataFrame) -> pd.DataFrame:
    """No rank is a number where its interval is too wide for one."""
    return table.assign(rank=table["rank"].where(table["is_rank_issued"]))


def _add_sheet(book: _Book, name: str, *, n_columns: int, is_landscape: bool) -> Worksheet:
    """A sheet whose first rows, header and footer carry the marks, and that prints on A4 across."""
    sheet = book.workbook.add_worksheet(name)
    sheet.hide_gridlines(2)
    banner = book.format(bold=True, font_size=11, font_color="#ffffff", bg_color="#4a0e4e", valign="vcenter")
    warn = book.format(bold=True, font_size=11, font_color="#000000", bg_color="#ffd23f", valign="vcenter")
    small = book.format(font_size=9, font_color="#55505f")
    for row, text, style in (
        (0, book.marks.marking, banner),
        (1, FICTIONAL_NOTE if book.marks.is_fictional else "", warn if book.marks.is_fictional else small),
    ):
        for column in range(n_columns):
            sheet.write_blank(row, column, None, style)
        sheet.write_string(row, 0, cell_text(text, is_formula_safe=True), style)
    sheet.set_row(0, 18)
    sheet.set_row(1, 18 if book.marks.is_fictional else 4)
    is_said = not book.marks.is_fictional or book.marks.marking.startswith("FICTIONAL")
    marking = _footer_text(("" if is_said else "FICTIONAL - ") + book.marks.marking)
    run = _footer_text(f"Run {book.marks.run_id}, expires {book.marks.expires_on}")
    sheet.set_header(f"&C&B{marking}")
    # The marking stands in the header; beside the run there is no room for it on a narrow sheet.
    sheet.set_footer(f"&L{run}&RPage &P of &N")
    sheet.set_paper(9)
    if is_landscape:
        sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.4, right=0.4, top=0.7, bottom=0.7)
    return sheet


def _front_sheet(book: _Book, inputs: ProductInputs) -> None:
    """Purpose, marks, how to read, tiers and safeguarding prompts, on one printed page."""
    sheet = _add_sheet(book, "Read me", n_columns=2, is_landscape=False)
    heading = book.format(bold=True, font_size=12, top=1, top_color=_RULE)
    title = book.format(bold=True, font_size=18)
    label = book.format(bold=True, bg_color=_PAPER_TINT)
    text = book.format(text_wrap=True)
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 92)
    sheet.set_row(2, 28)
    sheet.write_string(2, 0, f"Priority stations: {cell_text(book.marks.title, is_formula_safe=True)}", title)
    row = 3
    sections: list[tuple[str, list[tuple[str, str]]]] = [
        ("Purpose", [("", PURPOSE)]),
        ("This release", [(name, value) for name, value in book.marks.lines()]),
        ("How to read it", [("", line) for line in how_to_read(inputs.index_lists, inputs.trips_level)]),
        *[(f"Tiers of {what}", list(meanings.items())) for what, meanings in _tiers(inputs)],
        ("Safeguarding", [("", line) for line in SAFEGUARDING]),
        ("It must not be used", [("", LIMITS[2])]),
    ]
    for name, lines in sections:
        sheet.write_string(row, 0, name, heading)
        sheet.write_blank(row, 1, None, heading)
        row += 1
        for left, right in lines:
            sheet.write_string(row, 0, left, label if left else text)
            sheet.write_string(row, 1, cell_text(right, is_formula_safe=True, most_characters=1_000), text)
            # Excel does not grow a row for wrapped text that a program wrote.
            sheet.set_row(row, 14 * (1 + min(len(right), 400) // 100))
            row += 1


def _tiers(inputs: ProductInputs) -> list[tuple[str, dict[str, str]]]:
    """What the tiers mean, once where both lists mean the same."""
    found = {what: tier_meaning(is_index=what in inputs.index_lists) for what in ("stations", "towns")}
    if found["stations"] == found["towns"]:
        return [("stations and towns", found["stations"])]
    return list(found.items())


def _notes_sheet(book: _Book) -> None:
    """Sources with their licences, and the limits of the data and of the method."""
    sheet = _add_sheet(book, "Sources and limits", n_columns=1, is_landscape=False)
    heading, text = book.format(bold=True, font_size=12), book.format(text_wrap=True)
    sheet.set_column(0, 0, 116)
    row = 2
    for name, lines in (("Data sources", book.marks.credits), ("Limits", (*LIMITS, *book.marks.limits))):
        sheet.write_string(row, 0, name, heading)
        row += 1
        for line in lines:
            sheet.write_string(row, 0, cell_text(line, is_formula_safe=True, most_characters=1_000), text)
            sheet.set_row(row, 14 * (1 + min(len(line), 1_000) // 120))
            row += 1
        row += 1


def _list_sheet(
    book: _Book,
    name: str,
    title: str,
    table: pd.DataFrame,
    *,
    prompts: tuple[str, ...] = (),
    is_index: bool = False,
) -> None:
    """A list with filters, a frozen header, typed cells, and bars on the score."""
    columns = [str(column) for column in table.columns]
    sheet = _add_sheet(book, name, n_columns=max(len(columns) + len(prompts), 1), is_landscape=True)
    sheet.write_string(2, 0, title, book.format(bold=True, font_size=12))
    header = book.format(bold=True, text_wrap=True, bg_color="#e4dfee", bottom=1, bottom_color=_INK, valign="vcenter")
    labels = []
    for at, column in enumerate((*columns, *prompts)):
        is_reason = column.startswith("reason_")
        label = reason_label(column) if is_reason else COLUMN_LABELS.get(column, column)
        label = score_label(is_index=is_index) if column == "score" else label
        labels.append(cell_text(label, is_formula_safe=True, most_characters=80))
        sheet.write_string(_HEADER_ROW, at, labels[-1], header)
    sheet.set_row(_HEADER_ROW, 46)
    _grow_rows(sheet, table)
    for at, column in enumerate(columns):
        cells, is_told = book.format(**_cell_style(column, table[column])), column in _SENTENCES
        sheet.set_column(at, at, _SENTENCES.get(column) or _width(table[column], labels[at]))
        for row, value in enumerate(table[column].tolist(), start=_HEADER_ROW + 1):
            _write_cell(
                sheet, row, at, value, cells, most_characters=_MOST_OF_A_SENTENCE if is_told else _MOST_OF_A_NAME
            )
    last = _HEADER_ROW + max(len(table), 1)
    if prompts:
        first = len(columns)
        sheet.set_column(first, first + len(prompts) - 1, 21)
        sheet.data_validation(
            _HEADER_ROW + 1, first, last, first + len(prompts) - 1, {"validate": "list", "source": ["Yes", "No"]}
        )
    sheet.autofilter(_HEADER_ROW, 0, last, len(columns) + len(prompts) - 1)
    sheet.freeze_panes(_HEADER_ROW + 1, columns.index("name") + 1 if "name" in columns else 0)
    sheet.repeat_rows(0, _HEADER_ROW)
    # Shares of trips are small in a list of many stations: bars of 0 to 100 would all be empty.
    top = 100.0 if is_index or "score" not in columns else float(max(table["score"].max(), 1e-9))
    _highlight(book, sheet, columns, last, top=top)


def _grow_rows(sheet: Worksheet, table: pd.DataFrame) -> None:
    """Room for sentences: Excel does not grow a row for wrapped text that a program wrote."""
    for column, width in _SENTENCES.items():
        if column in table.columns:
            for row, text in enumerate(table[column].astype(str), start=_HEADER_ROW + 1):
                sheet.set_row(row, 13.5 * (1 + len(text) // width))


def _highlight(book: _Book, sheet: Worksheet, columns: list[str], last: int, *, top: float) -> None:
    """Tiers are tinted, scores and reasons carry bars of one scale, enforcement-led rows stand out in bold."""
    first = _HEADER_ROW + 1
    if "tier" in columns:
        at = columns.index("tier")
        for tier, fill in _TIER_FILL.items():
            rule = {"type": "cell", "criteria": "==", "value": f'"{tier}"', "format": book.format(bg_color=fill)}
            sheet.conditional_format(first, at, last, at, rule)
    for at, column in enumerate(columns):
        if column == "score" or column.startswith("reason_") or column == "latent_exposure":
            bar = {"type": "data_bar", "bar_solid": True, "bar_color": "#f6b5a5" if column == "score" else "#cdc9da"}
            scale = {
                "min_type": "num",
                "min_value": 0,
                "max_type": "num",
                "max_value": 100.0 if column == "latent_exposure" else top,
            }
            sheet.conditional_format(first, at, last, at, {**bar, **scale})
        if column == "enforcement_led":
            rule = {"type": "cell", "criteria": "==", "value": '"yes"', "format": book.format(bold=True)}
            sheet.conditional_format(first, at, last, at, rule)


def _cell_style(column: str, values: pd.Series) -> dict[str, object]:
    """Ranks stand in the middle, texts off the number on their left, numbers in their own format."""
    if column == "rank":
        return {"bold": True, "align": "center", "num_format": "0"}
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return {"num_format": NUMBER_FORMATS.get(column, POINTS if column.startswith("reason_") else "0.0")}
    return {"indent": 1, "text_wrap": True} if column in _SENTENCES else {"indent": 1}


def _write_cell(sheet: Worksheet, row: int, column: int, value: object, style: Format, *, most_characters: int) -> None:
    """A number is written as a number, null as blank, anything else as inert text."""
    if isinstance(value, bool | np.bool_):
        sheet.write_string(row, column, "yes" if value else "no", style)
    elif isinstance(value, int | float | np.integer | np.floating):
        if not np.isnan(value):
            sheet.write_number(row, column, float(value), style)
    elif not pd.isna(value):  # type: ignore[call-overload]
        sheet.write_string(row, column, cell_text(value, is_formula_safe=True, most_characters=most_characters), style)


def _width(values: pd.Series, label: str) -> float:
    """Wide enough for the longest text within reason, and for a heading of three lines; numbers take one width."""
    # A filter's button hides the end of a line; words break a line where they must.
    heading = max([len(label) / _HEADER_LINES + 5, *(len(word) + 2 for word in label.split())])
    if pd.api.types.is_numeric_dtype(values):
        return float(min(max(10, heading), 34))
    longest = max((len(str(value)) for value in values.dropna()), default=0)
    return float(min(max(longest + 2, 9, heading), 34))


def _footer_text(text: str) -> str:
    """An ampersand starts a code in a header or footer, so it is doubled."""
    return cell_text(text, is_formula_safe=True, most_characters=_MOST_FOOTER).replace("&", "&&")
