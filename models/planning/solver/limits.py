"""
The rules of the interception programme as rows: so many teams, one at a station, musts, and crews that rest.

A programme and the places of its columns come in; out come rows that every choice keeps.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from models.planning.problem import Programme, Slot

__all__ = ["Rows", "list_limits", "place_blocks", "stack_rows"]

FloatArray = NDArray[np.float64]


class Rows(NamedTuple):
    """
    Rows of a linear programme, each at most its limit.

    Attributes
    ----------
    matrix : scipy.sparse.csr_matrix of shape (n_rows, n_columns)
        Coefficients.
    limit : numpy.ndarray of shape (n_rows,)
        Limits.
    """

    matrix: sparse.csr_matrix
    limit: FloatArray


def list_limits(programme: Programme, choice: list[int], width: int) -> Rows:
    """
    List the limits of teams, stations, musts and crews.

    Parameters
    ----------
    programme : Programme
        Slots, teams and rules.
    choice : list of int
        First column of each slot's choices, which stand group by duty.
    width : int
        Columns in all.

    Returns
    -------
    Rows
        What every choice that is allowed keeps, and no other does.
    """
    n_groups, starts = len(programme.groups), list(zip(programme.slots, choice, strict=True))
    rules = []
    for slot, first in starts:
        at_station = (slot.duties.presence > 0).astype(float).tocsr()
        once = sparse.hstack([at_station] * n_groups, format="csr")
        rules.append(Rows(place_blocks(width, [(first, once)]), np.ones(once.shape[0])))
        for g, group in enumerate(programme.groups):
            rules.append(_count(width, [(slot, first)], [g], float(group.n_teams)))
    for station in programme.must:
        blocks = []
        for slot, first in starts:
            here = (slot.duties.presence[[station], :] > 0).astype(float)
            blocks.append((first, sparse.hstack([-here] * n_groups, format="csr")))
        rules.append(Rows(place_blocks(width, blocks), -np.ones(1)))
    if programme.most_teams is not None:
        rules.append(_count(width, starts, list(range(n_groups)), float(programme.most_teams), is_by_day=True))
    for g, group in enumerate(programme.groups):
        if group.n_crews is not None:
            rules += _crew_rules(programme, starts, width, g, group.n_crews)
    return stack_rows(rules)


def stack_rows(parts: list[Rows]) -> Rows:
    """
    Stack rows.

    Parameters
    ----------
    parts : list of Rows
        One or more.

    Returns
    -------
    Rows
        All of them, in order.
    """
    matrix = sparse.csr_matrix(sparse.vstack([part.matrix for part in parts], format="csr"))
    return Rows(matrix, np.concatenate([part.limit for part in parts]))


def place_blocks(width: int, blocks: list[tuple[int, sparse.csr_matrix]]) -> sparse.csr_matrix:
    """
    Place blocks side by side in wider rows.

    Parameters
    ----------
    width : int
        Columns of the rows.
    blocks : list of (int, scipy.sparse.csr_matrix)
        Blocks of the same rows, each with its first column.

    Returns
    -------
    scipy.sparse.csr_matrix of shape (n_rows, width)
        The rows.
    """
    coos = [(first, block.tocoo()) for first, block in blocks]
    row = np.concatenate([coo.row for _, coo in coos])
    column = np.concatenate([coo.col + first for first, coo in coos])
    value = np.concatenate([coo.data for _, coo in coos])
    return sparse.csr_matrix((value, (row, column)), shape=(blocks[0][1].shape[0], width))


def _count(
    width: int, starts: list[tuple[Slot, int]], groups: list[int], limit: float, *, is_by_day: bool = False
) -> Rows:
    """One row: teams of the groups on the slots, each counted once or for every day alike."""
    blocks = []
    for slot, first in starts:
        n_duties = len(slot.duties.stops)
        weight = float(slot.n_alike) if is_by_day else 1.0
        blocks += [(first + g * n_duties, sparse.csr_matrix(np.full((1, n_duties), weight))) for g in groups]
    return Rows(place_blocks(width, blocks), np.array([limit]))


def _crew_rules(programme: Programme, starts: list[tuple[Slot, int]], width: int, g: int, n_crews: int) -> list[Rows]:
    """
    At each start of a slot, crews at work or resting are at most those there are.

    Work with rest after it is an interval, and as many crews as overlap at most can work all intervals.
    """
    rules = []
    for now in programme.slots:
        busy = [(s, first) for s, first in starts if s.start_h <= now.start_h < s.end_h + programme.rest_h]
        rules.append(_count(width, busy, [g], float(n_crews)))
    return rules
