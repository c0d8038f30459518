"""
North Yorkshire Drugs: every detector and baseline on months that come after those it learnt from.

Units are all cells of the force area and its populated cells (those with a postcode): there is no road extract of North
Yorkshire among the shared files, so street kilometres cannot be measured here.
"""

from __future__ import annotations

import argparse
import sys

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from benchmarks.evidence import Evidence, parser, peak_mib, stopwatch
from geo.errors import GatelineError
from geo.hotspots.comparison import Split, compare_detectors, compare_over_origins, estimate_gain, rolling_splits
from geo.hotspots.detectors import DEFAULT_DETECTOR, standard_detectors
from geo.hotspots.events import build_events
from geo.hotspots.grid import build_grid
from geo.sources.police_uk import read_police_uk

CELL_M = 200.0
COVERAGE_SHARE = (0.001, 0.0025, 0.005, 0.01)
# Cells of 200 m hold a snap point or two; a kernel of three cells, DBSCAN as `find_clusters` has it.
DETECTORS = {"bandwidth_m": 600.0, "half_life_periods": 3.0, "eps_m": 150.0, "min_weight": 10.0}
LEAST_TRAIN_MONTHS = 3
N_RESAMPLES = 2_000
SEED = 1


def parse_months(text: str) -> tuple[int, int]:
    """First and last month as ordinals, from ``2025-01:2025-06``."""
    try:
        first, last = (pd.Period(part, "M").ordinal for part in text.split(":"))
    except ValueError as error:
        msg = f"months: they are {text!r}, expected FIRST:LAST such as 2025-01:2025-06. Mend the option."
        raise argparse.ArgumentTypeError(msg) from error
    return first, last


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--train", type=parse_months, default="2025-01:2025-06", help="first:last month to learn from")
    options.add_argument("--test", type=parse_months, default="2025-07:2025-09", help="first:last month to foresee")
    options.add_argument("--crime", default="north-yorkshire", help="folder under crime/ that holds the months")
    given = options.parse_args()
    evidence = Evidence("drug_hotspots")
    split = Split(*given.train, *given.test)

    with stopwatch() as seconds:
        offences = read_police_uk([given.data / "crime" / given.crime]).table
        events = build_events(offences, targets=["Drugs"])
        lsoas = gpd.read_file(given.data / "boundaries" / "lsoa21_north_yorkshire_imd2025_pop2021.geojson")
        area = shapely.union_all(lsoas.to_crs("EPSG:27700").geometry.make_valid().to_numpy())
        postcodes = pd.read_csv(given.data / "boundaries" / "codepoint_open_postcodes_north_yorkshire.csv")
        grid = build_grid(area, cell_m=CELL_M)
        n_postcodes = grid.sum_weights(
            postcodes["E"].to_numpy(dtype=float), postcodes["N"].to_numpy(dtype=float), np.ones(len(postcodes))
        )
    costs = {"area": np.ones(len(grid)), "populated cells": (n_postcodes > 0).astype(float)}
    used = events.is_target
    counts = pd.Series(events.period[used]).value_counts().sort_index()
    evidence.add(
        "Drugs rows that can be used, of those read",
        float(used.sum()),
        "offences",
        n=int((offences["crime_type"] == "Drugs").sum()),
        seconds=seconds[0],
        note="custody places and rows without a position are left out",
    )
    evidence.skip("street kilometres", "no road extract of North Yorkshire is among the shared files")
    for name, first, last in (("train", split.train_from, split.train_to), ("test", split.test_from, split.test_to)):
        missing = [str(pd.Period(ordinal=k, freq="M")) for k in range(first, last + 1) if k not in counts.index]
        if missing:
            evidence.skip(f"{name} months {', '.join(missing)}", "the folder holds no such offences")

    detectors = standard_detectors(**DETECTORS)
    by_name = {detector.name: detector for detector in detectors}
    with stopwatch() as seconds:
        table = compare_detectors(
            events, grid, split=split, detectors=detectors, costs=costs, coverage_share=COVERAGE_SHARE
        )
    baseline = table[table["detector"] == "prior counts"].set_index(["unit", "coverage_share"])["hit_rate"]
    for row in table.itertuples():
        evidence.add(
            f"{row.detector}, {100 * row.coverage_share:g} % of {row.unit}: hit rate",
            float(row.hit_rate),
            "share",
            baseline={"name": "prior counts", "figure": round(float(baseline[row.unit, row.coverage_share]), 4)},
            interval=(float(row.hit_rate_low), float(row.hit_rate_high)),
            n=int(row.n_outcomes),
            note=f"PAI {row.pai:.1f}, PEI {row.pei:.2f}, ceiling {row.hit_rate_ceiling:.3f}",
        )
    evidence.add("all detectors on one split", seconds[0], "s", seconds=seconds[0], peak_mib=peak_mib())

    low, high = int(events.period.min()), int(events.period.max())
    n_test = split.test_to - split.test_from + 1
    if high - low + 1 >= LEAST_TRAIN_MONTHS + n_test:
        splits = rolling_splits(low, high, n_least_train=LEAST_TRAIN_MONTHS, n_test=n_test)
        origins = compare_over_origins(
            events, grid, splits=splits, detectors=detectors, costs=costs, coverage_share=COVERAGE_SHARE
        )
        for name, row in origins.iterrows():
            evidence.add(
                f"{name}: mean hit rate over rolling origins, units and coverages",
                float(row["mean_hit_rate"]),
                "share",
                baseline={"name": "prior counts", "figure": round(float(origins.loc["prior counts"].iloc[0]), 4)},
                n=len(splits),
                note=f"best at {int(row['n_origins_won'])} of {len(splits)} origins",
            )
    # Counting ties at zero once its cells are used up, so smoothing is the harder baseline over much area.
    for other in ("prior counts", "kernel density"):
        claim = f"default detector against {other}"
        for name, chosen in ((claim, costs), *((f"{claim}, {unit}", {unit: costs[unit]}) for unit in costs)):
            gain, interval = estimate_gain(
                events,
                grid,
                split=split,
                one=by_name[DEFAULT_DETECTOR],
                other=by_name[other],
                costs=chosen,
                coverage_share=COVERAGE_SHARE,
                n_resamples=N_RESAMPLES,
                random_state=SEED,
            )
            better = "better" if interval[0] > 0 else "no better"
            rates = table[(table["detector"] == other) & table["unit"].isin(list(chosen))]["hit_rate"]
            evidence.add(
                name,
                gain,
                "difference of hit rate",
                baseline={"name": f"{other}, mean hit rate", "figure": round(float(rates.mean()), 4)},
                interval=interval,
                n=int(table["n_outcomes"].iloc[0]),
                note=f"{DEFAULT_DETECTOR}, mean over {len(COVERAGE_SHARE)} coverages of {' and '.join(chosen)}: "
                f"{better} than {'counting' if other == 'prior counts' else other}",
            )
    evidence.write(given.json)


if __name__ == "__main__":
    try:
        main()
    except GatelineError as error:
        print(f"drug_hotspots: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
