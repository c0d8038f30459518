"""Minutes of trains where no timetable says: laws of curves, stops and stands, and circles whose radius is known."""

import geopandas as gpd
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import LineString

from geo.network.default_times import measure_curve_min, measure_leg_min, measure_ride_min, measure_stand_min

legs = st.lists(
    st.tuples(st.floats(0.5, 120.0), st.floats(1.0, 1e6), st.floats(0.3, 1.2)),
    min_size=2,
    max_size=6,
)


def track(*lines):
    return gpd.GeoSeries([LineString(line) for line in lines], crs="EPSG:27700")


def circle(radius_m, turn=1.5, n=4_000):
    angle = np.linspace(0.0, turn, n)
    return np.column_stack([radius_m * np.cos(angle), radius_m * np.sin(angle)])


@pytest.mark.parametrize("radius_m", [300.0, 800.0, 1_500.0])
def test_a_circle_is_taken_at_the_speed_of_its_radius(radius_m):
    minutes = measure_curve_min(track(circle(radius_m)))
    # By hand: 150 mm of cant, 110 mm that lack, and 11.8 mm for each square km/h a metre of radius.
    kmh = np.sqrt(260.0 * radius_m / 11.8)
    assert minutes[0] == pytest.approx(1.5 * radius_m / 1000.0 / kmh * 60.0, rel=0.1)


def test_straight_track_is_taken_at_the_highest_speed_in_one_piece_or_in_two():
    whole, first, second = measure_curve_min(
        track([(0, 0), (9_000, 0)], [(0, 0), (4_000, 0)], [(4_000, 0), (6_000, 0), (9_000, 0)])
    )
    assert whole == pytest.approx(9.0 / 200.0 * 60.0)
    assert first + second == pytest.approx(whole)


def test_the_way_along_track_does_not_matter():
    bend = [*circle(400.0, n=200), (0.0, 2_000.0)]
    there, back = measure_curve_min(track(bend, bend[::-1]))
    assert there == pytest.approx(back, rel=1e-6)


@given(st.floats(200.0, 3_000.0), st.floats(1.05, 5.0))
def test_a_tighter_curve_is_never_quicker(radius_m, wider):
    length_m = 1_500.0
    tight, wide = (
        measure_curve_min(track(circle(r, turn=length_m / r, n=500)))[0] for r in (radius_m, wider * radius_m)
    )
    assert tight >= wide - 1e-3


@given(legs)
def test_a_train_that_passes_is_never_slower_than_one_that_calls(rows):
    km, use, pace = np.array(rows).T
    passing = measure_ride_min(km, use, pace * km, np.array([0]))
    calling = measure_ride_min(km, use, pace * km, np.arange(len(km)))
    assert passing[0] <= calling.sum() + 1e-9
    assert calling == pytest.approx(measure_leg_min(km, use, pace * km, np.zeros(len(km))))


def test_a_fast_train_between_far_stations_saves_its_stops():
    km, use, curve_min = np.full(6, 15.0), np.full(6, 5_000.0), np.full(6, 6.0)
    passing = measure_ride_min(km, use, curve_min, np.array([0]))
    # Six legs lose their starts and stops, and one long leg gets up to speed.
    assert passing[0] < measure_ride_min(km, use, curve_min, np.arange(6)).sum() - 5 * 0.9


@given(legs, st.floats(1.0, 3.0))
def test_more_curves_or_more_stations_on_the_way_never_make_a_leg_quicker(rows, more):
    km, use, pace = np.array(rows).T
    plain = measure_leg_min(km, use, pace * km, np.ones(len(km)))
    assert (measure_leg_min(km, use, more * pace * km, np.ones(len(km))) >= plain).all()
    assert (measure_leg_min(km, use, pace * km, np.full(len(km), more)) >= plain).all()


@given(legs)
def test_no_train_outruns_its_curves(rows):
    km, use, pace = np.array(rows).T
    assert (measure_leg_min(km, use, pace * km, np.zeros(len(km))) > 1.14 * pace * km).all()


def test_a_train_stands_longer_where_more_get_on_up_to_a_most():
    users = np.array([0.0, 10.0, 2_500.0, 6_000.0, 20_000.0, 1e6])
    stands = measure_stand_min(users)
    assert (np.diff(stands) >= 0).all()
    assert stands[[0, 1, -1]].tolist() == [0.3, 0.3, 2.5]
    assert stands[2] < stands[3] < stands[4]
