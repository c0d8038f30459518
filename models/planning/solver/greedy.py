r"""
Choosing duties by greed, and what the choice owes to each.

The worth met is monotone and submodular in the stations worked, so greed meets at least :math:`1 - 1/e` = 63.2 % of the
best for one group of teams at single stations (Nemhauser, Wolsey and Fisher [1]_), and mostly far more. It is the
yardstick beside the proven answer, and the answer of an adversary's next move where thousands are wanted.

References
----------
.. [1] Nemhauser, G. L., Wolsey, L. A. and Fisher, M. L. (1978). "An analysis of approximations for maximizing
   submodular set functions - I." Mathematical Programming 14(1), 265-294.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.planning.problem import Choice, Group, Programme, Slot, Work, duties_of, measure_choice

__all__ = ["GreedyChoice", "choose_greedily", "improve_choice", "measure_marginals"]

FloatArray = NDArray[np.float64]
_SAME = 1e-9


@dataclass(frozen=True)
class GreedyChoice:
    """
    What greed, or swaps after it, chose.

    Attributes
    ----------
    chosen : Choice
        For each slot, the work of each team.
    value : float
        Worth met.
    """

    chosen: Choice
    value: float


class _Addition(NamedTuple):
    """What one more team would add to a slot."""

    gain: float
    work: Work


def choose_greedily(programme: Programme) -> GreedyChoice:
    """
    Choose the duty that adds most, again and again.

    Parameters
    ----------
    programme : Programme
        Slots and teams. Stations that must be worked come first; rest between slots is not looked at.

    Returns
    -------
    GreedyChoice
        Choice and value.
    """
    chosen: list[list[Work]] = [[] for _ in programme.slots]
    for station in programme.must:
        _place_must(programme, chosen, station)
    if programme.most_teams is None:
        for slot, teams in zip(programme.slots, chosen, strict=True):
            _fill(slot, programme.groups, teams)
    else:
        _fill_best(programme, chosen, programme.most_teams)
    choice = tuple(tuple(teams) for teams in chosen)
    return GreedyChoice(choice, measure_choice(programme.slots, choice))


def improve_choice(programme: Programme, choice: Choice) -> GreedyChoice:
    """
    Swap one duty for another of the same group and slot until no swap helps.

    Parameters
    ----------
    programme : Programme
        Slots and teams. A station that must be worked and is stays worked.
    choice : Choice
        For each slot, the work of each team.

    Returns
    -------
    GreedyChoice
        Choice and value after the swaps.
    """
    chosen = [list(teams) for teams in choice]
    is_better = True
    while is_better:
        is_better = False
        for s, slot in enumerate(programme.slots):
            for k, work in enumerate(chosen[s]):
                others = [*chosen[s][:k], *chosen[s][k + 1 :]]
                may_stand_in = _free(slot, programme.groups, others)[work.group] & _keeps_musts(programme, chosen, s, k)
                gain = np.where(may_stand_in, _gains(slot, others), -1.0)
                best = int(np.argmax(gain))
                if gain[best] > gain[work.duty] * (1.0 + _SAME):
                    chosen[s][k], is_better = Work(work.group, best), True
    swapped = tuple(tuple(teams) for teams in chosen)
    return GreedyChoice(swapped, measure_choice(programme.slots, swapped))


def measure_marginals(slot: Slot, duties: list[int]) -> FloatArray:
    """
    Measure what would be lost without each duty of a slot.

    Parameters
    ----------
    slot : Slot
        The slot.
    duties : list of int
        Duties worked.

    Returns
    -------
    numpy.ndarray of shape (n_duties,)
        Worth met with all less worth met without each.
    """
    hazard = slot.duties.hazard[:, duties].toarray()
    unmet = np.exp(-hazard.sum(axis=1))
    lost: FloatArray = slot.n_alike * ((slot.worth * unmet) @ np.expm1(hazard))
    return lost


def _keeps_musts(programme: Programme, chosen: list[list[Work]], s: int, k: int) -> NDArray[np.bool_]:
    """Whether each duty of a slot works all that must be worked and only the duty it stands in for works."""
    slot = programme.slots[s]
    rest = {
        station
        for other, (at, teams) in enumerate(zip(programme.slots, chosen, strict=True))
        for j, duty in enumerate(duties_of(teams))
        if (other, j) != (s, k)
        for station in at.duties.stops[duty]
    }
    only = set(programme.must).intersection(slot.duties.stops[chosen[s][k].duty]) - rest
    return np.array([only.issubset(tour) for tour in slot.duties.stops])


def _free(slot: Slot, groups: tuple[Group, ...], teams: list[Work]) -> NDArray[np.bool_]:
    """Whether each group may still take each duty: a team left, in its area, no station worked twice."""
    n_duties = len(slot.duties.stops)
    worked = np.zeros(slot.duties.presence.shape[0])
    for duty in duties_of(teams):
        worked[list(slot.duties.stops[duty])] = 1.0
    there = slot.duties.presence > 0
    clear = np.asarray(there.T @ worked == 0).ravel()
    free = np.zeros((len(groups), n_duties), dtype=bool)
    for g, group in enumerate(groups):
        if sum(work.group == g for work in teams) < group.n_teams:
            free[g] = clear & (np.asarray(there.T @ (~slot.may_work(group)).astype(float)).ravel() == 0)
    return free


def _gains(slot: Slot, teams: list[Work]) -> FloatArray:
    """What each duty would add."""
    hazard = slot.duties.hazard
    unmet = np.exp(-np.asarray(hazard[:, duties_of(teams)].sum(axis=1)).ravel())
    share = hazard.copy()
    share.data = -np.expm1(-share.data)
    gains: FloatArray = slot.n_alike * np.asarray(share.T @ (slot.worth * unmet)).ravel()
    return gains


def _fill(slot: Slot, groups: tuple[Group, ...], teams: list[Work]) -> None:
    """Every team that still adds something has a duty."""
    while True:
        best = _best_of(slot, groups, teams)
        if best.gain <= 0:
            return
        teams.append(best.work)


def _fill_best(programme: Programme, chosen: list[list[Work]], most_teams: int) -> None:
    """The slots on which a team adds most have them, until no more teams may work."""
    best = [_best_of(slot, programme.groups, teams) for slot, teams in zip(programme.slots, chosen, strict=True)]
    left = most_teams - sum(s.n_alike * len(teams) for s, teams in zip(programme.slots, chosen, strict=True))
    while True:
        open_slots = [s for s, slot in enumerate(programme.slots) if best[s].gain > 0 and slot.n_alike <= left]
        if not open_slots:
            return
        s = max(open_slots, key=lambda k: best[k].gain / programme.slots[k].n_alike)
        slot = programme.slots[s]
        chosen[s].append(best[s].work)
        left -= slot.n_alike
        best[s] = _best_of(slot, programme.groups, chosen[s])


def _best_of(slot: Slot, groups: tuple[Group, ...], teams: list[Work]) -> _Addition:
    """The best work left and what it would add; less than nothing where none is left."""
    gain = np.where(_free(slot, groups, teams), _gains(slot, teams), -1.0)
    g, duty = divmod(int(np.argmax(gain)), gain.shape[1])
    return _Addition(float(gain[g, duty]), Work(g, duty))


def _place_must(programme: Programme, chosen: list[list[Work]], station: int) -> None:
    """The station is worked where that adds most, if any team is free for it."""
    best: _Addition | None = None
    at = 0
    for s, slot in enumerate(programme.slots):
        if any(station in slot.duties.stops[duty] for duty in duties_of(chosen[s])):
            return
        free, gain = _free(slot, programme.groups, chosen[s]), _gains(slot, chosen[s])
        here = [d for d, tour in enumerate(slot.duties.stops) if station in tour]
        for g, duty in product(range(len(programme.groups)), here):
            if free[g, duty] and (best is None or gain[duty] > best.gain):
                best, at = _Addition(float(gain[duty]), Work(g, duty)), s
    if best is not None:
        chosen[at].append(best.work)
