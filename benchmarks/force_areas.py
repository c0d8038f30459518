"""Police force areas as origins and destinations: centres, populations, deprivation, and what lies between."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely.geometry import LineString, Point

from geo.crs import METRIC

LONDON = "Metropolitan Police"
# The six metropolitan counties of England outside London (Local Government Act 1972), by the force that polices each.
METROPOLITAN = (
    "Greater Manchester",
    "Merseyside",
    "South Yorkshire",
    "Northumbria",
    "West Midlands",
    "West Yorkshire",
)
_NAMES = {"Devon & Cornwall": "Devon and Cornwall", "London, City of": "City of London"}


@dataclass(frozen=True)
class ForceAreas:
    """Force areas by name: boundary, populations by year, small areas inside."""

    areas: gpd.GeoDataFrame
    population: pd.DataFrame
    lsoas: pd.DataFrame

    def population_of(self, names: list[str], year: int) -> np.ndarray[Any, Any]:
        return self.population.loc[year, names].to_numpy(dtype=float)

    def centres_km(self, names: list[str]) -> np.ndarray[Any, Any]:
        """Population-weighted centres, kilometres of EPSG:27700."""
        weighted = self.lsoas.assign(
            e=self.lsoas["BNG_E"] * self.lsoas["total_population"],
            n=self.lsoas["BNG_N"] * self.lsoas["total_population"],
        )
        sums = weighted.groupby("force")[["e", "n", "total_population"]].sum().loc[names]
        return (sums[["e", "n"]].to_numpy() / sums[["total_population"]].to_numpy()) / 1000.0

    def people_in_decile(self, names: list[str], highest: int) -> np.ndarray[Any, Any]:
        """Residents of small areas up to an IMD 2019 decile, 1 the most deprived."""
        poor = self.lsoas.loc[self.lsoas["IMD_decile"] <= highest]
        return poor.groupby("force")["total_population"].sum().reindex(names, fill_value=0).to_numpy(dtype=float)


def read_force_areas(data: Path) -> ForceAreas:
    areas = gpd.read_file(data / "boundaries" / "police_force_areas_2020_EW.geojson").to_crs(METRIC)
    areas["name"] = areas["pfa20_name"].str.strip().replace(_NAMES)
    population = pd.read_csv(data / "countylines" / "population_policeforces.csv").set_index("year")
    lsoas = pd.read_csv(data / "deprivation" / "lsoa11_EW_centroids_pop2020_imd2019.csv.gz")
    points = gpd.GeoDataFrame(
        lsoas, geometry=gpd.points_from_xy(lsoas["BNG_E"], lsoas["BNG_N"]), crs=METRIC
    ).sort_values("LSOA11CD")
    # The boundaries are generalised, so a coastal centroid may fall outside all of them: the nearest area has it.
    joined = gpd.sjoin_nearest(points, areas[["name", "geometry"]])
    joined = joined.loc[~joined.index.duplicated()].rename(columns={"name": "force"})
    return ForceAreas(areas.set_index("name").sort_index(), population, pd.DataFrame(joined.drop(columns="geometry")))


def distance_km(from_km: np.ndarray[Any, Any], to_km: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Straight lines between all centres."""
    return np.hypot(from_km[:, None, 0] - to_km[None, :, 0], from_km[:, None, 1] - to_km[None, :, 1])


def mass_along_line(areas: ForceAreas, origin: Point, names: list[str], mass: pd.Series) -> np.ndarray[Any, Any]:
    """Mass of the listed force areas that a straight line to each area's centroid crosses, itself left out."""
    shapes = areas.areas.geometry
    return np.array(
        [
            sum(
                mass[other]
                for other in names
                if other != name and shapes[other].intersects(LineString([origin, shapes[name].centroid]))
            )
            for name in names
        ]
    )
