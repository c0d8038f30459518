"""
The stages of a run, in order: network, hotspots, corridors, exposure, scores. Tables in, tables out.

Two passes fix the cost of a journey before trips are shared out: the first prices every pair by rail and by road, the
second divides the estimated trips between them. The alternatives in `_flow_scenarios` go the same way, so that rank
intervals carry the assumptions of the flow model and not only the noise of the counts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gateline.pipeline.read import Inputs
from gateline.pipeline.record import Recorder
from gateline.settings import Settings
from geo.corridors.assignment import Assignment, assign_flows
from geo.corridors.choice import RailSupply, choose_modes
from geo.corridors.demand import weigh_demand
from geo.corridors.exposure import measure_place_exposure, measure_station_exposure
from geo.corridors.priors import COURIER_GRAVITY
from geo.corridors.rides import build_rides
from geo.corridors.terminals import build_terminals
from geo.corridors.trips import estimate_od_trips
from geo.crs import METRIC
from geo.errors import InputError
from geo.hotspots.clusters import cluster_offences
from geo.hotspots.grid import build_grid
from geo.hotspots.hot_cells import find_hot_cells
from geo.network.access import measure_access, measure_road_times
from geo.network.passenger import build_passenger_graph
from geo.network.rail import RailNetwork, build_rail_network
from geo.network.usage import measure_station_usage
from geo.schema import empty, validate
from geo.tables import HOTSPOTS, OD_TRIPS, STATION_USAGE
from models.draws import IndexSettings
from models.evidence import count_place_evidence, count_station_evidence
from models.features import FeatureSet, build_place_features, build_station_features
from models.scoring import Scores, score_units

__all__ = ["Results", "run_stages"]

METRES_PER_KM = 1000.0

# Other values of each assumption of the flow model, one at a time: name, factor on the population exponent, factor on
# the time exponent, minutes added to rail. ASSUMPTION: half and one and a half times, and half an hour either way.
_SCENARIOS = (
    ("population_low", 0.5, 1.0, 0.0),
    ("population_high", 1.5, 1.0, 0.0),
    ("time_low", 1.0, 0.5, 0.0),
    ("time_high", 1.0, 1.5, 0.0),
    ("rail_cheap", 1.0, 1.0, -30.0),
    ("rail_dear", 1.0, 1.0, 30.0),
)


@dataclass(frozen=True)
class Results:
    """
    What the stages of a run found.

    Attributes
    ----------
    network : RailNetwork
        Stations in the window of the run, links, repairs and unsnapped stations.
    usage : pandas.DataFrame
        Table `STATION_USAGE`.
    hotspots : geopandas.GeoDataFrame
        Table `HOTSPOTS`: clusters, which the scores rest on, and patches of hot cells beside them.
    hotspot_months : pandas.DataFrame
        Offences of each hotspot by month.
    courier_flows, od_trips : pandas.DataFrame
        Tables of those contracts.
    assignment : Assignment
        Flow on stations and links, and the account of trips.
    station_exposure, place_exposure : pandas.DataFrame
        Tables of those contracts.
    station_scores, place_scores : Scores
        Scored lists.
    station_features, place_features : FeatureSet
        What the scores rest on.
    cutoff : pandas.Period
        Last month used.
    """

    network: RailNetwork
    usage: pd.DataFrame
    hotspots: gpd.GeoDataFrame
    hotspot_months: pd.DataFrame
    od_trips: pd.DataFrame
    courier_flows: pd.DataFrame
    assignment: Assignment
    station_exposure: pd.DataFrame
    place_exposure: pd.DataFrame
    station_scores: Scores
    place_scores: Scores
    station_features: FeatureSet
    place_features: FeatureSet
    cutoff: pd.Period


@dataclass(frozen=True)
class _Region:
    """What prices and directs a journey: towns, railway with first and last miles, roads, demand, and known lines."""

    exporters: pd.DataFrame
    towns: pd.DataFrame
    supply: RailSupply
    road_times: pd.DataFrame
    costs: pd.DataFrame
    demand_weight: pd.Series
    deal_lines: pd.DataFrame


@dataclass(frozen=True)
class _Flow:
    """One answer of the flow model."""

    od_trips: pd.DataFrame
    courier_flows: pd.DataFrame
    assignment: Assignment


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
    cutoff = inputs.offences["month"].max()
    with recorder.stage("network") as record:
        network = build_rail_network(
            inputs.rail_track, _window(inputs, settings), snap_limit_m=settings.rail.snap_limit_m
        )
        scored_stations = network.stations[network.stations["is_in_force"]]
        region = _price(inputs, network, settings)
        record.rows = {
            "stations": len(network.stations),
            "off_track": len(network.unsnapped),
            "links": len(network.links),
            "repairs": len(network.repairs),
        }
        if len(network.unsnapped):
            record.notes.append(f"{len(network.unsnapped)} stations are too far from track and were left out")
        if inputs.roads is None:
            record.notes.append("no road extract: walks and drives are straight lines times a detour factor")
        record.notes.append("no timetable: every train is taken to call everywhere, and run times come from distance")
    with recorder.stage("hotspots") as record:
        clusters = cluster_offences(
            inputs.offences,
            eps_m=settings.hotspots.eps_m,
            min_weight=float(settings.hotspots.min_offences),
            stations=scored_stations,
        )
        hot_cells = _find_hot_cells(inputs, settings, scored_stations)
        record.rows = {"clusters": len(clusters.hotspots), "hot_patches": len(hot_cells), **clusters.n_by_fate}
    with recorder.stage("corridors") as record:
        flow = _estimate_flow(region, settings)
        record.rows = {
            "od_pairs": len(flow.od_trips),
            "station_flows": len(flow.assignment.station_flows),
            "segment_flows": len(flow.assignment.segment_flows),
        }
        if flow.assignment.lost_trips_per_month > 0:
            record.notes.append(f"{flow.assignment.lost_trips_per_month:.3g} trips a month have no way to their town")
    with recorder.stage("exposure") as record:
        usage = _usage(inputs)
        station_exposure = measure_station_exposure(flow.assignment.station_flows, network.stations, usage=usage)
        place_exposure = _place_exposure(flow, region.towns, inputs.deal_lines)
        record.rows = {"stations": len(station_exposure), "places": len(place_exposure), "with_usage": len(usage)}
    with recorder.stage("scores") as record:
        scenarios = _flow_scenarios(region, network.stations, settings)
        station_features = build_station_features(
            station_exposure,
            scored_stations,
            clusters.hotspots,
            count_station_evidence(
                inputs.offences, scored_stations, cutoff=cutoff, walk_min=settings.access.catchment_walk_min
            ),
            cutoff=cutoff,
            station_flows=flow.assignment.station_flows,
            deployments=inputs.deployments if len(inputs.deployments) else None,
            flow_scenarios=scenarios[0],
            walk_min=settings.access.catchment_walk_min,
        )
        place_features = build_place_features(
            place_exposure.assign(observed_lines=np.nan),
            region.towns,
            clusters.hotspots,
            count_place_evidence(inputs.offences, region.towns, cutoff=cutoff),
            cutoff=cutoff,
            courier_flows=flow.courier_flows,
            flow_scenarios=scenarios[1],
        )
        station_scores = _score(station_features, settings.scores.station_weights, settings)
        place_scores = _score(place_features, settings.scores.place_weights, settings)
        record.rows = {"stations": len(station_scores.table), "places": len(place_scores.table)}
    return Results(
        network=network,
        usage=usage,
        hotspots=validate(pd.concat([clusters.hotspots, hot_cells]), HOTSPOTS),
        hotspot_months=_count_months(inputs.offences, clusters.membership),
        od_trips=flow.od_trips,
        courier_flows=flow.courier_flows,
        assignment=flow.assignment,
        station_exposure=station_exposure,
        place_exposure=place_exposure,
        station_scores=station_scores,
        place_scores=place_scores,
        station_features=station_features,
        place_features=place_features,
        cutoff=cutoff,
    )


def _window(inputs: Inputs, settings: Settings) -> pd.DataFrame:
    """The stations in a box around the force's stations and the exporting areas, with the settings' margin."""
    ours = inputs.stations[inputs.stations["is_in_force"]]
    if ours.empty:
        msg = "stations: none lies in the force area, expected at least one. Check the boundary or areas file."
        raise InputError(msg)
    points = pd.concat([ours, inputs.exporters])[["easting_m", "northing_m"]]
    margin_m = settings.rail.buffer_km * METRES_PER_KM
    low, high = points.min() - margin_m, points.max() + margin_m
    position = inputs.stations[["easting_m", "northing_m"]]
    return inputs.stations[((position >= low) & (position <= high)).all(axis=1)]


def _price(inputs: Inputs, network: RailNetwork, settings: Settings) -> _Region:
    """Every journey of the region, priced by rail and by road."""
    towns = inputs.places[inputs.places["is_in_force"]]
    graph = build_passenger_graph(
        network.links, dwell_min=settings.rail.dwell_min, default_interchange_min=settings.rail.interchange_min
    )
    points = pd.concat([towns, inputs.exporters])[["easting_m", "northing_m"]].rename_axis("place_id")
    access = pd.concat(
        [
            measure_access(points, network.stations, modes=(mode,), max_min=limit_min)
            for mode, limit_min in (
                ("walk", settings.access.walk_limit_min),
                ("drive", settings.access.drive_limit_min),
            )
        ]
    )
    terminals = build_terminals(access, inputs.exporters, graph.station_ids)
    supply = RailSupply(build_rides(graph), terminals)
    road_times = measure_road_times(points, towns)
    road_times = road_times[road_times["origin_id"] != road_times["destination_id"]]
    pairs = road_times[["origin_id", "destination_id"]]
    every_pair = pd.DataFrame(
        {
            "origin_id": pairs["origin_id"].to_numpy(),
            "destination_id": pairs["destination_id"].to_numpy(),
            "is_internal": pairs["origin_id"].isin(towns.index).to_numpy(),
            "trips_per_month": 1.0,
            "basis": "prior",
        },
        index=pd.Index(pairs["origin_id"] + ">" + pairs["destination_id"], name=OD_TRIPS.index, dtype="str"),
    ).astype({"basis": "str"})
    priced = choose_modes(every_pair, supply, road_times)
    return _Region(
        exporters=inputs.exporters,
        towns=towns,
        supply=supply,
        road_times=road_times,
        costs=priced[["origin_id", "destination_id"]].assign(
            cost_min=np.fmin(priced["rail_time_min"], priced["road_time_min"])
        ),
        demand_weight=weigh_demand(towns, inputs.offences),
        # Lines by town alone would be the same lines that `n_lines` counts by origin: they are compared with, not used.
        deal_lines=inputs.deal_lines.dropna(subset=["origin_id"]),
    )


def _estimate_flow(
    region: _Region,
    settings: Settings,
    *,
    population_factor: float = 1.0,
    time_factor: float = 1.0,
    rail_constant_min: float = 0.0,
) -> _Flow:
    """Trips, their mode and their way, under the settings or under one other assumption."""
    corridors = settings.corridors
    prior = replace(
        COURIER_GRAVITY,
        mean={
            "mass_exponent": corridors.population_exponent * population_factor,
            "cost_exponent": corridors.time_exponent * time_factor,
        },
    )
    od_trips = estimate_od_trips(
        region.exporters,
        region.towns,
        region.deal_lines,
        region.costs,
        weights=region.demand_weight,
        trips_per_line_per_month=corridors.trips_per_line_per_month,
        internal_share=corridors.internal_share,
        prior=prior,
    )
    flows = choose_modes(od_trips, region.supply, region.road_times, rail_constant_min=rail_constant_min)
    return _Flow(od_trips, flows, assign_flows(flows, region.supply))


def _flow_scenarios(region: _Region, stations: pd.DataFrame, settings: Settings) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Courier trips of stations and of towns under each other assumption, a column each."""
    by_station, by_place = {}, {}
    for name, population_factor, time_factor, rail_constant_min in _SCENARIOS:
        flow = _estimate_flow(
            region,
            settings,
            population_factor=population_factor,
            time_factor=time_factor,
            rail_constant_min=rail_constant_min,
        )
        exposure = measure_station_exposure(flow.assignment.station_flows, stations)
        by_station[name] = exposure["courier_trips_per_month"]
        by_place[name] = flow.courier_flows.groupby("destination_id")["trips_per_month"].sum()
    return pd.DataFrame(by_station), pd.DataFrame(by_place).rename_axis("place_id")


def _find_hot_cells(inputs: Inputs, settings: Settings, stations: pd.DataFrame) -> gpd.GeoDataFrame:
    """Patches of significantly hot squares over the small areas or the boundary; none where neither is known."""
    force = inputs.boundaries[inputs.boundaries["kind"] == "force"]
    shapes = inputs.areas if len(inputs.areas) else force
    if len(shapes) == 0:
        return gpd.GeoDataFrame(empty(HOTSPOTS), geometry="geometry", crs=METRIC)
    grid = build_grid(shapely.union_all(shapes.geometry.array), cell_m=settings.hotspots.cell_size_m)
    return find_hot_cells(
        inputs.offences,
        grid,
        false_discovery_share=settings.hotspots.false_discovery_rate,
        stations=stations,
    )


def _place_exposure(flow: _Flow, towns: pd.DataFrame, deal_lines: pd.DataFrame) -> pd.DataFrame:
    known = deal_lines.dropna(subset=["destination_id"])
    return measure_place_exposure(
        flow.courier_flows,
        flow.assignment.station_flows,
        towns,
        deal_lines=known if len(known) else None,
    )


def _usage(inputs: Inputs) -> pd.DataFrame:
    """The newer of what the inputs offer: the matrix, else the usage table, else nothing."""
    if len(inputs.passenger_flows):
        return measure_station_usage(inputs.passenger_flows, usage_basis="ORR origin-destination matrix")
    return inputs.station_usage if len(inputs.station_usage) else empty(STATION_USAGE)


def _score(features: FeatureSet, weights: dict[str, float], settings: Settings) -> Scores:
    return score_units(
        features,
        random_state=settings.scores.random_state,
        settings=IndexSettings(weights=weights or None),
        n_draws=settings.scores.n_draws,
    )


def _count_months(offences: pd.DataFrame, membership: pd.Series) -> pd.DataFrame:
    """Offences of each hotspot in each month that has any: hotspot_id, month, n_offences."""
    member = offences.loc[membership.index, ["month"]].assign(hotspot_id=membership)
    counts = member.groupby(["hotspot_id", "month"]).size()
    return counts.rename("n_offences").reset_index()
