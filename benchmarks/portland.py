"""
NIJ 2017 challenge, Portland: vehicle theft and burglary, every detector, with the band of the grid's origin.

The files are in State Plane feet and stay in them as metres from a local origin: the method needs lengths, not the
National Grid. Cells are 600 ft, the forecast area 0.25 square miles, the test March to May 2017, the training all that
came before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.evidence import Evidence, parser, peak_mib, stopwatch
from geo.hotspots.comparison import Split, compare_detectors, compare_over_origins, estimate_gain, measure_jitter
from geo.hotspots.detectors import Detector, standard_detectors
from geo.hotspots.events import Events
from geo.hotspots.grid import Grid, build_grid_around

FOOT_M = 0.3048
MILE_M = 1609.344
CELL_M = 600 * FOOT_M
FORECAST_KM2 = 0.25 * (MILE_M / 1000) ** 2
# ASSUMPTION: area of the police district, which the files do not hold. PAI is in proportion to it; hit rates and
# differences do not depend on it.
CITY_KM2 = 147.71 * (MILE_M / 1000) ** 2
TEST_FROM, TEST_TO = "2017-03-01", "2017-05-31"
# Weeks of seven days counted from the first day of the test, so that no week is in both.
DETECTORS = {"bandwidth_m": 1000 * FOOT_M, "half_life_periods": 104.0, "eps_m": 100.0, "min_weight": 10.0}
# Thirty-six origins: six by six steps of 100 ft.
SHIFTS_M = [(100 * east * FOOT_M, 100 * north * FOOT_M) for east in range(6) for north in range(6)]
N_RESAMPLES = 2_000
SEED = 1
OTHER = {"veh": "bur", "bur": "veh"}
NAMES = {"veh": "vehicle theft", "bur": "burglary"}


def read_events(data: Path, target: str) -> Events:
    """The target type as targets and the other as context, periods in weeks from the start of the test."""
    parts = []
    for kind in (target, OTHER[target]):
        rows = pd.read_csv(data / "benchmarks" / "nij_portland" / f"crimes_{kind}.csv.gz")
        days = (pd.to_datetime(rows["occ_date"]) - pd.Timestamp(TEST_FROM)).dt.days
        parts.append(rows.assign(week=days // 7, is_target=kind == target))
    rows = pd.concat(parts)
    return Events(
        rows["x_coordina"].to_numpy(dtype=float) * FOOT_M,
        rows["y_coordina"].to_numpy(dtype=float) * FOOT_M,
        rows["week"].to_numpy(dtype=np.int64),
        np.ones(len(rows)),
        rows["is_target"].to_numpy(dtype=bool),
    )


def lay_grid(events: Events, east_m: float, north_m: float) -> Grid:
    """600 ft cells over the city's bounding box, from an origin shifted by so many metres."""
    grid = build_grid_around(events.easting_m - east_m, events.northing_m - north_m, cell_m=CELL_M)
    return Grid(grid.west_m + east_m, grid.south_m + north_m, grid.cell_m, grid.n_columns, grid.n_rows, grid.position)


def main() -> None:
    options = parser(__doc__ or "")
    given = options.parse_args()
    evidence = Evidence("portland")
    last_week = (pd.Timestamp(TEST_TO) - pd.Timestamp(TEST_FROM)).days // 7
    for target, name in NAMES.items():
        events = read_events(given.data, target)
        split = Split(int(events.period.min()), -1, 0, last_week)
        detectors = standard_detectors(**DETECTORS)
        plain = lay_grid(events, 0.0, 0.0)
        # Coverage is of the city's area, which the bounding box exceeds: as many cells as fit 0.25 square miles.
        share_of_box = FORECAST_KM2 / (len(plain) * plain.area_km2)
        with stopwatch() as seconds:
            jitter = measure_jitter(
                events,
                partial(lay_grid, events),
                shifts_m=SHIFTS_M,
                split=split,
                detectors=detectors,
                area_km2=FORECAST_KM2,
                study_area_km2=CITY_KM2,
            )
        for detector in detectors:
            pai = jitter[detector.name]
            evidence.add(
                f"{name}, {detector.name}: PAI, 600 ft cells, 0.25 square miles, March-May 2017",
                float(pai.median()),
                "PAI",
                baseline={"name": "prior counts", "figure": round(float(jitter["prior counts"].median()), 1)},
                interval=(float(pai.min()), float(pai.max())),
                n=int((events.is_target & (events.period >= 0) & (events.period <= last_week)).sum()),
                note=f"median and range over {len(SHIFTS_M)} grid origins",
            )
        evidence.add(f"{name}: all detectors at all origins", seconds[0], "s", seconds=seconds[0], peak_mib=peak_mib())
        _report_best(evidence, name, events, plain, split, detectors, share_of_box)
    evidence.write(given.json)


def _report_best(
    evidence: Evidence,
    name: str,
    events: Events,
    grid: Grid,
    split: Split,
    detectors: Sequence[Detector],
    share: float,
) -> None:
    """The detector that was best in the twelve months before the test, against counting, on the test."""
    costs = {"area": np.ones(len(grid))}
    # Four quarters before the test choose the detector; the test only judges it.
    before = [Split(split.train_from, week - 1, week, week + 12) for week in (-52, -39, -26, -13)]
    origins = compare_over_origins(
        events, grid, splits=before, detectors=detectors, costs=costs, coverage_share=[share]
    )
    by_name = {detector.name: detector for detector in detectors}
    best = next(other for other in origins.index if other != "prior counts")
    now = compare_detectors(events, grid, split=split, detectors=detectors, costs=costs, coverage_share=[share])
    rates = now.set_index("detector")["hit_rate"]
    for chosen, how in ((best, "best of the four quarters before"), (_best_after(rates), "best after the event")):
        gain, interval = estimate_gain(
            events,
            grid,
            split=split,
            one=by_name[chosen],
            other=by_name["prior counts"],
            costs=costs,
            coverage_share=[share],
            n_resamples=N_RESAMPLES,
            random_state=SEED,
        )
        verdict = "better than counting" if interval[0] > 0 else "no better than counting"
        evidence.add(
            f"{name}, {chosen} ({how}) against prior counts: hit rate",
            gain,
            "share of offences",
            baseline={"name": "prior counts", "figure": round(float(rates["prior counts"]), 4)},
            interval=interval,
            n=int(now["n_outcomes"].iloc[0]),
            note=verdict,
        )


def _best_after(rates: pd.Series) -> str:
    return str(rates.drop("prior counts").idxmax())


if __name__ == "__main__":
    main()
