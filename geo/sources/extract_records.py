"""
Which rows of offence extracts are one offence: a crime number with one type is one, and another type is another.

The same rules hold within a file and between files, so that an extract may be given in parts that overlap.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.errors import UsageError
from geo.schema import validate
from geo.sources.accounting import Reading, RowAccount, merge_quarantine, quarantine_rows
from geo.sources.instants import parse_instants
from geo.sources.mapped import column_or_blank
from geo.sources.sieve import Sieve
from geo.sources.stable_ids import build_stable_ids
from geo.tables import OFFENCES, QUARANTINE

__all__ = ["ExtractReading", "Records", "merge_extracts", "sift_records"]


@dataclass(frozen=True)
class Records:
    """
    What tells the records of one file apart.

    Attributes
    ----------
    offence_ids : pandas.Series
        Stable id of each row.
    facts : pandas.DataFrame
        ``record`` (hash of the crime number, or the id where the file has none), ``recorded_at`` (UTC, null where not
        known) and ``content`` (hash of the row), on the index of the rows.
    """

    offence_ids: pd.Series
    facts: pd.DataFrame


@dataclass(frozen=True)
class ExtractReading(Reading[pd.DataFrame]):
    """
    What `geo.sources.offence_extract.read_offence_extract` returns: a reading that others can be merged with.

    Attributes
    ----------
    facts : pandas.DataFrame
        As of `Records`, for each offence of the table, on its index.
    """

    facts: pd.DataFrame = field(default_factory=pd.DataFrame)


def sift_records(
    rows: pd.DataFrame, sieve: Sieve, *, force: str, date_format: str | None, timezone: str | None
) -> Records:
    """
    Give stable ids; copies are duplicates, older versions are superseded, of contradictory ones the first stays.

    1. Rows of one crime number that are equal in every field are one record.
    2. Of amended rows of one number the latest `recorded_on` counts.
    3. Rows of one number with another crime type or offence code are other offences.
    4. Of rows of one number and type that differ in anything else, the first in the order of their content stays.

    Parameters
    ----------
    rows : pandas.DataFrame
        Text rows by our field names. Without ``offence_id`` equal rows are separate offences.
    sieve : Sieve
        Takes the rejected rows.
    force : str
        Recording force.
    date_format, timezone : str or None
        As for `geo.sources.instants.parse_instants`, for ``recorded_on``.

    Returns
    -------
    Records
        For every row, the rejected among them; ids of accepted rows are unique.

    Raises
    ------
    InputError
        If a date of ``recorded_on`` needs a format or a zone.
    """
    fields = sorted(rows.columns)
    content = pd.Series(
        [
            _hash("\x1f".join(f"{name}={value}" for name, value in zip(fields, values, strict=True) if value))
            for values in zip(*(rows[name].tolist() for name in fields), strict=True)
        ],
        index=rows.index,
        dtype="str",
    )
    if "offence_id" not in rows:
        ids = build_stable_ids([rows[name] for name in fields])
        return Records(ids, _facts(ids, None, content))
    given = rows["offence_id"]
    sieve.reject(given.eq("").to_numpy(), "no_offence_id", field="offence_id")
    sieve.reject(_repeats(rows, sieve), "same_record_again", field="offence_id", status="duplicate")
    recorded = None
    if "recorded_on" in rows:
        recorded = parse_instants(
            rows["recorded_on"], sieve, field="recorded_on", date_format=date_format, timezone=timezone
        ).from_at
        at = pd.Series(recorded, index=rows.index)
        latest = at[sieve.kept].groupby(given[sieve.kept]).transform("max").reindex(rows.index)
        sieve.reject((at < latest).to_numpy(), "superseded", field="offence_id")
    kinds = pd.DataFrame({"id": given, "type": rows["crime_type"], "code": column_or_blank(rows, "offence_code")})
    sieve.reject(_repeats(kinds, sieve, order=content), "contradictory_record", field="offence_id")
    force_column = pd.Series(force, index=rows.index, dtype="str")
    ids = build_stable_ids([force_column, given, kinds["type"], kinds["code"], content.where(~sieve.kept, "")])
    return Records(ids, _facts(given.map(lambda number: _hash(f"{force}\x1f{number}")), recorded, content))


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=10).hexdigest()


def _facts(record: pd.Series, recorded_at: pd.DatetimeIndex | None, content: pd.Series) -> pd.DataFrame:
    at = pd.DatetimeIndex([pd.NaT] * len(record), dtype="datetime64[ns, UTC]") if recorded_at is None else recorded_at
    return pd.DataFrame({"record": record.astype("str"), "recorded_at": at, "content": content}, index=record.index)


def _repeats(keys: pd.DataFrame, sieve: Sieve, *, order: pd.Series | None = None) -> NDArray[np.bool_]:
    """Which accepted rows repeat the keys of an accepted row before them, in an order or as they stand."""
    kept = keys[sieve.kept] if order is None else keys.loc[order[sieve.kept].sort_values(kind="stable").index]
    return np.asarray(keys.index.isin(kept.index[kept.duplicated()]), dtype=bool)


def merge_extracts(readings: Sequence[ExtractReading]) -> Reading[pd.DataFrame]:
    """
    Put several extracts together by the rules that hold within one.

    Parameters
    ----------
    readings : sequence of ExtractReading
        Of the files of one force, in any order.

    Returns
    -------
    Reading of pandas.DataFrame
        Table `geo.tables.OFFENCES`, ordered by `offence_id`; a record that another file holds too is a duplicate in the
        file of the later hash. The accounts are in the order given.

    Raises
    ------
    UsageError
        If none is given.
    """
    if not readings:
        msg = "offences: no extract is given, expected at least one. Name the files."
        raise UsageError(msg)
    apart = _label_apart(readings)
    order = sorted(range(len(apart)), key=lambda k: (apart[k].accounts[0].sha256, k))
    pool = pd.concat(
        [
            apart[k].facts.assign(offence_id=apart[k].table.index, file=k, place=range(len(apart[k].table)))
            for k in order
        ]
    ).reset_index(drop=True)
    fate = pd.Series("", index=pool.index, dtype="str")
    fate[pool.duplicated(["offence_id", "content"])] = "same_record_in_other_file"
    left = pool[fate == ""]
    latest = left.groupby("record")["recorded_at"].transform("max")
    fate[left.index[left["recorded_at"] < latest]] = "superseded"
    left = pool[fate == ""].sort_values("content", kind="stable")
    fate[left.index[left.duplicated("offence_id")]] = "contradictory_record"
    merged = [_reject(reading, pool[pool["file"] == k], fate) for k, reading in enumerate(apart)]
    return Reading(
        validate(pd.concat([reading.table for reading in merged]).sort_index(), OFFENCES),
        merge_quarantine([reading.quarantine for reading in merged]),
        tuple(account for reading in merged for account in reading.accounts),
    )


def _label_apart(readings: Sequence[ExtractReading]) -> list[ExtractReading]:
    """The readings with the hash, or the number, of each file before its name where several have one name."""
    names = Counter(reading.accounts[0].source_file for reading in readings)
    labels: set[str] = set()
    apart = []
    for reading in readings:
        account = reading.accounts[0]
        label = account.source_file
        if names[label] > 1:
            label = f"{account.sha256[:8]}-{label}"
        while label in labels:
            label = f"again-{label}"
        labels.add(label)
        quarantine = reading.quarantine.assign(source_file=label).astype({"source_file": "str"})
        quarantine.index = pd.Index(
            [f"{label}:{row}" for row in quarantine["source_row"]], name=QUARANTINE.index, dtype="str"
        )
        table = reading.table.assign(source_file=label).astype({"source_file": "str"})
        accounts = (dataclasses.replace(account, source_file=label),)
        apart.append(dataclasses.replace(reading, table=table, quarantine=quarantine, accounts=accounts))
    return apart


def _reject(reading: ExtractReading, pool: pd.DataFrame, fate: pd.Series) -> Reading[pd.DataFrame]:
    """One reading without the offences that have a fate, which its quarantine and account name."""
    own = pool.sort_values("place")
    reasons = fate[own.index].to_numpy()
    lost = reading.table[reasons != ""]
    account = reading.accounts[0]
    # An older version in another file is no fault of that file.
    status = np.where(reasons[reasons != ""] == "contradictory_record", "quarantined", "duplicate")
    rows = pd.DataFrame({"source_row": lost["source_row"].to_numpy(), "status": status})
    rows["reason"], rows["field"], rows["value"] = reasons[reasons != ""], "offence_id", None
    counts = Counter({(s, r): n for s, r, n in account.n_by_reason})
    counts.update(zip(rows["status"], rows["reason"], strict=True))
    left = RowAccount(
        account.source_file,
        account.sha256,
        account.n_read,
        account.n_accepted - len(lost),
        tuple(sorted((s, r, n) for (s, r), n in counts.items())),
        account.warnings,
    )
    more = quarantine_rows(account.source_file, rows)
    return Reading(reading.table[reasons == ""], merge_quarantine([reading.quarantine, more]), (left,))
