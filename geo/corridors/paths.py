r"""
Several sensible rail paths from one origin at once, by the logit of Dial on a network without circles.

A path is a chain of rides. It is sensible if every ride ends farther from the origin than it began and makes the way
there no more than a stated time longer than the best, and if no change is needless (`Rides.needless`: the same train
would have gone on). All sensible paths share the trips of a pair of places in the ratio :math:`\exp(-\theta c)` of
their generalised cost, and none is ever listed. With :math:`\ell_a = \exp(-\theta (c_a + d_t - d_h))` for ride a from t
to h, :math:`s_a` the same where a is the first ride and has the price of one (`Rides.first_cost_min`), and N the
needless pairs, the weights of all paths that end with ride a, and that arrive at station k by one, are

.. math:: F_a = s_a + \ell_a \Big( W_t - \sum_{(b, a) \in N} F_b \Big), \qquad W_k = \sum_{a: h = k} F_a,

one sparse triangular solution, since rides and stations are ordered by d. Trips that leave the trains are laid on the
network by the transposed solution: with :math:`\alpha_k` the trips alighting at k by unit of weight,

.. math:: y_a = \alpha_h + z_h - \sum_{(a, b) \in N} \ell_b y_b, \qquad z_k = \sum_{b: t = k} \ell_b y_b,

first boardings at k are the sum of :math:`s_a y_a` over its rides, the trips on ride a are :math:`F_a y_a`, and those
that go on from k are the sum of :math:`F_a (y_a - \alpha_k)`.

Dial [1]_ asks also that a ride ends nearer the destination; as in his second algorithm we ask only that it leads away
from the origin, which lets one solution serve all destinations. The matrix form is that of Markov path choice
(Akamatsu [2]_); taking out needless changes is ours. Paths that overlap are counted as if they did not (no path-size
correction), so many small variants of one way share more than they should. On a network of links without a timetable
that would drown the best way: a variant that costs a minute more looks as good, while in truth it needs two changes of
train. There a ride that leaves the tree of best ways costs `deviation_min` more.

References
----------
.. [1] Dial, R. B. (1971). "A probabilistic multipath traffic assignment model which obviates path enumeration."
   Transportation Research 5(2), 83-111.
.. [2] Akamatsu, T. (1996). "Cyclic flows, Markov process and stochastic traffic assignment." Transportation Research
   Part B 30(5), 369-386.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import dijkstra
from scipy.sparse.linalg import spsolve_triangular

from geo.corridors.rides import SPREAD_PER_MIN, FloatArray, IntArray, Rides
from geo.errors import UsageError

__all__ = [
    "MAX_DETOUR_MIN",
    "SPREAD_PER_MIN",
    "OriginPaths",
    "RideLoads",
    "load_rides",
    "restrict_paths",
    "solve_origin",
]

MAX_DETOUR_MIN = 60.0  # ASSUMPTION: a ride that costs an hour more than the best way to its end is not considered
DEVIATION_MIN = (
    20.0  # ASSUMPTION: half a change (10 + 2 x 15 minutes), as half of the ways off the best are through trains
)
# Stations nearer than this to equal are no farther, so that rounding cannot turn a tie into a sensible ride.
_TIE_MIN = 1e-9
# scipy drops an arc of no length, so the way into the network is made longer by this and taken off again.
_OFFSET_MIN = 1.0
# What is left of a weight after needless changes are taken out, as a share, below which it is rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class OriginPaths:
    r"""
    All sensible paths from one origin.

    Attributes
    ----------
    rides : Rides
        What the paths are made of.
    spread_per_min : float
        :math:`\theta`.
    distance_min : numpy.ndarray of shape (n_stations,)
        Generalised minutes :math:`d` of the best way to each station; infinite where there is none.
    start_cost_min : numpy.ndarray of shape (n_stations,)
        Generalised minutes to reach each station without a train; infinite where the origin's couriers do not.
    first_weight : numpy.ndarray of shape (n_rides,)
        :math:`s`; 0 for a ride that is no first one.
    arrival_weight : numpy.ndarray of shape (n_stations,)
        Weight of all paths that arrive by train, :math:`W`.
    ride_weight : numpy.ndarray of shape (n_rides,)
        :math:`F`.
    likelihood : numpy.ndarray of shape (n_rides,)
        :math:`\ell`; 0 for a ride that is not sensible from here.
    extra_min : numpy.ndarray of shape (n_rides,)
        Generalised minutes that each ride costs more from here, as it leaves the best ways.
    order : numpy.ndarray
        Stations in reach, nearest first.
    shift_min : numpy.ndarray of shape (n_stations,) or float
        Generalised minutes added to every path that arrives at a station, whatever its rides.
    """

    rides: Rides
    spread_per_min: float
    distance_min: FloatArray
    start_cost_min: FloatArray
    first_weight: FloatArray
    arrival_weight: FloatArray
    ride_weight: FloatArray
    likelihood: FloatArray
    extra_min: FloatArray
    order: IntArray
    shift_min: FloatArray | float = 0.0

    @property
    def cost_min(self) -> FloatArray:
        """Expected least generalised minutes to leave a train at each station (log-sum); infinite where none does."""
        with np.errstate(divide="ignore"):
            return self.distance_min + self.shift_min - np.log(self.arrival_weight) / self.spread_per_min


@dataclass(frozen=True)
class RideLoads:
    """
    Trips laid on the network.

    Attributes
    ----------
    boarding, through : numpy.ndarray of shape (n_stations, n_columns)
        Trips that board their first train, and that arrive by train and go on by another ride.
    used : numpy.ndarray of shape (n_used,)
        Rides with a weight.
    on_rides : numpy.ndarray of shape (n_used, n_columns)
        Trips on each of them.
    """

    boarding: FloatArray
    through: FloatArray
    used: NDArray[np.int64]
    on_rides: FloatArray


def solve_origin(
    rides: Rides,
    start_stations: IntArray,
    start_cost_min: FloatArray,
    *,
    spread_per_min: float = SPREAD_PER_MIN,
    max_detour_min: float = MAX_DETOUR_MIN,
    deviation_min: float = DEVIATION_MIN,
) -> OriginPaths:
    """
    Solve the weights of all sensible paths from one origin.

    Parameters
    ----------
    rides : Rides
        Direct rides.
    start_stations : numpy.ndarray of shape (n,)
        Stations where the origin's couriers may board, each once.
    start_cost_min : numpy.ndarray of shape (n,)
        Generalised minutes to reach them, not negative.
    spread_per_min : float
        Logit scale; larger is nearer to the single best path.
    max_detour_min : float
        Generalised minutes by which a ride may lengthen the best way to its end, deviation not counted.
    deviation_min : float
        Generalised minutes added to each ride off the best ways, where there is no timetable.

    Returns
    -------
    OriginPaths
        Weights, ready for `load_rides`.

    Raises
    ------
    UsageError
        If the scale is not positive.
    """
    if not spread_per_min > 0:
        msg = f"spread_per_min: is {spread_per_min!r}, expected more than 0. Raise it; 0.1 is the default."
        raise UsageError(msg)
    start_min = np.full(rides.n_stations, np.inf)
    start_min[start_stations] = start_cost_min
    distance_min = _distances(rides, start_min)
    near, far = distance_min[rides.tail], distance_min[rides.head]
    onward = np.isfinite(near) & np.isfinite(far)
    onward[onward] = far[onward] > near[onward] + _TIE_MIN
    likelihood = np.zeros(rides.tail.size)
    detour_min = rides.cost_min[onward] + near[onward] - far[onward]
    extra_min = np.zeros(rides.tail.size)
    if not rides.has_timetable:
        extra_min[onward] = np.where(detour_min > _TIE_MIN, deviation_min, 0.0)
    deviates = np.exp(-spread_per_min * extra_min[onward])
    likelihood[onward] = _weigh(detour_min, spread_per_min, max_detour_min) * deviates
    first_weight = np.zeros(rides.tail.size)
    first_detour_min = start_min[rides.tail[onward]] + rides.first_cost_min[onward] - far[onward]
    first_weight[onward] = _weigh(first_detour_min, spread_per_min, max_detour_min) * deviates
    reach = np.flatnonzero(np.isfinite(distance_min))
    order = reach[np.argsort(distance_min[reach], kind="stable")].astype(np.int32)
    none = np.zeros(0)
    return _weighted(
        OriginPaths(
            rides, spread_per_min, distance_min, start_min, first_weight, none, none, likelihood, extra_min, order
        )
    )


def restrict_paths(paths: OriginPaths, keep: NDArray[np.bool_]) -> OriginPaths:
    """
    Leave out every path that needs a ride which is not kept.

    Parameters
    ----------
    paths : OriginPaths
        Solved paths.
    keep : numpy.ndarray of shape (n_rides,)
        Rides that may be used.

    Returns
    -------
    OriginPaths
        The other paths, each with the weight it had.
    """
    likelihood, first_weight = (np.where(keep, weight, 0.0) for weight in (paths.likelihood, paths.first_weight))
    return _weighted(replace(paths, likelihood=likelihood, first_weight=first_weight))


def load_rides(paths: OriginPaths, alighting: FloatArray, *, among: OriginPaths | None = None) -> RideLoads:
    """
    Lay trips on the network by where they leave it.

    Parameters
    ----------
    paths : OriginPaths
        Paths to load.
    alighting : numpy.ndarray of shape (n_stations, n_columns)
        Trips that leave the trains at each station, one column a destination or a group of them. A station that no
        path reaches must hold 0.
    among : OriginPaths, optional
        The paths that share the trips, if `paths` are only some of them (`restrict_paths`): what they carry is then
        less than all.

    Returns
    -------
    RideLoads
        Boardings, trips going on, and trips by ride.
    """
    weight = (paths if among is None else among).arrival_weight
    by_weight = np.zeros_like(alighting)
    by_weight[weight > 0] = alighting[weight > 0] / weight[weight > 0, None]
    rides, used = paths.rides, _used(paths)
    through = np.zeros_like(alighting)
    if not used.size:
        return RideLoads(np.zeros_like(alighting), through, used, np.zeros((0, alighting.shape[1])))
    system, place = _system(paths, used)
    n = paths.order.size
    right = np.zeros((n + used.size, alighting.shape[1]))
    right[place[n:]] = by_weight[rides.head[used]]
    solved = spsolve_triangular(system.T.tocsr(), right, lower=False, unit_diagonal=True)
    # Where every way on is needless only rounding is left, of either sign.
    final = by_weight[rides.head[used]]
    standing = np.zeros_like(alighting)
    # So may be those who stand where only needless changes lead on.
    standing[paths.order] = np.maximum(solved[place[:n]], 0.0)
    onward = solved[place[n:]] - final
    onward = np.where(onward > _ROUNDING * (final + standing[rides.head[used]]), onward, 0.0)
    by_ride = paths.ride_weight[used, None]
    np.add.at(through, rides.head[used], by_ride * onward)
    boarding = np.zeros_like(alighting)
    np.add.at(boarding, rides.tail[used], paths.first_weight[used, None] * (final + onward))
    return RideLoads(boarding, through, used, by_ride * (final + onward))


def _weigh(detour_min: FloatArray, spread_per_min: float, max_detour_min: float) -> FloatArray:
    """Logit weight of a detour, 0 for one that is too long."""
    return np.where(detour_min <= max_detour_min, np.exp(-spread_per_min * detour_min), 0.0)


def _used(paths: OriginPaths) -> NDArray[np.int64]:
    """Rides on some sensible path."""
    return np.flatnonzero((paths.likelihood > 0) | (paths.first_weight > 0))


def _weighted(paths: OriginPaths) -> OriginPaths:
    """The same paths with their weights solved."""
    rides, used, n = paths.rides, _used(paths), paths.order.size
    arrival, ride_weight = np.zeros(rides.n_stations), np.zeros(rides.tail.size)
    if used.size:
        system, place = _system(paths, used)
        right = np.zeros(n + used.size)
        right[place[n:]] = paths.first_weight[used]
        solved = spsolve_triangular(system, right, lower=True, unit_diagonal=True)
        standing = np.zeros(rides.n_stations)
        standing[paths.order] = solved[place[:n]]
        whole = paths.first_weight[used] + paths.likelihood[used] * standing[rides.tail[used]]
        ride_weight[used] = np.where(solved[place[n:]] > _ROUNDING * whole, solved[place[n:]], 0.0)
        np.add.at(arrival, rides.head[used], ride_weight[used])
    return replace(paths, arrival_weight=arrival, ride_weight=ride_weight)


def _system(paths: OriginPaths, used: NDArray[np.int64]) -> tuple[sparse.csr_matrix, NDArray[np.int64]]:
    """The triangular system of the weights, and the row of each station in `order` and then of each used ride."""
    rides, n, m = paths.rides, paths.order.size, used.size
    rank = np.full(rides.n_stations, -1, dtype=np.int64)
    rank[paths.order] = np.arange(n)
    tail, head = rank[rides.tail[used]], rank[rides.head[used]]
    # The rides into a station stand just before it.
    place = np.empty(n + m, dtype=np.int64)
    place[np.argsort(np.concatenate([2 * np.arange(n) + 1, 2 * head]), kind="stable")] = np.arange(n + m)
    at_station, at_ride = place[:n], place[n:]
    likelihood = paths.likelihood[used]
    of_ride = np.full(rides.tail.size, -1, dtype=np.int64)
    of_ride[used] = np.arange(m)
    before, after = of_ride[rides.needless[0]], of_ride[rides.needless[1]]
    both = (before >= 0) & (after >= 0)
    before, after = before[both], after[both]
    row = np.concatenate([place, at_station[head], at_ride, at_ride[after]])
    column = np.concatenate([place, at_ride, at_station[tail], at_ride[before]])
    value = np.concatenate([np.ones(n + m), -np.ones(m), -likelihood, likelihood[after]])
    return sparse.csr_matrix((value, (row, column)), shape=(n + m, n + m)), place


def _distances(rides: Rides, start_min: FloatArray) -> FloatArray:
    """Least generalised minutes to each station, infinite where there is no way."""
    n = rides.n_stations
    # Rides are ordered by tail and head: the least of each pair is a reduction over runs.
    pair = rides.tail.astype(np.int64) * n + rides.head
    runs = np.flatnonzero(np.diff(pair, prepend=-1))
    prices = (rides.cost_min, rides.first_cost_min)
    least, first = (np.minimum.reduceat(price, runs) if runs.size else price for price in prices)
    # Who comes without a train either stands there or has taken a first ride from there, at its own price.
    reached = start_min.copy()
    np.minimum.at(reached, rides.head[runs], start_min[rides.tail[runs]] + first)
    starts = np.flatnonzero(np.isfinite(reached))
    tail = np.concatenate([rides.tail[runs], np.full(starts.size, n)])
    head = np.concatenate([rides.head[runs], starts])
    minutes = np.concatenate([least, reached[starts] + _OFFSET_MIN])
    network = sparse.csr_matrix((minutes, (tail, head)), shape=(n + 1, n + 1))
    distance: FloatArray = dijkstra(network, indices=[n])[0, :n] - _OFFSET_MIN
    return distance
