r"""
The flow interception programme: which duties on which slots meet most, proven by a mixed-integer solver.

For slots s (a shift of a day), patterns r with worth :math:`w_r` and duties d with hazards :math:`h_{rd}`,

.. math:: \max \sum_s f_s \sum_r w_r (1 - e^{-u_{rs}}), \qquad u_{rs} = \sum_d h_{rd} x_{ds},

over :math:`x \in \{0, 1\}` with at most so many teams of each group on a slot, one team at a station at a time,
stations that must be worked at least once, and crews that rest between two slots. The meeting share is concave in u,
and submodular in the duties, and three steps find the best choice and prove it.

1. Greed and swaps (`greedy`) give a choice at hand.
2. The share of each pattern is bounded from above by the planes of `envelope`, the facets of the hull of what lists of
   duties meet [1]_. `reducing` adds those that the linear relaxation (`relaxing`) needs, and leaves out the duties that
   no better choice holds.
3. A branch and bound, HiGHS [2]_, chooses among the duties left. Where planes are not exact at its answer, which needs
   more than two chances of meeting in a slot, tangents of the share are added [3]_ until value and bound meet.

Departure: outer approximation in u alone is weak where detection is good, since a small part of a duty that meets
nearly all already counts as much as a whole one; the hull counts duties, so that half a duty meets at most half.

References
----------
.. [1] Nemhauser, G. L. and Wolsey, L. A. (1981). "Maximizing submodular set functions: formulations and analysis of
   algorithms." North-Holland Mathematics Studies 59, 279-301.
.. [2] Huangfu, Q. and Hall, J. A. J. (2018). "Parallelizing the dual revised simplex method." Mathematical Programming
   Computation 10(1), 119-142.
.. [3] Duran, M. A. and Grossmann, I. E. (1986). "An outer-approximation algorithm for a class of mixed-integer
   nonlinear programs." Mathematical Programming 36(3), 307-339.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp

from models.planning.problem import (
    Choice,
    Programme,
    Slot,
    TeamList,
    duties_of,
    is_alike,
    measure_choice,
    measure_value,
)
from models.planning.solver.greedy import choose_greedily, improve_choice, measure_marginals
from models.planning.solver.limits import Rows, stack_rows
from models.planning.solver.reducing import Narrowed, narrow_programme
from models.planning.solver.relaxing import Relaxation, relax_programme
from models.planning.solver.solution import Solution

__all__ = ["solve_programme"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_SAME = 1e-9
# The solver has all planes where they are at most so many; else only those that were lowest at some answer.
_MOST_PLANES = 20_000
# Share of the time that narrowing may take.
_NARROWING = 0.5
_INFEASIBLE = 2


class _Answer(NamedTuple):
    """The columns of the solver's answer, if it has one, its bound on all answers, and its status."""

    point: FloatArray | None
    bound: float
    status: int


def solve_programme(programme: Programme, *, time_limit_s: float = 60.0, gap_share: float = 1e-6) -> Solution:
    """
    Choose the duties that meet most.

    Slots that no must visit and no rest couples are solved one by one, and only once where they see the same trips.

    Parameters
    ----------
    programme : Programme
        Slots, teams and rules.
    time_limit_s : float
        Seconds after which the best choice so far is returned with its bound.
    gap_share : float
        Share of the bound below which the answer counts as proven.

    Returns
    -------
    Solution
        Choice, value and bound.
    """
    begun = time.perf_counter()
    is_coupled = bool(programme.must) or any(group.n_crews is not None for group in programme.groups)
    if programme.most_teams is not None and not is_coupled and len(programme.groups) == 1:
        return _share_teams(programme, time_limit_s, gap_share)
    if is_coupled or programme.most_teams is not None:
        return _solve_together(programme, time_limit_s, gap_share)
    solved: list[tuple[Slot, Solution]] = []
    parts = []
    for number, slot in enumerate(programme.slots):
        part = next((_scaled(slot, other, answer) for other, answer in solved if is_alike(slot, other)), None)
        if part is None:
            left_s = (time_limit_s - (time.perf_counter() - begun)) / (len(programme.slots) - number)
            part = _solve_together(replace(programme, slots=(slot,)), left_s, gap_share)
            solved.append((slot, part))
        parts.append(part)
    return Solution(
        tuple(choice for part in parts for choice in part.chosen),
        sum(part.value for part in parts),
        sum(part.bound for part in parts),
        all(part.is_feasible for part in parts),
        time.perf_counter() - begun,
    )


def _share_teams(programme: Programme, time_limit_s: float, gap_share: float) -> Solution:
    """
    The best division of a number of teams among slots that nothing else couples.

    Each slot is solved for every number of teams; the division is then exact by dynamic programming.
    """
    begun = time.perf_counter()
    (group,), most = programme.groups, programme.most_teams or 0
    n_most = min(group.n_teams, most // min(slot.n_alike for slot in programme.slots))
    alone = [
        solve_programme(
            replace(programme, groups=(replace(group, n_teams=n),), most_teams=None),
            time_limit_s=time_limit_s / n_most,
            gap_share=gap_share,
        )
        for n in range(1, n_most + 1)
    ]
    parts = [_measure_parts(programme, answer) for answer in alone]
    # best[k] is the most that the slots so far meet with k teams, and taken[s][k] what slot s has of them then.
    best, taken = np.zeros(most + 1), np.zeros((len(programme.slots), most + 1), dtype=np.int64)
    for s, slot in enumerate(programme.slots):
        before = best.copy()
        for n in range(1, n_most + 1):
            cost = n * slot.n_alike
            if cost > most:
                break
            with_them = np.concatenate([np.full(cost, -np.inf), before[: most + 1 - cost] + parts[n - 1][s]])
            is_better = with_them > best + _SAME * abs(parts[n - 1][s])
            best, taken[s] = np.where(is_better, with_them, best), np.where(is_better, n, taken[s])
    left = most
    chosen: list[TeamList] = [()] * len(programme.slots)
    for s in range(len(programme.slots) - 1, -1, -1):
        n = int(taken[s][left])
        chosen[s] = alone[n - 1].chosen[s] if n else ()
        left -= n * programme.slots[s].n_alike
    value = measure_choice(programme.slots, chosen)
    slack = sum(answer.bound - answer.value for answer in alone)
    return Solution(tuple(chosen), value, value + slack, is_feasible=True, seconds=time.perf_counter() - begun)


def _measure_parts(programme: Programme, answer: Solution) -> list[float]:
    """What an answer meets on each slot."""
    return [measure_value(slot, duties_of(teams)) for slot, teams in zip(programme.slots, answer.chosen, strict=True)]


def _scaled(slot: Slot, other: Slot, answer: Solution) -> Solution:
    """The answer of another slot, for this one's trips."""
    factor = float(slot.worth.sum() * slot.n_alike / (other.worth.sum() * other.n_alike))
    return replace(answer, value=answer.value * factor, bound=answer.bound * factor)


def _solve_together(programme: Programme, time_limit_s: float, gap_share: float) -> Solution:
    """The answer for all slots at once."""
    begun = time.perf_counter()
    whole = relax_programme(programme)
    # 1. A choice at hand.
    best = _begin(whole)
    # 2. Only duties that a better choice may hold.
    at_hand = best.value if best.is_feasible else -np.inf
    core = narrow_programme(whole, at_hand=at_hand, until=begun + _NARROWING * time_limit_s)
    best = replace(best, bound=max(core.bound, best.value))
    model = core.relaxation
    rows = [model.rules, model.list_planes(_choose_planes(core))]
    seconds = time.perf_counter() - begun
    # 3. The best of these, and the proof. An answer that comes again is as close as the solver's tolerances let it.
    inside: Choice | None = None
    before: set[Choice | None] = set()
    while not best.is_feasible or (best.gap > gap_share and seconds < time_limit_s and inside not in before):
        before.add(inside)
        answer = _solve(model, stack_rows(rows), max(time_limit_s - seconds, 0.1), gap_share)
        seconds = time.perf_counter() - begun
        # A choice outside the core meets at most the value at hand.
        best = replace(best, bound=max(min(answer.bound, best.bound), best.value))
        if answer.point is None:
            # Without a choice either nothing is allowed, or the time was too short to find the first one.
            best = replace(best, is_feasible=best.is_feasible or answer.status != _INFEASIBLE)
            break
        inside = model.read_choice(answer.point)
        chosen = core.number_duties(inside)
        value = measure_choice(programme.slots, chosen)
        if value > best.value or not best.is_feasible:
            best = replace(best, chosen=chosen, value=value, bound=max(best.bound, value), is_feasible=True)
        rows += [model.list_tangents(inside), model.list_planes(model.find_lowest([model.count_teams(answer.point)]))]
    return replace(best, seconds=seconds)


def _begin(whole: Relaxation) -> Solution:
    """A choice by greed and swaps, less the teams that add least until crews have their rest; infeasible if none is."""
    programme = whole.programme
    choice = choose_greedily(programme).chosen
    # Dropping teams helps against crews only.
    while any(group.n_crews is not None for group in programme.groups) and any(choice) and not whole.is_allowed(choice):
        lost = [
            (loss, s, k)
            for s, (slot, teams) in enumerate(zip(programme.slots, choice, strict=True))
            for k, loss in enumerate(measure_marginals(slot, duties_of(teams)).tolist())
        ]
        _, s, k = min(lost)
        choice = (*choice[:s], (*choice[s][:k], *choice[s][k + 1 :]), *choice[s + 1 :])
    if not whole.is_allowed(choice):
        return Solution(choice, 0.0, np.inf, is_feasible=False, seconds=0.0)
    better = improve_choice(programme, choice)
    chosen = tuple(tuple(sorted(teams)) for teams in better.chosen)
    return Solution(chosen, better.value, np.inf, is_feasible=True, seconds=0.0)


def _choose_planes(core: Narrowed) -> tuple[IntArray, ...]:
    """All planes where they are few; else those that were lowest at some point of the rounds before."""
    envelopes = core.relaxation.envelopes
    if sum(envelope.n_planes for envelope in envelopes) <= _MOST_PLANES:
        return tuple(np.arange(envelope.n_planes) for envelope in envelopes)
    return core.relaxation.find_lowest(core.points)


def _solve(model: Relaxation, rows: Rows, left_s: float, gap_share: float) -> _Answer:
    # The objective is scaled, since the solver's tolerances are absolute.
    scale = float(model.worth.sum()) or 1.0
    result = milp(
        -model.worth / scale,
        integrality=model.is_choice.astype(np.int64),
        bounds=Bounds(0.0, model.most),
        constraints=LinearConstraint(rows.matrix, -np.inf, rows.limit),
        options={"time_limit": left_s, "mip_rel_gap": gap_share / 2},
    )
    dual = getattr(result, "mip_dual_bound", None)
    bound = np.inf if dual is None or not np.isfinite(dual) else -float(dual) * scale
    return _Answer(None if result.x is None else np.asarray(result.x), bound, int(result.status))
