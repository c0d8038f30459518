"""
A CIF file read block by block: every schedule kept as a row of numbers, calls of those alone that may be asked for.

What is not kept is counted. Of a national file the schedules of half a year fit in some 50 MB; their calls do not, and
those of one week in one region are few.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.sources.cif_blocks import read_blocks
from geo.sources.cif_places import Places
from geo.sources.cif_records import INDICATORS, NO_DAY, TRANSACTIONS, Records, Role, parse_records

__all__ = ["CANCELLATION", "DELETION", "CifFile", "read_cif_file"]

DELETION, CANCELLATION = ord("D"), ord("C")
# Where a header says whether the file is full or an update.
_EXTENT, _UPDATE = 46, ord("U")
_CARRIES = (Role.TRAIN, Role.REPLACEMENT_BUS)


@dataclass(frozen=True)
class CifFile:
    """
    One CIF file.

    Attributes
    ----------
    schedules : pandas.DataFrame
        As `Records.schedules`, with ``is_near``, whether it calls in the region, and ``is_kept``, whether its calls
        are in `calls`.
    calls : pandas.DataFrame
        As `Records.calls`, of schedules that are kept.
    fates : pandas.DataFrame
        ``line, fate, value`` of records at fault.
    counted : dict of str to int
        Other records by why they are not used; used ones under empty text.
    is_update : bool
        Whether its header says that it holds changes alone.
    """

    schedules: pd.DataFrame
    calls: pd.DataFrame
    fates: pd.DataFrame
    counted: dict[str, int]
    is_update: bool


def read_cif_file(
    pieces: Iterable[bytes], source_file: str, *, places: Places, week_start_on: date | None = None
) -> CifFile:
    """
    Read one file.

    Parameters
    ----------
    pieces : iterable of bytes
        The file in order.
    source_file : str
        Its name, for messages.
    places : Places
        Takes up the file's places, and says which are near.
    week_start_on : datetime.date or None
        The Monday of a week: calls of schedules that no day of it lies in are only counted. All are kept where None.

    Returns
    -------
    CifFile
        Every line of it is a schedule, a call or counted, or is in `fates`.

    Raises
    ------
    InputError
        If the file is no whole CIF file.
    """
    schedules, calls, fates, counted = [], [], [], Counter[str]()
    n_schedules, is_update = 0, False
    for block in read_blocks(pieces, source_file):
        is_update |= bool((block.cells[block.kind == b"HD", _EXTENT] == _UPDATE).any())
        records = parse_records(block)
        places.add(records.places)
        _mark(records, places, week_start_on)
        is_kept = records.schedules["is_kept"].to_numpy()[records.calls["schedule"]]
        schedules.append(records.schedules)
        kept = records.calls[is_kept]
        calls.append(kept.assign(schedule=kept["schedule"] + n_schedules))
        fates.append(records.fates)
        counted.update(records.counted)
        n_schedules += len(records.schedules)
    return CifFile(
        schedules=pd.concat(schedules, ignore_index=True),
        calls=pd.concat(calls, ignore_index=True),
        fates=pd.concat(fates, ignore_index=True),
        counted=dict(counted),
        is_update=is_update,
    )


def _mark(records: Records, places: Places, week_start_on: date | None) -> None:
    """Columns `is_near` and `is_kept` of the schedules."""
    table = records.schedules
    is_near_call = places.are_near(records.calls["tiploc"].to_numpy())
    table["is_near"] = np.bincount(records.calls["schedule"][is_near_call], minlength=len(table)) > 0
    if not places.is_cut:
        table["is_near"] = True
    carries = table["role"].isin(_CARRIES) & (table["stp"] != CANCELLATION) & (table["transaction"] != DELETION)
    in_week = np.ones(len(table), dtype=bool) if week_start_on is None else _touches(table, week_start_on)
    # A schedule without dates, or with indicators that are none, is at fault with all its calls.
    has_dates = (table["from_on"] != NO_DAY) & (table["to_on"] >= table["from_on"])
    is_odd = ~table["transaction"].isin(TRANSACTIONS) | ~table["stp"].isin(INDICATORS)
    table["is_kept"] = (carries & table["is_near"] & in_week) | ~has_dates | is_odd


def _touches(table: pd.DataFrame, week_start_on: date) -> NDArray[np.bool_]:
    """Whether a day of the week is among those of each schedule."""
    touches = np.zeros(len(table), dtype=bool)
    for day in range(7):
        on = week_start_on.toordinal() + day
        touches |= ((table["from_on"] <= on) & (table["to_on"] >= on) & (table["days"] & (1 << day) > 0)).to_numpy()
    return touches
