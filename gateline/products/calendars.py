"""
A calendar a team: each shift an event with its duties, in the form of RFC 5545 that every calendar program opens.

Times are of Europe/London, whose clock changes stand in the file. Text is escaped and lines are folded as the standard
asks; nothing in it can be a property of its own. Events keep their identity from run to run, so that a new roster of
the same week replaces the old one.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pandas as pd

from gateline.products.duty_sheets import duty_list
from gateline.products.duty_times import day_of
from gateline.products.inert import cell_text
from gateline.products.inputs import FICTIONAL_NOTE, ProductInputs
from gateline.products.stop_tasks import PROMPTS

__all__ = ["calendar_text", "file_name", "write_calendars"]

_FOLD_BYTES = 75
# The clock changes on the last Sundays of March and October at 01:00 UTC.
_ZONE = (
    "BEGIN:VTIMEZONE",
    "TZID:Europe/London",
    "BEGIN:DAYLIGHT",
    "DTSTART:19960331T010000",
    "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
    "TZOFFSETFROM:+0000",
    "TZOFFSETTO:+0100",
    "TZNAME:BST",
    "END:DAYLIGHT",
    "BEGIN:STANDARD",
    "DTSTART:19961027T020000",
    "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
    "TZOFFSETFROM:+0100",
    "TZOFFSETTO:+0000",
    "TZNAME:GMT",
    "END:STANDARD",
    "END:VTIMEZONE",
)


def write_calendars(folder: Path, inputs: ProductInputs) -> None:
    """
    Write ``team-NN-NAME.ics`` for each team; none where there is no roster with dates.

    Parameters
    ----------
    folder : pathlib.Path
        Of the run.
    inputs : ProductInputs
        The tables of one run.
    """
    duties = inputs.plan_duties
    if duties is None or duties.empty or day_of(str(duties["worked_on"].iloc[0])) is None:
        return
    for number, (team, rows) in enumerate(duties.groupby("team", sort=True), start=1):
        (folder / file_name(str(team), number, "ics")).write_bytes(calendar_text(rows, inputs).encode("utf-8"))


def file_name(team: str, number: int, ending: str) -> str:
    """
    Name the file of a team.

    Parameters
    ----------
    team : str
        Its name, which may hold anything.
    number : int
        Its place among the teams, so that no two names are one file.
    ending : str
        Without the dot.

    Returns
    -------
    str
        Letters, digits and dashes.

    Examples
    --------
    >>> file_name("Rail / 2", 3, "ics")
    'team-03-rail-2.ics'
    """
    plain = re.sub(r"[^a-z0-9]+", "-", team.lower()).strip("-")[:30]
    return f"team-{number:02d}-{plain or 'team'}.{ending}"


def calendar_text(duties: pd.DataFrame, inputs: ProductInputs) -> str:
    """
    Write the calendar of one team.

    Parameters
    ----------
    duties : pandas.DataFrame
        Table `geo.tables.DUTIES`, rows of the team.
    inputs : ProductInputs
        For the marks.

    Returns
    -------
    str
        A file of RFC 5545.
    """
    marks = inputs.marks
    warned = f"{FICTIONAL_NOTE}. " if marks.is_fictional else ""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Gateline//Duty roster//EN", "CALSCALE:GREGORIAN", *_ZONE]
    told = duty_list(_only(inputs, duties)).set_index(duties.sort_values(["team", "day", "from_h", "order"]).index)
    for (worked_on, shift, team), rows in duties.sort_values("order").groupby(
        ["worked_on", "shift", "team"], sort=True
    ):
        own = told.loc[rows.index]
        body = [f"{warned}{marks.marking}. Run {marks.run_id}."]
        body += [f"{time} {text}" for time, text in zip(own["from_to"], own["duty"], strict=True)]
        body += list(PROMPTS)
        places = list(dict.fromkeys(rows.loc[rows["activity"] == "stay", "place"]))
        lines += [
            "BEGIN:VEVENT",
            f"UID:{_uid(marks.title, str(worked_on), str(shift), str(team))}",
            # A fixed stamp, so that the same run gives the same bytes.
            "DTSTAMP:20000101T000000Z",
            f"DTSTART;TZID=Europe/London:{_instant(str(worked_on), float(rows['from_h'].min()))}",
            f"DTEND;TZID=Europe/London:{_instant(str(worked_on), float(rows['to_h'].max()))}",
            f"SUMMARY:{_escape([f'{team} {shift}: ' + ', '.join(places) + (' (FICTIONAL)' if warned else '')])}",
            f"LOCATION:{_escape([rows['place'].iloc[0]])}",
            f"DESCRIPTION:{_escape(body)}",
            "CLASS:CONFIDENTIAL",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(f"{_fold(line)}\r\n" for line in lines)


def _only(inputs: ProductInputs, duties: pd.DataFrame) -> ProductInputs:
    """The same release with the duties of one team."""
    return replace(inputs, plan_duties=duties)


def _uid(*parts: str) -> str:
    """One for a shift of a team of a region, whatever is in its name."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32] + "@gateline"


def _instant(worked_on: str, hours: float) -> str:
    at = datetime.combine(date.fromisoformat(worked_on), datetime.min.time()) + timedelta(minutes=round(hours * 60))
    return at.strftime("%Y%m%dT%H%M%S")


def _escape(lines: Sequence[object]) -> str:
    """Text of a property: no line of the file's own, no separator."""
    told = [cell_text(line, is_formula_safe=True, most_characters=400) for line in lines]
    for plain, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,")):
        told = [line.replace(plain, escaped) for line in told]
    return "\\n".join(told)


def _fold(line: str) -> str:
    """Lines of at most 75 bytes, each further one after a blank; never inside a character."""
    parts, size = [""], 0
    for character in line:
        n = len(character.encode("utf-8"))
        if size + n > _FOLD_BYTES:
            parts.append(" ")
            size = 1
        parts[-1] += character
        size += n
    return "\r\n".join(parts)
