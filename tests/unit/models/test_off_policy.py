"""What another plan would have found: unbiased where predictions or chances are right, and silent where nobody was."""

import numpy as np
import pandas as pd
import pytest

from geo.errors import InputError, TableError, UsageError
from models.evaluation import estimate_plans

N_CELLS, N_WEEKS = 12, 26


def world(rng, *, wrong="", rate=0.05, is_null=False):
    """A log of 26 weeks and what the plan drawn and the four best cells (or the first four) truly yield."""
    true = np.full(N_CELLS, rate) if is_null else rng.gamma(1.0, rate, N_CELLS)
    predicted = true * (rng.lognormal(0.0, 1.0, N_CELLS) if wrong == "predictions" else 1.0)
    chance, hours = rng.uniform(0.1, 0.9, N_CELLS), rng.uniform(2.0, 8.0, N_CELLS)
    told = np.clip(chance * rng.lognormal(0.0, 0.5, N_CELLS), 0.05, 1.0) if wrong == "chances" else chance
    target = (np.argsort(np.argsort(-true, kind="stable")) < 4).astype(float)
    weeks, cell = np.nonzero(rng.random((N_WEEKS, N_CELLS)) < chance)
    names = [f"{w}:{c}" for w in range(N_WEEKS) for c in range(N_CELLS)]
    cells = pd.DataFrame(
        {
            "week": np.repeat(np.arange(N_WEEKS), N_CELLS),
            "predicted_per_hour": np.tile(predicted, N_WEEKS),
            "chance": np.tile(told, N_WEEKS),
            "hours": np.tile(hours, N_WEEKS),
            "target_chance": np.tile(target, N_WEEKS),
        },
        index=pd.Index(names, name="cell_id"),
    )
    visits = pd.DataFrame(
        {
            "cell_id": [f"{w}:{c}" for w, c in zip(weeks, cell, strict=True)],
            "n_hours": hours[cell],
            "n_finds": rng.poisson(true[cell] * hours[cell]),
        }
    )
    return cells, visits, (true * hours) @ chance, (true * hours) @ target


def two_cells(**changed):
    cells = pd.DataFrame(
        {
            "week": 1,
            "predicted_per_hour": [0.1, 0.3],
            "chance": [0.5, 0.25],
            "hours": [4.0, 2.0],
            "target_chance": [0.0, 1.0],
        },
        index=pd.Index(["A", "B"], name="cell_id"),
    )
    return cells.assign(**changed)


def visits_of(*rows):
    return pd.DataFrame(rows, columns=["cell_id", "n_hours", "n_finds"])


def test_two_cells_by_hand():
    found = estimate_plans(two_cells(), visits_of(("A", 4.0, 1), ("B", 2.0, 2)))
    # Drawn: 0.5 x 4 x 0.1 + 0.25 x 2 x 0.3 = 0.35 predicted, and 1 - 0.4 and 2 - 0.6 more than that found.
    assert found.drawn.finds_per_week == pytest.approx(0.35 + 0.6 + 1.4)
    assert found.drawn.team_hours_per_week == pytest.approx(2.5)
    # Target: 2 x 0.3 predicted, and a visit drawn one week in four counts four times.
    assert found.target.finds_per_week == pytest.approx(0.6 + 4 * 1.4)
    assert found.target.finds_per_hour == pytest.approx(6.2 / 2.0)
    assert found.gain.finds_per_week == pytest.approx(2.35 - 6.2)
    assert found.gain.finds_per_hour == pytest.approx(2.35 / 2.5 - 6.2 / 2.0)
    # Three finds and one more, over one predicted: Poisson means of 1.6 and 2.4.
    assert found.drawn.standard_error == pytest.approx(2.0)
    assert found.target.standard_error == pytest.approx(np.sqrt(16 * 2.4))
    assert (found.covered_share, found.n_weeks, found.n_visits, found.n_effective) == (1.0, 1, 2, 1.0)


def test_another_length_of_stay_at_the_target_counts_by_its_hours():
    visits = visits_of(("B", 2.0, 2))
    longer = estimate_plans(two_cells(target_hours=[4.0, 4.0]), visits)
    assert longer.target.finds_per_week == pytest.approx(2 * estimate_plans(two_cells(), visits).target.finds_per_week)


def test_times_that_promise_more_are_allowed_for():
    # The visit was at a quiet time, of which half was predicted; the target stands there at a busy one.
    visits = visits_of(("B", 2.0, 2)).assign(n_predicted=0.3)
    found = estimate_plans(two_cells(target_predicted_per_hour=[0.1, 0.6]), visits)
    assert found.target.finds_per_week == pytest.approx(2 * 0.6 + 4 * (2 - 0.3))
    assert found.drawn.finds_per_week == pytest.approx(0.35 + 2 - 0.3)


@pytest.mark.parametrize(("wrong", "rate"), [("", 0.05), ("predictions", 0.05), ("predictions", 0.005)])
def test_wrong_predictions_leave_it_unbiased_and_nine_intervals_in_ten_hold_the_truth(wrong, rate):
    rng, n = np.random.default_rng(1), 300
    errors, held = [], []
    for _ in range(n):
        cells, visits, drawn, target = world(rng, wrong=wrong, rate=rate)
        found = estimate_plans(cells, visits)
        truth = {"drawn": drawn, "target": target, "gain": drawn - target}
        told = {name: getattr(found, name) for name in truth}
        errors.append([told[name].finds_per_week - truth[name] for name in truth])
        held.append([told[name].low <= truth[name] <= told[name].high for name in truth])
    errors = np.array(errors)
    assert (np.abs(errors.mean(axis=0)) < 3.5 * errors.std(axis=0) / np.sqrt(n)).all()
    assert ((np.mean(held, axis=0) > 0.85) & (np.mean(held, axis=0) <= 1.0)).all()
    assert rate < 0.01 or (np.mean(held, axis=0) < 0.95).all()


def test_wrong_chances_leave_the_target_unbiased_where_predictions_are_right():
    rng, n = np.random.default_rng(2), 300
    errors, held, plain = [], [], []
    for _ in range(n):
        cells, visits, _, target = world(rng, wrong="chances")
        found = estimate_plans(cells, visits).target
        errors.append(found.finds_per_week - target)
        held.append(found.low <= target <= found.high)
        # Without predictions it is weighing by the chances alone, which are wrong.
        plain.append(estimate_plans(cells.assign(predicted_per_hour=0.0), visits).target.finds_per_week - target)
    assert abs(np.mean(errors)) < 3.5 * np.std(errors) / np.sqrt(n)
    assert np.mean(held) > 0.85
    assert abs(np.mean(plain)) > 3.5 * np.std(plain) / np.sqrt(n)


def test_where_all_cells_are_alike_no_plan_is_said_to_be_better():
    rng, n = np.random.default_rng(3), 300
    alarms = 0
    for _ in range(n):
        cells, visits, *_ = world(rng, is_null=True)
        wrong = cells.assign(predicted_per_hour=np.tile(rng.gamma(1.0, 0.05, N_CELLS), N_WEEKS))
        gain = estimate_plans(wrong, visits).gain
        alarms += not gain.finds_per_hour_low <= 0 <= gain.finds_per_hour_high
    assert 0.05 < alarms / n < 0.15


def test_no_find_is_not_proof_that_there_is_none():
    rng = np.random.default_rng(4)
    cells, visits, *_ = world(rng)
    found = estimate_plans(cells, visits.assign(n_finds=0))
    assert found.target.standard_error > 0
    assert found.drawn.high > 0


def test_what_the_draw_could_not_work_is_told_and_not_guessed():
    cells = two_cells(chance=[0.5, 0.0], target_chance=[1.0, 1.0])
    found = estimate_plans(cells, visits_of(("A", 4.0, 1)))
    assert found.not_covered.index.tolist() == ["B"]
    assert found.covered_share == pytest.approx(4 / 6)
    assert found.target.team_hours_per_week == 4.0
    # A week of the target is not known, so neither is the difference; that of an hour is of what is covered.
    assert np.isnan(found.gain.finds_per_week)
    assert found.gain.finds_per_hour == pytest.approx(found.drawn.finds_per_hour - found.target.finds_per_hour)
    nowhere = estimate_plans(two_cells(chance=[0.5, 0.0]), visits_of(("A", 4.0, 1)))
    assert nowhere.covered_share == 0.0
    assert np.isnan([nowhere.target.finds_per_week, nowhere.gain.finds_per_hour]).all()
    assert nowhere.n_effective == 0.0


def test_a_floor_holds_the_weight_of_a_rare_visit():
    visits = visits_of(("B", 2.0, 2))
    rare = two_cells(chance=[0.5, 0.01])
    held, free = estimate_plans(rare, visits, floor=0.1), estimate_plans(rare, visits, floor=0.0)
    assert held.target.finds_per_week == pytest.approx(0.6 + 10 * 1.4)
    assert free.target.finds_per_week == pytest.approx(0.6 + 100 * 1.4)
    assert (held.floored_share, free.floored_share) == (1.0, 0.0)


def test_faults_are_named():
    none = visits_of()
    with pytest.raises(UsageError, match=r"floor: is 1\.0, expected a chance of 0 or more and less than 1"):
        estimate_plans(two_cells(), none, floor=1.0)
    with pytest.raises(InputError, match=r"cells: there is none, expected a station, a shift and a week"):
        estimate_plans(two_cells().iloc[:0], none)
    broken = two_cells(chance=[0.5, 1.5], hours=[np.nan, 1.0]).rename(index={"B": "A"}).drop(columns="week")
    with pytest.raises(
        TableError, match=r"cells: column 'week' is missing; cell_id 'A' stands twice; column 'chance' is 1\.5 at 'A'"
    ):
        estimate_plans(broken, none)
    with pytest.raises(TableError, match=r"cells: column 'target_hours' is -1\.0 at 'A', expected one row a cell_id"):
        estimate_plans(two_cells(target_hours=-1.0), none)
    with pytest.raises(TableError, match=r"visits: column 'n_finds' is nan at 0, expected cell_id, n_hours, n_finds"):
        estimate_plans(two_cells(), visits_of(("A", 1.0, np.nan)))
    with pytest.raises(TableError, match=r"visits: column 'n_hours' is missing"):
        estimate_plans(two_cells(), none.drop(columns="n_hours"))
    with pytest.raises(
        InputError,
        match=r"visits: 2 of 3 lie in cells that the draw could not work \(\['B', 'moon'\]\), expected a chance",
    ):
        estimate_plans(two_cells(chance=[0.5, 0.0]), visits_of(("A", 1, 0), ("B", 1, 0), ("moon", 1, 0)))
