"""
A force's own offence extract: columns mapped by name, positions at address level, times to the day or minute.

What comes out is table `geo.tables.OFFENCES`. Columns about persons stop the reading; values of place fields never
reach the quarantine.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geo.crs import METRIC
from geo.errors import UsageError
from geo.schema import validate
from geo.sources.extract_records import ExtractReading, sift_records
from geo.sources.harm import measure_harm
from geo.sources.instants import Instants, parse_instants, require_dates
from geo.sources.locations import FORCE_MARGIN_M, Positions, locate
from geo.sources.mapped import column_or_blank, read_mapped
from geo.sources.months import reject_implausible_months
from geo.sources.sieve import Sieve
from geo.tables import OFFENCES, PROVENANCE
from geo.tables.evidence import LOCATION_PRECISION

__all__ = ["CUSTODY_WORDS", "read_offence_extract"]

_REQUIRED = ("crime_type", "occurred_from", "x", "y")
_OPTIONAL = (
    "offence_id",
    "offence_code",
    "occurred_to",
    "recorded_on",
    "location",
    "location_precision",
    "lsoa_code",
    "provenance",
)
# Words in a location text that say where a person was held or tried, not where the offence was (ASSUMPTION).
CUSTODY_WORDS = ("police station", "custody", "prison", "magistrates", "crown court")
# A point with more than this share of the rows, and no fewer rows than that, may be a default of the geocoder.
_CROWDED_SHARE = 0.01
_CROWDED_ROWS = 20
_SHOWN_TYPES = 5
# What a fault of most rows says about the file.
_GUESSES = {
    "no_crime_type": "The column of crime types is blank. Map crime_type to the column that holds them",
    "end_before_start": "The columns of the first and last time look swapped. Swap occurred_from and occurred_to",
    "unreadable_date": "The dates of another column cannot be read. Check occurred_to and recorded_on, or unmap them",
    "unknown_precision": "The values are no grain of a position. Map location_precision to another column, or unmap it",
    "no_offence_id": "The column of crime numbers is blank. Map offence_id to the column that holds them, or unmap it",
    "contradictory_record": "The ids look like no crime numbers. Map offence_id to the column that holds them",
}


def read_offence_extract(
    path: Path,
    *,
    columns: Mapping[str, str],
    force: str,
    crs: str = METRIC,
    date_format: str | None = None,
    timezone: str | None = None,
    location_precision: str = "exact",
    provenance_by_value: Mapping[str, str] | None = None,
    custody_words: Collection[str] = CUSTODY_WORDS,
    crime_types: Collection[str] | None = None,
    harm: pd.DataFrame | None = None,
    force_area: BaseGeometry | None = None,
    force_margin_m: float = FORCE_MARGIN_M,
    not_after: pd.Period | None = None,
) -> ExtractReading:
    """
    Read an offence extract.

    Of rows with one `offence_id`, equal ones count once, and of amended ones the latest `recorded_on` counts. What is
    left with another crime type or offence code is another offence; of rows that differ in anything else the first in
    the order of their content counts. Without ids equal rows are separate offences.

    Parameters
    ----------
    path : pathlib.Path
        CSV file.
    columns : mapping of str to str
        Our field to their column: ``crime_type, occurred_from, x, y`` and, where there, ``offence_id, offence_code,
        occurred_to, recorded_on, location, location_precision, lsoa_code, provenance``.
    force : str
        Recording force.
    crs : str
        ``EPSG:27700`` or ``EPSG:4326``, of `x` and `y`.
    date_format, timezone : str or None
        As for `geo.sources.instants.parse_instants`.
    location_precision : str
        ``exact``, ``snapped`` or ``centroid``, where the file does not say it row by row.
    provenance_by_value : mapping of str to str or None
        Their values of `provenance` to ours; others are ``unknown`` and counted.
    custody_words : collection of str
        Words in `location` that make a row ``custody_location``.
    crime_types : collection of str or None
        Categories in scope; None for all.
    harm : pandas.DataFrame or None
        Table `geo.sources.harm.HARM_WEIGHTS`; None weighs nothing.
    force_area : shapely geometry or None
        EPSG:27700 polygons; rows more than `force_margin_m` from it are rejected.
    force_margin_m : float
        Distance in metres.
    not_after : pandas.Period or None
        Last month that can be meant; None for the current month.

    Returns
    -------
    ExtractReading
        Table `geo.tables.OFFENCES`, ordered by `offence_id`, a hash that does not depend on the order of rows;
        `geo.sources.extract_records.merge_extracts` puts several together.

    Raises
    ------
    UsageError
        If a setting is unknown.
    InputError
        If the file is no table, most rows share a fault, or a format or zone must be declared.
    DisclosureError
        If a column seems to describe a person.
    CrsError
        If `crs` is neither of the two.
    """
    _require_settings(location_precision, provenance_by_value or {})
    read = read_mapped(
        path, columns, what="offence extract", required=_REQUIRED, optional=_OPTIONAL, refuse_person_columns=True
    )
    rows, sieve = read.rows, read.sieve(private_fields=("x", "y", "location", "offence_id"))
    sieve.reject(rows["crime_type"].eq("").to_numpy(), "no_crime_type", field="crime_type")
    times = _sift_times(rows, sieve, date_format, timezone, not_after)
    positions = locate(
        rows, sieve, x_field="x", y_field="y", crs=crs, force_area=force_area, force_margin_m=force_margin_m
    )
    precision = _sift_precision(rows, sieve, location_precision, positions)
    records = sift_records(rows, sieve, force=force, date_format=date_format, timezone=timezone)
    sieve.require_each_majority(_GUESSES)
    if crime_types is not None:
        _leave_out_of_scope(rows, sieve, crime_types)
    provenance = _provenance(rows, sieve, provenance_by_value or {}, custody_words)
    kept = sieve.kept
    _warn_of_crowded_points(positions, sieve)
    crime_type, offence_code = rows["crime_type"], column_or_blank(rows, "offence_code")
    days, basis = measure_harm(crime_type, offence_code, harm)
    table = pd.DataFrame(
        {
            "month": times.month,
            "occurred_from_at": times.from_at,
            "occurred_to_at": times.to_at,
            "time_precision": times.precision,
            "crime_type": crime_type.to_numpy(),
            "offence_code": offence_code.where(offence_code != "").to_numpy(),
            "force": force,
            "location": column_or_blank(rows, "location").to_numpy(),
            "location_precision": precision,
            "provenance": provenance.to_numpy(),
            "lsoa_code": column_or_blank(rows, "lsoa_code").to_numpy(),
            "easting_m": positions.easting_m,
            "northing_m": positions.northing_m,
            "harm_weight_days": days,
            "harm_basis": basis,
            "source_file": read.source_file,
            "source_row": rows.index.to_numpy(),
        },
        index=pd.Index(records.offence_ids, name=OFFENCES.index, dtype="str"),
    )[kept]
    texts = [name for name, column in OFFENCES.columns.items() if column.kind == "text"]
    table = table.astype(dict.fromkeys(texts, "str"))
    for name in ("location", "lsoa_code"):
        table[name] = table[name].where(table[name] != "")
    quarantine, account = sieve.close()
    facts = records.facts[kept].set_index(table.index).sort_index()
    return ExtractReading(validate(table.sort_index(), OFFENCES), quarantine, (account,), facts)


def _leave_out_of_scope(rows: pd.DataFrame, sieve: Sieve, crime_types: Collection[str]) -> None:
    """Reject rows of other crime types; where that leaves none, the account says what types there are."""
    n_before = sieve.kept.sum()
    given = rows["crime_type"][sieve.kept]
    outside = ~rows["crime_type"].isin(crime_types).to_numpy()
    sieve.reject(outside, "crime_type_not_asked_for", field="crime_type", status="out_of_scope")
    if n_before and not sieve.kept.any():
        shown = ", ".join(map(repr, sorted(set(given))[:_SHOWN_TYPES]))
        sieve.warn(f"no row has a crime type that is asked for; the file has {shown}.")


def _require_settings(location_precision: str, provenance_by_value: Mapping[str, str]) -> None:
    if location_precision not in LOCATION_PRECISION:
        msg = (
            f"location_precision: it is {location_precision!r}, expected one of {', '.join(LOCATION_PRECISION)}. "
            "Correct the setting."
        )
        raise UsageError(msg)
    odd = sorted(set(provenance_by_value.values()) - set(PROVENANCE))
    if odd:
        msg = f"provenance_by_value: it maps to {odd[0]!r}, expected one of {', '.join(PROVENANCE)}. Correct it."
        raise UsageError(msg)


def _sift_times(
    rows: pd.DataFrame, sieve: Sieve, date_format: str | None, timezone: str | None, not_after: pd.Period | None
) -> Instants:
    """Times from the first column, with the latest instant from the second where the file has one."""
    start = parse_instants(
        rows["occurred_from"], sieve, field="occurred_from", date_format=date_format, timezone=timezone
    )
    reject_implausible_months(start.month, sieve, field="occurred_from", not_after=not_after)
    require_dates(rows["occurred_from"], start, sieve, date_format=date_format)
    if "occurred_to" not in rows:
        return start
    end = parse_instants(rows["occurred_to"], sieve, field="occurred_to", date_format=date_format, timezone=timezone)
    known = reject_implausible_months(end.month, sieve, field="occurred_to", not_after=not_after, blank_is_fault=False)
    before = np.asarray(end.to_at < start.from_at) | (known & np.asarray(end.month < start.month))
    # The end of a day is the next midnight, at which it is over.
    before |= np.asarray(end.to_at == start.from_at) & (end.precision == "day")
    sieve.reject(before, "end_before_start", field="occurred_to")
    return Instants(
        month=start.month,
        from_at=start.from_at,
        to_at=pd.DatetimeIndex(np.where(end.to_at.isna(), start.to_at, end.to_at)),
        precision=start.precision,
    )


def _sift_precision(rows: pd.DataFrame, sieve: Sieve, default: str, positions: Positions) -> NDArray[np.object_]:
    """Grain of each position, ``none`` where there is none."""
    given = column_or_blank(rows, "location_precision").str.lower()
    known = given.isin([*LOCATION_PRECISION, ""]).to_numpy()
    sieve.reject(~known, "unknown_precision", field="location_precision")
    stated = given.where(given != "", default).to_numpy(dtype=object)
    return np.where(positions.is_blank, "none", stated)


def _provenance(
    rows: pd.DataFrame, sieve: Sieve, by_value: Mapping[str, str], custody_words: Collection[str]
) -> pd.Series:
    """Who brought each row to light, custody places first."""
    given = column_or_blank(rows, "provenance")
    provenance = given.map(dict(by_value)).astype("str").fillna("unknown")
    n_unmapped = int((~given.isin([*by_value, ""]).to_numpy() & sieve.kept).sum())
    if n_unmapped:
        sieve.warn(f"{n_unmapped} rows have a provenance that no setting maps; they are 'unknown'.")
    location = column_or_blank(rows, "location").str.lower()
    in_custody = np.zeros(len(rows), dtype=bool)
    for word in custody_words:
        in_custody |= location.str.contains(word.lower(), regex=False).to_numpy(dtype=bool)
    n_custody = int((in_custody & sieve.kept).sum())
    if n_custody:
        sieve.warn(f"{n_custody} rows are at police stations, courts or prisons: a trace of recording.")
    return provenance.mask(in_custody, "custody_location")


def _warn_of_crowded_points(positions: Positions, sieve: Sieve) -> None:
    """Say how many points may be defaults of a geocoder; which ones they are stays with the user."""
    known = sieve.kept & np.isfinite(positions.easting_m)
    points = pd.DataFrame({"e": np.round(positions.easting_m[known]), "n": np.round(positions.northing_m[known])})
    counts = points.value_counts()
    crowded = counts[(counts > _CROWDED_SHARE * known.sum()) & (counts >= _CROWDED_ROWS)]
    if len(crowded):
        sieve.warn(
            f"{len(crowded)} points hold over 1 % of the rows each, {crowded.sum()} rows in all: they may be defaults "
            "of the geocoder."
        )
