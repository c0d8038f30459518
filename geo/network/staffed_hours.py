"""
Hours in which a station is staffed: a clear text such as ``mon-fri 06:00-20:00; sat 07:00-19:00`` in and out.

Days are named by three letters, alone, as a span or listed (``mon,wed``); several spans of a day are listed too. A day
that is not named has no staff. An end at or before its start is of the next day. ``none`` says that nobody is ever
there, which is not the same as a text that is absent: then nothing is known.
"""

from __future__ import annotations

import re
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from geo.errors import InputError

__all__ = ["NEVER", "measure_staffed_week", "parse_staffed_hours"]

FloatArray = NDArray[np.float64]

NEVER = "none"
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MIN_PER_DAY, _MIN_PER_WEEK = 24 * 60, 7 * 24 * 60
_SPAN = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)\s*-\s*([01]?\d|2[0-4]):([0-5]\d)")
_PART = re.compile(r"([a-z,\s-]+?)\s+(\d.*)")


def parse_staffed_hours(text: str) -> str:
    """
    Parse hours and write them in one form, so that the same hours are the same text.

    Parameters
    ----------
    text : str
        Parts divided by semicolons, each of days and times.

    Returns
    -------
    str
        Days that have the same hours together, from Monday on; ``none`` where there are none.

    Raises
    ------
    InputError
        If a part cannot be read.

    Examples
    --------
    >>> parse_staffed_hours("Sat 7:00-19:00; MON-FRI 06:00-20:00")
    'mon-fri 06:00-20:00; sat 07:00-19:00'
    >>> parse_staffed_hours("daily 00:00-24:00"), parse_staffed_hours("none")
    ('mon-sun 00:00-24:00', 'none')
    """
    spans = _read(text)
    told = []
    for hours, alike in groupby(range(len(_DAYS)), key=lambda day: spans[day]):
        days = list(alike)
        if hours:
            name = _DAYS[days[0]] if len(days) == 1 else f"{_DAYS[days[0]]}-{_DAYS[days[-1]]}"
            told.append(f"{name} {', '.join(f'{_clock(a)}-{_clock(b)}' for a, b in hours)}")
    return "; ".join(told) or NEVER


def measure_staffed_week(text: str) -> FloatArray:
    """
    Measure the share of each hour of a week that is staffed.

    Parameters
    ----------
    text : str
        As for `parse_staffed_hours`.

    Returns
    -------
    numpy.ndarray of shape (168,)
        From Monday midnight, each in [0, 1]; what passes Sunday midnight is of Monday.

    Raises
    ------
    InputError
        If a part cannot be read.

    Examples
    --------
    >>> float(measure_staffed_week("mon-fri 06:00-20:00; sat 07:30-19:00").sum())
    81.5
    """
    minutes = np.zeros(_MIN_PER_WEEK)
    for day, hours in enumerate(_read(text)):
        for start_min, end_min in hours:
            until = end_min if end_min > start_min else end_min + _MIN_PER_DAY
            minutes[(day * _MIN_PER_DAY + np.arange(start_min, until)) % _MIN_PER_WEEK] = 1.0
    return np.asarray(minutes.reshape(-1, 60).mean(axis=1), dtype=float)


def _read(text: str) -> list[tuple[tuple[int, int], ...]]:
    """Start and end of each span, minutes after midnight, by day."""
    spans: list[set[tuple[int, int]]] = [set() for _ in _DAYS]
    asked = text.strip().lower()
    for part in [] if asked == NEVER else asked.rstrip("; ").split(";"):
        found = _PART.fullmatch(part.strip())
        days = _days(found[1]) if found else []
        hours = [_span(span.strip()) for span in found[2].split(",")] if found else []
        if not days or not all(hours):
            msg = (
                f"staffed_hours: {part.strip()!r} in {text!r} cannot be read, expected days and times as in "
                "'mon-fri 06:00-20:00; sat 07:00-19:00', or 'none'. Mend that part."
            )
            raise InputError(msg)
        for day in days:
            spans[day] |= {span for span in hours if span is not None}
    return [tuple(sorted(hours)) for hours in spans]


def _span(text: str) -> tuple[int, int] | None:
    """Start and end in minutes; None where it is no span of a day."""
    found = _SPAN.fullmatch(text)
    if found is None:
        return None
    start_min, end_min = 60 * int(found[1]) + int(found[2]), 60 * int(found[3]) + int(found[4])
    return (start_min, end_min) if start_min < _MIN_PER_DAY and end_min <= _MIN_PER_DAY else None


def _days(text: str) -> list[int]:
    """Days of a list of days and spans of days; none where a name is not known."""
    if text.strip() == "daily":
        return list(range(len(_DAYS)))
    days: list[int] = []
    for part in text.split(","):
        ends = [name.strip() for name in part.split("-")]
        if len(ends) > 2 or not set(ends) <= set(_DAYS):
            return []
        first, last = _DAYS.index(ends[0]), _DAYS.index(ends[-1])
        days += [(first + k) % len(_DAYS) for k in range((last - first) % len(_DAYS) + 1)]
    return days


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
