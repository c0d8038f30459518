"""
Towns of Great Britain: positions of GeoNames joined by name to census populations of ONS built-up areas.

The ONS list of England and Wales has no positions; the populations of GeoNames are of mixed age and sometimes of
another place. A name joins the two where it points to one pair, and to nothing where it does not.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geo.sources.accounting import Reading, merge_quarantine
from geo.sources.delimited import DelimitedRows, read_delimited
from geo.sources.locations import locate, parse_numbers
from geo.sources.places import CENSUS_BASIS, build_places, name_key, reject_repeats
from geo.sources.sieve import Sieve

__all__ = ["read_built_up_places"]

# Of several places of one name the largest is meant if it has this many times the people of the next in its own list
# (ASSUMPTION): Bolton in Greater Manchester, not Bolton in Cumbria.
_DOMINANT_RATIO = 3.0
# Two populations of one place differ less than this many times (ASSUMPTION); else the name joined two places, as
# Holloway in London (41,329) with Holloway in Derbyshire (520).
_LARGEST_RATIO = 10.0
# Names that are not alike mean one place if one begins with the words of the other and their populations differ less
# than this many times (ASSUMPTION): Brighton (283,870) and Brighton and Hove (277,105).
_LIKE_RATIO = 1.5
# A town this large that is left out is named: nothing of a national list may hang on a spelling.
_LARGE_RESIDENTS = 50_000
_GEONAMES_BASIS = "GeoNames"


def read_built_up_places(
    places_path: Path, built_up_path: Path, *, force_area: BaseGeometry | None
) -> Reading[pd.DataFrame]:
    """
    Read and join the two lists.

    1. In England and Wales a place takes the population of the built-up area of its name. Where a list has the name
       more than once, its largest is meant if it is three times the next, and otherwise none is.
    2. A pair whose populations differ more than ten times is no pair.
    3. Of what is left, a place and an area are joined where one name begins with the words of the other, as Brighton
       and Hove with Brighton, their populations are within half of each other, and either has no other such.
    4. In Scotland, which the ONS list leaves out, a place keeps the population of GeoNames.

    Parameters
    ----------
    places_path : pathlib.Path
        GeoNames: ``geonameid, name, latitude, longitude, population, admin1code``.
    built_up_path : pathlib.Path
        ONS: ``Code, Name, Population``.
    force_area : shapely geometry or None
        EPSG:27700 polygons that set `is_in_force`; None puts every town in.

    Returns
    -------
    Reading of pandas.DataFrame
        Table `geo.tables.PLACES`. Accounts of both files: a built-up area that no place is joined to is out of scope;
        those of 50,000 residents and more are named in a warning.

    Raises
    ------
    InputError
        If a file is no table or most positions share a fault.
    """
    places = read_delimited(
        places_path, required=["geonameid", "name", "latitude", "longitude", "population", "admin1code"]
    )
    areas = read_delimited(built_up_path, required=["Code", "Name", "Population"])
    rows, sieve = places.rows, places.sieve()
    sieve.reject(~rows["geonameid"].str.fullmatch("[0-9]{1,10}").to_numpy(dtype=bool), "no_id", field="geonameid")
    country = rows["admin1code"]
    outside = ~country.isin(["ENG", "WLS", "SCT"]).to_numpy()
    sieve.reject(outside, "not_great_britain", field="admin1code", status="out_of_scope")
    positions = locate(rows, sieve, x_field="longitude", y_field="latitude")
    sieve.reject(positions.is_blank, "no_position", field="longitude")
    reject_repeats(rows["geonameid"], sieve, field="geonameid")
    stated = np.nan_to_num(parse_numbers(rows["population"]))
    area_sieve, people = _sift_areas(areas)
    is_scottish = country.eq("SCT").to_numpy()
    joined = _join(rows, areas.rows, sieve.kept & ~is_scottish, area_sieve.kept, stated, people)
    census = np.where(joined >= 0, people[joined], np.nan)
    disagree = _disagree(census, stated)
    sieve.reject(disagree, "populations_disagree", field="population")
    sieve.reject(is_scottish & (stated <= 0), "no_population", field="population", status="out_of_scope")
    sieve.reject(~is_scottish & np.isnan(census), "no_built_up_area", field="name", status="out_of_scope")
    kept = sieve.kept
    area_used = np.zeros(len(areas.rows), dtype=bool)
    area_used[joined[kept & (joined >= 0)]] = True
    lost = areas.rows["Name"][area_sieve.kept & ~area_used & (people >= _LARGE_RESIDENTS)]
    if len(lost):
        names = ", ".join(sorted(lost))
        area_sieve.warn(
            f"{len(lost)} built-up areas of {_LARGE_RESIDENTS:,} residents and more have no place: {names}."
        )
    area_sieve.reject(~area_used, "no_place_of_this_name", field="Name", status="out_of_scope")
    population = np.where(is_scottish, stated, census)
    basis = pd.Series(np.where(is_scottish, _GEONAMES_BASIS, CENSUS_BASIS), index=rows.index, dtype="str")
    table = build_places(
        "GN" + rows["geonameid"], rows["name"], positions, population, basis, kept=kept, force_area=force_area
    )
    closed = (sieve.close(), area_sieve.close())
    return Reading(table, merge_quarantine([q for q, _ in closed]), tuple(account for _, account in closed))


def _sift_areas(areas: DelimitedRows) -> tuple[Sieve, NDArray[np.float64]]:
    """The sieve of the built-up areas, and their residents; their file groups thousands by commas."""
    sieve = areas.sieve()
    texts = areas.rows["Population"]
    grouped = texts.str.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+|[0-9]+").to_numpy(dtype=bool)
    sieve.reject(~grouped, "no_population", field="Population")
    return sieve, parse_numbers(texts.str.replace(",", "").where(grouped, ""))


def _disagree(census: NDArray[np.float64], stated: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether two known populations differ too much to be of one place."""
    known = (stated > 0) & (census > 0)
    ratio = np.ones(len(census))
    np.divide(stated, census, out=ratio, where=known)
    return (ratio > _LARGEST_RATIO) | (ratio < 1 / _LARGEST_RATIO)


def _join(
    places: pd.DataFrame,
    areas: pd.DataFrame,
    is_place: NDArray[np.bool_],
    is_area: NDArray[np.bool_],
    stated: NDArray[np.float64],
    people: NDArray[np.float64],
) -> NDArray[np.int64]:
    """For each place the position of its built-up area, or -1."""
    meant_place = _meant(places["name"], is_place, stated)
    meant_area = _meant(areas["Name"], is_area, people)
    joined = np.full(len(places), -1, dtype=np.int64)
    for key, at in meant_place.items():
        joined[at] = meant_area.get(key, -1)
    matched = joined >= 0
    matched[matched] = ~_disagree(people[joined[matched]], stated[matched])
    is_free = is_area.copy()
    is_free[joined[matched]] = False
    for at, area in _alike(places["name"], is_place & ~matched, stated, areas["Name"], is_free, people):
        joined[at] = area
    return joined


def _alike(
    place_names: pd.Series,
    is_place: NDArray[np.bool_],
    stated: NDArray[np.float64],
    area_names: pd.Series,
    is_area: NDArray[np.bool_],
    people: NDArray[np.float64],
) -> list[tuple[int, int]]:
    """Pairs whose names begin alike and whose populations agree, where neither has another such."""
    by_first_word: dict[str, list[tuple[int, str]]] = {}
    for at in np.flatnonzero(is_area & (people > 0)):
        key = name_key(area_names.iloc[at])
        by_first_word.setdefault(key.split(" ")[0], []).append((int(at), key))
    pairs = []
    for at in np.flatnonzero(is_place & (stated > 0)):
        key = name_key(place_names.iloc[at])
        for area, other in by_first_word.get(key.split(" ")[0], []):
            short, long = sorted((key, other), key=len)
            # A district in brackets tells towns of one name apart: Thornton (Wyre) is not Thornton Heath.
            is_like = key == other if "(" in area_names.iloc[area] else f"{long} ".startswith(f"{short} ")
            ratio = people[area] / stated[at]
            if is_like and 1 / _LIKE_RATIO < ratio < _LIKE_RATIO:
                pairs.append((int(at), area))
    n_of_place, n_of_area = (pd.Series([pair[end] for pair in pairs], dtype="int64").value_counts() for end in (0, 1))
    return [(at, area) for at, area in pairs if n_of_place[at] == 1 and n_of_area[area] == 1]


def _meant(names: pd.Series, chosen: NDArray[np.bool_], people: NDArray[np.float64]) -> dict[str, int]:
    """The row that each name means: its only one, or one that dominates the others."""
    table = pd.DataFrame({"key": names.map(name_key).to_numpy(), "people": people, "at": np.arange(len(names))})
    table = table[chosen].sort_values(["key", "people", "at"], ascending=[True, False, True])
    following = table.groupby("key")["people"].shift(-1)
    first = ~table["key"].duplicated()
    dominant = first & (following.isna() | ((table["people"] >= _DOMINANT_RATIO * following) & (table["people"] > 0)))
    meant = table[dominant]
    return dict(zip(meant["key"].tolist(), meant["at"].tolist(), strict=True))
