"""
The stages of a run, in order: network, hotspots, corridors, exposure, scores. Tables in, tables out.

The lists come from the posterior over lines (`gateline.pipeline.posterior`), and so do the flows that exposure, plan
and products rest on. Where the settings state weights, a weighted index of features takes the posterior's place in that
list.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import geopandas as gpd
import pandas as pd

from gateline.pipeline.beside import Beside, measure_beside
from gateline.pipeline.cells import find_cells, measure_offence_surface
from gateline.pipeline.coach_flow import CoachFlow, measure_coach_flow
from gateline.pipeline.coaches import Coaches, build_coaches
from gateline.pipeline.hours import describe_hours_basis, find_hours
from gateline.pipeline.journeys import Flow, Region, price_journeys
from gateline.pipeline.posterior import Fitted, fit_posterior, gather_evidence
from gateline.pipeline.railway import Basis, build_railway
from gateline.pipeline.read import Inputs
from gateline.pipeline.record import Recorder
from gateline.pipeline.trains import Trains, find_trains
from gateline.pipeline.weights import require_features, require_weighable
from gateline.settings import Settings
from geo.corridors.assignment import ALL_DESTINATIONS, Assignment
from geo.corridors.choice import Supply
from geo.corridors.exposure import measure_place_exposure, measure_station_exposure
from geo.corridors.upstream import find_upstream_stations
from geo.hotspots.clusters import cluster_offences
from geo.network.rail import RailNetwork
from geo.network.usage import measure_station_usage
from geo.schema import empty, validate
from geo.tables import HOTSPOTS, STATION_USAGE
from models.draws import IndexSettings
from models.evidence import count_place_evidence, count_station_evidence
from models.features import FeatureSet, build_place_features, build_station_features
from models.posterior.lists import measure_rail_range, score_places, score_stations
from models.scoring import MIN_RANKABILITY, Scores, score_units

__all__ = ["Results", "run_stages"]


@dataclass(frozen=True)
class Results:
    """
    What the stages of a run found.

    Attributes
    ----------
    network : RailNetwork
        Stations in the window of the run, links, repairs and unsnapped stations.
    supply : Supply
        The railway as couriers meet it, for routes and plans on the same flow.
    others : tuple of Supply
        Further public modes: coaches, where there is a feed of them.
    change_share : pandas.Series or None
        Share of the trips going on beyond each station that change there; None where it is not known.
    usage : pandas.DataFrame
        Table `STATION_USAGE`.
    hotspots : geopandas.GeoDataFrame
        Table `HOTSPOTS`: clusters, which the scores rest on, and patches of cells beside them.
    hotspot_months : pandas.DataFrame
        Offences of each hotspot by month.
    courier_flows, od_trips : pandas.DataFrame
        Tables of those contracts.
    assignment : Assignment
        Flow on stations and links, and the account of trips.
    coach : CoachFlow or None
        Stops of coaches and buses and the flow through them, where there is a feed.
    station_exposure, place_exposure : pandas.DataFrame
        Tables of those contracts.
    station_scores, place_scores : Scores
        Scored lists.
    station_features, place_features : FeatureSet
        What a weighted index would rest on.
    fitted : Fitted
        The posterior: what each source of evidence added, and how well it was drawn.
    beside : Beside
        What stands beside the scores: harm, and trips weighted by children.
    upstream : pandas.DataFrame
        Table `UPSTREAM_STATIONS`: where each exporting area's flow can be met earliest.
    hours : pandas.DataFrame
        Table `STATION_HOURS`: when the trips of each scored station are made.
    cutoff : pandas.Period
        Last month used.
    trains : Trains
        First and last trains of each scored station, and the last home.
    railway_basis : {"timetable", "estimated", "none"}
        Where the trains come from.
    railway_notes : tuple of str
        What is assumed of the railway and of the ways to it.
    """

    network: RailNetwork
    supply: Supply
    others: tuple[Supply, ...]
    change_share: pd.Series | None
    usage: pd.DataFrame
    hotspots: gpd.GeoDataFrame
    hotspot_months: pd.DataFrame
    od_trips: pd.DataFrame
    courier_flows: pd.DataFrame
    assignment: Assignment
    coach: CoachFlow | None
    station_exposure: pd.DataFrame
    place_exposure: pd.DataFrame
    station_scores: Scores
    place_scores: Scores
    station_features: FeatureSet
    place_features: FeatureSet
    fitted: Fitted
    beside: Beside
    upstream: pd.DataFrame
    hours: pd.DataFrame
    cutoff: pd.Period
    trains: Trains
    railway_basis: Basis
    railway_notes: tuple[str, ...]


def run_stages(inputs: Inputs, settings: Settings, recorder: Recorder) -> Results:
    """
    Run every stage.

    Parameters
    ----------
    inputs : Inputs
        From `gateline.pipeline.read.read_inputs`.
    settings : Settings
        Of the workspace.
    recorder : Recorder
        Collects rows, notes, time and memory.

    Returns
    -------
    Results
        All tables.

    Raises
    ------
    GatelineError
        If a stage finds its tables unusable, or trips are not conserved from origins to stations.
    """
    require_weighable(inputs, settings)
    cutoff = inputs.offences["month"].max()
    with recorder.stage("network") as record:
        railway = build_railway(inputs, settings)
        network = railway.network
        scored_stations = network.stations[network.stations["is_in_force"]]
        surface = measure_offence_surface(inputs, settings)
        coaches = build_coaches(inputs.coaches, settings)
        region = price_journeys(inputs, railway, settings, coaches=coaches, surface=surface)
        record.rows = {
            "stations": len(network.stations),
            "off_track": len(network.unsnapped),
            "links": len(network.links),
            "repairs": len(network.repairs),
        }
        railway_notes = (
            *railway.notes,
            *_road_notes(inputs, region),
            *_change_notes(region),
            *_coach_notes(inputs, coaches),
        )
        record.notes = list(railway_notes)
        trains = find_trains(railway, scored_stations.index, inputs.exporters, settings.rail)
    with recorder.stage("hotspots") as record:
        clusters = cluster_offences(
            inputs.offences,
            eps_m=settings.hotspots.eps_m,
            min_weight=float(settings.hotspots.min_offences),
            stations=scored_stations,
        )
        cells = find_cells(inputs, settings, scored_stations, surface=surface)
        record.rows = {"clusters": len(clusters.hotspots), "patches": len(cells), **clusters.n_by_fate}
    usage = _usage(inputs)
    with recorder.stage("corridors") as record:
        ours = scored_stations.sort_index()
        fitted, flow = fit_posterior(
            gather_evidence(inputs, region, ours, usage, settings),
            region,
            tuple(ours.index),
            settings,
        )
        upstream = find_upstream_stations(flow.courier_flows, region.supply, network.stations)
        record.rows = {
            "od_pairs": len(flow.od_trips),
            "station_flows": len(flow.assignment.station_flows),
            "segment_flows": len(flow.assignment.segment_flows),
        }
        record.notes += fitted.notes
        if flow.assignment.lost_trips_per_month > 0:
            record.notes.append(f"{flow.assignment.lost_trips_per_month:.3g} trips a month have no way to their town")
        if (flow.assignment.station_flows["destination_id"] == ALL_DESTINATIONS).any():
            record.notes.append("too many pairs to list: the flow through stations is known by origin alone")
    with recorder.stage("exposure") as record:
        station_exposure = measure_station_exposure(flow.assignment.station_flows, network.stations, usage=usage)
        place_exposure = _place_exposure(flow, fitted, region.towns, inputs.deal_lines, scored_stations.index)
        record.rows = {"stations": len(station_exposure), "places": len(place_exposure), "with_usage": len(usage)}
    with recorder.stage("scores") as record:
        station_features = build_station_features(
            station_exposure,
            scored_stations,
            clusters.hotspots,
            count_station_evidence(
                inputs.offences, scored_stations, cutoff=cutoff, walk_min=settings.access.catchment_walk_min
            ),
            cutoff=cutoff,
            station_flows=flow.assignment.station_flows,
            deployments=inputs.deployments if (inputs.deployments["month"] <= cutoff).any() else None,
            walk_min=settings.access.catchment_walk_min,
        )
        place_features = build_place_features(
            place_exposure,
            region.towns,
            clusters.hotspots,
            count_place_evidence(inputs.offences, region.towns, cutoff=cutoff),
            cutoff=cutoff,
            courier_flows=flow.courier_flows,
            cuckooed_addresses=_banded_addresses(fitted),
        )
        station_scores = _score("station_weights", station_features, settings.scores.station_weights, settings)
        if station_scores is None:
            station_scores = score_stations(fitted.estimate, fitted.reasons, scored_stations["name"])
            station_scores = _withheld(_beside(station_scores, station_features, "hotspot_harm_within_15_min_walk"))
        place_scores = _score("place_weights", place_features, settings.scores.place_weights, settings)
        if place_scores is None:
            place_scores = score_places(fitted.estimate, fitted.reasons, region.towns["name"])
            place_scores = _withheld(_beside(place_scores, place_features, "hotspot_harm_in_town"))
        beside = measure_beside(inputs, scored_stations, region.towns, fitted.estimate, has_usage=len(usage) > 0)
        hours = find_hours(inputs, railway, scored_stations, _trips(station_scores, station_exposure), settings.hours)
        coach = measure_coach_flow(coaches, flow, inputs, settings.hours)
        record.rows = {"stations": len(station_scores.table), "places": len(place_scores.table)}
        record.notes = [
            f"rankability of {what} is {scores.rankability:.2f} of 1: no rank is issued, read the tiers"
            for what, scores in (("stations", station_scores), ("towns", place_scores))
            if scores.rankability < MIN_RANKABILITY
        ]
        record.notes += [*beside.notes, describe_hours_basis(hours)]
    return Results(
        network=network,
        supply=region.supply,
        others=region.others,
        change_share=region.change_share,
        usage=usage,
        hotspots=validate(pd.concat([clusters.hotspots, cells]), HOTSPOTS),
        hotspot_months=_count_months(inputs.offences, clusters.membership),
        od_trips=flow.od_trips,
        courier_flows=flow.courier_flows,
        assignment=flow.assignment,
        coach=coach,
        station_exposure=station_exposure,
        place_exposure=place_exposure,
        station_scores=station_scores,
        place_scores=place_scores,
        station_features=station_features,
        place_features=place_features,
        fitted=fitted,
        beside=beside,
        upstream=upstream,
        hours=hours,
        cutoff=cutoff,
        trains=trains,
        railway_basis=railway.basis,
        railway_notes=railway_notes,
    )


def _road_notes(inputs: Inputs, region: Region) -> list[str]:
    """How many first and last miles and drives are not along roads."""
    if inputs.roads is None:
        return ["no road extract: walks and drives are straight lines times a detour factor"]
    notes = []
    for what, table in (("ways to stations", region.access), ("drives between places", region.road_times)):
        n_straight = int((table["basis"] != "road_graph").sum())
        if n_straight:
            notes.append(f"{n_straight} of {len(table)} {what} are straight lines times a detour factor: no road near")
    return notes


def _change_notes(region: Region) -> list[str]:
    if region.change_share is None:
        return []
    n_changing = int((region.change_share > 0).sum())
    return [f"changes of train are estimated from those that passengers make, at {n_changing} stations"]


def _coach_notes(inputs: Inputs, coaches: Coaches | None) -> tuple[str, ...]:
    if coaches is not None:
        return coaches.notes
    return () if inputs.coaches is None else ("no coach joins two stops here: a coach is taken to be a slow car",)


def _place_exposure(
    flow: Flow, fitted: Fitted, towns: pd.DataFrame, deal_lines: pd.DataFrame, station_ids: pd.Index
) -> pd.DataFrame:
    known = deal_lines.dropna(subset=["destination_id"])
    exposure = measure_place_exposure(
        flow.courier_flows,
        flow.assignment.station_flows,
        towns,
        deal_lines=known if len(known) else None,
        force_station_ids=station_ids,
    )
    return exposure.join(measure_rail_range(fitted.estimate))


def _usage(inputs: Inputs) -> pd.DataFrame:
    """The newer of what the inputs offer: the matrix, else the usage table, else nothing."""
    if len(inputs.passenger_flows):
        return measure_station_usage(inputs.passenger_flows, usage_basis="ORR origin-destination matrix")
    return inputs.station_usage if len(inputs.station_usage) else empty(STATION_USAGE)


def _trips(scores: Scores, exposure: pd.DataFrame) -> pd.Series:
    """Trips a month by station as the list tells them: the posterior's, or those of the flow beside an index."""
    table = scores.table
    if "trips_per_month" in table.columns:
        return table["trips_per_month"]
    return exposure["courier_trips_per_month"].reindex(table.index).fillna(0.0)


def _banded_addresses(fitted: Fitted) -> pd.Series | None:
    """Fewest addresses of each town's band, never a count; None without a list."""
    bands = fitted.evidence.addresses
    return None if bands is None else bands["n_low"].where(bands["is_counted"], 0).astype(float)


def _score(name: str, features: FeatureSet, weights: dict[str, float], settings: Settings) -> Scores | None:
    """The weighted index; None where no weights are stated."""
    if not weights:
        return None
    require_features(name, weights, features)
    index = IndexSettings(weights=weights)
    random_state, n_draws = settings.scores.random_state, settings.scores.n_draws
    return _withheld(score_units(features, random_state=random_state, settings=index, n_draws=n_draws))


def _beside(scores: Scores, features: FeatureSet, harm_name: str) -> Scores:
    """The list with what is shown beside a score and is no part of it: offences in reach, and harm of hotspots."""
    known = pd.DataFrame({"n_events": features.evidence.totals, harm_name: features.hotspot_harm}, features.names.index)
    return replace(scores, table=scores.table.join(known))


def _withheld(scores: Scores) -> Scores:
    """The list without ranks where most of the spread between units is noise."""
    if scores.rankability >= MIN_RANKABILITY:
        return scores
    return replace(scores, table=scores.table.assign(is_rank_issued=False))


def _count_months(offences: pd.DataFrame, membership: pd.Series) -> pd.DataFrame:
    """Offences of each hotspot in each month that has any: hotspot_id, month, n_offences."""
    member = offences.loc[membership.index, ["month"]].assign(hotspot_id=membership)
    counts = member.groupby(["hotspot_id", "month"]).size()
    return counts.rename("n_offences").reset_index()
