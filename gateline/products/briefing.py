"""
The briefing that everyone prints: three to five pages of tagged PDF (PDF/UA-1), made offline.

Typst sets the page from a fixed template and reads all text with ``json()``, so that a name is never markup. What the
text says follows from tiers and rank intervals by fixed rules: it claims no more than they do.
"""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
import typst

from gateline.products.coach_stops import describe_coach_stops
from gateline.products.coach_tables import COACH_STOP
from gateline.products.figure import draw_station_map
from gateline.products.guidance import LIMITS, SAFEGUARDING, describe_level, how_to_read, score_meaning
from gateline.products.inert import cell_text
from gateline.products.inputs import FICTIONAL_NOTE, ProductInputs
from gateline.products.interception import describe_plan, worked_stations
from gateline.products.lists import station_list, town_list, upstream_list
from gateline.products.reasons import reason_columns, reason_label
from gateline.products.yield_lines import rare_note, yield_rows
from models.telling import count_decimals

__all__ = ["describe_evidence", "write_briefing_pdf"]

_TEMPLATE = Path(__file__).parent / "templates" / "briefing.typ"
_N_ROWS = 10
_N_UPSTREAM = 12
# Letters that fit the narrowest column of names; a longer word gets places where it may break.
_LONGEST_WORD = 18


def write_briefing_pdf(path: Path, inputs: ProductInputs) -> None:
    """
    Write ``briefing.pdf``.

    Parameters
    ----------
    path : pathlib.Path
        File to write.
    inputs : ProductInputs
        The tables of one run.
    """
    fonts = Path(mpl.get_data_path()) / "fonts" / "ttf"
    with tempfile.TemporaryDirectory() as folder:
        # Typst may read nothing outside this folder.
        root = Path(folder)
        (root / "data.json").write_text(json.dumps(_content(inputs), ensure_ascii=True), encoding="utf-8")
        (root / "map.svg").write_bytes(draw_station_map(inputs))
        (root / "briefing.typ").write_bytes(_TEMPLATE.read_bytes())
        pdf = typst.compile(
            str(root / "briefing.typ"),
            root=str(root),
            font_paths=[str(fonts)],
            # One font on every machine, and no clock, give one file.
            ignore_system_fonts=True,
            pdf_standards=["ua-1"],
            timestamp=0,
        )
    path.write_bytes(pdf)


def describe_evidence(stations: pd.DataFrame, *, is_index: bool = False) -> list[str]:
    """
    Say in sentences what a ranked list supports, and what it does not.

    Parameters
    ----------
    stations : pandas.DataFrame
        As `gateline.products.lists.station_list` gives it.
    is_index : bool
        Whether the list is a weighted index, whose tiers are of the first ten.

    Returns
    -------
    list of str
        Sentences, by fixed rules from tiers, rank intervals and flags.
    """
    names = {tier: stations.loc[stations["tier"] == tier, "name"].map(_text).tolist() for tier in ("A", "B")}
    n_unknown = int((stations["tier"] == "insufficient data").sum())
    findings = [f"{len(stations) - n_unknown} stations were ranked."]
    if n_unknown:
        findings = [f"{len(stations) - n_unknown} stations were ranked; for {n_unknown} the data are insufficient."]
    group = "in the first ten" if is_index else "in the core, the fewest stations that see half of all meetings"
    if names["A"]:
        findings.append(
            f"{_listed(names['A'])}: {group}, with a chance of at least 80 %. The order among them is less certain "
            "than their place in the group."
        )
    else:
        group = group.partition(",")[0]
        findings.append(f"No station is {group} with a chance of 80 % or more: use the order with caution.")
    if names["B"]:
        findings.append(f"{_listed(names['B'])}: a chance of 40 to 80 %. The evidence does not settle these.")
    led = stations.loc[stations["enforcement_led"], "name"].map(_text).tolist()
    if led:
        findings.append(
            f"{_listed(led)}: in the first ten only because of what police found there. Past activity, not demand, may "
            "explain this."
        )
    wide = stations[stations["tier"] != "insufficient data"]
    width = (wide["rank_high"] - wide["rank_low"]).median() if len(wide) else 0.0
    findings.append(f"The median 90 % rank interval spans {width:.0f} places.")
    return findings


def _content(inputs: ProductInputs) -> dict[str, Any]:
    """All values of the template, every one plain text or a list of it."""
    marks = inputs.marks
    stations, towns = station_list(inputs), town_list(inputs)
    return {
        "heading": _text(f"Priority stations: {marks.title}"),
        "subtitle": _text(" \u00b7 ".join(f"{label} {text}" for label, text in marks.lines()[1:]), 400),
        "footer": _text(f"{marks.marking} \u00b7 run {marks.run_id} \u00b7 expires {marks.expires_on}", 120),
        "marking": _text(marks.marking, 90),
        "operator": _text(marks.operator),
        "fictional": FICTIONAL_NOTE if marks.is_fictional else "",
        "findings": [
            *rare_note(inputs),
            *_level(inputs),
            *describe_evidence(stations, is_index="stations" in inputs.index_lists),
        ],
        "stations": _station_rows(stations),
        "stations_note": _note("stations", inputs),
        "map_alt": _text(
            "Map of rail corridors, wider where more courier flow is modelled, and of stations. The ten first ranked "
            "are numbered; they are the stations of the table above.",
            400,
        ),
        "map_caption": "Corridors by modelled courier flow; stations by score; the numbers are ranks.",
        "towns": _town_rows(towns),
        "towns_note": _note("towns", inputs),
        "upstream": _upstream_rows(upstream_list(inputs, n_each=2).head(_N_UPSTREAM)),
        "upstream_note": "A dash: not in the set that is picked for the area." if inputs.upstream is not None else "",
        "plan": [_text(line, 900) for line in (*describe_plan(inputs, has_table=True), *describe_coach_stops(inputs))],
        "yields": {
            "head": ["A week", "Team-hours", "Courier trips met", "Once they respond", "Team-hours for one, then"],
            "rows": yield_rows(inputs),
            "align": ["l", "r", "r", "r", "r"],
        },
        "worked": _worked_rows(worked_stations(inputs)),
        "safeguarding": list(SAFEGUARDING),
        "limits": [*LIMITS, *(_text(line, 600) for line in marks.limits)],
        "reading": how_to_read(inputs.index_lists, inputs.trips_level),
        "credits": [_text(line, 600) for line in marks.credits],
    }


def _level(inputs: ProductInputs) -> list[str]:
    return [] if inputs.trips_level is None else [describe_level(inputs.trips_level)]


def _note(what: str, inputs: ProductInputs) -> str:
    """What the columns of a list say, where they stand."""
    meaning = score_meaning(what, is_index=what in inputs.index_lists, railway=inputs.marks.railway)
    made = {
        "stations": " Made of: what the network says before any evidence, and the source that changed it most.",
        "towns": " Lines: recorded into the town.",
    }
    if "score_low" not in _scores_of(what, inputs):
        made["stations"] = " Made of: the two largest parts of the score."
    else:
        meaning += " In brackets: 90 % range."
    return f"{meaning} Ranks: 90 % range of the rank; where too wide, a dash for the rank.{made[what]}"


def _scores_of(what: str, inputs: ProductInputs) -> pd.DataFrame:
    return inputs.station_scores if what == "stations" else inputs.place_scores


def _station_rows(table: pd.DataFrame) -> dict[str, Any]:
    reasons, rows = reason_columns(table), []
    for row, decimals in _first_rows(table):
        why = _why(row, reasons, decimals)
        told = [_points(row, decimals), _trips(row), _chance(row)]
        rows.append([*_ranked(row), _range(row), *told, _text_or_dash(row["top_origin"]), why])
    head = ["Rank", "Station", "Tier", "Ranks", "Score", "Trips a month", "In first ten", "Largest origin", "Made of"]
    return {"head": head, "rows": rows, "align": ["r", "l", "l", "r", "r", "r", "r", "l", "l"]}


def _why(row: dict[Any, Any], reasons: list[str], decimals: int) -> str:
    """What a score is made of, in two parts: the network and what changed it most, else the two largest."""
    order = sorted(reasons, key=lambda column: (column != "reason_network", -abs(row[column])))
    parts = [
        f"{_text(reason_label(column), 40)} {row[column]:{'' if column == order[0] else '+'}.{decimals}f}"
        for column in order[:2]
    ]
    return ", ".join(parts)


def _town_rows(table: pd.DataFrame) -> dict[str, Any]:
    rows = [
        [
            *_ranked(row),
            _range(row),
            _points(row, decimals),
            _trips(row),
            _chance(row),
            _figure(row["observed_lines"]),
            _text_or_dash(row["main_station"]),
        ]
        for row, decimals in _first_rows(table)
    ]
    head = ["Rank", "Town", "Tier", "Ranks", "Score", "Trips a month", "In first ten", "Lines", "Main station"]
    return {"head": head, "rows": rows, "align": ["r", "l", "l", "r", "r", "r", "r", "r", "l"]}


def _first_rows(table: pd.DataFrame) -> list[tuple[dict[Any, Any], int]]:
    """The first rows, each with the decimals of its score."""
    decimals = count_decimals(table["score"])[:_N_ROWS].tolist()
    return list(zip(table.head(_N_ROWS).to_dict("records"), decimals, strict=True))


def _points(row: dict[Any, Any], decimals: int) -> str:
    """The score with its interval, where it has one."""
    score = f"{row['score']:.{decimals}f}"
    if "score_low" not in row:
        return score
    return f"{score} ({row['score_low']:.{decimals}f}-{row['score_high']:.{decimals}f})"


def _trips(row: dict[Any, Any]) -> str:
    """Trips a month with their interval, where they have one."""
    flow = row["courier_flow"]
    if pd.isna(flow):
        return "-"
    return (
        f"{flow:,.10g} ({row['trips_low']:,.10g}-{row['trips_high']:,.10g})" if "trips_low" in row else f"{flow:,.10g}"
    )


def _chance(row: dict[Any, Any]) -> str:
    return f"{100 * row['p_top_10']:.0f} %"


def _worked_rows(table: pd.DataFrame) -> dict[str, Any]:
    if table.empty:
        return {"head": [], "rows": [], "align": []}
    rows = [
        [
            _text(row["name"], 40) + (f" ({COACH_STOP})" if row.get("kind") == COACH_STOP else ""),
            f"{row['n_shifts']:.0f} ({100 * row['worked_share']:.0f} %)",
            f"{row['hours']:,.10g}",
            f"{row['met_trips']:.2g}",
            _figure(row.get("passengers_per_day", float("nan"))),
            _figure(row.get("n_trains_in_stay", float("nan"))),
            _text_or_dash(row.get("has_gates")),
            _share(row.get("staffed_share", float("nan"))),
        ]
        for row in table[table["n_shifts"] > 0].head(_N_ROWS).to_dict("records")
    ]
    head = ["Station", "Shifts", "Hours", "Trips met"]
    head += ["Passengers a day", "Trains in a stay", "Gates", "Staffed"]
    return {"head": head, "rows": rows, "align": ["l", "r", "r", "r", "r", "r", "l", "r"]}


def _upstream_rows(table: pd.DataFrame) -> dict[str, Any]:
    if "pick_order" in table.columns:
        return _picked_rows(table)
    rows = []
    for row in table.to_dict("records"):
        met = row["boarding_trips_per_month"] + row["interchange_trips_per_month"]
        names = [_text(row["exporting_area"], 40), _text(row["station"], 40)]
        rows.append([*names, _figure(met, 2), f"{100 * row['share_of_area']:.0f} %"])
    head = ["Exporting area", "Station", "Board or change, trips a month", "Share of the area"]
    return {"head": head, "rows": rows, "align": ["l", "l", "r", "r"]}


def _picked_rows(table: pd.DataFrame) -> dict[str, Any]:
    rows = [
        [
            _text(row["exporting_area"], 40),
            _text(row["station"], 40),
            _figure(row["minutes_from_area"]),
            f"{100 * row['met_share']:.0f} %",
            "-" if pd.isna(row["cover_share"]) else f"{100 * row['cover_share']:.0f} %",
        ]
        for row in table.to_dict("records")
    ]
    head = ["Exporting area", "Station", "Minutes from it", "Its rail flow met there", "Met by the set so far"]
    return {"head": head, "rows": rows, "align": ["l", "l", "r", "r", "r"]}


def _ranked(row: dict[Any, Any]) -> list[str]:
    tier = "?" if row["tier"] == "insufficient data" else row["tier"]
    return [str(row["rank"]) if row["is_rank_issued"] else "-", _text(row["name"], 40), tier]


def _range(row: dict[Any, Any]) -> str:
    return f"{row['rank_low']:.0f}-{row['rank_high']:.0f}"


def _figure(value: float, n_decimals: int = 0) -> str:
    return "-" if pd.isna(value) else f"{value:,.{n_decimals}f}"


def _share(value: float) -> str:
    return "-" if pd.isna(value) else f"{100 * value:.0f} %"


def _text_or_dash(value: object) -> str:
    return "-" if pd.isna(value) else _text(value, 40)  # type: ignore[call-overload]


def _text(value: object, most_characters: int = 120) -> str:
    """Inert text that can break inside a long word, so that no name leaves its column."""
    text = cell_text(value, is_formula_safe=True, most_characters=most_characters)
    return re.sub(rf"([^\s-]{{{_LONGEST_WORD}}})(?=[^\s-])", "\\1\u200b", text)


def _listed(names: list[str]) -> str:
    """At most ten names, and how many more."""
    shown = [name if len(name) <= 40 else name[:39] + "\u2026" for name in names[:_N_ROWS]]
    more = len(names) - len(shown)
    if more:
        return ", ".join(shown) + f" and {more} more"
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " and " + shown[-1]
