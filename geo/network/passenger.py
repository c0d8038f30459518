"""
The railway as a passenger can use it: platforms, trains that call, waits and changes, as arrays.

Where there is a timetable, each stopping pattern has a node on board at each of its calls, so a train that does not
call cannot be boarded, and a change costs an alighting and a new wait. Without one there are only platforms and the
links between neighbouring stations.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

__all__ = ["ArcKind", "PassengerGraph"]


class ArcKind(IntEnum):
    """What a passenger does on an arc."""

    RIDE = 0
    BOARD = 1
    ALIGHT = 2
    STAY = 3
    WALK = 4


@dataclass(frozen=True)
class PassengerGraph:
    """
    A directed graph of minutes over platforms and trains.

    Attributes
    ----------
    station_ids : tuple of str
        CRS codes. Node k < n_stations is the platform of station k; further nodes are on board a train at a call.
    link_ids : tuple of str
        Rail links (index of `geo.tables.RAIL_LINKS`) that `link_indices` points into.
    node_station : numpy.ndarray of shape (n_nodes,)
        Position in `station_ids` of the station each node is at.
    tail, head : numpy.ndarray of shape (n_arcs,)
        Nodes at the ends of each arc.
    minutes : numpy.ndarray of shape (n_arcs,)
        Time of each arc, positive. BOARD holds the wait; ALIGHT and WALK hold the change or walking time.
    kind : numpy.ndarray of shape (n_arcs,)
        An `ArcKind` each.
    link_indptr : numpy.ndarray of shape (n_arcs + 1,)
        Where the rail links under each arc start in `link_indices`; empty for arcs that do not move along track.
    link_indices : numpy.ndarray
        Positions in `link_ids`.
    """

    station_ids: tuple[str, ...]
    link_ids: tuple[str, ...]
    node_station: NDArray[np.int32]
    tail: NDArray[np.int32]
    head: NDArray[np.int32]
    minutes: NDArray[np.float64]
    kind: NDArray[np.int8]
    link_indptr: NDArray[np.int64]
    link_indices: NDArray[np.int32]
