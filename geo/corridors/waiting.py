"""The wait for a train where several kinds of train go: waits of rides in, waits for the first worth taking out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["group_starts", "pool_waits"]

IntArray = NDArray[np.int32]
FloatArray = NDArray[np.float64]


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
