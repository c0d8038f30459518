import numpy as np
import pandas as pd
import pytest

from geo.errors import InputError, UsageError
from geo.hotspots.rhythm import dark_hours_by_month, measure_hours_of_week, measure_season


def months_of(counts, start="2023-01"):
    return pd.PeriodIndex(np.repeat(pd.period_range(start, periods=len(counts), freq="M"), counts))


def test_as_many_a_day_in_winter_is_a_ratio_of_one():
    season = measure_season(months_of(10 * pd.period_range("2023-01", periods=24, freq="M").days_in_month))
    assert season["rate_ratio"] == pytest.approx(1.0)
    assert season["low"] < 1 < season["high"]


def test_a_darker_winter_is_found():
    counts = np.tile([60, 60, 30, 30, 30, 30, 30, 30, 30, 30, 60, 60], 2)
    season = measure_season(months_of(counts))
    assert season["rate_ratio"] == pytest.approx(2.0, rel=0.05)
    assert season["p_value"] < 1e-6


def test_months_that_vary_more_than_chance_widen_the_interval():
    rng = np.random.default_rng(0)
    calm, wild = np.full(24, 50), rng.permutation([10, 90] * 12)
    width = [measure_season(months_of(n))[["low", "high"]].diff().iloc[-1] for n in (calm, wild)]
    assert width[1] > 2 * width[0]


def test_part_of_a_year_has_no_season():
    with pytest.raises(InputError, match="months: they span 9, expected whole years of 12"):
        measure_season(months_of([5] * 9))
    with pytest.raises(InputError, match="a season holds 0 offences"):
        measure_season(months_of([0, 0, 3, 3, 3, 3, 3, 3, 3, 3, 0, 0] + [0] * 2 + [3] * 8 + [0, 0]).append(
            pd.PeriodIndex(["2023-03", "2025-02"], freq="M")), winter=[1])  # fmt: skip


def test_nights_are_long_in_december_and_all_year_average_a_little_under_half():
    dark = dark_hours_by_month(54.0)
    assert dark.idxmax() == 12
    assert dark.idxmin() == 6
    assert 11.6 < dark.mean() < 12.0
    with pytest.raises(UsageError, match="lat_deg: it is 80"):
        dark_hours_by_month(80)


def hours(*spans):
    start, end = (pd.DatetimeIndex([span[k] for span in spans]).tz_localize("UTC") for k in (0, 1))
    return measure_hours_of_week(start, end)


def test_an_offence_is_spread_over_the_hours_in_which_it_may_have_happened():
    # Monday 6 January 2025, 22:30 to Tuesday 00:30: half, one and half an hour.
    spread = hours(("2025-01-06 22:30", "2025-01-07 00:30"))
    assert spread[spread > 0].to_dict() == pytest.approx({22: 0.25, 23: 0.5, 24: 0.25})


def test_every_offence_counts_once():
    spread = hours(
        ("2025-01-06 10:00", "2025-01-06 10:00"),
        ("2025-01-01", "2025-03-09 07:31"),
        ("2025-01-12 23:00", "2025-01-13 02:00"),
    )
    assert spread.sum() == pytest.approx(3.0)
    assert spread[10] > 1


def test_hours_are_those_of_the_clock_on_the_wall():
    assert hours(("2025-07-07 10:00", "2025-07-07 10:00")).idxmax() == 11


def test_an_offence_that_ends_before_it_starts_is_refused():
    with pytest.raises(InputError, match="from_at, to_at: 1 are null or end before they start"):
        hours(("2025-01-02", "2025-01-01"))
