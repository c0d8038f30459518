r"""
Minutes of trains where no timetable says: from the curves of the track, its use, and the stations on the way.

A leg of L km from one stop to the next takes

.. math:: a + \max\Big(L \exp\big(b + c_1 l + c_2 f + c_3 \ln\tfrac{K}{L} + c_4 \tfrac{n}{L}\big),\, 1.14 K\Big),
   \quad l = \ln\tfrac{L}{10}, \quad f = \log_{10}\tfrac{F}{F_0},

minutes: F passengers a day over its track, K minutes at the speed that its curves allow, and n stations passed, which
stand close where speeds are low and trains many. A train at v km/h needs :math:`11.8 v^2 / R` mm of cant in a curve of
R metres (1,500 mm from rail to rail, over g); with 150 mm of it and 110 mm that may lack, its speed is
:math:`\sqrt{260 R / 11.8}`, and 200 km/h at most. The constants are those of ``python -m benchmarks.railway_fit``.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

__all__ = [
    "FITTED",
    "LEAST_FLOW",
    "LEAST_M",
    "TrainConstants",
    "measure_curve_min",
    "measure_leg_min",
    "measure_ride_min",
    "measure_stand_min",
]

FloatArray = NDArray[np.float64]

# ASSUMPTION. The usual limits of British main lines; of the speeds only their ratio to each other counts below.
_CANT_MM, _CANT_PER_SPEED, _FASTEST_KMH = 260.0, 11.8, 200.0
# The track is looked at each so many metres, over a chord of so many on either side.
_STEP_M, _CHORD_M = 100.0, 80.0
# Of the minutes that curves allow, the quickest train of the feed around Glasgow takes so many: Euston to Tamworth.
_LEAST_OF_CURVES = 1.14
# Stations on one spot are taken to be so far apart.
LEAST_M = 1.0
REFERENCE_KM, REFERENCE_FLOW, LEAST_FLOW = 10.0, 1e6 / 365.0, 1e3 / 365.0


@dataclass(frozen=True)
class TrainConstants:
    """
    What the minutes of trains are made of.

    Attributes
    ----------
    start_stop_min, log_min_per_km, by_length, by_use, by_curves, by_passed : float
        a, b and c of the legs.
    stand_min, stand_from, stand_per_log, stand_most_min : float
        Minutes of a stand at a quiet station; more for each tenfold of users a day beyond 10 to the power of this, up
        to a most.
    """

    start_stop_min: float = 0.911
    log_min_per_km: float = 0.259
    by_length: float = -0.187
    by_use: float = -0.192
    by_curves: float = 0.512
    by_passed: float = 0.539
    stand_min: float = 0.3
    stand_from: float = 3.4
    stand_per_log: float = 2.4
    stand_most_min: float = 2.5


# The legs and stands of the feed around Glasgow, and the legs of a working timetable of northern England.
FITTED = TrainConstants()


def measure_curve_min(lines: gpd.GeoSeries) -> FloatArray:
    """
    Measure the minutes along track at the speed that its curves allow.

    Parameters
    ----------
    lines : geopandas.GeoSeries of LineString
        Track, EPSG:27700.

    Returns
    -------
    numpy.ndarray of shape (n,)
        Minutes; never less than at the highest speed. A track drawn straight has no curves.
    """
    length_m = np.maximum(shapely.length(lines.to_numpy()), LEAST_M)
    n = np.maximum(np.rint(length_m / _STEP_M), 1).astype(np.int64)
    of_line = np.repeat(np.arange(len(n)), n)
    step_m = (length_m / n)[of_line]
    along_m = (np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n) + 0.5) * step_m
    coordinates, line = shapely.get_coordinates(lines.to_numpy(), return_index=True)
    steps = np.hypot(*np.diff(coordinates, axis=0).T)
    # Lines one behind the other, with a gap that nothing falls in.
    behind_m = np.concatenate([[0.0], np.cumsum(np.where(np.diff(line) > 0, 1.0, steps))])
    start_m = behind_m[np.searchsorted(line, of_line)]
    on_track_m = (
        start_m + np.clip(at_m, 0.0, length_m[of_line]) for at_m in (along_m - _CHORD_M, along_m, along_m + _CHORD_M)
    )
    back, here, ahead = (
        np.column_stack([np.interp(at_m, behind_m, axis) for axis in coordinates.T]) for at_m in on_track_m
    )
    kmh = np.minimum(np.sqrt(_CANT_MM / _CANT_PER_SPEED * _radius_m(back, here, ahead)), _FASTEST_KMH)
    return np.asarray(np.bincount(of_line, weights=0.06 * step_m / kmh, minlength=len(n)), dtype=np.float64)


def measure_leg_min(
    length_km: FloatArray,
    flow_per_day: FloatArray,
    curve_min: FloatArray,
    n_passed: FloatArray,
    *,
    constants: TrainConstants = FITTED,
) -> FloatArray:
    """
    Measure the minutes from one stop to the next.

    Parameters
    ----------
    length_km : numpy.ndarray of shape (n,)
        Along track.
    flow_per_day : numpy.ndarray of shape (n,)
        Geometric mean of the passengers a day over its track, by length.
    curve_min : numpy.ndarray of shape (n,)
        Minutes at the speed that its curves allow (`measure_curve_min`).
    n_passed : numpy.ndarray of shape (n,)
        Stations on the way.
    constants : TrainConstants
        The fitted ones, but for a fit.

    Returns
    -------
    numpy.ndarray of shape (n,)
        Minutes, stands excluded.

    Examples
    --------
    >>> measure_leg_min(np.array([10.0, 100.0]), np.full(2, 2_740.0), np.array([3.0, 30.0]), np.zeros(2)).round(1)
    array([ 7.9, 46.4])
    """
    length = np.log(length_km / REFERENCE_KM)
    use = np.log10(np.maximum(flow_per_day, LEAST_FLOW) / REFERENCE_FLOW)
    pace = (
        constants.log_min_per_km
        + constants.by_length * length
        + constants.by_use * use
        + constants.by_curves * np.log(curve_min / length_km)
        + constants.by_passed * n_passed / length_km
    )
    return np.asarray(constants.start_stop_min + np.maximum(length_km * np.exp(pace), _LEAST_OF_CURVES * curve_min))


def measure_ride_min(
    length_km: FloatArray, flow_per_day: FloatArray, curve_min: FloatArray, starts: NDArray[np.int64]
) -> FloatArray:
    """
    Measure the minutes from each stop of a train to its next, over the links of its way.

    Parameters
    ----------
    length_km, flow_per_day, curve_min : numpy.ndarray of shape (n_links,)
        Of the links in the order of the way, as in `measure_leg_min`.
    starts : numpy.ndarray of int, shape (n_legs,)
        Positions of the links behind a stop, increasing from 0.

    Returns
    -------
    numpy.ndarray of shape (n_legs,)
        Minutes, stands excluded; who passes a station is never slower than who calls there.
    """
    km = np.add.reduceat(length_km, starts)
    log_flow = np.add.reduceat(length_km * np.log(np.maximum(flow_per_day, LEAST_FLOW)), starts) / km
    n_passed = np.diff(np.append(starts, len(length_km))) - 1.0
    past = measure_leg_min(km, np.exp(log_flow), np.add.reduceat(curve_min, starts), n_passed)
    calling = measure_leg_min(length_km, flow_per_day, curve_min, np.zeros(len(length_km)))
    return np.minimum(past, np.add.reduceat(calling, starts))


def measure_stand_min(users_per_day: FloatArray, *, constants: TrainConstants = FITTED) -> FloatArray:
    """
    Measure how long a train stands at a station on its way.

    Parameters
    ----------
    users_per_day : numpy.ndarray of shape (n,)
        Passengers who get on or off there.
    constants : TrainConstants
        The fitted ones, but for a fit.

    Returns
    -------
    numpy.ndarray of shape (n,)
        Minutes, longer at busy stations.
    """
    over = np.log10(np.maximum(users_per_day, 1.0)) - constants.stand_from
    longer = constants.stand_min + constants.stand_per_log * over
    return np.asarray(np.clip(longer, constants.stand_min, constants.stand_most_min))


def _radius_m(back: FloatArray, here: FloatArray, ahead: FloatArray) -> FloatArray:
    """Of the circle through three points; infinite on a straight and at an end."""
    sides = [np.hypot(*(b - a).T) for a, b in ((back, here), (here, ahead), (back, ahead))]
    one, two = here - back, ahead - back
    twice_area = np.abs(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0])
    product = sides[0] * sides[1] * sides[2]
    with np.errstate(divide="ignore", invalid="ignore"):
        radius = product / (2.0 * twice_area)
    return np.where((twice_area > 0) & (product > 0), radius, np.inf)
