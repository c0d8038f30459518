import numpy as np
import pandas as pd
import pytest
import shapely

from geo.errors import InputError, UsageError
from geo.hotspots.comparison import (
    Split,
    compare_detectors,
    compare_over_origins,
    estimate_gain,
    measure_jitter,
    rolling_splits,
)
from geo.hotspots.detectors import DEFAULT_DETECTOR, Detector, score_by_counts, standard_detectors
from geo.hotspots.events import Events, build_events
from geo.hotspots.grid import build_grid
from tests.unit.geo.hotspots.toy_offences import make_offences

AREA = shapely.box(0, 0, 8000, 8000)
GRID = build_grid(AREA, cell_m=200)
DETECTORS = standard_detectors(bandwidth_m=600, half_life_periods=3, eps_m=150, min_weight=5)
COSTS = {"area": np.ones(len(GRID))}


def world(seed, *, is_persistent=True, n_periods=12, n_context=20):
    """A thousand cells whose rate of targets follows that of context, both the same in every period or redrawn."""
    rng = np.random.default_rng(seed)
    parts = []
    rate = rng.gamma(0.05, size=len(GRID))
    for period in range(n_periods):
        if not is_persistent:
            rate = rng.gamma(0.05, size=len(GRID))
        for is_target, n in ((True, 40), (False, 40 * n_context)):
            cell = rng.choice(len(GRID), p=rate / rate.sum(), size=n)
            parts.append((GRID.centre_m[cell] + rng.uniform(-90, 90, (n, 2)).round(), period, is_target))
    xy = np.vstack([p[0] for p in parts])
    period = np.concatenate([np.full(len(p[0]), p[1]) for p in parts])
    is_target = np.concatenate([np.full(len(p[0]), p[2]) for p in parts])
    return Events(xy[:, 0], xy[:, 1], period, np.ones(len(xy)), is_target)


EVENTS = world(1)
SPLIT = Split(0, 5, 6, 11)
BY_NAME = {detector.name: detector for detector in DETECTORS}


def gain(events, one=DEFAULT_DETECTOR, **more):
    options = {"costs": COSTS, "coverage_share": [0.005, 0.01], "n_resamples": 400, "random_state": 1, **more}
    return estimate_gain(events, GRID, split=SPLIT, one=BY_NAME[one], other=BY_NAME["prior counts"], **options)


def test_related_offences_find_more_than_counts_where_they_share_places():
    difference, (low, high) = gain(EVENTS)
    assert low > 0
    assert low < difference < high


def test_where_nothing_lasts_no_detector_is_better_than_counting():
    intervals = [gain(world(seed, is_persistent=False))[1] for seed in range(10)]
    assert sum(low > 0 for low, _ in intervals) <= 1


def test_counts_do_not_differ_from_themselves():
    assert gain(EVENTS, one="prior counts") == (0.0, (0.0, 0.0))


def test_the_paired_difference_is_that_of_the_table():
    table = compare_detectors(EVENTS, GRID, split=SPLIT, detectors=DETECTORS, costs=COSTS, coverage_share=[0.005, 0.01])
    mean = table.groupby("detector")["hit_rate"].mean()
    assert gain(EVENTS)[0] == pytest.approx(mean[DEFAULT_DETECTOR] - mean["prior counts"])


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: detector.name)
def test_scores_are_finite_and_do_not_depend_on_row_order(detector):
    shuffled = EVENTS.choose(np.random.default_rng(0).permutation(len(EVENTS.weight)))
    score = detector.fit(EVENTS, GRID)
    assert score.shape == (len(GRID),)
    assert np.isfinite(score).all()
    assert (score == detector.fit(shuffled, GRID)).all()


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: detector.name)
def test_a_world_without_targets_has_a_score(detector):
    empty = EVENTS.choose(~EVENTS.is_target)
    assert np.isfinite(detector.fit(empty, GRID)).all()


def test_what_happens_in_the_test_changes_no_fit():
    seen = []
    spy = Detector("spy", lambda events, grid: seen.append(events.period.max()) or score_by_counts(events, grid))
    compare_detectors(EVENTS, GRID, split=SPLIT, detectors=[spy], costs=COSTS, coverage_share=[0.01])
    assert seen == [5]


def test_random_finds_the_share_that_it_covers():
    table = compare_detectors(EVENTS, GRID, split=SPLIT, detectors=DETECTORS, costs=COSTS, coverage_share=[0.01, 0.1])
    assert table.query("detector == 'random'")["hit_rate"].tolist() == pytest.approx([0.01, 0.1])


def test_outcomes_outside_a_unit_still_count_against_it():
    half = {"west": (GRID.centre_m[:, 0] < 4000).astype(float)}
    table = compare_detectors(EVENTS, GRID, split=SPLIT, detectors=DETECTORS[:2], costs=half, coverage_share=[1.0])
    outcome = EVENTS.choose(EVENTS.period >= 6).sum_targets(GRID)
    west = outcome[GRID.centre_m[:, 0] < 4000].sum() / outcome.sum()
    assert table["hit_rate"].tolist() == pytest.approx([west, west])
    assert table["hit_rate_ceiling"].tolist() == pytest.approx([west, west])


def test_an_event_one_half_life_old_counts_half():
    events = Events(np.array([100.0, 300.0]), np.array([100.0, 100.0]), np.array([0, 3]), np.ones(2), np.ones(2, bool))
    assert BY_NAME["decayed counts"].fit(events, GRID)[:2].tolist() == [0.5, 1.0]


def test_related_offences_raise_the_score_of_a_cell_without_targets():
    context = EVENTS.choose(~EVENTS.is_target).count_context(GRID)
    few = EVENTS.choose(EVENTS.period == 0)
    score = BY_NAME["related offences"].fit(few, GRID)
    none = few.sum_targets(GRID) == 0
    assert score[none & (context > 100)].min() > score[none & (context < 2)].max()


def test_rolling_origins_rank_the_detectors():
    splits = rolling_splits(0, 11, n_least_train=6, n_test=3)
    assert [split.train_to for split in splits] == [5, 6, 7, 8]
    table = compare_over_origins(EVENTS, GRID, splits=splits, detectors=DETECTORS, costs=COSTS, coverage_share=[0.01])
    assert table.index[0] == DEFAULT_DETECTOR
    assert table.index[-1] == "random"
    assert table["n_origins_won"].sum() >= 4


def test_the_origin_of_the_grid_moves_the_figures():
    jitter = measure_jitter(
        EVENTS,
        lambda east_m, north_m: build_grid(AREA, cell_m=200, west_m=east_m, south_m=north_m),
        shifts_m=[(0, 0), (100, 0), (100, 100)],
        split=SPLIT,
        detectors=DETECTORS[:2],
        area_km2=0.64,
        study_area_km2=64,
    )
    assert jitter.shape == (3, 2)
    assert jitter["random"].to_numpy() == pytest.approx(1.0, abs=0.06)
    assert jitter["prior counts"].nunique() == 3


def test_events_are_the_usable_offences_of_the_types_asked_for():
    offences = make_offences([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], provenance=["unknown", "custody_location", "unknown"])
    offences["crime_type"] = pd.Series(["Drugs", "Drugs", "Robbery"], index=offences.index, dtype="str")
    events = build_events(offences, targets=["Drugs"])
    assert events.is_target.tolist() == [True, False]
    assert build_events(offences.assign(harm_weight_days=5.0), targets=["Drugs"], by_harm=True).weight.tolist() == [
        5,
        1,
    ]
    with pytest.raises(InputError, match=r"none usable is of type \['Arson'\]"):
        build_events(offences, targets=["Arson"])
    with pytest.raises(InputError, match="1 targets have no harm weight"):
        build_events(offences.assign(harm_weight_days=np.nan), targets=["Drugs"], by_harm=True)


def test_months_without_targets_are_refused():
    for split, text in ((Split(0, 5, 20, 21), "and 0 to find in 20 to 21"), (Split(-9, -5, 0, 1), "events: 0 targets")):
        with pytest.raises(InputError, match=text):
            compare_detectors(EVENTS, GRID, split=split, detectors=DETECTORS, costs=COSTS, coverage_share=[0.1])


def test_a_test_before_the_end_of_training_is_refused():
    with pytest.raises(UsageError, match="training 0 to 5, test 5 to 6, expected the test to start after"):
        Split(0, 5, 5, 6)
    with pytest.raises(UsageError, match="periods: 1 to 3 are too few"):
        rolling_splits(1, 3, n_least_train=3, n_test=1)
