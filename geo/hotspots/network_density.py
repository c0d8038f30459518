r"""
Kernel density on a network: simple, discontinuous (equal split) and continuous, in time linear in the network.

In: a `Network` and events on its edges. Out: events a kilometre in each lixel (a short piece of an edge). Departure
from the usual form: that follows every path from every event, and the number of paths grows without bound where edges
are short. Here all events send out waves of mass together; in each step a wave crosses one lixel, and at a node it
splits as the method says. The wave that is :math:`d` from its event weighs :math:`K(d / h) / h`, integrated over the
lixel, so that mass is kept exactly. An edge is a whole number of lixels, so distances are rounded by up to half a
lixel an edge.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import sparse

from geo.crs import require_metric
from geo.errors import InputError, UsageError

__all__ = ["Lixels", "Network", "build_network", "cut_lixels", "measure_network_density", "snap_events"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

METHODS = ("simple", "discontinuous", "continuous")


@dataclass(frozen=True)
class Network:
    """
    Edges between numbered nodes.

    Attributes
    ----------
    tail, head : numpy.ndarray of shape (n_edges,)
        Node at the start and at the end of each edge.
    length_m : numpy.ndarray of shape (n_edges,)
        Length of each edge, metres, positive.
    n_nodes : int
        Number of nodes.
    """

    tail: IntArray
    head: IntArray
    length_m: FloatArray
    n_nodes: int

    def __post_init__(self) -> None:
        if not (self.length_m > 0).all():
            n = int((~(self.length_m > 0)).sum())
            msg = f"network: {n} edges have no length, expected a positive length in metres each. Leave them out."
            raise InputError(msg)

    def build_neighbours(self) -> sparse.csr_array:
        """
        Build binary weights between edges that share a node.

        Returns
        -------
        scipy.sparse.csr_array of shape (n_edges, n_edges)
            Symmetric, ones, empty diagonal: for Gi* and local Moran on street segments.
        """
        n_edges = len(self.tail)
        edge = np.arange(n_edges)
        at = sparse.csr_array(
            (np.ones(2 * n_edges), (np.concatenate([edge, edge]), np.concatenate([self.tail, self.head]))),
            shape=(n_edges, self.n_nodes),
        )
        shared = sparse.csr_array(at @ at.T)
        shared.setdiag(0)
        shared.eliminate_zeros()
        shared.data[:] = 1.0
        return shared


@dataclass(frozen=True)
class Lixels:
    """
    Edges cut into equal pieces.

    Attributes
    ----------
    edge : numpy.ndarray of shape (n_lixels,)
        Edge of each lixel, in order along it.
    start_m, length_m : numpy.ndarray of shape (n_lixels,)
        Distance from the edge's tail to the lixel, and its length, metres.
    first : numpy.ndarray of shape (n_edges + 1,)
        First lixel of each edge.
    lixel_m : float
        The length aimed at.
    """

    edge: IntArray
    start_m: FloatArray
    length_m: FloatArray
    first: IntArray
    lixel_m: float


def build_network(lines: gpd.GeoDataFrame, *, join_m: float = 0.01) -> Network:
    """
    Build a network from lines that meet at their ends.

    Parameters
    ----------
    lines : geopandas.GeoDataFrame
        LineStrings in EPSG:27700, noded, such as road segments or `geo.tables.RAIL_TRACK`. Never modified.
    join_m : float, default 0.01
        Ends closer than this, on a grid of this size, are one node.

    Returns
    -------
    Network
        Edges in the order of the lines.

    Raises
    ------
    CrsError
        If the lines are not in EPSG:27700.
    InputError
        If a line is not a LineString or has no length.
    """
    require_metric(lines, "lines")
    kinds = set(lines.geom_type)
    if kinds - {"LineString"}:
        msg = (
            f"lines: they hold {', '.join(sorted(map(str, kinds)))}, expected LineString. Take multi-part lines apart."
        )
        raise InputError(msg)
    geometry = lines.geometry.to_numpy()
    ends = np.concatenate([shapely.get_point(geometry, 0), shapely.get_point(geometry, -1)])
    at = np.round(shapely.get_coordinates(ends) / join_m).astype(np.int64)
    distinct, node = np.unique(at, axis=0, return_inverse=True)
    node = node.reshape(-1).astype(np.int64)
    n = len(geometry)
    return Network(node[:n], node[n:], shapely.length(geometry), len(distinct))


def snap_events(
    lines: gpd.GeoDataFrame, easting_m: FloatArray, northing_m: FloatArray, *, most_offset_m: float
) -> tuple[IntArray, FloatArray]:
    """
    Put points onto the nearest line.

    Parameters
    ----------
    lines : geopandas.GeoDataFrame
        LineStrings in EPSG:27700.
    easting_m, northing_m : numpy.ndarray of shape (n,)
        Points in metres.
    most_offset_m : float
        Points further than this from every line are not snapped.

    Returns
    -------
    edge : numpy.ndarray of shape (n,)
        Position of the line, -1 where none is near. Of lines equally near, the first.
    chainage_m : numpy.ndarray of shape (n,)
        Distance along it from its start, 0 where none is near.

    Raises
    ------
    CrsError
        If the lines are not in EPSG:27700.
    """
    require_metric(lines, "lines")
    geometry = lines.geometry.to_numpy()
    points = shapely.points(easting_m, northing_m)
    found = shapely.STRtree(geometry).query_nearest(points, max_distance=most_offset_m, all_matches=True)
    edge = np.full(len(points), np.iinfo(np.int64).max)
    np.minimum.at(edge, found[0], found[1])
    edge[edge == np.iinfo(np.int64).max] = -1
    near = edge >= 0
    chainage_m = np.zeros(len(points))
    chainage_m[near] = shapely.line_locate_point(geometry[edge[near]], points[near])
    return edge, chainage_m


def cut_lixels(network: Network, *, lixel_m: float) -> Lixels:
    """
    Cut every edge into equal lixels close to a target length.

    Parameters
    ----------
    network : Network
        The edges.
    lixel_m : float
        Target length, metres.

    Returns
    -------
    Lixels
        At least one an edge, without a short remainder.

    Raises
    ------
    UsageError
        If the target is not positive.
    """
    if not lixel_m > 0:
        msg = f"lixel_m: it is {lixel_m!r}, expected a positive length in metres. Give the length of a piece."
        raise UsageError(msg)
    n_pieces = np.maximum(1, np.round(network.length_m / lixel_m)).astype(np.int64)
    first = np.concatenate([[0], np.cumsum(n_pieces)])
    edge = np.repeat(np.arange(len(n_pieces)), n_pieces)
    piece_m = network.length_m / n_pieces
    start_m = (np.arange(first[-1]) - first[edge]) * piece_m[edge]
    return Lixels(edge, start_m, piece_m[edge], first, lixel_m)


def measure_network_density(
    network: Network,
    lixels: Lixels,
    edge: IntArray,
    chainage_m: FloatArray,
    weight: FloatArray,
    *,
    bandwidth_m: float,
    method: str = "continuous",
) -> FloatArray:
    r"""
    Measure kernel density in every lixel, with the quartic kernel :math:`\frac{15}{16}(1-u^2)^2`.

    1. An event lies between two lixel ends and is shared between them in proportion to nearness.
    2. From a place inside an edge a wave of amplitude 1 leaves each way; from a node of degree v, 2/v on each edge
       (``simple``: 1).
    3. At a node of degree n a wave goes on: ``simple`` 1 on each other edge; ``discontinuous`` 1/(n-1) on each other
       edge, nothing at a dead end; ``continuous`` 2/n on each other edge and (2-n)/n back on its own.

    Parameters
    ----------
    network : Network
        The edges.
    lixels : Lixels
        From `cut_lixels` of the same network; a tenth of the bandwidth or less is wise.
    edge : numpy.ndarray of shape (n,)
        Edge of each event.
    chainage_m : numpy.ndarray of shape (n,)
        Its distance from the edge's tail, metres.
    weight : numpy.ndarray of shape (n,)
        Its weight.
    bandwidth_m : float
        Reach of the kernel along the network, metres.
    method : {"continuous", "discontinuous", "simple"}, default "continuous"
        How waves pass nodes.

    Returns
    -------
    numpy.ndarray of shape (n_lixels,)
        Weight a kilometre, mean over the lixel. Times the lengths it sums to the weights: always if continuous, and if
        discontinuous unless a dead end is within reach. The simple form makes mass at every junction.

    Raises
    ------
    UsageError
        If the bandwidth is not positive or the method is unknown.
    InputError
        If an event is on no edge.

    References
    ----------
    .. [1] Okabe, A., Satoh, T. and Sugihara, K. (2009). "A kernel density estimation method for networks, its
       computational method and a GIS-based tool." International Journal of Geographical Information
       Science 23(1), 7-32.
    """
    if not bandwidth_m > 0:
        msg = f"bandwidth_m: it is {bandwidth_m!r}, expected a positive length in metres. Give the kernel's reach."
        raise UsageError(msg)
    if method not in METHODS:
        msg = f"method: it is {method!r}, expected one of {', '.join(METHODS)}. Choose one of them."
        raise UsageError(msg)
    if len(edge) and not ((edge >= 0) & (edge < len(network.tail))).all():
        msg = "events: some are on no edge of the network, expected an edge each. Leave out those that did not snap."
        raise InputError(msg)
    degree = np.bincount(np.concatenate([network.tail, network.head]), minlength=network.n_nodes)
    onward = _build_onward(network, lixels, degree, method)
    wave = _start(network, lixels, onward, edge, chainage_m, weight, method)
    n_lixels = len(lixels.edge)
    mass = np.zeros(2 * n_lixels)
    n_steps = int(np.ceil(bandwidth_m / lixels.lixel_m))
    integral = _kernel_integral(np.minimum(np.arange(n_steps + 1) * lixels.lixel_m / bandwidth_m, 1.0))
    for share in np.diff(integral):
        mass += share * wave
        wave = onward @ wave
    density: FloatArray = (mass[:n_lixels] + mass[n_lixels:]) / (lixels.length_m / 1000)
    return density


def _kernel_integral(u: FloatArray) -> FloatArray:
    """Integral of the quartic from 0 to u."""
    integral: FloatArray = 15 / 16 * (u - 2 * u**3 / 3 + u**5 / 5)
    return integral


def _ends(network: Network, lixels: Lixels) -> tuple[IntArray, IntArray, IntArray]:
    """Edge ends as node, the state that leaves there, and the state that arrives there; tails first."""
    n_lixels = len(lixels.edge)
    first, last = lixels.first[:-1], lixels.first[1:] - 1
    node = np.concatenate([network.tail, network.head])
    # State k crosses lixel k away from the tail, state n + k towards it.
    leaving = np.concatenate([first, n_lixels + last])
    arriving = np.concatenate([n_lixels + first, last])
    return node, leaving, arriving


def _build_onward(network: Network, lixels: Lixels, degree: IntArray, method: str) -> sparse.csr_array:
    """Matrix that takes the waves over one lixel end."""
    n_lixels = len(lixels.edge)
    inside = np.flatnonzero(lixels.edge[1:] == lixels.edge[:-1])
    rows = [inside + 1, n_lixels + inside]
    columns = [inside, n_lixels + inside + 1]
    shares = [np.ones(2 * len(inside))]
    node, leaving, arriving = _ends(network, lixels)
    order = np.argsort(node, kind="stable")
    start = np.concatenate([[0], np.cumsum(degree)])
    # All pairs of ends at a node: each end is repeated as often as its node has ends.
    n_of_end = degree[node[order]]
    came = np.repeat(np.arange(len(order)), n_of_end)
    goes = np.arange(len(came)) - np.repeat(np.cumsum(n_of_end) - n_of_end, n_of_end) + start[node[order]][came]
    n = degree[node[order]][came].astype(float)
    is_back = came == goes
    if method == "continuous":
        share = np.where(is_back, (2 - n) / n, 2 / n)
    elif method == "discontinuous":
        share = np.where(is_back, 0.0, 1 / np.maximum(n - 1, 1))
    else:
        share = np.where(is_back, 0.0, 1.0)
    rows.append(leaving[order][goes])
    columns.append(arriving[order][came])
    shares.append(share)
    onward = sparse.csr_array(
        (np.concatenate(shares), (np.concatenate(rows), np.concatenate(columns))), shape=(2 * n_lixels, 2 * n_lixels)
    )
    onward.eliminate_zeros()
    return onward


def _start(
    network: Network,
    lixels: Lixels,
    onward: sparse.csr_array,
    edge: IntArray,
    chainage_m: FloatArray,
    weight: FloatArray,
    method: str,
) -> FloatArray:
    """Waves as they leave the events."""
    n_lixels = len(lixels.edge)
    first, n_pieces = lixels.first[edge], lixels.first[edge + 1] - lixels.first[edge]
    at = np.clip(chainage_m / lixels.length_m[first], 0.0, n_pieces)
    below = np.minimum(np.floor(at).astype(np.int64), n_pieces - 1)
    # An event exactly at a node belongs to no edge, which matters where only the edge it came along is left out.
    is_free = ((at == 0) | (at == n_pieces)) & (method == "discontinuous")
    wave, arriving = np.zeros(2 * n_lixels), np.zeros(2 * n_lixels)
    at_node = np.zeros(network.n_nodes)
    for end, share in ((below, below + 1 - at), (below + 1, at - below)):
        value = weight * share
        for is_tail, node in ((True, network.tail[edge]), (False, network.head[edge])):
            free = is_free & (end == (0 if is_tail else n_pieces))
            np.add.at(at_node, node[free], value[free])
        value = np.where(is_free, 0.0, value)
        # Away from the tail it crosses the lixel beyond, or arrives at the head; the other way likewise.
        to_head, to_tail = first + end, n_lixels + first + end - 1
        is_last, is_first = end == n_pieces, end == 0
        np.add.at(wave, to_head[~is_last], value[~is_last])
        np.add.at(arriving, to_head[is_last] - 1, value[is_last])
        np.add.at(wave, to_tail[~is_first], value[~is_first])
        np.add.at(arriving, to_tail[is_first] + 1, value[is_first])
    node, leaving, _ = _ends(network, lixels)
    degree = np.bincount(node, minlength=network.n_nodes)
    # What would go past a dead end is lost, as it is for a wave that reaches one.
    wave[leaving] += (at_node * np.minimum(2.0 / np.maximum(degree, 1), 1.0))[node]
    started: FloatArray = wave + onward @ arriving
    return started
