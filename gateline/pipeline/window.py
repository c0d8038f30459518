"""The stations that a run's railway is built of: those around the force and its exporting areas."""

from __future__ import annotations

import pandas as pd

from geo.errors import InputError
from geo.sources.feed_stops import Bounds

__all__ = ["find_bounds", "find_window"]

_METRES_PER_KM = 1000.0


def find_window(stations: pd.DataFrame, exporters: pd.DataFrame, *, buffer_km: float) -> pd.DataFrame:
    """
    Find the stations in a box around the force's stations and the exporting areas.

    Parameters
    ----------
    stations : pandas.DataFrame
        Table `geo.tables.STATIONS`. Never modified.
    exporters : pandas.DataFrame
        Table `geo.tables.EXPORTERS`. Never modified.
    buffer_km : float
        Margin of the box.

    Returns
    -------
    pandas.DataFrame
        Rows of `stations`.

    Raises
    ------
    InputError
        If no station lies in the force area.
    """
    bounds = find_bounds(stations, exporters, buffer_km=buffer_km)
    if bounds is None:
        msg = "stations: none lies in the force area, expected at least one. Check the boundary or areas file."
        raise InputError(msg)
    west, south, east, north = bounds
    return stations[stations["easting_m"].between(west, east) & stations["northing_m"].between(south, north)]


def find_bounds(stations: pd.DataFrame, exporters: pd.DataFrame, *, buffer_km: float) -> Bounds | None:
    """
    Find the box around the force's stations and the exporting areas.

    Parameters
    ----------
    stations : pandas.DataFrame
        Table `geo.tables.STATIONS`. Never modified.
    exporters : pandas.DataFrame
        Table `geo.tables.EXPORTERS`. Never modified.
    buffer_km : float
        Margin of the box.

    Returns
    -------
    tuple of float or None
        West, south, east and north in EPSG:27700 metres; None where the force has no station.
    """
    ours = stations[stations["is_in_force"]]
    if ours.empty:
        return None
    points = pd.concat([ours, exporters])[["easting_m", "northing_m"]]
    margin_m = buffer_km * _METRES_PER_KM
    low, high = points.min() - margin_m, points.max() + margin_m
    return float(low.iloc[0]), float(low.iloc[1]), float(high.iloc[0]), float(high.iloc[1])
