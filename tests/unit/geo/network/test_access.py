"""Access and road times by straight line and detour: every number checkable by hand."""

import numpy as np
import pandas as pd
import pytest

from geo.errors import InputError, TableError, UsageError
from geo.network.access import StraightLine, measure_access, measure_road_times
from geo.schema import validate
from geo.tables import ACCESS_TIMES, ROAD_TIMES


def points(**at):
    """Points by id, in metres from a fixed corner of the grid."""
    table = pd.DataFrame.from_dict(at, orient="index", columns=["easting_m", "northing_m"], dtype=float)
    return table.add([400_000.0, 300_000.0]).rename_axis("place_id")


def stations(**at):
    table = points(**at).rename_axis("station_id")
    return table.assign(name=table.index, is_in_force=True)


# 6 km/h is 100 m a minute; 60 km/h is 1,000 m a minute.
ROUND = StraightLine(
    walk_speed_km_h=6,
    walk_detour=1.5,
    local_speed_km_h=30,
    trunk_speed_km_h=60,
    local_length_m=5_000,
    drive_detour=2,
)


def test_a_walk_is_the_straight_line_times_its_detour_over_its_speed():
    times = measure_access(points(p=(300, 400)), stations(AAA=(0, 0)), max_min=10, straight_line=ROUND)
    assert times.loc["p:AAA:walk", "time_min"] == pytest.approx(500 * 1.5 / 100)
    assert times.loc["p:AAA:walk", "basis"] == "straight_line_detour"
    assert times["reason"].isna().all()
    validate(times, ACCESS_TIMES)


def test_a_drive_is_local_first_and_then_trunk():
    times = measure_road_times(points(o=(0, 0)), points(near=(1_000, 0), far=(10_000, 0)), straight_line=ROUND)
    assert times.loc["o:near", "time_min"] == pytest.approx(2_000 / 500)
    assert times.loc["o:far", "time_min"] == pytest.approx(5_000 / 500 + 15_000 / 1_000)
    assert times.loc["o:far", "length_m"] == pytest.approx(20_000)
    validate(times, ROAD_TIMES)


@pytest.mark.parametrize("mode", ["walk", "drive"])
@pytest.mark.parametrize("max_min", [0.5, 10.0, 45.0])
def test_the_reach_is_where_the_time_runs_out(mode, max_min):
    reach_m = ROUND.reach_m(max_min, mode)
    assert ROUND.time_min(np.array([reach_m]), mode)[0] == pytest.approx(max_min)


def test_pairs_beyond_reach_have_no_row():
    where = points(inside=(0, 660), outside=(0, 670))
    times = measure_access(where, stations(AAA=(0, 0)), max_min=10, straight_line=ROUND)
    assert list(times["place_id"]) == ["inside"]


def test_both_modes_are_measured_and_ordered():
    times = measure_access(
        points(b=(0, 100), a=(0, 200)),
        stations(BBB=(0, 0), AAA=(50, 0)),
        modes=["walk", "drive"],
        max_min=30,
        straight_line=ROUND,
    )
    assert list(times.index) == sorted(times.index, key=lambda i: tuple(i.split(":")))
    assert len(times) == 8


def test_row_order_changes_nothing():
    where, at = points(b=(0, 100), a=(900, 200), c=(50, 50)), stations(BBB=(0, 0), AAA=(500, 0))
    times = measure_access(where, at, max_min=30)
    pd.testing.assert_frame_equal(times, measure_access(where.iloc[::-1], at.iloc[::-1], max_min=30))
    road = measure_road_times(where, where)
    pd.testing.assert_frame_equal(road, measure_road_times(where.iloc[[2, 0, 1]], where.iloc[::-1]))


def test_inputs_are_not_modified():
    where, at = points(b=(0, 100), a=(900, 200)), stations(BBB=(0, 0))
    before = where.copy(), at.copy()
    measure_access(where, at, max_min=30)
    pd.testing.assert_frame_equal(where, before[0])
    pd.testing.assert_frame_equal(at, before[1])


def test_nothing_in_gives_an_empty_table_out():
    assert measure_access(points(), stations(AAA=(0, 0)), max_min=5).empty
    assert measure_access(points(p=(0, 9_000)), stations(AAA=(0, 0)), max_min=5).empty
    assert measure_road_times(points(), points(p=(0, 0))).empty


def test_a_point_is_no_time_from_itself_and_times_are_symmetric():
    where = points(a=(0, 0), b=(3_000, 4_000))
    times = measure_road_times(where, where)["time_min"]
    assert times["a:a"] == 0
    assert times["a:b"] == times["b:a"] > 0


def test_positions_in_degrees_are_refused():
    where = pd.DataFrame({"easting_m": [-1.1], "northing_m": [53.9]}, index=pd.Index(["p"], name="place_id"))
    with pytest.raises(TableError, match=r"points: column 'easting_m' is below 0\.0 at 'p'"):
        measure_access(where, stations(AAA=(0, 0)), max_min=5)


def test_ids_alike_as_text_are_refused():
    where = points(a=(0, 0), b=(1, 1)).set_axis(pd.Index([1, "1"], dtype=object), axis=0)
    with pytest.raises(InputError, match=r"points: ids are alike as text at '1', expected unique ids\. Rename them\."):
        measure_access(where, stations(AAA=(0, 0)), max_min=5)


@pytest.mark.parametrize("modes", [["fly"], []])
def test_unknown_modes_are_refused(modes):
    with pytest.raises(UsageError, match=r"modes: .* is unknown, expected walk, drive or both"):
        measure_access(points(p=(0, 0)), stations(AAA=(0, 0)), modes=modes, max_min=5)


@pytest.mark.parametrize("max_min", [0.0, -1.0, float("nan"), float("inf")])
def test_a_reach_that_is_not_positive_is_refused(max_min):
    with pytest.raises(UsageError, match=r"max_min: .* is no reach, expected minutes above 0\. Set it in minutes\."):
        measure_access(points(p=(0, 0)), stations(AAA=(0, 0)), max_min=max_min)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"walk_speed_km_h": 0.0}, r"walk_speed_km_h: 0\.0 is no speed, expected a number above 0"),
        ({"trunk_speed_km_h": float("nan")}, "trunk_speed_km_h: nan is no speed"),
        ({"drive_detour": 0.9}, r"drive_detour: 0\.9 is shorter than the straight line, expected at least 1"),
        ({"local_length_m": -1.0}, r"local_length_m: -1\.0 is no length, expected at least 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(setting, message):
    with pytest.raises(UsageError, match=message):
        StraightLine(**setting)
