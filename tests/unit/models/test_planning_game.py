"""The game: worked examples and refusals."""

import numpy as np
import pytest

from geo.errors import UsageError
from models.planning.solver.interdiction import Pair, solve_interdiction
from models.planning.solver.pricing import decide_sites

# Two ways from 0 to 3, by 1 or by 2.
TAIL, HEAD = np.array([0, 0, 1, 2]), np.array([1, 2, 3, 3])


def test_two_ways_are_watched_in_inverse_proportion_to_the_chance_there():
    game = solve_interdiction(TAIL, HEAD, np.array([0.0, 0.5, 0.25, 0.0]), [Pair(0, 3)])
    assert game.chance.tolist() == pytest.approx([0, 1 / 3, 2 / 3, 0])
    assert game.value == pytest.approx(1 / 6)


def test_teams_are_divided_among_pairs_by_weight():
    # Each pair has its own line of two stations; one team can be sure of only one of them.
    game = solve_interdiction(
        np.array([0, 2]), np.array([1, 3]), np.array([0.5, 0.0, 0.4, 0.0]), [Pair(0, 1, 1.0), Pair(2, 3, 3.0)]
    )
    assert game.value == pytest.approx(1.2)
    assert game.chance.tolist() == pytest.approx([0, 0, 1, 0])
    assert game.value_by_pair.tolist() == pytest.approx([0, 0.4])


def test_a_station_is_decided_only_where_forcing_it_falls_below_the_value_at_hand():
    prices = np.array([5.0, 4.0, 3.0, 1.0])
    decided = decide_sites(prices, 10.0, 8.5, 2)
    # Without the first the bound is 8, with the last instead of the second it is 7; the others leave 9.
    assert decided.is_in.tolist() == [True, False, False, False]
    assert decided.is_open.tolist() == [False, True, True, False]


@pytest.mark.parametrize(
    ("pairs", "n_teams", "message"),
    [
        ([Pair(3, 0)], 1, r"no route leads from station 3 to 0"),
        ([], 1, r"interdiction: 1 teams, 0 pairs"),
        ([Pair(0, 3)], 0, r"interdiction: 0 teams, 1 pairs"),
    ],
)
def test_games_that_cannot_be_played_are_refused(pairs, n_teams, message):
    with pytest.raises(UsageError, match=message):
        solve_interdiction(TAIL, HEAD, np.full(4, 0.5), pairs, n_teams=n_teams)
