"""From a user's rules to what the steps of a plan work on: patterns, slots, groups, programme; and their answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.corridors.routes import RouteSets
from geo.errors import UsageError
from geo.schema import validate
from geo.tables import STATIONS
from models.planning.encounters import Encounters, build_encounters
from models.planning.evasion import Mix, find_fixed_point
from models.planning.programme import Group, Programme, Slot, Solution
from models.planning.rules import (
    PlanRules,
    build_groups,
    build_programme,
    build_shift_slots,
    fold_days,
    place_slots,
    require_possible,
)
from models.planning.shifts import DAYS_PER_MONTH, build_shifts
from models.planning.week import DAYS_PER_WEEK, WeekShares, measure_week_shares

__all__ = [
    "Setting",
    "build_setting",
    "measure_coverage",
    "mix_duties",
    "number_tiers",
    "split_teams",
    "unfold_days",
]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Setting:
    """
    What every step of a plan works on.

    Attributes
    ----------
    rules : PlanRules
        What was asked.
    encounters : Encounters
        Patterns.
    groups : tuple of Group
        Teams.
    shift_slots : tuple of Slot
        One for each shift of a day; where there are hours, of each kind of day.
    programme : Programme
        What is solved; days that must be alike are one.
    slots : tuple of Slot
        Every shift of every day.
    week : WeekShares or None
        Shares of a week by day and shift; None where days are alike and trips even over the service.
    """

    rules: PlanRules
    encounters: Encounters
    groups: tuple[Group, ...]
    shift_slots: tuple[Slot, ...]
    programme: Programme
    slots: tuple[Slot, ...]
    week: WeekShares | None = None

    @property
    def n_shifts(self) -> int:
        """Shifts of a day."""
        return len(self.rules.shifts)

    @property
    def kind_of_day(self) -> tuple[int, ...]:
        """Kind of each day; one where days are alike."""
        return (0,) * self.rules.n_days if self.week is None else self.week.kind_of_day

    @property
    def shift_slot_of(self) -> tuple[int, ...]:
        """Position in `shift_slots` of the shift that each slot is."""
        return tuple(kind * self.n_shifts + k for kind in self.kind_of_day for k in range(self.n_shifts))

    @property
    def flow_shares(self) -> tuple[float | FloatArray, ...]:
        """Share of all trips of the plan's days that each slot sees, by pattern where there are hours."""
        if self.week is not None:
            share = self.week.by_pattern * DAYS_PER_WEEK / self.rules.n_days
            return tuple(share.reshape(len(self.slots), -1))
        per_day = self.encounters.worth_of_patterns(self.encounters.worth_of_routes()).sum()
        return tuple(float(s.worth.sum() / per_day * DAYS_PER_MONTH / self.rules.n_days) for s in self.slots)


def build_setting(
    routes: RouteSets,
    stations: pd.DataFrame,
    rules: PlanRules,
    eligible: tuple[str, ...] | None,
    travel_min: pd.DataFrame | None,
    worth: pd.Series | None,
    *,
    hours: pd.DataFrame | None = None,
    first_weekday: int = 0,
) -> Setting:
    """
    Build what the steps of a plan work on.

    Parameters
    ----------
    routes : RouteSets
        Listed routes.
    stations : pandas.DataFrame
        Table `geo.tables.STATIONS`.
    rules : PlanRules
        What was asked.
    eligible : tuple of str or None
        Stations that teams may work; those of the force area where absent.
    travel_min : pandas.DataFrame or None
        Minutes between stations.
    worth : pandas.Series or None
        By ``flow_id``, harm of a trip.
    hours : pandas.DataFrame, optional
        Table `geo.tables.STATION_HOURS`; without it days are alike and trips even over the service.
    first_weekday : int
        Weekday of the first day, 0 is Monday; of use with hours.

    Returns
    -------
    Setting
        Checked: the rules can be kept.

    Raises
    ------
    UsageError
        If they cannot.
    """
    validate(stations, STATIONS)
    may_work = set(stations.index[stations["is_in_force"]] if eligible is None else eligible)
    may_work &= set(routes.station_ids)
    for group in rules.team_groups:
        may_work |= set(group.station_ids) & set(routes.station_ids)
    unknown = sorted(set(rules.must_visit) - may_work)
    both = sorted(set(rules.must_visit) & set(rules.must_not_visit))
    if unknown or both:
        msg = (
            f"plan: must_visit holds {(both or unknown)[0]!r}, which "
            f"{'is in must_not_visit too' if both else 'no team may work or no train reaches'}, expected stations that "
            "may be worked. Take it out of one list, or make it eligible."
        )
        raise UsageError(msg)
    encounters = build_encounters(
        routes,
        may_work - set(rules.must_not_visit),
        detection_share=rules.detection_share,
        on_board_factor=rules.on_board_factor,
        worth=worth,
    )
    groups = build_groups(rules, encounters)
    week = None
    if hours is not None:
        shifts = build_shifts(rules.shifts)
        week = measure_week_shares(
            hours,
            encounters,
            shifts,
            n_days=rules.n_days,
            first_weekday=first_weekday,
            staffed_hours=stations["staffed_hours"] if _has_staff(rules, stations) else None,
        )
        _require_open(rules, encounters.station_ids, week)
    shift_slots = build_shift_slots(rules, encounters, travel_min=travel_min, week=week)
    programme = build_programme(rules, encounters, shift_slots, groups, week=week)
    require_possible(rules, encounters, programme)
    slots = tuple(s for day in range(rules.n_days) for s in place_slots(encounters, shift_slots, [day], week=week))
    return Setting(rules, encounters, groups, shift_slots, programme, slots, week)


def _has_staff(rules: PlanRules, stations: pd.DataFrame) -> bool:
    """Whether staff matter, and anything is known of them."""
    return rules.needs_staff and "staffed_hours" in stations.columns


def _require_open(rules: PlanRules, station_ids: tuple[str, ...], week: WeekShares) -> None:
    """Some station is open in some shift, and so is every one that must be visited."""
    ever = np.asarray(week.is_open.any(axis=(0, 1)), dtype=bool)
    shut = [s for s in sorted(set(rules.must_visit)) if not ever[station_ids.index(s)]]
    if shut or not ever.any():
        what = f"{shut[0]!r} of must_visit" if shut else f"any of {len(station_ids)} stations"
        why = "no train calls, or staff are not there throughout," if rules.needs_staff else "no train calls"
        msg = (
            f"plan: {why} at {what} in any shift of the {rules.n_days} days, expected a shift with "
            f"{'both' if rules.needs_staff else 'trains'}. Change plan.shifts"
            f"{' or set plan.needs_staff to false' if rules.needs_staff else ' or must_visit'}."
        )
        raise UsageError(msg)


def unfold_days(setting: Setting, solution: Solution) -> tuple[tuple[tuple[int, int], ...], ...]:
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
    tuple of tuple of (int, int)
        Group and duty of each team, by slot.
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


def _one_hot(slot: Slot, n_groups: int, teams: tuple[tuple[int, int], ...]) -> FloatArray:
    share = np.zeros((n_groups, len(slot.duties.stops)))
    for group, duty in teams:
        share[group, duty] = 1.0
    return share


def mix_duties(setting: Setting, ordinary: tuple[tuple[tuple[int, int], ...], ...]) -> Mix:
    """
    Mix the duties of each shift against couriers who respond.

    Parameters
    ----------
    setting : Setting
        The plan's setting.
    ordinary : tuple of tuple of (int, int)
        Best list of each shift on a day without must visits: the first round.

    Returns
    -------
    Mix
        By shift; that list where couriers are taken not to respond.
    """
    start = tuple(
        _one_hot(s, len(setting.groups), teams) for s, teams in zip(setting.shift_slots, ordinary, strict=True)
    )
    if not setting.rules.is_evasive:
        return Mix(start, np.nan, np.nan, 0.0)
    return find_fixed_point(
        setting.encounters,
        setting.shift_slots,
        setting.groups,
        _shares_of_shifts(setting),
        start=start,
        met_cost_min=setting.rules.met_cost_min,
        mode_scale_per_min=setting.rules.mode_scale_per_min,
    )


def _shares_of_shifts(setting: Setting) -> tuple[float | FloatArray, ...]:
    """Share of all trips made in each shift of each kind of day, on all days of it."""
    shares, of = setting.flow_shares, setting.shift_slot_of
    return tuple(shares[of.index(k)] * of.count(k) for k in range(len(setting.shift_slots)))


def split_teams(
    setting: Setting, by_slot: tuple[tuple[tuple[int, int], ...], ...], mix: Mix
) -> tuple[tuple[tuple[FloatArray, ...], ...], tuple[tuple[tuple[int, int], ...], ...], NDArray[np.int64]]:
    """
    Split the teams of each slot between must visits and the mix.

    Parameters
    ----------
    setting : Setting
        The plan's setting.
    by_slot : tuple of tuple of (int, int)
        Group and duty of each team, by slot.
    mix : Mix
        How often each duty is worked, by shift.

    Returns
    -------
    chances : tuple of tuple of numpy.ndarray of shape (n_duties,)
        By slot and group.
    must : tuple of tuple of (int, int)
        Group and duty by slot; each station once in all.
    n_working : numpy.ndarray of shape (n_slots, n_groups)
        Teams at work.
    """
    n_groups = len(setting.groups)
    waiting = set(setting.programme.must)
    must, n_working = [], np.zeros((len(setting.slots), n_groups), dtype=np.int64)
    is_limited = setting.rules.n_team_shifts is not None or any(g.n_crews is not None for g in setting.groups)
    for s, (slot, teams) in enumerate(zip(setting.slots, by_slot, strict=True)):
        visits = []
        for group, duty in teams:
            here = waiting & set(slot.duties.stops[duty])
            if here:
                visits.append((group, duty))
                waiting -= here
        must.append(tuple(visits))
        is_shut = slot.is_open is not None and not slot.is_open.any()
        if setting.week is not None and (is_shut or not slot.worth.any()):
            # Nobody is sent, not even to learn, when no train runs.
            continue
        # Rest, and a number of shifts, decide how many teams a slot has; without them all teams work.
        n_working[s] = (
            np.bincount([g for g, _ in teams], minlength=n_groups)
            if is_limited
            else [group.n_teams for group in setting.groups]
        )
    # Against couriers who do not respond the best list of each slot is worked as it is.
    shares = [
        mix.share[setting.shift_slot_of[s]] if setting.rules.is_evasive else _one_hot(slot, n_groups, by_slot[s])
        for s, slot in enumerate(setting.slots)
    ]
    return tuple(tuple(share) for share in shares), tuple(must), n_working


def number_tiers(encounters: Encounters, scores: pd.DataFrame | None) -> tuple[NDArray[np.int64], pd.Series]:
    """
    Number the tiers of the eligible stations.

    Parameters
    ----------
    encounters : Encounters
        For the ids of the stations.
    scores : pandas.DataFrame or None
        Table `geo.tables.STATION_SCORES`; all are alike without.

    Returns
    -------
    number : numpy.ndarray of shape (n_stations,)
        Tier of each.
    tier : pandas.Series
        By ``station_id``, as text.
    """
    index = list(encounters.station_ids)
    if scores is None:
        return np.zeros(len(index), dtype=np.int64), pd.Series([None] * len(index), index=index, dtype="str")
    tier = scores["tier"].reindex(index)
    _, number = np.unique(tier.fillna("").to_numpy(dtype=str), return_inverse=True)
    return number.astype(np.int64), tier.astype("str")


def measure_coverage(
    setting: Setting,
    chances: tuple[tuple[FloatArray, ...], ...],
    must: tuple[tuple[tuple[int, int], ...], ...],
    n_working: NDArray[np.int64],
) -> FloatArray:
    """
    Measure the chance that each station is worked on each slot.

    Parameters
    ----------
    setting : Setting
        The plan's setting.
    chances, must, n_working : tuple, tuple, numpy.ndarray
        From `split_teams`.

    Returns
    -------
    numpy.ndarray of shape (n_slots, n_stations)
        By the mix and the must visits, as if no effort were random.
    """
    rows = []
    for slot, mix, visits, n in zip(setting.slots, chances, must, n_working, strict=True):
        share = np.zeros(len(slot.duties.stops))
        for g, chance in enumerate(mix):
            n_left = n[g] - sum(1 for group, _ in visits if group == g)
            share += chance * (n_left / max(chance.sum(), 1e-12))
        share = np.minimum(share, 1.0)
        for _, duty in visits:
            share[duty] = 1.0
        rows.append(np.minimum(np.asarray((slot.duties.presence > 0) @ share).ravel(), 1.0))
    return np.array(rows)
