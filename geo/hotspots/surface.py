"""
The graded surface of a detector: how many of the next offences each cell is expected to hold.

In: `geo.tables.OFFENCES` and a `Grid`. Out: `Surface`, computed once and used twice: `geo.hotspots.hot_cells` draws its
highest cells as patches, and `geo.corridors.arrival` takes all of it, graded, to say where in a town couriers go. A
patch has an edge because it is drawn; the surface has none.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.hotspots.detectors import Detector
from geo.hotspots.events import build_events
from geo.hotspots.grid import Grid

__all__ = ["Surface", "measure_surface"]


@dataclass(frozen=True)
class Surface:
    """
    What a detector expects of every cell.

    Attributes
    ----------
    grid : Grid
        The cells.
    score : numpy.ndarray of shape (n_cells,)
        The detector's score, by which cells are ranked.
    n_targets : float
        Weight of the targets in the cells that the detector learnt from.
    """

    grid: Grid
    score: NDArray[np.float64]
    n_targets: float

    def expected(self) -> pd.DataFrame:
        r"""
        Give the offences expected in each cell, over a time as long as the training.

        The score :math:`s_i`, no less than 0, is scaled to the targets so far, :math:`n \, s_i / \sum_k s_k`; over its
        sum it is the expected share of the next offences.

        Returns
        -------
        pandas.DataFrame
            ``easting_m, northing_m, weight`` of the cells with a weight above 0: centres in EPSG:27700 metres, by
            number of the cell. Empty where nothing is expected anywhere.
        """
        score = np.maximum(self.score, 0.0)
        chosen = np.flatnonzero(score)
        total = float(score.sum())
        centre_m = self.grid.centre_m[chosen]
        weight = score[chosen] * (self.n_targets / total if total > 0 else 0.0)
        table = pd.DataFrame({"easting_m": centre_m[:, 0], "northing_m": centre_m[:, 1], "weight": weight})
        return table.set_axis(pd.Index(chosen, name="cell_id"))


def measure_surface(offences: pd.DataFrame, grid: Grid, *, targets: Collection[str], detector: Detector) -> Surface:
    """
    Measure what a detector expects of every cell.

    Parameters
    ----------
    offences : pandas.DataFrame
        Table `geo.tables.OFFENCES` of all crime types: those that are no target are context. Never modified; any row
        order.
    grid : Grid
        Cells of the study area. Offences outside it are left out.
    targets : collection of str
        Crime types to be foreseen.
    detector : Detector
        Such as `geo.hotspots.detectors.DEFAULT_DETECTOR` among `standard_detectors`.

    Returns
    -------
    Surface
        One score a cell.

    Raises
    ------
    TableError
        If the table breaks its contract.
    InputError
        If no target is usable.
    """
    events = build_events(offences, targets=targets)
    return Surface(grid, detector.fit(events, grid), float(events.sum_targets(grid).sum()))
