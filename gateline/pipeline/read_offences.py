"""Read the offences that the settings name, of the types and months asked for, and say which months are missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
from shapely.geometry.base import BaseGeometry

from gateline.pipeline.setting_names import name_settings
from gateline.settings import InputSettings, OffenceSettings, Settings
from gateline.workspace import resolve_inside
from geo.errors import InputError
from geo.sources.accounting import Reading
from geo.sources.coverage import measure_coverage
from geo.sources.extract_records import merge_extracts
from geo.sources.harm import default_harm_weights, read_harm_weights
from geo.sources.offence_extract import read_offence_extract
from geo.sources.police_files import account_unread_files
from geo.sources.police_uk import read_police_uk
from geo.tables import PROVENANCE

__all__ = ["OffenceInputs", "read_all_offences"]

_DATED = ("columns", "date_format", "timezone")
# Rows after the last month used are left out, however late they say they are: no result rests on the clock.
_NO_LAST_MONTH = pd.Period("9999-12", freq="M")


@dataclass(frozen=True)
class OffenceInputs(Reading[pd.DataFrame]):
    """
    Offences of a run: table `geo.tables.OFFENCES` of the types and months asked for, with quarantine and accounts.

    Attributes
    ----------
    context : pandas.DataFrame
        The same of every type.
    coverage : pandas.DataFrame
        As `geo.sources.coverage.measure_coverage` gives it, for the months asked for.
    """

    context: pd.DataFrame
    coverage: pd.DataFrame


@dataclass(frozen=True)
class _Read:
    reading: Reading[pd.DataFrame]
    published: pd.DataFrame


def read_all_offences(
    root: Path, paths: Sequence[Path], harm_path: Path | None, settings: Settings, force_area: BaseGeometry | None
) -> OffenceInputs:
    """
    Read the offences.

    Parameters
    ----------
    root : pathlib.Path
        The workspace.
    paths : sequence of pathlib.Path
        Files of offences.
    harm_path : pathlib.Path or None
        Weights of harm; those of the project where not given.
    settings : Settings
        With format, columns, types and months.
    force_area : shapely geometry or None
        EPSG:27700 polygons of the force.

    Returns
    -------
    OffenceInputs
        What was read.

    Raises
    ------
    InputError
        If a file cannot be used, or no offence is of the months asked for.
    """
    named = settings.inputs
    scope = set(settings.offences.crime_types) or None
    harm = default_harm_weights() if harm_path is None else _read_harm(harm_path, named)
    found = _read(paths, harm, settings, force_area, crime_types=scope)
    # Read again without a scope: what is out of scope as evidence is still context that a detector learns from.
    every = found if scope is None else _read(paths, harm, settings, force_area, crime_types=None)
    reading = found.reading
    if named.offences_format == "police_uk":
        folders = [resolve_inside(root, text) for text in named.offences]
        reading = replace(reading, accounts=(*reading.accounts, *account_unread_files(folders)))
    asked = [
        None if month is None else pd.Period(month, freq="M")
        for month in (settings.offences.first_month, settings.offences.last_month)
    ]
    return OffenceInputs(
        _within_months(reading.table, settings.offences),
        reading.quarantine,
        reading.accounts,
        context=_within_months(every.reading.table, settings.offences),
        coverage=measure_coverage(every.published, first_month=asked[0], last_month=asked[1]),
    )


def _read(
    paths: Sequence[Path],
    harm: pd.DataFrame,
    settings: Settings,
    force_area: BaseGeometry | None,
    *,
    crime_types: set[str] | None,
) -> _Read:
    named = settings.inputs
    not_after = None if settings.offences.last_month is None else _NO_LAST_MONTH
    if named.offences_format == "police_uk":
        with name_settings("offences of data.police.uk"):
            street = read_police_uk(
                paths, crime_types=crime_types, harm=harm, force_area=force_area, not_after=not_after
            )
        return _Read(street, street.published)
    with name_settings("offences"):
        readings = [
            read_offence_extract(
                path,
                **named.options("offences", "crs", *_DATED),
                provenance_by_value={value: value for value in PROVENANCE} | named.offences_provenance,
                force=settings.region.force,
                force_area=force_area,
                crime_types=crime_types,
                harm=harm,
                not_after=not_after,
            )
            for path in paths
        ]
    merged = merge_extracts(readings)
    return _Read(merged, merged.table[["force", "month"]])


def _read_harm(path: Path, named: InputSettings) -> pd.DataFrame:
    columns = {"key": "key", "days": "days"} | named.harm_columns
    with name_settings("harm"):
        return read_harm_weights(
            path, key_column=columns["key"], weight_column=columns["days"], basis=named.harm_basis
        ).table


def _within_months(offences: pd.DataFrame, settings: OffenceSettings) -> pd.DataFrame:
    """Offences of the months asked for."""
    keep = pd.Series(data=True, index=offences.index)
    if settings.first_month is not None:
        keep &= offences["month"] >= pd.Period(settings.first_month, freq="M")
    if settings.last_month is not None:
        keep &= offences["month"] <= pd.Period(settings.last_month, freq="M")
    if len(offences) and not keep.any():
        msg = (
            f"offences: none between {settings.first_month} and {settings.last_month}, expected some. "
            "Mend the months in region.toml."
        )
        raise InputError(msg)
    return offences[keep]
