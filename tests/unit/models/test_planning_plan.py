"""The list and its mix, whole: on a railway of four stations where every number can be worked out by hand."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from geo.errors import UsageError
from models.planning import PlanRules, Shift, TeamGroup, plan_interception
from models.planning.response.mixing import cap_chances
from tests.unit.models.planning_worlds import make_routes, make_stations

# A and D are on both ways of the first pair; B and C are one each. The second pair only uses C and D.
PAIRS = [
    (60.0, [(30.0, 0.5, "ABD"), (32.0, 0.3, "ACD"), (60.0, 0.2, "")]),
    (20.0, [(20.0, 0.9, "CD"), (60.0, 0.1, "")]),
]
STATIONS = make_stations("ABCD")
WHOLE_DAY = (Shift("day", 5.5, 23.5),)


def plan(pairs=PAIRS, *, stations=STATIONS, more=None, **rules):
    defaults = {"n_teams": 1, "n_days": 2, "shifts": WHOLE_DAY, "detection_share": 0.5}
    return plan_interception(
        make_routes(pairs), stations, PlanRules(**(defaults | rules)), random_state=3, **(more or {})
    )


def worked(result):
    """Stations that may be worked on each slot."""
    ids = result.setting.encounters.station_ids
    return [{ids[k] for k in np.flatnonzero(row)} for row in result.coverage]


def test_one_team_for_couriers_who_do_not_respond_stands_where_most_pass():
    result = plan(is_evasive=False)
    # 66 trips pass D, half of them are met.
    assert worked(result) == [{"D"}, {"D"}]
    assert result.summary.best_share == pytest.approx(0.5)
    assert result.summary.met_share == pytest.approx(0.5)
    assert result.coverage.max(axis=1).tolist() == [1.0, 1.0]
    assert result.best_list["station_ids"].tolist() == ["D"]
    assert result.best_list["marginal_trips"].tolist() == pytest.approx([66 * 0.5 / (365.25 / 12)])


def test_the_chances_are_those_of_all_teams_and_the_summary_adds_up():
    result = plan(n_teams=2, n_days=5)
    assert result.coverage.sum(axis=1).tolist() == pytest.approx([2.0] * 5)
    s = result.summary
    assert s.met_share_evading + s.to_road_share + s.unmet_rail_share == pytest.approx(1)
    assert s.is_proven
    assert s.greedy_share <= s.best_share <= s.bound_share + 1e-12


def test_a_station_that_must_be_visited_is_worked_once_and_costs_least():
    result = plan(must_visit=("B",), is_evasive=False)
    assert sorted(worked(result), key=min) == [{"B"}, {"D"}]
    # 30 of 66 trips pass B.
    assert result.summary.best_share == pytest.approx((0.5 + 0.5 * 30 / 66) / 2)
    assert result.summary.met_share == pytest.approx(result.summary.best_share)


def test_a_mix_keeps_its_must_visits_and_no_team_is_lost_to_them():
    result = plan(must_visit=("B",), n_teams=2, n_days=4)
    of_b = result.coverage[:, result.setting.encounters.station_ids.index("B")]
    assert of_b.max() == 1.0
    assert result.coverage.sum(axis=1).tolist() == pytest.approx([2.0] * 4)
    assert result.coverage.max() <= 1.0


def test_a_station_that_must_not_be_visited_is_not():
    result = plan(must_not_visit=("D",), is_evasive=False)
    assert worked(result) == [{"A"}, {"A"}]


def test_musts_that_do_not_fit_are_answered_with_numbers_and_the_nearest_change():
    expected = (
        r"plan: 1 teams on 1 shifts of 2 days can work 2 of the 3 stations in must_visit \('A', 'B', 'C'\), "
        r"expected all of them. Raise n_teams by 1, to 2 teams, or leave 1 of them out of must_visit."
    )
    with pytest.raises(UsageError, match=expected):
        plan(must_visit=("A", "B", "C"))


def test_a_must_outside_every_jurisdiction_names_it():
    group = TeamGroup("force", 1, ("A", "B"))
    with pytest.raises(UsageError, match=r"No team may work 'C': widen a jurisdiction, or leave 1 of them out"):
        plan(must_visit=("C",), team_groups=(group,))


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"must_visit": ("Z",)}, r"must_visit holds 'Z', which no team may work or no train reaches"),
        ({"must_visit": ("A",), "must_not_visit": ("A",)}, r"holds 'A', which is in must_not_visit too"),
        ({"n_teams": 0}, r"'team' has 0 teams for 2 days and 4 stations"),
        ({"detection_share": 0.0}, r"detection_share is 0.0"),
        ({"shifts": ("dawn",)}, r"shifts: 'dawn' is not known, expected some of early, day, late, night"),
        ({"must_not_visit": tuple("ABCD")}, r"none of 0 eligible stations is on the rail graph"),
        ({"stops_per_shift": 2}, r"stops_per_shift is 2 and travel between stations is not given"),
    ],
)
def test_rules_that_cannot_be_kept_are_refused(rules, message):
    with pytest.raises(UsageError, match=message):
        plan(**rules)


def test_jurisdictions_are_kept():
    groups = (TeamGroup("force", 1, ("A", "B")), TeamGroup("transport", 1, ("C", "D")))
    result = plan(team_groups=groups, n_days=6)
    assert result.coverage[:, :2].sum(axis=1).tolist() == pytest.approx([1.0] * 6)
    assert result.coverage[:, 2:].sum(axis=1).tolist() == pytest.approx([1.0] * 6)


def test_rest_limits_the_shifts_that_a_crew_can_work():
    shifts = ("early", "late")
    free = plan(shifts=shifts, n_days=3, is_evasive=False)
    rested = plan(shifts=shifts, n_days=3, n_crews=1, rest_h=11.0, is_evasive=False)
    assert free.coverage.sum() == 6
    # One crew with 11 hours off works one shift of eight hours in each day.
    assert rested.coverage.sum() == 3
    start = [slot.start_h for slot, row in zip(rested.setting.slots, rested.coverage, strict=True) if row.any()]
    assert np.diff(start).min() >= 8 + 11
    # Rest couples each day to the next, so none may be taken as alike.
    assert [slot.n_alike for slot in rested.setting.programme.slots] == [1] * 6


def test_a_mix_meets_more_of_couriers_who_respond_than_the_fixed_list():
    pairs = [(60.0, [(30.0, 0.5, "AX"), (30.0, 0.5, "BX")])]
    result = plan(pairs, stations=make_stations("ABX", outside="X"), n_days=20, met_cost_min=300.0)
    met = result.comparison["met_share_evading"]
    assert met["mix"] > 1.5 * met["best fixed list"]
    np.testing.assert_allclose(result.coverage, 0.5, atol=0.05)


def test_the_rules_of_thumb_are_judged_alike():
    usage = pd.DataFrame({"n_entries_exits_per_year": [9.0, 1.0]}, index=["B", "D"])
    scores = pd.DataFrame({"score": [7.0, 1.0], "tier": ["A", "C"]}, index=["C", "D"])
    result = plan(more={"usage": usage, "station_scores": scores}, is_evasive=False)
    met = result.comparison["met_share"]
    assert met["most passengers"] == pytest.approx(0.5 * 30 / 66)
    assert result.comparison.index[:2].tolist() == ["mix", "best fixed list"]
    assert met["highest score"] == pytest.approx(0.5 * 36 / 66)
    assert result.comparison.loc["mix", ["gain_low", "gain_high"]].tolist() == [0, 0]
    assert (result.comparison["met_share_low"] <= result.comparison["met_share_high"]).all()


def test_the_same_seed_gives_the_same_plan_whatever_the_order_of_the_stations():
    first, again = plan(n_days=9), plan(n_days=9, stations=STATIONS.iloc[::-1])
    pd.testing.assert_frame_equal(first.comparison, again.comparison)
    np.testing.assert_array_equal(first.coverage, again.coverage)
    assert first.summary == dataclasses.replace(again.summary, seconds=first.summary.seconds)


def test_residual_says_where_the_flow_went():
    result = plan(is_evasive=False, n_days=1)
    d = result.residual.loc["D"]
    assert d["passing_trips_per_month"] == pytest.approx(66)
    assert d["covered_trips_per_month"] == pytest.approx(33)
    assert d["passing_trips_per_month_evading"] < 66
    assert d["residual_trips_per_month"] == pytest.approx(d["passing_trips_per_month_evading"] / 2)
    assert d["coverage"] == 1


def test_capped_chances_keep_their_sum():
    chance = cap_chances(np.array([10.0, 5.0, 1.0, 0.0]), 2.5)
    assert chance.sum() == pytest.approx(2.5)
    assert chance.max() == 1
    assert cap_chances(np.array([1.0, 0.0]), 2).tolist() == [1.0, 0.0]
