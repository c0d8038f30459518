"""
Bank holidays of England and Wales, by rule: Easter, Mondays, substitutes, and the days that were proclaimed once.

Easter is reckoned as Oudin (1940) does, in the form of the Explanatory Supplement to the Astronomical Almanac. Days
proclaimed or moved are listed by year as gov.uk/bank-holidays gave them; one proclaimed later is not known here.
"""

from __future__ import annotations

from datetime import date, timedelta

__all__ = ["find_easter", "list_bank_holidays"]

_MONDAY, _SATURDAY = 0, 5
# Holidays that were moved, by what they replace, and those proclaimed once.
_EARLY_MAY = {1995: date(1995, 5, 8), 2020: date(2020, 5, 8)}
_SPRING = {2002: date(2002, 6, 4), 2012: date(2012, 6, 4), 2022: date(2022, 6, 2)}
_PROCLAIMED = {
    date(1999, 12, 31): "millennium",
    date(2002, 6, 3): "golden jubilee",
    date(2011, 4, 29): "royal wedding",
    date(2012, 6, 5): "diamond jubilee",
    date(2022, 6, 3): "platinum jubilee",
    date(2022, 9, 19): "state funeral",
    date(2023, 5, 8): "coronation",
}


def find_easter(year: int) -> date:
    """
    Find Easter Sunday.

    Parameters
    ----------
    year : int
        From 1583 on.

    Returns
    -------
    datetime.date
        The Sunday.

    Examples
    --------
    >>> find_easter(2024).isoformat()
    '2024-03-31'
    """
    golden, century = year % 19, year // 100
    shift = century - century // 4 - (8 * century + 13) // 25
    epact = (19 * golden + shift + 15) % 30
    epact -= (epact // 28) * (1 - (29 // (epact + 1)) * ((21 - golden) // 11))
    weekday = (year + year // 4 + epact + 2 - century + century // 4) % 7
    return date(year, 3, 28) + timedelta(days=epact - weekday)


def list_bank_holidays(year: int) -> dict[date, str]:
    """
    List the bank holidays of England and Wales in a year.

    Parameters
    ----------
    year : int
        From 1978 on, when the early May holiday began.

    Returns
    -------
    dict of datetime.date to str
        Name by day, in order. A holiday at a weekend is given by its substitute on the next free weekday.

    Examples
    --------
    >>> [day.isoformat() for day in list_bank_holidays(2021)][-2:]
    ['2021-12-27', '2021-12-28']
    """
    easter = find_easter(year)
    days = {
        _next_weekday(date(year, 1, 1)): "New Year",
        easter - timedelta(days=2): "Good Friday",
        easter + timedelta(days=1): "Easter Monday",
        _EARLY_MAY.get(year, _first_monday(date(year, 5, 1))): "early May",
        _SPRING.get(year, _first_monday(date(year, 5, 25))): "spring",
        _first_monday(date(year, 8, 25)): "summer",
    }
    christmas, boxing = date(year, 12, 25), date(year, 12, 26)
    christmas_on, boxing_on = _next_weekday(christmas), _next_weekday(boxing)
    # The two never share a day: the one whose own day is the Sunday goes to the Tuesday.
    if christmas_on == boxing_on:
        later = timedelta(days=1)
        christmas_on, boxing_on = (
            (christmas_on, boxing_on + later) if christmas.weekday() == _SATURDAY else (christmas_on + later, boxing_on)
        )
    days |= {christmas_on: "Christmas Day", boxing_on: "Boxing Day"}
    days |= {on: name for on, name in _PROCLAIMED.items() if on.year == year}
    return dict(sorted(days.items()))


def _next_weekday(day: date) -> date:
    """The day itself, or the Monday after a weekend."""
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() >= _SATURDAY else 0)


def _first_monday(day: date) -> date:
    """The first Monday on or after a day."""
    return day + timedelta(days=(_MONDAY - day.weekday()) % 7)
