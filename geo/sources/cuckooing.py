"""
A list of cuckooed addresses, straight into the type that cannot be shown.

Nothing of a row but its line number and a reason code ever leaves: no coordinate, no address text, no id.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from shapely.geometry.base import BaseGeometry

from geo.crs import METRIC
from geo.errors import InputError
from geo.homes import HOME_M
from geo.sensitive import SensitivePoints
from geo.sources.accounting import Reading
from geo.sources.instants import Instants, parse_instants
from geo.sources.locations import FORCE_MARGIN_M, locate
from geo.sources.mapped import column_or_blank, read_mapped
from geo.sources.months import reject_implausible_months
from geo.sources.sieve import Sieve
from geo.tables import CUCKOOING

__all__ = ["read_cuckooing"]

_REQUIRED = ("x", "y", "first_seen")
_OPTIONAL = ("address_id", "last_seen")


def read_cuckooing(
    path: Path,
    *,
    columns: Mapping[str, str],
    crs: str = METRIC,
    date_format: str | None = None,
    timezone: str | None = None,
    force_area: BaseGeometry | None = None,
    force_margin_m: float = FORCE_MARGIN_M,
    not_after: pd.Period | None = None,
) -> Reading[SensitivePoints]:
    """
    Read cuckooed addresses.

    Rows of one `address_id`, or of one position where there are no ids, are one address, seen from the first of their
    months to the last.

    Parameters
    ----------
    path : pathlib.Path
        CSV file.
    columns : mapping of str to str
        Our field to their column: ``x, y, first_seen`` and, where there, ``address_id, last_seen``.
    crs : str
        ``EPSG:27700`` or ``EPSG:4326``, of `x` and `y`.
    date_format, timezone : str or None
        As for `geo.sources.instants.parse_instants`.
    force_area : shapely geometry or None
        EPSG:27700 polygons; rows more than `force_margin_m` from it are rejected.
    force_margin_m : float
        Distance in metres.
    not_after : pandas.Period or None
        Last month that can be meant; None for the current month.

    Returns
    -------
    Reading of SensitivePoints
        The addresses, numbered in the order of their positions so that an id says nothing about its source. The
        quarantine holds no value.

    Raises
    ------
    UsageError
        If a setting is unknown.
    InputError
        If the file is no table, most rows share a fault, or a format or zone must be declared.
    DisclosureError
        If a column seems to describe a person.
    CrsError
        If `crs` is neither of the two.
    """
    read = read_mapped(
        path,
        columns,
        what="cuckooing",
        required=_REQUIRED,
        optional=_OPTIONAL,
        refuse_person_columns=True,
        is_private=True,
    )
    rows, sieve = read.rows, read.sieve(private_fields=(*_REQUIRED, *_OPTIONAL))
    positions = locate(
        rows, sieve, x_field="x", y_field="y", crs=crs, force_area=force_area, force_margin_m=force_margin_m
    )
    sieve.reject(positions.is_blank, "no_position", field="x")
    months = {}
    for field in ("first_seen", "last_seen"):
        parsed = _parse_privately(rows, sieve, field=field, date_format=date_format, timezone=timezone)
        months[field] = parsed.month
        reject_implausible_months(
            parsed.month, sieve, field=field, not_after=not_after, blank_is_fault=field == "first_seen"
        )
    sieve.reject(np.asarray(months["last_seen"] < months["first_seen"]), "end_before_start", field="last_seen")
    seen = pd.DataFrame(
        {
            "easting_m": positions.easting_m,
            "northing_m": positions.northing_m,
            "first_seen": months["first_seen"],
            "last_seen": months["last_seen"],
            "key": column_or_blank(rows, "address_id").to_numpy(),
        },
        index=rows.index,
    )
    # Whole metres stand for the address where the file has no id for it.
    metres = pd.Series(
        [f"{e:.0f} {n:.0f}" for e, n in zip(seen["easting_m"], seen["northing_m"], strict=True)], index=rows.index
    )
    seen["key"] = seen["key"].where(seen["key"] != "", metres)
    kept = seen[sieve.kept]
    # An id with positions further apart than one home's records are is none.
    by_key = kept.groupby("key")[["easting_m", "northing_m"]]
    spread_m = by_key.transform("max") - by_key.transform("min")
    moved = np.hypot(spread_m["easting_m"], spread_m["northing_m"]) > HOME_M
    sieve.reject(rows.index.isin(kept.index[moved]), "contradictory_position", field="address_id")
    kept = seen[sieve.kept]
    again = kept.index[kept["key"].duplicated()]
    addresses = _merge_sightings(kept)
    sieve.reject(rows.index.isin(again), "same_address_again", field="address_id", status="duplicate")
    quarantine, account = sieve.close()
    return Reading(SensitivePoints(addresses), quarantine, (account,))


def _parse_privately(
    rows: pd.DataFrame, sieve: Sieve, *, field: str, date_format: str | None, timezone: str | None
) -> Instants:
    """As `parse_instants`, whose message of an undeclared format or zone would show a value."""
    try:
        return parse_instants(
            column_or_blank(rows, field), sieve, field=field, date_format=date_format, timezone=timezone
        )
    except InputError as error:
        msg = (
            f"date_format: it is not declared but {field!r} of cuckooing has other dates (withheld), expected ISO "
            "dates or a format. Declare one such as '%d/%m/%Y'."
        )
        if str(error).startswith("timezone"):
            msg = (
                f"timezone: it is not declared but {field!r} of cuckooing has times of day (withheld), expected one. "
                "Declare 'Europe/London'."
            )
        # Without its cause, which shows the value.
        raise InputError(msg) from None


def _merge_sightings(kept: pd.DataFrame) -> pd.DataFrame:
    """One row an address, from its first month to its last, in the order of positions."""
    latest = kept["last_seen"].where(kept["last_seen"].notna(), kept["first_seen"])
    has_end = kept["last_seen"].notna().groupby(kept["key"]).any()
    groups = kept.assign(latest=latest).sort_values(["easting_m", "northing_m"], kind="stable").groupby("key")
    merged = groups.agg(
        easting_m=("easting_m", "first"),
        northing_m=("northing_m", "first"),
        first_seen=("first_seen", "min"),
        last_seen=("latest", "max"),
    )
    several = groups.size() > 1
    merged["last_seen"] = pd.PeriodIndex(merged["last_seen"].where(has_end | several), freq="M")
    merged["first_seen"] = pd.PeriodIndex(merged["first_seen"], freq="M")
    merged = merged.sort_values(["easting_m", "northing_m", "first_seen"], kind="stable")
    width = len(str(len(merged)))
    merged.index = pd.Index([f"A{n:0{width}d}" for n in range(len(merged))], name=CUCKOOING.index, dtype="str")
    return merged
