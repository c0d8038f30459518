"""
What the draw could have done, cell by cell: the chances and predictions that an evaluation of the log needs.

A cell is a station in a shift of a day. In come the mix and the best fixed roster; out comes one row a cell that either
could work, with what was predicted before anybody went.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from models.planning.roster.meeting import Roster, measure_gains
from models.planning.roster.mixing import Mix
from models.planning.roster.problem import DutyProblem

__all__ = ["tabulate_cells"]


def tabulate_cells(problem: DutyProblem, mix: Mix, fixed: Roster) -> pd.DataFrame:
    """
    Tabulate the cells of a week.

    Parameters
    ----------
    problem : DutyProblem
        Flow and places.
    mix : Mix
        Rosters from which one was drawn.
    fixed : Roster
        The best fixed roster: what the draw is compared with.

    Returns
    -------
    pandas.DataFrame
        By day, shift and station: ``day, shift, station_id``; ``chance`` with which the draw put a team there,
        ``hours`` there if it did, ``predicted_per_hour`` (courier trips met); and ``target_chance, target_hours,
        target_predicted_per_hour`` of the fixed roster.
    """
    alone = measure_gains(problem, (), problem.weekly)
    drawn = _sum_stays(problem, alone, mix.rosters)
    target = _sum_stays(problem, alone, (fixed,))
    rows = []
    for key in sorted(set(drawn) | set(target)):
        place, station = key
        n, hours, met = drawn.get(key, (0, 0.0, 0.0))
        target_n, target_hours, target_met = target.get(key, (0, 0.0, 0.0))
        rows.append(
            {
                "day": problem.places[place].day + 1,
                "shift": problem.places[place].shift.name,
                "station_id": problem.station_ids[station],
                "chance": n / len(mix.rosters),
                "hours": hours / n if n else 0.0,
                "predicted_per_hour": met / hours if n else target_met / target_hours,
                "target_chance": float(target_n),
                "target_hours": target_hours,
                "target_predicted_per_hour": target_met / target_hours if target_n else 0.0,
            }
        )
    return pd.DataFrame(rows)


def _sum_stays(
    problem: DutyProblem, gains: np.ndarray, rosters: tuple[Roster, ...]
) -> dict[tuple[int, int], tuple[int, float, float]]:
    """By place and station: rosters that work it, and hours and trips met of all of them."""
    found: dict[tuple[int, int], tuple[int, float, float]] = {}
    hours_per_step = problem.rules.step_min / 60.0
    for roster in rosters:
        here: dict[tuple[int, int], tuple[float, float]] = {}
        for shift in roster.shifts:
            for stay in shift.stays:
                hours, met = here.get((shift.place, stay.station), (0.0, 0.0))
                here[shift.place, stay.station] = (
                    hours + (stay.last - stay.first) * hours_per_step,
                    met + float(gains[stay.first : stay.last, stay.station].sum()),
                )
        for key, (hours, met) in here.items():
            n, all_hours, all_met = found.get(key, (0, 0.0, 0.0))
            found[key] = (n + 1, all_hours + hours, all_met + met)
    return found
