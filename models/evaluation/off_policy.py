r"""
What another plan would have found, from the log of the plan that was drawn: doubly robust (Dudik and others [1]_).

In come cells (a station, a shift, a week), each with the finds an hour that the model predicted and the chance with
which the draw put a team there, and the visits made. Out comes the yield of the plan as drawn, of a target plan given
by its own chances, and their difference. With :math:`p_c h_c` the team-hours that the draw gave a cell on average,
:math:`t_c` those of the target and :math:`\hat q_c` the finds predicted for an hour,

.. math:: \hat V = \sum_c t_c \hat q_c + \sum_v \frac{t_c}{\max(p_c, f)\, h_c} (y_v - h_v \hat q_c),

`v` the visits with their finds `y` and hours. It is unbiased where either the predictions or the chances are right, and
precise where the predictions are good. Chances and predictions must be those of before the visits: then it holds for a
plan that learns from week to week too, each week's error having mean 0 given all weeks before.

The standard error is that of the weekly sums of the second term, and no less than counts would vary that are Poisson
with means as predicted, scaled to one find more than there were: a log without a find does not show that there is none
to be had. The rest are departures from [1]_: finds are taken to be in proportion to hours within a cell, the chance has
a floor `f`, and a cell that the target works and the draw could not is left out of the estimate and told.

References
----------
.. [1] Dudik, M., Erhan, D., Langford, J. and Li, L. (2014). "Doubly robust policy evaluation and optimization."
   Statistical Science 29(4), 485-511. doi:10.1214/14-STS500
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm
from scipy.stats import t as student

from geo.errors import InputError, TableError, UsageError

__all__ = ["Comparison", "PlanYield", "estimate_plans"]

FloatArray = NDArray[np.float64]

_HIGH = 0.95
FLOOR = 0.02
_CELLS = ("week", "predicted_per_hour", "chance", "hours", "target_chance")
_VISITS = ("cell_id", "n_hours", "n_finds")


@dataclass(frozen=True)
class PlanYield:
    """
    What a plan yields, or a difference of two yields.

    Attributes
    ----------
    finds_per_week : float
        Finds of a week.
    standard_error, low, high : float
        Its standard error and 90 % interval.
    team_hours_per_week : float
        Hours at stations that it is of.
    finds_per_hour, finds_per_hour_error, finds_per_hour_low, finds_per_hour_high : float
        The same for an hour of a team.
    """

    finds_per_week: float
    standard_error: float
    low: float
    high: float
    team_hours_per_week: float
    finds_per_hour: float
    finds_per_hour_error: float
    finds_per_hour_low: float
    finds_per_hour_high: float


@dataclass(frozen=True)
class Comparison:
    """
    The plan as drawn beside a target plan.

    Attributes
    ----------
    drawn : PlanYield
        The plan as drawn.
    target : PlanYield
        The target, of its covered cells.
    gain : PlanYield
        Drawn less target. The finds of a week are null where the target is not wholly covered; those of an hour are
        of the covered cells.
    covered_share : float
        Share of the target's hours in cells that the draw could work; null where it has no hours.
    not_covered : pandas.DataFrame
        Cells that the target works and the draw could not: nothing is said of them.
    floored_share : float
        Share of the covered hours with a chance below the floor: there the predictions speak louder than the finds.
    n_weeks, n_visits : int
        Weeks, and visits.
    n_effective : float
        Visits that those of the log are worth for the target (Kish): the square of the sum of weights over the sum of
        squares.
    """

    drawn: PlanYield
    target: PlanYield
    gain: PlanYield
    covered_share: float
    not_covered: pd.DataFrame
    floored_share: float
    n_weeks: int
    n_visits: int
    n_effective: float


def estimate_plans(cells: pd.DataFrame, visits: pd.DataFrame, *, floor: float = FLOOR) -> Comparison:
    """
    Estimate what the plan as drawn and a target plan yield a week.

    Parameters
    ----------
    cells : pandas.DataFrame
        By ``cell_id``, every cell that the draw or the target could work: ``week``; ``predicted_per_hour``, finds an
        hour as predicted before the visits; ``chance`` with which the draw put a team there and ``hours``, those of a
        cell if it was drawn; ``target_chance`` and, where they differ, ``target_hours`` and
        ``target_predicted_per_hour``, for a target that is there at better or worse times.
    visits : pandas.DataFrame
        Visits: ``cell_id, n_hours, n_finds`` and, where it is not that of the cell's hours, ``n_predicted``, the finds
        predicted of the visit itself. A cell may have several.
    floor : float
        Least chance that a visit is weighed by, in [0, 1).

    Returns
    -------
    Comparison
        Yields, their difference, and what is not covered.

    Raises
    ------
    TableError
        If a column is missing, or a value null or out of range.
    InputError
        If there is no cell, or a visit lies in none that the draw could work.
    UsageError
        If the floor is out of range.

    Examples
    --------
    >>> cells = pd.DataFrame(
    ...     {
    ...         "week": [1, 1, 2, 2],
    ...         "predicted_per_hour": [0.1, 0.2, 0.1, 0.2],
    ...         "chance": 0.5,
    ...         "hours": 10.0,
    ...         "target_chance": [0.0, 1.0, 0.0, 1.0],
    ...     },
    ...     index=pd.Index(["A1", "B1", "A2", "B2"], name="cell_id"),
    ... )
    >>> visits = pd.DataFrame({"cell_id": ["A1", "B2"], "n_hours": 10.0, "n_finds": [1, 3]})
    >>> found = estimate_plans(cells, visits)
    >>> found.drawn.finds_per_week, found.target.finds_per_week
    (2.0, 3.0)
    """
    if not 0 <= floor < 1:
        msg = f"floor: is {floor!r}, expected a chance of 0 or more and less than 1. Give a small one, such as {FLOOR}."
        raise UsageError(msg)
    _require_cells(cells)
    of_visit = _require_visits(cells, visits)
    week, weeks = pd.factorize(cells["week"])
    predicted, chance, hours, target_chance = (cells[name].to_numpy(float) for name in _CELLS[1:])
    wanted = target_chance * _column(cells, "target_hours", hours)
    is_covered = (chance * hours > 0) & (wanted > 0)
    floored = np.maximum(chance, floor) * hours
    ratio = np.divide(wanted, floored, out=np.zeros_like(wanted), where=is_covered)
    n_expected = _column(visits, "n_predicted", visits["n_hours"].to_numpy(float) * predicted[of_visit])
    log = _Log(week, len(weeks), of_visit, n_expected, visits["n_finds"].to_numpy(float))
    exposed, covered = chance * hours, np.where(is_covered, wanted, 0.0)
    n_weeks = len(weeks)
    hours_drawn, hours_target = float(exposed.sum()) / n_weeks, float(covered.sum()) / n_weeks
    as_drawn = _Plan(float(exposed @ predicted), np.ones_like(ratio), hours_drawn)
    other = _Plan(
        float(covered @ _column(cells, "target_predicted_per_hour", predicted)),
        np.where(is_covered, ratio, 0.0),
        hours_target,
    )
    weight = ratio[of_visit]
    total = float(wanted.sum())
    return Comparison(
        drawn=_yield(log, as_drawn),
        target=_yield(log, other),
        gain=_gain(log, as_drawn, other, is_whole=not (wanted > covered).any()),
        covered_share=float(covered.sum()) / total if total > 0 else np.nan,
        not_covered=cells[(wanted > 0) & ~is_covered],
        floored_share=_share(covered[chance < floor].sum(), covered.sum()),
        n_weeks=n_weeks,
        n_visits=len(visits),
        n_effective=_share(float(weight.sum()) ** 2, float(weight @ weight)),
    )


@dataclass(frozen=True)
class _Plan:
    """Finds predicted of a plan over all weeks, the weight of a visit in each cell, and its hours of a week."""

    n_predicted: float
    weight: FloatArray
    hours: float

    def less(self, other: _Plan) -> _Plan:
        return _Plan(self.n_predicted - other.n_predicted, self.weight - other.weight, self.hours - other.hours)

    def of_an_hour(self) -> _Plan:
        return _Plan(self.n_predicted / self.hours, self.weight / self.hours, 1.0)


@dataclass(frozen=True)
class _Log:
    """The visits: where, what was predicted of each, and what was found."""

    week: NDArray[np.int64]
    n_weeks: int
    of_visit: NDArray[np.int64]
    n_expected: FloatArray
    n_finds: FloatArray

    def sum_up(self, plan: _Plan) -> tuple[float, float]:
        """Finds a week of a plan, and their standard error."""
        weight = plan.weight[self.of_visit]
        by_week = np.bincount(
            self.week[self.of_visit], weights=weight * (self.n_finds - self.n_expected), minlength=self.n_weeks
        )
        value = (plan.n_predicted + float(by_week.sum())) / self.n_weeks
        variance = float(by_week.var(ddof=1)) * self.n_weeks if self.n_weeks > 1 else 0.0
        # Where nothing was found all weeks agree, and yet not for certain.
        total = float(self.n_expected.sum())
        scale = (float(self.n_finds.sum()) + 1.0) / total if total > 0 else 0.0
        variance = max(variance, scale * float(weight**2 @ self.n_expected))
        return value, float(np.sqrt(variance)) / self.n_weeks

    @property
    def reach(self) -> float:
        """Standard errors from the middle of a 90 % interval to its ends."""
        return float(student.ppf(_HIGH, self.n_weeks - 1) if self.n_weeks > 1 else norm.ppf(_HIGH))


def _yield(log: _Log, plan: _Plan) -> PlanYield:
    """Its finds of a week, and the same for an hour."""
    if not plan.hours > 0:
        return _put_together(None, None, plan.hours, log.reach)
    return _put_together(log.sum_up(plan), log.sum_up(plan.of_an_hour()), plan.hours, log.reach)


def _gain(log: _Log, drawn: _Plan, target: _Plan, *, is_whole: bool) -> PlanYield:
    """Drawn less target, one log telling of both: errors that they share cancel."""
    less = drawn.less(target)
    if not (drawn.hours > 0 and target.hours > 0):
        return _put_together(None, None, less.hours, log.reach)
    an_hour = drawn.of_an_hour().less(target.of_an_hour())
    return _put_together(log.sum_up(less) if is_whole else None, log.sum_up(an_hour), less.hours, log.reach)


def _put_together(
    a_week: tuple[float, float] | None, an_hour: tuple[float, float] | None, hours: float, reach: float
) -> PlanYield:
    value, error = a_week or (np.nan, np.nan)
    each, its_error = an_hour or (np.nan, np.nan)
    return PlanYield(
        finds_per_week=value,
        standard_error=error,
        low=value - reach * error,
        high=value + reach * error,
        team_hours_per_week=hours,
        finds_per_hour=each,
        finds_per_hour_error=its_error,
        finds_per_hour_low=each - reach * its_error,
        finds_per_hour_high=each + reach * its_error,
    )


def _column(table: pd.DataFrame, name: str, otherwise: FloatArray) -> FloatArray:
    return table[name].to_numpy(dtype=float) if name in table.columns else otherwise


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else 0.0


def _require_cells(cells: pd.DataFrame) -> None:
    if cells.empty:
        msg = "cells: there is none, expected a station, a shift and a week or more. Give those that a draw could work."
        raise InputError(msg)
    missing = [name for name in _CELLS if name not in cells.columns]
    found = [f"column {name!r} is missing" for name in missing]
    if not cells.index.is_unique:
        found.append(f"cell_id {cells.index[cells.index.duplicated()][0]!r} stands twice")
    for name, most in (("chance", 1.0), ("target_chance", 1.0), ("predicted_per_hour", np.inf), ("hours", np.inf)):
        found += _out_of_range(cells, name, most)
    for name in ("target_hours", "target_predicted_per_hour"):
        found += _out_of_range(cells, name, np.inf)
    if found:
        msg = (
            f"cells: {'; '.join(found[:3])}, expected one row a cell_id with {', '.join(_CELLS)}, chances in [0, 1] "
            "and the others 0 or more. Mend them."
        )
        raise TableError(msg)


def _require_visits(cells: pd.DataFrame, visits: pd.DataFrame) -> NDArray[np.int64]:
    """The row of the cell of each visit."""
    found = [f"column {name!r} is missing" for name in _VISITS if name not in visits.columns]
    for name in (*_VISITS[1:], "n_predicted"):
        found += _out_of_range(visits, name, np.inf)
    if found:
        msg = (
            f"visits: {'; '.join(found[:3])}, expected {', '.join(_VISITS)}, the numbers 0 or more. Leave out visits "
            "whose finds were not written down."
        )
        raise TableError(msg)
    at = cells.index.get_indexer(pd.Index(visits["cell_id"]))
    lost = (at < 0) | ~(cells["chance"].to_numpy(float)[at] > 0)
    if lost.any():
        names = visits["cell_id"][lost].drop_duplicates().tolist()
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        msg = (
            f"visits: {int(lost.sum())} of {len(visits)} lie in cells that the draw could not work ({names[:3]!r}"
            f"{more}), expected a chance above 0 for each. Leave out visits that were not drawn, such as those of "
            "intelligence, or mend the chances."
        )
        raise InputError(msg)
    return np.asarray(at, dtype=np.int64)


def _out_of_range(table: pd.DataFrame, name: str, most: float) -> list[str]:
    if name not in table.columns:
        return []
    values = table[name].to_numpy(dtype=float, na_value=np.nan)
    odd = ~((values >= 0) & (values <= most) & np.isfinite(values))
    return [f"column {name!r} is {float(values[odd][0])!r} at {table.index[odd][0]!r}"] if odd.any() else []
