"""Pareto-smoothed weights: known tails are recognised, weights are weights, and resampling keeps its law."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.posterior.importance import HIGHEST_SHAPE, fit_pareto, resample, smooth_weights

N_DRAWS = 20_000
# A weighted prior of ten observations pulls the shape towards one half; 424 draws in the tail leave a spread of 0.07.
TOLERANCE = 0.2

ratios = st.lists(st.floats(-30.0, 30.0), min_size=30, max_size=80).map(np.array)
masses = st.lists(st.floats(0.0, 10.0), min_size=1, max_size=30).filter(lambda m: sum(m) > 0.1).map(np.array)


def pareto_logarithms(shape, *, n=N_DRAWS, seed=0):
    """Log ratios whose exponentials have a Pareto tail of the given shape."""
    return shape * np.random.default_rng(seed).standard_exponential(n)


@pytest.mark.parametrize("shape", [0.3, 0.5, 0.9])
def test_the_shape_of_a_pareto_tail_is_recovered(shape):
    found = [smooth_weights(pareto_logarithms(shape, seed=seed))[1] for seed in range(5)]
    assert np.mean(found) == pytest.approx(shape, abs=0.08)
    assert np.abs(np.array(found) - shape).max() < TOLERANCE


@pytest.mark.parametrize(("shape", "scale"), [(0.3, 2.0), (0.5, 1.0), (0.9, 0.5)])
def test_a_generalised_pareto_sample_gives_back_its_shape_and_scale(shape, scale):
    uniform = (np.arange(2_000) + 0.5) / 2_000
    found = fit_pareto(scale / shape * np.expm1(-shape * np.log1p(-uniform)))
    assert found == pytest.approx((shape, scale), rel=0.1)


def test_an_exponential_tail_has_a_shape_near_nothing():
    shape, scale = fit_pareto(-np.log1p(-(np.arange(2_000) + 0.5) / 2_000))
    assert shape == pytest.approx(0.0, abs=0.05)
    assert scale == pytest.approx(1.0, abs=0.05)


def test_a_heavier_tail_has_a_larger_shape_and_one_beyond_use_is_told():
    shapes = [smooth_weights(pareto_logarithms(shape))[1] for shape in (0.2, 0.6, 1.2)]
    assert shapes == sorted(shapes)
    assert shapes[0] < HIGHEST_SHAPE < shapes[2]


def test_equal_ratios_give_equal_weights_and_no_tail():
    weights, shape = smooth_weights(np.full(200, -3.25))
    assert weights == pytest.approx(np.full(200, 1 / 200), abs=1e-15)
    assert shape < HIGHEST_SHAPE


@given(ratios)
def test_weights_sum_to_one_and_none_is_negative(log_ratio):
    weights, _ = smooth_weights(log_ratio)
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    assert weights.min() >= 0
    assert np.isfinite(weights).all()


@given(ratios, st.integers(-40, 40))
def test_a_constant_added_to_every_ratio_changes_no_weight(log_ratio, constant):
    log_ratio = np.round(log_ratio * 8) / 8
    weights, shape = smooth_weights(log_ratio)
    moved, other = smooth_weights(log_ratio + constant)
    assert moved == pytest.approx(weights, abs=1e-12)
    assert other == pytest.approx(shape, abs=1e-9)


@given(ratios)
def test_smoothing_keeps_the_order_of_the_ratios(log_ratio):
    weights, _ = smooth_weights(log_ratio)
    assert (np.diff(weights[np.argsort(log_ratio, kind="stable")]) >= -1e-15).all()


def test_smoothing_takes_weight_from_one_draw_that_outweighs_all_others():
    log_ratio = np.append(np.linspace(-1.0, 0.0, 399), 12.0)
    plain = np.exp(log_ratio) / np.exp(log_ratio).sum()
    weights, shape = smooth_weights(log_ratio)
    assert weights[-1] < plain[-1]
    assert shape > HIGHEST_SHAPE


def test_too_few_draws_to_know_the_tail_have_an_infinite_shape_and_plain_weights():
    log_ratio = np.array([0.0, 1.0, 2.0])
    weights, shape = smooth_weights(log_ratio)
    assert shape == np.inf
    assert weights == pytest.approx(np.exp(log_ratio) / np.exp(log_ratio).sum())


def test_smoothed_weights_give_the_mean_of_a_wider_normal():
    """Proposals of sd 1 for a target of mean 0.5: the weighted mean is the target's."""
    draws = np.random.default_rng(3).standard_normal(8_000)
    weights, shape = smooth_weights(0.5 * draws)
    assert shape < HIGHEST_SHAPE
    assert weights @ draws == pytest.approx(0.5, abs=0.05)


@given(masses, st.integers(1, 60), st.integers(0, 5))
def test_a_row_is_drawn_between_the_floor_and_the_ceiling_of_its_due(mass, n, seed):
    weights = mass / mass.sum()
    rows = resample(weights, n, np.random.default_rng(seed))
    counts = np.bincount(rows, minlength=len(weights))
    assert len(rows) == n
    assert (np.diff(rows) >= 0).all()
    assert (counts >= np.floor(n * weights - 1e-9)).all()
    assert (counts <= np.ceil(n * weights + 1e-9)).all()


def test_a_row_is_drawn_as_often_as_its_weight_on_the_average():
    weights = np.array([0.55, 0.05, 0.3, 0.1])
    rng = np.random.default_rng(0)
    counts = np.mean([np.bincount(resample(weights, 7, rng), minlength=4) for _ in range(4_000)], axis=0)
    assert counts == pytest.approx(7 * weights, abs=0.04)


def test_a_row_of_no_weight_is_never_drawn():
    rng = np.random.default_rng(0)
    drawn = np.concatenate([resample(np.array([0.0, 0.5, 0.0, 0.5, 0.0]), 5, rng) for _ in range(200)])
    assert set(drawn) == {1, 3}
