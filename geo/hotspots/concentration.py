"""
How concentrated offences are over units, and which units changed.

In: counts by unit. Out: the table behind "80 % of offences in 20 % of places", beside what chance alone would give, and
percent changes with exact significance.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binom, poisson

from geo.errors import UsageError
from geo.hotspots.significance import adjust_false_discovery

__all__ = ["measure_change", "measure_concentration"]

FloatArray = NDArray[np.float64]


def measure_concentration(
    count: NDArray[np.int64], *, offence_share: Sequence[float] = (0.2, 0.25, 0.5, 0.8, 1.0)
) -> pd.DataFrame:
    """
    Measure the smallest share of units that holds each share of the offences.

    Parameters
    ----------
    count : numpy.ndarray of shape (n_units,)
        Offences in each unit.
    offence_share : sequence of float, default (0.2, 0.25, 0.5, 0.8, 1.0)
        Shares of the offences.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``offence_share``: ``n_units, unit_share``, and ``random_unit_share``, the same for offences thrown
        at random. With few offences chance alone leaves most units empty.

    Raises
    ------
    UsageError
        If there is no offence, or a share is outside (0, 1].

    References
    ----------
    .. [1] Weisburd, D. (2015). "The law of crime concentration and the criminology of place." Criminology 53(2),
       133-157.

    Examples
    --------
    >>> measure_concentration(np.array([8, 1, 1, 0, 0]), offence_share=[0.8])[["n_units", "unit_share"]].values.tolist()
    [[1.0, 0.2]]
    """
    shares = np.asarray(offence_share, dtype=float)
    if not count.sum() > 0 or ((shares <= 0) | (shares > 1)).any():
        msg = (
            f"count, offence_share: {int(count.sum())} offences and shares {list(offence_share)!r}, expected some "
            "offences and shares above 0 and up to 1. Mend the options."
        )
        raise UsageError(msg)
    n_units = _units_needed(np.sort(count)[::-1].astype(float), np.ones(len(count)), shares)
    # Expected number of units with k offences, from most to fewest, if all were alike.
    mean = count.sum() / len(count)
    k = np.arange(int(poisson.isf(1e-12, mean)), -1, -1).astype(float)
    chance = _units_needed(k, poisson.pmf(k, mean) * len(count), shares)
    return pd.DataFrame(
        {"n_units": n_units, "unit_share": n_units / len(count), "random_unit_share": chance / len(count)},
        index=pd.Index(shares, name="offence_share"),
    )


def measure_change(
    before: NDArray[np.int64],
    after: NDArray[np.int64],
    *,
    n_periods_before: float = 1.0,
    n_periods_after: float = 1.0,
) -> pd.DataFrame:
    """
    Measure the change of each unit between two periods, with its significance.

    Parameters
    ----------
    before, after : numpy.ndarray of shape (n_units,)
        Offences in each unit.
    n_periods_before, n_periods_after : float, default 1
        Lengths of the two, in the same unit; rates are compared.

    Returns
    -------
    pandas.DataFrame
        ``change_share`` (0.5 for half as many again; NaN from nothing), ``p_value, q_value`` by position. The p-value
        is the exact conditional one: given both together, the later count is binomial. Units without any have
        none.

    Raises
    ------
    UsageError
        If a length is not positive.

    References
    ----------
    .. [1] Przyborowski, J. and Wilenski, H. (1940). "Homogeneity of results in testing samples from Poisson series."
       Biometrika 31, 313-323.
    """
    if not (n_periods_before > 0 and n_periods_after > 0):
        msg = (
            f"n_periods: {n_periods_before!r} before and {n_periods_after!r} after, expected positive lengths. "
            "Give months of each."
        )
        raise UsageError(msg)
    total = before + after
    share = n_periods_after / (n_periods_before + n_periods_after)
    p_value = 2 * np.minimum(binom.cdf(after, total, share), binom.sf(after - 1, total, share))
    p_value = np.where(total > 0, np.minimum(p_value, 1.0), np.nan)
    rate_before, rate_after = before / n_periods_before, after / n_periods_after
    change = np.full(len(before), np.nan)
    np.divide(rate_after - rate_before, rate_before, out=change, where=before > 0)
    return pd.DataFrame({"change_share": change, "p_value": p_value, "q_value": adjust_false_discovery(p_value)})


def _units_needed(value: FloatArray, n_units: FloatArray, shares: FloatArray) -> FloatArray:
    """Units, fullest first, that hold each share of the total; a group of equal units is cut in proportion."""
    held = np.concatenate([[0.0], np.cumsum(value * n_units)])
    used = np.concatenate([[0.0], np.cumsum(n_units)])
    # Empty units hold nothing more: the full share needs only those before them.
    rising = np.append(True, np.diff(held) > 0)
    needed: FloatArray = np.interp(shares * held[-1], held[rising], used[rising])
    return needed
