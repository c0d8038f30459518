"""
Emerging hot spots: how each place's Gi* series moves, in seventeen classes.

In: counts by unit and period, and neighbours. Out: a class for each unit with its trend. Neighbours of a unit in a
period are itself and its neighbours in that period and some periods before. Departures from published code (sfdep): a
class of hot spots counts hot periods only, and a historical hot spot is one that is not hot at the end, cold or not.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from geo.errors import InputError, UsageError
from geo.hotspots.neighbour_sums import NeighbourSums, gamma_p, gi_star_z
from geo.hotspots.significance import adjust_false_discovery, two_sided_p

__all__ = ["PATTERNS", "classify_pattern", "measure_emerging", "measure_trend"]

FloatArray = NDArray[np.float64]
FlagArray = NDArray[np.bool_]

_KINDS = (
    "new",
    "consecutive",
    "intensifying",
    "persistent",
    "diminishing",
    "sporadic",
    "oscillating",
    "historical",
)
PATTERNS = (*(f"{kind} hot spot" for kind in _KINDS), *(f"{kind} cold spot" for kind in _KINDS), "no pattern")
# Share of the periods that makes a spot lasting, as in Esri's emerging hot spot analysis.
_LASTING_SHARE = 0.9


def measure_trend(series: FloatArray) -> pd.DataFrame:
    r"""
    Measure the Mann-Kendall trend and Sen's slope of each row.

    :math:`S = \sum_{i<j} \mathrm{sgn}(x_j - x_i)`, :math:`V = [n(n-1)(2n+5) - \sum_g t_g(t_g-1)(2t_g+5)] / 18`,
    :math:`Z = (S - \mathrm{sgn}\, S) / \sqrt V`.

    Parameters
    ----------
    series : numpy.ndarray of shape (n_units, n_periods)
        Values in order of time, finite.

    Returns
    -------
    pandas.DataFrame
        ``s_statistic, variance, trend_z, trend_p, sen_slope`` by position; the slope is per period. A row that does
        not vary has z 0.

    Raises
    ------
    InputError
        If there are fewer than two periods or a value is not finite.

    References
    ----------
    .. [1] Mann, H. B. (1945). "Nonparametric tests against trend." Econometrica 13(3), 245-259.
    .. [2] Sen, P. K. (1968). "Estimates of the regression coefficient based on Kendall's tau." Journal of the American
       Statistical Association 63, 1379-1389.

    Examples
    --------
    >>> measure_trend(np.array([[1.0, 2.0, 3.0, 5.0]]))[["s_statistic", "sen_slope"]].values.tolist()
    [[6.0, 1.1666667]]
    """
    series = np.asarray(series, dtype=float)
    n = series.shape[1]
    if n < 2 or not np.isfinite(series).all():
        msg = f"series: {n} periods, expected at least 2 of finite values. Give more periods or fill what is missing."
        raise InputError(msg)
    earlier, later = np.triu_indices(n, k=1)
    step = series[:, later] - series[:, earlier]
    s = np.sign(step).sum(axis=1)
    n_equal = (series[:, :, None] == series[:, None, :]).sum(axis=2)
    # A group of t equal values has t members, each giving (t - 1)(2t + 5).
    ties = ((n_equal - 1) * (2 * n_equal + 5)).sum(axis=1)
    variance = (n * (n - 1) * (2 * n + 5) - ties) / 18
    z = np.divide(s - np.sign(s), np.sqrt(variance), out=np.zeros(len(series)), where=variance > 0)
    return pd.DataFrame(
        {
            "s_statistic": s,
            "variance": variance,
            "trend_z": z,
            "trend_p": two_sided_p(z),
            "sen_slope": np.median(step / (later - earlier), axis=1),
        }
    )


def classify_pattern(
    is_hot: FlagArray,
    is_cold: FlagArray,
    trend_z: FloatArray,
    trend_p: FloatArray,
    *,
    trend_alpha: float = 0.05,
    is_sporadic_now: bool = False,
) -> NDArray[np.str_]:
    """
    Name the pattern of each unit's hot and cold periods.

    1. new: hot in the last period only. 2. consecutive: hot in one run of at least two that ends now, never before, in
    less than 90 % of periods. 3. intensifying: hot in at least 90 % and now, with a rising trend. 4. persistent:
    the same without a trend. 5. diminishing: the same with a falling trend. 6. sporadic: hot in some and less than
    90 %, never cold. 7. oscillating: hot now, in less than 90 %, and cold before. 8. historical: hot in at least
    90 %, not now. The first that holds is taken, hot before cold; for cold spots a trend further down is the
    rising one.

    Parameters
    ----------
    is_hot, is_cold : numpy.ndarray of shape (n_units, n_periods)
        Significant periods of either sign.
    trend_z, trend_p : numpy.ndarray of shape (n_units,)
        Trend of the z-score series.
    trend_alpha : float, default 0.05
        Level of the trend.
    is_sporadic_now : bool, default False
        Whether a sporadic spot must be hot now.

    Returns
    -------
    numpy.ndarray of shape (n_units,)
        Members of `PATTERNS`.
    """
    pattern = np.full(len(is_hot), "no pattern", dtype=f"<U{max(map(len, PATTERNS))}")
    is_free = np.ones(len(is_hot), dtype=bool)
    for spot, on, off, sign in (("hot", is_hot, is_cold, 1.0), ("cold", is_cold, is_hot, -1.0)):
        is_strong, z = trend_p <= trend_alpha, sign * trend_z
        n_on, is_now = on.sum(axis=1), on[:, -1]
        is_lasting = n_on >= _LASTING_SHARE * on.shape[1]
        run = np.cumprod(on[:, ::-1], axis=1).sum(axis=1)
        rules = {
            "new": is_now & (n_on == 1),
            "consecutive": (run >= 2) & (run == n_on) & ~is_lasting,
            "intensifying": is_lasting & is_now & is_strong & (z > 0),
            "persistent": is_lasting & is_now & ~is_strong,
            "diminishing": is_lasting & is_now & is_strong & (z < 0),
            "sporadic": (n_on > 0) & ~is_lasting & ~off.any(axis=1) & (is_now | (not is_sporadic_now)),
            "oscillating": is_now & ~is_lasting & off[:, :-1].any(axis=1),
            "historical": is_lasting & ~is_now,
        }
        for kind, holds in rules.items():
            pattern[is_free & holds] = f"{kind} {spot} spot"
            is_free &= ~holds
    return pattern


def measure_emerging(
    value: FloatArray,
    neighbours: sparse.csr_array,
    *,
    n_periods_back: int = 1,
    false_discovery_share: float = 0.05,
    trend_alpha: float = 0.05,
    is_sporadic_now: bool = False,
) -> pd.DataFrame:
    """
    Measure how each unit's hot and cold periods emerge.

    Parameters
    ----------
    value : numpy.ndarray of shape (n_units, n_periods)
        Weighted counts in order of time.
    neighbours : scipy.sparse.csr_array of shape (n_units, n_units)
        Binary weights with an empty diagonal.
    n_periods_back : int, default 1
        Periods before that are neighbours too.
    false_discovery_share : float, default 0.05
        Largest expected share of false periods among the significant ones, over all units and periods.
    trend_alpha : float, default 0.05
        Level of the trend.
    is_sporadic_now : bool, default False
        See `classify_pattern`.

    Returns
    -------
    pandas.DataFrame
        ``pattern, n_hot, n_cold, last_z, trend_z, trend_p, sen_slope`` by position of the unit.

    Raises
    ------
    UsageError
        If there are not more periods than are looked back.
    InputError
        If a value is not finite or the shapes differ.
    """
    value = np.asarray(value, dtype=float)
    n_units, n_periods = value.shape
    if neighbours.shape != (n_units, n_units) or not np.isfinite(value).all():
        msg = (
            f"value, neighbours: shapes are {value.shape} and {neighbours.shape}, expected finite values of the same "
            "units. Build both from the same cells."
        )
        raise InputError(msg)
    if not 0 <= n_periods_back < n_periods:
        msg = (
            f"n_periods_back: it is {n_periods_back!r} of {n_periods} periods, expected fewer than there are. "
            "Give more periods."
        )
        raise UsageError(msg)
    around = sparse.csr_array(neighbours + sparse.eye_array(n_units, format="csr"))
    x, sums = _sum_in_cube(value, around, n_periods_back)
    z, scale = gi_star_z(x, sums)
    z_score = z.reshape(value.shape)
    q_value = adjust_false_discovery(gamma_p(x, sums, z, scale)).reshape(value.shape)
    is_significant = q_value <= false_discovery_share
    is_hot, is_cold = is_significant & (z_score > 0), is_significant & (z_score < 0)
    trend = measure_trend(z_score)
    pattern = classify_pattern(
        is_hot,
        is_cold,
        trend["trend_z"].to_numpy(),
        trend["trend_p"].to_numpy(),
        trend_alpha=trend_alpha,
        is_sporadic_now=is_sporadic_now,
    )
    return pd.DataFrame(
        {
            "pattern": pattern,
            "n_hot": is_hot.sum(axis=1),
            "n_cold": is_cold.sum(axis=1),
            "last_z": z_score[:, -1],
            "trend_z": trend["trend_z"],
            "trend_p": trend["trend_p"],
            "sen_slope": trend["sen_slope"],
        }
    )


def _sum_in_cube(value: FloatArray, around: sparse.csr_array, n_periods_back: int) -> tuple[FloatArray, NeighbourSums]:
    """Values and sums over neighbours in space, in the same and in earlier periods, unit by unit."""
    n_periods = value.shape[1]
    in_space = around @ value
    running = np.concatenate([np.zeros((len(value), 1)), np.cumsum(in_space, axis=1)], axis=1)
    last = np.arange(n_periods)
    first = np.maximum(last - n_periods_back, 0)
    lag = (running[:, last + 1] - running[:, first]).ravel()
    # Weights are ones, so their powers are too.
    n_neighbours = np.outer(np.diff(around.indptr), last - first + 1).ravel().astype(float)
    return value.ravel(), NeighbourSums(lag, n_neighbours, n_neighbours, n_neighbours, is_whole=True)
