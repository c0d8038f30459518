"""
The duty roster: named teams with bases, shifts of two to four stays with times, breaks and drives, and rules kept.

`duty_rules` says what a roster must keep. `problem` is flow, trains and drives on a grid of steps, made by `building`.
`itineraries` finds the best shift of a team, `team_weeks` its best week, `musts` places what must be visited, `replies`
finds the weeks of all teams, and `meeting` says what they meet. `couriers` says where couriers go then, `mixing` makes
the mix of rosters that they cannot learn, `yields` and `cells` what it yields, `agreement` where it differs from the
list; `duty_tables` writes it down, and `making` is the whole.
"""

from models.planning.roster.building import build_duty_problem
from models.planning.roster.couriers import FEARS, Courier, respond_to
from models.planning.roster.duty_rules import DutyRules, Team, name_again
from models.planning.roster.duty_tables import tabulate_duties, tabulate_stays
from models.planning.roster.making import (
    AS_PLANNED,
    AT_RANDOM,
    BEST_FIXED,
    SUCH_WEEKS,
    THIS_WEEK,
    DutyPlan,
    DutySummary,
    WhatIf,
    make_duty_plan,
    measure_what_ifs,
)
from models.planning.roster.meeting import Roster, measure_watched
from models.planning.roster.mixing import Mix, measure_propensity, mix_rosters
from models.planning.roster.problem import DutyProblem
from models.planning.roster.replies import reply_best
from models.planning.roster.yields import (
    FlowDraws,
    Watch,
    measure_duty_hours,
    measure_stay_trips,
    measure_yields,
    with_detection,
)

__all__ = [
    "AS_PLANNED",
    "AT_RANDOM",
    "BEST_FIXED",
    "FEARS",
    "SUCH_WEEKS",
    "THIS_WEEK",
    "Courier",
    "DutyPlan",
    "DutyProblem",
    "DutyRules",
    "DutySummary",
    "FlowDraws",
    "Mix",
    "Roster",
    "Team",
    "Watch",
    "WhatIf",
    "build_duty_problem",
    "make_duty_plan",
    "measure_duty_hours",
    "measure_propensity",
    "measure_stay_trips",
    "measure_watched",
    "measure_what_ifs",
    "measure_yields",
    "mix_rosters",
    "name_again",
    "reply_best",
    "respond_to",
    "tabulate_duties",
    "tabulate_stays",
    "with_detection",
]
