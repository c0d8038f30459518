"""Dates as text to months and instants, by declared format, or a reason why not (trust.md 27-34)."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.sources.sieve import Sieve

__all__ = ["EARLIEST_MONTH", "parse_months", "reject_implausible_months", "this_month"]

# Recorded crime on computers does not reach further back; 1970-01-01 and 1900-01-00 are what software writes for a
# missing date.
EARLIEST_MONTH = pd.Period("1990-01", freq="M")


def this_month() -> pd.Period:
    """
    Give the current month, after which nothing can have happened.

    Returns
    -------
    pandas.Period
        Month in UTC.
    """
    return pd.Period(dt.datetime.now(tz=dt.UTC).strftime("%Y-%m"), freq="M")


def parse_months(values: pd.Series) -> pd.PeriodIndex:
    """
    Parse ``YYYY-MM``, and ISO dates by their month; anything else is null.

    Parameters
    ----------
    values : pandas.Series
        Text.

    Returns
    -------
    pandas.PeriodIndex
        Months, null where the text is no ISO month.

    Examples
    --------
    >>> parse_months(pd.Series(["2025-07", "07/2025"]))
    PeriodIndex(['2025-07', 'NaT'], dtype='period[M]')
    """
    codes, texts = pd.factorize(values.astype("str"))
    iso = pd.Series(texts, dtype="str").str.fullmatch(r"[0-9]{4}-[0-9]{2}(-[0-9]{2})?").to_numpy(dtype=bool)
    dates = pd.to_datetime(pd.Series(texts, dtype="str").where(iso), format="ISO8601", errors="coerce")
    return pd.PeriodIndex(dates.dt.to_period("M"))[codes]


def reject_implausible_months(
    months: pd.PeriodIndex, sieve: Sieve, *, field: str, not_after: pd.Period | None = None, blank_is_fault: bool = True
) -> NDArray[np.bool_]:
    """
    Reject rows whose month is unreadable, in the future, or before 1990.

    Parameters
    ----------
    months : pandas.PeriodIndex
        One for each row.
    sieve : Sieve
        Takes the rejected rows.
    field : str
        The column they came from.
    not_after : pandas.Period or None
        Last month that can be meant; None for the current month.
    blank_is_fault : bool
        Whether a null month is a fault.

    Returns
    -------
    numpy.ndarray of shape (n,)
        Whether each month is known.
    """
    unknown = np.asarray(months.isna())
    if blank_is_fault:
        sieve.reject(unknown, "unreadable_date", field=field)
    sieve.reject(~unknown & np.asarray(months > (not_after or this_month())), "future_date", field=field)
    sieve.reject(~unknown & np.asarray(months < EARLIEST_MONTH), "before_1990", field=field)
    return ~unknown
