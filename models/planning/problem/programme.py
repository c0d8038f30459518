"""The interception programme as data: slots, duties that may be worked on them, teams, and rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.planning.problem.duties import Duties

__all__ = [
    "Choice",
    "FlowShare",
    "Group",
    "Programme",
    "Slot",
    "TeamList",
    "Work",
    "duties_of",
    "is_alike",
    "measure_choice",
    "measure_value",
]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


class Work(NamedTuple):
    """
    What one team does on a slot.

    Attributes
    ----------
    group : int
        Position of its group among the groups.
    duty : int
        Position of its duty among those of the slot.
    """

    group: int
    duty: int


TeamList = tuple[Work, ...]
"""The work of each team on one slot."""
Choice = tuple[TeamList, ...]
"""A list for each slot."""
FlowShare = float | FloatArray
"""Share of trips that a slot sees: of all, or an array of shape (n_patterns,) with that of each pattern."""


@dataclass(frozen=True)
class Group:
    """
    Teams that may work the same stations.

    Attributes
    ----------
    name : str
        As on the roster.
    n_teams : int
        Teams on each slot.
    may_work : numpy.ndarray of shape (n_stations,)
        Its jurisdiction.
    n_crews : int or None
        Crews it has in all, where rest limits it.
    """

    name: str
    n_teams: int
    may_work: BoolArray
    n_crews: int | None = None


@dataclass(frozen=True)
class Slot:
    """
    One shift of one day, or of several days that are alike.

    Attributes
    ----------
    day : int
        Its day, from 0.
    duties : Duties
        What a team can do in it.
    worth : numpy.ndarray of shape (n_patterns,)
        What passes in it, by pattern.
    start_h, end_h : float
        Hours since the start of the plan.
    n_alike : int
        Slots that take the same answer.
    is_open : numpy.ndarray of shape (n_stations,) or None
        Whether a team can be of use at each station in it; at all where None.
    """

    day: int
    duties: Duties
    worth: FloatArray
    start_h: float
    end_h: float
    n_alike: int = 1
    is_open: BoolArray | None = None

    def may_work(self, group: Group) -> BoolArray:
        """
        Give the stations that a group may work in it.

        Parameters
        ----------
        group : Group
            Teams.

        Returns
        -------
        numpy.ndarray of shape (n_stations,)
            True in its jurisdiction where the station is open.
        """
        return group.may_work if self.is_open is None else group.may_work & self.is_open


@dataclass(frozen=True)
class Programme:
    """
    Slots, teams and rules.

    Attributes
    ----------
    slots : tuple of Slot
        What is to be filled.
    groups : tuple of Group
        Who fills it.
    must : tuple of int
        Stations to be worked at least once in all slots.
    rest_h : float
        Hours a crew has off after a slot.
    most_teams : int or None
        Teams on all slots together; None where only those of each slot are limited.
    """

    slots: tuple[Slot, ...]
    groups: tuple[Group, ...]
    must: tuple[int, ...] = ()
    rest_h: float = 0.0
    most_teams: int | None = None


def duties_of(teams: Sequence[Work]) -> list[int]:
    """
    Give the duties of teams, whichever group works them.

    Parameters
    ----------
    teams : sequence of Work
        Teams of one slot.

    Returns
    -------
    list of int
        In the order of the teams.

    Examples
    --------
    >>> duties_of([Work(group=0, duty=4), Work(group=1, duty=2)])
    [4, 2]
    """
    return [work.duty for work in teams]


def measure_choice(slots: Sequence[Slot], choice: Sequence[TeamList]) -> float:
    """
    Measure what a choice meets on all slots.

    Parameters
    ----------
    slots : sequence of Slot
        The slots.
    choice : sequence of TeamList
        A list for each of them.

    Returns
    -------
    float
        Worth met.
    """
    return float(sum(measure_value(slot, duties_of(teams)) for slot, teams in zip(slots, choice, strict=True)))


def measure_value(slot: Slot, duties: list[int]) -> float:
    """
    Measure what duties meet on a slot.

    Parameters
    ----------
    slot : Slot
        The slot.
    duties : list of int
        Duties worked, each once.

    Returns
    -------
    float
        Worth met, over all slots alike.
    """
    hazard = np.asarray(slot.duties.hazard[:, duties].sum(axis=1)).ravel()
    return float(slot.n_alike * (slot.worth @ -np.expm1(-hazard)))


def is_alike(slot: Slot, other: Slot) -> bool:
    """
    Say whether two slots take the same answer.

    Parameters
    ----------
    slot, other : Slot
        The slots.

    Returns
    -------
    bool
        Whether they offer the same duties at the same stations and see the same trips, but for a factor.
    """
    shut = [[] if s.is_open is None else np.flatnonzero(~s.is_open).tolist() for s in (slot, other)]
    if shut[0] != shut[1]:
        return False
    if slot.duties.hazard is not other.duties.hazard and (
        slot.duties.stops != other.duties.stops
        or slot.duties.hazard.shape != other.duties.hazard.shape
        or abs(slot.duties.hazard - other.duties.hazard).sum() > 0
    ):
        return False
    total, of_other = float(slot.worth.sum()), float(other.worth.sum())
    return total > 0 and of_other > 0 and np.allclose(slot.worth / total, other.worth / of_other, rtol=1e-12, atol=0)
