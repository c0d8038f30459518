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
from models.planning.problem.encounters import Encounters, build_encounters
from models.planning.problem.programme import FlowShare, Group, Programme, Slot
from models.planning.problem.rules import (
    PlanRules,
    build_groups,
    build_programme,
    build_shift_slots,
    place_slots,
)
from models.planning.problem.shifts import DAYS_PER_MONTH, build_shifts
from models.planning.problem.week import DAYS_PER_WEEK, WeekShares, measure_week_shares

__all__ = ["Setting", "build_setting"]

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
    def flow_shares(self) -> tuple[FlowShare, ...]:
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
        Each rule is sound by itself; whether all can be kept together is for the solver to say.

    Raises
    ------
    UsageError
        If a rule is not.
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
