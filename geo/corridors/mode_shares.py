"""
How the trips into every town divide by way of travel, and by which way no station of the force sees them.

In come `geo.tables.COURIER_FLOWS` and `STATION_FLOWS`; out come shares by town. Whoever goes by road or by coach sets
foot in no station. Whoever goes by train is unseen where it is at no station of the force that he boards, changes or
alights: he leaves the train across the boundary and goes on by road.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from geo.corridors.assignment import ALL_DESTINATIONS
from geo.corridors.choice import public_modes

__all__ = ["MODE_SHARES", "UNSEEN_SHARES", "measure_mode_shares"]

MODE_SHARES = ("rail_share", "coach_share", "road_share")
UNSEEN_SHARES = ("unseen_by_train_share", "unseen_by_coach_share", "unseen_by_road_share")
_PAIR = ["origin_id", "destination_id"]


def measure_mode_shares(
    courier_flows: pd.DataFrame, station_flows: pd.DataFrame, place_ids: pd.Index, station_ids: Collection[str]
) -> pd.DataFrame:
    """
    Measure how the trips into each town divide by way of travel, and what of each way no station sees.

    Parameters
    ----------
    courier_flows : pandas.DataFrame
        What `geo.corridors.choice.choose_modes` returned, with trips.
    station_flows : pandas.DataFrame
        Table `STATION_FLOWS` by rail. By origin alone it does not say who is seen: all who go by rail then are.
    place_ids : pandas.Index
        Towns.
    station_ids : collection of str
        The force's stations.

    Returns
    -------
    pandas.DataFrame
        Index `place_ids`. `MODE_SHARES`, which sum to 1: what no mode can make is told with the road; `UNSEEN_SHARES`,
        of the same trips; and their sum ``unseen_share``. Null for a town without trips.
    """
    trips = courier_flows["trips_per_month"]
    by_mode = {mode: trips * courier_flows[f"{mode}_share"] for mode in public_modes(courier_flows)}
    table = pd.DataFrame(
        {
            "all": trips,
            "rail": by_mode["rail"],
            "coach": by_mode.get("coach", 0.0),
            "road": (trips - sum(by_mode.values())).clip(lower=0.0),
        }
    )
    sums = table.groupby(courier_flows["destination_id"]).sum().reindex(place_ids, fill_value=0.0)
    total = sums["all"].where(sums["all"] > 0)
    seen = sums["rail"]
    if not (station_flows["destination_id"] == ALL_DESTINATIONS).any():
        seen = _count_seen(station_flows, station_ids).reindex(place_ids, fill_value=0.0)
    past = (sums["rail"] - np.minimum(seen, sums["rail"])) / total
    unseen = dict(zip(UNSEEN_SHARES, (past, sums["coach"] / total, sums["road"] / total), strict=True))
    shares = {name: sums[name.removesuffix("_share")] / total for name in MODE_SHARES}
    return pd.DataFrame({**shares, **unseen, "unseen_share": sum(unseen.values())}).clip(0.0, 1.0)


def _count_seen(station_flows: pd.DataFrame, station_ids: Collection[str]) -> pd.Series:
    """Rail trips into each town that set foot in the force: of each pair the most that board, change or alight."""
    ours = station_flows[station_flows["station_id"].isin(list(station_ids))]
    by_pair = ours.groupby(_PAIR).agg(
        boarding=("boarding_trips_per_month", "sum"),
        changing=("interchange_trips_per_month", "max"),
        alighting=("alighting_trips_per_month", "sum"),
    )
    return by_pair.max(axis=1).groupby(level="destination_id").sum()
