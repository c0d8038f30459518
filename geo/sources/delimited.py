"""
The one careful door for delimited text, plain or gzip: every value is text, every row kept or rejected with a reason.

Files without a quote character, which is what open data publish, are checked as bytes by array operations and parsed by
the C engine of pandas; a million rows take a few seconds. Files with quotes are read by `geo.sources.quoted`. Both ways
give the same rows.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.errors import DisclosureError, InputError
from geo.sources.decoding import decode_text
from geo.sources.files import MAX_INPUT_BYTES, read_input_file
from geo.sources.headers import check_header, even_ends, lift_header, name_columns, split_header
from geo.sources.person_columns import describes_person
from geo.sources.quoted import CONTROL, MAX_FIELD_CHARACTERS, split_records, trim_fields
from geo.sources.row_faults import leave_out_no_rows, rejected_rows, require_mostly_rows
from geo.sources.sieve import Sieve

__all__ = ["MAX_FIELD_CHARACTERS", "DelimitedRows", "read_delimited", "split_delimited"]

_CONTROL_BYTES = bytes([*range(9), 11, 12, *range(14, 32), 127])
_UNDECODABLE = b"\xef\xbf\xbd"


@dataclass(frozen=True)
class DelimitedRows:
    """
    The rows of one delimited file.

    Attributes
    ----------
    source_file, sha256 : str
        Name and hash of the file.
    rows : pandas.DataFrame
        Readable rows as text, indexed by line number (the header is line 1), with the columns that were asked for.
    unreadable : pandas.DataFrame
        Rejected rows: ``source_row, status, reason, field, value``; never a value.
    warnings : tuple of str
        What was right but poorer: another encoding, another separator, columns not used.
    """

    source_file: str
    sha256: str
    rows: pd.DataFrame
    unreadable: pd.DataFrame
    warnings: tuple[str, ...]

    def sieve(self, *, private_fields: Collection[str] = (), source_file: str | None = None) -> Sieve:
        """
        Start deciding the fate of the rows.

        Parameters
        ----------
        private_fields : collection of str
            Fields whose values are never copied to the quarantine.
        source_file : str or None
            Another label for the file, where two have one name.

        Returns
        -------
        Sieve
            With the unreadable rows already in it.
        """
        return Sieve(
            self.rows,
            source_file=source_file or self.source_file,
            sha256=self.sha256,
            unreadable=self.unreadable,
            warnings=self.warnings,
            private_fields=frozenset(private_fields),
        )


def read_delimited(
    path: Path,
    *,
    required: Sequence[str],
    optional: Sequence[str] = (),
    repetitive: Collection[str] = (),
    refuse_person_columns: bool = False,
    max_bytes: int = MAX_INPUT_BYTES,
) -> DelimitedRows:
    """
    Read a CSV file, plain or gzip, as text.

    1. Refuse what is no table: an empty file, a web page, an archive, JSON.
    2. Decode (UTF-8, else UTF-16 by its mark, else Windows-1252) and unify line ends.
    3. Find the header below any title lines, and the separator by the required columns; check the header.
    4. Leave out copies of the header and a last line of totals, which hold no row's data.
    5. Reject rows with a wrong number of fields, control characters, bytes that cannot be decoded, or a field over
       10,000 characters; keep the rest.

    Parameters
    ----------
    path : pathlib.Path
        A local file.
    required, optional : sequence of str
        Columns to return; optional ones only where they are there. Other columns are ignored and listed.
    repetitive : collection of str
        Columns with few distinct values, returned as categories of text in sorted order, which is faster.
    refuse_person_columns : bool
        Whether a column that seems to describe a person stops the reading.
    max_bytes : int
        Largest size, on disk and decompressed.

    Returns
    -------
    DelimitedRows
        Readable rows and rejected rows.

    Raises
    ------
    UsageError
        If the path is not a plain local path.
    InputError
        If the file is no table, a required column is missing, a name is given twice, there are no rows, or most rows
        cannot be read.
    DisclosureError
        If a column seems to describe a person and that is refused.
    ResourceError
        If the file is too large.
    IntegrityError
        If the file changes while it is read.
    """
    file = read_input_file(path, max_bytes=max_bytes)
    found = split_delimited(
        file.data,
        name=file.name,
        sha256=file.sha256,
        required=required,
        optional=optional,
        repetitive=repetitive,
        refuse_person_columns=refuse_person_columns,
    )
    if not len(found.rows) + len(found.unreadable):
        msg = f"{file.name}: it has 0 rows below its header, expected at least one. Export it again."
        raise InputError(msg)
    require_mostly_rows(found.rows, found.unreadable, found.source_file)
    return found


def split_delimited(
    raw: bytes,
    *,
    name: str,
    sha256: str,
    required: Sequence[str],
    optional: Sequence[str] = (),
    repetitive: Collection[str] = (),
    refuse_person_columns: bool = False,
) -> DelimitedRows:
    """
    Split the bytes of a CSV table, as of a member of a zip file.

    Parameters
    ----------
    raw : bytes
        The table with its header.
    name, sha256 : str
        For messages and the account.
    required, optional, repetitive, refuse_person_columns
        As for `read_delimited`.

    Returns
    -------
    DelimitedRows
        Readable rows and rejected rows; none where there is a header alone.

    Raises
    ------
    InputError
        If it is no table, or a required column is missing, or a name is given twice.
    DisclosureError
        If a column seems to describe a person and that is refused.
    """
    data, warnings = decode_text(raw, name)
    data, noted = lift_header(data, required)
    warnings += noted
    separator, header = split_header(data.partition(b"\n")[0].decode(), required)
    header, noted = even_ends(data, separator, header)
    header, renamed = name_columns(header, [*required, *optional])
    warnings += [*noted, *renamed, *check_header(header, required, optional, name)]
    if refuse_person_columns:
        _refuse_persons(header, {*required, *optional}, name)
    if separator != ",":
        warnings.append(f"fields are separated by {separator!r}, not by a comma.")
    wanted = [column for column in (*required, *optional) if column in header]
    if b'"' in data:
        rows, unreadable = _split_quoted(data, separator, header, wanted, name, warnings)
    else:
        data = _trim_ends(data, separator, len(header), warnings)
        rows, unreadable = _split_plain(data, separator, header, wanted, repetitive, name)
    rows, unreadable = leave_out_no_rows(rows, unreadable, data, header, name, warnings)
    if len(unreadable) and unreadable["reason"].iloc[-1] == "truncated":
        warnings.append("the last row has no line end and too few fields: the file may be cut short.")
    for column in set(repetitive) & set(wanted):
        categories = rows[column].astype("category")
        # The parser reads in chunks and leaves categories in the order it met them.
        rows[column] = categories.cat.set_categories(sorted(categories.cat.categories))
    return DelimitedRows(name, sha256, rows, unreadable, tuple(warnings))


def _refuse_persons(header: list[str], asked_for: set[str], name: str) -> None:
    """Pass unless a column that was not asked for describes persons."""
    persons = [column for column in header if column not in asked_for and describes_person(column)]
    if persons:
        msg = (
            f"{name}: column {', '.join(map(repr, persons))} seems to describe a person, expected places and times "
            "only. Remove the column before giving the file to this tool."
        )
        raise DisclosureError(msg)


def _split_plain(
    data: bytes, separator: str, header: list[str], wanted: list[str], repetitive: Collection[str], name: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows and rejected rows of text without quotes, checked as an array of bytes."""
    line_lengths, reasons = _judge_lines(data, separator, len(header))
    # Blank lines are no rows, and neither is the header.
    is_row = line_lengths > 0
    is_row[0] = False
    bad = is_row & pd.notna(reasons)
    good = is_row & ~bad
    is_parsed = good.copy()
    is_parsed[0] = True
    if not is_parsed.all():
        data = np.frombuffer(data, dtype=np.uint8)[np.repeat(is_parsed, line_lengths + 1)[: len(data)]].tobytes()
    if wanted and good.any():
        rows = _parse(data, separator, header, wanted, repetitive)
    else:
        rows = pd.DataFrame(index=range(int(good.sum())), columns=wanted, dtype="str")
    if len(rows) != int(good.sum()):
        msg = f"{name}: {len(rows)} rows were parsed of {good.sum()}, expected the same. Save it as plain CSV again."
        raise InputError(msg)
    rows.index = pd.Index(np.flatnonzero(good) + 1, name="source_row")
    return _strip(rows, data, separator), rejected_rows(np.flatnonzero(bad) + 1, reasons[bad])


def _parse(
    data: bytes, separator: str, header: list[str], wanted: list[str], repetitive: Collection[str]
) -> pd.DataFrame:
    """Checked lines as text, the repetitive columns as categories of text."""

    def parse(kinds: dict[str, type[str] | str]) -> pd.DataFrame:
        rows = pd.read_csv(
            io.BytesIO(data),
            sep=separator,
            engine="c",
            dtype={header.index(column): kind for column, kind in kinds.items()},
            names=range(len(header)),
            # The header may end in a separator that the rows lack.
            header=None,
            skiprows=1,
            usecols=[header.index(column) for column in wanted],
            na_filter=False,
            quoting=csv.QUOTE_NONE,
            skip_blank_lines=False,
        )
        return rows.set_axis([header[int(position)] for position in rows.columns], axis=1)[wanted]

    rows = parse({column: "category" if column in repetitive else str for column in wanted})
    # Categories that all look like numbers come back as numbers, 007 as 7: then everything is read as text.
    if all(pd.api.types.is_string_dtype(rows[column].cat.categories) for column in set(repetitive) & set(wanted)):
        return rows
    return parse(dict.fromkeys(wanted, str))


def _strip(rows: pd.DataFrame, data: bytes, separator: str) -> pd.DataFrame:
    """The rows without blanks round their values; a scan of the file for them costs less than stripping."""
    mark = separator.encode()
    pads = (
        b"\t\n",
        b"\n\t",
        mark + b"\t",
        b"\t" + mark,
        b" \n",
        b"\n ",
        mark + b" ",
        b" " + mark,
        b'" ',
        b' "',
        "\u00a0".encode(),
    )
    if any(pad in data for pad in pads):
        return pd.DataFrame({name: column.astype("str").str.strip() for name, column in rows.items()})
    return rows


def _judge_lines(data: bytes, separator: str, n_columns: int) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    """Length of each line, and why it cannot be read, or None."""
    ends_well = data.endswith(b"\n")
    raw = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(raw == ord("\n"))
    if not ends_well:
        ends = np.append(ends, len(data))
    lengths = np.diff(ends, prepend=-1) - 1
    # A field count is a difference of running counts of separators at the line ends.
    running = np.searchsorted(np.flatnonzero(raw == ord(separator)), ends)
    n_fields = np.diff(running, prepend=0) + 1
    reasons = np.full(len(ends), None, dtype=object)
    reasons[n_fields != n_columns] = "ragged"
    if not ends_well and n_fields[-1] < n_columns:
        reasons[-1] = "truncated"
    for line in np.flatnonzero(lengths > MAX_FIELD_CHARACTERS):
        fields = data[ends[line] - lengths[line] : ends[line]].decode().split(separator)
        if max(map(len, fields)) > MAX_FIELD_CHARACTERS:
            reasons[line] = "too_long"
    for reason, positions in _odd_bytes(data):
        reasons[np.searchsorted(ends, positions)] = reason
    return lengths, reasons


def _odd_bytes(data: bytes) -> list[tuple[str, list[int]]]:
    """Positions of control characters and of marks left by decoding, where there are any."""
    found = []
    if len(data.translate(None, _CONTROL_BYTES)) != len(data) or b"\xc2" in data:
        found.append(("control_character", [match.start() for match in CONTROL.finditer(data)]))
    if _UNDECODABLE in data:
        found.append(("encoding", [match.start() for match in re.finditer(_UNDECODABLE, data)]))
    return [(reason, positions) for reason, positions in found if positions]


def _split_quoted(
    data: bytes, separator: str, header: list[str], wanted: list[str], name: str, warnings: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows and rejected rows of text with quotes; a record counts as the line it starts on."""
    found = split_records(data.decode(), separator, len(header), name=name)
    _note_trimmed(found.n_trimmed, separator, warnings)
    stray = [line for line, fault in found.bad if fault == "quoting"]
    if stray:
        warnings.append(
            f"{len(stray)} rows have a quote that does not close where its field ends, the first in line {stray[0]}; "
            "they are set aside."
        )
    table = pd.DataFrame(found.good, columns=range(len(header)), dtype="str")
    table = table[[header.index(column) for column in wanted]].set_axis(wanted, axis=1)
    table = _strip(table, data, separator)
    table.index = pd.Index(found.good_lines, name="source_row", dtype="int64")
    return table, rejected_rows([line for line, _ in found.bad], [fault for _, fault in found.bad])


def _trim_ends(data: bytes, separator: str, n_columns: int, warnings: list[str]) -> bytes:
    """The lines without blank fields beyond the last column."""
    mark = separator.encode()
    if not (mark + b"\n" in data or mark + b" \n" in data or data.rstrip(b" ").endswith(mark)):
        return data
    lines = data.split(b"\n")
    n_trimmed = 0
    for k, line in enumerate(lines):
        if line.count(mark) >= n_columns and k:
            kept = trim_fields(line.decode().split(separator), n_columns)
            if len(kept) == n_columns:
                lines[k] = separator.join(kept).encode()
                n_trimmed += 1
    _note_trimmed(n_trimmed, separator, warnings)
    return b"\n".join(lines) if n_trimmed else data


def _note_trimmed(n_trimmed: int, separator: str, warnings: list[str]) -> None:
    if n_trimmed:
        warnings.append(f"{n_trimmed} rows end in more {separator!r} than the header; nothing stands between them.")
