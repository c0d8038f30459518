"""
How strongly an exporting area exports, where no count of its lines is known: who lives poor near its main station.

Lines are run from dense, poor parts of large cities, and their couriers leave from the city's main station. So the
prior of an area is not its population, which counts its countryside and its suburbs, but the people in the most
deprived small areas within a short way of that station. A stated assumption [P], shown against published origins by
`python -m benchmarks.north_yorkshire_lines`; a force's own counts outweigh it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from geo.errors import TableError, UsageError
from geo.schema import validate
from geo.tables import EXPORTERS, STATIONS

__all__ = ["HIGHEST_DECILE", "HUB_REACH_M", "measure_export_strength"]

# ASSUMPTION. About the inner part of a large city; 5 to 30 km are shown beside it.
HUB_REACH_M = 10_000.0
# ASSUMPTION. The most deprived tenth of small areas; the next tenth is shown beside it.
HIGHEST_DECILE = 1
_COLUMNS = ("exporter_id", "easting_m", "northing_m", "population", "imd_decile")


def measure_export_strength(
    exporters: pd.DataFrame,
    stations: pd.DataFrame,
    small_areas: pd.DataFrame,
    *,
    reach_m: float = HUB_REACH_M,
    highest_decile: int = HIGHEST_DECILE,
) -> pd.Series:
    """
    Count the people in the most deprived small areas near each exporter's main station.

    Parameters
    ----------
    exporters : pandas.DataFrame
        Contract `EXPORTERS`; where `hub_station_id` is null or unknown, the exporter's own point stands for it.
    stations : pandas.DataFrame
        Contract `STATIONS`.
    small_areas : pandas.DataFrame
        One row a small area (LSOA): `exporter_id` it lies in, `easting_m`, `northing_m` of its centre (EPSG:27700),
        `population`, `imd_decile` (1 the most deprived). Areas in no listed exporter are left out.
    reach_m : float
        Straight line from the station, metres, positive.
    highest_decile : int
        Deciles up to this one count, 1 to 10.

    Returns
    -------
    pandas.Series
        Named `export_strength`, persons, by `exporter_id` in the order of `exporters`: fit for `prior_lines`.

    Raises
    ------
    UsageError
        If the reach is not positive or the decile not in 1 to 10.
    TableError
        If a table breaks its contract or a column is missing.
    """
    if not reach_m > 0 or not 1 <= highest_decile <= 10:
        msg = (
            f"export strength: reach_m is {reach_m!r} and highest_decile {highest_decile!r}, expected a positive reach "
            "and a decile from 1 to 10. Give such numbers."
        )
        raise UsageError(msg)
    missing = [name for name in _COLUMNS if name not in small_areas.columns]
    if missing:
        msg = f"small_areas: columns {missing} are missing, expected {', '.join(_COLUMNS)}. Add them."
        raise TableError(msg)
    validate(exporters, EXPORTERS), validate(stations, STATIONS)
    own = exporters[["easting_m", "northing_m"]]
    hubs = stations[["easting_m", "northing_m"]].reindex(exporters["hub_station_id"]).set_axis(exporters.index)
    hubs = hubs.where(hubs.notna(), own)
    poor = small_areas.loc[
        (small_areas["imd_decile"] <= highest_decile) & small_areas["exporter_id"].isin(exporters.index)
    ]
    hub_of = hubs.loc[poor["exporter_id"]].to_numpy(dtype=float)
    away_m = np.hypot(*(poor[["easting_m", "northing_m"]].to_numpy(dtype=float) - hub_of).T)
    near = poor.loc[away_m <= reach_m].groupby("exporter_id")["population"].sum()
    strength = near.reindex(exporters.index, fill_value=0).to_numpy(dtype=float)
    return pd.Series(strength, index=exporters.index, name="export_strength")
