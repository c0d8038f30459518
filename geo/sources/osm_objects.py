"""
OpenStreetMap objects one by one: the newest version of each counts, whatever their order in the file.

Sorted extracts of one version go past this, straight from libosmium. What comes here is an Overpass answer, or a file
with ways before their nodes, several versions of an object, deleted objects, or objects that were never uploaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from geo.errors import ResourceError
from geo.sources.osm_elements import TakenElements, split_whole

__all__ = ["OsmObject", "Position", "take_objects"]

Position = tuple[float, float]
# ASSUMPTION: as many objects as fit in the memory of a small machine.
_MOST_OBJECTS = 5_000_000


class OsmObject(NamedTuple):
    """
    One version of one object.

    Attributes
    ----------
    kind : str
        ``node``, ``way`` or ``relation``.
    number : int
        OpenStreetMap id; below zero for what was never uploaded.
    version : int
        0 where the file states none.
    is_deleted : bool
        Whether this version says that the object is gone.
    tags : mapping of str to str
        Its tags.
    at : tuple of float or None
        Longitude and latitude of a node; the centre that the file states for any other.
    nodes : sequence of int
        Nodes of a way.
    shape : sequence of tuple or None
        Longitude and latitude of each node of a way, where the file states them with the way; for a relation those of
        all its members.
    members : sequence of tuple of (str, int)
        Kind and number of each member of a relation.
    edited_on : datetime.date or None
        When this version was made.
    """

    kind: str
    number: int
    version: int = 0
    is_deleted: bool = False
    tags: Mapping[str, str] = {}
    at: Position | None = None
    nodes: Sequence[int] = ()
    shape: Sequence[Position | None] | None = None
    members: Sequence[tuple[str, int]] = ()
    edited_on: date | None = None


def take_objects(objects: Iterable[OsmObject], taken: TakenElements) -> None:
    """
    Take everything of use among objects in any order.

    1. Of several versions the newest counts; an object whose newest version is deleted is gone. What one version
       states in two places, as Overpass does with tags and positions, is put together.
    2. Nodes, ways and relations are taken in this order, each by number.

    Parameters
    ----------
    objects : iterable of OsmObject
        In the order of the file.
    taken : TakenElements
        Takes them.

    Raises
    ------
    ResourceError
        If there are more than five million, or a limit of `taken` is reached.
    """
    newest: dict[tuple[str, int], OsmObject] = {}
    for one in objects:
        key = (one.kind, one.number)
        before = newest.get(key)
        if before is not None:
            older = min(before, one, key=lambda version: version.version)
            reason = "repeated_id" if before.version == one.version else "older_version"
            taken.count_repeat(f"{one.kind} {one.number}", (one if reason == "repeated_id" else older).tags, reason)
        newest[key] = one if before is None else _newer(before, one)
        if len(newest) > _MOST_OBJECTS:
            msg = (
                f"{taken.name}: more than {_MOST_OBJECTS} objects that are unsorted, deleted or of several versions, "
                "expected fewer. Sort the file with osmium first, and keep one version of each."
            )
            raise ResourceError(msg)
    _take_newest(newest, taken)
    edited_on = max((one.edited_on for one in newest.values() if one.edited_on), default=None)
    if taken.dated_on is None and edited_on is not None:
        taken.dated_on, taken.date_basis = edited_on, "newest_edit"


def _newer(before: OsmObject, after: OsmObject) -> OsmObject:
    """The newer of two versions, or what both say of one."""
    if before.version != after.version:
        return max(before, after, key=lambda version: version.version)
    return before._replace(
        is_deleted=before.is_deleted or after.is_deleted,
        tags=before.tags or after.tags,
        at=before.at or after.at,
        nodes=before.nodes or after.nodes,
        shape=before.shape or after.shape,
        members=before.members or after.members,
    )


def _take_newest(newest: Mapping[tuple[str, int], OsmObject], taken: TakenElements) -> None:
    alive = {key: one for key, one in newest.items() if not one.is_deleted}
    for kind, number in sorted(newest, key=lambda key: (("node", "way", "relation").index(key[0]), key[1])):
        one = newest[kind, number]
        what = f"{kind} {number}"
        if one.is_deleted:
            taken.count_repeat(what, one.tags, "deleted", status="out_of_scope")
        elif kind == "node" and "railway" in one.tags:
            taken.add_station(what, one.tags, one.at)
        elif kind == "way" and ("highway" in one.tags or "railway" in one.tags):
            pieces, n_missing = split_whole(_vertices(one, alive))
            taken.take_way(number, one.tags, pieces, n_missing, centre=one.at)
        elif kind == "relation":
            taken.take_relation(number, one.tags, [one.at] if one.at else _places(one, alive))


def _vertices(way: OsmObject, alive: Mapping[tuple[str, int], OsmObject]) -> list[tuple[int, float, float] | None]:
    """The vertices of a way, None for each that the file does not hold."""
    if way.shape is not None and len(way.shape) == len(way.nodes):
        places = list(way.shape)
    else:
        places = [alive[key].at if (key := ("node", ref)) in alive else None for ref in way.nodes]
    return [None if at is None else (ref, *at) for ref, at in zip(way.nodes, places, strict=True)]


def _places(relation: OsmObject, alive: Mapping[tuple[str, int], OsmObject]) -> list[Position]:
    """Positions of the members that the file holds."""
    places = [at for at in relation.shape or () if at is not None]
    if places:
        return places
    for key in relation.members:
        member = alive.get(key)
        if member is None:
            continue
        if member.kind == "node" and member.at is not None:
            places.append(member.at)
        elif member.kind == "way":
            places += [vertex[1:] for vertex in _vertices(member, alive) if vertex is not None]
    return places
