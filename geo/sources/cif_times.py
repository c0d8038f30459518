"""
The times of CIF location records: minutes after the midnight before the train starts, and which calls are public.

A time that is smaller than the one before it in the same schedule is on the next day. A call that is not advertised
(activity N) is not public, whatever its public times. A public time of 0000 means none, save where the working time is
at midnight and the activity is one for passengers: the format cannot say otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.sources.patterns import LONGEST_RUN_MIN, LONGEST_STAND_MIN

__all__ = ["LOCATIONS", "Times", "read_times"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Cells = NDArray[np.uint8]

LOCATIONS = (b"LO", b"LI", b"LT")
_BLANK, _HALF = 32, ord("H")
_DAY_MIN = 1440.0
# ASSUMPTION. No passenger train waits longer where nobody joins or leaves it.
_LONGEST_WAIT_MIN = 720.0
# First column of the arrival, of the departure or passing time, of public times, and of six activities of two letters.
_ARRIVAL = {b"LI": 10, b"LT": 10}
_DEPARTURE = {b"LO": 10, b"LI": 15}
_PASS = {b"LI": 20}
_PUBLIC = {b"LO": (15,), b"LI": (25, 29), b"LT": (15,)}
_ACTIVITY = {b"LO": 29, b"LI": 42, b"LT": 25}
_N_ACTIVITIES = 6
# Passengers join or leave: begins, finishes, takes up and sets down, either alone, on request. N is not advertised.
_FOR_PASSENGERS, _NOT_ADVERTISED = (b"TB", b"TF", b"T ", b"D ", b"U ", b"R "), b"N "
_ONE_WAY = (b"D ", b"U ")
# Working times this near midnight may be published as 0000: arrivals are rounded up and padded, departures down.
_BEFORE_MIDNIGHT_MIN, _AFTER_MIDNIGHT_MIN = 5.0, 1.0


@dataclass(frozen=True)
class Times:
    """
    Times of location records, and what each record is.

    Attributes
    ----------
    arrival_min, departure_min : numpy.ndarray of shape (n,)
        Working times, minutes after midnight of the day the train starts; NaN where there is none.
    is_public, is_bad : numpy.ndarray of shape (n,)
        Whether passengers are told of the call, and whether its times cannot be read or cannot be meant.
    is_one_way : numpy.ndarray of shape (n,)
        Whether passengers may only join, or only leave, a train that goes on.
    cannot_follow : numpy.ndarray of shape (n,)
        Whether it lies longer after the record before it, in the same schedule, than a train runs, or lasts longer
        than one waits.
    """

    arrival_min: FloatArray
    departure_min: FloatArray
    is_public: BoolArray
    is_bad: BoolArray
    is_one_way: BoolArray
    cannot_follow: BoolArray


def read_times(cells: Cells, kind: NDArray[np.bytes_], schedule: NDArray[np.int64]) -> Times:
    """
    Read the times of location records.

    Parameters
    ----------
    cells : numpy.ndarray of shape (n, 80)
        Bytes of the records, in order.
    kind : numpy.ndarray of shape (n,)
        LO, LI or LT.
    schedule : numpy.ndarray of shape (n,)
        Number of the schedule that each belongs to.

    Returns
    -------
    Times
        Of records that cannot be read the times are NaN, and no other time runs on from them.
    """
    arrival, bad_arrival = _column(cells, kind, _ARRIVAL)
    departure, bad_departure = _column(cells, kind, _DEPARTURE)
    passing, _ = _column(cells, kind, _PASS)
    has_public, bad_public = _has_public(cells, kind)
    is_bad = bad_arrival | bad_departure | bad_public
    activities = _activities(cells, kind)
    has_public &= ~(activities == _NOT_ADVERTISED).any(axis=1)
    is_public = has_public | _is_public_at_midnight(activities, arrival, departure, has_public, schedule)
    is_bad |= is_public & np.isnan(arrival) & np.isnan(departure)
    # 1012 and 1010 are not a stand of a day: which of the two is wrong cannot be told. Goods trains do stand for hours.
    is_bad |= is_public & (np.mod(departure - arrival, _DAY_MIN) > LONGEST_STAND_MIN)
    for minutes in (arrival, departure, passing):
        minutes[is_bad] = np.nan
    leaves = np.where(np.isnan(departure), passing, departure)
    arrival, leaves, cannot_follow = _run_over_midnight(arrival, leaves, schedule)
    is_one_way = np.isin(activities, _ONE_WAY).any(axis=1) & (kind == b"LI")
    return Times(arrival, np.where(np.isnan(departure), np.nan, leaves), is_public, is_bad, is_one_way, cannot_follow)


def _column(cells: Cells, kind: NDArray[np.bytes_], starts: dict[bytes, int]) -> tuple[FloatArray, BoolArray]:
    minutes, is_bad = np.full(len(cells), np.nan), np.zeros(len(cells), dtype=bool)
    for code, start in starts.items():
        mine = kind == code
        minutes[mine], is_bad[mine] = _minutes(cells[mine, start : start + 5])
    return minutes, is_bad


def _minutes(cells: Cells) -> tuple[FloatArray, BoolArray]:
    """Minutes after midnight of HHMM with H for a half, NaN where blank, and which cells are neither."""
    digits = cells[:, :4].astype(np.int16) - ord("0")
    hour, minute = digits[:, 0] * 10 + digits[:, 1], digits[:, 2] * 10 + digits[:, 3]
    is_time = ((digits >= 0) & (digits <= 9)).all(axis=1) & (hour < 24) & (minute < 60)
    half = 0.0
    if cells.shape[1] > 4:
        half = 0.5 * (cells[:, 4] == _HALF)
        is_time &= (cells[:, 4] == _HALF) | (cells[:, 4] == _BLANK)
    is_blank = (cells == _BLANK).all(axis=1)
    return np.where(is_time, hour * 60.0 + minute + half, np.nan), ~is_time & ~is_blank


def _has_public(cells: Cells, kind: NDArray[np.bytes_]) -> tuple[BoolArray, BoolArray]:
    """Whether each record has a public time after midnight, and whether one of them is no time."""
    has_public, is_bad = np.zeros(len(cells), dtype=bool), np.zeros(len(cells), dtype=bool)
    for code, starts in _PUBLIC.items():
        mine = kind == code
        for start in starts:
            minutes, bad = _minutes(cells[mine, start : start + 4])
            has_public[mine] |= minutes > 0
            is_bad[mine] |= bad
    return has_public, is_bad


def _activities(cells: Cells, kind: NDArray[np.bytes_]) -> NDArray[np.bytes_]:
    """The six activities of each record, two letters each."""
    found = np.full((len(cells), _N_ACTIVITIES), b"  ", dtype="S2")
    for code, start in _ACTIVITY.items():
        mine = kind == code
        columns = np.ascontiguousarray(cells[mine, start : start + 2 * _N_ACTIVITIES])
        found[mine] = columns.view("S2").reshape(-1, _N_ACTIVITIES)
    return found


def _is_public_at_midnight(
    activities: NDArray[np.bytes_],
    arrival: FloatArray,
    departure: FloatArray,
    has_public: BoolArray,
    schedule: NDArray[np.int64],
) -> BoolArray:
    """Records about midnight that passengers may use, of trains that have other public calls."""
    near = np.zeros(len(activities), dtype=bool)
    for minutes in (arrival, departure):
        near |= (minutes >= _DAY_MIN - _BEFORE_MIDNIGHT_MIN) | (minutes <= _AFTER_MIDNIGHT_MIN)
    near &= ~has_public & np.isin(schedule, schedule[has_public])
    at = np.flatnonzero(near)
    is_advertised = ~(activities[at] == _NOT_ADVERTISED).any(axis=1)
    near[at] = is_advertised & np.isin(activities[at], _FOR_PASSENGERS).any(axis=1)
    return near


def _run_over_midnight(
    arrival: FloatArray, leaves: FloatArray, schedule: NDArray[np.int64]
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Times of each schedule that never run backwards, and records that come too long after the one before."""
    times = np.column_stack([arrival, leaves]).ravel()
    record = np.repeat(np.arange(len(schedule)), 2)
    has_time = np.isfinite(times)
    own, at = times[has_time], record[has_time]
    cannot_follow = np.zeros(len(schedule), dtype=bool)
    if len(own) == 0:
        return arrival, leaves, cannot_follow
    of = schedule[at]
    is_same = np.concatenate([[False], of[1:] == of[:-1]])
    step = np.concatenate([[0.0], np.diff(own)])
    days = np.cumsum(is_same & (step < 0))
    days = days - days[np.flatnonzero(~is_same)][np.cumsum(~is_same) - 1]
    is_stand = np.concatenate([[False], at[1:] == at[:-1]])
    most_min = np.where(is_stand, _LONGEST_WAIT_MIN, LONGEST_RUN_MIN)
    cannot_follow[at[is_same & (np.mod(step, _DAY_MIN) > most_min)]] = True
    times[has_time] = own + days * _DAY_MIN
    rolled = times.reshape(-1, 2)
    return rolled[:, 0], rolled[:, 1], cannot_follow
