"""Towns with coordinates and population: a user's own table, or the North Yorkshire list with census populations."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geo.crs import WGS84
from geo.schema import validate
from geo.sources.accounting import Reading
from geo.sources.delimited import read_delimited
from geo.sources.locations import Positions, cover, locate, parse_numbers
from geo.sources.sieve import Sieve
from geo.tables import PLACES

__all__ = [
    "CENSUS_BASIS",
    "build_places",
    "ids_by_name",
    "name_key",
    "read_places",
    "read_towns",
    "reject_repeats",
    "tell_apart",
]

CENSUS_BASIS = "ONS built-up area, census 2021"
# What a fault of most rows says about the file.
_GUESSES = {
    "no_name": "The column of names is blank. Correct the file, or name another column",
    "no_id": "The ids are no GeoNames numbers. Correct the column geonameid",
    "no_position": "The columns of the position are blank. Correct the file, or name other columns",
    "no_population": "The populations are no plain numbers. Export them without thousands separators",
}


def name_key(name: str) -> str:
    """
    Reduce a place name to what spellings share: no accents, case, punctuation or bracketed district; St for Saint.

    Parameters
    ----------
    name : str
        A name.

    Returns
    -------
    str
        Its key; names with equal keys are taken to be written alike.

    Examples
    --------
    >>> name_key("Saint Helens"), name_key("St. Helens (St. Helens)")
    ('st helens', 'st helens')
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
    plain = re.sub(r"['.]|\([^()]*\)", "", plain).replace("&", " and ")
    return re.sub(r"\bsaint\b", "st", re.sub(r"[^a-z0-9]+", " ", plain).strip())


def read_places(
    path: Path,
    *,
    force_area: BaseGeometry | None,
    name_column: str = "name",
    x_column: str = "lon",
    y_column: str = "lat",
    population_column: str = "population",
    id_column: str | None = None,
    crs: str = WGS84,
    population_basis: str = "user's table",
) -> Reading[pd.DataFrame]:
    """
    Read a user's table of towns.

    Parameters
    ----------
    path : pathlib.Path
        CSV file.
    force_area : shapely geometry or None
        EPSG:27700 polygons that set `is_in_force`; None puts every town in.
    name_column, x_column, y_column, population_column : str
        Columns of the name, longitude and latitude or easting and northing, and the usual residents.
    id_column : str or None
        Column of a stable id; None makes the id from the name.
    crs : str
        ``EPSG:4326`` or ``EPSG:27700``.
    population_basis : str
        Source of the populations, for the data page.

    Returns
    -------
    Reading of pandas.DataFrame
        Table `geo.tables.PLACES`, ordered by id.

    Raises
    ------
    InputError
        If the file is no table or most positions share a fault.
    CrsError
        If `crs` is neither of the two.
    """
    required = [name_column, x_column, y_column, population_column]
    read = read_delimited(path, required=required if id_column is None else [*required, id_column])
    rows, sieve = read.rows, read.sieve()
    names = rows[name_column]
    sieve.reject(names.eq("").to_numpy(), "no_name", field=name_column)
    positions = locate(rows, sieve, x_field=x_column, y_field=y_column, crs=crs)
    sieve.reject(positions.is_blank, "no_position", field=x_column)
    population = parse_numbers(rows[population_column])
    sieve.reject(~(population >= 0), "no_population", field=population_column)
    ids = names.map(name_key).str.replace(" ", "-") if id_column is None else rows[id_column]
    reject_repeats(ids, sieve, field=id_column or name_column)
    sieve.require_each_majority(_GUESSES)
    basis = pd.Series(population_basis, index=rows.index, dtype="str")
    table = build_places(ids, names, positions, population, basis, kept=sieve.kept, force_area=force_area)
    quarantine, account = sieve.close()
    return Reading(table, quarantine, (account,))


def read_towns(path: Path, *, force_area: BaseGeometry | None) -> Reading[pd.DataFrame]:
    """
    Read a list of GeoNames places that were joined to ONS built-up areas.

    Only `bua_pop_2021` is trusted: GeoNames populations of villages can be those of their ward. A place without one is
    out of scope.

    Parameters
    ----------
    path : pathlib.Path
        CSV file with columns ``geonameid, name, latitude, longitude, bua_pop_2021``.
    force_area : shapely geometry or None
        EPSG:27700 polygons that set `is_in_force`; None puts every town in.

    Returns
    -------
    Reading of pandas.DataFrame
        Table `geo.tables.PLACES`; the id is ``GN`` and the GeoNames number.

    Raises
    ------
    InputError
        If the file is no table or most positions share a fault.
    """
    read = read_delimited(path, required=["geonameid", "name", "latitude", "longitude", "bua_pop_2021"])
    rows, sieve = read.rows, read.sieve()
    ids = "GN" + rows["geonameid"]
    sieve.reject(~rows["geonameid"].str.fullmatch("[0-9]{1,10}").to_numpy(dtype=bool), "no_id", field="geonameid")
    positions = locate(rows, sieve, x_field="longitude", y_field="latitude")
    sieve.reject(positions.is_blank, "no_position", field="longitude")
    blank = rows["bua_pop_2021"].eq("").to_numpy()
    sieve.reject(blank, "no_census_population", field="bua_pop_2021", status="out_of_scope")
    population = parse_numbers(rows["bua_pop_2021"])
    sieve.reject(~(population >= 0), "no_population", field="bua_pop_2021")
    reject_repeats(ids, sieve, field="geonameid")
    sieve.require_each_majority(_GUESSES)
    basis = pd.Series(CENSUS_BASIS, index=rows.index, dtype="str")
    table = build_places(ids, rows["name"], positions, population, basis, kept=sieve.kept, force_area=force_area)
    quarantine, account = sieve.close()
    return Reading(table, quarantine, (account,))


def reject_repeats(ids: pd.Series, sieve: Sieve, *, field: str) -> None:
    """
    Reject every row whose id another row has too, since neither can be preferred.

    Parameters
    ----------
    ids : pandas.Series
        One for each row, indexed as the rows of the sieve.
    sieve : Sieve
        Takes the rejected rows.
    field : str
        The column they came from.
    """
    sieve.reject_copies()
    again = ids[sieve.kept].duplicated(keep=False)
    sieve.reject(ids.index.isin(again.index[again]), "repeated_id", field=field)


def build_places(
    ids: pd.Series,
    names: pd.Series,
    positions: Positions,
    population: NDArray[np.float64],
    basis: pd.Series,
    *,
    kept: NDArray[np.bool_],
    force_area: BaseGeometry | None,
) -> pd.DataFrame:
    """
    Put the accepted rows into the form of a table of places.

    Parameters
    ----------
    ids, names, basis : pandas.Series
        Text for each row of the file.
    positions : Positions
        Metres for each row.
    population : numpy.ndarray of shape (n,)
        Residents.
    kept : numpy.ndarray of shape (n,)
        Which rows are accepted.
    force_area : shapely geometry or None
        EPSG:27700 polygons that set `is_in_force`; None puts every town in.

    Returns
    -------
    pandas.DataFrame
        Table `geo.tables.PLACES`, ordered by id.

    Raises
    ------
    TableError
        If a row breaks the contract.
    """
    easting_m, northing_m = positions.easting_m[kept], positions.northing_m[kept]
    table = pd.DataFrame(
        {
            "name": names[kept].to_numpy(),
            "easting_m": easting_m,
            "northing_m": northing_m,
            "population": population[kept],
            "population_basis": basis[kept].to_numpy(),
            "is_in_force": cover(force_area, easting_m, northing_m),
        },
        index=pd.Index(ids[kept], name=PLACES.index, dtype="str"),
    ).astype({"name": "str", "population_basis": "str"})
    return validate(table.sort_index(), PLACES)


def tell_apart(places: pd.DataFrame) -> pd.DataFrame:
    """
    Give towns of the force that share a name names that tell them apart, as Norton (near Malton).

    Parameters
    ----------
    places : pandas.DataFrame
        Table `geo.tables.PLACES`. Never modified.

    Returns
    -------
    pandas.DataFrame
        The same; a name that several have gains the nearest town of half as many people or more, or the id where that
        does not tell either.
    """
    ours = places[places["is_in_force"]]
    names = ours["name"]
    again = names.duplicated(keep=False).to_numpy()
    if not again.any():
        return places
    at_m = ours[["easting_m", "northing_m"]].to_numpy(float)
    people = ours["population"].to_numpy(float)
    told = names.to_numpy(object, copy=True)
    for k in np.flatnonzero(again):
        gap_m = np.hypot(*(at_m - at_m[k]).T)
        gap_m[again | (people < people[k] / 2)] = np.inf
        beside = int(np.argmin(gap_m))
        if np.isfinite(gap_m[beside]):
            told[k] = f"{names.iloc[k]} (near {names.iloc[beside]})"
    apart = pd.Series(told, index=ours.index, dtype="str")
    apart = apart.mask(apart.duplicated(keep=False), names + " (" + ours.index + ")")
    return places.assign(name=apart.reindex(places.index).fillna(places["name"]))


def ids_by_name(table: pd.DataFrame, *, prefer: str | None = None) -> dict[str, str]:
    """
    Look ids up by themselves and by the key of their name.

    Parameters
    ----------
    table : pandas.DataFrame
        ``name`` by id.
    prefer : str or None
        Column of flags: of several places of a name the only one that has it is meant.

    Returns
    -------
    dict of str to str
        Id by id and by `name_key`; blank where a name has several.
    """
    by_name: dict[str, str] = {}
    keys = table["name"].map(name_key)
    for key, group in table.groupby(keys, sort=True):
        chosen = group
        if len(group) > 1 and prefer is not None:
            chosen = group[group[prefer]]
        by_name[str(key)] = str(chosen.index[0]) if len(chosen) == 1 else ""
    return by_name | {str(place): str(place) for place in table.index}
