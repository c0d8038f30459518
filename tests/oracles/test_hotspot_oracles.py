"""Hotspot methods against independent implementations and brute force."""

from itertools import combinations_with_replacement

import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.stats import kendalltau, norm, theilslopes
from sklearn.cluster import DBSCAN
from sklearn.metrics import adjusted_rand_score

from geo.hotspots.clusters import label_dbscan
from geo.hotspots.emerging import measure_trend
from geo.hotspots.grid import build_grid
from geo.hotspots.local_statistics import measure_gi_star, measure_local_moran
from geo.hotspots.network_density import Network, cut_lixels, measure_network_density
from geo.hotspots.points import build_points
from geo.hotspots.scan import scan_space_time
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


def test_mann_kendall_is_that_of_scipy():
    rng = np.random.default_rng(0)
    series = np.vstack([rng.normal(size=(30, 12)), rng.integers(0, 4, size=(30, 12)).astype(float)])
    trend = measure_trend(series)
    for row, x in enumerate(series):
        expected = kendalltau(np.arange(12), x, method="asymptotic")
        pairs = 12 * 11 / 2
        n_equal = sum(t * (t - 1) / 2 for t in np.unique(x, return_counts=True)[1])
        s = expected.statistic * np.sqrt(pairs * (pairs - n_equal))
        assert trend["s_statistic"][row] == pytest.approx(s)
        # SciPy makes no continuity correction.
        assert 2 * norm.sf(abs(s) / np.sqrt(trend["variance"][row])) == pytest.approx(expected.pvalue)


def test_sen_slope_is_that_of_scipy():
    series = np.random.default_rng(1).normal(size=(20, 9))
    expected = [theilslopes(x, np.arange(9)).slope for x in series]
    assert measure_trend(series)["sen_slope"].to_numpy() == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(5))
def test_the_scan_finds_what_a_search_of_every_cylinder_finds(seed):
    rng = np.random.default_rng(seed)
    places = rng.integers(0, 8, (12, 2)) * 500.0
    where = rng.integers(0, 12, 80)
    at, period = places[where], rng.integers(3, 8, 80)
    found = scan_space_time(
        *at.T, period, most_radius_m=1200, most_periods=3, n_permutations=9, random_state=0, most_neighbours=99
    ).iloc[0]
    best = (-1.0,)
    for centre in np.unique(at, axis=0):
        distance_m = np.hypot(*(at - centre).T)
        for radius_m in np.unique(distance_m[distance_m <= 1200]):
            near = distance_m <= radius_m
            for first, last in combinations_with_replacement(range(3, 8), 2):
                during = (period >= first) & (period <= last)
                n, mu = (near & during).sum(), near.sum() * during.sum() / 80
                if last - first < 3 and n > mu:
                    rest = (80 - n) * np.log((80 - n) / (80 - mu)) if n < 80 else 0.0
                    best = max(best, (n * np.log(n / mu) + rest, n, mu))
    assert (found["log_likelihood_ratio"], found["n_observed"], found["n_expected"]) == pytest.approx(best)


def follow_paths(adjacency, network, event, bandwidth_m, method):
    """
    Every path from an event, one after the other, as (edge, from, to, distance at from, amplitude).

    The plain form of the split densities: no waves, no lixels, no rounding.
    """
    edge, chainage_m = event
    todo = [(edge, network.head[edge], chainage_m, 0.0, 1.0), (edge, network.tail[edge], chainage_m, 0.0, 1.0)]
    at_node = {0.0: network.tail[edge], network.length_m[edge]: network.head[edge]}.get(chainage_m)
    if at_node is not None:
        arms = adjacency[at_node]
        share = min(2 / len(arms), 1.0 if method == "discontinuous" else 2.0)
        starts = [(k, far, 0.0 if network.tail[k] == at_node else network.length_m[k]) for k, far in arms]
        todo = [(k, far, start, 0.0, share) for k, far, start in starts]
    while todo:
        edge, towards, start_m, distance_m, amplitude = todo.pop()
        length_m = network.length_m[edge]
        run_m = length_m - start_m if towards == network.head[edge] else start_m
        yield edge, start_m, towards == network.head[edge], min(run_m, bandwidth_m - distance_m), distance_m, amplitude
        distance_m += run_m
        if distance_m >= bandwidth_m:
            continue
        n = len(adjacency[towards])
        for other, far in adjacency[towards]:
            back = {"continuous": (2 - n) / n, "discontinuous": 0.0}[method]
            onward = {"continuous": 2 / n, "discontinuous": 1 / max(n - 1, 1)}[method]
            share = back if other == edge else onward
            if share:
                start = 0.0 if network.tail[other] == towards else network.length_m[other]
                todo.append((other, far, start, distance_m, amplitude * share))


@pytest.mark.real
@pytest.mark.parametrize("method", ["continuous", "discontinuous"])
def test_network_density_agrees_with_every_path_on_the_chicago_streets(real_data, method):
    folder = real_data / "benchmarks" / "spatstat_chicago"
    vertices = pd.read_csv(folder / "chicago_vertices.csv")[["x", "y"]].to_numpy()
    edges = pd.read_csv(folder / "chicago_edges.csv").to_numpy()
    points = pd.read_csv(folder / "chicago_points.csv")
    length = np.hypot(*(vertices[edges[:, 0]] - vertices[edges[:, 1]]).T)
    network = Network(edges[:, 0], edges[:, 1], length, len(vertices))
    edge = points["seg"].to_numpy()
    chainage = points["tp"].to_numpy() * length[edge]
    bandwidth = 250.0
    lixels = cut_lixels(network, lixel_m=1.0)
    ours = measure_network_density(
        network, lixels, edge, chainage, np.ones(len(edge)), bandwidth_m=bandwidth, method=method
    )
    mass = np.bincount(lixels.edge, weights=ours * lixels.length_m / 1000)

    adjacency = [[] for _ in vertices]
    for k, (tail, head) in enumerate(edges):
        adjacency[tail].append((k, head))
        adjacency[head].append((k, tail))
    expected = np.zeros(len(edges))
    up_to = lambda u: 15 / 16 * (u - 2 * u**3 / 3 + u**5 / 5)  # noqa: E731
    for event in zip(edge, chainage, strict=True):
        for k, _, _, run, distance, amplitude in follow_paths(adjacency, network, event, bandwidth, method):
            expected[k] += amplitude * (up_to((distance + run) / bandwidth) - up_to(distance / bandwidth))
    # Lixels of a foot round each edge by up to half a foot of the 250 that the kernel reaches.
    assert abs(mass - expected).max() < 0.01 * expected.max()
    assert mass.sum() == pytest.approx(expected.sum(), rel=0.001)
    if method == "continuous":
        assert mass.sum() == pytest.approx(len(points))
