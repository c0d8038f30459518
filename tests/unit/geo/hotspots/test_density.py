import numpy as np
import pytest
import shapely

from geo.errors import UsageError
from geo.hotspots.density import choose_bandwidth, measure_density, measure_relative_density, smooth_cells
from geo.hotspots.grid import build_grid

GRID = build_grid(shapely.box(0, 0, 10_000, 10_000), cell_m=100)
EAST, NORTH = np.array([4050.0, 4050.0, 6150.0]), np.array([5050.0, 5050.0, 5250.0])


@pytest.mark.parametrize("kernel", ["quartic", "gaussian"])
def test_density_integrates_to_the_weight(kernel):
    density = measure_density(EAST, NORTH, np.array([1.0, 2.0, 4.0]), GRID, bandwidth_m=700, kernel=kernel)
    assert (density * GRID.area_km2).sum() == pytest.approx(7.0)
    assert (density >= 0).all()


def test_density_is_the_sum_of_quartic_kernels():
    weight = np.array([1.0, 2.0, 4.0])
    density = measure_density(EAST, NORTH, weight, GRID, bandwidth_m=2000)
    distance_m = np.hypot(*(GRID.centre_m[:, None, :] - np.column_stack([EAST, NORTH])[None]).transpose(2, 0, 1))
    exact = 3 / np.pi / 4.0 * (np.maximum(1 - (distance_m / 2000) ** 2, 0) ** 2) @ weight
    assert abs(density - exact).max() < 0.005 * exact.max()


def test_two_points_at_one_place_are_one_of_twice_the_weight():
    ones = measure_density(EAST, NORTH, np.ones(3), GRID, bandwidth_m=500)
    two = measure_density(EAST[1:], NORTH[1:], np.array([2.0, 1.0]), GRID, bandwidth_m=500)
    assert ones == pytest.approx(two)


def test_edge_correction_makes_a_uniform_pattern_uniform():
    centre = GRID.centre_m
    plain = measure_density(centre[:, 0], centre[:, 1], np.ones(len(GRID)), GRID, bandwidth_m=1000)
    even = measure_density(
        centre[:, 0], centre[:, 1], np.ones(len(GRID)), GRID, bandwidth_m=1000, is_edge_corrected=True
    )
    assert even == pytest.approx(100.0)
    assert plain.min() < 40


def test_relative_density_is_one_where_risk_is_average_and_higher_where_it_is_not():
    people = np.random.default_rng(1).uniform(10, 20, len(GRID))
    offences = people * 0.01
    assert measure_relative_density(offences, people, GRID, bandwidth_m=800) == pytest.approx(1.0)
    hot = np.hypot(*(GRID.centre_m - 5000).T) < 300
    raised = measure_relative_density(np.where(hot, 5, 1) * offences, people, GRID, bandwidth_m=300)
    assert raised[hot].min() > 2
    assert np.isnan(measure_relative_density(offences, people * 1e-9, GRID, bandwidth_m=300)).all()


def test_the_chosen_bandwidth_is_near_the_one_that_made_the_points():
    rng = np.random.default_rng(4)
    centres = rng.uniform(0, 50_000, (40, 2))
    points = centres[rng.integers(0, 40, 2500)] + rng.normal(0, 300, (2500, 2))
    best, score = choose_bandwidth(*points.T, np.ones(2500), candidates_m=[50, 150, 500, 1500, 5000, 15_000], snap_m=1)
    assert best == 500
    assert max(score, key=score.get) == best


def test_tied_points_do_not_drive_the_bandwidth_to_nothing():
    rng = np.random.default_rng(4)
    points = rng.normal(10_000, 1000, (300, 2)).round(-2)
    candidates_m = [110, 500, 1000]
    at, weight = np.unique(points, axis=0, return_counts=True)
    assert choose_bandwidth(*at.T, 2.0 * weight, candidates_m=candidates_m, snap_m=100)[0] > 110
    assert choose_bandwidth(*at.T, 2.0 * weight, candidates_m=[1, *candidates_m], snap_m=0.01)[0] == 1


def test_what_cannot_be_smoothed_is_refused():
    with pytest.raises(UsageError, match=r"bandwidth_m: it is -1.*positive length in metres"):
        smooth_cells(np.ones(len(GRID)), GRID, bandwidth_m=-1)
    with pytest.raises(UsageError, match="kernel: it is 'box', expected one of quartic, gaussian"):
        smooth_cells(np.ones(len(GRID)), GRID, bandwidth_m=100, kernel="box")
    with pytest.raises(UsageError, match=r"at_risk: it sums to .*0\.0"):
        measure_relative_density(np.ones(len(GRID)), np.zeros(len(GRID)), GRID, bandwidth_m=100)
    with pytest.raises(UsageError, match=r"candidates_m: they are \[10\], expected some, all above snap_m 50"):
        choose_bandwidth(EAST, NORTH, np.ones(3), candidates_m=[10], snap_m=50)
