"""
What a roster is made on: flow by pattern and step, trains and drives in steps, and what each team may do.

In come `Encounters`, `geo.tables.STATION_HOURS` and drives by road; out comes `DutyProblem`. A trip is taken to pass
its stations within one step, so what one team meets at different times adds up, and only teams that stand somewhere at
the same time share couriers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.errors import UsageError
from models.planning.problem.encounters import Encounters
from models.planning.problem.shifts import Shift
from models.planning.roster.duty_rules import DutyRules, Team, refreshment_min

__all__ = ["MORNING_H", "DutyProblem", "Place", "require_musts", "require_teams"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

_DAYS_PER_WEEK = 7
_NEVER = 10_000
MORNING_H = 12


@dataclass(frozen=True)
class Place:
    """
    Where a shift stands on the grid.

    Attributes
    ----------
    day : int
        Its day, from 0.
    shift : Shift
        Its hours.
    first, n_steps : int
        Its first step and how many it has.
    break_steps : int
        Steps of refreshment.
    """

    day: int
    shift: Shift
    first: int
    n_steps: int
    break_steps: int


@dataclass(frozen=True)
class DutyProblem:
    """
    Flow, trains, drives and teams on a grid of steps.

    Attributes
    ----------
    rules : DutyRules
        What must be kept.
    teams : tuple of Team
        Who is there.
    encounters : Encounters
        Patterns and stations.
    hazard : numpy.ndarray of shape (n_patterns, n_stations)
        -ln of the chance of passing a team unmet.
    weekly : numpy.ndarray of shape (n_patterns,)
        Trips (or harm) of a week.
    share : numpy.ndarray of shape (n_steps, n_patterns)
        Share of the trips of a week made in each step, from midnight of the first day.
    trains : numpy.ndarray of shape (n_steps, n_stations)
        Trains or coaches; NaN where not known.
    is_open : numpy.ndarray of shape (n_steps, n_stations)
        Whether a team may stand there.
    drive_steps : numpy.ndarray of shape (n_stations, n_stations)
        Steps from platform to platform; very many where it is too far.
    base_steps : numpy.ndarray of shape (n_teams, n_stations)
        The same from the base of each team.
    may_work : numpy.ndarray of shape (n_teams, n_stations)
        Jurisdiction.
    places : tuple of Place
        Every shift of every day, by day and start.
    n_days, first_weekday : int
        Days of the roster, and the weekday of the first, 0 is Monday.
    is_rail : numpy.ndarray of shape (n_stations,)
        Whether a station is one of the railway, which British Transport Police work.
    drives_min : pandas.DataFrame
        Minutes by road from bases and stations (rows) to stations (columns).
    station_share : numpy.ndarray of shape (n_steps, n_stations)
        Share of the trips of a week at a station that is made in each step.
    """

    rules: DutyRules
    teams: tuple[Team, ...]
    encounters: Encounters
    hazard: FloatArray
    weekly: FloatArray
    share: FloatArray
    trains: FloatArray
    is_open: BoolArray
    drive_steps: IntArray
    base_steps: IntArray
    may_work: BoolArray
    places: tuple[Place, ...]
    n_days: int
    first_weekday: int
    is_rail: BoolArray
    drives_min: pd.DataFrame
    station_share: FloatArray

    @classmethod
    def from_arrays(
        cls,
        encounters: Encounters,
        grid: Mapping[str, NDArray[Any]],
        teams: tuple[Team, ...],
        rules: DutyRules,
        *,
        drives_min: pd.DataFrame,
        n_days: int,
        first_weekday: int,
    ) -> DutyProblem:
        """
        Put arrays together as they are.

        Parameters
        ----------
        encounters : Encounters
            Patterns.
        grid : mapping of str to numpy.ndarray
            ``weekly, share, trains, is_open, is_rail, station_share``, as the attributes.
        teams : tuple of Team
            Teams.
        rules : DutyRules
            Rules.
        drives_min : pandas.DataFrame
            As the attribute.
        n_days, first_weekday : int
            As the attributes.

        Returns
        -------
        DutyProblem
            With the steps of drives and the places that follow from these.
        """
        on_rail = np.asarray(grid["is_rail"])
        base = drives_min.reindex(index=[team.base for team in teams]).to_numpy(float)
        drive = drives_min.reindex(index=list(encounters.station_ids)).to_numpy(float)
        return cls(
            rules=rules,
            teams=teams,
            encounters=encounters,
            hazard=np.asarray(encounters.hazard.toarray(), dtype=float),
            drive_steps=_in_steps(drive, rules),
            base_steps=_in_steps(base, rules),
            may_work=np.stack([on_rail | (team.agency != "btp") for team in teams]),
            places=_places(rules, n_days),
            n_days=n_days,
            first_weekday=first_weekday,
            drives_min=drives_min,
            **grid,
        )

    @property
    def station_ids(self) -> tuple[str, ...]:
        """Stations that may be worked."""
        return self.encounters.station_ids

    @cached_property
    def chance(self) -> FloatArray:
        """Chance that a team alone at a station meets a trip that passes, of shape (n_patterns, n_stations)."""
        return np.asarray(-np.expm1(-self.hazard), dtype=float)

    @cached_property
    def on_duty(self) -> IntArray:
        """Steps in which some shift is worked."""
        steps = [np.arange(place.first, place.first + place.n_steps) for place in self.places]
        return np.unique(np.concatenate(steps))

    @property
    def days_share(self) -> FloatArray:
        """Share of the trips of a week made on the days of the roster, by pattern."""
        return np.asarray(self.share[: self.n_days * self.steps_per_day].sum(axis=0), dtype=float)

    @property
    def steps_per_day(self) -> int:
        """Steps of a day."""
        return 24 * 60 // self.rules.step_min

    @property
    def drive_min(self) -> FloatArray:
        """Minutes by road from station to station, of shape (n_stations, n_stations)."""
        return self.drives_min.reindex(index=list(self.station_ids)).to_numpy(float)

    @property
    def base_min(self) -> FloatArray:
        """Minutes by road from the base of each team, of shape (n_teams, n_stations)."""
        return self.drives_min.reindex(index=[team.base for team in self.teams]).to_numpy(float)

    def with_teams(self, teams: Sequence[Team], rules: DutyRules | None = None) -> DutyProblem:
        """
        Give the same flow to other teams, or to other rules.

        Parameters
        ----------
        teams : sequence of Team
            Teams; their bases are rows of the drives.
        rules : DutyRules, optional
            Rules with steps as long; as they are where absent.

        Returns
        -------
        DutyProblem
            All else as it is.

        Raises
        ------
        UsageError
            If there is no team, a name stands twice, or a base is not known.
        """
        rules = rules or self.rules
        require_teams(teams, self.drives_min, self.n_days)
        require_musts(rules, self.encounters.station_ids)
        on_rail = self.is_rail
        base = self.drives_min.reindex(index=[team.base for team in teams]).to_numpy(float)
        return replace(
            self,
            rules=rules,
            teams=tuple(teams),
            base_steps=_in_steps(base, rules),
            drive_steps=_in_steps(self.drive_min, rules),
            may_work=np.stack([on_rail | (team.agency != "btp") for team in teams]),
            places=_places(rules, self.n_days),
        )

    def with_days(self, n_days: int) -> DutyProblem:
        """
        Plan other days on the same week.

        Parameters
        ----------
        n_days : int
            Days; weeks follow each other alike.

        Returns
        -------
        DutyProblem
            All else as it is.

        Raises
        ------
        UsageError
            If there is no day, or more days are asked for than a problem of less than a week knows.
        """
        week = _DAYS_PER_WEEK * self.steps_per_day
        n_steps = n_days * self.steps_per_day + MORNING_H * 60 // self.rules.step_min
        if n_days < 1 or (n_steps > len(self.share) and self.n_days < _DAYS_PER_WEEK):
            msg = (
                f"plan: {n_days!r} days are asked of a plan of {self.n_days}, expected 1 or more, and no more than it "
                "has if that is less than a week. Set plan.n_days to 7 or more and run again."
            )
            raise UsageError(msg)
        step = np.arange(n_steps) if n_steps <= len(self.share) else np.arange(n_steps) % week
        return replace(
            self,
            share=self.share[step],
            trains=self.trains[step],
            is_open=self.is_open[step],
            station_share=self.station_share[step],
            places=_places(self.rules, n_days),
            n_days=n_days,
        )

    def keep_to(self, station_ids: Collection[str]) -> DutyProblem:
        """
        Keep the teams to some stations.

        Parameters
        ----------
        station_ids : collection of str
            Stations; must visits outside them are not kept.

        Returns
        -------
        DutyProblem
            All else as it is.
        """
        kept = np.isin(self.station_ids, list(station_ids))
        return replace(self, may_work=self.may_work & kept)


def require_teams(teams: Sequence[Team], drives_min: pd.DataFrame, n_days: int) -> None:
    """
    Pass if the teams can be planned.

    Parameters
    ----------
    teams : sequence of Team
        Teams.
    drives_min : pandas.DataFrame
        With their bases as rows.
    n_days : int
        Days.

    Raises
    ------
    UsageError
        If there is no team or day, a name stands twice, or a base is not known.
    """
    names = [team.name for team in teams]
    twice = sorted({name for name in names if names.count(name) > 1})
    lost = sorted({team.base for team in teams} - set(drives_min.index))
    if not teams or n_days < 1 or twice or lost:
        what = f"{twice[0]!r} stands twice" if twice else f"base {lost[0]!r} is not known" if lost else "there is none"
        msg = (
            f"plan.teams: {what}, for {n_days!r} days, expected one team or more with different names, each with a "
            "station or a town as its base, and a day. Mend plan.teams."
        )
        raise UsageError(msg)


def require_musts(rules: DutyRules, station_ids: tuple[str, ...]) -> None:
    """
    Pass if every must visit is to a station that may be worked.

    Parameters
    ----------
    rules : DutyRules
        With the must visits.
    station_ids : tuple of str
        Stations.

    Raises
    ------
    UsageError
        If one is not.
    """
    lost = sorted(set(rules.must_visit) - set(station_ids))
    if lost:
        msg = (
            f"plan.must_visit: {lost[0]!r} is not a station that teams may work and couriers pass, expected stations "
            "of the force. Mend plan.must_visit, or see what is left out and why."
        )
        raise UsageError(msg)


def _in_steps(minutes: FloatArray, rules: DutyRules) -> IntArray:
    """Whole steps from platform to platform; too many to go where it is further than a drive may be."""
    near = minutes <= rules.longest_drive_min
    steps = np.ceil(np.where(near, minutes + rules.arrive_min, 0.0) / rules.step_min).astype(np.int64)
    return np.asarray(np.where(near, steps, _NEVER), dtype=np.int64)


def _places(rules: DutyRules, n_days: int) -> tuple[Place, ...]:
    shifts = sorted(rules.built, key=lambda shift: (shift.start_h, shift.end_h, shift.name))
    return tuple(
        Place(
            day,
            shift,
            round((24 * day + shift.start_h) * 60) // rules.step_min,
            round(shift.minutes) // rules.step_min,
            rules.steps(refreshment_min(shift)),
        )
        for day in range(n_days)
        for shift in shifts
    )
