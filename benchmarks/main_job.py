"""
The main job on North Yorkshire, January to September 2025: `python -m benchmarks.main_job`.

Real offences, stations, track, passengers, towns and boundaries; the force's published origins of autumn 2019 as its
known exporting areas. The published figures by town are held out: they are compared with the ranking, never used by it.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import random
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.stats import spearmanr

from benchmarks.evidence import Evidence, parser, peak_mib, stopwatch
from gateline.pipeline.run import Finished, run_pipeline
from gateline.settings import Settings, write_settings_template

MONTHS = tuple(f"2025-{month:02d}" for month in range(1, 10))
# The four origins that the force named in autumn 2019; hub is the main station of each.
HUBS = {
    "West Yorkshire": ("West Yorkshire", "LDS"),
    "Greater Manchester": ("Greater Manchester", "MAN"),
    "Merseyside (Liverpool)": ("Merseyside", "LIV"),
    "Cleveland": ("Cleveland", "MBR"),
}
RAIL_KM = {
    ("LDS", "HGT"): 29.3,
    ("LDS", "YRK"): 41.2,
    ("YRK", "SCA"): 67.5,
    ("MBR", "WTB"): 55.6,
    ("LDS", "SKI"): 42.1,
}
PUBLISHED = {"Harrogate": 7, "York": 4, "Scarborough": 1, "Whitby": 1, "Skipton": 1}
MUST_BE_EARLY = ("Harrogate", "York", "Scarborough", "Skipton")
# Line numbers of rejected rows, and time and memory, are not the result.
NOT_COMPARED = {"quarantine.csv", "timings.json"}


def make_workspace(root: Path, data: Path, *, shuffled: bool = False) -> None:
    """A workspace over the real files; with `shuffled`, over copies of the tables with their rows in another order."""
    (root / "inputs").mkdir(parents=True)
    write_exporters(root / "inputs" / "exporters.csv", data)
    files = {
        "offences": [
            str(path) for path in sorted((data / "crime" / "north-yorkshire").rglob("*.csv")) if path.name[:7] in MONTHS
        ],
        "stations": str(data / "rail" / "stations_npm_1.11.1.csv"),
        "passenger_flows": str(data / "rail" / "odm_gb_2024_25.csv.gz"),
        "places": str(data / "boundaries" / "towns_north_yorkshire_geonames_x_ons_bua2021.csv"),
        "areas": str(data / "boundaries" / "lsoa21_north_yorkshire_imd2025_pop2021.geojson"),
        "rail_track": str(data / "rail" / "rail_heavy.geojson"),
        "exporters": "inputs/exporters.csv",
    }
    if shuffled:
        files["offences"] = [shuffle(Path(path), root / "inputs") for path in files["offences"]]
        for role in ("stations", "places", "passenger_flows"):
            files[role] = shuffle(Path(str(files[role])), root / "inputs")
    settings = Settings.model_validate(
        {"region": {"name": "North Yorkshire", "operator": "benchmark"}, "inputs": files}
    )
    (root / "region.toml").write_text(write_settings_template(settings), encoding="utf-8")


def shuffle(path: Path, folder: Path) -> str:
    """A copy with its rows in another order, named as the original."""
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    header, *rows = data.splitlines(keepends=True)
    rows[-1] = rows[-1].rstrip(b"\r\n") + b"\n"
    random.Random(7).shuffle(rows)  # noqa: S311 - an order, not a secret
    body = header + b"".join(rows)
    (folder / path.name).write_bytes(gzip.compress(body, mtime=0) if path.suffix == ".gz" else body)
    return f"inputs/{path.name}"


def write_exporters(path: Path, data: Path) -> None:
    """The four published origins with their lines, the latest population of their force and their main station."""
    truth = pd.read_csv(data / "countylines" / "north_yorkshire_2019_ground_truth.csv")
    lines = truth[truth["kind"] == "origin"].set_index("area")["value"].astype(int)
    people = pd.read_csv(data / "countylines" / "population_policeforces.csv", index_col="year").iloc[-1]
    stations = pd.read_csv(data / "rail" / "stations_npm_1.11.1.csv").set_index("crsCode")
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["name", "x", "y", "population", "hub_station", "n_lines"])
        for area, (force, hub) in HUBS.items():
            station = stations.loc[hub]
            writer.writerow([force, station["long"], station["lat"], int(people[force]), hub, lines[area]])


def digest_run(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.name not in NOT_COMPARED
    }


def rail_km(finished: Finished, origin: str, destinations: list[str]) -> list[float]:
    links = finished.results.network.links
    ids = sorted(set(links["from_station_id"]) | set(links["to_station_id"]))
    row = pd.Series(range(len(ids)), index=ids)
    ends = row[links["from_station_id"]].to_numpy(), row[links["to_station_id"]].to_numpy()
    graph = csr_array((links["length_m"].to_numpy(), ends), shape=(len(ids), len(ids)))
    reached = dijkstra(graph, directed=False, indices=row[origin])
    return [float(reached[row[station]]) / 1000 if station in row else np.inf for station in destinations]


def rank_correlation(evidence: Evidence, finished: Finished) -> None:
    scores = finished.results.place_scores.table
    places = finished.inputs.places.loc[scores.index]
    truth = scores["name"].map(PUBLISHED).fillna(0.0)
    flows = finished.results.courier_flows
    external = flows[~flows["is_internal"]]
    by_train = external.groupby("destination_id")["rail_time_min"].min().reindex(scores.index)
    candidates = {
        "score": scores["score"],
        "population": places["population"],
        "nearest by train": -by_train.fillna(by_train.max() + 1),
    }
    rho = {name: float(spearmanr(values, truth).statistic) for name, values in candidates.items()}
    named = truth > 0
    among = {name: float(spearmanr(values[named], truth[named]).statistic) for name, values in candidates.items()}
    for what, values, n in (("all towns", rho, len(truth)), ("the five towns named", among, int(named.sum()))):
        for baseline in ("population", "nearest by train"):
            evidence.add(
                f"rank correlation with the published lines, {what}",
                values["score"],
                "Spearman rho",
                baseline={"name": baseline, "figure": round(values[baseline], 3)},
                n=n,
            )


def report_run(evidence: Evidence, finished: Finished) -> None:
    accounts = finished.inputs.accounts
    n_read = sum(account.n_read for account in accounts)
    counted = sum(account.n_accepted + sum(n for _, _, n in account.n_by_reason) for account in accounts)
    evidence.add("rows accounted for", counted / n_read, "share of rows read", n=n_read)
    crime = [account for account in accounts if "street" in account.source_file]
    for status in ("accepted", "quarantined", "duplicate", "out_of_scope"):
        n = sum(
            account.n_accepted if status == "accepted" else sum(k for s, _, k in account.n_by_reason if s == status)
            for account in crime
        )
        evidence.add(f"offence rows {status}", n, "rows", n=sum(account.n_read for account in crime))
    for (origin, destination), km in RAIL_KM.items():
        found = rail_km(finished, origin, [destination])[0]
        evidence.add(f"rail distance {origin}-{destination}", found, "km", baseline={"name": "reference", "figure": km})
    evidence.add(
        "rail distance LIV-EDG", rail_km(finished, "LIV", ["EDG"])[0], "km", note="break in the track repaired"
    )
    table = finished.results.place_scores.table
    order = table["name"].tolist()
    evidence.add(
        ", ".join(MUST_BE_EARLY) + " among the first six towns",
        sum(name in order[:6] for name in MUST_BE_EARLY),
        "of 4",
        n=len(order),
        note=", ".join(order[:6]),
    )
    rank_correlation(evidence, finished)


def run_as_process(root: Path) -> tuple[float, float]:
    """Seconds and peak MiB of `gateline run` as a process of its own."""
    with stopwatch() as seconds:
        subprocess.run([sys.executable, "-m", "gateline", "run", str(root), "--quiet"], check=True)
    return seconds[0], resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def main() -> None:
    options = parser(__doc__ or "").parse_args()
    evidence = Evidence("main_job")
    if not options.data.is_dir():
        evidence.skip("the whole job", f"no folder {options.data}")
        evidence.write(options.json)
        return
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "north-yorkshire"
        make_workspace(root, options.data)
        seconds, mib = run_as_process(root)
        evidence.add(
            "gateline run, North Yorkshire",
            seconds,
            "s",
            baseline={"name": "limit", "figure": 60},
            seconds=seconds,
            peak_mib=mib,
        )
        evidence.add("peak memory of that run", mib, "MiB", baseline={"name": "limit", "figure": 2048})
        run_id = (root / "runs" / "current").read_text().strip()
        first = digest_run(root / "runs" / run_id)
        finished = run_pipeline(root, tell=lambda _: None)
        second = digest_run(finished.folder)
        evidence.add(
            "files with the same bytes on a second run",
            sum(second.get(k) == v for k, v in first.items()),
            f"of {len(first)}",
            n=len(first),
        )
        shuffled_root = Path(scratch) / "shuffled"
        make_workspace(shuffled_root, options.data, shuffled=True)
        # The paths of the inputs are settings, and settings are part of the run: name the same ones.
        compare_shuffled(evidence, first, shuffled_root)
        report_run(evidence, finished)
        evidence.add("peak memory of this benchmark", peak_mib(), "MiB")
    evidence.write(options.json)


def compare_shuffled(evidence: Evidence, first: dict[str, str], root: Path) -> None:
    """The run over shuffled rows, compared with a run over unshuffled copies under the same names."""
    plain = root.parent / "plain"
    settings = json.loads(json.dumps((root / "region.toml").read_text()))
    plain.mkdir()
    (plain / "region.toml").write_text(settings)
    (plain / "inputs").mkdir()
    for path in sorted((root / "inputs").iterdir()):
        body = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        header, *rows = body.splitlines(keepends=True)
        ordered = header + b"".join(sorted(rows))
        (plain / "inputs" / path.name).write_bytes(gzip.compress(ordered, mtime=0) if path.suffix == ".gz" else ordered)
    digests = [digest_run(run_pipeline(folder, tell=lambda _: None).folder) for folder in (plain, root)]
    same = sum(digests[0].get(name) == digest for name, digest in digests[1].items())
    evidence.add("files with the same bytes with input rows shuffled", same, f"of {len(first)}", n=len(first))


if __name__ == "__main__":
    main()
