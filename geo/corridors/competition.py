r"""
Competing exporters: a market far from one exporting city may be next door to another, and is then already supplied.

Lines from London thin out towards the Midlands and the North faster than distance alone explains, because Birmingham,
Liverpool and Manchester supply those markets. So a destination's pull on one exporter falls with the pull that all
its rivals have on it, :math:`R_{ij} = \sum_{k \ne i} m_k c_{kj}^{-g}`. The model is production-constrained gravity with
Tanner's deterrence, `c^-a exp(-b c)`, and a power of `R` [P: proposed here].

On London's lines the fitted deterrence is a hump with its top near 115 km: the nearest counties get fewer lines than a
power law would send. That shape is London's; a fit from one city should not be carried to the short trips of another.

A second, plainer source of evidence is a destination's own past: `Persistent` keeps a stated part of what a model
leaves unexplained in one year for the next.
"""

from __future__ import annotations

from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from geo.corridors.interaction import InteractionModel, Pairs, log_of, require_counts, require_pairs
from geo.corridors.loglinear import LogLinearShares
from geo.corridors.priors import CoefficientPrior
from geo.errors import UsageError

__all__ = ["PERSISTENCE", "CompetingExporters", "Persistent", "measure_rival_pull"]

# ASSUMPTION. Half of what a model leaves unexplained in a year is the place, half is the year.
PERSISTENCE = 0.5


class CompetingExporters(LogLinearShares):
    r"""
    Gravity with Tanner deterrence and rivals: :math:`n_j^\beta c_{ij}^{-a} e^{-b c_{ij}} R_{ij}^{-\rho}`.

    Parameters
    ----------
    mass : str
        Column with the mass of the destination, positive.
    cost : str
        Column with the cost, positive; infinite where there is no way.
    rival_pull : str
        Column with the pull of other exporters on the destination, positive, see `measure_rival_pull`.
    prior : CoefficientPrior or None
        Prior of `mass_exponent`, `cost_exponent`, `cost_decay` and `rivalry_exponent`.
    """

    def __init__(
        self,
        *,
        mass: str = "destination_mass",
        cost: str = "cost_min",
        rival_pull: str = "rival_pull",
        prior: CoefficientPrior | None = None,
    ) -> None:
        self.mass = mass
        self.cost = cost
        self.rival_pull = rival_pull
        self.prior = prior

    def _columns(self) -> tuple[str, ...]:
        return (self.mass, self.cost, self.rival_pull)

    def _names(self) -> tuple[str, ...]:
        return ("mass_exponent", "cost_exponent", "cost_decay", "rivalry_exponent")

    def _features(self, pairs: Pairs) -> NDArray[np.float64]:
        cost = pairs.columns[self.cost]
        return np.column_stack(
            [
                log_of(pairs.columns[self.mass], self.mass, self),
                -log_of(cost, self.cost, self),
                -cost,
                -log_of(pairs.columns[self.rival_pull], self.rival_pull, self),
            ]
        )


class Persistent(InteractionModel):
    """
    Shrink last period's shares towards a model, for pairs seen before.

    Parameters
    ----------
    model : InteractionModel
        What is fitted to the first period.
    persistence : float
        Part of the unexplained that lasts, 0 (the model alone) to 1 (last period's shares alone).

    Notes
    -----
    Buhlmann's credibility estimate with a stated factor: one period cannot tell what lasts from what does not. Two
    periods can, and then the factor should be estimated. Pairs that were not in the first period get the model's share;
    an origin without observed flow gets the model's shares throughout.
    """

    def __init__(self, model: InteractionModel, *, persistence: float = PERSISTENCE) -> None:
        self.model = model
        self.persistence = persistence

    def fit(self, X: pd.DataFrame, y: ArrayLike) -> Self:
        """
        Fit the model and keep, for each pair, the ratio of its shrunk share to the model's.

        Parameters
        ----------
        X : pandas.DataFrame
            As the model needs.
        y : array-like of shape (n_pairs,)
            Flows of the first period.

        Returns
        -------
        Persistent
            Itself, fitted.

        Raises
        ------
        UsageError
            If `persistence` is not in [0, 1].
        TableError
            If the table of pairs or the flows are at fault.
        """
        if not 0 <= self.persistence <= 1:
            msg = f"persistence: it is {self.persistence!r}, expected a share from 0 to 1. Give one."
            raise UsageError(msg)
        flow = require_counts(y, len(X))
        self.model.fit(X, flow)
        pairs = require_pairs(X, ())
        total = pairs.sum_by_origin(flow)[pairs.origin]
        share = self.model.predict_share(X)
        seen = np.divide(flow, total, out=share.copy(), where=total > 0)
        shrunk = (1 - self.persistence) * share + self.persistence * seen
        ratio = np.divide(shrunk, share, out=np.ones_like(share), where=share > 0)
        self.ratio_ = pd.Series(ratio, index=pd.MultiIndex.from_frame(X[["origin_id", "destination_id"]]))
        self.is_fitted_ = True
        return self

    def predict_share(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """
        Predict shares of the next period.

        Parameters
        ----------
        X : pandas.DataFrame
            As the model needs; pairs may be new.

        Returns
        -------
        numpy.ndarray of shape (n_pairs,)
            Shares that sum to 1 over an origin's pairs.

        Raises
        ------
        UsageError
            If it has not been fitted.
        TableError
            If the table of pairs is at fault.
        """
        if not hasattr(self, "is_fitted_"):
            msg = "Persistent: it has no first period yet, expected a fitted model. Call fit first."
            raise UsageError(msg)
        share = self.model.predict_share(X)
        pairs = require_pairs(X, ())
        known = self.ratio_.reindex(pd.MultiIndex.from_frame(X[["origin_id", "destination_id"]])).to_numpy(dtype=float)
        weight = share * np.where(np.isnan(known), 1.0, known)
        total = pairs.sum_by_origin(weight)[pairs.origin]
        return np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)


def measure_rival_pull(
    X: pd.DataFrame,
    rivals: pd.DataFrame,
    *,
    cost: str = "cost_min",
    mass: str = "origin_mass",
    exponent: float = 1.0,
    cost_floor: float,
) -> NDArray[np.float64]:
    r"""
    Measure how strongly exporters other than a pair's own pull on its destination.

    :math:`R_{ij} = \sum_{k \ne i} m_k \max(c_{kj}, c_0)^{-g}`.

    Parameters
    ----------
    X : pandas.DataFrame
        One row a pair, `origin_id` and `destination_id`. Never modified.
    rivals : pandas.DataFrame
        One row an exporter and a destination, with `origin_id`, `destination_id`, mass and cost. It may hold the pair's
        own origin, which is left out, and the destination itself as an exporter, which is kept: it supplies itself.
    cost, mass : str
        Columns of `rivals`.
    exponent : float
        Decay of the pull, `g`.
    cost_floor : float
        Smallest cost, in the unit of `cost`, `c_0`; positive.

    Returns
    -------
    numpy.ndarray of shape (n_pairs,)
        The pull; 0 where there is no rival.

    Raises
    ------
    UsageError
        If the floor is not positive.
    TableError
        If either table is at fault.
    """
    if not cost_floor > 0:
        msg = (
            f"cost_floor: it is {cost_floor!r}, expected more than 0. A rival at no distance would pull without bound."
        )
        raise UsageError(msg)
    require_pairs(X, ())
    columns = require_pairs(rivals, (mass, cost)).columns
    pull = columns[mass] * np.maximum(columns[cost], cost_floor) ** -exponent
    by_destination = pd.Series(pull, index=rivals["destination_id"].to_numpy()).groupby(level=0).sum()
    own = pd.Series(pull, index=pd.MultiIndex.from_frame(rivals[["origin_id", "destination_id"]]))
    total = by_destination.reindex(X["destination_id"]).fillna(0.0).to_numpy()
    mine = own.reindex(pd.MultiIndex.from_frame(X[["origin_id", "destination_id"]])).fillna(0.0).to_numpy()
    return np.asarray(np.maximum(total - mine, 0.0), dtype=np.float64)
