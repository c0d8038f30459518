"""
One interface for every spatial interaction model: a long table of pairs in, flows out, origins' totals kept.

Comes in: a table with one row an origin and a destination (`origin_id`, `destination_id`, a cost, masses, covariates)
and, to predict, the `outflow` of each origin. Goes out: an array in the order of the rows. Every model here is
production-constrained: it says how a given outflow is shared among destinations, so what leaves an origin arrives
somewhere, or is stated as lost when no destination can be reached (a cost of infinity).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from geo.corridors.fit_scores import sorensen
from geo.errors import TableError, UsageError

__all__ = ["InteractionModel", "Pairs", "log_of", "require_counts", "require_pairs", "shares_from_log"]

_MOST_IDS = 3


@dataclass(frozen=True)
class Pairs:
    """
    A checked table of pairs, as arrays in the order of its rows.

    Attributes
    ----------
    origin : numpy.ndarray of shape (n_pairs,)
        Position of the origin in `origin_ids`.
    origin_ids : numpy.ndarray of shape (n_origins,)
        Sorted ids.
    columns : dict of str to numpy.ndarray of shape (n_pairs,)
        The numbers asked for.
    """

    origin: NDArray[np.int64]
    origin_ids: NDArray[np.object_]
    columns: dict[str, NDArray[np.float64]]

    @property
    def n_origins(self) -> int:
        """How many origins there are."""
        return len(self.origin_ids)

    def sum_by_origin(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """
        Add up a quantity over each origin's pairs.

        Parameters
        ----------
        values : numpy.ndarray of shape (n_pairs,)
            One number a pair.

        Returns
        -------
        numpy.ndarray of shape (n_origins,)
            The sums, in the order of `origin_ids`.
        """
        return np.bincount(self.origin, weights=values, minlength=self.n_origins).astype(np.float64)


class InteractionModel(BaseEstimator):  # type: ignore[misc]
    """
    Base of the models: `fit(X, y)`, `predict(X)`, `predict_share(X)`, `score(X, y)`.

    A subclass gives `_columns()`, the number columns it reads, and `_log_attraction(pairs)`; one that learns also gives
    `_learn(pairs, y)`. Parameters are plain, so scikit-learn's `clone` and `get_params` work.
    """

    def fit(self, X: pd.DataFrame, y: ArrayLike) -> Self:
        """
        Learn the model's parameters from observed flows.

        Parameters
        ----------
        X : pandas.DataFrame
            One row a pair: `origin_id`, `destination_id` and the columns the model names. Never modified.
        y : array-like of shape (n_pairs,)
            Observed flow of each pair, such as deal lines; not negative.

        Returns
        -------
        InteractionModel
            Itself, fitted.

        Raises
        ------
        TableError
            If a column is missing, a number is null or negative, or a pair repeats.
        """
        pairs = require_pairs(X, self._columns())
        self._learn(pairs, require_counts(y, len(pairs.origin)))
        self.is_fitted_ = True
        return self

    def predict_share(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """
        Predict the share of its origin's flow that each pair takes.

        Parameters
        ----------
        X : pandas.DataFrame
            As for `fit`.

        Returns
        -------
        numpy.ndarray of shape (n_pairs,)
            Shares that sum to 1 over an origin's pairs, or to 0 where none can be reached.

        Raises
        ------
        UsageError
            If the model has not been fitted.
        TableError
            If the table of pairs is at fault.
        """
        if not hasattr(self, "is_fitted_"):
            msg = f"{type(self).__name__}: it has no parameters yet, expected a fitted model. Call fit first."
            raise UsageError(msg)
        pairs = require_pairs(X, self._columns())
        return shares_from_log(self._log_attraction(pairs), pairs)

    def predict(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """
        Predict the flow of each pair, given each origin's outflow.

        Parameters
        ----------
        X : pandas.DataFrame
            As for `fit`, and `outflow`, the total that leaves the origin (the same on all its rows).

        Returns
        -------
        numpy.ndarray of shape (n_pairs,)
            Flows in the unit of `outflow`.

        Raises
        ------
        UsageError
            If the model has not been fitted.
        TableError
            If the table of pairs is at fault.
        """
        share = self.predict_share(X)
        return require_pairs(X, ("outflow",)).columns["outflow"] * share

    def score(self, X: pd.DataFrame, y: ArrayLike) -> float:
        """
        Score the prediction by the Sorensen index, the common part of commuters.

        Parameters
        ----------
        X : pandas.DataFrame
            As for `predict`.
        y : array-like of shape (n_pairs,)
            Observed flows.

        Returns
        -------
        float
            Between 0 and 1, higher is better.

        Raises
        ------
        TableError
            If the table of pairs or the flows are at fault.
        """
        return sorensen(require_counts(y, len(X)), self.predict(X))

    def _columns(self) -> tuple[str, ...]:
        raise NotImplementedError

    def _learn(self, pairs: Pairs, y: NDArray[np.float64]) -> None:
        """Nothing is learnt by a model without parameters."""

    def _log_attraction(self, pairs: Pairs) -> NDArray[np.float64]:
        raise NotImplementedError


def require_pairs(X: pd.DataFrame, columns: Sequence[str]) -> Pairs:
    """
    Pass a table of pairs on as arrays, or raise with every fault.

    Parameters
    ----------
    X : pandas.DataFrame
        One row a pair. Never modified.
    columns : sequence of str
        Number columns that must be there; none may be null or negative infinity. Positive infinity is allowed in a
        cost, where it means unreachable.

    Returns
    -------
    Pairs
        The arrays.

    Raises
    ------
    TableError
        If a column is missing, a number is null, or a pair repeats.
    """
    missing = [name for name in ("origin_id", "destination_id", *columns) if name not in X.columns]
    if missing:
        msg = f"pairs: columns {missing} are missing, expected one row a pair with them. Add the columns."
        raise TableError(msg)
    faults = []
    repeated = X.duplicated(["origin_id", "destination_id"])
    if repeated.any():
        rows = X.loc[repeated, ["origin_id", "destination_id"]].head(_MOST_IDS)
        faults.append(f"pairs repeat {[' > '.join(map(str, row)) for row in rows.to_numpy()]}")
    numbers = {name: X[name].to_numpy(dtype=float, na_value=np.nan) for name in columns}
    for name, values in numbers.items():
        broken = int((np.isnan(values) | np.isneginf(values)).sum())
        if broken:
            faults.append(f"column {name!r} is null or minus infinity in {broken} rows")
    if faults:
        msg = f"pairs: {'; '.join(faults)}, expected one complete row a pair. Mend or drop the rows."
        raise TableError(msg)
    codes, ids = pd.factorize(X["origin_id"].to_numpy(dtype=object), sort=True)
    return Pairs(codes.astype(np.int64), np.asarray(ids, dtype=object), numbers)


def require_counts(y: ArrayLike, n_pairs: int) -> NDArray[np.float64]:
    """
    Pass observed flows on as an array, or raise.

    Parameters
    ----------
    y : array-like of shape (n_pairs,)
        Observed flows.
    n_pairs : int
        How many there must be.

    Returns
    -------
    numpy.ndarray of shape (n_pairs,)
        The flows as floats.

    Raises
    ------
    TableError
        If there are too few or many, or one is negative or not finite.
    """
    values = np.asarray(y, dtype=float)
    if values.shape != (n_pairs,):
        msg = f"flows: shape is {values.shape}, expected ({n_pairs},). Give one flow a pair, in the order of its rows."
        raise TableError(msg)
    broken = int((~np.isfinite(values) | (values < 0)).sum())
    if broken:
        msg = (
            f"flows: {broken} are negative or not finite, expected counts. Drop the pairs or set unobserved ones to 0."
        )
        raise TableError(msg)
    return values


def shares_from_log(log_attraction: NDArray[np.float64], pairs: Pairs) -> NDArray[np.float64]:
    """
    Turn log attractions into shares within each origin.

    Parameters
    ----------
    log_attraction : numpy.ndarray of shape (n_pairs,)
        Minus infinity where the destination cannot be reached.
    pairs : Pairs
        Which pair belongs to which origin.

    Returns
    -------
    numpy.ndarray of shape (n_pairs,)
        Shares that sum to 1 over an origin's pairs, or to 0 where none can be reached.

    Raises
    ------
    UsageError
        If an attraction is not a number, such as the logarithm of a negative mass.
    """
    if np.isnan(log_attraction).any() or np.isposinf(log_attraction).any():
        n_broken = int((np.isnan(log_attraction) | np.isposinf(log_attraction)).sum())
        msg = f"attraction: {n_broken} pairs have none, expected positive masses and costs. Drop them or set a floor."
        raise UsageError(msg)
    top = np.full(pairs.n_origins, -np.inf)
    np.maximum.at(top, pairs.origin, log_attraction)
    # An origin that reaches nothing has a top of minus infinity; 0 stands in so that its shares become 0, not NaN.
    weight = np.exp(log_attraction - np.where(np.isfinite(top), top, 0.0)[pairs.origin])
    total = pairs.sum_by_origin(weight)[pairs.origin]
    return np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)


def log_of(values: NDArray[np.float64], name: str, model: InteractionModel) -> NDArray[np.float64]:
    """
    Take logarithms of masses or costs that must be positive.

    Parameters
    ----------
    values : numpy.ndarray
        The numbers; infinity stays infinity.
    name : str
        Column name for the message.
    model : InteractionModel
        The model that asks, for the message.

    Returns
    -------
    numpy.ndarray
        Natural logarithms.

    Raises
    ------
    TableError
        If one is not positive.
    """
    if (values <= 0).any():
        msg = (
            f"pairs: column {name!r} is not positive in {int((values <= 0).sum())} rows, expected positive numbers for "
            f"{type(model).__name__}, which takes their logarithm. Set a floor or drop the pairs."
        )
        raise TableError(msg)
    return np.log(values)
