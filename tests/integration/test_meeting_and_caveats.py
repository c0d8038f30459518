"""Quiet stations in the plan of a run, and what the run assumed about the railway on every product."""

import json
import sqlite3
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from gateline.commands.explain import explain_place
from gateline.pipeline.marks import make_marks
from gateline.pipeline.planning import plan_run
from gateline.pipeline.railway import build_railway
from gateline.pipeline.write import product_inputs, write_products
from gateline.settings import Settings, read_settings, write_settings_template
from gateline.settings_plan import TeamSettings
from gateline.study import open_workspace
from geo.errors import UsageError
from models.planning import measure_passengers_per_day
from tests.regions import make_small

pytestmark = pytest.mark.filterwarnings("ignore:.* extension is not supported:UserWarning")
DAYS = 365


def usage_of(per_day):
    table = pd.DataFrame(
        {
            "n_entries_exits_per_year": DAYS * per_day.astype(float),
            "n_interchanges_per_year": np.nan,
            "usage_basis": "made up",
        }
    )
    return table.rename_axis("station_id").astype({"usage_basis": "str"})


@pytest.fixture(scope="module")
def open_plan(small_run):
    """The plan of the small region, in which nothing is known of passengers."""
    return plan_run(small_run.results, small_run.settings, small_run.inputs)


@pytest.fixture(scope="module")
def used(small_run, open_plan):
    """Results in which the station worked most is quiet, another is not known, and all others are busy."""
    most = open_plan.duty.table["station_id"].value_counts().index
    ours = small_run.results.station_scores.table.index
    per_day = pd.Series(1_000.0, index=ours).drop(most[1])
    per_day[most[0]] = 45.0
    return replace(small_run.results, usage=usage_of(per_day)), most[0], most[1]


def settings_of(run, **changes):
    return run.settings.model_copy(update={"plan": run.settings.plan.model_copy(update=changes)})


def test_no_station_known_to_be_quiet_is_in_the_plan_and_an_unknown_one_may_be(small_run, used):
    results, quiet, unknown = used
    plan = plan_run(results, small_run.settings, small_run.inputs)
    worked = set(plan.duty.table["station_id"])
    assert quiet not in worked
    assert unknown in worked
    assert plan.left_out.passengers_per_day.to_dict() == {quiet: pytest.approx(45.0)}
    known = plan.duty.table["station_id"].map(measure_passengers_per_day(results.usage)).dropna()
    assert (known >= small_run.settings.plan.least_passengers_per_day).all()


def test_what_leaving_out_costs_is_never_a_gain_of_the_best_list(small_run, used):
    out = plan_run(used[0], small_run.settings, small_run.inputs).left_out
    assert out.met_share_with > out.met_share_without > 0
    assert out.trips_of_plan > 0


def test_with_the_rule_off_the_plan_is_that_without_it_and_the_numbers_stand_beside(small_run, used):
    results, quiet, unknown = used
    # Named teams: those that are assumed start at the busiest stations, which passengers tell.
    settings = settings_of(small_run, least_passengers_per_day=0, teams=(TeamSettings(name="A", base="YRK"),))
    plan = plan_run(results, settings, small_run.inputs)
    open_plan = plan_run(small_run.results, settings, small_run.inputs)
    assert plan.left_out is None
    beside = ["passengers_per_day"]
    pd.testing.assert_frame_equal(plan.duty.table.drop(columns=beside), open_plan.duty.table.drop(columns=beside))
    numbers = plan.duty.table.groupby("station_id")["passengers_per_day"].first()
    assert numbers[quiet] == pytest.approx(45.0)
    assert np.isnan(numbers[unknown])


def test_a_quiet_station_that_must_be_visited_is(small_run, used):
    results, quiet, _ = used
    plan = plan_run(results, settings_of(small_run, must_visit=(quiet,)), small_run.inputs)
    assert "must" in set(plan.duty.table.loc[plan.duty.table["station_id"] == quiet, "reason"])
    assert plan.left_out is None


def test_without_passengers_nothing_is_left_out(open_plan):
    assert open_plan.left_out is None
    assert open_plan.duty.table["passengers_per_day"].isna().all()


def test_who_changes_where_is_not_told_where_it_is_not_known(open_plan):
    assert open_plan.duty.table["change_share"].isna().all()


def test_a_plan_of_quiet_stations_alone_is_refused(small_run):
    ours = small_run.results.station_scores.table.index
    results = replace(small_run.results, usage=usage_of(pd.Series(3.0, index=ours)))
    message = (
        r"plan: all \d+ stations have fewer than 100 passengers a day, expected some with more. "
        r"Lower plan.least_passengers_per_day."
    )
    with pytest.raises(UsageError, match=message):
        plan_run(results, small_run.settings, small_run.inputs)


@pytest.fixture(scope="module")
def estimated(tmp_path_factory):
    """The small region with gates and staff under columns of other names, and trains estimated from journeys."""
    root = make_small(tmp_path_factory.mktemp("estimated") / "w")
    path = root / "inputs" / "stations.csv"
    header, *rows = path.read_text(encoding="utf-8").splitlines()
    facts = {"YRK": "yes,daily 05:00-24:00", "WTB": "no,none"}
    told = [f"{row},{facts.get(row[-3:], ',')}" for row in rows]
    path.write_text("\n".join([f"{header},Barriers,Staff", *told]) + "\n", encoding="utf-8")
    codes = [row[-3:] for row in rows]
    # Everybody goes to York and to Leeds.
    pairs = [f"{a},{b},200000" for a in codes for b in ("YRK", "LDS") if a != b]
    (root / "inputs" / "odm.csv").write_text("\n".join(["origin_crs,dest_crs,journeys", *pairs]) + "\n")
    settings = read_settings(root / "region.toml")
    document = settings.model_dump(mode="json", exclude_none=True)
    document["inputs"] |= {
        "passenger_flows": "inputs/odm.csv",
        "stations_columns": {"has_gates": "Barriers", "staffed_hours": "Staff"},
    }
    (root / "region.toml").write_text(write_settings_template(Settings.model_validate(document)), encoding="utf-8")
    return open_workspace(root)


def test_estimated_trains_are_told_to_the_hour_and_said_to_be_estimated(estimated):
    trains = estimated.results.trains
    assert estimated.results.railway_basis == "estimated"
    assert trains.basis.startswith("estimated")
    assert trains.replacements is None
    assert set(trains.table["step_min"]) == set(trains.home["step_min"]) == {60.0}
    times = trains.table[["first_departure_min", "last_departure_min"]].to_numpy()
    assert (times % 60 == 0).all()
    weekday = trains.table[trains.table["day_kind"] == "weekday"].set_index("station_id")
    sunday = trains.table[trains.table["day_kind"] == "sunday"].set_index("station_id")
    assert (weekday["n_departures"] > sunday["n_departures"]).all()
    assert (weekday["first_departure_min"] <= weekday["last_departure_min"]).all()


def test_no_last_train_home_leaves_after_the_last_train(estimated):
    trains = estimated.results.trains
    last = trains.table.set_index(["station_id", "day_kind"])["last_departure_min"]
    home = trains.home.dropna(subset="last_departure_min").set_index(["station_id", "day_kind"])["last_departure_min"]
    assert len(home) > 20
    assert (home <= last.reindex(home.index)).all()


def test_explain_tells_gates_staff_and_trains(estimated):
    text = explain_place(estimated, "YRK")
    assert "A meeting on the platform:\n  Ticket gates: yes\n  Staffed: mon-sun 05:00-24:00\n" in text
    assert "Times rest on: estimated from how many travel between stations, to the hour" in text
    assert "Last train home, Sunday: Leeds " in text
    assert "Ticket gates: no\n  Staffed: never\n" in explain_place(estimated, "WTB")
    assert "Ticket gates: not known\n  Staffed: not known\n" in explain_place(estimated, "SCA")


def test_each_stop_of_the_plan_has_trains_gates_and_staff_where_they_are_known(estimated):
    table = plan_run(estimated.results, estimated.settings, estimated.inputs).duty.table
    assert (table["n_trains_in_stay"] > 0).all()
    assert (table["n_trains_per_day"] > table["n_trains_in_stay"]).all()
    york = table[table["station_id"] == "YRK"]
    assert york["has_gates"].all()
    assert set(york["staffed_share"]) == {1.0}
    assert york["change_share"].between(0, 1).all()


def test_a_plan_that_needs_staff_stands_at_no_station_known_to_have_none(estimated):
    needs = estimated.settings.plan.model_copy(update={"needs_staff": True, "must_not_visit": ("YRK",)})
    settings = estimated.settings.model_copy(update={"plan": needs})
    assert "WTB" not in set(plan_run(estimated.results, settings, estimated.inputs).duty.table["station_id"])


# What a run may have assumed, by the railway it was made with; and how each product is read.
CAVEATS = {
    "no timetable": ("none", "There is no timetable: every train is taken to call everywhere."),
    "estimated service": (
        "estimated",
        "Trains are estimated from how many people travel between stations, not read from",
    ),
    "no roads": ("none", "No road extract: walks and drives are straight lines times a detour factor."),
    "stations off track": ("none", "1 stations are too far from track and were left out."),
    "estimated service, no roads": ("estimated", "No road extract: walks and drives are straight lines"),
    "rail replacement": ("estimated", "12 departures are rail replacement buses in this week, at York"),
}


def read_book(path):
    book = load_workbook(path)
    return " ".join(str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row if cell)


def read_layers(path):
    connection = sqlite3.connect(path)
    try:
        return " ".join(str(value) for row in connection.execute("select * from marks") for value in row)
    finally:
        connection.close()


def read_text(path):
    return path.read_text(encoding="utf-8-sig")


PRODUCTS = {
    "stations.csv": read_text,
    "towns.csv": read_text,
    "plan.csv": read_text,
    "priority_stations.xlsx": read_book,
    "map.html": read_text,
    "briefing.pdf": lambda path: " ".join(page.extract_text() for page in PdfReader(path).pages),
    "layers.gpkg": read_layers,
    "model_card.md": read_text,
    "atrs.json": lambda path: json.dumps(json.loads(path.read_text()), ensure_ascii=False),
}


@pytest.fixture(scope="module")
def products(small_run, open_plan, tmp_path_factory):
    """Every product of two runs, squeezed to its letters: without a timetable, and with trains estimated."""
    results = small_run.results
    moved = small_run.inputs.stations.copy()
    moved.loc["WTB", ["easting_m", "northing_m"]] = [500_000.0, 440_000.0]
    off_track = build_railway(replace(small_run.inputs, stations=moved), small_run.settings).notes
    assert any("too far from track" in note for note in off_track)
    buses = "12 departures are rail replacement buses in this week, at York: the week is not a usual one"
    runs = {
        "none": replace(results, railway_notes=(*off_track, *results.railway_notes)),
        "estimated": replace(results, railway_basis="estimated", railway_notes=(buses, *results.railway_notes[-1:])),
    }
    told = {}
    for name, found in runs.items():
        folder = tmp_path_factory.mktemp(name)
        marks = make_marks(small_run.inputs, found, small_run.settings, run_id="r", profile="tactical")
        drawn = product_inputs(small_run.inputs, found, marks, plan=open_plan)
        write_products(folder, drawn, small_run.inputs, found)
        told |= {(name, product): squeezed(read(folder / product)) for product, read in PRODUCTS.items()}
    return told


def squeezed(text):
    # A briefing breaks words where they may break, and a card escapes what Markdown would read.
    return "".join(text.replace("\u200b", "").replace("\\", "").split())


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("caveat", CAVEATS)
def test_every_product_says_what_the_run_assumed_about_the_railway(products, caveat, product):
    basis, sentence = CAVEATS[caveat]
    assert squeezed(sentence) in products[basis, product]


def test_what_was_not_assumed_is_said_nowhere(products):
    for (basis, product), text in products.items():
        other = "Trainsareestimatedfromhowmanypeople" if basis == "none" else "Thereisnotimetable:"
        assert other not in text, product
