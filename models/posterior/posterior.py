r"""
The posterior over lines: prior mean from the corridor model, moved by every source of evidence.

.. math:: \Lambda_{ij} = e^{l + s_i} \, \pi_{ij}(\beta, g, h, r) \, e^{u_j}

with `l` the level, `s_i` the strength of origin `i`, :math:`\pi` of `models.posterior.ways` and `u_j` what makes a town
more exposed than the network says: shared by all evidence, and in part by near towns. A pair's own effect is gamma and
conjugate to the lines known of that pair, so it is integrated out here and drawn afterwards, with the shares.

Every source sees lines through a sum over pairs, so value and slope are sums over the same pairs, taken for many
parameter vectors at once (`models.posterior.intensity`). Departures from `methods.md` 7.14: `u` is correlated over
distance, not track; a pair's effect moves that pair alone and no other evidence; addresses enter as bands.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

from geo.errors import UsageError
from models.posterior.intensity import Held, Intensity, Layout, Network
from models.posterior.priors import COEFFICIENTS, Normal, Priors
from models.posterior.sources import Source
from models.posterior.ways import Ways

__all__ = ["MOST_CORRELATED", "RAIL_STEP_MIN", "Posterior", "Stations"]

FloatArray = NDArray[np.float64]
# One step of the rail parameter, generalised minutes.
RAIL_STEP_MIN = 30.0
# Towns beyond this number are independent: their correlation would be a dense matrix of the country.
MOST_CORRELATED = 1500
# Pairs times parameter vectors that are worked on at once: what a processor's cache holds.
_PAIRS_AT_ONCE = 100_000


@dataclass(frozen=True)
class Stations:
    """
    How trips of each pair meet stations.

    Attributes
    ----------
    station_ids : tuple of str
        Stations.
    visits : scipy.sparse.csr_array of shape (n_stations, n_pairs)
        Times that a trip of the pair that goes by rail sets foot on the platform.
    rail_log_odds : numpy.ndarray of shape (n_pairs,)
        Log odds of rail as priced; minus infinity without a train, infinite without a road.
    step : float
        Log odds that one step of the rail parameter adds.
    """

    station_ids: tuple[str, ...]
    visits: sparse.csr_array
    rail_log_odds: FloatArray
    step: float

    def rail_share(self, rail: FloatArray | float) -> FloatArray:
        """
        Give the share of trips that go by rail.

        Parameters
        ----------
        rail : float or numpy.ndarray of shape (n_draws, 1)
            Steps by which rail is cheaper.

        Returns
        -------
        numpy.ndarray of shape (..., n_pairs)
            In [0, 1].
        """
        with np.errstate(over="ignore"):
            return np.asarray(1.0 / (1.0 + np.exp(-(self.rail_log_odds + self.step * rail))))

    @property
    def odds_against(self) -> FloatArray:
        """Odds of the road as priced; infinite without a train, 0 without a road."""
        with np.errstate(over="ignore"):
            return np.asarray(np.exp(-self.rail_log_odds))


class Posterior:
    """
    Log density of all parameters and its slope.

    Parameters
    ----------
    ways : Ways
        Pairs of origin and town.
    priors : Priors
        What is believed before evidence.
    sources : iterable of Source
        The evidence; may be empty.
    stations : Stations or None
        Needed by sources of the grain ``station`` or ``platform``.
    log_level : Normal or None
        Prior of the logarithm of all external lines; from `priors.lines_per_million` where None.

    Attributes
    ----------
    blocks : dict of str to slice
        Where each block of parameters stands: ``coefficients``, ``level``, ``origins``, ``towns``, ``rail``, and one a
        source.
    """

    def __init__(
        self,
        ways: Ways,
        priors: Priors,
        sources: Iterable[Source] = (),
        *,
        stations: Stations | None = None,
        log_level: Normal | None = None,
    ) -> None:
        self.ways, self.priors, self.sources, self.stations = ways, priors, tuple(sources), stations
        self.log_level = log_level or Normal(
            float(np.log(priors.lines_per_million * max(ways.residents.sum(), 1.0) / 1e6)), priors.level_sd
        )
        has_own = ways.n_external < len(ways.origin_ids)
        n_strengths = ways.n_external + int(has_own)
        sizes = {"coefficients": 4, "level": 1, "origins": n_strengths, "towns": len(ways.town_ids), "rail": 1}
        sizes |= {source.name: len(source.own) for source in self.sources}
        ends = np.cumsum(list(sizes.values()))
        self.blocks = {name: slice(int(e) - n, int(e)) for (name, n), e in zip(sizes.items(), ends, strict=True)}
        self.n_params = int(ends[-1])
        if any(source.grain in ("station", "platform") for source in self.sources) and stations is None:
            msg = "stations: a source counts there but none are given, expected Stations. Pass them to Posterior."
            raise UsageError(msg)
        self.prior_mean = self._prior_mean(has_own=has_own)
        self.layout = Layout(
            ways,
            self.blocks,
            None if stations is None else stations.visits,
            np.ones(ways.n_pairs) if stations is None else stations.odds_against,
            0.0 if stations is None else stations.step,
            priors.rail_shift.mean,
        )
        sized = [self.blocks[source.name].stop - 1 for source in self.sources if source.has_size]
        self.sizes = np.array(sized, dtype=np.int64)

    def _prior_mean(self, *, has_own: bool) -> FloatArray:
        mean = np.zeros(self.n_params)
        mean[self.blocks["coefficients"]] = [p.mean for p in self.priors.coefficients]
        mean[self.blocks["level"]] = self.log_level.mean
        strengths = self.ways.log_strength[: self.ways.n_external].tolist()
        mean[self.blocks["origins"]] = [*strengths, self.ways.internal_log_odds] if has_own else strengths
        mean[self.blocks["rail"]] = self.priors.rail_shift.mean
        for source in self.sources:
            mean[self.blocks[source.name]] = [p.mean for p in source.own]
        return mean

    @cached_property
    def prior_precision(self) -> FloatArray:
        """Inverse covariance of the prior, of shape (n_params, n_params)."""
        sd = np.ones(self.n_params)
        sd[self.blocks["coefficients"]] = [p.sd for p in self.priors.coefficients]
        sd[self.blocks["level"]] = self.log_level.sd
        sd[self.blocks["origins"]] = self.priors.origin_sd
        sd[self.blocks["rail"]] = self.priors.rail_shift.sd
        for source in self.sources:
            sd[self.blocks[source.name]] = [p.sd for p in source.own]
        precision = np.diag(1.0 / sd**2)
        towns = self.blocks["towns"]
        if self.is_correlated:
            precision[towns, towns] = linalg.inv(self._town_covariance())
        else:
            precision[towns, towns] /= self.priors.town_sd**2
        return precision

    @property
    def is_correlated(self) -> bool:
        """Whether near towns share in their effects."""
        return len(self.ways.town_ids) <= MOST_CORRELATED and self.priors.neighbour_share > 0

    def _town_covariance(self) -> FloatArray:
        shared = self.priors.neighbour_share
        away_m = np.hypot(*(self.ways.positions_m[:, None, :] - self.ways.positions_m[None, :, :]).T)
        covariance = shared * np.exp(-away_m / (1000.0 * self.priors.neighbour_km))
        covariance += (1.0 - shared) * np.eye(len(away_m))
        return np.asarray(covariance * self.priors.town_sd**2)

    @cached_property
    def _prior_log_norm(self) -> float:
        towns, log_each = self.blocks["towns"], np.log(np.diag(self.prior_precision))
        log_det = float(log_each.sum())
        if self.is_correlated:
            log_det += float(np.linalg.slogdet(self.prior_precision[towns, towns])[1] - log_each[towns].sum())
        return 0.5 * (log_det - self.n_params * float(np.log(2 * np.pi)))

    def log_lines(self, theta: FloatArray) -> FloatArray:
        """
        Give the logarithm of the lines of every pair, before the pair's own effect.

        Parameters
        ----------
        theta : numpy.ndarray of shape (..., n_params)
            Parameters.

        Returns
        -------
        numpy.ndarray of shape (..., n_pairs)
            Natural logarithms.
        """
        intensity = Intensity.of(self.layout, np.atleast_2d(theta))
        return np.asarray(intensity.log_pairs(np.arange(self.ways.n_pairs)).T.reshape(*theta.shape[:-1], -1))

    def log_density(self, theta: FloatArray) -> float:
        """
        Give the logarithm of prior times likelihood.

        Parameters
        ----------
        theta : numpy.ndarray of shape (n_params,)
            Parameters.

        Returns
        -------
        float
            With every constant, so that evidence can be compared.
        """
        return float(self.evaluate(theta[None, :])[0][0])

    def slope(self, theta: FloatArray) -> FloatArray:
        """
        Give the slope of the log density.

        Parameters
        ----------
        theta : numpy.ndarray of shape (n_params,)
            Parameters.

        Returns
        -------
        numpy.ndarray of shape (n_params,)
            Exact.
        """
        return np.asarray(self.evaluate(theta[None, :])[1][0])

    def evaluate(self, theta: FloatArray, held: Held | None = None) -> tuple[FloatArray, FloatArray]:
        """
        Give log density and slope at many parameter vectors.

        Parameters
        ----------
        theta : numpy.ndarray of shape (n, n_params)
            Parameter vectors.
        held : numpy.ndarray of shape (n_towns, n_towns) or None
            Where given, towns' effects stand in `theta` with so much of what the network sends added: `held` times the
            logarithm of its lines into each town (`place_towns`). A shear, under which densities stay as they are.

        Returns
        -------
        value : numpy.ndarray of shape (n,)
            Log densities with every constant; minus infinity where a mean leaves the range of numbers.
        slope : numpy.ndarray of shape (n, n_params)
            Exact slopes.
        """
        if not self.sources and held is None:
            about, slope = self._judge_prior(theta)
            return self._prior_log_norm + 0.5 * (about * slope).sum(axis=1), slope
        value, slope = np.empty(len(theta)), np.empty_like(theta)
        at_once = max(_PAIRS_AT_ONCE // max(self.ways.n_pairs, 1), 1)
        with np.errstate(all="ignore"):
            for first in range(0, len(theta), at_once):
                part = slice(first, first + at_once)
                value[part], slope[part] = self._evaluate_part(theta[part], held)
        is_lost = ~(np.isfinite(value) & np.isfinite(slope).all(axis=1))
        value[is_lost], slope[is_lost] = -np.inf, 0.0
        return value, slope

    def place_towns(self, theta: FloatArray, held: Held) -> FloatArray:
        """
        Take what the network sends from towns' effects.

        Parameters
        ----------
        theta : numpy.ndarray of shape (n, n_params)
            As for `evaluate` with `held`.
        held : numpy.ndarray of shape (n_towns, n_towns)
            As for `evaluate`.

        Returns
        -------
        numpy.ndarray of shape (n, n_params)
            Parameter vectors.
        """
        return self._placed(theta, Network(self.layout, theta), held)

    def _placed(self, theta: FloatArray, network: Network, held: Held | None) -> FloatArray:
        if held is None:
            return theta
        placed = theta.copy()
        placed[:, self.blocks["towns"]] -= (held @ network.log_into_towns()).T
        return placed

    def _judge_prior(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Parameters about their means, and the slope of the prior."""
        about = theta - self.prior_mean
        slope = -about * np.diag(self.prior_precision)
        if self.is_correlated:
            towns = self.blocks["towns"]
            slope[:, towns] = -about[:, towns] @ self.prior_precision[towns, towns]
        return about, slope

    def _evaluate_part(self, theta: FloatArray, held: Held | None) -> tuple[FloatArray, FloatArray]:
        network = Network(self.layout, theta)
        theta = self._placed(theta, network, held)
        about, slope = self._judge_prior(theta)
        value = self._prior_log_norm + 0.5 * (about * slope).sum(axis=1)
        intensity = Intensity(network, theta)
        sums = self.sums(intensity)
        by_pair, slopes = None, {grain: np.zeros_like(sum_) for grain, sum_ in sums.items()}
        for source in self.sources:
            block = self.blocks[source.name]
            log_lines = self.log_lines_behind(source, intensity, sums)
            predicted = source.predict(log_lines, theta[:, block])
            judged = source.judge(predicted.log_mean, theta[:, block])
            value += judged.log_likelihood.sum(axis=-1)
            slope[:, block] += np.einsum("bn,bnk->bk", judged.slope, predicted.by_own)
            if source.has_size:
                slope[:, block.stop - 1] += judged.size_slope.sum(axis=-1)
            back = (judged.slope * predicted.by_lines).T
            if source.grain == "pair":
                by_pair = np.zeros_like(intensity.value) if by_pair is None else by_pair
                by_pair[source.rows] += back
            else:
                slopes[source.grain][source.rows] += back / sums[source.grain].take(source.rows, axis=0)
        base, prior = slice(0, self.layout.n_base), slope[:, self.blocks["towns"]].copy()
        slope[:, base] += intensity.carry_back(slopes, by_pair, held, prior)
        return value, slope

    def sums(self, intensity: Intensity) -> dict[str, FloatArray]:
        """Sums at every grain that some source counts at but pairs, which are themselves."""
        grains = dict.fromkeys(source.grain for source in self.sources if source.grain != "pair")
        return {grain: intensity.sums(grain) for grain in grains}

    def log_lines_behind(self, source: Source, intensity: Intensity, sums: dict[str, FloatArray]) -> FloatArray:
        """Logarithm of what is behind each row of a source, of shape (n, n_rows)."""
        if source.grain == "pair":
            # Laid out anew: elementwise work across the grain of memory takes twice the time.
            return np.ascontiguousarray(intensity.log_pairs(source.rows).T)
        return np.asarray(np.log(sums[source.grain].take(source.rows, axis=0)).T)

    def log_behind(self, source: Source, theta: FloatArray) -> FloatArray:
        """
        Give the logarithm of the lines, or platform visits, behind each row of a source.

        Parameters
        ----------
        source : Source
            One of the posterior's own.
        theta : numpy.ndarray of shape (n_params,)
            Parameters.

        Returns
        -------
        numpy.ndarray of shape (n_rows,)
            Natural logarithms.
        """
        intensity = Intensity.of(self.layout, theta[None, :])
        return np.asarray(self.log_lines_behind(source, intensity, self.sums(intensity))[0])

    @property
    def town_sums(self) -> sparse.csr_array:
        """Matrix of shape (n_towns, n_pairs) that sums pairs into towns."""
        return self.layout.by_town

    def names(self) -> list[str]:
        """
        Name every parameter.

        Returns
        -------
        list of str
            In the order of the parameter vector.
        """
        ways, found = self.ways, list(COEFFICIENTS)
        found += ["level", *[f"strength {i}" for i in ways.origin_ids[: ways.n_external]]]
        found += ["strength of own towns"] * (ways.n_external < len(ways.origin_ids))
        found += [f"town {j}" for j in ways.town_ids] + ["rail"]
        return found + [f"{source.name} {k}" for source in self.sources for k in range(len(source.own))]
