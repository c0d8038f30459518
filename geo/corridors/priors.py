"""
What is assumed of gravity's coefficients before lines are counted, with its source.

A normal prior, whose weight falls as the information in the observed lines grows. The product's own priors are
`models.posterior.priors`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.errors import UsageError

__all__ = ["COURIER_GRAVITY", "CoefficientPrior"]


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
