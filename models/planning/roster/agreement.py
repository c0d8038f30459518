"""
Where roster and list differ: tier A and B stations that are not worked, tier C stations that are, and why, in numbers.

In come a drawn roster, the mix it came from, and the tiers; out comes one row and one sentence a station.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.planning.problem import WEEKDAYS
from models.planning.roster.itineraries import Stay, find_best_shifts
from models.planning.roster.meeting import block_platforms, measure_gains, measure_met
from models.planning.roster.mixing import Mix
from models.planning.roster.problem import DutyProblem
from models.telling import percent

__all__ = ["compare_with_list"]

FloatArray = NDArray[np.float64]

_MIN_PER_HOUR = 60
_FIRST_TIERS, _LAST_TIER = ("A", "B"), ("C",)


@dataclass(frozen=True)
class _Seen:
    """The roster from the side of stations."""

    problem: DutyProblem
    mix: Mix
    names: pd.Series
    stays: tuple[Stay, ...]
    met: FloatArray
    gains: FloatArray
    mean_per_hour: float


def compare_with_list(
    problem: DutyProblem,
    mix: Mix,
    *,
    names: pd.Series,
    tiers: pd.Series,
    why_not: dict[str, str] | None = None,
) -> pd.DataFrame:
    """
    Explain where the roster departs from the list.

    Parameters
    ----------
    problem : DutyProblem
        Flow, drives and rules.
    mix : Mix
        With this week's roster.
    names, tiers : pandas.Series
        Name and tier by ``station_id``; stations without a tier are passed over.
    why_not : dict of str to str, optional
        Why a station could not be worked at all, by ``station_id``.

    Returns
    -------
    pandas.DataFrame
        By ``station_id``, tier A first: ``name, tier, is_worked, trips_per_week`` (past the station),
        ``met_elsewhere_share`` of them, ``best_gain_trips`` (what the longest stay there would meet beside the roster
        at its best time), ``base_drive_min``, ``worked_chance`` (share of such weeks in which it is worked) and
        ``reason``, the sentence.
    """
    roster = mix.roster
    stays = tuple(stay for shift in roster.shifts for stay in shift.stays)
    gains = measure_gains(problem, roster.shifts, problem.weekly)
    hours = [(s.last - s.first) * problem.rules.step_min / _MIN_PER_HOUR for s in stays]
    per_hour = [_met_alone(problem, stay) / n for stay, n in zip(stays, hours, strict=True)]
    met = measure_met(problem, roster.shifts)
    mean = float(np.average(per_hour, weights=hours)) if stays else 0.0
    seen = _Seen(problem, mix, names, stays, met, gains, mean)
    worked = {problem.station_ids[s.station] for s in stays}
    in_pool = {
        problem.station_ids[k]: float(
            np.mean([any(s.station == k for shift in r.shifts for s in shift.stays) for r in mix.rosters])
        )
        for k in range(len(problem.station_ids))
    }
    rows = []
    listed = tiers.dropna().sort_index()
    for station, tier in zip(listed.index.astype(str).tolist(), listed.astype(str).tolist(), strict=True):
        if tier not in (_LAST_TIER if station in worked else _FIRST_TIERS):
            continue
        row = {"station_id": station, "name": str(names.get(station, station)), "tier": tier}
        row |= {"is_worked": station in worked}
        chance = in_pool.get(station, 0.0)
        rows.append(row | _explain(seen, station, tier, chance, (why_not or {}).get(station)))
    columns = ["name", "tier", "is_worked", "trips_per_week", "met_elsewhere_share", "best_gain_trips"]
    columns += ["base_drive_min", "worked_chance", "reason"]
    if not rows:
        return pd.DataFrame(columns=columns, index=pd.Index([], name="station_id", dtype="str"))
    table = pd.DataFrame(rows).set_index("station_id")[columns]
    return table.sort_values(["tier", "trips_per_week"], ascending=[True, False], kind="stable")


def _explain(seen: _Seen, station: str, tier: str, worked_chance: float, why_not: str | None) -> dict[str, object]:
    problem = seen.problem
    if station not in problem.station_ids:
        reason = why_not or "no flow by rail passes it"
        nothing = {"trips_per_week": np.nan, "met_elsewhere_share": np.nan, "best_gain_trips": np.nan}
        nothing |= {"worked_chance": 0.0}
        name = seen.names.get(station, station)
        return nothing | {"base_drive_min": np.nan, "reason": f"{name} (tier {tier}) cannot be worked: {reason}."}
    k = problem.station_ids.index(station)
    sees = problem.hazard[:, k] > 0
    passing = problem.weekly * sees
    trips = float(passing.sum())
    here = [stay for stay in seen.stays if stay.station == k]
    elsewhere = float(passing @ seen.met) / trips if trips > 0 else 0.0
    best, begins = _best_stay(seen, k)
    numbers = {
        "trips_per_week": trips,
        "met_elsewhere_share": elsewhere,
        "best_gain_trips": best,
        "base_drive_min": float(problem.base_min[:, k].min()),
        "worked_chance": worked_chance,
    }
    told = _why_worked(seen, k, here, numbers) if here else _why_not_worked(seen, k, begins, numbers)
    return numbers | {"reason": f"{seen.names.get(station, station)} (tier {tier}) {told}"}


def _best_stay(seen: _Seen, k: int) -> tuple[float, int]:
    """The most that the longest stay there could add, and the step at which it begins; within shifts."""
    problem = seen.problem
    length = int(problem.rules.longest_stay_min // problem.rules.step_min)
    until = np.concatenate([[0.0], np.cumsum(np.where(problem.is_open[:, k], seen.gains[:, k], 0.0))])
    on_duty = np.zeros(len(until), dtype=bool)
    for place in problem.places:
        on_duty[place.first : place.first + max(place.n_steps - length, 0) + 1] = True
    on_duty = on_duty[: len(until) - length]
    worth = np.where(on_duty, until[length:] - until[:-length], -1.0)
    begins = int(np.argmax(worth))
    return max(float(worth[begins]), 0.0), begins


def _why_not_worked(seen: _Seen, k: int, begins: int, numbers: dict[str, float]) -> str:
    problem = seen.problem
    base = int(np.argmin(problem.base_min[:, k]))
    drive = numbers["base_drive_min"]
    hours = problem.rules.longest_stay_min / _MIN_PER_HOUR
    where = seen.names.get(problem.teams[base].base, problem.teams[base].base)
    far = f"The nearest base, {where}, is {drive:.0f} minutes away by road"
    near = far if np.isfinite(drive) else "No road leads there"
    return (
        f"is not worked this week: of {numbers['trips_per_week']:.2g} courier trips a week whose train calls there, "
        f"{percent(numbers['met_elsewhere_share'])} are met elsewhere on their way; {hours:g} hours there at the best "
        f"time ({_when(problem, begins)}) would meet {numbers['best_gain_trips']:.2g} more. {_swap(seen, k)} {near}. "
        f"Worked in {percent(numbers['worked_chance'])} of such weeks."
    )


def _swap(seen: _Seen, k: int) -> str:
    """What the week would lose or gain if one shift went there instead: the one that costs least."""
    problem = seen.problem
    found: list[tuple[float, int, int]] = []
    for team in range(len(problem.teams)):
        others = [shift for shift in seen.mix.roster.shifts if shift.team != team]
        gains = measure_gains(problem, others, problem.weekly)
        there = find_best_shifts(problem, team, gains, blocked=block_platforms(problem, others), via=k)
        for shift in seen.mix.roster.of_team(team):
            now = sum(float(gains[stay.first : stay.last, stay.station].sum()) for stay in shift.stays)
            if shift.place in there:
                found.append((now - there[shift.place].gain, team, shift.place))
    if not found:
        return "No shift of the week can go there."
    cost, team, number = min(found)
    place = problem.places[number]
    day = WEEKDAYS[(problem.first_weekday + place.day) % 7]
    way = f"{cost:.2g} fewer" if cost > 0 else f"{-cost:.2g} more, which the draw gives up so that it cannot be guessed"
    return (
        f"In place of {problem.teams[team].name}'s {place.shift.name} shift on {day}, one that goes there meets {way}."
    )


def _why_worked(seen: _Seen, k: int, here: list[Stay], numbers: dict[str, float]) -> str:
    problem = seen.problem
    hours = sum(stay.last - stay.first for stay in here) * problem.rules.step_min / _MIN_PER_HOUR
    sees = problem.hazard[:, k] > 0
    during = sum(float((problem.share[s.first : s.last] * problem.weekly * sees).sum()) for s in here)
    meets = sum(_met_alone(problem, s) for s in here)
    rate = meets / hours
    why = (
        f"{rate:.2g} an hour ({seen.mean_per_hour:.2g} over the whole roster)"
        if rate >= seen.mean_per_hour / 2
        else _on_the_way(seen, k, rate)
    )
    return (
        f"is worked: {len(here)} {'stay' if len(here) == 1 else 'stays'}, {hours:g} hours, meet {meets:.2g} courier "
        f"trips, {why}. {during:.2g} of the {numbers['trips_per_week']:.2g} a week whose train calls there do so then. "
        f"Worked in {percent(numbers['worked_chance'])} of such weeks."
    )


def _met_alone(problem: DutyProblem, stay: Stay) -> float:
    """Trips that a stay meets if no other team is about."""
    return float((problem.share[stay.first : stay.last] @ (problem.weekly * problem.chance[:, stay.station])).sum())


def _on_the_way(seen: _Seen, k: int, rate: float) -> str:
    """A station that meets little is worked because of another that meets more."""
    problem = seen.problem
    said = f"{rate:.2g} an hour ({seen.mean_per_hour:.2g} over the whole roster)"
    others = sorted({stay.station for stay in seen.stays} - {k})
    better = [other for other in others if _rate_at(seen, other) > rate]
    if not better:
        return said
    near = min(better, key=lambda other: (problem.drive_min[other, k], other))
    station = problem.station_ids[near]
    return (
        f"{said}, as the second stop of a shift: {problem.drive_min[near, k]:.0f} minutes by road from "
        f"{seen.names.get(station, station)}, where a stay has {problem.rules.longest_stay_min:.0f} minutes at most"
    )


def _rate_at(seen: _Seen, k: int) -> float:
    stays = [stay for stay in seen.stays if stay.station == k]
    hours = sum(stay.last - stay.first for stay in stays) * seen.problem.rules.step_min / _MIN_PER_HOUR
    return sum(_met_alone(seen.problem, stay) for stay in stays) / hours


def _when(problem: DutyProblem, step: int) -> str:
    day, of_day = divmod(step, problem.steps_per_day)
    minutes = of_day * problem.rules.step_min
    return f"{WEEKDAYS[(problem.first_weekday + day) % 7]} {minutes // 60:02d}:{minutes % 60:02d}"
