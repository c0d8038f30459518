"""
Lines of every pair at many parameter vectors at once: their sums at a grain, and slopes carried back from such sums.

Arrays run over pairs first and parameter vectors last, so that a sparse product serves all vectors in one pass. The
same sums give their own derivatives at one vector, dense and by counting, for the information of the posterior.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from models.posterior.ways import Ways

__all__ = ["Intensity", "Layout"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
_N_COEFFICIENTS = 4


class Layout:
    """
    Where the parameters stand, and what each grain sums over.

    Parameters
    ----------
    ways : Ways
        Pairs.
    blocks : dict of str to slice
        Where each block of parameters stands; see `models.posterior.posterior.Posterior`.
    visits : scipy.sparse.csr_array of shape (n_stations, n_pairs) or None
        Platform visits of a trip of each pair that goes by rail.
    rail_odds_against : numpy.ndarray of shape (n_pairs,)
        Odds of the road as priced; infinite without a train.
    step : float
        Log odds that one step of the rail parameter adds.
    """

    def __init__(
        self,
        ways: Ways,
        blocks: dict[str, slice],
        visits: sparse.csr_array | None,
        rail_odds_against: FloatArray,
        step: float,
    ) -> None:
        self.ways, self.blocks, self.step = ways, blocks, step
        n_pairs, n_origins, n_towns = ways.n_pairs, len(ways.origin_ids), len(ways.town_ids)
        self.n_base = blocks["rail"].stop
        self.n_strengths = blocks["origins"].stop - blocks["origins"].start
        self.strength_of = np.minimum(np.arange(n_origins), self.n_strengths - 1)
        self.fixed = np.where(np.arange(n_origins) < ways.n_external, 0.0, ways.log_strength)
        self.features_by_row = np.ascontiguousarray(ways.features.T)
        self.by_town = sparse.csr_array((np.ones(n_pairs), (ways.town, np.arange(n_pairs))), shape=(n_towns, n_pairs))
        self.visits = sparse.csr_array((0, n_pairs)) if visits is None else sparse.csr_array(visits)
        self.back = sparse.csr_array(self.visits.T)
        self.against = rail_odds_against[:, None]
        # Pairs counted by strength and town at once: one number for each cell of that table.
        self.strength, self.n_cells = self.strength_of[ways.origin], self.n_strengths * n_towns
        self.cell = self.strength * n_towns + ways.town

    def table(self, weight: FloatArray) -> FloatArray:
        """
        Add up weights of pairs by strength and town.

        Parameters
        ----------
        weight : numpy.ndarray of shape (n_pairs,)
            Of each pair.

        Returns
        -------
        numpy.ndarray of shape (n_strengths, n_towns)
            Sums.
        """
        sums = np.bincount(self.cell, weight, minlength=self.n_cells).astype(np.float64)
        return sums.reshape(self.n_strengths, -1)


class Intensity:
    """
    Lines of every pair, before the pair's own effect.

    Parameters
    ----------
    layout : Layout
        Of the pairs.
    theta : numpy.ndarray of shape (n, n_params)
        Parameter vectors.
    """

    def __init__(self, layout: Layout, theta: FloatArray) -> None:
        self.layout, ways, blocks = layout, layout.ways, layout.blocks
        pull = ways.features @ theta[:, blocks["coefficients"]].T
        pull -= np.maximum.reduceat(pull, ways.starts, axis=0)[ways.origin]
        self._pull = pull
        self._raw = np.exp(pull)
        self._total = np.add.reduceat(self._raw, ways.starts, axis=0)
        strength = theta[:, blocks["origins"]].T[layout.strength_of] + layout.fixed[:, None]
        self._log_scale = strength + theta[:, blocks["level"]].T - np.log(self._total)
        self._log_town = theta[:, blocks["towns"]].T
        self.value = self._raw * np.exp(self._log_scale)[ways.origin]
        self.value *= np.exp(self._log_town)[ways.town]
        self._shift = theta[:, blocks["rail"]].T
        self._rail: FloatArray | None = None

    @property
    def rail(self) -> FloatArray:
        """Share of each pair's trips that go by rail, of shape (n_pairs, n)."""
        if self._rail is None:
            self._rail = 1.0 / (1.0 + self.layout.against * np.exp(-self.layout.step * self._shift))
        return self._rail

    def log_pairs(self, rows: IntArray) -> FloatArray:
        """
        Give the logarithm of the lines of some pairs.

        Parameters
        ----------
        rows : numpy.ndarray of shape (n_rows,)
            Pairs.

        Returns
        -------
        numpy.ndarray of shape (n_rows, n)
            Natural logarithms, finite where the lines are too few for a number.
        """
        ways = self.layout.ways
        return np.asarray(self._pull[rows] + self._log_scale[ways.origin[rows]] + self._log_town[ways.town[rows]])

    def sums(self, grain: str) -> FloatArray:
        """
        Add up lines by origin or town, or platform visits by station.

        Parameters
        ----------
        grain : str
            ``origin``, ``town`` or ``station``.

        Returns
        -------
        numpy.ndarray of shape (n_units, n)
            Sums.
        """
        if grain == "town":
            return np.asarray(self.layout.by_town @ self.value)
        if grain == "origin":
            return np.add.reduceat(self.value, self.layout.ways.starts, axis=0)
        return np.asarray(self.layout.visits @ (self.value * self.rail))

    def carry_back(self, slopes: dict[str, FloatArray], by_pair: FloatArray | None) -> FloatArray:
        """
        Carry slopes in sums back to the parameters.

        Parameters
        ----------
        slopes : dict of str to numpy.ndarray of shape (n_units, n)
            Slope in the sums of each grain.
        by_pair : numpy.ndarray of shape (n_pairs, n) or None
            Slope in the logarithm of the lines of pairs, beyond that.

        Returns
        -------
        numpy.ndarray of shape (n, n_base)
            Slope in all parameters but the sources' own.
        """
        layout, ways, blocks = self.layout, self.layout.ways, self.layout.blocks
        slope = np.zeros((layout.n_base, self.value.shape[1]))
        back = np.zeros_like(self.value)
        if "town" in slopes:
            back += slopes["town"][ways.town]
        if "origin" in slopes:
            back += slopes["origin"][ways.origin]
        if "station" in slopes:
            at_station = (layout.back @ slopes["station"]) * self.rail
            back += at_station
            slope[blocks["rail"]] = layout.step * ((self.value * at_station) * (1.0 - self.rail)).sum(axis=0)
        back *= self.value
        if by_pair is not None:
            back += by_pair
        by_origin = np.add.reduceat(back, ways.starts, axis=0)
        slope[blocks["level"]] = by_origin.sum(axis=0)
        strengths = slope[blocks["origins"]]
        np.add.at(strengths, layout.strength_of, by_origin)
        slope[blocks["towns"]] = layout.by_town @ back
        # What one pair of an origin gains the others lose: shares sum to 1.
        back -= self._raw * (by_origin / self._total)[ways.origin]
        slope[blocks["coefficients"]] = ways.features.T @ back
        return np.asarray(slope.T)

    def centred_features(self) -> FloatArray:
        """
        Give the derivative of the logarithm of each pair's share in the coefficients, at the first vector.

        Returns
        -------
        numpy.ndarray of shape (n_pairs, 4)
            Features less their mean over the origin's shares.
        """
        ways = self.layout.ways
        share = self._raw[:, 0] / self._total[ways.origin, 0]
        mean = np.add.reduceat(share * self.layout.features_by_row, ways.starts, axis=1)
        return np.asarray(ways.features - mean.T[ways.origin])

    def derivative(self, grain: str, rows: IntArray, centred: FloatArray) -> FloatArray:
        """
        Give the derivative of the logarithm of sums in all parameters but the sources' own, at the first vector.

        Parameters
        ----------
        grain : str
            As for `sums`.
        rows : numpy.ndarray of shape (n_rows,)
            Units.
        centred : numpy.ndarray of shape (n_pairs, 4)
            From `centred_features`.

        Returns
        -------
        numpy.ndarray of shape (n_rows, n_base)
            Dense.
        """
        layout, ways, blocks = self.layout, self.layout.ways, self.layout.blocks
        n_towns = len(ways.town_ids)
        weight = self.value[:, 0]
        found = np.zeros((len(rows), layout.n_base))
        found[:, blocks["level"]] = 1.0
        towns, strengths = found[:, blocks["towns"]], found[:, blocks["origins"]]
        if grain == "town":
            over = sparse.csr_array(layout.by_town[rows])
            total = np.asarray(over @ weight)[:, None]
            strengths[:] = layout.table(weight)[:, rows].T / total
            towns[np.arange(len(rows)), rows] = 1.0
        elif grain == "origin":
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
            rail = self.rail[:, 0]
            weight = weight * rail
            over = sparse.csr_array(layout.visits[rows])
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

    def pair_information(self, weight: FloatArray, centred: FloatArray) -> FloatArray:
        """
        Add up the information that counts by pair hold, at the first vector.

        Parameters
        ----------
        weight : numpy.ndarray of shape (n_pairs,)
            Information about the logarithm of the lines of each pair.
        centred : numpy.ndarray of shape (n_pairs, 4)
            From `centred_features`.

        Returns
        -------
        numpy.ndarray of shape (n_base, n_base)
            Weighted sum of the outer products of each pair's derivatives.
        """
        layout, blocks = self.layout, self.layout.blocks
        table = layout.table(weight)
        found = np.zeros((layout.n_base, layout.n_base))
        level = blocks["level"].start
        origins, towns, coefficients = blocks["origins"], blocks["towns"], blocks["coefficients"]
        weighted = weight[:, None] * centred
        found[coefficients, coefficients] = centred.T @ weighted
        found[coefficients, level] = weighted.sum(axis=0)
        found[coefficients, towns] = np.asarray(layout.by_town @ weighted).T
        for k in range(_N_COEFFICIENTS):
            found[k, origins] = np.bincount(layout.strength, weighted[:, k], minlength=layout.n_strengths)
        found[level, level] = weight.sum()
        found[level, origins], found[level, towns] = table.sum(axis=1), table.sum(axis=0)
        found[origins, origins] = np.diag(table.sum(axis=1))
        found[origins, towns] = table
        found[towns, towns] = np.diag(table.sum(axis=0))
        return np.asarray(np.triu(found) + np.triu(found, 1).T)

    def pair_derivative_sums(self, weight: FloatArray, centred: FloatArray) -> FloatArray:
        """
        Add up the derivatives of the logarithm of the lines of pairs, at the first vector.

        Parameters
        ----------
        weight : numpy.ndarray of shape (n_pairs,)
            Weight of each pair.
        centred : numpy.ndarray of shape (n_pairs, 4)
            From `centred_features`.

        Returns
        -------
        numpy.ndarray of shape (n_base,)
            Weighted sum.
        """
        layout, blocks = self.layout, self.layout.blocks
        table = layout.table(weight)
        found = np.zeros(layout.n_base)
        found[blocks["coefficients"]] = centred.T @ weight
        found[blocks["level"]] = weight.sum()
        found[blocks["origins"]], found[blocks["towns"]] = table.sum(axis=1), table.sum(axis=0)
        return found
