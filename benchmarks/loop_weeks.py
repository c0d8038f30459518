"""Weeks of `benchmarks.loop`: a roster is drawn, couriers are met, belief moves, and the next week is planned on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.loop_beliefs import Belief
from benchmarks.loop_worlds import Flow, Truth, World
from models.planning.problem.shifts import SERVICE_FROM_H, SERVICE_TO_H
from models.planning.roster import Courier, Roster, measure_watched, reply_best, respond_to
from models.planning.roster.yields import credit_stays

FloatArray = NDArray[np.float64]
# What a policy sees: the world, what is believed, where couriers are thought to go, and chance. It gives a pool.
Planner = Callable[[World, Belief, Flow, np.random.Generator], tuple[Roster, ...]]

N_WEEKS = 26
N_POOL = 3
# Weeks before which it is noted how far belief is from the truth.
NOTED = (0, 4, 13, N_WEEKS)


@dataclass(frozen=True)
class Policy:
    """How rosters are made; the pool of one that is fixed never changes."""

    name: str
    plan: Planner
    learns: bool = False
    is_fixed: bool = False


@dataclass
class Weeks:
    """What happened: couriers met as expected under the truth, finds, beliefs, and a log with its chances."""

    met: FloatArray
    n_finds: NDArray[np.int64]
    level_error: FloatArray
    share_error: FloatArray
    believed_below: FloatArray
    n_effective: FloatArray
    cells: list[pd.DataFrame] = field(default_factory=list)
    visits: list[pd.DataFrame] = field(default_factory=list)
    # What the pool, and the target where the pool could be, would truly yield over all weeks.
    drawn: float = 0.0
    target: float = 0.0


def fixed(roster: Roster, name: str) -> Policy:
    return Policy(name, lambda *_: (roster,), is_fixed=True)


def thompson(n_pool: int = N_POOL, *, beside: tuple[Roster, ...] = (), learns: bool = True, name: str) -> Policy:
    """Best replies to draws of what is believed, where couriers are thought to go; `beside` joins the pool."""

    def plan(world: World, belief: Belief, flow: Flow, rng: np.random.Generator) -> tuple[Roster, ...]:
        moved = world.moved(flow)
        trips = belief.trips[belief.draw(rng, n_pool)]
        return (*(reply_best(moved, flow.to_patterns @ row.astype(float), n_passes=1) for row in trips), *beside)

    return Policy(name, plan, learns=learns)


def greedy(name: str, *, learns: bool = True) -> Policy:
    """The best reply to the mean of what is believed, where couriers are thought to go."""

    def plan(world: World, belief: Belief, flow: Flow, _: np.random.Generator) -> tuple[Roster, ...]:
        return (reply_best(world.moved(flow), flow.to_patterns @ belief.mean_trips(), n_passes=1),)

    return Policy(name, plan, learns=learns)


def oracle(truth: Truth, beside: Roster, name: str, *, responds: bool) -> Policy:
    """The best reply to the truth, or the roster beside it where that is better; not fooled by chance, never learns."""

    def plan(_: World, __: Belief, flow: Flow, ___: np.random.Generator) -> tuple[Roster, ...]:
        known = replace(truth.problem, share=flow.share)
        reply = reply_best(known, flow.to_patterns @ truth.trips)
        return (max(reply, beside, key=lambda roster: float(truth.expect(flow, roster.shifts).sum())),)

    return Policy(name, plan, is_fixed=not responds)


def at_random(name: str) -> Policy:
    """Wherever chance sends them, under the same rules."""

    def plan(world: World, _: Belief, __: Flow, rng: np.random.Generator) -> tuple[Roster, ...]:
        return (by_worth(world, rng.random(len(world.problem.station_ids))),)

    return Policy(name, plan)


def by_worth(world: World, worth: FloatArray) -> Roster:
    """The roster by what an hour at a station is worth by a rule of thumb, which knows no more of the hour."""
    hour = np.arange(len(world.problem.share)) * world.problem.rules.step_min / 60.0 % 24.0
    runs = (hour >= SERVICE_FROM_H) & (hour < SERVICE_TO_H)
    return reply_best(world.problem, values=runs[:, None] * (worth / worth.max()))


def draw_one(pool: tuple[Roster, ...], rng: np.random.Generator) -> Roster:
    """One of the pool, each as likely."""
    return pool[int(rng.integers(len(pool)))]


def work_weeks(
    world: World, truth: Truth, policy: Policy, *, responds: bool, seed: int, n_weeks: int = N_WEEKS, target: Roster
) -> Weeks:
    """Work one policy through the weeks; `target` is the roster that its log is asked about."""
    rng = np.random.default_rng([seed, n_weeks])
    belief, problem, told = Belief(world), world.problem, _blank(n_weeks)
    of_target = world.stays_by_pair(world.base, target.shifts).sum(axis=1)
    target_truth = float(truth.expect(world.base, target.shifts).sum())
    known = np.zeros_like(problem.share)
    for week in range(n_weeks):
        if policy.learns and week in NOTED:
            _note(told, week, belief, truth, of_target, target_truth)
        if policy.is_fixed and week >= 2:
            # What couriers know of it is settled.
            told.met[week] = told.met[week - 1]
            told.n_finds[week] = rng.poisson(told.met[week])
            continue
        planned = world.flow(respond_to(problem, known, Courier())) if responds else world.base
        actual = world.flow(respond_to(problem, known, truth.courier)) if responds else world.base
        pool = policy.plan(world, belief, planned, rng)
        roster = draw_one(pool, rng)
        expected = truth.expect(actual, roster.shifts)
        finds = rng.poisson(expected)
        told.met[week], told.n_finds[week] = expected.sum(), finds.sum()
        if policy.learns:
            trips = planned.to_patterns @ belief.mean_trips()
            told.cells.append(list_cells(world, planned, week, pool, target, trips))
            told.visits.append(list_stays(world, planned, week, roster, trips).assign(n_finds=finds))
            told.drawn += float(np.mean([truth.expect(actual, r.shifts).sum() for r in pool]))
            told.target += _met_where_covered(told.cells[-1], truth.expect(actual, target.shifts), target, week, world)
            belief.learn(world.stays_by_pair(planned, roster.shifts), finds)
        if responds:
            known += (measure_watched(problem, roster.shifts) - known) / (week + 1)
    if policy.learns:
        _note(told, n_weeks, belief, truth, of_target, target_truth)
    return told


def _blank(n_weeks: int) -> Weeks:
    beliefs = [np.full(n_weeks + 1, np.nan) for _ in range(4)]
    return Weeks(np.full(n_weeks, np.nan), np.zeros(n_weeks, dtype=np.int64), *beliefs)


def _met_where_covered(cells: pd.DataFrame, met: FloatArray, target: Roster, week: int, world: World) -> float:
    names = [name_cell(world, week, shift.place, stay.station) for shift in target.shifts for stay in shift.stays]
    return float(met[(cells["chance"].reindex(names) > 0).to_numpy()].sum())


def _note(told: Weeks, week: int, belief: Belief, truth: Truth, of_target: FloatArray, target_truth: float) -> None:
    """How far belief is from the truth: of the level, and of the stations beside each other."""
    if truth.alike_per_hour is not None or not truth.trips.any():
        return
    world = belief.world
    believed, true = belief.mean_trips() @ world.stations_by_pair, truth.at_stations
    weight = world.problem.encounters.routes.trips_per_month @ world.stations_by_pair
    told.level_error[week] = abs(np.log(float(believed.sum()) / float(true.sum())))
    gap = np.log(np.maximum(believed, 1e-9) / believed.sum()) - np.log(np.maximum(true, 1e-9) / true.sum())
    told.share_error[week] = float(np.sqrt(weight @ gap**2 / weight.sum()))
    told.believed_below[week] = belief.quantile_of(belief.trips @ of_target, target_truth)
    told.n_effective[week] = belief.n_effective


def name_cell(world: World, week: int, place: int, station: int) -> str:
    return f"{week}:{place}:{world.problem.station_ids[station]}"


def list_cells(
    world: World, flow: Flow, week: int, pool: tuple[Roster, ...], target: Roster, trips: FloatArray
) -> pd.DataFrame:
    """Cells of a week (station and shift of a day) with their chances, as `models.evaluation` reads them."""
    rosters = [_sum_cells(list_stays(world, flow, week, r, trips)) for r in pool]
    drawn = pd.concat(rosters).groupby(level=0)
    wanted = _sum_cells(list_stays(world, flow, week, target, trips))
    index = drawn.size().index.union(wanted.index)
    hours, predicted = (drawn[name].mean().reindex(index).fillna(0.0) for name in ("n_hours", "n_predicted"))
    wanted = wanted.reindex(index)
    return pd.DataFrame(
        {
            "week": week,
            "predicted_per_hour": (predicted / hours).fillna(0.0),
            "chance": drawn.size().reindex(index).fillna(0.0) / len(pool),
            "hours": hours,
            "target_chance": wanted["n_hours"].notna().astype(float),
            "target_hours": wanted["n_hours"].fillna(0.0),
            "target_predicted_per_hour": (wanted["n_predicted"] / wanted["n_hours"]).fillna(0.0),
        },
        index=index,
    )


def _sum_cells(stays: pd.DataFrame) -> pd.DataFrame:
    return stays.groupby("cell_id")[["n_hours", "n_predicted"]].sum()


def list_stays(world: World, flow: Flow, week: int, roster: Roster, trips: FloatArray) -> pd.DataFrame:
    """Cell, hours and predicted finds of every stay."""
    problem = world.problem
    stays = [(shift.place, stay) for shift in roster.shifts for stay in shift.stays]
    return pd.DataFrame(
        {
            "cell_id": [name_cell(world, week, place, stay.station) for place, stay in stays],
            "n_hours": [(stay.last - stay.first) * problem.rules.step_min / 60.0 for _, stay in stays],
            "n_predicted": credit_stays(problem, roster.shifts, flow.share) @ trips,
        }
    )
