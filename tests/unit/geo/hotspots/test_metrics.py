import numpy as np
import pytest

from geo.errors import InputError, UsageError
from geo.hotspots.metrics import count_hits, measure_hit_curve, poisson_interval

OUTCOME = np.array([5.0, 2.0, 0.0, 1.0])


def test_the_worked_figure_of_the_harm_weighted_index_is_15_8():
    # 41 % of the harm in 2.6 % of the area.
    score, outcome, cost = np.array([2.0, 1.0]), np.array([41.0, 59.0]), np.array([2.6, 97.4])
    assert measure_hit_curve(score, outcome, cost, coverage_share=[0.026])["pai"].iloc[0] == pytest.approx(
        15.8, abs=0.05
    )


def test_ties_are_entered_in_proportion_whatever_their_order():
    score = np.array([1.0, 1.0, 1.0, 0.0])
    for order in ([0, 1, 2, 3], [2, 1, 0, 3]):
        assert count_hits(score[order], OUTCOME[order], np.ones(4), [0.25])[0] == pytest.approx(7 / 3)


def test_scores_all_alike_find_the_share_that_they_cover():
    assert count_hits(np.zeros(4), OUTCOME, np.ones(4), [0.1, 0.6]).tolist() == pytest.approx([0.8, 4.8])


def test_long_streets_use_up_more_of_the_coverage():
    hits = count_hits(np.array([2.0, 1.0]), np.array([4.0, 4.0]), np.array([3.0, 1.0]), [0.5])
    assert hits[0] == pytest.approx(4 * 2 / 3)


def test_the_efficiency_is_one_for_the_best_and_the_ceiling_is_never_passed():
    curve = measure_hit_curve(OUTCOME, OUTCOME, np.ones(4), coverage_share=[0.25, 0.5])
    assert curve["pei"].tolist() == [1.0, 1.0]
    worst = measure_hit_curve(-OUTCOME, OUTCOME, np.ones(4), coverage_share=[0.25, 0.5])
    assert (worst["hit_rate"] <= worst["hit_rate_ceiling"]).all()
    assert worst["hit_rate_ceiling"].tolist() == [5 / 8, 7 / 8]


def test_the_exact_interval_is_that_of_the_tables():
    low, high = poisson_interval(np.array([0.0, 1.0, 20.0]))
    assert low == pytest.approx([0, 0.0253, 12.217], abs=1e-3)
    assert high == pytest.approx([3.689, 5.572, 30.888], abs=1e-3)


def test_no_outcomes_have_no_hit_rate():
    assert measure_hit_curve(OUTCOME, np.zeros(4), np.ones(4), coverage_share=[0.5])["hit_rate"].isna().all()


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(UsageError, match=r"coverage_share: it is \[10\], expected shares from 0 to 1"):
        count_hits(OUTCOME, OUTCOME, np.ones(4), [10])
    with pytest.raises(UsageError, match=r"coverage_share: it is \[0\], expected shares above 0"):
        measure_hit_curve(OUTCOME, OUTCOME, np.ones(4), coverage_share=[0])
    with pytest.raises(InputError, match="score: 1 are not finite"):
        count_hits(np.array([1, np.nan]), np.ones(2), np.ones(2), [0.5])
    with pytest.raises(InputError, match=r"the cost sums to .*0\.0"):
        count_hits(np.ones(2), np.ones(2), np.zeros(2), [0.5])
