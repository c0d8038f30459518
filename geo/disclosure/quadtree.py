"""
Show where victims' homes are many, never where one is: a population quadtree with ordered bands.

In: `geo.sensitive.SensitivePoints` and `geo.tables.AREAS`. Out: `geo.tables.BANDED_CELLS`. Squares of the National Grid
at a fixed origin are split in four while the quarters that keep at least the profile's dwellings and homes of addresses
hold most of its addresses; a square that never reached both floors is not shown, and what is left of a square beside
its shown quarters is not shown either, so that squares never nest and no difference of two is smaller than a square.
This is the protected quadtree of sdcSpatial (de Jonge and de Wolf 2019) with three departures: the dwellings of a
square count only small areas that lie wholly inside it, a true lower bound where areal shares are a guess; no count
leaves, only one of the profile's bands; and a few homes far from all others no longer keep a region in one square.

The result depends on the addresses alone: no random draw, so that many releases cannot be averaged.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.crs import METRIC
from geo.errors import DisclosureError
from geo.homes import label_first, label_homes, label_whole
from geo.schema import empty, validate
from geo.sensitive import SensitivePoints
from geo.tables import AREAS, BANDED_CELLS

__all__ = ["PROFILES", "ProfileRule", "band_cells", "find_address_cells"]

ROOT_SIZE_M = 131_072.0  # 2**17: halves stay whole metres down to 1 m
SMALLEST_CELL_M = 1_024.0
# A square is split if its shown quarters hold at least this share of its addresses. ASSUMPTION
MIN_SHOWN_SHARE = 0.8


@dataclass(frozen=True)
class ProfileRule:
    """
    What one release profile demands of a shown square.

    Attributes
    ----------
    min_dwellings, min_addresses : int
        Floors that every shown square keeps.
    band_floors : tuple of int
        Fewest addresses of each band, lowest first; the last has no upper end.
    """

    min_dwellings: int
    min_addresses: int
    band_floors: tuple[int, ...]

    def band_range(self, band: int) -> tuple[float, float]:
        """
        Give the numbers of addresses that a band stands for.

        Parameters
        ----------
        band : int
            From 1.

        Returns
        -------
        tuple of float
            Fewest and most; infinity for the last band.
        """
        is_last = band == len(self.band_floors)
        return float(self.band_floors[band - 1]), float("inf") if is_last else float(self.band_floors[band] - 1)


# trust.md A2: defaults that a force's data protection officer confirms.
PROFILES: dict[str, ProfileRule | None] = {
    # Where the bands begin is an ASSUMPTION; they are fixed, so that a band means the same in every release.
    "tactical": ProfileRule(min_dwellings=50, min_addresses=3, band_floors=(3, 6, 11, 21)),
    "partner": ProfileRule(min_dwellings=100, min_addresses=10, band_floors=(10, 21, 41)),
    "public": None,
}


@dataclass(frozen=True)
class _Evidence:
    """Coordinates and homes of addresses, one of each home marked; of each small area its bounds and dwellings."""

    easting_m: NDArray[np.float64]
    northing_m: NDArray[np.float64]
    homes: NDArray[np.int64]
    is_first: NDArray[np.bool_]
    bounds_m: NDArray[np.float64]
    n_dwellings: NDArray[np.float64]


def band_cells(points: SensitivePoints, areas: gpd.GeoDataFrame, *, profile: str) -> gpd.GeoDataFrame:
    """
    Aggregate victims' addresses to banded squares that keep the profile's floors.

    Parameters
    ----------
    points : SensitivePoints
        The addresses.
    areas : geopandas.GeoDataFrame
        Table `geo.tables.AREAS` with ``n_dwellings``; null counts as none.
    profile : str
        ``tactical`` or ``partner``.

    Returns
    -------
    geopandas.GeoDataFrame
        Table `geo.tables.BANDED_CELLS`, ordered by id; no rows where no square may be shown.

    Raises
    ------
    DisclosureError
        If the profile is unknown, or is one that gets no victim layer at all.
    TableError
        If `areas` breaks its contract.

    Notes
    -----
    An address outside every square that can be shown is in no square; the number left out is not told. Addresses are
    counted by home (`geo.homes`), and a home recorded on both sides of a border only in a square that holds all of it.
    """
    validate(areas, AREAS)
    rule = _require_rule(profile)
    easting_m, northing_m = points.reveal_for("area_counts")
    # Records at one door, or a few metres from it, are one home: the floor is of distinct homes.
    homes = label_homes(easting_m, northing_m)
    evidence = _Evidence(
        easting_m,
        northing_m,
        homes,
        label_first(homes, easting_m, northing_m),
        shapely.bounds(areas.geometry.array).reshape(-1, 4),
        areas["n_dwellings"].fillna(0).to_numpy(dtype=float),
    )
    shown: list[tuple[str, int, tuple[float, float, float]]] = []
    columns, rows = ((m // ROOT_SIZE_M).astype(int) for m in (easting_m, northing_m))
    for column, row in sorted(set(zip(columns.tolist(), rows.tolist(), strict=True))):
        _split((column * ROOT_SIZE_M, row * ROOT_SIZE_M, ROOT_SIZE_M), evidence, rule, shown)
    if not shown:
        return empty(BANDED_CELLS)
    shown.sort()
    cells = gpd.GeoDataFrame(
        {"band": np.array([band for _, band, _ in shown], dtype="int64")},
        index=pd.Index([cell_id for cell_id, _, _ in shown], name=BANDED_CELLS.index, dtype="str"),
        geometry=[shapely.box(w, s, w + size, s + size) for _, _, (w, s, size) in shown],
        crs=METRIC,
    )
    return validate(cells, BANDED_CELLS)


def find_address_cells(points: SensitivePoints, cells: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """
    Find the square in which the home of each address is counted: for the ledger alone, as it tells of single addresses.

    Parameters
    ----------
    points : SensitivePoints
        The addresses.
    cells : geopandas.GeoDataFrame
        Table `geo.tables.BANDED_CELLS` made from them by `band_cells`.

    Returns
    -------
    numpy.ndarray of shape (n_addresses,)
        Id of the square, empty where there is none, in the order of `SensitivePoints.reveal_for`. None for all
        addresses of a home but the one seen first, and for a home on both sides of a square's border: it counts in no
        square, and to tell that it is known would hide that it came or went.
    """
    easting_m, northing_m = points.reveal_for("ledger_digest")
    homes = label_homes(easting_m, northing_m)
    found = np.full(len(points), "", dtype=object)
    for cell, (west, south, east, north) in zip(cells.index, cells.bounds.to_numpy(), strict=True):
        inside = (easting_m >= west) & (easting_m < east) & (northing_m >= south) & (northing_m < north)
        is_whole = label_whole(homes, inside)
        found[is_whole] = cell
        found[~label_whole(homes, ~inside) & ~is_whole] = None
    found[~label_first(homes, points.months_for("ledger_digest").asi8, easting_m, northing_m)] = None
    return found


def _require_rule(profile: str) -> ProfileRule:
    if profile not in PROFILES:
        msg = f"profile: it is {profile!r}, expected one of {', '.join(PROFILES)}. Name one of them."
        raise DisclosureError(msg)
    rule = PROFILES[profile]
    if rule is None:
        msg = f"cuckooing: profile {profile!r} gets no victim layer, expected tactical or partner. Leave the layer out."
        raise DisclosureError(msg)
    return rule


def _measure(cell: tuple[float, float, float], evidence: _Evidence) -> tuple[int, float]:
    """Distinct homes of addresses and dwellings for certain in the half-open square."""
    west, south, size = cell
    east, north = west + size, south + size
    inside = (evidence.easting_m >= west) & (evidence.easting_m < east)
    inside &= (evidence.northing_m >= south) & (evidence.northing_m < north)
    b = evidence.bounds_m
    within = (b[:, 0] >= west) & (b[:, 1] >= south) & (b[:, 2] <= east) & (b[:, 3] <= north)
    n_homes = int((evidence.is_first & label_whole(evidence.homes, inside)).sum())
    return n_homes, float(evidence.n_dwellings[within].sum())


def _split(
    cell: tuple[float, float, float],
    evidence: _Evidence,
    rule: ProfileRule,
    shown: list[tuple[str, int, tuple[float, float, float]]],
) -> None:
    """Every square below the cell that keeps both floors and cannot be split further is in `shown`."""
    n_addresses, n_dwellings = _measure(cell, evidence)
    if n_addresses < rule.min_addresses or n_dwellings < rule.min_dwellings:
        return
    west, south, size = cell
    half = size / 2
    quarters = [(west + dx * half, south + dy * half, half) for dy in (0, 1) for dx in (0, 1)]
    measured = [(quarter, *_measure(quarter, evidence)) for quarter in quarters]
    large = [(q, n) for q, n, homes in measured if n >= rule.min_addresses and homes >= rule.min_dwellings]
    if half >= SMALLEST_CELL_M and large and sum(n for _, n in large) >= MIN_SHOWN_SHARE * n_addresses:
        for quarter, _ in large:
            _split(quarter, evidence, rule, shown)
        return
    band = int(np.searchsorted(rule.band_floors, n_addresses, side="right"))
    cell_id = f"{int(size)}m-{int(west):06d}-{int(south):07d}"
    shown.append((cell_id, band, cell))
