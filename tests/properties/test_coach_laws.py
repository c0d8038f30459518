"""Laws of the choice among three ways, on railways and coaches drawn at random."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from geo.corridors.assignment import assign_flows
from geo.corridors.choice import choose_modes
from tests.unit.geo.corridors.small_rail import road_table, supply_of, train_graph, trips_table

STOPS = "ABCD"
minutes = st.floats(1.0, 60.0)


@st.composite
def worlds(draw):
    """Trains and coaches over the same places, each its own, and a coach service to be made faster."""
    supplies = []
    for mode in ("rail", "coach"):
        runs = draw(st.lists(minutes, min_size=3, max_size=3))
        trains = [(list(STOPS), runs, draw(minutes), 1.0)]
        supplies.append((mode, trains))
    access = [(f"p{k}", draw(st.sampled_from(STOPS[1:])), draw(st.floats(0.0, 20.0)), "walk") for k in range(2)]
    trips = [("x", place, draw(st.integers(1, 50))) for place in ("p0", "p1", "nowhere")]
    roads = [(o, d, draw(st.one_of(st.none(), st.floats(5.0, 200.0)))) for o, d, _ in trips]
    return supplies, access, trips, roads


def choose(world, factor=1.0):
    supplies, access, trips, roads = world
    built = []
    for mode, trains in supplies:
        changed = [
            (calls, [run * (factor if mode == "coach" else 1.0) for run in runs], *rest)
            for calls, runs, *rest in trains
        ]
        built.append(supply_of(train_graph(STOPS, changed), access, {"x": "A"}, mode=mode))
    return choose_modes(trips_table(trips), built[0], road_table(roads), others=built[1:]), built


@settings(max_examples=20)
@given(worlds())
def test_flow_by_mode_sums_to_the_total(world):
    flows, supplies = choose(world)
    shares = flows[["rail_share", "coach_share", "car_share", "hire_share"]].sum(axis=1)
    assert np.allclose(shares, flows["is_reachable"].astype(float), rtol=1e-12)
    for supply in supplies:
        account = assign_flows(flows, supply)
        whole = sum(account.trips_by_mode.values()) + account.lost_trips_per_month
        assert whole == pytest.approx(flows["trips_per_month"].sum(), rel=1e-12)
        for way in ("boarding", "alighting"):
            laid = account.station_flows[f"{way}_trips_per_month"].sum()
            assert laid == pytest.approx(account.trips_by_mode[supply.mode], rel=1e-9, abs=1e-12)


@settings(max_examples=20)
@given(worlds(), st.floats(0.1, 1.0))
def test_a_faster_coach_never_lowers_its_share(world, factor):
    slow, _ = choose(world)
    fast, _ = choose(world, factor)
    assert (fast["coach_share"] >= slow["coach_share"] - 1e-12).all()
    assert (fast["rail_share"] <= slow["rail_share"] + 1e-12).all()


@settings(max_examples=20)
@given(worlds())
def test_trains_and_coaches_may_be_exchanged(world):
    supplies, *rest = world
    (_, trains), (_, coaches) = supplies
    flows, _ = choose(world)
    swapped, _ = choose(([("rail", coaches), ("coach", trains)], *rest))
    assume(flows["rail_share"].sum() > 0)
    assert np.allclose(flows["rail_share"], swapped["coach_share"], rtol=1e-12)
    assert np.allclose(flows["coach_share"], swapped["rail_share"], rtol=1e-12)
