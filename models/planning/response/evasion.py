r"""
What couriers do next: they leave the routes on which they are met, for another station, another train, or the road.

A route on which a courier is met with chance :math:`d_r` becomes dearer by :math:`\lambda d_r` generalised minutes, and
trips divide again by the logit of `geo.corridors.routes.reassign_routes`. What couriers know is how often each station
is worked, not on which shift. The plan is then chosen anew against where they went, and so on: each answer is mixed
into the plan with weight 1/i (the method of successive averages), so plan and response settle on a fixed point, a mix
of stations rather than one list. Of all plans passed on the way, the one that meets most after the response is kept.

The elastic response follows the evasive flow-capturing problem in intent (Markovic, Ryzhov and Schonfeld [1]_), where
every route within a tolerance must be covered; a share of trips that shifts with cost replaces all or nothing.

References
----------
.. [1] Markovic, N., Ryzhov, I. O. and Schonfeld, P. (2015). "Evasive flow capture: Optimal location of
   weigh-in-motion systems, tollbooths, and security checkpoints." Networks 65(1), 22-42.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geo.corridors.choice import MODE_SCALE_PER_MIN
from geo.corridors.routes import reassign_routes
from models.planning.problem import MET_COST_MIN, Encounters, FlowShare, Group, Programme, Slot, TeamList
from models.planning.solver import choose_greedily

__all__ = [
    "N_ROUNDS",
    "Mix",
    "find_fixed_point",
    "mean_hazard",
    "respond",
    "share_met",
    "share_of_list",
]

FloatArray = NDArray[np.float64]

N_ROUNDS = 60


@dataclass(frozen=True)
class Mix:
    """
    How often each duty is worked.

    Attributes
    ----------
    share : tuple of numpy.ndarray of shape (n_groups, n_duties)
        For each shift, the chance that a group works each duty; a row sums to its teams at most.
    met_share : float
        Share of all rail worth met before couriers respond.
    met_share_evading : float
        Share of the same whole met after they have.
    change : float
        Largest change of a coverage in the last round: how far it had settled.
    """

    share: tuple[FloatArray, ...]
    met_share: float
    met_share_evading: float
    change: float


def share_of_list(slot: Slot, n_groups: int, teams: TeamList) -> FloatArray:
    """
    Write a list that is always worked as a mix.

    Parameters
    ----------
    slot : Slot
        A shift.
    n_groups : int
        Groups of teams.
    teams : TeamList
        The work of each team.

    Returns
    -------
    numpy.ndarray of shape (n_groups, n_duties)
        1 for the work on the list, 0 for all other.
    """
    share = np.zeros((n_groups, len(slot.duties.stops)))
    for work in teams:
        share[work] = 1.0
    return share


def mean_hazard(slot: Slot, share: FloatArray) -> FloatArray:
    """
    Measure the chance of being met by a mix of duties.

    Parameters
    ----------
    slot : Slot
        A shift.
    share : numpy.ndarray of shape (n_groups, n_duties)
        Chance of each duty.

    Returns
    -------
    numpy.ndarray of shape (n_patterns,)
        Hazard whose meeting share is that of duties drawn independently with these chances.
    """
    hazard = slot.duties.hazard
    part = hazard.copy()
    # The chance of passing a duty that is worked with chance q unmet is 1 - q (1 - e^-h).
    part.data = -np.log1p(share.sum(axis=0)[hazard.indices] * np.expm1(-hazard.data))
    total: FloatArray = np.asarray(part.sum(axis=1), dtype=float).ravel()
    return total


def respond(
    encounters: Encounters,
    met_share: FloatArray,
    *,
    met_cost_min: float = MET_COST_MIN,
    mode_scale_per_min: float = MODE_SCALE_PER_MIN,
) -> FloatArray:
    """
    Divide trips among routes once couriers know how often each is met.

    Parameters
    ----------
    encounters : Encounters
        Routes and patterns.
    met_share : numpy.ndarray of shape (n_patterns,)
        Chance of being met on each pattern, on a day like any other.
    met_cost_min : float
        Generalised minutes that being met for certain would be worth avoiding.
    mode_scale_per_min : float
        Logit scale between rail and road.

    Returns
    -------
    numpy.ndarray of shape (n_routes,)
        New probabilities.
    """
    seen = encounters.pattern_of_route
    penalty = np.where(seen >= 0, met_share[np.maximum(seen, 0)] if met_share.size else 0.0, 0.0)
    return reassign_routes(encounters.routes, met_cost_min * penalty, mode_scale_per_min=mode_scale_per_min)


def share_met(slots: Sequence[Slot], hazards: Sequence[FloatArray], flow_shares: Sequence[FlowShare]) -> FloatArray:
    """
    Average the chance of being met over the slots of a plan.

    Parameters
    ----------
    slots : sequence of Slot
        Slots, or shifts that stand for several.
    hazards : sequence of numpy.ndarray of shape (n_patterns,)
        Hazard of each pattern on each slot.
    flow_shares : sequence of FlowShare
        Share of the plan's trips made on each slot, all days together.

    Returns
    -------
    numpy.ndarray of shape (n_patterns,)
        Chance that a trip at any time of the plan is met.
    """
    total = np.zeros(slots[0].duties.hazard.shape[0])
    for hazard, share in zip(hazards, flow_shares, strict=True):
        total -= share * np.expm1(-hazard)
    return total


def find_fixed_point(
    encounters: Encounters,
    slots: tuple[Slot, ...],
    groups: tuple[Group, ...],
    flow_shares: tuple[FlowShare, ...],
    *,
    start: tuple[FloatArray, ...] | None = None,
    met_cost_min: float = MET_COST_MIN,
    mode_scale_per_min: float = MODE_SCALE_PER_MIN,
    n_rounds: int = N_ROUNDS,
) -> Mix:
    """
    Iterate plan and response.

    Parameters
    ----------
    encounters : Encounters
        Routes and patterns.
    slots : tuple of Slot
        One for each shift of a day.
    groups : tuple of Group
        Teams of a shift.
    flow_shares : tuple of FlowShare
        Share of all trips that are made in each shift.
    start : tuple of numpy.ndarray, optional
        Mix of the first round, such as the answer for couriers who do not respond; greed finds one where absent.
    met_cost_min, mode_scale_per_min : float
        As for `respond`.
    n_rounds : int
        Rounds.

    Returns
    -------
    Mix
        The plan that meets most after the response, among those of all rounds.
    """
    whole = encounters.rail_worth() or 1.0
    share = start or _best_reply(encounters, slots, groups, encounters.routes.probability, flow_shares)
    best: Mix | None = None
    change = np.inf
    for i in range(1, n_rounds + 1):
        met = share_met(slots, [mean_hazard(s, x) for s, x in zip(slots, share, strict=True)], flow_shares)
        probability = respond(encounters, met, met_cost_min=met_cost_min, mode_scale_per_min=mode_scale_per_min)
        before = float(encounters.worth_of_patterns(encounters.worth_of_routes()) @ met) / whole
        after = float(encounters.worth_of_patterns(encounters.worth_of_routes(probability)) @ met) / whole
        if best is None or after > best.met_share_evading:
            best = Mix(share, before, after, change)
        reply = _best_reply(encounters, slots, groups, probability, flow_shares)
        step = 1.0 / (i + 1)
        mixed = tuple((1 - step) * x + step * y for x, y in zip(share, reply, strict=True))
        change = max(float(np.abs(a - b).max()) for a, b in zip(mixed, share, strict=True))
        share = mixed
    return replace(best, change=change) if best is not None else Mix(share, 0.0, 0.0, change)


def _best_reply(
    encounters: Encounters,
    slots: tuple[Slot, ...],
    groups: tuple[Group, ...],
    probability: FloatArray,
    flow_shares: tuple[FlowShare, ...],
) -> tuple[FloatArray, ...]:
    """The greedy answer to where couriers go now, as a mix of ones and noughts."""
    worth = encounters.worth_of_patterns(encounters.worth_of_routes(probability))
    replies = []
    for slot, share in zip(slots, flow_shares, strict=True):
        # One share for all patterns changes no choice.
        passing = worth * share if isinstance(share, np.ndarray) else worth
        (teams,) = choose_greedily(Programme((replace(slot, worth=passing),), groups)).chosen
        replies.append(share_of_list(slot, len(groups), teams))
    return tuple(replies)
