"""The ways to go by road, each priced on the minutes and metres of a car."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.errors import InputError
from geo.schema import validate
from geo.tables import ROAD_TIMES

__all__ = ["ROAD_MODES", "RoadMode", "join_road_times"]

FloatArray = NDArray[np.float64]

METRES_PER_KM = 1000.0


@dataclass(frozen=True)
class RoadMode:
    """
    One way to go by road, priced on the time of a car.

    Attributes
    ----------
    name : str
        Its column in the result is ``<name>_share``.
    time_factor : float
        Its minutes for each minute of a car.
    fixed_min : float
        Generalised minutes before it moves: finding a driver, waiting, first and last mile.
    cost_min_per_km : float
        Generalised minutes that its fare stands for, a kilometre.
    """

    name: str
    time_factor: float = 1.0
    fixed_min: float = 0.0
    cost_min_per_km: float = 0.0

    def price(self, road_time_min: FloatArray, road_m: FloatArray) -> FloatArray:
        """
        Price journeys by this mode.

        Parameters
        ----------
        road_time_min, road_m : numpy.ndarray of shape (n_pairs,)
            Minutes and metres by car.

        Returns
        -------
        numpy.ndarray of shape (n_pairs,)
            Generalised minutes; infinite where there is no road.
        """
        moving_min = self.time_factor * road_time_min + self.fixed_min
        cost_min: FloatArray = moving_min + self.cost_min_per_km * road_m / METRES_PER_KM
        return cost_min


# ASSUMPTION, all of them: a lift needs a driver, a coach calls on its way and runs a few times a day, hire is dear.
ROAD_MODES = (
    RoadMode("car", time_factor=1.0, fixed_min=30.0),
    RoadMode("coach", time_factor=1.5, fixed_min=60.0),
    RoadMode("hire", time_factor=1.0, fixed_min=10.0, cost_min_per_km=3.0),
)


def join_road_times(pairs: pd.DataFrame, road_times: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    """
    Find the way by car of each pair.

    Parameters
    ----------
    pairs : pandas.DataFrame
        Columns ``origin_id, destination_id``. Never modified.
    road_times : pandas.DataFrame
        Table `geo.tables.ROAD_TIMES`. Never modified.

    Returns
    -------
    tuple of numpy.ndarray of shape (n_pairs,)
        Minutes, infinite without a road, and metres.

    Raises
    ------
    InputError
        If a pair stands twice in `road_times`.
    """
    validate(road_times, ROAD_TIMES)
    keys = ["origin_id", "destination_id"]
    twice = road_times.duplicated(keys)
    if twice.any():
        row = road_times[twice].iloc[0]
        msg = (
            f"road_times: {row['origin_id']!r} to {row['destination_id']!r} stands more than once, expected each pair "
            "once. Keep one of its rows."
        )
        raise InputError(msg)
    joined = pairs[keys].merge(road_times[[*keys, "time_min", "length_m"]], on=keys, how="left")
    time_min = joined["time_min"].to_numpy(dtype=float)
    road_m = joined["length_m"].to_numpy(dtype=float)
    return np.where(np.isnan(time_min), np.inf, time_min), np.nan_to_num(road_m)
