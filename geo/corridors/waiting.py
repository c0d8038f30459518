"""
The wait for a train: how long it is where several kinds of train go, and what it is worth.

Whoever changes trains waits for the next. Whoever sets out knows the timetable where trains are few: then what an
interval costs is less the wait on the platform than that no train goes when one would.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["PLANNED_MIN", "PLANNED_WEIGHT", "WAIT_WEIGHT", "group_starts", "pool_waits", "price_first_wait"]

IntArray = NDArray[np.int32]
FloatArray = NDArray[np.float64]

# Twice in-vehicle time is "the commonly used value"; Abrantes and Wardman (2011), "Meta-analysis of UK values of travel
# time: An update", Transportation Research Part A 45(1), find UK studies lower, so a what-if should try 1.5.
WAIT_WEIGHT = 2.0
# ASSUMPTION. Of a journey that is planned: fifteen minutes, and two fifths of the time between trains, so 0.8 of half
# of that. British rail forecasting uses such penalties for the interval of a service (Passenger Demand Forecasting
# Handbook); an hourly train costs two thirds of its wait at full weight.
PLANNED_MIN, PLANNED_WEIGHT = 15.0, 0.8


def pool_waits(
    tail: IntArray, head: IntArray, wait_min: FloatArray, run_min: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """
    Pool the waits of rides between the same two stations.

    Parameters
    ----------
    tail, head : numpy.ndarray of shape (n_rides,)
        Stations of boarding and alighting.
    wait_min : numpy.ndarray of shape (n_rides,)
        Half the time between the trains of each ride; 0 where nobody waits.
    run_min : numpy.ndarray of shape (n_rides,)
        Minutes on board.

    Returns
    -------
    wait_min : numpy.ndarray of shape (n_rides,)
        Minutes until the first of all trains that are worth taking. A train is, if it takes no longer than waiting for
        a quicker one and riding that [1]_, whatever its calls; the others keep their own wait.
    share : numpy.ndarray of shape (n_rides,)
        Share of each ride's trains of those; 1 for the others.

    References
    ----------
    .. [1] Chriqui, C. and Robillard, P. (1975). "Common bus lines." Transportation Science 9(2), 115-121.
    """
    pooled, share = wait_min.copy(), np.ones(wait_min.size)
    rows = np.flatnonzero(wait_min > 0)
    if not rows.size:
        return pooled, share
    rows = rows[np.lexsort((run_min[rows], head[rows], tail[rows]))]
    starts = group_starts(tail[rows], head[rows])
    group = np.zeros(rows.size, dtype=np.int64)
    group[starts[1:]] = 1
    group = np.cumsum(group)
    frequency = 1.0 / wait_min[rows]
    base = np.concatenate([[0.0], np.cumsum(frequency)])
    sums = base[1:] - base[starts][group]
    riding = np.concatenate([[0.0], np.cumsum(frequency * run_min[rows])])
    mean_run = (riding[1:] - riding[starts][group]) / sums
    bound = np.concatenate([[np.inf], (mean_run + 1.0 / sums)[:-1]])
    bound[starts] = np.inf
    is_worse = run_min[rows] >= bound
    n_worse = np.cumsum(is_worse)
    is_taken: NDArray[np.bool_] = n_worse - (n_worse - is_worse)[starts][group] == 0
    total = np.add.reduceat(np.where(is_taken, frequency, 0.0), starts)[group]
    taken = rows[is_taken]
    pooled[taken] = 1.0 / total[is_taken]
    share[taken] = frequency[is_taken] / total[is_taken]
    return pooled, share


def price_first_wait(wait_min: FloatArray, *, wait_weight: float = WAIT_WEIGHT) -> FloatArray:
    """
    Price the wait before the first train of a journey.

    Parameters
    ----------
    wait_min : numpy.ndarray
        Half the time between trains; 0 where nobody waits.
    wait_weight : float
        Generalised minutes for each minute that is waited.

    Returns
    -------
    numpy.ndarray
        Generalised minutes, the lesser of coming at random and of planning by the timetable; never more than
        ``wait_weight * wait_min``.

    Examples
    --------
    >>> price_first_wait(np.array([0.0, 5.0, 30.0, 60.0])).tolist()
    [0.0, 10.0, 39.0, 63.0]
    """
    return np.minimum(wait_weight * wait_min, PLANNED_MIN + PLANNED_WEIGHT * wait_min)


def group_starts(*keys: NDArray[np.generic]) -> NDArray[np.int64]:
    """
    Find where a new group begins in sorted keys.

    Parameters
    ----------
    *keys : numpy.ndarray of shape (n,)
        Sorted together; rows of a group are alike in all.

    Returns
    -------
    numpy.ndarray of shape (n_groups,)
        Positions.
    """
    new = np.zeros(keys[0].size, dtype=bool)
    new[:1] = True
    for key in keys:
        new[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(new)
