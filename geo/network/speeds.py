"""
Speed limits as OpenStreetMap writes them, and what cars do on roads that carry none.

A limit that cannot be read is null: the road then takes the default of its class, and is counted.

References
----------
.. [1] OpenStreetMap wiki, "Key:maxspeed": a number without a unit is in km/h; "national" and "GB:nsl_*" are implicit.
.. [2] Road Traffic Regulation Act 1984, section 81 (30 mph on restricted roads) and The Highway Code, rule 124
   (60 mph on single, 70 mph on dual carriageways and motorways).
.. [3] Department for Transport, "Travel time measures for the Strategic Road Network and local 'A' roads, England:
   April 2018 to March 2019". Local A roads: 25.3 mph with a delay of 43.1 s a mile against free flow, so cars do 0.70
   of free flow. Strategic roads: 59.0 mph with 9.4 s a mile against the limits, so 0.85 of the limit.
.. [4] Thurrock Council, "Study of travel access in and around Thurrock: travel types": 4.8 km/h, the speed at which
   people choose to walk in normal conditions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from geo.errors import UsageError

__all__ = [
    "DEFAULT_SPEED_MPH",
    "KM_PER_MILE",
    "LOCAL_SPEED_SHARE",
    "MIN_PER_M_AT_1_KM_H",
    "ROAD_CLASSES",
    "STRATEGIC_SPEED_SHARE",
    "WALK_SPEED_KM_H",
    "drive_speed_km_h",
    "parse_maxspeed_km_h",
]

KM_PER_MILE = 1.609344
MIN_PER_M_AT_1_KM_H = 60.0 / 1000.0
WALK_SPEED_KM_H = 4.8  # [4]_
KM_PER_NAUTICAL_MILE = 1.852
# The share of the limit that cars do, from speeds and delays a mile [3]_: 3600/25.3 = 142.3 s, less 43.1 s, is 99.2 s.
LOCAL_SPEED_SHARE = 0.70
STRATEGIC_SPEED_SHARE = 0.85
# Limits of [2]_ where the class settles them (motorway, residential); the others are ASSUMPTIONS, counted where used.
DEFAULT_SPEED_MPH: Mapping[str, float] = {
    "motorway": 70.0,
    "motorway_link": 50.0,
    "trunk": 60.0,
    "trunk_link": 40.0,
    "primary": 40.0,
    "primary_link": 30.0,
    "secondary": 40.0,
    "secondary_link": 30.0,
    "tertiary": 30.0,
    "tertiary_link": 30.0,
    "unclassified": 30.0,
    "residential": 30.0,
    "living_street": 20.0,
    "service": 10.0,
    "road": 30.0,
    "other": 20.0,
}
ROAD_CLASSES = tuple(DEFAULT_SPEED_MPH)
_STRATEGIC = ("motorway", "motorway_link", "trunk", "trunk_link")
_IMPLICIT_MPH = {
    "nsl_restricted": 30.0,
    "restricted": 30.0,
    "urban": 30.0,
    "nsl_single": 60.0,
    "rural": 60.0,
    "nsl_dual": 70.0,
    "dual_carriageway": 70.0,
    "motorway": 70.0,
}
_NUMBER = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,3})?) ?(mph|km/h|kmh|kph|knots)?")
_ZONE = re.compile(r"zone:?([0-9]{1,3})")
# No road is signed below walking pace or above the fastest limit in the world.
_LIMITS_KM_H = (4.0, 160.0)
_LONGEST = 200


def parse_maxspeed_km_h(text: str | None, *, is_dual: bool = False) -> float | None:
    """
    Read a ``maxspeed`` value in any form seen on the map.

    Of several limits (lists, lanes) the lowest is taken; a condition after ``@`` is left out.

    Parameters
    ----------
    text : str or None
        The tag's value.
    is_dual : bool
        Whether the road is a motorway or a carriageway of a dual road, which settles what ``national`` means.

    Returns
    -------
    float or None
        Kilometres an hour; None where the value says nothing usable (``none``, ``signals``, ``variable``, zero,
        negative, words).

    Examples
    --------
    >>> parse_maxspeed_km_h("30 mph"), parse_maxspeed_km_h("50"), parse_maxspeed_km_h("signals")
    (48.28, 50.0, None)
    >>> parse_maxspeed_km_h("GB:nsl_single"), parse_maxspeed_km_h("20 mph;30 mph")
    (96.56, 32.19)
    """
    if text is None or len(text) > _LONGEST:
        return None
    limits = [_parse_one(part.strip(), is_dual=is_dual) for part in re.split(r"[;|,/](?!h)", text.lower())]
    known = [limit for limit in limits if limit is not None]
    return min(known) if known else None


def drive_speed_km_h(
    limit_km_h: NDArray[np.float64],
    road_class: NDArray[np.int8],
    *,
    default_mph: Mapping[str, float] = DEFAULT_SPEED_MPH,
    strategic_share: float = STRATEGIC_SPEED_SHARE,
    local_share: float = LOCAL_SPEED_SHARE,
) -> NDArray[np.float64]:
    """
    Give the speed that cars do, from the limit or the default of the class.

    Parameters
    ----------
    limit_km_h : numpy.ndarray of shape (n,)
        Limit in km/h, NaN where none is known.
    road_class : numpy.ndarray of shape (n,)
        Position in `ROAD_CLASSES`.
    default_mph : mapping of str to float
        Limit by class where none is known.
    strategic_share, local_share : float
        Share of the limit that cars do on motorways and trunk roads, and on the rest; above 0, at most 1.

    Returns
    -------
    numpy.ndarray of shape (n,)
        Kilometres an hour, all above 0.

    Raises
    ------
    UsageError
        If a share is out of range, or a default is missing or not above 0.
    """
    for name, share in (("strategic_share", strategic_share), ("local_share", local_share)):
        if not 0 < share <= 1:
            msg = f"{name}: {share!r} is no share of the limit, expected above 0 and at most 1. Set it in that range."
            raise UsageError(msg)
    odd = [name for name in ROAD_CLASSES if not default_mph.get(name, 0) > 0]
    if odd:
        msg = f"default_mph: {odd} have no speed above 0, expected one for each road class. Add them in miles an hour."
        raise UsageError(msg)
    default_km_h = np.array([default_mph[name] * KM_PER_MILE for name in ROAD_CLASSES])
    share_of_class = np.array([strategic_share if name in _STRATEGIC else local_share for name in ROAD_CLASSES])
    speed: NDArray[np.float64] = (
        np.where(np.isnan(limit_km_h), default_km_h[road_class], limit_km_h) * share_of_class[road_class]
    )
    return speed


def _parse_one(text: str, *, is_dual: bool) -> float | None:
    """One limit in km/h, or None."""
    text = text.partition("@")[0].strip()
    if text == "national":
        return (70.0 if is_dual else 60.0) * KM_PER_MILE
    country, _, rule = text.partition(":")
    if country in {"gb", "uk"} and rule:
        return _parse_implicit(rule)
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    unit_km = {"mph": KM_PER_MILE, "knots": KM_PER_NAUTICAL_MILE}.get(match[2] or "", 1.0)
    return _within(float(match[1]) * unit_km)


def _parse_implicit(rule: str) -> float | None:
    """A British implicit limit in km/h, or None."""
    zone = _ZONE.fullmatch(rule)
    if zone is not None:
        return _within(float(zone[1]) * KM_PER_MILE)
    limit_mph = _IMPLICIT_MPH.get(rule)
    return None if limit_mph is None else limit_mph * KM_PER_MILE


def _within(speed_km_h: float) -> float | None:
    low, high = _LIMITS_KM_H
    return speed_km_h if low <= speed_km_h <= high else None
