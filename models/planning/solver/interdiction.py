r"""
The zero-sum game on the railway: how often to stand where, so that no route is safe (Washburn and Wood [1]_).

The courier picks a route knowing the chances :math:`x_k`, the inspector picks the chances, detection where both are is
:math:`p_k`. The inspector solves

.. math:: \max \sum_q w_q v_q : \quad \sum_{k \in r} p_k x_k \ge v_q \text{ for every route } r \text{ of pair } q,
   \quad \sum_k x_k \le m, \quad 0 \le x_k \le 1,

with routes added as they are found: the shortest route under costs :math:`p_k x_k` is the one that breaks its row most.
For one pair and one team the value is one over the maximum flow with capacities :math:`1 / p_k`.

With more than one team the value is the expected number of meetings on the route, as in the source.

References
----------
.. [1] Washburn, A. and Wood, K. (1995). "Two-person zero-sum games for network interdiction." Operations Research
   43(2), 243-251.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import linprog
from scipy.sparse.csgraph import dijkstra

from geo.errors import UsageError

__all__ = ["Game", "Pair", "solve_interdiction"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Added to every arc, since scipy drops arcs of no length; far below the tolerance of the game.
_EPSILON = 1e-13
_TOLERANCE = 1e-10
_MOST_ROUNDS = 2000


@dataclass(frozen=True)
class Pair:
    """
    Couriers from one station to another.

    Attributes
    ----------
    origin, destination : int
        Stations; both are on every route.
    weight : float
        What they count for.
    """

    origin: int
    destination: int
    weight: float = 1.0


@dataclass(frozen=True)
class Game:
    """
    The solved game.

    Attributes
    ----------
    value : float
        What the inspector is sure of: the weighted sum of the pairs' chances of being met.
    bound : float
        What the routes found so far hold him to; equal to the value but for 1e-10.
    chance : numpy.ndarray of shape (n_stations,)
        How often each station is worked.
    value_by_pair : numpy.ndarray of shape (n_pairs,)
        Chance of being met on the safest route of each pair.
    n_routes : int
        Routes that had to be listed.
    """

    value: float
    bound: float
    chance: FloatArray
    value_by_pair: FloatArray
    n_routes: int


class _Arcs(NamedTuple):
    """Arcs from the way in of each station to its way out, then the rides; and the number of stations."""

    tail: IntArray
    head: IntArray
    n_stations: int


class _Route(NamedTuple):
    """Stations of a route that a pair may take."""

    pair: int
    stations: IntArray


def solve_interdiction(
    tail: IntArray, head: IntArray, detection_share: FloatArray, pairs: Sequence[Pair], *, n_teams: int = 1
) -> Game:
    """
    Solve the game between teams and couriers who know the chances.

    Parameters
    ----------
    tail, head : numpy.ndarray of shape (n_arcs,)
        Stations from which and to which a courier can ride, one way each.
    detection_share : numpy.ndarray of shape (n_stations,)
        Chance of being met where a team stands; 0 where none may stand.
    pairs : sequence of Pair
        Who goes where.
    n_teams : int
        Teams.

    Returns
    -------
    Game
        Chances and value.

    Raises
    ------
    UsageError
        If there is no team or no pair, a chance is out of range, or a pair has no route.
    """
    n = detection_share.size
    if n_teams < 1 or not pairs or not ((detection_share >= 0) & (detection_share <= 1)).all():
        msg = (
            f"interdiction: {n_teams!r} teams, {len(pairs)} pairs and detection shares from "
            f"{float(detection_share.min())!r} to {float(detection_share.max())!r}, expected at least one team and "
            "pair, and shares in [0, 1]. Mend them."
        )
        raise UsageError(msg)
    arcs = _split_stations(tail, head, n)
    routes: list[_Route] = []
    chance, bound = np.zeros(n), np.inf
    best = Game(-np.inf, np.inf, chance, np.zeros(len(pairs)), 0)
    for _ in range(_MOST_ROUNDS):
        safest = _safest_routes(arcs, detection_share * chance, pairs)
        by_pair = np.array([float((detection_share * chance)[route].sum()) for route in safest])
        value = float(by_pair @ [pair.weight for pair in pairs])
        if value > best.value:
            best = Game(value, bound, chance, by_pair, len(routes))
        if np.isfinite(bound) and bound - best.value <= _TOLERANCE * max(bound, _TOLERANCE):
            break
        routes += [_Route(q, stations) for q, stations in enumerate(safest)]
        chance, bound = _solve_master(routes, detection_share, pairs, n_teams)
    return Game(best.value, min(bound, best.bound), best.chance, best.value_by_pair, len(routes))


def _split_stations(tail: IntArray, head: IntArray, n: int) -> _Arcs:
    """Every station has a way in and a way out, so that it costs what it costs to pass it."""
    station = np.arange(n)
    return _Arcs(np.concatenate([station, tail + n]), np.concatenate([station + n, head]), n)


def _safest_routes(arcs: _Arcs, cost: FloatArray, pairs: Sequence[Pair]) -> list[IntArray]:
    """Stations of the cheapest route of each pair."""
    tail, head, n = arcs
    length = np.full(tail.size, _EPSILON)
    length[:n] += cost
    graph = sparse.csr_matrix((length, (tail, head)), shape=(2 * n, 2 * n))
    origins = sorted({pair.origin for pair in pairs})
    _, before = dijkstra(graph, indices=origins, return_predecessors=True)
    row_of = {origin: k for k, origin in enumerate(origins)}
    routes = []
    for pair in pairs:
        at, seen = pair.destination + n, []
        while at >= 0:
            if at < n:
                seen.append(at)
            at = int(before[row_of[pair.origin], at])
        if not seen or seen[-1] != pair.origin:
            msg = (
                f"interdiction: no route leads from station {pair.origin} to {pair.destination}, expected one. Leave "
                "the pair out."
            )
            raise UsageError(msg)
        routes.append(np.array(seen[::-1], dtype=np.int64))
    return routes


def _solve_master(
    routes: list[_Route], detection_share: FloatArray, pairs: Sequence[Pair], n_teams: int
) -> tuple[FloatArray, float]:
    """Chances against the routes listed, and their value."""
    n, m = detection_share.size, len(pairs)
    row = np.repeat(np.arange(len(routes)), [route.stations.size for route in routes])
    station = np.concatenate([route.stations for route in routes])
    pair = np.array([route.pair for route in routes])
    meets = sparse.csr_matrix((-detection_share[station], (row, station)), shape=(len(routes), n))
    values = sparse.csr_matrix((np.ones(pair.size), (np.arange(pair.size), pair)), shape=(pair.size, m))
    teams = sparse.csr_matrix(np.concatenate([np.ones(n), np.zeros(m)])[None, :])
    weights = np.array([p.weight for p in pairs])
    result = linprog(
        np.concatenate([np.zeros(n), -weights]),
        A_ub=sparse.vstack([sparse.hstack([meets, values]), teams], format="csr"),
        b_ub=np.concatenate([np.zeros(len(routes)), [float(n_teams)]]),
        bounds=[(0.0, 1.0)] * n + [(0.0, None)] * m,
        method="highs-ds",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    solution = np.asarray(result.x, dtype=float)
    chance: FloatArray = np.clip(solution[:n], 0.0, 1.0)
    return chance, float(weights @ solution[n:])
