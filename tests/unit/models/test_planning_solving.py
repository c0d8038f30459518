"""Planes above the share met, the relaxation they make, and the steps of the solver."""

from itertools import combinations

import numpy as np
import pytest
from scipy import sparse

from models.planning.problem.duties import Duties
from models.planning.problem.programme import Group, Programme, Slot, duties_of, measure_value
from models.planning.solver.envelope import build_envelope
from models.planning.solver.greedy import choose_greedily, improve_choice
from models.planning.solver.limits import stack_rows
from models.planning.solver.reducing import narrow_programme
from models.planning.solver.relaxing import relax_programme
from models.planning.solver.solving import solve_programme

HALF = np.log(2.0)
CERTAIN = 27.0


def make_slot(hazard, worth, *, s=0, **options):
    """Single stations, one a column."""
    n = len(hazard[0])
    duties = Duties(
        tuple((k,) for k in range(n)),
        sparse.identity(n, format="csc"),
        sparse.csr_matrix(np.array(hazard, dtype=float)),
        np.zeros(n),
    )
    return Slot(s, duties, np.array(worth, dtype=float), 8.0 * s, 8.0 * s + 8.0, **options)


def make_programme(hazard, worth, n_teams, **options):
    everywhere = np.ones(len(hazard[0]), dtype=bool)
    return Programme((make_slot(hazard, worth),), (Group("team", n_teams, everywhere),), **options)


def random_hazard(seed, levels, n_patterns=20, n_duties=7):
    rng = np.random.default_rng(seed)
    hazard = rng.choice(levels, (n_patterns, n_duties)) * (rng.random((n_patterns, n_duties)) < 0.6)
    return hazard[hazard.sum(axis=1) > 0], rng.uniform(1, 9, int((hazard.sum(axis=1) > 0).sum()))


def lists_up_to(n_duties, n_teams):
    for size in range(n_teams + 1):
        for chosen in combinations(range(n_duties), size):
            yield np.isin(np.arange(n_duties), chosen).astype(float)


def test_the_planes_of_two_certain_stations_are_a_share_of_one_for_each():
    # Met with x + y, and never more than once.
    envelope = build_envelope(sparse.csr_matrix([[CERTAIN, CERTAIN]]), 2)
    pattern, slope, height = envelope.list_rows(np.arange(envelope.n_planes))
    rows = sorted(zip(slope.toarray()[:, 0].round(6), height.round(6), strict=True))
    assert pattern.tolist() == [0, 0]
    assert rows == [(0.0, 1.0), (1.0, 0.0)]


@pytest.mark.parametrize("levels", [[0.2], [0.3, HALF], [HALF, CERTAIN], [1e-6, CERTAIN]])
def test_planes_of_one_or_two_chances_are_exact_at_every_list(levels):
    hazard, _ = random_hazard(1, levels)
    envelope = build_envelope(sparse.csr_matrix(hazard), 3)
    for point in lists_up_to(7, 3):
        _, slope, height = envelope.list_rows(envelope.find_lowest(point))
        assert slope @ point + height == pytest.approx(-np.expm1(-hazard @ point), abs=1e-7)


@pytest.mark.parametrize("n_teams", [1, 3, 40])
def test_no_list_is_above_the_planes_of_many_chances(n_teams):
    hazard, _ = random_hazard(2, [0.05, 0.1, 0.3, HALF, 1.0, 2.0, CERTAIN])
    envelope = build_envelope(sparse.csr_matrix(hazard), n_teams)
    for point in lists_up_to(7, min(n_teams, 7)):
        _, slope, height = envelope.list_rows(envelope.find_lowest(point))
        assert (slope @ point + height >= -np.expm1(-hazard @ point) - 1e-12).all()


def test_a_duty_with_part_of_a_chance_has_part_of_its_slope():
    # Chances of a tenth and a fifth count as a quarter and a half of the next higher up, which is two fifths.
    hazard = -np.log1p(-np.array([[0.1, 0.2, 0.4, 0.9]]))
    envelope = build_envelope(sparse.csr_matrix(hazard), 2)
    _, slope, _ = envelope.list_rows(np.arange(envelope.n_planes))
    slope = slope.toarray()
    assert slope[:, 0] == pytest.approx(slope[:, 2] / 4)
    assert slope[:, 1] == pytest.approx(slope[:, 2] / 2)


@pytest.mark.parametrize("seed", range(4))
def test_bound_and_prices_hold_for_every_list(seed):
    hazard, worth = random_hazard(seed, [0.3, CERTAIN])
    programme = make_programme(hazard, worth, 3)
    model = relax_programme(programme)
    planes = model.list_planes(model.find_lowest([(np.full(7, 3 / 7),)]))
    found = model.relax(stack_rows([model.rules, planes]), 10.0)
    (price,) = model.by_duty(found.price)
    for point in lists_up_to(7, 3):
        chosen = np.flatnonzero(point)
        value = measure_value(programme.slots[0], chosen.tolist())
        assert value <= found.bound + np.minimum(price[0, chosen], 0.0).min(initial=0.0) + 1e-9


def test_a_duty_that_no_better_choice_holds_is_left_out():
    # A team at the last station is not at the third, which meets 49 more: 200 less 49 is below what is at hand.
    programme = make_programme(np.eye(4) * CERTAIN, [100.0, 100.0, 50.0, 1.0], 2)
    narrowed = narrow_programme(relax_programme(programme), at_hand=190.0, until=np.inf)
    assert set(narrowed.duties[0].tolist()) in ({0, 1}, {0, 1, 2})
    assert narrowed.bound == pytest.approx(200.0)


def test_without_a_choice_at_hand_no_duty_is_left_out():
    programme = make_programme(np.eye(3) * CERTAIN, [100.0, 100.0, 1.0], 2)
    narrowed = narrow_programme(relax_programme(programme), at_hand=-np.inf, until=np.inf)
    assert narrowed.duties[0].tolist() == [0, 1, 2]


def make_trap(**options):
    """Greed takes the middle station, which meets 4 of 12; the two outer ones meet 6 each."""
    return make_programme(
        [[CERTAIN, 0, 0], [CERTAIN, CERTAIN, 0], [0, CERTAIN, CERTAIN], [0, 0, CERTAIN]], [3, 4, 4, 3], 2, **options
    )


def test_a_swap_mends_what_greed_got_wrong():
    greedy = choose_greedily(make_trap())
    assert greedy.value == pytest.approx(11.0)
    swapped = improve_choice(make_trap(), greedy.chosen)
    assert swapped.value == pytest.approx(14.0)
    assert set(duties_of(swapped.chosen[0])) == {0, 2}


def test_a_swap_keeps_a_station_that_must_be_worked():
    greedy = choose_greedily(make_trap(must=(1,)))
    swapped = improve_choice(make_trap(must=(1,)), greedy.chosen)
    assert 1 in duties_of(swapped.chosen[0])
    assert swapped.value == pytest.approx(11.0)
    assert solve_programme(make_trap(must=(1,))).value == pytest.approx(11.0)


def test_crews_that_rest_still_begin_with_a_choice():
    slots = (make_slot(np.eye(3) * HALF, [3, 2, 1]), make_slot(np.eye(3) * HALF, [9, 8, 7], s=1))
    group = Group("team", 2, np.ones(3, dtype=bool), n_crews=2)
    found = solve_programme(Programme(slots, (group,), rest_h=11.0))
    # Both crews work the second slot.
    assert found.chosen == ((), ((0, 0), (0, 1)))
    assert found.value == pytest.approx(8.5)
    assert found.gap <= 1e-6


def test_without_time_the_bound_still_holds():
    hazard, worth = random_hazard(3, [0.3, 2.0], n_patterns=60, n_duties=14)
    programme = make_programme(hazard, worth, 4)
    hasty = solve_programme(programme, time_limit_s=0.0)
    assert hasty.is_feasible
    assert hasty.value <= solve_programme(programme).value * (1 + 1e-9) <= hasty.bound * (1 + 1e-9)


@pytest.mark.parametrize("detection_share", [0.2, 0.6, 0.9, 1.0])
def test_sixteen_stations_are_proven_twice_alike(detection_share):
    rng = np.random.default_rng(7)
    at = rng.random((100, 16)) < 0.2
    chance = np.where(rng.random(at.shape) < 0.3, detection_share, detection_share / 4) * (1 - 1e-12)
    hazard = -np.log1p(-chance) * at
    programme = make_programme(hazard[at.any(axis=1)], rng.uniform(1, 9, int(at.any(axis=1).sum())), 3)
    first, second = solve_programme(programme), solve_programme(programme)
    assert first.gap <= 1e-6
    assert (first.chosen, first.value, first.bound) == (second.chosen, second.value, second.bound)
