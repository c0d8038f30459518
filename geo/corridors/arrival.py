r"""
Where in a town couriers go: its cells by the offences expected there, instead of its centre point alone.

In come `geo.tables.ACCESS_TIMES` of town centres and a detector's surface, `geo.hotspots.surface.Surface.expected`; out
come access times of the same contract, from which `geo.corridors.terminals` shares a town's couriers among its
stations. In four rules:

1. **Cells go to towns smoothly**, by the share of the residents there who are of the town (`geo.catchments`): a
   larger town reaches farther, and there is no edge between towns or at the rim.
2. **The centre stays.** It counts as much as a stated number of offences, so a town without offences keeps its centre,
   and a few offences move it a little. Shares of the whole, :math:`w_c`, sum to 1 with it.
3. **The nearest of the places decides, softly.** The time from station :math:`k` is
   :math:`-\tau \log \sum_c w_c e^{-t_{ck}/\tau}`, no less than from the nearest cell and no more than the mean. On foot
   :math:`\tau` is the minutes of walking :math:`\delta`; a minute of a drive weighs as many minutes on foot as
   `geo.corridors.terminals` says, so there :math:`\tau` is less by as much.
4. **A road graph speaks for the centre alone.** Minutes to a cell are those of the straight line with its detour, times
   :math:`(t_{0k} + \tau) / (l_{0k} + \tau)`, by which the measured time of the centre exceeds that of its own line: a
   detour that all of a town shares is kept, one of a few metres at the centre is not made much of. Basis and reason of
   a row stay those of the centre.

That :math:`e^{-d/600\,\mathrm{m}}` around a station foretells recorded offences as well as a disc of 15 minutes is
measured; that couriers alight by it is not, and is an assumption.

One logit over soft minima stands for the logit of every cell, solved apart: a cell far from all stations says less than
it would, since it is near none. Of the arrivals in Harrogate from Leeds, Harrogate, Hornbeam Park and Starbeck have
0.42, 0.30 and 0.14 by the soft minima, 0.43, 0.27 and 0.16 by cells apart, and 0.60, 0.27 and 0.05 by the centre point.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from geo.catchments import share_points
from geo.corridors.terminals import HIRE_WEIGHT, WALK_WEIGHT
from geo.errors import InputError, UsageError
from geo.network.straight_line import StraightLine
from geo.schema import Column, Contract, validate
from geo.tables import ACCESS_TIMES, STATIONS
from geo.tables.evidence import EASTING, NORTHING

__all__ = ["CENTRE_WEIGHT", "spread_arrivals"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# ASSUMPTION: offences that a town's centre counts for as a destination; with as many, centre and cells weigh alike.
CENTRE_WEIGHT = 10.0
# A cell with less of a town than this would have to be 100 minutes of walking nearer than the rest to be felt.
_LEAST_SHARE = 1e-6
_POSITIONS = {"easting_m": EASTING, "northing_m": NORTHING}


def spread_arrivals(
    access: pd.DataFrame,
    towns: pd.DataFrame,
    surface: pd.DataFrame,
    stations: pd.DataFrame,
    *,
    decay_m: float = 600.0,
    centre_weight: float = CENTRE_WEIGHT,
    walk_limit_min: float = 60.0,
    straight_line: StraightLine | None = None,
) -> pd.DataFrame:
    r"""
    Measure the minutes from stations to where in each town the next offences are expected.

    .. math:: t_{jk} = -\tau \log \sum_c w_{jc} \exp(-t_{ck} / \tau)

    over a town's cells and its centre, by the four rules at the head of this module.

    Parameters
    ----------
    access : pandas.DataFrame
        Table `geo.tables.ACCESS_TIMES` of centres. Rows of points that are no town, and null times, are handed on as
        they are. Never modified.
    towns : pandas.DataFrame
        ``easting_m, northing_m, population`` of the centres, as table `geo.tables.PLACES`. A town without rows in
        `access` still has its own cells, which are then nobody else's. Never modified.
    surface : pandas.DataFrame
        ``easting_m, northing_m, weight``: cells and the offences expected in them, at least 0; any row order.
    stations : pandas.DataFrame
        Table `geo.tables.STATIONS`; all that `access` names.
    decay_m : float, default 600
        Decay :math:`\delta` of rule 3, metres walked. Rows of a town without cells are as they were.
    centre_weight : float, default 10
        Offences that a centre counts for; above 0.
    walk_limit_min : float, default 60
        A station without a row gets one if the walk so measured is no longer than this.
    straight_line : StraightLine, optional
        Speeds and detours between cells and stations.

    Returns
    -------
    pandas.DataFrame
        Table `geo.tables.ACCESS_TIMES` with every row of `access` and those that are new, ordered by point, station and
        mode; `access` itself where the surface has no weight or there is no town.

    Raises
    ------
    TableError
        If a table breaks its contract.
    UsageError
        If a length, weight or limit is not above 0.
    InputError
        If `access` names a station that is not given.
    """
    limits = {
        "decay_m": decay_m,
        "centre_weight": centre_weight,
        "walk_limit_min": walk_limit_min,
    }
    for name, value in limits.items():
        if not (np.isfinite(value) and value > 0):
            msg = f"{name}: is {value!r}, expected a number above 0. Mend it, or leave arrivals at the centres."
            raise UsageError(msg)
    validate(access, ACCESS_TIMES)
    ordered = validate(stations, STATIONS).sort_index(kind="stable")
    lost = access.loc[~access["station_id"].isin(ordered.index), "station_id"]
    if len(lost):
        msg = f"access: station_id is {lost.min()!r}, expected a row of `stations`. Give all stations it was made with."
        raise InputError(msg)
    centres, cells = _centres(towns), _cells(surface)
    if not (len(cells) and len(centres) and len(access)):
        return access
    line = straight_line or StraightLine()
    walk_scale_min = decay_m / (line.reach_m(1.0, "walk") * line.walk_detour)
    scale_min = {"walk": walk_scale_min, "drive": walk_scale_min * WALK_WEIGHT / HIRE_WEIGHT}
    at_m = ordered[["easting_m", "northing_m"]].to_numpy(dtype=float)
    ways = _Ways(at_m, cKDTree(at_m), line, scale_min, walk_limit_min)
    # Rows as arrays, those of a town together: tables would take most of the time.
    table = access.sort_values(["place_id", "station_id", "mode"], kind="stable")
    town = centres.index.get_indexer(pd.Index(table["place_id"]))
    station = ordered.index.get_indexer(pd.Index(table["station_id"]))
    is_walk, is_road = (table["mode"] == "walk").to_numpy(), (table["basis"] == "road_graph").to_numpy()
    time_min = table["time_min"].to_numpy(dtype=float).copy()
    by_town = np.argsort(town, kind="stable")
    starts = np.searchsorted(town[by_town], np.arange(len(centres) + 1))
    found: list[tuple[int, IntArray, FloatArray]] = []
    for k, mixture in _mix(cells, centres, centre_weight=centre_weight):
        rows = by_town[starts[k] : starts[k + 1]]
        if not rows.size:
            continue
        for mode in ("walk", "drive"):
            chosen = rows[(is_walk[rows] == (mode == "walk")) & ~np.isnan(time_min[rows])]
            if chosen.size:
                time_min[chosen] = ways.spread(mode, time_min[chosen], station[chosen], is_road[chosen], mixture)
        found.append((k, *ways.find_walks(station[rows[is_walk[rows]]], mixture)))
    table = table.assign(time_min=time_min)
    fresh = _new_rows(found, centres.index, ordered.index)
    if len(fresh):
        table = pd.concat([table, fresh.astype(table[list(fresh.columns)].dtypes)])
        table = table.sort_values(["place_id", "station_id", "mode"], kind="stable")
    return validate(table, ACCESS_TIMES)


@dataclass(frozen=True)
class _Mixture:
    """One town's destinations: cells with their shares, and the centre with the rest."""

    cells_m: FloatArray
    share: FloatArray
    centre_m: FloatArray

    def soft_min(self, cell_min: FloatArray, centre_min: FloatArray, scale_min: float) -> FloatArray:
        """Rule 3, a column a station."""
        least = np.minimum(cell_min.min(axis=0), centre_min)
        total = (self.share[:, None] * np.exp((least - cell_min) / scale_min)).sum(axis=0)
        total += (1.0 - self.share.sum()) * np.exp((least - centre_min) / scale_min)
        shorter: FloatArray = np.maximum(least - scale_min * np.log(total), 0.0)
        return shorter


@dataclass(frozen=True)
class _Ways:
    """How stations are reached from the cells of a town."""

    at_m: FloatArray
    tree: cKDTree
    line: StraightLine
    scale_min: Mapping[str, float]
    walk_limit_min: float

    def spread(
        self, mode: str, known_min: FloatArray, station: IntArray, is_road: NDArray[np.bool_], mixture: _Mixture
    ) -> FloatArray:
        """Minutes between stations and the mixture, from those of the centre."""
        at_m, scale_min = self.at_m[station], self.scale_min[mode]
        line_min = self.line.time_min(_straight_m(mixture.centre_m[None], at_m)[0], mode)
        # Rule 4. A straight line is its own measure, so its ratio is 1.
        ratio = np.where(is_road, (known_min + scale_min) / (line_min + scale_min), 1.0)
        cell_min = ratio * self.line.time_min(_straight_m(mixture.cells_m, at_m), mode)
        return mixture.soft_min(cell_min, known_min, scale_min)

    def find_walks(self, known: IntArray, mixture: _Mixture) -> tuple[IntArray, FloatArray]:
        """Stations out of reach of the centre on foot, and not of the mixture; and minutes to it."""
        away_m = float(_straight_m(mixture.cells_m, mixture.centre_m[None]).max())
        near = self.tree.query_ball_point(mixture.centre_m, away_m + self.line.reach_m(self.walk_limit_min, "walk"))
        fresh = np.setdiff1d(np.array(near, dtype=np.int64), known)
        at_m = self.at_m[fresh]
        # The centre has no row: whatever its straight line says, it is beyond the limit.
        centre_min = np.maximum(
            self.line.time_min(_straight_m(mixture.centre_m[None], at_m)[0], "walk"), self.walk_limit_min
        )
        cell_min = self.line.time_min(_straight_m(mixture.cells_m, at_m), "walk")
        time_min = mixture.soft_min(cell_min, centre_min, self.scale_min["walk"])
        inside = time_min <= self.walk_limit_min
        return fresh[inside], time_min[inside]


def _new_rows(
    found: list[tuple[int, IntArray, FloatArray]], place_ids: pd.Index, station_ids: pd.Index
) -> pd.DataFrame:
    """Rows of the walks found, town by town."""
    places = np.repeat([k for k, _, _ in found], [len(stations) for _, stations, _ in found]).astype(np.int64)
    stations = np.concatenate([np.zeros(0, dtype=np.int64), *(stations for _, stations, _ in found)])
    table = pd.DataFrame(
        {
            "place_id": place_ids[places].astype("str"),
            "station_id": station_ids[stations].astype("str"),
            "time_min": np.concatenate([np.zeros(0), *(minutes for _, _, minutes in found)]),
            "mode": "walk",
            "basis": "straight_line_detour",
            "reason": None,
        }
    )
    table.index = pd.Index(
        table["place_id"] + ":" + table["station_id"] + ":walk", name=ACCESS_TIMES.index, dtype="str"
    )
    return table


def _centres(towns: pd.DataFrame) -> pd.DataFrame:
    """Positions and residents, ordered by id; the least that a town pulls with is one resident."""
    columns = {**_POSITIONS, "population": Column("number", "usual residents", low=0)}
    validate(towns, Contract("towns", "place_id", columns))
    ordered = towns[list(columns)].astype("float64").sort_index(kind="stable")
    return ordered.assign(population=ordered["population"].clip(lower=1.0))


def _cells(surface: pd.DataFrame) -> pd.DataFrame:
    """The cells with any weight, in an order that the rows cannot change."""
    unnamed = surface.rename_axis("cell_id") if surface.index.name is None else surface
    columns = {**_POSITIONS, "weight": Column("number", "offences expected in the cell", low=0)}
    validate(unnamed, Contract("surface", str(unnamed.index.name), columns))
    cells = unnamed.loc[unnamed["weight"] > 0, list(columns)].astype("float64")
    return cells.sort_values(["easting_m", "northing_m", "weight"], kind="stable", ignore_index=True)


def _mix(cells: pd.DataFrame, centres: pd.DataFrame, *, centre_weight: float) -> list[tuple[int, _Mixture]]:
    """Position and destinations of each town that has cells."""
    cells_m, centres_m = (table[["easting_m", "northing_m"]].to_numpy() for table in (cells, centres))
    shared = share_points(cells_m, centres).tocoo()
    town, cell = shared.coords
    # Rule 1.
    weight = cells["weight"].to_numpy()[cell] * shared.data
    # Rule 2: what is too little to be felt stays with the centre.
    share = weight / (centre_weight + np.bincount(town, weights=weight, minlength=len(centres)))[town]
    felt = share > _LEAST_SHARE
    town, cell, share = town[felt], cell[felt], share[felt]
    starts = np.searchsorted(town, np.arange(len(centres) + 1))
    return [
        (k, _Mixture(cells_m[cell[first:last]], share[first:last], centres_m[k]))
        for k, (first, last) in enumerate(pairwise(starts.tolist()))
        if last > first
    ]


def _straight_m(from_m: FloatArray, to_m: FloatArray) -> FloatArray:
    """Metres between every two, of shape (n_from, n_to); the root of squares is five times as fast as `hypot`."""
    east_m, north_m = (from_m[:, None, axis] - to_m[None, :, axis] for axis in (0, 1))
    straight_m: FloatArray = np.sqrt(east_m * east_m + north_m * north_m)
    return straight_m
