"""
What the posterior says of trips: shares of towns, stations and pairs, draw by draw, and their means.

A share is of all courier trips into or within the force, so that it hangs on no assumption about the level: how many
lines are not known, and how often a line is restocked. Trips a month are given apart, with the level's own spread.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from models.posterior.fit import Mode, find_mode
from models.posterior.intensity import Intensity
from models.posterior.posterior import MOST_CORRELATED, Posterior, Stations
from models.posterior.priors import Normal, Priors
from models.posterior.sampler import Draws, draw_posterior
from models.posterior.sources import Source, TownCounts
from models.posterior.ways import Ways
from models.threads import one_thread

__all__ = ["Estimate", "estimate_trips", "share_draws"]

FloatArray = NDArray[np.float64]
# Pairs times draws that are worked on at once.
_PAIRS_AT_ONCE = 400_000
# Draws by pair are for the plan of a force.
_MOST_KEPT = 200
_MOST_KEPT_PAIRS = 50_000
# A component of less weight is not drawn from.
_LEAST_WEIGHT = 0.005


@dataclass(frozen=True)
class Estimate:
    """
    Posterior of trips.

    Attributes
    ----------
    town_share : numpy.ndarray of shape (n_draws, n_towns)
        Share of all trips that go into each town.
    town_rail_share : numpy.ndarray of shape (n_draws, n_towns)
        Share of all trips that go into each town by rail, at most `town_share`.
    station_share : numpy.ndarray of shape (n_draws, n_stations)
        Visits to each station's platforms for each trip.
    pair_share, pair_rail_share : numpy.ndarray of shape (n_pairs,)
        Mean share of each pair among all trips, and of its trips by rail among all trips.
    lines : numpy.ndarray of shape (n_draws,)
        Lines into or within the force.
    trips_per_line : numpy.ndarray of shape (n_draws,)
        Trips of a line in a month.
    detection : numpy.ndarray of shape (n_draws,)
        Chance that a team notices a courier who passes it: its prior, but that finds hold its product with the trips.
    pair_rail_draws : numpy.ndarray of shape (n_kept, n_pairs)
        Share of all trips that each pair's trips by rail are, in the first draws; none are kept of a country's pairs.
    r_hat : float
        Largest split R-hat of any parameter in any of the components drawn from: 1 where the chains agree.
    n_effective : float
        Independent draws that the draws are worth, for the parameters that mix worst.
    is_settled : bool
        Whether the chains of every component agree; intervals rest on draws that do not where this is not so.
    factors : dict of float to float
        Posterior weight of each factor on the exponents of counts.
    posterior : Posterior
        The likeliest component.
    mode : Mode
        Its mode.
    """

    town_share: FloatArray
    town_rail_share: FloatArray
    station_share: FloatArray
    pair_share: FloatArray
    pair_rail_share: FloatArray
    lines: FloatArray
    trips_per_line: FloatArray
    detection: FloatArray
    pair_rail_draws: NDArray[np.float32]
    r_hat: float
    n_effective: float
    is_settled: bool
    factors: dict[float, float]
    posterior: Posterior
    mode: Mode

    @property
    def trips_per_month(self) -> FloatArray:
        """Trips into or within the force in a month, by draw."""
        return self.lines * self.trips_per_line


@one_thread()
def estimate_trips(
    ways: Ways,
    priors: Priors,
    sources: tuple[Source, ...],
    stations: Stations,
    *,
    n_draws: int,
    random_state: int,
    trips_per_line_per_month: float,
    log_level: Normal | None = None,
) -> Estimate:
    """
    Fit the model and draw trips from it.

    Parameters
    ----------
    ways : Ways
        Pairs.
    priors : Priors
        What is believed before evidence.
    sources : tuple of Source
        The evidence; empty gives the prior.
    stations : Stations
        How trips meet stations.
    n_draws : int
        Draws.
    random_state : int
        Seed.
    trips_per_line_per_month : float
        Middle of the prior of trips a line.
    log_level : Normal or None
        As for `models.posterior.posterior.Posterior`.

    Returns
    -------
    Estimate
        The same for the same arguments.

    Raises
    ------
    ModelGateError
        If no mode is found.
    """
    parts: list[tuple[float, Posterior, Mode, float]] = []
    start = None
    for factor, prior_weight in _factors(priors, sources, len(ways.town_ids)):
        scaled = tuple(_scaled(source, factor) for source in sources)
        posterior = Posterior(ways, priors, scaled, stations=stations, log_level=log_level)
        mode = find_mode(posterior, start=start)
        start = mode.theta
        parts.append((factor, posterior, mode, mode.log_evidence + float(np.log(prior_weight))))
    log_weight = np.array([part[3] for part in parts])
    weight = np.exp(log_weight - np.logaddexp.reduce(log_weight))
    order = np.random.default_rng(random_state).permutation(n_draws)
    is_kept, n_done = np.isin(np.arange(n_draws), order[: _MOST_KEPT if ways.n_pairs <= _MOST_KEPT_PAIRS else 0]), 0
    kept: list[NDArray[np.float32]] = []
    drawn: list[tuple[Posterior, Draws]] = []
    shares: list[_Shares] = []
    rng = np.random.default_rng(random_state)
    for (_, posterior, mode, _), n in zip(parts, _allot(weight, n_draws), strict=True):
        if n:
            draws = draw_posterior(posterior, n_draws=n, random_state=random_state, mode=mode)
            draws = replace(draws, theta=_spread_rail(posterior, draws.theta, rng))
            drawn.append((posterior, draws))
            for chunk in share_draws(posterior, draws.theta, rng):
                kept.append(chunk.rail[:, is_kept[n_done : n_done + len(chunk.lines)]].T.astype(np.float32))
                n_done += len(chunk.lines)
                shares.append(replace(chunk, rail=np.empty(0)))
    best = int(np.argmax(weight))
    trips_per_line, detection = _level(drawn, priors, trips_per_line_per_month, rng)
    # Kept draws stand in the order drawn; they are put in the order given.
    place = np.argsort(np.argsort(order[: int(is_kept.sum())]))
    return Estimate(
        town_share=np.concatenate([s.town for s in shares])[order],
        town_rail_share=np.concatenate([s.town_rail for s in shares])[order],
        station_share=np.concatenate([s.station for s in shares])[order],
        pair_share=np.sum([s.pair_sum for s in shares], axis=0) / n_draws,
        pair_rail_share=np.sum([s.pair_rail_sum for s in shares], axis=0) / n_draws,
        lines=np.concatenate([s.lines for s in shares])[order],
        trips_per_line=trips_per_line[order],
        detection=detection[order],
        pair_rail_draws=np.concatenate(kept)[place],
        r_hat=float(np.max([d.r_hat for _, d in drawn])),
        n_effective=sum(d.n_effective for _, d in drawn),
        is_settled=all(d.is_settled for _, d in drawn),
        factors={part[0]: float(w) for part, w in zip(parts, weight, strict=True)},
        posterior=parts[best][1],
        mode=parts[best][2],
    )


def _spread_rail(posterior: Posterior, theta: FloatArray, rng: np.random.Generator) -> FloatArray:
    """
    Draws in which the rail share is spread evenly over its prior, where no source tells of it.

    It is then independent of all else, and its prior is exact. By chance alone the mean of a station's share would move
    by more from one fit to the next than a shift without a find moves it.
    """
    if any(source.grain == "station" for source in posterior.sources):
        return theta
    n, prior = len(theta), posterior.priors.rail_shift
    spread = theta.copy()
    spread[:, posterior.blocks["rail"]] = (
        prior.mean + prior.sd * rng.permutation(ndtri((np.arange(n) + 0.5) / n))[:, None]
    )
    return spread


@dataclass(frozen=True)
class _Shares:
    """Shares of some draws, and sums over them by pair."""

    town: FloatArray
    town_rail: FloatArray
    station: FloatArray
    lines: FloatArray
    pair_sum: FloatArray
    pair_rail_sum: FloatArray
    rail: FloatArray


def share_draws(posterior: Posterior, theta: FloatArray, rng: np.random.Generator | None) -> Iterator[_Shares]:
    """
    Turn parameters into shares of trips, a chunk at a time.

    Parameters
    ----------
    posterior : Posterior
        What `theta` was drawn from; with stations.
    theta : numpy.ndarray of shape (n, n_params)
        Draws.
    rng : numpy.random.Generator or None
        For the effects of single pairs, which are gamma given the lines known of the pair; None takes their means.

    Yields
    ------
    _Shares
        Shares of each chunk.
    """
    ways, stations, layout = posterior.ways, posterior.stations, posterior.layout
    pairs = next((source for source in posterior.sources if source.grain == "pair"), None)
    at_once = max(_PAIRS_AT_ONCE // max(ways.n_pairs, 1), 1)
    for first in range(0, len(theta), at_once):
        chunk = theta[first : first + at_once]
        intensity = Intensity.of(layout, chunk)
        lines = intensity.value
        if pairs is not None:
            shape = np.full(ways.n_pairs, posterior.priors.pair_shape, dtype=float)
            shape[pairs.rows] += pairs.low
            seen = np.zeros(ways.n_pairs)
            seen[pairs.rows] = 1.0
            share = np.exp(chunk[:, posterior.blocks[pairs.name].start])
            rate = posterior.priors.pair_shape + lines * seen[:, None] * share
            drawn = shape[:, None] if rng is None else rng.standard_gamma(shape, (len(chunk), len(shape))).T
            lines = lines * drawn / rate
        total = lines.sum(axis=0)
        share = lines / total
        rail = share if stations is None else share * intensity.rail
        yield _Shares(
            np.asarray(layout.by_town @ share).T,
            np.asarray(layout.by_town @ rail).T,
            np.asarray(layout.visits @ rail).T,
            total,
            share.sum(axis=1),
            rail.sum(axis=1),
            rail,
        )


def _factors(priors: Priors, sources: tuple[Source, ...], n_towns: int) -> tuple[tuple[float, float], ...]:
    """Factors on exponents with their prior weights; one where no source has such an exponent, and for a country."""
    has_exponent = any(isinstance(s, TownCounts) for s in sources)
    return priors.exponent_factors if has_exponent and n_towns <= MOST_CORRELATED else ((1.0, 1.0),)


def _scaled(source: Source, factor: float) -> Source:
    return replace(source, exponent=source.exponent * factor) if isinstance(source, TownCounts) else source


def _allot(weight: FloatArray, n: int) -> NDArray[np.int64]:
    """Draws for each component by largest remainders, none for one of next to no weight."""
    kept = np.where(weight >= _LEAST_WEIGHT, weight, 0.0)
    exact = n * kept / kept.sum()
    whole = np.floor(exact).astype(np.int64)
    whole[np.argsort(-(exact - whole), kind="stable")[: n - whole.sum()]] += 1
    return np.asarray(whole, dtype=np.int64)


def _level(
    drawn: list[tuple[Posterior, Draws]], priors: Priors, middle: float, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Trips a line and the chance of a find: their priors, or what finds leave of them, given their product."""
    trips, products = [], []
    for posterior, draws in drawn:
        n = len(draws.theta)
        mean, sd = np.full(n, np.log(middle)), priors.trips_per_line_sd
        if "finds" in posterior.blocks:
            variance, other = priors.trips_per_line_sd**2, priors.detection.sd**2
            product = draws.theta[:, posterior.blocks["finds"].start]
            mean = mean + variance / (variance + other) * (product - priors.detection.mean - np.log(middle))
            sd = float(np.sqrt(variance * other / (variance + other)))
            products.append(product)
        else:
            products.append(np.full(n, np.nan))
        trips.append(np.exp(mean + sd * rng.standard_normal(n)))
    per_line, product = np.concatenate(trips), np.concatenate(products)
    free = np.exp(priors.detection.mean + priors.detection.sd * rng.standard_normal(len(product)))
    detection = np.where(np.isnan(product), free, np.exp(product) / per_line)
    return per_line, np.minimum(detection, 1.0)
