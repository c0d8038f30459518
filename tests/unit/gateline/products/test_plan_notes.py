"""What a plan says beside its roster: numbers of each stop, and the stations left out with what that costs."""

import csv
import dataclasses
import io

import pandas as pd
import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from gateline.products.briefing import write_briefing_pdf
from gateline.products.duty_sheets import roster_list
from gateline.products.interception import describe_plan, worked_stations, write_plan_csv
from gateline.products.map_data import map_payload
from gateline.products.plan_notes import left_out_note, quiet_note, stop_facts
from gateline.products.spreadsheet import write_list_xlsx
from models.planning import LeftOut
from tests.browser.fictional_run import build_run, plan_of

pytestmark = pytest.mark.filterwarnings("ignore:.* extension is not supported:UserWarning")


@pytest.fixture(scope="module")
def run():
    bare = build_run()
    parts = plan_of(bare)
    stops = parts["plan"]
    first, second = stops["station_id"].iloc[0], stops["station_id"].iloc[4]
    numbers = {
        "passengers_per_day": {first: 45.2, second: 5149.0},
        "n_trains_in_stay": {first: 12.0},
        "n_trains_per_day": {first: 30.0},
        "staffed_share": {first: 0.5},
        "change_share": {first: 0.031},
    }
    beside = {name: stops["station_id"].map(values).astype(float) for name, values in numbers.items()}
    gates = stops["station_id"].map({first: False, second: True}).astype("boolean")
    plan = stops.assign(**beside, has_gates=gates)
    # Two stations that the plan names nowhere else.
    others = bare.stations.index.difference(stops["station_id"])[:2]
    left_out = LeftOut(
        passengers_per_day=pd.Series([45.0, 9.0], index=others),
        least_passengers_per_day=100.0,
        met_share_with=0.0916,
        met_share_without=0.0872,
        met_share_evading_with=0.0604,
        met_share_evading_without=0.0598,
        trips_of_plan=13.0,
    )
    return dataclasses.replace(bare, **{**parts, "plan": plan}, plan_left_out=left_out)


def note_of(run):
    names = run.stations["name"][run.plan_left_out.passengers_per_day.index]
    return (
        f"2 stations with fewer than 100 passengers a day are left out ({names.iloc[0]} 45, {names.iloc[1]} 9): "
        "the best roster would meet 1.19 (9.16 % of the rail flow; 6.04 % once couriers respond) with them and 1.13 "
        "(8.72 % of the rail flow; 5.98 % once couriers respond) without."
    )


def test_one_sentence_says_what_leaving_stations_out_costs(run):
    assert left_out_note(run) == note_of(run)
    assert left_out_note(dataclasses.replace(run, plan_left_out=None)) == ""
    assert left_out_note(dataclasses.replace(run, plan=None)) == ""


def test_many_stations_left_out_are_not_all_named(run):
    out = run.plan_left_out
    many = dataclasses.replace(out, passengers_per_day=pd.Series(9.0, index=run.stations.index[:9]))
    note = left_out_note(dataclasses.replace(run, plan_left_out=many))
    assert note.startswith("9 stations with fewer than 100 passengers a day are left out (")
    assert " and 4 more): the best" in note


def test_every_product_of_the_plan_says_it_whole(run, tmp_path):
    note = note_of(run)
    assert note in describe_plan(run)
    assert note in map_payload(run)["plan"]["lines"]
    write_plan_csv(tmp_path / "plan.csv", run)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "plan.csv").read_text(encoding="utf-8-sig"))))
    assert {row["left_out"] for row in rows} == {note}
    write_list_xlsx(tmp_path / "list.xlsx", run)
    assert note in load_workbook(tmp_path / "list.xlsx")["Roster by day"]["A3"].value
    write_briefing_pdf(tmp_path / "briefing.pdf", run)
    text = " ".join(page.extract_text() for page in PdfReader(tmp_path / "briefing.pdf").pages)
    squeezed = "".join(text.replace("\u200b", "").split())
    assert "".join(note.split()) in squeezed


def test_a_quiet_station_in_the_plan_has_its_numbers_beside_it(run):
    worked = worked_stations(run)
    name = worked["name"].iloc[0]
    assert quiet_note(worked) == (
        f"Worked though fewer than 100 passengers a day use them: {name} (45 passengers a day, 12.0 trains in a stay "
        "and 30.0 a day, no ticket gates, staffed 50 % of the time worked, 3 % of the couriers going on change there)."
    )
    assert quiet_note(worked) in describe_plan(run)
    busy = worked.assign(passengers_per_day=100.0)
    assert quiet_note(busy) == quiet_note(worked.drop(columns="passengers_per_day")) == ""


def test_what_is_not_known_of_a_stop_is_said_to_be_so(run):
    worked = worked_stations(run)
    (unknown,) = worked[(worked["n_shifts"] > 0) & worked["passengers_per_day"].isna()].to_dict("records")
    assert stop_facts(unknown) == [
        "passengers not known",
        "trains not known",
        "gates not known",
        "staff not known",
        "changes not known",
    ]


def test_the_roster_and_the_map_have_the_numbers_of_each_stop(run):
    roster = roster_list(run)
    first = roster.iloc[0]
    assert (first["passengers_per_day"], first["n_trains_in_stay"], first["has_gates"]) == (45.0, 12.0, "no")
    assert roster["has_gates"].isna().sum() == 1
    assert map_payload(run)["plan"]["beside"][0][0] == "45 passengers a day"


def test_a_plan_that_says_nothing_of_its_stops_has_no_such_columns():
    bare = build_run()
    run = dataclasses.replace(bare, **plan_of(bare))
    assert "passengers_per_day" not in roster_list(run).columns
    assert map_payload(run)["plan"]["beside"][0] == []


def test_a_caveat_at_the_end_of_many_is_not_cut(run, tmp_path):
    notes = tuple(f"Caveat {k} of the railway, which says what was assumed of it." for k in range(20))
    marks = dataclasses.replace(run.marks, railway="There is no timetable.", railway_notes=notes)
    write_plan_csv(tmp_path / "plan.csv", dataclasses.replace(run, marks=marks))
    rows = list(csv.DictReader(io.StringIO((tmp_path / "plan.csv").read_text(encoding="utf-8-sig"))))
    assert {row["railway_basis"] for row in rows} == {" ".join(("There is no timetable.", *notes))}
