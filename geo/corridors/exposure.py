r"""
Exposure of stations and towns: the assigned flows, added up.

In come `geo.tables.STATION_FLOWS`, `COURIER_FLOWS`, station usage and recorded deal lines; out come
`geo.tables.STATION_EXPOSURE` and `PLACE_EXPOSURE`. A station's exposure is the sum of its rows in the station flows, so
its decomposition by origin and destination is exact. It counts trips that set foot on the platform (boarding, changing,
alighting); trips on board a train that calls are kept apart.

`latent_exposure` is for towns with no recorded line. It is the percentile of a town's expected flow among all towns of
the table (ties halved): flows are heavy-tailed and, where no line counts are given, relative, so only their order can
be read. Beside it, ``supplied_below_share`` says which share of the towns that do have recorded lines is less exposed
than this one: a town without a line above most towns with one is where to ask first.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from geo.corridors.assignment import ALL_DESTINATIONS
from geo.corridors.mode_split import measure_seen_rail, split_modes
from geo.corridors.rides import FloatArray
from geo.schema import validate
from geo.tables import (
    COURIER_FLOWS,
    DEAL_LINES,
    PLACE_EXPOSURE,
    PLACES,
    STATION_EXPOSURE,
    STATION_FLOWS,
    STATION_USAGE,
    STATIONS,
)

__all__ = ["measure_place_exposure", "measure_station_exposure"]

PASSENGERS = 100_000.0
MONTHS_PER_YEAR = 12.0
_WAYS = ["boarding", "interchange", "calling", "alighting"]
_COLUMNS = [f"{way}_trips_per_month" for way in _WAYS]
_ON_PLATFORM = [f"{way}_trips_per_month" for way in ("boarding", "interchange", "alighting")]


def measure_station_exposure(
    station_flows: pd.DataFrame, stations: pd.DataFrame, *, usage: pd.DataFrame | None = None
) -> pd.DataFrame:
    """
    Add up the flow through every station.

    Parameters
    ----------
    station_flows : pandas.DataFrame
        Table `geo.tables.STATION_FLOWS`.
    stations : pandas.DataFrame
        Table `geo.tables.STATIONS`; each gets a row, with or without flow.
    usage : pandas.DataFrame, optional
        Table `geo.tables.STATION_USAGE`; entries, exits and, where known, changes are the passengers of a station.

    Returns
    -------
    pandas.DataFrame
        Table `geo.tables.STATION_EXPOSURE`, ordered by id. Flow by 100,000 passengers is null where usage is not
        known or nil.
    """
    validate(station_flows, STATION_FLOWS)
    validate(stations, STATIONS)
    ids = pd.Index(sorted(stations.index), name=STATION_EXPOSURE.index, dtype="str")
    exposure = station_flows.groupby("station_id")[_COLUMNS].sum().reindex(ids, fill_value=0.0)
    on_platform = station_flows.assign(met=station_flows[_ON_PLATFORM].sum(axis=1))
    exposure["courier_trips_per_month"] = exposure[_ON_PLATFORM].sum(axis=1)
    passengers = _passengers_per_month(usage, ids)
    known = np.where(passengers > 0, passengers, np.nan)
    exposure["courier_trips_per_100k_passengers"] = (
        exposure["courier_trips_per_month"].to_numpy(dtype=float) / known * PASSENGERS
    )
    exposure["top_origin_id"] = _top(on_platform, "station_id", "origin_id", "met", ids)
    named = on_platform[on_platform["destination_id"] != ALL_DESTINATIONS]
    exposure["top_destination_id"] = _top(named, "station_id", "destination_id", "met", ids)
    return validate(exposure, STATION_EXPOSURE)


def measure_place_exposure(
    courier_flows: pd.DataFrame,
    station_flows: pd.DataFrame,
    places: pd.DataFrame,
    *,
    deal_lines: pd.DataFrame | None = None,
    force_station_ids: Collection[str] | None = None,
) -> pd.DataFrame:
    """
    Add up the flow into every town, and find the towns exposed without a recorded line.

    Parameters
    ----------
    courier_flows : pandas.DataFrame
        Table `geo.tables.COURIER_FLOWS`.
    station_flows : pandas.DataFrame
        Table `geo.tables.STATION_FLOWS` by pair; by origin alone it leaves the main station unknown.
    places : pandas.DataFrame
        Table `geo.tables.PLACES`; each gets a row.
    deal_lines : pandas.DataFrame, optional
        Table `geo.tables.DEAL_LINES`: all lines the force recorded. Its towns without a row have 0 lines; towns of
        other forces are not known. Without the table nothing is known.
    force_station_ids : collection of str, optional
        Stations that count as seeing a trip; all where not given.

    Returns
    -------
    pandas.DataFrame
        Table `geo.tables.PLACE_EXPOSURE`, ordered by id, with ``supplied_below_share``: share of the towns with a
        recorded line whose flow is lower, null where there is no such town or the town has a line itself; and the
        shares of `geo.corridors.mode_split.split_modes`, of which those unseen sum to ``unseen_share``.
    """
    validate(courier_flows, COURIER_FLOWS)
    validate(places, PLACES)
    ids = pd.Index(sorted(places.index), name=PLACE_EXPOSURE.index, dtype="str")
    flows = courier_flows.assign(rail=courier_flows["trips_per_month"] * courier_flows["rail_share"])
    total = flows.groupby("destination_id")[["trips_per_month", "rail"]].sum().reindex(ids, fill_value=0.0)
    trips, rail = total["trips_per_month"].to_numpy(dtype=float), total["rail"].to_numpy(dtype=float)
    some = trips > 0
    seen_rail = measure_seen_rail(courier_flows, station_flows, force_station_ids)
    seen = np.minimum(seen_rail.reindex(ids, fill_value=0.0).to_numpy(dtype=float), rail)
    lines = _observed_lines(deal_lines, places.reindex(ids))
    exposure = pd.DataFrame(
        {
            "courier_trips_per_month": trips,
            "rail_trips_per_month": rail,
            "unseen_share": np.where(some, 1 - np.minimum(seen / np.where(some, trips, 1.0), 1.0), np.nan),
            "observed_lines": lines,
            "latent_exposure": np.where(lines > 0, np.nan, _percentile(trips)),
            "supplied_below_share": _below(trips, lines),
        },
        index=ids,
    )
    exposure["top_origin_id"] = _top(courier_flows, "destination_id", "origin_id", "trips_per_month", ids)
    exposure["main_station_id"] = _top(station_flows, "destination_id", "station_id", "alighting_trips_per_month", ids)
    exposure = exposure.join(split_modes(courier_flows, seen_rail, ids))
    return validate(exposure, PLACE_EXPOSURE)


def _top(table: pd.DataFrame, group: str, member: str, value: str, ids: pd.Index) -> pd.Series:
    """The member with the largest sum in each group, the first by id of equals; null without any."""
    sums = table.groupby([group, member], sort=True, as_index=False)[value].sum()
    ranked = sums[sums[value] > 0].sort_values([group, value, member], ascending=[True, False, True], kind="stable")
    best: pd.Series = ranked.drop_duplicates(group).set_index(group)[member].astype("str")
    return best.reindex(ids)


def _passengers_per_month(usage: pd.DataFrame | None, ids: pd.Index) -> FloatArray:
    if usage is None:
        return np.full(len(ids), np.nan)
    validate(usage, STATION_USAGE)
    a_year = usage["n_entries_exits_per_year"] + usage["n_interchanges_per_year"].fillna(0.0)
    return a_year.reindex(ids).to_numpy(dtype=float) / MONTHS_PER_YEAR


def _observed_lines(deal_lines: pd.DataFrame | None, places: pd.DataFrame) -> FloatArray:
    if deal_lines is None:
        return np.full(len(places), np.nan)
    validate(deal_lines, DEAL_LINES)
    lines = deal_lines.groupby("destination_id")["n_lines"].sum().reindex(places.index)
    in_force = places["is_in_force"].to_numpy(dtype=bool)
    known = lines.to_numpy(dtype=float)
    return np.where(in_force & np.isnan(known), 0.0, known)


def _percentile(values: FloatArray) -> FloatArray:
    """Share of all that lie below, and half of those that tie, in percent."""
    return 100.0 * (rankdata(values) - 0.5) / max(values.size, 1)


def _below(trips: FloatArray, lines: FloatArray) -> FloatArray:
    supplied = np.sort(trips[lines > 0])
    if not supplied.size:
        return np.full(trips.size, np.nan)
    return np.where(lines > 0, np.nan, np.searchsorted(supplied, trips, side="left") / supplied.size)
