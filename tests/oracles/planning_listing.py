"""Small random programmes, and their best choice by listing all there are; nothing of the solver is used."""

from itertools import combinations, product

import numpy as np
from scipy import sparse

from models.planning.problem.duties import Duties
from models.planning.problem.programme import Group, Programme, Slot

# Chances of meeting: on a platform and on board, certain meetings, and a share of a shift of each.
LEVELS = ((0.36, 0.2), (0.84, 0.6), (1 - 1e-12, 0.5), (0.9, 0.3, 0.45, 0.15), None)


def make_random_programme(rng):
    """Up to 8 stations, 2 slots, 2 groups and 3 teams; tours, closed stations, musts, crews and numbered shifts."""
    n_stations, n_slots = int(rng.integers(4, 9)), int(rng.integers(1, 3))
    stops = [(k,) for k in range(n_stations)]
    if rng.random() < 0.3:
        stops += [tuple(pair) for pair in rng.permutation(list(combinations(range(n_stations), 2)))[:5].tolist()]
    slots = tuple(make_random_slot(rng, s, n_stations, stops) for s in range(n_slots))
    teams = (1, int(rng.integers(1, 3))) if rng.random() < 0.4 else (int(rng.integers(1, 4)),)
    areas = [np.ones(n_stations, dtype=bool), rng.random(n_stations) < 0.6]
    groups = tuple(
        Group(f"g{g}", n, areas[g], int(rng.integers(1, n + 1)) if rng.random() < 0.3 else None)
        for g, n in enumerate(teams)
    )
    must = tuple(rng.choice(n_stations, int(rng.integers(1, 4)), replace=False).tolist()) if rng.random() < 0.4 else ()
    most = int(rng.integers(1, 5)) if rng.random() < 0.3 else None
    return Programme(slots, groups, must, float(rng.choice([0.0, 11.0])), most)


def make_random_slot(rng, s, n_stations, stops):
    n_patterns, levels = int(rng.integers(1, 25)), LEVELS[rng.integers(len(LEVELS))]
    chance = (
        rng.uniform(0.01, 1.0, (n_patterns, n_stations))
        if levels is None
        else rng.choice(levels, (n_patterns, n_stations))
    )
    hazard = -np.log1p(-chance) * (rng.random(chance.shape) < 0.5)
    at = np.zeros((n_stations, len(stops)))
    for duty, tour in enumerate(stops):
        at[list(tour), duty] = 1.0 / len(tour)
    worth = rng.uniform(0.0, 10.0, n_patterns) * (rng.random(n_patterns) < 0.9)
    duties = Duties(tuple(stops), sparse.csc_matrix(at), sparse.csr_matrix(hazard @ at), np.zeros(len(stops)))
    is_open = rng.random(n_stations) < 0.8 if rng.random() < 0.3 else None
    return Slot(0, duties, worth, 8.0 * s, 8.0 * s + 8.0, int(rng.integers(1, 4)), is_open)


def list_best(programme):
    """
    Worth met by the best choice; None where the rules leave none.

    All a slot can hold is listed. Of choices that work the same musts with as many teams of each group only the best
    counts, and what is left of all slots is combined in every way.
    """
    by_slot = []
    for slot in programme.slots:
        best = {}
        for choice in list_slot(programme, slot):
            worked = frozenset(k for _, d in choice for k in slot.duties.stops[d])
            key = (
                worked & set(programme.must),
                tuple(sum(h == g for h, _ in choice) for g in range(len(programme.groups))),
            )
            best[key] = max(best.get(key, 0.0), measure(slot, choice))
        by_slot.append(best)
    values = [
        sum(best[key] for best, key in zip(by_slot, keys, strict=True))
        for keys in product(*by_slot)
        if set(programme.must) <= {k for worked, _ in keys for k in worked}
        and are_rested(programme, [n for _, n in keys])
    ]
    return max(values, default=None)


def list_slot(programme, slot):
    """Every list of (group, duty) that a slot can hold: in the area, open, one team at a station, enough teams."""
    n_groups = len(programme.groups)
    for size in range(sum(group.n_teams for group in programme.groups) + 1):
        for duties in combinations(range(len(slot.duties.stops)), size):
            stations = [k for d in duties for k in slot.duties.stops[d]]
            if len(set(stations)) < len(stations):
                continue
            for taken in product(range(n_groups), repeat=size):
                choice = tuple(zip(taken, duties, strict=True))
                if all(is_in_area(programme.groups[g], slot, d) for g, d in choice) and all(
                    taken.count(g) <= group.n_teams for g, group in enumerate(programme.groups)
                ):
                    yield choice


def is_in_area(group, slot, duty):
    return all(group.may_work[k] and (slot.is_open is None or slot.is_open[k]) for k in slot.duties.stops[duty])


def measure(slot, choice):
    """Worth met, trip by trip: one less the chance that every team misses it."""
    missed = np.ones(slot.worth.size)
    for _, duty in choice:
        missed *= np.exp(-slot.duties.hazard[:, [duty]].toarray().ravel())
    return slot.n_alike * float(slot.worth @ (1.0 - missed))


def are_rested(programme, numbers):
    """Whether so many teams of each group on each slot keep to the crews and to the team shifts there are."""
    if programme.most_teams is not None:
        worked = sum(slot.n_alike * sum(n) for slot, n in zip(programme.slots, numbers, strict=True))
        if worked > programme.most_teams:
            return False
    for g, group in enumerate(programme.groups):
        for now in programme.slots:
            away = sum(
                n[g]
                for slot, n in zip(programme.slots, numbers, strict=True)
                if slot.start_h <= now.start_h < slot.end_h + programme.rest_h
            )
            if group.n_crews is not None and away > group.n_crews:
                return False
    return True


def require_allowed(programme, chosen):
    """The choice of each slot is one that is listed, and all together keep the rules."""
    numbers = []
    for slot, choice in zip(programme.slots, chosen, strict=True):
        by_duty = tuple(sorted(choice, key=lambda team: team[1]))
        assert by_duty in set(list_slot(programme, slot))
        numbers.append([sum(h == g for h, _ in choice) for g in range(len(programme.groups))])
    worked = {
        k for slot, choice in zip(programme.slots, chosen, strict=True) for _, d in choice for k in slot.duties.stops[d]
    }
    assert set(programme.must) <= worked
    assert are_rested(programme, numbers)
