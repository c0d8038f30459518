"""A week's duty roster in figures: yield, time, rules kept, and couriers simulated one by one over the timetable."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from benchmarks.evidence import Evidence
from gateline.pipeline.planning import RunPlan
from geo.corridors.routes import RouteSets
from models.planning.roster import DutyPlan

__all__ = ["report_week", "simulate_couriers"]

N_COURIERS = 100_000
_ON_BOARD = 0.25
_DAYS_PER_WEEK, _DAYS_PER_MONTH = 7, 365.25 / 12


def report_week(
    evidence: Evidence, where: str, plan: RunPlan, hours: pd.DataFrame, seconds: float, detection_share: float
) -> None:
    """What the week of a region yields beside the rules, and whether a simulation agrees."""
    duty = plan.duty
    for name, row in duty.yields.iterrows():
        evidence.add(
            f"{where}: couriers met in a week, {name}",
            float(row["met_per_week"]),
            "courier trips a week",
            seconds=seconds if name == "this week" else None,
            note=f"90 % {row['met_per_week_low']:.3f} to {row['met_per_week_high']:.2f}; couriers responding "
            f"{row['met_per_week_evading']:.3f} ({row['met_per_week_evading_low']:.3f} to "
            f"{row['met_per_week_evading_high']:.2f}); {row['team_hours_per_week']:.0f} team-hours, "
            f"{row['hours_per_meeting']:.0f} and {row['hours_per_meeting_evading']:.0f} for one",
        )
    for name, row in duty.what_ifs.iterrows():
        evidence.add(
            f"{where}: what if, {name}",
            float(row["met_per_week"]),
            "courier trips a week",
            note=f"couriers responding {row['met_per_week_evading']:.3f}; {row['team_hours_per_week']:.0f} team-hours",
        )
    evidence.add(
        f"{where}: teams, team shifts, stays, stations",
        f"{duty.summary.n_teams}, {duty.summary.n_duties}, {len(duty.table)}, {duty.table['station_id'].nunique()}",
        "",
        note="; ".join(duty.agreement["reason"].str.slice(0, 90).head(3)),
    )
    met = simulate_couriers(duty, hours, detection_share)
    routes = duty.problem.encounters.routes
    trips = float(routes.trips_per_month.sum()) * _DAYS_PER_WEEK / _DAYS_PER_MONTH
    expected = float(duty.table["expected_met_trips"].sum()) / trips
    error = np.sqrt(expected * (1 - expected) / N_COURIERS)
    evidence.add(
        f"{where}: couriers met of 100,000 simulated one by one, less the plan's figure, in standard errors",
        (met / N_COURIERS - expected) / error,
        "standard errors",
        baseline={"name": "within", "figure": 3},
        n=N_COURIERS,
        note=f"{met} met; the plan says {expected * N_COURIERS:.1f}",
    )


def simulate_couriers(plan: DutyPlan, hours: pd.DataFrame, detection_share: float, *, seed: int = 1) -> int:
    """
    Send couriers by the routes and the hours, one by one, past the stays of ``plan.csv``; return how many are met.

    Nothing of the planner's arrays is used: routes with their stations, the hours of each station, and the table of
    stays as it is published.
    """
    routes = plan.problem.encounters.routes
    rng = np.random.default_rng(seed)
    stays = _stays_by_station(plan.table)
    eligible = set(plan.problem.station_ids)
    weeks = {str(s): t.set_index("hour_of_week")["week_share"] for s, t in hours.groupby("station_id")}
    week_of: dict[int, np.ndarray] = {}
    met = 0
    for route in _draw_routes(routes, rng):
        chances = _chances(routes, int(route), eligible, detection_share)
        if not chances:
            continue
        if int(route) not in week_of:
            week_of[int(route)] = np.cumsum(_week(chances, weeks))
        until = week_of[int(route)]
        hour = int(np.searchsorted(until, rng.random() * until[-1])) + rng.random()
        met += any(
            rng.random() < chance
            for station, chance in chances.items()
            for begins, ends in stays.get(station, ())
            if begins <= hour < ends
        )
    return met


def _draw_routes(routes: RouteSets, rng: np.random.Generator) -> np.ndarray:
    """A pair by its trips, then a route of the pair by its share."""
    of_pair = np.repeat(np.arange(len(routes.flow_ids)), np.diff(routes.route_indptr))
    weight = routes.trips_per_month[of_pair] * routes.probability
    return rng.choice(weight.size, size=N_COURIERS, p=weight / weight.sum())


def _chances(routes: RouteSets, route: int, eligible: set[str], detection_share: float) -> dict[str, float]:
    """Chance of being met by a team at each station on the way, the largest where one is passed twice."""
    found: dict[str, float] = {}
    for k in range(routes.station_indptr[route], routes.station_indptr[route + 1]):
        station = routes.station_ids[routes.station_indices[k]]
        on_platform = routes.platform_share[k]
        chance = detection_share * (on_platform + (1 - on_platform) * _ON_BOARD)
        if station in eligible and chance > 0:
            found[station] = max(found.get(station, 0.0), float(chance))
    return found


def _week(chances: Mapping[str, float], weeks: Mapping[str, pd.Series]) -> np.ndarray:
    """The hours of a courier: those of the stations on the way, each as heavy as he is seen there."""
    total = np.zeros(168)
    for station, chance in chances.items():
        total += -np.log1p(-chance) * weeks[station].reindex(range(168)).fillna(0.0).to_numpy()
    return total


def _stays_by_station(table: pd.DataFrame) -> dict[str, list[tuple[float, float]]]:
    """Stays in hours from the first midnight, a Monday."""
    found: dict[str, list[tuple[float, float]]] = {}
    for row in table.to_dict("records"):
        day = 24 * (row["day"] - 1)
        found.setdefault(str(row["station_id"]), []).append((day + row["from_h"], day + row["to_h"]))
    return found
