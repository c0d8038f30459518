"""What a planner believes of trips by pair, week by week: weights on draws, and a level that finds tell of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from benchmarks.loop_worlds import World

FloatArray = NDArray[np.float64]

_N_LEVELS, _REACH_SD = 61, 4.0
_LEAST = 1e-12
# Draws are made anew where they are worth less than this share of their number.
_FEW, _N_SWEEPS = 0.25, 2


class Belief:
    """
    Weights on the draws of a world, each with the level integrated out, which for Poisson finds is exact.

    With finds y of stays and their means L m of a draw, the likelihood is L^n exp(-L e) prod m^y, n the finds and e
    the sum of the means of all stays so far: three numbers a draw hold all that was found.

    Where trips of pairs are gamma beforehand, draws are made anew once few of them carry the weight: with the finds of
    each stay allotted to pairs, trips are gamma again (Gibbs sampling), so that none is stuck where the truth is not.
    """

    def __init__(self, world: World) -> None:
        self.world, self.trips = world, world.trips
        z = np.linspace(-_REACH_SD, _REACH_SD, _N_LEVELS)
        self.log_level = world.level_mean + world.level_sd * z
        self._log_prior = -0.5 * z**2 - logsumexp(-0.5 * z**2)
        self._offset = np.zeros(len(world.trips))
        self._history: list[tuple[NDArray[np.float32], FloatArray]] = []
        self._rng = np.random.default_rng(0)
        self._recount()

    def learn(self, by_pair: NDArray[np.float32], finds: NDArray[np.int64]) -> None:
        """Take in the finds of a week's stays, given what each expects of one trip of each pair at level 1."""
        if self.world.spread is not None:
            self._history.append((by_pair, finds))
        self._count(by_pair, finds)
        self._settle()
        if self.world.spread is not None and self.n_effective < _FEW * len(self.weight):
            for _ in range(_N_SWEEPS):
                self._draw_anew(self.world.spread)

    def _recount(self) -> None:
        self._log_mean, self._exposed, self._n_finds = np.zeros(len(self.trips)), np.zeros(len(self.trips)), 0.0
        for by_pair, finds in self._history:
            self._count(by_pair, finds)
        self._settle()

    def _count(self, by_pair: NDArray[np.float32], finds: NDArray[np.int64]) -> None:
        expected, seen = np.asarray(self.trips @ by_pair, dtype=float), finds > 0
        self._log_mean += np.log(np.maximum(expected[:, seen], _LEAST)) @ finds[seen]
        self._exposed += expected.sum(axis=1)
        self._n_finds += float(finds.sum())

    def _settle(self) -> None:
        level = np.exp(self.log_level)
        joint = self._log_mean[:, None] + self._n_finds * self.log_level - self._exposed[:, None] * level
        self._log_joint = joint + self._log_prior
        joint = self._log_joint + self._offset[:, None]
        self.joint = np.exp(joint - logsumexp(joint))
        self.weight = self.joint.sum(axis=1)

    def _draw_anew(self, spread: float) -> None:
        rng, n = self._rng, len(self.weight)
        cell = rng.choice(self.joint.size, size=n, p=self.joint.ravel() / self.joint.sum())
        draw, at = np.unravel_index(cell, self.joint.shape)
        trips, level = self.trips[draw].astype(float), np.exp(self.log_level[at])
        count, exposed = np.zeros_like(trips), np.zeros(trips.shape[1])
        for by_pair, finds in self._history:
            exposed += by_pair.sum(axis=1)
            for stay in np.flatnonzero(finds):
                part = trips * by_pair[:, stay] + _LEAST
                count += rng.multinomial(int(finds[stay]), part / part.sum(axis=1, keepdims=True))
        mean = self.world.problem.encounters.routes.trips_per_month
        rate = spread / mean + level[:, None] * exposed
        self.trips = (rng.standard_gamma(spread + count) / rate).astype(np.float32)
        self._offset = np.zeros(n)
        self._recount()
        # Draws are now as likely as they are believed: what was found so far weighs on them no more.
        self._offset = -logsumexp(self._log_joint, axis=1)
        self._settle()

    @property
    def n_effective(self) -> float:
        """Draws that the weighted ones are worth."""
        return float(1.0 / (self.weight @ self.weight))

    def draw(self, rng: np.random.Generator, n: int) -> NDArray[np.int64]:
        """Draws as likely as they are believed."""
        return rng.choice(len(self.weight), size=n, p=self.weight / self.weight.sum())

    def mean_trips(self) -> FloatArray:
        by_draw = (self.joint @ np.exp(self.log_level)).astype(np.float32)
        return np.asarray(by_draw @ self.trips, dtype=float)

    def quantile_of(self, values: FloatArray, truth: float) -> float:
        """Belief that what is in proportion to the level is below its truth."""
        below = values[:, None] * np.exp(self.log_level) < truth
        return float(self.joint[below].sum())
