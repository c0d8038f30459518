"""
Where passengers want to go, laid on the links: what an estimated service is made from.

In come RAIL_LINKS and PASSENGER_FLOWS; out come arrays over stations and links. Every journey takes the quickest way by
trains that call everywhere, which is which track it uses; how many trains run there follows from that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

__all__ = ["RailDemand", "measure_rail_demand"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]
_DAYS_PER_YEAR = 365.0


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
        By trains that call everywhere; infinite where no track leads.
    before : numpy.ndarray of shape (n_stations, n_stations)
        Station before each on the way from each; negative where there is none.
    link_of : numpy.ndarray of shape (n_stations, n_stations)
        Position of the link between neighbours, -1 elsewhere.
    link_flow : numpy.ndarray of shape (n_links,)
        Passengers a day over each link, both directions.
    link_km : numpy.ndarray of shape (n_links,)
        Length along track.
    """

    station_ids: tuple[str, ...]
    journeys: FloatArray
    minutes: FloatArray
    before: IntArray
    link_of: IntArray
    link_flow: FloatArray
    link_km: FloatArray


def measure_rail_demand(links: pd.DataFrame, passenger_flows: pd.DataFrame) -> RailDemand:
    """
    Lay an origin-destination matrix on the links.

    Parameters
    ----------
    links : pandas.DataFrame
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
    minutes_of = np.maximum(links["time_min"].to_numpy(float), 1e-6)
    ways = csr_array((minutes_of, (low, high)), shape=(n, n))
    minutes, before = dijkstra(ways, directed=False, return_predecessors=True)
    link_of = np.full((n, n), -1, dtype=np.int32)
    link_of[low, high] = link_of[high, low] = np.arange(len(links))
    order = np.argsort(minutes, axis=1, kind="stable").astype(np.int32)
    flow = _add_up_flow(journeys, order, before.astype(np.int32), link_of, len(links))
    return RailDemand(
        station_ids=tuple(ids),
        journeys=np.where(np.isfinite(minutes), journeys, 0.0),
        minutes=minutes,
        before=before.astype(np.int32),
        link_of=link_of,
        link_flow=flow,
        link_km=links["length_m"].to_numpy(float) / 1000.0,
    )


@njit(cache=True, nogil=True)
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
