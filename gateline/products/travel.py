"""
How the trips into a town divide by way of travel, as every product tells it: by rail, car, coach and private hire.

In come the shares beside `geo.tables.PLACE_EXPOSURE`. They are rounded together, so that what is printed sums to 1, and
what is unseen to the share that no station sees. No survey counts couriers on the road: where there is no timetable of
coaches, the share by coach says that it is assumed.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from gateline.products.map_values import as_told, texts
from geo.corridors.mode_split import MODES
from models.telling import tell_shares

__all__ = ["COACH_ASSUMED", "COACH_TIMED", "map_travel", "tell_travel"]

COACH_ASSUMED = "assumed: one and a half times the minutes of a car, no timetable of coaches is given"
COACH_TIMED = "timetable of coaches"
_WORDS = {"car": "by car", "coach": "by coach", "hire": "by private hire", "rail": "by rail past no station here"}
_SHARE_DECIMALS = 2
_SEEN = "seen_by_rail_share"


def tell_travel(exposure: pd.DataFrame, *, has_coaches: bool) -> dict[str, pd.Series]:
    """
    Give the columns of a town's trips by way of travel.

    Parameters
    ----------
    exposure : pandas.DataFrame
        Table `geo.tables.PLACE_EXPOSURE` with the shares of `geo.corridors.mode_split.split_modes`; without them only
        ``unseen_share`` is told.
    has_coaches : bool
        Whether coaches are priced by their timetable.

    Returns
    -------
    dict of str to pandas.Series
        ``unseen_share``, ``<mode>_share`` (rail with its 90 % interval), ``coach_basis``, ``unseen_by_<mode>_share``,
        and the same in words as ``unseen_by``.
    """
    if "car_share" not in exposure.columns:
        return {"unseen_share": exposure["unseen_share"].round(_SHARE_DECIMALS)}
    parts = exposure[[f"unseen_by_{mode}_share" for mode in MODES]]
    told = tell_shares(parts.assign(**{_SEEN: 1.0 - parts.sum(axis=1, skipna=False)}))
    unseen = {f"unseen_by_{mode}_share": told[f"unseen_by_{mode}_share"] for mode in MODES}
    by_mode = {f"{mode}_share": unseen[f"unseen_by_{mode}_share"] for mode in MODES if mode != "rail"}
    rail = (told[_SEEN] + unseen["unseen_by_rail_share"]).round(_SHARE_DECIMALS)
    ends = [name for name in ("rail_share_low", "rail_share_high") if name in exposure.columns]
    return {
        "unseen_share": (1.0 - told[_SEEN]).round(_SHARE_DECIMALS),
        "rail_share": rail,
        **{name: exposure[name].round(_SHARE_DECIMALS) for name in ends},
        **by_mode,
        "coach_basis": pd.Series(COACH_TIMED if has_coaches else COACH_ASSUMED, index=exposure.index, dtype="str"),
        "unseen_by": _words(unseen, has_coaches=has_coaches),
        **unseen,
    }


def map_travel(table: pd.DataFrame) -> dict[str, Any]:
    """
    Give what of these a town's card on the map tells.

    Parameters
    ----------
    table : pandas.DataFrame
        As `gateline.products.lists.town_list` gives it.

    Returns
    -------
    dict
        By the names of the columns, JSON-ready; empty where the run does not divide trips.
    """
    if "unseen_by" not in table.columns:
        return {}
    names = ("rail_share", "rail_share_low", "rail_share_high")
    return {
        **{name: as_told(table[name]) for name in names if name in table.columns},
        "unseen_by": texts(table["unseen_by"]),
    }


def _words(unseen: dict[str, pd.Series], *, has_coaches: bool) -> pd.Series:
    """Such as ``62 % by car, 14 % by coach (assumed)``, the largest first; null where there are no trips."""
    words = _WORDS | ({} if has_coaches else {"coach": f"{_WORDS['coach']} (assumed)"})
    table = pd.DataFrame({words[mode]: unseen[f"unseen_by_{mode}_share"] for mode in words})
    said = []
    for row in table.to_dict("records"):
        parts = sorted(((-share, word) for word, share in row.items() if share > 0), key=lambda part: part[0])
        said.append(", ".join(f"{-share:.0%} {word}".replace("%", " %") for share, word in parts) or None)
    return pd.Series(said, index=table.index, dtype="str")
