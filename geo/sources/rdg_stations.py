"""Stations of the Rail Delivery Group's timetable: member MSN, with TIPLOCs, change times and positions."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geo.errors import InputError
from geo.naming import name_some
from geo.sources.accounting import RowAccount
from geo.sources.fates import account_fates
from geo.sources.feed_stops import build_feed_stops

__all__ = ["MasterStations", "parse_master_stations", "require_trailer"]

_FAULTS = ("bad_station_record",)
_MOST_SHOWN = 5
_CODE = re.compile(r"[A-Z]{3}")
_POSITION = re.compile(r"1(\d{4})[ E]6(\d{4})")
# Eastings are 10000 and tenths of a kilometre, northings 60000 and tenths: kept to the square they name.
_METRES_PER_TENTH_KM = 100.0
_START, _END = "/!! Start of file", "/!! End of file"


@dataclass(frozen=True)
class MasterStations:
    """
    The master station names file.

    Attributes
    ----------
    station_of_tiploc : dict of str to str
        CRS code by TIPLOC, and by the code with four dashes that schedules entered by hand call at.
    interchange_min : pandas.Series
        Minutes to change trains by CRS code; a station without them is not in it.
    stops : pandas.DataFrame
        Table `geo.sources.feed_stops.FEED_STOPS`.
    quarantine : pandas.DataFrame
        Table `geo.tables.QUARANTINE`.
    account : RowAccount
        Where its lines went.
    """

    station_of_tiploc: dict[str, str]
    interchange_min: pd.Series
    stops: pd.DataFrame
    quarantine: pd.DataFrame
    account: RowAccount


def require_trailer(lines: list[str], source_file: str) -> None:
    """
    Pass if a member that says where it starts says where it ends, too.

    Parameters
    ----------
    lines : list of str
        Of the whole member.
    source_file : str
        Its name, for the message.

    Raises
    ------
    InputError
        If it has a first line and no last one.
    """
    whole = [line for line in lines if line.strip()]
    if whole and whole[0].startswith(_START) and not whole[-1].startswith(_END):
        msg = (
            f"{source_file}: its last line is {whole[-1].strip()[:20]!r}, expected {_END!r}. The file is cut short: "
            "fetch it again."
        )
        raise InputError(msg)


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
        If no line is a station record, or the member is cut short.
    """
    lines = data.decode("latin-1").splitlines()
    require_trailer(lines, source_file)
    found, fates = [], []
    for line in lines:
        fate, station = _read_station(line)
        fates.append(fate)
        if station is not None:
            found.append(station)
    if not found:
        msg = f"{source_file}: it has no station record, expected lines that start with 'A'. Fetch the file again."
        raise InputError(msg)
    table = pd.DataFrame(
        found, columns=["tiploc", "minor", "station_id", "name", "change_min", "easting_m", "northing_m"]
    )
    account, quarantine = account_fates(
        source_file,
        sha256,
        fate=np.array(fates, dtype=object),
        faults=_FAULTS,
        value=np.array([line[5:35].strip() for line in lines], dtype=object),
        warnings=_tell_changes(table),
    )
    by_hand = {f"{minor}----": code for minor, code in zip(table["minor"], table["station_id"], strict=True)}
    first = table.drop_duplicates("tiploc")
    by_tiploc = dict(zip(first["tiploc"], first["station_id"], strict=True))
    return MasterStations(
        station_of_tiploc={**by_hand, **{f"{code}----": code for code in table["station_id"]}, **by_tiploc},
        interchange_min=table.groupby("station_id")["change_min"].max().dropna(),
        stops=build_feed_stops(
            table["station_id"], table["name"], table["easting_m"].to_numpy(), table["northing_m"].to_numpy()
        ),
        quarantine=quarantine,
        account=account,
    )


def _read_station(line: str) -> tuple[str, tuple[str, str, str, str, float, float, float] | None]:
    """The fate of a line, and TIPLOC, minor code, CRS code, name, change time and position where it is a station."""
    if not line.startswith("A    "):
        return "not_a_station_record", None
    if "FILE-SPEC" in line:
        return "header", None
    tiploc, minor, code, change = line[36:43].strip(), line[43:46], line[49:52], line[63:65].strip()
    if not tiploc or not _CODE.fullmatch(code):
        return "bad_station_record", None
    at = _POSITION.fullmatch(line[52:63])
    easting_m, northing_m = (float(part) * _METRES_PER_TENTH_KM for part in at.groups()) if at else (np.nan, np.nan)
    # Without a change time, or with one that is no number, the default holds: the station is there all the same.
    change_min = float(change) if change.isdecimal() else np.inf if change else np.nan
    return "", (tiploc, minor, code, line[5:35].strip(), change_min, easting_m, northing_m)


def _tell_changes(table: pd.DataFrame) -> list[str]:
    """Which change times cannot be read; they are taken out of the table."""
    odd = np.isinf(table["change_min"])
    codes = sorted(table.loc[odd, "station_id"])
    table.loc[odd, "change_min"] = np.nan
    if not codes:
        return []
    shown = name_some(codes, _MOST_SHOWN)
    return [f"{len(codes)} change times are no numbers, so that the default holds: {shown}."]
