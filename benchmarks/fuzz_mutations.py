"""Ways in which a file is spoilt: by bytes, by lines, by fields, by numbers, by how it is written."""

from __future__ import annotations

import codecs
import random
import re
from collections.abc import Callable

__all__ = ["mutate"]

Mutation = Callable[[bytes, random.Random], bytes]

JUNK = [
    b"",
    b"x",
    b"-1",
    b"0",
    b"nan",
    b"inf",
    b"NULL",
    b"1e400",
    b"9" * 30,
    b"25:61:00",
    b"45662",
    b"31/02/2025",
    b"0001-01-01",
    b"9999-12-31",
    b"=1+1",
    b'"',
    b"'",
    b",",
    b"\n",
    b"\x00",
    b"\x07",
    b"\xff\xfe",
    b"\xa3",
    "\u0660\u0661".encode(),
    "\u202e".encode(),
    "\U0001f600".encode(),
    b"{{ 7 }}",
    b"<b>",
    b"%s",
    b"null",
    b"[]",
    b"{}",
    b"true",
    b"-0",
    b"1_000",
    b"1,000",
    b"0x10",
]
_LONG_BYTES = 20_000
_DEEP = 300
_LARGEST_BYTES = 2**20


def _cut(data: bytes, rng: random.Random) -> tuple[int, int]:
    start = rng.randrange(len(data) + 1)
    return start, min(len(data), start + rng.choice((1, 2, 4, 16, 64, 512)))


def flip(data: bytes, rng: random.Random) -> bytes:
    if not data:
        return data
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]


def overwrite(data: bytes, rng: random.Random) -> bytes:
    if not data:
        return data
    at = rng.randrange(len(data))
    return data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]


def insert(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice(JUNK) + data[at:]


def delete(data: bytes, rng: random.Random) -> bytes:
    start, stop = _cut(data, rng)
    return data[:start] + data[stop:]


def repeat(data: bytes, rng: random.Random) -> bytes:
    start, stop = _cut(data, rng)
    return data[:stop] + data[start:stop] * rng.choice((1, 2, 50)) + data[stop:]


def truncate(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _lines(data: bytes) -> list[bytes]:
    return data.splitlines(keepends=True) or [b""]


def drop_line(data: bytes, rng: random.Random) -> bytes:
    lines = _lines(data)
    del lines[rng.randrange(len(lines))]
    return b"".join(lines)


def repeat_line(data: bytes, rng: random.Random) -> bytes:
    lines = _lines(data)
    at = rng.randrange(len(lines))
    return b"".join([*lines[:at], *[lines[at]] * rng.choice((2, 3, 100)), *lines[at + 1 :]])


def swap_lines(data: bytes, rng: random.Random) -> bytes:
    lines = _lines(data)
    a, b = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]
    return b"".join(lines)


def spoil_field(data: bytes, rng: random.Random) -> bytes:
    """One field of one line is junk, or that of another line."""
    lines = _lines(data)
    at = rng.randrange(len(lines))
    fields, others = lines[at].rstrip(b"\r\n").split(b","), rng.choice(lines).rstrip(b"\r\n").split(b",")
    fields[rng.randrange(len(fields))] = rng.choice((rng.choice(JUNK), rng.choice(others)))
    lines[at] = b",".join(fields) + b"\n"
    return b"".join(lines)


def drop_column(data: bytes, rng: random.Random) -> bytes:
    rows = [line.rstrip(b"\r\n").split(b",") for line in _lines(data)]
    at = rng.randrange(max(len(rows[0]), 1))
    return b"\n".join(b",".join(row[:at] + row[at + 1 :]) for row in rows) + b"\n"


def swap_columns(data: bytes, rng: random.Random) -> bytes:
    rows = [line.rstrip(b"\r\n").split(b",") for line in _lines(data)]
    n = max(len(rows[0]), 1)
    a, b = rng.randrange(n), rng.randrange(n)
    for row in rows[rng.choice((0, 1)) :]:
        if len(row) == n:
            row[a], row[b] = row[b], row[a]
    return b"\n".join(b",".join(row) for row in rows) + b"\n"


def spoil_number(data: bytes, rng: random.Random) -> bytes:
    """One number, or text between quotes, is another thing."""
    found = list(re.finditer(rb"-?\d+(?:\.\d+)?|\"[^\"\n]{0,40}\"", data))
    if not found:
        return data
    match = rng.choice(found)
    return data[: match.start()] + rng.choice(JUNK) + data[match.end() :]


def change_case(data: bytes, rng: random.Random) -> bytes:
    start, stop = _cut(data, rng)
    return data[:start] + data[start:stop].swapcase() + data[stop:]


def lengthen(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice((b"A", b"9", b" ", b",", b"\n")) * _LONG_BYTES + data[at:]


def nest(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice((b"[", b"{", b"(", b'{"a":', b"<a>")) * _DEEP + data[at:]


def rewrite(data: bytes, rng: random.Random) -> bytes:
    """The same text in other letters, line ends or separators."""
    text = data.decode("utf-8", "replace")
    ways: list[Callable[[], bytes]] = [
        lambda: codecs.BOM_UTF8 + data,
        lambda: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
        lambda: text.encode("utf-16-be"),
        lambda: text.replace("o", "\xf6").encode("cp1252", "replace"),
        lambda: data.replace(b"\n", b"\r\n"),
        lambda: data.replace(b"\n", b"\r"),
        lambda: data.replace(b",", rng.choice((b";", b"\t", b"|", b", ", b",,"))),
        lambda: data.replace(b"\n", b",\n"),
        lambda: re.sub(rb"([^,\n]+)", rb'"\1"', data),
        lambda: b"FICTIONAL title\n\n" + data,
        lambda: data + b"Total,,9\n",
        lambda: data + data,
        lambda: data.rstrip(b"\n"),
        lambda: b"",
        lambda: data.partition(b"\n")[2],
    ]
    return rng.choice(ways)()


_MUTATIONS: tuple[Mutation, ...] = (
    flip,
    overwrite,
    insert,
    delete,
    repeat,
    truncate,
    drop_line,
    repeat_line,
    swap_lines,
    spoil_field,
    spoil_field,
    spoil_field,
    drop_column,
    swap_columns,
    spoil_number,
    spoil_number,
    change_case,
    lengthen,
    nest,
    rewrite,
)


def mutate(data: bytes, rng: random.Random) -> bytes:
    """
    Spoil a file in one to three ways.

    Parameters
    ----------
    data : bytes
        The whole file.
    rng : random.Random
        Decides; the same state gives the same bytes.

    Returns
    -------
    bytes
        At most a MiB.
    """
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        data = rng.choice(_MUTATIONS)(data, rng)[:_LARGEST_BYTES]
    return data
