"""
Forecast what was held out: forward in time, and across random folds, spatial blocks and whole towns.

Random folds flatter a model that learns its neighbours by heart (Roberts et al. 2017, "Cross-validation strategies for
data with temporal, spatial, hierarchical, or phylogenetic structure", Ecography 40(8), 913-929), so they are shown
only beside blocks, towns and time.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from geo.errors import InputError
from models.candidates import Candidate
from models.panel import Panel

__all__ = ["SCHEMES", "forecast_forward", "forecast_held_out", "forward_origins", "label_blocks", "label_folds"]

FloatArray = NDArray[np.float64]
SCHEMES = ("temporal", "random", "block", "town")
# trust.md D1: a block is no smaller than this.
SMALLEST_BLOCK_M = 5_000.0
_N_FOLDS = 5


def label_blocks(
    easting_m: FloatArray, northing_m: FloatArray, *, block_m: float = 2 * SMALLEST_BLOCK_M
) -> NDArray[np.int64]:
    """
    Label points by the square block they lie in.

    Parameters
    ----------
    easting_m, northing_m : numpy.ndarray of shape (n_units,)
        EPSG:27700 metres.
    block_m : float
        Side of a block, metres; at least 5,000.

    Returns
    -------
    numpy.ndarray of shape (n_units,)
        Labels from 0, in order of easting then northing.

    Raises
    ------
    InputError
        If the blocks are smaller than 5 km.
    """
    if block_m < SMALLEST_BLOCK_M:
        msg = f"block_m: {block_m:g}, expected at least {SMALLEST_BLOCK_M:g}. Neighbours would leak; use larger blocks."
        raise InputError(msg)
    cells = np.column_stack([np.floor(easting_m / block_m), np.floor(northing_m / block_m)])
    return np.ravel(np.unique(cells, axis=0, return_inverse=True)[1]).astype(np.int64)


def label_folds(panel: Panel, scheme: str, *, random_state: int) -> NDArray[np.int64]:
    """
    Give each unit the fold it is held out in.

    Parameters
    ----------
    panel : Panel
        Units with their blocks and towns.
    scheme : str
        ``random``, ``block`` or ``town``.
    random_state : int
        Seed of the random folds.

    Returns
    -------
    numpy.ndarray of shape (n_units,)
        Folds from 0.
    """
    if scheme == "town":
        return np.ravel(np.unique(panel.towns, return_inverse=True)[1]).astype(np.int64)
    if scheme == "random":
        order = np.random.default_rng(random_state).permutation(len(panel.unit_ids))
        return order % _N_FOLDS
    # Whole blocks dealt to folds, the fullest first, so that folds are of like size.
    labels, size = np.unique(panel.blocks, return_counts=True)
    order = np.lexsort((labels, -size))
    load = np.zeros(min(_N_FOLDS, len(labels)), dtype=np.int64)
    fold = np.empty(len(labels), dtype=np.int64)
    for block in order:
        fold[block] = int(np.argmin(load))
        load[fold[block]] += size[block]
    return fold[np.searchsorted(labels, panel.blocks)]


def forward_origins(panel: Panel) -> list[int]:
    """
    List the origins that have an earlier one whose outcome was complete by then.

    Parameters
    ----------
    panel : Panel
        Features and outcomes.

    Returns
    -------
    list of int
        Positions in `Panel.origins`.
    """
    return list(range(panel.gap + panel.horizon, len(panel.origins)))


def forecast_forward(candidate: Candidate, panel: Panel) -> tuple[FloatArray, FloatArray, pd.PeriodIndex]:
    """
    Forecast each origin from models fitted only to what was complete by then.

    Parameters
    ----------
    candidate : Candidate
        The model.
    panel : Panel
        Features and outcomes.

    Returns
    -------
    forecasts, outcomes : numpy.ndarray of shape (n_origins_judged, n_units)
        What was forecast, and what came.
    origins : pandas.PeriodIndex
        The origins judged.
    """
    judged = forward_origins(panel)
    columns = list(candidate.columns)
    forecasts = []
    for origin in judged:
        # An outcome ends gap + horizon months after its origin, and must have ended by this one.
        last = origin - panel.gap - panel.horizon
        past = panel.features[: last + 1, :, columns].reshape(-1, len(columns))
        model = clone(candidate.model).fit(past, panel.outcomes[: last + 1].ravel())
        forecasts.append(model.predict(panel.features[origin][:, columns]))
    return np.stack(forecasts), panel.outcomes[judged], panel.origins[judged]


def forecast_held_out(candidate: Candidate, panel: Panel, folds: NDArray[np.int64]) -> FloatArray:
    """
    Forecast each unit from models fitted without its fold.

    Parameters
    ----------
    candidate : Candidate
        The model.
    panel : Panel
        Features and outcomes.
    folds : numpy.ndarray of shape (n_units,)
        From `label_folds`.

    Returns
    -------
    numpy.ndarray of shape (n_origins, n_units)
        Forecasts, every unit held out once.
    """
    columns = list(candidate.columns)
    forecasts = np.zeros(panel.outcomes.shape)
    for fold in np.unique(folds):
        out = folds == fold
        seen = panel.features[:, ~out][..., columns].reshape(-1, len(columns))
        model = clone(candidate.model).fit(seen, panel.outcomes[:, ~out].ravel())
        rows = panel.features[:, out][..., columns].reshape(-1, len(columns))
        forecasts[:, out] = model.predict(rows).reshape(len(panel.origins), -1)
    return forecasts
