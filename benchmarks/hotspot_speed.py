"""
Hotspot methods on 100,000 points or cells, beside scikit-learn, esda and a naive form, in one process.

The points are synthetic: towns of unlike size, positions snapped to 10 m, one seed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import shapely

from benchmarks.evidence import Evidence, parser, peak_mib, stopwatch
from geo.hotspots.clusters import label_dbscan, label_hdbscan
from geo.hotspots.concentration import measure_change, measure_concentration
from geo.hotspots.density import choose_bandwidth, measure_density, measure_relative_density
from geo.hotspots.detectors import score_by_related_offences
from geo.hotspots.emerging import measure_emerging
from geo.hotspots.events import Events
from geo.hotspots.grid import build_grid
from geo.hotspots.local_statistics import measure_gi_star, measure_local_moran
from geo.hotspots.metrics import measure_hit_curve
from geo.hotspots.network_density import Network, cut_lixels, measure_network_density
from geo.hotspots.scan import scan_space_time

N = 100_000
SEED = 1
SIDE_M = 60_000.0
CELL_M = 190.0
BANDWIDTH_M = 600.0
LIMIT_S = 10.0
# Rows of the exact kernel sum that are timed; the whole is in proportion.
NAIVE_CELLS = 200


def make_points(rng: np.random.Generator) -> np.ndarray:
    """Towns with sizes of a power law, a tenth of the points anywhere."""
    towns = rng.uniform(0.05 * SIDE_M, 0.95 * SIDE_M, (150, 2))
    of = rng.choice(150, size=N, p=rng.dirichlet(np.full(150, 0.3)))
    points = towns[of] + rng.normal(0, 700, (N, 2))
    points[: N // 10] = rng.uniform(0, SIDE_M, (N // 10, 2))
    return np.clip(points, 0, SIDE_M - 1).round(-1)


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--skip-slow", action="store_true", help="leave out scikit-learn's HDBSCAN (about a minute)")
    given = options.parse_args()
    evidence = Evidence("hotspot_speed")
    rng = np.random.default_rng(SEED)
    points = make_points(rng)
    at, n_at = np.unique(points, axis=0, return_counts=True)
    weight = n_at.astype(float)
    period = rng.integers(0, 12, N)
    grid = build_grid(shapely.box(0, 0, SIDE_M, SIDE_M), cell_m=CELL_M)
    neighbours = grid.build_neighbours()
    value = grid.sum_weights(at[:, 0], at[:, 1], weight)
    evidence.add("distinct points", len(at), "points", n=N)
    evidence.add("cells", len(grid), "cells", n=len(grid))

    def clock(
        claim: str, method: Callable[[], Any], baseline: tuple[str, float] | None = None, note: str = ""
    ) -> float:
        with stopwatch() as seconds:
            method()
        limit = (
            {"name": "limit", "figure": LIMIT_S}
            if baseline is None
            else dict(zip(("name", "figure"), (baseline[0], round(baseline[1], 2)), strict=True))
        )
        evidence.add(claim, seconds[0], "s", baseline=limit, n=N, seconds=seconds[0], peak_mib=peak_mib(), note=note)
        return seconds[0]

    def seconds_of(method: Callable[[], Any]) -> float:
        with stopwatch() as seconds:
            method()
        return seconds[0]

    _compare_clusters(evidence, clock, seconds_of, points, at, weight, skip_slow=given.skip_slow)
    _compare_local(clock, seconds_of, grid, neighbours, value)
    _compare_densities(clock, seconds_of, grid, at, weight)

    events = Events(points[:, 0], points[:, 1], period, np.ones(N), np.arange(N) % 30 == 0)
    clock("related offences, the default detector", lambda: score_by_related_offences(events, grid))
    cube = np.zeros((len(grid), 12))
    np.add.at(cube, (grid.locate(points[:, 0], points[:, 1]), period), 1.0)
    clock("emerging hot spots, 12 periods", lambda: measure_emerging(cube, neighbours))
    clock("hit curve", lambda: measure_hit_curve(value, value, np.ones(len(grid)), coverage_share=[0.01, 0.1]))
    clock("concentration table", lambda: measure_concentration(value.astype(np.int64)))
    halves = [cube[:, :6].sum(axis=1).astype(np.int64), cube[:, 6:].sum(axis=1).astype(np.int64)]
    clock("change between halves", lambda: measure_change(*halves))
    clock(
        "local Moran, 99 permutations",
        lambda: measure_local_moran(value, neighbours, n_permutations=99, random_state=SEED),
        note="a permutation method",
    )
    few = slice(0, N, 20)
    clock(
        "space-time permutation scan, 9 permutations",
        lambda: scan_space_time(
            *points[few].T, period[few], most_radius_m=2000, most_periods=3, n_permutations=9, random_state=SEED
        ),
        note=f"a permutation method, on {len(points[few]):,} of the points",
    )
    evidence.write(given.json)


def _compare_clusters(
    evidence: Evidence,
    clock: Any,
    seconds_of: Any,
    points: np.ndarray,
    at: np.ndarray,
    weight: np.ndarray,
    *,
    skip_slow: bool,
) -> None:
    from sklearn.cluster import DBSCAN, HDBSCAN

    theirs = seconds_of(lambda: DBSCAN(eps=150, min_samples=10).fit(points))
    clock(
        "DBSCAN on weighted distinct points",
        lambda: label_dbscan(at, weight, eps_m=150, min_weight=10),
        ("scikit-learn on rows", theirs),
    )
    with stopwatch() as first:
        label_hdbscan(at[:100], weight[:100], min_weight=10)
    slow = None
    if skip_slow:
        evidence.skip("scikit-learn's HDBSCAN", "asked for by --skip-slow")
    else:
        slow = ("scikit-learn on rows", seconds_of(lambda: HDBSCAN(min_cluster_size=10, copy=False).fit(points)))
    clock(
        "HDBSCAN on weighted distinct points",
        lambda: label_hdbscan(at, weight, min_weight=10),
        slow,
        note=f"after a first call that took {first[0]:.1f} s to load and compile",
    )


def _compare_local(clock: Any, seconds_of: Any, grid: Any, neighbours: Any, value: np.ndarray) -> None:
    import warnings

    from esda.getisord import G_Local
    from libpysal.weights import WSP

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = seconds_of(
            lambda: G_Local(
                value, WSP(neighbours.tocsr()).to_W(silence_warnings=True), transform="B", star=True, permutations=0
            )
        )
    clock(
        "Gi*, normal p", lambda: measure_gi_star(value, neighbours, p_basis="normal"), ("esda with its weights", theirs)
    )
    clock("Gi*, gamma p and FDR", lambda: measure_gi_star(value, neighbours), ("esda with its weights", theirs))
    clock("neighbours of the grid", grid.build_neighbours)


def _compare_densities(clock: Any, seconds_of: Any, grid: Any, at: np.ndarray, weight: np.ndarray) -> None:
    from sklearn.neighbors import KernelDensity

    centre = grid.centre_m
    tree = KernelDensity(bandwidth=BANDWIDTH_M / 2, kernel="epanechnikov").fit(at, sample_weight=weight)
    theirs = seconds_of(lambda: tree.score_samples(centre))

    def naive() -> None:
        for cell in centre[:NAIVE_CELLS]:
            u2 = ((at - cell) ** 2).sum(axis=1) / BANDWIDTH_M**2
            (weight * np.maximum(1 - u2, 0) ** 2).sum()

    plain = seconds_of(naive) * len(grid) / NAIVE_CELLS
    clock(
        "planar density by FFT",
        lambda: measure_density(at[:, 0], at[:, 1], weight, grid, bandwidth_m=BANDWIDTH_M),
        ("scikit-learn's tree", theirs),
        note=f"every point for every cell: {plain:.0f} s, in proportion to {NAIVE_CELLS} cells",
    )
    people = np.random.default_rng(SEED).gamma(1.0, 50.0, len(grid))
    value = grid.sum_weights(at[:, 0], at[:, 1], weight)
    clock("risk-adjusted density", lambda: measure_relative_density(value, people, grid, bandwidth_m=BANDWIDTH_M))
    clock(
        "bandwidth by leave-one-out likelihood, 4 candidates",
        lambda: choose_bandwidth(at[:, 0], at[:, 1], weight, candidates_m=[100, 200, 400, 600], snap_m=35),
    )
    streets = _street_grid(200, 90.0)
    lixels = cut_lixels(streets, lixel_m=15.0)
    rng = np.random.default_rng(SEED)
    edge = rng.integers(0, len(streets.tail), N)
    chainage = rng.uniform(0, 90, N)
    for method in ("continuous", "discontinuous"):
        clock(
            f"network density, {method}, {len(streets.tail):,} street segments",
            lambda method=method: measure_network_density(
                streets, lixels, edge, chainage, np.ones(N), bandwidth_m=300.0, method=method
            ),
            note=f"{len(lixels.edge):,} lixels",
        )


def _street_grid(n: int, block_m: float) -> Network:
    """A town of n by n crossings."""
    node = np.arange(n * n).reshape(n, n)
    tail = np.concatenate([node[:, :-1].ravel(), node[:-1].ravel()])
    head = np.concatenate([node[:, 1:].ravel(), node[1:].ravel()])
    return Network(tail, head, np.full(len(tail), block_m), n * n)


if __name__ == "__main__":
    main()
