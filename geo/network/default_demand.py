"""
Where passengers want to go, laid on the links: what an estimated service is made from.

In come RAIL_LINKS and PASSENGER_FLOWS; out come arrays over stations and links. Every journey takes the way on which a
train that stops nowhere is quickest, which is which track it uses; how many trains run there follows from that. How
quick it is rests on how many travel there: first of all they go as by trains that call everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo.compiled import compiled
from geo.network.default_times import LEAST_M, measure_curve_min, measure_leg_min

__all__ = ["RailDemand", "follow", "measure_rail_demand"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]
_DAYS_PER_YEAR = 365.0
# ASSUMPTION. A fast train stops every so many kilometres, and one that passes more stations than these is no fast one.
_FAST_LEG_KM, _MOST_PASSED = 30.0, 15.0


@dataclass(frozen=True)
class RailDemand:
    """
    Passengers on the railway of an average day.

    Attributes
    ----------
    station_ids : tuple of str
        Stations at the ends of links, by code.
    journeys : numpy.ndarray of shape (n_stations, n_stations)
        Journeys a day, one direction; symmetric.
    minutes : numpy.ndarray of shape (n_stations, n_stations)
        By trains that call everywhere on that way; infinite where no track leads.
    fast_min : numpy.ndarray of shape (n_stations, n_stations)
        By trains that stop nowhere.
    before : numpy.ndarray of shape (n_stations, n_stations)
        Station before each on the way from each; negative where there is none.
    link_of : numpy.ndarray of shape (n_stations, n_stations)
        Position of the link between neighbours, -1 elsewhere.
    link_flow : numpy.ndarray of shape (n_links,)
        Passengers a day over each link, both directions.
    link_km : numpy.ndarray of shape (n_links,)
        Length along track.
    link_curve_min : numpy.ndarray of shape (n_links,)
        Minutes at the speed that its curves allow.
    """

    station_ids: tuple[str, ...]
    journeys: FloatArray
    minutes: FloatArray
    fast_min: FloatArray
    before: IntArray
    link_of: IntArray
    link_flow: FloatArray
    link_km: FloatArray
    link_curve_min: FloatArray

    @property
    def users_per_day(self) -> FloatArray:
        """Passengers who get on or off at each station."""
        return np.asarray(2.0 * self.journeys.sum(axis=1))


def measure_rail_demand(links: gpd.GeoDataFrame, passenger_flows: pd.DataFrame) -> RailDemand:
    """
    Lay an origin-destination matrix on the links.

    Parameters
    ----------
    links : geopandas.GeoDataFrame
        Table `geo.tables.RAIL_LINKS`. Never modified.
    passenger_flows : pandas.DataFrame
        Table `geo.tables.PASSENGER_FLOWS`; journeys between stations without a way are left out. Never modified.

    Returns
    -------
    RailDemand
        Independent of the order of rows.
    """
    links = links.sort_index()
    ends = links[["from_station_id", "to_station_id"]]
    ids = pd.Index(np.unique(ends.to_numpy(dtype=object).astype(str)), dtype="str")
    low, high = (ids.get_indexer(pd.Index(ends[name])) for name in ends)
    n = len(ids)
    origin, destination = (
        ids.get_indexer(pd.Index(passenger_flows[f"{end}_station_id"])) for end in ("origin", "destination")
    )
    known = (origin >= 0) & (destination >= 0) & (origin != destination)
    journeys = np.zeros((n, n))
    per_day = passenger_flows["n_journeys_per_year"].to_numpy(float)[known] / _DAYS_PER_YEAR
    np.add.at(journeys, (origin[known], destination[known]), per_day)
    journeys = (journeys + journeys.T) / 2.0
    km = np.maximum(links["length_m"].to_numpy(float), LEAST_M) / 1000.0
    curve_min = measure_curve_min(links.geometry)
    link_of = np.full((n, n), -1, dtype=np.int32)
    link_of[low, high] = link_of[high, low] = np.arange(len(links))
    calling_min = np.maximum(links["time_min"].to_numpy(float), 1e-6)
    flow, pass_min = np.zeros(len(links)), calling_min
    for _ in range(2):
        ways = csr_array((pass_min, (low, high)), shape=(n, n))
        fast_min, before = dijkstra(ways, directed=False, return_predecessors=True)
        order = np.argsort(fast_min, axis=1, kind="stable").astype(np.int32)
        flow = _add_up_flow(journeys, order, before.astype(np.int32), link_of, len(links))
        pass_min = _pass_min(km, flow, curve_min)
    return RailDemand(
        station_ids=tuple(ids),
        journeys=np.where(np.isfinite(fast_min), journeys, 0.0),
        minutes=_along(order, before.astype(np.int32), link_of, calling_min),
        fast_min=fast_min,
        before=before.astype(np.int32),
        link_of=link_of,
        link_flow=flow,
        link_km=km,
        link_curve_min=curve_min,
    )


def _pass_min(km: FloatArray, flow: FloatArray, curve_min: FloatArray) -> FloatArray:
    """Minutes over each link of a train that passes both its ends, as on a leg of a middling length."""
    n_passed = np.minimum(_FAST_LEG_KM / km, _MOST_PASSED)
    leg_min = measure_leg_min(np.full(len(km), _FAST_LEG_KM), flow, curve_min / km * _FAST_LEG_KM, n_passed)
    return np.asarray(leg_min * km / _FAST_LEG_KM)


@compiled
def _along(order, before, link_of, link_min):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Minutes over the links of each way; infinite where there is none."""
    n = len(order)
    minutes = np.full((n, n), np.inf)
    for start in range(n):
        minutes[start, start] = 0.0
        for place in range(1, n):
            at = order[start, place]
            if before[start, at] >= 0:
                minutes[start, at] = minutes[start, before[start, at]] + link_min[link_of[before[start, at], at]]
    return minutes


@compiled
def _add_up_flow(journeys, order, before, link_of, n_links):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Passengers over each link: from each origin, the farthest stations first hand theirs to the one before."""
    flow = np.zeros(n_links)
    n = len(journeys)
    for start in range(n):
        onward = journeys[start].copy()
        for place in range(n - 1, 0, -1):
            at = order[start, place]
            if onward[at] > 0.0 and before[start, at] >= 0:
                flow[link_of[before[start, at], at]] += onward[at]
                onward[before[start, at]] += onward[at]
    return flow


@compiled
def follow(before, start, end):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """
    Follow the way between two stations.

    Parameters
    ----------
    before : numpy.ndarray of shape (n_stations,)
        Row of `RailDemand.before` of the first.
    start, end : int
        Positions of the stations; a way leads between them.

    Returns
    -------
    numpy.ndarray
        Positions on the way, in order.
    """
    n = 1
    at = end
    while at != start:
        at = before[at]
        n += 1
    found = np.empty(n, dtype=np.int32)
    at = end
    for k in range(n - 1, -1, -1):
        found[k] = at
        at = before[at]
    return found
