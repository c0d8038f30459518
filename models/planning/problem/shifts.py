"""Days cut into shifts, and how much of the flow is made in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from geo.errors import UsageError

__all__ = ["DAYS_PER_MONTH", "SHIFTS", "Shift", "build_shifts", "name_days"]

DAYS_PER_MONTH = 365.25 / 12
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
HOURS_PER_DAY = 24.0
# ASSUMPTION: couriers travel while trains run, evenly from half past five to half past eleven at night.
SERVICE_FROM_H, SERVICE_TO_H = 5.5, 23.5


@dataclass(frozen=True)
class Shift:
    """
    One shift of a day.

    Attributes
    ----------
    name : str
        As in the settings.
    start_h, end_h : float
        Hours after midnight of its day; the end may be past 24.
    """

    name: str
    start_h: float
    end_h: float

    @property
    def minutes(self) -> float:
        """Its length."""
        return (self.end_h - self.start_h) * 60.0

    @property
    def flow_share(self) -> float:
        """Share of a day's trips that are made in it, spread evenly over the hours of service."""
        overlap_h = sum(
            max(0.0, min(self.end_h, SERVICE_TO_H + day) - max(self.start_h, SERVICE_FROM_H + day))
            for day in (0.0, HOURS_PER_DAY)
        )
        return overlap_h / (SERVICE_TO_H - SERVICE_FROM_H)


# ASSUMPTION: the hours of the named shifts; forces differ, so a Shift can be given instead of a name.
SHIFTS = {
    shift.name: shift
    for shift in (
        Shift("early", 6.0, 14.0),
        Shift("day", 9.0, 17.0),
        Shift("late", 14.0, 22.0),
        Shift("night", 22.0, 30.0),
    )
}


def build_shifts(shifts: Sequence[str | Shift]) -> tuple[Shift, ...]:
    """
    Give the named shifts their hours.

    Parameters
    ----------
    shifts : sequence of str or Shift
        Shifts of a day.

    Returns
    -------
    tuple of Shift
        In the order given.

    Raises
    ------
    UsageError
        If there is none, a name is not known or stands twice, or a shift does not end after it starts.

    Examples
    --------
    >>> [(shift.start_h, round(shift.flow_share, 3)) for shift in build_shifts(["early", "late"])]
    [(6.0, 0.444), (14.0, 0.444)]
    """
    unknown = [shift for shift in shifts if isinstance(shift, str) and shift not in SHIFTS]
    if unknown or not shifts:
        msg = (
            f"shifts: {unknown[0]!r} is not known" if unknown else "shifts: none is given"
        ) + f", expected some of {', '.join(SHIFTS)}. Name those of a day."
        raise UsageError(msg)
    known = tuple(SHIFTS[shift] if isinstance(shift, str) else shift for shift in shifts)
    names = [shift.name for shift in known]
    for shift in known:
        if names.count(shift.name) > 1 or not shift.end_h > shift.start_h:
            msg = (
                f"shifts: {shift.name!r} from {shift.start_h!r} to {shift.end_h!r} h, expected different names and an "
                "end after the start. Mend that shift; past midnight counts on from 24."
            )
            raise UsageError(msg)
    return known


def name_days(first_on: date | None, n_days: int, *, first_weekday: int | None = None) -> tuple[str, ...]:
    """
    Name the days of a plan.

    Parameters
    ----------
    first_on : datetime.date or None
        The first day; without one, days are numbered.
    n_days : int
        Days planned.
    first_weekday : int, optional
        Weekday that the first numbered day is taken to be, 0 is Monday.

    Returns
    -------
    tuple of str
        ISO dates, or ``day 1`` and so on, with the weekday where it matters.
    """
    if first_on is None and first_weekday is not None:
        return tuple(f"day {k + 1} ({WEEKDAYS[(first_weekday + k) % 7]})" for k in range(n_days))
    if first_on is None:
        return tuple(f"day {k}" for k in np.arange(1, n_days + 1).tolist())
    return tuple((first_on + timedelta(days=k)).isoformat() for k in range(n_days))
