"""
After a list is issued: a frozen ledger scored when outcomes arrive, drift by permutation, and a gate on churn.

The ledger is a JSON-lines file; each line holds the hash of the line before, so a list cannot be bettered after the
event. Drift is tested by permutation and not by the population stability index, whose folklore limits are passed by
chance in two months of three at sixty stations (trust.md D6).
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.durable import sync_file
from geo.errors import IntegrityError, ModelGateError, UsageError
from models.metrics import select_top
from models.scoring import TOP

__all__ = ["adjust_holm", "issue_list", "measure_drift", "read_ledger", "require_stable_top", "score_ledger"]

FloatArray = NDArray[np.float64]
_FIRST = "0" * 64
# trust.md D6 and C2 fault 90.
DRIFT_P = 0.01
LEAST_OVERLAP = 0.70


def issue_list(path: Path, table: pd.DataFrame, *, cutoff: pd.Period, run_id: str) -> str:
    """
    Add an issued list to the ledger.

    Parameters
    ----------
    path : pathlib.Path
        The ledger; made if absent.
    table : pandas.DataFrame
        Table `geo.tables.STATION_SCORES` or `PLACE_SCORES`.
    cutoff : pandas.Period
        Last month the list rests on.
    run_id : str
        The run that made it.

    Returns
    -------
    str
        Hash of the new line: the head of the ledger.

    Raises
    ------
    IntegrityError
        If the ledger has been changed.
    UsageError
        If this run has already issued a list of these units.
    """
    lines = read_ledger(path)
    unit = str(table.index.name)
    if any(line["run_id"] == run_id and line["unit"] == unit for line in lines):
        msg = f"ledger: run {run_id!r} has already issued a list of {unit}, expected one. Start a new run."
        raise UsageError(msg)
    ordered = table.sort_index()
    line = {
        "run_id": run_id,
        "unit": unit,
        "cutoff": str(cutoff),
        "scores": {str(i): float(score) for i, score in ordered["score"].items()},
        "previous": lines[-1]["hash"] if lines else _FIRST,
    }
    line["hash"] = _digest(line)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, sort_keys=True, allow_nan=False) + "\n")
        file.flush()
        sync_file(file.fileno())
    return str(line["hash"])


def read_ledger(path: Path) -> list[dict[str, Any]]:
    """
    Read the ledger and check its chain.

    Parameters
    ----------
    path : pathlib.Path
        The ledger.

    Returns
    -------
    list of dict
        One a line; empty where there is no ledger.

    Raises
    ------
    IntegrityError
        If a line was changed, dropped or moved.
    """
    if not path.exists():
        return []
    lines: list[dict[str, Any]] = []
    previous = _FIRST
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            line = json.loads(text)
            is_whole = line["previous"] == previous and line["hash"] == _digest(line)
        except (ValueError, KeyError, TypeError):
            is_whole = False
        if not is_whole:
            msg = f"ledger: line {number} does not follow from the one before, expected an unbroken chain. Restore it."
            raise IntegrityError(msg)
        lines.append(line)
        previous = line["hash"]
    return lines


def score_ledger(path: Path, outcomes: pd.DataFrame, *, unit: str, gap: int = 1, horizon: int = 3) -> pd.DataFrame:
    """
    Score every issued list whose outcomes are complete.

    Parameters
    ----------
    path : pathlib.Path
        The ledger.
    outcomes : pandas.DataFrame
        Offences by unit (index) and month (columns, a monthly PeriodIndex).
    unit : str
        ``station_id`` or ``place_id``.
    gap, horizon : int
        Months of lag left out after the cut-off, and months of outcome.

    Returns
    -------
    pandas.DataFrame
        One row a list, index ``run_id``: ``cutoff``, ``n_outcomes``, ``hit_rate_at_10`` and ``best_at_10``, the most
        that any list of ten could have had.
    """
    months = pd.PeriodIndex(outcomes.columns, freq="M")
    rows = []
    for line in read_ledger(path):
        cutoff = pd.Period(line["cutoff"], "M")
        wanted = pd.period_range(cutoff + gap + 1, periods=horizon, freq="M")
        if line["unit"] != unit or not wanted.isin(months).all():
            continue
        scores = pd.Series(line["scores"], dtype=float)
        came = outcomes.reindex(scores.index).fillna(0.0).to_numpy(float)[:, months.get_indexer(wanted)].sum(axis=1)
        total = float(came.sum())
        top = [float((select_top(s[None, :], TOP)[0] * came).sum()) for s in (scores.to_numpy(float), came)]
        hits, best = ((value / total if total > 0 else np.nan) for value in top)
        rows.append((line["run_id"], str(cutoff), total, hits, best))
    columns = ["run_id", "cutoff", "n_outcomes", "hit_rate_at_10", "best_at_10"]
    return pd.DataFrame(rows, columns=columns).set_index("run_id")


def measure_drift(before: pd.DataFrame, after: pd.DataFrame, *, random_state: int, n_draws: int = 1999) -> pd.DataFrame:
    """
    Test whether features have drifted, by permutation of the period within each unit.

    Parameters
    ----------
    before, after : pandas.DataFrame
        Feature tables of the same units (index) and features (columns).
    random_state : int
        Seed.
    n_draws : int
        Permutations.

    Returns
    -------
    pandas.DataFrame
        Index ``feature_id``: ``mean_change``, ``p_value`` (two-sided), ``p_holm`` (corrected for the number of
        features) and ``is_drifted`` (p_holm below 0.01).

    Raises
    ------
    UsageError
        If the tables are not of the same units and features.
    """
    if not before.index.equals(after.index) or not before.columns.equals(after.columns):
        msg = "drift: the two tables have other units or features, expected the same. Reindex one of them."
        raise UsageError(msg)
    change = after.to_numpy(float) - before.to_numpy(float)
    change = np.where(np.isnan(change), 0.0, change)
    # A unit is its own control: without drift, which of its two periods came first is a coin's choice.
    signs = np.random.default_rng(random_state).choice([-1.0, 1.0], size=(n_draws, len(change)))
    observed = np.abs(change.mean(axis=0))
    drawn = np.abs(np.einsum("du,uf->df", signs, change, optimize=False)) / max(len(change), 1)
    # Ties within rounding count against drift.
    p_value = (1.0 + (drawn >= observed * (1.0 - 1e-12)).sum(axis=0)) / (n_draws + 1.0)
    table = pd.DataFrame(
        {"mean_change": change.mean(axis=0), "p_value": p_value, "p_holm": adjust_holm(p_value)},
        index=pd.Index(before.columns, name="feature_id"),
    )
    table["is_drifted"] = table["p_holm"] < DRIFT_P
    return table


def adjust_holm(p_values: FloatArray) -> FloatArray:
    """
    Correct p-values for their number by Holm's step-down rule.

    Parameters
    ----------
    p_values : numpy.ndarray of shape (n,)
        Uncorrected.

    Returns
    -------
    numpy.ndarray of shape (n,)
        Corrected, in the same order.

    Examples
    --------
    >>> adjust_holm(np.array([0.01, 0.04, 0.03]))
    array([0.03, 0.06, 0.06])
    """
    order = np.argsort(p_values, kind="stable")
    n = len(p_values)
    steps = np.maximum.accumulate(np.minimum(p_values[order] * (n - np.arange(n)), 1.0))
    corrected = np.empty(n)
    corrected[order] = steps
    return corrected


def require_stable_top(
    before: pd.DataFrame, after: pd.DataFrame, *, least_overlap: float = LEAST_OVERLAP, signed_off_by: str | None = None
) -> float:
    """
    Pass if enough of the last top ten is still there, or someone has signed for the change.

    Parameters
    ----------
    before, after : pandas.DataFrame
        Tables `geo.tables.STATION_SCORES` or `PLACE_SCORES`.
    least_overlap : float
        Share of the ten that must stay.
    signed_off_by : str or None
        Who accepts a larger change.

    Returns
    -------
    float
        Share of the old top ten that is in the new one.

    Raises
    ------
    ModelGateError
        If too few stay and no one has signed.
    """
    old, new = (set(table.index[(table["rank"] <= TOP).to_numpy()]) for table in (before, after))
    overlap = len(old & new) / max(len(old), 1)
    if overlap < least_overlap and not signed_off_by:
        left = ", ".join(sorted(map(str, old - new))[:3])
        msg = (
            f"top ten: {overlap:.0%} of the last list is kept ({left} left), expected at least {least_overlap:.0%}. "
            "Compare the two runs, and name who signs for the change."
        )
        raise ModelGateError(msg)
    return overlap


def _digest(line: dict[str, Any]) -> str:
    """Hash of everything in the line but its hash."""
    content = {key: value for key, value in line.items() if key != "hash"}
    return hashlib.sha256(json.dumps(content, sort_keys=True, allow_nan=False).encode()).hexdigest()
