"""
What a timetable says of the week that is counted: whether it holds it, and whether the week is a usual one.

A week outside a feed is an error, not a week without trains. A week with a bank holiday, or with far fewer trains than
the weeks around it, is counted as it is and told: whoever reads the result must know.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from geo.errors import InputError, UsageError
from geo.sources.bank_holidays import list_bank_holidays

__all__ = ["describe_week", "require_monday", "require_week_held", "tell_bank_holidays", "tell_cover"]

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# ASSUMPTION. A week or a day with so few of the usual trains is odd, where the feed has some whole weeks to tell.
_ODD_WEEK, _ODD_DAY, _FEWEST_WEEKS = 0.85, 0.7, 3
_DAYS = 7


def require_monday(week_start_on: date) -> None:
    """
    Pass if a week starts on a Monday, raise otherwise.

    Parameters
    ----------
    week_start_on : datetime.date
        First day of a week.

    Raises
    ------
    UsageError
        If it is no Monday.
    """
    if week_start_on.weekday() != 0:
        msg = f"week_start_on: {week_start_on.isoformat()} is not a Monday, expected one. Give the Monday of the week."
        raise UsageError(msg)


def require_week_held(source_file: str, week_start_on: date, first_on: date | None, last_on: date | None) -> None:
    """
    Pass if a day of a week lies in a feed, raise otherwise.

    Parameters
    ----------
    source_file : str
        Name of the feed.
    week_start_on : datetime.date
        The Monday of the week.
    first_on, last_on : datetime.date or None
        First and last day of the feed; None where it has no such day.

    Raises
    ------
    InputError
        If the week lies outside; the message names the nearest week that the feed holds, whole if it has one.
    """
    if first_on is None or last_on is None:
        return
    if first_on - timedelta(days=_DAYS - 1) <= week_start_on <= last_on:
        return
    if week_start_on > last_on:
        nearest = last_on - timedelta(days=6)
        nearest -= timedelta(days=nearest.weekday())
        nearest = nearest if nearest >= first_on else last_on - timedelta(days=last_on.weekday())
    else:
        nearest = first_on + timedelta(days=-first_on.weekday() % _DAYS)
        nearest = nearest if nearest + timedelta(days=6) <= last_on else first_on - timedelta(days=first_on.weekday())
    msg = (
        f"{source_file}: the week of {week_start_on.isoformat()} is outside the feed, which runs from "
        f"{first_on.isoformat()} to {last_on.isoformat()}, expected a week inside it. Set "
        f"inputs.timetable_week_start_on to {nearest.isoformat()}, the nearest week it holds, or fetch another feed."
    )
    raise InputError(msg)


def tell_bank_holidays(week_start_on: date) -> list[str]:
    """
    Say which bank holidays of England and Wales a week holds.

    Parameters
    ----------
    week_start_on : datetime.date
        The Monday of the week.

    Returns
    -------
    list of str
        One clause, or none where there is no bank holiday.

    Examples
    --------
    >>> tell_bank_holidays(date(2024, 5, 6))
    ['the week of 2024-05-06 holds a bank holiday (2024-05-06 early May): its trains are not those of a usual week']
    """
    days = [week_start_on + timedelta(days=k) for k in range(_DAYS)]
    holidays = {on: name for year in {day.year for day in days} for on, name in list_bank_holidays(year).items()}
    # On the day itself hardly a train runs, whichever day stands in for it at work.
    holidays |= {date(day.year, 12, 25): "Christmas Day" for day in days} | {
        date(day.year, 12, 26): "Boxing Day" for day in days
    }
    held = [f"{day.isoformat()} {holidays[day]}" for day in days if day in holidays]
    if not held:
        return []
    what = "a bank holiday" if len(held) == 1 else f"{len(held)} bank holidays"
    week = f"the week of {week_start_on.isoformat()}"
    return [f"{week} holds {what} ({', '.join(held)}): its trains are not those of a usual week"]


def tell_cover(week_start_on: date, first_on: date | None, last_on: date | None) -> list[str]:
    """
    Say that a feed holds a part of a week only.

    Parameters
    ----------
    week_start_on : datetime.date
        The Monday of the week.
    first_on, last_on : datetime.date or None
        First and last day of the feed; None where it has no such day.

    Returns
    -------
    list of str
        One clause, or none where it holds the week whole.
    """
    if first_on is None or last_on is None:
        return []
    if first_on <= week_start_on and week_start_on + timedelta(days=6) <= last_on:
        return []
    span = f"{first_on.isoformat()} to {last_on.isoformat()}"
    return [f"the week of {week_start_on.isoformat()} is covered in part: the feed runs from {span}"]


def describe_week(
    week_start_on: date, first_on: date, trains_by_day: NDArray[np.float64] | Sequence[float]
) -> list[str]:
    """
    Say what is odd about a week beside the feed's other ones.

    Parameters
    ----------
    week_start_on : datetime.date
        The Monday of the week.
    first_on : datetime.date
        First day of the feed, or of the part of it that is compared.
    trains_by_day : numpy.ndarray of shape (n_days,)
        Trains of each day from there on; the last is the last of the feed, or of the part.

    Returns
    -------
    list of str
        Clauses: that the week or a day of it has far fewer trains than the middle of the whole weeks, where there are
        three of them.
    """
    by_day = np.asarray(trains_by_day, dtype=float)
    first, start = first_on.toordinal(), week_start_on.toordinal()
    last = first + len(by_day) - 1
    week = f"the week of {week_start_on.isoformat()}"
    told: list[str] = []
    before = first_on.weekday()
    padded = np.concatenate([np.zeros(before), by_day, np.zeros(-(before + len(by_day)) % _DAYS)]).reshape(-1, _DAYS)
    weeks = first - before + _DAYS * np.arange(len(padded))
    whole = (weeks >= first) & (weeks + 6 <= last)
    ours = padded[weeks == start]
    if whole.sum() < _FEWEST_WEEKS or not len(ours):
        return told
    usual = float(np.median(padded[whole].sum(axis=1)))
    if ours.sum() < _ODD_WEEK * usual:
        told.append(
            f"{week} has {ours.sum() / usual:.0%} of the trips of the feed's middle week: a holiday or engineering "
            "works, so that another week may serve better"
        )
    usual_day = np.median(padded[whole], axis=0)
    odd = [name for name, n, u in zip(_WEEKDAYS, ours[0], usual_day, strict=True) if n < _ODD_DAY * u]
    if odd:
        told.append(f"fewer trips than usual run on {', '.join(odd)} of {week}: it may hold a holiday or works")
    return told
