"""
Links between neighbouring stations along the track: tables RAIL_TRACK and STATIONS in, RAIL_LINKS out.

The track is noded, gaps are closed by a rule and listed, stations cut every line they stand on, and each pair of
stations with track between them and no third station on it gets one link: the shortest path a train could take. A
train does not turn back on open track, so a path may not leave a junction at a sharp angle to the way it came; a
graph of track alone would let it.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from geo.crs import METRIC
from geo.network.bypasses import find_bypasses
from geo.network.rail_paths import LinkPaths, measure_link_paths
from geo.network.repair import repair_gaps
from geo.network.run_times import DEFAULT_SPEED_KM_PER_H, DEFAULT_START_STOP_MIN, measure_run_min, pick_run_times
from geo.network.station_contacts import StationContacts, attach_stations
from geo.network.track import build_track_graph
from geo.schema import validate
from geo.tables import RAIL_LINKS, STATIONS

__all__ = ["RailNetwork", "build_rail_network"]

IntArray = NDArray[np.intp]

SNAP_LIMIT_M = 500.0
CONTACT_RADIUS_M = 100.0
JOIN_LIMIT_M = 1.0
REPAIR_LIMIT_M = 50.0
REPAIR_MIN_DETOUR_M = 2_000.0
REPAIR_MIN_DETOUR_RATIO = 10.0
MAX_TURN_DEG = 90.0
THROAT_M = 1_000.0


@dataclass(frozen=True)
class RailNetwork:
    """
    Stations and the links between neighbours.

    Attributes
    ----------
    stations : pandas.DataFrame
        Table `geo.tables.STATIONS`: those that stand on the track, ordered by code, with ``offset_m`` to it and
        ``component``, 0 for the largest connected part of the network.
    links : geopandas.GeoDataFrame
        Table `geo.tables.RAIL_LINKS`, index ``FROM-TO`` in alphabetic order.
    repairs : pandas.DataFrame
        One row a gap closed: where, ``gap_m``, ``detour_m`` before (null where there was no way round) and the
        nearest station.
    unsnapped : pandas.DataFrame
        Stations left out, with ``offset_m`` and ``reason``.
    """

    stations: pd.DataFrame
    links: gpd.GeoDataFrame
    repairs: pd.DataFrame
    unsnapped: pd.DataFrame


def build_rail_network(
    track: gpd.GeoDataFrame,
    stations: pd.DataFrame,
    *,
    snap_limit_m: float = SNAP_LIMIT_M,
    contact_radius_m: float = CONTACT_RADIUS_M,
    join_limit_m: float = JOIN_LIMIT_M,
    repair_limit_m: float = REPAIR_LIMIT_M,
    repair_min_detour_m: float = REPAIR_MIN_DETOUR_M,
    repair_min_detour_ratio: float = REPAIR_MIN_DETOUR_RATIO,
    max_turn_deg: float = MAX_TURN_DEG,
    throat_m: float = THROAT_M,
    run_times: pd.DataFrame | None = None,
    speed_km_per_h: float = DEFAULT_SPEED_KM_PER_H,
    start_stop_min: float = DEFAULT_START_STOP_MIN,
) -> RailNetwork:
    """
    Build the links between neighbouring stations.

    Parameters
    ----------
    track : geopandas.GeoDataFrame
        Table `geo.tables.RAIL_TRACK`. Never modified.
    stations : pandas.DataFrame
        Table `geo.tables.STATIONS`. Never modified.
    snap_limit_m : float
        A station farther than this from all track is left out and listed, metres.
    contact_radius_m : float
        A station stops trains on all track within this distance, metres. ASSUMPTION: half the width of a large
        station.
    join_limit_m : float
        An end of track this close to another line touches it, metres.
    repair_limit_m, repair_min_detour_m, repair_min_detour_ratio : float
        A dead end within the limit of other track is joined to it where the way round is at least so many metres
        and so many times the gap. ASSUMPTION, set so that gaps of drawing are closed and termini are not joined.
    max_turn_deg : float
        Sharpest turn of a train at a junction, degrees. ASSUMPTION: less than a reversal.
    throat_m : float
        Length of track outside a station on which its trains may turn sharply, metres; a link that passes within
        `snap_limit_m` of a station and could call there for twice as much is no link. ASSUMPTION.
    run_times : pandas.DataFrame, optional
        Columns ``from_station_id, to_station_id, time_min`` of trains that call at both and nowhere between.
    speed_km_per_h, start_stop_min : float
        Run time where `run_times` has none; see `geo.network.run_times`.

    Returns
    -------
    RailNetwork
        Links, stations kept, repairs and stations left out.

    Raises
    ------
    TableError
        If a table breaks its contract.

    Examples
    --------
    >>> from shapely import LineString
    >>> track = gpd.GeoDataFrame(
    ...     geometry=[LineString([(400_000, 400_000), (410_000, 400_000)])], crs="EPSG:27700",
    ...     index=pd.Index([1], name="track_id"))
    >>> stations = pd.DataFrame(
    ...     {"name": ["A", "B", "C"], "easting_m": [400_000.0, 404_100.0, 410_000.0], "northing_m": 400_010.0,
    ...      "is_in_force": True}, index=pd.Index(["AAA", "BBB", "CCC"], name="station_id"))
    >>> build_rail_network(track, stations).links[["length_m", "time_min", "time_basis"]]
             length_m  time_min     time_basis
    link_id
    AAA-BBB    4100.0       4.0  assumed_speed
    BBB-CCC    5900.0       5.3  assumed_speed
    """
    validate(stations, STATIONS)
    stations = stations.sort_index()
    graph = build_track_graph(track, join_limit_m=join_limit_m)
    graph, repairs = repair_gaps(
        graph, limit_m=repair_limit_m, min_detour_m=repair_min_detour_m, min_detour_ratio=repair_min_detour_ratio
    )
    contacts = attach_stations(graph, stations, snap_limit_m=snap_limit_m, contact_radius_m=contact_radius_m)
    paths = measure_link_paths(contacts.graph, contacts.owner, max_turn_deg=max_turn_deg, throat_m=throat_m)
    links = _table_links(paths, stations)
    kept = _keep_stations(stations, contacts, snap_limit_m)
    links = links[~find_bypasses(links, kept, near_m=snap_limit_m, excess_m=2 * throat_m)].copy()

    timetabled_min = pick_run_times(links, run_times)
    assumed_min = measure_run_min(
        links["length_m"].to_numpy(dtype=float), speed_km_per_h=speed_km_per_h, start_stop_min=start_stop_min
    )
    is_known = np.isfinite(timetabled_min)
    links["time_min"] = np.where(is_known, timetabled_min, assumed_min)
    links["time_basis"] = np.where(is_known, "timetable", "assumed_speed")
    return RailNetwork(
        stations=_number_components(kept, links),
        links=validate(links[list(RAIL_LINKS.columns)], RAIL_LINKS),
        repairs=_name_repairs(repairs, stations),
        unsnapped=_list_unsnapped(stations, contacts, snap_limit_m),
    )


def _table_links(paths: LinkPaths, stations: pd.DataFrame) -> gpd.GeoDataFrame:
    """Links without their times, index ``FROM-TO`` in alphabetic order."""
    ids = stations.index.to_numpy(dtype=object)
    start, end = ids[paths.origin], ids[paths.destination]
    return gpd.GeoDataFrame(
        {
            "from_station_id": pd.array(start, dtype="str"),
            "to_station_id": pd.array(end, dtype="str"),
            "length_m": paths.length_m,
            "repaired_m": paths.bridged_m,
        },
        geometry=paths.lines,
        crs=METRIC,
        index=pd.Index(start + "-" + end, name=RAIL_LINKS.index, dtype="str"),
    )


def _keep_stations(stations: pd.DataFrame, contacts: StationContacts, snap_limit_m: float) -> pd.DataFrame:
    """Stations that own a place on the track."""
    is_kept = (contacts.offset_m <= snap_limit_m) & (contacts.twin < 0)
    return stations.assign(offset_m=contacts.offset_m)[is_kept]


def _number_components(stations: pd.DataFrame, links: pd.DataFrame) -> pd.DataFrame:
    """Stations with the number of their part of the network, the largest first, ties by code."""
    ends = [stations.index.get_indexer(pd.Index(links[name])) for name in ("from_station_id", "to_station_id")]
    joined = csr_array((np.ones(len(links)), (ends[0], ends[1])), shape=(len(stations),) * 2)
    part = pd.Series(connected_components(joined, directed=False)[1], index=stations.index)
    sizes = part.groupby(part, sort=False).transform("size")
    ranked = pd.DataFrame({"part": part, "size": sizes, "id": stations.index})
    order = ranked.sort_values(["size", "id"], ascending=[False, True], kind="stable")["part"].unique()
    return validate(stations.assign(component=part.map({p: k for k, p in enumerate(order)}).astype("int64")), STATIONS)


def _name_repairs(repairs: pd.DataFrame, stations: pd.DataFrame) -> pd.DataFrame:
    """Repairs with the code of the station nearest to each."""
    if stations.empty or repairs.empty:
        return repairs.assign(nearest_station_id=pd.Series(dtype="str"))
    tree = cKDTree(stations[["easting_m", "northing_m"]].to_numpy(dtype=float))
    nearest = tree.query(repairs[["easting_m", "northing_m"]].to_numpy(dtype=float))[1]
    return repairs.assign(nearest_station_id=stations.index.to_numpy(dtype=object)[nearest])


def _list_unsnapped(stations: pd.DataFrame, contacts: StationContacts, snap_limit_m: float) -> pd.DataFrame:
    """Stations left out and why."""
    is_far, is_twin = contacts.offset_m > snap_limit_m, contacts.twin >= 0
    ids = stations.index.to_numpy(dtype=object)
    reason = np.where(is_far, f"no track within {snap_limit_m:g} m", "same place on the track as " + ids[contacts.twin])
    left_out = pd.DataFrame({"offset_m": contacts.offset_m, "reason": reason}, index=stations.index)[is_far | is_twin]
    left_out["offset_m"] = left_out["offset_m"].where(np.isfinite(left_out["offset_m"]))
    return left_out
