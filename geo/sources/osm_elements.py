"""
The elements of an OpenStreetMap file that are of use, as they are met.

All readers, of libosmium's formats, of Overpass answers and of irregular files, fill one `TakenElements`; each element
is judged once, by `geo.sources.osm_tags`, and is either taken or rejected with a reason.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from geo.errors import ResourceError
from geo.sources.osm_guard import OsmLimits
from geo.sources.osm_tags import CONDITIONAL_TAGS, ROAD_TAGS, RoadUse, parse_rail, parse_road, parse_station

__all__ = ["TakenElements", "Vertices", "is_station_relation", "split_whole", "station_tags"]

Vertices = list[tuple[int, float, float]]
_Position = tuple[float, float]


@dataclass
class TakenElements:
    """
    What has been taken from one file so far.

    Attributes
    ----------
    name : str
        File name.
    limits : OsmLimits
        Bounds on vertices and seconds.
    started_s : float
        When reading began, on the monotonic clock.
    road_ids, road_sizes, road_nodes, road_lon, road_lat : array.array
        Ids and numbers of vertices of the roads, and their vertices one road after the other.
    road_uses : list of RoadUse
        Rules of use of each road.
    rails : dict
        Vertices of each piece of track.
    stations : dict
        Name, longitude and latitude by CRS code.
    rejected : list of tuple
        Number, status, reason and name of each element that is not used.
    uses : dict
        Rules of use by the tags that give them.
    seen_ways : set of int
        Way ids met.
    n_read, n_vertices, n_broken, n_bad_limits, n_conditional : int
        Elements read, vertices, ways with missing nodes, limits that cannot be read, roads with rules for some hours.
    n_missing : int
        Ways none of whose nodes is in the file.
    has_repeats : bool
        Whether an id was met twice.
    dated_on : datetime.date or None
        Date of the data.
    date_basis : str
        Where that date comes from.
    """

    name: str
    limits: OsmLimits
    started_s: float = field(default_factory=time.monotonic)
    road_ids: array[int] = field(default_factory=lambda: array("q"))
    road_sizes: array[int] = field(default_factory=lambda: array("q"))
    road_nodes: array[int] = field(default_factory=lambda: array("q"))
    road_lon: array[float] = field(default_factory=lambda: array("d"))
    road_lat: array[float] = field(default_factory=lambda: array("d"))
    road_uses: list[RoadUse] = field(default_factory=list)
    rails: dict[str, Vertices] = field(default_factory=dict)
    stations: dict[str, tuple[str, float, float]] = field(default_factory=dict)
    rejected: list[tuple[int, str, str, str]] = field(default_factory=list)
    uses: dict[tuple[str | None, ...], RoadUse] = field(default_factory=dict)
    seen_ways: set[int] = field(default_factory=set)
    n_read: int = 0
    n_vertices: int = 0
    n_broken: int = 0
    n_bad_limits: int = 0
    n_conditional: int = 0
    n_missing: int = 0
    has_repeats: bool = False
    dated_on: date | None = None
    date_basis: str = "none"

    def _reject(self, what: str, status: str, reason: str) -> None:
        self.rejected.append((self.n_read, status, reason, what))

    def count_unreadable(self, what: str) -> None:
        """
        Set aside something that is no element at all.

        Parameters
        ----------
        what : str
            Where it stands.
        """
        self.n_read += 1
        self._reject(what, "quarantined", "unreadable_element")

    def count_repeat(self, what: str, tags: Mapping[str, str], reason: str, *, status: str = "duplicate") -> None:
        """
        Count a version of an element that does not count, if the element is of a kind that is read.

        Parameters
        ----------
        what : str
            Its kind and id.
        tags : mapping of str to str
            Its tags.
        reason : str
            Why it does not count.
        status : str
            ``duplicate`` or ``out_of_scope``.
        """
        is_way = what.startswith("way ") and ("highway" in tags or "railway" in tags)
        is_station = what.startswith("relation ") and is_station_relation(tags)
        if is_way or is_station or (what.startswith("node ") and parse_station(tags) != "not_a_station"):
            self.n_read += 1
            self._reject(what, status, reason)

    def take_way(
        self,
        way_id: int,
        tags: Mapping[str, str],
        pieces: list[Vertices],
        n_missing: int,
        *,
        centre: _Position | None = None,
    ) -> None:
        """
        Take one way: an outline of a station, or a line.

        Parameters
        ----------
        way_id : int
            OpenStreetMap id.
        tags : mapping of str to str
            Its tags.
        pieces : list of list of tuple
            Runs of vertices that are whole.
        n_missing : int
            Vertices that the file does not hold.
        centre : tuple of float or None
            Longitude and latitude of its middle, where the file states it.

        Raises
        ------
        ResourceError
            If a limit is reached.
        """
        self.has_repeats = self.has_repeats or way_id in self.seen_ways
        if tags.get("railway") in {"station", "halt"} and "highway" not in tags:
            self.seen_ways.add(way_id)
            places = [vertex[1:] for piece in pieces for vertex in piece]
            self.add_station(f"way {way_id}", tags, _middle(places) or centre, lacks="missing_nodes")
            return
        self._add_way(way_id, tags, pieces, n_missing)

    def take_relation(self, relation_id: int, tags: Mapping[str, str], places: Sequence[_Position]) -> None:
        """
        Take one relation, if it is a station.

        Parameters
        ----------
        relation_id : int
            OpenStreetMap id.
        tags : mapping of str to str
            Its tags.
        places : sequence of tuple of float
            Longitudes and latitudes of its members; their mean is where the station is.
        """
        if is_station_relation(tags):
            what = f"relation {relation_id}"
            self.add_station(what, station_tags(tags), _middle(places), lacks="missing_members")

    def _add_way(self, way_id: int, tags: Mapping[str, str], pieces: list[Vertices], n_missing: int) -> None:
        """One way with ``highway`` or ``railway``; its pieces are whole."""
        self.n_read += 1
        what = f"way {way_id}"
        self.n_vertices += sum(map(len, pieces))
        if self.n_vertices > self.limits.max_vertices or time.monotonic() - self.started_s > self.limits.max_s:
            msg = (
                f"{self.name}: more than {self.limits.max_vertices} vertices or {self.limits.max_s:g} seconds, "
                "expected less. Use a smaller extract or raise the limit."
            )
            raise ResourceError(msg)
        if way_id in self.seen_ways:
            self._reject(what, "duplicate", "repeated_id")
            return
        self.seen_ways.add(way_id)
        use = self._use(tags) if "highway" in tags else None
        rail_reason = parse_rail(tags) if "railway" in tags else "not_railway"
        reason = use.reason if use is not None else rail_reason
        if (use is None or use.reason is not None) and rail_reason is not None:
            self._reject(what, "out_of_scope", reason or "not_used")
            return
        if not pieces:
            self.n_missing += n_missing > 0
            self._reject(what, "quarantined", "missing_nodes" if n_missing else "fewer_than_two_nodes")
            return
        self.n_broken += n_missing > 0
        if use is not None and use.reason is None:
            self.n_bad_limits += use.has_bad_limit
            self.n_conditional += any(key in tags for key in CONDITIONAL_TAGS)
            for piece in pieces:
                self._add_road(way_id, use, piece)
        if rail_reason is None:
            for number, piece in enumerate(pieces):
                self.rails[f"w{way_id}" if number == 0 else f"w{way_id}.{number}"] = piece

    def add_station(
        self, what: str, tags: Mapping[str, str], at: _Position | None, *, lacks: str = "no_position"
    ) -> None:
        """
        Take one node, outline or relation with a ``railway`` tag; signals and crossings are not counted.

        Parameters
        ----------
        what : str
            Its kind and id.
        tags : mapping of str to str
            Its tags.
        at : tuple of float or None
            Longitude and latitude, WGS 84 degrees.
        lacks : str
            Why it is set aside where it has none.
        """
        reason = parse_station(tags)
        if reason == "not_a_station":
            return
        self.n_read += 1
        if reason is not None:
            self._reject(what, "out_of_scope", reason)
        elif tags["ref:crs"] in self.stations:
            self._reject(what, "duplicate", "repeated_crs_code")
        elif at is None:
            self._reject(what, "quarantined", lacks)
        else:
            self.stations[tags["ref:crs"]] = (tags.get("name", tags["ref:crs"]), *at)

    def _use(self, tags: Mapping[str, str]) -> RoadUse:
        key = tuple(map(tags.get, ROAD_TAGS))
        if key not in self.uses:
            self.uses[key] = parse_road(tags)
        return self.uses[key]

    def _add_road(self, way_id: int, use: RoadUse, piece: Vertices) -> None:
        nodes, lon, lat = zip(*piece, strict=True)
        self.road_ids.append(way_id)
        self.road_sizes.append(len(piece))
        self.road_nodes.extend(nodes)
        self.road_lon.extend(lon)
        self.road_lat.extend(lat)
        self.road_uses.append(use)


def is_station_relation(tags: Mapping[str, str]) -> bool:
    """
    Tell whether a relation is a station: drawn as an area or a site, or a stop area with a station's code.

    Parameters
    ----------
    tags : mapping of str to str
        Its tags.

    Returns
    -------
    bool
        Whether it is one, in use or not.

    Examples
    --------
    >>> is_station_relation({"type": "multipolygon", "railway": "station"}), is_station_relation({"type": "route"})
    (True, False)
    """
    is_stop = tags.get("public_transport") in {"stop_area", "station"} and "ref:crs" in tags
    return is_stop or tags.get("railway") in {"station", "halt"}


def station_tags(tags: Mapping[str, str]) -> Mapping[str, str]:
    """
    Give the tags of a station relation as those of a station.

    Parameters
    ----------
    tags : mapping of str to str
        Its tags. Never modified.

    Returns
    -------
    mapping of str to str
        With ``railway``, which a stop area lacks.
    """
    return tags if tags.get("railway") in {"station", "halt"} else {**tags, "railway": "station"}


def _middle(places: Sequence[_Position]) -> _Position | None:
    """The mean of positions, None where there is none."""
    if not places:
        return None
    lon, lat = np.mean(places, axis=0)
    return float(lon), float(lat)


def split_whole(vertices: list[tuple[int, float, float] | None]) -> tuple[list[Vertices], int]:
    """
    Split a way at the vertices that the file does not hold.

    Parameters
    ----------
    vertices : list of tuple or None
        Node id, longitude and latitude of each vertex; None for one that is missing.

    Returns
    -------
    tuple
        Runs of at least two known vertices, and the number that is missing.
    """
    pieces: list[Vertices] = [[]]
    for vertex in vertices:
        if vertex is None:
            pieces.append([])
        else:
            pieces[-1].append(vertex)
    return [piece for piece in pieces if len(piece) > 1], sum(vertex is None for vertex in vertices)
