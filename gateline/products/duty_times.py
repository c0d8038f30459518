"""Days and hours of duties as people write them."""

from __future__ import annotations

from datetime import date

from models.planning.problem.shifts import WEEKDAYS

__all__ = ["clock", "day_of", "long_day", "span"]

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MIN_PER_HOUR, _MIN_PER_DAY = 60, 1440


def clock(hours: float) -> str:
    """
    Tell a time of day.

    Parameters
    ----------
    hours : float
        After midnight of the day of the shift; may pass 24.

    Returns
    -------
    str
        On the clock, with ``+1`` on the day after.

    Examples
    --------
    >>> clock(6.75), clock(25.5)
    ('06:45', '01:30+1')
    """
    days, minutes = divmod(round(hours * _MIN_PER_HOUR), _MIN_PER_DAY)
    return f"{minutes // _MIN_PER_HOUR:02d}:{minutes % _MIN_PER_HOUR:02d}" + (f"+{days}" if days else "")


def span(from_h: float, to_h: float) -> str:
    """
    Tell a span of hours.

    Parameters
    ----------
    from_h, to_h : float
        As for `clock`.

    Returns
    -------
    str
        From and to.
    """
    return f"{clock(from_h)}-{clock(to_h)}"


def day_of(worked_on: str) -> int | None:
    """
    Give the weekday of a day of a plan.

    Parameters
    ----------
    worked_on : str
        ISO date, or the number of a day.

    Returns
    -------
    int or None
        0 is Monday; None where it is no date.
    """
    try:
        return date.fromisoformat(worked_on).weekday()
    except ValueError:
        return None


def long_day(worked_on: str) -> str:
    """
    Write a day as on a roster.

    Parameters
    ----------
    worked_on : str
        ISO date, or the number of a day.

    Returns
    -------
    str
        With its weekday, where it is a date.

    Examples
    --------
    >>> long_day("2025-10-06"), long_day("day 2")
    ('Mon 6 Oct 2025', 'day 2')
    """
    weekday = day_of(worked_on)
    if weekday is None:
        return worked_on
    day = date.fromisoformat(worked_on)
    return f"{WEEKDAYS[weekday]} {day.day} {_MONTHS[day.month - 1]} {day.year}"
