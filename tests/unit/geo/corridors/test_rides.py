"""Direct rides: who can stay on which train, and what that costs."""

from dataclasses import replace

import numpy as np
import pytest

from geo.corridors.rides import build_rides
from geo.errors import InputError
from geo.network.passenger import ArcKind
from tests.unit.geo.corridors.small_rail import link_graph, train_graph

SLOW = (["H", "M", "T"], [20.0, 20.0], 10.0, 1.0)
FAST = (["H", "T"], [30.0], 10.0, 1.0)


def named(rides):
    ids = rides.station_ids
    return [ids[a] + ids[b] for a, b in zip(rides.tail, rides.head, strict=True)]


def test_links_are_rides_both_ways_with_nothing_between():
    rides = build_rides(link_graph("HMT", [("H", "M", 20.0), ("M", "T", 5.0)]))
    assert named(rides) == ["HM", "MH", "MT", "TM"]
    assert rides.cost_min.tolist() == rides.time_min.tolist() == [20.0, 20.0, 5.0, 5.0]
    assert (rides.calls.nnz, rides.links.nnz, rides.has_timetable) == (0, 4, False)


def test_a_train_gives_a_ride_for_each_pair_of_its_calls():
    rides = build_rides(train_graph("HMT", [SLOW]))
    assert named(rides) == ["HM", "HT", "MT"]
    # Running, two a minute of waiting and of alighting, and ten for the boarding.
    assert rides.cost_min.tolist() == [20 + 20 + 2 + 10, 40 + 20 + 2 + 10, 20 + 20 + 2 + 10]
    assert rides.time_min.tolist() == [31.0, 51.0, 31.0]
    assert rides.calls.toarray().tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert rides.links.toarray().sum(axis=1).tolist() == [1, 2, 1]


def test_trains_that_call_alike_are_one_ride_with_the_joint_wait():
    rides = build_rides(train_graph("HT", [(["H", "T"], [20.0], 10.0, 1.0), (["H", "T"], [32.0], 30.0, 1.0)]))
    assert named(rides) == ["HT"]
    # Six and two an hour are eight an hour: a wait of 7.5 minutes, and a run of (3 * 20 + 32) / 4.
    assert rides.time_min[0] == pytest.approx(7.5 + 23.0 + 1.0)


def test_trains_that_call_elsewhere_stay_apart():
    assert sorted(named(build_rides(train_graph("HMT", [SLOW, FAST])))) == ["HM", "HT", "HT", "MT"]


def test_whoever_waits_takes_the_first_train_worth_taking_whatever_its_calls():
    quick, slow = (["H", "T"], [20.0], 10.0, 1.0), (["H", "M", "T"], [12.0, 12.0], 30.0, 1.0)
    rides = build_rides(train_graph("HMT", [quick, slow]), spread_per_min=0.1)
    both = np.flatnonzero([name == "HT" for name in named(rides)])
    # Three and one of four trains in 20 minutes: a wait of 7.5, runs of 20 and of 24 (with no stand at M).
    assert sorted(rides.time_min[both]) == pytest.approx([7.5 + 20.0 + 1.0, 7.5 + 24.0 + 1.0])
    weight = np.exp(-0.1 * rides.cost_min[both])
    plain = np.exp(-0.1 * (np.array(rides.time_min[both]) + 7.5 + 1.0 + 10.0))
    assert weight == pytest.approx(plain * np.where(rides.time_min[both] < 30, 0.75, 0.25))
    # One that is slower than waiting for the quick one is not waited for: it keeps its own wait.
    crawl = build_rides(train_graph("HMT", [quick, (["H", "M", "T"], [30.0, 30.0], 30.0, 1.0)]))
    both = np.flatnonzero([name == "HT" for name in named(crawl)])
    assert sorted(crawl.time_min[both]) == pytest.approx([10.0 + 20.0 + 1.0, 30.0 + 60.0 + 1.0])


def test_splitting_trains_by_their_calls_leaves_the_price_of_a_journey():
    """The log-sum over rides that share a wait is what one service of all of them costs."""
    one = build_rides(train_graph("HMT", [(["H", "T"], [20.0], 5.0, 1.0)]), spread_per_min=0.1)
    parts = [(["H", "T"], [20.0], 10.0, 1.0), (["H", "M", "T"], [8.0, 12.0], 10.0, 1.0)]
    two = build_rides(train_graph("HMT", parts), spread_per_min=0.1)
    price = [-np.log(np.exp(-0.1 * r.cost_min[[name == "HT" for name in named(r)]]).sum()) / 0.1 for r in (one, two)]
    assert price[1] == pytest.approx(price[0])


def test_alighting_to_take_the_same_train_again_is_needless():
    rides = build_rides(train_graph("HMT", [SLOW]))
    assert rides.needless.T.tolist() == [[0, 2]]


def test_a_change_that_beats_a_rare_through_train_is_not_needless():
    rare = (["H", "M", "T"], [20.0, 20.0], 55.0, 1.0)
    often = [(["H", "M"], [20.0], 2.0, 1.0), (["M", "T"], [20.0], 2.0, 1.0)]
    assert build_rides(train_graph("HMT", [rare, *often])).needless.size == 0


def test_a_walk_is_a_ride_without_wait_or_penalty():
    rides = build_rides(train_graph("HMT", [(["H", "M"], [20.0], 10.0, 1.0)], walks=[("M", "T", 6.0)]))
    assert named(rides) == ["HM", "MT"]
    assert rides.is_walk.tolist() == [False, True]
    assert rides.cost_min[1] == 12.0


def test_the_order_of_trains_changes_nothing():
    trains = [SLOW, FAST, (["H", "M", "T"], [25.0, 15.0], 7.0, 2.0)]
    one, two = build_rides(train_graph("HMT", trains)), build_rides(train_graph("HMT", trains[::-1]))
    assert named(one) == named(two)
    assert one.cost_min.tolist() == two.cost_min.tolist()
    assert (one.calls != two.calls).nnz == 0


def test_standing_nodes_between_arrival_and_departure_change_nothing():
    """H to M to T with two nodes at M, joined by a dwell of 3 minutes."""
    plain = train_graph("HMT", [SLOW])
    arrive, depart = 4, 6
    stood = replace(
        plain,
        node_station=np.append(plain.node_station, 1).astype(np.int32),
        tail=np.append(np.where((plain.tail == arrive) & (plain.kind == ArcKind.RIDE), depart, plain.tail), arrive),
        head=np.append(np.where((plain.head == arrive) & (plain.kind == ArcKind.BOARD), depart, plain.head), depart),
        minutes=np.append(plain.minutes, 3.0),
        kind=np.append(plain.kind, np.int8(ArcKind.STAY)),
        link_indptr=np.append(plain.link_indptr, plain.link_indptr[-1]),
    )
    one, two = build_rides(plain), build_rides(stood)
    assert named(one) == named(two)
    assert (two.time_min - one.time_min).tolist() == pytest.approx([0.0, 3.0, 0.0])
    assert one.calls.toarray().tolist() == two.calls.toarray().tolist()
    assert one.needless.tolist() == two.needless.tolist()


def test_an_arc_that_takes_no_time_is_refused():
    with pytest.raises(InputError, match=r"graph: arc 0 takes 0.0 minutes, expected more than 0"):
        build_rides(link_graph("HT", [("H", "T", 0.0)]))


def test_a_train_that_divides_is_refused():
    graph = train_graph("HMT", [SLOW])
    rides = np.flatnonzero(graph.kind == ArcKind.RIDE)
    divided = replace(graph, tail=np.where(np.arange(graph.tail.size) == rides[1], graph.tail[rides[0]], graph.tail))
    with pytest.raises(InputError, match=r"graph: train node 3 has 2 onward arcs, expected at most 1"):
        build_rides(divided)
