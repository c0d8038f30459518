"""Row conservation: read = accepted + quarantined + duplicate + out of scope, by file and by reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pandas as pd

from geo.errors import IntegrityError
from geo.schema import empty, validate
from geo.tables import QUARANTINE

__all__ = ["Reading", "RowAccount", "merge_accounts", "merge_quarantine", "quarantine_rows"]

Table = TypeVar("Table")


@dataclass(frozen=True)
class RowAccount:
    """
    Where the rows of one file went.

    Attributes
    ----------
    source_file : str
        File name, without its folder.
    sha256 : str
        Hash of the file's bytes.
    n_read, n_accepted : int
        Rows read and rows in the table.
    n_by_reason : tuple of (str, str, int)
        Status, reason code and number of rows, sorted.
    warnings : tuple of str
        What is right but poorer, one sentence each.
    """

    source_file: str
    sha256: str
    n_read: int
    n_accepted: int
    n_by_reason: tuple[tuple[str, str, int], ...] = ()
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n_rejected = sum(n for _, _, n in self.n_by_reason)
        if self.n_read != self.n_accepted + n_rejected:
            msg = (
                f"{self.source_file}: {self.n_read} rows read but {self.n_accepted} accepted and "
                f"{n_rejected} rejected, expected the sum to agree. This is a defect in the reader; report it."
            )
            raise IntegrityError(msg)

    def to_record(self) -> dict[str, Any]:
        """
        Give the account as plain values for ``run.json``.

        Returns
        -------
        dict
            JSON-ready values.
        """
        return {
            "source_file": self.source_file,
            "sha256": self.sha256,
            "n_read": self.n_read,
            "n_accepted": self.n_accepted,
            "n_by_reason": [{"status": s, "reason": r, "n": n} for s, r, n in self.n_by_reason],
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True)
class Reading(Generic[Table]):
    """
    What a reader returns.

    Attributes
    ----------
    table : pandas.DataFrame, geopandas.GeoDataFrame or SensitivePoints
        The accepted rows, keeping the contract the reader names.
    quarantine : pandas.DataFrame
        Table `geo.tables.QUARANTINE`: every row that was not accepted.
    accounts : tuple of RowAccount
        One for each file.
    """

    table: Table
    quarantine: pd.DataFrame
    accounts: tuple[RowAccount, ...]


def quarantine_rows(
    source_file: str,
    rows: pd.DataFrame,
) -> pd.DataFrame:
    """
    Build a quarantine table from the rejected rows of one file.

    Parameters
    ----------
    source_file : str
        File name.
    rows : pandas.DataFrame
        Columns ``source_row, status, reason, field, value``.

    Returns
    -------
    pandas.DataFrame
        Table `geo.tables.QUARANTINE`, ordered by line.
    """
    if rows.empty:
        return empty(QUARANTINE)
    table = rows.sort_values("source_row", kind="stable").reset_index(drop=True)
    table["source_file"] = source_file
    table["source_row"] = table["source_row"].astype("int64")
    for column in ("status", "reason", "field", "value"):
        table[column] = table[column].astype("str").where(table[column].notna(), None)
    table.index = pd.Index([f"{source_file}:{row}" for row in table["source_row"]], name=QUARANTINE.index, dtype="str")
    return validate(table[list(QUARANTINE.columns)], QUARANTINE)


def merge_quarantine(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """
    Put quarantine tables one after the other, ordered by file and line.

    Parameters
    ----------
    tables : sequence of pandas.DataFrame
        Tables `geo.tables.QUARANTINE`.

    Returns
    -------
    pandas.DataFrame
        Table `geo.tables.QUARANTINE`.
    """
    full = [table for table in tables if len(table)]
    if not full:
        return empty(QUARANTINE)
    return validate(pd.concat(full).sort_values(["source_file", "source_row"], kind="stable"), QUARANTINE)


def merge_accounts(readings: Sequence[Reading[Any]]) -> tuple[RowAccount, ...]:
    """
    Collect the accounts of several readings.

    Parameters
    ----------
    readings : sequence of Reading
        What the readers returned.

    Returns
    -------
    tuple of RowAccount
        Ordered by file name.
    """
    return tuple(sorted((a for r in readings for a in r.accounts), key=lambda account: account.source_file))
