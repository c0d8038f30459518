"""Laws of where in a town couriers go, for any surface."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from geo.corridors.arrival import spread_arrivals
from geo.corridors.terminals import WALK_WEIGHT
from geo.network.access import measure_access

STATIONS = pd.DataFrame(
    {
        "name": ["A", "B", "C"],
        "easting_m": [400_000.0, 402_500.0, 401_000.0],
        "northing_m": [450_000.0, 450_500.0, 453_500.0],
        "is_in_force": True,
    },
    index=pd.Index(["AAA", "BBB", "CCC"], name="station_id"),
)
TOWNS = pd.DataFrame(
    {
        "easting_m": [400_300.0, 403_000.0, 401_100.0],
        "northing_m": [450_100.0, 451_000.0, 454_000.0],
        "population": [80_000, 9_000, 500],
    },
    index=pd.Index(["t1", "t2", "t3"], name="place_id"),
)
ACCESS = pd.concat(
    [
        measure_access(TOWNS, STATIONS, modes=("walk",), max_min=30),
        measure_access(TOWNS, STATIONS, modes=("drive",), max_min=45),
    ]
)
CELL = st.tuples(st.floats(-6000, 9000), st.floats(-6000, 9000), st.floats(0, 1000))
CELLS = st.lists(CELL, min_size=1, max_size=12)


def surface(cells):
    at = np.array(cells, dtype=float).reshape(-1, 3) + np.array([400_000.0, 450_000.0, 0.0])
    return pd.DataFrame(at, columns=["easting_m", "northing_m", "weight"])


def spread(cells):
    return spread_arrivals(ACCESS, TOWNS, surface(cells), STATIONS, walk_limit_min=30)


@given(CELLS, st.integers(0, 11), st.floats(0, 2 * np.pi))
def test_no_cliff_a_metre_changes_no_time_by_a_tenth_of_a_minute(cells, which, angle):
    moved = list(cells)
    east, north, weight = moved[which % len(moved)]
    moved[which % len(moved)] = (east + np.cos(angle), north + np.sin(angle), weight)
    one, other = spread(cells)["time_min"], spread(moved)["time_min"]
    # A row comes or goes at the limit alone.
    assert (one - other).abs().max() < 0.1
    for id_ in one.index.symmetric_difference(other.index):
        assert pd.concat([one, other])[id_] == pytest.approx(30, abs=0.1)


@given(CELLS)
def test_no_row_is_lost_and_no_time_is_negative(cells):
    times = spread(cells)
    assert ACCESS.index.isin(times.index).all()
    assert times["time_min"].ge(0).all()
    assert times.loc[~times.index.isin(ACCESS.index), "time_min"].le(30).all()


@given(CELLS, st.randoms(use_true_random=False))
def test_rows_in_any_order_give_the_same_times(cells, random):
    def shuffled(table):
        rows = list(range(len(table)))
        random.shuffle(rows)
        return table.iloc[rows]

    # Of a surface of nothing the rows come back as they were given.
    assume(any(weight > 0 for _, _, weight in cells))
    times = spread_arrivals(*(shuffled(t) for t in (ACCESS, TOWNS, surface(cells), STATIONS)), walk_limit_min=30)
    pd.testing.assert_frame_equal(times, spread(cells), check_exact=True)


@given(CELLS, st.integers(2, 5))
def test_a_cell_of_weight_k_is_k_cells(cells, k):
    split = [(east, north, weight / k) for east, north, weight in cells for _ in range(k)]
    one, other = spread(cells)["time_min"], spread(split)["time_min"]
    assert (one - other).abs().max() < 0.05
    for id_ in one.index.symmetric_difference(other.index):
        assert pd.concat([one, other])[id_] == pytest.approx(30, abs=0.05)


@given(st.floats(1, 2000), st.lists(st.floats(0, 1), min_size=2, max_size=6))
def test_offences_that_move_to_a_station_bring_the_arrivals_to_it(n_offences, shares):
    towns, stations = TOWNS.loc[["t1"]], STATIONS.loc[["AAA", "BBB"]]
    access = ACCESS[(ACCESS["place_id"] == "t1") & ACCESS["station_id"].isin(stations.index)]
    at_b = []
    for moved in [0.0, *sorted(shares), 1.0]:
        cells = surface([(0, 0, (1 - moved) * n_offences), (2500, 500, moved * n_offences)])
        times = spread_arrivals(access, towns, cells, stations)["time_min"]
        weight = np.exp(-0.1 * WALK_WEIGHT * times[["t1:AAA:walk", "t1:BBB:walk"]].to_numpy())
        at_b.append(weight[1] / weight.sum())
    assert (np.diff(at_b) >= -1e-9).all()
    if n_offences >= 1000:
        assert at_b[0] < 0.02
        assert at_b[-1] > 0.95


@given(st.floats(0, 500), st.floats(0, 500))
def test_more_offences_in_a_cell_never_make_the_way_to_it_longer(n_before, n_more):
    few, many = (spread([(2500, 500, n), (0, 0, 40.0)])["time_min"] for n in (n_before, n_before + n_more))
    assert many.get("t1:BBB:walk", 30.0) <= few.get("t1:BBB:walk", 30.0) + 1e-9
    assert many["t1:AAA:walk"] >= few["t1:AAA:walk"] - 1e-9
