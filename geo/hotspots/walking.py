"""
The nearest station of each hotspot and the walk to it.

In: hotspot centres, `geo.tables.STATIONS`, and `geo.tables.ACCESS_TIMES` where a road graph has measured them. Without
it the walk is a straight line lengthened by a detour, and says so in `walk_basis`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from geo.schema import validate
from geo.tables import ACCESS_TIMES, STATIONS

__all__ = ["DETOUR", "WALK_M_PER_MIN", "measure_walks", "replace_walks"]

# ASSUMPTION: walking distance over straight-line distance in a town; a setting, replaced by the road graph.
DETOUR = 1.3
# ASSUMPTION: 4.8 km/h, an ordinary walking pace; a setting.
WALK_M_PER_MIN = 80.0


def measure_walks(
    easting_m: NDArray[np.float64],
    northing_m: NDArray[np.float64],
    *,
    stations: pd.DataFrame | None,
    most_walk_min: float,
    detour: float = DETOUR,
    walk_m_per_min: float = WALK_M_PER_MIN,
) -> pd.DataFrame:
    """
    Find the nearest station of each point and the straight-line walk to it.

    Parameters
    ----------
    easting_m, northing_m : numpy.ndarray of shape (n,)
        Points in EPSG:27700 metres.
    stations : pandas.DataFrame or None
        Table `geo.tables.STATIONS`; None or empty leaves every walk null.
    most_walk_min : float
        Longer walks are null: no station is in reach on foot.
    detour : float, default 1.3
        Walked length over straight-line length.
    walk_m_per_min : float, default 80
        Walking speed.

    Returns
    -------
    pandas.DataFrame
        ``nearest_station_id, walk_min, walk_basis`` by position of the point. Ties go to the first CRS code.

    Raises
    ------
    TableError
        If the stations break their contract.
    """
    n = len(easting_m)
    walks = pd.DataFrame(
        {
            "nearest_station_id": pd.Series([None] * n, dtype="str"),
            "walk_min": np.full(n, np.nan),
            "walk_basis": pd.Series(["straight_line_detour"] * n, dtype="str"),
        }
    )
    if stations is None or not len(stations) or not n:
        return walks
    validate(stations, STATIONS)
    ordered = stations.sort_index(kind="stable")
    tree = cKDTree(ordered[["easting_m", "northing_m"]].to_numpy(dtype=float))
    distance_m, row = tree.query(np.column_stack([easting_m, northing_m]))
    walk_min = distance_m * detour / walk_m_per_min
    in_reach = np.asarray(walk_min <= most_walk_min)
    walks["nearest_station_id"] = ordered.index.to_series().iloc[row].reset_index(drop=True).where(in_reach)
    walks["walk_min"] = np.where(in_reach, walk_min, np.nan)
    return walks


def replace_walks(hotspots: pd.DataFrame, access_times: pd.DataFrame) -> pd.DataFrame:
    """
    Put walks measured on the road graph in place of straight lines.

    Parameters
    ----------
    hotspots : pandas.DataFrame
        Table `geo.tables.HOTSPOTS`. Never modified.
    access_times : pandas.DataFrame
        Table `geo.tables.ACCESS_TIMES` with hotspot ids in `place_id`; other rows and drives are ignored.

    Returns
    -------
    pandas.DataFrame
        A copy of the hotspots, in which each one with a walk in the table has its shortest one. A hotspot whose rows
        are all null has no station in reach: its walk is null, on the basis of the road graph.

    Raises
    ------
    TableError
        If the access times break their contract.
    """
    validate(access_times, ACCESS_TIMES)
    walks = access_times[(access_times["mode"] == "walk") & access_times["place_id"].isin(hotspots.index)]
    # The shortest walk first, ties by CRS code; a null time sorts last.
    best = walks.sort_values(["place_id", "time_min", "station_id"], kind="stable").drop_duplicates("place_id")
    best = best.set_index("place_id")
    replaced = hotspots.copy()
    is_reached = best["time_min"].notna()
    replaced.loc[best.index, "nearest_station_id"] = best["station_id"].where(is_reached, None)
    replaced.loc[best.index, "walk_min"] = best["time_min"]
    replaced.loc[best.index, "walk_basis"] = best["basis"]
    return replaced
