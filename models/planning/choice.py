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

from itertools import product

import numpy as np
from numpy.typing import NDArray

from models.planning.programme import Group, Programme, Slot, measure_value

__all__ = ["choose_greedily", "measure_marginals"]

FloatArray = NDArray[np.float64]
Choice = tuple[tuple[tuple[int, int], ...], ...]


def choose_greedily(programme: Programme) -> tuple[Choice, float]:
    """
    Choose the duty that adds most, again and again.

    Parameters
    ----------
    programme : Programme
        Slots and teams. Stations that must be worked come first; rest between slots is not looked at.

    Returns
    -------
    choice : tuple
        For each slot, the group and the duty of each team.
    value : float
        Worth met.
    """
    chosen: list[list[tuple[int, int]]] = [[] for _ in programme.slots]
    for station in programme.must:
        _place_must(programme, chosen, station)
    if programme.most_teams is None:
        for slot, teams in zip(programme.slots, chosen, strict=True):
            _fill(slot, programme.groups, teams)
    else:
        _fill_best(programme, chosen, programme.most_teams)
    choice = tuple(tuple(teams) for teams in chosen)
    value = sum(measure_value(s, [d for _, d in c]) for s, c in zip(programme.slots, choice, strict=True))
    return choice, float(value)


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


def _free(slot: Slot, groups: tuple[Group, ...], teams: list[tuple[int, int]]) -> NDArray[np.bool_]:
    """Whether each group may still take each duty: a team left, in its area, no station worked twice."""
    n_duties = len(slot.duties.stops)
    worked = np.zeros(slot.duties.presence.shape[0])
    for _, duty in teams:
        worked[list(slot.duties.stops[duty])] = 1.0
    there = slot.duties.presence > 0
    clear = np.asarray(there.T @ worked == 0).ravel()
    free = np.zeros((len(groups), n_duties), dtype=bool)
    for g, group in enumerate(groups):
        if sum(1 for taken, _ in teams if taken == g) < group.n_teams:
            free[g] = clear & (np.asarray(there.T @ (~slot.may_work(group)).astype(float)).ravel() == 0)
    return free


def _gains(slot: Slot, teams: list[tuple[int, int]]) -> FloatArray:
    """What each duty would add."""
    hazard = slot.duties.hazard
    unmet = np.exp(-np.asarray(hazard[:, [d for _, d in teams]].sum(axis=1)).ravel())
    share = hazard.copy()
    share.data = -np.expm1(-share.data)
    gains: FloatArray = slot.n_alike * np.asarray(share.T @ (slot.worth * unmet)).ravel()
    return gains


def _fill(slot: Slot, groups: tuple[Group, ...], teams: list[tuple[int, int]]) -> None:
    """Every team that still adds something has a duty."""
    while True:
        free = _free(slot, groups, teams)
        gain = np.where(free, _gains(slot, teams), -1.0)
        g, duty = divmod(int(np.argmax(gain)), gain.shape[1])
        if gain[g, duty] <= 0:
            return
        teams.append((g, duty))


def _fill_best(programme: Programme, chosen: list[list[tuple[int, int]]], most_teams: int) -> None:
    """The slots on which a team adds most have them, until no more teams may work."""
    best = [_best_of(slot, programme.groups, teams) for slot, teams in zip(programme.slots, chosen, strict=True)]
    left = most_teams - sum(s.n_alike * len(teams) for s, teams in zip(programme.slots, chosen, strict=True))
    while True:
        open_slots = [s for s, slot in enumerate(programme.slots) if best[s][0] > 0 and slot.n_alike <= left]
        if not open_slots:
            return
        s = max(open_slots, key=lambda k: best[k][0] / programme.slots[k].n_alike)
        slot = programme.slots[s]
        chosen[s].append(best[s][1:])
        left -= slot.n_alike
        best[s] = _best_of(slot, programme.groups, chosen[s])


def _best_of(slot: Slot, groups: tuple[Group, ...], teams: list[tuple[int, int]]) -> tuple[float, int, int]:
    """What the best duty left would add, its group and itself."""
    gain = np.where(_free(slot, groups, teams), _gains(slot, teams), -1.0)
    g, duty = divmod(int(np.argmax(gain)), gain.shape[1])
    return float(gain[g, duty]), g, duty


def _place_must(programme: Programme, chosen: list[list[tuple[int, int]]], station: int) -> None:
    """The station is worked where that adds most, if any team is free for it."""
    best: tuple[float, int, int, int] | None = None
    for s, slot in enumerate(programme.slots):
        if any(station in slot.duties.stops[d] for _, d in chosen[s]):
            return
        free, gain = _free(slot, programme.groups, chosen[s]), _gains(slot, chosen[s])
        here = [d for d, tour in enumerate(slot.duties.stops) if station in tour]
        for g, duty in product(range(len(programme.groups)), here):
            if free[g, duty] and (best is None or gain[duty] > best[0]):
                best = (float(gain[duty]), s, g, duty)
    if best is not None:
        chosen[best[1]].append((best[2], best[3]))
