"""The interception plan of a run: its routes, the rules of the settings, and the plan that `models.planning` proves."""

from __future__ import annotations

import pandas as pd

from gateline.pipeline.stages import Results
from gateline.settings import PlanSettings, Settings
from geo.corridors.assignment import ALL_DESTINATIONS
from geo.corridors.routes import list_route_sets
from models.planning import InterceptionPlan, PlanRules, plan_interception

__all__ = ["plan_rules", "plan_run"]


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
        Table, numbers, comparison with the rules of thumb, and what is left after couriers respond; None where no flow
        passes a station of the force, or the pairs are too many to list.

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
    routes = list_route_sets(results.courier_flows, results.supply, change_share=results.change_share)
    scored = results.station_scores.table
    stations: pd.DataFrame = results.network.stations
    return plan_interception(
        routes,
        stations,
        plan_rules(settings.plan),
        random_state=settings.scores.random_state,
        station_scores=scored,
        usage=results.usage if len(results.usage) else None,
        trips_per_line_per_month=settings.corridors.trips_per_line_per_month,
        first_on=settings.plan.first_on,
        hours=results.hours,
    )
