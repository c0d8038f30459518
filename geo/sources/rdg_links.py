"""
Links between stations by foot, tube or bus: members FLF and ALF of the Rail Delivery Group's timetable.

A link of FLF holds always, both ways. One of ALF holds one way, on some days between two times, perhaps from a date to
another. Here a pair of stations has one time for the week: that of most hours of the day, where it is linked then.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.sources.accounting import Reading
from geo.sources.fates import account_fates
from geo.sources.rdg_stations import require_trailer

__all__ = ["FIXED_LINK_COLUMNS", "choose_links", "parse_fixed_links"]

FIXED_LINK_COLUMNS = ("from_station_id", "to_station_id", "mode", "time_min")
_LINK = re.compile(r"ADDITIONAL LINK: (\w+) BETWEEN (\w{3}) AND (\w{3}) IN +(\d+) MINUTES")
_CODE = re.compile(r"[A-Z]{3}")
_DAYS = re.compile(r"[01]{7}")
_CLOCK = re.compile(r"([01]\d|2[0-3])([0-5]\d)")
_FAULTS = ("bad_link",)
_ALWAYS = np.ones((7, 24), dtype=bool)
# ASSUMPTION. Hours in which people change between stations; a pair that is linked in fewer than half is not linked.
_FIRST_HOUR, _LAST_HOUR, _LEAST_SHARE = 6, 22, 0.5
_Link = tuple[str, str, str, float, NDArray[np.bool_]]


def parse_fixed_links(data: bytes, source_file: str, sha256: str, *, week_start_on: date) -> Reading[pd.DataFrame]:
    """
    Parse the links between stations of the FLF or the ALF member.

    Parameters
    ----------
    data : bytes
        The whole member.
    source_file, sha256 : str
        Its name and the hash of its file.
    week_start_on : datetime.date
        The Monday of the week that is counted.

    Returns
    -------
    Reading of pandas.DataFrame
        Columns ``from_station_id, to_station_id, mode, time_min, hours``; `hours` says for each day from Monday and
        each hour whether the link holds in its middle. Links that do not hold in the week are counted alone.

    Raises
    ------
    InputError
        If the member is cut short.
    """
    found: list[_Link] = []
    fates = []
    lines = data.decode("latin-1").splitlines()
    require_trailer(lines, source_file)
    for line in lines:
        if line.startswith("/!!") or line.strip() in {"", "END"}:
            fates.append("comment")
            continue
        links = _read_link(line, week_start_on)
        holds = [link for link in links if link[4].any()]
        found += holds
        fates.append("" if holds else "not_in_force_that_week" if links else "bad_link")
    table = pd.DataFrame(found, columns=[*FIXED_LINK_COLUMNS, "hours"])
    account, quarantine = account_fates(
        source_file,
        sha256,
        fate=np.array(fates, dtype=object),
        faults=_FAULTS,
        value=np.array([line.strip() for line in lines], dtype=object),
    )
    return Reading(table, quarantine, (account,))


def choose_links(links: pd.DataFrame) -> pd.DataFrame:
    """
    Choose one time for each pair of stations.

    Of each hour of the day the quickest link counts; of these the one in the middle is chosen.

    Parameters
    ----------
    links : pandas.DataFrame
        As `parse_fixed_links` gives them. Never modified.

    Returns
    -------
    pandas.DataFrame
        Columns ``from_station_id, to_station_id, mode, time_min``, sorted; pairs that are linked in fewer than half of
        the hours of the day are left out.
    """
    chosen = []
    ordered = links.sort_values(["from_station_id", "to_station_id", "time_min", "mode"], kind="stable")
    for pair, rows in ordered.groupby(["from_station_id", "to_station_id"], sort=True):
        hours = np.stack([hours[:, _FIRST_HOUR:_LAST_HOUR].ravel() for hours in rows["hours"]])
        is_linked = hours.any(axis=0)
        if is_linked.mean() < _LEAST_SHARE:
            continue
        quickest = np.sort(hours.argmax(axis=0)[is_linked])
        row = rows.iloc[int(quickest[(len(quickest) - 1) // 2])]
        chosen.append((*pair, row["mode"], row["time_min"]))
    return pd.DataFrame(chosen, columns=list(FIXED_LINK_COLUMNS))


def _read_link(line: str, week_start_on: date) -> list[_Link]:
    """The links of one line with their hours of the week, none where it is not one."""
    both_ways = _LINK.match(line)
    if both_ways:
        mode, a, b, minutes = both_ways.groups()
        ways = ((a, b), (b, a)) if a != b else ()
        return [(*way, mode.lower(), float(minutes), _ALWAYS) for way in ways]
    pairs = dict(part.split("=", 1) for part in line.strip().split(",") if "=" in part)
    a, b, minutes = pairs.get("O", ""), pairs.get("D", ""), pairs.get("T", "")
    hours = _read_hours(pairs, week_start_on)
    if not (_CODE.fullmatch(a) and _CODE.fullmatch(b) and minutes.isdecimal()) or hours is None or a == b:
        return []
    return [(a, b, pairs.get("M", "").lower(), float(minutes), hours)]


def _read_hours(pairs: dict[str, str], week_start_on: date) -> NDArray[np.bool_] | None:
    """Days and hours of the week in which a link of ALF holds; None where its fields say nothing that can be read."""
    days, begins, ends = pairs.get("R", "1111111"), pairs.get("S", "0000"), pairs.get("E", "2359")
    first_on, last_on = _read_day(pairs.get("F", "")), _read_day(pairs.get("U", ""))
    clocks = [_CLOCK.fullmatch(text) for text in (begins, ends)]
    if not _DAYS.fullmatch(days) or first_on is None or last_on is None or None in clocks:
        return None
    first_min, last_min = (int(clock.group(1)) * 60 + int(clock.group(2)) for clock in clocks if clock)
    middle_min = np.arange(24) * 60 + 30
    after, before = middle_min >= first_min, middle_min <= last_min
    # From 22:00 to 05:00 runs over midnight.
    of_day = after & before if first_min <= last_min else after | before
    hours = np.zeros((7, 24), dtype=bool)
    for day in range(7):
        on = week_start_on + timedelta(days=day)
        holds = days[day] == "1" and first_on[0] <= on <= last_on[-1]
        hours[day] = of_day & holds
    return hours


def _read_day(text: str) -> tuple[date, date] | None:
    """A day as first and last; all days where the text is blank, None where it is no day."""
    if not text:
        return date.min, date.max
    try:
        day = datetime.strptime(text, "%d/%m/%Y").date()  # noqa: DTZ007 - a date has no zone
    except ValueError:
        return None
    return day, day
