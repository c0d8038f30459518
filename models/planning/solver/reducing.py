"""
A programme made smaller before it is solved: duties that no better choice holds are left out.

The linear relaxation is solved with the planes that were lowest at its last answers. Its prices say what it would cost
to force a duty in, and a duty that would take the bound below a choice at hand is out [1]_. What is left sees fewer
stations, so many patterns become one, and the next round is cheaper.

References
----------
.. [1] Crowder, H., Johnson, E. L. and Padberg, M. (1983). "Solving large-scale zero-one linear programming problems."
   Operations Research 31(5), 803-834.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from models.planning.problem import Choice, Duties, Programme, Work, fold_rows
from models.planning.solver.limits import stack_rows
from models.planning.solver.relaxing import Point, Relaxation, relax_programme

__all__ = ["Narrowed", "narrow_programme"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

# A choice is better only if it meets this share more.
_SAME = 1e-9
_ROUNDS = 12
# Rounds end once the bound falls by less than this share of its gap and no duty goes.
_WORTHWHILE = 0.05


@dataclass(frozen=True)
class Narrowed:
    """
    What is left of a programme.

    Attributes
    ----------
    relaxation : Relaxation
        Of the open duties.
    duties : tuple of numpy.ndarray
        Open duties of each slot, as numbered in the whole programme.
    points : list of tuple of numpy.ndarray
        How far each open duty was chosen, by slot, where planes were added.
    bound : float
        No choice meets more than this, or than what was at hand.
    """

    relaxation: Relaxation
    duties: tuple[IntArray, ...]
    points: list[Point]
    bound: float

    def number_duties(self, choice: Choice) -> Choice:
        """
        Number the duties of a choice as in the whole programme.

        Parameters
        ----------
        choice : Choice
            For each slot, the work of each team, duties numbered as those that are open.

        Returns
        -------
        Choice
            The same work, duties numbered as in the whole programme.
        """
        return tuple(
            tuple(Work(work.group, int(numbers[work.duty])) for work in teams)
            for numbers, teams in zip(self.duties, choice, strict=True)
        )


def narrow_programme(relaxation: Relaxation, *, at_hand: float, until: float) -> Narrowed:
    """
    Leave out the duties that no better choice holds.

    Parameters
    ----------
    relaxation : Relaxation
        Of the whole programme.
    at_hand : float
        Worth met by a choice that is allowed; minus infinity where none is known.
    until : float
        Instant of `time.perf_counter` at which it stops.

    Returns
    -------
    Narrowed
        The smaller programme.
    """
    programme = relaxation.programme
    duties = tuple(np.arange(len(slot.duties.stops)) for slot in programme.slots)
    n_teams = sum(group.n_teams for group in programme.groups)
    points: list[Point] = [tuple(np.full(numbers.size, min(n_teams / numbers.size, 1.0)) for numbers in duties)]
    bound = np.inf
    for _ in range(_ROUNDS):
        planes = relaxation.list_planes(relaxation.find_lowest(points))
        found = relaxation.relax(stack_rows([relaxation.rules, planes]), until - time.perf_counter())
        if found is None:
            break
        floor = max(at_hand, 0.0)
        is_lower = found.bound - floor < (1.0 - _WORTHWHILE) * (bound - floor)
        bound = min(bound, found.bound)
        points.append(relaxation.count_teams(found.point))
        # What is met at most with each duty, by the group that makes most of it.
        most = [found.bound + np.minimum(price, 0.0).max(axis=0) for price in relaxation.by_duty(found.price)]
        keep = [with_it >= at_hand * (1.0 - _SAME) for with_it in most]
        if not all(kept.all() for kept in keep):
            relaxation = relax_programme(_restrict(relaxation.programme, keep))
            duties = tuple(numbers[kept] for numbers, kept in zip(duties, keep, strict=True))
            points = [tuple(part[kept] for part, kept in zip(point, keep, strict=True)) for point in points]
        elif not is_lower:
            break
    return Narrowed(relaxation, duties, points, bound)


def _restrict(programme: Programme, keep: list[BoolArray]) -> Programme:
    """The programme with these duties only, and patterns that they meet alike taken as one."""
    slots = []
    for slot, kept in zip(programme.slots, keep, strict=True):
        duties = slot.duties
        patterns = fold_rows(sparse.csr_matrix(duties.hazard[:, kept]))
        stops = tuple(duties.stops[k] for k in np.flatnonzero(kept).tolist())
        fewer = Duties(stops, duties.presence[:, kept], patterns.rows, duties.travel_min[kept])
        slots.append(replace(slot, duties=fewer, worth=patterns.sum_worth(slot.worth)))
    return replace(programme, slots=tuple(slots))
