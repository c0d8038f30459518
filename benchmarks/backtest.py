"""
Every score and baseline judged in time and in space on real months, and the scores' own promises in simulation.

    python -m benchmarks.backtest [--data DIR] [--json FILE] [--quick]

Real part: North Yorkshire, January to September 2025, drug offences. The courier flow that models may see is built from
offences of the first two months only, so it is older than every month that is judged. Stations: offences within a
15-minute walk; towns: offences nearest to the town. Outside check: British Transport Police, January 2020, all offences
recorded at stations. Worlds with a known truth: planted order, no signal at all, coverage of the rank intervals.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.spatial import KDTree
from scipy.stats import kendalltau

from benchmarks.backtest_worlds import LAST, flat_world, null_panel, planted_world
from benchmarks.evidence import Evidence, parser, peak_mib, stopwatch
from benchmarks.main_job import make_workspace
from gateline.pipeline.panels import build_region_panel, run_early
from gateline.pipeline.read import Inputs, read_inputs
from gateline.pipeline.stages import Results
from gateline.settings import Settings, read_settings
from geo.crs import to_metric_arrays
from geo.hotspots.clusters import cluster_offences
from models.draws import IndexSettings
from models.evidence import count_place_evidence, count_station_evidence
from models.features import FeatureSet, build_place_features, build_station_features
from models.feedback import simulate_two_areas
from models.metrics import bootstrap_difference, hit_rate
from models.normalisation import NORMALISATIONS
from models.panel import Panel
from models.scoring import Scores, rank_units, score_units
from models.sensitivity import measure_sobol
from models.training import NO_BETTER, train
from models.validation import forward_origins

SEED = 20260101
UNIT_NAMES = {"station_id": "stations", "place_id": "towns"}
# A British Transport Police point is the station's own; farther than this it is another place.
BTP_REACH_M = 500.0
DEMAND_ALONE = IndexSettings(weights={"demand_offences": 1.0}, vary=("months",))


@dataclass(frozen=True)
class Region:
    """The real files, and a run whose flow knows only the first two months."""

    inputs: Inputs
    early: Results
    settings: Settings


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--quick", action="store_true", help="a tenth of the simulated worlds")
    options.add_argument("--hash-only", action="store_true", help="print one hash of a forecast and stop")
    chosen = options.parse_args()
    if chosen.hash_only:
        print(forecast_hash())
        return
    evidence = Evidence("backtest")
    n_worlds = 10 if chosen.quick else 100
    show_promises(evidence, n_worlds)
    if chosen.data.is_dir():
        region = read_region(chosen.data)
        for unit in ("station_id", "place_id"):
            show_backtest(evidence, region, unit)
        show_outside_check(evidence, region, chosen.data)
    else:
        evidence.skip("real months", f"no folder {chosen.data}")
    evidence.write(chosen.json)


def read_region(data: Path) -> Region:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "workspace"
        root.mkdir()
        make_workspace(root, data)
        settings = read_settings(root / "region.toml")
        inputs = read_inputs(root, settings)
    return Region(inputs, run_early(inputs, settings), settings)


def features_at(region: Region, unit: str, cutoff: pd.Period) -> FeatureSet:
    """What a list issued at the cut-off would rest on: flow of the first months, hotspots and counts up to it."""
    known = region.inputs.offences[region.inputs.offences["month"] <= cutoff]
    stations = scored(region.early.network.stations)
    hotspots = cluster_offences(
        known,
        eps_m=region.settings.hotspots.eps_m,
        min_weight=float(region.settings.hotspots.min_offences),
        stations=stations,
    ).hotspots
    if unit == "station_id":
        counted = count_station_evidence(known, stations, cutoff=cutoff)
        return build_station_features(
            region.early.station_exposure,
            stations,
            hotspots,
            counted,
            cutoff=cutoff,
            station_flows=region.early.assignment.station_flows,
        )
    towns = scored(region.inputs.places)
    counted = count_place_evidence(known, towns, cutoff=cutoff)
    return build_place_features(
        region.early.place_exposure, towns, hotspots, counted, cutoff=cutoff, courier_flows=region.early.courier_flows
    )


def scored(units: pd.DataFrame) -> pd.DataFrame:
    return units[units["is_in_force"]].sort_index()


def show_backtest(evidence: Evidence, region: Region, unit: str) -> None:
    what = UNIT_NAMES[unit]
    with stopwatch() as seconds:
        panel = build_region_panel(region.inputs, region.early, region.settings, unit=UNIT_NAMES[unit])
        report = train(panel, random_state=SEED)
        listed = score_units(features_at(region, unit, LAST), random_state=SEED, n_draws=1000)
    evidence.add(
        f"{what}: retrain and score with 1,000 draws", seconds[0], "s", n=len(panel.unit_ids), peak_mib=peak_mib()
    )
    counting = report.judgements[0]
    for one in report.judgements:
        evidence.add(
            f"{what}: {one.name}, headline hit rate at 10 (worse of time and space)",
            one.headline,
            "share of outcomes",
            baseline={"name": counting.name, "figure": round(counting.headline, 4)},
            n=int(panel.outcomes.sum()),
            note="; ".join(f"{s} {m['hit_rate_at_10']:.3f}" for s, m in one.measures.items())
            + "; in time: "
            + ", ".join(f"{name} {value:.3f}" for name, value in one.measures["temporal"].items()),
        )
        for where, gain in (("time", one.gain_in_time), ("space", one.gain_in_space)):
            evidence.add(f"{what}: {one.name}, gain over counting in {where}", gain[0], "share", interval=gain[1:])
    show_issued_lists(evidence, region, panel, unit, what)
    evidence.add(
        f"{what}: verdict",
        report.verdict,
        "",
        n=report.n_origins,
        note="random folds flatter it" if report.leakage_warning else "",
    )
    show_list(evidence, what, listed, region, unit)


def show_issued_lists(evidence: Evidence, region: Region, panel: Panel, unit: str, what: str) -> None:
    """The list as it would have been issued at each judged month, under each normalisation, against counting."""
    judged = forward_origins(panel)
    outcomes = panel.outcomes[judged]
    counting = panel.features[judged][:, :, 2]
    sets = [features_at(region, unit, panel.origins[o]) for o in judged]
    for method in NORMALISATIONS:
        settings = IndexSettings(normalisation=method)
        lists = [score_units(f, random_state=SEED, n_draws=1, settings=settings).table["score"] for f in sets]
        forecasts = np.stack([scores.reindex(panel.unit_ids).to_numpy(float) for scores in lists])
        gain = bootstrap_difference(forecasts, counting, outcomes, panel.blocks, random_state=SEED)
        evidence.add(
            f"{what}: issued list ({method}), hit rate at 10 forward in time",
            hit_rate(forecasts, outcomes, n_top=10),
            "share of outcomes",
            baseline={"name": "counting", "figure": round(hit_rate(counting, outcomes, n_top=10), 4)},
            n=int(outcomes.sum()),
            note=f"gain {gain[0]:+.3f} ({gain[1]:+.3f} to {gain[2]:+.3f})",
        )


def show_list(evidence: Evidence, what: str, listed: Scores, region: Region, unit: str) -> None:
    table = listed.table
    gap = float((table.filter(like="reason_").sum(axis=1) - table["score"]).abs().max())
    evidence.add(f"{what}: largest gap between reasons and score", gap, "points", n=len(table))
    evidence.add(f"{what}: rankability", listed.rankability, "share", n=len(table))
    width = float((table["rank_high"] - table["rank_low"]).mean())
    tiers = table["tier"].value_counts().to_dict()
    evidence.add(f"{what}: mean width of the 90 % rank interval", width, "places", n=len(table), note=str(tiers))
    sobol = measure_sobol(features_at(region, unit, LAST), random_state=SEED)
    for factor, row in sobol.iterrows():
        evidence.add(f"{what}: Sobol total share of {factor}", float(row["total_share"]), "share")


def show_outside_check(evidence: Evidence, region: Region, data: Path) -> None:
    """Offences that British Transport Police recorded at the force's stations in January 2020, which no model saw."""
    stations = scored(region.early.network.stations)
    rows = pd.read_csv(data / "crime" / "btp" / "2020-01-btp-street.csv", usecols=["Longitude", "Latitude"]).dropna()
    points = np.column_stack(to_metric_arrays(rows["Longitude"].to_numpy(), rows["Latitude"].to_numpy()))
    points = points[np.isfinite(points).all(axis=1)]
    distance_m, nearest = KDTree(stations[["easting_m", "northing_m"]]).query(points)
    came = np.bincount(nearest[distance_m <= BTP_REACH_M], minlength=len(stations)).astype(float)[None, :]
    panel = build_region_panel(region.inputs, region.early, region.settings, unit="stations")
    listed = score_units(features_at(region, "station_id", LAST), random_state=SEED, n_draws=1).table["score"]
    flow = panel.features[-1][:, panel.columns.index("courier_flow")]
    candidates = {
        "counting": panel.features[-1][:, 2],
        "footfall": panel.features[-1][:, panel.columns.index("footfall")],
        "population": panel.features[-1][:, panel.columns.index("population")],
        "nearest by train": -panel.features[-1][:, panel.columns.index("train_min")],
        "courier flow": flow,
        "issued list": listed.reindex(panel.unit_ids).to_numpy(float),
    }
    base = candidates["counting"][None, :]
    for name, values in candidates.items():
        gain = bootstrap_difference(values[None, :], base, came, panel.blocks, random_state=SEED)
        evidence.add(
            f"outside check, offences at stations: {name}, hit rate at 10",
            hit_rate(values[None, :], came, n_top=10),
            "share of outcomes",
            baseline={"name": "counting", "figure": round(hit_rate(base, came, n_top=10), 4)},
            n=int(came.sum()),
            note=f"gain {gain[0]:+.3f} ({gain[1]:+.3f} to {gain[2]:+.3f})",
        )


def show_promises(evidence: Evidence, n_worlds: int) -> None:
    """Worlds with a known truth."""
    for mean in (2.0, 5.0, 10.0, 30.0):
        start = time.perf_counter()
        taus, covered, widths = [], [], []
        for seed in range(n_worlds):
            rates, features = planted_world(seed, mean)
            table = score_units(features, random_state=seed, settings=DEMAND_ALONE, n_draws=1000).table.sort_index()
            truth = rank_units(rates)
            taus.append(kendalltau(table["score"], rates).statistic)
            covered.append(((table["rank_low"] <= truth) & (truth <= table["rank_high"])).mean())
            widths.append((table["rank_high"] - table["rank_low"]).mean())
        n, seconds = n_worlds * 60, time.perf_counter() - start
        ends = np.quantile(taus, (0.05, 0.95))
        evidence.add(
            f"planted truth, {mean:g} events a station: Kendall tau",
            float(np.mean(taus)),
            "",
            interval=tuple(map(float, ends)),
            n=n,
        )
        evidence.add(
            f"planted truth, {mean:g} events: 90 % rank interval covers",
            float(np.mean(covered)),
            "share",
            n=n,
            seconds=seconds,
            note=f"mean width {np.mean(widths):.1f} places of 60",
        )
    null = [
        train(null_panel(seed), random_state=seed, n_draws=300, schemes=("temporal", "block")).verdict
        for seed in range(n_worlds)
    ]
    evidence.add(
        "no signal: worlds that answer 'no better than counting'",
        sum(v.startswith(NO_BETTER) for v in null),
        f"of {n_worlds}",
        n=n_worlds,
    )
    flat = [
        score_units(flat_world(seed), random_state=seed, settings=DEMAND_ALONE, n_draws=300).rankability
        for seed in range(n_worlds)
    ]
    evidence.add(
        "no signal: rankability",
        float(np.mean(flat)),
        "share",
        interval=(float(np.min(flat)), float(np.max(flat))),
        n=n_worlds,
    )
    below = sum(value < 0.2 for value in flat)
    evidence.add("no signal: worlds whose rankability is below 0.2", below, f"of {n_worlds}", n=n_worlds)
    for rates, n_days in (((0.5, 0.5), 1000), ((0.6, 0.4), 3000)):
        for has_log in (True, False):
            ends_at = [
                simulate_two_areas(rates, n_days=n_days, random_state=s, has_log=has_log)
                for s in range(max(n_worlds // 5, 2))
            ]
            low, high = np.quantile(ends_at, (0.05, 0.95))
            label = "rates by logged hours" if has_log else "raw counts"
            evidence.add(
                f"two areas, truth {rates[0]:g}: {label} end at",
                float(np.mean(ends_at)),
                "share",
                interval=(float(low), float(high)),
                n=len(ends_at),
            )
    hashes = {threads: run_hash(threads) for threads in (1, 2)}
    evidence.add(
        "forecast and list on one thread and on two",
        "same bytes" if len(set(hashes.values())) == 1 else "different",
        "",
        n=2,
    )


def forecast_hash() -> str:
    """One hash over a trained model's forecasts and a scored list."""
    panel = null_panel(1)
    report = train(panel, random_state=SEED, n_draws=200)
    table = score_units(planted_world(1, 10.0)[1], random_state=SEED, n_draws=1000).table
    rows = "".join(str(one) for one in report.judgements)
    return hashlib.sha256((rows + table.to_csv(float_format="%.17g")).encode()).hexdigest()


def run_hash(threads: int) -> str:
    """The hash from a fresh process held to this many threads."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    environment = os.environ | dict.fromkeys(names, str(threads))
    command = [sys.executable, "-m", "benchmarks.backtest", "--hash-only"]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    main()
