"""
Suppress small counts so that no margin gives them back, and prove it with the attacker's own linear programme.

In: a table of counts, rows by columns. Out: the same table with suppressed cells null and the rest rounded, and its
margins rounded. Primary suppression follows the profile's threshold; then, while the feasible interval of a suppressed
cell over everything published is narrower than the threshold, the smallest published count beside it is suppressed too.

Rounding is to the nearest multiple, the same for the same count, so that a published number stands for an interval and
many releases cannot be averaged. The auditor gives the attacker those intervals, the margins and non-negativity: what
an attacker has who knows the rule. Bounds by linear programming are those of Fischetti and Salazar (2001), "Solving
the cell suppression problem on tabular data with linear constraints", Management Science 47(7).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array, vstack

from geo.errors import DisclosureError, TableError

__all__ = ["COUNT_RULES", "CountRule", "PublishedCounts", "audit_intervals", "round_counts", "suppress_counts"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class CountRule:
    """
    What one release profile demands of a count.

    Attributes
    ----------
    threshold : int
        Counts below it are suppressed; also the narrowest interval an attacker may be left with.
    is_zero_suppressed : bool
        Whether a count of zero is suppressed too.
    rounding : int
        Published counts are multiples of it.
    """

    threshold: int
    is_zero_suppressed: bool
    rounding: int


# trust.md A2.
COUNT_RULES = {
    "tactical": CountRule(threshold=5, is_zero_suppressed=False, rounding=5),
    "partner": CountRule(threshold=10, is_zero_suppressed=True, rounding=5),
    "public": CountRule(threshold=10, is_zero_suppressed=True, rounding=10),
}


@dataclass(frozen=True)
class PublishedCounts:
    """
    A table that may leave.

    Attributes
    ----------
    counts : pandas.DataFrame
        Rounded counts; null where suppressed.
    row_totals, column_totals : pandas.Series
        Rounded true totals; null where suppressed.
    n_primary, n_secondary : int
        Cells suppressed for being small, and to protect those.
    """

    counts: pd.DataFrame
    row_totals: pd.Series
    column_totals: pd.Series
    n_primary: int
    n_secondary: int


def suppress_counts(counts: pd.DataFrame, *, profile: str) -> PublishedCounts:
    """
    Suppress and round a table of counts for a release profile.

    Parameters
    ----------
    counts : pandas.DataFrame
        Whole non-negative numbers, uniquely indexed both ways. Never modified.
    profile : str
        One of `COUNT_RULES`.

    Returns
    -------
    PublishedCounts
        In the order of `counts`.

    Raises
    ------
    DisclosureError
        If the profile is unknown.
    TableError
        If a count is negative, null or not whole.
    """
    rule = _require_rule(profile)
    x = _require_counts(counts)
    hidden = _is_small(x, rule)
    n_primary = int(hidden.sum())
    hidden, rows, columns = _protect(x, hidden, rule)
    published = np.where(hidden, np.nan, _round(x, rule))
    return PublishedCounts(
        pd.DataFrame(published, index=counts.index, columns=counts.columns),
        pd.Series(rows, index=counts.index, name="total"),
        pd.Series(columns, index=counts.columns, name="total"),
        n_primary,
        int(hidden.sum()) - n_primary,
    )


def audit_intervals(published: PublishedCounts, *, rounding: int) -> pd.DataFrame:
    """
    Attack a published table: the narrowest interval of each suppressed cell that everything published allows.

    Parameters
    ----------
    published : PublishedCounts
        What leaves.
    rounding : int
        The rule's multiple, known to the attacker.

    Returns
    -------
    pandas.DataFrame
        Columns ``row, column, low, high``, one row a suppressed cell; positions in the table.
    """
    x = published.counts.to_numpy(dtype=float)
    intervals = _attack(
        x, np.isnan(x), published.row_totals.to_numpy(float), published.column_totals.to_numpy(float), rounding
    )
    return pd.DataFrame(intervals, columns=["row", "column", "low", "high"]).astype({"row": int, "column": int})


def round_counts(counts: pd.Series, *, profile: str) -> pd.Series:
    """
    Suppress and round counts that stand alone, with no total that is published more exactly than they are.

    Parameters
    ----------
    counts : pandas.Series
        Whole non-negative numbers. Never modified.
    profile : str
        One of `COUNT_RULES`.

    Returns
    -------
    pandas.Series
        Null where suppressed; same index and name.

    Raises
    ------
    DisclosureError
        If the profile is unknown.
    TableError
        If a count is negative, null or not whole.

    Examples
    --------
    >>> round_counts(pd.Series([0, 3, 7, 8]), profile="tactical").tolist()
    [0.0, nan, 5.0, 10.0]
    """
    rule = _require_rule(profile)
    x = _require_counts(counts)
    return pd.Series(np.where(_is_small(x, rule), np.nan, _round(x, rule)), index=counts.index, name=counts.name)


def _require_rule(profile: str) -> CountRule:
    if profile not in COUNT_RULES:
        msg = f"profile: it is {profile!r}, expected one of {', '.join(COUNT_RULES)}. Name one of them."
        raise DisclosureError(msg)
    return COUNT_RULES[profile]


def _require_counts(counts: pd.DataFrame | pd.Series) -> FloatArray:
    x: FloatArray = counts.to_numpy(dtype=float)
    if not np.isfinite(x).all() or (x < 0).any() or (x != np.round(x)).any():
        msg = "counts: a cell is negative, null or not whole, expected counts. Mend the table."
        raise TableError(msg)
    return x


def _is_small(x: FloatArray, rule: CountRule) -> NDArray[np.bool_]:
    """What the profile suppresses for its size alone."""
    small: NDArray[np.bool_] = x < rule.threshold if rule.is_zero_suppressed else (x > 0) & (x < rule.threshold)
    return small


def _round(x: FloatArray, rule: CountRule) -> FloatArray:
    return np.floor(x / rule.rounding + 0.5) * rule.rounding


def _protect(
    x: FloatArray, hidden: NDArray[np.bool_], rule: CountRule
) -> tuple[NDArray[np.bool_], FloatArray, FloatArray]:
    """Suppressed cells and totals such that the attack leaves each cell an interval of the threshold's width."""
    hidden = hidden.copy()
    # A total is a count too: what is too small to show as a cell is too small to show as a total.
    rows, columns = (np.where(t < rule.threshold, np.nan, _round(t, rule)) for t in (x.sum(axis=1), x.sum(axis=0)))
    while hidden.any():
        intervals = _attack(np.where(hidden, np.nan, _round(x, rule)), hidden, rows, columns, rule.rounding)
        narrow = intervals[intervals[:, 3] - intervals[:, 2] < rule.threshold]
        if len(narrow) == 0:
            break
        added = [_hide_beside(x, hidden, int(row), int(column)) for row, column in narrow[:, :2]]
        if not any(added):
            # Nothing is left to hide beside them: their totals go, which ends the loop at the latest when all are gone.
            rows[narrow[:, 0].astype(int)] = np.nan
            columns[narrow[:, 1].astype(int)] = np.nan
    return hidden, rows, columns


def _hide_beside(x: FloatArray, hidden: NDArray[np.bool_], row: int, column: int) -> bool:
    """The smallest published cell of the row, and of the column, is hidden; first position on ties."""
    added = False
    for cells in ([(row, j) for j in range(x.shape[1])], [(i, column) for i in range(x.shape[0])]):
        shown = [cell for cell in cells if not hidden[cell]]
        if shown:
            hidden[min(shown, key=lambda cell: (x[cell], cell))] = True
            added = True
    return added


def _attack(
    shown: FloatArray, hidden: NDArray[np.bool_], rows: FloatArray, columns: FloatArray, rounding: int
) -> FloatArray:
    """Row, column, low and high of each hidden cell: two linear programmes each over what is published."""
    cells = np.argwhere(hidden)
    n_rows = hidden.shape[0]
    # Every published number stands for [r - rounding/2, r + rounding/2); the closed interval is the attacker's best.
    half = rounding / 2
    known_low = np.where(hidden, 0, np.maximum(np.nan_to_num(shown) - half, 0))
    known_high = np.where(hidden, 0, np.nan_to_num(shown) + half)
    low = np.concatenate([rows - half - known_high.sum(axis=1), columns - half - known_high.sum(axis=0)])
    high = np.concatenate([rows + half - known_low.sum(axis=1), columns + half - known_low.sum(axis=0)])
    known = np.isfinite(low)  # a suppressed total says nothing
    position = np.arange(len(cells))
    a = csr_array(
        (
            np.ones(2 * len(cells)),
            (np.concatenate([cells[:, 0], n_rows + cells[:, 1]]), np.concatenate([position, position])),
        ),
        shape=(len(low), len(cells)),
    )
    constraints = vstack([a[known], -a[known]], format="csr")
    bounds = np.concatenate([high[known], -low[known]])
    ends = np.empty((len(cells), 2))
    # Cells in the same known totals stand in the same constraints, so one answer does for all of them.
    columns_of = np.column_stack([cells[:, 0], n_rows + cells[:, 1]])
    kind, kind_of = np.unique(np.where(known[columns_of], columns_of, -1), axis=0, return_inverse=True)
    for k in range(len(kind)):
        alike = np.flatnonzero(kind_of.ravel() == k)
        cost = np.zeros(len(cells))
        cost[alike[0]] = 1.0
        for end, sign in enumerate((1.0, -1.0)):
            answer: Any = linprog(sign * cost, A_ub=constraints, b_ub=bounds, bounds=(0, None), method="highs")
            ends[alike, end] = sign * answer.fun if answer.status == 0 else np.inf  # status 3: unbounded above
    return np.column_stack([cells, ends])
