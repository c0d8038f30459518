"""
The duty plan, whole: from a problem on the grid to a week's roster, its yield, and where it departs from the list.

1. Rosters are mixed against couriers who respond, on draws of the posterior, and one is drawn (`mixing`).
2. It is judged beside the best fixed roster and the rules of thumb, which keep the same rules (`yields`).
3. What other teams, hours or chances of noticing a courier would change is found in the same way.
4. Each departure from the list of stations is explained (`agreement`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.planning.evaluation.judging import Judgement, measure_residual
from models.planning.problem.shifts import SERVICE_FROM_H, SERVICE_TO_H
from models.planning.roster.agreement import compare_with_list
from models.planning.roster.cells import tabulate_cells
from models.planning.roster.couriers import Courier, respond_to
from models.planning.roster.duty_rules import name_again
from models.planning.roster.duty_tables import tabulate_duties, tabulate_stays
from models.planning.roster.itineraries import Itinerary
from models.planning.roster.meeting import Roster, measure_met, measure_watched
from models.planning.roster.mixing import Mix, measure_guess, measure_propensity, mix_rosters
from models.planning.roster.problem import DutyProblem
from models.planning.roster.replies import bound_rosters, reply_best
from models.planning.roster.yields import (
    FlowDraws,
    Watch,
    measure_duty_hours,
    measure_stay_trips,
    measure_yields,
    with_detection,
)

__all__ = [
    "AS_PLANNED",
    "AT_RANDOM",
    "BEST_FIXED",
    "SUCH_WEEKS",
    "THIS_WEEK",
    "DutyPlan",
    "DutySummary",
    "WhatIf",
    "make_duty_plan",
    "measure_what_ifs",
]

FloatArray = NDArray[np.float64]

N_WHAT_IF_ROUNDS = 5
_N_RANDOM = 10
# Names of the rows.
THIS_WEEK, SUCH_WEEKS, AS_PLANNED = "this week", "weeks like it", "as planned"
BEST_FIXED, AT_RANDOM = "best fixed roster", "stations at random"


@dataclass(frozen=True)
class DutySummary:
    """
    The plan in numbers; shares are of all rail trips of its days, before couriers respond.

    Attributes
    ----------
    n_teams, n_days, n_slots, n_duties : int
        Teams, days, shifts of those days, and team shifts worked.
    team_hours : float
        Hours on duty of all teams.
    rail_trips_per_month, unlisted_share : float
        Trips (or harm) by rail, and the share of them on ways that the listed routes only stand for.
    met_share, met_share_evading : float
        Met by this week's roster, before and after couriers respond to weeks like it.
    to_road_share, unmet_rail_share : float
        Where the rest is after the response: on the road, and by rail unmet.
    best_share, bound_share, gap_share : float
        The best fixed roster found, what no roster under these rules can exceed, and how far apart these are.
    guess_share : float
        How often the likeliest station of a shift is worked: 1 for a fixed list.
    settled_trips : float
        Trips a week by which the last round changed what the mix meets.
    random_state : int
        Seed of the roster.
    """

    n_teams: int
    n_days: int
    n_slots: int
    n_duties: int
    team_hours: float
    rail_trips_per_month: float
    unlisted_share: float
    met_share: float
    met_share_evading: float
    to_road_share: float
    unmet_rail_share: float
    best_share: float
    bound_share: float
    gap_share: float
    guess_share: float
    settled_trips: float
    random_state: int


@dataclass(frozen=True)
class DutyPlan:
    """
    A week's roster and all that it was judged by.

    Attributes
    ----------
    table : pandas.DataFrame
        Table `geo.tables.PLAN`, a row a stay.
    duties : pandas.DataFrame
        Table `geo.tables.DUTIES`.
    yields : pandas.DataFrame
        By ``plan``, as `models.planning.roster.yields.measure_yields`: this week, weeks like it, the best fixed roster
        and the rules of thumb.
    what_ifs : pandas.DataFrame
        By ``plan``, the same columns, for other teams, hours and chances.
    agreement : pandas.DataFrame
        By ``station_id``, as `models.planning.roster.agreement.compare_with_list`.
    residual : pandas.DataFrame
        By ``station_id``, flow before and after, as `models.planning.evaluation.judging.measure_residual`, and
        ``coverage``, the share of shifts on which it is worked in weeks like this.
    summary : DutySummary
        In numbers.
    problem : DutyProblem
        What it was made on.
    mix : Mix
        Rosters from which this week's was drawn.
    cells : pandas.DataFrame
        What the draw could have done, as `models.planning.roster.cells.tabulate_cells`, to judge results by.
    """

    table: pd.DataFrame
    duties: pd.DataFrame
    yields: pd.DataFrame
    what_ifs: pd.DataFrame
    agreement: pd.DataFrame
    residual: pd.DataFrame
    summary: DutySummary
    problem: DutyProblem
    mix: Mix
    cells: pd.DataFrame


def make_duty_plan(
    problem: DutyProblem,
    *,
    names: pd.Series,
    tiers: pd.Series,
    rules_of_thumb: Mapping[str, pd.Series],
    draws: FlowDraws | None,
    random_state: int,
    first_on: date | None = None,
    n_rounds: int,
    why_not: dict[str, str] | None = None,
) -> DutyPlan:
    """
    Make the plan of a week.

    Parameters
    ----------
    problem : DutyProblem
        Flow, teams and rules.
    names, tiers : pandas.Series
        Name and tier by ``station_id``, names of bases among them.
    rules_of_thumb : mapping of str to pandas.Series
        Rules that the roster is set beside: what an hour at a station is worth by them, by ``station_id``.
    draws : FlowDraws or None
        Draws of the posterior, to learn from and for the intervals.
    random_state : int
        Seed.
    first_on : datetime.date, optional
        First day.
    n_rounds : int
        Rounds of the mix.
    why_not : dict of str to str, optional
        Why a station cannot be worked, by ``station_id``.

    Returns
    -------
    DutyPlan
        The same for the same arguments.

    Raises
    ------
    UsageError
        If a must visit cannot be kept.
    """
    rules = _follow_rules(problem, rules_of_thumb)
    best = _find_best(problem, rules)
    mix = mix_rosters(
        problem,
        random_state=random_state,
        trip_draws=None if draws is None else draws.trips,
        also=(best,),
        n_rounds=n_rounds,
    )
    plans = _plans_beside(problem, mix, best, rules, random_state)
    yields = measure_yields(problem, plans, draws)
    propensity = measure_propensity(problem, mix)
    table = tabulate_stays(
        problem,
        mix.roster,
        measure_stay_trips(problem, mix.roster.shifts, mix.watched, draws),
        propensity,
        names=names,
        tiers=tiers,
        first_on=first_on,
    )
    residual, judged = _judge(problem, plans[THIS_WEEK], yields)
    worked = pd.Series(propensity.mean(axis=0), index=list(problem.station_ids))
    return DutyPlan(
        table=table,
        duties=tabulate_duties(problem, mix.roster, names=names, first_on=first_on),
        yields=yields,
        what_ifs=measure_what_ifs(_change(problem, draws, tiers), random_state=random_state),
        agreement=compare_with_list(problem, mix, names=names, tiers=tiers, why_not=why_not),
        residual=residual.assign(coverage=worked.reindex(residual.index).fillna(0.0)),
        summary=_summarise(problem, mix, best, judged, yields, propensity, random_state),
        problem=problem,
        mix=mix,
        cells=tabulate_cells(problem, mix, best),
    )


class WhatIf(NamedTuple):
    """Other teams, hours, rules or chances, and the draws that go with them."""

    problem: DutyProblem
    draws: FlowDraws | None


def measure_what_ifs(changed: Mapping[str, WhatIf], *, random_state: int) -> pd.DataFrame:
    """
    Measure what weeks under other teams, hours, rules or chances would yield.

    Parameters
    ----------
    changed : mapping of str to WhatIf
        By name.
    random_state : int
        Seed.

    Returns
    -------
    pandas.DataFrame
        By ``plan``, in the order given, as `models.planning.roster.yields.measure_yields`; what is gained or lost
        beside the first is left out.
    """
    rows = []
    for name, (problem, draws) in changed.items():
        mix = mix_rosters(
            problem,
            random_state=random_state,
            trip_draws=None if draws is None else draws.trips,
            n_rounds=N_WHAT_IF_ROUNDS,
        )
        hours = float(np.mean([measure_duty_hours(problem, roster.shifts) for roster in mix.rosters]))
        rows.append(measure_yields(problem, {name: Watch(mix.watched, mix.watched, hours)}, draws))
    table = pd.concat(rows)
    return table[[column for column in table.columns if not column.startswith("gain")]]


def _change(problem: DutyProblem, draws: FlowDraws | None, tiers: pd.Series) -> dict[str, WhatIf]:
    """What a superintendent asks next."""
    teams = problem.teams
    twice = list(teams)
    for team in teams:
        twice.append(replace(team, name=name_again(team.name, {other.name for other in twice})))
    listed = tiers[tiers.isin(["A", "B"])].index
    changed = {AS_PLANNED: WhatIf(problem, draws), "twice the teams": WhatIf(problem.with_teams(twice), draws)}
    for words, factor in (("half", 0.5), ("twice", 2.0)):
        seen = None if draws is None else draws.with_detection(factor)
        changed[f"{words} the chance of noticing a courier"] = WhatIf(with_detection(problem, factor), seen)
    if not problem.rules.must_visit and len(problem.rules.built) > 1:
        for shift in problem.rules.built:
            alone = replace(problem.rules, shifts=(shift,))
            changed[f"the {shift.name} shift alone"] = WhatIf(problem.with_teams(teams, alone), draws)
    if set(problem.station_ids) & set(listed) and not set(problem.rules.must_visit) - set(listed):
        changed["tiers A and B alone"] = WhatIf(problem.keep_to(listed), draws)
    return changed


def _follow_rules(problem: DutyProblem, rules_of_thumb: Mapping[str, pd.Series]) -> dict[str, Roster]:
    """The roster of each rule of thumb."""
    ids = list(problem.station_ids)
    in_service = _in_service(problem)
    found = {}
    for name, values in rules_of_thumb.items():
        worth = values.reindex(ids).fillna(0.0).clip(lower=0.0).to_numpy(float)
        if worth.max() > 0:
            found[name] = reply_best(problem, values=in_service * (worth / worth.max()))
    return found


def _find_best(problem: DutyProblem, rules: Mapping[str, Roster]) -> Roster:
    """The best of the rosters that no team alone can better, begun from nothing and from each rule of thumb."""
    found = [reply_best(problem), *(reply_best(problem, start=roster) for roster in rules.values()), *rules.values()]
    return max(found, key=lambda roster: float(problem.weekly @ measure_met(problem, roster.shifts)))


def _plans_beside(
    problem: DutyProblem, mix: Mix, best: Roster, rules: Mapping[str, Roster], random_state: int
) -> dict[str, Watch]:
    mean_hours = float(np.mean([measure_duty_hours(problem, roster.shifts) for roster in mix.rosters]))
    plans = {
        THIS_WEEK: _watch(problem, mix.roster.shifts, mix.watched),
        SUCH_WEEKS: Watch(mix.watched, mix.watched, mean_hours),
        BEST_FIXED: _watch(problem, best.shifts),
    }
    plans |= {name: _watch(problem, roster.shifts) for name, roster in rules.items()}
    plans[AT_RANDOM] = _at_random(problem, _in_service(problem), random_state)
    return plans


def _at_random(problem: DutyProblem, in_service: FloatArray, random_state: int) -> Watch:
    """The mean of rosters that go wherever chance sends them, under the same rules."""
    rng = np.random.default_rng(random_state)
    watched, hours = np.zeros_like(problem.share), 0.0
    for _ in range(_N_RANDOM):
        values = in_service * rng.random(in_service.shape[1])
        shifts = reply_best(problem, values=values).shifts
        watched += measure_watched(problem, shifts) / _N_RANDOM
        hours += measure_duty_hours(problem, shifts) / _N_RANDOM
    return Watch(watched, watched, hours)


def _in_service(problem: DutyProblem) -> FloatArray:
    """1 for the steps in which trains run, for every station; rules of thumb know no more of the hour."""
    hour = np.arange(len(problem.share)) * problem.rules.step_min / 60.0 % 24.0
    runs = (hour >= SERVICE_FROM_H) & (hour < SERVICE_TO_H)
    return np.repeat(runs.astype(float)[:, None], len(problem.station_ids), axis=1)


def _watch(problem: DutyProblem, shifts: tuple[Itinerary, ...], known: FloatArray | None = None) -> Watch:
    watched = measure_watched(problem, shifts)
    return Watch(watched, watched if known is None else known, measure_duty_hours(problem, shifts))


def _judge(problem: DutyProblem, plan: Watch, yields: pd.DataFrame) -> tuple[pd.DataFrame, Judgement]:
    """Flow past each station before and after the response, and where it goes."""
    answer = respond_to(problem, plan.known, Courier())
    known = problem.days_share
    met = np.divide((problem.share * plan.watched).sum(axis=0), known, out=np.zeros_like(known), where=known > 0)
    to_road, after = float(yields["to_road_share"].iloc[0]), float(yields["met_share_evading"].iloc[0])
    judged = Judgement(
        met, answer.probability, float(yields["met_share"].iloc[0]), after, to_road, 1.0 - to_road - after
    )
    return measure_residual(problem.encounters, judged), judged


def _summarise(
    problem: DutyProblem,
    mix: Mix,
    best: Roster,
    judged: Judgement,
    yields: pd.DataFrame,
    propensity: FloatArray,
    random_state: int,
) -> DutySummary:
    best_share = float(yields["met_share"][BEST_FIXED])
    met = float(yields["met_per_week"][BEST_FIXED]) or 1.0
    bound_share = best_share * bound_rosters(problem, best) * 7 / problem.n_days / met
    return DutySummary(
        n_teams=len(problem.teams),
        n_days=problem.n_days,
        n_slots=len(problem.places),
        n_duties=len(mix.roster.shifts),
        team_hours=measure_duty_hours(problem, mix.roster.shifts),
        rail_trips_per_month=problem.encounters.rail_worth(),
        unlisted_share=problem.encounters.unlisted_share(),
        met_share=judged.met_share,
        met_share_evading=judged.met_share_evading,
        to_road_share=judged.to_road_share,
        unmet_rail_share=judged.unmet_rail_share,
        best_share=best_share,
        bound_share=bound_share,
        gap_share=1.0 - best_share / bound_share if bound_share > 0 else 0.0,
        guess_share=measure_guess(propensity),
        settled_trips=mix.change,
        random_state=random_state,
    )
