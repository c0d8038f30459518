"""The log of deployments: which station was worked, when, for how long, and why it was chosen."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from geo.schema import validate
from geo.sources.accounting import Reading
from geo.sources.instants import parse_instants
from geo.sources.locations import parse_numbers
from geo.sources.mapped import column_or_blank, read_mapped
from geo.sources.months import reject_implausible_months
from geo.sources.sieve import Sieve
from geo.sources.stable_ids import build_stable_ids
from geo.tables import DEPLOYMENTS

__all__ = ["read_deployments"]

_REQUIRED = ("station", "worked_on", "n_hours")
_COUNTS = ("n_stops", "n_finds", "n_children", "n_referrals")
_OPTIONAL = ("reason", "propensity", "run_id", "shift", *_COUNTS)
# No visit has more; a number beyond is a slip.
_MOST = 100_000
_REASONS = DEPLOYMENTS.columns["reason"].values  # noqa: PD011 - a rule's texts, not an array


def read_deployments(
    path: Path,
    *,
    station_ids: Collection[str],
    columns: Mapping[str, str] | None = None,
    date_format: str | None = None,
    timezone: str | None = None,
    reason_by_value: Mapping[str, str] | None = None,
    not_after: pd.Period | None = None,
) -> Reading[pd.DataFrame]:
    """
    Read a deployment log.

    Parameters
    ----------
    path : pathlib.Path
        CSV file.
    station_ids : collection of str
        CRS codes that are known; rows with another are rejected.
    columns : mapping of str to str or None
        Our field to their column: ``station, worked_on``, ``n_hours`` (hours that a team was there, however many its
        officers) and, where there, ``reason, propensity, n_stops, n_finds, n_children, n_referrals``.
    date_format, timezone : str or None
        As for `geo.sources.instants.parse_instants`.
    reason_by_value : mapping of str to str or None
        Their reasons to ours (``model``, ``must``, ``intelligence``, ``random``); others are ``unknown`` and counted.
    not_after : pandas.Period or None
        Last month that can be meant; None for the current month.

    Returns
    -------
    Reading of pandas.DataFrame
        Table `geo.tables.DEPLOYMENTS`, ordered by id. Equal rows are separate visits. A blank count is null: not
        written down, which is not none. A stay whose hours and counts are all blank was not worked: out of scope, for
        the reason ``not_worked``.

    Raises
    ------
    UsageError
        If the mapping names an unknown field.
    InputError
        If the file is no table or a date format must be declared.
    """
    read = read_mapped(
        path, columns or {}, what="deployments", required=_REQUIRED, optional=_OPTIONAL, refuse_person_columns=True
    )
    rows, sieve = read.rows, read.sieve()
    # Of a plan sent back with its results, a stay that nobody filled in is no fault.
    blank = [column_or_blank(rows, field).str.strip().eq("") for field in ("n_hours", *_COUNTS)]
    sieve.reject(np.logical_and.reduce(blank), "not_worked", field="n_hours", status="out_of_scope")
    stations = rows["station"].str.upper()
    sieve.reject(~stations.isin(list(station_ids)).to_numpy(), "unknown_station", field="station")
    worked = parse_instants(rows["worked_on"], sieve, field="worked_on", date_format=date_format, timezone=timezone)
    reject_implausible_months(worked.month, sieve, field="worked_on", not_after=not_after)
    hours = parse_numbers(rows["n_hours"])
    sieve.reject(~(hours >= 0), "no_hours", field="n_hours")
    given = column_or_blank(rows, "reason").str.lower()
    reasons = given.replace({value.lower(): ours for value, ours in (reason_by_value or {}).items()})
    reasons = reasons.where(reasons.isin(_REASONS), "unknown")
    # The day of London, as the log means it, not the day of its midnight in UTC.
    days = worked.from_at.tz_convert("Europe/London").strftime("%Y-%m-%d").where(worked.precision != "month", None)
    columns_out = {
        "station_id": stations,
        "month": pd.Series(worked.month, index=rows.index),
        "worked_on": pd.Series(days, index=rows.index, dtype="str"),
        "n_hours": pd.Series(hours, index=rows.index),
        "reason": reasons.astype("str"),
    }
    if "propensity" in rows:
        chance = parse_numbers(rows["propensity"])
        is_chance = (chance >= 0) & (chance <= 1)
        sieve.reject(~is_chance & rows["propensity"].ne("").to_numpy(), "no_propensity", field="propensity")
        columns_out["propensity"] = pd.Series(chance, index=rows.index).where(is_chance)
    for field in ("run_id", "shift"):
        if field in rows:
            columns_out[field] = rows[field].astype("str")
    for field in _COUNTS:
        if field in rows:
            columns_out[field] = _counts(rows[field], sieve, field)
    n_unknown = int((reasons.eq("unknown").to_numpy() & sieve.kept).sum())
    if n_unknown:
        sieve.warn(f"{n_unknown} deployments have no known reason; their finds cannot be set against their choice.")
    table = pd.DataFrame(columns_out)
    table.index = pd.Index(
        build_stable_ids([rows[column] for column in sorted(rows.columns)]), name=DEPLOYMENTS.index, dtype="str"
    )
    table = table[sieve.kept]
    quarantine, account = sieve.close()
    return Reading(validate(table.sort_index(), DEPLOYMENTS), quarantine, (account,))


def _counts(values: pd.Series, sieve: Sieve, field: str) -> pd.Series:
    """Whole numbers; null where blank, and the row rejected where it is something else."""
    counts = parse_numbers(values)
    is_count = (counts >= 0) & (counts <= _MOST) & (counts == np.round(counts))
    # A blank is not written down, which is not none: the visit and its hours stay.
    sieve.reject(~is_count & values.ne("").to_numpy(), "no_count", field=field)
    return pd.Series(counts, index=values.index).where(is_count).astype("Int64")
