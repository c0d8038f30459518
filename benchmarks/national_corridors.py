"""The corridors of Great Britain: every exporting area to every town through every station, by stage."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from benchmarks.evidence import Evidence, parser, peak_mib, stopwatch
from geo.corridors.assignment import assign_flows
from geo.corridors.choice import Supply, choose_modes
from geo.corridors.exposure import measure_place_exposure, measure_station_exposure
from geo.corridors.interchange import estimate_change_share, measure_through_journeys
from geo.corridors.rides import build_rides
from geo.corridors.routes import list_route_sets
from geo.corridors.terminals import build_terminals
from geo.corridors.upstream import find_upstream_stations
from geo.crs import METRIC, to_metric_arrays
from geo.network.access import measure_access, measure_road_times
from geo.network.passenger import build_passenger_graph
from geo.network.rail import build_rail_network
from geo.network.usage import measure_station_usage
from geo.sources.passenger_flows import read_passenger_flows, read_station_usage
from geo.sources.stations import read_stations
from geo.sources.track import read_track

N_TOWNS = 7000
REACH_MIN = 30.0
PAIRS_FOR_ROUTES = 100_000


@dataclass
class Country:
    """What the corridors of a country are made from."""

    stations: pd.DataFrame
    links: gpd.GeoDataFrame
    passengers: pd.DataFrame
    usage: pd.DataFrame
    places: pd.DataFrame
    exporters: pd.DataFrame


def main() -> int:
    options = parser(__doc__ or "").parse_args()
    evidence = Evidence("national_corridors")
    if not (options.data / "rail" / "rail_heavy.geojson").is_file():
        evidence.skip("Great Britain", f"no railway in {options.data.name!r}")
    else:
        measure_country(evidence, read_country(options.data))
    evidence.write(options.json)
    return 0


def read_country(data: Path) -> Country:
    """The real railway, stations, passengers, towns and police force areas."""
    stations = read_stations(data / "rail" / "stations_npm_1.11.1.csv", force_area=None).table
    network = build_rail_network(read_track(data / "rail" / "rail_heavy.geojson").table, stations)
    passengers = read_passenger_flows(data / "rail" / "odm_gb_2024_25.csv.gz").table
    # Changes are counted in the usage file; its last year is April 2021 to March 2022.
    usage = read_station_usage(data / "rail" / "orr_usage_1997_2021_long.csv.gz").table
    busy = measure_station_usage(passengers, usage_basis="ORR matrix 2024/25")
    on_rail = stations.loc[sorted({*network.links["from_station_id"], *network.links["to_station_id"]})]
    areas = gpd.read_file(data / "boundaries" / "police_force_areas_2020_EW.geojson").to_crs(METRIC)
    return Country(on_rail, network.links, passengers, usage, _towns(data, on_rail), _exporters(areas, on_rail, busy))


def _towns(data: Path, stations: pd.DataFrame) -> pd.DataFrame:
    """Real populated places, and stations as further destinations up to the number wanted."""
    towns = pd.read_csv(data / "boundaries" / "geonames_cities500_GB.csv")
    easting_m, northing_m = to_metric_arrays(towns["longitude"].to_numpy(float), towns["latitude"].to_numpy(float))
    places = pd.DataFrame(
        {"name": towns["name"], "easting_m": easting_m, "northing_m": northing_m, "population": towns["population"]}
    )
    places.index = pd.Index("g" + towns["geonameid"].astype(str), name="place_id", dtype="str")
    near = cKDTree(stations[["easting_m", "northing_m"]]).query(np.nan_to_num(places[["easting_m", "northing_m"]]))[0]
    places = places[near < 100_000]
    extra = stations.sort_index().iloc[: max(N_TOWNS - len(places), 0)]
    added = pd.DataFrame(
        {"name": extra["name"], "easting_m": extra["easting_m"], "northing_m": extra["northing_m"], "population": 500.0}
    )
    added.index = pd.Index("s" + extra.index, name="place_id", dtype="str")
    both = pd.concat([places, added])
    both["population"] = both["population"].astype(float).clip(lower=1.0)
    return both.assign(population_basis="GeoNames", is_in_force=True)


def _exporters(areas: gpd.GeoDataFrame, stations: pd.DataFrame, busy: pd.DataFrame) -> pd.DataFrame:
    """Every police force area, with its busiest station as its hub."""
    name = "pfa20_name"
    points = gpd.GeoDataFrame(
        stations, geometry=gpd.points_from_xy(stations["easting_m"], stations["northing_m"]), crs=METRIC
    )
    inside = gpd.sjoin(points, areas[[name, "geometry"]], predicate="within")
    inside = inside.assign(usage=busy["n_entries_exits_per_year"].reindex(inside.index).fillna(0.0))
    hubs = inside.sort_values("usage", ascending=False).drop_duplicates(name).sort_values(name)
    return pd.DataFrame(
        {
            "name": hubs[name].to_numpy(),
            "easting_m": hubs["easting_m"].to_numpy(),
            "northing_m": hubs["northing_m"].to_numpy(),
            "population": 1e6,
            "hub_station_id": hubs.index.to_numpy(),
            "n_lines": np.nan,
            "prior_lines": 1.0,
        },
        index=pd.Index([f"x{k:02d}" for k in range(len(hubs))], name="exporter_id", dtype="str"),
    )


def _trips(country: Country) -> pd.DataFrame:
    """A plain gravity table: a hundred trips a month from each area, by population to the 0.6 over distance."""
    o, d = country.exporters.sort_index(), country.places.sort_index()
    apart_km = (
        np.hypot(
            o["easting_m"].to_numpy()[:, None] - d["easting_m"].to_numpy(),
            o["northing_m"].to_numpy()[:, None] - d["northing_m"].to_numpy(),
        )
        / 1000.0
    )
    pull = d["population"].to_numpy() ** 0.6 / np.maximum(apart_km, 5.0)
    trips = 100.0 * pull / pull.sum(axis=1, keepdims=True)
    rows = pd.MultiIndex.from_product([o.index, d.index])
    table = pd.DataFrame(
        {
            "origin_id": rows.get_level_values(0),
            "destination_id": rows.get_level_values(1),
            "is_internal": False,
            "trips_per_month": trips.ravel(),
            "basis": "prior",
        }
    )
    table.index = pd.Index(table["origin_id"] + ":" + table["destination_id"], name="flow_id", dtype="str")
    return table


def measure_country(evidence: Evidence, country: Country) -> None:
    seconds: dict[str, float] = {}
    with stopwatch() as took:
        rides = build_rides(build_passenger_graph(country.links))
    seconds["rides"] = took[0]
    with stopwatch() as took:
        access = measure_access(country.places, country.stations, modes=("walk", "drive"), max_min=REACH_MIN)
        roads = measure_road_times(country.exporters, country.places)
    seconds["access and roads, straight line"] = took[0]
    trips = _trips(country)
    supply = Supply(rides, build_terminals(access, country.exporters, rides.station_ids))
    with stopwatch() as took:
        flows = choose_modes(trips, supply, roads)
    seconds["rail or road"] = took[0]
    with stopwatch() as took:
        through = measure_through_journeys(rides, country.passengers)
        share = estimate_change_share(through, country.usage)
    seconds["change shares from all passengers"] = took[0]
    with stopwatch() as took:
        done = assign_flows(flows, supply, change_share=share, grain="origin")
    seconds["assignment by origin"] = took[0]
    with stopwatch() as took:
        measure_station_exposure(done.station_flows, country.stations, usage=country.usage)
        measure_place_exposure(flows, done.station_flows, country.places)
    seconds["exposure"] = took[0]
    with stopwatch() as took:
        find_upstream_stations(flows, supply, country.stations)
    seconds["upstream, every station upstream"] = took[0]
    parts = done.rail_trips_per_month + done.road_trips_per_month + done.lost_trips_per_month
    size = f"{len(country.exporters)} areas, {len(country.places):,} towns, {rides.n_stations:,} stations"
    for stage, took_s in seconds.items():
        evidence.add(f"national corridors: {stage}", took_s, "s", n=len(trips), seconds=took_s)
    total = sum(seconds.values())
    evidence.add(
        "national corridors: all stages",
        total,
        "s",
        n=len(trips),
        seconds=total,
        peak_mib=peak_mib(),
        baseline={"name": "target", "figure": 300},
        note=f"{size}; 5,913 GeoNames places at most, the rest station sites; memory includes reading",
    )
    evidence.add("national corridors: trips not accounted for", abs(parts - done.trips_per_month), "trips a month")
    some = flows.nlargest(PAIRS_FOR_ROUTES, "trips_per_month")
    with stopwatch() as took:
        routes = list_route_sets(some, supply, most_routes=3, change_share=share)
    evidence.add(
        "national corridors: three routes a pair",
        took[0],
        "s",
        n=len(some),
        seconds=took[0],
        note=f"{routes.cost_min.size:,} routes, {routes.station_indices.size:,} stops; they carry "
        f"{np.average(routes.listed_share, weights=routes.trips_per_month):.3f} of the assigned rail trips",
    )


if __name__ == "__main__":
    sys.exit(main())
