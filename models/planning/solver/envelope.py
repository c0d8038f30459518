r"""
The least concave function above a meeting share, as planes: the rows that make the interception programme tight.

A pattern is met by duties that each miss it with chance :math:`1 - p_d`. Over all lists of at most so many duties, the
share met :math:`1 - \prod_d (1 - p_d)` is submodular, and the facets of the hull of its points are the strongest rows
:math:`t \le` height :math:`+ \sum_d` slope :math:`x_d` that hold for the pattern alone; the first of them, slopes
:math:`p_d` at height 0, is the submodular cut of Nemhauser and Wolsey [1]_. Duties with the same chance are
interchangeable, so the hull is that of counts by chance, which is small, and Quickhull [2]_ lists it.

Departure: where a slot has more than two chances, each is taken as a thinned one of the next of two higher up. The
share met is linear in each chance, so a slope times :math:`p_d / p` holds wherever the slope holds for :math:`p`.

References
----------
.. [1] Nemhauser, G. L. and Wolsey, L. A. (1981). "Maximizing submodular set functions: formulations and analysis of
   algorithms." North-Holland Mathematics Studies 59, 279-301.
.. [2] Barber, C. B., Dobkin, D. P. and Huhdanpaa, H. (1996). "The quickhull algorithm for convex hulls." ACM
   Transactions on Mathematical Software 22(4), 469-483.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import comb
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.spatial import ConvexHull

__all__ = ["Envelope", "Planes", "build_envelope"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_SAME = 1e-9
# Slopes are rounded so that facets that lie in one plane are one; heights are taken anew after that.
_DIGITS = 9
# Duties are counted by so many chances, and by fewer where teams are many, so that the counts are at most so many.
_MOST_CHANCES = 2
_MOST_COUNTS = 500


class Planes(NamedTuple):
    """
    Planes above the shares met of some patterns.

    Attributes
    ----------
    pattern : numpy.ndarray of shape (n_rows,)
        Pattern of each.
    slope : scipy.sparse.csr_matrix of shape (n_rows, n_duties)
        Slope for each duty.
    height : numpy.ndarray of shape (n_rows,)
        Share at no duty.
    """

    pattern: IntArray
    slope: sparse.csr_matrix
    height: FloatArray


@dataclass(frozen=True)
class Envelope:
    """
    Planes above the meeting shares of a slot's patterns.

    Attributes
    ----------
    reach : tuple of scipy.sparse.csr_matrix
        For each chance, of shape (n_patterns, n_duties), what share of it each duty has.
    first : numpy.ndarray of shape (n_patterns,)
        Number of the first plane of each pattern; those of a pattern follow one another.
    kind : numpy.ndarray of shape (n_patterns,)
        Patterns of one kind have the same planes.
    planes : tuple of numpy.ndarray of shape (n_planes, n_chances + 1)
        Slopes and height of each plane, by kind.
    """

    reach: tuple[sparse.csr_matrix, ...]
    first: IntArray
    kind: IntArray
    planes: tuple[FloatArray, ...]

    @property
    def n_planes(self) -> int:
        """Planes of all patterns."""
        return int(sum(len(self.planes[kind]) for kind in self.kind.tolist()))

    def find_lowest(self, point: FloatArray) -> IntArray:
        """
        Find the lowest plane of each pattern at a point.

        Parameters
        ----------
        point : numpy.ndarray of shape (n_duties,)
            How far each duty is chosen, in [0, 1].

        Returns
        -------
        numpy.ndarray of shape (n_patterns,)
            Numbers of planes.
        """
        at = np.column_stack([share @ point for share in self.reach])
        lowest = self.first.copy()
        for kind, planes in enumerate(self.planes):
            rows = np.flatnonzero(self.kind == kind)
            lowest[rows] += np.argmin(at[rows] @ planes[:, :-1].T + planes[:, -1], axis=1)
        return lowest

    def list_rows(self, numbers: IntArray) -> Planes:
        """
        List planes by their numbers.

        Parameters
        ----------
        numbers : numpy.ndarray of shape (n_rows,)
            Numbers of planes.

        Returns
        -------
        Planes
            In the order of the numbers.
        """
        pattern = np.searchsorted(self.first, numbers, side="right") - 1
        start = np.concatenate([[0], np.cumsum([len(planes) for planes in self.planes], dtype=np.int64)])
        # A slot without trips has no planes.
        every = np.concatenate([np.zeros((0, len(self.reach) + 1)), *self.planes])
        chosen = every[start[self.kind[pattern]] + numbers - self.first[pattern]]
        parts = [sparse.diags(chosen[:, k]) @ share[pattern] for k, share in enumerate(self.reach)]
        return Planes(pattern, sparse.csr_matrix(sum(parts[1:], parts[0])), chosen[:, -1])


def build_envelope(hazard: sparse.csr_matrix, n_teams: int) -> Envelope:
    """
    Build the planes of a slot.

    Parameters
    ----------
    hazard : scipy.sparse.csr_matrix of shape (n_patterns, n_duties)
        As in `models.planning.problem.duties.Duties`; every pattern can be met by some duty.
    n_teams : int
        Most duties at once, 1 or more.

    Returns
    -------
    Envelope
        Every list of at most so many duties lies on or below its planes.
    """
    chance = -np.expm1(-hazard.data)
    tops = _tops(chance, n_teams)
    of_cell = np.searchsorted(tops, chance - _SAME)
    reach = []
    for k, top in enumerate(tops.tolist()):
        share = hazard.copy()
        share.data = np.where(of_cell == k, np.minimum(chance / top, 1.0), 0.0)
        share.eliminate_zeros()
        reach.append(share)
    counts = np.minimum(np.column_stack([np.diff(share.indptr) for share in reach]), n_teams)
    kinds, kind = np.unique(counts, axis=0, return_inverse=True)
    planes = tuple(_planes(tuple(tops.tolist()), tuple(row), n_teams) for row in kinds.tolist())
    sizes = np.array([len(p) for p in planes], dtype=np.int64)[kind.ravel()]
    return Envelope(tuple(reach), np.cumsum(sizes) - sizes, kind.ravel().astype(np.int64), planes)


def _tops(chance: FloatArray, n_teams: int) -> FloatArray:
    """A few chances, of which every other is a share: the highest of each part of their range."""
    if chance.size == 0:
        return np.ones(1)
    levels: FloatArray = np.unique(chance)
    levels = levels[np.append(np.diff(levels) > _SAME, True)]
    n_tops = max(k for k in range(1, _MOST_CHANCES + 1) if k == 1 or comb(n_teams + k, k) <= _MOST_COUNTS)
    part = np.arange(levels.size) if levels.size <= n_tops else np.ceil(levels / levels[-1] * n_tops)
    tops: FloatArray = levels[np.append(np.diff(part) > 0, True)]
    return tops


@lru_cache(maxsize=4096)
def _planes(tops: tuple[float, ...], counts: tuple[int, ...], n_teams: int) -> FloatArray:
    """Slopes and height of the upper facets of the hull; slopes of chances that no duty has are 0."""
    grid = np.array([y for y in product(*(range(n + 1) for n in counts)) if sum(y) <= n_teams], dtype=float)
    met = 1.0 - np.prod((1.0 - np.array(tops)) ** grid, axis=1)
    used = np.flatnonzero(counts)
    # A point far below closes the hull from underneath.
    points = np.vstack([np.column_stack([grid[:, used], met]), np.append(np.zeros(used.size), -1.0)])
    facets = ConvexHull(points).equations
    upper = facets[facets[:, -2] > _SAME]
    slopes = np.zeros((len(upper), len(tops)))
    slopes[:, used] = np.maximum(-upper[:, :-2] / upper[:, [-2]], 0.0)
    slopes = np.unique(slopes.round(_DIGITS), axis=0)
    height = (met[:, None] - grid @ slopes.T).max(axis=0)
    return np.column_stack([slopes, height])
