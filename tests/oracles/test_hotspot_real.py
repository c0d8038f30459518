"""Hotspots on the real files: what the issue claims must be true of them."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.hotspots.clusters import cluster_offences
from geo.hotspots.comparison import Split, compare_over_origins, estimate_gain, rolling_splits
from geo.hotspots.detectors import DEFAULT_DETECTOR, standard_detectors
from geo.hotspots.events import build_events
from geo.hotspots.grid import build_grid
from geo.hotspots.hot_cells import find_hot_cells
from geo.hotspots.network_density import build_network, cut_lixels, measure_network_density, snap_events
from geo.sources.police_uk import read_police_uk

pytestmark = pytest.mark.real
DETECTORS = standard_detectors(bandwidth_m=600, half_life_periods=3, eps_m=150, min_weight=10)


@pytest.fixture(scope="module")
def offences(real_data):
    return read_police_uk([real_data / "crime" / "north-yorkshire"]).table


@pytest.fixture(scope="module")
def force_area(real_data):
    lsoas = gpd.read_file(real_data / "boundaries" / "lsoa21_north_yorkshire_imd2025_pop2021.geojson")
    return shapely.union_all(lsoas.to_crs("EPSG:27700").geometry.make_valid().to_numpy())


def test_the_default_detector_wins_at_every_origin_and_beats_counting(offences, force_area):
    grid = build_grid(force_area, cell_m=200)
    events = build_events(offences, targets=["Drugs"])
    costs = {"area": np.ones(len(grid))}
    options = {"costs": costs, "coverage_share": [0.001, 0.0025, 0.005, 0.01]}
    january = pd.Period("2025-01", "M").ordinal
    splits = rolling_splits(january, january + 8, n_least_train=3, n_test=3)
    origins = compare_over_origins(events, grid, splits=splits, detectors=DETECTORS, **options)
    assert origins.index[0] == DEFAULT_DETECTOR
    assert origins["n_origins_won"].iloc[0] == len(splits)
    named = {detector.name: detector for detector in DETECTORS}
    gain, (low, _) = estimate_gain(
        events,
        grid,
        split=Split(january, january + 5, january + 6, january + 8),
        one=named[DEFAULT_DETECTOR],
        other=named["prior counts"],
        n_resamples=500,
        random_state=1,
        **options,
    )
    assert low > 0.1
    assert gain == pytest.approx(0.18, abs=0.02)


def test_police_stations_are_no_drug_hotspots(offences, force_area):
    drugs = offences[offences["crime_type"] == "Drugs"]
    found = cluster_offences(drugs)
    assert sum(found.n_by_fate.values()) == len(drugs)
    assert found.n_by_fate["custody_location"] >= 50
    assert 5 < len(found.hotspots) < 100
    at_station = drugs.index[drugs["location"] == "On or near Police Station"]
    assert not found.membership.index.isin(at_station).any()
    hot = find_hot_cells(drugs, build_grid(force_area, cell_m=500))
    assert 0 < hot["n_offences"].sum() < 0.5 * len(drugs)


def test_density_along_the_rail_corridor_keeps_every_offence_near_it(real_data, offences):
    track = gpd.read_file(real_data / "rail" / "rail_heavy.geojson").to_crs("EPSG:27700")
    near_york = (
        track[track.intersects(shapely.box(440_000, 430_000, 480_000, 470_000))].explode().reset_index(drop=True)
    )
    network = build_network(near_york)
    drugs = offences[(offences["crime_type"] == "Drugs") & offences["easting_m"].notna()]
    edge, chainage_m = snap_events(
        near_york, drugs["easting_m"].to_numpy(), drugs["northing_m"].to_numpy(), most_offset_m=500
    )
    near = edge >= 0
    lixels = cut_lixels(network, lixel_m=100)
    density = measure_network_density(
        network, lixels, edge[near], chainage_m[near], np.ones(near.sum()), bandwidth_m=2000
    )
    assert 10 < near.sum() < len(drugs)
    assert (density * lixels.length_m / 1000).sum() == pytest.approx(near.sum())
    assert np.bincount(lixels.edge, weights=lixels.length_m) == pytest.approx(near_york.length)
