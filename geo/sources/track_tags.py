"""
The OpenStreetMap tags of track that comes as GeoJSON or GeoPackage, and what they say of each line.

Exports keep tags in several ways: each as a property (overpass-turbo, QuickOSM), together as an object or as JSON text
under ``tags`` or ``all_tags``, or the rarer ones as a text of pairs under ``other_tags`` (GDAL). Geofabrik's shapefiles
have the value of ``railway`` under ``fclass``. A line is judged by the rules that hold for an ``.osm`` file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.sources.osm_tags import LIFECYCLES, RAIL_TAGS, parse_rail
from geo.sources.sieve import Sieve

__all__ = ["judge_track_tags"]

_BUNDLES = frozenset({"tags", "all_tags", "other_tags"})
_PAIR = re.compile(r'"((?:[^"\\]|\\.)*)"\s*=>\s*"((?:[^"\\]|\\.)*)"')
_PAST_OR_PLANNED = frozenset(f"{stage}:railway" for stage in LIFECYCLES)
# What a line is that has one of these tags and no railway's.
_OTHER_LINES = frozenset({"highway", "waterway", "aeroway", "power", "barrier", "building", "landuse"})
_READ = frozenset(RAIL_TAGS) | _PAST_OR_PLANNED | _OTHER_LINES


def judge_track_tags(properties: pd.DataFrame, sieve: Sieve) -> None:
    """
    Set aside the lines that are not track in use, as far as their properties tell.

    Parameters
    ----------
    properties : pandas.DataFrame
        One row a feature. Never modified.
    sieve : Sieve
        Takes what is out of scope, by reason, and a warning where it is not known whether lines are in use.
    """
    tags = _collect_tags(properties)
    is_told = np.array([not (_PAST_OR_PLANNED | {"railway"}).isdisjoint(one) for one in tags], dtype=bool)
    if not is_told.any():
        sieve.warn("no line has the property 'railway': it is not known whether the lines are in use.")
        return
    reasons = np.array(
        [
            parse_rail(one) if told or not _OTHER_LINES.isdisjoint(one) else None
            for one, told in zip(tags, is_told, strict=True)
        ],
        dtype=object,
    )
    for reason in sorted({reason for reason in reasons if reason is not None}):
        sieve.reject(_equals(reasons, reason), reason, field="railway", status="out_of_scope")
    n_untold = int((sieve.kept & ~is_told).sum())
    if n_untold:
        sieve.warn(f"{n_untold} lines have no 'railway' tag: it is not known whether they are in use.")


def _equals(values: NDArray[np.object_], value: str) -> NDArray[np.bool_]:
    return np.array([one == value for one in values], dtype=bool)


def _collect_tags(properties: pd.DataFrame) -> list[dict[str, str]]:
    """The tags of each feature that say what a line is; a property of its own goes before one in a bundle."""
    names = {column: str(column).strip().casefold() for column in properties.columns}
    bundles = [column for column, name in names.items() if name in _BUNDLES]
    fclass = [column for column, name in names.items() if name == "fclass"]
    single = {column: name for column, name in names.items() if name in _READ}
    found: list[dict[str, str]] = []
    chosen = properties[[*bundles, *fclass, *single]]
    for row in chosen.to_dict("records"):
        tags: dict[str, str] = {}
        for column in bundles:
            tags |= _unbundle(row[column])
        tags |= {name: text for column, name in single.items() if (text := _tag_text(row[column]))}
        if "railway" not in tags and fclass and (text := _tag_text(row[fclass[0]])):
            tags["railway"] = text
        found.append(tags)
    return found


def _unbundle(value: object) -> Mapping[str, str]:
    """The tags in an object, in JSON text, or in a text of pairs."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    pairs: list[tuple[Hashable, object]] = []
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, str):
        pairs = list(_PAIR.findall(value))
    texts = {str(key).strip().casefold(): _tag_text(text) for key, text in pairs}
    return {key: text for key, text in texts.items() if key in _READ and text}


def _tag_text(value: object) -> str:
    """The value of a tag in small letters, blank where there is none."""
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (float, np.floating)):
        return f"{value:g}" if np.isfinite(value) else ""
    return "" if value is None or value is pd.NA or value is pd.NaT else str(value).strip().casefold()
