"""Timed records near stations: which count, how much, and at which hours."""

import numpy as np
import pandas as pd
import pytest

from geo.hotspots.hours_near import FADE_M, count_records_near, select_timed
from geo.hotspots.rhythm import HOURS_PER_WEEK, measure_hours_of_week
from tests.unit.geo.hotspots.toy_offences import make_offences

STATIONS = pd.DataFrame({"easting_m": [430_000.0, 480_000.0], "northing_m": [450_000.0] * 2}, index=["A", "B"])
EVEN = np.full((2, HOURS_PER_WEEK), 1 / HOURS_PER_WEEK)


def timed(*rows, provenance="public_report", precision="minute"):
    """Records of a distance east of the first station, a from and a to (null where the same)."""
    table = make_offences([430_000.0 + east for east, *_ in rows], [450_000.0] * len(rows))
    for name, at in (("occurred_from_at", 1), ("occurred_to_at", 2)):
        times = pd.to_datetime([row[at] for row in rows], utc=True, format="ISO8601")
        table[name] = pd.Series(times, index=table.index, dtype="datetime64[ns, UTC]")
    return table.assign(provenance=provenance, time_precision=precision)


# A Wednesday in winter, when the wall clock is UTC.
AT_19 = ("2025-01-15 19:30", None)
HOUR = 2 * 24 + 19


def count(table, expected=EVEN):
    return count_records_near(select_timed(table), STATIONS, expected)


def test_a_record_counts_at_its_hour_and_fades_with_distance():
    near = count(timed((0.0, *AT_19), (FADE_M, *AT_19), (5 * FADE_M, *AT_19)))
    assert near[0, HOUR] == pytest.approx(1 + np.exp(-1))
    assert near.sum() == near[0, HOUR]


def test_the_clock_on_the_wall_names_the_hour():
    summer = count(timed((0.0, "2025-07-16 18:30", None)))
    assert summer[0, HOUR] == pytest.approx(1.0)


def test_a_record_of_a_day_counts_on_that_day_as_its_hours_were_expected():
    expected = EVEN.copy()
    expected[0] = 0.0
    expected[0, [2 * 24 + 8, HOUR, 5]] = [0.1, 0.3, 0.6]
    day = count(timed((0.0, "2025-01-15 00:00", "2025-01-15 23:59:59"), precision="day"), expected)
    assert day[0, 2 * 24 + 8] == pytest.approx(0.25, rel=1e-3)
    assert day[0, HOUR] == pytest.approx(0.75, rel=1e-3)
    assert day[0].sum() == pytest.approx(1.0)


def test_a_record_when_no_train_runs_does_not_count():
    expected = EVEN.copy()
    expected[0, HOUR] = 0.0
    assert count(timed((0.0, *AT_19)), expected).sum() == 0.0


@pytest.mark.parametrize("provenance", ["police_proactive", "custody_location"])
def test_what_the_police_went_out_to_find_has_the_hours_of_the_police(provenance):
    assert select_timed(timed((0.0, *AT_19), provenance=provenance)).empty


def test_months_and_spans_of_a_week_say_nothing():
    assert select_timed(timed((0.0, *AT_19), precision="month")).empty
    assert select_timed(timed((0.0, "2025-01-15 19:30", "2025-01-22 19:30"))).empty
    assert count(timed()).sum() == 0.0


def test_without_expectation_it_is_aoristic_analysis():
    rows = [("2025-01-15 22:20", "2025-01-16 04:50"), ("2025-01-19 23:00", "2025-01-20 02:00")]
    table = timed(*((0.0, *row) for row in rows))
    even = measure_hours_of_week(table["occurred_from_at"], table["occurred_to_at"]).to_numpy()
    np.testing.assert_allclose(count(table)[0], even, atol=1e-12)


def test_the_order_of_records_changes_nothing():
    table = timed((0.0, *AT_19), (100.0, "2025-01-17 08:00", "2025-01-17 12:00"), (300.0, "2025-01-18 21:00", None))
    np.testing.assert_array_equal(count(table), count(table.iloc[::-1]))
