"""
Forecasts from counts: proportional baselines, gamma-Poisson shrinkage, and a Poisson regression.

All are scikit-learn regressors of a count on non-negative features, fit in milliseconds, and are a handful of numbers
that can be read. A forecast that cannot beat `PriorCounts` is not worth explaining to anyone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import PoissonRegressor
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, check_non_negative, validate_data

from geo.errors import UsageError
from models.shrinkage import fit_gamma_prior
from models.threads import one_thread

__all__ = [
    "CountRegressor",
    "EmpiricalBayesCounts",
    "Footfall",
    "NearestByTrain",
    "PoissonGlm",
    "Population",
    "PriorCounts",
    "Proportional",
]

FloatArray = NDArray[np.float64]


class CountRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """What the count models share: non-negative features and outcomes, and a checked door."""

    def _take(self, X: ArrayLike, y: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Checked features and outcomes."""
        features, outcomes = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        check_non_negative(features, type(self).__name__)
        outcomes = np.asarray(outcomes, dtype=float)
        if (outcomes < 0).any():
            msg = f"y: it holds {outcomes.min():g}, expected counts of zero or more. Count the outcomes again."
            raise UsageError(msg)
        return features, outcomes

    def _take_rows(self, X: ArrayLike) -> FloatArray:
        """Checked features of a fitted model."""
        check_is_fitted(self)
        return np.asarray(validate_data(self, X, dtype=np.float64, reset=False))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        tags.target_tags.positive_only = True
        tags.regressor_tags.poor_score = True
        return tags


class Proportional(CountRegressor):
    """
    Forecast in proportion to one feature.

    Parameters
    ----------
    column : int
        Position of the feature.

    Attributes
    ----------
    factor_ : float
        Outcomes for each unit of the feature.
    """

    def __init__(self, column: int = 0) -> None:
        self.column = column

    def fit(self, X: ArrayLike, y: ArrayLike) -> Proportional:
        """
        Fit the factor.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Non-negative features.
        y : array-like of shape (n_rows,)
            Counts.

        Returns
        -------
        Proportional
            Itself.
        """
        features, outcomes = self._take(X, y)
        total = self._value(features).sum()
        self.factor_ = float(outcomes.sum() / total) if total > 0 else 0.0
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
        return np.asarray(self.factor_ * self._value(rows))

    def _value(self, features: FloatArray) -> FloatArray:
        """The feature, never negative."""
        return np.maximum(features[:, self.column], 0.0)


class PriorCounts(Proportional):
    """Counting: what was seen before is what comes next, in proportion."""


class Population(Proportional):
    """In proportion to the people who live there."""


class Footfall(Proportional):
    """In proportion to the passengers who pass."""


class NearestByTrain(Proportional):
    """In inverse proportion to the minutes by train from the nearest exporting hub, plus one."""

    def _value(self, features: FloatArray) -> FloatArray:
        """The inverse of the minutes, never negative."""
        return np.asarray(1.0 / (1.0 + np.maximum(features[:, self.column], 0.0)))


class EmpiricalBayesCounts(CountRegressor):
    """
    Forecast by the unit's own past count, shrunk towards all units.

    Parameters
    ----------
    count_column : int
        Position of the past count.
    exposure_column : int or None
        Position of its exposure, such as months or hours; one for all where None.

    Attributes
    ----------
    shape_, rate_ : float
        The gamma prior.
    factor_ : float
        Outcomes for each unit of the shrunk rate.
    """

    def __init__(self, count_column: int = 0, exposure_column: int | None = None) -> None:
        self.count_column = count_column
        self.exposure_column = exposure_column

    def fit(self, X: ArrayLike, y: ArrayLike) -> EmpiricalBayesCounts:
        """
        Fit the prior to the past counts and the factor to the outcomes.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Non-negative features.
        y : array-like of shape (n_rows,)
            Counts.

        Returns
        -------
        EmpiricalBayesCounts
            Itself.
        """
        features, outcomes = self._take(X, y)
        counts, exposure = self._columns(features)
        prior = fit_gamma_prior(counts, exposure)
        self.shape_, self.rate_ = prior.shape, prior.rate
        self.factor_ = float(outcomes.sum() / prior.shrink(counts, exposure).sum())
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
        counts, exposure = self._columns(self._take_rows(X))
        return np.asarray(self.factor_ * (counts + self.shape_) / (exposure + self.rate_))

    def _columns(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Past counts and their exposure."""
        counts = np.maximum(features[:, self.count_column], 0.0)
        if self.exposure_column is None:
            return counts, np.ones(len(features))
        return counts, np.maximum(features[:, self.exposure_column], 0.0)


class PoissonGlm(CountRegressor):
    """
    Forecast by a Poisson regression on the logarithms of the features.

    Parameters
    ----------
    alpha : float
        Ridge penalty on the standardised coefficients; few events need more.

    Attributes
    ----------
    centre_, scale_ : numpy.ndarray of shape (n_features,)
        Mean and standard deviation of the logarithms.
    coef_ : numpy.ndarray of shape (n_features,)
        Standardised coefficients.
    intercept_ : float
        Logarithm of the mean count at the centre.
    """

    def __init__(self, alpha: float = 0.1) -> None:
        self.alpha = alpha

    def fit(self, X: ArrayLike, y: ArrayLike) -> PoissonGlm:
        """
        Fit the coefficients.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Non-negative features.
        y : array-like of shape (n_rows,)
            Counts.

        Returns
        -------
        PoissonGlm
            Itself.
        """
        features, outcomes = self._take(X, y)
        logs = _log(features)
        self.centre_ = logs.mean(axis=0)
        spread = logs.std(axis=0)
        self.scale_ = np.where(spread > 1e-12, spread, 1.0)
        if outcomes.sum() <= 0:
            # No event at all: the likelihood has no maximum, and the honest forecast is none.
            self.coef_, self.intercept_ = np.zeros(logs.shape[1]), -np.inf
            return self
        model = PoissonRegressor(alpha=self.alpha, solver="newton-cholesky", max_iter=200)
        with one_thread():
            model.fit((logs - self.centre_) / self.scale_, outcomes)
        self.coef_, self.intercept_ = model.coef_, float(model.intercept_)
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
        rows = (_log(self._take_rows(X)) - self.centre_) / self.scale_
        # A row far outside what was seen must not overflow the exponential.
        return np.asarray(np.exp(np.clip((rows * self.coef_).sum(axis=1) + self.intercept_, None, 50.0)))


def _log(features: FloatArray) -> FloatArray:
    """The logarithm of one plus the feature."""
    return np.asarray(np.log1p(np.maximum(features, 0.0)))
