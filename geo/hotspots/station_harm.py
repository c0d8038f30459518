r"""
Harm near each station, graded by the walk: the figure that stands beside a score and is no part of it.

In: `geo.tables.OFFENCES` and `geo.tables.STATIONS`. An offence counts :math:`h \exp(-d / \delta)`, where :math:`d` is
the walk from the station, a straight line times a detour. On recorded drug offences such a spread of 600 m foretells as
well as a disc of 15 minutes, and has no edge over which an offence falls out at a step.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from geo.errors import UsageError
from geo.hotspots.points import build_points
from geo.network.straight_line import StraightLine
from geo.schema import validate
from geo.tables import STATIONS

__all__ = ["measure_station_harm"]

# Beyond this many decays an offence counts less than a hundred-thousandth, and is passed over.
_MOST_DECAYS = 12.0


def measure_station_harm(
    offences: pd.DataFrame,
    stations: pd.DataFrame,
    *,
    decay_m: float = 600.0,
    by_harm: bool = False,
    straight_line: StraightLine | None = None,
) -> pd.Series:
    """
    Measure the offences near each station, fading with the walk.

    Parameters
    ----------
    offences : pandas.DataFrame
        Table `geo.tables.OFFENCES`. Custody places and rows without a position are left out. Never modified; any row
        order.
    stations : pandas.DataFrame
        Table `geo.tables.STATIONS`. Never modified.
    decay_m : float, default 600
        Metres walked over which an offence falls to 1/e.
    by_harm : bool, default False
        Whether an offence weighs its harm relative to the mean; see `geo.hotspots.points.build_points`.
    straight_line : StraightLine, optional
        Holds the detour of a walk.

    Returns
    -------
    pandas.Series
        ``hotspot_harm_near`` by ``station_id``, ordered by it: offences at the station itself count whole.

    Raises
    ------
    TableError
        If a table breaks its contract.
    UsageError
        If the decay is not above 0.
    """
    if not (np.isfinite(decay_m) and decay_m > 0):
        msg = f"decay_m: {decay_m!r} is no length, expected metres above 0. Set it in metres walked."
        raise UsageError(msg)
    ordered = validate(stations, STATIONS).sort_index(kind="stable")
    points = build_points(offences, by_harm=by_harm)
    harm = np.zeros(len(ordered), dtype=float)
    if len(ordered) and len(points.weight):
        decay_straight_m = decay_m / (straight_line or StraightLine()).walk_detour
        near = cKDTree(ordered[["easting_m", "northing_m"]].to_numpy(dtype=float)).sparse_distance_matrix(
            cKDTree(points.coordinates_m), _MOST_DECAYS * decay_straight_m, output_type="ndarray"
        )
        # The tree hands out pairs in an order of its own; a sum in another order would differ in its last digit.
        near = near[np.lexsort((near["j"], near["i"]))]
        part = points.weight[near["j"]] * np.exp(-near["v"] / decay_straight_m)
        harm = np.bincount(near["i"], weights=part, minlength=len(ordered)).astype(float)
    return pd.Series(harm, index=ordered.index, name="hotspot_harm_near", dtype="float64")
