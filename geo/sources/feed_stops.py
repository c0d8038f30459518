"""
The stations that a timetable itself names: table `FEED_STOPS`, which every reader of timetables returns.

A station list lacks what was opened since it was made. The feed knows those stations, mostly with a position, so that
they need not be left out.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.crs import GB_EASTING_M, GB_NORTHING_M
from geo.schema import Column, Contract, empty, validate

__all__ = ["FEED_STOPS", "Bounds", "build_feed_stops", "extend_near", "no_feed_stops"]

# West, south, east, north, EPSG:27700 metres.
Bounds = tuple[float, float, float, float]

FEED_STOPS = Contract(
    "feed_stops",
    "station_id",
    {
        "name": Column("text", "name as the feed writes it; null where it has none", nullable=True),
        "easting_m": Column("number", "EPSG:27700 metres; null where the feed does not say", nullable=True),
        "northing_m": Column("number", "EPSG:27700 metres; null where the feed does not say", nullable=True),
    },
    total="One row a station of a timetable; the index is its CRS code.",
)


def no_feed_stops() -> pd.DataFrame:
    """
    Give the table of a feed that names no stations.

    Returns
    -------
    pandas.DataFrame
        Table `FEED_STOPS` without rows.
    """
    return empty(FEED_STOPS)


def build_feed_stops(
    station_ids: Collection[str],
    names: Collection[str],
    easting_m: NDArray[np.float64],
    northing_m: NDArray[np.float64],
) -> pd.DataFrame:
    """
    Put the stops of a feed together as stations.

    Parameters
    ----------
    station_ids : collection of str
        CRS code of each stop; a station may have several, of which the first with a position counts, else the first.
    names : collection of str
        Name of each; empty text where it has none.
    easting_m, northing_m : numpy.ndarray of shape (n,)
        Positions; NaN where not known. Those off the National Grid count as not known.

    Returns
    -------
    pandas.DataFrame
        Table `FEED_STOPS`, sorted.
    """
    table = pd.DataFrame(
        {"station_id": list(station_ids), "name": list(names), "easting_m": easting_m, "northing_m": northing_m}
    ).astype({"station_id": "str", "easting_m": float, "northing_m": float})
    on_grid = table["easting_m"].between(*GB_EASTING_M, inclusive="right")
    on_grid &= table["northing_m"].between(*GB_NORTHING_M, inclusive="right")
    table.loc[~on_grid, ["easting_m", "northing_m"]] = np.nan
    table["name"] = table["name"].astype("str").str.strip().replace("", None)
    table = table.assign(has_none=~on_grid).sort_values(["station_id", "has_none"], kind="stable")
    table = table.drop_duplicates("station_id").set_index("station_id")[["name", "easting_m", "northing_m"]]
    return validate(table.astype({"name": "str"}), FEED_STOPS)


def extend_near(near: Collection[str] | None, stops: pd.DataFrame, bounds: Bounds | None) -> Collection[str] | None:
    """
    Add the feed's own stations in the region to those asked for.

    Parameters
    ----------
    near : collection of str or None
        Stations of the region; None where all are.
    stops : pandas.DataFrame
        Table `FEED_STOPS`. Never modified.
    bounds : tuple of float or None
        The region; None where its bounds are not known.

    Returns
    -------
    collection of str or None
        None where all stations are asked for.
    """
    if near is None or bounds is None:
        return near
    west, south, east, north = bounds
    inside = stops["easting_m"].between(west, east) & stops["northing_m"].between(south, north)
    return {*near, *stops.index[inside]}
