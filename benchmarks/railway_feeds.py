"""Timetables as published: the real files whole, and ones of national size cut to a region in bounded memory."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from datetime import date
from pathlib import Path

import numpy as np

from benchmarks.evidence import Evidence, stopwatch
from benchmarks.railway_cif import (
    CIF_WEEK,
    count_rows,
    list_near,
    report_samples,
    write_national_cif,
    write_national_zip,
)
from geo.sources.cif import read_cif, read_rdg
from geo.sources.gtfs import read_gtfs
from geo.sources.patterns import TimetableReading

# Of an invented feed as large as the national one: 8 million calls, about 80 MB zipped.
N_STATIONS, N_TRIPS, N_CALLS, SEED = 2_600, 500_000, 16, 13
N_NEAR = 60
LIMIT_MIB, LIMIT_S = 1024.0, 10.0
WEEK = date(2026, 6, 1)
REAL = (
    ("Glasgow", "glasgow_connected_rail_gtfs_2022-11.zip", date(2022, 11, 14)),
    ("Newport to Cardiff", "newport_cardiff_rail_gtfs_2024-03-05.zip", date(2024, 3, 4)),
    ("Newport buses", "newport-20230613_gtfs.zip", date(2023, 6, 12)),
)


def report_feeds(evidence: Evidence, data: Path) -> None:
    for name, file, week in REAL:
        with stopwatch() as took:
            reading = read_gtfs(data / "timetable" / file, week_start_on=week)
        n_read, n_told = count_rows(reading)
        evidence.add(
            f"{name}: feed read whole",
            took[0],
            "s",
            baseline={"name": "limit", "figure": LIMIT_S},
            n=reading.accounts[1].n_read,
            seconds=took[0],
            note=f"{reading.departures['n_departures'].sum():,.0f} departures of the week, "
            f"{n_told:,} of {n_read:,} rows of {len(reading.accounts)} members accounted for",
        )
    report_samples(evidence, data)
    feeds = (
        ("an invented national GTFS feed", "national.zip", write_national),
        ("CIF of national size, made of a sample", "national.cif", lambda path: write_national_cif(path, data)),
        ("an RDG zip of national size, made of a sample", "rdg.zip", lambda path: write_national_zip(path, data)),
    )
    for name, file, write in feeds:
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / file
            write(path)
            report_national(evidence, data, path, name)


def report_national(evidence: Evidence, data: Path, path: Path, name: str) -> None:
    """One file read by a process of its own, whose peak is measured."""
    command = [sys.executable, "-m", "benchmarks.railway_feeds", str(path), str(data)]
    told = subprocess.run(command, capture_output=True, check=True, text=True).stdout.split()
    mib, seconds, n_patterns, n_read, n_told = (float(text) for text in told)
    evidence.add(
        f"{name}, cut to a region: peak memory of the process",
        mib,
        "MiB",
        baseline={"name": "limit", "figure": LIMIT_MIB},
        n=int(n_read),
        seconds=seconds,
        note=f"{seconds:.1f} s, {path.stat().st_size / 1e6:.0f} MB on disk, {n_patterns:,.0f} patterns kept, "
        f"{n_told:,.0f} of {n_read:,.0f} rows accounted for",
    )


def write_national(path: Path) -> None:
    """Trips of 16 calls along stations in a ring, on services of a few weeks each; platforms with parents."""
    rng = np.random.default_rng(SEED)
    code = [f"{chr(65 + k // 676 % 26)}{chr(65 + k // 26 % 26)}{chr(65 + k % 26)}" for k in range(N_STATIONS)]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as feed:
        feed.writestr("routes.txt", "route_id,route_type\nR,2\n")
        lines = ["stop_id,stop_code,stop_name,parent_station"]
        for k, crs in enumerate(code):
            lines.append(f"910G{k:05d},{crs},Station {k},")
            lines += [f"9100{k:05d}{p},,Platform {p},910G{k:05d}" for p in range(1, 4)]
        feed.writestr("stops.txt", "\n".join(lines) + "\n")
        days = "monday,tuesday,wednesday,thursday,friday,saturday,sunday"
        lines = [f"service_id,{days},start_date,end_date"]
        for s in range(400):
            month = 1 + s % 12
            lines.append(f"S{s},1,1,1,1,1,{s % 2},0,2026{month:02d}01,2026{min(month + 3, 12):02d}28")
        feed.writestr("calendar.txt", "\n".join(lines) + "\n")
        service = rng.integers(0, 400, N_TRIPS)
        rows = (f"T{t},S{s},R" for t, s in enumerate(service.tolist()))
        feed.writestr("trips.txt", "trip_id,service_id,route_id\n" + "\n".join(rows) + "\n")
        with feed.open("stop_times.txt", "w") as stream:
            stream.write(b"trip_id,arrival_time,departure_time,stop_id,stop_sequence,pickup_type,drop_off_type\n")
            start, minute = rng.integers(0, N_STATIONS, N_TRIPS), rng.integers(300, 1380, N_TRIPS)
            gaps = rng.integers(2, 12, (N_TRIPS, N_CALLS)).cumsum(axis=1)
            platform = rng.integers(1, 4, (N_TRIPS, N_CALLS))
            for first in range(0, N_TRIPS, 10_000):
                text = []
                for t in range(first, min(first + 10_000, N_TRIPS)):
                    for c in range(N_CALLS):
                        at = int(minute[t] + gaps[t, c])
                        clock = f"{at // 60:02d}:{at % 60:02d}:00"
                        stop = f"9100{(int(start[t]) + c) % N_STATIONS:05d}{platform[t, c]}"
                        text.append(f"T{t},{clock},{clock},{stop},{c},0,0")
                stream.write(("\n".join(text) + "\n").encode())


def read_national(path: Path, data: Path) -> TimetableReading:
    if path.suffix == ".cif":
        return read_cif([path], week_start_on=CIF_WEEK, near=list_near(data))
    if path.stem == "rdg":
        return read_rdg(path, week_start_on=CIF_WEEK, near=list_near(data))
    code = {f"A{chr(65 + k // 26 % 26)}{chr(65 + k % 26)}" for k in range(N_NEAR)}
    return read_gtfs(path, week_start_on=WEEK, route_types=frozenset({2}), near=code)


def main() -> None:
    """Read one file for a region, and print MiB, seconds, patterns, rows read and rows told of."""
    with stopwatch() as took:
        reading = read_national(Path(sys.argv[1]), Path(sys.argv[2]))
    # The usage that the system reports holds the peak of the process that started this one; its own stands here.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    kib = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    n_read, n_told = count_rows(reading)
    print(f"{int(kib) / 1024.0:.1f} {took[0]:.2f} {reading.calls['pattern_id'].nunique()} {n_read} {n_told}")


if __name__ == "__main__":
    main()
