"""Read every input that the settings name into contracted tables, with each row of each file accounted for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from gateline.pipeline.erased import leave_out_erased
from gateline.pipeline.feed_stations import add_feed_stations
from gateline.pipeline.read_areas import build_force_area, read_force_areas, read_force_boundaries
from gateline.pipeline.read_coaches import read_coach_feeds
from gateline.pipeline.read_networks import read_networks
from gateline.pipeline.read_offences import read_all_offences
from gateline.pipeline.read_places import read_named_places
from gateline.pipeline.read_victims import read_victims
from gateline.pipeline.setting_names import columns_as_options, name_settings
from gateline.pipeline.window import find_bounds, find_window
from gateline.settings import OffenceSettings, Settings
from gateline.workspace import resolve_inside
from geo.errors import QuarantineError, UsageError
from geo.network.road import Roads
from geo.schema import empty
from geo.sensitive import SensitivePoints
from geo.sources.accounting import Reading, RowAccount, merge_accounts, merge_quarantine
from geo.sources.coaches import CoachReading
from geo.sources.deal_lines import read_deal_lines
from geo.sources.deployments import read_deployments
from geo.sources.exporters import read_exporters
from geo.sources.files import require_regular
from geo.sources.partner_counts import read_partner_counts
from geo.sources.passenger_flows import read_passenger_flows, read_station_usage
from geo.sources.patterns import TimetableReading
from geo.sources.places import tell_apart
from geo.sources.police_uk import find_street_files
from geo.sources.stations import read_stations
from geo.tables import (
    DEAL_LINES,
    DEPLOYMENTS,
    PARTNER_COUNTS,
    PASSENGER_FLOWS,
    STATION_USAGE,
)

__all__ = ["Inputs", "input_files", "read_inputs", "require_little_quarantine"]

_REQUIRED = ("offences", "stations", "places", "exporters", "rail_track")
# How a file is written, not where it is.
_NOT_FILES = ("_format", "_crs", "_timezone", "_layer", "_basis")
_DATED = ("columns", "date_format", "timezone")


@dataclass(frozen=True)
class Inputs:
    """
    The tables of one run, by contract.

    Attributes
    ----------
    offences, deal_lines, deployments, partner_counts : pandas.DataFrame
        By the contract of the same name; empty where no file is named.
    stations, passenger_flows, station_usage, places, exporters : pandas.DataFrame
        By the contract of the same name; empty where no file is named.
    context : pandas.DataFrame
        Table `OFFENCES` of every crime type, `offences` among them, for detectors that learn from related offences.
    coverage : pandas.DataFrame
        Months that each force has rows for and lacks, as `geo.sources.coverage.measure_coverage` gives them.
    cuckooing : SensitivePoints or None
        Victims' addresses.
    areas, boundaries, rail_track : geopandas.GeoDataFrame
        By the contract of the same name.
    roads : Roads or None
        Graphs for walking and driving.
    timetable : TimetableReading or None
        Trains of one week.
    feed_notes : tuple of str
        Which of `stations` come from the timetable, and which could not.
    coaches : CoachReading or None
        Coaches and buses of one week.
    quarantine : pandas.DataFrame
        Every row that was not accepted.
    accounts : tuple of RowAccount
        Where the rows of each file went.
    """

    offences: pd.DataFrame
    context: pd.DataFrame
    coverage: pd.DataFrame
    deal_lines: pd.DataFrame
    deployments: pd.DataFrame
    partner_counts: pd.DataFrame
    stations: pd.DataFrame
    passenger_flows: pd.DataFrame
    station_usage: pd.DataFrame
    places: pd.DataFrame
    exporters: pd.DataFrame
    cuckooing: SensitivePoints | None
    areas: gpd.GeoDataFrame
    boundaries: gpd.GeoDataFrame
    rail_track: gpd.GeoDataFrame
    roads: Roads | None
    timetable: TimetableReading | None
    feed_notes: tuple[str, ...]
    coaches: CoachReading | None
    quarantine: pd.DataFrame
    accounts: tuple[RowAccount, ...]


def input_files(root: Path, settings: Settings) -> list[tuple[str, Path]]:
    """
    List the files that the settings name, with the role of each.

    Parameters
    ----------
    root : pathlib.Path
        The workspace.
    settings : Settings
        Its settings.

    Returns
    -------
    list of (str, pathlib.Path)
        Role and absolute path, ordered; a folder of offences is replaced by its files.

    Raises
    ------
    UsageError
        If an input that every run needs is not named, or a path cannot be used.
    InputError
        If a path is a folder, a pipe or a device.
    """
    named = settings.inputs
    missing = [name for name in _REQUIRED if not getattr(named, name)]
    if missing:
        msg = f"region.toml: inputs {', '.join(missing)} not named, expected a file for each. Name them under [inputs]."
        raise UsageError(msg)
    files: list[tuple[str, Path]] = []
    for name, value in named:
        if name == "offences":
            paths = [resolve_inside(root, text) for text in value]
            found = find_street_files(paths) if named.offences_format == "police_uk" else paths
            files += [("offences", path) for path in found]
        elif name == "coaches":
            files += [("coaches", resolve_inside(root, text)) for text in value]
        elif isinstance(value, str) and not name.endswith(_NOT_FILES):
            files.append((name, resolve_inside(root, value)))
    for _, path in files:
        require_regular(path)  # before any is opened: to open a pipe is to wait for ever
    return sorted(files)


def read_inputs(root: Path, settings: Settings) -> Inputs:
    """
    Read and account for every input.

    Parameters
    ----------
    root : pathlib.Path
        The workspace.
    settings : Settings
        Its settings.

    Returns
    -------
    Inputs
        All tables.

    Raises
    ------
    UsageError
        If an input is not named or cannot be found.
    InputError
        If a file cannot be used.
    """
    paths: dict[str, list[Path]] = {}
    for role, path in input_files(root, settings):
        paths.setdefault(role, []).append(path)
    one = {role: found[0] for role, found in paths.items()}
    named = settings.inputs
    areas = read_force_areas(one.get("areas"), named)
    boundaries = read_force_boundaries(one, named)
    force_area = build_force_area(boundaries.table, areas.table)
    with name_settings("stations"):
        stations = read_stations(one["stations"], force_area=force_area, **named.options("stations", "columns", "crs"))
    places = read_named_places(one, named, force_area)
    offences = read_all_offences(root, paths["offences"], one.get("harm"), settings, force_area)
    with name_settings("exporters"):
        exporters = read_exporters(
            one["exporters"], station_ids=set(stations.table.index), **named.options("exporters", "columns", "crs")
        )
    bounds = find_bounds(stations.table, exporters.table, buffer_km=settings.rail.buffer_km)
    networks = read_networks(
        one,
        named,
        dated_on=_last_day(offences.table, settings.offences),
        stations=stations.table,
        near=_stations_near(stations.table, exporters.table, settings),
        bounds=bounds,
    )
    known = add_feed_stations(stations.table, networks.timetable, bounds=bounds, force_area=force_area)
    ids = set(known.reading.table.index)
    coaches = read_coach_feeds(paths.get("coaches", []), settings, force_area, exporters.table)
    readers: dict[str, Callable[[Path], Reading[Any]]] = {
        "cuckooing": lambda path: leave_out_erased(read_victims(path, named, force_area=force_area), root),
        "deal_lines": lambda path: read_deal_lines(
            path, exporters=exporters.table, places=places.table, **named.options("deal_lines", *_DATED)
        ),
        "deployments": lambda path: read_deployments(path, station_ids=ids, **named.options("deployments", *_DATED)),
        "partner_counts": lambda path: read_partner_counts(
            path, places=places.table, columns=named.partner_counts_columns
        ),
        "passenger_flows": lambda path: read_passenger_flows(
            path, station_ids=ids, **columns_as_options(named.passenger_flows_columns)
        ),
        "station_usage": lambda path: read_station_usage(
            path,
            year=named.station_usage_year,
            station_ids=ids,
            **columns_as_options(named.station_usage_columns),
        ),
    }
    optional = {role: _read_named(role, read, one.get(role)) for role, read in readers.items()}
    readings: list[Reading[Any]] = [areas, boundaries, stations, places, offences, exporters, *networks.readings]
    readings += [known.reading, *(reading for reading in optional.values() if reading is not None)]
    if coaches is not None:
        readings.append(Reading(coaches.calls, coaches.quarantine, coaches.accounts))
    return Inputs(
        offences=offences.table,
        context=offences.context,
        coverage=offences.coverage,
        deal_lines=_table(optional["deal_lines"], DEAL_LINES),
        deployments=_table(optional["deployments"], DEPLOYMENTS),
        partner_counts=_table(optional["partner_counts"], PARTNER_COUNTS),
        stations=known.reading.table,
        passenger_flows=_table(optional["passenger_flows"], PASSENGER_FLOWS),
        station_usage=_table(optional["station_usage"], STATION_USAGE),
        places=tell_apart(places.table),
        exporters=exporters.table,
        cuckooing=None if optional["cuckooing"] is None else optional["cuckooing"].table,
        areas=areas.table,
        boundaries=boundaries.table,
        rail_track=networks.track,
        roads=networks.roads,
        timetable=networks.timetable,
        feed_notes=known.notes,
        coaches=coaches,
        quarantine=merge_quarantine([reading.quarantine for reading in readings]),
        accounts=merge_accounts(readings),
    )


def _table(reading: Reading[Any] | None, contract: Any) -> pd.DataFrame:  # noqa: ANN401 - a Contract
    return empty(contract) if reading is None else reading.table


def _read_named(role: str, read: Callable[[Path], Reading[Any]], path: Path | None) -> Reading[Any] | None:
    if path is None:
        return None
    with name_settings(role):
        return read(path)


def _stations_near(stations: pd.DataFrame, exporters: pd.DataFrame, settings: Settings) -> set[str] | None:
    """Stations that trains of the run call at; None where the force has none, which the railway then says."""
    if not stations["is_in_force"].any():
        return None
    return set(find_window(stations, exporters, buffer_km=settings.rail.buffer_km).index)


def _last_day(offences: pd.DataFrame, settings: OffenceSettings) -> date:
    """The end of the months asked for, or of those there are."""
    if settings.last_month is not None:
        return pd.Period(settings.last_month, freq="M").end_time.date()
    return date.max if offences.empty else offences["month"].max().end_time.date()


def require_little_quarantine(inputs: Inputs, settings: OffenceSettings) -> None:
    """
    Pass if few rows were quarantined, raise otherwise.

    Parameters
    ----------
    inputs : Inputs
        What was read.
    settings : OffenceSettings
        With the largest share.

    Raises
    ------
    QuarantineError
        If a file lost more of its rows than the settings allow.
    """
    spoilt = []
    for account in inputs.accounts:
        n_quarantined = sum(n for status, _, n in account.n_by_reason if status == "quarantined")
        if account.n_read and n_quarantined / account.n_read > settings.max_quarantine_share:
            why = ", ".join(f"{n} {reason}" for status, reason, n in account.n_by_reason if status == "quarantined")
            spoilt.append(f"{account.source_file}: {n_quarantined} of {account.n_read} rows ({why})")
    if spoilt:
        # All of them: lines go into quarantine where towns are missing, and the towns' file is the one to mend.
        msg = (
            f"{', '.join(spoilt)} are quarantined, expected at most {settings.max_quarantine_share:.0%}. "
            "Mend the rows that 'gateline check' names."
        )
        raise QuarantineError(msg)
