"""
The fixed-width records of a CIF file as tables: schedules, their calls, and the places they call at.

Columns are those of the CIF End User Specification (Network Rail, version 29) and of RSPS5046 (Rail Delivery Group),
which are the same for the records read here.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.errors import InputError

__all__ = ["CifRecords", "parse_cif"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Cells = NDArray[np.uint8]

_WIDTH = 80
_BLANK = 32
# Lines that are worked on at once, to bound memory.
_BLOCK_LINES = 500_000
# First column of the arrival, the departure and the public times of each kind of location record.
_ARRIVAL = {b"LI": 10, b"LT": 10}
_DEPARTURE = {b"LO": 10, b"LI": 15}
_PUBLIC = {b"LO": (15,), b"LI": (25, 29), b"LT": (15,)}
_LOCATIONS = (b"LO", b"LI", b"LT")
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


@dataclass(frozen=True)
class CifRecords:
    """
    One CIF file.

    Attributes
    ----------
    schedules : pandas.DataFrame
        One row a BS record in file order: ``line, transaction, uid, from_on, to_on, days, status, category, stp``.
    calls : pandas.DataFrame
        One row a location record with a public time: ``line, schedule`` (row of `schedules`), ``tiploc, arrival_min,
        departure_min`` (working times, minutes after midnight of the day the train starts).
    tiplocs : pandas.DataFrame
        ``line, tiploc, station_id`` of TI and TA records.
    tiploc_of_line : pandas.Series
        TIPLOC by line of those records, and of those that cannot be read.
    fate : numpy.ndarray of shape (n_lines,)
        Why each line is not used; empty text where it is.
    """

    schedules: pd.DataFrame
    calls: pd.DataFrame
    tiplocs: pd.DataFrame
    tiploc_of_line: pd.Series
    fate: NDArray[np.object_]


def parse_cif(data: bytes, source_file: str) -> CifRecords:
    """
    Parse the records of a CIF file.

    Parameters
    ----------
    data : bytes
        The whole file.
    source_file : str
        Its name, for messages.

    Returns
    -------
    CifRecords
        Every line is in a table or has a reason.

    Raises
    ------
    InputError
        If the file does not start with a CIF header.

    Notes
    -----
    A time that is smaller than the one before it in the same schedule is on the next day. A public time of 0000 means
    none, so that a call at midnight to the minute counts as none: the format cannot say otherwise.
    """
    if not data.startswith(b"HD"):
        msg = f"{source_file}: it starts with {data[:8]!r}, expected a CIF header 'HD'. Check that it is a CIF file."
        raise InputError(msg)
    cells = _split_lines(data)
    kind = _text(cells, 0, 2)
    fate = np.full(len(cells), "", dtype=object)
    known = {*_NOT_USED, *_LOCATIONS, b"BS", b"TI", b"TA"}
    for code, reason in _NOT_USED.items():
        fate[kind == code] = reason
    is_odd = ~np.isin(kind, sorted(known))
    fate[is_odd] = "unknown_record"

    schedules = _schedules(cells, np.flatnonzero(kind == b"BS"))
    calls, is_bad, others = _calls(cells, kind)
    fate[others] = "no_public_call"
    fate[calls["line"].to_numpy()[is_bad]] = "bad_time"
    n_before = int(schedules["line"].iloc[0]) if len(schedules) else len(kind)
    fate[:n_before][np.isin(kind[:n_before], _LOCATIONS)] = "no_schedule"
    places = np.flatnonzero((kind == b"TI") | (kind == b"TA"))
    tiplocs = pd.DataFrame(
        {"line": places, "tiploc": _strings(cells[places], 2, 9), "station_id": _strings(cells[places], 53, 56)}
    )
    return CifRecords(
        schedules=schedules,
        calls=calls[~is_bad].reset_index(drop=True),
        tiplocs=tiplocs,
        tiploc_of_line=calls.set_index("line")["tiploc"],
        fate=fate,
    )


def _split_lines(data: bytes) -> Cells:
    """One row of 80 bytes a line; shorter lines are filled with blanks."""
    stride = _WIDTH + 1
    flat = np.frombuffer(data, dtype=np.uint8)
    if len(flat) % stride == 0 and (flat[_WIDTH::stride] == ord("\n")).all():
        return flat.reshape(-1, stride)[:, :_WIDTH]
    lines = [line[:_WIDTH].ljust(_WIDTH) for line in data.splitlines() if line.strip()]
    return np.frombuffer(b"".join(lines), dtype=np.uint8).reshape(-1, _WIDTH)


def _text(cells: Cells, start: int, stop: int) -> NDArray[np.bytes_]:
    return np.ascontiguousarray(cells[:, start:stop]).view(f"S{stop - start}").ravel()


def _strings(cells: Cells, start: int, stop: int) -> NDArray[np.object_]:
    """Stripped text; decoded once for each distinct value."""
    distinct, which = np.unique(_text(cells, start, stop), return_inverse=True)
    words = np.array([value.decode("latin-1").strip() for value in distinct.tolist()], dtype=object)
    return words[which] if len(words) else np.zeros(0, dtype=object)


def _schedules(cells: Cells, line: NDArray[np.intp]) -> pd.DataFrame:
    rows = cells[line]
    columns = {
        "transaction": (2, 3),
        "uid": (3, 9),
        "days": (21, 28),
        "status": (29, 30),
        "category": (30, 32),
        "stp": (79, 80),
    }
    table = pd.DataFrame({"line": line, **{name: _strings(rows, *span) for name, span in columns.items()}})
    for name, (start, stop) in {"from_on": (9, 15), "to_on": (15, 21)}.items():
        table[name] = pd.to_datetime(
            pd.Series(_strings(rows, start, stop), dtype="str"), format="%y%m%d", errors="coerce"
        )
    # 999999 stands for no end.
    table["to_on"] = table["to_on"].fillna(pd.Timestamp("2262-01-01"))
    return table


def _calls(cells: Cells, kind: NDArray[np.bytes_]) -> tuple[pd.DataFrame, BoolArray, NDArray[np.intp]]:
    """Public calls and which of them cannot be read, and the lines of all other locations, read in blocks."""
    starts = np.flatnonzero(kind == b"BS")
    # A block starts at the first schedule of each half a million lines.
    cuts = starts[np.unique(starts // _BLOCK_LINES, return_index=True)[1]]
    bounds = np.append(cuts, len(cells))
    blocks, passed = [_block_calls(cells[:0], kind[:0], 0, 0)], []
    for first, last in itertools.pairwise(bounds):
        block = _block_calls(cells[first:last], kind[first:last], first, int(np.searchsorted(starts, first)))
        is_wanted = block["is_public"] | block["is_bad"]
        blocks.append(block[is_wanted])
        passed.append(block["line"].to_numpy()[~is_wanted])
    calls = pd.concat(blocks, ignore_index=True)
    others = np.concatenate([np.zeros(0, dtype=np.intp), *passed])
    return calls.drop(columns=["is_public", "is_bad"]), calls["is_bad"].to_numpy(dtype=bool), others


def _block_calls(cells: Cells, kind: NDArray[np.bytes_], first_line: int, first_schedule: int) -> pd.DataFrame:
    """Location records of whole schedules, with times that run on over midnight."""
    schedule_of_line = first_schedule + np.cumsum(kind == b"BS") - 1
    line = np.flatnonzero(np.isin(kind, _LOCATIONS))
    rows, own = cells[line], kind[line]
    arrival_min, bad_arrival = _times(rows, own, _ARRIVAL)
    departure_min, bad_departure = _times(rows, own, _DEPARTURE)
    is_public = np.zeros(len(line), dtype=bool)
    for code, starts in _PUBLIC.items():
        for start in starts:
            is_public |= (own == code) & (_minutes(rows[:, start : start + 4])[0] > 0)
    calls = pd.DataFrame(
        {
            "line": first_line + line,
            "schedule": schedule_of_line[line],
            "tiploc": _strings(rows, 2, 9),
            "arrival_min": arrival_min,
            "departure_min": departure_min,
            "is_public": is_public,
            "is_bad": bad_arrival | bad_departure | (is_public & np.isnan(arrival_min) & np.isnan(departure_min)),
        }
    )
    _run_over_midnight(calls)
    return calls


def _times(rows: Cells, own: NDArray[np.bytes_], starts: dict[bytes, int]) -> tuple[FloatArray, BoolArray]:
    minutes, is_bad = np.full(len(rows), np.nan), np.zeros(len(rows), dtype=bool)
    for code, start in starts.items():
        mine = own == code
        minutes[mine], is_bad[mine] = _minutes(rows[mine, start : start + 5])
    return minutes, is_bad


def _minutes(cells: Cells) -> tuple[FloatArray, BoolArray]:
    """Minutes after midnight of HHMM with H for a half, NaN where blank, and which cells are neither."""
    digits = cells[:, :4].astype(np.int16) - ord("0")
    hour, minute = digits[:, 0] * 10 + digits[:, 1], digits[:, 2] * 10 + digits[:, 3]
    is_time = ((digits >= 0) & (digits <= 9)).all(axis=1) & (hour < 24) & (minute < 60)
    half = 0.5 * (cells[:, 4] == ord("H")) if cells.shape[1] > 4 else 0.0
    is_blank = (cells[:, :4] == _BLANK).all(axis=1)
    return np.where(is_time, hour * 60.0 + minute + half, np.nan), ~is_time & ~is_blank


def _run_over_midnight(calls: pd.DataFrame) -> None:
    """Times of each schedule never run backwards; written into the table."""
    times = calls[["arrival_min", "departure_min"]].to_numpy(dtype=float).ravel()
    schedule = np.repeat(calls["schedule"].to_numpy(), 2)
    has_time = np.isfinite(times)
    own, of = times[has_time], schedule[has_time]
    if len(own) == 0:
        return
    is_same = np.concatenate([[False], of[1:] == of[:-1]])
    days = np.cumsum(is_same & (np.concatenate([[0.0], np.diff(own)]) < 0))
    days = days - days[np.flatnonzero(~is_same)][np.cumsum(~is_same) - 1]
    times[has_time] = own + days * 1440.0
    calls[["arrival_min", "departure_min"]] = times.reshape(-1, 2)
