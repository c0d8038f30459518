"""
A slot made smaller before it is solved: duties that every better list holds, or that none does, are decided.

The prices and the bound of `models.planning.siting` say what it would cost to force a duty in or out. Where that would
push the bound below a list already at hand, the duty is decided. What is left sees fewer stations, so many patterns
become one, and the solver proves it far sooner.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from models.planning.duties import Duties
from models.planning.programme import Group, Programme, Slot
from models.planning.siting import price_sites

__all__ = ["Reduced", "reduce_slot"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Reduced:
    """
    What is left of a slot.

    Attributes
    ----------
    programme : Programme
        The open duties and the teams that are left; empty teams where all is decided.
    duties : numpy.ndarray
        Open duties, as numbered in the whole slot.
    decided : tuple of int
        Duties that are in.
    ground : float
        Worth met by these alone.
    at_hand : tuple of int
        The list that the decisions were made against.
    """

    programme: Programme
    duties: IntArray
    decided: tuple[int, ...]
    ground: float
    at_hand: tuple[int, ...]


def reduce_slot(slot: Slot, group: Group, *, time_limit_s: float) -> Reduced | None:
    """
    Decide what can be decided without the solver.

    Parameters
    ----------
    slot : Slot
        A slot whose duties are single stations.
    group : Group
        The only group.
    time_limit_s : float
        Seconds for the prices.

    Returns
    -------
    Reduced or None
        None where every duty fits, so that there is nothing to decide.
    """
    may_work = slot.may_work(group)
    allowed = np.flatnonzero([may_work[tour[0]] for tour in slot.duties.stops])
    if group.n_teams >= allowed.size:
        return None
    worth = slot.worth * slot.n_alike
    until = time.perf_counter() + time_limit_s
    priced = price_sites(slot.duties.hazard[:, allowed], worth, n_sites=group.n_teams, until=until)
    inside, still = allowed[priced.is_in], allowed[priced.is_open]
    passed = np.asarray(slot.duties.hazard[:, inside].sum(axis=1), dtype=float).ravel()
    merged, left = _merge_patterns(sparse.csr_matrix(slot.duties.hazard[:, still]), worth * np.exp(-passed))
    duties = Duties(
        tuple(slot.duties.stops[k] for k in still.tolist()),
        slot.duties.presence[:, still],
        merged,
        slot.duties.travel_min[still],
    )
    smaller = replace(slot, duties=duties, worth=left, n_alike=1)
    teams = replace(group, n_teams=group.n_teams - inside.size)
    return Reduced(
        Programme((smaller,), (teams,)),
        still,
        tuple(inside.tolist()),
        float(worth @ -np.expm1(-passed)),
        tuple(allowed[list(priced.sites)].tolist()),
    )


def _merge_patterns(rows: sparse.csr_matrix, worth: FloatArray) -> tuple[sparse.csr_matrix, FloatArray]:
    """Patterns that the open duties meet alike, taken as one with the worth of all."""
    rows.sort_indices()
    number: dict[bytes, int] = {}
    firsts: list[int] = []
    of_row = np.empty(rows.shape[0], dtype=np.int64)
    for k in range(rows.shape[0]):
        here = slice(rows.indptr[k], rows.indptr[k + 1])
        key = rows.indices[here].tobytes() + rows.data[here].tobytes()
        if key not in number:
            number[key] = len(firsts)
            firsts.append(k)
        of_row[k] = number[key]
    total = np.bincount(of_row, weights=worth, minlength=len(firsts)).astype(float)
    return sparse.csr_matrix(rows[firsts]), total
