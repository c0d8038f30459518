"""Members of a GTFS feed through the one careful door, and an account for each of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import pandas as pd

from geo.sources.accounting import RowAccount, quarantine_rows
from geo.sources.archives import Archive
from geo.sources.delimited import DelimitedRows, split_delimited

__all__ = ["account_member", "read_member", "split_member"]


def read_member(
    archive: Archive, member: str, *, required: Sequence[str], optional: Sequence[str] = ()
) -> DelimitedRows:
    """
    Read a member whole.

    Parameters
    ----------
    archive : Archive
        The feed.
    member : str
        Name of the member.
    required, optional : sequence of str
        Columns to return.

    Returns
    -------
    DelimitedRows
        Text, indexed by line.

    Raises
    ------
    InputError
        If the member or a column is missing, or it is no table.
    """
    return split_member(archive, member, archive.read(member), required=required, optional=optional)


def split_member(
    archive: Archive, member: str, raw: bytes, *, required: Sequence[str], optional: Sequence[str] = ()
) -> DelimitedRows:
    """
    Split a member, or a piece of it with the header before it.

    Parameters
    ----------
    archive : Archive
        The feed.
    member : str
        Name of the member.
    raw : bytes
        The piece.
    required, optional : sequence of str
        Columns to return. That a feed has others is no news.

    Returns
    -------
    DelimitedRows
        Text, indexed by line.

    Raises
    ------
    InputError
        If a column is missing, or it is no table.
    """
    name = f"{archive.name}:{member}"
    found = split_delimited(raw, name=name, sha256=archive.sha256, required=required, optional=optional)
    told = tuple(text for text in found.warnings if not text.startswith("columns not used"))
    return replace(found, warnings=told)


def account_member(
    name: str,
    sha256: str,
    fates: pd.DataFrame,
    *,
    faults: Collection[str],
    field: str,
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
    field : str
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
    bad = {*faults, *rejected["reason"]}
    counts = sorted(
        ("quarantined" if reason in bad else "out_of_scope", str(reason), int(n))
        for reason, n in by_fate.items()
        if reason != "" and n > 0
    )
    account = RowAccount(name, sha256, n_read, n_used, tuple(counts), tuple(warnings))
    return account, quarantine_rows(name, rejected)
