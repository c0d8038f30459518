"""
The proven list of stations: which whole shifts teams are best spent on, and a bound that no list can pass.

Nothing is drawn here and no product shows it: the roster that teams work is made by `models.planning.roster`. What it
has no proof of is asked here: how good the best list of stations is, and how many teams meet a share.

In come `geo.corridors.routes.RouteSets` and stations; out comes `InterceptionPlan`.

1. Routes become patterns of stations, shifts become duties (`problem`).
2. The best fixed list is found and proven, beside the greedy one (`solver`).
3. Couriers respond and the list becomes a mix of duties, to a fixed point (`response`).
4. Mix, best list and the rules of thumb are judged alike, before and after the response (`evaluation`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pandas as pd

from geo.corridors.routes import RouteSets
from models.planning.evaluation import (
    InterceptionPlan,
    Judgement,
    PlanSummary,
    compare_plans,
    judge_all,
    measure_residual,
)
from models.planning.problem import (
    DAYS_PER_MONTH,
    WEEKDAYS,
    Choice,
    PlanRules,
    Programme,
    Setting,
    build_setting,
    duties_of,
)
from models.planning.response import Mix, measure_coverage, mix_duties, share_duties
from models.planning.solver import (
    Solution,
    choose_greedily,
    measure_marginals,
    require_possible,
    solve_programme,
    unfold_days,
)

__all__ = ["plan_interception"]


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
    Find the best list of stations for each shift, prove it, and mix it against couriers who respond.

    Parameters
    ----------
    routes : RouteSets
        From `geo.corridors.routes.list_route_sets`.
    stations : pandas.DataFrame
        Table `geo.tables.STATIONS`; geometry is not needed.
    rules : PlanRules, optional
        Teams, shifts and rules; the defaults where absent.
    random_state : int
        Seed of the intervals.
    eligible : tuple of str, optional
        Stations that teams may work; those of the force area where absent.
    station_scores : pandas.DataFrame, optional
        Table `geo.tables.STATION_SCORES`, for the rule of the highest score.
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
        First day, for its weekday; a Monday where absent.
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
    require_possible(setting)
    solution = solve_programme(setting.programme, time_limit_s=time_limit_s)
    greedy = choose_greedily(setting.programme)
    if greedy.value > solution.value and all(group.n_crews is None for group in setting.groups):
        # The time was too short for the solver to come as far; the bound still holds.
        solution = replace(solution, chosen=greedy.chosen, value=greedy.value)
    by_slot = unfold_days(setting, solution)
    ordinary = _solve_ordinary(setting, by_slot, time_limit_s)
    mix = mix_duties(setting, ordinary)
    shares = share_duties(setting, by_slot, mix)
    coverage = measure_coverage(setting, shares)
    judged = judge_all(setting, by_slot, shares, station_scores, usage)
    residual = measure_residual(setting.encounters, judged["mix"])
    worked = pd.Series(coverage.mean(axis=0), index=list(setting.encounters.station_ids))
    return InterceptionPlan(
        summary=_summarise(setting, judged["mix"], solution, greedy.value, mix),
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
    )


def _solve_ordinary(setting: Setting, by_slot: Choice, time_limit_s: float) -> Choice:
    """The best list of each shift of each kind of day, without must visits and with all teams rested and at work."""
    rested = tuple(replace(group, n_crews=None) for group in setting.groups)
    is_free = all(group.n_crews is None for group in setting.groups) and setting.rules.n_team_shifts is None
    if not setting.programme.must and is_free:
        of = setting.shift_slot_of
        return tuple(by_slot[of.index(k)] for k in range(len(setting.shift_slots)))
    programme = Programme(setting.shift_slots, rested)
    return solve_programme(programme, time_limit_s=time_limit_s).chosen


def _list_best(setting: Setting, ordinary: Choice) -> pd.DataFrame:
    """The duties of an ordinary day, with what each adds."""
    rows = []
    for k, (slot, teams) in enumerate(zip(setting.shift_slots, ordinary, strict=True)):
        kind, of_day = divmod(k, setting.n_shifts)
        duties = duties_of(teams)
        for duty, lost in zip(duties, measure_marginals(slot, duties), strict=True):
            names = " ".join(setting.encounters.station_ids[k] for k in slot.duties.stops[duty])
            rows.append((setting.rules.shift_names[of_day], names, float(lost), kind))
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


def _summarise(setting: Setting, judged: Judgement, solution: Solution, greedy: float, mix: Mix) -> PlanSummary:
    whole = setting.encounters.rail_worth() * setting.rules.n_days / DAYS_PER_MONTH or 1.0
    return PlanSummary(
        n_teams=sum(group.n_teams for group in setting.groups),
        n_slots=len(setting.slots),
        rail_trips_per_month=setting.encounters.rail_worth(),
        unlisted_share=setting.encounters.unlisted_share(),
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
        seconds=solution.seconds,
    )
