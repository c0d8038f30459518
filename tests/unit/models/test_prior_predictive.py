"""What the priors imply, against the sampler's own draws of the prior and against worlds where it is known."""

import itertools
import re
from dataclasses import replace

import numpy as np
import pytest

from models.posterior.estimate import share_draws
from models.posterior.priors import Normal
from models.posterior.sampler import draw_posterior
from models.prior_predictive import DURATION_EDGES_MIN, _draw_parameters, predict_from_priors
from tests.unit.models.posterior_worlds import build_world, full_evidence


@pytest.fixture(scope="module")
def world():
    return build_world()


@pytest.fixture(scope="module")
def estimate(world):
    return world.estimate(full_evidence())


@pytest.fixture(scope="module")
def implied(estimate):
    return predict_from_priors(estimate, random_state=0)


def test_draws_are_those_of_the_sampler_without_sources(world, implied):
    """The oracle: chains over the posterior that has no evidence."""
    prior = world.posterior()
    draws = draw_posterior(prior, n_draws=2_000, random_state=1)
    shares = list(share_draws(prior, draws.theta, None))
    towns = np.concatenate([chunk.town for chunk in shares])
    error = 4 * towns.max(axis=1).std() / np.sqrt(len(implied.first_town_share))
    assert implied.first_town_share.mean() == pytest.approx(towns.max(axis=1).mean(), abs=error)
    assert np.quantile(implied.first_town_share, 0.9) == pytest.approx(np.quantile(towns.max(axis=1), 0.9), abs=0.06)
    rail = sum(chunk.pair_rail_sum.sum() for chunk in shares) / len(draws.theta)
    assert implied.rail_share.mean() == pytest.approx(rail, abs=0.05)


def test_parameters_have_the_means_and_the_covariance_of_the_prior(world):
    near = replace(world, priors=replace(world.priors, neighbour_share=0.8, neighbour_km=60.0))
    prior = near.posterior()
    draws = _draw_parameters(prior, 40_000, 3)
    spread = np.sqrt(np.diag(np.linalg.inv(prior.prior_precision)))
    assert np.abs((draws.mean(axis=0) - prior.prior_mean) / spread).max() < 0.03
    product = np.cov(draws.T) @ prior.prior_precision
    scaled = product * spread[None, :] / spread[:, None]
    assert np.abs(scaled - np.eye(len(spread))).max() < 0.1


def test_what_stands_beside_is_the_estimate(estimate, implied):
    np.testing.assert_array_equal(implied.first_town_share_after, estimate.town_share.max(axis=1))
    assert implied.rail_share_after == pytest.approx(estimate.pair_rail_share.sum())
    for draw, n in zip(estimate.town_share[:20], implied.towns_of_half_after[:20].astype(int), strict=True):
        largest = sorted(draw, reverse=True)
        assert sum(largest[:n]) >= 0.5 * sum(draw) > sum(largest[: n - 1])


def test_trips_are_all_somewhere_and_where_their_minutes_are(estimate, implied):
    assert implied.duration_share.sum(axis=1) == pytest.approx(1.0)
    assert implied.duration_share_after.sum() == pytest.approx(estimate.pair_share.sum())
    minutes = -estimate.posterior.ways.features[:, 2]
    for k, (low, high) in enumerate(itertools.pairwise(DURATION_EDGES_MIN)):
        inside = (minutes > low) & (minutes <= high)
        assert implied.duration_share_after[k] == pytest.approx(estimate.pair_share[inside].sum())


@pytest.mark.parametrize(("shift", "is_more"), [(4.0, True), (-4.0, False)])
def test_a_prior_that_says_rail_is_cheap_implies_more_of_it(world, estimate, implied, shift, is_more):
    priors = replace(world.priors, rail_shift=Normal(shift, 0.1))
    other = predict_from_priors(replace(world, priors=priors).estimate(), random_state=0)
    assert (other.rail_share.mean() > implied.rail_share.mean()) == is_more
    assert abs(other.rail_share.mean() - implied.rail_share.mean()) > 0.1


def test_the_same_seed_gives_the_same_and_sentences_tell_the_figures(estimate, implied):
    again = predict_from_priors(estimate, random_state=0)
    assert again.sentences() == implied.sentences()
    first, half, hour, rail = implied.sentences()
    assert float(re.search(r"gets ([\d.]+) %", first).group(1)) == pytest.approx(
        100 * implied.first_town_share.mean(), rel=0.05
    )
    assert f"{np.median(implied.towns_of_half_after):.0f} (" in half.partition("evidence")[2]
    within = implied.duration_share[:, :2].sum(axis=1).mean()
    assert float(re.search(r": ([\d.]+) %", hour).group(1)) == pytest.approx(100 * within, rel=0.05)
    assert float(re.search(r"([\d.]+) % with it", rail).group(1)) == pytest.approx(
        100 * implied.rail_share_after, rel=0.05
    )
