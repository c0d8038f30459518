"""Files that libosmium reads: sorted extracts in one pass, or every version of every object of a PBF file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import osmium

from geo.sources.osm_elements import TakenElements, Vertices, is_station_relation, split_whole
from geo.sources.osm_objects import OsmObject, Position

__all__ = ["iter_pbf_objects", "take_sorted"]

_SUFFIXES = {"xml": "osm", "gz": "osm.gz", "bz2": "osm.bz2", "pbf": "pbf"}
_MEMBER_KINDS = {"n": "node", "w": "way", "r": "relation"}
# A file without times says 1970.
_FIRST_YEAR = 2000
_Member = tuple[str, int]
_Station = tuple[int, dict[str, str], list[_Member]]


def take_sorted(path: Path, kind: str, taken: TakenElements) -> None:
    """
    Take everything of use in one pass.

    Parameters
    ----------
    path : pathlib.Path
        A sorted file with one version of each object.
    kind : str
        ``xml``, ``gz``, ``bz2`` or ``pbf``, as was found, not as the name says.
    taken : TakenElements
        Takes it. If it then says that ids repeat, the file is not what was expected, and must be read object by object.

    Raises
    ------
    ResourceError
        If a limit of `taken` is reached.
    """
    source = osmium.io.File(str(path), _SUFFIXES[kind])
    newest: datetime | None = None
    relations: list[_Station] = []
    processor = osmium.FileProcessor(source, osmium.osm.NODE | osmium.osm.WAY | osmium.osm.RELATION).with_locations()
    if processor.header.has_multiple_object_versions:
        taken.has_repeats = True
        return
    for element in processor.with_filter(osmium.filter.KeyFilter("highway", "railway", "ref:crs")):
        if isinstance(element, osmium.osm.Node) and "railway" in element.tags:
            taken.add_station(f"node {element.id}", _tags(element), _position(element.location))
        elif isinstance(element, osmium.osm.Way):
            tags = _tags(element)
            if "highway" in tags or "railway" in tags:
                pieces, n_missing = _whole_pieces(element.nodes)
                taken.take_way(element.id, tags, pieces, n_missing)
                newest = element.timestamp if newest is None else max(newest, element.timestamp)
        elif isinstance(element, osmium.osm.Relation) and is_station_relation(_tags(element)):
            relations.append((element.id, _tags(element), _members(element)))
    places = _find_places(source, {member for _, _, members in relations for member in members})
    for number, tags, members in relations:
        taken.take_relation(number, tags, [at for member in members for at in places.get(member, ())])
    _date(taken, processor.header, newest)


def iter_pbf_objects(path: Path) -> Iterator[OsmObject]:
    """
    Read every version of every object of a PBF file.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Yields
    ------
    OsmObject
        In the order of the file.
    """
    for element in osmium.FileProcessor(osmium.io.File(str(path), "pbf")):
        if isinstance(element, osmium.osm.Node):
            one = OsmObject("node", element.id, at=_position(element.location))
        elif isinstance(element, osmium.osm.Way):
            one = OsmObject("way", element.id, nodes=[node.ref for node in element.nodes])
        elif isinstance(element, osmium.osm.Relation):
            one = OsmObject("relation", element.id, members=_members(element))
        else:
            continue
        edited_on = element.timestamp.date() if element.timestamp.year > _FIRST_YEAR else None
        yield one._replace(
            version=element.version, is_deleted=element.deleted, tags=_tags(element), edited_on=edited_on
        )


def _date(taken: TakenElements, header: osmium.io.Header, newest: datetime | None) -> None:
    """The date that the header states, or else that of the newest edit, is known."""
    stated = header.get("osmosis_replication_timestamp") or header.get("timestamp")
    if stated:
        taken.dated_on, taken.date_basis = date.fromisoformat(stated[:10]), "header"
    elif newest is not None and newest.year > _FIRST_YEAR:
        taken.dated_on, taken.date_basis = newest.date(), "newest_edit"


def _tags(element: osmium.osm.Node | osmium.osm.Way | osmium.osm.Relation) -> dict[str, str]:
    return {tag.k: tag.v for tag in element.tags}


def _members(relation: osmium.osm.Relation) -> list[_Member]:
    return [(_MEMBER_KINDS[member.type], member.ref) for member in relation.members]


def _position(location: osmium.osm.Location) -> Position | None:
    return (location.lon, location.lat) if location.valid() else None


def _whole_pieces(nodes: osmium.osm.WayNodeList) -> tuple[list[Vertices], int]:
    """Runs of at least two vertices that are all in the file, and how many are not."""
    try:
        vertices = [(node.ref, node.lon, node.lat) for node in nodes]
    except osmium.InvalidLocationError:
        return split_whole([(n.ref, n.location.lon, n.location.lat) if n.location.valid() else None for n in nodes])
    return ([vertices] if len(vertices) > 1 else []), 0


def _find_places(source: osmium.io.File, members: set[_Member]) -> dict[_Member, list[Position]]:
    """Positions of nodes and of the vertices of ways, by a second pass where it is needed: few files need it."""
    found: dict[_Member, list[Position]] = {}
    if not members:
        return found
    processor = osmium.FileProcessor(source, osmium.osm.NODE | osmium.osm.WAY).with_locations()
    for element in processor.with_filter(osmium.filter.IdFilter({number for _, number in members})):
        locations = []
        if isinstance(element, osmium.osm.Node):
            locations = [element.location]
        elif isinstance(element, osmium.osm.Way):
            locations = [node.location for node in element.nodes]
        key = ("node" if isinstance(element, osmium.osm.Node) else "way", element.id)
        if key in members:
            found[key] = [at for location in locations if (at := _position(location)) is not None]
    return found
