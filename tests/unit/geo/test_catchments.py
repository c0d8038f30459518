"""Which town a point belongs to."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from geo.catchments import BACKGROUND_PER_KM2, CENTRE_PER_KM2, find_town, share_points

# A city, a village at its rim 5 km away, and a hamlet of nobody far off.
TOWNS = pd.DataFrame({"easting_m": [0.0, 5_000.0, 40_000.0], "northing_m": 0.0, "population": [150_000.0, 700.0, 0.0]})
metres = st.floats(-20_000, 60_000)


def scale_m(residents):
    return 1000 * np.sqrt(residents / (2 * np.pi * CENTRE_PER_KM2))


def plainly(points, towns):
    """Each point by a loop over all towns."""
    found = []
    for east, north in points:
        away_m = np.hypot(towns["easting_m"] - east, towns["northing_m"] - north)
        per_km2 = CENTRE_PER_KM2 * np.exp(-away_m / scale_m(np.maximum(towns["population"], 1)))
        best = int(np.argmax(per_km2))
        found.append(best if per_km2.iloc[best] >= BACKGROUND_PER_KM2 else -1)
    return found


def test_the_curve_of_a_town_holds_its_residents():
    residents = TOWNS["population"].iloc[0]
    scale_km = scale_m(residents) / 1000
    held, _ = quad(lambda d: 2 * np.pi * d * CENTRE_PER_KM2 * np.exp(-d / scale_km), 0, np.inf)
    assert held == pytest.approx(residents)


def test_a_village_keeps_its_own_and_no_more():
    # Nearer to the village than to the city, and yet the city's; the village's own streets; between; far from all.
    points = np.array([[2_600.0, 0], [5_000, 100], [3_500, 0], [20_000, 0], [40_000, 0]])
    assert find_town(points, TOWNS).tolist() == [0, 1, 0, -1, 2]


@given(st.lists(st.tuples(metres, metres), max_size=30), st.lists(st.tuples(metres, metres, st.integers(0, 200_000))))
def test_it_is_the_loop_over_all_towns(points, towns):
    table = pd.DataFrame(towns, columns=["easting_m", "northing_m", "population"], dtype=float)
    at = np.array(points, dtype=float).reshape(-1, 2)
    expected = plainly(at, table) if len(table) else [-1] * len(at)
    assert find_town(at, table).tolist() == expected


def test_of_equal_towns_the_first_has_it():
    pair = TOWNS.iloc[[0, 0]]
    assert find_town(np.array([[500.0, 0.0]]), pair).tolist() == [0]


@given(st.lists(st.tuples(metres, metres), min_size=1, max_size=30))
def test_shares_add_to_one_with_the_land_between(points):
    shared = share_points(np.array(points), TOWNS)
    total = np.asarray(shared.sum(axis=0)).ravel()
    assert (total <= 1).all()
    assert (shared.data >= 0).all()
    # What is left is the land's: its own density over all, to the shares that may be left out.
    per_km2 = np.zeros(len(points))
    for town in TOWNS.itertuples():
        away_m = np.hypot(*(np.array(points) - [town.easting_m, town.northing_m]).T)
        per_km2 += CENTRE_PER_KM2 * np.exp(-away_m / scale_m(max(town.population, 1)))
    np.testing.assert_allclose(1 - total, BACKGROUND_PER_KM2 / (BACKGROUND_PER_KM2 + per_km2), atol=4e-4)


def test_the_town_found_is_the_one_with_the_largest_share():
    points = np.random.default_rng(3).uniform(-3_000, 9_000, (200, 2))
    share = share_points(points, TOWNS).toarray()
    found = find_town(points, TOWNS)
    # Where two towns meet at the density of the land, neither needs more than the land has.
    kept = found >= 0
    assert kept.any()
    assert (share[:, kept].argmax(axis=0) == found[kept]).all()


@given(st.floats(1_000, 400_000), st.floats(1, 3))
def test_a_town_that_grows_loses_no_point(residents, factor):
    points = np.random.default_rng(4).uniform(-9_000, 15_000, (300, 2))
    smaller = find_town(points, TOWNS.assign(population=[residents, 5_000, 0]))
    larger = find_town(points, TOWNS.assign(population=[residents * factor, 5_000, 0]))
    assert (larger[smaller == 0] == 0).all()
