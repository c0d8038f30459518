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
from geo.sources.accounting import Reading
from geo.sources.harm import measure_harm
from geo.sources.instants import Instants, parse_instants
from geo.sources.locations import FORCE_MARGIN_M, Positions, locate
from geo.sources.mapped import column_or_blank, read_mapped
from geo.sources.months import reject_implausible_months
from geo.sources.sieve import Sieve
from geo.sources.stable_ids import build_stable_ids
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
) -> Reading[pd.DataFrame]:
    """
    Read an offence extract.

    Of rows with one `offence_id`, equal ones count once, and of amended ones the latest `recorded_on` counts; if that
    cannot be told, none does. Without ids equal rows are separate offences.

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
    Reading of pandas.DataFrame
        Table `geo.tables.OFFENCES`, ordered by `offence_id`, a hash that does not depend on the order of rows.

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
    ids = _sift_ids(rows, sieve, force, date_format, timezone)
    if crime_types is not None:
        outside = ~rows["crime_type"].isin(crime_types).to_numpy()
        sieve.reject(outside, "crime_type_not_asked_for", field="crime_type", status="out_of_scope")
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
        index=pd.Index(ids, name=OFFENCES.index, dtype="str"),
    )[kept]
    texts = [name for name, column in OFFENCES.columns.items() if column.kind == "text"]
    table = table.astype(dict.fromkeys(texts, "str"))
    for name in ("location", "lsoa_code"):
        table[name] = table[name].where(table[name] != "")
    quarantine, account = sieve.close()
    return Reading(validate(table.sort_index(), OFFENCES), quarantine, (account,))


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
    if "occurred_to" not in rows:
        return start
    end = parse_instants(rows["occurred_to"], sieve, field="occurred_to", date_format=date_format, timezone=timezone)
    known = reject_implausible_months(end.month, sieve, field="occurred_to", not_after=not_after, blank_is_fault=False)
    before = np.asarray(end.to_at < start.from_at) | (known & np.asarray(end.month < start.month))
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


def _sift_ids(rows: pd.DataFrame, sieve: Sieve, force: str, date_format: str | None, timezone: str | None) -> pd.Series:
    """Stable ids; copies are duplicates, older versions are superseded, versions that cannot be told apart go."""
    if "offence_id" not in rows:
        return build_stable_ids([rows[column] for column in sorted(rows.columns)])
    given = rows["offence_id"]
    sieve.reject(given.eq("").to_numpy(), "no_offence_id", field="offence_id")
    sieve.reject(_among_kept(rows, sieve, keep="first"), "same_record_again", field="offence_id", status="duplicate")
    if "recorded_on" in rows:
        recorded = parse_instants(
            rows["recorded_on"], sieve, field="recorded_on", date_format=date_format, timezone=timezone
        )
        at = pd.Series(recorded.from_at, index=rows.index)
        latest = at[sieve.kept].groupby(given[sieve.kept]).transform("max").reindex(rows.index)
        sieve.reject((at < latest).to_numpy(), "superseded", field="offence_id")
    sieve.reject(_among_kept(rows[["offence_id"]], sieve, keep=False), "contradictory_record", field="offence_id")
    force_column = pd.Series(force, index=rows.index, dtype="str")
    return build_stable_ids([force_column, given])


def _among_kept(keys: pd.DataFrame, sieve: Sieve, *, keep: str | bool) -> NDArray[np.bool_]:
    """Which accepted rows repeat the keys of another accepted row."""
    again = np.zeros(len(keys), dtype=bool)
    again[sieve.kept] = keys[sieve.kept].duplicated(keep=keep)  # type: ignore[arg-type]
    return again


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
