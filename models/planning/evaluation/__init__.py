"""
What a plan is worth: judged beside the plans it could have been, and described stop by stop.

`judging` measures what is met before and after couriers respond, `report` is the plan as a record, `whatif` asks for
the fewest teams, and `stops` puts beside each stop of a duty roster what is known of its station.
"""

from models.planning.evaluation.judging import Judgement, compare_plans, judge_all, measure_residual
from models.planning.evaluation.report import InterceptionPlan, LeftOut, PlanSummary
from models.planning.evaluation.stops import describe_stops
from models.planning.evaluation.whatif import TeamsNeeded, find_minimum_teams

__all__ = [
    "InterceptionPlan",
    "Judgement",
    "LeftOut",
    "PlanSummary",
    "TeamsNeeded",
    "compare_plans",
    "describe_stops",
    "find_minimum_teams",
    "judge_all",
    "measure_residual",
]
