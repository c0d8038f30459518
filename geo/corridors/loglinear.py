"""
Shares that are log-linear in features: what gravity, Huff, retail and competing exporters have in common.

Fitted as the Poisson regression with origin effects (`geo.corridors.multinomial`), with standard errors, a correct BIC,
the dispersion of the counts, and a plain statement of what the coefficients rest on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geo.corridors.fit_scores import bic, log_score
from geo.corridors.interaction import InteractionModel, Pairs
from geo.corridors.multinomial import fit_shares
from geo.corridors.priors import CoefficientPrior

__all__ = ["LogLinearShares"]

# Above this share of the information, the observed lines are said to speak for themselves.
_OBSERVED_SHARE = 0.9


class LogLinearShares(InteractionModel):
    """
    Shares proportional to exp(features @ coefficients); a subclass names its features.

    Attributes
    ----------
    coef_, standard_error_, covariance_ : numpy.ndarray
        In the order of `coefficient_names_`.
    basis_ : str
        ``prior``, ``updated_prior`` or ``observed``: what the coefficients rest on.
    evidence_share_ : numpy.ndarray
        Share of each coefficient's information that came from the observed flows.
    log_likelihood_, bic_, dispersion_ : float
        Poisson fit, with one parameter an origin; Pearson dispersion, 1 when counts are Poisson.
    """

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
