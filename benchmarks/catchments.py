"""
Which town do residents belong to: `python -m benchmarks.catchments`.

Fits the two densities of `geo.catchments` to where North Yorkshire's residents live (census small areas, spread over
their postcodes), and says how far the residents that each rule gives to a town are from the census's own figure.
"""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.spatial import KDTree
from scipy.spatial.distance import cdist

from benchmarks.evidence import Evidence, parser
from geo.catchments import BACKGROUND_PER_KM2, CENTRE_PER_KM2, find_town
from geo.crs import METRIC

FloatArray = NDArray[np.float64]
NEAREST_REACH_M = 3_000.0


def read_residents(data: Path) -> tuple[FloatArray, FloatArray, float]:
    """Postcodes, the residents of each, and the area they live in, square kilometres."""
    areas = gpd.read_file(data / "boundaries" / "lsoa21_north_yorkshire_imd2025_pop2021.geojson").to_crs(METRIC)
    codes = pd.read_csv(data / "boundaries" / "codepoint_open_postcodes_north_yorkshire.csv")
    points_m = codes[["E", "N"]].to_numpy(float)
    at = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*points_m.T), crs=METRIC)
    area = gpd.sjoin(at, areas[["geometry"]], predicate="within")["index_right"].groupby(level=0).first()
    residents = np.zeros(len(points_m))
    residents[area.index] = (areas["pop_census2021"].reindex(area) / area.value_counts().reindex(area)).to_numpy()
    return points_m, residents, float(areas["area_km2"].sum())


def read_towns(data: Path) -> pd.DataFrame:
    """Towns of the census with their centres."""
    table = pd.read_csv(data / "boundaries" / "towns_north_yorkshire_geonames_x_ons_bua2021.csv")
    table = table[table["bua_pop_2021"].notna() & table["flag"].isna()].drop_duplicates("bua_code")
    at = gpd.GeoSeries(gpd.points_from_xy(table["longitude"], table["latitude"]), crs="EPSG:4326").to_crs(METRIC)
    columns = {"easting_m": at.x, "northing_m": at.y, "population": table["bua_pop_2021"].to_numpy(float)}
    return pd.DataFrame(columns).set_index(table["name"])


def fit_densities(
    points_m: FloatArray, residents: FloatArray, towns: pd.DataFrame, area_km2: float, *, is_free: bool
) -> FloatArray:
    """Greatest likelihood: residents a square kilometre at a centre and between towns, and the power of residents."""
    people = towns["population"].to_numpy(float)
    away_km = cdist(points_m, towns[["easting_m", "northing_m"]].to_numpy(float)) / 1000
    weight = residents / residents.sum()

    def loss(theta: FloatArray) -> float:
        centre, between = np.exp(theta[:2])
        power = theta[2] if is_free else 0.5
        scale_km = np.sqrt(1e4 / (2 * np.pi * centre)) * (people / 1e4) ** power
        per_km2 = np.exp(-away_km / scale_km) @ (people / (2 * np.pi * scale_km**2)) + between
        return -float(weight @ np.log(per_km2 / (people.sum() + between * area_km2)))

    start = [9.0, 3.0, 0.5][: 3 if is_free else 2]
    found = minimize(loss, start, method="Nelder-Mead", options={"xatol": 1e-4, "fatol": 1e-8, "maxiter": 4000})
    return np.concatenate([np.exp(found.x[:2]), found.x[2:] if is_free else [0.5]])


def main() -> None:
    options = parser(__doc__ or "").parse_args()
    evidence = Evidence("catchments")
    points_m, residents, area_km2 = read_residents(options.data)
    towns = read_towns(options.data)
    stated = {"name": "in use", "figure": f"{CENTRE_PER_KM2:g}, {BACKGROUND_PER_KM2:g}, 0.5"}
    for is_free in (False, True):
        centre, between, power = fit_densities(points_m, residents, towns, area_km2, is_free=is_free)
        name = "power of residents free" if is_free else "spread as the root of residents"
        figure = f"{centre:.0f}, {between:.1f}, {power:.2f}"
        evidence.add(f"densities at the centre and between towns, {name}", figure, "per sq km", baseline=stated)
    away_m, nearest = KDTree(towns[["easting_m", "northing_m"]].to_numpy(float)).query(points_m)
    for name, town in (
        ("nearest centre within 3 km", np.where(away_m <= NEAREST_REACH_M, nearest, -1)),
        ("most residents there", find_town(points_m, towns)),
    ):
        held = np.bincount(town[town >= 0], weights=residents[town >= 0], minlength=len(towns))
        factor = np.exp(np.abs(np.log((held + 1) / towns["population"].to_numpy(float))))
        shown = ", ".join(f"{k} {held[towns.index.get_loc(k)]:,.0f}" for k in ("York", "Heslington", "Huntington"))
        evidence.add(
            f"residents of a town by {name}: middle factor off",
            float(np.median(factor)),
            "times",
            n=len(towns),
            note=shown,
        )
    evidence.write(options.json)


if __name__ == "__main__":
    main()
