"""
What the priors imply before any evidence: shares of towns, trips by duration and by rail, drawn from the prior itself.

The prior of the parameters is normal, so its draws are exact and cheap. Beside each figure stands what evidence made of
it, so that an analyst sees which conclusions are the evidence's and which were there before. Effects of single pairs
stand at their mean, as in the network's part of a score.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from models.posterior.estimate import Estimate
from models.posterior.intensity import Intensity
from models.posterior.posterior import Posterior
from models.telling import round_figures

__all__ = ["DURATION_EDGES_MIN", "PriorPredictive", "predict_from_priors"]

FloatArray = NDArray[np.float64]
DURATION_EDGES_MIN = (0.0, 30.0, 60.0, 90.0, 120.0, 180.0, np.inf)
_N_DRAWS = 256
# Pairs times draws: a country is told by fewer draws.
_MOST_VALUES = 4_000_000
_FEWEST_DRAWS = 50
_INTERVAL = (0.05, 0.95)


@dataclass(frozen=True)
class PriorPredictive:
    """
    Figures of trips before any evidence, draw by draw, and with it.

    Attributes
    ----------
    first_town_share : numpy.ndarray of shape (n_draws,)
        Share of all trips that go to the town of most.
    towns_of_half : numpy.ndarray of shape (n_draws,)
        Fewest towns that together get half of all trips.
    rail_share : numpy.ndarray of shape (n_draws,)
        Share of all trips that go by rail.
    duration_share : numpy.ndarray of shape (n_draws, n_bins)
        Share of all trips by minutes from door to door, between `DURATION_EDGES_MIN`.
    first_town_share_after, towns_of_half_after : numpy.ndarray
        The same with the evidence, draw by draw.
    rail_share_after : float
        Mean with the evidence.
    duration_share_after : numpy.ndarray of shape (n_bins,)
        Means with the evidence.
    """

    first_town_share: FloatArray
    towns_of_half: FloatArray
    rail_share: FloatArray
    duration_share: FloatArray
    first_town_share_after: FloatArray
    towns_of_half_after: FloatArray
    rail_share_after: float
    duration_share_after: FloatArray

    def sentences(self) -> list[str]:
        """
        Say what the priors imply, one sentence a figure.

        Returns
        -------
        list of str
            Means with 90 % ranges, before any evidence and with it, to two significant figures.
        """
        hour = int(np.searchsorted(DURATION_EDGES_MIN, 60.0))
        within = self.duration_share[:, :hour].sum(axis=1)
        told = (
            ("The town of most trips gets", _percent(self.first_town_share), _percent(self.first_town_share_after)),
            ("Towns that get half of all trips:", _number(self.towns_of_half), _number(self.towns_of_half_after)),
            ("Trips of up to an hour from door to door:", _percent(within), _part(self.duration_share_after[:hour])),
            ("Trips by rail:", _percent(self.rail_share), _part(self.rail_share_after)),
        )
        return [f"{what} {before} before any evidence, {after} with it." for what, before, after in told]


def predict_from_priors(estimate: Estimate, *, random_state: int) -> PriorPredictive:
    """
    Draw from the prior of an estimate, and lay its figures beside those of the estimate.

    Parameters
    ----------
    estimate : Estimate
        From `models.posterior.estimate.estimate_trips`; with stations.
    random_state : int
        Seed.

    Returns
    -------
    PriorPredictive
        The same for the same arguments.
    """
    base = estimate.posterior
    prior = Posterior(base.ways, base.priors, stations=base.stations, log_level=base.log_level)
    n_draws = int(np.clip(_MOST_VALUES // max(base.ways.n_pairs, 1), _FEWEST_DRAWS, _N_DRAWS))
    intensity = Intensity.of(prior.layout, _draw_parameters(prior, n_draws, random_state))
    share = intensity.value / intensity.value.sum(axis=0)
    towns = np.asarray(prior.layout.by_town @ share).T
    minutes = -base.ways.features[:, 2]
    into = np.searchsorted(DURATION_EDGES_MIN[1:-1], minutes, side="left")
    is_in = into[:, None] == np.arange(len(DURATION_EDGES_MIN) - 1)
    return PriorPredictive(
        first_town_share=towns.max(axis=1),
        towns_of_half=_towns_of_half(towns),
        rail_share=np.asarray((share * intensity.rail).sum(axis=0)),
        duration_share=np.asarray(share.T @ is_in),
        first_town_share_after=estimate.town_share.max(axis=1),
        towns_of_half_after=_towns_of_half(estimate.town_share),
        rail_share_after=float(estimate.pair_rail_share.sum()),
        duration_share_after=np.asarray(estimate.pair_share @ is_in),
    )


def _draw_parameters(prior: Posterior, n_draws: int, random_state: int) -> FloatArray:
    """Draws of the normal prior of the parameters, of shape (n_draws, n_params)."""
    normals = np.random.default_rng(random_state).standard_normal((prior.n_params, n_draws))
    factor = linalg.cholesky(prior.prior_precision, lower=True)
    return np.asarray(prior.prior_mean + linalg.solve_triangular(factor, normals, lower=True, trans="T").T)


def _towns_of_half(towns: FloatArray) -> FloatArray:
    """Fewest towns that hold half, of shape (n_draws,)."""
    held = np.cumsum(-np.sort(-towns, axis=1), axis=1)
    # Of the trips of the towns: rounding must not leave a draw without a half.
    return np.asarray((held < 0.5 * held[:, -1:]).sum(axis=1) + 1, dtype=float)


def _percent(share: FloatArray) -> str:
    low, high = np.quantile(share, _INTERVAL)
    return f"{_figures(100 * share.mean())} % (90 % range {_figures(100 * low)} to {_figures(100 * high)})"


def _part(share: FloatArray | float) -> str:
    return f"{_figures(100 * float(np.sum(share)))} %"


def _number(n: FloatArray) -> str:
    low, high = np.quantile(n, _INTERVAL)
    return f"{np.median(n):.0f} (90 % range {low:.0f} to {high:.0f})"


def _figures(value: float) -> str:
    return f"{float(round_figures(value)):g}"
