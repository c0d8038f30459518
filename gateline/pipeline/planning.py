"""
The interception plan of a run: its routes, the teams and rules of the settings, and the roster made of them.

Coach stops with the most couriers are places to meet beside the stations, where there is a feed of coaches. Stations
that few passengers use are no candidates; what that costs is told.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from gateline.pipeline.coach_flow import CoachFlow
from gateline.pipeline.read import Inputs
from gateline.pipeline.stages import Results
from gateline.pipeline.teams import find_first_day, find_teams, measure_drives
from gateline.products.coach_tables import COACH_STOP, STATION, CoachTables, join_stops
from gateline.settings import Settings
from gateline.settings_coaches import CoachSettings
from gateline.settings_plan import PlanSettings
from geo.corridors.assignment import ALL_DESTINATIONS
from geo.corridors.routes import RouteSets, list_route_sets
from geo.errors import UsageError
from models.planning import LeftOut, build_encounters, describe_stops, find_quiet_stations
from models.planning.problem.shifts import DAYS_PER_MONTH
from models.planning.roster import (
    Courier,
    DutyPlan,
    DutyProblem,
    DutyRules,
    FlowDraws,
    Watch,
    build_duty_problem,
    make_duty_plan,
    measure_watched,
    measure_yields,
    reply_best,
)

__all__ = ["RunPlan", "draw_flows", "duty_rules", "plan_run"]

N_ROUNDS = 27


@dataclass(frozen=True)
class RunPlan:
    """
    The plan of a run.

    Attributes
    ----------
    duty : DutyPlan
        Roster, yields and all beside.
    draws : FlowDraws
        Draws of the posterior that it was made on.
    left_out : LeftOut or None
        Stations left out for few passengers, and what that costs.
    first_on : datetime.date
        First day.
    notes : tuple of str
        What is assumed of teams and drives.
    """

    duty: DutyPlan
    draws: FlowDraws
    left_out: LeftOut | None
    first_on: date
    notes: tuple[str, ...]


def duty_rules(settings: PlanSettings) -> DutyRules:
    """
    Give the rules that the settings state.

    Parameters
    ----------
    settings : PlanSettings
        The ``[plan]`` block.

    Returns
    -------
    DutyRules
        What is not in the block keeps its default.
    """
    return DutyRules(
        shifts=settings.shifts,
        rest_h=settings.rest_h,
        longest_shift_h=settings.longest_shift_h,
        least_stay_min=settings.least_stay_min,
        longest_stay_min=settings.longest_stay_min,
        least_stops=settings.least_stops,
        most_stops=settings.most_stops,
        longest_drive_min=settings.longest_drive_min,
        least_trains_per_hour=settings.least_trains_per_hour,
        must_visit=settings.must_visit,
    )


def plan_run(results: Results, settings: Settings, inputs: Inputs) -> RunPlan | None:
    """
    Plan interception on the flow of a run.

    Parameters
    ----------
    results : Results
        Of the stages.
    settings : Settings
        Of the workspace.
    inputs : Inputs
        For the roads between stations and bases.

    Returns
    -------
    RunPlan or None
        None where no flow passes a station of the force, no team can reach one with trains enough in any shift, or
        the pairs are too many to list.

    Raises
    ------
    UsageError
        If the rules contradict each other; the message has the numbers and the nearest change.
    """
    ours = results.station_exposure.reindex(results.station_scores.table.index)
    # Flow that is known by origin alone has too many pairs for a plan of shifts: it is made for a force, not a country.
    if (results.assignment.station_flows["destination_id"] == ALL_DESTINATIONS).any():
        return None
    if not (ours.filter(like="_trips_per_month").sum(axis=None) > 0):
        return None
    routes = list_route_sets(
        results.courier_flows, results.supply, others=results.others, change_share=results.change_share
    )
    coach = _plan_at_coach_stops(results.coach, settings.coaches)
    candidates = _find_candidates(results, settings, coach, routes)
    quiet = candidates.quiet
    problem = _lay_out(results, settings, inputs, routes, coach, candidates.kept)
    stations = join_stops(results.network.stations, coach)
    scores = results.station_scores.table
    draws = draw_flows(results, routes, settings.plan)
    first_on = find_first_day(settings.plan, results.cutoff)
    if not reply_best(problem, n_passes=1).shifts:
        return None
    plan = make_duty_plan(
        problem,
        names=pd.concat([stations["name"], inputs.places["name"]]),
        tiers=scores["tier"].astype("str").where(scores["tier"].notna()),
        rules_of_thumb=_rules_of_thumb(results),
        draws=draws,
        random_state=settings.scores.random_state,
        first_on=first_on,
        n_rounds=N_ROUNDS,
        why_not=_why_not(settings.plan, quiet, scores.index, candidates.kept),
    )
    left_out = None
    if len(quiet):
        with_them = _lay_out(results, settings, inputs, routes, coach, candidates.kept.append(quiet.index))
        left_out = _compare(with_them, problem, plan, quiet, settings.plan)
    return RunPlan(
        _describe(plan, results, coach, stations), draws, left_out, first_on, _notes(settings, inputs, problem)
    )


@dataclass(frozen=True)
class _Candidates:
    """Stations that teams may work, and those left out with their passengers a day."""

    kept: pd.Index
    quiet: pd.Series


def _find_candidates(results: Results, settings: Settings, coach: CoachTables | None, routes: RouteSets) -> _Candidates:
    in_force = results.network.stations["is_in_force"]
    candidates = in_force.index[in_force].append([] if coach is None else [coach.stops.index])
    candidates = candidates.intersection(list(routes.station_ids))
    candidates = candidates.difference(list(settings.plan.must_not_visit))
    if settings.plan.keep_to_tiers:
        tier = results.station_scores.table["tier"]
        listed = tier.index[tier.isin(settings.plan.keep_to_tiers)]
        candidates = candidates.intersection(listed.append(pd.Index(settings.plan.must_visit)))
        if candidates.empty:
            msg = (
                f"plan.keep_to_tiers: no station that couriers pass has a tier in {settings.plan.keep_to_tiers!r}, "
                "expected one or more. Add a tier, or leave it empty."
            )
            raise UsageError(msg)
    least = settings.plan.least_passengers_per_day
    usage = results.usage if len(results.usage) else None
    quiet = find_quiet_stations(usage, candidates, least_passengers_per_day=least, must_visit=settings.plan.must_visit)
    if len(quiet) == len(candidates) > 0:
        msg = (
            f"plan: all {len(quiet)} stations have fewer than {least:g} passengers a day, expected some with more. "
            "Lower plan.least_passengers_per_day."
        )
        raise UsageError(msg)
    return _Candidates(candidates.difference(quiet.index), quiet)


def _lay_out(
    results: Results,
    settings: Settings,
    inputs: Inputs,
    routes: RouteSets,
    coach: CoachTables | None,
    eligible: pd.Index,
) -> DutyProblem:
    """The problem on the grid."""
    plan = settings.plan
    encounters = build_encounters(routes, tuple(eligible), detection_share=plan.detection_share)
    stations = join_stops(results.network.stations, coach)
    teams = find_teams(plan, results, inputs, encounters.station_ids)
    staff = stations.get("staffed_hours")
    first_on = find_first_day(plan, results.cutoff)
    return build_duty_problem(
        encounters,
        results.hours if coach is None else pd.concat([results.hours, coach.hours]),
        measure_drives(stations, inputs, encounters.station_ids, teams),
        teams,
        duty_rules(plan),
        n_days=plan.n_days,
        first_weekday=first_on.weekday(),
        rail_station_ids=frozenset(results.network.stations.index),
        staffed_hours=staff if plan.needs_staff else None,
    )


def draw_flows(results: Results, routes: RouteSets, settings: PlanSettings) -> FlowDraws:
    """
    Lay draws of the posterior on the pairs of the routes.

    Parameters
    ----------
    results : Results
        With the fit.
    routes : RouteSets
        Of its flow.
    settings : PlanSettings
        With the chance that a team notices a courier.

    Returns
    -------
    FlowDraws
        Trips of a pair move as its trips by rail do; the split between its routes stays.
    """
    estimate = results.fitted.estimate
    n = len(estimate.pair_rail_draws)
    ids = pd.Index(estimate.posterior.ways.flow_ids)
    column = ids.get_indexer(pd.Index(routes.flow_ids))
    mean = estimate.pair_rail_share[column] * float(estimate.trips_per_month.mean())
    drawn = estimate.pair_rail_draws[:, column].astype(float) * estimate.trips_per_month[:n, None]
    factor = np.divide(drawn, mean, out=np.zeros_like(drawn), where=mean > 0)
    return FlowDraws(
        routes.trips_per_month * factor, estimate.detection[:n] / settings.detection_share, settings.detection_share
    )


def _rules_of_thumb(results: Results) -> dict[str, pd.Series]:
    rules = {"highest score": results.station_scores.table["score"]}
    if len(results.usage):
        rules["most passengers"] = results.usage["n_entries_exits_per_year"]
    return rules


def _why_not(settings: PlanSettings, quiet: pd.Series, scored: pd.Index, kept: pd.Index) -> dict[str, str]:
    """Why a scored station is no candidate."""
    least = settings.least_passengers_per_day
    told = {
        str(station): f"{n:,.0f} passengers a day use it, fewer than plan.least_passengers_per_day, {least:g}"
        for station, n in quiet.items()
    }
    told |= dict.fromkeys(settings.must_not_visit, "plan.must_not_visit names it")
    if settings.keep_to_tiers:
        rest = scored.difference(kept).difference(list(told))
        told |= dict.fromkeys(map(str, rest), f"plan.keep_to_tiers is {', '.join(settings.keep_to_tiers)}")
    return told


def _describe(plan: DutyPlan, results: Results, coach: CoachTables | None, stations: pd.DataFrame) -> DutyPlan:
    """The plan with what is known of each stop."""
    table = describe_stops(
        plan.table,
        stations,
        hours=results.hours if coach is None else pd.concat([results.hours, coach.hours]),
        usage=results.usage if len(results.usage) else None,
        exposure=_exposure(results, coach) if _knows_changes(results) else None,
        first_weekday=plan.problem.first_weekday,
    )
    if coach is not None:
        table = table.assign(kind=table["station_id"].isin(coach.stops.index).map({True: COACH_STOP, False: STATION}))
    return replace(plan, table=table)


def _exposure(results: Results, coach: CoachTables | None) -> pd.DataFrame:
    return results.station_exposure if coach is None else pd.concat([results.station_exposure, coach.exposure])


def _plan_at_coach_stops(coach: CoachFlow | None, settings: CoachSettings) -> CoachTables | None:
    """The coach stops with the most couriers, of those with coaches enough; None without any."""
    if coach is None or not settings.most_planned_stops:
        return None
    is_busy = coach.n_coaches.reindex(coach.stops.index).fillna(0.0) >= 7.0 * settings.least_planned_coaches_per_day
    trips = coach.exposure["courier_trips_per_month"].sort_index()
    most = trips.sort_values(ascending=False, kind="stable").index
    stops = coach.stops.loc[most[is_busy[most].to_numpy()][: settings.most_planned_stops]]
    if stops.empty:
        return None
    hours = coach.hours[coach.hours["station_id"].isin(stops.index)]
    return CoachTables(stops, coach.all_stops, coach.exposure, hours, coach.n_coaches)


def _knows_changes(results: Results) -> bool:
    """Whether it is known, or estimated, who changes where; else all who go on count as calling."""
    return results.railway_basis != "none" or results.change_share is not None


def _compare(
    with_them: DutyProblem, without: DutyProblem, plan: DutyPlan, quiet: pd.Series, settings: PlanSettings
) -> LeftOut:
    """What the best rosters meet with and without them: a draw would hide a small difference."""
    shares: dict[str, float] = {}
    for name, problem in (("with", with_them), ("without", without)):
        watched = measure_watched(problem, reply_best(problem).shifts)
        found = measure_yields(problem, {name: Watch(watched, watched, 1.0)}, None)
        shares |= {f"{column}_{name}": float(found[column].iloc[0]) for column in ("met_share", "met_share_evading")}
    return LeftOut(
        passengers_per_day=quiet.sort_values(ascending=False, kind="stable"),
        least_passengers_per_day=settings.least_passengers_per_day,
        trips_of_plan=plan.summary.rail_trips_per_month * settings.n_days / DAYS_PER_MONTH,
        **shares,
    )


def _notes(settings: Settings, inputs: Inputs, problem: DutyProblem) -> tuple[str, ...]:
    notes = []
    if not settings.plan.teams:
        bases = ", ".join(f"{team.name} at {team.base}" for team in problem.teams)
        notes.append(f"no team is named: {bases} is assumed, at the busiest stations; name yours in plan.teams")
    if inputs.roads is None:
        notes.append("drives are measured along straight lines with a detour: give inputs.roads for times by road")
    courier = Courier()
    notes.append(
        f"couriers are assumed to travel {courier.met_cost_min:g} minutes longer, or at another hour, rather than "
        "certainly be met; intervals are over 30 to 240 minutes"
    )
    return tuple(notes)
