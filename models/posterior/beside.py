"""
Lists that stand beside the main one, each by a weight of its own and never blended into a score.

A weighted list answers another question of the same posterior: of 100 trips, each counted by what it would cost where
it goes, how many go to each town. The draws are those of the main list, so its interval is honest in the same way.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.errors import TableError
from models.posterior.estimate import Estimate
from models.scoring import rank_units

__all__ = ["rank_known", "weigh_towns"]

FloatArray = NDArray[np.float64]
_INTERVAL = (0.05, 0.95)


def weigh_towns(estimate: Estimate, weight: pd.Series) -> pd.DataFrame:
    r"""
    Weigh the trips into each town.

    .. math:: 100 \, E\left[\frac{\Lambda_j w_j}{\sum_k \Lambda_k w_k}\right]

    Parameters
    ----------
    estimate : Estimate
        The posterior.
    weight : pandas.Series
        Weight of a trip by ``place_id``, not negative; null where not known: such a town is not in the list.

    Returns
    -------
    pandas.DataFrame
        Index ``place_id`` in the order of the estimate; ``score, score_low, score_high`` (90 % interval) of 100
        weighted trips and ``rank`` in this list; null for towns without a weight.

    Raises
    ------
    TableError
        If a weight is negative or infinite.
    """
    ids = pd.Index(estimate.posterior.ways.town_ids, name="place_id", dtype="str")
    by_town = weight.reindex(ids).to_numpy(float)
    is_known = ~np.isnan(by_town)
    if (by_town[is_known] < 0).any() or np.isinf(by_town[is_known]).any():
        msg = f"weights: {by_town[is_known].min():g} is among them, expected finite ones of 0 or more. Mend the layer."
        raise TableError(msg)
    table = pd.DataFrame(np.nan, index=ids, columns=["score", "score_low", "score_high", "rank"])
    weighed = estimate.town_share[:, is_known] * by_town[is_known]
    total = weighed.sum(axis=1, keepdims=True)
    if not is_known.any() or not (total > 0).all():
        return table
    share = 100.0 * weighed / total
    table.loc[is_known, "score"] = share.mean(axis=0)
    table.loc[is_known, ["score_low", "score_high"]] = np.quantile(share, _INTERVAL, axis=0).T
    return table.assign(rank=rank_known(table["score"]))


def rank_known(values: pd.Series) -> pd.Series:
    """
    Rank what is known, 1 the highest; ties share the lowest rank.

    Parameters
    ----------
    values : pandas.Series
        Null where not known.

    Returns
    -------
    pandas.Series
        Whole numbers as floats; null where the value is.

    Examples
    --------
    >>> rank_known(pd.Series([2.0, float("nan"), 5.0, 2.0])).tolist()
    [2.0, nan, 1.0, 2.0]
    """
    known = values.dropna()
    ranks = pd.Series(rank_units(known.to_numpy(float)), index=known.index, dtype="float64")
    return ranks.reindex(values.index)
