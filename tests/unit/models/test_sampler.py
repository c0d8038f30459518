"""Chains side by side: how they judge themselves, against known answers, and draws whose law is known."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from models.posterior import sampler
from models.posterior.evidence import Evidence
from models.posterior.fit import find_mode
from models.posterior.posterior import Posterior
from models.posterior.priors import Normal
from models.posterior.sampler import HIGHEST_R_HAT, draw_posterior, measure_mixing
from tests.unit.models.posterior_worlds import build_world, full_evidence, known_lines

WORLD = build_world()
FULL = WORLD.posterior(WORLD.sources(full_evidence()))
N, N_CHAINS = 400, 16


def autoregressive(correlation, seed=0):
    """Chains of variance 1 whose draws forget by a constant factor."""
    rng = np.random.default_rng(seed)
    chains = rng.standard_normal((N, N_CHAINS, 1))
    for k in range(1, N):
        chains[k] = correlation * chains[k - 1] + np.sqrt(1 - correlation**2) * chains[k]
    return chains


def test_independent_draws_are_worth_as_many_as_they_are():
    r_hat, n = measure_mixing(autoregressive(0.0))
    assert r_hat == pytest.approx(1.0, abs=0.01)
    assert n == pytest.approx(N * N_CHAINS, rel=0.1)


@pytest.mark.parametrize("correlation", [0.3, 0.6, 0.8])
def test_draws_that_remember_are_worth_fewer(correlation):
    _, n = measure_mixing(autoregressive(correlation))
    assert n == pytest.approx(N * N_CHAINS * (1 - correlation) / (1 + correlation), rel=0.2)


def test_the_worst_parameter_speaks_for_all():
    both = np.concatenate([autoregressive(0.0), autoregressive(0.8, seed=1)], axis=2)
    assert measure_mixing(both) == pytest.approx(measure_mixing(both[:, :, 1:]), rel=0.02)


@pytest.mark.parametrize("apart", [1.0, 4.0])
def test_chains_around_different_means_do_not_agree(apart):
    chains = autoregressive(0.0) + apart * np.arange(N_CHAINS)[None, :, None]
    r_hat, _ = measure_mixing(chains)
    between = np.var(apart * np.arange(N_CHAINS), ddof=1)
    # Halves of one chain have the same mean: the spread over halves is a little less than over chains.
    assert r_hat == pytest.approx(np.sqrt(1 + between), rel=0.05)
    assert r_hat > HIGHEST_R_HAT


def test_chains_that_drift_together_do_not_agree():
    """Split in halves, a chain must agree with itself."""
    drift = np.linspace(0.0, 3.0, N)[:, None, None]
    assert measure_mixing(autoregressive(0.0) + drift)[0] > HIGHEST_R_HAT


def test_without_evidence_draws_are_of_the_normal_prior():
    draws = draw_posterior(WORLD.posterior(), n_draws=2_000, random_state=1)
    sd = np.sqrt(np.diag(np.linalg.inv(WORLD.posterior().prior_precision)))
    about = (draws.theta - WORLD.posterior().prior_mean) / sd
    chance = [stats.kstest(column, "norm").pvalue for column in about.T]
    assert min(chance) > 0.01 / len(chance)
    assert (draws.r_hat, draws.n_effective) == (1.0, 2_000.0)


def test_one_seed_gives_one_set_of_bytes():
    one, two, other = (draw_posterior(FULL, n_draws=50, random_state=seed).theta for seed in (3, 3, 4))
    assert one.tobytes() == two.tobytes() != other.tobytes()


def test_a_gamma_posterior_is_met():
    """One town's lines, known to be Poisson about a level that alone is free: the law is that of one dimension."""
    held = {
        name: Normal(getattr(WORLD.priors, name).mean, 1e-4)
        for name in ("mass_exponent", "cost_exponent", "cost_decay_per_min", "rivalry_exponent", "rail_shift")
    }
    priors = replace(WORLD.priors, town_sd=1e-4, origin_sd=1e-4, **held)
    lines = WORLD.sources(Evidence(lines=known_lines((None, "t3", 9))))
    lines = tuple(replace(source, own=(Normal(0.0, 1e-4),)) for source in lines)
    posterior = Posterior(WORLD.ways, priors, lines, stations=WORLD.stations, log_level=Normal(2.0, 0.8))
    at = posterior.blocks["level"].start
    drawn = draw_posterior(posterior, n_draws=2_000, random_state=5).theta[:, at]
    grid = np.linspace(-2.0, 6.0, 4_000)
    theta = np.tile(find_mode(posterior).theta, (len(grid), 1))
    theta[:, at] = grid
    density = posterior.evaluate(theta)[0]
    weight = np.exp(density - density.max())
    expected = np.interp(drawn, grid, np.cumsum(weight) / weight.sum())
    # Draws are not quite independent: a looser limit than that of as many.
    assert stats.kstest(expected, "uniform").statistic < 0.06


def test_more_parameters_than_chains_can_serve_are_drawn_by_laplace_and_it_is_told(monkeypatch):
    monkeypatch.setattr(sampler, "MOST_CHAINED", 10)
    mode = find_mode(FULL)
    draws = draw_posterior(FULL, n_draws=4_000, random_state=2, mode=mode)
    assert np.isnan(draws.r_hat)
    assert not draws.is_settled
    spread = np.sqrt(np.diag(np.linalg.inv(mode.factor @ mode.factor.T)))
    assert (draws.theta - mode.theta).std(axis=0) == pytest.approx(spread, rel=0.06)


class NarrowChart:
    """A normal of half the spread that the chart expects: long steps go wrong unless what went wrong is refused."""

    posterior = WORLD.posterior()
    spread = 0.5

    def evaluate(self, at):
        return -0.5 * (at**2).sum(axis=1) / self.spread**2, at * (1.0 - 1.0 / self.spread**2)


def test_what_long_steps_get_wrong_is_refused():
    chains = sampler._Chains(NarrowChart(), np.random.default_rng(0))
    chains.warm_up(20)
    chains.step = 0.75
    kept, accepted = chains.keep(200)
    assert kept[50:].std() == pytest.approx(NarrowChart.spread, rel=0.03)
    assert accepted < 0.95


def test_chains_that_disagree_run_on_and_are_told(monkeypatch):
    kept = []

    class Watched(sampler._Chains):
        def keep(self, n):
            kept.append(n)
            return super().keep(n)

    monkeypatch.setattr(sampler, "_Chains", Watched)
    monkeypatch.setattr(sampler, "_ANGLE", 1e-3)
    draws = draw_posterior(FULL, n_draws=20, random_state=0)
    assert kept == [kept[0], 2 * kept[0], 4 * kept[0]]
    assert not draws.is_settled
    assert draws.n_effective < 20
