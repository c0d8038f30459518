"""Trains and times of a real timetable by hour of the week, against a connection scan written apart from `geo`."""

import numpy as np
import pytest

from benchmarks.connection_scan import least_minutes, mean_minutes, read_feed, scan_profiles
from benchmarks.railway_hours import (
    FEED,
    MONDAY,
    compare_timed,
    compare_times,
    measure_all_hours,
    read_minutes,
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


def test_the_trains_of_a_week_are_those_of_the_feed_and_stand_on_its_days(feed, reading):
    ours = count_trains(reading.calls, reading.departures, feed.stations)
    theirs = np.stack([feed.trains_by_hour(code) for code in feed.stations])
    np.testing.assert_allclose(ours.sum(axis=1), theirs.sum(axis=1), rtol=1e-12)
    newport = feed.stations.index("NWP")
    assert ours[newport].sum() == 1391
    # The hour of a start is kept, no minute: one train in twenty counts an hour off, and hardly any a day off.
    assert np.abs(ours[newport] - theirs[newport]).sum() / 2 < 0.05 * theirs[newport].sum()
    by_day = [table.reshape(-1, 7, 24).sum(axis=2) for table in (ours, theirs)]
    assert np.abs(by_day[0] - by_day[1]).sum() / 2 < 0.002 * theirs.sum()


def test_no_train_of_the_feed_runs_in_an_hour_that_has_none(feed, reading):
    ours = count_trains(reading.calls, reading.departures, feed.stations)
    theirs = np.stack([feed.trains_by_hour(code) for code in feed.stations])
    assert theirs[ours == 0].sum() <= 1e-3 * theirs.sum()


def test_the_scan_takes_the_train_that_a_reader_of_the_timetable_takes(feed):
    """From Newport to Cardiff a train takes some fourteen minutes, and one comes every few minutes of the day."""
    profile = scan_profiles(feed, "CDF", 5.0)[feed.stations.index("NWP")]
    for hour in range(24 + 8, 24 + 18):
        assert 11 <= least_minutes(profile, hour) <= 17
        assert least_minutes(profile, hour) <= mean_minutes(profile, hour) <= 40
    departures = [depart for depart, _ in profile]
    assert departures == sorted(departures, reverse=True)


def test_times_of_168_hours_are_those_of_the_feed_where_minutes_are_kept(feed, real_data):
    timed = compare_timed(feed, real_data / FEED, each=23)
    assert len(timed) == 168 * (len(timed) // 168) > 168 * 50
    for name in ("", "_least"):
        ours, theirs = timed[f"ours{name}"], timed[f"feed{name}"]
        assert np.isfinite(theirs).sum() > 3_000
        np.testing.assert_array_equal(np.isfinite(ours), np.isfinite(theirs))
        known = np.isfinite(theirs)
        np.testing.assert_allclose(ours[known], theirs[known], atol=1e-6)


def test_every_train_counts_in_its_hour_where_minutes_are_kept(feed, real_data):
    ours = count_trains(*read_minutes(real_data / FEED), feed.stations)
    np.testing.assert_array_equal(ours, np.stack([feed.trains_by_hour(code) for code in feed.stations]))


def test_direct_trains_take_the_minutes_of_the_feed(feed, reading):
    """What is not kept is the minute at which trains start: waits and changes are means, as the benchmark says."""
    pairs = compare_times(
        feed, reading, hours=range(24 + 6, 24 + 22), origins=("NWP", "CDF"), destinations=("CDF", "BRI")
    )
    gap = (pairs["ours_aboard"] - pairs["feed_aboard"])[pairs["n_changes"] == 0]
    assert len(gap) > 20
    assert gap.abs().median() <= 2.0
    assert (gap.abs() <= 2.0).mean() > 0.6


def test_times_of_every_hour_are_no_quicker_than_the_trains(feed, reading):
    found = measure_all_hours(reading, ("NWP",))
    ids = sorted(set(reading.calls["station_id"]))
    assert found.shape == (168, 1, len(ids))
    cardiff = found[:, 0, ids.index("CDF")]
    assert np.isfinite(cardiff[24 + 6 : 24 + 22]).all()
    assert np.isinf(cardiff[5 * 24 + 12])
    assert cardiff.min() >= 11
