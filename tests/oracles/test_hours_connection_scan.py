"""Trains and times of a real timetable by hour of the week, against a connection scan written apart from `geo`."""

import numpy as np
import pytest

from benchmarks.connection_scan import least_minutes, mean_minutes, read_feed, scan_profiles
from benchmarks.railway_hours import (
    FEED,
    MONDAY,
    compare_hourly,
    compare_prices,
    read_timetable,
)
from geo.corridors.hours import count_trains

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def feed(real_data):
    return read_feed(real_data / FEED, MONDAY)


@pytest.fixture(scope="module")
def reading(real_data):
    return read_timetable(real_data / FEED)


def test_every_train_of_the_week_counts_in_the_hour_of_the_feed(feed, reading):
    ours = count_trains(reading.calls, reading.departures, feed.stations)
    assert ours[feed.stations.index("NWP")].sum() == 1391
    np.testing.assert_array_equal(ours, np.stack([feed.trains_by_hour(code) for code in feed.stations]))


def test_the_scan_takes_the_train_that_a_reader_of_the_timetable_takes(feed):
    """From Newport to Cardiff a train takes some fourteen minutes, and one comes every few minutes of the day."""
    profile = scan_profiles(feed, "CDF", 5.0)[feed.stations.index("NWP")]
    for hour in range(24 + 8, 24 + 18):
        assert 11 <= least_minutes(profile, hour) <= 17
        assert least_minutes(profile, hour) <= mean_minutes(profile, hour) <= 40
    departures = [depart for depart, _ in profile]
    assert departures == sorted(departures, reverse=True)


def test_times_of_168_hours_are_those_of_the_feed(feed, reading):
    hourly = compare_hourly(feed, reading, each=23)
    assert len(hourly) == 168 * (len(hourly) // 168) > 168 * 50
    for name in ("", "_least"):
        ours, theirs = hourly[f"ours{name}"], hourly[f"feed{name}"]
        assert np.isfinite(theirs).sum() > 3_000
        np.testing.assert_array_equal(np.isfinite(ours), np.isfinite(theirs))
        known = np.isfinite(theirs)
        np.testing.assert_allclose(ours[known], theirs[known], atol=1e-6)


def test_minutes_of_a_run_are_those_of_the_best_journeys_of_the_feed(feed, reading):
    pairs = compare_prices(feed, reading, each=23)
    assert len(pairs) > 100
    np.testing.assert_allclose(pairs["clock_plain"], pairs["feed"], atol=1e-6)
    # Who dislikes a change takes more minutes, and is never quicker on the way for fewer trains by much.
    gap = pairs["clock"] - pairs["feed"]
    assert (gap.abs() <= 2.0).mean() > 0.6
    assert gap.min() > -2.0
    # Taking changes at random minutes is what the clock is for.
    assert gap.abs().median() < (pairs["frequency"] - pairs["feed"]).abs().median()
