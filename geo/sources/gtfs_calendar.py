"""Which services of a GTFS feed run on which day of a week, and what the feed says of that week."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.errors import InputError
from geo.sources.accounting import RowAccount
from geo.sources.archives import Archive
from geo.sources.delimited import DelimitedRows
from geo.sources.fates import account_member
from geo.sources.feed_weeks import describe_week, require_week_held, tell_bank_holidays, tell_cover
from geo.sources.gtfs_members import read_member

__all__ = ["Calendar", "read_calendar"]

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_FAULTS = ("bad_date", "bad_day", "bad_exception", "contradictory_exception")
# A week is compared with those of some years at most.
_MOST_DAYS = 1_500


class Calendar:
    """
    Days on which services run.

    Parameters
    ----------
    regular : pandas.DataFrame
        ``service_id, first, last`` (ordinals of days) and a flag for each weekday.
    special : pandas.DataFrame
        ``service_id, day`` (ordinal) and ``is_added``.
    accounts : list of (RowAccount, pandas.DataFrame)
        Of both members.
    """

    def __init__(
        self, regular: pd.DataFrame, special: pd.DataFrame, accounts: list[tuple[RowAccount, pd.DataFrame]]
    ) -> None:
        self._regular, self._special, self.accounts = regular, special, accounts

    def days(self, week_start_on: date) -> pd.DataFrame:
        """
        Give the services of a week by day.

        Parameters
        ----------
        week_start_on : datetime.date
            A Monday.

        Returns
        -------
        pandas.DataFrame
            ``service_id, day`` (0 is Monday), each once.
        """
        start = week_start_on.toordinal()
        found = [pd.DataFrame({"service_id": pd.Series(dtype="str"), "day": pd.Series(dtype="int64")})]
        for day, name in enumerate(_WEEKDAYS):
            runs = (
                self._regular[name] & (self._regular["first"] <= start + day) & (self._regular["last"] >= start + day)
            )
            found.append(self._regular.loc[runs, ["service_id"]].assign(day=day))
        days = pd.concat(found, ignore_index=True)
        special = self._special.assign(day=self._special["day"] - start)
        special = special[special["day"].between(0, 6)]
        off = special.loc[~special["is_added"], ["service_id", "day"]].drop_duplicates()
        days = days.merge(off, how="left", indicator=True).query("_merge == 'left_only'").drop(columns="_merge")
        days = pd.concat([days, special.loc[special["is_added"], ["service_id", "day"]]])
        return days.drop_duplicates().astype({"day": "int64"}).reset_index(drop=True)

    def require(self, source_file: str, week_start_on: date) -> None:
        """
        Pass if the feed holds a day of a week, raise otherwise.

        Parameters
        ----------
        source_file : str
            Name of the feed.
        week_start_on : datetime.date
            A Monday.

        Raises
        ------
        InputError
            If the week lies outside the days of all services.
        """
        require_week_held(source_file, week_start_on, *self._range())

    def tell(self, week_start_on: date, trips_of_service: pd.Series) -> list[str]:
        """
        Say what is odd about a week.

        Parameters
        ----------
        week_start_on : datetime.date
            A Monday.
        trips_of_service : pandas.Series
            Trips by ``service_id``.

        Returns
        -------
        list of str
            Clauses: that the feed holds it in part, that it has a bank holiday, or that it or a day of it has far fewer
            trips than the feed's other ones.
        """
        first_on, last_on = self._range()
        told = [*tell_cover(week_start_on, first_on, last_on), *tell_bank_holidays(week_start_on)]
        if first_on is None or last_on is None:
            return told
        first = max(first_on.toordinal(), week_start_on.toordinal() - _MOST_DAYS // 2)
        by_day = self._trips_by_day(first, last_on.toordinal(), trips_of_service)
        return [*told, *describe_week(week_start_on, date.fromordinal(first), by_day)]

    def _range(self) -> tuple[date | None, date | None]:
        days = pd.concat([self._regular["first"], self._regular["last"], self._special["day"]])
        if not len(days):
            return None, None
        return date.fromordinal(int(days.min())), date.fromordinal(int(days.max()))

    def _trips_by_day(self, first: int, last: int, trips_of_service: pd.Series) -> NDArray[np.float64]:
        """Trips of every day of the feed, at most some years of it."""
        day = np.arange(first, min(last, first + _MOST_DAYS) + 1)
        found = np.zeros(len(day))
        regular, special = self._regular, self._special
        n_regular = regular["service_id"].map(trips_of_service).fillna(0.0).to_numpy(float)
        begins, ends = regular["first"].to_numpy(), regular["last"].to_numpy()
        for weekday, name in enumerate(_WEEKDAYS):
            runs = regular[name].to_numpy(bool) & (n_regular > 0)
            on = day[(day + date.min.weekday() - 1) % 7 == weekday]
            step = np.zeros(len(on) + 1)
            np.add.at(step, np.searchsorted(on, begins[runs]), n_regular[runs])
            np.add.at(step, np.searchsorted(on, ends[runs], side="right"), -n_regular[runs])
            found[on - first] += np.cumsum(step)[:-1]
        told = special[special["day"].between(first, day[-1])].drop_duplicates(["service_id", "day"])
        joined = told.assign(weekday=(told["day"].to_numpy() + date.min.weekday() - 1) % 7)
        joined = joined.merge(regular, on="service_id", how="left")
        flags = joined[list(_WEEKDAYS)].fillna(value=False).to_numpy(bool)
        is_within = joined["day"].between(joined["first"], joined["last"]).to_numpy()
        is_regular = flags[np.arange(len(joined)), joined["weekday"].to_numpy()] & is_within
        runs_anyway = pd.Series(is_regular).groupby([joined["service_id"], joined["day"]]).any()
        keys = pd.MultiIndex.from_frame(told[["service_id", "day"]])
        anyway = runs_anyway.reindex(keys).fillna(value=False).to_numpy(bool)
        n = told["service_id"].map(trips_of_service).fillna(0.0).to_numpy(float)
        is_added = told["is_added"].to_numpy(bool)
        change = np.where(is_added & ~anyway, n, 0.0) - np.where(~is_added & anyway, n, 0.0)
        np.add.at(found, told["day"].to_numpy() - first, change)
        return found


def read_calendar(archive: Archive, *, services: pd.Series, week_start_on: date) -> Calendar:
    """
    Read ``calendar.txt`` and ``calendar_dates.txt``.

    Parameters
    ----------
    archive : Archive
        The feed.
    services : pandas.Series
        Services that trips name; rows of others are out of scope.
    week_start_on : datetime.date
        The week that is counted, for the accounts.

    Returns
    -------
    Calendar
        Of all services.

    Raises
    ------
    InputError
        If there is neither member, or a column is missing.
    """
    if not {"calendar.txt", "calendar_dates.txt"} & set(archive.members):
        msg = f"{archive.name}: it has no 'calendar.txt' or 'calendar_dates.txt', expected one. Fetch the feed again."
        raise InputError(msg)
    regular, special, accounts = _nothing_regular(), _nothing_special(), []
    named = set(services)
    start = week_start_on.toordinal()
    if "calendar.txt" in archive.members:
        found = read_member(archive, "calendar.txt", required=("service_id", "start_date", "end_date", *_WEEKDAYS))
        rows = found.rows
        regular = pd.DataFrame({"service_id": rows["service_id"]})
        regular["first"], regular["last"] = _ordinals(rows["start_date"]), _ordinals(rows["end_date"])
        is_bad_date = regular["first"].isna() | regular["last"].isna() | (regular["last"] < regular["first"])
        is_bad_day = ~rows[list(_WEEKDAYS)].isin(["0", "1"]).all(axis=1)
        is_out = (regular["first"] > start + 6) | (regular["last"] < start)
        fate = np.select(
            [~rows["service_id"].isin(named), is_bad_date, is_bad_day, is_out],
            ["no_trip_of_it", "bad_date", "bad_day", "other_week"],
            default="",
        )
        accounts.append(_account(found, fate, rows))
        for name in _WEEKDAYS:
            regular[name] = rows[name].eq("1")
        regular = regular[~(is_bad_date | is_bad_day)].astype({"first": "int64", "last": "int64"})
    if "calendar_dates.txt" in archive.members:
        found = read_member(archive, "calendar_dates.txt", required=("service_id", "date", "exception_type"))
        rows = found.rows
        day = _ordinals(rows["date"])
        is_bad_type = ~rows["exception_type"].isin(["1", "2"])
        # A day that is added and removed: the calendar decides.
        kinds = rows["exception_type"].groupby([rows["service_id"], rows["date"]]).transform("nunique")
        is_both = (kinds > 1) & ~is_bad_type
        fate = np.select(
            [~rows["service_id"].isin(named), day.isna(), is_bad_type, is_both, ~day.between(start, start + 6)],
            ["no_trip_of_it", "bad_date", "bad_exception", "contradictory_exception", "other_week"],
            default="",
        )
        accounts.append(_account(found, fate, rows))
        special = pd.DataFrame(
            {"service_id": rows["service_id"], "day": day, "is_added": rows["exception_type"].eq("1")}
        )[~(day.isna() | is_bad_type | is_both)].astype({"day": "int64"})
    return Calendar(regular, special, accounts)


def _account(found: DelimitedRows, fate: NDArray[np.str_], rows: pd.DataFrame) -> tuple[RowAccount, pd.DataFrame]:
    return account_member(
        found.source_file,
        found.sha256,
        pd.DataFrame({"fate": fate.astype(object), "value": rows["service_id"].astype("str")}, index=rows.index),
        faults=_FAULTS,
        field="service_id",
        unreadable=found.unreadable,
        warnings=found.warnings,
    )


def _ordinals(text: pd.Series) -> pd.Series:
    """Ordinals of days written as 20240603; null where it is none."""
    day = pd.to_datetime(text.where(text.str.fullmatch(r"\d{8}")), format="%Y%m%d", errors="coerce")
    ordinal = (day - pd.Timestamp(1970, 1, 1)).dt.days + date(1970, 1, 1).toordinal()
    return ordinal.astype("Float64").astype("float64")


def _nothing_regular() -> pd.DataFrame:
    none = {"service_id": pd.Series(dtype="str"), "first": pd.Series(dtype="int64"), "last": pd.Series(dtype="int64")}
    return pd.DataFrame({**none, **{name: pd.Series(dtype="bool") for name in _WEEKDAYS}})


def _nothing_special() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "service_id": pd.Series(dtype="str"),
            "day": pd.Series(dtype="int64"),
            "is_added": pd.Series(dtype="bool"),
        }
    )
