"""Worlds for `benchmarks.loop`: what the planner believes before the first week, and what is hidden from it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from benchmarks.main_job import make_workspace
from gateline.pipeline.planning import _find_candidates, _lay_out, _plan_at_coach_stops, _rules_of_thumb
from gateline.pipeline.read import read_inputs
from gateline.pipeline.record import Recorder
from gateline.pipeline.stages import Results, run_stages
from gateline.settings import read_settings
from geo.corridors.best_routes import StopRole
from geo.corridors.routes import RouteSets, list_route_sets
from geo.tables.exposure import HOURS_BASES
from models.planning.problem.encounters import build_encounters
from models.planning.problem.shifts import DAYS_PER_MONTH, SERVICE_FROM_H, SERVICE_TO_H
from models.planning.roster import FEARS, Courier, DutyProblem, DutyRules, Team, build_duty_problem, with_detection
from models.planning.roster.couriers import Response
from models.planning.roster.itineraries import Itinerary
from models.planning.roster.yields import credit_stays
from models.posterior.estimate import share_draws
from models.posterior.sampler import draw_posterior

FloatArray = NDArray[np.float64]

SEED = 20260101
N_PARTICLES = 1200
# The most that chances of noticing a courier are raised by: to certainty.
_MOST_CERTAIN = 0.999


@dataclass(frozen=True)
class Flow:
    """When trips are made, and trips of a week on each pattern for one trip a month of each pair."""

    share: FloatArray
    to_patterns: sparse.csr_matrix


@dataclass(frozen=True)
class World:
    """
    What the planner knows: the problem, draws of trips by pair, and how sure it is of their level.

    `level_mean` and `level_sd` are those of the logarithm of a factor on all finds: trips a line times the chance of
    noticing a courier, of which finds hold the product alone.
    """

    name: str
    problem: DutyProblem
    trips: NDArray[np.float32]
    level_mean: float
    trips_sd: float
    detection_sd: float
    rules_of_thumb: dict[str, FloatArray]
    hidden: NDArray[np.float32]
    # Shape of the gamma prior of each pair's trips, where that is what draws were made of.
    spread: float | None = None

    @property
    def level_sd(self) -> float:
        return float(np.hypot(self.trips_sd, self.detection_sd))

    @cached_property
    def base(self) -> Flow:
        problem = self.problem
        return self.flow(Response(problem.encounters.routes.probability, problem.share))

    def flow(self, response: Response) -> Flow:
        encounters = self.problem.encounters
        seen = encounters.pattern_of_route >= 0
        pair = encounters.pair_of_route[seen]
        values = response.probability[seen] * encounters.worth[pair] * 7.0 / DAYS_PER_MONTH
        shape = (self.problem.hazard.shape[0], len(encounters.routes.flow_ids))
        return Flow(response.share, sparse.csr_matrix((values, (encounters.pattern_of_route[seen], pair)), shape=shape))

    def moved(self, flow: Flow) -> DutyProblem:
        return replace(self.problem, share=flow.share)

    def stays_by_pair(self, flow: Flow, shifts: tuple[Itinerary, ...]) -> NDArray[np.float32]:
        """Finds of each stay for one trip a month of each pair, at level 1; of shape (n_pairs, n_stays)."""
        by_pair = flow.to_patterns.T @ credit_stays(self.problem, shifts, flow.share).T
        return np.asarray(by_pair, dtype=np.float32)

    @cached_property
    def stations_by_pair(self) -> NDArray[np.float32]:
        """Couriers whom one team at each station all week would meet, for one trip a month of each pair."""
        return self.by_station(self.problem.hazard)

    def by_station(self, hazard: FloatArray) -> NDArray[np.float32]:
        met = self.base.share.sum(axis=0)[:, None] * -np.expm1(-hazard)
        return np.asarray(self.base.to_patterns.T @ met, dtype=np.float32)

    def truth(self, number: int, *, alike_per_hour: float | None = None, scale: float = 1.0) -> Truth:
        """Trips by pair that the planner never saw, with a level, a chance and couriers of their own."""
        rng = np.random.default_rng([SEED, number])
        detection = float(np.exp(self.detection_sd * rng.standard_normal()))
        level = float(np.exp(self.level_mean + self.trips_sd * rng.standard_normal()))
        hidden = self.hidden[number % len(self.hidden)].astype(float)
        noticed = with_detection(self.problem, min(detection, _MOST_CERTAIN / self._largest_chance()))
        return Truth(self, noticed, scale * level * hidden, FEARS[int(rng.integers(len(FEARS)))], alike_per_hour)

    def _largest_chance(self) -> float:
        return float(-np.expm1(-self.problem.hazard.max()))


@dataclass(frozen=True)
class Truth:
    """What happens, whatever is believed; with `alike_per_hour` every hour at any station finds as many."""

    world: World
    problem: DutyProblem
    trips: FloatArray
    courier: Courier
    alike_per_hour: float | None = None

    def expect(self, flow: Flow, shifts: tuple[Itinerary, ...]) -> FloatArray:
        """Finds of each stay."""
        if self.alike_per_hour is not None:
            steps = np.array([stay.last - stay.first for shift in shifts for stay in shift.stays])
            return self.alike_per_hour * steps * self.problem.rules.step_min / 60.0
        return np.asarray(credit_stays(self.problem, shifts, flow.share) @ (flow.to_patterns @ self.trips))

    @property
    def at_stations(self) -> FloatArray:
        return np.asarray(self.trips @ self.world.by_station(self.problem.hazard), dtype=float)


def make_north_yorkshire(data: Path, *, n_particles: int = N_PARTICLES, n_hidden: int = 40) -> World:
    """The real problem of a run, with draws of its posterior; hidden draws are of the same fit and never shown."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "north-yorkshire"
        make_workspace(root, data)
        settings = read_settings(root / "region.toml")
        inputs = read_inputs(root, settings)
    results = run_stages(inputs, settings, Recorder(lambda _: None))
    routes = list_route_sets(
        results.courier_flows, results.supply, others=results.others, change_share=results.change_share
    )
    coach = _plan_at_coach_stops(results.coach, settings.coaches)
    kept = _find_candidates(results, settings, coach, routes).kept
    problem = _lay_out(results, settings, inputs, routes, coach, kept)
    trips = _draw_trips(results, routes, n_particles + n_hidden)
    priors = results.fitted.estimate.posterior.priors
    return World(
        name="North Yorkshire",
        problem=problem,
        trips=trips[n_hidden:],
        # Trips of the routes are means, and the mean of a line's is above its middle.
        level_mean=-(priors.trips_per_line_sd**2) / 2.0,
        trips_sd=priors.trips_per_line_sd,
        detection_sd=priors.detection.sd,
        rules_of_thumb={
            name: values.reindex(list(problem.station_ids)).fillna(0.0).clip(lower=0.0).to_numpy(float)
            for name, values in _rules_of_thumb(results).items()
        },
        hidden=trips[:n_hidden],
    )


def _draw_trips(results: Results, routes: RouteSets, n: int) -> NDArray[np.float32]:
    """Trips a month by pair: more draws of the run's fit than a run keeps."""
    estimate = results.fitted.estimate
    draws = draw_posterior(estimate.posterior, n_draws=n, random_state=SEED, mode=estimate.mode)
    column = pd.Index(estimate.posterior.ways.flow_ids).get_indexer(pd.Index(routes.flow_ids))
    rng = np.random.default_rng(SEED)
    rows = [
        (chunk.rail[column] * chunk.lines).T.astype(np.float32)
        for chunk in share_draws(estimate.posterior, draws.theta, rng)
    ]
    drawn = np.concatenate(rows)[rng.permutation(n)]
    mean = drawn.mean(axis=0)
    factor = np.divide(drawn, mean, out=np.zeros_like(drawn), where=mean > 0)
    return np.asarray(routes.trips_per_month * factor, dtype=np.float32)


def plant_towns(world: World, *, spread: float) -> World:
    """The same with trips into each town times a gamma factor of this shape, as the planner knows they may be."""
    town = pd.factorize(pd.Index(world.problem.encounters.routes.flow_ids).str.rsplit(">", n=1).str[-1])[0]
    rng = np.random.default_rng(SEED)

    def spread_out(trips: NDArray[np.float32]) -> NDArray[np.float32]:
        factor = rng.gamma(spread, 1.0 / spread, (len(trips), town.max() + 1)).astype(np.float32)
        return np.asarray(trips * factor[:, town])

    return replace(world, name=f"{world.name}, planted", trips=spread_out(world.trips), hidden=spread_out(world.hidden))


def make_small(
    *,
    n_particles: int = 1000,
    n_hidden: int = 200,
    per_week: float = 200.0,
    spread: float = 0.6,
) -> World:
    """Nine stations on three lines, two teams, and trips by town that nobody can guess: gamma of shape `spread`."""
    rng = np.random.default_rng(SEED)
    stops = [line[: k + 1] for line in ("BC", "DEF", "GHIJ") for k in range(len(line))]
    trips = np.full(len(stops), per_week * DAYS_PER_MONTH / 7.0 / len(stops))
    routes = _small_routes(stops, trips)
    ids = list(routes.station_ids)
    at = {"B": (12, 3), "C": (25, 4), "D": (-8, 10), "E": (-16, 19), "F": (-25, 30)}
    at |= {"G": (2, -11), "H": (3, -22), "I": (5, -33), "J": (8, -35), "depot": (0, 0)}
    places = np.array([at[name] for name in [*ids, "depot"]], dtype=float)
    minutes = 4.0 + 0.8 * np.hypot(*(places[:, None] - places[None, : len(ids)]).transpose(2, 0, 1))
    problem = build_duty_problem(
        build_encounters(routes, ids, detection_share=0.2),
        _small_hours(ids),
        pd.DataFrame(minutes, index=[*ids, "depot"], columns=ids),
        [Team("Alpha", "depot"), Team("Bravo", "D")],
        DutyRules(),
    )
    factor = rng.gamma(spread, 1.0 / spread, (n_particles + n_hidden, len(trips)))
    drawn = (trips * factor).astype(np.float32)
    return World(
        name="small world",
        problem=problem,
        trips=drawn[n_hidden:],
        level_mean=0.0,
        trips_sd=0.3,
        detection_sd=0.4,
        rules_of_thumb={"most passengers": np.array([8.0, 5, 7, 6, 9, 10, 4, 3, 12])},
        hidden=drawn[:n_hidden],
        spread=spread,
    )


def _small_routes(stops: list[str], trips: FloatArray) -> RouteSets:
    """A train that stops everywhere, which four in five take, and the road."""
    ids = tuple(sorted(set("".join(stops))))
    called = np.concatenate([[ids.index(c) for c in text] for text in stops])
    n_stops = np.array([[len(text), 0] for text in stops]).ravel()
    role = np.concatenate([[*[StopRole.CALL] * (len(text) - 1), StopRole.ALIGHT] for text in stops]).astype(np.int8)
    cost = np.array([[30.0 + 8.0 * len(text), 50.0 + 8.0 * len(text)] for text in stops]).ravel()
    return RouteSets(
        flow_ids=tuple(f"{text}:{k:02d}" for k, text in enumerate(stops)),
        station_ids=ids,
        trips_per_month=trips,
        route_indptr=np.arange(0, 2 * len(stops) + 1, 2, dtype=np.int64),
        cost_min=cost,
        probability=np.tile([0.8, 0.2], len(stops)),
        is_road=np.tile([False, True], len(stops)),
        station_indptr=np.concatenate([[0], np.cumsum(n_stops)]).astype(np.int64),
        station_indices=called.astype(np.int32),
        role=role,
        platform_share=(role != StopRole.CALL).astype(float),
        listed_share=np.ones(len(stops)),
        spread_per_min=0.1,
    )


def _small_hours(ids: list[str]) -> pd.DataFrame:
    """Every station as busy by hour as the next, with two peaks; four trains an hour while trains run."""
    clock = np.arange(168) % 24
    runs = (clock >= SERVICE_FROM_H) & (clock < SERVICE_TO_H)
    share = runs * (1.0 + np.exp(-((clock - 11.0) ** 2) / 8.0) + 1.5 * np.exp(-((clock - 17.0) ** 2) / 8.0))
    share /= share.sum()
    table = pd.DataFrame(
        {
            "station_id": np.repeat(ids, 168),
            "hour_of_week": np.tile(np.arange(168), len(ids)),
            "week_share": np.tile(share, len(ids)),
            "n_trains": np.tile(4.0 * runs, len(ids)),
            "n_records": 0.0,
            "trips_per_month": 0.0,
            "hours_basis": HOURS_BASES[0],
        }
    ).astype({"station_id": "str", "hours_basis": "str"})
    names = table["station_id"] + ":" + table["hour_of_week"].astype("str")
    table.index = pd.Index(names, name="station_hour_id", dtype="str")
    return table
