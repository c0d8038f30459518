"""The plan against brute force, and the game against maximum flow."""

from itertools import combinations, product

import networkx as nx
import numpy as np
import pytest

from models.planning.problem.programme import Group, Programme, measure_value
from models.planning.problem.rules import build_programme
from models.planning.solver.interdiction import Pair, solve_interdiction
from models.planning.solver.reducing import narrow_programme
from models.planning.solver.relaxing import relax_programme
from models.planning.solver.siting import choose_sites
from models.planning.solver.solving import solve_programme
from tests.oracles.planning_listing import list_best, make_random_programme, require_allowed
from tests.unit.models.planning_worlds import make_programme, make_routes

LETTERS = "ABCDEFGH"


def random_pairs(seed, n_pairs=14, letters=LETTERS):
    rng = np.random.default_rng(seed)
    pairs = []
    for _ in range(n_pairs):
        picked = rng.choice(list(letters), size=rng.integers(1, 5), replace=False)
        stops = "".join(c if rng.random() < 0.6 else c.lower() for c in picked)
        pairs.append((float(rng.uniform(1, 50)), [(30.0, 0.8, stops), (50.0, 0.2, "")]))
    return pairs


def best_by_force(slot, n_teams):
    """Of all lists of so many duties the one that meets most, and what it meets on the slot."""
    hazard, lists = slot.duties.hazard.toarray(), np.array(list(combinations(range(len(slot.duties.stops)), n_teams)))
    values = slot.n_alike * (slot.worth @ (1 - np.exp(-hazard[:, lists].sum(axis=2))))
    best = int(values.argmax())
    return lists[best].tolist(), float(values[best])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("n_teams", "chance"), [(2, 0.2), (3, 0.6), (4, 1.0)])
def test_the_best_list_is_that_of_brute_force(seed, n_teams, chance):
    programme = make_programme(make_routes(random_pairs(seed)), n_teams=n_teams, detection_share=chance)
    found = solve_programme(programme)
    best, value = best_by_force(programme.slots[0], n_teams)
    assert measure_value(programme.slots[0], best) == pytest.approx(value)
    assert found.value == pytest.approx(value, rel=1e-6)
    assert found.bound == pytest.approx(found.value, rel=1e-5)
    sited = choose_sites(
        programme.slots[0].duties.hazard, programme.slots[0].worth, n_sites=n_teams, gap_share=1e-6, time_limit_s=5.0
    )
    assert sited.value <= found.value * (1 + 1e-9)
    assert sited.bound >= found.value * (1 - 1e-9)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("n_teams", "chance"), [(3, 0.1), (3, 0.5), (4, 1.0)])
def test_a_programme_made_smaller_still_has_the_best_list_of_brute_force(seed, n_teams, chance):
    routes = make_routes(random_pairs(seed, 40, "ABCDEFGHIJKLMN"))
    programme = make_programme(routes, n_teams=n_teams, detection_share=chance, n_slots=2)
    winner, value = best_by_force(programme.slots[0], n_teams)
    found = solve_programme(programme)
    assert found.value == pytest.approx(2 * value, rel=1e-6)
    assert found.bound == pytest.approx(found.value, rel=1e-5)
    narrowed = narrow_programme(relax_programme(programme), at_hand=0.9 * found.value, until=np.inf)
    assert set(winner) <= set(narrowed.duties[0].tolist())


@pytest.mark.parametrize("seed", range(50))
def test_a_random_programme_has_the_best_choice_of_a_full_listing(seed):
    programme = make_random_programme(np.random.default_rng(seed))
    best = list_best(programme)
    found = solve_programme(programme)
    assert found.is_feasible == (best is not None)
    if best is not None:
        require_allowed(programme, found.chosen)
        assert found.value == pytest.approx(best, rel=1e-6)
        assert found.bound >= best * (1 - 1e-9)
        assert found.gap <= 1e-6


@pytest.mark.parametrize("seed", range(4))
def test_musts_rest_and_jurisdictions_are_those_of_brute_force(seed):
    rng = np.random.default_rng(seed)
    base = make_programme(make_routes(random_pairs(seed)), n_slots=3, must=(0, 5), rest_h=8.0)
    n = len(base.slots[0].duties.stops)
    west = np.arange(n) < n // 2
    groups = (Group("west", 1, west, n_crews=1), Group("all", 1, np.ones(n, dtype=bool)))
    slots = tuple(
        type(s)(s.day, s.duties, s.worth * rng.uniform(0.5, 2, s.worth.size), s.start_h, s.end_h) for s in base.slots
    )
    programme = Programme(slots, groups, base.must, base.rest_h)
    # A slot: nobody or a western station for the first group, any other or none for the second.
    options = [(a, b) for a in [None, *np.flatnonzero(west)] for b in [None, *range(n)] if a is None or a != b]
    values = [{o: measure_value(s, [d for d in o if d is not None]) for o in options} for s in slots]
    best = 0.0
    for plan in product(options, repeat=3):
        worked = {d for o in plan for d in o if d is not None}
        rests = not (plan[0][0] is not None and plan[1][0] is not None) and not (
            plan[1][0] is not None and plan[2][0] is not None
        )
        if rests and {0, 5} <= worked:
            best = max(best, sum(v[o] for v, o in zip(values, plan, strict=True)))
    assert solve_programme(programme).value == pytest.approx(best, rel=1e-6)


def test_days_taken_as_one_give_the_value_of_all_days():
    base = make_programme(make_routes(random_pairs(3)), n_teams=2)

    class Rules:
        n_days, must_visit, rest_h, n_team_shifts = 4, ("H",), 0.0, None

    class Encounters:
        station_ids = tuple(LETTERS)

    folded = build_programme(Rules(), Encounters(), base.slots, base.groups)
    assert [s.n_alike for s in folded.slots] == [1, 3]
    whole = Programme(
        tuple(type(s)(k, s.duties, s.worth, 24.0 * k, 24.0 * k + 8) for k in range(4) for s in base.slots),
        base.groups,
        folded.must,
    )
    assert solve_programme(folded).value == pytest.approx(solve_programme(whole).value, rel=1e-6)


@pytest.mark.parametrize("seed", range(12))
def test_the_game_is_worth_one_over_the_maximum_flow(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 30))
    graph = nx.compose(nx.gnp_random_graph(n, 0.25, seed=seed), nx.path_graph(n))
    edges = np.array(graph.edges)
    tail, head = np.concatenate([edges[:, 0], edges[:, 1]]), np.concatenate([edges[:, 1], edges[:, 0]])
    chance = rng.uniform(0.05, 1, n)
    network = nx.DiGraph()
    for k in range(n):
        network.add_edge(("in", k), ("out", k), capacity=1 / chance[k])
    network.add_edges_from((("out", a), ("in", b)) for a, b in zip(tail.tolist(), head.tolist(), strict=True))
    flow = nx.maximum_flow_value(network, ("in", 0), ("out", n - 1))
    game = solve_interdiction(tail, head, chance, [Pair(0, n - 1)])
    assert abs(game.value - 1 / flow) < 1e-9
    assert abs(game.bound - 1 / flow) < 1e-9
    # The chances lie on a minimum cut, each as 1 / (p F).
    used = game.chance > 1e-9
    assert (game.chance[used] <= 1 / (chance[used] * flow) + 1e-6).all()


def test_a_way_that_nobody_may_watch_makes_the_game_worthless():
    tail, head = np.array([0, 0, 1, 2]), np.array([1, 2, 3, 3])
    game = solve_interdiction(tail, head, np.array([0.0, 0.5, 0.0, 0.0]), [Pair(0, 3)])
    assert game.value == 0
    assert game.bound < 1e-9
