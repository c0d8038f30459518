"""
Boosted trees that may only rise with each feature, kept as plain numbers.

Fitted by scikit-learn's histogram gradient boosting with Poisson loss and monotonic constraints; then the trees are
taken out as arrays, and this module alone predicts from them. A stored model is JSON that can be read and checked, and
nothing is ever unpickled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.ensemble import HistGradientBoostingRegressor

from models.counting import CountRegressor
from models.threads import one_thread

__all__ = ["MonotoneBoosting", "Tree"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Tree:
    """
    One regression tree as arrays over its nodes; node 0 is the root and children follow their parent.

    Attributes
    ----------
    feature : numpy.ndarray of int
        Feature each node splits on; -1 at a leaf.
    threshold : numpy.ndarray of float
        A row goes left where its feature is at most this; 0 at a leaf.
    left, right : numpy.ndarray of int
        Children; -1 at a leaf.
    value : numpy.ndarray of float
        What a leaf adds to the logarithm of the forecast; 0 elsewhere.
    """

    feature: NDArray[np.int64]
    threshold: FloatArray
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    value: FloatArray

    def predict(self, rows: FloatArray) -> FloatArray:
        """
        Give what the tree adds for each row.

        Parameters
        ----------
        rows : numpy.ndarray of shape (n_rows, n_features)
            Features.

        Returns
        -------
        numpy.ndarray of shape (n_rows,)
            Leaf values.
        """
        node = np.zeros(len(rows), dtype=np.int64)
        while True:
            inner = np.flatnonzero(self.feature[node] >= 0)
            if not len(inner):
                return np.asarray(self.value[node])
            at = node[inner]
            goes_left = rows[inner, self.feature[at]] <= self.threshold[at]
            node[inner] = np.where(goes_left, self.left[at], self.right[at])


class MonotoneBoosting(CountRegressor):
    """
    Forecast a count by boosted trees that rise, or fall, with each feature.

    Parameters
    ----------
    directions : sequence of int or None
        1 where the forecast may only rise with the feature, -1 only fall, 0 either; all 1 where None.
    n_trees : int
        Trees.
    learning_rate : float
        Share of each tree that is added.
    max_leaf_nodes, min_samples_leaf : int
        Size of a tree and of its leaves.

    Attributes
    ----------
    trees_ : list of Tree
        In the order they are added.
    baseline_ : float
        Logarithm of the mean count.
    """

    def __init__(
        self,
        directions: tuple[int, ...] | None = None,
        n_trees: int = 60,
        learning_rate: float = 0.08,
        max_leaf_nodes: int = 6,
        min_samples_leaf: int = 20,
    ) -> None:
        self.directions = directions
        self.n_trees = n_trees
        self.learning_rate = learning_rate
        self.max_leaf_nodes = max_leaf_nodes
        self.min_samples_leaf = min_samples_leaf

    def fit(self, X: ArrayLike, y: ArrayLike) -> MonotoneBoosting:
        """
        Fit the trees, on one thread so that every machine gives the same.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Features.
        y : array-like of shape (n_rows,)
            Counts.

        Returns
        -------
        MonotoneBoosting
            Itself.
        """
        features, outcomes = self._take(X, y)
        self.trees_: list[Tree] = []
        if outcomes.sum() <= 0:
            self.baseline_ = -np.inf
            return self
        directions = [1] * features.shape[1] if self.directions is None else list(self.directions)
        booster = HistGradientBoostingRegressor(
            loss="poisson",
            monotonic_cst=directions,
            max_iter=self.n_trees,
            learning_rate=self.learning_rate,
            max_leaf_nodes=self.max_leaf_nodes,
            min_samples_leaf=self.min_samples_leaf,
            early_stopping=False,
            random_state=0,
        )
        with one_thread():
            booster.fit(features, outcomes)
        self.baseline_ = float(np.ravel(booster._baseline_prediction)[0])  # noqa: SLF001 - no public way out
        self.trees_ = [_take_tree(stage[0].nodes) for stage in booster._predictors]  # noqa: SLF001 - no public way out
        return self

    def predict(self, X: ArrayLike) -> FloatArray:
        """
        Forecast counts.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Features.

        Returns
        -------
        numpy.ndarray of shape (n_rows,)
            Expected counts.
        """
        rows = self._take_rows(X)
        logs = np.full(len(rows), self.baseline_)
        for tree in self.trees_:
            logs += tree.predict(rows)
        return np.asarray(np.exp(logs))


def _take_tree(nodes: NDArray[np.void]) -> Tree:
    """One fitted tree without anything that predicting does not need."""
    is_leaf = nodes["is_leaf"].astype(bool)
    return Tree(
        feature=np.where(is_leaf, -1, nodes["feature_idx"].astype(np.int64)),
        threshold=np.where(is_leaf, 0.0, nodes["num_threshold"]),
        left=np.where(is_leaf, -1, nodes["left"].astype(np.int64)),
        right=np.where(is_leaf, -1, nodes["right"].astype(np.int64)),
        value=np.where(is_leaf, nodes["value"], 0.0),
    )
