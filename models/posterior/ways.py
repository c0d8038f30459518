r"""
The ways from origins to towns: what the corridor model says of every pair before any evidence.

.. math:: \pi_{ij} \propto n_j^{\beta} \, f_{ij} \, A_j^{-r}, \qquad \sum_j \pi_{ij} = 1, \qquad
    f_{ij} = c_{ij}^{-g} e^{-h c_{ij}}, \qquad A_j = \sum_k S_k f_{kj} + a,

with `n` residents, `c` door-to-door minutes by the better mode, and `A` the supply within reach of the town: all
exporters by their strength `S`, each thinned out by its way, and a little from elsewhere. The exponent says what limits
a market. At `r = 0` supply does: a town near many exporters gets as much more. At `r = 1` demand does: exporters share
the town's market as shops share their customers [1]_, and which of them are near says who supplies it, not how much.
That a town near London gets fewer London lines than distance alone says, and one near Birmingham too, is the same
competition. Without the supply from elsewhere, `a`, what is far from every exporter would be left to the nearest:
persons linked to London lines in Devon and Cornwall would be 600, not 56 (`benchmarks.evidence_model --only london`).

Tables in, arrays out, so that the posterior is linear algebra.

References
----------
.. [1] Huff, D. L. (1963). "A probabilistic analysis of shopping center trade areas." Land Economics 39(1), 81-90.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.errors import TableError
from models.posterior.priors import Priors

__all__ = ["COST_FLOOR_MIN", "ELSEWHERE_SHARE", "Ways", "add_elsewhere", "build_ways"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
# ASSUMPTION. Below this no trip is easier than another: getting out of the door takes as long.
COST_FLOOR_MIN = 15.0
# ASSUMPTION. Supply from a town's own dealers and from exporters that are not listed, against that of the listed ones
# in the middle town. Of 0, 0.25, 0.5, 1 and 2 London's persons, a force left out, like 0.25 and 0.5 best.
ELSEWHERE_SHARE = 0.25
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
        Logarithm of residents (about their mean), minus log minutes, minus minutes, minus log supply within reach
        (about its mean): the shares are ``softmax(features @ coefficients)`` within an origin.
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
    Supply within reach is that of all listed exporters, at the prior means of the decay, and `ELSEWHERE_SHARE`. A list
    of exporters is best made by a rule, such as every metropolitan area within three hours: one that is left out leaves
    its market to the others.
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
    means = np.array([prior.mean for prior in priors.coefficients])
    decay = np.column_stack([-np.log(cost_min), -cost_min])
    supply = _log_supply(origin, town, decay @ means[1:3], strength, n_external, len(town_ids))
    log_mass = np.log(np.maximum(people, 1.0))
    features = np.column_stack([log_mass[town] - log_mass.mean(), decay, -(supply - supply.mean())[town]])
    starts = np.flatnonzero(np.r_[True, origin[1:] != origin[:-1]]).astype(np.int64)
    # An exporter runs more lines into a force that pulls more on it: its strength times the sum of its unscaled pulls.
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


def _log_supply(
    origin: IntArray, town: IntArray, log_decay: FloatArray, strength: FloatArray, n_external: int, n_towns: int
) -> FloatArray:
    """Logarithm of the supply within reach of each town."""
    is_external = origin < n_external
    pull = strength[origin[is_external]] * np.exp(log_decay[is_external])
    supply = np.bincount(town[is_external], weights=pull, minlength=n_towns).astype(np.float64)
    return add_elsewhere(supply) if (supply > 0).any() else np.zeros(n_towns)


def add_elsewhere(supply: FloatArray) -> FloatArray:
    """
    Add to the supply of listed exporters what comes from elsewhere, and take logarithms.

    Parameters
    ----------
    supply : numpy.ndarray of shape (n_towns,)
        Of listed exporters; above 0 for one town at least.

    Returns
    -------
    numpy.ndarray of shape (n_towns,)
        Logarithm of the whole.
    """
    return np.asarray(np.log(supply + ELSEWHERE_SHARE * np.median(supply[supply > 0])))
