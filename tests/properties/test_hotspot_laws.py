"""Laws of the hotspot methods, for any input."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.hotspots.clusters import cluster_offences, label_dbscan
from geo.hotspots.density import smooth_cells
from geo.hotspots.detectors import standard_detectors
from geo.hotspots.events import Events
from geo.hotspots.grid import build_grid
from geo.hotspots.local_statistics import measure_gi_star
from geo.hotspots.metrics import count_hits
from geo.hotspots.network_density import Network, cut_lixels, measure_network_density
from geo.hotspots.points import build_points
from geo.hotspots.rhythm import HOURS_PER_WEEK, measure_hours_of_week
from tests.unit.geo.hotspots.toy_offences import make_offences

GRID = build_grid(shapely.box(0, 0, 1200, 900), cell_m=100)
COUNTS = st.lists(st.integers(0, 30), min_size=len(GRID), max_size=len(GRID)).map(np.array)
SPOTS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 45)), min_size=1, max_size=60)


def at(spots):
    return np.array(spots, dtype=float) * 20.0


@given(COUNTS, st.integers(1, 7), st.integers(0, 5))
def test_gi_star_does_not_depend_on_the_unit_or_the_level_of_counts(count, factor, shift):
    z = measure_gi_star(count, GRID.build_neighbours())["z_score"]
    moved = measure_gi_star(factor * count + shift, GRID.build_neighbours())["z_score"]
    assert moved.to_numpy() == pytest.approx(z.to_numpy(), abs=1e-6)


@given(COUNTS)
def test_p_values_are_probabilities_and_adjusted_ones_are_no_smaller(count):
    result = measure_gi_star(count, GRID.build_neighbours())
    assert result["p_value"].between(0, 1).all()
    assert (result["q_value"] >= result["p_value"] - 1e-12).all()


@given(SPOTS, st.randoms(use_true_random=False))
def test_rows_in_any_order_give_the_same_clusters(spots, random):
    offences = make_offences(*at(spots).T)
    rows = list(range(len(spots)))
    random.shuffle(rows)
    one, other = (cluster_offences(table, eps_m=60, min_weight=4) for table in (offences, offences.iloc[rows]))
    assert one.hotspots.index.equals(other.hotspots.index)
    assert one.membership.equals(other.membership)
    assert sum(one.n_by_fate.values()) == len(spots)


@given(SPOTS, st.integers(1, 4))
def test_a_point_of_weight_k_is_k_points(spots, k):
    points = build_points(make_offences(*at(spots * k).T))
    distinct = build_points(make_offences(*at(spots).T))
    one = label_dbscan(points.coordinates_m, points.weight, eps_m=60, min_weight=4 * k)
    assert (one == label_dbscan(distinct.coordinates_m, k * distinct.weight, eps_m=60, min_weight=4 * k)).all()


@given(COUNTS, st.floats(20, 400))
def test_smoothing_makes_and_loses_no_offence_inside(count, bandwidth_m):
    inner = np.where((abs(GRID.column - 5.5) < 2) & (abs(GRID.row - 4) < 1), count, 0)
    spread = smooth_cells(inner.astype(float), GRID, bandwidth_m=bandwidth_m)
    assert (spread >= 0).all()
    assert spread.sum() <= inner.sum() * (1 + 1e-9)
    if bandwidth_m < 250:
        assert spread.sum() == pytest.approx(inner.sum())


@given(COUNTS, COUNTS, st.floats(0, 1))
def test_hits_rise_with_coverage_from_none_to_all_and_never_pass_the_ceiling(score, outcome, share):
    cost = np.ones(len(GRID))
    none, some, every = count_hits(score.astype(float), outcome, cost, [0.0, share, 1.0])
    assert none == 0
    assert every == pytest.approx(outcome.sum())
    assert none <= some <= every + 1e-9
    assert some <= count_hits(outcome.astype(float), outcome, cost, [share])[0] + 1e-9


@given(COUNTS, st.floats(0, 1))
def test_scores_that_say_nothing_find_their_coverage(outcome, share):
    hits = count_hits(np.zeros(len(GRID)), outcome, np.ones(len(GRID)), [share])
    assert hits[0] == pytest.approx(share * outcome.sum(), abs=1e-9)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.floats(5, 90)), min_size=1, max_size=12),
    st.lists(st.tuples(st.integers(0, 11), st.floats(0, 1)), min_size=1, max_size=5),
    st.floats(10, 200),
)
def test_the_continuous_density_keeps_all_mass_on_any_network(edges, events, bandwidth_m):
    tail, head, length = (np.array(part) for part in zip(*edges, strict=True))
    network = Network(tail, head, length.astype(float), 6)
    lixels = cut_lixels(network, lixel_m=7)
    edge = np.array([k % len(edges) for k, _ in events])
    chainage = np.array([share for _, share in events]) * length[edge]
    weight = np.arange(1.0, len(events) + 1)
    density = measure_network_density(network, lixels, edge, chainage, weight, bandwidth_m=bandwidth_m)
    assert (density * lixels.length_m / 1000).sum() == pytest.approx(weight.sum())


@given(SPOTS, st.integers(0, 3))
def test_every_detector_gives_finite_scores_on_any_events(spots, period):
    xy = at(spots)
    target = np.arange(len(xy)) % 3 == 0
    events = Events(xy[:, 0], xy[:, 1], np.full(len(xy), period), np.ones(len(xy)), target)
    for detector in standard_detectors(bandwidth_m=300, half_life_periods=2, eps_m=100, min_weight=3):
        assert np.isfinite(detector.fit(events, GRID)).all()


@given(
    st.lists(
        st.tuples(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)), st.integers(0, 30_000)),  # noqa: DTZ001
        min_size=1,
        max_size=5,
    )
)
def test_aoristic_hours_add_up_to_the_offences(spans):
    start = pd.DatetimeIndex([at for at, _ in spans]).as_unit("us").tz_localize("UTC")
    end = start + pd.to_timedelta([minutes for _, minutes in spans], unit="min")
    hours = measure_hours_of_week(start, end)
    assert len(hours) == HOURS_PER_WEEK
    assert hours.sum() == pytest.approx(len(spans))
    assert (hours >= -1e-9).all()
