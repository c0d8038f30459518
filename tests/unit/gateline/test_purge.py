"""What has expired goes, is logged before, and its victims stay out; what has not stays."""

import json
from datetime import date, timedelta

import pytest
from typer.testing import CliRunner

import gateline.cli
from gateline.audit import append_event, verify_log
from gateline.release.retention import KEY_FILE, TOMBSTONES_FILE, purge, require_unexpired
from gateline.settings import read_settings
from gateline.workspace import hash_file
from geo.disclosure.keyed import read_or_make_key
from geo.disclosure.tombstones import label_erased, read_tombstones
from geo.errors import DisclosureError, IntegrityError, UsageError
from geo.sources.cuckooing import read_cuckooing

COLUMNS = {"address_id": "ref", "x": "e", "y": "n", "first_seen": "seen"}
VICTIMS = "ref,e,n,seen\nA-1,460001,452001,2025-01\nA-2,460502,452502,2025-02\n"
FAR = date(2100, 1, 1)


@pytest.fixture
def workspace(tmp_path):
    """A workspace with two runs, an export and victims, of which the log knows nothing yet."""
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    names = ("offences", "stations", "places", "exporters", "rail_track")
    for name in names:
        (inputs / f"{name}.csv").write_text("x\n")
    (inputs / "victims.csv").write_text(VICTIMS)
    lines = ['[inputs]\noffences = ["inputs/offences.csv"]\ncuckooing = "inputs/victims.csv"']
    lines += ["offences_format = 'extract'"]
    lines += [f'{name} = "inputs/{name}.csv"' for name in names[1:]]
    lines += ["cuckooing_columns = { " + ", ".join(f'{k} = "{v}"' for k, v in COLUMNS.items()) + " }"]
    (tmp_path / "region.toml").write_text("\n".join(lines) + "\n")
    for run, expires_on in (("old", "2026-01-31"), ("new", "2026-06-30")):
        folder = tmp_path / "runs" / run
        folder.mkdir(parents=True)
        (folder / "stations.csv").write_text(f"station_id,expires_on\r\nYRK,{expires_on}\r\n", encoding="utf-8-sig")
    (tmp_path / "runs" / "current").write_text("new\n")
    export = tmp_path / "exports" / "old-tactical-0001"
    export.mkdir(parents=True)
    (export / "release.json").write_text(json.dumps({"expires_on": "2026-01-31"}))
    return tmp_path


def used_on(workspace):
    """The day the log first names the victims' file: today, since the log stamps its own time."""
    path = workspace / "inputs" / "victims.csv"
    append_event(workspace / "audit.jsonl", "score", inputs=[{"name": path.name, "sha256": hash_file(path)}])
    line = (workspace / "audit.jsonl").read_text().splitlines()[-1]
    return date.fromisoformat(json.loads(line)["ts_utc"][:10])


def names(things):
    return [(thing.kind, thing.path.name) for thing in things]


def test_a_dry_run_lists_and_changes_nothing(workspace):
    before = sorted(path.as_posix() for path in workspace.rglob("*"))
    # Victims were first used when the file was written: not long ago.
    assert names(purge(workspace, today=date(2026, 2, 1), is_dry_run=True))[-2:] == [
        ("run", "old"),
        ("export", "old-tactical-0001"),
    ]
    assert sorted(path.as_posix() for path in workspace.rglob("*")) == before


def test_the_last_day_is_still_a_day_of_use(workspace):
    kept = purge(workspace, today=date(2026, 1, 31), is_dry_run=True)
    assert [thing for thing in kept if thing.kind != "victims"] == []


def test_what_has_expired_is_gone_and_logged_and_the_rest_stays(workspace):
    (workspace / "inputs" / "victims.csv").unlink()
    purge(workspace, today=date(2026, 2, 1), is_dry_run=False)
    assert not (workspace / "runs" / "old").exists()
    assert not (workspace / "exports" / "old-tactical-0001").exists()
    assert (workspace / "runs" / "new" / "stations.csv").exists()
    assert (workspace / "runs" / "current").exists()
    log = workspace / "audit.jsonl"
    assert verify_log(log) == 2
    events = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(event["event"], event["kind"], event["name"]) for event in events] == [
        ("erase", "run", "old"),
        ("erase", "export", "old-tactical-0001"),
    ]
    purge(workspace, today=date(2026, 7, 1), is_dry_run=False)
    assert not (workspace / "runs" / "current").exists()


def test_victims_go_ninety_days_after_their_first_use_and_stay_out(workspace):
    first = used_on(workspace)
    path = workspace / "inputs" / "victims.csv"
    last_day = first + timedelta(days=90)
    assert ("victims", "victims.csv") not in names(purge(workspace, today=last_day, is_dry_run=True))
    purge(workspace, today=last_day + timedelta(days=1), is_dry_run=False)
    assert not path.exists()
    event = [json.loads(line) for line in (workspace / "audit.jsonl").read_text().splitlines()][1]
    assert (event["event"], event["kind"], event["n_addresses"]) == ("erase", "victims", 2)
    for text in ((workspace / "audit.jsonl").read_text(), (workspace / TOMBSTONES_FILE).read_text()):
        assert not any(secret in text for secret in ("460001", "452502", "A-1"))
    # An old copy with one new address: only the new one is not known.
    path.write_text(VICTIMS.replace("A-1", "B-9") + "A-3,461003,453003,2025-03\n")
    points = read_cuckooing(path, columns=COLUMNS).table
    is_erased = label_erased(
        points, read_or_make_key(workspace / KEY_FILE), read_tombstones(workspace / TOMBSTONES_FILE)
    )
    assert is_erased.tolist() == [True, True, False]
    assert len(points.without(is_erased)) == 1
    assert points.without(is_erased).reveal_for("area_counts")[0].tolist() == [461003.0]


def test_nothing_is_deleted_that_cannot_be_logged(workspace, monkeypatch):
    def full_disk(*_args, **_facts):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gateline.release.retention.append_event", full_disk)
    with pytest.raises(OSError, match="No space left"):
        purge(workspace, today=FAR, is_dry_run=False)
    assert (workspace / "inputs" / "victims.csv").exists()
    assert (workspace / "runs" / "old").exists()


def test_a_tampered_log_stops_the_purge(workspace):
    (workspace / "audit.jsonl").write_text("{}\n")
    with pytest.raises(IntegrityError, match=r"audit.jsonl: line 1 is altered"):
        purge(workspace, today=FAR, is_dry_run=False)


@pytest.mark.parametrize(
    ("days", "until", "message"),
    [
        (0, date(2026, 1, 31), "run abc: it expired on 2026-01-31, expected 2026-02-01 or later"),
        (-40_000, FAR, r"victims.csv: victims' addresses expired on .*, -40000 days after their first use"),
    ],
)
def test_what_has_expired_is_refused(workspace, days, until, message):
    settings = read_settings(workspace / "region.toml")
    today = date(2026, 2, 1)
    with pytest.raises(DisclosureError, match=message):
        require_unexpired(
            workspace, settings, run_id="abc", run_expires_on=until, today=today, victim_retention_days=days
        )
    # Nobody is protected by refusing what is made up.
    fictional = settings.model_copy(update={"region": settings.region.model_copy(update={"is_fictional": True})})
    require_unexpired(workspace, fictional, run_id="abc", run_expires_on=until, today=today, victim_retention_days=days)


def test_what_has_not_expired_passes(workspace):
    settings = read_settings(workspace / "region.toml")
    today = used_on(workspace)
    require_unexpired(workspace, settings, run_id="abc", run_expires_on=today, today=today)
    with pytest.raises(DisclosureError, match="90 days after their first use"):
        require_unexpired(workspace, settings, run_id="abc", run_expires_on=FAR, today=today + timedelta(days=91))


def test_the_command_line_lists_and_deletes(workspace):
    (workspace / "inputs" / "victims.csv").unlink()
    run = CliRunner().invoke
    listed = run(gateline.cli.app, ["purge", str(workspace), "--dry-run", "--today", "2026-02-01"])
    assert "would delete run old, expired on 2026-01-31" in listed.stdout
    assert "deleted run old" in run(gateline.cli.app, ["purge", str(workspace), "--today", "2026-02-01"]).stdout
    assert "nothing has expired" in run(gateline.cli.app, ["purge", str(workspace), "--today", "2026-02-01"]).stdout
    outcome = run(gateline.cli.app, ["purge", str(workspace), "--today", "soon"])
    assert isinstance(outcome.exception, UsageError)
    assert "--today: it is 'soon', expected a date as YYYY-MM-DD" in str(outcome.exception)
