"""Where an origin's flow can be met before it arrives."""

import numpy as np
import pandas as pd
import pytest

from geo.corridors.assignment import assign_flows
from geo.corridors.choice import choose_modes
from geo.corridors.upstream import find_upstream_stations
from geo.errors import UsageError
from tests.unit.geo.corridors.small_rail import link_graph, road_table, supply_of, train_graph, trips_table

# From H by A to B, where ways to T and U part; T and U are towns of the force, reached by P and Q.
FORK = [("H", "A", 5.0), ("A", "B", 5.0), ("B", "P", 5.0), ("B", "Q", 5.0), ("P", "T", 5.0), ("Q", "U", 5.0)]
ACCESS = [("t", "T", 5, "walk"), ("u", "U", 5, "walk")]


def station_table(ids, in_force):
    return pd.DataFrame(
        {"name": list(ids), "easting_m": 4e5, "northing_m": 4e5, "is_in_force": [s in in_force for s in ids]},
        index=pd.Index(list(ids), name="station_id", dtype="str"),
    )


def fork(in_force="TU", **options):
    supply = supply_of(link_graph("ABHPQTU", FORK), ACCESS, {"x": "H"})
    flows = choose_modes(trips_table([("x", "t", 9), ("x", "u", 3)]), supply, road_table([]))
    return find_upstream_stations(flows, supply, station_table("ABHPQTU", in_force), **options).set_index("station_id")


def test_stations_are_listed_by_time_with_what_they_meet():
    table = fork()
    assert list(table.index) == ["H", "A", "B", "P", "Q"]
    assert table["time_min"].tolist() == [15.0, 20.0, 25.0, 30.0, 30.0]
    assert table["met_share"].tolist() == pytest.approx([1, 1, 1, 0.75, 0.25])
    assert table["met_trips_per_month"].tolist() == pytest.approx([12, 12, 12, 9, 3])


def test_the_earliest_of_equals_is_picked_and_enough_is_enough():
    assert fork()["pick_order"].to_dict() == {"H": 1, "A": 0, "B": 0, "P": 0, "Q": 0}
    assert fork()["cover_share"].dropna().to_dict() == pytest.approx({"H": 1.0})


def test_stations_of_the_force_are_not_upstream():
    table = fork(in_force="HABTU", cover_share=1.0)
    assert list(table.index) == ["P", "Q"]
    assert table["pick_order"].tolist() == [1, 2]
    assert table["cover_share"].tolist() == pytest.approx([0.75, 1.0])


def test_what_one_station_met_is_not_counted_for_the_next():
    table = fork(in_force="HTU", cover_share=1.0)
    assert table["pick_order"].to_dict() == {"A": 1, "B": 0, "P": 0, "Q": 0}


def test_a_train_that_calls_is_met_and_one_that_passes_is_not():
    trains = [(["H", "A", "T"], [5.0, 5.0], 5.0, 1.0), (["H", "T"], [9.0], 5.0, 1.0)]
    supply = supply_of(train_graph("AHT", trains), ACCESS[:1], {"x": "H"})
    flows = choose_modes(trips_table([("x", "t", 8)]), supply, road_table([]))
    table = find_upstream_stations(flows, supply, station_table("AHT", "HT"), cover_share=1.0)
    calling = assign_flows(flows, supply).station_flows.set_index("station_id").loc["A", "calling_trips_per_month"]
    assert 0 < calling < 8
    assert table["met_trips_per_month"].tolist() == pytest.approx([calling])
    assert table["cover_share"].tolist() == pytest.approx([calling / 8])


def test_internal_flows_have_no_upstream():
    supply = supply_of(link_graph("ABHPQTU", FORK), ACCESS, {"x": "H"})
    flows = choose_modes(trips_table([("t", "u", 9)], internal=["t"]), supply, road_table([]))
    assert find_upstream_stations(flows, supply, station_table("ABHPQTU", "TU")).empty


def test_coverage_of_the_set_is_the_flow_that_cannot_avoid_it():
    ways = [("H", "A", 5.0), ("A", "T", 5.0), ("H", "B", 6.0), ("B", "T", 6.0), ("A", "B", 1.0)]
    supply = supply_of(link_graph("ABHT", ways), ACCESS[:1], {"x": "H"})
    flows = choose_modes(trips_table([("x", "t", 8)]), supply, road_table([]))
    table = find_upstream_stations(flows, supply, station_table("ABHT", "HT"), cover_share=1.0).set_index("station_id")
    # A T is best with 10; both ways to B take 6, and from there T is 2 farther and off the best way.
    off = np.exp(-0.1 * (2 + 20))
    assert table.loc["A", "met_share"] == pytest.approx((1 + off) / (1 + 2 * off))
    assert table.loc["B", "cover_share"] == pytest.approx(1.0)


def test_a_share_above_one_cannot_be_covered():
    with pytest.raises(UsageError, match=r"cover_share: is 1.5, expected above 0 and at most 1"):
        fork(cover_share=1.5)
