"""Every area has a row, every placed offence is in one of them, and what is published resists the attack."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.disclosure import area_counts
from geo.disclosure.area_counts import count_by_area, publish_counts
from geo.disclosure.suppression import PublishedCounts
from geo.errors import DisclosureError, TableError

AREAS = gpd.GeoDataFrame(
    {"name": ["one", "two", "three"], "population": 100.0, "n_dwellings": 50.0, "imd_decile": 5.0},
    index=pd.Index(["E1", "E2", "E3"], name="area_id", dtype="str"),
    geometry=[shapely.box(450_000 + k * 1_000, 450_000, 451_000 + k * 1_000, 451_000) for k in range(3)],
    crs="EPSG:27700",
).astype({"name": "str"})


def make_offences(rows):
    """Rows of (easting, northing, LSOA code, crime type, provenance)."""
    n = len(rows)
    easting_m, northing_m, code, crime_type, provenance = zip(*rows, strict=True)
    months = pd.PeriodIndex(["2025-01"] * n, freq="M")
    never = pd.Series([pd.NaT] * n).dt.tz_localize("UTC")
    table = pd.DataFrame(
        {
            "month": months,
            "occurred_from_at": never,
            "occurred_to_at": never,
            "time_precision": "month",
            "crime_type": crime_type,
            "offence_code": None,
            "force": "F",
            "location": None,
            "location_precision": ["none" if e is None else "exact" for e in easting_m],
            "provenance": provenance,
            "lsoa_code": code,
            "easting_m": np.array(easting_m, dtype=float),
            "northing_m": np.array(northing_m, dtype=float),
            "harm_weight_days": np.nan,
            "harm_basis": "none",
            "source_file": "f.csv",
            "source_row": np.arange(n, dtype="int64") + 2,
        },
        index=pd.Index([f"o{k}" for k in range(n)], name="offence_id", dtype="str"),
    )
    texts = ["time_precision", "crime_type", "offence_code", "force", "location", "location_precision", "provenance"]
    return table.astype(dict.fromkeys([*texts, "lsoa_code", "harm_basis", "source_file"], "str"))


def test_offences_are_counted_where_they_are_and_every_area_has_a_row():
    offences = make_offences(
        [
            (450_500, 450_500, "E3", "Drugs", "unknown"),  # the position counts, not the code
            (451_000, 450_500, None, "Drugs", "unknown"),  # on the border of one and two: the first
            (451_500, 450_500, None, "Robbery", "unknown"),
            (None, None, "E2", "Drugs", "unknown"),  # no position: the code
            (None, None, "E9", "Drugs", "unknown"),
            (400_000, 400_000, None, "Drugs", "unknown"),
            (451_500, 450_500, None, "Drugs", "custody_location"),
        ]
    )
    for areas, rows in ((AREAS, offences), (AREAS[::-1], offences[::-1])):
        counts = count_by_area(rows, areas)
        assert counts.to_dict("index") == {
            "E1": {"Drugs": 2, "Robbery": 0},
            "E2": {"Drugs": 1, "Robbery": 1},
            "E3": {"Drugs": 0, "Robbery": 0},
        }


def test_a_position_outside_all_areas_is_counted_by_its_code_if_that_is_known():
    offences = make_offences([(400_000, 400_000, "E2", "Drugs", "unknown")])
    assert count_by_area(offences, AREAS)["Drugs"].to_dict() == {"E1": 0, "E2": 1, "E3": 0}


def test_wrong_tables_are_refused():
    with pytest.raises(TableError, match="offences: "):
        count_by_area(pd.DataFrame({"x": [1]}), AREAS)


def test_partners_get_ten_or_more_and_no_zero():
    counts = pd.DataFrame({"Drugs": [0, 9, 10, 44]}, index=["E1", "E2", "E3", "E4"])
    published = publish_counts(counts, profile="partner")
    assert published.counts["Drugs"].isna().tolist()[:2] == [True, True]
    assert published.counts["Drugs"].iloc[3] == 45.0


def test_a_table_that_the_attack_solves_is_refused(monkeypatch):
    counts = pd.DataFrame({"a": [3.0, 50.0], "b": [50.0, 50.0]})
    careless = PublishedCounts(counts.where(counts > 10), counts.sum(axis=1), counts.sum(axis=0), 1, 0)
    monkeypatch.setattr(area_counts, "suppress_counts", lambda *_, **__: careless)
    with pytest.raises(
        DisclosureError,
        match="a suppressed count can be worked out to within 8, expected at least 10",
    ):
        publish_counts(counts, profile="partner")
