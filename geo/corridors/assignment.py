r"""
Lay the rail trips of every pair of places on stations and track, or the trips by coach on its stops.

In comes `geo.tables.COURIER_FLOWS`; out come `geo.tables.STATION_FLOWS` and `geo.tables.SEGMENT_FLOWS`. A station sees
a trip in one of four ways: it is where the trip boards, where it changes trains, where its train calls while it stays
on board, or where it alights. Trips that only ride through without a call are not seen there.

Where there is a timetable all four are known from the paths. Where there is none a trip that continues beyond a station
may have changed there or not: it is divided by a `change_share` of the station (see `geo.corridors.interchange`), and
all counted as calling where no share is given. Whoever walks between two stations changes at both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import sparse

from geo.corridors.choice import OriginGroup, Supply, each_origin, public_modes
from geo.corridors.paths import RideLoads, load_rides
from geo.corridors.rides import FloatArray, Rides
from geo.errors import InputError, IntegrityError
from geo.schema import Contract, empty, validate
from geo.tables import COURIER_FLOWS, SEGMENT_FLOWS, STATION_FLOWS

__all__ = ["ALL_DESTINATIONS", "Assignment", "assign_flows", "assign_hour_bands", "change_shares"]

ALL_DESTINATIONS = "all"
CONSERVATION = 1e-9
_WAYS = ("boarding", "interchange", "calling", "alighting")
_COLUMNS = [f"{way}_trips_per_month" for way in _WAYS]


@dataclass(frozen=True)
class Assignment:
    """
    What `assign_flows` laid on the network, and what it could not.

    Attributes
    ----------
    station_flows : pandas.DataFrame
        Table `geo.tables.STATION_FLOWS`.
    segment_flows : pandas.DataFrame
        Table `geo.tables.SEGMENT_FLOWS`.
    trips_per_month, lost_trips_per_month : float
        All trips, and those no mode can make.
    trips_by_mode : dict of str to float
        The others, by public mode and by ``road``: with those lost they sum to all.
    """

    station_flows: pd.DataFrame
    segment_flows: pd.DataFrame
    trips_per_month: float
    trips_by_mode: dict[str, float]
    lost_trips_per_month: float

    @property
    def rail_trips_per_month(self) -> float:
        """Trips by rail."""
        return self.trips_by_mode["rail"]

    @property
    def road_trips_per_month(self) -> float:
        """Trips by road."""
        return self.trips_by_mode["road"]


def assign_flows(
    courier_flows: pd.DataFrame,
    supply: Supply,
    *,
    change_share: pd.Series | None = None,
    grain: Literal["pair", "origin"] = "pair",
) -> Assignment:
    """
    Assign the trips of a public mode to its stations and links.

    Parameters
    ----------
    courier_flows : pandas.DataFrame
        What `geo.corridors.choice.choose_modes` returned for the same supply.
    supply : Supply
        The railway, or another public mode: the trips of its share are laid.
    change_share : pandas.Series, optional
        By ``station_id``, share in [0, 1] of the trips going on beyond it that change trains. Used only without a
        timetable.
    grain : {"pair", "origin"}
        Rows by origin and destination, or by origin with destination ``all``: a country's pairs are too many to list.

    Returns
    -------
    Assignment
        The two tables, ordered by id, and the account of trips.

    Raises
    ------
    InputError
        If a pair has a share but no path in this supply, or a change share is not in [0, 1].
    IntegrityError
        If boardings, alightings and trips of the mode do not agree to 1e-9.
    """
    validate(courier_flows, COURIER_FLOWS)
    trips = courier_flows["trips_per_month"].to_numpy(dtype=float)
    laid = trips * courier_flows[f"{supply.mode}_share"].to_numpy(dtype=float)
    changes = change_shares(change_share, supply)
    station_parts: list[pd.DataFrame] = []
    segment_parts: list[pd.DataFrame] = []
    for group in each_origin(courier_flows, supply):
        _require_paths(group, laid[group.rows], courier_flows, supply.mode)
        ids, column = _columns(courier_flows, group, grain)
        flows, on_rides = _load(group, laid[group.rows], column, changes)
        _require_conserved(group.origin_id, float(laid[group.rows].sum()), flows, supply.mode)
        station_parts.append(_station_rows(group.origin_id, ids, supply.rides.station_ids, flows))
        segment_parts.append(_segment_rows(group.origin_id, supply, on_rides))
    reachable = _reachable(courier_flows)
    public = {
        mode: trips * courier_flows[f"{mode}_share"].to_numpy(dtype=float) for mode in public_modes(courier_flows)
    }
    by_road = trips - sum(public.values())
    return Assignment(
        station_flows=_collect(station_parts, STATION_FLOWS),
        segment_flows=_collect(segment_parts, SEGMENT_FLOWS),
        trips_per_month=float(trips.sum()),
        trips_by_mode={
            **{mode: float(each.sum()) for mode, each in public.items()},
            "road": float(by_road[reachable].sum()),
        },
        lost_trips_per_month=float(trips[~reachable].sum()),
    )


def assign_hour_bands(
    courier_flows: pd.DataFrame, supplies: Mapping[str, Supply], band_share: Mapping[str, float]
) -> pd.DataFrame:
    """
    Assign trips by hour band, each on the trains of its band.

    Parameters
    ----------
    courier_flows : pandas.DataFrame
        Table `geo.tables.COURIER_FLOWS` of all hours; every pair with a rail share needs a path in every band.
    supplies : mapping of str to Supply
        The railway as it runs in each band.
    band_share : mapping of str to float
        Share of trips made in each band; sums to 1.

    Returns
    -------
    pandas.DataFrame
        Table `geo.tables.STATION_FLOWS` with a column ``hour_band``; summed over bands it is all trips.

    Raises
    ------
    InputError
        If the bands differ, a share is negative, or the shares do not sum to 1.
    """
    shares = dict(band_share)
    if set(shares) != set(supplies) or min(shares.values(), default=0.0) < 0 or abs(sum(shares.values()) - 1) > 1e-9:
        msg = f"band_share: is {shares!r}, expected a share for each of {', '.join(supplies)} that sum to 1. Mend it."
        raise InputError(msg)
    parts = []
    for band, supply in supplies.items():
        flows = courier_flows.assign(trips_per_month=courier_flows["trips_per_month"] * shares[band])
        rows = assign_flows(flows, supply).station_flows.assign(hour_band=band)
        rows.index = pd.Index([f"{band}:{row}" for row in rows.index], name=STATION_FLOWS.index, dtype="str")
        parts.append(rows)
    return validate(pd.concat(parts), STATION_FLOWS)


def change_shares(change_share: pd.Series | None, supply: Supply) -> FloatArray:
    """
    Give each station its share of the trips going on that change trains there.

    Parameters
    ----------
    change_share : pandas.Series or None
        By ``station_id``; a station without a share has 0.
    supply : Supply
        The railway; with a timetable all that goes on between rides changes, whatever the shares.

    Returns
    -------
    numpy.ndarray of shape (n_stations,)
        Shares in [0, 1].

    Raises
    ------
    InputError
        If a share is not in [0, 1].
    """
    n = supply.rides.n_stations
    if supply.rides.has_timetable:
        return np.ones(n)
    if change_share is None:
        return np.zeros(n)
    shares = change_share.reindex(list(supply.rides.station_ids)).fillna(0.0).to_numpy(dtype=float)
    odd = ~((shares >= 0) & (shares <= 1))
    if odd.any():
        k = int(np.flatnonzero(odd)[0])
        msg = (
            f"change_share: is {float(shares[k])!r} at {supply.rides.station_ids[k]!r}, expected a share in [0, 1]. "
            "Estimate it with geo.corridors.interchange."
        )
        raise InputError(msg)
    return shares


def _reachable(courier_flows: pd.DataFrame) -> np.ndarray:
    """Whether some mode goes; a table without the column has a way for all."""
    if "is_reachable" not in courier_flows.columns:
        return np.ones(len(courier_flows), dtype=bool)
    return courier_flows["is_reachable"].to_numpy(dtype=bool)


def _columns(courier_flows: pd.DataFrame, group: OriginGroup, grain: str) -> tuple[np.ndarray, np.ndarray]:
    """Ids of the columns that are kept apart, and the column of each pair of the group."""
    if grain == "origin":
        return np.array([ALL_DESTINATIONS], dtype=object), np.zeros(group.rows.size, dtype=np.int64)
    destinations = courier_flows["destination_id"].to_numpy(dtype=object)[group.rows]
    ids, column = np.unique(destinations.astype(str), return_inverse=True)
    return ids.astype(object), column


def _require_paths(group: OriginGroup, laid: FloatArray, courier_flows: pd.DataFrame, mode: str) -> None:
    astray = (laid > 0) & ~np.isfinite(group.cost_min)
    if astray.any():
        flow_id = courier_flows.index[group.rows[astray][0]]
        msg = (
            f"courier_flows: {int(astray.sum())} pairs from {group.origin_id!r} go by {mode} without a path, first "
            f"{flow_id!r}, expected the supply they were made with. Run choose_modes again."
        )
        raise InputError(msg)


def _require_conserved(origin_id: str, laid: float, flows: FloatArray, mode: str) -> None:
    boarding, alighting = float(flows[0].sum()), float(flows[3].sum())
    if max(abs(boarding - laid), abs(alighting - laid)) > CONSERVATION * max(laid, 1.0):
        msg = (
            f"assignment: {origin_id!r} sends {laid!r} trips by {mode} but {boarding!r} board and {alighting!r} "
            "alight, expected the same. This is a defect; report it."
        )
        raise IntegrityError(msg)


def _load(
    group: OriginGroup, laid: FloatArray, column: np.ndarray, changes: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Boarding, interchange, calling and alighting trips by station and column; and all trips by ride."""
    rides = group.paths.rides
    n_columns = int(column.max(initial=-1)) + 1
    into = sparse.csr_matrix((laid, (np.arange(column.size), column)), shape=(column.size, n_columns))
    alighting = np.asarray((group.egress_share.T @ into).todense())
    loads = load_rides(group.paths, alighting)
    changing = _changing(rides, loads, changes)
    calling = rides.calls[loads.used].T @ loads.on_rides + (loads.through - changing)
    # The solution of the system may end a last bit below nothing.
    flows = np.stack([np.maximum(loads.boarding, 0.0), changing, calling, alighting])
    on_rides = np.zeros(rides.tail.size)
    on_rides[loads.used] = loads.on_rides.sum(axis=1)
    return flows, on_rides


def _changing(rides: Rides, loads: RideLoads, changes: FloatArray) -> FloatArray:
    """Of the trips going on at each station, those that leave a train: all who walk on, and a share of the others."""
    walks = np.flatnonzero(rides.is_walk[loads.used])
    walking = np.zeros_like(loads.through)
    np.add.at(walking, rides.tail[loads.used[walks]], loads.on_rides[walks])
    np.add.at(walking, rides.head[loads.used[walks]], loads.on_rides[walks])
    walking = np.minimum(walking, loads.through)
    # Taking the share last keeps a share of one exact, so that nothing negative is left to call.
    return np.where(changes[:, None] == 1, loads.through, walking + changes[:, None] * (loads.through - walking))


def _station_rows(
    origin_id: str, destination_ids: np.ndarray, station_ids: tuple[str, ...], flows: FloatArray
) -> pd.DataFrame:
    """One row a station and destination with any flow."""
    station, column = np.nonzero((flows > 0).any(axis=0))
    rows = pd.DataFrame(dict(zip(_COLUMNS, flows[:, station, column], strict=True)))
    rows.insert(0, "station_id", np.array(station_ids, dtype=object)[station])
    rows.insert(1, "origin_id", origin_id)
    rows.insert(2, "destination_id", destination_ids[column])
    return rows


def _segment_rows(origin_id: str, supply: Supply, on_rides: FloatArray) -> pd.DataFrame:
    """One row a link with any flow."""
    on_links = supply.rides.links.T @ on_rides
    link = np.flatnonzero(on_links > 0)
    return pd.DataFrame(
        {
            "link_id": np.array(supply.rides.link_ids, dtype=object)[link],
            "origin_id": origin_id,
            "trips_per_month": on_links[link],
        }
    )


def _collect(parts: list[pd.DataFrame], contract: Contract) -> pd.DataFrame:
    """One contracted table, indexed by its text columns and ordered."""
    full = [part for part in parts if len(part)]
    if not full:
        return empty(contract)
    table = pd.concat(full, ignore_index=True)
    keys = [name for name in table.columns if name.endswith("_id")]
    table[keys] = table[keys].astype("str")
    table = table.sort_values(keys, kind="stable", ignore_index=True)
    table.index = pd.Index(_join(table, keys), name=contract.index, dtype="str")
    return validate(table, contract)


def _join(table: pd.DataFrame, keys: list[str]) -> list[str]:
    return [":".join(ids) for ids in zip(*(table[key].tolist() for key in keys), strict=True)]
