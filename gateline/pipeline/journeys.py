"""
Journeys of a run: the railway with or without a timetable, the price of every journey, and the courier flow on it.

What a pair costs does not depend on how many travel, so every pair is priced once, by rail and by road, and the
posterior (`gateline.pipeline.posterior`) takes costs, shares and paths from there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from gateline.pipeline.coaches import Coaches, build_coach_supply
from gateline.pipeline.railway import Railway, running_hours
from gateline.pipeline.read import Inputs
from gateline.settings import Settings
from geo.corridors.arrival import spread_arrivals
from geo.corridors.assignment import Assignment
from geo.corridors.choice import Supply, choose_modes, public_modes
from geo.corridors.interchange import estimate_change_share, measure_through_journeys
from geo.corridors.rides import build_rides
from geo.corridors.terminals import Terminals, build_terminals
from geo.corridors.timed_prices import TimedPrices, price_timed_journeys
from geo.errors import ResourceError
from geo.hotspots.surface import Surface
from geo.network.access import measure_access, measure_road_times
from geo.tables import OD_TRIPS

__all__ = ["MOST_LISTED_PAIRS", "Flow", "Region", "price_journeys"]

# Pairs of places that a run will price; more do not fit in 4 GiB beside the rest.
_MOST_PAIRS = 3_000_000
# ASSUMPTION: up to this many pairs, flow is listed by origin and destination; beyond, by origin alone.
MOST_LISTED_PAIRS = 100_000

_PAIR = ["origin_id", "destination_id"]


@dataclass(frozen=True)
class Region:
    """
    What prices and directs a journey.

    Attributes
    ----------
    exporters, towns : pandas.DataFrame
        Exporting areas, and the force's towns.
    supply : Supply
        The railway with first and last miles.
    others : tuple of Supply
        Further public modes: coaches, where there is a feed of them.
    access, road_times : pandas.DataFrame
        Tables of those contracts.
    priced : pandas.DataFrame
        Table `COURIER_FLOWS` of one trip a pair, by origin and destination.
    costs : pandas.DataFrame
        ``origin_id, destination_id, cost_min``: the quickest of the public modes and road.
    change_share : pandas.Series or None
        Share of the trips going on beyond each station that change there; None where it is not known.
    rail_constant_min : float
        Generalised minutes added to rail so that the share of the settings comes out; 0 where none is set.
    """

    exporters: pd.DataFrame
    towns: pd.DataFrame
    supply: Supply
    others: tuple[Supply, ...]
    access: pd.DataFrame
    road_times: pd.DataFrame
    priced: pd.DataFrame
    costs: pd.DataFrame
    change_share: pd.Series | None
    rail_constant_min: float

    def with_rail_constant(self, rail_constant_min: float) -> Region:
        """
        Price every journey again with rail dearer or cheaper.

        Parameters
        ----------
        rail_constant_min : float
            Generalised minutes added to rail.

        Returns
        -------
        Region
            The same region so priced.
        """
        pairs = _one_trip_each(self.priced, self.towns.index)
        priced = choose_modes(
            pairs, self.supply, self.road_times, others=self.others, rail_constant_min=rail_constant_min
        )
        return replace(self, priced=priced, rail_constant_min=rail_constant_min)


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
    others : dict of str to Assignment
        The trips by each further public mode on its stops.
    """

    od_trips: pd.DataFrame
    courier_flows: pd.DataFrame
    assignment: Assignment
    others: dict[str, Assignment]


def price_journeys(
    inputs: Inputs,
    railway: Railway,
    settings: Settings,
    *,
    coaches: Coaches | None = None,
    surface: Surface | None = None,
) -> Region:
    """
    Price every journey of the region by rail, by coach and by road.

    Parameters
    ----------
    inputs : Inputs
        What was read.
    railway : Railway
        From `gateline.pipeline.railway.build_railway`.
    settings : Settings
        Of the workspace.
    coaches : Coaches or None, default None
        From `gateline.pipeline.coaches.build_coaches`; None leaves the coach that is a slow car.
    surface : Surface or None, default None
        From `gateline.pipeline.cells.measure_offence_surface`: where in each town couriers go. None for its centre.

    Returns
    -------
    Region
        With one priced row a pair. Towns are origins only where lines of the force's own are expected.

    Raises
    ------
    ResourceError
        If there are more pairs than a run can hold.
    """
    towns = inputs.places[inputs.places["is_in_force"]]
    has_internal = settings.corridors.internal_share > 0
    origins = _points([towns, inputs.exporters] if has_internal else [inputs.exporters])
    if len(origins) * len(towns) > _MOST_PAIRS:
        msg = (
            f"places: {len(origins)} origins and {len(towns)} towns make more than {_MOST_PAIRS} pairs, expected fewer."
            " Set corridors.internal_share to 0, so that towns are no origins, or use fewer towns."
        )
        raise ResourceError(msg)
    points = _points([towns, inputs.exporters])
    limits_min = {"walk": settings.access.walk_limit_min, "drive": settings.access.drive_limit_min}
    access = _measure_access(points, railway.network.stations, inputs, limits_min, surface)
    rides = build_rides(railway.graph)
    terminals = build_terminals(access, inputs.exporters, railway.graph.station_ids)
    supply = Supply(rides, terminals, timed=_price_by_clock(railway, terminals, settings))
    road_times = measure_road_times(origins, towns, roads=inputs.roads)
    road_times = road_times[road_times["origin_id"] != road_times["destination_id"]]
    others: tuple[Supply, ...] = ()
    if coaches is not None:
        on_foot = _measure_access(points, coaches.stops, inputs, {"walk": limits_min["walk"]}, surface)
        supply_by_coach = build_coach_supply(
            coaches, on_foot, inputs.exporters, railway.network.stations, settings, origins=origins.index
        )
        others = (supply_by_coach,)
    priced = choose_modes(_one_trip_each(road_times, towns.index), supply, road_times, others=others)
    change_share = None
    if not railway.has_trains and len(inputs.passenger_flows) and _has_changes(inputs.station_usage):
        through = measure_through_journeys(rides, inputs.passenger_flows)
        change_share = estimate_change_share(through, inputs.station_usage)
    return Region(
        exporters=inputs.exporters,
        towns=towns,
        supply=supply,
        others=others,
        access=access,
        road_times=road_times,
        priced=priced,
        costs=priced[_PAIR].assign(cost_min=_quickest(priced)),
        change_share=change_share,
        rail_constant_min=0.0,
    )


def _measure_access(
    points: pd.DataFrame,
    stations: pd.DataFrame,
    inputs: Inputs,
    limits_min: dict[str, float],
    surface: Surface | None,
) -> pd.DataFrame:
    """Table `ACCESS_TIMES` by the modes of the limits, to where in each town couriers go."""
    access = pd.concat(
        measure_access(points, stations, modes=(mode,), max_min=limit_min, roads=inputs.roads)
        for mode, limit_min in limits_min.items()
    )
    if surface is None:
        return access
    return spread_arrivals(access, inputs.places, surface.expected(), stations, walk_limit_min=limits_min["walk"])


def _quickest(priced: pd.DataFrame) -> pd.Series:
    """Minutes by the quickest of the public modes and road."""
    least = priced["road_time_min"].to_numpy(dtype=float)
    for mode in public_modes(priced):
        least = np.fmin(priced[f"{mode}_time_min"].to_numpy(dtype=float), least)
    return pd.Series(least, index=priced.index)


def _price_by_clock(railway: Railway, terminals: Terminals, settings: Settings) -> TimedPrices | None:
    """Journeys by the minutes of the trains, where these are known or drawn."""
    calls, departures = railway.calls, railway.departures
    if calls is None or departures is None or "start_min" not in departures.columns:
        return None
    station_ids = railway.graph.station_ids
    return price_timed_journeys(
        calls,
        departures,
        station_ids,
        [station_ids[station] for station in np.unique(terminals.stations)],
        hours=running_hours(departures),
        interchange_min=railway.interchange_min,
        default_interchange_min=settings.rail.interchange_min,
        fixed_links=railway.fixed_links,
    )


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
