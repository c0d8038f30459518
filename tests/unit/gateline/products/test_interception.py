"""The plan and the upstream stations on every product, and their absence."""

import csv
import dataclasses
import io

import numpy as np
import pandas as pd
import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from gateline.products.briefing import write_briefing_pdf
from gateline.products.duty_sheets import roster_list
from gateline.products.interception import describe_plan, worked_stations, write_plan_csv
from gateline.products.lists import upstream_list
from gateline.products.map_data import map_payload
from gateline.products.spreadsheet import write_list_xlsx
from geo.errors import TableError
from tests.browser.fictional_run import build_run, plan_of, upstream_of, yields_of

pytestmark = pytest.mark.filterwarnings("ignore:.* extension is not supported:UserWarning")


@pytest.fixture(scope="module")
def bare():
    return build_run()


@pytest.fixture(scope="module")
def run(bare):
    return dataclasses.replace(bare, **plan_of(bare), upstream=upstream_of(bare))


def test_the_roster_is_in_the_order_of_the_days_and_says_why(run):
    roster = roster_list(run)
    assert roster["worked_on"].tolist()[::2] == ["Mon 5 Jan 2026", "Tue 6 Jan 2026", "Tue 6 Jan 2026"]
    # A stay that passes midnight ends on the day after.
    assert roster["from_to"].tolist()[:2] == ["07:00-08:00", "15:00-16:00"]
    assert roster["from_to"].tolist()[-1] == "00:30+1-01:30+1"
    assert roster["plan_reason"].value_counts().to_dict() == {
        "drawn by what it meets": 4,
        "asked for": 1,
        "drawn at random, to learn from": 1,
    }
    assert roster["propensity"].tolist() == [0.8, 0.8, 1.0, 0.8, 0.4, 0.1]


def test_stations_are_worked_as_often_as_the_roster_says(run):
    worked = worked_stations(run)
    first = worked.iloc[0]
    assert worked["n_shifts"].tolist() == [4, 1, 1, 0]
    assert worked["worked_share"].tolist() == [1.0, 0.25, 0.25, 0.0]
    assert first["hours"] == 4.0
    assert first["met_share_here"] == pytest.approx(0.6)
    assert worked["moved_trips_per_month"].sum() == pytest.approx(-0.75)


def test_two_teams_at_one_station_are_one_shift(run):
    plan = run.plan.assign(station_id=run.plan["station_id"].iloc[0])
    worked = worked_stations(dataclasses.replace(run, plan=plan, plan_residual=None))
    assert worked["n_shifts"].tolist() == [4]
    assert worked["hours"].tolist() == [6.0]


def test_text_says_what_is_met_before_and_after_and_where_flow_goes(run):
    lines = describe_plan(run)
    assert lines[0].startswith("Expected this week, in 40 team-hours on duty: 7 (0.7 to 28) courier trips met")
    text = " ".join(lines)
    assert "That is 5.7 (1.4 to 57) team-hours for one meeting, or 11 (2.9 to 110)." in text
    assert "It meets 62 % of the rail flow if couriers stay as they are, and 41 % once they respond" in text
    assert "13 % has then left the railway for the road and 46 % goes by rail unmet" in text
    assert "would meet 70 %, and no roster of these teams under these rules more than 74 %" in text
    assert "most passengers 5 (2.5)" in text
    assert "twice the teams 9 (4.5) in 40 team-hours" in text
    assert "The range holds 0: the plan may be no better." in text
    assert "3 teams work 5 team shifts on 2 days: 6 stays at 3 stations, in 4 of the 4 shifts of the plan." in text
    assert "is right 55 % of the time, against always with a fixed list. In London" in text
    gaining = run.stations.loc[run.plan_residual["moved_trips_per_month"].idxmax(), "name"]
    assert f"in trips a month: {gaining} (+1.8)." in text
    assert "2 % of the flow goes by rarer ways" in text
    assert "(tier A) has its reason." in text
    assert "Drives are made up." in text
    assert "modelled" in text


def test_a_plan_that_meets_less_than_one_a_month_says_so_first(run):
    rare = dataclasses.replace(run, plan_yields=yields_of({"this week": 0.2}))
    assert describe_plan(rare)[0].startswith("Less than one courier a month is expected to be met: 0.87 a month")
    never = dataclasses.replace(run, plan_yields=yields_of({"this week": 0.0}))
    assert "no number of team-hours for one meeting" in " ".join(describe_plan(never))


def test_the_stations_that_gain_most_are_named_first_and_only_three(run):
    moved = pd.Series([0.1, 4.0, 2.0, 3.0, 0.001], index=run.stations.index[:5])
    residual = pd.DataFrame({"residual_trips_per_month": 1.0, "moved_trips_per_month": moved}).rename_axis("station_id")
    text = " ".join(describe_plan(dataclasses.replace(run, plan_residual=residual)))
    names = run.stations["name"].iloc[[1, 3, 2]].tolist()
    assert f"{names[0]} (+4), {names[1]} (+3), {names[2]} (+2)." in text
    lost = residual.assign(moved_trips_per_month=-1.0)
    assert "No station gains flow" in " ".join(describe_plan(dataclasses.replace(run, plan_residual=lost)))


def test_a_plan_without_a_summary_claims_no_share(run):
    plain = dataclasses.replace(run, plan_summary=None, plan_yields=None, plan_what_ifs=None, plan_residual=None)
    assert worked_stations(plain)["worked_share"].tolist() == [1.0, 1 / 4, 1 / 4]
    assert worked_stations(plain)["met_share_here"].isna().all()
    assert "rail flow" not in " ".join(describe_plan(plain))
    assert "team-hours" not in " ".join(describe_plan(plain))


def test_a_summary_without_a_number_is_refused(run):
    summary = {k: v for k, v in run.plan_summary.items() if k not in {"met_share", "bound_share"}}
    with pytest.raises(TableError, match=r"plan_summary: 'met_share', 'bound_share' missing, expected all of"):
        dataclasses.replace(run, plan_summary=summary)


@pytest.mark.parametrize("name", ["plan", "upstream"])
def test_an_unknown_station_is_refused(run, name):
    table = getattr(run, name)
    table = table.assign(station_id=["???", *table["station_id"].iloc[1:]])
    with pytest.raises(TableError, match=rf"{name}: '\?\?\?' are not in stations"):
        dataclasses.replace(run, **{name: table})


def test_plan_csv_has_every_column_of_the_plan(run, bare, tmp_path):
    write_plan_csv(tmp_path / "plan.csv", run)
    header, *rows = csv.reader(io.StringIO((tmp_path / "plan.csv").read_bytes().decode("utf-8-sig"), newline=""))
    assert set(run.plan.columns) < set(header)
    assert [row[header.index("propensity")] for row in rows] == ["0.8", "0.8", "1.0", "0.8", "0.4", "0.1"]
    assert {row[header.index("run_id")] for row in rows} == {run.marks.run_id}
    write_plan_csv(tmp_path / "none.csv", bare)
    assert not (tmp_path / "none.csv").exists()


def test_workbook_and_briefing_have_the_plan_only_where_there_is_one(run, bare, tmp_path):
    for name, inputs in (("with", run), ("without", bare)):
        write_list_xlsx(tmp_path / f"{name}.xlsx", inputs)
        write_briefing_pdf(tmp_path / f"{name}.pdf", inputs)
    book = load_workbook(io.BytesIO((tmp_path / "with.xlsx").read_bytes()))
    header = [cell.value for cell in book["Roster by day"][4]]
    rows = list(book["Roster by day"].iter_rows(min_row=5, values_only=True))
    assert [row[header.index("Chance drawn")] for row in rows] == [0.8, 0.8, 1.0, 0.8, 0.4, 0.1]
    names = load_workbook(io.BytesIO((tmp_path / "without.xlsx").read_bytes())).sheetnames
    assert not {"Roster by day", "Roster by team", "Roster by station", "Yield", "Results"} & set(names)
    text = {k: " ".join(p.extract_text() for p in PdfReader(tmp_path / f"{k}.pdf").pages) for k in ("with", "without")}
    assert "The plan" in text["with"]
    assert "Once they respond" in " ".join(text["with"].split())
    assert "The plan" not in text["without"]
    assert len(PdfReader(tmp_path / "with.pdf").pages) <= 4


def test_upstream_lists_the_picked_set_first_then_the_nearest(run, bare):
    table = upstream_list(run)
    for area in run.exporters.itertuples():
        rows = table[table["exporting_area"] == area.name]
        assert rows["station_id"].iloc[0] == area.hub_station_id
        assert rows["minutes_from_area"].tolist() == [4.0, 31.0]
        assert rows["met_share"].tolist() == [1.0, 0.46]
        assert rows["pick_order"].iloc[0] == 1
        assert np.isnan(rows["pick_order"].iloc[1])
    later = run.upstream.assign(
        pick_order=np.where(run.upstream["pick_order"] > 0, 0, 1), cover_share=np.nan, time_min=run.upstream["time_min"]
    )
    swapped = upstream_list(dataclasses.replace(run, upstream=later), n_each=1)
    assert swapped["minutes_from_area"].unique().tolist() == [31.0]
    assert "boarding_trips_per_month" in upstream_list(bare).columns


def test_the_map_has_upstream_and_plan_only_where_given(run, bare):
    given, absent = map_payload(run), map_payload(bare)
    assert absent["plan"] is None
    assert absent["upstream"]["name"] == []
    assert given["upstream"]["cover"][:2] == [1, None]
    assert given["plan"]["shifts"] == [4, 1, 1, 0]
    assert given["plan"]["moved"][0] == -2.5
    assert len(given["plan"]["lon"]) == 4


def test_hotspots_are_offered_in_a_fixed_order_with_their_squares(bare):
    spots = bare.hotspots
    squares = spots.geometry.to_crs(spots.crs).envelope
    names = np.array(["gi_star", "dbscan", "foreseen", "other"])[np.arange(len(spots)) % 4]
    named = spots.assign(method=pd.array(names, dtype="str"))
    payload = map_payload(dataclasses.replace(bare, hotspots=named))["hotspots"]
    assert payload["methods"] == [
        "Next offences expected",
        "Offence clusters (DBSCAN)",
        "Hot squares (Gi*)",
        "other",
    ]
    assert payload["square_m"] == [None] * 4
    grid = squares.map(
        lambda shape: type(shape).from_bounds(*(500.0 * round(b / 500) for b in shape.buffer(400).bounds))
    )
    on_grid = map_payload(dataclasses.replace(bare, hotspots=named.set_geometry(grid)))["hotspots"]
    assert on_grid["square_m"] == [500] * 4
