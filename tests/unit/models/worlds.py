"""Small worlds with a known truth, drawn as arrays and tables, for the tests of `models`."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely.geometry import box

from geo.schema import empty
from geo.tables import HOTSPOTS
from models.dictionary import STATION_FEATURES
from models.evidence import MonthlyEvidence
from models.features import FeatureSet

CUTOFF = pd.Period("2025-06", "M")
# Two stations 10 km apart and one far from any offence.
STATION_ROWS = {"AAA": (450_000.0, 450_000.0), "BBB": (460_000.0, 450_000.0), "CCC": (470_000.0, 450_000.0)}


def stations() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "name": [f"{i} town" for i in STATION_ROWS],
            "easting_m": [p[0] for p in STATION_ROWS.values()],
            "northing_m": [p[1] for p in STATION_ROWS.values()],
            "is_in_force": True,
        },
        index=pd.Index(list(STATION_ROWS), name="station_id"),
    )


def places() -> pd.DataFrame:
    table = stations().rename_axis("place_id")
    table.index = pd.Index(["a", "b", "c"], name="place_id")
    return table.assign(population=5000.0, population_basis="made up")


def offences(rows: list[tuple[str, float, float, str]]) -> pd.DataFrame:
    """Rows of month, easting, northing and provenance."""
    n = len(rows)
    nothing = pd.Series([pd.NaT] * n, dtype="datetime64[ns, UTC]").to_numpy()
    table = pd.DataFrame(
        {
            "month": pd.PeriodIndex([row[0] for row in rows], freq="M"),
            "occurred_from_at": pd.Series(nothing, dtype="datetime64[ns, UTC]"),
            "occurred_to_at": pd.Series(nothing, dtype="datetime64[ns, UTC]"),
            "time_precision": "month",
            "crime_type": "Drugs",
            "offence_code": pd.Series([None] * n, dtype="str"),
            "force": "Test",
            "location": "somewhere",
            "location_precision": "snapped",
            "provenance": [row[3] for row in rows],
            "lsoa_code": pd.Series([None] * n, dtype="str"),
            "easting_m": [row[1] for row in rows],
            "northing_m": [row[2] for row in rows],
            "harm_weight_days": np.nan,
            "harm_basis": "none",
            "source_file": "test.csv",
            "source_row": np.arange(2, n + 2),
        }
    )
    table.index = pd.Index([f"o{i}" for i in range(n)], name="offence_id")
    return table


def station_exposure(trips: dict[str, float]) -> pd.DataFrame:
    flow = pd.Series(trips, dtype=float)
    return pd.DataFrame(
        {
            "boarding_trips_per_month": 0.0,
            "interchange_trips_per_month": 0.0,
            "calling_trips_per_month": 0.0,
            "alighting_trips_per_month": flow,
            "courier_trips_per_month": flow,
            "courier_trips_per_100k_passengers": flow * 2,
            "top_origin_id": "x",
            "top_destination_id": "a",
        }
    ).rename_axis("station_id")


def place_exposure(trips: dict[str, float]) -> pd.DataFrame:
    flow = pd.Series(trips, dtype=float)
    return pd.DataFrame(
        {
            "courier_trips_per_month": flow,
            "rail_trips_per_month": flow,
            "unseen_share": 0.1,
            "observed_lines": [3.0] + [np.nan] * (len(flow) - 1),
            "latent_exposure": np.nan,
            "top_origin_id": "x",
            "main_station_id": "AAA",
        }
    ).rename_axis("place_id")


def hotspots(rows: list[tuple[str, float, float]], *, last_month: str = "2025-06") -> pd.DataFrame:
    """Rows of nearest station, walk in minutes and weight; each lies on its station."""
    if not rows:
        return empty(HOTSPOTS)
    return gpd.GeoDataFrame(
        {
            "method": "test",
            "easting_m": [STATION_ROWS[row[0]][0] for row in rows],
            "northing_m": [STATION_ROWS[row[0]][1] for row in rows],
            "n_offences": 10,
            "weight": [row[2] for row in rows],
            "area_km2": 0.1,
            "first_month": pd.PeriodIndex(["2025-01"] * len(rows), freq="M"),
            "last_month": pd.PeriodIndex([last_month] * len(rows), freq="M"),
            "z_score": 3.0,
            "q_value": 0.01,
            "nearest_station_id": [row[0] for row in rows],
            "walk_min": [row[1] for row in rows],
            "walk_basis": "straight_line_detour",
        },
        geometry=[box(0, 0, 1, 1)] * len(rows),
        crs="EPSG:27700",
        index=pd.Index([f"h{i}" for i in range(len(rows))], name="hotspot_id"),
    )


def feature_set(
    counts: np.ndarray,
    *,
    flow: np.ndarray | None = None,
    propensity: np.ndarray | None = None,
    hotspot_harm: np.ndarray | None = None,
) -> FeatureSet:
    """A feature set of stations straight from counts of shape (units, months, 3)."""
    n, months, _ = counts.shape
    ids = [f"S{i:03d}" for i in range(n)]
    fixed = pd.DataFrame(
        {"courier_flow": np.zeros(n) if flow is None else flow, "courier_rate": np.nan},
        index=pd.Index(ids, name="station_id"),
    )
    return FeatureSet(
        dictionary=STATION_FEATURES,
        unit_name="station_id",
        names=pd.Series(ids, index=fixed.index, name="name"),
        cutoff=CUTOFF,
        fixed=fixed,
        hotspot_harm=np.zeros(n) if hotspot_harm is None else hotspot_harm,
        evidence=MonthlyEvidence(
            tuple(ids), pd.period_range(end=CUTOFF, periods=months, freq="M"), np.asarray(counts, dtype=float)
        ),
        propensity=propensity,
        flow_parts=None,
        flow_scenarios=np.ones((1, n)),
        unknown_as_demand_share=0.5,
    )


def sparse_counts(rng: np.random.Generator, *, n: int, mean: float, months: int = 9, shape: float = 1.0) -> tuple:
    """True rates a month of each unit, and demand-led counts drawn from them."""
    rates = rng.gamma(shape, mean / shape, n) / months
    counts = np.zeros((n, months, 3))
    counts[..., 0] = rng.poisson(rates[:, None], (n, months))
    return rates, counts
