"""
Count offences by small area for those who may not see where they are.

In: `geo.tables.OFFENCES` and `geo.tables.AREAS`. Out: a table of counts for `geo.disclosure.suppression`, every area in
it, so that a missing row tells nothing. Offences at a custody suite are where police are, not where offences are, and
stay out.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.disclosure.suppression import COUNT_RULES, PublishedCounts, audit_intervals, suppress_counts
from geo.errors import DisclosureError
from geo.schema import validate
from geo.tables import AREAS, OFFENCES

__all__ = ["count_by_area", "publish_counts"]


def count_by_area(offences: pd.DataFrame, areas: gpd.GeoDataFrame) -> pd.DataFrame:
    """
    Count offences by area and crime type.

    Parameters
    ----------
    offences : pandas.DataFrame
        Table `geo.tables.OFFENCES`. An offence without a position is counted where its published code says.
    areas : geopandas.GeoDataFrame
        Table `geo.tables.AREAS`.

    Returns
    -------
    pandas.DataFrame
        Index ``area_id`` of every area, ordered; a column of whole numbers for each crime type, ordered. A point on a
        border is in the area whose id comes first.

    Raises
    ------
    TableError
        If a table breaks its contract.
    """
    validate(offences, OFFENCES)
    validate(areas, AREAS)
    ordered = areas.sort_index()
    counted = offences[offences["provenance"] != "custody_location"]
    points = shapely.points(counted["easting_m"].to_numpy(float), counted["northing_m"].to_numpy(float))
    is_placed = counted["easting_m"].notna().to_numpy()
    area_of = pd.Series(counted["lsoa_code"].to_numpy(), dtype="object")
    point, area = shapely.STRtree(ordered.geometry.to_numpy()).query(points[is_placed], predicate="intersects")
    first = pd.Series(area).groupby(point).min()
    placed = np.flatnonzero(is_placed)
    area_of.iloc[placed[first.index]] = ordered.index[first.to_numpy()].to_numpy()
    known = area_of.isin(ordered.index).to_numpy()
    table = pd.crosstab(area_of[known].to_numpy(), counted["crime_type"].to_numpy()[known])
    return table.reindex(index=ordered.index, fill_value=0).sort_index(axis=1).rename_axis(columns=None)


def publish_counts(counts: pd.DataFrame, *, profile: str) -> PublishedCounts:
    """
    Suppress a table, then attack it, and give it only if the attack fails.

    Parameters
    ----------
    counts : pandas.DataFrame
        From `count_by_area`.
    profile : str
        One of `geo.disclosure.suppression.COUNT_RULES`.

    Returns
    -------
    PublishedCounts
        What may leave.

    Raises
    ------
    DisclosureError
        If the profile is unknown, or a suppressed count could still be worked out more closely than the threshold.
    TableError
        If a count is negative, null or not whole.
    """
    published = suppress_counts(counts, profile=profile)
    rule = COUNT_RULES[profile]
    found = audit_intervals(published, rounding=rule.rounding)
    width = (found["high"] - found["low"]).min() if len(found) else np.inf
    if width < rule.threshold:
        msg = (
            f"offences_by_area: a suppressed count can be worked out to within {width:g}, expected at least "
            f"{rule.threshold}. Release larger areas."
        )
        raise DisclosureError(msg)
    return published
