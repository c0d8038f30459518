"""What a model must beat: shares by population alone, everything to the nearest, and the same for all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geo.corridors.interaction import InteractionModel, Pairs, log_of

__all__ = ["Nearest", "PopulationShare", "Uniform"]


class PopulationShare(InteractionModel):
    """
    Share each origin's flow by the mass of the destination alone.

    Parameters
    ----------
    mass : str
        Column with the mass, positive.
    """

    def __init__(self, *, mass: str = "destination_mass") -> None:
        self.mass = mass

    def _columns(self) -> tuple[str, ...]:
        return (self.mass,)

    def _log_attraction(self, pairs: Pairs) -> NDArray[np.float64]:
        return log_of(pairs.columns[self.mass], self.mass, self)


class Nearest(InteractionModel):
    """
    Send each origin's whole flow to its nearest destination, shared equally where several are.

    Parameters
    ----------
    cost : str
        Column with the cost; infinite where there is no way.
    """

    def __init__(self, *, cost: str = "cost_min") -> None:
        self.cost = cost

    def _columns(self) -> tuple[str, ...]:
        return (self.cost,)

    def _log_attraction(self, pairs: Pairs) -> NDArray[np.float64]:
        cost = pairs.columns[self.cost]
        lowest = np.full(pairs.n_origins, np.inf)
        np.minimum.at(lowest, pairs.origin, cost)
        is_nearest = (cost <= lowest[pairs.origin]) & np.isfinite(cost)
        return np.where(is_nearest, 0.0, -np.inf)


class Uniform(InteractionModel):
    """Share each origin's flow equally among its destinations."""

    def _columns(self) -> tuple[str, ...]:
        return ()

    def _log_attraction(self, pairs: Pairs) -> NDArray[np.float64]:
        return np.zeros(len(pairs.origin))
