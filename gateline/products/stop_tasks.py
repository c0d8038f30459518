"""
What a team does at a stop, and what it must not forget there: rules from what is known of stay and station.

Tasks come from hours, gates, changes and origins of couriers, never from anything about a person. The prompts on
children follow from the hour and the day: a child on a train in school hours, late, or far from home is a child to
look after first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from gateline.products.coach_tables import COACH_STOP
from gateline.products.duty_times import day_of
from gateline.products.inputs import ProductInputs

__all__ = ["PROMPTS", "list_origins", "prompts_of", "tasks_of"]

# ASSUMPTIONS: hours of lessons, when it is late for a child, and a share of couriers worth a second place to stand.
_SCHOOL_FROM_H, _SCHOOL_TO_H = 9.0, 15.0
_LATE_FROM_H = 20.0
_SATURDAY = 5
_MANY_CHANGE = 0.3
_N_ORIGINS = 2
PROMPTS = (
    "A child or adult exploited as a courier is a victim first: safeguard, then investigate.",
    "School hours (in term): a child alone on a train is one to ask after. Late: one to see safe before trains end.",
    "Child out of area, alone, or missing: tell the force control room and children's social care of home and here.",
    "Consider the National Referral Mechanism (for a child no consent is needed) and its statutory defence.",
    "Ask British Transport Police and station staff what they saw today; leave them a number to call.",
)


def list_origins(inputs: ProductInputs) -> dict[str, list[str]]:
    """
    List the exporting areas whose couriers each station sees most of.

    Parameters
    ----------
    inputs : ProductInputs
        The tables of one run.

    Returns
    -------
    dict of str to list of str
        Names of the two largest, by ``station_id``.
    """
    flows = inputs.station_flows
    ways = [name for name in flows.columns if str(name).endswith("_trips_per_month")]
    trips = flows.assign(trips=flows[ways].sum(axis=1))
    trips = trips[trips["origin_id"].isin(inputs.exporters.index)]
    sums = trips.groupby(["station_id", "origin_id"])["trips"].sum().reset_index()
    sums = sums[sums["trips"] > 0].sort_values(["station_id", "trips", "origin_id"], ascending=[True, False, True])
    names = inputs.exporters["name"]
    return {
        str(station): [str(names[origin]) for origin in rows["origin_id"].head(_N_ORIGINS)]
        for station, rows in sums.groupby("station_id")
    }


def tasks_of(row: Mapping[Any, Any], origins: Mapping[str, list[str]]) -> list[str]:
    """
    Say what a team does during a stay.

    Parameters
    ----------
    row : mapping
        Of `geo.tables.PLAN`, with what is known of the station.
    origins : mapping of str to list of str
        From `list_origins`.

    Returns
    -------
    list of str
        Short sentences.
    """
    what = "coaches" if row.get("kind") == COACH_STOP else "trains"
    from_where = origins.get(str(row["station_id"]), [])
    tasks = [f"Meet {what} from {' and '.join(from_where)} first." if from_where else f"Meet arriving {what}."]
    n_trains = row.get("n_trains_in_stay")
    if n_trains is not None and pd.notna(n_trains):
        tasks.append(f"About {n_trains:.0f} {what} call in the time.")
    gates = row.get("has_gates")
    if gates is not None and pd.notna(gates):
        tasks.append("Stand inside the ticket gates." if gates else "No gates: stand where the ways out meet.")
    changing = row.get("change_share")
    if changing is not None and pd.notna(changing) and changing >= _MANY_CHANGE:
        tasks.append(f"{changing:.0%} of couriers going on change here: watch between platforms.")
    staffed = row.get("staffed_share")
    if staffed is not None and pd.notna(staffed):
        tasks.append("Brief the station staff." if staffed > 0 else "No station staff are there.")
    return tasks


def prompts_of(row: Mapping[Any, Any]) -> list[str]:
    """
    Say what to remember of children at that hour.

    Parameters
    ----------
    row : mapping
        Of `geo.tables.PLAN`.

    Returns
    -------
    list of str
        Words that `PROMPTS` explains, or none.
    """
    day = day_of(str(row["worked_on"]))
    is_school_day = day is not None and day < _SATURDAY
    if is_school_day and row["from_h"] < _SCHOOL_TO_H and row["to_h"] > _SCHOOL_FROM_H:
        return ["School hours."]
    if row["to_h"] > _LATE_FROM_H:
        return ["Late."]
    return []
