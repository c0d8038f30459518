r"""
The ways from origins to towns: what the corridor model says of every pair before any evidence.

.. math:: \pi_{ij} \propto n_j^{\beta} \, c_{ij}^{-g} e^{-h c_{ij}} R_{ij}^{-r}, \qquad \sum_j \pi_{ij} = 1,

with `n` residents, `c` door-to-door minutes by the better mode, and `R` the pull of rival exporters on the town
[P: `geo.corridors.competition`]. Tables in, arrays out, so that the posterior is linear algebra.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.errors import TableError
from models.posterior.priors import Priors

__all__ = ["COST_FLOOR_MIN", "Ways", "build_ways"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
# ASSUMPTION. Below this no trip is easier than another: getting out of the door takes as long.
COST_FLOOR_MIN = 15.0
_PAIR = ["origin_id", "destination_id"]


@dataclass(frozen=True)
class Ways:
    """
    Pairs of origin and town, sorted by origin then town.

    Attributes
    ----------
    origin_ids, town_ids : tuple of str
        Exporters first, then own towns as origins; towns of the force, sorted.
    n_external : int
        How many of the origins are exporters.
    origin, town : numpy.ndarray of shape (n_pairs,)
        Positions in `origin_ids` and `town_ids`.
    features : numpy.ndarray of shape (n_pairs, 4)
        Logarithm of residents (about their mean), minus log minutes, minus minutes, minus log rival pull (about its
        mean): the shares are ``softmax(features @ coefficients)`` within an origin.
    starts : numpy.ndarray of shape (n_origins,)
        First pair of each origin.
    residents : numpy.ndarray of shape (n_towns,)
        Usual residents.
    log_strength : numpy.ndarray of shape (n_origins,)
        Logarithm of the prior share of an exporter among external lines; of an own town among internal lines.
    internal_log_odds : float
        Prior log odds of an internal line; minus infinity where towns are no origins.
    positions_m : numpy.ndarray of shape (n_towns, 2)
        Eastings and northings.
    flow_ids : tuple of str
        ``origin>town``, as `geo.tables.OD_TRIPS` names a pair.
    """

    origin_ids: tuple[str, ...]
    town_ids: tuple[str, ...]
    n_external: int
    origin: IntArray
    town: IntArray
    features: FloatArray
    starts: IntArray
    residents: FloatArray
    log_strength: FloatArray
    internal_log_odds: float
    positions_m: FloatArray

    @property
    def n_pairs(self) -> int:
        """How many pairs can be travelled."""
        return len(self.origin)

    @property
    def flow_ids(self) -> list[str]:
        """Ids of the pairs as the table of trips has them."""
        return [f"{self.origin_ids[i]}>{self.town_ids[j]}" for i, j in zip(self.origin, self.town, strict=True)]

    def log_shares(self, coefficients: FloatArray) -> FloatArray:
        """
        Give the logarithm of each pair's share of its origin.

        Parameters
        ----------
        coefficients : numpy.ndarray of shape (..., 4)
            In the order of `models.posterior.priors.COEFFICIENTS`.

        Returns
        -------
        numpy.ndarray of shape (..., n_pairs)
            Exponentials sum to 1 over the pairs of an origin.
        """
        pull = coefficients @ self.features.T
        top = np.maximum.reduceat(pull, self.starts, axis=-1)[..., self.origin]
        total = np.add.reduceat(np.exp(pull - top), self.starts, axis=-1)[..., self.origin]
        return np.asarray(pull - top - np.log(total))


def build_ways(
    costs: pd.DataFrame,
    towns: pd.DataFrame,
    exporters: pd.DataFrame,
    priors: Priors,
    *,
    internal_share: float,
    cost_floor_min: float = COST_FLOOR_MIN,
) -> Ways:
    """
    Lay out every pair that can be travelled.

    Parameters
    ----------
    costs : pandas.DataFrame
        ``origin_id, destination_id, cost_min``: minutes door to door by the better mode; null where there is no way.
    towns : pandas.DataFrame
        Table `geo.tables.PLACES`: the force's towns.
    exporters : pandas.DataFrame
        Table `geo.tables.EXPORTERS`. `prior_lines` is the prior strength where it is known for all, else residents.
    priors : Priors
        Coefficients at whose mean an exporter's pull on the whole force is weighed.
    internal_share : float
        Prior share of lines that start inside the force, 0 to below 1.
    cost_floor_min : float
        Shorter journeys count as this, minutes.

    Returns
    -------
    Ways
        The pairs; a town that no origin reaches has none.

    Raises
    ------
    TableError
        If no pair can be travelled, or no town has residents.

    Notes
    -----
    Rivals of a pair are all listed exporters but its own, weighed by residents over minutes; where there is no rival
    the term is constant and drops out. A list of exporters is best made by a rule, such as every metropolitan area
    within three hours: a rival that is left out makes its own market look open.
    """
    town_ids = tuple(sorted(map(str, towns.index)))
    external = tuple(sorted(map(str, exporters.index)))
    usable = costs.dropna(subset=["cost_min"])
    usable = usable[usable["destination_id"].isin(town_ids) & np.isfinite(usable["cost_min"])]
    usable = usable[usable["destination_id"] != usable["origin_id"]]
    travelled = set(usable["origin_id"].unique())
    own = tuple(i for i in town_ids if i in travelled) if internal_share > 0 else ()
    origin_ids = tuple(i for i in external if i in travelled) + own
    usable = usable[usable["origin_id"].isin(origin_ids)]
    if usable.empty:
        msg = "costs: no pair of origin and town can be travelled, expected some. Check exporters, stations and roads."
        raise TableError(msg)
    origin = pd.Index(origin_ids).get_indexer(pd.Index(usable["origin_id"]))
    town = pd.Index(town_ids).get_indexer(pd.Index(usable["destination_id"]))
    order = np.lexsort((town, origin))
    origin, town = origin[order].astype(np.int64), town[order].astype(np.int64)
    cost_min = np.maximum(usable["cost_min"].to_numpy(float)[order], cost_floor_min)
    n_external = len(origin_ids) - len(own)
    if not towns["population"].sum() > 0:
        msg = "places: no town of the force has residents, expected some. Give their populations."
        raise TableError(msg)
    people = towns.loc[list(town_ids), "population"].to_numpy(float)
    strength = _strength(exporters.loc[list(origin_ids[:n_external])])
    rival = _rival_pull(origin, town, cost_min, strength, n_external, len(town_ids))
    log_mass = np.log(np.maximum(people, 1.0))
    features = np.column_stack(
        [log_mass[town] - log_mass.mean(), -np.log(cost_min), -cost_min, -(rival - rival.mean())]
    )
    starts = np.flatnonzero(np.r_[True, origin[1:] != origin[:-1]]).astype(np.int64)
    # An exporter runs more lines into a force that pulls more on it: its strength times the sum of its unscaled pulls.
    means = np.array([prior.mean for prior in priors.coefficients])
    pull = np.log(np.add.reduceat(np.exp(features @ means), starts))[:n_external] + np.log(strength)
    own_mass = np.log(np.maximum(towns.loc[list(own), "population"].to_numpy(float), 1.0)) if own else np.zeros(0)
    positions = towns.loc[list(town_ids), ["easting_m", "northing_m"]].to_numpy(float)
    return Ways(
        origin_ids=origin_ids,
        town_ids=town_ids,
        n_external=n_external,
        origin=origin,
        town=town,
        features=features,
        starts=starts,
        residents=people,
        log_strength=np.concatenate([_normalised(pull), _normalised(own_mass)]),
        internal_log_odds=float(np.log(internal_share / (1 - internal_share))) if own else -np.inf,
        positions_m=positions,
    )


def _strength(exporters: pd.DataFrame) -> FloatArray:
    """Prior lines where every exporter has them, else residents; positive."""
    lines = exporters["prior_lines"].to_numpy(float)
    weight = lines if len(lines) and np.isfinite(lines).all() else exporters["population"].to_numpy(float)
    return np.asarray(np.maximum(weight, 1e-9))


def _normalised(log_weight: FloatArray) -> FloatArray:
    """Logarithms of shares."""
    return np.asarray(log_weight - np.logaddexp.reduce(log_weight)) if len(log_weight) else log_weight


def _rival_pull(
    origin: IntArray, town: IntArray, cost_min: FloatArray, strength: FloatArray, n_external: int, n_towns: int
) -> FloatArray:
    """Logarithm of the rivals' pull on each pair's town; 0 throughout where some pair has no rival at all."""
    is_external = origin < n_external
    pull = np.where(is_external, strength[np.minimum(origin, n_external - 1)] / cost_min, 0.0) if n_external else 0.0
    into = np.bincount(town, weights=np.broadcast_to(pull, town.shape), minlength=n_towns)
    rivals = into[town] - pull
    # Rounding can leave a shade of the pair's own pull behind: what is below it is no rival.
    if n_external < 2 or (rivals <= 1e-9 * into[town]).any():
        return np.zeros(len(town))
    return np.asarray(np.log(rivals))
