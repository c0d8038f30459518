"""
A log of operations read by the chance with which each visit was drawn.

Visits are weighed by one over that chance (Hajek [1]_), so that stations that were worked because they were expected to
yield do not stand for all. The chance is that of the plan, or the log's own where it has one.

References
----------
.. [1] Hajek, J. (1971). Comment on "An essay on the logical foundations of survey sampling, part one." In Foundations
   of Statistical Inference, Holt, Rinehart and Winston, 236.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from geo.errors import InputError
from geo.schema import validate
from geo.tables import DEPLOYMENTS, PLAN

__all__ = ["match_propensity", "read_results"]

_LOW, _HIGH = 0.05, 0.95


def match_propensity(deployments: pd.DataFrame, plan: pd.DataFrame) -> pd.Series:
    """
    Find the chance with which each logged visit was drawn.

    Parameters
    ----------
    deployments : pandas.DataFrame
        Table `geo.tables.DEPLOYMENTS`.
    plan : pandas.DataFrame
        Table `geo.tables.PLAN` with dates in ``worked_on``.

    Returns
    -------
    pandas.Series
        ``propensity`` by ``deployment_id``: that of the log where it has one, else that of the plan by station, date
        and reason, and null for a visit that the plan does not hold. Where a day holds several, their mean.
    """
    validate(deployments, DEPLOYMENTS), validate(plan, PLAN)
    keys = ["station_id", "worked_on", "reason"]
    drawn = plan.groupby(keys)["propensity"].mean()
    wanted = pd.MultiIndex.from_frame(deployments[keys].astype("object"))
    found = drawn.reindex(wanted).to_numpy(dtype=float)
    if "propensity" in deployments.columns:
        logged = deployments["propensity"].to_numpy(dtype=float)
        found = np.where(np.isnan(logged), found, logged)
    return pd.Series(found, index=deployments.index, name="propensity")


def read_results(
    deployments: pd.DataFrame, propensity: pd.Series, *, random_state: int, n_draws: int = 1000
) -> pd.DataFrame:
    """
    Read a log of operations by the chance with which each visit was drawn.

    Parameters
    ----------
    deployments : pandas.DataFrame
        Table `geo.tables.DEPLOYMENTS` with ``n_finds``.
    propensity : pandas.Series
        By ``deployment_id``, from `match_propensity`; visits without one, with none above 0, or whose finds were not
        written down, are left out.
    random_state : int
        Seed of the bootstrap over visits.
    n_draws : int
        Draws.

    Returns
    -------
    pandas.DataFrame
        By ``reason`` (``model``, ``must``, in old logs ``random``, and others there are): ``n_visits, n_hours,
        n_finds, finds_per_hour`` with each visit weighted by one over its propensity, ``finds_per_hour_low`` and
        ``_high`` (90 %). A random row estimates what any eligible station yields; the model row less it is what the
        plan's choice adds, in row ``model less random``, where both are there.

    Raises
    ------
    InputError
        If the log has no finds, or no visit has a propensity.
    """
    validate(deployments, DEPLOYMENTS)
    chance = propensity.reindex(deployments.index).to_numpy(dtype=float)
    if "n_finds" in deployments.columns:
        chance = np.where(deployments["n_finds"].isna(), np.nan, chance)
    used = deployments[chance > 0]
    if "n_finds" not in deployments.columns or used.empty or used["n_hours"].sum() <= 0:
        msg = (
            f"deployments: {len(used)} of {len(deployments)} visits have a propensity and hours, and n_finds is "
            f"{'there' if 'n_finds' in deployments.columns else 'missing'}, expected visits of a plan with their "
            "finds. Log finds and keep the plan that was worked."
        )
        raise InputError(msg)
    used = used.assign(weight=1.0 / chance[chance > 0]).sort_index()
    rng = np.random.default_rng(random_state)
    rows: dict[str, dict[str, float]] = {}
    drawn: dict[str, np.ndarray] = {}
    for reason, visits in used.groupby("reason", sort=True):
        weight = visits["weight"].to_numpy(dtype=float)
        finds, hours = weight * visits["n_finds"].to_numpy(float), weight * visits["n_hours"].to_numpy(float)
        again = rng.integers(len(visits), size=(n_draws, len(visits)))
        # A draw without an hour has no rate.
        total = hours[again].sum(axis=1)
        rates = np.where(total > 0, finds[again].sum(axis=1) / np.where(total > 0, total, 1.0), np.nan)
        drawn[str(reason)] = rates
        rows[str(reason)] = {
            "n_visits": len(visits),
            "n_hours": float(visits["n_hours"].sum()),
            "n_finds": float(visits["n_finds"].sum()),
            "finds_per_hour": float(finds.sum() / hours.sum()) if hours.sum() > 0 else np.nan,
        } | _interval(rates)
    if {"model", "random"} <= set(rows):
        gain = drawn["model"] - drawn["random"]
        rows["model less random"] = {
            name: rows["model"][name] + rows["random"][name] for name in ("n_visits", "n_hours", "n_finds")
        }
        rows["model less random"]["finds_per_hour"] = rows["model"]["finds_per_hour"] - rows["random"]["finds_per_hour"]
        rows["model less random"] |= _interval(gain)
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("reason")


def _interval(rates: np.ndarray) -> dict[str, float]:
    known = rates[~np.isnan(rates)]
    low, high = np.quantile(known, [_LOW, _HIGH]) if known.size else (np.nan, np.nan)
    return {"finds_per_hour_low": float(low), "finds_per_hour_high": float(high)}
