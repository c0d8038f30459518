import numpy as np
import pandas as pd
import pytest

from geo.errors import InputError, UsageError
from geo.hotspots.points import build_points
from tests.unit.geo.hotspots.toy_offences import make_offences

EAST, NORTH = [10.0, 10.0, 30.0], [20.0, 20.0, 5.0]


def test_rows_at_one_position_become_one_point():
    points = build_points(make_offences(EAST, NORTH, months=["2025-03", "2025-01", "2025-02"]))
    assert points.easting_m.tolist() == [10.0, 30.0]
    assert points.n_offences.tolist() == [2, 1]
    assert points.first_month.astype(str).tolist() == ["2025-01", "2025-02"]
    assert points.last_month.astype(str).tolist() == ["2025-03", "2025-02"]
    assert points.point_of_offence.tolist() == [0, 0, 1]


def test_custody_places_and_missing_positions_are_left_out_and_counted():
    offences = make_offences(
        [10.0, 20.0, np.nan, np.nan],
        [10.0, 20.0, np.nan, np.nan],
        provenance=["unknown", "custody_location", "unknown", "custody_location"],
    )
    points = build_points(offences)
    assert (points.n_custody, points.n_no_location, len(points.offence_ids)) == (2, 1, 1)


def test_harm_weights_average_one_and_keep_their_ratio():
    points = build_points(make_offences([1.0, 2.0], [0.0, 0.0], harm_days=[3.0, 9.0]), by_harm=True)
    assert points.weight.tolist() == [0.5, 1.5]
    assert points.harm_days.tolist() == [3.0, 9.0]


def test_an_offence_without_harm_weight_is_counted_not_guessed():
    points = build_points(make_offences([1.0, 2.0], [0.0, 0.0], harm_days=[3.0, np.nan]), by_harm=True)
    assert points.n_no_harm == 1
    assert points.weight.tolist() == [1.0]


def test_an_offence_one_half_life_old_weighs_half():
    points = build_points(make_offences([1.0, 2.0], [0.0, 0.0], months=["2025-01", "2025-04"]), half_life_months=3)
    assert points.weight.tolist() == [0.5, 1.0]


def test_no_offences_give_no_points():
    points = build_points(make_offences([], []))
    assert len(points.weight) == len(points.first_month) == 0


def test_the_input_is_not_modified():
    offences = make_offences(EAST, NORTH)
    before = offences.copy()
    build_points(offences, by_harm=True, half_life_months=2)
    pd.testing.assert_frame_equal(offences, before)


def test_a_row_after_the_reference_month_is_refused():
    with pytest.raises(InputError, match="last month is 2025-01, expected none after 2024-12"):
        build_points(make_offences(EAST, NORTH), reference_month=pd.Period("2024-12", "M"))


def test_a_half_life_of_zero_is_refused():
    with pytest.raises(UsageError, match="half_life_months: it is 0, expected a positive number of months"):
        build_points(make_offences(EAST, NORTH), half_life_months=0)
