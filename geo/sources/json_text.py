"""JSON text in: one document or many, whole, not too deep, and with texts that can be written again."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

import numpy as np

from geo.errors import InputError, ResourceError

__all__ = ["parse_documents"]

_MAX_DEPTH = 64
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
# White space between documents, and the mark that RFC 8142 sets before each.
_BETWEEN = re.compile("[\\s\x1e]*")


def parse_documents(data: bytes, name: str, *, expected: str) -> list[Any]:
    r"""
    Parse the JSON documents of a file: one, or several one after the other.

    Parameters
    ----------
    data : bytes
        UTF-8, with or without a byte-order mark, or UTF-16 with one.
    name : str
        File name.
    expected : str
        What the file should be, in words.

    Returns
    -------
    list
        The documents in their order.

    Raises
    ------
    InputError
        If the text is not valid JSON or holds no document.
    ResourceError
        If it is nested more than 64 deep.

    Examples
    --------
    >>> parse_documents(b'{"a": 1}\n{"a": 2}', "x.json", expected="JSON")
    [{'a': 1}, {'a': 2}]
    """
    decoder = json.JSONDecoder(parse_constant=_refuse_constant)
    documents: list[Any] = []
    try:
        text = data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
        _require_shallow(text.encode(), name)
        at = _after_blanks(text, 0)
        while at < len(text):
            document, at = decoder.raw_decode(text, at)
            documents.append(document)
            at = _after_blanks(text, at)
    except (ValueError, RecursionError) as error:
        record = f"document {len(documents) + 1}: " if documents else ""
        detail = str(error).splitlines()[0][:120]
        msg = f"{name}: it is not valid {expected} ({record}{detail}), expected whole JSON text. Fetch it again."
        raise InputError(msg) from error
    if not documents:
        msg = f"{name}: it holds only blanks, expected {expected}. Export it again."
        raise InputError(msg)
    return documents


def _after_blanks(text: str, at: int) -> int:
    match = _BETWEEN.match(text, at)
    return match.end() if match else at


def _require_shallow(data: bytes, name: str) -> None:
    """Pass unless brackets outside texts nest deeper than the cap, which could exhaust the parser's stack."""
    raw = np.frombuffer(_STRING.sub(b"", data), dtype=np.uint8)
    steps = np.zeros(len(raw), dtype=np.int8)
    steps[(raw == ord("[")) | (raw == ord("{"))] = 1
    steps[(raw == ord("]")) | (raw == ord("}"))] = -1
    depth = int(np.cumsum(steps, dtype=np.int32).max(initial=0))
    if depth > _MAX_DEPTH:
        msg = f"{name}: it is nested {depth} deep, expected at most {_MAX_DEPTH}. Check its source."
        raise ResourceError(msg)


def _refuse_constant(name: str) -> NoReturn:
    msg = f"{name} is no JSON number"
    raise ValueError(msg)
