"""
From chances to names on a roster: integer teams with exact marginals, and effort kept random on purpose.

`draw_comb` is systematic sampling (Madow [1]_): chances laid end to end and read at every whole number from a random
start. Each duty is drawn with exactly its chance, and no slot has a team too many or too few. `draw_random_stations`
spends the random share: stations drawn within tiers, their chance recorded, so that results can be read without the
bias of a list that is only tested where it points (methods of Mohler et al. and Ariel et al.).

References
----------
.. [1] Madow, W. G. (1949). "On the theory of systematic sampling, II." Annals of Mathematical Statistics 20(3),
   333-354.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.errors import UsageError

__all__ = ["RandomDraw", "draw_comb", "draw_random_stations", "measure_entropy", "spread_random_effort"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
_SAME = 1e-9


@dataclass(frozen=True)
class RandomDraw:
    """
    One station drawn at random for one slot.

    Attributes
    ----------
    station : int
        The station.
    propensity : float
        Chance that the slot's draw held it, given what the slot already held.
    """

    station: int
    propensity: float


def draw_comb(chance: FloatArray, rng: np.random.Generator) -> IntArray:
    """
    Draw items so that each is in with exactly its chance.

    Parameters
    ----------
    chance : numpy.ndarray of shape (n,)
        Chances in [0, 1]. Where they do not sum to a whole number, the number drawn is one of the two next to it.
    rng : numpy.random.Generator
        Source of the start and of the order in which the chances are laid.

    Returns
    -------
    numpy.ndarray
        Items drawn, each once, in order.

    Raises
    ------
    UsageError
        If a chance is not in [0, 1].
    """
    if chance.size and not (chance.min() >= -_SAME and chance.max() <= 1 + _SAME):
        msg = (
            f"roster: chances run from {float(chance.min())!r} to {float(chance.max())!r}, expected all in [0, 1]. "
            "Cap them at 1 and spread the rest."
        )
        raise UsageError(msg)
    # An order drawn afresh lets any two items with chance to spare meet on a slot.
    order = rng.permutation(chance.size)
    edges = np.concatenate([[0.0], np.cumsum(np.clip(chance[order], 0.0, 1.0))])
    # A sum that is whole but for rounding is whole.
    edges = np.where(np.abs(edges - np.round(edges)) < _SAME, np.round(edges), edges)
    teeth = np.floor(edges - rng.random())
    drawn: IntArray = np.sort(order[np.diff(teeth) > 0]).astype(np.int64)
    return drawn


def spread_random_effort(
    n_slots: int, n_teams: int, random_share: float, rng: np.random.Generator
) -> NDArray[np.int64]:
    """
    Decide how many teams of each slot go where chance sends them.

    Parameters
    ----------
    n_slots, n_teams : int
        Slots of the plan and teams on each.
    random_share : float
        Share of all effort, in [0, 0.5].
    rng : numpy.random.Generator
        Source of the order.

    Returns
    -------
    numpy.ndarray of shape (n_slots,)
        Teams; they sum to the share of all effort, rounded.

    Raises
    ------
    UsageError
        If the share is not in [0, 0.5].
    """
    if not 0 <= random_share <= 0.5:
        msg = f"random_share: is {random_share!r}, expected a share in [0, 0.5]. 0.10 to 0.20 is advised."
        raise UsageError(msg)
    total = round(random_share * n_slots * n_teams)
    counts = np.full(n_slots, total // n_slots, dtype=np.int64)
    counts[rng.permutation(n_slots)[: total % n_slots]] += 1
    return counts


def draw_random_stations(
    n_drawn: int, taken: NDArray[np.bool_], stratum: IntArray, allocation: IntArray, rng: np.random.Generator
) -> list[RandomDraw]:
    """
    Draw stations for the random teams of one slot, tier by tier.

    Parameters
    ----------
    n_drawn : int
        Stations wanted.
    taken : numpy.ndarray of shape (n_stations,)
        Stations that the slot already holds, or that may not be worked.
    stratum : numpy.ndarray of shape (n_stations,)
        Tier of each.
    allocation : numpy.ndarray of shape (n_strata,)
        Random visits each tier has had so far; counted up in place. The tier that lags most behind its share of
        stations is next, so that over the plan each has its share.
    rng : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    list of RandomDraw
        Fewer than wanted only where no station is left.
    """
    size = np.bincount(stratum, minlength=allocation.size).astype(float)
    picked = np.zeros(allocation.size, dtype=np.int64)
    left = np.bincount(stratum[~taken], minlength=allocation.size)
    for _ in range(n_drawn):
        due = (allocation.sum() + 1) * size / max(size.sum(), 1.0) - allocation
        due[left - picked <= 0] = -np.inf
        if not np.isfinite(due).any():
            break
        tier = int(np.argmax(due))
        allocation[tier] += 1
        picked[tier] += 1
    draws: list[RandomDraw] = []
    for tier in np.flatnonzero(picked).tolist():
        pool = np.flatnonzero(~taken & (stratum == tier))
        chosen = rng.choice(pool, size=int(picked[tier]), replace=False)
        draws += [RandomDraw(int(k), float(picked[tier] / pool.size)) for k in np.sort(chosen)]
    return draws


def measure_entropy(coverage: FloatArray) -> float:
    """
    Measure how hard it is to guess where a team is.

    Parameters
    ----------
    coverage : numpy.ndarray of shape (n_slots, n_stations)
        Chance that each station is worked on each slot.

    Returns
    -------
    float
        Bits by team and slot: 0 where it is known, log2 of the stations where each is as likely.

    Examples
    --------
    >>> measure_entropy(np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]]))
    0.5
    """
    teams = coverage.sum(axis=1, keepdims=True)
    share = coverage / np.where(teams > 0, teams, 1.0)
    logs = np.log2(np.where(share > 0, share, 1.0))
    # 0.0 is added so that none is not -0.0.
    return float(np.average(-(share * logs).sum(axis=1), weights=np.maximum(teams[:, 0], 1e-300))) + 0.0
