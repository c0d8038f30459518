"""Laws of links and of times on random tracks and timetables."""

import geopandas as gpd
import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from shapely import LineString, MultiPoint

from geo.crs import METRIC
from geo.network.passenger import build_passenger_graph
from geo.network.rail import build_rail_network
from geo.network.station_times import measure_station_times

CODES = ["AAA", "BBB", "CCC", "DDD", "EEE", "FFF"]


@st.composite
def railways(draw):
    """Tracks between random places 2 km apart or more, stations on some of the places, exactly on the track."""
    cells = draw(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=4, max_size=12, unique=True))
    places = [(300_000.0 + 3_000 * i + 37 * j, 400_000.0 + 3_000 * j + 53 * i) for i, j in cells]
    ends = draw(
        st.lists(
            st.tuples(st.integers(0, len(places) - 1), st.integers(0, len(places) - 1)).filter(lambda e: e[0] != e[1]),
            min_size=3,
            max_size=14,
            unique_by=lambda e: tuple(sorted(e)),
        )
    )
    track = gpd.GeoDataFrame(
        geometry=[LineString([places[a], places[b]]) for a, b in ends],
        crs=METRIC,
        index=pd.RangeIndex(len(ends), name="track_id"),
    )
    used = sorted({node for edge in ends for node in edge})
    chosen = draw(st.lists(st.sampled_from(used), min_size=2, max_size=len(CODES), unique=True))
    stations = pd.DataFrame(
        {
            "name": CODES[: len(chosen)],
            "easting_m": [places[k][0] for k in chosen],
            "northing_m": [places[k][1] for k in chosen],
            "is_in_force": True,
        },
        index=pd.Index(CODES[: len(chosen)], name="station_id"),
    )
    return track, stations


@given(railways())
def test_links_are_no_shorter_than_a_straight_line_and_pass_no_third_station(railway):
    track, stations = railway
    network = build_rail_network(track, stations, repair_limit_m=0.0)
    xy_m = network.stations[["easting_m", "northing_m"]]
    for link in network.links.itertuples():
        straight_m = float(np.hypot(*(xy_m.loc[link.from_station_id] - xy_m.loc[link.to_station_id])))
        # A station may be met at a contact up to 100 m from it on another line.
        assert link.length_m >= straight_m - 200.0
        assert np.isclose(link.geometry.length, link.length_m)
        others = xy_m.drop([link.from_station_id, link.to_station_id])
        if len(others):
            assert link.geometry.distance(MultiPoint(others.to_numpy())) > 99.0


@settings(max_examples=20)
@given(railways(), st.randoms(use_true_random=False))
def test_row_order_changes_no_link(railway, random):
    track, stations = railway
    rows, codes = list(track.index), list(stations.index)
    random.shuffle(rows)
    random.shuffle(codes)
    one, other = build_rail_network(track, stations), build_rail_network(track.loc[rows], stations.loc[codes])
    pd.testing.assert_frame_equal(one.links, other.links)
    pd.testing.assert_frame_equal(one.stations, other.stations)


@given(railways())
def test_times_along_links_are_symmetric_and_keep_the_triangle_inequality(railway):
    links = build_rail_network(*railway).links
    if links.empty:
        return
    times = measure_station_times(build_passenger_graph(links)).time_min
    np.testing.assert_allclose(times, times.T)
    assert (np.diag(times) == 0).all()
    assert (times[:, None, :] <= times[:, :, None] + times[None, :, :] + 1e-9).all()


@given(railways())
def test_distances_along_links_are_distances_along_track(railway):
    """No link is missing: with turns free, the nearest stations by links are as near as by the track itself."""
    track, stations = railway
    network = build_rail_network(
        track, stations, max_turn_deg=180, repair_limit_m=0.0, throat_m=0.0, contact_radius_m=1.0
    )
    ids = network.stations.index
    ends = tuple(ids.get_indexer(pd.Index(network.links[name])) for name in ("from_station_id", "to_station_id"))
    by_links = dijkstra(csr_array((network.links["length_m"], ends), shape=(len(ids),) * 2), directed=False)
    points = sorted({p for line in track.geometry for p in line.coords})
    number = {p: k for k, p in enumerate(points)}
    a, b = ([number[line.coords[k]] for line in track.geometry] for k in (0, -1))
    by_track = dijkstra(csr_array((track.length, (a, b)), shape=(len(points),) * 2), directed=False)
    own = [number[p] for p in zip(network.stations["easting_m"], network.stations["northing_m"], strict=True)]
    by_track = by_track[np.ix_(own, own)]
    # Track that merely passes a station's place without a vertex there calls at it; that can only shorten.
    assert (by_links <= by_track + 1e-6).all()


@st.composite
def timetables(draw):
    """Up to five patterns over six stations with their departures."""
    calls, departures = [], []
    for number in range(draw(st.integers(1, 5))):
        route = draw(st.lists(st.sampled_from(CODES), min_size=2, max_size=5, unique=True))
        at = 0
        for k, code in enumerate(route):
            arrive = at if k else None
            at += draw(st.integers(0, 4)) if k else 0
            leave = at if k < len(route) - 1 else None
            calls.append((f"P{number}", k, code, arrive, leave))
            at += draw(st.integers(1, 30))
        departures.append((f"P{number}", draw(st.integers(0, 23)), float(draw(st.integers(1, 4)))))
    return tables(calls, departures)


def tables(calls, departures) -> tuple[pd.DataFrame, pd.DataFrame]:
    call_table = pd.DataFrame(calls, columns=["pattern_id", "call_no", "station_id", "arrival_min", "departure_min"])
    call_table = call_table.astype({"arrival_min": "float64", "departure_min": "float64"}).rename_axis("call_id")
    departure_table = pd.DataFrame(departures, columns=["pattern_id", "hour_of_week", "n_departures"])
    return call_table, departure_table.rename_axis("departure_id")


def no_links() -> gpd.GeoDataFrame:
    """Rail links over which no train of the test runs."""
    return gpd.GeoDataFrame(
        {
            "from_station_id": ["YYY"],
            "to_station_id": ["ZZZ"],
            "length_m": [1.0],
            "time_min": [1.0],
            "time_basis": ["timetable"],
            "repaired_m": [0.0],
        },
        geometry=[LineString([(0, 0), (1, 0)])],
        crs=METRIC,
        index=pd.Index(["YYY-ZZZ"], name="link_id"),
    )


def times_of(calls, departures) -> pd.DataFrame:
    found = measure_station_times(build_passenger_graph(no_links(), calls=calls, departures=departures))
    return pd.DataFrame(found.time_min, index=found.station_ids, columns=found.station_ids)


@settings(max_examples=20)
@given(timetables(), st.sampled_from(CODES))
def test_a_train_that_does_not_call_changes_nothing_at_the_station(timetable, skipped):
    """A new train over all stations but one: times from and to that one change only by changing trains elsewhere."""
    calls, departures = timetable
    alone = calls[calls["station_id"] == skipped]
    route = [code for code in CODES if code != skipped]
    fast = [("FAST", k, code, float(k) if k else None, float(k) if k < 4 else None) for k, code in enumerate(route)]
    more_calls, more_departures = tables(
        [*calls.itertuples(index=False, name=None), *fast],
        [*departures.itertuples(index=False, name=None), ("FAST", 8, 9.0)],
    )
    before, after = times_of(calls, departures), times_of(more_calls, more_departures)
    if alone.empty:
        assert skipped not in after.index
        return
    assert (after.loc[before.index, before.columns] <= before + 1e-9).all(axis=None)
    # To board at the skipped station is still to wait for one of its own trains and ride to their next call.
    own = calls[calls["pattern_id"].isin(alone["pattern_id"])]
    first = times_of(own, departures[departures["pattern_id"].isin(alone["pattern_id"])])
    others = [code for code in after.columns if code != skipped]
    assert np.isclose(after.loc[skipped, others].min(), first.loc[skipped].drop(skipped).min())


@settings(max_examples=20)
@given(timetables())
def test_more_trains_never_make_a_journey_longer(timetable):
    calls, departures = timetable
    more = departures.assign(n_departures=departures["n_departures"] * 2)
    assert (times_of(calls, more) <= times_of(calls, departures) + 1e-9).all(axis=None)


@settings(max_examples=20)
@given(timetables())
def test_row_order_of_the_timetable_changes_nothing(timetable):
    calls, departures = timetable
    pd.testing.assert_frame_equal(times_of(calls, departures), times_of(calls.iloc[::-1], departures.iloc[::-1]))
