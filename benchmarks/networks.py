"""
Networks: reading, snapping and travel time beside osmnx and networkx on the same work in one process; scaling; oracles.

The ordinary way is given every help: its extract is cut to roads beforehand and that is not timed, it simplifies its
graph, and both sides answer on that same graph, so the answers can be compared as well as the seconds.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import osmium
import osmnx as ox
import pandas as pd

from benchmarks.evidence import Evidence, parser, peak_mib, stopwatch
from geo.network.access import MIN_PART_NODES, measure_access
from geo.network.passenger import build_passenger_graph
from geo.network.rail import build_rail_network
from geo.network.road import RoadGraph, RoadWays
from geo.network.road_cutting import build_road_graph, build_roads
from geo.network.services import measure_call_run_times
from geo.network.snapping import build_segment_grid, snap_points
from geo.network.speeds import DEFAULT_SPEED_MPH, KM_PER_MILE, ROAD_CLASSES
from geo.network.station_times import measure_station_times
from geo.network.travel_time import measure_node_times, measure_times
from geo.sources.cif_schedules import read_cif_timetable
from geo.sources.osm import read_osm
from geo.sources.osm_tags import parse_road
from geo.sources.osmnx_adapter import from_osmnx
from geo.sources.patterns import build_patterns
from geo.sources.stations import read_stations
from geo.sources.track import read_track

SEED = 1
N_REPEATS = 3
KNOWN_ARCS = 62_987  # pieces of all roads for cars, whoever may use them: counted apart from this reader
PLAIN_CLASSES = frozenset(ROAD_CLASSES) - {"other"}
N_POINTS, N_SOURCES, N_GOALS = 100_000, 60, 142


def best_of(work: Callable[[], Any], n: int = N_REPEATS) -> tuple[Any, float]:
    """What the work gives, and its least seconds of processor time: both sides use one processor."""
    least = np.inf
    for _ in range(n):
        started = time.process_time()
        result = work()
        least = min(least, time.process_time() - started)
    return result, least


def count_arcs(extract: Path) -> Counter[str]:
    """Directed pieces of roads by plain rules, and what each rule of ours takes away."""
    counts: Counter[str] = Counter()
    for way in osmium.FileProcessor(str(extract), osmium.osm.WAY).with_filter(osmium.filter.KeyFilter("highway")):
        tags = {tag.k: tag.v for tag in way.tags}
        if tags["highway"] not in PLAIN_CLASSES:
            continue
        refs = [node.ref for node in way.nodes]
        is_oneway = tags.get("oneway") in {"yes", "true", "1", "-1", "reverse"} or tags.get("junction") == "roundabout"
        plain = (len(refs) - 1) * (1 if is_oneway else 2)
        use = parse_road(tags)
        pieces = sum(a != b for a, b in pairwise(refs))
        ours = pieces * (use.drive_forward + use.drive_backward)
        counts["plain"] += plain
        counts["ours"] += ours
        counts["closed or private" if ours == 0 else "one-way by implication"] += plain - ours
    return counts


def show_reading(evidence: Evidence, extract: Path) -> nx.MultiDiGraph:
    """Rows on reading, and the ordinary way's graph."""

    def ours() -> RoadGraph:
        return build_roads(read_osm(extract).table.ways).drive

    graph, ours_s = best_of(ours)
    ours_mib = peak_mib()
    counts = count_arcs(extract)
    evidence.add(
        "Newport: directed drivable pieces",
        graph.n_segment_arcs,
        "pieces",
        baseline={"name": "all roads for cars", "figure": KNOWN_ARCS},
        note=f"plain rules {counts['plain']}; less closed or private {counts['closed or private']}, "
        f"one-way by implication {counts['one-way by implication']}, leaves {counts['ours']}",
    )
    evidence.add("Newport: parts of the drivable graph", len(graph.component_sizes), "parts", n=graph.n_nodes)
    evidence.add("Newport: roads with the default speed of their class", graph.n_default_speed, "ways")
    with tempfile.TemporaryDirectory() as folder:
        cut = cut_roads(extract, Path(folder) / "roads.osm")
        ordinary, theirs_s = best_of(partial(read_with_osmnx, cut), 1)
    evidence.add(
        "reading to routable graphs (ours drive and walk, theirs drive), ratio",
        theirs_s / ours_s,
        "times",
        baseline={"name": "osmnx graph_from_xml, speeds and times, s", "figure": theirs_s},
        n=graph.n_segment_arcs,
        seconds=ours_s,
        peak_mib=ours_mib,
        note=f"with osmnx the peak is {peak_mib():.0f} MiB",
    )
    return ordinary


def cut_roads(extract: Path, path: Path) -> Path:
    """The extract's drivable ways and their nodes as XML: what osmnx reads."""
    with osmium.BackReferenceWriter(str(path), ref_src=str(extract), overwrite=True) as writer:
        for way in osmium.FileProcessor(str(extract), osmium.osm.WAY).with_filter(osmium.filter.KeyFilter("highway")):
            use = parse_road({tag.k: tag.v for tag in way.tags})
            if use.drive_forward or use.drive_backward:
                writer.add(way)
    return path


def read_with_osmnx(path: Path) -> nx.MultiDiGraph:
    ox.settings.use_cache = False
    graph = ox.graph_from_xml(path, retain_all=True, simplify=True)
    graph = ox.add_edge_speeds(
        graph, hwy_speeds={name: mph * KM_PER_MILE for name, mph in DEFAULT_SPEED_MPH.items()}, fallback=32.0
    )
    return ox.project_graph(ox.add_edge_travel_times(graph), to_crs="EPSG:27700")


def show_snapping(evidence: Evidence, ordinary: nx.MultiDiGraph, graph: RoadGraph) -> None:
    rng = np.random.default_rng(SEED)
    low = graph.easting_m.min(), graph.northing_m.min()
    high = graph.easting_m.max(), graph.northing_m.max()
    points = pd.DataFrame(rng.uniform(low, high, (N_POINTS, 2)), columns=["easting_m", "northing_m"])
    snap_points(points.iloc[:10], graph)  # compiled once, then cached on disk
    snaps, ours_s = best_of(lambda: snap_points(points, graph, max_offset_m=50_000))
    mib = peak_mib()
    (_, theirs_m), theirs_s = best_of(
        lambda: ox.distance.nearest_edges(
            ordinary, points["easting_m"].to_numpy(), points["northing_m"].to_numpy(), return_dist=True
        ),
        1,
    )
    evidence.add(
        "snapping, ratio",
        theirs_s / ours_s,
        "times",
        baseline={"name": "osmnx nearest_edges, s", "figure": theirs_s},
        n=N_POINTS,
        seconds=ours_s,
        peak_mib=mib,
        note=f"largest difference of offsets {np.abs(snaps['offset_m'].to_numpy() - theirs_m).max():.2g} m",
    )


def show_many_to_many(evidence: Evidence, ordinary: nx.MultiDiGraph, graph: RoadGraph) -> None:
    """The same graph, sources, goals and answers."""
    rng = np.random.default_rng(SEED)
    nodes = np.flatnonzero(graph.component == 0)
    places = pd.DataFrame({"easting_m": graph.easting_m[nodes], "northing_m": graph.northing_m[nodes]}, index=nodes)
    chosen = places.loc[rng.choice(nodes, N_SOURCES + N_GOALS, replace=False)]
    sources, goals = chosen.iloc[:N_SOURCES], chosen.iloc[N_SOURCES:]
    from_ids, to_ids = graph.node_id[sources.index].tolist(), graph.node_id[goals.index].tolist()

    def ours() -> np.ndarray:
        grid = build_segment_grid(graph)
        start, end = (snap_points(table, graph, grid=grid) for table in (sources, goals))
        return measure_times(graph, start, end).time_min

    def theirs() -> np.ndarray:
        rows = []
        for node in from_ids:
            reached = nx.single_source_dijkstra_path_length(ordinary, node, weight="travel_time")
            rows.append([reached.get(goal, np.nan) / 60 for goal in to_ids])
        return np.array(rows)

    ours()
    minutes, ours_s = best_of(ours)
    mib = peak_mib()
    expected, theirs_s = best_of(theirs, 1)
    evidence.add(
        f"many-to-many time {N_SOURCES} x {N_GOALS}, snapping included, ratio",
        theirs_s / ours_s,
        "times",
        baseline={"name": "networkx Dijkstra on the osmnx graph, s", "figure": theirs_s},
        n=graph.n_nodes,
        seconds=ours_s,
        peak_mib=mib,
        note=f"grid metres against great circles: largest difference {np.nanmax(np.abs(minutes - expected)):.2g} min, "
        f"{int((np.isnan(minutes) != np.isnan(expected)).sum())} pairs reached by one only",
    )


def show_newport(evidence: Evidence, extract: Path) -> None:
    """Every station to every node and a thousand points, on foot and by car; clipped corners are passed over."""
    reading = read_osm(extract).table
    roads, stations = build_roads(reading.ways), reading.stations
    for mode in ("walk", "drive"):
        graph = roads.graph(mode)
        times, seconds = best_of(partial(reach, graph, stations))
        straight_m = np.hypot(
            stations["easting_m"].to_numpy()[:, None] - graph.easting_m,
            stations["northing_m"].to_numpy()[:, None] - graph.northing_m,
        )
        far = (straight_m > 500) & ~np.isnan(times.length_m)
        evidence.add(
            f"Newport: {len(stations)} stations to every node, {mode}, median time",
            float(np.nanmedian(times.time_min)),
            "min",
            n=times.time_min.size,
            seconds=seconds,
            note=f"{int(np.isnan(times.time_min).sum())} pairs unreachable, null",
        )
        low, middle, high = np.percentile(times.length_m[far] / straight_m[far], [5, 50, 95])
        evidence.add(
            f"Newport: metres by road for a metre of straight line, {mode}, median",
            float(middle),
            "ratio",
            interval=(float(low), float(high)),
            n=int(far.sum()),
            note="stations to nodes over 500 m off; the interval is the middle 90 % of pairs",
        )
    rng = np.random.default_rng(SEED)
    west, south, east, north = reading.bounds_m or (0, 0, 1, 1)
    points = pd.DataFrame(rng.uniform((west, south), (east, north), (1000, 2)), columns=["easting_m", "northing_m"])
    table, seconds = best_of(
        lambda: measure_access(points, stations, modes=["walk", "drive"], max_min=60, roads=roads), 1
    )
    by_basis = table["basis"].value_counts().to_dict()
    evidence.add("Newport: access rows for 1,000 points", len(table), "rows", seconds=seconds, note=str(by_basis))


def reach(graph: RoadGraph, stations: pd.DataFrame) -> Any:
    return measure_node_times(graph, snap_points(stations, graph, min_part_nodes=MIN_PART_NODES))


def grid_ways(side: int) -> RoadWays:
    """A square town of `side` streets each way, 100 m apart."""
    number = np.arange(side * side, dtype=np.int64).reshape(side, side)
    node_id = np.concatenate([number.ravel(), number.T.ravel()])
    n_ways = 2 * side
    return RoadWays(
        way_id=np.arange(n_ways, dtype=np.int64),
        vertex_indptr=np.arange(n_ways + 1, dtype=np.int64) * side,
        node_id=node_id,
        easting_m=(node_id % side) * 100.0 + 1_000,
        northing_m=(node_id // side) * 100.0 + 1_000,
        drive_forward=np.ones(n_ways, dtype=bool),
        drive_backward=np.arange(n_ways) % 3 > 0,
        walk=np.ones(n_ways, dtype=bool),
        road_class=np.full(n_ways, ROAD_CLASSES.index("residential"), dtype=np.int8),
        limit_km_h=np.full(n_ways, 48.0),
    )


def show_scaling(evidence: Evidence) -> None:
    rng = np.random.default_rng(SEED)
    for side in (100, 316, 1000):
        ways = grid_ways(side)
        speed = np.full(len(ways.way_id), 33.6)
        started = time.process_time()
        graph = build_road_graph(
            ways, mode="drive", forward=ways.drive_forward, backward=ways.drive_backward, speed_km_h=speed
        )
        built = time.process_time()
        points = pd.DataFrame(
            rng.uniform(1_000, 1_000 + 100 * (side - 1), (10_000, 2)), columns=["easting_m", "northing_m"]
        )
        snaps = snap_points(points, graph)
        snapped = time.process_time()
        measure_times(graph, snaps.iloc[:20], snaps)
        whole = time.process_time()
        measure_times(graph, snaps.iloc[:20], snaps, max_min=15)
        near = time.process_time()
        evidence.add(
            f"scaling: grid of {graph.n_nodes:,} nodes, all steps",
            near - started,
            "s",
            n=graph.n_nodes,
            seconds=near - started,
            peak_mib=peak_mib(),
            note=f"build {built - started:.2f}, snap 10,000 {snapped - built:.2f}, 20 x 10,000 times "
            f"{whole - snapped:.2f}, within 15 min {near - whole:.2f} s",
        )


def show_chicago(evidence: Evidence, folder: Path) -> None:
    """All shortest paths beside the published matrix; feet are taken for metres, as only ratios are compared."""
    vertices = pd.read_csv(folder / "chicago_vertices.csv").set_index("vid")
    edges = pd.read_csv(folder / "chicago_edges.csv")
    given = pd.read_csv(folder / "chicago_dpath_338x338.csv", header=None).to_numpy()
    node_id = edges[["from", "to"]].to_numpy().ravel()
    n_ways = len(edges)
    always = np.ones(n_ways, dtype=bool)
    ways = RoadWays(
        way_id=np.arange(n_ways, dtype=np.int64),
        vertex_indptr=np.arange(n_ways + 1, dtype=np.int64) * 2,
        node_id=node_id.astype(np.int64),
        easting_m=vertices.loc[node_id, "x"].to_numpy() + 10_000,
        northing_m=vertices.loc[node_id, "y"].to_numpy() + 10_000,
        drive_forward=always,
        drive_backward=always,
        walk=always,
        road_class=np.zeros(n_ways, dtype=np.int8),
        limit_km_h=np.full(n_ways, 48.0),
    )
    graph = build_road_graph(ways, mode="walk", forward=always, backward=always, speed_km_h=np.full(n_ways, 4.8))
    corners = pd.DataFrame({"easting_m": graph.easting_m, "northing_m": graph.northing_m})
    snaps = snap_points(corners, graph)
    (length_m), seconds = best_of(lambda: measure_times(graph, snaps, snaps).length_m)
    given = given[np.ix_(graph.node_id, graph.node_id)]
    off = np.abs(length_m - given) / np.where(given > 0, given, 1)
    evidence.add(
        "Chicago: largest difference from the published shortest paths",
        100 * float(off.max()),
        "%",
        n=length_m.size,
        seconds=seconds,
        note=f"{graph.n_nodes} vertices, {graph.n_edges} edges",
    )


def show_rail(evidence: Evidence, folder: Path) -> None:
    """The national railway: built from all heavy-rail track, then every station to every station."""
    track = read_track(folder / "rail_heavy.geojson").table
    stations = read_stations(folder / "stations_npm_1.11.1.csv", force_area=None).table
    with stopwatch() as build_s:
        network = build_rail_network(track, stations)
    evidence.add(
        "national rail graph from track, built",
        build_s[0],
        "s",
        baseline={"name": "at most", "figure": 15.0},
        n=len(network.stations),
        seconds=build_s[0],
        peak_mib=peak_mib(),
        note=f"{len(network.links)} links, {len(network.repairs)} gaps repaired, {len(network.unsnapped)} left out",
    )
    with stopwatch() as times_s:
        times = measure_station_times(build_passenger_graph(network.links))
    reached = np.isfinite(times.time_min)
    evidence.add(
        "national all-pairs station times",
        times_s[0],
        "s",
        baseline={"name": "at most", "figure": 30.0},
        n=times.time_min.size,
        seconds=times_s[0],
        peak_mib=peak_mib(),
        note=f"{int((~reached).sum())} pairs unreachable; the peak is that of the whole process",
    )


def show_run_times(evidence: Evidence, data: Path) -> None:
    """Minutes between calls that follow each other in the real CIF file, beside those published from it."""
    tiplocs = pd.read_csv(data / "rail" / "tiplocs.csv", skipinitialspace=True)
    codes = tiplocs.set_index(tiplocs["stop_id"].str.strip())["stop_code"].dropna()
    with stopwatch() as seconds:
        timetable = read_cif_timetable([data / "timetable" / "toc-update-tue.CIF.gz"], station_of_tiploc=codes)
    once = pd.DataFrame(
        {"trip": timetable.stops["trip"].unique(), "hour_of_week": 0, "start_min": 0.0, "n_departures": 1.0}
    )
    ours = measure_call_run_times(*build_patterns(timetable.stops, once))
    known = pd.read_csv(data / "timetable" / "north_runtimes_nrod_2019-01-29.csv")
    both = known.merge(ours, left_on=["from_crs", "to_crs"], right_on=["from_station_id", "to_station_id"])
    off = (both["median_minutes"] - both["time_min"]).abs()
    (account,) = timetable.accounts
    evidence.add(
        "CIF run times between adjacent calls: largest difference of medians",
        float(off.max()),
        "min",
        n=len(both),
        seconds=seconds[0],
        note=f"{len(both)} of {len(known)} pairs; {account.n_read} records read, {account.n_accepted} used, "
        f"the rest counted: {list(account.n_by_reason)}",
    )


def main() -> None:
    options = parser(__doc__ or "").parse_args()
    evidence = Evidence("networks")
    extract = options.data / "osm" / "newport-2023-06-13.osm.pbf"
    if extract.is_file():
        ordinary = show_reading(evidence, extract)
        graph = from_osmnx(ordinary, mode="drive")
        show_snapping(evidence, ordinary, graph)
        show_many_to_many(evidence, ordinary, graph)
        show_newport(evidence, extract)
    else:
        evidence.skip("Newport", "there is no osm/newport-2023-06-13.osm.pbf")
    chicago = options.data / "benchmarks" / "spatstat_chicago"
    if chicago.is_dir():
        show_chicago(evidence, chicago)
    else:
        evidence.skip("Chicago", "there is no benchmarks/spatstat_chicago")
    show_scaling(evidence)
    if (options.data / "rail").is_dir() and (options.data / "timetable").is_dir():
        show_rail(evidence, options.data / "rail")
        show_run_times(evidence, options.data)
    else:
        evidence.skip("railway", "there is no folder rail or timetable")
    evidence.write(options.json)


if __name__ == "__main__":
    main()
