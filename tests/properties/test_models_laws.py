"""Laws that every score must keep, whatever the numbers."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.composition import measure_reasons
from models.draws import IndexSettings, base_realisation, draw_realisations
from models.index import cap_weights
from models.metrics import bootstrap_difference, hit_rate, select_top
from models.monitoring import adjust_holm
from models.normalisation import NORMALISATIONS, normalise
from models.scoring import rank_units, score_units
from models.shrinkage import fit_gamma_prior
from tests.unit.models.worlds import feature_set

whole = st.integers(0, 30)
counts = arrays(np.int64, st.tuples(st.integers(3, 14), st.integers(2, 5), st.just(3)), elements=whole)
method = st.sampled_from(NORMALISATIONS)


def flows(n: int, seed: int) -> np.ndarray:
    return np.modf(np.arange(1, n + 1) * 0.6180339 * (seed + 1))[0] * 20


@given(counts, st.integers(0, 99), method)
def test_reasons_sum_to_a_score_between_nothing_and_a_hundred(numbers, seed, name):
    world = feature_set(numbers, flow=flows(len(numbers), seed), hotspot_harm=numbers[:, 0, 0].astype(float))
    table = score_units(world, random_state=seed, n_draws=5, settings=IndexSettings(normalisation=name)).table
    assert np.abs(table.filter(like="reason_").sum(axis=1) - table["score"]).max() < 1e-9
    assert table["score"].between(0, 100).all()
    assert (table.filter(like="reason_") >= 0).all().all()


@given(counts, st.integers(0, 99), method)
def test_shuffling_units_changes_nothing_by_id(numbers, seed, name):
    flow = flows(len(numbers), seed)
    order = np.argsort(flows(len(numbers), seed + 7))
    settings = IndexSettings(normalisation=name)
    draws = []
    for rows in (np.arange(len(numbers)), order):
        world = feature_set(numbers[rows], flow=flow[rows])
        points = measure_reasons(world, base_realisation(world, settings), settings)[0].sum(axis=1)
        draws.append(points[np.argsort(rows)])
    np.testing.assert_allclose(draws[0], draws[1], atol=1e-9)


@given(counts, st.integers(2, 5))
def test_counting_twice_as_many_of_everything_changes_no_percentile_rank(numbers, times):
    settings = IndexSettings(weights={"demand_offences": 1.0})
    scores = [
        measure_reasons(world := feature_set(n), base_realisation(world, settings), settings)[0].sum(axis=1)
        for n in (numbers, numbers * times)
    ]
    np.testing.assert_array_equal(rank_units(scores[0]), rank_units(scores[1]))


@given(counts, st.integers(0, 50))
def test_one_more_event_never_lowers_its_own_station(numbers, where):
    settings = IndexSettings(weights={"demand_offences": 1.0})
    k = where % len(numbers)
    more = numbers.copy()
    more[k, 0, 0] += 5
    ranks = [
        rank_units(measure_reasons(world := feature_set(n), base_realisation(world, settings), settings)[0].sum(axis=1))
        for n in (numbers, more)
    ]
    assert ranks[1][k] <= ranks[0][k]


@given(arrays(float, st.tuples(st.integers(1, 4), st.integers(2, 12)), elements=st.floats(0, 1e6)), method)
def test_normalised_values_keep_their_order_and_range(values, name):
    scaled = normalise(values, name)
    assert ((scaled >= 0) & (scaled <= 1 + 1e-12)).all()
    for row, kept in zip(values, scaled, strict=True):
        assert (np.diff(kept[np.argsort(row, kind="stable")]) >= -1e-12).all()


@example(np.array([[0.25, 0.01]]), 3)
@given(arrays(float, st.tuples(st.integers(1, 5), st.integers(2, 6)), elements=st.floats(0.01, 10)), st.integers(0, 63))
def test_capped_weights_sum_to_one_and_keep_their_cap(weights, mask):
    led = np.array([bool(mask >> m & 1) for m in range(weights.shape[1])])
    capped = cap_weights(weights, led)
    np.testing.assert_allclose(capped.sum(axis=1), 1.0)
    if not led.all():
        assert (capped[:, led].sum(axis=1) <= 0.2 + 1e-12).all()


@given(counts, st.integers(0, 99))
def test_draws_leave_the_inputs_and_keep_weights_whole(numbers, seed):
    world = feature_set(numbers, propensity=np.ones(len(numbers)), flow=flows(len(numbers), seed))
    before = world.evidence.counts.copy(), world.fixed.copy()
    draws = draw_realisations(world, IndexSettings(), n_draws=7, random_state=seed)
    np.testing.assert_allclose(draws.weights.sum(axis=1), 1.0)
    assert ((draws.unknown_share >= 0) & (draws.unknown_share <= 1)).all()
    np.testing.assert_allclose(draws.month_weights.sum(axis=1), numbers.shape[1])
    np.testing.assert_array_equal(before[0], world.evidence.counts)
    assert before[1].equals(world.fixed)


@given(
    arrays(float, st.tuples(st.integers(1, 3), st.integers(2, 15)), elements=st.floats(0, 9)),
    st.integers(1, 15),
)
def test_a_list_has_its_length_and_its_hits_grow_with_it(forecasts, n_top):
    member = select_top(forecasts, n_top)
    np.testing.assert_allclose(member.sum(axis=1), min(n_top, forecasts.shape[1]))
    outcomes = np.round(forecasts[:, ::-1])
    if outcomes.sum() > 0:
        rates = [hit_rate(forecasts, outcomes, n_top=k) for k in range(1, forecasts.shape[1] + 1)]
        assert (np.diff(rates) >= -1e-9).all()
        assert abs(rates[-1] - 1) < 1e-9
        best = hit_rate(outcomes, outcomes, n_top=n_top)
        assert hit_rate(forecasts, outcomes, n_top=n_top) <= best + 1e-9


@given(arrays(np.int64, st.tuples(st.integers(1, 3), st.integers(2, 12)), elements=whole), st.integers(0, 9))
def test_swapping_the_two_forecasts_turns_the_gain_round(outcomes, seed):
    a, b = outcomes[:, ::-1].astype(float), outcomes.astype(float)
    there = bootstrap_difference(a, b, b, np.arange(b.shape[1]), random_state=seed, n_top=2, n_draws=50)
    back = bootstrap_difference(b, a, b, np.arange(b.shape[1]), random_state=seed, n_top=2, n_draws=50)
    np.testing.assert_allclose(there, [-back[0], -back[2], -back[1]], atol=1e-12)


@given(arrays(np.int64, st.integers(2, 30), elements=whole))
def test_shrunk_rates_lie_between_their_own_and_the_mean(numbers):
    y, exposure = numbers.astype(float), np.ones(len(numbers))
    prior = fit_gamma_prior(y, exposure)
    shrunk = prior.shrink(y, exposure)
    if y.sum() > 0:
        low, high = np.minimum(y, y.mean()), np.maximum(y, y.mean())
        assert ((shrunk >= low - 1e-9) & (shrunk <= high + 1e-9)).all()
    assert (shrunk > 0).all()


@given(arrays(float, st.integers(1, 8), elements=st.floats(0.0001, 1)))
def test_corrected_p_values_are_never_smaller_and_keep_their_order(p_values):
    corrected = adjust_holm(p_values)
    assert (corrected >= p_values - 1e-12).all()
    assert (corrected <= 1).all()
    assert (np.diff(corrected[np.argsort(p_values, kind="stable")]) >= -1e-12).all()
