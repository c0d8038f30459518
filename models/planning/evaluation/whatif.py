"""What if: the fewest teams that meet a share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from geo.errors import UsageError
from models.planning.evaluation.report import InterceptionPlan
from models.planning.problem import DAYS_PER_MONTH, Programme, Setting
from models.planning.solver import choose_greedily, solve_programme

__all__ = ["TeamsNeeded", "find_minimum_teams"]

# Greed meets at least this share of the best (Nemhauser, Wolsey and Fisher 1978).
_GREED = 1.0 - np.exp(-1.0)
_SAME = 1e-9


@dataclass(frozen=True)
class TeamsNeeded:
    """
    The fewest teams that meet a share.

    Attributes
    ----------
    n_teams : int
        Teams on each shift.
    met_share : float
        Share of rail trips that they meet, if couriers stay as they are.
    share_with_one_fewer : float
        The most that one team fewer can meet: below the target where the answer is proven.
    is_proven : bool
        Whether it is below.
    """

    n_teams: int
    met_share: float
    share_with_one_fewer: float
    is_proven: bool


class _Reach(NamedTuple):
    """Share of rail trips that a number of teams meets, and the most it could."""

    met_share: float
    bound_share: float


def find_minimum_teams(plan: InterceptionPlan, *, target_share: float, time_limit_s: float = 20.0) -> TeamsNeeded:
    """
    Find the fewest teams on a shift that meet a share of the rail trips.

    Parameters
    ----------
    plan : InterceptionPlan
        For its railway, shifts and chances; its teams, musts and rest are left aside.
    target_share : float
        Share of all rail trips of the plan's days, in (0, 1].
    time_limit_s : float
        Seconds for each number of teams that greed cannot decide.

    Returns
    -------
    TeamsNeeded
        The number, and the proof.

    Raises
    ------
    UsageError
        If a team at every station would not meet it; the message says what would be met.
    """
    setting = plan.setting
    n_stations = len(setting.encounters.station_ids)
    most = _share_met_by(setting, n_stations, exactly=False, time_limit_s=time_limit_s).met_share
    if not 0 < target_share <= most + _SAME:
        msg = (
            f"plan: target_share is {target_share!r}, but teams at all {n_stations} stations on every shift meet "
            f"{most:.3f} of the rail trips, expected a share above 0 and at most that. Ask for {most:.3f} or less, "
            "plan more shifts, or make more stations eligible."
        )
        raise UsageError(msg)
    low, high = 0, n_stations
    low_share = 0.0
    while high - low > 1:
        middle = (low + high) // 2
        reach = _share_met_by(setting, middle, exactly=False, time_limit_s=time_limit_s)
        if reach.met_share < target_share <= reach.bound_share:
            reach = _share_met_by(setting, middle, exactly=True, time_limit_s=time_limit_s)
        if reach.met_share >= target_share - _SAME:
            high = middle
        else:
            low, low_share = middle, reach.bound_share
    met_share = _share_met_by(setting, high, exactly=True, time_limit_s=time_limit_s).met_share
    return TeamsNeeded(high, met_share, low_share, low_share < target_share)


def _share_met_by(setting: Setting, n_teams: int, *, exactly: bool, time_limit_s: float) -> _Reach:
    """What so many teams meet; by greed and its guarantee where it need not be exact."""
    everywhere = np.ones(len(setting.encounters.station_ids), dtype=bool)
    group = replace(setting.groups[0], n_teams=n_teams, may_work=everywhere, n_crews=None)
    of = setting.shift_slot_of
    slots = tuple(replace(slot, n_alike=of.count(k)) for k, slot in enumerate(setting.shift_slots))
    programme = Programme(slots, (group,))
    whole = setting.encounters.rail_worth() * setting.rules.n_days / DAYS_PER_MONTH or 1.0
    value = choose_greedily(programme).value
    if not exactly:
        # The guarantee is for single stations; tours that share a platform exclude each other.
        is_single = all(len(tour) == 1 for slot in setting.shift_slots for tour in slot.duties.stops)
        return _Reach(value / whole, value / whole / _GREED if is_single else np.inf)
    solution = solve_programme(programme, time_limit_s=time_limit_s)
    return _Reach(max(value, solution.value) / whole, solution.bound / whole)
