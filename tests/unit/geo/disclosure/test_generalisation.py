"""A shape that leaves is squares of a fixed grid: it covers the hull, and no corner of it is an offence."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.disclosure.generalisation import SQUARE_SIDES_M, generalise_hotspots, suppress_months
from geo.errors import DisclosureError, TableError

JANUARY = pd.Period("2025-01", freq="M")


def make_hotspots(shapes, n_offences=None):
    n = len(shapes)
    return gpd.GeoDataFrame(
        {
            "method": pd.Series(["dbscan"] * n, dtype="str").to_numpy(),
            "easting_m": [shape.centroid.x for shape in shapes],
            "northing_m": [shape.centroid.y for shape in shapes],
            "n_offences": np.array(n_offences or [12] * n, dtype="int64"),
            "weight": np.array(n_offences or [12] * n, dtype=float),
            "area_km2": [shape.area / 1e6 for shape in shapes],
            "first_month": pd.PeriodIndex([JANUARY] * n),
            "last_month": pd.PeriodIndex([JANUARY] * n),
            "z_score": 3.14159,
            "q_value": 0.0123456,
            "nearest_station_id": pd.Series(["YRK"] * n, dtype="str").to_numpy(),
            "walk_min": 7.6543,
            "walk_basis": pd.Series(["straight_line_detour"] * n, dtype="str").to_numpy(),
        },
        index=pd.Index([f"H{k:03d}" for k in range(n)], name="hotspot_id", dtype="str"),
        geometry=list(shapes),
        crs="EPSG:27700",
    ).astype({"method": "str", "nearest_station_id": "str", "walk_basis": "str"})


def make_areas(densities_per_km2):
    """Columns of two by ten kilometres from 450 km east, with these dwellings a square kilometre."""
    n = len(densities_per_km2)
    index = pd.Index([f"E{k}" for k in range(n)], name="area_id", dtype="str")
    return gpd.GeoDataFrame(
        {
            "name": index.to_numpy(),
            "population": 1_000.0,
            "n_dwellings": [d * 20.0 for d in densities_per_km2],
            "imd_decile": 5.0,
        },
        index=index,
        geometry=[shapely.box(450_000 + k * 2_000, 450_000, 452_000 + k * 2_000, 460_000) for k in range(n)],
        crs="EPSG:27700",
    )


hulls = st.lists(
    st.tuples(st.floats(450_001, 453_999, width=32), st.floats(450_001, 453_999, width=32)), min_size=3, max_size=12
).map(lambda points: shapely.MultiPoint(points).convex_hull)


@given(hulls, st.sampled_from([0.0, 3.0, 100.0, 900.0]), st.sampled_from([3.0, 2_000.0]), st.booleans())
def test_squares_cover_the_hull_and_hold_the_dwellings(hull, west_density, east_density, has_exact_offences):
    hull = hull.buffer(35.0)
    out = generalise_hotspots(
        make_hotspots([hull]),
        profile="tactical",
        areas=make_areas([west_density, east_density]),
        has_exact_offences=has_exact_offences,
    )
    shape = out.geometry.iloc[0]
    assert not (shapely.get_coordinates(shape) % SQUARE_SIDES_M[0]).any()
    assert shapely.difference(hull, shape).area == pytest.approx(0.0, abs=1e-3)
    # No square is there that the hull does not touch.
    assert shape.area <= hull.buffer(SQUARE_SIDES_M[-1] * 2**0.5).area
    if not has_exact_offences:
        assert shape.area <= hull.buffer(SQUARE_SIDES_M[0] * 2**0.5).area
    assert out["area_km2"].iloc[0] == pytest.approx(shape.area / 1e6)


@pytest.mark.parametrize(
    ("density_per_km2", "side_m"), [(2_000.0, 100.0), (800.0, 100.0), (799.0, 200.0), (60.0, 400.0), (3.0, 800.0)]
)
def test_a_square_is_as_large_as_eight_dwellings_need(density_per_km2, side_m):
    point = shapely.Point(451_050, 455_050).buffer(5.0)
    out = generalise_hotspots(make_hotspots([point]), profile="tactical", areas=make_areas([density_per_km2]))
    assert out.geometry.iloc[0].area == side_m**2


def test_exact_offences_where_no_dwellings_are_known_take_the_largest_square():
    point = shapely.Point(451_050, 455_050).buffer(5.0)
    nulls = make_areas([1.0]).assign(n_dwellings=np.nan)
    for areas in (None, nulls, make_areas([1.0]).iloc[:0]):
        out = generalise_hotspots(make_hotspots([point]), profile="tactical", areas=areas)
        assert out.geometry.iloc[0].area == SQUARE_SIDES_M[-1] ** 2


def test_on_a_border_the_emptier_side_decides():
    point = shapely.Point(452_050, 455_050).buffer(5.0)
    areas = make_areas([3.0, 2_000.0])
    areas.geometry = [shapely.box(450_000, 450_000, 452_050, 460_000), shapely.box(452_050, 450_000, 454_000, 460_000)]
    out = generalise_hotspots(make_hotspots([point]), profile="tactical", areas=areas)
    assert out.geometry.iloc[0].area > 100.0**2


def test_two_offences_that_moved_inside_their_squares_give_the_same_table():
    hulls = [shapely.LineString([(451_010 + d, 455_020), (451_230, 455_170 - d)]).buffer(9.0) for d in (0.0, 11.0)]
    one, other = (generalise_hotspots(make_hotspots([hull]), profile="tactical") for hull in hulls)
    assert one.drop(columns="geometry").equals(other.drop(columns="geometry"))
    assert one.geometry.iloc[0].equals(other.geometry.iloc[0])


def test_figures_that_would_count_again_are_rounded_and_small_hotspots_are_gone():
    point = shapely.Point(451_050, 455_050).buffer(5.0)
    hotspots = make_hotspots([point] * 4, [3, 4, 12, 13])
    out = generalise_hotspots(hotspots, profile="tactical")
    assert out["n_offences"].to_dict() == {"H002": 10, "H003": 15}
    assert out["weight"].tolist() == [10.0, 15.0]
    assert out[["z_score", "q_value", "walk_min"]].iloc[0].tolist() == [3.1, 0.012, 8.0]
    assert hotspots["n_offences"].tolist() == [3, 4, 12, 13]


def test_patches_of_grid_cells_stay_as_they_are():
    patch = shapely.box(451_000, 455_000, 452_500, 455_500)
    out = generalise_hotspots(make_hotspots([patch]), profile="tactical")
    assert out.geometry.iloc[0].equals(patch)


def test_months_of_hidden_hotspots_go_and_small_months_are_null():
    point = shapely.Point(451_050, 455_050).buffer(5.0)
    hotspots = generalise_hotspots(make_hotspots([point] * 2, [3, 20]), profile="tactical")
    months = pd.DataFrame({"hotspot_id": ["H000", "H001", "H001", "H001"], "n_offences": [3, 4, 0, 16]})
    out = suppress_months(months, hotspots, profile="tactical")
    assert out["hotspot_id"].tolist() == ["H001"] * 3
    assert np.isnan(out["n_offences"].iloc[0])
    assert out["n_offences"].iloc[1:].tolist() == [0.0, 15.0]


def test_an_unknown_profile_is_refused():
    point = shapely.Point(451_050, 455_050).buffer(5.0)
    with pytest.raises(DisclosureError, match="profile: it is 'analyst', expected one of tactical, partner, public"):
        generalise_hotspots(make_hotspots([point]), profile="analyst")


def test_a_table_that_breaks_its_contract_is_refused():
    point = shapely.Point(451_050, 455_050).buffer(5.0)
    with pytest.raises(TableError, match="hotspots: column 'method' is missing"):
        generalise_hotspots(make_hotspots([point]).drop(columns="method"), profile="tactical")
