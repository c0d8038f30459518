"""Laws of the assignment on railways and trips drawn at random."""

from dataclasses import replace

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.corridors.assignment import assign_flows
from geo.corridors.choice import choose_modes
from geo.corridors.exposure import measure_station_exposure
from geo.corridors.paths import load_rides, restrict_paths, solve_origin
from geo.corridors.rides import build_rides
from geo.corridors.routes import list_route_sets, reassign_routes
from tests.unit.geo.corridors.small_rail import link_graph, road_table, supply_of, train_graph, trips_table

STATIONS = "ABCDEF"
WAYS = [f"{w}_trips_per_month" for w in ("boarding", "interchange", "calling", "alighting")]
minutes = st.floats(1.0, 40.0)


@st.composite
def railways(draw):
    """A line through all stations, so that all can be reached, and further links or trains."""
    times = draw(st.lists(minutes, min_size=5, max_size=5))
    if draw(st.booleans()):
        pairs = draw(
            st.lists(st.sampled_from([(a, b) for a in STATIONS for b in STATIONS if a < b]), max_size=5, unique=True)
        )
        line = [(a, b, t) for a, b, t in zip(STATIONS, STATIONS[1:], times, strict=False)]
        return link_graph(STATIONS, line + [(a, b, draw(minutes)) for a, b in pairs if ord(b) - ord(a) > 1])
    trains = [(list(STATIONS), times, 5.0, 1.0), (list(STATIONS[::-1]), times[::-1], 5.0, 1.0)]
    for calls in draw(st.lists(st.lists(st.sampled_from(STATIONS), min_size=2, max_size=5, unique=True), max_size=4)):
        runs = draw(st.lists(minutes, min_size=len(calls) - 1, max_size=len(calls) - 1))
        trains += [(calls, runs, draw(minutes), 1.0)]
    return train_graph(STATIONS, trains)


@st.composite
def cases(draw):
    graph = draw(railways())
    towns = {f"p{k}": draw(st.lists(st.sampled_from(STATIONS), min_size=1, max_size=3, unique=True)) for k in range(2)}
    towns["twin"] = towns["p0"]
    far = {town: draw(st.floats(0.0, 20.0)) for town in ("p0", "p1")}
    access = [(town, s, far.get(town, far["p0"]), "walk") for town, ss in towns.items() for s in ss]
    hubs = {"x": draw(st.sampled_from(STATIONS)), "y": draw(st.sampled_from(STATIONS))}
    supply = supply_of(graph, access, hubs)
    places = ("p0", "p1")
    pairs = [(o, d) for o in (*hubs, *places) for d in (*places, "nowhere") if o != d]
    trips = [(o, d, draw(st.integers(0, 50))) for o, d in pairs]
    roads = [(o, d, draw(st.one_of(st.none(), st.floats(5.0, 90.0)))) for o, d, _ in trips]
    flows = choose_modes(trips_table(trips, internal=places), supply, road_table(roads))
    return supply, flows


@settings(max_examples=12)
@given(cases())
def test_what_leaves_the_origins_reaches_the_towns_or_is_said_to_be_lost(case):
    supply, flows = case
    done = assign_flows(flows, supply)
    scale = max(done.trips_per_month, 1.0)
    parts = done.rail_trips_per_month + done.road_trips_per_month + done.lost_trips_per_month
    assert abs(parts - done.trips_per_month) < 1e-9 * scale
    rail = flows.eval("trips_per_month * rail_share").sum()
    for way in (WAYS[0], WAYS[3]):
        assert abs(done.station_flows[way].sum() - rail) < 1e-9 * scale


@settings(max_examples=12)
@given(cases())
def test_a_station_is_the_sum_of_its_origins_and_destinations(case):
    supply, flows = case
    by_pair = assign_flows(flows, supply).station_flows
    by_origin = assign_flows(flows, supply, grain="origin").station_flows
    stations = pd.DataFrame(
        {"name": list(STATIONS), "easting_m": 4e5, "northing_m": 4e5, "is_in_force": True},
        index=pd.Index(list(STATIONS), name="station_id", dtype="str"),
    )
    one, two = (measure_station_exposure(table, stations)[WAYS] for table in (by_pair, by_origin))
    assert np.allclose(one, two, rtol=1e-9, atol=1e-9)


@settings(max_examples=12)
@given(cases(), st.randoms(use_true_random=False))
def test_shuffled_rows_give_the_same_tables(case, random):
    supply, flows = case
    order = list(range(len(flows)))
    random.shuffle(order)
    one, two = assign_flows(flows, supply), assign_flows(flows.iloc[order], supply)
    pd.testing.assert_frame_equal(one.station_flows, two.station_flows, check_exact=True)
    pd.testing.assert_frame_equal(one.segment_flows, two.segment_flows, check_exact=True)


@given(railways(), st.sampled_from(STATIONS[1:]), st.integers(0, 10_000), st.floats(0.1, 30.0))
def test_more_cost_on_a_ride_never_raises_its_share(graph, town, pick, more_min):
    """Among the same sensible paths: those of the cheaper ride, held fixed."""
    rides = build_rides(graph)
    paths = solve_origin(rides, np.array([0], dtype=np.int32), np.zeros(1))
    used = np.flatnonzero(paths.likelihood > 0)
    ride = int(used[pick % used.size])
    alighting = np.zeros((len(STATIONS), 1))
    alighting[STATIONS.index(town)] = 1.0
    dearer = replace(
        paths, likelihood=paths.likelihood * np.where(np.arange(rides.tail.size) == ride, np.exp(-0.1 * more_min), 1)
    )
    dearer = restrict_paths(dearer, np.ones(rides.tail.size, dtype=bool))
    at = int(np.flatnonzero(used == ride)[0])
    before, after = (load_rides(p, alighting).on_rides[at, 0] for p in (paths, dearer))
    assert after <= before + 1e-12


@settings(max_examples=12)
@given(cases())
def test_splitting_a_town_leaves_the_others_unchanged(case):
    supply, flows = case
    whole = flows[flows["destination_id"] == "p0"]
    half = whole["trips_per_month"] / 2
    twin = whole.assign(trips_per_month=half, destination_id="twin").set_axis(whole.index + " twin")
    split = pd.concat([whole.assign(trips_per_month=half), flows.drop(whole.index), twin])
    plain, again = (assign_flows(table, supply).station_flows for table in (flows, split))
    others = plain["destination_id"] != "p0"
    kept = again[~again["destination_id"].isin(["p0", "twin"])]
    assert list(kept.index) == list(plain.index[others])
    assert np.allclose(kept[WAYS], plain.loc[others, WAYS], rtol=1e-12, atol=0)
    sums = again[~again.index.isin(kept.index)].groupby(["station_id", "origin_id"])[WAYS].sum()
    before = plain[~others].groupby(["station_id", "origin_id"])[WAYS].sum()
    assert np.allclose(sums, before, rtol=1e-9, atol=1e-12)


@settings(max_examples=12)
@given(cases(), st.integers(1, 4))
def test_routes_of_a_pair_share_all_of_it_and_respond_within_bounds(case, most_routes):
    supply, flows = case
    routes = list_route_sets(flows, supply, most_routes=most_routes)
    pair = np.repeat(np.arange(len(routes.flow_ids)), np.diff(routes.route_indptr))
    total = np.bincount(pair, weights=routes.probability, minlength=len(routes.flow_ids))
    reachable = flows.sort_index()["is_reachable"].to_numpy()
    assert np.allclose(total, reachable, rtol=0, atol=1e-9)
    penalty = np.where(np.arange(pair.size) % 2 == 0, 12.0, 0.0)
    new = reassign_routes(routes, penalty)
    assert np.allclose(np.bincount(pair, weights=new, minlength=len(routes.flow_ids)), reachable, rtol=0, atol=1e-9)
    assert np.allclose(reassign_routes(routes, np.zeros(pair.size)), routes.probability, rtol=1e-9, atol=1e-12)
    assert (routes.listed_share >= 0).all()
    assert (routes.listed_share <= 1).all()
