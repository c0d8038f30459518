"""
Journeys of a run: the railway with or without a timetable, the price of every journey, and the courier flow on it.

Two passes fix the cost of a journey before trips are shared out: the first prices every pair by rail and by road, the
second divides the estimated trips between them. What a pair costs does not depend on how many travel, so it is priced
once for each rail constant and every other assumption of the flow model takes its shares from there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from gateline.pipeline.railway import Railway
from gateline.pipeline.read import Inputs
from gateline.settings import Settings
from geo.corridors.assignment import Assignment, assign_flows
from geo.corridors.choice import RailSupply, choose_modes, find_rail_constant
from geo.corridors.demand import weigh_demand
from geo.corridors.exposure import measure_station_exposure
from geo.corridors.interchange import estimate_change_share, measure_through_journeys
from geo.corridors.priors import COURIER_GRAVITY
from geo.corridors.rides import build_rides
from geo.corridors.terminals import build_terminals
from geo.corridors.trips import estimate_od_trips
from geo.errors import ResourceError
from geo.network.access import measure_access, measure_road_times
from geo.schema import validate
from geo.tables import COURIER_FLOWS, OD_TRIPS

__all__ = ["Flow", "Region", "estimate_flow", "estimate_flow_scenarios", "price_journeys"]

# Pairs of places that a run will price; more do not fit in 4 GiB beside the rest.
_MOST_PAIRS = 3_000_000
# ASSUMPTION: up to this many pairs, flow is listed by origin and destination; beyond, by origin alone.
_MOST_LISTED_PAIRS = 100_000

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
_PAIR = ["origin_id", "destination_id"]


@dataclass(frozen=True)
class Region:
    """
    What prices and directs a journey.

    Attributes
    ----------
    exporters, towns : pandas.DataFrame
        Exporting areas, and the force's towns.
    supply : RailSupply
        The railway with first and last miles.
    access, road_times : pandas.DataFrame
        Tables of those contracts.
    priced : pandas.DataFrame
        Table `COURIER_FLOWS` of one trip a pair, by origin and destination.
    costs : pandas.DataFrame
        ``origin_id, destination_id, cost_min``: the quicker of rail and road.
    demand_weight : pandas.Series
        By town.
    deal_lines : pandas.DataFrame
        Known lines with an origin.
    change_share : pandas.Series or None
        Share of the trips going on beyond each station that change there; None where it is not known.
    rail_constant_min : float
        Generalised minutes added to rail so that the share of the settings comes out; 0 where none is set.
    """

    exporters: pd.DataFrame
    towns: pd.DataFrame
    supply: RailSupply
    access: pd.DataFrame
    road_times: pd.DataFrame
    priced: pd.DataFrame
    costs: pd.DataFrame
    demand_weight: pd.Series
    deal_lines: pd.DataFrame
    change_share: pd.Series | None
    rail_constant_min: float


@dataclass(frozen=True)
class Flow:
    """
    One answer of the flow model.

    Attributes
    ----------
    od_trips, courier_flows : pandas.DataFrame
        Tables of those contracts.
    assignment : Assignment
        The trips by rail on stations and links.
    """

    od_trips: pd.DataFrame
    courier_flows: pd.DataFrame
    assignment: Assignment


def price_journeys(inputs: Inputs, railway: Railway, settings: Settings) -> Region:
    """
    Price every journey of the region by rail and by road.

    Parameters
    ----------
    inputs : Inputs
        What was read.
    railway : Railway
        From `gateline.pipeline.railway.build_railway`.
    settings : Settings
        Of the workspace.

    Returns
    -------
    Region
        With one priced row a pair. Towns are origins only where lines of the force's own are expected or known.

    Raises
    ------
    ResourceError
        If there are more pairs than a run can hold.
    """
    towns = inputs.places[inputs.places["is_in_force"]]
    # Lines by town alone would be the same lines that `n_lines` counts by origin: they are compared with, not used.
    deal_lines = inputs.deal_lines.dropna(subset=["origin_id"])
    has_internal = settings.corridors.internal_share > 0 or deal_lines["origin_id"].isin(towns.index).any()
    origins = _points([towns, inputs.exporters] if has_internal else [inputs.exporters])
    if len(origins) * len(towns) > _MOST_PAIRS:
        msg = (
            f"places: {len(origins)} origins and {len(towns)} towns make more than {_MOST_PAIRS} pairs, expected fewer."
            " Set corridors.internal_share to 0, so that towns are no origins, or use fewer towns."
        )
        raise ResourceError(msg)
    points = _points([towns, inputs.exporters])
    limits_min = {"walk": settings.access.walk_limit_min, "drive": settings.access.drive_limit_min}
    access = pd.concat(
        measure_access(points, railway.network.stations, modes=(mode,), max_min=limit_min, roads=inputs.roads)
        for mode, limit_min in limits_min.items()
    )
    rides = build_rides(railway.graph)
    supply = RailSupply(rides, build_terminals(access, inputs.exporters, railway.graph.station_ids))
    road_times = measure_road_times(origins, towns, roads=inputs.roads)
    road_times = road_times[road_times["origin_id"] != road_times["destination_id"]]
    priced = choose_modes(_one_trip_each(road_times, towns.index), supply, road_times)
    change_share = None
    if railway.timetable is None and len(inputs.passenger_flows) and _has_changes(inputs.station_usage):
        through = measure_through_journeys(rides, inputs.passenger_flows)
        change_share = estimate_change_share(through, inputs.station_usage)
    region = Region(
        exporters=inputs.exporters,
        towns=towns,
        supply=supply,
        access=access,
        road_times=road_times,
        priced=priced,
        costs=priced[_PAIR].assign(cost_min=np.fmin(priced["rail_time_min"], priced["road_time_min"])),
        demand_weight=weigh_demand(towns, inputs.offences),
        deal_lines=deal_lines,
        change_share=change_share,
        rail_constant_min=0.0,
    )
    return region if settings.corridors.rail_share is None else _calibrate_rail(region, settings)


def _calibrate_rail(region: Region, settings: Settings) -> Region:
    """The region with rail made as dear or as cheap as brings out the share that the settings state."""
    flows = _share_out(_estimate_trips(region, settings), region.priced)
    constant_min = find_rail_constant(flows, rail_share=float(settings.corridors.rail_share or 0.0))
    pairs = _one_trip_each(region.priced, region.towns.index)
    priced = choose_modes(pairs, region.supply, region.road_times, rail_constant_min=constant_min)
    return replace(region, priced=priced, rail_constant_min=constant_min)


def estimate_flow(region: Region, settings: Settings) -> Flow:
    """
    Estimate trips, their mode and their way under the settings.

    Parameters
    ----------
    region : Region
        From `price_journeys`.
    settings : Settings
        Of the workspace.

    Returns
    -------
    Flow
        By origin and destination, or by origin alone where the pairs are too many to list.
    """
    od_trips = _estimate_trips(region, settings)
    flows = _share_out(od_trips, region.priced)
    grain: Literal["pair", "origin"] = "pair" if len(flows) <= _MOST_LISTED_PAIRS else "origin"
    assignment = assign_flows(flows, region.supply, change_share=region.change_share, grain=grain)
    return Flow(od_trips, flows, assignment)


def estimate_flow_scenarios(
    region: Region, stations: pd.DataFrame, settings: Settings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Estimate the trips of stations and of towns under each other assumption of the flow model.

    Parameters
    ----------
    region : Region
        From `price_journeys`.
    stations : pandas.DataFrame
        Table `STATIONS`.
    settings : Settings
        Of the workspace.

    Returns
    -------
    tuple of pandas.DataFrame
        Courier trips a month by station, and by town, a column each scenario.
    """
    priced = {0.0: region.priced}
    by_station, by_place = {}, {}
    for name, population_factor, time_factor, constant_min in _SCENARIOS:
        if constant_min not in priced:
            pairs = _one_trip_each(region.priced, region.towns.index)
            priced[constant_min] = choose_modes(
                pairs, region.supply, region.road_times, rail_constant_min=region.rail_constant_min + constant_min
            )
        od_trips = _estimate_trips(region, settings, population_factor=population_factor, time_factor=time_factor)
        flows = _share_out(od_trips, priced[constant_min])
        # Only the sum over destinations is asked for, and one column an origin is quicker than one a pair.
        assignment = assign_flows(flows, region.supply, change_share=region.change_share, grain="origin")
        exposure = measure_station_exposure(assignment.station_flows, stations)
        by_station[name] = exposure["courier_trips_per_month"]
        by_place[name] = flows.groupby("destination_id")["trips_per_month"].sum()
    return pd.DataFrame(by_station), pd.DataFrame(by_place).rename_axis("place_id")


def _points(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(tables)[["easting_m", "northing_m"]].rename_axis("place_id")


def _has_changes(usage: pd.DataFrame) -> bool:
    return bool((usage["n_interchanges_per_year"] > 0).any())


def _one_trip_each(pairs: pd.DataFrame, town_ids: pd.Index) -> pd.DataFrame:
    """Table `OD_TRIPS` with one trip a month for every pair."""
    return pd.DataFrame(
        {
            "origin_id": pairs["origin_id"].to_numpy(),
            "destination_id": pairs["destination_id"].to_numpy(),
            "is_internal": pairs["origin_id"].isin(town_ids).to_numpy(),
            "trips_per_month": 1.0,
            "basis": "prior",
        },
        index=pd.Index(pairs["origin_id"] + ">" + pairs["destination_id"], name=OD_TRIPS.index, dtype="str"),
    ).astype({"basis": "str"})


def _estimate_trips(
    region: Region, settings: Settings, *, population_factor: float = 1.0, time_factor: float = 1.0
) -> pd.DataFrame:
    """Trips by pair, under the settings or under one other assumption."""
    corridors = settings.corridors
    prior = replace(
        COURIER_GRAVITY,
        mean={
            "mass_exponent": corridors.population_exponent * population_factor,
            "cost_exponent": corridors.time_exponent * time_factor,
        },
    )
    return estimate_od_trips(
        region.exporters,
        region.towns,
        region.deal_lines,
        region.costs,
        weights=region.demand_weight,
        trips_per_line_per_month=corridors.trips_per_line_per_month,
        internal_share=corridors.internal_share,
        prior=prior,
    )


def _share_out(od_trips: pd.DataFrame, priced: pd.DataFrame) -> pd.DataFrame:
    """Table `COURIER_FLOWS`: the trips of each pair with the shares and times it was priced at."""
    pairs = od_trips.sort_index(kind="stable")
    flows = priced.reindex(pairs.index)
    return validate(
        flows.assign(is_internal=pairs["is_internal"], trips_per_month=pairs["trips_per_month"]), COURIER_FLOWS
    )
