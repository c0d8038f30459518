"""The trains of each scored station in a run: the first, the last, and the last by which a courier still comes home."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from gateline.pipeline.railway import Railway
from gateline.settings import RailSettings
from geo.network.station_trains import measure_station_trains
from geo.schema import validate
from geo.tables import SERVICE_DEPARTURES

__all__ = ["Trains", "find_trains"]

_BASIS = {
    "timetable": "timetable",
    "estimated": "estimated from how many travel between stations, to the hour",
    "none": "not known: there is no timetable",
}


@dataclass(frozen=True)
class Trains:
    """
    When trains run at the scored stations.

    Attributes
    ----------
    table : pandas.DataFrame or None
        Table `geo.tables.STATION_TRAINS`; None where it is not known where trains call.
    home : pandas.DataFrame or None
        Table `geo.tables.TRAINS_HOME`, to the main station of each exporting area.
    replacements : pandas.Series or None
        Departures of rail replacement buses in the week by ``station_id``; None without a timetable.
    basis : str
        What the times rest on, or why there are none.
    """

    table: pd.DataFrame | None
    home: pd.DataFrame | None
    replacements: pd.Series | None
    basis: str


def find_trains(railway: Railway, station_ids: pd.Index, exporters: pd.DataFrame, settings: RailSettings) -> Trains:
    """
    Find the first and last trains of stations.

    Parameters
    ----------
    railway : Railway
        Of the run.
    station_ids : pandas.Index
        Scored stations.
    exporters : pandas.DataFrame
        Table `EXPORTERS`, for the main stations.
    settings : RailSettings
        The ``[rail]`` block.

    Returns
    -------
    Trains
        Without times where every train is taken to call everywhere.
    """
    basis = _BASIS[railway.basis]
    if railway.calls is None or railway.departures is None:
        return Trains(None, None, None, basis)
    # The minutes of estimated trains are drawn: only their hours say something.
    departures = _by_hour(railway.departures) if railway.basis == "estimated" else railway.departures
    hubs = exporters["hub_station_id"].dropna()
    found = measure_station_trains(
        railway.calls,
        departures,
        sorted(station_ids),
        hubs=sorted(hubs[hubs.isin(railway.network.stations.index)].unique()),
        interchange_min=railway.interchange_min,
        default_interchange_min=settings.interchange_min,
    )
    buses = None
    if railway.replacements is not None:
        buses = railway.replacements.reindex(sorted(station_ids)).fillna(0.0)
    return Trains(found.table, found.home, buses, basis)


def _by_hour(departures: pd.DataFrame) -> pd.DataFrame:
    """Trains by pattern and hour, without their minutes."""
    table = pd.DataFrame(departures.groupby(["pattern_id", "hour_of_week"], as_index=False)["n_departures"].sum())
    ids = table["pattern_id"] + ":" + table["hour_of_week"].astype(str)
    return validate(table.set_index(pd.Index(ids, name=SERVICE_DEPARTURES.index, dtype="str")), SERVICE_DEPARTURES)
