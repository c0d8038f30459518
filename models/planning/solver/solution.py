"""What the solver found for a programme, and what of it each slot of each day has."""

from __future__ import annotations

from dataclasses import dataclass

from models.planning.problem import Choice, Setting, fold_days

__all__ = ["Solution", "unfold_days"]


@dataclass(frozen=True)
class Solution:
    """
    What the solver found.

    Attributes
    ----------
    chosen : Choice
        For each slot, the work of each team.
    value : float
        Worth met, exact for the choice.
    bound : float
        No choice meets more.
    is_feasible : bool
        False where the rules contradict each other; the rest is then empty.
    seconds : float
        Time taken.
    """

    chosen: Choice
    value: float
    bound: float
    is_feasible: bool
    seconds: float

    @property
    def gap(self) -> float:
        """Share of the bound that may still be missed."""
        return max(0.0, 1.0 - self.value / self.bound) if self.bound > 0 else 0.0


def unfold_days(setting: Setting, solution: Solution) -> Choice:
    """
    Give every slot of every day its answer.

    Parameters
    ----------
    setting : Setting
        The plan's setting.
    solution : Solution
        Answer of the programme.

    Returns
    -------
    Choice
        Work of each team on every slot of every day.
    """
    n_shifts = setting.n_shifts
    n_answers = len(solution.chosen) // n_shifts
    kinds = setting.kind_of_day
    # As many days were kept apart as make so many answers.
    folds = (fold_days(kinds, n_apart=n) for n in range(setting.rules.n_days + 1))
    answers = next(days for days in folds if len(days) == n_answers)
    answer_of = {day: k for k, days in enumerate(answers) for day in days}
    return tuple(
        solution.chosen[answer_of[day] * n_shifts + k] for day in range(setting.rules.n_days) for k in range(n_shifts)
    )
