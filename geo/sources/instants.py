"""
Dates and times of a force's own extract: each value by one strict parser, in a declared format and a declared zone.

ISO values are read as ISO whatever the format, because a guessing parser turns 2026-02-12 into the second of December
without a word. Anything else needs a declared format (trust.md 27-34).
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.errors import InputError, UsageError
from geo.sources.date_faults import MONTH_GUESSES, describe_dates, suggest_format
from geo.sources.sieve import Sieve

__all__ = ["Instants", "parse_instants", "require_dates"]

_ISO_MONTH = re.compile(r"\d{4}-\d{2}", re.ASCII)
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
# Databases write up to nine decimals of a second, and a blank before the offset.
_ISO_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?) ?(Z|[+-]\d{2}:?\d{2})?", re.ASCII
)
_LATER_DECIMALS = re.compile(r"(?<=[.,]\d{6})\d{1,3}(?!\d)", re.ASCII)
_LONDON = "Europe/London"
_FIRST_YEAR, _LAST_YEAR = 1678, 2261


@dataclass(frozen=True)
class Instants:
    """
    The times of the rows of a file.

    Attributes
    ----------
    month : pandas.PeriodIndex
        Local month; null where blank or unreadable.
    from_at, to_at : pandas.DatetimeIndex
        Earliest and latest instant, UTC: equal at minute precision, a local day apart at day precision, null at month
        precision.
    precision : numpy.ndarray of str
        ``minute``, ``day`` or ``month``; blank where the value is.
    """

    month: pd.PeriodIndex
    from_at: pd.DatetimeIndex
    to_at: pd.DatetimeIndex
    precision: NDArray[np.object_]


@dataclass(frozen=True)
class _Parsed:
    """One distinct text: its local month, its instants, its precision, or the reason it has none."""

    month: str | None = None
    from_at: dt.datetime | None = None
    to_at: dt.datetime | None = None
    precision: str = ""
    fault: str | None = None
    is_repeated_hour: bool = False


def parse_instants(
    values: pd.Series, sieve: Sieve, *, field: str, date_format: str | None = None, timezone: str | None = None
) -> Instants:
    """
    Parse one column of dates or times.

    Parameters
    ----------
    values : pandas.Series
        Text of each row; blanks stay null and are not rejected here.
    sieve : Sieve
        Takes the rows whose value cannot be read.
    field : str
        The column's name.
    date_format : str or None
        A `strptime` format for values that are not ISO.
    timezone : str or None
        Zone of times without an offset, such as ``Europe/London``.

    Returns
    -------
    Instants
        Months, instants and precision of each row.

    Raises
    ------
    UsageError
        If the zone does not exist.
    InputError
        If values are not ISO and no format is declared, or have a time of day and no zone is declared.

    Notes
    -----
    A time that the change to summer time skips is rejected; of a time that occurs twice in autumn the first is taken,
    and the account says so.
    """
    zone = _require_zone(timezone)
    codes, texts = pd.factorize(values.astype("str"))
    parsed = [_parse(text, date_format, zone) for text in texts]
    _require_declared(values, texts, parsed, field, has_format=date_format is not None)
    fault = np.array([item.fault for item in parsed], dtype=object)[codes]
    for reason in ("unreadable_date", "time_skipped_by_clock_change"):
        sieve.reject(fault == reason, reason, field=field)
    n_repeated = int(np.array([item.is_repeated_hour for item in parsed], dtype=bool)[codes].sum())
    if n_repeated:
        sieve.warn(f"{n_repeated} times of {field!r} occur twice when clocks go back; the first is taken.")
    return Instants(
        month=pd.PeriodIndex([item.month for item in parsed], freq="M")[codes],
        from_at=_to_index([item.from_at for item in parsed])[codes],
        to_at=_to_index([item.to_at for item in parsed])[codes],
        precision=np.array([item.precision for item in parsed], dtype=object)[codes],
    )


def _to_index(moments: list[dt.datetime | None]) -> pd.DatetimeIndex:
    """Moments in nanoseconds, which reach from 1677 to 2262; beyond them the month alone says that they cannot be."""
    held = [None if at is None or not _FIRST_YEAR <= at.year <= _LAST_YEAR else at for at in moments]
    return pd.DatetimeIndex(held, dtype="datetime64[ns, UTC]")


def _require_zone(timezone: str | None) -> ZoneInfo | None:
    """The zone, or None where none is declared."""
    if timezone is None:
        return None
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        msg = f"timezone: {timezone!r} does not exist, expected a name such as {_LONDON!r}. Correct the setting."
        raise UsageError(msg) from error


def require_dates(values: pd.Series, instants: Instants, sieve: Sieve, *, date_format: str | None = None) -> None:
    """
    Pass unless more than half of the dates cannot be read or meant; a smaller share is noted in the account.

    Parameters
    ----------
    values : pandas.Series
        Text of each row.
    instants : Instants
        What was parsed from it.
    sieve : Sieve
        That holds the rows with dates at fault.
    date_format : str or None
        As was declared.

    Raises
    ------
    InputError
        If they cannot; the message says what the values probably are, with one of them.
    """
    unread = values[np.asarray(instants.month.isna())].tolist()
    words = describe_dates(unread, date_format=date_format) if unread else ""
    sieve.require_each_majority({"unreadable_date": words} | MONTH_GUESSES)


def _require_declared(
    values: pd.Series, texts: pd.Index, parsed: list[_Parsed], field: str, *, has_format: bool
) -> None:
    """Pass unless reading on would mean guessing a format or a zone."""
    unread = [text for text, item in zip(texts, parsed, strict=True) if item.fault == "unreadable_date"]
    ordered = [text for text in unread if re.match(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}", text)]
    zoneless = [text for text, item in zip(texts, parsed, strict=True) if item.fault == "no_zone"]
    if zoneless:
        msg = f"timezone: it is not declared but {field!r} has times ({zoneless[0]!r}), expected one. Set {_LONDON!r}."
        raise InputError(msg)
    if ordered and not has_format:
        n_rows = int(values.isin(ordered).sum())
        msg = (
            f"date_format: it is not declared but {field!r} holds {ordered[0]!r} ({n_rows} of {len(values)} rows), "
            f"expected ISO dates or a format. Declare one such as {suggest_format(ordered) or '%d/%m/%Y %H:%M'!r}."
        )
        raise InputError(msg)


def _parse(text: str, date_format: str | None, zone: ZoneInfo | None) -> _Parsed:
    """What one text says; exactly one parser is tried."""
    if not text:
        return _Parsed()
    try:
        if _ISO_MONTH.fullmatch(text):
            parsed = _Parsed(month=_month(dt.date.fromisoformat(f"{text}-01")), precision="month")
        elif _ISO_DAY.fullmatch(text):
            parsed = _day(dt.date.fromisoformat(text), zone)
        elif (iso := _ISO_TIME.fullmatch(text)) is not None:
            parsed = _minute(dt.datetime.fromisoformat(iso[1] + (iso[2] or "")), zone)
        else:
            parsed = _parse_declared(text, date_format, zone)
    except (ValueError, OverflowError):
        return _Parsed(fault="unreadable_date")
    return parsed


def _parse_declared(text: str, date_format: str | None, zone: ZoneInfo | None) -> _Parsed:
    """What a text says in the declared format, at the grain that the format has."""
    if date_format is None:
        return _Parsed(fault="unreadable_date")
    moment = dt.datetime.strptime(_LATER_DECIMALS.sub("", text), date_format)  # noqa: DTZ007 - the declared zone is attached later
    if any(part in date_format for part in ("%H", "%I", "%X", "%c")):
        return _minute(moment, zone)
    if any(part in date_format for part in ("%d", "%j", "%x")):
        return _day(moment.date(), zone)
    return _Parsed(month=_month(moment.date()), precision="month")


def _month(day: dt.date) -> str:
    return f"{day.year:04d}-{day.month:02d}"


def _day(day: dt.date, zone: ZoneInfo | None) -> _Parsed:
    """A local day: from its midnight to the next; without a zone, the day of London."""
    local = zone or ZoneInfo(_LONDON)
    start = dt.datetime(day.year, day.month, day.day, tzinfo=local)
    following = day + dt.timedelta(days=1)
    end = dt.datetime(following.year, following.month, following.day, tzinfo=local)
    return _Parsed(_month(day), start.astimezone(dt.UTC), end.astimezone(dt.UTC), "day")


def _minute(moment: dt.datetime, zone: ZoneInfo | None) -> _Parsed:
    """An instant, by its own offset or the declared zone."""
    if moment.tzinfo is not None:
        at = moment.astimezone(dt.UTC)
        local = at.astimezone(zone or ZoneInfo(_LONDON))
        return _Parsed(_month(local.date()), at, at, "minute")
    if zone is None:
        return _Parsed(fault="no_zone")
    first = moment.replace(tzinfo=zone, fold=0)
    at = first.astimezone(dt.UTC)
    # A skipped time does not survive the way to UTC and back.
    if at.astimezone(zone).replace(tzinfo=None) != moment:
        return _Parsed(fault="time_skipped_by_clock_change")
    is_repeated = at != moment.replace(tzinfo=zone, fold=1).astimezone(dt.UTC)
    return _Parsed(_month(moment.date()), at, at, "minute", is_repeated_hour=is_repeated)
