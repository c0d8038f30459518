"""The posterior of one small world against Hamiltonian Monte Carlo, which makes no approximation of its shape."""

import numpy as np
import pytest
from scipy import linalg, stats

from models.posterior.estimate import share_draws
from models.posterior.fit import find_mode
from models.posterior.posterior import Posterior
from models.posterior.priors import Normal
from models.posterior.sampler import draw_posterior
from tests.unit.models.posterior_worlds import MEAN_LINES, build_world, draw_prior, hidden_sources, simulate

KINDS = ("lines_by_pair", "lines_by_town", "addresses", "reported_offences", "finds")
N_CHAINS, N_WARM, N_KEPT = 2, 30, 270
# Whitened by Laplace's factor the posterior is close to a standard normal: a quarter turn forgets where it began.
STEP, N_STEPS = 0.5, 3
N_DRAWS = 800


def walk(posterior, mode, rng):
    """One chain of Hamiltonian Monte Carlo in the whitened parameters, its steps jittered."""

    def place(z):
        return mode.around(z[None, :])[0]

    def slope(z):
        return linalg.solve_triangular(mode.factor, posterior.slope(place(z)), lower=True)

    z = rng.standard_normal(posterior.n_params)
    value, uphill = posterior.log_density(place(z)), slope(z)
    kept, n_accepted = [], 0
    for k in range(N_WARM + N_KEPT):
        step = STEP * rng.uniform(0.8, 1.2)
        momentum = rng.standard_normal(posterior.n_params)
        new, new_uphill, moving = z, uphill, momentum
        for _ in range(N_STEPS):
            moving = moving + 0.5 * step * new_uphill
            new = new + step * moving
            new_uphill = slope(new)
            moving = moving + 0.5 * step * new_uphill
        new_value = posterior.log_density(place(new))
        energy = new_value - value - 0.5 * (moving @ moving - momentum @ momentum)
        if np.log(rng.random()) < energy:
            z, value, uphill = new, new_value, new_uphill
            n_accepted += k >= N_WARM
        if k >= N_WARM:
            kept.append(place(z))
    return np.array(kept), n_accepted / N_KEPT


def count_effective(chain):
    """Independent draws that each column is worth, by Geyer's initial positive sequence."""
    about = chain - chain.mean(axis=0)
    n = len(about)
    size = []
    for column in about.T:
        correlation = np.correlate(column, column, "full")[n - 1 :] / (column @ column)
        pairs = correlation[: n // 2 * 2].reshape(-1, 2).sum(axis=1)
        end = np.argmax(pairs < 0) if (pairs < 0).any() else len(pairs)
        size.append(n / max(2 * pairs[:end].sum() - 1, 1e-9))
    return np.minimum(size, n)


@pytest.fixture(scope="module")
def world():
    world = build_world(2, 4, 3, internal_share=0.0)
    level = Normal(float(np.log(MEAN_LINES)), 0.4)
    hidden = Posterior(world.ways, world.priors, hidden_sources(world, KINDS), stations=world.stations, log_level=level)
    rng = np.random.default_rng(11)
    sources, _ = simulate(hidden, draw_prior(hidden, rng), rng)
    return Posterior(world.ways, world.priors, sources, stations=world.stations, log_level=level)


@pytest.fixture(scope="module")
def mode(world):
    return find_mode(world)


@pytest.fixture(scope="module")
def chains(world, mode):
    return [walk(world, mode, np.random.default_rng(seed)) for seed in range(N_CHAINS)]


@pytest.fixture(scope="module")
def draws(world, mode):
    return draw_posterior(world, n_draws=N_DRAWS, random_state=0, mode=mode)


def town_shares(posterior, theta):
    return np.concatenate([shares.town for shares in share_draws(posterior, theta, None)])


def quantities(posterior, theta):
    """Town shares and, with them, every parameter."""
    return np.column_stack([town_shares(posterior, theta), theta])


def test_the_chains_move_freely_and_agree_with_each_other(world, chains):
    assert min(share for _, share in chains) > 0.8
    one, two = (quantities(world, theta) for theta, _ in chains)
    error = np.sqrt(one.var(axis=0) / count_effective(one) + two.var(axis=0) / count_effective(two))
    assert (np.abs(one.mean(axis=0) - two.mean(axis=0)) / error).max() < stats.norm.isf(1e-4)


def test_means_agree_with_the_chains_within_monte_carlo_error(world, chains, draws):
    exact = np.concatenate([quantities(world, theta) for theta, _ in chains])
    n = sum(count_effective(quantities(world, theta)) for theta, _ in chains)
    found = quantities(world, draws.theta)
    error = exact.std(axis=0) * np.sqrt(1 / n + 1 / min(draws.n_effective, N_DRAWS))
    off = np.abs(exact.mean(axis=0) - found.mean(axis=0)) / error
    assert off.max() < stats.norm.isf(1e-4)


def test_spreads_of_town_shares_agree_with_the_chains(world, chains, draws):
    exact = np.concatenate([town_shares(world, theta) for theta, _ in chains])
    assert town_shares(world, draws.theta).std(axis=0) == pytest.approx(exact.std(axis=0), rel=0.15)


def test_chains_side_by_side_agree_and_forget_where_they_began(draws):
    assert draws.is_settled
    assert draws.n_effective > 0.3 * N_DRAWS
