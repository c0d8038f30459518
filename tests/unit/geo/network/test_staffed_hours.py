"""Hours with staff: one text for the same hours, and their share of a week."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import InputError
from geo.network.staffed_hours import measure_staffed_week, parse_staffed_hours

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("mon-fri 06:00-20:00; sat 07:00-19:00", "mon-fri 06:00-20:00; sat 07:00-19:00"),
        ("SAT 7:00-19:00 ; mon-fri 06:00 - 20:00;", "mon-fri 06:00-20:00; sat 07:00-19:00"),
        ("mon,wed 06:00-08:00, 16:00-18:00", "mon 06:00-08:00, 16:00-18:00; wed 06:00-08:00, 16:00-18:00"),
        ("sat-mon 09:00-17:00", "mon 09:00-17:00; sat-sun 09:00-17:00"),
        ("daily 00:00-24:00", "mon-sun 00:00-24:00"),
        ("None", "none"),
    ],
)
def test_the_same_hours_are_the_same_text(text, told):
    assert parse_staffed_hours(text) == told
    assert parse_staffed_hours(told) == told


def test_a_span_past_midnight_is_of_the_next_day_and_the_week_is_round():
    week = measure_staffed_week("fri 22:30-02:00; sun 23:00-01:00")
    assert week[4 * 24 + 22] == 0.5
    assert week[5 * 24 : 5 * 24 + 3].tolist() == [1, 1, 0]
    assert (week[-1], week[0], week[1]) == (1, 1, 0)
    assert week.sum() == pytest.approx(5.5)


@pytest.mark.parametrize(
    "text", ["", "mon", "monday 06:00-07:00", "mon 25:00-26:00", "mon 06:00-24:30", "mon 0600-0700", "06:00-07:00"]
)
def test_hours_that_cannot_be_read_are_refused(text):
    message = re.escape(f"in {text!r} cannot be read, expected days and times as in 'mon-fri 06:00-20:00; sat")
    with pytest.raises(InputError, match=message):
        parse_staffed_hours(text)


@given(st.lists(st.tuples(st.sampled_from(DAYS), st.integers(0, 23), st.integers(1, 24)), max_size=6))
def test_writing_hours_in_one_form_keeps_every_hour(parts):
    text = "; ".join(f"{day} {start:02d}:00-{end:02d}:00" for day, start, end in parts) or "none"
    week = measure_staffed_week(text)
    assert measure_staffed_week(parse_staffed_hours(text)).tolist() == week.tolist()
    assert set(week) <= {0.0, 1.0}
