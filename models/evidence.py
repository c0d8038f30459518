"""
Offences counted around stations and towns, by month and by who brought them to light.

Table in: `geo.tables.OFFENCES`. Out: a `MonthlyEvidence`, an array of counts of shape (units, months, 3). Rows after
the cut-off, rows without a position and custody locations (which say where a cell block is, not where an offence was)
are not counted. Unknown provenance is kept as unknown; how much of it is read as demand is an open setting, varied
from none to all of it in every rank interval: drug offences are mostly found by police, and open data do not say.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.spatial import KDTree

from geo.catchments import find_town
from geo.errors import InputError
from geo.schema import validate
from geo.tables import DEPLOYMENTS, OFFENCES, PLACES, STATIONS

__all__ = [
    "EVIDENCE_KINDS",
    "MonthlyEvidence",
    "count_place_evidence",
    "count_station_evidence",
    "measure_propensity",
]

FloatArray = NDArray[np.float64]

EVIDENCE_KINDS = ("demand", "enforcement", "unknown")
_KIND_OF_PROVENANCE = {"public_report": 0, "partner_referral": 0, "police_proactive": 1, "unknown": 2}
# Walking speed of Transport for London's Public Transport Access Levels, 80 m a minute.
WALK_M_PER_MIN = 80.0
# ASSUMPTION: a street walk is this many times the straight line.
WALK_DETOUR = 1.3
# The clip of inverse weights that trust.md F-4 sets: no count is raised more than twentyfold.
PROPENSITY_FLOOR = 0.05


@dataclass(frozen=True)
class MonthlyEvidence:
    """
    Counts of offences by unit, month and kind.

    Attributes
    ----------
    unit_ids : tuple of str
        Stations or towns, sorted.
    months : pandas.PeriodIndex
        Whole months with data, in order, none after the cut-off.
    counts : numpy.ndarray of shape (n_units, n_months, 3)
        Offences of each of `EVIDENCE_KINDS`.
    """

    unit_ids: tuple[str, ...]
    months: pd.PeriodIndex
    counts: FloatArray

    @property
    def totals(self) -> FloatArray:
        """Offences of every kind and month, of shape (n_units,)."""
        return np.asarray(self.counts.sum(axis=(1, 2)))


def count_station_evidence(
    offences: pd.DataFrame,
    stations: pd.DataFrame,
    *,
    cutoff: pd.Period,
    walk_min: float = 15.0,
    months: pd.PeriodIndex | None = None,
) -> MonthlyEvidence:
    """
    Count the offences within a walk of each station, month by month.

    Parameters
    ----------
    offences : pandas.DataFrame
        Table `geo.tables.OFFENCES`. Never modified.
    stations : pandas.DataFrame
        Table `geo.tables.STATIONS`.
    cutoff : pandas.Period
        Last month that may be used.
    walk_min : float
        Minutes on foot, at 80 m a minute and a detour of 1.3 over the straight line.
    months : pandas.PeriodIndex or None
        Months that are complete; where None, the months that have any row.

    Returns
    -------
    MonthlyEvidence
        An offence within reach of two stations counts at both.
    """
    validate(stations, STATIONS)
    reach_m = walk_min * WALK_M_PER_MIN / WALK_DETOUR
    units = stations.sort_index()
    points, weights, used = _distinct_points(offences, cutoff, months)
    tree = KDTree(points)
    centres = units[["easting_m", "northing_m"]].to_numpy(float)
    near = [tree.query_ball_point(centre, r=reach_m, return_sorted=True) for centre in centres]
    indptr = np.concatenate([[0], np.cumsum([len(hits) for hits in near])])
    columns = np.concatenate([np.asarray(hits, dtype=np.int64) for hits in near]) if near else np.empty(0, int)
    incidence = sparse.csr_matrix((np.ones(len(columns)), columns, indptr), shape=(len(units), len(points)))
    return _evidence(units.index, used, np.asarray(incidence @ weights))


def count_place_evidence(
    offences: pd.DataFrame,
    places: pd.DataFrame,
    *,
    cutoff: pd.Period,
    months: pd.PeriodIndex | None = None,
) -> MonthlyEvidence:
    """
    Count the offences of each town, month by month.

    Parameters
    ----------
    offences : pandas.DataFrame
        Table `geo.tables.OFFENCES`. Never modified.
    places : pandas.DataFrame
        Table `geo.tables.PLACES`.
    cutoff : pandas.Period
        Last month that may be used.
    months : pandas.PeriodIndex or None
        Months that are complete; where None, the months that have any row.

    Returns
    -------
    MonthlyEvidence
        Every offence counts at the town of most residents where it lies, or at none: `geo.catchments.find_town`.
    """
    validate(places, PLACES)
    units = places.sort_index()
    points, weights, used = _distinct_points(offences, cutoff, months)
    town = find_town(points, units)
    kept = np.flatnonzero(town >= 0)
    incidence = sparse.csr_matrix((np.ones(len(kept)), (town[kept], kept)), shape=(len(units), len(points)))
    return _evidence(units.index, used, np.asarray(incidence @ weights))


def measure_propensity(
    deployments: pd.DataFrame, unit_ids: tuple[str, ...], *, cutoff: pd.Period, floor: float = PROPENSITY_FLOOR
) -> FloatArray:
    """
    Measure how much each station was worked, against the most-worked one.

    Parameters
    ----------
    deployments : pandas.DataFrame
        Table `geo.tables.DEPLOYMENTS`. Rows after the cut-off are left out.
    unit_ids : tuple of str
        Stations, in the order of the result.
    cutoff : pandas.Period
        Last month that may be used.
    floor : float
        Least share a worked station is given, so that one lucky find in an hour does not outweigh everything.

    Returns
    -------
    numpy.ndarray of shape (n_units,)
        Shares in [0, 1]; 0 where no hour was logged.

    Raises
    ------
    InputError
        If the log holds no hour up to the cut-off at any of the units.
    """
    validate(deployments, DEPLOYMENTS)
    known = deployments[deployments["month"] <= cutoff]
    hours = known.groupby("station_id")["n_hours"].sum().reindex(list(unit_ids)).fillna(0.0).to_numpy(float)
    if hours.sum() <= 0:
        msg = f"deployments: no hour is logged up to {cutoff}, expected at least one. Leave the log out instead."
        raise InputError(msg)
    share = hours / hours.max()
    return np.where(hours > 0, np.maximum(share, floor), 0.0)


def _distinct_points(
    offences: pd.DataFrame, cutoff: pd.Period, months: pd.PeriodIndex | None
) -> tuple[FloatArray, FloatArray, pd.PeriodIndex]:
    """Distinct coordinates, their counts by month and kind side by side, and the months used."""
    validate(offences, OFFENCES)
    known = offences[offences["month"] <= cutoff]
    used = pd.PeriodIndex(known["month"].unique(), freq="M") if months is None else months[months <= cutoff]
    used = used.sort_values()
    if not len(used):
        msg = f"offences: no month up to the cut-off {cutoff} has a row, expected at least one. Move the cut-off."
        raise InputError(msg)
    kind = known["provenance"].map(_KIND_OF_PROVENANCE)
    month = used.get_indexer(pd.PeriodIndex(known["month"]))
    is_used = (kind.notna() & known["easting_m"].notna() & known["northing_m"].notna()).to_numpy() & (month >= 0)
    located = known.loc[is_used, ["easting_m", "northing_m"]].to_numpy(float)
    points, row = np.unique(located, axis=0, return_inverse=True) if len(located) else (located, np.empty(0, int))
    column = month[is_used] * len(EVIDENCE_KINDS) + kind[is_used].to_numpy(int)
    weights = np.zeros((len(points), len(used) * len(EVIDENCE_KINDS)))
    np.add.at(weights, (np.ravel(row), column), 1.0)
    return points, weights, used


def _evidence(index: pd.Index, months: pd.PeriodIndex, counts: FloatArray) -> MonthlyEvidence:
    """The counts folded back to (units, months, kinds)."""
    shape = (len(index), len(months), len(EVIDENCE_KINDS))
    return MonthlyEvidence(tuple(map(str, index)), months, np.asarray(counts, dtype=float).reshape(shape))
