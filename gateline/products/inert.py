"""
Text made inert for each place it goes to: script data, HTML, CSV and spreadsheet cells.

Every name in the inputs is untrusted. JSON inside a page must not be able to end its script element; a cell must not
start a formula when a spreadsheet opens it.
"""

from __future__ import annotations

import html
import json
import re
from typing import Any

__all__ = ["cell_text", "html_text", "script_json"]

# OWASP's list for CSV injection with the full-width forms that a spreadsheet folds to the same characters. Tabs, line
# breaks and NUL, also on that list, are turned into spaces or dropped before this is looked at.
_FORMULA_START = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# Control characters are not legal in XML 1.0 cells, and bidirectional overrides reorder what a reader sees.
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def cell_text(value: object, *, is_formula_safe: bool = False, most_characters: int = 300) -> str:
    """
    Make a text that no spreadsheet runs and no reader is misled by.

    Parameters
    ----------
    value : object
        Anything; its `str` is used. Line breaks become spaces.
    is_formula_safe : bool
        Whether the place it goes to cannot hold a formula, so that no apostrophe is put in front.
    most_characters : int
        Longer text is cut with an ellipsis, so that no name can push a table or a panel out of shape.

    Returns
    -------
    str
        With an apostrophe in front if it would start a formula.

    Examples
    --------
    >>> cell_text("=cmd|' /C calc'!A0")
    "'=cmd|' /C calc'!A0"
    >>> cell_text("Stoke-on-Trent")
    'Stoke-on-Trent'
    """
    text = re.sub(r"[\r\n\t\u2028\u2029]+", " ", _UNSEEN.sub("", str(value)))
    if len(text) > most_characters:
        text = text[: most_characters - 1] + "\u2026"
    if not is_formula_safe and text.lstrip().startswith(_FORMULA_START):
        text = "'" + text
    return text


def html_text(value: object) -> str:
    """
    Make a text that is only text in HTML content and quoted attributes.

    Parameters
    ----------
    value : object
        Anything; its `str` is used, without control and bidirectional characters.

    Returns
    -------
    str
        Escaped text. It must never pass through a template afterwards.
    """
    return html.escape(cell_text(value, is_formula_safe=True), quote=True)


def script_json(payload: Any) -> str:  # noqa: ANN401 - any JSON-ready value
    r"""
    Write JSON that cannot end the script element that holds it.

    Parameters
    ----------
    payload : object
        JSON-ready; keys are written sorted, so the same payload gives the same bytes.

    Returns
    -------
    str
        ASCII JSON in which ``<``, ``>`` and ``&`` are escapes; NaN is refused.

    Examples
    --------
    >>> script_json("</script>")
    '"\\u003c/script\\u003e"'
    """
    text = json.dumps(payload, ensure_ascii=True, allow_nan=False, separators=(",", ":"), sort_keys=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
