"""
Cuckooed addresses as evidence by town, told only in bands.

In: `geo.sensitive.SensitivePoints` and `geo.tables.PLACES`. Out: for each town the band in which the number of its
addresses lies. A band, never a count: 0 to 2 is one band, so that one home or two are never told from none; then 3 to
7, 8 to 12, and so on by five. An address is counted only in a town of many homes, so that it is always one of many.

Two lists that differ by one address give the same table, unless a whole town's count crosses an edge of its bands. What
this does not stop: who may choose the towns, their residents and the cut-off at will can draw one town's edge back and
forth across a home. They are settings of a workspace, not questions, and what leaves goes through
`geo.disclosure.ledger`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.catchments import find_town
from geo.errors import DisclosureError
from geo.schema import validate
from geo.sensitive import SensitivePoints
from geo.tables import PLACES

__all__ = ["BAND_WIDTH", "FIRST_BAND", "LEAST_RESIDENTS", "band_addresses", "band_outside_addresses"]

IntArray = NDArray[np.int64]
# One home and two are never told from none.
FIRST_BAND = (0, 2)
BAND_WIDTH = 5
# ASSUMPTION: about a hundred homes, at 2.4 residents each; twice what a square must hold to be shown (50 dwellings).
LEAST_RESIDENTS = 250.0


def band_addresses(
    points: SensitivePoints,
    places: pd.DataFrame,
    *,
    cutoff: pd.Period | None = None,
    least_residents: float = LEAST_RESIDENTS,
) -> pd.DataFrame:
    """
    Tell in which band the number of cuckooed addresses of each town lies.

    1. Addresses first seen after the cut-off are left out.
    2. Each belongs to the town of most residents where it lies, among towns of at least `least_residents`, or to none
       (`geo.catchments.find_town`).
    3. Counts become bands: 0 to 2, 3 to 7, 8 to 12, and so on.

    Parameters
    ----------
    points : SensitivePoints
        The addresses.
    places : pandas.DataFrame
        Table `geo.tables.PLACES`. Never modified; row order does not matter.
    cutoff : pandas.Period or None
        Last month in which an address may have been first seen; None for all.
    least_residents : float
        Residents of the smallest town that is counted; 250 or more.

    Returns
    -------
    pandas.DataFrame
        Index ``place_id`` of every town, ordered; whole numbers ``n_low`` and ``n_high``, the inclusive ends of the
        band; ``is_counted``, whether the town is large enough. Where it is not, the ends are 0 and say nothing.
        Addresses between towns are in no row: `band_outside_addresses` tells how many they are.

    Raises
    ------
    TableError
        If `places` breaks its contract.
    DisclosureError
        If towns are to be counted that are too small to hide a home.

    Examples
    --------
    >>> months = pd.PeriodIndex(["2025-01"] * 4, freq="M")
    >>> homes = pd.DataFrame(
    ...     {
    ...         "easting_m": [4.5e5, 4.501e5, 4.502e5, 4.503e5],
    ...         "northing_m": 4.5e5,
    ...         "first_seen": months,
    ...         "last_seen": months,
    ...     },
    ...     index=pd.Index(list("abcd"), name="address_id"),
    ... )
    >>> towns = pd.DataFrame(
    ...     {
    ...         "name": ["Ayton", "Beck"],
    ...         "easting_m": [4.5e5, 4.6e5],
    ...         "northing_m": 4.5e5,
    ...         "population": [9000, 90],
    ...         "population_basis": "made up",
    ...         "is_in_force": True,
    ...     },
    ...     index=pd.Index(["ayton", "beck"], name="place_id"),
    ... )
    >>> band_addresses(SensitivePoints(homes), towns)
              n_low  n_high  is_counted
    place_id
    ayton         3       7        True
    beck          0       0       False
    """
    towns = places.sort_index()
    n_of_town, is_counted, _ = _allot(points, towns, cutoff=cutoff, least_residents=least_residents)
    low, high = _band(n_of_town)
    return pd.DataFrame(
        {"n_low": np.where(is_counted, low, 0), "n_high": np.where(is_counted, high, 0), "is_counted": is_counted},
        index=towns.index,
    )


def band_outside_addresses(
    points: SensitivePoints,
    places: pd.DataFrame,
    *,
    cutoff: pd.Period | None = None,
    least_residents: float = LEAST_RESIDENTS,
) -> tuple[int, int]:
    """
    Tell in which band the number of addresses lies that belong to no counted town.

    Parameters
    ----------
    points : SensitivePoints
        The addresses.
    places : pandas.DataFrame
        Table `geo.tables.PLACES`. Never modified.
    cutoff, least_residents : pandas.Period or None, float
        As for `band_addresses`.

    Returns
    -------
    tuple of int
        Inclusive ends of the band.

    Raises
    ------
    TableError
        If `places` breaks its contract.
    DisclosureError
        If towns are to be counted that are too small to hide a home.
    """
    *_, n_outside = _allot(points, places.sort_index(), cutoff=cutoff, least_residents=least_residents)
    low, high = _band(np.array([n_outside], dtype=np.int64))
    return int(low[0]), int(high[0])


def _allot(
    points: SensitivePoints, towns: pd.DataFrame, *, cutoff: pd.Period | None, least_residents: float
) -> tuple[IntArray, NDArray[np.bool_], int]:
    """Addresses of each town, whether the town is counted, and how many addresses belong to none: exact, so private."""
    validate(towns, PLACES)
    if not least_residents >= LEAST_RESIDENTS:
        msg = (
            f"least_residents: it is {least_residents!r}, expected at least {LEAST_RESIDENTS:g}, so that an address is "
            "one of many homes. Leave smaller towns out."
        )
        raise DisclosureError(msg)
    is_counted = towns["population"].to_numpy(float) >= least_residents
    addresses = np.column_stack(points.reveal_for("area_counts"))
    if cutoff is not None:
        addresses = addresses[np.asarray(points.months_for("area_counts") <= cutoff, dtype=bool)]
    n_of_town = np.zeros(len(towns), dtype=np.int64)
    # Counted towns only: an address of a hamlet counts in the town it looks to.
    rows = np.flatnonzero(is_counted)
    town = find_town(addresses, towns.iloc[rows])
    is_inside = town >= 0
    n_of_town += np.bincount(rows[town[is_inside]], minlength=len(towns))
    return n_of_town, is_counted, int((~is_inside).sum())


def _band(n: IntArray) -> tuple[IntArray, IntArray]:
    """Inclusive ends of the band of each count."""
    above = FIRST_BAND[1] + 1
    low = above + (n - above) // BAND_WIDTH * BAND_WIDTH
    is_first = n < above
    return np.where(is_first, FIRST_BAND[0], low), np.where(is_first, FIRST_BAND[1], low + BAND_WIDTH - 1)
