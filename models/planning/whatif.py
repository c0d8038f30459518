"""What if: the fewest teams that meet a share, and what a change made by hand does to value and unpredictability."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from geo.errors import UsageError
from geo.schema import validate
from geo.tables import PLAN
from models.planning.choice import choose_greedily
from models.planning.plan import InterceptionPlan
from models.planning.programme import Programme
from models.planning.rosters import measure_entropy
from models.planning.setting import Setting
from models.planning.shifts import DAYS_PER_MONTH
from models.planning.solving import solve_programme
from models.planning.standings import judge_duties

__all__ = ["Override", "TeamsNeeded", "find_minimum_teams", "judge_override"]

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


@dataclass(frozen=True)
class Override:
    """
    A plan changed by hand, beside the plan that was drawn.

    Attributes
    ----------
    met_share, met_share_evading, entropy_bits : float
        As changed.
    met_share_change, met_share_evading_change, entropy_bits_change : float
        Less the drawn plan's.
    n_changed : int
        Team shifts that differ.
    warning : str or None
        What the change costs, in numbers; None where it costs nothing.
    """

    met_share: float
    met_share_evading: float
    entropy_bits: float
    met_share_change: float
    met_share_evading_change: float
    entropy_bits_change: float
    n_changed: int
    warning: str | None


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
    most = _share_met_by(setting, n_stations, exactly=False, time_limit_s=time_limit_s)[0]
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
        met, bound = _share_met_by(setting, middle, exactly=False, time_limit_s=time_limit_s)
        if met < target_share <= bound:
            met, bound = _share_met_by(setting, middle, exactly=True, time_limit_s=time_limit_s)
        if met >= target_share - _SAME:
            high = middle
        else:
            low, low_share = middle, bound
    met, _ = _share_met_by(setting, high, exactly=True, time_limit_s=time_limit_s)
    return TeamsNeeded(high, met, low_share, low_share < target_share)


def judge_override(plan: InterceptionPlan, table: pd.DataFrame) -> Override:
    """
    Judge a roster that was changed by hand.

    Parameters
    ----------
    plan : InterceptionPlan
        The plan as drawn.
    table : pandas.DataFrame
        Table `geo.tables.PLAN` with other stations in some rows, or rows added or left out.

    Returns
    -------
    Override
        With a warning where the change meets less or is easier to guess. A slot that was touched is taken as known.

    Raises
    ------
    UsageError
        If a row names a station, day or shift that the plan does not have.
    """
    validate(table, PLAN)
    setting = plan.setting
    before, after = _duties_by_slot(setting, plan.table), _duties_by_slot(setting, table)
    judged = judge_duties(setting, after)
    coverage = plan.coverage.copy()
    n_changed = 0
    for s, (old, new) in enumerate(zip(before, after, strict=True)):
        if sorted(old) == sorted(new):
            continue
        n_changed += max(len(set(old) - set(new)), len(set(new) - set(old)))
        coverage[s] = 0.0
        for duty in new:
            coverage[s, list(setting.slots[s].duties.stops[duty])] = 1.0
    entropy = measure_entropy(coverage)
    drawn = plan.summary
    changes = (
        judged.met_share - drawn.met_share,
        judged.met_share_evading - drawn.met_share_evading,
        entropy - drawn.entropy_bits,
    )
    warning = None
    if n_changed and min(changes) < -_SAME:
        warning = (
            f"The change of {n_changed} team shifts weakens the plan: met {drawn.met_share:.4f} -> "
            f"{judged.met_share:.4f} of rail trips, {drawn.met_share_evading:.4f} -> {judged.met_share_evading:.4f} "
            f"once couriers respond, unpredictability {drawn.entropy_bits:.2f} -> {entropy:.2f} bits a team and shift."
        )
    return Override(judged.met_share, judged.met_share_evading, entropy, *changes, n_changed, warning)


def _share_met_by(setting: Setting, n_teams: int, *, exactly: bool, time_limit_s: float) -> tuple[float, float]:
    """Share of rail trips that so many teams meet, and the most they could."""
    everywhere = np.ones(len(setting.encounters.station_ids), dtype=bool)
    group = replace(setting.groups[0], n_teams=n_teams, may_work=everywhere, n_crews=None)
    of = setting.shift_slot_of
    slots = tuple(replace(slot, n_alike=of.count(k)) for k, slot in enumerate(setting.shift_slots))
    programme = Programme(slots, (group,))
    whole = setting.encounters.rail_worth() * setting.rules.n_days / DAYS_PER_MONTH or 1.0
    _, value = choose_greedily(programme)
    if not exactly:
        # The guarantee is for single stations; tours that share a platform exclude each other.
        is_single = all(len(tour) == 1 for slot in setting.shift_slots for tour in slot.duties.stops)
        return value / whole, value / whole / _GREED if is_single else np.inf
    solution = solve_programme(programme, time_limit_s=time_limit_s)
    return max(value, solution.value) / whole, solution.bound / whole


def _duties_by_slot(setting: Setting, table: pd.DataFrame) -> list[list[int]]:
    """Duties of each slot, from the stops of each team."""
    row_of = {station: k for k, station in enumerate(setting.encounters.station_ids)}
    names = [shift if isinstance(shift, str) else shift.name for shift in setting.rules.shifts]
    duties: list[list[int]] = [[] for _ in setting.slots]
    for (day, shift, team), rows in table.groupby(["day", "shift", "team"], sort=True):
        number = int(str(day))
        is_planned = shift in names and 1 <= number <= setting.rules.n_days
        known = is_planned and rows["station_id"].isin(row_of).all()
        slot = (number - 1) * len(names) + names.index(str(shift)) if known else 0
        stops = {row_of[station] for station in rows["station_id"]} if known else set()
        found = [k for k, tour in enumerate(setting.slots[slot].duties.stops) if set(tour) == stops]
        if not known or not found:
            msg = (
                f"plan: {team!r} on day {day} {shift!r} is sent to {', '.join(map(repr, rows['station_id']))}, "
                "expected stations that may be worked, in one tour, on a shift of the plan. Mend that row."
            )
            raise UsageError(msg)
        duties[slot].append(found[0])
    return duties
