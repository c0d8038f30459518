"""
The schedules of CIF files put in force: new, revised and deleted ones applied in order, each day of a week settled.

In: the bytes of one or more files. Out: a `CifTimetable`, and tables SERVICE_CALLS and SERVICE_DEPARTURES of a week.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.errors import UsageError
from geo.sources.accounting import RowAccount, merge_quarantine
from geo.sources.cif_records import CifRecords, parse_cif
from geo.sources.fates import account_fates
from geo.sources.files import read_input_file
from geo.sources.patterns import REPLACEMENT, build_patterns, count_replacements

__all__ = ["CifTimetable", "apply_cif", "count_week_replacements", "read_cif_timetable", "schedule_week"]

# Passenger trains, permanent and short-term; S and 4 are ships, F and 2 freight.
_PASSENGER_STATUS = ("P", "1")
# Buses in a railway timetable run for trains: by status, permanent and short-term, and by category.
_BUS_STATUS, _BUS_CATEGORY = ("B", "5"), ("BR",)
# Categories that carry no public passengers: empty stock, staff, and unadvertised trains.
_EMPTY_CATEGORY = ("EE", "EL", "ES", "OU", "XU")
_DAYS = 7
_FAULTS = ("bad_date", "bad_time", "no_schedule", "unknown_record", "unknown_tiploc")


@dataclass(frozen=True)
class CifTimetable:
    """
    All schedules that stand after every file has been applied.

    Attributes
    ----------
    schedules : pandas.DataFrame
        Indexed by ``trip``: ``uid, from_on, to_on, days, stp, fate``; `fate` is ``used`` or why it carries nobody.
    stops : pandas.DataFrame
        ``trip, station_id, arrival_min, departure_min`` of public calls at known stations, in calling order.
    bus_stops : pandas.DataFrame
        The same of buses that run for trains.
    quarantine : pandas.DataFrame
        Table `geo.tables.QUARANTINE`: faulty records.
    accounts : tuple of RowAccount
        One for each file.
    """

    schedules: pd.DataFrame
    stops: pd.DataFrame
    bus_stops: pd.DataFrame
    quarantine: pd.DataFrame
    accounts: tuple[RowAccount, ...]


def read_cif_timetable(paths: Sequence[Path], *, station_of_tiploc: pd.Series | None = None) -> CifTimetable:
    """
    Read CIF files and apply them in order.

    A schedule is known by its train, its first date and its STP indicator. The last record of a schedule stands: a
    new or revised one replaces what was there, a deletion removes it.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        A full file first, then its updates; plain or gzip. Updates alone are read as they are.
    station_of_tiploc : pandas.Series, optional
        CRS codes by TIPLOC; where it has none, the file's own TI records are used.

    Returns
    -------
    CifTimetable
        Schedules and the calls of those that carry passengers.

    Raises
    ------
    InputError
        If a file is no CIF file.
    """
    files = [read_input_file(path) for path in paths]
    given = pd.Series(dtype="str") if station_of_tiploc is None else station_of_tiploc
    return apply_cif([(file.name, file.sha256, file.data) for file in files], given)


def schedule_week(
    timetable: CifTimetable, *, week_start_on: date
) -> tuple[pd.DataFrame, pd.DataFrame, tuple[tuple[str, int], ...]]:
    """
    Settle overlays and cancellations for each day of a week and count departures.

    On each day a train runs as its schedule with the alphabetically first STP indicator says: a cancellation (C)
    before a new train (N), an overlay (O) and the permanent schedule (P).

    Parameters
    ----------
    timetable : CifTimetable
        Never modified.
    week_start_on : datetime.date
        The Monday of the week.

    Returns
    -------
    tuple of pandas.DataFrame, pandas.DataFrame and tuple of (str, int)
        Tables `geo.tables.SERVICE_CALLS` and `geo.tables.SERVICE_DEPARTURES`, and how many schedules were used or why
        not, sorted.

    Raises
    ------
    UsageError
        If `week_start_on` is not a Monday.

    Notes
    -----
    Bank holidays are not treated: the file says only that a train does not run on them, not when they are.
    """
    if week_start_on.weekday() != 0:
        msg = f"week_start_on: {week_start_on.isoformat()} is not a Monday, expected one. Give the Monday of the week."
        raise UsageError(msg)
    runs, in_force = _settle(timetable.schedules, timetable.stops, week_start_on, fate="used")
    calls, departures = build_patterns(timetable.stops, runs)
    schedules = timetable.schedules
    fate = schedules["fate"].where((schedules["fate"] != "used") | in_force, "not_in_force_that_week")
    return calls, departures, tuple(sorted((str(k), int(v)) for k, v in fate.value_counts().items()))


def count_week_replacements(timetable: CifTimetable, *, week_start_on: date) -> pd.Series:
    """
    Count the departures of buses that run for trains in a week.

    Parameters
    ----------
    timetable : CifTimetable
        Never modified.
    week_start_on : datetime.date
        The Monday of the week.

    Returns
    -------
    pandas.Series
        ``n_departures`` by ``station_id``, sorted.
    """
    runs, _ = _settle(timetable.schedules, timetable.bus_stops, week_start_on, fate=REPLACEMENT)
    return count_replacements(timetable.bus_stops, runs)


def _settle(
    schedules: pd.DataFrame, stops: pd.DataFrame, week_start_on: date, *, fate: str
) -> tuple[pd.DataFrame, pd.Series]:
    """Starts of the schedules of one fate in a week, and whether each schedule of any is in force on a day of it."""
    first = stops.drop_duplicates("trip").set_index("trip")["departure_min"]
    runs, in_force = [], pd.Series(data=False, index=schedules.index)
    for day in range(_DAYS):
        on = pd.Timestamp(week_start_on) + pd.Timedelta(days=day)
        valid = schedules[
            (schedules["from_on"] <= on) & (schedules["to_on"] >= on) & (schedules["days"].str[day] == "1")
        ]
        winner = valid.sort_values("stp", kind="stable").drop_duplicates("uid")
        in_force[winner.index] = True
        trips = winner.index[winner["fate"] == fate]
        hour, start_min = np.divmod(first.reindex(trips).to_numpy(dtype=float), 60.0)
        hour_of_week = (day * 24 + hour.astype(np.int64)) % 168
        runs.append(
            pd.DataFrame({"trip": trips, "hour_of_week": hour_of_week, "start_min": start_min, "n_departures": 1.0})
        )
    return pd.concat(runs, ignore_index=True), in_force


def apply_cif(files: Sequence[tuple[str, str, bytes]], station_of_tiploc: pd.Series) -> CifTimetable:
    """
    Apply files in order and give every line of them a fate.

    Parameters
    ----------
    files : sequence of (str, str, bytes)
        Name, hash and content of each.
    station_of_tiploc : pandas.Series
        CRS codes by TIPLOC; where it has none, the files' own TI and TA records are used.

    Returns
    -------
    CifTimetable
        Schedules and the calls of those that carry passengers.

    Raises
    ------
    InputError
        If a file is no CIF file.
    """
    parsed = [parse_cif(data, name) for name, _, data in files]
    schedules = pd.concat(
        [records.schedules.assign(file=k, row=range(len(records.schedules))) for k, records in enumerate(parsed)],
        ignore_index=True,
    )
    schedules["fate"] = _schedule_fates(schedules)
    places = pd.concat([records.tiplocs for records in parsed])
    places = places[places["station_id"] != ""].drop_duplicates("tiploc", keep="last")
    own = pd.Series(places["station_id"].to_numpy(), index=places["tiploc"])
    given = station_of_tiploc.sort_values(kind="stable")
    given = given[~given.index.duplicated()]
    station_of = pd.concat([given, own[~own.index.isin(given.index)]])

    calls = pd.concat([records.calls.assign(file=k) for k, records in enumerate(parsed)], ignore_index=True)
    trip_of = pd.Series(schedules.index, index=pd.MultiIndex.from_frame(schedules[["file", "row"]]))
    calls["trip"] = trip_of.reindex(pd.MultiIndex.from_frame(calls[["file", "schedule"]])).to_numpy()
    calls["station_id"] = calls["tiploc"].map(station_of)
    calls["fate"] = schedules["fate"].reindex(calls["trip"]).to_numpy()
    carry = ["used", REPLACEMENT]
    calls.loc[calls["fate"].isin(carry) & calls["station_id"].isna(), "fate"] = "unknown_tiploc"
    n_stations = calls[calls["fate"].isin(carry)].groupby("trip")["station_id"].nunique()
    is_short = schedules["fate"].isin(carry) & ~schedules.index.isin(n_stations.index[n_stations > 1])
    schedules.loc[is_short, "fate"] = "fewer_than_two_stations"
    calls.loc[calls["fate"].isin(carry) & calls["trip"].isin(schedules.index[is_short]), "fate"] = (
        "fewer_than_two_stations"
    )

    accounts, quarantines = [], []
    for k, ((name, sha256, _), records) in enumerate(zip(files, parsed, strict=True)):
        account, quarantine = _account(
            name, sha256, records, schedules[schedules["file"] == k], calls[calls["file"] == k]
        )
        accounts.append(account)
        quarantines.append(quarantine)
    stands = ~schedules["fate"].isin(["deletion", "replaced_or_deleted", "bad_date"])
    return CifTimetable(
        schedules=schedules.loc[stands, ["uid", "from_on", "to_on", "days", "stp", "fate"]].rename_axis("trip"),
        stops=_merge_platforms(calls.loc[calls["fate"] == "used"]),
        bus_stops=_merge_platforms(calls.loc[calls["fate"] == REPLACEMENT]),
        quarantine=merge_quarantine(quarantines),
        accounts=tuple(accounts),
    )


def _schedule_fates(schedules: pd.DataFrame) -> NDArray[np.object_]:
    """Why each schedule carries nobody, or ``used``; the last record of a schedule stands."""
    stands = ~schedules.duplicated(["uid", "from_on", "stp"], keep="last")
    reasons = {
        "bad_date": schedules["from_on"].isna(),
        "deletion": schedules["transaction"] == "D",
        "replaced_or_deleted": ~stands,
        "cancellation": schedules["stp"] == "C",
        REPLACEMENT: schedules["status"].isin(_BUS_STATUS) | schedules["category"].isin(_BUS_CATEGORY),
        "not_a_passenger_train": ~schedules["status"].isin(_PASSENGER_STATUS),
        "no_public_train": schedules["category"].isin(_EMPTY_CATEGORY),
    }
    chosen = np.select([reason.to_numpy(dtype=bool) for reason in reasons.values()], list(reasons), default="used")
    return np.asarray(chosen, dtype=object)


def _merge_platforms(calls: pd.DataFrame) -> pd.DataFrame:
    """One call where a train stops twice in a row at one station, from the first arrival to the last departure."""
    is_new = (calls["trip"] != calls["trip"].shift()) | (calls["station_id"] != calls["station_id"].shift())
    return (
        calls.groupby(is_new.cumsum(), sort=False)
        .agg(
            trip=("trip", "first"),
            station_id=("station_id", "first"),
            arrival_min=("arrival_min", "min"),
            departure_min=("departure_min", "max"),
        )
        .reset_index(drop=True)
    )


def _account(
    name: str, sha256: str, records: CifRecords, schedules: pd.DataFrame, calls: pd.DataFrame
) -> tuple[RowAccount, pd.DataFrame]:
    """Where every line of one file went."""
    fate = records.fate.copy()
    # Deletions and cancellations are instructions that were obeyed.
    is_obeyed = schedules["fate"].isin(["used", "deletion", "cancellation"])
    fate[schedules["line"].to_numpy()] = schedules["fate"].mask(is_obeyed, "").to_numpy(dtype=object)
    fate[calls["line"].to_numpy()] = calls["fate"].mask(calls["fate"] == "used", "").to_numpy(dtype=object)
    value = records.tiploc_of_line.reindex(range(len(fate))).to_numpy(dtype=object)
    return account_fates(name, sha256, fate=fate, faults=_FAULTS, value=value)
