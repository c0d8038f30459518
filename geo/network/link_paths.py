"""The rail links that a train follows from one call to the next: RAIL_LINKS and pairs of stations in, paths out."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

__all__ = ["find_link_paths"]

IntArray = NDArray[np.int32]
_NO_NODE = -9999


def find_link_paths(
    links: pd.DataFrame, stations: pd.Index, start: NDArray[np.integer], end: NDArray[np.integer]
) -> list[IntArray]:
    """
    Find the shortest path of links between pairs of stations.

    Parameters
    ----------
    links : pandas.DataFrame
        Table `geo.tables.RAIL_LINKS`. Never modified.
    stations : pandas.Index
        CRS codes; all ends of links are among them.
    start, end : numpy.ndarray of shape (n,)
        Positions in `stations`.

    Returns
    -------
    list of numpy.ndarray
        For each pair the positions in `links`, in the order of travel; empty where there is no path.
    """
    if links.empty:
        return [np.zeros(0, dtype=np.int32)] * len(start)
    low, high = (stations.get_indexer(pd.Index(links[name])) for name in ("from_station_id", "to_station_id"))
    n = len(stations)
    link_of = {pair: k for k, pair in enumerate(zip(low.tolist(), high.tolist(), strict=True))}
    link_of |= {(b, a): k for (a, b), k in link_of.items()}
    pairs, which = np.unique(np.stack([start, end], axis=1).astype(np.intp), axis=0, return_inverse=True)
    paths: list[IntArray] = []
    todo = [k for k, pair in enumerate(pairs.tolist()) if tuple(pair) not in link_of]
    sources, row = np.unique(pairs[todo, 0], return_inverse=True)
    before = np.zeros((0, n), dtype=np.int32)
    if len(sources):
        adjacency = csr_array((np.maximum(links["length_m"].to_numpy(dtype=float), 1e-6), (low, high)), shape=(n, n))
        before = dijkstra(adjacency, directed=False, indices=sources, return_predecessors=True)[1]
    row_of = dict(zip(todo, row.tolist(), strict=True))
    for k, (a, b) in enumerate(pairs.tolist()):
        direct = link_of.get((a, b))
        found = [direct] if direct is not None else _follow(before[row_of[k]], a, b, link_of)
        paths.append(np.asarray(found, dtype=np.int32))
    return [paths[k] for k in which.tolist()]


def _follow(before: NDArray[np.integer], a: int, b: int, link_of: dict[tuple[int, int], int]) -> list[int]:
    """Links from a to b, read backwards from b."""
    found: list[int] = []
    at = b
    while at != a:
        previous = int(before[at])
        if previous == _NO_NODE:
            return []
        found.append(link_of[previous, at])
        at = previous
    return found[::-1]
