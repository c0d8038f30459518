"""
The interception plan of a run: its routes, the rules of the settings, and the plan that `models.planning` proves.

Coach stops with the most couriers are places to meet beside the stations, where there is a feed of coaches. Stations
that few passengers use are no candidates. Where some are left out the plan is made a second time with them, so
that what it costs can be told.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pandas as pd

from gateline.pipeline.coach_flow import CoachFlow
from gateline.pipeline.stages import Results
from gateline.products.coach_tables import COACH_STOP, STATION, CoachTables, join_stops
from gateline.settings import PlanSettings, Settings
from gateline.settings_coaches import CoachSettings
from geo.corridors.assignment import ALL_DESTINATIONS
from geo.corridors.routes import list_route_sets
from geo.errors import UsageError
from models.planning import (
    InterceptionPlan,
    LeftOut,
    PlanRules,
    describe_stops,
    find_quiet_stations,
    plan_interception,
)
from models.planning.shifts import DAYS_PER_MONTH

__all__ = ["plan_rules", "plan_run"]

_COVERAGE_DECIMALS = 3


def plan_rules(settings: PlanSettings) -> PlanRules:
    """
    Give the rules that the settings state.

    Parameters
    ----------
    settings : PlanSettings
        The ``[plan]`` block.

    Returns
    -------
    PlanRules
        What is not in the block keeps its default.
    """
    return PlanRules(
        n_teams=settings.n_teams,
        n_days=settings.n_days,
        shifts=settings.shifts,
        detection_share=settings.detection_share,
        random_share=settings.random_share,
        must_visit=settings.must_visit,
        must_not_visit=settings.must_not_visit,
        n_team_shifts=settings.team_shifts,
        needs_staff=settings.needs_staff,
    )


def plan_run(results: Results, settings: Settings) -> InterceptionPlan | None:
    """
    Plan interception on the flow of a run.

    Parameters
    ----------
    results : Results
        Of the stages.
    settings : Settings
        Of the workspace.

    Returns
    -------
    InterceptionPlan or None
        Table with what is known of each stop, numbers, comparison with the rules of thumb, what is left after couriers
        respond, and the stations left out; None where no flow passes a station of the force, or the pairs are too many
        to list.

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
    stations = join_stops(results.network.stations, coach)
    hours = results.hours if coach is None else pd.concat([results.hours, coach.hours])
    exposure = results.station_exposure if coach is None else pd.concat([results.station_exposure, coach.exposure])
    usage = results.usage if len(results.usage) else None
    make = partial(
        plan_interception,
        routes,
        stations,
        plan_rules(settings.plan),
        random_state=settings.scores.random_state,
        station_scores=results.station_scores.table,
        usage=usage,
        trips_per_line_per_month=settings.corridors.trips_per_line_per_month,
        first_on=settings.plan.first_on,
        hours=hours,
    )
    in_force = results.network.stations["is_in_force"]
    candidates = in_force.index[in_force].append([] if coach is None else [coach.stops.index])
    candidates = candidates.intersection(list(routes.station_ids))
    candidates = candidates.difference(list(settings.plan.must_not_visit))
    least = settings.plan.least_passengers_per_day
    quiet = find_quiet_stations(usage, candidates, least_passengers_per_day=least, must_visit=settings.plan.must_visit)
    if len(quiet) == len(candidates) > 0:
        msg = (
            f"plan: all {len(quiet)} stations have fewer than {least:g} passengers a day, expected some with more. "
            "Lower plan.least_passengers_per_day."
        )
        raise UsageError(msg)
    plan = make(eligible=tuple(candidates.difference(quiet.index)))
    if len(quiet):
        plan = replace(plan, left_out=_compare(make(eligible=tuple(candidates)), plan, quiet, settings.plan))
    table = describe_stops(
        plan.table,
        stations,
        hours=hours,
        usage=usage,
        exposure=exposure if _knows_changes(results) else None,
        first_weekday=0 if settings.plan.first_on is None else settings.plan.first_on.weekday(),
    )
    if coach is not None:
        table = table.assign(kind=table["station_id"].isin(coach.stops.index).map({True: COACH_STOP, False: STATION}))
    return replace(plan, table=table)


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
    with_them: InterceptionPlan, without: InterceptionPlan, quiet: pd.Series, settings: PlanSettings
) -> LeftOut:
    """What both plans meet, before a roster is drawn: a draw would hide a small difference."""
    shares = {
        name: [float(plan.comparison[name]["mix without random share"]) for plan in (with_them, without)]
        for name in ("met_share", "met_share_evading")
    }
    worked = with_them.residual["coverage"].reindex(quiet.index).fillna(0.0).round(_COVERAGE_DECIMALS)
    order = worked.sort_values(ascending=False, kind="stable").index
    return LeftOut(
        passengers_per_day=quiet[order],
        least_passengers_per_day=settings.least_passengers_per_day,
        met_share_with=shares["met_share"][0],
        met_share_without=shares["met_share"][1],
        met_share_evading_with=shares["met_share_evading"][0],
        met_share_evading_without=shares["met_share_evading"][1],
        best_share_with=with_them.summary.best_share,
        best_share_without=without.summary.best_share,
        trips_of_plan=without.summary.rail_trips_per_month * settings.n_days / DAYS_PER_MONTH,
    )
