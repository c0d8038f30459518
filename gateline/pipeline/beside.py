"""
The lists beside the main one: per head, per passenger, by harm, and by children where the force supplies a layer.

Each is its own list, with its own rank, and no part of any score. A list that cannot be made is left out, and a note
says so and why.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gateline.pipeline.read import Inputs
from geo.catchments import find_town
from geo.hotspots.points import build_points
from geo.hotspots.station_harm import measure_station_harm
from models.posterior.beside import weigh_towns
from models.posterior.estimate import Estimate

__all__ = ["Beside", "band_middles", "is_child_population", "measure_beside"]

# How a force may name the layer in its partner counts; the first kind that is there is used.
_CHILD_POPULATION = "under_18"
_MISSING_RETURNS = "missing"
# Returns of missing children are told in bands of so many, as evidence takes them: 0 to 2, 3 to 7 and so on.
_FIRST_BAND, _BAND_WIDTH = 3.0, 5.0


@dataclass(frozen=True)
class Beside:
    """
    What stands beside the scores.

    Attributes
    ----------
    stations : pandas.DataFrame
        Index ``station_id``; ``harm_near``: harm of the offences near, in mean offences, fading with the walk.
    towns : pandas.DataFrame
        Index ``place_id``; ``harm_in_town`` likewise, and, where a layer is supplied, ``child_score``,
        ``child_score_low`` and ``child_score_high``.
    child_layer : str or None
        The layer behind the children's list.
    notes : tuple of str
        Which lists are absent, and why.
    """

    stations: pd.DataFrame
    towns: pd.DataFrame
    child_layer: str | None
    notes: tuple[str, ...]


def is_child_population(layer: str) -> bool:
    """
    Say whether a layer counts residents rather than events: it weighs a list and is no evidence of lines.

    Parameters
    ----------
    layer : str
        Name as read.

    Returns
    -------
    bool
        Whether it is the population under 18.
    """
    return _CHILD_POPULATION in layer


def band_middles(n: pd.Series) -> pd.Series:
    """
    Give the middle of the band that each count lies in: no product may tell one child from none.

    Parameters
    ----------
    n : pandas.Series
        Counts.

    Returns
    -------
    pandas.Series
        1 for 0 to 2, 5 for 3 to 7, 10 for 8 to 12, and so on.

    Examples
    --------
    >>> band_middles(pd.Series([0.0, 2.0, 3.0, 7.0, 8.0])).tolist()
    [1.0, 1.0, 5.0, 5.0, 10.0]
    """
    band = np.floor((n - _FIRST_BAND) / _BAND_WIDTH)
    middle: pd.Series = (_FIRST_BAND + _BAND_WIDTH * band + (_BAND_WIDTH - 1.0) / 2.0).where(n >= _FIRST_BAND, 1.0)
    return middle


def measure_beside(
    inputs: Inputs, stations: pd.DataFrame, towns: pd.DataFrame, estimate: Estimate, *, has_usage: bool
) -> Beside:
    """
    Measure what stands beside the scores.

    Parameters
    ----------
    inputs : Inputs
        What was read.
    stations, towns : pandas.DataFrame
        Tables `STATIONS` and `PLACES`: those that are scored.
    estimate : Estimate
        The posterior.
    has_usage : bool
        Whether passengers of stations are known.

    Returns
    -------
    Beside
        Exact figures; the disclosure gate rounds them.
    """
    notes = []
    near, within = _harm(inputs, stations, towns)
    if near.isna().all():
        notes.append("no list by harm: no offence in scope has a harm weight")
    if not has_usage:
        notes.append("no list per 100,000 passengers: no passengers of any station are known")
    beside = pd.DataFrame({"harm_in_town": within})
    layer, weight = _child_weight(inputs.partner_counts, towns)
    if layer is None:
        notes.append("no list weighted by children: no layer of residents under 18 or of missing-from-home returns")
    else:
        found = weigh_towns(estimate, weight).drop(columns="rank")
        beside = beside.join(found.rename(columns=lambda name: f"child_{name}"))
        if found["score"].isna().all():
            layer = None
            notes.append("no list weighted by children: the layer counts none in any town that couriers reach")
    return Beside(near.to_frame("harm_near"), beside, layer, tuple(notes))


def _harm(inputs: Inputs, stations: pd.DataFrame, towns: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Harm near each station, fading with the walk, and within reach of each town; null where no harm is known."""
    points, ordered = build_points(inputs.offences, by_harm=True), towns.sort_index()
    if not len(points.weight):
        # Rows without a weight are left out, never guessed; where none has one there is nothing to weigh.
        return pd.Series(np.nan, index=stations.sort_index().index), pd.Series(np.nan, index=ordered.index)
    row = find_town(points.coordinates_m, ordered)
    harm = np.bincount(row[row >= 0], weights=points.weight[row >= 0], minlength=len(ordered))
    return measure_station_harm(inputs.offences, stations, by_harm=True), pd.Series(harm, index=ordered.index)


def _child_weight(counts: pd.DataFrame, towns: pd.DataFrame) -> tuple[str | None, pd.Series]:
    """What a trip weighs in each town: the share of residents under 18, else returns of missing children a head."""
    layers = sorted(counts["layer"].unique())
    for kind, is_banded in ((_CHILD_POPULATION, False), (_MISSING_RETURNS, True)):
        named = [layer for layer in layers if kind in layer]
        if named:
            n = counts[counts["layer"] == named[0]].groupby("place_id")["n"].sum().astype(float)
            people = towns["population"].where(towns["population"] > 0)
            return str(named[0]), (band_middles(n) if is_banded else n).reindex(towns.index) / people
    return None, pd.Series(dtype=float)
