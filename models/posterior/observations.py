"""
From contracted tables to plain evidence: aged lines, offences of towns and of stations, finds with their hours.

Tables in: `geo.tables.DEAL_LINES`, `OFFENCES`, `PLACES`, `STATIONS`, `DEPLOYMENTS`. Out: a number a row, a town or a
station, ordered by id, for `models.posterior.evidence`. Nothing that happened after the cut-off has any part in them.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import KDTree

from geo.errors import UsageError
from geo.schema import validate
from geo.tables import DEAL_LINES, DEPLOYMENTS, OFFENCES, STATIONS
from models.evidence import EVIDENCE_KINDS, count_place_evidence
from models.posterior.coverage import is_transport_police

__all__ = [
    "HALF_LIFE_MONTHS",
    "STATION_REACH_M",
    "count_finds",
    "count_station_offences",
    "count_town_offences",
    "weigh_lines",
]

FloatArray = NDArray[np.float64]
# ASSUMPTION: a line not seen for a year is as likely gone as not; no source gives how long lines live.
HALF_LIFE_MONTHS = 12.0
# British Transport Police put all offences of a station at one point, which for the largest is far from the point of
# the station list: 211 m at London Victoria, 258 m at York, 358 m at Leeds. In January 2020, of 3,907 rows at stations
# 85 % lie within 150 m of one, 97.5 % within 300 m and 99 % within 400 m, and none more up to 450 m.
STATION_REACH_M = 400.0
_COLUMN_OF_KIND = {"demand": "demand_led", "unknown": "unattributed", "enforcement": "enforcement_led"}
# A normal spread for a median absolute deviation.
_SD_PER_MAD = 1.4826
_CEILING_SD = 3.0


def weigh_lines(
    deal_lines: pd.DataFrame, *, cutoff: pd.Period, half_life_months: float = HALF_LIFE_MONTHS
) -> pd.Series:
    r"""
    Weigh known lines by the time since each was last seen.

    .. math:: n \cdot 2^{-m / h}

    with `m` months from the month last seen to the cut-off and `h` the half-life.

    1. A row that was first seen after the cut-off weighs nothing; nor does one without a first month whose last is
       after it, as nothing shows that it was known by then.
    2. A month last seen after the cut-off counts as the cut-off: by then the line was known, and not known to be gone.
    3. A row without a month last seen counts in full: it is recorded and nobody has said that it ended.

    Parameters
    ----------
    deal_lines : pandas.DataFrame
        Table `geo.tables.DEAL_LINES`. Never modified.
    cutoff : pandas.Period
        Last month that may be used.
    half_life_months : float
        Months after which a line that was not seen again counts half; infinite for no ageing.

    Returns
    -------
    pandas.Series
        ``n_lines``, the effective number, indexed as `deal_lines`.

    Raises
    ------
    TableError
        If the table breaks its contract.
    UsageError
        If the half-life is not positive.

    Examples
    --------
    >>> lines = pd.DataFrame(
    ...     {
    ...         "origin_id": "west",
    ...         "destination_id": "ayton",
    ...         "first_seen": pd.PeriodIndex(["2023-01", "2023-01", "2025-07"], freq="M"),
    ...         "last_seen": pd.PeriodIndex(["2024-06", None, None], freq="M"),
    ...         "n_lines": 2.0,
    ...         "provenance": "unknown",
    ...     },
    ...     index=pd.Index(["a", "b", "c"], name="line_id"),
    ... )
    >>> weigh_lines(lines, cutoff=pd.Period("2025-06", "M")).to_dict()
    {'a': 1.0, 'b': 2.0, 'c': 0.0}
    """
    validate(deal_lines, DEAL_LINES)
    if not half_life_months > 0:
        msg = f"half_life_months: it is {half_life_months!r}, expected more than 0. Give months, or infinity for none."
        raise UsageError(msg)
    first, last = deal_lines["first_seen"], deal_lines["last_seen"]
    is_later = first.where(first.notna(), last) > cutoff
    last = last.where(last.notna() & (last <= cutoff), cutoff)
    months = (cutoff.year - last.dt.year) * 12 + (cutoff.month - last.dt.month)
    weight = np.exp2(-months.to_numpy(float) / half_life_months)
    n_lines = np.where(is_later, 0.0, deal_lines["n_lines"].to_numpy(float) * weight)
    return pd.Series(n_lines, index=deal_lines.index, name="n_lines")


def count_town_offences(offences: pd.DataFrame, places: pd.DataFrame, *, cutoff: pd.Period) -> pd.DataFrame:
    """
    Count the offences of each town by who brought them to light, plainly and without its exceptional months.

    A month's operation in one town is police work, not a market that grew. The typical count caps each month of a town
    and kind at ``median + 3 s`` of its own months, rounded down, with `s` the larger of 1.4826 times the median
    absolute deviation and the square root of the median (at least 1): the spread that counts have by chance alone. So
    the cap is never below 3 a month, Poisson counts of any mean lose less than 1 %, and only what the town's own
    months do not explain is cut. Whole numbers stay whole.

    Parameters
    ----------
    offences : pandas.DataFrame
        Table `geo.tables.OFFENCES`. Never modified. Custody locations and rows without a position are not counted.
    places : pandas.DataFrame
        Table `geo.tables.PLACES`. An offence counts at the town of most residents where it lies, or at none.
    cutoff : pandas.Period
        Last month that may be used.

    Returns
    -------
    pandas.DataFrame
        Index ``place_id`` of every town, ordered; whole numbers ``demand_led`` (reports of the public, referrals of
        partners), ``unattributed`` (unknown) and ``enforcement_led`` (found by police), and each with ``_typical``.

    Raises
    ------
    TableError
        If a table breaks its contract.
    InputError
        If no month up to the cut-off has an offence.
    """
    evidence = count_place_evidence(offences, places, cutoff=cutoff)
    index = pd.Index(evidence.unit_ids, name=places.index.name, dtype="str")
    columns: dict[str, FloatArray] = {}
    for kind, name in _COLUMN_OF_KIND.items():
        monthly = evidence.counts[:, :, EVIDENCE_KINDS.index(kind)]
        columns[name] = monthly.sum(axis=1)
        columns[f"{name}_typical"] = np.minimum(monthly, _ceiling(monthly)).sum(axis=1)
    return pd.DataFrame(columns, index=index).astype("int64")


def count_station_offences(
    offences: pd.DataFrame, stations: pd.DataFrame, *, cutoff: pd.Period, reach_m: float = STATION_REACH_M
) -> pd.DataFrame:
    """
    Count the offences recorded at each station, rather than around it.

    A row is at a station if a transport police recorded it, if its location ends in ``(Station)``, as theirs do, or if
    it names a ``Railway Station``, as the files of other forces do; petrol, police, fire and bus stations are none.

    Parameters
    ----------
    offences : pandas.DataFrame
        Table `geo.tables.OFFENCES`. Never modified. Custody locations and rows without a position are not counted.
    stations : pandas.DataFrame
        Table `geo.tables.STATIONS`. An offence counts at the nearest of them and at no other, so give those of the area
        that the offences are of: one elsewhere would have none.
    cutoff : pandas.Period
        Last month that may be used.
    reach_m : float
        Farthest the row may lie from the station, metres.

    Returns
    -------
    pandas.DataFrame
        Index ``station_id`` of every station, ordered; whole numbers ``n_offences``, and ``months``, the months that
        `offences` has from the first to the last with a row at any station. Where that is 0 no file tells of
        stations, and no offence is no evidence.

    Raises
    ------
    TableError
        If a table breaks its contract.
    """
    validate(offences, OFFENCES)
    validate(stations, STATIONS)
    units = stations.sort_index()
    known = offences[offences["month"] <= cutoff]
    at_station = known[_is_at_station(known)]
    points = at_station[["easting_m", "northing_m"]].to_numpy(float)
    n_offences = np.zeros(len(units), dtype=np.int64)
    if len(points) and len(units):
        away_m, nearest = KDTree(units[["easting_m", "northing_m"]].to_numpy(float)).query(points)
        n_offences += np.bincount(np.asarray(nearest)[np.asarray(away_m) <= reach_m], minlength=len(units))
    # A month between two that have some is a nil return, not a gap, if the files have that month at all.
    seen = at_station["month"]
    n_months = 0 if seen.empty else known.loc[known["month"].between(seen.min(), seen.max()), "month"].nunique()
    return pd.DataFrame({"n_offences": n_offences, "months": n_months}, index=units.index)


def count_finds(deployments: pd.DataFrame, station_ids: Collection[str], *, cutoff: pd.Period) -> pd.DataFrame:
    """
    Add up hours of teams and finds of each station, nil returns among them.

    A team of more officers counts as one: the chance of noticing a courier is that of a team.

    Parameters
    ----------
    deployments : pandas.DataFrame
        Table `geo.tables.DEPLOYMENTS`. Never modified. A visit whose finds are null, or a log that has no such column,
        says nothing of finds: its hours are counted apart.
    station_ids : collection of str
        Stations to count; visits elsewhere are left out.
    cutoff : pandas.Period
        Last month that may be used.

    Returns
    -------
    pandas.DataFrame
        Index ``station_id`` of every station asked for, each once, ordered; ``n_hours`` and ``n_finds`` of visits
        whose finds are known, ``n_hours_unreported`` of the others.

    Raises
    ------
    TableError
        If the table breaks its contract.
    """
    validate(deployments, DEPLOYMENTS)
    finds = deployments.get("n_finds", pd.Series(pd.NA, index=deployments.index, dtype="Int64"))
    is_reported = finds.notna()
    table = pd.DataFrame(
        {
            "station_id": deployments["station_id"],
            "n_hours": deployments["n_hours"].where(is_reported, 0.0),
            "n_finds": finds.where(is_reported, 0).astype("int64"),
            "n_hours_unreported": deployments["n_hours"].where(~is_reported, 0.0),
        }
    )[deployments["month"] <= cutoff]
    index = pd.Index(sorted(set(station_ids)), name="station_id", dtype="str")
    sums = table.groupby("station_id").sum().reindex(index, fill_value=0)
    return sums.astype({"n_hours": "float64", "n_finds": "int64", "n_hours_unreported": "float64"})


def _ceiling(monthly: FloatArray) -> FloatArray:
    """The most that a month of each town may count, of shape (n_towns, 1)."""
    median = np.median(monthly, axis=1, keepdims=True)
    deviation = np.median(np.abs(monthly - median), axis=1, keepdims=True)
    # Half of all months being equal makes the deviation 0: counts still vary by the root of their mean.
    spread = np.maximum(_SD_PER_MAD * deviation, np.sqrt(np.maximum(median, 1.0)))
    return np.asarray(np.floor(median + _CEILING_SD * spread))


def _is_at_station(offences: pd.DataFrame) -> pd.Series:
    """Whether each row has a position and was recorded at a railway station."""
    location = offences["location"].fillna("").str.strip().str.casefold()
    is_named = location.str.endswith("(station)") | location.str.contains("railway station", regex=False)
    is_placed = offences["easting_m"].notna() & offences["northing_m"].notna()
    return (is_named | is_transport_police(offences)) & is_placed & (offences["provenance"] != "custody_location")
