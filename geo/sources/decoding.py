"""Bytes to one kind of text: what is no table is refused, what has another encoding is decoded and said so."""

from __future__ import annotations

import codecs
import re

from geo.errors import InputError
from geo.sources.foreign import name_foreign

__all__ = ["decode_text", "refuse_foreign"]

_MULTIBYTE_UTF8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}")
_LOOK_BYTES = 4096


def refuse_foreign(data: bytes, name: str, *, expected: str) -> None:
    """
    Pass unless the content is a web page, an archive or another kind of file.

    Parameters
    ----------
    data : bytes
        The content.
    name : str
        File name.
    expected : str
        What the reader takes, in words.

    Raises
    ------
    InputError
        If the content is something else.
    """
    kind = name_foreign(data)
    if kind is not None:
        msg = f"{name}: it is {kind}, expected {expected}. Fetch it again, or export {expected}."
        raise InputError(msg)


def decode_text(data: bytes, name: str) -> tuple[bytes, list[str]]:
    r"""
    Turn the bytes of a text file into UTF-8 with ``\n`` line ends and no byte-order mark.

    Parameters
    ----------
    data : bytes
        The content, decompressed.
    name : str
        File name.

    Returns
    -------
    tuple of (bytes, list of str)
        UTF-8 text, and one sentence for each departure from plain UTF-8. Bytes that no encoding explains become
        U+FFFD, which the reader rejects row by row.

    Raises
    ------
    InputError
        If the content is no text, or is empty once decoded.

    Examples
    --------
    >>> decode_text(b"\xef\xbb\xbfa\r\nb", "x.csv")
    (b'a\nb', ['it has a UTF-8 byte-order mark.'])
    """
    refuse_foreign(data, name, expected="a CSV text file")
    text, warnings = _decode(data, name)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    head = text[:_LOOK_BYTES].lstrip()
    if head.startswith(("{", "[")):
        msg = f"{name}: it is JSON, expected a CSV text file. Export it as CSV."
        raise InputError(msg)
    if not head:
        msg = f"{name}: it holds only blanks, expected a header and rows. Fetch or export it again."
        raise InputError(msg)
    # Many zero bytes are no text with a fault but another kind of file.
    if text[:_LOOK_BYTES].count("\0") * 10 > min(len(text), _LOOK_BYTES):
        msg = f"{name}: it is binary, expected a CSV text file. Export it as CSV."
        raise InputError(msg)
    return text.encode("utf-8", "replace"), warnings


def _decode(data: bytes, name: str) -> tuple[str, list[str]]:
    """Text, and what was not plain UTF-8 about it."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return data.decode("utf-16"), ["it is UTF-16; it was decoded."]
        except UnicodeDecodeError as error:
            msg = f"{name}: its UTF-16 text is damaged, expected whole text. Save it as UTF-8 again."
            raise InputError(msg) from error
    warnings = []
    if data.startswith(codecs.BOM_UTF8):
        data = data.removeprefix(codecs.BOM_UTF8)
        warnings.append("it has a UTF-8 byte-order mark.")
    try:
        return data.decode("utf-8"), warnings
    except UnicodeDecodeError:
        pass
    # Valid multi-byte sequences say UTF-8 with damaged rows; none say Windows-1252.
    if _MULTIBYTE_UTF8.search(data) is None:
        try:
            return data.decode("cp1252"), [*warnings, "it is not UTF-8; it was decoded as Windows-1252."]
        except UnicodeDecodeError:
            pass
    return data.decode("utf-8", "replace"), [*warnings, "some bytes are not UTF-8; the rows with them are rejected."]
