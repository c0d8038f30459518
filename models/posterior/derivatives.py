"""
Derivatives of sums of lines in the parameters, for the information of the posterior.

Sums by origin, town and station have dense derivatives. Those of pairs are too many to write out: their products are
added up by counting over the table of strengths and towns.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from models.posterior.intensity import Intensity, Layout

__all__ = ["add_pair_derivatives", "add_pair_information", "centre_features", "differentiate_sums"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def centre_features(intensity: Intensity) -> FloatArray:
    """
    Give the derivative of the logarithm of each pair's share in the coefficients.

    Parameters
    ----------
    intensity : Intensity
        Where; the first vector counts.

    Returns
    -------
    numpy.ndarray of shape (n_pairs, 4)
        Features less their mean over the origin's shares.
    """
    ways = intensity.layout.ways
    share = intensity.network.raw[:, 0] / intensity.network.total[ways.origin, 0]
    mean = intensity.layout.by_origin @ (share[:, None] * ways.features)
    return np.asarray(ways.features - mean[ways.origin])


def differentiate_sums(
    intensity: Intensity, grain: str, rows: IntArray, centred: FloatArray
) -> FloatArray | sparse.csr_array:
    """
    Give the derivative of the logarithm of sums in all parameters but the sources' own.

    Parameters
    ----------
    intensity : Intensity
        Where; the first vector counts.
    grain : str
        As for `sums`.
    rows : numpy.ndarray of shape (n_rows,)
        Units.
    centred : numpy.ndarray of shape (n_pairs, 4)
        From `centre_features`.

    Returns
    -------
    numpy.ndarray or scipy.sparse.csr_array of shape (n_rows, n_base)
        Sparse for towns, each of which moves with its own effect and no other.
    """
    layout, ways, blocks = intensity.layout, intensity.layout.ways, intensity.layout.blocks
    n_towns = len(ways.town_ids)
    weight = intensity.value[:, 0]
    found = np.zeros((len(rows), layout.n_base))
    found[:, blocks["level"]] = 1.0
    towns, strengths = found[:, blocks["towns"]], found[:, blocks["origins"]]
    if grain == "town":
        over = sparse.csr_array(layout.by_town[rows])
        total = np.asarray(over @ weight)[:, None]
        strengths[:] = layout.table(weight)[:, rows].T / total
        towns[np.arange(len(rows)), rows] = 1.0
        found[:, blocks["coefficients"]] = (over @ (weight[:, None] * centred)) / total
        return sparse.csr_array(found)
    if grain == "origin":
        at = np.flatnonzero(np.isin(ways.origin, rows))
        at_row = np.full(len(ways.origin_ids), -1)
        at_row[rows] = np.arange(len(rows))
        into = at_row[ways.origin[at]]
        over = sparse.csr_array((np.ones(len(at)), (into, at)), shape=(len(rows), ways.n_pairs))
        total = np.asarray(over @ weight)[:, None]
        strengths[np.arange(len(rows)), layout.strength_of[rows]] = 1.0
        cell = into * n_towns + ways.town[at]
        towns[:] = np.bincount(cell, weight[at], minlength=len(rows) * n_towns).reshape(len(rows), -1) / total
    else:
        rail = intensity.rail[:, 0] if grain == "station" else np.ones(ways.n_pairs)
        weight = weight * rail
        over = sparse.csr_array((layout.visits if grain == "station" else layout.matrices[grain])[rows])
        total = np.asarray(over @ weight)[:, None]
        row = np.repeat(np.arange(len(rows)), np.diff(over.indptr))
        each = over.data * weight[over.indices]
        for block, of_pair, n in (
            (towns, ways.town, n_towns),
            (strengths, layout.strength, layout.n_strengths),
        ):
            cell = row * n + of_pair[over.indices]
            block[:] = np.bincount(cell, each, minlength=len(rows) * n).reshape(len(rows), n) / total
        found[:, blocks["rail"]] = layout.step * (over @ (weight * (1.0 - rail)))[:, None] / total
    found[:, blocks["coefficients"]] = (over @ (weight[:, None] * centred)) / total
    return found


def add_pair_information(layout: Layout, weight: FloatArray, centred: FloatArray) -> FloatArray:
    """
    Add up the information that counts by pair hold.

    Parameters
    ----------
    layout : Layout
        Of the pairs.
    weight : numpy.ndarray of shape (n_pairs,)
        Information about the logarithm of the lines of each pair.
    centred : numpy.ndarray of shape (n_pairs, 4)
        From `centre_features`.

    Returns
    -------
    numpy.ndarray of shape (n_base, n_base)
        Weighted sum of the outer products of each pair's derivatives.
    """
    blocks = layout.blocks
    table = layout.table(weight)
    found = np.zeros((layout.n_base, layout.n_base))
    level = blocks["level"].start
    origins, towns, coefficients = blocks["origins"], blocks["towns"], blocks["coefficients"]
    weighted = weight[:, None] * centred
    found[coefficients, coefficients] = centred.T @ weighted
    found[coefficients, level] = weighted.sum(axis=0)
    found[coefficients, towns] = np.asarray(layout.by_town @ weighted).T
    for k in range(centred.shape[1]):
        found[k, origins] = np.bincount(layout.strength, weighted[:, k], minlength=layout.n_strengths)
    found[level, level] = weight.sum()
    found[level, origins], found[level, towns] = table.sum(axis=1), table.sum(axis=0)
    found[origins, origins] = np.diag(table.sum(axis=1))
    found[origins, towns] = table
    found[towns, towns] = np.diag(table.sum(axis=0))
    return np.asarray(np.triu(found) + np.triu(found, 1).T)


def add_pair_derivatives(layout: Layout, weight: FloatArray, centred: FloatArray) -> FloatArray:
    """
    Add up the derivatives of the logarithm of the lines of pairs.

    Parameters
    ----------
    layout : Layout
        Of the pairs.
    weight : numpy.ndarray of shape (n_pairs,)
        Weight of each pair.
    centred : numpy.ndarray of shape (n_pairs, 4)
        From `centre_features`.

    Returns
    -------
    numpy.ndarray of shape (n_base,)
        Weighted sum.
    """
    blocks = layout.blocks
    table = layout.table(weight)
    found = np.zeros(layout.n_base)
    found[blocks["coefficients"]] = centred.T @ weight
    found[blocks["level"]] = weight.sum()
    found[blocks["origins"]], found[blocks["towns"]] = table.sum(axis=1), table.sum(axis=0)
    return found
