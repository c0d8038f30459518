"""
Hours against a real timetable: trains by hour, times by hour against a connection scan, and the seconds for a region.

`report_hours` adds its rows to the evidence of `benchmarks.railway`; alone: ``python -m benchmarks.railway_hours``.
The feed is that of the trains around Newport and Cardiff in the week of 4 March 2024, complete at Newport.
"""

from __future__ import annotations

import tempfile
import zipfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely import LineString

from benchmarks.connection_scan import (
    Timetable,
    least_minutes,
    mean_minutes,
    read_feed,
    scan_profiles,
    service_days,
)
from benchmarks.evidence import Evidence, parser, peak_mib, stopwatch
from gateline.pipeline.read import read_inputs
from gateline.pipeline.record import Recorder
from gateline.pipeline.stages import run_stages
from gateline.products.hours import tell_hours
from gateline.settings import Settings
from geo.corridors.hours import HOURS_PER_WEEK, count_trains
from geo.network.passenger import DEFAULT_INTERCHANGE_MIN, ArcKind, PassengerGraph, build_passenger_graph
from geo.network.station_times import HOUR_BANDS, StationTimes, measure_station_times
from geo.network.timed_journeys import measure_hourly_times
from geo.sources.gtfs import read_gtfs
from geo.sources.patterns import TimetableReading

FEED = "timetable/newport_cardiff_rail_gtfs_2024-03-05.zip"
MONDAY = date(2024, 3, 4)
# Main stations of the areas that could supply Gwent, in the feed.
EXPORTERS = ("CDF", "BRI", "PAD", "BHM", "MAN", "SWA", "GCR")
# Stations of Gwent in the feed, and two beyond it.
ORIGINS = ("NWP", "CWM", "AGV", "PPL", "ROR", "PYE", "RCA", "CKY", "NBE", "LTH", "EBV", "EBB", "CPW", "CDU", "STJ")
TOLERANCE_MIN = 2.0


@dataclass(frozen=True)
class Pair:
    """Times of one pair in one hour, minutes: ours and the feed's, with the first wait and without."""

    hour: int
    origin: str
    destination: str
    n_changes: float
    ours: float
    ours_aboard: float
    feed: float
    feed_aboard: float


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
    _report_timed(evidence, feed, path)
    pairs = compare_times(feed, reading, hours=range(HOURS_PER_WEEK))
    _report_times(evidence, pairs)
    _report_bands(evidence, feed, reading)
    _report_seconds(evidence, reading)
    _report_region(evidence, data)


def read_timetable(path: Path) -> TimetableReading:
    """The feed as a run reads it, by CRS code."""
    return read_gtfs(path, week_start_on=MONDAY, station_of_stop=_stops(path))


def read_minutes(path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """SERVICE_CALLS and SERVICE_DEPARTURES of the feed with the minute of each start, a pattern a trip."""
    with zipfile.ZipFile(path) as archive:
        days = service_days(archive, MONDAY)
        with archive.open("trips.txt") as stream:
            service = pd.read_csv(stream, dtype="str").set_index("trip_id")["service_id"]
        with archive.open("stop_times.txt") as stream:
            calls = pd.read_csv(stream, dtype={"trip_id": "str", "stop_id": "str"})
    calls = calls.sort_values(["trip_id", "stop_sequence"], kind="stable").reset_index(drop=True)
    for name in ("arrival", "departure"):
        calls[f"{name}_min"] = pd.to_timedelta(calls[f"{name}_time"]).dt.total_seconds() / 60
    first_min = calls.groupby("trip_id", sort=False)["departure_min"].first()
    trip = calls["trip_id"]
    is_first, is_last = ~trip.duplicated(), ~trip.duplicated(keep="last")
    table = pd.DataFrame(
        {
            "pattern_id": trip,
            "call_no": calls.groupby("trip_id", sort=False).cumcount(),
            "station_id": calls["stop_id"].map(_stops(path)),
            "arrival_min": (calls["arrival_min"] - trip.map(first_min)).mask(is_first),
            "departure_min": (calls["departure_min"] - trip.map(first_min)).mask(is_last),
        }
    ).rename_axis("call_id")
    rows = [
        (name, day * 24 + int(start // 60), start % 60)
        for name, start in first_min.items()
        for day in days.get(service[name], ())
    ]
    starts = pd.DataFrame(rows, columns=["pattern_id", "hour_of_week", "start_min"]).astype({"pattern_id": "str"})
    starts["hour_of_week"] %= HOURS_PER_WEEK
    return table, starts.assign(n_departures=1.0).rename_axis("departure_id")


def compare_timed(feed: Timetable, path: Path, *, each: int = 1) -> pd.DataFrame:
    """Times from the main stations to each so many-th station in all hours, ours and those of the scan."""
    calls, departures = read_minutes(path)
    wanted = tuple(code for code in EXPORTERS if code in feed.stations)
    ours = measure_hourly_times(calls, departures, wanted)
    rows = []
    for goal, station in list(enumerate(ours.station_ids))[::each]:
        profiles = scan_profiles(feed, station, DEFAULT_INTERCHANGE_MIN)
        for i, origin in enumerate(wanted):
            own = profiles[feed.stations.index(origin)]
            for hour in range(HOURS_PER_WEEK if origin != station else 0):
                mean, least = ours.mean_min[i, goal, hour], ours.least_min[i, goal, hour]
                rows.append((origin, station, hour, mean, mean_minutes(own, hour), least, least_minutes(own, hour)))
    return pd.DataFrame(rows, columns=["origin", "station", "hour", "ours", "feed", "ours_least", "feed_least"])


def _stops(path: Path) -> pd.Series:
    with zipfile.ZipFile(path) as archive, archive.open("stops.txt") as stream:
        table = pd.read_csv(stream, dtype="str")
    return table.set_index("stop_id")["stop_code"]


def compare_times(
    feed: Timetable,
    reading: TimetableReading,
    *,
    hours: Any,
    origins: tuple[str, ...] = ORIGINS,
    destinations: tuple[str, ...] = EXPORTERS,
) -> pd.DataFrame:
    """Our times of each hour beside the means and the quickest journeys of the feed; only hours in which both go."""
    known = set(feed.stations)
    origins = tuple(code for code in origins if code in known)
    profiles = {code: scan_profiles(feed, code, DEFAULT_INTERCHANGE_MIN) for code in destinations if code in known}
    rows: list[Pair] = []
    for hour in hours:
        if not (reading.departures["hour_of_week"] == hour).any():
            continue
        graph = build_passenger_graph(_far_link(), calls=reading.calls, departures=reading.departures, hours=[hour])
        times = measure_station_times(graph, origins=origins, keep_paths=True)
        waits = _waits(graph)
        for i, origin in enumerate(origins):
            for destination, profile in profiles.items():
                own = profile[feed.stations.index(origin)]
                j = times.station_ids.index(destination)
                if origin == destination or not np.isfinite(times.time_min[i, j]):
                    continue
                least = least_minutes(own, hour)
                if not np.isfinite(least):
                    continue
                aboard = float(times.time_min[i, j]) - _first_wait(times, waits, origin, destination)
                changes = np.nan if times.n_changes is None else float(times.n_changes[i, j])
                ours = float(times.time_min[i, j])
                rows.append(Pair(hour, origin, destination, changes, ours, aboard, mean_minutes(own, hour), least))
    return pd.DataFrame(rows)


def measure_all_hours(reading: TimetableReading, exporters: tuple[str, ...]) -> np.ndarray:
    """Minutes from exporters to all stations in each hour of the week, infinite where none goes."""
    station_ids = sorted(set(reading.calls["station_id"]))
    found = np.full((HOURS_PER_WEEK, len(exporters), len(station_ids)), np.inf)
    for hour in range(HOURS_PER_WEEK):
        graph = build_passenger_graph(_far_link(), calls=reading.calls, departures=reading.departures, hours=[hour])
        times = measure_station_times(graph, origins=exporters)
        at = pd.Index(times.station_ids).get_indexer(pd.Index(station_ids))
        found[hour] = times.time_min[:, at]
    return found


def _report_trains(evidence: Evidence, feed: Timetable, reading: TimetableReading) -> None:
    ids = list(feed.stations)
    ours = count_trains(reading.calls, reading.departures, ids)
    theirs = np.stack([feed.trains_by_hour(code) for code in ids])
    at = ids.index("NWP")
    moved = np.abs(ours - theirs).sum(axis=1) / 2
    evidence.add("trains of the week at Newport", float(ours[at].sum()), "trains", baseline=_named("feed", theirs[at]))
    evidence.add(
        "trains at Newport in the hour of the feed",
        float(1 - moved[at] / theirs[at].sum()),
        "share",
        n=int(theirs[at].sum()),
    )
    evidence.add(
        "trains at all stations in the hour of the feed",
        float(1 - moved.sum() / theirs.sum()),
        "share",
        n=len(ids),
        note="the table keeps the hour of a train's start and no minute",
    )
    days = [table.reshape(len(ids), 7, 24).sum(axis=2) for table in (ours, theirs)]
    evidence.add(
        "trains at all stations on the day of the feed",
        float(1 - np.abs(days[0] - days[1]).sum() / 2 / theirs.sum()),
        "share",
    )


def _report_timed(evidence: Evidence, feed: Timetable, path: Path) -> None:
    """Where the minutes of the trains are kept."""
    calls, departures = read_minutes(path)
    with stopwatch() as seconds:
        found = measure_hourly_times(calls, departures, tuple(code for code in EXPORTERS if code in feed.stations))
    evidence.add(
        "times of all stations from all exporters in 168 hours, minutes kept",
        seconds[0],
        "s",
        baseline={"name": "asked", "figure": 60.0},
        n=int(np.isfinite(found.mean_min).sum()),
        seconds=seconds[0],
        peak_mib=peak_mib(),
        note=f"{found.mean_min.shape[1]} stations, {found.mean_min.shape[0]} exporters",
    )
    timed = compare_timed(feed, path)
    for what, name in (("mean over the hour, wait included", ""), ("quickest that leaves in the hour", "_least")):
        ours, theirs = timed[f"ours{name}"], timed[f"feed{name}"]
        known = np.isfinite(theirs)
        gap = (ours - theirs)[known].abs()
        evidence.add(
            f"times within {TOLERANCE_MIN:g} min of the feed's, minutes kept, {what}",
            float((gap <= TOLERANCE_MIN).mean()),
            "share",
            n=int(known.sum()),
            note=f"largest gap {gap.max():.2f} min; reached by one alone {int((np.isfinite(ours) != known).sum())}",
        )
    ids = list(feed.stations)
    counted = count_trains(calls, departures, ids)
    theirs = np.stack([feed.trains_by_hour(code) for code in ids])
    right = 1 - np.abs(counted - theirs).sum() / 2 / theirs.sum()
    evidence.add("trains at all stations in the hour of the feed, minutes kept", float(right), "share", n=len(ids))


def _report_times(evidence: Evidence, pairs: pd.DataFrame) -> None:
    direct = pairs[pairs["n_changes"] == 0]
    changed = pairs[pairs["n_changes"] > 0]
    for what, part in (("direct", direct), ("with a change", changed)):
        gap = (part["ours_aboard"] - part["feed_aboard"]).abs()
        evidence.add(
            f"hourly times after the first wait within {TOLERANCE_MIN:g} min of the feed's quickest, {what}",
            float((gap <= TOLERANCE_MIN).mean()),
            "share",
            n=len(part),
            note=f"median gap {gap.median():.1f} min",
        )
    gap = (pairs["ours"] - pairs["feed"]).abs()
    evidence.add(
        f"hourly times with waits within {TOLERANCE_MIN:g} min of the mean over the hour",
        float((gap <= TOLERANCE_MIN).mean()),
        "share",
        n=len(pairs),
        note=f"median gap {gap.median():.1f} min: half the time between trains of one service is waited",
    )


def _report_bands(evidence: Evidence, feed: Timetable, reading: TimetableReading) -> None:
    known = [code for code in ORIGINS if code in feed.stations]
    profiles = {code: scan_profiles(feed, code, DEFAULT_INTERCHANGE_MIN) for code in EXPORTERS if code in feed.stations}
    for band, hours in HOUR_BANDS.items():
        if not reading.departures["hour_of_week"].isin(hours).sum() or band == "weekend":
            evidence.skip(f"times of {band}", "the feed has no train then")
            continue
        graph = build_passenger_graph(
            _far_link(), calls=reading.calls, departures=reading.departures, hours=list(hours)
        )
        times = measure_station_times(graph, origins=known)
        gaps = []
        for i, origin in enumerate(known):
            for destination, profile in profiles.items():
                own = profile[feed.stations.index(origin)]
                theirs = np.array([mean_minutes(own, hour) for hour in hours])
                ours = times.time_min[i, times.station_ids.index(destination)]
                if origin != destination and np.isfinite(ours) and np.isfinite(theirs).all():
                    gaps.append(ours - theirs.mean())
        evidence.add(
            f"mean gap of times with waits, {band.replace('_', ' ')}",
            float(np.mean(gaps)),
            "min",
            interval=(float(np.quantile(gaps, 0.05)), float(np.quantile(gaps, 0.95))),
            n=len(gaps),
        )


def _report_seconds(evidence: Evidence, reading: TimetableReading) -> None:
    exporters = tuple(code for code in EXPORTERS if code in set(reading.calls["station_id"]))
    with stopwatch() as seconds:
        found = measure_all_hours(reading, exporters)
    evidence.add(
        "times of all stations from all exporters in 168 hours",
        seconds[0],
        "s",
        baseline={"name": "asked", "figure": 60.0},
        n=int(np.isfinite(found).sum()),
        seconds=seconds[0],
        peak_mib=peak_mib(),
        note=f"{found.shape[2]} stations, {found.shape[1]} exporters",
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


def _first_wait(times: StationTimes, waits: dict[tuple[int, int], float], origin: str, destination: str) -> float:
    path = times.path(origin, destination)
    return waits.get((path[0], path[1]), 0.0) if len(path) > 1 else 0.0


def _waits(graph: PassengerGraph) -> dict[tuple[int, int], float]:
    board = graph.kind == ArcKind.BOARD
    ends = zip(graph.tail[board].tolist(), graph.head[board].tolist(), strict=True)
    return dict(zip(ends, graph.minutes[board].tolist(), strict=True))


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


def _named(name: str, counts: np.ndarray) -> dict[str, Any]:
    return {"name": name, "figure": float(counts.sum())}


if __name__ == "__main__":
    main()
