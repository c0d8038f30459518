"""
Where a count of offences says nothing, and whose count it is: missing is not zero, and one force counts as no other.

Table in: `geo.tables.OFFENCES`. Out: a value a town, for `models.posterior.evidence`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import KDTree

from geo.schema import validate
from geo.tables import OFFENCES

__all__ = ["find_covered", "find_recorders", "is_transport_police"]

# ASSUMPTION. A neighbourhood that should have had so many offences by the rate of all, and has a fiftieth of them, was
# not counted: its few are a transport police's and neighbours'. At a third of that rate ten would still be due, and
# none comes once in 22,000 by chance. A force that records least has 0.4 of the rate of all (drugs, 2025).
_LEAST_EXPECTED, _LEAST_SHARE = 30.0, 0.02
_MOST_TOWNS = 60
# Offences nearest a town's centre whose majority says who records there: a few rows lie over a border.
_N_NEAREST = 25


def find_covered(n_offences: pd.Series, towns: pd.DataFrame) -> pd.Series:
    """
    Tell the towns that the files of offences cover.

    A town is not covered if it and the nearest others, as many as would have had 30 offences by the rate of all towns,
    have a fiftieth of what was due, or none: of several forces one has not published, or its file was not given.

    Parameters
    ----------
    n_offences : pandas.Series
        Offences of every kind by ``place_id``.
    towns : pandas.DataFrame
        Table `geo.tables.PLACES`.

    Returns
    -------
    pandas.Series
        Flags, indexed as `n_offences`.
    """
    units = towns.loc[n_offences.index]
    n, people = n_offences.to_numpy(float), units["population"].to_numpy(float)
    if not (n.sum() > 0 and people.sum() > 0):
        return pd.Series(data=False, index=n_offences.index)
    at_m = units[["easting_m", "northing_m"]].to_numpy(float)
    _, near = KDTree(at_m).query(at_m, k=min(_MOST_TOWNS, len(units)))
    near = np.asarray(near).reshape(len(units), -1)
    expected = np.cumsum(people[near], axis=1) * n.sum() / people.sum()
    found = np.cumsum(n[near], axis=1)
    enough = np.argmax(expected >= _LEAST_EXPECTED, axis=1)
    at = (np.arange(len(units)), enough)
    is_missing = (expected[at] >= _LEAST_EXPECTED) & (found[at] <= _LEAST_SHARE * expected[at])
    return pd.Series(~is_missing, index=n_offences.index)


def find_recorders(offences: pd.DataFrame, towns: pd.DataFrame, *, cutoff: pd.Period) -> pd.Series:
    """
    Tell which force records the offences of each town: the one of most of the 25 nearest its centre.

    Parameters
    ----------
    offences : pandas.DataFrame
        Table `geo.tables.OFFENCES`. Never modified. Those of a transport police are left out.
    towns : pandas.DataFrame
        Table `geo.tables.PLACES`.
    cutoff : pandas.Period
        Last month that may be used.

    Returns
    -------
    pandas.Series
        Force by ``place_id``; empty where no offence has a position and a force.

    Raises
    ------
    TableError
        If the table breaks its contract.
    """
    validate(offences, OFFENCES)
    is_usable = offences["easting_m"].notna() & offences["northing_m"].notna() & offences["force"].ne("")
    known = offences[is_usable & (offences["month"] <= cutoff) & ~is_transport_police(offences)]
    if known.empty:
        return pd.Series(dtype="str", index=towns.index[:0])
    codes, forces = pd.factorize(known["force"], sort=True)
    if len(forces) == 1:
        return pd.Series(forces[0], index=towns.index, dtype="str")
    tree = KDTree(known[["easting_m", "northing_m"]].to_numpy(float))
    _, near = tree.query(towns[["easting_m", "northing_m"]].to_numpy(float), k=min(_N_NEAREST, len(known)))
    of_near = codes[np.asarray(near).reshape(len(towns), -1)]
    votes = np.stack([(of_near == k).sum(axis=1) for k in range(len(forces))])
    return pd.Series(np.asarray(forces)[votes.argmax(axis=0)], index=towns.index, dtype="str")


def is_transport_police(offences: pd.DataFrame) -> NDArray[np.bool_]:
    """
    Tell the rows that a transport police recorded.

    Parameters
    ----------
    offences : pandas.DataFrame
        Table `geo.tables.OFFENCES`.

    Returns
    -------
    numpy.ndarray of shape (n_offences,)
        Flags.
    """
    force = offences["force"].astype("str").str.casefold()
    return np.asarray(force.str.contains("transport police", regex=False), dtype=bool)
