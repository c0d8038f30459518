"""The plan, whole: on a railway of four stations where every number can be worked out by hand."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from geo.errors import UsageError
from geo.schema import validate
from geo.tables import PLAN
from models.planning import UNDERGROUND_DOSAGE, PlanRules, Shift, TeamGroup, plan_interception
from tests.unit.models.planning_worlds import make_routes, make_stations

# A and D are on both ways of the first pair; B and C are one each. The second pair only uses C and D.
PAIRS = [
    (60.0, [(30.0, 0.5, "ABD"), (32.0, 0.3, "ACD"), (60.0, 0.2, "")]),
    (20.0, [(20.0, 0.9, "CD"), (60.0, 0.1, "")]),
]
STATIONS = make_stations("ABCD")
WHOLE_DAY = (Shift("day", 5.5, 23.5),)


def plan(pairs=PAIRS, *, stations=STATIONS, more=None, **rules):
    defaults = {"n_teams": 1, "n_days": 2, "shifts": WHOLE_DAY, "random_share": 0.0, "detection_share": 0.5}
    return plan_interception(
        make_routes(pairs), stations, PlanRules(**(defaults | rules)), random_state=3, **(more or {})
    )


def test_one_team_for_couriers_who_do_not_respond_stands_where_most_pass():
    result = plan(is_evasive=False)
    # 66 trips pass D, half of them are met.
    assert result.table["station_id"].tolist() == ["D", "D"]
    assert result.summary.best_share == pytest.approx(0.5)
    assert result.summary.met_share == pytest.approx(0.5)
    assert result.table["propensity"].tolist() == [1.0, 1.0]
    assert result.table["expected_met_trips"].tolist() == pytest.approx([66 * 0.5 / (365.25 / 12)] * 2)


def test_the_table_keeps_its_contract_and_the_summary_adds_up():
    result = plan(n_teams=2, n_days=5, random_share=0.2)
    validate(result.table, PLAN)
    assert len(result.table) == 10
    assert (result.table["reason"] == "random").sum() == 2
    s = result.summary
    assert s.met_share_evading + s.to_road_share + s.unmet_rail_share == pytest.approx(1)
    assert s.is_proven
    assert s.greedy_share <= s.best_share <= s.bound_share + 1e-12


def test_a_station_that_must_be_visited_is_worked_once_and_costs_least():
    result = plan(must_visit=("B",), is_evasive=False)
    assert sorted(result.table["station_id"]) == ["B", "D"]
    assert result.table.set_index("station_id").loc["B", ["reason", "propensity"]].tolist() == ["must", 1.0]
    # 30 of 66 trips pass B.
    assert result.summary.best_share == pytest.approx((0.5 + 0.5 * 30 / 66) / 2)


def test_a_station_that_must_not_be_visited_is_not():
    result = plan(must_not_visit=("D",), is_evasive=False)
    assert set(result.table["station_id"]) == {"A"}


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
        ({"random_share": 0.6}, r"random_share: is 0.6, expected a share in \[0, 0.5\]"),
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
    result = plan(team_groups=groups, n_days=6, random_share=0.25)
    by_team = result.table.groupby("team")["station_id"].agg(set)
    assert by_team["force 1"] <= {"A", "B"}
    assert by_team["transport 1"] <= {"C", "D"}


def test_rest_limits_the_shifts_that_a_crew_can_work():
    shifts = ("early", "late")
    free = plan(shifts=shifts, n_days=3, is_evasive=False)
    rested = plan(shifts=shifts, n_days=3, n_crews=1, rest_h=11.0, is_evasive=False)
    assert len(free.table) == 6
    # One crew with 11 hours off works one shift of eight hours in each day.
    assert len(rested.table) == 3
    start = (rested.table["day"] - 1) * 24 + rested.table["start_h"]
    assert np.diff(np.sort(start)).min() >= 8 + 11
    # Rest couples each day to the next, so none may be taken as alike.
    assert [slot.n_alike for slot in rested.setting.programme.slots] == [1] * 6


def test_a_mix_meets_more_of_couriers_who_respond_than_the_fixed_list():
    pairs = [(60.0, [(30.0, 0.5, "AX"), (30.0, 0.5, "BX")])]
    result = plan(pairs, stations=make_stations("ABX", outside="X"), n_days=20, met_cost_min=300.0)
    met = result.comparison["met_share_evading"]
    assert met["mix without random share"] > 1.5 * met["best fixed list"]
    assert set(result.table["station_id"]) == {"A", "B"}
    assert result.summary.entropy_bits > 0.9


def test_the_rules_of_thumb_are_judged_alike():
    usage = pd.DataFrame({"n_entries_exits_per_year": [9.0, 1.0]}, index=["B", "D"])
    scores = pd.DataFrame({"score": [7.0, 1.0], "tier": ["A", "C"]}, index=["C", "D"])
    result = plan(more={"usage": usage, "station_scores": scores}, is_evasive=False)
    met = result.comparison["met_share"]
    assert met["most passengers"] == pytest.approx(0.5 * 30 / 66)
    assert met["highest score"] == pytest.approx(0.5 * 36 / 66)
    assert result.comparison.loc["roster", ["gain_low", "gain_high"]].tolist() == [0, 0]
    assert (result.comparison["met_share_low"] <= result.comparison["met_share_high"]).all()


def test_visits_are_four_quarter_hours_a_day():
    result = plan(dosage=UNDERGROUND_DOSAGE, shifts=("early",), is_evasive=False)
    assert result.table["n_visits"].tolist() == [4, 4]
    assert result.table["present_min"].tolist() == [60.0, 60.0]
    assert result.summary.best_share == pytest.approx(0.5 * 60 / 480 * 8 / 18)


def test_the_same_seed_gives_the_same_plan_whatever_the_order_of_the_stations():
    first, again = plan(n_days=9, random_share=0.2), plan(n_days=9, random_share=0.2, stations=STATIONS.iloc[::-1])
    pd.testing.assert_frame_equal(first.table, again.table)
    assert first.summary == dataclasses.replace(again.summary, seconds=first.summary.seconds)


def test_residual_says_where_the_flow_went():
    result = plan(is_evasive=False, n_days=1)
    d = result.residual.loc["D"]
    assert d["passing_trips_per_month"] == pytest.approx(66)
    assert d["covered_trips_per_month"] == pytest.approx(33)
    assert d["passing_trips_per_month_evading"] < 66
    assert d["residual_trips_per_month"] == pytest.approx(d["passing_trips_per_month_evading"] / 2)
    assert d["coverage"] == 1
