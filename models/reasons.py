"""
Why a station or town stands where it does, and what would move it.

Contributions are exact, because the score is a sum: the points of each component, and the points above or below the
mean unit, which is the Shapley value of an additive score. What would move a unit out of the top ten is found by
solving for one component at a time; what-if scores the whole list again under other weights or assumptions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from geo.errors import UsageError
from models.composition import measure_features, measure_reasons
from models.draws import IndexSettings, base_realisation, scored_features
from models.features import FeatureSet
from models.scoring import TOP, Scores, rank_units, score_units

__all__ = ["Explanation", "drop_one", "explain_unit", "what_if"]


@dataclass(frozen=True)
class Explanation:
    """
    Why one unit stands where it does.

    Attributes
    ----------
    unit_id, name : str
        Which.
    score : float
        Points, 0 to 100.
    rank : int
        1 is most exposed.
    components : pandas.DataFrame
        One row a component, largest first, index ``component_id``: ``value`` and ``unit`` of the feature, ``led``,
        ``points`` (summing to the score), ``points_above_mean`` (summing to the score less the mean score),
        ``points_to_cross`` and ``can_cross``: the points that this component alone would have to lose for the unit to
        leave the top ten (or gain, for one outside, to enter it), and whether it has them to lose or gain.
    sentence : str
        The same in words.
    """

    unit_id: str
    name: str
    score: float
    rank: int
    components: pd.DataFrame
    sentence: str


def explain_unit(features: FeatureSet, unit_id: str, *, settings: IndexSettings | None = None) -> Explanation:
    """
    Explain a station or a town.

    Parameters
    ----------
    features : FeatureSet
        What is known.
    unit_id : str
        CRS code or place id.
    settings : IndexSettings or None
        The settings that the list was scored with.

    Returns
    -------
    Explanation
        Its components and what would move it.

    Raises
    ------
    UsageError
        If no such unit was scored.
    """
    settings = settings or IndexSettings()
    ids = list(map(str, features.names.index))
    if unit_id not in ids:
        msg = f"unit: {unit_id!r} is not scored, expected one of {len(ids)} in the force area. Check the code."
        raise UsageError(msg)
    k = ids.index(unit_id)
    base = base_realisation(features, settings)
    points = measure_reasons(features, base, settings)[0]
    used = scored_features(features, settings)
    values = measure_features(features, base)
    score = points.sum(axis=1)
    rank = int(rank_units(score)[k])
    # The eleventh for a unit inside, the tenth for one outside: only one component moves, so the others stand still.
    others = np.sort(np.delete(score, k))[::-1]
    edge = others[min(TOP, len(others)) - 1] if rank <= TOP else others[TOP - 1]
    gap = float(score[k] - edge)
    room = points[k] if rank <= TOP else 100.0 * base.weights[0] - points[k]
    table = pd.DataFrame(
        {
            "value": [float(values[feature.name][0, k]) for feature in used],
            "unit": [feature.unit for feature in used],
            "led": [feature.led for feature in used],
            "points": points[k],
            "points_above_mean": points[k] - points.mean(axis=0),
            "points_to_cross": abs(gap),
            "can_cross": room > abs(gap) if len(ids) > TOP else np.zeros(len(used), dtype=bool),
        },
        index=pd.Index([feature.name for feature in used], name="component_id"),
    ).sort_values("points", ascending=False, kind="stable")
    name = str(features.names.iloc[k])
    return Explanation(unit_id, name, float(score[k]), rank, table, _say(name, rank, len(ids), table))


def what_if(
    features: FeatureSet,
    before: Scores,
    *,
    random_state: int,
    settings: IndexSettings | None = None,
    weights: dict[str, float] | None = None,
    normalisation: str | None = None,
    unknown_as_demand_share: float | None = None,
    n_draws: int = 200,
) -> pd.DataFrame:
    """
    Score the list again under other choices and lay it beside the list before.

    Parameters
    ----------
    features : FeatureSet
        What is known.
    before : Scores
        The list as issued.
    random_state : int
        Seed.
    settings : IndexSettings or None
        The settings that the list was scored with.
    weights : dict of str to float or None
        Other weights.
    normalisation : str or None
        Another normalisation.
    unknown_as_demand_share : float or None
        Another share of unknown provenance read as demand.
    n_draws : int
        Draws behind the new intervals.

    Returns
    -------
    pandas.DataFrame
        Ordered by the new rank: ``name, score_before, score_after, rank_before, rank_after, rank_change`` (positive is
        up the list), ``enters_top_10`` and ``leaves_top_10``.
    """
    settings = settings or IndexSettings()
    if weights is not None:
        settings = replace(settings, weights=weights)
    if normalisation is not None:
        settings = replace(settings, normalisation=normalisation)
    if unknown_as_demand_share is not None:
        features = replace(features, unknown_as_demand_share=unknown_as_demand_share)
    after = score_units(features, random_state=random_state, settings=settings, n_draws=n_draws).table
    old = before.table.reindex(after.index)
    return pd.DataFrame(
        {
            "name": after["name"],
            "score_before": old["score"],
            "score_after": after["score"],
            "rank_before": old["rank"],
            "rank_after": after["rank"],
            "rank_change": old["rank"] - after["rank"],
            "enters_top_10": (after["rank"] <= TOP) & (old["rank"] > TOP),
            "leaves_top_10": (after["rank"] > TOP) & (old["rank"] <= TOP),
        }
    )


def drop_one(features: FeatureSet, *, settings: IndexSettings | None = None) -> pd.DataFrame:
    """
    Leave out one component at a time and see how far the list moves.

    Parameters
    ----------
    features : FeatureSet
        What is known.
    settings : IndexSettings or None
        The settings that the list was scored with.

    Returns
    -------
    pandas.DataFrame
        Index ``component_id``: ``mean_rank_shift`` (places) and ``top_10_kept_share``.
    """
    settings = settings or IndexSettings()
    used = scored_features(features, settings)
    weights = {
        feature.name: (settings.weights or {}).get(feature.name, feature.weight) if settings.weights else feature.weight
        for feature in used
    }
    whole = _ranks(features, settings)
    rows = {}
    for feature in used:
        rest = {name: weight for name, weight in weights.items() if name != feature.name}
        if not rest:
            continue
        ranks = _ranks(features, replace(settings, weights=rest))
        top = whole <= TOP
        rows[feature.name] = (float(np.abs(ranks - whole).mean()), float((ranks[top] <= TOP).mean()))
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["mean_rank_shift", "top_10_kept_share"])
    return table.rename_axis("component_id")


def _ranks(features: FeatureSet, settings: IndexSettings) -> np.ndarray:
    """Ranks with nothing varied."""
    points = measure_reasons(features, base_realisation(features, settings), settings)[0]
    return rank_units(points.sum(axis=1))


def _say(name: str, rank: int, n_units: int, table: pd.DataFrame) -> str:
    """The explanation in one or two sentences."""
    first = table.index[0].replace("_", " ")
    share = table["points"].iloc[0] / max(float(table["points"].sum()), 1e-12)
    text = f"{name} is {rank} of {n_units}; {first} gives {share:.0%} of its score."
    able = [component.replace("_", " ") for component in table.index[table["can_cross"].to_numpy(dtype=bool)]]
    verb, way = ("lose", "leave") if rank <= TOP else ("gain", "enter")
    if n_units <= TOP:
        return f"{text} With {n_units} places, all are in the top ten."
    gap = table["points_to_cross"].iloc[0]
    if not able:
        return f"{text} No single component could make it {way} the top ten."
    return f"{text} It would {way} the top ten if {' or '.join(able)} alone were to {verb} {gap:.1f} points."
