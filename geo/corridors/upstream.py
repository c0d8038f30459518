r"""
Where an exporting area's flow to this force can be met before it gets here, so that a joint operation can be proposed.

In come `geo.tables.COURIER_FLOWS` to the force's towns, the railway and its stations; out comes `UPSTREAM_STATIONS`. A
station meets a trip if the trip boards, changes, calls or alights there. The stations of an origin are listed by
minutes from it, and a small set that meets a stated share of its rail trips is picked by greedy cover: the station that
meets the most of what is not yet met, the earliest of equals, until the share is reached. Coverage of the set is exact
over all paths, since paths through the stations picked are taken out and the rest solved again (`restrict_paths`). That
no smaller set exists is not proven: greedy cover may need more stations than the least, by a logarithmic factor at
worst (Wolsey [1]_).

References
----------
.. [1] Wolsey, L. A. (1982). "An analysis of the greedy algorithm for the submodular set covering problem."
   Combinatorica 2(4), 385-393.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.corridors.choice import OriginGroup, Supply, each_origin
from geo.corridors.paths import OriginPaths, load_rides, restrict_paths
from geo.corridors.rides import FloatArray
from geo.corridors.terminals import find_best_paths
from geo.errors import UsageError
from geo.schema import Column, Contract, empty, validate
from geo.tables import COURIER_FLOWS, STATIONS

__all__ = ["UPSTREAM_STATIONS", "find_upstream_stations"]

COVER_SHARE = 0.8  # ASSUMPTION: most of an origin's trips, at few stations
LEAST_SHARE = 0.01  # a station that meets less of an origin's trips is not listed

UPSTREAM_STATIONS = Contract(
    "upstream_stations",
    "upstream_id",
    {
        "origin_id": Column("text", "exporter_id"),
        "station_id": Column("text", "CRS code of a station outside the force"),
        "time_min": Column("number", "minutes from the origin to the station by the best path", low=0),
        "met_share": Column(
            "number", "share of the origin's rail trips to the force that can be met there", low=0, high=1
        ),
        "met_trips_per_month": Column("number", "the same in trips a month", low=0),
        "pick_order": Column("count", "place in the small set that meets most, from 1; 0 for none", low=0),
        "cover_share": Column(
            "number", "share met by the set up to this station; null outside it", nullable=True, low=0, high=1
        ),
    },
    total="One row an exporting area and a station outside the force where its couriers pass, ordered by time.",
)


def find_upstream_stations(
    courier_flows: pd.DataFrame,
    supply: Supply,
    stations: pd.DataFrame,
    *,
    cover_share: float = COVER_SHARE,
    least_share: float = LEAST_SHARE,
) -> pd.DataFrame:
    """
    List, for each exporting area, the stations where its flow to the force can be met earliest.

    Parameters
    ----------
    courier_flows : pandas.DataFrame
        What `geo.corridors.choice.choose_modes` returned; internal pairs are left out.
    supply : Supply
        The railway.
    stations : pandas.DataFrame
        Table `geo.tables.STATIONS`; only those outside the force are upstream.
    cover_share : float
        Share of an origin's rail trips that its small set is to meet.
    least_share : float
        Stations that meet less are not listed, unless picked.

    Returns
    -------
    pandas.DataFrame
        Table `UPSTREAM_STATIONS`, by origin and time. An origin whose trips are met outside the force nowhere has no
        row.

    Raises
    ------
    UsageError
        If the share to cover is not above 0 and at most 1.
    """
    validate(courier_flows, COURIER_FLOWS)
    validate(stations, STATIONS)
    if not 0 < cover_share <= 1:
        msg = f"cover_share: is {cover_share!r}, expected above 0 and at most 1. Ask for 0.8, say."
        raise UsageError(msg)
    flows = courier_flows[~courier_flows["is_internal"]].sort_index(kind="stable")
    rail = (flows["trips_per_month"] * flows["rail_share"]).to_numpy(dtype=float)
    outside = ~stations["is_in_force"].astype(bool)
    is_upstream = np.isin(np.array(supply.rides.station_ids, dtype=str), stations.index[outside].to_numpy(dtype=str))
    parts = [
        _list_origin(group, supply, rail[group.rows], is_upstream, cover_share, least_share)
        for group in each_origin(flows, supply)
    ]
    full = [part for part in parts if len(part)]
    if not full:
        return empty(UPSTREAM_STATIONS)
    table = pd.concat(full, ignore_index=True)
    table[["origin_id", "station_id"]] = table[["origin_id", "station_id"]].astype("str")
    ids = [f"{o}:{s}" for o, s in zip(table["origin_id"], table["station_id"], strict=True)]
    table.index = pd.Index(ids, name=UPSTREAM_STATIONS.index, dtype="str")
    return validate(table, UPSTREAM_STATIONS)


def _list_origin(
    group: OriginGroup,
    supply: Supply,
    rail: FloatArray,
    is_upstream: NDArray[np.bool_],
    cover_share: float,
    least_share: float,
) -> pd.DataFrame:
    """The stations of one origin, by time."""
    total = float(rail.sum())
    if not total > 0:
        return pd.DataFrame()
    alighting = np.asarray(group.egress_share.T @ rail)[:, None]
    met = np.where(is_upstream, _meet(group.paths, alighting, group.paths), 0.0)
    picks = _pick(group.paths, alighting, met, is_upstream, total, cover_share)
    time_min = _minutes(group, supply)
    listed = np.flatnonzero((met >= least_share * total) | np.isin(np.arange(met.size), list(picks)))
    listed = listed[met[listed] > 0]
    order = listed[np.lexsort((listed, time_min[listed]))]
    place = {station: number for number, station in enumerate(picks, start=1)}
    return pd.DataFrame(
        {
            "origin_id": group.origin_id,
            "station_id": np.array(supply.rides.station_ids, dtype=object)[order],
            "time_min": time_min[order],
            "met_share": np.minimum(met[order] / total, 1.0),
            "met_trips_per_month": met[order],
            "pick_order": np.array([place.get(s, 0) for s in order.tolist()], dtype=np.int64),
            "cover_share": np.array([picks.get(s, np.nan) for s in order.tolist()], dtype=float),
        }
    )


def _meet(paths: OriginPaths, alighting: FloatArray, among: OriginPaths) -> FloatArray:
    """Trips met at each station: boarding, arriving, or on board at a call."""
    rides, loads = paths.rides, load_rides(paths, alighting, among=among)
    on_rides = loads.on_rides[:, 0]
    arriving = np.bincount(rides.head[loads.used], weights=on_rides, minlength=rides.n_stations)
    trips: FloatArray = loads.boarding[:, 0] + arriving + rides.calls[loads.used].T @ on_rides
    return trips


def _pick(
    paths: OriginPaths,
    alighting: FloatArray,
    met: FloatArray,
    is_upstream: NDArray[np.bool_],
    total: float,
    cover_share: float,
) -> dict[int, float]:
    """Stations picked, in order, each with the share that the set meets by then."""
    rides = paths.rides
    picks: dict[int, float] = {}
    left, fresh = paths, met
    while max(picks.values(), default=0.0) < cover_share and fresh.max(initial=0.0) > 1e-9 * total:
        # Trips are sums of many terms; equals are told from rounding before the nearest is taken.
        tied = np.flatnonzero(fresh >= fresh.max() * (1 - 1e-9))
        station = int(tied[np.argmin(paths.distance_min[tied])])
        misses = (rides.tail != station) & (rides.head != station)
        misses &= np.asarray(rides.calls[:, [station]].todense())[:, 0] == 0
        left = restrict_paths(left, misses)
        unmet = float(load_rides(left, alighting, among=paths).boarding.sum())
        picks[station] = min(max(1.0 - unmet / total, 0.0), 1.0)
        fresh = np.where(is_upstream, _meet(left, alighting, paths), 0.0)
    return picks


def _minutes(group: OriginGroup, supply: Supply) -> FloatArray:
    """Clock minutes from the origin to each station: on foot or by road to where it boards, else by the best path."""
    minutes = find_best_paths(group.paths, supply.terminals, group.origin).time_min.copy()
    stations, _, time_min = supply.terminals.of(group.origin)
    np.minimum.at(minutes, stations, time_min)
    return minutes
