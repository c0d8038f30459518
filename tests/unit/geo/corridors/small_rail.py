"""Small railways, towns and trips, made by hand."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from geo.corridors.choice import Supply
from geo.corridors.rides import build_rides
from geo.corridors.terminals import build_terminals
from geo.network.passenger import ArcKind, PassengerGraph

Link = tuple[str, str, float]
# Calls of a train, minutes between them, wait, minutes to alight.
Train = tuple[Sequence[str], Sequence[float], float, float]


def link_graph(stations: Sequence[str], links: Sequence[Link]) -> PassengerGraph:
    """Platforms and links both ways: no timetable."""
    ids = tuple(stations)
    tail, head, minutes, under = [], [], [], []
    for number, (a, b, time_min) in enumerate(links):
        for x, y in ((a, b), (b, a)):
            tail.append(ids.index(x))
            head.append(ids.index(y))
            minutes.append(time_min)
            under.append(number)
    return _graph(ids, [f"{a}-{b}" for a, b, _ in links], range(len(ids)), tail, head, minutes, [0] * len(tail), under)


def train_graph(stations: Sequence[str], trains: Sequence[Train], walks: Sequence[Link] = ()) -> PassengerGraph:
    """One node on board at each call; the link under a ride is named after the calls it joins."""
    ids = tuple(stations)
    links = sorted({"-".join(sorted(p)) for calls, *_ in trains for p in pairwise(calls)})
    node_station = list(range(len(ids)))
    tail, head, minutes, kind, under = [], [], [], [], []

    def arc(t: int, h: int, m: float, k: ArcKind, link: int = -1) -> None:
        tail.append(t), head.append(h), minutes.append(m), kind.append(int(k)), under.append(link)

    for calls, runs, wait_min, alight_min in trains:
        first = len(node_station)
        for number, station in enumerate(calls):
            node, platform = first + number, ids.index(station)
            node_station.append(platform)
            if number < len(calls) - 1:
                arc(platform, node, wait_min, ArcKind.BOARD)
                link = links.index("-".join(sorted((station, calls[number + 1]))))
                arc(node, node + 1, runs[number], ArcKind.RIDE, link)
            if number:
                arc(node, platform, alight_min, ArcKind.ALIGHT)
    for a, b, time_min in walks:
        arc(ids.index(a), ids.index(b), time_min, ArcKind.WALK)
    return _graph(ids, links, node_station, tail, head, minutes, kind, under)


def _graph(ids, links, node_station, tail, head, minutes, kind, under) -> PassengerGraph:
    has_link = np.array(under) >= 0
    return PassengerGraph(
        station_ids=ids,
        link_ids=tuple(links),
        node_station=np.array(node_station, dtype=np.int32),
        tail=np.array(tail, dtype=np.int32),
        head=np.array(head, dtype=np.int32),
        minutes=np.array(minutes, dtype=float),
        kind=np.array(kind, dtype=np.int8),
        link_indptr=np.concatenate([[0], np.cumsum(has_link)]).astype(np.int64),
        link_indices=np.array(under, dtype=np.int32)[has_link],
    )


def access_table(rows: Sequence[tuple[str, str, float, str]]) -> pd.DataFrame:
    """Place, station, minutes, mode."""
    return pd.DataFrame(
        {
            "place_id": [r[0] for r in rows],
            "station_id": [r[1] for r in rows],
            "time_min": [float(r[2]) for r in rows],
            "mode": [r[3] for r in rows],
            "basis": "road_graph",
            "reason": pd.array([None] * len(rows), dtype="str"),
        },
        index=pd.Index([f"{r[0]}:{r[1]}:{r[3]}" for r in rows], name="access_id", dtype="str"),
    ).astype({"place_id": "str", "station_id": "str", "mode": "str", "basis": "str"})


def exporter_table(hubs: dict[str, str | None]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "name": list(hubs),
            "easting_m": 400_000.0,
            "northing_m": 400_000.0,
            "population": 1e6,
            "hub_station_id": pd.array(list(hubs.values()), dtype="str"),
            "n_lines": np.nan,
            "prior_lines": 1.0,
        },
        index=pd.Index(list(hubs), name="exporter_id", dtype="str"),
    )


def trips_table(rows: Sequence[tuple[str, str, float]], *, internal: Sequence[str] = ()) -> pd.DataFrame:
    """Origin, destination, trips a month."""
    return pd.DataFrame(
        {
            "origin_id": [r[0] for r in rows],
            "destination_id": [r[1] for r in rows],
            "is_internal": [r[0] in internal for r in rows],
            "trips_per_month": [float(r[2]) for r in rows],
            "basis": "prior",
        },
        index=pd.Index([f"{r[0]}:{r[1]}" for r in rows], name="flow_id", dtype="str"),
    ).astype({"is_internal": "bool"})


def road_table(rows: Sequence[tuple[str, str, float | None]]) -> pd.DataFrame:
    """Origin, destination, minutes; a kilometre a minute."""
    minutes = np.array([np.nan if r[2] is None else r[2] for r in rows], dtype=float)
    return pd.DataFrame(
        {
            "origin_id": [r[0] for r in rows],
            "destination_id": [r[1] for r in rows],
            "time_min": minutes,
            "length_m": minutes * 1000.0,
            "basis": "road_graph",
            "reason": pd.array([None] * len(rows), dtype="str"),
        },
        index=pd.Index([f"{r[0]}:{r[1]}" for r in rows], name="road_time_id", dtype="str"),
    )


def supply_of(graph: PassengerGraph, access, hubs, **options: float) -> Supply:
    rides = build_rides(graph)
    return Supply(rides, build_terminals(access_table(access), exporter_table(hubs), rides.station_ids), **options)
