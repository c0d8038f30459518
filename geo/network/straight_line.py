"""
Minutes for a straight line, where there is no road graph: stated detour factors over stated speeds.

References
----------
.. [1] Thurrock Council, "Study of travel access in and around Thurrock: travel types": an average walking speed of
   4.8 km/h, the speed at which people choose to walk in normal conditions.
.. [2] O'Sullivan, S. and Morrall, J. (1996). "Walking distances to and from light-rail transit stations."
   Transportation Research Record 1538, 19-26: walks to stations are 1.21 to 1.23 times the straight line.
.. [3] Department for Transport, "Travel time measures for the Strategic Road Network and local 'A' roads, England:
   April 2018 to March 2019": averages of 25.3 mph on local A roads and 59.0 mph on the Strategic Road Network.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.errors import UsageError
from geo.network.speeds import KM_PER_MILE, WALK_SPEED_KM_H

__all__ = ["StraightLine"]

WALK_DETOUR = 1.22  # [2]_, middle of its range
DRIVE_DETOUR = 1.3  # ASSUMPTION; `python -m benchmarks.networks` measures it on a real road graph
LOCAL_SPEED_KM_H = 25.3 * KM_PER_MILE  # [3]_, local A roads
TRUNK_SPEED_KM_H = 59.0 * KM_PER_MILE  # [3]_, Strategic Road Network
LOCAL_LENGTH_M = 10_000.0  # ASSUMPTION: the ends of a drive that are on local roads, both together
M_PER_MIN_PER_KM_H = 1000.0 / 60.0
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class StraightLine:
    """
    How a straight line becomes minutes where there is no road graph.

    Attributes
    ----------
    walk_speed_km_h : float
        Walking speed; 4.8 km/h is the speed at which people choose to walk in normal conditions.
    walk_detour : float
        Metres walked for a metre of straight line.
    local_speed_km_h : float
        Driving speed over the first `local_length_m` of a drive.
    trunk_speed_km_h : float
        Driving speed over the rest.
    local_length_m : float
        Metres of a drive that are on local roads, both ends together; an assumption.
    drive_detour : float
        Metres driven for a metre of straight line; an assumption.
    """

    walk_speed_km_h: float = WALK_SPEED_KM_H
    walk_detour: float = WALK_DETOUR
    local_speed_km_h: float = LOCAL_SPEED_KM_H
    trunk_speed_km_h: float = TRUNK_SPEED_KM_H
    local_length_m: float = LOCAL_LENGTH_M
    drive_detour: float = DRIVE_DETOUR

    def __post_init__(self) -> None:
        for name in ("walk_speed_km_h", "local_speed_km_h", "trunk_speed_km_h"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                msg = f"{name}: {value!r} is no speed, expected a number above 0. Set it in kilometres an hour."
                raise UsageError(msg)
        for name in ("walk_detour", "drive_detour"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value >= 1):
                msg = f"{name}: {value!r} is shorter than the straight line, expected at least 1. Set it to 1 or more."
                raise UsageError(msg)
        if not (np.isfinite(self.local_length_m) and self.local_length_m >= 0):
            msg = f"local_length_m: {self.local_length_m!r} is no length, expected at least 0. Set it in metres."
            raise UsageError(msg)

    def length_m(self, straight_m: FloatArray, mode: str) -> FloatArray:
        """
        Give the metres travelled for a straight line.

        Parameters
        ----------
        straight_m : numpy.ndarray
            Straight-line metres.
        mode : str
            ``walk`` or ``drive``.

        Returns
        -------
        numpy.ndarray
            Metres.
        """
        return straight_m * (self.walk_detour if mode == "walk" else self.drive_detour)

    def time_min(self, straight_m: FloatArray, mode: str) -> FloatArray:
        """
        Give the minutes for a straight line; they never fall as it grows.

        Parameters
        ----------
        straight_m : numpy.ndarray
            Straight-line metres.
        mode : str
            ``walk`` or ``drive``.

        Returns
        -------
        numpy.ndarray
            Minutes.

        Examples
        --------
        >>> StraightLine().time_min(np.array([800.0, 40_000.0]), "drive")
        array([ 1.53, 41.28])
        """
        length_m = self.length_m(straight_m, mode)
        if mode == "walk":
            return length_m / (self.walk_speed_km_h * M_PER_MIN_PER_KM_H)
        local_m = np.minimum(length_m, self.local_length_m)
        return local_m / (self.local_speed_km_h * M_PER_MIN_PER_KM_H) + (length_m - local_m) / (
            self.trunk_speed_km_h * M_PER_MIN_PER_KM_H
        )

    def reach_m(self, max_min: float, mode: str) -> float:
        """
        Give the straight line whose time is `max_min`.

        Parameters
        ----------
        max_min : float
            Minutes.
        mode : str
            ``walk`` or ``drive``.

        Returns
        -------
        float
            Straight-line metres.
        """
        if mode == "walk":
            return max_min * self.walk_speed_km_h * M_PER_MIN_PER_KM_H / self.walk_detour
        local_min = self.local_length_m / (self.local_speed_km_h * M_PER_MIN_PER_KM_H)
        if max_min <= local_min:
            length_m = max_min * self.local_speed_km_h * M_PER_MIN_PER_KM_H
        else:
            length_m = self.local_length_m + (max_min - local_min) * self.trunk_speed_km_h * M_PER_MIN_PER_KM_H
        return length_m / self.drive_detour
