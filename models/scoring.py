"""
Scores of stations and towns: points, reasons, rank intervals, tiers, and demand kept apart from enforcement.

In: a `FeatureSet`. Out: a `Scores`, whose table keeps `geo.tables.STATION_SCORES` or `PLACE_SCORES` with one
``reason_*`` column a component. Ranks and tiers follow Marshall and Spiegelhalter 1998 (BMJ 316, 1701-1704) and Lingsma
et al. 2009 (BMC Health Services Research 9, 188): an interval of the rank, the chance of the top ten, and the
rankability, which is the share of the spread between units that is not noise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import kendalltau, rankdata

from geo.errors import ModelGateError
from geo.schema import validate
from geo.tables import PLACE_SCORES, STATION_SCORES
from models.composition import measure_reasons, score_draws
from models.draws import IndexSettings, base_realisation, draw_realisations, scored_features
from models.features import FeatureSet

__all__ = ["Scores", "rank_units", "require_rankable", "score_units", "summarise_draws"]

FloatArray = NDArray[np.float64]
N_DRAWS = 1000
# trust.md D4 and D7: the project's own limits, confirmed locally.
TOP = 10
TIER_A, TIER_B = 0.8, 0.4
WIDEST_SHARE = 0.25
MIN_RANKABILITY = 0.5
FEWEST_EVENTS = 5
ENFORCEMENT_TOP, DEMAND_TOP = 10, 20


@dataclass(frozen=True)
class Scores:
    """
    A scored list and what it rests on.

    Attributes
    ----------
    table : pandas.DataFrame
        Table `geo.tables.STATION_SCORES` or `PLACE_SCORES`, ordered by rank then id. Beyond the contract:
        ``reason_*`` (points, summing to ``score``), ``score_demand_only``, ``score_enforcement_only``,
        ``rank_demand_only``, ``enforcement_share`` (of the score), ``n_events``, ``is_rank_issued`` (False where the
        interval spans more than a quarter of the units: show the tier) and the hotspot harm within reach.
    rankability : float
        Share of the spread between units that is not noise, 0 to 1; below 0.5 no ranking is issued.
    agreement : dict of str to float
        Kendall's tau between the demand-only, the enforcement-only and the whole ranking; NaN where one is constant.
    weights : dict of str to float
        Weight used for each component; they sum to one.
    draws : numpy.ndarray of shape (n_draws, n_units)
        Scores in each draw, in the order of `unit_ids`.
    unit_ids : tuple of str
        Sorted ids.
    """

    table: pd.DataFrame
    rankability: float
    agreement: dict[str, float]
    weights: dict[str, float]
    draws: FloatArray
    unit_ids: tuple[str, ...]


def score_units(
    features: FeatureSet,
    *,
    random_state: int,
    settings: IndexSettings | None = None,
    n_draws: int = N_DRAWS,
) -> Scores:
    """
    Score stations or towns, with reasons and uncertainty.

    Parameters
    ----------
    features : FeatureSet
        From `models.features`.
    random_state : int
        Seed of the draws.
    settings : IndexSettings or None
        Weights and choices; the defaults where None.
    n_draws : int
        Draws behind the intervals; at least 1,000 for an issued list.

    Returns
    -------
    Scores
        The table and what it rests on.

    Raises
    ------
    UsageError
        If a weight or choice is not usable.
    """
    settings = settings or IndexSettings()
    base = base_realisation(features, settings)
    points = measure_reasons(features, base, settings)[0]
    score = points.sum(axis=1)
    used = scored_features(features, settings)
    draws = score_draws(
        features, draw_realisations(features, settings, n_draws=n_draws, random_state=random_state), settings
    )
    apart = _score_apart(features, settings)
    table = pd.DataFrame({"name": features.names.astype("str"), "score": np.minimum(score, 100.0)})
    table["rank"] = rank_units(score)
    table = table.join(summarise_draws(draws, table["rank"]))
    table["tier"] = _tiers(table["p_top_10"], features)
    table["enforcement_led"] = (rank_units(apart["with_raw_enforcement"]) <= ENFORCEMENT_TOP) & (
        rank_units(apart["demand_only"]) > DEMAND_TOP
    )
    for m, feature in enumerate(used):
        table[f"reason_{feature.name}"] = points[:, m]
    table["score_demand_only"] = apart["demand_only"]
    table["rank_demand_only"] = rank_units(apart["demand_only"])
    table["score_enforcement_only"] = apart["enforcement_only"]
    led = np.array([feature.led == "enforcement" for feature in used])
    table["enforcement_share"] = np.divide(points[:, led].sum(axis=1), score, out=np.zeros(len(score)), where=score > 0)
    table["n_events"] = features.evidence.totals
    is_station = features.unit_name == "station_id"
    table["hotspot_harm_within_15_min_walk" if is_station else "hotspot_harm_in_town"] = features.hotspot_harm
    table.index = table.index.astype("str").rename(features.unit_name)
    table = table.reset_index().sort_values(["rank", features.unit_name], kind="stable").set_index(features.unit_name)
    return Scores(
        table=validate(table, STATION_SCORES if is_station else PLACE_SCORES),
        rankability=measure_rankability(draws),
        agreement=_agreement(score, apart),
        weights={feature.name: float(weight) for feature, weight in zip(used, base.weights[0], strict=True)},
        draws=draws,
        unit_ids=tuple(map(str, features.names.index)),
    )


def rank_units(scores: FloatArray) -> NDArray[np.int64]:
    """
    Rank scores, 1 the highest; ties share the lowest rank.

    Parameters
    ----------
    scores : numpy.ndarray of shape (n_units,) or (n_draws, n_units)
        Scores.

    Returns
    -------
    numpy.ndarray
        Ranks, of the same shape.

    Examples
    --------
    >>> rank_units(np.array([3.0, 9.0, 3.0]))
    array([2, 1, 2])
    """
    # Equal sums of points may differ in the last bit: a tie must not hang on it.
    return np.asarray(rankdata(-np.round(scores, 9), method="min", axis=-1)).astype(np.int64)


def summarise_draws(draws: FloatArray, rank: pd.Series) -> pd.DataFrame:
    """
    Summarise the ranks in all draws.

    Parameters
    ----------
    draws : numpy.ndarray of shape (n_draws, n_units)
        Scores.
    rank : pandas.Series
        Rank in the base score, in the order of the columns; the interval is widened to hold it.

    Returns
    -------
    pandas.DataFrame
        ``rank_low``, ``rank_high`` (5 % and 95 % points), ``p_top_5``, ``p_top_10``, ``expected_rank`` and
        ``is_rank_issued``; index of `rank`.
    """
    ranks = rank_units(draws)
    low, high = np.quantile(ranks, (0.05, 0.95), axis=0, method="inverted_cdf")
    position = rank.to_numpy(np.int64)
    table = pd.DataFrame(
        {
            "rank_low": np.minimum(low.astype(np.int64), position),
            "rank_high": np.maximum(high.astype(np.int64), position),
            "p_top_5": (ranks <= 5).mean(axis=0),
            "p_top_10": (ranks <= TOP).mean(axis=0),
            "expected_rank": ranks.mean(axis=0),
        },
        index=rank.index,
    )
    table["is_rank_issued"] = table["rank_high"] - table["rank_low"] <= WIDEST_SHARE * len(table)
    return table


def measure_rankability(draws: FloatArray) -> float:
    """
    Measure the share of the spread between units that is not noise.

    Parameters
    ----------
    draws : numpy.ndarray of shape (n_draws, n_units)
        Scores.

    Returns
    -------
    float
        Variance of the units' means over that variance plus the median variance within a unit; 0 where all are equal.
    """
    # What moves all units together moves no rank, so each draw is read about its own mean.
    centred = draws - draws.mean(axis=1, keepdims=True)
    between = float(centred.mean(axis=0).var())
    within = float(np.median(centred.var(axis=0)))
    return between / (between + within) if between + within > 0 else 0.0


def require_rankable(scores: Scores, *, lowest: float = MIN_RANKABILITY) -> None:
    """
    Pass if the list may be issued as a ranking, raise otherwise.

    Parameters
    ----------
    scores : Scores
        From `score_units`.
    lowest : float
        Least rankability.

    Raises
    ------
    ModelGateError
        If more of the spread is noise than the limit allows.
    """
    if scores.rankability < lowest:
        msg = (
            f"scores: rankability is {scores.rankability:.2f}, expected at least {lowest:.2f}. "
            "Issue tiers and descriptive counts, not a ranking."
        )
        raise ModelGateError(msg)


def _tiers(p_top_10: pd.Series, features: FeatureSet) -> pd.Series:
    """A, B and C by the chance of the top ten; insufficient where there is neither event nor flow."""
    tiers = np.select([p_top_10 >= TIER_A, p_top_10 >= TIER_B], ["A", "B"], "C")
    has_flow = features.fixed["courier_flow"].to_numpy() > 0
    bare = (features.evidence.totals < FEWEST_EVENTS) & ~has_flow
    return pd.Series(np.where(bare, "insufficient data", tiers), index=p_top_10.index, dtype="str")


def _score_apart(features: FeatureSet, settings: IndexSettings) -> dict[str, FloatArray]:
    """Scores from demand alone, from enforcement alone, and from all evidence even where no log allows it."""
    dictionary = {feature.name: feature for feature in features.dictionary.scored}
    weights = dict(settings.weights or {name: feature.weight for name, feature in dictionary.items()})
    demand = {name: w for name, w in weights.items() if dictionary[name].led != "enforcement"}
    raw = features if features.propensity is not None else replace(features, propensity=np.ones(features.n_units))
    return {
        "demand_only": _score_once(features, replace(settings, weights=demand)),
        "enforcement_only": _score_once(raw, replace(settings, weights={"enforcement_rate": 1.0})),
        "with_raw_enforcement": _score_once(raw, settings),
    }


def _score_once(features: FeatureSet, settings: IndexSettings) -> FloatArray:
    """The base score under these settings; zero for all where nothing is weighed."""
    if not any(weight > 0 for weight in (settings.weights or {"default": 1.0}).values()):
        return np.zeros(features.n_units)
    draw = base_realisation(features, settings)
    return np.asarray(measure_reasons(features, draw, settings)[0].sum(axis=1))


def _agreement(score: FloatArray, apart: dict[str, FloatArray]) -> dict[str, float]:
    """Kendall's tau-b between the three rankings."""
    pairs = {
        "demand_only_and_all": (apart["demand_only"], score),
        "enforcement_only_and_all": (apart["enforcement_only"], score),
        "demand_only_and_enforcement_only": (apart["demand_only"], apart["enforcement_only"]),
    }
    return {name: _tau(left, right) for name, (left, right) in pairs.items()}


def _tau(left: FloatArray, right: FloatArray) -> float:
    """Kendall's tau-b; NaN where one side is constant."""
    if len(left) < 2 or np.ptp(left) == 0 or np.ptp(right) == 0:
        return float("nan")
    return float(kendalltau(np.round(left, 9), np.round(right, 9)).statistic)
