r"""
When the trains of a station run: the first and the last of a day, and the last by which one still comes home.

In come SERVICE_CALLS and SERVICE_DEPARTURES; out come `geo.tables.STATION_TRAINS` and `geo.tables.TRAINS_HOME`. A day
is that of the railway, from three in the morning, so that a train at ten past midnight is the evening's. Of weekdays
the time is told that most of the five share, the earliest of several.

The last train home is found by the connection scan of [1]_ run backwards over one day: trains are looked at from the
last departure on, and a train is of use if one stays on it or can still change from where it comes to.

Where a table keeps only the hour of its starts, as an estimated one does, the trains of a day are put where as many
are expected before as after: train :math:`k` of :math:`N` at the quantile :math:`(k - 1/2) / N` of the expected
starts. Their times are then told to the hour.

References
----------
.. [1] Dibbelt, J., Pajor, T., Strasser, B. and Wagner, D. (2018). "Connection Scan Algorithm." ACM Journal of
   Experimental Algorithmics 23, 1.7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.network.passenger import DEFAULT_INTERCHANGE_MIN
from geo.schema import validate
from geo.tables import DAY_KINDS, SERVICE_CALLS, SERVICE_DEPARTURES, STATION_TRAINS, TRAINS_HOME

__all__ = ["StationTrains", "measure_station_trains"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

_MIN_PER_HOUR = 60.0
_MIN_PER_DAY = 1440.0
_N_DAYS = 7
# ASSUMPTION. The day of the railway starts when hardly a train runs.
_DAY_START_MIN = 180.0
_DAYS_OF = {"weekday": (0, 1, 2, 3, 4), "saturday": (5,), "sunday": (6,)}


@dataclass(frozen=True)
class StationTrains:
    """
    Trains of stations.

    Attributes
    ----------
    table : pandas.DataFrame
        Table `geo.tables.STATION_TRAINS`.
    home : pandas.DataFrame
        Table `geo.tables.TRAINS_HOME`.
    """

    table: pd.DataFrame
    home: pd.DataFrame


@dataclass(frozen=True)
class _Legs:
    """Runs from a call to the next in one day, by departure; minutes after the midnight of that day."""

    train: IntArray
    tail: IntArray
    head: IntArray
    depart_min: FloatArray
    arrive_min: FloatArray
    weight: FloatArray

    def key(self) -> bytes:
        """The same for days on which the same trains run."""
        return b"".join(column.tobytes() for column in (self.tail, self.head, self.depart_min, self.arrive_min))


def measure_station_trains(
    calls: pd.DataFrame,
    departures: pd.DataFrame,
    station_ids: Sequence[str],
    *,
    hubs: Sequence[str] = (),
    interchange_min: pd.Series | None = None,
    default_interchange_min: float = DEFAULT_INTERCHANGE_MIN,
) -> StationTrains:
    """
    Measure the first and last trains of stations and the last by which a hub is reached.

    Parameters
    ----------
    calls : pandas.DataFrame
        Table `geo.tables.SERVICE_CALLS`. Never modified.
    departures : pandas.DataFrame
        Table `geo.tables.SERVICE_DEPARTURES`, with or without ``start_min``. Never modified.
    station_ids : sequence of str
        CRS codes of the stations asked for.
    hubs : sequence of str
        CRS codes of the stations to come home to.
    interchange_min : pandas.Series, optional
        Minutes to change trains by CRS code.
    default_interchange_min : float
        Minutes to change where `interchange_min` has none. Walks between stations are not made.

    Returns
    -------
    StationTrains
        Rows by station, hub and kind of day, those without a train among them.

    Raises
    ------
    TableError
        If a table breaks its contract.
    """
    validate(calls, SERVICE_CALLS)
    validate(departures, SERVICE_DEPARTURES)
    step_min = 1.0 if "start_min" in departures.columns else _MIN_PER_HOUR
    stations = pd.Index(sorted({*calls["station_id"], *station_ids, *hubs}), dtype="str")
    change_min = np.full(len(stations), default_interchange_min)
    if interchange_min is not None:
        change_min = interchange_min.reindex(stations).fillna(default_interchange_min).to_numpy(dtype=float)
    asked, targets = stations.get_indexer(pd.Index(station_ids)), stations.get_indexer(pd.Index(hubs))
    written = _write_out(calls, departures, stations)
    shape = (_N_DAYS, len(stations))
    first, last, number = np.full(shape, np.inf), np.full(shape, -np.inf), np.zeros(shape)
    home = np.full((_N_DAYS, len(asked), len(targets)), np.nan)
    known: dict[bytes, FloatArray] = {}
    for day in range(_N_DAYS):
        legs = _of_day(written, day)
        np.minimum.at(first[day], legs.tail, legs.depart_min)
        np.maximum.at(last[day], legs.tail, legs.depart_min)
        np.add.at(number[day], legs.tail, legs.weight)
        if len(targets):
            key = legs.key()
            if key not in known:
                known[key] = _scan_back(legs, targets, np.asarray(change_min, dtype=float))
            home[day] = known[key][asked]
    first_min, last_min = (_step(np.where(np.isfinite(t), t, np.nan)[:, asked], step_min) for t in (first, last))
    return StationTrains(
        _tabulate(list(station_ids), number[:, asked], first_min, last_min, step_min),
        _tabulate_home(list(station_ids), list(hubs), _step(home, step_min), step_min),
    )


def _write_out(calls: pd.DataFrame, departures: pd.DataFrame, stations: pd.Index) -> pd.DataFrame:
    """Every leg of every train of a week and a day around it, in minutes from Monday midnight, by departure."""
    rows = calls.sort_values(["pattern_id", "call_no"], kind="stable")
    after = rows.groupby("pattern_id", sort=False)[["station_id", "arrival_min"]].shift(-1)
    legs = pd.DataFrame(
        {
            "pattern_id": rows["pattern_id"],
            "tail": stations.get_indexer(pd.Index(rows["station_id"])),
            "head": stations.get_indexer(pd.Index(after["station_id"])),
            "depart_min": rows["departure_min"],
            "arrive_min": after["arrival_min"],
        }
    )[after["arrival_min"].notna().to_numpy()]
    starts = _start(departures[departures["n_departures"] > 0])
    weeks = [starts.assign(at_min=starts["at_min"] + week * _N_DAYS * _MIN_PER_DAY) for week in (-1, 0, 1)]
    starts = pd.concat(weeks, ignore_index=True)
    near = (starts["at_min"] >= -_MIN_PER_DAY) & (starts["at_min"] < (_N_DAYS + 1) * _MIN_PER_DAY)
    starts = starts[near].sort_values(["at_min", "pattern_id"], kind="stable")
    runs = starts.assign(train=np.arange(len(starts))).merge(legs, on="pattern_id")
    runs = runs.assign(depart_min=runs["at_min"] + runs["depart_min"], arrive_min=runs["at_min"] + runs["arrive_min"])
    return runs.sort_values(["depart_min", "arrive_min", "train"], kind="stable")


def _start(departures: pd.DataFrame) -> pd.DataFrame:
    """Starts as ``pattern_id, at_min, weight``, minutes from Monday midnight."""
    if "start_min" in departures.columns:
        at_min = departures["hour_of_week"] * _MIN_PER_HOUR + departures["start_min"]
        return pd.DataFrame(
            {"pattern_id": departures["pattern_id"], "at_min": at_min, "weight": departures["n_departures"]}
        )
    parts = []
    ordered = departures.sort_values(["pattern_id", "hour_of_week"], kind="stable")
    for (pattern, _), rows in ordered.groupby(["pattern_id", ordered["hour_of_week"] // 24], sort=True):
        hours, n = rows["hour_of_week"].to_numpy(dtype=float), rows["n_departures"].to_numpy(dtype=float)
        # Expected starts run evenly through each hour and stand still between hours without any.
        at_h = np.column_stack([hours, hours + 1.0]).ravel()
        until = np.column_stack([n.cumsum() - n, n.cumsum()]).ravel()
        n_trains = max(1, round(float(n.sum())))
        middle = (np.arange(n_trains) + 0.5) / n_trains * n.sum()
        at_min = _MIN_PER_HOUR * np.interp(middle, until, at_h)
        parts.append(pd.DataFrame({"pattern_id": pattern, "at_min": at_min, "weight": n.sum() / n_trains}))
    nothing = pd.DataFrame({"pattern_id": pd.Series(dtype="str"), "at_min": 0.0, "weight": 0.0})
    return pd.concat(parts, ignore_index=True) if parts else nothing


def _of_day(written: pd.DataFrame, day: int) -> _Legs:
    """Legs that leave in a day of the railway."""
    midnight = day * _MIN_PER_DAY
    depart = written["depart_min"] - midnight
    rows = written[(depart >= _DAY_START_MIN) & (depart < _DAY_START_MIN + _MIN_PER_DAY)]
    train, tail, head = (rows[name].to_numpy(dtype=np.intp) for name in ("train", "tail", "head"))
    depart_min, arrive_min = (rows[name].to_numpy(dtype=float) - midnight for name in ("depart_min", "arrive_min"))
    return _Legs(train, tail, head, depart_min, arrive_min, rows["weight"].to_numpy(dtype=float))


def _scan_back(legs: _Legs, targets: IntArray, change_min: FloatArray) -> FloatArray:
    """The latest departure from each station by which each target is reached in the day; NaN where none is."""
    n_targets = len(targets)
    latest = np.full((len(change_min), n_targets), -np.inf)
    # Who is at the target has come home; nobody changes there.
    at_home = {int(s): np.flatnonzero(targets == s) for s in np.unique(targets)}
    _, train = np.unique(legs.train, return_inverse=True)
    is_on = np.zeros((int(train.max(initial=-1)) + 1, n_targets), dtype=bool)
    columns = (train, legs.tail, legs.head, legs.depart_min, legs.arrive_min)
    for of, tail, head, depart, arrive in zip(*(column[::-1].tolist() for column in columns), strict=True):
        if arrive > _DAY_START_MIN + _MIN_PER_DAY:
            continue
        is_of_use = is_on[of] | (arrive + change_min[head] <= latest[head])
        if head in at_home:
            is_of_use[at_home[head]] = True
        is_on[of] = is_of_use
        # Legs come from the last departure on, so the first that is of use is the latest.
        np.maximum(latest[tail], np.where(is_of_use, depart, -np.inf), out=latest[tail])
    for station, own in at_home.items():
        latest[station, own] = -np.inf
    return np.where(np.isfinite(latest), latest, np.nan)


def _step(times_min: FloatArray, step_min: float) -> FloatArray:
    """Times as finely as they are known, seconds and noise of binary fractions left off."""
    return np.asarray(np.floor(np.round(times_min, 2) / step_min) * step_min, dtype=float)


def _usual(times_min: FloatArray) -> FloatArray:
    """Along the first axis, the time that most share, the earliest of several; NaN where most have none."""
    times = np.where(np.isnan(times_min), np.inf, times_min)
    n_alike = (times[:, None] == times[None, :]).sum(axis=1)
    most = np.where(n_alike == n_alike.max(axis=0), times, np.inf).min(axis=0)
    # An infinite time is the least of those most shared only where it is the only one.
    return np.asarray(np.where(np.isfinite(most), most, np.nan), dtype=float)


def _tabulate(
    station_ids: list[str], number: FloatArray, first: FloatArray, last: FloatArray, step_min: float
) -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {
                "station_id": pd.array(station_ids, dtype="str"),
                "day_kind": kind,
                "n_departures": number[list(_DAYS_OF[kind])].mean(axis=0),
                "first_departure_min": _usual(first[list(_DAYS_OF[kind])]),
                "last_departure_min": _usual(last[list(_DAYS_OF[kind])]),
                "step_min": step_min,
            }
        )
        for kind in DAY_KINDS
    ]
    return validate(_indexed(pd.concat(parts), ["station_id", "day_kind"], STATION_TRAINS.index), STATION_TRAINS)


def _tabulate_home(station_ids: list[str], hubs: list[str], home: FloatArray, step_min: float) -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {
                "station_id": pd.array(np.repeat(np.array(station_ids, dtype=object), len(hubs)), dtype="str"),
                "hub_station_id": pd.array(hubs * len(station_ids), dtype="str"),
                "day_kind": kind,
                "last_departure_min": _usual(home[list(_DAYS_OF[kind])]).ravel(),
                "step_min": step_min,
            }
        )
        for kind in DAY_KINDS
    ]
    table = pd.concat(parts)
    table = table[table["station_id"] != table["hub_station_id"]]
    keys = ["station_id", "hub_station_id", "day_kind"]
    return validate(_indexed(table, keys, TRAINS_HOME.index), TRAINS_HOME)


def _indexed(table: pd.DataFrame, keys: list[str], name: str) -> pd.DataFrame:
    """By an id of its keys, sorted."""
    ids = [":".join(map(str, row)) for row in table[keys].itertuples(index=False)]
    return table.set_axis(pd.Index(ids, name=name, dtype="str")).astype({"day_kind": "str"}).sort_index()
