"""Before and after, power, and results by randomised propensity: planted effects are found, none is not."""

import numpy as np
import pandas as pd
import pytest

from geo.errors import InputError, TableError, UsageError
from models.evaluation import (
    AREAS,
    find_detectable_reduction,
    match_propensity,
    measure_displacement_difference,
    measure_power,
    read_results,
)


def events(counts, harm=1.0):
    rows = [(area, period) for (area, period), n in counts.items() for _ in range(n)]
    return pd.DataFrame(rows, columns=["area", "period"]).assign(harm=harm)


def log(rows):
    """Station, date, reason, hours, finds."""
    table = pd.DataFrame(rows, columns=["station_id", "worked_on", "reason", "n_hours", "n_finds"])
    table["month"] = pd.PeriodIndex(table["worked_on"].str[:7], freq="M")
    table.index = pd.Index([f"d{k}" for k in range(len(table))], name="deployment_id", dtype="str")
    return table.astype({"station_id": "str", "worked_on": "str", "reason": "str", "n_hours": "float64"})


def test_the_difference_is_that_of_the_worked_example_of_its_source():
    # Wheeler and Ratcliffe's form: -20 at treated, -5 at control, +4 and +1 around.
    counts = {
        ("treated", "before"): 50,
        ("treated", "after"): 30,
        ("control", "before"): 45,
        ("control", "after"): 40,
        ("treated_surroundings", "before"): 20,
        ("treated_surroundings", "after"): 24,
        ("control_surroundings", "before"): 10,
        ("control_surroundings", "after"): 11,
    }
    found = measure_displacement_difference(events(counts))
    assert found.difference == -20 + 5 + 4 - 1
    assert found.standard_error == pytest.approx(np.sqrt(230))
    assert found.z == pytest.approx(-12 / np.sqrt(230))
    assert found.low < found.difference < found.high
    assert 0.2 < found.p_value < 0.22


def test_harm_counts_each_offence_by_its_weight():
    counts = {("treated", "before"): 10, ("treated", "after"): 5}
    plain = measure_displacement_difference(events(counts))
    tripled = measure_displacement_difference(events(counts, harm=3.0), weight_column="harm")
    assert tripled.difference == 3 * plain.difference
    assert tripled.standard_error == pytest.approx(3 * plain.standard_error)
    assert tripled.z == pytest.approx(plain.z)


def test_a_longer_period_after_is_allowed_for():
    counts = {("treated", "before"): 10, ("treated", "after"): 20}
    found = measure_displacement_difference(events(counts), before_weight=2.0)
    assert found.difference == 0
    assert found.standard_error == pytest.approx(np.sqrt(4 * 10 + 20))


def test_without_an_effect_one_test_in_twenty_cries_wolf():
    rng = np.random.default_rng(1)
    n, alarms = 2000, 0
    for _ in range(n):
        before, after = rng.poisson(40, size=4), rng.poisson(40, size=4)
        counts = {(area, "before"): int(k) for area, k in zip(AREAS, before, strict=True)}
        counts |= {(area, "after"): int(k) for area, k in zip(AREAS, after, strict=True)}
        signs = np.array(list(AREAS.values()))
        difference, error = float(signs @ (after - before)), float(np.sqrt(before.sum() + after.sum()))
        alarms += difference / error < -1.6449
    assert abs(alarms / n - 0.05) < 0.015


def test_power_is_the_share_of_simulated_trials_that_notice():
    expected = {"treated": 120.0, "control": 100.0, "treated_surroundings": 60.0, "control_surroundings": 60.0}
    power = measure_power(expected, reduction_share=0.4, displaced_share=0.25)
    rng = np.random.default_rng(3)
    before = np.stack([rng.poisson(v, size=4000) for v in expected.values()])
    gone = 0.4 * 120
    later = {**expected, "treated": 120 - gone, "treated_surroundings": 60 + 0.25 * gone}
    after = np.stack([rng.poisson(v, size=4000) for v in later.values()])
    signs = np.array([AREAS[area] for area in expected])
    z = (signs @ (after - before)) / np.sqrt((before + after).sum(axis=0))
    assert abs((z < -1.6449).mean() - power) < 0.03


def test_the_detectable_reduction_has_the_power_asked_for():
    expected = {"treated": 200.0, "control": 200.0}
    share = find_detectable_reduction(expected, power=0.8)
    assert measure_power(expected, reduction_share=share) == pytest.approx(0.8)
    assert find_detectable_reduction({"treated": 3.0, "control": 3.0}) is None


def test_visits_find_the_chance_with_which_they_were_drawn():
    plan = pd.DataFrame(
        {
            "day": [1, 1, 2],
            "worked_on": ["2026-01-05", "2026-01-05", "2026-01-06"],
            "shift": "early",
            "start_h": 6.0,
            "end_h": 14.0,
            "team": "team 1",
            "stop": 1,
            "station_id": ["A", "B", "A"],
            "name": "",
            "tier": "A",
            "from_h": 7.0,
            "to_h": 9.0,
            "present_min": 120.0,
            "reason": ["model", "random", "model"],
            "propensity": [0.5, 0.1, 0.25],
            "expected_met_trips": 0.1,
            "expected_met_trips_evading": 0.1,
        },
        index=pd.Index(["a", "b", "c"], name="plan_id", dtype="str"),
    )
    visits = log(
        [
            ("A", "2026-01-06", "model", 8, 0),
            ("B", "2026-01-05", "random", 8, 1),
            ("C", "2026-01-05", "random", 8, 1),
            ("B", "2026-01-05", "intelligence", 8, 1),
        ]
    )
    found = match_propensity(visits, plan)
    assert found.tolist()[:2] == [0.25, 0.1]
    assert found.isna().tolist() == [False, False, True, True]
    # What the log itself says goes before the plan.
    logged = visits.assign(propensity=[0.75, np.nan, 0.5, np.nan])
    assert match_propensity(logged, plan).fillna(-1).tolist() == [0.75, 0.1, 0.5, -1]


def test_must_visits_have_a_row_of_their_own():
    visits = log([("A", "2026-01-05", "must", 2, 1), ("B", "2026-01-05", "model", 2, 0)])
    found = read_results(visits, pd.Series([1.0, 0.5], index=visits.index), random_state=1, n_draws=50)
    assert found["finds_per_hour"].to_dict() == {"model": 0.0, "must": 0.5}


def test_weights_undo_a_draw_that_prefers_the_rich_stations():
    # Half the stations yield 1 an hour and are drawn four times as often as the others, which yield nothing.
    rng = np.random.default_rng(7)
    rich = rng.random(4000) < 0.8
    visits = log([("R" if r else "P", "2026-01-05", "random", 1, int(r)) for r in rich])
    chance = pd.Series(np.where(rich, 0.4, 0.1), index=visits.index)
    found = read_results(visits, chance, random_state=1, n_draws=200).loc["random"]
    assert found["finds_per_hour"] == pytest.approx(0.5, abs=0.02)
    assert found["finds_per_hour_low"] < 0.5 < found["finds_per_hour_high"]


def test_the_gain_of_the_plan_over_chance_is_found_and_repeats():
    rng = np.random.default_rng(2)
    rows = [("A", "2026-01-05", "model", 2, int(rng.random() < 0.4)) for _ in range(300)]
    rows += [("B", "2026-01-05", "random", 2, int(rng.random() < 0.1)) for _ in range(300)]
    visits = log(rows)
    chance = pd.Series(0.2, index=visits.index)
    found = read_results(visits, chance, random_state=1)
    again = read_results(visits.iloc[::-1], chance, random_state=1)
    pd.testing.assert_frame_equal(found, again)
    gain = found.loc["model less random"]
    assert gain["finds_per_hour"] == pytest.approx(0.15, abs=0.05)
    assert 0 < gain["finds_per_hour_low"] < gain["finds_per_hour_high"]


def test_faults_are_named():
    good = events({("treated", "before"): 2})
    with pytest.raises(TableError, match=r"events: columns missing \['harm_days'\], expected area"):
        measure_displacement_difference(good, weight_column="harm_days")
    with pytest.raises(TableError, match=r"events: unknown values \['during'\]"):
        measure_displacement_difference(good.assign(period="during"))
    with pytest.raises(TableError, match=r"column 'harm' is null or negative"):
        measure_displacement_difference(good.assign(harm=np.nan), weight_column="harm")
    with pytest.raises(UsageError, match=r"before_weight: is 0, expected more than 0"):
        measure_displacement_difference(good, before_weight=0)
    with pytest.raises(UsageError, match=r"power: areas are \['moon'\]"):
        measure_power({"moon": 1.0}, reduction_share=0.5)
    visits = log([("A", "2026-01-05", "model", 1, 0)])
    with pytest.raises(InputError, match=r"deployments: 0 of 1 visits have a propensity and hours"):
        read_results(visits, pd.Series(dtype=float), random_state=1)


def test_a_visit_whose_finds_were_not_written_down_is_not_a_nil_return():
    visits = log([("AAA", "2025-06-01", "model", 4, 2), ("AAA", "2025-06-02", "model", 4, 0)])
    silent = pd.concat([visits, log([("AAA", "2025-06-03", "model", 90, 0)]).rename(index={"d0": "d9"})])
    silent["n_finds"] = silent["n_finds"].astype("Int64").where(silent.index != "d9")
    chance = pd.Series(0.5, index=silent.index)
    pd.testing.assert_frame_equal(
        read_results(silent, chance, random_state=1), read_results(visits, chance[visits.index], random_state=1)
    )
