r"""
The posterior over lines: prior mean from the corridor model, moved by every source of evidence.

.. math:: \Lambda_{ij} = e^{l + s_i} \, \pi_{ij}(\beta, g, h, r) \, e^{u_j}

with `l` the level, `s_i` the strength of origin `i`, :math:`\pi` of `models.posterior.ways` and `u_j` what makes a town
more exposed than the network says: shared by all evidence, and in part by near towns. A pair's own effect is gamma and
conjugate to the lines known of that pair, so it is integrated out here and drawn afterwards (`models.posterior.fit`).

Every source sees lines through a sum over pairs, so value, slope and expected information are sparse products of one
matrix of derivatives. Departures from `methods.md` 7.14: `u` is correlated over distance, not track; a pair's effect
moves that pair alone and no other evidence; addresses enter as bands.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

from geo.errors import UsageError
from models.posterior.priors import COEFFICIENTS, Normal, Priors
from models.posterior.sources import Source
from models.posterior.ways import Ways

__all__ = ["RAIL_STEP_MIN", "Posterior", "Stations"]

FloatArray = NDArray[np.float64]
# One step of the rail parameter, generalised minutes.
RAIL_STEP_MIN = 30.0
# Towns beyond this number are independent: their correlation would be a dense matrix of the country.
_MOST_CORRELATED = 1500


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


class Posterior:
    """
    Log density of all parameters, its slope, and its expected information.

    Parameters
    ----------
    ways : Ways
        Pairs of origin and town.
    priors : Priors
        What is believed before evidence.
    sources : iterable of Source
        The evidence; may be empty.
    stations : Stations or None
        Needed by sources of the grain ``station``.
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
        self._strength_of = np.minimum(np.arange(len(ways.origin_ids)), n_strengths - 1)
        self._fixed = np.where(np.arange(len(ways.origin_ids)) < ways.n_external, 0.0, ways.log_strength)
        self.prior_mean = self._prior_mean(has_own=has_own)
        self._prepare_sums()

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
        precision[towns, towns] = linalg.inv(self._town_covariance())
        return precision

    def _town_covariance(self) -> FloatArray:
        n = len(self.ways.town_ids)
        shared = self.priors.neighbour_share if n <= _MOST_CORRELATED else 0.0
        covariance = (1.0 - shared) * np.eye(n)
        if shared > 0:
            away_m = np.hypot(*(self.ways.positions_m[:, None, :] - self.ways.positions_m[None, :, :]).T)
            covariance += shared * np.exp(-away_m / (1000.0 * self.priors.neighbour_km))
        return np.asarray(covariance * self.priors.town_sd**2)

    @cached_property
    def _prior_log_norm(self) -> float:
        log_det = 2.0 * float(np.log(np.diag(linalg.cholesky(self.prior_precision, lower=True))).sum())
        return 0.5 * (log_det - self.n_params * float(np.log(2 * np.pi)))

    def _prepare_sums(self) -> None:
        """What each source sums over: the pairs of a town, of an origin, or the visits of a station."""
        ways, n = self.ways, self.ways.n_pairs
        into = np.arange(n)
        ones = np.ones(n)
        self._sums = {
            "town": sparse.csr_array((ones, (ways.town, into)), shape=(len(ways.town_ids), n)),
            "origin": sparse.csr_array((ones, (ways.origin, into)), shape=(len(ways.origin_ids), n)),
        }
        if self.stations is not None:
            self._sums["station"] = self.stations.visits
        if any(source.grain == "station" for source in self.sources) and self.stations is None:
            msg = "stations: a source counts there but none are given, expected Stations. Pass them to Posterior."
            raise UsageError(msg)
        # What each source sums over, and the same turned round to carry slopes back to the pairs.
        self._over = {s.name: self._sums[s.grain][s.rows] for s in self.sources if s.grain != "pair"}
        self._back = {name: sparse.csr_array(over.T) for name, over in self._over.items()}

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
        strength = theta[..., self.blocks["origins"]][..., self._strength_of] + self._fixed
        level = theta[..., self.blocks["level"]]
        return np.asarray(
            self.ways.log_shares(theta[..., self.blocks["coefficients"]])
            + (strength + level)[..., self.ways.origin]
            + theta[..., self.blocks["towns"]][..., self.ways.town]
        )

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
        about = theta - self.prior_mean
        value = self._prior_log_norm - 0.5 * float(about @ self.prior_precision @ about)
        lines = np.exp(self.log_lines(theta))
        for source in self.sources:
            own = theta[self.blocks[source.name]]
            log_sum = np.log(self._sum(source, lines, theta))
            value += float(source.judge(source.predict(log_sum, own).log_mean, own).log_likelihood.sum())
        return value

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
        ways = self.ways
        slope = -self.prior_precision @ (theta - self.prior_mean)
        log_lines = self.log_lines(theta)
        lines = np.exp(log_lines)
        by_pair = np.zeros(ways.n_pairs)
        for source in self.sources:
            own, block = theta[self.blocks[source.name]], self.blocks[source.name]
            sums = self._sum(source, lines, theta)
            predicted = source.predict(np.log(sums), own)
            judged = source.judge(predicted.log_mean, own)
            slope[block] += predicted.by_own.T @ judged.slope
            if source.has_size:
                slope[block.stop - 1] += float(judged.size_slope.sum())
            by_sum = judged.slope * predicted.by_lines / sums
            if source.grain == "pair":
                by_pair[source.rows] += by_sum * lines[source.rows]
                continue
            back = lines * (self._back[source.name] @ by_sum)
            if source.grain == "station":
                rail = self._rail_share(theta)
                slope[self.blocks["rail"]] += self._step() * float((back * rail) @ (1 - rail))
                back = back * rail
            by_pair += back
        share = np.exp(ways.log_shares(theta[self.blocks["coefficients"]]))
        mean = np.add.reduceat(share[:, None] * ways.features, ways.starts, axis=0)[ways.origin]
        slope[self.blocks["coefficients"]] += (ways.features - mean).T @ by_pair
        slope[self.blocks["level"]] += by_pair.sum()
        of_origin = np.bincount(self._strength_of[ways.origin], by_pair, minlength=int(self._strength_of.max()) + 1)
        slope[self.blocks["origins"]] += of_origin
        slope[self.blocks["towns"]] += np.bincount(ways.town, by_pair, minlength=len(ways.town_ids))
        return np.asarray(slope)

    def information(self, theta: FloatArray) -> FloatArray:
        """
        Give the expected information about the parameters.

        Parameters
        ----------
        theta : numpy.ndarray of shape (n_params,)
            Parameters.

        Returns
        -------
        numpy.ndarray of shape (n_params, n_params)
            Fisher's, with the prior's precision: positive definite everywhere. That of a size is the sum of its squared
            slopes.
        """
        information = self.prior_precision.copy()
        lines = np.exp(self.log_lines(theta))
        for source in self.sources:
            sums, jacobian = self._jacobian(source, lines, theta)
            block, own = self.blocks[source.name], theta[self.blocks[source.name]]
            predicted = source.predict(np.log(sums), own)
            judged = source.judge(predicted.log_mean, own)
            weight = judged.information
            rows = jacobian.multiply(predicted.by_lines[:, None]).tocsr()
            weighted = rows.multiply(weight[:, None]).tocsr()
            information += (weighted.T @ rows).toarray()
            cross = weighted.T @ predicted.by_own
            information[:, block] += cross
            information[block, :] += cross.T
            information[block, block] += predicted.by_own.T @ (weight[:, None] * predicted.by_own)
            if source.has_size:
                information[block.stop - 1, block.stop - 1] += float((judged.size_slope**2).sum())
        return information

    def _sum(self, source: Source, lines: FloatArray, theta: FloatArray) -> FloatArray:
        """Lines (or platform visits) behind each row of a source."""
        if source.grain == "pair":
            return lines[source.rows]
        if source.grain == "station":
            lines = lines * self._rail_share(theta)
        return np.asarray(self._over[source.name] @ lines)

    def _jacobian(self, source: Source, lines: FloatArray, theta: FloatArray) -> tuple[FloatArray, sparse.csr_array]:
        """What is behind each row of a source, and the derivative of its logarithm in all parameters."""
        ways = self.ways
        share = np.exp(ways.log_shares(theta[self.blocks["coefficients"]]))
        mean = np.add.reduceat(share[:, None] * ways.features, ways.starts, axis=0)
        if source.grain == "pair":
            return lines[source.rows], self._pair_rows(source.rows, mean)
        over, weight = self._over[source.name], lines
        if source.grain == "station":
            rail = self._rail_share(theta)
            weight = lines * rail
        sums = np.asarray(over @ weight)
        spread = sparse.csr_array(over.multiply((weight)[None, :])).multiply((1.0 / sums)[:, None]).tocsr()
        n_strengths = int(self._strength_of.max()) + 1
        by_origin = sparse.csr_array(spread @ self._sums["origin"].T)
        strengths = np.zeros((len(sums), n_strengths))
        dense = by_origin.toarray()
        np.add.at(strengths.T, self._strength_of, dense.T)
        # Sums of features less each origin's own mean: the second part needs the origins' shares alone.
        coefficients = spread @ ways.features - dense @ mean
        by_rail = np.zeros((len(sums), 1))
        if source.grain == "station":
            by_rail = self._step() * np.asarray(spread @ (1.0 - rail))[:, None]
        own = sparse.csr_array((len(sums), self.n_params - self.blocks["rail"].stop))
        parts = [coefficients, np.ones((len(sums), 1)), strengths, spread @ self._sums["town"].T, by_rail, own]
        return sums, sparse.csr_array(sparse.hstack([sparse.csr_array(part) for part in parts]))

    def _pair_rows(self, rows: NDArray[np.int64], mean: FloatArray) -> sparse.csr_array:
        """Derivative of the logarithm of the lines of single pairs."""
        ways, n = self.ways, len(rows)
        columns = np.column_stack(
            [
                np.tile(np.arange(4), (n, 1)),
                np.full(n, self.blocks["level"].start),
                self.blocks["origins"].start + self._strength_of[ways.origin[rows]],
                self.blocks["towns"].start + ways.town[rows],
            ]
        )
        values = np.column_stack([ways.features[rows] - mean[ways.origin[rows]], np.ones((n, 3))])
        pattern = (values.ravel(), columns.ravel(), np.arange(0, 7 * n + 1, 7))
        return sparse.csr_array(pattern, shape=(n, self.n_params))

    def _rail_share(self, theta: FloatArray) -> FloatArray:
        # Only called for a source that counts at stations, which the constructor refuses without them.
        return np.ones(0) if self.stations is None else self.stations.rail_share(float(theta[self.blocks["rail"]][0]))

    def _step(self) -> float:
        return self.stations.step if self.stations else 0.0

    @property
    def town_sums(self) -> sparse.csr_array:
        """Matrix of shape (n_towns, n_pairs) that sums pairs into towns."""
        return self._sums["town"]

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
