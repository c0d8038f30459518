"""
Every detector behind one interface: training events and cells in, a score for each cell out.

In: `Events` built from `geo.tables.OFFENCES`, and a `Grid`. A detector sees training events only: the comparison cuts
the time. The default is the one that wins the rolling-origin comparison of ``python -m benchmarks.drug_hotspots``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import gammaln

from geo.hotspots.clusters import label_dbscan
from geo.hotspots.density import smooth_cells
from geo.hotspots.events import Events
from geo.hotspots.grid import Grid
from geo.hotspots.local_statistics import measure_gi_star

__all__ = [
    "DEFAULT_DETECTOR",
    "Detector",
    "score_at_random",
    "score_by_clusters",
    "score_by_counts",
    "score_by_decayed_counts",
    "score_by_density",
    "score_by_gi_star",
    "score_by_related_offences",
    "standard_detectors",
]

FloatArray = NDArray[np.float64]

# Won at every rolling origin on North Yorkshire Drugs, January to September 2025, by mean hit rate over coverages of
# area and of populated cells: ``python -m benchmarks.drug_hotspots``.
DEFAULT_DETECTOR = "related offences"
# ASSUMPTION: share of the offences that is spread over the surroundings, so that a cell without any is not
# held to be without risk; and how far it is spread. Settings.
SPREAD_SHARE = 0.1
SPREAD_M = 400.0


@dataclass(frozen=True)
class Detector:
    """
    A named way to score cells.

    Attributes
    ----------
    name : str
        What tables call it.
    fit : callable
        Takes training `Events` and a `Grid`, gives an array of shape (n_cells,) of finite scores; higher is riskier.
    """

    name: str
    fit: Callable[[Events, Grid], FloatArray]


def standard_detectors(
    *,
    bandwidth_m: float,
    half_life_periods: float,
    eps_m: float,
    min_weight: float,
    spread_share: float = SPREAD_SHARE,
    spread_m: float = SPREAD_M,
) -> tuple[Detector, ...]:
    """
    List every detector, baselines first.

    Parameters
    ----------
    bandwidth_m : float
        Radius of the kernel density, metres.
    half_life_periods : float
        Age at which a decayed event counts half.
    eps_m, min_weight : float
        DBSCAN's reach in metres and least weight.
    spread_share, spread_m : float
        See `score_by_related_offences`.

    Returns
    -------
    tuple of Detector
        Random, prior counts, kernel density, and the others; `DEFAULT_DETECTOR` is among them.
    """
    return (
        Detector("random", score_at_random),
        Detector("prior counts", score_by_counts),
        Detector("kernel density", partial(score_by_density, bandwidth_m=bandwidth_m)),
        Detector("decayed counts", partial(score_by_decayed_counts, half_life_periods=half_life_periods)),
        Detector("Gi*", score_by_gi_star),
        Detector("DBSCAN clusters", partial(score_by_clusters, eps_m=eps_m, min_weight=min_weight)),
        Detector("related offences", partial(score_by_related_offences, spread_share=spread_share, spread_m=spread_m)),
    )


def score_at_random(events: Events, grid: Grid) -> FloatArray:  # noqa: ARG001 - the interface is shared
    """
    Score all cells alike: the floor, because ties are entered in proportion.

    Parameters
    ----------
    events : Events
        Not looked at.
    grid : Grid
        The cells.

    Returns
    -------
    numpy.ndarray of shape (n_cells,)
        Zeros, whose expected hit rate is that of choosing at random.
    """
    return np.zeros(len(grid))


def score_by_counts(events: Events, grid: Grid) -> FloatArray:
    """
    Score a cell by its targets so far: the baseline to beat.

    Parameters
    ----------
    events : Events
        Training events.
    grid : Grid
        The cells.

    Returns
    -------
    numpy.ndarray of shape (n_cells,)
        Sums of weights.
    """
    return events.sum_targets(grid)


def score_by_decayed_counts(events: Events, grid: Grid, *, half_life_periods: float) -> FloatArray:
    """
    Score a cell by its targets so far, old ones counting less.

    Parameters
    ----------
    events : Events
        Training events; the last period is the present.
    grid : Grid
        The cells.
    half_life_periods : float
        Age at which a target counts half.

    Returns
    -------
    numpy.ndarray of shape (n_cells,)
        Sums of decayed weights.
    """
    age = events.period.max(initial=0) - events.period
    return events.sum_targets(grid, factor=np.exp2(-age / half_life_periods))


def score_by_density(events: Events, grid: Grid, *, bandwidth_m: float) -> FloatArray:
    """
    Score a cell by the kernel density of targets.

    Parameters
    ----------
    events : Events
        Training events.
    grid : Grid
        The cells.
    bandwidth_m : float
        Radius of the quartic kernel, metres.

    Returns
    -------
    numpy.ndarray of shape (n_cells,)
        Smoothed sums of weights.
    """
    return smooth_cells(events.sum_targets(grid), grid, bandwidth_m=bandwidth_m)


def score_by_gi_star(events: Events, grid: Grid) -> FloatArray:
    """
    Score a cell by the z-score of Gi* over touching cells.

    Parameters
    ----------
    events : Events
        Training events.
    grid : Grid
        The cells.

    Returns
    -------
    numpy.ndarray of shape (n_cells,)
        The z-scores.
    """
    local = measure_gi_star(events.sum_targets(grid), grid.build_neighbours(), p_basis="normal")
    return local["z_score"].to_numpy(dtype=float)


def score_by_clusters(events: Events, grid: Grid, *, eps_m: float, min_weight: float) -> FloatArray:
    """
    Score a cell by the targets in it that DBSCAN puts in a cluster.

    Parameters
    ----------
    events : Events
        Training events.
    grid : Grid
        The cells.
    eps_m : float
        Reach, metres.
    min_weight : float
        Least weight within reach of a core point.

    Returns
    -------
    numpy.ndarray of shape (n_cells,)
        Sums of weights.
    """
    target = events.choose(events.is_target)
    at, point = np.unique(np.column_stack([target.easting_m, target.northing_m]), axis=0, return_inverse=True)
    weight = np.bincount(point.reshape(-1), weights=target.weight, minlength=len(at)).astype(float)
    inside = label_dbscan(at, weight, eps_m=eps_m, min_weight=min_weight) >= 0
    return grid.sum_weights(at[inside, 0], at[inside, 1], weight[inside])


def score_by_related_offences(
    events: Events, grid: Grid, *, spread_share: float = SPREAD_SHARE, spread_m: float = SPREAD_M
) -> FloatArray:
    r"""
    Score a cell by its targets so far, drawn towards what its other offences would lead one to expect.

    The expected targets :math:`\mu_i` are in proportion to the other offences. A cell's own rate relative to that is
    gamma distributed with mean 1 and shape :math:`k`, so its :math:`n_i` targets are negative binomial, :math:`k`
    maximises their likelihood over the training events, and the score is the posterior mean
    :math:`\mu_i (n_i + k) / (\mu_i + k)`.

    Parameters
    ----------
    events : Events
        Training events. Without context, the targets themselves are smoothed to stand in for it.
    grid : Grid
        The cells.
    spread_share : float, default 0.1
        Weight of the smoothed context and targets added to the context, so that no cell near offences expects none.
    spread_m : float, default 400
        Radius over which it is smoothed, metres.

    Returns
    -------
    numpy.ndarray of shape (n_cells,)
        Expected targets in a period as long as the training.

    Notes
    -----
    The shrinkage is the gamma-Poisson of Clayton and Kaldor (1987) [1]_, with other offences where they have expected
    deaths. Targets are few in most cells, other offences some thirty times as many: that is where the gain is.

    References
    ----------
    .. [1] Clayton, D. and Kaldor, J. (1987). "Empirical Bayes estimates of age-standardized relative risks for use in
       disease mapping." Biometrics 43(3), 671-681.
    """
    target = events.sum_targets(grid)
    context = events.count_context(grid)
    if not context.any():
        context = target
    if not target.sum() > 0:
        return target
    # Both kinds are spread, each to the same total, so that neither the many nor the few decide alone.
    both = context + target * (context.sum() / target.sum())
    expected = context + spread_share * smooth_cells(both, grid, bandwidth_m=spread_m)
    # A target where no offence of any kind is near would have no expectation: give it that of one spread offence.
    expected = np.where((expected <= 0) & (target > 0), spread_share, expected)
    expected = expected * (target.sum() / expected.sum())
    shape = _most_likely_shape(target, expected)
    score: FloatArray = expected * (target + shape) / (expected + shape)
    return score


def _most_likely_shape(target: FloatArray, expected: FloatArray) -> float:
    """Gamma shape at which negative binomial counts are likeliest."""
    known = expected > 0
    n, mean = target[known], expected[known]

    def surprise(log_shape: float) -> float:
        shape = np.exp(log_shape)
        return -float(
            (
                gammaln(n + shape) - gammaln(shape) - shape * np.log1p(mean / shape) + n * np.log(mean / (shape + mean))
            ).sum()
        )

    return float(np.exp(minimize_scalar(surprise, bounds=(-5.0, 8.0), method="bounded").x))
