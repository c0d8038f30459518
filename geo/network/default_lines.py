"""
Which trains there are where no timetable says: lines from end to end, and how many trains a day run on each.

Far ones first: where enough people travel between two stations there is a direct train, and it takes up part of the
trains that its track has. What is left of those goes to shorter lines. Every figure was fitted to the whole-day feed
around Glasgow, week of 14 November 2022 (`benchmarks.railway`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.compiled import compiled
from geo.network.default_demand import RailDemand, follow

__all__ = ["Line", "choose_lines", "measure_call_chance"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]
# Trains a day over a link, both directions: exp(a) times passengers a day to the power of b.
_LOG_TRAINS, _TRAINS_EXPONENT = 0.733, 0.467
# ASSUMPTION. So many passengers on a train at least: rural lines that fork from those of the fit have fewer trains.
_LEAST_LOAD = 20.0
# Journeys a day, one direction, at which half of the pairs so many minutes apart have a direct train: c T^g.
_DIRECT_FROM, _DIRECT_EXPONENT = 0.02, 1.45
# Direct trains a day of such a pair: exp(a) times journeys to the power of b and minutes to the power of c.
_LOG_DIRECT, _DIRECT_BY_JOURNEYS, _DIRECT_BY_MINUTES = 4.08, 0.13, -0.35
# Which pairs are given theirs first: by minutes and this power of journeys; of 0, 0.2 and 0.35 the one that leaves
# fewest of the real direct pairs around Glasgow without, by journeys.
_IMPORTANCE = 0.2
# ASSUMPTION. A line has a train every four hours at least, and no pair nearer than this is an end of one.
_FEWEST_TRAINS, _SHORTEST_MIN = 4.0, 5.0
# ASSUMPTION. A train goes round by one of the busiest stations if that takes no longer than so, the busiest first.
_N_HUBS, _MOST_HUBS, _ROUND_BY_HUB_MIN = 100, 3, 10.0
# ASSUMPTION. A way on less than this share of which none runs gets no trains to cover it.
_LEAST_NEW = 0.5
# ASSUMPTION. Track with fewer passengers a day has no passenger trains.
_LEAST_FLOW = 1.0
# Chance that a train calls where it could: logistic in the passenger-minutes of those who get on or off there over
# those of all who ride past, and in the minutes from end to end. AUC 0.89 around Glasgow, 0.94 around Newport.
_CALL_BASE, _CALL_BY_SHARE, _CALL_BY_MINUTES = 7.28, 2.59, -1.70


@dataclass(frozen=True)
class Line:
    """
    Trains between two ends.

    Attributes
    ----------
    stations : numpy.ndarray of shape (n,)
        Positions of the stations that its track passes, in order.
    trains_per_day : float
        Each way, of an average day.
    """

    stations: IntArray
    trains_per_day: float


def choose_lines(demand: RailDemand) -> list[Line]:
    """
    Choose lines and their trains a day.

    Parameters
    ----------
    demand : RailDemand
        Passengers.

    Returns
    -------
    list of Line
        In a fixed order. Every link that passengers use is on one.
    """
    flow = demand.link_flow
    left = 0.5 * np.minimum(np.exp(_LOG_TRAINS) * flow**_TRAINS_EXPONENT, flow / _LEAST_LOAD)
    left[flow < _LEAST_FLOW] = 0.0
    state = _State(demand, left)
    i, j = np.nonzero(np.triu(demand.journeys > 0, 1))
    journeys, minutes = demand.journeys[i, j], demand.minutes[i, j]
    has_direct = (minutes >= _SHORTEST_MIN) & (journeys >= _DIRECT_FROM * minutes**_DIRECT_EXPONENT)
    rank = np.lexsort((j, i, -(journeys**_IMPORTANCE) * minutes))
    rank = rank[has_direct[rank]]
    wanted = np.exp(_LOG_DIRECT) * journeys[rank] ** _DIRECT_BY_JOURNEYS * minutes[rank] ** _DIRECT_BY_MINUTES
    for start, end, trains in zip(i[rank].tolist(), j[rank].tolist(), wanted.tolist(), strict=True):
        state.serve_directly(start, end, trains)
    is_bare = state.bare_stations()
    is_near = is_bare[i] | is_bare[j]
    i, j, use = i[is_near], j[is_near], (journeys * minutes)[is_near]
    for k in np.lexsort((j, i, -use)):
        state.cover(int(i[k]), int(j[k]))
    return state.topped_up()


class _State:
    """Lines so far, and the trains a day that links have left."""

    def __init__(self, demand: RailDemand, left: FloatArray) -> None:
        self.demand, self.left, self.wanted = demand, left, left.copy()
        self.direct = np.zeros_like(demand.journeys)
        self.is_served = left <= 0
        self.lines: list[Line] = []
        self.hubs = np.argsort(-demand.users_per_day, kind="stable")[:_N_HUBS]

    def bare_stations(self) -> NDArray[np.bool_]:
        """Stations at track on which passengers go and no train runs yet."""
        tail, head = np.nonzero(self.demand.link_of >= 0)
        found = np.zeros(len(self.demand.station_ids), dtype=bool)
        found[tail[~self.is_served[self.demand.link_of[tail, head]]]] = True
        return found

    def serve_directly(self, i: int, j: int, wanted: float) -> None:
        """Give a pair the direct trains that its passengers call for, as far as its track has them on the whole."""
        missing = wanted - self.direct[i, j]
        if missing < _FEWEST_TRAINS:
            return
        stations, links = self._way(i, j)
        km = self.demand.link_km[links]
        trains = min(missing, float(self.left[links] @ km) / float(km.sum()))
        if trains >= _FEWEST_TRAINS:
            self._add(stations, links, trains)

    def cover(self, i: int, j: int) -> None:
        """Run trains where none runs yet, if most of the way is such track."""
        demand = self.demand
        if _new_share(demand.before[i], i, j, demand.link_of, demand.link_km, self.is_served) < _LEAST_NEW:
            return
        stations = follow(demand.before[i], i, j)
        links = self._links(stations)
        wanted = self.wanted[links][~self.is_served[links]]
        self._add(stations, links, max(float(np.median(wanted)), _FEWEST_TRAINS))

    def topped_up(self) -> list[Line]:
        """The lines, shorter ones first given what their track still has."""
        order = sorted(range(len(self.lines)), key=lambda k: (self.demand.minutes[self._ends(k)], k))
        for k in order:
            line = self.lines[k]
            links = self._links(line.stations)
            more = float(self.left[links].min())
            if more > 0:
                self.left[links] -= more
                self.lines[k] = Line(line.stations, line.trains_per_day + more)
        return self.lines

    def _ends(self, k: int) -> tuple[int, int]:
        return int(self.lines[k].stations[0]), int(self.lines[k].stations[-1])

    def _way(self, i: int, j: int) -> tuple[IntArray, IntArray]:
        """The quickest way, or one round by a hub that takes little longer and on which more ride along."""
        stations = follow(self.demand.before[i], i, j)
        most = self._load(stations)
        for hub in self._hubs_near(i, j, set(stations.tolist())):
            first, second = (follow(self.demand.before[a], a, b) for a, b in ((i, hub), (hub, j)))
            by_hub = np.concatenate([first, second[1:]])
            load = self._load(by_hub)
            if len(np.unique(by_hub)) == len(by_hub) and load > most:
                stations, most = by_hub, load
        return stations, self._links(stations)

    def _hubs_near(self, i: int, j: int, passed: set[int]) -> list[int]:
        """Busy stations off the way that can be taken in."""
        whole = self.demand.fast_min[i, self.hubs] + self.demand.fast_min[self.hubs, j]
        near = self.hubs[whole <= self.demand.fast_min[i, j] + _ROUND_BY_HUB_MIN]
        return [hub for hub in near.tolist() if hub not in passed][:_MOST_HUBS]

    def _load(self, stations: IntArray) -> float:
        return float(_measure_load(self.demand.journeys, self.demand.fast_min, stations))

    def _links(self, stations: IntArray) -> IntArray:
        return self.demand.link_of[stations[:-1], stations[1:]]

    def _add(self, stations: IntArray, links: IntArray, trains: float) -> None:
        self.lines.append(Line(stations, trains))
        self.left[links] -= trains
        self.is_served[links] = True
        chance = measure_call_chance(self.demand, stations)
        at = np.ix_(stations, stations)
        self.direct[at] += trains * chance[:, None] * chance[None, :]


def measure_call_chance(demand: RailDemand, stations: IntArray) -> FloatArray:
    """
    Measure the chance that a train calls at each station of its way.

    Parameters
    ----------
    demand : RailDemand
        Passengers.
    stations : numpy.ndarray of shape (n,)
        Positions along the way.

    Returns
    -------
    numpy.ndarray of shape (n,)
        1 at both ends.
    """
    at = np.ix_(stations, stations)
    use = demand.journeys[at] * np.where(np.isfinite(demand.minutes[at]), demand.minutes[at], 0.0)
    there = 2.0 * use.sum(axis=1)
    past = _ride_past(use)
    with np.errstate(divide="ignore"):
        share = np.log10(there) - np.log10(past)
    minutes = demand.minutes[stations[0], stations[-1]]
    logit = _CALL_BASE + _CALL_BY_SHARE * share + _CALL_BY_MINUTES * np.log10(minutes + 5.0)
    chance = 1.0 / (1.0 + np.exp(-np.clip(np.nan_to_num(logit, nan=0.0), -30.0, 30.0)))
    chance[0] = chance[-1] = 1.0
    return np.asarray(chance)


@compiled
def _measure_load(journeys, minutes, stations):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Passengers on board of those who could ride along, on the mean over the minutes of the way."""
    use, whole = 0.0, 0.0
    for k in range(len(stations)):
        for m in range(k + 1, len(stations)):
            use += 2.0 * journeys[stations[k], stations[m]] * minutes[stations[k], stations[m]]
        if k:
            whole += minutes[stations[k - 1], stations[k]]
    return use / whole


@compiled
def _new_share(before, start, end, link_of, link_km, is_served):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Share of the way, by length, on which no train runs yet."""
    new_km, km = 0.0, 0.0
    at = end
    while at != start:
        link = link_of[before[at], at]
        km += link_km[link]
        if not is_served[link]:
            new_km += link_km[link]
        at = before[at]
    return new_km / km


def _ride_past(use: FloatArray) -> FloatArray:
    """Passenger-minutes of those who get on before a station and off behind it, both ways."""
    total = np.zeros((len(use) + 1, len(use) + 1))
    total[1:, 1:] = use.cumsum(axis=0).cumsum(axis=1)
    k = np.arange(len(use))
    return np.asarray(2.0 * (total[k, len(use)] - total[k, k + 1]))
