"""Laws of track: how a file cuts lines up, which way they run and where rings begin changes no link."""

import itertools

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString

from geo.crs import METRIC
from geo.network.rail import build_rail_network

CODES = ["AAA", "BBB", "CCC", "DDD", "EEE", "FFF"]
CENTRE = (400_000.0, 405_000.0)


def place(i, j):
    return 300_000.0 + 1_500 * i + 37 * j, 400_000.0 + 1_500 * j + 53 * i


@st.composite
def drawings(draw):
    """Walks over a grid, which cross themselves and each other at vertices, come back on themselves and close."""
    cells = st.tuples(st.integers(0, 4), st.integers(0, 4))
    lines = []
    for _ in range(draw(st.integers(1, 4))):
        cell, walk = draw(cells), []
        for _ in range(draw(st.integers(1, 9))):
            walk.append(cell)
            step = draw(st.sampled_from([(1, 0), (0, 1), (-1, 0), (0, -1), (1, 1), (-1, 1), (1, -1)]))
            cell = (cell[0] + step[0], cell[1] + step[1])
        walk.append(walk[0] if len(walk) > 3 and draw(st.booleans()) else cell)
        if len(set(walk)) > 1 and all(a != b for a, b in itertools.pairwise(walk)):
            lines.append([place(*one) for one in walk])
    lines = lines or [[place(0, 0), place(1, 0)]]
    used = sorted({point for line in lines for point in line})
    chosen = draw(st.lists(st.sampled_from(used), min_size=1, max_size=len(CODES), unique=True))
    off = draw(st.lists(st.tuples(st.integers(-90, 90), st.integers(-90, 90)), min_size=6, max_size=6))
    return lines, [(x + dx, y + dy) for (x, y), (dx, dy) in zip(chosen, off, strict=False)]


def redraw(draw, line):
    """The same line in pieces, each in either direction; a ring from another vertex."""
    if line[0] == line[-1]:
        start = draw(st.integers(0, len(line) - 2))
        line = [*line[start:-1], *line[: start + 1]]
    cuts = sorted(draw(st.sets(st.integers(1, len(line) - 2), max_size=4)) if len(line) > 2 else [])
    pieces = [line[a : b + 1] for a, b in zip([0, *cuts], [*cuts, len(line) - 1], strict=True)]
    return [piece[::-1] if draw(st.booleans()) else piece for piece in pieces]


def network(lines, places):
    track = gpd.GeoDataFrame(
        geometry=[LineString(line) for line in lines], crs=METRIC, index=pd.RangeIndex(len(lines), name="track_id")
    )
    codes = CODES[: len(places)]
    east, north = np.array(places, dtype=float).T
    stations = pd.DataFrame(
        {"name": codes, "easting_m": east, "northing_m": north, "is_in_force": True},
        index=pd.Index(codes, name="station_id"),
    )
    return build_rail_network(track, stations)


@settings(max_examples=40)
@given(drawings(), st.data())
def test_cutting_turning_and_starting_elsewhere_changes_nothing(drawing, data):
    lines, places = drawing
    one = network(lines, places)
    pieces = [piece for line in lines for piece in redraw(data.draw, line)]
    other = network(data.draw(st.permutations(pieces)), places)
    for name in ("stations", "links", "repairs", "unsnapped"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))


def ring(start=0, n=72, radius_m=3_000.0):
    """A circle about `CENTRE`, drawn from one of its vertices."""
    angle = 2 * np.pi * (np.arange(n + 1) + start) / n
    east, north = CENTRE[0] + radius_m * np.cos(angle), CENTRE[1] + radius_m * np.sin(angle)
    points = [(round(x, 2), round(y, 2)) for x, y in zip(east, north, strict=True)]
    return [*points[:-1], points[0]]


STEM = [(412_000.0, 405_000.0), (403_000.0, 405_000.0)]


@pytest.mark.parametrize("start", [0, 5, 36, 50])
def test_a_ring_is_the_same_from_wherever_it_is_drawn(start):
    """A stem from the east meets the ring at A; B is on the far side, half the ring of 18.85 km from A."""
    found = network([STEM, ring(start)], [(403_000, 405_000), (397_000, 405_000), (412_000, 405_000)])
    assert found.links["length_m"].round().to_dict() == {"AAA-BBB": 9_422.0, "AAA-CCC": 9_000.0}


def test_a_ring_that_closes_at_no_station_is_left_both_ways_from_its_junction():
    """The ring meets the stem at a junction that gives way to both sides; B and C stand a third round on either."""
    curve = [(412_000.0, 405_000.0), (403_200.0, 405_000.0), (403_000.0, 405_000.0)]
    sides = [ring()[24], ring()[48]]
    found = network([curve, ring()], [(412_000, 405_000), *sides])
    assert found.links["length_m"].round(-1).to_dict() == {
        "AAA-BBB": 15_280.0,
        "AAA-CCC": 15_280.0,
        "BBB-CCC": 6_280.0,
    }


def test_a_balloon_loop_drawn_as_one_line_joins_itself():
    """A line runs west, round a loop, and ends on its own middle, between two vertices; B is at the top of the loop."""
    east, foot = (412_000.0, 405_000.0), (403_000.0, 405_000.0)
    loop = [east, (401_000.0, 405_000.0), (399_000.0, 407_000.0), (401_000.0, 409_000.0), (403_000.0, 406_000.0), foot]
    whole = network([loop], [east, (401_000, 409_000)])
    halves = network([loop[:4], loop[3:]], [east, (401_000, 409_000)])
    assert whole.links["length_m"].round().to_dict() == {"AAA-BBB": 9_000.0 + 3_606 + 1_000}
    pd.testing.assert_frame_equal(whole.links, halves.links)


def test_a_line_that_passes_a_station_twice_stops_there_twice():
    """A hairpin leaves the station's circle and comes back: trains stop on either leg, and none slips past."""
    legs = [(400_000.0, 404_000.0), (404_000.0, 405_000.0), (410_000.0, 405_000.0)]
    legs += [(410_000.0, 405_060.0), (404_000.0, 405_060.0), (400_000.0, 406_000.0)]
    found = network([legs], [(406_000, 405_030), (400_000, 404_000), (400_000, 406_000)])
    assert sorted(found.links.index) == ["AAA-BBB", "AAA-CCC"]


def test_two_tracks_with_the_same_vertices_are_one():
    line = [(400_000.0, 405_000.0), (403_000.0, 405_000.0), (409_000.0, 406_000.0)]
    places = [line[0], line[2]]
    pd.testing.assert_frame_equal(network([line, line[::-1]], places).links, network([line], places).links)


def test_a_line_that_ends_on_a_vertex_of_another_joins_it():
    main = [(400_000.0, 405_000.0), (405_000.0, 405_000.0), (410_000.0, 405_000.0)]
    branch = [(405_000.0, 405_000.0), (406_000.0, 405_050.0), (409_000.0, 408_000.0)]
    found = network([main, branch], [main[0], main[2], branch[2]])
    assert sorted(found.links.index) == ["AAA-BBB", "AAA-CCC"]
