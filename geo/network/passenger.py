"""
The railway as a passenger can use it: platforms, trains that call, waits and changes, as arrays.

Where there is a timetable, each stopping pattern has a node on board at each of its calls, so a train that does not
call cannot be boarded, and a change costs an alighting and a new wait. Without one there are only platforms and the
links between neighbouring stations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.errors import InputError
from geo.network.link_paths import find_link_paths
from geo.network.services import HOURS_PER_WEEK, Services, build_services
from geo.schema import validate
from geo.tables import RAIL_LINKS

__all__ = ["ArcKind", "PassengerGraph", "build_passenger_graph"]

# The median stand of 7,606 calls in a Network Rail update file of 2019-01-29.
DEFAULT_DWELL_MIN = 1.0
# The change time that the British rail timetable uses where a station sets none of its own.
DEFAULT_INTERCHANGE_MIN = 5.0
# ASSUMPTION: nobody waits longer than this for a train; whoever plans comes later.
DEFAULT_MAX_WAIT_MIN = 60.0
# An arc must take time, or a path could go round for nothing.
_LEAST_MIN = 1e-6


class ArcKind(IntEnum):
    """What a passenger does on an arc."""

    RIDE = 0
    BOARD = 1
    ALIGHT = 2
    STAY = 3
    WALK = 4


@dataclass(frozen=True)
class PassengerGraph:
    """
    A directed graph of minutes over platforms and trains.

    Attributes
    ----------
    station_ids : tuple of str
        CRS codes. Node k < n_stations is the platform of station k; further nodes are on board a train at a call.
    link_ids : tuple of str
        Rail links (index of `geo.tables.RAIL_LINKS`) that `link_indices` points into.
    node_station : numpy.ndarray of shape (n_nodes,)
        Position in `station_ids` of the station each node is at.
    tail, head : numpy.ndarray of shape (n_arcs,)
        Nodes at the ends of each arc.
    minutes : numpy.ndarray of shape (n_arcs,)
        Time of each arc, positive. BOARD holds the wait; ALIGHT and WALK hold the change or walking time.
    kind : numpy.ndarray of shape (n_arcs,)
        An `ArcKind` each.
    link_indptr : numpy.ndarray of shape (n_arcs + 1,)
        Where the rail links under each arc start in `link_indices`; empty for arcs that do not move along track.
    link_indices : numpy.ndarray
        Positions in `link_ids`.
    """

    station_ids: tuple[str, ...]
    link_ids: tuple[str, ...]
    node_station: NDArray[np.int32]
    tail: NDArray[np.int32]
    head: NDArray[np.int32]
    minutes: NDArray[np.float64]
    kind: NDArray[np.int8]
    link_indptr: NDArray[np.int64]
    link_indices: NDArray[np.int32]


def build_passenger_graph(
    links: gpd.GeoDataFrame,
    *,
    calls: pd.DataFrame | None = None,
    departures: pd.DataFrame | None = None,
    hours: Sequence[int] = range(HOURS_PER_WEEK),
    interchange_min: pd.Series | None = None,
    fixed_links: pd.DataFrame | None = None,
    dwell_min: float = DEFAULT_DWELL_MIN,
    default_interchange_min: float = DEFAULT_INTERCHANGE_MIN,
    max_wait_min: float = DEFAULT_MAX_WAIT_MIN,
) -> PassengerGraph:
    """
    Build the graph of platforms and trains.

    With a timetable, every service has a node for each arrival and each departure. BOARD leads from a platform to a
    departure and takes half the time between trains of that service, `max_wait_min` at most; RIDE leads to the next
    arrival; STAY holds the dwell; ALIGHT leads to the platform and takes the change time of the station. Without one
    there are only platforms, and RIDE arcs both ways along each link take its run time and a dwell.

    Parameters
    ----------
    links : geopandas.GeoDataFrame
        Table `geo.tables.RAIL_LINKS`. Never modified.
    calls, departures : pandas.DataFrame, optional
        Tables `geo.tables.SERVICE_CALLS` and `geo.tables.SERVICE_DEPARTURES`; both or neither. Never modified.
    hours : sequence of int
        Hours of the week over which trains are counted, 0 is Monday 00:00-00:59.
    interchange_min : pandas.Series, optional
        Minutes to change trains by CRS code.
    fixed_links : pandas.DataFrame, optional
        Columns ``from_station_id, to_station_id, time_min``: walks and other ways between stations, one way each.
    dwell_min : float
        Minutes of a stop where there is no timetable.
    default_interchange_min : float
        Minutes to change where `interchange_min` has none.
    max_wait_min : float
        Longest wait for a train, minutes.

    Returns
    -------
    PassengerGraph
        Stations are those of the links and the calls, by code.

    Raises
    ------
    InputError
        If only one of `calls` and `departures` is given, or `hours` are not hours of a week.
    TableError
        If a table breaks its contract.

    Notes
    -----
    Half the time between trains is the mean wait of a passenger who comes without a timetable to trains at even
    intervals. Services that share a stretch are not pooled, so the wait there is too long rather than too short.

    Examples
    --------
    >>> from shapely import LineString
    >>> links = gpd.GeoDataFrame(
    ...     {"from_station_id": ["HGT"], "to_station_id": ["LDS"], "length_m": 29_300.0, "time_min": 36.0,
    ...      "time_basis": "timetable", "repaired_m": 0.0},
    ...     geometry=[LineString([(430_000, 455_000), (430_000, 433_000)])], crs="EPSG:27700",
    ...     index=pd.Index(["HGT-LDS"], name="link_id"))
    >>> graph = build_passenger_graph(links)
    >>> graph.station_ids, graph.minutes.tolist()
    (('HGT', 'LDS'), [37.0, 37.0])
    """
    validate(links, RAIL_LINKS)
    if (calls is None) != (departures is None):
        msg = "calls and departures: only one of them is given, expected both or neither. Give the other."
        raise InputError(msg)
    if not len(hours) or min(hours) < 0 or max(hours) >= HOURS_PER_WEEK:
        msg = f"hours: {list(hours)[:3]!r} are not hours of a week, expected some from 0 to 167. Give others."
        raise InputError(msg)
    ends = links[["from_station_id", "to_station_id"]].to_numpy(dtype=object).ravel().tolist()
    extra = [] if calls is None else calls["station_id"].tolist()
    stations = pd.Index(sorted({*ends, *extra}), dtype="str")
    if calls is None or departures is None:
        parts = [_link_arcs(links, stations, dwell_min)]
        node_station = np.arange(len(stations), dtype=np.int32)
    else:
        change_min = _change_min(stations, interchange_min, default_interchange_min)
        services = build_services(calls, departures, hours=hours)
        at = stations.get_indexer(pd.Index(services.station_id))
        parts = _service_arcs(services, at, len(stations), change_min, max_wait_min)
        node_station = np.concatenate([np.arange(len(stations)), at, at]).astype(np.int32)
    if fixed_links is not None:
        parts.append(_walk_arcs(fixed_links, stations))
    return _assemble(parts, links, stations, node_station)


def _arcs(tail: NDArray[np.intp], head: NDArray[np.intp], minutes: NDArray[np.float64], kind: ArcKind) -> pd.DataFrame:
    return pd.DataFrame({"tail": tail, "head": head, "minutes": minutes, "kind": int(kind)})


def _link_arcs(links: pd.DataFrame, stations: pd.Index, dwell_min: float) -> pd.DataFrame:
    """RIDE arcs both ways along every link."""
    start, end = (stations.get_indexer(pd.Index(links[name])) for name in ("from_station_id", "to_station_id"))
    minutes = links["time_min"].to_numpy(dtype=float) + dwell_min
    return _arcs(np.concatenate([start, end]), np.concatenate([end, start]), np.tile(minutes, 2), ArcKind.RIDE)


def _change_min(stations: pd.Index, interchange_min: pd.Series | None, default_min: float) -> NDArray[np.float64]:
    if interchange_min is None:
        return np.full(len(stations), default_min)
    return np.asarray(interchange_min.reindex(stations).fillna(default_min).to_numpy(), dtype=float)


def _service_arcs(
    services: Services, at: NDArray[np.intp], n_stations: int, change_min: NDArray[np.float64], max_wait_min: float
) -> list[pd.DataFrame]:
    """Arcs of all services; call k arrives at node n_stations + k and departs from node n_stations + n_calls + k."""
    call = np.arange(len(at))
    arrive, depart = n_stations + call, n_stations + len(at) + call
    runs = call[~services.is_last]
    boards = call[services.n_per_hour > 0]
    alights = call[~services.is_first]
    stays = call[~services.is_first & ~services.is_last]
    wait_min = np.minimum(60.0 / services.n_per_hour[boards] / 2, max_wait_min)
    return [
        _arcs(depart[runs], arrive[runs + 1], services.run_min[runs], ArcKind.RIDE),
        _arcs(at[boards], depart[boards], wait_min, ArcKind.BOARD),
        _arcs(arrive[alights], at[alights], change_min[at[alights]], ArcKind.ALIGHT),
        _arcs(arrive[stays], depart[stays], services.dwell_min[stays], ArcKind.STAY),
    ]


def _walk_arcs(fixed_links: pd.DataFrame, stations: pd.Index) -> pd.DataFrame:
    """WALK arcs between stations of the graph, the quickest of each pair."""
    known = fixed_links[fixed_links["from_station_id"].isin(stations) & fixed_links["to_station_id"].isin(stations)]
    quickest = known.groupby(["from_station_id", "to_station_id"], sort=True)["time_min"].min().reset_index()
    start, end = (stations.get_indexer(pd.Index(quickest[name])) for name in ("from_station_id", "to_station_id"))
    return _arcs(start, end, quickest["time_min"].to_numpy(dtype=float), ArcKind.WALK)


def _assemble(
    parts: list[pd.DataFrame], links: gpd.GeoDataFrame, stations: pd.Index, node_station: NDArray[np.int32]
) -> PassengerGraph:
    """Arcs in the order of their ends, with the rail links under those that ride."""
    arcs = pd.concat(parts, ignore_index=True).sort_values(["tail", "head", "kind", "minutes"], kind="stable")
    tail, head = arcs["tail"].to_numpy(dtype=np.int32), arcs["head"].to_numpy(dtype=np.int32)
    kind = arcs["kind"].to_numpy(dtype=np.int8)
    is_ride = kind == ArcKind.RIDE
    links = links.sort_index()
    paths = find_link_paths(links, stations, node_station[tail[is_ride]], node_station[head[is_ride]])
    n_links = np.zeros(len(arcs), dtype=np.int64)
    n_links[is_ride] = [len(path) for path in paths]
    return PassengerGraph(
        station_ids=tuple(stations.tolist()),
        link_ids=tuple(links.index.tolist()),
        node_station=node_station,
        tail=tail,
        head=head,
        minutes=np.maximum(arcs["minutes"].to_numpy(dtype=float), _LEAST_MIN),
        kind=kind,
        link_indptr=np.concatenate([[0], np.cumsum(n_links)]).astype(np.int64),
        link_indices=np.concatenate([*paths, np.zeros(0)]).astype(np.int32),
    )
