"""
The roster: each slot of each day filled from the plan's chances, its must visits, and its random share.

Model teams are drawn by the comb from the chances of the mix, so that over the days each duty is worked as often as the
mix says and nobody can tell on which. Where several groups or tours could put two teams on one platform, a draw that
does is drawn again; chances are then exact given that no platform is worked twice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.planning.programme import Group, Slot
from models.planning.rosters import draw_comb, draw_random_stations, spread_random_effort

__all__ = ["Assignment", "cap_chances", "draw_roster"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_MOST_REDRAWS = 200
_SAME = 1e-9


@dataclass(frozen=True)
class Assignment:
    """
    One team on one slot.

    Attributes
    ----------
    slot : int
        Position in the roster's slots.
    group, duty : int
        Who does what.
    reason : str
        ``model``, ``random`` or ``must``.
    propensity : float
        Chance with which the slot's draw held it.
    """

    slot: int
    group: int
    duty: int
    reason: str
    propensity: float


def cap_chances(weight: FloatArray, total: float) -> FloatArray:
    """
    Scale weights to chances that sum to a number of teams, none above 1.

    Parameters
    ----------
    weight : numpy.ndarray of shape (n,)
        Not negative.
    total : float
        Teams; no more than there are positive weights are placed.

    Returns
    -------
    numpy.ndarray of shape (n,)
        Chances in proportion to the weights, but for those that are certain.

    Examples
    --------
    >>> cap_chances(np.array([6.0, 1.0, 1.0]), 2).tolist()
    [1.0, 0.5, 0.5]
    """
    chance = np.zeros(weight.size)
    certain = np.zeros(weight.size, dtype=bool)
    total = min(total, float((weight > 0).sum()))
    while True:
        rest = weight * ~certain
        left = total - certain.sum()
        if rest.sum() <= 0 or left <= _SAME:
            return np.where(certain, 1.0, 0.0)
        chance = np.where(certain, 1.0, rest * left / rest.sum())
        over = (chance > 1 + _SAME) & ~certain
        if not over.any():
            return np.minimum(chance, 1.0)
        certain |= over


def draw_roster(
    slots: tuple[Slot, ...],
    groups: tuple[Group, ...],
    mix: tuple[tuple[FloatArray, ...], ...],
    must: tuple[tuple[tuple[int, int], ...], ...],
    *,
    n_working: NDArray[np.int64],
    random_share: float,
    stratum: IntArray,
    rng: np.random.Generator,
) -> list[Assignment]:
    """
    Fill the slots.

    Parameters
    ----------
    slots : tuple of Slot
        Every shift of every day.
    groups : tuple of Group
        Teams.
    mix : tuple of tuple of numpy.ndarray of shape (n_duties,)
        For each slot and group, how often each duty is to be worked.
    must : tuple of tuple of (int, int)
        For each slot, the group and duty of each must visit.
    n_working : numpy.ndarray of shape (n_slots, n_groups)
        Teams at work, at most those of the group.
    random_share : float
        Share of effort on random stations; must visits come first.
    stratum : numpy.ndarray of shape (n_stations,)
        Tier of each station.
    rng : numpy.random.Generator
        Source of all draws, used slot by slot.

    Returns
    -------
    list of Assignment
        In the order of the slots.
    """
    n_teams = int(n_working.sum(axis=1).max())
    n_random = spread_random_effort(len(slots), n_teams, random_share, rng)
    allocation = np.zeros(int(stratum.max()) + 1, dtype=np.int64)
    roster: list[Assignment] = []
    for s, slot in enumerate(slots):
        left = n_working[s].copy()
        for group, _ in must[s]:
            left[group] -= 1
        random_by_group = _share_out(int(min(n_random[s], left.sum())), left)
        left = left - random_by_group
        taken = _stations_of(slot, [duty for _, duty in must[s]])
        roster += [Assignment(s, g, duty, "must", 1.0) for g, duty in must[s]]
        drawn = _draw_model(slot, groups, mix[s], left, taken, rng)
        roster += [Assignment(s, g, duty, "model", chance) for g, duty, chance in drawn]
        taken |= _stations_of(slot, [duty for _, duty, _ in drawn])
        roster += _draw_random(s, slot, groups, random_by_group, taken, stratum, allocation, rng)
    return roster


def _draw_random(
    s: int,
    slot: Slot,
    groups: tuple[Group, ...],
    n_by_group: IntArray,
    taken: NDArray[np.bool_],
    stratum: IntArray,
    allocation: IntArray,
    rng: np.random.Generator,
) -> list[Assignment]:
    """The random visits of a slot."""
    alone = {tour[0]: duty for duty, tour in enumerate(slot.duties.stops) if len(tour) == 1}
    has_duty = np.zeros(taken.size, dtype=bool)
    has_duty[list(alone)] = True
    visits = []
    for g, group in enumerate(groups):
        blocked = taken | ~slot.may_work(group) | ~has_duty
        for draw in draw_random_stations(int(n_by_group[g]), blocked, stratum, allocation, rng):
            taken[draw.station] = True
            visits.append(Assignment(s, g, alone[draw.station], "random", draw.propensity))
    return visits


def _share_out(n: int, left: IntArray) -> IntArray:
    """So many teams, one at a time from the group with most left."""
    given = np.zeros(left.size, dtype=np.int64)
    for _ in range(n):
        given[int(np.argmax(left - given))] += 1
    return given


def _stations_of(slot: Slot, duties: list[int]) -> NDArray[np.bool_]:
    worked = np.zeros(slot.duties.presence.shape[0], dtype=bool)
    for duty in duties:
        worked[list(slot.duties.stops[duty])] = True
    return worked


def _draw_model(
    slot: Slot,
    groups: tuple[Group, ...],
    mix: tuple[FloatArray, ...],
    left: IntArray,
    taken: NDArray[np.bool_],
    rng: np.random.Generator,
) -> list[tuple[int, int, float]]:
    """Group, duty and chance of the teams that the mix sends."""
    there = (slot.duties.presence > 0).astype(float)
    clear = np.asarray(there.T @ taken.astype(float) == 0).ravel()
    chances = [cap_chances(mix[g] * clear, float(left[g])) for g in range(len(groups))]
    drawn: list[tuple[int, int, float]] = []
    for _ in range(_MOST_REDRAWS):
        drawn = [
            (g, int(duty), float(chances[g][duty])) for g in range(len(groups)) for duty in draw_comb(chances[g], rng)
        ]
        duties = [duty for _, duty, _ in drawn]
        if not duties or np.asarray(there[:, duties].sum(axis=1)).max() <= 1:
            return drawn
    # Chances that nearly always clash leave a platform worked twice; the second team stands down.
    kept: list[tuple[int, int, float]] = []
    worked = taken.copy()
    for g, duty, chance in drawn:
        stops = list(slot.duties.stops[duty])
        if not worked[stops].any():
            kept.append((g, duty, chance))
            worked[stops] = True
    return kept
