"""
Street-level crime of data.police.uk: folders of months, several forces, British Transport Police.

What comes out is table `geo.tables.OFFENCES` at month precision and snapped positions. The file's own traps (repeated
crime ids, rows that are equal but separate, rows without a place, recording artefacts at police stations) are kept,
flagged or counted, never smoothed over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from shapely.geometry.base import BaseGeometry

from geo.schema import empty, validate
from geo.sources.accounting import Reading, RowAccount, merge_quarantine
from geo.sources.coverage import measure_published
from geo.sources.date_faults import MONTH_GUESSES, describe_dates
from geo.sources.delimited import DelimitedRows, split_delimited
from geo.sources.harm import measure_harm
from geo.sources.locations import FORCE_MARGIN_M, Positions, locate
from geo.sources.months import parse_months, reject_implausible_months
from geo.sources.police_files import StreetFile, account_unread_files, find_street_files, open_street_files
from geo.sources.releases import PublishedRows, find_repeats
from geo.sources.row_faults import require_mostly_rows
from geo.sources.sieve import Sieve
from geo.sources.stable_ids import build_stable_ids
from geo.tables import OFFENCES

__all__ = ["CUSTODY_LOCATIONS", "POLICE_UK_CRIME_TYPES", "StreetReading", "find_street_files", "read_police_uk"]

# The categories of data.police.uk/about, the present ones and the two of 2010 to 2013.
POLICE_UK_CRIME_TYPES = frozenset(
    {
        "Anti-social behaviour",
        "Bicycle theft",
        "Burglary",
        "Criminal damage and arson",
        "Drugs",
        "Other crime",
        "Other theft",
        "Possession of weapons",
        "Public disorder and weapons",
        "Public order",
        "Robbery",
        "Shoplifting",
        "Theft from the person",
        "Vehicle crime",
        "Violence and sexual offences",
        "Violent crime",
    }
)
# Where an offence is put because that is where it was recorded or found in custody.
CUSTODY_LOCATIONS = frozenset({"On or near Police Station", "On or near Prison"})
# Its one file a month is of the whole country.
COUNTRYWIDE_FORCE = "British Transport Police"
_REQUIRED = ("Month", "Longitude", "Latitude", "Location", "Crime type")
_OPTIONAL = ("Crime ID", "Reported by", "Falls within", "LSOA code", "LSOA name", "Last outcome category", "Context")
# What a fault of most rows says about the file.
_GUESSES = {
    "unknown_crime_type": (
        "The categories are none of data.police.uk. Give its street files, or name the format 'extract' for others"
    ),
}
_REPETITIVE = ("Month", "Reported by", "Falls within", "Crime type", "Last outcome category", "Context")
# What a row without an id is known by in another download, which may name its area and force anew; and what makes two
# rows of one file equal. The outcome is left out: it changes from one download to the next.
_PLACE = ("Month", "Longitude", "Latitude", "Location", "Crime type")
_CONTENT = ("Crime ID", "Month", "Reported by", "Longitude", "Latitude", "Location", "LSOA code", "Crime type")


@dataclass(frozen=True)
class StreetReading(Reading[pd.DataFrame]):
    """
    What `read_police_uk` returns.

    Attributes
    ----------
    published : pandas.DataFrame
        One row for each force and month that the files hold: ``force, month, n_rows``, of every category and wherever
        the rows lie, for the forces that have a row in the force area. For `geo.sources.coverage.measure_coverage`.
    """

    published: pd.DataFrame = field(default_factory=pd.DataFrame)


@dataclass(frozen=True)
class _Sifted:
    """One file, its rows judged by themselves."""

    read: DelimitedRows
    sieve: Sieve
    positions: Positions
    label: str
    is_dated: np.ndarray
    is_near: np.ndarray
    months: pd.DataFrame
    published: PublishedRows


def read_police_uk(
    paths: Sequence[Path],
    *,
    crime_types: Collection[str] | None = None,
    harm: pd.DataFrame | None = None,
    provenance_by_crime_type: Mapping[str, str] | None = None,
    custody_locations: Collection[str] = CUSTODY_LOCATIONS,
    force_area: BaseGeometry | None = None,
    force_margin_m: float = FORCE_MARGIN_M,
    not_after: pd.Period | None = None,
) -> StreetReading:
    """
    Read street-level crime files as offences.

    1. A file whose bytes were read already is not read again.
    2. Rows with an unknown category, an implausible month or an impossible position are rejected; rows without a
       position are kept, for totals, with null coordinates.
    3. Equal rows of one file are separate offences. A month of a force that several files hold is counted once, as
       `geo.sources.releases` says.
    4. Files of the folders that are not read are named in an account of no rows.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Files or folders, zip archives of data.police.uk among them.
    crime_types : collection of str or None
        Categories in scope; None for all.
    harm : pandas.DataFrame or None
        Table `geo.sources.harm.HARM_WEIGHTS`; None weighs nothing.
    provenance_by_crime_type : mapping of str to str or None
        Who brings a category to light, where one can say so; otherwise ``unknown``, since the files do not tell.
    custody_locations : collection of str
        Location texts whose rows are ``custody_location``.
    force_area : shapely geometry or None
        EPSG:27700 polygons; rows more than `force_margin_m` from it are rejected.
    force_margin_m : float
        Distance in metres.
    not_after : pandas.Period or None
        Last month that can be meant; None for the current month.

    Returns
    -------
    StreetReading
        Table `geo.tables.OFFENCES`, ordered by `offence_id`, a hash of the row's content and of its number among equal
        rows: neither depends on the order of rows or files.

    Raises
    ------
    UsageError
        If a path is not a plain local path.
    InputError
        If a file is no street file, or most of its rows share a fault.
    ResourceError
        If a file is too large.
    IntegrityError
        If a file changes while it is read.
    """
    files: list[_Sifted] = []
    again: dict[int, list[RowAccount]] = {}
    labels: dict[str, str] = {}
    for file in (file for path in find_street_files(paths) for file in open_street_files(path)):
        if file.sha256 in labels:
            sentence = f"its bytes are those of {labels[file.sha256]}; it was not read again."
            again.setdefault(len(files), []).append(RowAccount(file.name, file.sha256, 0, 0, (), (sentence,)))
            continue
        label = file.name if file.name not in labels.values() else f"{file.sha256[:8]}-{file.name}"
        labels[file.sha256] = label
        files.append(_sift(file, label, crime_types, force_area, force_margin_m, not_after))
    readings: list[Reading[pd.DataFrame]] = []
    published: list[pd.DataFrame] = []
    times_seen: Counter[str] = Counter()
    for sifted, repeats in zip(files, find_repeats([each.published for each in files]), strict=True):
        rows, sieve = sifted.read.rows, sifted.sieve
        is_repeat = np.zeros(len(rows), dtype=bool)
        is_repeat[sifted.is_near] = repeats.is_repeat
        sieve.reject(is_repeat, "same_record_in_other_file", field="Crime ID", status="duplicate")
        for sentence in repeats.notes:
            sieve.warn(sentence)
        published.append(sifted.months[~is_repeat[sifted.is_dated]])
        table = _build_offences(sifted, build_stable_ids(_content(rows[sieve.kept]), times_seen))
        _mark_provenance(table, provenance_by_crime_type or {}, custody_locations)
        table["harm_weight_days"], table["harm_basis"] = measure_harm(table["crime_type"], table["offence_code"], harm)
        table["harm_basis"] = table["harm_basis"].astype("str")
        _warn(rows[sieve.kept], table, sieve)
        quarantine, account = sieve.close()
        readings.append(Reading(table, quarantine, (account,)))
    tables = [reading.table for reading in readings if len(reading.table)]
    return StreetReading(
        validate(pd.concat(tables).sort_index() if tables else empty(OFFENCES), OFFENCES),
        merge_quarantine([reading.quarantine for reading in readings]),
        (*_in_order(readings, again), *account_unread_files(paths)),
        measure_published(published),
    )


def _in_order(readings: Sequence[Reading[pd.DataFrame]], again: Mapping[int, Sequence[RowAccount]]) -> list[RowAccount]:
    """The accounts of the files in order of name, those of files that were not read again among them."""
    accounts = list(again.get(0, ()))
    for k, reading in enumerate(readings, start=1):
        accounts += [*reading.accounts, *again.get(k, ())]
    return accounts


def _content(rows: pd.DataFrame) -> list[pd.Series]:
    return [_text(rows, name) for name in _CONTENT]


def _text(rows: pd.DataFrame, name: str) -> pd.Series:
    """A column as text, blank where the file does not have it."""
    return rows[name].astype("str") if name in rows else pd.Series("", index=rows.index, dtype="str")


def _sift(
    file: StreetFile,
    label: str,
    crime_types: Collection[str] | None,
    force_area: BaseGeometry | None,
    force_margin_m: float,
    not_after: pd.Period | None,
) -> _Sifted:
    """One file with the rows that cannot be used in its sieve; what is out of scope still tells which file counts."""
    read = split_delimited(
        file.data, name=file.name, sha256=file.sha256, required=_REQUIRED, optional=_OPTIONAL, repetitive=_REPETITIVE
    )
    rows, sieve = read.rows, read.sieve(source_file=label)
    require_mostly_rows(rows, read.unreadable, label)
    sieve.reject(~rows["Crime type"].isin(POLICE_UK_CRIME_TYPES).to_numpy(), "unknown_crime_type", field="Crime type")
    months = parse_months(rows["Month"])
    reject_implausible_months(months, sieve, field="Month", not_after=not_after)
    unread = rows["Month"].astype("str")[np.asarray(months.isna())].tolist()
    sieve.require_each_majority(
        _GUESSES | MONTH_GUESSES | {"unreadable_date": describe_dates(unread, is_settable=False) if unread else ""}
    )
    is_dated = sieve.kept
    is_countrywide = (_text(rows, "Reported by") == COUNTRYWIDE_FORCE).to_numpy()
    positions = locate(
        rows,
        sieve,
        x_field="Longitude",
        y_field="Latitude",
        force_area=force_area,
        force_margin_m=force_margin_m,
        is_countrywide=is_countrywide,
    )
    if force_area is not None:
        # Of a territorial force they lie in its area, if not at a known place; here they may lie anywhere.
        sieve.reject(is_countrywide & positions.is_blank, "no_position", field="Longitude", status="out_of_scope")
    is_near = sieve.kept
    if crime_types is not None:
        outside = ~rows["Crime type"].isin(crime_types).to_numpy()
        sieve.reject(outside, "crime_type_not_asked_for", field="Crime type", status="out_of_scope")
    month, force = pd.Series(months.astype("str"), index=rows.index), _text(rows, "Reported by")
    months_read = pd.DataFrame({"force": force.where(force != "", "unknown"), "month": month, "is_near": is_near})
    near = rows[is_near]
    published = PublishedRows(
        name=label,
        sha256=file.sha256,
        slug=file.slug,
        month=file.month,
        path_months=file.path_months,
        rows=pd.DataFrame(
            {
                "month": month[is_near],
                "force": force[is_near],
                # Spreadsheets put an apostrophe before, and change capitals.
                "crime_id": _text(near, "Crime ID").str.strip(" '").str.casefold(),
                "place": _hash(near, _PLACE),
                "content": _hash(near, _CONTENT),
            }
        ),
    )
    return _Sifted(read, sieve, positions, label, is_dated, is_near, months_read[is_dated], published)


def _hash(rows: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """A number for what each row says in some columns."""
    texts = pd.DataFrame({name: _text(rows, name) for name in columns}, index=rows.index)
    return pd.util.hash_pandas_object(texts, index=False).to_numpy()


def _build_offences(sifted: _Sifted, ids: pd.Series) -> pd.DataFrame:
    """The accepted rows with the columns of `OFFENCES`, harm and provenance apart."""
    kept, positions, label = sifted.sieve.kept, sifted.positions, sifted.label
    chosen = sifted.read.rows[kept]
    index = pd.Index(ids, name=OFFENCES.index, dtype="str")
    n = len(chosen)

    def text(name: str) -> np.ndarray:
        return _text(chosen, name).to_numpy()

    force = np.where(text("Reported by") != "", text("Reported by"), "unknown")
    has_place = ~positions.is_blank[kept]
    table = pd.DataFrame(
        {
            "month": parse_months(chosen["Month"]),
            "occurred_from_at": pd.Series(pd.NaT, index=range(n), dtype="datetime64[ns, UTC]"),
            "occurred_to_at": pd.Series(pd.NaT, index=range(n), dtype="datetime64[ns, UTC]"),
            "time_precision": "month",
            "crime_type": text("Crime type"),
            "offence_code": pd.Series(None, index=range(n), dtype="str"),
            "force": force,
            "location": text("Location"),
            "location_precision": np.where(has_place, "snapped", "none"),
            "provenance": "unknown",
            "lsoa_code": text("LSOA code"),
            "easting_m": positions.easting_m[kept],
            "northing_m": positions.northing_m[kept],
            "source_file": label,
            "source_row": chosen.index.to_numpy(dtype=np.int64),
        }
    )
    for name in ("time_precision", "crime_type", "force", "location", "location_precision", "lsoa_code", "source_file"):
        table[name] = table[name].astype("str")
    table["location"] = table["location"].where(table["location"] != "")
    table["lsoa_code"] = table["lsoa_code"].where(table["lsoa_code"] != "")
    table.index = index
    return table


def _mark_provenance(table: pd.DataFrame, by_crime_type: Mapping[str, str], custody_locations: Collection[str]) -> None:
    """Set the provenance column of a table that this module has just built."""
    provenance = table["crime_type"].map(dict(by_crime_type)).astype("str").fillna("unknown")
    table["provenance"] = provenance.mask(table["location"].isin(custody_locations), "custody_location")


def _warn(rows: pd.DataFrame, table: pd.DataFrame, sieve: Sieve) -> None:
    """Note in the account what is right but poorer."""
    n_custody = int((table["provenance"] == "custody_location").sum())
    if n_custody:
        sieve.warn(f"{n_custody} rows are at police stations or prisons: a trace of recording, not of a market.")
    n_nowhere = int((table["location_precision"] == "none").sum())
    if n_nowhere:
        sieve.warn(f"{n_nowhere} rows have no position and count in totals only.")
    if "Crime ID" in rows:
        ids = rows["Crime ID"][rows["Crime ID"] != ""]
        n_again = int(ids.duplicated().sum())
        if n_again:
            sieve.warn(f"{n_again} rows repeat a crime id; all are kept, as one record can hold several offences.")
