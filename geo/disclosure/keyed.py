"""
Keyed digests of victims' addresses: what lets two releases, or two imports, be compared without keeping an address.

A digest is HMAC-SHA256 of the purpose and the position in whole metres, under the workspace's own key. Without the key,
trying every metre of the country gives nothing; the key is readable by its owner alone and is never part of a release.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geo.durable import sync_file
from geo.errors import IntegrityError
from geo.sensitive import SensitivePoints

__all__ = ["digest_addresses", "key_id", "read_or_make_key"]

_KEY_BYTES = 32


def read_or_make_key(path: Path) -> bytes:
    """
    Read the workspace key, or make it if there is none.

    Parameters
    ----------
    path : pathlib.Path
        File of the key; created readable and writable by its owner alone.

    Returns
    -------
    bytes
        Thirty-two bytes.

    Raises
    ------
    IntegrityError
        If the file is not a key.
    """
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        key = path.read_bytes()
        if len(key) != _KEY_BYTES:
            msg = f"{path.name}: {len(key)} bytes, expected a key of {_KEY_BYTES}. Restore it from its backup."
            raise IntegrityError(msg) from None
        return key
    key = secrets.token_bytes(_KEY_BYTES)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(key)
        stream.flush()
        sync_file(stream.fileno())
    return key


def key_id(key: bytes) -> str:
    """
    Name a key without telling it.

    Parameters
    ----------
    key : bytes
        The key.

    Returns
    -------
    str
        Sixteen hexadecimal digits, the same for the same key.
    """
    return hmac.new(key, b"key id", hashlib.sha256).hexdigest()[:16]


def digest_addresses(points: SensitivePoints, key: bytes, *, purpose: str) -> NDArray[np.str_]:
    """
    Digest each address under the key.

    Parameters
    ----------
    points : SensitivePoints
        The addresses.
    key : bytes
        The workspace key.
    purpose : str
        ``ledger_digest`` or ``tombstone``; digests of two purposes cannot be matched with each other.

    Returns
    -------
    numpy.ndarray of shape (n_addresses,)
        Hexadecimal, in the order of ``reveal_for``.

    Raises
    ------
    DisclosureError
        If the purpose is unknown.
    """
    easting_m, northing_m = points.reveal_for(purpose)
    texts = [f"{purpose} {e:.0f} {n:.0f}" for e, n in zip(easting_m, northing_m, strict=True)]
    return np.array([hmac.new(key, text.encode(), hashlib.sha256).hexdigest() for text in texts], dtype=np.str_)
