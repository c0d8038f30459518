"""Reasons, what-if, sensitivity and feedback."""

import numpy as np
import pytest

from geo.errors import UsageError
from models.draws import IndexSettings
from models.feedback import simulate_two_areas
from models.reasons import drop_one, explain_unit, what_if
from models.scoring import score_units
from models.sensitivity import measure_sobol, sobol_shares
from tests.unit.models.worlds import feature_set, sparse_counts


@pytest.fixture(scope="module")
def listed():
    rng = np.random.default_rng(3)
    _, counts = sparse_counts(rng, n=40, mean=8.0)
    counts[..., 2] = rng.poisson(0.3, counts.shape[:2])
    world = feature_set(counts, flow=rng.gamma(0.5, 10, 40), hotspot_harm=rng.gamma(0.3, 20, 40))
    return world, score_units(world, random_state=1, n_draws=50)


def test_components_sum_to_the_score_and_to_the_distance_from_the_mean(listed):
    world, scores = listed
    for unit_id in scores.table.index[[0, 9, 10, 39]]:
        why = explain_unit(world, unit_id)
        assert why.components["points"].sum() == pytest.approx(why.score, abs=1e-9)
        assert why.components["points_above_mean"].sum() == pytest.approx(
            why.score - scores.table["score"].mean(), abs=1e-9
        )
        assert why.score == pytest.approx(scores.table.loc[unit_id, "score"], abs=1e-9)
        assert why.rank == scores.table.loc[unit_id, "rank"]


def test_the_points_to_cross_are_those_that_move_it_across(listed):
    world, scores = listed
    table = scores.table
    inside = explain_unit(world, table.index[4]).components
    gap = inside["points_to_cross"].iloc[0]
    assert table["score"].iloc[4] - gap == pytest.approx(table["score"].iloc[10])
    assert (inside["can_cross"] == (inside["points"] > gap)).all()
    outside = explain_unit(world, table.index[20])
    assert table["score"].iloc[20] + outside.components["points_to_cross"].iloc[0] == pytest.approx(
        table["score"].iloc[9]
    )
    assert "enter the top ten" in outside.sentence


def test_a_short_list_says_that_all_are_in_the_top_ten():
    world = feature_set(np.ones((4, 3, 3)), flow=np.arange(4.0))
    why = explain_unit(world, "S003")
    assert "all are in the top ten" in why.sentence
    assert not why.components["can_cross"].any()


def test_an_unknown_unit_is_refused(listed):
    with pytest.raises(UsageError, match="unit: 'XXX' is not scored, expected one of 40"):
        explain_unit(listed[0], "XXX")


def test_what_if_lays_the_lists_side_by_side(listed):
    world, scores = listed
    same = what_if(world, scores, random_state=1)
    assert (same["rank_change"] == 0).all()
    other = what_if(world, scores, random_state=1, weights={"demand_offences": 1.0})
    assert other["enters_top_10"].any()
    assert other["leaves_top_10"].any()
    assert list(other["rank_after"]) == sorted(other["rank_after"])
    assert (what_if(world, scores, random_state=1, normalisation="log")["rank_change"] != 0).any()
    assert (what_if(world, scores, random_state=1, unknown_as_demand_share=0.0)["rank_change"] != 0).any()


def test_dropping_what_matters_most_moves_most():
    counts = np.zeros((30, 6, 3))
    counts[..., 0] = np.random.default_rng(1).poisson(2, (30, 1))
    world = feature_set(counts, flow=np.arange(30.0))
    moved = drop_one(world, settings=IndexSettings(weights={"courier_flow": 0.9, "demand_offences": 0.1}))
    assert moved["mean_rank_shift"].idxmax() == "courier_flow"
    assert moved.loc["demand_offences", "top_10_kept_share"] > moved.loc["courier_flow", "top_10_kept_share"]


def test_sobol_shares_of_a_known_function():
    # f = 4 x1 + 2 x2 + x3 x4 with x uniform on (-1, 1): variances 16/3, 4/3 and 1/9.
    rng = np.random.default_rng(1)
    a, b = rng.uniform(-1, 1, (2, 60_000, 4))

    def f(x):
        return 4 * x[:, 0] + 2 * x[:, 1] + x[:, 2] * x[:, 3]

    mixed = {}
    for i in range(4):
        ab = a.copy()
        ab[:, i] = b[:, i]
        mixed[str(i)] = f(ab)
    table = sobol_shares(f(a), f(b), mixed)
    whole = 16 / 3 + 4 / 3 + 1 / 9
    np.testing.assert_allclose(table["first_order_share"], np.array([16 / 3, 4 / 3, 0, 0]) / whole, atol=0.02)
    np.testing.assert_allclose(table["total_share"], np.array([16 / 3, 4 / 3, 1 / 9, 1 / 9]) / whole, atol=0.02)


def test_a_factor_that_is_not_varied_has_no_share(listed):
    table = measure_sobol(listed[0], random_state=1, n_base=64)
    assert (table.loc[["towns", "flow_assumptions"], "total_share"] == 0).all()
    assert (table.loc[["months", "normalisation"], "total_share"] > 0).all()
    alone = measure_sobol(listed[0], random_state=1, n_base=64, settings=IndexSettings(vary=("months",)))
    assert list(alone.index) == ["months"]
    assert alone["is_disclosed"].all()
    assert alone.loc["months", "total_share"] == pytest.approx(1.0, abs=0.35)


@pytest.mark.parametrize(("rates", "n_days"), [((0.5, 0.5), 1000), ((0.6, 0.4), 3000)])
def test_the_list_does_not_chase_its_tail(rates, n_days):
    ends = [simulate_two_areas(rates, n_days=n_days, random_state=seed) for seed in range(2)]
    assert np.mean(ends) == pytest.approx(rates[0] / sum(rates), abs=0.05)
    assert max(abs(end - rates[0] / sum(rates)) for end in ends) < 0.08


def test_raw_counts_would_chase_their_tail():
    ends = [simulate_two_areas((0.6, 0.4), n_days=3000, random_state=seed, has_log=False) for seed in range(2)]
    assert np.mean(ends) > 0.65
