"""
Victims' points, in a type that cannot be printed, saved, drawn or copied out.

A stage may compute with the coordinates that `SensitivePoints.reveal_for` gives for a named purpose, and must return
only aggregates over areas. Everything that would show a row raises or is redacted (trust.md R-1).
"""

from __future__ import annotations

from typing import NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.errors import DisclosureError
from geo.schema import validate
from geo.tables import CUCKOOING

__all__ = ["SensitivePoints"]

_PURPOSES = ("area_counts", "demand_weight", "ledger_digest", "tombstone")


class SensitivePoints:
    """
    Addresses of cuckooing victims, held for computing and never for showing.

    Parameters
    ----------
    addresses : pandas.DataFrame
        Table `geo.tables.CUCKOOING`. Copied.

    Raises
    ------
    TableError
        If the table breaks its contract.

    Examples
    --------
    >>> months = pd.PeriodIndex(["2025-01"], freq="M")
    >>> points = SensitivePoints(
    ...     pd.DataFrame(
    ...         {"easting_m": [4.5e5], "northing_m": [4.5e5], "first_seen": months, "last_seen": months},
    ...         index=pd.Index(["a"], name="address_id"),
    ...     )
    ... )
    >>> points
    <SensitivePoints: withheld>
    """

    __slots__ = ("__addresses",)

    def __init__(self, addresses: pd.DataFrame) -> None:
        validate(addresses, CUCKOOING)
        # Row order is a side channel and must not change a result: keep one order.
        self.__addresses = addresses[list(CUCKOOING.columns)].sort_index().copy()

    def __len__(self) -> int:
        return len(self.__addresses)

    def __repr__(self) -> str:
        return "<SensitivePoints: withheld>"

    def _repr_html_(self) -> str:
        return "&lt;SensitivePoints: withheld&gt;"

    def __reduce__(self) -> NoReturn:
        self._refuse("pickled or copied")

    def __getattr__(self, name: str) -> NoReturn:
        self._refuse(f"read as {name!r}")

    def __iter__(self) -> NoReturn:
        self._refuse("iterated")

    def __getitem__(self, key: object) -> NoReturn:
        self._refuse("indexed")

    def __format__(self, format_spec: str) -> str:
        return repr(self)

    def reveal_for(self, purpose: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """
        Give the coordinates to a computation that returns only aggregates.

        Parameters
        ----------
        purpose : str
            One of ``area_counts``, ``demand_weight``, ``ledger_digest``, ``tombstone``.

        Returns
        -------
        tuple of numpy.ndarray
            Copies of the eastings and northings in metres, EPSG:27700, ordered by address id.

        Raises
        ------
        DisclosureError
            If the purpose is not one that returns only aggregates.
        """
        if purpose not in _PURPOSES:
            msg = (
                f"cuckooing: purpose is {purpose!r}, expected one of {', '.join(_PURPOSES)}. Use an aggregate instead."
            )
            raise DisclosureError(msg)
        return self.__addresses["easting_m"].to_numpy(copy=True), self.__addresses["northing_m"].to_numpy(copy=True)

    def months_for(self, purpose: str) -> pd.PeriodIndex:
        """
        Give the months first seen, in the order of `reveal_for`.

        Parameters
        ----------
        purpose : str
            As for `reveal_for`.

        Returns
        -------
        pandas.PeriodIndex
            Months first seen.

        Raises
        ------
        DisclosureError
            If the purpose is not one that returns only aggregates.
        """
        self.reveal_for(purpose)
        return pd.PeriodIndex(self.__addresses["first_seen"])

    def without(self, is_dropped: NDArray[np.bool_]) -> SensitivePoints:
        """
        Leave addresses out, as those that were erased before.

        Parameters
        ----------
        is_dropped : numpy.ndarray of shape (n_addresses,)
            True for an address to leave out, in the order of `reveal_for`.

        Returns
        -------
        SensitivePoints
            The others.
        """
        return SensitivePoints(self.__addresses[~np.asarray(is_dropped, dtype=bool)])

    @staticmethod
    def _refuse(what: str) -> NoReturn:
        msg = f"cuckooing: victims' points cannot be {what}, expected an aggregate over areas. Use geo.disclosure."
        raise DisclosureError(msg)
