"""
A briefing a team: its week on one page of tagged PDF, with times, drives, breaks, tasks and safeguarding prompts.

Typst sets the page from a fixed template and reads all text with ``json()``, so that a name is never markup. A plan of
several weeks has a page a week.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
import typst

from gateline.products.calendars import file_name
from gateline.products.duty_times import clock, long_day, span
from gateline.products.inert import cell_text
from gateline.products.inputs import FICTIONAL_NOTE, ProductInputs
from gateline.products.stop_tasks import PROMPTS, list_origins, prompts_of, tasks_of

__all__ = ["write_team_briefings"]

_TEMPLATE = Path(__file__).parent / "templates" / "team_briefing.typ"
_DAYS_PER_WEEK = 7
_AGENCIES = {
    "force": "force officers",
    "btp": "British Transport Police",
    "joint": "force and British Transport Police",
}
_RECORD = (
    (
        "Fill in results.csv: hours at the station, people stopped, finds, children safeguarded, referrals. A blank "
        "means not written down; none is 0."
    ),
    "Write down stays without a find too: they teach as much.",
    "No names, no addresses, nothing about a person in that file.",
)


def write_team_briefings(folder: Path, inputs: ProductInputs) -> None:
    """
    Write ``team-NN-NAME.pdf`` for each team; none where there is no roster.

    Parameters
    ----------
    folder : pathlib.Path
        Of the run.
    inputs : ProductInputs
        The tables of one run.
    """
    duties = inputs.plan_duties
    if duties is None or duties.empty or inputs.plan is None:
        return
    fonts = Path(mpl.get_data_path()) / "fonts" / "ttf"
    for number, (team, rows) in enumerate(duties.groupby("team", sort=True), start=1):
        with tempfile.TemporaryDirectory() as scratch:
            # Typst may read nothing outside this folder.
            root = Path(scratch)
            content = json.dumps(_content(str(team), rows, inputs.plan, inputs), ensure_ascii=True)
            (root / "data.json").write_text(content, encoding="utf-8")
            (root / "team.typ").write_bytes(_TEMPLATE.read_bytes())
            pdf = typst.compile(
                str(root / "team.typ"),
                root=str(root),
                font_paths=[str(fonts)],
                # One font on every machine, and no clock, give one file.
                ignore_system_fonts=True,
                pdf_standards=["ua-1"],
                timestamp=0,
            )
        (folder / file_name(str(team), number, "pdf")).write_bytes(pdf)


def _content(team: str, duties: pd.DataFrame, plan: pd.DataFrame, inputs: ProductInputs) -> dict[str, Any]:
    """All values of the template, every one plain text or a list of it."""
    marks = inputs.marks
    own = plan[plan["team"] == team]
    first = duties.sort_values(["day", "from_h"]).iloc[0]
    n_shifts = len(duties[["day", "shift"]].drop_duplicates())
    about = (
        f"{n_shifts} shifts from {_text(first['place'])}; {first['n_officers']} officers, "
        f"{_AGENCIES[str(first['agency'])]}"
    )
    weeks = [
        _week(rows, own, inputs, about) for _, rows in duties.groupby((duties["day"] - 1) // _DAYS_PER_WEEK, sort=True)
    ]
    met = float(own["expected_met_trips"].sum())
    per = f", one in {1 / met:,.2g} such weeks" if 0 < met < 1 and len(weeks) == 1 else ""
    return {
        "heading": _text(f"Team {team}: {marks.title}"),
        "operator": _text(marks.operator),
        "marking": _text(marks.marking, 90),
        "fictional": FICTIONAL_NOTE if marks.is_fictional else "",
        "footer": _text(f"{marks.marking} \u00b7 run {marks.run_id} \u00b7 expires {marks.expires_on}", 120),
        "expected": (
            f"This team is expected to meet {met:.2g} courier trips{per}, if couriers stay as they are: most stays end "
            "without a find, and being there at times nobody can guess is part of the work."
        ),
        "weeks": weeks,
        "prompts": list(PROMPTS),
        "record": list(_RECORD),
    }


def _week(duties: pd.DataFrame, plan: pd.DataFrame, inputs: ProductInputs, about: str) -> dict[str, Any]:
    origins = list_origins(inputs)
    duties = duties.sort_values(["day", "from_h", "order"], kind="stable")
    rows: list[dict[str, Any]] = []
    for number, ((day, shift), own) in enumerate(duties.groupby(["day", "shift"], sort=False)):
        rows += _shift_rows(own, plan[(plan["day"] == day) & (plan["shift"] == shift)], is_shaded=number % 2 == 1)
    first, last = (long_day(str(duties["worked_on"].iloc[k])) for k in (0, -1))
    days = plan[plan["day"].isin(duties["day"])]
    return {"title": _text(f"{first} to {last}. {about}.", 200), "rows": rows, "places": _places(days, origins)}


def _shift_rows(duties: pd.DataFrame, plan: pd.DataFrame, *, is_shaded: bool) -> list[dict[str, Any]]:
    """A line for the way out, one for each stay and break, and one for the way home."""
    steps = duties.sort_values("order").to_dict("records")
    stays = {row["from_h"]: row for row in plan.to_dict("records")}
    label = f"{long_day(str(steps[0]['worked_on']))[:-5]}, {steps[0]['shift']}"
    found = [(span(steps[0]["from_h"], steps[-1]["to_h"]), f"On duty at {steps[0]['place']}", "Briefing first", "")]
    way = ""
    for step in steps:
        if step["activity"] in ("drive", "walk"):
            way = _way(step)
        elif step["activity"] == "stay":
            row = stays[step["from_h"]]
            what = " ".join([way, *prompts_of(row)]).strip()
            time = span(step["from_h"], step["to_h"])
            found.append((time, str(step["place"]), what, "stay"))
            way = ""
        elif step["activity"] == "at base" and len(found) == 1:
            found.append((span(step["from_h"], step["to_h"]), f"At base, {step['place']}", "Enquiries", ""))
        elif step["activity"] == "break":
            minutes = 60.0 * (step["to_h"] - step["from_h"])
            found.append((span(step["from_h"], step["to_h"]), "Refreshment break", f"{minutes:.0f} minutes", ""))
    home = next(step for step in reversed(steps) if step["activity"] in ("drive", "walk"))
    back = f"{'Back to' if home['activity'] == 'drive' else 'Back at'} {home['place']}"
    found.append((span(home["from_h"], steps[-1]["to_h"]), back, f"{_way(home)} Results.".strip(), ""))
    return [
        {
            "cells": [_text(label) if k == 0 else "", time, _text(where, 40), _text(what, 160)],
            "strong": kind == "stay",
            "shade": is_shaded,
        }
        for k, (time, where, what, kind) in enumerate(found)
    ]


def _way(step: dict[Any, Any]) -> str:
    """How long the way is and when to leave."""
    if step["activity"] == "walk":
        return ""
    return f"Leave {clock(step['from_h'])}, {step['drive_min']:.0f} minutes by road."


def _places(plan: pd.DataFrame, origins: dict[str, list[str]]) -> list[dict[str, str]]:
    """Each station once, with its tasks; trains are those of its longest stay."""
    found: dict[str, dict[Any, Any]] = {}
    for row in plan.sort_values(["present_min", "day"], ascending=[False, True], kind="stable").to_dict("records"):
        found.setdefault(row["station_id"], row)
    ordered = sorted(found.values(), key=lambda row: (str(row["name"]), str(row["station_id"])))
    return [{"name": _text(row["name"], 40), "tasks": _text(" ".join(tasks_of(row, origins)), 400)} for row in ordered]


def _text(value: object, most_characters: int = 120) -> str:
    return cell_text(value, is_formula_safe=True, most_characters=most_characters)
