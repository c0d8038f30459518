"""
Offences as the detectors see them: where, in which period, how heavy, and whether they are what is to be foreseen.

In: `geo.tables.OFFENCES`. Out: `Events`, arrays in an order that the order of rows cannot change.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.errors import InputError
from geo.hotspots.grid import Grid
from geo.hotspots.points import usable_offences

__all__ = ["Events", "build_events"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Events:
    """
    Offences as arrays, ordered by position and time so that no detector depends on the order of rows.

    Attributes
    ----------
    easting_m, northing_m : numpy.ndarray of shape (n,)
        EPSG:27700 metres.
    period : numpy.ndarray of shape (n,)
        Whole number of the month (or week) of each event.
    weight : numpy.ndarray of shape (n,)
        1, or harm.
    is_target : numpy.ndarray of shape (n,)
        Whether it is an offence to be foreseen; the others are context.
    """

    easting_m: FloatArray
    northing_m: FloatArray
    period: IntArray
    weight: FloatArray
    is_target: NDArray[np.bool_]

    def __post_init__(self) -> None:
        order = np.lexsort((self.weight, self.is_target, self.period, self.northing_m, self.easting_m))
        for name in ("easting_m", "northing_m", "period", "weight", "is_target"):
            object.__setattr__(self, name, getattr(self, name)[order])

    def choose(self, keep: NDArray[np.bool_]) -> Events:
        """
        Keep some of the events.

        Parameters
        ----------
        keep : numpy.ndarray of shape (n,)
            Which.

        Returns
        -------
        Events
            Those events.
        """
        names = ("easting_m", "northing_m", "period", "weight", "is_target")
        return replace(self, **{name: getattr(self, name)[keep] for name in names})

    def sum_targets(self, grid: Grid, *, factor: FloatArray | None = None) -> FloatArray:
        """
        Sum the weights of targets in each cell.

        Parameters
        ----------
        grid : Grid
            The cells.
        factor : numpy.ndarray of shape (n,) or None, default None
            Multiplies the weight of each event.

        Returns
        -------
        numpy.ndarray of shape (n_cells,)
            Sums.
        """
        weight = self.weight if factor is None else self.weight * factor
        return grid.sum_weights(self.easting_m, self.northing_m, np.where(self.is_target, weight, 0.0))

    def count_context(self, grid: Grid) -> FloatArray:
        """
        Count the context events in each cell.

        Parameters
        ----------
        grid : Grid
            The cells.

        Returns
        -------
        numpy.ndarray of shape (n_cells,)
            Counts.
        """
        return grid.sum_weights(self.easting_m, self.northing_m, np.where(self.is_target, 0.0, 1.0))


def build_events(offences: pd.DataFrame, *, targets: Collection[str], by_harm: bool = False) -> Events:
    """
    Build events from offences: those of some crime types as targets, all others as context.

    Parameters
    ----------
    offences : pandas.DataFrame
        Table `geo.tables.OFFENCES`. Never modified. Custody places and rows without a position are left out.
    targets : collection of str
        Values of `crime_type` to be foreseen.
    by_harm : bool, default False
        Whether targets weigh their harm; those without a harm weight are refused.

    Returns
    -------
    Events
        The usable offences.

    Raises
    ------
    TableError
        If the table breaks its contract.
    InputError
        If no target is usable, or a target has no harm weight when harm is asked for.
    """
    used, _, _ = usable_offences(offences)
    is_target = used["crime_type"].isin(list(targets)).to_numpy(dtype=bool)
    if not is_target.any():
        msg = f"offences: none usable is of type {sorted(targets)!r}, expected some. Check the crime types."
        raise InputError(msg)
    weight = np.ones(len(used))
    if by_harm:
        harm = used["harm_weight_days"].to_numpy(dtype=float)
        if np.isnan(harm[is_target]).any():
            n = int(np.isnan(harm[is_target]).sum())
            msg = f"offences: {n} targets have no harm weight, expected one each. Give a harm table or weigh by count."
            raise InputError(msg)
        weight = np.where(is_target, harm, 1.0)
    return Events(
        used["easting_m"].to_numpy(dtype=float),
        used["northing_m"].to_numpy(dtype=float),
        np.asarray(used["month"].array.asi8, dtype=np.int64),
        weight,
        is_target,
    )
