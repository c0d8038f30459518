"""
Lines of every pair at many parameter vectors at once: their sums at a grain, and slopes carried back from such sums.

Arrays run over pairs first and parameter vectors last, so that a sparse product serves all vectors in one pass.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from models.posterior.ways import Ways

__all__ = ["Held", "Intensity", "Layout", "Network"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
# How much of a town's level evidence holds; a diagonal where towns are independent.
Held: TypeAlias = FloatArray | sparse.dia_array


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
    rail_before : float
        The rail parameter before evidence.
    """

    def __init__(
        self,
        ways: Ways,
        blocks: dict[str, slice],
        visits: sparse.csr_array | None,
        rail_odds_against: FloatArray,
        step: float,
        rail_before: float,
    ) -> None:
        self.ways, self.blocks, self.step = ways, blocks, step
        n_pairs, n_origins, n_towns = ways.n_pairs, len(ways.origin_ids), len(ways.town_ids)
        self.n_base = blocks["rail"].stop
        self.n_strengths = blocks["origins"].stop - blocks["origins"].start
        self.strength_of = np.minimum(np.arange(n_origins), self.n_strengths - 1)
        self.fixed = np.where(np.arange(n_origins) < ways.n_external, 0.0, ways.log_strength)
        self.by_town, self.by_origin = _adder(ways.town, n_towns), _adder(ways.origin, n_origins)
        self.by_strength = _adder(self.strength_of, self.n_strengths)
        self.is_reached = np.bincount(ways.town, minlength=n_towns)[:, None] > 0
        self.visits = sparse.csr_array((0, n_pairs)) if visits is None else sparse.csr_array(visits)
        self.back = sparse.csr_array(self.visits.T)
        self.against = rail_odds_against[:, None]
        rail = 1.0 / (1.0 + rail_odds_against * np.exp(-step * rail_before))
        platform = sparse.csr_array(self.visits * rail[None, :])
        self.back_from_platform = sparse.csr_array(platform.T)
        self.matrices = {"town": self.by_town, "origin": self.by_origin, "platform": platform}
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


def _adder(of_column: IntArray, n_rows: int) -> sparse.csr_array:
    """Matrix that adds up columns by what they belong to."""
    n = len(of_column)
    return sparse.csr_array((np.ones(n), (of_column, np.arange(n))), shape=(n_rows, n))


class Network:
    """
    Lines of every pair as the network sends them: without the effects of towns, and of the pairs themselves.

    Parameters
    ----------
    layout : Layout
        Of the pairs.
    theta : numpy.ndarray of shape (n, n_params)
        Parameter vectors, of which the effects of towns are not read.
    """

    def __init__(self, layout: Layout, theta: FloatArray) -> None:
        self.layout, blocks = layout, layout.blocks
        self.pull = layout.ways.features @ theta[:, blocks["coefficients"]].T
        self.raw = np.exp(self.pull)
        self.total = np.asarray(layout.by_origin @ self.raw)
        strength = theta[:, blocks["origins"]].T[layout.strength_of] + layout.fixed[:, None]
        self.log_scale = strength + theta[:, blocks["level"]].T - np.log(self.total)
        self.value = self.raw * np.exp(self.log_scale).take(layout.ways.origin, axis=0)

    def log_into_towns(self) -> FloatArray:
        """
        Give the logarithm of the lines into each town.

        Returns
        -------
        numpy.ndarray of shape (n_towns, n)
            Natural logarithms; 0 for a town that no origin reaches.
        """
        into = np.asarray(self.layout.by_town @ self.value)
        return np.log(np.where(self.layout.is_reached, into, 1.0))


class Intensity:
    """
    Lines of every pair, before the pair's own effect.

    Parameters
    ----------
    network : Network
        What the network sends.
    theta : numpy.ndarray of shape (n, n_params)
        The parameter vectors that it was made from, with the effects of towns.
    """

    def __init__(self, network: Network, theta: FloatArray) -> None:
        self.network, self.layout = network, network.layout
        self._log_town = theta[:, self.layout.blocks["towns"]].T
        self._shift = theta[:, self.layout.blocks["rail"]].T
        self.value = network.value * np.exp(self._log_town).take(self.layout.ways.town, axis=0)
        self._rail: FloatArray | None = None

    @classmethod
    def of(cls, layout: Layout, theta: FloatArray) -> Intensity:
        """
        Make both at once.

        Parameters
        ----------
        layout : Layout
            Of the pairs.
        theta : numpy.ndarray of shape (n, n_params)
            Parameter vectors.

        Returns
        -------
        Intensity
            At these.
        """
        return cls(Network(layout, theta), theta)

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
        ways, network = self.layout.ways, self.network
        found = network.pull.take(rows, axis=0)
        found += network.log_scale.take(ways.origin[rows], axis=0)
        found += self._log_town.take(ways.town[rows], axis=0)
        return found

    def sums(self, grain: str) -> FloatArray:
        """
        Add up lines by origin or town, or platform visits by station.

        Parameters
        ----------
        grain : str
            ``origin``, ``town``, ``station``, or ``platform``: visits, were rail used as before evidence.

        Returns
        -------
        numpy.ndarray of shape (n_units, n)
            Sums.
        """
        if grain == "station":
            return np.asarray(self.layout.visits @ (self.value * self.rail))
        return np.asarray(self.layout.matrices[grain] @ self.value)

    def carry_back(
        self,
        slopes: dict[str, FloatArray],
        by_pair: FloatArray | None,
        held: Held | None,
        prior: FloatArray,
    ) -> FloatArray:
        """
        Carry slopes in sums back to the parameters.

        Parameters
        ----------
        slopes : dict of str to numpy.ndarray of shape (n_units, n)
            Slope in the sums of each grain.
        by_pair : numpy.ndarray of shape (n_pairs, n) or None
            Slope in the logarithm of the lines of pairs, beyond that.
        held : numpy.ndarray of shape (n_towns, n_towns) or None
            As for `models.posterior.posterior.Posterior.evaluate`.
        prior : numpy.ndarray of shape (n, n_towns)
            Slope of the prior in the effects of towns.

        Returns
        -------
        numpy.ndarray of shape (n, n_base)
            Slope in all parameters but the sources' own; of the prior only what `held` passes on.
        """
        layout, ways, blocks, network = self.layout, self.layout.ways, self.layout.blocks, self.network
        slope = np.zeros((layout.n_base, self.value.shape[1]))
        back = np.zeros_like(self.value)
        for grain, of_pair in (("town", ways.town), ("origin", ways.origin)):
            if grain in slopes:
                back += slopes[grain].take(of_pair, axis=0)
        if "platform" in slopes:
            back += layout.back_from_platform @ slopes["platform"]
        if "station" in slopes:
            at_station = (layout.back @ slopes["station"]) * self.rail
            back += at_station
            slope[blocks["rail"]] = layout.step * ((self.value * at_station) * (1.0 - self.rail)).sum(axis=0)
        back *= self.value
        if by_pair is not None:
            back += by_pair
        by_town = np.asarray(layout.by_town @ back)
        slope[blocks["towns"]] = by_town
        if held is not None:
            # The effect gives way to what the network sends.
            passed = held.T @ (by_town + prior.T) / np.exp(network.log_into_towns())
            back -= network.value * passed.take(ways.town, axis=0)
        by_origin = np.asarray(layout.by_origin @ back)
        slope[blocks["level"]] = by_origin.sum(axis=0)
        slope[blocks["origins"]] = layout.by_strength @ by_origin
        # What one pair of an origin gains the others lose: shares sum to 1.
        back -= network.raw * (by_origin / network.total).take(ways.origin, axis=0)
        slope[blocks["coefficients"]] = ways.features.T @ back
        return np.asarray(slope.T)
