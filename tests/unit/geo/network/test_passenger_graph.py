"""The passenger graph of a line small enough to draw, with and without a timetable, and the times over it."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import LineString

from geo.crs import METRIC
from geo.errors import InputError
from geo.network.passenger import ArcKind, build_passenger_graph
from geo.network.services import build_services, measure_call_run_times
from geo.network.station_times import measure_station_times, measure_station_times_by_band


@pytest.fixture
def links() -> gpd.GeoDataFrame:
    """AAA -6- BBB -4- CCC -10- DDD minutes, and XXX -5- YYY apart from them."""
    ends = [("AAA", "BBB", 6.0), ("BBB", "CCC", 4.0), ("CCC", "DDD", 10.0), ("XXX", "YYY", 5.0)]
    return gpd.GeoDataFrame(
        {
            "from_station_id": [a for a, _, _ in ends],
            "to_station_id": [b for _, b, _ in ends],
            "length_m": [1_000.0 * m for _, _, m in ends],
            "time_min": [m for _, _, m in ends],
            "time_basis": "assumed_speed",
            "repaired_m": 0.0,
        },
        geometry=[LineString([(0, 0), (1, 0)])] * len(ends),
        crs=METRIC,
        index=pd.Index([f"{a}-{b}" for a, b, _ in ends], name="link_id"),
    )


def calls(**patterns) -> pd.DataFrame:
    """Patterns as lists of (station, arrival, departure)."""
    rows = [(name, k, *call) for name, route in patterns.items() for k, call in enumerate(route)]
    table = pd.DataFrame(rows, columns=["pattern_id", "call_no", "station_id", "arrival_min", "departure_min"])
    return table.astype({"arrival_min": "float64", "departure_min": "float64"}).rename_axis("call_id")


def departures(*rows) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["pattern_id", "hour_of_week", "n_departures"])
    return table.astype({"n_departures": "float64"}).rename_axis("departure_id")


# A stopping train twice in the hour from 08:00, and a fast one that passes BBB and CCC.
CALLS = calls(
    SLOW=[("AAA", None, 0), ("BBB", 6, 7), ("CCC", 11, 12), ("DDD", 22, None)],
    FAST=[("AAA", None, 0), ("DDD", 15, None)],
)
DEPARTURES = departures(("SLOW", 8, 2), ("FAST", 8, 1))


def minutes(graph, start, end) -> float:
    times = measure_station_times(graph)
    return float(times.time_min[times.station_ids.index(start), times.station_ids.index(end)])


def test_without_a_timetable_each_link_is_ridden_both_ways_with_a_dwell(links):
    graph = build_passenger_graph(links, dwell_min=0.5)
    assert len(graph.tail) == 8
    assert set(graph.kind) == {ArcKind.RIDE}
    assert minutes(graph, "AAA", "CCC") == minutes(graph, "CCC", "AAA") == 6.5 + 4.5
    under = [graph.link_ids[k] for k in graph.link_indices]
    assert sorted(under) == sorted(links.index.tolist() * 2)


def test_the_wait_is_half_the_time_between_trains(links):
    """Two slow trains in one hour: 15 minutes; the last change time does not count."""
    graph = build_passenger_graph(links, calls=CALLS, departures=DEPARTURES, hours=[8])
    assert minutes(graph, "AAA", "BBB") == 15 + 6
    assert minutes(graph, "AAA", "DDD") == 15 + 22
    busy = departures(("SLOW", 8, 2), ("FAST", 8, 6))
    assert minutes(build_passenger_graph(links, calls=CALLS, departures=busy, hours=[8]), "AAA", "DDD") == 5 + 15


def test_a_train_that_does_not_call_cannot_be_boarded(links):
    fast = calls(FAST=[("AAA", None, 0), ("DDD", 15, None)])
    times = measure_station_times(
        build_passenger_graph(links, calls=fast, departures=departures(("FAST", 8, 6)), hours=[8])
    )
    table = times.to_table().set_index(["origin_station_id", "destination_station_id"])
    assert table.loc[("AAA", "DDD"), "time_min"] == 20
    assert table.loc[("BBB", "DDD"), "reason"] == "other_part_of_the_network"
    assert table.loc[("DDD", "AAA"), "reason"] == "no_train_in_these_hours"
    assert np.isnan(table.loc[("DDD", "AAA"), "time_min"])


def test_trains_count_in_the_hour_in_which_they_call(links):
    """Starts spread over 08:00-08:59; 20 minutes on, a third of them call after 09:00."""
    late = calls(P=[("AAA", None, 0), ("BBB", 19, 20), ("CCC", 30, None)])
    services = build_services(late, departures(("P", 8, 3)), hours=[9])
    assert services.n_per_hour.tolist() == [0.0, pytest.approx(1.0), 0.0]
    whole = build_services(late, departures(("P", 8, 3)), hours=range(168))
    assert (whole.n_per_hour * 168).tolist() == [pytest.approx(3.0), pytest.approx(3.0), 0.0]


def test_the_week_runs_on_from_sunday_to_monday(links):
    night = calls(P=[("AAA", None, 0), ("BBB", 60, 60), ("CCC", 70, None)])
    assert build_services(night, departures(("P", 167, 3)), hours=[0]).n_per_hour.tolist() == [0.0, 3.0, 0.0]


def test_no_wait_is_longer_than_the_longest(links):
    graph = build_passenger_graph(links, calls=CALLS, departures=DEPARTURES, max_wait_min=45)
    assert minutes(graph, "AAA", "BBB") == 45 + 6


def test_a_change_costs_the_station_its_minutes_and_a_new_wait(links):
    split = calls(
        ONE=[("AAA", None, 0), ("BBB", 6, None)],
        TWO=[("BBB", None, 0), ("CCC", 4, None)],
    )
    counts = departures(("ONE", 8, 6), ("TWO", 8, 3))
    graph = build_passenger_graph(
        links, calls=split, departures=counts, hours=[8], interchange_min=pd.Series({"BBB": 3.0})
    )
    assert minutes(graph, "AAA", "CCC") == 5 + 6 + 3 + 10 + 4
    other = build_passenger_graph(links, calls=split, departures=counts, hours=[8], default_interchange_min=8)
    assert minutes(other, "AAA", "CCC") == 5 + 6 + 8 + 10 + 4
    times = measure_station_times(graph, keep_paths=True)
    row, b, c = (times.station_ids.index(code) for code in ("AAA", "BBB", "CCC"))
    assert (times.n_changes[row, b], times.n_changes[row, c], times.n_changes[row, row]) == (0, 1, 0)
    at = [times.station_ids[graph.node_station[node]] for node in times.path("AAA", "CCC")]
    assert at == ["AAA", "AAA", "BBB", "BBB", "BBB", "CCC"]
    assert times.path("CCC", "AAA") == []


def test_patterns_with_the_same_stops_share_their_frequency(links):
    twins = calls(P=[("AAA", None, 0), ("BBB", 6, None)], Q=[("AAA", None, 0), ("BBB", 9, None)])
    graph = build_passenger_graph(links, calls=twins, departures=departures(("P", 8, 2), ("Q", 8, 1)), hours=[8])
    assert minutes(graph, "AAA", "BBB") == pytest.approx(10 + 7)


def test_a_train_carries_the_links_it_passes_over(links):
    graph = build_passenger_graph(links, calls=CALLS, departures=DEPARTURES, hours=[8])
    rides = np.flatnonzero(graph.kind == ArcKind.RIDE)
    routes = {
        tuple(graph.link_ids[k] for k in graph.link_indices[graph.link_indptr[a] : graph.link_indptr[a + 1]])
        for a in rides
    }
    assert ("AAA-BBB", "BBB-CCC", "CCC-DDD") in routes
    assert routes - {("AAA-BBB", "BBB-CCC", "CCC-DDD")} == {("AAA-BBB",), ("BBB-CCC",), ("CCC-DDD",)}
    assert (np.diff(graph.link_indptr)[graph.kind != ArcKind.RIDE] == 0).all()


def test_walks_join_stations_one_way_each(links):
    walks = pd.DataFrame(
        {"from_station_id": ["DDD", "DDD", "DDD"], "to_station_id": ["XXX", "XXX", "QQQ"], "time_min": [9.0, 7.0, 1.0]}
    )
    graph = build_passenger_graph(links, fixed_links=walks, dwell_min=0.0)
    assert minutes(graph, "CCC", "YYY") == 10 + 7 + 5
    assert minutes(graph, "YYY", "CCC") == np.inf
    timed = build_passenger_graph(links, calls=CALLS, departures=DEPARTURES, hours=[8], fixed_links=walks)
    assert minutes(timed, "AAA", "XXX") == 37 + 5 + 7


def test_of_a_walk_and_a_ride_between_two_stations_the_quicker_counts(links):
    for walk_min, expected_min in ((2.0, 2.0), (20.0, 7.0)):
        walk = pd.DataFrame({"from_station_id": ["AAA"], "to_station_id": ["BBB"], "time_min": [walk_min]})
        graph = build_passenger_graph(links, fixed_links=walk)
        assert minutes(graph, "AAA", "BBB") == expected_min
        assert minutes(graph, "AAA", "CCC") == expected_min + 5


def test_every_arc_takes_time(links):
    still = calls(P=[("AAA", None, 0), ("BBB", 6, 6), ("CCC", 10, None)])
    graph = build_passenger_graph(links, calls=still, departures=departures(("P", 8, 2)), hours=[8])
    assert (graph.minutes > 0).all()


def test_parts_of_the_week_have_their_own_times(links):
    counts = departures(("SLOW", 8, 6), ("SLOW", 20, 1))
    bands = {"morning": [8], "evening": [20], "night": [3]}
    times = measure_station_times_by_band(links, calls=CALLS, departures=counts, bands=bands, origins=["AAA"])
    end = {name: part.time_min[0, part.station_ids.index("BBB")] for name, part in times.items()}
    assert end == {"morning": 5 + 6, "evening": 30 + 6, "night": np.inf}


def test_times_from_some_origins_equal_the_rows_of_all(links):
    graph = build_passenger_graph(links, calls=CALLS, departures=DEPARTURES, hours=[8])
    some, every = measure_station_times(graph, origins=["CCC", "AAA"]), measure_station_times(graph)
    rows = [every.station_ids.index(code) for code in ("CCC", "AAA")]
    np.testing.assert_array_equal(some.time_min, every.time_min[rows])


def test_run_times_are_medians_over_trains(links):
    table = measure_call_run_times(
        calls(P=[("AAA", None, 0), ("BBB", 6, None)], Q=[("AAA", None, 0), ("BBB", 9, None)]),
        departures(("P", 8, 1), ("Q", 8, 2)),
    )
    assert table.to_numpy().tolist() == [["AAA", "BBB", 3.0, 6.0, 9.0]]


def test_half_a_timetable_is_refused(links):
    with pytest.raises(InputError, match=r"calls and departures: only one of them is given, expected both or neither"):
        build_passenger_graph(links, calls=CALLS)


@pytest.mark.parametrize("hours", [[], [168], [-1]])
def test_hours_outside_the_week_are_refused(links, hours):
    with pytest.raises(InputError, match=r"hours: .* are not hours of a week, expected some from 0 to 167"):
        build_passenger_graph(links, calls=CALLS, departures=DEPARTURES, hours=hours)


def test_an_unknown_origin_and_paths_not_kept_are_named(links):
    graph = build_passenger_graph(links)
    with pytest.raises(InputError, match=r"origins: 'ZZZ' is not in the graph"):
        measure_station_times(graph, origins=["AAA", "ZZZ"])
    with pytest.raises(InputError, match=r"station times: paths were not kept"):
        measure_station_times(graph).path("AAA", "BBB")
