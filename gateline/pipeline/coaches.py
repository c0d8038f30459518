"""
The coaches and buses of a run: feeds to stops and services, and these to a second public mode beside the railway.

Coaches are what trains are: the same graph, rides, waits and prices by the clock. Different are the ends of a journey.
A town's couriers walk to a coach stop. Those of an exporting area with a main station board at any stop near it, since
the area's coach station is as much its own as the station is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gateline.pipeline.railway import restrict_calls, running_hours
from gateline.pipeline.read_coaches import coach_week
from gateline.settings import Settings
from geo.corridors.choice import Supply
from geo.corridors.rides import build_rides
from geo.corridors.terminals import HUB_ACCESS_MIN, build_terminals
from geo.corridors.timed_prices import price_timed_journeys
from geo.network.passenger import PassengerGraph, build_passenger_graph
from geo.schema import empty
from geo.sources.coaches import CoachReading
from geo.tables import RAIL_LINKS

__all__ = ["Coaches", "build_coach_supply", "build_coaches", "find_hub_stops"]

_METRES_PER_KM = 1000.0
# Journeys by the clock between more stops than this take minutes; coaches are then priced by how often they run.
_MOST_TIMED = 2_000


@dataclass(frozen=True)
class Coaches:
    """
    Coaches and buses as couriers can use them.

    Attributes
    ----------
    stops : pandas.DataFrame
        Table `geo.tables.STATIONS` of coach stops in the window of the run.
    graph : PassengerGraph
        Minutes over stops and coaches.
    calls, departures : pandas.DataFrame
        Tables `SERVICE_CALLS` and `SERVICE_DEPARTURES` there.
    notes : tuple of str
        What is assumed of them.
    """

    stops: pd.DataFrame
    graph: PassengerGraph
    calls: pd.DataFrame
    departures: pd.DataFrame
    notes: tuple[str, ...]


def build_coaches(reading: CoachReading | None, settings: Settings) -> Coaches | None:
    """
    Build what couriers can use of the coaches.

    Parameters
    ----------
    reading : CoachReading or None
        From `gateline.pipeline.read_coaches.read_coach_feeds`.
    settings : Settings
        Of the workspace.

    Returns
    -------
    Coaches or None
        None where no feed is named, or no coach joins two stops here; a coach is then what it is without a feed.
    """
    if reading is None:
        return None
    calls, departures = restrict_calls(reading.calls, reading.departures, reading.stops.index)
    if calls.empty:
        return None
    stops = reading.stops[reading.stops.index.isin(calls["station_id"])]
    graph = build_passenger_graph(
        empty(RAIL_LINKS),
        calls=calls,
        departures=departures,
        hours=running_hours(departures),
        default_interchange_min=settings.coaches.interchange_min,
    )
    priced = settings.coaches
    read = (
        f"coaches and buses: {len(stops)} stops ({int(stops['is_in_force'].sum())} in the force), "
        f"{departures['n_departures'].sum():,.0f} departures in the week of {coach_week(settings)}"
    )
    assumed = (
        f"a coach is priced by its timetable as a train is: a minute aboard weighs {priced.in_vehicle_weight:g}, and "
        f"that its ticket is cheaper counts for {priced.ticket_advantage_min:g} minutes: no published figure says more"
    )
    notes = [read, assumed]
    if len(stops) > _MOST_TIMED:
        notes.append(
            f"more than {_MOST_TIMED:,} coach stops: coaches are priced by how often they run, not by the clock"
        )
    return Coaches(stops, graph, calls, departures, tuple(notes))


def build_coach_supply(
    coaches: Coaches,
    access: pd.DataFrame,
    exporters: pd.DataFrame,
    stations: pd.DataFrame,
    settings: Settings,
    *,
    origins: pd.Index,
) -> Supply:
    """
    Build the coaches as a public mode of the choice.

    Parameters
    ----------
    coaches : Coaches
        From `build_coaches`.
    access : pandas.DataFrame
        Table `geo.tables.ACCESS_TIMES` to coach stops.
    exporters, stations : pandas.DataFrame
        Tables `EXPORTERS` and, of the railway, `STATIONS`.
    settings : Settings
        With the constants of coaches.
    origins : pandas.Index
        Places and exporting areas that trips set out from.

    Returns
    -------
    Supply
        Of mode ``coach``.
    """
    priced, ids = settings.coaches, coaches.graph.station_ids
    hubs = find_hub_stops(exporters, stations, coaches.stops, reach_km=priced.hub_reach_km)
    terminals = build_terminals(access, exporters, ids, hub_access=hubs)
    starts = [terminals.of(position)[0] for position in terminals.positions(pd.Series(origins)).tolist()]
    timed = None
    if len(ids) <= _MOST_TIMED:
        timed = price_timed_journeys(
            coaches.calls,
            coaches.departures,
            ids,
            [ids[stop] for stop in np.unique(np.concatenate(starts))],
            hours=running_hours(coaches.departures),
            default_interchange_min=priced.interchange_min,
            in_vehicle_weight=priced.in_vehicle_weight,
        )
    rides = build_rides(coaches.graph, in_vehicle_weight=priced.in_vehicle_weight)
    return Supply(rides, terminals, timed=timed, mode="coach", constant_min=-priced.ticket_advantage_min)


def find_hub_stops(
    exporters: pd.DataFrame, stations: pd.DataFrame, stops: pd.DataFrame, *, reach_km: float
) -> pd.DataFrame:
    """
    Find the coach stops at which an exporting area's couriers board.

    Parameters
    ----------
    exporters : pandas.DataFrame
        Table `EXPORTERS`. Never modified.
    stations, stops : pandas.DataFrame
        Tables `STATIONS` of the railway and of coach stops. Never modified.
    reach_km : float
        Straight line from the main station.

    Returns
    -------
    pandas.DataFrame
        ``place_id, station_id, cost_min, time_min``: every stop within reach of the main station of an area that has
        one, `geo.corridors.terminals.HUB_ACCESS_MIN` from anywhere in the area.
    """
    hubs = exporters["hub_station_id"].dropna()
    hubs = hubs[hubs.isin(stations.index)]
    at_hub = stations.loc[hubs, ["easting_m", "northing_m"]].to_numpy(dtype=float)
    at_stop = stops[["easting_m", "northing_m"]].to_numpy(dtype=float)
    away_m = np.hypot(*(at_hub[:, None, axis] - at_stop[None, :, axis] for axis in (0, 1)))
    area, stop = np.nonzero(away_m <= reach_km * _METRES_PER_KM)
    return pd.DataFrame(
        {
            "place_id": hubs.index.to_numpy(dtype=object)[area],
            "station_id": stops.index.to_numpy(dtype=object)[stop],
            "cost_min": HUB_ACCESS_MIN,
            "time_min": HUB_ACCESS_MIN,
        }
    )
