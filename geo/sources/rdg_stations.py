"""Stations, change times and fixed links of the Rail Delivery Group's timetable: members MSN, FLF and ALF."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geo.errors import InputError
from geo.sources.accounting import Reading, RowAccount
from geo.sources.fates import account_fates

__all__ = ["FIXED_LINK_COLUMNS", "MasterStations", "parse_fixed_links", "parse_master_stations"]

FIXED_LINK_COLUMNS = ("from_station_id", "to_station_id", "mode", "time_min")
_LINK = re.compile(r"ADDITIONAL LINK: (\w+) BETWEEN (\w{3}) AND (\w{3}) IN +(\d+) MINUTES")
_FAULTS = ("bad_station_record", "bad_link")
_CODE = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True)
class MasterStations:
    """
    The master station names file.

    Attributes
    ----------
    station_of_tiploc : pandas.Series
        CRS code by TIPLOC.
    interchange_min : pandas.Series
        Minutes to change trains by CRS code.
    quarantine : pandas.DataFrame
        Table `geo.tables.QUARANTINE`.
    account : RowAccount
        Where its lines went.
    """

    station_of_tiploc: pd.Series
    interchange_min: pd.Series
    quarantine: pd.DataFrame
    account: RowAccount


def parse_master_stations(data: bytes, source_file: str, sha256: str) -> MasterStations:
    """
    Parse the station records of the MSN member.

    Parameters
    ----------
    data : bytes
        The whole member.
    source_file, sha256 : str
        Its name and the hash of its file.

    Returns
    -------
    MasterStations
        A station with several TIPLOCs has the longest of their change times.

    Raises
    ------
    InputError
        If no line is a station record.
    """
    lines = data.decode("latin-1").splitlines()
    found, fates = [], []
    for line in lines:
        if not line.startswith("A    "):
            fates.append("not_a_station_record")
            continue
        tiploc, code, change = line[36:43].strip(), line[49:52], line[63:65].strip()
        if "FILE-SPEC" in line:
            fates.append("header")
        elif not tiploc or not _CODE.fullmatch(code) or not change.isdigit():
            fates.append("bad_station_record")
        else:
            fates.append("")
            found.append((tiploc, code, float(change)))
    if not found:
        msg = f"{source_file}: it has no station record, expected lines that start with 'A'. Fetch the file again."
        raise InputError(msg)
    table = pd.DataFrame(found, columns=["tiploc", "station_id", "change_min"])
    account, quarantine = account_fates(source_file, sha256, fate=np.array(fates, dtype=object), faults=_FAULTS)
    return MasterStations(
        station_of_tiploc=table.drop_duplicates("tiploc").set_index("tiploc")["station_id"],
        interchange_min=table.groupby("station_id")["change_min"].max(),
        quarantine=quarantine,
        account=account,
    )


def parse_fixed_links(data: bytes, source_file: str, sha256: str) -> Reading[pd.DataFrame]:
    """
    Parse the links between stations of the FLF or the ALF member.

    Parameters
    ----------
    data : bytes
        The whole member.
    source_file, sha256 : str
        Its name and the hash of its file.

    Returns
    -------
    Reading of pandas.DataFrame
        Columns ``from_station_id, to_station_id, mode, time_min``. FLF links hold both ways and give two rows; ALF
        links hold one way, and their days and hours are left aside.
    """
    found: list[tuple[str, str, str, float]] = []
    fates = []
    for line in data.decode("latin-1").splitlines():
        links = _read_link(line)
        found += links
        is_comment = line.startswith("/!!") or line.strip() in {"", "END"}
        fates.append("" if links else "comment" if is_comment else "bad_link")
    table = pd.DataFrame(found, columns=list(FIXED_LINK_COLUMNS))
    account, quarantine = account_fates(source_file, sha256, fate=np.array(fates, dtype=object), faults=_FAULTS)
    return Reading(table, quarantine, (account,))


def _read_link(line: str) -> list[tuple[str, str, str, float]]:
    """The links of one line, none where it is not one."""
    both_ways = _LINK.match(line)
    if both_ways:
        mode, a, b, minutes = both_ways.groups()
        return [(a, b, mode.lower(), float(minutes)), (b, a, mode.lower(), float(minutes))]
    pairs = dict(part.split("=", 1) for part in line.strip().split(",") if "=" in part)
    if _CODE.fullmatch(pairs.get("O", "")) and _CODE.fullmatch(pairs.get("D", "")) and pairs.get("T", "").isdigit():
        return [(pairs["O"], pairs["D"], pairs.get("M", "").lower(), float(pairs["T"]))]
    return []
