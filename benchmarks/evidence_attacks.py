"""
Attack the privacy of addresses that are evidence: `python -m benchmarks.evidence_attacks [--worlds 300 --runs 12]`.

The attacker holds every other input, the code and all products, and asks of one given home: is it on the list? He sees
one release; two runs that differ by one address; he runs the tool himself on lists with one address more; he waits for
a town whose count stands at a band's edge; he draws towns and small areas of his own. What he may always learn is the
band of a town and of a square. All addresses here are FICTIONAL, drawn anew over the embedded region.

An accuracy is the share of right answers where the home is as likely on the list as not: 0.5 is guessing. Intervals
are 95 % (Wilson).
"""

from __future__ import annotations

import itertools
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from benchmarks.disclosure_attacks import KEY, draw_victims, make_points, point_in, release_of
from benchmarks.evidence import Evidence, parser, peak_mib, stopwatch
from gateline.commands.explain import explain_place
from gateline.pipeline.read import Inputs, read_inputs
from gateline.pipeline.run import Finished, run_pipeline
from gateline.settings import Settings, read_settings
from gateline.study import Study
from geo.catchments import find_town
from geo.disclosure.address_bands import LEAST_RESIDENTS, band_addresses
from geo.disclosure.ledger import Release, make_release, require_no_differencing
from geo.disclosure.quadtree import band_cells
from geo.errors import DisclosureError
from geo.schema import empty
from geo.sensitive import SensitivePoints
from geo.tables import BANDED_CELLS
from tests.regions import make_small, make_whole

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Spot = tuple[float, float]
LIST_FILE = "cuckooing_FICTIONAL.csv"
# Times of a run differ from run to run, and are the one file that may.
UNLIKE = frozenset({"timings.json"})
RESIDENTS_PER_HOME = 2.4
# Where the bands of towns begin, as their documentation says it.
EDGES = np.arange(3, 1_000, 5)
OWN_POPULATIONS = (int(LEAST_RESIDENTS), 2_000)
EXPLAINED = ("York", "SCA")
_Z = 1.96


@dataclass(frozen=True)
class Ground:
    """What the attacker knows of the region: its towns and small areas, and where homes are."""

    areas: gpd.GeoDataFrame
    towns: pd.DataFrame
    home_share: FloatArray

    @classmethod
    def of(cls, inputs: Inputs) -> Ground:
        """The ground of a workspace."""
        homes = inputs.areas["n_dwellings"].fillna(0.0).to_numpy(float)
        return cls(inputs.areas, inputs.places[inputs.places["is_in_force"]], homes / homes.sum())

    @property
    def n_homes(self) -> float:
        """Homes of the region."""
        return float(self.areas["n_dwellings"].fillna(0.0).sum())

    def draw_home(self, rng: np.random.Generator) -> Spot:
        """A home, every one as likely."""
        spot = point_in(self.areas.geometry.iloc[rng.choice(len(self.areas), p=self.home_share)], rng)
        return float(spot[0]), float(spot[1])

    def draw_list(self, rng: np.random.Generator) -> list[Spot]:
        """Addresses of a list."""
        victims = draw_victims(self.areas, rng)
        return list(zip(victims.easting_m.tolist(), victims.northing_m.tolist(), strict=True))

    def count(self, spots: Sequence[Spot]) -> IntArray:
        """Addresses of each town, as the attacker counts them."""
        town = find_town(np.array(spots, dtype=float).reshape(-1, 2), self.towns)
        return np.bincount(town[town >= 0], minlength=len(self.towns))

    def tell(self, spots: Sequence[Spot]) -> tuple[tuple[int, ...], tuple[tuple[str, int], ...]]:
        """All that any product of a run may tell: bands of towns, by their published edges, and squares with theirs."""
        bands = np.searchsorted(EDGES, self.count(spots), side="right")
        return tuple(bands.tolist()), tuple(
            band_cells(as_points(spots), self.areas, profile="tactical")["band"].items()
        )


def as_points(spots: Sequence[Spot]) -> SensitivePoints:
    """The type that products never see."""
    return make_points(np.array(spots, dtype=float).reshape(-1, 2), tuple(f"A{k:05d}" for k in range(len(spots))))


def main() -> None:
    """Run every attack and print what was learnt."""
    options = parser(__doc__.splitlines()[1])
    options.add_argument("--worlds", type=int, default=300, help="lists that are drawn")
    options.add_argument("--runs", type=int, default=12, help="whole runs that are compared byte by byte")
    arguments = options.parse_args()
    evidence = Evidence("evidence_attacks")
    rng = np.random.default_rng(20260201)
    with tempfile.TemporaryDirectory() as folder:
        whole = make_whole(Path(folder) / "whole")
        ground = Ground.of(read_inputs(whole, read_settings(whole / "region.toml")))
        read_one_release(ground, rng, arguments.worlds, evidence)
        compare_two_runs(Path(folder), rng, arguments.runs, evidence)
        guess_often(ground, rng, arguments.worlds, evidence)
        wait_at_an_edge(ground, rng, arguments.worlds, evidence)
        draw_own_towns(ground, rng, max(arguments.worlds // 20, 1), evidence)
        draw_own_areas(ground, rng, max(arguments.worlds // 10, 1), evidence)
    evidence.write(arguments.json)


def read_one_release(ground: Ground, rng: np.random.Generator, n: int, evidence: Evidence) -> None:
    """One release and no list: the most that a town's band says of any home in it."""
    homes = ground.towns.sort_index()["population"].to_numpy(float) / RESIDENTS_PER_HOME
    most, base = 0.0, []
    for _ in range(n):
        spots = ground.draw_list(rng)
        high = band_addresses(as_points(spots), ground.towns)["n_high"].to_numpy(float)
        most = max(most, float((high / homes).max()))
        base.append(len(spots) / ground.n_homes)
    evidence.add(
        "one release: highest chance that a given home is on the list, by its town's band",
        most,
        "probability",
        baseline={"name": "any home of the region, by chance", "figure": round(float(np.mean(base)), 5)},
        n=n,
        note="at most the upper end of the lowest band in the smallest town, or of a high band in a town of few homes",
    )


def compare_two_runs(folder: Path, rng: np.random.Generator, n: int, evidence: Evidence) -> None:
    """Whole runs of a small region with one address more: which files, names, sizes, ids and words differ."""
    root = make_small(folder / "small")
    settings = read_settings(root / "region.toml")
    ground = Ground.of(read_inputs(root, settings))
    rows = (root / "inputs" / LIST_FILE).read_text(encoding="utf-8").splitlines()
    spots = [(float(e), float(n)) for _, e, n, _ in (row.split(",") for row in rows[1:])]
    told = ground.tell(spots)
    base = look_at(root, settings)
    ways: dict[str, list[set[str]]] = {"inside its bands": [], "over an edge": []}
    longer = []
    with stopwatch() as seconds:
        for way, found in ways.items():
            for home in itertools.islice(find_homes(ground, rng, spots, told, is_same=way == "inside its bands"), n):
                more = look_at(with_rows(folder, root, rows, [home]), settings)
                found.append(base.unlike(more))
                if way == "inside its bands":
                    longer.append(more.seconds - look_at(with_rows(folder, root, rows, []), settings).seconds)
        spoilt = [
            base.unlike(look_at(with_rows(folder, root, rows, again), settings))
            for again in ([spots[0]], [(100_000.0, 100_000.0)], [spots[0], spots[1]])
        ]
    for way, found in ways.items():
        evidence.add(
            f"two runs, one address more {way}: pairs in which anything differs",
            sum(bool(names) for names in found) / n,
            "share",
            interval=wilson(sum(bool(names) for names in found), n),
            baseline={"name": "an address over an edge", "figure": 1.0} if way == "inside its bands" else None,
            n=n,
            seconds=seconds[0] if way == "over an edge" else None,
            peak_mib=peak_mib(),
            note=f"{base.n_seen} things compared: id, names, sizes and bytes of files, explanations; differing: "
            + (", ".join(sorted(set().union(*found))) or "none"),
        )
    evidence.add(
        "two runs, a home that is on the list already given again, or a row that is refused: pairs that differ",
        sum(bool(names) for names in spoilt),
        "pairs",
        n=len(spoilt),
        note=", ".join(sorted(set().union(*spoilt))) or "nothing differs",
    )
    slower = sum(difference > 0 for difference in longer)
    evidence.add(
        "two runs, one address more inside its bands: told by the longer time",
        slower / n,
        "accuracy",
        interval=wilson(slower, n),
        baseline={"name": "guessing", "figure": 0.5},
        n=n,
    )


@dataclass(frozen=True)
class Seen:
    """All that can be seen of a run, by name."""

    things: dict[str, bytes]
    seconds: float

    @property
    def n_seen(self) -> int:
        """How many things."""
        return len(self.things)

    def unlike(self, other: Seen) -> set[str]:
        """Names of what differs."""
        names = {*self.things, *other.things}
        return {name for name in names if self.things.get(name) != other.things.get(name)}


def look_at(root: Path, settings: Settings) -> Seen:
    """Run a workspace and keep its products, its id, its files' names and sizes, and what `explain` says."""
    shutil.rmtree(root / "runs", ignore_errors=True)
    finished: Finished = run_pipeline(root, tell=lambda _: None)
    paths = sorted(finished.folder.iterdir())
    things = {path.name: path.read_bytes() for path in paths if path.name not in UNLIKE}
    things["run id"] = finished.run_id.encode()
    things["names and sizes"] = repr([(p.name, p.stat().st_size) for p in paths if p.name not in UNLIKE]).encode()
    study = Study(finished.inputs, finished.results, settings)
    things |= {f"explain {unit}": explain_place(study, unit).encode() for unit in EXPLAINED}
    stages = json.loads((finished.folder / "timings.json").read_text(encoding="utf-8"))
    return Seen(things, sum(stage["seconds"] for stage in stages))


def with_rows(folder: Path, root: Path, rows: list[str], more: list[Spot]) -> Path:
    """A copy of the workspace with further rows, by chance somewhere in the list."""
    copy = folder / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(root, copy, ignore=shutil.ignore_patterns("runs"))
    # A row takes the id that its home has, so that a home given again is one address.
    ids = {tuple(row.split(",")[1:3]): row.split(",")[0] for row in rows[1:]}
    names = [ids.get((f"{e:.0f}", f"{n:.0f}"), f"NEW{k}") for k, (e, n) in enumerate(more)]
    added = [f"{name},{e:.0f},{n:.0f},2024-12" for name, (e, n) in zip(names, more, strict=True)]
    text = "\n".join([rows[0], *added, *rows[1:]]) + "\n"
    (copy / "inputs" / LIST_FILE).write_text(text, encoding="utf-8")
    return copy


def find_homes(
    ground: Ground, rng: np.random.Generator, spots: list[Spot], told: object, *, is_same: bool
) -> Iterator[Spot]:
    """Homes in towns above the lowest band whose address leaves what may be told as it is, or any that does not."""
    before = ground.count(spots)
    while True:
        east, north = ground.draw_home(rng)
        home = (float(round(east)), float(round(north)))
        joined = ground.count([*spots, home]) - before
        is_real = not is_same or bool((before[joined > 0] >= EDGES[0]).any())
        if is_real and (ground.tell([*spots, home]) == told) == is_same:
            yield home


def guess_often(ground: Ground, rng: np.random.Generator, n: int, evidence: Evidence, *, n_edges: int = 12) -> None:
    """All of the list is known but one home: the tool is run on copies with each home that it could be."""
    crossed = {"bands of towns": 0, "squares": 0, "either": 0}
    left = []
    centres = shapely.get_coordinates(ground.areas.representative_point().to_numpy()).tolist()
    homes = ground.areas["n_dwellings"].fillna(0.0).to_numpy(float)
    for _ in range(n):
        spots, home = ground.draw_list(rng), ground.draw_home(rng)
        without, told = ground.tell(spots), ground.tell([*spots, home])
        differs = [a != b for a, b in zip(without, told, strict=True)]
        for name, is_other in zip(crossed, (*differs, any(differs)), strict=True):
            crossed[name] += is_other
        if any(differs) and len(left) < n_edges:
            fits = np.array([ground.tell([*spots, (e, n)]) == told for e, n in centres])
            fits |= shapely.intersects(ground.areas.geometry.to_numpy(), shapely.Point(home))
            left.append(float(homes[fits].sum()))
    for name, k in crossed.items():
        low, high = wilson(k, n)
        evidence.add(
            f"many guesses, every other address known: is this home on the list, by {name}",
            0.5 + k / n / 2,
            "accuracy",
            interval=(0.5 + low / 2, 0.5 + high / 2),
            baseline={"name": "guessing", "figure": 0.5},
            n=n,
            note=f"{k} homes stand at an edge and are told for certain, the others not at all",
        )
    if left:
        evidence.add(
            "many guesses: homes that fit as well as the true one where it stands at an edge, fewest",
            min(left),
            "homes",
            baseline={"name": "dwellings that a square keeps", "figure": 50},
            interval=(min(left), max(left)),
            n=len(left),
            note=f"the interval is the range; in the middle {np.median(left):,.0f} of {ground.n_homes:,.0f}",
        )


def wait_at_an_edge(ground: Ground, rng: np.random.Generator, n: int, evidence: Evidence) -> None:
    """A town whose count stands at an edge, in two releases and in two years of months."""
    passed = crossings = 0
    for _ in range(n):
        spots, homes = ground.draw_list(rng), [ground.draw_home(rng) for _ in range(60)]
        before = band_addresses(as_points(spots), ground.towns)
        more = (h for h in homes if not band_addresses(as_points([*spots, h]), ground.towns).equals(before))
        home = next(more, None)
        if home is not None:
            crossings += 1
            passed += _is_let_through(scored(ground, [*spots, home], "b"), [scored(ground, spots, "a")], ground)
    evidence.add(
        "two releases at an edge, one address more: told apart",
        passed / max(crossings, 1),
        "share",
        interval=wilson(passed, crossings),
        baseline={"name": "no guard of towns", "figure": 1.0},
        n=crossings,
        note="a release that would tell is refused",
    )
    isolated = unguarded = let_through = squares_only = asked = 0
    for _ in range(max(n // 15, 1)):
        spots = [ground.draw_home(rng) for _ in range(120)]
        sizes = np.minimum(50 + np.cumsum(rng.integers(1, 4, size=24)), len(spots))
        every = [scored(ground, spots[:size], f"m{k}") for k, size in enumerate(sizes)]
        unguarded += sum(_isolates(a, b) for a, b in itertools.pairwise(every))
        for with_towns in (True, False):
            kept: list[Release] = []
            for release in every:
                asked_for = release if with_towns else replace(release, town_bands=None)
                if _is_let_through(asked_for, kept, ground):
                    kept.append(asked_for)
            if with_towns:
                asked += len(every)
                let_through += len(kept)
                isolated += sum(_isolates(a, b) for k, b in enumerate(kept) for a in kept[:k])
            else:
                squares_only += len(kept)
    evidence.add(
        "two years of months, 1 to 3 new addresses each: towns whose band tells of 1 to 9",
        isolated,
        "towns",
        baseline={"name": "months in turn, no guard", "figure": unguarded},
        n=let_through,
        note=f"{let_through} of {asked} releases were let through, by squares alone {squares_only}",
    )


def draw_own_towns(ground: Ground, rng: np.random.Generator, n: int, evidence: Evidence) -> None:
    """A place of his own, small or large, moved about one home; every other address is known."""
    offsets = np.arange(-400.0, 401.0, 100.0)
    left: dict[str, list[float]] = {"no guard": [], "guard": []}
    pairs = n_passed = n_asked = 0
    for _ in range(n):
        home = ground.draw_home(rng)
        others = [*ground.draw_list(rng), *[ground.draw_home(rng) for _ in range(5)]]
        others += [(home[0] + x, home[1] + y) for x, y in rng.uniform(-150.0, 150.0, size=(2, 2))]
        kept = [scored(ground, [*others, home], "first")]
        answers: dict[str, list[tuple[pd.DataFrame, int]]] = {"no guard": [], "guard": []}
        for k, (x, y, people) in enumerate(itertools.product(offsets, offsets, OWN_POPULATIONS)):
            name = f"own{k}"
            with_own = _own_place(ground.towns, (home[0] + x, home[1] + y), people, name)
            release = scored(ground, [*others, home], name, towns=with_own)
            shown = (release.town_bands or {}).get(name, 0)
            answers["no guard"].append((with_own, shown))
            n_asked += 1
            if _is_let_through(release, kept, ground):
                n_passed += 1
                kept.append(release)
                answers["guard"].append((with_own, shown))
        pairs += sum(_isolates(a, b) for k, b in enumerate(kept) for a in kept[:k])
        for way, answer in answers.items():
            left[way].append(_area_left_ha(answer, others, home))
    evidence.add(
        "own towns: pairs of towns in releases whose bands tell of 1 to 9 addresses",
        pairs,
        "pairs",
        n=n_passed,
        note=f"{n_passed} of {n_asked} releases were let through",
    )
    evidence.add(
        "own towns: ground left for one home, every other address known, in the middle",
        float(np.median(left["guard"])),
        "ha",
        interval=(float(min(left["guard"])), float(max(left["guard"]))),
        baseline={"name": "no guard", "figure": round(float(np.median(left["no guard"])), 1)},
        n=n,
        note=f"of 256 ha looked at; the interval is the range, without a guard {min(left['no guard']):.1f} to "
        f"{max(left['no guard']):.1f}",
    )


def _own_place(towns: pd.DataFrame, centre: Spot, people: int, name: str) -> pd.DataFrame:
    """The towns with one more, last."""
    own = towns.iloc[[0]].assign(easting_m=centre[0], northing_m=centre[1], population=people, name="Own")
    return pd.concat([towns, own.set_axis(pd.Index([name], name=towns.index.name))])


def _area_left_ha(answers: list[tuple[pd.DataFrame, int]], others: list[Spot], about: Spot) -> float:
    """Ground where the home may be, by the band that each own place showed, hectares."""
    step_m = 40.0
    step = np.arange(-800.0, 800.0, step_m)
    x, y = np.meshgrid(about[0] + step, about[1] + step)
    ground = np.column_stack([x.ravel(), y.ravel()])
    fits = np.ones(len(ground), dtype=bool)
    for with_own, shown in answers:
        is_own = find_town(np.vstack([others, ground]), with_own) == len(with_own) - 1
        n_own = int(is_own[: len(others)].sum()) + is_own[len(others) :]
        low = np.where(n_own < EDGES[0], 0, EDGES[np.searchsorted(EDGES, n_own, side="right") - 1])
        fits &= low == shown
    return float(fits.sum() * step_m**2 / 1e4)


def draw_own_areas(ground: Ground, rng: np.random.Generator, n: int, evidence: Evidence) -> None:
    """Small areas of his own that claim many dwellings everywhere: how small a square gets, and over how many homes."""
    west, south, east, north = ground.areas.total_bounds
    side_m = 1_000.0
    corners = [(x, y) for x in np.arange(west, east, side_m) for y in np.arange(south, north, side_m)]
    own = gpd.GeoDataFrame(
        {
            column: [ground.areas[column].iloc[0]] * len(corners)
            for column in ground.areas.columns
            if column != "geometry"
        },
        index=pd.Index([f"X{k}" for k in range(len(corners))], name=ground.areas.index.name),
        geometry=[shapely.box(x, y, x + 10.0, y + 10.0) for x, y in corners],
        crs=ground.areas.crs,
    ).assign(n_dwellings=1_000.0)
    density = ground.areas["n_dwellings"].fillna(0.0).to_numpy(float) / ground.areas.area.to_numpy()
    fewest = {"own": np.inf, "true": np.inf}
    for _ in range(n):
        points = as_points(ground.draw_list(rng))
        for name, areas in (("own", own), ("true", ground.areas)):
            for square in band_cells(points, areas, profile="tactical").geometry:
                homes = float((ground.areas.geometry.intersection(square).area.to_numpy() * density).sum())
                fewest[name] = min(fewest[name], homes)
    evidence.add(
        "own small areas: homes in the emptiest square that is shown, if homes are spread evenly in true areas",
        fewest["own"],
        "homes",
        baseline={"name": "true areas", "figure": round(fewest["true"])},
        n=n,
        note="squares are of a fixed grid, 1,024 m or more, and hold three addresses or more, whatever the areas",
    )


def scored(ground: Ground, spots: list[Spot], name: str, *, towns: pd.DataFrame | None = None) -> Release:
    """The ledger's entry of a release of scores and squares; of scores alone with other towns."""
    points = as_points(spots)
    if towns is None:
        release = release_of(points, ground.areas, "tactical", name)
    else:
        release = make_release(points, empty(BANDED_CELLS), release_id=name, profile="tactical", key=KEY)
    by_town = make_release(
        points,
        empty(BANDED_CELLS),
        release_id=name,
        profile="tactical",
        key=KEY,
        places=ground.towns if towns is None else towns,
    )
    return replace(release, town_bands=by_town.town_bands, town_digests=by_town.town_digests)


def _is_let_through(new: Release, kept: list[Release], ground: Ground) -> bool:
    try:
        require_no_differencing(new, kept, ground.areas)
    except DisclosureError:
        return False
    return True


def _isolates(one: Release, other: Release) -> int:
    """Towns of the two that share an address, show other bands, and differ by one to nine addresses."""
    found = 0
    for a, inside in one.town_digests.items():
        for b, others in other.town_digests.items():
            is_alike = a == b or bool(set(inside) & set(others))
            is_told = (one.town_bands or {}).get(a, 0) != (other.town_bands or {}).get(b, 0)
            found += is_alike and is_told and 0 < len(set(inside) ^ set(others)) < 10
    return found


def wilson(k: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    if n == 0:
        return 0.0, 1.0
    p, z2 = k / n, _Z**2
    middle, half = p + z2 / (2 * n), _Z * np.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return max(float((middle - half) / (1 + z2 / n)), 0.0), min(float((middle + half) / (1 + z2 / n)), 1.0)


if __name__ == "__main__":
    main()
