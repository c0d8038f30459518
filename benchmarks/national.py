"""
The whole job for Great Britain, by stage: `python -m benchmarks.national`.

Real offences of the forces in the shared files (Drugs), all stations, track and passengers, and the towns that both
GeoNames and the census name. Every force area with a population exports: its busiest station is its main one. No line
counts are given, so the flow is relative. Towns are no origins: a whole country is not one force, and the pairs of
towns would be tens of millions.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import geopandas as gpd

from benchmarks.evidence import Evidence, parser, stopwatch
from benchmarks.force_areas import read_force_areas
from gateline.settings import Settings, write_settings_template
from geo.crs import METRIC, to_wgs84_arrays
from geo.network.usage import measure_station_usage
from geo.sources.passenger_flows import read_passenger_flows
from geo.sources.stations import read_stations

LIMIT_S = 300.0
LIMIT_MIB = 4096.0
# The stages that end in the exposure of every station and town: what the five minutes are stated for.
CORRIDOR_STAGES = ("network", "corridors", "exposure")


def make_workspace(root: Path, data: Path) -> int:
    """A workspace over the real files; how many areas export."""
    (root / "inputs").mkdir(parents=True)
    n_areas = write_exporters(root / "inputs" / "exporters.csv", data)
    settings = Settings.model_validate(
        {
            "region": {"name": "Great Britain", "force": "all forces", "operator": "benchmark"},
            "inputs": {
                "offences": [str(p) for p in sorted((data / "crime" / "gb-drugs-weapons-robbery").glob("*.csv.gz"))],
                "stations": str(data / "rail" / "stations_npm_1.11.1.csv"),
                "passenger_flows": str(data / "rail" / "odm_gb_2024_25.csv.gz"),
                "places": str(data / "boundaries" / "geonames_cities500_GB.csv"),
                "built_up_areas": str(data / "boundaries" / "ons_bua2022_population_census2021_GB.csv"),
                "rail_track": str(data / "rail" / "rail_heavy.geojson"),
                "exporters": "inputs/exporters.csv",
            },
            "corridors": {"internal_share": 0.0},
        }
    )
    (root / "region.toml").write_text(write_settings_template(settings), encoding="utf-8")
    return n_areas


def write_exporters(path: Path, data: Path) -> int:
    """Every force area with its population of the last year given and its busiest station."""
    forces = read_force_areas(data)
    stations = read_stations(data / "rail" / "stations_npm_1.11.1.csv", force_area=None).table
    flows = read_passenger_flows(data / "rail" / "odm_gb_2024_25.csv.gz", station_ids=set(stations.index)).table
    busy = measure_station_usage(flows, usage_basis="ORR matrix 2024/25")["n_entries_exits_per_year"]
    where = gpd.points_from_xy(stations["easting_m"], stations["northing_m"])
    points = gpd.GeoDataFrame(index=stations.index, geometry=where, crs=METRIC)
    areas = forces.areas[["geometry"]].rename_axis("force").reset_index()
    inside = gpd.sjoin(points, areas, predicate="within").rename_axis("station_id").reset_index()
    inside = inside.assign(n=busy.reindex(inside["station_id"]).fillna(0.0).to_numpy())
    inside = inside.sort_values(["n", "station_id"], ascending=[False, True])
    people = forces.population.iloc[-1].dropna()
    hubs = inside[inside["force"].isin(people.index)].drop_duplicates("force").sort_values("force")
    lon_deg, lat_deg = to_wgs84_arrays(hubs.geometry.x.to_numpy(), hubs.geometry.y.to_numpy())
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["name", "x", "y", "population", "hub_station"])
        for name, hub, lon, lat in zip(hubs["force"], hubs["station_id"], lon_deg, lat_deg, strict=True):
            writer.writerow([name, f"{lon:.6f}", f"{lat:.6f}", int(people[name]), hub])
    return len(hubs)


def run_as_process(root: Path) -> None:
    """The main job in a process of its own, so that its memory is its own."""
    subprocess.run([sys.executable, "-m", "gateline", "run", str(root), "--quiet"], check=True)


def report(evidence: Evidence, root: Path, seconds: float, n_areas: int) -> None:
    run_id = (root / "runs" / "current").read_text().strip()
    folder = root / "runs" / run_id
    timings = json.loads((folder / "timings.json").read_text())
    record = json.loads((folder / "run.json").read_text())
    rows = {stage["stage"]: stage["rows"] for stage in record["stages"]}
    n_read = sum(account["n_read"] for account in record["rows"])
    counted = sum(a["n_accepted"] + sum(part["n"] for part in a["n_by_reason"]) for a in record["rows"])
    for stage in timings:
        told = ", ".join(f"{name} {n:,}" for name, n in rows[stage["stage"]].items())
        evidence.add(
            f"Great Britain: {stage['stage']}",
            stage["seconds"],
            "s",
            seconds=stage["seconds"],
            peak_mib=stage["peak_mib"],
            note=told,
        )
    corridors_s = sum(stage["seconds"] for stage in timings if stage["stage"] in CORRIDOR_STAGES)
    mib = max(stage["peak_mib"] for stage in timings)
    size = f"{n_areas} areas to {rows['exposure']['places']:,} towns through {rows['network']['stations']:,} stations"
    evidence.add(
        "Great Britain: network, corridors and exposure",
        corridors_s,
        "s",
        baseline={"name": "limit", "figure": LIMIT_S},
        n=rows["corridors"]["od_pairs"],
        seconds=corridors_s,
        note=size,
    )
    evidence.add(
        "Great Britain: the whole job",
        seconds,
        "s",
        baseline={"name": "limit", "figure": LIMIT_S},
        n=rows["corridors"]["od_pairs"],
        seconds=seconds,
        peak_mib=mib,
        note=size,
    )
    evidence.add("Great Britain: peak memory", mib, "MiB", baseline={"name": "limit", "figure": LIMIT_MIB})
    evidence.add("Great Britain: rows accounted for", counted / n_read, "share of rows read", n=n_read)


def main() -> None:
    options = parser(__doc__ or "").parse_args()
    evidence = Evidence("national")
    if not (options.data / "crime" / "gb-drugs-weapons-robbery").is_dir():
        evidence.skip("Great Britain", f"no national offences in {options.data.name!r}")
    else:
        with tempfile.TemporaryDirectory() as scratch:
            root = Path(scratch) / "great-britain"
            n_areas = make_workspace(root, options.data)
            with stopwatch() as seconds:
                run_as_process(root)
            report(evidence, root, seconds[0], n_areas)
    evidence.write(options.json)


if __name__ == "__main__":
    main()
