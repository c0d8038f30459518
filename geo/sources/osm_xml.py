"""OpenStreetMap XML object by object, for files that libosmium's one pass would misread."""

from __future__ import annotations

import bz2
import gzip
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat  # entities, which could swell, are refused below

from geo.errors import InputError
from geo.sources.osm_objects import OsmObject, Position

__all__ = ["iter_xml_objects"]

_PIECE_BYTES = 1 << 20
_KINDS = frozenset({"node", "way", "relation"})


def iter_xml_objects(path: Path, kind: str) -> Iterator[OsmObject]:
    """
    Read the objects of an OpenStreetMap XML file in the order of the file.

    Parameters
    ----------
    path : pathlib.Path
        The file; its size when decompressed has been bounded.
    kind : str
        ``xml``, ``gz`` or ``bz2``.

    Yields
    ------
    OsmObject
        Each version of each object; one that an editor marks as deleted is deleted.

    Raises
    ------
    InputError
        If the XML is damaged or defines entities.
    """
    reader = _ObjectReader(path.name)
    try:
        with path.open("rb") as packed:
            stream = packed if kind == "xml" else gzip.GzipFile(fileobj=packed) if kind == "gz" else bz2.BZ2File(packed)
            while piece := stream.read(_PIECE_BYTES):
                reader.parser.Parse(piece, False)
                yield from reader.drain()
            reader.parser.Parse(b"", True)
    except expat.ExpatError as error:
        msg = f"{path.name}: the {kind} cannot be read ({error}), expected a whole extract. Download it again."
        raise InputError(msg) from error
    yield from reader.drain()


class _ObjectReader:
    """Objects as their elements end."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._done: list[OsmObject] = []
        self._open: dict[str, str] | None = None
        self._tags: dict[str, str] = {}
        self._nodes: list[int] = []
        self._shape: list[Position | None] = []
        self._members: list[tuple[str, int]] = []
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.EntityDeclHandler = self._refuse_entity

    def drain(self) -> list[OsmObject]:
        """The objects since the last call."""
        done, self._done = self._done, []
        return done

    def _refuse_entity(self, *_: object) -> NoReturn:
        msg = f"{self._name}: its XML defines entities, expected none in an extract. Download it again."
        raise InputError(msg)

    def _start(self, element: str, attributes: dict[str, str]) -> None:
        if element in _KINDS:
            self._open = attributes
            self._tags, self._nodes, self._shape, self._members = {}, [], [], []
        elif self._open is None:
            return
        elif element == "tag":
            self._tags[attributes["k"]] = attributes["v"]
        elif element == "nd":
            self._nodes.append(int(attributes["ref"]))
            self._shape.append(_position(attributes))
        elif element == "member":
            self._members.append((attributes["type"], int(attributes["ref"])))

    def _end(self, element: str) -> None:
        if element not in _KINDS or self._open is None:
            return
        attributes, self._open = self._open, None
        is_deleted = attributes.get("visible") == "false" or attributes.get("action") == "delete"
        stated = attributes.get("timestamp", "")[:10]
        self._done.append(
            OsmObject(
                element,
                int(attributes["id"]),
                int(attributes.get("version", 0)),
                is_deleted,
                self._tags,
                _position(attributes),
                self._nodes,
                self._shape if any(self._shape) else None,
                self._members,
                date.fromisoformat(stated) if stated else None,
            )
        )


def _position(attributes: dict[str, str]) -> Position | None:
    if "lon" not in attributes or "lat" not in attributes:
        return None
    return float(attributes["lon"]), float(attributes["lat"])
