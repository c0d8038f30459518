"""Files damaged at random, the same each time: bytes lost, changed, repeated, and what people and disks do to text."""

import random

PIECES = [
    *(
        b"",
        b"\0",
        b'"',
        b"'",
        b",",
        b";",
        b"\t",
        b"\r",
        b"\n",
        b"\n\n",
        b"\xff",
        b"\xc2\xa0",
        b"\xef\xbb\xbf",
        b"\xed\xa0\x80",
    ),
    *(
        b"-",
        b"0",
        b"-1",
        b"1e400",
        b"nan",
        b"inf",
        b"NULL",
        b"=1+1",
        b"%",
        b"[",
        b"]",
        b"{",
        b"}",
        b"=",
        b"#",
        b"\\u0000",
    ),
    *(b"05/10/2024", b"2024-13-45", b"0000-00-00", b"99999-01", b"2024-10-05T23:61", b"2024-03-31 01:30"),
    *(b"2024-10-05T10:00+99:00", b"1979-05-27T07:32:00-08:00"),
    *(b"[" * 5000, b"9" * 5000, b"0x" + b"f" * 5000, b"x" * 20_000),
]


def damage(data: bytes, name: str, number: int) -> bytes:
    """The same bytes with one to four faults, of this name and number."""
    chance = random.Random(f"{name} {number}")  # noqa: S311 - the same each time, and nothing is secret
    for _ in range(chance.randint(1, 4)):
        data = chance.choice(FAULTS)(data, chance)
    return data


def _at(data, chance):
    return chance.randrange(len(data) + 1)


def _put(data, chance):
    at = _at(data, chance)
    return data[:at] + chance.choice(PIECES) + data[at:]


def _cut_off(data, chance):
    return data[: _at(data, chance)]


def _lose(data, chance):
    at = _at(data, chance)
    return data[:at] + data[at + chance.randint(1, 40) :]


def _change(data, chance):
    at = _at(data, chance)
    return data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]


def _repeat(data, chance):
    at = _at(data, chance)
    return data[:at] + data[at : at + chance.randint(1, 200)] * 2 + data[at:]


def _swap_lines(data, chance):
    lines = data.split(b"\n")
    chance.shuffle(lines)
    return b"\n".join(lines)


def _replace_value(data, chance):
    """One field of one line holds something else."""
    lines = data.split(b"\n")
    at = chance.randrange(len(lines))
    mark = b"=" if b"=" in lines[at] else b","
    fields = lines[at].split(mark)
    fields[chance.randrange(len(fields))] = chance.choice(PIECES)
    lines[at] = mark.join(fields)
    return b"\n".join(lines)


def _encode(data, chance):
    text = data.decode("utf-8", "replace")
    return text.encode(chance.choice(["utf-16", "utf-16-le", "cp500", "latin-1"]), "replace")


FAULTS = [_put, _put, _cut_off, _lose, _change, _change, _repeat, _swap_lines, _replace_value, _replace_value, _encode]
