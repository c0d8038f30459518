"""
What a duty roster must keep: teams with their bases, and the rules of a shift and of a week, each with its source.

Sources: Working Time Regulations 1998 [1]_, regulations 10 (11 hours of rest in each 24), 11 (a day off in each seven)
and 12 (a break where a day has more than six hours); determination for regulation 22 of the Police Regulations 2003,
Annex E [2]_ (eight hours a day, two rest days a week, refreshment by the length of the shift, taken in its third to
sixth hour). What neither says is marked ASSUMPTION.

References
----------
.. [1] The Working Time Regulations 1998, SI 1998/1833.
.. [2] Home Office circular 001/2019, Annex E: determination for regulation 22 (Duty) of the Police Regulations 2003.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import count

from geo.errors import UsageError
from models.planning.problem.shifts import Shift, build_shifts

__all__ = ["REFRESHMENT_MIN", "DutyRules", "Team", "name_again", "refreshment_min"]

# Annex E: minutes of refreshment by hours of duty, of five hours or more.
REFRESHMENT_MIN = ((10.0, 60.0), (9.0, 50.0), (8.0, 45.0), (7.0, 40.0), (6.0, 35.0), (5.0, 30.0))


@dataclass(frozen=True)
class Team:
    """
    A team that goes out together.

    Attributes
    ----------
    name : str
        As on the roster.
    base : str
        Where a shift begins and ends: a row of the drives.
    agency : {"force", "btp", "joint"}
        Whose officers: British Transport Police work stations of the railway, not coach stops; a joint team works both.
    n_officers : int
        Officers; never fewer than two.
    shifts_per_week : int
        Most shifts in seven days.
    days_off : tuple of int
        Weekdays on which it never works, 0 is Monday.
    """

    name: str
    base: str
    agency: str = "force"
    n_officers: int = 2
    shifts_per_week: int = 5
    days_off: tuple[int, ...] = ()


@dataclass(frozen=True)
class DutyRules:
    """
    Rules of a roster.

    Attributes
    ----------
    shifts : tuple of str or Shift
        Shifts of a day.
    step_min : int
        Minutes of a step of the roster; all times are whole steps.
    rest_h : float
        Hours between two shifts of a team (Working Time Regulations, regulation 10).
    longest_shift_h : float
        Hours of a shift at most. ASSUMPTION: ten, the usual limit of variable shifts.
    brief_min, debrief_min : float
        Minutes at the base at either end. ASSUMPTION: a quarter of an hour each.
    break_from_h, break_to_h : float
        Hours of a shift within which the refreshment break lies (Annex E: its third to sixth hour).
    least_stay_min, longest_stay_min : float
        Minutes at a station. ASSUMPTION: long enough to see a few trains, too short to be learned.
    least_stops, most_stops : int
        Stops of a shift, each at another station than the one before; at one alone where a team can reach no second.
    longest_drive_min : float
        Minutes of a drive at most. ASSUMPTION.
    arrive_min : float
        Minutes from the car to the platform. ASSUMPTION.
    least_trains_per_hour : float
        Trains or coaches an hour of a stay, where they are known. ASSUMPTION: with fewer nobody is there to meet.
    must_visit : tuple of str
        Stations worked at least once.
    """

    shifts: tuple[str | Shift, ...] = ("early", "late")
    step_min: int = 15
    rest_h: float = 11.0
    longest_shift_h: float = 10.0
    brief_min: float = 15.0
    debrief_min: float = 15.0
    break_from_h: float = 2.0
    break_to_h: float = 6.0
    least_stay_min: float = 45.0
    longest_stay_min: float = 120.0
    least_stops: int = 2
    most_stops: int = 4
    longest_drive_min: float = 75.0
    arrive_min: float = 5.0
    least_trains_per_hour: float = 1.0
    must_visit: tuple[str, ...] = ()
    built: tuple[Shift, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """
        Give the shifts their hours.

        Raises
        ------
        UsageError
            If a shift is too long, or the stays and stops leave no roster.
        """
        object.__setattr__(self, "built", build_shifts(self.shifts))
        for shift in self.built:
            hours = shift.minutes / 60.0
            if hours > self.longest_shift_h or (shift.start_h * 60) % self.step_min or shift.minutes % self.step_min:
                msg = (
                    f"shifts: {shift.name!r} has {hours:g} hours from {shift.start_h:g} h, expected at most "
                    f"{self.longest_shift_h:g} hours, and times in whole steps of {self.step_min} minutes. Mend the "
                    "shift, or raise plan.longest_shift_h."
                )
                raise UsageError(msg)
        if not (
            0 < self.least_stay_min <= self.longest_stay_min
            and 1 <= self.least_stops <= self.most_stops
            and self.break_from_h < self.break_to_h
        ):
            msg = (
                f"plan: stays of {self.least_stay_min:g} to {self.longest_stay_min:g} minutes at {self.least_stops} to "
                f"{self.most_stops} stations, break from hour {self.break_from_h:g} to {self.break_to_h:g}, expected "
                "each first number above 0 and at most the second. Mend the [plan] settings."
            )
            raise UsageError(msg)

    def steps(self, minutes: float) -> int:
        """
        Give the steps that minutes take, rounded up.

        Parameters
        ----------
        minutes : float
            Minutes.

        Returns
        -------
        int
            Steps.
        """
        return int(-(-minutes // self.step_min))


def name_again(name: str, taken: Collection[str]) -> str:
    """
    Name a team like another.

    Parameters
    ----------
    name : str
        The other's.
    taken : collection of str
        Names there are.

    Returns
    -------
    str
        The first of ``NAME 2``, ``NAME 3`` and so on that is free.

    Examples
    --------
    >>> name_again("Alpha", {"Alpha", "Alpha 2"})
    'Alpha 3'
    """
    return next(new for k in count(2) if (new := f"{name} {k}") not in taken)


def refreshment_min(shift: Shift) -> float:
    """
    Give the minutes of refreshment that a shift has.

    Parameters
    ----------
    shift : Shift
        The shift.

    Returns
    -------
    float
        By Annex E; none below five hours.

    Examples
    --------
    >>> refreshment_min(Shift("early", 6.0, 14.0)), refreshment_min(Shift("short", 6.0, 10.0))
    (45.0, 0.0)
    """
    hours = shift.minutes / 60.0
    return next((minutes for least_h, minutes in REFRESHMENT_MIN if hours >= least_h), 0.0)
