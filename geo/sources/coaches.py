"""
Coaches and buses: GTFS feeds in, stops, stopping patterns and the departures of one week out.

Feeds go through the door of `geo.sources.gtfs`, so that every row of theirs has an account. What is different is where
people get on: a bus station has a stop for every bay, and a street one on either side, none of them with a CRS code.
Stops are put together as one coach stop by two rules:

1. Stops with the same parent station are one, at the mean of their positions and under the parent's name.
2. What is left goes to a leader within `cluster_m` of it. Leaders are found in turn, whoever has the most others within
   that distance first, so that the bays of a bus station gather around its middle, and no chain of stops along a street
   becomes one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from shapely.geometry.base import BaseGeometry

from geo.crs import to_metric_arrays
from geo.errors import InputError, UsageError
from geo.schema import validate
from geo.sources.accounting import RowAccount, merge_quarantine
from geo.sources.archives import open_archive
from geo.sources.gtfs import read_gtfs
from geo.sources.gtfs_members import read_member
from geo.sources.locations import cover
from geo.tables import SERVICE_CALLS, SERVICE_DEPARTURES, STATIONS

__all__ = ["COACH_ROUTES", "STOP_CLUSTER_M", "CoachReading", "fold_stops", "read_coaches"]

# ASSUMPTION: about two minutes on foot, across a bus station and no farther.
STOP_CLUSTER_M = 150.0
# Bus and trolleybus of GTFS; coaches, buses and trolleybuses of its extension.
COACH_ROUTES = frozenset({3, 11, *range(200, 300), *range(700, 800), 800})
# ASSUMPTION: a night coach runs ten hours without a call; no train does.
_LONGEST_RUN_MIN = 720.0
_PREFIX = "coach-"

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class CoachReading:
    """
    Coaches and buses of one week.

    Attributes
    ----------
    stops : pandas.DataFrame
        Table `geo.tables.STATIONS` of the region's coach stops that one calls at, by ``coach-`` and the id of the stop
        or parent.
    calls, departures : pandas.DataFrame
        Tables `geo.tables.SERVICE_CALLS` and `SERVICE_DEPARTURES` of the coaches that call there, with all their calls.
    quarantine : pandas.DataFrame
        Table `geo.tables.QUARANTINE`.
    accounts : tuple of RowAccount
        One for each member of each feed.
    """

    stops: pd.DataFrame
    calls: pd.DataFrame
    departures: pd.DataFrame
    quarantine: pd.DataFrame
    accounts: tuple[RowAccount, ...]


def read_coaches(
    paths: Sequence[Path],
    *,
    week_start_on: date,
    force_area: BaseGeometry | None = None,
    near: Callable[[pd.DataFrame], Collection[str]] | None = None,
    cluster_m: float = STOP_CLUSTER_M,
) -> CoachReading:
    """
    Read GTFS feeds of coaches and buses.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Zip files; in any order. A coach that is in two of them counts twice.
    week_start_on : datetime.date
        The Monday of the week to count.
    force_area : shapely geometry or None
        EPSG:27700 polygons that set ``is_in_force``; None puts every stop in.
    near : callable or None
        Of table `STATIONS` of all stops, the ids of those in the region: coaches that call at none of them are out of
        scope. None for all.
    cluster_m : float
        Metres within which stops are one, as for `fold_stops`.

    Returns
    -------
    CoachReading
        Of all feeds.

    Raises
    ------
    InputError
        If a feed or a member of it cannot be used, or no stop of a feed has a position.
    UsageError
        If `cluster_m` is not above 0, or `week_start_on` is no Monday.
    """
    ordered = sorted(paths)
    raw = [_read_stops(path) for path in ordered]
    stops, stop_of = fold_stops(pd.concat(raw, keys=range(len(raw))), cluster_m=cluster_m)
    stops["is_in_force"] = cover(force_area, stops["easting_m"].to_numpy(), stops["northing_m"].to_numpy())
    stops = validate(stops, STATIONS)
    here = set(stops.index) if near is None else set(near(stops))
    readings = [
        read_gtfs(
            path,
            week_start_on=week_start_on,
            station_of_stop=stop_of.loc[k],
            route_types=COACH_ROUTES,
            near=here,
            longest_run_min=_LONGEST_RUN_MIN,
        )
        for k, path in enumerate(ordered)
    ]
    calls = [_numbered(reading.calls, k) for k, reading in enumerate(readings)]
    departures = [_numbered(reading.departures, k) for k, reading in enumerate(readings)]
    called = validate(_merge_stands(pd.concat(calls)), SERVICE_CALLS)
    is_here = stops.index.isin(list(here)) & stops.index.isin(called["station_id"])
    accounts = [account for k, reading in enumerate(readings) for account in _told(reading.accounts, raw[k])]
    return CoachReading(
        stops=stops[is_here],
        calls=called,
        departures=validate(pd.concat(departures), SERVICE_DEPARTURES),
        quarantine=merge_quarantine([reading.quarantine for reading in readings]),
        accounts=tuple(accounts),
    )


def fold_stops(stops: pd.DataFrame, *, cluster_m: float = STOP_CLUSTER_M) -> tuple[pd.DataFrame, pd.Series]:
    """
    Put the stops of a bus station or a street together, by the two rules at the head of this module.

    Parameters
    ----------
    stops : pandas.DataFrame
        ``name, parent, easting_m, northing_m``, uniquely indexed by feed and stop id; ``parent`` is empty text where
        there is none. A stop without a position is left out, unless others of its parent have one. Never modified.
    cluster_m : float
        Farthest that a stop may be from the leader it goes to, metres.

    Returns
    -------
    pandas.DataFrame
        ``name, easting_m, northing_m`` by ``station_id``, ordered: ``coach-`` and the id of leader or parent, with a
        number after it where two feeds mean different places by one id.
    pandas.Series
        ``station_id`` by feed and stop id.

    Raises
    ------
    UsageError
        If `cluster_m` is not above 0.

    Examples
    --------
    >>> bays = pd.DataFrame(
    ...     {"name": ["Bay 1", "Bay 2", "High Street"], "parent": "", "easting_m": [0.0, 30.0, 500.0],
    ...      "northing_m": 0.0}, index=pd.MultiIndex.from_product([[0], ["a", "b", "c"]]))
    >>> fold_stops(bays)[1].tolist()
    ['coach-a', 'coach-a', 'coach-c']
    """
    if not (np.isfinite(cluster_m) and cluster_m > 0):
        msg = f"cluster_m: is {cluster_m!r}, expected metres above 0. Set coaches.stop_cluster_m to 150."
        raise UsageError(msg)
    ordered = stops.sort_index(kind="stable")
    ordered.index.names = ["feed", "stop"]
    table = ordered.reset_index()
    table["owner"] = table["parent"].where(table["parent"] != "", table["stop"])
    # Rule 1: a parent that has no position of its own lies amid its bays.
    owners = table.dropna(subset="easting_m").groupby(["feed", "owner"])[["easting_m", "northing_m"]].mean()
    names = ordered["name"].rename_axis(["feed", "owner"])
    owners = owners.join(names).reset_index()
    # Rule 2.
    is_parent = owners["owner"].isin(table["parent"]).to_numpy(dtype=bool)
    leader = _find_leaders(owners[["easting_m", "northing_m"]].to_numpy(dtype=float), cluster_m, first=is_parent)
    folded = owners.iloc[np.unique(leader)]
    ids = pd.Series(_name_uniquely(folded["owner"]), index=folded.index, dtype="str")
    station_of = pd.Series(ids.reindex(leader).to_numpy(), index=pd.MultiIndex.from_frame(owners[["feed", "owner"]]))
    stop_of = pd.Series(
        station_of.reindex(pd.MultiIndex.from_frame(table[["feed", "owner"]])).to_numpy(), index=ordered.index
    ).dropna()
    folded = folded.set_axis(pd.Index(ids, name=STATIONS.index, dtype="str"))
    return folded[["name", "easting_m", "northing_m"]].astype({"name": "str"}).sort_index(), stop_of


def _find_leaders(at_m: FloatArray, cluster_m: float, *, first: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The leader of each, itself for a leader: whoever has most others near, then who is `first`, then by order."""
    if not len(at_m):
        return np.zeros(0, dtype=np.int64)
    pairs = cKDTree(at_m).query_pairs(cluster_m, output_type="ndarray")
    near: list[list[int]] = [[k] for k in range(len(at_m))]
    for a, b in pairs.tolist():
        near[a].append(b)
        near[b].append(a)
    order = sorted(range(len(at_m)), key=lambda k: (-len(near[k]), not first[k], k))
    leader = np.full(len(at_m), -1, dtype=np.int64)
    for k in order:
        if leader[k] < 0:
            free = [other for other in near[k] if leader[other] < 0]
            leader[free] = k
    return leader


def _name_uniquely(stops: Iterable[str]) -> list[str]:
    """``coach-`` and the stop's id, numbered where an id comes again."""
    seen: dict[str, int] = {}
    ids = []
    for stop in stops:
        seen[stop] = seen.get(stop, 0) + 1
        ids.append(f"{_PREFIX}{stop}" + (f"-{seen[stop]}" if seen[stop] > 1 else ""))
    return ids


def _read_stops(path: Path) -> pd.DataFrame:
    """``name, parent, easting_m, northing_m`` by stop id, positions null where the feed has none that can be."""
    found = read_member(
        open_archive(path),
        "stops.txt",
        required=("stop_id", "stop_name", "stop_lat", "stop_lon"),
        optional=("parent_station",),
    )
    rows = found.rows.drop_duplicates("stop_id").set_index("stop_id")
    degrees = rows[["stop_lon", "stop_lat"]].apply(pd.to_numeric, errors="coerce")
    lon_deg, lat_deg = (degrees[name].to_numpy(dtype=float) for name in ("stop_lon", "stop_lat"))
    easting_m, northing_m = to_metric_arrays(lon_deg, lat_deg)
    is_placed = np.isfinite(easting_m) & np.isfinite(northing_m)
    if not is_placed.any():
        msg = (
            f"{path.name}:stops.txt: none of {len(rows)} stops has a position, expected stop_lat and stop_lon in "
            "degrees. Fetch the feed again."
        )
        raise InputError(msg)
    parent = rows.get("parent_station", pd.Series("", index=rows.index)).fillna("")
    known = parent.where(parent.isin(rows.index), "")
    return pd.DataFrame(
        {
            "name": rows["stop_name"].where(rows["stop_name"] != "", rows.index.to_series()),
            "parent": known,
            "easting_m": np.where(is_placed, easting_m, np.nan),
            "northing_m": np.where(is_placed, northing_m, np.nan),
        },
        index=rows.index,
    )


def _numbered(table: pd.DataFrame, k: int) -> pd.DataFrame:
    """The table with its patterns apart from those of other feeds."""
    index = pd.Index(f"F{k}" + table.index.astype("str"), name=table.index.name, dtype="str")
    return table.assign(pattern_id=(f"F{k}" + table["pattern_id"].astype("str")).astype("str")).set_axis(index)


def _merge_stands(calls: pd.DataFrame) -> pd.DataFrame:
    """Calls at two bays of one coach stop, one after the other, are one call."""
    is_again = calls["station_id"].eq(calls["station_id"].shift()) & calls["pattern_id"].eq(calls["pattern_id"].shift())
    if not is_again.any():
        return calls
    group = (~is_again).cumsum()
    merged = calls[~is_again].assign(departure_min=calls["departure_min"].groupby(group).last(skipna=False).to_numpy())
    return merged.assign(call_no=merged.groupby("pattern_id").cumcount())


def _told(accounts: Sequence[RowAccount], stops: pd.DataFrame) -> list[RowAccount]:
    """The accounts, the first with how many stops have no position."""
    n_lost = int(stops["easting_m"].isna().sum())
    if not n_lost:
        return list(accounts)
    text = f"{n_lost} of {len(stops)} stops have no position; calls there are left out unless their station has one"
    first, *others = accounts
    return [replace(first, warnings=(*first.warnings, text)), *others]
