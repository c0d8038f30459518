"""
From the posterior to the lists of stations and towns: scores with a meaning, ranks with a range, tiers of order.

A station's score: of 100 courier trips into or within the force, how many set foot on its platforms. A town's: of 100
trips, how many go there. A tier is a statement about order in the posterior, whatever the length of the list: the core
is the fewest units that together hold half of the whole, and A, B and C say how likely a unit is to belong to it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.schema import validate
from geo.tables import PLACE_SCORES, STATION_SCORES
from models.posterior.estimate import Estimate
from models.posterior.reasons import Reasons
from models.scoring import (
    DEMAND_TOP,
    ENFORCEMENT_TOP,
    TIER_A,
    TIER_B,
    Scores,
    measure_rankability,
    rank_units,
    summarise_draws,
)

__all__ = ["CORE_SHARE", "measure_core", "measure_rail_range", "score_places", "score_stations"]

FloatArray = NDArray[np.float64]
# ASSUMPTION. What the core holds of the whole.
CORE_SHARE = 0.5
_ROUNDING = 1e-9
_INTERVAL = (0.05, 0.95)
_UNATTRIBUTED = "unattributed_offences"


def score_stations(estimate: Estimate, reasons: Reasons, names: pd.Series) -> Scores:
    """
    Score stations.

    Parameters
    ----------
    estimate : Estimate
        The posterior.
    reasons : Reasons
        From `models.posterior.reasons.explain_sources` of the same estimate.
    names : pandas.Series
        Name by ``station_id``.

    Returns
    -------
    Scores
        Table `geo.tables.STATION_SCORES`, by rank; see `score_places` for the columns beyond the contract.
    """
    stations = estimate.posterior.stations
    ids = () if stations is None else stations.station_ids
    table = _table(
        ids, names, estimate.station_share, reasons.groups, reasons.station, reasons.station_without, estimate
    )
    return _scores(table, STATION_SCORES, estimate.station_share, ids)


def score_places(estimate: Estimate, reasons: Reasons, names: pd.Series) -> Scores:
    """
    Score towns.

    Parameters
    ----------
    estimate : Estimate
        The posterior.
    reasons : Reasons
        Of the same estimate.
    names : pandas.Series
        Name by ``place_id``.

    Returns
    -------
    Scores
        Table `geo.tables.PLACE_SCORES`, by rank. Beyond the contract: ``score_low`` and ``score_high`` (90 % interval),
        ``trips_per_month`` with ``trips_low`` and ``trips_high``, ``p_core``, ``score_network`` (before evidence),
        ``is_rank_issued``, and one ``reason_*`` column a group, which sum to the score.
    """
    ids = estimate.posterior.ways.town_ids
    table = _table(ids, names, estimate.town_share, reasons.groups, reasons.town, reasons.town_without, estimate)
    return _scores(table, PLACE_SCORES, estimate.town_share, ids)


def measure_core(share: FloatArray, *, core_share: float = CORE_SHARE) -> FloatArray:
    """
    Measure how likely each unit is to be among the fewest that hold a given part of the whole.

    Parameters
    ----------
    share : numpy.ndarray of shape (n_draws, n_units)
        Not negative.
    core_share : float
        The part, 0 to 1.

    Returns
    -------
    numpy.ndarray of shape (n_units,)
        Share of the draws in which it is; 0 for a unit of nothing.

    Examples
    --------
    >>> measure_core(np.array([[6.0, 3.0, 1.0], [3.0, 4.0, 3.0]]))
    array([1. , 0.5, 0. ])
    """
    order = np.argsort(-share, axis=1, kind="stable")
    ordered = np.take_along_axis(share, order, axis=1)
    before = np.cumsum(ordered, axis=1) - ordered
    # Sums of tenths miss the half by a rounding error: within it the half is held, and no further unit needed.
    needed = (1.0 - _ROUNDING) * core_share * ordered.sum(axis=1, keepdims=True)
    is_core = (before < needed) & (ordered > 0)
    found = np.zeros_like(share)
    np.put_along_axis(found, order, is_core.astype(float), axis=1)
    return np.asarray(found.mean(axis=0))


def measure_rail_range(estimate: Estimate) -> pd.DataFrame:
    """
    Measure how far the share of each town's trips that go by rail may lie from its mean.

    Parameters
    ----------
    estimate : Estimate
        The posterior.

    Returns
    -------
    pandas.DataFrame
        Index ``place_id``; ``rail_share_low`` and ``rail_share_high``, the ends of the 90 % interval over draws, in
        [0, 1]; null for a town without trips.
    """
    trips = estimate.town_share
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(trips > 0, np.minimum(estimate.town_rail_share / trips, 1.0), np.nan)
    low, high = np.quantile(share, _INTERVAL, axis=0)
    ids = pd.Index(estimate.posterior.ways.town_ids, name=PLACE_SCORES.index, dtype="str")
    return pd.DataFrame({"rail_share_low": low, "rail_share_high": high}, index=ids)


def _table(
    ids: tuple[str, ...],
    names: pd.Series,
    share: FloatArray,
    groups: tuple[str, ...],
    parts: FloatArray,
    without: dict[str, FloatArray],
    estimate: Estimate,
) -> pd.DataFrame:
    """One row a unit in the order of `ids`."""
    score = 100.0 * share.mean(axis=0)
    table = pd.DataFrame({"name": names.reindex(list(ids)).astype("str").to_numpy(), "score": score}, index=list(ids))
    table["score_low"], table["score_high"] = (
        100.0 * np.quantile(share, _INTERVAL, axis=0) if len(share) else (0.0, 0.0)
    )
    trips = share * estimate.trips_per_month[:, None]
    # The mean trips are those that every other table of the run adds up to: mean level times mean share.
    table["trips_per_month"] = score / 100.0 * float(estimate.trips_per_month.mean())
    table["trips_low"], table["trips_high"] = np.quantile(trips, _INTERVAL, axis=0)
    table["rank"] = rank_units(score)
    table = table.join(summarise_draws(100.0 * share, table["rank"]))
    table["p_core"] = measure_core(share)
    tiers = np.select([table["p_core"] >= TIER_A, table["p_core"] >= TIER_B], ["A", "B"], "C")
    table["tier"] = pd.Series(np.where(score > 0, tiers, "insufficient data"), index=table.index, dtype="str")
    led = np.zeros(len(ids), dtype=bool)
    if _UNATTRIBUTED in without:
        led = (table["rank"].to_numpy() <= ENFORCEMENT_TOP) & (rank_units(without[_UNATTRIBUTED]) > DEMAND_TOP)
    table["enforcement_led"] = led
    for group, points in zip(groups, parts, strict=True):
        table[f"reason_{group}"] = points
    table["score_network"] = parts[0]
    return table


def _scores(table: pd.DataFrame, contract: object, share: FloatArray, ids: tuple[str, ...]) -> Scores:
    is_station = contract is STATION_SCORES
    unit = "station_id" if is_station else "place_id"
    table.index = table.index.astype("str").rename(unit)
    table = table.reset_index().sort_values(["rank", unit], kind="stable").set_index(unit)
    return Scores(
        table=validate(table, STATION_SCORES if is_station else PLACE_SCORES),
        rankability=measure_rankability(100.0 * share),
        agreement={},
        weights={},
        draws=100.0 * share,
        unit_ids=ids,
    )
