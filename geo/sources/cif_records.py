"""
The fixed-width records of a block of a CIF file as tables: schedules, their public calls, and places.

Columns are those of the CIF End User Specification (Network Rail, version 29) and of RSPS5046 (Rail Delivery Group),
which are the same for the records read here. Texts are packed into whole numbers: a national file has half a million
schedules.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import IntEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.sources.cif_blocks import Block, text_of
from geo.sources.cif_times import LOCATIONS, read_times

__all__ = ["INDICATORS", "NO_DAY", "NO_END", "Records", "Role", "pack", "parse_records", "unpack"]

Cells = NDArray[np.uint8]
IntArray = NDArray[np.int64]

# Passenger trains, permanent and short-term; S and 4 are ships, F and 2 freight.
_PASSENGER_STATUS = (b"P", b"1")
# Buses in a railway timetable run for trains, by status, permanent and short-term, and by category; BS is a bus line.
_BUS_STATUS, _BUS_CATEGORY, _BUS_LINE = (b"B", b"5"), b"BR", b"BS"
# Categories that carry no public passengers: empty stock, staff, and unadvertised trains.
_EMPTY_CATEGORY = (b"EE", b"EL", b"ES", b"OU", b"XU")
# What is done with a schedule, and which of several of a train on a day it is.
TRANSACTIONS, INDICATORS = tuple(map(ord, "NRD")), tuple(map(ord, "CNOP "))
# Days before any of a feed, and after: no date, and a schedule without an end.
NO_DAY, NO_END = 0, 4_000_000
_NO_END_TEXT = b"999999"
_EPOCH = date(1970, 1, 1).toordinal()
# Years of two digits: from here on they are of the last century.
_CENTURY_TURNS = 60
# Records that are whole and known but hold nothing this reader uses.
_NOT_USED = {
    b"HD": "header",
    b"ZZ": "trailer",
    b"AA": "association",
    b"CR": "change_en_route",
    b"/!": "comment",
    b"TN": "note",
    b"LN": "note",
    b"BX": "schedule_detail",
    b"TD": "tiploc_delete",
}


class Role(IntEnum):
    """What a schedule is to a passenger."""

    TRAIN = 0
    REPLACEMENT_BUS = 1
    NO_PASSENGER_TRAIN = 2
    NO_PUBLIC_TRAIN = 3


@dataclass(frozen=True)
class Records:
    """
    The records of one block.

    Attributes
    ----------
    schedules : pandas.DataFrame
        One row a BS record: ``line, transaction, uid, from_on, to_on, days, role, stp, n_calls, is_whole, can_run``;
        `uid` packed, days ordinal, `days` a bit for each weekday from Monday; `transaction` and `stp` are letters'
        codes. `is_whole` where it has an origin and a terminus, `can_run` where its times can follow each other.
    calls : pandas.DataFrame
        One row a public location record that can be read: ``line, schedule`` (row of `schedules`)``, tiploc`` (packed),
        ``arrival_min, departure_min, is_one_way``.
    places : list of (str, str, str, str)
        TIPLOC, new TIPLOC, CRS code and name of TI and TA records, in order; empty text where one has none.
    fates : pandas.DataFrame
        ``line, fate, value`` of records at fault.
    counted : dict of str to int
        Other records by why they are not used; those of `places` under empty text.
    """

    schedules: pd.DataFrame
    calls: pd.DataFrame
    places: list[tuple[str, str, str, str]]
    fates: pd.DataFrame
    counted: dict[str, int]


def pack(text: NDArray[np.bytes_]) -> IntArray:
    """
    Pack texts of at most seven bytes into whole numbers that sort alike.

    Parameters
    ----------
    text : numpy.ndarray of shape (n,)
        Bytes of one width.

    Returns
    -------
    numpy.ndarray of shape (n,)
        Numbers.

    Examples
    --------
    >>> unpack(pack(np.array([b"YORK   ", b"LEEDS  "])))
    ['YORK', 'LEEDS']
    """
    width = text.dtype.itemsize
    letters = np.ascontiguousarray(text).view(np.uint8).reshape(-1, width).astype(np.int64)
    return np.asarray(letters @ (256 ** np.arange(width - 1, -1, -1, dtype=np.int64)), dtype=np.int64)


def unpack(numbers: IntArray) -> list[str]:
    """
    Give the texts of packed numbers, without the blanks around them.

    Parameters
    ----------
    numbers : numpy.ndarray of shape (n,)
        As `pack` makes them.

    Returns
    -------
    list of str
        Texts.

    Examples
    --------
    >>> unpack(pack(np.array([b"YRK"])))
    ['YRK']
    """
    return [int(n).to_bytes(8, "big").lstrip(b"\0").decode("latin-1").strip() for n in numbers]


def parse_records(block: Block) -> Records:
    """
    Parse the records of one block.

    Parameters
    ----------
    block : Block
        Whole schedules.

    Returns
    -------
    Records
        Every line is a schedule, a call, a place or counted, or is in `fates`.
    """
    kind = block.kind
    counted = {reason: int((kind == code).sum()) for code, reason in _NOT_USED.items()}
    is_place = (kind == b"TI") | (kind == b"TA")
    counted[""] = int(is_place.sum())
    is_location = np.isin(kind, LOCATIONS)
    is_odd = ~(is_location | is_place | (kind == b"BS") | np.isin(kind, sorted(_NOT_USED)))

    schedules = _schedules(block, np.flatnonzero(kind == b"BS"))
    # A location belongs to the record that was begun last, if that is a schedule.
    begun = np.flatnonzero(block.starts)
    at = np.flatnonzero(is_location)
    before = np.searchsorted(begun, at, side="right") - 1
    number = np.cumsum(kind == b"BS") - 1
    has_schedule = (before >= 0) & (kind[begun[before]] == b"BS") if len(begun) else np.zeros(len(at), dtype=bool)
    stray, at = at[~has_schedule], at[has_schedule]
    calls, bad_lines, bad_tiplocs = _calls(block, at, number[at], schedules)
    counted["no_public_call"] = len(at) - len(calls) - len(bad_lines)
    fates = pd.concat(
        [
            pd.DataFrame({"line": block.line[is_odd], "fate": "unknown_record", "value": _strings(kind[is_odd])}),
            pd.DataFrame({"line": block.line[stray], "fate": "no_schedule", "value": _strings(kind[stray])}),
            pd.DataFrame({"line": bad_lines, "fate": "bad_time", "value": unpack(bad_tiplocs)}),
        ],
        ignore_index=True,
    )
    return Records(schedules, calls, _places(block.cells[is_place]), fates, {k: n for k, n in counted.items() if n})


def _strings(text: NDArray[np.bytes_]) -> list[str]:
    return [value.decode("latin-1").strip() for value in text.tolist()]


def _places(cells: Cells) -> list[tuple[str, str, str, str]]:
    is_change = cells[:, 1] == ord("A")
    new = np.where(is_change, text_of(cells, 72, 79), b"")
    columns = (text_of(cells, 2, 9), new, text_of(cells, 53, 56), text_of(cells, 18, 44))
    return list(zip(*(_strings(column) for column in columns), strict=True))


def _schedules(block: Block, at: NDArray[np.intp]) -> pd.DataFrame:
    cells = block.cells[at]
    status, category = text_of(cells, 29, 30), text_of(cells, 30, 32)
    is_bus = (np.isin(status, _BUS_STATUS) & (category != _BUS_LINE)) | (category == _BUS_CATEGORY)
    role = np.select(
        [is_bus, ~np.isin(status, _PASSENGER_STATUS), np.isin(category, _EMPTY_CATEGORY)],
        [Role.REPLACEMENT_BUS, Role.NO_PASSENGER_TRAIN, Role.NO_PUBLIC_TRAIN],
        default=Role.TRAIN,
    )
    from_on, to_on = _ordinals(cells[:, 9:15]), _ordinals(cells[:, 15:21])
    to_on[text_of(cells, 15, 21) == _NO_END_TEXT] = NO_END
    # Files without short-term planning leave the indicator blank: their schedules are the permanent ones.
    stp, transaction = cells[:, 79], cells[:, 2]
    stp = np.where((stp == ord(" ")) & (transaction != ord("D")), ord("P"), stp)
    days = (cells[:, 21:28] == ord("1")) @ (2 ** np.arange(7))
    # Days that are no days make the dates worth nothing; a deletion has none.
    is_days = np.isin(cells[:, 21:28], (ord("0"), ord("1"))).all(axis=1)
    from_on[~is_days & (transaction != ord("D"))] = NO_DAY
    return pd.DataFrame(
        {
            "line": block.line[at].astype("int32"),
            "transaction": transaction.astype("int8"),
            "uid": pack(text_of(cells, 3, 9)),
            "from_on": from_on.astype("int32"),
            "to_on": to_on.astype("int32"),
            "days": days.astype("int8"),
            "role": role.astype("int8"),
            "stp": stp.astype("int8"),
            "n_calls": np.zeros(len(at), dtype="int16"),
            "is_whole": np.zeros(len(at), dtype=bool),
            "can_run": np.ones(len(at), dtype=bool),
        }
    )


def _ordinals(cells: Cells) -> IntArray:
    """Ordinals of days written as YYMMDD; `NO_DAY` where there is no such day."""
    digits = cells.astype(np.int64) - ord("0")
    is_number = ((digits >= 0) & (digits <= 9)).all(axis=1)
    year, month, day = (digits[:, k] * 10 + digits[:, k + 1] for k in (0, 2, 4))
    year = np.where(year >= _CENTURY_TURNS, 1900, 2000) + year
    is_month = is_number & (month >= 1) & (month <= 12)
    months = np.where(is_month, (year - 1970) * 12 + month - 1, 0)
    first, after = (m.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) for m in (months, months + 1))
    is_day = is_month & (day >= 1) & (day <= after - first)
    return np.where(is_day, _EPOCH + first + day - 1, NO_DAY)


def _calls(
    block: Block, at: NDArray[np.intp], schedule: IntArray, schedules: pd.DataFrame
) -> tuple[pd.DataFrame, IntArray, IntArray]:
    """Public calls, and lines and TIPLOCs of records that cannot be read; what they say of schedules is put there."""
    cells, kind = block.cells[at], block.kind[at]
    times = read_times(cells, kind, schedule)
    is_call = times.is_public & ~times.is_bad
    n = len(schedules)
    schedules["n_calls"] = np.bincount(schedule[is_call], minlength=n).astype("int16")
    # One origin first and one terminus last, with times that can be read: else the train may end anywhere.
    is_first = np.concatenate([[True], schedule[1:] != schedule[:-1]])[: len(schedule)]
    is_last = np.concatenate([schedule[1:] != schedule[:-1], [True]])[: len(schedule)]
    whole = np.ones(n, dtype=bool)
    for code, is_end in ((b"LO", is_first), (b"LT", is_last)):
        whole &= np.bincount(schedule[(kind == code) & is_end & ~times.is_bad], minlength=n) == 1
        whole &= np.bincount(schedule[kind == code], minlength=n) == 1
    schedules["is_whole"] = whole
    schedules["can_run"] = np.bincount(schedule[times.cannot_follow], minlength=n) == 0
    tiploc = pack(text_of(cells, 2, 9))
    calls = pd.DataFrame(
        {
            "line": block.line[at][is_call],
            "schedule": schedule[is_call],
            "tiploc": tiploc[is_call],
            "arrival_min": times.arrival_min[is_call],
            "departure_min": times.departure_min[is_call],
            "is_one_way": times.is_one_way[is_call],
        }
    )
    return calls, block.line[at][times.is_bad], tiploc[times.is_bad]
