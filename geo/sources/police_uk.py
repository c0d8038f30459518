"""
Street-level crime of data.police.uk: folders of months, several forces, British Transport Police.

What comes out is table `geo.tables.OFFENCES` at month precision and snapped positions. The file's own traps (repeated
crime ids, rows that are equal but separate, rows without a place, recording artefacts at police stations) are kept,
flagged or counted, never smoothed over.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from shapely.geometry.base import BaseGeometry

from geo.errors import InputError
from geo.schema import empty, validate
from geo.sources.accounting import Reading, RowAccount, merge_quarantine
from geo.sources.delimited import DelimitedRows, read_delimited
from geo.sources.harm import measure_harm
from geo.sources.locations import FORCE_MARGIN_M, Positions, locate
from geo.sources.months import parse_months, reject_implausible_months
from geo.sources.sieve import Sieve
from geo.sources.stable_ids import build_stable_ids
from geo.tables import OFFENCES

__all__ = ["CUSTODY_LOCATIONS", "POLICE_UK_CRIME_TYPES", "find_street_files", "read_police_uk"]

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
_REQUIRED = ("Month", "Longitude", "Latitude", "Location", "Crime type")
_OPTIONAL = ("Crime ID", "Reported by", "Falls within", "LSOA code", "LSOA name", "Last outcome category", "Context")
_REPETITIVE = ("Month", "Reported by", "Falls within", "Crime type", "Last outcome category", "Context")
# What makes two rows the same record. The outcome is left out: it changes from one download to the next.
_CONTENT = ("Crime ID", "Month", "Reported by", "Longitude", "Latitude", "Location", "LSOA code", "Crime type")


def find_street_files(paths: Sequence[Path]) -> list[Path]:
    """
    Find the street files among files and folders of months.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Files, taken as they are, and folders, searched for ``*street.csv`` and ``*street.csv.gz``.

    Returns
    -------
    list of pathlib.Path
        Ordered by name, each once.

    Raises
    ------
    InputError
        If a path does not exist, or nothing is found.
    """
    found: set[Path] = set()
    for path in paths:
        if path.is_dir():
            found |= {*path.rglob("*street.csv"), *path.rglob("*street.csv.gz")}
        elif path.exists():
            found.add(path)
        else:
            msg = f"police_uk: {path.name!r} does not exist, expected a file or folder. Check the path."
            raise InputError(msg)
    if not found:
        names = ", ".join(repr(path.name) for path in paths)
        msg = (
            f"police_uk: no street file in {names}, expected files like '2025-01-north-yorkshire-street.csv'. Add some."
        )
        raise InputError(msg)
    return sorted(found, key=lambda path: (path.name, str(path)))


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
) -> Reading[pd.DataFrame]:
    """
    Read street-level crime files as offences.

    1. A file whose bytes were read already is not read again.
    2. Rows with an unknown category, an implausible month or an impossible position are rejected; rows without a
       position are kept, for totals, with null coordinates.
    3. Equal rows of one file are separate offences. Rows that another file holds too are counted once.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Files or folders.
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
    Reading of pandas.DataFrame
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
    tables: list[pd.DataFrame] = []
    quarantines: list[pd.DataFrame] = []
    accounts: list[RowAccount] = []
    labels: dict[str, str] = {}
    seen: set[str] = set()
    for path in find_street_files(paths):
        read = read_delimited(path, required=_REQUIRED, optional=_OPTIONAL, repetitive=_REPETITIVE)
        if read.sha256 in labels:
            again = f"its bytes are those of {labels[read.sha256]}; it was not read again."
            accounts.append(RowAccount(read.source_file, read.sha256, 0, 0, (), (again,)))
            continue
        label = read.source_file
        if label in labels.values():
            label = f"{read.sha256[:8]}-{label}"
        labels[read.sha256] = label
        sieve = read.sieve(source_file=label)
        ids = _identify(read.rows)
        positions = _sift(read, sieve, crime_types, force_area, force_margin_m, not_after)
        sieve.reject(ids.isin(seen).to_numpy(), "same_record_in_other_file", field="Crime ID", status="duplicate")
        seen |= set(ids[sieve.kept])
        table = _build_offences(read.rows, ids, positions, sieve.kept, label)
        _mark_provenance(table, provenance_by_crime_type or {}, custody_locations)
        table["harm_weight_days"], table["harm_basis"] = measure_harm(table["crime_type"], table["offence_code"], harm)
        table["harm_basis"] = table["harm_basis"].astype("str")
        _warn(read.rows[sieve.kept], table, sieve)
        quarantine, account = sieve.close()
        tables.append(table)
        quarantines.append(quarantine)
        accounts.append(account)
    offences = pd.concat(tables).sort_index() if any(map(len, tables)) else empty(OFFENCES)
    return Reading(validate(offences, OFFENCES), merge_quarantine(quarantines), tuple(accounts))


def _identify(rows: pd.DataFrame) -> pd.Series:
    """A stable id for each row: the hash of its content and of its number among equal rows of the file."""
    return build_stable_ids(
        [rows[name].astype("str") if name in rows else pd.Series("", index=rows.index) for name in _CONTENT]
    )


def _sift(
    read: DelimitedRows,
    sieve: Sieve,
    crime_types: Collection[str] | None,
    force_area: BaseGeometry | None,
    force_margin_m: float,
    not_after: pd.Period | None,
) -> Positions:
    """Positions of the rows, once those that cannot be used are in the sieve."""
    rows = read.rows
    sieve.reject(~rows["Crime type"].isin(POLICE_UK_CRIME_TYPES).to_numpy(), "unknown_crime_type", field="Crime type")
    reject_implausible_months(parse_months(rows["Month"]), sieve, field="Month", not_after=not_after)
    positions = locate(
        rows,
        sieve,
        x_field="Longitude",
        y_field="Latitude",
        force_area=force_area,
        force_margin_m=force_margin_m,
    )
    if crime_types is not None:
        outside = ~rows["Crime type"].isin(crime_types).to_numpy()
        sieve.reject(outside, "crime_type_not_asked_for", field="Crime type", status="out_of_scope")
    return positions


def _build_offences(
    rows: pd.DataFrame, ids: pd.Series, positions: Positions, kept: np.ndarray, label: str
) -> pd.DataFrame:
    """The accepted rows with the columns of `OFFENCES`, harm and provenance apart."""
    chosen = rows[kept]
    index = pd.Index(ids[kept], name=OFFENCES.index, dtype="str")
    n = len(chosen)

    def text(name: str) -> np.ndarray:
        return (chosen[name].astype("str") if name in chosen else pd.Series("", index=chosen.index)).to_numpy()

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
