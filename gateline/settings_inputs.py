"""
The input files of a workspace, and how each is written.

Every input has the same settings where they can apply: `<input>_columns` where its columns are found by name,
`<input>_crs` where it has coordinates, `<input>_date_format` and `<input>_timezone` where it has dates, `<input>_layer`
where it may be a GeoPackage. `gateline.pipeline.setting_names` names them in the messages of the readers.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, StringConstraints

from gateline.settings_coaches import Section

__all__ = ["InputSettings", "require_date_format"]

PathText = str
_PROBE = datetime(2025, 10, 13)  # noqa: DTZ001 - a day that no other day or month is written as


def require_date_format(text: str) -> str:
    """
    Pass a date format that can be read back, with year and month.

    Parameters
    ----------
    text : str
        As strftime writes it.

    Returns
    -------
    str
        The same.

    Raises
    ------
    ValueError
        If it is none.

    Examples
    --------
    >>> require_date_format("%d/%m/%Y")
    '%d/%m/%Y'
    """
    if "%Z" in text or ("%I" in text and "%p" not in text):
        msg = (
            "a date format with %Z, which shifts no time, or with %I and no %p; such as %d/%m/%Y %H:%M and a time zone"
        )
        raise ValueError(msg)
    try:
        found = datetime.strptime(_PROBE.strftime(text), text)  # noqa: DTZ007 - only year and month are compared
    except (ValueError, re.error) as error:
        msg = "no date format; such as %d/%m/%Y"
        raise ValueError(msg) from error
    if (found.year, found.month) != (_PROBE.year, _PROBE.month):
        msg = "a date format without year or month; such as %d/%m/%Y"
        raise ValueError(msg)
    return text


def _require_timezone(text: str) -> str:
    """A zone of this name is known."""
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        msg = "no such zone; such as Europe/London"
        raise ValueError(msg) from error
    return text


def _require_crs(text: str) -> str:
    """A reference system of this name is known."""
    from pyproj import CRS  # takes long, and most commands need none of it
    from pyproj.exceptions import CRSError

    try:
        CRS(text)
    except CRSError as error:
        msg = "no reference system; such as EPSG:27700"
        raise ValueError(msg) from error
    return text


DateFormat = Annotated[str, AfterValidator(require_date_format)]
Timezone = Annotated[str, AfterValidator(_require_timezone)]
FileCrs = Annotated[str, StringConstraints(pattern=r"^EPSG:[0-9]{4,6}$"), AfterValidator(_require_crs)]
_MAP = "our field = your column, where the names differ"
_CRS = "CRS of its coordinates: EPSG:4326 (degrees) or EPSG:27700 (metres)"
_FILE_CRS = "CRS that it must be in, such as EPSG:27700; what the file says where absent"
_DATES = "Format of its dates as strftime writes it, as %d/%m/%Y after a spreadsheet; ISO where absent"
_ZONE = "Zone of its times of day, such as Europe/London"
_LAYER = "Layer of a GeoPackage that holds several"


class InputSettings(Section):
    """Input files, relative to the workspace; a folder means every matching file below it."""

    offences: tuple[PathText, ...] = Field((), description="Offence files or folders")
    offences_format: Literal["police_uk", "extract"] = Field(
        "police_uk", description="police_uk: street CSV of data.police.uk; extract: the force's own CSV, mapped below"
    )
    offences_columns: dict[str, str] = Field({}, description="extract only: our field = your column")
    offences_crs: str = Field("EPSG:27700", description="extract only: CRS of the coordinates")
    offences_date_format: DateFormat | None = Field(
        None, description="extract only: date format as strftime writes it; ISO where absent"
    )
    offences_timezone: Timezone | None = Field(
        None, description="extract only: zone of the times, such as Europe/London"
    )
    offences_provenance: dict[str, str] = Field(
        {},
        description="extract only: your value = public_report, partner_referral, police_proactive or custody_location",
    )
    cuckooing: PathText | None = Field(None, description="Cuckooed addresses; never shown, used as banded areas only")
    cuckooing_columns: dict[str, str] = Field({}, description=_MAP)
    cuckooing_crs: str = Field("EPSG:27700", description=_CRS)
    cuckooing_date_format: DateFormat | None = Field(None, description=_DATES)
    cuckooing_timezone: Timezone | None = Field(None, description=_ZONE)
    deal_lines: PathText | None = Field(None, description="Known deal lines: origin, destination, first and last seen")
    deal_lines_columns: dict[str, str] = Field({}, description=_MAP)
    deal_lines_date_format: DateFormat | None = Field(None, description=_DATES)
    deal_lines_timezone: Timezone | None = Field(None, description=_ZONE)
    deployments: PathText | None = Field(None, description="Log of visits to stations, to turn finds into rates")
    deployments_columns: dict[str, str] = Field({}, description=_MAP)
    deployments_date_format: DateFormat | None = Field(None, description=_DATES)
    deployments_timezone: Timezone | None = Field(None, description=_ZONE)
    partner_counts: PathText | None = Field(
        None, description="Counts of partners by town: layer (such as treatment, deaths, missing returns), place, n"
    )
    partner_counts_columns: dict[str, str] = Field({}, description=_MAP)
    stations: PathText | None = Field(
        None, description="Stations: name, lat, long, CRS code and, where known, has_gates and staffed_hours"
    )
    stations_columns: dict[str, str] = Field({}, description=_MAP)
    stations_crs: str = Field("EPSG:4326", description=_CRS)
    passenger_flows: PathText | None = Field(None, description="ORR origin-destination matrix")
    passenger_flows_columns: dict[Literal["origin", "destination", "journeys"], str] = Field({}, description=_MAP)
    station_usage: PathText | None = Field(None, description="ORR station usage, long form")
    station_usage_columns: dict[Literal["station", "year", "entries_exits", "interchanges"], str] = Field(
        {}, description=_MAP
    )
    station_usage_year: int | None = Field(None, description="Year of the usage table; the last where absent")
    places: PathText | None = Field(
        None, description="Towns: place_id, name, lon, lat, population; or GeoNames with ONS BUA"
    )
    places_columns: dict[Literal["place_id", "name", "x", "y", "population"], str] = Field({}, description=_MAP)
    places_crs: str = Field("EPSG:4326", description=_CRS)
    built_up_areas: PathText | None = Field(
        None, description="ONS built-up areas with population, given to the places by name; places is then GeoNames"
    )
    exporters: PathText | None = Field(None, description="Exporting areas with population and main station")
    exporters_columns: dict[str, str] = Field({}, description=_MAP)
    exporters_crs: str = Field("EPSG:4326", description=_CRS)
    boundary: PathText | None = Field(None, description="Force boundary polygon; the union of areas where absent")
    boundary_properties: dict[Literal["id", "name"], str] = Field(
        {}, description="our field (id, name) = your property"
    )
    boundary_crs: FileCrs | None = Field(None, description=_FILE_CRS)
    boundary_layer: str | None = Field(None, description=_LAYER)
    areas: PathText | None = Field(None, description="Small areas (LSOA) with population and dwellings")
    areas_properties: dict[Literal["id", "name", "population", "dwellings", "imd_decile"], str] = Field(
        {}, description="our field (id, name, population, dwellings, imd_decile) = your property"
    )
    areas_crs: FileCrs | None = Field(None, description=_FILE_CRS)
    areas_layer: str | None = Field(None, description=_LAYER)
    land: PathText | None = Field(None, description="Land polygon, drawn as the coast on the map")
    land_properties: dict[Literal["id", "name"], str] = Field(
        {}, description="our field (id, name) = your property; as boundary_properties where empty"
    )
    land_crs: FileCrs | None = Field(None, description=_FILE_CRS)
    land_layer: str | None = Field(None, description=_LAYER)
    rail_track: PathText | None = Field(None, description="Heavy-rail track: GeoJSON, .osm or .osm.pbf")
    rail_track_crs: FileCrs | None = Field(None, description=_FILE_CRS)
    rail_track_layer: str | None = Field(None, description=_LAYER)
    roads: PathText | None = Field(
        None, description="OpenStreetMap extract for roads and paths; times are estimated without"
    )
    accept_old_osm: bool = Field(
        False, description="true uses an OpenStreetMap extract more than a year older than the last offences"
    )
    timetable: PathText | None = Field(
        None,
        description="Trains: CIF of Network Rail, the Rail Delivery Group's zip, or GTFS; all call everywhere without",
    )
    timetable_week_start_on: date | None = Field(
        None, description="Monday of the week whose trains are counted, as 2025-09-15"
    )
    tiplocs: PathText | None = Field(
        None, description="stop_id, stop_code: CRS code of each TIPLOC or GTFS stop, where the timetable has none"
    )
    tiplocs_columns: dict[str, str] = Field({}, description=_MAP)
    coaches: tuple[PathText, ...] = Field(
        (), description="GTFS zips of coaches and buses; without any, a coach is a car that takes 1.5 times as long"
    )
    harm: PathText | None = Field(None, description="Harm weights: key (offence code or category) and days")
    harm_columns: dict[Literal["key", "days"], str] = Field({}, description=_MAP)
    harm_basis: Literal["code", "category"] = Field("code", description="What the key of the harm weights is")

    def options(self, role: str, *fields: str) -> dict[str, Any]:
        """
        Give settings of one input by the names that its reader has for them.

        Parameters
        ----------
        role : str
            The input, such as ``cuckooing``.
        *fields : str
            Such as ``columns`` or ``crs``.

        Returns
        -------
        dict
            Value by field.

        Examples
        --------
        >>> InputSettings().options("stations", "columns", "crs")
        {'columns': {}, 'crs': 'EPSG:4326'}
        """
        return {field: getattr(self, f"{role}_{field}") for field in fields}
