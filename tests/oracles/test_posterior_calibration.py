"""
Simulation-based calibration: where the truth is drawn from the prior, its rank among posterior draws is uniform.

After Talts, Betancourt, Simpson, Vehtari and Gelman (2018), "Validating Bayesian inference algorithms with
simulation-based calibration", arXiv:1804.06788. A slope, a constant or a draw that is wrong in any source shows here.
"""

from typing import NamedTuple

import numpy as np
import pytest
from scipy import stats

from models.posterior.estimate import share_draws
from models.posterior.posterior import Posterior
from models.posterior.priors import Normal
from models.posterior.sampler import draw_posterior
from tests.unit.models.posterior_worlds import MEAN_LINES, build_world, draw_prior, hidden_sources, simulate

N_WORLDS, N_DRAWS = 60, 60
# A source by pair, one by town in bands and one through stations; all sources over 300 worlds held too, in two minutes.
KINDS = ("lines_by_pair", "addresses", "finds")
LEVEL = Normal(float(np.log(MEAN_LINES)), 0.4)
REJECTED = 0.001

pytestmark = pytest.mark.slow


class Calibration(NamedTuple):
    """A row a simulated world: rank of the truth among the draws, as a share, and whether the interval held it."""

    names: list[str]
    town_rank: np.ndarray
    theta_rank: np.ndarray
    is_held: np.ndarray


def fit_one(world, hidden, seed):
    """Truth and posterior draws of the town shares, and of the parameters."""
    rng = np.random.default_rng(seed)
    truth = draw_prior(hidden, rng)
    sources, lines = simulate(hidden, truth, rng)
    posterior = Posterior(world.ways, world.priors, sources, stations=world.stations, log_level=LEVEL)
    draws = draw_posterior(posterior, n_draws=N_DRAWS, random_state=seed)
    town = np.concatenate([shares.town for shares in share_draws(posterior, draws.theta, rng)])
    return np.bincount(world.ways.town, lines) / lines.sum(), town, truth, draws.theta


@pytest.fixture(scope="module")
def calibration():
    world = build_world(2, 3, 2, internal_share=0.0)
    hidden = Posterior(world.ways, world.priors, hidden_sources(world, KINDS), stations=world.stations, log_level=LEVEL)
    town_rank, theta_rank, is_held = [], [], []
    for seed in range(N_WORLDS):
        share, town, truth, theta = fit_one(world, hidden, seed)
        low, high = np.quantile(town, (0.05, 0.95), axis=0)
        town_rank.append((town < share).mean(axis=0))
        theta_rank.append((theta < truth).mean(axis=0))
        is_held.append((low <= share) & (share <= high))
    return Calibration(hidden.names(), np.array(town_rank), np.array(theta_rank), np.array(is_held))


def chance_of_uniform(rank):
    """Chance of a Kolmogorov-Smirnov distance this large if the ranks were uniform, a column each."""
    return np.array([stats.kstest(column, "uniform").pvalue for column in rank.T])


def test_ranks_of_town_shares_are_uniform(calibration):
    assert chance_of_uniform(calibration.town_rank).min() > REJECTED


def test_ranks_of_every_parameter_are_uniform(calibration):
    """With so many parameters the smallest chance is held to its share of the level (Bonferroni)."""
    chance = chance_of_uniform(calibration.theta_rank)
    worst = calibration.names[int(chance.argmin())]
    assert chance.min() > REJECTED / len(chance), worst


@pytest.mark.parametrize("block", ["mass_exponent", "cost_exponent", "cost_decay_per_min", "rivalry_exponent", "level"])
def test_ranks_of_the_corridor_model_and_the_level_are_uniform(calibration, block):
    column = calibration.names.index(block)
    assert chance_of_uniform(calibration.theta_rank)[column] > REJECTED


def test_ranks_pile_up_neither_in_the_middle_nor_at_the_ends(calibration):
    """Four equal bins of all ranks of parameters; towns of one world are not independent, so each is its own test."""
    for rank in (calibration.town_rank.T, calibration.theta_rank.T):
        for column in rank:
            counts = np.histogram(column, bins=4, range=(0, 1))[0]
            assert stats.chisquare(counts).pvalue > REJECTED / len(rank)


def test_intervals_of_nine_in_ten_hold_the_truth_nine_times_in_ten(calibration):
    """So few worlds leave the share a spread of some 3 %."""
    assert 0.82 <= calibration.is_held.mean() <= 0.97
