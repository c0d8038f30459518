"""The stations that a run's railway is built of: those around the force and its exporting areas."""

from __future__ import annotations

import pandas as pd

from geo.errors import InputError

__all__ = ["find_window"]

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
    points = pd.concat([ours, exporters])[["easting_m", "northing_m"]]
    margin_m = buffer_km * _METRES_PER_KM
    low, high = points.min() - margin_m, points.max() + margin_m
    position = stations[["easting_m", "northing_m"]]
    return stations[((position >= low) & (position <= high)).all(axis=1)]
