"""Values as TOML text: what a workspace's settings are written in."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

__all__ = ["to_toml"]


def to_toml(value: Any) -> str:  # noqa: ANN401 - any value that TOML holds
    """
    Write a value as TOML does.

    Parameters
    ----------
    value : bool, date, str, tuple, dict, int or float
        What a setting may hold.

    Returns
    -------
    str
        One line.

    Examples
    --------
    >>> to_toml(("early", "late")), to_toml({"name": "Station"}), to_toml(False)
    ('["early", "late"]', '{ "name" = "Station" }', 'false')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        # A JSON string is a TOML basic string, but for the one character that TOML wants escaped and JSON does not.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, tuple):
        return "[" + ", ".join(to_toml(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{to_toml(k)} = {to_toml(v)}" for k, v in value.items()) + " }" if value else "{}"
    return repr(value)
