"""
Cuckooed addresses as evidence by town, told only in bands.

In: `geo.sensitive.SensitivePoints` and `geo.tables.PLACES`. Out: for each town the band in which the number of its
addresses lies. A band, never a count: 0 to 2 is one band, so that one home or two are never told from none; then 3 to
7, 8 to 12, and so on by five. An address is counted only in a town of many homes, so that it is always one of many.

Two lists that differ by one address give the same table, unless a whole town's count crosses an edge of its bands.
Whoever holds every other address of a town at an edge can then tell whether one more is on the list: any rule that
answers the same each time has such an edge, and only noise has none (`python -m benchmarks.evidence_attacks` measures
how many homes stand at one). Edges drawn by a key would hide where they are and not that they are crossed, and would
give each workspace other results. So releases are held apart instead: `geo.disclosure.ledger` refuses one in which a
town's band differs from an earlier one's by fewer than ten addresses, and so also one whose towns were drawn anew to
push an edge across a home.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.catchments import find_town
from geo.errors import DisclosureError
from geo.homes import label_first, label_homes
from geo.schema import validate
from geo.sensitive import SensitivePoints
from geo.tables import PLACES

__all__ = [
    "BAND_WIDTH",
    "FIRST_BAND",
    "LEAST_RESIDENTS",
    "band_addresses",
    "band_outside_addresses",
    "find_address_towns",
]

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
# One home and two are never told from none.
FIRST_BAND = (0, 2)
BAND_WIDTH = 5
# ASSUMPTION: about a hundred homes, at 2.4 residents each; twice what a square must hold to be shown (50 dwellings).
LEAST_RESIDENTS = 250.0
_BETWEEN_TOWNS, _LATER, _AGAIN = -1, -2, -3


def band_addresses(
    points: SensitivePoints,
    places: pd.DataFrame,
    *,
    cutoff: pd.Period | None = None,
    least_residents: float = LEAST_RESIDENTS,
) -> pd.DataFrame:
    """
    Tell in which band the number of cuckooed addresses of each town lies.

    1. Addresses first seen after the cut-off are left out; of those of one home (`geo.homes`) one is counted.
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
    town, is_counted = _allot(points, towns, cutoff=cutoff, least_residents=least_residents)
    n_of_town = np.bincount(town[town >= 0], minlength=len(towns))
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
    town, _ = _allot(points, places.sort_index(), cutoff=cutoff, least_residents=least_residents)
    low, high = _band(np.array([(town == _BETWEEN_TOWNS).sum()], dtype=np.int64))
    return int(low[0]), int(high[0])


def find_address_towns(
    points: SensitivePoints, places: pd.DataFrame, *, cutoff: pd.Period | None = None
) -> NDArray[np.object_]:
    """
    Find the town in whose band each address is counted: for the ledger alone, as it tells of single addresses.

    Parameters
    ----------
    points : SensitivePoints
        The addresses.
    places : pandas.DataFrame
        Table `geo.tables.PLACES`. Never modified.
    cutoff : pandas.Period or None
        As for `band_addresses`.

    Returns
    -------
    numpy.ndarray of shape (n_addresses,)
        ``place_id``, empty where the address counts in no band, as all of a home do but the one seen first; in the
        order of `SensitivePoints.reveal_for`.

    Raises
    ------
    TableError
        If `places` breaks its contract.
    """
    towns = places.sort_index()
    town, _ = _allot(points, towns, cutoff=cutoff, least_residents=LEAST_RESIDENTS)
    names = np.append(towns.index.to_numpy(dtype=object), "")
    return np.asarray(names[np.where(town >= 0, town, -1)], dtype=object)


def _allot(
    points: SensitivePoints, towns: pd.DataFrame, *, cutoff: pd.Period | None, least_residents: float
) -> tuple[IntArray, NDArray[np.bool_]]:
    """Row of the town of each address, or why it has none, and whether each town is counted: exact, so private."""
    validate(towns, PLACES)
    if not least_residents >= LEAST_RESIDENTS:
        msg = (
            f"least_residents: it is {least_residents!r}, expected at least {LEAST_RESIDENTS:g}, so that an address is "
            "one of many homes. Leave smaller towns out."
        )
        raise DisclosureError(msg)
    is_counted = towns["population"].to_numpy(float) >= least_residents
    # Counted towns only: an address of a hamlet counts in the town it looks to.
    rows = np.flatnonzero(is_counted)
    found = find_town(np.column_stack(points.reveal_for("area_counts")), towns.iloc[rows])
    town = np.where(found >= 0, np.append(rows, _BETWEEN_TOWNS)[found], _BETWEEN_TOWNS)
    months = points.months_for("area_counts")
    if cutoff is not None:
        town[~np.asarray(months <= cutoff, dtype=bool)] = _LATER
    _count_homes(town, *points.reveal_for("area_counts"), np.asarray(months.asi8, dtype=np.int64))
    return town, is_counted


def _count_homes(town: IntArray, easting_m: FloatArray, northing_m: FloatArray, order: IntArray) -> None:
    """One address of each home keeps its town, between towns where the records of the home are not in one."""
    used = np.flatnonzero(town != _LATER)
    homes = label_homes(easting_m[used], northing_m[used])
    low, high = (np.full(len(used), start) for start in (len(order) + town.max(initial=0), _BETWEEN_TOWNS))
    np.minimum.at(low, homes, town[used])
    np.maximum.at(high, homes, town[used])
    one = np.where(low == high, low, _BETWEEN_TOWNS)[homes]
    town[used] = np.where(label_first(homes, order[used], easting_m[used], northing_m[used]), one, _AGAIN)


def _band(n: IntArray) -> tuple[IntArray, IntArray]:
    """Inclusive ends of the band of each count."""
    above = FIRST_BAND[1] + 1
    low = above + (n - above) // BAND_WIDTH * BAND_WIDTH
    is_first = n < above
    return np.where(is_first, FIRST_BAND[0], low), np.where(is_first, FIRST_BAND[1], low + BAND_WIDTH - 1)
