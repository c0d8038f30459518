"""One metric system: known points agree with the Ordnance Survey, and a mismatch raises."""

import geopandas as gpd
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Point

from geo.crs import require_metric, to_metric, to_metric_arrays, to_wgs84, to_wgs84_arrays
from geo.errors import CrsError


def test_the_worked_example_of_the_ordnance_survey():
    """Caister water tower in OS's guide to coordinate systems: E 651409.9, N 313177.3 on the OSGB36 datum."""
    easting_m, northing_m = to_metric_arrays(np.array([1.716073973]), np.array([52.65800783]))
    assert abs(easting_m[0] - 651_409.9) < 5
    assert abs(northing_m[0] - 313_177.3) < 5


@given(st.floats(-6, 1.8), st.floats(50, 59))
def test_there_and_back_is_within_a_centimetre(lon, lat):
    easting_m, northing_m = to_metric_arrays(np.array([lon]), np.array([lat]))
    again_lon, again_lat = to_wgs84_arrays(easting_m, northing_m)
    assert abs(again_lon[0] - lon) < 2e-7
    assert abs(again_lat[0] - lat) < 1e-7


def test_what_has_no_place_stays_null():
    easting_m, northing_m = to_metric_arrays(np.array([np.nan, np.inf]), np.array([53.0, 54.0]))
    assert np.isnan(easting_m).all()
    assert np.isnan(northing_m).all()


def test_degrees_are_refused_where_metres_are_expected():
    layer = gpd.GeoDataFrame(geometry=[Point(-1, 54)], crs="EPSG:4326")
    message = (
        r"^places: CRS is EPSG:4326 \(degree\), expected EPSG:27700 \(metre\). Project it with geo.crs.to_metric.$"
    )
    with pytest.raises(CrsError, match=message):
        require_metric(layer, "places")
    with pytest.raises(CrsError, match="places: CRS is EPSG:4326"):
        to_wgs84(layer, "places")
    require_metric(to_metric(layer, "places"), "places")


def test_a_missing_crs_is_refused():
    layer = gpd.GeoDataFrame(geometry=[Point(-1, 54)])
    with pytest.raises(CrsError, match="places: CRS is missing, expected EPSG:27700"):
        require_metric(layer, "places")
    with pytest.raises(CrsError, match="places: CRS is missing, expected one that is declared"):
        to_metric(layer, "places")
