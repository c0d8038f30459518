"""
Coach stops as every product tells them: a list of their own, beside that of the railway stations and never part of it.

A coach stop has no score: what the posterior ranks are stations. Its flow is that of the same run by coach.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from gateline.products.coach_tables import COACH_STOP
from gateline.products.csv_lists import with_railway, write_csv
from gateline.products.hours import tell_hours
from gateline.products.inputs import ProductInputs
from gateline.products.lists import MET_ON_PLATFORM, name_lookup
from gateline.products.map_values import as_told, text_of, texts
from geo.crs import to_wgs84_arrays
from models.telling import round_figures

__all__ = ["coach_stop_list", "describe_coach_stops", "map_coach_stops", "write_coach_stop_csv"]

# About ten metres: across a bus station.
_DECIMALS_DEG = 4
_N_NAMED = 3
# More stops of local buses would hide the map.
_MOST_DRAWN = 40


def coach_stop_list(inputs: ProductInputs) -> pd.DataFrame | None:
    """
    List the force's coach stops by the couriers who board, change or alight there.

    Parameters
    ----------
    inputs : ProductInputs
        The tables of one run.

    Returns
    -------
    pandas.DataFrame or None
        Index ``coach_stop_id``, largest flow first; the columns of ``coach_stops.csv``. None without a feed of coaches.
    """
    if inputs.coaches is None:
        return None
    stops, exposure, hours = inputs.coaches.stops, inputs.coaches.exposure, inputs.coaches.hours
    names = name_lookup(inputs)
    lon_deg, lat_deg = to_wgs84_arrays(stops["easting_m"].to_numpy(), stops["northing_m"].to_numpy())
    columns = {
        "name": stops["name"],
        "kind": COACH_STOP,
        "lon": lon_deg.round(_DECIMALS_DEG),
        "lat": lat_deg.round(_DECIMALS_DEG),
        "courier_flow": _told(exposure["courier_trips_per_month"]),
        **{name: _told(exposure[name]) for name in MET_ON_PLATFORM},
        "top_origin": exposure["top_origin_id"].map(names).astype("str"),
        "top_destination": exposure["top_destination_id"].map(names).astype("str"),
        "coaches_per_week": inputs.coaches.n_coaches.reindex(stops.index).round(),
        **({} if hours is None else tell_hours(hours, stops.index)),
    }
    table = pd.DataFrame(columns, index=stops.index.rename("coach_stop_id"))
    return table.sort_values("courier_flow", ascending=False, kind="stable")


def describe_coach_stops(inputs: ProductInputs) -> list[str]:
    """
    Say which coach stops most couriers use.

    Parameters
    ----------
    inputs : ProductInputs
        The tables of one run.

    Returns
    -------
    list of str
        One sentence; none without a feed of coaches.
    """
    table = coach_stop_list(inputs)
    if table is None or table.empty:
        return []
    first = table.head(_N_NAMED)
    named = [f"{name} ({trips:.2g})" for name, trips in zip(first["name"], first["courier_flow"], strict=True)]
    line = f"Couriers by coach use {len(table)} coach stops of the force, most of them, in trips a month, "
    return [f"{line}{', '.join(named)}: see coach_stops.csv."]


def write_coach_stop_csv(path: Path, inputs: ProductInputs) -> None:
    """
    Write ``coach_stops.csv``, in a run with a feed of coaches.

    Parameters
    ----------
    path : pathlib.Path
        File to write; left alone without a feed.
    inputs : ProductInputs
        The tables of one run.
    """
    table = coach_stop_list(inputs)
    if table is not None:
        write_csv(path, with_railway(table, inputs.marks), inputs.marks)


def map_coach_stops(inputs: ProductInputs) -> dict[str, Any]:
    """
    Give the coach stops as the map's data hold them.

    Parameters
    ----------
    inputs : ProductInputs
        The tables of one run.

    Returns
    -------
    dict
        ``coach_stops``, JSON-ready, those that most couriers use; empty without a feed of coaches.
    """
    every = coach_stop_list(inputs)
    if every is None:
        return {}
    table = every.head(_MOST_DRAWN)
    return {
        "coach_stops": {
            "n": len(every),
            "id": [text_of(i) for i in table.index],
            "name": texts(table["name"]),
            **{name: table[name].tolist() for name in ("lon", "lat")},
            "flow": as_told(table["courier_flow"]),
            "boarding": as_told(table["boarding_trips_per_month"]),
            "changing": as_told(table["interchange_trips_per_month"]),
            "alighting": as_told(table["alighting_trips_per_month"]),
            "coaches": as_told(table["coaches_per_week"]),
            "origin": texts(table["top_origin"]),
            "destination": texts(table["top_destination"]),
            "busy_hours": texts(table["busy_hours"]) if "busy_hours" in table.columns else [None] * len(table),
        }
    }


def _told(values: pd.Series) -> pd.Series:
    """Trips as every product tells them."""
    return pd.Series(round_figures(values), index=values.index)
