"""Laws of hours: nothing lost, nothing without a train, more at the hour of a record, and no order of rows."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from gateline.products.hours import tell_hours, tell_week
from geo.corridors.busy_hours import find_busy_block
from geo.corridors.hours import HOURS_PER_WEEK, allot_hours, expect_hours, state_pattern

PATTERN, RUNNING = state_pattern(busy_days=(2, 3, 4, 5), busy_h=(15.0, 22.0), busy_share=0.5, running_h=(5.5, 23.5))
counts = st.lists(st.integers(0, 3), min_size=HOURS_PER_WEEK, max_size=HOURS_PER_WEEK)
trips = st.lists(st.floats(0, 1e4), min_size=1, max_size=4)


def allot(trips_per_month, trains, records, prior_records=100.0):
    stations = pd.Index([f"S{k}" for k in range(len(trips_per_month))], name="station_id")
    trains = np.tile(np.array(trains, dtype=float), (len(stations), 1))
    records = np.tile(np.array(records, dtype=float), (len(stations), 1))
    return allot_hours(
        pd.Series(trips_per_month, index=stations, dtype=float),
        expect_hours(PATTERN, RUNNING, trains),
        trains=trains,
        records=records,
        prior_records=prior_records,
    )


@given(trips, counts, counts, st.floats(0.1, 1e4))
def test_hours_sum_to_the_flow_and_none_is_made_without_a_train(trips_per_month, trains, records, prior_records):
    table = allot(trips_per_month, trains, records, prior_records)
    sums = table.groupby("station_id")["trips_per_month"].sum()
    np.testing.assert_allclose(sums, trips_per_month, rtol=1e-12, atol=1e-12)
    assert (table.loc[table["n_trains"] == 0, "trips_per_month"] == 0).all()
    assert len(table) == len(trips_per_month) * HOURS_PER_WEEK


@given(counts, counts, st.integers(0, HOURS_PER_WEEK - 1))
def test_one_more_record_raises_its_hour_and_lowers_the_others(trains, records, hour):
    more = np.array(records) + (np.arange(HOURS_PER_WEEK) == hour)
    before, after = (allot([1.0], trains, r)["week_share"].to_numpy() for r in (records, more))
    others = np.arange(HOURS_PER_WEEK) != hour
    assert (after[others] <= before[others] + 1e-12).all()
    if before[hour] == 1:
        # The only hour with a train had every trip before.
        assert after[hour] == 1
    else:
        assert (after[hour] > before[hour]) == (before[hour] > 0)


@given(counts, st.integers(1, 6))
def test_a_week_that_starts_on_another_day_is_the_same_week(trains, days):
    table = np.array(trains, dtype=float) + 1e-3
    share = table / table.sum()
    first, n_days, start, end = find_busy_block(share)
    moved = find_busy_block(np.roll(share, 24 * days))
    held = [np.roll(share.reshape(7, 24), -f, axis=0)[:n, a:b].sum() for f, n, a, b in ((first, n_days, start, end),)]
    assert moved[1] * (moved[3] - moved[2]) == n_days * (end - start)
    assert held[0] >= 0.5 - 1e-9


@given(counts.filter(any))
def test_products_draw_nothing_where_no_trip_is_made(trains):
    table = allot([5.0, 7.0], trains, [0] * HOURS_PER_WEEK)
    index = pd.Index(["S1", "S0"])
    week = tell_week(table.iloc[::-1], index)
    strip = np.array(list(week["weeks"][week["week"][0]]), dtype=int)
    np.testing.assert_array_equal(strip == 0, np.array(trains) * PATTERN == 0)
    assert strip.max() == 4
    told = tell_hours(table, index)
    assert week["busy_hours"] == told["busy_hours"].tolist()
    assert (told["busy_hours_share"] >= 0.5).all()
