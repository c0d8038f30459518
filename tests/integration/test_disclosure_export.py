"""A release holds what its profile may receive and no more, is logged before it is there, and a refusal says why."""

import csv
import json
import os
import shutil
import stat
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import gateline.cli
import gateline.pipeline.run
from benchmarks.byte_search import count_hits, count_tokens, find_places, float_tokens
from gateline.audit import verify_log
from gateline.pipeline.run import run_pipeline
from gateline.release import export
from gateline.release.export import ReleaseRequest, export_release
from gateline.settings import write_settings_template
from geo.crs import to_metric_arrays
from geo.errors import DisclosureError, GatelineError, IntegrityError, ResourceError
from geo.sensitive import SensitivePoints
from tests.regions import make_small

DATA = Path(__file__).resolve().parents[2] / "data"
TODAY = date(2026, 1, 15)
PARTNER = {"towns.csv", "offences_by_area.csv", "victim_areas.geojson", "release.json"}


@pytest.fixture(scope="module")
def finished(small_run, tmp_path_factory):
    """The small region as if it were real; its stages found what they find where it is marked FICTIONAL."""
    root = make_small(tmp_path_factory.mktemp("base") / "w")
    settings = small_run.settings
    region = settings.region.model_copy(update={"is_fictional": False, "marking": "OFFICIAL"})
    text = write_settings_template(settings.model_copy(update={"region": region}))
    (root / "region.toml").write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gateline.pipeline.run, "run_stages", lambda *_: small_run.results)
        return root, run_pipeline(root, tell=lambda _: None)


@pytest.fixture
def workspace(finished, tmp_path, monkeypatch):
    """A copy to export from; the stages give what they gave."""
    root = tmp_path / "work"
    shutil.copytree(finished[0], root)
    monkeypatch.setattr(export, "run_stages", lambda *_: finished[1].results)
    # The log of the run holds the day the test runs on; victims' addresses count from it.
    monkeypatch.setattr(export, "VICTIM_RETENTION_DAYS", 90)
    return root


def ask(root, profile="tactical", *, reason="operation", recipient="Desk 4", products=(), today=TODAY, out=None):
    request = ReleaseRequest(profile, reason, recipient, tuple(products))
    return export_release(root, request, today=today, tell=lambda _: None, out=out)


def events(root):
    return [json.loads(line) for line in (root / "audit.jsonl").read_text().splitlines()]


def rows_of(path):
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def with_one_more(inputs):
    easting_m, northing_m = inputs.cuckooing.reveal_for("area_counts")
    # Fill the first home's neighbourhood until a band must change.
    more_e, more_n = easting_m[0] + 25.0 * np.arange(1, 4), northing_m[0] + 25.0 * np.arange(1, 4)
    months = pd.PeriodIndex(["2025-06"] * (len(easting_m) + 3), freq="M")
    table = pd.DataFrame(
        {
            "easting_m": np.append(easting_m, more_e),
            "northing_m": np.append(northing_m, more_n),
            "first_seen": months,
            "last_seen": months,
        },
        index=pd.Index([f"B{k:04d}" for k in range(len(months))], name="address_id", dtype="str"),
    )
    return replace(inputs, cuckooing=SensitivePoints(table))


def test_a_tactical_release_is_the_planners_products_with_marks_and_a_log_entry(workspace):
    folder = ask(workspace)
    assert {path.name for path in folder.iterdir()} == {
        "map.html",
        "stations.csv",
        "towns.csv",
        "priority_stations.xlsx",
        "briefing.pdf",
        "layers.gpkg",
        "hotspots.geojson",
        "release.json",
    }
    last = events(workspace)[-1]
    assert (last["event"], last["profile"], last["reason"], last["recipient"]) == (
        "disclose",
        "tactical",
        "operation",
        "Desk 4",
    )
    assert verify_log(workspace / "audit.jsonl") == len(events(workspace))
    for name, sha256 in last["output_sha256"].items():
        assert export.hash_file(folder / name) == sha256
    record = json.loads((folder / "release.json").read_text())
    assert record["recipient"] == "Desk 4"
    head = events(workspace)[-2]["hash"][:16]
    for path, column in ((folder / "stations.csv", "operator"), (folder / "towns.csv", "operator")):
        assert all(f"for Desk 4, audit log {head}" in row[column] for row in rows_of(path))
    assert b"for Desk 4, audit log" in (folder / "map.html").read_bytes()
    assert not list(workspace.glob("exports/.tmp-*"))


def test_hotspots_leave_as_squares_and_rounded_counts(workspace):
    folder = ask(workspace, products=["hotspots.geojson"])
    assert {path.name for path in folder.iterdir()} == {"hotspots.geojson", "release.json"}
    features = json.loads((folder / "hotspots.geojson").read_text())["features"]
    counts = [feature["properties"]["n_offences"] for feature in features]
    assert min(counts) >= 5
    assert all(count % 5 == 0 for count in counts)
    lon_deg, lat_deg = np.vstack([np.reshape(_flat(f["geometry"]["coordinates"]), (-1, 2)) for f in features]).T
    for metres in to_metric_arrays(lon_deg, lat_deg):
        assert np.abs(metres / 100.0 - np.round(metres / 100.0)).max() * 100.0 < 1.0


def _flat(value):
    return [value] if isinstance(value, float) else [number for part in value for number in _flat(part)]


def test_a_partner_release_has_towns_areas_and_large_squares(workspace, finished):
    folder = ask(workspace, "partner")
    assert {path.name for path in folder.iterdir()} == PARTNER
    rows = rows_of(folder / "offences_by_area.csv")
    assert len(rows) == len(finished[1].inputs.areas)
    shown = [float(row["all_types"]) for row in rows if row["all_types"]]
    assert shown
    assert min(shown) >= 10
    assert all(count % 5 == 0 for count in shown)
    assert any(not row["all_types"] for row in rows)
    cells = json.loads((folder / "victim_areas.geojson").read_text())
    assert {feature["properties"]["band"] for feature in cells["features"]} <= {1, 2, 3}
    for row in rows_of(folder / "towns.csv"):
        assert row["observed_lines"] == "" or float(row["observed_lines"]) >= 10


def test_a_public_release_names_no_station_and_has_no_victims(workspace, finished):
    folder = ask(workspace, "public")
    assert {path.name for path in folder.iterdir()} == {"method.md", "offences_by_area.csv", "release.json"}
    assert "tell those who exploit children which stations to avoid" in (folder / "method.md").read_text()
    rows = rows_of(folder / "offences_by_area.csv")
    assert all(float(row["all_types"]) >= 10 and float(row["all_types"]) % 10 == 0 for row in rows)
    assert "Drugs" not in rows[0]
    assert not (workspace / "ledger.jsonl").exists()
    (workspace / "models" / "stations").mkdir(parents=True)
    (workspace / "models" / "stations" / "model_card.md").write_text("card")
    (workspace / "models" / "stations" / "atrs.json").write_text("{}")
    names = {path.name for path in ask(workspace, "public", products=["model_cards"]).iterdir()}
    assert names == {"stations_model_card.md", "stations_atrs.json", "release.json"}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"reason": " "}, "reason: it is ' ', expected some words. Every release is logged with its reason"),
        ({"recipient": ""}, "recipient: it is '', expected some words"),
        ({"profile": "friend"}, "profile: it is 'friend', expected one of tactical, partner, public"),
        (
            {"profile": "public", "products": ["stations.csv"]},
            r"profile: 'public' does not receive 'stations.csv' \(a station ranking tips off",
        ),
        ({"profile": "partner", "products": ["map.html"]}, "'partner' does not receive 'map.html'"),
        ({"today": date(2026, 11, 1)}, "run .*: it expired on 2026-10-31, expected 2026-11-01 or later"),
    ],
)
def test_a_refusal_says_why_is_logged_and_leaves_nothing(workspace, asked, message):
    with pytest.raises(DisclosureError, match=message) as caught:
        ask(workspace, **asked)
    assert caught.value.exit_code == 7
    last = events(workspace)[-1]
    assert (last["event"], last["exit_code"]) == ("refuse", 7)
    assert last["message"] == str(caught.value)
    assert not list(workspace.glob("exports/*"))


def test_victims_addresses_past_their_time_are_refused(workspace):
    request = ReleaseRequest("tactical", "operation", "Desk 4")
    with pytest.raises(DisclosureError, match=r"cuckooing_FICTIONAL.csv: victims' addresses expired on .*, -9999 days"):
        export_release(workspace, request, today=TODAY, tell=lambda _: None, victim_retention_days=-9999)


def test_one_more_victim_since_the_last_release_is_refused_and_the_same_again_passes(workspace, finished, monkeypatch):
    ask(workspace, products=["layers.gpkg"])
    ask(workspace, products=["layers.gpkg"])
    monkeypatch.setattr(export, "_read_as_run", lambda *_: with_one_more(finished[1].inputs))
    with pytest.raises(DisclosureError, match=r"release: \d addresses that came or went since release"):
        ask(workspace)
    assert events(workspace)[-1]["event"] == "refuse"
    # Scores tell the bands of towns, so a list without squares is held back too; what has no victim in it is not.
    with pytest.raises(DisclosureError, match=r"release: 3 addresses .* show in 1 bands of towns, expected none"):
        ask(workspace, products=["stations.csv"])
    ask(workspace, products=["hotspots.geojson"])


def test_nothing_leaves_that_cannot_be_logged(workspace, monkeypatch):
    write = export.append_event
    seen = []

    def full_disk(log, event, **facts):
        seen.append((event, list(workspace.glob("exports/[!.]*"))))
        if event == "disclose":
            raise OSError(28, "No space left on device")
        return write(log, event, **facts)

    monkeypatch.setattr(export, "append_event", full_disk)
    with pytest.raises(
        IntegrityError, match=r"audit.jsonl: it cannot be written \(No space left on device\), expected"
    ):
        ask(workspace, products=["towns.csv"])
    assert seen == [("disclose", [])]
    assert not list(workspace.glob("exports/*"))


def test_a_full_disk_releases_nothing_and_leaves_the_ledger_whole(workspace, monkeypatch):
    ask(workspace, products=["layers.gpkg"])
    before = (workspace / "ledger.jsonl").read_bytes()
    n_exports = len(list(workspace.glob("exports/*")))
    write = os.write

    def full_disk(descriptor, data):
        if b"release_id" in bytes(data):
            write(descriptor, data[:20])
            raise OSError(28, "No space left on device")
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", full_disk)
    with pytest.raises(
        ResourceError, match=r"release .*: the disk is full, expected room for it. Nothing was exported"
    ):
        ask(workspace, products=["layers.gpkg"])
    assert (workspace / "ledger.jsonl").read_bytes() == before
    assert len(list(workspace.glob("exports/*"))) == n_exports


def test_inputs_that_changed_since_the_run_are_refused(workspace):
    with (workspace / "inputs" / "offences_FICTIONAL.csv").open("a") as stream:
        stream.write("\n")
    path = workspace / "region.toml"
    path.write_text(path.read_text().replace("retention_months = 13", "retention_months = 12"))
    with pytest.raises(IntegrityError, match="inputs, settings, registered models or code have changed since"):
        ask(workspace)


def test_a_tampered_log_or_a_lost_ledger_stops_every_release(workspace):
    ask(workspace, products=["layers.gpkg"])
    (workspace / "ledger.jsonl").unlink()
    with pytest.raises(IntegrityError, match=r"ledger.jsonl: 1 releases that the audit log names are altered or gone"):
        ask(workspace)
    log = workspace / "audit.jsonl"
    log.write_text(log.read_text().replace("Desk 4", "Desk 5"))
    with pytest.raises(IntegrityError, match=r"audit.jsonl: line \d+ is altered"):
        ask(workspace)


def test_key_and_ledger_are_private_and_stay_at_home(workspace, tmp_path):
    folder = ask(workspace, products=["layers.gpkg"], out=tmp_path / "elsewhere")
    assert folder.parent == tmp_path / "elsewhere"
    for name in (".gateline-key", "ledger.jsonl", "audit.jsonl"):
        assert stat.S_IMODE((workspace / name).stat().st_mode) == 0o600
    key = (workspace / ".gateline-key").read_bytes()
    for path in [*folder.iterdir(), workspace / "audit.jsonl", workspace / "ledger.jsonl"]:
        assert count_tokens(path, [key, key.hex().encode()]) == 0


def test_no_output_byte_holds_an_address(workspace, finished, monkeypatch):
    inputs = finished[1].inputs
    victims = pd.read_csv(DATA / "demo" / "cuckooing_FICTIONAL.csv")
    easting_m, northing_m = victims["easting"].to_numpy(float), victims["northing"].to_numpy(float)
    secrets = [*victims["reference"].astype(str).str.encode("ascii"), *float_tokens(easting_m, northing_m)]
    files = [*ask(workspace).iterdir(), *ask(workspace, "partner", products=["victim_areas.geojson"]).iterdir()]
    files += [workspace / "ledger.jsonl", workspace / "audit.jsonl"]
    monkeypatch.setattr(export, "_read_as_run", lambda *_: replace(inputs, cuckooing=None))
    control = {path.name: find_places(path) for path in ask(workspace).iterdir()}
    for path in files:
        # A station may stand next to a home: what is in the same file without victims tells nothing of them.
        places = find_places(path)
        assert count_hits(places - control.get(path.name, set()), easting_m, northing_m) == 0
        assert count_tokens(path, secrets) == 0
    ours = find_places(workspace / "inputs" / "cuckooing_FICTIONAL.csv")
    assert count_hits(ours, easting_m, northing_m) == len(easting_m)


def test_the_command_line_answers_with_the_exit_code(workspace, monkeypatch):
    outcome = CliRunner().invoke(gateline.cli.app, ["export", str(workspace), "--profile", "tactical"])
    assert isinstance(outcome.exception, GatelineError)
    assert outcome.exception.exit_code == 7
    monkeypatch.setattr("gateline.commands.export.datetime", type("Then", (), {"now": lambda _: pd.Timestamp(TODAY)}))
    options = ["--profile", "partner", "--reason", "review", "--recipient", "Council", "--product", "towns.csv"]
    outcome = CliRunner().invoke(gateline.cli.app, ["export", str(workspace), *options])
    assert outcome.exit_code == 0, outcome.exception
    assert "released for Council, logged" in outcome.stdout
