"""
Minutes by train between all stations, with changes and paths: a `PassengerGraph` in, `StationTimes` out.

A time runs from standing on the first platform to standing at the last: the first wait counts, the change time of the
last station does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from geo.errors import InputError
from geo.network.passenger import ArcKind, PassengerGraph, build_passenger_graph

__all__ = ["HOUR_BANDS", "StationTimes", "measure_station_times", "measure_station_times_by_band"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

# Origins in one call of Dijkstra, to bound the dense rows it returns.
_CHUNK_CELLS = 16_000_000
_NO_NODE = -9999
_WEEKDAYS = tuple(range(5))

# ASSUMPTION: parts of the week with their own timetable.
HOUR_BANDS: Mapping[str, tuple[int, ...]] = {
    "weekday_peak": tuple(24 * day + hour for day in _WEEKDAYS for hour in (7, 8, 9, 16, 17, 18)),
    "weekday_daytime": tuple(24 * day + hour for day in _WEEKDAYS for hour in range(10, 16)),
    "weekday_evening": tuple(24 * day + hour for day in _WEEKDAYS for hour in range(19, 24)),
    "weekend": tuple(24 * day + hour for day in (5, 6) for hour in range(7, 24)),
}


@dataclass(frozen=True)
class StationTimes:
    """
    Quickest times from some stations to all.

    Attributes
    ----------
    origin_ids, station_ids : tuple of str
        CRS codes of the rows and of the columns.
    time_min : numpy.ndarray of shape (n_origins, n_stations)
        Minutes; infinite where there is no path.
    n_changes : numpy.ndarray of shape (n_origins, n_stations) or None
        Changes of train on the quickest path, NaN where there is none; None without a timetable.
    part : numpy.ndarray of shape (n_stations,)
        Number of the connected part of the graph each station is in.
    last_node : numpy.ndarray of shape (n_origins, n_stations)
        Node of the graph at which the quickest path ends, -1 where there is none.
    previous : numpy.ndarray of shape (n_origins, n_nodes) or None
        Node before each node on the quickest path; None unless asked for.
    """

    origin_ids: tuple[str, ...]
    station_ids: tuple[str, ...]
    time_min: FloatArray
    n_changes: FloatArray | None
    part: IntArray
    last_node: IntArray
    previous: IntArray | None

    def to_table(self) -> pd.DataFrame:
        """
        Give one row a pair, null with a reason where there is no path.

        Returns
        -------
        pandas.DataFrame
            ``origin_station_id, destination_station_id, time_min, n_changes, reason``, ordered by origin and
            destination.
        """
        n_origins, n_stations = self.time_min.shape
        origin = np.repeat(np.arange(n_origins), n_stations)
        destination = np.tile(np.arange(n_stations), n_origins)
        own = pd.Index(self.station_ids).get_indexer(pd.Index(self.origin_ids))
        minutes = self.time_min.ravel()
        is_apart = self.part[own[origin]] != self.part[destination]
        reason = np.where(is_apart, "other_part_of_the_network", "no_train_in_these_hours").astype(object)
        reason[np.isfinite(minutes)] = None
        return pd.DataFrame(
            {
                "origin_station_id": np.asarray(self.origin_ids, dtype=object)[origin],
                "destination_station_id": np.asarray(self.station_ids, dtype=object)[destination],
                "time_min": np.where(np.isfinite(minutes), minutes, np.nan),
                "n_changes": np.nan if self.n_changes is None else self.n_changes.ravel(),
                "reason": pd.array(reason, dtype="str"),
            }
        )

    def path(self, origin_id: str, destination_id: str) -> list[int]:
        """
        Give the nodes of the quickest path.

        Parameters
        ----------
        origin_id, destination_id : str
            CRS codes.

        Returns
        -------
        list of int
            Nodes of the graph from the platform of the origin; empty where there is no path.

        Raises
        ------
        InputError
            If the paths were not kept.
        """
        if self.previous is None:
            msg = "station times: paths were not kept, expected them. Measure again with keep_paths=True."
            raise InputError(msg)
        row, column = self.origin_ids.index(origin_id), self.station_ids.index(destination_id)
        node = int(self.last_node[row, column])
        nodes: list[int] = []
        while node >= 0:
            nodes.append(node)
            node = int(self.previous[row, node])
        return nodes[::-1]


def measure_station_times(
    graph: PassengerGraph, *, origins: Sequence[str] | None = None, keep_paths: bool = False
) -> StationTimes:
    """
    Measure the quickest times from stations to all stations.

    Parameters
    ----------
    graph : PassengerGraph
        Never modified.
    origins : sequence of str, optional
        CRS codes of the stations to start from; all where not given.
    keep_paths : bool
        Whether to keep the node before each node; one row of all nodes an origin.

    Returns
    -------
    StationTimes
        Rows in the order of `origins`.

    Raises
    ------
    InputError
        If an origin is not in the graph.
    """
    origin_ids = graph.station_ids if origins is None else tuple(origins)
    start = pd.Index(graph.station_ids).get_indexer(pd.Index(origin_ids))
    if (start < 0).any():
        msg = f"origins: {origin_ids[int(np.argmin(start))]!r} is not in the graph, expected a station of it. Leave it."
        raise InputError(msg)
    n_nodes, n_stations = len(graph.node_station), len(graph.station_ids)
    adjacency = _adjacency(graph)
    ends = _Ends(graph)
    has_trains = bool((graph.kind == ArcKind.BOARD).any())
    time_min, last_node = np.full((len(start), n_stations), np.inf), np.full((len(start), n_stations), -1, np.intp)
    n_changes = np.full((len(start), n_stations), np.nan) if has_trains else None
    previous = np.full((len(start), n_nodes), -1, dtype=np.intp) if keep_paths else None
    step = max(1, _CHUNK_CELLS // n_nodes)
    for first in range(0, len(start), step):
        rows = slice(first, first + step)
        node_min, found = dijkstra(adjacency, indices=start[rows], return_predecessors=True)
        time_min[rows], last_node[rows] = ends.measure(node_min, start[rows])
        before: IntArray = np.where(found == _NO_NODE, -1, found).astype(np.intp)
        if n_changes is not None:
            n_changes[rows] = _count_changes(before, last_node[rows], n_stations)
        if previous is not None:
            previous[rows] = before
    part = connected_components(adjacency, directed=False)[1][:n_stations].astype(np.intp)
    return StationTimes(tuple(origin_ids), graph.station_ids, time_min, n_changes, part, last_node, previous)


def measure_station_times_by_band(
    links: gpd.GeoDataFrame,
    *,
    calls: pd.DataFrame,
    departures: pd.DataFrame,
    bands: Mapping[str, Sequence[int]] = HOUR_BANDS,
    origins: Sequence[str] | None = None,
    interchange_min: pd.Series | None = None,
    fixed_links: pd.DataFrame | None = None,
) -> dict[str, StationTimes]:
    """
    Measure station times separately for parts of the week.

    Parameters
    ----------
    links : geopandas.GeoDataFrame
        Table `geo.tables.RAIL_LINKS`. Never modified.
    calls, departures : pandas.DataFrame
        Tables `geo.tables.SERVICE_CALLS` and `geo.tables.SERVICE_DEPARTURES`. Never modified.
    bands : mapping of str to sequence of int
        Hours of the week by name.
    origins : sequence of str, optional
        CRS codes of the stations to start from; all where not given.
    interchange_min, fixed_links : optional
        As in `geo.network.passenger.build_passenger_graph`.

    Returns
    -------
    dict of str to StationTimes
        In the order of `bands`.

    Raises
    ------
    TableError
        If a table breaks its contract.
    """
    return {
        name: measure_station_times(
            build_passenger_graph(
                links,
                calls=calls,
                departures=departures,
                hours=hours,
                interchange_min=interchange_min,
                fixed_links=fixed_links,
            ),
            origins=origins,
        )
        for name, hours in bands.items()
    }


def _adjacency(graph: PassengerGraph) -> csr_array:
    """Minutes between nodes; of arcs between the same two the quickest, where a sparse matrix would add them."""
    order = np.lexsort((graph.minutes, graph.head, graph.tail))
    tail, head = graph.tail[order], graph.head[order]
    is_quickest = np.concatenate([[True], (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])])[: len(tail)]
    minutes = graph.minutes[order][is_quickest]
    n_nodes = len(graph.node_station)
    return csr_array((minutes, (tail[is_quickest], head[is_quickest])), shape=(n_nodes, n_nodes))


class _Ends:
    """The ways in which a path may end at a station: off a train, or along an arc to its platform."""

    def __init__(self, graph: PassengerGraph) -> None:
        is_alight = graph.kind == ArcKind.ALIGHT
        is_other = (graph.head < len(graph.station_ids)) & ~is_alight
        self._n_stations = len(graph.station_ids)
        node = np.concatenate([graph.tail[is_alight], graph.tail[is_other]]).astype(np.intp)
        station = np.concatenate([graph.head[is_alight], graph.head[is_other]]).astype(np.intp)
        minutes = np.concatenate([np.zeros(int(is_alight.sum())), graph.minutes[is_other]])
        # A path that ends along an arc ends on the platform; one that ends off a train, on the train.
        last = np.concatenate([graph.tail[is_alight], graph.head[is_other]]).astype(np.intp)
        order = np.lexsort((last, node, station))
        self._node, self._minutes, self._last = node[order], minutes[order], last[order]
        self._stations, self._first = np.unique(station[order], return_index=True)

    def measure(self, node_min: FloatArray, start: IntArray) -> tuple[FloatArray, IntArray]:
        """Minutes to each station and the node at which the path ends."""
        time_min = np.full((len(start), self._n_stations), np.inf)
        last = np.full((len(start), self._n_stations), -1, dtype=np.intp)
        bounds = np.append(self._first, len(self._node))
        arrive_min = node_min[:, self._node] + self._minutes
        for station, low, high in zip(self._stations, bounds[:-1], bounds[1:], strict=True):
            best = arrive_min[:, low:high].argmin(axis=1)
            time_min[:, station] = arrive_min[np.arange(len(start)), low + best]
            last[:, station] = np.where(np.isfinite(time_min[:, station]), self._last[low + best], -1)
        time_min[np.arange(len(start)), start] = 0.0
        last[np.arange(len(start)), start] = start
        return time_min, last


def _count_changes(before: IntArray, last_node: IntArray, n_stations: int) -> FloatArray:
    """Boardings less one on the path to each station, by doubling: each pass reaches twice as far back."""
    node = np.arange(before.shape[1])
    parent = np.where(before < 0, node, before)
    n_boards = ((parent < n_stations) & (node >= n_stations)).astype(np.int32)
    while True:
        further = np.take_along_axis(parent, parent, axis=1)
        n_boards = n_boards + np.take_along_axis(n_boards, parent, axis=1)
        if (further == parent).all():
            break
        parent = further
    counted = np.take_along_axis(n_boards, np.maximum(last_node, 0), axis=1).astype(float)
    return np.where(last_node < 0, np.nan, np.maximum(counted - 1, 0.0))
