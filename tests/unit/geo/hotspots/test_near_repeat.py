import numpy as np
import pandas as pd
import pytest

from geo.errors import InputError, UsageError
from geo.hotspots.near_repeat import measure_near_repeats
from tests.unit.geo.hotspots.toy_offences import make_offences

OPTIONS = {"distance_m": [100.0, 500.0], "lag_days": [7.0, 30.0], "random_state": 1, "n_permutations": 99}


def dated(xy, day):
    table = make_offences(xy[:, 0], xy[:, 1])
    at = pd.Timestamp("2025-01-01", tz="UTC") + pd.to_timedelta(day, unit="D")
    return table.assign(time_precision="day", occurred_from_at=at.as_unit("ns"), occurred_to_at=at.as_unit("ns"))


def noise(seed, n=200):
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 5000, (n, 2)), rng.uniform(0, 365, n).round()


def test_planted_repeats_are_found():
    xy, day = noise(1)
    rng = np.random.default_rng(2)
    again = rng.choice(200, 40, replace=False)
    xy2, day2 = np.vstack([xy, xy[again] + rng.uniform(-40, 40, (40, 2))]), np.append(day, day[again] + 3)
    table = measure_near_repeats(dated(np.clip(xy2, 0, None), day2), **OPTIONS)
    near = table[(table["distance_m"] == 100) & (table["lag_days"] == 7)].iloc[0]
    assert near["n_pairs"] >= 35
    assert near["ratio"] > 5
    assert near["p_value"] == 0.01


def test_counts_are_those_of_all_pairs():
    xy, day = noise(3, n=60)
    # So near each other that each distance and each lag holds some pairs.
    xy, day = xy / 5, (day / 5).round()
    table = measure_near_repeats(dated(xy, day), **OPTIONS)
    assert table["n_pairs"].is_unique
    assert table["n_pairs"].min() > 0
    distance = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    lag = abs(day[:, None] - day[None])
    upper = np.triu(np.ones((60, 60), dtype=bool), 1)
    for row in table.itertuples():
        assert row.n_pairs == (upper & (distance <= row.distance_m) & (lag <= row.lag_days)).sum()


def test_where_place_and_time_are_apart_nothing_is_found():
    p = [measure_near_repeats(dated(*noise(seed)), **OPTIONS)["p_value"].iloc[0] for seed in range(20)]
    assert sum(value <= 0.05 for value in p) <= 3


def test_month_precision_is_refused_with_the_reason():
    with pytest.raises(InputError, match=r"2 of 2 know only their month, expected the day.*may be 0 or 30 days apart"):
        measure_near_repeats(make_offences([1.0, 2.0], [1.0, 2.0]), **OPTIONS)


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(InputError, match="1 are usable, expected at least 2"):
        measure_near_repeats(dated(np.ones((1, 2)), np.ones(1)), **OPTIONS)
    with pytest.raises(UsageError, match=r"lag_days \[-1\]"):
        measure_near_repeats(dated(*noise(0)), **{**OPTIONS, "lag_days": [-1]})
