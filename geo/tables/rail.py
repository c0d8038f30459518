"""The railway: stations, track, links between neighbouring calls, passengers."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.schema import Column, Contract
from geo.tables.evidence import EASTING, NORTHING

_DAY_MIN = 1440.0

STATIONS = Contract(
    "stations",
    "station_id",
    {
        "name": Column("text", "station name"),
        "easting_m": EASTING,
        "northing_m": NORTHING,
        "is_in_force": Column("flag", "whether the station lies in the force area that is being scored"),
        "has_gates": Column(
            "flag", "whether platforms lie behind ticket gates; null where not known", nullable=True, optional=True
        ),
        "staffed_hours": Column(
            "text",
            "days and hours with staff, as geo.network.staffed_hours writes them; null where not known",
            nullable=True,
            optional=True,
        ),
    },
    total="One row a heavy-rail station; the index is its CRS code.",
)

RAIL_TRACK = Contract(
    "rail_track",
    "track_id",
    {"geometry": Column("geometry", "track centre line", shapes=("LineString",))},
    total="One row a piece of heavy-rail track.",
)

RAIL_LINKS = Contract(
    "rail_links",
    "link_id",
    {
        "from_station_id": Column("text", "CRS code"),
        "to_station_id": Column("text", "CRS code"),
        "length_m": Column("number", "distance along track, metres", low=0),
        "time_min": Column("number", "run time, minutes, dwell excluded", low=0),
        "time_basis": Column("text", "where the time comes from", values=("timetable", "assumed_speed")),
        "repaired_m": Column("number", "metres of the link that bridge a gap in the track file", low=0),
        "geometry": Column("geometry", "the track between the two stations", shapes=("LineString", "MultiLineString")),
    },
    total="One row an undirected pair of stations with track between them and no other station on it.",
)

PASSENGER_FLOWS = Contract(
    "passenger_flows",
    "flow_id",
    {
        "origin_station_id": Column("text", "CRS code"),
        "destination_station_id": Column("text", "CRS code"),
        "n_journeys_per_year": Column("number", "ticketed journeys a year", low=0),
    },
    total="One row a pair of stations in the ORR origin-destination matrix; symmetric and ticket-based.",
)

STATION_USAGE = Contract(
    "station_usage",
    "station_id",
    {
        "n_entries_exits_per_year": Column("number", "entries and exits a year", low=0),
        "n_interchanges_per_year": Column("number", "changes of train a year", nullable=True, low=0),
        "usage_basis": Column("text", "source and year"),
    },
    total="One row a station.",
)


def _runs(calls: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Minutes from the call before, and at each call; none at the start and the end of a pattern."""
    ordered = calls.sort_values(["pattern_id", "call_no"], kind="stable")
    follows = ordered["pattern_id"].eq(ordered["pattern_id"].shift())
    run_min = (ordered["arrival_min"] - ordered["departure_min"].shift()).where(follows)
    return run_min.reindex(calls.index), calls["departure_min"] - calls["arrival_min"]


def _run_back(calls: pd.DataFrame) -> NDArray[np.bool_]:
    run_min, stand_min = _runs(calls)
    return ((run_min < 0) | (stand_min < 0)).to_numpy(dtype=bool)


def _last_a_day(calls: pd.DataFrame) -> NDArray[np.bool_]:
    run_min, stand_min = _runs(calls)
    return ((run_min > _DAY_MIN) | (stand_min > _DAY_MIN)).to_numpy(dtype=bool)


def _lack_a_time(calls: pd.DataFrame) -> NDArray[np.bool_]:
    """Calls without an arrival that are no start, or without a departure that are no end."""
    number = calls["call_no"].groupby(calls["pattern_id"])
    is_start, is_end = calls["call_no"] == number.transform("min"), calls["call_no"] == number.transform("max")
    lacks = (calls["arrival_min"].isna() & ~is_start) | (calls["departure_min"].isna() & ~is_end)
    return lacks.to_numpy(dtype=bool)


SERVICE_CALLS = Contract(
    "service_calls",
    "call_id",
    {
        "pattern_id": Column("text", "stopping pattern: one sequence of calls with one set of run times"),
        "call_no": Column("count", "position in the pattern, from 0", low=0),
        "station_id": Column("text", "CRS code"),
        "arrival_min": Column(
            "number", "minutes after the pattern's first departure; null at its start", nullable=True
        ),
        "departure_min": Column(
            "number", "minutes after the pattern's first departure; null at its end", nullable=True
        ),
    },
    total="One row a call of a stopping pattern; a station that is passed has no row and cannot be boarded at.",
    laws={
        "runs back in time": _run_back,
        "takes or stands more than a day": _last_a_day,
        "lacks a time within its pattern": _lack_a_time,
    },
)

SERVICE_DEPARTURES = Contract(
    "service_departures",
    "departure_id",
    {
        "pattern_id": Column("text", "stopping pattern"),
        "hour_of_week": Column("count", "0 is Monday 00:00-00:59, of the first departure", low=0, high=167),
        "start_min": Column("number", "minutes past that hour, where they are known", low=0, high=60, optional=True),
        "n_departures": Column("number", "departures then in an average week", low=0),
    },
    total="One row a pattern and an hour of the week, or a minute of it, in which it starts.",
)

DAY_KINDS = ("weekday", "saturday", "sunday")

STATION_TRAINS = Contract(
    "station_trains",
    "station_trains_id",
    {
        "station_id": Column("text", "CRS code"),
        "day_kind": Column("text", "Monday to Friday, Saturday or Sunday", values=DAY_KINDS),
        "n_departures": Column("number", "trains that leave on such a day, on average", low=0),
        "first_departure_min": Column(
            "number", "minutes after its midnight; null where no train leaves", nullable=True, low=0
        ),
        "last_departure_min": Column("number", "the same of the last; may pass 24 h", nullable=True, low=0),
        "step_min": Column("number", "how finely the times are known: 1, or 60 where only the hour is", low=1),
    },
    total="One row a station and a kind of day.",
)

TRAINS_HOME = Contract(
    "trains_home",
    "trains_home_id",
    {
        "station_id": Column("text", "CRS code"),
        "hub_station_id": Column("text", "main station of an exporting area"),
        "day_kind": Column("text", "Monday to Friday, Saturday or Sunday", values=DAY_KINDS),
        "last_departure_min": Column(
            "number",
            "minutes after midnight of the last train by which one is at the hub before the day ends; null where none",
            nullable=True,
            low=0,
        ),
        "step_min": Column("number", "how finely the times are known: 1, or 60 where only the hour is", low=1),
    },
    total="One row a station, a hub other than itself, and a kind of day.",
)
