"""Stations of a GTFS feed: stops and platforms of ``stops.txt`` folded into CRS codes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from geo.crs import to_metric_arrays
from geo.sources.accounting import RowAccount
from geo.sources.archives import Archive
from geo.sources.delimited import DelimitedRows
from geo.sources.fates import account_member
from geo.sources.feed_stops import build_feed_stops, no_feed_stops
from geo.sources.gtfs_members import read_member
from geo.sources.locations import parse_numbers

__all__ = ["Stops", "read_stops"]

_CRS = r"[A-Z]{3}"
_OPTIONAL = ("stop_code", "parent_station", "stop_name", "stop_lat", "stop_lon")
# A box round Great Britain, in degrees.
_LON_DEG, _LAT_DEG = (-8.7, 1.8), (49.8, 60.9)
# A rail station's id in the national gazetteer of stops is 9100 and its TIPLOC; its parent's 910G and that.
_ATCO = r"910[0G]([A-Z0-9]{2,8})"


@dataclass(frozen=True)
class Stops:
    """
    Station of every stop.

    Attributes
    ----------
    codes : pandas.Series or None
        CRS code by ``stop_id``; None where none is known and a stop's own id is its station.
    found : DelimitedRows or None
        Rows of ``stops.txt``.
    table : pandas.DataFrame
        Table `geo.sources.feed_stops.FEED_STOPS`.
    """

    codes: pd.Series | None
    found: DelimitedRows | None
    table: pd.DataFrame

    def station(self, stop_ids: pd.Series) -> pd.Series:
        """
        Give the station of each call.

        Parameters
        ----------
        stop_ids : pandas.Series
            Ids of stops.

        Returns
        -------
        pandas.Series
            CRS codes, null where a stop has none.
        """
        return stop_ids.astype("str") if self.codes is None else stop_ids.map(self.codes)

    def account(self, called: set[str]) -> list[tuple[RowAccount, pd.DataFrame]]:
        """
        Account for the rows of ``stops.txt``.

        Parameters
        ----------
        called : set of str
            Stops that trips in use call at.

        Returns
        -------
        list of (RowAccount, pandas.DataFrame)
            Empty where there is no such member.
        """
        if self.found is None:
            return []
        rows = self.found.rows
        is_called = rows["stop_id"].isin(called)
        has_code = self.station(rows["stop_id"]).notna()
        fate = pd.Series("", index=rows.index, dtype=object)
        fate[is_called & ~has_code] = "no_station_code"
        fate[~is_called] = "not_called_at"
        fates = pd.DataFrame({"fate": fate, "value": rows["stop_id"].astype("str")})
        return [
            account_member(
                self.found.source_file,
                self.found.sha256,
                fates,
                faults=(),
                field="stop_id",
                unreadable=self.found.unreadable,
                warnings=self.found.warnings,
            )
        ]


def read_stops(archive: Archive, station_of_stop: pd.Series | None) -> Stops:
    """
    Find the CRS code of every stop.

    Parameters
    ----------
    archive : Archive
        The feed.
    station_of_stop : pandas.Series or None
        CRS codes by ``stop_id`` or TIPLOC, which come first.

    Returns
    -------
    Stops
        By the given codes, else a stop's own ``stop_code`` or id if that is a CRS code, else those of its parent.

    Raises
    ------
    InputError
        If ``stops.txt`` is no table of stops.
    """
    given = pd.Series(dtype="str") if station_of_stop is None else station_of_stop
    if "stops.txt" not in archive.members:
        return Stops(None if station_of_stop is None else given, None, no_feed_stops())
    found = read_member(archive, "stops.txt", required=("stop_id",), optional=_OPTIONAL)
    rows = found.rows.drop_duplicates("stop_id").set_index("stop_id")
    ids = rows.index.to_series()
    nothing = pd.Series("", index=rows.index)
    tiploc = ids.str.extract(f"^{_ATCO}$")[0]
    code = rows.get("stop_code", nothing)
    own = ids.map(given).astype(object).fillna(tiploc.map(given).astype(object))
    own = own.fillna(code.where(code.str.fullmatch(_CRS))).fillna(ids.where(ids.str.fullmatch(_CRS)))
    parent = rows.get("parent_station", nothing)
    # A platform's parent may have a parent of its own.
    for _ in range(2):
        own = own.fillna(parent.map(own))
    known = own.dropna()
    codes = pd.concat([known, given[~given.index.isin(known.index)]]).astype("str")
    # Where no stop has a code each is its own station.
    return Stops(codes if len(codes) else None, found, _stations(rows, own if len(codes) else ids))


def _stations(rows: pd.DataFrame, station: pd.Series) -> pd.DataFrame:
    """Table `FEED_STOPS`: a station has the name and place of its own row rather than those of a platform."""
    nothing = pd.Series("", index=rows.index)
    rows, station = rows[station.notna()], station.dropna()
    is_platform = rows.get("parent_station", nothing).reindex(rows.index).ne("")
    ordered = rows.index[np.argsort(is_platform.to_numpy(), kind="stable")]
    rows = rows.loc[ordered]
    lon, lat = (parse_numbers(rows.get(name, nothing).reindex(ordered)) for name in ("stop_lon", "stop_lat"))
    # A place elsewhere is none: swapped columns and null island are not guessed at.
    here = (lon >= _LON_DEG[0]) & (lon <= _LON_DEG[1]) & (lat >= _LAT_DEG[0]) & (lat <= _LAT_DEG[1])
    easting_m, northing_m = to_metric_arrays(np.where(here, lon, np.nan), np.where(here, lat, np.nan))
    names = rows.get("stop_name", nothing).reindex(ordered)
    return build_feed_stops(station.loc[ordered].astype("str"), names, easting_m, northing_m)
