"""A roster as tables: `geo.tables.PLAN`, a row a stay, and `geo.tables.DUTIES`, a row a thing that a team does."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.schema import empty, validate
from geo.tables import DUTIES, PLAN
from models.planning.problem.shifts import name_days
from models.planning.roster.itineraries import Itinerary
from models.planning.roster.meeting import Roster
from models.planning.roster.problem import DutyProblem

__all__ = ["tabulate_duties", "tabulate_stays"]

FloatArray = NDArray[np.float64]


def tabulate_stays(
    problem: DutyProblem,
    roster: Roster,
    trips: pd.DataFrame,
    propensity: FloatArray,
    *,
    names: pd.Series,
    tiers: pd.Series,
    first_on: date | None,
) -> pd.DataFrame:
    """
    Tabulate the stays.

    Parameters
    ----------
    problem : DutyProblem
        Teams and steps.
    roster : Roster
        This week's.
    trips : pandas.DataFrame
        From `models.planning.roster.yields.measure_stay_trips`.
    propensity : numpy.ndarray of shape (n_places, n_stations)
        From `models.planning.roster.mixing.measure_propensity`.
    names, tiers : pandas.Series
        By ``station_id``.
    first_on : datetime.date or None
        First day.

    Returns
    -------
    pandas.DataFrame
        Table `geo.tables.PLAN`, by day, shift, team and stop.
    """
    if not roster.shifts:
        return empty(PLAN)
    days = name_days(first_on, problem.n_days, first_weekday=problem.first_weekday)
    week_share = problem.station_share
    rows = []
    for shift in roster.shifts:
        place, team = problem.places[shift.place], problem.teams[shift.team]
        for stop, stay in enumerate(shift.stays, start=1):
            station = problem.station_ids[stay.station]
            is_must = (shift.team, shift.place, stay.station) in roster.must
            rows.append(
                {
                    "day": place.day + 1,
                    "worked_on": days[place.day],
                    "shift": place.shift.name,
                    "start_h": place.shift.start_h,
                    "end_h": place.shift.end_h,
                    "team": team.name,
                    "agency": team.agency,
                    "stop": stop,
                    "station_id": station,
                    "name": str(names.get(station, station)),
                    "tier": tiers.get(station),
                    "from_h": _hour(problem, place.day, stay.first),
                    "to_h": _hour(problem, place.day, stay.last),
                    "present_min": float((stay.last - stay.first) * problem.rules.step_min),
                    "reason": "must" if is_must else "model",
                    "shift_flow_share": float(week_share[stay.first : stay.last, stay.station].sum()),
                    "propensity": float(propensity[shift.place, stay.station]),
                }
            )
    table = pd.DataFrame(rows, columns=[name for name in PLAN.columns if name in rows[0]])
    for name in trips.columns:
        table[name] = trips[name].to_numpy()
    texts = ("worked_on", "shift", "team", "agency", "station_id", "name", "tier", "reason")
    table = table.astype(dict.fromkeys(texts, "str"))
    table = table.sort_values(["day", "start_h", "team", "stop"], kind="stable", ignore_index=True)
    ids = table["worked_on"] + ":" + table["shift"] + ":" + table["team"] + ":" + table["stop"].astype("str")
    table.index = pd.Index(ids, name=PLAN.index, dtype="str")
    return validate(table[[name for name in PLAN.columns if name in table.columns]], PLAN)


def tabulate_duties(problem: DutyProblem, roster: Roster, *, names: pd.Series, first_on: date | None) -> pd.DataFrame:
    """
    Tabulate all that teams do, from the beginning of each shift to its end.

    Parameters
    ----------
    problem : DutyProblem
        Teams, drives and steps.
    roster : Roster
        This week's.
    names : pandas.Series
        By ``station_id``, bases among them.
    first_on : datetime.date or None
        First day.

    Returns
    -------
    pandas.DataFrame
        Table `geo.tables.DUTIES`: the rows of a shift follow each other without a gap.
    """
    if not roster.shifts:
        return empty(DUTIES)
    days = name_days(first_on, problem.n_days, first_weekday=problem.first_weekday)
    rows = []
    for shift in roster.shifts:
        place, team = problem.places[shift.place], problem.teams[shift.team]
        base = str(names.get(team.base, team.base))
        for order, (what, station, first, last, drive_min) in enumerate(_activities(problem, shift), start=1):
            rows.append(
                {
                    "day": place.day + 1,
                    "worked_on": days[place.day],
                    "shift": place.shift.name,
                    "team": team.name,
                    "agency": team.agency,
                    "n_officers": team.n_officers,
                    "order": order,
                    "activity": what,
                    "station_id": None if station < 0 else problem.station_ids[station],
                    "place": base if station < 0 else str(names.get(problem.station_ids[station], "")),
                    "from_h": _hour(problem, place.day, first),
                    "to_h": _hour(problem, place.day, last),
                    "drive_min": drive_min,
                }
            )
    table = pd.DataFrame(rows, columns=list(DUTIES.columns))
    texts = ("worked_on", "shift", "team", "agency", "activity", "station_id", "place")
    table = table.astype(dict.fromkeys(texts, "str"))
    table["begins_h"] = table.groupby(["day", "shift", "team"])["from_h"].transform("min")
    table = table.sort_values(["day", "begins_h", "shift", "team", "order"], kind="stable", ignore_index=True)
    ids = table["worked_on"] + ":" + table["shift"] + ":" + table["team"] + ":" + table["order"].astype("str")
    table.index = pd.Index(ids, name=DUTIES.index, dtype="str")
    return validate(table[list(DUTIES.columns)], DUTIES)


def _activities(problem: DutyProblem, shift: Itinerary) -> list[tuple[str, int, int, int, float]]:
    """What, station or -1 for the base, first and last step, and minutes driven."""
    rules, place = problem.rules, problem.places[shift.place]
    begins, ends = place.first, place.first + place.n_steps
    briefed = begins + rules.steps(rules.brief_min)
    first, last = shift.stays[0], shift.stays[-1]
    out = first.first - int(problem.base_steps[shift.team, first.station])
    found: list[tuple[str, int, int, int, float]] = [("briefing", -1, begins, briefed, np.nan)]
    if out > briefed:
        found.append(("at base", -1, briefed, out, np.nan))
    found.append(_way(first.station, out, first.first, float(problem.base_min[shift.team, first.station])))
    at = first.first
    for before, stay in zip((None, *shift.stays), shift.stays, strict=False):
        if before is not None:
            at = _rest(problem, shift, before.station, before.last, found)
            drive = 0.0 if before.station == stay.station else float(problem.drive_min[before.station, stay.station])
            # After its break a team may go on where it is.
            found += [_way(stay.station, at, stay.first, drive)] if stay.first > at else []
        found.append(("stay", stay.station, stay.first, stay.last, np.nan))
    at = _rest(problem, shift, last.station, last.last, found)
    home = at + int(problem.base_steps[shift.team, last.station])
    found.append(_way(-1, at, home, float(problem.base_min[shift.team, last.station])))
    debrief = ends - rules.steps(rules.debrief_min)
    if debrief > home:
        found.append(("at base", -1, home, debrief, np.nan))
    found.append(("debriefing", -1, debrief, ends, np.nan))
    return found


def _way(station: int, first: int, last: int, drive_min: float) -> tuple[str, int, int, int, float]:
    """A drive, or a walk where the way is none to speak of."""
    return ("walk", station, first, last, np.nan) if drive_min < 1.0 else ("drive", station, first, last, drive_min)


def _rest(
    problem: DutyProblem, shift: Itinerary, station: int, at: int, found: list[tuple[str, int, int, int, float]]
) -> int:
    """The break after a stay, where it is then; when the team goes on."""
    if shift.break_first != at:
        return at
    until = at + problem.places[shift.place].break_steps
    found.append(("break", station, at, until, np.nan))
    return until


def _hour(problem: DutyProblem, day: int, step: int) -> float:
    """Hours after midnight of the day of the shift."""
    return (step - day * problem.steps_per_day) * problem.rules.step_min / 60.0
