"""
Attack what leaves: `python -m benchmarks.disclosure_attacks [--workspaces 500]`.

Six attacks of an outsider who has every release and knows every rule, on FICTIONAL addresses drawn anew for each
workspace over the embedded region: averaging over 52 releases, trilateration from the station and town columns,
inversion of kernel density peaks, differencing of releases, margins by linear programming, and a search of every byte.
The products that can hold a victim's band are made for each workspace; the others are made for the first few, and must
be the same bytes whoever the victims are. A baseline shows that each attack works on data that are not protected.
"""

from __future__ import annotations

import hashlib
import itertools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from benchmarks.byte_search import Places, count_hits, count_tokens, find_drawn, find_places, float_tokens
from benchmarks.evidence import Evidence, parser, peak_mib, stopwatch
from gateline.commands.demo import demo_settings
from gateline.pipeline.marks import make_marks
from gateline.pipeline.read import Inputs, read_inputs
from gateline.pipeline.record import Recorder
from gateline.pipeline.stages import Results, run_stages
from gateline.pipeline.write import product_inputs, write_products
from gateline.products.gis import write_layers_gpkg
from gateline.products.map_page import write_map
from gateline.settings import Settings
from geo.crs import to_metric_arrays
from geo.disclosure.ledger import Release, append_release, make_release, require_no_differencing
from geo.disclosure.quadtree import PROFILES, SMALLEST_CELL_M, band_cells
from geo.disclosure.suppression import COUNT_RULES, PublishedCounts, audit_intervals, suppress_counts
from geo.errors import DisclosureError
from geo.sensitive import SensitivePoints

FloatArray = NDArray[np.float64]
KEY = bytes(32)
NEAR_M = 10.0
BANDWIDTH_M = 1_000.0
N_WHOLE = 3
_EMBEDDED = Path(__file__).resolve().parents[1] / "data"


@dataclass(frozen=True)
class Region:
    """What all synthetic workspaces share: the embedded region without victims, run once."""

    inputs: Inputs
    results: Results
    settings: Settings


@dataclass(frozen=True)
class Victims:
    """Synthetic addresses, known to the judge and not to the attacker."""

    easting_m: FloatArray
    northing_m: FloatArray
    points: SensitivePoints
    record_ids: tuple[str, ...]


def make_region(root: Path) -> Region:
    """The embedded region, read and run."""
    settings = demo_settings()
    named = {Path(text).name for _, value in settings.inputs for text in _texts(value)}
    (root / "inputs").mkdir(parents=True)
    for path in sorted(_EMBEDDED.rglob("*")):
        if path.name in named:
            shutil.copyfile(path, root / "inputs" / path.name)
    settings = settings.model_copy(update={"scores": settings.scores.model_copy(update={"n_draws": 100})})
    inputs = replace(read_inputs(root, settings), cuckooing=None)
    return Region(inputs, run_stages(inputs, settings, Recorder(lambda _: None)), settings)


def _texts(value: object) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (value,) if isinstance(value, str) else ()


def draw_victims(areas: gpd.GeoDataFrame, rng: np.random.Generator, *, n: int | None = None) -> Victims:
    """Addresses in small areas taken by chance, two thirds of them in a fifth of the areas."""
    n = int(rng.integers(20, 150)) if n is None else n
    busy = rng.choice(len(areas), size=max(1, len(areas) // 5), replace=False)
    chosen = np.where(rng.random(n) < 2 / 3, rng.choice(busy, size=n), rng.integers(0, len(areas), size=n))
    spots = np.array([point_in(areas.geometry.iloc[k], rng) for k in chosen]).reshape(-1, 2)
    ids = tuple(f"CK{token:016x}" for token in rng.integers(0, 2**63, size=n))
    return Victims(spots[:, 0], spots[:, 1], make_points(spots, ids), ids)


def make_points(spots: FloatArray, ids: tuple[str, ...]) -> SensitivePoints:
    """The type that products never see, from positions."""
    months = pd.PeriodIndex(["2025-06"] * len(spots), freq="M")
    table = pd.DataFrame(
        {"easting_m": spots[:, 0], "northing_m": spots[:, 1], "first_seen": months, "last_seen": months},
        index=pd.Index(ids, name="address_id", dtype="str"),
    )
    return SensitivePoints(table)


def point_in(shape: shapely.Geometry, rng: np.random.Generator) -> FloatArray:
    west, south, east, north = shape.bounds
    while True:
        spot = np.round([rng.uniform(west, east), rng.uniform(south, north)], 2)
        if shape.contains(shapely.Point(spot)):
            return spot


def main() -> None:
    """Run every attack and print what it found."""
    options = parser(__doc__.splitlines()[1])
    options.add_argument("--workspaces", type=int, default=500, help="synthetic workspaces searched byte by byte")
    arguments = options.parse_args()
    evidence = Evidence("disclosure_attacks")
    with tempfile.TemporaryDirectory() as folder:
        region = make_region(Path(folder) / "demo")
        rng = np.random.default_rng(20260101)
        search_bytes(region, Path(folder), rng, arguments.workspaces, evidence)
        trilaterate(region, rng, evidence)
        attack_bands(region, rng, min(arguments.workspaces, 100), evidence)
        average(region, rng, evidence)
        difference(region, rng, 20, evidence)
        solve_margins(rng, 60, evidence)
    evidence.write(arguments.json)


def search_bytes(region: Region, folder: Path, rng: np.random.Generator, n: int, evidence: Evidence) -> None:
    """Every output of every workspace, against the same outputs without victims."""
    control_folder = folder / "control"
    _write_all(control_folder, region)
    control = {path.name: find_places(path) for path in sorted(control_folder.iterdir())}
    drawn_before = {path.name: find_drawn(path) for path in sorted(control_folder.iterdir())}
    fixed = {path.name: _sha256(path) for path in sorted(control_folder.iterdir())}
    same_bytes: set[str] = set(fixed)
    hits = off_grid = tokens = n_addresses = 0
    with stopwatch() as seconds:
        for k in range(n):
            victims = draw_victims(region.inputs.areas, rng)
            with _outputs(folder, region, victims, is_whole=k < N_WHOLE) as paths:
                if k < N_WHOLE:
                    same_bytes &= {path.name for path in paths if fixed.get(path.name) == _sha256(path)}
                secrets = [
                    *(i.encode() for i in victims.record_ids),
                    *float_tokens(victims.easting_m, victims.northing_m),
                ]
                added: Places = set()
                drawn: Places = set()
                for path in paths:
                    drawn |= find_drawn(path) - drawn_before.get(path.name, set())
                    added |= find_places(path) - control.get(path.name, set())
                    tokens += count_tokens(path, secrets)
                n_addresses += len(victims.easting_m)
                hits += count_hits(added, victims.easting_m, victims.northing_m)
                off_grid += count_off_grid(drawn)
    evidence.add(
        "addresses found in any output byte",
        hits + tokens,
        "addresses",
        n=n,
        seconds=seconds[0],
        peak_mib=peak_mib(),
        note=f"{n_addresses:,} addresses; positions of 3-7 decimals or in metres, record ids, raw floats",
    )
    evidence.add("corners that victims add to a drawing and that are not of the fixed grid", off_grid, "corners", n=n)
    varying = sorted(set(fixed) - same_bytes)
    evidence.add("files that differ by who the victims are", ", ".join(varying), "files", n=min(n, N_WHOLE))
    planted = folder / "planted.csv"
    victims = draw_victims(region.inputs.areas, rng, n=50)
    pd.DataFrame({"e": victims.easting_m, "n": victims.northing_m}).to_csv(planted)
    found = count_hits(find_places(planted), victims.easting_m, victims.northing_m)
    evidence.add("planted addresses that the same search finds", found, "addresses", n=50)


def _write_all(folder: Path, region: Region) -> None:
    folder.mkdir()
    marks = make_marks(region.inputs, region.results, region.settings, run_id="0" * 12, profile="tactical")
    write_products(folder, product_inputs(region.inputs, region.results, marks), region.inputs, region.results)


@contextmanager
def _outputs(folder: Path, region: Region, victims: Victims, *, is_whole: bool) -> Iterator[list[Path]]:
    """The outputs of one workspace: those that can hold a band and the ledger, or every product."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        one = Path(name)
        inputs = replace(region.inputs, cuckooing=victims.points)
        marks = make_marks(inputs, region.results, region.settings, run_id="0" * 12, profile="tactical")
        products = product_inputs(inputs, region.results, marks)
        if is_whole:
            write_products(one, products, inputs, region.results)
        else:
            write_map(one / "map.html", products)
            write_layers_gpkg(one / "layers.gpkg", products)
        for profile in ("tactical", "partner"):
            append_release(one / "ledger.jsonl", release_of(victims.points, inputs.areas, profile))
        yield sorted(one.iterdir())


def release_of(points: SensitivePoints, areas: gpd.GeoDataFrame, profile: str, name: str = "r") -> Release:
    """The ledger's entry of a release."""
    cells = band_cells(points, areas, profile=profile)
    return make_release(points, cells, release_id=name, profile=profile, key=KEY)


def count_off_grid(places: Places) -> int:
    """Places that are no corner of a square of the quadtree, to within a unit of their last decimal."""
    if not places:
        return 0
    table = np.array(sorted(places))
    metres = table[:, 0] > 100.0
    east, north = table[:, 0].copy(), table[:, 1].copy()
    if (~metres).any():
        east[~metres], north[~metres] = to_metric_arrays(table[~metres, 0], table[~metres, 1])
    # A unit of the last decimal of a degree is at most 111 km times it.
    slack = np.where(metres, 1.0, table[:, 2] * 111_320.0)
    off = [np.abs(v / SMALLEST_CELL_M - np.round(v / SMALLEST_CELL_M)) * SMALLEST_CELL_M for v in (east, north)]
    return int(((off[0] > slack) | (off[1] > slack)).sum())


def trilaterate(region: Region, rng: np.random.Generator, evidence: Evidence) -> None:
    """Columns of stations and towns that change with the victims: what does not change gives no distance."""
    changed: set[str] = set()
    n_columns = 0
    for _ in range(2):
        inputs = replace(region.inputs, cuckooing=draw_victims(region.inputs.areas, rng).points)
        results = run_stages(inputs, region.settings, Recorder(lambda _: None))
        n_columns = 0
        for name in ("station_exposure", "place_exposure", "station_scores", "place_scores"):
            one, other = (getattr(r, name) for r in (region.results, results))
            one, other = (getattr(t, "table", t) for t in (one, other))
            n_columns += one.shape[1]
            changed |= {f"{name}.{column}" for column in one if not one[column].equals(other[column])}
    evidence.add("station and town columns that depend on victims", len(changed), "columns", n=n_columns)


def attack_bands(region: Region, rng: np.random.Generator, n: int, evidence: Evidence) -> None:
    """Guess a home from the bands: a dwelling by chance in a square, and the peaks of a density over the squares."""
    areas = region.inputs.areas
    bounds = areas.bounds.to_numpy()
    homes = areas["n_dwellings"].fillna(0.0).to_numpy()
    fewest = {profile: np.inf for profile, rule in PROFILES.items() if rule is not None}
    near, peaks, exact_near, exact_peaks = 0, 0, 0, 0
    for _ in range(n):
        victims = draw_victims(areas, rng)
        spots = np.column_stack([victims.easting_m, victims.northing_m])
        for profile in ("tactical", "partner"):
            cells = band_cells(victims.points, areas, profile=profile)
            for west, south, east, north in cells.bounds.to_numpy():
                within = (bounds[:, 0] >= west) & (bounds[:, 1] >= south)
                within &= (bounds[:, 2] <= east) & (bounds[:, 3] <= north)
                fewest[profile] = min(fewest[profile], homes[within].sum())
            if profile == "tactical" and len(cells):
                modes = find_peaks(np.column_stack([cells.centroid.x, cells.centroid.y]), cells["band"].to_numpy(float))
                near += int((_nearest_m(modes, spots) <= NEAR_M).sum())
                peaks += len(modes)
        modes = find_peaks(spots, np.ones(len(spots)))
        exact_near += int((_nearest_m(modes, spots) <= NEAR_M).sum())
        exact_peaks += len(modes)
    for profile, rule in PROFILES.items():
        if rule is not None:
            evidence.add(
                f"attacker's best guess at a given victim's home, {profile}",
                1.0 / fewest[profile],
                "probability",
                baseline={"name": "one in the profile's dwellings", "figure": 1.0 / rule.min_dwellings},
                n=n,
            )
    evidence.add(
        "density peaks within 10 m of a home",
        near / max(peaks, 1),
        "share",
        baseline={"name": "density of exact addresses, 1 km bandwidth", "figure": round(exact_near / exact_peaks, 3)},
        n=peaks,
    )


def find_peaks(spots: FloatArray, weight: FloatArray) -> FloatArray:
    """The modes of a Gaussian density with a bandwidth of 1 km, by mean shift from every point."""
    modes = spots.copy()
    for _ in range(200):
        squared = ((modes[:, None, :] - spots[None, :, :]) ** 2).sum(axis=2)
        pull = weight * np.exp(-squared / (2 * BANDWIDTH_M**2))
        moved = pull @ spots / pull.sum(axis=1, keepdims=True)
        if np.abs(moved - modes).max() < 1e-3:
            break
        modes = moved
    return np.unique(np.round(modes, 0), axis=0)


def _nearest_m(guesses: FloatArray, spots: FloatArray) -> FloatArray:
    distance: FloatArray = np.sqrt(((guesses[:, None, :] - spots[None, :, :]) ** 2).sum(axis=2)).min(axis=1)
    return distance


def average(region: Region, rng: np.random.Generator, evidence: Evidence) -> None:
    """Fifty-two releases of the same victims, rows shuffled and repeated: is there anything to average?"""
    areas = region.inputs.areas
    victims = draw_victims(areas, rng, n=90)
    spots = np.column_stack([victims.easting_m, victims.northing_m])
    tables = set()
    for week in range(52):
        order = rng.permutation(len(spots))
        again = make_points(spots[order], tuple(f"W{week}-{k}" for k in range(len(order))))
        cells = band_cells(again, areas.sample(frac=1.0, random_state=week), profile="tactical")
        tables.add(tuple(cells["band"].items()))
    evidence.add(
        "different tables over 52 releases", len(tables), "tables", baseline={"name": "fresh noise", "figure": 52}
    )


def difference(region: Region, rng: np.random.Generator, n: int, evidence: Evidence) -> None:
    """Two years of months with one to three new victims each: what two months that were let through tell."""
    areas = region.inputs.areas
    asked = let_through = isolated = isolated_unguarded = 0
    for _ in range(n):
        victims = draw_victims(areas, rng, n=120)
        spots = np.column_stack([victims.easting_m, victims.northing_m])
        sizes = np.minimum(50 + np.cumsum(rng.integers(1, 4, size=24)), len(spots))
        every = [
            release_of(make_points(spots[:size], victims.record_ids[:size]), areas, "tactical", f"m{month}")
            for month, size in enumerate(sizes)
        ]
        released: list[Release] = []
        for release in every:
            asked += 1
            try:
                require_no_differencing(release, released, areas)
            except DisclosureError:
                continue
            released.append(release)
        let_through += len(released)
        isolated += sum(_isolates(a, b) for k, b in enumerate(released) for a in released[:k])
        isolated_unguarded += sum(_isolates(a, b) for a, b in itertools.pairwise(every))
    evidence.add(
        "squares of two releases whose change is of 1 to 9 victims",
        isolated,
        "squares",
        baseline={"name": "months in turn, no guard", "figure": isolated_unguarded},
        n=let_through,
        note=f"{let_through} of {asked} releases were let through",
    )


def _isolates(one: Release, other: Release) -> int:
    """Squares in both whose band differs although only one to nine addresses came or went in them."""
    both = [cell for cell in one.bands if other.bands.get(cell, one.bands[cell]) != one.bands[cell]]
    return sum(0 < len(set(one.digests[cell]) ^ set(other.digests[cell])) < 10 for cell in both)


def solve_margins(rng: np.random.Generator, n: int, evidence: Evidence) -> None:
    """Linear programmes over random tables with their margins, for each profile and for small counts hidden alone."""
    for profile, rule in COUNT_RULES.items():
        widths, alone = [np.inf], [np.inf]
        for _ in range(n):
            shape = tuple(rng.integers(2, 7, size=2))
            counts = pd.DataFrame(rng.poisson(rng.choice([2.0, 8.0, 30.0], size=shape)))
            found = audit_intervals(suppress_counts(counts, profile=profile), rounding=rule.rounding)
            widths += list(found["high"] - found["low"])
            # What hiding small counts alone would leave, with exact margins.
            x = counts.to_numpy(float)
            hidden = pd.DataFrame(np.where(x < rule.threshold, np.nan, x))
            naive = PublishedCounts(hidden, counts.sum(axis=1).astype(float), counts.sum(axis=0).astype(float), 0, 0)
            found = audit_intervals(naive, rounding=0)
            alone += list(found["high"] - found["low"])
        evidence.add(
            f"narrowest interval of a suppressed count, {profile}",
            float(min(widths)),
            "offences",
            baseline={"name": "small counts hidden alone, exact margins", "figure": float(min(alone))},
            n=n,
            note=f"threshold {rule.threshold}",
        )


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
