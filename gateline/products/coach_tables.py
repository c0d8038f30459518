"""The tables of coach stops that products are drawn from, in a run with a feed of coaches."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from geo.schema import validate
from geo.tables import STATION_EXPOSURE, STATION_HOURS, STATIONS

__all__ = ["COACH_STOP", "STATION", "CoachTables", "join_stops"]

# Kinds of places to meet.
COACH_STOP, STATION = "coach stop", "station"


@dataclass(frozen=True)
class CoachTables:
    """
    Coach stops of the force where a courier boards, changes or alights, in the order of their ids.

    Attributes
    ----------
    stops : pandas.DataFrame
        Table `STATIONS`.
    all_stops : pandas.DataFrame
        Table `STATIONS` of every coach stop, to give names to those across the boundary.
    exposure : pandas.DataFrame
        Table `STATION_EXPOSURE`.
    hours : pandas.DataFrame or None
        Table `STATION_HOURS`; None where the profile does not see hours.
    n_coaches : pandas.Series
        Coaches that call in the week, by ``station_id``.
    """

    stops: pd.DataFrame
    all_stops: pd.DataFrame
    exposure: pd.DataFrame
    hours: pd.DataFrame | None
    n_coaches: pd.Series

    def __post_init__(self) -> None:
        object.__setattr__(self, "stops", validate(self.stops, STATIONS).sort_index())
        object.__setattr__(self, "exposure", validate(self.exposure, STATION_EXPOSURE).reindex(self.stops.index))
        if self.hours is not None:
            object.__setattr__(self, "hours", validate(self.hours, STATION_HOURS).sort_index())


def join_stops(stations: pd.DataFrame, coaches: CoachTables | None) -> pd.DataFrame:
    """
    Give the places where couriers board, change or alight: stations, and coach stops after them.

    Parameters
    ----------
    stations : pandas.DataFrame
        Table `STATIONS`. Never modified.
    coaches : CoachTables or None
        With the coach stops.

    Returns
    -------
    pandas.DataFrame
        Table `STATIONS`; what is known of stations alone is null at coach stops.
    """
    if coaches is None:
        return stations
    columns = [name for name in STATIONS.columns if name in stations.columns]
    stops = coaches.all_stops.reindex(columns=columns).astype(stations[columns].dtypes)
    return pd.concat([stations[columns], stops])
