"""
Timed records near stations, by hour of the week: `geo.tables.OFFENCES` and stations in, counts out.

A record that knows a from and a to counts at every hour between, each as much as the hour was expected to hold (one
step of expectation, where aoristic analysis spreads evenly [1]_): a record of some day says which day, and nothing of
the hour. It counts the less the farther from the station it lies, as `models` lets offences fade.

References
----------
.. [1] Ratcliffe, J. H. (2000). "Aoristic analysis: the spatial interpretation of unspecific temporal events."
   International Journal of Geographical Information Science 14(7), 669-679.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.spatial import KDTree

from geo.hotspots.rhythm import HOURS_PER_WEEK, wall_clock_hours
from geo.tables import OFFENCES

__all__ = ["count_records_near", "select_timed"]

FloatArray = NDArray[np.float64]

FADE_M = 600.0
# Beyond three lengths a record counts less than a twentieth.
REACH_M = 3 * FADE_M
# The hours of what the police went out to find, or of a cell, are those of the police.
_OWN_HOURS = ("police_proactive", "custody_location")


def select_timed(offences: pd.DataFrame) -> pd.DataFrame:
    """
    Select the offences whose time says something of the hour at which couriers are about.

    Parameters
    ----------
    offences : pandas.DataFrame
        Table `geo.tables.OFFENCES`. Never modified.

    Returns
    -------
    pandas.DataFrame
        Located rows with a from that is not after their to, less than a week apart, that the police did not go out to
        find.
    """
    end = offences["occurred_to_at"].fillna(offences["occurred_from_at"])
    span = end - offences["occurred_from_at"]
    is_timed = (offences["time_precision"] != "month") & (span >= pd.Timedelta(0)) & (span < pd.Timedelta(days=7))
    is_free = ~offences["provenance"].isin(_OWN_HOURS)
    return offences[is_timed & is_free & offences["easting_m"].notna()][list(OFFENCES.columns)]


def count_records_near(
    timed: pd.DataFrame,
    stations: pd.DataFrame,
    expected: FloatArray,
    *,
    fade_m: float = FADE_M,
    reach_m: float = REACH_M,
    time_zone: str = "Europe/London",
) -> FloatArray:
    """
    Count timed records near each station by hour of the week.

    Parameters
    ----------
    timed : pandas.DataFrame
        From `select_timed`.
    stations : pandas.DataFrame
        With ``easting_m, northing_m``.
    expected : numpy.ndarray of shape (n_stations, 168)
        Shares of the hours before any record, in the order of `stations`.
    fade_m : float
        Metres over which a record comes to count 37 %.
    reach_m : float
        Metres beyond which it does not count.
    time_zone : str
        Clock by which the hours are named.

    Returns
    -------
    numpy.ndarray of shape (n_stations, 168)
        Weighted records; nothing in hours of no expectation, which are no hours of trains.
    """
    total = np.zeros((len(stations), HOURS_PER_WEEK))
    if timed.empty:
        return total
    timed = timed.sort_index()
    spread = _spread(timed, time_zone)
    points = timed[["easting_m", "northing_m"]].to_numpy(dtype=float)
    places = stations[["easting_m", "northing_m"]].to_numpy(dtype=float)
    near = KDTree(points).query_ball_point(places, reach_m, return_sorted=True)
    for k, rows in enumerate(near):
        if not rows:
            continue
        weight = np.exp(-np.hypot(*(points[rows] - places[k]).T) / fade_m)
        share = spread[rows]
        held = np.asarray(share @ expected[k], dtype=float).ravel()
        # A record at hours when no train runs tells nothing of those who come by train.
        factor = np.where(held > 0, weight / np.where(held > 0, held, 1.0), 0.0)
        total[k] = expected[k] * np.asarray(share.T @ factor, dtype=float).ravel()
    return total


def _spread(timed: pd.DataFrame, time_zone: str) -> sparse.csr_matrix:
    """Share of the time in which each record may have happened that lies in each hour of the week."""
    begin, finish = wall_clock_hours(timed["occurred_from_at"], timed["occurred_to_at"], time_zone=time_zone)
    first = np.floor(begin).astype(np.int64)
    n_hours = np.maximum(np.ceil(finish).astype(np.int64) - first, 1)
    row = np.repeat(np.arange(len(timed)), n_hours)
    hour = first[row] + np.arange(row.size) - np.repeat(np.cumsum(n_hours) - n_hours, n_hours)
    length = (finish - begin)[row]
    spent = np.minimum(finish[row], hour + 1) - np.maximum(begin[row], hour)
    share = np.where(length > 0, spent / np.where(length > 0, length, 1.0), 1.0)
    return sparse.csr_matrix((share, (row, hour % HOURS_PER_WEEK)), shape=(len(timed), HOURS_PER_WEEK))
