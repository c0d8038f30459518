"""
The cells that counts are taken over: National Grid squares inside an area.

A `Grid` is arrays, not polygons: 200 m cells over one force are 200,000, and only the few that become hotspots need a
shape. Squares are aligned to the National Grid unless an origin is given, so that a cell means the same place in every
run and police can name it.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy import sparse

from geo.crs import METRIC
from geo.errors import UsageError

__all__ = ["Grid", "build_grid", "build_grid_around", "grid_reference"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Letters of the 500 km and 100 km squares of the National Grid; I is not used.
_LETTERS = "ABCDEFGHJKLMNOPQRSTUVWXYZ"
# More cells than this do not fit the memory cap with their weights; 200 m cells over Great Britain are 6 million.
_MOST_CELLS = 20_000_000


@dataclass(frozen=True)
class Grid:
    """
    Square cells inside a study area.

    Attributes
    ----------
    west_m, south_m : float
        Corner of column 0 and row 0, metres.
    cell_m : float
        Side of a cell, metres.
    n_columns, n_rows : int
        Size of the bounding block.
    position : numpy.ndarray of shape (n_cells,)
        ``row * n_columns + column`` of each cell inside, ascending.
    """

    west_m: float
    south_m: float
    cell_m: float
    n_columns: int
    n_rows: int
    position: IntArray

    def __len__(self) -> int:
        return len(self.position)

    @property
    def column(self) -> IntArray:
        """Column of each cell."""
        return self.position % self.n_columns

    @property
    def row(self) -> IntArray:
        """Row of each cell, from the south."""
        return self.position // self.n_columns

    @property
    def centre_m(self) -> FloatArray:
        """Array of shape (n_cells, 2): eastings and northings of the centres."""
        east = self.west_m + (self.column + 0.5) * self.cell_m
        north = self.south_m + (self.row + 0.5) * self.cell_m
        return np.column_stack([east, north])

    @property
    def area_km2(self) -> float:
        """Area of one cell, square kilometres."""
        return self.cell_m**2 / 1e6

    def locate(self, easting_m: FloatArray, northing_m: FloatArray) -> IntArray:
        """
        Find the cell of each point.

        Parameters
        ----------
        easting_m, northing_m : numpy.ndarray of shape (n,)
            Metres. A point on an edge belongs to the cell north or east of it.

        Returns
        -------
        numpy.ndarray of shape (n,)
            Number of the cell, or `len(grid)` for a point outside all cells.
        """
        if len(self) == 0:
            return np.zeros(len(np.asarray(easting_m)), dtype=np.int64)
        column = np.floor((np.asarray(easting_m) - self.west_m) / self.cell_m)
        row = np.floor((np.asarray(northing_m) - self.south_m) / self.cell_m)
        inside = (column >= 0) & (column < self.n_columns) & (row >= 0) & (row < self.n_rows)
        position = np.where(inside, row * self.n_columns + column, -1).astype(np.int64)
        found = np.searchsorted(self.position, position)
        hit = inside & (self.position[np.minimum(found, len(self) - 1)] == position)
        return np.where(hit, found, len(self)).astype(np.int64)

    def sum_weights(self, easting_m: FloatArray, northing_m: FloatArray, weight: FloatArray) -> FloatArray:
        """
        Sum weights over the points in each cell.

        Parameters
        ----------
        easting_m, northing_m, weight : numpy.ndarray of shape (n,)
            Points in metres and their weights. Points outside all cells are left out.

        Returns
        -------
        numpy.ndarray of shape (n_cells,)
            Sum of weights.
        """
        cell = self.locate(easting_m, northing_m)
        return np.bincount(cell, weights=weight, minlength=len(self) + 1)[: len(self)].astype(float)

    def build_neighbours(self, *, n_rings: int = 1) -> sparse.csr_array:
        """
        Build binary weights to the cells within a number of rings, without the cell itself.

        Parameters
        ----------
        n_rings : int, default 1
            1 for the eight touching cells (queen).

        Returns
        -------
        scipy.sparse.csr_array of shape (n_cells, n_cells)
            Symmetric, ones, empty diagonal.
        """
        block = np.full(self.n_rows * self.n_columns, -1, dtype=np.int64)
        block[self.position] = np.arange(len(self))
        row, column = self.row, self.column
        tails, heads = [], []
        steps = range(-n_rings, n_rings + 1)
        for d_row in steps:
            for d_column in steps:
                if d_row == d_column == 0:
                    continue
                r, c = row + d_row, column + d_column
                inside = np.flatnonzero((r >= 0) & (r < self.n_rows) & (c >= 0) & (c < self.n_columns))
                other = block[r[inside] * self.n_columns + c[inside]]
                tails.append(inside[other >= 0])
                heads.append(other[other >= 0])
        tail, head = np.concatenate(tails), np.concatenate(heads)
        n = len(self)
        return sparse.csr_array((np.ones(len(tail)), (tail, head)), shape=(n, n))

    def build_cells(self, chosen: IntArray) -> gpd.GeoDataFrame:
        """
        Build the squares of some cells.

        Parameters
        ----------
        chosen : numpy.ndarray of int
            Numbers of the cells.

        Returns
        -------
        geopandas.GeoDataFrame
            Squares in EPSG:27700 in the order asked for, indexed by ``cell_id``.
        """
        west, south = self._corners(chosen)
        ids = [f"{east:.0f}-{north:.0f}-{self.cell_m:.0f}" for east, north in zip(west, south, strict=True)]
        squares = self.build_squares(chosen)
        return gpd.GeoDataFrame(index=pd.Index(ids, name="cell_id", dtype="str"), geometry=squares, crs=METRIC)

    def build_squares(self, chosen: IntArray) -> NDArray[np.object_]:
        """
        Build the bare squares of some cells: a table of them takes a hundred times as long.

        Parameters
        ----------
        chosen : numpy.ndarray of int
            Numbers of the cells.

        Returns
        -------
        numpy.ndarray of shapely.Polygon
            Squares in EPSG:27700 in the order asked for.
        """
        west, south = self._corners(chosen)
        squares: NDArray[np.object_] = shapely.box(west, south, west + self.cell_m, south + self.cell_m)
        return squares

    def _corners(self, chosen: IntArray) -> tuple[FloatArray, FloatArray]:
        """West and south edges of some cells."""
        position = self.position[np.asarray(chosen, dtype=np.int64)]
        west = np.asarray(self.west_m + position % self.n_columns * self.cell_m, dtype=np.float64)
        south = np.asarray(self.south_m + position // self.n_columns * self.cell_m, dtype=np.float64)
        return west, south


def build_grid(
    area: shapely.Geometry,
    *,
    cell_m: float,
    west_m: float = 0.0,
    south_m: float = 0.0,
) -> Grid:
    """
    Build the cells whose centre lies in an area.

    Parameters
    ----------
    area : shapely.Geometry
        Polygon or MultiPolygon in EPSG:27700.
    cell_m : float
        Side of a cell, metres.
    west_m, south_m : float, default 0
        A corner the grid passes through; the false origin gives National Grid squares.

    Returns
    -------
    Grid
        Cells ordered by row then column.

    Raises
    ------
    UsageError
        If the cell is not positive or is too small for the area.

    Examples
    --------
    >>> len(build_grid(shapely.box(0, 0, 1000, 500), cell_m=250))
    8
    """
    _require_cell(cell_m)
    west, south, east, north = shapely.bounds(area)
    first_column, first_row = np.floor((west - west_m) / cell_m), np.floor((south - south_m) / cell_m)
    n_columns = int(np.ceil((east - west_m) / cell_m) - first_column)
    n_rows = int(np.ceil((north - south_m) / cell_m) - first_row)
    _require_size(n_columns * n_rows, cell_m)
    corner_m = (west_m + first_column * cell_m, south_m + first_row * cell_m)
    block = Grid(corner_m[0], corner_m[1], cell_m, n_columns, n_rows, np.arange(n_rows * n_columns, dtype=np.int64))
    shapely.prepare(area)
    centre = block.centre_m
    inside = np.flatnonzero(shapely.contains_xy(area, centre[:, 0], centre[:, 1]))
    return Grid(corner_m[0], corner_m[1], cell_m, n_columns, n_rows, inside.astype(np.int64))


def build_grid_around(easting_m: FloatArray, northing_m: FloatArray, *, cell_m: float, margin_m: float = 0.0) -> Grid:
    """
    Build National Grid squares over the bounding box of points, for when no study area is known.

    Parameters
    ----------
    easting_m, northing_m : numpy.ndarray of shape (n,)
        Metres; at least one point.
    cell_m : float
        Side of a cell, metres.
    margin_m : float, default 0
        Added on every side.

    Returns
    -------
    Grid
        Cells ordered by row then column.

    Raises
    ------
    UsageError
        If there is no point, or the cell is not positive or is too small for the box.
    """
    if len(easting_m) == 0:
        msg = "points: there are 0, expected at least 1 to lay a grid around. Give the study area instead."
        raise UsageError(msg)
    _require_cell(cell_m)
    first_column = np.floor((np.min(easting_m) - margin_m) / cell_m)
    first_row = np.floor((np.min(northing_m) - margin_m) / cell_m)
    n_columns = int(np.floor((np.max(easting_m) + margin_m) / cell_m) - first_column) + 1
    n_rows = int(np.floor((np.max(northing_m) + margin_m) / cell_m) - first_row) + 1
    _require_size(n_columns * n_rows, cell_m)
    position = np.arange(n_rows * n_columns, dtype=np.int64)
    return Grid(float(first_column * cell_m), float(first_row * cell_m), cell_m, n_columns, n_rows, position)


def grid_reference(easting_m: float, northing_m: float, *, n_digits: int = 3) -> str:
    """
    Name a position by its National Grid reference.

    Parameters
    ----------
    easting_m, northing_m : float
        EPSG:27700 metres inside the lettered squares.
    n_digits : int, default 3
        Digits for each axis: 3 names a 100 m square.

    Returns
    -------
    str
        Letters and digits without spaces.

    Examples
    --------
    >>> grid_reference(459_652, 451_975)
    'SE596519'
    """
    # The lettered squares start 1,000 km west and 500 km south of the false origin; A is in the north-west.
    column, row = int(easting_m // 100_000) + 10, int(northing_m // 100_000) + 5
    letters = "".join(_LETTERS[(4 - r) * 5 + c] for c, r in ((column // 5, row // 5), (column % 5, row % 5)))
    scale = 10 ** (5 - n_digits)
    east, north = int(easting_m % 100_000 // scale), int(northing_m % 100_000 // scale)
    return f"{letters}{east:0{n_digits}d}{north:0{n_digits}d}"


def _require_cell(cell_m: float) -> None:
    if not cell_m > 0:
        msg = f"cell_m: it is {cell_m!r}, expected a positive length in metres. Give the side of a cell."
        raise UsageError(msg)


def _require_size(n_cells: int, cell_m: float) -> None:
    if n_cells > _MOST_CELLS:
        msg = (
            f"cell_m: {cell_m!r} makes a block of {n_cells:,} cells, expected at most {_MOST_CELLS:,}. "
            "Use larger cells or a smaller area."
        )
        raise UsageError(msg)
