"""
Past and future side by side: one row a unit and an origin month, features up to it, outcomes after it.

The only place where features and outcomes meet. Months are whole; a gap stands for the lag with which offences are
recorded; an outcome that is not complete by the end of the data is not a row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.errors import ModelGateError

__all__ = ["PAST_COLUMNS", "Panel", "build_panel", "latest_features"]

FloatArray = NDArray[np.float64]
PAST_COLUMNS = ("prior_count", "n_months", "prior_count_per_month")


@dataclass(frozen=True)
class Panel:
    """
    Features and outcomes of every unit at every origin.

    Attributes
    ----------
    unit_ids : tuple of str
        Units, sorted.
    origins : pandas.PeriodIndex
        Last month known at each origin.
    columns : tuple of str
        Names of the features; `PAST_COLUMNS` first, then the fixed ones.
    features : numpy.ndarray of shape (n_origins, n_units, n_features)
        Known at the origin.
    outcomes : numpy.ndarray of shape (n_origins, n_units)
        Counted in the months after the gap.
    gap, horizon : int
        Months between origin and outcome, and months of outcome.
    blocks, towns : numpy.ndarray of shape (n_units,)
        Spatial block and town of each unit.
    """

    unit_ids: tuple[str, ...]
    origins: pd.PeriodIndex
    columns: tuple[str, ...]
    features: FloatArray
    outcomes: FloatArray
    gap: int
    horizon: int
    blocks: NDArray[np.int64]
    towns: NDArray[np.int64]


def build_panel(
    counts: pd.DataFrame,
    fixed: pd.DataFrame,
    *,
    blocks: NDArray[np.int64],
    towns: NDArray[np.int64],
    gap: int = 1,
    horizon: int = 1,
    min_history: int = 2,
    memory: int = 12,
) -> Panel:
    """
    Lay out past counts, fixed features and outcomes.

    Parameters
    ----------
    counts : pandas.DataFrame
        Offences by unit (index, sorted) and month (columns, a monthly PeriodIndex, consecutive).
    fixed : pandas.DataFrame
        Features that do not change over the months, such as population, known before the first of them; same index.
    blocks, towns : numpy.ndarray of shape (n_units,)
        Spatial block and town of each unit.
    gap : int
        Months of recording lag left between the origin and its outcome.
    horizon : int
        Months of outcome.
    min_history : int
        Fewest months before the first origin.
    memory : int
        Most months that a past count covers.

    Returns
    -------
    Panel
        One slice an origin.

    Raises
    ------
    ModelGateError
        If there are too few months for one row to learn from and one to judge by, or the tables do not match.
    """
    n_months = counts.shape[1]
    last = n_months - gap - horizon
    needed = min_history + 2 * (gap + horizon)
    if n_months < needed:
        msg = (
            f"counts: {n_months} months, expected at least {needed} for a history of {min_history}, a gap of {gap} and "
            f"an outcome of {horizon} to learn from and again to judge by. Add months."
        )
        raise ModelGateError(msg)
    if not counts.index.equals(fixed.index):
        msg = "fixed: its units are not those of the counts, expected the same index. Reindex it."
        raise ModelGateError(msg)
    values = counts.to_numpy(float)
    origins = range(min_history - 1, last)
    features, outcomes = [], []
    for origin in origins:
        start = max(0, origin + 1 - memory)
        past = values[:, start : origin + 1]
        features.append(_known(past, fixed))
        outcomes.append(values[:, origin + 1 + gap : origin + 1 + gap + horizon].sum(axis=1))
    return Panel(
        unit_ids=tuple(map(str, counts.index)),
        origins=pd.PeriodIndex([counts.columns[origin] for origin in origins], freq="M"),
        columns=(*PAST_COLUMNS, *map(str, fixed.columns)),
        features=np.stack(features),
        outcomes=np.stack(outcomes),
        gap=gap,
        horizon=horizon,
        blocks=np.asarray(blocks, dtype=np.int64),
        towns=np.asarray(towns, dtype=np.int64),
    )


def latest_features(counts: pd.DataFrame, fixed: pd.DataFrame, *, cutoff: pd.Period, memory: int = 12) -> FloatArray:
    """
    Lay out what is known at the cut-off, to forecast from it.

    Parameters
    ----------
    counts, fixed : pandas.DataFrame
        As for `build_panel`; months after the cut-off are not read.
    cutoff : pandas.Period
        Last month that may be used.
    memory : int
        Most months that a past count covers.

    Returns
    -------
    numpy.ndarray of shape (n_units, n_features)
        In the order of `Panel.columns`.
    """
    known = np.asarray(pd.PeriodIndex(counts.columns) <= cutoff)
    return _known(counts.to_numpy(float)[:, known][:, -memory:], fixed)


def _known(past: FloatArray, fixed: pd.DataFrame) -> FloatArray:
    """Past count, its months, the count a month, and the fixed features, side by side."""
    count, months = past.sum(axis=1), float(past.shape[1])
    return np.column_stack([count, np.full(len(past), months), count / months, fixed.to_numpy(float)])
