"""Snapping by hand: a street 100 m long, with a bend."""

import numpy as np
import pandas as pd
import pytest

from geo.errors import TableError, UsageError
from geo.network.road_cutting import build_roads
from geo.network.snapping import SNAPS, build_segment_grid, snap_points
from geo.schema import validate
from tests.road_ways import ORIGIN_M, ways_of

# East for 60 m, then north for 40 m.
WHERE = {1: (0, 0), 2: (60, 0), 3: (60, 40), 4: (60, 5000)}
GRAPH = build_roads(ways_of(WHERE, [(1, [1, 2, 3], "both")])).walk


def at(*points):
    return pd.DataFrame(np.array(points, dtype=float) + ORIGIN_M, columns=["easting_m", "northing_m"])


def test_a_point_beside_a_segment_is_set_on_it():
    snap = snap_points(at((20, 7)), GRAPH).iloc[0]
    assert (snap["edge"], snap["chainage_m"], snap["offset_m"]) == (0, 20, 7)
    assert (snap["easting_m"] - ORIGIN_M[0], snap["northing_m"] - ORIGIN_M[1]) == (20, 0)


def test_chainage_runs_round_the_bend():
    snaps = snap_points(at((70, 10), (90, -30), (60, 90)), GRAPH)
    assert list(snaps["chainage_m"]) == [70, 60, 100]
    np.testing.assert_allclose(snaps["offset_m"], [10, np.hypot(30, 30), 50])


def test_points_too_far_keep_their_row_and_say_so():
    snaps = validate(snap_points(at((20, 7), (20, -60)), GRAPH, max_offset_m=50), SNAPS)
    assert list(snaps["reason"].isna()) == [True, False]
    assert snaps.loc[1, "reason"] == "too_far"
    assert snaps.loc[1].drop("reason").isna().all()


@pytest.mark.parametrize(("north", "is_on"), [(-499.9, True), (-500.0, True), (-500.1, False)])
def test_the_reach_is_inclusive(north, is_on):
    assert snap_points(at((20, north)), GRAPH)["edge"].notna().item() == is_on


def test_points_far_outside_the_grid_find_their_edge():
    snaps = snap_points(at((-9_000, 0), (60, 9_000), (9_000, -9_000)), GRAPH, max_offset_m=20_000)
    assert list(snaps["chainage_m"]) == [0, 100, 60]


def test_of_edges_equally_near_the_first_is_taken():
    ways = ways_of({1: (0, 0), 2: (50, 0), 3: (50, 90), 4: (0, 90)}, [(2, [1, 2], "both"), (1, [4, 3], "both")])
    graph = build_roads(ways).walk
    assert snap_points(at((25, 45)), graph)["edge"].item() == 0
    assert graph.way_id[0] == 1


def test_a_given_grid_gives_the_same_answer():
    points = at((20, 7), (70, 10))
    pd.testing.assert_frame_equal(
        snap_points(points, GRAPH, grid=build_segment_grid(GRAPH)), snap_points(points, GRAPH)
    )


def test_small_parts_are_passed_over_unless_there_is_no_larger():
    where = {1: (0, 0), 2: (60, 0), 3: (60, 40), 4: (0, 9), 5: (60, 9)}
    graph = build_roads(ways_of(where, [(2, [1, 2], "both"), (3, [2, 3], "both"), (1, [4, 5], "both")])).walk
    point = at((20, 8))
    assert snap_points(point, graph)["offset_m"].item() == 1
    assert snap_points(point, graph, min_part_nodes=3)["offset_m"].item() == 8
    assert snap_points(point, graph, min_part_nodes=99)["offset_m"].item() == 8


def test_no_points_give_no_rows():
    assert len(snap_points(at((0, 0)).iloc[:0], GRAPH)) == 0


def test_a_point_without_a_position_is_refused():
    with pytest.raises(TableError, match=r"points: column 'easting_m' is null at 0"):
        snap_points(at((np.nan, 0)), GRAPH)


@pytest.mark.parametrize("reach", [0, -5, np.inf, np.nan])
def test_a_reach_that_is_none_is_refused(reach):
    with pytest.raises(UsageError, match=r"max_offset_m: .* is no reach, expected metres above 0\. Set it in metres\."):
        snap_points(at((0, 0)), GRAPH, max_offset_m=reach)
