"""
Every setting of a workspace: its name, default, unit and where the default comes from.

`region.toml` holds them. An unknown key is an error with the nearest known name, because a mistyped setting that is
silently ignored is worse than none. A default is a sourced figure or says ASSUMPTION.
"""

from __future__ import annotations

import difflib
import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, Field, StringConstraints, ValidationError, model_validator

from gateline.settings_coaches import CoachSettings, Section
from gateline.settings_inputs import InputSettings
from gateline.settings_plan import PlanSettings
from gateline.toml_text import to_toml
from geo.errors import UsageError

__all__ = ["InputSettings", "Settings", "read_settings", "write_settings_template"]

# The template is under 30 kB; a file that is no settings is refused before it is parsed.
_MAX_BYTES = 2**20
_LONGEST_VALUE = 80
_MOST_FAULTS = 20
Month = Annotated[str, StringConstraints(pattern=r"^(19|20)\d\d-(0[1-9]|1[0-2])$")]


class RegionSettings(Section):
    """Who the run is for and how its products are marked."""

    name: str = Field("North Yorkshire", description="Region as it appears on every product")
    force: str = Field("North Yorkshire Police", description="Force whose stations and towns are scored")
    operator: str = Field("not stated", description="Person or unit responsible for the run; printed on every product")
    marking: str = Field(
        "OFFICIAL-SENSITIVE", description="Government Security Classification printed on every product"
    )
    is_fictional: bool = Field(False, description="true prints FICTIONAL across every product")
    credits: tuple[str, ...] = Field(
        (), description="Attribution of your sources, printed on every product; the usual open sources where empty"
    )
    retention_months: int = Field(
        13, ge=1, le=1200, description="Months until the run expires. ASSUMPTION: confirm locally"
    )


class FetchSettings(Section):
    """What `gateline fetch` downloads into inputs; no other command uses the network."""

    osm: bool = Field(False, description="true fetches roads, railways and stations from an Overpass server")
    osm_endpoint: str = Field("https://overpass-api.de/api/interpreter", description="Overpass interpreter, https")
    bounds_m: tuple[float, float, float, float] | None = Field(
        None, description="west, south, east, north in EPSG:27700; the box of inputs.boundary where absent"
    )
    margin_km: float = Field(5.0, ge=0, description="Added around the boundary's box. ASSUMPTION")
    police_force: str = Field(
        "", description="Force in the file names of data.police.uk, such as north-yorkshire; nothing where empty"
    )
    police_endpoint: str = Field(
        "https://data.police.uk/data/archive", description="Folder of the monthly archives, https"
    )


class OffenceSettings(Section):
    """Which offences count as evidence."""

    crime_types: tuple[str, ...] = Field(
        ("Drugs",), description="Categories that are evidence of county lines; others are out of scope and counted"
    )
    first_month: Month | None = Field(None, description="First month used, YYYY-MM; all where absent")
    last_month: Month | None = Field(None, description="Last month used, YYYY-MM; all where absent")
    max_quarantine_share: float = Field(
        0.05, ge=0, le=1, description="A run stops when more of the rows are quarantined. ASSUMPTION"
    )


class RailSettings(Section):
    """How the rail graph is built."""

    snap_limit_m: float = Field(500.0, gt=0, description="A station farther from track is left out and reported")
    dwell_min: float = Field(1.0, ge=0, description="Minutes at each call where there is no timetable. ASSUMPTION")
    interchange_min: float = Field(
        5.0, ge=0, description="Minutes to change trains where no file states them. ASSUMPTION"
    )
    timetable_coverage_share: float = Field(
        0.9,
        gt=0,
        le=1,
        description="Trains, of a timetable or estimated, at fewer of the force's stations are not used. ASSUMPTION",
    )
    estimate_trains: bool = Field(
        True,
        description=(
            "Without a timetable trains are estimated from passenger_flows; false takes every train to call everywhere"
        ),
    )
    buffer_km: float = Field(
        80.0, gt=0, description="Stations this far beyond the force area are kept, so that routes through them exist"
    )


class AccessSettings(Section):
    """The way between a station and a place where there is no road graph."""

    walk_limit_min: float = Field(60.0, gt=0, description="Longest walk from a station to a town. ASSUMPTION")
    drive_limit_min: float = Field(45.0, gt=0, description="Longest drive from a station to a town. ASSUMPTION")
    catchment_walk_min: float = Field(15.0, gt=0, description="Walk that counts as at the station (map, scores)")


class HotspotSettings(Section):
    """How hotspots are found."""

    cell_size_m: float = Field(500.0, gt=0, le=10_000, description="Side of a Gi* grid cell. ASSUMPTION")
    false_discovery_rate: float = Field(0.05, gt=0, lt=1, description="Share of false hot cells accepted")
    eps_m: float = Field(200.0, gt=0, description="Cluster radius. ASSUMPTION: a few town-centre blocks")
    foreseen_area_share: float = Field(
        0.005, gt=0, lt=1, description="Share of the area in the cells where the next offences are expected. ASSUMPTION"
    )
    min_offences: int = Field(10, ge=2, description="Fewest offences in a cluster; also the disclosure threshold")


class CorridorSettings(Section):
    """How courier flow is estimated and laid on the network."""

    population_exponent: float = Field(
        1.0, gt=0, le=10, description="Lines go as this power of a town's residents: 1.01 over 1,609 towns"
    )
    town_spread: float = Field(
        0.7, gt=0, le=3, description="Spread of a town's exposure about what the network says, natural log. ASSUMPTION"
    )
    lines_name_every_town: bool = Field(
        True,
        description="Whether a town that the list of lines leaves out has none known; false where it names only some",
    )
    trips_per_line_per_month: float = Field(8.0, gt=0, description="Courier trips of one line. ASSUMPTION: two a week")
    internal_share: float = Field(
        0.14,
        ge=0,
        lt=1,
        description="Share of lines from the force's own towns before any is known. ASSUMPTION: 2 of 14 in 2019",
    )
    rail_share: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Share of trips that go by rail where rail and road both can, if it is known; none is published",
    )


class HourSettings(Section):
    """When couriers travel: stated here, then moved by trains and by timed records where there are any."""

    busy_days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = Field(
        ("wed", "thu", "fri", "sat"),
        min_length=1,
        description="Days of the busy hours: those of hot spots on the London Underground. ASSUMPTION for couriers",
    )
    busy_from_h: float = Field(
        15.0,
        ge=0,
        lt=24,
        description="Start of the busy hours, hours after midnight: as on the Underground. ASSUMPTION",
    )
    busy_to_h: float = Field(
        22.0, gt=0, le=48, description="End of the busy hours, hours after midnight: as on the Underground. ASSUMPTION"
    )
    busy_share: float = Field(
        0.5, gt=0, lt=1, description="Share of trips in the busy hours where trains run evenly. ASSUMPTION"
    )
    running_from_h: float = Field(
        5.5, ge=0, lt=24, description="Trains run from here on, hours after midnight, without a timetable. ASSUMPTION"
    )
    running_to_h: float = Field(
        23.5, gt=0, le=48, description="Trains run until here, hours after midnight, without a timetable. ASSUMPTION"
    )
    prior_records: float = Field(
        100.0, gt=0, description="Timed records at a station that weigh as much as what is stated. ASSUMPTION"
    )


class ScoreSettings(Section):
    """How the score is made: from the posterior, or, where weights are stated, as a weighted index."""

    station_weights: dict[str, float] = Field(
        {}, description="Empty: of 100 trips, how many could be met. Weights of components make a 0-100 index instead"
    )
    place_weights: dict[str, float] = Field(
        {}, description="Empty: of 100 trips, how many go there. Weights of components make a 0-100 index instead"
    )
    n_draws: int = Field(1000, ge=100, description="Draws behind the rank intervals")
    random_state: int = Field(20260101, ge=0, description="Seed of every random draw")

    @model_validator(mode="after")
    def _weights_sum_to_one(self) -> ScoreSettings:
        for name, weights in (("station_weights", self.station_weights), ("place_weights", self.place_weights)):
            if weights and (min(weights.values()) < 0 or abs(sum(weights.values()) - 1) > 1e-9):
                msg = f"{name} sums to {sum(weights.values()):g}, expected non-negative weights that sum to 1"
                raise ValueError(msg)
        return self


class Settings(Section):
    """All settings of a workspace."""

    region: RegionSettings = RegionSettings()
    inputs: InputSettings = InputSettings()
    fetch: FetchSettings = FetchSettings()
    offences: OffenceSettings = OffenceSettings()
    rail: RailSettings = RailSettings()
    coaches: CoachSettings = CoachSettings()
    access: AccessSettings = AccessSettings()
    hotspots: HotspotSettings = HotspotSettings()
    corridors: CorridorSettings = CorridorSettings()
    hours: HourSettings = HourSettings()
    scores: ScoreSettings = ScoreSettings()
    plan: PlanSettings = PlanSettings()


def read_settings(path: Path) -> Settings:
    """
    Read `region.toml`.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    Settings
        With defaults for what the file leaves out.

    Raises
    ------
    UsageError
        If the file is absent, is not TOML, or holds an unknown or wrong setting; every fault is named.
    """
    document = _parse(path)
    try:
        return Settings.model_validate(document)
    except ValidationError as error:
        details = error.errors(include_url=False)
        faults = "; ".join(_fault(detail) for detail in details[:_MOST_FAULTS])
        if len(details) > _MOST_FAULTS:
            faults += f"; and {len(details) - _MOST_FAULTS} more"
        msg = f"{path.name}: {faults}, expected the settings that 'gateline init' writes. Mend the settings named."
        raise UsageError(msg) from error


def _parse(path: Path) -> dict[str, Any]:
    """The file as TOML, whatever it holds."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_BYTES:
            msg = f"{path.name}: it is no file of at most {_MAX_BYTES} bytes, expected settings. Mend or make it anew."
            raise UsageError(msg)
        data = path.read_bytes()
    except FileNotFoundError as error:
        msg = f"{path.name}: no such file in {path.parent.name!r}, expected a workspace. Make one with 'gateline init'."
        raise UsageError(msg) from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        msg = f"{path.name}: it cannot be read ({reason}), expected settings. Check its path and permissions."
        raise UsageError(msg) from error
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except RecursionError as error:
        msg = f"{path.name}: not valid TOML (nested too deep), expected UTF-8 TOML. Mend the brackets."
        raise UsageError(msg) from error
    except (ValueError, OverflowError) as error:  # a number of 5,000 digits is one that TOML's own error does not name
        msg = f"{path.name}: not valid TOML ({_shorten(str(error))}), expected UTF-8 TOML. Mend the line named."
        raise UsageError(msg) from error


def _fault(detail: Any) -> str:  # noqa: ANN401 - pydantic's own record
    """One sentence part for one fault, with the nearest known name for an unknown key."""
    where = _shorten(".".join(str(part) for part in detail["loc"]))
    if detail["type"] != "extra_forbidden":
        return f"{where} is {_show(detail['input'])} ({_shorten(detail['msg'].removeprefix('Value error, '))})"
    model: type[BaseModel] = Settings
    for part in detail["loc"][:-1]:
        if isinstance(part, str):  # a number is a place in a list of the model that stands for it
            model = next(_models_in(model.model_fields[part].annotation))
    near = difflib.get_close_matches(str(detail["loc"][-1])[:_LONGEST_VALUE], list(model.model_fields), n=1)
    return f"unknown setting {where!r}" + (f" (did you mean {near[0]!r}?)" if near else "")


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:  # noqa: ANN401 - any type
    """The models that a type is or holds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _show(value: Any) -> str:  # noqa: ANN401 - any value that TOML holds
    """A value on one line, however long it is."""
    if isinstance(value, int) and abs(value) >= 10**_LONGEST_VALUE:
        return "a number of very many digits"
    if isinstance(value, list | dict):
        return f"{'a list' if isinstance(value, list) else 'a table'} of {len(value)}"
    return _shorten(repr(value))


def _shorten(text: str) -> str:
    """At most so many characters, none of which breaks the line."""
    plain = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
    return plain if len(plain) <= _LONGEST_VALUE else plain[:_LONGEST_VALUE] + "..."


def write_settings_template(settings: Settings) -> str:
    """
    Write settings as commented TOML.

    Parameters
    ----------
    settings : Settings
        The values to write.

    Returns
    -------
    str
        A file that `read_settings` reads back to the same settings; an absent value is a commented line.
    """
    lines = ["# Settings of a Gateline workspace. Paths are relative to this folder.", ""]
    for name, section_field in Settings.model_fields.items():
        section: Section = getattr(settings, name)
        doc = (section_field.annotation.__doc__ or "").strip()
        lines += [f"# {line.strip()}" for line in doc.splitlines() if line.strip()] + [f"[{name}]"]
        for key, field in type(section).model_fields.items():
            value = getattr(section, key)
            lines.append(f"# {field.description}")
            lines.append(f'# {key} = ""' if value is None else f"{key} = {to_toml(value)}")
        lines.append("")
    return "\n".join(lines)
