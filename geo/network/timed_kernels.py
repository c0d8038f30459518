"""
The two loops behind times by timetable: latest departures carried over the trains, and journeys put into periods.

Both are compiled once and cached beside this file. They know nothing of railways: arrays in, arrays out.
"""

# Numba reads no annotations.
# ruff: noqa: ANN001, ANN201, ANN202

from __future__ import annotations

import numpy as np

from geo.compiled import compiled

__all__ = ["carry", "profile"]

_MIN_PER_HOUR = 60.0


@compiled
def carry(start, train, tail, depart_min, arrive_min, ready_min, ready_run, into, n_trains):  # type: ignore[no-untyped-def]
    """
    Carry the latest time of leaving one station over all runs of trains.

    Parameters
    ----------
    start : int
        The station.
    train, tail : numpy.ndarray of int, shape (n_runs,)
        Train and first station of each run, by departure.
    depart_min, arrive_min : numpy.ndarray of shape (n_runs,)
        When it leaves and comes.
    ready_min, ready_run : numpy.ndarray of shape (n_ready,)
        When passengers can board another train and which run they come from, by station and then by time.
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
    idle_min : numpy.ndarray of shape (n_runs,)
        Minutes between trains on that way.
    """
    n_runs, n_stations = len(train), len(into) - 1
    left_min, n_changes, idle_min = np.full(n_runs, -np.inf), np.zeros(n_runs, dtype=np.int64), np.zeros(n_runs)
    # The run by which the passenger who left latest is on each train; of each station who stands there, and since when.
    on_train = np.full(n_trains, -1, dtype=np.int64)
    stood_left, stood_changes = np.full(n_stations, -np.inf), np.zeros(n_stations, dtype=np.int64)
    stood_idle, stood_since = np.zeros(n_stations), np.zeros(n_stations)
    come = into[:-1].copy()
    for run in range(n_runs):
        at = tail[run]
        while come[at] < into[at + 1] and ready_min[come[at]] <= depart_min[run]:
            other = ready_run[come[at]]
            come[at] += 1
            # Of equals who came last has waited least.
            if not _is_better(stood_left[at], stood_changes[at], left_min[other], n_changes[other]):
                stood_left[at], stood_changes[at] = left_min[other], n_changes[other]
                stood_idle[at], stood_since[at] = idle_min[other], arrive_min[other]
        aboard = on_train[train[run]]
        if at == start:
            left_min[run] = depart_min[run]
        elif stood_left[at] > -np.inf and (
            aboard < 0 or _is_better(stood_left[at], stood_changes[at] + 1, left_min[aboard], n_changes[aboard])
        ):
            left_min[run], n_changes[run] = stood_left[at], stood_changes[at] + 1
            idle_min[run] = stood_idle[at] + depart_min[run] - stood_since[at]
        elif aboard >= 0:
            left_min[run], n_changes[run], idle_min[run] = left_min[aboard], n_changes[aboard], idle_min[aboard]
        on_train[train[run]] = run
    return left_min, n_changes, idle_min


@compiled
def _is_better(left, changes, other_left, other_changes):  # type: ignore[no-untyped-def]
    """Whether a passenger left later than another, or as late with fewer changes."""
    return left > other_left or (left == other_left and changes < other_changes)


@compiled
def profile(left_min, n_changes, arrive_min, by_arrival, into, period, most_min, found):  # type: ignore[no-untyped-def]
    """
    Put the journeys to each station into the periods in which they begin.

    Parameters
    ----------
    left_min, n_changes, arrive_min : numpy.ndarray of shape (n_runs,)
        Latest departure from the origin, changes, and arrival of each run.
    by_arrival : numpy.ndarray of int, shape (n_runs,)
        Runs by station of arrival and then by time.
    into : numpy.ndarray of int, shape (n_stations + 1,)
        Where the runs into each station start in that.
    period : numpy.ndarray of int, shape (168,)
        Place of each hour of the week on the last axis, -1 for an hour that is not asked for.
    most_min : float
        A journey that takes longer, wait included, is none.
    found : numpy.ndarray of shape (5, n_stations, n_periods)
        Written: mean minutes with the first wait, least without it, journeys, their mean minutes without it, changes.
    """
    n_periods = found.shape[2]
    length_min = np.zeros(n_periods)
    for hour in range(len(period)):
        if period[hour] >= 0:
            length_min[period[hour]] += _MIN_PER_HOUR
    for station in range(len(into) - 1):
        own, n_minutes = np.zeros((5, n_periods)), np.zeros(n_periods)
        own[1] = np.inf
        latest = -np.inf
        for run in _unbeaten(left_min, n_changes, arrive_min, by_arrival[into[station] : into[station + 1]]):
            left, ride = left_min[run], arrive_min[run] - left_min[run]
            k = _period_of(left, period)
            if k >= 0 and ride <= most_min:
                own[1, k] = min(own[1, k], ride)
                own[2, k] += 1.0
                own[3, k] += ride
                own[4, k] += n_changes[run]
            _add_minutes(own[0], n_minutes, period, max(latest, arrive_min[run] - most_min), left, arrive_min[run])
            latest = left
        for k in range(n_periods):
            own[0, k] = own[0, k] / length_min[k] if n_minutes[k] == length_min[k] else np.inf
            own[3:, k] /= max(own[2, k], 1.0)
            if own[2, k] == 0:
                own[3, k] = np.inf
        found[:, station] = own


@compiled
def price(  # type: ignore[no-untyped-def]
    left_min,
    n_changes,
    idle_min,
    arrive_min,
    by_arrival,
    into,
    period,
    most_min,
    most_wait_min,
    weights,
    found,
):
    """
    Price the journeys to each station that are worth waiting for.

    Parameters
    ----------
    left_min, n_changes, idle_min, arrive_min, by_arrival, into, period, most_min
        As for `profile` and from `carry`; hours whose place is not negative count alike.
    most_wait_min : float
        No first wait counts longer.
    weights : numpy.ndarray of shape (5,)
        Generalised minutes more for each minute between trains, and for each change; for each minute of the first wait,
        or of a planned one fixed and for each minute.
    found : numpy.ndarray of shape (2, n_stations)
        Written: generalised and clock minutes with the first wait; infinite where no journey begins in those hours.
    """
    idle_weight, change_min, wait_weight, planned_min, planned_weight = weights
    length_min = _MIN_PER_HOUR * (period >= 0).sum()
    for station in range(len(into) - 1):
        runs = _unbeaten(left_min, n_changes, arrive_min, by_arrival[into[station] : into[station + 1]])
        cost, ride = np.empty(len(runs)), np.empty(len(runs))
        n = 0
        for run in runs:
            minutes = arrive_min[run] - left_min[run]
            if _period_of(left_min[run], period) >= 0 and minutes <= most_min:
                cost[n], ride[n] = minutes + idle_weight * idle_min[run] + change_min * n_changes[run], minutes
                n += 1
        found[:, station] = np.inf
        cost_sum, ride_sum = 0.0, 0.0
        # The cheapest journeys first: one more is taken while the shorter wait is worth its cost.
        order = np.argsort(cost[:n])
        for k in range(n):
            cost_sum += cost[order[k]]
            ride_sum += ride[order[k]]
            wait_min = min(length_min / (k + 1.0) / 2.0, most_wait_min)
            waited = min(wait_weight * wait_min, planned_min + planned_weight * wait_min)
            whole = waited + cost_sum / (k + 1.0)
            if whole < found[0, station]:
                found[0, station], found[1, station] = whole, wait_min + ride_sum / (k + 1.0)


@compiled
def _period_of(left, period):  # type: ignore[no-untyped-def]
    hour = int(np.floor(left / _MIN_PER_HOUR))
    return period[hour] if 0 <= hour < len(period) else -1


@compiled
def _unbeaten(left_min, n_changes, arrive_min, by_arrival):  # type: ignore[no-untyped-def]
    """Of the runs into one station by arrival, those that no other beats by leaving later and arriving no later."""
    kept = np.empty(len(by_arrival), dtype=np.int64)
    n = 0
    for run in by_arrival:
        if left_min[run] == -np.inf:
            continue
        is_later = n == 0 or left_min[run] > left_min[kept[n - 1]]
        # Of runs that arrive together one is kept.
        if n > 0 and arrive_min[run] == arrive_min[kept[n - 1]]:
            if _is_better(left_min[run], n_changes[run], left_min[kept[n - 1]], n_changes[kept[n - 1]]):
                kept[n - 1] = run
        elif is_later:
            kept[n] = run
            n += 1
    return kept[:n]


@compiled
def _add_minutes(sum_min, n_minutes, period, after, left, arrive):  # type: ignore[no-untyped-def]
    """Whoever comes after one time and no later than a departure takes it; minutes are met half-way."""
    minute, end = max(int(np.floor(after - 0.5)) + 1, 0), int(np.floor(left - 0.5)) + 1
    while minute < end and minute < _MIN_PER_HOUR * len(period):
        hour = int(minute // _MIN_PER_HOUR)
        until = min(end, int(_MIN_PER_HOUR) * (hour + 1))
        k, n = period[hour], until - minute
        if k >= 0:
            sum_min[k] += n * (arrive - (minute + until) / 2.0)
            n_minutes[k] += n
        minute = until
