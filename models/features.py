"""
Features of stations and towns at a cut-off, with what is needed to draw them again under other assumptions.

Tables in: `geo.tables.STATION_EXPOSURE` or `PLACE_EXPOSURE`, `HOTSPOTS`, a `MonthlyEvidence`, and optionally the flows
by part and `DEPLOYMENTS`. Out: a `FeatureSet`. Nothing dated after the cut-off may enter: evidence is cut when it is
counted, and a hotspot or a line that reaches past the cut-off cannot be cut afterwards, so it raises.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from geo.catchments import find_town
from geo.errors import ModelGateError, TableError
from geo.schema import Contract, validate
from geo.tables import (
    COURIER_FLOWS,
    HOTSPOTS,
    PLACE_EXPOSURE,
    PLACES,
    STATION_EXPOSURE,
    STATION_FLOWS,
    STATIONS,
)
from models.dictionary import PLACE_FEATURES, STATION_FEATURES, FeatureDictionary
from models.evidence import MonthlyEvidence, measure_propensity
from models.shrinkage import fit_gamma_prior

__all__ = [
    "FeatureSet",
    "build_place_features",
    "build_station_features",
    "require_before_cutoff",
]

FloatArray = NDArray[np.float64]
# ASSUMPTION: half of the offences whose provenance is unknown are read as demand; drawn from 0 to 1 in the intervals.
UNKNOWN_AS_DEMAND_SHARE = 0.5


@dataclass(frozen=True)
class FeatureSet:
    """
    What is known of every unit at the cut-off.

    Attributes
    ----------
    dictionary : FeatureDictionary
        What each feature means.
    unit_name : str
        ``station_id`` or ``place_id``.
    names : pandas.Series
        What each unit is called, indexed by unit id, sorted.
    cutoff : pandas.Period
        Last month used.
    fixed : pandas.DataFrame
        Features that no draw changes but by its flow, one column each, null where not known; index as `names`.
    hotspot_harm : numpy.ndarray of shape (n_units,)
        Harm of the hotspots within reach.
    evidence : MonthlyEvidence
        Monthly counts, aligned with `names`.
    propensity : numpy.ndarray of shape (n_units,) or None
        Share of policing hours, against the most-worked unit; None without a log, and then enforcement is left out.
    flow_parts : scipy.sparse.csr_array of shape (n_units, n_parts) or None
        Shares of the courier flow by the town (or origin) that it rests on, to resample; each row sums to 1, or to 0.
    flow_scenarios : numpy.ndarray of shape (n_scenarios, n_units)
        Factors on the flow under other assumptions; the first row is ones.
    unknown_as_demand_share : float
        Share of unknown provenance that is read as demand.
    """

    dictionary: FeatureDictionary
    unit_name: str
    names: pd.Series
    cutoff: pd.Period
    fixed: pd.DataFrame
    hotspot_harm: FloatArray
    evidence: MonthlyEvidence
    propensity: FloatArray | None
    flow_parts: sparse.csr_array | None
    flow_scenarios: FloatArray
    unknown_as_demand_share: float

    @property
    def n_units(self) -> int:
        """How many stations or towns."""
        return len(self.names)

    @cached_property
    def prior_shapes(self) -> tuple[float, float]:
        """Events that the gamma prior is worth, for counts that may be demand-led and that may be enforcement-led."""
        counts = self.evidence.counts.sum(axis=1)
        months = float(len(self.evidence.months))
        worked = np.ones(self.n_units) if self.propensity is None else self.propensity
        demand = fit_gamma_prior(counts[:, 0] + counts[:, 2], np.full(self.n_units, months))
        enforcement = fit_gamma_prior(counts[:, 1] + counts[:, 2], months * worked)
        return demand.shape, enforcement.shape


def build_station_features(
    station_exposure: pd.DataFrame,
    stations: pd.DataFrame,
    hotspots: pd.DataFrame,
    evidence: MonthlyEvidence,
    *,
    cutoff: pd.Period,
    station_flows: pd.DataFrame | None = None,
    deployments: pd.DataFrame | None = None,
    flow_scenarios: pd.DataFrame | None = None,
    walk_min: float = 15.0,
    unknown_as_demand_share: float = UNKNOWN_AS_DEMAND_SHARE,
) -> FeatureSet:
    """
    Build the features of the force's stations.

    Parameters
    ----------
    station_exposure : pandas.DataFrame
        Table `geo.tables.STATION_EXPOSURE`; stations in force that are missing have no flow.
    stations : pandas.DataFrame
        Table `geo.tables.STATIONS`; those in force are scored.
    hotspots : pandas.DataFrame
        Table `geo.tables.HOTSPOTS`.
    evidence : MonthlyEvidence
        From `models.evidence.count_station_evidence`, for at least the stations in force.
    cutoff : pandas.Period
        Last month that may be used.
    station_flows : pandas.DataFrame or None
        Table `geo.tables.STATION_FLOWS`, so that draws can resample the towns the flow goes to.
    deployments : pandas.DataFrame or None
        Table `geo.tables.DEPLOYMENTS`, to turn enforcement counts into rates.
    flow_scenarios : pandas.DataFrame or None
        ``courier_trips_per_month`` under other assumptions, a column each, indexed by ``station_id``.
    walk_min : float
        Walk that counts as within reach of a hotspot, minutes.
    unknown_as_demand_share : float
        Share of unknown provenance read as demand.

    Returns
    -------
    FeatureSet
        Ordered by station id.

    Raises
    ------
    ModelGateError
        If anything is dated after the cut-off.
    TableError
        If a table breaks its contract, or evidence lacks a station.
    """
    _check({"station_exposure": (station_exposure, STATION_EXPOSURE), "stations": (stations, STATIONS)})
    require_before_cutoff(hotspots, HOTSPOTS, cutoff)
    names = stations.loc[stations["is_in_force"], "name"].sort_index()
    exposure = station_exposure.reindex(names.index)
    is_near = hotspots["walk_min"].le(walk_min).to_numpy(dtype=bool, na_value=False)
    near = hotspots[is_near].groupby("nearest_station_id")["weight"].sum()
    fixed = pd.DataFrame(
        {
            "courier_flow": exposure["courier_trips_per_month"].fillna(0.0).astype(float),
            "courier_rate": exposure["courier_trips_per_100k_passengers"].astype(float),
        },
        index=names.index,
    )
    parts = None
    if station_flows is not None:
        validate(station_flows, STATION_FLOWS)
        met = ("boarding_trips_per_month", "interchange_trips_per_month", "alighting_trips_per_month")
        trips = sum((station_flows[column] for column in met), start=pd.Series(0.0, index=station_flows.index))
        parts = _parts(station_flows["station_id"], station_flows["destination_id"], trips, names.index)
    return FeatureSet(
        dictionary=STATION_FEATURES,
        unit_name="station_id",
        names=names,
        cutoff=cutoff,
        fixed=fixed,
        hotspot_harm=near.reindex(names.index).fillna(0.0).to_numpy(float),
        evidence=_align(evidence, names.index, cutoff),
        propensity=None
        if deployments is None
        else measure_propensity(deployments, tuple(map(str, names.index)), cutoff=cutoff),
        flow_parts=parts,
        flow_scenarios=_scenarios(flow_scenarios, fixed["courier_flow"]),
        unknown_as_demand_share=unknown_as_demand_share,
    )


def build_place_features(
    place_exposure: pd.DataFrame,
    places: pd.DataFrame,
    hotspots: pd.DataFrame,
    evidence: MonthlyEvidence,
    *,
    cutoff: pd.Period,
    courier_flows: pd.DataFrame | None = None,
    cuckooed_addresses: pd.Series | None = None,
    flow_scenarios: pd.DataFrame | None = None,
    unknown_as_demand_share: float = UNKNOWN_AS_DEMAND_SHARE,
) -> FeatureSet:
    """
    Build the features of the force's towns.

    Parameters
    ----------
    place_exposure : pandas.DataFrame
        Table `geo.tables.PLACE_EXPOSURE`; towns in force that are missing have no flow.
    places : pandas.DataFrame
        Table `geo.tables.PLACES`; those in force are scored.
    hotspots : pandas.DataFrame
        Table `geo.tables.HOTSPOTS`.
    evidence : MonthlyEvidence
        From `models.evidence.count_place_evidence`.
    cutoff : pandas.Period
        Last month that may be used.
    courier_flows : pandas.DataFrame or None
        Table `geo.tables.COURIER_FLOWS`, so that draws can resample the origins the flow comes from.
    cuckooed_addresses : pandas.Series or None
        Cuckooed addresses of each town, counted by area, indexed by ``place_id``.
    flow_scenarios : pandas.DataFrame or None
        ``courier_trips_per_month`` under other assumptions, a column each, indexed by ``place_id``.
    unknown_as_demand_share : float
        Share of unknown provenance read as demand.

    Returns
    -------
    FeatureSet
        Ordered by place id.

    Raises
    ------
    ModelGateError
        If anything is dated after the cut-off.
    TableError
        If a table breaks its contract, or evidence lacks a town.
    """
    _check({"place_exposure": (place_exposure, PLACE_EXPOSURE), "places": (places, PLACES)})
    require_before_cutoff(hotspots, HOTSPOTS, cutoff)
    ordered = places.sort_index()
    names = ordered.loc[ordered["is_in_force"], "name"]
    exposure = place_exposure.reindex(names.index)
    fixed = pd.DataFrame(
        {
            "courier_flow": exposure["courier_trips_per_month"].fillna(0.0).astype(float),
            "observed_lines": exposure["observed_lines"].astype(float),
            "cuckooed_addresses": np.nan
            if cuckooed_addresses is None
            else cuckooed_addresses.reindex(names.index).fillna(0.0).astype(float),
        },
        index=names.index,
    )
    # A hotspot belongs to its town, in force or not, before those out of force are left aside.
    row = find_town(hotspots[["easting_m", "northing_m"]].to_numpy(float), ordered)
    harm = np.bincount(row[row >= 0], weights=hotspots["weight"].to_numpy(float)[row >= 0], minlength=len(ordered))
    parts = None
    if courier_flows is not None:
        validate(courier_flows, COURIER_FLOWS)
        trips = courier_flows["trips_per_month"]
        parts = _parts(courier_flows["destination_id"], courier_flows["origin_id"], trips, names.index)
    return FeatureSet(
        dictionary=PLACE_FEATURES,
        unit_name="place_id",
        names=names,
        cutoff=cutoff,
        fixed=fixed,
        hotspot_harm=pd.Series(harm, index=ordered.index).reindex(names.index).to_numpy(float),
        evidence=_align(evidence, names.index, cutoff),
        propensity=None,
        flow_parts=parts,
        flow_scenarios=_scenarios(flow_scenarios, fixed["courier_flow"]),
        unknown_as_demand_share=unknown_as_demand_share,
    )


def require_before_cutoff(table: pd.DataFrame, contract: Contract, cutoff: pd.Period) -> None:
    """
    Pass if no month of the table lies after the cut-off, raise otherwise.

    Parameters
    ----------
    table : pandas.DataFrame
        Any contracted table.
    contract : Contract
        Its contract, which says which columns are months.
    cutoff : pandas.Period
        Last month that may be used.

    Raises
    ------
    ModelGateError
        If a month lies after the cut-off: a leak.
    TableError
        If the table breaks its contract.
    """
    validate(table, contract)
    for name, column in contract.columns.items():
        if column.kind != "month" or name not in table.columns:
            continue
        late = table.index[(table[name] > cutoff).to_numpy(dtype=bool)]
        if len(late):
            msg = (
                f"{contract.name}: column {name!r} is {table[name].max()} at {late[0]!r}, expected nothing after the "
                f"cut-off {cutoff}. Build the table from rows up to the cut-off."
            )
            raise ModelGateError(msg)


def _check(tables: dict[str, tuple[pd.DataFrame, Contract]]) -> None:
    """Every table keeps its contract."""
    for table, contract in tables.values():
        validate(table, contract)


def _align(evidence: MonthlyEvidence, index: pd.Index, cutoff: pd.Period) -> MonthlyEvidence:
    """The evidence of exactly these units, in this order, none of it after the cut-off."""
    row = pd.Index(evidence.unit_ids).get_indexer(index)
    if (row < 0).any():
        msg = (
            f"evidence: no count for {index[row < 0][0]!r}, expected every unit that is scored. Count it for all units."
        )
        raise TableError(msg)
    if evidence.months.max() > cutoff:
        msg = (
            f"evidence: month {evidence.months.max()} is counted, expected nothing after the cut-off {cutoff}. "
            "Count it again with this cut-off."
        )
        raise ModelGateError(msg)
    return MonthlyEvidence(tuple(map(str, index)), evidence.months, evidence.counts[row])


def _parts(units: pd.Series, parts: pd.Series, trips: pd.Series, index: pd.Index) -> sparse.csr_array:
    """Each unit's flow as shares over its parts; a row of zeros where a unit has no part."""
    row = index.get_indexer(pd.Index(units))
    is_used = (row >= 0) & (trips.to_numpy(float) > 0)
    column, labels = pd.factorize(parts[is_used].to_numpy(dtype=object), sort=True)
    amount = sparse.csr_array(
        sparse.coo_array((trips.to_numpy(float)[is_used], (row[is_used], column)), shape=(len(index), len(labels)))
    )
    amount.sum_duplicates()
    total = np.asarray(amount.sum(axis=1)).ravel()
    scale = np.divide(1.0, total, out=np.zeros(len(index)), where=total > 0)
    return sparse.csr_array(sparse.diags_array(scale) @ amount)


def _scenarios(scenarios: pd.DataFrame | None, flow: pd.Series) -> FloatArray:
    """Factors on the flow, a row of ones first."""
    base = flow.to_numpy(float)
    if scenarios is None or scenarios.shape[1] == 0:
        return np.ones((1, len(base)))
    other = scenarios.reindex(flow.index).fillna(0.0).to_numpy(float).T
    with np.errstate(invalid="ignore", divide="ignore"):
        factors = np.where(base > 0, other / base, 1.0)
    return np.vstack([np.ones(len(base)), factors])
