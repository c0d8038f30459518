"""The real files: every row accounted for, and the facts that their README states."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely

from geo.sources.boundaries import read_areas, read_boundaries
from geo.sources.built_up_areas import read_built_up_places
from geo.sources.passenger_flows import read_passenger_flows, read_station_usage
from geo.sources.places import read_towns
from geo.sources.police_uk import read_police_uk
from geo.sources.stations import read_stations
from geo.sources.track import read_track

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def north_yorkshire(real_data: Path):
    return read_police_uk([real_data / "crime" / "north-yorkshire"])


@pytest.fixture(scope="module")
def areas(real_data: Path):
    return read_areas(real_data / "boundaries" / "lsoa21_north_yorkshire_imd2025_pop2021.geojson").table


def count_lines(path: Path) -> int:
    return path.read_bytes().count(b"\n")


def test_every_north_yorkshire_row_of_2025_is_accounted_for(real_data, north_yorkshire):
    files = sorted((real_data / "crime" / "north-yorkshire").rglob("*.csv"))
    n_rows = {path.name: count_lines(path) - 1 for path in files}
    assert {account.source_file: account.n_read for account in north_yorkshire.accounts} == n_rows
    assert len(north_yorkshire.table) + len(north_yorkshire.quarantine) == sum(n_rows.values()) == 47_045


def test_the_facts_of_north_yorkshire_2025_hold(north_yorkshire):
    table = north_yorkshire.table
    drugs = table[table["crime_type"] == "Drugs"]
    assert len(drugs) == 1_336
    assert int((drugs["month"] == pd.Period("2025-07")).sum()) == 245
    assert int((table["location_precision"] == "none").sum()) == 311
    assert int((table["provenance"] == "custody_location").sum()) == 368
    assert table.loc[table["location_precision"] == "none", "easting_m"].isna().all()


def test_crime_rows_of_2025_carry_2021_areas(north_yorkshire, areas):
    codes = north_yorkshire.table["lsoa_code"].dropna()
    assert codes.isin(areas.index).mean() == pytest.approx(0.997, abs=0.0005)


def test_overlapping_months_are_counted_once(real_data, north_yorkshire):
    month = real_data / "crime" / "gb-drugs-weapons-robbery" / "2025-01-street.csv.gz"
    own = real_data / "crime" / "north-yorkshire" / "2025-01"
    both = read_police_uk([own, month])
    force = both.table[both.table["force"] == "North Yorkshire Police"]
    january = north_yorkshire.table[north_yorkshire.table["month"] == pd.Period("2025-01")]
    pd.testing.assert_index_equal(force.index, january.index)
    assert set(both.quarantine["status"]) == {"duplicate"}
    assert len(both.quarantine) == 183


def test_british_transport_police_is_read_whole(real_data):
    reading = read_police_uk([real_data / "crime" / "btp"])
    assert len(reading.table) == 5_694
    assert reading.table["location"].str.endswith("Station)").mean() > 0.9


def test_stations_and_towns_lie_where_they_are_said_to(real_data, areas):
    force_area = shapely.union_all(areas.geometry.to_numpy())
    stations = read_stations(real_data / "rail" / "stations_npm_1.11.1.csv", force_area=force_area).table
    assert len(stations) == 2_608
    assert stations.loc[["YRK", "HGT", "SCA", "SKI"], "is_in_force"].all()
    assert not stations.loc[["LDS", "MAN", "MBR"], "is_in_force"].any()
    towns = read_towns(
        real_data / "boundaries" / "towns_north_yorkshire_geonames_x_ons_bua2021.csv", force_area=force_area
    )
    assert len(towns.table) == 110
    assert towns.table["is_in_force"].all()
    assert "Ingleby Greenhow" not in set(towns.table["name"])
    assert towns.table.set_index("name").loc["York", "population"] == 141_685


def test_passengers_sum_to_the_published_total(real_data):
    flows = read_passenger_flows(real_data / "rail" / "odm_gb_2024_25.csv.gz").table
    assert len(flows) == 1_597_996
    assert flows["n_journeys_per_year"].sum() == pytest.approx(1.53e9, rel=0.002)
    assert flows.index.is_monotonic_increasing
    usage = read_station_usage(real_data / "rail" / "orr_usage_1997_2021_long.csv.gz").table
    assert len(usage) == 2_568
    assert usage.loc["YRK", "n_entries_exits_per_year"] == 8_091_546


def test_track_is_as_long_as_stated(real_data):
    track = read_track(real_data / "rail" / "rail_heavy.geojson").table
    assert len(track) == 1_564
    assert track.length.sum() / 1000 == pytest.approx(15_235, abs=1)


def test_boundaries_of_england_and_wales_have_43_forces(real_data):
    reading = read_boundaries(
        real_data / "boundaries" / "police_force_areas_2020_EW.geojson",
        kind="force",
        id_property="pfa20_code",
        name_property="pfa20_name",
    )
    assert len(reading.table) == 43
    assert np.all(reading.table.is_valid)


def test_great_britain_has_towns_with_census_populations(real_data):
    folder = real_data / "boundaries"
    reading = read_built_up_places(
        folder / "geonames_cities500_GB.csv", folder / "ons_bua2022_population_census2021_GB.csv", force_area=None
    )
    table = reading.table.set_index("name")
    assert [account.n_read for account in reading.accounts] == [5_913, 6_985]
    for name, population in (
        ("Leeds", 536_280),
        ("Bolton", 184_090),
        ("Harrogate", 75_515),
        ("Skipton", 15_050),
        ("Brighton", 277_105),
    ):
        assert table.loc[name, "population"] == population
    assert "Holloway" not in table.index
    assert "Ingleby Greenhow" not in table.index
    assert set(table["population_basis"]) == {"ONS built-up area, census 2021", "GeoNames"}


def test_the_national_join_agrees_with_the_derived_list(real_data):
    folder = real_data / "boundaries"
    national = read_built_up_places(
        folder / "geonames_cities500_GB.csv", folder / "ons_bua2022_population_census2021_GB.csv", force_area=None
    ).table
    derived = read_towns(folder / "towns_north_yorkshire_geonames_x_ons_bua2021.csv", force_area=None).table
    shared = derived.index.intersection(national.index)
    assert len(shared) > 0.8 * len(derived)
    assert (derived.loc[shared, "population"] == national.loc[shared, "population"]).mean() > 0.95
