"""
Where stations touch the track: table STATIONS and a track graph in, the cut graph and its owners out.

A station is not one point on one line. Every line that comes close to it gets a contact, so that no path along a
parallel line or another branch slips past.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.network.feet import find_feet
from geo.network.track_graph import TrackGraph, cut_edges, find_nodes

__all__ = ["StationContacts", "attach_stations"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

# All track as near as the nearest is in reach, with so much to spare for rounding.
_SPARE_M = 0.05


@dataclass(frozen=True)
class StationContacts:
    """
    The track graph cut at its stations.

    Attributes
    ----------
    graph : TrackGraph
        Every contact is a node.
    owner : numpy.ndarray of shape (n_nodes,)
        Position of the station that a node belongs to, -1 where it is open track.
    offset_m : numpy.ndarray of shape (n_stations,)
        Straight metres from the station to the nearest track, infinite where there is no track.
    twin : numpy.ndarray of shape (n_stations,)
        Position of the station that already owns the place where this one would touch the track, -1 for none.
    """

    graph: TrackGraph
    owner: IntArray
    offset_m: FloatArray
    twin: IntArray


def attach_stations(
    graph: TrackGraph, stations: pd.DataFrame, *, snap_limit_m: float, contact_radius_m: float
) -> StationContacts:
    """
    Cut the track wherever a station touches it.

    1. A station is snapped to the nearest track within `snap_limit_m`.
    2. It also touches all other track within `contact_radius_m`, at the nearest position of each stretch that passes,
       as in `geo.network.feet.find_feet`.
    3. Such a further contact belongs to the nearest of the stations around it; a station never loses its nearest
       contact to one that is farther from it.

    Parameters
    ----------
    graph : TrackGraph
        Never modified.
    stations : pandas.DataFrame
        Table `geo.tables.STATIONS`. Never modified.
    snap_limit_m, contact_radius_m : float
        Metres.

    Returns
    -------
    StationContacts
        The cut graph and the owner of each node.
    """
    points = shapely.points(stations["easting_m"].to_numpy(dtype=float), stations["northing_m"].to_numpy(dtype=float))
    tree = shapely.STRtree(graph.lines)
    offset_m = np.full(len(points), np.inf)
    (station, _), distance_m = tree.query_nearest(points, return_distance=True)
    offset_m[station] = distance_m
    reach_m = np.where(offset_m <= snap_limit_m, np.maximum(contact_radius_m, offset_m + _SPARE_M), -1.0)
    is_snapped = np.flatnonzero(reach_m > 0)
    if len(is_snapped) == 0:
        alone = (np.full(n, -1, dtype=np.intp) for n in (graph.n_nodes, len(points)))
        return StationContacts(graph, next(alone), offset_m, next(alone))
    feet = _nearest_feet(graph, shapely.get_coordinates(points[is_snapped]), reach_m[is_snapped], is_snapped)
    feet = _settle_owners(feet, points[is_snapped], is_snapped)

    owners = feet.drop_duplicates("spot")
    cut = cut_edges(
        graph,
        owners["edge"].to_numpy(dtype=np.intp),
        owners["chainage_m"].to_numpy(dtype=float),
        owners[["easting_m", "northing_m"]].to_numpy(dtype=float),
    )
    owner = np.full(cut.n_nodes, -1, dtype=np.intp)
    nodes = find_nodes(cut, owners[["easting_m", "northing_m"]].to_numpy(dtype=float))
    owner[nodes] = owners["station"].to_numpy(dtype=np.intp)
    twin = np.full(len(points), -1, dtype=np.intp)
    lost = feet[feet["is_nearest"]].drop_duplicates("station")
    twin[lost["station"]] = owner[find_nodes(cut, lost[["easting_m", "northing_m"]].to_numpy(dtype=float))]
    has_own = np.isin(np.arange(len(points)), owner)
    twin[has_own] = -1
    return StationContacts(graph=cut, owner=owner, offset_m=offset_m, twin=twin)


def _nearest_feet(graph: TrackGraph, xy_m: FloatArray, reach_m: FloatArray, numbers: IntArray) -> pd.DataFrame:
    """One row a station and a stretch of track that passes it, with the spot it touches."""
    feet = find_feet(graph, xy_m, reach_m)
    feet["station"] = numbers[feet["point"]]
    feet["spot"] = feet.groupby([feet["easting_m"].round(2), feet["northing_m"].round(2)], sort=True).ngroup()
    feet = feet.sort_values(["station", "distance_m", "spot", "edge"], kind="stable").drop_duplicates(
        ["station", "spot"]
    )
    feet["is_nearest"] = ~feet["station"].duplicated()
    return feet


def _settle_owners(feet: pd.DataFrame, points: NDArray[np.object_], numbers: IntArray) -> pd.DataFrame:
    """Feet without the further contacts that lie nearer to another station, the owner of a spot first."""
    nearest = shapely.STRtree(points).nearest(shapely.points(feet["easting_m"], feet["northing_m"]))
    is_own = numbers[nearest] == feet["station"].to_numpy()
    kept: pd.DataFrame = feet[is_own | feet["is_nearest"].to_numpy()]
    return kept.sort_values(["spot", "distance_m", "station"], kind="stable")
