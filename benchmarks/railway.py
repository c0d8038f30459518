"""
The estimated train service against real trains: `python -m benchmarks.railway`.

The service is estimated from Great Britain's links and origin-destination matrix. Its numbers were fitted to the feed
around Glasgow (week of 14 November 2022) and to run times of a working timetable of northern England; held out are the
feed around Newport (week of 4 March 2024) and seven times that public timetables give. Each feed is whole only near its
place: pairs are judged where one end lies there. Beside it stands what a run without passengers still takes: every
train calls everywhere, at one speed.
"""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from benchmarks.evidence import Evidence, parser, stopwatch
from benchmarks.railway_feeds import report_feeds
from benchmarks.railway_hours import report_hours
from benchmarks.railway_morning import report_morning
from geo.network.default_service import estimate_service, measure_leg_min
from geo.network.passenger import DEFAULT_DWELL_MIN, build_passenger_graph
from geo.network.rail import RailNetwork, build_rail_network
from geo.network.station_times import measure_station_times
from geo.sources.gtfs import read_gtfs
from geo.sources.passenger_flows import read_passenger_flows
from geo.sources.stations import read_stations
from geo.sources.track import read_track

# Stations whose trains are all in the feed: within so many metres of its middle.
GLASGOW = ("around Glasgow, fitted", "glasgow_connected_rail_gtfs_2022-11.zip", date(2022, 11, 14), "GLC", 30_000.0)
NEWPORT = ("at Newport, held out", "newport_cardiff_rail_gtfs_2024-03-05.zip", date(2024, 3, 4), "NWP", 1_000.0)
# About what public timetables give, minutes.
KNOWN_MIN = {
    ("LDS", "HGT"): 35,
    ("YRK", "SCA"): 50,
    ("LDS", "SKI"): 40,
    ("MCV", "YRK"): 80,
    ("LIV", "YRK"): 120,
    ("MBR", "WTB"): 90,
    ("KGX", "YRK"): 115,
}
FEWEST_TRAINS_PER_DAY = 1.0


@dataclass(frozen=True)
class Country:
    """Track, passengers, and the service estimated from them."""

    network: RailNetwork
    flows: pd.DataFrame
    calls: pd.DataFrame
    departures: pd.DataFrame
    everywhere_min: pd.DataFrame

    def everywhere(self, pairs: pd.DataFrame) -> pd.Series:
        """Minutes by trains that call everywhere, for pairs `a, b`."""
        at = [self.everywhere_min.index.get_indexer(pairs[end]) for end in ("a", "b")]
        return pd.Series(self.everywhere_min.to_numpy()[at[0], at[1]], index=pairs.index)


def read_country(data: Path, evidence: Evidence) -> Country:
    stations = read_stations(data / "rail" / "stations_npm_1.11.1.csv", force_area=None).table
    flows = read_passenger_flows(data / "rail" / "odm_gb_2024_25.csv.gz", station_ids=set(stations.index)).table
    network = build_rail_network(read_track(data / "rail" / "rail_heavy.geojson").table, stations)
    estimate_service(network.links, flows.head(0))
    with stopwatch() as took:
        calls, departures = estimate_service(network.links, flows)
    evidence.add(
        "Great Britain: the service estimated",
        took[0],
        "s",
        seconds=took[0],
        n=len(stations),
        note=f"{calls['pattern_id'].nunique():,} patterns, {calls['station_id'].nunique():,} stations called at",
    )
    graph = build_passenger_graph(network.links, dwell_min=DEFAULT_DWELL_MIN)
    times = measure_station_times(graph)
    # A ride along a link holds a stand at its end; nobody stands at the last.
    minutes = pd.DataFrame(times.time_min - DEFAULT_DWELL_MIN, index=times.origin_ids, columns=list(times.station_ids))
    return Country(network, flows, calls, departures, minutes)


def read_feed(path: Path, week: date) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Calls and departures with CRS codes."""
    with zipfile.ZipFile(path) as feed:
        stops = csv.DictReader(io.TextIOWrapper(feed.open("stops.txt"), "utf-8-sig"))
        code = pd.Series({row["stop_id"]: row["stop_code"] for row in stops})
    reading = read_gtfs(path, week_start_on=week, station_of_stop=code)
    return reading.calls, reading.departures


def list_direct(calls: pd.DataFrame, departures: pd.DataFrame) -> pd.DataFrame:
    """Pairs of stations that trains join: trains a day and their minutes, mean and of those worth waiting for."""
    per_day = departures.groupby("pattern_id")["n_departures"].sum() / 7.0
    rows = calls[["pattern_id", "call_no", "station_id", "arrival_min", "departure_min"]]
    joined = rows.merge(rows, on="pattern_id", suffixes=("", "_to"))
    joined = joined[joined["call_no"] < joined["call_no_to"]]
    joined = pd.DataFrame(
        {
            "a": joined["station_id"],
            "b": joined["station_id_to"],
            "minutes": joined["arrival_min_to"] - joined["departure_min"],
            "n": joined["pattern_id"].map(per_day),
        }
    ).sort_values(["a", "b", "minutes"], kind="stable")
    joined = joined[joined["n"] > 0]
    joined["sum"] = joined["n"] * joined["minutes"]
    by = joined.groupby(["a", "b"], sort=True)
    found = by.agg(n=("n", "sum"), total=("sum", "sum"))
    found["mean_min"] = found.pop("total") / found["n"]
    # Whoever waits takes the first train that is no slower than waiting for a quicker one (a day of 18 hours).
    so_far = by["n"].cumsum() - joined["n"]
    ridden = by["sum"].cumsum() - joined["sum"]
    wait = 18 * 60 / 2 / so_far.where(so_far > 0)
    is_taken = (so_far == 0) | (joined["minutes"] < ridden / so_far.where(so_far > 0) + wait)
    taken = joined[is_taken.groupby([joined["a"], joined["b"]]).cummin()]
    sums = taken.groupby(["a", "b"])[["n", "sum"]].sum()
    found["taken_min"] = sums["sum"] / sums["n"]
    return found.reset_index()


def judge_feed(evidence: Evidence, country: Country, data: Path, feed: tuple[str, str, date, str, float]) -> None:
    where, name, week, middle, reach_m = feed
    calls, departures = read_feed(data / "timetable" / name, week)
    stations = country.network.stations
    gap_m = np.hypot(
        stations["easting_m"] - stations.loc[middle, "easting_m"],
        stations["northing_m"] - stations.loc[middle, "northing_m"],
    )
    near = set(stations.index[gap_m <= reach_m])
    real, ours = list_direct(calls, departures), list_direct(country.calls, country.departures)
    real = real[(real["n"] >= FEWEST_TRAINS_PER_DAY) & real["a"].isin(stations.index) & real["b"].isin(stations.index)]
    both = real.merge(ours, on=["a", "b"], suffixes=("", "_ours"))
    both["everywhere"] = country.everywhere(both)
    for what, column in (("estimated service", "mean_min_ours"), ("every train calls everywhere", "everywhere")):
        off, ratio = (both[column] - both["mean_min"]).abs(), both[column] / both["mean_min"]
        low, high = off.quantile([0.05, 0.95])
        evidence.add(
            f"{where}: {what}: minutes off, direct pairs, median",
            float(off.median()),
            "min",
            interval=(float(low), float(high)),
            n=len(both),
            note=f"nine in ten within {off.quantile(0.9):.1f}; of real time {ratio.median():.2f}",
        )
    by_length = pd.cut(both["mean_min"], [0, 20, 45, 90, 400])
    told = (both["mean_min_ours"] - both["mean_min"]).abs().groupby(by_length, observed=True).median()
    evidence.add(
        f"{where}: estimated service: minutes off by length of ride",
        "; ".join(f"to {band.right:g} min: {value:.1f}" for band, value in told.items()),
        "median min",
        n=len(both),
    )
    mine = real[real["a"].isin(near) | real["b"].isin(near)]
    mine = mine[mine["n"] >= 4.0].merge(ours, on=["a", "b"], how="left", suffixes=("", "_ours"))
    journeys = country.flows.groupby(["origin_station_id", "destination_station_id"])["n_journeys_per_year"].sum()
    weight = journeys.reindex(pd.MultiIndex.from_frame(mine[["a", "b"]])).fillna(0.0).to_numpy()
    missed = (~(mine["n_ours"] >= FEWEST_TRAINS_PER_DAY)).to_numpy()
    evidence.add(
        f"{where}: direct pairs, four trains a day or more, that have one by the estimate",
        float(1 - (weight * missed).sum() / weight.sum()),
        "share of journeys",
        n=len(mine),
        note=f"{1 - missed.mean():.2f} of pairs",
    )
    judge_stations(evidence, country, where, (calls, departures), near)


def judge_stations(
    evidence: Evidence, country: Country, where: str, feed: tuple[pd.DataFrame, pd.DataFrame], near: set[str]
) -> None:
    """Trains a day at stations, and the share of passing trains that call."""
    real, ours = (count_calls(country, *each) for each in (feed, (country.calls, country.departures)))
    table = (
        pd.concat([real.add_suffix("_real"), ours.add_suffix("_ours")], axis=1)
        .reindex(sorted(near & set(real.index)))
        .dropna()
    )
    if len(table) < 5:
        return
    rank = spearmanr(table["called_real"], table["called_ours"])[0]
    evidence.add(
        f"{where}: trains a day at stations, rank correlation",
        float(rank),
        "Spearman rho",
        baseline={"name": "every train calls everywhere", "figure": 0.0},
        n=len(table),
        note=f"ratio of estimated to real, median {(table['called_ours'] / table['called_real']).median():.2f}",
    )
    share = {k: table[f"called_{k}"] / (table[f"called_{k}"] + table[f"passed_{k}"]) for k in ("real", "ours")}
    weight = table["called_real"] + table["passed_real"]
    off = np.average((share["ours"] - share["real"]).abs(), weights=weight)
    everywhere = np.average(1 - share["real"], weights=weight)
    evidence.add(
        f"{where}: share of trains that call rather than pass, off by",
        float(off),
        "share of trains past a station",
        baseline={"name": "every train calls everywhere", "figure": round(float(everywhere), 3)},
        n=len(table),
    )


def count_calls(country: Country, calls: pd.DataFrame, departures: pd.DataFrame) -> pd.DataFrame:
    """Trains a day that call at each station, and that pass it on the shortest way between two calls."""
    per_day = departures.groupby("pattern_id")["n_departures"].sum() / 7.0
    rows = calls.sort_values(["pattern_id", "call_no"], kind="stable")
    trains = rows["pattern_id"].map(per_day).fillna(0.0)
    called = trains.groupby(rows["station_id"]).sum()
    after = rows.groupby("pattern_id")["station_id"].shift(-1)
    legs = trains.groupby([rows["station_id"], after]).sum()
    graph = build_passenger_graph(country.network.links, dwell_min=DEFAULT_DWELL_MIN)
    known = set(graph.station_ids)
    legs = legs[[a in known and b in known for a, b in legs.index]]
    origins = sorted(set(legs.index.get_level_values(0)))
    times = measure_station_times(graph, origins=origins, keep_paths=True)
    passed: dict[str, float] = {}
    for (a, b), n in legs.items():
        for node in times.path(a, b)[1:-1]:
            station = graph.station_ids[node]
            passed[station] = passed.get(station, 0.0) + n
    return pd.DataFrame({"called": called, "passed": pd.Series(passed, dtype=float)}).fillna(0.0)


def judge_known(evidence: Evidence, country: Country) -> None:
    ours = list_direct(country.calls, country.departures).set_index(["a", "b"])
    off = []
    for (a, b), known_min in KNOWN_MIN.items():
        names = country.network.stations["name"]
        minutes = float(ours["taken_min"].get((a, b), np.nan))
        everywhere = float(country.everywhere_min.loc[a, b])
        off.append(abs(minutes / known_min - 1))
        evidence.add(
            f"{names[a]} to {names[b]}, trains worth waiting for",
            minutes if np.isfinite(minutes) else None,
            "min",
            baseline={"name": "known", "figure": known_min},
            note=f"{minutes / known_min - 1:+.0%}, {ours['n'].get((a, b), 0.0):.0f} trains a day; "
            f"calling everywhere {everywhere:.0f} min ({everywhere / known_min - 1:+.0%})",
        )
    evidence.add("seven known times within 10 %", int((np.array(off) <= 0.1).sum()), "of 7", n=len(off))


def judge_legs(evidence: Evidence, country: Country, data: Path) -> None:
    """Minutes from a call to the next in a working timetable, from distance and use alone."""
    rows = pd.read_csv(data / "timetable" / "north_runtimes_nrod_2019-01-29.csv")
    links = country.network.links
    single = {
        frozenset(pair): key
        for key, pair in zip(links.index, links[["from_station_id", "to_station_id"]].to_numpy(), strict=True)
    }
    rows["link"] = [single.get(frozenset(pair)) for pair in rows[["from_crs", "to_crs"]].to_numpy()]
    rows = rows.dropna(subset=["link"])
    km = links.loc[rows["link"], "length_m"].to_numpy() / 1000.0
    minutes = measure_leg_min(km, np.full(len(km), 1e6 / 365.0))
    off = np.abs(minutes - rows["median_minutes"].to_numpy())
    evidence.add(
        "northern England, working timetable: minutes off, neighbouring stations, middling use, median",
        float(np.median(off)),
        "min",
        n=len(rows),
        note=f"of real time {np.median(minutes / rows['median_minutes'].to_numpy()):.2f}",
    )


def main() -> None:
    options = parser(__doc__ or "").parse_args()
    evidence = Evidence("railway")
    if not (options.data / "timetable").is_dir():
        evidence.skip("railway", f"no folder 'timetable' in {options.data.name!r}")
    else:
        country = read_country(options.data, evidence)
        judge_legs(evidence, country, options.data)
        for feed in (GLASGOW, NEWPORT):
            judge_feed(evidence, country, options.data, feed)
        judge_known(evidence, country)
        report_morning(evidence, country.calls, country.departures)
        report_hours(evidence, options.data)
        report_feeds(evidence, options.data)
    evidence.write(options.json)


if __name__ == "__main__":
    main()
