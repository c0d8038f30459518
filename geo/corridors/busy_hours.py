"""
The busiest hours of a week in as few words as can be: one block of days and hours that holds half of the trips.

In come the shares of `geo.tables.STATION_HOURS` of one station. A list of scattered hours would hold as much in fewer,
but nobody makes a roster of those.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geo.corridors.hours import HOURS_PER_DAY, HOURS_PER_WEEK, N_DAYS

__all__ = ["find_busy_block"]

FloatArray = NDArray[np.float64]

# Shares are compared as finely as this, so that a last bit decides no block.
_DECIMALS = 9


def find_busy_block(week_share: FloatArray, *, least_share: float = 0.5) -> tuple[int, int, int, int]:
    """
    Find the fewest hours, the same on days that follow each other, that hold a share of the trips.

    Parameters
    ----------
    week_share : numpy.ndarray of shape (168,)
        Shares of the hours of one station; sum to 1.
    least_share : float
        Share to be held.

    Returns
    -------
    tuple of int
        First day (0 is Monday), number of days (past Sunday it is Monday again), first hour and hour of the end. Of
        blocks with equally many hours, the one that holds most, then the first.

    Examples
    --------
    >>> share = np.zeros(168)
    >>> share[[2 * 24 + 19, 3 * 24 + 19, 4 * 24 + 8]] = [0.4, 0.4, 0.2]
    >>> find_busy_block(share)
    (2, 2, 19, 20)
    """
    week = np.asarray(week_share, dtype=float).reshape(N_DAYS, HOURS_PER_DAY)
    twice = np.zeros((2 * N_DAYS + 1, HOURS_PER_DAY + 1))
    twice[1:, 1:] = np.vstack([week, week]).cumsum(axis=0).cumsum(axis=1)
    first, n_days, start, end = _BLOCKS
    held = twice[first + n_days, end] - twice[first, end] - twice[first + n_days, start] + twice[first, start]
    held = np.round(held, _DECIMALS)
    n_hours = np.where(held >= round(least_share, _DECIMALS), n_days * (end - start), HOURS_PER_WEEK)
    fewest = np.flatnonzero(n_hours == n_hours.min())
    best = fewest[np.lexsort((start[fewest], first[fewest], n_days[fewest], -held[fewest]))[0]]
    return int(first[best]), int(n_days[best]), int(start[best]), int(end[best])


def _all_blocks() -> tuple[NDArray[np.int64], ...]:
    """First day, days, first hour and end of every block of a week; all seven days once."""
    days = [(first, n) for n in range(1, N_DAYS + 1) for first in range(N_DAYS if n < N_DAYS else 1)]
    hours = [(start, end) for start in range(HOURS_PER_DAY) for end in range(start + 1, HOURS_PER_DAY + 1)]
    every = np.array([(*day, *hour) for day in days for hour in hours], dtype=np.int64)
    return tuple(every.T)


_BLOCKS = _all_blocks()
