"""The assignment and the listed routes against every path, written out one by one from the trains themselves."""

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest

from geo.corridors.assignment import assign_flows
from geo.corridors.choice import choose_modes
from geo.corridors.rides import CHANGE_WEIGHT, INTERCHANGE_PENALTY_MIN
from geo.corridors.routes import list_route_sets
from geo.corridors.terminals import HUB_ACCESS_MIN, WALK_WEIGHT
from geo.corridors.waiting import WAIT_WEIGHT
from tests.unit.geo.corridors.small_rail import link_graph, road_table, supply_of, train_graph, trips_table

SPREAD, DETOUR, DEVIATION = 0.1, 60.0, 20.0
WAYS = [f"{w}_trips_per_month" for w in ("boarding", "interchange", "calling", "alighting")]


@dataclass(frozen=True)
class Ride:
    tail: str
    head: str
    calls: tuple[str, ...]
    cost: float
    first: float
    links: tuple[str, ...]


def rides_of_links(links):
    return [Ride(a, b, (), m, m, (f"{x}-{y}",)) for x, y, m in links for a, b in ((x, y), (y, x))], set()


def rides_of_trains(trains):
    """Every pair of calls of every train; like rides run as one with the joint frequency."""
    alike = defaultdict(list)
    for calls, runs, wait, alight in trains:
        for i in range(len(calls)):
            for j in range(i + 1, len(calls)):
                alike[tuple(calls[i : j + 1])].append((1 / wait, sum(runs[i:j]), alight))
    run, frequency, alighting = {}, {}, {}
    for calls, trips in alike.items():
        f = np.array([t[0] for t in trips])
        run[calls], alighting[calls] = (float(f @ np.array([t[k] for t in trips]) / f.sum()) for k in (1, 2))
        frequency[calls] = float(f.sum())
    wait, share = wait_for_the_first(run, frequency)
    moving = {c: run[c] + CHANGE_WEIGHT * alighting[c] for c in run}
    cost = {c: moving[c] + WAIT_WEIGHT * wait[c] + INTERCHANGE_PENALTY_MIN for c in run}
    # Whoever sets out may plan: a quarter of an hour, and two fifths of the time between trains.
    first = {c: moving[c] + min(WAIT_WEIGHT * wait[c], 15 + 0.4 * (2 * wait[c])) for c in run}
    names = {c: tuple("-".join(sorted(p)) for p in pairwise(c)) for c in cost}
    rare = {c: -np.log(share[c]) / SPREAD for c in cost}
    rides = {c: Ride(c[0], c[-1], c[1:-1], cost[c] + rare[c], first[c] + rare[c], names[c]) for c in cost}
    needless = set()
    for c, whole in cost.items():
        for k in range(1, len(c) - 1):
            if whole <= cost[c[: k + 1]] + cost[c[k:]]:
                needless.add((rides[c[: k + 1]], rides[c[k:]]))
    return list(rides.values()), needless


def wait_for_the_first(run, frequency):
    """Wait of every ride and its share of the trains that are waited for, pair of stations by pair of stations."""
    wait, share = {c: 1 / f for c, f in frequency.items()}, dict.fromkeys(run, 1.0)
    for pair in {(c[0], c[-1]) for c in run}:
        rides = sorted((c for c in run if (c[0], c[-1]) == pair), key=lambda c: run[c])
        taken = rides[:1]
        for c in rides[1:]:
            total = sum(frequency[t] for t in taken)
            if run[c] >= (1 + sum(frequency[t] * run[t] for t in taken)) / total:
                break
            taken.append(c)
        total = sum(frequency[t] for t in taken)
        for t in taken:
            wait[t], share[t] = 1 / total, frequency[t] / total
    return wait, share


def every_path(rides, needless, starts, deviation):
    """Sensible chains of rides from the stations where one may start, each at its cost, with their cost."""
    graph = nx.DiGraph()
    graph.add_nodes_from(["start", *starts])
    ways = [("start", station, cost) for station, cost in starts.items()]
    ways += [("start", r.head, starts[r.tail] + r.first) for r in rides if r.tail in starts]
    # Whoever starts at a station has the first price there: the other is for those who come by train.
    for tail, head, cost in [*ways, *((r.tail, r.head, r.cost) for r in rides)]:
        if not graph.has_edge(tail, head) or graph[tail][head]["cost"] > cost:
            graph.add_edge(tail, head, cost=cost)
    d = nx.single_source_dijkstra_path_length(graph, "start", weight="cost")
    onward = [r for r in rides if r.tail in d and d[r.head] > d[r.tail] + 1e-9]
    found = []

    def extend(path, cost, at):
        if path:
            found.append((path, cost))
        for r in onward:
            if r.tail != at or (path and (path[-1], r) in needless):
                continue
            price, base = (r.cost, d[r.tail]) if path else (r.first, starts[at])
            if price + base - d[r.head] <= DETOUR:
                off = deviation if r.cost + d[r.tail] - d[r.head] > 1e-9 else 0.0
                extend((*path, r), cost + price + off, r.head)

    for station, cost in starts.items():
        extend((), cost, station)
    return found


def enumerate_flows(rides, needless, access, rail, starts, *, timetable):
    """Flow by station and way, by link, and by route, for trips by rail from the starts to town t."""
    options = [
        (path, cost + WALK_WEIGHT * minutes)
        for point, station, minutes, _ in access
        for path, cost in every_path(rides, needless, starts, 0.0 if timetable else DEVIATION)
        if point == "t" and path[-1].head == station
    ]
    least = {}
    for path, cost in options:
        least.setdefault(path[-1].head, []).append(cost)
    # A town's farther stations are dropped when their log-sum is an hour beyond the best.
    log_sum = {s: -np.log(np.exp(-SPREAD * (np.array(c) - min(c))).sum()) / SPREAD + min(c) for s, c in least.items()}
    options = [(p, c) for p, c in options if log_sum[p[-1].head] - min(log_sum.values()) <= DETOUR]
    weight = np.exp(-SPREAD * (np.array([c for _, c in options]) - min(c for _, c in options)))
    flows, links = defaultdict(float), defaultdict(float)
    for (path, _), trips in zip(options, rail * weight / weight.sum(), strict=True):
        flows[path[0].tail, WAYS[0]] += trips
        flows[path[-1].head, WAYS[3]] += trips
        for ride in path:
            for call in ride.calls:
                flows[call, WAYS[2]] += trips
            for link in ride.links:
                links[link] += trips
        for ride in path[:-1]:
            flows[ride.head, WAYS[1] if timetable else WAYS[2]] += trips
    return flows, links, sorted(c for _, c in options), weight


def compare(graph, rides, needless, access, *, timetable, walks=None):
    """Walks are the minutes to the stations of an origin without a hub; else all start at H."""
    starts = {s: WALK_WEIGHT * m for s, m in walks.items()} if walks else {"H": HUB_ACCESS_MIN}
    access = [*access, *(("x", s, m, "walk") for s, m in (walks or {}).items())]
    supply = supply_of(
        graph,
        access,
        {} if walks else {"x": "H"},
        spread_per_min=SPREAD,
        max_detour_min=DETOUR,
        deviation_min=DEVIATION,
    )
    table = choose_modes(trips_table([("x", "t", 100)]), supply, road_table([("x", "t", 90)]))
    rail = 100 * float(table["rail_share"].iloc[0])
    flows, links, costs, weight = enumerate_flows(rides, needless, access, rail, starts, timetable=timetable)
    done = assign_flows(table, supply)
    got = {(r.station_id, w): getattr(r, w) for r in done.station_flows.itertuples() for w in WAYS if getattr(r, w) > 0}
    assert set(got) == set(flows)
    assert max(abs(got[k] - flows[k]) for k in flows) < 1e-9
    on_links = done.segment_flows.set_index("link_id")["trips_per_month"].to_dict()
    assert set(on_links) == set(links)
    assert max(abs(on_links[k] - links[k]) for k in links) < 1e-9

    routes = list_route_sets(table, supply, most_routes=4)
    listed = routes.cost_min[~routes.is_road]
    offset = float(table["rail_cost_min"].iloc[0]) + np.log(np.exp(-SPREAD * np.array(costs)).sum()) / SPREAD
    assert np.allclose(listed - offset, costs[:4], rtol=0, atol=1e-9)
    assert routes.listed_share[0] == pytest.approx(np.sort(weight)[::-1][:4].sum() / weight.sum(), abs=1e-9)
    return len(costs)


@pytest.mark.parametrize("seed", range(12))
def test_links_without_a_timetable(seed):
    rng = np.random.default_rng(seed)
    stations = "HABCDEFG"
    pairs = [(a, b) for k, a in enumerate(stations) for b in stations[k + 1 :]]
    chosen = [pairs[k] for k in rng.choice(len(pairs), size=13, replace=False)]
    links = [(a, b, float(rng.integers(3, 30)) + rng.random()) for a, b in [*chosen, ("H", "G")]]
    links = [(a, b, m) for k, (a, b, m) in enumerate(links) if (a, b) not in {(x, y) for x, y, _ in links[:k]}]
    access = [("t", s, float(rng.integers(1, 12)), "walk") for s in "EFG"]
    assert compare(link_graph(stations, links), *rides_of_links(links), access, timetable=False) > 1


@pytest.mark.parametrize("walks", [None, {"H": 4.0, "A": 9.0, "B": 1.0}], ids=["hub", "three stations"])
@pytest.mark.parametrize("seed", range(12))
def test_trains_with_a_timetable(seed, walks):
    rng = np.random.default_rng(seed)
    stations = "HABCDEG"
    trains = [("HACEG", [9.0, 8.0, 7.0, 6.0], 7.5, 2.0)]
    for _ in range(7):
        calls = [stations[k] for k in np.sort(rng.choice(7, size=int(rng.integers(2, 6)), replace=False))]
        runs = [float(rng.integers(4, 20)) + rng.random() for _ in calls[1:]]
        trains.append((calls, runs, float(rng.integers(2, 30)), float(rng.integers(1, 4))))
    # The same train again, slower and rarer: it is the same ride.
    trains.append((trains[0][0], [12.0, 8.0, 9.0, 6.0], 15.0, 2.0))
    rng.shuffle(trains)
    access = [("t", s, float(rng.integers(1, 12)), "walk") for s in "EG"]
    compared = compare(train_graph(stations, trains), *rides_of_trains(trains), access, timetable=True, walks=walks)
    assert compared > 1
