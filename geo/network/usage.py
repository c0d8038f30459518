"""How many passengers use a station, added up from the origin-destination matrix."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geo.schema import validate
from geo.tables import PASSENGER_FLOWS, STATION_USAGE

__all__ = ["measure_station_usage"]


def measure_station_usage(passenger_flows: pd.DataFrame, *, usage_basis: str) -> pd.DataFrame:
    """
    Add up entries and exits of every station in an origin-destination matrix.

    Parameters
    ----------
    passenger_flows : pandas.DataFrame
        Table `geo.tables.PASSENGER_FLOWS`.
    usage_basis : str
        Source and year, for the data page.

    Returns
    -------
    pandas.DataFrame
        Table `geo.tables.STATION_USAGE`, ordered by station. A journey is an entry at its origin and an exit at its
        destination; changes of train are not in the matrix and stay null.
    """
    validate(passenger_flows, PASSENGER_FLOWS)
    journeys = passenger_flows["n_journeys_per_year"]
    entries = journeys.groupby(passenger_flows["origin_station_id"]).sum()
    exits = journeys.groupby(passenger_flows["destination_station_id"]).sum()
    total = entries.add(exits, fill_value=0.0).sort_index()
    usage = pd.DataFrame(
        {
            "n_entries_exits_per_year": total.to_numpy(dtype=float),
            "n_interchanges_per_year": np.nan,
            "usage_basis": usage_basis,
        },
        index=pd.Index(total.index, name=STATION_USAGE.index, dtype="str"),
    ).astype({"usage_basis": "str"})
    return validate(usage, STATION_USAGE)
