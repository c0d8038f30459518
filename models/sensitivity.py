r"""
Which choice moves the list: Sobol shares of each factor that is varied.

The output is the mean absolute shift of rank from the issued list (Saisana, Saltelli and Tarantola 2005, Journal of the
Royal Statistical Society A 168(2), 307-323). With draws :math:`A, B` and :math:`A_B^{(i)}`, which is A with factor i
taken from B:

.. math:: S_i = \frac{\overline{f(B) (f(A_B^{(i)}) - f(A))}}{V}, \qquad
          T_i = \frac{\overline{(f(A) - f(A_B^{(i)}))^2}}{2 V}

(Saltelli et al. 2010, "Variance based sensitivity analysis of model output", Computer Physics Communications 181,
259-270; Jansen 1999 for the total share). Departure: a factor may be a group, such as all weights, and draws are
pseudo-random rather than a Sobol sequence, because a group has hundreds of dimensions.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.composition import score_draws
from models.draws import FACTORS, IndexSettings, Realisations, base_realisation, draw_realisations
from models.features import FeatureSet
from models.scoring import rank_units

__all__ = ["measure_sobol", "sobol_shares"]

FloatArray = NDArray[np.float64]
# trust.md D5: 1,024 rows for each factor and two more.
N_BASE = 1024
# trust.md D5: a single choice above this is disclosed.
DISCLOSE_ABOVE = 0.5


def measure_sobol(
    features: FeatureSet, *, random_state: int, settings: IndexSettings | None = None, n_base: int = N_BASE
) -> pd.DataFrame:
    """
    Measure how much of the list's movement each factor explains.

    Parameters
    ----------
    features : FeatureSet
        What is known.
    random_state : int
        Seed.
    settings : IndexSettings or None
        Weights, and which factors are varied.
    n_base : int
        Rows of each of the two base samples.

    Returns
    -------
    pandas.DataFrame
        Index ``factor_id``: ``first_order_share``, ``total_share`` and ``is_disclosed`` (total above 0.5). All zero
        where no factor moves the list.
    """
    settings = settings or IndexSettings()
    whole = draw_realisations(features, settings, n_draws=2 * n_base, random_state=random_state)
    a, b = whole.take(slice(0, n_base)), whole.take(slice(n_base, None))
    base = base_realisation(features, settings)
    issued = rank_units(score_draws(features, base, settings))

    def shift(draws: Realisations) -> FloatArray:
        """Mean absolute shift of rank, of shape (n_draws,)."""
        return np.asarray(np.abs(rank_units(score_draws(features, draws, settings)) - issued).mean(axis=1))

    mixtures = {factor: a.with_factor(factor, b) for factor in FACTORS if factor in settings.vary}
    table = sobol_shares(shift(a), shift(b), {factor: shift(mixture) for factor, mixture in mixtures.items()})
    table["is_disclosed"] = table["total_share"] > DISCLOSE_ABOVE
    return table


def sobol_shares(f_a: FloatArray, f_b: FloatArray, f_mixed: dict[str, FloatArray]) -> pd.DataFrame:
    """
    Give first-order and total shares from outputs of the three kinds of draw.

    Parameters
    ----------
    f_a, f_b : numpy.ndarray of shape (n,)
        Outputs of the two base samples.
    f_mixed : dict of str to numpy.ndarray of shape (n,)
        Outputs of A with one factor taken from B, by factor.

    Returns
    -------
    pandas.DataFrame
        Index ``factor_id``: ``first_order_share`` and ``total_share``, cut to [0, 1].
    """
    both = np.concatenate([f_a, f_b])
    variance = float(both.var())
    centre = float(both.mean())
    rows = {}
    for factor, mixed in f_mixed.items():
        # About the common mean: the estimate is the same in the limit and far less noisy.
        first = float(((f_b - centre) * (mixed - f_a)).mean())
        total = float(((f_a - mixed) ** 2).mean()) / 2.0
        rows[factor] = tuple(float(np.clip(v / variance, 0.0, 1.0)) if variance > 0 else 0.0 for v in (first, total))
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["first_order_share", "total_share"])
    return table.rename_axis("factor_id")
