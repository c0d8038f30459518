"""
When offences happen: winter against summer, darkness, and the hour of the week where records know a from and a to.

In: `geo.tables.OFFENCES`. Out: small tables. Months are compared by their days; a season is only compared over whole
years, or a growing or falling trend would pass for one.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from geo.errors import InputError, UsageError

__all__ = ["dark_hours_by_month", "measure_hours_of_week", "measure_season", "wall_clock_hours"]

FloatArray = NDArray[np.float64]

HOURS_PER_WEEK = 168
WINTER = (11, 12, 1, 2)
# The sun is down when its upper edge, lifted by refraction, is below the horizon: the convention of almanacs.
_SUNSET_DEG = -0.833


def measure_season(months: pd.PeriodIndex, *, winter: Collection[int] = WINTER, confidence: float = 0.95) -> pd.Series:
    """
    Compare offences a day in winter with the rest of the year.

    Parameters
    ----------
    months : pandas.PeriodIndex
        Month of each offence.
    winter : collection of int, default (11, 12, 1, 2)
        Calendar months of the winter.
    confidence : float, default 0.95
        Level of the interval.

    Returns
    -------
    pandas.Series
        ``rate_ratio, low, high, p_value, dispersion, n_winter, n_rest, n_years``. The variance is that of Poisson
        counts times the dispersion of months within their season (at least 1): months vary more than chance.

    Raises
    ------
    InputError
        If the months do not span whole years, or a season is empty.
    """
    first, last = months.min(), months.max()
    n_months = last.ordinal - first.ordinal + 1 if len(months) else 0
    if n_months < 12 or n_months % 12:
        msg = (
            f"months: they span {n_months}, expected whole years of 12. A season cannot be told from a trend "
            "otherwise; give more months."
        )
        raise InputError(msg)
    every = pd.period_range(first, last, freq="M")
    n = np.bincount(months.asi8 - first.ordinal, minlength=n_months).astype(float)
    days = every.days_in_month.to_numpy(dtype=float)
    is_winter = np.isin(every.month, list(winter))
    count = np.array([n[is_winter].sum(), n[~is_winter].sum()])
    if not count.all():
        msg = f"months: a season holds {count.min():.0f} offences, expected some in both. Choose the winter anew."
        raise InputError(msg)
    exposure = np.array([days[is_winter].sum(), days[~is_winter].sum()])
    rate = count / exposure
    expected = days * np.where(is_winter, rate[0], rate[1])
    dispersion = max(float(((n - expected) ** 2 / expected).sum() / (n_months - 2)), 1.0)
    log_ratio = float(np.log(rate[0] / rate[1]))
    error = float(np.sqrt(dispersion * (1 / count).sum()))
    reach = float(norm.ppf((1 + confidence) / 2)) * error
    return pd.Series(
        {
            "rate_ratio": np.exp(log_ratio),
            "low": np.exp(log_ratio - reach),
            "high": np.exp(log_ratio + reach),
            "p_value": float(2 * norm.sf(abs(log_ratio) / error)),
            "dispersion": dispersion,
            "n_winter": count[0],
            "n_rest": count[1],
            "n_years": n_months / 12,
        }
    )


def dark_hours_by_month(lat_deg: float) -> pd.Series:
    """
    Give the mean hours from sunset to sunrise in each calendar month.

    Parameters
    ----------
    lat_deg : float
        Latitude, degrees north, between the polar circles.

    Returns
    -------
    pandas.Series
        Hours of a day by month 1 to 12, of a year that is not a leap year.

    Raises
    ------
    UsageError
        If the latitude is beyond a polar circle.

    References
    ----------
    .. [1] Spencer, J. W. (1971). "Fourier series representation of the position of the sun." Search 2(5), 172.

    Examples
    --------
    >>> dark_hours_by_month(54.0).round(1).loc[[6, 12]].tolist()
    [7.0, 16.5]
    """
    if not abs(lat_deg) < 65:
        msg = f"lat_deg: it is {lat_deg!r}, expected between -65 and 65. The sun neither rises nor sets beyond."
        raise UsageError(msg)
    turn = 2 * np.pi * np.arange(365) / 365
    declination = (
        0.006918
        - 0.399912 * np.cos(turn)
        + 0.070257 * np.sin(turn)
        - 0.006758 * np.cos(2 * turn)
        + 0.000907 * np.sin(2 * turn)
        - 0.002697 * np.cos(3 * turn)
        + 0.00148 * np.sin(3 * turn)
    )
    lat = np.radians(lat_deg)
    at_sunset = (np.sin(np.radians(_SUNSET_DEG)) - np.sin(lat) * np.sin(declination)) / (
        np.cos(lat) * np.cos(declination)
    )
    light = 24 / np.pi * np.arccos(np.clip(at_sunset, -1, 1))
    month = pd.date_range("2025-01-01", periods=365).month
    dark = pd.Series(24 - light).groupby(np.asarray(month)).mean()
    return dark.rename_axis("month").rename("dark_hours")


def measure_hours_of_week(
    from_at: pd.Series | pd.DatetimeIndex, to_at: pd.Series | pd.DatetimeIndex, *, time_zone: str = "Europe/London"
) -> pd.Series:
    """
    Spread each offence evenly over the time in which it may have happened (aoristic analysis).

    Parameters
    ----------
    from_at, to_at : pandas.Series or pandas.DatetimeIndex of shape (n,)
        Earliest and latest instant, timezone-aware. A null latest instant is the earliest.
    time_zone : str, default "Europe/London"
        Clock by which the hours are named.

    Returns
    -------
    pandas.Series
        Expected offences by ``hour_of_week``, 0 for Monday 00:00-00:59; sums to n.

    Raises
    ------
    InputError
        If an earliest instant is null or after the latest.

    Notes
    -----
    Hours are those of the wall clock, so an interval over a change of the clocks is an hour longer or shorter.

    References
    ----------
    .. [1] Ratcliffe, J. H. (2000). "Aoristic analysis: the spatial interpretation of unspecific temporal events."
       International Journal of Geographical Information Science 14(7), 669-679.
    """
    begin, finish = wall_clock_hours(from_at, to_at, time_zone=time_zone)
    length = finish - begin
    hour = np.arange(HOURS_PER_WEEK)
    total = np.zeros(HOURS_PER_WEEK)
    is_instant = length == 0
    np.add.at(total, np.floor(begin[is_instant]).astype(np.int64) % HOURS_PER_WEEK, 1.0)
    spans = np.flatnonzero(~is_instant)
    # Blocks of offences, so that the table of hours stays small.
    for block in np.array_split(spans, max(1, len(spans) // 20_000)):
        spent = np.subtract(_hours_until(finish[block], hour), _hours_until(begin[block], hour))
        total += (spent / length[block, None]).sum(axis=0)
    return pd.Series(total, index=pd.Index(hour, name="hour_of_week"), name="n_offences")


def wall_clock_hours(
    from_at: pd.Series | pd.DatetimeIndex, to_at: pd.Series | pd.DatetimeIndex, *, time_zone: str = "Europe/London"
) -> tuple[FloatArray, FloatArray]:
    """
    Give the hours on the wall clock since a Monday midnight.

    Parameters
    ----------
    from_at, to_at : pandas.Series or pandas.DatetimeIndex of shape (n,)
        Earliest and latest instant, timezone-aware. A null latest instant is the earliest.
    time_zone : str, default "Europe/London"
        Clock by which the hours are named.

    Returns
    -------
    tuple of numpy.ndarray of shape (n,)
        Of the earliest and of the latest instants; the latter never before the former.

    Raises
    ------
    InputError
        If an earliest instant is null or after the latest.
    """
    start, end = pd.Series(pd.DatetimeIndex(from_at)), pd.Series(pd.DatetimeIndex(to_at))
    end = end.fillna(start)
    is_bad = (start.isna() | (end < start)).to_numpy(dtype=bool)
    if is_bad.any():
        msg = (
            f"from_at, to_at: {int(is_bad.sum())} are null or end before they start, expected from before to. "
            "Leave out what knows only its month."
        )
        raise InputError(msg)
    # Hours on the wall clock since a Monday.
    monday = pd.Timestamp("1970-01-05")
    begin, finish = (
        ((at.dt.tz_convert(time_zone).dt.tz_localize(None) - monday) / pd.Timedelta(hours=1)).to_numpy(dtype=float)
        for at in (start, end)
    )
    begin = begin.astype(np.float64)
    # A change of the clocks may end an interval before it starts.
    finish = np.maximum(finish.astype(np.float64), begin)
    return np.asarray(begin, dtype=np.float64), np.asarray(finish, dtype=np.float64)


def _hours_until(at_hours: NDArray[np.floating[Any]], hour: NDArray[np.int64]) -> FloatArray:
    """Time spent in each hour of the week up to an instant, of shape (n, 168)."""
    weeks = np.floor(at_hours / HOURS_PER_WEEK)
    rest = at_hours - weeks * HOURS_PER_WEEK
    spent: FloatArray = weeks[:, None] + np.clip(rest[:, None] - hour[None, :], 0.0, 1.0)
    return spent
