"""Training: folds, rolling origin, leakage, and the claim to beat counting."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from geo.errors import InputError, ModelGateError
from models.candidates import Candidate, list_candidates
from models.counting import PoissonGlm, PriorCounts
from models.metrics import bootstrap_difference, hit_rate, measure_ranking, select_top
from models.panel import PAST_COLUMNS, build_panel, latest_features
from models.training import NO_BETTER, judge, to_table, train
from models.validation import forecast_forward, forecast_held_out, forward_origins, label_blocks, label_folds


def world(seed: int, *, n: int = 80, months: int = 9, mean: float = 3.0, signal: float = 0.0, static: int = 2):
    """Counts of units; `signal` is how far the first fixed feature, and not the past, drives them."""
    rng = np.random.default_rng(seed)
    ids = pd.Index([f"u{i:03d}" for i in range(n)], name="station_id")
    x = rng.gamma(1.0, 1.0, (n, static))
    rates = mean * np.exp(signal * (np.log1p(x[:, 0]) - np.log1p(x[:, 0]).mean()))
    counts = pd.DataFrame(
        rng.poisson(rates[:, None] / months, (n, months)),
        index=ids,
        columns=pd.period_range("2025-01", periods=months, freq="M"),
    )
    fixed = pd.DataFrame(x, index=ids, columns=["courier_flow", "population"][:static])
    easting_m, northing_m = rng.uniform(4e5, 5e5, n), rng.uniform(4e5, 5e5, n)
    return (
        build_panel(counts, fixed, blocks=label_blocks(easting_m, northing_m), towns=np.arange(n) // 4),
        counts,
        fixed,
    )


def test_a_panel_lays_the_past_beside_the_future():
    panel, counts, fixed = world(1, months=7)
    assert panel.columns == (*PAST_COLUMNS, "courier_flow", "population")
    assert list(panel.origins.astype(str)) == ["2025-02", "2025-03", "2025-04", "2025-05"]
    values = counts.to_numpy()
    np.testing.assert_array_equal(panel.features[1][:, 0], values[:, :3].sum(axis=1))
    np.testing.assert_array_equal(panel.features[1][:, 1], 3.0)
    np.testing.assert_allclose(panel.features[1][:, 2], values[:, :3].mean(axis=1))
    np.testing.assert_array_equal(panel.features[1][:, 3], fixed["courier_flow"])
    np.testing.assert_array_equal(panel.outcomes[1], values[:, 4])


def test_too_few_months_are_refused():
    with pytest.raises(ModelGateError, match="counts: 5 months, expected at least 6"):
        world(1, months=5)


def test_units_that_do_not_match_are_refused():
    _, counts, fixed = world(1)
    with pytest.raises(ModelGateError, match="fixed: its units are not those of the counts"):
        build_panel(counts, fixed.iloc[::-1], blocks=np.zeros(80), towns=np.zeros(80))


def test_later_months_leave_a_forecast_byte_identical():
    panel, counts, fixed = world(2)
    candidate = list_candidates(panel.columns, n_events=500)[-1]
    forward, _, origins = forecast_forward(candidate, panel)
    changed = counts.copy()
    changed.loc[:, changed.columns > origins[0]] = 99
    other = build_panel(changed, fixed, blocks=panel.blocks, towns=panel.towns)
    assert forecast_forward(candidate, other)[0][0].tobytes() == forward[0].tobytes()
    cutoff = pd.Period("2025-06", "M")
    kept = counts.loc[:, counts.columns <= cutoff]
    assert (
        latest_features(counts, fixed, cutoff=cutoff).tobytes() == latest_features(kept, fixed, cutoff=cutoff).tobytes()
    )


def test_forward_forecasts_learn_only_from_complete_outcomes():
    panel, _, _ = world(3)
    assert forward_origins(panel)[0] == 2  # a gap and a horizon of one month each
    seen = []

    class Spy(PriorCounts):
        def fit(self, X, y):
            seen.append(len(y) // 80)
            return super().fit(X, y)

    forecast_forward(Candidate("spy", Spy(), (2,), is_baseline=False), panel)
    assert seen == [1, 2, 3, 4]


def test_held_out_outcomes_do_not_move_their_own_forecast():
    panel, _, _ = world(4)
    folds = label_folds(panel, "block", random_state=1)
    candidate = Candidate("glm", PoissonGlm(), (2, 3, 4), is_baseline=False)
    before = forecast_held_out(candidate, panel, folds)
    outcomes = panel.outcomes.copy()
    outcomes[:, folds == 0] += 50
    after = forecast_held_out(candidate, replace(panel, outcomes=outcomes), folds)
    np.testing.assert_array_equal(before[:, folds == 0], after[:, folds == 0])
    assert not np.array_equal(before[:, folds == 1], after[:, folds == 1])


@pytest.mark.parametrize("scheme", ["random", "block", "town"])
def test_folds_keep_blocks_and_towns_whole(scheme):
    panel, _, _ = world(5)
    folds = label_folds(panel, scheme, random_state=1)
    groups = {"block": panel.blocks, "town": panel.towns}.get(scheme)
    if groups is not None:
        assert all(len(set(folds[groups == g])) == 1 for g in np.unique(groups))
    if scheme == "town":
        assert len(np.unique(folds)) == 20
    else:
        assert np.bincount(folds).max() <= 2 * np.bincount(folds).min() + 2


def test_blocks_under_five_kilometres_are_refused():
    with pytest.raises(InputError, match="block_m: 1000, expected at least 5000"):
        label_blocks(np.zeros(2), np.zeros(2), block_m=1000)


def test_ties_share_the_list_and_a_constant_scores_as_chance():
    outcomes = np.array([[5.0, 0.0, 3.0, 2.0]])
    assert hit_rate(np.ones((1, 4)), outcomes, n_top=2) == pytest.approx(0.5)
    assert hit_rate(outcomes, outcomes, n_top=2) == pytest.approx(0.8)
    np.testing.assert_allclose(select_top(np.array([[1.0, 1.0, 1.0, 9.0]]), 2), [[1 / 3, 1 / 3, 1 / 3, 1.0]])
    assert hit_rate(np.ones((1, 4)), outcomes, n_top=9) == pytest.approx(1.0)


def test_perfect_forecasts_score_perfectly():
    outcomes = np.random.default_rng(1).poisson(1.0, (4, 30)).astype(float)
    measures = measure_ranking(outcomes, outcomes)
    assert measures["pei_at_10"] == pytest.approx(1.0)
    assert measures["ndcg_at_10"] == pytest.approx(1.0)
    assert measures["hit_rate_at_5"] <= measures["hit_rate_at_10"]


def test_the_log_score_is_best_at_the_truth():
    rng = np.random.default_rng(2)
    outcomes = rng.poisson(3.0, (3, 2000)).astype(float)
    scores = [measure_ranking(np.full(outcomes.shape, rate), outcomes)["poisson_log_score"] for rate in (2.0, 3.0, 4.0)]
    assert scores[1] == max(scores)


def test_a_forecast_against_itself_gains_nothing():
    rng = np.random.default_rng(3)
    outcomes = rng.poisson(1.0, (4, 30)).astype(float)
    forecast = rng.uniform(size=(4, 30))
    assert bootstrap_difference(forecast, forecast, outcomes, np.arange(30), random_state=1) == (0.0, 0.0, 0.0)
    better = bootstrap_difference(outcomes, -outcomes, outcomes, np.arange(30), random_state=1)
    assert better[1] > 0


def test_a_feature_that_drives_the_truth_beats_counting():
    panel, _, fixed = world(6, n=120)
    # The past says nothing of what comes; the first fixed feature says all.
    driven = 0.2 * fixed["courier_flow"].to_numpy() ** 2
    panel = replace(panel, outcomes=np.random.default_rng(6).poisson(driven, panel.outcomes.shape).astype(float))
    report = train(panel, random_state=1, n_draws=300, schemes=("temporal", "block"))
    assert report.chosen in {"poisson_glm", "monotone_boosting"}
    assert "beats counting in time and in space" in report.verdict
    chosen = next(j for j in report.judgements if j.name == report.chosen)
    assert chosen.headline == min(chosen.measures[s]["hit_rate_at_10"] for s in ("temporal", "block"))
    assert chosen.gain_in_time[1] > 0


def test_a_null_world_is_no_better_than_counting():
    verdicts = [
        train(world(seed, mean=1.5)[0], random_state=seed, n_draws=200, schemes=("temporal", "block")).verdict
        for seed in range(5)
    ]
    assert sum(v.startswith(NO_BETTER) for v in verdicts) >= 4


def test_a_gain_whose_interval_holds_zero_beats_nothing():
    found = []
    for seed in range(4):
        panel, _, _ = world(seed, mean=1.5)
        found += judge(list_candidates(panel.columns, n_events=1), panel, random_state=seed, n_draws=200)
    lucky = [j for j in found if j.gain_in_time[0] > 0 and j.gain_in_space[0] > 0]
    assert lucky
    assert not any(j.beats_counting for j in lucky)


def test_too_few_outcomes_are_not_judged():
    panel, _, _ = world(1, mean=0.1)
    with pytest.raises(ModelGateError, match="expected at least 20"):
        train(panel, random_state=1)


def test_trees_wait_for_two_hundred_outcomes():
    names = [c.name for c in list_candidates((*PAST_COLUMNS, "population", "train_min"), n_events=199)]
    assert names == ["counting", "population", "nearest_by_train", "expert_index", "empirical_bayes", "poisson_glm"]
    assert list_candidates(PAST_COLUMNS, n_events=200)[-1].name == "monotone_boosting"


def test_every_scheme_and_measure_is_in_the_table():
    panel, _, _ = world(7)
    table = to_table(judge(list_candidates(panel.columns, n_events=1)[:3], panel, random_state=1, n_draws=50))
    for scheme in ("temporal", "random", "block", "town"):
        assert f"{scheme}_hit_rate_at_10" in table
    assert (table.loc["counting", ["gain_in_time", "gain_in_space"]] == 0).all()


def test_training_twice_gives_the_same():
    panel, _, _ = world(8, mean=1.5)
    tables = [to_table(train(panel, random_state=3, n_draws=50).judgements).to_csv() for _ in range(2)]
    assert tables[0] == tables[1]


def test_the_registered_model_is_compared():
    panel, _, _ = world(9)
    registered = Candidate(
        "old", PriorCounts().fit(panel.features[0][:, [2]], panel.outcomes[0]), (2,), is_baseline=False
    )
    report = train(panel, random_state=1, registered=registered, n_draws=50, schemes=("temporal",))
    assert report.gain_over_registered == (0.0, 0.0, 0.0)
