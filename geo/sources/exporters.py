"""Exporting areas: where lines are run from, with the station their couriers leave by."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.crs import WGS84
from geo.schema import validate
from geo.sources.accounting import Reading
from geo.sources.locations import locate, parse_numbers
from geo.sources.mapped import column_or_blank, read_mapped
from geo.sources.places import name_key, reject_repeats
from geo.sources.sieve import Sieve
from geo.tables import EXPORTERS

__all__ = ["read_exporters"]

_REQUIRED = ("name", "x", "y", "population")
_OPTIONAL = ("exporter_id", "hub_station", "n_lines", "prior_lines")


def read_exporters(
    path: Path,
    *,
    station_ids: Collection[str],
    columns: Mapping[str, str] | None = None,
    crs: str = WGS84,
) -> Reading[pd.DataFrame]:
    """
    Read a table of exporting areas.

    Parameters
    ----------
    path : pathlib.Path
        CSV file.
    station_ids : collection of str
        CRS codes that are known; a hub that is none of them rejects its row.
    columns : mapping of str to str or None
        Our field to their column: ``name, x, y, population`` and, where there, ``exporter_id, hub_station, n_lines,
        prior_lines``.
    crs : str
        ``EPSG:4326`` or ``EPSG:27700``, of `x` and `y`.

    Returns
    -------
    Reading of pandas.DataFrame
        Table `geo.tables.EXPORTERS`, ordered by id, which is made from the name where the file has none.

    Raises
    ------
    UsageError
        If the mapping names an unknown field.
    InputError
        If the file is no table or most positions share a fault.
    CrsError
        If `crs` is neither of the two.
    """
    read = read_mapped(path, columns or {}, what="exporters", required=_REQUIRED, optional=_OPTIONAL)
    rows, sieve = read.rows, read.sieve()
    sieve.reject(rows["name"].eq("").to_numpy(), "no_name", field="name")
    positions = locate(rows, sieve, x_field="x", y_field="y", crs=crs)
    sieve.reject(positions.is_blank, "no_position", field="x")
    population = parse_numbers(rows["population"])
    sieve.reject(~(population >= 0), "no_population", field="population")
    hubs = column_or_blank(rows, "hub_station").str.upper()
    sieve.reject(~hubs.isin([*station_ids, ""]).to_numpy(), "unknown_station", field="hub_station")
    n_lines, prior_lines = (_sift_counts(rows, sieve, field) for field in ("n_lines", "prior_lines"))
    made = rows["name"].map(name_key).str.replace(" ", "-")
    given = column_or_blank(rows, "exporter_id")
    ids = given.where(given != "", made)
    reject_repeats(ids, sieve, field="name")
    table = pd.DataFrame(
        {
            "name": rows["name"].to_numpy(),
            "easting_m": positions.easting_m,
            "northing_m": positions.northing_m,
            "population": population,
            "hub_station_id": hubs.where(hubs != "").to_numpy(),
            "n_lines": n_lines,
            "prior_lines": prior_lines,
        },
        index=pd.Index(ids, name=EXPORTERS.index, dtype="str"),
    )[sieve.kept]
    table = table.astype({"name": "str", "hub_station_id": "str"})
    quarantine, account = sieve.close()
    return Reading(validate(table.sort_index(), EXPORTERS), quarantine, (account,))


def _sift_counts(rows: pd.DataFrame, sieve: Sieve, field: str) -> NDArray[np.float64]:
    """Non-negative numbers, NaN where blank."""
    given = column_or_blank(rows, field)
    numbers = parse_numbers(given)
    sieve.reject(~given.eq("").to_numpy() & ~(numbers >= 0), "no_count", field=field)
    return numbers
