"""The stations that a run's railway is built of: those around the force and its exporting areas."""

from __future__ import annotations

import pandas as pd

from geo.errors import InputError

__all__ = ["find_window", "is_in_window"]

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
    ours = stations[stations["is_in_force"]]
    if ours.empty:
        msg = "stations: none lies in the force area, expected at least one. Check the boundary or areas file."
        raise InputError(msg)
    return stations[is_in_window(stations, pd.concat([ours, exporters]), buffer_km=buffer_km)]


def is_in_window(points: pd.DataFrame, around: pd.DataFrame, *, buffer_km: float) -> pd.Series:
    """
    Say which points lie in the box around others.

    Parameters
    ----------
    points, around : pandas.DataFrame
        ``easting_m, northing_m`` in EPSG:27700. Never modified.
    buffer_km : float
        Margin of the box.

    Returns
    -------
    pandas.Series
        By the index of `points`.
    """
    margin_m = buffer_km * _METRES_PER_KM
    ends = around[["easting_m", "northing_m"]]
    low, high = ends.min() - margin_m, ends.max() + margin_m
    position = points[["easting_m", "northing_m"]]
    return ((position >= low) & (position <= high)).all(axis=1)
