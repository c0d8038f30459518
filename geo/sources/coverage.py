"""
Which months a force published, and which it did not while others did.

An empty month of one force is no month without crime: British Transport Police's files may stop while those of a
territorial force go on, and a total over both hides it.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

__all__ = ["describe_coverage", "list_missing", "measure_coverage", "measure_published"]

_COLUMNS = ["force", "first_month", "last_month", "n_months", "missing_months"]


def measure_published(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """
    Count the rows that each force published in each month.

    Parameters
    ----------
    tables : sequence of pandas.DataFrame
        One for each file: ``force`` and ``month`` as text, and ``is_near``, whether the row is in the force area.

    Returns
    -------
    pandas.DataFrame
        ``force, month, n_rows``, ordered, of the forces with a row in the force area.
    """
    columns = ["force", "month", "is_near"]
    counted = [table.value_counts(columns, sort=False).reset_index() for table in tables if len(table)]
    if not counted:
        return pd.DataFrame({"force": [], "month": [], "n_rows": []}).astype({"force": "str", "month": "str"})
    rows = pd.concat(counted, ignore_index=True)
    rows = rows[rows["force"].isin(rows.loc[rows["is_near"], "force"])]
    found = rows.groupby(["force", "month"], sort=True)["count"].sum().rename("n_rows").reset_index()
    return found.assign(month=pd.PeriodIndex(found["month"], freq="M"))


def measure_coverage(
    published: pd.DataFrame, *, first_month: pd.Period | None = None, last_month: pd.Period | None = None
) -> pd.DataFrame:
    """
    Find the months that each force lacks between the first and the last that are asked for, or that any force has.

    Parameters
    ----------
    published : pandas.DataFrame
        Columns ``force`` and ``month`` (a period): as `measure_published` gives them, or table `geo.tables.OFFENCES` of
        every crime type. Months of other rows count as published.
    first_month, last_month : pandas.Period or None
        Months asked for; those of the first and the last row of any force where not given.

    Returns
    -------
    pandas.DataFrame
        One row for each force, ordered: ``force, first_month, last_month, n_months, missing_months``, the last a tuple
        of periods.

    Examples
    --------
    >>> months = pd.PeriodIndex(["2025-01", "2025-01", "2025-03"], freq="M")
    >>> measure_coverage(pd.DataFrame({"force": ["BTP", "NYP", "NYP"], "month": months}))["missing_months"].tolist()
    [(Period('2025-02', 'M'), Period('2025-03', 'M')), (Period('2025-02', 'M'),)]
    """
    rows = published[["force", "month"]].dropna().drop_duplicates()
    if rows.empty:
        return pd.DataFrame(columns=_COLUMNS)
    first = rows["month"].min() if first_month is None else first_month
    last = rows["month"].max() if last_month is None else last_month
    due = pd.period_range(first, last, freq="M")
    rows = rows[(rows["month"] >= first) & (rows["month"] <= last)]
    found = []
    for force, months in rows.groupby("force", sort=True)["month"]:
        missing = tuple(month for month in due if month not in set(months))
        found.append((str(force), months.min(), months.max(), len(months), missing))
    return pd.DataFrame(found, columns=_COLUMNS)


def describe_coverage(coverage: pd.DataFrame) -> list[str]:
    """
    Say which months each force lacks.

    Parameters
    ----------
    coverage : pandas.DataFrame
        As of `measure_coverage`.

    Returns
    -------
    list of str
        One clause for each force that lacks a month: the files do not say whether it published none, or whether its
        file was not given.

    Examples
    --------
    >>> months = pd.PeriodIndex(["2025-01", "2025-01", "2025-02", "2025-03"], freq="M")
    >>> describe_coverage(measure_coverage(pd.DataFrame({"force": ["BTP", "NYP", "NYP", "NYP"], "month": months})))
    ['BTP has no rows for 2025-02 to 2025-03 (2 months)']
    """
    return [
        f"{force} has no rows for {_name_months(missing)} ({len(missing)} {'month' if len(missing) == 1 else 'months'})"
        for force, missing in zip(coverage["force"], coverage["missing_months"], strict=True)
        if missing
    ]


def list_missing(coverage: pd.DataFrame) -> dict[pd.Period, tuple[str, ...]]:
    """
    List the forces that each month lacks.

    Parameters
    ----------
    coverage : pandas.DataFrame
        As of `measure_coverage`.

    Returns
    -------
    dict of pandas.Period to tuple of str
        Forces by month, of months that lack one.
    """
    missing: dict[pd.Period, tuple[str, ...]] = {}
    for force, months in zip(coverage["force"], coverage["missing_months"], strict=True):
        for month in months:
            missing[month] = (*missing.get(month, ()), str(force))
    return missing


def _name_months(months: Sequence[pd.Period]) -> str:
    """Runs of months by their ends."""
    runs: list[list[pd.Period]] = []
    for month in months:
        if runs and month == runs[-1][-1] + 1:
            runs[-1].append(month)
        else:
            runs.append([month])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)
