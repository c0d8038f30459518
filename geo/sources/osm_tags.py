"""
What OpenStreetMap tags mean here: who may use a way, in which direction, how fast, and what is railway.

The rules follow osmnx's ``drive_service`` and ``walk`` filters, with differences that are meant:

1. Access ``no`` is refused as well as ``private``, unless the mode itself is allowed (``foot=yes`` on a private road).
2. Busways, and values that are not road classes, are not driven on; car parks and driveways are, for they are doors.
3. Cycleways may be walked on unless tagged ``foot=no``; in Britain most are shared.
4. Roads whose pavement is mapped separately stay walkable, because the two are often not joined.
5. Motorways and circular junctions are one-way unless tagged otherwise, as the map's own rules imply.
6. Nor may the public pass where only farm, forestry, military, emergency or permitted traffic may, as in the profiles
   of OSRM and Valhalla. Where customers, deliveries or those whose door is there may go (``customers``, ``delivery``,
   ``destination``), the way stays open: such ways lead to the doors at which journeys begin and end, and this graph
   does not tell its ends from its middle.
7. Of a list of values (``agricultural;forestry``) every one must refuse. Rules that hold at some hours only are not
   looked at; the reader counts the roads that carry one.

References
----------
.. [1] Boeing, G. (2017). "OSMnx: New methods for acquiring, constructing, analyzing, and visualizing complex street
   networks." Computers, Environment and Urban Systems 65, 126-139.
.. [2] OpenStreetMap wiki, "Key:oneway", "Key:access", "Key:railway", "Lifecycle prefix".
.. [3] Project OSRM, ``profiles/car.lua`` (``access_tag_blacklist``); Valhalla, ``lua/graph.lua`` (``motor_vehicle``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from geo.network.speeds import ROAD_CLASSES, parse_maxspeed_km_h

__all__ = [
    "CONDITIONAL_TAGS",
    "LIFECYCLES",
    "RAIL_TAGS",
    "ROAD_TAGS",
    "RoadUse",
    "parse_rail",
    "parse_road",
    "parse_station",
]

ROAD_TAGS = (
    "highway",
    "oneway",
    "junction",
    "maxspeed",
    "maxspeed:type",
    "access",
    "vehicle",
    "motor_vehicle",
    "motorcar",
    "foot",
    "area",
    "service",
    "dual_carriageway",
)
CONDITIONAL_TAGS = tuple(
    f"{key}:conditional" for key in ("access", "vehicle", "motor_vehicle", "motorcar", "oneway", "foot")
)
# What is gone, not yet there, or not in use: as a key of its own, or before another key (``disused:railway``).
LIFECYCLES = (
    "disused",
    "abandoned",
    "proposed",
    "planned",
    "construction",
    "razed",
    "demolished",
    "dismantled",
    "removed",
)
RAIL_TAGS = ("railway", "usage", "service", "railway:preserved", *LIFECYCLES)

_DRIVABLE = frozenset(ROAD_CLASSES) - {"other"}
_WALKABLE = (_DRIVABLE - {"motorway", "motorway_link"}) | {
    "footway",
    "pedestrian",
    "path",
    "steps",
    "track",
    "bridleway",
    "cycleway",
    "corridor",
    "elevator",
    "escalator",
}
_CLASS_NUMBER = {name: number for number, name in enumerate(ROAD_CLASSES)}
_REFUSED = frozenset(
    {
        "no",
        "private",
        "agricultural",
        "forestry",
        "military",
        "emergency",
        "psv",
        "bus",
        "permit",
        "residents",
        "official",
        "restricted",
        "employees",
        "staff",
        "farm",
    }
)
_TRUE = frozenset({"yes", "true", "1"})
_CLOSED_SERVICES = frozenset({"emergency_access", "private"})
_FORWARD = _TRUE
_BACKWARD = frozenset({"-1", "reverse"})
_DUAL_CLASSES = frozenset({"motorway", "motorway_link", "trunk", "primary", "secondary"})
# Heavy rail that carries passengers or may; what is not in use, or never will, is not a way to travel.
_NOT_RUNNING = frozenset({"industrial", "military", "tourism", "test", "scientific"})
_NOT_MAIN = frozenset({"yard", "siding", "spur"})


@dataclass(frozen=True)
class RoadUse:
    """
    How one way may be used.

    Attributes
    ----------
    drive_forward, drive_backward, walk : bool
        Who may pass, and in which direction.
    road_class : int
        Position in `geo.network.speeds.ROAD_CLASSES`.
    limit_km_h : float or None
        Limit, None where it must be the default of the class.
    has_bad_limit : bool
        Whether the way carries a limit that cannot be read.
    reason : str or None
        Why nobody may use it.
    """

    drive_forward: bool
    drive_backward: bool
    walk: bool
    road_class: int
    limit_km_h: float | None
    has_bad_limit: bool
    reason: str | None


def parse_road(tags: Mapping[str, str]) -> RoadUse:
    """
    Read the rules of use of a way with a ``highway`` tag.

    Parameters
    ----------
    tags : mapping of str to str
        At least those of `ROAD_TAGS` that the way carries.

    Returns
    -------
    RoadUse
        The rules.

    Examples
    --------
    >>> use = parse_road({"highway": "residential", "oneway": "-1", "maxspeed": "20 mph"})
    >>> use.drive_forward, use.drive_backward, use.walk, use.limit_km_h
    (False, True, True, 32.19)
    """
    highway = tags.get("highway", "")
    is_area = tags.get("area") == "yes"
    can_drive = not is_area and highway in _DRIVABLE and _may_drive(tags)
    can_walk = not is_area and highway in _WALKABLE and _may_walk(tags)
    forward, backward = _directions(tags)
    limit_km_h, has_bad_limit = _limit(tags)
    reason = None
    if not (can_drive or can_walk):
        reason = (
            "area" if is_area else "not_a_road_in_use" if highway not in _DRIVABLE | _WALKABLE else "access_refused"
        )
    return RoadUse(
        drive_forward=can_drive and forward,
        drive_backward=can_drive and backward,
        walk=can_walk,
        road_class=_CLASS_NUMBER.get(highway, _CLASS_NUMBER["other"]),
        limit_km_h=limit_km_h,
        has_bad_limit=has_bad_limit,
        reason=reason,
    )


def parse_rail(tags: Mapping[str, str]) -> str | None:
    """
    Say why a way with a ``railway`` tag is not heavy-rail track in use, or None where it is.

    Tunnels and bridges are track. Abandoned, disused, razed and proposed lines, light rail, trams and metros, heritage
    and industrial lines, yards and sidings are not.

    Parameters
    ----------
    tags : mapping of str to str
        At least those of `RAIL_TAGS` that the way carries.

    Returns
    -------
    str or None
        Reason code.

    Examples
    --------
    >>> parse_rail({"railway": "rail", "tunnel": "yes"}), parse_rail({"railway": "abandoned"})
    (None, 'not_heavy_rail_in_use')
    """
    if tags.get("railway") != "rail" or any(tags.get(key) in _TRUE for key in LIFECYCLES):
        return "not_heavy_rail_in_use"
    if _are_all(tags.get("usage"), _NOT_RUNNING) or tags.get("railway:preserved") in _TRUE:
        return "heritage_or_industrial_line"
    if _are_all(tags.get("service"), _NOT_MAIN):
        return "yard_or_siding"
    return None


def parse_station(tags: Mapping[str, str]) -> str | None:
    """
    Say why a node with a ``railway`` tag is not a heavy-rail station in use, or None where it is.

    Parameters
    ----------
    tags : mapping of str to str
        All its tags.

    Returns
    -------
    str or None
        Reason code; ``not_a_station`` for signals, crossings and the like.

    Examples
    --------
    >>> parse_station({"railway": "station", "ref:crs": "NWP"}), parse_station({"railway": "station"})
    (None, 'no_crs_code')
    """
    if tags.get("railway") not in {"station", "halt"}:
        return "not_a_station"
    if tags.get("station") in {"subway", "light_rail", "monorail", "miniature", "funicular"}:
        return "not_heavy_rail"
    if tags.get("usage") == "tourism" or any(tags.get(key) in _TRUE for key in LIFECYCLES):
        return "heritage_or_disused"
    code = tags.get("ref:crs", "")
    if not (len(code) == 3 and code.isascii() and code.isalpha() and code.isupper()):
        return "no_crs_code"
    return None


def _may_drive(tags: Mapping[str, str]) -> bool:
    """The most particular access tag decides."""
    if tags.get("service") in _CLOSED_SERVICES:
        return False
    return not _is_refused(tags, ("motorcar", "motor_vehicle", "vehicle", "access"))


def _may_walk(tags: Mapping[str, str]) -> bool:
    """The foot tag decides, else the general one."""
    if tags.get("service") == "private":
        return False
    return not _is_refused(tags, ("foot", "access"))


def _is_refused(tags: Mapping[str, str], keys: tuple[str, ...]) -> bool:
    """Whether the first of the keys that the way carries refuses."""
    text = next((text for key in keys if (text := tags.get(key, "").strip())), None)
    return _are_all(text, _REFUSED)


def _are_all(text: str | None, values: frozenset[str]) -> bool:
    """Whether a tag is there and everything in its list is one of the values."""
    parts = [part for one in re.split("[;,|]", text or "") if (part := one.strip().casefold())]
    return bool(parts) and all(part in values for part in parts)


def _directions(tags: Mapping[str, str]) -> tuple[bool, bool]:
    """Whether cars may go along the way, and against it; a lane that changes with the hour is open both ways."""
    oneway = tags.get("oneway", "")
    if oneway in _BACKWARD:
        return False, True
    implied = tags.get("highway") == "motorway" or tags.get("junction") in {"roundabout", "circular"}
    return True, not (oneway in _FORWARD or (implied and oneway == ""))


def _limit(tags: Mapping[str, str]) -> tuple[float | None, bool]:
    """The limit, and whether one is given that cannot be read."""
    text = tags.get("maxspeed") or tags.get("maxspeed:type")
    if text is None:
        return None, False
    is_dual = tags.get("dual_carriageway") == "yes" or (
        tags.get("highway") in _DUAL_CLASSES and tags.get("oneway") in _FORWARD
    )
    is_dual = is_dual or tags.get("highway") == "motorway"
    limit = parse_maxspeed_km_h(text, is_dual=is_dual)
    return limit, limit is None
