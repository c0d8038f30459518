"""
Keep out what was erased: an address whose record was deleted stays deleted when an old file is read again.

A tombstone is a keyed digest of the position, kept one a line; it says that something was erased and not what.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geo.disclosure.keyed import digest_addresses
from geo.disclosure.private_files import append_private
from geo.sensitive import SensitivePoints

__all__ = ["append_tombstones", "label_erased", "read_tombstones"]


def read_tombstones(path: Path) -> frozenset[str]:
    """
    Read the tombstones of a workspace.

    Parameters
    ----------
    path : pathlib.Path
        The file; it may be absent.

    Returns
    -------
    frozenset of str
        Keyed digests.
    """
    return frozenset(path.read_text(encoding="ascii").split()) if path.exists() else frozenset()


def append_tombstones(path: Path, digests: Iterable[str]) -> int:
    """
    Add tombstones and sync them to disk.

    Parameters
    ----------
    path : pathlib.Path
        The file; created readable by its owner alone.
    digests : iterable of str
        From `geo.disclosure.keyed.digest_addresses` for the purpose ``tombstone``.

    Returns
    -------
    int
        How many were not there before.
    """
    new = sorted({str(digest) for digest in digests} - read_tombstones(path))
    append_private(path, "".join(f"{digest}\n" for digest in new).encode("ascii"))
    return len(new)


def label_erased(points: SensitivePoints, key: bytes, tombstones: Collection[str]) -> NDArray[np.bool_]:
    """
    Find the addresses that were erased before.

    Parameters
    ----------
    points : SensitivePoints
        The addresses.
    key : bytes
        The workspace key.
    tombstones : collection of str
        From `read_tombstones`.

    Returns
    -------
    numpy.ndarray of shape (n_addresses,)
        True for an erased address, in the order of ``reveal_for``.
    """
    digests = digest_addresses(points, key, purpose="tombstone")
    return np.array([str(digest) in tombstones for digest in digests], dtype=bool)
