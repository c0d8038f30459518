"""
Minutes between points and stations, on foot and by car, and between towns by road.

In come point tables and `geo.tables.STATIONS`; out come `geo.tables.ACCESS_TIMES` and `geo.tables.ROAD_TIMES`. Where
no road extract is given, a time is the straight line times a stated detour factor over a stated speed, and its row says
so in ``basis``.

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

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from geo.errors import InputError, UsageError
from geo.schema import Contract, empty, validate
from geo.tables import ACCESS_TIMES, ROAD_TIMES, STATIONS
from geo.tables.evidence import EASTING, NORTHING

__all__ = ["StraightLine", "measure_access", "measure_road_times"]

KM_PER_MILE = 1.609344
WALK_SPEED_KM_H = 4.8  # [1]_
WALK_DETOUR = 1.22  # [2]_, middle of its range
DRIVE_DETOUR = 1.3  # ASSUMPTION; `python -m benchmarks.networks` measures it on a real road graph
LOCAL_SPEED_KM_H = 25.3 * KM_PER_MILE  # [3]_, local A roads
TRUNK_SPEED_KM_H = 59.0 * KM_PER_MILE  # [3]_, Strategic Road Network
LOCAL_LENGTH_M = 10_000.0  # ASSUMPTION: the ends of a drive that are on local roads, both together
MODES = ("walk", "drive")
M_PER_MIN_PER_KM_H = 1000.0 / 60.0
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


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


def measure_access(
    points: pd.DataFrame,
    stations: pd.DataFrame,
    *,
    modes: Sequence[str] = ("walk",),
    max_min: float,
    straight_line: StraightLine | None = None,
) -> pd.DataFrame:
    """
    Measure the minutes from every station to the points within reach of it.

    Parameters
    ----------
    points : pandas.DataFrame
        Places, exporters, hotspots or other points: ``easting_m, northing_m`` in EPSG:27700, uniquely indexed. Never
        modified.
    stations : pandas.DataFrame
        Table `geo.tables.STATIONS`.
    modes : sequence of str
        ``walk``, ``drive`` or both.
    max_min : float
        Reach in minutes, more than 0; a pair above it has no row.
    straight_line : StraightLine, optional
        Speeds and detour factors.

    Returns
    -------
    pandas.DataFrame
        Table `geo.tables.ACCESS_TIMES`, ordered by point, station and mode.

    Raises
    ------
    TableError
        If `points` or `stations` break their contracts.
    UsageError
        If a mode is unknown or `max_min` is not above 0.

    Examples
    --------
    >>> points = pd.DataFrame({"easting_m": [460_000.0], "northing_m": [452_000.0]}, index=["town"])
    >>> stations = pd.DataFrame(
    ...     {"name": "A", "easting_m": [460_800.0], "northing_m": [452_000.0], "is_in_force": True},
    ...     index=pd.Index(["AAA"], name="station_id"),
    ... )
    >>> measure_access(points, stations, max_min=20)[["station_id", "time_min", "basis"]]
                   station_id time_min                 basis
    access_id
    town:AAA:walk         AAA     12.2  straight_line_detour
    """
    modes = _require_modes(modes)
    if not (np.isfinite(max_min) and max_min > 0):
        msg = f"max_min: {max_min!r} is no reach, expected minutes above 0. Set it in minutes."
        raise UsageError(msg)
    line = straight_line or StraightLine()
    points, stations = _require_points(points, "points"), validate(stations, STATIONS)
    tables = [_straight_access(points, stations, mode=mode, max_min=max_min, line=line) for mode in modes]
    full = [table for table in tables if len(table)]
    if not full:
        return empty(ACCESS_TIMES)
    table = pd.concat(full).sort_values(["place_id", "station_id", "mode"], kind="stable", ignore_index=True)
    table.index = pd.Index(table["place_id"] + ":" + table["station_id"] + ":" + table["mode"], name="access_id")
    return validate(table, ACCESS_TIMES)


def measure_road_times(
    origins: pd.DataFrame,
    destinations: pd.DataFrame,
    *,
    straight_line: StraightLine | None = None,
) -> pd.DataFrame:
    """
    Measure the minutes and metres by car from every origin to every destination.

    Parameters
    ----------
    origins, destinations : pandas.DataFrame
        ``easting_m, northing_m`` in EPSG:27700, uniquely indexed by ``exporter_id`` or ``place_id``. Never modified.
    straight_line : StraightLine, optional
        Speeds and detour factors.

    Returns
    -------
    pandas.DataFrame
        Table `geo.tables.ROAD_TIMES`, one row a pair, ordered by origin and destination. A point is 0 minutes from
        itself.

    Raises
    ------
    TableError
        If `origins` or `destinations` break their contracts.
    """
    line = straight_line or StraightLine()
    origins, destinations = _require_points(origins, "origins"), _require_points(destinations, "destinations")
    if not (len(origins) and len(destinations)):
        return empty(ROAD_TIMES)
    straight_m = np.hypot(
        origins["easting_m"].to_numpy()[:, None] - destinations["easting_m"].to_numpy()[None, :],
        origins["northing_m"].to_numpy()[:, None] - destinations["northing_m"].to_numpy()[None, :],
    ).ravel()
    table = pd.DataFrame(
        {
            "origin_id": np.repeat(origins.index.to_numpy(dtype=object), len(destinations)),
            "destination_id": np.tile(destinations.index.to_numpy(dtype=object), len(origins)),
            "time_min": line.time_min(straight_m, "drive"),
            "length_m": line.length_m(straight_m, "drive"),
            "basis": "straight_line_detour",
            "reason": pd.Series([None] * len(straight_m), dtype="str"),
        }
    ).astype({"origin_id": "str", "destination_id": "str"})
    table.index = pd.Index(table["origin_id"] + ":" + table["destination_id"], name="road_time_id")
    return validate(table, ROAD_TIMES)


def _require_modes(modes: Sequence[str]) -> tuple[str, ...]:
    """The modes asked for, each once and known."""
    odd = sorted(set(modes) - set(MODES))
    if odd or not modes:
        msg = f"modes: {odd or list(modes)!r} is unknown, expected walk, drive or both. Name at least one of them."
        raise UsageError(msg)
    return tuple(mode for mode in MODES if mode in modes)


def _require_points(points: pd.DataFrame, name: str) -> pd.DataFrame:
    """A copy ordered by id, with text ids that stay unique."""
    contract = Contract(name, str(points.index.name or ""), {"easting_m": EASTING, "northing_m": NORTHING})
    unnamed = points.rename_axis(contract.index) if points.index.name is None else points
    validate(unnamed[[c for c in contract.columns if c in unnamed.columns]], contract)
    ids = pd.Index(points.index.astype("str"))
    if not ids.is_unique:
        msg = f"{name}: ids are alike as text at {ids[ids.duplicated()][0]!r}, expected unique ids. Rename them."
        raise InputError(msg)
    table = points[["easting_m", "northing_m"]].astype("float64").set_axis(ids)
    return table.sort_index(kind="stable")


def _straight_access(
    points: pd.DataFrame, stations: pd.DataFrame, *, mode: str, max_min: float, line: StraightLine
) -> pd.DataFrame:
    """The pairs within reach, by straight line and detour."""
    pairs = _pairs_within(points, stations, line.reach_m(max_min, mode))
    return pd.DataFrame(
        {
            "place_id": points.index[pairs["point"]],
            "station_id": stations.index[pairs["station"]].astype("str"),
            "time_min": line.time_min(pairs["straight_m"].to_numpy(), mode),
            "mode": mode,
            "basis": "straight_line_detour",
            "reason": pd.Series([None] * len(pairs), dtype="str"),
        }
    )


def _pairs_within(points: pd.DataFrame, stations: pd.DataFrame, reach_m: float) -> pd.DataFrame:
    """Positions of the points and stations that lie within a straight line of each other, and its metres."""
    if not (len(points) and len(stations)):
        return pd.DataFrame({"point": [], "station": [], "straight_m": []}).astype({"point": int, "station": int})
    point_tree = cKDTree(points[["easting_m", "northing_m"]].to_numpy(dtype=float))
    station_tree = cKDTree(stations[["easting_m", "northing_m"]].to_numpy(dtype=float))
    near = point_tree.sparse_distance_matrix(station_tree, reach_m, output_type="ndarray")
    return pd.DataFrame({"point": near["i"], "station": near["j"], "straight_m": near["v"]})
