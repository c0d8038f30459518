"""
North Yorkshire 2019: the likeliest origins among 38 forces, and the towns, with nothing fitted to either.

Origins: an exporter's strength (`geo.corridors.strength`) times the pull of the force's towns on it, gravity at the
start values of Castro-Gonzalez et al. (2023). The stated model was settled after others had been looked at, and four
published origins prove little where many are: so they are printed as `tried`, in families, with how many of a family
find all four in the first six. Production-constrained gravity, radiation and competing exporters between force areas,
with six strengths and three distances, were looked at before and found all four in 3 of 90.

Towns: the product's corridor model (`models.posterior.ways` at its documented priors, no evidence at all), external
origins by train or road and internal ones by road, against the published 7, 4, 2 and 1. The rows `tried` show what
other assumptions say. The default share of internal lines is the published 2 of 14.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra
from scipy.stats import spearmanr

from benchmarks.evidence import Evidence, parser, peak_mib
from benchmarks.force_areas import LONDON, ForceAreas, read_force_areas
from geo.corridors.priors import COURIER_GRAVITY
from geo.corridors.strength import measure_export_strength
from geo.corridors.terminals import HIRE_FIXED_MIN, HUB_ACCESS_MIN
from geo.network.access import measure_access, measure_road_times
from geo.network.rail import build_rail_network
from geo.network.run_times import DEFAULT_SPEED_KM_PER_H
from geo.sources.places import read_towns
from geo.sources.stations import read_stations
from geo.sources.track import read_track
from models.posterior.posterior import Posterior
from models.posterior.priors import Normal, Priors
from models.posterior.sampler import draw_posterior
from models.posterior.ways import COST_FLOOR_MIN, build_ways

FORCE = "North Yorkshire"
# The four named with their lines in autumn 2019, in the file of published figures.
ORIGINS = {"West Yorkshire": 6, "Greater Manchester": 3, "Merseyside": 2, "Cleveland": 1}
TOWNS = {"Harrogate": 7, "York": 4, "Scarborough": 2, "Skipton": 1}
# ASSUMPTION: a town is served by stations within this drive, minutes.
STATION_REACH_MIN = 30.0
EXPONENTS = (1.0, 1.5, 2.0)
INTERNAL_SHARE = 2 / 14
N_DRAWS, SEED = 500, 2019
Costs = dict[str, pd.DataFrame]


def read_towns_of_force(data: Path) -> pd.DataFrame:
    area = gpd.read_file(data / "boundaries" / "lsoa21_north_yorkshire_imd2025_pop2021.geojson").to_crs("EPSG:27700")
    towns = read_towns(
        data / "boundaries" / "towns_north_yorkshire_geonames_x_ons_bua2021.csv", force_area=area.geometry.union_all()
    ).table
    return towns.loc[towns["is_in_force"]]


def build_exporters(areas: ForceAreas, hubs: pd.Series) -> pd.DataFrame:
    names = sorted(set(areas.population.columns) - {FORCE})
    centres_m = areas.centres_km(names) * 1000.0
    return pd.DataFrame(
        {
            "name": names,
            "easting_m": centres_m[:, 0],
            "northing_m": centres_m[:, 1],
            "population": areas.population_of(names, 2018),
            "hub_station_id": hubs.reindex(names).to_numpy(),
            "n_lines": np.nan,
            "prior_lines": np.nan,
        },
        index=pd.Index(names, name="exporter_id"),
    ).astype({"name": "str", "hub_station_id": "str"})


def find_hubs(data: Path, areas: ForceAreas, stations: pd.DataFrame) -> pd.Series:
    """The busiest station of each force area in 2018, by CRS code."""
    usage = pd.read_csv(data / "rail" / "orr_usage_1997_2021_long.csv.gz")
    usage = usage.loc[usage["year"] == 2018].set_index("TLC")["Total"]
    points = gpd.GeoDataFrame(
        stations, geometry=gpd.points_from_xy(stations["easting_m"], stations["northing_m"]), crs="EPSG:27700"
    )
    inside = gpd.sjoin(points[["geometry"]], areas.areas[["geometry"]])
    inside["usage"] = usage.groupby(level=0).max().reindex(inside.index)
    busiest = inside.dropna(subset=["usage"]).sort_values("usage", ascending=False)
    column = next(c for c in busiest.columns if c.startswith("name") or c == "index_right")
    return busiest.drop_duplicates(column).reset_index(names="crs").set_index(column)["crs"]


def rail_minutes(network: Any, origins: pd.Series, towns: pd.DataFrame) -> pd.DataFrame:
    """From each main station along the track at running speed to each town's best station, then on foot or by taxi."""
    ids = {station: k for k, station in enumerate(network.stations.index)}
    links = network.links
    a, b = (links[f"{end}_station_id"].map(ids).to_numpy() for end in ("from", "to"))
    minutes = links["length_m"].to_numpy() / 1000.0 / DEFAULT_SPEED_KM_PER_H * 60.0
    graph = coo_array((np.r_[minutes, minutes], (np.r_[a, b], np.r_[b, a])), shape=(len(ids), len(ids))).tocsr()
    access = measure_access(towns, network.stations, modes=("walk", "drive"), max_min=STATION_REACH_MIN)
    is_hired = access["mode"] == "drive"
    access = access.assign(time_min=access["time_min"] + np.where(is_hired, HIRE_FIXED_MIN, 0.0))
    known = origins[origins.isin(ids.keys())]
    times = dijkstra(graph, indices=[ids[hub] for hub in known])
    rows = []
    for place, near in access.groupby("place_id"):
        at = near["station_id"].map(ids).to_numpy()
        best = (times[:, at] + near["time_min"].to_numpy()).min(axis=1) + HUB_ACCESS_MIN
        rows.append(pd.DataFrame({"origin_id": known.index, "destination_id": place, "cost_min": best}))
    return pd.concat(rows, ignore_index=True).replace(np.inf, np.nan).dropna()


def drive_minutes(origins: pd.DataFrame, towns: pd.DataFrame) -> pd.DataFrame:
    return measure_road_times(origins, towns).rename(columns={"time_min": "cost_min"})[
        ["origin_id", "destination_id", "cost_min"]
    ]


def small_areas_of(areas: ForceAreas) -> pd.DataFrame:
    columns = {"force": "exporter_id", "BNG_E": "easting_m", "BNG_N": "northing_m", "total_population": "population"}
    return areas.lsoas.rename(columns={**columns, "IMD_decile": "imd_decile"})[[*columns.values(), "imd_decile"]]


def pull_of(costs: pd.DataFrame, towns: pd.DataFrame, cost_exponent: float) -> pd.Series:
    """Sum over towns of population to the power of the prior, times cost to a power, by origin."""
    mass = towns["population"].reindex(costs["destination_id"]).to_numpy() ** COURIER_GRAVITY.mean["mass_exponent"]
    cost = np.maximum(costs["cost_min"].to_numpy(), COST_FLOOR_MIN)
    return pd.Series(mass * cost**-cost_exponent, index=costs["origin_id"]).groupby(level=0).sum()


def rank_origins(evidence: Evidence, claim: str, weight: pd.Series, **more: Any) -> bool:
    """One row: how many of the four origins are in the first six, and their ranks; whether all are, London outside."""
    order = weight.sort_index().sort_values(ascending=False, kind="stable").index.tolist()
    found = sum(name in order[:6] for name in ORIGINS)
    ranks = ", ".join(f"{name} {order.index(name) + 1}" for name in (*ORIGINS, LONDON))
    if claim:
        evidence.add(claim, float(found), "of 4 origins in the first six", n=len(order), note=ranks, **more)
    return found == len(ORIGINS) and LONDON not in order[:6]


def show_origins(
    evidence: Evidence,
    exporters: pd.DataFrame,
    stations: pd.DataFrame,
    small: pd.DataFrame,
    costs: Costs,
    towns: pd.DataFrame,
) -> pd.Series:
    """The stated model, its baselines, then every family that was tried; gives the strength of the stated model."""
    strength = measure_export_strength(exporters, stations, small)
    pulls = {
        (name, exponent): pull_of(table, towns, exponent) for name, table in costs.items() for exponent in EXPONENTS
    }
    nearest = -costs["rail"].groupby("origin_id")["cost_min"].mean()
    uncommon = {"name": "nearest by train", "figure": 3}
    start = time.perf_counter()
    rank_origins(
        evidence,
        "origins: deprived people near the main station, gravity by train",
        strength * pulls["rail", 1.0],
        baseline=uncommon,
        seconds=time.perf_counter() - start,
        peak_mib=peak_mib(),
    )
    rank_origins(evidence, "origins: baseline, nearest by train", nearest)
    rank_origins(evidence, "origins: baseline, gravity of population", exporters["population"] * pulls["rail", 1.0])
    families = {"population of the whole area": {"all": exporters["population"]}}
    for decile, people in ((1, "most deprived tenth"), (2, "two most deprived tenths"), (10, "all people")):
        near = {
            f"{reach_km} km": measure_export_strength(
                exporters, stations, small, reach_m=reach_km * 1000.0, highest_decile=decile
            )
            for reach_km in (5, 10, 15, 20, 30)
        }
        families[f"{people} near the main station"] = near
        families.setdefault(f"{people} of the whole area", {"all": _whole(small, decile, exporters)})
    for family, strengths in families.items():
        hits = [rank_origins(evidence, "", weight * pull) for weight in strengths.values() for pull in pulls.values()]
        evidence.add(
            f"origins: tried: {family}",
            float(sum(hits)),
            "variants with all four in the first six and London outside",
            n=len(hits),
            note=f"{len(strengths)} strengths x {len(costs)} costs x exponents {EXPONENTS}",
        )
    return strength


def _whole(small: pd.DataFrame, decile: int, exporters: pd.DataFrame) -> pd.Series:
    poor = small.loc[small["imd_decile"] <= decile].groupby("exporter_id")["population"].sum()
    return poor.reindex(exporters.index, fill_value=0).astype(float)


def share_towns(exporters: pd.DataFrame, towns: pd.DataFrame, costs: pd.DataFrame, **more: Any) -> pd.Series:
    """Mean share of each town before any evidence, over the priors."""
    internal_share = more.pop("internal_share", INTERNAL_SHARE)
    priors = replace(Priors(), **more)
    ways = build_ways(costs, towns, exporters, priors, internal_share=internal_share)
    posterior = Posterior(ways, priors)
    theta = draw_posterior(posterior, n_draws=N_DRAWS, random_state=SEED).theta
    into = np.exp(posterior.log_lines(theta)) @ posterior.town_sums.T
    share = (into / into.sum(axis=1, keepdims=True)).mean(axis=0)
    return pd.Series(share, index=list(ways.town_ids)).reindex(towns.index, fill_value=0.0)


def show_towns(evidence: Evidence, exporters: pd.DataFrame, towns: pd.DataFrame, costs: Costs) -> None:
    """The towns by the product's prior shares, by population and by train, against the published lines."""
    internal = drive_minutes(towns, towns)

    def trips_of(cost: str = "better", **more: Any) -> pd.Series:
        return share_towns(exporters, towns, pd.concat([costs[cost], internal], ignore_index=True), **more)

    start = time.perf_counter()
    trips = trips_of()
    seconds = time.perf_counter() - start
    near = -costs["rail"].groupby("destination_id")["cost_min"].min().reindex(towns.index).fillna(-np.inf)
    lines = towns["name"].map(TOWNS).fillna(0.0)
    four = lines > 0
    for name, score in (
        ("the corridor model", trips),
        ("tried: external lines by train only", trips_of("rail")),
        ("tried: no internal lines", trips_of(internal_share=0.0)),
        ("tried: a quarter of lines internal", trips_of(internal_share=0.25)),
        ("tried: mass exponent 0.6", trips_of(mass_exponent=Normal(0.6, 0.1))),
        ("tried: no rivals", trips_of(rivalry_exponent=Normal(0.0, 1e-3))),
        (
            "tried: plain gravity",
            trips_of(
                cost_exponent=Normal(1.0, 1e-3), cost_decay_per_min=Normal(0.0, 1e-6), rivalry_exponent=Normal(0, 1e-3)
            ),
        ),
        ("population", towns["population"]),
        ("nearest by train", near),
    ):
        order = towns.loc[score.sort_index().sort_values(ascending=False, kind="stable").index, "name"].tolist()
        ranks = ", ".join(f"{town} {order.index(town) + 1}" for town in TOWNS)
        evidence.add(
            f"towns: {name}: named towns among the first six",
            float(sum(town in order[:6] for town in TOWNS)),
            "of 4 towns",
            n=len(order),
            seconds=seconds if name == "the corridor model" else None,
            note=f"{ranks}; first six: {', '.join(order[:6])}",
        )
        evidence.add(
            f"towns: {name}: rank correlation with the published lines",
            float(spearmanr(score, lines).statistic),
            "Spearman, towns not named count 0",
            n=len(order),
            note=f"among the four named {spearmanr(score[four], lines[four]).statistic:.2f}",
        )


def main(argv: list[str] | None = None) -> Evidence:
    options = parser("North Yorkshire 2019: likeliest origins, and towns.").parse_args(argv)
    evidence = Evidence("north_yorkshire_lines")
    if not (options.data / "countylines").is_dir():
        evidence.skip("north_yorkshire_lines", f"no folder 'countylines' in {options.data.name!r}")
        return evidence
    data = options.data
    areas = read_force_areas(data)
    listed = read_stations(data / "rail" / "stations_npm_1.11.1.csv", force_area=None).table
    network = build_rail_network(read_track(data / "rail" / "rail_heavy.geojson").table, listed)
    exporters = build_exporters(areas, find_hubs(data, areas, network.stations))
    towns = read_towns_of_force(data)
    rail = rail_minutes(network, exporters["hub_station_id"].dropna(), towns)
    drive = drive_minutes(exporters, towns)
    better = pd.concat([rail, drive]).groupby(["origin_id", "destination_id"], as_index=False)["cost_min"].min()
    costs = {"rail": rail, "road": drive, "better": better}
    strength = show_origins(evidence, exporters, listed, small_areas_of(areas), costs, towns)
    show_towns(evidence, exporters.assign(prior_lines=strength), towns, costs)
    evidence.write(options.json)
    return evidence


if __name__ == "__main__":
    main()
