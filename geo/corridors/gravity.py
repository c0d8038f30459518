"""
Gravity, Huff and retail models: shares that are log-linear in masses, covariates and cost.

Production-constrained gravity is `gravity_modified` of Castro-Gonzalez et al. (2023) [1]_,
`T_ij = T_i n_j^b c_ij^-g / sum_l n_l^b c_il^-g`; the exponential form has `exp(-g c_ij)`. Retail is their `retail2`, in
logarithms of covariates. They fitted by stochastic gradient descent; here all are fitted as the Poisson regression
with origin effects that has the same optimum, which also gives standard errors. They fill missing covariates with
zero; here a missing number is refused.

References
----------
.. [1] Castro-Gonzalez, L. et al. (2023). Royal Society Open Science 10, 221297.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geo.corridors.interaction import Pairs, log_of
from geo.corridors.loglinear import LogLinearShares
from geo.corridors.priors import CoefficientPrior
from geo.errors import UsageError

__all__ = ["Gravity", "Huff", "Retail"]


class Gravity(LogLinearShares):
    """
    Production-constrained gravity with power or exponential decay.

    Parameters
    ----------
    mass : str
        Column with the mass of the destination, positive.
    cost : str
        Column with the cost; positive for power decay; infinite where there is no way.
    decay : str
        ``power`` or ``exponential``.
    prior : CoefficientPrior or None
        Prior of `mass_exponent` and `cost_exponent` (power) or `cost_decay` (exponential, per unit of cost); None fits
        by maximum likelihood alone.

    Notes
    -----
    Fitted attributes are those of `geo.corridors.loglinear.LogLinearShares`; a positive decay means that flow falls
    with cost.

    Examples
    --------
    >>> import pandas as pd
    >>> from geo.corridors.priors import COURIER_GRAVITY
    >>> pairs = pd.DataFrame(
    ...     {"origin_id": "a", "destination_id": ["x", "y"], "destination_mass": [1.0, 4.0], "cost_min": 10.0}
    ... )
    >>> model = Gravity(prior=COURIER_GRAVITY).fit(pairs, [0, 0])
    >>> model.basis_, model.predict_share(pairs).round(2)
    ('prior', array([0.3, 0.7]))
    """

    def __init__(
        self,
        *,
        mass: str = "destination_mass",
        cost: str = "cost_min",
        decay: str = "power",
        prior: CoefficientPrior | None = None,
    ) -> None:
        self.mass = mass
        self.cost = cost
        self.decay = decay
        self.prior = prior

    def _columns(self) -> tuple[str, ...]:
        return (self.mass, self.cost)

    def _names(self) -> tuple[str, ...]:
        if self.decay not in {"power", "exponential"}:
            msg = f"decay: it is {self.decay!r}, expected 'power' or 'exponential'. Choose one."
            raise UsageError(msg)
        return ("mass_exponent", "cost_exponent" if self.decay == "power" else "cost_decay")

    def _features(self, pairs: Pairs) -> NDArray[np.float64]:
        cost = pairs.columns[self.cost]
        decay = log_of(cost, self.cost, self) if self.decay == "power" else cost
        return np.column_stack([log_of(pairs.columns[self.mass], self.mass, self), -decay])


class Huff(LogLinearShares):
    """
    Huff's model: attractiveness and cost, each to a power.

    Parameters
    ----------
    attractiveness : str
        Column with what draws flow to the destination, positive.
    cost : str
        Column with the cost, positive; infinite where there is no way.
    prior : CoefficientPrior or None
        Prior of `attractiveness_exponent` and `cost_exponent`.

    Notes
    -----
    The form is `A_j^a c_ij^-b / sum_l A_l^a c_il^-b` (Huff 1964 [1]_, who had `a` = 1): power gravity with an
    attractiveness that need not be a population.

    References
    ----------
    .. [1] Huff, D. L. (1964). "Defining and estimating a trading area." Journal of Marketing 28(3), 34-38.
    """

    def __init__(
        self,
        *,
        attractiveness: str = "attractiveness",
        cost: str = "cost_min",
        prior: CoefficientPrior | None = None,
    ) -> None:
        self.attractiveness = attractiveness
        self.cost = cost
        self.prior = prior

    def _columns(self) -> tuple[str, ...]:
        return (self.attractiveness, self.cost)

    def _names(self) -> tuple[str, ...]:
        return ("attractiveness_exponent", "cost_exponent")

    def _features(self, pairs: Pairs) -> NDArray[np.float64]:
        return np.column_stack(
            [
                log_of(pairs.columns[self.attractiveness], self.attractiveness, self),
                -log_of(pairs.columns[self.cost], self.cost, self),
            ]
        )


class Retail(LogLinearShares):
    """
    Retail or entropy model: covariates of the destination in logarithms, and exponential decay with cost.

    Parameters
    ----------
    covariates : tuple of str
        Columns with positive covariates, such as rates per 100,000 people.
    cost : str
        Column with the cost; infinite where there is no way.
    prior : CoefficientPrior or None
        Prior of each covariate by its column name, and of `cost_decay`.
    """

    def __init__(
        self,
        *,
        covariates: tuple[str, ...] = (),
        cost: str = "cost_min",
        prior: CoefficientPrior | None = None,
    ) -> None:
        self.covariates = covariates
        self.cost = cost
        self.prior = prior

    def _columns(self) -> tuple[str, ...]:
        return (*self.covariates, self.cost)

    def _names(self) -> tuple[str, ...]:
        return (*self.covariates, "cost_decay")

    def _features(self, pairs: Pairs) -> NDArray[np.float64]:
        logs = [log_of(pairs.columns[name], name, self) for name in self.covariates]
        return np.column_stack([*logs, -pairs.columns[self.cost]])
