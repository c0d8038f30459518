"""Links on tracks small enough to draw: junctions, crossings, gaps, parallel lines, reversals and bypasses."""

import geopandas as gpd
import pandas as pd
import pytest
from shapely import LineString

from geo.crs import METRIC
from geo.errors import TableError
from geo.network.rail import build_rail_network

X0, Y0 = 400_000, 400_000


def track(*lines) -> gpd.GeoDataFrame:
    shapes = [LineString([(X0 + x, Y0 + y) for x, y in line]) for line in lines]
    return gpd.GeoDataFrame(geometry=shapes, crs=METRIC, index=pd.RangeIndex(len(shapes), name="track_id"))


def stations(**places) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            code: {"name": code, "easting_m": float(X0 + x), "northing_m": float(Y0 + y)}
            for code, (x, y) in places.items()
        }
    ).T.astype({"name": "str", "easting_m": "float64", "northing_m": "float64"})
    return table.assign(is_in_force=True).rename_axis("station_id")


def lengths(network) -> dict[str, int]:
    return {link: round(metres) for link, metres in network.links["length_m"].items()}


def test_a_line_through_three_stations_has_two_links():
    """A --- B --- C, 5 km apart: no A-C."""
    network = build_rail_network(track([(0, 0), (10_000, 0)]), stations(AAA=(0, 0), BBB=(5_000, 0), CCC=(10_000, 0)))
    assert lengths(network) == {"AAA-BBB": 5_000, "BBB-CCC": 5_000}
    assert network.links.loc["AAA-BBB", "geometry"].equals(LineString([(X0, Y0), (X0 + 5_000, Y0)]))


def test_an_end_that_touches_a_line_is_a_junction():
    """C's branch ends on the middle of A-B, in a curve towards B; from A a train would have to turn back."""
    network = build_rail_network(
        track([(0, 0), (10_000, 0)], [(5_000, 0), (5_100, 10), (6_000, 3_000)]),
        stations(AAA=(0, 0), BBB=(10_000, 0), CCC=(6_000, 3_000)),
    )
    assert sorted(lengths(network)) == ["AAA-BBB", "AAA-CCC"]


def test_lines_that_cross_without_a_shared_vertex_do_not_meet():
    network = build_rail_network(
        track([(0, 0), (10_000, 0)], [(5_000, -5_000), (5_000, 5_000)]),
        stations(AAA=(0, 0), BBB=(10_000, 0), CCC=(5_000, -5_000), DDD=(5_000, 5_000)),
    )
    assert sorted(lengths(network)) == ["AAA-BBB", "CCC-DDD"]
    assert sorted(network.stations["component"]) == [0, 0, 1, 1]


def test_a_shared_vertex_is_a_junction_that_trains_pass_straight():
    """Crossing at a shared vertex at right angles: trains go straight, or turn by 90 degrees where that is allowed."""
    cross = track([(0, 0), (5_000, 0), (10_000, 0)], [(5_000, -5_000), (5_000, 0), (5_000, 5_000)])
    ends = stations(AAA=(0, 0), BBB=(10_000, 0), CCC=(5_000, -5_000), DDD=(5_000, 5_000))
    assert sorted(lengths(build_rail_network(cross, ends, max_turn_deg=60))) == ["AAA-BBB", "CCC-DDD"]
    assert len(build_rail_network(cross, ends).links) == 6


def test_a_station_stops_the_trains_on_a_parallel_line():
    """Two lines 20 m apart; B stands on one of them only."""
    network = build_rail_network(
        track([(0, 0), (10_000, 0)], [(0, 0), (20, 20), (9_980, 20), (10_000, 0)]),
        stations(AAA=(0, 0), BBB=(5_000, 0), CCC=(10_000, 0)),
    )
    assert sorted(lengths(network)) == ["AAA-BBB", "BBB-CCC"]


def test_a_station_is_on_every_line_beside_it():
    """B stands on A-C; the line D-E comes within 20 m of it and shares no track with A-C."""
    network = build_rail_network(
        track([(0, 0), (10_000, 0)], [(0, 3_000), (4_000, 20), (6_000, 20), (10_000, 3_000)]),
        stations(AAA=(0, 0), BBB=(5_000, 0), CCC=(10_000, 0), DDD=(0, 3_000), EEE=(10_000, 3_000)),
    )
    assert sorted(lengths(network)) == ["AAA-BBB", "BBB-CCC", "BBB-DDD", "BBB-EEE"]


def test_a_parallel_line_beyond_the_contact_radius_is_passed():
    """The same with 600 m between the lines: fast trains go by."""
    network = build_rail_network(
        track([(0, 0), (10_000, 0)], [(0, 0), (1_000, 600), (9_000, 600), (10_000, 0)]),
        stations(AAA=(0, 0), BBB=(5_000, 0), CCC=(10_000, 0)),
    )
    assert sorted(lengths(network)) == ["AAA-BBB", "AAA-CCC", "BBB-CCC"]


def test_a_goods_line_around_a_station_makes_no_link():
    """The other line runs 300 m from B, within the snap limit, and calling at B costs next to nothing."""
    network = build_rail_network(
        track([(0, 0), (10_000, 0)], [(0, 0), (1_000, 300), (9_000, 300), (10_000, 0)]),
        stations(AAA=(0, 0), BBB=(5_000, 0), CCC=(10_000, 0)),
    )
    assert sorted(lengths(network)) == ["AAA-BBB", "BBB-CCC"]


def test_trains_do_not_turn_back_at_a_junction_on_open_track():
    """A and B both branch to the west of junction J at (5, 0), C lies east: A-B would turn back at J."""
    network = build_rail_network(
        track([(5_000, 0), (0, 1_000)], [(5_000, 0), (0, -1_000)], [(5_000, 0), (10_000, 0)]),
        stations(AAA=(0, 1_000), BBB=(0, -1_000), CCC=(10_000, 0)),
    )
    assert sorted(lengths(network)) == ["AAA-CCC", "BBB-CCC"]


def test_trains_turn_in_the_throat_of_a_station():
    """C stands 500 m west of J, on the side from which A and B come: their trains turn at J to reach it, no others."""
    lines = track([(5_000, 0), (0, 3_000)], [(5_000, 0), (0, -3_000)], [(5_000, 0), (4_500, 0)])
    places = stations(AAA=(0, 3_000), BBB=(0, -3_000), CCC=(4_500, 0))
    assert lengths(build_rail_network(lines, places)) == {"AAA-CCC": 5_831 + 500, "BBB-CCC": 5_831 + 500}
    assert build_rail_network(lines, places, throat_m=400).links.empty


def test_a_gap_is_closed_where_the_way_round_is_long():
    """Track from A stops 30 m short of the line to B; by the loop it is 23 km."""
    lines = track(
        [(0, 0), (4_970, 0)],
        [(5_000, 0), (10_000, 0)],
        [(0, 0), (0, 9_000), (10_000, 9_000), (10_000, 0)],
    )
    places = stations(AAA=(0, 0), BBB=(10_000, 0))
    network = build_rail_network(lines, places)
    assert lengths(network) == {"AAA-BBB": 10_000}
    assert network.links["repaired_m"].tolist() == [pytest.approx(30.0)]
    assert network.repairs[["gap_m", "detour_m"]].round().to_numpy().tolist() == [[30.0, 37_970.0]]
    assert network.repairs["nearest_station_id"].tolist() == ["AAA"]
    assert lengths(build_rail_network(lines, places, repair_limit_m=29)) == {"AAA-BBB": 28_000}


def test_a_gap_with_no_way_round_is_closed_and_has_no_detour():
    lines = track([(0, 0), (4_970, 0)], [(5_000, 0), (10_000, 0)])
    network = build_rail_network(lines, stations(AAA=(0, 0), BBB=(10_000, 0)))
    assert lengths(network) == {"AAA-BBB": 10_000}
    assert network.repairs["detour_m"].isna().tolist() == [True]


def test_a_buffer_stop_beside_its_own_line_is_left_alone():
    """A siding 20 m from the line it leaves, 1.6 km round: no gap."""
    lines = track([(0, 0), (10_000, 0)], [(4_000, 0), (4_100, 20), (4_800, 20)])
    network = build_rail_network(lines, stations(AAA=(0, 0), BBB=(10_000, 0)))
    assert network.repairs.empty


def test_lines_cut_side_by_side_at_the_edge_of_an_extract_are_not_joined():
    """Two tracks 4 m apart end at x = 10 km, and meet 10 km back: the gap is beside the ends, not ahead of them."""
    lines = track([(0, 2), (100, 0), (10_000, 0)], [(0, 2), (100, 4), (10_000, 4)])
    network = build_rail_network(lines, stations(AAA=(0, 2), BBB=(9_000, 2)))
    assert network.repairs.empty


def test_a_station_far_from_track_is_left_out_with_its_reason():
    places = stations(AAA=(0, 0), BBB=(10_000, 0), FAR=(5_000, 501))
    network = build_rail_network(track([(0, 0), (10_000, 0)]), places)
    assert network.unsnapped["reason"].to_dict() == {"FAR": "no track within 500 m"}
    assert network.unsnapped.loc["FAR", "offset_m"] == pytest.approx(501)
    assert lengths(network) == {"AAA-BBB": 10_000}
    assert build_rail_network(track([(0, 0), (10_000, 0)]), places, snap_limit_m=502).unsnapped.empty


@pytest.mark.parametrize("lines", [[], [[(0, 0), (0, 0)]], [[(50_000, 0), (60_000, 0)]]])
def test_where_no_station_is_on_track_there_are_no_links(lines):
    found = build_rail_network(track(*lines), stations(AAA=(0, 0), BBB=(5, 5)))
    assert found.links.empty
    assert found.unsnapped["reason"].tolist() == ["no track within 500 m"] * 2


def test_two_stations_at_one_place_on_the_track_leave_the_nearer_one():
    places = stations(AAA=(0, 0), BBB=(5_000, 10), CCC=(5_000, 5), DDD=(10_000, 0))
    network = build_rail_network(track([(0, 0), (10_000, 0)]), places)
    assert network.unsnapped["reason"].to_dict() == {"BBB": "same place on the track as CCC"}
    assert sorted(lengths(network)) == ["AAA-CCC", "CCC-DDD"]


def test_a_neighbour_keeps_its_own_line():
    """Two lines 80 m apart with a station each, 60 m along: each stops only its own trains."""
    lines = track([(0, 0), (10_000, 0)], [(0, 80), (10_000, 80)])
    places = stations(AAA=(0, 0), BBB=(5_000, 0), CCC=(10_000, 0), DDD=(0, 80), EEE=(5_060, 80), FFF=(10_000, 80))
    network = build_rail_network(lines, places)
    assert sorted(lengths(network)) == ["AAA-BBB", "BBB-CCC", "DDD-EEE", "EEE-FFF"]


def test_timetabled_minutes_go_before_assumed_ones():
    lines, places = track([(0, 0), (18_200, 0)]), stations(AAA=(0, 0), BBB=(8_200, 0), CCC=(18_200, 0))
    given = pd.DataFrame({"from_station_id": ["BBB", "AAA"], "to_station_id": ["AAA", "BBB"], "time_min": [10.0, 9.0]})
    links = build_rail_network(lines, places, run_times=given).links
    assert links["time_min"].round(3).to_dict() == {
        "AAA-BBB": 9.5,
        "BBB-CCC": pytest.approx(1 + 10 / 82 * 60, abs=1e-3),
    }
    assert links["time_basis"].to_dict() == {"AAA-BBB": "timetable", "BBB-CCC": "assumed_speed"}


def test_row_order_changes_nothing_and_inputs_are_left_alone():
    lines = track([(0, 0), (10_000, 0)], [(5_000, 0), (5_100, 10), (6_000, 3_000)], [(0, 20), (10_000, 20)])
    places = stations(AAA=(0, 0), BBB=(10_000, 0), CCC=(6_000, 3_000), DDD=(3_000, 10))
    before = lines.copy(), places.copy()
    one, other = build_rail_network(lines, places), build_rail_network(lines.iloc[::-1], places.iloc[::-1])
    for name in ("stations", "links", "repairs", "unsnapped"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))
    pd.testing.assert_frame_equal(lines, before[0])
    pd.testing.assert_frame_equal(places, before[1])


def test_a_station_table_that_breaks_its_contract_is_refused():
    with pytest.raises(TableError, match=r"stations: column 'name' is missing"):
        build_rail_network(track([(0, 0), (10_000, 0)]), stations(AAA=(0, 0)).drop(columns="name"))


def test_track_in_degrees_is_refused():
    with pytest.raises(TableError, match=r"rail_track: CRS is EPSG:4326"):
        build_rail_network(track([(0, 0), (10, 0)]).set_crs("EPSG:4326", allow_override=True), stations(AAA=(0, 0)))
