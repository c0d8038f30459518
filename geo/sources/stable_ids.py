"""Ids that depend on what a row says and not on where it stands."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

import pandas as pd

__all__ = ["build_stable_ids"]

# 80 bits: the chance that any two of ten million rows share an id is below 1e-10.
_ID_BYTES = 10


def build_stable_ids(columns: Sequence[pd.Series], times_seen: Counter[str] | None = None) -> pd.Series:
    """
    Hash the content of each row with its number among equal rows.

    Parameters
    ----------
    columns : sequence of pandas.Series
        Text columns on one index.
    times_seen : collections.Counter or None
        How often each content was met before, as in other files of one table; what is met here is added to it.

    Returns
    -------
    pandas.Series
        Ids of 20 hexadecimal digits, unique, the same set for any order of the rows.

    Examples
    --------
    >>> ids = build_stable_ids([pd.Series(["a", "b", "a"])])
    >>> ids.is_unique, set(ids) == set(build_stable_ids([pd.Series(["b", "a", "a"])]))
    (True, True)
    """
    times_seen = Counter() if times_seen is None else times_seen
    ids = []
    for content in map("\x1f".join, zip(*(column.tolist() for column in columns), strict=True)):
        ids.append(hashlib.blake2b(f"{content}\x1f{times_seen[content]}".encode(), digest_size=_ID_BYTES).hexdigest())
        times_seen[content] += 1
    return pd.Series(ids, index=columns[0].index, dtype="str")
