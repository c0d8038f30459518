"""Demand and strength: people moved by reports, never by enforcement; deprivation near the main station."""

import numpy as np
import pandas as pd
import pytest

from geo.corridors.demand import weigh_demand
from geo.corridors.strength import measure_export_strength
from geo.errors import TableError, UsageError
from geo.schema import empty
from geo.tables import OFFENCES, STATIONS


@pytest.fixture
def places():
    """Two towns of 10,000 people, 20 km apart."""
    return pd.DataFrame(
        {
            "name": ["Ayton", "Beckby"],
            "easting_m": [440_000.0, 460_000.0],
            "northing_m": 450_000.0,
            "population": [10_000, 10_000],
            "population_basis": "made up",
            "is_in_force": True,
        },
        index=pd.Index(["ayton", "beckby"], name="place_id"),
    )


def offences(places_and_provenance):
    """One offence a pair: easting and who brought it to light."""
    table = empty(OFFENCES).reindex(range(len(places_and_provenance))).rename_axis("offence_id")
    return table.assign(
        month=pd.PeriodIndex(["2025-01"] * len(table), freq="M"),
        time_precision="month",
        crime_type="Drugs",
        force="north-yorkshire",
        location_precision="snapped",
        provenance=[who for _, who in places_and_provenance],
        easting_m=[float(e) for e, _ in places_and_provenance],
        northing_m=450_000.0,
        harm_basis="none",
        source_file="made_up.csv",
        source_row=np.arange(2, len(table) + 2),
        occurred_from_at=pd.Series(pd.NaT, index=table.index, dtype="datetime64[ns, UTC]"),
        occurred_to_at=pd.Series(pd.NaT, index=table.index, dtype="datetime64[ns, UTC]"),
    )


def test_without_reports_a_town_weighs_its_people(places):
    assert weigh_demand(places, empty(OFFENCES)).tolist() == [10_000.0, 10_000.0]


def test_reports_move_the_weight_by_the_shrunk_relative_rate(places):
    seen = offences([(440_000, "public_report")] * 30 + [(460_500, "partner_referral")] * 10)
    weight = weigh_demand(places, seen, prior_strength_offences=20.0)
    assert weight.tolist() == pytest.approx([10_000 * 50 / 40, 10_000 * 30 / 40])


def test_enforcement_never_counts(places):
    led = offences([(440_000, "public_report")] * 5 + [(460_000, "public_report")] * 5)
    more = offences(
        [(440_000, "public_report")] * 5
        + [(460_000, "public_report")] * 5
        + [(440_000, "police_proactive")] * 90
        + [(460_000, "custody_location")] * 50
        + [(440_000, "unknown")] * 70
    )
    pd.testing.assert_series_equal(weigh_demand(places, led), weigh_demand(places, more))
    with pytest.raises(UsageError, match=r"provenance: \['police_proactive'\] is enforcement"):
        weigh_demand(places, led, provenance=("public_report", "police_proactive"))


def test_reports_out_of_reach_belong_to_no_town(places):
    seen = offences([(440_000, "public_report"), (450_000, "public_report")])
    assert weigh_demand(places, seen, reach_m=4_000).equals(weigh_demand(places, seen.iloc[:1], reach_m=4_000))


@pytest.mark.parametrize("setting", ["reach_m", "prior_strength_offences"])
def test_demand_settings_must_be_positive(places, setting):
    with pytest.raises(UsageError, match=f"{setting}: it is 0, expected more than 0"):
        weigh_demand(places, empty(OFFENCES), **{setting: 0})


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
