"""
Detectors side by side on the future: coverage tables, paired differences, rolling origins, jittered grids.

In: `Events`, a `Grid`, and detectors. Out: tables for printing and plotting. Only events before the test enter a fit;
cells, coverages and ties are the same for all detectors, so that differences are theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.errors import InputError, UsageError
from geo.hotspots.detectors import Detector
from geo.hotspots.events import Events
from geo.hotspots.grid import Grid
from geo.hotspots.metrics import measure_hit_curve

__all__ = ["Split", "compare_detectors", "compare_over_origins", "estimate_gain", "measure_jitter", "rolling_splits"]

FloatArray = NDArray[np.float64]

# Fewer test periods than this cannot carry a bootstrap over periods.
_LEAST_PERIODS = 8


@dataclass(frozen=True)
class Split:
    """
    Training and test periods, both inclusive.

    Attributes
    ----------
    train_from, train_to, test_from, test_to : int
        Period numbers; the test starts after the training ends.
    """

    train_from: int
    train_to: int
    test_from: int
    test_to: int

    def __post_init__(self) -> None:
        if not self.train_from <= self.train_to < self.test_from <= self.test_to:
            msg = (
                f"split: training {self.train_from} to {self.train_to}, test {self.test_from} to {self.test_to}, "
                "expected the test to start after the training ends. Mend the ranges."
            )
            raise UsageError(msg)


def rolling_splits(first: int, last: int, *, n_least_train: int, n_test: int) -> tuple[Split, ...]:
    """
    Cut a range of periods at every origin that leaves enough on both sides.

    Parameters
    ----------
    first, last : int
        First and last period, inclusive.
    n_least_train : int
        Least number of periods to train on.
    n_test : int
        Periods to test on.

    Returns
    -------
    tuple of Split
        Growing training ranges, each followed by its test.

    Raises
    ------
    UsageError
        If the range is too short for one split.

    Examples
    --------
    >>> [(s.train_to, s.test_to) for s in rolling_splits(1, 6, n_least_train=3, n_test=2)]
    [(3, 5), (4, 6)]
    """
    ends = range(first + n_least_train - 1, last - n_test + 1)
    if not ends or n_least_train < 1 or n_test < 1:
        msg = (
            f"periods: {first} to {last} are too few, expected at least {n_least_train} to train and {n_test} to test. "
            "Give more periods or ask for fewer."
        )
        raise UsageError(msg)
    return tuple(Split(first, end, end + 1, end + n_test) for end in ends)


def compare_detectors(
    events: Events,
    grid: Grid,
    *,
    split: Split,
    detectors: Sequence[Detector],
    costs: Mapping[str, FloatArray],
    coverage_share: Sequence[float],
) -> pd.DataFrame:
    """
    Score every detector on one split.

    Parameters
    ----------
    events : Events
        All events; each detector sees those of the training periods.
    grid : Grid
        The cells.
    split : Split
        Training and test periods.
    detectors : sequence of Detector
        What to compare.
    costs : mapping of str to numpy.ndarray of shape (n_cells,)
        Cost of each cell by unit, such as area, populated cells, street kilometres. Cells of cost 0 are not entered.
    coverage_share : sequence of float
        Shares of the total cost.

    Returns
    -------
    pandas.DataFrame
        Columns ``detector, unit, coverage_share`` and those of `measure_hit_curve`, detectors in the order given.

    Raises
    ------
    InputError
        If there is no target to learn from, or none to find.

    Notes
    -----
    Outcomes in cells that a unit leaves out (outside the populated cells, say) still count in its total: a detector
    is not excused from them, and the ceiling shows what was possible.
    """
    train, outcome = _cut(events, grid, split)
    tables = []
    for detector in detectors:
        score = detector.fit(train, grid)
        for unit, cost in costs.items():
            entered = cost > 0
            curve = measure_hit_curve(score[entered], outcome[entered], cost[entered], coverage_share=coverage_share)
            tables.append(
                _over_all(curve, float(outcome.sum())).assign(detector=detector.name, unit=unit).reset_index()
            )
    table = pd.concat(tables, ignore_index=True)
    front = ["detector", "unit", "coverage_share"]
    return table[front + [column for column in table.columns if column not in front]]


def compare_over_origins(
    events: Events,
    grid: Grid,
    *,
    splits: Sequence[Split],
    detectors: Sequence[Detector],
    costs: Mapping[str, FloatArray],
    coverage_share: Sequence[float],
) -> pd.DataFrame:
    """
    Score every detector over rolling origins.

    Parameters
    ----------
    events : Events
        All events.
    grid : Grid
        The cells.
    splits : sequence of Split
        As from `rolling_splits`.
    detectors : sequence of Detector
        What to compare.
    costs : mapping of str to numpy.ndarray of shape (n_cells,)
        See `compare_detectors`.
    coverage_share : sequence of float
        Shares of the total cost.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``detector``: ``mean_hit_rate`` over origins, units and coverages, and ``n_origins_won`` (highest
        mean hit rate of that origin; ties count for each). Sorted best first.
    """
    by_origin = {
        split.train_to: compare_detectors(
            events, grid, split=split, detectors=detectors, costs=costs, coverage_share=coverage_share
        )
        .groupby("detector", sort=False)["hit_rate"]
        .mean()
        for split in splits
    }
    rates = pd.DataFrame(by_origin)
    result = pd.DataFrame({"mean_hit_rate": rates.mean(axis=1), "n_origins_won": rates.eq(rates.max()).sum(axis=1)})
    return result.sort_values("mean_hit_rate", ascending=False, kind="stable")


def estimate_gain(
    events: Events,
    grid: Grid,
    *,
    split: Split,
    one: Detector,
    other: Detector,
    costs: Mapping[str, FloatArray],
    coverage_share: Sequence[float],
    n_resamples: int,
    random_state: int,
) -> tuple[float, tuple[float, float]]:
    """
    Estimate how much higher the hit rate of one detector is than another's, with its interval.

    Parameters
    ----------
    events : Events
        All events.
    grid : Grid
        The cells.
    split : Split
        Training and test periods.
    one, other : Detector
        What to compare; the difference is one less other.
    costs : mapping of str to numpy.ndarray of shape (n_cells,)
        Cost of each cell by unit; cells of cost 0 are not entered.
    coverage_share : sequence of float
        Shares of the total cost; the difference is the mean over them and over the units.
    n_resamples : int
        Bootstrap resamples.
    random_state : int
        Seed.

    Returns
    -------
    difference : float
        Difference of the hit rates, a share of the outcomes.
    interval : tuple of float
        Its 95 % percentile interval.

    Raises
    ------
    InputError
        If there is no target to learn from, or none to find.

    Notes
    -----
    Both detectors are fitted once; what is resampled is what the future might have been. With at least eight test
    periods these are resampled whole (weeks, as a rule). With fewer, a bootstrap over periods says
    nothing, and distinct positions are resampled instead, each with all its later offences, because repeats at one
    place are not independent.
    """
    train, _ = _cut(events, grid, split)
    test = events.choose(events.is_target & (events.period >= split.test_from) & (events.period <= split.test_to))
    cell = grid.locate(test.easting_m, test.northing_m)
    inside = cell < len(grid)
    gain = np.zeros(len(grid) + 1)
    for detector, sign in ((one, 1.0), (other, -1.0)):
        score = detector.fit(train, grid)
        for cost in costs.values():
            entered = np.flatnonzero(cost > 0)
            covered = _covered_share(score[entered], cost[entered], coverage_share)
            gain[entered] += sign * covered / len(costs)
    periods = np.unique(test.period)
    if len(periods) >= _LEAST_PERIODS:
        block = np.searchsorted(periods, test.period[inside])
    else:
        at = np.column_stack([test.easting_m, test.northing_m])[inside]
        block = np.unique(at, axis=0, return_inverse=True)[1].reshape(-1)
    total = np.bincount(block, weights=test.weight[inside])
    gained = np.bincount(block, weights=test.weight[inside] * gain[cell[inside]])
    rng = np.random.default_rng(random_state)
    times = rng.multinomial(len(total), np.full(len(total), 1 / len(total)), size=n_resamples)
    draws = (times @ gained) / np.maximum(times @ total, 1e-300)
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(gained.sum() / total.sum()), (float(low), float(high))


def measure_jitter(
    events: Events,
    lay_grid: Callable[[float, float], Grid],
    *,
    shifts_m: Sequence[tuple[float, float]],
    split: Split,
    detectors: Sequence[Detector],
    area_km2: float,
    study_area_km2: float,
) -> pd.DataFrame:
    """
    Measure how the hit rate moves with the origin of the grid.

    Parameters
    ----------
    events : Events
        All events.
    lay_grid : callable
        Takes a shift east and north in metres, gives a `Grid`.
    shifts_m : sequence of (float, float)
        Shifts to try.
    split : Split
        Training and test periods.
    detectors : sequence of Detector
        What to compare.
    area_km2 : float
        Area to choose.
    study_area_km2 : float
        Area that PAI is over; it may be less than the grids', which then hold cells without offences.

    Returns
    -------
    pandas.DataFrame
        One row a shift, one column a detector: ``pai``.
    """
    rows = []
    for east_m, north_m in shifts_m:
        grid = lay_grid(east_m, north_m)
        share = area_km2 / (len(grid) * grid.area_km2)
        table = compare_detectors(
            events, grid, split=split, detectors=detectors, costs={"area": np.ones(len(grid))}, coverage_share=[share]
        )
        rows.append(table.set_index("detector")["hit_rate"] * study_area_km2 / area_km2)
    return pd.DataFrame(rows, index=pd.Index(list(shifts_m), name="shift_m", tupleize_cols=False))


def _cut(events: Events, grid: Grid, split: Split) -> tuple[Events, FloatArray]:
    """Training events, and the targets of the test periods in each cell."""
    train = events.choose((events.period >= split.train_from) & (events.period <= split.train_to))
    test = events.choose((events.period >= split.test_from) & (events.period <= split.test_to))
    outcome = test.sum_targets(grid)
    if not train.is_target.any() or not outcome.any():
        msg = (
            f"events: {int(train.is_target.sum())} targets to learn from in periods {split.train_from} to "
            f"{split.train_to} and {outcome.sum():g} to find in {split.test_from} to {split.test_to}, expected some of "
            "both in the cells. Read the files of those months."
        )
        raise InputError(msg)
    return train, outcome


def _over_all(curve: pd.DataFrame, n_outcomes: float) -> pd.DataFrame:
    """The same curve with rates over all outcomes, also those in cells that were not entered."""
    if n_outcomes <= 0:
        return curve
    scale = curve["n_outcomes"] / n_outcomes
    rates = [column for column in curve.columns if column.startswith(("hit_rate", "pai"))]
    return curve.assign(n_outcomes=n_outcomes, **{column: curve[column] * scale for column in rates})


def _covered_share(score: FloatArray, cost: FloatArray, coverage_share: Sequence[float]) -> FloatArray:
    """Share of each unit that is covered, mean over coverages; ties and the cut unit in proportion."""
    _, group = np.unique(-score, return_inverse=True)
    group = group.reshape(-1)
    spent = np.bincount(group, weights=cost)
    before = np.concatenate([[0.0], np.cumsum(spent)[:-1]])
    total = spent.sum()
    share = np.zeros(len(spent))
    for coverage in coverage_share:
        share += np.clip((coverage * total - before) / spent, 0.0, 1.0)
    covered: FloatArray = share[group] / len(coverage_share)
    return covered
