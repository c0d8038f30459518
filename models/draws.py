"""
Draws of everything that is uncertain in a score: months, towns, weights and assumptions varied together.

A `Realisations` holds one row a draw; `models.composition` turns rows into scores. The base score is the same function
on one row with nothing varied, so a rank and its interval cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geo.errors import UsageError
from models.dictionary import Feature
from models.features import FeatureSet
from models.index import ENFORCEMENT_CAP, cap_weights
from models.normalisation import NORMALISATIONS

__all__ = [
    "FACTORS",
    "IndexSettings",
    "Realisations",
    "base_realisation",
    "draw_realisations",
    "scored_features",
]

FloatArray = NDArray[np.float64]

FACTORS = ("weights", "normalisation", "unknown_provenance", "months", "towns", "flow_assumptions")


@dataclass(frozen=True)
class IndexSettings:
    """
    How the index is put together and how far each choice is varied.

    Attributes
    ----------
    weights : mapping of str to float or None
        Weight of each scored feature; the dictionary's where None.
    normalisation : str
        One of `models.normalisation.NORMALISATIONS`.
    weight_spread : float
        Each weight is multiplied by a factor uniform within this share of one. ASSUMPTION, after trust.md D5.
    vary : tuple of str
        Which of `FACTORS` are varied.
    enforcement_cap : float
        Largest share of the weight that enforcement-led features hold.
    """

    weights: Mapping[str, float] | None = None
    normalisation: str = "percentile"
    weight_spread: float = 0.25
    vary: tuple[str, ...] = FACTORS
    enforcement_cap: float = ENFORCEMENT_CAP


@dataclass(frozen=True)
class Realisations:
    """
    One row a draw of everything that is uncertain.

    Attributes
    ----------
    weights : numpy.ndarray of shape (n_draws, n_features)
        Weights that sum to one.
    normalisation : numpy.ndarray of shape (n_draws,)
        Positions in `models.normalisation.NORMALISATIONS`.
    unknown_share : numpy.ndarray of shape (n_draws,)
        Share of unknown provenance read as demand.
    month_weights : numpy.ndarray of shape (n_draws, n_months)
        How often each month is drawn.
    prior_events : numpy.ndarray of shape (n_draws, n_units, 2)
        Gamma draws for demand and enforcement.
    part_weights : numpy.ndarray of shape (n_draws, n_parts)
        Weight of each town or origin in the flow.
    scenario : numpy.ndarray of shape (n_draws,)
        Row of `FeatureSet.flow_scenarios`.
    """

    weights: FloatArray
    normalisation: NDArray[np.int64]
    unknown_share: FloatArray
    month_weights: FloatArray
    prior_events: FloatArray
    part_weights: FloatArray
    scenario: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.weights)

    def take(self, rows: slice) -> Realisations:
        """
        Give some of the draws.

        Parameters
        ----------
        rows : slice
            Which.

        Returns
        -------
        Realisations
            Those rows of every array.
        """
        return Realisations(**{name: values[rows] for name, values in vars(self).items()})

    def with_factor(self, factor: str, other: Realisations) -> Realisations:
        """
        Take one factor from other draws and keep the rest.

        Parameters
        ----------
        factor : str
            One of `FACTORS`.
        other : Realisations
            As many draws.

        Returns
        -------
        Realisations
            A mixture, row by row.
        """
        return replace(self, **{name: getattr(other, name) for name in _FIELDS[factor]})


_FIELDS = {
    "weights": ("weights",),
    "normalisation": ("normalisation",),
    "unknown_provenance": ("unknown_share",),
    "months": ("month_weights", "prior_events"),
    "towns": ("part_weights",),
    "flow_assumptions": ("scenario",),
}


def scored_features(features: FeatureSet, settings: IndexSettings) -> tuple[Feature, ...]:
    """
    List the features that enter the score: weighed, known for some unit, and enforcement only with a log.

    Parameters
    ----------
    features : FeatureSet
        What is known.
    settings : IndexSettings
        The weights.

    Returns
    -------
    tuple of Feature
        In the dictionary's order.

    Raises
    ------
    UsageError
        If a weight names no feature, is negative, or none is left.
    """
    weights = _weights(features, settings)
    kept = []
    for feature in features.dictionary.scored:
        unknown = feature.name in features.fixed and features.fixed[feature.name].isna().all()
        unlogged = feature.led == "enforcement" and features.propensity is None
        if weights[feature.name] > 0 and not unknown and not unlogged:
            kept.append(feature)
    if not kept:
        msg = "weights: no weighed feature is known for any unit, expected at least one. Weigh another feature."
        raise UsageError(msg)
    return tuple(kept)


def base_realisation(features: FeatureSet, settings: IndexSettings) -> Realisations:
    """
    Give the one draw in which nothing is varied.

    Parameters
    ----------
    features : FeatureSet
        What is known.
    settings : IndexSettings
        The weights.

    Returns
    -------
    Realisations
        One row.

    Raises
    ------
    UsageError
        If the normalisation is not known.
    """
    if settings.normalisation not in NORMALISATIONS:
        msg = (
            f"normalisation: it is {settings.normalisation!r}, expected one of {', '.join(NORMALISATIONS)}. "
            "Name one of them."
        )
        raise UsageError(msg)
    used = scored_features(features, settings)
    weights = _weights(features, settings)
    return Realisations(
        weights=_capped(np.array([[weights[feature.name] for feature in used]]), used, settings),
        normalisation=np.array([NORMALISATIONS.index(settings.normalisation)]),
        unknown_share=np.array([features.unknown_as_demand_share]),
        month_weights=np.ones((1, len(features.evidence.months))),
        prior_events=np.broadcast_to(np.array(features.prior_shapes), (1, features.n_units, 2)).copy(),
        part_weights=np.ones((1, 0 if features.flow_parts is None else features.flow_parts.shape[1])),
        scenario=np.zeros(1, dtype=np.int64),
    )


def draw_realisations(
    features: FeatureSet, settings: IndexSettings, *, n_draws: int, random_state: int
) -> Realisations:
    """
    Draw everything that is uncertain.

    Parameters
    ----------
    features : FeatureSet
        What is known.
    settings : IndexSettings
        The weights, and which factors are varied.
    n_draws : int
        How many.
    random_state : int
        Seed. Each factor has its own stream, so leaving one out does not change the others.

    Returns
    -------
    Realisations
        `n_draws` rows.
    """
    base = base_realisation(features, settings)
    used = scored_features(features, settings)
    streams = dict(zip(FACTORS, np.random.SeedSequence(random_state).spawn(len(FACTORS)), strict=True))
    rng = {factor: np.random.default_rng(stream) for factor, stream in streams.items()}
    spread = rng["weights"].uniform(1 - settings.weight_spread, 1 + settings.weight_spread, (n_draws, len(used)))
    n_parts = base.part_weights.shape[1]
    # Rubin's Bayesian bootstrap: smooth, and no town is ever certain to be left out.
    towns = rng["towns"].exponential(size=(n_draws, n_parts))
    drawn = Realisations(
        weights=_capped(base.weights * spread, used, settings),
        normalisation=rng["normalisation"].integers(0, len(NORMALISATIONS), n_draws),
        unknown_share=rng["unknown_provenance"].uniform(size=n_draws),
        month_weights=_draw_months(rng["months"], n_draws, len(features.evidence.months)),
        prior_events=rng["months"].standard_gamma(np.broadcast_to(base.prior_events, (n_draws, features.n_units, 2))),
        part_weights=towns / towns.mean(axis=1, keepdims=True) if n_parts else towns,
        scenario=rng["flow_assumptions"].integers(0, len(features.flow_scenarios), n_draws),
    )
    fixed = Realisations(**{name: np.repeat(values, n_draws, axis=0) for name, values in vars(base).items()})
    for factor in FACTORS:
        if factor not in settings.vary:
            drawn = drawn.with_factor(factor, fixed)
    return drawn


def _draw_months(rng: np.random.Generator, n_draws: int, n_months: int) -> FloatArray:
    """How often each month is drawn, with the variance that resampling few months loses put back."""
    if n_months < 2:
        return np.ones((n_draws, n_months))
    times = rng.multinomial(n_months, np.full(n_months, 1.0 / n_months), size=n_draws).astype(float)
    return np.asarray(1.0 + (times - 1.0) * np.sqrt(n_months / (n_months - 1.0)))


def _weights(features: FeatureSet, settings: IndexSettings) -> dict[str, float]:
    """A weight for every scored feature."""
    default = {feature.name: feature.weight for feature in features.dictionary.scored}
    if not settings.weights:
        return default
    odd = sorted(set(settings.weights) - set(default))
    low = sorted(name for name, weight in settings.weights.items() if not weight >= 0)
    if odd or low:
        fault = f"{odd[0]!r} is not a scored feature" if odd else f"{low[0]!r} is {settings.weights[low[0]]}"
        msg = (
            f"weights: {fault}, expected non-negative weights of {', '.join(default)}. Mend scores.station_weights or "
            "scores.place_weights."
        )
        raise UsageError(msg)
    return {name: float(settings.weights.get(name, 0.0)) for name in default}


def _capped(weights: FloatArray, used: tuple[Feature, ...], settings: IndexSettings) -> FloatArray:
    """The weights of the used features, capped and summing to one."""
    led = np.array([feature.led == "enforcement" for feature in used])
    return cap_weights(weights, led, cap=settings.enforcement_cap)
