"""
Passengers of the Office of Rail and Road: journeys between stations, and usage of each station.

The matrix is symmetric and ticket-based: it has no direction and no time of day, and season and metropolitan tickets
distort it. It sizes the crowd at a station; it does not show where couriers go.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.errors import InputError
from geo.schema import validate
from geo.sources.accounting import Reading
from geo.sources.delimited import read_delimited
from geo.sources.locations import parse_numbers
from geo.sources.sieve import Sieve
from geo.tables import PASSENGER_FLOWS, STATION_USAGE

__all__ = ["read_passenger_flows", "read_station_usage"]

# 2021, 2021-22, 2021/2022, 2021 to 2022, Apr 2021 to Mar 2022.
_YEARS = re.compile(
    r"(?:apr(?:il)? +)?([12][0-9]{3})(?:\.0)?(?: *(?:-|/|\u2013|to) *(?:mar(?:ch)? +)?((?:[12][0-9])?[0-9]{2}))?",
    re.IGNORECASE,
)
# What a fault of most rows says about the file.
_GUESSES = {
    "unreadable_year": "The values are no years such as 2021, 2021-22 or Apr 2021 to Mar 2022. Correct the column",
    "no_crs_code": "The codes are no CRS codes of three letters. Correct the column of stations",
    "not_a_number": "The counts are no plain numbers. Export them without thousands separators, or correct the column",
    "negative_count": "The counts are below 0. Correct the column",
    "repeated_pair": "The file holds several counts of a pair, as of several years. Give one year",
    "repeated_crs_code": "The file holds several counts of a station in one year. Give one of them",
}


def read_passenger_flows(
    path: Path,
    *,
    station_ids: Collection[str] | None = None,
    origin_column: str = "origin_crs",
    destination_column: str = "dest_crs",
    journeys_column: str = "journeys",
) -> Reading[pd.DataFrame]:
    """
    Read an origin-destination matrix in long form.

    Parameters
    ----------
    path : pathlib.Path
        CSV file, plain or gzip.
    station_ids : collection of str or None
        CRS codes in scope; pairs with another code are out of scope. None keeps every pair.
    origin_column, destination_column, journeys_column : str
        Columns of the file.

    Returns
    -------
    Reading of pandas.DataFrame
        Table `geo.tables.PASSENGER_FLOWS`, ordered by `flow_id`, which is ``ORIGIN-DESTINATION``.

    Raises
    ------
    InputError
        If the file is no table or most rows share a fault.
    """
    columns = [origin_column, destination_column, journeys_column]
    read = read_delimited(path, required=columns, repetitive=columns[:2])
    rows, sieve = read.rows, read.sieve()
    in_scope = []
    for column in (origin_column, destination_column):
        codes = rows[column]
        sieve.reject(~_by_category(codes, _is_crs_code(codes.cat.categories)), "no_crs_code", field=column)
        if station_ids is not None:
            in_scope.append((column, _by_category(codes, codes.cat.categories.isin(list(station_ids)))))
    journeys = _parse_counts(rows[journeys_column], sieve, journeys_column)
    for column, known in in_scope:
        sieve.reject(~known, "unknown_station", field=column, status="out_of_scope")
    # Categories are sorted, so ordering by their codes orders by text, without comparing strings.
    pair = rows[origin_column].cat.codes.to_numpy(dtype=np.int64) * len(rows[destination_column].cat.categories)
    pair += rows[destination_column].cat.codes.to_numpy(dtype=np.int64)
    copies = pd.DataFrame({"pair": np.where(sieve.kept, pair, -1), "n": journeys}).duplicated().to_numpy()
    sieve.reject(copies & sieve.kept, "same_row_again", status="duplicate")
    sieve.reject(pd.Series(pair).where(sieve.kept).duplicated(keep=False).to_numpy() & sieve.kept, "repeated_pair")
    sieve.require_each_majority(_GUESSES)
    at = np.flatnonzero(sieve.kept)
    at = at[np.argsort(pair[at], kind="stable")]
    origins = np.asarray(rows[origin_column].iloc[at], dtype=object)
    destinations = np.asarray(rows[destination_column].iloc[at], dtype=object)
    table = pd.DataFrame(
        {
            "origin_station_id": pd.Series(origins, dtype="str"),
            "destination_station_id": pd.Series(destinations, dtype="str"),
            "n_journeys_per_year": journeys[at],
        }
    )
    table.index = pd.Index(origins + "-" + destinations, name=PASSENGER_FLOWS.index, dtype="str")
    quarantine, account = sieve.close()
    return Reading(validate(table, PASSENGER_FLOWS), quarantine, (account,))


def read_station_usage(
    path: Path,
    *,
    year: int | None = None,
    station_ids: Collection[str] | None = None,
    station_column: str = "TLC",
    year_column: str = "year",
    entries_exits_column: str = "Total",
    interchanges_column: str = "Changes",
) -> Reading[pd.DataFrame]:
    """
    Read entries, exits and interchanges of one year from a table of years.

    Parameters
    ----------
    path : pathlib.Path
        CSV file, plain or gzip.
    year : int or None
        First calendar year of the financial year; None for the latest in the file. A financial year in the file is that
        of its first calendar year: 2021, 2021-22 and Apr 2021 to Mar 2022 are all the year from April 2021.
    station_ids : collection of str or None
        CRS codes in scope; None keeps every station.
    station_column, year_column, entries_exits_column, interchanges_column : str
        Columns of the file.

    Returns
    -------
    Reading of pandas.DataFrame
        Table `geo.tables.STATION_USAGE`, ordered by CRS code.

    Raises
    ------
    InputError
        If the file is no table, most rows share a fault, or it has no row of that year.
    """
    columns = [station_column, year_column, entries_exits_column, interchanges_column]
    read = read_delimited(path, required=columns, repetitive=columns[:2])
    rows, sieve = read.rows, read.sieve()
    texts = rows[year_column].astype("str")
    years = texts.map({text: _first_year(text) for text in texts.unique()}).astype("str")
    sieve.reject(years.eq("").to_numpy(), "unreadable_year", field=year_column)
    sieve.require_each_majority(_GUESSES)
    wanted = years[sieve.kept].max() if year is None else str(year)
    if not (years == wanted).any():
        msg = f"{read.source_file}: no row is of year {wanted}, expected at least one. Choose a year that it holds."
        raise InputError(msg)
    sieve.reject((years != wanted).to_numpy(), "other_year", field=year_column, status="out_of_scope")
    codes = rows[station_column].astype("str")
    sieve.reject(~_is_crs_code(codes), "no_crs_code", field=station_column)
    if station_ids is not None:
        known = codes.isin(list(station_ids)).to_numpy()
        sieve.reject(~known, "unknown_station", field=station_column, status="out_of_scope")
    entries_exits = _parse_counts(rows[entries_exits_column], sieve, entries_exits_column)
    interchanges = _parse_counts(rows[interchanges_column], sieve, interchanges_column, blank_is_fault=False)
    copies = pd.DataFrame({"code": codes, "n": entries_exits, "changes": interchanges}, index=rows.index)[sieve.kept]
    same = copies.index[copies.duplicated()]
    sieve.reject(np.asarray(rows.index.isin(same)), "same_row_again", field=station_column, status="duplicate")
    again = codes[sieve.kept].duplicated(keep=False)
    sieve.reject(rows.index.isin(again.index[again]), "repeated_crs_code", field=station_column)
    sieve.require_each_majority(_GUESSES)
    kept = sieve.kept
    table = pd.DataFrame(
        {
            "n_entries_exits_per_year": entries_exits[kept],
            "n_interchanges_per_year": interchanges[kept],
            "usage_basis": f"ORR station usage, year from April {wanted}",
        },
        index=pd.Index(codes[kept], name=STATION_USAGE.index, dtype="str"),
    ).astype({"usage_basis": "str"})
    quarantine, account = sieve.close()
    return Reading(validate(table.sort_index(), STATION_USAGE), quarantine, (account,))


def _first_year(text: str) -> str:
    """The first calendar year of a financial year in any of the ways it is written, blank where it is none."""
    found = _YEARS.fullmatch(text.strip())
    if found is None:
        return ""
    first, second = found[1], found[2]
    # A second year must be the next, or the text is no financial year.
    return first if second is None or (int(first) + 1 - int(second)) % 100 == 0 else ""


def _is_crs_code(texts: pd.Series | pd.Index) -> NDArray[np.bool_]:
    return np.asarray(texts.astype("str").str.fullmatch("[A-Z]{3}"), dtype=bool)


def _by_category(values: pd.Series, holds: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What holds for each category, for each row."""
    return np.asarray(holds[values.cat.codes.to_numpy()], dtype=bool)


def _parse_counts(values: pd.Series, sieve: Sieve, field: str, *, blank_is_fault: bool = True) -> NDArray[np.float64]:
    """Non-negative numbers; the rest are in the sieve."""
    # Counts repeat, so each distinct text is parsed once.
    codes, texts = pd.factorize(values)
    numbers = parse_numbers(pd.Series(texts, dtype="str"))[codes]
    blank = (texts == "")[codes]
    sieve.reject(np.isnan(numbers) & (blank_is_fault | ~blank), "not_a_number", field=field)
    sieve.reject(numbers < 0, "negative_count", field=field)
    return numbers
