"""The week that is counted: bank holidays by rule, weeks that a feed does not hold, weeks with few trains."""

from datetime import date, timedelta

import numpy as np
import pytest
from dateutil.easter import easter

from geo.errors import InputError, UsageError
from geo.sources.bank_holidays import find_easter, list_bank_holidays
from geo.sources.feed_weeks import describe_week, require_monday, require_week_held, tell_bank_holidays, tell_cover

# gov.uk/bank-holidays, England and Wales: month and day.
PUBLISHED = {
    2018: "0101 0330 0402 0507 0528 0827 1225 1226",
    2020: "0101 0410 0413 0508 0525 0831 1225 1228",
    2021: "0101 0402 0405 0503 0531 0830 1227 1228",
    2022: "0103 0415 0418 0502 0602 0603 0829 0919 1226 1227",
    2023: "0102 0407 0410 0501 0508 0529 0828 1225 1226",
    2024: "0101 0329 0401 0506 0527 0826 1225 1226",
    2025: "0101 0418 0421 0505 0526 0825 1225 1226",
    2026: "0101 0403 0406 0504 0525 0831 1225 1228",
    2027: "0101 0326 0329 0503 0531 0830 1227 1228",
}


@pytest.mark.parametrize("year", PUBLISHED)
def test_bank_holidays_are_those_published(year):
    assert " ".join(f"{day:%m%d}" for day in list_bank_holidays(year)) == PUBLISHED[year]


def test_easter_is_that_of_another_reckoning():
    assert [find_easter(year) for year in range(1900, 2200)] == [easter(year) for year in range(1900, 2200)]


def test_substitutes_have_the_name_of_their_holiday():
    days = list_bank_holidays(2022)
    assert (days[date(2022, 12, 26)], days[date(2022, 12, 27)]) == ("Boxing Day", "Christmas Day")
    days = list_bank_holidays(2021)
    assert (days[date(2021, 12, 27)], days[date(2021, 12, 28)]) == ("Christmas Day", "Boxing Day")


@pytest.mark.parametrize("year", range(1978, 2060))
def test_no_bank_holiday_falls_on_a_weekend_and_none_is_lost(year):
    days = list_bank_holidays(year)
    assert all(day.weekday() < 5 and day.year == year for day in days)
    assert len(days) >= 8


def test_a_week_with_a_bank_holiday_is_told():
    assert tell_bank_holidays(date(2024, 6, 3)) == []
    assert tell_bank_holidays(date(2024, 5, 6)) == [
        "the week of 2024-05-06 holds a bank holiday (2024-05-06 early May): its trains are not those of a usual week"
    ]
    told = "the week of 2024-12-30 holds a bank holiday (2025-01-01 New Year)"
    assert tell_bank_holidays(date(2024, 12, 30))[0].startswith(told)
    # Christmas on a Saturday: the day itself has hardly a train, its substitute is in the next week.
    told = "the week of 2021-12-20 holds 2 bank holidays (2021-12-25 Christmas Day, 2021-12-26 Boxing Day)"
    assert tell_bank_holidays(date(2021, 12, 20))[0].startswith(told)


FIRST, LAST = date(2024, 1, 3), date(2024, 3, 28)


@pytest.mark.parametrize("week", [date(2024, 1, 1), date(2024, 2, 5), date(2024, 3, 25)])
def test_a_week_with_a_day_of_the_feed_is_held(week):
    require_week_held("feed.zip", week, FIRST, LAST)
    assert bool(tell_cover(week, FIRST, LAST)) == (week != date(2024, 2, 5))


@pytest.mark.parametrize(
    ("week", "first", "last", "nearest"),
    [
        (date(2024, 4, 1), FIRST, LAST, "2024-03-18"),
        (date(2027, 6, 7), FIRST, LAST, "2024-03-18"),
        (date(2023, 12, 25), FIRST, LAST, "2024-01-08"),
        (date(2024, 4, 1), date(2024, 3, 6), date(2024, 3, 8), "2024-03-04"),
        (date(2024, 1, 1), date(2024, 3, 6), date(2024, 3, 8), "2024-03-04"),
        (date(2024, 4, 1), date(2024, 3, 25), date(2024, 3, 31), "2024-03-25"),
    ],
)
def test_a_week_outside_the_feed_is_refused_with_the_nearest_it_holds(week, first, last, nearest):
    with pytest.raises(InputError) as caught:
        require_week_held("feed.zip", week, first, last)
    assert str(caught.value) == (
        f"feed.zip: the week of {week} is outside the feed, which runs from {first} to {last}, expected a week inside "
        f"it. Set inputs.timetable_week_start_on to {nearest}, the nearest week it holds, or fetch another feed."
    )
    require_week_held("feed.zip", date.fromisoformat(nearest), first, last)


def test_a_feed_without_days_is_not_judged():
    require_week_held("feed.zip", date(2024, 1, 1), None, None)
    assert tell_cover(date(2024, 1, 1), None, None) == []


def test_a_week_starts_on_monday():
    require_monday(date(2024, 6, 3))
    with pytest.raises(UsageError, match="week_start_on: 2024-06-04 is not a Monday, expected one"):
        require_monday(date(2024, 6, 4))


def trains(**changes):
    """Ten weeks from a Wednesday, ten trains a day and five on Sundays, save where changed."""
    days = [date(2024, 1, 3) + timedelta(days=k) for k in range(70)]
    usual = np.array([5.0 if day.weekday() == 6 else 10.0 for day in days])
    for name, n in changes.items():
        usual[[f"{day:d%m%d}" == name for day in days]] = n
    return usual


def test_a_usual_week_and_a_week_beyond_are_not_odd():
    assert describe_week(date(2024, 1, 8), FIRST, trains()) == []
    assert describe_week(date(2025, 1, 6), FIRST, trains()) == []


def test_a_thin_week_and_a_thin_day_are_told():
    told = describe_week(date(2024, 1, 8), FIRST, trains(d0108=0, d0109=4))
    assert told == [
        (
            "the week of 2024-01-08 has 75% of the trips of the feed's middle week: a holiday or engineering works, so "
            "that another week may serve better"
        ),
        "fewer trips than usual run on Monday, Tuesday of the week of 2024-01-08: it may hold a holiday or works",
    ]
    (one,) = describe_week(date(2024, 1, 8), FIRST, trains(d0114=1))
    assert one.startswith("fewer trips than usual run on Sunday")


def test_two_whole_weeks_are_too_few_to_tell():
    assert describe_week(date(2024, 1, 8), FIRST, trains(d0108=0)[:19]) == []
