"""Prices by the clock: by hand, and against every journey of small timetables written out."""

import itertools

import numpy as np
import pandas as pd
import pytest

from geo.corridors.rides import CHANGE_WEIGHT, INTERCHANGE_PENALTY_MIN
from geo.corridors.timed_prices import price_timed_journeys
from geo.corridors.waiting import price_first_wait
from geo.errors import InputError
from geo.network.passenger import DEFAULT_MAX_WAIT_MIN
from tests.unit.geo.network.test_timed_journeys import trains

DAY = tuple(range(8, 20))
STATIONS = ("A", "B", "C", "D")
CHANGE_MIN = 5.0


def every(minute, start, end, past, ride):
    return [(start, end, hour, past + k * minute, ride) for hour in DAY for k in range(60 // minute)]


def prices(rows, *, stations=STATIONS, origins=("A",), **options):
    return price_timed_journeys(*trains(*rows), stations, origins, hours=DAY, **options)


def at(found, start, end):
    i, j = STATIONS.index(start), STATIONS.index(end)
    return float(found.cost_min[i, j]), float(found.time_min[i, j])


def test_a_train_every_half_hour_costs_its_minutes_and_half_the_time_between():
    cost_min, time_min = at(prices(every(30, "A", "B", 10, 20.0)), "A", "B")
    assert time_min == pytest.approx(15 + 20)
    assert cost_min == pytest.approx(float(price_first_wait(np.array(15.0))) + 20)


def test_a_change_that_fits_costs_less_than_one_that_waits_by_its_minutes_weighted():
    fits = prices(every(60, "A", "B", 0, 20.0) + every(60, "B", "C", 25, 10.0))
    waits = prices(every(60, "A", "B", 0, 20.0) + every(60, "B", "C", 50, 10.0))
    assert at(waits, "A", "C")[0] - at(fits, "A", "C")[0] == pytest.approx(CHANGE_WEIGHT * 25)
    assert at(waits, "A", "C")[1] - at(fits, "A", "C")[1] == pytest.approx(25)
    wait = float(price_first_wait(np.array(30.0)))
    assert at(fits, "A", "C")[0] == pytest.approx(wait + 30 + CHANGE_WEIGHT * 5 + INTERCHANGE_PENALTY_MIN)


def test_a_minute_aboard_weighs_what_is_stated_and_a_minute_of_waiting_as_before():
    hourly = every(60, "A", "B", 0, 20.0) + every(60, "B", "C", 25, 10.0)
    light, heavy = prices(hourly), prices(hourly, in_vehicle_weight=3.0)
    assert at(heavy, "A", "C")[0] - at(light, "A", "C")[0] == pytest.approx(2.0 * 30)
    assert at(heavy, "A", "C")[1] == at(light, "A", "C")[1]


def test_a_poor_journey_is_taken_only_if_the_shorter_wait_is_worth_it():
    hourly = every(60, "A", "B", 0, 20.0)
    bad = at(prices(hourly + every(60, "A", "B", 20, 70.0)), "A", "B")
    assert bad == at(prices(hourly), "A", "B")
    # Of equal minutes it halves the wait.
    good = at(prices(hourly + every(60, "A", "B", 30, 20.0)), "A", "B")
    assert good[1] == pytest.approx(bad[1] - 15)


def test_no_first_wait_counts_longer_than_an_hour():
    one = prices([("A", "B", 9, 0, 20.0)])
    assert at(one, "A", "B")[1] == pytest.approx(DEFAULT_MAX_WAIT_MIN + 20)


def test_a_walk_is_made_between_two_trains_and_only_there():
    rows = every(60, "A", "B", 0, 20.0) + every(60, "C", "D", 40, 10.0)
    assert np.isinf(at(prices(rows), "A", "D")[0])
    walk = pd.DataFrame({"from_station_id": ["B"], "to_station_id": ["C"], "time_min": [15.0]})
    found = prices(rows, fixed_links=walk)
    assert at(found, "A", "D")[1] == pytest.approx(30 + 50)
    assert np.isinf(at(found, "A", "C")[0])
    # The last of twelve has no train that late.
    late = walk.assign(time_min=25.0)
    assert at(prices(rows, fixed_links=late), "A", "D")[1] == pytest.approx(60 * 12 / 11 / 2 + 110)


def test_only_origins_asked_for_are_priced_and_no_train_hour_counts_that_is_not():
    rows = [*every(30, "A", "B", 10, 20.0), ("A", "B", 3, 0, 5.0), ("C", "D", 3, 0, 5.0)]
    found = prices(rows, origins=("A", "C"))
    assert at(found, "A", "B")[1] == pytest.approx(35)
    assert np.isinf(at(found, "C", "D")[0])
    assert np.isinf(found.cost_min[STATIONS.index("B")]).all()


def test_departures_without_minutes_have_no_prices():
    calls, departures = trains(*every(30, "A", "B", 10, 20.0))
    with pytest.raises(InputError, match="there is no column 'start_min'"):
        price_timed_journeys(calls, departures.drop(columns="start_min"), STATIONS, ["A"], hours=DAY)


def test_from_several_stations_the_best_start_counts():
    rows = every(30, "A", "D", 10, 60.0) + every(30, "B", "D", 10, 20.0)
    found = prices(rows, origins=("A", "B"))
    cost_min, first = found.from_stations(np.array([0, 1], dtype=np.int32), np.array([0.0, 10.0]))
    assert first[3] == 1
    assert cost_min[3] == pytest.approx(10 + at(found, "B", "D")[0])
    nearer, first = found.from_stations(np.array([0, 1], dtype=np.int32), np.array([0.0, 90.0]))
    assert first[3] == 0
    assert nearer[3] == pytest.approx(at(found, "A", "D")[0])


def write_out(rows, start, end, change_min):
    """Every chain of trains from one station to another as departure, arrival, changes and minutes between trains."""
    runs = [(a, b, 60 * h + m, 60 * h + m + ride) for a, b, h, m, ride in rows]
    chains = [[run] for run in runs if run[0] == start]
    found = []
    while chains:
        chain = chains.pop()
        if chain[-1][1] == end:
            idle = sum(two[2] - one[3] for one, two in itertools.pairwise(chain))
            found.append((chain[0][2], chain[-1][3], len(chain) - 1, idle))
            continue
        chains += [
            [*chain, run]
            for run in runs
            if run[0] == chain[-1][1] and run[2] >= chain[-1][3] + change_min and run[1] not in {c[0] for c in chain}
        ]
    return found


def price_by_hand(rows, start, end):
    journeys = write_out(rows, start, end, CHANGE_MIN)
    # Not beaten by leaving later and arriving no later, nor as late with fewer changes, nor as few with less waiting.
    best = [
        j
        for j in journeys
        if not any(
            (k[0] >= j[0] and k[1] <= j[1] and k[:2] != j[:2]) or (k[:2] == j[:2] and k[2:] < j[2:]) for k in journeys
        )
    ]
    cost = sorted({(b - a + (CHANGE_WEIGHT - 1) * idle + INTERCHANGE_PENALTY_MIN * n, a, b) for a, b, n, idle in best})
    least = np.inf
    for m in range(1, len(cost) + 1):
        wait = min(60 * len(DAY) / m / 2, DEFAULT_MAX_WAIT_MIN)
        least = min(least, float(price_first_wait(np.array(wait))) + sum(c for c, _, _ in cost[:m]) / m)
    return least


@pytest.mark.parametrize("seed", range(12))
def test_prices_are_those_of_all_journeys_written_out(seed):
    rng = np.random.default_rng(seed)
    rows = []
    for start, end in (("A", "B"), ("B", "C"), ("A", "C"), ("C", "D"), ("B", "D")):
        rows += [
            (start, end, int(rng.integers(8, 19)), int(rng.integers(0, 60)), float(rng.integers(8, 60)))
            for _ in range(int(rng.integers(2, 9)))
        ]
    found = prices(rows)
    for end in ("B", "C", "D"):
        assert at(found, "A", end)[0] == pytest.approx(price_by_hand(rows, "A", end)), end
