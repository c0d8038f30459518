r"""
Draws of the posterior: Hamiltonian Monte Carlo around Laplace's approximation, many short chains side by side.

In parameters whitened by the information at the mode, the log density is that of a standard normal plus a rest. The
motion under the normal is a rotation and is made exactly; only the rest is stepped (split Hamiltonian Monte Carlo:
Shahbaba, Lan, Johnson and Neal 2014, Statistics and Computing 24, 339-349), so that where Laplace is right a quarter
turn costs a few slopes and forgets where it began. Importance weights were tried first: over some 130 parameters the
tail of their ratios had a shape of 1.5, and four draws' worth was left of 600.

Whether the chains agree is measured, on every parameter, by the split :math:`\hat R` and the effective number of draws
of Gelman et al. (2013), "Bayesian Data Analysis", 11.4 and 11.5. Where they do not, all run on for twice as long, a few
times over; what is left is told (`Draws.is_settled`). The same seed gives the same bytes. The oracle is a No-U-Turn
sampler (`tests/oracles/test_posterior_nuts.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

from models.posterior.derivatives import centre_features, differentiate_sums
from models.posterior.fit import MOST_CHAINED, Mode, find_mode
from models.posterior.information import measure_information
from models.posterior.intensity import Held, Intensity
from models.posterior.posterior import Posterior
from models.threads import one_thread

__all__ = ["HIGHEST_R_HAT", "Draws", "draw_posterior", "measure_mixing"]

FloatArray = NDArray[np.float64]
# ASSUMPTION. Chains that differ by more have not forgotten where they began.
HIGHEST_R_HAT = 1.1
_N_CHAINS = 32
_N_WARM, _FEWEST_KEPT = 12, 12
# Rounds in which the chains may go on, each twice as long as the one before.
_MOST_ROUNDS = 3
# Mean angle of a trajectory, radians, its jitter, and the first step: a quarter turn makes normals independent.
_ANGLE, _JITTER, _FIRST_STEP = 1.5, 0.25, 0.5
# Share of trajectories to be accepted; the step is adapted to it while the chains warm up.
_ACCEPTED = 0.85
_SHORTEST_STEP, _LONGEST_STEP = 0.05, 0.75


@dataclass(frozen=True)
class Draws:
    """
    Draws of the posterior, of equal weight.

    Attributes
    ----------
    theta : numpy.ndarray of shape (n_draws, n_params)
        Parameters.
    r_hat : float
        Largest split R-hat of any parameter; 1 where chains agree, NaN where draws are Laplace's own.
    n_effective : float
        Independent draws that the draws are worth, for the parameter that mixes worst.
    accepted_share : float
        Share of trajectories that were accepted.
    mode : Mode
        Where they were drawn around.
    """

    theta: FloatArray
    r_hat: float
    n_effective: float
    accepted_share: float
    mode: Mode

    @property
    def is_settled(self) -> bool:
        """Whether the chains agree; draws that are Laplace's own are not known to be."""
        return self.r_hat <= HIGHEST_R_HAT


class _Chart:
    r"""
    Whitened parameters, in which the posterior is close to a standard normal.

    A town's effect :math:`u_j` and what the network sends there, :math:`g_j`, trade against each other along a curve:
    `g` is the logarithm of a sum. In place of the effect stands :math:`u_j + \kappa_j g_j`, with the share
    :math:`\kappa_j` of the information about the town that is evidence's and not the prior's: what evidence holds fast
    is then straight. The change is a shear, so that densities stay as they are.
    """

    def __init__(self, posterior: Posterior, mode: Mode) -> None:
        self.posterior = posterior
        towns = posterior.blocks["towns"]
        information, prior = measure_information(posterior, mode.theta), posterior.prior_precision
        is_reached = posterior.layout.is_reached[:, 0]
        self._held = _hold(
            information[towns, towns], prior[towns, towns], is_reached, is_correlated=posterior.is_correlated
        )
        at_mode = Intensity.of(posterior.layout, self._bare(mode.theta)[None, :])
        reached = np.flatnonzero(is_reached)
        derivative = np.zeros((len(is_reached), posterior.layout.n_base))
        into = differentiate_sums(at_mode, "town", reached, centre_features(at_mode))
        derivative[reached] = sparse.csr_array(into).toarray()
        derivative[:, towns] = 0.0
        shear = np.eye(posterior.n_params)
        shear[towns, : posterior.layout.n_base] -= self._held @ derivative
        factor = linalg.cholesky(shear.T @ (mode.factor @ mode.factor.T) @ shear, lower=True)
        self._spread = linalg.solve_triangular(factor, np.eye(posterior.n_params), lower=True)
        self._centre = mode.theta.copy()
        self._centre[towns] += self._held @ at_mode.network.log_into_towns()[:, 0]

    def _bare(self, theta: FloatArray) -> FloatArray:
        """Without the effects of towns."""
        bare = theta.copy()
        bare[self.posterior.blocks["towns"]] = 0.0
        return bare

    def place(self, at: FloatArray) -> FloatArray:
        """Parameters of whitened ones, row by row."""
        return self.posterior.place_towns(self._centre + at @ self._spread, self._held)

    def evaluate(self, at: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Log density, and the slope of what is not the standard normal's."""
        value, slope = self.posterior.evaluate(self._centre + at @ self._spread, self._held)
        return value, slope @ self._spread.T + at


def _hold(information: FloatArray, prior: FloatArray, is_reached: NDArray[np.bool_], *, is_correlated: bool) -> Held:
    """Share of the information about each town that is evidence's; each on its own where towns are independent."""
    if not is_correlated:
        return sparse.dia_array(sparse.diags_array(is_reached * (1.0 - np.diag(prior) / np.diag(information))))
    held = np.eye(len(prior)) - linalg.solve(information, prior, assume_a="pos")
    held[:, ~is_reached] = 0.0
    return np.asarray(held)


class _Chains:
    """Chains side by side, in whitened parameters."""

    def __init__(self, chart: _Chart, rng: np.random.Generator) -> None:
        self.chart, self.rng = chart, rng
        self.at = rng.standard_normal((_N_CHAINS, chart.posterior.n_params))
        self.value, self.rest = chart.evaluate(self.at)
        self.step = _FIRST_STEP

    def advance(self) -> float:
        """Move every chain by one trajectory, and give the mean chance that it was accepted."""
        angle = _ANGLE * (1.0 + _JITTER * self.rng.uniform(-1.0, 1.0))
        n_steps = int(np.ceil(angle / self.step))
        turn = angle / n_steps
        cos, sin = np.cos(turn), np.sin(turn)
        momentum = self.rng.standard_normal(self.at.shape)
        at, rest, value = self.at, self.rest, self.value
        energy = value - 0.5 * (momentum**2).sum(axis=1)
        for _ in range(n_steps):
            momentum = momentum + 0.5 * turn * rest
            at, momentum = cos * at + sin * momentum, cos * momentum - sin * at
            value, rest = self.chart.evaluate(at)
            momentum = momentum + 0.5 * turn * rest
        with np.errstate(invalid="ignore", over="ignore"):
            gained = value - 0.5 * (momentum**2).sum(axis=1) - energy
        chance = np.where(np.isnan(gained), 0.0, np.exp(np.minimum(gained, 0.0)))
        is_taken = self.rng.random(_N_CHAINS) < chance
        self.at = np.where(is_taken[:, None], at, self.at)
        self.rest = np.where(is_taken[:, None], rest, self.rest)
        self.value = np.where(is_taken, value, self.value)
        return float(chance.mean())

    def warm_up(self, n: int) -> None:
        """Forget the start, and fit the length of steps to how curved the rest is."""
        for k in range(n):
            gap = self.advance() - _ACCEPTED
            self.step = float(np.clip(self.step * np.exp(gap / np.sqrt(1.0 + k / 4.0)), _SHORTEST_STEP, _LONGEST_STEP))

    def keep(self, n: int) -> tuple[FloatArray, float]:
        """Whitened parameters of so many trajectories, of shape (n, n_chains, n_params), and the share accepted."""
        kept, chance = np.empty((n, *self.at.shape)), np.empty(n)
        for k in range(n):
            chance[k] = self.advance()
            kept[k] = self.at
        return kept, float(chance.mean())


@one_thread()
def draw_posterior(posterior: Posterior, *, n_draws: int, random_state: int, mode: Mode | None = None) -> Draws:
    """
    Draw from the posterior.

    Parameters
    ----------
    posterior : Posterior
        What is drawn from.
    n_draws : int
        Draws wanted.
    random_state : int
        Seed.
    mode : Mode or None
        Its mode, found where None.

    Returns
    -------
    Draws
        With what the chains say about themselves.

    Raises
    ------
    ModelGateError
        If no mode is found.
    """
    mode = mode or find_mode(posterior)
    rng = np.random.default_rng(random_state)
    if not posterior.sources:
        # The prior is normal: what Laplace says of it is exact.
        return Draws(mode.around(rng.standard_normal((n_draws, posterior.n_params))), 1.0, float(n_draws), 1.0, mode)
    if posterior.n_params > MOST_CHAINED:
        around = mode.around(rng.standard_normal((n_draws, posterior.n_params)))
        return Draws(around, np.nan, float(n_draws), np.nan, mode)
    chart = _Chart(posterior, mode)
    chains = _Chains(chart, rng)
    n_warm, n_kept = _N_WARM, max(-(-n_draws // _N_CHAINS), _FEWEST_KEPT)
    for _ in range(_MOST_ROUNDS):
        chains.warm_up(n_warm)
        kept, accepted = chains.keep(n_kept)
        r_hat, n_effective = measure_mixing(kept)
        if r_hat <= HIGHEST_R_HAT:
            break
        n_warm, n_kept = n_warm + n_kept, 2 * n_kept
    flat = kept.reshape(-1, posterior.n_params)
    # Spread over all that was kept, so that no chain and no time is left out.
    rows = (np.arange(n_draws) * len(flat)) // n_draws
    share = min(n_draws / len(flat), 1.0)
    return Draws(chart.place(flat[rows]), r_hat, min(n_effective * share, float(n_draws)), accepted, mode)


def measure_mixing(kept: FloatArray) -> tuple[float, float]:
    r"""
    Measure how well chains have mixed.

    Parameters
    ----------
    kept : numpy.ndarray of shape (n, n_chains, n_params)
        Draws; at least four of each chain.

    Returns
    -------
    r_hat : float
        Largest split :math:`\hat R` of any parameter.
    n_effective : float
        Least effective number of draws, not more than there are.
    """
    n = len(kept) // 2
    halves = np.concatenate([kept[:n], kept[-n:]], axis=1)
    m = halves.shape[1]
    within = halves.var(axis=0, ddof=1).mean(axis=0)
    between = halves.mean(axis=0).var(axis=0, ddof=1)
    within = np.maximum(within, np.finfo(float).tiny)
    pooled = (n - 1) / n * within + between
    r_hat = float(np.sqrt((pooled / within).max()))
    # Autocorrelation at each lag from the variogram over all halves, until a pair of lags sums to nothing (Geyer).
    time = np.ones(halves.shape[2])
    is_open = np.ones(halves.shape[2], dtype=bool)
    before = np.zeros(halves.shape[2])
    for lag in range(1, n):
        variogram = ((halves[lag:] - halves[:-lag]) ** 2).mean(axis=(0, 1))
        correlation = 1.0 - variogram / (2.0 * pooled)
        if lag % 2:
            before = correlation
            continue
        is_open &= before + correlation > 0
        time += np.where(is_open, 2.0 * (before + correlation), 0.0)
    return r_hat, float(min((n * m / time).min(), len(kept) * kept.shape[1]))
