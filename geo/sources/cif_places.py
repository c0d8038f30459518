"""Which station a TIPLOC is, by the codes given and the TI and TA records of the files read so far."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from geo.sources.cif_records import pack, unpack

__all__ = ["Places"]

# Trains entered by hand call at stations by code rather than by TIPLOC.
_BY_CODE = re.compile(r"([A-Z]{3})-{4}")
_CODE = re.compile(r"[A-Z]{3}")


class Places:
    """
    Stations by TIPLOC; places are added as records come.

    Parameters
    ----------
    given : mapping of str to str
        CRS codes by TIPLOC, which come before those of the records.
    near : collection of str or None
        Stations of the region; None where all are.
    """

    def __init__(self, given: Mapping[str, str], near: Collection[str] | None) -> None:
        self._given, self._own = dict(given), dict[str, str]()
        self._near = None if near is None else frozenset(near)
        self._near_tiplocs: NDArray[np.int64] | None = None
        self._was: dict[str, str] = {}
        self.names: dict[str, str] = {}

    @property
    def is_cut(self) -> bool:
        """Whether a region is asked for."""
        return self._near is not None

    def add(self, places: Iterable[tuple[str, str, str, str]]) -> None:
        """
        Take up TI and TA records in the order of the file.

        Parameters
        ----------
        places : iterable of (str, str, str, str)
            TIPLOC, new TIPLOC, CRS code and name. A new TIPLOC is the same station as the old one. What is no CRS
            code is none.
        """
        for tiploc, new, code, name in places:
            self._near_tiplocs = None
            if _CODE.fullmatch(code):
                self._own[tiploc] = code
                self.names.setdefault(code, name)
            if new:
                self._was[new] = tiploc

    def stations(self, tiplocs: NDArray[np.int64]) -> NDArray[np.object_]:
        """
        Give the station of each TIPLOC.

        Parameters
        ----------
        tiplocs : numpy.ndarray of shape (n,)
            Packed.

        Returns
        -------
        numpy.ndarray of shape (n,)
            CRS codes, None where a place is no station.
        """
        distinct, which = np.unique(tiplocs, return_inverse=True)
        codes = np.array([self._station(text) for text in unpack(distinct)], dtype=object)
        return codes[which] if len(codes) else np.zeros(0, dtype=object)

    def are_near(self, tiplocs: NDArray[np.int64]) -> NDArray[np.bool_]:
        """
        Tell which TIPLOCs are stations of the region.

        Parameters
        ----------
        tiplocs : numpy.ndarray of shape (n,)
            Packed.

        Returns
        -------
        numpy.ndarray of shape (n,)
            Whether each is.
        """
        if self._near is None:
            return np.ones(len(tiplocs), dtype=bool)
        if self._near_tiplocs is None:
            known = {*self._given, *self._own, *self._was, *(f"{code}----" for code in self._near)}
            near = sorted(text for text in known if self._station(text) in self._near)
            padded = np.array([text.ljust(7).encode("latin-1") for text in near], dtype="S7")
            self._near_tiplocs = pack(padded) if near else np.zeros(0, dtype=np.int64)
        return np.isin(tiplocs, self._near_tiplocs)

    def _station(self, tiploc: str) -> str | None:
        by_code = _BY_CODE.fullmatch(tiploc)
        seen: set[str] = set()
        # The record of the old name may come after that of the new one.
        while tiploc not in self._given and tiploc not in self._own and tiploc in self._was and tiploc not in seen:
            seen.add(tiploc)
            tiploc = self._was[tiploc]
        return self._given.get(tiploc) or self._own.get(tiploc) or (by_code.group(1) if by_code else None)
