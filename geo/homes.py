"""
Which records are of one home, for every count that must reach a threshold before anything of it is told.

One home is often recorded more than once: by another unit under another reference, months later, or with its position
rounded. Counted as several it would pass for a neighbourhood and be shown. So records near each other are one home, and
records near those are of it too: two homes side by side may count as one, one home never counts as two.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

__all__ = ["HOME_M", "label_first", "label_homes", "label_whole"]

# ASSUMPTION: rounding a position to 10 m moves it by up to 14 m, cut off or not, and recorders differ by some metres.
# A terraced house is about 5 m wide, so neighbours are one home too: a count is then too low, which shows less.
HOME_M = 20.0


def label_homes(easting_m: NDArray[np.float64], northing_m: NDArray[np.float64]) -> NDArray[np.int64]:
    """
    Number the home of each record.

    Parameters
    ----------
    easting_m, northing_m : numpy.ndarray of shape (n,)
        Positions of the records in EPSG:27700.

    Returns
    -------
    numpy.ndarray of shape (n,)
        Equal for records of one home: those joined by steps of at most `HOME_M`.

    Examples
    --------
    >>> label_homes(np.array([0.0, 15.0, 30.0, 90.0]), np.zeros(4)).tolist()
    [0, 0, 0, 1]
    """
    n = len(easting_m)
    if n == 0:
        return np.zeros(0, dtype=np.int64)
    pairs = cKDTree(np.column_stack([easting_m, northing_m])).query_pairs(HOME_M, output_type="ndarray")
    near = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    return np.asarray(connected_components(near, directed=False)[1], dtype=np.int64)


def label_first(homes: NDArray[np.int64], *order: NDArray[np.int64] | NDArray[np.float64]) -> NDArray[np.bool_]:
    """
    Choose one record of each home.

    Parameters
    ----------
    homes : numpy.ndarray of shape (n,)
        From `label_homes`.
    *order : numpy.ndarray of shape (n,)
        The record with the smallest is chosen, by the first of them, then the next: months first seen, so that a later
        record of a home does not take the place of an earlier one, then positions.

    Returns
    -------
    numpy.ndarray of shape (n,)
        True for one record of each home.

    Examples
    --------
    >>> label_first(np.array([0, 0, 1]), np.array([5, 4, 9])).tolist()
    [False, True, True]
    """
    rows = np.lexsort(order[::-1])
    is_first = np.zeros(len(homes), dtype=bool)
    is_first[rows[np.unique(homes[rows], return_index=True)[1]]] = True
    return is_first


def label_whole(homes: NDArray[np.int64], inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """
    Tell which records are of a home that lies inside with all its records.

    A home recorded on both sides of a border counts on neither, so that no further record of it adds to a count.

    Parameters
    ----------
    homes : numpy.ndarray of shape (n,)
        From `label_homes`.
    inside : numpy.ndarray of shape (n,)
        Whether each record lies inside.

    Returns
    -------
    numpy.ndarray of shape (n,)
        True for every record of such a home.

    Examples
    --------
    >>> label_whole(np.array([0, 0, 1]), np.array([True, False, True])).tolist()
    [False, False, True]
    """
    is_whole = np.bincount(homes, weights=~inside) == 0
    return np.asarray(is_whole[homes], dtype=bool)
