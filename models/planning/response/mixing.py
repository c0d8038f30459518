"""How often each duty is worked on each slot: must visits first, then the mix against couriers who respond."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.planning.problem import Choice, FlowShare, Setting, Slot, TeamList, duties_of
from models.planning.response.evasion import Mix, find_fixed_point, share_of_list

__all__ = ["cap_chances", "measure_coverage", "mix_duties", "share_duties"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_SAME = 1e-9


def mix_duties(setting: Setting, ordinary: Choice) -> Mix:
    """
    Mix the duties of each shift against couriers who respond.

    Parameters
    ----------
    setting : Setting
        The plan's setting.
    ordinary : Choice
        Best list of each shift on a day without must visits: the first round.

    Returns
    -------
    Mix
        By shift; that list where couriers are taken not to respond.
    """
    start = tuple(
        share_of_list(s, len(setting.groups), teams) for s, teams in zip(setting.shift_slots, ordinary, strict=True)
    )
    if not setting.rules.is_evasive:
        return Mix(start, np.nan, np.nan, 0.0)
    return find_fixed_point(
        setting.encounters,
        setting.shift_slots,
        setting.groups,
        _shares_of_shifts(setting),
        start=start,
        met_cost_min=setting.rules.met_cost_min,
        mode_scale_per_min=setting.rules.mode_scale_per_min,
    )


def _shares_of_shifts(setting: Setting) -> tuple[FlowShare, ...]:
    """Share of all trips made in each shift of each kind of day, on all days of it."""
    shares, of = setting.flow_shares, setting.shift_slot_of
    return tuple(shares[of.index(k)] * of.count(k) for k in range(len(setting.shift_slots)))


def share_duties(setting: Setting, by_slot: Choice, mix: Mix) -> tuple[FloatArray, ...]:
    """
    Give each slot its must visits, and the rest of its teams to the mix.

    Parameters
    ----------
    setting : Setting
        The plan's setting.
    by_slot : Choice
        Work of each team on every slot of every day, with the must visits in it.
    mix : Mix
        How often each duty is worked, by shift.

    Returns
    -------
    tuple of numpy.ndarray of shape (n_groups, n_duties)
        For every slot of every day, how often each group works each duty; a must visit is certain. Against couriers who
        do not respond the best list of each slot is worked as it is.
    """
    n_groups = len(setting.groups)
    waiting = set(setting.programme.must)
    shares = []
    for s, (slot, teams) in enumerate(zip(setting.slots, by_slot, strict=True)):
        must = []
        for work in teams:
            here = waiting & set(slot.duties.stops[work.duty])
            if here:
                must.append(work)
                waiting -= here
        if not setting.rules.is_evasive:
            shares.append(share_of_list(slot, n_groups, teams))
            continue
        certain = share_of_list(slot, n_groups, tuple(must))
        left = _count_teams(setting, slot, teams) - certain.sum(axis=1)
        is_clear = _clear_of(slot, duties_of(must))
        free = [cap_chances(x * is_clear, n) for x, n in zip(mix.share[setting.shift_slot_of[s]], left, strict=True)]
        share = certain + np.stack(free)
        # What several groups would do together is done once.
        shares.append(share / np.maximum(share.sum(axis=0), 1.0))
    return tuple(shares)


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


def _clear_of(slot: Slot, must: Sequence[int]) -> FloatArray:
    """1 for the duties that keep off the stations of must visits, 0 for the others."""
    there = slot.duties.presence > 0
    taken = np.asarray(there[:, must].sum(axis=1)).ravel() > 0
    return np.asarray((there.T @ taken.astype(float)) == 0, dtype=float)


def _count_teams(setting: Setting, slot: Slot, teams: TeamList) -> IntArray:
    """Teams of each group at work on a slot; those of the list where rest or a number of shifts limits them."""
    n_groups = len(setting.groups)
    is_shut = slot.is_open is not None and not slot.is_open.any()
    if setting.week is not None and (is_shut or not slot.worth.any()):
        # Nobody is sent when no train runs.
        return np.zeros(n_groups, dtype=np.int64)
    if setting.rules.n_team_shifts is not None or any(g.n_crews is not None for g in setting.groups):
        return np.bincount([work.group for work in teams], minlength=n_groups)
    return np.array([group.n_teams for group in setting.groups])


def measure_coverage(setting: Setting, shares: Sequence[FloatArray]) -> FloatArray:
    """
    Measure the chance that each station is worked on each slot.

    Parameters
    ----------
    setting : Setting
        The plan's setting.
    shares : sequence of numpy.ndarray of shape (n_groups, n_duties)
        From `share_duties`.

    Returns
    -------
    numpy.ndarray of shape (n_slots, n_stations)
        In [0, 1].
    """
    rows = [
        np.asarray((slot.duties.presence > 0) @ np.minimum(share.sum(axis=0), 1.0)).ravel()
        for slot, share in zip(setting.slots, shares, strict=True)
    ]
    return np.asarray(np.minimum(np.array(rows), 1.0), dtype=float)
