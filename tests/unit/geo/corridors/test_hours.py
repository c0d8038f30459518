"""Trips over the hours of a week: trains at their hour and day, what is stated, and what records add."""

import numpy as np
import pandas as pd
import pytest

from geo.corridors.busy_hours import find_busy_block
from geo.corridors.hours import (
    HOURS_PER_WEEK,
    allot_hours,
    count_trains,
    expect_hours,
    state_pattern,
)
from geo.errors import InputError, UsageError

UNDERGROUND = {"busy_days": (2, 3, 4, 5), "busy_h": (15.0, 22.0), "busy_share": 0.5, "running_h": (5.5, 23.5)}
SUNDAY_23, WEDNESDAY_19 = 6 * 24 + 23, 2 * 24 + 19


def make_calls(*rows):
    table = pd.DataFrame(rows, columns=["pattern_id", "call_no", "station_id", "arrival_min", "departure_min"])
    return table.astype({"pattern_id": "str", "station_id": "str"}).rename_axis("call_id")


def make_departures(*rows):
    table = pd.DataFrame(rows, columns=["pattern_id", "hour_of_week", "n_departures"])
    return table.astype({"pattern_id": "str"}).rename_axis("departure_id")


def one_train(offset_min, hour, n=1.0):
    """A train from A in an hour; at B after so many minutes, where it ends."""
    calls = make_calls(("P", 0, "A", np.nan, 0.0), ("P", 1, "B", offset_min, np.nan))
    return count_trains(calls, make_departures(("P", hour, n)), ["A", "B", "C"])


def test_a_train_counts_where_it_leaves_and_where_it_ends():
    trains = one_train(60.0, 8, n=2.0)
    assert trains[0, 8] == trains[1, 9] == 2.0
    assert trains.sum(axis=1).tolist() == [2.0, 2.0, 0.0]


def test_starts_are_spread_evenly_over_their_hour():
    """A quarter of the trains that start in the hour of 8 are 45 minutes later still in it."""
    np.testing.assert_allclose(one_train(45.0, 8)[1, [8, 9]], [0.25, 0.75])


def test_a_train_past_midnight_counts_on_the_day_after_and_after_sunday_comes_monday():
    assert one_train(60.0, 23)[1, 24] == 1.0
    monday = one_train(90.0, SUNDAY_23)[1]
    np.testing.assert_allclose(monday[[0, 1]], [0.5, 0.5])
    assert monday.sum() == 1.0


def test_half_of_the_trips_are_stated_for_the_hours_of_the_underground():
    pattern, running = state_pattern(**UNDERGROUND)
    share = expect_hours(pattern, running, np.zeros((1, HOURS_PER_WEEK)))[0]
    assert share.sum() == pytest.approx(1.0)
    assert find_busy_block(share) == (2, 4, 15, 22)
    week = share.reshape(7, 24)
    assert week[2:6, 15:22].sum() == pytest.approx(0.5)
    assert week[:, :5].sum() == 0.0
    assert week[0, 5] == pytest.approx(week[0, 6] / 2)


def test_a_timetable_takes_the_place_of_stated_hours_of_trains():
    pattern, running = state_pattern(**UNDERGROUND)
    trains = np.zeros((2, HOURS_PER_WEEK))
    trains[0, [2, 8, WEDNESDAY_19]] = [1.0, 2.0, 2.0]
    known, unknown = expect_hours(pattern, running, trains)
    assert np.flatnonzero(known).tolist() == [2, 8, WEDNESDAY_19]
    assert known[8] == pytest.approx(2 * known[2])
    assert known[WEDNESDAY_19] / known[8] == pytest.approx(pattern[WEDNESDAY_19] / pattern[8])
    assert (unknown > 0).sum() == (running > 0).sum()


def allot(records=None, trains=None, trips=(6.0, 0.0), prior_records=100.0):
    pattern, running = state_pattern(**UNDERGROUND)
    known = np.zeros((2, HOURS_PER_WEEK)) if trains is None else trains
    return allot_hours(
        pd.Series(trips, index=pd.Index(["A", "B"], name="station_id")),
        expect_hours(pattern, running, known),
        trains=trains,
        records=records,
        prior_records=prior_records,
    )


def test_the_hours_of_a_station_sum_to_its_trips():
    table = allot()
    sums = table.groupby("station_id")[["trips_per_month", "week_share"]].sum()
    assert sums["trips_per_month"].tolist() == pytest.approx([6.0, 0.0])
    assert sums["week_share"].tolist() == pytest.approx([1.0, 1.0])
    assert table.index[:2].tolist() == ["A:000", "A:001"]
    assert set(table["hours_basis"]) == {"assumption"}
    assert table["n_trains"].isna().all()


def test_a_record_at_seven_in_the_evening_raises_that_hour_by_its_weight():
    records = np.zeros((2, HOURS_PER_WEEK))
    records[0, 19] = 25.0
    before, after = allot(), allot(records)
    told = [table.loc["A:019", "week_share"] for table in (before, after)]
    assert told[1] == pytest.approx((100 * told[0] + 25) / 125)
    others = after["station_id"].eq("A") & after["hour_of_week"].ne(19)
    np.testing.assert_allclose(after.loc[others, "week_share"], before.loc[others, "week_share"] * 100 / 125)
    assert after.loc["A:000", "hours_basis"] == "records"
    assert after.loc["B:000", "hours_basis"] == "assumption"


def test_records_move_no_trip_into_an_hour_without_a_train():
    trains = np.zeros((2, HOURS_PER_WEEK))
    trains[:, [8, 17]] = 1.0
    records = np.zeros((2, HOURS_PER_WEEK))
    records[:, [8, 12]] = 50.0
    table = allot(records, trains)
    assert (table.loc[table["n_trains"] == 0, "trips_per_month"] == 0).all()
    assert table.loc["A:012", "n_records"] == 0.0
    assert table.loc["A:008", "week_share"] == pytest.approx((100 * 0.5 + 50) / 150)
    assert set(table["hours_basis"]) == {"trains and records"}


def test_a_record_far_off_is_not_what_the_hours_rest_on():
    records = np.zeros((2, HOURS_PER_WEEK))
    records[0, 19] = 0.4
    assert set(allot(records)["hours_basis"]) == {"assumption"}


def test_a_block_may_go_past_sunday_and_ties_go_to_the_first_day():
    share = np.zeros((7, 24))
    share[[6, 0], 20:22] = 0.2
    share[3, 9] = 0.2
    assert find_busy_block(share.ravel()) == (6, 2, 20, 22)
    assert find_busy_block(np.full(168, 1 / 168)) == (0, 4, 0, 21)


def test_what_cannot_be_stated_is_refused():
    with pytest.raises(
        UsageError, match=r"hours: busy_share is 0\.5 of 0 busy hours in 126 hours with trains, expected"
    ):
        state_pattern(**{**UNDERGROUND, "busy_h": (1.0, 4.0)})
    with pytest.raises(
        UsageError, match=r"hours: 22\.0 to 15\.0 is no span of a day, expected a start and a later end"
    ):
        state_pattern(**{**UNDERGROUND, "busy_h": (22.0, 15.0)})
    with pytest.raises(
        InputError, match=r"hours: prior_records is 0\.0 and the shares of a station sum to 1, expected"
    ):
        allot(prior_records=0.0)


def test_hours_past_midnight_may_be_stated():
    pattern, running = state_pattern(**{**UNDERGROUND, "running_h": (6.0, 25.0), "busy_h": (22.0, 25.0)})
    assert running.reshape(7, 24)[3, [0, 1, 5, 6, 23]].tolist() == [1.0, 0.0, 0.0, 1.0, 1.0]
    assert pattern.reshape(7, 24)[2, 0] > pattern.reshape(7, 24)[2, 12]


def test_a_train_whose_minute_is_known_counts_in_one_hour():
    calls = make_calls(("P", 0, "A", np.nan, 0.0), ("P", 1, "B", 45.0, np.nan))
    departures = make_departures(("P", 8, 2.0)).assign(start_min=20.0)
    trains = count_trains(calls, departures, ["A", "B"])
    assert trains[0, 8] == trains[1, 9] == 2.0
    assert trains.sum() == 4.0


def test_the_order_of_rows_changes_nothing():
    calls = make_calls(("P", 0, "A", np.nan, 0.0), ("P", 1, "B", 47.0, np.nan), ("Q", 0, "B", np.nan, 0.0),
                       ("Q", 1, "A", 31.0, np.nan))  # fmt: skip
    departures = make_departures(("P", 8, 1.3), ("Q", 8, 0.7), ("P", 9, 1.1))
    np.testing.assert_array_equal(
        count_trains(calls, departures, ["A", "B"]), count_trains(calls.iloc[::-1], departures.iloc[::-1], ["A", "B"])
    )
