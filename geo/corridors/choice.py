r"""
Rail or road: how the trips of each pair of places divide among train, car, coach and private hire.

In come `geo.tables.OD_TRIPS`, the railway with its first and last miles, and `geo.tables.ROAD_TIMES`; out comes
`geo.tables.COURIER_FLOWS`. Where there is a timetable of coaches they are a second public mode, priced by the same
machinery as trains; without one a coach is a slow car. The cost of a public mode is the log-sum over its sensible
paths, so the choice is the nested logit in which paths are a nest:

.. math:: P_m = \frac{\exp(-\mu g_m)}{\sum_l \exp(-\mu g_l)}, \qquad \mu \le \theta,

with g in generalised minutes: in-vehicle time, weighted waiting, changing and walking, and a constant.

No figure is published for the share of county lines that goes by rail. The constants below are therefore assumptions
to be varied: `find_rail_constant` gives the one that makes the whole come out at a share that the user states.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import brentq

from geo.corridors.paths import DEVIATION_MIN, MAX_DETOUR_MIN, SPREAD_PER_MIN, OriginPaths, solve_origin
from geo.corridors.rides import FloatArray, Rides
from geo.corridors.road_modes import ROAD_MODES, RoadMode, join_road_times
from geo.corridors.terminals import BestPaths, Terminals, find_arrivals, find_best_paths, split_egress
from geo.corridors.timed_prices import TimedPrices
from geo.corridors.waiting import price_first_wait
from geo.errors import InputError, UsageError
from geo.schema import validate
from geo.tables import COURIER_FLOWS, OD_TRIPS

__all__ = [
    "MODE_SCALE_PER_MIN",
    "ROAD_MODES",
    "UNKNOWN_WAIT_MIN",
    "OriginGroup",
    "RoadMode",
    "Supply",
    "choose_modes",
    "each_origin",
    "find_rail_constant",
    "public_modes",
]

MODE_SCALE_PER_MIN = 0.03  # ASSUMPTION: a third of the scale between paths; a choice of mode weighs minutes less
UNKNOWN_WAIT_MIN = 15.0  # ASSUMPTION: half of a half-hourly service, where there is no timetable


@dataclass(frozen=True)
class Supply:
    """
    A public mode as couriers meet it, the railway or coaches: rides, first and last miles, and how choosy they are.

    Attributes
    ----------
    rides : Rides
        Direct rides.
    terminals : Terminals
        First and last miles, over the stations of `rides`.
    spread_per_min, max_detour_min, deviation_min : float
        As for `geo.corridors.paths.solve_origin`.
    timed : TimedPrices or None
        Journeys by the clock over the stations of `rides`, where minutes are known: the best path to a station then
        costs what they do, and every other path as much more or less.
    mode : str
        Its columns in the flows are ``<mode>_share``, ``<mode>_time_min`` and ``<mode>_cost_min``.
    constant_min : float
        Generalised minutes added to every journey; negative for a cheaper ticket than the train's.
    """

    rides: Rides
    terminals: Terminals
    spread_per_min: float = SPREAD_PER_MIN
    max_detour_min: float = MAX_DETOUR_MIN
    deviation_min: float = DEVIATION_MIN
    timed: TimedPrices | None = None
    mode: str = "rail"
    constant_min: float = 0.0


@dataclass(frozen=True)
class OriginGroup:
    """
    The pairs of one origin, with its paths.

    Attributes
    ----------
    origin_id : str
        Exporter or place.
    origin : int
        Its position in the terminals, -1 where it has no station.
    rows : numpy.ndarray of shape (n_pairs,)
        Rows of the table that was grouped, ordered by destination.
    destinations : numpy.ndarray of shape (n_pairs,)
        Positions of the towns in the terminals, -1 for a town without a station.
    paths : OriginPaths
        Its sensible paths.
    cost_min : numpy.ndarray of shape (n_pairs,)
        Log-sum of generalised minutes by rail, infinite without a path.
    egress_share : scipy.sparse.csr_matrix of shape (n_pairs, n_stations)
        Where each pair's trips alight.
    """

    origin_id: str
    origin: int
    rows: NDArray[np.int64]
    destinations: NDArray[np.int64]
    paths: OriginPaths
    cost_min: FloatArray
    egress_share: sparse.csr_matrix


@dataclass
class _Offer:
    """What a public mode offers each pair, in the order of the table."""

    cost_min: FloatArray
    time_min: FloatArray
    access: NDArray[np.object_]
    egress: NDArray[np.object_]
    stations: NDArray[np.object_] = field(repr=False)


def each_origin(pairs: pd.DataFrame, supply: Supply) -> Iterator[OriginGroup]:
    """
    Solve the paths of each origin in turn, so that only one origin's are held.

    Parameters
    ----------
    pairs : pandas.DataFrame
        Columns ``origin_id, destination_id``, in any order.
    supply : Supply
        The railway.

    Yields
    ------
    OriginGroup
        One an origin, in order of id.
    """
    origin_ids = pairs["origin_id"].to_numpy(dtype=str)
    order = np.lexsort((pairs.index.to_numpy(dtype=str), pairs["destination_id"].to_numpy(dtype=str), origin_ids))
    ids, starts = np.unique(origin_ids[order], return_index=True)
    groups = np.split(order, starts[1:]) if ids.size else []
    origins = supply.terminals.positions(pd.Series(ids))
    destinations = supply.terminals.positions(pairs["destination_id"])
    for origin_id, origin, rows in zip(ids.tolist(), origins.tolist(), groups, strict=True):
        stations, start_cost_min, _ = supply.terminals.of(origin)
        paths = solve_origin(
            supply.rides,
            stations,
            start_cost_min,
            spread_per_min=supply.spread_per_min,
            max_detour_min=supply.max_detour_min,
            deviation_min=supply.deviation_min,
        )
        if supply.timed is not None:
            timed_min, _ = supply.timed.from_stations(stations, start_cost_min)
            paths = replace(paths, shift_min=_shift(timed_min, find_arrivals(paths)))
        cost_min, share = split_egress(
            paths, supply.terminals, destinations[rows], max_detour_min=supply.max_detour_min
        )
        yield OriginGroup(origin_id, origin, rows, destinations[rows], paths, cost_min, share)


def choose_modes(
    od_trips: pd.DataFrame,
    supply: Supply,
    road_times: pd.DataFrame,
    *,
    others: Sequence[Supply] = (),
    road_modes: tuple[RoadMode, ...] = ROAD_MODES,
    rail_constant_min: float = 0.0,
    mode_scale_per_min: float = MODE_SCALE_PER_MIN,
    unknown_wait_min: float = UNKNOWN_WAIT_MIN,
) -> pd.DataFrame:
    """
    Divide the trips of each pair of places between rail and road.

    Parameters
    ----------
    od_trips : pandas.DataFrame
        Table `geo.tables.OD_TRIPS`.
    supply : Supply
        The railway.
    road_times : pandas.DataFrame
        Table `geo.tables.ROAD_TIMES`; a pair that is absent or null has no road.
    others : sequence of Supply
        Further public modes, such as coaches by their timetable.
    road_modes : tuple of RoadMode
        The ways to go by road; one that is among `others` by name is not taken again.
    rail_constant_min : float
        Generalised minutes added to every rail journey; negative favours rail.
    mode_scale_per_min : float
        Logit scale between modes, at most that between paths.
    unknown_wait_min : float
        Wait for the first train where there is no timetable, minutes.

    Returns
    -------
    pandas.DataFrame
        Table `geo.tables.COURIER_FLOWS`, one row each row of `od_trips` and ordered by its id, with ``<mode>_share``
        for each road mode, ``rail_cost_min`` and ``road_cost_min`` (null where there is no way), share, time and cost
        of each of `others`, and ``is_reachable``: where it is false no mode goes, every share is 0 and the trips are
        lost.

    Raises
    ------
    UsageError
        If the scale between modes is not positive or exceeds that between paths.
    InputError
        If a pair stands twice in `road_times`.
    """
    validate(od_trips, OD_TRIPS)
    if not 0 < mode_scale_per_min <= supply.spread_per_min:
        msg = (
            f"mode_scale_per_min: is {mode_scale_per_min!r}, expected above 0 and at most the scale between paths, "
            f"{supply.spread_per_min!r}. Lower it, or raise spread_per_min."
        )
        raise UsageError(msg)
    pairs = od_trips.sort_index(kind="stable")
    rail, *further = (_offer(pairs, each, unknown_wait_min) for each in (supply, *others))
    rail_cost_min = rail.cost_min + rail_constant_min
    road_modes = tuple(mode for mode in road_modes if mode.name not in {each.mode for each in others})
    road_time_min, road_m = join_road_times(pairs, road_times)
    costs = [mode.price(road_time_min, road_m) for mode in road_modes]
    shares, is_reachable = _logit(
        np.column_stack([rail_cost_min, *(offer.cost_min for offer in further), *costs]), mode_scale_per_min
    )
    flows = pairs[["origin_id", "destination_id", "is_internal", "trips_per_month"]].copy()
    flows["rail_share"] = shares[:, 0]
    flows["rail_time_min"] = _null_infinite(rail.time_min)
    flows["road_time_min"] = _null_infinite(road_time_min)
    flows["access_station_id"] = pd.array(rail.access, dtype="str")
    flows["egress_station_id"] = pd.array(rail.egress, dtype="str")
    names = [*(each.mode for each in others), *(mode.name for mode in road_modes)]
    for number, name in enumerate(names, start=1):
        flows[f"{name}_share"] = shares[:, number]
    flows["rail_cost_min"] = _null_infinite(rail_cost_min)
    flows["road_cost_min"] = _null_infinite(_log_sum(np.column_stack(costs), mode_scale_per_min))
    for each, offer in zip(others, further, strict=True):
        flows[f"{each.mode}_time_min"] = _null_infinite(offer.time_min)
        flows[f"{each.mode}_cost_min"] = _null_infinite(offer.cost_min)
    flows["is_reachable"] = is_reachable
    return validate(flows, COURIER_FLOWS)


def public_modes(courier_flows: pd.DataFrame) -> tuple[str, ...]:
    """
    Name the modes of a table of flows that have stations.

    Parameters
    ----------
    courier_flows : pandas.DataFrame
        What `choose_modes` returned.

    Returns
    -------
    tuple of str
        Such as ``rail`` and ``coach``; everything else goes by road.
    """
    names = (str(name).removesuffix("_time_min") for name in courier_flows.columns if str(name).endswith("_time_min"))
    return tuple(name for name in names if name != "road")


def find_rail_constant(
    courier_flows: pd.DataFrame, *, rail_share: float, mode_scale_per_min: float = MODE_SCALE_PER_MIN
) -> float:
    """
    Find what to add to the rail constant so that the stated share of all trips goes by rail.

    Parameters
    ----------
    courier_flows : pandas.DataFrame
        What `choose_modes` returned.
    rail_share : float
        Share of the trips of pairs that have both a rail path and another way.
    mode_scale_per_min : float
        The scale that `courier_flows` was made with.

    Returns
    -------
    float
        Generalised minutes to add to ``rail_constant_min``.

    Raises
    ------
    UsageError
        If the share is not strictly between 0 and 1.
    InputError
        If no trips have both a rail path and a road.
    """
    if not 0 < rail_share < 1:
        msg = f"rail_share: is {rail_share!r}, expected above 0 and below 1. Give the share that is to be tried."
        raise UsageError(msg)
    other_min = _other_cost(courier_flows, mode_scale_per_min)
    choosing = courier_flows[courier_flows["rail_cost_min"].notna() & np.isfinite(other_min)]
    trips = choosing["trips_per_month"].to_numpy(dtype=float)
    if not trips.sum() > 0:
        msg = "courier_flows: no trips have both a rail path and a road, expected some. Check stations and road times."
        raise InputError(msg)
    gap_min = (
        choosing["rail_cost_min"].to_numpy(dtype=float)
        - other_min[np.isfinite(other_min) & courier_flows["rail_cost_min"].notna()]
    )

    def excess(constant_min: float) -> float:
        share = 1 / (1 + np.exp(np.clip(mode_scale_per_min * (gap_min + constant_min), -700, 700)))
        return float(trips @ share / trips.sum() - rail_share)

    # Wide enough for any share: at the ends every pair has gone over to one mode.
    reach = float(np.abs(gap_min).max()) + 700.0 / mode_scale_per_min
    return float(brentq(excess, -reach, reach, xtol=1e-9))


def _other_cost(courier_flows: pd.DataFrame, scale_per_min: float) -> FloatArray:
    """Generalised minutes of all that is not rail, infinite where there is nothing else."""
    names = ["road_cost_min", *(f"{mode}_cost_min" for mode in public_modes(courier_flows) if mode != "rail")]
    costs = courier_flows[names].fillna(np.inf).to_numpy(dtype=float)
    return costs[:, 0] if len(names) == 1 else _log_sum(costs, scale_per_min)


def _offer(pairs: pd.DataFrame, supply: Supply, unknown_wait_min: float) -> _Offer:
    """Cost, time and stations of a public mode for each pair."""
    n = len(pairs)
    none = np.full(n, None, dtype=object)
    names = np.array(supply.rides.station_ids, dtype=object)
    offer = _Offer(np.full(n, np.inf), np.full(n, np.inf), none, none.copy(), names)
    for group in each_origin(pairs, supply):
        offer.cost_min[group.rows] = group.cost_min
        best = find_best_paths(group.paths, supply.terminals, group.origin)
        if supply.timed is not None:
            best = _by_clock(best, group, supply.terminals, supply.timed)
        has_path = np.isfinite(group.cost_min)
        for row, destination in zip(group.rows[has_path].tolist(), group.destinations[has_path].tolist(), strict=True):
            stations, egress_cost_min, egress_time_min = supply.terminals.of(destination)
            last = int(np.argmin(best.cost_min[stations] + egress_cost_min))
            station = stations[last]
            offer.time_min[row] = best.time_min[station] + egress_time_min[last]
            offer.access[row] = names[best.first_station[station]]
            offer.egress[row] = names[station]
    # Without a timetable no ride has a wait; all have this one.
    wait_min = 0.0 if supply.rides.has_timetable else unknown_wait_min
    offer.cost_min += float(price_first_wait(np.array(wait_min))) + supply.constant_min
    offer.time_min += wait_min
    return offer


def _shift(timed_min: FloatArray, path_min: FloatArray) -> FloatArray:
    """From the cost of the best path by frequencies to that by the clock, where both are known."""
    both = np.isfinite(path_min) & np.isfinite(timed_min)
    return np.where(both, timed_min, 0.0) - np.where(both, path_min, 0.0)


def _by_clock(best: BestPaths, group: OriginGroup, terminals: Terminals, timed: TimedPrices) -> BestPaths:
    """Best paths with the cost, minutes and first station of the timed journey where one is known."""
    stations, start_cost_min, start_time_min = terminals.of(group.origin)
    cost_min, first = timed.from_stations(stations, start_cost_min)
    is_known = np.isfinite(cost_min) & np.isfinite(best.cost_min)
    arrived, started = np.flatnonzero(is_known), first[is_known]
    time_min, first_station = best.time_min.copy(), best.first_station.copy()
    time_min[arrived] = start_time_min[started] + timed.time_min[stations[started], arrived]
    first_station[arrived] = stations[started]
    return replace(
        best, cost_min=np.where(is_known, cost_min, best.cost_min), time_min=time_min, first_station=first_station
    )


def _logit(cost_min: FloatArray, scale_per_min: float) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Shares by row, all 0 where no alternative is finite; and whether one is."""
    best = cost_min.min(axis=1, initial=np.inf)
    is_reachable = np.isfinite(best)
    weight = np.exp(-scale_per_min * (cost_min - np.where(is_reachable, best, 0.0)[:, None]))
    total = weight.sum(axis=1)
    return weight / np.where(is_reachable, total, 1.0)[:, None], is_reachable


def _log_sum(cost_min: FloatArray, scale_per_min: float) -> FloatArray:
    """Cost of the choice among the columns."""
    with np.errstate(divide="ignore"):
        total: FloatArray = np.logaddexp.reduce(-scale_per_min * cost_min, axis=1, initial=-np.inf)
    return -total / scale_per_min


def _null_infinite(values: FloatArray) -> FloatArray:
    return np.where(np.isfinite(values), values, np.nan)
