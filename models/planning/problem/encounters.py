r"""
Who can be met where: the routes of couriers, folded into patterns of stations with a chance at each.

In come `geo.corridors.routes.RouteSets`; out come `Encounters`. A courier is met only where the train calls: on the
platform where he boards, changes or alights, and with a smaller chance on board at a call. Routes that the same
stations see with the same chances are one pattern, so that the plan's size is that of the railway, not of the pairs.
Chances are kept as hazards :math:`a = -\ln(1 - p)`: teams at several stations then add up, and a courier is met with
chance :math:`1 - e^{-u}` for :math:`u = \sum a` (the form of imperfect detection in flow interception; Hodgson [1]_
and Berman, Larson and Fouska [2]_ meet every trip with certainty).

References
----------
.. [1] Hodgson, M. J. (1990). "A flow-capturing location-allocation model." Geographical Analysis 22(3), 270-279.
.. [2] Berman, O., Larson, R. C. and Fouska, N. (1992). "Optimal location of discretionary service facilities."
   Transportation Science 26(3), 201-211.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from geo.corridors.routes import RouteSets
from geo.errors import InputError, UsageError

__all__ = [
    "DETECTION_SHARE",
    "ON_BOARD_FACTOR",
    "Encounters",
    "FoldedRows",
    "build_encounters",
    "fold_rows",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

DETECTION_SHARE = 0.2  # ASSUMPTION: one courier in five who stands on a worked platform is met
ON_BOARD_FACTOR = 0.25  # ASSUMPTION: a train that calls stands for a minute or two; a team sees a quarter of it
# A certain meeting would be an infinite hazard.
_MOST_CERTAIN = 1.0 - 1e-12


@dataclass(frozen=True)
class Encounters:
    """
    Patterns of stations at which trips can be met.

    Attributes
    ----------
    station_ids : tuple of str
        Stations that may be worked, in order of id.
    hazard : scipy.sparse.csr_matrix of shape (n_patterns, n_stations)
        -ln of the chance of passing a team there unmet.
    pattern_of_route : numpy.ndarray of shape (n_routes,)
        Pattern of each route; -1 where no station that may be worked sees it.
    pair_of_route : numpy.ndarray of shape (n_routes,)
        Pair of each route.
    worth : numpy.ndarray of shape (n_pairs,)
        What one trip of each pair counts for: 1, or its harm.
    routes : RouteSets
        What they were built from.
    """

    station_ids: tuple[str, ...]
    hazard: sparse.csr_matrix
    pattern_of_route: IntArray
    pair_of_route: IntArray
    worth: FloatArray
    routes: RouteSets

    def worth_of_routes(self, probability: FloatArray | None = None, trips: FloatArray | None = None) -> FloatArray:
        """
        Measure what each route carries in a month.

        Parameters
        ----------
        probability : numpy.ndarray of shape (n_routes,), optional
            Shares of the routes; as listed where absent.
        trips : numpy.ndarray of shape (n_pairs,), optional
            Trips a month by pair; as listed where absent.

        Returns
        -------
        numpy.ndarray of shape (n_routes,)
            Trips times worth, a month.
        """
        trips = self.routes.trips_per_month if trips is None else trips
        share = self.routes.probability if probability is None else probability
        carried: FloatArray = (trips * self.worth)[self.pair_of_route] * share
        return carried

    def worth_of_patterns(self, on_routes: FloatArray) -> FloatArray:
        """
        Sum what routes carry by pattern.

        Parameters
        ----------
        on_routes : numpy.ndarray of shape (n_routes,)
            What `worth_of_routes` returned.

        Returns
        -------
        numpy.ndarray of shape (n_patterns,)
            The same by pattern; what no team can see is left out.
        """
        seen = self.pattern_of_route >= 0
        n = self.hazard.shape[0]
        total: FloatArray = np.bincount(self.pattern_of_route[seen], weights=on_routes[seen], minlength=n).astype(float)
        return total

    def unlisted_share(self) -> float:
        """
        Measure how much of the trips by public modes goes by ways that are not listed.

        Returns
        -------
        float
            Share that the listed routes only stand for.
        """
        rail = self.worth_of_routes() * ~self.routes.is_road
        by_pair = np.bincount(self.pair_of_route, weights=rail, minlength=len(self.routes.flow_ids))
        return 1.0 - float(by_pair @ self.routes.listed_share) / (float(by_pair.sum()) or 1.0)

    def rail_worth(self) -> float:
        """
        Sum what all rail routes carry in a month, before any team stands anywhere.

        Returns
        -------
        float
            Trips times worth; the whole that a share met is a share of.
        """
        return float(self.worth_of_routes()[~self.routes.is_road].sum())


@dataclass(frozen=True)
class FoldedRows:
    """
    The distinct rows of a matrix.

    Attributes
    ----------
    rows : scipy.sparse.csr_matrix of shape (n_distinct, n_columns)
        Each distinct row once.
    first : numpy.ndarray of shape (n_distinct,)
        The first row of the matrix that is so.
    number : numpy.ndarray of shape (n_rows,)
        Which of them each row is.
    """

    rows: sparse.csr_matrix
    first: IntArray
    number: IntArray

    def sum_worth(self, worth: FloatArray) -> FloatArray:
        """
        Sum what alike rows are worth.

        Parameters
        ----------
        worth : numpy.ndarray of shape (n_rows,)
            Worth of each row.

        Returns
        -------
        numpy.ndarray of shape (n_distinct,)
            Worth of each distinct row.
        """
        total: FloatArray = np.bincount(self.number, weights=worth, minlength=self.first.size).astype(float)
        return total


def build_encounters(
    routes: RouteSets,
    eligible: Collection[str],
    *,
    detection_share: float = DETECTION_SHARE,
    on_board_factor: float = ON_BOARD_FACTOR,
    worth: pd.Series | None = None,
) -> Encounters:
    """
    Fold routes into patterns of stations.

    Parameters
    ----------
    routes : RouteSets
        From `geo.corridors.routes.list_route_sets`.
    eligible : collection of str
        Stations that teams may work.
    detection_share : float
        Chance that a team meets a courier who stands on its platform.
    on_board_factor : float
        The same for a courier on board a train that calls, as a factor on it, in [0, 1].
    worth : pandas.Series, optional
        By ``flow_id``, what one trip counts for (its harm); every trip counts 1 where absent.

    Returns
    -------
    Encounters
        Stations in order of id.

    Raises
    ------
    UsageError
        If a chance is out of range, or no station may be worked.
    InputError
        If the worth of a pair is missing or negative.
    """
    if not 0 < detection_share <= 1 or not 0 <= on_board_factor <= 1:
        msg = (
            f"plan: detection_share is {detection_share!r} and on_board_factor {on_board_factor!r}, expected a share "
            "above 0 and at most 1, and a factor in [0, 1]. Mend the [plan] settings."
        )
        raise UsageError(msg)
    ids = tuple(sorted(set(eligible) & set(routes.station_ids)))
    if not ids:
        msg = (
            f"plan: none of {len(set(eligible))} eligible stations is on the rail graph, expected at least one. "
            "Check must_not_visit and the force area."
        )
        raise UsageError(msg)
    n_routes = routes.cost_min.size
    column = np.full(len(routes.station_ids), -1, dtype=np.int64)
    row_of = {station: k for k, station in enumerate(routes.station_ids)}
    column[[row_of[station] for station in ids]] = np.arange(len(ids))
    at = column[routes.station_indices]
    seen = np.flatnonzero(at >= 0)
    on_platform = routes.platform_share[seen]
    chance = detection_share * (on_platform + (1.0 - on_platform) * on_board_factor)
    hazard = -np.log1p(-np.minimum(chance, _MOST_CERTAIN))
    route = np.repeat(np.arange(n_routes), np.diff(routes.station_indptr))[seen]
    by_route = _largest(route, at[seen], hazard, (n_routes, len(ids)))
    # What no station sees has no pattern.
    is_seen = np.diff(by_route.indptr) > 0
    patterns = fold_rows(by_route[is_seen])
    pattern_of_route = np.full(n_routes, -1, dtype=np.int64)
    pattern_of_route[is_seen] = patterns.number
    return Encounters(
        station_ids=ids,
        hazard=patterns.rows,
        pattern_of_route=pattern_of_route,
        pair_of_route=np.repeat(np.arange(len(routes.flow_ids)), np.diff(routes.route_indptr)),
        worth=_worth(worth, routes),
        routes=routes,
    )


def fold_rows(matrix: sparse.csr_matrix, *, label: BoolArray | None = None) -> FoldedRows:
    """
    Take rows that are alike as one.

    Parameters
    ----------
    matrix : scipy.sparse.csr_matrix
        Its rows. Only the order of its stored cells may change.
    label : numpy.ndarray of shape (n_rows,), optional
        Rows with different labels are kept apart.

    Returns
    -------
    FoldedRows
        Distinct rows in order of first use.

    Examples
    --------
    >>> folded = fold_rows(sparse.csr_matrix([[0.0, 1.0], [2.0, 0.0], [0.0, 1.0]]))
    >>> folded.first.tolist(), folded.number.tolist()
    ([0, 1], [0, 1, 0])
    """
    matrix.sort_indices()
    number: dict[bytes, int] = {}
    first: list[int] = []
    of_row = np.empty(matrix.shape[0], dtype=np.int64)
    for row, (start, stop) in enumerate(pairwise(matrix.indptr.tolist())):
        key = matrix.indices[start:stop].tobytes() + matrix.data[start:stop].tobytes()
        if label is not None:
            key = bytes([bool(label[row])]) + key
        if key not in number:
            number[key] = len(first)
            first.append(row)
        of_row[row] = number[key]
    return FoldedRows(sparse.csr_matrix(matrix[first]), np.array(first, dtype=np.int64), of_row)


def _worth(worth: pd.Series | None, routes: RouteSets) -> FloatArray:
    if worth is None:
        return np.ones(len(routes.flow_ids))
    values = worth.reindex(list(routes.flow_ids)).to_numpy(dtype=float)
    odd = ~(values >= 0)
    if odd.any():
        k = int(np.flatnonzero(odd)[0])
        msg = (
            f"worth: is {float(values[k])!r} at {routes.flow_ids[k]!r}, expected a number of 0 or more for each pair. "
            "Give every pair its harm."
        )
        raise InputError(msg)
    return values


def _largest(row: IntArray, column: IntArray, value: FloatArray, shape: tuple[int, int]) -> sparse.csr_matrix:
    """The matrix with the largest value where a cell stands twice; cells of 0 are left out."""
    order = np.lexsort((-value, column, row))
    row, column, value = row[order], column[order], value[order]
    first = np.ones(order.size, dtype=bool)
    first[1:] = (row[1:] != row[:-1]) | (column[1:] != column[:-1])
    keep = first & (value > 0)
    return sparse.csr_matrix((value[keep], (row[keep], column[keep])), shape=shape)
