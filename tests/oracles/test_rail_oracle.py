"""Links against NetworkX on random small tracks: shortest paths in the graph without the other stations."""

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
from shapely import LineString

from geo.crs import METRIC
from geo.network.rail_paths import measure_link_paths
from geo.network.repair import repair_gaps
from geo.network.track import build_track_graph

SIDE = 6


def random_track(rng: np.random.Generator) -> tuple[gpd.GeoDataFrame, nx.Graph]:
    """Edges of a 6 x 6 grid with jittered nodes, two thirds of them kept, and the same as a NetworkX graph."""
    grid = nx.grid_2d_graph(SIDE, SIDE)
    xy_m = {node: 1_000.0 * np.array(node) + rng.uniform(-300, 300, 2) + 300_000 for node in grid}
    edges = [edge for edge in grid.edges if rng.random() < 0.67]
    graph = nx.Graph()
    for a, b in edges:
        graph.add_edge(tuple(xy_m[a]), tuple(xy_m[b]), m=float(np.hypot(*(xy_m[a] - xy_m[b]))))
    lines = gpd.GeoDataFrame(geometry=[LineString([xy_m[a], xy_m[b]]) for a, b in edges], crs=METRIC)
    return lines.rename_axis("track_id"), graph


@pytest.mark.parametrize("seed", range(8))
def test_links_are_shortest_paths_without_a_third_station(seed):
    rng = np.random.default_rng(seed)
    lines, expected = random_track(rng)
    graph = build_track_graph(lines, join_limit_m=0.5)
    stations = rng.choice(graph.n_nodes, size=7, replace=False)
    owner = np.full(graph.n_nodes, -1)
    owner[stations] = np.arange(7)
    paths = measure_link_paths(graph, owner, max_turn_deg=180, throat_m=0)
    ours = dict(zip(zip(paths.origin.tolist(), paths.destination.tolist(), strict=True), paths.length_m, strict=True))

    place = [min(expected, key=lambda p: np.hypot(*(np.array(p) - graph.node_xy_m[node]))) for node in stations]
    theirs = {}
    for a in range(7):
        for b in range(a + 1, 7):
            open_track = expected.subgraph(set(expected) - {p for k, p in enumerate(place) if k not in {a, b}})
            if nx.has_path(open_track, place[a], place[b]):
                theirs[a, b] = nx.shortest_path_length(open_track, place[a], place[b], weight="m")
    assert ours.keys() == theirs.keys()
    for pair, length_m in theirs.items():
        assert ours[pair] == pytest.approx(length_m)


@pytest.mark.parametrize("seed", range(4))
def test_lengths_of_lines_equal_lengths_of_paths(seed):
    rng = np.random.default_rng(seed)
    graph = build_track_graph(random_track(rng)[0], join_limit_m=0.5)
    owner = np.full(graph.n_nodes, -1)
    owner[rng.choice(graph.n_nodes, size=7, replace=False)] = np.arange(7)
    paths = measure_link_paths(graph, owner, max_turn_deg=90, throat_m=0)
    assert len(paths.lines)
    for line, length_m, a, b in zip(paths.lines, paths.length_m, paths.origin, paths.destination, strict=True):
        assert line.length == pytest.approx(length_m)
        ends = graph.node_xy_m[[int(np.flatnonzero(owner == k)[0]) for k in (a, b)]]
        np.testing.assert_allclose(np.array(line.coords)[[0, -1]], ends)


@pytest.mark.parametrize("seed", range(4))
def test_detours_of_repairs_equal_paths_by_track(seed):
    rng = np.random.default_rng(seed)
    lines, expected = random_track(rng)
    graph = build_track_graph(lines, join_limit_m=0.5)
    mended, repairs = repair_gaps(graph, limit_m=900, min_detour_m=1_500, min_detour_ratio=2)
    assert int(mended.is_bridge.sum()) == len(repairs)
    assert mended.length_m[~mended.is_bridge].sum() == pytest.approx(graph.length_m.sum())
    reached = {node: nx.single_source_dijkstra_path_length(expected, node, weight="m") for node in expected}
    for bridge in np.flatnonzero(mended.is_bridge):
        end, foot = (np.array(p) for p in mended.lines[bridge].coords)
        row = repairs[np.isclose(repairs["easting_m"], end[0]) & np.isclose(repairs["northing_m"], end[1])].iloc[0]
        start = min(expected, key=lambda p: np.hypot(*(np.array(p) - end)))
        a, b = min(expected.edges, key=lambda e: LineString(e).distance(LineString([foot, foot + 1e-9])))
        via = [reached[start].get(p, np.inf) + float(np.hypot(*(np.array(p) - foot))) for p in (a, b)]
        if np.isfinite(min(via)):
            assert row["detour_m"] == pytest.approx(min(via), rel=1e-6)
        else:
            assert np.isnan(row["detour_m"])
