"""The list by group of places."""

import numpy as np
import pandas as pd
import pytest

from geo.errors import UsageError
from models.group_audit import audit_groups


def listed(n: int = 40) -> pd.DataFrame:
    ids = pd.Index([f"S{i:02d}" for i in range(n)], name="station_id")
    return pd.DataFrame({"score": np.arange(n, 0, -1.0), "rank": np.arange(1, n + 1)}, index=ids)


def test_rates_hits_and_misses_by_hand():
    table = listed()
    groups = pd.Series(["poor"] * 12 + ["rich"] * 24 + ["tiny"] * 4, index=table.index)
    outcomes = pd.Series(0, index=table.index)
    outcomes.iloc[[0, 1, 11]] = [3, 1, 4]
    audit = audit_groups(table, groups, outcomes=outcomes, random_state=1)
    poor = audit.loc["poor"]
    assert (poor["n_units"], poor["n_selected"]) == (12, 10)
    assert poor["selection_rate"] == pytest.approx(10 / 12)
    assert np.isnan(poor["rate_ratio"])  # no one else is selected: nothing to divide by
    assert poor["hit_share"] == pytest.approx(0.2)
    assert poor["miss_share"] == pytest.approx(0.5)
    assert audit.loc["rich", "rate_ratio"] == 0
    assert audit.loc["rich", "note"] == "flagged"
    assert audit.loc["tiny", "note"] == "too few"
    assert np.isnan(audit.loc["tiny", "selection_rate"])


def test_groups_dealt_evenly_are_not_flagged_and_the_interval_holds_one():
    table = listed(60)
    audit = audit_groups(table, pd.Series(["a", "b"] * 30, index=table.index), random_state=1)
    assert (audit["rate_ratio"] == 1).all()
    assert (audit["note"] == "").all()
    assert ((audit["rate_ratio_low"] < 1) & (audit["rate_ratio_high"] > 1)).all()
    assert audit["hit_share"].isna().all()


def test_the_same_seed_gives_the_same_audit():
    table = listed()
    groups = pd.Series(["a", "b"] * 20, index=table.index)
    first = audit_groups(table, groups, random_state=3)
    pd.testing.assert_frame_equal(first, audit_groups(table.iloc[::-1], groups.iloc[::-1], random_state=3))


def test_no_group_at_all_is_refused():
    with pytest.raises(UsageError, match="groups: no scored unit has one"):
        audit_groups(listed(), pd.Series(dtype=object), random_state=1)
