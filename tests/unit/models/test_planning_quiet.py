"""Stations that few passengers use, and what is known of each stop of a plan."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateline.settings import PlanSettings
from geo.schema import validate
from geo.tables import PLAN
from models.planning import LEAST_PASSENGERS_PER_DAY, describe_stops, find_quiet_stations, measure_passengers_per_day
from tests.unit.models.planning_worlds import make_stations
from tests.unit.models.test_planning_opening import EVERY_HOUR, hours_of

YEAR = 365


def usage_of(per_day):
    index = pd.Index(list(per_day), name="station_id", dtype="str")
    return pd.DataFrame(
        {
            "n_entries_exits_per_year": [YEAR * float(n) for n in per_day.values()],
            "n_interchanges_per_year": np.nan,
            "usage_basis": "made up",
        },
        index=index,
    ).astype({"usage_basis": "str"})


def exposure_of(ways):
    table = pd.DataFrame(ways, index=["interchange_trips_per_month", "calling_trips_per_month"]).T
    return table.rename_axis("station_id").astype(float)


def quiet(per_day, least, **rules):
    return find_quiet_stations(usage_of(per_day), per_day.keys() | {"Z"}, least_passengers_per_day=least, **rules)


def test_passengers_a_day_are_those_of_a_year_by_its_days():
    assert measure_passengers_per_day(usage_of({"A": 45.5})).to_dict() == {"A": 45.5}


def test_stations_below_the_least_are_quiet_and_unknown_ones_are_kept():
    found = quiet({"A": 99.9, "B": 100.0, "C": 3.0, "D": 99.9}, 100.0)
    assert found.index.tolist() == ["A", "D", "C"]
    assert found["C"] == pytest.approx(3.0)
    assert find_quiet_stations(None, ["A"], least_passengers_per_day=100.0).empty


def test_a_station_that_must_be_visited_is_kept_however_quiet():
    assert quiet({"A": 1.0, "B": 1.0}, 100.0, must_visit=["A"]).index.tolist() == ["B"]


def test_with_nothing_asked_the_rule_is_off():
    assert quiet({"A": 0.0, "B": 1.0}, 0.0).empty


@given(st.dictionaries(st.sampled_from("ABCDEF"), st.floats(0, 500), min_size=1), st.floats(0, 400), st.floats(0, 100))
def test_a_higher_least_leaves_out_no_fewer(per_day, least, more):
    low, high = quiet(per_day, least), quiet(per_day, least + more)
    assert set(low.index) <= set(high.index) <= set(per_day)
    assert (high < least + more).all()


def test_the_default_of_the_setting_is_that_below_which_numbers_are_told():
    assert PlanSettings().least_passengers_per_day == LEAST_PASSENGERS_PER_DAY


def stays():
    """One team on two days: an hour and a half at A, then at B, and two hours at C on the second."""
    rows = [(1, 1, "A", 8.0, 9.5), (1, 2, "B", 10.0, 11.5), (2, 1, "A", 7.0, 8.5), (2, 2, "C", 9.0, 11.0)]
    table = pd.DataFrame(rows, columns=["day", "stop", "station_id", "from_h", "to_h"])
    table = table.assign(
        worked_on="day " + table["day"].astype("str"),
        shift="early",
        start_h=6.0,
        end_h=14.0,
        team="team",
        name="Station " + table["station_id"],
        tier=None,
        present_min=60 * (table["to_h"] - table["from_h"]),
        reason="model",
        propensity=0.5,
        expected_met_trips=0.1,
        expected_met_trips_evading=0.1,
    )
    texts = ("worked_on", "shift", "team", "station_id", "name", "tier", "reason")
    table.index = pd.Index([f"{day}:{stop}" for day, stop, *_ in rows], name=PLAN.index, dtype="str")
    table = table.astype(dict.fromkeys(texts, "str"))
    return validate(table[[name for name in PLAN.columns if name in table.columns]], PLAN)


def described(**changes):
    mornings = np.zeros((7, 24))
    mornings[:, 8] = 2
    stations = make_stations(("A", "B", "C")).assign(
        has_gates=pd.array([True, None, False], dtype="boolean"),
        staffed_hours=pd.array(["mon 06:00-10:00", None, "daily 00:00-24:00"], dtype="str"),
    )
    given = {
        "hours": hours_of({"A": mornings, "B": None, "C": EVERY_HOUR}),
        "usage": usage_of({"A": 45.0, "C": 500.0}),
        "exposure": exposure_of({"A": (1.0, 3.0), "B": (0.0, 0.0), "C": (0.0, 2.0)}),
        **changes,
    }
    return describe_stops(stays(), stations, **given)


def of_station(table, station, column):
    return table.loc[table["station_id"] == station, column]


def test_each_stop_has_the_numbers_of_its_station_and_stay():
    table = described()
    monday = table.iloc[0]
    assert (monday["passengers_per_day"], monday["n_trains_in_stay"], monday["n_trains_per_day"]) == (45, 2, 2)
    assert monday["has_gates"]
    assert monday["change_share"] == 0.25
    # Of the trains of an hour that is half in the stay, half; staff are there on Monday alone.
    assert of_station(table, "A", "n_trains_in_stay").tolist() == [2.0, 1.0]
    assert of_station(table, "A", "staffed_share").tolist() == [1.0, 0.0]
    assert of_station(table, "C", "n_trains_in_stay").tolist() == [2.0]
    assert of_station(table, "C", "staffed_share").tolist() == [1.0]
    assert described(first_weekday=6).iloc[2]["staffed_share"] == 1.0


def test_what_is_not_known_of_a_stop_is_null():
    table = described()
    unknown = ["passengers_per_day", "n_trains_in_stay", "n_trains_per_day", "has_gates", "staffed_share"]
    here = table[table["station_id"] == "B"]
    assert len(here)
    assert here[[*unknown, "change_share"]].isna().all(axis=None)
    assert described(usage=None)["passengers_per_day"].isna().all()
    assert described(exposure=None)["change_share"].isna().all()


def test_the_numbers_change_nothing_else_of_a_plan():
    table, bare = described(), stays()
    assert not set(bare.columns) & {"passengers_per_day", "change_share"}
    pd.testing.assert_frame_equal(table[bare.columns], bare)
