"""A suppressed count cannot be worked out from what is published: shown by the attack, and by brute force."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.disclosure.suppression import COUNT_RULES, audit_intervals, round_counts, suppress_counts
from geo.errors import DisclosureError, TableError

tables = st.integers(2, 5).flatmap(
    lambda n: st.lists(st.lists(st.integers(0, 40), min_size=n, max_size=n), min_size=2, max_size=5)
)


def frame(rows):
    return pd.DataFrame(rows)


@settings(max_examples=30)
@given(tables, st.sampled_from(["tactical", "partner"]))
def test_no_suppressed_cell_can_be_narrowed_below_the_threshold(rows, profile):
    rule = COUNT_RULES[profile]
    counts = frame(rows)
    published = suppress_counts(counts, profile=profile)
    intervals = audit_intervals(published, rounding=rule.rounding)
    assert len(intervals) == int(published.counts.isna().to_numpy().sum())
    assert (intervals["high"] - intervals["low"] >= rule.threshold - 1e-6).all()
    truth = counts.to_numpy()[intervals["row"], intervals["column"]]
    assert (intervals["low"] <= truth + 1e-6).all()
    assert (truth <= intervals["high"] + 1e-6).all()


@settings(max_examples=30)
@given(tables, st.sampled_from(list(COUNT_RULES)))
def test_no_small_count_is_published_and_the_rest_are_rounded(rows, profile):
    rule = COUNT_RULES[profile]
    counts = frame(rows)
    published = suppress_counts(counts, profile=profile)
    small = counts < rule.threshold if rule.is_zero_suppressed else (counts > 0) & (counts < rule.threshold)
    assert (
        published.counts.to_numpy()[small.to_numpy()].size == 0
        or np.isnan(published.counts.to_numpy()[small.to_numpy()]).all()
    )
    shown = published.counts.to_numpy()[published.counts.notna().to_numpy()]
    assert (shown % rule.rounding == 0).all()
    assert published.n_primary == int(small.to_numpy().sum())


def test_the_attack_equals_a_search_of_every_table():
    """Two by two, multiples of five: all tables that round to what is published, by brute force."""
    counts = frame([[3, 12], [14, 2]])
    published = suppress_counts(counts, profile="tactical")
    hidden = published.counts.isna().to_numpy()
    tables_2x2 = np.array(list(itertools.product(range(20), repeat=4)), dtype=float).reshape(-1, 2, 2)

    def rounds_to(values, shown):
        return (np.floor(values / 5 + 0.5) * 5 == shown.to_numpy()) | shown.isna().to_numpy()

    same = rounds_to(tables_2x2, published.counts).all(axis=(1, 2))
    same &= rounds_to(tables_2x2.sum(axis=2), published.row_totals).all(axis=1)
    same &= rounds_to(tables_2x2.sum(axis=1), published.column_totals).all(axis=1)
    found = tables_2x2[same]
    assert len(found) > 1
    assert found.max() < 19, "the search is wide enough"
    assert hidden.any()
    for interval in audit_intervals(published, rounding=5).itertuples():
        values = found[:, interval.row, interval.column]
        # The closed interval of the attack holds every whole answer, and is at most one wider at each end.
        assert interval.low <= values.min() <= interval.low + 1
        assert interval.high - 1 <= values.max() <= interval.high


def test_one_hidden_cell_in_a_row_takes_another_with_it():
    counts = frame([[2, 100, 200], [100, 200, 300], [150, 250, 350]])
    published = suppress_counts(counts, profile="partner")
    assert published.n_primary == 1
    assert published.n_secondary >= 2
    assert published.counts.isna().sum(axis=1)[0] >= 2
    assert published.counts.isna().sum(axis=0)[0] >= 2


def test_a_total_too_small_to_show_is_not_shown():
    published = suppress_counts(frame([[0, 0, 0], [200, 300, 400]]), profile="partner")
    assert published.row_totals.isna().tolist() == [True, False]


def test_the_same_table_gives_the_same_release():
    counts = frame([[2, 100, 7], [100, 3, 300], [150, 250, 9]])
    first, second = (suppress_counts(counts, profile="partner") for _ in range(2))
    pd.testing.assert_frame_equal(first.counts, second.counts)


def test_what_is_no_count_is_refused():
    with pytest.raises(TableError, match="counts: a cell is negative, null or not whole, expected counts"):
        suppress_counts(frame([[1.5]]), profile="tactical")
    with pytest.raises(DisclosureError, match=r"profile: it is 'x', expected one of tactical, partner, public"):
        suppress_counts(frame([[1]]), profile="x")


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("tactical", [0, None, None, 5, 5, 10, 10, 15]),
        ("partner", [None, None, None, None, None, None, 10, 15]),
        ("public", [None, None, None, None, None, None, 10, 10]),
    ],
)
def test_counts_that_stand_alone_are_suppressed_and_rounded(profile, expected):
    counts = pd.Series([0, 1, 4, 5, 7, 8, 10, 13], index=list("abcdefgh"), name="n")
    out = round_counts(counts, profile=profile)
    assert [None if pd.isna(value) else value for value in out] == expected
    assert out.index.tolist() == counts.index.tolist()
    assert out.name == "n"


def test_counts_that_stand_alone_must_be_counts():
    with pytest.raises(TableError, match="counts: a cell is negative, null or not whole, expected counts"):
        round_counts(pd.Series([1.5]), profile="tactical")
    with pytest.raises(DisclosureError, match="profile: it is 'x', expected one of"):
        round_counts(pd.Series([1]), profile="x")
