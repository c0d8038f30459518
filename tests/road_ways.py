"""Roads for tests, from a few strokes."""

import numpy as np

from geo.network.road import RoadWays
from geo.network.speeds import ROAD_CLASSES

ORIGIN_M = (400_000.0, 300_000.0)


def ways_of(where, strokes):
    """
    Ways from node positions (metres from a corner of the grid) and strokes.

    A stroke is ``(way_id, nodes, rule)``; a rule is any of ``both``, ``forward``, ``backward`` (cars), with ``foot``
    for people on foot only and ``cars`` for cars only.
    """
    nodes = [node for _, line, _ in strokes for node in line]
    rules = [rule.split() for _, _, rule in strokes]
    cars = ["foot" not in rule for rule in rules]
    return RoadWays(
        way_id=np.array([way for way, _, _ in strokes], dtype=np.int64),
        vertex_indptr=np.concatenate([[0], np.cumsum([len(line) for _, line, _ in strokes])]).astype(np.int64),
        node_id=np.array(nodes, dtype=np.int64),
        easting_m=np.array([where[n][0] + ORIGIN_M[0] for n in nodes], dtype=float),
        northing_m=np.array([where[n][1] + ORIGIN_M[1] for n in nodes], dtype=float),
        drive_forward=np.array([c and "backward" not in r for c, r in zip(cars, rules, strict=True)]),
        drive_backward=np.array([c and "forward" not in r for c, r in zip(cars, rules, strict=True)]),
        walk=np.array(["cars" not in r for r in rules]),
        road_class=np.full(len(strokes), ROAD_CLASSES.index("residential"), dtype=np.int8),
        limit_km_h=np.full(len(strokes), 60.0),
    )


def shuffled(ways, order):
    """The same ways in another order."""
    spans = [slice(*ways.vertex_indptr[i : i + 2]) for i in order]
    take = {
        name: np.concatenate([getattr(ways, name)[s] for s in spans]) for name in ("node_id", "easting_m", "northing_m")
    }
    rest = ("way_id", "drive_forward", "drive_backward", "walk", "road_class", "limit_km_h")
    sizes = np.diff(ways.vertex_indptr)[list(order)]
    return RoadWays(
        vertex_indptr=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        **take,
        **{name: getattr(ways, name)[list(order)] for name in rest},
    )
