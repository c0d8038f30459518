"""The courier flow through the coach stops of a run: how many board, change and alight, and in which hours."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from gateline.pipeline.coaches import Coaches
from gateline.pipeline.hours import find_hours
from gateline.pipeline.journeys import Flow
from gateline.pipeline.read import Inputs
from gateline.settings import HourSettings
from geo.corridors.exposure import measure_station_exposure

__all__ = ["CoachFlow", "measure_coach_flow"]


@dataclass(frozen=True)
class CoachFlow:
    """
    Coach stops as places to meet.

    Attributes
    ----------
    stops : pandas.DataFrame
        Table `geo.tables.STATIONS` of the force's coach stops where a courier boards, changes or alights.
    all_stops : pandas.DataFrame
        Table `geo.tables.STATIONS` of every coach stop of the run.
    exposure : pandas.DataFrame
        Table `geo.tables.STATION_EXPOSURE` of those of the force, without passengers, whom nobody counts.
    station_flows : pandas.DataFrame
        Table `geo.tables.STATION_FLOWS` of all coach stops.
    hours : pandas.DataFrame
        Table `geo.tables.STATION_HOURS` of them, from the coaches that call.
    n_coaches : pandas.Series
        Coaches that call in the week, by ``station_id``.
    """

    stops: pd.DataFrame
    all_stops: pd.DataFrame
    exposure: pd.DataFrame
    station_flows: pd.DataFrame
    hours: pd.DataFrame
    n_coaches: pd.Series


def measure_coach_flow(coaches: Coaches | None, flow: Flow, inputs: Inputs, settings: HourSettings) -> CoachFlow | None:
    """
    Measure the flow through the coach stops of the force.

    Parameters
    ----------
    coaches : Coaches or None
        From `gateline.pipeline.coaches.build_coaches`.
    flow : Flow
        The posterior mean as tables of flow.
    inputs : Inputs
        For timed offences near the stops.
    settings : HourSettings
        The ``[hours]`` block.

    Returns
    -------
    CoachFlow or None
        None without coaches.
    """
    if coaches is None:
        return None
    station_flows = flow.others["coach"].station_flows
    exposure = measure_station_exposure(station_flows, coaches.stops[coaches.stops["is_in_force"]])
    exposure = exposure[exposure["courier_trips_per_month"] > 0]
    stops = coaches.stops.loc[exposure.index]
    hours = find_hours(inputs, coaches, stops, exposure["courier_trips_per_month"], settings)
    n_coaches = hours.groupby("station_id")["n_trains"].sum().reindex(stops.index)
    return CoachFlow(stops, coaches.stops, exposure, station_flows, hours, n_coaches)
