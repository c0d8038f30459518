"""
Timetables in GTFS: a zip of CSV members in, stopping patterns and the departures of one week out.

Every member goes through the one careful door and has an account; the calls, which are most of a national feed, a piece
at a time, of which only those of the week's trains are kept. Platforms fold into their stations, which are known by CRS
code. Times may pass midnight (25:10). A stop where nobody may board or alight is no call. Stops without a time lie
evenly between the timed ones around them. A trip whose times run back, or that stands or runs longer than a train does,
is set aside whole: which of its times is wrong cannot be told. Buses that run for trains are counted by station, and
are no trains.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.sources.accounting import RowAccount, merge_quarantine
from geo.sources.archives import Archive, open_archive
from geo.sources.fates import account_member
from geo.sources.feed_stops import Bounds, extend_near
from geo.sources.feed_weeks import require_monday
from geo.sources.gtfs_calendar import read_calendar
from geo.sources.gtfs_members import count_unused, read_member, split_member
from geo.sources.gtfs_stops import Stops, read_stops
from geo.sources.patterns import (
    HOURS_PER_WEEK,
    LONGEST_RUN_MIN,
    LONGEST_STAND_MIN,
    REPLACEMENT,
    TimetableReading,
    build_patterns,
    count_replacements,
)
from geo.sources.trip_speeds import leave_out_too_fast

__all__ = ["read_gtfs"]

_MEMBERS = (
    "routes.txt",
    "trips.txt",
    "calendar.txt",
    "calendar_dates.txt",
    "frequencies.txt",
    "stops.txt",
    "stop_times.txt",
)
_TIME = r"^\s*(\d{1,3}):([0-5]\d):([0-5]\d)\s*$"
_NOT_POSSIBLE = "1"
_TRIP_FAULTS = ("repeated_trip", "bad_times", "bad_headway")
_CALL_FAULTS = ("unknown_trip", "bad_time", "bad_times", "bad_headway")
_CALL_COLUMNS = ("trip_id", "stop_id", "stop_sequence")
_SAME_CALL = ["trip_id", "order", "station_id", "stop_id", "arrival_min", "departure_min"]
_CALL_EXTRAS = ("arrival_time", "departure_time", "pickup_type", "drop_off_type")
# 714 of the extended route types is the rail replacement bus; other feeds say so in words.
_REPLACEMENT_TYPE, _REPLACEMENT_WORDS = 714, r"rail[\s-]*replacement|replacement[\s-]+bus"
_ROUTE_TEXTS = ("route_short_name", "route_long_name", "route_desc")
_PIECE_BYTES = 4 * 2**20
# Seconds of a minute, without the noise of binary fractions.
_MINUTE_DIGITS = 2
_Parts = list[tuple[RowAccount, pd.DataFrame]]


def read_gtfs(
    path: Path,
    *,
    week_start_on: date,
    station_of_stop: pd.Series | None = None,
    route_types: frozenset[int] | None = None,
    near: Collection[str] | None = None,
    bounds: Bounds | None = None,
    longest_run_min: float = LONGEST_RUN_MIN,
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
        CRS codes by ``stop_id``, before those of ``stops.txt``; calls at stops without a code are out of scope. Where
        neither gives any, a stop's own id is its station.
    route_types : frozenset of int, optional
        GTFS kinds of route to take, 2 for rail; all where not given.
    near : collection of str, optional
        Stations of the region: trips that call at none of them are out of scope. All where not given.
    bounds : tuple of float, optional
        West, south, east and north of the region in EPSG:27700 metres: stations of the feed in it are near, too.
    longest_run_min : float
        Minutes from one call to the next above which the times of a trip cannot be.

    Returns
    -------
    TimetableReading
        Without interchange minutes and fixed links. Accounts count the rows of every member, ``trips.txt`` and
        ``stop_times.txt`` first; that of the trips says what is odd about the week.

    Raises
    ------
    InputError
        If a member or a column is missing, there is no calendar at all, or the week lies outside it.
    ResourceError
        If the zip is larger than the caps.
    UsageError
        If `week_start_on` is not a Monday.
    """
    require_monday(week_start_on)
    archive = open_archive(path)
    found = read_member(archive, "trips.txt", required=("trip_id", "service_id", "route_id"))
    trips = found.rows.copy()
    is_other, is_replacement, more = _other_routes(archive, trips, route_types)
    calendar = read_calendar(archive, services=trips["service_id"], week_start_on=week_start_on)
    calendar.require(archive.name, week_start_on)
    days = calendar.days(week_start_on)
    trips["fate"] = np.select(
        [trips["trip_id"].duplicated().to_numpy(), is_other, ~trips["service_id"].isin(days["service_id"]).to_numpy()],
        ["repeated_trip", "other_route_type", "not_in_force_that_week"],
        default="",
    ).astype(object)
    stops = read_stops(archive, station_of_stop)
    calls = _read_calls(archive, trips, stops)
    _judge_trips(trips, calls, extend_near(near, stops.table, bounds), longest_run_min)
    repeated, repeats = _read_frequencies(archive, trips, calls)
    buses = set(trips.loc[is_replacement & (trips["fate"] == ""), "trip_id"])
    ridden = calls.rows[(calls.rows["fate"] == "") & calls.rows["trip_id"].isin(buses)]
    ridden = ridden.rename(columns={"trip_id": "trip"})
    replacements = count_replacements(ridden, _runs(trips[is_replacement], ridden, days, repeated))
    _set_aside(trips, calls.rows, buses, REPLACEMENT)
    used = calls.rows[calls.rows["fate"] == ""].rename(columns={"trip_id": "trip"})
    runs = _runs(trips, used, days, repeated)
    patterns = build_patterns(used[["trip", "station_id", "arrival_min", "departure_min"]], runs)
    odd = calendar.tell(week_start_on, trips[~is_other]["service_id"].value_counts())
    parts: _Parts = [
        account_member(
            found.source_file,
            found.sha256,
            pd.DataFrame({"fate": trips["fate"], "value": trips["trip_id"]}),
            faults=_TRIP_FAULTS,
            field="trip_id",
            unreadable=found.unreadable,
            warnings=[*found.warnings, *(f"{text}." for text in odd)],
        ),
        calls.account(archive),
        *more,
        *calendar.accounts,
        *repeats,
        *stops.account(calls.called_stops),
        *count_unused(archive, _MEMBERS),
    ]
    fates = trips["fate"].replace("", "used").value_counts()
    reading = TimetableReading(
        calls=patterns[0],
        departures=patterns[1],
        interchange_min=pd.Series(dtype="float64"),
        fixed_links=pd.DataFrame(columns=["from_station_id", "to_station_id", "mode", "time_min"]),
        quarantine=merge_quarantine([quarantine for _, quarantine in parts]),
        accounts=tuple(account for account, _ in parts),
        n_trips_by_fate=tuple(sorted((str(k), int(v)) for k, v in fates.items())),
        replacements=replacements,
        stops=stops.table,
        caveats=tuple(odd),
    )
    return leave_out_too_fast(reading, stops.table)


def _other_routes(
    archive: Archive, trips: pd.DataFrame, route_types: frozenset[int] | None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], _Parts]:
    """Whether each trip is of a route not asked for, or of a bus for a train, and the account of the routes."""
    nothing = np.zeros(len(trips), dtype=bool)
    if route_types is None and "routes.txt" not in archive.members:
        return nothing, nothing, []
    found = read_member(archive, "routes.txt", required=("route_id", "route_type"), optional=_ROUTE_TEXTS)
    rows = found.rows
    kind = pd.to_numeric(rows["route_type"], errors="coerce")
    is_bus = kind.eq(_REPLACEMENT_TYPE)
    for name in set(_ROUTE_TEXTS) & set(rows.columns):
        is_bus |= rows[name].str.contains(_REPLACEMENT_WORDS, case=False, regex=True)
    is_wanted = kind.notna() if route_types is None else kind.isin(list(route_types)) | (is_bus & kind.notna())
    fate = np.select([kind.isna(), ~is_wanted], ["bad_route_type", "other_route_type"], default="")
    part = account_member(
        found.source_file,
        found.sha256,
        pd.DataFrame({"fate": fate.astype(object), "value": rows["route_id"].astype("str")}, index=rows.index),
        faults=("bad_route_type",),
        field="route_id",
        unreadable=found.unreadable,
        warnings=found.warnings,
    )
    is_replacement = trips["route_id"].isin(rows.loc[is_bus, "route_id"]).to_numpy(dtype=bool)
    if route_types is None:
        return nothing, is_replacement, [part]
    is_other = ~trips["route_id"].isin(rows.loc[is_wanted, "route_id"]).to_numpy(dtype=bool)
    return is_other, is_replacement, [part]


@dataclass
class _Calls:
    """Calls of the week's trips in calling order, and what was only counted."""

    rows: pd.DataFrame
    unreadable: pd.DataFrame
    counted: dict[str, int]
    warnings: list[str]
    called_stops: set[str]

    def account(self, archive: Archive) -> tuple[RowAccount, pd.DataFrame]:
        fates = self.rows.set_index("line")[["fate", "trip_id"]].rename(columns={"trip_id": "value"})
        n_one_way = int((self.rows["is_one_way"] & self._is_within() & (self.rows["fate"] == "")).sum())
        told = f"{n_one_way:,} calls are to take up or to set down only, and count as calls for both."
        return account_member(
            f"{archive.name}:stop_times.txt",
            archive.sha256,
            fates,
            faults=_CALL_FAULTS,
            field="trip_id",
            unreadable=self.unreadable,
            counted=self.counted,
            warnings=[*self.warnings, *([told] if n_one_way else [])],
        )

    def _is_within(self) -> pd.Series:
        """Whether each call is neither the first nor the last of its trip: those are one-way by their nature."""
        trip = self.rows["trip_id"]
        return trip.duplicated() & trip.duplicated(keep="last")


def _read_calls(archive: Archive, trips: pd.DataFrame, stops: Stops) -> _Calls:
    """Calls of trips in use, with minutes and the fate of each; of others their number."""
    known = trips.drop_duplicates("trip_id")
    fate_of = pd.Series(known["fate"].to_numpy(), index=pd.Index(known["trip_id"]))
    counted: dict[str, int] = {}
    kept: list[pd.DataFrame] = []
    unreadable: list[pd.DataFrame] = []
    warnings: dict[str, None] = {}
    called: set[str] = set()
    for first_line, piece in archive.chunks("stop_times.txt", n_bytes=_PIECE_BYTES):
        found = split_member(archive, "stop_times.txt", piece, required=_CALL_COLUMNS, optional=_CALL_EXTRAS)
        warnings |= dict.fromkeys(found.warnings)
        rows, bad = found.rows, found.unreadable
        shift = first_line - 2
        unreadable.append(bad.assign(source_row=bad["source_row"] + shift))
        fate = fate_of.reindex(rows["trip_id"]).to_numpy(dtype=object)
        is_known = pd.notna(fate)
        is_idle = is_known & (fate != "")
        counted["trip_not_used"] = counted.get("trip_not_used", 0) + int(is_idle.sum())
        rows = rows[~is_idle]
        called |= set(rows["stop_id"].unique())
        kept.append(_compact(rows, is_known[~is_idle], stops, shift))
    rows = pd.concat(kept, ignore_index=True)
    rows = rows.sort_values(["trip_id", "order", "line"], kind="stable").reset_index(drop=True)
    is_again = rows.duplicated(_SAME_CALL)
    counted["same_row_again"] = int(is_again.sum())
    rows = rows[~is_again].reset_index(drop=True)
    n_blank = rows[["arrival_min", "departure_min"]].isna().sum(axis=1)
    _fill_times(rows)
    warnings |= dict.fromkeys(_tell_filled(n_blank[rows["arrival_min"].notna() & ~rows["is_bad"]]))
    is_bad = rows["is_bad"] | rows["order"].isna() | rows["arrival_min"].isna()
    rows["fate"] = np.select(
        [rows["is_unknown"], is_bad, rows["no_call"], rows["station_id"].isna()],
        ["unknown_trip", "bad_time", "no_boarding_or_alighting", "other_stop"],
        default="",
    ).astype(object)
    return _Calls(rows, pd.concat(unreadable, ignore_index=True), counted, list(warnings), called)


def _tell_filled(n_blank: pd.Series) -> list[str]:
    """How many calls have times that the feed does not say."""
    n_half, n_none = int((n_blank == 1).sum()), int((n_blank == 2).sum())
    told = []
    if n_half:
        told.append(f"{n_half:,} calls have one time of two, which is taken for both.")
    if n_none:
        told.append(f"{n_none:,} calls have no time, and theirs is taken evenly between the calls around them.")
    return told


def _compact(rows: pd.DataFrame, is_known: NDArray[np.bool_], stops: Stops, shift: int) -> pd.DataFrame:
    """Calls as numbers."""
    nothing = pd.Series("", index=rows.index)
    compact = pd.DataFrame({"trip_id": rows["trip_id"], "line": rows.index + shift})
    compact["order"] = pd.to_numeric(rows["stop_sequence"], errors="coerce")
    compact["stop_id"] = rows["stop_id"]
    compact["station_id"] = stops.station(rows["stop_id"])
    is_bad = np.zeros(len(rows), dtype=bool)
    for name in ("arrival", "departure"):
        text = rows.get(f"{name}_time", nothing)
        compact[f"{name}_min"] = _minutes(text)
        is_bad |= (compact[f"{name}_min"].isna() & (text.str.strip() != "")).to_numpy()
    is_off = [rows.get(name, nothing).to_numpy() == _NOT_POSSIBLE for name in ("pickup_type", "drop_off_type")]
    return compact.assign(
        is_bad=is_bad, is_unknown=~is_known, no_call=is_off[0] & is_off[1], is_one_way=is_off[0] ^ is_off[1]
    )


def _judge_trips(trips: pd.DataFrame, calls: _Calls, near: Collection[str] | None, longest_run_min: float) -> None:
    """Set aside trips whose times cannot be, that call elsewhere, or at one station alone; both tables are updated."""
    rows = calls.rows
    timed = rows[~rows["fate"].isin(["unknown_trip", "bad_time"])]
    follows = timed["trip_id"].eq(timed["trip_id"].shift())
    run_min = (timed["arrival_min"] - timed["departure_min"].shift()).where(follows, 0.0)
    stand_min = timed["departure_min"] - timed["arrival_min"]
    cannot_be = (run_min < 0) | (run_min > longest_run_min) | (stand_min < 0) | (stand_min > LONGEST_STAND_MIN)
    _set_aside(trips, rows, set(timed.loc[cannot_be, "trip_id"]), "bad_times")
    used = rows[rows["fate"] == ""]
    n_stations = used.groupby("trip_id")["station_id"].nunique()
    _set_aside(trips, rows, set(trips["trip_id"]) - set(n_stations.index[n_stations > 1]), "fewer_than_two_stations")
    if near is not None:
        here = set(used.loc[used["station_id"].isin(list(near)), "trip_id"])
        _set_aside(trips, rows, set(used["trip_id"]) - here, "elsewhere")


def _set_aside(trips: pd.DataFrame, rows: pd.DataFrame, which: set[str], fate: str) -> None:
    trips.loc[(trips["fate"] == "") & trips["trip_id"].isin(which), "fate"] = fate
    rows.loc[(rows["fate"] == "") & rows["trip_id"].isin(which), "fate"] = fate


def _minutes(text: pd.Series) -> pd.Series:
    """Minutes after the midnight that starts the service day; NaN where it is no time."""
    parts = text.str.extract(_TIME).astype("float64")
    return parts[0] * 60 + parts[1] + parts[2] / 60


def _fill_times(stops: pd.DataFrame) -> None:
    """Arrivals stand for missing departures and the other way round; wholly missing ones are interpolated."""
    stops["arrival_min"] = stops["arrival_min"].fillna(stops["departure_min"])
    stops["departure_min"] = stops["departure_min"].fillna(stops["arrival_min"])
    untimed = stops["trip_id"].isin(stops.loc[stops["arrival_min"].isna(), "trip_id"])
    for name in ("arrival_min", "departure_min"):
        part = stops.loc[untimed, name]
        by_trip = part.groupby(stops.loc[untimed, "trip_id"], sort=False)
        stops.loc[untimed, name] = by_trip.transform(lambda times: times.interpolate(limit_area="inside"))


def _runs(trips: pd.DataFrame, stops: pd.DataFrame, days: pd.DataFrame, repeated: pd.DataFrame) -> pd.DataFrame:
    """Departures by trip, hour of the week and minute of the hour, repeated trips included."""
    starts = stops.drop_duplicates("trip")[["trip", "departure_min"]].assign(n_departures=1.0)
    starts = pd.concat(
        [starts[~starts["trip"].isin(repeated["trip"])], repeated[repeated["trip"].isin(starts["trip"])]]
    )
    dated = trips.loc[trips["fate"] == "", ["trip_id", "service_id"]].merge(days, on="service_id")
    runs = dated.rename(columns={"trip_id": "trip"}).merge(starts, on="trip")
    hour, start_min = divmod(runs["departure_min"].round(_MINUTE_DIGITS), 60)
    runs["hour_of_week"] = (runs["day"] * 24 + hour).astype("int64") % HOURS_PER_WEEK
    runs["start_min"] = start_min.round(_MINUTE_DIGITS)
    return runs.groupby(["trip", "hour_of_week", "start_min"])["n_departures"].sum().reset_index()


def _read_frequencies(archive: Archive, trips: pd.DataFrame, calls: _Calls) -> tuple[pd.DataFrame, _Parts]:
    """Starts of trips that a headway repeats, from their first to before their last minute."""
    nothing = pd.DataFrame({"trip": pd.Series(dtype="str"), "departure_min": 0.0, "n_departures": 1.0})
    if "frequencies.txt" not in archive.members:
        return nothing, []
    found = read_member(archive, "frequencies.txt", required=("trip_id", "start_time", "end_time", "headway_secs"))
    table = found.rows
    first_min, last_min = (_minutes(table[name]) for name in ("start_time", "end_time"))
    headway_s = table["headway_secs"].where(table["headway_secs"].str.fullmatch(r"\d{1,5}"))
    headway_min = pd.to_numeric(headway_s) / 60
    fate = np.select(
        [
            ~table["trip_id"].isin(trips["trip_id"]),
            ~table["trip_id"].isin(trips.loc[trips["fate"] == "", "trip_id"]),
            ~((headway_min > 0) & (last_min >= first_min)),
        ],
        ["no_such_trip", "trip_not_used", "bad_headway"],
        default="",
    ).astype(object)
    part = account_member(
        found.source_file,
        found.sha256,
        pd.DataFrame({"fate": fate, "value": table["trip_id"].astype("str")}, index=table.index),
        faults=("bad_headway",),
        field="trip_id",
        unreadable=found.unreadable,
        warnings=found.warnings,
    )
    # Of a trip whose headway cannot be read nobody knows how often it runs.
    _set_aside(trips, calls.rows, set(table.loc[fate == "bad_headway", "trip_id"]), "bad_headway")
    rows = [
        pd.DataFrame({"trip": trip, "departure_min": np.arange(first, last, step), "n_departures": 1.0})
        for trip, first, last, step, why in zip(table["trip_id"], first_min, last_min, headway_min, fate, strict=True)
        if why == ""
    ]
    return pd.concat([nothing, *rows], ignore_index=True), [part]
