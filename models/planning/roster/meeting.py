"""What a roster meets: where its teams stand at each step, who is met there, and what one more team would add."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.planning.roster.itineraries import Itinerary
from models.planning.roster.problem import DutyProblem

__all__ = ["Roster", "block_platforms", "measure_gains", "measure_met", "measure_watched", "stand_where"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]


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


def block_platforms(problem: DutyProblem, others: Sequence[Itinerary]) -> BoolArray:
    """
    Tell where other teams stand: no two are on one platform at once.

    Parameters
    ----------
    problem : DutyProblem
        Steps and stations.
    others : sequence of Itinerary
        Their shifts.

    Returns
    -------
    numpy.ndarray of shape (n_steps, n_stations)
        Whether somebody is there.
    """
    blocked = np.zeros(problem.is_open.shape, dtype=bool)
    for stations in stand_where(problem, others):
        steps = np.flatnonzero(stations >= 0)
        blocked[steps, stations[steps]] = True
    return blocked
