"""
Interception: which teams stand where and when, what that meets, and what the other side does next.

There are two answers, and neither knows the other:

- `roster` is the week's duty roster that the products show: named teams with bases, shifts of a few stays with drives,
  breaks and rest. It is found by search, and has a bound but no proof.
- `plan` is the proven list of stations: whole shifts, solved exactly. It says how good a list can be, how many teams
  meet a share, and what a mix of lists is worth once couriers respond. Nobody works from it.

Both stand on four rooms, each of which only knows those before it: `problem` is the question as data, `solver` answers
it with a proof, `response` is what couriers do next, and `evaluation` judges every plan alike.
"""

from models.planning.evaluation import (
    InterceptionPlan,
    LeftOut,
    PlanSummary,
    TeamsNeeded,
    describe_stops,
    find_minimum_teams,
)
from models.planning.plan import plan_interception
from models.planning.problem import (
    LEAST_PASSENGERS_PER_DAY,
    Encounters,
    PlanRules,
    Shift,
    TeamGroup,
    build_encounters,
    find_quiet_stations,
    measure_passengers_per_day,
)
from models.planning.solver import Game, Pair, Siting, choose_sites, solve_interdiction

__all__ = [
    "LEAST_PASSENGERS_PER_DAY",
    "Encounters",
    "Game",
    "InterceptionPlan",
    "LeftOut",
    "Pair",
    "PlanRules",
    "PlanSummary",
    "Shift",
    "Siting",
    "TeamGroup",
    "TeamsNeeded",
    "build_encounters",
    "choose_sites",
    "describe_stops",
    "find_minimum_teams",
    "find_quiet_stations",
    "measure_passengers_per_day",
    "plan_interception",
    "solve_interdiction",
]
