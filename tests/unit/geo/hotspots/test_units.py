import geopandas as gpd
import numpy as np
import pytest
import shapely

from geo.errors import CrsError, UsageError
from geo.hotspots.local_statistics import measure_gi_star
from geo.hotspots.units import build_area_neighbours, build_hexagons, sum_in_areas

AREA = shapely.box(0, 0, 5000, 5000)


def test_hexagons_are_regular_and_neither_overlap_nor_leave_gaps():
    hexagons = build_hexagons(AREA, side_m=200)
    assert hexagons.area.to_numpy() == pytest.approx(1.5 * np.sqrt(3) * 200**2)
    union = shapely.union_all(hexagons.geometry.to_numpy())
    assert union.area == pytest.approx(hexagons.area.sum())
    assert not shapely.get_interior_ring(union, 0) if union.interiors else True


def test_a_hexagon_inside_has_six_neighbours():
    hexagons = build_hexagons(AREA, side_m=200)
    n = build_area_neighbours(hexagons).sum(axis=1)
    inner = hexagons.centroid.within(shapely.box(500, 500, 4500, 4500)).to_numpy()
    assert (n[inner] == 6).all()


def test_points_are_counted_once_also_on_a_border():
    squares = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)], crs="EPSG:27700")
    sums = sum_in_areas(squares, np.array([0.5, 1.0, 1.5, 9.0]), np.full(4, 0.5), np.array([1.0, 2.0, 4.0, 8.0]))
    assert sums.tolist() == [3.0, 4.0]


def test_a_planted_hotspot_is_found_on_hexagons():
    rng = np.random.default_rng(1)
    hexagons = build_hexagons(AREA, side_m=200)
    points = np.vstack([rng.uniform(0, 5000, (300, 2)), rng.normal(2500, 150, (120, 2))])
    value = sum_in_areas(hexagons, *points.T, np.ones(len(points)))
    local = measure_gi_star(value, build_area_neighbours(hexagons))
    hot = ((local["z_score"] > 0) & (local["q_value"] < 0.05)).to_numpy()
    distance_m = hexagons.distance(shapely.Point(2500, 2500)).to_numpy()
    assert hot[distance_m < 100].all()
    assert hot[distance_m > 1000].mean() < 0.01


def test_what_is_no_unit_is_refused():
    with pytest.raises(UsageError, match=r"side_m: it is 0.*positive length"):
        build_hexagons(AREA, side_m=0)
    wgs84 = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)], crs="EPSG:4326")
    with pytest.raises(CrsError, match="areas: CRS is EPSG:4326"):
        build_area_neighbours(wgs84)
    with pytest.raises(CrsError, match="areas: CRS is EPSG:4326"):
        sum_in_areas(wgs84, np.zeros(1), np.zeros(1), np.ones(1))
