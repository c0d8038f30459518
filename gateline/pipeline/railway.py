"""
The railway of a run: track and stations to links, and trains of a timetable or, without one, estimated ones.

A timetable that leaves out most of the force's stations is not used at all: half a railway with trains and half
without would compare stations by which file they are in. Where no timetable is used trains are estimated from how many
travel between stations. They come from afar, so the whole country is estimated; a run of a country itself is not.
Where that is not known, or the settings say so, every train is taken to call everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from gateline.pipeline.read import Inputs
from gateline.pipeline.window import find_window
from gateline.settings import Settings
from geo.naming import name_some
from geo.network.default_service import estimate_service
from geo.network.passenger import PassengerGraph, build_passenger_graph
from geo.network.rail import RailNetwork, build_rail_network
from geo.network.services import measure_call_run_times
from geo.schema import validate
from geo.sources.patterns import TimetableReading
from geo.tables import SERVICE_CALLS, SERVICE_DEPARTURES

__all__ = ["Basis", "Railway", "build_railway", "restrict_calls", "running_hours"]

Basis = Literal["timetable", "estimated", "none"]

# ASSUMPTION. Couriers travel when trains run, by day and evening.
_LEAST_OF_BUSIEST = 0.1
_MOST_SHOWN = 5
# Rides of every train between all stations of a country do not fit in 4 GiB.
_MOST_ESTIMATED = 1_200
_ESTIMATED = "estimated of trains: where they call, how long they take, how often, first and last ones to the hour"
_CALLS_EVERYWHERE = "run times come from distance alone, and how often trains run is not known"


@dataclass(frozen=True)
class Railway:
    """
    The railway as built and as passengers can use it.

    Attributes
    ----------
    network : RailNetwork
        Stations in the window of the run, links, repairs and unsnapped stations.
    graph : PassengerGraph
        Minutes over platforms and, with a timetable, trains.
    basis : {"timetable", "estimated", "none"}
        Where the trains come from; none where every train is taken to call everywhere.
    calls, departures : pandas.DataFrame or None
        Tables `SERVICE_CALLS` and `SERVICE_DEPARTURES` of the trains here; None where there are none.
    notes : tuple of str
        What is right but poorer.
    interchange_min : pandas.Series or None
        Minutes to change trains by CRS code, where the timetable states them.
    fixed_links : pandas.DataFrame or None
        Walks between stations that the timetable states.
    replacements : pandas.Series or None
        Departures of rail replacement buses in the week by CRS code; None where no timetable is used.
    """

    network: RailNetwork
    graph: PassengerGraph
    basis: Basis
    calls: pd.DataFrame | None
    departures: pd.DataFrame | None
    notes: tuple[str, ...]
    interchange_min: pd.Series | None = None
    fixed_links: pd.DataFrame | None = None
    replacements: pd.Series | None = None

    @property
    def has_trains(self) -> bool:
        """Whether it is known, or estimated, where trains call."""
        return self.basis != "none"


def build_railway(inputs: Inputs, settings: Settings) -> Railway:
    """
    Build the railway around the force and its exporting areas.

    Parameters
    ----------
    inputs : Inputs
        What was read.
    settings : Settings
        Of the workspace.

    Returns
    -------
    Railway
        With the timetable's trains if it covers the force's stations and every main station of an exporting area.

    Raises
    ------
    InputError
        If no station lies in the force area.
    """
    window = find_window(inputs.stations, inputs.exporters, buffer_km=settings.rail.buffer_km)
    timetable, notes = _choose_timetable(inputs, window, settings)
    network = build_rail_network(
        inputs.rail_track,
        window,
        snap_limit_m=settings.rail.snap_limit_m,
        run_times=None if timetable is None else measure_call_run_times(timetable.calls, timetable.departures),
    )
    if len(network.unsnapped):
        notes.insert(0, f"{len(network.unsnapped)} stations are too far from track and were left out")
    if timetable is not None:
        calls, departures = restrict_calls(timetable.calls, timetable.departures, network.stations.index)
        stated_min = timetable.interchange_min if len(timetable.interchange_min) else None
        walks = timetable.fixed_links if len(timetable.fixed_links) else None
        graph = build_passenger_graph(
            network.links,
            calls=calls,
            departures=departures,
            hours=running_hours(departures),
            interchange_min=stated_min,
            fixed_links=walks,
            default_interchange_min=settings.rail.interchange_min,
        )
        buses = timetable.replacements[timetable.replacements.index.isin(network.stations.index)]
        notes += _tell_replacements(buses, network.stations)
        return Railway(network, graph, "timetable", calls, departures, tuple(notes), stated_min, walks, buses)
    trains = _estimate_trains(inputs, network, window, settings, notes)
    if trains is not None:
        calls, departures = trains
        graph = build_passenger_graph(
            network.links,
            calls=calls,
            departures=departures,
            hours=running_hours(departures),
            default_interchange_min=settings.rail.interchange_min,
        )
        return Railway(network, graph, "estimated", calls, departures, (*notes, _ESTIMATED))
    graph = build_passenger_graph(
        network.links, dwell_min=settings.rail.dwell_min, default_interchange_min=settings.rail.interchange_min
    )
    return Railway(network, graph, "none", None, None, (*notes, _CALLS_EVERYWHERE))


def _bound_here(calls: pd.DataFrame, inputs: Inputs) -> pd.DataFrame:
    """Trains that call in the force or at an exporting area's main station: others are no way from there to here."""
    stations = inputs.stations
    ends = {*stations.index[stations["is_in_force"]], *inputs.exporters["hub_station_id"].dropna()}
    return calls[calls["station_id"].isin(ends).groupby(calls["pattern_id"]).transform("any")]


def _estimate_trains(
    inputs: Inputs, network: RailNetwork, window: pd.DataFrame, settings: Settings, notes: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Trains here by how many travel between stations; None where that is not asked for, not known or not enough."""
    if not (settings.rail.estimate_trains and len(inputs.passenger_flows)):
        return None
    if len(network.stations) > _MOST_ESTIMATED:
        notes.append(
            f"trains not estimated from how many travel between stations: the region has {len(network.stations):,} "
            f"stations, and {_MOST_ESTIMATED:,} at most are worked out"
        )
        return None
    country = build_rail_network(inputs.rail_track, inputs.stations, snap_limit_m=settings.rail.snap_limit_m)
    calls, departures = estimate_service(country.links, inputs.passenger_flows)
    calls, departures = restrict_calls(_bound_here(calls, inputs), departures, network.stations.index)
    is_enough, told = _judge_cover(set(calls["station_id"]), inputs, window, settings)
    if not is_enough:
        notes.append(f"trains not estimated from how many travel between stations: {told}")
        return None
    return calls, departures


def _judge_cover(called: set[str], inputs: Inputs, window: pd.DataFrame, settings: Settings) -> tuple[bool, str]:
    """Whether trains call at enough stations of the force and at every exporting area's, and at how many."""
    ours = window.index[window["is_in_force"]]
    hubs = inputs.exporters["hub_station_id"].dropna().unique()
    n_ours, n_hubs = sum(code in called for code in ours), sum(code in called for code in hubs)
    told = f"{n_ours} of {len(ours)} stations of the force and {n_hubs} of {len(hubs)} main stations have a train"
    idle = [*(code for code in hubs if code not in called), *(code for code in ours if code not in called)]
    least = settings.rail.timetable_coverage_share
    is_enough = n_ours >= least * len(ours) and n_hubs == len(hubs)
    if not is_enough:
        told += f", expected {least:.0%} and all"
    return is_enough, f"{told}; none at {name_some(idle, _MOST_SHOWN)}" if idle else told


def _choose_timetable(
    inputs: Inputs, window: pd.DataFrame, settings: Settings
) -> tuple[TimetableReading | None, list[str]]:
    """The timetable if it covers enough to be used, and what to tell of it."""
    timetable = inputs.timetable
    if timetable is None:
        return None, []
    is_enough, told = _judge_cover(set(timetable.calls["station_id"]), inputs, window, settings)
    if not is_enough:
        return None, [f"timetable not used: {told}", *inputs.feed_notes]
    notes = [f"timetable of the week of {settings.inputs.timetable_week_start_on}: {told}"]
    return timetable, [*notes, *timetable.caveats, *inputs.feed_notes]


def _tell_replacements(buses: pd.Series, stations: pd.DataFrame) -> list[str]:
    """That buses run for trains in the week that was chosen, where they do."""
    if buses.empty:
        return []
    most = buses.sort_index().sort_values(ascending=False, kind="stable").index
    shown = name_some(stations["name"].loc[most].tolist(), _MOST_SHOWN)
    told = f"{buses.sum():,.0f} departures are rail replacement buses in this week, at {shown}"
    return [f"{told}: the week is not a usual one"]


def running_hours(departures: pd.DataFrame) -> list[int]:
    """
    Find the hours of the week in which journeys are made.

    Parameters
    ----------
    departures : pandas.DataFrame
        Table `SERVICE_DEPARTURES`.

    Returns
    -------
    list of int
        Those in which a tenth as many trains start as in the busiest: nobody waits by night.
    """
    trains = departures.groupby("hour_of_week")["n_departures"].sum()
    return [int(hour) for hour in trains.index[trains >= _LEAST_OF_BUSIEST * trains.max()]]


def restrict_calls(
    calls: pd.DataFrame, departures: pd.DataFrame, station_ids: pd.Index
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Leave out calls beyond the network; a train that comes from there starts at its first call here.

    Parameters
    ----------
    calls, departures : pandas.DataFrame
        Tables `SERVICE_CALLS` and `SERVICE_DEPARTURES`. Never modified.
    station_ids : pandas.Index
        Stations of the network.

    Returns
    -------
    tuple of pandas.DataFrame
        Tables `SERVICE_CALLS` and `SERVICE_DEPARTURES` of the patterns that call at two stations at least. Minutes
        still count from the train's own start.
    """
    calls = calls[calls["station_id"].isin(station_ids)]
    calls = calls[calls.groupby("pattern_id")["station_id"].transform("nunique") > 1]
    calls = calls.sort_values(["pattern_id", "call_no"], kind="stable")
    pattern = calls["pattern_id"]
    is_first, is_last = ~pattern.duplicated(), ~pattern.duplicated(keep="last")
    calls = calls.assign(
        call_no=pattern.groupby(pattern).cumcount(),
        arrival_min=calls["arrival_min"].mask(is_first),
        departure_min=calls["departure_min"].mask(is_last),
    )
    departures = departures[departures["pattern_id"].isin(pattern)]
    return validate(calls, SERVICE_CALLS), validate(departures, SERVICE_DEPARTURES)
