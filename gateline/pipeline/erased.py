"""Addresses that were erased stay out, however often a file brings them back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from geo.disclosure.keyed import read_or_make_key
from geo.disclosure.tombstones import label_erased, read_tombstones
from geo.sensitive import SensitivePoints
from geo.sources.accounting import Reading

__all__ = ["KEY_FILE", "TOMBSTONES_FILE", "leave_out_erased"]

KEY_FILE = ".gateline-key"
TOMBSTONES_FILE = "tombstones"


def leave_out_erased(reading: Reading[SensitivePoints], root: Path) -> Reading[SensitivePoints]:
    """
    Leave out the addresses that `gateline purge` erased, and count them.

    Parameters
    ----------
    reading : Reading of SensitivePoints
        As read.
    root : pathlib.Path
        The workspace, which holds the tombstones and the key that they were made with.

    Returns
    -------
    Reading of SensitivePoints
        Each erased address counts as one row out of scope, reason ``erased``.
    """
    if not (root / TOMBSTONES_FILE).exists():
        return reading
    erased = label_erased(reading.table, read_or_make_key(root / KEY_FILE), read_tombstones(root / TOMBSTONES_FILE))
    n_erased = int(erased.sum())
    if n_erased == 0:
        return reading
    account, *others = reading.accounts
    account = replace(
        account,
        n_accepted=account.n_accepted - n_erased,
        n_by_reason=tuple(sorted((*account.n_by_reason, ("out_of_scope", "erased", n_erased)))),
    )
    return Reading(reading.table.without(erased), reading.quarantine, (account, *others))
