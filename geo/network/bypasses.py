"""Links that pass by a station without calling, taken out: RAIL_LINKS and STATIONS in, the links to keep out."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

__all__ = ["find_bypasses"]


def find_bypasses(
    links: gpd.GeoDataFrame, stations: pd.DataFrame, *, near_m: float, excess_m: float
) -> NDArray[np.bool_]:
    """
    Find the links that go past a third station on a neighbouring track.

    A link is a bypass where it comes within `near_m` of a station that a train could call at for at most `excess_m`
    more, by two links that are kept. Goods lines around a station make such links. They are taken out one at a time,
    the longest first, so that what replaces a link is never taken out in its turn.

    Parameters
    ----------
    links : geopandas.GeoDataFrame
        Table `geo.tables.RAIL_LINKS`. Never modified.
    stations : pandas.DataFrame
        Table `geo.tables.STATIONS`, those on the track. Never modified.
    near_m : float
        Straight metres from the line to the station.
    excess_m : float
        Metres along track that the call may add.

    Returns
    -------
    numpy.ndarray of shape (n_links,)
        Whether each link is a bypass.
    """
    lines = links.geometry.to_numpy()
    points = shapely.points(stations["easting_m"].to_numpy(dtype=float), stations["northing_m"].to_numpy(dtype=float))
    station, link = shapely.STRtree(lines).query(points, predicate="dwithin", distance=near_m)
    third = stations.index.to_numpy(dtype=object)[station]
    start = links["from_station_id"].to_numpy(dtype=object)
    end = links["to_station_id"].to_numpy(dtype=object)
    is_third = (third != start[link]) & (third != end[link])
    candidates = pd.DataFrame({"link": link[is_third], "third": third[is_third]})
    candidates["length_m"] = links["length_m"].to_numpy()[candidates["link"]]
    candidates = candidates.sort_values(["length_m", "link", "third"], ascending=[False, True, True], kind="stable")

    length_m = {frozenset(pair): metres for *pair, metres in zip(start, end, links["length_m"].to_numpy(), strict=True)}
    is_bypass = np.zeros(len(links), dtype=bool)
    for no, name, direct_m in zip(candidates["link"], candidates["third"], candidates["length_m"], strict=True):
        first_m = length_m.get(frozenset((start[no], name)), np.inf)
        second_m = length_m.get(frozenset((name, end[no])), np.inf)
        if first_m + second_m <= direct_m + excess_m and not is_bypass[no]:
            is_bypass[no] = True
            del length_m[frozenset((start[no], end[no]))]
    return is_bypass
