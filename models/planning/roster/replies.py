"""
The weeks of all teams together: each plans its best week against what the others leave, in turn, until none gains.

What a roster meets is submodular in its teams: whoever stands at the same time on the same journeys takes from the
others. The bound is therefore what the teams would meet if none stood in another's way, and, once a roster is known,
what it meets and the best that each team could add to it (Nemhauser, Wolsey and Fisher [1]_). No roster meets more than
the lesser of both.

References
----------
.. [1] Nemhauser, G. L., Wolsey, L. A. and Fisher, M. L. (1978). "An analysis of approximations for maximizing
   submodular set functions." Mathematical Programming 14, 265-294.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.planning.roster.itineraries import Itinerary, find_best_shifts
from models.planning.roster.meeting import Roster, block_platforms, measure_gains, measure_met
from models.planning.roster.musts import Placed, place_musts
from models.planning.roster.problem import DutyProblem
from models.planning.roster.team_weeks import choose_places

__all__ = ["bound_rosters", "reply_best"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

_MOST_PASSES = 12
_SAME = 1e-12


def reply_best(
    problem: DutyProblem,
    weekly: FloatArray | None = None,
    *,
    values: FloatArray | None = None,
    taste: FloatArray | None = None,
    start: Roster | None = None,
    placed: Placed | None = None,
    n_passes: int = _MOST_PASSES,
) -> Roster:
    """
    Find a roster that no team alone can better.

    Parameters
    ----------
    problem : DutyProblem
        Flow, teams and rules.
    weekly : numpy.ndarray of shape (n_patterns,), optional
        Trips of a week; those of the problem where absent.
    values : numpy.ndarray of shape (n_steps, n_stations), optional
        What a step at a station is worth by a rule of thumb, in place of trips: teams then take the best in turn.
    taste : numpy.ndarray of shape (n_steps, n_stations), optional
        Factors on the gains as teams see them.
    start : Roster, optional
        Where the others stand before each team has planned; nowhere where absent.
    placed : Placed, optional
        Where the visits that must be are; found anew where absent.
    n_passes : int
        Times at most that each team plans anew.

    Returns
    -------
    Roster
        The same for the same input.

    Raises
    ------
    UsageError
        If a station that must be visited cannot be; the message says why.
    """
    weekly = problem.weekly if weekly is None else weekly
    teams = range(len(problem.teams))
    placed = placed or place_musts(problem)
    fixed = placed.shifts
    weeks: dict[int, tuple[Itinerary, ...]] = {
        team: tuple(fixed[team].values()) if start is None else start.of_team(team) for team in teams
    }
    total = -1.0
    for _ in range(n_passes if values is None else 1):
        for team in teams:
            others = [shift for t in teams if t != team for shift in weeks[t]]
            gains = measure_gains(problem, others, weekly) if values is None else values
            weeks[team] = _best_week(problem, team, others, gains if taste is None else gains * taste, fixed[team])
        met = float(weekly @ measure_met(problem, [shift for week in weeks.values() for shift in week]))
        if met <= total + _SAME * max(1.0, total):
            break
        total = met
    ordered = sorted((shift for week in weeks.values() for shift in week), key=lambda s: (s.team, s.place))
    return Roster(tuple(ordered), placed.visits)


def bound_rosters(problem: DutyProblem, roster: Roster, weekly: FloatArray | None = None) -> float:
    """
    Bound what any roster can meet.

    Parameters
    ----------
    problem : DutyProblem
        Flow, teams and rules.
    roster : Roster
        A good one.
    weekly : numpy.ndarray of shape (n_patterns,), optional
        Trips of a week; those of the problem where absent.

    Returns
    -------
    float
        Trips of a week.
    """
    weekly = problem.weekly if weekly is None else weekly
    met = float(weekly @ measure_met(problem, roster.shifts))
    alone, beside = 0.0, met
    for team in range(len(problem.teams)):
        alone += _worth_of_week(problem, team, measure_gains(problem, (), weekly))
        beside += _worth_of_week(problem, team, measure_gains(problem, roster.shifts, weekly))
    return min(alone, beside)


def _worth_of_week(problem: DutyProblem, team: int, gains: FloatArray) -> float:
    found = find_best_shifts(problem, team, gains, most_stations=len(problem.station_ids))
    chosen = choose_places(problem, team, {number: shift.gain for number, shift in found.items()})
    return 0.0 if chosen is None else chosen[1]


def _best_week(
    problem: DutyProblem,
    team: int,
    others: Sequence[Itinerary],
    gains: FloatArray,
    fixed: dict[int, Itinerary],
) -> tuple[Itinerary, ...]:
    found = find_best_shifts(problem, team, gains, blocked=block_platforms(problem, others)) | fixed
    chosen = choose_places(
        problem, team, {number: shift.gain for number, shift in found.items()}, fixed=frozenset(fixed)
    )
    return () if chosen is None else tuple(found[number] for number in chosen[0])
