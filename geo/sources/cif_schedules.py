"""
The schedules of CIF files put in force: new, revised and deleted ones applied in order, each day of a week settled.

In: files as `read_cif_file` reads them. Out: a `CifTimetable`, with the calls of a week's trains and what became of
every line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.sources.accounting import RowAccount, merge_quarantine
from geo.sources.cif_files import CANCELLATION, DELETION, CifFile
from geo.sources.cif_places import Places
from geo.sources.cif_records import NO_DAY, NO_END, Role, unpack
from geo.sources.cif_transactions import apply_transactions
from geo.sources.fates import account_member
from geo.sources.patterns import HOURS_PER_WEEK, REPLACEMENT

__all__ = ["CifTimetable", "Source", "count_trains", "settle_cif", "settle_days"]

_ROLE_FATES = {
    Role.REPLACEMENT_BUS: REPLACEMENT,
    Role.NO_PASSENGER_TRAIN: "not_a_passenger_train",
    Role.NO_PUBLIC_TRAIN: "no_public_train",
}
_DAYS = 7
_PERMANENT, _CHANGES = ord("P"), (ord("O"), CANCELLATION)
_CARRY = ("used", REPLACEMENT)
# Instructions that were obeyed; a deletion that finds nothing is out of scope.
_OBEYED = ("used", "deletion", "cancellation")
_FAULTS = (
    "bad_date",
    "bad_time",
    "bad_times",
    "cut_short",
    "deletion_of_several",
    "no_schedule",
    "unknown_indicator",
    "unknown_record",
    "unknown_tiploc",
)


@dataclass(frozen=True)
class Source:
    """
    A file and its name.

    Attributes
    ----------
    name, sha256 : str
        Of the file.
    file : CifFile
        What was read.
    """

    name: str
    sha256: str
    file: CifFile


@dataclass(frozen=True)
class CifTimetable:
    """
    All schedules that stand after every file has been applied.

    Attributes
    ----------
    schedules : pandas.DataFrame
        Indexed by ``trip``: ``uid, from_on, to_on, days, stp, role, is_near, fate``, as `Records.schedules` has them;
        `fate` is ``used`` or why it carries nobody.
    stops : pandas.DataFrame
        ``trip, station_id, arrival_min, departure_min`` of public calls at known stations, in calling order.
    bus_stops : pandas.DataFrame
        The same of buses that run for trains.
    days : pandas.DataFrame
        ``trip, day`` (0 is Monday) of schedules that run in the week; empty without a week.
    quarantine : pandas.DataFrame
        Table `geo.tables.QUARANTINE`: faulty records.
    accounts : tuple of RowAccount
        One for each file.
    is_update : bool
        Whether the first file holds changes alone.
    """

    schedules: pd.DataFrame
    stops: pd.DataFrame
    bus_stops: pd.DataFrame
    days: pd.DataFrame
    quarantine: pd.DataFrame
    accounts: tuple[RowAccount, ...]
    is_update: bool

    @property
    def runs_from(self) -> date | None:
        """First day of a train; None where there is none."""
        ours = self._dated()
        return None if ours.empty else date.fromordinal(int(ours["from_on"].min()))

    @property
    def runs_to(self) -> date | None:
        """Last day of a train; the last of the calendar where one has no end, None where there is no train."""
        ours = self._dated()
        if ours.empty:
            return None
        last = int(ours["to_on"].max())
        return date.max if last >= NO_END else date.fromordinal(last)

    def _dated(self) -> pd.DataFrame:
        """Trains and buses for trains: goods trains may be planned for years."""
        table = self.schedules
        carries = table["role"].isin([Role.TRAIN, Role.REPLACEMENT_BUS])
        return table[carries & (table["stp"] != CANCELLATION) & (table["from_on"] != NO_DAY)]

    def runs(self, stops: pd.DataFrame) -> pd.DataFrame:
        """
        Give the starts of trips in the week.

        Parameters
        ----------
        stops : pandas.DataFrame
            Calls of the trips.

        Returns
        -------
        pandas.DataFrame
            ``trip, hour_of_week, start_min, n_departures``.
        """
        first = stops.drop_duplicates("trip").set_index("trip")["departure_min"]
        days = self.days[self.days["trip"].isin(first.index)]
        hour, start_min = np.divmod(first.reindex(days["trip"]).to_numpy(dtype=float), 60.0)
        hour_of_week = (days["day"].to_numpy() * 24 + hour.astype(np.int64)) % HOURS_PER_WEEK
        return pd.DataFrame(
            {"trip": days["trip"].to_numpy(), "hour_of_week": hour_of_week, "start_min": start_min, "n_departures": 1.0}
        )


def settle_cif(sources: Sequence[Source], places: Places, *, week_start_on: date | None = None) -> CifTimetable:
    """
    Apply files in order, settle each day of a week, and give every line of the files a fate.

    A schedule is known by its train, its first date and its STP indicator. The last record of a schedule stands: a
    new or revised one replaces what was there, a deletion removes it. On each day a train runs as its schedule with
    the alphabetically first STP indicator says: a cancellation (C) before a new train (N), an overlay (O) and the
    permanent schedule (P).

    Parameters
    ----------
    sources : sequence of Source
        Files in the order in which they apply.
    places : Places
        Stations of all their TIPLOCs.
    week_start_on : datetime.date or None
        The Monday of the week; all schedules are taken where None.

    Returns
    -------
    CifTimetable
        Schedules and the calls of those that carry passengers.
    """
    schedules = pd.concat(
        [source.file.schedules.assign(file=np.int8(k)) for k, source in enumerate(sources)], ignore_index=True
    )
    transactions, revised_nothing = apply_transactions(schedules)
    is_permanent = (transactions == "") & (schedules["stp"] == _PERMANENT)
    changes_nothing = (transactions == "") & schedules["stp"].isin(_CHANGES)
    changes_nothing &= ~schedules["uid"].isin(schedules.loc[is_permanent, "uid"])
    schedules["changes_nothing"] = changes_nothing
    fate = transactions.mask((transactions == "") & (schedules["stp"] == CANCELLATION), "cancellation")
    for role, text in _ROLE_FATES.items():
        fate = fate.mask((fate == "") & (schedules["role"] == role), text)
    schedules["fate"] = fate.replace("", "used")
    stands = transactions == ""
    days = pd.DataFrame({"trip": pd.Series(dtype="int64"), "day": pd.Series(dtype="int64")})
    if week_start_on is not None:
        days = settle_days(schedules[stands], week_start_on, n_days=_DAYS)
        carries = schedules["fate"].isin(_CARRY)
        schedules.loc[carries & ~schedules.index.isin(days["trip"]), "fate"] = "not_in_force_that_week"
    calls = _call_fates(sources, schedules, places)
    accounts = [
        _account(source, schedules[schedules["file"] == k], calls[calls["file"] == k], int(revised_nothing.get(k, 0)))
        for k, source in enumerate(sources)
    ]
    columns = ["uid", "from_on", "to_on", "days", "stp", "role", "is_near", "fate"]
    return CifTimetable(
        schedules=schedules.loc[stands, columns].rename_axis("trip"),
        stops=_merge_platforms(calls.loc[calls["fate"] == "used"]),
        bus_stops=_merge_platforms(calls.loc[calls["fate"] == REPLACEMENT]),
        days=days,
        quarantine=merge_quarantine([quarantine for _, quarantine in accounts]),
        accounts=tuple(account for account, _ in accounts),
        is_update=sources[0].file.is_update,
    )


def settle_days(schedules: pd.DataFrame, first_on: date, *, n_days: int) -> pd.DataFrame:
    """
    Find which schedules are in force on each of some days.

    Parameters
    ----------
    schedules : pandas.DataFrame
        Those that stand: ``uid, from_on, to_on, days, stp``.
    first_on : datetime.date
        First day.
    n_days : int
        Number of days.

    Returns
    -------
    pandas.DataFrame
        ``trip`` (the index of `schedules`) and ``day`` from 0: one schedule a train and day.
    """
    first = first_on.toordinal()
    ours = schedules[(schedules["from_on"] < first + n_days) & (schedules["to_on"] >= first)]
    ours = ours.sort_values(["uid", "stp"], kind="stable")
    uid, begins, ends, days = (ours[name].to_numpy() for name in ("uid", "from_on", "to_on", "days"))
    found = []
    for day in range(n_days):
        on = first + day
        weekday = date.fromordinal(on).weekday()
        valid = np.flatnonzero((begins <= on) & (ends >= on) & (days & (1 << weekday) > 0))
        is_first = np.ones(len(valid), dtype=bool)
        is_first[1:] = uid[valid][1:] != uid[valid][:-1]
        found.append(pd.DataFrame({"trip": ours.index.to_numpy()[valid[is_first]], "day": day}))
    return pd.concat(found, ignore_index=True)


def count_trains(timetable: CifTimetable, first_on: date, *, n_days: int) -> NDArray[np.float64]:
    """
    Count the trains of the region on each of some days.

    Parameters
    ----------
    timetable : CifTimetable
        Never modified.
    first_on : datetime.date
        First day.
    n_days : int
        Number of days.

    Returns
    -------
    numpy.ndarray of shape (n_days,)
        Passenger trains, overlays and cancellations settled.
    """
    schedules = timetable.schedules
    runs = settle_days(schedules, first_on, n_days=n_days)
    is_train = (schedules["role"] == Role.TRAIN) & (schedules["stp"] != CANCELLATION) & schedules["is_near"]
    ours = runs["day"][is_train.reindex(runs["trip"]).to_numpy(dtype=bool)]
    return np.bincount(ours, minlength=n_days).astype(float)


def _call_fates(sources: Sequence[Source], schedules: pd.DataFrame, places: Places) -> pd.DataFrame:
    """Calls of schedules that were kept, with station and fate; what they say of schedules is put there."""
    firsts = schedules.groupby("file").size().reindex(range(len(sources)), fill_value=0).cumsum().shift(fill_value=0)
    calls = pd.concat(
        [
            source.file.calls.assign(file=np.int8(k), trip=source.file.calls["schedule"] + int(firsts[k]))
            for k, source in enumerate(sources)
        ],
        ignore_index=True,
    )
    calls["station_id"] = pd.Series(places.stations(calls["tiploc"].to_numpy()), index=calls.index, dtype="str")
    is_open = schedules["fate"].isin(_CARRY)
    schedules.loc[is_open & ~schedules["is_near"], "fate"] = "elsewhere"
    schedules.loc[schedules["fate"].isin(_CARRY) & ~schedules["is_whole"], "fate"] = "cut_short"
    schedules.loc[schedules["fate"].isin(_CARRY) & ~schedules["can_run"], "fate"] = "bad_times"
    n_stations = calls.groupby("trip")["station_id"].nunique()
    is_short = ~schedules.index.isin(n_stations.index[n_stations > 1])
    schedules.loc[schedules["fate"].isin(_CARRY) & is_short, "fate"] = "fewer_than_two_stations"
    calls["fate"] = schedules["fate"].reindex(calls["trip"]).to_numpy()
    # A call at an unknown place is at fault, in a train that is too short for it as well.
    is_lost = calls["fate"].isin([*_CARRY, "fewer_than_two_stations"]) & calls["station_id"].isna()
    calls.loc[is_lost, "fate"] = "unknown_tiploc"
    return calls


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
    source: Source, schedules: pd.DataFrame, calls: pd.DataFrame, n_revised_nothing: int
) -> tuple[RowAccount, pd.DataFrame]:
    """Where every line of one file went."""
    fate = schedules["fate"].mask(schedules["fate"].isin(_OBEYED), "")
    counted = pd.Series(source.file.counted, dtype="float64")
    counted = counted.add(fate[~fate.isin(_FAULTS)].value_counts(), fill_value=0)
    passed = schedules[~schedules["is_kept"]]
    counted = counted.add(passed["n_calls"].groupby(passed["fate"]).sum(), fill_value=0)
    call_fate = calls["fate"].replace("used", "")
    counted = counted.add(call_fate[~call_fate.isin(_FAULTS)].value_counts(), fill_value=0)
    spoilt, lost = schedules[fate.isin(_FAULTS)], calls[call_fate.isin(_FAULTS)]
    faults = pd.concat(
        [
            source.file.fates,
            pd.DataFrame({"line": spoilt["line"], "fate": spoilt["fate"], "value": unpack(spoilt["uid"].to_numpy())}),
            pd.DataFrame({"line": lost["line"], "fate": lost["fate"], "value": unpack(lost["tiploc"].to_numpy())}),
        ]
    )
    return account_member(
        source.name,
        source.sha256,
        faults.set_index("line")[["fate", "value"]].sort_index(),
        faults=_FAULTS,
        field=None,
        counted={str(reason): int(n) for reason, n in counted.items()},
        warnings=[
            *_tell_transactions(schedules, n_revised_nothing),
            *_tell_not_followed(
                source.file.counted.get("association", 0), int((calls["is_one_way"] & (call_fate == "")).sum())
            ),
        ],
    )


def _tell_not_followed(n_associations: int, n_one_way: int) -> list[str]:
    """What the file says of its trains that is not made use of."""
    told = []
    if n_associations:
        told.append(f"{n_associations:,} joins and splits of trains are not followed: who stays on counts as changing.")
    if n_one_way:
        told.append(f"{n_one_way:,} calls are to take up or to set down only, and count as calls for both.")
    return told


def _tell_transactions(schedules: pd.DataFrame, n_revised_nothing: int) -> list[str]:
    """That a file deletes or revises what no file before it has."""
    n_deletions = int((schedules["fate"] == "deletion_found_nothing").sum())
    n_all = int((schedules["transaction"] == DELETION).sum())
    told = []
    n_changes = int(schedules["changes_nothing"].sum())
    if n_changes:
        told.append(f"{n_changes:,} overlays and cancellations are of trains without a permanent schedule.")
    if n_deletions:
        told.append(f"{n_deletions} of {n_all} deletions found no schedule to delete: read the full file before it.")
    if n_revised_nothing:
        told.append(f"{n_revised_nothing} revisions found no schedule to revise, and were taken as new ones.")
    return told
