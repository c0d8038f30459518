"""From flow, hours and drives to the problem of a roster: everything put on the grid of steps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.network.staffed_hours import measure_staffed_week
from geo.schema import validate
from geo.tables import STATION_HOURS
from models.planning.problem import DAYS_PER_MONTH, Encounters
from models.planning.problem.candidates import lay_out_trains
from models.planning.problem.week import spread_weeks, weigh_stations
from models.planning.roster.duty_rules import DutyRules, Team
from models.planning.roster.problem import MORNING_H, DutyProblem, require_musts, require_teams

__all__ = ["build_duty_problem"]

FloatArray = NDArray[np.float64]

_HOURS_PER_WEEK = 168
_DAYS_PER_WEEK = 7


def build_duty_problem(
    encounters: Encounters,
    hours: pd.DataFrame,
    drives_min: pd.DataFrame,
    teams: Sequence[Team],
    rules: DutyRules,
    *,
    n_days: int = 7,
    first_weekday: int = 0,
    rail_station_ids: frozenset[str] | None = None,
    staffed_hours: pd.Series | None = None,
) -> DutyProblem:
    """
    Put everything on the grid.

    Parameters
    ----------
    encounters : Encounters
        Patterns, and the stations that may be worked.
    hours : pandas.DataFrame
        Table `geo.tables.STATION_HOURS`; stations that it leaves out are as busy in every hour of service.
    drives_min : pandas.DataFrame
        Minutes by road, from bases and stations (rows) to stations (columns); infinite where no road leads.
    teams : sequence of Team
        Teams.
    rules : DutyRules
        Rules.
    n_days, first_weekday : int
        Days, and the weekday of the first, 0 is Monday.
    rail_station_ids : frozenset of str, optional
        Stations of the railway, which British Transport Police work; all where absent.
    staffed_hours : pandas.Series, optional
        Hours with staff by ``station_id``; where given, a stay must be staffed throughout, or nothing known of staff.

    Returns
    -------
    DutyProblem
        Arrays.

    Raises
    ------
    UsageError
        If there is no team or day, a name stands twice, or a base is not known.
    TableError
        If the hours break their contract.
    """
    validate(hours, STATION_HOURS)
    require_teams(teams, drives_min, n_days)
    require_musts(rules, encounters.station_ids)
    ids = list(encounters.station_ids)
    step_h = rules.step_min / 60.0
    # Shifts of the last day may end on the morning after.
    n_steps = round((24 * n_days + MORNING_H) / step_h)
    hour = (np.floor(np.arange(n_steps) * step_h + 1e-9).astype(np.int64) + 24 * first_weekday) % _HOURS_PER_WEEK
    share_week = spread_weeks(hours, ids)
    is_open = np.ones((n_steps, len(ids)), dtype=bool)
    if staffed_hours is not None:
        staffed = np.stack([_staffed(text) for text in staffed_hours.reindex(ids)])
        is_open &= (np.isnan(staffed) | (staffed >= 1.0 - 1e-9))[:, hour].T
    on_rail = np.ones(len(ids), dtype=bool) if rail_station_ids is None else np.isin(ids, list(rail_station_ids))
    return DutyProblem.from_arrays(
        encounters,
        {
            "weekly": encounters.worth_of_patterns(encounters.worth_of_routes()) * _DAYS_PER_WEEK / DAYS_PER_MONTH,
            "share": np.asarray(weigh_stations(encounters) @ share_week)[:, hour].T * step_h,
            "trains": lay_out_trains(hours, ids)[:, hour].T * step_h,
            "is_open": is_open,
            "is_rail": on_rail,
            "station_share": share_week[:, hour].T * step_h,
        },
        tuple(teams),
        rules,
        drives_min=drives_min.reindex(columns=ids),
        n_days=n_days,
        first_weekday=first_weekday,
    )


def _staffed(text: object) -> FloatArray:
    return np.asarray(measure_staffed_week(text)) if isinstance(text, str) else np.full(_HOURS_PER_WEEK, np.nan)
