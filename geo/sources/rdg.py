"""The members of the Rail Delivery Group's timetable zip put together: trains, stations, change times and links."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pandas as pd

from geo.errors import InputError
from geo.sources.accounting import Reading, RowAccount, merge_quarantine
from geo.sources.archives import Archive, open_archive
from geo.sources.cif_files import CifFile, read_cif_file
from geo.sources.cif_places import Places
from geo.sources.cif_schedules import CifTimetable, Source, settle_cif
from geo.sources.feed_stops import Bounds, extend_near
from geo.sources.rdg_links import FIXED_LINK_COLUMNS, choose_links, parse_fixed_links
from geo.sources.rdg_stations import parse_master_stations

__all__ = ["FIXED_LINK_COLUMNS", "RdgMembers", "read_rdg_members"]

_SCHEDULES, _BY_HAND, _STATIONS = ".MCA", ".ZTR", ".MSN"
_LINKS = (".FLF", ".ALF")


@dataclass(frozen=True)
class RdgMembers:
    """
    What the zip holds.

    Attributes
    ----------
    timetable : CifTimetable
        Trains of the schedules and of those entered by hand.
    stops : pandas.DataFrame
        Table `geo.sources.feed_stops.FEED_STOPS`.
    interchange_min : pandas.Series
        Minutes to change trains by CRS code.
    fixed_links : pandas.DataFrame
        Columns ``from_station_id, to_station_id, mode, time_min``.
    quarantine : pandas.DataFrame
        Table `geo.tables.QUARANTINE` of all members.
    accounts : tuple of RowAccount
        Of the members but those of the timetable.
    """

    timetable: CifTimetable
    stops: pd.DataFrame
    interchange_min: pd.Series
    fixed_links: pd.DataFrame
    quarantine: pd.DataFrame
    accounts: tuple[RowAccount, ...]


def read_rdg_members(
    path: Path, *, week_start_on: date, near: Collection[str] | None, bounds: Bounds | None
) -> RdgMembers:
    """
    Read every member.

    Parameters
    ----------
    path : pathlib.Path
        The zip.
    week_start_on : datetime.date
        The Monday of the week to count.
    near : collection of str or None
        Stations of the region; None for all.
    bounds : tuple of float or None
        West, south, east and north of the region in EPSG:27700 metres.

    Returns
    -------
    RdgMembers
        Trains of both members of schedules stand side by side: what one cancels the other does not have.

    Raises
    ------
    InputError
        If a member is missing or is not what its name says.
    ResourceError
        If the zip is larger than the caps.
    """
    archive = open_archive(path)
    found = {suffix: archive.find(suffix) for suffix in (_SCHEDULES, _STATIONS, _BY_HAND, *_LINKS)}
    for suffix in (_SCHEDULES, _STATIONS):
        if found[suffix] is None:
            msg = f"{archive.name}: no member ends in {suffix!r}, expected one. Fetch the file again."
            raise InputError(msg)
    stations = parse_master_stations(archive.read(found[_STATIONS] or ""), f"{archive.name}:MSN", archive.sha256)
    places = Places(stations.station_of_tiploc, extend_near(near, stations.stops, bounds))
    sources = [
        Source(
            f"{archive.name}:{suffix[1:]}",
            archive.sha256,
            _apart(
                read_cif_file(
                    archive.pieces(member), f"{archive.name}:{suffix[1:]}", places=places, week_start_on=week_start_on
                ),
                k,
            ),
        )
        for k, suffix in enumerate((_SCHEDULES, _BY_HAND))
        if (member := found[suffix]) is not None
    ]
    timetable = settle_cif(sources, places, week_start_on=week_start_on)
    links = [
        parse_fixed_links(
            archive.read(member), f"{archive.name}:{suffix[1:]}", archive.sha256, week_start_on=week_start_on
        )
        for suffix in _LINKS
        if (member := found[suffix]) is not None
    ]
    fixed, told = _choose(links)
    return RdgMembers(
        timetable=timetable,
        stops=stations.stops,
        interchange_min=stations.interchange_min,
        fixed_links=fixed,
        quarantine=merge_quarantine([timetable.quarantine, stations.quarantine, *(link.quarantine for link in links)]),
        accounts=(
            replace(stations.account, warnings=(*stations.account.warnings, *told)),
            *(link.accounts[0] for link in links),
            *_unused(archive, found),
        ),
    )


def _choose(links: list[Reading[pd.DataFrame]]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """One time a pair of stations, and how many pairs have none that holds for most of the week."""
    if not links:
        return pd.DataFrame(columns=list(FIXED_LINK_COLUMNS)), ()
    table = pd.concat([link.table for link in links], ignore_index=True)
    fixed = choose_links(table)
    n_left = len(table.drop_duplicates(["from_station_id", "to_station_id"])) - len(fixed)
    if not n_left:
        return fixed, ()
    return fixed, (f"{n_left} pairs of stations are linked in fewer than half of the hours of the day, and left out.",)


def _apart(file: CifFile, k: int) -> CifFile:
    """The file with trains that no other member has: each numbers its own."""
    # Six letters take 48 bits.
    file.schedules["uid"] |= k << 48
    return file


def _unused(archive: Archive, found: dict[str, str | None]) -> list[RowAccount]:
    """Accounts of members whose lines are counted and not used."""
    used = set(found.values())
    accounts = []
    for member in archive.members:
        if member not in used:
            n_lines = sum(piece.count(b"\n") for piece in archive.pieces(member))
            reasons = (("out_of_scope", "not_used", n_lines),) if n_lines else ()
            accounts.append(RowAccount(f"{archive.name}:{member}", archive.sha256, n_lines, 0, reasons))
    return accounts
