"""Lines of a table that are no rows, and tables of which most rows cannot be read."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.errors import InputError
from geo.sources.quoted import MAX_FIELD_CHARACTERS
from geo.sources.sieve import REJECTED_COLUMNS

__all__ = ["leave_out_no_rows", "rejected_rows", "require_mostly_rows"]

# What the first value of a line of totals says.
_TOTALS = re.compile(rb"[\s,;|\"]*(?:grand |sub-?)?totals?:?\s*[\",;|\t]", re.IGNORECASE)
_WHOLE_FAULTS = {
    "ragged": (
        "have another number of fields than the header",
        "Separators may stand within texts, or two files be put together: export it again with texts in quotes.",
    ),
    "quoting": (
        "have a quote that does not close where its field ends",
        "Export it again, with every quote within a text doubled.",
    ),
    "too_long": (f"have a value of over {MAX_FIELD_CHARACTERS} characters", "Leave out the column of long texts."),
    "control_character": ("hold control characters", "The file may be damaged: fetch or export it again."),
    "encoding": ("hold bytes that are no text", "The file may be damaged: save it as UTF-8 again."),
}


def rejected_rows(
    lines: Sequence[int] | NDArray[np.int64],
    reasons: Sequence[str] | NDArray[np.object_],
    *,
    status: str = "quarantined",
) -> pd.DataFrame:
    """
    Build the table of rows that cannot be read.

    Parameters
    ----------
    lines, reasons : sequence or numpy.ndarray of shape (n,)
        Line and reason code of each.
    status : str
        ``quarantined`` or ``out_of_scope``.

    Returns
    -------
    pandas.DataFrame
        Columns ``source_row, status, reason, field, value``; never a value.
    """
    table = pd.DataFrame({"source_row": np.asarray(lines, dtype=np.int64), "reason": list(reasons)})
    table["status"], table["field"], table["value"] = status, None, None
    return table[list(REJECTED_COLUMNS)]


def leave_out_no_rows(
    rows: pd.DataFrame, unreadable: pd.DataFrame, data: bytes, header: list[str], name: str, warnings: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Leave out copies of the header, which files put one after the other have, and a last line of totals.

    Parameters
    ----------
    rows, unreadable : pandas.DataFrame
        As of `geo.sources.delimited.DelimitedRows`. Never modified.
    data : bytes
        The table, decoded to UTF-8.
    header : list of str
        Its names.
    name : str
        Of the file.
    warnings : list of str
        Takes a sentence about what was left out.

    Returns
    -------
    tuple of pandas.DataFrame
        Rows, and rows that are none: ``out_of_scope``, as they hold nothing of their own.

    Raises
    ------
    InputError
        If the names come again in another order.
    """
    is_names = np.ones(len(rows), dtype=bool) & (len(rows.columns) > 0)
    for column in rows:
        is_names[is_names] = rows[column][is_names].isin(header).to_numpy(dtype=bool)
        if not is_names.any():
            break
    again = rows.index[is_names]
    if len(again):
        named = np.array([rows[column][is_names] == column for column in rows])
        other = again[np.flatnonzero(~np.all(named, axis=0))]
        if len(other) and len(rows.columns) > 1:
            msg = (
                f"{name}: line {other[0]} names the columns in another order, expected one header at the top. The file "
                "is several files one after the other; give each by itself."
            )
            raise InputError(msg)
        again = again.drop(other)
    if len(again):
        warnings.append(
            f"{len(again)} rows repeat the header, the first in line {again[0]}: it is several files one after the "
            "other."
        )
    total = _line_of_totals(data)
    reasons = dict.fromkeys(again, "header_again") | ({} if total is None else {total: "total_row"})
    if not reasons:
        return rows, unreadable
    known = unreadable[~unreadable["source_row"].isin(list(reasons))]
    lines = [line for line in reasons if line in rows.index or line in set(unreadable["source_row"])]
    more = rejected_rows(lines, [reasons[line] for line in lines], status="out_of_scope")
    parts = [part for part in (known, more) if len(part)]
    every = pd.concat(parts).sort_values("source_row", kind="stable") if parts else more
    return rows[~rows.index.isin(lines)], every.reset_index(drop=True)


def _line_of_totals(data: bytes) -> int | None:
    """Number of the last line that is not blank where its first value says that it holds totals."""
    body = data.rstrip()
    before, _, last = body.rpartition(b"\n")
    if before and _TOTALS.match(last[:100]):
        return before.count(b"\n") + 2
    return None


def require_mostly_rows(rows: pd.DataFrame, unreadable: pd.DataFrame, name: str) -> None:
    """
    Pass unless there are no rows, or more than half of them cannot be read for one reason.

    Parameters
    ----------
    rows, unreadable : pandas.DataFrame
        As of `geo.sources.delimited.DelimitedRows`.
    name : str
        Of the file.

    Raises
    ------
    InputError
        If there are none, or they cannot; the cause and the first line are named.
    """
    faults = unreadable[unreadable["status"] == "quarantined"]
    n_rows = len(rows) + len(unreadable)
    if not n_rows:
        msg = f"{name}: it has 0 rows below its header, expected at least one. Export it again."
        raise InputError(msg)
    for reason, (what, cure) in _WHOLE_FAULTS.items():
        lines = faults["source_row"][faults["reason"] == reason]
        if 2 * len(lines) > n_rows:
            msg = (
                f"{name}: {len(lines)} of {n_rows} rows {what} (the first in line {lines.min()}), expected at most "
                f"half. {cure}"
            )
            raise InputError(msg)
