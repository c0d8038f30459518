"""
The two loops behind times by timetable: latest departures carried over the trains, and journeys put into hours.

Both are compiled once and cached beside this file. They know nothing of railways: arrays in, arrays out.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["carry", "profile"]

_MIN_PER_HOUR = 60.0


@njit(cache=True, nogil=True)
def carry(start, train, tail, depart_min, ready_min, ready_run, into, n_trains):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """
    Carry the latest time of leaving one station over all runs of trains.

    Parameters
    ----------
    start : int
        The station.
    train, tail : numpy.ndarray of int, shape (n_runs,)
        Train and first station of each run, by departure.
    depart_min : numpy.ndarray of shape (n_runs,)
        When it leaves.
    ready_min, ready_run : numpy.ndarray of shape (n_runs,)
        When its passengers can board another train and which run it is, by station and then by time.
    into : numpy.ndarray of int, shape (n_stations + 1,)
        Where the runs into each station start in those.
    n_trains : int
        How many trains there are.

    Returns
    -------
    left_min : numpy.ndarray of shape (n_runs,)
        The latest departure from `start` that reaches the run; minus infinity where none does.
    n_changes : numpy.ndarray of int, shape (n_runs,)
        Changes of train on the way to it; the fewest of those that left latest.
    """
    n_runs, n_stations = len(train), len(into) - 1
    left_min, n_changes = np.full(n_runs, -np.inf), np.zeros(n_runs, dtype=np.int64)
    on_train, changes_on = np.full(n_trains, -np.inf), np.zeros(n_trains, dtype=np.int64)
    on_platform, changes_at = np.full(n_stations, -np.inf), np.zeros(n_stations, dtype=np.int64)
    come = into[:-1].copy()
    for run in range(n_runs):
        at = tail[run]
        while come[at] < into[at + 1] and ready_min[come[at]] <= depart_min[run]:
            other = ready_run[come[at]]
            come[at] += 1
            is_later = left_min[other] > on_platform[at]
            if is_later or (left_min[other] == on_platform[at] and n_changes[other] < changes_at[at]):
                on_platform[at], changes_at[at] = left_min[other], n_changes[other]
        best, changes = on_train[train[run]], changes_on[train[run]]
        if at == start:
            best, changes = depart_min[run], 0
        elif on_platform[at] > best or (on_platform[at] == best and changes_at[at] + 1 < changes):
            best, changes = on_platform[at], changes_at[at] + 1
        on_train[train[run]] = left_min[run] = best
        changes_on[train[run]] = n_changes[run] = changes
    return left_min, n_changes


@njit(cache=True, nogil=True)
def profile(left_min, n_changes, arrive_min, by_arrival, into, slot, most_min, found):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """
    Put the journeys to each station into the hours in which they begin.

    Parameters
    ----------
    left_min, n_changes, arrive_min : numpy.ndarray of shape (n_runs,)
        Latest departure from the origin, changes, and arrival of each run.
    by_arrival : numpy.ndarray of int, shape (n_runs,)
        Runs by station of arrival and then by time.
    into : numpy.ndarray of int, shape (n_stations + 1,)
        Where the runs into each station start in that.
    slot : numpy.ndarray of int, shape (168,)
        Place of each hour of the week on the last axis, -1 for an hour that is not asked for.
    most_min : float
        A journey that takes longer, wait included, is none.
    found : numpy.ndarray of shape (5, n_stations, n_hours)
        Written: mean minutes with the first wait, least without it, journeys, their mean minutes without it, changes.
    """
    for station in range(len(into) - 1):
        own = found[:, station]
        own[:] = 0.0
        own[1] = np.inf
        n_minutes = np.zeros(found.shape[2])
        latest = -np.inf
        place = into[station]
        while place < into[station + 1]:
            run, place = _best_arrival(left_min, n_changes, arrive_min, by_arrival, place, into[station + 1])
            left, arrive = left_min[run], arrive_min[run]
            if left <= latest:
                continue
            hour = int(np.floor(left / _MIN_PER_HOUR))
            if 0 <= hour < len(slot) and slot[hour] >= 0 and arrive - left <= most_min:
                own[1, slot[hour]] = min(own[1, slot[hour]], arrive - left)
                own[2, slot[hour]] += 1.0
                own[3, slot[hour]] += arrive - left
                own[4, slot[hour]] += n_changes[run]
            _add_minutes(own[0], n_minutes, slot, max(latest, arrive - most_min), left, arrive)
            latest = left
        for k in range(found.shape[2]):
            own[0, k] = own[0, k] / _MIN_PER_HOUR if n_minutes[k] == _MIN_PER_HOUR else np.inf
            n = max(own[2, k], 1.0)
            own[3, k] = own[3, k] / n if own[2, k] > 0 else np.inf
            own[4, k] /= n


@njit(cache=True, nogil=True)
def _best_arrival(left_min, n_changes, arrive_min, by_arrival, place, end):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Of runs that arrive together the one that left last, by fewest changes; and where the next arrival stands."""
    run = by_arrival[place]
    arrive = arrive_min[run]
    while place < end and arrive_min[by_arrival[place]] == arrive:
        other = by_arrival[place]
        is_later = left_min[other] > left_min[run]
        if is_later or (left_min[other] == left_min[run] and n_changes[other] < n_changes[run]):
            run = other
        place += 1
    return run, place


@njit(cache=True, nogil=True)
def _add_minutes(sum_min, n_minutes, slot, after, left, arrive):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Whoever comes after one time and no later than a departure takes it; minutes are met half-way."""
    minute = max(int(np.floor(after - 0.5)) + 1, 0)
    while minute + 0.5 <= left and minute < _MIN_PER_HOUR * len(slot):
        k = slot[int(minute // _MIN_PER_HOUR)]
        if k >= 0:
            sum_min[k] += arrive - (minute + 0.5)
            n_minutes[k] += 1.0
        minute += 1
