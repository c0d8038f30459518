"""
What partners count by town: people in treatment, deaths, returns of missing children, one layer each.

A count of one to four people is personal data in effect: no count of a rejected row is copied to the quarantine, and
whatever leaves is for `geo.disclosure` to make coarse.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from geo.schema import validate
from geo.sources.accounting import Reading
from geo.sources.locations import parse_numbers
from geo.sources.mapped import read_mapped
from geo.sources.places import ids_by_name, name_key
from geo.tables import PARTNER_COUNTS

__all__ = ["read_partner_counts"]

_REQUIRED = ("layer", "place", "n")
# How health and local bodies write a count that is too small to tell: <5, *, c, [c], suppressed.
_SUPPRESSED = re.compile(r"<\s*\d+|\*|\[?c\]?|suppressed", flags=re.IGNORECASE)


def read_partner_counts(
    path: Path, *, places: pd.DataFrame, columns: Mapping[str, str] | None = None
) -> Reading[pd.DataFrame]:
    """
    Read counts of partners, naming their towns by the ids of our table.

    Parameters
    ----------
    path : pathlib.Path
        CSV file: one row a layer and a town.
    places : pandas.DataFrame
        Table `geo.tables.PLACES`. Ids are matched first, then names without regard to case and punctuation; among
        places of one name the only one in the force is meant.
    columns : mapping of str to str or None
        Our field to their column: ``layer, place, n``.

    Returns
    -------
    Reading of pandas.DataFrame
        Table `geo.tables.PARTNER_COUNTS`, ordered by id, which is the layer and the town. A layer is named in lower
        case with underscores. Where a layer has a town twice neither row can be preferred and both are rejected. A
        count that the partner suppressed is out of scope, not a fault: it is not zero, so its town has no row.

    Raises
    ------
    UsageError
        If the mapping names an unknown field.
    InputError
        If the file is no table.
    DisclosureError
        If a column seems to describe a person.
    """
    read = read_mapped(path, columns or {}, what="partner counts", required=_REQUIRED, refuse_person_columns=True)
    rows, sieve = read.rows, read.sieve(private_fields=("n",))
    # Brackets stay, unlike in the name of a town: treatment (opiates) is not treatment (alcohol).
    layers = rows["layer"].map(lambda text: re.sub(r"[^a-z0-9]+", "_", text.casefold()).strip("_")).astype("str")
    sieve.reject(layers.eq("").to_numpy(), "no_layer", field="layer")
    lookup = ids_by_name(places, prefer="is_in_force")
    # As for the ends of lines: blank is a name that several places share and none of them can be preferred.
    found = rows["place"].map(lambda name: lookup.get(name, lookup.get(name_key(name))))
    sieve.reject(found.isna().to_numpy(), "unknown_place", field="place")
    sieve.reject(found.eq("").to_numpy(), "ambiguous_place", field="place")
    is_suppressed = rows["n"].map(lambda text: _SUPPRESSED.fullmatch(text) is not None).to_numpy(bool)
    sieve.reject(is_suppressed, "suppressed_count", field="n", status="out_of_scope")
    n = parse_numbers(rows["n"])
    sieve.reject(~(n >= 0), "no_count", field="n")
    place_ids = found.astype("str")
    ids = (layers + ":" + place_ids).astype("str")
    again = ids[sieve.kept].duplicated(keep=False)
    sieve.reject(rows.index.isin(again.index[again]), "repeated_place", field="place")
    table = pd.DataFrame(
        {"layer": layers.to_numpy(), "place_id": place_ids.to_numpy(), "n": n},
        index=pd.Index(ids, name=PARTNER_COUNTS.index, dtype="str"),
    )[sieve.kept].astype({"layer": "str", "place_id": "str"})
    quarantine, account = sieve.close()
    return Reading(validate(table.sort_index(), PARTNER_COUNTS), quarantine, (account,))
