"""
What stands beside each stop of a plan: passengers, trains during the stay, gates, staff, and who changes there.

In come `geo.tables.PLAN` and what is known of its stations; out comes the same table with further columns. What is not
known is null.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from geo.schema import validate
from geo.tables import PLAN
from models.planning.problem import Shift, measure_passengers_per_day, measure_staffed_share, sum_shift_trains

__all__ = ["describe_stops"]


def describe_stops(
    table: pd.DataFrame,
    stations: pd.DataFrame,
    *,
    hours: pd.DataFrame,
    usage: pd.DataFrame | None,
    exposure: pd.DataFrame | None,
    first_weekday: int = 0,
) -> pd.DataFrame:
    """
    Put beside each stop what is known of a meeting there.

    Parameters
    ----------
    table : pandas.DataFrame
        Table `geo.tables.PLAN`. Never modified.
    stations : pandas.DataFrame
        Table `geo.tables.STATIONS`.
    hours : pandas.DataFrame
        Table `geo.tables.STATION_HOURS`, for the trains.
    usage : pandas.DataFrame or None
        Table `geo.tables.STATION_USAGE`.
    exposure : pandas.DataFrame or None
        Table `geo.tables.STATION_EXPOSURE`, for the couriers who go on beyond a station; None where it is not known who
        changes there.
    first_weekday : int
        Weekday of the first day, 0 is Monday.

    Returns
    -------
    pandas.DataFrame
        Table `geo.tables.PLAN` with ``passengers_per_day, n_trains_in_stay, n_trains_per_day, has_gates,
        staffed_share`` (of the stay) and ``change_share`` (of the couriers who go on beyond the station, those who
        change trains there).
    """
    ids = table["station_id"]
    daily = pd.Series(np.nan, index=stations.index) if usage is None else measure_passengers_per_day(usage)
    gates = stations.get("has_gates", pd.Series(pd.NA, index=stations.index, dtype="boolean"))
    staff = stations.get("staffed_hours", pd.Series(None, index=stations.index, dtype="str"))
    by_day = hours.groupby("station_id")["n_trains"].agg(lambda n: n.sum(min_count=1) / 7)
    trains, staffed = np.full(len(table), np.nan), np.full(len(table), np.nan)
    when = table[["day", "from_h", "to_h"]]
    for day, from_h, to_h in when.drop_duplicates().itertuples(index=False, name=None):
        at = when.eq([day, from_h, to_h]).all(axis=1).to_numpy()
        shift, weekday = Shift("", from_h, to_h), (day - 1 + first_weekday) % 7
        trains[at] = sum_shift_trains(hours, ids[at].tolist(), shift, weekday=weekday)
        staffed[at] = measure_staffed_share(staff.reindex(ids[at]), shift, weekday=weekday)
    beside = table.assign(
        passengers_per_day=daily.reindex(ids).to_numpy(dtype=float),
        n_trains_in_stay=trains,
        n_trains_per_day=by_day.reindex(ids).to_numpy(dtype=float),
        has_gates=gates.reindex(ids).astype("boolean").array,
        staffed_share=staffed,
        change_share=_change_share(exposure, stations.index).reindex(ids).to_numpy(dtype=float),
    )
    return validate(beside[[name for name in PLAN.columns if name in beside.columns]], PLAN)


def _change_share(exposure: pd.DataFrame | None, index: pd.Index) -> pd.Series:
    """Of the couriers who go on beyond each station, the share who change there; null where none does or is known."""
    if exposure is None:
        return pd.Series(np.nan, index=index)
    changing, calling = (exposure[f"{way}_trips_per_month"] for way in ("interchange", "calling"))
    going_on = changing + calling
    return (changing / going_on.where(going_on > 0)).clip(0.0, 1.0)
