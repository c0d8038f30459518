from itertools import permutations

import numpy as np
import pytest
import shapely
from scipy import sparse
from scipy.stats import pearson3, skew

from geo.errors import InputError, UsageError
from geo.hotspots.grid import build_grid
from geo.hotspots.local_statistics import measure_gi_star, measure_local_moran
from geo.hotspots.significance import adjust_false_discovery

GRID = build_grid(shapely.box(0, 0, 4000, 4000), cell_m=100)
NEIGHBOURS = GRID.build_neighbours()


def noise(seed):
    return np.random.default_rng(seed).poisson(1.0, len(GRID))


def test_a_planted_hotspot_is_found_and_little_else():
    value = noise(1)
    planted = (GRID.row // 3 == 5) & (GRID.column // 3 == 5)
    value[planted] += 6
    hot = measure_gi_star(value, NEIGHBOURS)["q_value"].to_numpy() < 0.05
    centre = (GRID.row == 16) & (GRID.column == 16)
    assert hot[centre].all()
    reach = (abs(GRID.row - 16) <= 2) & (abs(GRID.column - 16) <= 2)
    assert hot[~reach].mean() < 0.005


@pytest.mark.parametrize("n_per_cell", [1.0, 0.05])
def test_pure_noise_flags_no_more_than_the_stated_rate(n_per_cell):
    rng = np.random.default_rng(11)
    worlds = [rng.poisson(n_per_cell, len(GRID)) for _ in range(200)]
    # Under noise alone every flag is false, so the discovery rate is the share of worlds with any flag: 10 expected of
    # 200 at 5 %, and 17 is the 98.6 % point of that binomial.
    assert sum((measure_gi_star(world, NEIGHBOURS)["q_value"] < 0.05).any() for world in worlds) <= 17


def test_the_normal_curve_flags_too_much_on_sparse_noise():
    rng = np.random.default_rng(11)
    worlds = [rng.poisson(0.05, len(GRID)) for _ in range(40)]
    flagged = [(measure_gi_star(world, NEIGHBOURS, p_basis="normal")["q_value"] < 0.05).any() for world in worlds]
    assert sum(flagged) > 30


def test_the_gamma_curve_is_the_normal_one_where_values_are_not_skewed():
    value = np.random.default_rng(2).normal(size=len(GRID))
    gamma, normal = (measure_gi_star(value, NEIGHBOURS, p_basis=b)["p_value"].to_numpy() for b in ("gamma", "normal"))
    assert abs(gamma - normal).max() < 0.02


def test_permutation_p_values_are_uniform_on_noise_and_agree_with_the_gamma_curve():
    value = np.random.default_rng(3).gamma(0.5, size=len(GRID))
    own = measure_gi_star(value, NEIGHBOURS, p_basis="permutation", n_permutations=199, random_state=1)
    p = own["p_value"].to_numpy()
    assert 0.02 < (p <= 0.05).mean() < 0.08
    assert 0.4 < np.median(p) < 0.6


def test_the_three_moments_are_those_of_permuted_values():
    rng = np.random.default_rng(5)
    value = rng.gamma(0.3, size=60)
    weights = sparse.csr_array(np.triu(rng.uniform(size=(60, 60)) < 0.1, 1) * rng.uniform(size=(60, 60)))
    weights = weights + weights.T + sparse.eye_array(60, format="csr")
    measured = measure_gi_star(value, weights)
    hottest = int(measured["z_score"].argmax())
    row = weights[[hottest]].toarray().ravel()
    draws = np.array([row @ rng.permutation(value) for _ in range(10_000)])
    expected = 2 * (draws >= row @ value).mean()
    assert measured["p_value"][hottest] == pytest.approx(expected, rel=0.15)
    # The normal curve is far too sure of it.
    assert measure_gi_star(value, weights, p_basis="normal")["p_value"][hottest] < 0.5 * expected


def test_weights_of_one_equal_counts_and_other_weights_do_not():
    counts = noise(4)
    plain = measure_gi_star(counts, NEIGHBOURS)["z_score"].to_numpy()
    ones = measure_gi_star(counts * 1.0, NEIGHBOURS)["z_score"].to_numpy()
    uneven = measure_gi_star(counts * np.resize([1.0, 100.0], len(counts)), NEIGHBOURS)["z_score"].to_numpy()
    assert (plain == ones).all()
    assert abs(plain - uneven).max() > 0.5


def test_scaling_or_shifting_the_values_changes_no_z_score():
    value = noise(5).astype(float)
    z = measure_gi_star(value, NEIGHBOURS)["z_score"].to_numpy()
    assert measure_gi_star(7 * value + 3, NEIGHBOURS)["z_score"].to_numpy() == pytest.approx(z)


def test_values_that_do_not_vary_have_no_hot_spot():
    result = measure_gi_star(np.full(len(GRID), 0.1), NEIGHBOURS)
    assert (result["z_score"] == 0).all()
    assert (result["q_value"] == 1).all()


def test_an_island_is_flagged_and_kept():
    weights = sparse.csr_array(np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]], dtype=float))
    result = measure_gi_star([1, 2, 9], weights)
    assert result["is_island"].tolist() == [False, False, True]
    assert np.isfinite(result["z_score"]).all()
    moran = measure_local_moran([1, 2, 9], weights, n_permutations=99, random_state=0)
    assert moran["p_value"].isna().tolist() == [False, False, True]


def test_moran_tells_clusters_from_outliers():
    value = np.zeros(len(GRID))
    value[(GRID.row < 6) & (GRID.column < 6)] = 5.0
    lone = np.flatnonzero((GRID.row == 30) & (GRID.column == 30))[0]
    value[lone] = 5.0
    result = measure_local_moran(value + noise(6) * 0.01, NEIGHBOURS, n_permutations=199, random_state=0)
    corner = np.flatnonzero((GRID.row == 2) & (GRID.column == 2))[0]
    assert result.loc[corner, "quadrant"] == "high-high"
    assert result.loc[corner, "p_value"] == 0.01
    assert result.loc[lone, "quadrant"] == "high-low"


def test_the_same_seed_gives_the_same_p_values_and_another_seed_others():
    one, two, three = (
        measure_gi_star(noise(7), NEIGHBOURS, p_basis="permutation", n_permutations=99, random_state=seed)["p_value"]
        for seed in (1, 1, 2)
    )
    assert one.equals(two)
    assert not one.equals(three)


def test_false_discovery_adjustment_is_that_of_scipy():
    from scipy.stats import false_discovery_control

    p = np.random.default_rng(0).uniform(size=(7, 11)) ** 3
    assert adjust_false_discovery(p) == pytest.approx(false_discovery_control(p.ravel()).reshape(p.shape))


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(InputError, match=r"neighbours: shape is \(1600, 1600\), expected \(2, 2\)"):
        measure_gi_star([1, 2], NEIGHBOURS)
    with pytest.raises(InputError, match="value: 1 are not finite"):
        measure_gi_star([1, np.nan], sparse.csr_array((2, 2)))
    with pytest.raises(UsageError, match="random_state: it is None, expected an integer"):
        measure_gi_star([1, 2], sparse.csr_array((2, 2)), p_basis="permutation", n_permutations=99)
    with pytest.raises(UsageError, match="p_basis: it is 'exact', expected 'gamma', 'normal' or 'permutation'"):
        measure_gi_star([1, 2], sparse.csr_array((2, 2)), p_basis="exact")
    with pytest.raises(UsageError, match="n_permutations: it is 9, expected at least 99"):
        measure_local_moran([1, 2], sparse.csr_array((2, 2)), n_permutations=9, random_state=1)


def test_the_curve_has_the_moments_of_every_permutation():
    value = np.array([0.0, 0.0, 1.0, 0.5, 7.0, 2.5, 0.25])
    weights = np.array([1.0, 1.0, 0.0, 0.5, 0.0, 0.0, 2.0])
    sums = np.array([weights @ order for order in set(permutations(value))])
    matrix = sparse.csr_array(np.vstack([weights, np.eye(7)[1:]]))
    z = (weights @ value - sums.mean()) / sums.std()
    measured = measure_gi_star(value, matrix)
    assert measured["z_score"][0] == pytest.approx(z)
    tail = pearson3(skew(sums)).cdf(z)
    assert measured["p_value"][0] == pytest.approx(2 * min(tail, 1 - tail))


def test_a_unit_is_never_drawn_as_its_own_neighbour():
    weights = sparse.csr_array(np.array([[0, 0, 0, 1], [1, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0]], dtype=float))
    p = measure_gi_star([100, 1, 1, 2], weights, p_basis="permutation", n_permutations=999, random_state=1)["p_value"]
    # Of the three others, one is as large as the neighbour that unit 0 has.
    assert p[0] == pytest.approx(2 / 3, abs=0.06)
