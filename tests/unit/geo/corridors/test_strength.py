"""How strongly an area exports: deprivation near its main station."""

import numpy as np
import pandas as pd
import pytest

from geo.corridors.strength import measure_export_strength
from geo.errors import TableError, UsageError
from geo.schema import empty
from geo.tables import STATIONS


@pytest.fixture
def exporters():
    return pd.DataFrame(
        {
            "name": ["West", "Mersey"],
            "easting_m": [400_000.0, 335_000.0],
            "northing_m": [433_000.0, 390_000.0],
            "population": [2_000_000, 1_000_000],
            "hub_station_id": ["LDS", None],
            "n_lines": [np.nan, np.nan],
            "prior_lines": [np.nan, np.nan],
        },
        index=pd.Index(["west", "mersey"], name="exporter_id"),
    )


@pytest.fixture
def stations():
    return (
        empty(STATIONS)
        .reindex(["LDS"])
        .rename_axis("station_id")
        .assign(name="Leeds", easting_m=430_000.0, northing_m=433_000.0, is_in_force=False)
    )


@pytest.fixture
def small_areas():
    """Near the hub: 100 poor and 1 not; far from it 10; near the middle of Mersey 7; 5 in no exporting area."""
    return pd.DataFrame(
        {
            "exporter_id": ["west", "west", "west", "mersey", "moon"],
            "easting_m": [430_000.0, 431_000.0, 445_000.0, 336_000.0, 430_000.0],
            "northing_m": [433_000.0, 433_000.0, 433_000.0, 390_000.0, 433_000.0],
            "population": [100, 1, 10, 7, 5],
            "imd_decile": [1, 2, 1, 1, 1],
        }
    )


def test_strength_is_the_poor_near_the_hub_or_else_near_the_middle(exporters, stations, small_areas):
    assert measure_export_strength(exporters, stations, small_areas).to_dict() == {"west": 100.0, "mersey": 7.0}


def test_strength_grows_with_reach_and_decile(exporters, stations, small_areas):
    wide = measure_export_strength(exporters, stations, small_areas, reach_m=15_000.0, highest_decile=2)
    assert wide.to_dict() == {"west": 111.0, "mersey": 7.0}


def test_faults_of_strength_are_named(exporters, stations, small_areas):
    with pytest.raises(
        UsageError, match="export strength: reach_m is 0 and highest_decile 1, expected a positive reach"
    ):
        measure_export_strength(exporters, stations, small_areas, reach_m=0)
    with pytest.raises(UsageError, match=r"highest_decile 11"):
        measure_export_strength(exporters, stations, small_areas, highest_decile=11)
    with pytest.raises(TableError, match=r"small_areas: columns \['imd_decile'\] are missing"):
        measure_export_strength(exporters, stations, small_areas.drop(columns="imd_decile"))
