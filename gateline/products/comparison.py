"""
Two runs side by side: what rose, what fell, what entered or left the first ten, and why.

A move is called clear only when the 90 % rank intervals of the two runs do not overlap; the rest is said to be within
what the evidence allows. A rank that a run did not issue, because its interval is too wide, is no number here either:
such stations are compared by tier, and where neither run has a rank the page says so.
"""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gateline.products.csv_lists import write_csv
from gateline.products.inert import html_text
from gateline.products.inputs import FICTIONAL_NOTE, Marks
from gateline.products.reasons import reason_columns, reason_label
from gateline.products.vendored import csp_hash, read_asset
from geo.errors import UsageError

__all__ = ["compare_stations", "write_comparison"]

_N_FIRST = 10
_N_REASONS = 2
_DECIMALS = 6
# A reason that moved less than this many points of score is not worth a word.
_LEAST_DELTA = 0.1


def compare_stations(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """
    Set the stations of two lists side by side.

    Parameters
    ----------
    before, after : pandas.DataFrame
        As `gateline.products.lists.station_list` gives them.

    Returns
    -------
    pandas.DataFrame
        Index ``station_id``: name, change (``entered the first ten``, ``left the first ten``, ``rose``, ``fell``,
        ``same``, where not both runs issue a rank ``rose a tier``, ``fell a tier`` and ``no rank``, else ``new`` or
        ``gone``), ranks (null where not issued), tiers and scores of both, ``tier_move`` (such as ``C to B``),
        ``rank_change`` (positive is up), ``score_change``, ``is_clear``, ``why`` and a ``delta_*`` column a reason.
        Largest move first within a change.
    """
    ids = before.index.union(after.index).sort_values()
    old, new = before.reindex(ids), after.reindex(ids)
    reasons = sorted({*reason_columns(before), *reason_columns(after)})
    delta = pd.DataFrame(
        {column.replace("reason_", "delta_", 1): _filled(new, column) - _filled(old, column) for column in reasons},
        index=ids,
    ).round(_DECIMALS)
    overlap = (old["rank_low"] <= new["rank_high"]) & (new["rank_low"] <= old["rank_high"])
    in_both = old["rank"].notna() & new["rank"].notna()
    ranks = [_issued_ranks(old), _issued_ranks(new)]
    table = pd.DataFrame(
        {
            "name": new["name"].where(new["name"].notna(), old["name"]),
            "change": _change(old, new, *ranks),
            "tier_move": _tier_move(old["tier"], new["tier"]),
            "rank_before": ranks[0],
            "rank_after": ranks[1],
            "rank_change": ranks[0] - ranks[1],
            "is_clear": (in_both & ~overlap).to_numpy(),
            "tier_before": old["tier"],
            "tier_after": new["tier"],
            "score_before": old["score"],
            "score_after": new["score"],
            "score_change": (new["score"] - old["score"]).round(_DECIMALS),
            "why": [_why(row) if both else "" for row, both in zip(delta.to_dict("records"), in_both, strict=True)],
        },
        index=ids,
    )
    table.index.name = "station_id"
    order = table["change"].map({change: k for k, change in enumerate(_CHANGES)})
    full = pd.concat([table, delta], axis=1)
    keys = pd.DataFrame({"order": order, "move": -table["rank_change"].abs(), "id": ids}, index=ids)
    return full.loc[keys.sort_values(["order", "move", "id"], na_position="last").index]


def write_comparison(path: Path, table: pd.DataFrame, before: Marks, after: Marks) -> None:
    """
    Write the comparison of two runs as a page or as CSV, by the ending of the path.

    Parameters
    ----------
    path : pathlib.Path
        File to write, ending in ``.html`` or ``.csv``.
    table : pandas.DataFrame
        From `compare_stations`.
    before, after : Marks
        Marks of the two runs.

    Raises
    ------
    UsageError
        If the path ends in neither.
    """
    if path.suffix == ".csv":
        write_csv(path, table.assign(run_before=before.run_id, period_before=before.covers), after)
    elif path.suffix == ".html":
        path.write_bytes(_page(table, before, after).encode("utf-8"))
    else:
        msg = f"comparison: the path ends in {path.suffix!r}, expected '.html' or '.csv'. Give one of them."
        raise UsageError(msg)


_CHANGES = (
    "entered the first ten",
    "left the first ten",
    "rose a tier",
    "fell a tier",
    "rose",
    "fell",
    "no rank",
    "new",
    "gone",
    "same",
)
_TIER_ORDER = {"A": 3.0, "B": 2.0, "C": 1.0}
_HEADINGS = {
    "entered the first ten": "Entered the first ten",
    "left the first ten": "Left the first ten",
    "rose a tier": "Rose a tier, without a rank in both runs",
    "fell a tier": "Fell a tier, without a rank in both runs",
    "rose": "Rose",
    "fell": "Fell",
    "no rank": "Same tier, without a rank in both runs",
    "new": "Only in the later run",
    "gone": "Only in the earlier run",
}


def _filled(table: pd.DataFrame, column: str) -> pd.Series:
    """A reason that a run does not have counts nothing in it."""
    if column not in table.columns:
        return pd.Series(0.0, index=table.index)
    return table[column].fillna(0.0)


def _issued_ranks(table: pd.DataFrame) -> pd.Series:
    """Ranks as numbers, null where the run did not issue one; a list that does not say issues them all."""
    ranks = table["rank"].astype(float)
    if "is_rank_issued" not in table.columns:
        return ranks
    return ranks.where(table["is_rank_issued"].astype("str").str.lower() == "true")


def _change(old: pd.DataFrame, new: pd.DataFrame, rank_old: pd.Series, rank_new: pd.Series) -> np.ndarray:
    first_before, first_after = rank_old <= _N_FIRST, rank_new <= _N_FIRST
    ranked = rank_old.notna() & rank_new.notna()
    tier_old, tier_new = old["tier"].map(_TIER_ORDER), new["tier"].map(_TIER_ORDER)
    rules = {
        "new": old["rank"].isna(),
        "gone": new["rank"].isna(),
        "entered the first ten": ranked & first_after & ~first_before,
        "left the first ten": ranked & first_before & ~first_after,
        "rose": ranked & (rank_new < rank_old),
        "fell": ranked & (rank_new > rank_old),
        "same": ranked,
        "rose a tier": tier_new > tier_old,
        "fell a tier": tier_new < tier_old,
    }
    return np.select(list(rules.values()), list(rules), "no rank")


def _tier_move(old: pd.Series, new: pd.Series) -> list[str]:
    """The tiers of both runs where they differ, nothing where they do not or where one is missing."""
    pairs = zip(old, new, strict=True)
    return ["" if pd.isna(a) or pd.isna(b) or a == b else f"{a} to {b}" for a, b in pairs]


def _move_text(row: dict[Hashable, Any]) -> str:
    """How sure the move is, or why there is none to speak of."""
    if pd.isna(row["tier_before"]) or pd.isna(row["tier_after"]):
        return "in one run only"
    n_ranks = int(pd.notna(row["rank_before"])) + int(pd.notna(row["rank_after"]))
    sure = "clear" if row["is_clear"] else "within the evidence"
    return f"{('no rank in either run, ', 'a rank in one run only, ', '')[n_ranks]}{sure}"


def _why(deltas: dict[object, float]) -> str:
    """The reasons that moved most, each with its change in points of score."""
    moved = sorted(deltas.items(), key=lambda item: (-abs(item[1]), str(item[0])))[:_N_REASONS]
    parts = [
        f"{reason_label(str(name).replace('delta_', 'reason_', 1))} {value:+.1f}"
        for name, value in moved
        if abs(value) >= _LEAST_DELTA
    ]
    return ", ".join(parts)


def _page(table: pd.DataFrame, before: Marks, after: Marks) -> str:
    """A page without any script; every text in it is escaped."""
    style = read_asset("gateline/comparison.css")
    policy = f"default-src 'none'; style-src {csp_hash(style)}; base-uri 'none'; form-action 'none'"
    is_fictional = before.is_fictional or after.is_fictional
    note = f'<p class="gl-fictional">{html_text(FICTIONAL_NOTE)}</p>' if is_fictional else ""
    water = '<div class="gl-watermark" aria-hidden="true">FICTIONAL</div>' if is_fictional else ""
    runs = f"<li>Earlier run: {_marks_text(before)}</li><li>Later run: {_marks_text(after)}</li>"
    n_same = int((table["change"] == "same").sum())
    sections = "".join(_section(change, table[table["change"] == change]) for change in _HEADINGS)
    title = html_text(f"What changed: {after.title}")
    return (
        '<!DOCTYPE html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
        f"<style>{style}</style>\n</head>\n<body>\n{water}"
        f'<p class="gl-marking">{html_text(after.marking)}</p>\n{note}<main>\n<h1>{title}</h1>\n<ul>{runs}</ul>\n'
        "<p>A move is clear where the 90 % rank intervals of the two runs do not overlap. Every other move is within "
        "what the evidence allows. A dash stands for a rank that was not issued, because its interval is too wide: "
        f"read the tier.</p>\n{sections}<p>{n_same} stations kept their rank.</p>\n</main>\n"
        f'<p class="gl-marking">{html_text(after.marking)}</p>\n</body>\n</html>\n'
    )


def _marks_text(marks: Marks) -> str:
    return html_text(" \u00b7 ".join(f"{label} {text}" for label, text in marks.lines()))


def _section(change: str, rows: pd.DataFrame) -> str:
    if rows.empty:
        return ""
    body = "".join(
        f"<tr><th scope=row>{html_text(row['name'])}</th><td>{html_text(_tiers(row))}</td>"
        f"<td>{_place(row['rank_before'])}</td>"
        f"<td>{_place(row['rank_after'])}</td><td>{_signed(row['score_change'])}</td>"
        f"<td>{_move_text(row)}</td><td>{html_text(row['why'])}</td></tr>\n"
        for row in rows.to_dict("records")
    )
    head = "".join(f"<th scope=col>{text}</th>" for text in _COLUMNS)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<h2>{_HEADINGS[change]} ({len(rows)})</h2>\n{table}\n"


_COLUMNS = ("Station", "Tier", "Rank before", "Rank after", "Score change", "Move", "Why (points of score)")


def _tiers(row: dict[Hashable, Any]) -> str:
    """The move, or the tier that both runs or the only one give."""
    return str(row["tier_move"] or (row["tier_before"] if pd.isna(row["tier_after"]) else row["tier_after"]))


def _place(rank: float) -> str:
    return "\u2013" if pd.isna(rank) else f"{rank:.0f}"


def _signed(value: float) -> str:
    return "\u2013" if pd.isna(value) else f"{value:+.1f}"
