"""
Bring features of any unit to [0, 1], row by row, so that a whole set of draws is done at once.

Three ways, because the choice moves ranks and so has to be varied (Saisana, Saltelli and Tarantola 2005, "Uncertainty
and sensitivity analysis techniques as tools for the quality assessment of composite indicators", Journal of the Royal
Statistical Society A 168(2), 307-323). In each, no evidence gives 0 and a constant column gives 0 for all.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

__all__ = ["NORMALISATIONS", "normalise"]

FloatArray = NDArray[np.float64]

NORMALISATIONS = ("percentile", "robust", "log")
# Quantiles that become 0 and 1 in the robust form, so that one outlier does not flatten all others.
_ROBUST = (0.05, 0.95)


def normalise(values: FloatArray, method: str) -> FloatArray:
    """
    Normalise each row on its own.

    Parameters
    ----------
    values : numpy.ndarray of shape (n_rows, n_units)
        Finite, or NaN where not known.
    method : str
        ``percentile``: share of other units strictly below; ``robust``: linear between the 5 % and 95 % points, cut at
        both; ``log``: linear in the logarithm of one plus the value over the row's median positive value.

    Returns
    -------
    numpy.ndarray of shape (n_rows, n_units)
        In [0, 1]. A unit whose value is not known gets the row's median: it is neither raised nor lowered.

    Examples
    --------
    >>> normalise(np.array([[0.0, 0.0, 5.0, 9.0]]), "percentile")
    array([[0. , 0. , 0.67, 1. ]])
    """
    known = ~np.isnan(values).any(axis=0)
    result = np.zeros(values.shape)
    if not known.any():
        return result
    result[:, known] = _FORMS[method](values[:, known])
    if not known.all():
        result[:, ~known] = np.median(result[:, known], axis=1, keepdims=True)
    return result


def _percentile(values: FloatArray) -> FloatArray:
    n_below = rankdata(values, method="min", axis=1) - 1.0
    return np.asarray(n_below / max(values.shape[1] - 1, 1))


def _robust(values: FloatArray) -> FloatArray:
    low, high = np.quantile(values, _ROBUST, axis=1, keepdims=True)
    # With most units at zero both quantiles meet: fall back on the whole range.
    is_flat = high <= low
    low = np.where(is_flat, values.min(axis=1, keepdims=True), low)
    high = np.where(is_flat, values.max(axis=1, keepdims=True), high)
    return np.clip(_share(values - low, high - low), 0.0, 1.0)


def _log(values: FloatArray) -> FloatArray:
    above = values - np.minimum(values.min(axis=1, keepdims=True), 0.0)
    positive = np.where(above > 0, above, np.nan)
    has_any = np.isfinite(positive).any(axis=1)
    middle = np.ones((len(values), 1))
    if has_any.any():
        middle[has_any, 0] = np.nanmedian(positive[has_any], axis=1)
    logs = np.log1p(above / middle)
    low = logs.min(axis=1, keepdims=True)
    return _share(logs - low, logs.max(axis=1, keepdims=True) - low)


def _share(part: FloatArray, whole: FloatArray) -> FloatArray:
    """The ratio, 0 where there is nothing to divide by."""
    return np.divide(part, whole, out=np.zeros(np.broadcast_shapes(part.shape, whole.shape)), where=whole > 0)


_FORMS = {"percentile": _percentile, "robust": _robust, "log": _log}
