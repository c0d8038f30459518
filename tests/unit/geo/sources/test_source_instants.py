import datetime as dt

import pandas as pd
import pytest

from geo.errors import InputError, UsageError
from geo.sources.instants import parse_instants, require_dates
from geo.sources.months import parse_months, reject_implausible_months, this_month
from geo.sources.sieve import Sieve


def parse(texts, **options):
    rows = pd.DataFrame({"t": pd.Series(texts, dtype="str")})
    sieve = Sieve(rows, source_file="f.csv", sha256="")
    instants = parse_instants(rows["t"], sieve, field="t", **options)
    quarantine, account = sieve.close()
    return instants, quarantine["reason"].tolist(), account


def test_iso_is_never_read_day_first():
    instants, faults, _ = parse(["2026-02-12", "12/02/2026"], date_format="%d/%m/%Y")
    assert faults == []
    assert instants.month.astype(str).tolist() == ["2026-02", "2026-02"]
    assert instants.from_at[0] == instants.from_at[1] == pd.Timestamp("2026-02-12", tz="UTC")
    assert instants.to_at[0] == pd.Timestamp("2026-02-13", tz="UTC")
    assert instants.precision.tolist() == ["day", "day"]


def test_a_summer_day_is_a_day_of_london():
    instants, _, _ = parse(["2025-07-01"])
    assert instants.from_at[0] == pd.Timestamp("2025-06-30 23:00", tz="UTC")
    assert instants.month[0] == pd.Period("2025-07")


def test_months_have_no_instant():
    instants, faults, _ = parse(["2026-02", "02.2026"], date_format="%m.%Y")
    assert faults == []
    assert instants.month.astype(str).tolist() == ["2026-02"] * 2
    assert instants.from_at.isna().all()
    assert instants.precision.tolist() == ["month"] * 2


def test_times_need_a_zone_and_an_offset_wins():
    instants, _, _ = parse(
        ["2025-07-01 00:30", "2025-07-01T00:30:00Z", "01/07/2025 12:30"],
        date_format="%d/%m/%Y %H:%M",
        timezone="Europe/London",
    )
    assert instants.from_at.tolist() == [
        pd.Timestamp("2025-06-30 23:30", tz="UTC"),
        pd.Timestamp("2025-07-01 00:30", tz="UTC"),
        pd.Timestamp("2025-07-01 11:30", tz="UTC"),
    ]
    assert instants.precision.tolist() == ["minute"] * 3
    assert instants.month[0] == pd.Period("2025-07")
    with pytest.raises(InputError, match=r"timezone: it is not declared but 't' has times .* Set 'Europe/London'\."):
        parse(["2025-07-01 00:30"])
    with pytest.raises(UsageError, match="timezone: 'Mars' does not exist"):
        parse(["2025-07-01 00:30"], timezone="Mars")


def test_an_undeclared_order_of_day_and_month_is_asked_for():
    with pytest.raises(InputError, match=r"date_format: it is not declared but 't' holds '02/03/2026'"):
        parse(["02/03/2026"])


@pytest.mark.parametrize(
    ("text", "date_format"),
    [
        ("2025-01-05 13:00:00.0000000", None),
        ("2025-01-05T13:00:00.0000000Z", None),
        ("2025-01-05 13:00:00.0000000 +00:00", None),
        ("2025-01-05 13:00:00,000", None),
        ("2025-01-05 13:00:00.000000000", None),
        ("05/01/2025 13:00:00.0000000", "%d/%m/%Y %H:%M:%S.%f"),
        ("05/01/2025 1:00 PM", "%d/%m/%Y %I:%M %p"),
    ],
)
def test_decimals_of_a_second_and_the_clock_of_twelve_hours_are_read(text, date_format):
    instants, faults, _ = parse([text], timezone="Europe/London", date_format=date_format)
    assert faults == []
    assert instants.from_at[0] == pd.Timestamp("2025-01-05 13:00", tz="UTC")


@pytest.mark.parametrize(
    ("texts", "date_format", "words"),
    [
        (["45662", "45663.5"], None, "'unreadable_date', expected at most half. The values are Excel's numbers of day"),
        (["1736082000"], None, "seconds since 1970"),
        (["1736082000000"], None, "milliseconds since 1970"),
        (["1.74E+12"], None, "Excel has rounded the values"),
        (["13:00", "1:05 PM"], None, "times of day without a date"),
        ([""], None, "The column is blank there"),
        (["Drugs"], None, "not ISO dates. Check that the column is the date's"),
        (["20250131"], None, "of the form '%Y%m%d'. Declare date_format as that"),
        (["Jan  5 2025  1:00PM"], None, "'%b %d %Y %I:%M%p'"),
        (["2025-01-05 1:00 PM"], None, "'%Y-%m-%d %I:%M %p'"),
        (["31-Jan-2025"], None, "'%d-%b-%Y'"),
        (["12/31/2025"], "%d/%m/%Y", "neither ISO dates nor of date_format '%d/%m/%Y' but of the form '%m/%d/%Y'"),
        (["31/12/2025 13:00"], "%d/%m/%Y", "'%d/%m/%Y %H:%M'. Declare"),
        (["1900-01-01"], None, "'before_1990', .* Dates such as 1900-01-01 stand for missing ones"),
        (["2097-01-01"], None, "'future_date', .* Most dates lie in the future"),
    ],
)
def test_dates_of_which_most_cannot_be_read_are_refused_with_the_cause_and_a_value(texts, date_format, words):
    def require(values):
        rows = pd.DataFrame({"t": pd.Series(values, dtype="str")})
        sieve = Sieve(rows, source_file="f.csv", sha256="")
        instants = parse_instants(rows["t"], sieve, field="t", date_format=date_format, timezone="Europe/London")
        reject_implausible_months(instants.month, sieve, field="t", not_after=pd.Period("2026-01"))
        require_dates(rows["t"], instants, sieve, date_format=date_format)
        return sieve.close()[1].warnings

    with pytest.raises(InputError, match=words) as caught:
        require([*texts * 3, "2025-01-05"])
    assert repr(texts[0]) in str(caught.value)
    assert "quarantine" not in str(caught.value)
    (noted,) = require([*texts * 3, *["2025-01-05"] * 9])
    assert noted.startswith(f"{3 * len(texts)} of {9 + 3 * len(texts)} rows are ")
    assert require([*texts[:1], *["2025-01-05"] * 9]) == ()


def test_an_undeclared_format_is_suggested_from_the_values():
    with pytest.raises(InputError, match=r"\(2 of 3 rows\).* Declare one such as '%d/%m/%Y %I:%M %p'\."):
        parse(["05/01/2025 1:00 PM", "2025-01-05", "31/01/2025 11:05 AM"])


@pytest.mark.parametrize(
    "text",
    ["2025-02-29", "31/04/2025", "45,321", "45321", "1.23E+15", "#REF!", "2025-13-01", "next week", "\uff12025-01-01"],
)
def test_impossible_dates_are_rejected(text):
    instants, faults, _ = parse([text], date_format="%d/%m/%Y")
    assert faults == ["unreadable_date"]
    assert instants.month.isna().all()


def test_skipped_and_repeated_hours_follow_the_policy():
    instants, faults, account = parse(["2026-03-29 01:30", "2026-10-25 01:30"], timezone="Europe/London")
    assert faults == ["time_skipped_by_clock_change"]
    assert instants.from_at[1] == pd.Timestamp("2026-10-25 00:30", tz="UTC")
    assert "1 times of 't' occur twice when clocks go back" in account.warnings[0]


def test_blanks_stay_null():
    instants, faults, _ = parse([""])
    assert faults == []
    assert instants.month.isna().all()
    assert instants.precision.tolist() == [""]


def test_months_are_iso_only():
    months = parse_months(pd.Series(["2025-01", "2025-01-31", "2025-13", "01/2025", "", "2025-1"]))
    assert months[:2].astype(str).tolist() == ["2025-01", "2025-01"]
    assert months[2:].isna().all()


def test_the_future_and_the_distant_past_are_rejected():
    months = pd.PeriodIndex(["2025-02", "2025-03", "1970-01", "1990-01", None], freq="M")
    sieve = Sieve(pd.DataFrame({"m": ["x"] * 5}), source_file="f.csv", sha256="")
    reject_implausible_months(months, sieve, field="m", not_after=pd.Period("2025-02"))
    assert sieve.kept.tolist() == [True, False, False, True, False]
    assert sieve.close()[0]["reason"].tolist() == ["future_date", "before_1990", "unreadable_date"]


def test_the_current_month_is_the_default_limit():
    assert this_month() == pd.Period(dt.datetime.now(tz=dt.UTC).strftime("%Y-%m"))
    sieve = Sieve(pd.DataFrame({"m": ["x"] * 2}), source_file="f.csv", sha256="")
    reject_implausible_months(pd.PeriodIndex([this_month(), this_month() + 1]), sieve, field="m")
    assert sieve.kept.tolist() == [True, False]
