"""The quadtree keeps its floors for every shown square, by brute force; order and repeats tell nothing."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.disclosure.quadtree import PROFILES, band_cells
from geo.errors import DisclosureError
from geo.sensitive import SensitivePoints

WEST, SOUTH, SIDE = 400_000.0, 400_000.0, 700.0


def make_points(easting_m, northing_m):
    months = pd.PeriodIndex(["2025-01"] * len(easting_m), freq="M")
    index = pd.Index([f"a{i:04d}" for i in range(len(easting_m))], name="address_id", dtype="str")
    return SensitivePoints(
        pd.DataFrame(
            {
                "easting_m": np.asarray(easting_m, float),
                "northing_m": np.asarray(northing_m, float),
                "first_seen": months,
                "last_seen": months,
            },
            index=index,
        )
    )


def make_areas(n_columns=20, n_rows=20, n_dwellings=40.0):
    """A board of 700 m squares with forty dwellings each."""
    boxes = [
        shapely.box(WEST + c * SIDE, SOUTH + r * SIDE, WEST + (c + 1) * SIDE, SOUTH + (r + 1) * SIDE)
        for r in range(n_rows)
        for c in range(n_columns)
    ]
    index = pd.Index([f"E{i:05d}" for i in range(len(boxes))], name="area_id", dtype="str")
    return gpd.GeoDataFrame(
        {"name": index.to_numpy(), "population": 100.0, "n_dwellings": n_dwellings, "imd_decile": 5.0},
        index=index,
        geometry=boxes,
        crs="EPSG:27700",
    )


coordinates = st.lists(
    st.tuples(st.floats(0, 14_000, exclude_max=True), st.floats(0, 14_000, exclude_max=True)), min_size=0, max_size=120
)


@given(coordinates, st.sampled_from(["tactical", "partner"]))
def test_every_shown_square_keeps_both_floors(offsets, profile):
    easting_m = np.array([WEST + x for x, _ in offsets])
    northing_m = np.array([SOUTH + y for _, y in offsets])
    areas = make_areas()
    cells = band_cells(make_points(easting_m, northing_m), areas, profile=profile)
    rule = PROFILES[profile]
    doors = np.unique(np.column_stack([easting_m, northing_m]).reshape(-1, 2), axis=0)
    for cell in cells.itertuples():
        west, south, east, north = cell.geometry.bounds
        inside = (doors[:, 0] >= west) & (doors[:, 0] < east) & (doors[:, 1] >= south) & (doors[:, 1] < north)
        assert inside.sum() >= rule.min_addresses
        assert areas.loc[areas.within(cell.geometry), "n_dwellings"].sum() >= rule.min_dwellings
        low, high = rule.band_range(cell.band)
        assert max(low, rule.min_addresses) <= inside.sum() <= high
    # Squares never overlap, so no difference of two of them isolates a smaller one.
    assert cells.union_all().area == pytest.approx(cells.area.sum())


@given(coordinates)
def test_row_order_and_repeated_addresses_tell_nothing(offsets):
    easting_m = np.array([WEST + x for x, _ in offsets])
    northing_m = np.array([SOUTH + y for _, y in offsets])
    areas = make_areas()
    once = band_cells(make_points(easting_m, northing_m), areas, profile="tactical")
    again = band_cells(
        make_points(np.tile(easting_m[::-1], 2), np.tile(northing_m[::-1], 2)), areas[::-1], profile="tactical"
    )
    assert once.equals(again)


def test_one_more_address_at_a_quiet_square_does_not_move_the_others():
    rng = np.random.default_rng(1)
    busy = np.array([WEST, SOUTH]) + rng.uniform(0, 3_000, size=(80, 2))
    quiet = np.array([[WEST + 13_000, SOUTH + 13_000]])
    areas = make_areas()
    before = band_cells(make_points(*busy.T), areas, profile="tactical")
    after = band_cells(make_points(*np.vstack([busy, quiet]).T), areas, profile="tactical")
    assert len(before) > 0
    assert set(after.index) <= set(before.index) | {i for i in after.index if after.geometry[i].area > 4e8}


def test_a_home_far_from_all_others_does_not_keep_them_in_one_square():
    areas = make_areas()
    busy = np.array([WEST, SOUTH]) + np.random.default_rng(1).uniform(0, 3_000, size=(80, 2))
    alone = np.array([[WEST + 13_000, SOUTH + 13_000]])
    cells = band_cells(make_points(*np.vstack([busy, alone]).T), areas, profile="tactical")
    assert len(cells) > 1
    assert not cells.covers(shapely.Point(alone[0])).any()


def test_a_square_is_not_split_where_too_many_of_its_homes_would_go_untold():
    areas = make_areas(n_columns=40, n_rows=40)
    # Four in one quarter of a square of 8,192 m, two in each other: four of ten is less than four fifths.
    west, south, half = 401_408.0, 401_408.0, 4_096.0
    spots = [(0, 0)] * 4 + [(1, 0)] * 2 + [(0, 1)] * 2 + [(1, 1)] * 2
    at = [(west + (dx + 0.5) * half + 25.0 * k, south + (dy + 0.5) * half) for k, (dx, dy) in enumerate(spots)]
    cells = band_cells(make_points(*np.array(at).T), areas, profile="tactical")
    assert cells.area.tolist() == [8_192.0**2]
    assert cells["band"].tolist() == [2]


def test_partner_bands_begin_at_ten():
    busy = np.array([WEST, SOUTH]) + np.random.default_rng(1).uniform(0, 900, size=(25, 2))
    cells = band_cells(make_points(*busy.T), make_areas(), profile="partner")
    assert cells["band"].tolist() == [2]
    assert band_cells(make_points(*busy[:9].T), make_areas(), profile="partner").empty


def test_two_homes_are_never_shown():
    points = make_points([WEST + 100, WEST + 5_000], [SOUTH + 100, SOUTH + 5_000])
    assert band_cells(points, make_areas(), profile="tactical").empty


def test_a_square_without_enough_dwellings_is_never_shown():
    points = make_points(WEST + np.arange(30) * 10.0, SOUTH + np.arange(30) * 10.0)
    assert band_cells(points, make_areas(n_dwellings=0.01), profile="tactical").empty


def test_the_public_gets_no_layer():
    with pytest.raises(DisclosureError, match=r"cuckooing: profile 'public' gets no victim layer, expected tactical"):
        band_cells(make_points([], []), make_areas(), profile="public")


def test_an_unknown_profile_is_refused():
    with pytest.raises(DisclosureError, match=r"profile: it is 'friend', expected one of tactical, partner, public"):
        band_cells(make_points([], []), make_areas(), profile="friend")
