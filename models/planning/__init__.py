"""
The interception plan: which teams stand where and when, what that meets, and what the other side does next.

Stations that few use are left out (`quiet`), and shifts in which a station has no train (`opening`). Routes of couriers
become patterns of stations (`encounters`), shifts become duties (`shifts`, `duties`), a proven programme and its greedy
yardstick choose among them (`programme`, `choice`), couriers respond (`evasion`), rosters are drawn (`rosters`,
`schedule`), and everything is judged alike (`judging`). `plan` is the whole, and `stops` puts beside it what is known
of each station. The solver is imported here and nowhere else.
"""

from models.planning.interdiction import Game, Pair, solve_interdiction
from models.planning.plan import InterceptionPlan, PlanSummary, plan_interception
from models.planning.quiet import LEAST_PASSENGERS_PER_DAY, LeftOut, find_quiet_stations, measure_passengers_per_day
from models.planning.rules import PlanRules, TeamGroup
from models.planning.shifts import UNDERGROUND_DOSAGE, Dosage, Shift
from models.planning.siting import Siting, choose_sites
from models.planning.stops import describe_stops
from models.planning.whatif import Override, TeamsNeeded, find_minimum_teams, judge_override

__all__ = [
    "LEAST_PASSENGERS_PER_DAY",
    "UNDERGROUND_DOSAGE",
    "Dosage",
    "Game",
    "InterceptionPlan",
    "LeftOut",
    "Override",
    "Pair",
    "PlanRules",
    "PlanSummary",
    "Shift",
    "Siting",
    "TeamGroup",
    "TeamsNeeded",
    "choose_sites",
    "describe_stops",
    "find_minimum_teams",
    "find_quiet_stations",
    "judge_override",
    "measure_passengers_per_day",
    "plan_interception",
    "solve_interdiction",
]
