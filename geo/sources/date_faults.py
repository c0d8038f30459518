"""What dates that cannot be read probably are, in words, with the setting that would read them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection
from itertools import product

__all__ = ["MONTH_GUESSES", "describe_dates", "suggest_format"]

# What most rows of a file being out of range says about the file.
MONTH_GUESSES = {
    "future_date": "Most dates lie in the future: day, month and year may be in another order. Check the date column",
    "before_1990": "Dates such as 1900-01-01 stand for missing ones. Export them as blanks, or map another column",
}
_DAYS = ("%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y/%m/%d", "%Y-%m-%d", "%Y%m%d", "%d/%m/%y", "%m/%d/%y")
_NAMED = ("%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %B %Y", "%b %d %Y", "%a %d %b %Y", "%b-%y", "%b %Y", "%B %Y", "%m/%Y")
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", " %I:%M%p", " %H:%M:%S.%f", "T%H:%M:%S")
_FORMATS = tuple(day + clock for clock, day in product(_CLOCKS, (*_DAYS, *_NAMED)))
_KINDS = (
    (
        r"[2-6]\d{4}(\.\d+)?",
        "The values are Excel's numbers of days (45662 is 2025-01-05). Export the column again as yyyy-mm-dd",
    ),
    (r"\d(\.\d+)?E\+?\d+", "Excel has rounded the values to powers of ten. Export the column again as text"),
    (r"\d{9,10}", "The values are seconds since 1970. Export the column again as yyyy-mm-dd"),
    (r"\d{12,13}", "The values are milliseconds since 1970. Export the column again as yyyy-mm-dd"),
    (
        r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?",
        "The column holds times of day without a date. Map a column that holds the date",
    ),
    (r"", "The column is blank there. Map the column that holds the date"),
)
# Values that are looked at; a format that reads all of so many is the format.
_MOST_LOOKED_AT = 200


def suggest_format(texts: Collection[str]) -> str | None:
    """
    Find a format that reads every text.

    Parameters
    ----------
    texts : collection of str
        Values that are not ISO.

    Returns
    -------
    str or None
        A `strptime` format, the day before the month where both would do; None where no usual one reads them.

    Examples
    --------
    >>> suggest_format(["05/01/2025 1:30 PM", "31/01/2025 11:00 AM"])
    '%d/%m/%Y %I:%M %p'
    """
    looked_at = sorted(set(texts) - {""})[:_MOST_LOOKED_AT]
    if not looked_at:
        return None
    return next((each for each in _FORMATS if all(_reads(each, text) for text in looked_at)), None)


def describe_dates(texts: Collection[str], *, date_format: str | None = None, is_settable: bool = True) -> str:
    """
    Say what dates that cannot be read probably are, and what to do.

    Parameters
    ----------
    texts : collection of str
        The values.
    date_format : str or None
        The format that was declared and does not read them.
    is_settable : bool
        Whether the reader takes a format.

    Returns
    -------
    str
        Two sentences without the last stop.

    Examples
    --------
    >>> describe_dates(["45662"])[:44]
    "The values are Excel's numbers of days (4566"
    """
    counted = [(sum(re.fullmatch(kind, text) is not None for text in texts), words) for kind, words in _KINDS]
    n_most, words = max(counted, key=lambda item: item[0])
    if 2 * n_most > len(texts):
        return words
    found = suggest_format(texts)
    declared = "not ISO dates" if date_format is None else f"neither ISO dates nor of date_format {date_format!r}"
    if found is not None and is_settable:
        return f"The values are {declared} but of the form {found!r}. Declare date_format as that"
    if found is not None:
        return f"The values are of the form {found!r}, as when Excel saves the file. Fetch the file again, unopened"
    return f"The values are {declared}. Check that the column is the date's, and export yyyy-mm-dd"


def _reads(date_format: str, text: str) -> bool:
    try:
        dt.datetime.strptime(" ".join(text.split()), date_format)  # noqa: DTZ007 - only whether it is one
    except ValueError:
        return False
    return True
