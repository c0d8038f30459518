"""The whole job: every product there, every row accounted for, the same bytes again, and no victim in any of them."""

import csv
import hashlib
import json
import re
import zipfile
from pathlib import Path

import pandas as pd
import pypdf
import pytest
from typer.testing import CliRunner

import gateline.cli
from gateline.audit import verify_log
from gateline.pipeline.run import run_pipeline
from geo.errors import GatelineError, InputError, LockedError, QuarantineError, UsageError
from geo.tables import PLACE_SCORES, STATION_SCORES
from tests.regions import keep_rows, make_small

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"
MAY_BE_EMPTY = {"quarantine.csv", "not_used.csv"}
PRODUCTS = {"map.html", "stations.csv", "towns.csv", "priority_stations.xlsx", "run.json", "quarantine.csv"}


def digests(folder):
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.name != "timings.json"
    }


@pytest.fixture
def run(demo_run):
    return demo_run.folder


def rows_of(path):
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_product_is_there(run):
    assert {path.name for path in run.iterdir()} >= PRODUCTS


def test_every_row_is_accounted_for(run):
    for account in json.loads((run / "run.json").read_text())["rows"]:
        assert account["n_read"] == account["n_accepted"] + sum(part["n"] for part in account["n_by_reason"])


@pytest.mark.parametrize(("name", "contract"), [("stations.csv", STATION_SCORES), ("towns.csv", PLACE_SCORES)])
def test_reasons_sum_to_the_score(run, name, contract):
    rows = rows_of(run / name)
    assert len(rows) > 20
    for row in rows:
        reasons = sum(float(value) for key, value in row.items() if key.startswith("reason_"))
        assert reasons == pytest.approx(float(row["score"]), abs=1e-5)
        assert float(row["rank_low"]) <= float(row["rank"] or row["rank_low"]) <= float(row["rank_high"])
    assert {contract.index, "name", "tier", "score"} <= set(rows[0])


def test_the_same_inputs_give_the_same_bytes_whatever_their_order(small_run, workspace):
    for path in (workspace / "inputs").glob("*.csv"):
        keep_rows(workspace, path.name, reversed)
    again = run_pipeline(workspace, tell=lambda _: None)
    assert again.run_id == small_run.run_id
    assert digests(again.folder) == digests(small_run.folder)


def test_no_victim_leaves_in_any_product(run):
    """Coordinates in metres and in degrees, and the reference numbers, in every file and every part of the workbook."""
    victims = pd.read_csv(DEMO / "cuckooing_FICTIONAL.csv", dtype=str)
    from geo.crs import to_wgs84_arrays

    lon, lat = to_wgs84_arrays(victims["easting"].to_numpy(float), victims["northing"].to_numpy(float))
    pieces = []
    for path in run.iterdir():
        if path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as book:
                pieces += [book.read(name).decode("utf-8", "replace") for name in book.namelist()]
        elif path.suffix == ".pdf":
            pieces += [page.extract_text() for page in pypdf.PdfReader(path).pages]
        else:
            pieces.append(path.read_bytes().decode("utf-8", "replace"))
    numbers = set(re.findall(r"-?\d+(?:\.\d+)?", "\n".join(pieces)))
    text = "\n".join(pieces)
    assert not victims["reference"].isin(re.findall(r"FICTIONAL-C\d+", text)).any()
    pairs = {(f"{a:.{k}f}", f"{b:.{k}f}") for a, b in zip(lon, lat, strict=True) for k in (4, 5, 6)}
    assert not [pair for pair in pairs if set(pair) <= numbers and f"{pair[0]},{pair[1]}" in text.replace(" ", "")]
    grid = [(e, n) for e, n in zip(victims["easting"], victims["northing"], strict=True) if {e, n} <= numbers]
    assert not grid


def test_fictional_is_on_everything(run):
    for path in run.iterdir():
        if path.name in {"timings.json", "run.json"} or (path.name in MAY_BE_EMPTY and not rows_of(path)):
            continue
        body = path.read_bytes()
        if path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as book:
                body = b"".join(book.read(name) for name in book.namelist())
        if path.suffix == ".pdf":
            body = "".join(page.extract_text() for page in pypdf.PdfReader(path).pages).encode()
        assert b"FICTIONAL" in body, path.name


def test_the_audit_log_holds_the_run(demo_run):
    assert verify_log(demo_run.root / "audit.jsonl") >= 1
    assert demo_run.run_id in (demo_run.root / "audit.jsonl").read_text()


def test_a_second_process_cannot_write_at_the_same_time(workspace):
    (workspace / ".gateline-lock").write_text(json.dumps({"pid": 1, "host": "elsewhere"}))
    with pytest.raises(LockedError, match="another process holds"):
        run_pipeline(workspace, tell=lambda _: None)


@pytest.fixture
def workspace(tmp_path):
    """The small region's inputs in a folder of their own, to be spoilt."""
    return make_small(tmp_path / "w")


def spoil(path, change):
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")


def swap(text):
    rows = [line.split(",") for line in text.splitlines()]
    return "\n".join(",".join([*row[:2], row[3], row[2], *row[4:]]) for row in [rows[0], *rows[1:]])


WRONG = {
    "missing column": (
        "stations.csv",
        lambda text: text.replace("crsCode", "code", 1),
        InputError,
        r"stations\.csv: .*'crsCode'.*missing",
    ),
    "swapped coordinates": (
        "stations.csv",
        lambda text: text.replace("stationName,lat,long", "stationName,long,lat", 1),
        InputError,
        r"stations\.csv: .*swapped",
    ),
    "BNG in the degree columns": (
        "places.csv",
        lambda text: "\n".join([text.splitlines()[0], *(f"p{i},Town {i},45{i:04d},45{i:04d},5000" for i in range(30))]),
        InputError,
        r"places\.csv: .*(National Grid|metres|EPSG:27700)",
    ),
    "empty file": ("offences_FICTIONAL.csv", lambda _: "", InputError, r"offences_FICTIONAL\.csv: .*empty"),
    "HTML error page": (
        "offences_FICTIONAL.csv",
        lambda _: "<!DOCTYPE html><html><body>502</body></html>",
        InputError,
        r"offences_FICTIONAL\.csv: it is a web page",
    ),
    "too much quarantined": (
        "offences_FICTIONAL.csv",
        lambda text: text.replace("2025-", "2025/13/", 400),
        QuarantineError,
        r"offences_FICTIONAL\.csv: \d+ of 1527 rows \([^)]*\) are quarantined, expected at most 5%",
    ),
}


@pytest.mark.parametrize("name", list(WRONG))
def test_a_wrong_input_is_one_clear_sentence_and_publishes_nothing(workspace, name):
    file, change, error, says = WRONG[name]
    spoil(workspace / "inputs" / file, change)
    with pytest.raises(error, match=says) as caught:
        run_pipeline(workspace, tell=lambda _: None)
    assert "\n" not in str(caught.value)
    assert not (workspace / "runs" / "current").exists()


def test_an_html_page_saved_as_pbf_is_refused(workspace):
    (workspace / "inputs" / "track.osm.pbf").write_text("<html>502 Bad Gateway</html>")
    spoil(workspace / "region.toml", lambda text: text.replace("inputs/rail_track.geojson", "inputs/track.osm.pbf"))
    with pytest.raises(InputError, match=r"track\.osm\.pbf: the content is a web page"):
        run_pipeline(workspace, tell=lambda _: None)


def test_an_unknown_setting_is_refused(workspace):
    spoil(workspace / "region.toml", lambda text: text.replace("eps_m = ", "epsm = "))
    with pytest.raises(UsageError, match=r"unknown setting 'hotspots.epsm' \(did you mean 'eps_m'\?\)"):
        run_pipeline(workspace, tell=lambda _: None)


def test_a_missing_input_is_named(workspace):
    (workspace / "inputs" / "stations.csv").unlink()
    with pytest.raises(UsageError, match=r"inputs: path 'inputs/stations.csv' does not exist"):
        run_pipeline(workspace, tell=lambda _: None)


def test_the_command_line_answers_with_the_sentence_and_the_code(workspace, monkeypatch, capsys):
    spoil(workspace / "inputs" / "offences_FICTIONAL.csv", lambda _: "")
    monkeypatch.setattr("sys.argv", ["gateline", "run", str(workspace)])
    with pytest.raises(SystemExit) as ended:
        gateline.cli.main()
    assert ended.value.code == 3
    captured = capsys.readouterr()
    assert captured.err.strip().splitlines()[-1].startswith("gateline: offences_FICTIONAL.csv:")
    assert "Traceback" not in captured.err


def test_check_prints_the_account_and_writes_nothing(workspace):
    before = sorted(workspace.rglob("*"))
    result = CliRunner().invoke(gateline.cli.app, ["check", str(workspace)])
    assert result.exit_code == 0
    assert re.search(r"offences_FICTIONAL\.csv\s+1,527\s+1,527", result.output)
    assert sorted(workspace.rglob("*")) == before


def test_init_makes_a_workspace_once(tmp_path):
    runner = CliRunner()
    assert runner.invoke(gateline.cli.app, ["init", str(tmp_path / "w")]).exit_code == 0
    result = runner.invoke(gateline.cli.app, ["init", str(tmp_path / "w")])
    assert isinstance(result.exception, UsageError)
    with pytest.raises(GatelineError, match=r"inputs offences, stations, places, exporters, rail_track not named"):
        run_pipeline(tmp_path / "w", tell=lambda _: None)


def test_train_registers_a_model_and_says_when_counting_is_as_good(workspace):
    demo = workspace
    spoil(demo / "region.toml", lambda text: text.replace('# first_month = ""', 'first_month = "2024-10"'))
    result = CliRunner().invoke(gateline.cli.app, ["train", str(demo)])
    assert result.exit_code == 0, result.output
    for unit in ("stations", "towns"):
        folder = demo / "models" / unit
        assert f"{unit}: " in result.output
        card = (folder / "model_card.md").read_text()
        assert "Verdict" in card
        assert (folder / (folder / "current").read_text().strip()).exists()
        assert json.loads((folder / "atrs.json").read_text())["tier_1"]
    # Offences of the demo are drawn at a constant rate a town: nothing can honestly beat counting.
    assert "no better than counting" in result.output


def test_a_list_is_issued_once_and_compared_with_the_next(workspace):
    runner = CliRunner()
    spoil(workspace / "region.toml", lambda text: text.replace('# last_month = ""', 'last_month = "2025-03"'))
    first = run_pipeline(workspace, tell=lambda _: None)
    assert runner.invoke(gateline.cli.app, ["issue", str(workspace)]).exit_code == 0
    again = runner.invoke(gateline.cli.app, ["issue", str(workspace)])
    assert "has already issued a list" in str(again.exception)
    spoil(workspace / "region.toml", lambda text: text.replace('last_month = "2025-03"', "# last_month = 0"))
    second = run_pipeline(workspace, tell=lambda _: None)
    assert first.run_id != second.run_id
    monitored = runner.invoke(gateline.cli.app, ["monitor", str(workspace)])
    assert monitored.exit_code == 0, monitored.output
    assert f"\n{first.run_id}" in monitored.output
    compared = runner.invoke(gateline.cli.app, ["compare", str(workspace), first.run_id])
    assert compared.exit_code == 0, compared.output
    assert f"{first.run_id} to {second.run_id}" in compared.output
    page = (workspace / "comparison.html").read_text(encoding="utf-8")
    assert "FICTIONAL" in page
    assert first.run_id in page
    absent = runner.invoke(gateline.cli.app, ["compare", str(workspace), "zzz"])
    assert re.search(r"run 'zzz': 0 runs match .* expected one", str(absent.exception))


def test_backtest_of_hotspots_prints_every_detector_and_plots(demo_run, tmp_path):
    demo = demo_run.copy(tmp_path / "demo")
    result = CliRunner().invoke(gateline.cli.app, ["backtest", "--hotspots", str(demo)])
    assert result.exit_code == 0, result.output
    for name in ("prior counts", "kernel density", "random"):
        assert name in result.output
    assert (demo / "backtest_hotspots.png").read_bytes().startswith(b"\x89PNG")


HOSTILE = ("{{7*7}}", "${alert(1)}", "</script><script>alert(1)</script>", "=cmd|'/c calc'!A0", "`${1}`", "+1+1")


def test_a_hostile_name_is_inert_in_every_product(workspace):
    names = iter(HOSTILE)

    def change(text):
        header, *rows = text.splitlines()
        out = []
        for row in rows:
            cells = row.split(",")
            name = next(names, None)
            quoted = '"' + name.replace('"', '""') + '"' if name else cells[1]
            out.append(",".join([cells[0], quoted, *cells[2:]]))
        return "\n".join([header, *out]) + "\n"

    spoil(workspace / "inputs" / "places.csv", change)
    folder = run_pipeline(workspace, tell=lambda _: None).folder
    page = (folder / "map.html").read_text(encoding="utf-8")
    assert "</script><script>alert(1)" not in page
    assert "49" not in {row["name"] for row in rows_of(folder / "towns.csv")}
    shown = [row["name"] for row in rows_of(folder / "towns.csv")]
    assert "{{7*7}}" in shown
    assert not [name for name in shown if name[0] in "=+-@"]
    with zipfile.ZipFile(folder / "priority_stations.xlsx") as book:
        sheets = [book.read(name).decode() for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
    assert not any("<f>" in sheet for sheet in sheets)
