"""Offences to order: a table that keeps its contract, from positions and months."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


def make_offences(
    easting_m: ArrayLike,
    northing_m: ArrayLike,
    *,
    months: ArrayLike = "2025-01",
    harm_days: ArrayLike = 1.0,
    provenance: ArrayLike = "unknown",
    location_precision: ArrayLike = "snapped",
) -> pd.DataFrame:
    easting_m = np.asarray(easting_m, dtype=float)
    n = len(easting_m)

    def column(value: ArrayLike, dtype: str) -> pd.Series:
        return pd.Series([value] * n if np.ndim(value) == 0 else list(value), dtype=dtype)

    table = pd.DataFrame(
        {
            "month": column(months, "period[M]"),
            "occurred_from_at": pd.Series(pd.NaT, index=range(n), dtype="datetime64[ns, UTC]"),
            "occurred_to_at": pd.Series(pd.NaT, index=range(n), dtype="datetime64[ns, UTC]"),
            "time_precision": column("month", "str"),
            "crime_type": column("Drugs", "str"),
            "offence_code": pd.Series([None] * n, dtype="str"),
            "force": column("toy", "str"),
            "location": pd.Series([None] * n, dtype="str"),
            "location_precision": column(location_precision, "str"),
            "provenance": column(provenance, "str"),
            "lsoa_code": pd.Series([None] * n, dtype="str"),
            "easting_m": easting_m,
            "northing_m": np.asarray(northing_m, dtype=float),
            "harm_weight_days": column(harm_days, "float64"),
            "harm_basis": column("category", "str"),
            "source_file": column("toy.csv", "str"),
            "source_row": np.arange(n, dtype=np.int64) + 2,
        }
    )
    table.index = pd.Index([f"o{k:06d}" for k in range(n)], name="offence_id", dtype="str")
    return table
