"""
The interception programme as rows and columns, and what its linear relaxation proves.

A programme comes in; out come its rules (`limits`), the planes of `envelope` for each slot, and the answer of the
linear programme with some of them. Its bound and prices are taken anew from the row duals, by weak duality, so they
hold whatever the tolerance of the solver.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import linprog

from models.planning.problem import Choice, Programme, Slot, Work, duties_of
from models.planning.solver.envelope import Envelope, Planes, build_envelope
from models.planning.solver.limits import Rows, list_limits, place_blocks, stack_rows

__all__ = ["Point", "Relaxation", "Relaxed", "relax_programme"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Point = tuple[FloatArray, ...]
"""How far each duty is chosen, by slot."""

_SAME = 1e-9


class Relaxed(NamedTuple):
    """
    Answer of the linear relaxation.

    Attributes
    ----------
    point : numpy.ndarray of shape (n_columns,)
        The columns.
    bound : float
        No choice meets more.
    price : numpy.ndarray of shape (n_columns,)
        A choice that holds a column of negative price meets at most the bound and that price.
    """

    point: FloatArray
    bound: float
    price: FloatArray


@dataclass(frozen=True)
class Relaxation:
    """
    Columns: for each slot its choices, group by duty, then the share met of each pattern that can be met.

    Attributes
    ----------
    programme : Programme
        What it stands for.
    choice, meets : tuple of int
        First column of each slot's choices, and of its shares.
    patterns : tuple of numpy.ndarray
        Patterns that some group can meet, by slot.
    envelopes : tuple of Envelope
        Planes above their shares, by slot.
    worth : numpy.ndarray of shape (n_columns,)
        What each column meets.
    most : numpy.ndarray of shape (n_columns,)
        1; 0 for duties that a group may not work.
    is_choice : numpy.ndarray of shape (n_columns,)
        Whether it is 0 or 1.
    rules : Rows
        Limits of teams, stations, musts and crews.
    """

    programme: Programme
    choice: tuple[int, ...]
    meets: tuple[int, ...]
    patterns: tuple[IntArray, ...]
    envelopes: tuple[Envelope, ...]
    worth: FloatArray
    most: FloatArray
    is_choice: NDArray[np.bool_]
    rules: Rows

    def by_duty(self, columns: FloatArray) -> tuple[FloatArray, ...]:
        """
        Take the choices out of the columns.

        Parameters
        ----------
        columns : numpy.ndarray of shape (n_columns,)
            A figure for each column.

        Returns
        -------
        tuple of numpy.ndarray of shape (n_groups, n_duties)
            Those of the choices, by slot.
        """
        n_groups = len(self.programme.groups)
        return tuple(
            columns[first:meets].reshape(n_groups, -1) for first, meets in zip(self.choice, self.meets, strict=True)
        )

    def count_teams(self, columns: FloatArray) -> Point:
        """
        Count the teams of all groups on each duty.

        Parameters
        ----------
        columns : numpy.ndarray of shape (n_columns,)
            The columns.

        Returns
        -------
        tuple of numpy.ndarray of shape (n_duties,)
            Teams, maybe in parts, by slot.
        """
        return tuple(chosen.sum(axis=0) for chosen in self.by_duty(columns))

    def find_lowest(self, points: list[Point]) -> tuple[IntArray, ...]:
        """
        Find the lowest planes of each pattern at some points.

        Parameters
        ----------
        points : list of tuple of numpy.ndarray of shape (n_duties,)
            How far each duty is chosen, by slot.

        Returns
        -------
        tuple of numpy.ndarray
            Numbers of planes, by slot, each once.
        """
        return tuple(
            np.unique(np.concatenate([envelope.find_lowest(point[s]) for point in points]))
            for s, envelope in enumerate(self.envelopes)
        )

    def list_planes(self, numbers: tuple[IntArray, ...]) -> Rows:
        """
        List planes as rows.

        Parameters
        ----------
        numbers : tuple of numpy.ndarray
            Numbers of planes, by slot.

        Returns
        -------
        Rows
            The share met, less slopes times choices, is at most the height.
        """
        made = []
        for s, (envelope, chosen) in enumerate(zip(self.envelopes, numbers, strict=True)):
            made.append(self._cut(s, envelope.list_rows(chosen)))
        return stack_rows(made)

    def list_tangents(self, choice: Choice) -> Rows:
        """
        List the tangents of all patterns at a choice.

        Parameters
        ----------
        choice : Choice
            For each slot, the work of each team.

        Returns
        -------
        Rows
            Exact at the choice, and above every other.
        """
        made = []
        for s, (slot, met, teams) in enumerate(zip(self.programme.slots, self.patterns, choice, strict=True)):
            hazard = slot.duties.hazard[met]
            total = np.asarray(hazard[:, duties_of(teams)].sum(axis=1)).ravel()
            steep = np.exp(-total)
            slope = sparse.csr_matrix(sparse.diags(steep) @ hazard)
            made.append(self._cut(s, Planes(np.arange(met.size), slope, 1.0 - steep - steep * total)))
        return stack_rows(made)

    def relax(self, rows: Rows, time_limit_s: float) -> Relaxed | None:
        """
        Solve the linear relaxation.

        Parameters
        ----------
        rows : Rows
            Rules and planes.
        time_limit_s : float
            Seconds for it.

        Returns
        -------
        Relaxed or None
            None where no choice is allowed, or the time was too short.
        """
        # Worth is scaled, since the solver's tolerances are absolute. The solver is given the dual, which takes a tenth
        # of the time: the least that limits cost at duals such that no column is worth more than its rows.
        scale, n_rows = float(self.worth.sum()) or 1.0, rows.limit.size
        covers: Any = -sparse.hstack([rows.matrix.T, sparse.identity(self.most.size)], format="csr")
        result = linprog(
            np.concatenate([rows.limit, self.most]),
            A_ub=covers,
            b_ub=-self.worth / scale,
            bounds=(0.0, None),
            method="highs",
            options={"time_limit": max(time_limit_s, 0.0)},
        )
        if result.status != 0:
            return None
        dual = scale * np.maximum(np.asarray(result.x)[:n_rows], 0.0)
        price = self.worth - rows.matrix.T @ dual
        bound = float(rows.limit @ dual + self.most @ np.maximum(price, 0.0))
        return Relaxed(np.clip(-np.asarray(result.ineqlin.marginals), 0.0, 1.0), bound, price)

    def is_allowed(self, choice: Choice) -> bool:
        """
        Say whether a choice keeps all rules.

        Parameters
        ----------
        choice : Choice
            For each slot, the work of each team.

        Returns
        -------
        bool
            Whether it does.
        """
        point = np.zeros(self.most.size)
        for first, slot, teams in zip(self.choice, self.programme.slots, choice, strict=True):
            point[[first + work.group * len(slot.duties.stops) + work.duty for work in teams]] = 1.0
        return bool((point <= self.most).all() and (self.rules.matrix @ point <= self.rules.limit + _SAME).all())

    def read_choice(self, point: FloatArray) -> Choice:
        """
        Read the choice off the columns.

        Parameters
        ----------
        point : numpy.ndarray of shape (n_columns,)
            The columns.

        Returns
        -------
        Choice
            For each slot, the work of each team.
        """
        chosen = []
        for slot, first, meets in zip(self.programme.slots, self.choice, self.meets, strict=True):
            on = np.flatnonzero(point[first:meets] > 0.5)
            chosen.append(tuple(Work(*divmod(int(k), len(slot.duties.stops))) for k in on))
        return tuple(chosen)

    def _cut(self, s: int, planes: Planes) -> Rows:
        """Rows of one slot: the share of a pattern less slopes times the choices of all groups."""
        n = planes.pattern.size
        ones = sparse.csr_matrix((np.ones(n), (np.arange(n), planes.pattern)), shape=(n, self.patterns[s].size))
        choices = sparse.hstack([-planes.slope] * len(self.programme.groups), format="csr")
        return Rows(place_blocks(self.most.size, [(self.choice[s], choices), (self.meets[s], ones)]), planes.height)


def relax_programme(programme: Programme) -> Relaxation:
    """
    Lay out the columns and rules of a programme.

    Parameters
    ----------
    programme : Programme
        Slots, teams and rules.

    Returns
    -------
    Relaxation
        Its columns, rules and planes.
    """
    n_groups, n_teams = len(programme.groups), sum(group.n_teams for group in programme.groups)
    choice, meets, patterns, envelopes, worth, most = [], [], [], [], [], []
    size = 0
    for slot in programme.slots:
        allowed = _allowed(programme, slot)
        met = np.flatnonzero((slot.duties.hazard @ np.max(allowed, axis=0) > 0) & (slot.worth > 0))
        patterns.append(met)
        envelopes.append(build_envelope(slot.duties.hazard[met], max(n_teams, 1)))
        choice.append(size)
        meets.append(size + n_groups * len(slot.duties.stops))
        size = meets[-1] + met.size
        worth += [np.zeros(meets[-1] - choice[-1]), slot.worth[met] * slot.n_alike]
        most += [*allowed, np.ones(met.size)]
    is_choice = np.concatenate([np.full(part.size, k % 2 == 0) for k, part in enumerate(worth)])
    return Relaxation(
        programme,
        tuple(choice),
        tuple(meets),
        tuple(patterns),
        tuple(envelopes),
        np.concatenate(worth),
        np.concatenate(most),
        is_choice,
        list_limits(programme, choice, size),
    )


def _allowed(programme: Programme, slot: Slot) -> list[FloatArray]:
    """For each group, 1 for the duties in its jurisdiction; none where one team on all days alike is too many."""
    if programme.most_teams is not None and slot.n_alike > programme.most_teams:
        return [np.zeros(len(slot.duties.stops)) for _ in programme.groups]
    areas = [slot.may_work(group) for group in programme.groups]
    return [np.array([float(area[list(tour)].all()) for tour in slot.duties.stops]) for area in areas]
