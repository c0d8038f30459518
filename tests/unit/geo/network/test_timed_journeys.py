"""Times by hour from trains whose minutes are known, by hand."""

import numpy as np
import pandas as pd
import pytest

from geo.errors import InputError
from geo.network.timed_journeys import measure_timed_journeys

MONDAY_8, SUNDAY_23 = 8, 167


def trains(*rows):
    """Tables of trains: from, to, hour of the week, minute past it, minutes on the way."""
    calls, departures = [], []
    for k, (start, end, hour, minute, ride) in enumerate(rows):
        calls += [(f"P{k}", 0, start, np.nan, 0.0), (f"P{k}", 1, end, ride, np.nan)]
        departures.append((f"P{k}", hour, float(minute), 1.0))
    names = ["pattern_id", "call_no", "station_id", "arrival_min", "departure_min"]
    starts = ["pattern_id", "hour_of_week", "start_min", "n_departures"]
    return (
        pd.DataFrame(calls, columns=names).astype({"pattern_id": "str", "station_id": "str"}).rename_axis("call_id"),
        pd.DataFrame(departures, columns=starts).astype({"pattern_id": "str"}).rename_axis("departure_id"),
    )


def measure(*rows, origins=("A",), **options):
    return measure_timed_journeys(*trains(*rows), list(origins), **options)


WORLD = [("A", "B", 8, 10, 20.0), ("A", "B", 8, 40, 20.0), ("B", "C", 8, 36, 14.0), ("B", "C", 9, 10, 14.0)]


def test_a_journey_is_the_first_train_and_the_first_after_the_change():
    """At 08:10 to B at 08:30, five minutes to change, on at 08:36, at C at 08:50; or at 08:40, on at 09:10, 09:24."""
    times = measure(*WORLD)
    at = {code: k for k, code in enumerate(times.station_ids)}
    assert times.least_min[0, at["B"], MONDAY_8] == 20.0
    assert times.least_min[0, at["C"], MONDAY_8] == 40.0
    # Whoever comes in the first ten minutes is at C at 08:50, in the next thirty at 09:24, later a week on: not at all.
    assert np.isinf(times.mean_min[0, at["C"], MONDAY_8])
    assert times.least_min[0, at["A"], MONDAY_8] == 0.0


def test_the_mean_is_over_the_minutes_of_the_hour():
    times = measure(*WORLD, ("A", "B", 9, 0, 20.0))
    to_b = times.mean_min[0, times.station_ids.index("B"), MONDAY_8]
    # Ten minutes wait 5 in the mean, thirty wait 15 and twenty wait 10.
    assert to_b == pytest.approx((10 * 5 + 30 * 15 + 20 * 10) / 60 + 20)


def test_a_change_takes_the_minutes_of_its_station():
    at_c = {
        change: measure(*WORLD, interchange_min=pd.Series({"B": change})).least_min[0, 2, MONDAY_8]
        for change in (6.0, 6.5)
    }
    assert at_c == {6.0: 40.0, 6.5: 44.0}


def test_whoever_stays_on_the_train_does_not_change():
    calls, departures = trains(("A", "B", 8, 0, 10.0))
    more = pd.DataFrame(
        {"pattern_id": ["P0"], "call_no": [2], "station_id": ["C"], "arrival_min": [15.0], "departure_min": [np.nan]}
    ).astype({"pattern_id": "str", "station_id": "str"})
    calls.loc[1, "departure_min"] = 11.0
    through = measure_timed_journeys(
        pd.concat([calls, more], ignore_index=True).rename_axis("call_id"), departures, ["A"]
    )
    assert through.least_min[0, through.station_ids.index("C"), MONDAY_8] == 15.0


def test_a_week_goes_on_into_the_next():
    times = measure(("A", "B", SUNDAY_23, 50, 20.0), ("B", "C", 0, 20, 10.0))
    to_c = times.least_min[0, times.station_ids.index("C")]
    assert to_c[SUNDAY_23] == 40.0
    assert np.flatnonzero(np.isfinite(to_c)).tolist() == [SUNDAY_23]
    # From half past nine, in the mean, until ten past midnight.
    assert times.mean_min[0, times.station_ids.index("B"), SUNDAY_23 - 2] == pytest.approx(160.0)


def test_the_order_of_trains_changes_nothing():
    one, other = measure(*WORLD), measure(*WORLD[::-1])
    np.testing.assert_array_equal(one.mean_min, other.mean_min)
    np.testing.assert_array_equal(one.least_min, other.least_min)


def test_trains_without_minutes_and_stations_without_trains_are_refused():
    calls, departures = trains(*WORLD)
    with pytest.raises(InputError, match=r"departures: there is no column 'start_min', expected the minute of each"):
        measure_timed_journeys(calls, departures.drop(columns="start_min"), ["A"])
    with pytest.raises(InputError, match=r"origins: no train calls at 'Z', expected a station with trains\. Leave it"):
        measure_timed_journeys(calls, departures, ["A", "Z"])
