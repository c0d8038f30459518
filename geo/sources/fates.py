"""Accounts of timetable files: one reason a record, faults listed, records that are only not asked for counted."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.sources.accounting import RowAccount, quarantine_rows

__all__ = ["account_fates"]


def account_fates(
    source_file: str,
    sha256: str,
    *,
    fate: NDArray[np.object_],
    faults: Collection[str],
    line: NDArray[np.intp] | None = None,
    field: str | None = None,
    value: NDArray[np.object_] | None = None,
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
    account = RowAccount(source_file, sha256, len(table), len(table) - len(rejected), tuple(counts))
    return account, quarantine_rows(source_file, rejected[is_fault].assign(status="quarantined"))
