"""
What couriers do once they know how often each station is worked, and the mix of duties that holds against it.

`evasion` finds the fixed point of plan and response; `mixing` says how often each duty is then worked on each slot.
"""

from models.planning.response.evasion import Mix, mean_hazard, respond, share_met
from models.planning.response.mixing import measure_coverage, mix_duties, share_duties

__all__ = [
    "Mix",
    "mean_hazard",
    "measure_coverage",
    "mix_duties",
    "respond",
    "share_duties",
    "share_met",
]
