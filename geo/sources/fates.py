"""Accounts of timetable files: one reason a record, faults listed, records that are only not asked for counted."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.sources.accounting import RowAccount, quarantine_rows

__all__ = ["account_fates", "account_member"]


def account_fates(
    source_file: str,
    sha256: str,
    *,
    fate: NDArray[np.object_],
    faults: Collection[str],
    line: NDArray[np.intp] | None = None,
    field: str | None = None,
    value: NDArray[np.object_] | None = None,
    warnings: Sequence[str] = (),
) -> tuple[RowAccount, pd.DataFrame]:
    """
    Count the records of one file by their fate and list the faulty ones.

    Parameters
    ----------
    source_file, sha256 : str
        Name and hash of the file.
    fate : numpy.ndarray of shape (n_records,)
        Why each record is not used; empty text where it is.
    faults : collection of str
        Reasons that are faults; records with any other reason are whole but out of scope.
    line : numpy.ndarray of shape (n_records,), optional
        Line numbers; from 1 where not given.
    field : str, optional
        The field at fault.
    value : numpy.ndarray of shape (n_records,), optional
        Its values.
    warnings : sequence of str
        What is right but poorer.

    Returns
    -------
    tuple of RowAccount and pandas.DataFrame
        The account, and table `geo.tables.QUARANTINE` of the faulty records.
    """
    table = pd.DataFrame({"reason": pd.array(fate, dtype="str")})
    table["source_row"] = np.arange(1, len(fate) + 1) if line is None else line
    table["value"] = None if value is None else pd.array(value, dtype="str")
    table["field"] = field
    rejected = table[table["reason"] != ""]
    is_fault = rejected["reason"].isin(list(faults))
    counts = [
        (status, str(reason), int(n))
        for status, part in (("out_of_scope", rejected[~is_fault]), ("quarantined", rejected[is_fault]))
        for reason, n in part["reason"].value_counts().sort_index().items()
    ]
    account = RowAccount(source_file, sha256, len(table), len(table) - len(rejected), tuple(counts), tuple(warnings))
    return account, quarantine_rows(source_file, rejected[is_fault].assign(status="quarantined"))


def account_member(
    name: str,
    sha256: str,
    fates: pd.DataFrame,
    *,
    faults: Collection[str],
    field: str | None,
    unreadable: pd.DataFrame | None = None,
    counted: Mapping[str, int] | None = None,
    warnings: Sequence[str] = (),
) -> tuple[RowAccount, pd.DataFrame]:
    """
    Count the rows of a member by their fate, and list the faulty ones.

    Parameters
    ----------
    name, sha256 : str
        Feed and member, and the feed's hash.
    fates : pandas.DataFrame
        Index line; ``fate``, empty text where the row is used, and ``value`` of `field`.
    faults : collection of str
        Fates that are faults; rows of any other are whole but out of scope.
    field : str or None
        The field that a fault names.
    unreadable : pandas.DataFrame or None
        Rows that the door rejected.
    counted : mapping of str to int or None
        Rows that were only counted, by fate; empty text for rows that are used.
    warnings : sequence of str
        What is right but poorer.

    Returns
    -------
    tuple of RowAccount and pandas.DataFrame
        The account, and table `geo.tables.QUARANTINE` of the faulty rows.
    """
    by_fate = fates["fate"].value_counts().add(pd.Series(dict(counted or {}), dtype="float64"), fill_value=0)
    is_fault = fates["fate"].isin(list(faults))
    rejected = pd.DataFrame(
        {
            "source_row": fates.index[is_fault].astype("int64"),
            "status": "quarantined",
            "reason": fates.loc[is_fault, "fate"].to_numpy(),
            "field": field,
            "value": fates.loc[is_fault, "value"].to_numpy(),
        }
    )
    if unreadable is not None and len(unreadable):
        rejected = pd.concat([rejected, unreadable], ignore_index=True)
        by_fate = by_fate.add(unreadable["reason"].value_counts(), fill_value=0)
    n_read, n_used = int(by_fate.sum()), int(by_fate.get("", 0))
    # The door says of its own rows how they are to be taken: a second header is no fault.
    status = dict.fromkeys(faults, "quarantined")
    status |= {str(reason): str(kind) for reason, kind in zip(rejected["reason"], rejected["status"], strict=True)}
    counts = sorted(
        (status.get(str(reason), "out_of_scope"), str(reason), int(n))
        for reason, n in by_fate.items()
        if reason != "" and n > 0
    )
    account = RowAccount(name, sha256, n_read, n_used, tuple(counts), tuple(warnings))
    return account, quarantine_rows(name, rejected)
