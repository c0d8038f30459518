"""
Near repeats: whether offences close in space are also close in time (Knox).

In: `geo.tables.OFFENCES` that know their day. Out: a table of ratios by distance and lag. Month-precision dates are
refused: two offences of one month may be 0 or 30 days apart, and two of neighbouring months 1 or 60.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from geo.errors import InputError, UsageError
from geo.hotspots.points import usable_offences

__all__ = ["measure_near_repeats"]


def measure_near_repeats(
    offences: pd.DataFrame,
    *,
    distance_m: Sequence[float],
    lag_days: Sequence[float],
    random_state: int,
    n_permutations: int = 999,
) -> pd.DataFrame:
    """
    Measure the Knox ratio at some distances and lags.

    Parameters
    ----------
    offences : pandas.DataFrame
        Table `geo.tables.OFFENCES` at day or minute precision. Never modified. Custody places and rows without a
        position are left out. The instant is the middle of from and to.
    distance_m : sequence of float
        Pairs count up to each distance, metres.
    lag_days : sequence of float
        Pairs count up to each lag, days.
    random_state : int
        Seed.
    n_permutations : int, default 999
        Replicates in which the times are shuffled over the places.

    Returns
    -------
    pandas.DataFrame
        ``distance_m, lag_days, n_pairs, mean_pairs, ratio, p_value``; p = (1 + as many or more) / (R + 1).

    Raises
    ------
    TableError
        If the table breaks its contract.
    InputError
        If a row knows only its month, or there are fewer than two rows.
    UsageError
        If a distance, a lag or the number of replicates is out of range.

    References
    ----------
    .. [1] Knox, E. G. (1964). "The detection of space-time interactions." Applied Statistics 13(1), 25-29.
    """
    used, _, _ = usable_offences(offences)
    is_month = (used["time_precision"] == "month").to_numpy(dtype=bool) | used["occurred_from_at"].isna().to_numpy()
    if is_month.any():
        msg = (
            f"offences: {int(is_month.sum())} of {len(used)} know only their month, expected the day. Two offences "
            "of one month may be 0 or 30 days apart, so near repeats cannot be seen; use the force's own records."
        )
        raise InputError(msg)
    if len(used) < 2:
        msg = f"offences: {len(used)} are usable, expected at least 2. Widen the period."
        raise InputError(msg)
    if min(distance_m) < 0 or min(lag_days) < 0 or n_permutations < 9:
        msg = (
            f"distance_m {list(distance_m)!r}, lag_days {list(lag_days)!r}, n_permutations {n_permutations!r}: "
            "expected none negative and at least 9 permutations. Mend the options."
        )
        raise UsageError(msg)
    until = used["occurred_to_at"].fillna(used["occurred_from_at"])
    middle = used["occurred_from_at"] + (until - used["occurred_from_at"]) / 2
    day = ((middle - middle.min()) / pd.Timedelta(days=1)).to_numpy(dtype=float)
    at = used[["easting_m", "northing_m"]].to_numpy(dtype=float)
    pairs = cKDTree(at).query_pairs(max(distance_m), output_type="ndarray")
    apart_m = np.hypot(*(at[pairs[:, 0]] - at[pairs[:, 1]]).T)
    # Pairs by the first distance that holds them; counts are then summed upwards.
    limits_m, limits_days = np.sort(np.asarray(distance_m, dtype=float)), np.sort(np.asarray(lag_days, dtype=float))
    ring = np.searchsorted(limits_m, apart_m)

    def count(days: np.ndarray) -> np.ndarray:
        lag = np.searchsorted(limits_days, np.abs(days[pairs[:, 0]] - days[pairs[:, 1]]))
        cells = np.bincount(ring * (len(limits_days) + 1) + lag, minlength=len(limits_m) * (len(limits_days) + 1))
        table: np.ndarray = cells.reshape(len(limits_m), -1)[:, :-1].cumsum(axis=0).cumsum(axis=1)
        return table

    observed = count(day)
    rng = np.random.default_rng(random_state)
    total = np.zeros(observed.shape)
    as_many = np.zeros(observed.shape)
    for _ in range(n_permutations):
        simulated = count(rng.permutation(day))
        total += simulated
        as_many += simulated >= observed
    mean = total / n_permutations
    row, column = np.indices(observed.shape)
    return pd.DataFrame(
        {
            "distance_m": limits_m[row.ravel()],
            "lag_days": limits_days[column.ravel()],
            "n_pairs": observed.ravel(),
            "mean_pairs": mean.ravel(),
            "ratio": np.divide(observed, mean, out=np.full(mean.shape, np.nan), where=mean > 0).ravel(),
            "p_value": ((1 + as_many) / (n_permutations + 1)).ravel(),
        }
    )
