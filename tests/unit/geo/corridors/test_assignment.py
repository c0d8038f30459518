"""Flow is laid where the trains go, and nothing of it is lost."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from geo.corridors import assignment
from geo.corridors.assignment import ALL_DESTINATIONS, assign_flows, assign_hour_bands
from geo.corridors.choice import choose_modes
from geo.errors import InputError, IntegrityError
from geo.network.passenger import ArcKind
from tests.unit.geo.corridors.small_rail import link_graph, road_table, supply_of, train_graph, trips_table

WAYS = [f"{w}_trips_per_month" for w in ("boarding", "interchange", "calling", "alighting")]
# A hub H, a fast and a slow way to T, and a town U on the slow one:  H - F - T  and  H - U - T.
DIAMOND = [("H", "F", 10.0), ("F", "T", 10.0), ("H", "U", 12.0), ("U", "T", 12.0)]
ACCESS = [("t", "T", 5, "walk"), ("u", "U", 5, "walk"), ("u", "T", 20, "drive")]


def diamond(**options):
    supply = supply_of(link_graph("FHTU", DIAMOND), ACCESS, {"x": "H"}, **options)
    trips = trips_table([("x", "t", 10), ("x", "u", 5), ("u", "t", 2)], internal=["u"])
    roads = road_table([("x", "t", 60), ("x", "u", 50), ("u", "t", 20)])
    return choose_modes(trips, supply, roads), supply


def through(flows: pd.DataFrame, way: str) -> dict[tuple[str, str, str], float]:
    rows = flows[flows[f"{way}_trips_per_month"] > 0]
    return {
        (r.station_id, r.origin_id, r.destination_id): getattr(r, f"{way}_trips_per_month") for r in rows.itertuples()
    }


def test_two_ways_share_the_trips_in_the_ratio_of_their_logit():
    flows, supply = diamond()
    calling = through(assign_flows(flows, supply).station_flows, "calling")
    # 20 minutes by F against 24 by U and 20 for leaving the best way, at 0.1 a minute.
    assert calling["U", "x", "t"] / calling["F", "x", "t"] == pytest.approx(np.exp(-2.4), rel=1e-12)


def test_all_trips_are_accounted_for():
    flows, supply = diamond()
    done = assign_flows(flows, supply)
    assert done.trips_per_month == pytest.approx(17.0, rel=1e-12)
    parts = done.rail_trips_per_month + done.road_trips_per_month + done.lost_trips_per_month
    assert parts == pytest.approx(done.trips_per_month, rel=1e-12)
    sums = done.station_flows.groupby(["origin_id", "destination_id"])[WAYS].sum()
    rail = flows.set_index(["origin_id", "destination_id"]).eval("trips_per_month * rail_share")
    for way in (WAYS[0], WAYS[3]):
        assert np.allclose(sums[way], rail.reindex(sums.index), rtol=1e-12, atol=0)


def test_trips_no_mode_can_make_are_lost_and_said_so():
    supply = supply_of(link_graph("FHTU", DIAMOND), ACCESS, {"x": "H"})
    flows = choose_modes(trips_table([("x", "t", 10), ("x", "nowhere", 3)]), supply, road_table([("x", "t", 60)]))
    assert assign_flows(flows, supply).lost_trips_per_month == 3.0


def test_flow_on_a_link_into_a_terminus_is_the_flow_that_alights():
    supply = supply_of(link_graph("HUT", [("H", "U", 5.0), ("U", "T", 5.0)]), [("t", "T", 1, "walk")], {"x": "H"})
    flows = choose_modes(trips_table([("x", "t", 8)]), supply, road_table([]))
    done = assign_flows(flows, supply)
    assert done.segment_flows.set_index("link_id")["trips_per_month"].to_dict() == pytest.approx({"H-U": 8, "U-T": 8})


def test_a_train_that_does_not_call_gives_no_flow_there():
    express = (["H", "T"], [15.0], 5.0, 1.0)
    slow = (["H", "U", "T"], [10.0, 10.0], 5.0, 1.0)
    for trains, seen in (([express], False), ([express, slow], True)):
        supply = supply_of(train_graph("HTU", trains), ACCESS[:1], {"x": "H"})
        flows = choose_modes(trips_table([("x", "t", 8)]), supply, road_table([]))
        assert ("U" in set(assign_flows(flows, supply).station_flows["station_id"])) is seen


def test_a_change_of_trains_is_seen_as_interchange_and_a_call_as_calling():
    trains = [(["H", "U", "M"], [10.0, 10.0], 5.0, 1.0), (["M", "V", "T"], [10.0, 10.0], 5.0, 1.0)]
    supply = supply_of(train_graph("HMTUV", trains), ACCESS[:1], {"x": "H"})
    flows = choose_modes(trips_table([("x", "t", 8)]), supply, road_table([]))
    done = assign_flows(flows, supply).station_flows
    assert through(done, "interchange") == pytest.approx({("M", "x", "t"): 8.0})
    assert through(done, "calling") == pytest.approx({("U", "x", "t"): 8.0, ("V", "x", "t"): 8.0})


def test_whoever_walks_between_two_stations_changes_at_both():
    graph = link_graph("HKLT", [("H", "K", 10.0), ("L", "T", 10.0)])
    walk = {"tail": 1, "head": 2, "minutes": 4.0, "kind": int(ArcKind.WALK)}
    walked = replace(
        graph,
        **{
            name: np.append(getattr(graph, name), value).astype(getattr(graph, name).dtype)
            for name, value in walk.items()
        },
        link_indptr=np.append(graph.link_indptr, graph.link_indptr[-1]),
    )
    supply = supply_of(walked, ACCESS[:1], {"x": "H"})
    flows = choose_modes(trips_table([("x", "t", 8)]), supply, road_table([]))
    done = assign_flows(flows, supply, change_share=pd.Series({"K": 0.25})).station_flows
    assert through(done, "interchange") == pytest.approx({("K", "x", "t"): 8.0, ("L", "x", "t"): 8.0})
    assert through(done, "calling") == {}


def test_stations_as_far_as_each_other_exchange_no_trips():
    """A and B are both ten minutes from H and half a minute apart: neither leads on to the other."""
    supply = supply_of(
        link_graph("ABH", [("H", "A", 10.0), ("H", "B", 10.0), ("A", "B", 0.5)]), [("t", "B", 1, "walk")], {"x": "H"}
    )
    flows = choose_modes(trips_table([("x", "t", 8)]), supply, road_table([]))
    assert set(assign_flows(flows, supply).segment_flows["link_id"]) == {"H-B"}


def test_without_a_timetable_the_change_share_divides_what_goes_on():
    flows, supply = diamond()
    plain = assign_flows(flows, supply).station_flows
    shared = assign_flows(flows, supply, change_share=pd.Series({"F": 0.25})).station_flows
    assert shared.loc["F:x:t", WAYS[1]] == pytest.approx(0.25 * plain.loc["F:x:t", WAYS[2]])
    assert shared.loc["F:x:t", [WAYS[1], WAYS[2]]].sum() == pytest.approx(plain.loc["F:x:t", WAYS[2]])
    assert shared.loc["U:x:t", WAYS[1]] == 0


def test_rows_by_origin_are_the_sums_of_rows_by_pair():
    flows, supply = diamond()
    by_pair = assign_flows(flows, supply).station_flows.groupby(["station_id", "origin_id"])[WAYS].sum()
    by_origin = assign_flows(flows, supply, grain="origin").station_flows
    assert set(by_origin["destination_id"]) == {ALL_DESTINATIONS}
    assert np.allclose(by_origin.set_index(["station_id", "origin_id"])[WAYS], by_pair, rtol=1e-12)


def test_order_of_rows_changes_no_byte():
    flows, supply = diamond()
    done, again = assign_flows(flows, supply), assign_flows(flows.iloc[::-1], supply)
    pd.testing.assert_frame_equal(done.station_flows, again.station_flows, check_exact=True)
    pd.testing.assert_frame_equal(done.segment_flows, again.segment_flows, check_exact=True)


def test_hour_bands_add_up_to_all_trips():
    slow = supply_of(train_graph("HT", [(["H", "T"], [20.0], 15.0, 1.0)]), ACCESS[:1], {"x": "H"})
    fast = supply_of(train_graph("HT", [(["H", "T"], [15.0], 5.0, 1.0)]), ACCESS[:1], {"x": "H"})
    flows = choose_modes(trips_table([("x", "t", 8)]), slow, road_table([]))
    bands = assign_hour_bands(flows, {"peak": fast, "night": slow}, {"peak": 0.75, "night": 0.25})
    boarding = bands.groupby("hour_band")[WAYS[0]].sum().to_dict()
    assert boarding == pytest.approx({"peak": 6.0, "night": 2.0})


def test_hour_bands_without_a_share_are_refused():
    flows, supply = diamond()
    with pytest.raises(InputError, match=r"band_share: is \{'peak': 0.5\}, expected a share for each of peak that sum"):
        assign_hour_bands(flows, {"peak": supply}, {"peak": 0.5})


def test_a_change_share_above_one_is_refused():
    flows, supply = diamond()
    with pytest.raises(InputError, match=r"change_share: is 1.5 at 'F', expected a share in \[0, 1\]"):
        assign_flows(flows, supply, change_share=pd.Series({"F": 1.5}))


def test_flows_of_another_railway_are_refused():
    flows, _ = diamond()
    other = supply_of(link_graph("HT", [("H", "T", 5.0)]), ACCESS[:1], {"x": "H"})
    with pytest.raises(InputError, match=r"courier_flows: 1 pairs from 'u' go by rail without a path, first 'u:t'"):
        assign_flows(flows, other)


def test_a_leak_is_a_defect_that_stops_the_run(monkeypatch):
    flows, supply = diamond()
    honest = assignment.load_rides

    def leak(*args, **options):
        loads = honest(*args, **options)
        return replace(loads, boarding=0.9 * loads.boarding)

    monkeypatch.setattr(assignment, "load_rides", leak)
    with pytest.raises(IntegrityError, match=r"assignment: 'u' sends .* trips by rail but .* board"):
        assign_flows(flows, supply)
