"""Known deal lines: the area each is run from, the town it supplies, the months it was seen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from geo.errors import UsageError
from geo.schema import validate
from geo.sources.accounting import Reading
from geo.sources.instants import parse_instants
from geo.sources.locations import parse_numbers
from geo.sources.mapped import column_or_blank, read_mapped
from geo.sources.months import reject_implausible_months
from geo.sources.places import ids_by_name, name_key
from geo.sources.stable_ids import build_stable_ids
from geo.tables import DEAL_LINES, PROVENANCE

__all__ = ["read_deal_lines"]

_REQUIRED = ("origin", "destination")
_OPTIONAL = ("line_id", "first_seen", "last_seen", "n_lines", "provenance")


def read_deal_lines(
    path: Path,
    *,
    exporters: pd.DataFrame,
    places: pd.DataFrame,
    columns: Mapping[str, str] | None = None,
    date_format: str | None = None,
    timezone: str | None = None,
    provenance: str = "unknown",
    not_after: pd.Period | None = None,
) -> Reading[pd.DataFrame]:
    """
    Read deal lines, naming their ends by the ids of our tables.

    Parameters
    ----------
    path : pathlib.Path
        CSV file.
    exporters, places : pandas.DataFrame
        Tables `geo.tables.EXPORTERS` and `geo.tables.PLACES`. An origin is an exporter or, for an internal line, a
        place; a destination is a place. Ids are matched first, then names without regard to case and punctuation;
        among places of one name the only one in the force is meant.
    columns : mapping of str to str or None
        Our field to their column: ``origin, destination`` and, where there, ``line_id, first_seen, last_seen, n_lines,
        provenance``.
    date_format, timezone : str or None
        As for `geo.sources.instants.parse_instants`.
    provenance : str
        Who brought the lines to light, where the file does not say it.
    not_after : pandas.Period or None
        Last month that can be meant; None for the current month.

    Returns
    -------
    Reading of pandas.DataFrame
        Table `geo.tables.DEAL_LINES`, ordered by id. A row without a count is one line.

    Raises
    ------
    UsageError
        If a setting is unknown.
    InputError
        If the file is no table or a date format must be declared.
    """
    if provenance not in PROVENANCE:
        msg = f"provenance: it is {provenance!r}, expected one of {', '.join(PROVENANCE)}. Name one of them."
        raise UsageError(msg)
    read = read_mapped(
        path, columns or {}, what="deal lines", required=_REQUIRED, optional=_OPTIONAL, refuse_person_columns=True
    )
    rows, sieve = read.rows, read.sieve()
    of_place = ids_by_name(places, prefer="is_in_force")
    ends = {"origin": {**of_place, **ids_by_name(exporters)}, "destination": of_place}
    ids = {}
    for field, lookup in ends.items():
        found = rows[field].map(lambda name, lookup=lookup: lookup.get(name) or lookup.get(name_key(name)))
        # Often only one end of a line is known: a blank end is null, a name we do not know is a fault.
        is_blank = rows[field].eq("")
        sieve.reject((found.isna() & ~is_blank).to_numpy(), f"unknown_{field}", field=field)
        sieve.reject((found.eq("") & ~is_blank).to_numpy(), f"ambiguous_{field}", field=field)
        ids[field] = found.where(~is_blank).astype("str")
    sieve.reject((ids["origin"].isna() & ids["destination"].isna()).to_numpy(), "no_end_known", field="origin")
    sieve.reject(ids["origin"].eq(ids["destination"]).to_numpy(), "origin_is_destination", field="origin")
    months = {}
    for field in ("first_seen", "last_seen"):
        parsed = parse_instants(
            column_or_blank(rows, field), sieve, field=field, date_format=date_format, timezone=timezone
        )
        months[field] = parsed.month
        reject_implausible_months(parsed.month, sieve, field=field, not_after=not_after, blank_is_fault=False)
    sieve.reject(np.asarray(months["last_seen"] < months["first_seen"]), "end_before_start", field="last_seen")
    given = column_or_blank(rows, "n_lines")
    n_lines = np.where(given.eq("").to_numpy(), 1.0, parse_numbers(given))
    sieve.reject(~(n_lines >= 0), "no_count", field="n_lines")
    stated = column_or_blank(rows, "provenance")
    stated = stated.where(stated != "", provenance)
    sieve.reject(~stated.isin(PROVENANCE).to_numpy(), "unknown_provenance", field="provenance")
    if "line_id" in rows:
        line_ids = rows["line_id"]
        sieve.reject(line_ids.eq("").to_numpy(), "no_line_id", field="line_id")
        sieve.reject_copies()
        again = line_ids[sieve.kept].duplicated(keep=False)
        sieve.reject(rows.index.isin(again.index[again]), "repeated_id", field="line_id")
    else:
        line_ids = build_stable_ids([rows[column] for column in sorted(rows.columns)])
    kept = sieve.kept
    table = pd.DataFrame(
        {
            "origin_id": ids["origin"].to_numpy(),
            "destination_id": ids["destination"].to_numpy(),
            "first_seen": months["first_seen"],
            "last_seen": months["last_seen"],
            "n_lines": n_lines,
            "provenance": stated.to_numpy(),
        },
        index=pd.Index(line_ids, name=DEAL_LINES.index, dtype="str"),
    )[kept]
    table = table.astype({"origin_id": "str", "destination_id": "str", "provenance": "str"})
    quarantine, account = sieve.close()
    return Reading(validate(table.sort_index(), DEAL_LINES), quarantine, (account,))
