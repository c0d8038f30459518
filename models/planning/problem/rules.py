"""The rules of a plan, as a user states them, and the programme they make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from geo.corridors.choice import MODE_SCALE_PER_MIN
from geo.errors import UsageError
from models.planning.problem.duties import MAX_TRAVEL_MIN, build_duties
from models.planning.problem.encounters import DETECTION_SHARE, ON_BOARD_FACTOR, Encounters
from models.planning.problem.programme import Group, Programme, Slot
from models.planning.problem.shifts import DAYS_PER_MONTH, HOURS_PER_DAY, Shift, build_shifts
from models.planning.problem.week import DAYS_PER_WEEK, WeekShares

__all__ = [
    "MET_COST_MIN",
    "PlanRules",
    "TeamGroup",
    "build_groups",
    "build_programme",
    "build_shift_slots",
    "fold_days",
    "place_slots",
]

MET_COST_MIN = 120.0  # ASSUMPTION: a courier would travel two hours longer rather than certainly be met


@dataclass(frozen=True)
class TeamGroup:
    """
    Teams with a jurisdiction.

    Attributes
    ----------
    name : str
        As on the roster.
    n_teams : int
        Teams on each shift.
    station_ids : tuple of str
        Stations they may work.
    n_crews : int or None
        Crews in all; None where rest does not limit them.
    """

    name: str
    n_teams: int
    station_ids: tuple[str, ...]
    n_crews: int | None = None


@dataclass(frozen=True)
class PlanRules:
    """
    What the user asks of a plan; the names are those of the [plan] settings.

    Attributes
    ----------
    n_teams : int
        Teams on each shift.
    n_days : int
        Days planned.
    shifts : tuple of str or Shift
        Shifts of a day.
    detection_share, on_board_factor : float
        As for `models.planning.problem.encounters.build_encounters`.
    must_visit, must_not_visit : tuple of str
        Stations to be worked at least once, and never.
    team_groups : tuple of TeamGroup
        Teams by jurisdiction; they replace `n_teams` where given.
    n_crews : int or None
        Crews in all, each with `rest_h` off after a shift; None where enough are at hand.
    rest_h : float
        Hours off between two shifts. The Working Time Regulations 1998, regulation 10, ask for 11 in each 24.
    stops_per_shift : int
        Most stations a team works in a shift.
    max_travel_min : float
        Longest ride between two of them.
    met_cost_min, mode_scale_per_min : float
        How couriers respond, as for `models.planning.response.evasion.respond`.
    n_team_shifts : int or None
        Most shifts that teams work in all, each team's counted; None where every team works every shift.
    needs_staff : bool
        Whether a shift is only planned where station staff are there throughout it, or nothing is known of staff.
    is_evasive : bool
        Whether the plan is chosen against couriers who respond; if not, the best fixed list is worked throughout.
    """

    n_teams: int = 3
    n_days: int = 7
    shifts: tuple[str | Shift, ...] = ("early", "late")
    detection_share: float = DETECTION_SHARE
    on_board_factor: float = ON_BOARD_FACTOR
    must_visit: tuple[str, ...] = ()
    must_not_visit: tuple[str, ...] = ()
    team_groups: tuple[TeamGroup, ...] = ()
    n_crews: int | None = None
    rest_h: float = 11.0
    stops_per_shift: int = 1
    max_travel_min: float = MAX_TRAVEL_MIN
    met_cost_min: float = MET_COST_MIN
    mode_scale_per_min: float = MODE_SCALE_PER_MIN
    n_team_shifts: int | None = None
    needs_staff: bool = False
    is_evasive: bool = True

    @property
    def shift_names(self) -> tuple[str, ...]:
        """Names of the shifts of a day, in their order."""
        return tuple(shift if isinstance(shift, str) else shift.name for shift in self.shifts)


def build_groups(rules: PlanRules, encounters: Encounters) -> tuple[Group, ...]:
    """
    Build the groups of teams.

    Parameters
    ----------
    rules : PlanRules
        Teams, by jurisdiction or all alike.
    encounters : Encounters
        Stations that may be worked.

    Returns
    -------
    tuple of Group
        At least one.

    Raises
    ------
    UsageError
        If there is no team or no day, or a group may work none of the stations.
    """
    given = rules.team_groups or (TeamGroup("team", rules.n_teams, encounters.station_ids, rules.n_crews),)
    groups = tuple(
        Group(g.name, g.n_teams, np.isin(encounters.station_ids, list(g.station_ids)), g.n_crews) for g in given
    )
    for group in groups:
        if group.n_teams < 1 or rules.n_days < 1 or not group.may_work.any():
            msg = (
                f"plan: {group.name!r} has {group.n_teams!r} teams for {rules.n_days!r} days and "
                f"{int(group.may_work.sum())} stations that may be worked, expected at least one of each. Raise them."
            )
            raise UsageError(msg)
    return groups


def build_shift_slots(
    rules: PlanRules,
    encounters: Encounters,
    *,
    travel_min: pd.DataFrame | None = None,
    week: WeekShares | None = None,
) -> tuple[Slot, ...]:
    """
    Build one slot for each shift of a day, or of each kind of day.

    Parameters
    ----------
    rules : PlanRules
        Shifts and stops.
    encounters : Encounters
        Patterns and what they carry.
    travel_min : pandas.DataFrame, optional
        From `models.planning.problem.duties.measure_team_travel`.
    week : WeekShares, optional
        Shares of the trips of a week by day and shift; without them days are alike and trips even over the service.

    Returns
    -------
    tuple of Slot
        In the order of the kinds of days and of the shifts, on day 0.
    """
    monthly = encounters.worth_of_patterns(encounters.worth_of_routes())
    shifts = build_shifts(rules.shifts)
    offered = [
        build_duties(
            encounters,
            shift,
            stops_per_shift=rules.stops_per_shift,
            travel_min=travel_min,
            max_travel_min=rules.max_travel_min,
        )
        for shift in shifts
    ]
    if week is None:
        return tuple(
            Slot(0, duties, monthly * shift.flow_share / DAYS_PER_MONTH, shift.start_h, shift.end_h)
            for shift, duties in zip(shifts, offered, strict=True)
        )
    weekly = monthly * DAYS_PER_WEEK / DAYS_PER_MONTH
    return tuple(
        Slot(
            0,
            duties,
            weekly * week.mean_pattern(week.days_of(kind), k),
            shift.start_h,
            shift.end_h,
            is_open=week.is_open[week.days_of(kind)[0], k],
        )
        for kind in range(week.n_kinds)
        for k, (shift, duties) in enumerate(zip(shifts, offered, strict=True))
    )


def build_programme(
    rules: PlanRules,
    encounters: Encounters,
    shift_slots: Sequence[Slot],
    groups: tuple[Group, ...],
    *,
    week: WeekShares | None = None,
) -> Programme:
    """
    Build the programme of all days, with days that must be alike taken as one.

    Where neither rest nor a number of shifts couples the days, at most as many of a kind differ as there are stations
    that must be visited.

    Parameters
    ----------
    rules : PlanRules
        Days, musts and rest.
    encounters : Encounters
        For the ids of the stations.
    shift_slots : sequence of Slot
        From `build_shift_slots`.
    groups : tuple of Group
        From `build_groups`.
    week : WeekShares, optional
        As for `build_shift_slots`; all days are of one kind where absent.

    Returns
    -------
    Programme
        Slots by day and shift; the alike days of a kind stand at the first of them.
    """
    row_of = {station: k for k, station in enumerate(encounters.station_ids)}
    must = tuple(row_of[station] for station in sorted(set(rules.must_visit)))
    is_coupled = any(group.n_crews is not None for group in groups) or rules.n_team_shifts is not None
    kinds = (0,) * rules.n_days if week is None else week.kind_of_day
    slots = [
        slot
        for days in fold_days(kinds, n_apart=rules.n_days if is_coupled else len(must))
        for slot in place_slots(encounters, shift_slots, days, week=week)
    ]
    return Programme(tuple(slots), groups, must, rules.rest_h, rules.n_team_shifts)


def place_slots(
    encounters: Encounters, shift_slots: Sequence[Slot], days: Sequence[int], *, week: WeekShares | None = None
) -> list[Slot]:
    """
    Place the shifts of days that take one answer on the first of them.

    Parameters
    ----------
    encounters : Encounters
        Patterns and what they carry.
    shift_slots : sequence of Slot
        From `build_shift_slots`.
    days : sequence of int
        Days, from 0.
    week : WeekShares, optional
        As for `build_shift_slots`.

    Returns
    -------
    list of Slot
        One a shift, with the mean of what passes on those days.
    """
    if week is None:
        return [_move(slot, days[0], len(days)) for slot in shift_slots]
    weekly = encounters.worth_of_patterns(encounters.worth_of_routes()) * DAYS_PER_WEEK / DAYS_PER_MONTH
    n_shifts = len(shift_slots) // week.n_kinds
    return [
        replace(
            _move(slot, days[0], len(days)),
            worth=weekly * week.mean_pattern(days, k),
            is_open=week.is_open[days[0], k],
        )
        for k, slot in enumerate(shift_slots[:n_shifts])
    ]


def fold_days(kinds: Sequence[int], *, n_apart: int) -> list[list[int]]:
    """
    Put days together that take the same answer.

    Parameters
    ----------
    kinds : sequence of int
        Kind of each day.
    n_apart : int
        Days of each kind that keep an answer of their own, the first ones.

    Returns
    -------
    list of list of int
        Days of each answer, in the order of their first days.

    Examples
    --------
    >>> fold_days([0, 0, 1, 1, 0], n_apart=1)
    [[0], [1, 4], [2], [3]]
    """
    answers: list[list[int]] = []
    for kind in sorted(set(kinds)):
        days = [day for day, own in enumerate(kinds) if own == kind]
        answers += [[day] for day in days[:n_apart]]
        if days[n_apart:]:
            answers.append(days[n_apart:])
    return sorted(answers)


def _move(slot: Slot, day: int, n_alike: int) -> Slot:
    start_h = slot.start_h + HOURS_PER_DAY * day
    return replace(slot, day=day, start_h=start_h, end_h=slot.end_h + HOURS_PER_DAY * day, n_alike=n_alike)
