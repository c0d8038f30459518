"""
Timetables in GTFS: a zip of CSV members in, stopping patterns and the departures of one week out.

Only the members named here are read. Times may pass midnight (25:10). A stop where nobody may board or alight is no
call. Stops without a time lie evenly between the timed ones around them.
"""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from geo.errors import InputError, UsageError
from geo.sources.accounting import merge_quarantine
from geo.sources.archives import Archive, open_archive
from geo.sources.fates import account_fates
from geo.sources.patterns import HOURS_PER_WEEK, TimetableReading, build_patterns

__all__ = ["read_gtfs"]

_NEEDED = {
    "trips.txt": ("trip_id", "service_id", "route_id"),
    "stop_times.txt": ("trip_id", "stop_id", "stop_sequence"),
}
_TIME = r"^\s*(\d{1,3}):([0-5]\d):([0-5]\d)\s*$"
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NOT_POSSIBLE = "1"
_FAULTS = ("repeated_trip", "unknown_trip", "bad_time")


def read_gtfs(
    path: Path,
    *,
    week_start_on: date,
    station_of_stop: pd.Series | None = None,
    route_types: frozenset[int] | None = None,
) -> TimetableReading:
    """
    Read a GTFS feed and count the departures of one week.

    Parameters
    ----------
    path : pathlib.Path
        The feed's zip file.
    week_start_on : datetime.date
        The Monday of the week to count.
    station_of_stop : pandas.Series, optional
        CRS codes by ``stop_id``; calls at other stops are out of scope. Without it the stop's own id is its station.
    route_types : frozenset of int, optional
        GTFS kinds of route to take, 2 for rail; all where not given.

    Returns
    -------
    TimetableReading
        Without interchange minutes and fixed links. Accounts count the rows of ``trips.txt`` and ``stop_times.txt``.

    Raises
    ------
    InputError
        If a member or a column is missing, or there is no calendar at all.
    ResourceError
        If the zip is larger than the caps.
    UsageError
        If `week_start_on` is not a Monday.
    """
    if week_start_on.weekday() != 0:
        msg = f"week_start_on: {week_start_on.isoformat()} is not a Monday, expected one. Give the Monday of the week."
        raise UsageError(msg)
    archive = open_archive(path)
    members = {name: _read_member(archive, name, columns) for name, columns in _NEEDED.items()}
    trips, stop_times = members["trips.txt"], members["stop_times.txt"]
    days = _service_days(archive, week_start_on)
    trips["fate"] = _trip_fates(archive, trips, days, route_types)
    stops = _call_fates(stop_times, trips, station_of_stop)
    n_calls = stops[stops["fate"] == ""].groupby("trip_id")["station_id"].nunique()
    is_short = (trips["fate"] == "") & ~trips["trip_id"].isin(n_calls.index[n_calls > 1])
    trips.loc[is_short, "fate"] = "fewer_than_two_stations"
    stops.loc[(stops["fate"] == "") & stops["trip_id"].isin(trips.loc[is_short, "trip_id"]), "fate"] = (
        "fewer_than_two_stations"
    )

    used = stops[stops["fate"] == ""].rename(columns={"trip_id": "trip"})
    runs = _runs(archive, trips[trips["fate"] == ""], used, days)
    calls, departures = build_patterns(used[["trip", "station_id", "arrival_min", "departure_min"]], runs)
    parts = [
        account_fates(
            f"{archive.name}:{member}",
            archive.sha256,
            fate=table["fate"].to_numpy(dtype=object),
            faults=_FAULTS,
            line=table["line"].to_numpy(),
            field="trip_id",
            value=table["trip_id"].to_numpy(dtype=object),
        )
        for member, table in (("trips.txt", trips), ("stop_times.txt", stops))
    ]
    fates = trips["fate"].replace("", "used").value_counts()
    return TimetableReading(
        calls=calls,
        departures=departures,
        interchange_min=pd.Series(dtype="float64"),
        fixed_links=pd.DataFrame(columns=["from_station_id", "to_station_id", "mode", "time_min"]),
        quarantine=merge_quarantine([quarantine for _, quarantine in parts]),
        accounts=tuple(account for account, _ in parts),
        n_trips_by_fate=tuple(sorted((str(k), int(v)) for k, v in fates.items())),
    )


def _read_member(archive: Archive, name: str, columns: tuple[str, ...]) -> pd.DataFrame:
    """A member as text columns, with its line numbers."""
    try:
        table = pd.read_csv(io.BytesIO(archive.read(name)), dtype="str", encoding="utf-8-sig", keep_default_na=False)
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        msg = f"{archive.name}: member {name!r} is no CSV table, expected one. Fetch the feed again."
        raise InputError(msg) from error
    missing = [column for column in columns if column not in table.columns]
    if missing:
        msg = f"{archive.name}: member {name!r} has no column {missing[0]!r}, expected it. Fetch the feed again."
        raise InputError(msg)
    table["line"] = np.arange(len(table)) + 2
    return table


def _service_days(archive: Archive, week_start_on: date) -> pd.DataFrame:
    """``service_id, day`` of the week for every day on which a service runs."""
    week = pd.date_range(week_start_on, periods=7)
    found = [pd.DataFrame({"service_id": pd.Series(dtype="str"), "day": pd.Series(dtype="int64")})]
    if "calendar.txt" in archive.members:
        regular = _read_member(archive, "calendar.txt", ("service_id", "start_date", "end_date", *_WEEKDAYS))
        for day, (on, name) in enumerate(zip(week.strftime("%Y%m%d"), _WEEKDAYS, strict=True)):
            runs = (regular[name] == "1") & (regular["start_date"] <= on) & (regular["end_date"] >= on)
            found.append(regular.loc[runs, ["service_id"]].assign(day=day))
    elif "calendar_dates.txt" not in archive.members:
        msg = f"{archive.name}: it has no 'calendar.txt' or 'calendar_dates.txt', expected one. Fetch the feed again."
        raise InputError(msg)
    days = pd.concat(found, ignore_index=True)
    if "calendar_dates.txt" in archive.members:
        special = _read_member(archive, "calendar_dates.txt", ("service_id", "date", "exception_type"))
        special["day"] = special["date"].map({on: day for day, on in enumerate(week.strftime("%Y%m%d"))})
        special = special.dropna(subset=["day"]).astype({"day": "int64"})
        off = special.loc[special["exception_type"] == "2", ["service_id", "day"]]
        days = days.merge(off, how="left", indicator=True).query("_merge == 'left_only'").drop(columns="_merge")
        days = pd.concat([days, special.loc[special["exception_type"] == "1", ["service_id", "day"]]])
    return days.drop_duplicates().astype({"day": "int64"}).reset_index(drop=True)


def _trip_fates(
    archive: Archive, trips: pd.DataFrame, days: pd.DataFrame, route_types: frozenset[int] | None
) -> np.ndarray:
    """Why each trip is not used, empty where it is."""
    is_other = np.zeros(len(trips), dtype=bool)
    if route_types is not None:
        routes = _read_member(archive, "routes.txt", ("route_id", "route_type"))
        wanted = routes.loc[routes["route_type"].isin([str(kind) for kind in route_types]), "route_id"]
        is_other = ~trips["route_id"].isin(wanted).to_numpy()
    return np.select(
        [trips["trip_id"].duplicated().to_numpy(), is_other, ~trips["service_id"].isin(days["service_id"]).to_numpy()],
        ["repeated_trip", "other_route_type", "not_in_force_that_week"],
        default="",
    ).astype(object)


def _call_fates(stop_times: pd.DataFrame, trips: pd.DataFrame, station_of_stop: pd.Series | None) -> pd.DataFrame:
    """Stop times in calling order with their minutes and why each is not used."""
    stops = stop_times.copy()
    stops["order"] = pd.to_numeric(stops["stop_sequence"], errors="coerce")
    stops = stops.sort_values(["trip_id", "order", "line"], kind="stable").reset_index(drop=True)
    own = stops["stop_id"] if station_of_stop is None else stops["stop_id"].map(station_of_stop)
    stops["station_id"] = own
    is_bad = stops["order"].isna()
    for name in ("arrival", "departure"):
        text = stops.get(f"{name}_time", pd.Series("", index=stops.index))
        stops[f"{name}_min"] = _minutes(text)
        is_bad |= stops[f"{name}_min"].isna() & (text.str.strip() != "")
    _fill_times(stops)
    kept = stops["trip_id"].map(trips.drop_duplicates("trip_id").set_index("trip_id")["fate"])
    no_call = (stops.get("pickup_type") == _NOT_POSSIBLE) & (stops.get("drop_off_type") == _NOT_POSSIBLE)
    backwards = (stops["departure_min"] < stops["arrival_min"]) | (
        (stops["arrival_min"] < stops["departure_min"].shift()) & (stops["trip_id"] == stops["trip_id"].shift())
    )
    is_bad_time = is_bad | stops["arrival_min"].isna() | backwards
    reasons = [kept.isna(), kept != "", is_bad_time, np.broadcast_to(no_call, len(stops)), stops["station_id"].isna()]
    stops["fate"] = np.select(
        [np.asarray(reason, dtype=bool) for reason in reasons],
        ["unknown_trip", "trip_not_used", "bad_time", "no_boarding_or_alighting", "other_stop"],
        default="",
    ).astype(object)
    return stops


def _minutes(text: pd.Series) -> pd.Series:
    """Minutes after the midnight that starts the service day; NaN where it is no time."""
    parts = text.str.extract(_TIME).astype("float64")
    return parts[0] * 60 + parts[1] + parts[2] / 60


def _fill_times(stops: pd.DataFrame) -> None:
    """Arrivals stand for missing departures and the other way round; wholly missing ones are interpolated."""
    stops["arrival_min"] = stops["arrival_min"].fillna(stops["departure_min"])
    stops["departure_min"] = stops["departure_min"].fillna(stops["arrival_min"])
    for name in ("arrival_min", "departure_min"):
        stops[name] = stops.groupby("trip_id", sort=False)[name].transform(
            lambda times: times.interpolate(limit_area="inside") if times.isna().any() else times
        )


def _runs(archive: Archive, trips: pd.DataFrame, stops: pd.DataFrame, days: pd.DataFrame) -> pd.DataFrame:
    """Departures by trip and hour of the week, repeated trips of ``frequencies.txt`` included."""
    starts = stops.drop_duplicates("trip")[["trip", "departure_min"]].assign(n_departures=1.0)
    if "frequencies.txt" in archive.members:
        starts = _repeat(archive, starts)
    dated = trips[["trip_id", "service_id"]].merge(days, on="service_id").rename(columns={"trip_id": "trip"})
    runs = dated.merge(starts, on="trip")
    runs["hour_of_week"] = (runs["day"] * 24 + runs["departure_min"] // 60).astype("int64") % HOURS_PER_WEEK
    return runs.groupby(["trip", "hour_of_week"])["n_departures"].sum().reset_index()


def _repeat(archive: Archive, starts: pd.DataFrame) -> pd.DataFrame:
    """Starts of trips, those with a headway repeated from their first to before their last minute."""
    table = _read_member(archive, "frequencies.txt", ("trip_id", "start_time", "end_time", "headway_secs"))
    first_min, last_min = (_minutes(table[name]) for name in ("start_time", "end_time"))
    headway_min = pd.to_numeric(table["headway_secs"], errors="coerce") / 60
    rows = []
    for trip, first, last, step in zip(table["trip_id"], first_min, last_min, headway_min, strict=True):
        if not (step > 0 and last >= first):
            msg = f"{archive.name}: 'frequencies.txt' has no usable headway for trip {trip!r}, expected one. Mend it."
            raise InputError(msg)
        rows.append(pd.DataFrame({"trip": trip, "departure_min": np.arange(first, last, step), "n_departures": 1.0}))
    repeated = pd.concat(rows, ignore_index=True) if rows else starts.iloc[:0]
    repeated = repeated[repeated["trip"].isin(starts["trip"])]
    return pd.concat([starts[~starts["trip"].isin(repeated["trip"])], repeated], ignore_index=True)
