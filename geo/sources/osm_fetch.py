"""
Roads, railways and stations from an Overpass server: cached, resumable, polite, dated and hashed.

The region is cut into square tiles on a fixed grid, so that two regions share the tiles they have in common. Each tile
is one file, set in place whole; a second call downloads only what is missing, too old, or not what its hash says. The
tiles are merged into one Overpass answer that `geo.sources.osm.read_osm` reads. Only `gateline fetch` calls this.

The queries go to Overpass itself and not through osmnx, whose client tries again without end when the server is busy,
asks a third party for the server's address, and drops the tags of railways unless told.

References
----------
.. [1] OpenStreetMap wiki, "Overpass API": a client says who it is, asks for one thing at a time, and waits when the
   server answers 429 or 504.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from geo.crs import to_wgs84_arrays
from geo.errors import ResourceError, UsageError
from geo.sources.osm_overpass import remark_of

__all__ = ["FetchPolicy", "FetchedOsm", "fetch_osm", "plan_tiles"]

_BUSY = (429, 502, 503, 504)
_MANIFEST = "osm-tiles.json"
_MERGED = "osm-merged.json"
_QUERY = """[out:json][timeout:{seconds}];
(
  way["highway"]({box});
  way["railway"="rail"]({box});
  nwr["railway"~"^(station|halt)$"]({box});
);
(._;>;);
out body qt;
"""
Bounds = tuple[float, float, float, float]


@dataclass(frozen=True)
class FetchPolicy:
    """
    How a server is asked.

    Attributes
    ----------
    endpoint : str
        Address of the Overpass interpreter; ``https``, or ``http`` on this machine.
    tile_m : int
        Side of a tile, metres.
    timeout_s : float
        Seconds to wait for an answer.
    n_tries : int
        Times to ask for one tile.
    pause_s : float
        Seconds between two questions.
    wait_s : float
        Seconds to wait after a busy answer; doubled each time, unless the server says how long.
    most_wait_s : float
        Longest of these waits.
    max_bytes : int
        Largest answer.
    max_age_days : int
        Age at which a tile is fetched again.
    user_agent : str
        What the client calls itself.
    """

    endpoint: str = "https://overpass-api.de/api/interpreter"
    tile_m: int = 20_000
    timeout_s: float = 180.0
    n_tries: int = 5
    pause_s: float = 2.0
    wait_s: float = 30.0
    most_wait_s: float = 300.0
    max_bytes: int = 512 * 1024 * 1024
    max_age_days: int = 180
    user_agent: str = "gateline/0.1 (rail and road networks for police analysis; one request at a time)"


@dataclass(frozen=True)
class FetchedOsm:
    """
    What was fetched.

    Attributes
    ----------
    path : pathlib.Path
        One Overpass answer with all tiles.
    sha256 : str
        Hash of that file.
    dated_on : datetime.date
        Date of the oldest tile's data.
    n_tiles, n_downloaded : int
        Tiles in all, and those that were not in the cache.
    """

    path: Path
    sha256: str
    dated_on: date
    n_tiles: int
    n_downloaded: int


def plan_tiles(bounds_m: Bounds, *, tile_m: int) -> list[tuple[int, int]]:
    """
    List the south-west corners of the tiles that cover a region.

    Parameters
    ----------
    bounds_m : tuple of float
        West, south, east and north, EPSG:27700.
    tile_m : int
        Side of a tile, metres.

    Returns
    -------
    list of tuple of int
        Eastings and northings of the corners, multiples of `tile_m`, in order.

    Raises
    ------
    UsageError
        If the bounds or the side are no region.

    Examples
    --------
    >>> plan_tiles((325_000, 180_500, 341_000, 189_000), tile_m=20_000)
    [(320000, 180000), (340000, 180000)]
    """
    west, south, east, north = bounds_m
    if not (np.isfinite(bounds_m).all() and west < east and south < north and tile_m > 0):
        msg = f"bounds_m: {bounds_m!r} with tiles of {tile_m!r} m is no region, expected west < east and south < north."
        raise UsageError(msg + " Set it in EPSG:27700 metres.")
    columns = range(int(west // tile_m), int(-(-east // tile_m)))
    rows = range(int(south // tile_m), int(-(-north // tile_m)))
    return [(column * tile_m, row * tile_m) for column in columns for row in rows]


def fetch_osm(
    bounds_m: Bounds,
    folder: Path,
    *,
    policy: FetchPolicy | None = None,
    today: date,
    on_tile: Callable[[int, int], None] | None = None,
) -> FetchedOsm:
    """
    Fetch the roads, railways and stations of a region, and merge them into one file.

    Parameters
    ----------
    bounds_m : tuple of float
        West, south, east and north, EPSG:27700.
    folder : pathlib.Path
        Cache; made if it is absent.
    policy : FetchPolicy, optional
        How to ask.
    today : datetime.date
        The day the age of a tile is judged by.
    on_tile : callable, optional
        Told the number of tiles done and of all, for a progress bar.

    Returns
    -------
    FetchedOsm
        The file, its hash and its date. The same tiles give the same bytes.

    Raises
    ------
    UsageError
        If the region or the address is wrong, or the server cannot be reached or refuses.
    ResourceError
        If an answer is larger than the policy allows.
    """
    policy = policy or FetchPolicy()
    _require_endpoint(policy.endpoint)
    tiles = plan_tiles(bounds_m, tile_m=policy.tile_m)
    folder.mkdir(parents=True, exist_ok=True)
    manifest = _read_manifest(folder / _MANIFEST)
    names, n_downloaded = [], 0
    for number, corner in enumerate(tiles, start=1):
        query = _query(corner, policy)
        name = f"osm-{corner[0]}-{corner[1]}-{policy.tile_m}.json"
        names.append(name)
        if not _is_cached(folder / name, manifest.get(name), query, policy, today):
            if n_downloaded:
                time.sleep(policy.pause_s)
            content, stated_on = _download(query, policy, name)
            _set_in_place(folder / name, content)
            manifest[name] = {
                "sha256": _sha256(content),
                "query_sha256": _sha256(query.encode()),
                "dated_on": stated_on,
            }
            # Written after each tile, so that what is done stays done.
            _set_in_place(folder / _MANIFEST, json.dumps(manifest, indent=1, sort_keys=True).encode())
            n_downloaded += 1
        if on_tile is not None:
            on_tile(number, len(tiles))
    dated_on = min(manifest[name]["dated_on"] for name in names)
    # Of what two tiles hold, the newer tile's says how it is.
    by_age = sorted(names, key=lambda name: (manifest[name]["dated_on"], name))
    merged = _merge([folder / name for name in by_age], dated_on)
    _set_in_place(folder / _MERGED, merged)
    return FetchedOsm(folder / _MERGED, _sha256(merged), date.fromisoformat(dated_on), len(tiles), n_downloaded)


def _require_endpoint(endpoint: str) -> None:
    """Pass if the address is encrypted, or on this machine."""
    parts = urllib.parse.urlsplit(endpoint)
    is_local = parts.hostname in {"127.0.0.1", "localhost", "::1"}
    if parts.scheme != "https" and not (parts.scheme == "http" and is_local):
        msg = f"endpoint: {endpoint!r} is not encrypted, expected an https address. Set the server's https address."
        raise UsageError(msg)


def _query(corner: tuple[int, int], policy: FetchPolicy) -> str:
    """The question for one tile; its box in degrees holds all four corners."""
    east, north = (np.array([corner[i], corner[i] + policy.tile_m], dtype=float) for i in (0, 1))
    lon_deg, lat_deg = to_wgs84_arrays(np.repeat(east, 2), np.tile(north, 2))
    box = f"{lat_deg.min():.6f},{lon_deg.min():.6f},{lat_deg.max():.6f},{lon_deg.max():.6f}"
    return _QUERY.format(seconds=int(policy.timeout_s), box=box)


def _read_manifest(path: Path) -> dict[str, dict[str, str]]:
    """What is known of the tiles; a manifest that cannot be read is as good as none."""
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def _is_cached(path: Path, entry: dict[str, str] | None, query: str, policy: FetchPolicy, today: date) -> bool:
    """Whether the tile is there, answers this question, is recent, and is what its hash says."""
    if entry is None or not path.is_file() or entry.get("query_sha256") != _sha256(query.encode()):
        return False
    if (today - date.fromisoformat(entry["dated_on"])).days > policy.max_age_days:
        return False
    return _sha256(path.read_bytes()) == entry["sha256"]


def _download(query: str, policy: FetchPolicy, name: str) -> tuple[bytes, str]:
    """A whole answer and the date of its data, asking again while the server is busy."""
    wait_s, problem = policy.wait_s, "no answer"
    for attempt in range(policy.n_tries):
        if attempt:
            time.sleep(min(wait_s, policy.most_wait_s))
            wait_s = 2 * wait_s
        try:
            content = _ask(query, policy, name)
        except urllib.error.HTTPError as error:
            error.close()
            problem = f"HTTP {error.code}"
            if error.code not in _BUSY:
                break
            stated_s = error.headers.get("Retry-After", "")
            wait_s = float(stated_s) if stated_s.isdecimal() else wait_s
        except (OSError, ValueError) as error:  # URLError, time-outs and connections that break are OSErrors
            problem = str(error) or type(error).__name__
        else:
            stated_on, problem = _stated_date(content)
            if stated_on is not None:
                return content, stated_on
    msg = (
        f"{policy.endpoint}: {name} could not be fetched ({problem}) in {attempt + 1} tries, expected an Overpass "
        "answer. Run fetch again later: the tiles that are done are kept."
    )
    raise UsageError(msg)


def _ask(query: str, policy: FetchPolicy, name: str) -> bytes:
    """The bytes of one answer within bounds."""
    request = urllib.request.Request(  # noqa: S310 - the scheme was checked at the door
        policy.endpoint,
        data=urllib.parse.urlencode({"data": query}).encode(),
        headers={"User-Agent": policy.user_agent, "Accept": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=policy.timeout_s) as answer:  # noqa: S310
        content: bytes = answer.read(policy.max_bytes + 1)
        stated = answer.headers.get("Content-Length", "")
    if len(content) > policy.max_bytes:
        msg = f"{name}: the answer is larger than {policy.max_bytes} bytes, expected less. Use smaller tiles."
        raise ResourceError(msg)
    if stated.isdecimal() and int(stated) != len(content):
        msg = f"the answer stops after {len(content)} of {stated} bytes"
        raise ValueError(msg)
    return content


def _stated_date(content: bytes) -> tuple[str | None, str]:
    """The date of the data as ISO text, or None and what is wrong with the answer."""
    try:
        answer: Any = json.loads(content)
    except ValueError:
        return None, "the answer is not JSON"
    if not isinstance(answer, dict) or not isinstance(answer.get("elements"), list):
        return None, "the answer has no list of elements"
    if remark := remark_of(answer.get("remark")):
        return None, remark
    header = answer.get("osm3s")
    stated = str(header.get("timestamp_osm_base", ""))[:10] if isinstance(header, dict) else ""
    try:
        return date.fromisoformat(stated).isoformat(), ""
    except ValueError:
        return None, "the answer does not state the date of its data"


def _merge(paths: list[Path], dated_on: str) -> bytes:
    """One answer with every element once, ordered by kind and id."""
    elements: dict[tuple[str, int], Any] = {}
    for path in paths:
        for element in _elements(path):
            elements[element["type"], element["id"]] = element
    merged = {
        "osm3s": {"timestamp_osm_base": f"{dated_on}T00:00:00Z"},
        "elements": [elements[key] for key in sorted(elements)],
    }
    return json.dumps(merged, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def _elements(path: Path) -> Iterator[Any]:
    yield from json.loads(path.read_bytes())["elements"]


def _set_in_place(path: Path, content: bytes) -> None:
    """The file has this content, whole, or is as it was."""
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
