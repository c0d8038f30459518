"""Timetables in CIF: the real samples, and files of national size made of one of them, cut to a region while read."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.evidence import Evidence, stopwatch
from geo.sources.cif import read_cif, read_rdg
from geo.sources.patterns import TimetableReading
from geo.sources.stations import read_stations

# About the size of the national file of all trains.
N_BYTES = 600_000_000
CIF_WEEK, RDG_WEEK = date(2019, 2, 4), date(2019, 6, 3)
# Of the trains of the national file, from one change of the timetable to the next.
_FROM_TO = b"181209190518"
_MIDDLE, _REACH_M = "YRK", 60_000.0
SAMPLE, SAMPLE_ZIP = "toc-update-tue.CIF.gz", "RJTTF293.ZIP"


def read_tiplocs(data: Path) -> pd.Series:
    """CRS codes by TIPLOC."""
    table = pd.read_csv(data / "rail" / "tiplocs.csv", skipinitialspace=True)
    return table.set_index(table["stop_id"].str.strip())["stop_code"].dropna()


def list_near(data: Path) -> set[str]:
    """Stations within 60 km of York."""
    stations = read_stations(data / "rail" / "stations_npm_1.11.1.csv", force_area=None).table
    middle = stations.loc[_MIDDLE]
    gap_m = np.hypot(stations["easting_m"] - middle["easting_m"], stations["northing_m"] - middle["northing_m"])
    return set(stations.index[gap_m <= _REACH_M])


def count_rows(reading: TimetableReading) -> tuple[int, int]:
    """Rows read, and rows whose fate is known."""
    n_read = sum(account.n_read for account in reading.accounts)
    return n_read, sum(a.n_accepted + sum(n for *_, n in a.n_by_reason) for a in reading.accounts)


def report_samples(evidence: Evidence, data: Path) -> None:
    """The real files, read whole."""
    folder = data / "timetable"
    codes = read_tiplocs(data)
    readers = {
        f"Network Rail CIF, an update ({SAMPLE})": lambda: read_cif(
            [folder / SAMPLE], week_start_on=CIF_WEEK, station_of_tiploc=codes
        ),
        f"Rail Delivery Group ({SAMPLE_ZIP})": lambda: read_rdg(folder / SAMPLE_ZIP, week_start_on=RDG_WEEK),
    }
    for name, read in readers.items():
        with stopwatch() as took:
            reading = read()
        n_read, n_told = count_rows(reading)
        evidence.add(
            f"{name}: read whole",
            took[0],
            "s",
            n=n_read,
            seconds=took[0],
            note=f"{n_told:,} of {n_read:,} rows of {len(reading.accounts)} members accounted for",
        )


def national_lines(data: Path) -> Iterator[bytes]:
    """The sample over and over, each time with other trains, all of which run from one timetable to the next."""
    raw = gzip.decompress((data / "timetable" / SAMPLE).read_bytes())
    cells = np.frombuffer(raw, dtype=np.uint8).reshape(-1, 81)
    kind = np.ascontiguousarray(cells[:, :2]).view("S2").ravel()
    head = cells[kind == b"HD"].copy()
    head[:, 46] = ord("F")
    yield head.tobytes()
    for tiploc, code in read_tiplocs(data).items():
        yield (f"TI{tiploc:<7}".ljust(53) + f"{code:<3}".ljust(27) + "\n").encode()
    first, last = int(np.flatnonzero(kind == b"BS")[0]), int(np.flatnonzero(kind == b"ZZ")[0])
    body = cells[first:last].copy()
    schedules = np.flatnonzero((kind[first:last] == b"BS") & (body[:, 2] != ord("D")))
    deleted = (kind[first:last] == b"BS") & (body[:, 2] == ord("D"))
    body[np.ix_(schedules, [2])] = ord("N")
    trains = schedules[np.isin(body[schedules, 79], [ord("P"), ord("N")])]
    body[trains, 9:21] = np.frombuffer(_FROM_TO, dtype=np.uint8)
    n_bytes = 0
    for k in range(1_000):
        body[schedules, 3:9] = _numbers(k * len(schedules), len(schedules))
        text = body[~deleted].tobytes()
        n_bytes += len(text)
        yield text
        if n_bytes >= N_BYTES:
            break
    yield cells[last : last + 1].tobytes()


def _numbers(first: int, n: int) -> NDArray[np.uint8]:
    """Numbers of trains: a letter and five digits."""
    words = [f"{chr(65 + k // 100_000 % 26)}{k % 100_000:05d}" for k in range(first, first + n)]
    return np.frombuffer("".join(words).encode(), dtype=np.uint8).reshape(n, 6)


def write_national_cif(path: Path, data: Path) -> None:
    with path.open("wb") as stream:
        stream.writelines(national_lines(data))


def write_national_zip(path: Path, data: Path) -> None:
    """The same schedules in a zip, with the stations and links of the real one."""
    with zipfile.ZipFile(data / "timetable" / SAMPLE_ZIP) as sample:
        members = {Path(name).suffix.upper(): sample.read(name) for name in sample.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as feed:
        for suffix in (".MSN", ".FLF", ".ALF", ".ZTR"):
            feed.writestr(f"RJTTF001{suffix}", members[suffix])
        with feed.open("RJTTF001.MCA", "w") as stream:
            for text in national_lines(data):
                stream.write(text)
