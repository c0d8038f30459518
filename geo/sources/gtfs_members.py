"""Members of a GTFS feed through the one careful door, and the count of those that are not used."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import pandas as pd

from geo.sources.accounting import RowAccount, quarantine_rows
from geo.sources.archives import Archive
from geo.sources.delimited import DelimitedRows, split_delimited

__all__ = ["count_unused", "read_member", "split_member"]


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


def count_unused(archive: Archive, used: Collection[str]) -> list[tuple[RowAccount, pd.DataFrame]]:
    """
    Count the lines of members that are not used.

    Parameters
    ----------
    archive : Archive
        The feed.
    used : collection of str
        Names of members that have an account already.

    Returns
    -------
    list of (RowAccount, pandas.DataFrame)
        An account a member, of its lines below the header, and an empty quarantine.

    Raises
    ------
    InputError
        If a member is damaged.
    """
    parts = []
    for member in archive.members:
        if member in used or member.endswith("/"):
            continue
        n_lines = max(0, sum(piece.count(b"\n") for piece in archive.pieces(member)) - 1)
        reasons = (("out_of_scope", "not_used", n_lines),) if n_lines else ()
        account = RowAccount(f"{archive.name}:{member}", archive.sha256, n_lines, 0, reasons)
        parts.append((account, quarantine_rows(account.source_file, pd.DataFrame())))
    return parts
