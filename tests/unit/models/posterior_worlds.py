"""Small worlds for the tests of `models.posterior`, and evidence that is drawn from the model itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from scipy import linalg, sparse

from models.posterior.estimate import Estimate, estimate_trips
from models.posterior.evidence import Evidence, build_sources
from models.posterior.posterior import Posterior, Stations
from models.posterior.priors import Normal, Priors
from models.posterior.sources import Addresses, Finds, Lines, Source, StationOffences, TownCounts
from models.posterior.ways import Ways, build_ways

# Middle of the prior of trips a line and month.
TRIPS_PER_LINE = 3.0
# Lines a simulated world expects: enough that every source has something to count.
MEAN_LINES = 40.0


@dataclass(frozen=True)
class World:
    """
    Exporters ``x0, x1, ..``, towns ``t0, t1, ..`` in a row from the exporters outwards, stations ``s0, s1, ..``.

    Town `j` has the station ``s{j % n_stations}`` and every trip to another station changes at ``s0``, so that a
    station but the first is only ever met on the way to its own towns. The last town has no railway.
    """

    costs: pd.DataFrame
    towns: pd.DataFrame
    exporters: pd.DataFrame
    ways: Ways
    stations: Stations
    priors: Priors = field(default_factory=Priors)

    def sources(self, evidence: Evidence) -> tuple[Source, ...]:
        return build_sources(
            evidence, self.ways, self.priors, stations=self.stations, trips_per_line_per_month=TRIPS_PER_LINE
        )

    def posterior(self, sources: Sequence[Source] = ()) -> Posterior:
        return Posterior(self.ways, self.priors, sources, stations=self.stations)

    def estimate(self, evidence: Evidence | Sequence[Source] = (), *, n_draws: int = 200, seed: int = 0) -> Estimate:
        return estimate_trips(
            self.ways,
            self.priors,
            self.sources(evidence) if isinstance(evidence, Evidence) else tuple(evidence),
            self.stations,
            n_draws=n_draws,
            random_state=seed,
            trips_per_line_per_month=TRIPS_PER_LINE,
        )


def build_tables(n_exporters: int, n_towns: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Costs, towns and exporters; towns are origins too, of every other town."""
    rng = np.random.default_rng(7)
    towns = pd.DataFrame(
        {
            "population": np.round(rng.permutation(np.geomspace(4_000, 90_000, n_towns))),
            "easting_m": 400_000.0 + 9_000.0 * np.arange(n_towns),
            "northing_m": 450_000.0 + rng.uniform(-4_000, 4_000, n_towns),
        },
        index=pd.Index([f"t{j}" for j in range(n_towns)], name="place_id"),
    )
    exporters = pd.DataFrame(
        {"population": 800_000.0 / (1 + np.arange(n_exporters)), "prior_lines": np.nan},
        index=pd.Index([f"x{i}" for i in range(n_exporters)], name="exporter_id"),
    )
    rows = [
        (f"x{i}", f"t{j}", 35.0 + 20.0 * i + (11.0 - 3.0 * i) * j + rng.uniform(0, 9))
        for i in range(n_exporters)
        for j in range(n_towns)
    ]
    rows += [(f"t{i}", f"t{j}", 10.0 + 9.0 * abs(i - j)) for i in range(n_towns) for j in range(n_towns) if i != j]
    return pd.DataFrame(rows, columns=["origin_id", "destination_id", "cost_min"]), towns, exporters


def build_stations(ways: Ways, n_stations: int) -> Stations:
    """Stations of the world; see `World`."""
    last = len(ways.town_ids) - 1
    own = np.array([int(name[1:]) if name.startswith("t") else -1 for name in ways.origin_ids])[ways.origin]
    has_rail = (ways.town != last) & (own != last)
    home = ways.town % n_stations
    visits = np.zeros((n_stations, ways.n_pairs))
    pairs = np.flatnonzero(has_rail)
    visits[0, pairs] = 1.0
    visits[home[pairs], pairs] = 1.0
    log_odds = np.where(has_rail, 0.8 - 0.2 * (ways.town % 4) + 0.3 * ways.origin.clip(max=2), -np.inf)
    return Stations(tuple(f"s{k}" for k in range(n_stations)), sparse.csr_array(visits), log_odds, 0.9)


def build_world(
    n_exporters: int = 3,
    n_towns: int = 8,
    n_stations: int = 5,
    *,
    internal_share: float = 0.1,
    priors: Priors | None = None,
) -> World:
    priors = priors or Priors()
    costs, towns, exporters = build_tables(n_exporters, n_towns)
    ways = build_ways(costs, towns, exporters, priors, internal_share=internal_share)
    return World(costs, towns, exporters, ways, build_stations(ways, n_stations), priors)


def known_lines(*rows: tuple[str | None, str | None, float]) -> pd.DataFrame:
    """Lines as rows of origin, town and number; None is unknown."""
    return pd.DataFrame(
        {
            "origin_id": pd.Series([row[0] for row in rows], dtype="str"),
            "destination_id": pd.Series([row[1] for row in rows], dtype="str"),
            "n_lines": [float(row[2]) for row in rows],
        }
    )


def known_addresses(**bands: tuple[int, int]) -> pd.DataFrame:
    """Bands of addresses by town; the other towns are not counted."""
    table = pd.DataFrame.from_dict(bands, orient="index", columns=["n_low", "n_high"]).assign(is_counted=True)
    return table.rename_axis("place_id")


def by_town(*n: float) -> pd.Series:
    return pd.Series(n, index=[f"t{j}" for j in range(len(n))], dtype=float)


def by_station(*n: float) -> pd.Series:
    return pd.Series(n, index=[f"s{k}" for k in range(len(n))], dtype=float)


def full_evidence() -> Evidence:
    """Something of every kind, for the world of three exporters, eight towns and five stations."""
    return Evidence(
        lines=known_lines(
            ("x0", "t1", 3), ("x1", "t2", 1.5), ("x2", "t5", 2), ("t0", "t1", 1), ("x1", None, 2), (None, "t3", 1)
        ),
        exporter_lines=pd.Series({"x0": 6.0, "x2": 3.0}),
        addresses=known_addresses(t0=(0, 0), t1=(5, 9), t2=(1, 4), t4=(1, 4), t5=(10, 19), t6=(0, 0)),
        reported_offences=by_town(30, 80, 41, 12, 25, 70, 9, 14),
        unattributed_offences=by_town(60, 90, 75, 40, 35, 90, 30, 22),
        recorders=pd.Series(["north"] * 4 + ["south"] * 4, index=[f"t{j}" for j in range(8)]),
        partner_counts={"exploited": by_town(1, 6, 0, 2, 4, 9, 0, 1), "missing": by_town(4, 12, 8, 0, 1, 14, 2, 0)},
        station_offences=by_station(20, 9, 4, 0, 3),
        footfall=by_station(2e6, 4e5, 3e5, 9e4, 1e5),
        finds=pd.DataFrame({"n_hours": [12.0, 40.0, 8.0], "n_finds": [2, 0, 1]}, index=["s0", "s2", "s4"]),
    )


def hidden_sources(world: World, kinds: Sequence[str]) -> tuple[Source, ...]:
    """Sources without counts yet, whose priors hang on no data, as a simulation needs them."""
    towns, pairs = np.arange(len(world.ways.town_ids)), np.arange(world.ways.n_pairs)
    n_stations, priors = len(world.stations.station_ids), world.priors
    log_people = np.log(world.ways.residents)
    log_mean_lines = float(np.log(MEAN_LINES / len(towns)))
    own_rate, exponent = Normal(float(np.log(8.0)), 0.5), Normal(1.0, 0.1)

    def made(kind: type[Source], name: str, grain: str, rows: np.ndarray, **rest: object) -> Source:
        none = np.zeros(len(rows))
        return kind(name=name, group=name, grain=grain, rows=rows, low=none, high=none, **rest)  # type: ignore[arg-type]

    known = {"own": (Normal(float(np.log(0.3)), 0.4),), "has_size": False}
    builders = {
        "lines_by_pair": lambda n: made(
            Lines, n, "pair", pairs, fixed_log_size=float(np.log(priors.pair_shape)), **known
        ),
        "lines_by_origin": lambda n: made(Lines, n, "origin", np.arange(len(world.exporters)), **known),
        "lines_by_town": lambda n: made(Lines, n, "town", towns, **known),
        "addresses": lambda n: made(
            Addresses, n, "town", towns, own=(own_rate, priors.log_size), exponent=1.0, log_reference=log_mean_lines
        ),
        "reported_offences": lambda n: made(
            TownCounts,
            n,
            "town",
            towns,
            own=(Normal(float(np.log(2e-3)), 0.5), exponent, priors.log_size),
            exponent=priors.offence_exponent,
            log_residents=log_people,
            log_reference=float(np.log(MEAN_LINES / world.ways.residents.sum())),
        ),
        "station_offences": lambda n: made(
            StationOffences,
            n,
            "station",
            np.arange(n_stations),
            own=(own_rate, exponent, priors.station_offence_share, priors.log_size),
            log_footfall=np.linspace(-1.0, 1.0, n_stations),
            log_reference=float(np.log(MEAN_LINES / n_stations)),
        ),
        "finds": lambda n: made(
            Finds,
            n,
            "platform",
            np.arange(n_stations),
            own=(Normal(float(np.log(0.2 * TRIPS_PER_LINE)), 0.7),),
            has_size=False,
            fixed_log_size=float(np.log(4.0)),
            log_hours_share=np.log(np.linspace(0.05, 0.3, n_stations)),
        ),
    }
    return tuple(builders[kind](kind) for kind in kinds)


def draw_prior(posterior: Posterior, rng: np.random.Generator) -> np.ndarray:
    """One set of parameters from the prior."""
    factor = linalg.cholesky(posterior.prior_precision, lower=True)
    normals = rng.standard_normal(posterior.n_params)
    return np.asarray(posterior.prior_mean + linalg.solve_triangular(factor, normals, lower=True, trans="T"))


def simulate(
    posterior: Posterior, theta: np.ndarray, rng: np.random.Generator
) -> tuple[tuple[Source, ...], np.ndarray]:
    """
    Draw counts of every source, and the lines of every pair, its own effect included.

    Where lines are known by pair a pair has a gamma effect of its own, which no other source sees; addresses are told
    in bands of 0, 1 to 4, 5 to 9 and so on.
    """
    lines = np.exp(posterior.log_lines(theta))
    own_lines, found = lines, []
    if any(source.grain == "pair" for source in posterior.sources):
        shape = posterior.priors.pair_shape
        own_lines = lines * rng.gamma(shape, 1.0 / shape, size=len(lines))
    for source in posterior.sources:
        own = theta[posterior.blocks[source.name]]
        if source.grain == "pair":
            n = rng.poisson(np.exp(own[0]) * own_lines[source.rows]).astype(float)
            found.append(replace(source, low=n, high=n))
            continue
        mean = np.exp(source.predict(posterior.log_behind(source, theta), own).log_mean)
        log_size = own[-1] if source.has_size else source.fixed_log_size
        if np.isfinite(log_size):
            mean = mean * rng.gamma(np.exp(log_size), np.exp(-log_size), size=len(mean))
        n = rng.poisson(mean).astype(float)
        low, high = (n, n) if not isinstance(source, Addresses) else _bands(n)
        found.append(replace(source, low=low, high=high))
    return tuple(found), own_lines


def _bands(n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    low = np.where(n == 0, 0.0, np.maximum(5.0 * np.floor(n / 5.0), 1.0))
    return low, np.where(n == 0, 0.0, 5.0 * np.floor(n / 5.0) + 4.0)
