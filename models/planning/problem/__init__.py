"""
The question that a plan answers, as data: who can be met where, what a team can do when, and the rules to keep.

Routes of couriers become patterns of stations (`encounters`), days become shifts (`shifts`) with their shares of a week
(`week`), stations of no use to a team are left out (`candidates`), and what a team can do in a shift becomes a duty
(`duties`). A user's rules (`rules`) make of these the programme that is to be solved (`programme`); `setting` holds it
all. Nothing is solved here.
"""

from models.planning.problem.candidates import (
    LEAST_PASSENGERS_PER_DAY,
    find_quiet_stations,
    measure_passengers_per_day,
    measure_staffed_share,
    sum_shift_trains,
)
from models.planning.problem.duties import Duties
from models.planning.problem.encounters import Encounters, build_encounters, fold_rows
from models.planning.problem.programme import (
    Choice,
    FlowShare,
    Group,
    Programme,
    Slot,
    TeamList,
    Work,
    duties_of,
    is_alike,
    measure_choice,
    measure_value,
)
from models.planning.problem.rules import MET_COST_MIN, PlanRules, TeamGroup, fold_days
from models.planning.problem.setting import Setting, build_setting
from models.planning.problem.shifts import (
    DAYS_PER_MONTH,
    HOURS_PER_DAY,
    WEEKDAYS,
    Shift,
    name_days,
)

__all__ = [
    "DAYS_PER_MONTH",
    "HOURS_PER_DAY",
    "LEAST_PASSENGERS_PER_DAY",
    "MET_COST_MIN",
    "WEEKDAYS",
    "Choice",
    "Duties",
    "Encounters",
    "FlowShare",
    "Group",
    "PlanRules",
    "Programme",
    "Setting",
    "Shift",
    "Slot",
    "TeamGroup",
    "TeamList",
    "Work",
    "build_encounters",
    "build_setting",
    "duties_of",
    "find_quiet_stations",
    "fold_days",
    "fold_rows",
    "is_alike",
    "measure_choice",
    "measure_passengers_per_day",
    "measure_staffed_share",
    "measure_value",
    "name_days",
    "sum_shift_trains",
]
