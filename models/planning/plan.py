"""
The interception plan, whole: from listed routes and a user's rules to a roster, and what it meets.

In come `geo.corridors.routes.RouteSets` and stations; out comes `InterceptionPlan` with the table `geo.tables.PLAN`.

1. Routes become patterns of stations (`encounters`), shifts become duties (`duties`).
2. The best fixed list is found and proven (`programme`), beside the greedy one.
3. Couriers respond and the plan mixes, to a fixed point (`evasion`).
4. The roster is drawn: must visits, the mix by the comb, and a random share by tier (`schedule`).
5. Roster, mix, best list and the rules of thumb are judged alike, before and after the response (`judging`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.corridors.routes import RouteSets
from models.planning.choice import choose_greedily, measure_marginals
from models.planning.evasion import Mix
from models.planning.judging import Judgement, compare_plans, measure_residual
from models.planning.programme import Programme, Solution
from models.planning.quiet import LeftOut
from models.planning.roster_table import tabulate_roster
from models.planning.rosters import measure_entropy
from models.planning.rules import PlanRules
from models.planning.schedule import Assignment, draw_roster
from models.planning.setting import (
    Setting,
    build_setting,
    measure_coverage,
    mix_duties,
    number_tiers,
    split_teams,
    unfold_days,
)
from models.planning.shifts import DAYS_PER_MONTH, WEEKDAYS, name_days
from models.planning.solving import solve_programme
from models.planning.standings import judge_all

__all__ = ["InterceptionPlan", "PlanSummary", "plan_interception"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class PlanSummary:
    """
    The plan in numbers; shares are of all rail trips of its days, before couriers respond.

    Attributes
    ----------
    n_teams, n_slots : int
        Teams on a shift and shifts in all.
    rail_trips_per_month, unlisted_share : float
        Trips (or harm) by rail, and the share of them on ways that the listed routes only stand for.
    met_share, met_share_evading : float
        Met by the roster as drawn, before and after couriers respond.
    to_road_share, unmet_rail_share : float
        Where the rest is after the response: on the road, and by rail unmet.
    best_share, bound_share, gap_share, greedy_share : float
        The best fixed list, no list can do better, how far apart these are, and the greedy list.
    is_proven : bool
        Whether the gap is below one in a million.
    settled_change : float
        Change of a chance in the last round of plan and response; 0 where couriers are taken not to respond.
    entropy_bits : float
        How hard it is to guess where a team is, by team and shift.
    random_state : int
        Seed of the roster.
    seconds : float
        Time of the proof.
    """

    n_teams: int
    n_slots: int
    rail_trips_per_month: float
    unlisted_share: float
    met_share: float
    met_share_evading: float
    to_road_share: float
    unmet_rail_share: float
    best_share: float
    bound_share: float
    gap_share: float
    greedy_share: float
    is_proven: bool
    settled_change: float
    entropy_bits: float
    random_state: int
    seconds: float


@dataclass(frozen=True)
class InterceptionPlan:
    """
    A plan and all that it was judged by.

    Attributes
    ----------
    table : pandas.DataFrame
        Table `geo.tables.PLAN`.
    summary : PlanSummary
        In numbers.
    comparison : pandas.DataFrame
        By ``plan``: roster, mix, best fixed list and the rules of thumb, as `models.planning.judging.compare_plans`.
    best_list : pandas.DataFrame
        The best fixed list by shift: ``shift, station_ids, marginal_trips`` (lost a shift without the duty), and with
        hours ``days``, the weekdays that are alike.
    residual : pandas.DataFrame
        By ``station_id``: flow before and after, as `models.planning.judging.measure_residual`, and ``coverage``, the
        chance that it is worked on a shift.
    coverage : numpy.ndarray of shape (n_slots, n_eligible)
        Chance that each station of `setting.encounters.station_ids` is worked by model or must teams on each slot.
    setting : Setting
        Patterns, slots, teams and rules.
    roster : tuple of Assignment
        The roster as drawn.
    left_out : LeftOut or None
        Stations left out for few passengers, and what that costs; None where none is.
    """

    table: pd.DataFrame
    summary: PlanSummary
    comparison: pd.DataFrame
    best_list: pd.DataFrame
    residual: pd.DataFrame
    coverage: FloatArray
    setting: Setting
    roster: tuple[Assignment, ...]
    left_out: LeftOut | None = None


def plan_interception(
    routes: RouteSets,
    stations: pd.DataFrame,
    rules: PlanRules | None = None,
    *,
    random_state: int,
    eligible: tuple[str, ...] | None = None,
    station_scores: pd.DataFrame | None = None,
    usage: pd.DataFrame | None = None,
    travel_min: pd.DataFrame | None = None,
    worth: pd.Series | None = None,
    trip_scenarios: pd.DataFrame | None = None,
    trips_per_line_per_month: float = 8.0,
    first_on: date | None = None,
    hours: pd.DataFrame | None = None,
    time_limit_s: float = 60.0,
) -> InterceptionPlan:
    """
    Plan who stands where on which shift.

    Parameters
    ----------
    routes : RouteSets
        From `geo.corridors.routes.list_route_sets`.
    stations : pandas.DataFrame
        Table `geo.tables.STATIONS`; geometry is not needed.
    rules : PlanRules, optional
        Teams, shifts and rules; the defaults where absent.
    random_state : int
        Seed of the roster and of the intervals.
    eligible : tuple of str, optional
        Stations that teams may work; those of the force area where absent.
    station_scores : pandas.DataFrame, optional
        Table `geo.tables.STATION_SCORES`: tiers for the random share, and the rule of the highest score.
    usage : pandas.DataFrame, optional
        Table `geo.tables.STATION_USAGE`, for the rule of the most passengers.
    travel_min : pandas.DataFrame, optional
        Minutes between stations; needed for several stops a shift.
    worth : pandas.Series, optional
        By ``flow_id``, harm of a trip; every trip counts 1 where absent.
    trip_scenarios : pandas.DataFrame, optional
        By ``flow_id``, trips a month under other assumptions, for the intervals.
    trips_per_line_per_month : float
        As in the corridor settings, for the intervals.
    first_on : datetime.date, optional
        First day; with hours it is a Monday where absent.
    hours : pandas.DataFrame, optional
        Table `geo.tables.STATION_HOURS`: shifts are then worth what passes in their hours on their day. Without it
        days are alike and trips even over the service.
    time_limit_s : float
        Seconds for the proof; after that the best list so far is used and the gap is stated.

    Returns
    -------
    InterceptionPlan
        The plan.

    Raises
    ------
    UsageError
        If the rules contradict each other; the message has the numbers and the nearest change.
    """
    weekday = 0 if first_on is None else first_on.weekday()
    setting = build_setting(
        routes, stations, rules or PlanRules(), eligible, travel_min, worth, hours=hours, first_weekday=weekday
    )
    solution = solve_programme(setting.programme, time_limit_s=time_limit_s)
    choice, greedy = choose_greedily(setting.programme)
    if greedy > solution.value and all(group.n_crews is None for group in setting.groups):
        # The time was too short for the solver to come as far; the bound still holds.
        solution = replace(solution, chosen=choice, value=greedy)
    by_slot = unfold_days(setting, solution)
    ordinary = _solve_ordinary(setting, by_slot, time_limit_s)
    mix = mix_duties(setting, ordinary)
    rng = np.random.default_rng(random_state)
    chances, must, n_working = split_teams(setting, by_slot, mix)
    tiers = number_tiers(setting.encounters, station_scores)
    roster = draw_roster(
        setting.slots,
        setting.groups,
        chances,
        must,
        n_working=n_working,
        random_share=setting.rules.random_share,
        stratum=tiers[0],
        rng=rng,
    )
    judged = judge_all(setting, roster, by_slot, mix, station_scores, usage)
    coverage = measure_coverage(setting, chances, must, n_working)
    table = tabulate_roster(
        roster,
        setting.slots,
        setting.groups,
        setting.encounters,
        names=stations["name"],
        tiers=tiers[1],
        shift_names=[s if isinstance(s, str) else s.name for s in setting.rules.shifts],
        days=name_days(first_on, setting.rules.n_days, first_weekday=None if hours is None else weekday),
        dosage=setting.rules.dosage,
        probability=judged["roster"].probability,
        shares=None if setting.week is None else setting.week.by_station.reshape(len(setting.slots), -1),
    )
    residual = measure_residual(setting.encounters, judged["roster"])
    worked = pd.Series(coverage.mean(axis=0), index=list(setting.encounters.station_ids))
    return InterceptionPlan(
        table=table,
        summary=_summarise(setting, judged["roster"], solution, greedy, mix, coverage, random_state),
        comparison=compare_plans(
            setting.encounters,
            judged,
            random_state=random_state,
            trip_scenarios=trip_scenarios,
            trips_per_line_per_month=trips_per_line_per_month,
        ),
        best_list=_list_best(setting, ordinary),
        residual=residual.assign(coverage=worked.reindex(residual.index).fillna(0.0)),
        coverage=coverage,
        setting=setting,
        roster=tuple(roster),
    )


def _solve_ordinary(
    setting: Setting, by_slot: tuple[tuple[tuple[int, int], ...], ...], time_limit_s: float
) -> tuple[tuple[tuple[int, int], ...], ...]:
    """The best list of each shift of each kind of day, without must visits and with all teams rested and at work."""
    rested = tuple(replace(group, n_crews=None) for group in setting.groups)
    is_free = all(group.n_crews is None for group in setting.groups) and setting.rules.n_team_shifts is None
    if not setting.programme.must and is_free:
        of = setting.shift_slot_of
        return tuple(by_slot[of.index(k)] for k in range(len(setting.shift_slots)))
    programme = Programme(setting.shift_slots, rested)
    return solve_programme(programme, time_limit_s=time_limit_s).chosen


def _list_best(setting: Setting, ordinary: tuple[tuple[tuple[int, int], ...], ...]) -> pd.DataFrame:
    """The duties of an ordinary day, with what each adds."""
    rows = []
    for k, (slot, teams) in enumerate(zip(setting.shift_slots, ordinary, strict=True)):
        kind, of_day = divmod(k, setting.n_shifts)
        shift = setting.rules.shifts[of_day]
        duties = [duty for _, duty in teams]
        for duty, lost in zip(duties, measure_marginals(slot, duties), strict=True):
            names = " ".join(setting.encounters.station_ids[k] for k in slot.duties.stops[duty])
            rows.append((shift if isinstance(shift, str) else shift.name, names, float(lost), kind))
    table = pd.DataFrame(rows, columns=["shift", "station_ids", "marginal_trips", "kind"])
    week = setting.week
    if week is None:
        return table.drop(columns="kind")
    days = [
        " ".join(
            dict.fromkeys(WEEKDAYS[(week.first_weekday + d) % 7] for d, own in enumerate(week.kind_of_day) if own == k)
        )
        for k in range(week.n_kinds)
    ]
    return table.assign(days=[days[kind] for kind in table["kind"]]).drop(columns="kind")


def _summarise(
    setting: Setting,
    judged: Judgement,
    solution: Solution,
    greedy: float,
    mix: Mix,
    coverage: FloatArray,
    random_state: int,
) -> PlanSummary:
    whole = setting.encounters.rail_worth() * setting.rules.n_days / DAYS_PER_MONTH or 1.0
    routes = setting.encounters.routes
    rail = setting.encounters.worth_of_routes() * ~routes.is_road
    by_pair = np.bincount(setting.encounters.pair_of_route, weights=rail, minlength=len(routes.flow_ids))
    listed = float(by_pair @ routes.listed_share) / (float(by_pair.sum()) or 1.0)
    return PlanSummary(
        n_teams=sum(group.n_teams for group in setting.groups),
        n_slots=len(setting.slots),
        rail_trips_per_month=setting.encounters.rail_worth(),
        unlisted_share=1.0 - listed,
        met_share=judged.met_share,
        met_share_evading=judged.met_share_evading,
        to_road_share=judged.to_road_share,
        unmet_rail_share=judged.unmet_rail_share,
        best_share=solution.value / whole,
        bound_share=solution.bound / whole,
        gap_share=solution.gap,
        greedy_share=greedy / whole,
        is_proven=solution.gap <= 1e-6,
        settled_change=mix.change,
        entropy_bits=measure_entropy(coverage),
        random_state=random_state,
        seconds=solution.seconds,
    )
