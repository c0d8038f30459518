"""The ledger, drift and churn."""

import json

import numpy as np
import pandas as pd
import pytest

from geo.errors import IntegrityError, ModelGateError, UsageError
from models.monitoring import adjust_holm, issue_list, measure_drift, read_ledger, require_stable_top, score_ledger


def table(scores: dict[str, float]) -> pd.DataFrame:
    series = pd.Series(scores, dtype=float)
    frame = pd.DataFrame({"score": series, "rank": series.rank(ascending=False, method="min").astype(int)})
    return frame.rename_axis("station_id")


def ids(n: int, start: int = 0) -> list[str]:
    return [f"S{i:03d}" for i in range(start, start + n)]


MARCH = pd.Period("2025-03", "M")


def test_a_list_is_scored_when_its_outcomes_are_complete(tmp_path):
    path = tmp_path / "ledger.jsonl"
    issue_list(path, table({name: 100 - i for i, name in enumerate(ids(20))}), cutoff=MARCH, run_id="r1")
    outcomes = pd.DataFrame(0.0, index=ids(20), columns=pd.period_range("2025-04", "2025-07", freq="M"))
    outcomes.loc["S000", "2025-04"] = 500.0  # April is the gap
    outcomes.loc["S001", "2025-05"] = 6.0
    outcomes.loc["S019", "2025-07"] = 2.0
    scored = score_ledger(path, outcomes, unit="station_id")
    assert scored.loc["r1", "n_outcomes"] == 8
    assert scored.loc["r1", "hit_rate_at_10"] == pytest.approx(0.75)
    assert scored.loc["r1", "best_at_10"] == pytest.approx(1.0)
    assert score_ledger(path, outcomes.iloc[:, :3], unit="station_id").empty
    assert score_ledger(path, outcomes, unit="place_id").empty


def test_a_run_issues_once(tmp_path):
    issue_list(tmp_path / "l", table({"A": 1}), cutoff=MARCH, run_id="r1")
    with pytest.raises(UsageError, match="ledger: run 'r1' has already issued a list of station_id"):
        issue_list(tmp_path / "l", table({"A": 2}), cutoff=MARCH, run_id="r1")


@pytest.mark.parametrize("fault", ["edit", "drop", "swap", "garbage"])
def test_a_changed_ledger_is_refused(tmp_path, fault):
    path = tmp_path / "l"
    for i in range(3):
        issue_list(path, table({"A": i + 1}), cutoff=MARCH, run_id=f"r{i}")
    assert len(read_ledger(path)) == 3
    lines = path.read_text().splitlines()
    if fault == "edit":
        line = json.loads(lines[0])
        line["scores"]["A"] = 99.0
        lines[0] = json.dumps(line)
    elif fault == "drop":
        lines = lines[1:]
    elif fault == "swap":
        lines = [lines[0], lines[2], lines[1]]
    else:
        lines[1] = "{"
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(IntegrityError, match=r"ledger: line \d does not follow from the one before"):
        read_ledger(path)


def test_no_ledger_is_an_empty_one(tmp_path):
    assert read_ledger(tmp_path / "none") == []


def features(seed: int, shift: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(rng.normal(shift, 1, (60, 3)), index=ids(60), columns=["a", "b", "c"])


def test_no_drift_is_rarely_called_drift():
    called = [
        measure_drift(features(2 * s), features(2 * s + 1), random_state=s, n_draws=499)["is_drifted"].any()
        for s in range(60)
    ]
    assert sum(called) <= 3


def test_a_shift_is_called_drift():
    after = features(1)
    after["b"] += 1.0
    drifted = measure_drift(features(2), after, random_state=1)
    assert drifted.loc["b", "is_drifted"]
    assert drifted.loc["b", "mean_change"] > 0.5


def test_nothing_changed_is_no_drift():
    assert (measure_drift(features(1), features(1), random_state=1)["p_value"] == 1).all()


def test_drift_of_other_units_is_refused():
    with pytest.raises(UsageError, match="drift: the two tables have other units or features"):
        measure_drift(features(1), features(1).iloc[1:], random_state=1)


def test_holm_by_hand():
    np.testing.assert_allclose(adjust_holm(np.array([0.9, 0.001, 0.02, 0.02])), [0.9, 0.004, 0.06, 0.06])


def test_the_gate_on_churn():
    before = table({name: 100 - i for i, name in enumerate(ids(20))})
    kept = table({name: 100 - i for i, name in enumerate(ids(20, 3))})
    assert require_stable_top(before, kept) == pytest.approx(0.7)
    churned = table({name: 100 - i for i, name in enumerate(ids(20, 4))})
    with pytest.raises(ModelGateError, match=r"top ten: 60% of the last list is kept \(S000, S001, S002 left\)"):
        require_stable_top(before, churned)
    assert require_stable_top(before, churned, signed_off_by="a planner") == pytest.approx(0.6)
