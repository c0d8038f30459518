"""What a run found, in figures: the same that its lists show, for its record, its card and its transparency record."""

from __future__ import annotations

from typing import Any

import numpy as np

from gateline.pipeline.stages import Results
from gateline.products.lists import is_issued
from models.scoring import Scores
from models.telling import round_figures, tell_scores

__all__ = ["measure_moved", "summarise_run"]

_SHOWN = 10
_COLUMNS = (
    "name",
    "tier",
    "score",
    "score_low",
    "score_high",
    "trips_per_month",
    "trips_low",
    "trips_high",
    "rank_low",
    "rank_high",
    "p_top_10",
    "p_core",
)


def summarise_run(results: Results, level: tuple[float, float, float]) -> dict[str, Any]:
    """
    Summarise the lists of a run and what they rest on.

    Parameters
    ----------
    results : Results
        Of the stages.
    level : tuple of float
        Trips a month into or within the force: mean, and the ends of the 90 % interval.

    Returns
    -------
    dict
        JSON-ready, every figure as the products tell it.
    """
    estimate = results.fitted.estimate
    mean, low, high = (float(value) for value in round_figures(level))
    return {
        "trips_per_month": {"mean": mean, "low": low, "high": high},
        "moved_of_100_trips": measure_moved(results),
        "checks": {
            "n_draws": len(estimate.town_share),
            "r_hat": round(float(estimate.r_hat), 2) if np.isfinite(estimate.r_hat) else None,
            "n_effective": int(estimate.n_effective),
        },
        "stations": _list(results.station_scores),
        "towns": _list(results.place_scores),
    }


def measure_moved(results: Results) -> dict[str, float]:
    """
    Measure what each source moved among towns.

    Parameters
    ----------
    results : Results
        Of the stages.

    Returns
    -------
    dict of str to float
        Sum over towns of the size of its reasons, of 100 trips, by source.
    """
    reasons = results.fitted.reasons
    moved = abs(reasons.town[1:]).sum(axis=1)
    return {name: round(float(value), 1) for name, value in zip(reasons.groups[1:], moved, strict=True)}


def _list(scores: Scores) -> dict[str, Any]:
    """A list's size, tiers and first places."""
    table = tell_scores(scores.table)
    issued = is_issued(scores.table)
    reasons = [str(column) for column in table.columns if str(column).startswith("reason_")]
    shown = [column for column in _COLUMNS if column in table.columns]
    first = []
    for unit in table.index[:_SHOWN]:
        row = {column: table[column].loc[[unit]].tolist()[0] for column in [*shown, *reasons]}
        first.append({"id": str(unit), "rank": int(table.loc[unit, "rank"]) if issued[unit] else None, **row})
    return {
        "is_index": bool(scores.weights),
        "n_units": len(table),
        "rankability": round(float(scores.rankability), 2),
        "tiers": {str(tier): int(n) for tier, n in table["tier"].value_counts().sort_index().items()},
        "first": first,
    }
