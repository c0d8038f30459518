"""
Remember what was released, and refuse a release that could be subtracted from an earlier one.

In: `geo.sensitive.SensitivePoints`, the `geo.tables.BANDED_CELLS` and the bands of towns about to leave. Kept beside
the audit log, a JSON line a release: the cells and bands as they left, their hash, and keyed digests of the addresses
in each cell and in each town's band; never a coordinate of an address. What two releases show together is what their
difference shows, so the guard looks at every square that the two show differently (trust.md R-6): at the addresses
recorded or removed there since, and, where squares of one lie inside a square of the other, at the addresses and
dwellings of what is left of it. Scores tell the band of each town, so towns are looked at in the same way: at the
addresses that are counted in one of two towns that share an address, or a name, and not in the other, whether the list
changed or the towns were drawn anew.

The guard compares with every earlier release, of whatever profile: who may see the most may hold them all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.disclosure.address_bands import band_addresses, find_address_towns
from geo.disclosure.keyed import digest_addresses, key_id
from geo.disclosure.private_files import append_private
from geo.disclosure.quadtree import PROFILES, find_address_cells
from geo.errors import DisclosureError, IntegrityError
from geo.schema import validate
from geo.sensitive import SensitivePoints
from geo.tables import AREAS, BANDED_CELLS

__all__ = ["Release", "append_release", "make_release", "read_ledger", "require_no_differencing"]

# trust.md R-6: a difference may show this many records or none.
MIN_RECORDS = 10
_NOWHERE = ""

Square = tuple[float, float, float]


@dataclass(frozen=True)
class Release:
    """
    What one release showed, and of whom, in digests.

    Attributes
    ----------
    release_id, profile : str
        Of the release.
    key_id : str
        Name of the key of the digests.
    bands : mapping of str to int
        Band by cell id, as released.
    digests : mapping of str to tuple of str
        Digests of the addresses in each cell, one for each home; those of addresses in no cell under the empty id.
    town_bands : mapping of str to int, or None
        Fewest addresses of the band of each town that has more than the lowest; None where no score left.
    town_digests : mapping of str to tuple of str
        Digests of the addresses counted in each town that has any.
    """

    release_id: str
    profile: str
    key_id: str
    bands: Mapping[str, int]
    digests: Mapping[str, tuple[str, ...]]
    town_bands: Mapping[str, int] | None = None
    town_digests: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def everyone(self) -> set[str]:
        """
        Give the digests of all addresses, shown or not.

        Returns
        -------
        set of str
            Digests.
        """
        return {digest for inside in self.digests.values() for digest in inside}

    def within(self, square: Square) -> set[str]:
        """
        Give the digests of the addresses shown inside a square.

        Parameters
        ----------
        square : tuple of float
            West, south and side in metres.

        Returns
        -------
        set of str
            Digests.
        """
        return {digest for cell in self.bands if _holds(square, _parse(cell)) for digest in self.digests.get(cell, ())}

    def to_line(self) -> str:
        """
        Write the release as one line of the ledger.

        Returns
        -------
        str
            JSON with the hash of everything else in it; no line break.
        """
        body = {
            "release_id": self.release_id,
            "profile": self.profile,
            "key_id": self.key_id,
            "bands": dict(self.bands),
            "digests": {cell: list(inside) for cell, inside in self.digests.items()},
            "town_bands": None if self.town_bands is None else dict(self.town_bands),
            "town_digests": {town: list(inside) for town, inside in self.town_digests.items()},
        }
        return json.dumps({**body, "sha256": _hash(body)}, sort_keys=True)


def make_release(
    points: SensitivePoints,
    cells: gpd.GeoDataFrame,
    *,
    release_id: str,
    profile: str,
    key: bytes,
    places: pd.DataFrame | None = None,
    cutoff: pd.Period | None = None,
) -> Release:
    """
    Describe a release for the ledger.

    Parameters
    ----------
    points : SensitivePoints
        The addresses.
    cells : geopandas.GeoDataFrame
        Table `geo.tables.BANDED_CELLS` made from them by `band_cells`.
    release_id, profile : str
        Of the release.
    key : bytes
        The workspace key.
    places : pandas.DataFrame or None
        Table `geo.tables.PLACES`: the towns whose bands scores tell; None where no score leaves.
    cutoff : pandas.Period or None
        Last month in which an address may have been first seen to be counted in a town; None for all.

    Returns
    -------
    Release
        For `require_no_differencing` and `append_release`.

    Raises
    ------
    TableError
        If `cells` or `places` breaks its contract.
    """
    validate(cells, BANDED_CELLS)
    digests = digest_addresses(points, key, purpose="ledger_digest")
    home = find_address_cells(points, cells)
    is_told = np.array([cell is not None for cell in home], dtype=bool)
    bands = {str(cell): int(band) for cell, band in cells["band"].sort_index().items()}
    town_bands: dict[str, int] | None = None
    town_digests: dict[str, tuple[str, ...]] = {}
    if places is not None:
        low = band_addresses(points, places, cutoff=cutoff)["n_low"]
        town_bands = {str(town): int(n) for town, n in low.items() if n > 0}
        town_digests = _by_place(digests, find_address_towns(points, places, cutoff=cutoff))
        town_digests.pop(_NOWHERE, None)
    told = _by_place(digests[is_told], home[is_told])
    return Release(release_id, profile, key_id(key), bands, told, town_bands, town_digests)


def _by_place(digests: NDArray[np.str_], home: NDArray[np.object_]) -> dict[str, tuple[str, ...]]:
    """Digests by where their addresses are, each once, ordered."""
    return {str(place): tuple(sorted({str(d) for d in digests[home == place]})) for place in sorted(set(home))}


def require_no_differencing(new: Release, previous: Sequence[Release], areas: gpd.GeoDataFrame) -> None:
    """
    Pass if no earlier release can be subtracted from a new one to single out few addresses or few homes.

    Parameters
    ----------
    new : Release
        About to leave.
    previous : sequence of Release
        All that left before, from `read_ledger`.
    areas : geopandas.GeoDataFrame
        Table `geo.tables.AREAS`, for dwellings.

    Raises
    ------
    DisclosureError
        If it could; the message has the numbers and no place.
    IntegrityError
        If an earlier release was digested under another key, so that nothing can be compared.
    TableError
        If `areas` breaks its contract.

    Notes
    -----
    A release that shows the same cells and bands as an earlier one tells nothing beside it, and passes.
    """
    validate(areas, AREAS)
    for old in previous:
        if old.key_id != new.key_id:
            msg = (
                f"ledger: release {old.release_id!r} was made with key {old.key_id}, expected {new.key_id}. "
                "Restore the workspace key from its backup."
            )
            raise IntegrityError(msg)
        if old.bands != new.bands:
            _require_many_changed(new, old)
            _require_large_remainders(new, old, areas)
        _require_many_in_towns(new, old)


def append_release(ledger: Path, release: Release) -> str:
    """
    Add a release to the ledger and sync it to disk.

    Parameters
    ----------
    ledger : pathlib.Path
        File of JSON lines; created readable by its owner alone.
    release : Release
        What leaves.

    Returns
    -------
    str
        SHA-256 of the line, for the audit log.
    """
    line = release.to_line()
    append_private(ledger, (line + "\n").encode())
    return hashlib.sha256(line.encode()).hexdigest()


def read_ledger(ledger: Path, *, expected_sha256: Iterable[str] = ()) -> tuple[Release, ...]:
    """
    Read every earlier release.

    Parameters
    ----------
    ledger : pathlib.Path
        The ledger; it may be absent where nothing was released.
    expected_sha256 : iterable of str
        Hashes of lines that the audit log says are there.

    Returns
    -------
    tuple of Release
        In the order they left.

    Raises
    ------
    IntegrityError
        If a line is altered, or one that the audit log names is gone.
    """
    lines = ledger.read_text(encoding="utf-8").splitlines() if ledger.exists() else []
    missing = set(expected_sha256) - {hashlib.sha256(line.encode()).hexdigest() for line in lines}
    if missing:
        msg = (
            f"{ledger.name}: {len(missing)} releases that the audit log names are altered or gone, expected none. "
            "Restore the ledger from its backup."
        )
        raise IntegrityError(msg)
    return tuple(_read_line(ledger.name, number, line) for number, line in enumerate(lines, start=1))


def _read_line(name: str, number: int, line: str) -> Release:
    """The release of one line, whose hash is right."""
    try:
        body = json.loads(line)
        is_whole = body.pop("sha256") == _hash(body)
        digests, town_digests = (
            {place: tuple(inside) for place, inside in body.get(name, {}).items()}
            for name in ("digests", "town_digests")
        )
        # A ledger of before towns were guarded has lines without them.
        town_bands = body.get("town_bands")
        named = (body["release_id"], body["profile"], body["key_id"], body["bands"])
        release = Release(*named, digests, town_bands, town_digests)
    except (ValueError, KeyError, TypeError, AttributeError):
        is_whole = False
    if not is_whole:
        msg = f"{name}: line {number} is altered, expected the hash it was written with. Restore the ledger."
        raise IntegrityError(msg)
    return release


def _hash(body: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _parse(cell_id: str) -> Square:
    """West, south and side of a cell from its id, metres."""
    side, west, south = cell_id.split("-")
    return float(west), float(south), float(side.removesuffix("m"))


def _holds(outer: Square, inner: Square) -> bool:
    """Whether one square lies in another, or is it; squares of a quadtree never overlap in part."""
    return (
        outer[0] <= inner[0]
        and outer[1] <= inner[1]
        and inner[0] + inner[2] <= outer[0] + outer[2]
        and inner[1] + inner[2] <= outer[1] + outer[2]
    )


def _changed_squares(new: Release, old: Release) -> list[Square]:
    """The largest squares that the two show differently."""
    cells = {cell for cell, _ in set(new.bands.items()) ^ set(old.bands.items())}
    largest: list[Square] = []
    for square in sorted((_parse(cell) for cell in cells), key=lambda s: (-s[2], s)):
        if not any(_holds(other, square) for other in largest):
            largest.append(square)
    return largest


def _require_many_changed(new: Release, old: Release) -> None:
    """Where the two differ, no address or at least `MIN_RECORDS` came or went."""
    known_before, known_now = old.everyone(), new.everyone()
    moved = [(new.within(s) - known_before) | (old.within(s) - known_now) for s in _changed_squares(new, old)]
    _refuse_few([len(digests) for digests in moved], old, "squares")


def _require_many_in_towns(new: Release, old: Release) -> None:
    """Two towns of other bands that share an address or a name differ by no address or at least `MIN_RECORDS`."""
    if new.town_bands is None or old.town_bands is None:
        return
    before = {town: set(inside) for town, inside in old.town_digests.items()}
    counts = []
    for town in sorted({*new.town_digests, *old.town_digests}):
        now = set(new.town_digests.get(town, ()))
        alike = {town, *(name for name, inside in before.items() if now & inside)}
        told = [name for name in alike if new.town_bands.get(town, 0) != old.town_bands.get(name, 0)]
        counts += [len(now ^ before.get(name, set())) for name in told]
    _refuse_few(counts, old, "bands of towns")


def _refuse_few(counts: Sequence[int], old: Release, where: str) -> None:
    """Pass if each number of addresses is none or many."""
    few = [n for n in counts if 0 < n < MIN_RECORDS]
    if few:
        msg = (
            f"release: {min(few)} addresses that came or went since release {old.release_id!r} show in {len(few)} "
            f"{where}, expected none or at least {MIN_RECORDS} in each. Give that release out again, or wait until "
            "more have changed."
        )
        raise DisclosureError(msg)


def _require_large_remainders(new: Release, old: Release, areas: gpd.GeoDataFrame) -> None:
    """Where bands tell that a square less those in it holds anyone, it holds many, among enough homes."""
    rules = [PROFILES[release.profile] for release in (new, old)]
    min_dwellings = min((rule.min_dwellings for rule in rules if rule is not None), default=0)
    for one, other in ((new, old), (old, new)):
        for cell in one.bands:
            outer = _parse(cell)
            inner = [c for c in other.bands if c != cell and _holds(outer, _parse(c))]
            # An attacker has bands: the fewest that the whole can hold less the most that the parts can.
            if not inner or _range(one, cell)[0] - sum(_range(other, c)[1] for c in inner) < 1:
                continue
            left = set(one.digests.get(cell, ())) - {digest for c in inner for digest in other.digests.get(c, ())}
            n_dwellings = _dwellings_outside(outer, [_parse(c) for c in inner], areas)
            if len(left) < MIN_RECORDS or n_dwellings < min_dwellings:
                msg = (
                    f"release: a square less those of release {old.release_id!r} in it leaves {len(left)} addresses "
                    f"among {n_dwellings:.0f} dwellings, expected at least {MIN_RECORDS} among {min_dwellings}. "
                    "Give that release out again, or release at the same profile."
                )
                raise DisclosureError(msg)


def _range(release: Release, cell: str) -> tuple[float, float]:
    """Fewest and most addresses that the band of a cell stands for."""
    rule = PROFILES[release.profile]
    return (0.0, float("inf")) if rule is None else rule.band_range(release.bands[cell])


def _dwellings_outside(outer: Square, inner: Sequence[Square], areas: gpd.GeoDataFrame) -> float:
    """Dwellings for certain in the part of a square that others leave: of small areas wholly inside it."""
    west, south, side_m = outer
    taken = shapely.union_all([shapely.box(w, s, w + d, s + d) for w, s, d in inner])
    left = shapely.difference(shapely.box(west, south, west + side_m, south + side_m), taken)
    inside = shapely.covers(left, areas.geometry.to_numpy())
    return float(areas["n_dwellings"].fillna(0.0).to_numpy(dtype=float)[inside].sum())
