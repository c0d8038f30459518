"""Column names that say a table describes persons; this project scores places and takes no such column."""

from __future__ import annotations

import re

__all__ = ["describes_person"]

_WORDS = frozenset(
    {
        *("dob", "email", "ethnicity", "firstname", "forename", "fullname", "imei", "imsi", "lastname", "mobile"),
        *("msisdn", "nino", "nominal", "numberplate", "passport", "phone", "pnc", "pncid", "surname", "telephone"),
        *("vrm", "vrn"),
    }
)
_PERSONS = frozenset(
    {"child", "informant", "occupant", "offender", "officer", "person", "suspect", "tenant", "victim", "witness"}
)
_OF_PERSONS = frozenset({"address", "age", "id", "name", "sex", "gender", "ref", "reference"})
_PHRASES = ("date of birth", "birth date", "first name", "last name", "full name", "number plate", "national insurance")


def describes_person(column: str) -> bool:
    """
    Tell whether a column name says that the column describes a person.

    Parameters
    ----------
    column : str
        As in the header.

    Returns
    -------
    bool
        Whether it does. Names are matched by word, so ``Mobile`` is one and ``automobile`` is none.

    Examples
    --------
    >>> [describes_person(name) for name in ("SuspectName", "Date of birth", "LSOA name")]
    [True, True, False]
    """
    spaced = re.sub(r"[^a-z0-9]+", " ", re.sub(r"([a-z])([A-Z])", r"\1 \2", column).lower()).strip()
    words = set(spaced.split())
    return (
        spaced == "name"
        or spaced in _PERSONS
        or bool(words & _WORDS)
        or any(phrase in spaced for phrase in _PHRASES)
        or bool(words & _PERSONS and words & _OF_PERSONS)
    )
