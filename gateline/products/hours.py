"""
When couriers pass each station, as every product tells it: the busiest block of hours, and the week as a strip.

In comes `geo.tables.STATION_HOURS`; nothing is estimated here.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.corridors.busy_hours import find_busy_block
from geo.corridors.hours import HOURS_PER_WEEK, N_DAYS

__all__ = ["BASIS_WORDS", "name_block", "tell_hours", "tell_week"]

FloatArray = NDArray[np.float64]

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
N_LEVELS = 4
_SHARE_DECIMALS = 2
_CELL_DECIMALS = 9
BASIS_WORDS = {
    "assumption": "an assumption: no timetable, and no record near that knows its day or hour",
    "trains": "trains that call, and an assumption of which of them couriers take",
    "records": "records near that know their day or hour, and an assumption",
    "trains and records": "trains that call, and records near that know their day or hour",
}


def tell_hours(hours: pd.DataFrame, index: pd.Index) -> dict[str, pd.Series]:
    """
    Give the columns of a station's hours.

    Parameters
    ----------
    hours : pandas.DataFrame
        Table `geo.tables.STATION_HOURS`.
    index : pandas.Index
        Stations, in the order of the list.

    Returns
    -------
    dict of str to pandas.Series
        ``busy_hours`` (a block of days and hours that holds half of the trips), ``busy_hours_share`` (what it holds)
        and ``hours_basis`` (what they rest on).
    """
    weeks, bases = _weeks(hours)
    blocks = [_block(weeks[station].tobytes()) for station in index.astype(str)]
    return {
        "busy_hours": pd.Series([name_block(block) for block, _ in blocks], index=index, dtype="str"),
        "busy_hours_share": pd.Series([share for _, share in blocks], index=index, dtype=float),
        "hours_basis": pd.Series([bases[station] for station in index.astype(str)], index=index, dtype="str"),
    }


def tell_week(hours: pd.DataFrame | None, index: pd.Index) -> dict[str, list[Any]]:
    """
    Give what the map draws of each station's week.

    Parameters
    ----------
    hours : pandas.DataFrame or None
        Table `geo.tables.STATION_HOURS`.
    index : pandas.Index
        Stations, in the order of the list.

    Returns
    -------
    dict of str to list
        ``weeks``, the distinct strips of 168 digits, one an hour from 0 (none) to 4 (as busy as its busiest), and
        ``week``, the strip of each station; ``busy_hours, busy_share`` and ``hours_basis`` in words. Empty without
        hours.
    """
    if hours is None:
        return {}
    weeks, _ = _weeks(hours)
    strips = [_strip(weeks[station].tobytes()) for station in index.astype(str)]
    distinct = sorted(set(strips))
    at = {strip: k for k, strip in enumerate(distinct)}
    told = tell_hours(hours, index)
    return {
        "weeks": distinct,
        "week": [at[strip] for strip in strips],
        "busy_hours": told["busy_hours"].tolist(),
        "busy_share": told["busy_hours_share"].tolist(),
        "hours_basis": [BASIS_WORDS[basis] for basis in told["hours_basis"]],
    }


def name_block(block: tuple[int, int, int, int]) -> str:
    """
    Name a block of days and hours.

    Parameters
    ----------
    block : tuple of int
        First day, number of days, first hour and hour of the end.

    Returns
    -------
    str
        Such as ``Wed-Sat 15:00-22:00``.

    Examples
    --------
    >>> name_block((2, 4, 15, 22)), name_block((0, 7, 6, 24)), name_block((6, 1, 9, 10))
    ('Wed-Sat 15:00-22:00', 'daily 06:00-24:00', 'Sun 09:00-10:00')
    """
    first, n_days, start, end = block
    last = (first + n_days - 1) % N_DAYS
    days = "daily" if n_days == N_DAYS else DAYS[first] if n_days == 1 else f"{DAYS[first]}-{DAYS[last]}"
    return f"{days} {start:02d}:00-{end:02d}:00"


def _weeks(table: pd.DataFrame) -> tuple[dict[str, FloatArray], dict[str, str]]:
    """Shares by hour, and what they rest on, by station."""
    # Ids of rows are station and hour, so that the order of the ids is the order of the hours.
    table = table.sort_index()
    share = table["week_share"].to_numpy(dtype=float).reshape(-1, HOURS_PER_WEEK)
    first = table.iloc[::HOURS_PER_WEEK]
    ids = first["station_id"].tolist()
    return dict(zip(ids, share, strict=True)), dict(zip(ids, first["hours_basis"], strict=True))


@lru_cache(maxsize=8_192)
def _block(week: bytes) -> tuple[tuple[int, int, int, int], float]:
    """The busiest block of a week, and the share it holds."""
    share = np.frombuffer(week, dtype=float)
    first, n_days, start, end = block = find_busy_block(share)
    days = (first + np.arange(n_days)) % N_DAYS
    held = share.reshape(N_DAYS, -1)[days, start:end].sum()
    return block, round(float(held), _SHARE_DECIMALS)


@lru_cache(maxsize=8_192)
def _strip(week: bytes) -> str:
    """The digits of a week."""
    share = np.frombuffer(week, dtype=float)
    level = np.ceil(np.round(N_LEVELS * share / max(float(share.max()), 1e-300), _CELL_DECIMALS)).astype(int)
    return "".join(map(str, level.tolist()))
