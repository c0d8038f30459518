"""
The same month of a force in several downloads: which rows of which file count.

The publisher gives most records a crime id, the same in every download, while areas, snap points, the force's name and
categories change. So the id decides, and only rows without one are compared by what they say.

1. A *part* is what one file holds of one force and month. Of two parts the one of the newer download goes first, then
   the larger, then the one of the smaller hash: no order of files or rows decides.
2. Rows of one month and crime id in several files count in the file whose part goes first, as often as they stand
   there.
3. Two parts are *releases* of one month if they share nearly all ids of the smaller one, or have no ids and differ in
   the month of their download. Rows without an id then count in the part that goes first alone, unless it has so few of
   them that it must be an excerpt.
4. Two parts that have ids and share none are a month that was cut in two, and both count.
5. Otherwise rows without an id that agree in month, place and category count as often as in the part with the most;
   so do all rows of two parts of which one alone has ids, if nearly all agree.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["PublishedRows", "Repeats", "find_repeats"]

# Downloads of one month share nearly every id: records are withdrawn, and added late (ASSUMPTION).
_SHARED_SHARE = 0.8
# A release with fewer rows without an id than this share of another's is an excerpt (ASSUMPTION).
_WHOLE_SHARE = 0.5
# Fewer rows than this may agree in month, place and category by chance (ASSUMPTION).
_LEAST_ROWS = 5
_TURNED = str.maketrans("0123456789abcdef", "fedcba9876543210")


@dataclass(frozen=True)
class PublishedRows:
    """
    The rows of one file that may count.

    Attributes
    ----------
    name, sha256 : str
        Label and hash of the file.
    slug, month : str
        Force and month as the file name has them, or blank.
    path_months : tuple of str
        Months that the folders above it are named for.
    rows : pandas.DataFrame
        In the order of the file: texts ``month, force, crime_id``, and hashes ``place``, of what a row without an id is
        known by, and ``content``, of all that it says.
    """

    name: str
    sha256: str
    slug: str
    month: str
    path_months: tuple[str, ...]
    rows: pd.DataFrame


@dataclass(frozen=True)
class Repeats:
    """
    Which rows of one file another file counts.

    Attributes
    ----------
    is_repeat : numpy.ndarray of bool, of shape (n_rows,)
        Whether the row counts in another file.
    notes : tuple of str
        Which file they count in, and why.
    """

    is_repeat: NDArray[np.bool_]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Part:
    """What one file holds of one force and month; the greater `order` goes first."""

    file: int
    month: str
    names: frozenset[str]
    release: str
    order: tuple[str, int, str]
    n_ids: int
    anonymous: NDArray[np.intp]
    rows: NDArray[np.intp]


class _Tally:
    """Rows found to be repeats, and how many of each file count in which other one."""

    def __init__(self, files: Sequence[PublishedRows]) -> None:
        self.is_repeat = [np.zeros(len(file.rows), dtype=bool) for file in files]
        self._files = files
        self._won_by: dict[tuple[int, int], tuple[int, str]] = {}

    def mark(self, lost: pd.DataFrame, winners: NDArray[np.intp], parts: Sequence[_Part]) -> None:
        """Note rows as repeats, each of the part with a number."""
        keys = pd.DataFrame({"file": lost["file"], "loser": lost["part"], "winner": winners})
        for at in keys.groupby(["file", "loser", "winner"], sort=True).indices.values():
            file, loser, winner = map(int, keys.to_numpy()[np.asarray(at)[0]])
            chosen = lost["at"].to_numpy()[np.asarray(at)]
            n_new = int((~self.is_repeat[file][chosen]).sum())
            self.is_repeat[file][chosen] = True
            key = (file, parts[winner].file)
            n_before, why = self._won_by.get(key, (0, _why(parts[winner], parts[loser])))
            if n_before + n_new:
                self._won_by[key] = (n_before + n_new, why)

    def notes(self, file: int) -> tuple[str, ...]:
        """Which files the repeats of a file count in."""
        return tuple(
            f"{n} of its rows stand in {self._files[winner].name} too and count there, as it is {why}."
            for (loser, winner), (n, why) in sorted(self._won_by.items())
            if loser == file
        )


def find_repeats(files: Sequence[PublishedRows]) -> list[Repeats]:
    """
    Find the rows that another file counts.

    Parameters
    ----------
    files : sequence of PublishedRows
        Files of distinct hashes, in any order.

    Returns
    -------
    list of Repeats
        One for each file.
    """
    tally = _Tally(files)
    rows = _shared_months(files)
    if len(rows):
        rows["part"], parts = _cut_parts(rows, files)
        shared = _settle_ids(rows, parts, tally)
        for pair in _pairs(parts, shared):
            _settle_anonymous(rows, parts, pair, shared.get(pair, 0), tally)
    return [Repeats(is_repeat, tally.notes(k)) for k, is_repeat in enumerate(tally.is_repeat)]


def _shared_months(files: Sequence[PublishedRows]) -> pd.DataFrame:
    """The rows of months that several files hold, with the file and place of each."""
    months = pd.Series([month for file in files for month in sorted(set(file.rows["month"]))], dtype="str")
    twice = set(months[months.duplicated()])
    chosen = []
    for k, file in enumerate(files):
        at = np.flatnonzero(file.rows["month"].isin(twice).to_numpy())
        chosen.append(file.rows.iloc[at].assign(file=k, at=at))
    return pd.concat(chosen, ignore_index=True)


def _cut_parts(rows: pd.DataFrame, files: Sequence[PublishedRows]) -> tuple[NDArray[np.intp], list[_Part]]:
    """The number of each row's part, and the parts, the first in order first."""
    slugs = np.array([file.slug for file in files], dtype=object)
    named = np.array([file.month for file in files], dtype=object)
    k = rows["file"].to_numpy()
    is_slug = (slugs[k] != "") & (named[k] == rows["month"].to_numpy(dtype=object))
    force = np.where(is_slug, "slug:" + slugs[k], rows["force"].to_numpy(dtype=object))
    keys = pd.DataFrame({"file": k, "month": rows["month"], "force": force})
    cut = []
    for group in keys.groupby(["file", "month", "force"], sort=True).indices.values():
        at = np.asarray(group)
        own, file = rows.iloc[at], files[k[at[0]]]
        month = str(own["month"].iloc[0])
        release = max((each for each in file.path_months if each >= month), default="")
        has_id = own["crime_id"].ne("").to_numpy()
        names = frozenset({str(force[at[0]]), *own["force"].unique()} - {""})
        # Of two hashes the smaller goes first, so its digits are turned round.
        order = (release, len(own), file.sha256.translate(_TURNED))
        n_ids = own["crime_id"][has_id].nunique()
        cut.append(_Part(int(k[at[0]]), month, names, release, order, n_ids, at[~has_id], at))
    cut.sort(key=lambda part: part.order, reverse=True)
    number = np.zeros(len(rows), dtype=np.intp)
    for n, part in enumerate(cut):
        number[part.rows] = n
    return number, cut


def _settle_ids(rows: pd.DataFrame, parts: Sequence[_Part], tally: _Tally) -> dict[tuple[int, int], int]:
    """Mark the rows whose id counts in another file; give the number of ids that two parts share."""
    known = rows[rows["crime_id"] != ""]
    if known.empty:
        return {}
    code = pd.factorize(known["month"] + "\x1f" + known["crime_id"])[0]
    part = known["part"].to_numpy()
    first = np.full(code.max() + 1, len(parts), dtype=np.intp)
    np.minimum.at(first, code, part)
    file_of = np.array([each.file for each in parts], dtype=np.intp)
    lost = file_of[part] != file_of[first[code]]
    tally.mark(known[lost], first[code][lost], parts)
    pairs = pd.DataFrame({"code": code, "part": part}).drop_duplicates()
    pairs = pairs[pairs["code"].duplicated(keep=False)]
    both = pairs.merge(pairs, on="code")
    both = both[both["part_x"] < both["part_y"]]
    counts = both.value_counts(["part_x", "part_y"]).reset_index().to_numpy()
    return {(int(x), int(y)): int(n) for x, y, n in counts}


def _why(winner: _Part, loser: _Part) -> str:
    """Why a part goes before another, in words."""
    if winner.release != loser.release:
        return f"of the newer download ({winner.release})"
    return "the larger" if winner.order[1] != loser.order[1] else "as large and of the smaller hash"


def _pairs(parts: list[_Part], shared: dict[tuple[int, int], int]) -> list[tuple[int, int]]:
    """Pairs of parts of one month and force in two files, as their names or ids say, the first in order first."""
    by_name: dict[tuple[str, str], list[int]] = defaultdict(list)
    for n, part in enumerate(parts):
        for name in part.names:
            by_name[part.month, name].append(n)
    found = set(shared)
    for numbers in by_name.values():
        found.update(combinations(numbers, 2))
    return sorted(pair for pair in found if parts[pair[0]].file != parts[pair[1]].file)


def _settle_anonymous(
    rows: pd.DataFrame, parts: Sequence[_Part], pair: tuple[int, int], n_shared: int, tally: _Tally
) -> None:
    """Mark the rows without an id of the second part that count in the first."""
    first, second = parts[pair[0]], parts[pair[1]]
    n_least = min(first.n_ids, second.n_ids)
    if (first.n_ids == 0) != (second.n_ids == 0):
        # A download that lost its ids says nearly the same as the other; a part of the month does not.
        n_here, n_there = (rows["place"].iloc[part.rows].value_counts() for part in (second, first))
        n_alike = int(np.minimum(n_here, n_there.reindex(n_here.index).fillna(0)).sum())
        fewest = min(len(first.rows), len(second.rows))
        if first.names & second.names and fewest >= _LEAST_ROWS and n_alike >= _SHARED_SHARE * fewest:
            _mark_alike(rows, first.rows, second.rows, pair[0], parts, tally)
            return
    if not len(second.anonymous) or not len(first.anonymous) or (n_least and not n_shared):
        return
    is_one_name = any(name.startswith("slug:") for name in first.names & second.names)
    is_again = first.release != second.release and (is_one_name or second.release != "")
    is_release = n_shared >= _SHARED_SHARE * n_least if n_least else is_again
    own = rows.iloc[second.anonymous]
    if is_release and len(first.anonymous) >= _WHOLE_SHARE * len(second.anonymous):
        tally.mark(own, np.full(len(own), pair[0], dtype=np.intp), parts)
    elif first.names & second.names:
        _mark_alike(rows, first.anonymous, second.anonymous, pair[0], parts, tally)


def _mark_alike(
    rows: pd.DataFrame,
    there: NDArray[np.intp],
    here: NDArray[np.intp],
    winner: int,
    parts: Sequence[_Part],
    tally: _Tally,
) -> None:
    """Mark as many rows of a place as the part that goes first has there."""
    # Which of several rows of a place is left must not depend on the order of the file.
    own = rows.iloc[here].sort_values(["place", "content"], kind="stable")
    n_there = rows["place"].iloc[there].value_counts()
    lost = own[own.groupby("place").cumcount() < own["place"].map(n_there).fillna(0)]
    tally.mark(lost, np.full(len(lost), winner, dtype=np.intp), parts)
