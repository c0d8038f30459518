"""
The settings by their full names in the messages of readers, which know their parameters alone.

A reader of `geo` says ``date_format: it is not declared``. Which setting that is depends on the input it was called
for, so it is named here, once, for all of them. A message of whose setting there is none keeps its own words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from gateline.settings import InputSettings
from geo.errors import CrsError, InputError, UsageError

__all__ = ["PARAMETERS", "columns_as_options", "find_parameter", "name_settings"]

# What a reader's message is about, by the words that only such a message has; the first that fits.
PARAMETERS = {
    "accept_old_osm": re.compile(r"\baccept it in the settings\b"),
    "date_format": re.compile(r"^date_format:|\bdate_format\b"),
    "timezone": re.compile(r"^timezone:"),
    "basis": re.compile(r"^harm basis:"),
    # A CRS code is the code of a station.
    "crs": re.compile(r"\b(crs|CRS)\b(?! code)"),
    "layer": re.compile(r"\bfeature tables\b|\blayers?\b.*Name one"),
    "properties": re.compile(r"\bproperty\b.* is missing"),
    "columns": re.compile(
        r"\bin the settings\b|\bcolumn mapping\b|[Cc]orrect the mapping|is missing, expected it in the"
    ),
}
_EXAMPLES = {"date_format": ' = "%d/%m/%Y"', "timezone": ' = "Europe/London"'}


def find_parameter(message: str) -> str | None:
    """
    Find the parameter that a reader's message asks to set.

    Parameters
    ----------
    message : str
        One sentence of a reader.

    Returns
    -------
    str or None
        Such as ``date_format``; None where it asks for none.

    Examples
    --------
    >>> find_parameter("crs: it is 'banana', expected 'EPSG:4326'. Declare the one the columns are in.")
    'crs'
    """
    return next((name for name, words in PARAMETERS.items() if words.search(message)), None)


@contextmanager
def name_settings(role: str, *, options: Mapping[str, str] | None = None) -> Iterator[None]:
    """
    Name the setting in what a reader raises within.

    Parameters
    ----------
    role : str
        The input that is read, such as ``cuckooing``.
    options : mapping of str to str or None
        Where a command's options stand for settings: option by parameter, such as ``--date-format``.

    Yields
    ------
    None
        While it is read.

    Raises
    ------
    InputError, UsageError, CrsError
        The reader's own, with one more sentence where a setting can mend it, or where none can.
    """
    try:
        yield
    except (InputError, UsageError) as error:
        told = _tell_setting(role, find_parameter(str(error)), str(error), options)
        if told is None:
            raise
        kind = next(kind for kind in (CrsError, InputError, UsageError) if isinstance(error, kind))
        # What the reader raised may have been made to hide its own cause: nothing is chained anew.
        msg = f"{error} {told}"
        raise kind(msg) from error.__cause__


def _tell_setting(role: str, parameter: str | None, message: str, options: Mapping[str, str] | None) -> str | None:
    """The sentence to add, or None where there is nothing to say or the message says it."""
    if parameter is None:
        return None
    example = _EXAMPLES.get(parameter, "")
    if options is not None and parameter in options:
        return f"Give it as {options[parameter]}{example.replace(' = ', ' ')}."
    named = [] if options is not None else [f"{role}_{parameter}", parameter]
    setting = next((name for name in named if name in InputSettings.model_fields), None)
    if setting is not None:
        return None if f"inputs.{setting}" in message else f"In region.toml that is inputs.{setting}{example}."
    return f"Columns of {role} cannot be mapped." if parameter == "columns" else None


def columns_as_options(columns: Mapping[Any, str]) -> dict[str, str]:
    """
    Give a mapping of columns as a reader takes it that has a parameter for each.

    Parameters
    ----------
    columns : mapping of str to str
        Our field to their column.

    Returns
    -------
    dict of str to str
        Such as ``x_column``.

    Examples
    --------
    >>> columns_as_options({"x": "Easting"})
    {'x_column': 'Easting'}
    """
    return {f"{field}_column": column for field, column in columns.items()}
