r"""
The mix of rosters that couriers cannot learn: many whole rosters, each good against where couriers go, one drawn.

Fictitious play (Brown [1]_): couriers respond to how often each journey is met over all rosters so far, the teams plan
anew against where they then go, and that roster joins the pool. The week's roster is one of the pool, drawn by a seed,
so each week keeps every rule and its chances are known: the share of the pool with a team there then. Where draws of
the posterior are given, each round plans on another of them: a roster is then worked as often as it is likely to be the
best (Thompson sampling, [2]_ [3]_), so that places of which little is known are looked at for what may be learned, and
places known to be poor are not, where a fixed random share looks at all alike.

Each round also sees gains a little off, by station and hour (smooth fictitious play, Fudenberg and Kreps [4]_): of
rosters that are as good but for a few percent, no one is worked every week.

Predictable patrols do harm where they are known not to be: on half of 102 London bus stops, patrolled in regular
visits, victim-generated crime within 50, 100 and 150 m rose by 25 (p = 0.10), 23 (p = 0.08) and 11 % (p at most 0.001)
against the others (Ariel and Partridge [5]_). `measure_guess` states in those terms how predictable a mix is.

References
----------
.. [1] Brown, G. W. (1951). "Iterative solution of games by fictitious play." In Activity Analysis of Production and
   Allocation, Wiley, 374-376.
.. [2] Thompson, W. R. (1933). "On the likelihood that one unknown probability exceeds another in view of the evidence
   of two samples." Biometrika 25, 285-294.
.. [3] Russo, D. and Van Roy, B. (2014). "Learning to optimize via posterior sampling." Mathematics of Operations
   Research 39(4), 1221-1243.
.. [4] Fudenberg, D. and Kreps, D. M. (1993). "Learning mixed equilibria." Games and Economic Behavior 5(3), 320-367.
.. [5] Ariel, B. and Partridge, H. (2017). "Predictable policing: measuring the crime control benefits of hotspots
   policing at bus stops." Journal of Quantitative Criminology 33, 809-833.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.planning.roster.couriers import Courier, flow_of_week, respond_to
from models.planning.roster.meeting import Roster, measure_watched
from models.planning.roster.musts import place_musts
from models.planning.roster.problem import DutyProblem
from models.planning.roster.replies import reply_best

__all__ = ["Mix", "measure_guess", "measure_propensity", "mix_rosters"]

FloatArray = NDArray[np.float64]

N_ROUNDS = 40
_MIN_PER_HOUR = 60
# ASSUMPTION: a planner does not mind which of two stays it is if they differ by this much, as a standard deviation.
_TASTE_SD = 0.25


@dataclass(frozen=True)
class Mix:
    """
    Rosters of which one is drawn.

    Attributes
    ----------
    rosters : tuple of Roster
        The pool, each as likely.
    drawn : int
        Which one is this week's.
    watched : numpy.ndarray of shape (n_steps, n_patterns)
        Chance that a trip in each step is met, over the pool.
    change : float
        Trips of a week by which what the pool meets changed in the last round: how far it has settled.
    """

    rosters: tuple[Roster, ...]
    drawn: int
    watched: FloatArray
    change: float

    @property
    def roster(self) -> Roster:
        """The one drawn."""
        return self.rosters[self.drawn]


def mix_rosters(
    problem: DutyProblem,
    *,
    random_state: int,
    courier: Courier | None = None,
    trip_draws: FloatArray | None = None,
    also: tuple[Roster, ...] = (),
    n_rounds: int = N_ROUNDS,
) -> Mix:
    """
    Make the pool and draw this week's roster.

    Parameters
    ----------
    problem : DutyProblem
        Flow, teams and rules.
    random_state : int
        Seed of the draw of the roster, and of the order of the draws.
    courier : Courier, optional
        How couriers respond.
    trip_draws : numpy.ndarray of shape (n_draws, n_pairs), optional
        Trips of a month by pair, draws of the posterior; without them every round plans on the mean.
    also : tuple of Roster
        Rosters that the pool holds besides, so that the log can tell of them.
    n_rounds : int
        Rounds; the first third is left out of the pool, where couriers had not yet responded to it.

    Returns
    -------
    Mix
        The same for the same arguments.
    """
    courier = courier or Courier()
    rng = np.random.default_rng(random_state)
    order = None if trip_draws is None or not len(trip_draws) else rng.permutation(len(trip_draws))
    n_first = n_rounds // 3
    placed = place_musts(problem)
    pool: list[Roster] = []
    mean, kept = np.zeros_like(problem.share), np.zeros_like(problem.share)
    change = np.inf
    for i in range(n_rounds):
        response = respond_to(problem, mean, courier)
        trips = None if trip_draws is None or order is None else trip_draws[order[i % len(order)]]
        moved = replace(problem, share=response.share)
        weekly = flow_of_week(problem, response.probability, trips)
        roster = reply_best(moved, weekly, taste=_draw_taste(problem, rng), placed=placed, n_passes=1)
        watched = measure_watched(problem, roster.shifts)
        mean += (watched - mean) / (i + 1)
        if i >= n_first:
            pool.append(roster)
            step = (watched - kept) / len(pool)
            change = abs(float(problem.weekly @ (problem.share * step).sum(axis=0)))
            kept += step
    for roster in also:
        pool.append(roster)
        kept += (measure_watched(problem, roster.shifts) - kept) / len(pool)
    return Mix(tuple(pool), int(rng.integers(len(pool))), kept, change)


def _draw_taste(problem: DutyProblem, rng: np.random.Generator) -> FloatArray:
    """Factors near 1 on the gains of each station and hour."""
    per_hour = _MIN_PER_HOUR // problem.rules.step_min
    n_steps, n_stations = problem.is_open.shape
    by_hour = np.exp(_TASTE_SD * rng.standard_normal((-(-n_steps // per_hour), n_stations)))
    return np.asarray(np.repeat(by_hour, per_hour, axis=0)[:n_steps], dtype=float)


def measure_propensity(problem: DutyProblem, mix: Mix) -> FloatArray:
    """
    Measure how often the pool has a team at each station in each place.

    Parameters
    ----------
    problem : DutyProblem
        Places and stations.
    mix : Mix
        The pool.

    Returns
    -------
    numpy.ndarray of shape (n_places, n_stations)
        Chance that some team has a stay there in that shift of that day.
    """
    chance = np.zeros((len(problem.places), len(problem.station_ids)))
    for roster in mix.rosters:
        for place, station in {(shift.place, stay.station) for shift in roster.shifts for stay in shift.stays}:
            chance[place, station] += 1.0
    return chance / len(mix.rosters)


def measure_guess(propensity: FloatArray) -> float:
    """
    Measure how often the best guess of one worked station of a shift is right.

    Parameters
    ----------
    propensity : numpy.ndarray of shape (n_places, n_stations)
        From `measure_propensity`.

    Returns
    -------
    float
        Mean over shifts in which somebody may work of the largest chance; 1 where a fixed list is worked.
    """
    largest = propensity.max(axis=1)
    return float(largest[largest > 0].mean()) if (largest > 0).any() else 0.0
