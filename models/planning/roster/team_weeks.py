"""
The best week of a team, given its best shift in every place: which shifts it works so that it rests as the rules say.

A dynamic programme over days. What it remembers is on which of the last six days the team worked, and its last shift:
at most so many shifts in *any* seven days, one a day, and the rest between two that follow each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from models.planning.roster.problem import DutyProblem

__all__ = ["choose_places", "rests_enough"]

_DAYS_PER_WEEK = 7
_REMEMBERED = (1 << (_DAYS_PER_WEEK - 1)) - 1


class _Before(NamedTuple):
    """What the days so far leave behind."""

    worked: int  # bits of the last six days, the latest lowest
    last: int  # place of the last shift, -1 for none


# By what the days so far leave behind: worth, shifts, and places.
_Weeks = dict[_Before, tuple[float, int, tuple[int, ...]]]


def choose_places(
    problem: DutyProblem, team: int, gain: Mapping[int, float], *, fixed: frozenset[int] = frozenset()
) -> tuple[tuple[int, ...], float] | None:
    """
    Choose the places of a team.

    Parameters
    ----------
    problem : DutyProblem
        Places and rules.
    team : int
        Who.
    gain : mapping of int to float
        What the best shift in each place is worth; a place without one is not worked.
    fixed : frozenset of int
        Places that must be worked.

    Returns
    -------
    tuple of (tuple of int, float) or None
        Places by day, and their worth; None where the fixed ones cannot all be worked. A shift worth nothing is worked
        all the same: the team is on duty.
    """
    most = problem.teams[team].shifts_per_week
    by_day: list[list[int]] = [[] for _ in range(problem.n_days)]
    for number, place in enumerate(problem.places):
        if number in gain:
            by_day[place.day].append(number)
    if not _may_all(problem, gain, fixed):
        return None
    best: _Weeks = {_Before(0, -1): (0.0, 0, ())}
    for numbers in by_day:
        must = [number for number in numbers if number in fixed]
        after: _Weeks = {}
        for before, entry in best.items():
            if not must:
                _keep(after, _Before(before.worked << 1 & _REMEMBERED, before.last), entry)
            if before.worked.bit_count() < most:
                _work(problem, gain, must or numbers, (before, entry), after)
        best = after
    if not best:
        return None
    worth, _, chosen = max(best.values(), key=_rank)
    return chosen, worth


def _work(
    problem: DutyProblem,
    gain: Mapping[int, float],
    numbers: list[int],
    now: tuple[_Before, tuple[float, int, tuple[int, ...]]],
    after: _Weeks,
) -> None:
    """One more day, worked in each of the places that the rest allows."""
    before, (worth, n, chosen) = now
    for number in numbers:
        if rests_enough(problem, before.last, number):
            state = _Before((before.worked << 1 | 1) & _REMEMBERED, number)
            _keep(after, state, (worth + gain[number], n + 1, (*chosen, number)))


def _may_all(problem: DutyProblem, gain: Mapping[int, float], fixed: frozenset[int]) -> bool:
    """Whether all fixed places have a shift, and no two lie on one day: a team has one shift a day."""
    days = [problem.places[number].day for number in fixed]
    return fixed <= set(gain) and len(set(days)) == len(days)


def rests_enough(problem: DutyProblem, before: int, after: int) -> bool:
    """
    Tell whether a team that works one place can work a later one.

    Parameters
    ----------
    problem : DutyProblem
        Places and rules.
    before, after : int
        Places; -1 for none.

    Returns
    -------
    bool
        Whether the rest between them is long enough.
    """
    if before < 0:
        return True
    ended, begins = problem.places[before], problem.places[after]
    rest_min = (begins.first - ended.first - ended.n_steps) * problem.rules.step_min
    return rest_min >= 60.0 * problem.rules.rest_h


def _rank(entry: tuple[float, int, tuple[int, ...]]) -> tuple[float, int, tuple[int, ...]]:
    """More worth, then more shifts, then the earlier ones: one answer for one input."""
    worth, n, chosen = entry
    return worth, n, tuple(-number for number in chosen)


def _keep(
    into: dict[_Before, tuple[float, int, tuple[int, ...]]],
    key: _Before,
    entry: tuple[float, int, tuple[int, ...]],
) -> None:
    now = into.get(key)
    if now is None or entry[0] > now[0] or (entry[0] == now[0] and _rank(entry) > _rank(now)):
        into[key] = entry
