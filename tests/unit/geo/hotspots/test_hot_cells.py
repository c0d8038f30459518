import numpy as np
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal

from geo.errors import UsageError
from geo.hotspots.detectors import Detector
from geo.hotspots.grid import build_grid
from geo.hotspots.hot_cells import find_foreseen_cells, find_hot_cells
from geo.hotspots.surface import measure_surface
from tests.unit.geo.hotspots.toy_offences import make_offences

GRID = build_grid(shapely.box(0, 0, 10_000, 10_000), cell_m=250)


def planted(seed=0, n_planted=60):
    rng = np.random.default_rng(seed)
    xy = np.vstack([rng.uniform(0, 10_000, (300, 2)), rng.uniform([3000, 6000], [3500, 6500], (n_planted, 2))])
    return make_offences(*xy.round(-1).T)


def test_the_planted_hotspot_is_found_where_it_is():
    hotspots = find_hot_cells(planted(), GRID)
    assert len(hotspots) == 1
    patch = hotspots.iloc[0]
    assert patch.geometry.contains(shapely.box(3000, 6000, 3500, 6500))
    assert patch["n_offences"] >= 60
    assert patch["area_km2"] == pytest.approx(patch.geometry.area / 1e6)
    assert patch["z_score"] > 5
    assert patch["q_value"] < 0.01


def test_uniform_points_have_hardly_ever_a_hotspot():
    assert sum(len(find_hot_cells(planted(seed, n_planted=0), GRID)) for seed in range(10)) <= 2


def test_row_order_changes_nothing():
    offences = planted()
    assert_geodataframe_equal(find_hot_cells(offences, GRID), find_hot_cells(offences.iloc[::-1], GRID))


def test_names_are_kept_from_the_last_run():
    first = find_hot_cells(planted(), GRID)
    moved = planted(seed=1)
    renamed = first.rename(index={first.index[0]: "HS-OLD"})
    assert find_hot_cells(moved, GRID, previous=renamed).index.tolist() == ["HS-OLD"]


def test_no_offences_have_no_hotspots():
    assert find_hot_cells(make_offences([], []), GRID).empty


def test_a_quiet_patch_in_a_busy_town_is_no_hotspot():
    grid = build_grid(shapely.box(0, 0, 4000, 4000), cell_m=250)
    rng = np.random.default_rng(0)
    at = rng.uniform(0, 4000, (6000, 2))
    is_quiet = (abs(at - 2000) < 600).all(axis=1) & (rng.uniform(size=6000) < 0.95)
    hotspots = find_hot_cells(make_offences(*at[~is_quiet].T), grid)
    assert not hotspots.intersects(shapely.box(1700, 1700, 2300, 2300)).any()


def by_targets(events, grid):
    return grid.sum_weights(
        events.easting_m[events.is_target], events.northing_m[events.is_target], 1.0 * events.weight[events.is_target]
    )


def foreseen(offences, detector, *, area_share):
    targets = set(offences["crime_type"])
    surface = measure_surface(offences, GRID, targets=targets, detector=detector)
    return find_foreseen_cells(offences, surface, targets=targets, area_share=area_share)


def test_the_foreseen_cells_are_the_highest_and_no_more_than_asked_for():
    found = foreseen(planted(), Detector("counts", by_targets), area_share=4 / len(GRID))
    assert found["area_km2"].sum() <= 4 * GRID.area_km2 + 1e-9
    assert found.geometry.intersects(shapely.box(3000, 6000, 3500, 6500)).all()
    assert found["method"].eq("foreseen").all()
    assert found["z_score"].isna().all()


def test_ties_at_the_edge_are_left_out_whatever_the_order_of_cells():
    flat = Detector("flat", lambda events, grid: 0.0 * by_targets(events, grid))
    assert foreseen(planted(n_planted=0), flat, area_share=0.5).empty


def test_a_share_out_of_range_is_refused():
    with pytest.raises(UsageError, match=r"area_share: it is 0, expected above 0 and at most 1"):
        foreseen(planted(), Detector("counts", by_targets), area_share=0)
