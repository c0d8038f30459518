"""Addresses by town leave as bands: one home more or fewer rarely shows, and one or two never do."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.disclosure.address_bands import band_addresses, band_outside_addresses
from geo.errors import DisclosureError, TableError
from tests.unit.geo.disclosure.test_quadtree import make_points

EAST, NORTH = 450_000.0, 450_000.0
# Two towns 6 km apart, a hamlet between them, and a town with no address near it.
TOWNS = pd.DataFrame(
    {
        "name": ["Caxton", "Ayton", "Beckby", "Hamlet"],
        "easting_m": [EAST + 60_000, EAST, EAST + 6_000, EAST + 2_000],
        "northing_m": NORTH,
        "population": [5_000, 9_000, 250, 249],
        "population_basis": "made up",
        "is_in_force": True,
    },
    index=pd.Index(["caxton", "ayton", "beckby", "hamlet"], name="place_id"),
)
# Along the line of towns; out to where no town reaches.
spots = st.integers(-8_000, 16_000)
homes = st.lists(spots, max_size=40)


def at(spots):
    """Homes so many metres east of Ayton, each 25 m north of the one before: too far apart to be one."""
    east = EAST + np.asarray(spots, dtype=float)
    return make_points(east, NORTH + 25.0 * np.arange(len(east)))


def band_number(table):
    """How many edges lie below each row's band."""
    return ((table["n_high"] - 2) // 5).to_numpy()


def test_towns_are_in_order_and_small_ones_are_not_counted():
    # Three homes in the hamlet look to Ayton, 2 km away; five in Beckby; two belong to none.
    table = band_addresses(at([2_000, 2_001, 2_002, 6_000, 6_001, 6_002, 6_003, 6_004, 11_000, 12_000]), TOWNS)
    expected = pd.DataFrame(
        {"n_low": [3, 3, 0, 0], "n_high": [7, 7, 2, 0], "is_counted": [True, True, True, False]},
        index=pd.Index(["ayton", "beckby", "caxton", "hamlet"], name="place_id"),
    )
    pd.testing.assert_frame_equal(table, expected, check_index_type=False)


@pytest.mark.parametrize(
    ("n", "band"),
    [(0, (0, 2)), (1, (0, 2)), (2, (0, 2)), (3, (3, 7)), (7, (3, 7)), (8, (8, 12)), (12, (8, 12)), (13, (13, 17))],
)
def test_a_band_holds_its_count_and_none_looks_like_two(n, band):
    assert tuple(band_addresses(at([0] * n), TOWNS).loc["ayton", ["n_low", "n_high"]]) == band
    assert band_outside_addresses(at([13_000] * n), TOWNS) == band


def test_an_address_belongs_to_the_town_of_most_residents_there():
    # Ayton's 9,000 reach 2.5 km, Beckby's 250 less than half a kilometre: midway is Ayton's, or nobody's.
    assert band_addresses(at([-2_400] * 3), TOWNS).loc["ayton", "n_low"] == 3
    assert band_outside_addresses(at([-2_600] * 3), TOWNS) == (3, 7)
    near_beckby = at([5_400] * 3)
    assert band_addresses(near_beckby, TOWNS).loc["beckby", "n_low"] == 0
    assert band_addresses(near_beckby, TOWNS.assign(population=9_000)).loc["beckby", "n_low"] == 3


def test_an_address_seen_after_the_cut_off_has_no_part():
    points = at([0] * 3 + [13_000] * 3)
    before, after = pd.Period("2024-12", "M"), pd.Period("2025-01", "M")
    assert band_addresses(points, TOWNS, cutoff=before).loc["ayton", "n_low"] == 0
    assert band_outside_addresses(points, TOWNS, cutoff=before) == (0, 2)
    pd.testing.assert_frame_equal(band_addresses(points, TOWNS, cutoff=after), band_addresses(points, TOWNS))


def test_without_addresses_or_large_towns_nothing_is_lost():
    assert band_addresses(at([]), TOWNS)["n_high"].tolist() == [2, 2, 2, 0]
    hamlets = TOWNS.assign(population=100)
    assert not band_addresses(at([0] * 9), hamlets)["is_counted"].any()
    assert band_outside_addresses(at([0] * 9), hamlets) == (8, 12)
    assert len(band_addresses(at([0]), TOWNS.iloc[:0])) == 0


def test_towns_too_small_to_hide_a_home_are_refused():
    with pytest.raises(
        DisclosureError, match=r"least_residents: it is 249\.0, expected at least 250, so that an address"
    ):
        band_addresses(at([0]), TOWNS, least_residents=249.0)
    with pytest.raises(DisclosureError, match="least_residents: it is nan"):
        band_outside_addresses(at([0]), TOWNS, least_residents=float("nan"))
    assert not band_addresses(at([0]), TOWNS, least_residents=251.0).loc["beckby", "is_counted"]


def test_towns_keep_their_contract():
    with pytest.raises(TableError, match="places: column 'population' is missing"):
        band_addresses(at([0]), TOWNS.drop(columns="population"))


@given(homes, spots)
def test_one_address_more_moves_at_most_one_row_by_one_band(spots, one_more):
    fewer, more = at(spots), at([*spots, one_more])
    step = band_number(band_addresses(more, TOWNS)) - band_number(band_addresses(fewer, TOWNS))
    outside = band_outside_addresses(more, TOWNS)[0] != band_outside_addresses(fewer, TOWNS)[0]
    assert set(step) <= {0, 1}
    assert step.sum() + outside <= 1


@given(homes, st.randoms(use_true_random=False))
def test_the_order_of_homes_and_towns_is_no_side_channel(spots, random):
    shuffled, order = spots[:], list(TOWNS.index)
    random.shuffle(shuffled)
    random.shuffle(order)
    pd.testing.assert_frame_equal(band_addresses(at(shuffled), TOWNS.loc[order]), band_addresses(at(spots), TOWNS))


@given(homes)
def test_no_row_tells_an_exact_count_or_one_or_two(spots):
    table = band_addresses(at(spots), TOWNS)
    counted = table[table["is_counted"]]
    assert not table[["n_low", "n_high"]].isin([1]).any(axis=None)
    assert not table["n_low"].eq(2).any()
    assert (counted["n_high"] - counted["n_low"] >= 2).all()
    low, high = band_outside_addresses(at(spots), TOWNS)
    assert counted["n_low"].sum() + low <= len(spots) <= counted["n_high"].sum() + high
    assert set(table.columns) == {"n_low", "n_high", "is_counted"}
