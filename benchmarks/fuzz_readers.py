"""The readers that are fuzzed, with the seed of each and how it is called."""

from __future__ import annotations

import bz2
import gzip
import io
import random
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import osmium
import pandas as pd
import shapely

from benchmarks.fuzz_mutations import mutate
from gateline.settings import Settings, read_settings, write_settings_template
from geo.sources.boundaries import read_areas, read_boundaries
from geo.sources.cif import read_cif, read_rdg
from geo.sources.coaches import read_coaches
from geo.sources.cuckooing import read_cuckooing
from geo.sources.deal_lines import read_deal_lines
from geo.sources.deployments import read_deployments
from geo.sources.exporters import read_exporters
from geo.sources.gtfs import read_gtfs
from geo.sources.harm import read_harm_weights
from geo.sources.offence_extract import read_offence_extract
from geo.sources.osm import read_osm
from geo.sources.partner_counts import read_partner_counts
from geo.sources.passenger_flows import read_passenger_flows, read_station_usage
from geo.sources.places import read_places
from geo.sources.police_uk import read_police_uk
from geo.sources.stations import read_stations
from geo.sources.track import read_track

__all__ = ["READERS", "Reader"]

_CORPUS = Path(__file__).parent / "fuzz_corpus"
_MONDAY = date(2026, 6, 1)
_STATIONS = {"YRK", "HGT", "LDS"}
_AREA = shapely.box(350_000, 380_000, 520_000, 540_000)
# A zip, or a compressed file, is spoilt inside more often than outside: else it mostly does not open.
_INSIDE_SHARE = 0.8


@dataclass(frozen=True)
class Reader:
    """
    One reader.

    Attributes
    ----------
    file_name : str
        Name of the file that it is given.
    make : callable
        Gives the bytes of a file: whole without a generator, spoilt with one.
    read : callable
        Reads a path.
    counts_lines : bool
        Whether every line below the header is a row.
    is_private : bool
        Whether no value of the file may be in a message.
    """

    file_name: str
    make: Callable[[random.Random | None], bytes]
    read: Callable[[Path], Any]
    counts_lines: bool = False
    is_private: bool = False


def _plain(name: str) -> Callable[[random.Random | None], bytes]:
    def make(rng: random.Random | None) -> bytes:
        data = (_CORPUS / name).read_bytes()
        return data if rng is None else mutate(data, rng)

    return make


def _packed(name: str, pack: Callable[[bytes], bytes]) -> Callable[[random.Random | None], bytes]:
    def make(rng: random.Random | None) -> bytes:
        data = (_CORPUS / name).read_bytes()
        if rng is None:
            return pack(data)
        return pack(mutate(data, rng)) if rng.random() < _INSIDE_SHARE else mutate(pack(data), rng)

    return make


def _zipped(folder: str) -> Callable[[random.Random | None], bytes]:
    def pack(members: dict[str, bytes]) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in members.items():
                archive.writestr(zipfile.ZipInfo(name), data)
        return buffer.getvalue()

    def make(rng: random.Random | None) -> bytes:
        members = {path.name: path.read_bytes() for path in sorted((_CORPUS / folder).iterdir())}
        if rng is None:
            return pack(members)
        if rng.random() >= _INSIDE_SHARE:
            return mutate(pack(members), rng)
        name = rng.choice(sorted(members))
        members[name] = mutate(members[name], rng)
        return pack(members)

    return make


def _binary(make_whole: Callable[[], bytes]) -> Callable[[random.Random | None], bytes]:
    def make(rng: random.Random | None) -> bytes:
        return make_whole() if rng is None else mutate(make_whole(), rng)

    return make


@cache
def _geopackage(name: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "layer.gpkg"
        gpd.read_file(_CORPUS / name).to_file(path, driver="GPKG", layer="fiction")
        return path.read_bytes()


@cache
def _pbf() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "small.osm.pbf"
        with osmium.SimpleWriter(str(path)) as writer:
            for element in osmium.FileProcessor(str(_CORPUS / "small.osm")):
                writer.add(element)
        return path.read_bytes()


def _settings(rng: random.Random | None) -> bytes:
    data = write_settings_template(Settings()).encode()
    return data if rng is None else mutate(data, rng)


@cache
def _places() -> pd.DataFrame:
    return read_places(_CORPUS / "places.csv", force_area=None, id_column="place_id").table


@cache
def _exporters() -> pd.DataFrame:
    return read_exporters(_CORPUS / "exporters.csv", station_ids=_STATIONS).table


def _boundary(path: Path) -> Any:
    return read_boundaries(path, kind="force", id_property="boundary_code", name_property="name")


READERS: dict[str, Reader] = {
    "police_uk": Reader(
        "2025-01-north-yorkshire-street.csv",
        _plain("2025-01-north-yorkshire-street.csv"),
        lambda path: read_police_uk([path], force_area=_AREA),
        counts_lines=True,
    ),
    "police_uk.gz": Reader(
        "2025-01-north-yorkshire-street.csv.gz",
        _packed("2025-01-north-yorkshire-street.csv", gzip.compress),
        lambda path: read_police_uk([path]),
    ),
    "offence_extract": Reader(
        "extract.csv",
        _plain("offence_extract.csv"),
        lambda path: read_offence_extract(
            path, columns={}, force="Fiction", timezone="Europe/London", force_area=_AREA
        ),
        counts_lines=True,
    ),
    "stations": Reader("stations.csv", _plain("stations.csv"), lambda p: read_stations(p, force_area=_AREA), True),
    "places": Reader("places.csv", _plain("places.csv"), lambda p: read_places(p, force_area=_AREA), True),
    "exporters": Reader(
        "exporters.csv", _plain("exporters.csv"), lambda p: read_exporters(p, station_ids=_STATIONS), True
    ),
    "deal_lines": Reader(
        "deal_lines.csv",
        _plain("deal_lines.csv"),
        lambda path: read_deal_lines(path, exporters=_exporters(), places=_places()),
        counts_lines=True,
    ),
    "cuckooing": Reader(
        "cuckooing.csv",
        _plain("cuckooing.csv"),
        lambda path: read_cuckooing(path, columns={}, force_area=_AREA),
        counts_lines=True,
        is_private=True,
    ),
    "deployments": Reader(
        "deployments.csv", _plain("deployments.csv"), lambda p: read_deployments(p, station_ids=_STATIONS), True
    ),
    "partner_counts": Reader(
        "partner_counts.csv", _plain("partner_counts.csv"), lambda p: read_partner_counts(p, places=_places()), True
    ),
    "passenger_flows": Reader("flows.csv", _plain("passenger_flows.csv"), read_passenger_flows, True),
    "station_usage": Reader("usage.csv", _plain("station_usage.csv"), read_station_usage, True),
    "harm": Reader(
        "harm.csv",
        _plain("harm.csv"),
        lambda path: read_harm_weights(path, key_column="key", weight_column="days"),
        counts_lines=True,
    ),
    "boundary": Reader("boundary.geojson", _plain("boundary.geojson"), _boundary),
    "boundary.gpkg": Reader("boundary.gpkg", _binary(lambda: _geopackage("boundary.geojson")), _boundary),
    "areas": Reader("areas.geojson", _plain("areas.geojson"), read_areas),
    "areas.gpkg": Reader("areas.gpkg", _binary(lambda: _geopackage("areas.geojson")), read_areas),
    "track": Reader("track.geojson", _plain("track.geojson"), read_track),
    "track.gpkg": Reader("track.gpkg", _binary(lambda: _geopackage("track.geojson")), read_track),
    "osm": Reader("small.osm", _plain("small.osm"), read_osm),
    "osm.gz": Reader("small.osm.gz", _packed("small.osm", gzip.compress), read_osm),
    "osm.bz2": Reader("small.osm.bz2", _packed("small.osm", bz2.compress), read_osm),
    "osm.pbf": Reader("small.osm.pbf", _binary(_pbf), read_osm),
    "overpass": Reader("small.json", _plain("small.json"), read_osm),
    "gtfs": Reader("feed.zip", _zipped("gtfs"), lambda path: read_gtfs(path, week_start_on=_MONDAY)),
    "coaches": Reader("feed.zip", _zipped("gtfs"), lambda path: read_coaches([path], week_start_on=_MONDAY)),
    "cif": Reader("train.cif", _plain("train.cif"), lambda path: read_cif([path], week_start_on=_MONDAY)),
    "rdg": Reader("feed.zip", _zipped("rdg"), lambda path: read_rdg(path, week_start_on=_MONDAY)),
    "settings": Reader("region.toml", _settings, read_settings),
}
