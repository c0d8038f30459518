"""Did it work: `displacement` sets before against after; `visits` and `off_policy` read a log by its chances."""

from models.evaluation.displacement import (
    AREAS,
    Difference,
    find_detectable_reduction,
    measure_displacement_difference,
    measure_power,
)
from models.evaluation.off_policy import Comparison, PlanYield, estimate_plans
from models.evaluation.visits import match_propensity, read_results

__all__ = [
    "AREAS",
    "Comparison",
    "Difference",
    "PlanYield",
    "estimate_plans",
    "find_detectable_reduction",
    "match_propensity",
    "measure_displacement_difference",
    "measure_power",
    "read_results",
]
