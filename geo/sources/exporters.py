"""Exporting areas: where lines are run from, with people, a main station and any known lines into the force."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from geo.crs import WGS84
from geo.schema import validate
from geo.sources.accounting import Reading
from geo.sources.delimited import read_delimited
from geo.sources.locations import locate, parse_numbers
from geo.sources.places import reject_repeats
from geo.tables import EXPORTERS

__all__ = ["read_exporters"]


def read_exporters(
    path: Path,
    *,
    id_column: str = "exporter_id",
    name_column: str = "name",
    x_column: str = "lon",
    y_column: str = "lat",
    population_column: str = "population",
    hub_column: str = "hub_station_id",
    lines_column: str = "n_lines",
    prior_column: str = "prior_lines",
    crs: str = WGS84,
) -> Reading[pd.DataFrame]:
    """
    Read a table of exporting areas.

    Parameters
    ----------
    path : pathlib.Path
        CSV file.
    id_column, name_column, x_column, y_column, population_column : str
        Required columns; the position is where its couriers set out, such as its main station.
    hub_column, lines_column, prior_column : str
        Columns that may be absent: CRS code of the main station, lines known to run into the force, national lines.
    crs : str
        ``EPSG:4326`` or ``EPSG:27700``.

    Returns
    -------
    Reading of pandas.DataFrame
        Table `geo.tables.EXPORTERS`, ordered by id.

    Raises
    ------
    InputError
        If the file is no table or most positions share a fault.
    CrsError
        If `crs` is neither of the two.
    """
    required = [id_column, name_column, x_column, y_column, population_column]
    read = read_delimited(path, required=required, optional=[hub_column, lines_column, prior_column])
    rows, sieve = read.rows, read.sieve()
    for column in (id_column, name_column):
        sieve.reject(rows[column].eq("").to_numpy(), f"no_{column}", field=column)
    reject_repeats(rows[id_column], sieve, field=id_column)
    positions = locate(rows, sieve, x_field=x_column, y_field=y_column, crs=crs)
    sieve.reject(positions.is_blank, "no_position", field=x_column)
    numbers = {}
    for column in (population_column, lines_column, prior_column):
        text = rows[column] if column in rows else pd.Series("", index=rows.index, dtype="str")
        numbers[column] = parse_numbers(text)
        is_bad = (np.isnan(numbers[column]) | (numbers[column] < 0)) & text.ne("").to_numpy(dtype=bool)
        sieve.reject(is_bad, f"bad_{column}", field=column)
    sieve.reject(np.isnan(numbers[population_column]), f"no_{population_column}", field=population_column)
    kept = sieve.kept
    hub = rows[hub_column].str.upper() if hub_column in rows else pd.Series("", index=rows.index, dtype="str")
    table = pd.DataFrame(
        {
            "name": rows[name_column][kept].to_numpy(),
            "easting_m": positions.easting_m[kept],
            "northing_m": positions.northing_m[kept],
            "population": numbers[population_column][kept],
            "hub_station_id": hub[kept].where(hub[kept].ne(""), None).to_numpy(),
            "n_lines": numbers[lines_column][kept],
            "prior_lines": numbers[prior_column][kept],
        },
        index=pd.Index(rows[id_column][kept], name=EXPORTERS.index, dtype="str"),
    ).astype({"name": "str", "hub_station_id": "str"})
    quarantine, account = sieve.close()
    return Reading(validate(table.sort_index(), EXPORTERS), quarantine, (account,))
