"""Members of a GTFS feed through the one careful door."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from geo.sources.archives import Archive
from geo.sources.delimited import DelimitedRows, split_delimited

__all__ = ["read_member", "split_member"]


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
