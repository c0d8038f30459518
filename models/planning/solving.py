r"""
The flow interception programme: which duties on which slots meet most, proven by a mixed-integer solver.

For slots s (a shift of a day), patterns r with worth :math:`w_r` and duties d with hazards :math:`h_{rd}`,

.. math:: \max \sum_s f_s \sum_r w_r (1 - e^{-u_{rs}}), \qquad u_{rs} = \sum_d h_{rd} x_{ds},

over :math:`x \in \{0, 1\}` with at most so many teams of each group on a slot, one team at a station at a time,
stations that must be worked at least once, and crews that rest between two slots. The meeting share is concave in u,
so it is replaced by :math:`t \le` its secants between the hazards that few teams can add up to, which is exact there,
and by tangents [1]_ added where an answer is not yet exact, until value and bound meet.

Departure: the source meets every trip with certainty; secants make imperfect detection exact in a linear programme.
The solver is HiGHS [2]_.

References
----------
.. [1] Duran, M. A. and Grossmann, I. E. (1986). "An outer-approximation algorithm for a class of mixed-integer
   nonlinear programs." Mathematical Programming 36(3), 307-339.
.. [2] Huangfu, Q. and Hall, J. A. J. (2018). "Parallelizing the dual revised simplex method." Mathematical Programming
   Computation 10(1), 119-142.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from models.planning.programme import Programme, Slot, Solution, is_alike, measure_value
from models.planning.reducing import reduce_slot

__all__ = ["solve_programme"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Hazards that teams add up to are listed, for exact secants, up to this many a pattern.
_MOST_LEVELS = 30
_SAME = 1e-9
# A hazard that misses one in a million million.
_SURE = 27.0
_INFEASIBLE = 2
# Slots with so few duties are not worth making smaller.
_SMALL = 12


@dataclass
class _Layout:
    """Where each slot's variables stand: choices (group by duty), then u and t of each pattern that can be met."""

    choice: list[int]
    patterns: list[IntArray]
    hazards: list[FloatArray]
    meets: list[int]
    size: int


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
            part = _solve_alone(replace(programme, slots=(slot,)), left_s, gap_share)
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
    alone = [
        solve_programme(
            replace(programme, groups=(replace(group, n_teams=n),), most_teams=None),
            time_limit_s=time_limit_s / group.n_teams,
            gap_share=gap_share,
        )
        for n in range(1, group.n_teams + 1)
    ]
    parts = [_measure_parts(programme, answer) for answer in alone]
    # best[k] is the most that the slots so far meet with k teams, and taken[s][k] what slot s has of them then.
    best, taken = np.zeros(most + 1), np.zeros((len(programme.slots), most + 1), dtype=np.int64)
    for s, slot in enumerate(programme.slots):
        before = best.copy()
        for n in range(1, group.n_teams + 1):
            cost = n * slot.n_alike
            if cost > most:
                break
            with_them = np.concatenate([np.full(cost, -np.inf), before[: most + 1 - cost] + parts[n - 1][s]])
            is_better = with_them > best + _SAME * abs(parts[n - 1][s])
            best, taken[s] = np.where(is_better, with_them, best), np.where(is_better, n, taken[s])
    left = most
    chosen: list[tuple[tuple[int, int], ...]] = [()] * len(programme.slots)
    for s in range(len(programme.slots) - 1, -1, -1):
        n = int(taken[s][left])
        chosen[s] = alone[n - 1].chosen[s] if n else ()
        left -= n * programme.slots[s].n_alike
    value = sum(measure_value(s, [d for _, d in c]) for s, c in zip(programme.slots, chosen, strict=True))
    slack = sum(answer.bound - answer.value for answer in alone)
    return Solution(tuple(chosen), value, value + slack, is_feasible=True, seconds=time.perf_counter() - begun)


def _measure_parts(programme: Programme, answer: Solution) -> list[float]:
    """What an answer meets on each slot."""
    return [measure_value(s, [d for _, d in c]) for s, c in zip(programme.slots, answer.chosen, strict=True)]


def _solve_alone(programme: Programme, time_limit_s: float, gap_share: float) -> Solution:
    """The answer for one slot, made smaller first where one group works single stations."""
    slot, group = programme.slots[0], programme.groups[0]
    is_plain = len(programme.groups) == 1 and all(len(tour) == 1 for tour in slot.duties.stops)
    if not is_plain or len(slot.duties.stops) <= _SMALL or slot.worth.sum() <= 0:
        return _solve_together(programme, time_limit_s, gap_share)
    begun = time.perf_counter()
    reduced = reduce_slot(slot, group, time_limit_s=time_limit_s / 20)
    if reduced is None:
        return _solve_together(programme, time_limit_s, gap_share)
    value = measure_value(slot, list(reduced.at_hand))
    if reduced.programme.groups[0].n_teams == 0:
        chosen = tuple((0, duty) for duty in reduced.decided)
        met = measure_value(slot, list(reduced.decided))
        return Solution((chosen,), met, max(met, value), is_feasible=True, seconds=time.perf_counter() - begun)
    left_s = time_limit_s - (time.perf_counter() - begun)
    core = _solve_together(reduced.programme, left_s, gap_share)
    duties = sorted([*reduced.decided, *(int(reduced.duties[duty]) for _, duty in core.chosen[0])])
    met = measure_value(slot, duties)
    if met < value:
        duties, met = list(reduced.at_hand), value
    # A list outside the core meets at most what was at hand.
    bound = max(core.bound + reduced.ground, met)
    chosen = tuple((0, duty) for duty in duties)
    return Solution((chosen,), met, bound, is_feasible=True, seconds=time.perf_counter() - begun)


def _scaled(slot: Slot, other: Slot, answer: Solution) -> Solution:
    """The answer of another slot, for this one's trips."""
    factor = float(slot.worth.sum() * slot.n_alike / (other.worth.sum() * other.n_alike))
    return replace(answer, value=answer.value * factor, bound=answer.bound * factor)


def _solve_together(programme: Programme, time_limit_s: float, gap_share: float) -> Solution:
    """The answer for all slots at once."""
    begun = time.perf_counter()
    layout = _lay_out(programme)
    cuts = [_first_cuts(programme, layout)]
    fixed = _rules(programme, layout)
    best = Solution(tuple(() for _ in programme.slots), 0.0, np.inf, is_feasible=True, seconds=0.0)
    while True:
        left_s = max(time_limit_s - (time.perf_counter() - begun), 0.1)
        found, bound, status = _solve(programme, layout, [*fixed, *cuts], left_s, gap_share)
        bound = min(bound, best.bound)
        if found is None:
            # Without a choice either nothing is allowed, or the time was too short to find the first one.
            return replace(best, bound=bound, is_feasible=status != _INFEASIBLE, seconds=time.perf_counter() - begun)
        chosen = _read_choice(programme, layout, found)
        value = sum(measure_value(s, [d for _, d in c]) for s, c in zip(programme.slots, chosen, strict=True))
        if value >= best.value:
            best = replace(best, chosen=chosen, value=value)
        seconds = time.perf_counter() - begun
        best = replace(best, bound=max(bound, best.value), seconds=seconds)
        added = _tangents(programme, layout, chosen)
        if best.bound - best.value <= gap_share * max(best.bound, _SAME) or added is None or seconds >= time_limit_s:
            return best
        cuts.append(added)


def _lay_out(programme: Programme) -> _Layout:
    layout = _Layout([], [], [], [], 0)
    for slot in programme.slots:
        layout.choice.append(layout.size)
        layout.size += len(programme.groups) * len(slot.duties.stops)
        met = np.flatnonzero((np.diff(slot.duties.hazard.indptr) > 0) & (slot.worth > 0))
        layout.patterns.append(met)
        layout.meets.append(layout.size)
        layout.size += 2 * met.size
    return layout


def _solve(
    programme: Programme, layout: _Layout, constraints: list[LinearConstraint], left_s: float, gap_share: float
) -> tuple[FloatArray | None, float, int]:
    """One answer of the solver, a bound on all answers, and its status."""
    objective = np.zeros(layout.size)
    integer = np.zeros(layout.size, dtype=np.int64)
    upper = np.ones(layout.size)
    for slot, first, meets, met in zip(programme.slots, layout.choice, layout.meets, layout.patterns, strict=True):
        integer[first:meets] = 1
        for g, group in enumerate(programme.groups):
            may_work = slot.may_work(group)
            allowed = np.array([all(may_work[list(tour)]) for tour in slot.duties.stops])
            start = first + g * len(slot.duties.stops)
            upper[start : start + allowed.size] = allowed
        # Hazards may add up to anything; a meeting share, which stands after them, is at most 1.
        upper[meets : meets + met.size] = np.inf
        objective[meets + met.size : meets + 2 * met.size] = -slot.worth[met] * slot.n_alike
    # The objective is scaled, since the solver's tolerances are absolute.
    scale = float(np.abs(objective).sum()) or 1.0
    result = milp(
        objective / scale,
        integrality=integer,
        bounds=Bounds(0.0, upper),
        constraints=constraints,
        options={"time_limit": left_s, "mip_rel_gap": gap_share / 2},
    )
    dual = getattr(result, "mip_dual_bound", None)
    bound = np.inf if dual is None or not np.isfinite(dual) else -float(dual) * scale
    return (None if result.x is None else np.asarray(result.x)), bound, int(result.status)


def _rules(programme: Programme, layout: _Layout) -> list[LinearConstraint]:
    """Hazards add up; teams, stations, musts and crews keep their limits."""
    rules: list[LinearConstraint] = []
    for slot, first, meets, met in zip(programme.slots, layout.choice, layout.meets, layout.patterns, strict=True):
        n_duties, n_groups = len(slot.duties.stops), len(programme.groups)
        every = sparse.hstack([slot.duties.hazard[met]] * n_groups, format="csr")
        minus = -sparse.identity(met.size, format="csr")
        rules.append(_row_block(layout.size, [(first, every), (meets, minus)], 0.0, 0.0))
        at_station = (slot.duties.presence > 0).astype(float).tocsr()
        once = sparse.hstack([at_station] * n_groups, format="csr")
        rules.append(_row_block(layout.size, [(first, once)], -np.inf, 1.0))
        for g, group in enumerate(programme.groups):
            teams = sparse.csr_matrix(np.ones((1, n_duties)))
            rules.append(_row_block(layout.size, [(first + g * n_duties, teams)], -np.inf, float(group.n_teams)))
    rules += [_must_rule(programme, layout, station) for station in programme.must]
    if programme.most_teams is not None:
        rules.append(_all_teams_rule(programme, layout, programme.most_teams))
    for g, group in enumerate(programme.groups):
        if group.n_crews is not None:
            rules += _crew_rules(programme, layout, g, group.n_crews)
    return rules


def _must_rule(programme: Programme, layout: _Layout, station: int) -> LinearConstraint:
    blocks = []
    for slot, first in zip(programme.slots, layout.choice, strict=True):
        here = (slot.duties.presence[[station], :] > 0).astype(float)
        blocks.append((first, sparse.hstack([here] * len(programme.groups), format="csr")))
    return _row_block(layout.size, blocks, 1.0, np.inf)


def _all_teams_rule(programme: Programme, layout: _Layout, most_teams: int) -> LinearConstraint:
    blocks = [
        (first, sparse.csr_matrix(np.full((1, len(programme.groups) * len(slot.duties.stops)), float(slot.n_alike))))
        for slot, first in zip(programme.slots, layout.choice, strict=True)
    ]
    return _row_block(layout.size, blocks, -np.inf, float(most_teams))


def _crew_rules(programme: Programme, layout: _Layout, g: int, n_crews: int) -> list[LinearConstraint]:
    """
    At each start of a slot, crews at work or resting are at most those there are.

    Work with rest after it is an interval, and as many crews as overlap at most can work all intervals.
    """
    rules = []
    for now in programme.slots:
        blocks = []
        for slot, first in zip(programme.slots, layout.choice, strict=True):
            if slot.start_h <= now.start_h < slot.end_h + programme.rest_h:
                n_duties = len(slot.duties.stops)
                blocks.append((first + g * n_duties, sparse.csr_matrix(np.ones((1, n_duties)))))
        rules.append(_row_block(layout.size, blocks, -np.inf, float(n_crews)))
    return rules


def _row_block(width: int, blocks: list[tuple[int, sparse.csr_matrix]], low: float, high: float) -> LinearConstraint:
    """Rows that hold the blocks, each from its first column on."""
    height = blocks[0][1].shape[0]
    coos = [(first, block.tocoo()) for first, block in blocks]
    row = np.concatenate([coo.row for _, coo in coos])
    column = np.concatenate([coo.col + first for first, coo in coos])
    value = np.concatenate([coo.data for _, coo in coos])
    return LinearConstraint(sparse.csr_matrix((value, (row, column)), shape=(height, width)), lb=low, ub=high)


def _first_cuts(programme: Programme, layout: _Layout) -> LinearConstraint:
    """Secants between the hazards that the teams of a slot can add up to; tangents where these are too many."""
    pattern, at_u, slope, height = [], [], [], []
    n_teams = sum(group.n_teams for group in programme.groups)
    for slot, meets, met in zip(programme.slots, layout.meets, layout.patterns, strict=True):
        hazard = slot.duties.hazard
        for k, row in enumerate(met.tolist()):
            levels = np.unique(hazard.data[hazard.indptr[row] : hazard.indptr[row + 1]])
            sums = _sums(levels, min(n_teams, hazard.indptr[row + 1] - hazard.indptr[row]))
            met_at = -np.expm1(-sums)
            steep = np.exp(-sums) if sums.size > _MOST_LEVELS + 1 else np.diff(met_at) / np.diff(sums)
            pattern += [meets + met.size + k] * steep.size
            at_u += [meets + k] * steep.size
            slope += steep.tolist()
            height += (met_at[: steep.size] - steep * sums[: steep.size]).tolist()
    return _cut_rows(layout.size, pattern, at_u, slope, height)


def _sums(levels: FloatArray, n_teams: int) -> FloatArray:
    """What up to so many hazards of these levels add up to; evenly spread points where these are too many."""
    sums = np.zeros(1)
    for _ in range(n_teams):
        more = np.unique(np.concatenate([sums, (sums[:, None] + levels).ravel()]))
        sums = more[np.concatenate([[True], np.diff(more) > _SAME])]
        # Beyond the first certain meeting nothing is added.
        sums = sums[: int(np.searchsorted(sums, _SURE)) + 1]
        if sums.size > _MOST_LEVELS:
            return np.linspace(0.0, n_teams * float(levels[-1]), _MOST_LEVELS + 2)
    return sums


def _tangents(
    programme: Programme, layout: _Layout, chosen: tuple[tuple[tuple[int, int], ...], ...]
) -> LinearConstraint | None:
    """Tangents at the hazards of a choice."""
    pattern, at_u, slope, height = [], [], [], []
    for slot, meets, met, teams in zip(programme.slots, layout.meets, layout.patterns, chosen, strict=True):
        hazard = np.asarray(slot.duties.hazard[met][:, [d for _, d in teams]].sum(axis=1)).ravel()
        some = np.flatnonzero(hazard > 0)
        steep = np.exp(-hazard[some])
        pattern += (meets + met.size + some).tolist()
        at_u += (meets + some).tolist()
        slope += steep.tolist()
        height += (1.0 - steep - steep * hazard[some]).tolist()
    return _cut_rows(layout.size, pattern, at_u, slope, height) if pattern else None


def _cut_rows(
    width: int, met_at: list[int], hazard_at: list[int], slope: list[float], height: list[float]
) -> LinearConstraint:
    """The rows t - slope u <= height."""
    n = len(met_at)
    row = np.concatenate([np.arange(n), np.arange(n)])
    column = np.array(met_at + hazard_at, dtype=np.int64)
    value = np.concatenate([np.ones(n), -np.array(slope)])
    return LinearConstraint(
        sparse.csr_matrix((value, (row, column)), shape=(n, width)), lb=-np.inf, ub=np.array(height)
    )


def _read_choice(programme: Programme, layout: _Layout, found: FloatArray) -> tuple[tuple[tuple[int, int], ...], ...]:
    chosen = []
    for slot, first, meets in zip(programme.slots, layout.choice, layout.meets, strict=True):
        on = np.flatnonzero(found[first:meets] > 0.5)
        chosen.append(tuple(divmod(int(k), len(slot.duties.stops)) for k in on))
    return tuple(chosen)
