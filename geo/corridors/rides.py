r"""
Direct rides: every pair of stations that one train joins, with what it costs and where it calls on the way.

In comes a `PassengerGraph`; out come `Rides`, whose only nodes are stations, so that a path is a chain of rides and a
change is a station between two of them. With a timetable a ride runs from a boarding to an alighting of one train and
knows its calls between; rides over the same calls and track are one ride with the joint frequency of their trains.
Whoever waits takes the first of all trains that are worth taking (Chriqui and Robillard [1]_), whatever their calls:
such rides have one wait, and each the share of the weight that its trains are of theirs. Without one a
ride is a link between neighbouring stations, nothing is known of waits, and a station on the way is passed or called
at without our knowing whether a change is made there.

A change is needless if one train makes both rides and staying on it costs no more. Where the through train is rare, so
that changing to the next one is quicker than waiting for it, the change stays.

References
----------
.. [1] Chriqui, C. and Robillard, P. (1975). "Common bus lines." Transportation Science 9(2), 115-121.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from geo.corridors.waiting import WAIT_WEIGHT, group_starts, pool_waits, price_first_wait
from geo.errors import InputError
from geo.network.passenger import ArcKind, PassengerGraph

__all__ = ["CHANGE_WEIGHT", "INTERCHANGE_PENALTY_MIN", "SPREAD_PER_MIN", "WAIT_WEIGHT", "Rides", "build_rides"]

CHANGE_WEIGHT = 2.0
SPREAD_PER_MIN = 0.1  # ASSUMPTION: ten generalised minutes more make a path e times less likely
INTERCHANGE_PENALTY_MIN = 10.0  # ASSUMPTION: the dislike of a change over and above its minutes

IntArray = NDArray[np.int32]
FloatArray = NDArray[np.float64]
# An odd multiplier for the rolling hash of calls and links; wraps in 64 bits.
_HASH = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Rides:
    """
    Direct rides between stations, ordered by tail, head and calls.

    Attributes
    ----------
    station_ids, link_ids : tuple of str
        As in the graph.
    tail, head : numpy.ndarray of shape (n_rides,)
        Positions in `station_ids` of boarding and alighting.
    cost_min : numpy.ndarray of shape (n_rides,)
        Generalised minutes after another ride: in-vehicle time, weighted wait and change, and the penalty of a change;
        and what the ride's share of the trains that are waited for takes off its weight.
    first_cost_min : numpy.ndarray of shape (n_rides,)
        The same as the first ride of a journey, never more: without the penalty, and with the price of a first wait.
    time_min : numpy.ndarray of shape (n_rides,)
        Clock minutes, wait included.
    calls : scipy.sparse.csr_matrix of shape (n_rides, n_stations)
        1 where the train calls between boarding and alighting.
    links : scipy.sparse.csr_matrix of shape (n_rides, n_links)
        How often the ride runs over each link.
    needless : numpy.ndarray of shape (2, n_pairs)
        Pairs of rides, one and the next, between which nobody changes: a through train makes both at no more cost.
        Ordered by the next.
    is_walk : numpy.ndarray of shape (n_rides,)
        Whether it is a walk between two stations.
    has_timetable : bool
        Whether calls and changes are known.
    """

    station_ids: tuple[str, ...]
    link_ids: tuple[str, ...]
    tail: IntArray
    head: IntArray
    cost_min: FloatArray
    first_cost_min: FloatArray
    time_min: FloatArray
    calls: sparse.csr_matrix
    links: sparse.csr_matrix
    needless: NDArray[np.int64]
    is_walk: NDArray[np.bool_]
    has_timetable: bool

    @property
    def n_stations(self) -> int:
        """Number of stations, with or without rides."""
        return len(self.station_ids)


@dataclass(frozen=True)
class _Raw:
    """Rides before like is put with like; one row a ride of one train."""

    tail: IntArray
    head: IntArray
    first_arc: IntArray
    n_steps: IntArray
    wait_min: FloatArray
    run_min: FloatArray
    alight_min: FloatArray
    pattern: NDArray[np.uint64]


def build_rides(
    graph: PassengerGraph,
    *,
    wait_weight: float = WAIT_WEIGHT,
    change_weight: float = CHANGE_WEIGHT,
    interchange_penalty_min: float = INTERCHANGE_PENALTY_MIN,
    spread_per_min: float = SPREAD_PER_MIN,
    in_vehicle_weight: float = 1.0,
) -> Rides:
    """
    Build the direct rides of a graph.

    1. Follow each boarding along its train; every alighting on the way is a ride.
    2. Put rides with the same stations, calls and links together: frequencies add, run times are averaged by frequency.
    3. Of all rides between two stations, whoever waits takes the first that is worth taking.
    4. Price them in generalised minutes.
    5. Find the changes that are needless.

    Parameters
    ----------
    graph : PassengerGraph
        Platforms and, where there is a timetable, trains.
    wait_weight, change_weight : float
        Generalised minutes for each minute of waiting, and of alighting or walking between platforms.
    interchange_penalty_min : float
        Generalised minutes added for each change.
    spread_per_min : float
        Scale of the choice between rides (`geo.corridors.paths`): rides that share a wait share its weight.
    in_vehicle_weight : float
        Generalised minutes for each minute on board.

    Returns
    -------
    Rides
        In canonical order, whatever the order of the arcs.

    Raises
    ------
    InputError
        If a minute is not positive, or a train divides or has two alightings at one call.

    Notes
    -----
    A walk between two stations is a ride without wait or penalty; whoever starts with one pays for the train after it
    as after a change.
    """
    _require_graph(graph)
    raw = _merge_raw(_platform_rides(graph), _train_rides(graph))
    order = np.lexsort((raw.alight_min, raw.run_min, raw.wait_min, raw.pattern, raw.head, raw.tail))
    raw = _take(raw, order)
    starts = group_starts(raw.tail, raw.head, raw.pattern)
    wait_min, run_min, alight_min = _combine(raw, starts)
    first = _take(raw, starts)
    has_timetable = bool((graph.kind == ArcKind.BOARD).any())
    boards = graph.kind[first.first_arc] == ArcKind.BOARD
    walks = graph.kind[first.first_arc] == ArcKind.WALK
    wait_min, taken_share = pool_waits(first.tail, first.head, wait_min, run_min)
    first_cost_min = np.where(walks, change_weight, in_vehicle_weight) * run_min + change_weight * alight_min
    cost_min = first_cost_min + wait_weight * wait_min + np.where(boards, interchange_penalty_min, 0.0)
    first_cost_min = first_cost_min + price_first_wait(wait_min, wait_weight=wait_weight)
    group = np.zeros(raw.tail.size, dtype=np.int64)
    group[starts] = 1
    ride_of = _RideIndex(raw, np.cumsum(group) - 1)
    calls, links, splits = _trace(graph, first, ride_of)
    through = cost_min[splits[0]] <= cost_min[splits[1]] + cost_min[splits[2]]
    rarity_min = -np.log(taken_share) / spread_per_min
    return Rides(
        station_ids=graph.station_ids,
        link_ids=graph.link_ids,
        tail=first.tail,
        head=first.head,
        cost_min=cost_min + rarity_min,
        first_cost_min=first_cost_min + rarity_min,
        time_min=run_min + wait_min + alight_min,
        calls=calls,
        links=links,
        # Ordered by the ride that is taken next.
        needless=_distinct(splits[2, through], splits[1, through], first.tail.size)[::-1],
        is_walk=walks,
        has_timetable=has_timetable,
    )


def _require_graph(graph: PassengerGraph) -> None:
    """Every arc takes time and every train has one way on and one way off at a call."""
    bad = ~(graph.minutes > 0)
    if bad.any():
        k = int(np.flatnonzero(bad)[0])
        msg = f"graph: arc {k} takes {float(graph.minutes[k])!r} minutes, expected more than 0. Mend the link or call."
        raise InputError(msg)
    on_board = graph.tail >= len(graph.station_ids)
    for kinds, what in (((ArcKind.RIDE, ArcKind.STAY), "onward arcs"), ((ArcKind.ALIGHT,), "alightings")):
        tails = graph.tail[on_board & np.isin(graph.kind, [int(k) for k in kinds])]
        nodes, counts = np.unique(tails, return_counts=True)
        if (counts > 1).any():
            k = int(nodes[counts > 1][0])
            msg = f"graph: train node {k} has {int(counts.max())} {what}, expected at most 1. Give each train its own."
            raise InputError(msg)


def _platform_rides(graph: PassengerGraph) -> _Raw:
    """Arcs from platform to platform, each a ride of its own."""
    n = len(graph.station_ids)
    arcs = np.flatnonzero((graph.tail < n) & (graph.head < n) & (graph.tail != graph.head)).astype(np.int32)
    zeros = np.zeros(arcs.size)
    pattern = _link_hashes(graph)[arcs]
    # A walk and a train over the same pair are not alike.
    pattern = np.where(graph.kind[arcs] == ArcKind.WALK, ~pattern, pattern)
    return _Raw(
        graph.tail[arcs],
        graph.head[arcs],
        arcs,
        np.ones(arcs.size, dtype=np.int32),
        zeros,
        graph.minutes[arcs],
        zeros,
        pattern,
    )


def _train_rides(graph: PassengerGraph) -> _Raw:
    """Every boarding paired with every later alighting of the same train, at another station."""
    onward, alight = _next_arcs(graph)
    link_hash = _link_hashes(graph)
    arc = np.flatnonzero(graph.kind == ArcKind.BOARD).astype(np.int32)
    first, node, run_min = arc, graph.head[arc], np.zeros(arc.size)
    pattern = np.ones(arc.size, dtype=np.uint64)
    found: list[_Raw] = []
    for step in range(1, graph.kind.size + 1):
        alive = onward[node] >= 0
        first, node, run_min, pattern = first[alive], node[alive], run_min[alive], pattern[alive]
        if not first.size:
            break
        arc = onward[node]
        node, run_min = graph.head[arc], run_min + graph.minutes[arc]
        moves = graph.kind[arc] == ArcKind.RIDE
        pattern = np.where(moves, pattern * _HASH + link_hash[arc], pattern)
        off = alight[node]
        keep = (off >= 0) & (graph.node_station[node] != graph.tail[first])
        kept_off = off[keep]
        found.append(
            _Raw(
                graph.tail[first[keep]],
                graph.head[kept_off],
                first[keep],
                np.full(kept_off.size, step, dtype=np.int32),
                graph.minutes[first[keep]],
                run_min[keep],
                graph.minutes[kept_off],
                pattern[keep],
            )
        )
        # What comes after this call passes it on board.
        called = graph.node_station[node].astype(np.uint64) + np.uint64(1)
        pattern = np.where(moves, pattern * _HASH + called, pattern)
    return _merge_raw(*found) if found else _take(_platform_rides(graph), np.zeros(0, dtype=np.int64))


def _next_arcs(graph: PassengerGraph) -> tuple[IntArray, IntArray]:
    """For each node, the arc its train leaves by and the arc one alights by; -1 for none."""
    n_nodes, n = graph.node_station.size, len(graph.station_ids)
    onward = np.full(n_nodes, -1, dtype=np.int32)
    alight = np.full(n_nodes, -1, dtype=np.int32)
    on_board = graph.tail >= n
    rides = np.flatnonzero(on_board & np.isin(graph.kind, [int(ArcKind.RIDE), int(ArcKind.STAY)]))
    offs = np.flatnonzero(on_board & (graph.kind == ArcKind.ALIGHT))
    onward[graph.tail[rides]] = rides
    alight[graph.tail[offs]] = offs
    return onward, alight


def _link_hashes(graph: PassengerGraph) -> NDArray[np.uint64]:
    """One number for the sequence of links under each arc."""
    n_links = np.diff(graph.link_indptr)
    place = np.arange(graph.link_indices.size) - np.repeat(graph.link_indptr[:-1], n_links)
    term = (graph.link_indices.astype(np.uint64) + np.uint64(1)) * (_HASH ^ place.astype(np.uint64))
    total = np.zeros(graph.kind.size, dtype=np.uint64)
    np.add.at(total, np.repeat(np.arange(graph.kind.size), n_links), term)
    return total


def _merge_raw(*parts: _Raw) -> _Raw:
    return _Raw(*(np.concatenate([getattr(p, f) for p in parts]) for f in _Raw.__dataclass_fields__))


def _take(raw: _Raw, rows: NDArray[np.int64]) -> _Raw:
    return _Raw(*(getattr(raw, f)[rows] for f in _Raw.__dataclass_fields__))


def _combine(raw: _Raw, starts: NDArray[np.int64]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Wait for whichever train comes first, and frequency-weighted means of running and alighting."""
    waits = raw.wait_min > 0
    frequency = np.where(waits, 1 / np.where(waits, raw.wait_min, 1.0), 1.0)
    if not starts.size:
        return raw.wait_min, raw.run_min, raw.alight_min
    total = np.add.reduceat(frequency, starts)
    run_min = np.add.reduceat(frequency * raw.run_min, starts) / total
    alight_min = np.add.reduceat(frequency * raw.alight_min, starts) / total
    return np.where(waits[starts], 1 / total, 0.0), run_min, alight_min


def _trace(
    graph: PassengerGraph, rides: _Raw, ride_of: _RideIndex
) -> tuple[sparse.csr_matrix, sparse.csr_matrix, NDArray[np.int64]]:
    """Calls between and links under each ride, and each ride with the two it splits into at each call."""
    onward, alight = _next_arcs(graph)
    boarding = np.full(graph.node_station.size, -1, dtype=np.int32)
    boards = np.flatnonzero(graph.kind == ArcKind.BOARD)
    boarding[graph.head[boards]] = boards
    by_train = graph.kind[rides.first_arc] == ArcKind.BOARD
    direct = np.flatnonzero(~by_train)
    link_parts = [_links_under(graph, direct, rides.first_arc[direct])]
    call_parts = [np.zeros((2, 0), dtype=np.int64)]
    split_parts = [np.zeros((3, 0), dtype=np.int64)]
    row = np.flatnonzero(by_train)
    node = graph.head[rides.first_arc[row]]
    before = np.full(row.size, -1, dtype=np.int64)
    step = 0
    while row.size:
        step += 1
        arc = onward[node]
        node = graph.head[arc]
        link_parts.append(_links_under(graph, row, arc))
        moves = graph.kind[arc] == ArcKind.RIDE
        off = ride_of.find(rides.first_arc[row], np.full(row.size, step))
        # A train that stands at a call keeps the ride that brought it there.
        before = np.where(moves | (alight[node] >= 0), off, before)
        left = rides.n_steps[row].astype(np.int64) - step
        call_parts.append(np.stack([row, graph.node_station[node]])[:, moves & (left > 0)])
        after = np.where(boarding[node] >= 0, ride_of.find(boarding[node], left), -1)
        split_parts.append(np.stack([row, before, after])[:, (left > 0) & (before >= 0) & (after >= 0)])
        goes_on = left > 0
        row, node, before = row[goes_on], node[goes_on], before[goes_on]
    n = rides.tail.size
    called = np.concatenate(call_parts, axis=1)
    # A train that passes an end of the ride again has no call there that tells a rider anything new.
    called = called[:, (called[1] != rides.tail[called[0]]) & (called[1] != rides.head[called[0]])]
    calls = _incidence(_distinct(called[0], called[1], len(graph.station_ids)), (n, len(graph.station_ids)))
    links = _incidence(np.concatenate(link_parts, axis=1), (n, len(graph.link_ids)))
    return calls, links, np.concatenate(split_parts, axis=1)


def _distinct(row: NDArray[np.int64], column: NDArray[np.int64], n_columns: int) -> NDArray[np.int64]:
    """Each pair once, by row and column."""
    return np.stack(np.divmod(np.unique(row * n_columns + column), max(n_columns, 1)))


class _RideIndex:
    """Finds the ride of a boarding and a number of steps on its train."""

    def __init__(self, raw: _Raw, group: NDArray[np.int64]) -> None:
        self._width = int(raw.n_steps.max(initial=0)) + 1
        key = raw.first_arc.astype(np.int64) * self._width + raw.n_steps
        order = np.argsort(key, kind="stable")
        self._key, self._group = key[order], group[order]

    def find(self, first_arc: IntArray, n_steps: NDArray[np.int64]) -> NDArray[np.int64]:
        """Position of each ride, -1 where nobody can alight there."""
        if not self._key.size:
            return np.full(first_arc.size, -1, dtype=np.int64)
        key = first_arc.astype(np.int64) * self._width + n_steps
        at = np.minimum(np.searchsorted(self._key, key), self._key.size - 1)
        found = (self._key[at] == key) & (first_arc >= 0) & (n_steps > 0) & (n_steps < self._width)
        return np.where(found, self._group[at], -1)


def _links_under(graph: PassengerGraph, rows: NDArray[np.int64], arcs: IntArray) -> NDArray[np.int64]:
    """Row and link for every link under the arc of each row."""
    counts = np.diff(graph.link_indptr)[arcs]
    offset = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    under = graph.link_indices[np.repeat(graph.link_indptr[:-1][arcs], counts) + offset]
    return np.stack([np.repeat(rows, counts), under.astype(np.int64)])


def _incidence(pairs: NDArray[np.int64], shape: tuple[int, int]) -> sparse.csr_matrix:
    """How often each row meets each column."""
    matrix = sparse.csr_matrix((np.ones(pairs.shape[1]), (pairs[0], pairs[1])), shape=shape)
    matrix.sum_duplicates()
    return matrix
