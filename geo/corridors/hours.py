r"""
When couriers pass: the trips of each station laid over the 168 hours of a week.

In come SERVICE_CALLS and SERVICE_DEPARTURES where there is a timetable, timed records near the stations where there are
any, and trips a month; out comes `geo.tables.STATION_HOURS`. Before any record, trips go as trains that serve the
station times a stated pattern of the week,

.. math:: \pi_{kh} \propto g_h \, n_{kh},

where an unknown :math:`n_{kh}` is 1 in the hours in which trains are taken to run. Records :math:`r_{kh}` then update a
Dirichlet prior that weighs as much as :math:`c` of them: :math:`\theta_{kh} = (c \pi_{kh} + r_{kh}) / (c + r_k)`.

The pattern that is assumed is the one named for hot spots of the London Underground, Wednesday to Saturday, 15:00 to
22:00 (Ariel, Sherman and Newton [1]_). No source gives hours of couriers.

References
----------
.. [1] Ariel, B., Sherman, L. W. and Newton, M. (2020). "Testing hot-spots police patrols against no-treatment controls:
   Temporal and spatial deterrence effects in the London Underground experiment." Criminology 58(1), 101-128.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.errors import InputError, UsageError
from geo.schema import validate
from geo.tables import SERVICE_CALLS, SERVICE_DEPARTURES, STATION_HOURS

__all__ = ["HOURS_PER_DAY", "HOURS_PER_WEEK", "N_DAYS", "allot_hours", "count_trains", "expect_hours", "state_pattern"]

FloatArray = NDArray[np.float64]

HOURS_PER_WEEK = 168
HOURS_PER_DAY = 24
N_DAYS = 7
_MINUTES_PER_HOUR = 60.0
_START = ["pattern_id", "hour_of_week", "n_departures", "start_min"]


def count_trains(calls: pd.DataFrame, departures: pd.DataFrame, station_ids: Sequence[str]) -> FloatArray:
    """
    Count the trains at the platforms of each station by hour of the week.

    A train counts in the hour in which it leaves, or comes where it ends. Where the table keeps only the hour of its
    start, starts are spread evenly over that hour. Past Sunday midnight it is Monday again.

    Parameters
    ----------
    calls : pandas.DataFrame
        Table `geo.tables.SERVICE_CALLS`. Never modified.
    departures : pandas.DataFrame
        Table `geo.tables.SERVICE_DEPARTURES`, with or without ``start_min``. Never modified.
    station_ids : sequence of str
        CRS codes.

    Returns
    -------
    numpy.ndarray of shape (n_stations, 168)
        Trains a week; rows in the order of `station_ids`, a row of nothing where no train calls.

    Raises
    ------
    TableError
        If a table breaks its contract.
    """
    validate(calls, SERVICE_CALLS)
    validate(departures, SERVICE_DEPARTURES)
    wanted = pd.Index(station_ids)
    here = calls[calls["station_id"].isin(wanted)][["pattern_id", "station_id", "arrival_min", "departure_min"]]
    rows = here.merge(departures.drop(columns=departures.columns.difference(_START)), on="pattern_id")
    at_min = rows["departure_min"].fillna(rows["arrival_min"]).fillna(0.0).to_numpy(dtype=float)
    later, over_share = np.divmod(at_min / _MINUTES_PER_HOUR, 1.0)
    if "start_min" in rows.columns:
        later, over_share = (at_min + rows["start_min"].to_numpy(dtype=float)) // _MINUTES_PER_HOUR, np.zeros(len(rows))
    hour = rows["hour_of_week"].to_numpy(dtype=np.int64) + later.astype(np.int64)
    station = wanted.get_indexer(pd.Index(rows["station_id"]))
    n = rows["n_departures"].to_numpy(dtype=float)
    cells = np.concatenate([_cell(station, hour), _cell(station, hour + 1)])
    weights = np.concatenate([n * (1.0 - over_share), n * over_share])
    # Sorted, so that the order of the rows decides no last bit.
    order = np.lexsort((weights, cells))
    total = np.bincount(cells[order], weights=weights[order], minlength=len(wanted) * HOURS_PER_WEEK)
    return np.asarray(total.reshape(len(wanted), HOURS_PER_WEEK), dtype=float)


def state_pattern(
    *,
    busy_days: Collection[int],
    busy_h: tuple[float, float],
    busy_share: float,
    running_h: tuple[float, float],
) -> tuple[FloatArray, FloatArray]:
    """
    State how trips go over a week before anything is known.

    Parameters
    ----------
    busy_days : collection of int
        Days of the busy hours, 0 is Monday.
    busy_h, running_h : tuple of float
        Start and end, hours after midnight, of the busy hours and of those in which trains are taken to run.
    busy_share : float
        Share of the trips that is made in the busy hours where trains run evenly.

    Returns
    -------
    pattern : numpy.ndarray of shape (168,)
        Trips for each train, up to a factor.
    running : numpy.ndarray of shape (168,)
        Share of each hour in which trains are taken to run.

    Raises
    ------
    UsageError
        If the busy hours are none, or all, of those in which trains run, or a time or share is out of range.
    """
    running = np.tile(_covered(running_h), N_DAYS)
    is_busy_day = np.repeat(np.isin(np.arange(N_DAYS), list(busy_days)), HOURS_PER_DAY)
    busy = np.where(is_busy_day, np.tile(_covered(busy_h), N_DAYS), 0.0)
    n_busy, n_running = float((busy * running).sum()), float(running.sum())
    if not 0 < busy_share < 1 or not 0 < n_busy < n_running:
        msg = (
            f"hours: busy_share is {busy_share!r} of {n_busy:g} busy hours in {n_running:g} hours with trains, "
            "expected a share between 0 and 1 and some hours of each kind. Mend the [hours] settings."
        )
        raise UsageError(msg)
    pattern = busy * busy_share / n_busy + (1.0 - busy) * (1.0 - busy_share) / (n_running - n_busy)
    return pattern, running


def expect_hours(pattern: FloatArray, running: FloatArray, trains: FloatArray) -> FloatArray:
    """
    Give the shares of the hours before any record.

    Parameters
    ----------
    pattern, running : numpy.ndarray of shape (168,)
        From `state_pattern`.
    trains : numpy.ndarray of shape (n_stations, 168)
        From `count_trains`; a row of nothing where no timetable covers the station.

    Returns
    -------
    numpy.ndarray of shape (n_stations, 168)
        Each row sums to 1, and is 0 in an hour without a train.
    """
    is_known = trains.sum(axis=1) > 0
    served = np.where(is_known[:, None], trains, running)
    weight = served * pattern
    return np.asarray(weight / weight.sum(axis=1, keepdims=True), dtype=float)


def allot_hours(
    trips: pd.Series,
    expected: FloatArray,
    *,
    trains: FloatArray | None = None,
    records: FloatArray | None = None,
    prior_records: float,
) -> pd.DataFrame:
    """
    Allot the trips of each station to the hours of the week.

    Parameters
    ----------
    trips : pandas.Series
        Courier trips a month by ``station_id``.
    expected : numpy.ndarray of shape (n_stations, 168)
        From `expect_hours`, in the order of `trips`.
    trains : numpy.ndarray of shape (n_stations, 168), optional
        From `count_trains`; without a timetable none.
    records : numpy.ndarray of shape (n_stations, 168), optional
        Timed records near each station, from `geo.hotspots.hours_near`; those in hours of no expectation are not used.
    prior_records : float
        Records that weigh as much as what was expected; positive.

    Returns
    -------
    pandas.DataFrame
        Table `geo.tables.STATION_HOURS`, by station and hour. The hours of a station sum to its trips.

    Raises
    ------
    InputError
        If `prior_records` is not positive or an expectation does not sum to 1.
    """
    if not prior_records > 0 or not np.allclose(expected.sum(axis=1), 1.0):
        msg = (
            f"hours: prior_records is {prior_records!r} and the shares of a station sum to "
            f"{expected.sum(axis=1).min(initial=1.0):g}, expected a positive number and 1. Use expect_hours."
        )
        raise InputError(msg)
    n = len(trips)
    seen = np.zeros_like(expected) if records is None else np.where(expected > 0, records, 0.0)
    share = (prior_records * expected + seen) / (prior_records + seen.sum(axis=1, keepdims=True))
    known = np.full(n, False) if trains is None else trains.sum(axis=1) > 0
    # A record far off moves the hours a little, but they do not rest on it.
    basis = np.where(
        seen.sum(axis=1) >= 1,
        np.where(known, "trains and records", "records"),
        np.where(known, "trains", "assumption"),
    )
    stations = np.repeat(trips.index.astype(str).to_numpy(dtype=object), HOURS_PER_WEEK)
    hour = np.tile(np.arange(HOURS_PER_WEEK, dtype=np.int64), n)
    shown = np.full((n, HOURS_PER_WEEK), np.nan) if trains is None else np.where(known[:, None], trains, np.nan)
    table = pd.DataFrame(
        {
            "station_id": pd.array(stations, dtype="str"),
            "hour_of_week": hour,
            "n_trains": shown.ravel(),
            "n_records": seen.ravel(),
            "week_share": share.ravel(),
            "trips_per_month": (share * trips.to_numpy(dtype=float)[:, None]).ravel(),
            "hours_basis": pd.array(np.repeat(basis.astype(object), HOURS_PER_WEEK), dtype="str"),
        },
        index=pd.Index([f"{s}:{h:03d}" for s, h in zip(stations, hour, strict=True)], name="station_hour_id"),
    )
    table.index = table.index.astype("str")
    return validate(table, STATION_HOURS)


def _cell(station: NDArray[np.intp], hour: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.asarray(station * HOURS_PER_WEEK + hour % HOURS_PER_WEEK, dtype=np.int64)


def _covered(span_h: tuple[float, float]) -> FloatArray:
    """Share of each hour of a day that lies in a span; the span may end past midnight."""
    start_h, end_h = span_h
    if not 0 <= start_h < end_h <= start_h + HOURS_PER_DAY:
        msg = f"hours: {start_h!r} to {end_h!r} is no span of a day, expected a start and a later end. Mend it."
        raise UsageError(msg)
    hour = np.arange(2 * HOURS_PER_DAY + 1)
    covered = np.clip(np.minimum(hour + 1, end_h) - np.maximum(hour, start_h), 0.0, 1.0)
    return np.asarray(covered[:HOURS_PER_DAY] + covered[HOURS_PER_DAY : 2 * HOURS_PER_DAY], dtype=float)
