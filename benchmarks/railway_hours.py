"""
Hours against a real timetable: trains by hour, times by hour against a connection scan, and the seconds for a region.

`report_hours` adds its rows to the evidence of `benchmarks.railway`; alone: ``python -m benchmarks.railway_hours``.
The feed is that of the trains around Newport and Cardiff in the week of 4 March 2024, complete at Newport.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely import LineString

from benchmarks.connection_scan import (
    HORIZON_MIN,
    Timetable,
    least_minutes,
    mean_minutes,
    read_feed,
    scan_profiles,
)
from benchmarks.evidence import Evidence, parser, peak_mib, stopwatch
from gateline.pipeline.railway import running_hours
from gateline.pipeline.read import read_inputs
from gateline.pipeline.record import Recorder
from gateline.pipeline.stages import run_stages
from gateline.products.hours import tell_hours
from gateline.settings import Settings
from geo.corridors.hours import HOURS_PER_WEEK, count_trains
from geo.corridors.timed_prices import price_timed_journeys
from geo.network.passenger import DEFAULT_INTERCHANGE_MIN, build_passenger_graph
from geo.network.station_times import measure_station_times
from geo.network.timed_journeys import measure_timed_journeys
from geo.sources.gtfs import read_gtfs
from geo.sources.patterns import TimetableReading

FEED = "timetable/newport_cardiff_rail_gtfs_2024-03-05.zip"
MONDAY = date(2024, 3, 4)
# Main stations of the areas that could supply Gwent, in the feed.
EXPORTERS = ("CDF", "BRI", "PAD", "BHM", "MAN", "SWA", "GCR")
# Stations of Gwent in the feed, and two beyond it.
ORIGINS = ("NWP", "CWM", "AGV", "PPL", "ROR", "PYE", "RCA", "CKY", "NBE", "LTH", "EBV", "EBB", "CPW", "CDU", "STJ")
TOLERANCE_MIN = 2.0


def main() -> None:
    options = parser(__doc__ or "").parse_args()
    evidence = Evidence("railway_hours")
    report_hours(evidence, options.data)
    evidence.write(options.json)


def report_hours(evidence: Evidence, data: Path) -> None:
    """Add the rows on hours; told of where the feed is absent."""
    path = data / FEED
    if not path.is_file():
        evidence.skip("hours", f"{FEED} is absent")
        return
    feed, reading = read_feed(path, MONDAY), read_timetable(path)
    _report_trains(evidence, feed, reading)
    _report_hourly(evidence, feed, reading)
    _report_prices(evidence, feed, reading)
    _report_region(evidence, data)


def read_timetable(path: Path) -> TimetableReading:
    """The feed as a run reads it, by CRS code."""
    return read_gtfs(path, week_start_on=MONDAY, station_of_stop=_stops(path))


def compare_hourly(feed: Timetable, reading: TimetableReading, *, each: int = 1) -> pd.DataFrame:
    """Times from the main stations to each so many-th station in all hours, ours and those of the scan."""
    wanted = tuple(code for code in EXPORTERS if code in feed.stations)
    ours = measure_timed_journeys(reading.calls, reading.departures, wanted)
    rows = []
    for goal, station in list(enumerate(ours.station_ids))[::each]:
        profiles = scan_profiles(feed, station, DEFAULT_INTERCHANGE_MIN)
        for i, origin in enumerate(wanted):
            own = profiles[feed.stations.index(origin)]
            for hour in range(HOURS_PER_WEEK if origin != station else 0):
                mean, least = ours.mean_min[i, goal, hour], ours.least_min[i, goal, hour]
                rows.append((origin, station, hour, mean, mean_minutes(own, hour), least, least_minutes(own, hour)))
    return pd.DataFrame(rows, columns=["origin", "station", "hour", "ours", "feed", "ours_least", "feed_least"])


def compare_prices(feed: Timetable, reading: TimetableReading, *, each: int = 1) -> pd.DataFrame:
    """
    Minutes between Gwent and each so many-th station as a run takes them, with the first wait, and those of the scan.

    ``clock`` is what a run prices, ``clock_plain`` the same where only minutes count, as for the scan, ``frequency``
    what trains at random minutes would take.
    """
    hours = running_hours(reading.departures)
    origins = [code for code in ORIGINS if code in feed.stations]
    clock, plain = (
        price_timed_journeys(reading.calls, reading.departures, feed.stations, origins, hours=hours, **options)
        for options in ({}, {"change_weight": 1.0, "interchange_penalty_min": 0.0})
    )
    graph = build_passenger_graph(_far_link(), calls=reading.calls, departures=reading.departures, hours=hours)
    times = measure_station_times(graph, origins=origins)
    rows = []
    for goal, station in list(enumerate(feed.stations))[::each]:
        profiles = scan_profiles(feed, station, DEFAULT_INTERCHANGE_MIN)
        for i, origin in enumerate(origins):
            at = feed.stations.index(origin)
            theirs = planned_minutes(profiles[at], hours)
            if origin != station and np.isfinite(theirs):
                by_frequency = times.time_min[i, times.station_ids.index(station)]
                rows.append((origin, station, clock.time_min[at, goal], plain.time_min[at, goal], by_frequency, theirs))
    return pd.DataFrame(rows, columns=["origin", "station", "clock", "clock_plain", "frequency", "feed"])


def planned_minutes(profile: list[tuple[float, float]], hours: Sequence[int]) -> float:
    """Minutes on the way and half the time between journeys, of the quickest ones that are worth waiting for."""
    within = set(hours)
    rides = sorted(b - a for a, b in profile if int(a // 60) in within and 0 <= a < 60 * HOURS_PER_WEEK)
    rides = [ride for ride in rides if ride <= HORIZON_MIN]
    best, told, ridden = np.inf, np.inf, 0.0
    for n, ride in enumerate(rides, start=1):
        ridden += ride
        wait = min(60 * len(hours) / n / 2, 60.0)
        cost = min(2 * wait, 15 + 0.4 * (2 * wait)) + ridden / n
        if cost < best:
            best, told = cost, wait + ridden / n
    return told


def _stops(path: Path) -> pd.Series:
    with zipfile.ZipFile(path) as archive, archive.open("stops.txt") as stream:
        table = pd.read_csv(stream, dtype="str")
    return table.set_index("stop_id")["stop_code"]


def _report_trains(evidence: Evidence, feed: Timetable, reading: TimetableReading) -> None:
    ids = list(feed.stations)
    ours = count_trains(reading.calls, reading.departures, ids)
    theirs = np.stack([feed.trains_by_hour(code) for code in ids])
    at = ids.index("NWP")
    evidence.add("trains of the week at Newport", float(ours[at].sum()), "trains", baseline=_named("feed", theirs[at]))
    evidence.add(
        "trains at all stations in the hour of the feed",
        float(1 - np.abs(ours - theirs).sum() / 2 / theirs.sum()),
        "share",
        n=len(ids),
    )


def _report_hourly(evidence: Evidence, feed: Timetable, reading: TimetableReading) -> None:
    exporters = tuple(code for code in EXPORTERS if code in feed.stations)
    with stopwatch() as seconds:
        found = measure_timed_journeys(reading.calls, reading.departures, exporters)
    evidence.add(
        "times of all stations from all exporters in 168 hours",
        seconds[0],
        "s",
        baseline={"name": "asked", "figure": 60.0},
        n=int(np.isfinite(found.mean_min).sum()),
        seconds=seconds[0],
        peak_mib=peak_mib(),
        note=f"{found.mean_min.shape[1]} stations, {found.mean_min.shape[0]} exporters",
    )
    hourly = compare_hourly(feed, reading)
    for what, name in (("mean over the hour, wait included", ""), ("quickest that leaves in the hour", "_least")):
        ours, theirs = hourly[f"ours{name}"], hourly[f"feed{name}"]
        known = np.isfinite(theirs)
        gap = (ours - theirs)[known].abs()
        evidence.add(
            f"times in 168 hours within {TOLERANCE_MIN:g} min of the feed's, {what}",
            float((gap <= TOLERANCE_MIN).mean()),
            "share",
            n=int(known.sum()),
            note=f"largest gap {gap.max():.2f} min; reached by one alone {int((np.isfinite(ours) != known).sum())}",
        )


def _report_prices(evidence: Evidence, feed: Timetable, reading: TimetableReading) -> None:
    pairs = compare_prices(feed, reading, each=3)
    told = {
        "clock_plain": "minutes of a run by the clock, if only minutes counted",
        "clock": "minutes of a run by the clock, changes disliked",
        "frequency": "minutes by frequencies, trains at random minutes",
    }
    for name, what in told.items():
        gap = pairs[name] - pairs["feed"]
        evidence.add(
            f"{what}: within {TOLERANCE_MIN:g} min of the feed's best journeys",
            float((gap.abs() <= TOLERANCE_MIN).mean()),
            "share",
            n=len(pairs),
            note=f"gap: median {gap.median():+.1f}, from {gap.quantile(0.05):+.1f} to {gap.quantile(0.95):+.1f} min",
        )


def _report_region(evidence: Evidence, data: Path) -> None:
    """Gwent with its crime, roads and trains: hours of its stations."""
    needed = ("crime/gwent", "osm/newport-2023-06-13.osm.pbf")
    missing = [name for name in needed if not (data / name).exists()]
    if missing:
        evidence.skip("hours of Gwent", f"{missing[0]} is absent")
        return
    with tempfile.TemporaryDirectory() as folder, stopwatch() as seconds:
        settings = gwent_settings(Path(folder), data)
        inputs = read_inputs(Path(folder), settings)
        recorder = Recorder(lambda _: None)
        results = run_stages(inputs, settings, recorder)
    note = next(text for stage in recorder.stages for text in stage.notes if "timetable" in text)
    told = tell_hours(results.hours, results.station_scores.table.index)
    basis = told["hours_basis"].value_counts()
    evidence.add(
        "Gwent: stations whose hours rest on trains",
        int(basis.get("trains", 0)),
        "stations",
        n=int(basis.sum()),
        seconds=seconds[0],
        note=note,
    )
    if "NWP" in results.station_scores.table.index:
        evidence.add(
            "Gwent: half of the trips at Newport",
            str(told["busy_hours"]["NWP"]),
            "",
            note=str(told["hours_basis"]["NWP"]),
        )
    hours = results.hours
    at_night = hours[hours["n_trains"] == 0]["trips_per_month"].sum()
    evidence.add("Gwent: trips in hours without a train", float(at_night), "trips a month")
    sums = hours.groupby("station_id")["trips_per_month"].sum()
    gap = (sums - results.station_scores.table["trips_per_month"].reindex(sums.index)).abs().max()
    evidence.add("Gwent: largest gap between a station's trips and the sum of its hours", float(gap), "trips a month")


def gwent_settings(folder: Path, data: Path) -> Settings:
    """A workspace of Gwent in a folder, with the feed as its timetable."""
    (folder / "inputs").mkdir()
    areas = gpd.read_file(data / "boundaries" / "police_force_areas_2020_EW.geojson")
    areas[areas["pfa20_name"].str.strip() == "Gwent"].to_file(folder / "inputs" / "gwent.geojson", driver="GeoJSON")
    (folder / "inputs" / "exporters.csv").write_text(
        "name,x,y,population,hub_station\n"
        "Cardiff,-3.1791,51.4816,362300,CDF\nNewport station,-2.9984,51.5889,159600,NWP\n"
    )
    _stops(data / FEED).rename("stop_code").to_csv(folder / "inputs" / "stops.csv")
    extract = str(data / "osm" / "newport-2023-06-13.osm.pbf")
    return Settings.model_validate(
        {
            "region": {"name": "Gwent", "force": "Gwent Police"},
            "inputs": {
                "offences": [str(data / "crime" / "gwent")],
                "stations": str(data / "rail" / "stations_npm_1.11.1.csv"),
                "places": str(data / "boundaries" / "geonames_cities500_GB.csv"),
                "built_up_areas": str(data / "boundaries" / "ons_bua2022_population_census2021_GB.csv"),
                "exporters": "inputs/exporters.csv",
                "boundary": "inputs/gwent.geojson",
                "boundary_properties": {"id": "pfa20_code", "name": "pfa20_name"},
                "rail_track": str(data / "rail" / "rail_heavy.geojson"),
                "roads": extract,
                "accept_old_osm": True,
                "timetable": str(data / FEED),
                "timetable_week_start_on": MONDAY,
                "tiplocs": "inputs/stops.csv",
            },
            "scores": {"n_draws": 100},
        }
    )


def _far_link() -> gpd.GeoDataFrame:
    """One link far from every train: times between stations need no track."""
    return gpd.GeoDataFrame(
        {
            "from_station_id": "YYY",
            "to_station_id": "ZZZ",
            "length_m": 1.0,
            "time_min": 1.0,
            "time_basis": "timetable",
            "repaired_m": 0.0,
        },
        geometry=[LineString([(0, 0), (1, 0)])],
        crs="EPSG:27700",
        index=pd.Index(["YYY-ZZZ"], name="link_id"),
    )


def _named(name: str, counts: np.ndarray) -> dict[str, object]:
    return {"name": name, "figure": float(counts.sum())}


if __name__ == "__main__":
    main()
