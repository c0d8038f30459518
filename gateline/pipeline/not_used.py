"""
What a run did not use, in words: months without data, files, rows, trips and stations, each with its number and reason.

Readers count by codes; here the counts of all files become one table that a planner can read, and the few sentences
that every product carries.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from gateline.pipeline.read import Inputs
from gateline.pipeline.stages import Results
from gateline.products.inputs import NOT_USED
from geo.naming import name_some
from geo.schema import empty, validate
from geo.sources.accounting import RowAccount
from geo.sources.coverage import describe_coverage

__all__ = ["list_not_used", "tell_not_used"]

# Reasons whose codes do not say it in plain words; the others do.
_WORDS = {
    "bad_date": "no date, or an end before its start",
    "bad_time": "a time that is none",
    "bad_times": "times that run back or last too long",
    "contradictory_position": "a place that another row of the same contradicts",
    "contradictory_record": "another row of the same number says otherwise",
    "control_character": "characters that are no text",
    "degrees_in_grid_metres": "degrees where metres are declared",
    "deletion_found_nothing": "deletes what is not there",
    "elsewhere": "runs beyond the region",
    "encoding": "letters that cannot be read",
    "grid_metres_in_degrees": "metres where degrees are declared",
    "half_position": "one coordinate of two",
    "lost_longitude_sign": "a longitude without its minus sign",
    "no_public_call": "where trains pass or passengers may not board",
    "no_such_trip": "of a trip that is not there",
    "null_island": "a place written as 0, 0",
    "offshore_east": "a longitude without its minus sign",
    "other_week": "of another week",
    "out_of_area": "outside the force",
    "quoting": "a quote that does not close",
    "ragged": "more or fewer fields than the header",
    "same_record_in_other_file": "in another file, too",
    "superseded": "replaced by a later row of the same number",
    "suppressed_count": "a count that the partner withholds",
    "swapped_coordinates": "longitude and latitude exchanged",
    "swapped_grid": "easting and northing exchanged",
    "too_fast": "faster than any train",
    "too_long": "a field of more than 10,000 letters",
    "trip_not_used": "of trips that are not used",
    "truncated": "cut short",
    "unknown_tiploc": "at a place that is no known station",
    "web_mercator": "coordinates of a web map",
    "zero_length": "no length",
}
# Lines of a file that hold no data of their own.
_NO_DATA = frozenset({"comment", "header", "trailer"})
_TRIPS = ("trips.txt", "trips of the week")
_STATUS = {"quarantined": "faulty", "duplicate": "duplicate", "out_of_scope": "out of scope"}
_MOST_SHOWN = 3
_Row = tuple[str, str, str, float, str]


def list_not_used(inputs: Inputs, results: Results, *, untold: Collection[str]) -> pd.DataFrame:
    """
    List what was not used.

    Parameters
    ----------
    inputs : Inputs
        What was read.
    results : Results
        For its railway.
    untold : collection of str
        Files whose rows tell of people, which are counted in the audit log alone.

    Returns
    -------
    pandas.DataFrame
        Table `NOT_USED`, months first, then files, rows, trips and stations.
    """
    told = [account for account in inputs.accounts if account.source_file not in untold]
    parts = [
        _months(inputs),
        _files(told),
        *(_rows(account) for account in told),
        _timetable(inputs, results),
        _stations(inputs, results),
    ]
    rows = [row for part in parts for row in part]
    if not rows:
        return empty(NOT_USED)
    table = pd.DataFrame(rows, columns=["kind", "name", "status", "n", "reason"])
    order = {kind: at for at, kind in enumerate(NOT_USED.columns["kind"].values)}
    table = table.sort_values("kind", key=lambda kinds: kinds.map(order), kind="stable").reset_index(drop=True)
    table = table.astype({"kind": "str", "name": "str", "status": "str", "n": "float64", "reason": "str"})
    width = len(str(len(table)))
    table.index = pd.Index([f"U{k:0{width}d}" for k in range(1, len(table) + 1)], name=NOT_USED.index, dtype="str")
    return validate(table, NOT_USED)


def tell_not_used(not_used: pd.DataFrame) -> tuple[str, ...]:
    """
    Tell in a few sentences what was not used.

    Parameters
    ----------
    not_used : pandas.DataFrame
        Table `NOT_USED`. Never modified.

    Returns
    -------
    tuple of str
        A sentence a kind, months apart, which have their own; empty where all was used.
    """
    told = []
    for kind, what in (("file", "files or folders"), ("rows", "rows"), ("trips", "trips"), ("station", "stations")):
        rows = not_used[not_used["kind"] == kind]
        if kind in {"rows", "trips"}:
            # What lies out of scope was not meant to be used.
            why = rows[rows["status"] != "out of scope"].groupby("reason")["n"].sum()
            why = why.sort_values(ascending=False, kind="stable")
            shown = "; ".join(f"{n:,.0f} {reason}" for reason, n in why.iloc[:_MOST_SHOWN].items())
            more = f"; and {len(why) - _MOST_SHOWN} more reasons" if len(why) > _MOST_SHOWN else ""
            told += [f"{why.sum():,.0f} {what} were set aside: {shown}{more} (not_used.csv)"] if len(why) else []
        elif len(rows):
            # Names of files are told in the list alone, which is not released.
            shown = "not_used.csv says why" if kind == "file" else name_some(rows["name"], _MOST_SHOWN)
            told.append(f"{len(rows)} {what} were not used: {shown}")
    return tuple(told)


def _months(inputs: Inputs) -> list[_Row]:
    gaps = inputs.coverage[inputs.coverage["missing_months"].map(len) > 0]
    # The force that is scored has most rows, and comes first.
    n_rows = inputs.context["force"].value_counts()
    gaps = gaps.assign(n=gaps["force"].map(n_rows).fillna(0)).sort_values(["n", "force"], ascending=[False, True])
    told = describe_coverage(gaps)
    return [
        ("month", force, "missing", float(len(months)), text)
        for force, months, text in zip(gaps["force"], gaps["missing_months"], told, strict=True)
    ]


def _files(accounts: Sequence[RowAccount]) -> list[_Row]:
    """Files that gave no row, and those that were passed over."""
    return [
        (
            "file",
            account.source_file,
            "not read",
            float(account.n_read),
            _why_not_read(account),
        )
        for account in accounts
        if account.n_accepted == 0 and not account.source_file.endswith(".txt")
    ]


def _why_not_read(account: RowAccount) -> str:
    """The reason; files of a folder that are no input are not named, as a name may be of a person."""
    told = " ".join(account.warnings) or "none of its rows was used."
    return f"{told.partition(':')[0]}; gateline check names them." if account.source_file.endswith("/") else told


def _rows(account: RowAccount) -> list[_Row]:
    """Rows of one file by reason."""
    kind = "trips" if account.source_file.endswith(_TRIPS) else "rows"
    return [
        (kind, account.source_file, _STATUS[status], float(n), _WORDS.get(reason, reason.replace("_", " ")))
        for status, reason, n in account.n_by_reason
        if reason not in _NO_DATA
    ]


def _timetable(inputs: Inputs, results: Results) -> list[_Row]:
    """The timetable, where the run does not rest on it."""
    if inputs.timetable is None or results.railway_basis == "timetable":
        return []
    name = inputs.timetable.accounts[0].source_file.split(":")[0]
    return [("file", name, "not read", np.nan, "its trains call at too few stations of the force, and none is used")]


def _stations(inputs: Inputs, results: Results) -> list[_Row]:
    """Stations that are in no list, and those at which no train calls."""
    network, names = results.network, inputs.stations["name"]
    rows = [
        ("station", f"{names[code]} ({code})", "missing", np.nan, str(reason))
        for code, reason in zip(network.unsnapped.index, network.unsnapped["reason"], strict=True)
    ]
    if inputs.timetable is not None and results.railway_basis == "timetable":
        ours = network.stations.index[network.stations["is_in_force"]]
        idle = sorted(set(ours) - set(inputs.timetable.calls["station_id"]))
        rows += [
            ("station", f"{names[code]} ({code})", "missing", np.nan, "no train calls in the week") for code in idle
        ]
    return rows
