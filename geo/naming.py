"""Some of many names, and how many more there are: in messages and notes alike."""

from __future__ import annotations

from collections.abc import Collection

__all__ = ["name_some"]


def name_some(names: Collection[str], most: int) -> str:
    """
    Name the first of some things and count the rest.

    Parameters
    ----------
    names : collection of str
        In the order in which they are to be told.
    most : int
        How many are named.

    Returns
    -------
    str
        Such as ``A, B and 3 more``.

    Examples
    --------
    >>> name_some(["A", "B", "C"], 2), name_some(["A", "B"], 2)
    ('A, B and 1 more', 'A, B')
    """
    first = list(names)[:most]
    more = len(names) - len(first)
    return ", ".join(first) + (f" and {more} more" if more else "")
