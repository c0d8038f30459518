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

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.errors import UsageError
from models.planning.roster.itineraries import Itinerary, find_best_shifts
from models.planning.roster.problem import DutyProblem
from models.planning.roster.team_weeks import choose_places

__all__ = [
    "Placed",
    "Roster",
    "bound_rosters",
    "measure_gains",
    "measure_met",
    "measure_watched",
    "place_musts",
    "reply_best",
    "stand_where",
]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

_MOST_PASSES = 12
_SAME = 1e-12


@dataclass(frozen=True)
class Roster:
    """
    Itineraries of all teams.

    Attributes
    ----------
    shifts : tuple of Itinerary
        By team and place.
    must : frozenset of (int, int, int)
        Team, place and station of the visits that had to be.
    """

    shifts: tuple[Itinerary, ...]
    must: frozenset[tuple[int, int, int]] = frozenset()

    def of_team(self, team: int) -> tuple[Itinerary, ...]:
        """
        Give the shifts of a team.

        Parameters
        ----------
        team : int
            Who.

        Returns
        -------
        tuple of Itinerary
            By place.
        """
        return tuple(shift for shift in self.shifts if shift.team == team)


def stand_where(problem: DutyProblem, shifts: Iterable[Itinerary]) -> IntArray:
    """
    Tell where each team stands at each step.

    Parameters
    ----------
    problem : DutyProblem
        Steps and teams.
    shifts : iterable of Itinerary
        Of a roster.

    Returns
    -------
    numpy.ndarray of shape (n_teams, n_steps)
        Station, -1 where it stands at none.
    """
    at = np.full((len(problem.teams), len(problem.share)), -1, dtype=np.int64)
    for shift in shifts:
        for stay in shift.stays:
            at[shift.team, stay.first : stay.last] = stay.station
    return at


def measure_watched(problem: DutyProblem, shifts: Iterable[Itinerary]) -> FloatArray:
    """
    Measure the chance of being met at each time.

    Parameters
    ----------
    problem : DutyProblem
        Steps and patterns.
    shifts : iterable of Itinerary
        Of a roster.

    Returns
    -------
    numpy.ndarray of shape (n_steps, n_patterns)
        Chance that a trip of the pattern made in the step is met.
    """
    at = stand_where(problem, shifts)
    steps = np.flatnonzero((at >= 0).any(axis=0))
    hazard = np.zeros((steps.size, problem.hazard.shape[0]))
    for stations in at[:, steps]:
        hazard += np.where(stations[:, None] >= 0, problem.hazard.T[stations], 0.0)
    watched = np.zeros(problem.share.shape)
    watched[steps] = -np.expm1(-hazard)
    return watched


def measure_met(problem: DutyProblem, shifts: Iterable[Itinerary]) -> FloatArray:
    """
    Measure what a roster meets.

    Parameters
    ----------
    problem : DutyProblem
        Flow by step.
    shifts : iterable of Itinerary
        Of a roster.

    Returns
    -------
    numpy.ndarray of shape (n_patterns,)
        Share of the trips of a week met, by pattern.
    """
    return np.asarray((problem.share * measure_watched(problem, shifts)).sum(axis=0), dtype=float)


def measure_gains(problem: DutyProblem, others: Iterable[Itinerary], weekly: FloatArray) -> FloatArray:
    """
    Measure what one more team meets at each step and station.

    Parameters
    ----------
    problem : DutyProblem
        Flow by step.
    others : iterable of Itinerary
        Of the other teams.
    weekly : numpy.ndarray of shape (n_patterns,)
        Trips of a week.

    Returns
    -------
    numpy.ndarray of shape (n_steps, n_stations)
        Trips that nobody else meets; 0 in steps outside every shift.
    """
    steps = problem.on_duty
    passing = problem.share[steps] * weekly
    for stations in stand_where(problem, others)[:, steps]:
        rows = np.flatnonzero(stations >= 0)
        passing[rows] *= 1.0 - problem.chance.T[stations[rows]]
    gains = np.zeros((len(problem.share), len(problem.station_ids)))
    gains[steps] = passing @ problem.chance
    return gains


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
    found = find_best_shifts(problem, team, gains, blocked=_blocked(problem, others)) | fixed
    chosen = choose_places(
        problem, team, {number: shift.gain for number, shift in found.items()}, fixed=frozenset(fixed)
    )
    return () if chosen is None else tuple(found[number] for number in chosen[0])


def _blocked(problem: DutyProblem, others: Sequence[Itinerary]) -> BoolArray:
    """Where other teams stand: no two are on one platform at once."""
    blocked = np.zeros(problem.is_open.shape, dtype=bool)
    for stations in stand_where(problem, others):
        steps = np.flatnonzero(stations >= 0)
        blocked[steps, stations[steps]] = True
    return blocked


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
    gains, blocked = measure_gains(problem, others, weekly), _blocked(problem, others)
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
