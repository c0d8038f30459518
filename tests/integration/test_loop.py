"""Results in, belief moves, next week's plan moves: the small world of `benchmarks.loop`, with its truth known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks.loop_beliefs import Belief
from benchmarks.loop_weeks import N_WEEKS, at_random, draw_one, fixed, list_cells, oracle, thompson, work_weeks
from benchmarks.loop_worlds import make_small
from models.evaluation import estimate_plans
from models.planning.roster import reply_best

pytestmark = pytest.mark.slow

N_TRUTHS = 6


@pytest.fixture(scope="module")
def world():
    return make_small(n_particles=300)


@pytest.fixture(scope="module")
def best(world):
    return reply_best(world.problem)


@pytest.fixture(scope="module")
def worked(world, best):
    """Learning, stations at random, the fixed list and who knows the truth, in six truths."""
    found = []
    for number in range(N_TRUTHS):
        truth = world.truth(number)
        policies = (
            thompson(2, name="learning"),
            at_random("random"),
            fixed(best, "list"),
            oracle(truth, best, "oracle", responds=False),
        )
        found.append({p.name: work_weeks(world, truth, p, responds=False, seed=number, target=best) for p in policies})
    return found


def test_belief_moves_towards_the_truth(worked):
    learned = [weeks["learning"] for weeks in worked]
    level = np.array([w.level_error for w in learned])
    stations = np.array([w.share_error for w in learned])
    assert level[:, N_WEEKS].mean() < 0.5 * level[:, 0].mean()
    assert stations[:, N_WEEKS].mean() < stations[:, 0].mean()


def test_nobody_meets_more_than_who_knows_the_truth(worked):
    for weeks in worked:
        most = weeks["oracle"].met.sum()
        # A roster that no team alone can better may fall a little short of the best of all.
        assert all(weeks[name].met.sum() <= 1.02 * most for name in ("learning", "random", "list"))


def test_learning_meets_more_than_chance_and_more_than_the_list_that_never_learns(worked):
    met = {name: sum(weeks[name].met.sum() for weeks in worked) for name in worked[0]}
    assert met["learning"] > met["random"]
    assert met["learning"] > met["list"]
    # It is the last weeks that gain: the first are spent on looking.
    late = {name: sum(weeks[name].met[-4:].sum() for weeks in worked) for name in worked[0]}
    assert late["learning"] > 0.8 * late["oracle"]


def test_chances_in_the_log_are_how_often_seeds_draw(world, best):
    policy = thompson(5, name="learning")
    pool = policy.plan(world, Belief(world), world.base, np.random.default_rng(3))
    trips = world.base.to_patterns @ Belief(world).mean_trips()
    cells = list_cells(world, world.base, 0, pool, best, trips)
    n = 2000
    count = pd.Series(0.0, index=cells.index)
    for seed in range(n):
        roster = draw_one(pool, np.random.default_rng(seed))
        count[
            list({f"0:{s.place}:{world.problem.station_ids[stay.station]}" for s in roster.shifts for stay in s.stays})
        ] += 1
    error = np.sqrt(cells["chance"] * (1 - cells["chance"]) / n)
    assert (np.abs(count / n - cells["chance"]) <= 4.5 * error + 1e-12).all()
    assert cells["chance"].min() > 0 or (cells["target_chance"][cells["chance"] == 0] == 1).all()


def test_weights_are_those_of_bayes_with_the_level_integrated_out(world, best):
    plain = replace(world, spread=None)
    belief, by_pair = Belief(plain), plain.stays_by_pair(plain.base, best.shifts)
    rng = np.random.default_rng(1)
    weeks = [rng.poisson(0.2, by_pair.shape[1]) for _ in range(3)]
    for finds in weeks:
        belief.learn(by_pair, finds)
    mean = np.maximum(plain.trips @ by_pair, 1e-12)[:, None, :] * np.exp(belief.log_level)[:, None]
    log = sum((finds * np.log(mean) - mean).sum(axis=2) for finds in weeks)
    joint = np.exp(log - log.max()) * np.exp(-0.5 * np.linspace(-4, 4, len(belief.log_level)) ** 2)
    np.testing.assert_allclose(belief.weight, joint.sum(axis=1) / joint.sum(), rtol=1e-3, atol=1e-7)


def test_draws_made_anew_are_those_of_the_gamma_posterior():
    # The level is known, and each stay tells of one pair alone: each pair's trips are gamma by count and exposure.
    world = replace(make_small(n_particles=4000), trips_sd=1e-6, detection_sd=1e-6)
    belief, n_pairs = Belief(world), world.trips.shape[1]
    by_pair = np.eye(n_pairs, dtype=np.float32) * 0.01
    finds = np.arange(n_pairs) * 4
    for _ in range(4):
        belief.learn(by_pair, finds)
    assert belief.trips is not world.trips
    mean = world.problem.encounters.routes.trips_per_month
    expected = (world.spread + 4 * finds) / (world.spread / mean + 0.04)
    assert belief.mean_trips() == pytest.approx(expected, rel=0.1)


def test_where_no_courier_comes_nothing_is_found_and_belief_falls(world, best):
    truth = world.truth(1, scale=0.0)
    weeks = work_weeks(world, truth, thompson(2, name="learning"), responds=True, seed=1, n_weeks=8, target=best)
    assert weeks.n_finds.sum() == 0
    found = estimate_plans(pd.concat(weeks.cells), pd.concat(weeks.visits))
    ends = [found.gain.finds_per_hour_low, found.gain.finds_per_hour_high]
    assert np.isfinite(ends).all()
    predicted = [float(cells["predicted_per_hour"].max()) for cells in weeks.cells]
    assert predicted[-1] < 0.3 * predicted[0]


def test_couriers_who_know_the_list_leave_it(world, best):
    truth = world.truth(0)
    met = {
        responds: work_weeks(world, truth, fixed(best, "list"), responds=responds, seed=0, target=best).met
        for responds in (False, True)
    }
    assert met[True][0] == pytest.approx(met[False][0])
    assert met[True][-1] < met[False][-1]
