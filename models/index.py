r"""
The expert index: a weighted mean of normalised features, with reasons that add up exactly.

.. math:: s_k = 100 \sum_m w_m z_{km}, \qquad \phi_{km} = 100 w_m z_{km}

with weights that sum to one, so the score is between 0 and 100 and the reasons sum to it (OECD and JRC 2008, "Handbook
on Constructing Composite Indicators"). Enforcement-led features share a capped part of the weight.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from geo.errors import UsageError
from models.normalisation import NORMALISATIONS, normalise

__all__ = ["ENFORCEMENT_CAP", "ExpertIndex", "cap_weights"]

FloatArray = NDArray[np.float64]
# The largest share of the weight that enforcement-led features may hold (trust.md F-3).
ENFORCEMENT_CAP = 0.20


class ExpertIndex(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """
    Score units by a weighted mean of their normalised features.

    Parameters
    ----------
    weights : sequence of float or None
        Weight of each feature, non-negative, rescaled to sum to one; equal where None.
    directions : sequence of int or None
        1 where more means more exposure, -1 where less; all 1 where None.
    normalisation : str
        One of `models.normalisation.NORMALISATIONS`.

    Attributes
    ----------
    weights_ : numpy.ndarray of shape (n_features,)
        Weights that sum to one.
    reference_ : numpy.ndarray of shape (n_units, n_features)
        The features it was fitted to, against which new rows are normalised.
    n_features_in_ : int
        Number of features.

    Examples
    --------
    >>> features = np.array([[0.0, 1.0], [5.0, 0.0], [9.0, 2.0]])
    >>> index = ExpertIndex(weights=(0.75, 0.25)).fit(features)
    >>> index.predict(features)
    array([ 12.5,  37.5, 100. ])
    >>> index.transform(features).sum(axis=1)
    array([ 12.5,  37.5, 100. ])
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

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> ExpertIndex:  # noqa: ARG002 - scikit-learn's signature
        """
        Keep the reference that new rows are normalised against.

        Parameters
        ----------
        X : array-like of shape (n_units, n_features)
            Features.
        y : array-like or None
            Not used: experts, not outcomes, set the weights.

        Returns
        -------
        ExpertIndex
            Itself.

        Raises
        ------
        UsageError
            If weights, directions or the normalisation are not usable.
        """
        reference = validate_data(self, X, dtype=np.float64)
        n_features = reference.shape[1]
        if self.normalisation not in NORMALISATIONS:
            msg = (
                f"normalisation: it is {self.normalisation!r}, expected one of {', '.join(NORMALISATIONS)}. "
                "Name one of them."
            )
            raise UsageError(msg)
        weights = np.ones(n_features) if self.weights is None else np.asarray(self.weights, dtype=float)
        if len(weights) != n_features or (weights < 0).any() or not np.isfinite(weights).all() or weights.sum() <= 0:
            msg = (
                f"weights: they are {weights.tolist()}, expected {n_features} non-negative numbers, not all zero. "
                "Give such numbers."
            )
            raise UsageError(msg)
        self.weights_ = weights / weights.sum()
        self.directions_ = np.ones(n_features) if self.directions is None else np.sign(np.asarray(self.directions))
        self.reference_ = reference * self.directions_
        return self

    def transform(self, X: ArrayLike) -> FloatArray:
        """
        Give the contribution of each feature.

        Parameters
        ----------
        X : array-like of shape (n_units, n_features)
            Features.

        Returns
        -------
        numpy.ndarray of shape (n_units, n_features)
            Points of the score, summing to `predict` along each row.
        """
        check_is_fitted(self)
        rows = validate_data(self, X, dtype=np.float64, reset=False) * self.directions_
        columns = [
            _against(self.reference_[:, m], rows[:, m], self.normalisation) * (100.0 * self.weights_[m])
            for m in range(rows.shape[1])
        ]
        return np.column_stack(columns)

    def predict(self, X: ArrayLike) -> FloatArray:
        """
        Score each row.

        Parameters
        ----------
        X : array-like of shape (n_units, n_features)
            Features.

        Returns
        -------
        numpy.ndarray of shape (n_units,)
            Scores between 0 and 100.
        """
        return np.asarray(self.transform(X).sum(axis=1))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False
        return tags


def cap_weights(weights: FloatArray, is_enforcement: NDArray[np.bool_], *, cap: float = ENFORCEMENT_CAP) -> FloatArray:
    """
    Rescale weights to sum to one with enforcement holding at most its cap.

    Parameters
    ----------
    weights : numpy.ndarray of shape (n_draws, n_features)
        Non-negative weights.
    is_enforcement : numpy.ndarray of shape (n_features,)
        Which features are enforcement-led.
    cap : float
        Largest share of the weight they may hold together.

    Returns
    -------
    numpy.ndarray of shape (n_draws, n_features)
        Rows sum to one. Where every feature is enforcement-led there is nothing to cap against.

    Examples
    --------
    >>> cap_weights(np.array([[1.0, 1.0]]), np.array([False, True]))
    array([[0.8, 0.2]])
    """
    shares = weights / weights.sum(axis=1, keepdims=True)
    led = shares[:, is_enforcement].sum(axis=1, keepdims=True)
    # Shares that are all enforcement may sum to a hair below one.
    over = (led > cap) & (led < 1.0 - 1e-12)
    down = np.divide(cap, led, out=np.ones_like(led), where=over)
    up = np.divide(1.0 - cap, 1.0 - led, out=np.ones_like(led), where=over)
    return np.asarray(shares * np.where(is_enforcement[None, :], down, up))


def _against(reference: FloatArray, values: FloatArray, method: str) -> FloatArray:
    """Values normalised as if each stood among the reference, cut at its ends."""
    scale = normalise(reference[None, :], method)[0]
    order = np.argsort(reference, kind="stable")
    if method == "percentile":
        below = np.searchsorted(reference[order], values, side="left")
        return np.asarray(np.minimum(below / max(len(reference) - 1, 1), 1.0) * float(scale.max() > 0))
    # Robust and log forms are monotone in the value: interpolate between the points of the reference.
    distinct, first = np.unique(reference[order], return_index=True)
    return np.asarray(np.interp(values, distinct, scale[order][first]))
