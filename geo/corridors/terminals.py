"""
Where a rail journey meets the ground: which stations an origin boards at and a town is reached from, at what cost.

In come `geo.tables.ACCESS_TIMES` and `geo.tables.EXPORTERS`; out come `Terminals`. An exporting area's couriers leave
from its main station where one is given, since minutes from the middle of a police force area would be those of a
point where nobody lives; other points use every station within reach.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from geo.corridors.paths import OriginPaths
from geo.corridors.rides import FloatArray, IntArray
from geo.errors import InputError
from geo.schema import validate
from geo.tables import ACCESS_TIMES, EXPORTERS

__all__ = ["BestPaths", "Terminals", "build_terminals", "find_arrivals", "find_best_paths", "split_egress"]

WALK_WEIGHT = 2.0  # as waiting: `geo.corridors.rides`
HIRE_WEIGHT = 4.0  # ASSUMPTION: a minute in a taxi and the fare for it, or a lift that somebody must give
HIRE_FIXED_MIN = 10.0  # ASSUMPTION: finding it
HUB_ACCESS_MIN = 15.0  # ASSUMPTION: from anywhere in an exporting area to its main station


@dataclass(frozen=True)
class Terminals:
    """
    Stations of every point, as one row of a ragged array each.

    Attributes
    ----------
    point_ids : tuple of str
        Places and exporting areas, sorted.
    indptr : numpy.ndarray of shape (n_points + 1,)
        Where the stations of each point start.
    stations : numpy.ndarray
        Positions of stations in `Rides.station_ids`, ascending within a point.
    cost_min, time_min : numpy.ndarray
        Generalised and clock minutes between point and station.
    """

    point_ids: tuple[str, ...]
    indptr: NDArray[np.int64]
    stations: IntArray
    cost_min: FloatArray
    time_min: FloatArray

    def positions(self, point_ids: pd.Series) -> NDArray[np.int64]:
        """
        Find points by id.

        Parameters
        ----------
        point_ids : pandas.Series
            Ids to look up.

        Returns
        -------
        numpy.ndarray
            Positions in `point_ids`, -1 for a point without a station in reach.
        """
        return pd.Index(self.point_ids).get_indexer(pd.Index(point_ids))

    def of(self, position: int) -> tuple[IntArray, FloatArray, FloatArray]:
        """
        Give one point's stations.

        Parameters
        ----------
        position : int
            Position in `point_ids`, or -1 for a point without stations.

        Returns
        -------
        tuple of numpy.ndarray
            Stations, generalised minutes, clock minutes.
        """
        here = slice(self.indptr[position], self.indptr[position + 1]) if position >= 0 else slice(0, 0)
        return self.stations[here], self.cost_min[here], self.time_min[here]


@dataclass(frozen=True)
class BestPaths:
    """
    The single best rail path of an origin to each station, with at least one ride.

    Attributes
    ----------
    cost_min, time_min : numpy.ndarray of shape (n_stations,)
        Generalised and clock minutes from the origin; infinite where no train arrives.
    first_station : numpy.ndarray of shape (n_stations,)
        Boarding station of that path, -1 for none.
    ride : numpy.ndarray of shape (n_stations,)
        Last ride of that path, -1 for none.
    """

    cost_min: FloatArray
    time_min: FloatArray
    first_station: IntArray
    ride: IntArray


def build_terminals(
    access_times: pd.DataFrame,
    exporters: pd.DataFrame,
    station_ids: tuple[str, ...],
    *,
    walk_weight: float = WALK_WEIGHT,
    hire_weight: float = HIRE_WEIGHT,
    hire_fixed_min: float = HIRE_FIXED_MIN,
    hub_access_min: float = HUB_ACCESS_MIN,
    hub_access: pd.DataFrame | None = None,
) -> Terminals:
    """
    Build the first and last mile of every point.

    Parameters
    ----------
    access_times : pandas.DataFrame
        Table `geo.tables.ACCESS_TIMES`. Of walk and drive the cheaper counts. Stations off the network are left out.
    exporters : pandas.DataFrame
        Table `geo.tables.EXPORTERS`; one without a hub uses its rows of `access_times`.
    station_ids : tuple of str
        The network's stations, `Rides.station_ids`.
    walk_weight, hire_weight : float
        Generalised minutes for each minute on foot, and by taxi or lift.
    hire_fixed_min : float
        Generalised minutes added to each taxi or lift.
    hub_access_min : float
        Minutes from an exporting area to its main station.
    hub_access : pandas.DataFrame, optional
        ``place_id, station_id, cost_min, time_min`` of exporting areas with a main station, where they do not board
        at that station itself but at stops near it.

    Returns
    -------
    Terminals
        One row a point that has a station.

    Raises
    ------
    InputError
        If a hub is not a station of the network.
    """
    validate(access_times, ACCESS_TIMES)
    validate(exporters, EXPORTERS)
    index = pd.Index(station_ids)
    hubs = exporters["hub_station_id"].dropna()
    if hub_access is None:
        hub_access = pd.DataFrame(
            {"place_id": hubs.index, "station_id": hubs, "cost_min": hub_access_min, "time_min": hub_access_min}
        )
    lost = hub_access.set_index("place_id")["station_id"]
    lost = lost[~lost.isin(index)]
    if len(lost):
        msg = (
            f"exporters: hub_station_id is {lost.iloc[0]!r} at {lost.index[0]!r}, expected a station of the network. "
            "Name another, or leave it empty to use the stations within reach."
        )
        raise InputError(msg)
    rows = access_times[access_times["time_min"].notna() & access_times["station_id"].isin(index)]
    rows = rows[~rows["place_id"].isin(hubs.index)]
    time_min = rows["time_min"].to_numpy(dtype=float)
    walks = (rows["mode"] == "walk").to_numpy()
    table = pd.DataFrame(
        {
            "point_id": np.concatenate([t["place_id"].to_numpy(dtype=object) for t in (rows, hub_access)]),
            "station": index.get_indexer(pd.Index([*rows["station_id"], *hub_access["station_id"]])),
            "cost_min": np.concatenate(
                [
                    np.where(walks, walk_weight * time_min, hire_weight * time_min + hire_fixed_min),
                    hub_access["cost_min"].to_numpy(dtype=float),
                ]
            ),
            "time_min": np.concatenate([time_min, hub_access["time_min"].to_numpy(dtype=float)]),
        }
    )
    table = table.sort_values(["point_id", "station", "cost_min", "time_min"], kind="stable")
    table = table.drop_duplicates(["point_id", "station"])
    point_ids, counts = np.unique(table["point_id"].to_numpy(dtype=str), return_counts=True)
    return Terminals(
        point_ids=tuple(point_ids.tolist()),
        indptr=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        stations=table["station"].to_numpy(dtype=np.int32),
        cost_min=table["cost_min"].to_numpy(dtype=float),
        time_min=table["time_min"].to_numpy(dtype=float),
    )


def find_best_paths(paths: OriginPaths, terminals: Terminals, origin: int) -> BestPaths:
    """
    Find the best path to each station by following the best rides back.

    Parameters
    ----------
    paths : OriginPaths
        Solved paths of the origin.
    terminals : Terminals
        First and last miles.
    origin : int
        Position of the origin in `terminals`.

    Returns
    -------
    BestPaths
        Cost, clock time, boarding station and last ride by station.
    """
    rides = paths.rides
    cost_min, ride, is_first = _last_rides(paths)
    stations, _, start_time_min = terminals.of(origin)
    direct = dict(zip(stations.tolist(), start_time_min.tolist(), strict=True))
    time_min, first_station = np.full(rides.n_stations, np.inf), np.full(rides.n_stations, -1, dtype=np.int32)
    for station in paths.order.tolist():
        last = ride[station]
        if last < 0:
            continue
        before = int(rides.tail[last])
        if is_first[station]:
            time_min[station], first_station[station] = direct[before] + rides.time_min[last], before
        else:
            time_min[station] = time_min[before] + rides.time_min[last]
            first_station[station] = first_station[before]
    return BestPaths(cost_min, time_min, first_station, ride)


def find_arrivals(paths: OriginPaths) -> FloatArray:
    """
    Find the generalised minutes of the best path to each station.

    Parameters
    ----------
    paths : OriginPaths
        Solved paths of the origin.

    Returns
    -------
    numpy.ndarray of shape (n_stations,)
        With at least one ride; infinite where no train arrives.
    """
    return _last_rides(paths)[0]


def _last_rides(paths: OriginPaths) -> tuple[FloatArray, IntArray, NDArray[np.bool_]]:
    """Cost of the best path to each station, its last ride (-1 for none), and whether that is its first too."""
    rides = paths.rides
    used = np.flatnonzero((paths.likelihood > 0) | (paths.first_weight > 0))
    tail, head = rides.tail[used], rides.head[used]
    first_min = np.where(paths.first_weight[used] > 0, paths.start_cost_min[tail] + rides.first_cost_min[used], np.inf)
    # Where the way without a train is the best, nobody goes on at the price of a change.
    has_come = (paths.likelihood[used] > 0) & (paths.distance_min[tail] < paths.start_cost_min[tail])
    later_min = np.where(has_come, paths.distance_min[tail] + rides.cost_min[used], np.inf)
    arrival = np.minimum(first_min, later_min)
    ranked = np.lexsort((used, arrival, head))
    heads, at = np.unique(head[ranked], return_index=True)
    best = ranked[at]
    ride = np.full(rides.n_stations, -1, dtype=np.int32)
    ride[heads] = used[best]
    cost_min = np.full(rides.n_stations, np.inf)
    cost_min[heads] = arrival[best]
    is_first = np.zeros(rides.n_stations, dtype=bool)
    is_first[heads] = first_min[best] <= later_min[best]
    return cost_min, ride, is_first


def split_egress(
    paths: OriginPaths, terminals: Terminals, destinations: NDArray[np.int64], *, max_detour_min: float
) -> tuple[FloatArray, sparse.csr_matrix]:
    r"""
    Share the rail trips to each town among the stations it is reached from.

    Parameters
    ----------
    paths : OriginPaths
        Solved paths of the origin.
    terminals : Terminals
        First and last miles.
    destinations : numpy.ndarray of shape (n,)
        Positions of the towns in `terminals`, -1 for a town without a station.
    max_detour_min : float
        A station that makes the journey longer than the best by more is not used.

    Returns
    -------
    numpy.ndarray of shape (n,)
        Log-sum of generalised minutes from origin to town by rail, infinite where there is no path.
    scipy.sparse.csr_matrix of shape (n, n_stations)
        Share of each town's rail trips that alights at each station; rows sum to 1, or hold nothing without a path.
    """
    # The last entry answers -1, a town without a station.
    counts = np.append(np.diff(terminals.indptr), 0)[destinations]
    row = np.repeat(np.arange(destinations.size), counts)
    offset = np.arange(row.size) - np.repeat(np.cumsum(counts) - counts, counts)
    entry = np.repeat(terminals.indptr[destinations], counts) + offset
    station = terminals.stations[entry]
    total_min = paths.cost_min[station] + terminals.cost_min[entry]
    best_min = np.full(destinations.size, np.inf)
    np.minimum.at(best_min, row, total_min)
    keep = np.isfinite(total_min)
    keep[keep] = total_min[keep] - best_min[row[keep]] <= max_detour_min
    row, station, total_min = row[keep], station[keep], total_min[keep]
    weight = np.exp(-paths.spread_per_min * (total_min - best_min[row]))
    total = np.bincount(row, weights=weight, minlength=destinations.size)
    shape = (destinations.size, paths.rides.n_stations)
    share = sparse.csr_matrix((weight / total[row], (row, station)), shape=shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        cost_min = np.where(total > 0, best_min - np.log(total) / paths.spread_per_min, np.inf)
    return cost_min, share
