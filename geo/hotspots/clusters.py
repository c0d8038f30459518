"""
Hotspots as clusters of offences: DBSCAN and HDBSCAN on weighted distinct points.

In: `geo.tables.OFFENCES`, and `geo.tables.STATIONS` and the last run's hotspots where there are any. Out:
`geo.tables.HOTSPOTS`. Clustering distinct points by the sum of their weights gives the same DBSCAN clusters as
clustering the rows, does not depend on row order, and is not swamped by snap points that hold many rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict, Unpack

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.crs import METRIC
from geo.errors import UsageError
from geo.hotspots.identity import keep_ids
from geo.hotspots.points import WeightedPoints, build_points, months_of_ordinals
from geo.hotspots.walking import DETOUR, WALK_M_PER_MIN, measure_walks
from geo.schema import empty, validate
from geo.tables import HOTSPOTS

__all__ = ["ClusterOptions", "Clusters", "cluster_offences", "find_clusters", "label_dbscan", "label_hdbscan"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# ASSUMPTION: neighbouring published points in a town are about this far apart; a setting.
EPS_M = 150.0
# ASSUMPTION: fewer offences than this within reach of each other are not worth a name; a setting.
MIN_WEIGHT = 10.0
# ASSUMPTION: a published point stands for at least eight addresses, which in a terraced street is about 35 m round it
# (eight dwellings at 2,000 dwellings a square kilometre); a hull is never drawn tighter.
SNAP_RADIUS_M = 35.0
# ASSUMPTION: a centre that moves further than this between runs is another hotspot; a setting.
MOST_SHIFT_M = 300.0
# ASSUMPTION: nobody is met on foot further from a station than this; a setting.
MOST_WALK_MIN = 60.0


@dataclass(frozen=True)
class Clusters:
    """
    What clustering found, and where every offence went.

    Attributes
    ----------
    hotspots : geopandas.GeoDataFrame
        Table `geo.tables.HOTSPOTS`.
    membership : pandas.Series
        ``hotspot_id`` of each offence that is in a hotspot, indexed by ``offence_id``.
    n_by_fate : dict of str to int
        Offences by fate: ``in_hotspot``, ``in_none``, ``snap_point_only``, ``custody_location``, ``no_location``,
        ``no_harm_weight``. They sum to the rows of the table.
    """

    hotspots: gpd.GeoDataFrame
    membership: pd.Series
    n_by_fate: dict[str, int]


class ClusterOptions(TypedDict, total=False):
    """
    The options of `cluster_offences`, for those that pass them on.

    Attributes
    ----------
    method, eps_m, min_weight, by_harm, half_life_months, reference_month, min_points, stations, previous, detour, \
walk_m_per_min : object
        See `cluster_offences`.
    """

    method: str
    eps_m: float
    min_weight: float
    by_harm: bool
    half_life_months: float | None
    reference_month: pd.Period | None
    min_points: int
    stations: pd.DataFrame | None
    previous: gpd.GeoDataFrame | None
    detour: float
    walk_m_per_min: float


def find_clusters(offences: pd.DataFrame, **options: Unpack[ClusterOptions]) -> gpd.GeoDataFrame:
    """
    Find hotspots as clusters of offences.

    Parameters
    ----------
    offences : pandas.DataFrame
        Table `geo.tables.OFFENCES`. Never modified; any row order.
    **options : ClusterOptions
        The options of `cluster_offences`.

    Returns
    -------
    geopandas.GeoDataFrame
        Table `geo.tables.HOTSPOTS`, with ``harm_days``, ``n_points``, ``offences_per_month`` and
        ``offences_per_km2`` beside its columns; sorted by id.

    Raises
    ------
    TableError
        If a table breaks its contract.
    UsageError
        If an option is out of range.
    """
    return cluster_offences(offences, **options).hotspots


def cluster_offences(
    offences: pd.DataFrame,
    *,
    method: str = "dbscan",
    eps_m: float = EPS_M,
    min_weight: float = MIN_WEIGHT,
    by_harm: bool = False,
    half_life_months: float | None = None,
    reference_month: pd.Period | None = None,
    min_points: int = 2,
    stations: pd.DataFrame | None = None,
    previous: gpd.GeoDataFrame | None = None,
    detour: float = DETOUR,
    walk_m_per_min: float = WALK_M_PER_MIN,
) -> Clusters:
    """
    Find hotspots as clusters, with the offences in each and an account of all rows.

    Parameters
    ----------
    offences : pandas.DataFrame
        Table `geo.tables.OFFENCES`. Never modified; any row order.
    method : {"dbscan", "hdbscan"}, default "dbscan"
        DBSCAN joins points within `eps_m`; HDBSCAN chooses the density itself and ignores `eps_m`.
    eps_m : float, default 150
        Reach of DBSCAN, metres.
    min_weight : float, default 10
        Weight within reach of a core point (DBSCAN) or in a cluster (HDBSCAN), in average present offences.
    by_harm : bool, default False
        Whether to weigh by harm; see `build_points`.
    half_life_months : float or None, default None
        Age at which an offence counts half.
    reference_month : pandas.Period or None, default None
        Month of age 0; None for the last in the table.
    min_points : int, default 2
        Distinct points a hotspot must have, unless one of them is located exactly: the snap-point guard.
    stations : pandas.DataFrame or None, default None
        Table `geo.tables.STATIONS`, for the nearest station.
    previous : geopandas.GeoDataFrame or None, default None
        The last run's hotspots, whose names are kept.
    detour, walk_m_per_min : float
        See `geo.hotspots.walking.measure_walks`.

    Returns
    -------
    Clusters
        Hotspots, membership and account.

    Raises
    ------
    TableError
        If a table breaks its contract.
    UsageError
        If an option is out of range.
    """
    if min_points < 1:
        msg = f"min_points: it is {min_points!r}, expected at least 1. Use 1 to accept single snap points."
        raise UsageError(msg)
    points = build_points(offences, by_harm=by_harm, half_life_months=half_life_months, reference_month=reference_month)
    if method == "dbscan":
        label = label_dbscan(points.coordinates_m, points.weight, eps_m=eps_m, min_weight=min_weight)
    elif method == "hdbscan":
        label = label_hdbscan(points.coordinates_m, points.weight, min_weight=min_weight)
    else:
        msg = f"method: it is {method!r}, expected 'dbscan' or 'hdbscan'. Choose one of them."
        raise UsageError(msg)
    label, n_snap_only = _drop_snap_points(label, points, min_points)
    hotspots, name_of_label = _describe(label, points, method, stations, previous, detour, walk_m_per_min)
    offence_label = label[points.point_of_offence]
    inside = offence_label >= 0
    membership = pd.Series(
        name_of_label[offence_label[inside]], index=points.offence_ids[inside], name="hotspot_id", dtype="str"
    )
    fates = {
        "in_hotspot": int(inside.sum()),
        "in_none": int((~inside).sum()) - n_snap_only,
        "snap_point_only": n_snap_only,
        "custody_location": points.n_custody,
        "no_location": points.n_no_location,
        "no_harm_weight": points.n_no_harm,
    }
    return Clusters(hotspots, membership, fates)


def label_dbscan(coordinates_m: FloatArray, weight: FloatArray, *, eps_m: float, min_weight: float) -> IntArray:
    """
    Label points by DBSCAN, a point counting for its weight.

    Parameters
    ----------
    coordinates_m : numpy.ndarray of shape (n_points, 2)
        Distinct points, EPSG:27700 metres, in an order that rows cannot change.
    weight : numpy.ndarray of shape (n_points,)
        Weights.
    eps_m : float
        Reach, metres.
    min_weight : float
        Least weight within reach of a core point, itself included.

    Returns
    -------
    numpy.ndarray of shape (n_points,)
        Cluster from 0, -1 for none. A border point within reach of two clusters joins the first in point order.

    Raises
    ------
    UsageError
        If the reach or the weight is not positive.

    References
    ----------
    .. [1] Ester, M., Kriegel, H.-P., Sander, J. and Xu, X. (1996). "A density-based algorithm for discovering clusters
       in large spatial databases with noise." Proceedings of KDD-96, 226-231.
    """
    for name, value in (("eps_m", eps_m), ("min_weight", min_weight)):
        if not value > 0:
            msg = f"{name}: it is {value!r}, expected a positive number. Give the reach in metres and a weight."
            raise UsageError(msg)
    if not len(weight):
        return np.zeros(0, dtype=np.int64)
    from sklearn.cluster import DBSCAN

    # scikit-learn wants a whole number: weigh in units of the least weight, with room for rounding in the sum.
    share = weight * ((1 + 1e-9) / min_weight)
    model = DBSCAN(eps=eps_m, min_samples=1, algorithm="kd_tree").fit(coordinates_m, sample_weight=share)
    labels: IntArray = model.labels_.astype(np.int64)
    return labels


def label_hdbscan(
    coordinates_m: FloatArray, weight: FloatArray, *, min_weight: float, min_samples: int = 5
) -> IntArray:
    """
    Label points by HDBSCAN, a point counting for its weight.

    Parameters
    ----------
    coordinates_m : numpy.ndarray of shape (n_points, 2)
        Distinct points, EPSG:27700 metres, in an order that rows cannot change.
    weight : numpy.ndarray of shape (n_points,)
        Weights.
    min_weight : float
        Least weight of a cluster.
    min_samples : int, default 5
        Distinct points that set the core distance. Weights do not enter it: a snap point with many rows would have core
        distance 0 and every one of them would be a cluster.

    Returns
    -------
    numpy.ndarray of shape (n_points,)
        Cluster from 0, -1 for none.

    Raises
    ------
    UsageError
        If the least weight is not positive.

    References
    ----------
    .. [1] Campello, R., Moulavi, D. and Sander, J. (2013). "Density-based clustering based on hierarchical density
       estimates." PAKDD 2013, LNCS 7819, 160-172.
    """
    if not min_weight > 0:
        msg = f"min_weight: it is {min_weight!r}, expected a positive number. Give a weight in offences."
        raise UsageError(msg)
    if len(weight) <= min_samples or weight.sum() < min_weight:
        return np.full(len(weight), -1, dtype=np.int64)
    import numba
    from fast_hdbscan.hdbscan import clusters_from_spanning_tree, compute_minimum_spanning_tree

    # The tree is built without weights: given them, the library's core distances put far outliers into clusters. A
    # single precision position is good to centimetres once the origin is near.
    near = coordinates_m - coordinates_m.mean(axis=0)
    # On one thread ties are always broken alike; the library's own reproducible form takes ten times as long.
    n_threads = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        tree = compute_minimum_spanning_tree(near, min_samples=min_samples)[0]
    finally:
        numba.set_num_threads(n_threads)
    # The library wants a whole number of at least two: scale the weights so that the least weight is one.
    least = max(2, round(min_weight))
    share = (weight * ((1 + 1e-6) * least / min_weight)).astype(np.float32)
    labels: IntArray = clusters_from_spanning_tree(tree, min_cluster_size=least, sample_weights=share)[0].astype(
        np.int64
    )
    return labels


def _drop_snap_points(label: IntArray, points: WeightedPoints, min_points: int) -> tuple[IntArray, int]:
    """Labels without clusters that are tighter than their positions are precise, numbered anew; offences dropped."""
    found = label >= 0
    n_labels = int(label.max(initial=-1)) + 1
    n_points = np.bincount(label[found], minlength=n_labels)
    n_exact = np.bincount(label[found], weights=points.is_exact[found], minlength=n_labels)
    keep = (n_points >= min_points) | (n_exact > 0)
    renumbered = np.append(np.where(keep, np.cumsum(keep) - 1, -1), -1)
    kept = renumbered[label]
    return kept, int(points.n_offences[found & (kept < 0)].sum())


def _describe(
    label: IntArray,
    points: WeightedPoints,
    method: str,
    stations: pd.DataFrame | None,
    previous: gpd.GeoDataFrame | None,
    detour: float,
    walk_m_per_min: float,
) -> tuple[gpd.GeoDataFrame, NDArray[np.object_]]:
    """The table of hotspots, and the name of each label."""
    n_labels = int(label.max(initial=-1)) + 1
    if n_labels == 0:
        return gpd.GeoDataFrame(empty(HOTSPOTS), geometry="geometry", crs=METRIC), np.zeros(0, dtype=object)
    inside = np.flatnonzero(label >= 0)
    inside = inside[np.argsort(label[inside], kind="stable")]
    of = label[inside]
    start = np.searchsorted(of, np.arange(n_labels))

    def total(values: FloatArray) -> FloatArray:
        return np.add.reduceat(values[inside].astype(float), start)

    weight = total(points.weight)
    n_offences = total(points.n_offences.astype(float))
    centre_weight = np.where(weight > 0, weight, 1.0)
    easting_m = total(points.easting_m * points.weight) / centre_weight
    northing_m = total(points.northing_m * points.weight) / centre_weight
    hulls = shapely.convex_hull(shapely.multipoints(shapely.points(points.coordinates_m[inside]), indices=of))
    hulls = shapely.buffer(hulls, SNAP_RADIUS_M)
    first = np.minimum.reduceat(points.first_month.asi8[inside], start)
    last = np.maximum.reduceat(points.last_month.asi8[inside], start)
    area_km2 = shapely.area(hulls) / 1e6
    walks = measure_walks(
        easting_m,
        northing_m,
        stations=stations,
        most_walk_min=MOST_WALK_MIN,
        detour=detour,
        walk_m_per_min=walk_m_per_min,
    )
    table = gpd.GeoDataFrame(
        {
            "method": pd.Series([method] * n_labels, dtype="str"),
            "easting_m": easting_m,
            "northing_m": northing_m,
            "n_offences": n_offences.astype(np.int64),
            "weight": weight,
            "area_km2": area_km2,
            "first_month": months_of_ordinals(first),
            "last_month": months_of_ordinals(last),
            "z_score": np.full(n_labels, np.nan),
            "q_value": np.full(n_labels, np.nan),
            "nearest_station_id": walks["nearest_station_id"],
            "walk_min": walks["walk_min"],
            "walk_basis": walks["walk_basis"],
            "harm_days": total(points.harm_days),
            "n_points": np.bincount(of, minlength=n_labels),
            "offences_per_month": n_offences / points.n_months,
            "offences_per_km2": n_offences / area_km2,
        },
        geometry=hulls,
        crs=METRIC,
    )
    # Carry the label through naming, which sorts by id.
    named = keep_ids(table.assign(_label=np.arange(n_labels)), previous, most_shift_m=MOST_SHIFT_M)
    name_of_label = np.empty(n_labels, dtype=object)
    name_of_label[named["_label"].to_numpy()] = named.index.to_numpy(dtype=object)
    return validate(named.drop(columns="_label"), HOTSPOTS), name_of_label
