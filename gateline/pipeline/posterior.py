"""
The posterior of a run: what was read becomes evidence, and what the model says becomes the flow that all products show.

The railway is priced and its paths are solved once for a trip of every pair; the posterior is linear in lines, so the
same matrix carries its draws to stations, and its mean to the tables of flow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from scipy import sparse

from gateline.pipeline.beside import is_child_population
from gateline.pipeline.journeys import MOST_LISTED_PAIRS, Flow, Region
from gateline.pipeline.read import Inputs
from gateline.settings import Settings
from geo.corridors.assignment import assign_flows
from geo.corridors.choice import MODE_SCALE_PER_MIN, find_rail_constant
from geo.disclosure.address_bands import band_addresses
from geo.schema import validate
from geo.tables import COURIER_FLOWS, OD_TRIPS
from models.posterior.coverage import find_covered, find_recorders
from models.posterior.estimate import Estimate, estimate_trips
from models.posterior.evidence import Evidence, build_sources
from models.posterior.observations import count_finds, count_station_offences, count_town_offences, weigh_lines
from models.posterior.posterior import RAIL_STEP_MIN, Posterior, Stations
from models.posterior.priors import Normal, Priors
from models.posterior.reasons import Reasons, explain_sources
from models.posterior.sampler import HIGHEST_R_HAT
from models.posterior.ways import Ways, build_ways

__all__ = ["Fitted", "fit_posterior", "flow_of", "gather_evidence", "read_priors"]

_ON_PLATFORM = ["boarding_trips_per_month", "interchange_trips_per_month", "alighting_trips_per_month"]
_PAIRS_AT_ONCE = 20_000
_WAYS = [*_ON_PLATFORM, "calling_trips_per_month"]
# A rail share that the force states holds within a few percent. ASSUMPTION.
_STATED_SD = 0.1


@dataclass(frozen=True)
class Fitted:
    """
    The posterior of a run.

    Attributes
    ----------
    estimate : Estimate
        Draws and means.
    reasons : Reasons
        What each source added.
    evidence : Evidence
        What it was fitted to.
    notes : tuple of str
        What spoke, what did not, and how well the draws stand for the posterior.
    """

    estimate: Estimate
    reasons: Reasons
    evidence: Evidence
    notes: tuple[str, ...]


def read_priors(settings: Settings) -> Priors:
    """
    Give the priors that the settings state.

    Parameters
    ----------
    settings : Settings
        Of the workspace.

    Returns
    -------
    Priors
        The defaults of the model where the settings say nothing.
    """
    corridors = settings.corridors
    base = Priors()
    rail = base.rail_shift if corridors.rail_share is None else Normal(0.0, _STATED_SD)
    return replace(
        base,
        mass_exponent=Normal(corridors.population_exponent, base.mass_exponent.sd),
        town_sd=corridors.town_spread,
        rail_shift=rail,
        detection=Normal(float(np.log(settings.plan.detection_share)), base.detection.sd),
    )


def gather_evidence(
    inputs: Inputs, region: Region, stations: pd.DataFrame, usage: pd.DataFrame, settings: Settings
) -> Evidence:
    """
    Gather all that the force knows.

    Parameters
    ----------
    inputs : Inputs
        What was read.
    region : Region
        With the force's towns.
    stations : pandas.DataFrame
        Table `STATIONS`: those of the force.
    usage : pandas.DataFrame
        Table `STATION_USAGE`; offences at stations are used where passengers are known.
    settings : Settings
        Of the workspace.

    Returns
    -------
    Evidence
        With None for what there is nothing of.
    """
    cutoff = inputs.offences["month"].max()
    offences = count_town_offences(inputs.offences, region.towns, cutoff=cutoff)
    is_covered = find_covered(offences[["demand_led", "unattributed", "enforcement_led"]].sum(axis=1), region.towns)
    at_stations = count_station_offences(inputs.offences, stations, cutoff=cutoff)
    lines = inputs.deal_lines
    weighed = lines[["origin_id", "destination_id"]].assign(n_lines=weigh_lines(lines, cutoff=cutoff))
    stated = region.exporters["n_lines"].dropna()
    partners = {
        str(layer): rows.groupby("place_id")["n"].sum()
        for layer, rows in inputs.partner_counts.groupby("layer")
        if not is_child_population(str(layer))
    }
    return Evidence(
        lines=weighed if len(weighed) else None,
        names_every_town=settings.corridors.lines_name_every_town,
        exporter_lines=stated if len(stated) else None,
        addresses=None if inputs.cuckooing is None else band_addresses(inputs.cuckooing, region.towns, cutoff=cutoff),
        reported_offences=_some(offences["demand_led_typical"].where(is_covered)),
        unattributed_offences=_some(offences["unattributed_typical"].where(is_covered)),
        recorders=find_recorders(inputs.offences, region.towns, cutoff=cutoff),
        partner_counts=partners,
        station_offences=_some(at_stations["n_offences"]),
        footfall=usage["n_entries_exits_per_year"] if len(usage) else None,
        # A plan is worked after the last month of offences: its log counts as soon as it is there.
        finds=count_finds(
            inputs.deployments, tuple(stations.index), cutoff=max(cutoff, inputs.deployments["month"].max())
        )
        if len(inputs.deployments)
        else None,
    )


def fit_posterior(
    evidence: Evidence,
    region: Region,
    station_ids: tuple[str, ...],
    settings: Settings,
) -> tuple[Fitted, Flow]:
    """
    Fit the model and lay its mean on the railway.

    Parameters
    ----------
    evidence : Evidence
        From `gather_evidence`.
    region : Region
        Priced journeys.
    station_ids : tuple of str
        Stations of the force.
    settings : Settings
        Of the workspace.

    Returns
    -------
    fitted : Fitted
        Draws, reasons and notes.
    flow : Flow
        The posterior mean as tables of flow: what every product shows.

    Raises
    ------
    GatelineError
        If no pair can be travelled, or no mode is found.
    """
    priors = read_priors(settings)
    corridors = settings.corridors
    ways = build_ways(region.costs, region.towns, region.exporters, priors, internal_share=corridors.internal_share)
    region = _calibrated(region, ways, priors, settings)
    stations, unit_flows = _visits(region, ways, station_ids)
    sources = build_sources(
        evidence, ways, priors, stations=stations, trips_per_line_per_month=corridors.trips_per_line_per_month
    )
    estimate = estimate_trips(
        ways,
        priors,
        sources,
        stations,
        n_draws=settings.scores.n_draws,
        random_state=settings.scores.random_state,
        trips_per_line_per_month=corridors.trips_per_line_per_month,
    )
    reasons = explain_sources(estimate)
    fitted = Fitted(estimate, reasons, evidence, _notes(estimate, reasons, evidence))
    return fitted, flow_of(estimate, region, unit_flows)


def flow_of(estimate: Estimate, region: Region, unit_flows: pd.DataFrame | None) -> Flow:
    """
    Lay the posterior mean on the railway.

    Parameters
    ----------
    estimate : Estimate
        The posterior.
    region : Region
        Priced journeys.
    unit_flows : pandas.DataFrame or None
        Table `STATION_FLOWS` of one trip a pair; None where pairs are too many to list.

    Returns
    -------
    Flow
        Trips of a pair are mean trips a month times the pair's mean share; its rail share is that of the draws.
    """
    ways = estimate.posterior.ways
    ids = pd.Index(ways.flow_ids, name=OD_TRIPS.index, dtype="str")
    trips = pd.Series(float(estimate.trips_per_month.mean()) * estimate.pair_share, index=ids)
    rail = pd.Series(float(estimate.trips_per_month.mean()) * estimate.pair_rail_share, index=ids)
    priced = region.priced.reindex(ids).sort_index(kind="stable")
    share = (rail / trips).reindex(priced.index)
    modes = [name for name in priced.columns if name.endswith("_share") and name != "rail_share"]
    # What rail gains, the other modes lose in proportion.
    scale = ((1.0 - share) / (1.0 - priced["rail_share"]).clip(lower=1e-12)).where(priced["rail_share"] < 1.0, 0.0)
    flows = validate(
        priced.assign(
            trips_per_month=trips.reindex(priced.index),
            rail_share=share.clip(0.0, 1.0),
            **{name: priced[name] * scale for name in modes},
        ),
        COURIER_FLOWS,
    )
    spoke = bool(estimate.posterior.sources)
    known = {int(p) for s in estimate.posterior.sources if s.grain == "pair" for p in s.rows[s.low > 0]}
    basis = pd.Series("updated_prior" if spoke else "prior", index=ids).where(
        ~np.isin(np.arange(len(ids)), list(known)), "observed"
    )
    od_trips = validate(
        flows[["origin_id", "destination_id", "is_internal", "trips_per_month"]].assign(
            basis=basis.reindex(flows.index).astype("str")
        ),
        OD_TRIPS,
    )
    # Links are known by origin; stations by pair come from the flows of one trip, where those are listed.
    assignment = assign_flows(flows, region.supply, change_share=region.change_share, grain="origin")
    if unit_flows is not None:
        pair = unit_flows["origin_id"] + ">" + unit_flows["destination_id"]
        factor = (rail / priced["rail_share"].reindex(ids)).reindex(pair).to_numpy()
        listed = unit_flows[np.isfinite(factor)]
        scaled = listed.assign(**{name: listed[name] * factor[np.isfinite(factor)] for name in _WAYS})
        assignment = replace(assignment, station_flows=scaled)
    grain: Literal["pair", "origin"] = "pair" if len(flows) <= MOST_LISTED_PAIRS else "origin"
    others = {each.mode: assign_flows(flows, each, grain=grain) for each in region.others}
    return Flow(od_trips, flows, assignment, others)


def _visits(region: Region, ways: Ways, station_ids: tuple[str, ...]) -> tuple[Stations, pd.DataFrame | None]:
    """How a trip of every pair that goes by rail meets the stations of the force, and the flows of one trip a pair."""
    ids = pd.Index(station_ids)
    position = pd.Series(np.arange(ways.n_pairs), index=ways.flow_ids)
    rail = region.priced["rail_share"].reindex(ways.flow_ids).to_numpy(float)
    rows, columns, visits, listed = [], [], [], []
    for chunk in _by_origins(region.priced):
        unit = assign_flows(chunk, region.supply, change_share=region.change_share, grain="pair").station_flows
        pair = position.reindex(unit["origin_id"] + ">" + unit["destination_id"]).to_numpy(float)
        station = ids.get_indexer(pd.Index(unit["station_id"]))
        is_used = np.isfinite(pair) & (station >= 0)
        rows.append(station[is_used])
        columns.append(pair[is_used].astype(np.int64))
        visits.append(unit.loc[is_used, _ON_PLATFORM].sum(axis=1).to_numpy(float) / rail[columns[-1]])
        if ways.n_pairs <= MOST_LISTED_PAIRS:
            listed.append(unit)
    at = (np.concatenate(rows), np.concatenate(columns))
    matrix = sparse.csr_array((np.concatenate(visits), at), shape=(len(ids), ways.n_pairs))
    matrix.eliminate_zeros()
    with np.errstate(divide="ignore"):
        log_odds = np.log(rail) - np.log1p(-rail)
    unit_flows = pd.concat(listed) if listed else None
    return Stations(tuple(station_ids), matrix, log_odds, MODE_SCALE_PER_MIN * RAIL_STEP_MIN), unit_flows


def _by_origins(priced: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Pairs in groups of whole origins, few enough to hold a row for every station on their way."""
    origins, counts = np.unique(priced["origin_id"].to_numpy(str), return_counts=True)
    group = (np.cumsum(counts) - 1) // _PAIRS_AT_ONCE
    of_pair = pd.Series(group, index=origins).reindex(priced["origin_id"]).to_numpy()
    for each in np.unique(group):
        yield priced[of_pair == each]


def _calibrated(region: Region, ways: Ways, priors: Priors, settings: Settings) -> Region:
    """The region with rail as dear or cheap as brings out the share that the settings state."""
    if settings.corridors.rail_share is None:
        return region
    prior = Posterior(ways, priors)
    trips = pd.Series(np.exp(prior.log_lines(prior.prior_mean)), index=ways.flow_ids)
    flows = region.priced.assign(trips_per_month=trips.reindex(region.priced.index).fillna(0.0))
    constant_min = find_rail_constant(flows, rail_share=float(settings.corridors.rail_share))
    return region.with_rail_constant(constant_min)


def _finds(log: pd.DataFrame, station_ids: tuple[str, ...], cutoff: pd.Period) -> pd.DataFrame | None:
    """A plan is worked after the last month of offences: its log counts as soon as it is there."""
    return count_finds(log, station_ids, cutoff=max(cutoff, log["month"].max())) if len(log) else None


def _some(counts: pd.Series) -> pd.Series | None:
    return counts if counts.sum() > 0 else None


def _notes(estimate: Estimate, reasons: Reasons, evidence: Evidence) -> tuple[str, ...]:
    """What spoke, and what the level rests on."""
    words = [group.replace("_", " ") for group in reasons.groups[1:]]
    notes = [f"the posterior rests on the network and on {', '.join(words) if words else 'no evidence at all'}"]
    if "lines" not in reasons.groups:
        notes.append("no line is known: trips a month rest on an assumed level, shares and order do not")
    counts = (evidence.reported_offences, evidence.unattributed_offences)
    n_missing = max((int(n.isna().sum()) for n in counts if n is not None), default=0)
    if n_missing:
        notes.append(
            f"{n_missing} towns lie where many offences were due and none is in the files: there they count as unknown"
        )
    if np.isnan(estimate.r_hat):
        notes.append("intervals are those of Laplace's approximation: the towns are too many for chains")
    elif not estimate.is_settled:
        notes.append(f"intervals are rough: the chains differ by {estimate.r_hat:.2f}, over {HIGHEST_R_HAT:g}")
    return tuple(notes)
