"""
Draw hotspots of ordinary offences coarsely enough that no corner of a shape is the place of an offence.

In: `geo.tables.HOTSPOTS` and, where offences are exact, `geo.tables.AREAS`. Out: the same contract, each shape the
union of National Grid squares that it touches, counts suppressed and rounded by the profile (trust.md A2). A hull's
corners are offences, and a hull with a margin gives them back as the centres of its arcs; squares of a fixed grid do
not.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geo.disclosure.suppression import round_counts
from geo.schema import validate
from geo.tables import AREAS, HOTSPOTS

__all__ = ["SQUARE_SIDES_M", "generalise_hotspots", "suppress_months"]

# Six figures of the National Grid reference, doubled so that squares nest.
SQUARE_SIDES_M = (100.0, 200.0, 400.0, 800.0)
# trust.md A2: a published position of an ordinary offence stands for at least eight dwellings.
MIN_DWELLINGS = 8.0
M2_PER_KM2 = 1e6


def generalise_hotspots(
    hotspots: gpd.GeoDataFrame,
    *,
    profile: str,
    areas: gpd.GeoDataFrame | None = None,
    has_exact_offences: bool = True,
    min_dwellings: float = MIN_DWELLINGS,
) -> gpd.GeoDataFrame:
    """
    Replace hulls by National Grid squares and exact counts by rounded ones.

    Parameters
    ----------
    hotspots : geopandas.GeoDataFrame
        Table `geo.tables.HOTSPOTS`. Never modified; further columns are dropped.
    profile : str
        One of `geo.disclosure.suppression.COUNT_RULES`.
    areas : geopandas.GeoDataFrame or None
        Table `geo.tables.AREAS`, for the dwellings of a square.
    has_exact_offences : bool, default True
        Whether any offence behind them is placed exactly. Points that were published already are covered by the
        smallest squares; exact ones by squares that hold `min_dwellings` at the mean density of the area at their
        centre, or by the largest where that is not known.
    min_dwellings : float, default 8
        Dwellings that a square must be expected to hold.

    Returns
    -------
    geopandas.GeoDataFrame
        Table `geo.tables.HOTSPOTS`, without hotspots whose count the profile suppresses. The position is the middle
        of the new shape, and the walk is in whole minutes.

    Raises
    ------
    DisclosureError
        If the profile is unknown.
    TableError
        If a table breaks its contract.
    """
    validate(hotspots, HOTSPOTS)
    n_offences = round_counts(hotspots["n_offences"], profile=profile)
    kept = hotspots.loc[n_offences.notna(), list(HOTSPOTS.columns)].copy()
    density = _Density(areas) if has_exact_offences and areas is not None and len(areas) else None
    sides = SQUARE_SIDES_M if has_exact_offences else SQUARE_SIDES_M[:1]
    shapes = [_cover(shape, sides, density, min_dwellings) for shape in kept.geometry]
    kept = kept.set_geometry(gpd.GeoSeries(shapes, index=kept.index, crs=hotspots.crs))
    middle = kept.geometry.centroid
    kept["easting_m"], kept["northing_m"] = middle.x, middle.y
    kept["n_offences"] = n_offences[kept.index].astype("int64")
    kept["weight"] = round_counts(kept["weight"].round(), profile=profile).fillna(0.0).astype(float)
    kept["area_km2"] = kept.geometry.area / M2_PER_KM2
    # Figures finer than these would count the offences again.
    kept["z_score"] = kept["z_score"].round(1)
    kept["q_value"] = kept["q_value"].round(3)
    kept["walk_min"] = kept["walk_min"].round()
    return validate(kept, HOTSPOTS)


def suppress_months(months: pd.DataFrame, hotspots: gpd.GeoDataFrame, *, profile: str) -> pd.DataFrame:
    """
    Suppress and round the monthly counts of the hotspots that are shown.

    Parameters
    ----------
    months : pandas.DataFrame
        With ``hotspot_id`` and ``n_offences``, one row a hotspot and month. Never modified.
    hotspots : geopandas.GeoDataFrame
        From `generalise_hotspots`.
    profile : str
        One of `geo.disclosure.suppression.COUNT_RULES`.

    Returns
    -------
    pandas.DataFrame
        The rows of hotspots that are shown, ``n_offences`` null where suppressed.

    Raises
    ------
    DisclosureError
        If the profile is unknown.
    """
    kept = months[months["hotspot_id"].isin(hotspots.index)]
    return kept.assign(n_offences=round_counts(kept["n_offences"], profile=profile))


class _Density:
    """Dwellings a square metre at a point, by the small area it is in; 0 outside all, or where not known."""

    def __init__(self, areas: gpd.GeoDataFrame) -> None:
        validate(areas, AREAS)
        ordered = areas.sort_index()
        self._tree = shapely.STRtree(ordered.geometry.to_numpy())
        self._per_m2 = (ordered["n_dwellings"].fillna(0.0) / ordered.geometry.area).to_numpy(dtype=float)

    def at(self, points: NDArray[np.object_]) -> NDArray[np.float64]:
        """The lowest density of the areas that meet each point."""
        found = np.full(len(points), np.inf)
        point, area = self._tree.query(points, predicate="intersects")
        np.minimum.at(found, point, self._per_m2[area])
        return np.where(np.isfinite(found), found, 0.0)


def _cover(
    shape: BaseGeometry, sides: tuple[float, ...], density: _Density | None, min_dwellings: float
) -> BaseGeometry:
    """The union of the squares whose inside the shape meets, each as large as its dwellings demand."""
    if not (shapely.get_coordinates(shape) % sides[0]).any():
        return shape  # squares of the grid already, as patches of hot cells are: no corner is an offence
    corners = _touched(shape, sides[0])
    squares: list[BaseGeometry] = []
    for k, side_m in enumerate(sides):
        if k == len(sides) - 1:
            is_enough = np.ones(len(corners), dtype=bool)
        elif density is None:
            is_enough = np.zeros(len(corners), dtype=bool)
        else:
            is_enough = density.at(shapely.points(corners + side_m / 2)) * side_m**2 >= min_dwellings
        squares += list(_boxes(corners[is_enough], side_m))
        if k < len(sides) - 1:
            corners = np.unique(np.floor(corners[~is_enough] / sides[k + 1]) * sides[k + 1], axis=0)
    return shapely.union_all(squares)


def _touched(shape: BaseGeometry, side_m: float) -> NDArray[np.float64]:
    """South-west corners of the squares whose inside meets the shape, in order."""
    west, south, east, north = shapely.bounds(shape)
    columns = np.arange(np.floor(west / side_m), np.floor(east / side_m) + 1)
    rows = np.arange(np.floor(south / side_m), np.floor(north / side_m) + 1)
    corners = np.stack(np.meshgrid(columns, rows, indexing="ij"), axis=-1).reshape(-1, 2) * side_m
    boxes = _boxes(corners, side_m)
    shapely.prepare(shape)
    touched: NDArray[np.float64] = corners[shapely.intersects(shape, boxes) & ~shapely.touches(shape, boxes)]
    return touched


def _boxes(corners: NDArray[np.float64], side_m: float) -> NDArray[np.object_]:
    boxes: NDArray[np.object_] = np.asarray(
        shapely.box(corners[:, 0], corners[:, 1], corners[:, 0] + side_m, corners[:, 1] + side_m), dtype=object
    )
    return boxes
