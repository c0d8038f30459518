"""
Minutes between points and stations, on foot and by car, and between towns by road.

In come point tables, `geo.tables.STATIONS` and, where there is one, a road graph for each mode; out come
`geo.tables.ACCESS_TIMES` and `geo.tables.ROAD_TIMES`. A point that no road passes within reach of, or any point where
no road extract is given, is measured by the straight line with a stated detour, and its row says so in ``basis``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from geo.errors import InputError, UsageError
from geo.network.road import RoadGraph, Roads
from geo.network.snapping import MAX_OFFSET_M, build_segment_grid, snap_points
from geo.network.straight_line import StraightLine
from geo.network.travel_time import explain_unreached, measure_times
from geo.schema import Contract, empty, validate
from geo.tables import ACCESS_TIMES, ROAD_TIMES, STATIONS
from geo.tables.evidence import EASTING, NORTHING

__all__ = ["StraightLine", "measure_access", "measure_road_times"]

MODES = ("walk", "drive")
# ASSUMPTION: a part of the roads smaller than this is a gap of mapping (a car park, a clipped corner), no island.
MIN_PART_NODES = 100
# Pairs measured at once: two matrices of 32 MiB.
_PAIRS_AT_ONCE = 4_000_000
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def measure_access(
    points: pd.DataFrame,
    stations: pd.DataFrame,
    *,
    modes: Sequence[str] = ("walk",),
    max_min: float,
    roads: Roads | None = None,
    straight_line: StraightLine | None = None,
    max_offset_m: float = MAX_OFFSET_M,
    min_part_nodes: int = MIN_PART_NODES,
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
    roads : Roads, optional
        Road graphs.
    straight_line : StraightLine, optional
        Speeds and detour factors where there is no road.
    max_offset_m : float
        Farthest that a point may be from a road to be measured along it.
    min_part_nodes : int
        Disconnected parts of the roads with fewer nodes are passed over.

    Returns
    -------
    pandas.DataFrame
        Table `geo.tables.ACCESS_TIMES`, ordered by point, station and mode. A pair that the straight line would put
        within reach, but whose roads do not meet, has a null time and the reason ``disconnected``.

    Raises
    ------
    TableError
        If `points` or `stations` break their contracts.
    UsageError
        If a mode is unknown, or `max_min` or `max_offset_m` is not above 0.

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
    points = _require_points(points, "points")
    stations = _require_points(validate(stations, STATIONS), "stations")
    if not (len(points) and len(stations)):
        return empty(ACCESS_TIMES)
    tables = []
    for mode in modes:
        near = _pairs_within(points, stations, line.reach_m(max_min, mode))
        if roads is not None:
            graph = roads.graph(mode)
            grid = build_segment_grid(graph, min_part_nodes=min_part_nodes)
            to, start = (snap_points(t, graph, max_offset_m=max_offset_m, grid=grid) for t in (points, stations))
            along = _road_access(graph, near, to, start, max_min=max_min)
            tables.append(along[0].assign(mode=mode, basis="road_graph"))
            near = along[1]
        times = near.assign(time_min=line.time_min(near["straight_m"].to_numpy(), mode), reason=None)
        tables.append(times.assign(mode=mode, basis="straight_line_detour"))
    pairs = pd.concat([table for table in tables if len(table)] or tables[:1])
    if not len(pairs):
        return empty(ACCESS_TIMES)
    table = pd.DataFrame(
        {
            "place_id": points.index[pairs["point"]],
            "station_id": stations.index[pairs["station"]],
            "time_min": pairs["time_min"].to_numpy(dtype=float),
            "mode": pairs["mode"].to_numpy(),
            "basis": pairs["basis"].to_numpy(),
            "reason": pairs["reason"].to_numpy(),
        }
    ).astype(dict.fromkeys(("place_id", "station_id", "mode", "basis", "reason"), "str"))
    table = table.sort_values(["place_id", "station_id", "mode"], kind="stable", ignore_index=True)
    table.index = pd.Index(table["place_id"] + ":" + table["station_id"] + ":" + table["mode"], name="access_id")
    return validate(table, ACCESS_TIMES)


def measure_road_times(
    origins: pd.DataFrame,
    destinations: pd.DataFrame,
    *,
    roads: Roads | None = None,
    straight_line: StraightLine | None = None,
    max_offset_m: float = MAX_OFFSET_M,
    min_part_nodes: int = MIN_PART_NODES,
) -> pd.DataFrame:
    """
    Measure the minutes and metres by car from every origin to every destination.

    Parameters
    ----------
    origins, destinations : pandas.DataFrame
        ``easting_m, northing_m`` in EPSG:27700, uniquely indexed by ``exporter_id`` or ``place_id``. Never modified.
    roads : Roads, optional
        Road graphs.
    straight_line : StraightLine, optional
        Speeds and detour factors where there is no road.
    max_offset_m : float
        Farthest that a point may be from a road to be measured along it.
    min_part_nodes : int
        Disconnected parts of the roads with fewer nodes are passed over.

    Returns
    -------
    pandas.DataFrame
        Table `geo.tables.ROAD_TIMES`, one row a pair, ordered by origin and destination. A point is 0 minutes from
        itself; where no way leads from one to the other, time and length are null with a reason.

    Raises
    ------
    TableError
        If `origins` or `destinations` break their contracts.
    UsageError
        If `max_offset_m` is not above 0.
    """
    line = straight_line or StraightLine()
    origins, destinations = _require_points(origins, "origins"), _require_points(destinations, "destinations")
    if not (len(origins) and len(destinations)):
        return empty(ROAD_TIMES)
    straight_m = np.hypot(
        origins["easting_m"].to_numpy()[:, None] - destinations["easting_m"].to_numpy()[None, :],
        origins["northing_m"].to_numpy()[:, None] - destinations["northing_m"].to_numpy()[None, :],
    )
    time_min, length_m = line.time_min(straight_m, "drive"), line.length_m(straight_m, "drive")
    basis = np.full(straight_m.shape, "straight_line_detour", dtype=object)
    reason = np.full(straight_m.shape, None, dtype=object)
    if roads is not None:
        graph = roads.drive
        grid = build_segment_grid(graph, min_part_nodes=min_part_nodes)
        start, end = (snap_points(p, graph, max_offset_m=max_offset_m, grid=grid) for p in (origins, destinations))
        on_from, on_to = (snaps["edge"].notna().to_numpy(dtype=bool) for snaps in (start, end))
        by_road = on_from[:, None] & on_to[None, :] & (straight_m > 0)
        times = measure_times(graph, start, end)
        time_min = np.where(by_road, times.time_min, time_min)
        length_m = np.where(by_road, times.length_m, length_m)
        basis[by_road] = "road_graph"
        reason[by_road] = explain_unreached(graph, start, end, times.time_min)[by_road]
    table = pd.DataFrame(
        {
            "origin_id": np.repeat(origins.index.to_numpy(dtype=object), len(destinations)),
            "destination_id": np.tile(destinations.index.to_numpy(dtype=object), len(origins)),
            "time_min": time_min.ravel(),
            "length_m": length_m.ravel(),
            "basis": basis.ravel(),
            "reason": reason.ravel(),
        }
    ).astype(dict.fromkeys(("origin_id", "destination_id", "basis", "reason"), "str"))
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


def _pairs_within(points: pd.DataFrame, stations: pd.DataFrame, reach_m: float) -> pd.DataFrame:
    """Positions of the points and stations that lie within a straight line of each other, and its metres."""
    point_tree = cKDTree(points.to_numpy(dtype=float))
    station_tree = cKDTree(stations.to_numpy(dtype=float))
    near = point_tree.sparse_distance_matrix(station_tree, reach_m, output_type="ndarray")
    return pd.DataFrame({"point": near["i"], "station": near["j"], "straight_m": near["v"]})


def _road_access(
    graph: RoadGraph, near: pd.DataFrame, to: pd.DataFrame, start: pd.DataFrame, *, max_min: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Pairs within reach along roads, with those near each other that no road joins; and near pairs off the roads."""
    on_point, on_station = (snaps["edge"].notna().to_numpy(dtype=bool) for snaps in (to, start))
    part_of_point, part_of_station = (
        graph.component[graph.tail[snaps["edge"].fillna(0).to_numpy(dtype=np.int64)]] for snaps in (to, start)
    )
    is_on = (on_point[near["point"]] & on_station[near["station"]]).astype(bool)
    is_apart = is_on & (part_of_point[near["point"]] != part_of_station[near["station"]])
    found = [near.loc[is_apart, ["point", "station"]].assign(time_min=np.nan, reason="disconnected")]
    points_on, stations_on = np.flatnonzero(on_point), np.flatnonzero(on_station)
    n_at_once = max(1, _PAIRS_AT_ONCE // max(len(points_on), 1))
    for first in range(0, len(stations_on), n_at_once):
        rows = stations_on[first : first + n_at_once]
        times = measure_times(graph, start.iloc[rows], to.iloc[points_on], max_min=max_min)
        station, point = np.nonzero(~np.isnan(times.time_min))
        reached = {"point": points_on[point], "station": rows[station], "time_min": times.time_min[station, point]}
        found.append(pd.DataFrame(reached).assign(reason=None))
    return pd.concat([table for table in found if len(table)] or found[:1]), near[~is_on]
