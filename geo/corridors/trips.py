"""
Courier trips from every origin to every town of the force, all modes: the contract `OD_TRIPS`.

Lines of each origin (`geo.corridors.origins`) are shared among towns by production-constrained gravity, whose
coefficients rest on `COURIER_GRAVITY` until lines are observed, and then each origin's shares move towards its own
lines. What leaves the origins arrives in the towns, or is stated as lost.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.corridors.gravity import Gravity
from geo.corridors.origins import INTERNAL_SHARE, PRIOR_STRENGTH_LINES, PRIOR_TOTAL_LINES, estimate_origins
from geo.corridors.priors import COURIER_GRAVITY, CoefficientPrior, update_shares
from geo.errors import IntegrityError, TableError, UsageError
from geo.schema import validate
from geo.tables import OD_TRIPS, PLACES

__all__ = ["COST_FLOOR_MIN", "TRIPS_PER_LINE_PER_MONTH", "account_for_trips", "estimate_od_trips"]

# ASSUMPTION. A line is restocked about twice a week; no public count of trips a line was found.
TRIPS_PER_LINE_PER_MONTH = 8.0
# ASSUMPTION. Below this no trip is easier than another: getting out of the door takes as long.
COST_FLOOR_MIN = 15.0
# A pair is called observed once its own lines supply most of its figure.
_OBSERVED_SHARE = 0.5
_CONSERVATION = 1e-9


def estimate_od_trips(
    exporters: pd.DataFrame,
    places: pd.DataFrame,
    deal_lines: pd.DataFrame,
    costs: pd.DataFrame,
    *,
    weights: pd.Series | None = None,
    exporter_pull: pd.Series | None = None,
    trips_per_line_per_month: float = TRIPS_PER_LINE_PER_MONTH,
    internal_share: float = INTERNAL_SHARE,
    prior: CoefficientPrior = COURIER_GRAVITY,
    prior_strength_lines: float = PRIOR_STRENGTH_LINES,
    prior_total_lines: float = PRIOR_TOTAL_LINES,
    cost_floor_min: float = COST_FLOOR_MIN,
) -> pd.DataFrame:
    r"""
    Estimate monthly courier trips of every origin and town of the force.

    1. Gravity's coefficients: prior, moved by observed lines (maximum a posteriori).
    2. Each origin's shares among towns: :math:`p_{ij} \propto w_j^b c_{ij}^{-g}`, updated by its own lines.
    3. Each origin's lines: `geo.corridors.origins.estimate_origins`.
    4. Lines into a known town from an unknown origin are allotted to origins in proportion to the flows so far, and
       move the shares again; they add nothing to an origin's total.
    5. Trips: lines times shares times trips a line.

    Parameters
    ----------
    exporters : pandas.DataFrame
        Contract `EXPORTERS`.
    places : pandas.DataFrame
        Contract `PLACES`; only those in the force are destinations and internal origins.
    deal_lines : pandas.DataFrame
        Contract `DEAL_LINES`; may be empty. A line of which one end alone is known counts for that end.
    costs : pandas.DataFrame
        `origin_id`, `destination_id`, `cost_min`: minutes door to door by the better mode. A pair that is absent or
        null cannot be travelled.
    weights : pandas.Series or None
        Demand weight by `place_id` (`geo.corridors.demand.weigh_demand`); population when None.
    exporter_pull : pandas.Series or None
        By `exporter_id`, see `estimate_origins`; when None, the sum of `w_j^b c_ij^-g` over towns.
    trips_per_line_per_month : float
        Courier trips that one line makes in a month, positive.
    internal_share : float
        Assumed share of lines that start inside the force, before lines are observed.
    prior : CoefficientPrior
        Prior of gravity's `mass_exponent` and `cost_exponent`.
    prior_strength_lines : float
        How many observed lines weigh as much as a prior.
    prior_total_lines : float
        Lines in total when no origin's lines are observed.
    cost_floor_min : float
        Costs below it count as it, minutes, positive.

    Returns
    -------
    pandas.DataFrame
        Contract `OD_TRIPS`, sorted by external then internal origin, then destination; pairs that cannot be travelled
        and have no line are left out. `account_for_trips` states what is lost.

    Raises
    ------
    UsageError
        If a setting is out of its range or the force has no town.
    TableError
        If a table breaks its contract or `costs` lacks a column.

    Notes
    -----
    Gravity is that of Castro-Gonzalez et al. (2023), see `geo.corridors.gravity`; the update by an origin's own lines
    is the gamma-Poisson one, conditional on its total.
    """
    for name, value in (("trips_per_line_per_month", trips_per_line_per_month), ("cost_floor_min", cost_floor_min)):
        if not value > 0:
            msg = f"{name}: it is {value!r}, expected more than 0. Mend the setting."
            raise UsageError(msg)
    validate(places, PLACES)
    towns = places.loc[places["is_in_force"]].sort_index()
    if towns.empty:
        msg = "places: none is in the force, expected at least one town. Check the force boundary and is_in_force."
        raise UsageError(msg)
    pairs = _build_pairs(exporters, towns, deal_lines, costs)
    pairs = _weigh_pairs(pairs, towns, weights, cost_floor_min=cost_floor_min)
    model = Gravity(mass="weight", cost="cost_min", prior=prior).fit(pairs, pairs["n_lines"])
    if exporter_pull is None:
        log_pull = model.coef_[0] * np.log(pairs["weight"]) - model.coef_[1] * np.log(pairs["cost_min"])
        exporter_pull = np.exp(log_pull).groupby(pairs["origin_id"]).sum()
    origins = estimate_origins(
        exporters,
        places,
        deal_lines,
        exporter_pull=exporter_pull,
        internal_share=internal_share,
        prior_strength_lines=prior_strength_lines,
        prior_total_lines=prior_total_lines,
    )
    n_lines = pairs["n_lines"].to_numpy()
    group = pd.factorize(pairs["origin_id"])[0].astype(np.int64)
    prior_share = model.predict_share(pairs)
    share = update_shares(prior_share, n_lines, group=group, prior_strength_lines=prior_strength_lines)
    lines = origins["expected_lines"].reindex(pairs["origin_id"]).to_numpy()
    seen = n_lines + _allot_lines(deal_lines, pairs["destination_id"], lines * share)
    share = update_shares(prior_share, seen, group=group, prior_strength_lines=prior_strength_lines)
    weight = prior_strength_lines * prior_share + seen
    own = np.divide(n_lines, weight, out=np.zeros_like(weight), where=weight > 0)
    any_seen = np.bincount(group, weights=seen)[group] > 0
    od_trips = pd.DataFrame(
        {
            "origin_id": pairs["origin_id"].to_numpy(),
            "destination_id": pairs["destination_id"].to_numpy(),
            "is_internal": pairs["is_internal"].to_numpy(),
            "trips_per_month": lines * share * trips_per_line_per_month,
            "basis": np.where(own > _OBSERVED_SHARE, "observed", np.where(any_seen, "updated_prior", "prior")),
        },
        index=pd.Index(pairs["origin_id"] + ">" + pairs["destination_id"], name="flow_id"),
    )
    return validate(od_trips.loc[share > 0].copy(), OD_TRIPS)


def account_for_trips(
    origins: pd.DataFrame, od_trips: pd.DataFrame, *, trips_per_line_per_month: float = TRIPS_PER_LINE_PER_MONTH
) -> pd.DataFrame:
    """
    State for each origin what it sends, what arrives and what is lost because nothing can be reached.

    Parameters
    ----------
    origins : pandas.DataFrame
        From `estimate_origins`.
    od_trips : pandas.DataFrame
        Contract `OD_TRIPS`, made from the same inputs.
    trips_per_line_per_month : float
        As for `estimate_od_trips`.

    Returns
    -------
    pandas.DataFrame
        Index `origin_id`; `sent_trips_per_month`, `arrived_trips_per_month`, `lost_trips_per_month`.

    Raises
    ------
    IntegrityError
        If an origin's flow neither arrives in full nor is lost in full, to a relative 1e-9.
    """
    sent = origins["expected_lines"] * trips_per_line_per_month
    arrived = od_trips.groupby("origin_id")["trips_per_month"].sum().reindex(origins.index, fill_value=0.0)
    has_way = origins.index.isin(od_trips["origin_id"])
    lost = sent.where(~has_way, 0.0)
    gap = (sent - arrived - lost).abs() > _CONSERVATION * max(1.0, float(sent.sum()))
    if gap.any():
        ids = sorted(origins.index[gap])
        msg = (
            f"od_trips: flow of {ids[:3]} does not add up to what the origins send, expected a sum within 1e-9. "
            "Make both tables from the same inputs and settings."
        )
        raise IntegrityError(msg)
    return pd.DataFrame(
        {"sent_trips_per_month": sent, "arrived_trips_per_month": arrived, "lost_trips_per_month": lost}
    )


def _build_pairs(
    exporters: pd.DataFrame, towns: pd.DataFrame, deal_lines: pd.DataFrame, costs: pd.DataFrame
) -> pd.DataFrame:
    """One row an origin and another town, with its cost (infinite where there is no way) and its observed lines."""
    missing = [name for name in ("origin_id", "destination_id", "cost_min") if name not in costs.columns]
    if missing:
        msg = f"costs: columns {missing} are missing, expected origin_id, destination_id and cost_min. Add them."
        raise TableError(msg)
    known = set(exporters.index) | set(towns.index)
    travelled = costs.loc[costs["origin_id"].isin(known) & costs["destination_id"].isin(towns.index)]
    travelled = travelled[["origin_id", "destination_id", "cost_min"]].dropna()
    lines = deal_lines.groupby(["origin_id", "destination_id"], as_index=False)["n_lines"].sum()
    lines = lines.loc[lines["origin_id"].isin(known) & lines["destination_id"].isin(towns.index)]
    pairs = travelled.merge(lines, on=["origin_id", "destination_id"], how="outer")
    pairs = pairs.loc[pairs["origin_id"] != pairs["destination_id"]]
    pairs = pairs.assign(
        cost_min=pairs["cost_min"].astype(float).fillna(np.inf),
        n_lines=pairs["n_lines"].astype(float).fillna(0.0),
        is_internal=pairs["origin_id"].isin(towns.index),
    )
    return pairs.sort_values(["is_internal", "origin_id", "destination_id"], ignore_index=True)


def _allot_lines(
    deal_lines: pd.DataFrame, destination_ids: pd.Series, flow: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Lines of unknown origin into each town, shared among its pairs in proportion to their flow."""
    unknown = deal_lines.loc[deal_lines["origin_id"].isna()].groupby("destination_id")["n_lines"].sum()
    into = pd.Series(flow).groupby(destination_ids.to_numpy()).transform("sum").to_numpy(dtype=float)
    lines = unknown.reindex(destination_ids).fillna(0.0).to_numpy(dtype=float)
    allotted: NDArray[np.float64] = np.divide(lines * flow, into, out=np.zeros_like(flow), where=into > 0)
    return allotted


def _weigh_pairs(
    pairs: pd.DataFrame, towns: pd.DataFrame, weights: pd.Series | None, *, cost_floor_min: float
) -> pd.DataFrame:
    """The pairs with the demand weight of their town, and no cost below the floor."""
    mass = (towns["population"] if weights is None else weights.reindex(towns.index)).astype(float)
    if mass.isna().any() or (mass < 0).any():
        ids = mass.index[mass.isna() | (mass < 0)].tolist()
        msg = f"weights: {ids[:3]} have none or a negative one, expected a weight for every town. Fill them."
        raise TableError(msg)
    pairs = pairs.assign(
        cost_min=pairs["cost_min"].clip(lower=cost_floor_min),
        weight=mass.reindex(pairs["destination_id"]).to_numpy(),
    )
    # A town of weight 0 draws nothing unless a line was seen there; its logarithm is never taken.
    pairs.loc[pairs["weight"] <= 0, "cost_min"] = np.inf
    pairs.loc[pairs["weight"] <= 0, "weight"] = 1.0
    return pairs
