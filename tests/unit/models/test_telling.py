"""How finely a list is told: by laws of rounding, over any list."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.telling import count_decimals, round_figures, tell_scores

PARTS = st.lists(st.lists(st.floats(-40, 40, allow_nan=False), min_size=4, max_size=4), min_size=1, max_size=12)


def list_of(parts, copies=1):
    parts = np.repeat(np.asarray(parts, dtype=float), copies, axis=0)
    table = pd.DataFrame(parts, columns=[f"reason_{k}" for k in "abcd"])
    table.insert(0, "score", parts.sum(axis=1))
    table["p_top_10"] = np.linspace(0, 1, len(table))
    table["trips_per_month"] = np.abs(parts[:, 0]) * 13.7
    table["rank"] = np.arange(1, len(table) + 1)
    return table


@given(PARTS, st.sampled_from([1, 1_100]))
def test_printed_reasons_sum_to_the_printed_score_and_none_moves_by_a_step(parts, copies):
    exact = list_of(parts, copies)
    told = tell_scores(exact)
    step = 10.0 ** -count_decimals(exact["score"]).astype(float)
    reasons = [f"reason_{k}" for k in "abcd"]
    assert (told[reasons].sum(axis=1) - told["score"]).abs().max() < 1e-9
    assert ((told["score"] - exact["score"]).abs() <= step / 2 + 1e-9).all()
    assert ((told[reasons] - exact[reasons]).abs().max(axis=1) < step + 1e-9).all()
    numbers = told[["score", *reasons]].to_numpy() / step[:, None]
    assert np.abs(numbers - np.rint(numbers)).max() < 1e-6
    pd.testing.assert_series_equal(told["rank"], exact["rank"])


@given(PARTS, st.sampled_from([1, 1_100]))
def test_telling_what_was_told_changes_nothing(parts, copies):
    told = tell_scores(list_of(parts, copies))
    pd.testing.assert_frame_equal(tell_scores(told), told)


@given(st.floats(1e-9, 1e9), st.integers(1, 4))
def test_figures_are_significant_ones(value, figures):
    rounded = float(round_figures(value, figures=figures))
    assert rounded == pytest.approx(value, rel=0.5 * 10.0 ** (1 - figures) + 1e-12)
    assert float(round_figures(rounded, figures=figures)) == rounded
    assert len(f"{rounded:.12e}".split("e")[0].replace(".", "").rstrip("0")) <= figures


def test_no_value_stays_no_value_and_nothing_is_plain_nothing():
    found = round_figures([np.nan, -0.0, 0.0])
    assert np.isnan(found[0])
    assert not np.signbit(found[1:]).any()


@pytest.fixture(scope="module")
def national():
    """Stations of a country: most of 100 trips are met at few, and the last see a thousandth of a trip."""
    score = np.sort(np.geomspace(0.001, 3.0, 2_600))[::-1]
    parts = score[:, None] * np.array([0.7, 0.4, -0.2, 0.1])
    return list_of(parts).assign(score_low=0.4 * score, score_high=2.1 * score)


def test_a_long_list_tells_its_places_apart(national):
    told = tell_scores(national)
    score = national["score"]
    assert told["score"].to_numpy() == pytest.approx(score.to_numpy(), rel=0.05 + 1e-9)
    assert told["score"].is_monotonic_decreasing
    # Two scores that differ by a tenth are told as two.
    at = np.searchsorted(-score, -score / 1.11)
    pairs = [(i, j) for i, j in enumerate(at) if j < len(score)]
    assert len(pairs) > 2_000
    assert all(told["score"][i] > told["score"][j] for i, j in pairs)
    assert (told["score_low"] <= told["score"]).all()
    assert (told["score"] <= told["score_high"]).all()


def test_a_long_list_claims_no_more_than_two_figures_below_ten(national):
    told = tell_scores(national)["score"]
    np.testing.assert_array_equal(told, round_figures(told))


def test_a_short_list_is_told_in_tenths(national):
    told = tell_scores(national.head(1_000))
    np.testing.assert_array_equal(told["score"], told["score"].round(1))
