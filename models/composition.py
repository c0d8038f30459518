r"""
From draws to scores: every feature, and the points it gives each unit, in all draws at once.

Evidence is drawn by resampling months. With :math:`y^*` the resampled count and :math:`g \sim \Gamma(a, 1)`, the rate
:math:`(y^* + g) / (E + b)` has the mean and the variance of the gamma-Poisson posterior when months are independent
and Poisson, and is wider when months move together; :math:`y^*` alone would leave a station with no event at exactly
zero in every draw, and its rank interval would be too narrow (trust.md D4).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.draws import IndexSettings, Realisations, scored_features
from models.features import FeatureSet
from models.normalisation import NORMALISATIONS, normalise

__all__ = ["measure_features", "measure_reasons", "score_draws"]

FloatArray = NDArray[np.float64]
# Rows scored at a time: bounds memory to about 100 MB at 2,600 stations.
_CHUNK = 250


def score_draws(features: FeatureSet, draws: Realisations, settings: IndexSettings) -> FloatArray:
    """
    Score every unit in every draw.

    Parameters
    ----------
    features : FeatureSet
        What is known.
    draws : Realisations
        What is assumed.
    settings : IndexSettings
        Which features are weighed.

    Returns
    -------
    numpy.ndarray of shape (n_draws, n_units)
        Scores between 0 and 100.
    """
    chunks = [
        measure_reasons(features, draws.take(slice(start, start + _CHUNK)), settings).sum(axis=2)
        for start in range(0, len(draws), _CHUNK)
    ]
    return np.concatenate(chunks)


def measure_reasons(features: FeatureSet, draws: Realisations, settings: IndexSettings) -> FloatArray:
    """
    Measure the points that each feature gives each unit in each draw.

    Parameters
    ----------
    features : FeatureSet
        What is known.
    draws : Realisations
        What is assumed.
    settings : IndexSettings
        Which features are weighed.

    Returns
    -------
    numpy.ndarray of shape (n_draws, n_units, n_features)
        Points that sum to the score.
    """
    used = scored_features(features, settings)
    values = measure_features(features, draws)
    points = np.empty((len(draws), features.n_units, len(used)))
    for m, feature in enumerate(used):
        for code, method in enumerate(NORMALISATIONS):
            rows = draws.normalisation == code
            if rows.any():
                points[rows, :, m] = normalise(feature.direction * values[feature.name][rows], method)
    return np.asarray(100.0 * points * draws.weights[:, None, :])


def measure_features(features: FeatureSet, draws: Realisations) -> dict[str, FloatArray]:
    """
    Measure every scored feature in every draw.

    Parameters
    ----------
    features : FeatureSet
        What is known.
    draws : Realisations
        What is assumed.

    Returns
    -------
    dict of str to numpy.ndarray of shape (n_draws, n_units)
        By feature name; NaN where not known.
    """
    n, units = len(draws), features.n_units
    flow_factor = features.flow_scenarios[draws.scenario] * _part_factor(features, draws)
    values = {
        str(name): np.broadcast_to(column.to_numpy(float), (n, units)).copy() for name, column in features.fixed.items()
    }
    for name in ("courier_flow", "courier_rate"):
        if name in values:
            values[name] = values[name] * flow_factor
    # A sum in a fixed order, without BLAS: the same bytes whatever the number of threads.
    counts = np.einsum("nt,utk->nuk", draws.month_weights, features.evidence.counts, optimize=False)
    counts = np.maximum(counts, 0.0)
    share = draws.unknown_share[:, None]
    demand = counts[..., 0] + share * counts[..., 2]
    enforcement = counts[..., 1] + (1.0 - share) * counts[..., 2]
    total = features.evidence.totals[None, :]
    demand_share = np.where(total > 0, demand / np.where(total > 0, total, 1.0), share)
    values["hotspot_demand_harm"] = features.hotspot_harm[None, :] * demand_share
    months = float(len(features.evidence.months))
    worked = np.ones(units) if features.propensity is None else features.propensity
    shapes = features.prior_shapes
    known = (counts[..., 0] + counts[..., 2], counts[..., 1] + counts[..., 2])
    values["demand_offences"] = _rates(demand, known[0], np.full(units, months), draws.prior_events[..., 0], shapes[0])
    values["enforcement_rate"] = _rates(enforcement, known[1], months * worked, draws.prior_events[..., 1], shapes[1])
    return values


def _rates(counts: FloatArray, known: FloatArray, exposure: FloatArray, events: FloatArray, shape: float) -> FloatArray:
    """
    Counts and prior events over exposure, the prior's own exposure keeping the mean of the draw.

    The prior is that of `known`, which holds offences of unknown provenance whole: reading a smaller part of them as
    demand makes every station's rate smaller, and none of them less certain against another.
    """
    # Finds where no hour is logged are divided by the least exposure that any worked unit has.
    floor = exposure[exposure > 0].min()
    seen = np.where((exposure[None, :] <= 0) & (known > 0), floor, exposure[None, :])
    total = known.sum(axis=1, keepdims=True)
    has_any = total > 0
    part = np.divide(counts.sum(axis=1, keepdims=True), total, out=np.ones_like(total), where=has_any)
    # No event at all: half an event's worth of prior over all the exposure there is, as in `models.shrinkage`.
    prior_exposure = shape * seen.sum(axis=1, keepdims=True) / np.where(has_any, total, 0.5)
    return np.asarray((counts + part * events) / (seen + prior_exposure))


def _part_factor(features: FeatureSet, draws: Realisations) -> FloatArray:
    """Factor on each unit's flow when its towns are weighed anew; 1 where the flow has no parts."""
    if features.flow_parts is None or not features.flow_parts.shape[1]:
        return np.ones((len(draws), features.n_units))
    has_parts = np.diff(features.flow_parts.indptr) > 0
    factor = np.asarray(features.flow_parts @ draws.part_weights.T).T
    return np.where(has_parts[None, :], factor, 1.0)
