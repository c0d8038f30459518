r"""
What a journey by rail costs by the clock, where the minutes of the trains are known.

A price from frequencies takes every change as if the next train came at random. Whoever plans takes journeys that fit.
Let :math:`c_1 \le c_2 \le \dots` be the generalised minutes, without the first wait, of the journeys of the hours that
no other beats by leaving later and arriving no later, and H those hours in minutes. Taking the first m of them costs

.. math:: G = \min_m \Big[ p\big(\tfrac{H}{2m}\big) + \frac{1}{m} \sum_{i \le m} c_i \Big],

where p prices the first wait (`geo.corridors.waiting`): as with trains that share a stretch [1]_, a poor journey is
left out unless the shorter wait is worth it. A minute between trains weighs more than one aboard, and a change has its
penalty. A journey that arrives a minute earlier by a needless change hides one without; walks between stations are made
only between two trains.

References
----------
.. [1] Chriqui, C. and Robillard, P. (1975). "Common bus lines." Transportation Science 9(2), 115-121.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geo.corridors.rides import CHANGE_WEIGHT, INTERCHANGE_PENALTY_MIN, FloatArray, IntArray
from geo.corridors.waiting import PLANNED_MIN, PLANNED_WEIGHT, WAIT_WEIGHT
from geo.network.passenger import DEFAULT_INTERCHANGE_MIN, DEFAULT_MAX_WAIT_MIN
from geo.network.timed_journeys import HOURS_PER_WEEK, MOST_MIN, write_out_trains
from geo.network.timed_kernels import price

__all__ = ["TimedPrices", "price_timed_journeys"]


@dataclass(frozen=True)
class TimedPrices:
    """
    Journeys between stations by the clock.

    Attributes
    ----------
    cost_min, time_min : numpy.ndarray of shape (n_stations, n_stations)
        Generalised and clock minutes from the platform of one station to that of another, first wait included;
        infinite where no journey is known.
    """

    cost_min: FloatArray
    time_min: FloatArray

    def from_stations(self, stations: IntArray, start_min: FloatArray) -> tuple[FloatArray, IntArray]:
        """
        Price the journeys to every station from the best of some.

        Parameters
        ----------
        stations : numpy.ndarray of shape (n,)
            Positions of the stations to start from.
        start_min : numpy.ndarray of shape (n,)
            Generalised minutes to reach them.

        Returns
        -------
        cost_min : numpy.ndarray of shape (n_stations,)
            Generalised minutes; infinite where no journey is known.
        first : numpy.ndarray of shape (n_stations,)
            Place in `stations` of the one that is started from.
        """
        if not stations.size:
            return np.full(len(self.cost_min), np.inf), np.zeros(len(self.cost_min), dtype=np.int32)
        cost_min = start_min[:, None] + self.cost_min[stations]
        return cost_min.min(axis=0), cost_min.argmin(axis=0).astype(np.int32)


def price_timed_journeys(
    calls: pd.DataFrame,
    departures: pd.DataFrame,
    station_ids: Sequence[str],
    origins: Sequence[str],
    *,
    hours: Sequence[int],
    change_weight: float = CHANGE_WEIGHT,
    interchange_penalty_min: float = INTERCHANGE_PENALTY_MIN,
    interchange_min: pd.Series | None = None,
    default_interchange_min: float = DEFAULT_INTERCHANGE_MIN,
    fixed_links: pd.DataFrame | None = None,
    in_vehicle_weight: float = 1.0,
) -> TimedPrices:
    """
    Price the journeys between stations by the clock.

    Parameters
    ----------
    calls : pandas.DataFrame
        Table `geo.tables.SERVICE_CALLS`. Never modified.
    departures : pandas.DataFrame
        Table `geo.tables.SERVICE_DEPARTURES` with ``start_min``. Never modified.
    station_ids : sequence of str
        Stations of rows and columns.
    origins : sequence of str
        Those of them to start from; other rows stay infinite.
    hours : sequence of int
        Hours of the week that count, all alike.
    change_weight : float
        Generalised minutes for each minute between trains.
    interchange_penalty_min : float
        Generalised minutes added for each change.
    interchange_min : pandas.Series, optional
        Minutes to change trains by CRS code.
    default_interchange_min : float
        Minutes to change where `interchange_min` has none.
    fixed_links : pandas.DataFrame, optional
        Walks between stations, as for `geo.network.timed_journeys.write_out_trains`.
    in_vehicle_weight : float
        Generalised minutes for each minute on board.

    Returns
    -------
    TimedPrices
        Costs and clock minutes.

    Raises
    ------
    InputError
        If the departures keep no minutes.
    TableError
        If a table breaks its contract.
    """
    trains = write_out_trains(
        calls,
        departures,
        hours=hours,
        interchange_min=interchange_min,
        default_interchange_min=default_interchange_min,
        fixed_links=fixed_links,
    )
    period = np.full(HOURS_PER_WEEK, -1, dtype=np.int64)
    period[list(hours)] = 0
    # The least cost is sought with a minute on board as the unit, and told in generalised minutes.
    each = np.array([change_weight, interchange_penalty_min, WAIT_WEIGHT, PLANNED_MIN, PLANNED_WEIGHT])
    weights = each / in_vehicle_weight - np.array([1.0, 0.0, 0.0, 0.0, 0.0])
    places = pd.Index(station_ids)
    columns = places.get_indexer(pd.Index(trains.station_ids))
    known = columns >= 0
    prices = np.full((2, len(places), len(places)), np.inf)
    found = np.empty((2, len(columns)))
    for row in np.flatnonzero(places.isin(origins) & places.isin(trains.station_ids)).tolist():
        journeys = trains.carry_from(station_ids[row])
        price(
            *journeys,
            trains.arrive_min,
            trains.by_arrival,
            trains.into,
            period,
            MOST_MIN,
            DEFAULT_MAX_WAIT_MIN,
            weights,
            found,
        )
        prices[:, row, columns[known]] = found[:, known]
    return TimedPrices(prices[0] * in_vehicle_weight, prices[1])
