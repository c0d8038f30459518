"""Heavy-rail stations by CRS code, from the list of the npm package ``uk-railway-stations`` or one like it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from shapely.geometry.base import BaseGeometry

from geo.crs import WGS84
from geo.schema import validate
from geo.sources.accounting import Reading
from geo.sources.delimited import read_delimited
from geo.sources.locations import cover, locate
from geo.tables import STATIONS

__all__ = ["read_stations"]


def read_stations(
    path: Path,
    *,
    force_area: BaseGeometry | None,
    code_column: str = "crsCode",
    name_column: str = "stationName",
    x_column: str = "long",
    y_column: str = "lat",
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
    code_column, name_column, x_column, y_column : str
        Columns of the CRS code, the name, and longitude and latitude or easting and northing.
    crs : str
        ``EPSG:4326`` or ``EPSG:27700``.

    Returns
    -------
    Reading of pandas.DataFrame
        Table `geo.tables.STATIONS`, ordered by CRS code.

    Raises
    ------
    InputError
        If the file is no table or most positions share a fault.
    CrsError
        If `crs` is neither of the two.
    """
    read = read_delimited(path, required=[code_column, name_column, x_column, y_column])
    rows, sieve = read.rows, read.sieve()
    codes = rows[code_column].str.upper()
    sieve.reject(~codes.str.fullmatch("[A-Z]{3}").to_numpy(dtype=bool), "no_crs_code", field=code_column)
    positions = locate(rows, sieve, x_field=x_column, y_field=y_column, crs=crs)
    sieve.reject(positions.is_blank, "no_position", field=x_column)
    sieve.reject(rows[name_column].eq("").to_numpy(), "no_name", field=name_column)
    # One code for two stations: neither can be trusted, and the next run must not depend on their order.
    again = codes[sieve.kept].duplicated(keep=False)
    sieve.reject(rows.index.isin(again.index[again]), "repeated_crs_code", field=code_column)
    kept = sieve.kept
    table = pd.DataFrame(
        {
            "name": rows[name_column][kept].to_numpy(),
            "easting_m": positions.easting_m[kept],
            "northing_m": positions.northing_m[kept],
            "is_in_force": cover(force_area, positions.easting_m[kept], positions.northing_m[kept]),
        },
        index=pd.Index(codes[kept], name=STATIONS.index, dtype="str"),
    ).astype({"name": "str"})
    quarantine, account = sieve.close()
    return Reading(validate(table.sort_index(), STATIONS), quarantine, (account,))
