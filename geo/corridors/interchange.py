r"""
Where trips change trains when no timetable says so, from the changes that are counted.

The Office of Rail and Road publishes, for every station, how many changes of train are made there in a year. Laying its
matrix of journeys on the same network by the same paths gives the journeys that go on beyond each station. Their ratio

.. math:: \kappa_k = \min(1, \mathrm{changes}_k / \mathrm{through}_k)

is the share of trips going on at k that change there, whoever makes them. Couriers are taken to change as all
passengers do (ASSUMPTION). It is a share for the station, not for the pair of lines: a trip that stays on its train at
a junction and one that must change there get the same.

In come `geo.tables.PASSENGER_FLOWS` and `geo.tables.STATION_USAGE`; out comes a share for each station. The method is
ours.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from geo.corridors.paths import DEVIATION_MIN, MAX_DETOUR_MIN, SPREAD_PER_MIN, load_rides, solve_origin
from geo.corridors.rides import FloatArray, Rides
from geo.schema import validate
from geo.tables import PASSENGER_FLOWS, STATION_USAGE

__all__ = ["estimate_change_share", "measure_through_journeys"]


def measure_through_journeys(
    rides: Rides,
    passenger_flows: pd.DataFrame,
    *,
    spread_per_min: float = SPREAD_PER_MIN,
    max_detour_min: float = MAX_DETOUR_MIN,
    deviation_min: float = DEVIATION_MIN,
) -> pd.Series:
    """
    Lay all passengers' journeys on the network and count those that go on beyond each station.

    Parameters
    ----------
    rides : Rides
        Direct rides without a timetable.
    passenger_flows : pandas.DataFrame
        Table `geo.tables.PASSENGER_FLOWS`; journeys to or from stations off the network are left out.
    spread_per_min, max_detour_min, deviation_min : float
        As for `geo.corridors.paths.solve_origin`.

    Returns
    -------
    pandas.Series
        ``through_journeys_per_year`` by station.
    """
    validate(passenger_flows, PASSENGER_FLOWS)
    index = pd.Index(rides.station_ids)
    origin = index.get_indexer(pd.Index(passenger_flows["origin_station_id"]))
    destination = index.get_indexer(pd.Index(passenger_flows["destination_station_id"]))
    journeys = passenger_flows["n_journeys_per_year"].to_numpy(dtype=float)
    on_network = (origin >= 0) & (destination >= 0) & (origin != destination)
    origin, destination, journeys = origin[on_network], destination[on_network], journeys[on_network]
    # One order, so that sums do not depend on that of the table.
    order = np.lexsort((journeys, destination, origin))
    origin, destination, journeys = origin[order], destination[order], journeys[order]
    through: FloatArray = np.zeros(rides.n_stations)
    ids, starts = np.unique(origin, return_index=True)
    bounds = [*starts.tolist(), origin.size]
    for number, station in enumerate(ids.tolist()):
        here = slice(bounds[number], bounds[number + 1])
        paths = solve_origin(
            rides,
            np.array([station], dtype=np.int32),
            np.zeros(1),
            spread_per_min=spread_per_min,
            max_detour_min=max_detour_min,
            deviation_min=deviation_min,
        )
        alighting = np.bincount(destination[here], weights=journeys[here], minlength=rides.n_stations).astype(float)
        alighting[paths.arrival_weight == 0] = 0.0
        through += load_rides(paths, alighting[:, None]).through[:, 0]
    return pd.Series(through, index=pd.Index(index, name="station_id"), name="through_journeys_per_year")


def estimate_change_share(through: pd.Series, usage: pd.DataFrame) -> pd.Series:
    """
    Estimate the share of trips going on at each station that change there.

    Parameters
    ----------
    through : pandas.Series
        What `measure_through_journeys` returned.
    usage : pandas.DataFrame
        Table `geo.tables.STATION_USAGE`; a station without a count of changes gets 0.

    Returns
    -------
    pandas.Series
        ``change_share`` in [0, 1] by ``station_id``, for `geo.corridors.assignment.assign_flows`.
    """
    validate(usage, STATION_USAGE)
    changes = usage["n_interchanges_per_year"].reindex(through.index).fillna(0.0).to_numpy(dtype=float)
    going_on = through.to_numpy(dtype=float)
    share = np.where(going_on > 0, changes / np.where(going_on > 0, going_on, 1.0), 0.0)
    return pd.Series(np.minimum(share, 1.0), index=through.index, name="change_share")
