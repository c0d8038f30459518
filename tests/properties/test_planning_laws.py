"""Laws of the plan: greed's guarantee, more teams never meet less, bounds hold, games have their value."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.planning.problem.programme import measure_value
from models.planning.solver.greedy import choose_greedily, measure_marginals
from models.planning.solver.interdiction import Pair, solve_interdiction
from models.planning.solver.siting import choose_sites
from models.planning.solver.solving import solve_programme
from tests.unit.models.planning_worlds import make_programme, make_routes

LETTERS = "ABCDEFG"
stops = st.lists(st.sampled_from(LETTERS + LETTERS.lower()), min_size=1, max_size=4, unique_by=str.upper).map("".join)
pairs = st.lists(
    st.tuples(st.floats(0.1, 100.0), stops).map(lambda p: (p[0], [(30.0, 0.9, p[1]), (60.0, 0.1, "")])),
    min_size=1,
    max_size=9,
)
chances = st.sampled_from([0.05, 0.2, 0.6, 1.0])


@given(pairs, chances, st.integers(1, 4))
def test_greed_meets_at_least_its_guarantee_and_never_more_than_the_best(world, chance, n_teams):
    programme = make_programme(make_routes(world), n_teams=n_teams, detection_share=chance)
    best = solve_programme(programme)
    greedy = choose_greedily(programme).value
    assert (1 - np.exp(-1)) * best.value - 1e-9 <= greedy <= best.value * (1 + 1e-9)
    assert best.value <= best.bound * (1 + 1e-9)
    assert best.gap <= 1e-5


@given(pairs, chances, st.permutations([1.0, 2.0, 5.0]))
def test_greed_works_a_station_that_must_be_worked_where_it_meets_most(world, chance, worth):
    programme = make_programme(make_routes(world), detection_share=chance, n_slots=3, must=(0,))
    slots = tuple(replace(s, worth=s.worth * times) for s, times in zip(programme.slots, worth, strict=True))
    choice = choose_greedily(replace(programme, slots=slots)).chosen
    here = {k for k, teams in enumerate(choice) for _, duty in teams if 0 in programme.slots[0].duties.stops[duty]}
    assert worth.index(5.0) in here


@given(pairs, chances)
def test_more_teams_never_meet_less_and_each_adds_less(world, chance):
    routes = make_routes(world)
    value = [solve_programme(make_programme(routes, n_teams=n, detection_share=chance)).value for n in (1, 2, 3)]
    assert value[0] <= value[1] * (1 + 1e-9)
    assert value[1] <= value[2] * (1 + 1e-9)


@given(pairs, chances, st.integers(1, 3))
def test_what_a_duty_is_worth_is_what_is_lost_without_it(world, chance, n_teams):
    slot = make_programme(make_routes(world), n_teams=n_teams, detection_share=chance).slots[0]
    duties = list(range(min(n_teams, len(slot.duties.stops))))
    lost = measure_marginals(slot, duties)
    for k, duty in enumerate(duties):
        without = measure_value(slot, [d for d in duties if d != duty])
        assert abs(measure_value(slot, duties) - without - lost[k]) <= 1e-6 * (1 + lost[k])


@settings(max_examples=8)
@given(pairs, chances, st.integers(1, 4))
def test_the_large_method_agrees_with_the_exact_one(world, chance, n_sites):
    programme = make_programme(make_routes(world), n_teams=n_sites, detection_share=chance)
    slot = programme.slots[0]
    n_sites = min(n_sites, len(slot.duties.stops))
    exact = solve_programme(programme)
    found = choose_sites(slot.duties.hazard, slot.worth, n_sites=n_sites, gap_share=1e-4, time_limit_s=5.0)
    assert found.value <= exact.value * (1 + 1e-9)
    assert found.bound >= exact.value * (1 - 1e-9)
    assert found.gap <= 0.02
    assert len(set(found.stations)) == n_sites


@given(st.lists(st.floats(0.05, 1.0), min_size=3, max_size=8), st.integers(1, 3))
def test_a_single_line_is_worth_its_best_station_and_teams_add_up(chance, n_teams):
    detection = np.array(chance)
    tail, head = np.arange(detection.size - 1), np.arange(1, detection.size)
    game = solve_interdiction(tail, head, detection, [Pair(0, detection.size - 1)], n_teams=n_teams)
    assert abs(game.value - np.sort(detection)[-n_teams:].sum()) < 1e-9
    assert game.bound - game.value < 1e-9
    assert game.chance.sum() <= n_teams + 1e-9
