import numpy as np
import pytest
from scipy.stats import binomtest

from geo.errors import UsageError
from geo.hotspots.concentration import measure_change, measure_concentration


def test_the_table_says_how_few_units_hold_how_much():
    count = np.array([80] + [2] * 10 + [0] * 89)
    table = measure_concentration(count, offence_share=[0.8, 1.0])
    assert table["unit_share"].tolist() == pytest.approx([0.01, 0.11])


def test_chance_alone_concentrates_few_offences():
    count = np.random.default_rng(0).poisson(0.2, 20_000)
    table = measure_concentration(count, offence_share=[0.5, 1.0])
    assert table["unit_share"].to_numpy() == pytest.approx(table["random_unit_share"].to_numpy(), rel=0.05)
    assert table["random_unit_share"].iloc[-1] < 0.2


def test_changes_have_the_exact_conditional_p_value():
    before, after = np.array([20, 5, 0, 3]), np.array([40, 5, 0, 0])
    table = measure_change(before, after)
    assert table["change_share"].tolist()[0] == 1.0
    for k in (0, 3):
        low = binomtest(int(after[k]), int(before[k] + after[k]), 0.5, alternative="less").pvalue
        high = binomtest(int(after[k]), int(before[k] + after[k]), 0.5, alternative="greater").pvalue
        assert table["p_value"][k] == pytest.approx(2 * min(low, high))
    assert np.isnan(table["p_value"][2])
    assert table["p_value"][1] == 1.0


def test_longer_periods_are_allowed_for():
    table = measure_change(np.array([60]), np.array([30]), n_periods_before=6, n_periods_after=3)
    assert table["change_share"].iloc[0] == 0.0
    assert table["p_value"].iloc[0] > 0.9


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(UsageError, match="count, offence_share: 0 offences"):
        measure_concentration(np.zeros(3, dtype=int))
    with pytest.raises(UsageError, match=r"n_periods: 0 before and 1\.0 after, expected positive"):
        measure_change(np.ones(1), np.ones(1), n_periods_before=0)
