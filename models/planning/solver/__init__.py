"""
The best answer to the problem, and the proof that none is better; the solver is imported here and nowhere else.

A programme is proven by a mixed-integer solver (`solving`). It begins with greed and swaps (`greedy`, the yardstick
beside it too); the planes of the hull (`envelope`) and the rules (`limits`) make a linear relaxation (`relaxing`) whose
prices leave out the duties that no better choice holds (`reducing`). `feasibility` says whether the rules can be kept
at all and `solution` holds an answer. Two methods answer questions of their own: `siting` (with `pricing`) chooses
among thousands of stations, and `interdiction` solves the game on a railway.
"""

from models.planning.solver.feasibility import require_possible
from models.planning.solver.greedy import choose_greedily, measure_marginals
from models.planning.solver.interdiction import Game, Pair, solve_interdiction
from models.planning.solver.siting import Siting, choose_sites
from models.planning.solver.solution import Solution, unfold_days
from models.planning.solver.solving import solve_programme

__all__ = [
    "Game",
    "Pair",
    "Siting",
    "Solution",
    "choose_greedily",
    "choose_sites",
    "measure_marginals",
    "require_possible",
    "solve_interdiction",
    "solve_programme",
    "unfold_days",
]
