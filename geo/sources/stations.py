"""
Heavy-rail stations by CRS code, from the list of the npm package ``uk-railway-stations`` or one like it.

A list may say more of a station than where it is: whether it has ticket gates, and when it is staffed. What it leaves
out is not known, which is never the same as no.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from shapely.geometry.base import BaseGeometry

from geo.crs import WGS84
from geo.errors import InputError
from geo.naming import name_some
from geo.network.staffed_hours import parse_staffed_hours
from geo.schema import validate
from geo.sources.accounting import Reading
from geo.sources.locations import Positions, cover, locate
from geo.sources.mapped import column_or_blank, read_mapped
from geo.sources.sieve import Sieve
from geo.tables import STATIONS

__all__ = ["read_stations"]

# As the npm list calls them.
_COLUMNS = {"code": "crsCode", "name": "stationName", "x": "long", "y": "lat"}
_OPTIONAL = ("has_gates", "staffed_hours")
# Two lists put the point of one station at another door or platform end (ASSUMPTION).
_ONE_PLACE_M = 100.0
_MOST_NAMED = 5
# What a fault of most rows says about the file.
_GUESSES = {
    "no_crs_code": "The codes are no CRS codes of three letters. Map code to the column that holds them",
    "no_position": "The columns of the position are blank. Map x and y to the columns that hold it",
    "no_name": "The column of names is blank. Map name to the column that holds them",
    "bad_has_gates": "The values are neither yes nor no. Map has_gates to another column, or unmap it",
    "bad_staffed_hours": "The values are no hours such as 'mon-fri 06:00-20:00'. Map staffed_hours anew, or unmap it",
}
_FLAGS = {"yes": True, "true": True, "y": True, "1": True, "no": False, "false": False, "n": False, "0": False}


def read_stations(
    path: Path,
    *,
    force_area: BaseGeometry | None,
    columns: Mapping[str, str] | None = None,
    crs: str = WGS84,
) -> Reading[pd.DataFrame]:
    """
    Read a station list.

    Parameters
    ----------
    path : pathlib.Path
        CSV file.
    force_area : shapely geometry or None
        EPSG:27700 polygons that set `is_in_force`; None puts every station in.
    columns : mapping of str to str or None
        Our field to their column: ``code, name, x, y``, which are called as in the npm list where not named, and,
        where there, ``has_gates`` (yes or no) and ``staffed_hours`` (such as ``mon-fri 06:00-20:00``, or ``none``).
    crs : str
        ``EPSG:4326`` or ``EPSG:27700``.

    Returns
    -------
    Reading of pandas.DataFrame
        Table `geo.tables.STATIONS`, ordered by CRS code. Facts that the file does not have are null. A station that is
        listed twice within 100 m is one; a code at two places is none.

    Raises
    ------
    UsageError
        If the mapping names an unknown field.
    InputError
        If the file is no table or most positions share a fault.
    CrsError
        If `crs` is neither of the two.
    """
    read = read_mapped(
        path, _COLUMNS | dict(columns or {}), what="stations", required=tuple(_COLUMNS), optional=_OPTIONAL
    )
    rows, sieve = read.rows, read.sieve()
    codes = rows["code"].str.upper()
    sieve.reject(~codes.str.fullmatch("[A-Z]{3}").to_numpy(dtype=bool), "no_crs_code", field="code")
    positions = locate(rows, sieve, x_field="x", y_field="y", crs=crs)
    sieve.reject(positions.is_blank, "no_position", field="x")
    sieve.reject(rows["name"].eq("").to_numpy(), "no_name", field="name")
    has_gates, staffed_hours = _sift_gates(rows, sieve), _sift_staffed(rows, sieve)
    sieve.require_each_majority(_GUESSES)
    told = _settle_repeats(codes, rows["name"], positions, sieve)
    _tell_lost(codes, sieve, told=told)
    kept = sieve.kept
    table = pd.DataFrame(
        {
            "name": rows["name"][kept].to_numpy(),
            "easting_m": positions.easting_m[kept],
            "northing_m": positions.northing_m[kept],
            "is_in_force": cover(force_area, positions.easting_m[kept], positions.northing_m[kept]),
            "has_gates": has_gates[kept].array,
            "staffed_hours": staffed_hours[kept].array,
        },
        index=pd.Index(codes[kept], name=STATIONS.index, dtype="str"),
    ).astype({"name": "str"})
    quarantine, account = sieve.close()
    return Reading(validate(table.sort_index(), STATIONS), quarantine, (account,))


def _settle_repeats(codes: pd.Series, names: pd.Series, positions: Positions, sieve: Sieve) -> set[str]:
    """
    Keep a station that is listed twice once; of one code at two places neither can be trusted, and the account says so.

    Of rows of one code within `_ONE_PLACE_M` of each other the first by name and place stays, whatever their order.
    The codes at two places are given back.
    """
    known = pd.DataFrame(
        {"code": codes, "name": names, "e": positions.easting_m, "n": positions.northing_m}, index=codes.index
    )[sieve.kept].sort_values(["code", "name", "e", "n"], kind="stable")
    known = known[known["code"].duplicated(keep=False)]
    by_code = known.groupby("code")[["e", "n"]]
    spans = by_code.max() - by_code.min()
    is_apart = known["code"].isin(spans.index[np.hypot(spans["e"], spans["n"]) > _ONE_PLACE_M])
    apart = known.index[is_apart]
    sieve.reject(np.asarray(codes.index.isin(apart), dtype=bool), "repeated_crs_code", field="code")
    again = known.index[known["code"].duplicated() & ~is_apart]
    sieve.reject(
        np.asarray(codes.index.isin(again), dtype=bool), "same_station_again", field="code", status="duplicate"
    )
    named = known[~is_apart].drop_duplicates(["code", "name"])
    for code in sorted(set(named["code"][named["code"].duplicated()]))[:_MOST_NAMED]:
        called = named["name"][named["code"] == code].tolist()
        sieve.warn(f"code {code} is listed under {len(called)} names at one place; {called[0]!r} is used.")
    lost = sorted(set(known["code"][is_apart]))
    if lost:
        sieve.warn(
            f"code {name_some(lost, _MOST_NAMED)} stands at places over {_ONE_PLACE_M:.0f} m apart: which is "
            "right cannot be told, and no row of it is used."
        )
    return set(lost)


def _tell_lost(codes: pd.Series, sieve: Sieve, *, told: set[str]) -> None:
    """Which stations have no row left: each is a place that no list of the run can name."""
    is_code = codes.str.fullmatch("[A-Z]{3}").to_numpy(dtype=bool)
    lost = sorted(set(codes[is_code]) - set(codes[sieve.kept]) - told)
    if lost:
        sieve.warn(f"{len(lost)} stations are lost with their rows: {name_some(lost, _MOST_NAMED)}.")


def _sift_gates(rows: pd.DataFrame, sieve: Sieve) -> pd.Series:
    """Yes, no or null where blank."""
    given = column_or_blank(rows, "has_gates").str.strip().str.lower()
    flags = given.map(_FLAGS)
    sieve.reject((flags.isna() & given.ne("")).to_numpy(dtype=bool), "bad_has_gates", field="has_gates")
    return flags.astype("boolean")


def _sift_staffed(rows: pd.DataFrame, sieve: Sieve) -> pd.Series:
    """Hours in one form, null where blank."""
    given = column_or_blank(rows, "staffed_hours").str.strip()
    known: dict[str, str | None] = {"": None}
    unread = set()
    for text in given.unique():
        try:
            known.setdefault(text, parse_staffed_hours(text) if text else None)
        except InputError:
            unread.add(text)
    sieve.reject(np.asarray(given.isin(list(unread)), dtype=bool), "bad_staffed_hours", field="staffed_hours")
    return given.map(known).astype("str")
