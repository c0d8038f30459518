import geopandas as gpd
import numpy as np
import pytest
from shapely import LineString, MultiLineString

from geo.errors import CrsError, InputError, UsageError
from geo.hotspots.network_density import Network, build_network, cut_lixels, measure_network_density, snap_events

METHODS = ("simple", "discontinuous", "continuous")


def star(n_arms, arm_m=1000.0):
    """Arms from node 0 outwards."""
    return Network(np.zeros(n_arms, dtype=int), np.arange(1, n_arms + 1), np.full(n_arms, arm_m), n_arms + 1)


def density(network, edge, chainage_m, *, bandwidth_m=300.0, method="continuous", lixel_m=10.0, weight=None):
    lixels = cut_lixels(network, lixel_m=lixel_m)
    edge, chainage_m = np.atleast_1d(edge), np.atleast_1d(np.asarray(chainage_m, dtype=float))
    weight = np.ones(len(edge)) if weight is None else weight
    return lixels, measure_network_density(
        network, lixels, edge, chainage_m, weight, bandwidth_m=bandwidth_m, method=method
    )


def quartic_mean(start_m, end_m, bandwidth_m):
    """Mean of K(d/h)/h over a stretch, events a kilometre."""
    antiderivative = lambda u: 15 / 16 * (u - 2 * u**3 / 3 + u**5 / 5)  # noqa: E731
    u = np.clip([start_m / bandwidth_m, end_m / bandwidth_m], -1, 1)
    return (antiderivative(u[1]) - antiderivative(u[0])) / (end_m - start_m) * 1000


@pytest.mark.parametrize("method", METHODS)
def test_on_a_path_it_is_the_one_dimensional_density(method):
    path = Network(np.arange(5), np.arange(1, 6), np.full(5, 200.0), 6)
    lixels, f = density(path, 2, 100.0, method=method)
    start = lixels.start_m + 200 * lixels.edge - 500
    assert f == pytest.approx([quartic_mean(s, s + 10, 300) for s in start], abs=1e-9)


@pytest.mark.parametrize(
    ("method", "onward", "back"), [("simple", 1, 0), ("discontinuous", 1 / 3, 0), ("continuous", 2 / 4, -2 / 4)]
)
def test_on_a_star_it_is_the_closed_form(method, onward, back):
    lixels, f = density(star(4), 0, 100.0, method=method)
    own, other = lixels.edge == 0, lixels.edge == 2
    start = lixels.start_m
    # Seen from the event 100 m up arm 0, arm 2 starts 100 m away; what is thrown back comes down arm 0 from 100 m.
    away = np.array([quartic_mean(s + 100, s + 110, 300) for s in start])
    direct = np.array([quartic_mean(s - 100, s - 90, 300) for s in start])
    assert f[other] == pytest.approx(onward * away[other], abs=1e-9)
    assert f[own] == pytest.approx(direct[own] + back * away[own], abs=1e-9)


@pytest.mark.parametrize("method", ["discontinuous", "continuous"])
def test_mass_is_kept_through_junctions(method):
    weight = np.array([1.0, 2.5])
    lixels, f = density(star(5), [0, 3], [40.0, 0.0], method=method, weight=weight)
    assert (f * lixels.length_m / 1000).sum() == pytest.approx(3.5)


def test_the_simple_form_makes_mass_at_junctions():
    lixels, f = density(star(5), 0, 40.0, method="simple")
    assert (f * lixels.length_m / 1000).sum() > 1.5


def test_a_dead_end_throws_mass_back_if_continuous_and_loses_it_if_not():
    for method, kept in (("continuous", 1.0), ("discontinuous", 0.5 + 0.5 * quartic_mean(0, 100, 300) / 5)):
        lixels, f = density(star(3), 0, 900.0, method=method)
        assert (f * lixels.length_m / 1000).sum() == pytest.approx(kept, abs=1e-9)


def test_the_continuous_form_has_no_step_at_a_junction_and_the_other_has():
    at = {}
    for method in ("continuous", "discontinuous"):
        lixels, f = density(star(4), 0, 100.0, method=method, lixel_m=1.0)
        at[method] = f[lixels.start_m == 0]
    assert np.ptp(at["continuous"]) < 0.02 * at["continuous"].mean()
    assert np.ptp(at["discontinuous"]) > 0.5 * at["discontinuous"].mean()


def test_events_together_are_the_sum_of_events_alone():
    alone = density(star(4), 0, 133.0)[1] + 2 * density(star(4), 2, 7.0)[1]
    assert density(star(4), [0, 2], [133.0, 7.0], weight=np.array([1.0, 2.0]))[1] == pytest.approx(alone)


def test_finer_lixels_converge():
    network = Network(np.array([0, 0, 0]), np.array([1, 2, 3]), np.array([333.0, 417.0, 291.0]), 4)
    coarse, fine = (density(network, 0, 111.0, lixel_m=m) for m in (8.0, 1.0))
    mean_fine = np.bincount(fine[0].edge, weights=fine[1] * fine[0].length_m)
    mean_coarse = np.bincount(coarse[0].edge, weights=coarse[1] * coarse[0].length_m)
    assert mean_coarse == pytest.approx(mean_fine, rel=0.02)


def test_lixels_are_equal_and_add_up_to_the_edges():
    lixels = cut_lixels(Network(np.array([0, 1]), np.array([1, 2]), np.array([95.0, 4.0]), 3), lixel_m=10)
    assert np.bincount(lixels.edge, weights=lixels.length_m).tolist() == pytest.approx([95.0, 4.0])
    assert np.bincount(lixels.edge).tolist() == [10, 1] or np.bincount(lixels.edge).tolist() == [9, 1]


def test_lines_become_a_network_and_points_snap_to_it():
    lines = gpd.GeoDataFrame(
        geometry=[LineString([(0, 0), (100, 0)]), LineString([(100, 0), (100, 50)])], crs="EPSG:27700"
    )
    network = build_network(lines)
    assert network.n_nodes == 3
    assert network.head[0] == network.tail[1]
    assert network.length_m.tolist() == [100.0, 50.0]
    edge, chainage_m = snap_events(lines, np.array([30.0, 105, 900]), np.array([4.0, 20, 900]), most_offset_m=20)
    assert edge.tolist() == [0, 1, -1]
    assert chainage_m.tolist() == [30.0, 20.0, 0.0]


def test_segments_that_share_a_node_are_neighbours():
    weights = Network(np.array([0, 1, 2, 1]), np.array([1, 2, 3, 1]), np.ones(4), 4).build_neighbours().toarray()
    assert weights.tolist() == [[0, 1, 0, 1], [1, 0, 1, 1], [0, 1, 0, 0], [1, 1, 0, 0]]


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(InputError, match="network: 1 edges have no length"):
        Network(np.array([0]), np.array([1]), np.array([0.0]), 2)
    with pytest.raises(UsageError, match="lixel_m: it is 0, expected a positive length"):
        cut_lixels(star(3), lixel_m=0)
    with pytest.raises(UsageError, match="bandwidth_m: it is 0, expected a positive length"):
        density(star(3), 0, 1.0, bandwidth_m=0)
    with pytest.raises(UsageError, match="method: it is 'okabe', expected one of simple, discontinuous, continuous"):
        density(star(3), 0, 1.0, method="okabe")
    with pytest.raises(InputError, match="events: some are on no edge"):
        density(star(3), -1, 1.0)
    wgs84 = gpd.GeoDataFrame(geometry=[LineString([(0, 0), (1, 0)])], crs="EPSG:4326")
    with pytest.raises(CrsError, match="lines: CRS is EPSG:4326"):
        build_network(wgs84)
    with pytest.raises(CrsError, match="lines: CRS is EPSG:4326"):
        snap_events(wgs84, np.zeros(1), np.zeros(1), most_offset_m=1)
    parts = gpd.GeoDataFrame(geometry=[MultiLineString([[(0, 0), (1, 0)], [(2, 0), (3, 0)]])], crs="EPSG:27700")
    with pytest.raises(InputError, match="lines: they hold MultiLineString, expected LineString"):
        build_network(parts)
