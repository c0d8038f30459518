"""
Stations that public reports name for county lines, by every list: `python -m benchmarks.named_stations`.

`named_stations.csv` beside this file names stations, each with the page that names it; nothing is fitted to them. The
national workspace of `benchmarks.national` is run once, without a line known, and each list of its stations is judged
by the area under the curve: how often a named station stands before one that is not. A station that nobody named is
not known to have none, reports name the busiest first, and a constable's report names a station where a town was meant:
so each is also set against unnamed stations of its own footfall. Intervals are over named stations.

How the list was made: 68 searches of stored public pages, before any ranking was looked at: by force and by region,
each with several of its towns, large and small; by kind of report (operation, court case, minister's visit, knife arch
and dog); and for unnamed small places. A row is a page whose text says that police acted at that station, or caught a
courier there, for county lines or drugs brought by train. `on_train_to` is a town that trains were said to supply, no
station named. A town of several stations named without one gives its main station; a city that leaves it open gives
none. A lower case title is the words of the address, where the stored text has no heading; an address can be a copy of
the publisher's page; a year, of the report, is given only where text, address, weekday or another page on the same
operation tells it. Facts alone are kept.

Its biases: busy stations and seaside or county towns are reported more; searches named towns, so those not thought of
are missed; operations of 2019 to 2025 by British Transport Police outweigh cases (8 rows), and where they went was
their choice; one operation names several stations at once, so rows are not independent. Searches found nothing at
stations of Essex, Durham, Cleveland, Northumbria, Warwickshire, West Yorkshire and mid-Cornwall, which says more of
the stored pages than of the places. In Humberside (five stations) the page names towns beside "rail stations"; Havant,
Aberdeen, Carlisle and one page of Winchester tell of drugs by train without the words "county lines".
"""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import KDTree
from scipy.stats import rankdata

from benchmarks.evidence import Evidence, parser, peak_mib, stopwatch
from benchmarks.evidence_case import Case, read_workspace
from benchmarks.force_areas import LONDON, METROPOLITAN, read_force_areas
from benchmarks.national import make_workspace
from gateline.pipeline.read import Inputs
from geo.crs import METRIC
from geo.network.usage import measure_station_usage
from models.evidence import count_station_evidence

FloatArray = NDArray[np.float64]
NAMED = Path(__file__).with_name("named_stations.csv")
# Unnamed stations of nearest footfall that a named one is set against, and how far footfall may differ.
N_MATCHED, LARGEST_FACTOR = 5, 1.25
TOWN_REACH_M = 3_000.0
N_BOOTSTRAP, SEED = 2000, 2025


def read_named(path: Path, station_ids: pd.Index) -> pd.Index:
    """Named stations, each once; a train on its way to a station names no platform."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["role"] != "on_train_to"]
    named = pd.Index(sorted({row["crs"] for row in rows}))
    odd = named.difference(station_ids)
    if len(odd):
        msg = f"{path.name}: crs {odd[0]!r} is no station, expected codes of the list. Mend the row."
        raise ValueError(msg)
    return named


def measure_lists(case: Case, inputs: Inputs) -> pd.DataFrame:
    """What each list ranks stations by, index station_id."""
    stations = inputs.stations.loc[list(case.station_ids)]
    usage = measure_station_usage(inputs.passenger_flows, usage_basis="ORR matrix")["n_entries_exits_per_year"]
    points = stations[["easting_m", "northing_m"]].to_numpy(float)
    towns = case.region.towns
    near = KDTree(towns[["easting_m", "northing_m"]].to_numpy(float)).query_ball_point(points, TOWN_REACH_M)
    people = towns["population"].to_numpy(float)
    counted = count_station_evidence(inputs.offences, stations, cutoff=inputs.offences["month"].max())
    prior = case.fit(type(case.evidence)(), n_draws=200)
    return pd.DataFrame(
        {
            "score": case.estimate.station_share.mean(axis=0),
            "the network alone, no evidence": prior.station_share.mean(axis=0),
            "footfall": usage.reindex(stations.index).fillna(0.0),
            "largest town within 3 km": [people[at].max() if at else 0.0 for at in near],
            "drug offences within a 15-minute walk": pd.Series(counted.totals, index=list(counted.unit_ids)).reindex(
                stations.index
            ),
        },
        index=stations.index,
    )


def area_under_curve(value: FloatArray, is_named: NDArray[np.bool_]) -> FloatArray:
    """For each named station the share of unnamed ones it stands before, ties half."""
    above = rankdata(value)[is_named] - rankdata(value[is_named])
    return np.asarray(above / max(int((~is_named).sum()), 1))


def matched_pairs(value: FloatArray, footfall: FloatArray, is_named: NDArray[np.bool_]) -> FloatArray:
    """For each named station the share of unnamed ones of its footfall that it stands before; null without any."""
    log_people = np.log(np.maximum(footfall, 1.0))
    others = np.flatnonzero(~is_named & (footfall > 0))
    found = []
    for at in np.flatnonzero(is_named & (footfall > 0)):
        apart = np.abs(log_people[others] - log_people[at])
        near = others[np.argsort(apart, kind="stable")[:N_MATCHED]]
        near = near[np.abs(log_people[near] - log_people[at]) <= np.log(LARGEST_FACTOR)]
        share = (value[near] < value[at]).mean() + (value[near] == value[at]).mean() / 2 if len(near) else np.nan
        found.append(share)
    return np.array(found)


def report(evidence: Evidence, lists: pd.DataFrame, is_named: NDArray[np.bool_], where: str) -> None:
    footfall = lists["footfall"].to_numpy(float)
    base = _judge(footfall, footfall, is_named)
    score = _judge(lists["score"].to_numpy(float), footfall, is_named)
    for name in lists.columns:
        for how, each in _judge(lists[name].to_numpy(float), footfall, is_named).items():
            if name != "score":
                less = score[how] - each
                evidence.add(
                    f"named stations, {where}: {how}: score less {name}",
                    float(np.nanmean(less)),
                    "share of pairs",
                    interval=_interval(less),
                    n=int(np.isfinite(less).sum()),
                )
            evidence.add(
                f"named stations, {where}: {how}: {name}",
                float(np.nanmean(each)),
                "share of pairs",
                baseline={"name": "footfall", "figure": round(float(np.nanmean(base[how])), 3)},
                interval=_interval(each),
                n=int(np.isfinite(each).sum()),
            )


def _judge(value: FloatArray, footfall: FloatArray, is_named: NDArray[np.bool_]) -> dict[str, FloatArray]:
    return {
        "area under the curve": area_under_curve(value, is_named),
        "within pairs of equal footfall": matched_pairs(value, footfall, is_named),
    }


def _interval(each: FloatArray) -> tuple[float, float]:
    known = each[np.isfinite(each)]
    draws = np.random.default_rng(SEED).integers(0, len(known), size=(N_BOOTSTRAP, len(known)))
    low, high = np.quantile(known[draws].mean(axis=1), [0.05, 0.95])
    return float(low), float(high)


def outside_metropolitan(stations: pd.DataFrame, data: Path) -> NDArray[np.bool_]:
    """Whether each station is in a force area that is no metropolitan county and not London; England and Wales."""
    areas = read_force_areas(data).areas[["geometry"]].rename_axis("force").reset_index()
    points = gpd.GeoDataFrame(
        index=stations.index,
        geometry=gpd.points_from_xy(stations["easting_m"], stations["northing_m"]),
        crs=METRIC,
    )
    force = gpd.sjoin(points, areas, predicate="within")["force"].groupby(level=0).first().reindex(stations.index)
    return np.asarray(force.notna() & ~force.isin([LONDON, "City of London", *METROPOLITAN]), dtype=bool)


def main() -> None:
    options = parser(__doc__ or "").parse_args()
    evidence = Evidence("named_stations")
    if not (options.data / "crime" / "gb-drugs-weapons-robbery").is_dir():
        evidence.skip("named stations", f"no national offences in {options.data.name!r}")
        evidence.write(options.json)
        return
    with tempfile.TemporaryDirectory() as scratch, stopwatch() as took:
        root = Path(scratch) / "great-britain"
        make_workspace(root, options.data)
        case, inputs = read_workspace(root)
    evidence.add("named stations: the national posterior", took[0], "s", seconds=took[0], peak_mib=peak_mib())
    lists = measure_lists(case, inputs)
    is_named = np.asarray(lists.index.isin(read_named(NAMED, lists.index)))
    report(evidence, lists, is_named, "Great Britain")
    outside = outside_metropolitan(inputs.stations.loc[lists.index], options.data)
    report(evidence, lists[outside], is_named[outside], "outside the metropolitan counties")
    evidence.write(options.json)


if __name__ == "__main__":
    main()
