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

from geo.corridors.fit_scores import bic, log_score
from geo.corridors.interaction import InteractionModel, Pairs, log_of
from geo.corridors.multinomial import fit_shares
from geo.corridors.priors import CoefficientPrior
from geo.errors import UsageError

__all__ = ["Gravity", "Huff", "Retail"]

# Above this share of the information, the observed lines are said to speak for themselves.
_OBSERVED_SHARE = 0.9


class _LogLinear(InteractionModel):
    """Shares proportional to exp(features @ coefficients); a subclass names its features."""

    prior: CoefficientPrior | None

    def _names(self) -> tuple[str, ...]:
        raise NotImplementedError

    def _features(self, pairs: Pairs) -> NDArray[np.float64]:
        raise NotImplementedError

    def _learn(self, pairs: Pairs, y: NDArray[np.float64]) -> None:
        names = self._names()
        if self.prior is None:
            mean, sd = np.zeros(len(names)), np.full(len(names), np.inf)
        else:
            mean, sd = self.prior.arrays(names)
        fit = fit_shares(self._features(pairs), y, pairs, prior_mean=mean, prior_sd=sd)
        self.coefficient_names_ = names
        self.coef_ = fit.coefficients
        self.covariance_ = fit.covariance
        self.standard_error_ = np.sqrt(np.diag(fit.covariance))
        # For each coefficient: how much of its conditional information is the data's, 0 when only the prior speaks.
        data, prior = np.diag(fit.data_information), 1.0 / sd**2
        self.evidence_share_ = data / (data + prior)
        lowest = float(self.evidence_share_.min())
        self.basis_ = "prior" if y.sum() == 0 else "observed" if lowest >= _OBSERVED_SHARE else "updated_prior"
        flow = pairs.sum_by_origin(y)[pairs.origin] * fit.share
        self.log_likelihood_ = log_score(y, flow)
        # Each origin's outflow is fitted too, so it counts as a parameter.
        self.bic_ = bic(self.log_likelihood_, n_parameters=len(names) + pairs.n_origins, n_pairs=len(y))
        dof = len(y) - len(names) - pairs.n_origins
        seen = flow > 0
        pearson = float(((y[seen] - flow[seen]) ** 2 / flow[seen]).sum())
        # Counts of lines scatter more than Poisson counts; errors that allow for it are wider by this factor.
        self.dispersion_ = pearson / dof if dof > 0 else np.nan

    def _log_attraction(self, pairs: Pairs) -> NDArray[np.float64]:
        features = self._features(pairs)
        is_open = np.asarray(np.isfinite(features).all(axis=1))
        return np.where(is_open, np.where(is_open[:, None], features, 0.0) @ self.coef_, -np.inf)


class Gravity(_LogLinear):
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

    Attributes
    ----------
    coef_, standard_error_, covariance_ : numpy.ndarray
        In the order of `coefficient_names_`; a positive decay means that flow falls with cost.
    basis_ : str
        ``prior``, ``updated_prior`` or ``observed``: what the coefficients rest on.
    evidence_share_ : numpy.ndarray
        Share of each coefficient's information that came from the observed flows.
    log_likelihood_, bic_, dispersion_ : float
        Poisson fit, with one parameter an origin; Pearson dispersion, 1 when counts are Poisson.

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


class Huff(_LogLinear):
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


class Retail(_LogLinear):
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
