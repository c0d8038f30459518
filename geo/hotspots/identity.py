"""
Names that hotspots keep from run to run.

In: this run's hotspots and the last run's, table `geo.tables.HOTSPOTS`. A hotspot that overlaps or lies near an old one
takes its name; each old name goes to one new hotspot at most, and the pairing is the best over all of them together.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from geo.hotspots.grid import grid_reference

__all__ = ["keep_ids"]


def keep_ids(hotspots: gpd.GeoDataFrame, previous: gpd.GeoDataFrame | None, *, most_shift_m: float) -> gpd.GeoDataFrame:
    """
    Name hotspots, keeping the names of those that only moved a little.

    Parameters
    ----------
    hotspots : geopandas.GeoDataFrame
        Columns of `geo.tables.HOTSPOTS`, any index. Never modified.
    previous : geopandas.GeoDataFrame or None
        Table `geo.tables.HOTSPOTS` of an earlier run; None or empty for the first.
    most_shift_m : float
        A centre that moved further than this is a new hotspot.

    Returns
    -------
    geopandas.GeoDataFrame
        The same rows indexed by ``hotspot_id``, sorted by it. A new hotspot is named ``HS-`` and the National Grid
        reference of its centre to 100 m, with a number behind it if that name is taken.

    Notes
    -----
    The pairing minimises the total shift of the centres over pairs within reach, after pairing as many as possible
    (a linear assignment). Overlap of hulls is not asked for: two hulls of one place in a sparse month may be apart.
    """
    names: list[str | None] = [None] * len(hotspots)
    taken: set[str] = set()
    if previous is not None and len(previous):
        old = previous.sort_index(kind="stable")
        taken = set(old.index)
        for new_row, old_row in _pair_centres(hotspots, old, most_shift_m):
            names[new_row] = str(old.index[old_row])
    for row in np.lexsort((hotspots["northing_m"], hotspots["easting_m"])):
        if names[row] is not None:
            continue
        stem = "HS-" + grid_reference(float(hotspots["easting_m"].iloc[row]), float(hotspots["northing_m"].iloc[row]))
        name, number = stem, 1
        while name in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add(name)
        names[row] = name
    named = hotspots.copy()
    named.index = pd.Index(names, name="hotspot_id", dtype="str")
    return named.sort_index(kind="stable")


def _pair_centres(hotspots: gpd.GeoDataFrame, old: gpd.GeoDataFrame, most_shift_m: float) -> list[tuple[int, int]]:
    """Rows of both tables that are one hotspot."""
    shift_m = np.hypot(
        hotspots["easting_m"].to_numpy()[:, None] - old["easting_m"].to_numpy()[None, :],
        hotspots["northing_m"].to_numpy()[:, None] - old["northing_m"].to_numpy()[None, :],
    )
    within = shift_m <= most_shift_m
    # A pair out of reach costs more than any set of pairs within it, so reach comes before nearness.
    too_far = (most_shift_m + 1.0) * (min(shift_m.shape) + 1)
    rows, columns = linear_sum_assignment(np.where(within, shift_m, too_far))
    return [(int(r), int(c)) for r, c in zip(rows, columns, strict=True) if within[r, c]]
