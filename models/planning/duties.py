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

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from geo.errors import UsageError
from geo.schema import validate
from geo.tables import RAIL_LINKS
from models.planning.encounters import Encounters
from models.planning.shifts import Dosage, Shift

__all__ = ["MAX_TRAVEL_MIN", "Duties", "build_duties", "measure_team_travel"]

FloatArray = NDArray[np.float64]

MAX_TRAVEL_MIN = 60.0  # ASSUMPTION: a team is not sent on a ride of more than an hour between two stations of a shift
MOST_STOPS = 3


@dataclass(frozen=True)
class Duties:
    """
    The duties a shift offers.

    Attributes
    ----------
    stops : tuple of tuple of int
        Stations of each duty, in the order worked.
    presence : scipy.sparse.csc_matrix of shape (n_stations, n_duties)
        Share of the shift that the team is at the station.
    hazard : scipy.sparse.csr_matrix of shape (n_patterns, n_duties)
        -ln of the chance that a trip of the pattern passes the team unmet.
    travel_min : numpy.ndarray of shape (n_duties,)
        Minutes on the way in a shift.
    """

    stops: tuple[tuple[int, ...], ...]
    presence: sparse.csc_matrix
    hazard: sparse.csr_matrix
    travel_min: FloatArray


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
    dosage: Dosage | None = None,
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
        Most stations of a tour, 1 to 3.
    travel_min : pandas.DataFrame, optional
        Minutes between stations, from `measure_team_travel`; needed for more than one stop.
    max_travel_min : float
        Longest ride between two stations of a tour, minutes.
    dosage : Dosage, optional
        With it a team makes visits of that length, round after round, up to the visits of a day; without it, it stays
        an equal part of the shift at each stop.

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
    stops: list[tuple[int, ...]] = []
    stay: list[float] = []
    travel: list[float] = []
    for size in range(1, stops_per_shift + 1):
        for group in combinations(range(n), size):
            tour = _tour(group, away, shift, max_travel_min, dosage)
            if tour is not None:
                stops.append(tour[0])
                stay.append(tour[1])
                travel.append(tour[2])
    column = np.repeat(np.arange(len(stops)), [len(tour) for tour in stops])
    row = np.concatenate([np.array(tour, dtype=np.int64) for tour in stops])
    shape = (n, len(stops))
    presence = sparse.csc_matrix((np.array(stay)[column], (row, column)), shape=shape)
    return Duties(tuple(stops), presence, _duty_hazard(encounters.hazard, presence), np.array(travel))


def _square(travel_min: pd.DataFrame, station_ids: tuple[str, ...]) -> FloatArray:
    away = travel_min.reindex(index=list(station_ids), columns=list(station_ids)).to_numpy(dtype=float)
    return np.where(np.isnan(away), np.inf, away)


def _tour(
    group: tuple[int, ...], away: FloatArray, shift: Shift, max_travel_min: float, dosage: Dosage | None
) -> tuple[tuple[int, ...], float, float] | None:
    """The quickest order, the share of the shift at each stop, and the minutes on the way; None where it cannot be."""
    quickest: tuple[float, tuple[int, ...]] | None = None
    for order in permutations(group):
        if order[0] > order[-1]:
            continue
        rides = [away[a, b] for a, b in pairwise(order)]
        if max(rides, default=0.0) <= max_travel_min and (quickest is None or sum(rides) < quickest[0]):
            quickest = (float(sum(rides)), order)
    if quickest is None:
        return None
    ride_min, order = quickest
    if dosage is None:
        stay = (shift.minutes - ride_min) / (len(order) * shift.minutes)
        return (order, stay, ride_min) if stay > 0 else None
    back_min = float(away[order[-1], order[0]]) if len(order) > 1 else 0.0
    round_min = len(order) * dosage.visit_min + ride_min + back_min
    # The last round does not ride back.
    rounds = min(dosage.visits_per_day, int((shift.minutes + back_min) // round_min))
    if rounds < 1:
        return None
    return order, rounds * dosage.visit_min / shift.minutes, rounds * (ride_min + back_min) - back_min


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
