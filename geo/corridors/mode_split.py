"""
How the trips into every town divide by way of travel, and which of them no station of the force can see.

In come `geo.tables.COURIER_FLOWS` with a share for each mode and `geo.tables.STATION_FLOWS` by pair; out come shares by
town. Trips by road meet no station. A trip by rail is unseen where it sets foot on no platform of the force: it ends at
a station across the boundary and goes on by road.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from geo.corridors.assignment import ALL_DESTINATIONS

__all__ = ["MODES", "measure_seen_rail", "split_modes"]

MODES = ("rail", "car", "coach", "hire")
_PAIR = ["origin_id", "destination_id"]


def split_modes(courier_flows: pd.DataFrame, seen_rail: pd.Series, ids: pd.Index) -> pd.DataFrame:
    """
    Divide the trips into each town by way of travel, and those that nobody sees too.

    Parameters
    ----------
    courier_flows : pandas.DataFrame
        Table `geo.tables.COURIER_FLOWS`; modes of `MODES` without a column ``<mode>_share`` have no trips.
    seen_rail : pandas.Series
        Trips a month by rail that a station sees, by town: `measure_seen_rail`.
    ids : pandas.Index
        Towns.

    Returns
    -------
    pandas.DataFrame
        Index `ids`; ``<mode>_share`` and ``unseen_by_<mode>_share`` of all trips into the town, null without any. The
        first sum to 1, trips without any way being told with the car; the others to the share that no station sees.
    """
    trips = courier_flows["trips_per_month"]
    known = {mode: courier_flows[f"{mode}_share"] for mode in MODES if f"{mode}_share" in courier_flows.columns}
    by_mode = pd.DataFrame({mode: trips * known.get(mode, 0.0) for mode in MODES})
    sums = by_mode.assign(all=trips).groupby(courier_flows["destination_id"]).sum().reindex(ids, fill_value=0.0)
    total = sums["all"].where(sums["all"] > 0)
    sums["car"] += (sums["all"] - sums[list(MODES)].sum(axis=1)).clip(lower=0.0)
    seen = np.minimum(seen_rail.reindex(ids, fill_value=0.0), sums["rail"])
    unseen = sums[list(MODES)].assign(rail=sums["rail"] - seen)
    shares = {f"{mode}_share": sums[mode] / total for mode in MODES}
    return pd.DataFrame({**shares, **{f"unseen_by_{mode}_share": unseen[mode] / total for mode in MODES}}, index=ids)


def measure_seen_rail(
    courier_flows: pd.DataFrame, station_flows: pd.DataFrame, force_station_ids: Collection[str] | None
) -> pd.Series:
    """
    Count the rail trips into each town that set foot on a platform of the force.

    Parameters
    ----------
    courier_flows : pandas.DataFrame
        Table `geo.tables.COURIER_FLOWS`.
    station_flows : pandas.DataFrame
        Table `geo.tables.STATION_FLOWS`. By origin alone it does not say who is seen, and all rail trips count.
    force_station_ids : collection of str or None
        Stations of the force; None counts every station, and so every rail trip.

    Returns
    -------
    pandas.Series
        Trips a month by ``destination_id``: of each pair the most that board, change at one station or alight in the
        force. Who boards in the force and alights in it is counted once.
    """
    rail = courier_flows["trips_per_month"] * courier_flows["rail_share"]
    if force_station_ids is None or (station_flows["destination_id"] == ALL_DESTINATIONS).any():
        return rail.groupby(courier_flows["destination_id"]).sum()
    ours = station_flows[station_flows["station_id"].isin(list(force_station_ids))]
    by_pair = ours.groupby(_PAIR).agg(
        boarding=("boarding_trips_per_month", "sum"),
        alighting=("alighting_trips_per_month", "sum"),
        changing=("interchange_trips_per_month", "max"),
    )
    return by_pair.max(axis=1).groupby(level="destination_id").sum()
