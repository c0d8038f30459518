"""Overpass answers in JSON as objects, and the remark that says an answer is not whole."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from geo.errors import InputError
from geo.sources.json_text import parse_documents
from geo.sources.osm_elements import TakenElements
from geo.sources.osm_objects import OsmObject, Position, take_objects

__all__ = ["remark_of", "take_overpass"]

_MOST_SHOWN = 200


def remark_of(text: object) -> str:
    r"""
    Give what an answer remarks on itself, on one line; blank where it remarks nothing.

    Overpass remarks on errors, time-outs, lack of memory and limits on use: after any of them the answer is not whole.

    Parameters
    ----------
    text : object
        The remark, or None.

    Returns
    -------
    str
        At most 200 characters.

    Examples
    --------
    >>> remark_of(" runtime error: Query timed out\n"), remark_of(None)
    ('runtime error: Query timed out', '')
    """
    return "" if text is None else " ".join(str(text).split())[:_MOST_SHOWN]


def take_overpass(path: Path, taken: TakenElements) -> None:
    """
    Take everything of use in an Overpass answer with nodes, or with the geometry of its ways.

    Parameters
    ----------
    path : pathlib.Path
        The answer.
    taken : TakenElements
        Takes it.

    Raises
    ------
    InputError
        If it is no whole answer.
    ResourceError
        If it is nested more than 64 deep, or a limit of `taken` is reached.
    """
    answer, *others = parse_documents(path.read_bytes(), path.name, expected="JSON")
    if others or not isinstance(answer, dict) or not isinstance(answer.get("elements"), list):
        msg = f"{path.name}: there is no list of elements, expected an Overpass answer. Download it again."
        raise InputError(msg)
    remark = remark_of(answer.get("remark"))
    if remark:
        msg = f"{path.name}: Overpass stopped early ({remark}), expected a whole answer. Fetch again."
        raise InputError(msg)
    header = answer.get("osm3s")
    stated = str(header.get("timestamp_osm_base", "")) if isinstance(header, dict) else ""
    if stated:
        taken.dated_on, taken.date_basis = date.fromisoformat(stated[:10]), "header"
    take_objects(_iter_objects(answer["elements"], taken), taken)


def _iter_objects(elements: list[Any], taken: TakenElements) -> Iterator[OsmObject]:
    """The elements as objects; what has no kind or number is counted."""
    for number, element in enumerate(elements, 1):
        kind = element.get("type") if isinstance(element, dict) else None
        if kind in {"node", "way", "relation"} and isinstance(element.get("id"), int):
            yield _to_object(kind, element)
        elif kind not in {"area", "count", "timeline"}:
            taken.count_unreadable(f"element {number}")


def _to_object(kind: str, element: Mapping[str, Any]) -> OsmObject:
    tags = element.get("tags")
    nodes, members = element.get("nodes"), element.get("members")
    version = element.get("version")
    stated = str(element.get("timestamp", ""))[:10]
    parts = [part for part in members if isinstance(part, dict)] if isinstance(members, list) else []
    return OsmObject(
        kind,
        element["id"],
        version if isinstance(version, int) else 0,
        element.get("visible") is False or element.get("deleted") is True or element.get("action") == "delete",
        {str(key): str(value) for key, value in tags.items()} if isinstance(tags, dict) else {},
        _position(element) or _position(element.get("center")) or _middle(element.get("bounds")),
        [ref for ref in nodes if isinstance(ref, int)] if isinstance(nodes, list) else (),
        _positions(element.get("geometry")) if kind == "way" else _shape_of_members(parts),
        [(str(part.get("type")), ref) for part in parts if isinstance(ref := part.get("ref"), int)],
        date.fromisoformat(stated) if stated else None,
    )


def _shape_of_members(parts: list[dict[str, Any]]) -> list[Position | None]:
    return [at for part in parts for at in [_position(part), *(_positions(part.get("geometry")) or ())]]


def _positions(points: object) -> list[Position | None] | None:
    return [_position(point) for point in points] if isinstance(points, list) else None


def _position(point: object) -> Position | None:
    """Longitude and latitude of what has both as numbers."""
    if not isinstance(point, dict):
        return None
    lon, lat = point.get("lon"), point.get("lat")
    if not (isinstance(lon, (int, float)) and isinstance(lat, (int, float))):
        return None
    return (float(lon), float(lat)) if math.isfinite(lon) and math.isfinite(lat) else None


def _middle(bounds: object) -> Position | None:
    if not isinstance(bounds, dict):
        return None
    low = _position({"lon": bounds.get("minlon"), "lat": bounds.get("minlat")})
    high = _position({"lon": bounds.get("maxlon"), "lat": bounds.get("maxlat")})
    return None if low is None or high is None else ((low[0] + high[0]) / 2, (low[1] + high[1]) / 2)
