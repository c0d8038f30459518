import numpy as np
import pytest

from geo.errors import InputError, UsageError
from geo.hotspots.scan import gumbel_p, scan_space_time

OPTIONS = {"most_radius_m": 1500.0, "most_periods": 4, "n_permutations": 99}


def noise(seed, n=300):
    """Sixty places of unlike size in twelve periods of unlike size, places and times apart."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, 10_000, (60, 2)).round()
    where = rng.choice(60, size=n, p=rng.dirichlet(np.ones(60)))
    return places[where, 0], places[where, 1], rng.choice(12, size=n, p=rng.dirichlet(np.full(12, 3.0)))


def planted(seed=0, periods=(7, 8)):
    east, north, period = noise(seed)
    east, north = np.append(east, [5000.0, 5300, 5000, 5300] * 6), np.append(north, [5000.0, 5000, 5300, 5300] * 6)
    return east, north, np.append(period, np.resize(periods, 24))


def test_a_planted_cluster_is_found_where_and_when_it_is():
    best = scan_space_time(*planted(), random_state=1, **OPTIONS).iloc[0]
    assert 4900 <= best["easting_m"] <= 5400
    assert (best["first_period"], best["last_period"]) == (7, 8)
    assert best["n_observed"] >= 24
    assert best["p_value"] == 0.01
    assert best["gumbel_p_value"] < 0.01


def test_a_busy_place_or_a_busy_month_is_no_cluster():
    p = [scan_space_time(*noise(seed), random_state=1, **OPTIONS)["p_value"].iloc[0] for seed in range(20)]
    # At 5 % one of twenty is expected; four or more happen in under 2 % of tries.
    assert sum(value <= 0.05 for value in p) <= 3
    assert np.median(p) > 0.2


def test_only_living_clusters_count_when_looking_ahead():
    ahead = scan_space_time(*planted(), random_state=1, is_prospective=True, **OPTIONS)
    assert (ahead["last_period"] == 11).all()
    assert ahead["p_value"].iloc[0] > 0.01
    living = scan_space_time(*planted(periods=(10, 11)), random_state=1, is_prospective=True, **OPTIONS)
    assert living["p_value"].iloc[0] == 0.01


def test_clusters_reported_share_no_place():
    found = scan_space_time(*noise(3), random_state=1, **OPTIONS)
    gap = np.hypot(
        *(
            found[["easting_m", "northing_m"]].to_numpy()[:, None] - found[["easting_m", "northing_m"]].to_numpy()
        ).transpose(2, 0, 1)
    )
    reach = found["radius_m"].to_numpy()
    assert len(found) > 1
    assert (gap[np.triu_indices(len(found), 1)] > np.maximum.outer(reach, reach)[np.triu_indices(len(found), 1)]).all()


def test_row_order_changes_nothing():
    east, north, period = planted()
    shuffled = np.random.default_rng(0).permutation(len(east))
    one = scan_space_time(east, north, period, random_state=1, **OPTIONS)
    assert one.equals(scan_space_time(east[shuffled], north[shuffled], period[shuffled], random_state=1, **OPTIONS))


def test_the_gumbel_tail_is_that_of_a_gumbel():
    draws = np.random.default_rng(0).gumbel(5, 2, 20_000)
    assert gumbel_p(np.array([5.0, 15.0]), draws) == pytest.approx([1 - np.exp(-1), 1 - np.exp(-np.exp(-5))], rel=0.05)


def test_what_cannot_be_scanned_is_refused():
    with pytest.raises(UsageError, match="most_periods: it is 0, expected at least 1"):
        scan_space_time(*noise(0), random_state=1, **{**OPTIONS, "most_periods": 0})
    with pytest.raises(InputError, match="offences: they lie in fewer than 2 periods"):
        scan_space_time(np.ones(3), np.ones(3), np.ones(3, dtype=int), random_state=1, **OPTIONS)
