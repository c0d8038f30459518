r"""
What couriers do who know where and when teams stand: they go at another hour, by another way, or by road.

Who sends them is taken to know how often each journey is met at each time of day, over the weeks, and not what is done
today. A trip of pattern :math:`r` keeps its day and is made at time :math:`s` in proportion to

.. math:: g_{rs} e^{-\lambda c m_{rs}},

:math:`g` the share made then before, :math:`m` the chance of being met, :math:`c` the minutes that being met is worth
avoiding and :math:`\lambda` the scale of the choice of mode; with the chance that is left, trips divide again among
routes and the road (`models.planning.response.evasion.respond`). The first keeps a plan from standing at one station
at one hour week after week: that is what makes patrols predictable. Both scales are ASSUMPTIONS, and the plan's
interval is over a range of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.corridors.choice import MODE_SCALE_PER_MIN
from models.planning.problem import MET_COST_MIN
from models.planning.problem.shifts import DAYS_PER_MONTH
from models.planning.response.evasion import respond
from models.planning.roster.problem import DutyProblem

__all__ = ["FEARS", "Courier", "Response", "flow_of_week", "respond_to"]

FloatArray = NDArray[np.float64]

_DAYS_PER_WEEK = 7


@dataclass(frozen=True)
class Courier:
    """
    How couriers are taken to respond.

    Attributes
    ----------
    met_cost_min : float
        Generalised minutes that being met for certain is worth avoiding.
    informed_share : float
        Share of trips for which it is known how often each journey is met, and when.
    """

    met_cost_min: float = MET_COST_MIN
    informed_share: float = 1.0


# ASSUMPTION: the range over which a plan is told: half an hour to four hours, known to half of them or to all.
FEARS = tuple(Courier(minutes, share) for share in (0.5, 1.0) for minutes in (30.0, 60.0, 120.0, 240.0))


@dataclass(frozen=True)
class Response:
    """
    Where trips go.

    Attributes
    ----------
    probability : numpy.ndarray of shape (n_routes,)
        Shares of the routes.
    share : numpy.ndarray of shape (n_steps, n_patterns)
        Share of the trips of a week made in each step.
    """

    probability: FloatArray
    share: FloatArray


def respond_to(problem: DutyProblem, watched: FloatArray, courier: Courier) -> Response:
    """
    Give where couriers go who know when they are met.

    Parameters
    ----------
    problem : DutyProblem
        Patterns and routes.
    watched : numpy.ndarray of shape (n_steps, n_patterns)
        Chance that a trip in each step is met.
    courier : Courier
        How they respond.

    Returns
    -------
    Response
        Trips of the week are as many as before, by rail or road.
    """
    of_day = np.arange(len(watched)) % problem.steps_per_day
    # A shift of the last day may end on the morning after: who is met then counts as on the first morning.
    n_own = problem.n_days * problem.steps_per_day
    by_time = _sum_by_time(problem.share * watched, problem.steps_per_day)
    made = _sum_by_time(problem.share[:n_own], problem.steps_per_day)
    chance = np.divide(by_time, made, out=by_time, where=made > 0)
    kept = np.exp(-MODE_SCALE_PER_MIN * courier.met_cost_min * chance)
    # Over the day trips are as many as before.
    whole = made.sum(axis=0)
    after = (made * kept).sum(axis=0)
    scale = np.divide(whole, after, out=np.ones_like(whole), where=after > 0)
    share = problem.share * (1.0 + courier.informed_share * (kept * scale - 1.0))[of_day]
    known = share[:n_own].sum(axis=0)
    met = np.divide((share * watched).sum(axis=0), known, out=np.zeros_like(known), where=known > 0)
    probability = respond(problem.encounters, np.minimum(met, 1.0), met_cost_min=courier.met_cost_min)
    before = problem.encounters.routes.probability
    return Response(np.asarray(before + courier.informed_share * (probability - before), dtype=float), share)


def _sum_by_time(values: FloatArray, per_day: int) -> FloatArray:
    total = np.zeros((per_day, values.shape[1]))
    for first in range(0, len(values), per_day):
        day = values[first : first + per_day]
        total[: len(day)] += day
    return total


def flow_of_week(
    problem: DutyProblem, probability: FloatArray | None = None, trips_per_month: FloatArray | None = None
) -> FloatArray:
    """
    Sum trips of a week by pattern.

    Parameters
    ----------
    problem : DutyProblem
        Patterns and routes.
    probability : numpy.ndarray of shape (n_routes,), optional
        Shares of the routes; as they are where absent.
    trips_per_month : numpy.ndarray of shape (n_pairs,), optional
        Trips of the pairs; as they are where absent.

    Returns
    -------
    numpy.ndarray of shape (n_patterns,)
        Trips, or harm, of a week.
    """
    encounters = problem.encounters
    monthly = encounters.worth_of_patterns(encounters.worth_of_routes(probability, trips_per_month))
    return np.asarray(monthly * _DAYS_PER_WEEK / DAYS_PER_MONTH, dtype=float)
