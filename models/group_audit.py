"""
Does the list fall evenly? Selection, hits and misses by group of the catchment, with intervals.

Groups are of places (deprivation decile, urban or rural class, census quintile of the catchment), never of people. A
selection-rate ratio outside 0.8 to 1.25 is flagged for a person to explain; it is a question and not a verdict, because
need differs between places. The hit rate by group is the outcome test, the miss rate shows under-protection.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.errors import UsageError

__all__ = ["audit_groups"]

FloatArray = NDArray[np.float64]
# The project's own limits (trust.md F-7), confirmed locally.
RATIO_LIMITS = (0.8, 1.25)
FEWEST_UNITS = 5


def audit_groups(
    table: pd.DataFrame,
    groups: pd.Series,
    *,
    outcomes: pd.Series | None = None,
    n_top: int = 10,
    random_state: int,
    n_draws: int = 1000,
) -> pd.DataFrame:
    """
    Audit a list by group.

    Parameters
    ----------
    table : pandas.DataFrame
        Table `geo.tables.STATION_SCORES` or `PLACE_SCORES`.
    groups : pandas.Series
        Group of each unit, by the same ids; a unit without one is left out.
    outcomes : pandas.Series or None
        Offences that came later, by the same ids.
    n_top : int
        Length of the list.
    random_state : int
        Seed of the resamples.
    n_draws : int
        Resamples of units behind each interval.

    Returns
    -------
    pandas.DataFrame
        Index ``group_id``: ``n_units``, ``n_selected``, ``selection_rate``, ``rate_ratio`` (to all other groups
        together) with ``rate_ratio_low`` and ``rate_ratio_high`` (95 %), ``mean_score``, ``hit_share`` (of selected
        units that had an outcome), ``miss_share`` (of outcomes that fell on units not selected) and ``note``:
        ``flagged``, ``too few`` (below five units, and then no rate is given) or empty.

    Raises
    ------
    UsageError
        If no unit has a group.
    """
    known = groups.reindex(table.index).dropna().sort_index()
    if known.empty:
        msg = "groups: no scored unit has one, expected a group for each. Join them by station or place id."
        raise UsageError(msg)
    units = table.loc[known.index]
    is_selected = np.asarray(units["rank"] <= n_top, dtype=np.float64)
    came = None if outcomes is None else outcomes.reindex(known.index).fillna(0.0).to_numpy(float)
    rng = np.random.default_rng(random_state)
    n = len(units)
    times = rng.multinomial(n, np.full(n, 1.0 / n), size=n_draws).astype(float)
    rows = {}
    for group in sorted(known.unique(), key=str):
        inside = (known == group).to_numpy()
        rows[str(group)] = _audit_one(units["score"].to_numpy(float), is_selected, inside, came, times)
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("group_id")


def _audit_one(
    score: FloatArray,
    is_selected: FloatArray,
    inside: NDArray[np.bool_],
    came: FloatArray | None,
    times: FloatArray,
) -> dict[str, float | int | str]:
    """One group's row."""
    row: dict[str, float | int | str] = {"n_units": int(inside.sum()), "n_selected": int(is_selected[inside].sum())}
    blank = (
        "selection_rate",
        "rate_ratio",
        "rate_ratio_low",
        "rate_ratio_high",
        "mean_score",
        "hit_share",
        "miss_share",
    )
    if inside.sum() < FEWEST_UNITS:
        return row | dict.fromkeys(blank, np.nan) | {"note": "too few"}
    ratio = float(_ratio(np.ones((1, len(inside))), is_selected, inside)[0])
    drawn = _ratio(times, is_selected, inside)
    drawn = drawn[np.isfinite(drawn)]
    low, high = np.quantile(drawn, (0.025, 0.975)) if len(drawn) else (np.nan, np.nan)
    chosen = inside & (is_selected > 0)
    total = 0.0 if came is None else float(came[inside].sum())
    return row | {
        "selection_rate": float(is_selected[inside].mean()),
        "rate_ratio": ratio,
        "rate_ratio_low": float(low),
        "rate_ratio_high": float(high),
        "mean_score": float(score[inside].mean()),
        "hit_share": float((came[chosen] > 0).mean()) if came is not None and chosen.any() else np.nan,
        "miss_share": float(came[inside & ~chosen].sum() / total) if came is not None and total > 0 else np.nan,
        "note": "flagged" if np.isfinite(ratio) and not RATIO_LIMITS[0] <= ratio <= RATIO_LIMITS[1] else "",
    }


def _ratio(times: FloatArray, is_selected: FloatArray, inside: NDArray[np.bool_]) -> FloatArray:
    """Selection rate inside over that outside, by resample; NaN where there is nothing to divide by."""
    rates = []
    for part in (inside, ~inside):
        n = times[:, part].sum(axis=1)
        hits = (times[:, part] * is_selected[part]).sum(axis=1)
        rates.append(np.divide(hits, n, out=np.full(len(times), np.nan), where=n > 0))
    ratios: FloatArray = np.divide(rates[0], rates[1], out=np.full(len(times), np.nan), where=rates[1] > 0)
    return ratios
