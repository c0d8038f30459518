"""
What the text of OpenStreetMap XML gives away before it is parsed: that a parser of sorted extracts would misread it.

The text is searched, not parsed, while it is measured, so a false sign is possible, in the value of a tag; it costs a
slower reading and nothing else. Only a remark and a change file are refused for what is found.
"""

from __future__ import annotations

import re

__all__ = ["XmlSigns"]

# Deleted objects, and objects that were never uploaded, in either kind of quotes: a word to find fast, then the sign.
_SIGNS = (
    (b"false", re.compile(rb"""\bvisible=["']false["']""")),
    (b"delete", re.compile(rb"""\baction=["']delete["']""")),
    (b'f="-', re.compile(rb'\bref="-')),
    (b"f='-", re.compile(rb"\bref='-")),
)
_REMARK = re.compile(rb"<remark[^>]*>([^<]*)")
_MOST_SHOWN = 200
_CHANGE = re.compile(rb"<osmChange\b")
_OBJECT = re.compile(rb"<(node|way|relation)\s[^>]*?\bid\s*=\s*[\"'](-?[0-9]+)")
# Every sign is found whole in a piece and the end of the one before it.
_OVERLAP_BYTES = 512
_HEAD_BYTES = 4096
# A file of histories repeats objects from its start.
_LOOK_BYTES = 4 << 20


class XmlSigns:
    """
    Look for signs in the text of a file, piece by piece.

    Examples
    --------
    >>> signs = XmlSigns()
    >>> signs.look(b'<osm><way id="1"/><node id="1"/></osm>')
    >>> signs.is_irregular, signs.remark
    (True, '')
    """

    def __init__(self) -> None:
        self.is_irregular = False
        self.is_change = False
        self.remark = ""
        self._has_way = False
        self._rest = b""
        self._n_looked = 0
        self._last_object: tuple[bytes, bytes] | None = None

    def look(self, piece: bytes) -> None:
        """
        Look at the next piece.

        Parameters
        ----------
        piece : bytes
            Text, decompressed.
        """
        text = self._rest + piece
        if self._n_looked == 0:
            self.is_change = _CHANGE.search(text, 0, _HEAD_BYTES) is not None
        if not self.is_irregular:
            has_sign = any(word in text and sign.search(text) for word, sign in _SIGNS)
            self.is_irregular = has_sign or self._is_unsorted(text, len(self._rest))
        if self._n_looked < _LOOK_BYTES and not self.is_irregular:
            self.is_irregular = self._repeats(piece)
        if not self.remark and b"<remark" in text:
            match = _REMARK.search(text)
            self.remark = " ".join(match[1].decode("utf-8", "replace").split())[:_MOST_SHOWN] if match else ""
        self._n_looked += len(piece)
        self._rest = text[-_OVERLAP_BYTES:]

    def _is_unsorted(self, text: bytes, new_at: int) -> bool:
        """Whether a node follows a way; of what was looked at before, only a word cut in two matters."""
        look_at = max(0, new_at - len(b"<node "))
        if not self._has_way:
            look_at = text.find(b"<way ")
            self._has_way = look_at >= 0
        return self._has_way and text.find(b"<node ", look_at) >= 0

    def _repeats(self, piece: bytes) -> bool:
        """Whether two objects that follow one another are the same."""
        found = _OBJECT.findall(piece)
        if not found:
            return False
        before = [self._last_object, *found[:-1]]
        self._last_object = found[-1]
        return any(one == other for one, other in zip(before, found, strict=True))
