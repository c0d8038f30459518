"""Visits that must be: each in a shift of a team where it costs least, or a refusal that says why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.errors import UsageError
from models.planning.roster.itineraries import Itinerary, find_best_shifts
from models.planning.roster.meeting import block_platforms, measure_gains
from models.planning.roster.problem import DutyProblem
from models.planning.roster.team_weeks import choose_places

__all__ = ["Placed", "place_musts"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Placed:
    """
    Visits that must be, and the shifts that hold them.

    Attributes
    ----------
    shifts : dict of int to (dict of int to Itinerary)
        By team and place.
    visits : frozenset of (int, int, int)
        Team, place and station.
    """

    shifts: dict[int, dict[int, Itinerary]]
    visits: frozenset[tuple[int, int, int]]


class _Option(NamedTuple):
    """A shift that holds a visit that must be, and what it costs."""

    cost: float
    team: int
    place: int
    shift: Itinerary


def place_musts(problem: DutyProblem) -> Placed:
    """
    Put every visit that must be where it costs least, one after the other.

    Parameters
    ----------
    problem : DutyProblem
        Flow, teams and rules.

    Returns
    -------
    Placed
        Shifts that hold them.

    Raises
    ------
    UsageError
        If one finds no place; the message says why.
    """
    fixed: dict[int, dict[int, Itinerary]] = {team: {} for team in range(len(problem.teams))}
    must: set[tuple[int, int, int]] = set()
    for name in problem.rules.must_visit:
        station = problem.station_ids.index(name)
        there = [
            (team, place, station)
            for team, shifts in fixed.items()
            for place, shift in shifts.items()
            if any(stay.station == station for stay in shift.stays)
        ]
        if there:
            must.add(there[0])
            continue
        options = [option for team in fixed for option in _list_options(problem, problem.weekly, fixed, team, station)]
        if not options:
            _refuse(problem, name, len(must))
        best = min(options, key=lambda option: option[:3])
        fixed[best.team][best.place] = best.shift
        must.add((best.team, best.place, station))
    return Placed(fixed, frozenset(must))


def _list_options(
    problem: DutyProblem, weekly: FloatArray, fixed: dict[int, dict[int, Itinerary]], team: int, station: int
) -> list[_Option]:
    others = [shift for t, own in fixed.items() for shift in own.values() if t != team]
    gains, blocked = measure_gains(problem, others, weekly), block_platforms(problem, others)
    own = fixed[team]
    free = {n: shift.gain for n, shift in find_best_shifts(problem, team, gains, blocked=blocked).items()}
    free |= {n: shift.gain for n, shift in own.items()}
    best = choose_places(problem, team, free, fixed=frozenset(own))
    options = []
    for place, shift in find_best_shifts(problem, team, gains, blocked=blocked, via=station).items():
        if place in own or best is None:
            continue
        chosen = choose_places(problem, team, free | {place: shift.gain}, fixed=frozenset({place, *own}))
        if chosen is not None:
            options.append(_Option(best[1] - chosen[1], team, place, shift))
    return options


def _refuse(problem: DutyProblem, name: str, n_placed: int) -> None:
    station = problem.station_ids.index(name)
    near = float(problem.base_min[:, station].min())
    slots = sum(min(team.shifts_per_week, problem.n_days) for team in problem.teams)
    msg = (
        f"plan.must_visit: {name!r} cannot be worked in the {problem.n_days} days ({near:.0f} minutes from the nearest "
        f"base, at most {problem.rules.longest_drive_min:g} driven; {n_placed} of {slots} shifts taken by other must "
        "visits), expected a shift with a stay there. Raise plan.longest_drive_min, give a team a nearer base, or "
        "leave it out."
    )
    raise UsageError(msg)
