"""
Radiation: a flow stops at the first place that is good enough, so what lies between matters, not the distance.

Original form of Simini et al. (2012) [1]_, with the finite-size correction of Masucci et al. (2013) [2]_
(`radial_London` of Castro-Gonzalez et al. 2023 [3]_), and the extended form of Yang et al. (2014) [4]_ (their
`radial_modified`). Intervening mass is ordered by travel cost or added up along the route, never by a circle. We depart
from [3]_ in one place: its repository has `n_j + s_ij` where the papers have `m_i + s_ij`; we keep the papers' form.

References
----------
.. [1] Simini, F. et al. (2012). "A universal model for mobility and migration patterns." Nature 484, 96-100.
.. [2] Masucci, A. P. et al. (2013). "Gravity versus radiation models." Physical Review E 88, 022812.
.. [3] Castro-Gonzalez, L. et al. (2023). Royal Society Open Science 10, 221297.
.. [4] Yang, Y. et al. (2014). "Limits of predictability in commuting flows." Scientific Reports 4, 5662.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import xlogy

from geo.corridors.interaction import InteractionModel, Pairs, require_pairs, shares_from_log
from geo.errors import TableError, UsageError

__all__ = ["Radiation", "measure_intervening_mass"]

_FORMS = ("original", "finite", "extended")
# Starts of ln alpha: below and above the original form.
_LOG_ALPHA_STARTS = (-1.0, 0.0, 1.5)
# Bounds of ln alpha: from nearly uniform to nearly nearest.
_LOG_ALPHA_BOUNDS = (-4.0, 4.0)


class Radiation(InteractionModel):
    r"""
    Radiation model, original, finite-size corrected or extended.

    Original: :math:`P_{ij} = m n / ((m + s)(m + n + s))`. Finite: that over :math:`1 - m / M`. Extended, with
    :math:`a = \kappa (m + n + s)` and :math:`b = \kappa (m + s)`:
    :math:`P \propto (a^\alpha - b^\alpha)((\kappa m)^\alpha + 1) / ((b^\alpha + 1)(a^\alpha + 1))`.

    Parameters
    ----------
    form : str
        ``original``, ``finite`` or ``extended``.
    origin_mass, destination_mass : str
        Columns with the masses, positive.
    intervening : str
        Column with the mass between origin and destination, see `measure_intervening_mass`.
    alpha : float or None
        Exponent of the extended form; None fits it by maximum likelihood.
    kappa : float or None
        Scale of masses in the extended form, per unit of mass; 1 with masses in persons is large; None fits it.

    Attributes
    ----------
    alpha_, kappa_ : float
        The exponent and scale used (extended form).

    Notes
    -----
    In the original form an origin's shares sum to less than 1: to :math:`1 - m / M` when every destination is listed
    with its intervening mass in order of cost. The rest is flow that a system without an edge would carry further.
    """

    def __init__(
        self,
        *,
        form: str = "finite",
        origin_mass: str = "origin_mass",
        destination_mass: str = "destination_mass",
        intervening: str = "intervening_mass",
        alpha: float | None = None,
        kappa: float | None = 1.0,
    ) -> None:
        self.form = form
        self.origin_mass = origin_mass
        self.destination_mass = destination_mass
        self.intervening = intervening
        self.alpha = alpha
        self.kappa = kappa

    def predict_share(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """
        Predict the share of its origin's flow that each pair takes.

        Parameters
        ----------
        X : pandas.DataFrame
            One row a pair, with the masses and the intervening mass.

        Returns
        -------
        numpy.ndarray of shape (n_pairs,)
            Shares that sum to 1 over an origin's pairs (extended), or to what the form gives (original, finite).

        Raises
        ------
        UsageError
            If the model has not been fitted.
        TableError
            If the table of pairs is at fault.
        """
        share = super().predict_share(X)
        if self.form == "extended":
            return share
        pairs = require_pairs(X, self._columns())
        raw = np.exp(self._log_attraction(pairs))
        if self.form == "original":
            return raw
        m, n = pairs.columns[self.origin_mass], pairs.columns[self.destination_mass]
        is_open = np.isfinite(pairs.columns[self.intervening])
        total = m + pairs.sum_by_origin(np.where(is_open, n, 0.0))[pairs.origin]
        return np.asarray(raw / (1.0 - m / total), dtype=np.float64)

    def _columns(self) -> tuple[str, ...]:
        return (self.origin_mass, self.destination_mass, self.intervening)

    def _learn(self, pairs: Pairs, y: NDArray[np.float64]) -> None:
        if self.form not in _FORMS:
            msg = f"form: it is {self.form!r}, expected one of {', '.join(_FORMS)}. Choose one."
            raise UsageError(msg)
        if self.form != "extended":
            return
        if self.alpha is not None and self.kappa is not None:
            self.alpha_, self.kappa_ = float(self.alpha), float(self.kappa)
        else:
            self.alpha_, self.kappa_ = self._fit_extended(pairs, y)

    def _fit_extended(self, pairs: Pairs, y: NDArray[np.float64]) -> tuple[float, float]:
        if not y.sum() > 0:
            msg = (
                "alpha: no flow was observed to fit it to, expected some. Give alpha 1 and kappa 1: the original form."
            )
            raise UsageError(msg)
        m, n, s = self._masses(pairs)
        typical = float(np.log(np.median((m + n + s)[np.isfinite(s)])))

        def unpack(log_parameters: NDArray[np.float64]) -> tuple[float, float]:
            alpha, kappa = np.exp(log_parameters)
            return (float(self.alpha or alpha), float(self.kappa or kappa))

        def loss(log_parameters: NDArray[np.float64]) -> float:
            share = shares_from_log(self._log_extended(pairs, *unpack(log_parameters)), pairs)
            with np.errstate(divide="ignore"):
                return -float(xlogy(y, share).sum())

        # The likelihood may have more than one top, so several starts; a scale matters only near one over a mass.
        bounds = [_LOG_ALPHA_BOUNDS, (-typical - 6.0, 1.0)]
        starts = [(a, k) for a in _LOG_ALPHA_STARTS for k in (-typical, 0.0)]
        found = [
            minimize(loss, start, method="Nelder-Mead", bounds=bounds, options={"xatol": 1e-7}) for start in starts
        ]
        return unpack(min(found, key=lambda result: float(result.fun)).x)

    def _log_attraction(self, pairs: Pairs) -> NDArray[np.float64]:
        if self.form == "extended":
            return self._log_extended(pairs, self.alpha_, self.kappa_)
        m, n, s = self._masses(pairs)
        return np.log(m) + np.log(n) - np.log(m + s) - np.log(m + n + s)

    def _log_extended(self, pairs: Pairs, alpha: float, kappa: float) -> NDArray[np.float64]:
        m, n, s = self._masses(pairs)
        is_open = np.isfinite(s)
        s = np.where(is_open, s, 0.0)
        log_a, log_b = (alpha * np.log(kappa * mass) for mass in (m + n + s, m + s))
        # In logarithms throughout: a mass of millions to the power of ten would overflow.
        gain = log_a + np.log1p(-np.exp(log_b - log_a))
        odds = np.logaddexp(alpha * np.log(kappa * m), 0.0) - np.logaddexp(log_b, 0.0) - np.logaddexp(log_a, 0.0)
        return np.where(is_open, gain + odds, -np.inf)

    def _masses(self, pairs: Pairs) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        m, n, s = (pairs.columns[name] for name in self._columns())
        if (m <= 0).any() or (n <= 0).any() or (s < 0).any():
            msg = (
                f"pairs: {self.origin_mass!r}, {self.destination_mass!r} or {self.intervening!r} is not positive in "
                f"{int(((m <= 0) | (n <= 0) | (s < 0)).sum())} rows, expected masses. Drop places without people."
            )
            raise TableError(msg)
        return m, n, s


def measure_intervening_mass(
    X: pd.DataFrame, *, mass: str = "destination_mass", cost: str = "cost_min"
) -> NDArray[np.float64]:
    """
    Add up the mass that can be reached more cheaply than each destination.

    Parameters
    ----------
    X : pandas.DataFrame
        One row a pair, with `origin_id`, `destination_id`, mass and cost. Never modified.
    mass : str
        Column with the mass of the destination.
    cost : str
        Column with the travel cost; infinite where there is no way.

    Returns
    -------
    numpy.ndarray of shape (n_pairs,)
        Mass of destinations of strictly lower cost from the same origin; infinite where there is no way. Places of
        equal cost do not stand between each other.

    Raises
    ------
    TableError
        If the table of pairs is at fault.

    Examples
    --------
    >>> pairs = pd.DataFrame({"origin_id": "a", "destination_id": ["x", "y", "z"], "n": [5, 7, 9], "cost": [2, 1, 2]})
    >>> measure_intervening_mass(pairs, mass="n", cost="cost")
    array([7., 0., 7.])
    """
    pairs = require_pairs(X, (mass, cost))
    n, c = pairs.columns[mass], pairs.columns[cost]
    order = np.lexsort((c, pairs.origin))
    before = pd.Series(n[order]).groupby(pairs.origin[order]).cumsum().to_numpy() - n[order]
    # The first of equal costs knows the mass below all of them.
    same = pd.DataFrame({"origin": pairs.origin[order], "cost": c[order], "before": before})
    below = same.groupby(["origin", "cost"], sort=False)["before"].transform("min").to_numpy()
    intervening = np.empty(len(n))
    intervening[order] = below
    return np.where(np.isfinite(c), intervening, np.inf)
