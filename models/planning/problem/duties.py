"""
What one team can do in one shift: stand at a station, or go round a few that lie close enough.

In come `Encounters`, a shift and the travel between stations; out come `Duties`, one column each of the interception
programme. A tour that spends too long on the way does not exist, so no plan can ask for it. A station that is worked
for part of a shift meets that part of the trips passing in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise, permutations
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from geo.errors import UsageError
from geo.schema import validate
from geo.tables import RAIL_LINKS
from models.planning.problem.encounters import Encounters
from models.planning.problem.shifts import Shift

__all__ = ["MAX_TRAVEL_MIN", "Duties", "build_duties", "measure_team_travel"]

FloatArray = NDArray[np.float64]

Tour = tuple[int, ...]
"""Stations in the order worked."""

MAX_TRAVEL_MIN = 60.0  # ASSUMPTION: a team is not sent on a ride of more than an hour between two stations of a shift
MOST_STOPS = 3


@dataclass(frozen=True)
class Duties:
    """
    The duties a shift offers.

    Attributes
    ----------
    stops : tuple of Tour
        Stations of each duty, in the order worked.
    presence : scipy.sparse.csc_matrix of shape (n_stations, n_duties)
        Share of the shift that the team is at the station.
    hazard : scipy.sparse.csr_matrix of shape (n_patterns, n_duties)
        -ln of the chance that a trip of the pattern passes the team unmet.
    travel_min : numpy.ndarray of shape (n_duties,)
        Minutes on the way in a shift.
    """

    stops: tuple[Tour, ...]
    presence: sparse.csc_matrix
    hazard: sparse.csr_matrix
    travel_min: FloatArray


class _Way(NamedTuple):
    """A tour, the share of the shift at each of its stops, and the minutes on the way."""

    tour: Tour
    stay_share: float
    travel_min: float


def measure_team_travel(links: pd.DataFrame, station_ids: Sequence[str]) -> pd.DataFrame:
    """
    Measure the ride between stations for a team.

    Parameters
    ----------
    links : pandas.DataFrame
        Table `geo.tables.RAIL_LINKS`; geometry is not needed.
    station_ids : sequence of str
        Stations wanted.

    Returns
    -------
    pandas.DataFrame
        Minutes from row to column, infinite where no track leads; both ways alike.
    """
    if "geometry" in links.columns:
        validate(links, RAIL_LINKS)
    ids = sorted({*links["from_station_id"], *links["to_station_id"], *station_ids})
    row = pd.Series(range(len(ids)), index=ids)
    ends = row.loc[links["from_station_id"]].to_numpy(), row.loc[links["to_station_id"]].to_numpy()
    graph = sparse.csr_matrix((np.maximum(links["time_min"].to_numpy(float), 1e-6), ends), shape=(len(ids),) * 2)
    wanted = row.loc[list(station_ids)].to_numpy()
    minutes = dijkstra(graph, directed=False, indices=wanted)[:, wanted]
    return pd.DataFrame(minutes, index=list(station_ids), columns=list(station_ids))


def build_duties(
    encounters: Encounters,
    shift: Shift,
    *,
    stops_per_shift: int = 1,
    travel_min: pd.DataFrame | None = None,
    max_travel_min: float = MAX_TRAVEL_MIN,
) -> Duties:
    """
    List what a team can do in a shift.

    Parameters
    ----------
    encounters : Encounters
        Stations and patterns.
    shift : Shift
        Its length bounds a tour.
    stops_per_shift : int
        Most stations of a tour, 1 to 3; the team stays an equal part of the shift at each.
    travel_min : pandas.DataFrame, optional
        Minutes between stations, from `measure_team_travel`; needed for more than one stop.
    max_travel_min : float
        Longest ride between two stations of a tour, minutes.

    Returns
    -------
    Duties
        Single stations first, then tours, by the order of their stations.

    Raises
    ------
    UsageError
        If the stops are not 1 to 3, or there are several and no travel is given.
    """
    if not 1 <= stops_per_shift <= MOST_STOPS or (stops_per_shift > 1 and travel_min is None):
        msg = (
            f"plan: stops_per_shift is {stops_per_shift!r} and travel between stations is "
            f"{'not ' if travel_min is None else ''}given, expected 1 to {MOST_STOPS}, with travel for more than one. "
            "Lower it or give travel_min."
        )
        raise UsageError(msg)
    n = len(encounters.station_ids)
    away = np.zeros((n, n)) if travel_min is None else _square(travel_min, encounters.station_ids)
    groups = (group for size in range(1, stops_per_shift + 1) for group in combinations(range(n), size))
    ways = [way for group in groups if (way := _find_way(group, away, shift, max_travel_min)) is not None]
    column = np.repeat(np.arange(len(ways)), [len(way.tour) for way in ways])
    row = np.concatenate([np.array(way.tour, dtype=np.int64) for way in ways])
    stay = np.array([way.stay_share for way in ways])
    presence = sparse.csc_matrix((stay[column], (row, column)), shape=(n, len(ways)))
    travel = np.array([way.travel_min for way in ways])
    return Duties(tuple(way.tour for way in ways), presence, _duty_hazard(encounters.hazard, presence), travel)


def _square(travel_min: pd.DataFrame, station_ids: tuple[str, ...]) -> FloatArray:
    away = travel_min.reindex(index=list(station_ids), columns=list(station_ids)).to_numpy(dtype=float)
    return np.where(np.isnan(away), np.inf, away)


def _find_way(group: Tour, away: FloatArray, shift: Shift, max_travel_min: float) -> _Way | None:
    """The quickest way round some stations; None where the shift has no time for it."""
    order, ride_min = None, np.inf
    for tried in permutations(group):
        if tried[0] > tried[-1]:
            continue
        rides = [away[a, b] for a, b in pairwise(tried)]
        if max(rides, default=0.0) <= max_travel_min and sum(rides) < ride_min:
            order, ride_min = tried, float(sum(rides))
    if order is None:
        return None
    stay = (shift.minutes - ride_min) / (len(order) * shift.minutes)
    return _Way(order, stay, ride_min) if stay > 0 else None


def _duty_hazard(hazard: sparse.csr_matrix, presence: sparse.csc_matrix) -> sparse.csr_matrix:
    """Hazards of the stations, each for the share of the shift that it is worked, added up by duty."""
    total = sparse.csr_matrix((hazard.shape[0], presence.shape[1]))
    # Duties with an equal share are done at once; there are few distinct shares.
    for share in np.unique(presence.data):
        part = hazard.copy()
        part.data = -np.log1p(share * np.expm1(-part.data))
        at_share = presence.copy()
        at_share.data = (at_share.data == share).astype(float)
        at_share.eliminate_zeros()
        total = total + part @ at_share
    return sparse.csr_matrix(total)
