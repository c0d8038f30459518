"""
What the sources tell about the parameters: the information at a point, and what it adds to the slope in the sizes.

Both are sums over the rows of every source, of the derivatives of their log means (`models.posterior.derivatives`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

from models.posterior.counts import Likelihood
from models.posterior.derivatives import (
    add_pair_derivatives,
    add_pair_information,
    centre_features,
    differentiate_sums,
)
from models.posterior.intensity import Intensity, Layout
from models.posterior.posterior import Posterior
from models.posterior.sources import Source

__all__ = ["correct_sizes", "measure_information"]

FloatArray = NDArray[np.float64]
_SIZE_STEP = 1e-3
# Dense, or sparse where a row moves with few parameters.
_Rows: TypeAlias = FloatArray | sparse.csr_array


def measure_information(posterior: Posterior, theta: FloatArray) -> FloatArray:
    """
    Give the information about the parameters, nearly Fisher's.

    Parameters
    ----------
    posterior : Posterior
        What the parameters are of.
    theta : numpy.ndarray of shape (n_params,)
        Parameters.

    Returns
    -------
    numpy.ndarray of shape (n_params, n_params)
        With the prior's precision: positive definite everywhere. That of a size is the sum of its squared slopes,
        that of a band is the band's own (`models.posterior.counts.Likelihood`).
    """
    information = posterior.prior_precision.copy()
    base = slice(0, posterior.layout.n_base)
    for source, rows, own, judged in _rows(posterior, theta):
        block, weight = posterior.blocks[source.name], judged.information
        if isinstance(rows, _PairRows):
            information[base, base] += rows.information(weight)
            cross = np.column_stack([rows.sums(weight * column) for column in own.T])
        else:
            weighted = _weigh(rows, weight).T
            information[base, base] += _dense(weighted @ rows)
            cross = weighted @ own
        information[base, block] += cross
        information[block, base] += cross.T
        information[block, block] += own.T @ (weight[:, None] * own)
        if source.has_size:
            information[block.stop - 1, block.stop - 1] += float((judged.size_slope**2).sum())
    return information


def correct_sizes(posterior: Posterior, theta: FloatArray, factor: FloatArray) -> FloatArray:
    r"""
    Give the slopes in the sizes of :math:`-\frac12 \log \det H`, where `H` is the information about all else.

    Parameters
    ----------
    posterior : Posterior
        What the parameters are of.
    theta : numpy.ndarray of shape (n_params,)
        Parameters.
    factor : numpy.ndarray of shape (n_others, n_others)
        Lower Cholesky factor of `H` there, the sizes left out.

    Returns
    -------
    numpy.ndarray of shape (n_sizes,)
        What Laplace's approximation to the evidence adds to the slope of the log density, in the order of `sizes`:
        without it a size is taken for larger, and counts for surer, than they are.
    """
    is_other = np.ones(posterior.n_params, dtype=bool)
    is_other[posterior.sizes] = False
    inverse = np.zeros((posterior.n_params, posterior.n_params))
    inverse[np.ix_(is_other, is_other)] = linalg.cho_solve((factor, True), np.eye(len(factor)))
    base = slice(0, posterior.layout.n_base)
    found = []
    for source, rows, own, _ in _rows(posterior, theta):
        if not source.has_size or isinstance(rows, _PairRows):
            continue
        block = posterior.blocks[source.name]
        by_lines = _dense(rows @ inverse[base, base]) + own @ inverse[block, base]
        by_own = rows @ inverse[base, block] + own @ inverse[block, block]
        leverage = np.asarray(_dense(rows * by_lines).sum(axis=1)) + (own * by_own).sum(axis=1)
        log_lines = posterior.log_behind(source, theta)
        ahead, behind = theta[block].copy(), theta[block].copy()
        ahead[-1] += _SIZE_STEP
        behind[-1] -= _SIZE_STEP
        weight = [source.judge(source.predict(log_lines, at).log_mean, at).information for at in (ahead, behind)]
        found.append(-0.5 * float(leverage @ (weight[0] - weight[1])) / (2.0 * _SIZE_STEP))
    return np.array(found)


def _rows(
    posterior: Posterior, theta: FloatArray
) -> Iterator[tuple[Source, _Rows | _PairRows, FloatArray, Likelihood]]:
    """Each source with the derivatives of its rows' log means, in lines and in its own parameters."""
    intensity = Intensity.of(posterior.layout, theta[None, :])
    centred, sums = centre_features(intensity), posterior.sums(intensity)
    # Sources that count the same units share their derivatives.
    derivatives: dict[tuple[str, bytes], _Rows] = {}
    for source in posterior.sources:
        own = theta[posterior.blocks[source.name]]
        predicted = source.predict(posterior.log_lines_behind(source, intensity, sums)[0], own)
        judged = source.judge(predicted.log_mean, own)
        rows: _Rows | _PairRows
        if source.grain == "pair":
            rows = _PairRows(posterior.layout, centred, source.rows, predicted.by_lines)
        else:
            key = (source.grain, source.rows.tobytes())
            if key not in derivatives:
                derivatives[key] = differentiate_sums(intensity, source.grain, source.rows, centred)
            rows = _weigh(derivatives[key], predicted.by_lines)
        yield source, rows, predicted.by_own, judged


def _weigh(rows: _Rows, weight: FloatArray) -> _Rows:
    """Rows times weights."""
    return sparse.csr_array(rows.multiply(weight[:, None])) if sparse.issparse(rows) else weight[:, None] * rows


def _dense(matrix: Any) -> FloatArray:  # noqa: ANN401 - sparse products have types of their own
    return np.asarray(matrix if isinstance(matrix, np.ndarray) else matrix.toarray())


@dataclass(frozen=True)
class _PairRows:
    """Rows of a source by pair, whose derivatives are too many to write out."""

    layout: Layout
    centred: FloatArray
    rows: NDArray[np.int64]
    by_lines: FloatArray

    def information(self, weight: FloatArray) -> FloatArray:
        return add_pair_information(self.layout, self._of_pairs(weight * self.by_lines**2), self.centred)

    def sums(self, weight: FloatArray) -> FloatArray:
        return add_pair_derivatives(self.layout, self._of_pairs(weight * self.by_lines), self.centred)

    def _of_pairs(self, weight: FloatArray) -> FloatArray:
        found = np.zeros(len(self.centred))
        found[self.rows] = weight
        return found
