"""The posterior of one small world against a No-U-Turn sampler, which makes no approximation of its shape."""

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
N_CHAINS, N_WARM, N_KEPT = 2, 20, 180
# Whitened by Laplace's factor the posterior is close to a standard normal, which a step of this length follows well.
STEP = 0.5
N_DRAWS = 800


class NoUTurn:
    """
    One chain of the No-U-Turn sampler in the whitened parameters, as its authors give it.

    Hoffman and Gelman, Journal of Machine Learning Research 15 (2014), algorithm 3; the step is jittered, not tuned.
    A state is place, momentum, log density and slope.
    """

    def __init__(self, posterior, mode, rng):
        self.posterior, self.mode, self.rng = posterior, mode, rng

    def look(self, z):
        value, slope = self.posterior.evaluate(self.mode.around(z[None, :]))
        return value[0], linalg.solve_triangular(self.mode.factor, slope[0], lower=True)

    def hop(self, state, step):
        z, momentum, _, uphill = state
        momentum = momentum + 0.5 * step * uphill
        z = z + step * momentum
        value, uphill = self.look(z)
        return z, momentum + 0.5 * step * uphill, value, uphill

    def grow(self, end, depth, step, floor, begun):
        """Two to the `depth` hops: their ends, a point of them, how many lie above the floor, whether they turn."""
        if depth == 0:
            end = self.hop(end, step)
            found = energy(end)
            return end, end, end, int(found >= floor), found < floor - 1000.0, [min(1.0, np.exp(found - begun))]
        near, far, point, n, is_over, accepted = self.grow(end, depth - 1, step, floor, begun)
        if not is_over:
            _, far, other, n_other, is_over, more = self.grow(far, depth - 1, step, floor, begun)
            if n_other and self.rng.random() < n_other / (n + n_other):
                point = other
            n, accepted = n + n_other, accepted + more
            is_over = is_over or turns(*((near, far) if step > 0 else (far, near)))
        return near, far, point, n, is_over, accepted

    def move(self, z):
        """The next place, and the mean chance of acceptance along the last doubling."""
        step = STEP * self.rng.uniform(0.8, 1.2)
        point = back = ahead = (z, self.rng.standard_normal(len(z)), *self.look(z))
        begun = energy(point)
        floor, n, depth, is_over = begun - self.rng.exponential(), 1, 0, False
        while not is_over:
            is_ahead = self.rng.random() < 0.5
            end, way = (ahead, step) if is_ahead else (back, -step)
            _, far, other, n_other, is_over, accepted = self.grow(end, depth, way, floor, begun)
            back, ahead = (back, far) if is_ahead else (far, ahead)
            if not is_over and self.rng.random() < n_other / n:
                point = other
            n, depth, is_over = n + n_other, depth + 1, is_over or turns(back, ahead)
        return point[0], np.mean(accepted)


def energy(state):
    return state[2] - 0.5 * state[1] @ state[1]


def turns(back, ahead):
    span = ahead[0] - back[0]
    return span @ back[1] < 0 or span @ ahead[1] < 0


def walk(posterior, mode, rng):
    """The kept draws of one chain, and its mean chance of acceptance."""
    chain, z, moves = NoUTurn(posterior, mode, rng), rng.standard_normal(posterior.n_params), []
    for _ in range(N_WARM + N_KEPT):
        z, accepted = chain.move(z)
        moves.append((z, accepted))
    kept, accepted = zip(*moves[N_WARM:], strict=True)
    return mode.around(np.array(kept)), np.mean(accepted)


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
