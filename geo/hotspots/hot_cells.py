"""
Hotspots as patches of grid cells: those that Gi* finds hot, and those where a detector expects the next offences.

In: `geo.tables.OFFENCES` and the study area, or a detector's `Surface` over it. Out: `geo.tables.HOTSPOTS`. Gi* has
z-scores and q-values, which clusters do not have: use it where the question is whether there is a hotspot at all. Use
the foreseen cells where the question is where to go next: `geo.hotspots.comparison` says how much of the later offences
they held.
"""

from __future__ import annotations

from collections.abc import Collection

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.sparse.csgraph import connected_components

from geo.crs import METRIC
from geo.errors import UsageError
from geo.hotspots.clusters import MOST_SHIFT_M, MOST_WALK_MIN
from geo.hotspots.grid import Grid
from geo.hotspots.identity import keep_ids
from geo.hotspots.local_statistics import measure_gi_star
from geo.hotspots.points import WeightedPoints, build_points, months_of_ordinals
from geo.hotspots.surface import Surface
from geo.hotspots.walking import DETOUR, WALK_M_PER_MIN, measure_walks
from geo.schema import empty, validate
from geo.tables import HOTSPOTS

__all__ = ["find_foreseen_cells", "find_hot_cells"]


def find_hot_cells(
    offences: pd.DataFrame,
    grid: Grid,
    *,
    false_discovery_share: float = 0.05,
    n_rings: int = 1,
    by_harm: bool = False,
    half_life_months: float | None = None,
    reference_month: pd.Period | None = None,
    stations: pd.DataFrame | None = None,
    previous: gpd.GeoDataFrame | None = None,
    detour: float = DETOUR,
    walk_m_per_min: float = WALK_M_PER_MIN,
) -> gpd.GeoDataFrame:
    """
    Find patches of touching cells that are hot by Gi*.

    Parameters
    ----------
    offences : pandas.DataFrame
        Table `geo.tables.OFFENCES`. Never modified; any row order.
    grid : Grid
        Cells of the study area, as from `build_grid`. Offences outside it are left out.
    false_discovery_share : float, default 0.05
        Largest expected share of false cells among the hot ones.
    n_rings : int, default 1
        Neighbourhood: 1 for the eight touching cells.
    by_harm : bool, default False
        Whether to weigh by harm; see `build_points`.
    half_life_months : float or None, default None
        Age at which an offence counts half.
    reference_month : pandas.Period or None, default None
        Month of age 0; None for the last in the table.
    stations : pandas.DataFrame or None, default None
        Table `geo.tables.STATIONS`, for the nearest station.
    previous : geopandas.GeoDataFrame or None, default None
        The last run's hotspots, whose names are kept.
    detour, walk_m_per_min : float
        See `geo.hotspots.walking.measure_walks`.

    Returns
    -------
    geopandas.GeoDataFrame
        Table `geo.tables.HOTSPOTS`, with ``harm_days``, ``n_points`` (distinct), ``offences_per_month`` and
        ``offences_per_km2`` beside its columns. A patch has the highest z-score and the lowest q-value of its cells;
        a patch in which no offence lies is left out.

    Raises
    ------
    TableError
        If a table breaks its contract.
    """
    points = build_points(offences, by_harm=by_harm, half_life_months=half_life_months, reference_month=reference_month)
    neighbours = grid.build_neighbours(n_rings=n_rings)
    value = grid.sum_weights(points.easting_m, points.northing_m, points.weight)
    local = measure_gi_star(value, neighbours)
    z_score, q_value = local["z_score"].to_numpy(), local["q_value"].to_numpy()
    hot = np.flatnonzero((z_score > 0) & (q_value <= false_discovery_share))
    table, cells = _build_patches(
        points, grid, hot, method="gi_star", stations=stations, detour=detour, walk_m_per_min=walk_m_per_min
    )
    table["z_score"] = np.array([z_score[inside].max() for inside in cells], dtype=float)
    table["q_value"] = np.array([q_value[inside].min() for inside in cells], dtype=float)
    return validate(keep_ids(table, previous, most_shift_m=MOST_SHIFT_M), HOTSPOTS)


def find_foreseen_cells(
    offences: pd.DataFrame,
    surface: Surface,
    *,
    targets: Collection[str],
    area_share: float,
    stations: pd.DataFrame | None = None,
    previous: gpd.GeoDataFrame | None = None,
    detour: float = DETOUR,
    walk_m_per_min: float = WALK_M_PER_MIN,
) -> gpd.GeoDataFrame:
    """
    Find patches of touching cells that a detector expects to hold the next offences.

    Parameters
    ----------
    offences : pandas.DataFrame
        Table `geo.tables.OFFENCES` that the surface was measured on, for what lies in a patch. Never modified.
    surface : Surface
        From `geo.hotspots.surface.measure_surface`.
    targets : collection of str
        Crime types that are foreseen.
    area_share : float
        Share of the cells that is entered, in (0, 1]; cells with the score of the last one stay out if they do not
        all fit.
    stations : pandas.DataFrame or None, default None
        Table `geo.tables.STATIONS`, for the nearest station.
    previous : geopandas.GeoDataFrame or None, default None
        The last run's hotspots, whose names are kept.
    detour, walk_m_per_min : float
        See `geo.hotspots.walking.measure_walks`.

    Returns
    -------
    geopandas.GeoDataFrame
        As of `find_hot_cells`, with the targets so far in each patch and null z-scores and q-values. A patch in which
        no target lies yet is left out: it has no date to show.

    Raises
    ------
    UsageError
        If the share is out of range.
    TableError
        If a table breaks its contract.
    """
    if not 0 < area_share <= 1:
        msg = f"area_share: it is {area_share!r}, expected above 0 and at most 1. Give such a share."
        raise UsageError(msg)
    grid, score = surface.grid, surface.score
    n_entered = max(int(area_share * len(grid)), 1)
    order = np.argsort(-score, kind="stable")
    # Ties at the edge would be broken by the order of cells, which means nothing: none of them is entered.
    edge = score[order[n_entered]] if n_entered < len(grid) else -np.inf
    entered = np.sort(np.flatnonzero(score > edge)) if n_entered < len(grid) else np.arange(len(grid))
    points = build_points(offences[offences["crime_type"].isin(list(targets))])
    table, _ = _build_patches(
        points, grid, entered, method="foreseen", stations=stations, detour=detour, walk_m_per_min=walk_m_per_min
    )
    table["z_score"] = np.nan
    table["q_value"] = np.nan
    return validate(keep_ids(table, previous, most_shift_m=MOST_SHIFT_M), HOTSPOTS)


def _build_patches(
    points: WeightedPoints,
    grid: Grid,
    chosen: np.ndarray,
    *,
    method: str,
    stations: pd.DataFrame | None,
    detour: float,
    walk_m_per_min: float,
) -> tuple[gpd.GeoDataFrame, list[np.ndarray]]:
    """Touching cells as patches, those with a point as rows; and the cells of each row."""
    touching = grid.build_neighbours()[chosen][:, chosen]
    _, patch_of_chosen = connected_components(touching, directed=False)
    patch = np.full(len(grid) + 1, -1)
    patch[chosen] = patch_of_chosen
    patch_of_point = patch[grid.locate(points.easting_m, points.northing_m)]
    rows = [
        _describe(number, chosen[patch_of_chosen == number], np.flatnonzero(patch_of_point == number), points, grid)
        for number in np.unique(patch_of_point[patch_of_point >= 0])
    ]
    if not rows:
        return gpd.GeoDataFrame(empty(HOTSPOTS), geometry="geometry", crs=METRIC), []
    table = gpd.GeoDataFrame(rows, geometry="geometry", crs=METRIC)
    table["method"] = pd.Series([method] * len(table), dtype="str")
    for column in ("first_month", "last_month"):
        table[column] = months_of_ordinals(table[column].to_numpy(dtype=np.int64))
    cells = [chosen[patch_of_chosen == number] for number in table.pop("patch")]
    walks = measure_walks(
        table["easting_m"].to_numpy(),
        table["northing_m"].to_numpy(),
        stations=stations,
        most_walk_min=MOST_WALK_MIN,
        detour=detour,
        walk_m_per_min=walk_m_per_min,
    )
    return gpd.GeoDataFrame(pd.concat([table, walks], axis=1), geometry="geometry", crs=METRIC), cells


def _describe(
    number: int, cells: np.ndarray, inside: np.ndarray, points: WeightedPoints, grid: Grid
) -> dict[str, object]:
    """One patch as a row of the table, months as ordinals."""
    weight = points.weight[inside]
    n_offences = int(points.n_offences[inside].sum())
    centre = np.average(points.coordinates_m[inside], axis=0, weights=weight if weight.sum() > 0 else None)
    first, last = int(points.first_month.asi8[inside].min()), int(points.last_month.asi8[inside].max())
    shape = shapely.union_all(grid.build_squares(cells))
    area_km2 = len(cells) * grid.area_km2
    return {
        "patch": number,
        "easting_m": float(centre[0]),
        "northing_m": float(centre[1]),
        "n_offences": n_offences,
        "weight": float(weight.sum()),
        "area_km2": area_km2,
        "first_month": first,
        "last_month": last,
        "harm_days": float(points.harm_days[inside].sum()),
        "n_points": len(inside),
        "offences_per_month": n_offences / points.n_months,
        "offences_per_km2": n_offences / area_km2,
        "geometry": shape,
    }
