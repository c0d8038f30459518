"""The records of CIF files applied in order: which schedules stand, and what each deletion and revision found."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geo.sources.cif_files import DELETION
from geo.sources.cif_records import INDICATORS, NO_DAY, TRANSACTIONS

__all__ = ["apply_transactions"]

_REVISION, _NO_STP = ord("R"), ord(" ")
_KEY = ["uid", "from_on", "stp"]


def apply_transactions(schedules: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """
    Find which schedules stand.

    A schedule is known by its train, its first date and its STP indicator; the last record of it stands. A deletion
    without an indicator is of the one schedule of that train and date. Where there are several it is not obeyed, as it
    cannot be told which is meant.

    Parameters
    ----------
    schedules : pandas.DataFrame
        Records of all files in order: ``file, transaction, uid, from_on, to_on, stp``. Never modified.

    Returns
    -------
    tuple of pandas.Series
        Why each record does not stand, empty text where it does; and how many revisions of each file found nothing.
    """
    is_deletion = schedules["transaction"] == DELETION
    is_bad = (schedules["from_on"] == NO_DAY) | (~is_deletion & (schedules["to_on"] < schedules["from_on"]))
    fate = pd.Series("", index=schedules.index, dtype=object)
    fate[is_bad] = "bad_date"
    is_odd = ~schedules["transaction"].isin(TRANSACTIONS) | ~schedules["stp"].isin(INDICATORS)
    fate[is_odd] = "unknown_indicator"
    is_bad |= is_odd
    keys = schedules.loc[~is_bad, [*_KEY, "transaction"]]
    keys, unclear = _complete_deletions(keys)
    fate[unclear.index] = unclear
    keys = keys.drop(unclear.index)
    before = keys["transaction"].groupby([keys[name] for name in _KEY], sort=False).shift().fillna(DELETION)
    found = before != DELETION
    is_last = ~keys.duplicated(_KEY, keep="last")
    is_deletion = keys["transaction"] == DELETION
    fate[keys.index[~is_deletion & ~is_last]] = "replaced_or_deleted"
    fate[keys.index[is_deletion & found]] = "deletion"
    fate[keys.index[is_deletion & ~found]] = "deletion_found_nothing"
    idle = keys.index[(keys["transaction"] == _REVISION) & ~found]
    return fate, schedules["file"].loc[idle].value_counts()


def _complete_deletions(keys: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """Keys with the indicator of the schedule that each deletion without one is of, and the fates of others."""
    blank = keys.index[(keys["transaction"] == DELETION) & (keys["stp"] == _NO_STP)]
    unclear: dict[int, str] = {}
    if not len(blank):
        return keys, pd.Series(unclear, dtype=object)
    keys = keys.copy()
    named = keys.loc[blank, ["uid", "from_on"]]
    alike = keys[keys["uid"].isin(named["uid"]) & keys["from_on"].isin(named["from_on"])]
    by_train = {key: rows.index.to_numpy() for key, rows in alike.groupby(["uid", "from_on"], sort=False)}
    for at in blank:
        rows = by_train[keys.loc[at, "uid"], keys.loc[at, "from_on"]]
        earlier = keys.loc[rows[: np.searchsorted(rows, at)]].drop(list(unclear), errors="ignore")
        last = earlier.drop_duplicates("stp", keep="last")
        standing = last.loc[last["transaction"] != DELETION, "stp"]
        if len(standing) == 1:
            keys.loc[at, "stp"] = standing.iloc[0]
        else:
            unclear[at] = "deletion_of_several" if len(standing) else "deletion_found_nothing"
    return keys, pd.Series(unclear, dtype=object)
