"""The models that are judged against each other, each with the features it may see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.linear_model import PoissonRegressor

from models.boosting import MonotoneBoosting
from models.counting import (
    CountRegressor,
    EmpiricalBayesCounts,
    Footfall,
    NearestByTrain,
    PoissonGlm,
    Population,
    PriorCounts,
)
from models.index import ExpertIndex
from models.panel import PAST_COLUMNS
from models.threads import one_thread

__all__ = ["COUNTING", "Candidate", "IndexForecast", "list_candidates"]

FloatArray = NDArray[np.float64]
COUNTING = "counting"
# trust.md D7: with fewer outcomes than this, trees learn noise.
FEWEST_EVENTS_FOR_TREES = 200
# Columns of the fixed features that a baseline reads, where they are given.
_BASELINES = {
    "population": ("population", Population),
    "footfall": ("footfall", Footfall),
    "train_min": ("nearest_by_train", NearestByTrain),
}


@dataclass(frozen=True)
class Candidate:
    """
    A model and what it may see.

    Attributes
    ----------
    name : str
        As it is called in the tables.
    model : CountRegressor
        Not fitted.
    columns : tuple of int
        Positions of its features.
    is_baseline : bool
        Whether it is there to be beaten.
    """

    name: str
    model: CountRegressor
    columns: tuple[int, ...]
    is_baseline: bool


class IndexForecast(CountRegressor):
    """
    Forecast a count that rises with the expert index of the same features.

    One slope links points to the logarithm of the count, so that units left out of the fit keep their order among
    those left in.

    Parameters
    ----------
    weights, directions : tuple or None
        As for `models.index.ExpertIndex`.
    normalisation : str
        As for `models.index.ExpertIndex`.

    Attributes
    ----------
    index_ : ExpertIndex
        Fitted.
    slope_, intercept_ : float
        Of the logarithm of the count on the score over 100; the slope is never negative.
    """

    def __init__(
        self,
        weights: tuple[float, ...] | None = None,
        directions: tuple[int, ...] | None = None,
        normalisation: str = "percentile",
    ) -> None:
        self.weights = weights
        self.directions = directions
        self.normalisation = normalisation

    def fit(self, X: ArrayLike, y: ArrayLike) -> IndexForecast:
        """
        Fit the reference of the index, the slope and the intercept.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Non-negative features.
        y : array-like of shape (n_rows,)
            Counts.

        Returns
        -------
        IndexForecast
            Itself.
        """
        features, outcomes = self._take(X, y)
        self.index_ = ExpertIndex(self.weights, self.directions, self.normalisation).fit(features)
        shares = self.index_.predict(features) / 100.0
        self.slope_, self.intercept_ = 0.0, -np.inf
        if outcomes.sum() > 0:
            line = PoissonRegressor(alpha=1e-6, solver="newton-cholesky", max_iter=200)
            with one_thread():
                line.fit(shares[:, None], outcomes)
            self.slope_ = max(float(line.coef_[0]), 0.0)
            # With the slope given, this intercept keeps the total.
            self.intercept_ = float(np.log(outcomes.sum() / np.exp(self.slope_ * shares).sum()))
        return self

    def predict(self, X: ArrayLike) -> FloatArray:
        """
        Forecast counts.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Non-negative features.

        Returns
        -------
        numpy.ndarray of shape (n_rows,)
            Expected counts.
        """
        rows = self._take_rows(X)
        return np.asarray(np.exp(self.intercept_ + self.slope_ * self.index_.predict(rows) / 100.0))


def list_candidates(columns: tuple[str, ...], *, n_events: float) -> tuple[Candidate, ...]:
    """
    List the models that these features and this many outcomes allow.

    Parameters
    ----------
    columns : tuple of str
        Columns of a `models.panel.Panel`.
    n_events : float
        Outcomes to learn from; boosted trees need 200.

    Returns
    -------
    tuple of Candidate
        Counting first, then the other baselines, then the models.
    """
    n_past = len(PAST_COLUMNS)
    rate = PAST_COLUMNS.index("prior_count_per_month")
    learnt = (rate, *range(n_past, len(columns)))
    # More minutes by train mean less; everything else means more.
    directions = tuple(-1 if columns[c] == "train_min" else 1 for c in learnt)
    # ASSUMPTION, as in the index of an issued list: half of the weight on what was seen, half on structure.
    weights = (0.5, *(0.5 / max(len(learnt) - 1, 1),) * (len(learnt) - 1))
    baselines = [Candidate(COUNTING, PriorCounts(), (rate,), is_baseline=True)]
    baselines += [
        Candidate(name, kind(), (columns.index(column),), is_baseline=True)
        for column, (name, kind) in _BASELINES.items()
        if column in columns
    ]
    models = [
        Candidate("expert_index", IndexForecast(weights, directions), learnt, is_baseline=False),
        Candidate("empirical_bayes", EmpiricalBayesCounts(0, 1), (0, 1), is_baseline=False),
        Candidate("poisson_glm", PoissonGlm(), learnt, is_baseline=False),
    ]
    if n_events >= FEWEST_EVENTS_FOR_TREES:
        trees = MonotoneBoosting(directions=directions)
        models.append(Candidate("monotone_boosting", trees, learnt, is_baseline=False))
    return (*baselines, *models)
