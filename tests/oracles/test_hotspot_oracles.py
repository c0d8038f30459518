"""Hotspot methods against independent implementations and brute force."""

import numpy as np
import pytest
import shapely
from sklearn.cluster import DBSCAN
from sklearn.metrics import adjusted_rand_score

from geo.hotspots.clusters import label_dbscan
from geo.hotspots.grid import build_grid
from geo.hotspots.local_statistics import measure_gi_star, measure_local_moran
from geo.hotspots.points import build_points
from tests.unit.geo.hotspots.toy_offences import make_offences


@pytest.fixture(scope="module")
def counted_grid():
    grid = build_grid(shapely.box(0, 0, 2000, 1500) - shapely.box(500, 500, 800, 900), cell_m=100)
    return grid, np.random.default_rng(3).poisson(2.0, len(grid)).astype(float)


def esda_weights(grid):
    from libpysal.weights import WSP

    return WSP(grid.build_neighbours().tocsr()).to_W(silence_warnings=True)


def test_gi_star_is_the_textbook_form_written_out(counted_grid):
    grid, x = counted_grid
    weights = grid.build_neighbours().toarray() + np.eye(len(grid))
    n, mean, s = len(x), x.mean(), np.sqrt((x**2).mean() - x.mean() ** 2)
    expected = [
        (weights[i] @ x - mean * weights[i].sum())
        / (s * np.sqrt((n * (weights[i] ** 2).sum() - weights[i].sum() ** 2) / (n - 1)))
        for i in range(n)
    ]
    assert abs(measure_gi_star(x, grid.build_neighbours())["z_score"].to_numpy() - expected).max() < 1e-9


@pytest.mark.filterwarnings("ignore")
def test_gi_star_equals_esda_on_float_input(counted_grid):
    from esda.getisord import G_Local

    grid, x = counted_grid
    expected = G_Local(x, esda_weights(grid), transform="B", star=True, permutations=0).Zs
    assert abs(measure_gi_star(x, grid.build_neighbours())["z_score"].to_numpy() - expected).max() < 1e-9


@pytest.mark.filterwarnings("ignore")
def test_local_moran_equals_esda(counted_grid):
    from esda.moran import Moran_Local

    grid, x = counted_grid
    expected = Moran_Local(x, esda_weights(grid), transformation="r", permutations=0).Is
    measured = measure_local_moran(x, grid.build_neighbours(), n_permutations=99, random_state=0)["moran_i"].to_numpy()
    # esda divides by n - 1 where the standard deviation here divides by n.
    assert measured * (len(x) - 1) / len(x) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_weighted_points_cluster_as_scikit_learn_clusters_the_rows(seed):
    rng = np.random.default_rng(seed)
    rows = rng.normal(rng.uniform(0, 3000, (12, 2))[rng.integers(0, 12, 600)], 90).round(-1) + 1000
    points = build_points(make_offences(rows[:, 0], rows[:, 1]))
    expected = DBSCAN(eps=80, min_samples=9).fit(rows)
    ours = label_dbscan(points.coordinates_m, points.weight, eps_m=80, min_weight=9)[points.point_of_offence]
    core = np.zeros(len(rows), dtype=bool)
    core[expected.core_sample_indices_] = True
    assert adjusted_rand_score(expected.labels_[core], ours[core]) == 1.0
    # A border point may join either of two clusters in reach, so noise is what must agree outside the cores.
    assert ((ours < 0) == (expected.labels_ < 0)).all()
