"""
The posterior over lines, in which all that a force knows speaks: `python -m benchmarks.evidence_model`.

On the real North Yorkshire workspace of `benchmarks.main_job`: towns left out, lines left out, evidence planted by hand
(30 of 31 lines into Filey, 74 addresses in Whitby, 40 nil hours at York), planted worlds, the real run's chains; and
the same model on London's persons in 37 forces. `--only` runs some of the parts.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.evidence import Evidence, parser, peak_mib, stopwatch
from benchmarks.evidence_case import Case, lines_of, read_case
from benchmarks.evidence_london import compare_on_london
from benchmarks.evidence_months import compare_halves
from benchmarks.evidence_towns import score_towns
from benchmarks.evidence_worlds import plant_worlds
from benchmarks.evidence_wrong import spoil_sources
from geo.disclosure.address_bands import band_addresses
from geo.sensitive import SensitivePoints
from models.posterior.estimate import Estimate
from models.posterior.evidence import Evidence as Known
from models.posterior.lists import score_places, score_stations
from models.posterior.reasons import explain_sources, measure_shares
from models.posterior.sampler import HIGHEST_R_HAT

FloatArray = NDArray[np.float64]
PARTS = ("run", "months", "towns", "planted", "worlds", "wrong", "london")
# Stations of Whitby's own line, and of its neighbours.
WHITBY_LINE = ("WTB", "RUS", "SLH", "GMT", "SCA")
N_ADDRESSES, SEED = 74, 74
NIL_HOURS = 40.0


def report_run(evidence: Evidence, case: Case) -> None:
    """The real run: how far its draws can be relied on, and what they cost."""
    with stopwatch() as took:
        estimate = case.fit(case.evidence)
    with stopwatch() as explained:
        explain_sources(estimate)
    n, seconds = len(estimate.lines), took[0]
    limit = {"name": "limit of agreement", "figure": HIGHEST_R_HAT}
    size = f"{estimate.posterior.n_params} parameters, {case.ways.n_pairs:,} pairs, {len(case.ways.town_ids)} towns"
    evidence.add("real run: largest split R-hat of the chains", estimate.r_hat, "ratio of spreads", baseline=limit)
    evidence.add(
        "real run: effective draws", estimate.n_effective, "draws", n=n, note=f"chains agree: {estimate.is_settled}"
    )
    weights = ", ".join(f"{factor:g}: {weight:.2f}" for factor, weight in estimate.factors.items())
    evidence.add("real run: posterior weight of the power of counts", weights, "factor: weight")
    evidence.add("real run: fit with 1,000 draws", seconds, "s", n=n, seconds=seconds, peak_mib=peak_mib(), note=size)
    spoke = ", ".join(case.reasons.groups[1:])
    evidence.add("real run: reasons", explained[0], "s", seconds=explained[0], note=f"groups: {spoke}")
    table = score_places(estimate, case.reasons, case.region.towns["name"]).table
    first = ", ".join(f"{row['name']} {row['score']:.1f}" for _, row in table.head(6).iterrows())
    evidence.add("real run: first six towns", first, "of 100 trips", n=len(table))
    _same_again(evidence, case, estimate)


def _same_again(evidence: Evidence, case: Case, estimate: Estimate) -> None:
    other = case.fit(case.evidence)
    same = estimate.town_share.tobytes() == other.town_share.tobytes()
    evidence.add("real run: fitted twice, the same bytes", str(same), "of town shares", n=2)


def plant_evidence(evidence: Evidence, case: Case) -> None:
    """What evidence put in by hand moves."""
    before = case.fit(case.evidence)
    _plant_lines(evidence, case, before)
    _plant_addresses(evidence, case, before)
    _take_away(evidence, case)
    _plant_nil_return(evidence, case)


def _plant_lines(evidence: Evidence, case: Case, before: Estimate) -> None:
    """30 of 31 lines into Filey, the other into York, all from West Yorkshire, beside what the run knows."""
    leeds = case.exporters.index[case.exporters["name"] == "West Yorkshire"][0]
    lines = lines_of((leeds, case.town_id("Filey"), 30.0), (leeds, case.town_id("York"), 1.0))
    with stopwatch() as took:
        estimate = case.fit(replace(case.evidence, lines=lines))
        reasons = explain_sources(estimate)
    towns = score_places(estimate, reasons, case.region.towns["name"]).table
    stations = score_stations(estimate, reasons, case.station_names).table
    row, prior = towns.loc[case.town_id("Filey")], before.town_share.mean(axis=0)
    was = int((prior > prior[case.town_at("Filey")]).sum()) + 1
    evidence.add(
        "30 of 31 lines into Filey: its rank among towns",
        int(row["rank"]),
        f"of {len(towns)}",
        baseline={"name": "before", "figure": was},
        seconds=took[0],
        n=31,
        note=f"score {row['score']:.1f} [{row['score_low']:.1f}, {row['score_high']:.1f}] of 100 trips, "
        f"p_core {row['p_core']:.2f}; R-hat {estimate.r_hat:.2f}",
    )
    parts = ", ".join(f"{group} {row[f'reason_{group}']:.2f}" for group in reasons.groups)
    evidence.add(
        "30 of 31 lines into Filey: reason_lines", float(row["reason_lines"]), "of 100 trips", note=f"reasons: {parts}"
    )
    station, at = stations.loc["FIL"], case.station_at("FIL")
    share = before.station_share.mean(axis=0)
    evidence.add(
        "30 of 31 lines into Filey: its station's rank",
        int(station["rank"]),
        f"of {len(stations)}",
        baseline={"name": "before", "figure": int((share > share[at]).sum()) + 1},
        note=f"met of 100 trips {station['score']:.1f}, before {100 * share[at]:.2f}; "
        f"reason_lines {station['reason_lines']:.2f}; first: {', '.join(stations['name'].head(4))}",
    )


def _addresses_at(easting_m: float, northing_m: float) -> SensitivePoints:
    """74 made-up addresses within some 400 m of a point."""
    rng = np.random.default_rng(SEED)
    month = pd.PeriodIndex(["2025-06"] * N_ADDRESSES, freq="M")
    return SensitivePoints(
        pd.DataFrame(
            {
                "easting_m": easting_m + rng.uniform(-400.0, 400.0, N_ADDRESSES),
                "northing_m": northing_m + rng.uniform(-400.0, 400.0, N_ADDRESSES),
                "first_seen": month,
                "last_seen": month,
            },
            index=pd.Index([f"a{k:02d}" for k in range(N_ADDRESSES)], name="address_id"),
        )
    )


def _plant_addresses(evidence: Evidence, case: Case, before: Estimate) -> None:
    """74 addresses in Whitby and no other in the force."""
    whitby = case.region.towns.loc[case.town_id("Whitby")]
    points = _addresses_at(float(whitby["easting_m"]), float(whitby["northing_m"]))
    bands = band_addresses(points, case.region.towns)
    band = bands.loc[case.town_id("Whitby")]
    after = case.fit(replace(case.evidence, addresses=bands))
    for what, at, was, now in (
        *[("town " + name, case.town_at(name), before.town_share, after.town_share) for name in _near_whitby(case)],
        *[
            (f"station {case.station_names[crs]}", case.station_at(crs), before.station_share, after.station_share)
            for crs in WHITBY_LINE
            if crs in case.station_ids
        ],
    ):
        share = now.mean(axis=0)
        low, high = np.quantile(now[:, at], [0.05, 0.95]) * 100
        evidence.add(
            f"74 addresses in Whitby: {what}",
            float(100 * share[at]),
            "of 100 trips",
            baseline={"name": "before", "figure": round(float(100 * was.mean(axis=0)[at]), 2)},
            interval=(float(low), float(high)),
            n=N_ADDRESSES,
            note=f"rank {int((share > share[at]).sum()) + 1}; band told: {band['n_low']} to {band['n_high']}; "
            f"R-hat {after.r_hat:.2f}",
        )


def _near_whitby(case: Case) -> list[str]:
    """Whitby, the towns on its line, and the largest."""
    wanted = ("Whitby", "Sleights", "Ruswarp", "Scarborough", "York", "Harrogate")
    return [name for name in wanted if name in set(case.towns)]


def _take_away(evidence: Evidence, case: Case) -> None:
    """Every source emptied gives what no source gives; addresses that lie in no town are looked at apart."""
    none = case.fit(Known())
    empty = case.fit(
        Known(
            lines=lines_of(),
            unattributed_offences=pd.Series(0, index=list(case.ways.town_ids)),
            finds=pd.DataFrame({"n_hours": [], "n_finds": []}),
        )
    )
    at_sea = case.fit(Known(addresses=band_addresses(_addresses_at(10_000.0, 10_000.0), case.region.towns)))
    n = len(none.lines)
    evidence.add("evidence taken away: largest difference from the prior", _farthest(none, empty), "share", n=n)
    evidence.add(
        "addresses beyond the reach of every town: largest difference from the prior",
        float(np.abs(none.town_share.mean(axis=0) - at_sea.town_share.mean(axis=0)).max()),
        "mean share of a town",
        n=n,
        note=f"sources that spoke: {len(at_sea.posterior.sources)}",
    )


def _farthest(one: Estimate, other: Estimate) -> float:
    gaps = (np.abs(one.town_share - other.town_share).max(), np.abs(one.station_share - other.station_share).max())
    return float(max(gaps))


def _plant_nil_return(evidence: Evidence, case: Case) -> None:
    """40 hours at York without a find, the same normals with and without."""
    nil = pd.DataFrame({"n_hours": [NIL_HOURS], "n_finds": [0]}, index=["YRK"])
    was, now = (
        measure_shares(case.estimate.posterior, case.sources(known))
        for known in (case.evidence, replace(case.evidence, finds=nil))
    )
    at = case.station_at("YRK")
    served = was[1] > 0
    moved = np.divide(now[1] - was[1], was[1], out=np.zeros_like(was[1]), where=served)
    others = np.delete(moved, at)[np.delete(served, at)]
    farthest = int(np.argmax(np.abs(np.where(np.arange(len(moved)) == at, 0.0, moved))))
    name = case.station_names[case.station_ids[farthest]]
    evidence.add(
        "40 nil hours at York: York's station",
        float(100 * moved[at]),
        "% of its share",
        n=1,
        note=f"of 100 trips {100 * was[1][at]:.1f} to {100 * now[1][at]:.1f}",
    )
    evidence.add(
        "40 nil hours at York: other stations, median move",
        float(100 * np.median(others)),
        "% of their share",
        interval=(float(100 * others.min()), float(100 * others.max())),
        n=len(others),
        note=f"interval is from least to most; farthest {name} {100 * moved[farthest]:+.1f} %",
    )
    town = case.town_at("York")
    evidence.add(
        "40 nil hours at York: York as a town",
        float(100 * (now[0][town] / was[0][town] - 1)),
        "% of its share",
        note=f"of 100 trips {100 * was[0][town]:.1f} to {100 * now[0][town]:.1f}",
    )


def main(argv: list[str] | None = None) -> Evidence:
    reader = parser("The posterior over lines: what its evidence is worth, and what it moves.")
    reader.add_argument("--worlds", type=int, default=40, help="planted worlds with all sources")
    reader.add_argument("--only", choices=PARTS, action="append", default=None, help="parts to run; all where absent")
    options = reader.parse_args(argv)
    parts = set(options.only or PARTS)
    evidence = Evidence("evidence_model")
    data: Path = options.data
    if not (data / "countylines").is_dir():
        evidence.skip("evidence_model", f"no folder 'countylines' in {data.name!r}")
        return evidence
    if "months" in parts:
        compare_halves(evidence, data)
    if parts - {"london", "months"}:
        case = read_case(data)
        if "run" in parts:
            report_run(evidence, case)
        if "towns" in parts:
            score_towns(evidence, case)
        if "planted" in parts:
            plant_evidence(evidence, case)
        if "worlds" in parts:
            plant_worlds(evidence, case, options.worlds)
        if "wrong" in parts:
            spoil_sources(evidence, case, options.worlds)
    if "london" in parts:
        compare_on_london(evidence, data)
    evidence.add("peak memory of this benchmark", peak_mib(), "MiB")
    evidence.write(options.json)
    return evidence


if __name__ == "__main__":
    main()
