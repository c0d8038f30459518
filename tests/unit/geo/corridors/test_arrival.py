"""Where in a town couriers go."""

import numpy as np
import pandas as pd
import pytest

from geo.corridors.arrival import spread_arrivals
from geo.errors import InputError, TableError, UsageError
from geo.network.access import StraightLine, measure_access
from tests.unit.geo.corridors.small_rail import access_table

# 100 metres a minute on foot: a decay of 600 m is 6 minutes.
ROUND = StraightLine(walk_speed_km_h=6.0, walk_detour=1.0)
STATIONS = pd.DataFrame(
    {"name": ["A", "B"], "easting_m": [0.0, 2000.0], "northing_m": [0.0, 0.0], "is_in_force": True},
    index=pd.Index(["AAA", "BBB"], name="station_id"),
)
TOWNS = pd.DataFrame(
    {"easting_m": [0.0], "northing_m": [0.0], "population": [9000]}, index=pd.Index(["t"], name="place_id")
)


def surface(*cells):
    return pd.DataFrame(np.array(cells, dtype=float).reshape(-1, 3), columns=["easting_m", "northing_m", "weight"])


def spread(access, cells, towns=TOWNS, **settings):
    return spread_arrivals(access, towns, cells, STATIONS, straight_line=ROUND, **settings)


def centre_access(max_min=60):
    return measure_access(TOWNS, STATIONS, modes=("walk", "drive"), max_min=max_min, straight_line=ROUND)


def test_the_time_is_the_soft_minimum_over_cell_and_centre():
    # A cell at B with as many offences as the centre counts for, 2 km out in a town of 9,000.
    per_km2 = 8200 * np.exp(-2000 / (np.sqrt(9000 / (2 * np.pi * 8200)) * 1000))
    weight = 10 * per_km2 / (per_km2 + 22)
    share = weight / (10 + weight)
    times = spread(centre_access(), surface((2000, 0, 10)))["time_min"]
    assert times["t:AAA:walk"] == pytest.approx(-6 * np.log(1 - share + share * np.exp(-20 / 6)))
    assert times["t:BBB:walk"] == pytest.approx(-6 * np.log(share + (1 - share) * np.exp(-20 / 6)))
    # A minute of a drive weighs two on foot: half the scale.
    drive_min = ROUND.time_min(np.array([2000.0]), "drive")[0]
    assert times["t:BBB:drive"] == pytest.approx(-3 * np.log(share + (1 - share) * np.exp(-drive_min / 3)))


def test_a_surface_of_nothing_leaves_access_as_it_was():
    access = centre_access()
    for cells in (surface(), surface((0, 0, 0), (500, 0, 0))):
        pd.testing.assert_frame_equal(spread(access, cells), access)


def test_a_town_without_offences_near_keeps_its_centre():
    access = centre_access()
    pd.testing.assert_frame_equal(spread(access, surface((90_000, 0, 500))), access)


def test_a_station_that_only_the_cells_have_within_a_walk_gets_a_row():
    access = centre_access(max_min=10)
    assert "t:BBB:walk" not in access.index
    spread_out = spread(access, surface((2000, 0, 50)), walk_limit_min=10)
    assert spread_out.loc["t:BBB:walk", "time_min"] < 3
    assert spread_out.loc["t:BBB:walk", "basis"] == "straight_line_detour"
    # A fiftieth of an offence there is felt no farther than the limit.
    assert "t:BBB:walk" not in spread(access, surface((2000, 0, 0.02)), walk_limit_min=10).index


def test_points_that_are_no_towns_and_null_times_are_handed_on():
    rows = access_table([("t", "AAA", 0, "walk"), ("t", "BBB", np.nan, "walk"), ("x", "BBB", 7, "walk")])
    times = spread(rows, surface((2000, 0, 100)))["time_min"]
    assert times.index.tolist() == rows.index.tolist()
    assert times.iloc[0] > 10
    assert np.isnan(times.iloc[1])
    assert times.iloc[2] == 7


def test_the_way_round_that_a_road_measured_for_the_centre_holds_for_its_cells():
    cells = surface((1000, 0, 1e9))
    row = access_table([("t", "AAA", 0, "walk"), ("t", "BBB", 40, "walk")]).assign(basis="road_graph")
    # The cell takes nearly all: 10 minutes of straight line, times (40 + 6) / (20 + 6).
    assert spread(row, cells)["time_min"].iloc[1] == pytest.approx(10 * 46 / 26, abs=1e-3)
    assert spread(row, cells)["basis"].iloc[1] == "road_graph"
    assert spread(row.assign(basis="straight_line_detour"), cells)["time_min"].iloc[1] == pytest.approx(10, abs=1e-3)


def test_a_cell_between_two_towns_goes_to_the_larger():
    pair = pd.DataFrame(
        {"easting_m": [0.0, 2000.0], "northing_m": 0.0, "population": [90_000, 3_000]},
        index=pd.Index(["large", "small"], name="place_id"),
    )
    access = measure_access(pair, STATIONS, max_min=60, straight_line=ROUND)
    at_a, at_b = (spread(access, surface((e, 0, 30)), pair)["time_min"] - access["time_min"] for e in (1000, 1999))
    assert abs(at_a["large:AAA:walk"]) > 5 * abs(at_a["small:BBB:walk"])
    # Nearly half of what happens at the very centre of the small one is still its own.
    assert at_b["small:AAA:walk"] < 0 < at_b["large:AAA:walk"]


@pytest.mark.parametrize("name", ["decay_m", "centre_weight", "walk_limit_min"])
def test_a_setting_that_is_not_above_0_is_refused(name):
    with pytest.raises(UsageError, match=rf"{name}: is 0, expected a number above 0"):
        spread(centre_access(), surface((0, 0, 1)), **{name: 0})


def test_a_station_that_is_not_given_is_refused():
    with pytest.raises(InputError, match=r"access: station_id is 'ZZZ', expected a row of `stations`"):
        spread(access_table([("t", "ZZZ", 1, "walk")]), surface((0, 0, 1)))


def test_a_negative_weight_is_refused():
    with pytest.raises(TableError, match=r"surface: column 'weight' is below 0 at 0"):
        spread(centre_access(), surface((0, 0, -1)))
