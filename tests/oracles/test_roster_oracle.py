"""Duty rosters against an independent checker, exhaustive search, and couriers simulated one by one."""

from dataclasses import replace
from itertools import combinations, pairwise, product

import numpy as np
import pandas as pd
import pytest

from geo.errors import UsageError
from models.planning.problem.shifts import Shift
from models.planning.roster import DutyRules, Team, mix_rosters, reply_best
from models.planning.roster.duty_tables import tabulate_duties, tabulate_stays
from models.planning.roster.itineraries import Itinerary, Stay, find_best_shifts
from models.planning.roster.meeting import measure_gains, measure_met
from models.planning.roster.mixing import measure_propensity
from models.planning.roster.replies import bound_rosters
from models.planning.roster.team_weeks import choose_places
from models.planning.roster.yields import measure_stay_trips
from tests.unit.models.roster_worlds import faults, random_hours, random_problem

NAMES = pd.Series({c: f"Station {c}" for c in "ABCDEFGH"} | {"depot": "Depot"})
TIERS = pd.Series(dict.fromkeys("ABCDEFGH", "B"))
SHORT = DutyRules(
    shifts=(Shift("short", 8.0, 13.0),), least_stay_min=30, longest_stay_min=75, break_from_h=1.0, most_stops=3
)


def tables_of(problem, roster):
    trips = measure_stay_trips(problem, roster.shifts, np.zeros_like(problem.share), None)
    chance = np.ones((len(problem.places), len(problem.station_ids)))
    table = tabulate_stays(problem, roster, trips, chance, names=NAMES, tiers=TIERS, first_on=None)
    return table, tabulate_duties(problem, roster, names=NAMES, first_on=None)


@pytest.mark.parametrize("seed", range(20))
def test_a_random_roster_keeps_every_rule(seed):
    rng = np.random.default_rng(seed)
    shifts = [("early", "late"), ("early", "day", "late"), ("late", "night"), ("day",)][seed % 4]
    hours = random_hours(rng, "ABCDEFGH")
    must = ("B",) if seed % 3 == 0 else ()
    rules = DutyRules(shifts=shifts, must_visit=must, longest_drive_min=float(rng.uniform(40, 75)))
    problem = random_problem(
        seed, n_teams=int(rng.integers(1, 5)), rules=rules, hours=hours, n_days=[7, 7, 14, 3][seed % 4]
    )
    near = problem.base_min[:, 1].min() <= rules.longest_drive_min
    if must and not near:
        with pytest.raises(UsageError, match=r"plan.must_visit: 'B' cannot be worked in the \d+ days"):
            reply_best(problem)
        return
    roster = reply_best(problem)
    assert faults(problem, *tables_of(problem, roster), hours) == []
    mix = mix_rosters(problem, random_state=seed, n_rounds=4)
    for drawn in mix.rosters:
        assert faults(problem, *tables_of(problem, drawn), hours) == []
    assert roster.shifts


@pytest.mark.parametrize("seed", range(12))
def test_several_musts_are_all_kept_or_refused(seed):
    rng = np.random.default_rng(seed)
    must = tuple(rng.choice(list("ABCDEF"), size=int(rng.integers(2, 5)), replace=False).tolist())
    rules = DutyRules(must_visit=must)
    teams = [Team(f"T{k}", "depot", shifts_per_week=int(rng.integers(1, 4))) for k in range(int(rng.integers(1, 3)))]
    problem = random_problem(
        seed, letters="ABCDEF", rules=rules, teams=teams, n_days=int(rng.integers(2, 8)), n_pairs=20
    )
    slots = sum(min(team.shifts_per_week, problem.n_days) for team in problem.teams)
    try:
        pool = [reply_best(problem), *mix_rosters(problem, random_state=seed, n_rounds=3).rosters]
    except UsageError:
        near = problem.base_min[:, [problem.station_ids.index(i) for i in must]].min(axis=0)
        assert slots < 2 * len(must) or near.max() > rules.longest_drive_min
        return
    for roster in pool:
        assert faults(problem, *tables_of(problem, roster)) == []
        worked = {(s.team, s.place, stay.station) for s in roster.shifts for stay in s.stays}
        assert roster.must <= worked


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda d: d.assign(to_h=d["to_h"].where(d["activity"] != "drive", d["from_h"])), "a gap"),
        (lambda d: d[d["activity"] != "break"], "break missing"),
        (lambda d: d.assign(day=1), "two shifts on a day"),
        (lambda d: d.assign(station_id="A"), "plan and duties differ"),
    ],
)
def test_the_checker_sees_a_broken_roster(change, told):
    problem = random_problem(3)
    table, duties = tables_of(problem, reply_best(problem))
    assert any(told in fault for fault in faults(problem, table, change(duties)))


class Search:
    """Every itinerary there is in a place, by trying."""

    def __init__(self, problem, team, place, blocked, via):
        self.problem, self.team, self.blocked, self.via = problem, team, blocked, via
        self.rules, self.spot = problem.rules, problem.places[place]
        self.stations = [k for k in range(len(problem.station_ids)) if problem.may_work[team, k]]
        self.found = []
        for k in self.stations:
            for start in range(self.rules.steps(self.rules.brief_min) + problem.base_steps[team, k], self.spot.n_steps):
                self.go(k, start, [], -1)

    def fits(self, k, a, b):
        steps = slice(self.spot.first + a, self.spot.first + b)
        is_open = self.problem.is_open[steps, k].all() and not self.blocked[steps, k].any()
        need = self.rules.least_trains_per_hour * (b - a) * self.rules.step_min / 60
        return b <= self.spot.n_steps and is_open and self.problem.trains[steps, k].sum() >= need - 1e-9

    def eats(self, end):
        first, last = (h * 60 / self.rules.step_min for h in (self.rules.break_from_h, self.rules.break_to_h))
        return first <= end and end + self.spot.break_steps <= last

    def go(self, k, arrive, stays, rest, n=1):
        least, longest = self.rules.steps(self.rules.least_stay_min), int(self.rules.longest_stay_min // 15)
        for end in range(arrive + least, arrive + longest + 1):
            if self.fits(k, arrive, end):
                now = [*stays, Stay(k, self.spot.first + arrive, self.spot.first + end)]
                self.leave(now, end, rest, n)
                if rest < 0 and self.eats(end):
                    back = end + self.spot.break_steps
                    self.leave(now, back, self.spot.first + end, n)
                    self.go(k, back, now, self.spot.first + end, n)

    def leave(self, stays, at, rest, n):
        k = stays[-1].station
        home = at + self.problem.base_steps[self.team, k] + self.rules.steps(self.rules.debrief_min)
        is_via = self.via < 0 or any(s.station == self.via for s in stays)
        if home <= self.spot.n_steps and rest >= 0 and n >= self.rules.least_stops and is_via:
            self.found.append((tuple(stays), rest))
        for other in self.stations if n < self.rules.most_stops else ():
            if other != k and at + self.problem.drive_steps[k, other] < self.spot.n_steps:
                self.go(other, at + self.problem.drive_steps[k, other], stays, rest, n + 1)


def every_shift(problem, team, place, blocked, via):
    return Search(problem, team, place, blocked, via).found


@pytest.mark.parametrize("via", [-1, 1])
@pytest.mark.parametrize("seed", range(6))
def test_the_best_shift_is_that_of_exhaustive_search(seed, via):
    problem = random_problem(seed, n_teams=1, letters="ABCD", rules=SHORT, n_days=2, n_pairs=8)
    rng = np.random.default_rng(seed)
    gains = rng.random((*problem.share.shape[:1], 4))
    blocked = rng.random(gains.shape) < 0.02
    found = find_best_shifts(problem, 0, gains, blocked=blocked, via=via)
    for place in range(len(problem.places)):
        listed = every_shift(problem, 0, place, blocked, via)
        if not listed:
            continue
        worth = [sum(gains[s.first : s.last, s.station].sum() for s in stays) for stays, _ in listed]
        assert found[place].gain == pytest.approx(max(worth))
        shift = found[place]
        assert (shift.stays, shift.break_first) in listed
        assert sum(gains[s.first : s.last, s.station].sum() for s in shift.stays) == pytest.approx(shift.gain)


@pytest.mark.parametrize("seed", range(6))
def test_the_best_week_is_that_of_exhaustive_search(seed):
    rng = np.random.default_rng(seed)
    problem = random_problem(
        seed, teams=[Team("T", "A", shifts_per_week=3)], rules=DutyRules(shifts=("early", "late", "night")), n_days=5
    )
    gain = {k: float(rng.random()) for k in range(15) if rng.random() < 0.9}
    fixed = frozenset([min(gain)]) if seed % 2 else frozenset()

    def may(chosen):
        places = [problem.places[k] for k in chosen]
        return all(b.day > a.day and (b.first - a.first - a.n_steps) * 15 >= 660 for a, b in pairwise(places))

    every = [c for n in range(4) for c in combinations(sorted(gain), n) if fixed <= set(c) and may(c)]
    chosen, worth = choose_places(problem, 0, gain, fixed=fixed)
    assert may(chosen)
    assert worth == pytest.approx(max(sum(gain[k] for k in c) for c in every))


@pytest.mark.parametrize("seed", range(5))
def test_two_teams_come_near_the_best_and_never_pass_the_bound(seed):
    problem = random_problem(seed, n_teams=2, letters="ABC", rules=replace(SHORT, most_stops=2), n_days=1, n_pairs=5)
    free = np.zeros(problem.is_open.shape, dtype=bool)
    weeks = [
        [()] + [(Itinerary(t, 0, stays, rest, 0.0),) for stays, rest in every_shift(problem, t, 0, free, -1)]
        for t in (0, 1)
    ]
    rng = np.random.default_rng(seed)
    weeks = [[w[k] for k in rng.permutation(len(w))[:120]] for w in weeks]
    best = max(float(problem.weekly @ measure_met(problem, a + b)) for a, b in product(*weeks))
    roster = reply_best(problem)
    met = float(problem.weekly @ measure_met(problem, roster.shifts))
    bound = bound_rosters(problem, roster)
    assert met <= bound * (1 + 1e-9)
    assert best <= bound * (1 + 1e-9)
    assert met >= best / 2


@pytest.mark.parametrize("seed", range(4))
def test_couriers_one_by_one_are_met_as_often_as_the_plan_says(seed):
    problem = random_problem(seed, n_teams=3, detection_share=0.6)
    roster = reply_best(problem)
    rng = np.random.default_rng(seed)
    n = 100_000
    trips = problem.share * problem.weekly
    step, pattern = np.divmod(rng.choice(trips.size, size=n, p=trips.ravel() / trips.sum()), problem.weekly.size)
    met = np.zeros(n, dtype=bool)
    for shift in roster.shifts:
        for stay in shift.stays:
            there = (step >= stay.first) & (step < stay.last)
            chance = 1 - np.exp(-problem.hazard[pattern, stay.station])
            met |= there & (rng.random(n) < chance)
    expected = float(problem.weekly @ measure_met(problem, roster.shifts)) / trips.sum()
    assert abs(met.mean() - expected) < 4 * np.sqrt(expected / n)


@pytest.mark.parametrize("seed", range(4))
def test_a_gain_is_what_one_more_step_meets(seed):
    problem = random_problem(seed, n_teams=3)
    shifts = reply_best(problem).shifts
    others = [s for s in shifts if s.team != 0]
    gains = measure_gains(problem, others, problem.weekly)
    own = next(s for s in shifts if s.team == 0)
    before = problem.weekly @ measure_met(problem, others)
    after = problem.weekly @ measure_met(problem, [*others, own])
    assert after - before == pytest.approx(sum(gains[s.first : s.last, s.station].sum() for s in own.stays))


def test_propensity_is_the_share_of_the_pool_and_each_roster_is_as_likely():
    problem = random_problem(1, n_teams=1, n_days=2)
    mixes = [mix_rosters(problem, random_state=seed, n_rounds=3) for seed in range(150)]
    drawn = np.array([mix.drawn for mix in mixes])
    assert {len(mix.rosters) for mix in mixes} == {2}
    assert abs(drawn.mean() - 0.5) < 4 * 0.5 / np.sqrt(len(drawn))
    chance = measure_propensity(problem, mixes[0])
    each = [measure_propensity(problem, replace(mixes[0], rosters=(roster,))) for roster in mixes[0].rosters]
    np.testing.assert_allclose(chance, np.mean(each, axis=0))
    assert set(np.unique(each)) <= {0.0, 1.0}
