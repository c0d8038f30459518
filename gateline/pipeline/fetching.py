"""Fetch open data into a workspace: roads, railways and stations of OpenStreetMap, offences of data.police.uk."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from gateline.audit import append_event
from gateline.pipeline.read_areas import outline_options
from gateline.pipeline.setting_names import name_settings
from gateline.settings import Settings, read_settings
from gateline.workspace import hash_file, lock_workspace, resolve_inside
from geo.crs import to_wgs84_arrays
from geo.errors import UsageError
from geo.sources.boundaries import read_boundaries
from geo.sources.osm import read_osm
from geo.sources.osm_fetch import Bounds, FetchPolicy, fetch_osm
from geo.sources.police_fetch import ArchivePolicy, fetch_street_months

__all__ = ["FetchedFile", "fetch_inputs"]

METRES_PER_KM = 1000.0
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class FetchedFile:
    """
    One file that is in the workspace now.

    Attributes
    ----------
    role : str
        What it is for: the setting under ``[inputs]`` that names it.
    path : str
        Relative to the workspace, as `region.toml` names it.
    sha256 : str
        Hash of its bytes.
    source : str
        Where it is from, with the date of its data where that is stated.
    """

    role: str
    path: str
    sha256: str
    source: str


def fetch_inputs(
    root: Path,
    *,
    today: date,
    on_progress: Progress | None = None,
    osm_policy: FetchPolicy | None = None,
    police_policy: ArchivePolicy | None = None,
) -> tuple[list[FetchedFile], list[str]]:
    """
    Fetch every open input that the settings ask for; what is there already is not fetched again.

    Parameters
    ----------
    root : pathlib.Path
        The workspace.
    today : datetime.date
        The day by which the age of what is cached is judged.
    on_progress : callable, optional
        Told what is fetched, and how many parts are done and in all.
    osm_policy, police_policy : optional
        How to ask; the addresses in the settings are put in.

    Returns
    -------
    list of FetchedFile
        What is there now.
    list of str
        What could not be had, and why.

    Raises
    ------
    UsageError
        If the settings ask for nothing, a server refuses, or no area is known.
    ResourceError
        If an answer is too large.
    """
    settings = read_settings(root / "region.toml")
    asked = settings.fetch
    if not (asked.police_force or asked.osm):
        msg = "region.toml: [fetch] asks for nothing, expected police_force or osm = true. Set one of them."
        raise UsageError(msg)
    tell = on_progress or (lambda _what, _done, _all: None)
    with lock_workspace(root):
        files: list[FetchedFile] = []
        notes: list[str] = []
        if asked.police_force:
            policy = police_policy or ArchivePolicy(endpoint=asked.police_endpoint)
            files += _fetch_offences(root, settings, policy, tell, notes)
        if asked.osm:
            files += _fetch_osm(root, settings, osm_policy or FetchPolicy(endpoint=asked.osm_endpoint), today, tell)
        facts = [{"role": file.role, "name": file.path, "sha256": file.sha256} for file in files]
        append_event(root / "audit.jsonl", "collect", operator=settings.region.operator, inputs=facts)
    return files, notes


def _fetch_offences(
    root: Path, settings: Settings, policy: ArchivePolicy, tell: Progress, notes: list[str]
) -> list[FetchedFile]:
    first, last = settings.offences.first_month, settings.offences.last_month
    if first is None or last is None or first > last:
        msg = (
            f"region.toml: offences are asked for from {first} to {last}, expected a first and a last month. Set them."
        )
        raise UsageError(msg)
    months = [str(month) for month in pd.period_range(first, last, freq="M")]
    fetched = fetch_street_months(
        settings.fetch.police_force,
        months,
        root / "inputs" / "offences",
        policy=policy,
        on_month=lambda done, n: tell("offences", done, n),
    )
    if fetched.missing:
        notes.append(
            f"offences: {settings.fetch.police_force} has no file for {', '.join(fetched.missing)} in the archive"
        )
    source = "data.police.uk, Open Government Licence v3.0"
    return [
        FetchedFile("offences", path.relative_to(root).as_posix(), digest, source)
        for path, digest in zip(fetched.paths, fetched.sha256, strict=True)
    ]


def _fetch_osm(root: Path, settings: Settings, policy: FetchPolicy, today: date, tell: Progress) -> list[FetchedFile]:
    fetched = fetch_osm(
        _bounds(root, settings),
        root / "inputs" / "osm",
        policy=policy,
        today=today,
        on_tile=lambda done, n: tell("OpenStreetMap", done, n),
    )
    source = f"OpenStreetMap contributors, ODbL 1.0, data of {fetched.dated_on}"
    path = fetched.path.relative_to(root).as_posix()
    files = [FetchedFile(role, path, fetched.sha256, source) for role in ("rail_track", "roads")]
    stations = read_osm(fetched.path).table.stations
    if len(stations):
        listed = root / "inputs" / "osm" / "stations.csv"
        listed.write_bytes(_station_list(stations))
        files.append(FetchedFile("stations", listed.relative_to(root).as_posix(), hash_file(listed), source))
    return files


def _bounds(root: Path, settings: Settings) -> Bounds:
    """West, south, east and north of the area in the settings, else of the boundary, EPSG:27700."""
    if settings.fetch.bounds_m is not None:
        return settings.fetch.bounds_m
    named = settings.inputs.boundary
    if named is None:
        msg = "region.toml: no area to fetch is known, expected fetch.bounds_m or inputs.boundary. Set one of them."
        raise UsageError(msg)
    path = resolve_inside(root, named)
    with name_settings("boundary"):
        shape = read_boundaries(path, kind="force", **outline_options(settings.inputs, "boundary")).table
    margin_m = settings.fetch.margin_km * METRES_PER_KM
    west, south, east, north = shape.total_bounds
    return float(west - margin_m), float(south - margin_m), float(east + margin_m), float(north + margin_m)


def _station_list(stations: pd.DataFrame) -> bytes:
    """The stations with a CRS code as the list that `geo.sources.stations.read_stations` reads."""
    lon_deg, lat_deg = to_wgs84_arrays(stations["easting_m"].to_numpy(float), stations["northing_m"].to_numpy(float))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["stationName", "lat", "long", "crsCode"])
    for name, lat, lon, code in zip(stations["name"], lat_deg, lon_deg, stations.index, strict=True):
        writer.writerow([name, f"{lat:.6f}", f"{lon:.6f}", code])
    return text.getvalue().encode()
