"""What the plan may ask of people: teams, shifts and rules, each default with its source or marked ASSUMPTION."""

from __future__ import annotations

from datetime import date
from math import ceil
from typing import Literal

from pydantic import Field, model_validator

from gateline.settings_coaches import Section

__all__ = ["MOST_DAYS", "MOST_TEAMS", "PlanSettings", "TeamSettings", "weekday_numbers"]

MOST_TEAMS, MOST_DAYS = 40, 28
# Minutes of a step, as `models.planning.roster.DutyRules` has: not imported, so that every command starts at once.
STEP_MIN = 15
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class TeamSettings(Section):
    """A team that goes out together."""

    name: str = Field(description="Name on the roster", max_length=40, pattern=r"^\S(.*\S)?$")
    base: str = Field(description="Where its shifts begin and end: CRS code, or name or place_id of a town")
    agency: Literal["force", "btp", "joint"] = Field(
        "force", description="force, btp (British Transport Police: railway stations alone) or joint"
    )
    n_officers: int = Field(2, ge=2, description="Officers; never fewer than a pair")
    shifts_per_week: int = Field(5, ge=1, le=6, description="Most shifts in any seven days")
    days_off: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = Field(
        (), description="Days on which it never works"
    )


class PlanSettings(Section):
    """
    Teams, shifts and rules of the interception plan.

    Rest, breaks and rest days are those of the Working Time Regulations 1998 and of Annex E to the Police Regulations.
    """

    teams: tuple[TeamSettings, ...] = Field(
        (),
        description=(
            'Teams, as [{ name = "Alpha", base = "YRK" }, { name = "Rail", base = "York", agency = "btp", '
            'shifts_per_week = 4, days_off = ["sun"] }]; n_teams are assumed where empty'
        ),
    )
    n_teams: int = Field(
        3,
        ge=1,
        le=MOST_TEAMS,
        description="Teams in all, where none is named: five shifts a week each, at the busiest stations. ASSUMPTION",
    )
    n_days: int = Field(7, ge=1, le=MOST_DAYS, description="Days planned")
    first_on: date | None = Field(
        None,
        ge=date(2000, 1, 1),
        le=date(2100, 1, 1),
        description="First day of the plan, as 2025-09-15; the first Monday after the last month read where absent",
    )
    shifts: tuple[str, ...] = Field(
        ("early", "late"),
        description="Shifts of a day: early (6-14), day (9-17), late (14-22), night (22-6). ASSUMPTION: these hours",
    )
    rest_h: float = Field(
        11.0, ge=0, le=24, description="Hours between two shifts: Working Time Regulations 1998, reg 10"
    )
    longest_shift_h: float = Field(10.0, gt=0, le=12, description="Hours of a shift at most. ASSUMPTION")
    least_stay_min: float = Field(
        45.0, ge=15, le=240, description="Minutes at a station at least. ASSUMPTION: long enough to see several trains"
    )
    longest_stay_min: float = Field(
        120.0, ge=15, le=480, description="Minutes at a station at most before a team moves. ASSUMPTION"
    )
    least_stops: int = Field(
        2, ge=1, le=4, description="Stays of a shift at least; one place alone where no other is near"
    )
    most_stops: int = Field(4, ge=1, le=6, description="Stays of a shift at most")
    longest_drive_min: float = Field(75.0, gt=0, le=240, description="Minutes of one drive at most. ASSUMPTION")
    least_trains_per_hour: float = Field(
        1.0, ge=0, description="Trains an hour of a stay at least, where they are known. ASSUMPTION"
    )
    detection_share: float = Field(
        0.2, gt=0, le=1, description="Chance that a team present meets a courier who passes. ASSUMPTION"
    )
    must_visit: tuple[str, ...] = Field((), description="CRS codes that must be worked")
    must_not_visit: tuple[str, ...] = Field((), description="CRS codes that must not be worked")
    keep_to_tiers: tuple[Literal["A", "B", "C"], ...] = Field(
        (), description='Tiers whose stations alone are worked, as ["A", "B"]; all where empty'
    )
    needs_staff: bool = Field(
        False, description="true plans a stay only while station staff are there, where that is known"
    )
    least_passengers_per_day: float = Field(
        100.0,
        ge=0,
        description=(
            "Stations known to have fewer are left out; 0 keeps all. ASSUMPTION: there a team stands mostly alone and "
            "is plainly seen"
        ),
    )
    is_planned: bool = Field(
        True, description="Whether a run makes the plan: plan.csv, roster sheets, calendars, briefings and map layer"
    )

    @model_validator(mode="after")
    def _fits(self) -> PlanSettings:
        if self.least_stay_min > self.longest_stay_min or self.least_stops > self.most_stops:
            msg = (
                f"least_stay_min {self.least_stay_min:g} and longest_stay_min {self.longest_stay_min:g}, least_stops "
                f"{self.least_stops} and most_stops {self.most_stops}, expected the least at most the longest or most"
            )
            raise ValueError(msg)
        if ceil(self.least_stay_min / STEP_MIN) > self.longest_stay_min // STEP_MIN:
            msg = (
                f"least_stay_min {self.least_stay_min:g} and longest_stay_min {self.longest_stay_min:g}, expected a "
                f"whole number of {STEP_MIN} minutes between them"
            )
            raise ValueError(msg)
        names = [team.name for team in self.teams]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            msg = f"teams: {twice[0]!r} stands twice, expected different names"
            raise ValueError(msg)
        return self


def weekday_numbers(days: tuple[str, ...]) -> tuple[int, ...]:
    """
    Number weekdays.

    Parameters
    ----------
    days : tuple of str
        As in the settings.

    Returns
    -------
    tuple of int
        0 is Monday.
    """
    return tuple(sorted(_DAYS.index(day) for day in days))
