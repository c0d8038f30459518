"""
What a roster yields: couriers met in a week and team-hours for one meeting, with intervals; and what each stay adds.

The interval is joint: each draw of the posterior has its own trips by pair, its own level and its own chance that a
team notices a courier (where finds are known, they hold the product of the last two). After the response, each draw
also has one of the assumptions about couriers in `couriers.FEARS`. A team meets in proportion to its chance of noticing
a courier, but where two stand on one journey at once: taken as such for the draws, exact for the figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from models.planning.problem.shifts import DAYS_PER_MONTH
from models.planning.roster.couriers import FEARS, Courier, Response, respond_to
from models.planning.roster.itineraries import Itinerary, Stay
from models.planning.roster.meeting import stand_where
from models.planning.roster.problem import DutyProblem

__all__ = [
    "FlowDraws",
    "Watch",
    "credit_stays",
    "measure_duty_hours",
    "measure_stay_trips",
    "measure_yields",
    "with_detection",
]

FloatArray = NDArray[np.float64]

_LOW, _HIGH = 0.05, 0.95
_DAYS_PER_WEEK = 7


@dataclass(frozen=True)
class FlowDraws:
    """
    Draws of the posterior.

    Attributes
    ----------
    trips : numpy.ndarray of shape (n_draws, n_pairs)
        Trips of a month by pair of the routes.
    detection : numpy.ndarray of shape (n_draws,)
        Chance that a team notices a courier, as a factor on the one that is assumed.
    assumed_share : float
        The chance that is assumed.
    """

    trips: FloatArray
    detection: FloatArray
    assumed_share: float

    def with_detection(self, factor: float) -> FlowDraws:
        """
        Let teams notice couriers more or less often, in no draw more than surely.

        Parameters
        ----------
        factor : float
            On the chance that is assumed.

        Returns
        -------
        FlowDraws
            The same trips; factors on the new chance.
        """
        assumed = min(self.assumed_share * factor, 1.0)
        return replace(self, detection=np.minimum(self.detection, 1.0 / assumed), assumed_share=assumed)


@dataclass(frozen=True)
class Watch:
    """
    A plan as it is judged.

    Attributes
    ----------
    watched : numpy.ndarray of shape (n_steps, n_patterns)
        Chance that a trip in each step is met.
    known : numpy.ndarray of shape (n_steps, n_patterns)
        What couriers know of it: the mix that a roster is drawn from, or a fixed roster itself.
    duty_hours : float
        Team-hours.
    """

    watched: FloatArray
    known: FloatArray
    duty_hours: float


def measure_duty_hours(problem: DutyProblem, shifts: Sequence[Itinerary]) -> float:
    """
    Sum the hours on duty.

    Parameters
    ----------
    problem : DutyProblem
        Places.
    shifts : sequence of Itinerary
        Of a roster.

    Returns
    -------
    float
        Team-hours, briefings, drives and breaks among them.
    """
    return sum(problem.places[shift.place].n_steps for shift in shifts) * problem.rules.step_min / 60.0


def measure_yields(problem: DutyProblem, plans: Mapping[str, Watch], draws: FlowDraws | None) -> pd.DataFrame:
    """
    Measure what plans yield in a week.

    Parameters
    ----------
    problem : DutyProblem
        Flow.
    plans : mapping of str to Watch
        By name; the first is the one that the others are compared with.
    draws : FlowDraws or None
        For the intervals; null where absent.

    Returns
    -------
    pandas.DataFrame
        By ``plan``: ``team_hours_per_week``, ``met_per_week`` and ``met_per_week_evading``, each with ``_low`` and
        ``_high`` (5 and 95 %), ``hours_per_meeting`` and ``hours_per_meeting_evading`` with theirs, ``met_share`` and
        ``met_share_evading`` of the week's trips by rail, ``to_road_share``, and ``gain_low, gain_high,
        gain_evading_low, gain_evading_high``: the first plan's yield less this one's.
    """
    rail_trips = problem.encounters.rail_worth() * _DAYS_PER_WEEK / DAYS_PER_MONTH or 1.0
    scale = _DAYS_PER_WEEK / problem.n_days
    rows: dict[str, dict[str, float]] = {}
    first: dict[str, FloatArray] = {}
    for name, plan in plans.items():
        hours = plan.duty_hours * scale
        row = {"team_hours_per_week": hours}
        answers = [respond_to(problem, plan.known, courier) for courier in (Courier(), *FEARS)]
        by_pair = {
            "": [_met_by_pair(problem, plan.watched, None)],
            "_evading": [_met_by_pair(problem, plan.watched, answer) for answer in answers],
        }
        for suffix, values in by_pair.items():
            met = scale * float(values[0] @ problem.encounters.routes.trips_per_month)
            drawn = scale * _drawn(values[-len(FEARS) :], draws)
            first.setdefault(suffix, drawn)
            row |= _with_interval(f"met_per_week{suffix}", met, drawn)
            row |= _hours_each(f"hours_per_meeting{suffix}", hours, row, f"met_per_week{suffix}")
            row[f"met_share{suffix}"] = met / rail_trips
            row |= _with_interval(f"gain{suffix}", np.nan, first[suffix] - drawn)
        on_rail = problem.encounters.worth_of_routes(answers[0].probability)[~problem.encounters.routes.is_road].sum()
        row["to_road_share"] = 1.0 - float(on_rail) / (problem.encounters.rail_worth() or 1.0)
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("plan").drop(columns=["gain", "gain_evading"])


def credit_stays(problem: DutyProblem, shifts: Sequence[Itinerary], share: FloatArray | None = None) -> FloatArray:
    """
    Divide what a roster meets among its stays.

    Parameters
    ----------
    problem : DutyProblem
        Flow.
    shifts : sequence of Itinerary
        Of a roster.
    share : numpy.ndarray of shape (n_steps, n_patterns), optional
        When trips are made; as they are where absent.

    Returns
    -------
    numpy.ndarray of shape (n_stays, n_patterns)
        Share of the trips of a week that each stay meets, in the order of the shifts and their stays. A trip that two
        teams could meet is divided by their hazards, so that stays add up to the roster.
    """
    share = problem.share if share is None else share
    at = stand_where(problem, shifts)
    total = np.zeros(problem.share.shape)
    for stations in at:
        steps = np.flatnonzero(stations >= 0)
        total[steps] += problem.hazard.T[stations[steps]]
    stays: list[Stay] = [stay for shift in shifts for stay in shift.stays]
    credit = np.zeros((len(stays), problem.hazard.shape[0]))
    for row, stay in enumerate(stays):
        own, whole = problem.hazard[:, stay.station], total[stay.first : stay.last]
        part = np.divide(own, whole, out=np.zeros_like(whole), where=whole > 0)
        credit[row] = (share[stay.first : stay.last] * -np.expm1(-whole) * part).sum(axis=0)
    return credit


def measure_stay_trips(
    problem: DutyProblem, shifts: Sequence[Itinerary], known: FloatArray, draws: FlowDraws | None
) -> pd.DataFrame:
    """
    Measure what each stay meets.

    Parameters
    ----------
    problem : DutyProblem
        Flow.
    shifts : sequence of Itinerary
        Of a roster.
    known : numpy.ndarray of shape (n_steps, n_patterns)
        What couriers know.
    draws : FlowDraws or None
        For the intervals.

    Returns
    -------
    pandas.DataFrame
        In the order of the shifts and their stays: ``expected_met_trips`` with ``_low`` and ``_high``, and
        ``expected_met_trips_evading``.
    """
    credit = credit_stays(problem, shifts)
    answer = respond_to(problem, known, Courier())
    routes = problem.encounters.routes
    before = credit @ _to_patterns(problem, routes.probability)
    after = credit_stays(problem, shifts, answer.share) @ _to_patterns(problem, answer.probability)
    table = pd.DataFrame(
        {
            "expected_met_trips": before @ routes.trips_per_month,
            "expected_met_trips_evading": after @ routes.trips_per_month,
        }
    )
    drawn = np.full((1, len(table)), np.nan) if draws is None else (draws.trips @ before.T) * draws.detection[:, None]
    low, high = np.quantile(drawn, [_LOW, _HIGH], axis=0)
    return table.assign(expected_met_trips_low=low, expected_met_trips_high=high)


def _to_patterns(problem: DutyProblem, probability: FloatArray) -> sparse.csr_matrix:
    """Trips of a week on each pattern for one trip a month of each pair."""
    encounters = problem.encounters
    seen = encounters.pattern_of_route >= 0
    pair = encounters.pair_of_route[seen]
    values = probability[seen] * encounters.worth[pair] * _DAYS_PER_WEEK / DAYS_PER_MONTH
    shape = (problem.hazard.shape[0], len(encounters.routes.flow_ids))
    return sparse.csr_matrix((values, (encounters.pattern_of_route[seen], pair)), shape=shape)


def _met_by_pair(problem: DutyProblem, watched: FloatArray, response: Response | None) -> FloatArray:
    """Trips met in the plan's days for one trip a month of each pair."""
    answer = response or Response(problem.encounters.routes.probability, problem.share)
    met = (answer.share * watched).sum(axis=0)
    return np.asarray(met @ _to_patterns(problem, answer.probability), dtype=float)


def _drawn(values: Sequence[FloatArray], draws: FlowDraws | None) -> FloatArray:
    """What each draw yields; with several values by pair, draws take them in turn."""
    if draws is None:
        return np.full(1, np.nan)
    by_value = draws.trips @ np.stack(values).T
    turn = np.arange(len(by_value)) % len(values)
    return np.asarray(by_value[np.arange(len(by_value)), turn] * draws.detection, dtype=float)


def _with_interval(name: str, value: float, drawn: FloatArray) -> dict[str, float]:
    low, high = np.quantile(drawn, [_LOW, _HIGH])
    return {name: value, f"{name}_low": float(low), f"{name}_high": float(high)}


def _hours_each(name: str, hours: float, row: Mapping[str, float], met: str) -> dict[str, float]:
    """Hours for one meeting: many where few are met."""
    ends = {"": met, "_low": f"{met}_high", "_high": f"{met}_low"}
    return {f"{name}{end}": hours / row[of] if row[of] > 0 else np.inf for end, of in ends.items()}


def with_detection(problem: DutyProblem, factor: float) -> DutyProblem:
    """
    Let teams notice couriers more or less often.

    Parameters
    ----------
    problem : DutyProblem
        As it is.
    factor : float
        On every chance of being met; none comes above certainty.

    Returns
    -------
    DutyProblem
        All else as it is.
    """
    chance = np.minimum(factor * -np.expm1(-problem.hazard), 1.0 - 1e-12)
    return replace(problem, hazard=-np.log1p(-chance))
