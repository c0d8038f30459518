"""Gates, staff and trains of a station: what is told, what is blank, and that nothing unknown is said to be no."""

import csv
import dataclasses

import pandas as pd
import pytest
from openpyxl import load_workbook

from gateline.products.csv_lists import write_station_csv
from gateline.products.lists import station_list
from gateline.products.map_data import map_payload
from gateline.products.meeting import MEETING_COLUMNS, meeting_lines, tell_meeting, tell_time
from gateline.products.spreadsheet import write_list_xlsx
from geo.tables import DAY_KINDS
from tests.browser.fictional_run import build_run

pytestmark = pytest.mark.filterwarnings("ignore:.* extension is not supported:UserWarning")

NOTHING = "not known: there is no timetable"


@pytest.fixture(scope="module")
def bare():
    return build_run()


def trains_of(index, *, step_min=1.0):
    """The first station has trains, the second on weekdays alone, the others none."""
    rows = []
    for k, station in enumerate(index):
        for kind in DAY_KINDS:
            has = k == 0 or (k == 1 and kind == "weekday")
            times = (342.0, 1445.0) if has else (float("nan"), float("nan"))
            rows.append((station, kind, 40.0 if has else 0.0, *times, step_min))
    columns = ["station_id", "day_kind", "n_departures", "first_departure_min", "last_departure_min", "step_min"]
    table = pd.DataFrame(rows, columns=columns)
    table.index = pd.Index(table["station_id"] + ":" + table["day_kind"], name="station_trains_id")
    return table.astype({"station_id": "str", "day_kind": "str"})


def home_of(station, hubs, *, step_min=1.0):
    rows = [(station, hub, kind, at, step_min) for hub, at in hubs.items() for kind in DAY_KINDS]
    table = pd.DataFrame(rows, columns=["station_id", "hub_station_id", "day_kind", "last_departure_min", "step_min"])
    keys = table["station_id"] + ":" + table["hub_station_id"] + ":" + table["day_kind"]
    table.index = pd.Index(keys, name="trains_home_id")
    return table.astype({"station_id": "str", "hub_station_id": "str", "day_kind": "str"})


@pytest.fixture(scope="module")
def run(bare):
    first, second, third, *_ = ids = station_list(bare).index
    stations = bare.stations.assign(
        has_gates=pd.array([None] * len(bare.stations), dtype="boolean"),
        staffed_hours=pd.Series(None, index=bare.stations.index, dtype="str"),
    )
    stations.loc[first, ["has_gates", "staffed_hours"]] = [True, "mon-sat 06:00-20:00"]
    stations.loc[second, ["has_gates", "staffed_hours"]] = [False, "none"]
    return dataclasses.replace(
        bare,
        stations=stations,
        station_trains=trains_of(ids),
        trains_home=home_of(first, {second: 1290.0, third: float("nan")}),
        replacements=pd.Series([12.0] + [0.0] * (len(ids) - 1), index=ids),
        trains_basis="timetable",
    )


def test_a_list_tells_gates_staff_and_the_first_and_last_trains(run):
    table = station_list(run)
    first = table.iloc[0]
    assert first["has_gates"] == "yes"
    assert first["staffed_hours"] == "mon-sat 06:00-20:00"
    assert (first["first_train_weekday_hhmm"], first["last_train_weekday_hhmm"]) == ("05:42", "00:05 next day")
    assert first["trains_per_weekday"] == 40.0
    assert first["rail_replacement_departures_per_week"] == 12.0
    assert set(table["trains_basis"]) == {"timetable"}


def test_the_last_train_home_is_told_by_main_station_and_none_is_said(run):
    table = station_list(run)
    names = run.stations["name"][table.index[1:3]]
    told = sorted([f"{names.iloc[0]} 21:30", f"{names.iloc[1]} none"])
    assert table["last_train_home_sunday_hhmm"].iloc[0] == "; ".join(told)
    assert table["last_train_home_sunday_hhmm"].iloc[1:].isna().all()


def test_what_is_not_known_is_blank_and_never_no(run, tmp_path):
    write_station_csv(tmp_path / "stations.csv", run)
    with (tmp_path / "stations.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["has_gates"] for row in rows[:3]] == ["yes", "no", ""]
    assert [row["staffed_hours"] for row in rows[:3]] == ["mon-sat 06:00-20:00", "none", ""]
    lines = dict(meeting_lines({c: station_list(run)[c] for c in MEETING_COLUMNS}, rows[2]["station_id"]))
    assert (lines["Ticket gates"], lines["Staffed"]) == ("not known", "not known")
    assert lines["First, last train, Sunday"] == "none"


def test_a_run_without_a_timetable_shows_blanks_with_the_reason(bare):
    table = station_list(dataclasses.replace(bare, trains_basis=NOTHING))
    assert table[[name for name in MEETING_COLUMNS if name != "trains_basis"]].isna().all(axis=None)
    assert set(table["trains_basis"]) == {NOTHING}
    lines = meeting_lines({c: table[c] for c in MEETING_COLUMNS}, table.index[0])
    assert lines[-1] == ("First and last train", NOTHING)


def test_a_day_that_the_timetable_leaves_out_is_not_known(run):
    trains = run.station_trains.copy()
    on_sunday = trains["day_kind"] == "sunday"
    trains.loc[on_sunday, "n_departures"] = 0.0
    trains.loc[on_sunday, ["first_departure_min", "last_departure_min"]] = float("nan")
    table = station_list(dataclasses.replace(run, station_trains=trains))
    sundays = [name for name in MEETING_COLUMNS if "sunday" in name]
    assert len(sundays) == 3
    assert table[sundays].isna().all(axis=None)
    assert set(table["trains_basis"]) == {"timetable; it has hardly a train on Sunday"}
    lines = dict(meeting_lines({c: table[c] for c in MEETING_COLUMNS}, table.index[1]))
    assert (lines["First, last train, Saturday"], lines["First, last train, Sunday"]) == ("none", "not known")


def test_a_run_that_says_nothing_of_trains_has_no_such_columns(bare):
    assert not set(MEETING_COLUMNS) & set(station_list(bare).columns)
    assert tell_meeting(bare.stations, bare.stations.index, basis="") == {}


def test_a_time_known_to_the_hour_is_told_as_an_hour():
    assert tell_time(23 * 60, 60) == "23:00-24:00"
    assert tell_time(25 * 60, 60) == "01:00-02:00 next day"
    assert tell_time(25 * 60 + 1, 1) == "01:01 next day"


def test_many_main_stations_are_left_to_the_list(run):
    hubs = dict.fromkeys(run.stations.index[1:11], 1290.0)
    first = station_list(run).index[0]
    hubs.pop(first, None)
    many = dataclasses.replace(run, trains_home=home_of(first, hubs))
    table = station_list(many)
    lines = dict(meeting_lines({c: table[c] for c in MEETING_COLUMNS}, first))
    assert lines["Last train home, weekday"] == f"to {len(hubs)} main stations: see stations.csv"
    assert table["last_train_home_weekday_hhmm"].iloc[0].count(";") == len(hubs) - 1


def test_the_workbook_has_a_sheet_for_meetings(run, bare, tmp_path):
    write_list_xlsx(tmp_path / "list.xlsx", run)
    book = load_workbook(tmp_path / "list.xlsx")
    sheet = book["Meeting, stations"]
    heads = [cell.value for cell in sheet[4]]
    row = [cell.value for cell in sheet[5]]
    assert row[heads.index("Ticket gates")] == "yes"
    assert row[heads.index("Last train, weekday")] == "00:05 next day"
    assert "Ticket gates" not in [cell.value for cell in book["Stations"][4]]
    write_list_xlsx(tmp_path / "bare.xlsx", bare)
    assert "Meeting, stations" not in load_workbook(tmp_path / "bare.xlsx").sheetnames


def test_the_map_holds_each_distinct_list_once(run, bare):
    stations = map_payload(run)["stations"]
    assert len(stations["meetings"]) == 3
    lines = dict(map(tuple, stations["meetings"][stations["meeting"][0]]))
    assert lines["First, last train, weekday"] == "05:42, 00:05 next day"
    assert lines["Rail replacement buses that week"] == "12 departures: not a usual week"
    assert "meetings" not in map_payload(bare)["stations"]
