"""
From offences to distinct points with weights, which every detector works on.

In: `geo.tables.OFFENCES`. Out: `WeightedPoints`, one row a distinct position. Published police positions are snapped,
so many offences share a point: distinct points with weights give the same answers as the rows, in any row order, for a
fraction of the work. Offences "at" a police station or custody suite mark where the paper was written, not where the
offence was, and are left out and counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.errors import InputError, UsageError
from geo.schema import validate
from geo.tables import OFFENCES

__all__ = ["WeightedPoints", "build_points", "months_of_ordinals", "usable_offences"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# A recording place, not an offence place: left out of every detector.
_ARTEFACT = "custody_location"


@dataclass(frozen=True)
class WeightedPoints:
    """
    Distinct positions with the offences recorded at them.

    Attributes
    ----------
    easting_m, northing_m : numpy.ndarray of shape (n_points,)
        EPSG:27700 metres, ordered by easting then northing.
    weight : numpy.ndarray of shape (n_points,)
        Sum of the offences' weights (harm and age decay); the number of offences when neither is asked for.
    n_offences : numpy.ndarray of shape (n_points,)
        Offences at the point.
    harm_days : numpy.ndarray of shape (n_points,)
        Sum of the known harm weights, sentence days.
    first_month, last_month : pandas.PeriodIndex of length n_points
        Months of the first and the last offence at the point.
    is_exact : numpy.ndarray of shape (n_points,)
        Whether any offence at the point was located exactly.
    offence_ids : pandas.Index
        The offences used, sorted.
    point_of_offence : numpy.ndarray of shape (n_used,)
        The point of each of them.
    n_custody, n_no_location, n_no_harm : int
        Offences left out: at a custody place, without a position, and (when weighted by harm) without a weight.
    """

    easting_m: FloatArray
    northing_m: FloatArray
    weight: FloatArray
    n_offences: IntArray
    harm_days: FloatArray
    first_month: pd.PeriodIndex
    last_month: pd.PeriodIndex
    is_exact: NDArray[np.bool_]
    offence_ids: pd.Index
    point_of_offence: IntArray
    n_custody: int
    n_no_location: int
    n_no_harm: int

    @property
    def n_months(self) -> int:
        """Months from the first to the last offence, both included; at least 1."""
        if not len(self.first_month):
            return 1
        return int(self.last_month.asi8.max() - self.first_month.asi8.min()) + 1

    @property
    def coordinates_m(self) -> FloatArray:
        """Array of shape (n_points, 2) in EPSG:27700 metres."""
        return np.column_stack([self.easting_m, self.northing_m])


def usable_offences(offences: pd.DataFrame) -> tuple[pd.DataFrame, int, int]:
    """
    Drop what no detector may use: custody places and rows without a position.

    Parameters
    ----------
    offences : pandas.DataFrame
        Table `geo.tables.OFFENCES`. Never modified.

    Returns
    -------
    offences : pandas.DataFrame
        The usable rows, ordered by id.
    n_custody : int
        Rows recorded at a custody place.
    n_no_location : int
        Other rows without a position.

    Raises
    ------
    TableError
        If the table breaks its contract.
    """
    validate(offences, OFFENCES)
    is_custody = (offences["provenance"] == _ARTEFACT).to_numpy(dtype=bool)
    is_located = offences[["easting_m", "northing_m"]].notna().all(axis=1).to_numpy(dtype=bool)
    used = offences[~is_custody & is_located].sort_index(kind="stable")
    return used, int(is_custody.sum()), int((~is_custody & ~is_located).sum())


def build_points(
    offences: pd.DataFrame,
    *,
    by_harm: bool = False,
    half_life_months: float | None = None,
    reference_month: pd.Period | None = None,
) -> WeightedPoints:
    r"""
    Gather offences into distinct weighted points.

    An offence of age :math:`a` months weighs :math:`h \, 2^{-a / H}`, where :math:`h` is 1, or its harm divided by the
    mean harm of the rows used, so that a weight always reads as a number of average, present offences.

    Parameters
    ----------
    offences : pandas.DataFrame
        Table `geo.tables.OFFENCES`. Never modified; any row order.
    by_harm : bool, default False
        Whether to weigh by `harm_weight_days`. Rows without one are then left out and counted, never guessed.
    half_life_months : float or None, default None
        Age at which an offence counts half; None for no decay.
    reference_month : pandas.Period or None, default None
        Month of age 0; None for the last month in the table. Later rows are refused.

    Returns
    -------
    WeightedPoints
        Ordered by easting then northing; empty if no row is usable.

    Raises
    ------
    TableError
        If the table breaks its contract.
    UsageError
        If the half-life is not positive.
    InputError
        If a row is later than the reference month.
    """
    if half_life_months is not None and not half_life_months > 0:
        msg = f"half_life_months: it is {half_life_months!r}, expected a positive number of months. Use None for none."
        raise UsageError(msg)
    used, n_custody, n_no_location = usable_offences(offences)
    has_harm = used["harm_weight_days"].notna().to_numpy(dtype=bool)
    n_no_harm = int((~has_harm).sum()) if by_harm else 0
    if by_harm:
        used = used[has_harm]
    weight = _weights(used, by_harm=by_harm, half_life_months=half_life_months, reference_month=reference_month)

    coordinates = used[["easting_m", "northing_m"]].to_numpy(dtype=float)
    distinct, point = np.unique(coordinates, axis=0, return_inverse=True)
    point = point.reshape(-1)
    n_points = len(distinct)
    ordinal = used["month"].array.asi8 if len(used) else np.zeros(0, dtype=np.int64)
    first = np.full(n_points, np.iinfo(np.int64).max)
    last = np.full(n_points, np.iinfo(np.int64).min)
    np.minimum.at(first, point, ordinal)
    np.maximum.at(last, point, ordinal)
    is_exact = np.zeros(n_points, dtype=bool)
    is_exact[point[(used["location_precision"] == "exact").to_numpy(dtype=bool)]] = True
    harm = used["harm_weight_days"].fillna(0.0).to_numpy(dtype=float)
    return WeightedPoints(
        easting_m=distinct[:, 0],
        northing_m=distinct[:, 1],
        weight=np.bincount(point, weights=weight, minlength=n_points).astype(float),
        n_offences=np.bincount(point, minlength=n_points).astype(np.int64),
        harm_days=np.bincount(point, weights=harm, minlength=n_points).astype(float),
        first_month=months_of_ordinals(first),
        last_month=months_of_ordinals(last),
        is_exact=is_exact,
        offence_ids=used.index,
        point_of_offence=point.astype(np.int64),
        n_custody=n_custody,
        n_no_location=n_no_location,
        n_no_harm=n_no_harm,
    )


def months_of_ordinals(ordinal: IntArray) -> pd.PeriodIndex:
    """
    Build months from their ordinals.

    Parameters
    ----------
    ordinal : numpy.ndarray of shape (n,)
        Months since January 1970.

    Returns
    -------
    pandas.PeriodIndex
        Months of frequency M.

    Examples
    --------
    >>> months_of_ordinals(np.array([0, 660])).astype(str).tolist()
    ['1970-01', '2025-01']
    """
    return pd.PeriodIndex(pd.arrays.PeriodArray(ordinal, dtype=pd.PeriodDtype("M")))


def _weights(
    used: pd.DataFrame, *, by_harm: bool, half_life_months: float | None, reference_month: pd.Period | None
) -> FloatArray:
    """Weight of each row, in average present offences."""
    weight = np.ones(len(used))
    if not len(used):
        return weight
    if by_harm:
        harm = used["harm_weight_days"].to_numpy(dtype=float)
        mean = float(harm.mean())
        weight = harm / mean if mean > 0 else weight
    last = used["month"].max()
    reference = last if reference_month is None else reference_month
    if last > reference:
        msg = f"offences: the last month is {last}, expected none after {reference}. Cut the table at the reference."
        raise InputError(msg)
    if half_life_months is not None:
        age_months = reference.ordinal - used["month"].array.asi8
        weight = weight * np.exp2(-age_months / half_life_months)
    return weight
