"""
Results in, belief moves, next week's plan moves: `python -m benchmarks.loop`.

Twenty-six weeks against a hidden truth, in North Yorkshire on the real files, or with `--small` in a world made by
hand. Trips by pair, their level, the chance of noticing a courier and what couriers fear are drawn from what the
planner believes before the first week, and never shown to it. Each week each policy makes a roster under the same duty
rules, finds of its stays are Poisson, belief moves, and the next roster is made. "Couriers respond" means that they
know how often each journey was met at each time over the weeks so far.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import norm
from scipy.stats import t as student
from threadpoolctl import threadpool_limits

from benchmarks.evidence import Evidence, parser, peak_mib, stopwatch
from benchmarks.loop_weeks import (
    N_WEEKS,
    NOTED,
    Policy,
    Weeks,
    at_random,
    by_worth,
    fixed,
    greedy,
    oracle,
    thompson,
    work_weeks,
)
from benchmarks.loop_worlds import Truth, World, make_north_yorkshire, make_small, plant_towns
from models.evaluation import Comparison, estimate_plans, find_detectable_reduction, measure_power
from models.planning.roster import Roster, reply_best

FloatArray = NDArray[np.float64]

N_WORLDS, N_SMALL = 20, 8
LEARNING, GREEDY, LIST, MIX = "learning plan", "greedy on the mean", "fixed best list", "mix, never learns"
ANEW, KNOWS, RANDOM = "plans anew, never learns", "knows the truth", "stations at random"
_POWER = 0.8
# A thousand years: longer waits are told as never.
_LONGEST_WEEKS = 52_000.0
# What workers work on; set before they are forked, as a world is large.
_SET: list[World] = []


@dataclass(frozen=True)
class Task:
    """One hidden truth and how it is worked; `alike` finds as much in every hour, `scale` 0 has no couriers."""

    number: int
    responds: bool
    names: tuple[str, ...]
    alike: bool = False
    scale: float = 1.0


@dataclass(frozen=True)
class Outcome:
    """What each policy did in one truth, and what the learning plan's log says of it beside the list."""

    weeks: dict[str, Weeks]
    compared: Comparison | None


def main() -> int:
    options = parser(__doc__ or "")
    options.add_argument("--small", action="store_true", help="a small world in place of North Yorkshire")
    options.add_argument("--worlds", type=int, default=None, help="hidden truths of each study")
    options.add_argument("--workers", type=int, default=2, help="processes")
    chosen = options.parse_args()
    evidence = Evidence("loop")
    with stopwatch() as took:
        if chosen.small:
            n_worlds = chosen.worlds or N_SMALL
            study(evidence, make_small(), n_worlds, 2 * n_worlds, chosen.workers)
        elif (chosen.data / "rail" / "rail_heavy.geojson").is_file():
            n_worlds = chosen.worlds or N_WORLDS
            world = make_north_yorkshire(chosen.data)
            study(evidence, world, n_worlds, n_worlds, chosen.workers)
            planted = plant_towns(world, spread=0.4)
            run_study(evidence, planted, n_worlds, chosen.workers, (LEARNING, GREEDY, LIST, KNOWS), responds=False)
        else:
            evidence.skip("North Yorkshire", f"no railway in {chosen.data.name!r}")
    evidence.add("this benchmark", took[0], "s", seconds=took[0], peak_mib=peak_mib())
    evidence.write(chosen.json)
    return 0


def study(evidence: Evidence, world: World, n_worlds: int, n_alike: int, workers: int) -> None:
    """All policies, with couriers that stay as they are and that respond, and worlds without anything to find."""
    names = (LEARNING, GREEDY, MIX, LIST, *world.rules_of_thumb, RANDOM, KNOWS)
    run_study(evidence, world, n_worlds, workers, names, responds=False)
    # Where couriers stay as they are, to plan anew without learning is the fixed list.
    run_study(evidence, world, n_worlds, workers, (*names, ANEW), responds=True)
    report_alike(evidence, world, n_alike, workers)
    report_nobody(evidence, world)


def run_study(
    evidence: Evidence, world: World, n_worlds: int, workers: int, names: tuple[str, ...], *, responds: bool
) -> None:
    where = f"{world.name}, couriers {'respond' if responds else 'stay as they are'}"
    with stopwatch() as took:
        outcomes = work_all(world, [Task(k, responds, names) for k in range(n_worlds)], workers)
    report_met(evidence, where, outcomes, names, took[0])
    report_regret(evidence, where, outcomes, names)
    report_beliefs(evidence, where, outcomes)
    report_log(evidence, where, outcomes)
    report_power(evidence, where, outcomes)


def work_all(world: World, tasks: list[Task], workers: int) -> list[Outcome]:
    """Every task, in order; the same whatever the number of workers."""
    world.base, world.stations_by_pair  # noqa: B018 - made once, before the fork
    _SET[:] = [world]
    if workers < 2:
        return [work_task(task) for task in tasks]
    with ProcessPoolExecutor(workers, mp_context=get_context("fork")) as pool:
        return list(pool.map(work_task, tasks))


def work_task(task: Task) -> Outcome:
    world = _SET[0]
    with threadpool_limits(1):
        best = reply_best(world.problem)
        truth = world.truth(task.number, scale=task.scale)
        if task.alike:
            hours = sum(stay.last - stay.first for shift in best.shifts for stay in shift.stays)
            met = float((world.trips @ world.stays_by_pair(world.base, best.shifts)).sum(axis=1).mean())
            alike = met / (hours * world.problem.rules.step_min / 60.0)
            truth = world.truth(task.number, alike_per_hour=alike)
        weeks = {
            name: work_weeks(
                world,
                truth,
                make_policy(name, world, truth, best, responds=task.responds),
                responds=task.responds,
                seed=task.number,
                target=best,
            )
            for name in task.names
        }
        learned = weeks.get(LEARNING)
        compared = None
        if learned is not None:
            compared = estimate_plans(pd.concat(learned.cells), pd.concat(learned.visits, ignore_index=True))
            learned.cells, learned.visits = [], []
        if GREEDY in weeks:
            weeks[GREEDY].cells, weeks[GREEDY].visits = [], []
    return Outcome(weeks, compared)


def make_policy(name: str, world: World, truth: Truth, best: Roster, *, responds: bool) -> Policy:
    if name in world.rules_of_thumb:
        return fixed(by_worth(world, world.rules_of_thumb[name]), name)
    made = {
        LEARNING: lambda: thompson(name=name),
        GREEDY: lambda: greedy(name),
        ANEW: lambda: greedy(name, learns=False),
        MIX: lambda: thompson(1, learns=False, name=name),
        LIST: lambda: fixed(best, name),
        RANDOM: lambda: at_random(name),
        KNOWS: lambda: oracle(truth, best, name, responds=responds),
    }
    return made[name]()


def mean_with_interval(values: FloatArray) -> tuple[float, tuple[float, float]]:
    """Mean over truths and its 90 % interval."""
    reach = float(student.ppf(0.95, len(values) - 1)) * float(values.std(ddof=1)) / np.sqrt(len(values))
    mean = float(values.mean())
    return mean, (mean - reach, mean + reach)


def totals(outcomes: list[Outcome], name: str) -> FloatArray:
    return np.array([outcome.weeks[name].met.sum() for outcome in outcomes])


def report_met(evidence: Evidence, where: str, outcomes: list[Outcome], names: tuple[str, ...], seconds: float) -> None:
    listed = totals(outcomes, LIST)
    for name in names:
        met = totals(outcomes, name)
        mean, interval = mean_with_interval(met)
        evidence.add(
            f"{where}: couriers met in {N_WEEKS} weeks, {name}",
            mean,
            "couriers",
            interval=interval,
            n=len(met),
            note=f"5 to 95 % of truths {np.quantile(met, 0.05):.3g} to {np.quantile(met, 0.95):.3g}",
            seconds=seconds if name == names[0] else None,
        )
    for name in names:
        if name != LIST:
            met = totals(outcomes, name)
            gain, interval = mean_with_interval(met - listed)
            evidence.add(
                f"{where}: {name} less the fixed best list",
                gain,
                "couriers",
                interval=interval,
                n=len(met),
                note=f"{gain / listed.mean():+.1%} of the list's; median {np.median(met / listed) - 1:+.1%}; more in "
                f"{int((met > listed).sum())} of {len(met)}",
            )


def report_regret(evidence: Evidence, where: str, outcomes: list[Outcome], names: tuple[str, ...]) -> None:
    for name in names:
        if name == KNOWS:
            continue
        lost = np.array([o.weeks[KNOWS].met - o.weeks[name].met for o in outcomes])
        best = np.array([o.weeks[KNOWS].met for o in outcomes])
        mean, interval = mean_with_interval(lost.sum(axis=1))
        evidence.add(
            f"{where}: regret of {N_WEEKS} weeks, {name}",
            mean,
            "couriers",
            interval=interval,
            n=len(lost),
            note=f"{lost.sum() / best.sum():.1%} of what who knows the truth meets; first four weeks "
            f"{lost[:, :4].sum() / best[:, :4].sum():.1%}, last four {lost[:, -4:].sum() / best[:, -4:].sum():.1%}",
        )


def report_beliefs(evidence: Evidence, where: str, outcomes: list[Outcome]) -> None:
    for name in (LEARNING, GREEDY):
        weeks = [outcome.weeks[name] for outcome in outcomes]
        for what, unit, errors in (
            ("level of finds", "mean error of its logarithm", np.array([w.level_error for w in weeks])),
            ("stations beside each other", "root mean square error of logarithms", [w.share_error for w in weeks]),
        ):
            by_week = np.asarray(errors)
            mean, interval = mean_with_interval(by_week[:, -1])
            evidence.add(
                f"{where}: belief of the {what} after {N_WEEKS} weeks, {name}",
                mean,
                unit,
                baseline={"name": "before the first", "figure": round(float(by_week[:, 0].mean()), 3)},
                interval=interval,
                n=len(weeks),
                note=", ".join(f"week {k} {by_week[:, k].mean():.3f}" for k in NOTED),
            )
    learned = [outcome.weeks[LEARNING] for outcome in outcomes]
    below = np.array([w.believed_below for w in learned])
    held = ((below >= 0.05) & (below <= 0.95)).mean(axis=0)
    evidence.add(
        f"{where}: truths inside the 90 % belief of what the list yields, after {N_WEEKS} weeks",
        float(held[-1]),
        "share",
        baseline={"name": "nominal", "figure": 0.9},
        n=len(below),
        note=", ".join(f"week {k} {held[k]:.2f}" for k in NOTED)
        + f"; draws that the weighted ones are worth, least {min(np.nanmin(w.n_effective) for w in learned):.0f}",
    )


def _held(outcomes: list[Outcome]) -> tuple[list[Comparison], NDArray[np.bool_], FloatArray]:
    """Comparisons, whether the interval of each holds the true difference of an hour, and that difference."""
    told = [outcome.compared for outcome in outcomes if outcome.compared is not None]
    true = []
    for outcome, found in zip(outcomes, told, strict=True):
        weeks = outcome.weeks[LEARNING]
        hours = [N_WEEKS * told.team_hours_per_week for told in (found.drawn, found.target)]
        true.append(weeks.drawn / hours[0] - weeks.target / hours[1])
    gaps = np.array(true)
    held = np.array(
        [g.gain.finds_per_hour_low <= gap <= g.gain.finds_per_hour_high for g, gap in zip(told, gaps, strict=True)]
    )
    return told, held, gaps


def report_log(evidence: Evidence, where: str, outcomes: list[Outcome]) -> None:
    told, held, gaps = _held(outcomes)
    evidence.add(
        f"{where}: doubly robust intervals of learning less list that hold the true difference",
        float(held.mean()),
        "share",
        baseline={"name": "nominal", "figure": 0.9},
        n=len(held),
        note=f"finds for 100 team-hours: estimated {100 * np.mean([c.gain.finds_per_hour for c in told]):.3g}, true "
        f"{100 * gaps.mean():.3g}, standard error {100 * np.mean([c.gain.finds_per_hour_error for c in told]):.3g}; "
        f"of the list's hours {np.mean([c.covered_share for c in told]):.3f} are covered (least "
        f"{min(c.covered_share for c in told):.3f}); visits {np.mean([c.n_visits for c in told]):.0f}, worth "
        f"{np.mean([c.n_effective for c in told]):.0f}",
    )


def report_power(evidence: Evidence, where: str, outcomes: list[Outcome]) -> None:
    """Weeks until the plan's gain over the list would mostly be told, by the log and by counts of weeks of each."""
    told, _, _ = _held(outcomes)
    last = slice(-N_WEEKS // 2, None)
    learned = np.mean([o.weeks[LEARNING].met[last].mean() for o in outcomes])
    listed = np.mean([o.weeks[LIST].met[last].mean() for o in outcomes])
    hours = np.mean([c.drawn.team_hours_per_week for c in told])
    gain = float(learned - listed)
    spread = float(np.sqrt(np.mean([c.gain.finds_per_hour_error**2 for c in told]) * N_WEEKS) * hours)
    quantiles = float(norm.ppf(0.95) + norm.ppf(_POWER))
    note = f"{learned:.3g} against {listed:.3g} finds a week over the last {N_WEEKS // 2} weeks"
    smallest = find_detectable_reduction({"treated": N_WEEKS * float(listed)}, power=_POWER)
    evidence.add(
        f"{where}: least drop in finds that {N_WEEKS} weeks of each would mostly show",
        "none" if smallest is None else float(smallest),
        "share",
        note=f"power {_POWER}, one-sided 5 %, {listed:.3g} finds a week",
    )
    evidence.add(
        f"{where}: weeks until the log would mostly tell the gain",
        _weeks_or_never((quantiles * spread / gain) ** 2 if gain > 0 else np.inf),
        "weeks",
        note=f"{note}; power {_POWER}, one-sided 5 %; standard deviation of a week's difference {spread:.3g}",
    )

    def short_of(n_weeks: float) -> float:
        counts = {"treated": n_weeks * float(learned)}
        return measure_power(counts, reduction_share=min(gain / float(learned), 1.0)) - _POWER

    is_told = gain > 0 and short_of(_LONGEST_WEEKS) > 0
    evidence.add(
        f"{where}: weeks of each, set one against the other by their counts",
        _weeks_or_never(float(brentq(short_of, 0.01, _LONGEST_WEEKS)) if is_told else np.inf),
        "weeks",
        note=note,
    )


def _weeks_or_never(weeks: float) -> float | str:
    return weeks if weeks < _LONGEST_WEEKS else "never"


def report_alike(evidence: Evidence, world: World, n_worlds: int, workers: int) -> None:
    """Every hour at any station finds as much, which the planner does not believe: no plan is better than another."""
    tasks = [Task(k, responds=False, names=(LEARNING,), alike=True) for k in range(n_worlds)]
    with stopwatch() as took:
        outcomes = work_all(world, tasks, workers)
    told = [outcome.compared for outcome in outcomes if outcome.compared is not None]
    held = np.array([c.gain.finds_per_hour_low <= 0 <= c.gain.finds_per_hour_high for c in told])
    evidence.add(
        f"{world.name}, all stations alike: doubly robust intervals of learning less list that hold 0",
        float(held.mean()),
        "share",
        baseline={"name": "nominal", "figure": 0.9},
        n=len(held),
        seconds=took[0],
        note=f"finds for 100 team-hours: estimated {100 * np.mean([c.gain.finds_per_hour for c in told]):.3g} of "
        f"{100 * np.mean([c.drawn.finds_per_hour for c in told]):.3g}, standard error "
        f"{100 * np.mean([c.gain.finds_per_hour_error for c in told]):.3g}; covered "
        f"{np.mean([c.covered_share for c in told]):.3f}",
    )


def report_nobody(evidence: Evidence, world: World) -> None:
    """No courier at all."""
    outcome = work_all(world, [Task(0, responds=True, names=(LEARNING, GREEDY), scale=0.0)], 1)[0]
    gain = outcome.compared.gain if outcome.compared is not None else None
    evidence.add(
        f"{world.name}, no couriers: finds of {N_WEEKS} weeks",
        int(outcome.weeks[LEARNING].n_finds.sum()),
        "finds",
        note="no interval"
        if gain is None
        else "interval of learning less list, finds for 100 team-hours: "
        f"{100 * gain.finds_per_hour_low:.3g} to {100 * gain.finds_per_hour_high:.3g}",
    )


if __name__ == "__main__":
    sys.exit(main())
