"""What a run did not use is said by the run, by check and by every product: months, files, rows, trips and stations."""

import csv
import json

import numpy as np
import openpyxl
import pandas as pd
import pytest

from gateline.commands.check import check_workspace
from gateline.pipeline.not_used import tell_not_used
from gateline.pipeline.run import run_pipeline
from gateline.settings import read_settings, write_settings_template
from tests.regions import make_small

HEADER = "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,Crime type"
NORTH, RAIL = "North Yorkshire Police", "British Transport Police"
MISSING = {NORTH: {"2025-02"}, RAIL: {"2025-05", "2025-06"}}
# Harrogate and York, a little apart so that offences cluster.
PLACES = [(-1.5374, 53.9932), (-1.0932, 53.9580)]
SLUGS = {NORTH: "north-yorkshire", RAIL: "btp"}


def write_month(folder, force, month, n_rows=40):
    folder.mkdir(exist_ok=True)
    rows = [HEADER]
    for k in range(n_rows):
        lon, lat = PLACES[k % 2]
        kind = "Nonsense" if k == 0 else "Drugs"
        crime = f"{SLUGS[force]}{month}{k},{month},{force},{force},{lon + k % 7 * 2e-4:.6f},{lat + k % 5 * 2e-4:.6f}"
        rows.append(f"{crime},FICTIONAL,E01000001,York 001A,{kind}")
    (folder / f"{month}-{SLUGS[force]}-street.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    root = make_small(tmp_path_factory.mktemp("gaps") / "w")
    months = [str(month) for month in pd.period_range("2025-01", "2025-06", freq="M")]
    folder = root / "inputs" / "months"
    for force in (NORTH, RAIL):
        for month in months:
            if month not in MISSING[force]:
                write_month(folder, force, month)
    (folder / "read me.txt").write_text("FICTIONAL", encoding="utf-8")
    (folder / "2025-01-north-yorkshire-outcomes.csv").write_text("Crime ID\n", encoding="utf-8")
    # A station in the force at which no track passes.
    with (root / "inputs" / "stations.csv").open("a", encoding="utf-8") as stream:
        stream.write("Nowhere Halt,54.30,-1.90,NWH\n")
    settings = read_settings(root / "region.toml")
    inputs = settings.inputs.model_copy(
        update={"offences": ("inputs/months",), "offences_format": "police_uk", "offences_columns": {}}
    )
    offences = settings.offences.model_copy(update={"max_quarantine_share": 0.5})
    changed = settings.model_copy(update={"inputs": inputs, "offences": offences})
    (root / "region.toml").write_text(write_settings_template(changed), encoding="utf-8")
    return root, run_pipeline(root, tell=lambda _: None).folder


# The force that is scored comes first.
GAPS = [f"{NORTH} has no rows for 2025-02 (1 month)", f"{RAIL} has no rows for 2025-05 to 2025-06 (2 months)"]


def rows_of(path):
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("text", GAPS)
def test_months_that_a_force_lacks_are_in_the_record_and_named_by_check(run, capsys, text):
    root, folder = run
    record = json.loads((folder / "run.json").read_text())
    assert text in record["stages"][0]["notes"]
    assert text in [row["reason"] for row in record["not_used"] if row["kind"] == "month"]
    check_workspace(root, as_json=False)
    assert f"missing months: {text}" in capsys.readouterr().out
    check_workspace(root, as_json=True)
    told = json.loads(capsys.readouterr().out)["missing_months"]
    assert {force: set(months) for force, months in told.items()} == MISSING


def test_every_product_says_that_months_are_missing(run):
    _, folder = run
    period = f"January 2025 to June 2025; {GAPS[0]} and of 1 more"
    for name in ("stations.csv", "towns.csv", "quarantine.csv", "not_used.csv", "plan.csv"):
        assert {row["period"] for row in rows_of(folder / name)} == {period}, name
    for name in ("map.html", "model_card.md"):
        assert GAPS[0] in (folder / name).read_text(encoding="utf-8").replace("\\", ""), name
    assert GAPS[1] in (folder / "map.html").read_text(encoding="utf-8")
    text = (folder / "map.html").read_text(encoding="utf-8")
    assert f'"lacking":["","no rows of {NORTH}","","","no rows of {RAIL}","no rows of {RAIL}"]' in text
    book = openpyxl.load_workbook(folder / "priority_stations.xlsx", read_only=True)
    texts = [str(cell.value) for sheet in ("Read me", "Sources and limits") for row in book[sheet] for cell in row]
    assert any(GAPS[0] in text for text in texts)
    assert any(GAPS[1] in text for text in texts)


def test_files_rows_and_stations_that_were_not_used_are_listed_with_their_reason(run):
    _, folder = run
    rows = rows_of(folder / "not_used.csv")
    by_kind = {kind: [row for row in rows if row["kind"] == kind] for kind in ("file", "rows", "station")}
    (files,) = [row["reason"] for row in by_kind["file"] if row["name"] == "months/"]
    # A name of a file that is no input may be of a person: `gateline check` alone tells it.
    assert files == "2 files of folder 'months' were not read; gateline check names them."
    for name in ("map.html", "briefing.pdf", "not_used.csv", "model_card.md"):
        assert b"read me.txt" not in (folder / name).read_bytes(), name
    faulty = [row for row in by_kind["rows"] if row["reason"] == "unknown crime type"]
    assert len(faulty) == 9
    assert {row["status"] for row in faulty} == {"faulty"}
    assert {row["n"] for row in faulty} == {"1.0"}
    assert ("Nowhere Halt (NWH)", "no track within 500 m") in {
        (row["name"], row["reason"]) for row in by_kind["station"]
    }
    book = openpyxl.load_workbook(folder / "priority_stations.xlsx", read_only=True)
    cells = {str(cell.value) for row in book["Not used"] for cell in row}
    assert {row["reason"] for row in rows} <= cells


def test_the_rows_that_were_not_used_are_those_of_the_accounts(run):
    """Nothing told of victims; of all other files every row that was not accepted, header lines apart."""
    _, folder = run
    record = json.loads((folder / "run.json").read_text())
    listed = sum(row["n"] for row in record["not_used"] if row["kind"] in {"rows", "trips"})
    assert listed == sum(account["n_read"] - account["n_accepted"] for account in record["rows"])
    assert not [row for row in record["not_used"] if "cuckooing" in row["name"]]


def test_what_lies_out_of_scope_is_not_told_as_a_loss():
    table = pd.DataFrame(
        {
            "kind": ["rows", "rows", "trips", "station", "file"],
            "name": ["a.csv", "a.csv", "f.zip:trips.txt", "York (YRK)", "b.csv"],
            "status": ["out of scope", "faulty", "duplicate", "missing", "not read"],
            "n": [1000.0, 3.0, 2.0, np.nan, 0.0],
            "reason": ["crime type not asked for", "no date", "twice", "no train", "empty"],
        }
    )
    assert tell_not_used(table) == (
        "1 files or folders were not used: not_used.csv says why",
        "3 rows were set aside: 3 no date (not_used.csv)",
        "2 trips were set aside: 2 twice (not_used.csv)",
        "1 stations were not used: York (YRK)",
    )
    assert tell_not_used(table.iloc[:0]) == ()
