"""The roster as sheets, calendars and team pages, and the log of results that is read back as it is."""

import csv
import dataclasses
import io

import pandas as pd
import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from gateline.products.calendars import calendar_text, write_calendars
from gateline.products.duty_sheets import (
    RESULT_COLUMNS,
    duty_list,
    result_log,
    roster_by_station,
    write_duties_csv,
    write_results_csv,
)
from gateline.products.spreadsheet import write_list_xlsx
from gateline.products.stop_tasks import PROMPTS, list_origins, prompts_of, tasks_of
from gateline.products.team_briefing import write_team_briefings
from geo.sources.deployments import read_deployments
from tests.browser.fictional_run import build_run, plan_of

pytestmark = pytest.mark.filterwarnings("ignore:.* extension is not supported:UserWarning")


@pytest.fixture(scope="module")
def bare():
    return build_run()


@pytest.fixture(scope="module")
def run(bare):
    return dataclasses.replace(bare, **plan_of(bare))


def unfold(text):
    return text.replace("\r\n ", "")


def test_each_shift_is_one_event_of_its_hours(run):
    alpha = run.plan_duties[run.plan_duties["team"] == "Alpha"]
    text = calendar_text(alpha, run)
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    lines = unfold(text).split("\r\n")
    events = [k for k, line in enumerate(lines) if line == "BEGIN:VEVENT"]
    assert len(events) == 2
    starts = [line.split(":")[1] for line in lines if line.startswith("DTSTART;TZID")]
    ends = [line.split(":")[1] for line in lines if line.startswith("DTEND;TZID")]
    assert starts == ["20260105T060000", "20260106T180000"]
    # The late shift of that day ends on the morning after.
    assert ends == ["20260105T140000", "20260107T020000"]
    assert len({line for line in lines if line.startswith("UID:")}) == 2
    told = next(line for line in lines if line.startswith("DESCRIPTION"))
    assert "FICTIONAL" in told
    assert "07:00-08:00 Work" in told
    assert "Refreshment break" in told


def test_a_name_cannot_make_a_line_of_a_calendar(run):
    duties = run.plan_duties.assign(place="York\r\nATTENDEE:mailto:x@y.z; a, b\\")
    lines = unfold(calendar_text(duties, run)).split("\r\n")
    assert not [line for line in lines if line.startswith("ATTENDEE")]
    assert "York ATTENDEE:mailto:x@y.z\\; a\\, b\\\\" in next(line for line in lines if line.startswith("LOCATION"))


def test_files_of_teams_have_plain_names_and_none_is_lost(run, tmp_path):
    odd = run.plan_duties.assign(team=run.plan_duties["team"].map({"Alpha": "../A", "Bravo": "/a", "Charlie": "c"}))
    plan = run.plan.assign(team=run.plan["team"].map({"Alpha": "../A", "Bravo": "/a", "Charlie": "c"}))
    inputs = dataclasses.replace(run, plan_duties=odd, plan=plan)
    write_calendars(tmp_path, inputs)
    write_team_briefings(tmp_path, inputs)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [f"team-0{k}-{n}.{end}" for k, n in ((1, "a"), (2, "a"), (3, "c")) for end in ("ics", "pdf")]


def test_a_plan_of_numbered_days_has_no_calendar_and_no_plan_no_page(run, bare, tmp_path):
    numbered = dataclasses.replace(run, plan_duties=run.plan_duties.assign(worked_on="day 1"))
    write_calendars(tmp_path, numbered)
    write_calendars(tmp_path, bare)
    write_team_briefings(tmp_path, bare)
    write_duties_csv(tmp_path / "duties.csv", bare)
    write_results_csv(tmp_path / "results.csv", bare)
    assert list(tmp_path.iterdir()) == []
    assert duty_list(bare).empty
    assert roster_by_station(bare).empty
    assert result_log(bare).empty


def test_a_team_page_is_one_page_with_times_tasks_and_prompts(run, tmp_path):
    write_team_briefings(tmp_path, run)
    pages = PdfReader(tmp_path / "team-03-charlie.pdf").pages
    assert len(pages) == 1
    text = " ".join(pages[0].extract_text().split())
    for said in ("Team Charlie", "18:00-02:00+1", "19:00-20:00", "Leave 18:15, 21 minutes by road.", "FICTIONAL"):
        assert said in text
    assert "Meet trains from" in text
    assert PROMPTS[0].split(":")[0] in text


def test_sheets_hold_the_same_stays_in_three_orders(run, tmp_path):
    write_list_xlsx(tmp_path / "list.xlsx", run)
    book = load_workbook(tmp_path / "list.xlsx")
    wanted = ["Roster by day", "Roster by team", "Roster by station", "Yield", "List and roster", "Results"]
    assert [name for name in book.sheetnames if name in wanted] == wanted
    by_station = list(book["Roster by station"].iter_rows(min_row=5, values_only=True))
    assert len(by_station) == len(run.plan)
    assert [row[1] for row in by_station] == sorted(run.plan["name"])
    duties = duty_list(run)
    assert (duties["duty"].str.startswith("Work ").sum()) == len(run.plan)
    assert duties.groupby("team")["minutes"].sum().to_dict() == {"Alpha": 960, "Bravo": 960, "Charlie": 480}


def test_a_long_sentence_is_told_to_its_end(run, tmp_path):
    long = "A station has its reason, " + "with numbers, " * 30 + "and this is the end."
    write_list_xlsx(
        tmp_path / "list.xlsx", dataclasses.replace(run, plan_agreement=run.plan_agreement.assign(reason=long))
    )
    sheet = load_workbook(tmp_path / "list.xlsx")["List and roster"]
    assert {row[-1] for row in sheet.iter_rows(min_row=5, values_only=True)} == {long}


def test_the_log_is_read_back_as_it_is_filled_in(run, tmp_path):
    write_results_csv(tmp_path / "results.csv", run)
    text = (tmp_path / "results.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert all(row[column] == "" for row in rows for column in RESULT_COLUMNS)
    rows[0] |= {"n_hours": "1.0", "n_stops": "4", "n_finds": "1", "n_children": "1", "n_referrals": "2"}
    rows[1] |= {"n_hours": "0.75", "n_finds": "0"}
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
    (tmp_path / "filled.csv").write_text(buffer.getvalue(), encoding="utf-8")
    reading = read_deployments(tmp_path / "filled.csv", station_ids=run.stations.index, not_after=pd.Period("2026-01"))
    table = reading.table
    assert sorted(table["n_hours"]) == [0.75, 1.0]
    assert table["n_finds"].sum() == 1
    assert set(table["worked_on"]) == {"2026-01-05"}
    assert sorted(table["propensity"]) == [0.8, 0.8]
    assert table["n_children"].sum() == 1
    (account,) = reading.accounts
    assert (account.n_read, account.n_accepted) == (6, 2)
    assert ("out_of_scope", "not_worked", 4) in account.n_by_reason


def test_tasks_follow_from_what_is_known(run):
    row = {"station_id": "S", "worked_on": "2026-01-05", "from_h": 10.0, "to_h": 12.0}
    assert tasks_of(row, {}) == ["Meet arriving trains."]
    known = row | {"n_trains_in_stay": 12.4, "has_gates": True, "change_share": 0.5, "staffed_share": 0.0}
    assert tasks_of(known, {"S": ["Leeds", "Hull"]}) == [
        "Meet trains from Leeds and Hull first.",
        "About 12 trains call in the time.",
        "Stand inside the ticket gates.",
        "50% of couriers going on change here: watch between platforms.",
        "No station staff are there.",
    ]
    assert tasks_of(row | {"kind": "coach stop"}, {}) == ["Meet arriving coaches."]
    assert prompts_of(row) == ["School hours."]
    assert prompts_of(row | {"worked_on": "2026-01-10"}) == []
    assert prompts_of(row | {"from_h": 20.0, "to_h": 21.0}) == ["Late."]
    assert prompts_of(row | {"worked_on": "day 1"}) == []
    origins = list_origins(run)
    assert set(origins) <= set(run.stations.index)
    assert all(1 <= len(names) <= 2 for names in origins.values())
