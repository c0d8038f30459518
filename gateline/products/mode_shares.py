"""How the trips into a town divide by way of travel, as lists and map tell it; only in a run with a feed of coaches."""

from __future__ import annotations

from typing import Any

import pandas as pd

from gateline.products.map_values import texts
from geo.corridors.mode_shares import MODE_SHARES, UNSEEN_SHARES

__all__ = ["map_mode_shares", "tell_mode_shares"]

_SHARE_DECIMALS = 2
_WORDS = ("by train past no station here", "by coach", "by road")


def tell_mode_shares(exposure: pd.DataFrame) -> dict[str, pd.Series]:
    """
    Give the columns of a town's trips by way of travel.

    Parameters
    ----------
    exposure : pandas.DataFrame
        Table `geo.tables.PLACE_EXPOSURE`, with the shares of `geo.corridors.mode_shares` where coaches are a mode.

    Returns
    -------
    dict of str to pandas.Series
        Hundredths, rounded together: the first three make up 1, the others ``unseen_share`` as it is printed. Empty
        without coaches.
    """
    if "coach_share" not in exposure.columns:
        return {}
    modes, unseen = (exposure[list(names)] for names in (MODE_SHARES, UNSEEN_SHARES))
    return {**_rounded(modes, modes.sum(axis=1, skipna=False)), **_rounded(unseen, exposure["unseen_share"])}


def map_mode_shares(table: pd.DataFrame) -> dict[str, Any]:
    """
    Give how a town's trips go unseen, in words for its card.

    Parameters
    ----------
    table : pandas.DataFrame
        As `gateline.products.lists.town_list` gives it.

    Returns
    -------
    dict
        ``by_mode`` and ``unseen_by``, JSON-ready; empty without coaches.
    """
    if "coach_share" not in table.columns:
        return {}
    return {
        "by_mode": texts(_words(table, MODE_SHARES, ("by train", "by coach", "by road"))),
        "unseen_by": texts(_words(table, UNSEEN_SHARES, _WORDS)),
    }


def _rounded(parts: pd.DataFrame, whole: pd.Series) -> dict[str, pd.Series]:
    """Parts rounded, but for the largest, which is what is left of the rounded whole."""
    told = parts.round(_SHARE_DECIMALS)
    largest = parts.fillna(0.0).to_numpy().argmax(axis=1)
    for k, name in enumerate(parts.columns):
        rest = whole.round(_SHARE_DECIMALS) - told.drop(columns=name).sum(axis=1)
        told[name] = told[name].where(largest != k, rest).round(_SHARE_DECIMALS)
    return {str(name): told[name].where(whole.notna()) for name in parts.columns}


def _words(table: pd.DataFrame, columns: tuple[str, ...], words: tuple[str, ...]) -> pd.Series:
    """Such as ``62 % by road, 4 % by coach``, the largest first; null where there are no trips."""
    said = []
    for row in table[list(columns)].to_numpy(dtype=float):
        parts = sorted((-share, word) for share, word in zip(row, words, strict=True) if share > 0)
        said.append(", ".join(f"{-100 * share:.0f} % {word}" for share, word in parts) or None)
    return pd.Series(said, index=table.index, dtype="str")
