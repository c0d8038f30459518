"""The plan as a record: what its list and its mix meet, and all that they were judged by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.planning.problem import Setting

__all__ = ["InterceptionPlan", "LeftOut", "PlanSummary"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class LeftOut:
    """
    What leaving quiet stations out of a plan costs.

    Attributes
    ----------
    passengers_per_day : pandas.Series
        By ``station_id``, of the stations left out: first those that the plan with them works most, then the busiest.
    least_passengers_per_day : float
        What a station needs to be a candidate.
    met_share_with, met_share_without : float
        Share of rail trips that the best roster meets, couriers as they are, with the quiet stations and without.
    met_share_evading_with, met_share_evading_without : float
        The same once couriers have responded.
    trips_of_plan : float
        Rail trips of the plan's days, of which the shares are.
    """

    passengers_per_day: pd.Series
    least_passengers_per_day: float
    met_share_with: float
    met_share_without: float
    met_share_evading_with: float
    met_share_evading_without: float
    trips_of_plan: float


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
        Met by the mix, before and after couriers respond.
    to_road_share, unmet_rail_share : float
        Where the rest is after the response: on the road, and by rail unmet.
    best_share, bound_share, gap_share, greedy_share : float
        The best fixed list, no list can do better, how far apart these are, and the greedy list.
    is_proven : bool
        Whether the gap is below one in a million.
    settled_change : float
        Change of a chance in the last round of plan and response; 0 where couriers are taken not to respond.
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
    seconds: float


@dataclass(frozen=True)
class InterceptionPlan:
    """
    The proven list, the mix, and all that they were judged by.

    Attributes
    ----------
    summary : PlanSummary
        In numbers.
    comparison : pandas.DataFrame
        By ``plan``: mix, best fixed list and the rules of thumb, as `compare_plans`.
    best_list : pandas.DataFrame
        The best fixed list by shift: ``shift, station_ids, marginal_trips`` (lost a shift without the duty), and with
        hours ``days``, the weekdays that are alike.
    residual : pandas.DataFrame
        By ``station_id``: flow before and after, as `measure_residual`, and ``coverage``, the
        chance that it is worked on a shift.
    coverage : numpy.ndarray of shape (n_slots, n_eligible)
        Chance that each station of `setting.encounters.station_ids` is worked on each slot, by the mix and must visits.
    setting : Setting
        Patterns, slots, teams and rules.
    """

    summary: PlanSummary
    comparison: pd.DataFrame
    best_list: pd.DataFrame
    residual: pd.DataFrame
    coverage: FloatArray
    setting: Setting
