"""
What is assumed before a force's own lines are counted, with its source, and how evidence outweighs it.

Two ways in which evidence takes over. Coefficients have a normal prior whose weight falls as the information in the
observed lines grows. Shares have a Dirichlet prior, worth a stated number of lines: with `n` observed lines the prior's
weight is `strength / (strength + n)`. The second is the gamma-Poisson update of every pair, given the total.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.errors import UsageError

__all__ = ["COURIER_GRAVITY", "CoefficientPrior", "update_shares"]


@dataclass(frozen=True)
class CoefficientPrior:
    """
    A normal prior for each coefficient of a model.

    Attributes
    ----------
    mean : mapping of str to float
        Expected value by coefficient name.
    sd : mapping of str to float
        Standard deviation by coefficient name; positive.
    source : str
        Where the means come from, for the model card.
    """

    mean: Mapping[str, float]
    sd: Mapping[str, float]
    source: str

    def arrays(self, names: tuple[str, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """
        Give means and standard deviations in the order of a model's coefficients.

        Parameters
        ----------
        names : tuple of str
            Coefficient names.

        Returns
        -------
        tuple of numpy.ndarray
            Means and standard deviations.

        Raises
        ------
        UsageError
            If a coefficient has no prior, or a standard deviation is not positive.
        """
        missing = [name for name in names if name not in self.mean or name not in self.sd]
        if missing:
            msg = f"prior: it says nothing of {missing}, expected a mean and an sd for each of {list(names)}. Add them."
            raise UsageError(msg)
        sd = np.array([self.sd[name] for name in names], dtype=float)
        if not (sd > 0).all():
            msg = f"prior: standard deviations are {sd.tolist()!r}, expected positive numbers. Widen the prior."
            raise UsageError(msg)
        return np.array([self.mean[name] for name in names], dtype=float), sd


COURIER_GRAVITY = CoefficientPrior(
    mean={"mass_exponent": 0.6, "cost_exponent": 1.0},
    sd={"mass_exponent": 0.3, "cost_exponent": 0.5},
    source=(
        "Means: the start values of Castro-Gonzalez et al. (2023), RSOS 10:221297, gravity_modified. "
        "Standard deviations: ASSUMPTION, half of each mean."
    ),
)


def update_shares(
    prior_share: NDArray[np.float64],
    n_lines: NDArray[np.float64],
    *,
    group: NDArray[np.int64],
    prior_strength_lines: float,
) -> NDArray[np.float64]:
    r"""
    Update prior shares by observed lines within each group.

    :math:`\hat p_j = (a p_j + y_j) / (a + \sum_l y_l)`, the posterior mean under a Dirichlet prior worth `a` lines.

    Parameters
    ----------
    prior_share : numpy.ndarray of shape (n,)
        Shares that sum to 1 in each group, or to 0 where nothing can be reached.
    n_lines : numpy.ndarray of shape (n,)
        Observed lines.
    group : numpy.ndarray of shape (n,)
        Group positions, 0 and up.
    prior_strength_lines : float
        How many lines the prior is worth; positive.

    Returns
    -------
    numpy.ndarray of shape (n,)
        Shares that sum to 1 in each group that has a prior or a line, else to 0.

    Raises
    ------
    UsageError
        If the strength is not positive.

    Examples
    --------
    >>> update_shares(np.array([0.5, 0.5]), np.array([3.0, 1.0]), group=np.array([0, 0]), prior_strength_lines=4.0)
    array([0.62, 0.38])
    """
    if not prior_strength_lines > 0:
        msg = (
            f"prior_strength_lines: it is {prior_strength_lines!r}, expected more than 0. "
            "A small number lets few lines outweigh the prior."
        )
        raise UsageError(msg)
    weight = prior_strength_lines * prior_share + n_lines
    total = np.bincount(group, weights=weight)[group]
    return np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)
